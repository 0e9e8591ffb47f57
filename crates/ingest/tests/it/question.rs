//! What was asked for is taken, the rest is counted as unmatched; each tweet goes where its time says.

use serde_json::Value;

use crate::support::{Place, counts, finish, fixture, total, tweet, tweets};

fn matched(name: &str, flags: &[&str]) -> [u64; 3] {
    let place = Place::new();
    let summary = place.ingest(&[fixture(name)], flags).summary();
    let [records, consumed, unmatched] = counts(&summary, ["records", "consumed", "unmatched"]);
    assert_eq!(place.sorted_lines().len() as u64, consumed);
    assert_eq!(records, consumed + unmatched + total(&summary, "notices") + total(&summary, "rejected"));
    [records, consumed, unmatched]
}

#[test]
fn phrases_boxes_and_intervals() {
    let boxes = fixture("boxes.txt");
    let boxes = boxes.to_str().unwrap();
    for (name, flags, expected) in [
        ("v1.jsonl", ["--track", "winter walk"].as_slice(), [6, 2, 4]),
        ("v1.jsonl", &["--track", "geese live"], [6, 2, 4]),
        ("v1.jsonl", &["--track", "winter walk", "MULLED WINE"], [6, 4, 2]),
        ("v1.jsonl", &["--track", "unicorn"], [6, 0, 6]),
        ("places.jsonl", &["--locations", boxes], [4, 2, 2]),
        ("places.jsonl", &["--locations", boxes, "--track", "fog"], [4, 3, 1]),
        ("v1.jsonl", &["--since", "2020-12-25"], [6, 4, 2]),
        ("v1.jsonl", &["--until", "2020-12-25"], [6, 2, 4]),
        ("v1.jsonl", &["--since", "2020-12-24", "--until", "2020-12-26"], [6, 6, 0]),
        (
            "v1.jsonl",
            &["--partition-by", "hour", "--since", "2020-12-25T08", "--until", "2020-12-25T12"],
            [6, 1, 5],
        ),
        // Without a time a tweet is in no interval.
        ("times.jsonl", &["--since", "2000-01-01"], [3, 2, 1]),
        // What is no tweet is told whatever was asked for.
        ("notices.jsonl", &["--track", "unicorn"], [7, 0, 1]),
        ("v2_pages.jsonl", &["--track", "tram 26"], [7, 2, 2]),
    ] {
        assert_eq!(matched(name, flags), expected, "{name} {flags:?}");
    }
}

#[test]
fn phrases_may_come_from_a_file() {
    let place = Place::new();
    let phrases = place.write("phrases.txt", "mulled wine\r\n\nso true\n");
    let summary =
        place.ingest(&[fixture("v1.jsonl")], &["--track-file", phrases.to_str().unwrap()]).summary();
    assert_eq!(counts(&summary, ["consumed", "unmatched"]), [2, 4]);
}

#[test]
fn partitions_go_by_the_time_in_the_id() {
    let place = Place::new();
    let summary = place.ingest(&[fixture("times.jsonl"), fixture("v1.jsonl")], &[]).summary();
    let per_day: Vec<(String, usize)> =
        place.lines().into_iter().map(|(day, lines)| (day, lines.len())).collect();
    let expected = [("dt=2006-03-21", 1), ("dt=2020-12-24", 3), ("dt=2020-12-25", 4), ("dt=unknown", 1)];
    assert_eq!(per_day, expected.map(|(day, n)| (day.to_owned(), n)));
    assert_eq!(summary["partitions"], 4);
    let manifest = std::fs::read(summary["manifest"].as_str().unwrap()).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["partitions"],
        serde_json::json!(["2006-03-21", "2020-12-24", "2020-12-25", "unknown"])
    );

    let place = Place::new();
    place.ingest(&[fixture("v1.jsonl")], &["--partition-by", "hour"]).summary();
    let hours: Vec<String> = place.lines().into_keys().collect();
    let expected =
        ["dt=2020-12-24/hour=23", "dt=2020-12-25/hour=00", "dt=2020-12-25/hour=08", "dt=2020-12-25/hour=12"];
    assert_eq!(hours, expected);
}

/// A commit tells of its part what clean needs to know before it reads it.
#[test]
fn commits_tell_what_is_in_a_part() {
    let place = Place::new();
    place.ingest(&[fixture("v1.jsonl")], &[]).summary();
    let commits = place.commits();
    let of = |day: &str| commits.iter().find(|c| c["path"].as_str().unwrap().contains(day)).unwrap();
    let first = of("2020-12-24");
    assert_eq!(counts(first, ["tweets", "unique", "retweets"]), [2, 1, 0]);
    let second = of("2020-12-25");
    assert_eq!(counts(second, ["tweets", "unique", "retweets"]), [4, 4, 1]);
    assert_eq!(second["received"], "2020-12-25T12:00:00.000000Z", "the newest tweet inside");
    assert_eq!(second["times"]["first"], "2020-12-25T00:00:00.000000Z");
    assert_eq!(second["ids"]["min"], "1342258755793846273");
    assert_eq!(second["ids"]["max"], "1342439949726646274");
    assert_eq!(second["languages"], serde_json::json!({"": 1, "en": 2, "nl": 1}));
    assert_eq!((&second["source"], &second["via"]), (&"x".into(), &"file".into()));

    // A retweet is touched by tombstones of its original's day.
    let retweet = Place::new();
    let late = r#"{"id_str":"1346894300574646273","text":"RT","retweeted_status":{"id_str":"1342258755793846273","text":"t"}}"#;
    retweet.ingest_bytes(late.as_bytes(), &[]).summary();
    assert_eq!(retweet.commits()[0]["touches"], serde_json::json!(["2020-12-25", "2021-01-06"]));
}

/// The limit cuts in the middle of a file, of a chunk and of a page, for any number of threads.
#[test]
fn max_tweets_ends_a_run_in_the_middle() {
    let text = tweets(9_000, 1);
    for max in ["1", "4500", "8999"] {
        let trees = ["1", "2", "8"].map(|threads| {
            let place = Place::new();
            let summary =
                place.ingest_bytes(text.as_bytes(), &["--max-tweets", max, "--threads", threads]).summary();
            let n = max.parse::<u64>().unwrap();
            assert_eq!(counts(&summary, ["records", "consumed", "unique"]), [n, n, n]);
            place.tree()
        });
        assert!(trees.iter().all(|tree| *tree == trees[0]));
    }
    let place = Place::new();
    let inputs = [fixture("v2_pages.jsonl"), fixture("v1.jsonl")];
    let summary = place.ingest(&inputs, &["--max-tweets", "2"]).summary();
    assert_eq!(counts(&summary, ["records", "consumed"]), [2, 2]);
    let more = place.write("more", tweets(10, 1));
    assert_eq!(place.ingest(&[more], &["--max-tweets", "100"]).summary()["consumed"], 10);
}

/// Tweets that were not asked for are no part of the limit.
#[test]
fn unmatched_tweets_do_not_count_towards_the_limit() {
    let place = Place::new();
    let text: String =
        (0..20).map(|n| tweet(n) + "\n" + &tweet(100 + n).replace("Number", "Unicorn") + "\n").collect();
    let mut command = place.command(&["-"]);
    command.args(["--track", "unicorn", "--max-tweets", "5"]);
    let summary = finish(&mut command, text.as_bytes()).summary();
    assert_eq!(counts(&summary, ["records", "consumed", "unmatched"]), [10, 5, 5]);
}

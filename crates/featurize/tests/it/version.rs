//! A version: its ledger, its bytes, its splits.

use crate::common::{Home, Row, at, id_at, row, run};
use table::SCHEMA_VERSION;
use task::Exit;

fn many(day: &str, from: usize, to: usize) -> Vec<Row> {
    (from..to)
        .map(|n| {
            row(&id_at(&format!("{day}T10:00:00"), i64::try_from(n).unwrap()), &(n % 97).to_string())
                .with("conversation_id", (n % 31).to_string().as_str())
                .with("created_at", at(&format!("{day}T{:02}:00:00", n % 24)))
        })
        .collect()
}

#[test]
fn the_ledger_goes_from_the_first_byte_to_the_last_row() {
    let home = Home::new();
    let twice = id_at("2020-12-24T10:00:00", 5);
    home.clean("2020-12-24", &many("2020-12-24", 0, 40));
    home.clean("2020-12-25", &[row(&twice, "5"), row(&id_at("2020-12-25T10:00:00", 1), "8")]);
    let made = home.make("");
    let l = &made.manifest.ledger;
    assert_eq!((l.records, l.consumed, l.unique, l.read, l.kept), (50, 48, 44, 42, 41));
    assert_eq!(
        (l.dropped.clone(), l.rejected.clone()),
        ([("retweet".into(), 1)].into(), [("not_json".into(), 2)].into())
    );
    assert_eq!(made.manifest.clean.dropped, [("duplicate".into(), 4), ("music".into(), 2)].into());
    assert_eq!(made.manifest.splits.values().map(|s| s.rows).sum::<u64>(), 41);
    assert_eq!(made.manifest.languages, [("en".into(), 41)].into());
    assert_eq!(made.rows().height(), 41);
    let said = home.try_make("").unwrap();
    assert_eq!(
        (said.stage, said.dataset.as_deref(), said.version.clone()),
        ("featurize", Some("tweets"), Some(made.manifest.version.clone()))
    );
    assert_eq!((said.consumed, said.unique, said.partitions), (48, 44, 2));
    assert!(said.manifest.ends_with(&format!("datasets/tweets/{}/manifest.json", made.manifest.version)));
    assert!(home.root().join(format!("_meta/runs/featurize/{}.json", said.run_id)).exists());
}

#[test]
fn a_lost_row_ends_with_70_and_publishes_nothing() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    home.clean_with_lie("2020-12-25", &many("2020-12-25", 0, 10), 1);
    let failure = home.try_make("").unwrap_err();
    assert_eq!(failure.exit, Exit::Bug, "{failure}");
    assert!(!home.root().join("datasets").exists());
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let (one, two) = (Home::new(), Home::new());
    let days = ["2020-12-24", "2020-12-25", "2020-12-26"];
    let rows: Vec<Vec<Row>> = (0..3).map(|n| many("2020-12-24", n * 200, 900 + n * 300)).collect();
    (0..3).for_each(|n| drop(one.clean(days[n], &rows[n])));
    (0..3).rev().for_each(|n| drop(two.clean(days[n], &rows[n])));
    let (a, b) = (one.make("--threads 1"), two.make("--threads 2"));
    assert_eq!(a.manifest.version, b.manifest.version);
    assert_eq!(a.bytes(), b.bytes());
    // A rerun finds the version there, and one after its loss makes the same again.
    let before = a.bytes();
    assert_eq!(one.make("--threads 3").bytes(), before);
    std::fs::remove_dir_all(&a.folder).unwrap();
    assert_eq!(one.make("--threads 3").bytes(), before);
    // A killed run left files without a manifest: they are nobody's.
    std::fs::remove_file(a.folder.join("manifest.json")).unwrap();
    std::fs::write(a.folder.join("data/train-00000-of-00001.parquet"), b"half").unwrap();
    assert_eq!(one.make("").bytes(), before);
    assert_eq!(
        before.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "README.md",
            "croissant.json",
            "data/test-00000-of-00001.parquet",
            "data/train-00000-of-00001.parquet",
            "data/validation-00000-of-00001.parquet",
            "manifest.json",
            "schema.json"
        ]
    );
}

#[test]
fn other_arguments_are_another_version() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 50));
    let lines = [
        "",
        "--split 70,20,10",
        "--split-by id",
        "--compression snappy",
        "--since 2020-12-24",
        "--split-by time --cuts 2020-12-24T12",
    ];
    let versions: std::collections::BTreeSet<String> =
        lines.iter().map(|line| home.make(line).manifest.version).collect();
    assert_eq!(versions.len(), lines.len());
}

#[test]
fn growing_data_moves_no_row() {
    for by in ["author", "conversation", "id", "time --cuts 2020-12-24T12,2020-12-25T06"] {
        let home = Home::new();
        home.clean("2020-12-24", &many("2020-12-24", 0, 600));
        let before = home.make(&format!("--split-by {by}")).by_id("split");
        home.clean("2020-12-25", &many("2020-12-25", 0, 300));
        let made = home.make(&format!("--split-by {by}"));
        let after = made.by_id("split");
        assert_eq!((before.len(), after.len()), (600, 900));
        assert!(before.iter().all(|(id, split)| after[id] == *split), "{by}");
        // No group in two splits.
        let groups: std::collections::BTreeSet<(String, String)> =
            made.by_id("group").into_iter().map(|(id, group)| (group, after[&id].clone())).collect();
        let alone: std::collections::BTreeSet<&String> = groups.iter().map(|(group, _)| group).collect();
        assert_eq!(groups.len(), alone.len(), "{by}");
        assert_eq!(
            alone.len(),
            match by {
                "author" => 97,
                "conversation" => 31,
                _ => 900,
            }
        );
    }
}

#[test]
fn a_tweet_that_only_retweets_named_is_nowhere_until_it_is_read_or_where_it_stays() {
    let tweet = |n: i64| {
        row(&id_at("2020-12-24T10:00:00", n), "0")
            .with("text_clean", format!("what tweet {n} says to {} of them", n * 7).as_str())
            .with("created_at", at("2020-12-24T10:00:00"))
    };
    let named: Vec<Row> =
        (0..200).map(|n| tweet(n).without("author_id").with("copies", 0).with("retweets_seen", 1)).collect();
    let read: Vec<Row> = (0..200)
        .map(|n| {
            let author = (n % 50).to_string();
            let answered = id_at("2020-12-23T10:00:00", n % 40);
            // Its text is cut, and a retweet's is not known to be: it is the tweet all the same.
            let cut = tweet(n).with("text_truncated", n % 2 == 0);
            cut.with("author_id", author.as_str())
                .with("conversation_id", answered.as_str())
                .with("is_reply", true)
        })
        .collect();
    for by in ["author", "conversation", "id", "time --cuts 2020-12-24T10:00,2020-12-24T12"] {
        let home = Home::new();
        home.clean("2020-12-25", &named);
        home.clean("2020-12-26", &many("2020-12-26", 0, 100));
        let before = home.make(&format!("--split-by {by}"));
        home.clean("2020-12-24", &read);
        let after = home.make(&format!("--split-by {by}"));
        let waiting = if matches!(by, "author" | "conversation") { 200 } else { 0 };
        let told = |made: &crate::common::Dataset| made.manifest.ledger.dropped_as("split_conflict");
        assert_eq!((told(&before), told(&after)), (waiting, 0), "{by}");
        assert_eq!(after.manifest.ledger.dropped_as("retweet"), 200);
        let (was, is) = (before.by_id("split"), after.by_id("split"));
        assert_eq!((was.len() as u64, is.len()), (300 - waiting, 300), "{by}");
        assert!(was.iter().all(|(id, split)| is[id] == *split), "{by}");
        assert!(after.by_id("author_id").values().all(|author| author != "null"), "{by}");
        for made in [before, after] {
            assert!(run(&format!("featurize verify {}", made.folder.display())).is_ok(), "{by}");
        }
    }
}

#[test]
fn time_is_cut() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 240));
    let made = home.make("--split-by time --cuts 2020-12-24T12:00,2020-12-24T18:00");
    let rows: Vec<u64> = made.manifest.splits.values().map(|s| s.rows).collect();
    assert_eq!(rows, [60, 120, 60], "test, train, validation");
    let failure = home.try_make("--split-by time").unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
}

#[test]
fn no_rows_are_a_dataset_too() {
    let home = Home::new();
    home.clean("2020-12-24", &[]);
    let made = home.make("");
    assert_eq!(made.manifest.files.len(), 3);
    assert_eq!(made.rows().schema(), table::empty(&table::dataset()).schema());
    assert!(run(&format!("featurize verify {}", made.folder.display())).is_ok());
}

#[test]
fn an_interval_is_half_open() {
    let home = Home::new();
    for day in ["2020-12-24", "2020-12-25", "2020-12-26"] {
        home.clean(day, &many(day, 0, 10));
    }
    let made = home.make("--since 2020-12-24 --until 2020-12-26");
    assert_eq!((made.manifest.inputs.len(), made.manifest.ledger.kept), (2, 20));
    let failure = home.try_make("--since 2021-01-01").unwrap_err();
    assert_eq!(failure.exit, Exit::MissingInput);
}

#[test]
fn two_shares_are_train_and_test() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 500));
    let made = home.make("--split 75,25");
    assert_eq!(made.manifest.splits.keys().collect::<Vec<_>>(), ["test", "train"]);
    assert_eq!(made.manifest.files.len(), 2);
}

#[test]
fn what_no_gate_passed_is_refused_when_gated() {
    let home = Home::new();
    let clean = home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    let failure = home.try_make("--gated").unwrap_err();
    assert_eq!(failure.exit, Exit::Conflict, "another run may be about to ask the gate");
    assert!(failure.hint.unwrap().contains("check.py clean"));
    home.pass("clean", &clean.fingerprint, false);
    assert_eq!(home.try_make("--gated").unwrap_err().exit, Exit::BadInput);
    home.pass("clean", &clean.fingerprint, true);
    let version = home.make("--gated");
    let promote = |more: &str| run(&format!("featurize promote {} {more}", version.folder.display()));
    assert_eq!(promote("--gated").unwrap_err().exit, Exit::BadInput);
    assert_eq!(home.lake.current("tweets").unwrap(), None);
    home.pass("dataset", &version.manifest.fingerprint, true);
    assert!(promote("--gated").is_ok());
    assert_eq!(home.lake.current("tweets").unwrap().unwrap().version, version.manifest.version);
}

/// Of two runs at once, the one that read less may come to its end last.
#[test]
fn fresh_an_overtaken_version_is_not_promoted() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    let overtaken = home.make("");
    let week = home.make("--until 2020-12-25");
    home.clean("2020-12-25", &many("2020-12-25", 0, 10));
    let made = home.make("");
    let promote = |made: &crate::common::Dataset| {
        run(&format!("featurize promote {} --fresh", made.folder.display())).map(|_| ())
    };
    let current = || home.lake.current("tweets").unwrap().unwrap().version;
    assert!(promote(&made).is_ok());
    assert_eq!(promote(&overtaken).unwrap_err().exit, Exit::Nothing);
    assert_eq!(current(), made.manifest.version);
    assert!(promote(&week).is_ok(), "its interval is as it was");
    assert_eq!(current(), week.manifest.version);
}

#[test]
fn promoting_an_older_version_is_the_way_back() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    let old = home.make("");
    home.clean("2020-12-25", &many("2020-12-25", 0, 10));
    let new = home.make("");
    let promote = |made: &crate::common::Dataset| {
        let said = run(&format!("featurize promote {}/", made.folder.display())).unwrap();
        serde_json::to_value(&said).unwrap()
    };
    let current = || home.lake.current("tweets").unwrap().unwrap().version;
    assert_eq!(promote(&old)["previous"], serde_json::Value::Null);
    assert_eq!(promote(&new)["previous"], old.manifest.version.as_str());
    assert_eq!(current(), new.manifest.version);
    assert_eq!(promote(&new)["previous"], new.manifest.version.as_str());
    assert_eq!(promote(&old)["previous"], new.manifest.version.as_str());
    assert_eq!(current(), old.manifest.version);
    std::fs::remove_file(new.folder.join("data/test-00000-of-00001.parquet")).unwrap();
    let failure = run(&format!("featurize promote {}", new.folder.display())).unwrap_err();
    assert_eq!(failure.exit, Exit::BadInput);
    assert_eq!(current(), old.manifest.version);
    let failure = run(&format!("featurize promote {}", home.root().display())).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
}

#[test]
fn a_signal_publishes_nothing() {
    use clap::Parser;
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    let args = featurize::Args::parse_from([
        "featurize",
        "--name",
        "tweets",
        "--lake",
        home.root().to_str().unwrap(),
    ]);
    let stop = task::Stop::default();
    stop.request();
    let failure = featurize::run(&args, &task::Task::new(args.common(), stop).unwrap()).unwrap_err();
    assert_eq!(failure.exit, Exit::Terminated);
    assert!(!home.root().join("datasets").exists());
}

#[test]
fn ids_are_listed_a_line_each() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 30));
    let made = home.make("");
    let file = home.root().join("ids.txt");
    run(&format!("featurize ids {} --output {}", made.folder.display(), file.display())).unwrap();
    let mut ids: Vec<String> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    ids.sort_unstable();
    assert_eq!(ids, made.by_id("tweet_id").into_keys().collect::<Vec<_>>());
}

#[test]
fn what_killed_runs_left_is_swept_by_age() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 10));
    let made = home.make("");
    let left = [
        "datasets/tweets/0123456789ab/data/train-00000-of-00001.parquet",
        "datasets/tweets/0123456789ab/data/.unfinished-1-1",
    ];
    for age in [0, 100_000] {
        for key in left {
            let path = home.root().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = std::fs::File::create(path).unwrap();
            file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        }
        home.make("");
        for key in left {
            assert_eq!(home.root().join(key).exists(), age == 0, "{key} after {age} s");
        }
    }
    assert!(run(&format!("featurize verify {}", made.folder.display())).is_ok());
}

#[test]
fn runs_at_once_agree() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 300));
    let versions: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| home.try_make("").unwrap().version)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(versions.iter().all(|v| *v == versions[0]));
    let folder = home.root().join("datasets/tweets").join(versions[0].as_ref().unwrap());
    assert!(run(&format!("featurize verify {}", folder.display())).is_ok());
}

#[test]
fn other_schemas_and_changed_bytes_of_clean_are_refused() {
    let home = Home::new();
    let clean = home.clean("2020-12-24", &many("2020-12-24", 0, 300));
    let file = home.root().join(&clean.path).join("tweets.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(home.try_make("").unwrap_err().exit, Exit::BadInput);
    let key = "_meta/clean/dt=2020-12-24.json";
    let text = std::fs::read_to_string(home.root().join(key)).unwrap();
    std::fs::write(
        home.root().join(key),
        text.replace(&format!("\"schema\": \"{SCHEMA_VERSION}\""), "\"schema\": \"0\""),
    )
    .unwrap();
    let failure = home.try_make("").unwrap_err();
    assert_eq!(failure.exit, Exit::BadInput);
    assert!(failure.message.contains("schema 0"), "{failure}");
    assert!(!home.root().join("datasets").exists());
}

#[test]
fn one_command_makes_a_version_without_what_was_deleted() {
    let home = Home::new();
    home.clean("2020-12-24", &many("2020-12-24", 0, 30));
    let before = home.make("");
    let gone = [3, 4].map(|n| id_at("2020-12-24T10:00:00", n));
    let file = home.root().join("deleted.txt");
    std::fs::write(&file, gone.join("\n")).unwrap();
    let after = home.make(&format!("--tombstones {}", file.display()));
    assert_ne!(after.manifest.version, before.manifest.version);
    assert_eq!(after.manifest.ledger.dropped, [("deleted".to_owned(), 2)].into());
    let ids = after.by_id("tweet_id");
    assert!(ids.len() == 28 && gone.iter().all(|id| !ids.contains_key(id)));
    // They are the lake's from now on.
    assert_eq!(home.make("").manifest.version, after.manifest.version);
    std::fs::write(&file, "no id").unwrap();
    assert_eq!(home.try_make(&format!("--tombstones {}", file.display())).unwrap_err().exit, Exit::BadInput);
}

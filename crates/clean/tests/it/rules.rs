//! The arguments that decide what is kept and what a row shows.

use serde_json::json;

use crate::lakes::{DAY, TestLake, counts, id, lists, retweet, summary, texts, told, tweet};

const ENGLISH: &str = "the trains to the coast are late again because of the storm";
const SPANISH: &str = "los trenes a la costa llegan tarde otra vez por la tormenta";
const CONCERT: &str = "got my tickets for the concert tomorrow night";
const ALBUM: &str = "listening to the new album on repeat, best song of the year";

/// The ids that are kept, as the numbers of the tests.
fn kept(lake: &TestLake, flags: &[&str]) -> Vec<u64> {
    lake.clean(&[&["--partition", DAY], flags].concat()).unwrap();
    let ids = texts(&lake.rows(DAY, "tweets.parquet"), "tweet_id");
    let number = |text: Option<String>| (0..50).find(|n| text == Some(id(*n).to_string())).unwrap();
    ids.into_iter().map(number).collect()
}

#[test]
fn only_the_asked_languages_are_kept() {
    let mut spanish = tweet(id(2), 5, SPANISH);
    spanish["lang"] = "es".into();
    let lake = TestLake::of(&[tweet(id(1), 5, ENGLISH), spanish]);
    assert_eq!(kept(&lake, &[]), [1, 2]);
    assert_eq!(kept(&lake, &["--languages", "es"]), [2]);
    assert_eq!(kept(&lake, &["--languages", "en, es,"]), [1, 2]);
    assert_eq!(lake.clean(&["--languages", "klingon"]).unwrap_err().exit.code(), 2);
}

#[test]
fn a_stricter_line_to_music_keeps_no_fewer() {
    let texts =
        [ENGLISH, CONCERT, ALBUM, "that tune is stuck in my head", "nice guitar", "singing in the shower"];
    let tweets: Vec<_> = texts.iter().zip(1..).map(|(text, n)| tweet(id(n), 5, text)).collect();
    let lake = TestLake::of(&tweets);
    let [recall, balanced, precision] =
        ["recall", "balanced", "precision"].map(|preset| kept(&lake, &["--music-preset", preset]));
    assert!(recall.iter().all(|n| balanced.contains(n)) && balanced.iter().all(|n| precision.contains(n)));
    assert!(!precision.contains(&3) && recall.contains(&1), "{recall:?} {balanced:?} {precision:?}");
    assert_eq!(kept(&lake, &["--music-threshold", "1000"]).len(), texts.len());
}

#[test]
fn concerts_and_votes_are_switches() {
    let lake = TestLake::of(&[tweet(id(1), 5, CONCERT), tweet(id(2), 5, ALBUM)]);
    assert!(kept(&lake, &[]).is_empty());
    assert_eq!(kept(&lake, &["--no-music-concerts"]), [1]);
    let arguments = lake.pointer(DAY).arguments;
    assert_eq!((&arguments["music_concerts"], &arguments["music_fan_votes"]), (&json!(false), &json!(false)));
    let without = lake.pointer(DAY).fingerprint;
    kept(&lake, &["--no-music-concerts", "--music-fan-votes"]);
    assert_ne!(lake.pointer(DAY).fingerprint, without);
    assert_eq!(lake.pointer(DAY).arguments["music_fan_votes"], json!(true));
}

#[test]
fn contractions_are_cut_on_request() {
    let lake = TestLake::of(&[tweet(id(1), 5, "I don't think it's late")]);
    let tokens = |flags: &[&str]| {
        kept(&lake, flags);
        lists(&lake.rows(DAY, "tweets.parquet"), "tokens").concat()
    };
    assert_eq!(tokens(&[]), ["I", "don't", "think", "it's", "late"]);
    assert_eq!(tokens(&["--split-contractions"]), ["I", "do", "n't", "think", "it", "'s", "late"]);
}

#[test]
fn retweets_are_folded_kept_or_dropped() {
    let original = tweet(id(1), 5, ENGLISH);
    let mut bare = tweet(id(3), 7, "RT @user_5: the trains to the coast are…");
    bare["referenced_tweets"] = json!([{ "type": "retweeted", "id": id(1).to_string() }]);
    let lake = TestLake::of(&[
        original.clone(),
        retweet(id(2), 6, &original),
        bare,
        retweet(id(4), 8, &tweet(id(0), 9, SPANISH)),
    ]);
    assert_eq!(kept(&lake, &["--retweets", "fold"]), [1, 0]);
    let rows = lake.rows(DAY, "tweets.parquet");
    assert_eq!((counts(&rows, "copies"), counts(&rows, "retweets_seen")), (vec![1, 0], vec![2, 1]));
    assert_eq!(kept(&lake, &["--retweets", "keep"]), [1, 2, 3, 4]);
    assert_eq!(kept(&lake, &["--retweets", "drop"]), [1]);
}

#[test]
fn a_carried_original_beats_one_that_is_only_named() {
    let original = tweet(id(1), 5, ENGLISH);
    let mut bare = tweet(id(3), 7, &format!("RT @user_5: {ENGLISH}"));
    bare["referenced_tweets"] = json!([{ "type": "retweeted", "id": id(1).to_string() }]);
    let lake = TestLake::new();
    lake.part(DAY, "a", Some(1), &[retweet(id(2), 6, &original)]);
    lake.part(DAY, "b", Some(2), &[bare]);
    assert_eq!(kept(&lake, &[]), [1]);
    let rows = lake.rows(DAY, "tweets.parquet");
    assert_eq!(
        (texts(&rows, "author_id"), texts(&rows, "text")),
        (vec![Some("5".into())], vec![Some(ENGLISH.into())])
    );
    assert_eq!(counts(&rows, "retweets_seen"), [2]);
}

#[test]
fn tweets_without_a_time_lie_in_unknown_and_are_like_any_other() {
    let lake = TestLake::new();
    lake.part("unknown", "a", None, &[tweet(12, 5, ENGLISH), tweet(12, 5, ENGLISH), tweet(13, 5, SPANISH)]);
    lake.tombstones("13");
    let summary = lake.clean(&[]).unwrap();
    assert_eq!(
        (&summary["kept"], &summary["dropped"]),
        (&json!(1), &json!({ "deleted": 1, "duplicate": 1 }))
    );
    let pointer = lake.pointer("unknown");
    assert_eq!((pointer.times.first, pointer.ids.max.as_deref()), (None, Some("12")));
}

#[test]
fn no_id_is_too_great() {
    let lake = TestLake::new();
    let post = json!({ "did": "did:plc:one", "kind": "commit", "commit": { "operation": "create", "collection": "app.bsky.feed.post",
        "rkey": "3m5zzzzzzzz22", "record": { "text": SPANISH, "createdAt": "2026-11-20T12:00:00Z" } } });
    lake.part("unknown", "a", None, &[post, tweet(u64::MAX, 5, ENGLISH), tweet(1 << 63, 5, ENGLISH)]);
    lake.clean(&["--music-threshold", "1000"]).unwrap();
    let mut ids: Vec<String> =
        texts(&lake.rows("unknown", "tweets.parquet"), "tweet_id").into_iter().flatten().collect();
    ids.sort();
    assert_eq!(
        ids,
        ["18446744073709551615", "9223372036854775808", "at://did:plc:one/app.bsky.feed.post/3m5zzzzzzzz22"]
    );
}

/// A lake in which one account is named in every way there is.
fn named() -> TestLake {
    let mut it =
        tweet(id(1), 7_000_001, "thanks @Other_Person, see https://twitter.com/other_person/status/12?s=20");
    it["entities"] = json!({
        "user_mentions": [{ "screen_name": "Other_Person", "id": 7_000_002 }],
        "urls": [{ "expanded_url": "https://twitter.com/other_person/status/12?s=20" }, { "expanded_url": "https://example.com/a" }],
    });
    it["user"]["screen_name"] = "First_Person".into();
    let mut answer = tweet(id(2), 7_000_002, "you are welcome @first_person");
    answer["user"]["screen_name"] = "other_person".into();
    answer["entities"] = json!({ "user_mentions": [{ "screen_name": "First_Person" }] });
    let mut bare = tweet(id(3), 7_000_003, "RT @first_person: hello to everybody");
    bare["referenced_tweets"] = json!([{ "type": "retweeted", "id": id(0).to_string() }]);
    TestLake::of(&[it, answer, bare])
}

const KEY: &str = "a key of the tests, no more";

#[test]
fn under_pseudonyms_nobody_is_named_and_everybody_is_told_apart() {
    let lake = named();
    let run = |key: &str| {
        let mut command = lake.program(&["--pseudonymise", "--log", "debug"]);
        let ended = command.env("OFFKEY_PSEUDONYM_KEY", key).output().unwrap();
        assert!(ended.status.success(), "{}", told(&ended));
        assert!(!told(&ended).contains(key) && !summary(&ended).to_string().contains(key));
    };
    run(KEY);
    let all = lake.readable();
    for name in ["700000", "irst_", "ther_", "User 7"] {
        assert!(!all.contains(name), "{name}");
    }
    let rows = lake.rows(DAY, "tweets.parquet");
    let (usernames, authors) = (texts(&rows, "username"), texts(&rows, "author_id"));
    assert_eq!(texts(&rows, "user_name"), [None, None, None]);
    assert!(authors[0].is_some() && authors[0] != authors[1] && authors[2].is_none());
    assert_eq!(usernames[0], usernames[2], "the same account, named in a retweet");
    let mentions = lists(&rows, "mentions");
    assert_eq!((mentions[0].first(), mentions[1].first()), (usernames[1].as_ref(), usernames[0].as_ref()));
    let other = usernames[1].clone().unwrap();
    assert_eq!(
        lists(&rows, "urls")[0],
        [format!("https://twitter.com/{other}/status/12"), "https://example.com/a".into()]
    );
    assert_eq!(
        texts(&rows, "text")[0].as_deref(),
        Some(&*format!("thanks @{other}, see https://twitter.com/{other}/status/12"))
    );
    assert!(lists(&rows, "tokens")[0].contains(&format!("@{other}")));

    let pointer = lake.pointer(DAY);
    assert_eq!(pointer.arguments["pseudonym_key"], lake::sha256_hex(KEY.as_bytes())[..8]);
    run("another key of the tests, no more");
    assert_ne!(lake.pointer(DAY).fingerprint, pointer.fingerprint);
    assert_ne!(texts(&lake.rows(DAY, "tweets.parquet"), "author_id"), authors);
}

#[test]
fn a_key_may_be_a_file_and_must_be_somewhere() {
    let lake = named();
    let ended = lake.program(&["--pseudonymise"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(77));
    assert!(told(&ended).contains("hint: set OFFKEY_PSEUDONYM_KEY"), "{}", told(&ended));
    let file = lake.root().join("key");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let ended = lake.program(&["--pseudonymise", "--pseudonym-key-file"]).arg(&file).output().unwrap();
    assert!(ended.status.success(), "{}", told(&ended));
    assert_eq!(lake.pointer(DAY).arguments["pseudonym_key"], lake::sha256_hex(KEY.as_bytes())[..8]);
}

//! What may not be shown is not shown, whoever says so and wherever it stands; and a text is only ever in the tables.

use lake::Condition;
use serde_json::json;

use crate::lakes::{DAY, TestLake, cells, id, lists, retweet, summary, texts, told, tweet};

/// The id of a user, as a tombstone's line.
fn user(id: u64) -> String {
    json!({ "kind": "user", "source": "x", "id": id.to_string() }).to_string()
}

#[test]
fn a_deleted_tweet_is_in_no_byte_that_can_be_read() {
    let gone = tweet(id(1), 7_000_001, "words that were taken back");
    let mut answer = tweet(id(2), 7_000_002, "that is not nice of you");
    answer["in_reply_to_status_id"] = id(1).into();
    let mut quote = tweet(id(3), 7_000_003, "have you seen this");
    quote["quoted_status_id"] = id(1).into();
    quote["entities"] = json!({ "urls": [
        { "expanded_url": format!("https://twitter.com/somebody/status/{}", id(1)) },
        { "expanded_url": "https://example.com/kept" },
    ] });
    let lake = TestLake::new();
    lake.part(DAY, "a", Some(1), &[gone.clone(), answer, quote, retweet(id(4), 7_000_004, &gone)]);
    lake.part(
        DAY,
        "b",
        Some(2),
        &[gone.clone(), retweet(id(4), 7_000_004, &gone), tweet(id(5), 5, "another")],
    );
    lake.clean(&[]).unwrap();
    assert!(lake.readable().contains(&id(1).to_string()));

    let file = lake.root().join("ids.txt");
    std::fs::write(&file, format!("{}\n", id(1))).unwrap();
    let before = lake.pointer(DAY).path;
    let summary = lake.clean(&["--tombstones", file.to_str().unwrap()]).unwrap();
    assert_eq!(summary["dropped"], json!({ "deleted": 2, "duplicate": 2 }));
    assert_eq!((&summary["consumed"], &summary["unique"]), (&json!(7), &json!(5)));
    // What nothing points to any more is swept by its age.
    std::fs::remove_dir_all(lake.root().join(before)).unwrap();
    let all = lake.readable();
    assert!(!all.contains(&id(1).to_string()) && !all.contains("taken back"));
    let kept = lake.rows(DAY, "tweets.parquet");
    assert_eq!(lists(&kept, "urls").concat(), ["https://example.com/kept"]);
    assert!(
        kept.column("is_reply").unwrap().bool().unwrap().any()
            && kept.column("is_quote").unwrap().bool().unwrap().any()
    );
}

#[test]
fn a_hidden_user_is_hidden_in_every_copy() {
    let by_name = tweet(id(1), 7_000_001, "words of one who left");
    let mut nameless = by_name.clone();
    nameless.as_object_mut().unwrap().remove("user");
    let mut bare = tweet(id(2), 7_000_002, "RT @user_7000001: words of one who left");
    bare["referenced_tweets"] = json!([{ "type": "retweeted", "id": id(1).to_string() }]);
    let lake = TestLake::new();
    lake.part(DAY, "a", Some(1), &[by_name]);
    lake.part(DAY, "b", Some(2), &[nameless, bare, tweet(id(3), 7_000_003, "another")]);
    lake.tombstones(&user(7_000_001));
    let summary = lake.clean(&[]).unwrap();
    assert_eq!(summary["dropped"], json!({ "deleted": 2, "duplicate": 1 }));
    let all = lake.readable();
    assert!(!all.contains("7000001") && !all.contains("one who left"));
}

#[test]
fn a_place_that_was_taken_back_is_not_told() {
    let placed = |n: u64| {
        let mut it = tweet(id(n), 7_000_001, "good morning");
        it["place"] = json!({ "full_name": "Utrecht, Nederland", "country_code": "NL" });
        it["coordinates"] = json!({ "type": "Point", "coordinates": [5.1214, 52.0907] });
        it
    };
    let lake = TestLake::of(&[placed(1), placed(2)]);
    lake.tombstones(
        &json!({ "kind": "geo", "source": "x", "user_id": "7000001", "up_to": id(1).to_string() })
            .to_string(),
    );
    lake.clean(&[]).unwrap();
    let kept = lake.rows(DAY, "tweets.parquet");
    assert_eq!(texts(&kept, "place_name"), [None, Some("Utrecht, Nederland".into())]);
    let lon: Vec<_> = kept.column("lon").unwrap().f64().unwrap().iter().collect();
    assert_eq!(lon, [None, Some(5.1214)]);
}

#[test]
fn a_post_of_bluesky_is_hidden_by_its_uri_and_by_its_author() {
    let post = |rkey: &str, did: &str| {
        json!({ "did": did, "time_us": 1, "kind": "commit", "commit": {
            "operation": "create", "collection": "app.bsky.feed.post", "rkey": rkey,
            "record": { "$type": "app.bsky.feed.post", "text": format!("words of {did}"), "createdAt": "2026-11-20T12:00:00Z" },
        } })
    };
    let lake = TestLake::of(&[
        post("3m5zzzzzzzz22", "did:plc:one"),
        post("3m5zzzzzzzz23", "did:plc:one"),
        post("3m5zzzzzzzz24", "did:plc:two"),
        post("3m5zzzzzzzz24", "did:plc:two"),
    ]);
    lake.tombstones("at://did:plc:one/app.bsky.feed.post/3m5zzzzzzzz22\n{\"kind\":\"user\",\"source\":\"bluesky\",\"id\":\"did:plc:two\"}\n");
    let summary = lake.clean(&[]).unwrap();
    assert_eq!(summary["dropped"], json!({ "deleted": 2, "duplicate": 1 }));
    let kept = lake.rows(DAY, "tweets.parquet");
    assert_eq!(texts(&kept, "tweet_id"), [Some("at://did:plc:one/app.bsky.feed.post/3m5zzzzzzzz23".into())]);
    assert!(!lake.readable().contains("did:plc:two"));
}

/// Texts that are dangerous where something reads more into them than text.
const CANARIES: [&str; 7] = [
    "=HYPERLINK(\"http://example.com\",\"canary\")",
    "+canary\t-1\r\n@SUM(A1)",
    "<script>alert('canary')</script><img src=x onerror=alert(1)>",
    "canary \u{1b}[31mred\u{1b}[0m \u{7}",
    "canary {{ ds }} {% raw %} ${HOME} $(id) `id`",
    "canary\n{\"level\":\"ERROR\",\"message\":\"canary forged\"}",
    "canary \u{202e}reversed\u{2066} \u{feff}\u{0}",
];

#[test]
fn a_text_is_verbatim_in_the_tables_and_in_no_log() {
    let mut tweets: Vec<_> = CANARIES.iter().zip(1..).map(|(text, n)| tweet(id(n), 5, text)).collect();
    tweets.push(json!({ "id_str": id(90).to_string(), "full_text": 7, "note": "canary" }));
    let lake = TestLake::of(&tweets);
    let ended = lake.program(&["--log", "debug", "--run-id", "canary-less"]).output().unwrap();
    assert!(ended.status.success(), "{}", told(&ended));
    let said =
        format!("{}{}", told(&ended), String::from_utf8_lossy(&ended.stdout)).replace("canary-less", "");
    assert!(!said.contains("canary"), "{said}");
    assert_eq!(summary(&ended)["kept"], CANARIES.len());
    let kept = lake.rows(DAY, "tweets.parquet");
    let found: Vec<String> = texts(&kept, "text").into_iter().flatten().collect();
    assert_eq!(found, CANARIES);
    for (key, bytes) in lake.below(&["_meta"]) {
        assert!(!String::from_utf8_lossy(&bytes).replace("canary-less", "").contains("canary"), "{key}");
    }
}

/// A lake with a deleted tweet, a hidden user and others, in all that a lake can hold.
fn full_lake() -> TestLake {
    let lake = TestLake::new();
    let gone = tweet(id(1), 7_000_001, "secret of a tweet");
    let by_hidden = tweet(id(2), 7_000_002, "secret of a user");
    let mut quote = tweet(id(3), 7_000_003, "just look at that");
    quote["quoted_status_id"] = id(1).into();
    quote["quoted_status"] = gone.clone();
    let mut bare = tweet(id(4), 7_000_004, "RT @user_7000002: secret of a user");
    bare["referenced_tweets"] = json!([{ "type": "retweeted", "id": id(2).to_string() }]);
    lake.part(
        DAY,
        "a",
        Some(1),
        &[gone.clone(), by_hidden.clone(), quote, tweet(id(5), 7_000_005, "one that stays")],
    );
    lake.part(DAY, "b", Some(2), &[by_hidden]);
    lake.part(DAY, "c", Some(3), &[tweet(id(6), 7_000_006, "another that stays")]);
    lake.part("2026-11-21", "d", Some(4), &[bare, retweet(id(7), 7_000_007, &gone)]);
    lake.part("2026-11-22", "e", Some(5), &[tweet(id(8), 7_000_008, "a day that nothing touches")]);
    lake.clean(&["--music-threshold", "1000"]).unwrap();

    let reject = |bytes: &str| json!({ "code": "truncated", "bytes": base64(bytes) }).to_string() + "\n";
    let rejects = reject(&format!("{{\"id\":{},\"te", id(1))) + &reject("{\"id\":9,");
    lake.lake.write_lines("rejects", rejects.as_bytes()).unwrap().unwrap();
    let notices = format!(
        "{}\n{}\n",
        json!({ "delete": { "status": { "id": id(1) } } }),
        json!({ "limit": { "track": 3 } })
    );
    lake.lake.write_lines("notices", notices.as_bytes()).unwrap().unwrap();
    let report = "<td>secret of a tweet</td>";
    lake.lake.store.put("_meta/reports/r1/report.html", report.as_bytes(), &Condition::Always).unwrap();
    lake
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(text)
}

/// A dataset version of one file: the rows that are clean now.
fn dataset(lake: &TestLake, version: &str, partition: &str) {
    let folder = format!("datasets/mine/{version}");
    let from = lake.root().join(lake.pointer(partition).path).join("tweets.parquet");
    let bytes = std::fs::read(from).unwrap();
    let put = |key: String, bytes: &[u8]| lake.lake.store.put(&key, bytes, &Condition::Always).unwrap();
    put(format!("{folder}/data/train-00000-of-00001.parquet"), &bytes);
    put(format!("{folder}/README.md"), b"card");
    let manifest = json!({
        "dataset": "mine", "version": version, "fingerprint": version, "records": 0, "clean": {}, "splits": {},
        "files": [{ "path": "data/train-00000-of-00001.parquet", "split": "train", "size": bytes.len(), "sha256": lake::sha256_hex(&bytes), "rows": 1 }],
        "beside": {}, "inputs": [], "tombstones": "", "arguments": {}, "versions": {}, "interval": { "since": null, "until": null },
        "times": { "first": null, "last": null }, "ids": { "min": null, "max": null }, "languages": {}, "samples": {},
    });
    put(format!("{folder}/manifest.json"), manifest.to_string().as_bytes());
}

fn promote(lake: &TestLake, version: &str) {
    let pointer = json!({ "dataset": "mine", "version": version, "fingerprint": version, "manifest": "" });
    lake.lake
        .store
        .put("datasets/mine/current.json", pointer.to_string().as_bytes(), &Condition::Always)
        .unwrap();
}

/// All that the lake holds, unpacked; but for the tombstones, which are there to keep things away.
fn everything(lake: &TestLake) -> String {
    let mut all = String::new();
    for (key, bytes) in lake.below(&["raw", "clean", "datasets", "_meta"]) {
        if key.ends_with(".parquet") {
            all += &cells(&lake.root().join(&key));
        } else if key.ends_with(".zst") {
            let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let packed = line["bytes"].as_str().map(|packed| {
                    use base64::Engine;
                    base64::prelude::BASE64_STANDARD.decode(packed).unwrap()
                });
                all += &String::from_utf8_lossy(&packed.unwrap_or_default());
            }
            all += &text;
        } else if !key.starts_with("_meta/tombstones/") {
            all += &String::from_utf8_lossy(&bytes);
        }
    }
    all
}

/// Files of a tweet and of a user that shall go.
fn orders(lake: &TestLake) -> [String; 2] {
    let place = |name: &str| lake.root().parent().unwrap().join(name).to_str().unwrap().to_owned();
    std::fs::write(place("ids.txt"), format!("{}\n", id(1))).unwrap();
    std::fs::write(place("users.txt"), "7000002\n\n").unwrap();
    [place("ids.txt"), place("users.txt")]
}

fn sought() -> [String; 4] {
    [id(1).to_string(), id(2).to_string(), "7000002".into(), "secret".into()]
}

#[test]
fn purged_it_is_nowhere_and_the_rest_is_as_it_was() {
    let lake = full_lake();
    dataset(&lake, "aaaa", DAY);
    dataset(&lake, "bbbb", "2026-11-22");
    promote(&lake, "aaaa");
    let untouched =
        lake.below(&[&lake.pointer("2026-11-22").path, "raw/dt=2026-11-22", "datasets/mine/bbbb"]);
    let before = everything(&lake);
    assert!(sought().iter().all(|it| before.contains(it)));

    let [ids, users] = orders(&lake);
    let report = lake.run(&["purge"], &["--ids", &ids, "--users", &users, "--run-id", "p1"]).unwrap();
    let after = everything(&lake);
    for it in sought() {
        assert!(!after.contains(&it), "{it}");
    }
    assert_eq!(
        report["raw"],
        json!({ "parts_rewritten": 1, "parts_removed": 2, "tweets_removed": 5, "tweets_stripped": 1 })
    );
    assert_eq!((&report["consumed_before"], &report["consumed_after"]), (&json!(9), &json!(4)));
    assert_eq!((&report["rejects_removed"], &report["notices_removed"]), (&json!(1), &json!(1)));
    assert_eq!(report["clean_results_removed"], 2);
    assert_eq!((&report["dataset_versions_removed"], &report["reports_removed"]), (&json!(1), &json!(1)));
    let told = lake.lake.store.get("_meta/purges/p1.json").unwrap().unwrap().0;
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(
        (&told["partitions"], &told["versions"]),
        (&json!([DAY, "2026-11-21"]), &json!(["mine/aaaa"]))
    );
    assert_eq!(told["raw"], report["raw"]);
    let record = |key: &str| -> serde_json::Value {
        serde_json::from_slice(&lake.lake.store.get(&format!("_meta/purged/{key}.json")).unwrap().unwrap().0)
            .unwrap()
    };
    let became = format!("raw/dt={DAY}/a-purged-1.jsonl.zst");
    assert_eq!(
        record(&format!("dt={DAY}/a")),
        json!({ "path": format!("raw/dt={DAY}/a.jsonl.zst"), "tweets": 4, "removed": 2, "became": became })
    );
    assert_eq!(record("dt=2026-11-21/d")["became"], json!(null));
    let commit = lake.lake.store.get(&format!("_meta/raw/dt={DAY}/a-purged-1.json")).unwrap().unwrap().0;
    let commit: lake::RawCommit = serde_json::from_slice(&commit).unwrap();
    assert_eq!(lake::read_identities(&lake.lake, &commit).unwrap().unwrap().len() as u64, commit.tweets);
    assert!(lake.lake.current("mine").unwrap().is_none());
    for (key, bytes) in untouched {
        assert_eq!(lake.lake.store.get(&key).unwrap().unwrap().0, bytes, "{key}");
    }

    // What is left is a lake like any other, and a second purge finds nothing.
    let summary = lake.clean(&["--music-threshold", "1000"]).unwrap();
    assert_eq!((&summary["consumed"], &summary["kept"]), (&json!(4), &json!(4)));
    assert_eq!(texts(&lake.rows(DAY, "tweets.parquet"), "quoted_id"), [None, None, None]);
    let again = lake.run(&["purge"], &[]).unwrap();
    assert_eq!(again["raw"]["tweets_removed"], 0);
    assert_eq!((&again["consumed_after"], &again["clean_results_removed"]), (&json!(4), &json!(0)));

    // Read once more from its source, a part comes back without it in any result; the next purge takes it out again.
    lake.part(DAY, "b", Some(2), &[tweet(id(2), 7_000_002, "secret of a user")]);
    lake.clean(&["--music-threshold", "1000"]).unwrap();
    assert!(!lake.readable().contains("secret"));
    assert_eq!(lake.run(&["purge"], &[]).unwrap()["raw"]["tweets_removed"], 1);
}

#[test]
fn a_purge_that_was_killed_is_completed_by_the_next() {
    let expected = full_lake();
    let [ids, users] = orders(&expected);
    expected.run(&["purge"], &["--ids", &ids, "--users", &users]).unwrap();
    let state = |lake: &TestLake| {
        lake.below(&[
            "raw",
            "clean",
            "_meta/raw",
            "_meta/clean",
            "_meta/rejects",
            "_meta/notices",
            "_meta/tombstones",
            "_meta/reports",
            "_meta/purged",
            "datasets",
        ])
    };
    let rounds = if std::env::var_os("OFFKEY_LONG").is_some() { 200 } else { 10 };
    for round in 0..rounds {
        let lake = full_lake();
        let [ids, users] = orders(&lake);
        let mut command = crate::lakes::program();
        command
            .args(["purge", "--ids", &ids, "--users", &users, "--log", "error", "--lake"])
            .arg(lake.root());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 + 40 * round / rounds));
        child.kill().unwrap();
        child.wait().unwrap();
        lake.run(&["purge"], &["--ids", &ids, "--users", &users]).unwrap();
        let all = everything(&lake);
        assert!(sought().iter().all(|it| !all.contains(it)), "round {round}");
        assert_eq!(state(&lake), state(&expected), "round {round}");
    }
}

#[test]
fn each_step_of_a_broken_purge_is_made_good() {
    // Both forms of a part, a commit without its part, results over parts that are no more, a version without its data.
    let lake = full_lake();
    dataset(&lake, "aaaa", "2026-11-22");
    let [ids, users] = orders(&lake);
    let old = lake.below(&["raw", "_meta/raw"]);
    let result = lake.below(&[&format!("clean/dt={DAY}"), "_meta/clean"]);
    lake.run(&["purge"], &["--ids", &ids, "--users", &users]).unwrap();
    let expected = lake.below(&["raw", "_meta/raw", "clean"]);
    for (key, bytes) in old.iter().chain(&result) {
        if !key.ends_with("b.jsonl.zst") && !key.starts_with("_meta/clean/dt=2026-11-22") {
            lake.lake.store.put(key, bytes, &Condition::Always).unwrap();
        }
    }
    std::fs::remove_file(lake.root().join("datasets/mine/aaaa/data/train-00000-of-00001.parquet")).unwrap();
    let report = lake.run(&["purge"], &[]).unwrap();
    assert_eq!(lake.below(&["raw", "_meta/raw", "clean"]), expected);
    assert_eq!(report["dataset_versions_removed"], 1);
}

#[test]
fn a_purge_without_tombstones_has_nothing_to_do_and_a_handle_is_no_id() {
    let lake = TestLake::of(&[tweet(id(1), 5, "words")]);
    assert_eq!(lake.run(&["purge"], &[]).unwrap_err().exit.code(), 99);
    let users = lake.root().join("users.txt");
    std::fs::write(&users, "12\n@somebody\n").unwrap();
    let refused = lake.run(&["purge"], &["--users", users.to_str().unwrap()]).unwrap_err();
    assert_eq!(refused.exit.code(), 65);
    assert!(
        refused.message.contains("users.txt:2") && !refused.message.contains("somebody"),
        "{}",
        refused.message
    );
}

#[test]
fn only_partitions_that_name_what_was_deleted_are_stale() {
    let older = tweet(id(1) - ((3 * 86_400_000) << 22), 7_000_003, "said three days before");
    let mut answer = tweet(id(3), 7_000_004, "that was three days ago");
    answer["in_reply_to_status_id_str"] = older["id_str"].clone();
    let lake = TestLake::new();
    lake.part(DAY, "a", None, &[tweet(id(1), 7_000_001, "hello"), retweet(id(2), 7_000_002, &older), answer]);
    let current = |lake: &TestLake| lake.clean(&[]).is_err_and(|failure| failure.exit.code() == 99);
    lake.clean(&[]).unwrap();

    lake.tombstones(&user(9_000_000));
    assert!(current(&lake), "a stranger");
    let days_apart = tweet(id(7) - ((9 * 86_400_000) << 22), 1, "");
    lake.tombstones(days_apart["id_str"].as_str().unwrap());
    assert!(current(&lake), "a tweet of another day");

    lake.tombstones(&user(7_000_003));
    let summary = lake.clean(&[]).unwrap();
    assert_eq!(summary["dropped"], json!({ "deleted": 1 }), "the author of what is retweeted");
    assert_eq!(lake.rows(DAY, "tweets.parquet").column("in_reply_to_id").unwrap().null_count(), 1);
    lake.tombstones(older["id_str"].as_str().unwrap());
    lake.clean(&[]).unwrap();
    assert_eq!(lake.rows(DAY, "tweets.parquet").column("in_reply_to_id").unwrap().null_count(), 2);
}

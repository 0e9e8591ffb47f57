//! What is published, when, and that it is the same whoever makes it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lake::{CleanPointer, Condition, IdentitiesAt, RawCommit, raw_fingerprint};
use serde_json::{Value, json};

use crate::lakes::{DAY, TestLake, id, retweet, summary, told, tweet};

const WORDS: [&str; 6] = [
    "the bus was late again this morning",
    "que hermoso dia para caminar por el parque",
    "I was listening to the new album all night",
    "our cat sleeps on the warm router",
    "bom dia a todos, o café está pronto",
    "see you all at the station tomorrow",
];

/// Tweets with copies, retweets and versions among them.
fn many(from: u64, count: u64) -> Vec<Value> {
    let one = |n: u64| {
        let plain =
            tweet(id(n), 100 + n % 7, &format!("{} {n}", WORDS[usize::try_from(n).unwrap() % WORDS.len()]));
        if n % 5 == 4 { retweet(id(n), 300 + n, &tweet(id(n / 5), 100, "words of another")) } else { plain }
    };
    (from..from + count).map(|n| one(n % 200)).collect()
}

/// The same parts, committed in another order.
fn lake_of(order: &[usize]) -> TestLake {
    let lake = TestLake::new();
    for n in order {
        let received = [Some(5), None, Some(5), Some(9)][*n];
        lake.part(DAY, &format!("p{n}"), received, &many(60 * *n as u64, 90));
    }
    lake
}

#[test]
fn the_bytes_are_the_same_for_any_thread_count_order_and_rerun() {
    let first = lake_of(&[0, 1, 2, 3]);
    first.clean(&["--threads", "1"]).unwrap();
    let expected = first.results();
    assert_eq!(expected.len(), 4, "a pointer and three files");
    for (order, threads) in [([3, 2, 1, 0], "1"), ([1, 3, 0, 2], "2"), ([0, 1, 2, 3], "8")] {
        let other = lake_of(&order);
        other.clean(&["--threads", threads]).unwrap();
        assert_eq!(other.results(), expected, "{order:?} with {threads} threads");
        other.clean(&["--partition", DAY]).unwrap();
        assert_eq!(other.results(), expected, "rerun");
    }
}

#[test]
fn cleaned_again_after_late_data_is_as_cleaned_at_once() {
    let late = lake_of(&[0, 2]);
    late.clean(&[]).unwrap();
    let early = late.pointer(DAY);
    for n in [1, 3] {
        late.part(DAY, &format!("p{n}"), [None, None, None, Some(9)][n], &many(60 * n as u64, 90));
    }
    late.clean(&[]).unwrap();
    let at_once = lake_of(&[0, 1, 2, 3]);
    at_once.clean(&[]).unwrap();
    let path = late.pointer(DAY).path;
    assert_ne!(path, early.path);
    let of_now = |lake: &TestLake| -> BTreeMap<String, Vec<u8>> {
        lake.results()
            .into_iter()
            .filter(|(key, _)| key.starts_with(&path) || key.starts_with("_meta"))
            .collect()
    };
    assert_eq!(of_now(&late), of_now(&at_once));
}

#[test]
fn stale_is_what_would_be_called_otherwise() {
    let lake = TestLake::of(&many(0, 20));
    let exit = |flags: &[&str]| match lake.clean(flags) {
        Ok(_) => 0,
        Err(failure) => failure.exit.code(),
    };
    let planned = |flags: &[&str]| lake.run(&["plan"], flags).unwrap()["partitions"].clone();
    assert_eq!((planned(&[]), exit(&[])), (json!(1), 0));
    assert_eq!((planned(&[]), exit(&[])), (json!(0), 99), "nothing changed");
    lake.tombstones(&id(3).to_string());
    assert_eq!((planned(&[]), exit(&[]), exit(&[])), (json!(1), 0, 99), "a tombstone of a tweet of that day");
    lake.tombstones("1346889436626259968");
    assert_eq!((planned(&[]), exit(&[])), (json!(0), 99), "a tombstone of another day");

    let lexicon = lake.root().join("mine.tsv");
    std::fs::write(&lexicon, "#! offkey-lexicon mine 1\n").unwrap();
    let lexicon = ["--lexicon", lexicon.to_str().unwrap()];
    assert_eq!((planned(&lexicon), exit(&lexicon), exit(&lexicon)), (json!(1), 0, 99), "another lexicon");
    for flags in [
        ["--languages", "en"],
        ["--music-threshold", "9"],
        ["--retweets", "keep"],
        ["--music-preset", "recall"],
    ] {
        assert_eq!((planned(&flags), exit(&flags), exit(&flags)), (json!(1), 0, 99), "{flags:?}");
    }
    let spelled = ["--languages", "es,en"];
    assert_eq!(exit(&spelled), 0);
    assert_eq!(exit(&["--languages", "en,es,en"]), 99, "the same languages");
}

#[test]
fn the_plan_deals_partitions_out_without_empty_batches() {
    let lake = TestLake::new();
    for day in 10..19 {
        lake.part(&format!("2026-11-{day}"), "a", None, &many(0, day));
    }
    let plan = lake.run(&["plan"], &["--batches", "4"]).unwrap();
    let batches: Vec<Vec<String>> = serde_json::from_value(plan["batches"].clone()).unwrap();
    assert_eq!((batches.len(), batches.concat().len()), (4, 9));
    assert!(batches.iter().all(|batch| !batch.is_empty()));
    let wide = lake.run(&["plan"], &["--batches", "100"]).unwrap();
    assert_eq!(wide["batches"].as_array().unwrap().len(), 9);
    lake.clean(&[]).unwrap();
    let plan = lake.run(&["plan"], &[]).unwrap();
    assert_eq!((&plan["partitions"], &plan["batches"]), (&json!(0), &json!([])));
}

#[test]
fn gated_it_reads_only_what_the_raw_gate_has_passed() {
    let lake = TestLake::new();
    let commit = lake.part(DAY, "a", None, &many(0, 5));
    let refused = lake.clean(&["--gated"]).unwrap_err();
    assert_eq!(refused.exit.code(), 99);
    assert!(refused.message.contains("has not been through the raw gate"), "{}", refused.message);
    let key = format!("_meta/gates/raw/{}.json", raw_fingerprint([commit.sha256.as_str()]));
    let verdict = |success: bool| {
        lake.lake
            .store
            .put(&key, json!({ "success": success }).to_string().as_bytes(), &Condition::Always)
            .unwrap();
    };
    verdict(false);
    let refused = lake.clean(&["--gated"]).unwrap_err();
    assert_eq!(refused.exit.code(), 65);
    assert!(refused.message.contains("was refused by the raw gate"), "{}", refused.message);
    assert!(lake.results().is_empty());
    verdict(true);
    lake.clean(&["--gated"]).unwrap();
    lake.part(DAY, "b", None, &many(5, 5));
    assert_eq!(lake.clean(&["--gated"]).unwrap_err().exit.code(), 99, "another part, another question");
}

/// As a collecting run does it: a part arrives between the gate and the plan, or between the plan and the work.
#[test]
fn gated_what_another_run_feeds_is_left_to_the_next() {
    let lake = TestLake::new();
    for (n, day, judged) in [(0, "2026-11-10", true), (10, "2026-11-11", true), (20, "2026-11-12", false)] {
        let commit = lake.part(day, "a", None, &many(n, 5));
        if judged {
            let key = format!("_meta/gates/raw/{}.json", raw_fingerprint([commit.sha256.as_str()]));
            lake.lake.store.put(&key, br#"{"success":true}"#, &Condition::Always).unwrap();
        }
    }
    let plan = lake.run(&["plan"], &["--gated", "--batches", "1"]).unwrap();
    assert_eq!((&plan["partitions"], &plan["waiting"]), (&json!(2), &json!(1)));
    assert_eq!(plan["batches"], json!([["2026-11-10", "2026-11-11"]]));
    assert_eq!(lake.run(&["plan"], &[]).unwrap()["partitions"], 3, "ungated it lists them all");

    lake.part("2026-11-11", "b", None, &many(30, 5));
    let named = ["--partition", "2026-11-10", "--partition", "2026-11-11"];
    lake.clean(&[&named[..], &["--gated"]].concat()).unwrap();
    let made: Vec<String> = lake.lake.clean_pointers().unwrap().into_keys().map(|p| p.to_string()).collect();
    assert_eq!(made, ["2026-11-10"]);
}

#[test]
fn a_result_over_fewer_parts_never_replaces_one_over_more() {
    let lake = lake_of(&[0, 1]);
    lake.clean(&[]).unwrap();
    let early = lake.pointer(DAY);
    lake.part(DAY, "p2", Some(5), &many(120, 90));
    lake.clean(&[]).unwrap();
    let now = lake.pointer(DAY);
    assert!(!lake.lake.swap_clean(&early).unwrap());
    assert_eq!(lake.pointer(DAY).fingerprint, now.fingerprint);
}

#[test]
fn two_processes_at_once_leave_one_whole_result() {
    let lake = lake_of(&[0, 1, 2, 3]);
    let start = || lake.program(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    for ended in [start(), start(), start()].map(|child| child.wait_with_output().unwrap()) {
        // The last to look may find everything clean already.
        assert!(matches!(ended.status.code(), Some(0 | 99)), "{}", told(&ended));
    }
    let expected = lake_of(&[0, 1, 2, 3]);
    expected.clean(&[]).unwrap();
    assert_eq!(lake.results(), expected.results());
}

/// Enough tweets for a process to be met in the middle of it.
fn long_lake() -> TestLake {
    let lake = TestLake::new();
    let tweets: Vec<Value> = (0..30_000)
        .map(|n| {
            tweet(
                id(n % 25_000),
                100 + n % 70,
                &format!("{} {n}", WORDS[usize::try_from(n).unwrap() % WORDS.len()]),
            )
        })
        .collect();
    for (n, part) in tweets.chunks(10_000).enumerate() {
        lake.part(DAY, &format!("p{n}"), None, part);
    }
    lake
}

fn published(lake: &TestLake) -> Option<CleanPointer> {
    lake.lake.clean_pointer(&DAY.parse().unwrap()).unwrap().map(|found| found.0)
}

/// A pointer is either absent or everything that it says is true.
fn absent_or_whole(lake: &TestLake) {
    let Some(pointer) = published(lake) else { return };
    for (name, stat) in &pointer.files {
        let bytes = std::fs::read(lake.root().join(&pointer.path).join(name)).unwrap();
        assert_eq!(
            (bytes.len() as u64, lake::sha256_hex(&bytes)),
            (stat.size, stat.sha256.clone()),
            "{name}"
        );
    }
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_or_all_and_a_rerun_is_the_same() {
    let expected = long_lake();
    let started = Instant::now();
    assert!(expected.program(&[]).output().unwrap().status.success());
    let whole = started.elapsed();
    let lake = long_lake();
    let rounds = if std::env::var_os("OFFKEY_LONG").is_some() { 200 } else { 12 };
    for round in 0..rounds {
        let mut child = lake.program(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(round + 1) / f64::from(rounds)));
        child.kill().unwrap();
        child.wait().unwrap();
        absent_or_whole(&lake);
        if published(&lake).is_some() {
            std::fs::remove_dir_all(lake.root().join("_meta/clean")).unwrap();
        }
    }
    assert!(lake.program(&[]).output().unwrap().status.success());
    assert_eq!(lake.results(), expected.results());
}

#[cfg(unix)]
#[test]
fn terminated_it_publishes_nothing_and_says_so() {
    let lake = long_lake();
    let mut terminated = 0;
    for wait in [20, 60, 120, 200] {
        let child = lake.program(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let asked = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let ended = child.wait_with_output().unwrap();
        match ended.status.code() {
            Some(143) => {
                terminated += 1;
                assert!(ended.stdout.is_empty());
                assert!(published(&lake).is_none());
            }
            // Before the handler is installed the signal ends it, after the end it comes too late.
            None | Some(0) => absent_or_whole(&lake),
            other => panic!("{other:?}: {}", told(&ended)),
        }
        let _ = std::fs::remove_dir_all(lake.root().join("_meta/clean"));
    }
    assert!(terminated > 0, "no signal met the program at work");
}

#[test]
fn a_damaged_part_is_named_and_nothing_is_published() {
    let lake = TestLake::new();
    let commit = lake.part(DAY, "a", None, &many(0, 50));
    let path = lake.root().join(&commit.path);
    let good = std::fs::read(&path).unwrap();
    for (what, bad) in [
        ("a bit flipped", [&good[..40], &[good[40] ^ 1], &good[41..]].concat()),
        ("cut", good[..good.len() / 2].to_vec()),
        ("longer", [&good[..], b"x"].concat()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(&path, bad).unwrap();
        let failure = lake.clean(&[]).unwrap_err();
        assert_eq!(failure.exit.code(), 65, "{what}: {}", failure.message);
        assert!(failure.message.contains(&commit.path), "{what}: {}", failure.message);
        assert!(published(&lake).is_none());
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(lake.clean(&[]).unwrap_err().exit.code(), 66, "gone");
}

#[test]
fn a_lost_or_invented_tweet_is_caught_before_anything_is_published() {
    // A part that does not say who its lines are is read twice; of one that does, the two must agree.
    let seen = [("plain", 70, "the ledger does not balance"), ("a", 65, "who its tweets are cannot be read")];
    for (name, exit, told) in seen {
        for change in [-1_i64, 1] {
            let lake = TestLake::new();
            let mut commit = lake.part(DAY, name, None, &many(0, 20));
            commit.tweets = commit.tweets.checked_add_signed(change).unwrap();
            recommit(&lake, &commit);
            let failure = lake.clean(&[]).unwrap_err();
            assert_eq!(failure.exit.code(), exit);
            assert!(failure.message.contains(told), "{}", failure.message);
            assert!(published(&lake).is_none());
        }
    }
}

fn recommit(lake: &TestLake, commit: &RawCommit) {
    let key = format!("_meta/raw/dt={DAY}/{}.json", commit.part);
    lake.lake.store.put(&key, &serde_json::to_vec(commit).unwrap(), &Condition::Always).unwrap();
}

#[test]
fn a_part_that_says_its_lines_were_others_is_refused() {
    let tweets = many(0, 20);
    let mut fewer = tweets.clone();
    fewer.pop();
    let mut more = tweets.clone();
    more.push(tweet(id(90), 5, "one more than was said"));
    let mut other = tweets.clone();
    other[7] = tweet(id(91), 5, "somebody else");
    for said in [fewer, more, other] {
        let lake = TestLake::new();
        let saying = lake.part(DAY, "said", None, &said);
        let commit = lake.part(DAY, "a", None, &tweets);
        let read = |commit: &RawCommit| lake.lake.store.get(&commit.path).unwrap().unwrap().0;
        let at = |commit: &RawCommit| usize::try_from(commit.identities.unwrap().offset).unwrap();
        let lines = read(&commit)[..at(&commit)].to_vec();
        let bytes = [&lines[..], &read(&saying)[at(&saying)..]].concat();
        lake.lake.store.put(&commit.path, &bytes, &Condition::Always).unwrap();
        let identities = Some(IdentitiesAt { offset: lines.len() as u64, ..saying.identities.unwrap() });
        let sha256 = lake::sha256_hex(&bytes);
        recommit(
            &lake,
            &RawCommit { size: bytes.len() as u64, sha256, tweets: saying.tweets, identities, ..commit },
        );
        lake.lake.store.delete(&format!("_meta/raw/dt={DAY}/said.json")).unwrap();
        assert_eq!(lake.clean(&[]).unwrap_err().exit.code(), 70);
        assert!(published(&lake).is_none());
    }
}

#[test]
fn a_line_that_is_no_tweet_is_a_counted_reject_without_its_text() {
    let lake = TestLake::new();
    let bad = r#"{"id":1,"text":"canary \ud800"}"#;
    let lines = [tweet(id(1), 5, "fine").to_string(), bad.into(), "{\"full_text\":".into()];
    lake.raw_part(DAY, "a", None, &lines);
    let summary = lake.clean(&[]).unwrap();
    assert_eq!(
        (&summary["records"], &summary["consumed"], &summary["kept"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert_eq!(summary["rejected"], json!({ "lone_surrogate": 1, "truncated": 1 }));
    let told = lake.readable();
    assert!(told.contains("\"line\":2") && told.contains("lone_surrogate"));
    assert!(!told.contains("canary"));
}

#[test]
fn a_partition_without_kept_rows_has_a_table_all_the_same() {
    let lake = TestLake::of(&[tweet(id(1), 5, "our cat sleeps on the warm router all day long")]);
    let summary = lake.clean(&["--languages", "ja"]).unwrap();
    assert_eq!((&summary["kept"], &summary["dropped"]), (&json!(0), &json!({ "language": 1 })));
    let kept = lake.rows(DAY, "tweets.parquet");
    assert_eq!((kept.height(), kept.width()), (0, table::CLEAN.len()));
    let pointer = lake.pointer(DAY);
    assert_eq!((pointer.times.first, pointer.ids.min), (None, None));
}

#[test]
fn the_run_is_told_in_its_manifest() {
    let lake = lake_of(&[0]);
    let mut command = lake.program(&["--run-id", "run-1"]);
    let ended = command.output().unwrap();
    let said = summary(&ended);
    assert_eq!(
        (&said["stage"], &said["run_id"], &said["partitions"]),
        (&json!("clean"), &json!("run-1"), &json!(1))
    );
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(said["manifest"].as_str().unwrap()).unwrap()).unwrap();
    for key in ["records", "consumed", "unique", "kept", "dropped"] {
        assert_eq!(manifest[key], said[key], "{key}");
    }
    assert_eq!(manifest["partitions"], json!([DAY]));
}

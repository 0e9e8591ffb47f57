//! Every message that a person meets, as it stands on a screen.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::json;

use crate::lakes::{DAY, TestLake, id, program, told, tweet};

/// What a command prints: its exit, its help or its error, with the places of this run taken out.
fn seen(command: &mut Command, lake: &TestLake) -> String {
    let ended = command.output().unwrap();
    let said = told(&ended) + &String::from_utf8_lossy(&ended.stdout);
    let said = said.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
    let said = said.replace(lake.root().to_str().unwrap(), "LAKE");
    format!("exit {}\n{said}", ended.status.code().unwrap())
}

fn help(flags: &[&str]) -> String {
    let ended = program().args(flags).arg("--help").output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns");
    said
}

#[test]
fn helps_fit_a_screen() {
    assert_snapshot!("help", help(&[]));
    assert_snapshot!("help_plan", help(&["plan"]));
    assert_snapshot!("help_purge", help(&["purge"]));
    assert_snapshot!("help_evaluate", help(&["evaluate"]));
}

#[test]
fn errors_say_what_where_and_the_mend() {
    let lake = TestLake::of(&[tweet(id(1), 5, "words")]);
    let file = |name: &str, text: &str| {
        let path = lake.root().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bad_ids = file("ids.txt", "12\nno id\n");
    let bad_lexicon = file("lexicon.tsv", "#! offkey-lexicon mine 1\nwhat is this\n");
    let bad_labels = file("labels.jsonl", "{\"text\":\"canary\",\"music\":\"yes\"}\n");
    let key = file("key", "short");
    let at = |path: &str| lake.root().join(path).to_str().unwrap().to_owned();
    let cases: Vec<(&str, Vec<&str>)> = vec![
        ("a partition that is not there", vec!["--partition", "2026-11-19"]),
        ("a partition of another grain", vec!["--partition", "2026-11-20T08"]),
        ("a partition that is none", vec!["--partition", "yesterday"]),
        ("a language that is none", vec!["--languages", "en,klingon"]),
        ("a threshold that is none", vec!["--music-threshold", "NaN"]),
        ("a preset that is none", vec!["--music-preset", "loud"]),
        ("gated", vec!["--gated"]),
        ("tombstones that are none", vec!["--tombstones", &bad_ids]),
        ("a lexicon that is none", vec!["--lexicon", &bad_lexicon]),
        ("pseudonyms without a key", vec!["--pseudonymise"]),
        ("pseudonyms with a short key", vec!["--pseudonymise", "--pseudonym-key-file", &key]),
        ("a flag that is none", vec!["--gate"]),
    ];
    for (name, flags) in cases {
        assert_snapshot!(name.replace(' ', "_"), seen(&mut lake.program(&flags), &lake));
    }
    let missing = at("missing");
    assert_snapshot!("no_lake_there", seen(program().args(["--lake", &missing]), &lake));
    assert_snapshot!("no_lake_named", seen(&mut program(), &lake));
    assert_snapshot!("a_scheme_that_is_none", seen(program().args(["--lake", "gs://bucket/lake"]), &lake));
    assert_snapshot!(
        "labels_that_are_none",
        seen(program().args(["evaluate", "--task", "music", &bad_labels]), &lake)
    );
    assert_snapshot!(
        "labels_that_are_not_there",
        seen(program().args(["evaluate", "--task", "music", &missing]), &lake)
    );
    let purge = ["purge", "--lake"].map(str::to_owned);
    assert_snapshot!("a_purge_without_tombstones", seen(program().args(&purge).arg(lake.root()), &lake));
    assert_snapshot!(
        "a_purge_of_a_handle",
        seen(
            program().args(&purge).arg(lake.root()).args(["--users", &file("users.txt", "@canary\n")]),
            &lake
        )
    );
    lake.clean(&[]).unwrap();
    assert_snapshot!("nothing_to_do", seen(&mut lake.program(&[]), &lake));
    let damaged = lake.root().join(format!("raw/dt={DAY}/a.jsonl.zst"));
    std::fs::write(&damaged, "no zstd").unwrap();
    assert_snapshot!("a_damaged_part", seen(&mut lake.program(&["--partition", DAY]), &lake));
}

#[test]
fn labels_are_scored_in_a_table_and_in_json() {
    let lake = TestLake::new();
    let labels = [
        json!({ "text": "listening to the new album on repeat, best song of the year", "music": 1 }),
        json!({ "text": "the trains to the coast are late again", "music": 0 }),
        json!({ "text": "nobody knows", "music": null }),
    ];
    let path = lake.root().join("labels.jsonl");
    std::fs::write(&path, labels.map(|l| l.to_string()).join("\n")).unwrap();
    let ended = program().args(["evaluate", "--task", "music"]).arg(&path).output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["stage"], &last["records"], &last["positives"], &last["f1"]),
        (&json!("evaluate"), &json!(2), &json!(1), &json!(1.0))
    );
    assert!(said.lines().count() > 3, "{said}");
}

#[test]
fn every_flag_may_come_from_the_environment() {
    let lake =
        TestLake::of(&[tweet(id(1), 5, "the trains to the coast are late again because of the storm")]);
    let ended = program()
        .env("OFFKEY_LAKE", lake.root())
        .env("OFFKEY_LANGUAGES", "")
        .env("OFFKEY_RETWEETS", "drop")
        .env("OFFKEY_MUSIC_FAN_VOTES", "true")
        .env("OFFKEY_RUN_ID", "from-env")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", told(&ended));
    let arguments = lake.pointer(DAY).arguments;
    assert_eq!((&arguments["retweets"], &arguments["music_fan_votes"]), (&json!("drop"), &json!(true)));
    assert!(lake.lake.store.get("_meta/runs/clean/from-env.json").unwrap().is_some());
}

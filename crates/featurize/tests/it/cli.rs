//! What people see: help, errors with their mend, the summary.

use std::process::{Command, Output};

use crate::common::{Home, row};

fn featurize(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_featurize"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OFFKEY_")) {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100").args(line.split_whitespace()).output().unwrap()
}

fn told(line: &str) -> String {
    let out = featurize(line);
    assert!(out.stdout.is_empty());
    format!("exit {}\n{}", out.status.code().unwrap(), String::from_utf8(out.stderr).unwrap())
}

fn help(line: &str) -> String {
    String::from_utf8(featurize(line).stdout).unwrap()
}

#[test]
fn help_is_as_it_was_agreed() {
    insta::assert_snapshot!("help", help("--help"));
    insta::assert_snapshot!("help_verify", help("verify --help"));
    insta::assert_snapshot!("help_promote", help("promote --help"));
    insta::assert_snapshot!("help_ids", help("ids --help"));
}

#[test]
fn errors_say_what_and_the_mend() {
    let home = Home::new();
    // A part that clean has not had.
    let raw = home.root().join("_meta/raw/dt=2020-12-24");
    std::fs::create_dir_all(&raw).unwrap();
    std::fs::write(raw.join("part.json"), "{}").unwrap();
    let lake = home.root().display().to_string();
    let plain = |text: String| text.replace(&lake, "LAKE");
    let mut all = String::new();
    for line in [
        "",
        "--lake LAKE --name ../x",
        "--lake nowhere --name tweets",
        "--lake LAKE --name tweets",
        "--lake LAKE --name tweets --split 80,30",
        "--lake LAKE --name tweets --cuts 2020-12-24",
        "--lake LAKE --name tweets --split-by time",
        "--lake LAKE --name tweets --since 2020-12-24T08",
        "--lake LAKE --name tweets --since 2020-12-25 --until 2020-12-24",
        "verify LAKE/datasets/tweets/0123456789ab",
        "promote LAKE/datasets",
        "promote LAKE/datasets/tweets/0123456789ab",
    ] {
        let said = plain(told(&line.replace("LAKE", &lake)));
        all += &format!("$ featurize {line}\n{said}\n");
    }
    insta::assert_snapshot!("errors", all);
}

#[test]
fn gates_that_did_not_pass_are_named() {
    let home = Home::new();
    let lake = home.root().display().to_string();
    let clean = home.clean("2020-12-24", &[row("1", "7"), row("2", "8")]);
    let line = format!("--lake {lake} --name tweets --gated");
    let mut all = told(&line);
    home.pass("clean", &clean.fingerprint, false);
    all += &told(&line);
    let made = home.make("");
    all += &told(&format!("promote {} --gated", made.folder.display()));
    insta::assert_snapshot!("gates", all.replace(&lake, "LAKE").replace(&made.manifest.version, "VERSION"));
}

#[test]
fn the_summary_is_the_last_line_of_stdout_and_alone() {
    let home = Home::new();
    home.clean("2020-12-24", &[row("1", "7"), row("2", "8")]);
    let out = featurize(&format!("--lake {} --name tweets --run-id manual__1", home.root().display()));
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let line = String::from_utf8(out.stdout).unwrap();
    assert_eq!(line.lines().count(), 1);
    let version =
        serde_json::from_str::<serde_json::Value>(&line).unwrap()["version"].as_str().unwrap().to_owned();
    let line = line.replace(&home.root().display().to_string(), "LAKE").replace(&version, "VERSION");
    insta::assert_snapshot!("summary", line);
    let dataset = home.root().join("datasets/tweets").join(&version);
    let out = featurize(&format!("promote {}", dataset.display()));
    let line = String::from_utf8(out.stdout).unwrap();
    assert!(line.starts_with("{\"stage\":\"promote\",\"dataset\":\"tweets\",\"version\":"), "{line}");
}

#[test]
fn the_card_is_as_it_was_agreed() {
    let home = Home::new();
    home.clean(
        "2020-12-24",
        &[row("1", "7"), row("2", "8").with("lang", "no"), row("3", "9").with("lang", "und")],
    );
    home.clean("2020-12-25", &[row("1", "7")]);
    let made = home.make("");
    let card = String::from_utf8(made.bytes()["README.md"].clone()).unwrap();
    let bytes: u64 = made.manifest.files.iter().map(|f| f.stat.size).sum();
    assert!(bytes > 1_000);
    let bytes = format!("{},{:03}", bytes / 1_000, bytes % 1_000);
    insta::assert_snapshot!("card", card.replace(&made.manifest.version, "VERSION").replace(&bytes, "BYTES"));
}

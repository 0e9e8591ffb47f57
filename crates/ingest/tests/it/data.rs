//! Real tweets, where `OFFKEY_DATA` names a folder of them: the counts are those of the referee.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Place, counts, fixture, has, skipped, total};

/// Every file below a folder, in order.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

#[test]
fn real_files_count_as_the_referee_counts() {
    let Some(data) = std::env::var_os("OFFKEY_DATA") else {
        return skipped("no real tweets; name a folder of them in OFFKEY_DATA");
    };
    if !has("python3", &["--version"]) {
        return skipped("no python3 for the referee");
    }
    let mut files = Vec::new();
    walk(Path::new(&data), &mut files);
    // One line a file, and one for all of them together.
    let out = Command::new("python3").arg(fixture("../python/count.py")).args(&files).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let referee: Vec<Value> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut with_tweets = 0;
    for (file, said) in files.iter().zip(&referee) {
        let place = Place::new();
        let done = place.ingest(&[file], &[]);
        let [consumed, unique] = counts(said, ["consumed", "unique"]);
        let some_notice = !said["notices"].as_object().unwrap().is_empty();
        if consumed == 0 && !some_notice {
            done.failed(65);
            continue;
        }
        with_tweets += u32::from(consumed > 0);
        let summary = done.summary();
        assert_eq!(counts(&summary, ["consumed", "unique"]), [consumed, unique], "{}", file.display());
        let told = consumed + total(&summary, "notices") + total(&summary, "rejected");
        assert_eq!(summary["records"], told, "{}", file.display());
        assert_eq!(place.sorted_lines().len() as u64, consumed, "{}", file.display());
    }
    assert!(with_tweets > 0, "no tweets at all");
    let all = Place::new();
    let summary = all.ingest(&files, &[]).summary();
    let said = &referee[files.len()];
    assert_eq!(counts(&summary, ["consumed", "unique"]), counts(said, ["consumed", "unique"]));
}

//! A lake in a folder.

use std::fs;
use std::path::Path;

use lake::{Condition, Lake, Location, RunId, Store};
use proptest::prelude::*;

use crate::stores;

fn store(root: &Path) -> Store {
    Store::open(&Location::Local(root.to_owned())).unwrap()
}

#[test]
fn a_folder_keeps_the_rules_of_stores() {
    let dir = tempfile::tempdir().unwrap();
    stores::rules(&store(&dir.path().join("lake")));
}

#[test]
fn a_lake_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    // Also in one whose name speaks of something else, and whose parents are not there yet.
    stores::lakes(&Location::Local(dir.path().join("a bucket of/lakes")));
}

#[test]
fn pointers_grow_whoever_is_first() {
    let dir = tempfile::tempdir().unwrap();
    stores::races(&Location::Local(dir.path().join("lake")));
}

/// Whatever a dropped or failed writer held, its temporary file goes with it.
#[test]
fn no_writer_leaves_a_file_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    drop(store.create("raw/a").unwrap());
    store.put("raw/b", b"x", &Condition::Absent).unwrap();
    let _ = store.put("raw/b", b"y", &Condition::Absent);
    // A folder stands where the file should.
    fs::create_dir_all(dir.path().join("raw/c/d")).unwrap();
    assert!(store.create("raw/c").unwrap().finish(0).is_err());
    let left: Vec<String> = fs::read_dir(dir.path().join("raw"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.iter().filter(|name| name.starts_with('.')).count(), 0, "{left:?}");
}

/// Readers do not follow links in listings, and hidden files are nobody's.
#[test]
fn listings_hold_files_of_the_lake_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, outside) = (dir.path().join("lake"), dir.path().join("outside"));
    fs::create_dir_all(lake.join("raw")).unwrap();
    fs::create_dir(&outside).unwrap();
    for path in [lake.join("raw/a"), lake.join("raw/.unfinished-7-0"), outside.join("b")] {
        fs::write(path, "x").unwrap();
    }
    std::os::unix::fs::symlink(&outside, lake.join("raw/linked")).unwrap();
    std::os::unix::fs::symlink(outside.join("b"), lake.join("raw/b")).unwrap();
    let listed: Vec<String> = store(&lake).list("raw").unwrap().into_iter().map(|e| e.key).collect();
    assert_eq!(listed, ["raw/a"]);
}

/// A relative root works as any other.
#[test]
fn a_lake_may_lie_below_the_current_folder() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let relative = Path::new(dir.path().file_name().unwrap()).join("lake");
    Lake::open_or_create(&Location::Local(relative.clone()), None).unwrap();
    assert!(relative.join("_meta/lake.json").exists());
}

/// Every file below a folder.
fn all_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|e| if e.file_type().unwrap().is_dir() { all_files(&e.path()) } else { 1 }).sum()
}

/// Names as somebody would write them who wants out.
fn names() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("\0".to_owned()),
        Just("%2e%2e".to_owned()),
        Just("~".to_owned()),
        "[a-z:+]{0,8}",
        ".{0,4}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a key, a run or a dataset is called, nothing is written outside the lake.
    #[test]
    fn no_name_leads_out_of_the_lake(name in names()) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a/b/lake");
        let location = Location::Local(root.clone());
        let lake = Lake::open_or_create(&location, None).unwrap();
        let _ = lake.store.put(&name, b"x", &Condition::Always);
        let _ = lake.store.put(&format!("raw/{name}/x"), b"x", &Condition::Absent);
        let _ = lake.current(&name);
        if let Ok(run) = name.parse::<RunId>() {
            prop_assert!(!run.as_str().contains('/') && !run.as_str().starts_with('.'));
            lake.put(&format!("_meta/runs/ingest/{run}.json"), b"x").unwrap();
        }
        prop_assert_eq!(all_files(dir.path()), all_files(&root));
        if let Ok(Location::S3 { prefix, .. }) = format!("s3://bucket/{name}").parse() {
            prop_assert!(prefix.split('/').all(|s| !matches!(s, "." | "..")));
        }
    }
}

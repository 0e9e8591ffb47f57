//! `verify` believes nothing: each lie here is told with everything else left as it was, or made to fit.

use std::path::Path;

use crate::common::{Dataset, Home, id_at, read, row, run};
use lake::sha256_hex;
use serde_json::{Value, json};
use table::{Compression, Sink, dataset};
use task::{Exit, Failure};

fn made(home: &Home) -> Dataset {
    let rows: Vec<_> =
        (0..300).map(|n| row(&id_at("2020-12-24T10:00:00", n), &(n % 50).to_string())).collect();
    home.clean("2020-12-24", &rows);
    home.clean("2020-12-25", &rows[..20]);
    home.make("")
}

pub fn verify(made: &Dataset) -> Result<Value, Failure> {
    run(&format!("featurize verify {}", made.folder.display()))
        .map(|said| serde_json::to_value(said).unwrap())
}

pub fn manifest(made: &Dataset) -> Value {
    serde_json::from_slice(&std::fs::read(made.folder.join("manifest.json")).unwrap()).unwrap()
}

pub fn write_manifest(made: &Dataset, manifest: &Value) {
    std::fs::write(made.folder.join("manifest.json"), serde_json::to_vec_pretty(manifest).unwrap()).unwrap();
}

/// Makes size, hash and rows of a file in the manifest those of its bytes.
pub fn fit(made: &Dataset, manifest: &mut Value, path: &str) {
    let bytes = std::fs::read(made.folder.join(path)).unwrap();
    let rows = read(&made.folder.join(path)).height();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == path {
            file["size"] = json!(bytes.len());
            file["sha256"] = json!(sha256_hex(&bytes));
            file["rows"] = json!(rows);
        }
    }
}

pub fn rewrite(home: &Home, path: &Path, rows: &polars::prelude::DataFrame) {
    let key = path.strip_prefix(home.root()).unwrap().display().to_string();
    let upload = home.lake.store.create(&key).unwrap();
    let mut sink = Sink::create(upload, &dataset(), Compression::Zstd, &[]).unwrap();
    sink.write(rows).unwrap();
    sink.finish().unwrap();
}

const TRAIN: &str = "data/train-00000-of-00001.parquet";
const TEST: &str = "data/test-00000-of-00001.parquet";

#[test]
fn a_true_version_is_told_so_wherever_it_lies() {
    let home = Home::new();
    let made = made(&home);
    let said = verify(&made).unwrap();
    assert_eq!(
        (said["stage"].clone(), said["kept"].clone(), said["tombstones"].clone()),
        (json!("verify"), json!(300), Value::Null)
    );
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("data")).unwrap();
    made.bytes().iter().for_each(|(name, bytes)| std::fs::write(copy.path().join(name), bytes).unwrap());
    run(&format!("featurize verify {}", copy.path().display())).unwrap();
}

#[test]
fn which_deletions_are_honoured_is_told_and_verified() {
    let home = Home::new();
    assert_eq!(made(&home).manifest.compliance, lake::Compliance::default());
    home.bury("{\"kind\":\"user\",\"source\":\"x\",\"id\":\"7\"}\n");
    let made = home.make("");
    let told = &made.manifest.compliance;
    assert_eq!((told.tombstones, told.deleted, told.newest), (1, 7, home.lake.newest_tombstone().unwrap()));
    let day = lake::format_micros(told.newest.unwrap());
    let card = std::fs::read_to_string(made.folder.join("README.md")).unwrap();
    assert!(card.contains(&format!("| 7, by 1 tombstones, the newest of {}", &day[..19])), "{card}");
    let with_lake = format!("featurize verify {} --lake {}", made.folder.display(), home.root().display());
    run(&with_lake).unwrap();
    let truth = manifest(&made);
    for (what, value) in [
        ("tombstones", json!(2)),
        ("deleted", json!(6)),
        ("newest", Value::Null),
        ("newest", json!("2100-01-01T00:00:00.000000Z")),
    ] {
        let mut lie = truth.clone();
        lie["compliance"][what] = value;
        write_manifest(&made, &lie);
        assert_eq!(run(&with_lake).unwrap_err().exit, Exit::BadInput, "{what}");
        write_manifest(&made, &truth);
    }
}

#[test]
fn what_was_deleted_since_is_a_lie_when_the_lake_is_asked() {
    let home = Home::new();
    let made = made(&home);
    let with_lake = format!("featurize verify {} --lake {}", made.folder.display(), home.root().display());
    assert!(run(&with_lake).is_ok());
    home.bury(&id_at("2020-12-24T10:00:00", 3));
    let failure = run(&with_lake).unwrap_err();
    assert_eq!(failure.exit, Exit::BadInput);
    assert!(failure.message.contains("was deleted since"), "{failure}");
    assert!(verify(&made).is_ok());
}

#[test]
fn every_flipped_byte_is_found() {
    let home = Home::new();
    let made = made(&home);
    let mut seed = 7_usize;
    for (name, bytes) in made.bytes().iter().filter(|(name, _)| *name != "manifest.json") {
        for _ in 0..20 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut wrong = bytes.clone();
            let at = (seed >> 33) % wrong.len();
            wrong[at] ^= 1 << (seed >> 30 & 7);
            std::fs::write(made.folder.join(name), &wrong).unwrap();
            assert_eq!(verify(&made).unwrap_err().exit, Exit::BadInput, "{name} at {at}");
        }
        std::fs::write(made.folder.join(name), bytes).unwrap();
    }
    assert!(verify(&made).is_ok());
}

/// Numbers and texts of a manifest, by their path.
pub fn leaves(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(all) => {
            all.iter().for_each(|(key, v)| leaves(v, &format!("{path}/{}", key.replace('/', "~1")), out))
        }
        Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| leaves(v, &format!("{path}/{n}"), out)),
        Value::Number(_) | Value::String(_) => out.push(path.to_owned()),
        Value::Null | Value::Bool(_) => {}
    }
}

#[test]
fn every_edited_value_of_the_manifest_is_found() {
    let home = Home::new();
    let made = made(&home);
    let truth = manifest(&made);
    let mut all = Vec::new();
    leaves(&truth, "", &mut all);
    // What only the lake can tell: ids of rows that are not here, versions of others.
    let told_by_others = |path: &String| {
        path.starts_with("/samples/")
            || path.starts_with("/versions/clean.")
            || path == "/versions/binary"
            || path == "/clean/read"
    };
    let (_, ours): (Vec<_>, Vec<_>) = all.into_iter().partition(told_by_others);
    assert!(ours.len() > 60, "{}", ours.len());
    for path in ours {
        let mut lie = truth.clone();
        let leaf = lie.pointer_mut(&path).unwrap();
        *leaf = match leaf.clone() {
            Value::Number(n) if n.is_u64() => json!(n.as_u64().unwrap() + 1),
            Value::Number(n) => json!(n.as_f64().unwrap() + 0.001),
            Value::String(text) => {
                let last = text.chars().last().unwrap_or('0');
                json!(format!(
                    "{}{}",
                    &text[..text.len() - last.len_utf8()],
                    if last == '1' { '2' } else { '1' }
                ))
            }
            other => other,
        };
        write_manifest(&made, &lie);
        assert!(verify(&made).is_err(), "{path}");
    }
    write_manifest(&made, &truth);
    assert!(verify(&made).is_ok());
}

#[test]
fn swapped_missing_and_foreign_files_are_found() {
    let home = Home::new();
    let made = made(&home);
    let truth = made.bytes();
    let restore =
        || truth.iter().for_each(|(name, bytes)| std::fs::write(made.folder.join(name), bytes).unwrap());
    std::fs::write(made.folder.join(TRAIN), &truth[TEST]).unwrap();
    std::fs::write(made.folder.join(TEST), &truth[TRAIN]).unwrap();
    assert_eq!(verify(&made).unwrap_err().exit, Exit::BadInput);
    let mut lie = manifest(&made);
    fit(&made, &mut lie, TRAIN);
    fit(&made, &mut lie, TEST);
    write_manifest(&made, &lie);
    let failure = verify(&made).unwrap_err();
    assert!(failure.message.contains("belongs into"), "{failure}");
    restore();
    std::fs::remove_file(made.folder.join(TEST)).unwrap();
    assert!(verify(&made).unwrap_err().message.contains("is gone"));
    restore();
    std::fs::write(made.folder.join("data/extra.parquet"), b"").unwrap();
    assert!(verify(&made).unwrap_err().message.contains("is not in the manifest"));
    std::fs::remove_file(made.folder.join("data/extra.parquet")).unwrap();
    assert!(verify(&made).is_ok());
}

#[test]
fn a_moved_and_a_repeated_row_are_found_though_all_else_was_made_to_fit() {
    let home = Home::new();
    let made = made(&home);
    let truth = made.bytes();
    let (train, test) = (read(&made.folder.join(TRAIN)), read(&made.folder.join(TEST)));
    let counts = |lie: &mut Value, train: usize, test: usize| {
        let all =
            train + test + usize::try_from(lie["splits"]["validation"]["rows"].as_u64().unwrap()).unwrap();
        #[allow(clippy::cast_precision_loss)]
        for (name, rows) in [("train", train), ("test", test)] {
            lie["splits"][name]["rows"] = json!(rows);
            lie["splits"][name]["share"] = json!(rows as f64 / all as f64);
        }
    };
    // The first row of test goes to train.
    rewrite(&home, &made.folder.join(TRAIN), &train.vstack(&test.head(Some(1))).unwrap());
    rewrite(&home, &made.folder.join(TEST), &test.slice(1, usize::MAX));
    let mut lie = manifest(&made);
    fit(&made, &mut lie, TRAIN);
    fit(&made, &mut lie, TEST);
    counts(&mut lie, train.height() + 1, test.height() - 1);
    write_manifest(&made, &lie);
    let failure = verify(&made).unwrap_err();
    assert!(failure.message.contains("belongs into test"), "{failure}");
    // One row of train takes the place of another.
    truth.iter().for_each(|(name, bytes)| std::fs::write(made.folder.join(name), bytes).unwrap());
    let repeated = train.slice(0, train.height() - 1).vstack(&train.head(Some(1))).unwrap();
    rewrite(&home, &made.folder.join(TRAIN), &repeated);
    let mut lie = manifest(&made);
    fit(&made, &mut lie, TRAIN);
    write_manifest(&made, &lie);
    let failure = verify(&made).unwrap_err();
    assert!(failure.message.contains("repeat the id"), "{failure}");
}

//! A hundred lies, told at random from a seed: each is found, and the truth is believed after each.

use std::collections::BTreeMap;

use lake::sha256_hex;
use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, ListChunked};
use serde_json::{Value, json};

use crate::common::{Dataset, Home, at, id_at, read, row};
use crate::verify::{fit, leaves, manifest, rewrite, verify, write_manifest};

/// The generator of Knuth's MMIX.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

struct Liar<'a> {
    home: &'a Home,
    made: &'a Dataset,
    truth: BTreeMap<String, Vec<u8>>,
    chance: Chance,
}

impl Liar<'_> {
    fn tell(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.made.folder.join(name), bytes).unwrap();
    }

    fn files(&self, prefix: &str) -> Vec<String> {
        let all = self.truth.iter().filter(|(name, bytes)| name.starts_with(prefix) && !bytes.is_empty());
        all.map(|(name, _)| name.clone()).filter(|name| name != "manifest.json").collect()
    }

    /// Makes the manifest say of a file beside the data what its bytes are.
    fn fit_beside(&self, name: &str, bytes: &[u8]) {
        let mut lie = manifest(self.made);
        lie["beside"][name]["size"] = json!(bytes.len());
        lie["beside"][name]["sha256"] = json!(sha256_hex(bytes));
        write_manifest(self.made, &lie);
    }

    /// Writes other rows into a file and makes size, hash and count of the manifest fit.
    fn rewrite(&self, files: &[(&String, DataFrame)]) {
        let mut lie = manifest(self.made);
        for (name, rows) in files {
            rewrite(self.home, &self.made.folder.join(name), rows);
            fit(self.made, &mut lie, name);
        }
        write_manifest(self.made, &lie);
    }

    fn rows(&self, name: &str) -> DataFrame {
        read(&self.made.folder.join(name))
    }

    /// Tells a lie, and says which.
    fn lie(&mut self, kind: usize) -> String {
        let (all, data, features) = (self.files(""), self.files("data/"), self.files("features/"));
        let name = self.chance.of(&all).clone();
        let parquet = self.chance.of(&data).clone();
        let other = data.iter().find(|file| **file != parquet).unwrap().clone();
        match kind {
            0 => {
                let mut bytes = self.truth[&name].clone();
                let at = self.chance.below(bytes.len());
                bytes[at] ^= 1 << self.chance.below(8);
                self.tell(&name, &bytes);
                format!("byte {at} of {name}")
            }
            1 => {
                let bytes = &self.truth[&name];
                let length = usize::try_from(self.chance.0 % bytes.len() as u64).unwrap();
                self.tell(&name, &bytes[..length]);
                format!("{name} is cut")
            }
            2 => {
                self.tell(&name, &[self.truth[&name].as_slice(), b"\n"].concat());
                format!("{name} goes on")
            }
            3 => {
                std::fs::remove_file(self.made.folder.join(&name)).unwrap();
                format!("{name} is gone")
            }
            4 => {
                self.tell(&parquet, &self.truth[&other]);
                self.tell(&other, &self.truth[&parquet]);
                let mut lie = manifest(self.made);
                fit(self.made, &mut lie, &parquet);
                fit(self.made, &mut lie, &other);
                write_manifest(self.made, &lie);
                format!("{parquet} and {other} are swapped")
            }
            5 => {
                let truth = manifest(self.made);
                let mut paths = Vec::new();
                leaves(&truth, "", &mut paths);
                paths.retain(|path| {
                    !["/samples/", "/versions/clean.", "/versions/binary", "/clean/read"]
                        .iter()
                        .any(|p| path.starts_with(p))
                });
                let path = self.chance.of(&paths).clone();
                let mut lie = truth;
                let leaf = lie.pointer_mut(&path).unwrap();
                *leaf = match leaf.clone() {
                    Value::Number(n) if n.is_u64() => json!(n.as_u64().unwrap() + 1),
                    Value::Number(n) => json!(n.as_f64().unwrap() + 0.001),
                    other => json!(format!("{}x", other.as_str().unwrap_or_default())),
                };
                write_manifest(self.made, &lie);
                format!("{path} of the manifest")
            }
            6 => {
                let (from, to) = (self.rows(&parquet), self.rows(&other));
                let at = self.chance.below(from.height());
                let moved = from.slice(i64::try_from(at).unwrap(), 1);
                let left = from
                    .head(Some(at))
                    .vstack(&from.slice(i64::try_from(at + 1).unwrap(), usize::MAX))
                    .unwrap();
                self.rewrite(&[(&parquet, left), (&other, to.vstack(&moved).unwrap())]);
                format!("row {at} of {parquet} is in {other}")
            }
            7 => {
                let rows = self.rows(&parquet);
                let at = self.chance.below(rows.height() - 1);
                let repeated = rows.head(Some(rows.height() - 1));
                let again = rows.slice(i64::try_from(at).unwrap(), 1);
                self.rewrite(&[(&parquet, repeated.vstack(&again).unwrap())]);
                format!("row {at} of {parquet} is there twice")
            }
            8 => {
                let mut rows = self.rows(&parquet);
                let column = *self.chance.of(&[
                    "token_count",
                    "char_count",
                    "word_count",
                    "question_marks",
                    "mention_count",
                ]);
                let at = self.chance.below(rows.height());
                let mut cells: Vec<u32> =
                    rows.column(column).unwrap().u32().unwrap().into_no_null_iter().collect();
                cells[at] += 1;
                rows.with_column(Column::new(column.into(), cells)).unwrap();
                self.rewrite(&[(&parquet, rows)]);
                format!("{column} of row {at} of {parquet}")
            }
            9 => {
                let mut rows = self.rows(&parquet);
                let at = self.chance.below(rows.height());
                let list = rows.column("hash_value").unwrap().list().unwrap().clone();
                let changed: ListChunked = (0..rows.height())
                    .map(|n| list.get_as_series(n).map(|cell| if n == at { &cell * 0.5 } else { cell }))
                    .collect();
                let changed = changed.with_name("hash_value".into());
                rows.with_column(changed.into_series().into_column()).unwrap();
                self.rewrite(&[(&parquet, rows)]);
                format!("hash_value of row {at} of {parquet}")
            }
            10 => {
                let name = self.chance.of(&features).clone();
                let mut bytes = self.truth[&name].clone();
                let at = self.chance.below(bytes.len());
                bytes[at] ^= 1 << self.chance.below(8);
                self.tell(&name, &bytes);
                self.fit_beside(&name, &bytes);
                format!("byte {at} of {name}, and the manifest fits")
            }
            11 => {
                let mut rows = self.rows(&parquet);
                let masks = ["has_followers", "has_verified", "has_place_name", "has_coordinates"];
                let mask = *self.chance.of(&masks);
                let at = self.chance.below(rows.height());
                let mut cells: Vec<bool> =
                    rows.column(mask).unwrap().bool().unwrap().iter().map(Option::unwrap).collect();
                cells[at] ^= true;
                rows.with_column(Column::new(mask.into(), cells)).unwrap();
                self.rewrite(&[(&parquet, rows)]);
                format!("{mask} of row {at} of {parquet}")
            }
            12 => {
                let mut lie = manifest(self.made);
                let told = *self.chance.of(&["tombstones", "deleted"]);
                let more = 1 + self.chance.below(9) as u64;
                lie["compliance"][told] = json!(lie["compliance"][told].as_u64().unwrap() + more);
                write_manifest(self.made, &lie);
                format!("{more} more {told}")
            }
            _ => {
                let folder = *self.chance.of(&["data", "features"]);
                self.tell(&format!("{folder}/more"), b"more");
                format!("{folder}/more is too much")
            }
        }
    }
}

#[test]
fn a_hundred_lies_are_found() {
    let home = Home::new();
    let rows: Vec<_> = (0..200)
        .map(|n| {
            row(&id_at("2020-12-24T10:00:00", n), &(n % 50).to_string())
                .with("tokens", [["one", "two", "three"][usize::try_from(n).unwrap() % 3], "more"].as_slice())
                .with("created_at", at("2020-12-24T10:00:00") + n)
        })
        .collect();
    home.clean("2020-12-24", &rows);
    home.clean("2020-12-25", &rows[..20]);
    home.bury(&id_at("2020-12-24T10:00:00", 150));
    let made = home.make("--hash-bits 6 --tfidf --split 60,20,20");
    let truth = made.bytes();
    let mut liar = Liar { home: &home, made: &made, truth: truth.clone(), chance: Chance(20_201_224) };
    let mut missed = Vec::new();
    for number in 0..100 {
        let lie = liar.lie(number % 14);
        if verify(&made).is_ok() {
            missed.push(lie);
        }
        truth.iter().for_each(|(name, bytes)| liar.tell(name, bytes));
        for folder in ["data", "features"] {
            let _ = std::fs::remove_file(made.folder.join(folder).join("more"));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
    assert!(verify(&made).is_ok());
}

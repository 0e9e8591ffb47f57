//! `featurize verify`: recomputes what a version says of itself, and ends at the first lie.

use std::collections::BTreeMap;
use std::io::Write;

use lake::{
    Counts, DatasetFile, DatasetManifest, FileStat, IdRange, Lake, SplitStat, TimeRange, Tombstones,
    sha256_hex,
};
use polars::prelude::DataFrame;
use serde::Serialize;
use sha2::{Digest, Sha256};
use table::{SCHEMA_VERSION, empty};
use task::{Exit, Failure, Outcome, Progress, Task, ordered_map};

use crate::about::About;
use crate::args;
use crate::card;
use crate::fates::hidden;
use crate::features::{Recipe, features};
use crate::hashing::{Frequencies, Hashing, columns};
use crate::make::{BESIDE, deleted, lines, split_stat};
use crate::matrices::{IDF, Matrices, idf_file, paths, read_idf};
use crate::plan::{RULES, fingerprint};
use crate::rows::{Names, computing, reading, spilling, texts};
use crate::split::{Rule, wide};
use crate::version::{Version, lie};

/// A version that told no lie.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// `verify`.
    pub stage: &'static str,
    /// The dataset.
    pub dataset: String,
    /// Its version.
    pub version: String,
    /// Tweets consumed.
    pub consumed: u64,
    /// Distinct ids among them.
    pub unique: u64,
    /// Rows.
    pub kept: u64,
    /// Rows by split.
    pub splits: Counts,
    /// Parquet files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Tombstones of the lake that no row meets; null when no lake was given.
    pub tombstones: Option<usize>,
}

pub(crate) fn verify(args: &args::Verify, task: &Task) -> Outcome<Verified> {
    let version = Version::open(&args.dataset)?;
    let manifest = &version.manifest;
    let rule = check_manifest(manifest)?;
    version.check_sizes()?;
    let hashing = check_beside(manifest, &rule)?;
    for (name, stat) in manifest.beside.iter().filter(|(name, _)| !name.contains('/')) {
        let (bytes, _) = version.store.get(name)?.ok_or_else(|| lie(format!("{name} is gone")))?;
        said(&format!("the SHA-256 of {name}"), &stat.sha256, &lake::sha256_hex(&bytes))?;
        said(&format!("lines of {name}"), stat.rows, lines(&bytes))?;
    }
    let tombstones = args.lake.as_ref().map(|at| Lake::open(at)?.tombstones()).transpose()?;
    if let (Some(at), Some(tombstones)) = (&args.lake, &tombstones) {
        check_compliance(manifest, &Lake::open(at)?, tombstones)?;
    }
    let idf = idf(&version, hashing.as_ref())?;
    let recipe = Recipe { rule: &rule, hashing: hashing.as_ref(), idf: &idf };
    let found = read(&version, recipe, tombstones.as_ref(), task)?;
    check_rows(manifest, &rule, &found)?;
    if let Some(hashing) = &hashing {
        check_features(&version, &rule, hashing, &idf, task)?;
    }
    Ok(Verified {
        stage: "verify",
        dataset: manifest.dataset.clone(),
        version: manifest.version.clone(),
        consumed: manifest.ledger.consumed,
        unique: manifest.ledger.unique,
        kept: manifest.ledger.kept,
        splits: manifest.splits.iter().map(|(name, split)| (name.clone(), split.rows)).collect(),
        files: manifest.files.len(),
        bytes: manifest.files.iter().map(|f| f.stat.size).sum(),
        tombstones: tombstones.map(|t| t.len()),
    })
}

/// What the manifest says must agree with itself. Returns its split rule.
fn check_manifest(manifest: &DatasetManifest) -> Outcome<Rule> {
    for (name, ours) in [("rules", RULES), ("schema", SCHEMA_VERSION)] {
        let theirs = manifest.versions.get(name).map_or("none", String::as_str);
        if theirs != ours {
            let message =
                format!("this version was made with {name} {theirs}, and this featurize knows {name} {ours}");
            return Err(Failure::new(Exit::Configuration, message)
                .hint("verify it with the featurize that made it: manifest.json names its version"));
        }
    }
    let made_of = fingerprint(
        &manifest.dataset,
        &manifest.inputs,
        (&manifest.tombstones, manifest.compliance.tombstones),
        &manifest.arguments,
        &manifest.interval,
        RULES,
        SCHEMA_VERSION,
    );
    said("the fingerprint", &manifest.fingerprint, &made_of)?;
    said("the version", manifest.version.as_str(), &made_of[..12])?;

    let (ledger, clean) = (&manifest.ledger, &manifest.clean);
    let balances = [clean.balance_records(), clean.balance_fates(), ledger.balance_rows()];
    balances.into_iter().try_for_each(|balance| balance.map_err(lie))?;
    said("records", ledger.records, clean.records)?;
    said("consumed", ledger.consumed, clean.consumed)?;
    said("unique", ledger.unique, clean.unique)?;
    said("rejected", &ledger.rejected, &clean.rejected)?;
    said("unmatched", ledger.unmatched, 0)?;
    said("license", manifest.license.as_str(), card::LICENSE)?;
    said("redistribution", manifest.redistribution.as_str(), card::REDISTRIBUTION)?;
    let told = &manifest.compliance;
    said("tweets deleted", told.deleted, deleted(clean, ledger))?;
    said(
        "that there were tombstones",
        told.tombstones > 0,
        manifest.tombstones != Tombstones::default().hash(),
    )?;
    said("that there was a newest tombstone", told.newest.is_some(), told.tombstones > 0)?;
    said("read", ledger.read, clean.kept)?;
    said("read", ledger.read, manifest.inputs.iter().map(|i| i.kept).sum::<u64>())?;
    said("kept", ledger.kept, manifest.files.iter().map(|f| f.stat.rows).sum::<u64>())?;
    let rule = Rule::from_arguments(&manifest.arguments)
        .ok_or_else(|| lie("the arguments of the manifest name no split rule".into()))?;
    let mut names: Vec<&str> = manifest.splits.keys().map(String::as_str).collect();
    names.sort_by_key(|name| rule.names().iter().position(|n| n == name));
    said("the splits", names.as_slice(), rule.names())?;
    let stray = |f: &&DatasetFile| {
        !rule.names().contains(&f.split.as_str()) || !f.path.starts_with(&format!("data/{}-", f.split))
    };
    match manifest.files.iter().find(stray) {
        Some(file) => Err(lie(format!("{} is no file of split {}", file.path, file.split))),
        None => Ok(rule),
    }
}

/// What the manifest says of tombstones is so in the lake, unless others came in since.
fn check_compliance(manifest: &DatasetManifest, lake: &Lake, tombstones: &Tombstones) -> Outcome<()> {
    let told = &manifest.compliance;
    let newest = lake.newest_tombstone()?;
    if told.newest > newest {
        return Err(lie(format!(
            "the manifest says that its newest tombstone is of {}, and the lake's is of {}",
            card::time(told.newest),
            card::time(newest)
        )));
    }
    if manifest.tombstones == tombstones.hash() {
        said("tombstones", told.tombstones, tombstones.len() as u64)?;
    }
    Ok(())
}

/// Beside the data there are the files that such a version has. Returns how its tokens were hashed.
fn check_beside(manifest: &DatasetManifest, rule: &Rule) -> Outcome<Option<Hashing>> {
    let hashing = Hashing::from_arguments(&manifest.arguments);
    let mut names = paths(hashing.as_ref(), rule.names());
    names.extend(BESIDE.map(str::to_owned));
    names.sort_unstable();
    let told: Vec<String> = manifest.beside.keys().cloned().collect();
    said("the files beside data", told, names)?;
    Ok(hashing)
}

/// The weights of the indices, from their file.
fn idf(version: &Version, hashing: Option<&Hashing>) -> Outcome<Vec<f64>> {
    let Some(hashing) = hashing.filter(|hashing| hashing.weighted) else { return Ok(Vec::new()) };
    let (bytes, _) = version.store.get(IDF)?.ok_or_else(|| lie(format!("{IDF} is gone")))?;
    read_idf(&bytes, hashing.size()).ok_or_else(|| lie(format!("{IDF} is not of {} indices", hashing.size())))
}

/// The files of `features/` are what the rows make.
fn check_features(
    version: &Version,
    rule: &Rule,
    hashing: &Hashing,
    idf: &[f64],
    task: &Task,
) -> Outcome<()> {
    let manifest = &version.manifest;
    let mut columns = vec!["hash_index", "hash_value"];
    columns.extend(hashing.weighted.then_some("tfidf_value"));
    let (mut frequencies, mut made) = (Frequencies::new(hashing), Vec::new());
    for split in rule.names() {
        let mut matrices = Matrices::new(Some(hashing), split, None).map_err(spilling)?;
        for file in manifest.files.iter().filter(|file| file.split == *split) {
            let (_copy, rows) = version.rows(file, Some(&columns))?;
            for frame in rows {
                task.stop.check()?;
                let frame = frame.map_err(reading(&file.path))?;
                matrices.add(&frame).map_err(computing)?;
                if *split == rule.names()[0] {
                    frequencies.add_all(&frame).map_err(computing)?;
                }
            }
        }
        for (path, matrix) in matrices.files() {
            let mut sink = Hashed::default();
            let rows = matrix.finish(&mut sink).map_err(spilling)?;
            made.push((path, sink.finish(rows)));
        }
    }
    if hashing.weighted {
        let file = idf_file(&frequencies.idf()).map_err(spilling)?;
        let stat = FileStat { size: file.len() as u64, sha256: sha256_hex(&file), rows: idf.len() as u64 };
        made.push((IDF.to_owned(), stat));
    }
    for (path, stat) in made {
        said(&path, manifest.beside.get(&path), Some(&stat))?;
        let bytes = version.store.read_verified(&path, stat.size, &stat.sha256)?;
        std::io::copy(&mut { bytes }, &mut std::io::sink()).map_err(|e| lie(e.to_string()))?;
    }
    Ok(())
}

/// Takes the hash of what is written.
#[derive(Default)]
struct Hashed {
    hasher: Sha256,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Hashed {
    fn finish(self, rows: u64) -> FileStat {
        let sha256 = self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        FileStat { size: self.size, sha256, rows }
    }
}

/// What the rows are.
struct Found {
    splits: BTreeMap<String, About>,
    /// 16 bytes of each tweet.
    ids: Vec<u128>,
}

fn read(version: &Version, recipe: Recipe, tombstones: Option<&Tombstones>, task: &Task) -> Outcome<Found> {
    let mut found = Found { splits: BTreeMap::new(), ids: Vec::new() };
    let progress = Progress::things(version.manifest.files.len() as u64);
    progress.say("files verified".into());
    let mut files = version.manifest.files.iter();
    ordered_map(
        task.threads,
        || Ok(files.next()),
        |file: &DatasetFile| read_file(version, file, recipe, tombstones, task).map(|found| (file, found)),
        |(file, (about, ids))| {
            found.splits.entry(file.split.clone()).or_default().join(&about);
            found.ids.extend(ids);
            progress.step();
            Ok(std::ops::ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

/// Reads a file row by row. `fetch` has seen to its hash.
fn read_file(
    version: &Version,
    file: &DatasetFile,
    recipe: Recipe,
    tombstones: Option<&Tombstones>,
    task: &Task,
) -> Outcome<(About, Vec<u128>)> {
    let (_copy, rows) = version.rows(file, None)?;
    said(&format!("rows of {}", file.path), file.stat.rows, rows.height() as u64)?;
    let (mut about, mut ids) = (About::default(), Vec::new());
    let schema = empty(&columns(recipe.hashing)).schema().clone();
    for frame in rows {
        task.stop.check()?;
        let frame = frame.map_err(reading(&file.path))?;
        if *frame.schema() != schema {
            return Err(lie(format!("{} has other columns than the column table", file.path)));
        }
        check_splits(&frame, file, recipe.rule, tombstones, &mut ids)?;
        check_columns(&frame, file, recipe)?;
        about.add(&frame).map_err(computing)?;
    }
    Ok((about, ids))
}

fn check_splits(
    frame: &DataFrame,
    file: &DatasetFile,
    rule: &Rule,
    tombstones: Option<&Tombstones>,
    ids: &mut Vec<u128>,
) -> Outcome<()> {
    let names = Names::of(frame).map_err(computing)?;
    let groups = texts(frame, "group").map_err(computing)?;
    let splits = texts(frame, "split").map_err(computing)?;
    for row in 0..names.len() {
        let member = names.member(row);
        let lie = |what: &str| Err(lie(format!("{}: tweet {} {what}", file.path, member.tweet_id)));
        let group = rule.group(&member);
        if groups[row] != Some(format!("{group:016x}").as_str()) {
            return lie("has another group than its rule makes");
        }
        let split = rule.names()[rule.split(&member, group)];
        if split != file.split || splits[row] != Some(split) {
            return lie(&format!("belongs into {split}"));
        }
        if tombstones.is_some_and(|all| hidden(all, &member, names.edit_id(row))) {
            return lie("was deleted since: run featurize again for a version without it");
        }
        ids.push(wide(member.source, member.tweet_id));
    }
    Ok(())
}

/// The columns that featurize made are what the others make.
fn check_columns(frame: &DataFrame, file: &DatasetFile, recipe: Recipe) -> Outcome<()> {
    let near = texts(frame, "near_copy_group").map_err(computing)?;
    let (made, _) = features(frame, recipe, &near).map_err(computing)?;
    for column in made.columns() {
        let told = frame.column(column.name()).map_err(computing)?;
        if !told.equals_missing(column) {
            return Err(lie(format!("{}: {} is not what its rows make", file.path, column.name())));
        }
    }
    Ok(())
}

fn check_rows(manifest: &DatasetManifest, rule: &Rule, found: &Found) -> Outcome<()> {
    let mut ids = found.ids.clone();
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    if ids.len() < before {
        return Err(lie(format!("{} rows repeat the id of another", before - ids.len())));
    }
    let none = About::default();
    let mut all = About::default();
    for name in rule.names() {
        let about = found.splits.get(*name).unwrap_or(&none);
        let told = manifest.splits.get(*name).cloned().unwrap_or_default();
        said(&format!("rows of {name}"), told.rows, about.rows)?;
        let found = split_stat(about, manifest.ledger.kept);
        // A float may come back from JSON with another last bit.
        if (told.share - found.share).abs() > 1e-9 {
            let (told, found) = (told.share, found.share);
            return Err(lie(format!("the manifest says the share of {name} {told}, and it is {found}")));
        }
        said(&format!("what {name} is"), &told, &SplitStat { share: told.share, ..found })?;
        all.join(about);
    }
    said("languages", &manifest.languages, &all.languages)?;
    said::<TimeRange>("times", manifest.times, all.times)?;
    said::<&IdRange>("ids", &manifest.ids, &all.ids)?;
    said("kept", manifest.ledger.kept, all.rows)
}

/// What the manifest says is what was found.
fn said<T: PartialEq + std::fmt::Debug>(what: &str, told: T, found: T) -> Outcome<()> {
    if told == found {
        Ok(())
    } else {
        Err(lie(format!("the manifest says {what} {told:?}, and it is {found:?}")))
    }
}

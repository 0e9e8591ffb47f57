//! `featurize verify`: recomputes what a version says of itself, and ends at the first lie.

use std::collections::BTreeMap;

use lake::{Counts, DatasetFile, DatasetManifest, IdRange, Lake, TimeRange, Tombstones};
use polars::prelude::DataFrame;
use serde::Serialize;
use table::{SCHEMA_VERSION, dataset, empty};
use task::{Exit, Failure, Outcome, Progress, Task, ordered_map};

use crate::about::About;
use crate::args;
use crate::fates::hidden;
use crate::make::{lines, share};
use crate::plan::{RULES, fingerprint};
use crate::rows::{Names, computing, reading, texts};
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
    for (name, stat) in &manifest.beside {
        let (bytes, _) = version.store.get(name)?.ok_or_else(|| lie(format!("{name} is gone")))?;
        said(&format!("the SHA-256 of {name}"), &stat.sha256, &lake::sha256_hex(&bytes))?;
        said(&format!("lines of {name}"), stat.rows, lines(&bytes))?;
    }
    let tombstones = args.lake.as_ref().map(|at| Lake::open(at)?.tombstones()).transpose()?;
    let found = read(&version, &rule, tombstones.as_ref(), task)?;
    check_rows(manifest, &rule, &found)?;
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
        &manifest.tombstones,
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

/// What the rows are.
struct Found {
    splits: BTreeMap<String, About>,
    /// 16 bytes of each tweet.
    ids: Vec<u128>,
}

fn read(version: &Version, rule: &Rule, tombstones: Option<&Tombstones>, task: &Task) -> Outcome<Found> {
    let mut found = Found { splits: BTreeMap::new(), ids: Vec::new() };
    let progress = Progress::things(version.manifest.files.len() as u64);
    progress.say("files verified".into());
    let mut files = version.manifest.files.iter();
    ordered_map(
        task.threads,
        || Ok(files.next()),
        |file: &DatasetFile| read_file(version, file, rule, tombstones, task).map(|found| (file, found)),
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
    rule: &Rule,
    tombstones: Option<&Tombstones>,
    task: &Task,
) -> Outcome<(About, Vec<u128>)> {
    let (_copy, rows) = version.rows(file, None)?;
    said(&format!("rows of {}", file.path), file.stat.rows, rows.height() as u64)?;
    let (mut about, mut ids) = (About::default(), Vec::new());
    let schema = empty(&dataset()).schema().clone();
    for frame in rows {
        task.stop.check()?;
        let frame = frame.map_err(reading(&file.path))?;
        if *frame.schema() != schema {
            return Err(lie(format!("{} has other columns than the column table", file.path)));
        }
        check_splits(&frame, file, rule, tombstones, &mut ids)?;
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
        let found = share(about.rows, manifest.ledger.kept);
        // A float may come back from JSON with another last bit.
        if (told.share - found).abs() > 1e-9 {
            return Err(lie(format!(
                "the manifest says the share of {name} {}, and it is {found}",
                told.share
            )));
        }
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

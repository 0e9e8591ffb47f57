//! `clean purge`: what a tombstone names goes from everything that the lake holds, and stays away.
//!
//! It goes in an order that a broken run does not spoil: tombstones first, so that no stage shows it
//! again; then what is made of raw; raw itself last, because it tells what has to go. The next purge
//! completes a broken one. A source that is ingested again brings its lines back to raw, and no
//! further, until the next purge.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use lake::{
    Condition, DatasetManifest, Error, Lake, Partition, RawCommit, SWEEP_AFTER, Tombstones, Values,
    in_parallel, open_part, part_error,
};
use serde::Serialize;
use table::{LocalCopy, ROWS_PER_GROUP, Rows};
use task::{Exit, Failure, Outcome, Progress, Task};
use tracing::info;
use tweet::{Parsed, Source, Tombstone};

use crate::args::PurgeArgs;
use crate::rewrite::{latest, rewrite};
use crate::sought::{Judged, Sought};

/// Files read or removed at once.
const WIDTH: usize = 8;
/// Columns of a dataset that name tweets or users.
const NAMING: [&str; 7] =
    ["tweet_id", "edit_id", "author_id", "conversation_id", "in_reply_to_id", "quoted_id", "urls"];

/// `_meta/purges/<run_id>.json`.
#[derive(Serialize)]
struct Told<'p> {
    #[serde(flatten)]
    purged: &'p Purged,
    /// To be cleaned again.
    partitions: BTreeSet<&'p Partition>,
    /// Of datasets, as `name/version`; featurize makes new ones.
    versions: Vec<String>,
}

/// What a purge did, in counts: the last line of stdout, and the head of its report in the lake.
#[derive(Debug, Serialize)]
pub struct Purged {
    stage: &'static str,
    run_id: String,
    started: String,
    ended: String,
    /// Tombstones of the lake, those of this purge included.
    tombstones: usize,
    /// Tweets in the committed raw parts before and after.
    consumed_before: u64,
    consumed_after: u64,
    raw: Raw,
    rejects_removed: u64,
    notices_removed: u64,
    clean_results_removed: usize,
    dataset_versions_removed: usize,
    reports_removed: usize,
    manifest: String,
}

/// `_meta/purged/<partition>/<part>.json`: what became of a part, for who asks where the tweets are that an
/// ingest run says it wrote.
#[derive(Serialize)]
struct Record<'p> {
    path: &'p str,
    tweets: u64,
    removed: u64,
    became: Option<&'p str>,
}

/// What became of raw.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Raw {
    pub(crate) parts_rewritten: u64,
    pub(crate) parts_removed: u64,
    /// Lines that were, or carried, a tweet that goes.
    pub(crate) tweets_removed: u64,
    /// Lines of others that named one and are written without it.
    pub(crate) tweets_stripped: u64,
}

/// A committed part.
pub(crate) struct Part {
    pub(crate) partition: Partition,
    /// Of its commit.
    pub(crate) key: String,
    pub(crate) commit: RawCommit,
}

/// Removes what the tombstones of the lake name.
pub(crate) fn run(args: &PurgeArgs, task: &Task) -> Outcome<Purged> {
    let lake = Lake::open(&args.lake)?;
    add(&lake, args)?;
    let tombstones = lake.tombstones()?;
    if tombstones.is_empty() {
        return Err(Failure::new(Exit::Nothing, format!("there is no tombstone in {}", lake.location()))
            .hint("name what shall go: --ids FILE, --users FILE"));
    }
    let mut parts = parts(&lake)?;
    let consumed_before = parts.iter().map(|p| p.commit.tweets).sum();
    finish_broken(&lake, &mut parts)?;

    // Who is hidden is hidden in every tweet, also where it names no author.
    lake.add_tombstones(&tweets_of_users(&lake, &parts, &tombstones, task)?)?;
    let tombstones = lake.tombstones()?;
    let sought = Sought::new(&tombstones);

    let named = named(&lake, &parts, &sought, task)?;
    let versions = versions(&lake, &sought)?;
    let touched: BTreeSet<&Partition> = named.iter().map(|part| &part.partition).collect();
    let reports =
        if named.is_empty() && versions.is_empty() { Vec::new() } else { keys(&lake, "_meta/reports")? };
    delete(&lake, &reports)?;
    versions.iter().try_for_each(|(name, version)| remove_version(&lake, name, version))?;
    let cleaned = remove_results(&lake, &parts, &touched)?;
    let raw = remove_raw(&lake, &named, &sought, task)?;
    // What was cleaned of parts that are no more, by a purge that was broken off.
    let left = self::parts(&lake)?;
    let more = remove_results(&lake, &left, &BTreeSet::new())?;
    let partitions: BTreeSet<Partition> = left.iter().map(|part| part.partition.clone()).collect();
    lake.sweep(&partitions, SWEEP_AFTER)?;
    let rejects_removed = remove_lines(&lake, "rejects", |line| sought.in_reject(line))?;
    let notices_removed = remove_lines(&lake, "notices", |line| sought.named(line))?;

    let partitions: BTreeSet<&Partition> = cleaned.union(&more).collect();

    let key = format!("_meta/purges/{}.json", task.run_id);
    let purged = Purged {
        stage: "purge",
        run_id: task.run_id.to_string(),
        started: lake::format_micros(task.started),
        ended: lake::format_micros(task.now()),
        tombstones: tombstones.len(),
        consumed_before,
        consumed_after: left.iter().map(|p| p.commit.tweets).sum(),
        raw,
        rejects_removed,
        notices_removed,
        clean_results_removed: partitions.len(),
        dataset_versions_removed: versions.len(),
        reports_removed: reports.len(),
        manifest: lake.location().join(&key).to_string(),
    };
    let told = Told {
        purged: &purged,
        partitions,
        versions: versions.iter().map(|(name, version)| format!("{name}/{version}")).collect(),
    };
    let bytes = serde_json::to_vec_pretty(&told).unwrap_or_default();
    lake.store.put(&key, &bytes, &Condition::Always)?;
    Ok(purged)
}

/// Adds what was named to the tombstones of the lake.
fn add(lake: &Lake, args: &PurgeArgs) -> Outcome<()> {
    let read = |path: &Path| {
        fs::read_to_string(path)
            .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {}: {e}", path.display())))
    };
    if let Some(path) = &args.ids {
        lake.add_tombstones(&Tombstones::from_text(&path.display().to_string(), &read(path)?)?)?;
    }
    if let Some(path) = &args.users {
        let mut users = Tombstones::default();
        for (number, line) in read(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            users.insert(user(line.trim()).ok_or_else(|| {
                let place = format!("{}:{}", path.display(), number + 1);
                Failure::new(Exit::BadInput, format!("{place}: no id of an account"))
                    .hint("a line each: digits for X, did:… for Bluesky; a handle can change hands")
            })?);
        }
        lake.add_tombstones(&users)?;
    }
    Ok(())
}

fn user(line: &str) -> Option<Tombstone> {
    let source = match line {
        _ if line.bytes().all(|b| b.is_ascii_digit()) => Source::X,
        _ if line.starts_with("did:") => Source::Bluesky,
        _ => return None,
    };
    Some(Tombstone::User { source, id: line.to_owned() })
}

/// Every committed part.
fn parts(lake: &Lake) -> Outcome<Vec<Part>> {
    let mut parts = Vec::new();
    for (partition, keys) in lake.raw_partitions()? {
        let commits = lake.raw_commits(&keys)?;
        let part = |(key, commit)| Part { partition: partition.clone(), key, commit };
        parts.extend(keys.into_iter().zip(commits).map(part));
    }
    Ok(parts)
}

/// Removes what a broken purge left: parts of which a later form is there, and commits without a part.
fn finish_broken(lake: &Lake, parts: &mut Vec<Part>) -> Outcome<()> {
    let latest = latest(parts);
    let gone = in_parallel(parts, WIDTH, |part| {
        if !latest.contains(&part.key) {
            lake.store.delete(&part.commit.path)?;
        } else if !matches!(lake.store.read(&part.commit.path), Err(Error::Missing(_))) {
            return Ok(false);
        }
        lake.store.delete(&part.key)?;
        Ok(true)
    })?;
    let mut gone = gone.into_iter();
    parts.retain(|_| !gone.next().unwrap_or_default());
    Ok(())
}

/// Calls `visit` with every line of a part until it says that it has seen enough.
pub(crate) fn lines(
    lake: &Lake,
    commit: &RawCommit,
    mut visit: impl FnMut(&[u8]) -> Outcome<bool>,
) -> Outcome<()> {
    let mut values = Values::new(Box::new(open_part(lake, commit)?) as Box<dyn Read + Send>);
    while let Some(chunk) = values.next_chunk().map_err(|e| part_error(commit, &e))? {
        for value in &chunk.values {
            if !visit(&chunk.bytes[value.start..value.end])? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Does `work` for each part, side by side.
fn each<R: Send>(parts: &[Part], task: &Task, work: impl Fn(&Part) -> Outcome<R> + Sync) -> Outcome<Vec<R>> {
    let progress = Progress::things(parts.len() as u64);
    let done = in_parallel(parts, task.threads, |part| {
        let done = task.stop.check().and_then(|()| work(part));
        progress.step();
        Ok(done)
    })?;
    done.into_iter().collect()
}

/// The tweets of hidden users that raw tells of.
fn tweets_of_users(lake: &Lake, parts: &[Part], tombstones: &Tombstones, task: &Task) -> Outcome<Tombstones> {
    let mut found = Tombstones::default();
    if tombstones.users().next().is_none() {
        return Ok(found);
    }
    let sought = Sought::new(tombstones);
    let ids = each(parts, task, |part| {
        let mut ids = BTreeSet::new();
        lines(lake, &part.commit, |line| {
            if sought.maybe(line)
                && let Ok(Parsed::Tweet(tweet)) = tweet::parse_bytes(line)
            {
                let carried = tweet.retweeted.as_ref().and_then(|it| it.tweet.as_deref());
                let by_hidden = |it: &&tweet::Tweet<'_>| {
                    tombstones
                        .users()
                        .any(|(source, id)| source == it.source && it.author.id.as_deref() == Some(id))
                };
                for it in [Some(&*tweet), carried].into_iter().flatten().filter(by_hidden) {
                    ids.extend(it.edits.iter().chain([&it.id]).map(|id| (it.source, id.to_string())));
                }
            }
            Ok(true)
        })?;
        Ok(ids)
    })?;
    for (source, id) in ids.into_iter().flatten().filter(|(source, id)| !tombstones.hides(*source, id, None))
    {
        found.insert(Tombstone::Tweet { source, id, user_id: None });
    }
    Ok(found)
}

/// The parts with a line that has to change.
fn named<'p>(lake: &Lake, parts: &'p [Part], sought: &Sought<'_>, task: &Task) -> Outcome<Vec<&'p Part>> {
    let hits = each(parts, task, |part| {
        let mut hit = false;
        lines(lake, &part.commit, |line| {
            hit = !matches!(sought.judge(line), Judged::Stays);
            Ok(!hit)
        })?;
        Ok(hit)
    })?;
    Ok(parts.iter().zip(hits).filter(|(_, hit)| *hit).map(|(part, _)| part).collect())
}

fn remove_raw(lake: &Lake, named: &[&Part], sought: &Sought<'_>, task: &Task) -> Outcome<Raw> {
    let mut all = Raw::default();
    for part in named {
        task.stop.check()?;
        let (rewritten, raw) = rewrite(lake, part, sought)?;
        let record = Record {
            path: &part.commit.path,
            tweets: part.commit.tweets,
            removed: raw.tweets_removed,
            became: rewritten.as_ref().map(|commit| commit.path.as_str()),
        };
        let key = format!("_meta/purged/{}/{}.json", part.partition.path(), part.commit.part);
        lake.store.put(&key, &serde_json::to_vec_pretty(&record).unwrap_or_default(), &Condition::Always)?;
        if let Some(commit) = rewritten {
            lake.commit_raw(&part.partition, &commit)?;
        }
        lake.store.delete(&part.commit.path)?;
        lake.store.delete(&part.key)?;
        all.parts_rewritten += raw.parts_rewritten;
        all.parts_removed += raw.parts_removed;
        all.tweets_removed += raw.tweets_removed;
        all.tweets_stripped += raw.tweets_stripped;
    }
    info!(parts = named.len(), tweets = all.tweets_removed, "removed from raw");
    Ok(all)
}

/// Removes the clean results of these partitions, those over parts that are no more, and those that
/// nothing points to. Returns the partitions that lost theirs.
fn remove_results(
    lake: &Lake,
    parts: &[Part],
    touched: &BTreeSet<&Partition>,
) -> Outcome<BTreeSet<Partition>> {
    let there: BTreeSet<(&Partition, &str, &str)> =
        parts.iter().map(|p| (&p.partition, p.commit.part.as_str(), p.commit.sha256.as_str())).collect();
    let mut pointers = lake.clean_pointers()?;
    let stays = |partition: &Partition, inputs: &[lake::PartStat]| {
        !touched.contains(partition)
            && inputs.iter().all(|i| there.contains(&(partition, i.part.as_str(), i.sha256.as_str())))
    };
    let gone: BTreeSet<Partition> = pointers
        .iter()
        .filter(|(partition, p)| !stays(partition, &p.inputs))
        .map(|(p, _)| p.clone())
        .collect();
    pointers.retain(|partition, _| !gone.contains(partition));
    let kept: Vec<String> = pointers.values().map(|p| format!("{}/", p.path)).collect();
    let mut files = keys(lake, "clean")?;
    files.retain(|key| !kept.iter().any(|path| key.starts_with(path)));
    delete(lake, &files)?;
    delete(lake, &gone.iter().map(|p| format!("_meta/clean/{}.json", p.path())).collect::<Vec<_>>())?;
    Ok(gone)
}

/// The dataset versions that name what is sought; also those that a broken purge has begun to remove.
fn versions(lake: &Lake, sought: &Sought<'_>) -> Outcome<Vec<(String, String)>> {
    let mut found = Vec::new();
    for key in keys(lake, "datasets")? {
        let segments: Vec<&str> = key.split('/').collect();
        let [_, name, version, "manifest.json"] = segments[..] else { continue };
        if let Some(manifest) = lake.dataset(name, version)?
            && holds(lake, &manifest, sought)?
        {
            found.push((name.to_owned(), version.to_owned()));
        }
    }
    Ok(found)
}

fn holds(lake: &Lake, manifest: &DatasetManifest, sought: &Sought<'_>) -> Outcome<bool> {
    let unreadable =
        |e: polars::prelude::PolarsError| Failure::new(Exit::BadInput, format!("a dataset's file: {e}"));
    for file in &manifest.files {
        let key = format!("datasets/{}/{}/{}", manifest.dataset, manifest.version, file.path);
        let copy = match LocalCopy::fetch(lake, &key, &file.stat) {
            Err(Error::Missing(_)) => return Ok(true),
            copy => copy?,
        };
        for frame in Rows::open(copy.path(), Some(&NAMING), ROWS_PER_GROUP).map_err(unreadable)? {
            let frame = frame.map_err(unreadable)?;
            for column in frame.columns() {
                let texts = match column.list() {
                    Ok(lists) => lists.get_inner(),
                    Err(_) => column.as_materialized_series().clone(),
                };
                if texts.str().map_err(unreadable)?.iter().flatten().any(|text| sought.cell(text)) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Removes a version: the pointer to it first, its manifest last.
fn remove_version(lake: &Lake, name: &str, version: &str) -> Outcome<()> {
    if lake.current(name)?.is_some_and(|current| current.version == version) {
        lake.store.delete(&format!("datasets/{name}/current.json"))?;
    }
    let folder = format!("datasets/{name}/{version}");
    let manifest = format!("{folder}/manifest.json");
    let mut files = keys(lake, &folder)?;
    files.retain(|key| *key != manifest);
    delete(lake, &files)?;
    Ok(lake.store.delete(&manifest)?)
}

/// Writes the files of a folder of `_meta` without the lines that `goes` names. Returns how many went.
fn remove_lines(lake: &Lake, folder: &str, goes: impl Fn(&[u8]) -> bool + Sync) -> Outcome<u64> {
    let files = keys(lake, &format!("_meta/{folder}"))?;
    let removed = in_parallel(&files, WIDTH, |key| {
        let failed = |e: std::io::Error| Error::Storage(format!("cannot read {key}: {e}"));
        let lines = zstd::decode_all(lake.store.read(key)?).map_err(failed)?;
        let (mut left, mut removed) = (Vec::with_capacity(lines.len()), 0);
        for line in lines.split_inclusive(|b| *b == b'\n') {
            if goes(line) { removed += 1 } else { left.extend_from_slice(line) }
        }
        if removed > 0 {
            lake.write_lines(folder, &left)?;
            lake.store.delete(key)?;
        }
        Ok(removed)
    })?;
    Ok(removed.into_iter().sum())
}

fn keys(lake: &Lake, prefix: &str) -> Outcome<Vec<String>> {
    Ok(lake.store.list(prefix)?.into_iter().map(|entry| entry.key).collect())
}

fn delete(lake: &Lake, keys: &[String]) -> Outcome<()> {
    in_parallel(keys, WIDTH, |key| lake.store.delete(key))?;
    Ok(())
}

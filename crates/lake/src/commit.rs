//! The lake itself: who may see what, and how a result becomes one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::layout::check_name;
use crate::records::{CleanPointer, CurrentPointer, DatasetManifest, RawCommit, RunManifest, Verdict};
use crate::store::{Condition, Store, Tag, in_parallel};
use crate::tombstones::EVERY_DAY;
use crate::{Error, Gate, Grain, Location, Partition, Result, RunId, Tombstones, sha256_hex};

/// What is not committed after this many seconds is nobody's and is swept.
pub const SWEEP_AFTER: i64 = 24 * 3600;
/// Requests under way at once when many small objects are read or written.
const WIDTH: usize = 16;
/// Times a pointer is read again when another writer swaps it in between.
const SWAPS: usize = 8;

/// `_meta/lake.json`.
#[derive(Serialize, Deserialize)]
struct About {
    /// Version of the layout.
    lake: u32,
    grain: Grain,
}

/// A lake that was found or made.
#[derive(Clone, Debug)]
pub struct Lake {
    location: Location,
    /// Its bytes, by key.
    pub store: Store,
    grain: Grain,
}

impl Lake {
    /// Opens a lake that is there.
    ///
    /// # Errors
    /// [`Error::Missing`] when no lake is there; of the store.
    pub fn open(location: &Location) -> Result<Self> {
        Self::find(location)?
            .ok_or_else(|| Error::Missing(format!("there is no lake at {location}: {ABOUT} is not there")))
    }

    /// Opens a lake if it is there.
    ///
    /// # Errors
    /// Of the store: a bucket that is not there is an error, a lake that is not is none.
    pub fn find(location: &Location) -> Result<Option<Self>> {
        let store = Store::open(location)?;
        let Some((bytes, _)) = store.get(ABOUT)? else { return Ok(None) };
        let about: About = parse(ABOUT, &bytes)?;
        Ok(Some(Self { location: location.clone(), store, grain: about.grain }))
    }

    /// Opens a lake, or makes it. `grain` is what the caller asks for, if it asks.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the lake has another grain; of the store.
    pub fn open_or_create(location: &Location, grain: Option<Grain>) -> Result<Self> {
        let lake = match Self::find(location)? {
            Some(lake) => lake,
            None => {
                let store = Store::open(location)?;
                let about = About { lake: 1, grain: grain.unwrap_or(Grain::Day) };
                match store.put(ABOUT, &to_json(&about), &Condition::Absent) {
                    Ok(()) | Err(Error::Conflict(_)) => Self::open(location)?,
                    Err(e) => return Err(e),
                }
            }
        };
        match grain {
            Some(asked) if asked != lake.grain => Err(Error::Configuration(format!(
                "the lake at {location} is partitioned by {}, not by {asked}: a lake keeps the grain it was made with",
                lake.grain
            ))),
            _ => Ok(lake),
        }
    }

    /// Warns when the store does not keep conditional writes, which two writers at once rely on.
    ///
    /// # Errors
    /// Of the store.
    pub fn probe_conditions(&self) -> Result<()> {
        if !self.store.keeps_conditions()? {
            tracing::warn!(lake = %self.location, "this store ignores If-Match and If-None-Match: run one writer at a time");
        }
        Ok(())
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// How finely it is partitioned.
    pub fn grain(&self) -> Grain {
        self.grain
    }

    /// Commits a raw part whose bytes are written. Two runs that commit the same part agree.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another commit of that name says something else; of the store.
    pub fn commit_raw(&self, partition: &Partition, commit: &RawCommit) -> Result<()> {
        self.store.put(&raw_commit_key(partition, &commit.part), &to_json(commit), &Condition::Absent)
    }

    /// Where a raw part lies.
    pub fn raw_part_key(&self, partition: &Partition, part: &str) -> String {
        format!("raw/{}/{part}.jsonl.zst", partition.path())
    }

    /// The commit of a part, if it is committed.
    ///
    /// # Errors
    /// Of the store.
    pub fn raw_commit(&self, partition: &Partition, part: &str) -> Result<Option<RawCommit>> {
        self.get_json(&raw_commit_key(partition, part))
    }

    /// Every partition with committed parts, and the keys of its commits.
    ///
    /// # Errors
    /// Of the store.
    pub fn raw_partitions(&self) -> Result<BTreeMap<Partition, Vec<String>>> {
        self.by_partition("_meta/raw")
    }

    /// The commits at these keys.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for what is no commit; of the store.
    pub fn raw_commits(&self, keys: &[String]) -> Result<Vec<RawCommit>> {
        self.get_all(keys)
    }

    /// The pointers of all clean partitions, by partition.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for what is no pointer; of the store.
    pub fn clean_pointers(&self) -> Result<BTreeMap<Partition, CleanPointer>> {
        let keys: Vec<String> =
            self.store.list("_meta/clean")?.into_iter().map(|e| e.key).filter(|k| is_json(k)).collect();
        let pointers: Vec<CleanPointer> = self.get_all(&keys)?;
        Ok(pointers.into_iter().map(|p| (p.partition.clone(), p)).collect())
    }

    /// The current clean result of a partition.
    ///
    /// # Errors
    /// Of the store.
    pub fn clean_pointer(&self, partition: &Partition) -> Result<Option<(CleanPointer, Tag)>> {
        let key = clean_pointer_key(partition);
        let Some((bytes, tag)) = self.store.get(&key)? else { return Ok(None) };
        Ok(Some((parse(&key, &bytes)?, tag)))
    }

    /// Makes `pointer` the current result of its partition, by compare-and-swap. A result over fewer
    /// inputs never replaces one over more; returns whether it is current now.
    ///
    /// # Errors
    /// [`Error::Conflict`] after losing too often; of the store.
    pub fn swap_clean(&self, pointer: &CleanPointer) -> Result<bool> {
        let key = clean_pointer_key(&pointer.partition);
        let bytes = to_json(pointer);
        let parts = |p: &CleanPointer| p.inputs.iter().map(|i| i.sha256.clone()).collect::<BTreeSet<_>>();
        let mine = parts(pointer);
        for _ in 0..SWAPS {
            let condition = match self.clean_pointer(&pointer.partition)? {
                Some((there, _)) if there.fingerprint == pointer.fingerprint => return Ok(true),
                Some((there, _)) if parts(&there).is_superset(&mine) && parts(&there) != mine => {
                    return Ok(false);
                }
                Some((_, tag)) => Condition::Unchanged(tag),
                None => Condition::Absent,
            };
            match self.store.put(&key, &bytes, &condition) {
                Err(Error::Conflict(_)) => {}
                other => return other.map(|()| true),
            }
        }
        Err(Error::Conflict(format!("{key} changes faster than it can be swapped")))
    }

    /// Adds tombstones; those that are there already change nothing.
    ///
    /// # Errors
    /// Of the store.
    pub fn add_tombstones(&self, tombstones: &Tombstones) -> Result<()> {
        let files: Vec<(String, Vec<u8>)> = tombstones
            .lines()
            .into_iter()
            .map(|(folder, lines)| {
                let bytes = (lines.join("\n") + "\n").into_bytes();
                (format!("_meta/tombstones/{folder}/{}.jsonl", &sha256_hex(&bytes)[..16]), bytes)
            })
            .collect();
        in_parallel(&files, WIDTH, |(key, bytes)| self.store.put(key, bytes, &Condition::Always)).map(drop)
    }

    /// The tombstones that can touch ids of these days (`2026-11-20`, `unknown`), and those of users.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for what is no tombstone; of the store.
    pub fn tombstones_of(&self, days: &BTreeSet<String>) -> Result<Tombstones> {
        let folders = days.iter().map(|d| format!("dt={d}")).chain([EVERY_DAY.to_owned()]);
        let mut all = Tombstones::default();
        for folder in folders {
            self.read_tombstones(&format!("_meta/tombstones/{folder}"), &mut all)?;
        }
        Ok(all)
    }

    /// Every tombstone of the lake.
    ///
    /// # Errors
    /// As [`Lake::tombstones_of`].
    pub fn tombstones(&self) -> Result<Tombstones> {
        let mut all = Tombstones::default();
        self.read_tombstones("_meta/tombstones", &mut all)?;
        Ok(all)
    }

    /// When the newest tombstone came in, by the store's clock, µs; one that came before comes in anew.
    ///
    /// # Errors
    /// Of the store.
    pub fn newest_tombstone(&self) -> Result<Option<i64>> {
        let all = self.store.list("_meta/tombstones")?;
        Ok(all.iter().map(|entry| entry.modified.saturating_mul(1_000_000)).max())
    }

    fn read_tombstones(&self, prefix: &str, all: &mut Tombstones) -> Result<()> {
        let entries = self.store.list(prefix)?;
        let files =
            in_parallel(&entries, WIDTH, |entry| Ok(self.store.get(&entry.key)?.map(|(bytes, _)| bytes)))?;
        for bytes in files.into_iter().flatten() {
            String::from_utf8_lossy(&bytes).lines().try_for_each(|line| all.insert_line(line))?;
        }
        Ok(())
    }

    /// Whether a gate has passed exactly what this fingerprint names; `None` when it was not asked.
    ///
    /// # Errors
    /// Of the store.
    pub fn verdict(&self, gate: Gate, fingerprint: &str) -> Result<Option<bool>> {
        let key = format!("_meta/gates/{}/{fingerprint}.json", gate.as_str());
        Ok(self.get_json::<Verdict>(&key)?.map(|v| v.success))
    }

    /// Writes the manifest of a run and says where it is.
    ///
    /// # Errors
    /// Of the store.
    pub fn write_run(&self, run_id: &RunId, manifest: &RunManifest) -> Result<Location> {
        let key = format!("_meta/runs/{}/{run_id}.json", manifest.stage);
        self.store.put(&key, &to_json(manifest), &Condition::Always)?;
        Ok(self.location.join(&key))
    }

    /// Writes lines under `_meta/<folder>/` in a file named by its content; nothing for no lines.
    ///
    /// # Errors
    /// Of the store.
    pub fn write_lines(&self, folder: &str, lines: &[u8]) -> Result<Option<String>> {
        if lines.is_empty() {
            return Ok(None);
        }
        let name = &sha256_hex(lines)[..16];
        let key = format!("_meta/{folder}/{name}.jsonl.zst");
        let packed =
            zstd::encode_all(lines, 3).map_err(|e| Error::Storage(format!("cannot compress {key}: {e}")))?;
        self.store.put(&key, &packed, &Condition::Always)?;
        Ok(Some(key))
    }

    /// A dataset version's manifest.
    ///
    /// # Errors
    /// Of the store.
    pub fn dataset(&self, name: &str, version: &str) -> Result<Option<DatasetManifest>> {
        self.get_json(&format!("{}/manifest.json", dataset_path(name, version)?))
    }

    /// The promoted version of a dataset.
    ///
    /// # Errors
    /// Of the store.
    pub fn current(&self, name: &str) -> Result<Option<CurrentPointer>> {
        check_name(name)?;
        self.get_json(&current_key(name))
    }

    /// Moves `current.json` of a dataset.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another run moved it meanwhile; of the store.
    pub fn promote(&self, pointer: &CurrentPointer) -> Result<()> {
        let key = current_key(&pointer.dataset);
        let condition = self.store.get(&key)?.map_or(Condition::Absent, |(_, tag)| Condition::Unchanged(tag));
        self.store.put(&key, &to_json(pointer), &condition)
    }

    /// Removes what killed runs left in these partitions: parts without a commit, clean results that
    /// nothing points to, unfinished files; the last also below `_meta`. Returns how many.
    ///
    /// # Errors
    /// Of the store.
    pub fn sweep(&self, partitions: &BTreeSet<Partition>, older_than_secs: i64) -> Result<u64> {
        let now =
            std::time::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        let old = |modified: i64| now - modified > older_than_secs;
        let partitions: Vec<&Partition> = partitions.iter().collect();
        let swept = in_parallel(&partitions, WIDTH, |partition| {
            let path = partition.path();
            let committed: BTreeSet<String> = self
                .store
                .list(&format!("_meta/raw/{path}"))?
                .into_iter()
                .filter_map(|e| stem(&e.key, ".json").map(str::to_owned))
                .collect();
            let current = self.clean_pointer(partition)?.map(|(p, _)| p.path);
            let mut swept = self.store.sweep_unfinished(&format!("raw/{path}"), older_than_secs)?;
            for entry in self.store.list(&format!("raw/{path}"))? {
                if old(entry.modified)
                    && stem(&entry.key, ".jsonl.zst").is_some_and(|part| !committed.contains(part))
                {
                    self.store.delete(&entry.key)?;
                    swept += 1;
                }
            }
            swept += self.store.sweep_unfinished(&format!("clean/{path}"), older_than_secs)?;
            for entry in self.store.list(&format!("clean/{path}"))? {
                let pointed = current.as_ref().is_some_and(|c| entry.key.starts_with(c.as_str()));
                if old(entry.modified) && !pointed {
                    self.store.delete(&entry.key)?;
                    swept += 1;
                }
            }
            Ok(swept)
        })?;
        Ok(swept.into_iter().sum::<u64>() + self.store.sweep_unfinished("_meta", older_than_secs)?)
    }

    /// Removes what killed runs left of a dataset: versions without a manifest, unfinished files.
    /// Returns how many files.
    ///
    /// # Errors
    /// Of the store.
    pub fn sweep_dataset(&self, name: &str, older_than_secs: i64) -> Result<u64> {
        check_name(name)?;
        let folder = format!("datasets/{name}");
        let mut swept = self.store.sweep_unfinished(&folder, older_than_secs)?;
        let entries = self.store.list(&folder)?;
        let version = |key: &str| key[folder.len() + 1..].split_once('/').map(|(v, _)| v.to_owned());
        let committed: BTreeSet<String> = entries
            .iter()
            .filter(|e| e.key.ends_with("/manifest.json"))
            .filter_map(|e| version(&e.key))
            .collect();
        let now =
            std::time::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        for entry in &entries {
            let nobodys = version(&entry.key).is_some_and(|v| !committed.contains(&v));
            if nobodys && now - entry.modified > older_than_secs {
                self.store.delete(&entry.key)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn by_partition(&self, prefix: &str) -> Result<BTreeMap<Partition, Vec<String>>> {
        let mut found: BTreeMap<Partition, Vec<String>> = BTreeMap::new();
        for entry in self.store.list(prefix)?.into_iter().filter(|e| is_json(&e.key)) {
            if let Some(partition) = entry.key.get(prefix.len() + 1..).and_then(Partition::from_key) {
                found.entry(partition).or_default().push(entry.key);
            }
        }
        Ok(found)
    }

    /// A small JSON object; `None` where nothing lies.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is something else; of the store.
    pub fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.store.get(key)?.map(|(bytes, _)| parse(key, &bytes)).transpose()
    }

    fn get_all<T: DeserializeOwned + Send>(&self, keys: &[String]) -> Result<Vec<T>> {
        let found = in_parallel(keys, WIDTH, |key| self.get_json(key))?;
        // What was listed and is gone was swept or purged meanwhile.
        Ok(found.into_iter().flatten().collect())
    }

    /// Publishes a small object whose bytes its key already decides.
    ///
    /// # Errors
    /// Of the store.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.store.put(key, bytes, &Condition::Always)
    }
}

const ABOUT: &str = "_meta/lake.json";

fn raw_commit_key(partition: &Partition, part: &str) -> String {
    format!("_meta/raw/{}/{part}.json", partition.path())
}

fn clean_pointer_key(partition: &Partition) -> String {
    format!("_meta/clean/{}.json", partition.path())
}

fn current_key(name: &str) -> String {
    format!("datasets/{name}/current.json")
}

fn dataset_path(name: &str, version: &str) -> Result<String> {
    check_name(name)?;
    check_name(version)?;
    Ok(format!("datasets/{name}/{version}"))
}

fn is_json(key: &str) -> bool {
    stem(key, ".json").is_some()
}

fn stem<'a>(key: &'a str, ending: &str) -> Option<&'a str> {
    key.rsplit('/').next()?.strip_suffix(ending)
}

fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| Error::Corrupt(format!("{key} is not what it should be: {e}")))
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    let _ = bytes.write_all(b"\n");
    bytes
}

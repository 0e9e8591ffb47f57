//! What stands under `_meta` and beside datasets: the JSON that stages leave for each other, for
//! the gates and for people. Unknown keys are ignored on reading, so that older readers survive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::times::serde_micros;
use crate::{Authors, Counts, IdentitiesAt, Ledger, Partition};

/// Earliest and latest tweet time, µs since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// Earliest.
    #[serde(with = "serde_micros")]
    pub first: Option<i64>,
    /// Latest.
    #[serde(with = "serde_micros")]
    pub last: Option<i64>,
}

impl TimeRange {
    /// Widens the range to hold `time`.
    pub fn include(&mut self, time: Option<i64>) {
        let Some(t) = time else { return };
        self.first = Some(self.first.map_or(t, |f| f.min(t)));
        self.last = Some(self.last.map_or(t, |l| l.max(t)));
    }
}

/// Smallest and greatest tweet id, X's by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// Smallest.
    pub min: Option<String>,
    /// Greatest.
    pub max: Option<String>,
}

impl IdRange {
    /// Widens the range to hold `id`. Ids of digits compare by length first, which is by number.
    pub fn include(&mut self, id: &str) {
        let less = |a: &str, b: &str| (a.len(), a) < (b.len(), b);
        if self.min.as_deref().is_none_or(|min| less(id, min)) {
            self.min = Some(id.to_owned());
        }
        if self.max.as_deref().is_none_or(|max| less(max, id)) {
            self.max = Some(id.to_owned());
        }
    }
}

/// `_meta/raw/<partition>/<part>.json`: written after the part, and what makes it exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawCommit {
    /// The part's name, by its content.
    pub part: String,
    /// Its key in the lake.
    pub path: String,
    /// Bytes at rest.
    pub size: u64,
    /// Of the bytes at rest.
    pub sha256: String,
    /// Lines, one tweet each.
    pub tweets: u64,
    /// Distinct ids among them.
    pub unique: u64,
    /// When the part was read; for files the newest tweet time inside.
    #[serde(with = "serde_micros")]
    pub received: Option<i64>,
    /// `x` or `bluesky`.
    pub source: String,
    /// `file`, `search`, `stream`, `repair` or `bluesky`.
    pub via: String,
    /// Of the tweets inside.
    pub times: TimeRange,
    /// Of the tweets inside.
    pub ids: IdRange,
    /// How many of them are retweets.
    pub retweets: u64,
    /// Days of every id that a line names, as itself, its original, its first version, or a tweet that it
    /// answers or quotes: the days whose tombstones touch this part.
    pub touches: Vec<String>,
    /// Tweets by the platform's own language code; the empty name counts those without.
    pub languages: Counts,
    /// Where the part says who its lines are, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<IdentitiesAt>,
    /// Who wrote its tweets and the originals that they carry, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<Authors>,
}

/// A file at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// Bytes.
    pub size: u64,
    /// Of the whole file.
    pub sha256: String,
    /// Rows or lines.
    pub rows: u64,
}

/// One raw part that a clean result was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStat {
    /// Name.
    pub part: String,
    /// Of its bytes at rest.
    pub sha256: String,
    /// Lines.
    pub tweets: u64,
}

/// `_meta/clean/<partition>.json`: points to the partition's current clean result and tells its ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CleanPointer {
    /// Which partition.
    pub partition: Partition,
    /// Of inputs, arguments and versions.
    pub fingerprint: String,
    /// Folder of the result.
    pub path: String,
    /// `tweets.parquet`, `dropped.parquet`, `rejects.jsonl`.
    pub files: BTreeMap<String, FileStat>,
    /// The raw parts read.
    pub inputs: Vec<PartStat>,
    /// Hash of the tombstones that touched it.
    pub tombstones: String,
    /// As they decide the result.
    pub arguments: Json,
    /// Of binary rules, schema, lexicon and profile.
    pub versions: BTreeMap<String, String>,
    /// The partition's ledger.
    #[serde(flatten)]
    pub ledger: Ledger,
    /// Kept rows by language.
    pub languages: Counts,
    /// Terms that dropped tweets as music, by how many tweets.
    pub music_terms: Counts,
    /// Of the kept rows.
    pub times: TimeRange,
    /// Of the kept rows.
    pub ids: IdRange,
    /// A few ids per drop reason; never text.
    pub samples: BTreeMap<String, Vec<String>>,
}

/// One input of a run, as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputStat {
    /// Path or location.
    pub path: String,
    /// Bytes, as stored.
    pub size: u64,
    /// Of the bytes, as stored.
    pub sha256: String,
    /// Values read from it.
    pub records: u64,
}

/// `_meta/runs/<stage>/<run_id>.json`: what one run did. The only record with a clock in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunManifest {
    /// `ingest`, `clean` or `featurize`.
    pub stage: String,
    /// Name of the run.
    pub run_id: String,
    /// RFC 3339.
    #[serde(with = "serde_micros")]
    pub started: Option<i64>,
    /// RFC 3339.
    #[serde(with = "serde_micros")]
    pub ended: Option<i64>,
    /// Of the binary.
    pub version: String,
    /// As given, secrets never among them.
    pub arguments: Json,
    /// The run's ledger.
    #[serde(flatten)]
    pub ledger: Ledger,
    /// Partitions touched.
    pub partitions: Vec<Partition>,
    /// What was read.
    pub inputs: Vec<InputStat>,
    /// Keys written or found to be there already.
    pub outputs: Vec<String>,
    /// Fields that came with an unreadable type and became null, by name.
    pub retyped: Counts,
}

/// `_meta/gates/<gate>/<fingerprint>.json`: what a gate said of exactly these bytes.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    /// Whether every critical expectation held.
    pub success: bool,
}

/// One split of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitStat {
    /// Rows.
    pub rows: u64,
    /// Part of all rows, 0 to 1.
    pub share: f64,
    /// Of its rows.
    #[serde(default)]
    pub times: TimeRange,
    /// Of its rows.
    #[serde(default)]
    pub ids: IdRange,
    /// Its rows by language.
    #[serde(default)]
    pub languages: Counts,
}

/// One Parquet file of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetFile {
    /// Below the dataset's folder.
    pub path: String,
    /// Which split.
    pub split: String,
    /// Size, hash and rows.
    #[serde(flatten)]
    pub stat: FileStat,
}

/// One clean result that a dataset was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanInput {
    /// Which partition.
    pub partition: Partition,
    /// Of the clean result.
    pub fingerprint: String,
    /// Rows in it.
    pub kept: u64,
}

/// `datasets/<name>/<version>/manifest.json`: all that a dataset is, from first byte to last row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatasetManifest {
    /// Name.
    pub dataset: String,
    /// First 12 hex digits of the fingerprint.
    pub version: String,
    /// Of inputs, arguments, tombstones and versions.
    pub fingerprint: String,
    /// Totals of the partitions, and this stage's own `read`, `kept`, `dropped`.
    #[serde(flatten)]
    pub ledger: Ledger,
    /// What `clean` kept and dropped in these partitions.
    pub clean: Ledger,
    /// By split.
    pub splits: BTreeMap<String, SplitStat>,
    /// Parquet files.
    pub files: Vec<DatasetFile>,
    /// Other files beside `data/`, by name.
    pub beside: BTreeMap<String, FileStat>,
    /// Clean results read.
    pub inputs: Vec<CleanInput>,
    /// Hash of all tombstones applied.
    pub tombstones: String,
    /// What these were, and what they did.
    #[serde(default)]
    pub compliance: Compliance,
    /// As they decide the dataset.
    pub arguments: Json,
    /// Of binary rules, schema, lexicon and profile.
    pub versions: BTreeMap<String, String>,
    /// Asked interval.
    pub interval: TimeInterval,
    /// Of the rows.
    pub times: TimeRange,
    /// Of the rows.
    pub ids: IdRange,
    /// Rows by language.
    pub languages: Counts,
    /// A few ids per drop reason; never text.
    pub samples: BTreeMap<String, Vec<String>>,
    /// Where the terms stand that govern the tweets.
    #[serde(default)]
    pub license: String,
    /// What these let one pass on.
    #[serde(default)]
    pub redistribution: String,
}

/// Which deletions a dataset version honours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compliance {
    /// When the newest tombstone came into the lake, by the store's clock, µs; `None` without tombstones.
    #[serde(with = "serde_micros")]
    pub newest: Option<i64>,
    /// Tombstones of the lake: tweets, users, and users who took places back.
    pub tombstones: u64,
    /// Rows of tweets that they kept out, in `clean` and in `featurize`.
    pub deleted: u64,
}

/// A half-open interval; an absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeInterval {
    /// From, inclusive.
    #[serde(with = "serde_micros")]
    pub since: Option<i64>,
    /// To, exclusive.
    #[serde(with = "serde_micros")]
    pub until: Option<i64>,
}

/// `datasets/<name>/current.json`: the promoted version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentPointer {
    /// Name.
    pub dataset: String,
    /// Promoted version.
    pub version: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Key of its manifest.
    pub manifest: String,
}

#[cfg(test)]
mod tests {
    use super::IdRange;

    #[test]
    fn ids_compare_by_number() {
        let mut ids = IdRange::default();
        for id in ["9", "10", "1342251537222037512", "99"] {
            ids.include(id);
        }
        assert_eq!((ids.min.as_deref(), ids.max.as_deref()), (Some("9"), Some("1342251537222037512")));
    }
}

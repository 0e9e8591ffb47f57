//! Where everything that was read ends up, whatever it came from: parts, notices, rejects, tombstones
//! and the ledger, and at the end the run's manifest.

use std::collections::BTreeSet;

use lake::{
    Counts, InputStat, Lake, Ledger, Location, Partition, RunManifest, SWEEP_AFTER, Tombstones, sha256_hex,
};
use serde::Serialize;
use task::{Exit, Failure, Outcome, Summary, Task};
use tracing::info;

use crate::Args;
use crate::classify::{Classified, End};
use crate::ids::IdSet;
use crate::raw::RawWriter;

/// Bytes of rejects or notices held before they are written to a file of their own.
const HELD: usize = 16 << 20;

/// What one run takes in.
pub(crate) struct Sink<'a> {
    pub(crate) args: &'a Args,
    pub(crate) task: &'a Task,
    pub(crate) lake: &'a Lake,
    pub(crate) raw: RawWriter<'a>,
    pub(crate) ledger: Ledger,
    /// Rejects that are lines cut by the end of a connection: they come again, and tell nothing of the source.
    pub(crate) broken_off: u64,
    /// Tweets after which nothing more is taken.
    limit: Option<u64>,
    ids: IdSet,
    retyped: Counts,
    tombstones: Tombstones,
    notices: Vec<u8>,
    rejects: Vec<u8>,
    /// Keys of the files of notices and rejects, and of the committed parts.
    written: Vec<String>,
    partitions: BTreeSet<Partition>,
    /// Tweets in the committed parts.
    committed: u64,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(args: &'a Args, task: &'a Task, lake: &'a Lake, via: &'static str) -> Self {
        Self {
            args,
            task,
            lake,
            raw: RawWriter::new(lake, via),
            ledger: Ledger::default(),
            broken_off: 0,
            limit: None,
            ids: IdSet::default(),
            retyped: Counts::new(),
            tombstones: Tombstones::default(),
            notices: Vec::new(),
            rejects: Vec::new(),
            written: Vec::new(),
            partitions: BTreeSet::new(),
            committed: 0,
        }
    }

    /// The same, but nothing is taken after so many tweets.
    pub(crate) fn limited(mut self, tweets: Option<u64>) -> Self {
        self.limit = tweets;
        self
    }

    /// Whether the limit is reached.
    pub(crate) fn full(&self) -> bool {
        self.limit.is_some_and(|limit| self.ledger.consumed >= limit)
    }

    /// Takes what was read, up to the limit.
    pub(crate) fn take(&mut self, classified: Classified) -> Outcome<()> {
        let mut records = classified.records;
        for (taken, end) in (0..).zip(classified.ends) {
            if self.full() {
                records = taken;
                break;
            }
            match end {
                End::Line(line) => {
                    self.raw.add(&line, &classified.bytes[line.place.clone()])?;
                    self.ledger.consumed += 1;
                    self.ids.insert(&line.id);
                    line.retyped.iter().for_each(|field| Ledger::count(&mut self.retyped, field, 1));
                }
                End::Notice(notice) => {
                    Ledger::count(&mut self.ledger.notices, notice.kind.as_str(), 1);
                    self.notices
                        .extend_from_slice(format!("{{\"kind\":\"{}\",\"value\":", notice.kind).as_bytes());
                    self.notices.extend_from_slice(notice.json.as_bytes());
                    self.notices.extend_from_slice(b"}\n");
                    notice.tombstones.into_iter().for_each(|t| self.tombstones.insert(t));
                }
                End::Rejected(rejected) => {
                    Ledger::count(&mut self.ledger.rejected, rejected.code, 1);
                    serde_json::to_writer(&mut self.rejects, &rejected)
                        .map_err(|e| Failure::new(Exit::Bug, format!("cannot write down a reject: {e}")))?;
                    self.rejects.push(b'\n');
                }
                End::Unmatched => self.ledger.unmatched += 1,
            }
        }
        self.ledger.records += records;
        if self.notices.len() + self.rejects.len() > HELD { self.write_said() } else { Ok(()) }
    }

    /// Writes down the notices and rejects held.
    pub(crate) fn write_said(&mut self) -> Outcome<()> {
        for (folder, lines) in [("notices", &mut self.notices), ("rejects", &mut self.rejects)] {
            self.written.extend(self.lake.write_lines(folder, lines)?);
            lines.clear();
        }
        Ok(())
    }

    /// Whether everything read so far has an end.
    pub(crate) fn balance(&mut self) -> Outcome<()> {
        self.ledger.unique = self.ids.len();
        self.ledger.read = self.ledger.records;
        self.ledger.kept = self.ledger.consumed;
        self.ledger.balance_records().map_err(|why| Failure::new(Exit::Bug, why))
    }

    /// Commits everything held: first what was said about tweets, then the tweets.
    pub(crate) fn commit(&mut self) -> Outcome<()> {
        self.balance()?;
        self.write_said()?;
        self.lake.add_tombstones(&std::mem::take(&mut self.tombstones))?;
        for (partition, commit) in self.raw.commit(self.held())? {
            self.committed += commit.tweets;
            self.written.push(commit.path);
            self.partitions.insert(partition);
        }
        Ok(())
    }

    /// Tweets taken and not committed yet.
    pub(crate) fn held(&self) -> u64 {
        self.ledger.consumed - self.committed
    }

    /// The share of values that could not be read, if it is above the one allowed, in words.
    pub(crate) fn too_many_rejects(&self) -> Option<String> {
        let l = &self.ledger;
        let rejected = l.rejected.values().sum::<u64>() - self.broken_off;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
        let rate = rejected as f64 / l.records.max(1) as f64;
        let max = self.args.max_reject_rate.filter(|max| rate > *max)?;
        let codes: Vec<String> = l.rejected.iter().map(|(code, n)| format!("{code} {n}")).collect();
        Some(format!(
            "{rejected} of {} values cannot be read ({:.2} %, allowed {:.2} %): {}",
            l.records,
            rate * 100.0,
            max * 100.0,
            codes.join(", ")
        ))
    }

    /// Writes the manifest of a run whose parts are committed. `more` stands beside the keys of every run.
    pub(crate) fn manifest(&mut self, inputs: Vec<InputStat>, more: impl Serialize) -> Outcome<Summary> {
        let swept = self.lake.sweep(&self.partitions, SWEEP_AFTER)?;
        if swept > 0 {
            info!(swept, "removed what killed runs had left");
        }
        #[derive(Serialize)]
        struct Whole<M> {
            #[serde(flatten)]
            run: RunManifest,
            #[serde(flatten)]
            more: M,
        }
        let run = RunManifest {
            stage: "ingest".into(),
            run_id: self.task.run_id.to_string(),
            started: Some(self.task.started),
            ended: Some(self.task.now()),
            version: env!("CARGO_PKG_VERSION").into(),
            arguments: self.args.shown(),
            ledger: self.ledger.clone(),
            partitions: self.partitions.iter().cloned().collect(),
            inputs,
            outputs: std::mem::take(&mut self.written),
            retyped: std::mem::take(&mut self.retyped),
        };
        let bytes = serde_json::to_vec_pretty(&Whole { run, more })
            .map_err(|e| Failure::new(Exit::Bug, format!("cannot write the manifest: {e}")))?;
        let key = format!("_meta/runs/ingest/{}.json", self.task.run_id);
        self.lake.put(&key, &bytes)?;
        let place: Location = self.lake.location().join(&key);
        Ok(Summary::new("ingest", self.task.run_id.as_str(), &self.ledger, self.partitions.len(), &place))
    }
}

/// Sixteen hex digits of a question, for names.
pub(crate) fn short_hash(of: &str) -> String {
    sha256_hex(of.as_bytes())[..16].to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;
    use lake::{Chunk, Lake, Location, Values};
    use task::{Exit, Stop, Task};

    use super::Sink;
    use crate::Args;
    use crate::classify::{Classified, End, classify};
    use crate::wanted::Wanted;

    /// A tweet that was asked for, one that was not, a notice and a reject.
    const TEXT: &[u8] = b"{\"id\":\"1342258755793846273\",\"text\":\"asked for\"}\n\
        {\"id\":\"1342258755793846274\",\"text\":\"something else\"}\n\
        {\"limit\":{\"track\":1}}\n{\"id\":\n";

    /// Commits what is left of the chunk after `lose`, into a lake of its own.
    fn committed(lose: impl Fn(&mut Classified), lie: impl Fn(&mut Sink<'_>)) -> (Option<Exit>, usize) {
        let dir = tempfile::tempdir().unwrap();
        let args = Args::parse_from(["ingest", "--lake", "unused", "--track", "asked"]);
        let lake = Lake::open_or_create(&Location::Local(dir.path().join("lake")), None).unwrap();
        let task = Task::new(&args.common, Stop::default()).unwrap();
        let chunk: Chunk = Values::new(TEXT).next_chunk().unwrap().unwrap();
        let mut classified = classify("input", chunk, &Wanted::new(&args).unwrap());
        lose(&mut classified);
        let mut sink = Sink::new(&args, &task, &lake, "file");
        sink.take(classified).unwrap();
        lie(&mut sink);
        let exit = sink.commit().err().map(|failure| failure.exit);
        (exit, lake.raw_partitions().unwrap().len())
    }

    #[test]
    fn a_lost_record_of_any_kind_is_our_bug_and_nothing_is_committed() {
        assert_eq!(committed(|_| {}, |_| {}), (None, 1));
        let kinds: [fn(&End) -> bool; 4] = [
            |end| matches!(end, End::Line(_)),
            |end| matches!(end, End::Unmatched),
            |end| matches!(end, End::Notice(_)),
            |end| matches!(end, End::Rejected(_)),
        ];
        for is in kinds {
            let lost = committed(
                |classified| {
                    let before = classified.ends.len();
                    classified.ends.retain(|end| !is(end));
                    assert_eq!(classified.ends.len(), before - 1);
                },
                |_| {},
            );
            assert_eq!(lost, (Some(Exit::Bug), 0));
        }
        // A ledger that balances, over parts that hold less than it says.
        let lost = committed(
            |_| {},
            |sink| {
                sink.ledger.records += 1;
                sink.ledger.consumed += 1;
            },
        );
        assert_eq!(lost, (Some(Exit::Bug), 0));
    }
}

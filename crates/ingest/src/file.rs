//! Files to raw: everything is read first, and committed only if the whole run stands.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use lake::{
    Chunk, Counts, Grain, Input, InputStat, Lake, Ledger, Partition, RunManifest, SWEEP_AFTER, Tombstones,
    Values, sha256_hex,
};
use task::{Exit, Failure, Outcome, Progress, Summary, Task, ordered_map};
use tracing::{info, warn};

use crate::Args;
use crate::classify::{Classified, End, classify};
use crate::ids::IdSet;
use crate::raw::RawWriter;
use crate::wanted::Wanted;

/// Bytes of rejects or notices held before they are written to a file of their own.
const HELD: usize = 16 << 20;

/// Reads all inputs.
pub(crate) fn run(args: &Args, task: &Task) -> Outcome<Summary> {
    if args.input.is_empty() {
        return Err(Failure::new(Exit::Usage, "nothing to read")
            .hint("name files with --input, or - for standard input"));
    }
    let wanted = Wanted::new(args)?;
    let names = distinct(&args.input)?;
    // An input that is not there, or an interval that does not fit, is found before a lake is made for it.
    for name in names.iter().filter(|n| *n != "-" && !flows(n)) {
        Input::open(name)?;
    }
    let grain = match Lake::find(&args.lake)? {
        Some(lake) => lake.grain(),
        None => args.partition_by.unwrap_or(Grain::Day),
    };
    args.check(grain)?;
    let lake = Lake::open_or_create(&args.lake, args.partition_by)?;
    lake.probe_conditions()?;

    let mut run = Run {
        args,
        task,
        lake: &lake,
        raw: RawWriter::new(&lake, "file"),
        ledger: Ledger::default(),
        ids: IdSet::default(),
        retyped: Counts::new(),
        tombstones: Tombstones::default(),
        notices: Vec::new(),
        rejects: Vec::new(),
        written: Vec::new(),
    };
    let mut inputs = Vec::new();
    for name in &names {
        if run.full() {
            break;
        }
        inputs.push(run.read(name, &wanted)?);
    }
    run.end(inputs)
}

/// Leaves out inputs that are, byte for byte, an earlier one: a copy of a file is no second reading.
fn distinct(names: &[String]) -> Outcome<Vec<String>> {
    let mut sizes: BTreeMap<u64, Vec<&String>> = BTreeMap::new();
    for name in names {
        let size = std::fs::metadata(name).map_or(0, |m| m.len());
        sizes.entry(size).or_default().push(name);
    }
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for name in names {
        let size = std::fs::metadata(name).map_or(0, |m| m.len());
        let alone = size == 0 || sizes.get(&size).is_none_or(|same| same.len() == 1);
        let mark = if alone { name.clone() } else { hash_of(name)? };
        if seen.insert(mark) {
            kept.push(name.clone());
        } else {
            info!(input = name, "is the same as an earlier input and is not read again");
        }
    }
    Ok(kept)
}

/// Whether an input is a pipe or a device, such as `<(zcat …)` of a shell: opening it twice would lose
/// what the first reader took.
fn flows(name: &str) -> bool {
    std::fs::metadata(name).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

fn hash_of(name: &str) -> Outcome<String> {
    let (input, mut reader) = Input::open(name)?;
    let end = std::io::copy(&mut reader, &mut std::io::sink());
    // A damaged file is told as such when it is read.
    Ok(end.map_or_else(|_| sha256_hex(name.as_bytes()), |_| input.stat(0).sha256))
}

/// One run over its inputs.
struct Run<'a> {
    args: &'a Args,
    task: &'a Task,
    lake: &'a Lake,
    raw: RawWriter<'a>,
    ledger: Ledger,
    ids: IdSet,
    retyped: Counts,
    tombstones: Tombstones,
    notices: Vec<u8>,
    rejects: Vec<u8>,
    /// Keys of the files of notices and rejects.
    written: Vec<String>,
}

impl Run<'_> {
    fn full(&self) -> bool {
        self.args.max_tweets.is_some_and(|max| self.ledger.consumed >= max)
    }

    fn read(&mut self, name: &str, wanted: &Wanted) -> Outcome<InputStat> {
        let (input, reader) = Input::open(name)?;
        let before = self.ledger.records;
        let progress = Progress::bytes(input.size);
        progress.say(name.to_owned());
        let mut values = Values::new(reader);
        let (stop, allow_cut) = (self.task.stop.clone(), self.args.allow_cut);
        let mut first = true;
        let next = || {
            stop.check()?;
            match values.next_chunk() {
                Ok(chunk) => Ok(chunk.map(|chunk| {
                    let head = std::mem::take(&mut first).then(|| chunk.bytes.clone());
                    (chunk, head, input.position())
                })),
                Err(e) => match input.error(&e) {
                    lake::Error::Corrupt(why) if allow_cut => {
                        warn!("{why}; its whole values are taken");
                        Ok(None)
                    }
                    lake::Error::Corrupt(why) => Err(Failure::new(Exit::BadInput, why).hint(CUT)),
                    other => Err(other.into()),
                },
            }
        };
        let work = |(chunk, head, position): (Chunk, Option<Vec<u8>>, u64)| {
            Ok((classify(name, &chunk, wanted), head, position))
        };
        ordered_map(self.task.threads, next, work, |(classified, head, position)| {
            progress.at(position);
            if let Some(head) = head {
                self.raw.begin_input(&head);
            }
            self.take(classified)?;
            Ok(if self.full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.raw.end_input()?;
        // What an input said lies by itself, as its parts do: how inputs are grouped into runs changes nothing.
        self.write_said()?;
        let stat = input.stat(self.ledger.records - before);
        info!(input = name, records = stat.records, bytes = stat.size, "read");
        Ok(stat)
    }

    fn take(&mut self, classified: Classified) -> Outcome<()> {
        let mut records = classified.records;
        for (taken, end) in (0..).zip(classified.ends) {
            if self.full() {
                records = taken;
                break;
            }
            match end {
                End::Line(line) => {
                    self.raw.add(&line, &classified.bytes[line.start..line.end])?;
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
    fn write_said(&mut self) -> Outcome<()> {
        for (folder, lines) in [("notices", &mut self.notices), ("rejects", &mut self.rejects)] {
            self.written.extend(self.lake.write_lines(folder, lines)?);
            lines.clear();
        }
        Ok(())
    }

    /// Judges the whole run, and commits it if it stands.
    fn end(mut self, inputs: Vec<InputStat>) -> Outcome<Summary> {
        self.write_said()?;
        self.ledger.unique = self.ids.len();
        self.ledger.read = self.ledger.records;
        self.ledger.kept = self.ledger.consumed;
        self.ledger.balance_records().map_err(|why| Failure::new(Exit::Bug, why))?;
        self.judge()?;
        self.lake.add_tombstones(&self.tombstones)?;
        let commits = self.raw.commit()?;
        let partitions: BTreeSet<Partition> = commits.iter().map(|(p, _)| p.clone()).collect();
        let held: u64 = commits.iter().map(|(_, commit)| commit.tweets).sum();
        if held != self.ledger.consumed {
            let why = format!("the parts hold {held} tweets, but {} were consumed", self.ledger.consumed);
            return Err(Failure::new(Exit::Bug, why));
        }
        let swept = self.lake.sweep(&partitions, SWEEP_AFTER)?;
        if swept > 0 {
            info!(swept, "removed what killed runs had left");
        }
        let manifest = RunManifest {
            stage: "ingest".into(),
            run_id: self.task.run_id.to_string(),
            started: Some(self.task.started),
            ended: Some(self.task.now()),
            version: env!("CARGO_PKG_VERSION").into(),
            arguments: self.args.shown(),
            ledger: self.ledger.clone(),
            partitions: partitions.iter().cloned().collect(),
            inputs,
            outputs: commits.into_iter().map(|(_, commit)| commit.path).chain(self.written).collect(),
            retyped: self.retyped,
        };
        let place = self.lake.write_run(&self.task.run_id, &manifest)?;
        Ok(Summary::new("ingest", self.task.run_id.as_str(), &self.ledger, partitions.len(), &place))
    }

    /// The inputs, in a few words.
    fn inputs(&self) -> String {
        match self.args.input.as_slice() {
            few @ ([_] | [_, _] | [_, _, _]) => few.join(", "),
            many => format!("{} inputs", many.len()),
        }
    }

    /// Refuses a run whose input is not what it should be; its rejects are written down already.
    fn judge(&self) -> Outcome<()> {
        let l = &self.ledger;
        let rejected: u64 = l.rejected.values().sum();
        let codes: Vec<String> = l.rejected.iter().map(|(code, n)| format!("{code} {n}")).collect();
        if l.records == 0 {
            return Err(Failure::new(
                Exit::BadInput,
                format!("{} holds nothing", self.inputs()),
            )
            .hint("tweets are JSON: one a line, pages, arrays; plain, gzip or zstd"));
        }
        if rejected == l.records {
            return Err(Failure::new(
                Exit::BadInput,
                format!("no tweets in {}: rejected as {}", self.inputs(), codes.join(", ")),
            )
            .hint(format!(
                "see {} for the bytes and the place of each",
                self.args.lake.join("_meta/rejects")
            )));
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
        let rate = rejected as f64 / l.records as f64;
        match self.args.max_reject_rate {
            Some(max) if rate > max => Err(Failure::new(
                Exit::BadInput,
                format!(
                    "{rejected} of {} values cannot be read ({:.2} %, allowed {:.2} %): {}",
                    l.records,
                    rate * 100.0,
                    max * 100.0,
                    codes.join(", ")
                ),
            )
            .hint(format!(
                "nothing was committed; see {} for the bytes and the place of each",
                self.args.lake.join("_meta/rejects")
            ))),
            _ => Ok(()),
        }
    }
}

const CUT: &str = "fetch or repair the file; --allow-cut takes the whole values before the damage";

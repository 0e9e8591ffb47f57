//! Files to raw: everything is read first, and committed only if the whole run stands.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use lake::{Chunk, Grain, Input, InputStat, Lake, Values, sha256_hex};
use task::{Exit, Failure, Outcome, Progress, Summary, Task, ordered_map};
use tracing::{info, warn};

use crate::Args;
use crate::classify::classify;
use crate::sink::Sink;
use crate::wanted::Wanted;

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

    let mut run = Run(Sink::new(args, task, &lake, "file").limited(args.max_tweets));
    let mut inputs = Vec::new();
    for name in &names {
        if run.0.full() {
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
struct Run<'a>(Sink<'a>);

impl Run<'_> {
    fn read(&mut self, name: &str, wanted: &Wanted) -> Outcome<InputStat> {
        let (input, reader) = Input::open(name)?;
        let before = self.0.ledger.records;
        let progress = Progress::bytes(input.size);
        progress.say(name.to_owned());
        let mut values = Values::new(reader);
        let (stop, allow_cut) = (self.0.task.stop.clone(), self.0.args.allow_cut);
        let mut first = true;
        let next = || {
            stop.check()?;
            match values.next_chunk() {
                Ok(chunk) => Ok(chunk.map(|chunk| {
                    let head = std::mem::take(&mut first).then(|| chunk.bytes.to_vec());
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
            Ok((classify(name, chunk, wanted), head, position))
        };
        ordered_map(self.0.task.threads, next, work, |(classified, head, position)| {
            progress.at(position);
            if let Some(head) = head {
                self.0.raw.begin_input(&head);
            }
            self.0.take(classified)?;
            Ok(if self.0.full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.0.raw.end_input()?;
        // What an input said lies by itself, as its parts do: how inputs are grouped into runs changes nothing.
        self.0.write_said()?;
        let stat = input.stat(self.0.ledger.records - before);
        info!(input = name, records = stat.records, bytes = stat.size, "read");
        Ok(stat)
    }

    /// Judges the whole run, and commits it if it stands.
    fn end(mut self, inputs: Vec<InputStat>) -> Outcome<Summary> {
        self.0.write_said()?;
        self.0.balance()?;
        self.judge()?;
        self.0.commit()?;
        self.0.manifest(inputs, ())
    }

    /// The inputs, in a few words.
    fn inputs(&self) -> String {
        match self.0.args.input.as_slice() {
            few @ ([_] | [_, _] | [_, _, _]) => few.join(", "),
            many => format!("{} inputs", many.len()),
        }
    }

    /// Refuses a run whose input is not what it should be; its rejects are written down already.
    fn judge(&self) -> Outcome<()> {
        let l = &self.0.ledger;
        let rejected: u64 = l.rejected.values().sum();
        let codes: Vec<String> = l.rejected.iter().map(|(code, n)| format!("{code} {n}")).collect();
        if l.records == 0 {
            return Err(Failure::new(Exit::BadInput, format!("{} holds nothing", self.inputs()))
                .hint("tweets are JSON: one a line, pages, arrays; plain, gzip or zstd"));
        }
        if rejected == l.records {
            return Err(Failure::new(
                Exit::BadInput,
                format!("no tweets in {}: rejected as {}", self.inputs(), codes.join(", ")),
            )
            .hint(format!(
                "see {} for the bytes and the place of each",
                self.0.args.lake.join("_meta/rejects")
            )));
        }
        match self.0.too_many_rejects() {
            Some(why) => Err(Failure::new(Exit::BadInput, why).hint(format!(
                "nothing was committed; see {} for the bytes and the place of each",
                self.0.args.lake.join("_meta/rejects")
            ))),
            None => Ok(()),
        }
    }
}

const CUT: &str = "fetch or repair the file; --allow-cut takes the whole values before the damage";

//! The stage: every asked partition, made and published one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lake::{CleanPointer, Lake, Ledger, Partition, RunManifest, SWEEP_AFTER, Tombstones, in_parallel};
use task::{Exit, Failure, Outcome, Progress, Summary, Task};
use tracing::{info, warn};

use crate::Args;
use crate::gate::passed;
use crate::partition::make;
use crate::plan::{Asked, stale};
use crate::rules::Rules;

/// Partitions up to this size (as stored) are made side by side, one thread each; larger ones one
/// after the other with all threads.
const SMALL: u64 = 4 << 20;

/// Cleans what is asked.
pub(crate) fn run(args: &Args, task: &Task) -> Outcome<Summary> {
    let location = args.lake.as_ref().ok_or_else(|| Failure::new(Exit::Usage, "no lake was named"))?;
    let rules = Rules::new(&args.rules)?;
    let lake = Lake::open(location)
        .map_err(|e| Failure::from(e).hint("ingest makes the lake: ingest --lake … --input …"))?;
    if let Some(file) = &args.tombstones {
        add_tombstones(&lake, file)?;
    }
    let asked = asked(&lake, &rules, &args.partition)?;
    if asked.is_empty() {
        return Err(Failure::new(Exit::Nothing, format!("every partition of {location} is clean already")));
    }
    let asked = if args.gated {
        let (passed, waiting) = passed(&lake, asked)?;
        match waiting {
            Some(waiting) if passed.is_empty() => return Err(waiting.failure()),
            Some(waiting) => warn!("{waiting}; left for the run that asks the gate"),
            None => {}
        }
        passed
    } else {
        asked
    };
    lake.probe_conditions()?;

    let progress = Progress::things(asked.len() as u64);
    let publish = |asked: &Asked, task: &Task| -> Outcome<CleanPointer> {
        let pointer = make(&lake, asked, &rules, task)?;
        if !lake.swap_clean(&pointer)? {
            warn!(partition = %asked.partition, "a result over more parts was published meanwhile and stays");
        }
        progress.step();
        Ok(pointer)
    };
    let (small, large): (Vec<Asked>, Vec<Asked>) = asked.into_iter().partition(|a| a.size() <= SMALL);
    let alone = Task { threads: 1, ..task.clone() };
    let mut pointers: Vec<CleanPointer> = side_by_side(task.threads, &small, |asked| publish(asked, &alone))?;
    for asked in &large {
        pointers.push(publish(asked, task)?);
    }
    drop(progress);
    end(args, task, &lake, &rules, pointers)
}

/// Like [`in_parallel`], for work that computes and fails with an exit code.
fn side_by_side<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> Outcome<R> + Sync,
) -> Outcome<Vec<R>> {
    in_parallel(items, threads, |item| Ok(work(item)))?.into_iter().collect()
}

fn add_tombstones(lake: &Lake, file: &Path) -> Outcome<()> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {name}: {e}")))?;
    let tombstones = Tombstones::from_text(&name, &text).map_err(|e| {
        Failure::from(e).hint("a line each: a tweet id, a row of a compliance job, or a delete notice")
    })?;
    lake.add_tombstones(&tombstones)?;
    info!(file = name, tombstones = tombstones.len(), "added to the lake's tombstones");
    Ok(())
}

/// The partitions named, or every stale one.
fn asked(lake: &Lake, rules: &Rules, named: &[Partition]) -> Outcome<Vec<Asked>> {
    if named.is_empty() {
        return stale(lake, rules);
    }
    let found = lake.raw_partitions()?;
    let named: BTreeSet<&Partition> = named.iter().collect();
    let looked = named.into_iter().map(|partition| match found.get(partition) {
        Some(keys) => Ok(Asked::look(lake, rules, partition, keys)?),
        None => Err(Failure::new(
            Exit::MissingInput,
            format!("there are no raw tweets in partition {partition} of {}", lake.location()),
        )
        .hint(format!("a partition of this lake is a {}; see _meta/raw for those there are", lake.grain()))),
    });
    looked.collect()
}

fn end(
    args: &Args,
    task: &Task,
    lake: &Lake,
    rules: &Rules,
    pointers: Vec<CleanPointer>,
) -> Outcome<Summary> {
    let by_partition: BTreeMap<Partition, CleanPointer> =
        pointers.into_iter().map(|p| (p.partition.clone(), p)).collect();
    let partitions: BTreeSet<Partition> = by_partition.keys().cloned().collect();
    let mut ledger = Ledger::default();
    by_partition.values().for_each(|p| ledger.add(&p.ledger));
    let swept = lake.sweep(&partitions, SWEEP_AFTER)?;
    if swept > 0 {
        info!(swept, "removed what killed runs had left");
    }
    let mut arguments = rules.shown();
    if let Some(shown) = arguments.as_object_mut() {
        shown.insert("lake".into(), lake.location().to_string().into());
        shown.insert("gated".into(), args.gated.into());
    }
    let manifest = RunManifest {
        stage: "clean".into(),
        run_id: task.run_id.to_string(),
        started: Some(task.started),
        ended: Some(task.now()),
        version: env!("CARGO_PKG_VERSION").into(),
        arguments,
        ledger: ledger.clone(),
        partitions: partitions.iter().cloned().collect(),
        inputs: Vec::new(),
        outputs: by_partition.values().map(|p| p.path.clone()).collect(),
        retyped: lake::Counts::new(),
    };
    let place = lake.write_run(&task.run_id, &manifest)?;
    Ok(Summary::new("clean", task.run_id.as_str(), &ledger, partitions.len(), &place))
}

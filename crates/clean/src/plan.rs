//! Which partitions are stale, and how they are dealt out to mapped tasks.

use lake::{Author, Lake, Partition, RawCommit, Tombstones};
use serde::Serialize;
use task::{Outcome, Task};

use crate::args::PlanArgs;
use crate::gate::passed;
use crate::rules::Rules;

/// The stale partitions of a lake, dealt out.
#[derive(Debug, Serialize)]
pub struct Plan {
    stage: &'static str,
    run_id: String,
    /// How many are stale and may be cleaned.
    pub partitions: usize,
    /// How many are stale, and wait for the raw gate.
    pub waiting: usize,
    /// Each for one task; none is empty.
    pub batches: Vec<Vec<Partition>>,
}

/// A partition as it lies in the lake, with what its result would be called.
pub(crate) struct Asked {
    pub(crate) partition: Partition,
    pub(crate) parts: Vec<RawCommit>,
    pub(crate) tombstones: Tombstones,
    pub(crate) fingerprint: String,
}

impl Asked {
    /// Looks at one partition, whose commits lie at `keys`.
    pub(crate) fn look(
        lake: &Lake,
        rules: &Rules,
        partition: &Partition,
        keys: &[String],
    ) -> lake::Result<Self> {
        let mut parts = lake.raw_commits(keys)?;
        parts.sort_unstable_by(|a, b| (a.received, &a.part).cmp(&(b.received, &b.part)));
        let days = parts.iter().flat_map(|p| p.touches.iter().cloned()).collect();
        let mut tombstones = lake.tombstones_of(&days)?;
        // Of the users only those that it may name, so that a stranger's deletion makes nothing stale.
        tombstones.retain_users(|source, id| {
            let user = Author::new(source, id);
            parts.iter().any(|part| part.authors.as_ref().is_none_or(|authors| authors.may_hold(user)))
        });
        let fingerprint = rules.fingerprint(&parts, &tombstones.hash());
        Ok(Self { partition: partition.clone(), parts, tombstones, fingerprint })
    }

    /// Bytes of its parts.
    pub(crate) fn size(&self) -> u64 {
        self.parts.iter().map(|p| p.size).sum()
    }
}

/// Every partition whose result is missing or would be called otherwise.
pub(crate) fn stale(lake: &Lake, rules: &Rules) -> Outcome<Vec<Asked>> {
    let pointers = lake.clean_pointers()?;
    let found: Vec<_> = lake.raw_partitions()?.into_iter().collect();
    let asked = lake::in_parallel(&found, 8, |(partition, keys)| Asked::look(lake, rules, partition, keys))?;
    let current =
        |asked: &Asked| pointers.get(&asked.partition).is_some_and(|p| p.fingerprint == asked.fingerprint);
    Ok(asked.into_iter().filter(|a| !current(a)).collect())
}

/// Prints the stale partitions in batches of about the same size, none empty.
pub(crate) fn run(args: &PlanArgs, task: &Task) -> Outcome<Plan> {
    let lake = Lake::open(&args.lake)?;
    let mut stale = stale(&lake, &Rules::new(&args.rules)?)?;
    let mut waiting = None;
    if args.gated {
        (stale, waiting) = passed(&lake, stale)?;
    }
    let partitions = stale.len();
    stale.sort_by(|a, b| b.size().cmp(&a.size()).then(a.partition.cmp(&b.partition)));
    let mut batches: Vec<(u64, Vec<Partition>)> = Vec::new();
    for asked in stale {
        let size = asked.size();
        let lightest = if batches.len() < usize::from(args.batches) {
            batches.push((0, Vec::new()));
            batches.last_mut()
        } else {
            batches.iter_mut().min_by_key(|b| b.0)
        };
        if let Some(batch) = lightest {
            batch.0 += size;
            batch.1.push(asked.partition);
        }
    }
    let mut batches: Vec<Vec<Partition>> = batches.into_iter().map(|(_, batch)| batch).collect();
    batches.iter_mut().for_each(|batch| batch.sort_unstable());
    batches.sort_unstable();
    let waiting = waiting.map_or(0, |waiting| waiting.partitions);
    Ok(Plan { stage: "plan", run_id: task.run_id.to_string(), partitions, waiting, batches })
}

//! Which rows of the clean results stay: the first pass.
//!
//! The first that applies: `deleted` by a tombstone; `retweet` for all but the best row of a tweet that
//! was seen in several partitions; `edited` for all but the last version; `near_copy`, if asked, for all but
//! the earliest of a group of near copies; `split_conflict` for those of a group that belong into another
//! split than its earliest, and for rows whose place in a split is not known yet. A row that stays takes the mergeable values of the rows it stands for.
//!
//! All rows are told apart by 8 bytes each. Only those whose bytes meet, or that were edited, are
//! read again with the values that decide; so equal bytes of different tweets cost time and no row.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use lake::{CleanPointer, Tombstones};
use polars::prelude::{DataFrame, PolarsResult};
use task::{Exit, Failure, Outcome, Progress, Task, ordered_map};
use tweet::Source;

use crate::batches::{Batch, Batches};
use crate::merge::{self, Merged, Met, merge};
use crate::near::{Groups, Sheet, Spill, Spilled};
use crate::plan::Plan;
use crate::rows::{Names, computing, spilling, texts};
use crate::split::{Member, Rule, hash};

/// Why a row does not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Deleted,
    Retweet,
    Edited,
    NearCopy,
    SplitConflict,
}

impl Reason {
    /// In the order in which they apply.
    pub(crate) const ALL: [Self; 5] =
        [Self::Deleted, Self::Retweet, Self::Edited, Self::NearCopy, Self::SplitConflict];

    /// The name in ledgers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Retweet => "retweet",
            Self::Edited => "edited",
            Self::NearCopy => "near_copy",
            Self::SplitConflict => "split_conflict",
        }
    }
}

/// What the first pass found.
pub(crate) struct Fates {
    /// By number of the partition: rows that do not stay, in order.
    pub(crate) losers: BTreeMap<usize, Vec<(u32, Reason)>>,
    /// By number of the partition: rows that stay with values of others, as `row` and [`merge::MERGED`].
    pub(crate) winners: BTreeMap<usize, DataFrame>,
    /// Rows that stay, by split.
    pub(crate) splits: Vec<u64>,
    groups: Groups,
    starts: Starts,
}

impl Fates {
    /// The id of the earliest near copy of a row, itself if it is that one; `None` where there is no other.
    pub(crate) fn near_copy_group(&self, part: usize, row: u32) -> Option<&str> {
        self.groups.id(self.starts.number(part, row))
    }
}

/// The number of the first row of each partition, counted over all of them.
struct Starts(Vec<u32>);

impl Starts {
    fn of(pointers: &[CleanPointer]) -> Outcome<Self> {
        let mut next = 0_u32;
        let mut starts = Vec::new();
        for pointer in pointers {
            starts.push(next);
            let rows = u32::try_from(pointer.ledger.kept).ok();
            next = rows.and_then(|rows| next.checked_add(rows)).ok_or_else(|| {
                Failure::new(Exit::Configuration, "a dataset holds at most 4,294,967,295 rows")
                    .hint("make it of a shorter interval: --since and --until")
            })?;
        }
        starts.push(next);
        Ok(Self(starts))
    }

    fn rows(&self) -> usize {
        self.0.last().copied().unwrap_or_default() as usize
    }

    fn number(&self, part: usize, row: u32) -> u32 {
        self.0[part] + row
    }

    /// Partition and row.
    fn place(&self, number: u32) -> (usize, u32) {
        let part = self.0.partition_point(|start| *start <= number) - 1;
        (part, number - self.0[part])
    }
}

/// Decides the fate of every row.
pub(crate) fn decide(plan: &Plan, task: &Task) -> Outcome<Fates> {
    let starts = Starts::of(&plan.pointers)?;
    let Scanned { meeting, splits, waiting, spilled } = scan(plan, starts.rows(), task)?;
    let Merged { losers: merged, winners } = merge_all(plan, &meeting, task)?;
    let mut fates = Fates { losers: BTreeMap::new(), winners, splits, groups: Groups::default(), starts };
    let mut out = Vec::with_capacity(merged.len());
    for (part, row, split, why) in merged {
        fates.splits[usize::from(split)] -= 1;
        fates.losers.entry(part as usize).or_default().push((row, why));
        out.push(fates.starts.number(part as usize, row));
    }
    out.sort_unstable();
    let lost = out.len();
    for (row, split) in waiting {
        if out[..lost].binary_search(&row).is_err() {
            let (part, row) = fates.starts.place(row);
            fates.splits[usize::from(split)] -= 1;
            fates.losers.entry(part).or_default().push((row, Reason::SplitConflict));
            out.push(fates.starts.number(part, row));
        }
    }
    if let (Some(spilled), Some(threshold)) = (spilled, plan.near.threshold) {
        find_near_copies(plan, &spilled, threshold, &out, &mut fates, task)?;
    }
    fates.losers.values_mut().for_each(|rows| rows.sort_unstable_by_key(|(row, _)| *row));
    Ok(fates)
}

/// Near copies among the rows that are not `out`, and the fates that they decide.
fn find_near_copies(
    plan: &Plan,
    spilled: &Spilled,
    threshold: f64,
    out: &[u32],
    fates: &mut Fates,
    task: &Task,
) -> Outcome<()> {
    fates.groups = Groups::find(spilled, threshold, out, task.threads, &task.stop)?;
    for (row, first) in fates.groups.later() {
        let split = spilled.split(row);
        let why = match (plan.near.dropped, split == spilled.split(first)) {
            (true, _) => Reason::NearCopy,
            (false, false) => Reason::SplitConflict,
            (false, true) => continue,
        };
        let (part, row) = fates.starts.place(row);
        fates.splits[usize::from(split)] -= 1;
        fates.losers.entry(part).or_default().push((row, why));
    }
    Ok(())
}

/// What is known after all rows were read once.
struct Scanned {
    /// The keys of more than one row, and those of edits; sorted.
    meeting: Vec<u64>,
    /// Rows that no tombstone hides, by split.
    splits: Vec<u64>,
    /// Rows that have no group yet, by their numbers, with their splits.
    waiting: Vec<(u32, u8)>,
    /// Unless near copies are not looked for.
    spilled: Option<Spilled>,
}

/// What is kept of a batch.
#[derive(Default)]
struct Scan {
    keys: Vec<u64>,
    /// Keys of first versions that a row says it is an edit of.
    edits: Vec<u64>,
    /// Numbers of the rows' splits.
    splits: Vec<u8>,
    /// Rows that have no group yet, counted in the batch, with their splits.
    waiting: Vec<(u32, u8)>,
    rows: u32,
    sheet: Sheet,
}

fn scan(plan: &Plan, rows: usize, task: &Task) -> Outcome<Scanned> {
    let near = plan.near.threshold.is_some();
    let texts = if near { &["text_clean", "text_key"][..] } else { &[] };
    let columns: Vec<&str> = Names::COLUMNS.iter().chain(texts).copied().collect();
    let mut batches = Batches::new(&plan.lake, &plan.pointers, Some(&columns));
    let mut keys = Vec::with_capacity(rows);
    let (mut edits, mut waiting, mut splits) = (Vec::new(), Vec::new(), vec![0; plan.rule.names().len()]);
    let mut spill = near.then(|| Spill::new(plan.lake.location(), rows)).transpose().map_err(spilling)?;
    let progress = Progress::things(rows as u64);
    progress.say("rows compared".into());
    let mut done = 0;
    ordered_map(
        task.threads,
        || {
            task.stop.check()?;
            batches.next()
        },
        |batch: Batch| scan_batch(&batch.rows, &plan.tombstones, &plan.rule, near).map_err(computing),
        |scan: Scan| {
            keys.extend(scan.keys);
            edits.extend(scan.edits);
            scan.splits.iter().for_each(|split| splits[usize::from(*split)] += 1);
            spill.as_mut().map_or(Ok(()), |spill| spill.add(&scan.sheet)).map_err(spilling)?;
            waiting.extend(scan.waiting.into_iter().map(|(row, split)| (done + row, split)));
            done += scan.rows;
            progress.at(u64::from(done));
            Ok(ControlFlow::Continue(()))
        },
    )?;
    keys.sort_unstable();
    edits.extend(keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
    edits.sort_unstable();
    edits.dedup();
    let spilled = spill.map(Spill::finish).transpose().map_err(spilling)?;
    Ok(Scanned { meeting: edits, splits, waiting, spilled })
}

fn scan_batch(rows: &DataFrame, tombstones: &Tombstones, rule: &Rule, near: bool) -> PolarsResult<Scan> {
    let names = Names::of(rows)?;
    let optional = |name| if near { texts(rows, name) } else { Ok(vec![None; names.len()]) };
    let (text, text_key) = (optional("text_clean")?, optional("text_key")?);
    let mut found = Scan::default();
    for row in 0..names.len() {
        found.rows += 1;
        let (member, edit) = (names.member(row), names.edit_id(row));
        if hidden(tombstones, &member, edit) {
            found.sheet.skip();
            continue;
        }
        found.keys.push(key(member.source, member.tweet_id));
        found.edits.extend(edit.map(|id| key(member.source, id)));
        let split = u8::try_from(rule.split(&member, rule.group(&member))).unwrap_or_default();
        found.splits.push(split);
        if rule.waits(&member) {
            found.waiting.push((found.rows - 1, split));
        }
        match text[row] {
            Some(text) if text_key[row].is_some() => {
                found.sheet.add(member.created_at, split, member.tweet_id, text);
            }
            _ => found.sheet.skip(),
        }
    }
    Ok(found)
}

/// Reads the rows whose keys meet others once more, and merges them.
fn merge_all(plan: &Plan, meeting: &[u64], task: &Task) -> Outcome<Merged> {
    if meeting.is_empty() {
        return Ok(Merged::default());
    }
    let columns = merge::columns();
    let mut batches = Batches::again(&plan.lake, &plan.pointers, Some(&columns));
    let mut rows = Vec::new();
    ordered_map(
        task.threads,
        || {
            task.stop.check()?;
            batches.next()
        },
        |batch: Batch| {
            let partition = &plan.pointers[batch.part].partition;
            merge::met(&batch, partition, plan.lake.grain(), &plan.tombstones, &plan.rule, meeting)
                .map_err(computing)
        },
        |met: Vec<Met>| {
            rows.extend(met);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    merge(rows).map_err(computing)
}

/// 8 bytes of a tweet: X's id itself, a hash of other ids.
pub(crate) fn key(source: Source, id: &str) -> u64 {
    match number(source, id) {
        Some(number) => number,
        None => hash(&["offkey/key/1", source.as_str(), id]),
    }
}

/// An id of X as a number.
pub(crate) fn number(source: Source, id: &str) -> Option<u64> {
    if source == Source::X { id.parse().ok() } else { None }
}

/// Whether a tombstone hides the row: by its id, by that of its first version, or by its author.
pub(crate) fn hidden(tombstones: &Tombstones, row: &Member, edit_id: Option<&str>) -> bool {
    tombstones.hides(row.source, row.tweet_id, row.author_id)
        || edit_id.is_some_and(|id| tombstones.hides(row.source, id, None))
}

/// Whether a tombstone hides the row's place.
pub(crate) fn hidden_place(tombstones: &Tombstones, row: &Member) -> bool {
    number(row.source, row.tweet_id).is_some_and(|id| tombstones.hides_place(row.source, id, row.author_id))
}

//! Which rows of the clean results stay: the first pass.
//!
//! The first that applies: `deleted` by a tombstone; `retweet` for all but the best row of a tweet that
//! was seen in several partitions; `edited` for all but the last version. A row that stays takes the
//! mergeable values of the rows it stands for.
//!
//! All rows are told apart by 8 bytes each. Only those whose bytes meet, or that were edited, are
//! read again with the values that decide; so equal bytes of different tweets cost time and no row.

use std::collections::BTreeMap;

use lake::{CleanPointer, Lake, Partition, Tombstones};
use polars::prelude::{
    BooleanChunked, ChunkSort, Column, DataFrame, IdxCa, IntoColumn, IntoSeries, PolarsResult,
    SortMultipleOptions, UInt64Chunked,
};
use task::{Exit, Failure, Outcome, Progress, Task, ordered_map};
use tweet::{Id, Source};

use crate::rows::{Names, ahead, computing, fetch, reading, rows, texts, times};
use crate::split::{Member, Rule, hash};

/// Counts that the source changes as time goes by; they are read together, at `counts_at`.
const COUNTS: [&str; 6] =
    ["retweet_count", "reply_count", "quote_count", "like_count", "bookmark_count", "impression_count"];
/// What a row that stays takes from the rows it stands for.
pub(crate) const MERGED: [&str; 12] = [
    "edit_id",
    "first_seen",
    "last_seen",
    "counts_at",
    "retweet_count",
    "reply_count",
    "quote_count",
    "like_count",
    "bookmark_count",
    "impression_count",
    "copies",
    "retweets_seen",
];

/// Why a row does not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Deleted,
    Retweet,
    Edited,
}

impl Reason {
    /// The name in ledgers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Retweet => "retweet",
            Self::Edited => "edited",
        }
    }
}

/// What the first pass found.
#[derive(Default)]
pub(crate) struct Fates {
    /// By number of the partition: rows that do not stay, in order.
    pub(crate) losers: BTreeMap<usize, Vec<(u32, Reason)>>,
    /// By number of the partition: rows that stay with values of others, as `row` and [`MERGED`].
    pub(crate) winners: BTreeMap<usize, DataFrame>,
    /// Rows that stay, by split.
    pub(crate) splits: Vec<u64>,
}

/// Decides the fate of every row.
pub(crate) fn decide(
    lake: &Lake,
    pointers: &[CleanPointer],
    tombstones: &Tombstones,
    rule: &Rule,
    task: &Task,
) -> Outcome<Fates> {
    let mut splits = vec![0; rule.names().len()];
    let (mut keys, mut edits) = (UInt64Chunked::from_vec("key".into(), Vec::new()), Vec::new());
    let progress = Progress::things(pointers.len() as u64);
    progress.say("partitions compared".into());
    each_partition(
        task.threads.max(ahead(lake)),
        pointers,
        |_, pointer| scan(lake, pointer, tombstones, rule, task),
        |scan: Scan| {
            keys.append(&UInt64Chunked::from_vec("key".into(), scan.keys)).map_err(computing)?;
            edits.extend(scan.edits);
            splits.iter_mut().zip(&scan.splits).for_each(|(all, n)| *all += n);
            progress.step();
            Ok(())
        },
    )?;
    let meeting = meeting(&keys, edits);
    drop(keys);
    if meeting.is_empty() {
        return Ok(Fates { splits, ..Fates::default() });
    }
    let mut rows: Option<DataFrame> = None;
    each_partition(
        task.threads.max(ahead(lake)),
        pointers,
        |number, pointer| again(lake, (number, pointer), tombstones, rule, &meeting, task),
        |found: Option<DataFrame>| {
            match (&mut rows, found) {
                (Some(rows), Some(found)) => rows.vstack_mut(&found).map(|_| ()).map_err(computing)?,
                (rows, found) => *rows = rows.take().or(found),
            }
            Ok(())
        },
    )?;
    let Some(mut rows) = rows else { return Ok(Fates { splits, ..Fates::default() }) };
    rows.rechunk_mut();
    let mut fates = merge(&rows).map_err(computing)?;
    for (all, lost) in splits.iter_mut().zip(&fates.splits) {
        *all -= lost;
    }
    fates.splits = splits;
    Ok(fates)
}

/// Work over all partitions on several threads, results in the order of the partitions.
fn each_partition<R: Send>(
    threads: usize,
    pointers: &[CleanPointer],
    work: impl Fn(usize, &CleanPointer) -> Outcome<R> + Sync,
    mut sink: impl FnMut(R) -> Outcome<()>,
) -> Outcome<()> {
    let mut all = pointers.iter().enumerate();
    ordered_map(
        threads,
        || Ok(all.next()),
        |(number, pointer)| work(number, pointer),
        |result| sink(result).map(std::ops::ControlFlow::Continue),
    )
}

/// What is kept in memory of a partition: 8 bytes a row.
struct Scan {
    keys: Vec<u64>,
    /// Keys of first versions that a row says it is an edit of.
    edits: Vec<u64>,
    /// Rows by split.
    splits: Vec<u64>,
}

fn scan(
    lake: &Lake,
    pointer: &CleanPointer,
    tombstones: &Tombstones,
    rule: &Rule,
    task: &Task,
) -> Outcome<Scan> {
    let copy = fetch(lake, pointer)?;
    let rows = rows(&copy, pointer, Some(&Names::COLUMNS))?;
    let height = rows.height() as u64;
    if height != pointer.ledger.kept {
        return Err(Failure::new(
            Exit::Bug,
            format!(
                "the ledger does not balance: the clean result of {} has {height} rows, its pointer says kept {}",
                pointer.partition, pointer.ledger.kept
            ),
        )
        .hint("clean that partition again; nothing was published"));
    }
    let mut found = Scan {
        keys: Vec::with_capacity(rows.height()),
        edits: Vec::new(),
        splits: vec![0; rule.names().len()],
    };
    for frame in rows {
        task.stop.check()?;
        let frame = frame.map_err(reading(&pointer.path))?;
        let names = Names::of(&frame).map_err(computing)?;
        for row in 0..names.len() {
            let (member, edit) = (names.member(row), names.edit_id(row));
            if hidden(tombstones, &member, edit) {
                continue;
            }
            found.keys.push(key(member.source, member.tweet_id));
            found.edits.extend(edit.map(|id| key(member.source, id)));
            found.splits[rule.split(&member, rule.group(&member))] += 1;
        }
    }
    Ok(found)
}

/// The keys of more than one row, and those of edits; sorted.
fn meeting(keys: &UInt64Chunked, mut edits: Vec<u64>) -> Vec<u64> {
    let sorted = keys.sort(false);
    let mut before = None;
    for key in sorted.iter() {
        if key == before {
            edits.extend(key);
        }
        before = key;
    }
    edits.sort_unstable();
    edits.dedup();
    edits
}

/// 8 bytes of a tweet: X's id itself, a hash of other ids.
fn key(source: Source, id: &str) -> u64 {
    match number(source, id) {
        Some(number) => number,
        None => hash(&["offkey/key/1", source.as_str(), id]),
    }
}

/// An id of X as a number.
fn number(source: Source, id: &str) -> Option<u64> {
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

/// Reads the rows of a partition whose keys meet others, with all that decides among them.
fn again(
    lake: &Lake,
    (number, pointer): (usize, &CleanPointer),
    tombstones: &Tombstones,
    rule: &Rule,
    meeting: &[u64],
    task: &Task,
) -> Outcome<Option<DataFrame>> {
    let mut columns: Vec<&str> = Names::COLUMNS.to_vec();
    columns.extend(MERGED.iter().filter(|c| **c != "edit_id"));
    columns.push("text_truncated");
    let copy = fetch(lake, pointer)?;
    let rows = rows(&copy, pointer, Some(&columns))?;
    let mut all: Option<DataFrame> = None;
    let mut at = 0_u32;
    for frame in rows {
        task.stop.check()?;
        let frame = frame.map_err(reading(&pointer.path))?;
        let read = u32::try_from(frame.height()).unwrap_or(u32::MAX);
        let met = met(&frame, tombstones, meeting).map_err(computing)?;
        let found = ranked(&frame, &met, (number, &pointer.partition), lake, rule, at).map_err(computing)?;
        at += read;
        match &mut all {
            Some(all) => drop(all.vstack_mut(&found).map_err(computing)?),
            None => all = Some(found),
        }
    }
    Ok(all.filter(|all| all.height() > 0))
}

fn met(frame: &DataFrame, tombstones: &Tombstones, meeting: &[u64]) -> PolarsResult<BooleanChunked> {
    let names = Names::of(frame)?;
    let is_met = |row: usize| {
        let (member, edit) = (names.member(row), names.edit_id(row));
        let meets = edit.is_some() || meeting.binary_search(&key(member.source, member.tweet_id)).is_ok();
        meets && !hidden(tombstones, &member, edit)
    };
    Ok((0..names.len()).map(is_met).collect())
}

/// The met rows with what ranks them: `part`, `row`, `number`, `own`, `counted`, `split`. Nothing of
/// these is null.
fn ranked(
    frame: &DataFrame,
    met: &BooleanChunked,
    (number_of_part, partition): (usize, &Partition),
    lake: &Lake,
    rule: &Rule,
    at: u32,
) -> PolarsResult<DataFrame> {
    let mut found = frame.with_row_index("row".into(), Some(at))?.filter(met)?;
    let names = Names::of(&found)?;
    let members = || (0..names.len()).map(|row| names.member(row));
    let numbers: Vec<u64> = members().map(|m| number(m.source, m.tweet_id).unwrap_or_default()).collect();
    let own = |m: Member| {
        let id = match number(m.source, m.tweet_id) {
            Some(number) => Id::X(number),
            None => Id::Uri(m.tweet_id.into()),
        };
        Partition::of(id.time().or(m.created_at), lake.grain()) == *partition
    };
    let own: Vec<bool> = members().map(own).collect();
    let splits: Vec<u32> =
        members().map(|m| u32::try_from(rule.split(&m, rule.group(&m))).unwrap_or_default()).collect();
    // When counts were read; rows without counts, then those of an unknown time, before all others.
    let mut known = found.column(COUNTS[0])?.is_not_null();
    for count in &COUNTS[1..] {
        known = &known | &found.column(count)?.is_not_null();
    }
    let counted: Vec<i64> = times(&found, "counts_at")?
        .into_iter()
        .zip(known.iter())
        .map(|(t, known)| if known == Some(true) { t.unwrap_or(i64::MIN + 1) } else { i64::MIN })
        .collect();
    let part = vec![u32::try_from(number_of_part).unwrap_or(u32::MAX); names.len()];
    let added = [
        Column::new("part".into(), part),
        Column::new("number".into(), numbers),
        Column::new("own".into(), own),
        Column::new("counted".into(), counted),
        Column::new("split".into(), splits),
    ];
    for column in added {
        found.with_column(column)?;
    }
    Ok(found)
}

/// Decides among the rows of [`ranked`]: of each tweet one row stays, of each edited tweet one
/// version. `splits` of the result counts the rows that do not stay.
fn merge(rows: &DataFrame) -> PolarsResult<Fates> {
    let mut fates = Fates { splits: vec![0; 3], ..Fates::default() };
    let order = [
        ("source", false),
        ("tweet_id", false),
        ("text_truncated", false),
        ("own", true),
        ("counted", true),
        ("part", true),
        ("row", false),
    ];
    let rows = sorted(rows, &order)?;
    let runs = runs(&[texts(&rows, "source")?, texts(&rows, "tweet_id")?]);

    let (part, row) = (numbers(&rows, "part")?, numbers(&rows, "row")?);
    let split = numbers(&rows, "split")?;
    let mut lose = |at: usize, why: Reason| {
        fates.splits[split[at] as usize] += 1;
        fates.losers.entry(part[at] as usize).or_default().push((row[at], why));
    };
    for run in &runs {
        (run.start + 1..run.end).for_each(|at| lose(at, Reason::Retweet));
    }
    let winners = merged(&rows, &runs)?;
    let original: Vec<&str> = texts(&winners, "edit_id")?
        .into_iter()
        .zip(texts(&winners, "tweet_id")?)
        .map(|(edit, id)| edit.or(id).unwrap_or_default())
        .collect();
    let mut versions = winners.clone();
    versions.with_column(Column::new("original".into(), original))?;
    let order = [("source", false), ("original", false), ("number", true), ("tweet_id", true)];
    let versions = sorted(&versions, &order)?;
    let (at, lasts) = (numbers(&versions, "at")?, first_of_runs(&versions)?);
    for (version, at) in at.iter().enumerate() {
        if !lasts[version] {
            lose(*at as usize, Reason::Edited);
        }
    }
    fates.losers.values_mut().for_each(|rows| rows.sort_unstable_by_key(|(row, _)| *row));

    let stays = versions.filter(&lasts.into_iter().collect())?;
    let columns: Vec<&str> = ["part", "row"].into_iter().chain(MERGED).collect();
    for of_part in stays.select(columns)?.partition_by_stable(["part"], true)? {
        let part = numbers(&of_part, "part")?.first().copied().unwrap_or_default();
        fates.winners.insert(part as usize, of_part.drop("part")?);
    }
    Ok(fates)
}

/// One row of each run, its first, with the merged values; `at` is where it stood.
fn merged(rows: &DataFrame, runs: &[std::ops::Range<usize>]) -> PolarsResult<DataFrame> {
    // Of equal ranks the first of the run, which is the better row.
    fn best<T: Ord>(run: &std::ops::Range<usize>, rank: impl Fn(usize) -> T) -> usize {
        run.clone().rev().max_by_key(|at| rank(*at)).unwrap_or(run.start)
    }
    let take = |choose: &dyn Fn(&std::ops::Range<usize>) -> usize| {
        IdxCa::from_vec(
            "at".into(),
            runs.iter().map(|run| u32::try_from(choose(run)).unwrap_or(u32::MAX)).collect(),
        )
    };
    let winners = take(&|run| run.start);
    let mut out = rows.take(&winners)?;
    out.with_column(winners.clone().into_series().into_column())?;

    let edit_id = texts(rows, "edit_id")?;
    let (first, last) = (times(rows, "first_seen")?, times(rows, "last_seen")?);
    let counted: Vec<i64> = rows.column("counted")?.i64()?.into_no_null_iter().collect();
    let known_edit = take(&|run| best(run, |at| edit_id[at].is_some()));
    let earliest = take(&|run| best(run, |at| first[at].map(std::cmp::Reverse)));
    let latest = take(&|run| best(run, |at| last[at]));
    let newest = take(&|run| best(run, |at| counted[at]));
    let chosen = [("edit_id", &known_edit), ("first_seen", &earliest), ("last_seen", &latest)];
    let counts = COUNTS.iter().chain(&["counts_at"]).map(|c| (*c, &newest));
    for (name, from) in chosen.into_iter().chain(counts) {
        out.with_column(rows.column(name)?.take(from)?)?;
    }
    for name in ["copies", "retweets_seen"] {
        let all = numbers(rows, name)?;
        let sums: Vec<u32> = runs
            .iter()
            .map(|run| all[run.clone()].iter().fold(0_u32, |sum, n| sum.saturating_add(*n)))
            .collect();
        out.with_column(Column::new(name.into(), sums))?;
    }
    Ok(out)
}

fn sorted(rows: &DataFrame, order: &[(&str, bool)]) -> PolarsResult<DataFrame> {
    let options = SortMultipleOptions::new()
        .with_order_descending_multi(order.iter().map(|(_, descending)| *descending))
        .with_maintain_order(true);
    let mut sorted = rows.sort(order.iter().map(|(name, _)| *name), options)?;
    sorted.rechunk_mut();
    Ok(sorted)
}

/// Where each run of equal keys begins and ends.
fn runs(keys: &[Vec<Option<&str>>]) -> Vec<std::ops::Range<usize>> {
    let rows = keys.first().map_or(0, Vec::len);
    let mut runs = Vec::new();
    let mut start = 0;
    for at in 1..=rows {
        if at == rows || keys.iter().any(|key| key[at] != key[start]) {
            runs.push(start..at);
            start = at;
        }
    }
    runs
}

fn first_of_runs(versions: &DataFrame) -> PolarsResult<Vec<bool>> {
    let mut first = vec![false; versions.height()];
    for run in runs(&[texts(versions, "source")?, texts(versions, "original")?]) {
        first[run.start] = true;
    }
    Ok(first)
}

fn numbers(rows: &DataFrame, name: &str) -> PolarsResult<Vec<u32>> {
    Ok(rows.column(name)?.u32()?.iter().map(Option::unwrap_or_default).collect())
}

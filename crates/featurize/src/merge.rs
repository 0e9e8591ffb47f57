//! Rows that are the same tweet, or versions of one: which stays, and with what.

use std::collections::BTreeMap;

use lake::{Grain, Partition, Tombstones};
use polars::prelude::{Column, DataFrame, PolarsResult};
use table::{Builder, CLEAN};
use tweet::Id;

use crate::batches::Batch;
use crate::fates::{Reason, hidden, key, number};
use crate::rows::{Names, flags, numbers, times, wholes};
use crate::split::{Rule, wide};

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

/// The columns that [`Met`] is read from.
pub(crate) fn columns() -> Vec<&'static str> {
    let merged = MERGED.into_iter().filter(|c| !Names::COLUMNS.contains(c));
    Names::COLUMNS.into_iter().chain(merged).chain(["text_truncated"]).collect()
}

/// A row whose key meets that of another, or that was edited: 160 bytes.
pub(crate) struct Met {
    tweet: u128,
    /// The first version of an edited tweet, else the tweet.
    original: u128,
    /// Of X's id; 0 for others.
    number: u64,
    part: u32,
    row: u32,
    split: u8,
    bare: bool,
    truncated: bool,
    /// It lies in the partition of its own time.
    own: bool,
    /// When the counts were read; before all time without counts, then where nobody knows when.
    counted: i64,
    edit_id: Option<Box<str>>,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
    counts_at: Option<i64>,
    counts: Counts,
    copies: u32,
    retweets_seen: u32,
}

/// By [`COUNTS`]; the least number where the source did not say.
type Counts = [i64; 6];
const UNKNOWN: i64 = i64::MIN;

/// The rows of a batch that meet others.
pub(crate) fn met(
    batch: &Batch,
    partition: &Partition,
    grain: Grain,
    tombstones: &Tombstones,
    rule: &Rule,
    meeting: &[u64],
) -> PolarsResult<Vec<Met>> {
    let rows = &batch.rows;
    let names = Names::of(rows)?;
    let times = |name: &str| times(rows, name);
    let (first_seen, last_seen, counts_at) = (times("first_seen")?, times("last_seen")?, times("counts_at")?);
    let counts = COUNTS.iter().map(|name| wholes(rows, name)).collect::<PolarsResult<Vec<_>>>()?;
    let (copies, retweets_seen) = (numbers(rows, "copies")?, numbers(rows, "retweets_seen")?);
    let truncated = flags(rows, "text_truncated")?;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut all = Vec::new();
    for row in 0..names.len() {
        let (member, edit_id) = (names.member(row), names.edit_id(row));
        let meets = edit_id.is_some() || meeting.binary_search(&key(member.source, member.tweet_id)).is_ok();
        if !meets || hidden(tombstones, &member, edit_id) {
            continue;
        }
        let number = number(member.source, member.tweet_id);
        let time = number.map_or_else(|| Id::Uri(member.tweet_id.into()), Id::X).time().or(member.created_at);
        let counts: Counts = std::array::from_fn(|n| counts[n][row].unwrap_or(UNKNOWN));
        let known = counts.iter().any(|n| *n != UNKNOWN);
        all.push(Met {
            tweet: wide(member.source, member.tweet_id),
            original: wide(member.source, edit_id.unwrap_or(member.tweet_id)),
            number: number.unwrap_or_default(),
            part: small(batch.part),
            row: small(batch.at + row),
            split: u8::try_from(rule.split(&member, rule.group(&member))).unwrap_or_default(),
            bare: member.bare,
            truncated: truncated[row],
            own: Partition::of(time, grain) == *partition,
            counted: if known { counts_at[row].unwrap_or(UNKNOWN + 1) } else { UNKNOWN },
            edit_id: edit_id.map(Into::into),
            first_seen: first_seen[row],
            last_seen: last_seen[row],
            counts_at: counts_at[row],
            counts,
            copies: copies[row],
            retweets_seen: retweets_seen[row],
        });
    }
    Ok(all)
}

/// What became of rows that met.
#[derive(Default)]
pub(crate) struct Merged {
    /// Those that do not stay: partition, row, split.
    pub(crate) losers: Vec<(u32, u32, u8, Reason)>,
    /// By number of the partition: those that do, as `row` and [`MERGED`].
    pub(crate) winners: BTreeMap<usize, DataFrame>,
}

/// Of each tweet one row stays, of each edited tweet one version.
pub(crate) fn merge(mut rows: Vec<Met>) -> PolarsResult<Merged> {
    use std::cmp::Reverse;
    let mut merged = Merged::default();
    let mut lose = |row: &Met, why| merged.losers.push((row.part, row.row, row.split, why));
    // The tweet before what a retweet told of it, a full text before a cut one, the own partition before others, the latest counts, the later partition.
    rows.sort_unstable_by_key(|r| {
        (r.tweet, r.bare, r.truncated, !r.own, Reverse(r.counted), Reverse(r.part), r.row)
    });
    rows.dedup_by(|row, best| {
        let same = row.tweet == best.tweet;
        if same {
            lose(row, Reason::Retweet);
            take_in(best, row);
        }
        same
    });
    rows.sort_unstable_by_key(|r| (r.original, Reverse(r.number), Reverse(r.tweet)));
    rows.dedup_by(|row, last| {
        let same = row.original == last.original;
        if same {
            lose(row, Reason::Edited);
        }
        same
    });
    rows.sort_unstable_by_key(|r| (r.part, r.row));
    for of_part in rows.chunk_by(|a, b| a.part == b.part) {
        merged.winners.insert(of_part[0].part as usize, frame(of_part)?);
    }
    Ok(merged)
}

/// Gives the best row of a tweet the values of another one, which ranks below all that it took in before.
fn take_in(best: &mut Met, row: &mut Met) {
    if best.edit_id.is_none() {
        (best.edit_id, best.original) = (row.edit_id.take(), row.original);
    }
    best.first_seen = best.first_seen.into_iter().chain(row.first_seen).min();
    best.last_seen = best.last_seen.max(row.last_seen);
    if row.counted > best.counted {
        (best.counted, best.counts_at, best.counts) = (row.counted, row.counts_at, row.counts);
    }
    best.copies = best.copies.saturating_add(row.copies);
    best.retweets_seen = best.retweets_seen.saturating_add(row.retweets_seen);
}

fn frame(rows: &[Met]) -> PolarsResult<DataFrame> {
    let columns: Vec<table::Column> =
        MERGED.iter().filter_map(|name| CLEAN.iter().find(|c| c.name == *name)).copied().collect();
    let mut out = Builder::new(&columns, rows.len());
    for row in rows {
        out.text("edit_id", row.edit_id.as_deref());
        out.whole("first_seen", row.first_seen);
        out.whole("last_seen", row.last_seen);
        out.whole("counts_at", row.counts_at);
        for (name, count) in COUNTS.iter().zip(row.counts) {
            out.whole(name, Some(count).filter(|n| *n != UNKNOWN));
        }
        out.count("copies", row.copies);
        out.count("retweets_seen", row.retweets_seen);
    }
    let mut out = out.finish()?;
    out.with_column(Column::new("row".into(), rows.iter().map(|r| r.row).collect::<Vec<_>>()))?;
    Ok(out)
}

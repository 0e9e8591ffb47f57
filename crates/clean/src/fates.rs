//! Which tweets of a partition are copies, deleted, retweets or earlier versions: one fate each, the
//! first that applies. Polars decides over the keys; no text is looked at.

use std::iter::Peekable;
use std::vec::IntoIter;

use polars::prelude::{
    BooleanChunked, ChunkFilter, DataFrame, Int64Chunked, PolarsResult, SortMultipleOptions, UInt64Chunked,
    is_last_distinct,
};

use task::Outcome;

use crate::args::Retweets;
use crate::keys::Lines;
use crate::partition::engine;

/// What becomes of a line before anybody reads its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its text will be read.
    Kept,
    /// Another copy of the same tweet wins.
    Duplicate,
    /// A tombstone hides it.
    Deleted,
    /// A copy of a tweet that a tombstone hides: its row does not name it.
    HiddenDuplicate,
    /// Folded into the row of its original, or not wanted.
    Retweet,
    /// A later version wins.
    Edited,
    /// It could not be read.
    Rejected,
}

impl Fate {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Duplicate | Self::HiddenDuplicate => "duplicate",
            Self::Deleted => "deleted",
            Self::Retweet => "retweet",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
        }
    }
}

/// What a row gathers from the lines that are folded into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// Lines of the tweet itself.
    pub(crate) copies: u32,
    /// Distinct retweets.
    pub(crate) retweets: u32,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
}

/// The fates by line, and what the rows with more than one line gather.
pub(crate) struct Fates {
    pub(crate) by_line: Vec<Fate>,
    /// By line.
    gathered: Vec<(u32, Gathered)>,
}

/// Decides every line.
pub(crate) fn decide(lines: &Lines, retweets: Retweets) -> Outcome<Fates> {
    let alone = |n: usize| match () {
        () if !lines.readable(n) => Fate::Rejected,
        () if lines.hidden(n) => Fate::Deleted,
        () if retweets == Retweets::Drop && lines.retweet(n) => Fate::Retweet,
        () => Fate::Kept,
    };
    let mut fates = Fates { by_line: (0..lines.count()).map(alone).collect(), gathered: Vec::new() };
    fates.decide(lines.meeting()?, retweets).map_err(|e| engine(&e))?;
    Ok(fates)
}

impl Fates {
    /// What the row of a line gathers, if that is more than the line.
    pub(crate) fn gathered(&self, line: u32) -> Option<Gathered> {
        let at = self.gathered.binary_search_by_key(&line, |(line, _)| *line).ok()?;
        Some(self.gathered[at].1)
    }

    /// Decides the lines that meet others.
    fn decide(&mut self, lines: DataFrame, retweets: Retweets) -> PolarsResult<()> {
        let lines = in_order(lines, "order")?;
        let deleted = lines.column("deleted")?.bool()?;

        // Copies: the greatest (received, line) wins.
        let wins = last_of(&lines, "id")?;
        self.mark(&lines, &!&wins, Fate::Duplicate)?;
        self.mark(&lines, &(!&wins & deleted.clone()), Fate::HiddenDuplicate)?;
        self.mark(&lines, &(&wins & deleted), Fate::Deleted)?;
        let rest = lines.filter(&(wins & !deleted))?;
        let retweet = rest.column("retweet")?.bool()?;

        let (rest, winners) = match retweets {
            Retweets::Keep => (rest.clone(), rest),
            Retweets::Drop => {
                self.mark(&rest, retweet, Fate::Retweet)?;
                let rest = rest.filter(&!retweet)?;
                (rest.clone(), rest)
            }
            Retweets::Fold => {
                // The line that is worth most wins, of these the latest.
                let ranked = rest.sort(["worth", "order"], SortMultipleOptions::default())?;
                let wins = last_of(&ranked, "key")?;
                self.mark(&ranked, &!&wins, Fate::Retweet)?;
                (rest, ranked.filter(&wins)?)
            }
        };

        // Versions: the last one is the tweet with the greatest id, whoever carries it.
        let ranked = in_order(winners.clone(), "key")?;
        let wins = last_of(&ranked, "root")?;
        self.mark(&ranked, &!&wins, Fate::Edited)?;
        self.mark(&ranked, &wins, Fate::Kept)?;
        let winners = if retweets == Retweets::Fold { winners } else { ranked.filter(&wins)? };
        self.gather(&lines, &winners, &rest)
    }

    /// Marks the lines where `mask` holds.
    fn mark(&mut self, lines: &DataFrame, mask: &BooleanChunked, fate: Fate) -> PolarsResult<()> {
        for line in lines.column("line")?.u32()?.filter(mask)?.into_no_null_iter() {
            self.by_line[line as usize] = fate;
        }
        Ok(())
    }

    /// Sums what belongs to each winner that has more than one line: over all `lines` of its key, re-reads included, and over the
    /// distinct retweets among `distinct`.
    fn gather(&mut self, lines: &DataFrame, winners: &DataFrame, distinct: &DataFrame) -> PolarsResult<()> {
        let deleted = lines.column("deleted")?.bool()?;
        let mut all = ByKey::new(lines, &!deleted)?;
        let mut carriers = ByKey::new(distinct, distinct.column("retweet")?.bool()?)?;
        let (keys, numbers) = (winners.column("key")?.u64()?, winners.column("line")?.u32()?);
        let mut winners: Vec<(u64, u32)> =
            keys.into_no_null_iter().zip(numbers.into_no_null_iter()).collect();
        winners.sort_unstable();
        for (key, line) in winners {
            let Sums { lines, own, first, last } = all.sum(key);
            let carriers = carriers.sum(key);
            let retweets = carriers.lines - carriers.own;
            if lines > 1 || lines > 0 && retweets > 0 {
                self.gathered.push((line, Gathered { copies: own, retweets, first, last }));
            }
        }
        self.gathered.sort_unstable_by_key(|(line, _)| *line);
        self.gathered.shrink_to_fit();
        Ok(())
    }
}

/// Lines, lines of the keyed tweet itself, earliest and latest own time.
#[derive(Default)]
struct Sums {
    lines: u32,
    own: u32,
    first: Option<i64>,
    last: Option<i64>,
}

/// Lines in the order of their keys.
struct ByKey {
    ids: UInt64Chunked,
    keys: UInt64Chunked,
    times: Int64Chunked,
    rows: Peekable<IntoIter<u32>>,
}

impl ByKey {
    /// The lines where `mask` holds.
    fn new(lines: &DataFrame, mask: &BooleanChunked) -> PolarsResult<Self> {
        let whole = |name: &str| lines.column(name)?.u64().map(|column| column.rechunk().into_owned());
        let (ids, keys) = (whole("id")?, whole("key")?);
        let shown = (0_u32..).zip(mask.iter()).filter(|(_, shown)| *shown == Some(true));
        let mut rows: Vec<u32> = shown.map(|(row, _)| row).collect();
        let values = keys.cont_slice()?;
        rows.sort_unstable_by_key(|row| values[*row as usize]);
        let times = lines.column("time")?.i64()?.rechunk().into_owned();
        Ok(Self { ids, keys, times, rows: rows.into_iter().peekable() })
    }

    /// The sums of a key, which is greater than the last one that was asked for.
    fn sum(&mut self, key: u64) -> Sums {
        let mut sum = Sums::default();
        while let Some(row) = self.rows.next_if(|row| self.keys.get(*row as usize) <= Some(key)) {
            let row = row as usize;
            if self.keys.get(row) == Some(key) {
                let time = self.times.get(row);
                sum.lines += 1;
                sum.own += u32::from(self.ids.get(row) == Some(key));
                sum.first = [sum.first, time].into_iter().flatten().min();
                sum.last = sum.last.max(time);
            }
        }
        sum
    }
}

/// The rows by a column; most partitions lie in that order already.
fn in_order(frame: DataFrame, column: &str) -> PolarsResult<DataFrame> {
    let values = frame.column(column)?.u64()?;
    let ordered = values.downcast_iter().flat_map(|chunk| chunk.values_iter()).is_sorted();
    if ordered { Ok(frame) } else { frame.sort([column], SortMultipleOptions::default()) }
}

/// Whether each row is the last one with its value.
fn last_of(frame: &DataFrame, column: &str) -> PolarsResult<BooleanChunked> {
    is_last_distinct(frame.column(column)?.as_materialized_series())
}

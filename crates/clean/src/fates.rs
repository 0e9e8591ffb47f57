//! Which tweets of a partition are copies, deleted, retweets or earlier versions: one fate each, the
//! first that applies. Polars decides over the keys; no text is looked at.

use std::iter::Peekable;
use std::vec::IntoIter;

use polars::prelude::{DataFrame, PolarsResult, SortMultipleOptions, is_last_distinct};

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
    fates.decide(lines, retweets)?;
    Ok(fates)
}

impl Fates {
    /// What the row of a line gathers, if that is more than the line.
    pub(crate) fn gathered(&self, line: u32) -> Option<Gathered> {
        let at = self.gathered.binary_search_by_key(&line, |(line, _)| *line).ok()?;
        Some(self.gathered[at].1)
    }

    /// Decides the lines that meet others. Each question is put to a table of its own, of no more columns than it needs.
    fn decide(&mut self, lines: &Lines, retweets: Retweets) -> Outcome<()> {
        let meeting = lines.meeting();

        // Copies: the greatest (received, line) wins.
        let copies = lines.table(&meeting, &["order", "id"])?;
        let mut rest = self.winners(copies, &["order"], "id", |line| match lines.hidden(line) {
            true => Fate::HiddenDuplicate,
            false => Fate::Duplicate,
        })?;
        rest.retain(|line| !lines.hidden(*line as usize));

        let shown = match retweets {
            Retweets::Keep => rest.clone(),
            Retweets::Drop => {
                rest.retain(|line| !lines.retweet(*line as usize));
                rest.clone()
            }
            Retweets::Fold => {
                // The line that is worth most wins, of these the latest.
                let carriers = lines.table(&rest, &["worth", "order", "key"])?;
                self.winners(carriers, &["worth", "order"], "key", |_| Fate::Retweet)?
            }
        };

        // Versions: the last one is the tweet with the greatest id, whoever carries it.
        let versions = lines.table(&shown, &["key", "root"])?;
        let last = self.winners(versions, &["key"], "root", |_| Fate::Edited)?;
        self.gather(lines, meeting, rest, if retweets == Retweets::Fold { shown } else { last });
        Ok(())
    }

    /// The last line of each group in this order; the others meet a fate.
    fn winners(
        &mut self,
        lines: DataFrame,
        by: &[&'static str],
        group: &str,
        fate: impl Fn(usize) -> Fate,
    ) -> Outcome<Vec<u32>> {
        let ask = || -> PolarsResult<Vec<u32>> {
            let lines = in_order(lines, by)?;
            let last = is_last_distinct(lines.column(group)?.as_materialized_series())?;
            let mut winners = Vec::new();
            for (line, last) in lines.column("line")?.u32()?.iter().flatten().zip(last.iter()) {
                if last == Some(true) {
                    winners.push(line);
                } else {
                    self.by_line[line as usize] = fate(line as usize);
                }
            }
            Ok(winners)
        };
        ask().map_err(|e| engine(&e))
    }

    /// Sums what belongs to each winner that has more than one line: over all `meeting` lines of its key, re-reads included, and over the
    /// retweets among the `distinct` ones.
    fn gather(
        &mut self,
        lines: &Lines,
        mut meeting: Vec<u32>,
        mut distinct: Vec<u32>,
        mut winners: Vec<u32>,
    ) {
        meeting.retain(|line| !lines.hidden(*line as usize));
        distinct.retain(|line| lines.retweet(*line as usize));
        winners.sort_unstable_by_key(|line| (lines.key(*line), *line));
        let (mut all, mut carriers) = (ByKey::new(lines, meeting), ByKey::new(lines, distinct));
        for line in winners {
            let key = lines.key(line);
            let Sums { lines, own, first, last } = all.sum(key);
            let carriers = carriers.sum(key);
            let retweets = carriers.lines - carriers.own;
            if lines > 1 || lines > 0 && retweets > 0 {
                self.gathered.push((line, Gathered { copies: own, retweets, first, last }));
            }
        }
        self.gathered.sort_unstable_by_key(|(line, _)| *line);
        self.gathered.shrink_to_fit();
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
struct ByKey<'a> {
    lines: &'a Lines,
    sorted: Peekable<IntoIter<u32>>,
}

impl<'a> ByKey<'a> {
    fn new(lines: &'a Lines, mut some: Vec<u32>) -> Self {
        some.sort_unstable_by_key(|line| lines.key(*line));
        Self { lines, sorted: some.into_iter().peekable() }
    }

    /// The sums of a key, which is greater than the last one that was asked for.
    fn sum(&mut self, key: u64) -> Sums {
        let mut sum = Sums::default();
        while let Some(line) = self.sorted.next_if(|line| self.lines.key(*line) <= key) {
            if self.lines.key(line) == key {
                let time = self.lines.time(line as usize);
                sum.lines += 1;
                sum.own += u32::from(self.lines.shows_itself(line));
                sum.first = [sum.first, time].into_iter().flatten().min();
                sum.last = sum.last.max(time);
            }
        }
        sum
    }
}

/// The rows by columns, of which no two rows have all; most partitions lie in that order already, if it is one column.
fn in_order(frame: DataFrame, by: &[&'static str]) -> PolarsResult<DataFrame> {
    if let [column] = by {
        let values = frame.column(column)?.u64()?;
        if values.downcast_iter().flat_map(|chunk| chunk.values_iter()).is_sorted() {
            return Ok(frame);
        }
    }
    frame.sort(by.iter().copied(), SortMultipleOptions::default())
}

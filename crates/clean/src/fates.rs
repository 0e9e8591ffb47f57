//! Which tweets of a partition are copies, deleted, retweets or earlier versions: one fate each, the
//! first that applies. All of it is Polars over the keys; no text is looked at.

use std::collections::HashMap;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, PolarsResult, SortMultipleOptions, is_last_distinct,
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
    pub(crate) gathered: HashMap<u32, Gathered>,
}

/// Decides every line.
pub(crate) fn decide(lines: &Lines, retweets: Retweets) -> Outcome<Fates> {
    let alone = |n: usize| match () {
        () if !lines.readable(n) => Fate::Rejected,
        () if lines.hidden(n) => Fate::Deleted,
        () if retweets == Retweets::Drop && lines.retweet(n) => Fate::Retweet,
        () => Fate::Kept,
    };
    let mut fates = Fates { by_line: (0..lines.count()).map(alone).collect(), gathered: HashMap::new() };
    fates.decide(&lines.meeting()?, retweets).map_err(|e| engine(&e))?;
    Ok(fates)
}

impl Fates {
    /// Decides the lines that meet others.
    fn decide(&mut self, lines: &DataFrame, retweets: Retweets) -> PolarsResult<()> {
        let lines = in_order(lines, "order")?;

        // Copies: the greatest (received, line) wins.
        let (rest, copies) = split(&lines, &last_of(&lines, "id")?)?;
        self.mark(&copies, Fate::Duplicate)?;
        self.mark(&copies.filter(copies.column("deleted")?.bool()?)?, Fate::HiddenDuplicate)?;

        let deleted = rest.column("deleted")?.bool()?.clone();
        let (gone, rest) = split(&rest, &deleted)?;
        self.mark(&gone, Fate::Deleted)?;

        let rest = match retweets {
            Retweets::Keep => rest,
            Retweets::Drop => {
                let (dropped, rest) = split(&rest, rest.column("retweet")?.bool()?)?;
                self.mark(&dropped, Fate::Retweet)?;
                rest
            }
            Retweets::Fold => {
                // The line that is worth most wins, of these the latest.
                let ranked = rest.sort(["worth", "order"], SortMultipleOptions::default())?;
                let (winners, folded) = split(&ranked, &last_of(&ranked, "key")?)?;
                self.mark(&folded, Fate::Retweet)?;
                self.gather(&lines, &winners, &rest)?;
                winners
            }
        };

        // Versions: the last one is the tweet with the greatest id, whoever carries it.
        let ranked = in_order(&rest, "key")?;
        let (kept, earlier) = split(&ranked, &last_of(&ranked, "root")?)?;
        self.mark(&earlier, Fate::Edited)?;
        self.mark(&kept, Fate::Kept)?;
        if retweets != Retweets::Fold {
            self.gather(&lines, &kept, &rest)?;
        }
        Ok(())
    }

    fn mark(&mut self, lines: &DataFrame, fate: Fate) -> PolarsResult<()> {
        for line in lines.column("line")?.u32()?.into_no_null_iter() {
            self.by_line[line as usize] = fate;
        }
        Ok(())
    }

    /// Sums what belongs to each winner that has more than one line: over all `lines` of its key, re-reads included, and over the
    /// distinct retweets among `distinct`.
    fn gather(&mut self, lines: &DataFrame, winners: &DataFrame, distinct: &DataFrame) -> PolarsResult<()> {
        let (_, shown) = split(lines, lines.column("deleted")?.bool()?)?;
        let all = sums(&shown)?;
        let carriers = sums(&distinct.filter(distinct.column("retweet")?.bool()?)?)?;
        let (keys, lines) = (winners.column("key")?.u64()?, winners.column("line")?.u32()?);
        for (key, line) in keys.into_no_null_iter().zip(lines.into_no_null_iter()) {
            let Some(all) = all.get(&key) else { continue };
            let retweets = carriers.get(&key).map_or(0, |c| c.lines - c.own);
            if all.lines > 1 || retweets > 0 {
                self.gathered
                    .insert(line, Gathered { copies: all.own, retweets, first: all.first, last: all.last });
            }
        }
        Ok(())
    }
}

struct Sums {
    lines: u32,
    own: u32,
    first: Option<i64>,
    last: Option<i64>,
}

/// By key: lines, lines of the keyed tweet itself, earliest and latest own time.
#[expect(deprecated, reason = "they ask for the lazy engine, which is left out here")]
fn sums(lines: &DataFrame) -> PolarsResult<HashMap<u64, Sums>> {
    let ids = lines.column("id")?.u64()?.into_no_null_iter();
    let keys = lines.column("key")?.u64()?.into_no_null_iter();
    let own: Vec<i64> = ids.zip(keys).map(|(id, key)| i64::from(id == key)).collect();
    let mut counted = lines.select(["key", "time"])?;
    counted.with_column(Column::new("own".into(), own))?;
    counted.with_column(Column::new("one".into(), vec![1_i64; lines.height()]))?;
    let groups = counted.group_by(["key"])?;
    let total = groups.clone().select(["one", "own"]).sum()?;
    let (first, last) = (groups.clone().select(["time"]).min()?, groups.select(["time"]).max()?);
    let number = |frame: &DataFrame, name: &str| -> PolarsResult<Vec<Option<i64>>> {
        Ok(frame.column(name)?.i64()?.iter().collect())
    };
    let count = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let (one, own) = (number(&total, "one_sum")?, number(&total, "own_sum")?);
    let (first, last) = (number(&first, "time_min")?, number(&last, "time_max")?);
    let keys = total.column("key")?.u64()?.into_no_null_iter();
    Ok(keys
        .enumerate()
        .map(|(n, key)| {
            (key, Sums { lines: count(one[n]), own: count(own[n]), first: first[n], last: last[n] })
        })
        .collect())
}

/// The rows by a column; most partitions lie in that order already.
fn in_order(frame: &DataFrame, column: &str) -> PolarsResult<DataFrame> {
    let values = frame.column(column)?.u64()?;
    let ordered = values.downcast_iter().flat_map(|chunk| chunk.values_iter()).is_sorted();
    if ordered { Ok(frame.clone()) } else { frame.sort([column], SortMultipleOptions::default()) }
}

/// Whether each row is the last one with its value.
fn last_of(frame: &DataFrame, column: &str) -> PolarsResult<BooleanChunked> {
    is_last_distinct(frame.column(column)?.as_materialized_series())
}

/// The rows where `mask` holds, and the others.
fn split(frame: &DataFrame, mask: &BooleanChunked) -> PolarsResult<(DataFrame, DataFrame)> {
    Ok((frame.filter(mask)?, frame.filter(&!mask)?))
}

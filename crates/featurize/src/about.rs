//! What is told of rows: for the manifest, the card, and for verifying both.

use lake::{Counts, IdRange, Ledger, TimeRange};
use polars::prelude::{DataFrame, PolarsResult};

use crate::rows::{texts, times};

/// What is told of some rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) rows: u64,
    pub(crate) languages: Counts,
    pub(crate) times: TimeRange,
    pub(crate) ids: IdRange,
}

impl About {
    /// Adds rows.
    pub(crate) fn add(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        self.rows += rows.height() as u64;
        for lang in texts(rows, "lang")?.into_iter().flatten() {
            Ledger::count(&mut self.languages, lang, 1);
        }
        times(rows, "created_at")?.into_iter().for_each(|t| self.times.include(t));
        let ids = || texts(rows, "tweet_id").map(|ids| ids.into_iter().flatten());
        let order = |a: &&str, b: &&str| a.len().cmp(&b.len()).then(a.cmp(b));
        [ids()?.min_by(order), ids()?.max_by(order)]
            .into_iter()
            .flatten()
            .for_each(|id| self.ids.include(id));
        Ok(())
    }

    /// Sums up.
    pub(crate) fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        other.languages.iter().for_each(|(lang, n)| Ledger::count(&mut self.languages, lang, *n));
        [other.times.first, other.times.last].into_iter().for_each(|t| self.times.include(t));
        [&other.ids.min, &other.ids.max].into_iter().flatten().for_each(|id| self.ids.include(id));
    }
}

//! Where a live source goes on: one small file a question, in the lake, moved by compare-and-swap and only after
//! what it stands behind is committed.

use lake::{Condition, Lake, Tag, day_of};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use task::{Exit, Failure, Outcome};

use crate::sink::short_hash;

/// A cursor and the state it holds.
pub(crate) struct Cursor<'a, T> {
    lake: &'a Lake,
    key: String,
    tag: Option<Tag>,
    pub(crate) state: T,
}

impl<'a, T: Serialize + DeserializeOwned> Cursor<'a, T> {
    /// The cursor of a question, or a fresh one.
    pub(crate) fn open(
        lake: &'a Lake,
        source: &str,
        question: &str,
        fresh: impl FnOnce() -> T,
    ) -> Outcome<Self> {
        let key = format!("_meta/cursors/{source}-{}.json", short_hash(question));
        let Some((bytes, tag)) = lake.store.get(&key)? else {
            return Ok(Self { lake, key, tag: None, state: fresh() });
        };
        let state = serde_json::from_slice(&bytes).map_err(|e| {
            Failure::new(Exit::BadInput, format!("{key} is no cursor: {e}"))
                .hint("remove it to begin anew; what is committed stays")
        })?;
        Ok(Self { lake, key, tag: Some(tag), state })
    }

    /// Moves it. What it stands behind must be committed.
    pub(crate) fn save(&mut self) -> Outcome<()> {
        let mut bytes = serde_json::to_vec_pretty(&self.state)
            .map_err(|e| Failure::new(Exit::Bug, format!("cannot write {}: {e}", self.key)))?;
        bytes.push(b'\n');
        let condition = self.tag.take().map_or(Condition::Absent, Condition::Unchanged);
        match self.lake.store.put(&self.key, &bytes, &condition) {
            Err(lake::Error::Conflict(_)) => return Err(self.moved()),
            other => other?,
        }
        match self.lake.store.get(&self.key)? {
            Some((there, tag)) if there == bytes => self.tag = Some(tag),
            _ => return Err(self.moved()),
        }
        Ok(())
    }

    fn moved(&self) -> Failure {
        Failure::new(Exit::Conflict, format!("another run asks the same question and moved {}", self.key))
            .hint("run one at a time; nothing is lost, copies are counted")
    }
}

/// What was spent on a question in one UTC day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    day: String,
    micro_usd: u64,
    /// Estimate for what was asked for and is not committed yet: counted as spent if the run dies.
    asked_micro_usd: u64,
}

impl Day {
    /// What counts as spent today when a run begins.
    pub(crate) fn begin(&mut self, now: i64) -> u64 {
        let today = day_of(now);
        if self.day != today {
            *self = Self { day: today, ..Self::default() };
        }
        self.micro_usd += std::mem::take(&mut self.asked_micro_usd);
        self.micro_usd
    }

    /// What was spent by now, and what is asked for next.
    pub(crate) fn set(&mut self, now: i64, spent: u64, asked: u64) {
        (self.day, self.micro_usd, self.asked_micro_usd) = (day_of(now), spent, asked);
    }

    /// Asked for by a run that did not come to its end.
    pub(crate) fn unanswered(&self) -> u64 {
        self.asked_micro_usd
    }
}

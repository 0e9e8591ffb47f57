//! The ledger: every record that was ever read is accounted for, or nothing is committed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by name (a reason, a code, a type), in the order of the names.
pub type Counts = BTreeMap<String, u64>;

/// What a stage read and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Values read from the source: tweets, notices, rejects and unmatched alike.
    pub records: u64,
    /// Tweets written to raw, each copy and re-read counted.
    pub consumed: u64,
    /// Distinct ids among the consumed; no option, filter or tombstone changes it.
    pub unique: u64,
    /// Rows this stage took in: for `featurize`, what `clean` kept.
    pub read: u64,
    /// Tweets this stage passes on.
    pub kept: u64,
    /// Tweets this stage took out, by reason.
    pub dropped: Counts,
    /// Values that could not be read, by code.
    pub rejected: Counts,
    /// Values that are messages of the source and no tweets, by type.
    pub notices: Counts,
    /// Tweets scanned that the asked keywords, places or times do not match.
    pub unmatched: u64,
}

impl Ledger {
    /// Adds `n` to the count `name`.
    pub fn count(counts: &mut Counts, name: &str, n: u64) {
        match counts.get_mut(name) {
            Some(count) => *count += n,
            None => {
                counts.insert(name.to_owned(), n);
            }
        }
    }

    /// Sums another ledger into this one.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.consumed += other.consumed;
        self.unique += other.unique;
        self.read += other.read;
        self.kept += other.kept;
        self.unmatched += other.unmatched;
        for (mine, theirs) in [
            (&mut self.dropped, &other.dropped),
            (&mut self.rejected, &other.rejected),
            (&mut self.notices, &other.notices),
        ] {
            theirs.iter().for_each(|(name, n)| Self::count(mine, name, *n));
        }
    }

    /// Tweets dropped for `reason`.
    pub fn dropped_as(&self, reason: &str) -> u64 {
        self.dropped.get(reason).copied().unwrap_or(0)
    }

    /// `records = consumed + Σ notices + Σ rejected + unmatched`: what came in is accounted for.
    ///
    /// # Errors
    /// The equation with its numbers.
    pub fn balance_records(&self) -> Result<(), String> {
        let (notices, rejected) = (sum(&self.notices), sum(&self.rejected));
        equal(
            ("records", self.records),
            &[
                ("consumed", self.consumed),
                ("notices", notices),
                ("rejected", rejected),
                ("unmatched", self.unmatched),
            ],
        )
    }

    /// `consumed = kept + Σ dropped` and `unique = consumed − dropped[duplicate]`: what `clean` read
    /// has one fate each.
    ///
    /// # Errors
    /// The equation with its numbers.
    pub fn balance_fates(&self) -> Result<(), String> {
        equal(("consumed", self.consumed), &[("kept", self.kept), ("dropped", sum(&self.dropped))])?;
        equal(
            ("consumed", self.consumed),
            &[("unique", self.unique), ("dropped as duplicate", self.dropped_as("duplicate"))],
        )
    }

    /// `read = kept + Σ dropped`: what `featurize` read has one fate each.
    ///
    /// # Errors
    /// The equation with its numbers.
    pub fn balance_rows(&self) -> Result<(), String> {
        equal(("read", self.read), &[("kept", self.kept), ("dropped", sum(&self.dropped))])
    }
}

fn sum(counts: &Counts) -> u64 {
    counts.values().sum()
}

fn equal(whole: (&str, u64), parts: &[(&str, u64)]) -> Result<(), String> {
    if whole.1 == parts.iter().map(|p| p.1).sum::<u64>() {
        return Ok(());
    }
    let parts: Vec<String> = parts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    Err(format!("the ledger does not balance: {} {} is not {}", whole.0, whole.1, parts.join(" + ")))
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    fn sample() -> Ledger {
        let mut ledger = Ledger {
            records: 14,
            consumed: 10,
            unique: 7,
            kept: 5,
            unmatched: 1,
            read: 9,
            ..Ledger::default()
        };
        Ledger::count(&mut ledger.dropped, "duplicate", 3);
        Ledger::count(&mut ledger.dropped, "music", 2);
        Ledger::count(&mut ledger.rejected, "not_json", 2);
        Ledger::count(&mut ledger.notices, "delete", 1);
        ledger
    }

    #[test]
    fn each_equation_holds_and_each_lost_record_breaks_it() {
        let good = sample();
        assert_eq!(good.balance_records(), Ok(()));
        assert_eq!(good.balance_fates(), Ok(()));
        let lost = |change: fn(&mut Ledger)| {
            let mut ledger = sample();
            change(&mut ledger);
            ledger
        };
        assert!(lost(|l| l.records += 1).balance_records().is_err());
        assert!(lost(|l| l.unmatched -= 1).balance_records().is_err());
        assert!(lost(|l| l.kept -= 1).balance_fates().is_err());
        assert!(lost(|l| l.unique -= 1).balance_fates().is_err());
        let told = good.balance_rows().err();
        assert_eq!(told.as_deref(), Some("the ledger does not balance: read 9 is not kept 5 + dropped 5"));
    }

    #[test]
    fn ledgers_add_up() {
        let mut twice = sample();
        twice.add(&sample());
        assert_eq!((twice.records, twice.dropped_as("music")), (28, 4));
        assert_eq!(twice.balance_records(), Ok(()));
    }
}

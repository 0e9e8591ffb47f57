//! The one line that a stage leaves on stdout.

use lake::{Counts, Ledger, Location};
use serde::Serialize;

/// The summary: what Airflow passes on and a person reads first. The two headline counts come first.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// `ingest`, `clean` or `featurize`.
    pub stage: &'static str,
    /// Name of the run.
    pub run_id: String,
    /// Tweets consumed.
    pub consumed: u64,
    /// Distinct ids among them.
    pub unique: u64,
    /// Values read from the source.
    pub records: u64,
    /// Rows taken in.
    pub read: u64,
    /// Tweets passed on.
    pub kept: u64,
    /// By reason.
    pub dropped: Counts,
    /// By code.
    pub rejected: Counts,
    /// By type.
    pub notices: Counts,
    /// Scanned, not asked for.
    pub unmatched: u64,
    /// How many partitions were touched.
    pub partitions: usize,
    /// Where the run's manifest is.
    pub manifest: String,
    /// Of a dataset: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Of a dataset: its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Summary {
    /// The summary of a ledger.
    pub fn new(
        stage: &'static str,
        run_id: &str,
        ledger: &Ledger,
        partitions: usize,
        manifest: &Location,
    ) -> Self {
        let l = ledger.clone();
        Self {
            stage,
            run_id: run_id.to_owned(),
            consumed: l.consumed,
            unique: l.unique,
            records: l.records,
            read: l.read,
            kept: l.kept,
            dropped: l.dropped,
            rejected: l.rejected,
            notices: l.notices,
            unmatched: l.unmatched,
            partitions,
            manifest: manifest.to_string(),
            dataset: None,
            version: None,
        }
    }
}

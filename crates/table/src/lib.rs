//! How rows lie in Parquet: the one table of columns, and Polars frames in and out of files.
//!
//! The table feeds the Parquet schema and its metadata, `schema.json`, the dataset's card, the suites
//! of the gates and the README. `clean` and `featurize` share this crate; `ingest` has no rows.

mod batch;
mod build;
mod columns;
mod pages;
mod read;
mod write;

pub use batch::Batch;
pub use build::Builder;
pub use columns::{
    CLEAN, Column, DROP_REASON, FEATURES, HASHED, Kind, Role, SCHEMA_VERSION, WEIGHTED, dataset, describe,
    dropped,
};
pub use pages::BatchSink;
pub use read::{LocalCopy, Rows};
pub use write::{Compression, ROWS_PER_GROUP, Sink, empty};

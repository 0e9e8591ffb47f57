//! Where bytes rest: locations, the layout of a lake, reading values from any input within bounds,
//! committing, and the ledger that every stage must balance.
//!
//! This is the only crate that knows S3 and decompression. Everything here is blocking: an S3
//! lake carries a small runtime of its own, so callers never see one.

mod authors;
mod commit;
mod error;
mod fingerprint;
mod identities;
mod input;
mod layout;
mod ledger;
mod local;
mod location;
mod part;
mod records;
mod s3;
mod store;
mod times;
mod tombstones;
mod values;

pub use authors::{Author, Authors};
pub use commit::{Lake, SWEEP_AFTER};
pub use error::{Error, Result};
pub use fingerprint::{Fingerprint, raw_fingerprint, sha256_hex};
pub use identities::{Identities, IdentitiesAt, Known, read_identities};
pub use input::Input;
pub use layout::{Gate, Grain, Partition, RunId, check_name};
pub use ledger::{Counts, Ledger};
pub use location::Location;
pub use part::{open_part, part_error};
pub use records::{
    CleanInput, CleanPointer, Compliance, CurrentPointer, DatasetFile, DatasetManifest, FileStat, IdRange,
    InputStat, PartStat, RawCommit, RunManifest, SplitStat, TimeInterval, TimeRange, Verdict,
};
pub use store::{Condition, Entry, Store, Tag, Upload, in_parallel};
pub use times::{day_of, format_micros, parse_instant};
pub use tombstones::Tombstones;
pub use values::{Buffer, Chunk, Fault, Value, Values};

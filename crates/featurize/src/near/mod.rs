//! Near copies: rows whose texts share nearly all their runs of characters.
//!
//! Rows whose signatures meet are compared in full, so what is called near is near. The first pass spills
//! signatures and texts to files; memory holds 26 bytes a row while groups are found.

mod groups;
mod minhash;
mod shingles;
mod spill;

pub(crate) use groups::Groups;
pub(crate) use spill::{Sheet, Spill, Spilled};

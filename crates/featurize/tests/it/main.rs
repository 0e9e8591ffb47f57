//! Versions made, verified and promoted, from small lakes of clean results.
#![allow(clippy::unwrap_used)]

mod cli;
mod common;
mod features;
mod hashing;
mod lies;
mod merge;
mod near;
mod verify;
mod version;

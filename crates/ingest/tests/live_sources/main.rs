//! Live sources against the double of X and Jetstream: what arrives, what is waited for, how it ends.
#![allow(clippy::unwrap_used, missing_docs)]

mod bench;
mod bluesky;
mod clock;
mod errors;
mod kill;
mod search;
mod stream;
mod throughput;

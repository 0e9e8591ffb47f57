//! Live sources against the double of X and Jetstream: what arrives, what is waited for, how it ends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../lake/tests/it/server.rs"]
#[allow(dead_code)]
mod server;

mod bench;
mod bluesky;
mod bucket;
mod clock;
mod errors;
mod kill;
mod search;
mod signals;
mod stream;
mod throughput;

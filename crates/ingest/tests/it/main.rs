//! `ingest` as a process: what it prints, what it leaves, and what it survives.
#![allow(clippy::unwrap_used)]

#[path = "../../../lake/tests/it/server.rs"]
mod server;
mod support;

mod bucket;
mod data;
mod durable;
mod errors;
mod forms;
mod question;
mod rejects;
mod same_bytes;
mod signals;

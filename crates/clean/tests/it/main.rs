//! `clean` as its users meet it: lakes of invented tweets in, results, exits and messages out.
#![allow(clippy::unwrap_used)]

mod command_line;
mod fates;
mod lakes;
mod publishing;
mod rules;
mod tombstones;

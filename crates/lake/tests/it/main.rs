//! Lakes in folders and in buckets. The buckets are those of a real S3 server, `s3s-fs`, which
//! `OFFKEY_S3_SERVER` names; without it those tests say so and do nothing.
#![allow(clippy::unwrap_used)]

mod faults;
mod local;
mod proxy;
mod s3;
mod server;
mod stores;

//! `ingest`: sources to raw.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = ingest::Args::parse();
    task::main(&args.common, |task| ingest::run(&args, task))
}

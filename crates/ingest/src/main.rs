//! `ingest`: sources to raw.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = ingest::Args::parse();
    match args.dry_run {
        true => task::main(&args.common, |task| ingest::estimate(&args, task)),
        false => task::main(&args.common, |task| ingest::run(&args, task)),
    }
}

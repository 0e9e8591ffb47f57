//! `clean`: raw to clean.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = clean::Args::parse();
    task::main(args.common(), |task| clean::run(&args, task))
}

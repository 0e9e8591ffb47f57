//! `featurize`: clean results to a dataset version.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = featurize::Args::parse();
    task::main(args.common(), |task| featurize::run(&args, task))
}

//! The second stage: raw to clean.
//!
//! A partition's clean result is a pure function of its committed parts, of the tombstones that touch
//! it and of the arguments. It is made in two passes over the parts: the first reads who each tweet
//! is and decides its fate in Polars; the second reads what the survivors say, and writes.

mod analyse;
mod args;
mod evaluate;
mod fates;
mod gate;
mod keys;
mod names;
mod partition;
mod plan;
mod purge;
mod rewrite;
mod rules;
mod sought;
mod stage;

pub use args::Args;
use args::Command;
pub use plan::Plan;
pub use purge::Purged;
use serde::Serialize;
use serde_json::{Value, json};
use table::CLEAN;
use task::{Outcome, Summary, Task};

/// The last line of stdout.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of the stage.
    Summary(Box<Summary>),
    /// Of `plan`.
    Plan(Plan),
    /// Of `purge`.
    Purged(Box<Purged>),
    /// Of the other commands.
    Other(Value),
}

/// Runs the stage, or the command that was named.
///
/// # Errors
/// With the exit code that the process shall end with.
pub fn run(args: &Args, task: &Task) -> Outcome<Report> {
    match &args.command {
        None => stage::run(args, task).map(|summary| Report::Summary(Box::new(summary))),
        Some(Command::Plan(plan)) => plan::run(plan, task).map(Report::Plan),
        Some(Command::Purge(purge)) => purge::run(purge, task).map(|purged| Report::Purged(Box::new(purged))),
        Some(Command::Evaluate(evaluate)) => evaluate::run(evaluate).map(Report::Other),
        Some(Command::Schema(_)) => Ok(Report::Other(json!({ "stage": "schema", "columns": CLEAN }))),
    }
}

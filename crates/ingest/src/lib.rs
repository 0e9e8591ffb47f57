//! The first stage: sources to raw.
//!
//! Every value of a source meets one of five ends, and each is counted: a tweet that was asked for
//! becomes one raw line, a notice goes to `_meta/notices` (and, where it deletes or hides, to the
//! tombstones), what cannot be read goes to `_meta/rejects` with its bytes and place, and a tweet
//! that was not asked for is `unmatched`.

mod args;
mod classify;
mod file;
mod ids;
mod raw;
mod wanted;

pub use args::{Args, Source};
use task::{Outcome, Summary, Task};

/// Runs the stage.
///
/// # Errors
/// With the exit code that the process shall end with.
pub fn run(args: &Args, task: &Task) -> Outcome<Summary> {
    match args.source {
        Source::File => file::run(args, task),
    }
}

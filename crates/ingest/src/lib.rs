//! The first stage: sources to raw.
//!
//! Every value of a source meets one of five ends, and each is counted: a tweet that was asked for
//! becomes one raw line, a notice goes to `_meta/notices` (and, where it deletes or hides, to the
//! tombstones), what cannot be read goes to `_meta/rejects` with its bytes and place, and a tweet
//! that was not asked for is `unmatched`.

mod args;
mod bluesky;
mod classify;
mod clock;
mod cursor;
mod fields;
mod file;
mod ids;
mod live;
mod money;
mod net;
mod question;
mod raw;
mod rules;
mod search;
mod sink;
mod stream;
mod trouble;
mod wanted;

use std::sync::Arc;

pub use args::{Archive, Args, Source};
pub use clock::{Clock, Wait};
pub use fields::Dialect;
pub use money::Usd;
pub use search::Estimate;
use task::{Exit, Failure, Outcome, Summary, Task};

use crate::clock::{SystemClock, micros};
use crate::net::Pace;

/// Runs the stage.
///
/// # Errors
/// With the exit code that the process shall end with.
pub fn run(args: &Args, task: &Task) -> Outcome<Summary> {
    run_by(args, task, Arc::new(SystemClock::at(task.now())))
}

/// Runs the stage by another clock.
///
/// # Errors
/// As [`run`].
pub fn run_by(args: &Args, task: &Task, clock: Arc<dyn Clock>) -> Outcome<Summary> {
    let args = &asked(args);
    let pace = pace(args, task, clock);
    match args.source {
        Source::File => file::run(args, task),
        Source::Search => search::run(args, task, pace),
        Source::Stream => stream::run(args, task, pace),
        Source::Bluesky => bluesky::run(args, task, pace),
    }
}

/// Says what a run would cost, and reads nothing.
///
/// # Errors
/// As [`run`].
pub fn estimate(args: &Args, task: &Task) -> Outcome<Estimate> {
    estimate_by(args, task, Arc::new(SystemClock::at(task.now())))
}

/// Says it by another clock.
///
/// # Errors
/// As [`run`].
pub fn estimate_by(args: &Args, task: &Task, clock: Arc<dyn Clock>) -> Outcome<Estimate> {
    let args = &asked(args);
    match args.source {
        Source::Search | Source::Stream => search::estimate(args, pace(args, task, clock)),
        Source::File | Source::Bluesky => {
            Err(Failure::new(Exit::Usage, "--dry-run is for sources that cost money")
                .hint("files and Bluesky are free"))
        }
    }
}

fn pace(args: &Args, task: &Task, clock: Arc<dyn Clock>) -> Pace {
    let deadline = args.run_for.map(|time| clock.now() + micros(time));
    Pace { clock, stop: task.stop.clone(), deadline, reached: Arc::default() }
}

/// The arguments with the default keyword: of a live source nobody wants all.
fn asked(args: &Args) -> Args {
    let mut args = args.clone();
    let open = args.track.is_empty() && args.track_file.is_none() && args.locations.is_none();
    if args.source != Source::File && open {
        args.track.push(question::DEFAULT.into());
    }
    args
}

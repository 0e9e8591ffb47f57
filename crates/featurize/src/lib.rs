//! The third stage: clean results to a dataset version.
//!
//! A version is a pure function of the clean results of an interval, all tombstones of the lake and the
//! arguments. It is named by the hash of these, so making it again changes nothing. Two passes over the
//! rows, in bounded memory: the first decides which rows stay, the second writes them with their
//! features and splits. Readers get a version only when it is promoted.

mod about;
mod args;
mod batches;
mod card;
mod croissant;
mod fates;
mod features;
mod hashing;
mod ids;
mod make;
mod marks;
mod matrices;
mod merge;
mod near;
mod plan;
mod promote;
mod rows;
mod sparse;
mod split;
mod temporary;
mod verify;
mod version;
mod write;

pub use args::{Args, By, Codec, Command, Ids, Make, Promote, Similarity, Verify};
pub use hashing::Ngrams;
pub use ids::Listed;
pub use promote::Promoted;
use serde::Serialize;
pub use split::{Cuts, Shares};
use task::{Outcome, Summary, Task};
pub use verify::Verified;

/// What a run leaves on stdout.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// A version was made, or was there.
    Made(Box<Summary>),
    /// A version was verified.
    Verified(Verified),
    /// A version was promoted.
    Promoted(Promoted),
    /// Ids were written.
    Listed(Listed),
}

/// Runs what the command line asks for.
///
/// # Errors
/// With the exit code that the process shall end with.
pub fn run(args: &Args, task: &Task) -> Outcome<Said> {
    Ok(match &args.command {
        None => Said::Made(Box::new(make::make(&args.make, task)?)),
        Some(Command::Verify(verify)) => Said::Verified(verify::verify(verify, task)?),
        Some(Command::Promote(promote)) => Said::Promoted(promote::promote(promote)?),
        Some(Command::Ids(ids)) => Said::Listed(ids::ids(ids, task)?),
    })
}

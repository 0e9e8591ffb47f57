//! Files for what memory shall not hold. They have no name, so a killed run leaves nothing.

use std::fs::File;
use std::io::Result;
use std::path::Path;

use lake::Location;
use task::{Exit, Failure, Outcome};

use crate::plan::Plan;
use crate::rows::{TWEETS, ahead};

/// Bytes that a row takes while near copies are looked for: 72 of bands and time, and its text.
const OF_A_ROW: u64 = 200;
/// Bytes that a row's hashed tokens take, once plain and once weighted.
const OF_A_MATRIX: u64 = 250;

/// A file in the folder of a local lake, else where temporary files go.
pub(crate) fn temporary(lake: Option<&Location>) -> Result<File> {
    match lake {
        Some(Location::Local(root)) => tempfile::tempfile_in(root),
        _ => tempfile::tempfile(),
    }
}

/// Sees, before any work is done, that what is to be made leaves room there.
pub(crate) fn check_room(plan: &Plan) -> Outcome<()> {
    let place = match plan.lake.location() {
        Location::Local(root) => root.clone(),
        Location::S3 { .. } => std::env::temp_dir(),
    };
    // Where the system does not say, the first write that fails does.
    let Ok(system) = rustix::fs::statvfs(&place) else { return Ok(()) };
    enough(&place, needed(plan), system.f_bavail.saturating_mul(system.f_frsize))
}

fn needed(plan: &Plan) -> u64 {
    let rows: u64 = plan.pointers.iter().map(|p| p.ledger.kept).sum();
    let near = if plan.near.threshold.is_some() { OF_A_ROW } else { 0 };
    let hashed = plan.hashing.map_or(0, |hashing| OF_A_MATRIX * (1 + u64::from(hashing.weighted)));
    let size = |p: &lake::CleanPointer| p.files.get(TWEETS).map_or(0, |stat| stat.size);
    let sizes: Vec<u64> = plan.pointers.iter().map(size).collect();
    let copies = match plan.lake.location() {
        Location::Local(_) => 0,
        Location::S3 { .. } => sizes.chunks(ahead(&plan.lake)).map(|now| now.iter().sum()).max().unwrap_or(0),
    };
    rows * (near + hashed) + copies
}

fn enough(place: &Path, needed: u64, free: u64) -> Outcome<()> {
    if needed <= free {
        return Ok(());
    }
    let mega = |bytes: u64| bytes.div_ceil(1_000_000);
    let message = format!(
        "temporary files will take about {} MB, and {} has {} MB left",
        mega(needed),
        place.display(),
        mega(free)
    );
    Err(Failure::new(Exit::Configuration, message).hint(
        "give it room: they lie in the folder of a local lake, else in TMPDIR (the DAG's containers: a folder of the host named by \
         OFFKEY_SCRATCH); --near-copies none takes less",
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::enough;

    #[test]
    fn too_small_a_place_is_told_with_the_mend() {
        assert!(enough(Path::new("/tmp"), 256_000_000, 256_000_000).is_ok());
        let told = enough(Path::new("/tmp"), 800_000_000, 256_000_000).map_err(|failure| failure.to_string());
        insta::assert_snapshot!(told.err().unwrap_or_default());
    }
}

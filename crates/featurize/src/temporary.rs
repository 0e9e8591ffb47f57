//! Files for what memory shall not hold. They have no name, so a killed run leaves nothing.

use std::fs::File;
use std::io::Result;

use lake::Location;

/// A file in the folder of a local lake, else where temporary files go.
pub(crate) fn temporary(lake: Option<&Location>) -> Result<File> {
    match lake {
        Some(Location::Local(root)) => tempfile::tempfile_in(root),
        _ => tempfile::tempfile(),
    }
}

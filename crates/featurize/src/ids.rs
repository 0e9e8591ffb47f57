//! `featurize ids`: the ids of a version. X lets one pass on ids, not tweets.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Serialize;
use task::{Exit, Failure, Outcome, Task};

use crate::args;
use crate::rows::{computing, reading, texts};
use crate::version::Version;

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// `ids`.
    pub stage: &'static str,
    /// The dataset.
    pub dataset: String,
    /// Its version.
    pub version: String,
    /// Ids written, a line each.
    pub ids: u64,
    /// The file.
    pub output: String,
}

pub(crate) fn ids(args: &args::Ids, task: &Task) -> Outcome<Listed> {
    let version = Version::open(&args.dataset)?;
    let failed = |e: std::io::Error| {
        Failure::new(Exit::Storage, format!("cannot write {}: {e}", args.output.display()))
            .hint("--output names a file in a folder that is there")
    };
    let mut out = BufWriter::new(File::create(&args.output).map_err(failed)?);
    let mut written = 0;
    for file in &version.manifest.files {
        let (_copy, rows) = version.rows(file, Some(&["tweet_id"]))?;
        for frame in rows {
            task.stop.check()?;
            let frame = frame.map_err(reading(&file.path))?;
            for id in texts(&frame, "tweet_id").map_err(computing)?.into_iter().flatten() {
                writeln!(out, "{id}").map_err(failed)?;
                written += 1;
            }
        }
    }
    out.flush().map_err(failed)?;
    Ok(Listed {
        stage: "ids",
        dataset: version.manifest.dataset,
        version: version.manifest.version,
        ids: written,
        output: args.output.display().to_string(),
    })
}

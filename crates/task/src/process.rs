//! From `main` to the exit code.

use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lake::RunId;
use serde::Serialize;

use crate::{Common, Exit, Failure, Outcome, Stop};

/// What a running task knows about its process.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of this run.
    pub run_id: RunId,
    /// Threads to compute with.
    pub threads: usize,
    /// Whether a signal asked to stop.
    pub stop: Stop,
    /// When it started, µs since 1970 UTC: for run manifests only, never for data.
    pub started: i64,
}

impl Task {
    /// The task of a process, or of a test.
    ///
    /// # Errors
    /// Never for the run ids that clap lets through.
    pub fn new(common: &Common, stop: Stop) -> Outcome<Self> {
        let started = now();
        let run_id = match &common.run_id {
            Some(id) => id.clone(),
            None => {
                let time = lake::format_micros(started);
                format!("manual_{}Z-{}", &time[..19].replace(':', "-"), std::process::id()).parse()?
            }
        };
        Ok(Self { run_id, threads: crate::threads(common), stop, started })
    }

    /// The clock, for run manifests and live sources.
    pub fn now(&self) -> i64 {
        now()
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

/// Runs one task: logs, signals, the summary as the last line of stdout, and the exit code.
pub fn main<S: Serialize>(common: &Common, work: impl FnOnce(&Task) -> Outcome<S>) -> ExitCode {
    crate::log::start(&common.log);
    let ended = Task::new(common, Stop::listen()).and_then(|task| work(&task));
    let exit = match ended {
        Ok(summary) => print(&summary),
        Err(failure) => {
            let _ = crate::progress::above(format!("{failure}\n").as_bytes());
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

/// The last thing that a process writes: Airflow takes the last line of a container's output.
fn print<S: Serialize>(summary: &S) -> Exit {
    let line = serde_json::to_string(summary).unwrap_or_default() + "\n";
    let mut out = std::io::stdout().lock();
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Done,
        Err(e) => {
            let _ = crate::progress::above(
                Failure::new(Exit::Storage, format!("cannot print the summary: {e}\n"))
                    .to_string()
                    .as_bytes(),
            );
            Exit::Storage
        }
    }
}

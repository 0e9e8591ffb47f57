//! The flags that all binaries share.

use clap::Args;
use lake::{Location, RunId};

/// How flags are set without a command line, as `--help` tells it.
pub const ENVIRONMENT: &str = "Every flag may also come from the environment: --run-id as OFFKEY_RUN_ID.";

/// Shared flags.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub struct Common {
    /// Name of this run in manifests and logs [default: the time and the process]
    #[arg(long, env = "OFFKEY_RUN_ID", hide_env = true, value_name = "ID", value_parser = run_id)]
    pub run_id: Option<RunId>,

    /// Threads that compute; the result is the same for any number [default: one a core]
    #[arg(long, env = "OFFKEY_THREADS", hide_env = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,

    /// Least severe log level shown on stderr
    #[arg(long, env = "OFFKEY_LOG", hide_env = true, value_name = "LEVEL", default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    pub log: String,
}

/// clap parser of a location.
///
/// # Errors
/// What is wrong with it.
pub fn location(text: &str) -> Result<Location, String> {
    text.parse().map_err(|e: lake::Error| e.to_string())
}

fn run_id(text: &str) -> Result<RunId, String> {
    text.parse().map_err(|e: lake::Error| e.to_string())
}

/// Threads to compute with.
pub fn threads(common: &Common) -> usize {
    common.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

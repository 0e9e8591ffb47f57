//! Logs go to stderr: text for a person at a terminal, a line of JSON each for everything else.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

struct AboveTheBar;

impl Write for AboveTheBar {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        crate::progress::above(buf).map(|()| buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for AboveTheBar {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Starts logging at `level`; libraries speak from `warn` on.
pub(crate) fn start(level: &str) {
    let ours = ["ingest", "clean", "featurize", "task", "lake", "table", "text", "tweet"];
    let rules = ours.iter().map(|name| format!("{name}={level}")).collect::<Vec<_>>().join(",");
    let filter = EnvFilter::new(format!("warn,{rules}"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| AboveTheBar).with_target(false);
    // A second start in one process (tests) changes nothing.
    let _ = if std::io::stderr().is_terminal() {
        log.without_time().compact().try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
}

//! A stream that comes as fast as it can: nothing is lost, memory stays flat, and the figures are printed.

use std::fmt;
use std::fs;
use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use x_server::{Place, XServer};

use crate::bench::{Bench, QUERY};
use crate::kill::command;

/// Megabytes that no stream may take, however long it is.
pub const MEMORY: u64 = 150;

/// What a run took.
pub struct Done {
    pub seconds: f64,
    pub cpu: f64,
    pub megabytes: u64,
    pub stderr: String,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s, {:.1} CPU seconds, {} MB at most", self.seconds, self.cpu, self.megabytes)
    }
}

/// Runs a command to its good end and looks at it meanwhile.
pub fn watched(command: &mut Command) -> Done {
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut memory, mut ticks) = (0, 0);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let proc = format!("/proc/{}", child.id());
        let status = fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        memory = memory.max(most.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0));
        let stat = fs::read_to_string(format!("{proc}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let tick = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        ticks = ticks.max(tick(11) + tick(12));
        thread::sleep(Duration::from_millis(20));
    };
    let mut stderr = String::new();
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut stderr).unwrap();
    }
    assert!(status.success(), "{status}: {stderr}");
    let seconds = begun.elapsed().as_secs_f64();
    Done { seconds, cpu: ticks as f64 / 100.0, megabytes: memory / 1_024, stderr }
}

/// Ten times as long with `OFFKEY_LONG`; `--no-capture` shows the figures, of use on a quiet machine alone.
#[test]
fn a_stream_as_fast_as_it_can() {
    let live = if std::env::var_os("OFFKEY_LONG").is_some() { 200_000 } else { 20_000 };
    let bench = Bench::new(XServer::builder().tweets(10).live(live));
    let tweets = bench.double.matching(QUERY, Place::Stream).unwrap().len() - 10;
    let flags = ["--source", "stream", "--max-tweets", &tweets.to_string()];
    let done = watched(command(&bench, bench.lake().to_str().unwrap()).args(flags));
    let kept: u64 = bench.ids().values().map(|n| u64::from(*n)).sum();
    eprintln!(
        "{kept} tweets in {done}: {:.0} a second, {:.0} a CPU second",
        kept as f64 / done.seconds,
        kept as f64 / done.cpu
    );
    assert!(kept >= tweets as u64, "{kept} of {tweets}");
    assert!(done.megabytes < MEMORY, "{done}");
}

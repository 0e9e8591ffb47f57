//! A stream that comes as fast as it can: nothing is lost, memory stays flat, and the figures are printed.

use std::time::Instant;

use x_server::{Place, XServer};

use crate::bench::{Bench, QUERY};
use crate::kill::start;

/// Megabytes that no stream may take, however long it is.
const MEMORY: u64 = 150;

/// Ten times as long with `OFFKEY_LONG`; `--no-capture` shows the figures, of use on a quiet machine alone.
#[test]
fn a_stream_as_fast_as_it_can() {
    let live = if std::env::var_os("OFFKEY_LONG").is_some() { 200_000 } else { 20_000 };
    let bench = Bench::new(XServer::builder().tweets(10).live(live));
    let tweets = bench.double.matching(QUERY, Place::Stream).unwrap().len() - 10;
    let begun = Instant::now();
    let mut child = start(&bench, &["--source", "stream", "--max-tweets", &tweets.to_string()]);
    let (mut memory, mut ticks) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        let proc = format!("/proc/{}", child.id());
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        memory = memory.max(most.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0));
        let stat = std::fs::read_to_string(format!("{proc}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let tick = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        ticks = ticks.max(tick(11) + tick(12));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), ticks as f64 / 100.0);
    let kept: u64 = bench.ids().values().map(|n| u64::from(*n)).sum();
    eprintln!(
        "{kept} tweets in {seconds:.1} s: {:.0} a second, {:.0} a CPU second; {} MB at most",
        kept as f64 / seconds,
        kept as f64 / cpu,
        memory / 1_024
    );
    assert!(kept >= tweets as u64, "{kept} of {tweets}");
    assert!(memory / 1_024 < MEMORY, "{memory} kB");
}

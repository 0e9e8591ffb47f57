//! kill -9 at any moment: after the reruns everything the server had is there.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x_server::{Act, Builder, Cut, Endpoint, Fault, Limits, Place, Step, XServer};

use crate::bench::{Bench, QUERY};
use crate::signals::{spent, until};

/// Kills of one lake; after so many it is read to its end.
const ROUNDS: u32 = 20;

/// How many lakes: 200 kills are for a quiet hour.
fn lakes() -> u32 {
    if std::env::var_os("OFFKEY_LONG").is_some() { 10 } else { 1 }
}

pub fn start(bench: &Bench, flags: &[&str]) -> Child {
    command(bench, bench.lake().to_str().unwrap()).args(flags).spawn().unwrap()
}

/// `ingest` from the double into a lake.
pub fn command(bench: &Bench, lake: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest"));
    command
        .args(["--lake", lake])
        .args(["--token-file", bench.folder.path().join("token").to_str().unwrap()])
        .args(["--api-url", &bench.double.url, "--jetstream-url", &bench.double.jetstream_url])
        .env("OFFKEY_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

/// Kills after a time between 20 and 20 + `span` ms, another each round.
fn kill_at_random(mut child: Child, round: u32, span: u64) -> bool {
    let time = 20 + u64::from(round).wrapping_mul(0x9e37_79b9_7f4a_7c15) % span;
    std::thread::sleep(Duration::from_millis(time));
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive
}

/// A double whose clock is `behind` the real one by so many seconds.
pub fn double(behind: i64) -> Builder {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    XServer::builder().now(now - behind * 1_000).ticking().limits(Limits::off())
}

#[test]
fn a_killed_search_loses_nothing_and_reads_little_twice() {
    (0..lakes()).for_each(search);
}

fn search(lake: u32) {
    let bench = Bench::new(double(0).tweets(14_000).live(0).search_retweets());
    let now = bench.double.clock.now();
    let wanted: Vec<u64> = bench.double.matching(QUERY, Place::Search).unwrap();
    // What is older than a minute is indexed in any case.
    let wanted: BTreeSet<u64> =
        wanted.into_iter().filter(|id| x_server::id_time(*id) < now - 60_000).collect();
    let mut killed = 0;
    for round in lake * ROUNDS..(lake + 1) * ROUNDS {
        killed += u32::from(kill_at_random(start(&bench, &["--source", "search"]), round, 100));
    }
    assert!(start(&bench, &["--source", "search"]).wait().unwrap().success());
    let got: BTreeSet<u64> = bench.numbers().into_iter().collect();
    assert!(wanted.is_subset(&got), "{} of {}", got.len(), wanted.len());
    let served = bench.double.ledger.totals().search;
    let twice = served - bench.double.ledger.served().len() as u64;
    eprintln!(
        "{} tweets, {killed} kills: {twice} read twice, ${:.2} of posts",
        got.len(),
        twice as f64 * 0.005
    );
    // A kill costs the page under way; a run that comes to its end looks back a minute.
    assert!(twice <= 100 * u64::from(ROUNDS + 1), "{twice}");
}

#[test]
fn a_killed_stream_loses_nothing() {
    (0..lakes()).for_each(stream);
}

fn stream(lake: u32) {
    let bench = Bench::new(double(3_600).tweets(10).live(100_000).search_retweets());
    let flags = ["--source", "stream", "--for", "8s"];
    let mut killed = 0;
    for round in lake * ROUNDS..(lake + 1) * ROUNDS {
        killed += u32::from(kill_at_random(start(&bench, &flags), round, 600));
    }
    let before = bench.double.ledger.totals();
    assert!(start(&bench, &flags).wait().unwrap().success());
    let got: BTreeSet<u64> = bench.numbers().into_iter().collect();
    let found: BTreeSet<u64> = bench.double.matching(QUERY, Place::Search).unwrap().into_iter().collect();
    let manifest = bench.manifest();
    let gaps = manifest["gaps"].as_array().unwrap();
    let open = |id: u64| {
        let time = x_server::format_time(x_server::id_time(id));
        let holds = |gap: &serde_json::Value| {
            let edge = |name: &str| gap[name].as_str().unwrap()[..23].to_owned();
            gap["repaired"] == false && *edge("since") <= time[..23] && time[..23] <= *edge("until")
        };
        gaps.iter().any(holds)
    };
    // From the first tweet that was committed to the last: all of it, but for what only the stream's operators match
    // and for what the manifest says is missing still.
    let (first, last) = (*got.first().unwrap(), *got.last().unwrap());
    let lost: Vec<u64> = bench.double.matching(QUERY, Place::Stream).unwrap();
    let lost = lost
        .iter()
        .filter(|id| (first..=last).contains(id) && !got.contains(id) && found.contains(id) && !open(**id))
        .count();
    let totals = bench.double.ledger.totals();
    let twice = totals.search + totals.stream - totals.distinct as u64;
    eprintln!(
        "{} tweets, {killed} kills ({} streamed by then): {twice} read twice, ${:.2} of posts",
        got.len(),
        before.stream,
        twice as f64 * 0.005
    );
    assert_eq!(lost, 0, "{manifest}");
}

/// What was read before a kill and not committed stands in the next manifest, and counts as spent.
#[test]
fn what_a_killed_stream_had_read_is_told() {
    let bench = Bench::new(double(3_600).tweets(10).live(1_000).search_retweets());
    let unfinished = vec![Step::Tweets(20), Step::Cut(Cut::Stall)];
    bench.double.faults.add(Fault::new(Endpoint::Stream, Act::Script(unfinished)));
    let mut child = start(&bench, &["--source", "stream"]);
    until(&|| "a note".into(), || spent(&bench.lake()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(bench.numbers().is_empty());
    assert!(start(&bench, &["--source", "stream", "--for", "3s"]).wait().unwrap().success());
    assert_eq!(bench.numbers(), bench.double.ledger.served());
    let manifest = bench.manifest();
    let again = manifest["read_again"]["usd"].as_f64().unwrap_or_else(|| panic!("{manifest}"));
    assert!((0.3..2.0).contains(&again), "{manifest}");
}

/// SIGTERM at any moment: the run says so, and what it has is committed; the next one goes on.
#[test]
fn a_stream_that_is_terminated_loses_nothing() {
    let bench = Bench::new(double(3_600).tweets(10).live(60_000).search_retweets());
    let flags = ["--source", "stream", "--for", "8s"];
    let mut ended = 0;
    for round in 0..5 * lakes() {
        let mut child = start(&bench, &flags);
        std::thread::sleep(Duration::from_millis(100 + u64::from(round) * 37 % 500));
        let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(kill.success());
        // Before the handler is there the signal kills; after it the run ends by itself.
        let status = child.wait().unwrap();
        assert!(status.code().is_none_or(|code| code == 143), "{status}");
        ended += u32::from(status.code() == Some(143));
    }
    assert!(ended > 0);
    assert!(start(&bench, &flags).wait().unwrap().success());
    let got: BTreeSet<u64> = bench.numbers().into_iter().collect();
    let found: BTreeSet<u64> = bench.double.matching(QUERY, Place::Search).unwrap().into_iter().collect();
    let (first, last) = (*got.first().unwrap(), *got.last().unwrap());
    assert!(found.range(first..=last).all(|id| got.contains(id)));
}

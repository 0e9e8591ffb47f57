//! SIGTERM and SIGINT as a container's engine sends them: to the first process of a namespace, for which the system
//! has no handler of its own. Whatever the run is doing, it ends by itself, and what it has is committed.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;
use x_server::{Act, Cut, Endpoint, Fault, Place, RateHeaders, Refusal, Step};

use crate::bench::{Bench, QUERY, files, ids};
use crate::bucket::{Valve, into};
use crate::kill::{command, double};
use crate::server::Server;

/// Looks until something is so. It may take long on a busy machine, but not for ever.
pub fn until(what: &dyn Fn() -> String, so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if so() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("not after a minute: {}", what());
}

/// A run as the first process of its own namespace, where this machine allows one.
struct First {
    child: Child,
    pid: String,
    /// Its stderr.
    said: NamedTempFile,
}

impl First {
    fn start(command: &Command) -> Self {
        let namespace = ["--pid", "--fork", "--mount-proc", "--kill-child"];
        let allowed = Command::new("unshare").args(namespace).arg("true").stderr(Stdio::null()).status();
        let alone = allowed.is_ok_and(|status| status.success());
        let mut first = Command::new(if alone { "unshare" } else { "env" });
        if alone {
            first.args(namespace);
        } else {
            eprintln!(
                "SKIPPED: no namespace to be the first process of; an ordinary process is sent the signal"
            );
        }
        first.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            first.env(name, value.unwrap_or_default());
        }
        let said = NamedTempFile::new().unwrap();
        let child = first
            .env("OFFKEY_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut pid = child.id().to_string();
        if alone {
            let children = format!("/proc/{pid}/task/{pid}/children");
            let inner = || std::fs::read_to_string(&children).unwrap_or_default();
            until(&|| "a child".into(), || !inner().trim().is_empty());
            pid = inner().trim().to_owned();
        }
        Self { child, pid, said }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.said.path()).unwrap()
    }

    fn until(&self, what: &str, so: impl Fn() -> bool) {
        until(&|| format!("{what}:\n{}", self.said()), so);
    }

    /// Sends a signal, and gives what the run said on stderr. It printed no summary, and ended with 143.
    fn end(mut self, signal: &str) -> String {
        assert!(Command::new("kill").args([signal, &self.pid]).status().unwrap().success());
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code();
        let said = self.said();
        assert_eq!((code, out.as_str()), (Some(143), ""), "{said}");
        assert!(said.contains("terminated by a signal"), "{said}");
        said
    }
}

/// One moment at which a signal comes.
struct Moment {
    name: &'static str,
    source: &'static str,
    faults: Vec<Fault>,
    /// Requests of this endpoint that have come by then.
    requests: (Endpoint, usize),
    /// Whether tweets of X have come by then.
    heard: bool,
}

fn moments() -> Vec<Moment> {
    let fault = |on, act| Fault::new(on, act);
    let script = |steps: Vec<Step>| fault(Endpoint::Stream, Act::Script(steps));
    let busy = || Act::Refuse { with: Refusal::Status(503), rate: RateHeaders::Absent };
    let limited = || Act::Refuse { with: Refusal::RateLimit, rate: RateHeaders::Far };
    let hang = || Act::Hang { seconds: 3_600 };
    let twenty = || script(vec![Step::Tweets(20), Step::End]);
    let moment = |name, source, faults, requests: (Endpoint, usize)| {
        let heard = !matches!(requests.0, Endpoint::Rules | Endpoint::Jetstream);
        Moment { name, source, faults, requests, heard }
    };
    vec![
        moment(
            "a stream that says nothing",
            "stream",
            vec![script(vec![Step::Tweets(20), Step::Cut(Cut::Stall)])],
            (Endpoint::Stream, 1),
        ),
        moment(
            "a stream that waits for a new try",
            "stream",
            vec![twenty(), fault(Endpoint::Stream, busy()).times(0)],
            (Endpoint::Stream, 3),
        ),
        moment(
            "a stream that waits for a rate limit",
            "stream",
            vec![twenty(), fault(Endpoint::Stream, limited()).times(0)],
            (Endpoint::Stream, 2),
        ),
        moment(
            "a stream without an answer",
            "stream",
            vec![twenty(), fault(Endpoint::Stream, hang())],
            (Endpoint::Stream, 2),
        ),
        moment(
            "rules without an answer",
            "stream",
            vec![fault(Endpoint::Rules, hang())],
            (Endpoint::Rules, 1),
        ),
        moment(
            "a gap whose search has no answer",
            "stream",
            vec![
                script(vec![Step::Tweets(20), Step::Miss(5), Step::End]),
                script(vec![Step::Tweets(20), Step::Cut(Cut::Stall)]),
                fault(Endpoint::Search, hang()),
            ],
            (Endpoint::SearchRecent, 1),
        ),
        moment(
            "a search without an answer",
            "search",
            vec![fault(Endpoint::Search, hang()).skip(1)],
            (Endpoint::SearchRecent, 2),
        ),
        moment(
            "a search that waits for a new try",
            "search",
            vec![fault(Endpoint::Search, busy()).skip(1).times(0)],
            (Endpoint::SearchRecent, 3),
        ),
        moment(
            "a search that waits for a rate limit",
            "search",
            vec![fault(Endpoint::Search, limited()).skip(1).times(0)],
            (Endpoint::SearchRecent, 2),
        ),
        moment(
            "Jetstream that says nothing",
            "bluesky",
            vec![fault(Endpoint::Jetstream, Act::Script(vec![Step::Tweets(100), Step::Cut(Cut::Stall)]))],
            (Endpoint::Jetstream, 1),
        ),
        moment(
            "Jetstream that refuses",
            "bluesky",
            vec![fault(Endpoint::Jetstream, busy()).times(0)],
            (Endpoint::Jetstream, 2),
        ),
        moment(
            "Jetstream without an answer",
            "bluesky",
            vec![fault(Endpoint::Jetstream, hang())],
            (Endpoint::Jetstream, 1),
        ),
    ]
}

#[test]
fn a_signal_ends_every_live_source_at_every_moment() {
    for (signal, moment) in ["-TERM", "-INT"].into_iter().cycle().zip(moments()) {
        one(signal, &moment);
    }
}

fn one(signal: &str, moment: &Moment) {
    let name = moment.name;
    let behind = if moment.source == "search" { 0 } else { 3_600 };
    let bench = Bench::new(double(behind).tweets(3_000).live(1_000).search_retweets());
    bench.double.faults.set(moment.faults.clone());
    let lake = bench.lake();
    let run = First::start(command(&bench, lake.to_str().unwrap()).args(["--source", moment.source]));
    let (endpoint, requests) = moment.requests;
    run.until(name, || bench.double.ledger.count(endpoint) >= requests);
    if moment.heard {
        // What was sent is read: a stream notes what it has spent, a search commits its page.
        run.until(name, || match moment.source {
            "stream" => spent(&lake),
            _ => !bench.numbers().is_empty(),
        });
    }
    eprintln!("{signal} to {name}");
    let said = run.end(signal);
    let numbers = bench.numbers();
    assert_eq!(numbers, bench.double.ledger.served(), "{name}: what came is committed");
    assert_eq!(!numbers.is_empty(), moment.heard, "{name}");
    if endpoint != Endpoint::Rules {
        assert!(bench.manifest()["ended_by"].as_str().unwrap().contains("signal"), "{name}: {said}");
    }
}

/// Whether a stream has noted what it spent since its last commit.
pub fn spent(lake: &Path) -> bool {
    files(&lake.join("_meta/cursors")).iter().filter_map(|path| std::fs::read_to_string(path).ok()).any(
        |cursor| {
            let cursor: serde_json::Value = serde_json::from_str(&cursor).unwrap_or_default();
            cursor["spend"]["asked_micro_usd"].as_u64() > Some(0)
        },
    )
}

/// A connection that is never made: the other side takes it and says nothing, not even to begin TLS.
#[test]
fn a_signal_ends_a_run_that_connects() {
    let bench = Bench::new(double(0).tweets(10).live(0));
    for (source, flag, scheme) in [
        ("search", "--api-url", "https"),
        ("stream", "--api-url", "https"),
        ("bluesky", "--jetstream-url", "wss"),
    ] {
        let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
        let lake = bench.folder.path().join(source);
        let given = command(&bench, lake.to_str().unwrap());
        let mut words: Vec<String> = given.get_args().map(|word| word.to_str().unwrap().to_owned()).collect();
        let at = words.iter().position(|word| word == flag).unwrap();
        words[at + 1] = format!("{scheme}://{}", deaf.local_addr().unwrap());
        let mut command = Command::new(given.get_program());
        let run = First::start(command.args(words).args(["--source", source]));
        let _taken = deaf.accept().unwrap();
        run.end("-TERM");
    }
}

/// A bucket that takes no byte any more: the run leaves in time, and the next one finds what was not committed.
#[test]
fn a_signal_ends_a_run_whose_lake_hangs() {
    let Some(server) = Server::start() else { return };
    let bench = Bench::new(double(3_600).tweets(3_000).live(3_000).search_retweets());
    bench
        .double
        .faults
        .add(Fault::new(Endpoint::Stream, Act::Script(vec![Step::Tweets(1_500), Step::Cut(Cut::Stall)])));
    let valve = Valve::before(server.address);
    let stream = ["--source", "stream"];
    let run = First::start(&into(&bench, valve.address, &stream));
    run.until("a stream", || bench.double.ledger.totals().stream >= 1_500);
    valve.shut();
    run.end("-TERM");
    bench.double.faults.set(Vec::new());
    assert!(
        into(&bench, server.address, &[&stream[..], &["--for", "3s"]].concat()).status().unwrap().success()
    );
    let got: BTreeSet<String> = ids(&server.bucket().join("lake")).into_keys().collect();
    // But for what only the stream's operators match.
    let found: BTreeSet<u64> = bench.double.matching(QUERY, Place::Search).unwrap().into_iter().collect();
    let mut served = bench.double.ledger.served();
    served.retain(|id| found.contains(id));
    assert!(served.len() > 1_500 && served.iter().all(|id| got.contains(&id.to_string())));
}

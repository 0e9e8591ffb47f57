//! SIGTERM: out within five seconds, with nothing published that was not whole.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Place, clean_environment, has, skipped, tweets, wait};

/// What the house promises, with room for a slow machine; Docker would kill after ten.
const PROMISED: Duration = Duration::from_secs(8);

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Feeds tweets for as long as somebody reads; returns once some were read.
fn endless(child: &mut Child) -> std::thread::JoinHandle<()> {
    let mut pipe = child.stdin.take().unwrap();
    let text = tweets(2_000, 60);
    for _ in 0..20 {
        pipe.write_all(text.as_bytes()).unwrap();
    }
    std::thread::spawn(move || while pipe.write_all(text.as_bytes()).is_ok() {})
}

#[test]
fn a_signal_ends_a_run_that_reads() {
    for name in ["TERM", "INT"] {
        let place = Place::new();
        let mut command = place.command(&["-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let feeder = endless(&mut child);
        signal(&child, name);
        let asked = Instant::now();
        let done = wait(child);
        assert!(asked.elapsed() < PROMISED);
        feeder.join().unwrap();
        assert_eq!((done.code, done.stdout.as_str()), (Some(143), ""), "{}", done.stderr);
        assert!(done.stderr.contains("terminated by a signal"), "{}", done.stderr);
        assert!(place.nothing_committed());
    }
}

/// A source that says nothing holds nobody up.
#[test]
fn a_signal_ends_a_run_that_waits() {
    let place = Place::new();
    let mut command = place.command(&["-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(tweets(10, 1).as_bytes()).unwrap();
    // The handler is there once the lake is.
    while !place.lake().join("_meta/lake.json").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&child, "TERM");
    let asked = Instant::now();
    let done = wait(child);
    assert!(asked.elapsed() < PROMISED);
    assert_eq!((done.code, done.stdout.as_str()), (Some(143), ""), "{}", done.stderr);
    assert!(place.nothing_committed());
    drop(pipe);
}

/// As the first process of a container, where the system gives no handler of its own.
#[test]
fn a_signal_ends_the_first_process() {
    if !has("unshare", &["-pf", "--mount-proc", "--kill-child", "true"]) {
        return skipped("no namespaces to be the first process in");
    }
    let place = Place::new();
    let inner = format!(
        "exec {} --lake {} --input - --log error",
        env!("CARGO_BIN_EXE_ingest"),
        place.lake().display()
    );
    let mut command = Command::new("unshare");
    clean_environment(&mut command);
    command.args(["-pf", "--mount-proc", "--kill-child", "sh", "-c", &inner]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let feeder = endless(&mut child);
    // The child of `unshare` is the first process in there.
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let first = std::fs::read_to_string(children).unwrap();
    assert!(Command::new("kill").args(["-TERM", first.trim()]).status().unwrap().success());
    let asked = Instant::now();
    let done = wait(child);
    assert!(asked.elapsed() < PROMISED);
    feeder.join().unwrap();
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    assert!(place.nothing_committed());
}

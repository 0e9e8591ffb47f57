//! SIGTERM and SIGINT: a run ends by itself with 143, and nothing is published that was not whole. So does the first
//! process of a container, where the system gives no handler of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Place, clean_environment, has, skipped, tweets, wait};

const NAMESPACE: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/// `ingest` of one input, and the process to send signals to: the first of its own namespace, where that may be.
fn start(place: &Place, input: &str) -> (Child, String) {
    let alone = has("unshare", &[&NAMESPACE[..], &["true"]].concat());
    let mut command = Command::new(if alone { "unshare" } else { "env" });
    clean_environment(&mut command);
    if alone {
        command.args(NAMESPACE);
    } else {
        skipped("no namespace to be the first process of; an ordinary process is sent the signal");
    }
    command.arg(env!("CARGO_BIN_EXE_ingest")).args(["--input", input, "--log", "error"]);
    command.arg("--lake").arg(place.lake());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = child.id().to_string();
    if !alone {
        return (child, pid);
    }
    let inner = || std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    until(|| !inner().trim().is_empty());
    (child, inner().trim().to_owned())
}

/// Looks until something is so. That it never will is for the runner of the tests to say.
fn until(so: impl Fn() -> bool) {
    while !so() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The handler is there once the lake is.
fn begun(place: &Place) {
    until(|| place.lake().join("_meta/lake.json").exists());
}

/// Feeds tweets for as long as somebody reads; returns once some were read.
fn endless(mut pipe: impl Write + Send + 'static) -> std::thread::JoinHandle<()> {
    let text = tweets(2_000, 60);
    for _ in 0..20 {
        pipe.write_all(text.as_bytes()).unwrap();
    }
    std::thread::spawn(move || while pipe.write_all(text.as_bytes()).is_ok() {})
}

fn ends(place: &Place, (child, pid): (Child, String), signal: &str) {
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let done = wait(child);
    assert_eq!((done.code, done.stdout.as_str()), (Some(143), ""), "{}", done.stderr);
    assert!(done.stderr.contains("terminated by a signal"), "{}", done.stderr);
    assert!(place.nothing_committed());
}

#[test]
fn a_signal_ends_a_run_that_reads_a_pipe() {
    for signal in ["-TERM", "-INT"] {
        let place = Place::new();
        let mut run = start(&place, "-");
        let feeder = endless(run.0.stdin.take().unwrap());
        ends(&place, run, signal);
        feeder.join().unwrap();
    }
}

#[test]
fn a_signal_ends_a_run_that_reads_a_file() {
    for signal in ["-TERM", "-INT"] {
        let place = Place::new();
        let (folder, file) = fifo();
        let run = start(&place, file.to_str().unwrap());
        let feeder = endless(std::fs::File::create(&file).unwrap());
        ends(&place, run, signal);
        feeder.join().unwrap();
        drop(folder);
    }
}

/// A source that says nothing holds nobody up.
#[test]
fn a_signal_ends_a_run_that_waits() {
    for signal in ["-TERM", "-INT"] {
        let place = Place::new();
        let mut run = start(&place, "-");
        let mut pipe = run.0.stdin.take().unwrap();
        pipe.write_all(tweets(10, 1).as_bytes()).unwrap();
        begun(&place);
        ends(&place, run, signal);
        drop(pipe);
    }
}

/// A pipe that nobody has opened to write to: even that it is opened has to be waited for.
#[test]
fn a_signal_ends_a_run_whose_file_does_not_open() {
    let place = Place::new();
    let (folder, file) = fifo();
    let run = start(&place, file.to_str().unwrap());
    begun(&place);
    ends(&place, run, "-TERM");
    drop(folder);
}

/// A file that is a named pipe: it is as long as its writer likes.
fn fifo() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(folder.path()).join("tweets.jsonl");
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    (folder, file)
}

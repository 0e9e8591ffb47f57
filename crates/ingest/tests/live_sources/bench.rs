//! A double, a lake and a clock that waits for nobody.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ingest::Args;
use lake::RawCommit;
use serde_json::Value;
use task::{Failure, Stop, Summary, Task};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use x_server::{Builder, Place, XServer};

use crate::clock::TestClock;

/// The words asked for in these tests; the double's corpus has many tweets with it.
pub const QUERY: &str = "\"Justin Bieber\"";

pub struct Bench {
    pub runtime: Runtime,
    pub double: XServer,
    pub folder: TempDir,
    pub clock: Arc<TestClock>,
    pub stop: Stop,
}

impl Bench {
    pub fn new(builder: Builder) -> Self {
        let runtime = Runtime::new().unwrap();
        let double = runtime.block_on(builder.start()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), format!("{}\n", double.token)).unwrap();
        let clock = TestClock::start(double.clock.clone());
        Self { runtime, double, folder, clock, stop: Stop::default() }
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn lake(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// The command line, with what every test needs.
    pub fn args(&self, flags: &[&str]) -> Args {
        let lake = self.lake();
        let token = self.folder.path().join("token");
        let mut all =
            vec!["ingest", "--lake", lake.to_str().unwrap(), "--token-file", token.to_str().unwrap()];
        all.extend([
            "--api-url",
            &self.double.url,
            "--jetstream-url",
            &self.double.jetstream_url,
            "--threads",
            "1",
        ]);
        all.extend(flags);
        Args::parse_from(all)
    }

    pub fn run(&self, flags: &[&str]) -> Result<Summary, Failure> {
        let args = self.args(flags);
        let task = Task::new(&args.common, self.stop.clone()).unwrap();
        ingest::run_by(&args, &task, self.clock.clone())
    }

    /// Seconds that were waited for since the last call.
    pub fn waits(&self) -> Vec<u64> {
        self.clock.waits().iter().map(Duration::as_secs).collect()
    }

    /// Live tweets that the rules of these tests match.
    pub fn live(&self, place: Place) -> Vec<u64> {
        let now = self.double.clock.now();
        let all = self.double.matching(QUERY, place).unwrap();
        all.into_iter().filter(|id| x_server::id_time(*id) > now).collect()
    }

    /// Streams until an hour after the last live tweet.
    pub fn stream(&self, flags: &[&str]) -> Result<Summary, Failure> {
        let last = self.live(Place::Stream).last().copied().map_or(0, x_server::id_time);
        let left = (last - self.double.clock.now()).max(0) / 1_000 + 3_600;
        self.clock.end_after(last, Duration::from_secs(3_600));
        let time = format!("{left}s");
        let mut all = vec!["--source", "stream", "--for", &time];
        all.extend(flags);
        self.run(&all)
    }

    /// What the double has that a query means, as of what has happened by now.
    pub fn past(&self, query: &str) -> Vec<u64> {
        let now = self.double.clock.now();
        let all = self.double.matching(query, Place::Search).unwrap();
        all.into_iter().filter(|id| x_server::id_time(*id) < now - 30_000).collect()
    }

    /// Ids in committed parts, with how many times.
    pub fn ids(&self) -> BTreeMap<String, u32> {
        ids(&self.lake())
    }

    pub fn numbers(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.ids().keys().filter_map(|id| id.parse().ok()).collect();
        all.sort_unstable();
        all
    }

    /// The newest manifest.
    pub fn manifest(&self) -> Value {
        let mut all: Vec<_> = files(&self.lake().join("_meta/runs/ingest"));
        all.sort_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        serde_json::from_slice(&std::fs::read(all.last().unwrap()).unwrap()).unwrap()
    }
}

/// All commits of a lake.
pub fn commits(lake: &Path) -> Vec<RawCommit> {
    let all = files(&lake.join("_meta/raw"));
    all.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

/// Ids in committed parts, with how many times; every part is what its commit says.
pub fn ids(lake: &Path) -> BTreeMap<String, u32> {
    let mut ids = BTreeMap::new();
    for commit in commits(lake) {
        let bytes = std::fs::read(lake.join(&commit.path)).unwrap();
        assert_eq!((bytes.len() as u64, lake::sha256_hex(&bytes)), (commit.size, commit.sha256.clone()));
        let mut text = String::new();
        zstd::Decoder::new(&bytes[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count() as u64, commit.tweets);
        assert!(commit.received.is_some());
        for line in text.lines() {
            let Ok(tweet::Parsed::Tweet(tweet)) = tweet::parse(line) else {
                panic!("a raw line is no tweet")
            };
            *ids.entry(tweet.id.to_string()).or_insert(0) += 1;
        }
    }
    ids
}

/// The files that a reader of a lake sees: not what a killed writer left unfinished.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            all.push(path);
        }
    }
    all.sort();
    all
}

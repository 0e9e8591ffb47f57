//! Lakes of invented tweets, and the program over them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use lake::{
    Author, Authors, CleanPointer, Counts, IdRange, Identities, IdentitiesAt, Known, Lake, Ledger, Partition,
    RawCommit, TimeRange, day_of, parse_instant,
};
use polars::prelude::DataFrame;
use serde_json::{Value, json};
use task::{Failure, Stop, Task};
use tempfile::TempDir;
use tweet::Parsed;

/// The day that most tests play on.
pub const DAY: &str = "2026-11-20";

/// The id of the `n`th second of the noon of [`DAY`].
pub fn id(n: u64) -> u64 {
    let noon = parse_instant("2026-11-20T12:00:00").unwrap() / 1_000 - 1_288_834_974_657;
    (noon.unsigned_abs() + n * 1_000) << 22 | n
}

/// The time that such an id carries.
pub fn second(n: u64) -> i64 {
    tweet::Id::X(id(n)).time().unwrap()
}

/// A v1.1 tweet, with all that a program needs to know of its author.
pub fn tweet(id: u64, author: u64, text: &str) -> Value {
    json!({
        "id": id, "id_str": id.to_string(), "full_text": text, "truncated": false, "lang": "en",
        "user": { "id": author, "id_str": author.to_string(), "screen_name": format!("user_{author}"), "name": format!("User {author}") },
    })
}

/// A v1.1 retweet that carries its original.
pub fn retweet(id: u64, author: u64, original: &Value) -> Value {
    let text = original["full_text"].as_str().or(original["text"].as_str()).unwrap();
    let name = original["user"]["screen_name"].as_str().unwrap_or("somebody");
    let mut it = tweet(id, author, &format!("RT @{name}: {text}"));
    it["retweeted_status"] = original.clone();
    it
}

/// A lake in a folder that goes away.
pub struct TestLake {
    folder: TempDir,
    pub lake: Lake,
}

impl TestLake {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let location = folder.path().join("lake").to_str().unwrap().parse().unwrap();
        Self { lake: Lake::open_or_create(&location, None).unwrap(), folder }
    }

    /// A lake with one part of these tweets on [`DAY`].
    pub fn of(tweets: &[Value]) -> Self {
        let lake = Self::new();
        lake.part(DAY, "a", None, tweets);
        lake
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// Commits a part, as `ingest` would.
    pub fn part(&self, partition: &str, name: &str, received: Option<i64>, tweets: &[Value]) -> RawCommit {
        let lines: Vec<String> = tweets.iter().map(Value::to_string).collect();
        self.raw_part(partition, name, received, &lines)
    }

    /// The same, of lines that need not be tweets. A part whose name ends in `plain` does not say who its lines are.
    pub fn raw_part(
        &self,
        partition: &str,
        name: &str,
        received: Option<i64>,
        lines: &[String],
    ) -> RawCommit {
        let partition: Partition = partition.parse().unwrap();
        let path = self.lake.raw_part_key(&partition, name);
        let mut upload = self.lake.store.create(&path).unwrap();
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let text = zstd::encode_all(text.as_bytes(), 1).unwrap();
        upload.write_all(&text).unwrap();
        let mut table = Identities::default();
        for line in lines {
            table.push(match tweet::parse(line) {
                Ok(Parsed::Tweet(tweet)) => Known::of(&tweet.identity()),
                _ => None,
            });
        }
        let table = table.frame().unwrap().filter(|_| !name.ends_with("plain"));
        upload.write_all(table.as_deref().unwrap_or_default()).unwrap();
        let identities = table.map(|table| IdentitiesAt::new(text.len() as u64, &table));
        let stat = upload.finish(lines.len() as u64).unwrap();
        let (mut ids, mut times, mut touches) = (IdRange::default(), TimeRange::default(), BTreeSet::new());
        let (mut distinct, mut languages, mut retweets) = (BTreeSet::new(), Counts::new(), 0);
        let (mut source, mut authors) = ("x", BTreeSet::new());
        for line in lines {
            let Ok(Parsed::Tweet(tweet)) = tweet::parse(line) else { continue };
            source = tweet.source.as_str();
            ids.include(&tweet.id.to_string());
            times.include(tweet.time());
            distinct.insert(tweet.id.to_string());
            tweet.each_named(|id| touches.extend([id.time().map_or_else(|| "unknown".into(), day_of)]));
            authors.extend(Author::of(&tweet));
            retweets += u64::from(tweet.retweeted.is_some());
            Ledger::count(&mut languages, tweet.lang.as_deref().unwrap_or_default(), 1);
        }
        let commit = RawCommit {
            part: name.into(),
            path,
            size: stat.size,
            sha256: stat.sha256,
            tweets: lines.len() as u64,
            unique: distinct.len() as u64,
            received,
            source: source.into(),
            via: "file".into(),
            times,
            ids,
            retweets,
            touches: touches.into_iter().collect(),
            languages,
            identities,
            authors: (!name.ends_with("plain")).then(|| Authors::new(&authors)),
        };
        self.lake.commit_raw(&partition, &commit).unwrap();
        commit
    }

    /// Adds tombstones by their lines, as a person gives them.
    pub fn tombstones(&self, lines: &str) {
        self.lake.add_tombstones(&lake::Tombstones::from_text("test", lines).unwrap()).unwrap();
    }

    /// Runs `clean` in this process; returns its summary.
    pub fn clean(&self, flags: &[&str]) -> Result<Value, Failure> {
        self.run(&[], flags)
    }

    /// Runs a command of `clean` in this process.
    pub fn run(&self, command: &[&str], flags: &[&str]) -> Result<Value, Failure> {
        let root = self.root();
        let line = ["clean"].into_iter().chain(command.iter().copied());
        let line = line.chain(["--lake", root.to_str().unwrap()]).chain(flags.iter().copied());
        let args = clean::Args::try_parse_from(line).unwrap();
        let task = Task::new(args.common(), Stop::default())?;
        clean::run(&args, &task).map(|report| serde_json::to_value(report).unwrap())
    }

    /// The program itself, in a clean environment.
    pub fn program(&self, flags: &[&str]) -> Command {
        let mut command = program();
        command.arg("--lake").arg(self.root()).args(flags);
        command
    }

    pub fn pointer(&self, partition: &str) -> CleanPointer {
        self.lake.clean_pointer(&partition.parse().unwrap()).unwrap().unwrap().0
    }

    /// The rows of a file of a partition's current result.
    pub fn rows(&self, partition: &str, file: &str) -> DataFrame {
        let path = self.root().join(self.pointer(partition).path).join(file);
        let mut frames = table::Rows::open(&path, None, usize::MAX >> 1).unwrap();
        match frames.next() {
            Some(frame) => frame.unwrap(),
            None => table::empty(if file == "tweets.parquet" { table::CLEAN } else { &[] }),
        }
    }

    /// Everything of the clean stage, by key: pointers and results.
    pub fn results(&self) -> BTreeMap<String, Vec<u8>> {
        self.below(&["clean", "_meta/clean"])
    }

    /// All bytes below these folders, by key; Parquet is told with its pages decompressed.
    pub fn below(&self, folders: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let keys = folders.iter().flat_map(|folder| self.lake.store.list(folder).unwrap());
        keys.map(|entry| (entry.key.clone(), self.lake.store.get(&entry.key).unwrap().unwrap().0)).collect()
    }

    /// All that a person can read in the clean stage: the pointers' JSON, every cell, every reject.
    pub fn readable(&self) -> String {
        let mut all = String::new();
        for (key, bytes) in self.results() {
            if key.ends_with(".parquet") {
                all += &cells(&self.root().join(&key));
            } else {
                all += &String::from_utf8_lossy(&bytes);
            }
        }
        all
    }
}

/// Every text in a Parquet file.
pub fn cells(path: &Path) -> String {
    let mut all = String::new();
    for frame in table::Rows::open(path, None, 1_000).unwrap() {
        for column in frame.unwrap().columns() {
            let texts = match column.list() {
                Ok(lists) => lists.get_inner(),
                Err(_) => column.as_materialized_series().clone(),
            };
            let Ok(texts) = texts.str() else { continue };
            texts.iter().flatten().for_each(|text| all.extend([text, "\n"]));
        }
    }
    all
}

/// The program, in an environment of nothing.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clean"));
    command.env_clear();
    command
}

/// A column of texts.
pub fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// A column of lists of texts.
pub fn lists(frame: &DataFrame, column: &str) -> Vec<Vec<String>> {
    let column = frame.column(column).unwrap().list().unwrap().clone();
    let list = |n: usize| {
        let values = column.get_as_series(n).unwrap();
        values.str().unwrap().iter().flatten().map(str::to_owned).collect()
    };
    (0..frame.height()).map(list).collect()
}

/// A column of counts.
pub fn counts(frame: &DataFrame, column: &str) -> Vec<u32> {
    frame.column(column).unwrap().u32().unwrap().iter().flatten().collect()
}

/// A column of instants.
pub fn instants(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    let column = frame.column(column).unwrap();
    column.datetime().unwrap().physical().iter().collect()
}

/// What a program wrote to stderr.
pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The summary line.
pub fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

//! Runs `ingest` and reads what it left.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own with a lake in it.
pub struct Place {
    dir: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

/// The bytes of a file of `tests/fixtures`.
pub fn fixture_bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

/// `ingest` with nothing of this machine's settings.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest"));
    clean_environment(&mut command);
    command
}

/// Takes the settings that a machine may have out of a command's environment.
pub fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("OFFKEY_") || name_text.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nowhere")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
}

/// Says on stderr that a test could not do its work here.
pub fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Whether a tool can be used here.
pub fn has(program: &str, args: &[&str]) -> bool {
    let ran = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ran.is_ok_and(|status| status.success())
}

/// Runs a command to its end, with these bytes on its standard input.
pub fn finish(command: &mut Command, stdin: &[u8]) -> Done {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    // A process may end without having read everything.
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
    let done = wait(child);
    feeder.join().unwrap();
    done
}

/// Waits for a process and takes what it printed.
pub fn wait(child: Child) -> Done {
    let out = child.wait_with_output().unwrap();
    Done {
        code: out.status.code(),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    }
}

impl Done {
    /// The summary of a run that must have ended well.
    pub fn summary(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.stdout.lines().count(), 1, "stdout carries the summary alone: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Asserts the exit code of a run that must have failed, and that it printed no summary.
    pub fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        self.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default()
    }
}

/// The counts of a summary that are asked for, by name.
pub fn counts<const N: usize>(summary: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| summary[name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}")))
}

/// Sum of a map of counts in a summary.
pub fn total(summary: &Value, name: &str) -> u64 {
    summary[name].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn lake(&self) -> PathBuf {
        self.path().join("lake")
    }

    /// Writes a file beside the lake.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A run that reads these inputs into the lake.
    pub fn command<I: AsRef<OsStr>>(&self, inputs: &[I]) -> Command {
        let mut command = command();
        command.arg("--lake").arg(self.lake()).args(["--log", "error", "--input"]).args(inputs);
        command
    }

    /// Reads these inputs into the lake.
    pub fn ingest<I: AsRef<OsStr>>(&self, inputs: &[I], flags: &[&str]) -> Done {
        finish(self.command(inputs).args(flags), b"")
    }

    /// Reads these bytes, as a file, into the lake.
    pub fn ingest_bytes(&self, bytes: &[u8], flags: &[&str]) -> Done {
        self.ingest(&[self.write("input", bytes)], flags)
    }

    /// Every file of the lake by its key, but for the records of runs, which tell the time.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.lake())
    }

    /// The hash of every file of the lake.
    pub fn tree(&self) -> BTreeMap<String, String> {
        self.files().into_iter().map(|(key, bytes)| (key, sha256(&bytes))).collect()
    }

    /// The raw lines by partition folder and part, from committed parts alone.
    pub fn lines(&self) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for commit in self.commits() {
            let path = self.lake().join(commit["path"].as_str().unwrap());
            let bytes = fs::read(&path).unwrap();
            assert_eq!(
                (commit["size"].as_u64(), commit["sha256"].as_str()),
                (Some(bytes.len() as u64), Some(sha256(&bytes).as_str())),
                "the commit of {}",
                path.display()
            );
            let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
            assert_eq!(commit["tweets"].as_u64(), Some(text.lines().count() as u64));
            let folder = commit["path"].as_str().unwrap().rsplit_once('/').unwrap().0;
            let folder = folder.strip_prefix("raw/").unwrap().to_owned();
            found.entry(folder).or_default().extend(text.lines().map(str::to_owned));
        }
        found
    }

    /// All raw lines, sorted.
    pub fn sorted_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.lines().into_values().flatten().collect();
        lines.sort();
        lines
    }

    /// The commits of raw parts.
    pub fn commits(&self) -> Vec<Value> {
        let files = self.files();
        let commits = files.iter().filter(|(key, _)| key.starts_with("_meta/raw/") && key.ends_with(".json"));
        commits.map(|(_, bytes)| serde_json::from_slice(bytes).unwrap()).collect()
    }

    /// The lines of `_meta/<folder>`, in the order of their files.
    pub fn said(&self, folder: &str) -> Vec<Value> {
        let prefix = format!("_meta/{folder}/");
        let mut found = Vec::new();
        for (_, bytes) in self.files().iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let text = zstd::decode_all(bytes.as_slice()).unwrap();
            found.extend(text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|line| {
                serde_json::from_slice::<Value>(line).unwrap_or_else(|e| panic!("a line of {folder}: {e}"))
            }));
        }
        found
    }

    /// Whether anything was made visible to readers.
    pub fn nothing_committed(&self) -> bool {
        self.tree().keys().all(|key| !key.starts_with("_meta/raw/") && !key.starts_with("_meta/tombstones/"))
    }
}

/// Every file below a folder by its key, but for records of runs and the lock.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                walk(root, &entry.path(), found);
                continue;
            }
            let key = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if !key.starts_with("_meta/runs/") && key != "_meta/.lock" {
                // What another process removes or renames meanwhile was never the lake's.
                if let Ok(bytes) = fs::read(entry.path()) {
                    found.insert(key, bytes);
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An invented tweet with an id of its own: `n` is its second since the beginning of 24 December 2020.
pub fn tweet(n: u64) -> String {
    let id = ((1_608_768_000_000 + n * 1_000 - 1_288_834_974_657) << 22) + n % 1_000;
    format!(
        r#"{{"id":"{id}","text":"Number {n} of many, and nobody's","author_id":"{}","lang":"en"}}"#,
        100 + n % 7
    )
}

/// Lines of `count` tweets, one every `step` seconds.
pub fn tweets(count: u64, step: u64) -> String {
    (0..count).map(|n| tweet(n * step) + "\n").collect()
}

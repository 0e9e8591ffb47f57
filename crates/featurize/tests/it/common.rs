//! Small lakes of clean results, written as `clean` writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use featurize::{Args, Said};
use lake::{
    CleanPointer, DatasetManifest, FileStat, Grain, IdRange, Lake, Ledger, Location, Partition, TimeRange,
    Tombstones,
};
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use table::{Builder, CLEAN, Compression, Kind, SCHEMA_VERSION, Sink};
use task::{Failure, Stop, Summary, Task};

/// A cell of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Whole(i64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&[&str]> for Cell {
    fn from(texts: &[&str]) -> Self {
        Self::Texts(texts.iter().map(|t| (*t).to_owned()).collect())
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Cell {
    fn from(n: i64) -> Self {
        Self::Whole(n)
    }
}

/// A row of clean, by the columns that matter.
#[derive(Clone, Debug)]
pub struct Row(BTreeMap<&'static str, Cell>);

/// A row of X with this id, by an author of this id.
pub fn row(id: &str, author: &str) -> Row {
    Row(BTreeMap::new())
        .with("source", "x")
        .with("tweet_id", id)
        .with("author_id", author)
        .with("text", format!("Tweet number {id} says hello!").as_str())
        .with("text_clean", "Tweet says hello!")
        .with("tokens", ["Tweet", "number", "1", "says", "hello", "!"].as_slice())
        .with("lang", "en")
        .with("lang_source", "platform")
        .with("raw_part", "file-0")
        .with("copies", 1)
        .with("created_at", at("2020-12-24T08:30:00"))
}

impl Row {
    pub fn with(mut self, column: &'static str, cell: impl Into<Cell>) -> Self {
        assert!(CLEAN.iter().any(|c| c.name == column), "{column}");
        self.0.insert(column, cell.into());
        self
    }

    pub fn without(mut self, column: &'static str) -> Self {
        self.0.insert(column, Cell::Null);
        self
    }
}

pub fn at(time: &str) -> i64 {
    lake::parse_instant(time).unwrap()
}

/// An id of X of this instant.
pub fn id_at(time: &str, number: i64) -> String {
    (((at(time) / 1_000 - 1_288_834_974_657) << 22) + number).to_string()
}

pub fn frame(rows: &[Row]) -> DataFrame {
    let mut out = Builder::new(CLEAN, rows.len());
    for row in rows {
        for column in CLEAN {
            let cell = row.0.get(column.name).unwrap_or(&Cell::Null);
            match (column.kind, cell) {
                (Kind::String, Cell::Text(t)) => out.text(column.name, Some(t)),
                (Kind::String, _) => out.text(column.name, if column.nullable { None } else { Some("") }),
                (Kind::Strings, Cell::Texts(all)) => out.texts(column.name, all.iter().map(String::as_str)),
                (Kind::Strings, _) => out.texts(column.name, std::iter::empty()),
                (Kind::Bool, Cell::Flag(b)) => out.flag(column.name, Some(*b)),
                (Kind::Bool, _) => out.flag(column.name, if column.nullable { None } else { Some(false) }),
                (Kind::Time | Kind::I64, Cell::Whole(n)) => out.whole(column.name, Some(*n)),
                (Kind::Time | Kind::I64, _) => out.whole(column.name, None),
                (Kind::U32, Cell::Whole(n)) => out.count(column.name, u32::try_from(*n).unwrap()),
                (Kind::U32, _) => out.count(column.name, 0),
                (Kind::F32, _) => out.real32(column.name, Some(0.0)),
                #[allow(clippy::cast_precision_loss)]
                (Kind::F64, Cell::Whole(n)) => out.real64(column.name, Some(*n as f64)),
                (Kind::F64, _) => out.real64(column.name, None),
                (Kind::I32s | Kind::F32s, _) => panic!("clean has no lists of numbers"),
            }
        }
    }
    out.finish().unwrap()
}

/// A lake in a temporary folder.
pub struct Home {
    folder: tempfile::TempDir,
    pub lake: Lake,
}

impl Home {
    pub fn new() -> Self {
        Self::by(Grain::Day)
    }

    pub fn by(grain: Grain) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Local(folder.path().join("lake"));
        Self { lake: Lake::open_or_create(&location, Some(grain)).unwrap(), folder }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// Commits rows as the clean result of a partition; `lie` is added to the rows that the pointer tells.
    pub fn clean_with_lie(&self, partition: &str, rows: &[Row], lie: u64) -> CleanPointer {
        let partition: Partition = partition.parse().unwrap();
        let fingerprint = lake::sha256_hex(format!("{partition}{rows:?}").as_bytes());
        let path = format!("clean/{}/{fingerprint}", partition.path());
        let upload = self.lake.store.create(&format!("{path}/tweets.parquet")).unwrap();
        let mut sink = Sink::create(upload, CLEAN, Compression::Zstd, &[]).unwrap();
        sink.write(&frame(rows)).unwrap();
        let stat = sink.finish().unwrap();
        let kept = rows.len() as u64 + lie;
        let mut ledger =
            Ledger { records: kept + 4, consumed: kept + 3, unique: kept + 1, kept, ..Ledger::default() };
        Ledger::count(&mut ledger.dropped, "duplicate", 2);
        Ledger::count(&mut ledger.dropped, "music", 1);
        Ledger::count(&mut ledger.rejected, "not_json", 1);
        let pointer = CleanPointer {
            partition,
            fingerprint,
            path,
            files: [("tweets.parquet".to_owned(), FileStat { rows: kept, ..stat })].into(),
            inputs: Vec::new(),
            tombstones: String::new(),
            arguments: serde_json::json!({}),
            versions: [("schema", SCHEMA_VERSION), ("rules", "1")].map(|(k, v)| (k.into(), v.into())).into(),
            ledger,
            languages: lake::Counts::new(),
            music_terms: lake::Counts::new(),
            times: TimeRange::default(),
            ids: IdRange::default(),
            samples: BTreeMap::new(),
        };
        assert!(self.lake.swap_clean(&pointer).unwrap());
        pointer
    }

    pub fn clean(&self, partition: &str, rows: &[Row]) -> CleanPointer {
        self.clean_with_lie(partition, rows, 0)
    }

    pub fn bury(&self, lines: &str) {
        self.lake.add_tombstones(&Tombstones::from_text("test", lines).unwrap()).unwrap();
    }

    pub fn pass(&self, gate: &str, fingerprint: &str, success: bool) {
        let key = format!("_meta/gates/{gate}/{fingerprint}.json");
        self.lake.put(&key, format!("{{\"success\":{success}}}").as_bytes()).unwrap();
    }

    /// Makes a version with these further arguments.
    pub fn try_make(&self, more: &str) -> Result<Box<Summary>, Failure> {
        let lake = self.root();
        match run(&format!("featurize --lake {} --name tweets {more}", lake.display()))? {
            Said::Made(summary) => Ok(summary),
            other => panic!("{other:?}"),
        }
    }

    pub fn make(&self, more: &str) -> Dataset {
        let summary = self.try_make(more).unwrap_or_else(|e| panic!("{e}"));
        let version = summary.version.clone().unwrap();
        let folder = self.root().join("datasets/tweets").join(&version);
        let manifest = self.lake.dataset("tweets", &version).unwrap().unwrap();
        Dataset { folder, manifest }
    }
}

/// A version that was made.
pub struct Dataset {
    pub folder: PathBuf,
    pub manifest: DatasetManifest,
}

impl Dataset {
    /// All rows of all files, in the order of the files.
    pub fn rows(&self) -> DataFrame {
        let mut all: Option<DataFrame> = None;
        for file in &self.manifest.files {
            let rows = read(&self.folder.join(&file.path));
            match &mut all {
                Some(all) => drop(all.vstack_mut(&rows).unwrap()),
                None => all = Some(rows),
            }
        }
        all.unwrap()
    }

    /// A column as text, by id; instants in microseconds.
    pub fn by_id(&self, column: &str) -> BTreeMap<String, String> {
        let rows = self.rows();
        let ids = rows.column("tweet_id").unwrap().str().unwrap();
        let values = rows.column(column).unwrap().to_physical_repr();
        (0..rows.height())
            .map(|n| (ids.get(n).unwrap().to_owned(), values.get(n).unwrap().str_value().into_owned()))
            .collect()
    }

    /// Every file below the folder, by name.
    pub fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for folder in [self.folder.clone(), self.folder.join("data"), self.folder.join("features")]
            .iter()
            .filter(|f| f.is_dir())
        {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let name = path.strip_prefix(&self.folder).unwrap().display().to_string();
                    all.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        all
    }
}

pub fn read(path: &Path) -> DataFrame {
    ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap()
}

/// Runs a command line in this process.
pub fn run(line: &str) -> Result<Said, Failure> {
    let args = Args::try_parse_from(line.split_whitespace()).unwrap_or_else(|e| panic!("{e}"));
    let task = Task::new(args.common(), Stop::default()).unwrap();
    featurize::run(&args, &task)
}

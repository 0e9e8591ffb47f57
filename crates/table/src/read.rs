//! Parquet files of the lake as frames.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lake::{Error, FileStat, Lake, Location, Store};
use polars::prelude::{DataFrame, ParquetReader, PolarsResult, SerReader};
use polars_parquet::read::FileMetadata;
use tempfile::NamedTempFile;

/// A file of the lake on this machine's disk, verified: in place for a local lake, else a temporary
/// copy that goes away with it.
pub struct LocalCopy {
    path: PathBuf,
    _copy: Option<NamedTempFile>,
}

impl LocalCopy {
    /// Fetches and verifies a file.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when size or hash differ from what its commit says; of the store.
    pub fn fetch(lake: &Lake, key: &str, stat: &FileStat) -> Result<Self, Error> {
        Self::fetch_from(&lake.store, lake.location(), key, stat)
    }

    /// Fetches and verifies a file of any store, which is at `location`.
    ///
    /// # Errors
    /// As [`LocalCopy::fetch`].
    pub fn fetch_from(store: &Store, location: &Location, key: &str, stat: &FileStat) -> Result<Self, Error> {
        let mut bytes = store.read_verified(key, stat.size, &stat.sha256)?;
        let told = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::InvalidData => Error::Corrupt(e.to_string()),
            _ => Error::Storage(format!("cannot read {key}: {e}")),
        };
        if let Location::Local(root) = location {
            std::io::copy(&mut bytes, &mut std::io::sink()).map_err(told)?;
            return Ok(Self { path: root.join(key), _copy: None });
        }
        let mut copy =
            NamedTempFile::new().map_err(|e| Error::Storage(format!("cannot make a temporary file: {e}")))?;
        std::io::copy(&mut bytes, &mut copy).map_err(told)?;
        Ok(Self { path: copy.path().to_path_buf(), _copy: Some(copy) })
    }

    /// A file of this machine that was verified before.
    pub fn verified(path: PathBuf) -> Self {
        Self { path, _copy: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The rows of a Parquet file, some at a time.
pub struct Rows {
    path: PathBuf,
    /// Of all row groups, so that it is read once.
    footer: Arc<FileMetadata>,
    columns: Option<Vec<String>>,
    height: usize,
    at: usize,
    step: usize,
}

impl Rows {
    /// Opens a file; `columns` `None` means all. Frames have `step` rows, the last maybe fewer.
    ///
    /// # Errors
    /// Of Polars, for what is no Parquet file.
    pub fn open(path: &Path, columns: Option<&[&str]>, step: usize) -> PolarsResult<Self> {
        let footer = ParquetReader::new(File::open(path)?).get_metadata()?.clone();
        let height = footer.num_rows;
        let columns = columns.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        Ok(Self { path: path.to_path_buf(), footer, columns, height, at: 0, step })
    }

    /// Rows in the file.
    pub fn height(&self) -> usize {
        self.height
    }
}

impl Iterator for Rows {
    type Item = PolarsResult<DataFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.height {
            return None;
        }
        let rows = self.step.min(self.height - self.at);
        let open = || {
            let mut reader = ParquetReader::new(File::open(&self.path)?);
            reader.set_metadata(self.footer.clone());
            reader.with_columns(self.columns.clone()).with_slice(Some((self.at, rows))).finish()
        };
        let frame = open();
        self.at += rows;
        Some(frame)
    }
}

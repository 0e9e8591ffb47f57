//! Frames into a Parquet file whose bytes depend on the rows alone.

use std::io::Write;
use std::sync::{Arc, Mutex};

use lake::{FileStat, Upload};
use polars::io::parquet::write::{BatchedWriter, KeyValueMetadata, ParquetCompression};
use polars::prelude::{CompatLevel, DataFrame, ParquetWriter, PolarsResult, SchemaExt, StatisticsOptions};
use polars_parquet::write::{KeyValue, schema_to_metadata_key};
use polars_utils::compression::ZstdLevel;

use crate::columns::{Column, describe, schema};

/// Rows of every row group but the last, however many rows a batch has.
pub const ROWS_PER_GROUP: usize = 8_192;

/// How pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Small.
    Zstd,
    /// For readers that know no zstd.
    Snappy,
}

/// A Parquet file on its way into the lake; dropped unfinished, it leaves nothing.
pub struct Sink {
    writer: BatchedWriter<UploadHandle>,
    upload: UploadHandle,
    columns: Vec<Column>,
    /// Rows that do not fill a group yet.
    waiting: Vec<DataFrame>,
    waiting_rows: usize,
    rows: u64,
}

impl Sink {
    /// Starts a file. `metadata` goes into its footer, beside the column table under `offkey:columns`.
    ///
    /// # Errors
    /// Of Polars.
    pub fn create(
        upload: Upload,
        columns: &[Column],
        compression: Compression,
        metadata: &[(&str, String)],
    ) -> PolarsResult<Self> {
        let upload = UploadHandle::new(upload);
        let writer = ParquetWriter::new(upload.clone())
            .with_compression(match compression {
                Compression::Zstd => ParquetCompression::Zstd(Some(ZstdLevel::try_new(3)?)),
                Compression::Snappy => ParquetCompression::Snappy,
            })
            .with_statistics(StatisticsOptions::default())
            .with_key_value_metadata(Some(KeyValueMetadata::Static(footer(columns, metadata))))
            .batched(&schema(columns))?;
        Ok(Self { writer, upload, columns: columns.to_vec(), waiting: Vec::new(), waiting_rows: 0, rows: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Of Polars and of the store; a frame with other columns.
    pub fn write(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        let mut rest = rows.select(self.columns.iter().map(|c| c.name))?;
        self.rows += rest.height() as u64;
        while self.waiting_rows + rest.height() >= ROWS_PER_GROUP {
            let missing = ROWS_PER_GROUP - self.waiting_rows;
            let (fits, behind) = rest.split_at(i64::try_from(missing).unwrap_or(i64::MAX));
            self.waiting.push(fits);
            self.group()?;
            rest = behind;
        }
        if rest.height() > 0 {
            self.waiting_rows += rest.height();
            self.waiting.push(rest);
        }
        Ok(())
    }

    /// Writes what waits as one row group.
    fn group(&mut self) -> PolarsResult<()> {
        self.waiting_rows = 0;
        let mut frames = std::mem::take(&mut self.waiting).into_iter();
        let Some(mut group) = frames.next() else { return Ok(()) };
        frames.try_for_each(|frame| group.vstack_mut_owned(frame).map(drop))?;
        group.rechunk_mut();
        self.writer.write_batch(&group)
    }

    /// Publishes the file.
    ///
    /// # Errors
    /// Of Polars; of the store, nothing being published then.
    pub fn finish(mut self) -> PolarsResult<FileStat> {
        self.group()?;
        self.writer.finish()?;
        self.upload.finish(self.rows)
    }
}

/// What stands in the footer of every file: the Arrow schema, `metadata`, and the column table.
pub(crate) fn footer(columns: &[Column], metadata: &[(&str, String)]) -> Vec<KeyValue> {
    // Polars writes its own view types into the Arrow schema of the footer, which pandas cannot
    // read inside lists; the bytes of the pages are the same, so the footer says plain strings.
    let mut footer = vec![schema_to_metadata_key(&schema(columns).to_arrow(CompatLevel::oldest()))];
    let ours = metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    footer.extend(
        ours.chain([("offkey:columns".to_owned(), describe(columns))])
            .map(|(key, value)| KeyValue { key, value: Some(value) }),
    );
    footer
}

/// The writer owns its sink; this handle gives the upload back at the end.
#[derive(Clone)]
pub(crate) struct UploadHandle(Arc<Mutex<Option<Upload>>>);

impl UploadHandle {
    pub(crate) fn new(upload: Upload) -> Self {
        Self(Arc::new(Mutex::new(Some(upload))))
    }

    /// Publishes what was written.
    pub(crate) fn finish(&self, rows: u64) -> PolarsResult<FileStat> {
        let upload = self.0.lock().ok().and_then(|mut upload| upload.take());
        let upload = upload.ok_or_else(|| std::io::Error::other("a Parquet file was finished twice"))?;
        Ok(upload.finish(rows).map_err(std::io::Error::other)?)
    }
}

impl Write for UploadHandle {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        match self.0.lock().ok().as_deref_mut() {
            Some(Some(upload)) => upload.write(buf),
            _ => Err(std::io::Error::other("the upload is gone")),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.lock().ok().as_deref_mut() {
            Some(Some(upload)) => upload.flush(),
            _ => Ok(()),
        }
    }
}

/// No rows, all columns.
pub fn empty(columns: &[Column]) -> DataFrame {
    DataFrame::empty_with_schema(&schema(columns))
}

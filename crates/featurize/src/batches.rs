//! The rows of all clean results, one partition after the other, a batch at a time.

use std::collections::VecDeque;

use lake::{CleanPointer, Lake, in_parallel};
use polars::prelude::DataFrame;
use table::{LocalCopy, Rows};
use task::{Exit, Failure, Outcome};

use crate::rows::{ahead, fetch, reading, rows};

/// Rows that one thread works on at a time: with columns, half a row group is some 6 MB.
const BATCH: usize = 4_096;

/// Rows of one partition.
pub(crate) struct Batch {
    /// Number of the partition.
    pub(crate) part: usize,
    /// Number of its first row in the partition.
    pub(crate) at: usize,
    pub(crate) rows: DataFrame,
}

/// All batches, in order.
pub(crate) struct Batches<'a> {
    lake: &'a Lake,
    pointers: &'a [CleanPointer],
    columns: Option<&'a [&'a str]>,
    part: usize,
    /// Number of the next row in the partition.
    at: usize,
    /// Copies of this partition and of those after it.
    fetched: VecDeque<LocalCopy>,
    open: Option<(LocalCopy, Rows)>,
    /// What is left of the row group that was read last.
    frame: Option<DataFrame>,
    /// Whether this run has verified the files before.
    again: bool,
}

impl<'a> Batches<'a> {
    /// From the first row on; `columns` `None` means all.
    pub(crate) fn new(lake: &'a Lake, pointers: &'a [CleanPointer], columns: Option<&'a [&'a str]>) -> Self {
        let (fetched, open, frame) = (VecDeque::new(), None, None);
        Self { lake, pointers, columns, part: 0, at: 0, fetched, open, frame, again: false }
    }

    /// From the first row on once more: files that lie here are not hashed a second time.
    pub(crate) fn again(
        lake: &'a Lake,
        pointers: &'a [CleanPointer],
        columns: Option<&'a [&'a str]>,
    ) -> Self {
        Self { again: true, ..Self::new(lake, pointers, columns) }
    }

    /// The next batch.
    pub(crate) fn next(&mut self) -> Outcome<Option<Batch>> {
        loop {
            if let Some(frame) = self.frame.take().filter(|f| f.height() > 0) {
                let (rows, rest) =
                    frame.split_at(i64::try_from(BATCH.min(frame.height())).unwrap_or(i64::MAX));
                let batch = Batch { part: self.part, at: self.at, rows };
                self.at += batch.rows.height();
                self.frame = Some(rest);
                return Ok(Some(batch));
            }
            let Some(pointer) = self.pointers.get(self.part) else { return Ok(None) };
            let (_, rows) = match &mut self.open {
                Some(open) => open,
                None => {
                    let copy = self.fetch()?;
                    let rows = rows(&copy, pointer, self.columns)?;
                    check_height(pointer, rows.height())?;
                    self.open.insert((copy, rows))
                }
            };
            match rows.next() {
                Some(frame) => self.frame = Some(frame.map_err(reading(&pointer.path))?),
                None => (self.open, self.part, self.at) = (None, self.part + 1, 0),
            }
        }
    }

    /// The copy of this partition; from a bucket, those of the next ones come with it.
    fn fetch(&mut self) -> Outcome<LocalCopy> {
        loop {
            if let Some(copy) = self.fetched.pop_front() {
                return Ok(copy);
            }
            let width = ahead(self.lake);
            let now: Vec<&CleanPointer> = self.pointers.iter().skip(self.part).take(width).collect();
            self.fetched = in_parallel(&now, width, |pointer| fetch(self.lake, pointer, self.again))?.into();
        }
    }
}

/// A clean result has the rows that its pointer says.
fn check_height(pointer: &CleanPointer, height: usize) -> Outcome<()> {
    if height as u64 == pointer.ledger.kept {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Bug,
        format!(
            "the ledger does not balance: the clean result of {} has {height} rows, its pointer says kept {}",
            pointer.partition, pointer.ledger.kept
        ),
    )
    .hint("clean that partition again; nothing was published"))
}

//! What near copies are found by, outside memory: 80 bytes of bands a row, and its text.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Result, Write};
use std::os::unix::fs::FileExt;

use lake::Location;

use super::minhash::{BANDS, Signature};
use super::shingles::{folded, shingles};
use crate::temporary::temporary;

/// What is told of a row when it is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// `created_at`; unknown is later than all that is known.
    pub(crate) time: i64,
    /// Number of the row over all partitions.
    pub(crate) row: u32,
    pub(crate) split: u8,
    pub(crate) id: String,
}

/// Bytes before the id: time, split, length of the id.
const HEAD: usize = 11;

/// Some rows, ready to be added.
#[derive(Default)]
pub(crate) struct Sheet {
    bands: [Vec<u8>; BANDS],
    sketches: Vec<u64>,
    lengths: Vec<u32>,
    records: Vec<u8>,
}

impl Sheet {
    pub(crate) fn rows(&self) -> usize {
        self.sketches.len()
    }

    /// Adds a row that has no near copies.
    pub(crate) fn skip(&mut self) {
        self.bands.iter_mut().for_each(|band| band.extend([0; 4]));
        self.sketches.push(0);
        self.lengths.push(0);
    }

    /// Adds a row with its text.
    pub(crate) fn add(&mut self, time: Option<i64>, split: u8, id: &str, text: &str) {
        let text = folded(text);
        let set = shingles(&text);
        let Signature { bands, sketch } = Signature::of(&set);
        for (all, band) in self.bands.iter_mut().zip(bands) {
            all.extend(band.to_le_bytes());
        }
        self.sketches.push(sketch);
        let start = self.records.len();
        self.records.extend(time.unwrap_or(i64::MAX).to_le_bytes());
        self.records.push(split);
        let id = &id.as_bytes()[..id.len().min(usize::from(u16::MAX))];
        self.records.extend(u16::try_from(id.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.records.extend(id);
        self.records.extend(text.as_bytes());
        self.lengths.push(u32::try_from(self.records.len() - start).unwrap_or(u32::MAX));
    }
}

/// All rows, being written.
pub(crate) struct Spill {
    bands: Vec<BufWriter<File>>,
    records: BufWriter<File>,
    offsets: Vec<u64>,
    sketches: Vec<u64>,
}

impl Spill {
    /// For this many rows.
    pub(crate) fn new(lake: &Location, rows: usize) -> Result<Self> {
        let file = || temporary(Some(lake)).map(|file| BufWriter::with_capacity(1 << 16, file));
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Ok(Self {
            bands: (0..BANDS).map(|_| file()).collect::<Result<_>>()?,
            records: file()?,
            offsets,
            sketches: Vec::with_capacity(rows),
        })
    }

    /// Adds the rows that come next.
    pub(crate) fn add(&mut self, sheet: &Sheet) -> Result<()> {
        for (file, band) in self.bands.iter_mut().zip(&sheet.bands) {
            file.write_all(band)?;
        }
        self.records.write_all(&sheet.records)?;
        self.sketches.extend(&sheet.sketches);
        let mut at = self.offsets.last().copied().unwrap_or_default();
        self.offsets.extend(sheet.lengths.iter().map(|length| {
            at += u64::from(*length);
            at
        }));
        Ok(())
    }

    /// Ready to be read.
    pub(crate) fn finish(self) -> Result<Spilled> {
        let file = |file: BufWriter<File>| file.into_inner().map_err(std::io::IntoInnerError::into_error);
        Ok(Spilled {
            bands: self.bands.into_iter().map(file).collect::<Result<_>>()?,
            records: file(self.records)?,
            offsets: self.offsets,
            sketches: self.sketches,
        })
    }
}

/// All rows, being read.
pub(crate) struct Spilled {
    bands: Vec<File>,
    records: File,
    offsets: Vec<u64>,
    sketches: Vec<u64>,
}

impl Spilled {
    pub(crate) fn rows(&self) -> u32 {
        u32::try_from(self.sketches.len()).unwrap_or(u32::MAX)
    }

    /// Whether the row may have near copies.
    pub(crate) fn has_text(&self, row: u32) -> bool {
        self.offsets[row as usize] < self.offsets[row as usize + 1]
    }

    pub(crate) fn sketch(&self, row: u32) -> u64 {
        self.sketches[row as usize]
    }

    /// The hashes of a band with the numbers of their rows below them, by hash and row; of the rows asked.
    pub(crate) fn band(&self, band: usize, asked: impl Fn(u32) -> bool, out: &mut Vec<u64>) -> Result<()> {
        out.clear();
        let mut file = BufReader::with_capacity(1 << 16, OffsetReader { file: &self.bands[band], at: 0 });
        let mut hash = [0; 4];
        for row in 0..self.rows() {
            file.read_exact(&mut hash)?;
            if asked(row) {
                out.push(u64::from(u32::from_le_bytes(hash)) << 32 | u64::from(row));
            }
        }
        out.sort_unstable();
        Ok(())
    }

    fn record(&self, row: u32, length: usize) -> Result<Vec<u8>> {
        let (start, end) = (self.offsets[row as usize], self.offsets[row as usize + 1]);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX).min(length)];
        self.records.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }

    /// The set of a row's text.
    pub(crate) fn set(&self, row: u32) -> Result<Vec<u32>> {
        let record = self.record(row, usize::MAX)?;
        let (_, id) = head(&record);
        Ok(shingles(&String::from_utf8_lossy(&record[HEAD + id..])))
    }

    /// The row, its text aside.
    pub(crate) fn entry(&self, row: u32) -> Result<Entry> {
        let record = self.record(row, HEAD + usize::from(u16::MAX))?;
        let (time, id) = head(&record);
        let id = String::from_utf8_lossy(&record[HEAD..HEAD + id]).into_owned();
        Ok(Entry { time, row, split: record[8], id })
    }
}

/// The time, and the length of the id.
fn head(record: &[u8]) -> (i64, usize) {
    let mut time = [0; 8];
    time.copy_from_slice(&record[..8]);
    (i64::from_le_bytes(time), usize::from(u16::from_le_bytes([record[9], record[10]])))
}

/// Reads a file from its beginning, wherever others left it.
struct OffsetReader<'a> {
    file: &'a File,
    at: u64,
}

impl Read for OffsetReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.file.read_at(buf, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

//! What near copies are found by, outside memory: 64 bytes of bands and 8 of a time a row, and its text.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Result, Write};
use std::os::unix::fs::FileExt;

use lake::Location;

use super::minhash::{BANDS, Signature};
use super::shingles::{folded, runs};
use crate::temporary::temporary;

/// Rows whose texts lie in one block, of which the start is known.
const BLOCK: usize = 64;
/// Texts up to so many bytes stay in memory: less than writing the rows takes, once they are gone.
const TEXTS_IN_MEMORY: usize = 96 << 20;
/// Bands with about this many hashes share a drawer when they are sorted.
const DRAWER: usize = 16;

/// Some rows, ready to be added.
#[derive(Default)]
pub(crate) struct Sheet {
    bands: [Vec<u8>; BANDS],
    sketches: Vec<u64>,
    lengths: Vec<u32>,
    splits: Vec<u8>,
    times: Vec<u8>,
    texts: Vec<u8>,
}

impl Sheet {
    /// Adds a row that has no near copies.
    pub(crate) fn skip(&mut self) {
        self.bands.iter_mut().for_each(|band| band.extend([0; 4]));
        self.sketches.push(0);
        self.lengths.push(0);
        self.splits.push(0);
        self.times.extend([0; 8]);
    }

    /// Adds a row with its text, which is not empty. An unknown time is later than all that is known.
    pub(crate) fn add(&mut self, time: Option<i64>, split: u8, id: &str, text: &str) {
        let text = folded(text);
        let Signature { bands, sketch } = Signature::of(&runs(&text));
        for (all, band) in self.bands.iter_mut().zip(bands) {
            all.extend(band.to_le_bytes());
        }
        self.sketches.push(sketch);
        self.splits.push(split);
        self.times.extend(time.unwrap_or(i64::MAX).to_le_bytes());
        let start = self.texts.len();
        let id = &id.as_bytes()[..id.len().min(usize::from(u16::MAX))];
        self.texts.extend(u16::try_from(id.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.texts.extend(id);
        self.texts.extend(text.as_bytes());
        self.lengths.push(u32::try_from(self.texts.len() - start).unwrap_or(u32::MAX));
    }
}

/// All rows, being written.
pub(crate) struct Spill {
    bands: Vec<BufWriter<File>>,
    times: BufWriter<File>,
    texts: BufWriter<File>,
    memory: Memory,
    /// Bytes of all texts, and of those that are in the file.
    end: u64,
    in_file: u64,
}

/// What is kept of a row in memory: 13 bytes, and 8 for a block of rows.
#[derive(Default)]
struct Memory {
    sketches: Vec<u64>,
    splits: Vec<u8>,
    lengths: Vec<u32>,
    blocks: Vec<u64>,
    /// The first texts.
    texts: Vec<u8>,
}

impl Spill {
    /// For this many rows.
    pub(crate) fn new(lake: &Location, rows: usize) -> Result<Self> {
        let file = || temporary(Some(lake)).map(|file| BufWriter::with_capacity(1 << 16, file));
        let texts = (rows * 160).min(TEXTS_IN_MEMORY);
        let memory = Memory {
            sketches: Vec::with_capacity(rows),
            splits: Vec::with_capacity(rows),
            lengths: Vec::with_capacity(rows),
            blocks: Vec::with_capacity(rows / BLOCK + 1),
            texts: Vec::with_capacity(texts),
        };
        let bands = (0..BANDS).map(|_| file()).collect::<Result<_>>()?;
        Ok(Self { bands, times: file()?, texts: file()?, memory, end: 0, in_file: 0 })
    }

    /// Adds the rows that come next.
    pub(crate) fn add(&mut self, sheet: &Sheet) -> Result<()> {
        for (file, band) in self.bands.iter_mut().zip(&sheet.bands) {
            file.write_all(band)?;
        }
        self.times.write_all(&sheet.times)?;
        let memory = &mut self.memory;
        if memory.texts.len() + sheet.texts.len() <= TEXTS_IN_MEMORY && self.in_file == 0 {
            memory.texts.extend(&sheet.texts);
        } else {
            self.texts.write_all(&sheet.texts)?;
            self.in_file += sheet.texts.len() as u64;
        }
        memory.sketches.extend(&sheet.sketches);
        memory.splits.extend(&sheet.splits);
        for length in &sheet.lengths {
            if memory.lengths.len().is_multiple_of(BLOCK) {
                memory.blocks.push(self.end);
            }
            memory.lengths.push(*length);
            self.end += u64::from(*length);
        }
        Ok(())
    }

    /// Ready to be read.
    pub(crate) fn finish(self) -> Result<Spilled> {
        let file = |file: BufWriter<File>| file.into_inner().map_err(std::io::IntoInnerError::into_error);
        Ok(Spilled {
            bands: self.bands.into_iter().map(file).collect::<Result<_>>()?,
            times: file(self.times)?,
            texts: file(self.texts)?,
            memory: self.memory,
        })
    }
}

/// All rows, being read.
pub(crate) struct Spilled {
    bands: Vec<File>,
    times: File,
    texts: File,
    memory: Memory,
}

impl Spilled {
    pub(crate) fn rows(&self) -> u32 {
        u32::try_from(self.memory.sketches.len()).unwrap_or(u32::MAX)
    }

    /// Whether the row may have near copies.
    pub(crate) fn has_text(&self, row: u32) -> bool {
        self.memory.lengths[row as usize] > 0
    }

    pub(crate) fn sketch(&self, row: u32) -> u64 {
        self.memory.sketches[row as usize]
    }

    pub(crate) fn split(&self, row: u32) -> u8 {
        self.memory.splits[row as usize]
    }

    /// The times of all rows, in their order.
    pub(crate) fn times(&self) -> impl Iterator<Item = Result<i64>> {
        let mut file = beginning(&self.times);
        (0..self.rows()).map(move |_| {
            let mut time = [0; 8];
            file.read_exact(&mut time).map(|()| i64::from_le_bytes(time))
        })
    }

    /// The hashes of a band with the numbers of their rows below them, of the rows asked: equal hashes
    /// lie together, their rows in order.
    pub(crate) fn band(&self, band: usize, asked: impl Fn(u32) -> bool, out: &mut Vec<u64>) -> Result<()> {
        let each = |found: &mut dyn FnMut(u32, u32)| -> Result<()> {
            let mut file = beginning(&self.bands[band]);
            let mut hash = [0; 4];
            for row in 0..self.rows() {
                file.read_exact(&mut hash)?;
                if asked(row) {
                    found(u32::from_le_bytes(hash), row);
                }
            }
            Ok(())
        };
        // Read twice: to count what each drawer will hold, and to lay it there; so only drawers are sorted.
        let bits = (self.rows() as usize / DRAWER).max(1).ilog2().min(20);
        let drawer = |hash: u32| hash.checked_shr(32 - bits).unwrap_or_default() as usize;
        let mut ends = vec![0_u32; (1 << bits) + 1];
        each(&mut |hash, _| ends[drawer(hash) + 1] += 1)?;
        (1..ends.len()).for_each(|at| ends[at] += ends[at - 1]);
        out.clear();
        out.resize(ends[1 << bits] as usize, 0);
        each(&mut |hash, row| {
            let next = &mut ends[drawer(hash)];
            out[*next as usize] = u64::from(hash) << 32 | u64::from(row);
            *next += 1;
        })?;
        let mut start = 0;
        for end in &ends[..1 << bits] {
            out[start..*end as usize].sort_unstable();
            start = *end as usize;
        }
        Ok(())
    }

    /// Its id, and its text.
    fn record<'b>(&'b self, row: u32, buffer: &'b mut Vec<u8>) -> Result<(&'b str, &'b str)> {
        let row = row as usize;
        let before = &self.memory.lengths[row - row % BLOCK..row];
        let start = self.memory.blocks[row / BLOCK] + before.iter().map(|n| u64::from(*n)).sum::<u64>();
        let length = self.memory.lengths[row] as usize;
        let in_memory = self.memory.texts.len() as u64;
        let record = if start < in_memory {
            &self.memory.texts[usize::try_from(start).map_err(std::io::Error::other)?..][..length]
        } else {
            buffer.resize(length, 0);
            self.texts.read_exact_at(buffer, start - in_memory)?;
            &buffer[..]
        };
        let (length, rest) = record.split_at(2);
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        std::str::from_utf8(rest).map(|rest| rest.split_at(length)).map_err(std::io::Error::other)
    }

    /// The hashes of the runs of a row's text; `buffer` is room to work in.
    pub(crate) fn runs(&self, row: u32, buffer: &mut Vec<u8>) -> Result<Vec<u32>> {
        self.record(row, buffer).map(|(_, text)| runs(text))
    }

    /// The id of a row that has a text.
    pub(crate) fn id(&self, row: u32) -> Result<String> {
        self.record(row, &mut Vec::new()).map(|(id, _)| id.to_owned())
    }
}

/// A file from its beginning, wherever others left it.
fn beginning(file: &File) -> BufReader<OffsetReader<'_>> {
    BufReader::with_capacity(1 << 16, OffsetReader { file, at: 0 })
}

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

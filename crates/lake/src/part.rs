//! The lines of a committed raw part.

use std::io::{BufRead, Error as IoError, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Lake, RawCommit, Result};

/// The text of a committed part, decompressed; it ends in an error unless the bytes at rest are those
/// of the commit. [`part_error`] tells what an error means.
///
/// # Errors
/// [`Error::Missing`] when the part is gone; of the store.
pub fn open_part(lake: &Lake, commit: &RawCommit) -> Result<impl Read + Send + use<>> {
    let bytes = lake.store.read_verified(&commit.path, commit.size, &commit.sha256)?;
    let failed = Arc::new(AtomicBool::new(false));
    let marked = Marked { inner: bytes, failed: failed.clone() };
    let decoder = zstd::Decoder::with_buffer(Ahead::new(marked))
        .map_err(|e| Error::Storage(format!("cannot decompress {}: {e}", commit.path)))?;
    Ok(Decoded { inner: decoder, failed })
}

/// What an error of a part's stream means: bytes that are not those of the commit, or a store that failed.
pub fn part_error(commit: &RawCommit, error: &IoError) -> Error {
    match error.kind() {
        ErrorKind::InvalidData => Error::Corrupt(format!("{} is damaged: {error}", commit.path)),
        _ => Error::Storage(format!("cannot read {}: {error}", commit.path)),
    }
}

/// Compressed bytes that are read at once.
const AHEAD: usize = 1 << 20;

/// Reads ahead: what it shows holds at least half of [`AHEAD`], unless the stream ends. A frame of a part, about a
/// mebibyte of text, then nearly always lies whole in it, and zstd decompresses it straight into the room of
/// whoever reads, if that has room for a frame; else it would go through a window of zstd's own.
struct Ahead<R> {
    inner: R,
    room: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R> Ahead<R> {
    fn new(inner: R) -> Self {
        Self { inner, room: vec![0; AHEAD], start: 0, end: 0, ended: false }
    }
}

impl<R: Read> Read for Ahead<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.fill_buf()?.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Ahead<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if !self.ended && self.end - self.start < AHEAD / 2 {
            self.room.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            while !self.ended && self.end < AHEAD {
                let read = self.inner.read(&mut self.room[self.end..])?;
                self.ended = read == 0;
                self.end += read;
            }
        }
        Ok(&self.room[self.start..self.end])
    }

    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }
}

/// Marks errors of the store, so that those of the decoder can be told apart.
struct Marked<R> {
    inner: R,
    failed: Arc<AtomicBool>,
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buf);
        let failed = read
            .as_ref()
            .is_err_and(|e| !matches!(e.kind(), ErrorKind::InvalidData | ErrorKind::Interrupted));
        if failed {
            self.failed.store(true, Ordering::Relaxed);
        }
        read
    }
}

struct Decoded<R> {
    inner: R,
    failed: Arc<AtomicBool>,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buf).map_err(|e| {
            if self.failed.load(Ordering::Relaxed) || e.kind() == ErrorKind::Interrupted {
                e
            } else {
                IoError::new(ErrorKind::InvalidData, e)
            }
        })
    }
}

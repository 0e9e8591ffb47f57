//! One small interface over a local folder and S3.
//!
//! Keys are relative, with `/` between plain segments. Whatever is published appears whole or not
//! at all: a local file by fsync and rename, an object by its PUT or by completing its upload.

use std::io::{Read, Write};

use sha2::{Digest, Sha256};

use crate::fingerprint::hex;
use crate::local::{Local, LocalUpload};
use crate::s3::{S3, S3Upload};
use crate::{Error, FileStat, Location, Result};

/// What a small object's bytes were when they were read: an ETag, or a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub(crate) String);

/// What must hold for a put to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: the bytes are the same whoever writes them.
    Always,
    /// Nothing lies there yet.
    Absent,
    /// What lies there is what was read.
    Unchanged(Tag),
}

/// One object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the lake.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970, by the store's own clock.
    pub modified: i64,
}

/// A local folder or a prefix in a bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    /// A folder.
    Local(Local),
    /// A prefix in a bucket.
    S3(S3),
}

impl Store {
    /// Opens the store at a location; touches nothing yet.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the S3 client cannot be set up.
    pub fn open(location: &Location) -> Result<Self> {
        Ok(match location {
            Location::Local(root) => Self::Local(Local::new(root.clone())),
            Location::S3 { bucket, prefix } => Self::S3(S3::new(bucket, prefix)?),
        })
    }

    /// A small object with its tag; `None` where nothing lies.
    ///
    /// # Errors
    /// Of the store.
    pub fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Tag)>> {
        check_key(key)?;
        match self {
            Self::Local(s) => s.get(key),
            Self::S3(s) => s.get(key),
        }
    }

    /// A stream of an object's bytes, unverified.
    ///
    /// # Errors
    /// [`Error::Missing`] where nothing lies; of the store.
    pub fn read(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        check_key(key)?;
        match self {
            Self::Local(s) => s.read(key),
            Self::S3(s) => s.read(key),
        }
    }

    /// Some bytes of an object, unverified.
    ///
    /// # Errors
    /// [`Error::Missing`] where nothing lies, [`Error::Corrupt`] where the object is shorter; of the store.
    pub fn read_range(&self, key: &str, offset: u64, size: u64) -> Result<Vec<u8>> {
        check_key(key)?;
        let bytes = match self {
            Self::Local(s) => s.read_range(key, offset, size),
            Self::S3(s) => s.read_range(key, offset, size),
        }?;
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(Error::Corrupt(format!("{key} does not hold {size} bytes from {offset}")))
        }
    }

    /// Like [`Store::read`], but the stream ends in an error unless its bytes have this size and hash.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_verified(&self, key: &str, size: u64, sha256: &str) -> Result<impl Read + Send + use<>> {
        Ok(Verified {
            inner: self.read(key)?,
            key: key.to_owned(),
            left: size,
            hasher: Sha256::new(),
            expected: sha256.to_owned(),
            done: false,
        })
    }

    /// Publishes a small object.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the condition does not hold and other bytes lie there; of the store.
    pub fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<()> {
        check_key(key)?;
        let put = match self {
            Self::Local(s) => s.put(key, bytes, condition),
            Self::S3(s) => s.put(key, bytes, condition),
        };
        // A PUT whose answer was lost is refused when the client repeats it: what counts is what lies there.
        match put {
            Err(Error::Conflict(why)) => match self.get(key)? {
                Some((there, _)) if there == bytes => Ok(()),
                _ => Err(Error::Conflict(why)),
            },
            other => other,
        }
    }

    /// Starts a stream that is published by [`Upload::finish`] and leaves nothing if dropped.
    ///
    /// # Errors
    /// Of the store.
    pub fn create(&self, key: &str) -> Result<Upload> {
        check_key(key)?;
        let sink = match self {
            Self::Local(s) => Sink::Local(s.create(key)?),
            Self::S3(s) => Sink::S3(Box::new(s.create(key)?)),
        };
        Ok(Upload { sink, hasher: Sha256::new(), size: 0 })
    }

    /// Everything below a prefix, by key.
    ///
    /// # Errors
    /// Of the store.
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        check_key(prefix)?;
        let mut entries = match self {
            Self::Local(s) => s.list(prefix),
            Self::S3(s) => s.list(prefix),
        }?;
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// Removes an object; nothing there is fine.
    ///
    /// # Errors
    /// Of the store.
    pub fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        match self {
            Self::Local(s) => s.delete(key),
            Self::S3(s) => s.delete(key),
        }
    }

    /// Removes what killed writers left below a prefix and nobody can see: temporary files, open uploads.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) fn sweep_unfinished(&self, prefix: &str, older_than_secs: i64) -> Result<u64> {
        match self {
            Self::Local(s) => s.sweep_unfinished(prefix, older_than_secs),
            Self::S3(s) => s.sweep_unfinished(prefix, older_than_secs),
        }
    }

    /// Whether conditional puts are kept; some S3 servers answer 200 and overwrite. Tries it with
    /// an object of its own.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) fn keeps_conditions(&self) -> Result<bool> {
        match self {
            Self::Local(_) => Ok(true),
            Self::S3(s) => s.keeps_conditions(),
        }
    }
}

/// Keys are ours, but parts of them come from arguments and from listings.
fn check_key(key: &str) -> Result<()> {
    let plain = |s: &str| !matches!(s, "" | "." | "..") && !s.contains(|c: char| c.is_control() || c == '\\');
    if key.len() <= 900 && key.trim_end_matches('/').split('/').all(plain) {
        Ok(())
    } else {
        Err(Error::Usage(format!("{key:?} is no key")))
    }
}

/// A stream on its way into the store.
pub struct Upload {
    sink: Sink,
    hasher: Sha256,
    size: u64,
}

enum Sink {
    Local(LocalUpload),
    S3(Box<S3Upload>),
}

impl Write for Upload {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = match &mut self.sink {
            Sink::Local(s) => s.write(buf)?,
            Sink::S3(s) => s.write(buf)?,
        };
        self.hasher.update(&buf[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.sink {
            Sink::Local(s) => s.flush(),
            Sink::S3(_) => Ok(()),
        }
    }
}

impl Upload {
    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Publishes what was written.
    ///
    /// # Errors
    /// Of the store; nothing is published then.
    pub fn finish(self, rows: u64) -> Result<FileStat> {
        match self.sink {
            Sink::Local(s) => s.finish()?,
            Sink::S3(s) => s.finish()?,
        }
        Ok(FileStat { size: self.size, sha256: hex(&self.hasher.finalize()), rows })
    }
}

struct Verified {
    inner: Box<dyn Read + Send>,
    key: String,
    left: u64,
    hasher: Sha256,
    expected: String,
    done: bool,
}

impl Read for Verified {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let corrupt = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        let n = self.inner.read(buf)?;
        let Some(left) = self.left.checked_sub(n as u64) else {
            return Err(corrupt(format!("{} is longer than its commit says", self.key)));
        };
        self.left = left;
        self.hasher.update(&buf[..n]);
        if n == 0 && !buf.is_empty() && !self.done {
            self.done = true;
            if left > 0 {
                return Err(corrupt(format!("{} is {left} bytes shorter than its commit says", self.key)));
            }
            if hex(&self.hasher.finalize_reset()) != self.expected {
                return Err(corrupt(format!("{} does not have the SHA-256 of its commit", self.key)));
            }
        }
        Ok(n)
    }
}

/// Does `work` for every item on `width` threads, and returns the results in the items' order; the
/// first error in that order is the answer. For waiting on a store, not for computing.
///
/// # Errors
/// The first of `work`.
pub fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    width: usize,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i) else { return done };
            let result = work(item);
            let failed = result.is_err();
            done.push((i, result));
            if failed {
                next.store(items.len(), Ordering::Relaxed);
                return done;
            }
        }
    };
    let mut all: Vec<(usize, Result<R>)> = if items.len() < 2 {
        take()
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..width.min(items.len())).map(|_| scope.spawn(take)).collect();
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    };
    all.sort_unstable_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}

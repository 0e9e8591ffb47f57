//! What a person wants read: files, objects or standard input, compressed or not.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::fingerprint::hex;
use crate::{Error, InputStat, Location, Result, Store};

/// Refuse what inflates more than this, once it has inflated to [`RATIO_FROM`]: tweets as JSON
/// compress 10 to 50 times, a bomb a thousand times.
const MAX_RATIO: u64 = 200;
/// Output below which no ratio is looked at.
const RATIO_FROM: u64 = 64 << 20;

/// An input that is being read, apart from the stream of its text.
#[derive(Clone)]
pub struct Input {
    /// As the person named it; `-` is standard input.
    pub name: String,
    seen: Arc<Mutex<Seen>>,
    /// Bytes as stored, where known beforehand.
    pub size: Option<u64>,
}

#[derive(Default)]
struct Seen {
    size: u64,
    hasher: Sha256,
    /// The store failed, as opposed to the bytes being wrong.
    failed: bool,
}

/// An error of a stream is the store's if the store gave one, else the bytes are to blame.
fn told(name: &str, seen: &Mutex<Seen>, error: &std::io::Error) -> Error {
    if seen.lock().is_ok_and(|s| s.failed) {
        Error::Storage(format!("cannot read {name}: {error}"))
    } else {
        Error::Corrupt(format!("{name} is damaged or cut off: {error}"))
    }
}

impl Input {
    /// Opens one input: what it is, and its text, decompressed and as UTF-8. Compression and UTF-16
    /// are recognised by the first bytes, never by the name.
    ///
    /// # Errors
    /// [`Error::Missing`] for what is not there, [`Error::Usage`] for a folder; of the store.
    pub fn open(name: &str) -> Result<(Self, Box<dyn Read + Send>)> {
        let (raw, size): (Box<dyn Read + Send>, Option<u64>) = if name == "-" {
            (Box::new(std::io::stdin()), None)
        } else {
            match name.parse()? {
                Location::Local(path) => open_file(&path)?,
                Location::S3 { bucket, prefix } => {
                    if prefix.is_empty() {
                        return Err(Error::Usage(format!("{name} is a bucket: name an object in it")));
                    }
                    let bucket = Location::S3 { bucket, prefix: String::new() };
                    (Store::open(&bucket)?.read(&prefix)?, None)
                }
            }
        };
        let seen = Arc::new(Mutex::new(Seen::default()));
        let counted = Counted { inner: raw, seen: seen.clone() };
        let reader =
            as_text(BufReader::with_capacity(1 << 18, counted), &seen).map_err(|e| told(name, &seen, &e))?;
        Ok((Self { name: name.to_owned(), seen, size }, reader))
    }

    /// Bytes read so far, as stored: for a progress bar.
    pub fn position(&self) -> u64 {
        self.seen.lock().map_or(0, |s| s.size)
    }

    /// What an error of the stream means: bad bytes, or a store that failed.
    pub fn error(&self, error: &std::io::Error) -> Error {
        told(&self.name, &self.seen, error)
    }

    /// What the input was; call at its end.
    pub fn stat(&self, records: u64) -> InputStat {
        let (size, sha256) =
            self.seen.lock().map_or((0, String::new()), |s| (s.size, hex(&s.hasher.clone().finalize())));
        InputStat { path: self.name.clone(), size, sha256, records }
    }
}

fn open_file(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
    let doing = |e: std::io::Error| Error::io("cannot open", path, &e);
    let file = File::open(path).map_err(doing)?;
    let meta = file.metadata().map_err(doing)?;
    if meta.is_dir() {
        return Err(Error::Usage(format!("{} is a folder: name the files in it", path.display())));
    }
    Ok((Box::new(file), meta.is_file().then_some(meta.len())))
}

struct Counted<R> {
    inner: R,
    seen: Arc<Mutex<Seen>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buf);
        if let Ok(mut seen) = self.seen.lock() {
            match &read {
                Ok(n) => {
                    seen.size += *n as u64;
                    seen.hasher.update(&buf[..*n]);
                }
                Err(e) => seen.failed = e.kind() != std::io::ErrorKind::Interrupted,
            }
        }
        read
    }
}

fn as_text<R: Read + Send + 'static>(
    mut raw: BufReader<R>,
    seen: &Arc<Mutex<Seen>>,
) -> std::io::Result<Box<dyn Read + Send>> {
    use std::io::BufRead;
    let head = raw.fill_buf()?;
    let plain: Box<dyn Read + Send> = if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(Capped::new(flate2::bufread::MultiGzDecoder::new(raw), seen.clone()))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable(head) {
        Box::new(Capped::new(zstd::Decoder::with_buffer(raw)?, seen.clone()))
    } else {
        Box::new(raw)
    };
    let mut plain = BufReader::with_capacity(1 << 16, plain);
    let bom: [u8; 2] = match plain.fill_buf() {
        Ok([a, b, ..]) => [*a, *b],
        Ok(_) => [0, 0],
        // Damage is told where the text is read, also when there is none of it.
        Err(e) => return Ok(Box::new(Broken(Some(e)))),
    };
    Ok(match bom {
        [0xff, 0xfe] => Box::new(Utf16::new(plain, u16::from_le_bytes)),
        [0xfe, 0xff] => Box::new(Utf16::new(plain, u16::from_be_bytes)),
        _ => Box::new(plain),
    })
}

/// A stream that breaks before its first byte.
struct Broken(Option<std::io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// zstd files may begin with a skippable frame.
fn skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Ends a stream that inflates beyond belief.
struct Capped<R> {
    inner: R,
    out: u64,
    seen: Arc<Mutex<Seen>>,
}

impl<R> Capped<R> {
    fn new(inner: R, seen: Arc<Mutex<Seen>>) -> Self {
        Self { inner, out: 0, seen }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.out += n as u64;
        if self.out > RATIO_FROM {
            let stored = self.seen.lock().map_or(1, |s| s.size.max(1));
            if self.out / stored > MAX_RATIO {
                let why = format!("it inflates more than {MAX_RATIO} times: no tweets do");
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
            }
        }
        Ok(n)
    }
}

/// UTF-16 with a byte order mark, as UTF-8. A surrogate without its other half becomes the byte
/// 0xFF, so that the one value holding it is rejected and the rest is not.
struct Utf16<R> {
    inner: R,
    unit: fn([u8; 2]) -> u16,
    odd: Option<u8>,
    high: Option<u16>,
    out: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { inner, unit, odd: None, high: None, out: Vec::new(), taken: 0 }
    }

    fn refill(&mut self) -> std::io::Result<()> {
        let mut buf = [0; 1 << 14];
        let n = self.inner.read(&mut buf)?;
        self.out.clear();
        self.taken = 0;
        if n == 0 {
            let cut = self.odd.take().is_some() | self.high.take().is_some();
            self.out.extend(cut.then_some(0xff));
            return Ok(());
        }
        for &byte in &buf[..n] {
            let Some(first) = self.odd.take() else {
                self.odd = Some(byte);
                continue;
            };
            let unit = (self.unit)([first, byte]);
            match (self.high.take(), unit) {
                (Some(high), 0xdc00..=0xdfff) => {
                    self.push(char::decode_utf16([high, unit]).next().and_then(|c| c.ok()))
                }
                (held, _) => {
                    if held.is_some() {
                        self.push(None);
                    }
                    match unit {
                        0xfeff => {}
                        0xd800..=0xdbff => self.high = Some(unit),
                        _ => self.push(char::from_u32(u32::from(unit))),
                    }
                }
            }
        }
        // A read that ended inside a character has nothing to show yet.
        if self.out.is_empty() { self.refill() } else { Ok(()) }
    }

    fn push(&mut self, c: Option<char>) {
        match c {
            Some(c) => self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => self.out.push(0xff),
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.taken == self.out.len() {
            self.refill()?;
        }
        let n = buf.len().min(self.out.len() - self.taken);
        buf[..n].copy_from_slice(&self.out[self.taken..self.taken + n]);
        self.taken += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};

    use super::Input;
    use crate::Error;

    fn read(bytes: &[u8]) -> crate::Result<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("input");
        std::fs::write(&path, bytes).unwrap();
        let mut text = Vec::new();
        let (input, mut reader) = Input::open(path.to_str().unwrap())?;
        let end = reader.read_to_end(&mut text);
        end.map_err(|e| input.error(&e)).map(|_| text)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_member_and_frame_is_read() {
        let gz: Vec<u8> = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(read(&gz).unwrap(), b"one\ntwo\n");
        let zst = [zstd::encode_all(&b"one\n"[..], 3).unwrap(), zstd::encode_all(&b"two\n"[..], 3).unwrap()]
            .concat();
        assert_eq!(read(&zst).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_cut_or_trailed_gzip_is_an_error() {
        let whole = gzip(&b"0123456789 abcdefghij\n".repeat(300));
        for cut in 2..whole.len() {
            assert!(matches!(read(&whole[..cut]), Err(Error::Corrupt(_))), "cut at {cut}");
        }
        assert!(matches!(read(&[whole, b"rubbish".to_vec()].concat()), Err(Error::Corrupt(_))));
    }

    #[test]
    fn a_bomb_is_refused() {
        let told = read(&gzip(&vec![b'\n'; 80 << 20])).unwrap_err();
        assert!(told.to_string().contains("inflates"), "{told}");
    }

    #[test]
    fn utf16_is_read_and_its_broken_halves_stay_visible() {
        let text = "\u{feff}a é 🎵\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&le).unwrap(), "a é 🎵\n".as_bytes());
        assert_eq!(read(&be).unwrap(), "a é 🎵\n".as_bytes());
        let broken: Vec<u8> = [0xfeff, 0x61, 0xd83c, 0x62].into_iter().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&broken).unwrap(), [b'a', 0xff, b'b']);
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert!(matches!(Input::open("no/such/file"), Err(Error::Missing(m)) if m.contains("no/such/file")));
        assert!(matches!(Input::open("/"), Err(Error::Usage(_))));
    }
}

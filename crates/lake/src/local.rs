//! A lake in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use crate::fingerprint::sha256_hex;
use crate::store::{Condition, Entry, Tag};
use crate::{Error, Result};

/// Names that begin so are unfinished and nobody's.
const UNFINISHED: &str = ".unfinished-";
/// Held while a pointer is compared and swapped.
const LOCK: &str = "_meta/.lock";

/// A folder.
#[derive(Clone, Debug)]
pub struct Local {
    root: PathBuf,
}

impl Local {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Tag)>> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => {
                let tag = Tag(sha256_hex(&bytes));
                Ok(Some((bytes, tag)))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("cannot read", &path, &e)),
        }
    }

    pub(crate) fn read(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let path = self.path(key);
        let file = File::open(&path).map_err(|e| Error::io("cannot open", &path, &e))?;
        Ok(Box::new(file))
    }

    pub(crate) fn read_range(&self, key: &str, offset: u64, size: u64) -> Result<Vec<u8>> {
        let path = self.path(key);
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(size).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|e| Error::io("cannot read", &path, &e))
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<()> {
        let publish = || {
            let mut upload = self.create(key)?;
            upload.write_all(bytes).map_err(|e| Error::io("cannot write", &self.path(key), &e))?;
            upload.finish()
        };
        if *condition == Condition::Always {
            return publish();
        }
        let _held = self.lock()?;
        let there = self.get(key)?.map(|(_, tag)| tag);
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => there.is_none(),
            Condition::Unchanged(tag) => there.as_ref() == Some(tag),
        };
        if holds { publish() } else { Err(Error::Conflict(format!("{key} was written by another run"))) }
    }

    fn lock(&self) -> Result<File> {
        let path = self.path(LOCK);
        self.make_folder(path.parent().unwrap_or(&self.root))?;
        let doing = |e: std::io::Error| Error::io("cannot lock", &path, &e);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(doing)?;
        file.lock().map_err(doing)?;
        Ok(file)
    }

    pub(crate) fn create(&self, key: &str) -> Result<LocalUpload> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let target = self.path(key);
        let folder = target.parent().unwrap_or(&self.root).to_path_buf();
        self.make_folder(&folder)?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let unfinished = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
            match File::create_new(&unfinished) {
                Ok(file) => {
                    let file = BufWriter::with_capacity(1 << 18, file);
                    return Ok(LocalUpload {
                        file: Some(file),
                        unfinished: Some(unfinished),
                        target,
                        folder,
                    });
                }
                // In containers every process is number 1: the name may be a killed one's, or a neighbour's.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("cannot create", &unfinished, &e)),
            }
        }
    }

    /// Makes a folder below the root, durably, and sees that no link leads out of the root.
    fn make_folder(&self, folder: &Path) -> Result<()> {
        let inside = |folder: &Path| -> Result<()> {
            let real = |p: &Path| fs::canonicalize(p).map_err(|e| Error::io("cannot resolve", p, &e));
            if real(folder)?.starts_with(real(&self.root)?) {
                Ok(())
            } else {
                Err(Error::Configuration(format!("{} is a link out of the lake", folder.display())))
            }
        };
        if !folder.is_dir() {
            // What is there already may be a link: nothing is made on its other side.
            let there = folder.ancestors().take_while(|f| *f != self.root).find(|f| f.is_dir());
            there.map_or(Ok(()), inside)?;
            let mut missing: Vec<&Path> =
                folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.is_dir()).collect();
            missing.reverse();
            for new in missing {
                match fs::create_dir(new) {
                    Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                        return Err(Error::io("cannot create folder", new, &e));
                    }
                    _ => sync_folder(
                        new.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")),
                    )?,
                }
            }
        }
        inside(folder)
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.walk(prefix.trim_end_matches('/'), &mut |key, name, meta| {
            if !name.starts_with('.') {
                let modified = seconds(meta);
                entries.push(Entry { key, size: meta.len(), modified });
            }
            Ok(())
        })?;
        Ok(entries)
    }

    fn walk(
        &self,
        key: &str,
        visit: &mut dyn FnMut(String, &str, &fs::Metadata) -> Result<()>,
    ) -> Result<()> {
        let folder = self.path(key);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("cannot list", &folder, &e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("cannot list", &folder, &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = format!("{key}/{name}");
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => self.walk(&below, visit)?,
                Ok(meta) if meta.is_file() => visit(below, &name, &meta)?,
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("cannot look at", &entry.path(), &e));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("cannot remove", &path, &e)),
            _ => Ok(()),
        }
    }

    pub(crate) fn sweep_unfinished(&self, prefix: &str, older_than_secs: i64) -> Result<u64> {
        let now = UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        let mut swept = 0;
        self.walk(prefix.trim_end_matches('/'), &mut |key, name, meta| {
            if name.starts_with(UNFINISHED) && now - seconds(meta) > older_than_secs {
                swept += 1;
                return self.delete(&key);
            }
            Ok(())
        })?;
        Ok(swept)
    }
}

fn seconds(meta: &fs::Metadata) -> i64 {
    let modified = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    modified.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("cannot sync", folder, &e))
}

/// A file under an unfinished name in its target's folder; fsync, rename and fsync of the folder publish it.
pub(crate) struct LocalUpload {
    file: Option<BufWriter<File>>,
    /// Its name until it is published.
    unfinished: Option<PathBuf>,
    target: PathBuf,
    folder: PathBuf,
}

impl Write for LocalUpload {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |f| f.write(buf))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl LocalUpload {
    pub(crate) fn finish(mut self) -> Result<()> {
        let doing = |e: &std::io::Error| Error::io("cannot write", &self.target, e);
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|e| doing(e.error()))?;
            file.sync_all().map_err(|e| doing(&e))?;
        }
        if let Some(unfinished) = &self.unfinished {
            fs::rename(unfinished, &self.target).map_err(|e| doing(&e))?;
        }
        // From here on the name may be another process's.
        self.unfinished = None;
        sync_folder(&self.folder)
    }
}

impl Drop for LocalUpload {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.unfinished {
            let _ = fs::remove_file(unfinished);
        }
    }
}

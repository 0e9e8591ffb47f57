//! Arrays in NumPy's format, version 1.0 (NEP 1).

use std::fs::File;
use std::io::{BufWriter, Cursor, Read, Result, Seek, Write};

/// A whole array with its check sum.
pub(crate) struct Array {
    pub(crate) crc: u32,
    pub(crate) size: u64,
    pub(crate) bytes: Box<dyn Read>,
}

impl Array {
    /// The bytes, in memory.
    pub(crate) fn into_bytes(mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        self.bytes.read_to_end(&mut all)?;
        Ok(all)
    }
}

/// An array in memory. `kind` is NumPy's name of the type, `data` its items.
pub(crate) fn array(kind: &str, shape: &[u64], data: Vec<u8>) -> Array {
    let mut bytes = header(kind, shape);
    bytes.extend(data);
    Array { crc: crc32fast::hash(&bytes), size: bytes.len() as u64, bytes: Box::new(Cursor::new(bytes)) }
}

/// An array whose length is known at its end.
pub(crate) struct Spilled {
    kind: &'static str,
    file: BufWriter<File>,
    crc: crc32fast::Hasher,
    size: u64,
}

impl Spilled {
    pub(crate) fn new(kind: &'static str, file: File) -> Self {
        let file = BufWriter::with_capacity(1 << 16, file);
        Self { kind, file, crc: crc32fast::Hasher::new(), size: 0 }
    }

    /// Adds items.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    pub(crate) fn finish(self, shape: &[u64]) -> Result<Array> {
        let header = header(self.kind, shape);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header);
        crc.combine(&self.crc);
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        let size = header.len() as u64 + self.size;
        Ok(Array { crc: crc.finalize(), size, bytes: Box::new(Cursor::new(header).chain(file)) })
    }
}

/// Magic, version, length, and a Python dictionary that ends at a multiple of 64.
fn header(kind: &str, shape: &[u64]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let shape = shape.trim_end_matches(' ');
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    let before = 10;
    while !(before + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut all = b"\x93NUMPY\x01\x00".to_vec();
    all.extend(u16::try_from(text.len()).unwrap_or_default().to_le_bytes());
    all.extend(text.into_bytes());
    all
}

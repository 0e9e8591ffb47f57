//! Zip archives of stored files, as NumPy writes `.npz`: PKWARE's APPNOTE 6.3, with 64-bit sizes (4.5.3)
//! throughout, and no time, so that equal contents are equal bytes.

use std::io::{Result, Write};

use super::npy::Array;

/// What a reader must understand: 64-bit sizes.
const VERSION: u16 = 45;
/// Says that a size or an offset stands in the extra field.
const ELSEWHERE: u32 = u32::MAX;
/// 1 January 1980, the first day that the format knows.
const DAY: u16 = 1 << 5 | 1;

/// An archive being written.
pub(crate) struct Zip<'w, W: Write> {
    out: &'w mut W,
    at: u64,
    directory: Vec<u8>,
    files: u64,
}

impl<'w, W: Write> Zip<'w, W> {
    pub(crate) fn new(out: &'w mut W) -> Self {
        Self { out, at: 0, directory: Vec::new(), files: 0 }
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, name: &str, mut array: Array) -> Result<()> {
        let start = self.at;
        let sizes = [array.size, array.size];
        let mut local = 0x0403_4b50_u32.to_le_bytes().to_vec();
        local.extend(about(name, array.crc, &sizes));
        local.extend(name.as_bytes());
        local.extend(extra(&sizes));
        self.write(&local)?;
        self.at += std::io::copy(&mut array.bytes, self.out)?;

        let fields = [array.size, array.size, start];
        self.directory.extend(0x0201_4b50_u32.to_le_bytes());
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(about(name, array.crc, &fields));
        // No comment, disk 0, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(ELSEWHERE.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(extra(&fields));
        self.files += 1;
        Ok(())
    }

    /// Writes the directory.
    pub(crate) fn finish(mut self) -> Result<()> {
        let (start, size) = (self.at, self.directory.len() as u64);
        let directory = std::mem::take(&mut self.directory);
        self.write(&directory)?;
        let end = self.at;
        let mut tail = 0x0606_4b50_u32.to_le_bytes().to_vec();
        tail.extend(44_u64.to_le_bytes());
        tail.extend([VERSION, VERSION].map(u16::to_le_bytes).concat());
        tail.extend([0; 8]);
        tail.extend([self.files, self.files, size, start].map(u64::to_le_bytes).concat());
        tail.extend(0x0706_4b50_u32.to_le_bytes());
        tail.extend([0; 4]);
        tail.extend(end.to_le_bytes());
        tail.extend(1_u32.to_le_bytes());
        tail.extend(0x0605_4b50_u32.to_le_bytes());
        tail.extend([0; 4]);
        tail.extend([u16::MAX; 2].map(u16::to_le_bytes).concat());
        tail.extend([ELSEWHERE; 2].map(u32::to_le_bytes).concat());
        tail.extend([0; 2]);
        self.write(&tail)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// What both headers of a file say of it: version, flags, stored, time, check sum, sizes, lengths.
fn about(name: &str, crc: u32, fields: &[u64]) -> Vec<u8> {
    let mut all = [VERSION, 0, 0, 0, DAY].map(u16::to_le_bytes).concat();
    all.extend([crc, ELSEWHERE, ELSEWHERE].map(u32::to_le_bytes).concat());
    let lengths = [name.len(), extra(fields).len()].map(|n| u16::try_from(n).unwrap_or_default());
    all.extend(lengths.map(u16::to_le_bytes).concat());
    all
}

/// The extra field of 64-bit numbers.
fn extra(fields: &[u64]) -> Vec<u8> {
    let length = u16::try_from(8 * fields.len()).unwrap_or_default();
    let mut all = [1, length].map(u16::to_le_bytes).concat();
    all.extend(fields.iter().flat_map(|n| n.to_le_bytes()));
    all
}

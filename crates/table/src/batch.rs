//! Rows, cell by cell, as Parquet has them: what is read of a tweet goes straight into pages, without a frame between.

use std::ops::Range;

use crate::columns::{Column, Kind};

/// Rows of a table, column by column. Cells are given in the order of the columns, by name, so that a slip shows at the first
/// row. A batch that was cleared keeps its room.
#[derive(Debug)]
pub struct Batch {
    columns: Vec<Column>,
    pub(crate) cells: Vec<Cells>,
    next: usize,
    /// Bytes of the texts of each row, and of the one under way.
    pub(crate) sizes: Vec<usize>,
    size: usize,
}

/// Cells of one column.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) kind: Kind,
    /// Of a column of single values: whether each row has one.
    pub(crate) present: Vec<bool>,
    /// Of a column of lists: how many values each row has.
    pub(crate) lengths: Vec<u32>,
    /// The values, in Parquet's PLAIN encoding (flags excepted, which have a byte each): numbers with their least byte first, and of a
    /// text its length in four bytes before its own.
    pub(crate) values: Vec<u8>,
}

/// Bytes of the length before a text.
const LENGTH: usize = size_of::<u32>();

impl Batch {
    /// No rows yet.
    pub fn new(columns: &[Column]) -> Self {
        let cells = columns.iter().map(|column| Cells {
            kind: column.kind,
            present: Vec::new(),
            lengths: Vec::new(),
            values: Vec::new(),
        });
        Self { cells: cells.collect(), columns: columns.to_vec(), next: 0, sizes: Vec::new(), size: 0 }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.sizes.len()
    }

    /// Takes all rows out.
    pub fn clear(&mut self) {
        self.cells.iter_mut().for_each(Cells::clear);
        self.sizes.clear();
        (self.next, self.size) = (0, 0);
    }

    /// The cells of the column that comes next, whose texts take so many bytes more.
    ///
    /// # Panics
    /// When in the first row another column comes next, or one of another type: the caller does not follow the column table.
    #[inline(always)]
    fn cell(&mut self, name: &str, kinds: &[Kind], bytes: usize) -> &mut Cells {
        let at = self.next;
        if self.sizes.is_empty() {
            let column = &self.columns[at];
            assert_eq!(column.name, name, "cells are given in the order of the column table");
            assert!(kinds.contains(&column.kind), "the column {name} has another type in the column table");
        }
        self.size += bytes;
        self.next += 1;
        if self.next == self.columns.len() {
            self.next = 0;
            self.sizes.push(std::mem::take(&mut self.size));
        }
        &mut self.cells[at]
    }

    /// A text.
    #[inline(always)]
    pub fn text(&mut self, name: &str, value: Option<&str>) {
        let cells = self.cell(name, &[Kind::String], value.map_or(0, str::len));
        cells.present.push(value.is_some());
        if let Some(value) = value {
            push_text(&mut cells.values, value);
        }
    }

    /// A list of texts.
    #[inline(always)]
    pub fn texts<'a>(&mut self, name: &str, list: impl Iterator<Item = &'a str>) {
        let values = &mut self.cells[self.next].values;
        let (mut length, before) = (0, values.len());
        for value in list {
            push_text(values, value);
            length += 1;
        }
        let bytes = values.len() - before;
        self.cell(name, &[Kind::Strings], bytes).lengths.push(length);
    }

    /// True or false.
    #[inline(always)]
    pub fn flag(&mut self, name: &str, value: Option<bool>) {
        self.number(name, &[Kind::Bool], value.map(|flag| [u8::from(flag)]));
    }

    /// A 32-bit float.
    #[inline(always)]
    pub fn real32(&mut self, name: &str, value: Option<f32>) {
        self.number(name, &[Kind::F32], value.map(f32::to_le_bytes));
    }

    /// A 64-bit float.
    #[inline(always)]
    pub fn real64(&mut self, name: &str, value: Option<f64>) {
        self.number(name, &[Kind::F64], value.map(f64::to_le_bytes));
    }

    /// A whole number, or an instant in microseconds.
    #[inline(always)]
    pub fn whole(&mut self, name: &str, value: Option<i64>) {
        self.number(name, &[Kind::I64, Kind::Time], value.map(i64::to_le_bytes));
    }

    /// A count.
    #[inline(always)]
    pub fn count(&mut self, name: &str, value: u32) {
        self.number(name, &[Kind::U32], Some(value.to_le_bytes()));
    }

    #[inline(always)]
    fn number<const WIDTH: usize>(&mut self, name: &str, kinds: &[Kind], value: Option<[u8; WIDTH]>) {
        let cells = self.cell(name, kinds, 0);
        cells.present.push(value.is_some());
        if let Some(value) = value {
            cells.values.extend_from_slice(&value);
        }
    }
}

/// # Panics
/// For a text of 4 GiB, which no value of a tweet is near.
#[inline(always)]
#[expect(clippy::expect_used, reason = "texts have caps far below")]
fn push_text(values: &mut Vec<u8>, value: &str) {
    let length = u32::try_from(value.len()).expect("a text of less than 4 GiB");
    values.reserve(LENGTH + value.len());
    values.extend_from_slice(&length.to_le_bytes());
    values.extend_from_slice(value.as_bytes());
}

impl Cells {
    pub(crate) fn clear(&mut self) {
        self.present.clear();
        self.lengths.clear();
        self.values.clear();
    }

    fn rows(&self) -> usize {
        if self.kind.is_list() { self.lengths.len() } else { self.present.len() }
    }

    /// Adds some rows of the same column, whose first value begins at the byte `from`, and says where the next row's does.
    pub(crate) fn append(&mut self, other: &Self, rows: Range<usize>, from: usize) -> usize {
        let all = rows.end == other.rows();
        let count = if other.kind.is_list() {
            let lengths = &other.lengths[rows];
            self.lengths.extend_from_slice(lengths);
            lengths.iter().map(|length| *length as usize).sum()
        } else {
            let present = &other.present[rows];
            self.present.extend_from_slice(present);
            present.iter().filter(|present| **present).count()
        };
        let end = if all { other.values.len() } else { from + other.bytes(from, count) };
        self.values.extend_from_slice(&other.values[from..end]);
        end
    }

    /// Bytes of so many values, of which the first begins at `from`.
    fn bytes(&self, from: usize, count: usize) -> usize {
        match self.kind {
            Kind::String | Kind::Strings => {
                plain_texts(&self.values[from..]).take(count).map(<[u8]>::len).sum()
            }
            Kind::Bool => count,
            Kind::U32 | Kind::F32 | Kind::I32s | Kind::F32s => 4 * count,
            Kind::I64 | Kind::Time | Kind::F64 => 8 * count,
        }
    }
}

/// Each of texts in PLAIN encoding, with its length before it.
pub(crate) fn plain_texts(mut plain: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u32::from_le_bytes(*plain.first_chunk()?) as usize;
        let (text, rest) = plain.split_at(LENGTH + length);
        plain = rest;
        Some(text)
    })
}

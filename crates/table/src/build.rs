//! Rows into a frame, cell by cell.

use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, DataFrame, DataType, Float32Type, Float64Type, Int32Type,
    Int64Type, IntoColumn, IntoSeries, ListBuilderTrait, ListPrimitiveChunkedBuilder,
    ListStringChunkedBuilder, PlSmallStr, PolarsResult, PrimitiveChunkedBuilder, StringChunkedBuilder,
    TimeUnit, TimeZone, UInt32Type,
};

use crate::columns::{Column, Kind};

/// Builds a frame row by row. Cells are given in the order of the columns, by name, so that a slip
/// shows at the first row.
pub struct Builder {
    columns: Vec<Column>,
    cells: Vec<Cells>,
    next: usize,
    rows: usize,
}

enum Cells {
    String(StringChunkedBuilder),
    Strings(ListStringChunkedBuilder),
    I32s(ListPrimitiveChunkedBuilder<Int32Type>),
    F32s(ListPrimitiveChunkedBuilder<Float32Type>),
    Bool(BooleanChunkedBuilder),
    F32(PrimitiveChunkedBuilder<Float32Type>),
    F64(PrimitiveChunkedBuilder<Float64Type>),
    I64(PrimitiveChunkedBuilder<Int64Type>),
    U32(PrimitiveChunkedBuilder<UInt32Type>),
}

impl Builder {
    /// No rows yet; room for `capacity`.
    pub fn new(columns: &[Column], capacity: usize) -> Self {
        let cells = columns.iter().map(|c| {
            let name = PlSmallStr::from_static(c.name);
            match c.kind {
                Kind::String => Cells::String(StringChunkedBuilder::new(name, capacity)),
                Kind::Strings => Cells::Strings(ListStringChunkedBuilder::new(name, capacity, capacity * 4)),
                Kind::I32s => Cells::I32s(ListPrimitiveChunkedBuilder::new(
                    name,
                    capacity,
                    capacity * 16,
                    DataType::Int32,
                )),
                Kind::F32s => Cells::F32s(ListPrimitiveChunkedBuilder::new(
                    name,
                    capacity,
                    capacity * 16,
                    DataType::Float32,
                )),
                Kind::Bool => Cells::Bool(BooleanChunkedBuilder::new(name, capacity)),
                Kind::F32 => Cells::F32(PrimitiveChunkedBuilder::new(name, capacity)),
                Kind::F64 => Cells::F64(PrimitiveChunkedBuilder::new(name, capacity)),
                Kind::I64 | Kind::Time => Cells::I64(PrimitiveChunkedBuilder::new(name, capacity)),
                Kind::U32 => Cells::U32(PrimitiveChunkedBuilder::new(name, capacity)),
            }
        });
        Self { cells: cells.collect(), columns: columns.to_vec(), next: 0, rows: 0 }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of the column that comes next.
    ///
    /// # Panics
    /// When in the first row another column comes next: the caller does not follow the column table.
    #[inline(always)]
    fn cell(&mut self, name: &str) -> &mut Cells {
        let at = self.next;
        if self.rows == 0 {
            assert_eq!(self.columns[at].name, name, "cells are given in the order of the column table");
        }
        self.next += 1;
        if self.next == self.columns.len() {
            self.next = 0;
            self.rows += 1;
        }
        &mut self.cells[at]
    }

    /// A text.
    #[inline(always)]
    pub fn text(&mut self, name: &str, value: Option<&str>) {
        match self.cell(name) {
            Cells::String(cells) => cells.append_option(value),
            _ => unsuited(name),
        }
    }

    /// A list of texts.
    #[inline(always)]
    pub fn texts<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        match self.cell(name) {
            Cells::Strings(cells) => cells.append_values_iter(values),
            _ => unsuited(name),
        }
    }

    /// A list of whole numbers.
    pub fn wholes32(&mut self, name: &str, values: &[i32]) {
        match self.cell(name) {
            Cells::I32s(cells) => cells.append_slice(values),
            _ => unsuited(name),
        }
    }

    /// A list of 32-bit floats.
    pub fn reals32(&mut self, name: &str, values: &[f32]) {
        match self.cell(name) {
            Cells::F32s(cells) => cells.append_slice(values),
            _ => unsuited(name),
        }
    }

    /// True or false.
    #[inline(always)]
    pub fn flag(&mut self, name: &str, value: Option<bool>) {
        match self.cell(name) {
            Cells::Bool(cells) => cells.append_option(value),
            _ => unsuited(name),
        }
    }

    /// A 32-bit float.
    #[inline(always)]
    pub fn real32(&mut self, name: &str, value: Option<f32>) {
        match self.cell(name) {
            Cells::F32(cells) => cells.append_option(value),
            _ => unsuited(name),
        }
    }

    /// A 64-bit float.
    #[inline(always)]
    pub fn real64(&mut self, name: &str, value: Option<f64>) {
        match self.cell(name) {
            Cells::F64(cells) => cells.append_option(value),
            _ => unsuited(name),
        }
    }

    /// A whole number, or an instant in microseconds.
    #[inline(always)]
    pub fn whole(&mut self, name: &str, value: Option<i64>) {
        match self.cell(name) {
            Cells::I64(cells) => cells.append_option(value),
            _ => unsuited(name),
        }
    }

    /// A count.
    #[inline(always)]
    pub fn count(&mut self, name: &str, value: u32) {
        match self.cell(name) {
            Cells::U32(cells) => cells.append_value(value),
            _ => unsuited(name),
        }
    }

    /// The frame.
    ///
    /// # Errors
    /// Of Polars; when the last row is not whole.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let columns = self.cells.into_iter().zip(&self.columns).map(|(cells, column)| {
            let series = match cells {
                Cells::String(cells) => cells.finish().into_series(),
                Cells::Strings(mut cells) => cells.finish().into_series(),
                Cells::I32s(mut cells) => cells.finish().into_series(),
                Cells::F32s(mut cells) => cells.finish().into_series(),
                Cells::Bool(cells) => cells.finish().into_series(),
                Cells::F32(cells) => cells.finish().into_series(),
                Cells::F64(cells) => cells.finish().into_series(),
                // A cast would drop the zone, as Polars is built without its zone tables here.
                Cells::I64(cells) if column.kind == Kind::Time => {
                    cells.finish().into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
                }
                Cells::I64(cells) => cells.finish().into_series(),
                Cells::U32(cells) => cells.finish().into_series(),
            };
            series.into_column()
        });
        DataFrame::new(self.rows, columns.collect())
    }
}

fn unsuited(name: &str) -> ! {
    panic!("the column {name} has another type in the column table")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Builder;
    use crate::{CLEAN, empty};

    #[test]
    fn no_rows_have_the_schema_of_the_table() {
        let built = Builder::new(CLEAN, 0).finish().unwrap();
        assert_eq!(built.schema(), empty(CLEAN).schema());
    }

    #[test]
    #[should_panic(expected = "in the order of the column table")]
    fn a_cell_out_of_order_is_a_slip() {
        Builder::new(CLEAN, 1).text("tweet_id", None);
    }
}

//! Sparse matrices as SciPy loads them: `scipy.sparse.load_npz`.

mod npy;
mod zip;

use std::fs::File;
use std::io::{Result, Write};

use polars::prelude::{DataFrame, PolarsResult};

use npy::Spilled;
pub(crate) use npy::array;
use zip::Zip;

/// A matrix in compressed sparse rows, being written row by row.
pub(crate) struct Matrix {
    columns: usize,
    rows: u64,
    values: u64,
    /// Where rows end in the other two.
    indptr: Spilled,
    indices: Spilled,
    data: Spilled,
}

impl Matrix {
    /// No rows yet; what is written goes to three files of `file`.
    pub(crate) fn new(columns: usize, mut file: impl FnMut() -> Result<File>) -> Result<Self> {
        let mut indptr = Spilled::new("<i8", file()?);
        indptr.add(&0_i64.to_le_bytes())?;
        let (indices, data) = (Spilled::new("<i4", file()?), Spilled::new("<f4", file()?));
        Ok(Self { columns, rows: 0, values: 0, indptr, indices, data })
    }

    /// Adds rows, by the names of their columns of indices and values.
    pub(crate) fn add(&mut self, rows: &DataFrame, indices: &str, values: &str) -> PolarsResult<()> {
        for (index, value) in lists(rows, indices)?.zip(lists(rows, values)?) {
            let (index, value) = (index?, value?);
            for index in index.i32()?.iter().flatten() {
                self.indices.add(&index.to_le_bytes())?;
            }
            for value in value.f32()?.iter().flatten() {
                self.data.add(&value.to_le_bytes())?;
            }
            self.rows += 1;
            self.values += index.len() as u64;
            self.indptr.add(&self.values.cast_signed().to_le_bytes())?;
        }
        Ok(())
    }

    /// Writes the file. Returns its rows.
    pub(crate) fn finish(self, out: &mut impl Write) -> Result<u64> {
        let mut zip = Zip::new(out);
        let shape = [self.rows, self.columns as u64].map(u64::to_le_bytes).concat();
        zip.add("indices.npy", self.indices.finish(&[self.values])?)?;
        zip.add("indptr.npy", self.indptr.finish(&[self.rows + 1])?)?;
        zip.add("format.npy", array("|S3", &[], b"csr".to_vec()))?;
        zip.add("shape.npy", array("<i8", &[2], shape))?;
        zip.add("data.npy", self.data.finish(&[self.values])?)?;
        zip.finish()?;
        Ok(self.rows)
    }
}

/// The lists of a column.
fn lists<'a>(
    rows: &'a DataFrame,
    name: &str,
) -> PolarsResult<impl Iterator<Item = PolarsResult<polars::prelude::Series>> + 'a> {
    let lists = rows.column(name)?.list()?;
    Ok((0..lists.len()).map(|row| {
        lists.get_as_series(row).ok_or_else(|| polars::prelude::polars_err!(ComputeError: "a list is null"))
    }))
}

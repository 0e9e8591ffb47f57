//! The files of `features/`: hashed tokens as matrices, a row for each Parquet row of the split, in its order.

use std::io::Result;

use lake::Location;
use polars::prelude::{DataFrame, PolarsResult};

use crate::hashing::Hashing;
use crate::sparse::{Matrix, array};
use crate::temporary::temporary;

/// How rare each index is in train.
pub(crate) const IDF: &str = "features/idf.npy";

/// The matrices of one split; none without hashed tokens.
pub(crate) struct Matrices(Vec<Named>);

struct Named {
    path: String,
    /// The column of its values.
    values: &'static str,
    matrix: Matrix,
}

impl Matrices {
    /// No rows yet; they wait in temporary files.
    pub(crate) fn new(hashing: Option<&Hashing>, split: &str, lake: Option<&Location>) -> Result<Self> {
        let Some(hashing) = hashing else { return Ok(Self(Vec::new())) };
        let named = |path: String, values| -> Result<Named> {
            let matrix = Matrix::new(hashing.size(), || temporary(lake))?;
            Ok(Named { path, values, matrix })
        };
        let mut all = vec![named(format!("features/{split}.npz"), "hash_value")?];
        if hashing.weighted {
            all.push(named(format!("features/{split}-tfidf.npz"), "tfidf_value")?);
        }
        Ok(Self(all))
    }

    /// Adds rows of the split.
    pub(crate) fn add(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        self.0.iter_mut().try_for_each(|named| named.matrix.add(rows, "hash_index", named.values))
    }

    /// The matrices by their paths.
    pub(crate) fn files(self) -> impl Iterator<Item = (String, Matrix)> {
        self.0.into_iter().map(|named| (named.path, named.matrix))
    }
}

/// The paths of all files of `features/`.
pub(crate) fn paths(hashing: Option<&Hashing>, splits: &[&str]) -> Vec<String> {
    let Some(hashing) = hashing else { return Vec::new() };
    let mut all: Vec<String> = splits.iter().map(|split| format!("features/{split}.npz")).collect();
    if hashing.weighted {
        all.extend(splits.iter().map(|split| format!("features/{split}-tfidf.npz")));
        all.push(IDF.into());
    }
    all
}

/// The file of [`IDF`].
pub(crate) fn idf_file(idf: &[f64]) -> Result<Vec<u8>> {
    let bytes = idf.iter().flat_map(|x| x.to_le_bytes()).collect();
    array("<f8", &[idf.len() as u64], bytes).into_bytes()
}

/// What [`idf_file`] holds of this many indices; `None` for another file.
pub(crate) fn read_idf(file: &[u8], size: usize) -> Option<Vec<f64>> {
    let data = &file[file.len().checked_sub(8 * size)?..];
    Some(data.as_chunks::<8>().0.iter().map(|x| f64::from_le_bytes(*x)).collect())
}

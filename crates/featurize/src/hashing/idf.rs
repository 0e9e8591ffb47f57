//! How rare an index is among the rows of train.

use std::ops::ControlFlow;

use polars::prelude::{DataFrame, PolarsResult};
use task::{Outcome, Task, ordered_map};

use super::Hashing;
use crate::batches::{Batch, Batches};
use crate::fates::Fates;
use crate::features::Lists;
use crate::plan::Plan;
use crate::rows::{Names, computing};
use crate::write::fall;

/// In how many rows an index occurs.
pub(crate) struct Frequencies {
    rows: u32,
    with: Vec<u32>,
}

impl Frequencies {
    pub(crate) fn new(hashing: &Hashing) -> Self {
        Self { rows: 0, with: vec![0; hashing.size()] }
    }

    /// Counts a row: its indices, each once.
    pub(crate) fn add(&mut self, indices: &[i32]) {
        self.rows += 1;
        indices.iter().for_each(|index| self.with[usize::try_from(*index).unwrap_or_default()] += 1);
    }

    /// Counts the rows of a frame.
    pub(crate) fn add_all(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        let lists = rows.column("hash_index")?.list()?;
        for row in 0..lists.len() {
            let indices =
                lists.get_as_series(row).map(|list| list.i32().map(|all| all.into_no_null_iter().collect()));
            self.add(&indices.unwrap_or_else(|| Ok(Vec::new()))?);
        }
        Ok(())
    }

    /// ln((1 + rows) / (1 + rows with the index)) + 1: scikit-learn's `smooth_idf`.
    pub(crate) fn idf(&self) -> Vec<f64> {
        let rows = f64::from(self.rows) + 1.0;
        self.with.iter().map(|with| (rows / (f64::from(*with) + 1.0)).ln() + 1.0).collect()
    }
}

/// Reads the tokens of the rows of train that stay.
pub(crate) fn fit(plan: &Plan, fates: &Fates, hashing: &Hashing, task: &Task) -> Outcome<Vec<f64>> {
    let columns: Vec<&str> = Names::COLUMNS.into_iter().chain(["tokens"]).collect();
    let mut batches = Batches::again(&plan.lake, &plan.pointers, Some(&columns));
    let mut found = Frequencies::new(hashing);
    let work = |batch: Batch| {
        let (kept, _) = fall(&batch, plan, fates)?;
        let (names, tokens) = (Names::of(&kept)?, Lists::of(&kept, "tokens")?);
        let train = (0..names.len()).filter(|row| {
            let member = names.member(*row);
            plan.rule.split(&member, plan.rule.group(&member)) == 0
        });
        let indices = |row| hashing.sums(tokens.row(row)).into_iter().map(|(index, _)| index).collect();
        Ok(train.map(indices).collect())
    };
    ordered_map(
        task.threads,
        || {
            task.stop.check()?;
            batches.next()
        },
        |batch| work(batch).map_err(computing),
        |rows: Vec<Vec<i32>>| {
            rows.iter().for_each(|indices| found.add(indices));
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(found.idf())
}

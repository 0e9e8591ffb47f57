//! The second pass: rows to files.
//!
//! Rows lie in the order of the partitions' names and, within one, in the order of the clean result; so
//! nothing is sorted, and memory holds a few batches whatever the size.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;

use lake::{Counts, DatasetFile, FileStat, Ledger};
use polars::prelude::{
    Column, DataFrame, DataFrameJoinOps, IntoColumn, JoinArgs, JoinType, MaintainOrderJoin, PolarsResult,
    Series,
};
use table::Sink;
use task::{Exit, Failure, Outcome, Progress, Task, ordered_map};

use crate::about::About;
use crate::batches::{Batch, Batches};
use crate::fates::{Fates, Reason, hidden, hidden_place};
use crate::features::{Recipe, features, part};
use crate::hashing::{columns, fit};
use crate::matrices::{IDF, Matrices, idf_file};
use crate::merge::MERGED;
use crate::plan::Plan;
use crate::rows::{Names, computing, numbers, spilling, writing};

/// Rows of a file, its last row group aside: how many files there are follows from the rows alone.
const ROWS_PER_FILE: u64 = 1_000_000;
/// Ids shown of each reason. Deleted ones are never shown.
const SAMPLES: usize = 10;

/// What was written.
pub(crate) struct Written {
    pub(crate) files: Vec<DatasetFile>,
    pub(crate) dropped: Counts,
    pub(crate) samples: BTreeMap<String, Vec<String>>,
    /// By split.
    pub(crate) about: Vec<About>,
    /// Files of `features/`, by name.
    pub(crate) features: BTreeMap<String, FileStat>,
}

/// Writes the files of `data/` and `features/`.
pub(crate) fn write(plan: &Plan, fates: &Fates, task: &Task) -> Outcome<Written> {
    let names = plan.rule.names();
    let idf = match plan.hashing.as_ref().filter(|hashing| hashing.weighted) {
        Some(hashing) => fit(plan, fates, hashing, task)?,
        None => Vec::new(),
    };
    let recipe = Recipe { rule: &plan.rule, hashing: plan.hashing.as_ref(), idf: &idf };
    let mut matrices = names
        .iter()
        .map(|name| Matrices::new(plan.hashing.as_ref(), name, Some(plan.lake.location())))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(spilling)?;
    let mut outputs: Vec<Output> = names
        .iter()
        .zip(&fates.splits)
        .map(|(name, rows)| Output::new(plan, name, *rows))
        .collect::<Outcome<_>>()?;
    let mut written = Written {
        files: Vec::new(),
        dropped: Counts::new(),
        samples: BTreeMap::new(),
        about: vec![About::default(); names.len()],
        features: BTreeMap::new(),
    };
    let progress = Progress::things(plan.pointers.iter().map(|p| p.ledger.kept).sum());
    progress.say("rows written".into());
    let mut done = 0;
    let mut batches = Batches::again(&plan.lake, &plan.pointers, None);
    ordered_map(
        task.threads,
        || {
            task.stop.check()?;
            batches.next()
        },
        |batch: Batch| work(&batch, plan, fates, recipe).map_err(computing),
        |result: Worked| {
            done += result.read;
            progress.at(done);
            for (reason, ids) in result.dropped {
                Ledger::count(&mut written.dropped, reason.name(), ids.len() as u64);
                if reason != Reason::Deleted {
                    let shown = written.samples.entry(reason.name().to_owned()).or_default();
                    shown.extend(ids.into_iter().take(SAMPLES.saturating_sub(shown.len())));
                }
            }
            for (split, rows) in result.rows.iter().enumerate() {
                written.about[split].add(rows).map_err(computing)?;
                outputs[split].write(rows)?;
                matrices[split].add(rows).map_err(writing("features"))?;
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    for output in outputs {
        written.files.extend(output.finish()?);
    }
    let create = |path: &str| plan.lake.store.create(&format!("{}/{path}", plan.folder()));
    for (path, matrix) in matrices.into_iter().flat_map(Matrices::files) {
        let mut upload = create(&path)?;
        let rows = matrix.finish(&mut upload).map_err(|e| writing(&path)(e.into()))?;
        written.features.insert(path, upload.finish(rows)?);
    }
    if !idf.is_empty() {
        let mut upload = create(IDF)?;
        let rows = idf.len() as u64;
        idf_file(&idf).and_then(|file| upload.write_all(&file)).map_err(|e| writing(IDF)(e.into()))?;
        written.features.insert(IDF.into(), upload.finish(rows)?);
    }
    Ok(written)
}

/// What became of a batch.
struct Worked {
    read: u64,
    /// Rows by split.
    rows: Vec<DataFrame>,
    /// Ids by reason, in order.
    dropped: Dropped,
}

fn work(batch: &Batch, plan: &Plan, fates: &Fates, recipe: Recipe) -> PolarsResult<Worked> {
    let read = batch.rows.height() as u64;
    let (kept, dropped) = fall(batch, plan, fates)?;
    let kept = match fates.winners.get(&batch.part) {
        Some(winners) => take_over(&kept, winners)?,
        None => kept,
    };
    let kept = shown(kept, plan)?;
    let groups: Vec<Option<&str>> =
        numbers(&kept, "row")?.into_iter().map(|row| fates.near_copy_group(batch.part, row)).collect();
    let (added, splits) = features(&kept, recipe, &groups)?;
    let all = kept.hstack(added.columns())?;
    let rows = (0..plan.rule.names().len()).map(|n| part(&all, &splits, n)).collect::<PolarsResult<_>>()?;
    Ok(Worked { read, rows, dropped })
}

/// The ids that fall, by reason.
type Dropped = Vec<(Reason, Vec<String>)>;

/// Takes out what does not stay. The rows that do carry their number in the partition as `row`.
pub(crate) fn fall(batch: &Batch, plan: &Plan, fates: &Fates) -> PolarsResult<(DataFrame, Dropped)> {
    let losers = fates.losers.get(&batch.part).map_or(&[][..], Vec::as_slice);
    let mut losers =
        losers[losers.partition_point(|(row, _)| (*row as usize) < batch.at)..].iter().peekable();
    let names = Names::of(&batch.rows)?;
    let mut dropped = Reason::ALL.map(|reason| (reason, Vec::new()));
    let mut stays = Vec::with_capacity(names.len());
    for row in 0..names.len() {
        let member = names.member(row);
        let lost = losers.next_if(|(lost, _)| *lost as usize == batch.at + row).map(|(_, reason)| *reason);
        let deleted = hidden(&plan.tombstones, &member, names.edit_id(row)).then_some(Reason::Deleted);
        let why = deleted.or(lost);
        stays.push(why.is_none());
        for (reason, ids) in &mut dropped {
            if why == Some(*reason) {
                ids.push(member.tweet_id.to_owned());
            }
        }
    }
    let at = u32::try_from(batch.at).unwrap_or(u32::MAX);
    let mask = stays.into_iter().collect();
    let kept = batch.rows.with_row_index("row".into(), Some(at))?.filter(&mask)?;
    Ok((kept, dropped.into_iter().filter(|(_, ids)| !ids.is_empty()).collect()))
}

/// Gives rows the values of those that they stand for.
fn take_over(rows: &DataFrame, winners: &DataFrame) -> PolarsResult<DataFrame> {
    let args = JoinArgs {
        maintain_order: MaintainOrderJoin::Left,
        suffix: Some("_merged".into()),
        ..JoinArgs::new(JoinType::Left)
    };
    let winners =
        winners.clone().with_column(Column::new("stands".into(), vec![true; winners.height()]))?.clone();
    let mut joined = rows.join(&winners, ["row"], ["row"], args, None)?;
    let stands = joined.column("stands")?.is_not_null();
    for name in MERGED {
        let merged = joined.column(&format!("{name}_merged"))?.as_materialized_series().clone();
        let own = joined.column(name)?.as_materialized_series();
        let value = merged.zip_with(&stands, own)?.with_name(name.into());
        joined.with_column(value.into_column())?;
    }
    joined.select(rows.get_column_names_owned())
}

/// Takes back the places that tombstones hide.
fn shown(mut rows: DataFrame, plan: &Plan) -> PolarsResult<DataFrame> {
    let names = Names::of(&rows)?;
    let stays: Vec<bool> =
        (0..names.len()).map(|row| !hidden_place(&plan.tombstones, &names.member(row))).collect();
    if stays.iter().all(|stays| *stays) {
        return Ok(rows);
    }
    let mask = stays.into_iter().collect();
    for name in ["place_name", "place_country", "lon", "lat"] {
        let place = rows.column(name)?.as_materialized_series();
        let none = Series::full_null(name.into(), place.len(), place.dtype());
        let value = place.zip_with(&mask, &none)?;
        rows.with_column(value.into_column())?;
    }
    Ok(rows)
}

/// The files of one split.
struct Output<'a> {
    plan: &'a Plan,
    split: &'static str,
    /// Number of files.
    of: u64,
    sink: Option<(String, Sink, u64)>,
    files: Vec<DatasetFile>,
}

impl<'a> Output<'a> {
    /// Begins the first file; there is one even without rows.
    fn new(plan: &'a Plan, split: &'static str, rows: u64) -> Outcome<Self> {
        let of = rows.div_ceil(ROWS_PER_FILE).max(1);
        let mut output = Self { plan, split, of, sink: None, files: Vec::new() };
        output.begin()?;
        Ok(output)
    }

    fn begin(&mut self) -> Outcome<()> {
        let plan = self.plan;
        let path = format!("data/{}-{:05}-of-{:05}.parquet", self.split, self.files.len(), self.of);
        let upload = plan.lake.store.create(&format!("{}/{path}", plan.folder()))?;
        let about = [("offkey:dataset", format!("{}/{}", plan.name, plan.version))];
        let sink = Sink::create(upload, &columns(plan.hashing.as_ref()), plan.compression, &about)
            .map_err(writing(&path))?;
        self.sink = Some((path, sink, 0));
        Ok(())
    }

    fn write(&mut self, rows: &DataFrame) -> Outcome<()> {
        let mut left = rows.clone();
        while left.height() > 0 {
            if self.sink.as_ref().is_none_or(|(_, _, rows)| *rows == ROWS_PER_FILE) {
                self.end()?;
                self.begin()?;
            }
            let Some((path, sink, rows)) = &mut self.sink else { return Ok(()) };
            let room = i64::try_from(ROWS_PER_FILE - *rows).unwrap_or(i64::MAX);
            let (now, later) = left.split_at(room.min(i64::try_from(left.height()).unwrap_or(i64::MAX)));
            sink.write(&now).map_err(writing(path))?;
            *rows += now.height() as u64;
            left = later;
        }
        Ok(())
    }

    fn end(&mut self) -> Outcome<()> {
        if let Some((path, sink, _)) = self.sink.take() {
            let stat = sink.finish().map_err(writing(&path))?;
            self.files.push(DatasetFile { path, split: self.split.to_owned(), stat });
        }
        Ok(())
    }

    fn finish(mut self) -> Outcome<Vec<DatasetFile>> {
        self.end()?;
        if self.files.len() as u64 != self.of {
            let message =
                format!("{} was counted to have {} files, and has {}", self.split, self.of, self.files.len());
            return Err(Failure::new(Exit::Bug, message));
        }
        Ok(self.files)
    }
}

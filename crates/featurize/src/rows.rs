//! Cells of a frame, and frames of a clean result.

use lake::{CleanPointer, Lake, Location};
use polars::prelude::{DataFrame, PolarsError, PolarsResult};
use table::{LocalCopy, ROWS_PER_GROUP, Rows};
use task::{Exit, Failure, Outcome};
use tweet::Source;

use crate::split::Member;

/// The rows of a clean result.
pub(crate) const TWEETS: &str = "tweets.parquet";

/// Texts of a column.
pub(crate) fn texts<'a>(frame: &'a DataFrame, name: &str) -> PolarsResult<Vec<Option<&'a str>>> {
    Ok(frame.column(name)?.str()?.iter().collect())
}

/// Instants of a column.
pub(crate) fn times(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<i64>>> {
    Ok(frame.column(name)?.datetime()?.physical().iter().collect())
}

/// Counts of a column that is never null.
pub(crate) fn numbers(frame: &DataFrame, name: &str) -> PolarsResult<Vec<u32>> {
    Ok(frame.column(name)?.u32()?.iter().map(Option::unwrap_or_default).collect())
}

/// Whole numbers of a column.
pub(crate) fn wholes(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<i64>>> {
    Ok(frame.column(name)?.i64()?.iter().collect())
}

/// Flags of a column that is never null.
pub(crate) fn flags(frame: &DataFrame, name: &str) -> PolarsResult<Vec<bool>> {
    Ok(frame.column(name)?.bool()?.iter().map(Option::unwrap_or_default).collect())
}

/// What names each row of a frame and ties it to others.
pub(crate) struct Names<'a> {
    source: Vec<Option<&'a str>>,
    tweet_id: Vec<Option<&'a str>>,
    author_id: Vec<Option<&'a str>>,
    conversation_id: Vec<Option<&'a str>>,
    edit_id: Vec<Option<&'a str>>,
    created_at: Vec<Option<i64>>,
    copies: Vec<u32>,
}

impl<'a> Names<'a> {
    /// The columns read here.
    pub(crate) const COLUMNS: [&'static str; 7] =
        ["source", "tweet_id", "author_id", "conversation_id", "edit_id", "created_at", "copies"];

    pub(crate) fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            source: texts(frame, "source")?,
            tweet_id: texts(frame, "tweet_id")?,
            author_id: texts(frame, "author_id")?,
            conversation_id: texts(frame, "conversation_id")?,
            edit_id: texts(frame, "edit_id")?,
            created_at: times(frame, "created_at")?,
            copies: numbers(frame, "copies")?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.source.len()
    }

    pub(crate) fn member(&self, row: usize) -> Member<'a> {
        Member {
            source: source(self.source[row]),
            tweet_id: self.tweet_id[row].unwrap_or_default(),
            author_id: self.author_id[row],
            conversation_id: self.conversation_id[row],
            created_at: self.created_at[row],
            bare: self.copies[row] == 0 && self.author_id[row].is_none(),
        }
    }

    pub(crate) fn edit_id(&self, row: usize) -> Option<&'a str> {
        self.edit_id[row]
    }
}

fn source(name: Option<&str>) -> Source {
    if name == Some(Source::Bluesky.as_str()) { Source::Bluesky } else { Source::X }
}

/// Partitions fetched at once: from a bucket, waiting is most of the work.
pub(crate) fn ahead(lake: &Lake) -> usize {
    match lake.location() {
        Location::Local(_) => 1,
        Location::S3 { .. } => 8,
    }
}

/// A copy of the rows of a clean result, verified; a local file that was is taken as it is when read `again`.
pub(crate) fn fetch(lake: &Lake, pointer: &CleanPointer, again: bool) -> lake::Result<LocalCopy> {
    let stat = pointer.files.get(TWEETS).ok_or_else(|| {
        lake::Error::Corrupt(format!("the clean result of {} has no {TWEETS}", pointer.partition))
    })?;
    let key = format!("{}/{TWEETS}", pointer.path);
    match lake.location() {
        Location::Local(root) if again => Ok(LocalCopy::verified(root.join(key))),
        _ => LocalCopy::fetch(lake, &key, stat),
    }
}

/// Its rows, a row group at a time.
pub(crate) fn rows(copy: &LocalCopy, pointer: &CleanPointer, columns: Option<&[&str]>) -> Outcome<Rows> {
    Rows::open(copy.path(), columns, ROWS_PER_GROUP).map_err(reading(&pointer.path))
}

/// A failure to read a Parquet file.
pub(crate) fn reading(key: &str) -> impl Fn(PolarsError) -> Failure {
    move |e| match e {
        PolarsError::IO { .. } => Failure::new(Exit::Storage, format!("cannot read {key}: {e}")),
        e => Failure::new(Exit::BadInput, format!("{key} is not what it should be: {e}")),
    }
}

/// A failure to write a Parquet file.
pub(crate) fn writing(key: &str) -> impl Fn(PolarsError) -> Failure {
    move |e| match e {
        PolarsError::IO { .. } => Failure::new(Exit::Storage, format!("cannot write {key}: {e}"))
            .hint("what is committed is safe, so run again"),
        e => Failure::new(Exit::Bug, format!("{key} cannot be written: {e}")),
    }
}

/// A failure of the files that hold what memory shall not.
pub(crate) fn spilling(e: std::io::Error) -> Failure {
    Failure::new(Exit::Storage, format!("cannot keep rows in a temporary file: {e}"))
        .hint("it takes 200 bytes a row, and 8 a hashed token: in the folder of a local lake, else in TMPDIR")
}

/// A failure to compute: the columns were not as the table says.
pub(crate) fn computing(e: PolarsError) -> Failure {
    Failure::new(Exit::BadInput, format!("rows of a clean result are not as the column table says: {e}"))
        .hint("run clean again: it replaces results of another schema")
}

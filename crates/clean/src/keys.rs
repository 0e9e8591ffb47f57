//! First pass: who each tweet of a partition is.

use std::collections::HashMap;
use std::ops::ControlFlow;

use lake::{Chunk, Lake, RawCommit, Tombstones, Values, open_part, part_error};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};
use task::{Exit, Failure, Outcome, Task, ordered_map};
use tweet::{Id, Parsed, Reject, Tweet};

use crate::args::Retweets;

/// X ids stay below this; interned Bluesky URIs lie above.
const URIS: u64 = 1 << 63;
/// No time, where a plain number is kept.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// Chunks of the lines of parts, one part behind the other.
pub(crate) struct Parts<'a> {
    lake: &'a Lake,
    parts: &'a [RawCommit],
    at: usize,
    open: Option<Values<Box<dyn std::io::Read + Send>>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(lake: &'a Lake, parts: &'a [RawCommit]) -> Self {
        Self { lake, parts, at: 0, open: None }
    }

    /// The next chunk, with the number of its part.
    pub(crate) fn next_chunk(&mut self) -> Outcome<Option<(usize, Chunk)>> {
        while let Some(commit) = self.parts.get(self.at) {
            let values = match &mut self.open {
                Some(values) => values,
                None => self.open.insert(Values::new(Box::new(open_part(self.lake, commit)?))),
            };
            match values.next_chunk().map_err(|e| part_error(commit, &e))? {
                Some(chunk) => return Ok(Some((self.at, chunk))),
                None => {
                    self.open = None;
                    self.at += 1;
                }
            }
        }
        Ok(None)
    }
}

/// Who a line is.
struct Key {
    id: Id<'static>,
    /// The row it belongs to: its original's id if it is folded, else its own.
    key: Id<'static>,
    /// The first version of that row's tweet.
    root: Id<'static>,
    time: Option<i64>,
    retweet: bool,
    full: bool,
    deleted: bool,
}

/// Who every line of a partition is, by its number in the order of the parts.
#[derive(Default)]
pub(crate) struct Keys {
    /// Greater wins between copies: the part's rank by `received`, then the line, then the part.
    order: Vec<u64>,
    pub(crate) id: Vec<u64>,
    key: Vec<u64>,
    root: Vec<u64>,
    pub(crate) time: Vec<i64>,
    retweet: Vec<bool>,
    full: Vec<bool>,
    deleted: Vec<bool>,
    readable: Vec<bool>,
    uris: Vec<String>,
    numbers: HashMap<String, u64>,
    /// Lines that the parser of this version refuses, as lines of `rejects.jsonl`.
    pub(crate) rejects: Vec<(&'static str, String)>,
}

impl Keys {
    /// Reads all parts.
    pub(crate) fn read(
        lake: &Lake,
        parts: &[RawCommit],
        tombstones: &Tombstones,
        retweets: Retweets,
        task: &Task,
    ) -> Outcome<Self> {
        let mut keys = Self::default();
        let ranks = ranks(parts);
        let mut chunks = Parts::new(lake, parts);
        let next = || {
            task.stop.check()?;
            chunks.next_chunk()
        };
        let work = |(part, chunk): (usize, Chunk)| {
            let read =
                |v: &lake::Value| (v.line, Key::read(&chunk.bytes[v.start..v.end], tombstones, retweets));
            Ok((part, chunk.values.iter().map(read).collect::<Vec<_>>()))
        };
        ordered_map(task.threads, next, work, |(part, lines)| {
            for (line, key) in lines {
                keys.push(order(ranks[part], line, part)?, key, &parts[part].part, line);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }

    fn push(&mut self, order: u64, key: Result<Key, Reject>, part: &str, line: u64) {
        self.order.push(order);
        self.readable.push(key.is_ok());
        let key = key.unwrap_or_else(|why| {
            let code = why.code.as_str();
            let told = serde_json::json!({ "part": part, "line": line, "code": code, "at": why.offset, "why": why.detail });
            self.rejects.push((code, told.to_string()));
            Key { id: Id::X(0), key: Id::X(0), root: Id::X(0), time: None, retweet: false, full: false, deleted: false }
        });
        let (id, row, root) = (self.number(key.id), self.number(key.key), self.number(key.root));
        self.id.push(id);
        self.key.push(row);
        self.root.push(root);
        self.time.push(key.time.unwrap_or(NO_TIME));
        self.retweet.push(key.retweet);
        self.full.push(key.full);
        self.deleted.push(key.deleted);
    }

    fn number(&mut self, id: Id<'static>) -> u64 {
        match id {
            Id::X(number) => number,
            Id::Uri(uri) => *self.numbers.entry(uri.into_owned()).or_insert_with_key(|uri| {
                self.uris.push(uri.clone());
                URIS | (self.uris.len() as u64 - 1)
            }),
        }
    }

    /// An id as it is written outside memory.
    pub(crate) fn name(&self, id: u64) -> String {
        let uri = id.checked_sub(URIS).and_then(|n| usize::try_from(n).ok()).and_then(|n| self.uris.get(n));
        uri.cloned().unwrap_or_else(|| id.to_string())
    }

    /// Lines, readable or not.
    pub(crate) fn lines(&self) -> usize {
        self.order.len()
    }

    /// The readable lines as a frame; `line` is the number of each.
    pub(crate) fn frame(&self) -> PolarsResult<DataFrame> {
        let line: Vec<u32> = (0..self.lines()).map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
        let column = |name: &str, values: &[u64]| Column::from(Series::new(name.into(), values));
        let flags = |name: &str, values: &[bool]| Column::from(Series::new(name.into(), values));
        let time: Vec<Option<i64>> = self.time.iter().map(|t| (*t != NO_TIME).then_some(*t)).collect();
        let all = DataFrame::new(
            self.lines(),
            vec![
                Column::from(Series::new("line".into(), line)),
                column("order", &self.order),
                column("id", &self.id),
                column("key", &self.key),
                column("root", &self.root),
                Column::from(Series::new("time".into(), time)),
                flags("retweet", &self.retweet),
                flags("full", &self.full),
                flags("deleted", &self.deleted),
            ],
        )?;
        let readable = Series::new("readable".into(), &self.readable);
        all.filter(readable.bool()?)
    }
}

impl Key {
    fn read(line: &[u8], tombstones: &Tombstones, retweets: Retweets) -> Result<Self, Reject> {
        let Parsed::Tweet(tweet) = tweet::parse_bytes(line)? else {
            return Err(Reject {
                code: tweet::Code::NotATweet,
                offset: 0,
                detail: "a raw line is one tweet".into(),
            });
        };
        let original = tweet.retweeted.as_ref().filter(|_| retweets == Retweets::Fold);
        let carried = original.and_then(|o| o.tweet.as_deref());
        let shown = carried.unwrap_or(&tweet);
        let key = original.map_or(&tweet.id, |o| &o.id);
        let root = shown.edits.first().filter(|_| original.is_none() || carried.is_some()).unwrap_or(key);
        Ok(Self {
            id: tweet.id.clone().into_owned(),
            key: key.clone().into_owned(),
            root: root.clone().into_owned(),
            time: tweet.time(),
            retweet: tweet.retweeted.is_some(),
            full: !shown.truncated,
            deleted: hidden(&tweet, tombstones),
        })
    }
}

/// Whether a tweet, an earlier version of it, its author, or the same of the original it carries, may not be shown.
fn hidden(tweet: &Tweet<'_>, tombstones: &Tombstones) -> bool {
    if tweet.withheld_everywhere {
        return true;
    }
    let original = tweet.retweeted.as_ref();
    if !tombstones.is_empty() {
        let hides =
            |id: &Id<'_>, author: Option<&str>| tombstones.hides(tweet.source, &id.to_string(), author);
        let own =
            hides(&tweet.id, tweet.author.id.as_deref()) || tweet.edits.iter().any(|id| hides(id, None));
        if own || original.is_some_and(|o| hides(&o.id, None)) {
            return true;
        }
    }
    original.and_then(|o| o.tweet.as_deref()).is_some_and(|o| hidden(o, tombstones))
}

/// Rank of each part by when it was received; parts received at the same time share one.
fn ranks(parts: &[RawCommit]) -> Vec<u64> {
    let mut times: Vec<Option<i64>> = parts.iter().map(|p| p.received).collect();
    times.sort_unstable();
    times.dedup();
    parts.iter().map(|p| times.partition_point(|t| *t < p.received) as u64).collect()
}

/// (rank, line, part) as one number that sorts alike: 18, 28 and 18 bits.
fn order(rank: u64, line: u64, part: usize) -> Outcome<u64> {
    let part = part as u64;
    if rank >> 18 != 0 || line >> 28 != 0 || part >> 18 != 0 {
        return Err(Failure::new(
            Exit::Bug,
            "a partition has more than 262,143 parts, or a part more than 268 million lines",
        ));
    }
    Ok(rank << 46 | line << 18 | part)
}

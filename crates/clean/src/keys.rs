//! First pass: who each tweet of a partition is.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use lake::{Chunk, Lake, RawCommit, Tombstones, Values, open_part, part_error};
use polars::prelude::{
    BooleanChunked, DataFrame, Int64Chunked, IntoColumn, NewChunkedArray, PolarsResult, UInt8Chunked,
    UInt32Chunked, UInt64Chunked,
};
use task::{Exit, Failure, Outcome, Task, ordered_map};
use tweet::{Id, Parsed, Reject, Retweeted, Tweet};

use crate::args::Retweets;

/// X ids stay below this; interned Bluesky URIs lie above.
const URIS: u64 = 1 << 63;
/// No time, where a plain number is kept.
const NO_TIME: i64 = i64::MIN;

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
    /// The tweet it shows: its original, if it is a retweet, else itself.
    key: Id<'static>,
    /// The first version of that tweet.
    root: Id<'static>,
    time: Option<i64>,
    retweet: bool,
    worth: u8,
    hidden: Hidden,
}

/// Whether a line may not be shown, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    No,
    /// The tweet itself, or the retweet as such.
    Itself,
    /// The original of the retweet.
    Original,
}

/// Who every readable line of a partition is, in the order of the parts: 44 bytes a tweet.
#[derive(Default)]
struct Keys {
    /// Number of the line among all lines.
    line: Vec<u32>,
    /// Greater wins between copies: the part's rank by `received`, then the line, then the part.
    order: Vec<u64>,
    id: Vec<u64>,
    key: Vec<u64>,
    root: Vec<u64>,
    time: Vec<i64>,
    retweet: Vec<bool>,
    /// How much a line is worth among those that show the same tweet: see [`worth`].
    worth: Vec<u8>,
    hidden: Vec<Hidden>,
    lines: u32,
    uris: Vec<String>,
    numbers: HashMap<String, u64>,
    rejects: Vec<(&'static str, String)>,
}

/// The keys of a partition's lines, read and ready for Polars.
pub(crate) struct Lines {
    /// A row a readable line: `line, order, id, key, root, time, retweet, worth, deleted`.
    pub(crate) frame: DataFrame,
    /// Lines, readable or not.
    pub(crate) count: usize,
    /// Lines that the parser of this version refuses: codes, and lines of `rejects.jsonl`.
    pub(crate) rejects: Vec<(&'static str, String)>,
    line: UInt32Chunked,
    id: UInt64Chunked,
    time: Int64Chunked,
    uris: Vec<String>,
}

impl Lines {
    /// Reads all parts.
    pub(crate) fn read(
        lake: &Lake,
        parts: &[RawCommit],
        tombstones: &Tombstones,
        retweets: Retweets,
        task: &Task,
    ) -> Outcome<Self> {
        let mut keys = Keys::default();
        let ranks = ranks(parts);
        let mut chunks = Parts::new(lake, parts);
        let next = || {
            task.stop.check()?;
            chunks.next_chunk()
        };
        let work = |(part, chunk): (usize, Chunk)| {
            let read = |v: &lake::Value| (v.line, Key::read(&chunk.bytes[v.start..v.end], tombstones));
            Ok((part, chunk.values.iter().map(read).collect::<Vec<_>>()))
        };
        ordered_map(task.threads, next, work, |(part, lines)| {
            for (line, key) in lines {
                match key {
                    Ok(key) => keys.push(order(ranks[part], line, part)?, key),
                    Err(why) => keys.reject(&why, &parts[part].part, line),
                }
                keys.lines += 1;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        keys.spread();
        keys.into_lines(retweets)
            .map_err(|e| Failure::new(Exit::Storage, format!("a table could not be made: {e}")))
    }
}

impl Keys {
    fn push(&mut self, order: u64, key: Key) {
        let (id, row, root) = (self.number(key.id), self.number(key.key), self.number(key.root));
        self.line.push(self.lines);
        self.order.push(order);
        self.id.push(id);
        self.key.push(row);
        self.root.push(root);
        self.time.push(key.time.unwrap_or(NO_TIME));
        self.retweet.push(key.retweet);
        self.worth.push(key.worth);
        self.hidden.push(key.hidden);
    }

    fn reject(&mut self, why: &Reject, part: &str, line: u64) {
        let code = why.code.as_str();
        let told = serde_json::json!({ "part": part, "line": line, "code": code, "at": why.offset, "why": why.detail });
        self.rejects.push((code, told.to_string()));
    }

    fn number(&mut self, id: Id<'static>) -> u64 {
        match id {
            Id::X(number) if number < URIS => number,
            Id::X(number) => self.interned(number.to_string()),
            Id::Uri(uri) => self.interned(uri.into_owned()),
        }
    }

    fn interned(&mut self, id: String) -> u64 {
        *self.numbers.entry(id).or_insert_with_key(|id| {
            self.uris.push(id.clone());
            URIS | (self.uris.len() as u64 - 1)
        })
    }

    /// What one line hides is hidden in all: in copies that do not name their author, in other versions, in retweets.
    fn spread(&mut self) {
        if self.hidden.iter().all(|hidden| *hidden == Hidden::No) {
            return;
        }
        let mut gone: HashSet<u64> = HashSet::new();
        let mut known = usize::MAX;
        while gone.len() != known {
            known = gone.len();
            for (n, hidden) in self.hidden.iter_mut().enumerate() {
                let (id, key, root, retweet) = (self.id[n], self.key[n], self.root[n], self.retweet[n]);
                let shown_is_gone = gone.contains(&key) || gone.contains(&root);
                *hidden = match *hidden {
                    _ if retweet && shown_is_gone => Hidden::Original,
                    Hidden::No if shown_is_gone || gone.contains(&id) => Hidden::Itself,
                    known => known,
                };
                match *hidden {
                    Hidden::No => {}
                    Hidden::Itself if retweet => drop(gone.insert(id)),
                    Hidden::Itself | Hidden::Original => gone.extend([id, key, root]),
                }
            }
        }
    }

    /// Hands the columns to Polars without copying them.
    fn into_lines(mut self, retweets: Retweets) -> PolarsResult<Lines> {
        if retweets != Retweets::Fold {
            // Every retweet is a row of its own.
            for n in 0..self.id.len() {
                self.key[n] = self.id[n];
                if self.retweet[n] {
                    self.root[n] = self.id[n];
                }
            }
        }
        let deleted: Vec<bool> = self.hidden.iter().map(|hidden| *hidden != Hidden::No).collect();
        let line = UInt32Chunked::from_vec("line".into(), self.line);
        let id = UInt64Chunked::from_vec("id".into(), self.id);
        let time: Int64Chunked = match self.time.contains(&NO_TIME) {
            true => self.time.iter().map(|t| Some(*t).filter(|t| *t != NO_TIME)).collect(),
            false => Int64Chunked::from_vec("time".into(), self.time),
        };
        let time = time.with_name("time".into());
        let whole = |name: &str, values: Vec<u64>| UInt64Chunked::from_vec(name.into(), values).into_column();
        let flag =
            |name: &str, values: &[bool]| BooleanChunked::from_slice(name.into(), values).into_column();
        let columns = vec![
            line.clone().into_column(),
            whole("order", self.order),
            id.clone().into_column(),
            whole("key", self.key),
            whole("root", self.root),
            time.clone().into_column(),
            flag("retweet", &self.retweet),
            UInt8Chunked::from_vec("worth".into(), self.worth).into_column(),
            flag("deleted", &deleted),
        ];
        let frame = DataFrame::new(line.len(), columns)?;
        Ok(Lines {
            frame,
            count: self.lines as usize,
            rejects: self.rejects,
            line,
            id,
            time,
            uris: self.uris,
        })
    }
}

impl Lines {
    /// The id and the own time of a readable line.
    pub(crate) fn who(&self, line: usize) -> (String, Option<i64>) {
        let at = match self.line.len() == self.count {
            true => line,
            false => {
                self.line.cont_slice().map_or(line, |lines| lines.partition_point(|l| (*l as usize) < line))
            }
        };
        (self.name(self.id.get(at).unwrap_or(0)), self.time.get(at))
    }

    /// An id as it is written outside memory.
    fn name(&self, id: u64) -> String {
        let uri = id.checked_sub(URIS).and_then(|n| usize::try_from(n).ok()).and_then(|n| self.uris.get(n));
        uri.cloned().unwrap_or_else(|| id.to_string())
    }
}

impl Key {
    fn read(line: &[u8], tombstones: &Tombstones) -> Result<Self, Reject> {
        let Parsed::Tweet(tweet) = tweet::parse_bytes(line)? else {
            return Err(Reject {
                code: tweet::Code::NotATweet,
                offset: 0,
                detail: "a raw line is one tweet".into(),
            });
        };
        let original = tweet.retweeted.as_ref();
        let carried = original.and_then(|o| o.tweet.as_deref());
        let shown = carried.unwrap_or(&tweet);
        let key = original.map_or(&tweet.id, |o| &o.id);
        let root = shown.edits.first().filter(|_| original.is_none() || carried.is_some()).unwrap_or(key);
        Ok(Self {
            id: tweet.id.clone().into_owned(),
            key: key.clone().into_owned(),
            root: root.clone().into_owned(),
            time: tweet.time(),
            retweet: original.is_some(),
            worth: worth(&tweet),
            hidden: hidden(&tweet, tombstones),
        })
    }
}

/// How much a line is worth among those that show the same tweet: one that carries it is worth more than
/// one that names it, a full text more than a cut one, the tweet itself more than a retweet.
fn worth(tweet: &Tweet<'_>) -> u8 {
    match &tweet.retweeted {
        None => 3 + 2 * u8::from(!tweet.truncated),
        Some(Retweeted { tweet: Some(carried), .. }) => 2 + 2 * u8::from(!carried.truncated),
        Some(_) => u8::from(!tweet.truncated),
    }
}

/// Whether a tweet, a version of it, its author, or the same of its original, may not be shown.
fn hidden(tweet: &Tweet<'_>, tombstones: &Tombstones) -> Hidden {
    let named = |id: &Id<'_>| !tombstones.is_empty() && tombstones.hides(tweet.source, &id.to_string(), None);
    let hides = |tweet: &Tweet<'_>| {
        let author = tweet.author.id.as_deref();
        let by_author =
            || !tombstones.is_empty() && author.is_some_and(|_| tombstones.hides(tweet.source, "", author));
        tweet.withheld_everywhere || named(&tweet.id) || tweet.edits.iter().any(named) || by_author()
    };
    match &tweet.retweeted {
        Some(original) if named(&original.id) || original.tweet.as_deref().is_some_and(hides) => {
            Hidden::Original
        }
        _ if hides(tweet) => Hidden::Itself,
        _ => Hidden::No,
    }
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

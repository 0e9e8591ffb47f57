//! First pass: who each tweet of a partition is.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use lake::{
    Chunk, Known, Lake, RawCommit, Tombstones, Values, in_parallel, open_part, part_error, read_identities,
};
use polars::prelude::{
    DataFrame, IntoColumn, NewChunkedArray, PlSmallStr, UInt8Chunked, UInt32Chunked, UInt64Chunked,
};
use task::{Exit, Failure, Outcome, Task, ordered_map};
use tweet::{Hidden, Id, Identity, Parsed, Reject, Tweet};

use crate::args::Retweets;

/// X ids stay below this; interned Bluesky URIs lie above.
const URIS: u64 = 1 << 63;
/// Bytes of a chunk: what was decompressed is still near when it is read.
const CHUNK: usize = 1 << 20;
/// Tables of parts read at once.
const TABLES: usize = 8;

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
                None => {
                    let part: Box<dyn std::io::Read + Send> = Box::new(open_part(self.lake, commit)?);
                    self.open.insert(Values::new(part).in_chunks(CHUNK))
                }
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

/// What is known of a line beside its ids.
#[derive(Clone, Copy, Debug)]
struct Mark {
    readable: bool,
    retweet: bool,
    worth: u8,
    hidden: Hidden,
}

/// Who every line of a partition is, in the order of the parts: 28 bytes a line while fates are decided; 12 bytes a line from then on.
#[derive(Default)]
pub(crate) struct Lines {
    /// The tweet itself.
    id: Vec<u64>,
    /// The tweet it shows: its original, if it is a folded retweet, else itself.
    key: Vec<u64>,
    /// The first version of that tweet.
    root: Vec<u64>,
    marks: Vec<Mark>,
    /// Times that are not those inside the ids.
    times: HashMap<usize, Option<i64>>,
    /// Number of the first line of each part.
    starts: Vec<usize>,
    ranks: Vec<u64>,
    uris: Vec<String>,
    numbers: HashMap<String, u64>,
    /// Lines that the parser of this version refuses: codes, and lines of `rejects.jsonl`.
    pub(crate) rejects: Vec<(&'static str, String)>,
}

/// Who a line of a part is.
enum Who {
    X(Known),
    Other { id: String, key: String, root: String, time: Option<i64>, mark: Mark },
}

impl Lines {
    /// Reads all parts: what they say of their lines where that is enough, else the lines.
    pub(crate) fn read(
        lake: &Lake,
        parts: &[RawCommit],
        tombstones: &Tombstones,
        retweets: Retweets,
        task: &Task,
    ) -> Outcome<Self> {
        let mut lines = Self { ranks: ranks(parts), ..Self::default() };
        for parts in parts.chunks(TABLES) {
            task.stop.check()?;
            // Whom a tombstone hides, only the line can tell.
            let tables = match tombstones.is_empty() {
                true => in_parallel(parts, TABLES, |part| read_identities(lake, part))?,
                false => vec![None; parts.len()],
            };
            let mut read = 0;
            for (n, table) in tables.into_iter().enumerate() {
                let Some(table) = table else { continue };
                lines.read_text(lake, &parts[read..n], tombstones, task)?;
                lines.starts.push(lines.count());
                table.into_iter().for_each(|known| lines.push(Who::X(known)));
                read = n + 1;
            }
            lines.read_text(lake, &parts[read..], tombstones, task)?;
        }
        lines.spread();
        if retweets != Retweets::Fold {
            // Every retweet is a row of its own.
            for n in 0..lines.count() {
                lines.key[n] = lines.id[n];
                if lines.marks[n].retweet {
                    lines.root[n] = lines.id[n];
                }
            }
        }
        Ok(lines)
    }

    fn read_text(
        &mut self,
        lake: &Lake,
        parts: &[RawCommit],
        tombstones: &Tombstones,
        task: &Task,
    ) -> Outcome<()> {
        if parts.is_empty() {
            return Ok(());
        }
        let before = self.starts.len();
        let mut chunks = Parts::new(lake, parts);
        let next = || {
            task.stop.check()?;
            chunks.next_chunk()
        };
        let work = |(part, chunk): (usize, Chunk)| {
            let read = |v: &lake::Value| (v.line, Who::read(&chunk.bytes[v.start..v.end], tombstones));
            Ok((part, chunk.values.iter().map(read).collect::<Vec<_>>()))
        };
        ordered_map(task.threads, next, work, |(part, whos)| {
            while self.starts.len() <= before + part {
                self.starts.push(self.count());
            }
            for (line, who) in whos {
                match who {
                    Ok(who) => self.push(who),
                    Err(why) => self.reject(&why, &parts[part].part, line),
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        while self.starts.len() < before + parts.len() {
            self.starts.push(self.count());
        }
        Ok(())
    }

    fn push(&mut self, who: Who) {
        let (id, key, root, time, mark) = match who {
            Who::X(Known { id, shown, first, time, retweet, worth, hidden }) => {
                let mark = Mark { readable: true, retweet, worth, hidden };
                (self.number(id), self.number(shown), self.number(first), time, mark)
            }
            Who::Other { id, key, root, time, mark } => {
                (self.interned(id), self.interned(key), self.interned(root), time, mark)
            }
        };
        if time != self.time_inside(id) {
            self.times.insert(self.count(), time);
        }
        self.id.push(id);
        self.key.push(key);
        self.root.push(root);
        self.marks.push(mark);
    }

    fn reject(&mut self, why: &Reject, part: &str, line: u64) {
        let code = why.code.as_str();
        let told = serde_json::json!({ "part": part, "line": line, "code": code, "at": why.offset, "why": why.detail });
        self.rejects.push((code, told.to_string()));
        for ids in [&mut self.id, &mut self.key, &mut self.root] {
            ids.push(0);
        }
        self.marks.push(Mark { readable: false, retweet: false, worth: 0, hidden: Hidden::No });
    }

    fn number(&mut self, id: u64) -> u64 {
        if id < URIS { id } else { self.interned(id.to_string()) }
    }

    fn interned(&mut self, id: String) -> u64 {
        *self.numbers.entry(id).or_insert_with_key(|id| {
            self.uris.push(id.clone());
            URIS | (self.uris.len() as u64 - 1)
        })
    }

    /// What one line hides is hidden in all: in copies that do not name their author, in other versions, in retweets.
    fn spread(&mut self) {
        if self.marks.iter().all(|mark| mark.hidden == Hidden::No) {
            return;
        }
        let mut gone: HashSet<u64> = HashSet::new();
        let mut known = usize::MAX;
        while gone.len() != known {
            known = gone.len();
            for (n, mark) in self.marks.iter_mut().enumerate().filter(|(_, mark)| mark.readable) {
                let (id, key, root, retweet) = (self.id[n], self.key[n], self.root[n], mark.retweet);
                let shown_is_gone = gone.contains(&key) || gone.contains(&root);
                mark.hidden = match mark.hidden {
                    _ if retweet && shown_is_gone => Hidden::Original,
                    Hidden::No if shown_is_gone || gone.contains(&id) => Hidden::Itself,
                    known => known,
                };
                match mark.hidden {
                    Hidden::No => {}
                    Hidden::Itself if retweet => drop(gone.insert(id)),
                    Hidden::Itself | Hidden::Original => gone.extend([id, key, root]),
                }
            }
        }
    }

    /// Lines, readable or not.
    pub(crate) fn count(&self) -> usize {
        self.marks.len()
    }

    /// Whether a line is a tweet.
    pub(crate) fn readable(&self, line: usize) -> bool {
        self.marks[line].readable
    }

    /// Whether a tombstone or the source hides a line.
    pub(crate) fn hidden(&self, line: usize) -> bool {
        self.marks[line].hidden != Hidden::No
    }

    /// Whether a line is a retweet.
    pub(crate) fn retweet(&self, line: usize) -> bool {
        self.marks[line].retweet
    }

    /// The id and the own time of a readable line.
    pub(crate) fn who(&self, line: usize) -> (String, Option<i64>) {
        let id = self.id[line];
        (self.uri(id).cloned().unwrap_or_else(|| id.to_string()), self.time(line))
    }

    /// Whether a line is the tweet with this id.
    pub(crate) fn is(&self, line: usize, id: &Id<'_>) -> bool {
        match (self.uri(self.id[line]), id) {
            (None, Id::X(id)) => self.id[line] == *id,
            (Some(known), id) => *known == id.to_string(),
            (None, Id::Uri(_)) => false,
        }
    }

    /// An id that is kept as text.
    fn uri(&self, id: u64) -> Option<&String> {
        self.uris.get(usize::try_from(id.checked_sub(URIS)?).ok()?)
    }

    /// The own time of a line.
    pub(crate) fn time(&self, line: usize) -> Option<i64> {
        self.times.get(&line).copied().unwrap_or_else(|| self.time_inside(self.id[line]))
    }

    fn time_inside(&self, id: u64) -> Option<i64> {
        match self.uri(id) {
            Some(uri) => Id::Uri(uri.as_str().into()).time(),
            None => Id::X(id).time(),
        }
    }

    /// The lines that name a tweet which another line names. The other lines have no influence on each other.
    pub(crate) fn meeting(&self) -> Vec<u32> {
        let shared = self.shared();
        let meets = |n: &usize| {
            self.marks[*n].readable
                && [&self.id, &self.key, &self.root].iter().any(|ids| shared.contains(&ids[*n]))
        };
        (0..self.count()).filter(meets).map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect()
    }

    /// Some lines, a row each: these columns of `order, worth, id, key, root`, and `line`.
    pub(crate) fn table(&self, lines: &[u32], columns: &[&'static str]) -> Outcome<DataFrame> {
        let each = || lines.iter().map(|line| *line as usize);
        let column = |name: &&'static str| {
            let numbers = match *name {
                "worth" => {
                    let worth = each().map(|n| self.marks[n].worth).collect();
                    return Ok(UInt8Chunked::from_vec("worth".into(), worth).into_column());
                }
                "order" => each().map(|n| self.order(n)).collect::<Outcome<Vec<u64>>>()?,
                "id" => each().map(|n| self.id[n]).collect(),
                "key" => each().map(|n| self.key[n]).collect(),
                _ => each().map(|n| self.root[n]).collect(),
            };
            Ok(UInt64Chunked::from_vec(PlSmallStr::from_static(name), numbers).into_column())
        };
        let mut columns = columns.iter().map(column).collect::<Outcome<Vec<_>>>()?;
        columns.push(UInt32Chunked::from_slice("line".into(), lines).into_column());
        DataFrame::new(lines.len(), columns)
            .map_err(|e| Failure::new(Exit::Storage, format!("a table could not be made: {e}")))
    }

    /// The tweet that a line shows.
    pub(crate) fn key(&self, line: u32) -> u64 {
        self.key[line as usize]
    }

    /// Whether that is the line's own tweet.
    pub(crate) fn shows_itself(&self, line: u32) -> bool {
        self.id[line as usize] == self.key[line as usize]
    }

    /// Forgets what only fates are decided by.
    pub(crate) fn decided(&mut self) {
        (self.key, self.root) = (Vec::new(), Vec::new());
    }

    /// The tweets that more than one line names.
    fn shared(&self) -> HashSet<u64> {
        let mut named = Vec::with_capacity(self.count());
        for (n, _) in self.marks.iter().enumerate().filter(|(_, mark)| mark.readable) {
            let (id, key, root) = (self.id[n], self.key[n], self.root[n]);
            named.push(id);
            named.extend((key != id).then_some(key));
            named.extend((root != id && root != key).then_some(root));
        }
        named.sort_unstable();
        named.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
    }

    /// Greater wins between copies: the part's rank by `received`, then the line, then the part.
    fn order(&self, line: usize) -> Outcome<u64> {
        let part = self.starts.partition_point(|start| *start <= line) - 1;
        order(self.ranks[part], (line - self.starts[part]) as u64, part)
    }
}

impl Who {
    fn read(line: &[u8], tombstones: &Tombstones) -> Result<Self, Reject> {
        let Parsed::Tweet(tweet) = tweet::parse_bytes(line)? else {
            return Err(Reject {
                code: tweet::Code::NotATweet,
                offset: 0,
                detail: "a raw line is one tweet".into(),
            });
        };
        let identity = Identity { hidden: hidden(&tweet, tombstones), ..tweet.identity() };
        let Identity { id, shown, first, time, retweet, worth, hidden } = identity;
        Ok(match Known::of(&identity) {
            Some(known) => Self::X(known),
            None => Self::Other {
                id: id.to_string(),
                key: shown.to_string(),
                root: first.to_string(),
                time,
                mark: Mark { readable: true, retweet, worth, hidden },
            },
        })
    }
}

/// Whether a tweet, a version of it, its author, or the same of its original, may not be shown.
fn hidden(tweet: &Tweet<'_>, tombstones: &Tombstones) -> Hidden {
    let withheld = tweet.identity().hidden;
    if tombstones.is_empty() {
        return withheld;
    }
    let named = |id: &Id<'_>| tombstones.hides(tweet.source, &id.to_string(), None);
    let hides = |tweet: &Tweet<'_>| {
        let author = tweet.author.id.as_deref();
        let by_author = || author.is_some_and(|_| tombstones.hides(tweet.source, "", author));
        named(&tweet.id) || tweet.edits.iter().any(named) || by_author()
    };
    match &tweet.retweeted {
        Some(original) if named(&original.id) || original.tweet.as_deref().is_some_and(hides) => {
            Hidden::Original
        }
        _ if withheld == Hidden::No && hides(tweet) => Hidden::Itself,
        _ => withheld,
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

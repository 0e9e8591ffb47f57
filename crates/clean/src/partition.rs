//! One partition, from its parts to its pointer.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Mutex;

use lake::{Chunk, CleanPointer, Counts, FileStat, IdRange, Lake, Ledger, PartStat, TimeRange};
use table::{Batch, BatchSink, CLEAN, dropped};
use task::{Exit, Failure, Outcome, Task, ordered_map};
use tweet::Parsed;

use crate::analyse::{Place, Shown, unread_row};
use crate::args::Retweets;
use crate::fates::{Fate, Fates, Gathered, decide};
use crate::keys::{Lines, Parts};
use crate::plan::Asked;
use crate::rules::Rules;

/// Ids kept as a sample per reason.
const SAMPLES: usize = 5;
/// Music terms told in the pointer.
const TERMS: usize = 50;

/// Makes the clean result of a partition, and its pointer; nothing points to it yet.
pub(crate) fn make(lake: &Lake, asked: &Asked, rules: &Rules, task: &Task) -> Outcome<CleanPointer> {
    let mut keys = Lines::read(lake, &asked.parts, &asked.tombstones, rules.retweets, task)?;
    let fates = decide(&keys, rules.retweets)?;
    keys.decided();
    let path = format!("clean/{}/{}", asked.partition.path(), asked.fingerprint);
    let mut made = Made::start(lake, asked, &path)?;
    made.read(lake, asked, rules, task, &keys, &fates)?;
    let tally = std::mem::take(&mut made.tally);
    let mut files = BTreeMap::new();
    files.insert("tweets.parquet".to_owned(), made.kept.finish().map_err(|e| engine(&e))?);
    files.insert("dropped.parquet".to_owned(), made.dropped.finish().map_err(|e| engine(&e))?);
    files.insert("rejects.jsonl".to_owned(), rejects(lake, &path, &keys)?);
    let ledger = tally.ledger(asked, &keys, &fates, &files)?;
    Ok(CleanPointer {
        partition: asked.partition.clone(),
        fingerprint: asked.fingerprint.clone(),
        path,
        files,
        inputs: asked
            .parts
            .iter()
            .map(|p| PartStat { part: p.part.clone(), sha256: p.sha256.clone(), tweets: p.tweets })
            .collect(),
        tombstones: asked.tombstones.hash(),
        arguments: rules.shown(),
        versions: rules.versions(),
        ledger,
        languages: tally.languages,
        music_terms: most(tally.terms),
        times: tally.times,
        ids: tally.ids,
        samples: tally.samples,
    })
}

pub(crate) fn engine(error: &polars::prelude::PolarsError) -> Failure {
    Failure::new(Exit::Storage, format!("a table could not be made: {error}"))
}

fn rejects(lake: &Lake, path: &str, keys: &Lines) -> Outcome<FileStat> {
    let mut upload = lake.store.create(&format!("{path}/rejects.jsonl"))?;
    for (_, line) in &keys.rejects {
        writeln!(upload, "{line}")
            .map_err(|e| Failure::new(Exit::Storage, format!("cannot write {path}/rejects.jsonl: {e}")))?;
    }
    Ok(upload.finish(keys.rejects.len() as u64)?)
}

/// The most frequent, so that a pointer stays small.
fn most(counts: Counts) -> Counts {
    let mut all: Vec<(String, u64)> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.into_iter().take(TERMS).collect()
}

/// The files of a result on their way.
struct Made {
    kept: BatchSink,
    dropped: BatchSink,
    tally: Tally,
}

/// What is counted while rows are written.
#[derive(Default)]
struct Tally {
    kept: u64,
    dropped: Counts,
    languages: Counts,
    terms: Counts,
    times: TimeRange,
    ids: IdRange,
    samples: BTreeMap<String, Vec<String>>,
}

/// The rows of one chunk. They are used again for another one: their room is made once.
struct Rows {
    kept: Batch,
    dropped: Batch,
    tally: Tally,
}

impl Rows {
    fn new() -> Self {
        Self { kept: Batch::new(CLEAN), dropped: Batch::new(&dropped()), tally: Tally::default() }
    }

    fn drop(&mut self, reason: &str, id: Option<&str>) {
        self.dropped.text("drop_reason", Some(reason));
        self.tally.drop(reason, id);
    }
}

impl Made {
    fn start(lake: &Lake, asked: &Asked, path: &str) -> Outcome<Self> {
        let about = [
            ("offkey:partition", asked.partition.to_string()),
            ("offkey:fingerprint", asked.fingerprint.clone()),
        ];
        let sink = |name: &str, columns: &[table::Column]| -> Outcome<BatchSink> {
            let upload = lake.store.create(&format!("{path}/{name}"))?;
            BatchSink::create(upload, columns, &about).map_err(|e| engine(&e))
        };
        Ok(Self {
            kept: sink("tweets.parquet", CLEAN)?,
            dropped: sink("dropped.parquet", &dropped())?,
            tally: Tally::default(),
        })
    }

    fn read(
        &mut self,
        lake: &Lake,
        asked: &Asked,
        rules: &Rules,
        task: &Task,
        keys: &Lines,
        fates: &Fates,
    ) -> Outcome<()> {
        let mut chunks = Parts::new(lake, &asked.parts);
        let mut line = 0;
        let next = || {
            task.stop.check()?;
            Ok(chunks.next_chunk()?.map(|(part, chunk)| {
                let first = line;
                line += chunk.values.len();
                (part, first, chunk)
            }))
        };
        let spare = Mutex::new(Vec::new());
        let work = |(part, first, chunk): (usize, usize, Chunk)| {
            let mut rows = spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_else(Rows::new);
            read_chunk(asked, rules, keys, fates, part, first, &chunk, &mut rows)?;
            Ok(rows)
        };
        ordered_map(task.threads, next, work, |mut rows| {
            self.kept.write(&rows.kept).map_err(|e| engine(&e))?;
            self.dropped.write(&rows.dropped).map_err(|e| engine(&e))?;
            self.tally.add(std::mem::take(&mut rows.tally));
            rows.kept.clear();
            rows.dropped.clear();
            if let Ok(mut spare) = spare.lock() {
                spare.push(rows);
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Adds the rows of a chunk whose first line has the number `first`.
#[expect(clippy::too_many_arguments, reason = "what a partition is made by, and one chunk of it")]
fn read_chunk(
    asked: &Asked,
    rules: &Rules,
    keys: &Lines,
    fates: &Fates,
    part: usize,
    first: usize,
    chunk: &Chunk,
    rows: &mut Rows,
) -> Outcome<()> {
    let commit = &asked.parts[part];
    for (n, value) in (first..).zip(&chunk.values) {
        let place = Place {
            part: &commit.part,
            line: u32::try_from(value.line).unwrap_or(u32::MAX),
            received: commit.received,
            tombstones: &asked.tombstones,
            names: &rules.names,
        };
        let differs = || {
            let told =
                format!("{} line {} is not what was read or said of it first", commit.part, value.line);
            Failure::new(Exit::Bug, told)
        };
        match *fates.by_line.get(n).ok_or_else(differs)? {
            Fate::Rejected => {}
            Fate::Deleted => rows.tally.drop(Fate::Deleted.as_str(), None),
            Fate::HiddenDuplicate => {
                unread_row(&commit.source, "", None, &place, &mut rows.dropped);
                rows.drop(Fate::HiddenDuplicate.as_str(), None);
            }
            fate @ (Fate::Duplicate | Fate::Retweet | Fate::Edited) => {
                let (id, time) = keys.who(n);
                let id = rules.names.tweet_id(&id);
                unread_row(&commit.source, &id, time, &place, &mut rows.dropped);
                rows.drop(fate.as_str(), Some(&id));
            }
            Fate::Kept => {
                let tweet = match tweet::parse_again(&chunk.bytes[value.start..value.end]) {
                    Ok(Parsed::Tweet(tweet)) if keys.is(n, &tweet.id) => tweet,
                    _ => return Err(differs()),
                };
                let shown = Shown::of(&tweet, rules.retweets);
                let said = shown.said(rules);
                let id = shown.id().to_string();
                let id = rules.names.tweet_id(&id);
                let line = u32::try_from(n).unwrap_or(u32::MAX);
                let folded = u32::from(keys.retweet(n) && rules.retweets == Retweets::Fold);
                let alone = Gathered {
                    copies: 1 - folded,
                    retweets: folded,
                    first: tweet.time(),
                    last: tweet.time(),
                };
                let gathered = fates.gathered(line).unwrap_or(alone);
                let unasked = !rules.languages.is_empty() && !rules.languages.contains(&said.language.code);
                let reason = match () {
                    () if unasked => Some("language"),
                    () if said.music.score >= rules.line.threshold => Some("music"),
                    () => None,
                };
                match reason {
                    Some(reason) => {
                        shown.row(&id, &said, gathered, &place, &mut rows.dropped);
                        if reason == "music" {
                            let terms = &mut rows.tally.terms;
                            said.music.terms.iter().for_each(|term| Ledger::count(terms, term, 1));
                        }
                        rows.drop(reason, Some(&id));
                    }
                    None => {
                        shown.row(&id, &said, gathered, &place, &mut rows.kept);
                        let tally = &mut rows.tally;
                        Ledger::count(&mut tally.languages, said.language.code.as_str(), 1);
                        tally.times.include(shown.created_at());
                        tally.ids.include(&id);
                        tally.kept += 1;
                    }
                }
            }
        }
    }
    Ok(())
}

impl Tally {
    fn drop(&mut self, reason: &str, id: Option<&str>) {
        Ledger::count(&mut self.dropped, reason, 1);
        let samples = match self.samples.get_mut(reason) {
            Some(samples) => samples,
            None => self.samples.entry(reason.to_owned()).or_default(),
        };
        samples.extend(id.filter(|_| samples.len() < SAMPLES).map(str::to_owned));
    }

    fn add(&mut self, other: Self) {
        self.kept += other.kept;
        for (mine, theirs) in [
            (&mut self.dropped, other.dropped),
            (&mut self.languages, other.languages),
            (&mut self.terms, other.terms),
        ] {
            theirs.iter().for_each(|(name, n)| Ledger::count(mine, name, *n));
        }
        for time in [other.times.first, other.times.last] {
            self.times.include(time);
        }
        for id in [other.ids.min, other.ids.max].into_iter().flatten() {
            self.ids.include(&id);
        }
        for (reason, ids) in other.samples {
            let mine = self.samples.entry(reason).or_default();
            mine.extend(ids);
            mine.truncate(SAMPLES);
        }
    }

    /// The partition's ledger. What came in is counted from the commits and the keys, what went out from
    /// the fates and the files, so that nothing can go missing between them.
    fn ledger(
        &self,
        asked: &Asked,
        keys: &Lines,
        fates: &Fates,
        files: &BTreeMap<String, FileStat>,
    ) -> Outcome<Ledger> {
        let records: u64 = asked.parts.iter().map(|p| p.tweets).sum();
        let mut rejected = Counts::new();
        keys.rejects.iter().for_each(|(code, _)| Ledger::count(&mut rejected, code, 1));
        let is_duplicate = |fate: &&Fate| matches!(fate, Fate::Duplicate | Fate::HiddenDuplicate);
        let duplicates = fates.by_line.iter().filter(is_duplicate).count() as u64;
        let consumed = (keys.count() - keys.rejects.len()) as u64;
        let ledger = Ledger {
            records,
            consumed,
            unique: consumed - duplicates,
            read: records,
            kept: self.kept,
            dropped: self.dropped.clone(),
            rejected,
            ..Ledger::default()
        };
        let rows = |name: &str| files.get(name).map_or(0, |f| f.rows);
        let deleted = ledger.dropped_as("deleted");
        let all_dropped: u64 = ledger.dropped.values().sum();
        let written =
            if rows("tweets.parquet") != ledger.kept || rows("dropped.parquet") + deleted != all_dropped {
                Err(format!(
                    "{} and {} rows were written for {} kept and {all_dropped} dropped",
                    rows("tweets.parquet"),
                    rows("dropped.parquet"),
                    ledger.kept
                ))
            } else {
                Ok(())
            };
        ledger
            .balance_records()
            .and_then(|()| ledger.balance_fates())
            .and(written)
            .map_err(|why| Failure::new(Exit::Bug, format!("partition {}: {why}", asked.partition)))?;
        Ok(ledger)
    }
}

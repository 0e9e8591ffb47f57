//! Raw parts: lines gathered by partition, compressed as they come, published whole, then committed.
//!
//! A part's name is a hash of the head of its input and of its lines, and where a part ends depends
//! on the lines alone. So the same input makes the same parts, and making them again changes nothing,
//! while the same tweet in two inputs stays two lines in two parts. A live source has no such input: its
//! parts are named by the run and the moment as well, so what is read again lies beside the first reading.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use lake::{
    Author, Authors, Counts, IdRange, Identities, IdentitiesAt, Lake, Ledger, Partition, RawCommit,
    TimeRange, day_of, in_parallel,
};
use task::{Exit, Failure, Outcome};
use tweet::Id;

use crate::classify::{Line, day_number};
use crate::ids::IdSet;

/// Lines gathered before they are compressed into a frame of their own.
const FRAME: usize = 1 << 20;
/// Compressed bytes at which a part ends.
const PART: usize = 32 << 20;
/// Bytes held in all open parts; beyond it the largest ends.
const HELD: usize = 96 << 20;
/// zstd's level: 1 writes twice as fast as 3 for 8 % more bytes.
const LEVEL: i32 = 1;
/// Parts published at once.
const WIDTH: usize = 8;

/// Open parts of one input, and what is published but not yet committed.
pub(crate) struct RawWriter<'a> {
    lake: &'a Lake,
    via: &'static str,
    /// When what is read now was received; of a file nothing is known.
    received: Option<i64>,
    /// Hash of the head of the input that is read.
    input: Vec<u8>,
    open: BTreeMap<Partition, Part>,
    held: usize,
    packer: Packer,
    names: BTreeSet<(Partition, String)>,
    published: Vec<(Partition, RawCommit)>,
}

#[derive(Default)]
struct Part {
    frames: Vec<u8>,
    waiting: Vec<u8>,
    /// Hash of the lines.
    lines: blake3::Hasher,
    tweets: u64,
    ids: IdSet,
    least: Option<Id<'static>>,
    greatest: Option<Id<'static>>,
    times: TimeRange,
    retweets: u64,
    touches: BTreeSet<Option<i64>>,
    languages: Counts,
    identities: Identities,
    authors: Vec<Author>,
}

impl<'a> RawWriter<'a> {
    pub(crate) fn new(lake: &'a Lake, via: &'static str) -> Self {
        Self {
            lake,
            via,
            received: None,
            input: Vec::new(),
            open: BTreeMap::new(),
            held: 0,
            packer: Packer::default(),
            names: BTreeSet::new(),
            published: Vec::new(),
        }
    }

    /// Begins an input, known by its head.
    pub(crate) fn begin_input(&mut self, head: &[u8]) {
        self.input = blake3::hash(head).as_bytes().to_vec();
    }

    /// From here on lines come from a live source, received at `now`; `head` tells this reading from any other.
    /// No part holds lines of two ways.
    pub(crate) fn receive(&mut self, via: &'static str, now: i64, head: &[u8]) -> Outcome<()> {
        if via != self.via {
            self.end_input()?;
        }
        if self.open.is_empty() {
            self.begin_input(head);
        }
        (self.via, self.received) = (via, Some(now));
        Ok(())
    }

    /// Adds one line to its partition.
    pub(crate) fn add(&mut self, line: &Line, bytes: &[u8]) -> Outcome<()> {
        let partition = Partition::of(line.time, self.lake.grain());
        let part = self.open.entry(partition.clone()).or_default();
        let before = part.frames.len() + part.waiting.len();
        part.add(line, bytes, &mut self.packer)?;
        self.held = self.held + part.frames.len() + part.waiting.len() - before;
        if part.frames.len() >= PART {
            self.end_parts(&[partition])?;
        }
        while self.held > HELD {
            // The largest, and of equals the first by name: the lines decide, not the hash of a map.
            let size = |p: &Part| p.frames.len() + p.waiting.len();
            let largest = self.open.iter().max_by(|a, b| size(a.1).cmp(&size(b.1)).then(b.0.cmp(a.0)));
            let Some(partition) = largest.map(|(partition, _)| partition.clone()) else { break };
            self.end_parts(&[partition])?;
        }
        Ok(())
    }

    /// Ends all open parts: no part holds lines of two inputs.
    pub(crate) fn end_input(&mut self) -> Outcome<()> {
        let all: Vec<Partition> = self.open.keys().cloned().collect();
        self.end_parts(&all)
    }

    fn end_parts(&mut self, partitions: &[Partition]) -> Outcome<()> {
        let mut ended = Vec::with_capacity(partitions.len());
        for partition in partitions {
            if let Some(mut part) = self.open.remove(partition) {
                self.held -= part.frames.len() + part.waiting.len();
                part.compress(&mut self.packer)?;
                let name = self.name(partition, &part);
                ended.push((partition.clone(), name, part));
            }
        }
        let (lake, via, received) = (self.lake, self.via, self.received);
        let published = in_parallel(&ended, WIDTH, |(partition, name, part)| {
            publish(lake, via, received, partition, name, part)
        })?;
        self.published.extend(ended.into_iter().map(|(partition, ..)| partition).zip(published));
        Ok(())
    }

    /// A name of its own: of two equal parts in one run (a file, and the same file grown), the second is numbered.
    fn name(&mut self, partition: &Partition, part: &Part) -> String {
        let hash =
            blake3::Hasher::new().update(&self.input).update(part.lines.finalize().as_bytes()).finalize();
        let hash = &hash.to_hex()[..24];
        let mut name = format!("{}-{hash}", self.via);
        let mut number = 1;
        while !self.names.insert((partition.clone(), name.clone())) {
            number += 1;
            name = format!("{}-{hash}-{number}", self.via);
        }
        name
    }

    /// Commits everything published, if it is `tweets` tweets. Returns the commits; those that were there
    /// already are the same.
    pub(crate) fn commit(&mut self, tweets: u64) -> Outcome<Vec<(Partition, RawCommit)>> {
        self.end_input()?;
        let held: u64 = self.published.iter().map(|(_, commit)| commit.tweets).sum();
        if held != tweets {
            let why = format!("the parts hold {held} tweets, but {tweets} were consumed");
            return Err(Failure::new(Exit::Bug, why));
        }
        in_parallel(&self.published, WIDTH, |(partition, commit)| self.lake.commit_raw(partition, commit))?;
        Ok(std::mem::take(&mut self.published))
    }
}

impl Part {
    fn add(&mut self, line: &Line, bytes: &[u8], packer: &mut Packer) -> Outcome<()> {
        self.waiting.extend_from_slice(bytes);
        self.waiting.push(b'\n');
        self.tweets += 1;
        self.ids.insert(&line.id);
        if self.least.as_ref().is_none_or(|least| line.id < *least) {
            self.least = Some(line.id.clone());
        }
        if self.greatest.as_ref().is_none_or(|greatest| line.id > *greatest) {
            self.greatest = Some(line.id.clone());
        }
        self.times.include(line.time);
        self.retweets += u64::from(line.retweet);
        self.touches.insert(day_number(&line.id));
        self.touches.extend(&line.touches);
        self.identities.push(line.known);
        self.authors.extend(&line.authors);
        Ledger::count(&mut self.languages, &line.lang, 1);
        if self.waiting.len() >= FRAME { self.compress(packer) } else { Ok(()) }
    }

    fn compress(&mut self, packer: &mut Packer) -> Outcome<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.lines.update(&self.waiting);
        self.frames.extend_from_slice(packer.frame(&self.waiting)?);
        self.waiting.clear();
        Ok(())
    }
}

/// Compresses, over and over in the same memory.
#[derive(Default)]
struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    frame: Vec<u8>,
}

impl Packer {
    fn frame(&mut self, lines: &[u8]) -> Outcome<&[u8]> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(lines.len()));
        self.compressor
            .set_compression_level(LEVEL)
            .and_then(|()| self.compressor.compress_to_buffer(lines, &mut self.frame))
            .map_err(|e| Failure::new(Exit::Bug, format!("cannot compress a raw part: {e}")))?;
        Ok(&self.frame)
    }
}

/// Writes a part, unless it is committed already, and returns what its commit says.
fn publish(
    lake: &Lake,
    via: &str,
    received: Option<i64>,
    partition: &Partition,
    name: &str,
    part: &Part,
) -> lake::Result<RawCommit> {
    if let Some(there) = lake.raw_commit(partition, name)? {
        return Ok(there);
    }
    let path = lake.raw_part_key(partition, name);
    let mut upload = lake.store.create(&path)?;
    let table = part.identities.frame()?;
    for bytes in [Some(&part.frames), table.as_ref()].into_iter().flatten() {
        upload.write_all(bytes).map_err(|e| lake::Error::Storage(format!("cannot write {path}: {e}")))?;
    }
    let stat = upload.finish(part.tweets)?;
    let source = part.least.as_ref().map_or("", |id| id.source().as_str());
    Ok(RawCommit {
        part: name.to_owned(),
        path,
        size: stat.size,
        sha256: stat.sha256,
        tweets: part.tweets,
        unique: part.ids.len(),
        received: received.or(part.times.last),
        source: source.to_owned(),
        via: via.to_owned(),
        times: part.times,
        ids: IdRange {
            min: part.least.as_ref().map(ToString::to_string),
            max: part.greatest.as_ref().map(ToString::to_string),
        },
        retweets: part.retweets,
        touches: part
            .touches
            .iter()
            .map(|day| day.map_or_else(|| "unknown".into(), |d| day_of(d * 86_400_000_000)))
            .collect(),
        languages: part.languages.clone(),
        authors: Some(Authors::new(&part.authors.iter().copied().collect())),
        identities: table.map(|table| IdentitiesAt::new(part.frames.len() as u64, &table)),
    })
}

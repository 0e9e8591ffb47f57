//! Near copies that are tied by near copies are a group, and of a group the earliest row has its way.

use std::io::Result;

use task::{Outcome, Stop};

use super::minhash::{BANDS, shared_bits};
use super::shingles::{Likeness, Table, Threshold};
use super::spill::Spilled;
use crate::rows::spilling;

/// The groups over all rows.
#[derive(Default)]
pub(crate) struct Groups {
    /// Of each row, the earliest of its group: itself if it is alone.
    first: Vec<u32>,
    /// The earliest of groups of more than one, in order, and where its id ends.
    earliest: Vec<(u32, u32)>,
    ids: String,
}

impl Groups {
    /// Finds all of them among the rows that are not `out`; 13 bytes a row, beside the spill's 13, and 8 a tie.
    pub(crate) fn find(
        spilled: &Spilled,
        threshold: f64,
        out: &[u32],
        threads: usize,
        stop: &Stop,
    ) -> Outcome<Self> {
        let mut settled: Vec<bool> = (0..spilled.rows()).map(|row| !spilled.has_text(row)).collect();
        out.iter().for_each(|row| settled[*row as usize] = true);
        let mut search = Search {
            spilled,
            threshold: Threshold::new(threshold),
            bits: shared_bits(threshold),
            tied: Tied((0..spilled.rows()).collect()),
            settled,
        };
        let mut band = Vec::with_capacity(spilled.rows() as usize);
        for number in 0..BANDS {
            stop.check()?;
            spilled.band(number, |row| !search.settled[row as usize], &mut band).map_err(spilling)?;
            let found = search.band(&band, threads, stop).map_err(spilling)?;
            found.iter().for_each(|ties| search.take(ties));
        }
        stop.check()?;
        drop(band);
        let Search { mut tied, settled, .. } = search;
        drop(settled);
        for row in 0..spilled.rows() {
            tied.find(row);
        }
        Self::of(tied.0, spilled).map_err(spilling)
    }

    /// From a row that stands for each row's group.
    fn of(mut first: Vec<u32>, spilled: &Spilled) -> Result<Self> {
        let mut many: Vec<u32> =
            (0..).zip(&first).filter(|(row, stands)| *row != **stands).map(|(_, stands)| *stands).collect();
        many.sort_unstable();
        many.dedup();
        let mut best: Vec<(i64, u32)> = vec![(i64::MAX, u32::MAX); many.len()];
        for ((row, stands), time) in (0..).zip(&first).zip(spilled.times()) {
            let time = time?;
            if let Ok(group) = many.binary_search(stands) {
                best[group] = best[group].min((time, row));
            }
        }
        for stands in &mut first {
            if let Ok(group) = many.binary_search(stands) {
                *stands = best[group].1;
            }
        }
        drop(many);
        let mut rows: Vec<u32> = best.into_iter().map(|(_, row)| row).collect();
        rows.sort_unstable();
        let (mut earliest, mut ids) = (Vec::with_capacity(rows.len()), String::new());
        for row in rows {
            ids.push_str(&spilled.id(row)?);
            earliest.push((row, u32::try_from(ids.len()).map_err(std::io::Error::other)?));
        }
        ids.shrink_to_fit();
        Ok(Self { first, earliest, ids })
    }

    /// The id of the earliest of a row's group, if it has one.
    pub(crate) fn id(&self, row: u32) -> Option<&str> {
        let number = self.number(*self.first.get(row as usize)?)?;
        let start = number.checked_sub(1).map_or(0, |before| self.earliest[before].1);
        self.ids.get(start as usize..self.earliest[number].1 as usize)
    }

    fn number(&self, first: u32) -> Option<usize> {
        self.earliest.binary_search_by_key(&first, |(row, _)| *row).ok()
    }

    /// The rows that are in a group and not its earliest, with that.
    pub(crate) fn later(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(&self.first).filter(|(row, first)| *row != **first).map(|(row, first)| (row, *first))
    }
}

/// A band cut into about equal shares for this many threads, no bucket torn apart.
fn shares(mut band: &[u64], threads: usize) -> Vec<&[u64]> {
    let size = band.len().div_ceil(threads.max(1)).max(1);
    let mut all = Vec::new();
    while !band.is_empty() {
        let mut end = size.min(band.len());
        while end < band.len() && band[end] >> 32 == band[end - 1] >> 32 {
            end += 1;
        }
        let (share, rest) = band.split_at(end);
        all.push(share);
        band = rest;
    }
    all
}

/// Which rows are tied together: a forest, roots being the least rows.
struct Tied(Vec<u32>);

impl Tied {
    /// The root, every step halved on the way.
    fn find(&mut self, row: u32) -> u32 {
        let root = self.root(row);
        let mut at = row;
        while at != root {
            at = std::mem::replace(&mut self.0[at as usize], root);
        }
        root
    }

    fn root(&self, row: u32) -> u32 {
        let mut at = row;
        while self.0[at as usize] != at {
            at = self.0[at as usize];
        }
        at
    }

    fn tie(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

struct Search<'a> {
    spilled: &'a Spilled,
    threshold: Threshold,
    /// That sketches share at least.
    bits: u32,
    tied: Tied,
    /// Rows that are not looked at any more: without a text, out, or equal to another that is.
    settled: Vec<bool>,
}

/// What a thread found in its share of a band.
#[derive(Default)]
struct Ties {
    near: Vec<(u32, u32)>,
    /// Rows that are equal to another.
    equal: Vec<u32>,
}

/// A row of a bucket, its set once it was asked for.
struct Member {
    row: u32,
    sketch: u64,
    set: Option<Vec<u32>>,
}

/// Rows of a bucket that are tied, and what they were tied to before.
struct Group {
    roots: Vec<u32>,
    members: Vec<Member>,
}

impl Search<'_> {
    /// What is near in a band, by as many threads as there are: all of them know what was tied before.
    fn band(&self, band: &[u64], threads: usize, stop: &Stop) -> Result<Vec<Ties>> {
        std::thread::scope(|scope| {
            let work = |share| scope.spawn(move || self.share(share, stop));
            let at_work: Vec<_> = shares(band, threads).into_iter().map(work).collect();
            let panicked = |_| std::io::Error::other("a search for near copies panicked");
            at_work.into_iter().map(|thread| thread.join().map_err(panicked)?).collect()
        })
    }

    fn share(&self, share: &[u64], stop: &Stop) -> Result<Ties> {
        let (mut ties, mut room) = (Ties::default(), Room::default());
        for (at, bucket) in share.chunk_by(|a, b| a >> 32 == b >> 32).filter(|b| b.len() > 1).enumerate() {
            if at % 4096 == 0 && stop.check().is_err() {
                break; // The caller asks again.
            }
            self.bucket(bucket, &mut ties, &mut room)?;
        }
        Ok(ties)
    }

    /// Finds what is near in a bucket. Rows that are tied already are not compared.
    fn bucket(&self, bucket: &[u64], ties: &mut Ties, room: &mut Room) -> Result<()> {
        let mut groups: Vec<Group> = Vec::new();
        for hash_and_row in bucket {
            let row = u32::try_from(hash_and_row & u64::from(u32::MAX)).unwrap_or_default();
            let (root, mut settled) = (self.tied.root(row), false);
            let mut member = Member { row, sketch: self.spilled.sketch(row), set: None };
            let mut home: Option<usize> = None;
            let mut at = 0;
            while at < groups.len() {
                let tied = groups[at].roots.contains(&root);
                let like =
                    if tied { Likeness::Near } else { self.meets(&mut groups[at], &mut member, room)? };
                if like != Likeness::Far {
                    settled |= like == Likeness::Equal;
                    if !tied {
                        ties.near.push((groups[at].members[0].row, row));
                    }
                    if let Some(home) = home {
                        let Group { roots, members } = groups.swap_remove(at);
                        groups[home].roots.extend(roots);
                        groups[home].members.extend(members);
                        continue;
                    }
                    home = Some(at);
                }
                at += 1;
            }
            let Some(home) = home else {
                groups.push(Group { roots: vec![root], members: vec![member] });
                continue;
            };
            let Group { roots, members } = &mut groups[home];
            if !roots.contains(&root) {
                roots.push(root);
            }
            if settled {
                ties.equal.push(row);
            } else {
                members.push(member);
            }
        }
        Ok(())
    }

    /// What the first of a group that is not far is to a row, whose set is then in the room's table.
    fn meets(&self, group: &mut Group, member: &mut Member, room: &mut Room) -> Result<Likeness> {
        for other in &mut group.members {
            if (other.sketch ^ member.sketch).count_zeros() < self.bits {
                continue;
            }
            if member.set.is_none() {
                let runs = self.spilled.runs(member.row, &mut room.buffer)?;
                member.set = Some(room.table.fill(runs));
            }
            let others = match other.set.take() {
                Some(set) => set,
                None => room.spare.fill(self.spilled.runs(other.row, &mut room.buffer)?),
            };
            let like = self.threshold.compare(&room.table, &others);
            other.set = Some(others);
            if like != Likeness::Far {
                return Ok(like);
            }
        }
        Ok(Likeness::Far)
    }

    fn take(&mut self, ties: &Ties) {
        ties.near.iter().for_each(|(a, b)| self.tied.tie(*a, *b));
        ties.equal.iter().for_each(|row| self.settled[*row as usize] = true);
    }
}

/// Where a thread works.
#[derive(Default)]
struct Room {
    buffer: Vec<u8>,
    /// Of the row that is compared.
    table: Table,
    /// For any other.
    spare: Table,
}

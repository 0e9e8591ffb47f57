//! Near copies that are tied by near copies are a group, and of a group the earliest row has its way.

use std::collections::HashMap;
use std::io::Result;

use task::{Outcome, Stop};

use super::minhash::{BANDS, shared_bits};
use super::shingles::jaccard;
use super::spill::{Entry, Spilled};
use crate::rows::spilling;

/// The groups over all rows.
#[derive(Default)]
pub(crate) struct Groups {
    /// Of each row, a row that stands for its group: itself if it is alone.
    standing: Vec<u32>,
    /// Of groups of more than one: the earliest, by the row that stands for them.
    earliest: HashMap<u32, Entry>,
}

impl Groups {
    /// Finds all of them among the rows that are not `out`; 13 bytes a row, beside the spill's 16.
    pub(crate) fn find(spilled: &Spilled, threshold: f64, out: &[u32], stop: &Stop) -> Outcome<Self> {
        let mut settled: Vec<bool> = (0..spilled.rows()).map(|row| !spilled.has_text(row)).collect();
        out.iter().for_each(|row| settled[*row as usize] = true);
        let mut search = Search {
            spilled,
            threshold,
            bits: shared_bits(threshold),
            tied: Tied((0..spilled.rows()).collect()),
            settled,
        };
        let mut band = Vec::with_capacity(spilled.rows() as usize);
        for number in 0..BANDS {
            stop.check()?;
            spilled.band(number, |row| !search.settled[row as usize], &mut band).map_err(spilling)?;
            for (at, bucket) in band.chunk_by(|a, b| a >> 32 == b >> 32).filter(|b| b.len() > 1).enumerate() {
                if at % 4096 == 0 {
                    stop.check()?;
                }
                search.bucket(bucket).map_err(spilling)?;
            }
        }
        drop(band);
        let Search { mut tied, .. } = search;
        let standing: Vec<u32> = (0..spilled.rows()).map(|row| tied.find(row)).collect();
        drop(tied);
        let mut rows = vec![0_u32; standing.len()];
        standing.iter().for_each(|row| rows[*row as usize] += 1);
        let mut earliest: HashMap<u32, Entry> = HashMap::new();
        for (row, stands) in (0..).zip(&standing).filter(|(_, stands)| rows[**stands as usize] > 1) {
            let entry = spilled.entry(row).map_err(spilling)?;
            match earliest.get_mut(stands) {
                Some(first) if *first <= entry => {}
                Some(first) => *first = entry,
                None => drop(earliest.insert(*stands, entry)),
            }
        }
        Ok(Self { standing, earliest })
    }

    /// The earliest row of the row's group, if it has one.
    pub(crate) fn earliest(&self, row: u32) -> Option<&Entry> {
        self.earliest.get(self.standing.get(row as usize)?)
    }

    /// The rows that have a group.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.standing).filter(|(_, stands)| self.earliest.contains_key(stands)).map(|(row, _)| row)
    }
}

/// Which rows are tied together: a forest, roots being the least rows.
struct Tied(Vec<u32>);

impl Tied {
    fn find(&mut self, row: u32) -> u32 {
        let mut at = row;
        while self.0[at as usize] != at {
            let above = self.0[at as usize];
            self.0[at as usize] = self.0[above as usize];
            at = above;
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
    threshold: f64,
    /// That sketches share at least.
    bits: u32,
    tied: Tied,
    /// Rows that are not looked at any more: without a text, out, or equal to another that is.
    settled: Vec<bool>,
}

/// A row of a bucket, its set once it was asked for.
struct Member {
    row: u32,
    sketch: u64,
    set: Option<Vec<u32>>,
}

impl Search<'_> {
    /// Ties what is near in a bucket. Rows that are tied already are not compared.
    fn bucket(&mut self, bucket: &[u64]) -> Result<()> {
        let mut groups: Vec<Vec<Member>> = Vec::new();
        for hash_and_row in bucket {
            let row = u32::try_from(hash_and_row & u64::from(u32::MAX)).unwrap_or_default();
            let mut member = Member { row, sketch: self.spilled.sketch(row), set: None };
            let mut home: Option<usize> = None;
            let mut at = 0;
            while at < groups.len() {
                let tied = self.tied.find(groups[at][0].row) == self.tied.find(row);
                if tied || self.meets(&mut groups[at], &mut member)? {
                    self.tied.tie(groups[at][0].row, row);
                    if let Some(home) = home {
                        let others = groups.swap_remove(at);
                        groups[home].extend(others);
                        continue;
                    }
                    home = Some(at);
                }
                at += 1;
            }
            match home {
                _ if self.settled[row as usize] => {}
                Some(home) => groups[home].push(member),
                None => groups.push(vec![member]),
            }
        }
        Ok(())
    }

    /// Whether one of a group is near; settles the member if one is equal.
    fn meets(&mut self, group: &mut [Member], member: &mut Member) -> Result<bool> {
        for other in group {
            if (other.sketch ^ member.sketch).count_zeros() < self.bits {
                continue;
            }
            let set = read(member, self.spilled)?;
            let near = jaccard(set, read(other, self.spilled)?);
            if near >= self.threshold {
                self.settled[member.row as usize] |= near >= 1.0;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn read<'m>(member: &'m mut Member, spilled: &Spilled) -> Result<&'m [u32]> {
    let set = match member.set.take() {
        Some(set) => set,
        None => spilled.set(member.row)?,
    };
    Ok(member.set.insert(set))
}

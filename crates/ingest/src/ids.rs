//! A set of tweet ids: the one thing whose memory grows with the tweets of a run.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};
use tweet::Id;

/// Ids seen so far. An X id takes 8 bytes of key (about 10 to 19 with the table's free places), a
/// Bluesky URI 16 bytes of its SHA-256.
#[derive(Debug, Default)]
pub(crate) struct IdSet {
    numbers: HashSet<u64, RandomState>,
    uris: HashSet<u128>,
}

impl IdSet {
    /// Adds an id; whether it is new.
    pub(crate) fn insert(&mut self, id: &Id<'_>) -> bool {
        match id {
            Id::X(number) => self.numbers.insert(*number),
            Id::Uri(uri) => {
                let hash = Sha256::digest(uri.as_bytes());
                let mut head = [0; 16];
                head.copy_from_slice(&hash[..16]);
                self.uris.insert(u128::from_be_bytes(head))
            }
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> u64 {
        (self.numbers.len() + self.uris.len()) as u64
    }
}

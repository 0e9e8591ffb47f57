//! Which users a raw part may name: a Bloom filter in its commit, so that the deletion of a user makes only those
//! partitions stale that hold something of theirs. It may name a few users too many, never one too few.
//!
//! Ten bits a user and seven of them set: by Bloom's formula (1 − e^(−7/10))^7, one user in a hundred and twenty is
//! taken for one that is there.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use tweet::{Source, Tweet};

const BITS: usize = 10;
const SET: u64 = 7;

/// A set of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authors(Vec<u8>);

/// A user, as the set knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Author(u64);

impl Author {
    /// The user with this id.
    pub fn new(source: Source, id: &str) -> Self {
        let hash = Sha256::new().chain_update(source.as_str()).chain_update(":").chain_update(id).finalize();
        Self(hash.first_chunk().map_or(0, |head| u64::from_le_bytes(*head)))
    }

    /// Who wrote a tweet, and who wrote the original that it carries.
    pub fn of(tweet: &Tweet<'_>) -> impl Iterator<Item = Self> {
        let carried = tweet.retweeted.as_ref().and_then(|original| original.tweet.as_deref());
        [Some(tweet), carried]
            .into_iter()
            .flatten()
            .filter_map(|tweet| tweet.author.id.as_deref().map(|id| Self::new(tweet.source, id)))
    }

    /// Positions in a filter of `bits`.
    fn places(self, bits: u64) -> impl Iterator<Item = (usize, u8)> {
        let (first, step) = (self.0 & 0xffff_ffff, self.0 >> 32 | 1);
        (0..SET).map(move |n| {
            let bit = (first + n * step) % bits;
            (usize::try_from(bit / 8).unwrap_or(usize::MAX), 1 << (bit % 8))
        })
    }
}

impl Authors {
    /// The set of these users.
    pub fn new(users: &BTreeSet<Author>) -> Self {
        let mut filter = vec![0_u8; (users.len() * BITS).div_ceil(8)];
        let bits = filter.len() as u64 * 8;
        for (byte, bit) in users.iter().flat_map(|user| user.places(bits)) {
            filter[byte] |= bit;
        }
        Self(filter)
    }

    /// Whether the user may be among them.
    pub fn may_hold(&self, user: Author) -> bool {
        let bits = self.0.len() as u64 * 8;
        bits > 0 && user.places(bits).all(|(byte, bit)| self.0[byte] & bit != 0)
    }
}

impl Serialize for Authors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Authors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD_NO_PAD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use tweet::Source;

    use super::{Author, Authors};

    #[test]
    fn it_holds_all_of_them_and_few_others() {
        for users in [0, 1, 7, 1_000_u64] {
            let user = |n: u64| Author::new(Source::X, &n.to_string());
            let set = Authors::new(&(0..users).map(user).collect());
            let set: Authors = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
            assert!((0..users).all(|n| set.may_hold(user(n))));
            let others = (10_000..20_000).filter(|n| set.may_hold(user(*n))).count();
            assert!(others < 200, "{others} of 10,000 others among {users}");
        }
        let both = [Author::new(Source::X, "7"), Author::new(Source::Bluesky, "7")];
        assert_eq!(both.into_iter().collect::<BTreeSet<_>>().len(), 2);
    }
}

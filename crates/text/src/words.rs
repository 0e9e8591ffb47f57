//! Tables of words, of which most are short: a word of up to 15 bytes is one number, compared, folded and hashed at once.

use crate::fold::Map;

/// A word of up to 15 bytes: these, the first one lowest, zeros, and one more than there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short(u128);

/// In each byte its highest bit, the byte of the length left out.
const HIGH: u128 = 0x0080_8080_8080_8080_8080_8080_8080_8080;
/// In each byte its lowest bit.
const LOW: u128 = HIGH >> 7;

impl Short {
    /// The word, if it is short. It is read by its first and its last bytes, whatever they share.
    #[inline(always)]
    pub(crate) fn of(word: &[u8]) -> Option<Self> {
        let length = word.len();
        let bytes = if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            if length > 15 {
                return None;
            }
            u128::from(first) | u128::from(last) << (8 * (length - 8))
        } else if let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u128::from(u64::from(first) | u64::from(last) << (8 * (length - 4)))
        } else if let (Some(first), Some(last)) = (word.first(), word.last()) {
            let middle = u32::from(word[length / 2]) << (8 * (length / 2));
            u128::from(u32::from(*first) | middle | u32::from(*last) << (8 * (length - 1)))
        } else {
            0
        };
        Some(Self(bytes | (length as u128 + 1) << 120))
    }

    #[inline(always)]
    pub(crate) fn is_ascii(self) -> bool {
        self.0 & HIGH == 0
    }

    /// The same with its letters of ASCII small.
    #[inline(always)]
    pub(crate) fn small(self) -> Self {
        // The highest bit of a sum says whether a byte is at least `A`, or above `Z`: two numbers below 0x80 stay in their byte.
        let bytes = self.0 & (HIGH - LOW);
        let at_least_a = bytes + LOW * (0x80 - u128::from(b'A'));
        let above_z = bytes + LOW * (0x80 - u128::from(b'Z') - 1);
        Self(self.0 | (at_least_a & !above_z & !self.0 & HIGH) >> 2)
    }

    /// Whether a byte may stand three times in a row: surely not, or maybe.
    #[inline(always)]
    pub(crate) fn may_have_run(self) -> bool {
        let length = (self.0 >> 120) - 1;
        let bytes = self.0 & !(0xff << 120);
        let next = bytes ^ bytes >> 8;
        // Zero where a byte, the next and the one behind it are equal; a borrow makes more of them, never fewer.
        let runs = next | next >> 8;
        let zeros = runs.wrapping_sub(LOW) & !runs & HIGH;
        length > 2 && zeros & ((1 << (8 * (length - 2))) - 1) != 0
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "halves, and bits enough for any table")]
    fn hash(self) -> usize {
        let (low, high) = (self.0 as u64, (self.0 >> 64) as u64);
        let mixed = u128::from(low ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ 0xd6e8_feb8_6659_fd93);
        (mixed as u64 ^ (mixed >> 64) as u64) as usize
    }
}

/// A table of words. Most lookups are for words that are not in it: a sieve of a few kilobytes says so.
#[derive(Debug)]
pub(crate) struct Table<V> {
    /// Each by its hash, or at a place behind; a power of two, at most three quarters of them taken.
    keys: Vec<Short>,
    values: Vec<V>,
    taken: usize,
    /// A bit for each hash.
    sieve: Vec<u64>,
    long: Map<Box<[u8]>, V>,
}

impl<V: Copy + Default> Default for Table<V> {
    fn default() -> Self {
        Self::with_places(64)
    }
}

impl<V: Copy + Default> Table<V> {
    /// Bits of the sieve for each place.
    const BITS: usize = 8;
    /// No word is this.
    const FREE: Short = Short(0);

    fn with_places(places: usize) -> Self {
        Self {
            keys: vec![Self::FREE; places],
            values: vec![V::default(); places],
            taken: 0,
            sieve: vec![0; places * Self::BITS / 64],
            long: Map::default(),
        }
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.taken + self.long.len()
    }

    /// What belongs to a word.
    #[inline(always)]
    pub(crate) fn get(&self, word: &[u8]) -> Option<V> {
        match Short::of(word) {
            Some(word) => self.get_short(word),
            None => self.long.get(word).copied(),
        }
    }

    /// The same, for a short word.
    #[inline(always)]
    pub(crate) fn get_short(&self, word: Short) -> Option<V> {
        let bit = self.bit(word);
        if self.sieve[bit / 64] >> (bit % 64) & 1 == 0 {
            return None;
        }
        let place = self.place(word);
        (self.keys[place] != Self::FREE).then(|| self.values[place])
    }

    #[inline(always)]
    fn bit(&self, word: Short) -> usize {
        word.hash() & (self.sieve.len() * 64 - 1)
    }

    /// Where a word is, or would be.
    #[inline(always)]
    fn place(&self, word: Short) -> usize {
        let last = self.keys.len() - 1;
        let mut place = (word.hash() / Self::BITS) & last;
        while self.keys[place] != Self::FREE && self.keys[place] != word {
            place = (place + 1) & last;
        }
        place
    }

    /// What belongs to a word; `value`, if it was not there.
    pub(crate) fn entry(&mut self, word: &[u8], value: V) -> &mut V {
        match Short::of(word) {
            Some(short) => self.entry_short(short, value),
            None => self.long.entry(word.into()).or_insert(value),
        }
    }

    fn entry_short(&mut self, word: Short, value: V) -> &mut V {
        if 4 * self.taken >= 3 * self.keys.len() {
            let mut larger = Self::with_places(2 * self.keys.len());
            let known = self.keys.iter().zip(&self.values).filter(|(key, _)| **key != Self::FREE);
            for (key, value) in known {
                larger.entry_short(*key, *value);
            }
            larger.long = std::mem::take(&mut self.long);
            *self = larger;
        }
        let place = self.place(word);
        if self.keys[place] == Self::FREE {
            let bit = self.bit(word);
            self.sieve[bit / 64] |= 1 << (bit % 64);
            (self.keys[place], self.values[place]) = (word, value);
            self.taken += 1;
        }
        &mut self.values[place]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn a_table_is_a_map(
            words in prop::collection::vec("[ab']{0,4}|[a-zé]{0,18}", 0..300),
            asked in prop::collection::vec("[ab']{0,4}|[a-zé]{0,18}", 0..100),
        ) {
            let mut table = Table::default();
            let mut map: HashMap<&str, usize> = HashMap::new();
            for (n, word) in words.iter().enumerate() {
                prop_assert_eq!(*table.entry(word.as_bytes(), n), *map.entry(word).or_insert(n));
            }
            prop_assert_eq!(table.len(), map.len());
            for word in words.iter().chain(&asked) {
                prop_assert_eq!(table.get(word.as_bytes()), map.get(word.as_str()).copied(), "{}", word);
            }
        }

        #[test]
        fn short_words_are_small_and_have_runs_as_their_bytes_do(word in "[ -~]{0,17}|[a-cA-C]{0,15}|[a-zA-ZéÉ]{0,9}") {
            let short = Short::of(word.as_bytes());
            prop_assert_eq!(short.is_some(), word.len() <= 15);
            let Some(short) = short else { return Ok(()) };
            prop_assert_eq!(short.is_ascii(), word.is_ascii());
            prop_assert_eq!(short.small(), Short::of(word.to_ascii_lowercase().as_bytes()).unwrap());
            let run = word.as_bytes().windows(3).any(|w| w[0] == w[1] && w[1] == w[2]);
            prop_assert!(short.may_have_run() || !run);
        }
    }

    #[test]
    fn a_word_without_a_run_mostly_says_so() {
        for word in ["", "a", "aa", "aabb", "school", "committee", "aabbccddeeffgg"] {
            assert!(!Short::of(word.as_bytes()).unwrap().may_have_run(), "{word}");
        }
        for word in ["aaa", "goooal", "aabbb", "committeeee"] {
            assert!(Short::of(word.as_bytes()).unwrap().may_have_run(), "{word}");
        }
    }
}

//! A text as the set of its runs of five characters.

use std::sync::LazyLock;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::minhash::{high, mix};

/// Code points of a run.
const RUN: usize = 5;
/// Of the polynomial that tells runs apart before they are mixed.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// What the code point weighs that leaves a run.
const LEAVING: u64 = BASE.wrapping_pow(5);

/// Whether a character stays what it is by [`folded`], whatever stands beside it; of the first two planes.
static PLAIN: LazyLock<Box<[bool]>> = LazyLock::new(|| {
    let plain = |c: char| {
        canonical_combining_class(c) == 0
            && is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes
            && c.to_lowercase().eq(std::iter::once(c))
    };
    (0..0x2_0000).map(|code| char::from_u32(code).is_some_and(plain)).collect()
});

/// The text as near copies compare it: NFKC, lower case.
pub(crate) fn folded(text: &str) -> String {
    let plain = |c: char| c.is_ascii() || PLAIN.get(c as usize).is_some_and(|plain| *plain);
    if text.is_ascii() || text.chars().all(plain) {
        text.to_ascii_lowercase()
    } else {
        text.nfkc().flat_map(char::to_lowercase).collect()
    }
}

/// Hashes of the runs of a [folded] text, in their order, none of them 0. A shorter text is one run.
pub(crate) fn runs(folded: &str) -> Vec<u32> {
    if folded.is_empty() {
        Vec::new()
    } else if folded.is_ascii() {
        runs_of(folded.bytes().map(u64::from), folded.bytes().map(u64::from), folded.len())
    } else {
        let chars = || folded.chars().map(|c| u64::from(u32::from(c)));
        runs_of(chars(), chars(), folded.len())
    }
}

fn runs_of(mut coming: impl Iterator<Item = u64>, going: impl Iterator<Item = u64>, room: usize) -> Vec<u32> {
    let first = coming.by_ref().take(RUN).fold(0_u64, |all, c| all.wrapping_mul(BASE).wrapping_add(c));
    let mut all = Vec::with_capacity(room);
    all.push(high(mix(first)).max(1));
    let mut run = first;
    for (new, old) in coming.zip(going) {
        run = run.wrapping_mul(BASE).wrapping_add(new).wrapping_sub(old.wrapping_mul(LEAVING));
        all.push(high(mix(run)).max(1));
    }
    all
}

/// Tells what is in a set: open addressing, half of the slots at most taken.
pub(crate) struct Table {
    /// 0 is empty.
    slots: Vec<u32>,
    elements: usize,
    /// The bits of the highest twelve of each hash: what has none is not in the set, and most of it is told so
    /// without a branch.
    bits: [u64; 64],
}

impl Default for Table {
    fn default() -> Self {
        Self { slots: Vec::new(), elements: 0, bits: [0; 64] }
    }
}

impl Table {
    /// Holds these hashes, in place of those before. Returns them without repetition.
    pub(crate) fn fill(&mut self, mut runs: Vec<u32>) -> Vec<u32> {
        self.slots.clear();
        self.slots.resize((2 * runs.len()).next_power_of_two(), 0);
        runs.retain(|run| {
            let slot = self.slot(*run);
            std::mem::replace(&mut self.slots[slot], *run) == 0
        });
        self.elements = runs.len();
        self.bits = [0; 64];
        runs.iter().for_each(|run| self.bits[(run >> 26) as usize] |= 1 << (run >> 20 & 63));
        runs
    }

    fn has(&self, hash: u32) -> bool {
        self.slots[self.slot(hash)] == hash
    }

    /// Where it is, or would be.
    fn slot(&self, hash: u32) -> usize {
        let last = self.slots.len() - 1;
        let mut at = hash as usize & last;
        while self.slots[at] != 0 && self.slots[at] != hash {
            at = (at + 1) & last;
        }
        at
    }
}

/// How much two sets must share to be near.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threshold(f64);

/// What two sets are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    Far,
    Near,
    Equal,
}

impl Threshold {
    /// Jaccard similarity, above 0.
    pub(crate) fn new(similarity: f64) -> Self {
        Self(similarity)
    }

    /// Whether what two sets share, of what they hold together, is enough. Two empty sets are equal.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn compare(self, a: &Table, b: &[u32]) -> Likeness {
        let needed = self.needed(a.elements + b.len());
        let Some(mut spare) = b.len().checked_sub(needed).filter(|_| a.elements >= needed) else {
            return Likeness::Far;
        };
        let maybe = b
            .iter()
            .fold(0_u64, |all, run| all.wrapping_add(a.bits[(run >> 26) as usize] >> (run >> 20 & 63) & 1));
        if (maybe as usize) < needed {
            return Likeness::Far;
        }
        let mut shared = 0;
        for element in b {
            if a.has(*element) {
                shared += 1;
            } else if spare == 0 {
                return Likeness::Far;
            } else {
                spare -= 1;
            }
        }
        if shared == a.elements && shared == b.len() { Likeness::Equal } else { Likeness::Near }
    }

    /// The least number that sets of so many elements, counted in each, must share.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn needed(self, all: usize) -> usize {
        let enough = |shared: usize| shared as f64 / (all - shared) as f64 >= self.0;
        let about = (all as f64 * self.0 / (1.0 + self.0)) as usize;
        (about.saturating_sub(1)..all).find(|shared| enough(*shared)).unwrap_or(all)
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::{Likeness, Table, Threshold, folded, runs};

    /// As it is defined.
    #[allow(clippy::cast_precision_loss)]
    fn jaccard(a: &[u32], b: &[u32]) -> f64 {
        let shared = a.iter().filter(|x| b.contains(x)).count();
        shared as f64 / (a.len() + b.len() - shared) as f64
    }

    fn set(text: &str) -> Vec<u32> {
        Table::default().fill(runs(text))
    }

    fn compare(a: &[u32], b: &[u32], threshold: f64) -> Likeness {
        let mut table = Table::default();
        table.fill(a.to_vec());
        Threshold::new(threshold).compare(&table, b)
    }

    #[test]
    fn a_set_has_each_run_once() {
        assert_eq!(set("abcdefg").len(), 3);
        assert_eq!(set("aaaaaaaaa").len(), 1);
        assert_eq!((set("abc").len(), set("").len()), (1, 0));
        assert_eq!(set("ñandú es").len(), 4);
    }

    #[test]
    fn a_run_is_the_same_wherever_it_stands() {
        let (a, b) = (runs("it rains cats"), runs("cats: it rains, it rains"));
        assert_eq!((a.len(), b.len()), (9, 20));
        assert_eq!((&a[..4], &a[..4]), (&b[6..10], &b[16..20]));
        assert_eq!(runs("x日本語だよ")[1..], runs("日本語だよ")[..]);
        assert_eq!(set("it rains cats").len(), 9);
    }

    #[test]
    fn the_share_of_runs_decides() {
        let like = |a: &str, b: &str, t: f64| compare(&set(a), &set(b), t);
        assert_eq!(like("abcdefgh", "abcdefgx", 0.6), Likeness::Near);
        assert_eq!(like("abcdefgh", "abcdefgx", 0.61), Likeness::Far);
        assert_eq!(like("abcdefgh", "abcdefgh", 1.0), Likeness::Equal);
        assert_eq!(like("abcdefgh", "ijklmnop", 0.5), Likeness::Far);
        assert_eq!((compare(&[], &[], 0.8), compare(&[], &[1], 0.8)), (Likeness::Equal, Likeness::Far));
    }

    #[test]
    fn it_decides_as_the_definition_does() {
        for (a, b, both) in (0..20).flat_map(|a| (0..20).flat_map(move |b| (0..20).map(move |c| (a, b, c)))) {
            let left: Vec<u32> = (1..=both).chain(100..100 + a).collect();
            let right: Vec<u32> = (1..=both).chain(200..200 + b).collect();
            for threshold in [0.5, 0.6, 0.8, 0.9, 1.0] {
                let near = compare(&left, &right, threshold) != Likeness::Far;
                let none = left.is_empty() && right.is_empty();
                assert_eq!(near, none || jaccard(&left, &right) >= threshold, "{a} {b} {both} {threshold}");
            }
        }
    }

    #[test]
    fn case_and_width_do_not_count() {
        assert_eq!(folded("ＷＯＷ Ünï"), "wow ünï");
        assert_eq!(folded("WOW"), "wow");
        let slow = |text: &str| text.nfkc().flat_map(char::to_lowercase).collect::<String>();
        for text in ["Wow 👍🏽 日本語 “Quoted”…", "e\u{301}", "한국어", "\u{1100}\u{1161}", "ﬁne ½ É", "𝐁𝐨𝐥𝐝 İ"]
        {
            assert_eq!(folded(text), slow(text));
        }
    }
}

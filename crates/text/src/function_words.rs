//! A vote by small words: `the`, `und`, `het` tell languages apart where a text is too short for
//! its letters to.

use crate::fold::Map;
use crate::language::Code;
use std::sync::OnceLock;

struct Words {
    codes: Vec<Code>,
    /// For each word the languages that have it, one bit each.
    languages: Map<&'static [u8], u32>,
    sieve: Sieve,
}

impl Words {
    /// Languages of a word; of its elided article (`l'eau`) or its ending (`world's`) where the
    /// word itself is not known; and of Spanish laughter, however long.
    fn of(&self, word: &[u8], apostrophes: bool) -> Option<u32> {
        if let Some(languages) = self.known(word) {
            return Some(languages);
        }
        if apostrophes && let Some(at) = memchr::memchr(b'\'', word) {
            return self.known(&word[..=at]).or_else(|| self.known(&word[at..]));
        }
        if word.starts_with(b"jaja") && word.iter().all(|b| matches!(b, b'j' | b'a')) {
            return self.known(b"jaja");
        }
        None
    }

    fn known(&self, word: &[u8]) -> Option<u32> {
        if self.sieve.passes(word) { self.languages.get(word).copied() } else { None }
    }
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut codes = Vec::new();
        let mut languages = Map::default();
        for line in include_str!("../data/function_words.tsv").lines() {
            let Some((code, list)) = line.split_once('\t') else {
                continue;
            };
            let bit = 1u32 << codes.len();
            codes.push(Code::new(code).unwrap_or(Code::UND));
            for word in list.split(' ') {
                *languages.entry(word.as_bytes()).or_default() |= bit;
            }
        }
        let sieve = Sieve::of(languages.keys().copied());
        Words { codes, languages, sieve }
    })
}

/// Says of most words that are not in a list that they are not: most words of a tweet are in none, and a table asks for all
/// their bytes and for memory that is far.
struct Sieve(Box<[u64; Sieve::BITS / 64]>);

impl Sieve {
    const BITS: usize = 1 << 15;

    fn of<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> Self {
        let mut sieve = Self(Box::new([0; Self::BITS / 64]));
        for word in words {
            let bit = Self::bit(word);
            sieve.0[bit / 64] |= 1 << (bit % 64);
        }
        sieve
    }

    /// Whether the word may be one of the list.
    fn passes(&self, word: &[u8]) -> bool {
        let bit = Self::bit(word);
        self.0[bit / 64] >> (bit % 64) & 1 != 0
    }

    /// By the word's length, its first two bytes and its last two.
    fn bit(word: &[u8]) -> usize {
        let end = match word {
            [.., a, b] => u32::from(*a) << 8 | u32::from(*b),
            [a] => u32::from(*a),
            [] => 0,
        };
        let start = match word {
            [a, b, ..] => u32::from(*a) << 8 | u32::from(*b),
            _ => 0,
        };
        let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
        let mixed =
            (start << 16 | end).wrapping_add(length.wrapping_mul(0x0101_6b43)).wrapping_mul(0x9e37_79b1);
        (mixed >> 17) as usize
    }
}

/// What the small words say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Vote {
    /// The language with most votes.
    pub(crate) code: Code,
    /// Its votes. A word that several languages share gives each a part.
    pub(crate) votes: f32,
    /// How far it is ahead of the next language.
    pub(crate) lead: f32,
}

/// Counts the small words of a text in lower case; none where it has none.
pub(crate) fn vote(text: &str) -> Option<Vote> {
    let words = words();
    let mut votes = [0f32; 32];
    let apostrophes = memchr::memchr(b'\'', text.as_bytes()).is_some();
    for word in text.as_bytes().split(|byte| *byte == b' ') {
        if let Some(mut languages) = words.of(word, apostrophes) {
            let part = 1.0 / f32::from(u8::try_from(languages.count_ones()).unwrap_or(u8::MAX));
            while languages != 0 {
                votes[languages.trailing_zeros() as usize] += part;
                languages &= languages - 1;
            }
        }
    }
    let mut best = 0;
    for index in 1..words.codes.len() {
        if votes[index] > votes[best] {
            best = index;
        }
    }
    if votes[best] == 0.0 {
        return None;
    }
    let next = (0..words.codes.len()).filter(|i| *i != best).map(|i| votes[i]).fold(0.0, f32::max);
    Some(Vote { code: words.codes[best], votes: votes[best], lead: votes[best] - next })
}

//! A vote by small words: `the`, `und`, `het` tell languages apart where a text is too short for
//! its letters to.

use crate::language::Code;
use crate::words::Table;
use std::sync::OnceLock;

struct Words {
    codes: Vec<Code>,
    /// For each word the languages that have it, one bit each.
    languages: Table<u32>,
}

impl Words {
    /// Languages of a word; of its elided article (`l'eau`) or its ending (`world's`) where the
    /// word itself is not known; and of Spanish laughter, however long.
    fn of(&self, word: &[u8], apostrophes: bool) -> Option<u32> {
        if let Some(languages) = self.languages.get(word) {
            return Some(languages);
        }
        if apostrophes && let Some(at) = memchr::memchr(b'\'', word) {
            return self.languages.get(&word[..=at]).or_else(|| self.languages.get(&word[at..]));
        }
        if word.starts_with(b"jaja") && word.iter().all(|b| matches!(b, b'j' | b'a')) {
            return self.languages.get(b"jaja");
        }
        None
    }
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut codes = Vec::new();
        let mut languages = Table::default();
        for line in include_str!("../data/function_words.tsv").lines() {
            let Some((code, list)) = line.split_once('\t') else {
                continue;
            };
            let bit = 1u32 << codes.len();
            codes.push(Code::new(code).unwrap_or(Code::UND));
            for word in list.split(' ') {
                *languages.entry(word.as_bytes(), 0) |= bit;
            }
        }
        Words { codes, languages }
    })
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

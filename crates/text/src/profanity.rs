//! A flag for swear words: a short list, whole words only, no claim beyond it.

use crate::fold::Set;
use crate::token::{Kind, Token};
use std::sync::OnceLock;

/// Bytes of the longest word.
const LONGEST: usize = 16;

struct Words {
    all: Set<&'static [u8]>,
    /// By the first byte of a word: the lengths of words that begin with it, one bit each. Most words of a tweet stop here.
    lengths: [u32; 256],
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lines = include_str!("../data/profanity.txt").lines().map(str::trim);
        let words = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all: Set<&[u8]> = words.map(str::as_bytes).collect();
        let mut lengths = [0; 256];
        for word in &all {
            lengths[usize::from(word[0])] |= 1 << word.len();
        }
        Words { all, lengths }
    })
}

/// Does a word or hashtag of the list in `data/profanity.txt` stand in the tweet?
#[must_use]
pub fn profane(tokens: &[Token]) -> bool {
    let words = words();
    tokens.iter().any(|token| {
        let word = match token.kind {
            Kind::Word => token.text,
            Kind::Hashtag => token.text.trim_start_matches('#'),
            _ => return false,
        };
        let word = word.as_bytes();
        let [first, ..] = word else { return false };
        let mut small = [0; LONGEST];
        let Some(small) = small.get_mut(..word.len()) else { return false };
        if words.lengths[usize::from(first.to_ascii_lowercase())] >> word.len() & 1 == 0 {
            return false;
        }
        small.copy_from_slice(word);
        small.make_ascii_lowercase();
        words.all.contains(&*small)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_small_and_fits() {
        for word in &words().all {
            assert!(word.len() <= LONGEST && !word.is_empty());
            assert_eq!(word.to_ascii_lowercase(), *word);
            assert!(!word.contains(&b' '));
        }
    }
}

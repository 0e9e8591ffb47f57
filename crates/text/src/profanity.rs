//! A flag for swear words: a short list, whole words only, no claim beyond it.

use crate::token::{Kind, Token};
use crate::words::{Short, Table};
use std::sync::OnceLock;

/// The words, all of them [`Short`].
fn list() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../data/profanity.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn words() -> &'static Table<()> {
    static WORDS: OnceLock<Table<()>> = OnceLock::new();
    WORDS.get_or_init(|| list().map(|word| (word.as_bytes(), ())).collect())
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
        Short::of(word.as_bytes()).is_some_and(|word| words.get_short(word.small()).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_small_and_short() {
        for word in list() {
            let short = Short::of(word.as_bytes());
            assert!(short.is_some_and(|short| short.small() == short), "{word}");
            assert!(!word.contains(' '), "{word}");
        }
    }
}

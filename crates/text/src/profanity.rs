//! A flag for swear words: a short list, whole words only, no claim beyond it.

use crate::token::{Kind, Token};
use std::collections::HashSet;
use std::sync::OnceLock;

fn words() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        include_str!("../data/profanity.txt")
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    })
}

/// Does a word or hashtag of the list in `data/profanity.txt` stand in the tweet?
#[must_use]
pub fn profane(tokens: &[Token]) -> bool {
    let words = words();
    tokens.iter().any(|token| {
        matches!(token.kind, Kind::Word | Kind::Hashtag)
            && words.contains(token.text.trim_start_matches('#').to_lowercase().as_str())
    })
}

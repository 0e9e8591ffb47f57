//! The text without what is not said by it, and its exact-copy key.

use crate::fold::{Fnv, is_alphabetic, is_caseless};
use crate::token::{Kind, Token};
use std::borrow::Cow;
use std::hash::Hasher;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Fewest letters of a text that gets a [`key`]: shorter ones ("good morning") are equal by chance.
pub const KEY_LETTERS: usize = 20;

/// `text_clean`: links, @mentions and the `RT @name:` of a retweet off, `#` off with its word kept,
/// white space folded to single spaces; case, emoji and punctuation kept.
///
/// `tokens` are those of [`tokenize`](crate::tokenize) for the same `text`.
#[must_use]
pub fn clean(text: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    let mut gap = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        // what is in no token is white space
        gap |= token.start > end;
        end = token.end();
        at += 1;
        let piece = match token.kind {
            Kind::Url | Kind::Mention => {
                gap = true;
                continue;
            }
            Kind::Word
                if token.text.eq_ignore_ascii_case("rt") && next.is_some_and(|t| t.kind == Kind::Mention) =>
            {
                // RT, the name, and its colon
                gap = true;
                end = tokens[at].end();
                at += 1;
                if let Some(colon) = tokens.get(at)
                    && colon.text == ":"
                {
                    end = colon.end();
                    at += 1;
                }
                continue;
            }
            Kind::Hashtag => token.text.trim_start_matches(['#', '＃']),
            _ => token.text,
        };
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        out.push_str(piece);
    }
    out
}

/// Hash of the text for finding exact copies, or none where it has fewer than [`KEY_LETTERS`] letters.
///
/// It is the 64-bit FNV-1a hash of the [clean](clean()) text in NFKC and lower case, as UTF-8: the
/// same on every platform and in every version of this crate. Digits stay, for they are facts.
#[must_use]
pub fn key(text: &str, tokens: &[Token]) -> Option<u64> {
    key_of_clean(&clean(text, tokens))
}

/// [`key`] for a text that is [clean](clean()) already.
#[must_use]
pub fn key_of_clean(cleaned: &str) -> Option<u64> {
    let mut hash = Fnv::default();
    let mut letters = 0;
    if cleaned.is_ascii() {
        for byte in cleaned.bytes() {
            letters += usize::from(byte.is_ascii_alphabetic());
            hash.byte(byte.to_ascii_lowercase());
        }
        return (letters >= KEY_LETTERS).then_some(hash.finish());
    }
    let mut take = |c: char| {
        if c.is_ascii() {
            letters += usize::from(c.is_ascii_alphabetic());
            hash.byte(c.to_ascii_lowercase() as u8);
            return;
        }
        // the tables of the standard library are slow: they are asked no more than needed
        letters += usize::from(letters < KEY_LETTERS && is_alphabetic(c));
        let mut byte = |c: char| c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| hash.byte(byte));
        if is_caseless(c) { byte(c) } else { c.to_lowercase().for_each(byte) }
    };
    // leaving starters out of the check can only make the check stricter
    if is_nfkc_quick(cleaned.chars().filter(|c| !is_nfkc(*c))) == IsNormalized::Yes {
        cleaned.chars().for_each(&mut take);
    } else {
        cleaned.nfkc().for_each(&mut take);
    }
    (letters >= KEY_LETTERS).then_some(hash.finish())
}

/// Of the commonest characters: NFKC has them as they are, and nothing before or behind them changes that but
/// a character that is none of them.
fn is_nfkc(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '\u{400}'..='\u{481}' | '\u{621}'..='\u{64a}' | '\u{e01}'..='\u{e30}' | '\u{e40}'..='\u{e46}' | '\u{2018}'..='\u{201e}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1f300}'..='\u{1faff}')
}

/// The text with the HTML entities that X writes (`&amp;`, `&lt;`, `&gt;`, `&quot;`, `&#39;`) as
/// the characters they stand for; once, so that `&amp;lt;` becomes `&lt;`.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    const ENTITIES: [(&str, char); 6] =
        [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\''), ("&apos;", '\'')];
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let tail = &rest[at..];
        let entity = ENTITIES.iter().find(|(name, _)| tail.starts_with(name));
        out.push_str(&rest[..at]);
        out.push(entity.map_or('&', |(_, c)| *c));
        rest = &tail[entity.map_or(1, |(name, _)| name.len())..];
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::char::canonical_combining_class;

    #[test]
    fn what_is_left_out_of_the_check_would_pass_it() {
        for c in ('\0'..=char::MAX).filter(|c| is_nfkc(*c)) {
            assert_eq!(is_nfkc_quick([c].into_iter()), IsNormalized::Yes, "{c:?}");
            assert_eq!(canonical_combining_class(c), 0, "{c:?}");
        }
    }

    /// [`key_of_clean`] as its comment has it.
    fn plain_key(cleaned: &str) -> Option<u64> {
        let mut hash = Fnv::default();
        let folded: String = cleaned.nfkc().flat_map(char::to_lowercase).collect();
        folded.bytes().for_each(|byte| hash.byte(byte));
        (cleaned.nfkc().filter(|c| c.is_alphabetic()).count() >= KEY_LETTERS).then_some(hash.finish())
    }

    proptest! {
        #[test]
        fn a_key_is_what_it_says(text in "(\\PC{0,3}|[a-zA-Z .]{0,9}|[…！Ａｚ～é\u{301}\u{308}ﾞｶか\u{3099}가ﬁ½]{0,4}){0,12}") {
            prop_assert_eq!(key_of_clean(&text), plain_key(&text), "{}", text);
        }
    }
}

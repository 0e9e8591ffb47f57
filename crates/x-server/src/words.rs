//! How the platform compares words: lower case, split at punctuation, each emoji and CJK sign a word of its own.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a text with a space before, between and after, so that a phrase is a plain substring.
#[must_use]
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for sign in text.chars().flat_map(char::to_lowercase) {
        if sign.is_alphanumeric() && !is_cjk(sign) || sign == '_' || is_combining_mark(sign) {
            out.push(sign);
        } else if is_symbol(sign) || is_cjk(sign) {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            out.push(sign);
            out.push(' ');
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// The same without accents; `None` where there are none.
#[must_use]
pub(crate) fn without_accents(folded: &str) -> Option<String> {
    if folded.is_ascii() {
        return None;
    }
    let plain: String = folded.nfd().filter(|sign| !is_combining_mark(*sign)).nfc().collect();
    (plain != folded).then_some(plain)
}

fn is_cjk(sign: char) -> bool {
    matches!(sign, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_symbol(sign: char) -> bool {
    matches!(sign, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_spaces() {
        assert_eq!(fold("Justin BIEBER's #New-Song"), " justin bieber s new song ");
        assert_eq!(fold("so🔥good"), " so 🔥 good ");
        assert_eq!(fold("音楽を"), " 音  楽  を ".replace("  ", " "));
        assert_eq!(fold(""), " ");
        assert_eq!(without_accents(&fold("Canción")).as_deref(), Some(" cancion "));
        assert_eq!(without_accents(&fold("song")), None);
    }
}

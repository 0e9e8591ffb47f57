//! What texts and tokens are made of, by the kinds of their characters.

use std::sync::LazyLock;

const LETTER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 4;
const PUNCTUATION: u8 = 8;
const QUESTION: u8 = 16;
const EXCLAMATION: u8 = 32;
const PICTOGRAPH: u8 = 64;

/// The kinds of the characters of the Basic Multilingual Plane, looked up once.
static KINDS: LazyLock<Box<[u8]>> =
    LazyLock::new(|| (0..0x1_0000).map(|code| char::from_u32(code).map_or(0, kinds)).collect());

fn kinds_of(c: char) -> u8 {
    KINDS.get(c as usize).copied().unwrap_or_else(|| kinds(c))
}

fn kinds(c: char) -> u8 {
    let mut all = if is_pictograph(c) { PICTOGRAPH } else { 0 };
    if c.is_alphabetic() {
        all |= LETTER | if c.is_uppercase() { UPPER } else { 0 };
    } else if c.is_numeric() {
        all |= DIGIT;
    } else if is_punctuation(c) {
        all |= PUNCTUATION;
        all |= if matches!(c, '?' | '？' | '؟') { QUESTION } else { 0 };
        all |= if matches!(c, '!' | '！') { EXCLAMATION } else { 0 };
    }
    all
}

/// ASCII punctuation and signs, and the punctuation of Latin-1, Arabic, General Punctuation, CJK and
/// the full-width forms.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '،' | '؛' | '؟'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '・'
            | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

/// Pictographs and dingbats, the letters of flags, and the frame of keycaps.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}'
        | '\u{231a}'..='\u{23ff}' | '\u{20e3}' | '\u{fe0f}')
}

/// What a text is made of.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) chars: u32,
    pub(crate) letters: u32,
    pub(crate) upper: u32,
    pub(crate) digits: u32,
    pub(crate) punctuation: u32,
    pub(crate) questions: u32,
    pub(crate) exclamations: u32,
}

impl Marks {
    pub(crate) fn of(text: &str) -> Self {
        let mut found = Self::default();
        for c in text.chars() {
            let kinds = kinds_of(c);
            let is = |kind: u8| u32::from(kinds & kind > 0);
            found.chars += 1;
            found.letters += is(LETTER);
            found.upper += is(UPPER);
            found.digits += is(DIGIT);
            found.punctuation += is(PUNCTUATION);
            found.questions += is(QUESTION);
            found.exclamations += is(EXCLAMATION);
        }
        found
    }
}

/// What the tokens of a text are, by their form: their kinds are not stored.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) words: u32,
    /// Code points of the words.
    pub(crate) letters: u32,
    pub(crate) emoji: u32,
}

impl Words {
    pub(crate) fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for token in tokens {
            let Some(first) = token.chars().next() else { continue };
            let ascii = token.is_ascii();
            if kinds_of(first) & LETTER > 0 && !is_link(token) {
                let length = if ascii { token.len() } else { token.chars().count() };
                found.words += 1;
                found.letters += u32::try_from(length).unwrap_or(u32::MAX);
            } else if !ascii && token.chars().any(|c| kinds_of(c) & PICTOGRAPH > 0) {
                found.emoji += 1;
            }
        }
        found
    }
}

fn is_link(token: &str) -> bool {
    let bytes = token.as_bytes();
    bytes.windows(3).any(|three| three == b"://")
        || token.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."))
}

#[cfg(test)]
mod tests {
    use super::{Marks, Words, is_link};

    #[test]
    fn texts_are_counted_by_code_point() {
        let m = Marks::of("¿Qué? Ünï 42!! 日本語？");
        assert_eq!((m.chars, m.letters, m.upper, m.digits), (19, 9, 2, 2));
        assert_eq!((m.punctuation, m.questions, m.exclamations), (5, 2, 2));
    }

    #[test]
    fn tokens_are_told_by_their_form() {
        let w = Words::of(
            [
                "don't",
                "@name",
                "#tag",
                "$CASH",
                "https://t.co/a",
                "www.x.org",
                "3.5",
                "...",
                "👩‍🚀",
                "1️⃣",
                "❤️",
                "日本",
            ]
            .into_iter(),
        );
        assert_eq!((w.words, w.letters, w.emoji), (2, 7, 3));
        assert!(!is_link("wwwé"));
    }
}

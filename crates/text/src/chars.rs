//! Small tables of characters, abbreviations and domain endings.

/// White space, controls, and the invisible marks that carry no meaning in a tweet.
#[must_use]
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Scripts that write no spaces between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
        | '\u{3038}'..='\u{303c}' | '\u{3041}'..='\u{30ff}' | '\u{3100}'..='\u{312f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff10}'..='\u{ff19}'
        | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// A letter, digit or mark of any script. The common blocks are named first: the tables of the
/// standard library are slow.
pub(crate) fn is_letter(c: char) -> bool {
    match c {
        '\u{c0}'..='\u{24f}' => c != '×' && c != '÷',
        '\u{2010}'..='\u{205f}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{1f000}'..='\u{1faff}' => false,
        '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30fe}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{388}'..='\u{38a}'
        | '\u{38e}'..='\u{3a1}'
        | '\u{3a3}'..='\u{3ff}'
        | '\u{400}'..='\u{481}'
        | '\u{48a}'..='\u{52f}'
        | '\u{620}'..='\u{64a}'
        | '\u{671}'..='\u{6d3}'
        | '\u{905}'..='\u{939}'
        | '\u{93e}'..='\u{94d}'
        | '\u{e01}'..='\u{e3a}'
        | '\u{e40}'..='\u{e4e}' => c != '\u{3f6}',
        _ => c.is_alphanumeric() && !is_emoji(c) || is_mark(c),
    }
}

/// A letter beyond ASCII of a script that writes spaces.
pub(crate) fn is_spaced_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    !is_unspaced(c) && is_letter(c)
}

/// Combining marks: they belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}'
        | '\u{a4d}' | '\u{abc}' | '\u{acd}' | '\u{b3c}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}'
        | '\u{dca}' | '\u{e38}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb8}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}'
        | '\u{1037}' | '\u{1039}'..='\u{103a}' | '\u{17c9}'..='\u{17d3}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20f0}'
        | '\u{3099}'..='\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

/// What may stand in a hashtag.
pub(crate) fn is_tag_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    is_letter(c) || matches!(c, '・' | '\u{200c}' | '\u{200d}' | '〜' | '\u{b7}')
}

/// Pictographs: the emoji blocks and the older symbols that are drawn as emoji or as ornaments.
pub(crate) fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}'..='\u{2b1c}'
        | '\u{2b50}' | '\u{2b55}' | '\u{231a}'..='\u{231b}' | '\u{2328}' | '\u{23cf}' | '\u{23e9}'..='\u{23fa}'
        | '\u{25aa}'..='\u{25ab}' | '\u{25b6}' | '\u{25c0}' | '\u{25fb}'..='\u{25fe}' | '\u{2934}'..='\u{2935}'
        | '\u{24c2}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{e000}'..='\u{f8ff}')
}

/// Abbreviations that end in a dot.
pub(crate) fn is_abbreviation(word: &str) -> bool {
    const LIST: [&str; 14] =
        ["mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "prof", "rev", "gen", "sgt", "sen", "gov"];
    word.len() <= 4 && word.len() >= 2 && LIST.iter().any(|a| a.eq_ignore_ascii_case(word))
}

/// Words that are written with an apostrophe for what was cut off at their front.
pub(crate) fn is_cut_word(word: &str) -> bool {
    const LIST: [&str; 12] =
        ["cause", "cuz", "em", "bout", "til", "till", "n", "tis", "twas", "round", "ere", "nuff"];
    LIST.iter().any(|w| w.eq_ignore_ascii_case(word))
        || (word.len() == 3 && word.as_bytes()[..2].iter().all(u8::is_ascii_digit) && word.ends_with('s'))
}

/// Domain endings that make a link even without a path.
pub(crate) fn is_generic_domain(top: &str) -> bool {
    const LIST: [&str; 22] = [
        "com", "net", "org", "edu", "gov", "info", "biz", "tv", "fm", "ly", "io", "uk", "gl", "app", "dev",
        "social", "mobi", "de", "fr", "jp", "br", "eu",
    ];
    LIST.iter().any(|t| t.eq_ignore_ascii_case(top))
}

/// Domain endings that make a link when a path follows: any generic one, or two to four small letters.
pub(crate) fn is_top_domain(top: &str) -> bool {
    is_generic_domain(top) || ((2..=4).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{is_emoji, is_letter, is_mark};

    #[test]
    fn the_blocks_that_are_named_are_as_the_standard_library_has_them() {
        for c in '\0'..=char::MAX {
            let wanted = c.is_alphanumeric() && !is_emoji(c) || is_mark(c);
            assert_eq!(is_letter(c), wanted, "{c:?} {:x}", c as u32);
        }
    }
}

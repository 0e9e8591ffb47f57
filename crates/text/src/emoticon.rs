//! Faces, hearts and arms made of ASCII signs.

/// Emoticons that no pattern below makes.
const FIXED: [&str; 34] = [
    "</3", "<3", "^_^", "^.^", "^^", "-_-", "-__-", "-___-", "-.-", ">_<", ">.<", ">_>", "<_<", "._.", ";_;",
    "*_*", "*.*", "@_@", "$_$", "=_=", "^-^", "^o^", "\\o/", "\\m/", "\\O/", "(:", "(;", "(=", "):", ";-)",
    "'_'", "<.<", ">.>", "._,",
];

/// Emoticons that start with a letter or digit and stand alone.
const LETTERS: [&str; 19] = [
    "xD", "XD", "xd", "Xd", "xP", "XP", "o_O", "O_o", "o_o", "O_O", "o.O", "O.o", "o.o", "T_T", "T.T", "D:",
    "D=", "D;", "8-)",
];

/// An emoticon of punctuation at `start`.
pub(crate) fn at(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let rest = &bytes[start..];
    if rest.len() < 2 || !b":;=><^-.*@$\\()'[]/".contains(&rest[0]) {
        return None;
    }
    sideways(rest).or_else(|| mirrored(rest)).or_else(|| fixed(rest, &FIXED)).map(|n| start + n)
}

/// An emoticon that begins with a letter or digit, at a word's start.
pub(crate) fn starting_with_letter(text: &str, start: usize) -> Option<usize> {
    let rest = &text.as_bytes()[start..];
    if !b"xXoOTD8".contains(&rest[0]) {
        return None;
    }
    let mut n = fixed(rest, &LETTERS)?;
    // xDDD
    if matches!(rest[n - 1], b'D') {
        while rest.get(n) == Some(&b'D') {
            n += 1;
        }
    }
    ends(rest, n).then_some(start + n)
}

fn fixed(rest: &[u8], list: &[&str]) -> Option<usize> {
    let begins = |e: &&&str| e.as_bytes()[0] == rest[0] && rest.starts_with(e.as_bytes());
    list.iter().filter(begins).map(|e| e.len()).max()
}

/// No letter or digit goes on at `n`.
fn ends(rest: &[u8], n: usize) -> bool {
    rest.get(n).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_')
}

/// `:)`, `;-P`, `='(`, `>:D`: brow, eyes, nose, mouth.
fn sideways(rest: &[u8]) -> Option<usize> {
    let mut n = 0;
    if matches!(rest[0], b'>' | b'<') {
        n = 1;
    }
    if !matches!(rest.get(n)?, b':' | b';' | b'=') {
        return None;
    }
    n += 1;
    loop {
        match rest.get(n) {
            Some(b'-' | b'\'' | b'^' | b'~') => {}
            Some(b'o') if matches!(rest.get(n + 1), Some(b')' | b'(')) => {}
            _ => break,
        }
        n += 1;
        if n > 4 {
            return None;
        }
    }
    let mouth = *rest.get(n)?;
    let known = b")]}([D|/\\*$@#&PpdOoXxSsbBLcC".contains(&mouth) || mouth == b'3' && rest[n - 1] == b':';
    if !known {
        return None;
    }
    if mouth == b'/' && rest.get(n + 1) == Some(&b'/') {
        return None;
    }
    while rest.get(n) == Some(&mouth) {
        n += 1;
    }
    (!mouth.is_ascii_alphanumeric() || ends(rest, n)).then_some(n)
}

/// `(:`, `(-;`, `(=`: mouth, nose, eyes.
fn mirrored(rest: &[u8]) -> Option<usize> {
    if !matches!(rest[0], b'(' | b')' | b'[' | b']') {
        return None;
    }
    let mut n = 1;
    while rest.get(n) == Some(&rest[0]) {
        n += 1;
    }
    if matches!(rest.get(n), Some(b'-' | b'\'' | b'o' | b'^')) {
        n += 1;
    }
    if !matches!(rest.get(n), Some(b':' | b';' | b'=')) {
        return None;
    }
    n += 1;
    ends(rest, n).then_some(n).filter(|_| !matches!(rest.get(n), Some(b'/' | b'(' | b')')))
}

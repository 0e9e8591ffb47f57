//! The grammar of JSON (RFC 8259): what is behind a value that nobody wants, or nothing if it is no JSON; and what a string means.
//!
//! What is taken for JSON here is JSON to serde_json too, and means the same: tests hold them against each other.

use crate::scan::{mark, plain_end};

/// What is behind a value that begins here.
pub(crate) fn value(text: &[u8]) -> Option<&[u8]> {
    // Brackets that are open: whether each is an object's.
    let mut open: Vec<bool> = Vec::new();
    let mut rest = text;
    loop {
        let after = match rest {
            [b'{', inside @ ..] => match space(inside) {
                [b'}', after @ ..] => after,
                inside => {
                    open.push(true);
                    rest = key(inside)?;
                    continue;
                }
            },
            [b'[', inside @ ..] => match space(inside) {
                [b']', after @ ..] => after,
                inside => {
                    open.push(false);
                    rest = inside;
                    continue;
                }
            },
            [b'"', inside @ ..] => string(inside)?,
            _ => word(rest)?,
        };
        rest = after;
        // Brackets that close behind a value, and what separates it from the next.
        loop {
            let Some(object) = open.last() else { return Some(rest) };
            match (space(rest), object) {
                ([b',', next @ ..], true) => {
                    rest = key(space(next))?;
                    break;
                }
                ([b',', next @ ..], false) => {
                    rest = space(next);
                    break;
                }
                ([b'}', after @ ..], true) | ([b']', after @ ..], false) => {
                    open.pop();
                    rest = after;
                }
                _ => return None,
            }
        }
    }
}

/// What is behind white space.
#[inline(always)]
fn space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

/// What is behind a string and a colon, and the white space around that.
#[inline(always)]
fn key(text: &[u8]) -> Option<&[u8]> {
    let [b'"', rest @ ..] = text else { return None };
    let [b':', rest @ ..] = space(string(rest)?) else { return None };
    Some(space(rest))
}

/// What is behind a string whose opening quote was read.
#[inline(always)]
fn string(text: &[u8]) -> Option<&[u8]> {
    match plain_end::<false>(text) {
        Some(length) => text.get(length + 1..),
        None => long_string(text),
    }
}

#[inline(never)]
fn long_string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let found = match text.first_chunk() {
            Some(block) => mark::<false>(block),
            None => text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)),
        };
        text = match text.get(found.unwrap_or(32)..)? {
            rest if found.is_none() => rest,
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
            [b'\\', b'u', a, b, c, d, rest @ ..] if [a, b, c, d].iter().all(|b| b.is_ascii_hexdigit()) => {
                rest
            }
            _ => return None,
        }
    }
}

/// What is behind a number, `true`, `false` or `null`.
#[inline]
pub(crate) fn word(text: &[u8]) -> Option<&[u8]> {
    if let [b't', b'r', b'u', b'e', rest @ ..]
    | [b'f', b'a', b'l', b's', b'e', rest @ ..]
    | [b'n', b'u', b'l', b'l', rest @ ..] = text
    {
        return Some(rest);
    }
    let mut rest = match text.strip_prefix(b"-").unwrap_or(text) {
        [b'0', rest @ ..] => rest,
        rest => digits(rest)?,
    };
    if let [b'.', after @ ..] = rest {
        rest = digits(after)?;
    }
    if let [b'e' | b'E', after @ ..] = rest {
        rest = digits(match after {
            [b'+' | b'-', after @ ..] => after,
            after => after,
        })?;
    }
    Some(rest)
}

/// What is behind one digit or more.
#[inline(always)]
fn digits(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// What is meant by what is written between quotes; nothing if an escape means nothing.
pub(crate) fn unescape(written: &str) -> Option<String> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = &rest.as_bytes()[at + 1..];
        let (char, length) = match escape {
            [b'u', digits @ ..] => match unit(digits)? {
                high @ 0xd800..0xdc00 => {
                    let low = unit(digits.get(4..)?.strip_prefix(b"\\u")?)?
                        .checked_sub(0xdc00)
                        .filter(|low| *low < 0x400)?;
                    (char::from_u32(0x1_0000 + ((high - 0xd800) << 10 | low))?, 11)
                }
                unit => (char::from_u32(unit)?, 5),
            },
            [byte, ..] => {
                let char = match byte {
                    b'"' | b'\\' | b'/' => char::from(*byte),
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    _ => return None,
                };
                (char, 1)
            }
            [] => return None,
        };
        out.push(char);
        rest = rest.get(at + 1 + length..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// The UTF-16 unit that four hexadecimal digits name.
fn unit(digits: &[u8]) -> Option<u32> {
    let digits: &[u8; 4] = digits.first_chunk()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn ours(text: &str) -> bool {
        let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
        value(text.as_bytes()).is_some_and(|rest| space(rest).is_empty())
    }

    fn theirs(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    /// Pieces that make JSON, or nearly.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "\t", "-", "0", "1", "90", ".", "e",
                "E+", "true", "false", "null", "tru", "\"a\":", "\"b\"", "\\u00e9", "\\ud83d", "\\u12",
                "\\\"", "\\/", "\\x", "\0", "\u{1f}", "\u{7f}", "é", "{}", "[]",
            ])
            .prop_map(str::to_owned),
            "[ -~]{0,40}",
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// A good value, and one with a byte changed, put in or taken out.
    fn damaged() -> impl Strategy<Value = (String, String)> {
        let leaf = prop_oneof![
            Just("-0.5e-7".to_owned()),
            Just("12".to_owned()),
            Just("null".to_owned()),
            any::<String>().prop_map(|it| serde_json::to_string(&it).unwrap()),
            "[a-z/]{0,80}".prop_map(|it| format!("\"{}\"", it.replace('/', "\\/"))),
        ];
        let value = leaf.prop_recursive(5, 60, 8, |inner| {
            let entry =
                ("[a-z]{1,40}", inner.clone()).prop_map(|(key, value)| format!("\"{key}\" : {value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..8).prop_map(|it| format!("[{}]", it.join(", "))),
                prop::collection::vec(entry, 0..8).prop_map(|it| format!("{{{}}}", it.join(","))),
            ]
        });
        (value, any::<prop::sample::Index>(), 0..128_u8, 0..3).prop_map(|(value, at, byte, how)| {
            let mut bad: Vec<char> = value.chars().collect();
            let at = at.index(bad.len());
            match how {
                0 => bad[at] = char::from(byte),
                1 => bad.insert(at, char::from(byte)),
                _ => drop(bad.remove(at)),
            }
            (value, bad.into_iter().collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn both_say_the_same(text in text()) {
            prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
        }

        #[test]
        fn both_read_the_same_string(text in "(\\\\u[dD][89abcdABCDeF][0-9a-fA-F]{2}|\\\\u[0-9a-f]{4}|\\\\[\"\\\\/bfnrtx]|\\\\u[0-9a-f+]{0,4}|[a-zé ]){0,12}") {
            let theirs: Option<String> = serde_json::from_str(&format!("\"{text}\"")).ok();
            prop_assert_eq!(unescape(&text), theirs, "{}", text);
        }

        #[test]
        fn both_say_the_same_of_what_is_nearly_good((good, bad) in damaged()) {
            prop_assert!(ours(&good) && theirs(&good), "{:?}", good);
            prop_assert_eq!(ours(&bad), theirs(&bad), "{:?}", bad);
        }
    }
}

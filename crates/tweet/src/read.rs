//! Reads JSON: takes what is asked for and steps over the rest.
//!
//! Of a tweet's 4 kB and 112 keys little is wanted, and each line is read twice, by `ingest` and by `clean`; a library that
//! looks at every byte by itself took as long as most that is said about the text. So this goes by 32 or 64 bytes at once. What
//! is taken is held to the grammar as it is read; what is stepped over is too ([`json`]), unless the value is known to be JSON:
//! then brackets are counted. Numbers that are more than digits are serde_json's, and so are the words about what is no JSON.

use std::borrow::Cow;

use crate::json;
use crate::reject::{Code, Reject};
use crate::scan::{Block, Marks, escaped, odd, plain_end};

/// A number as JSON writes it.
pub(crate) enum Number {
    /// Digits alone.
    Natural(u64),
    /// A minus sign and digits.
    Negative(i64),
    /// Anything else.
    Real(f64),
}

/// Why reading ends; small, because most answers of a [`Reader`] are none.
pub(crate) type Fault = Box<Reject>;

/// A place in a value. Is the value `KNOWN` to be JSON? If it is not, whatever its bytes are, the place may be anywhere, and also
/// behind the end: bytes are taken by `get` alone.
pub(crate) struct Reader<'a, const KNOWN: bool> {
    text: &'a str,
    at: usize,
    /// A bracket was opened just before. (Nobody asks where the value is known.)
    fresh: bool,
}

impl<'a, const KNOWN: bool> Reader<'a, KNOWN> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, fresh: false }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The byte that the next value, key, bracket or sign begins with; the place is there then. Where the value is known, commas and
    /// colons are no more than white space.
    #[inline(always)]
    pub fn next(&mut self) -> Result<u8, Fault> {
        let mut at = self.at;
        while let Some(byte) = self.text.as_bytes().get(at) {
            let between =
                matches!(byte, b' ' | b'\t' | b'\n' | b'\r') || KNOWN && matches!(byte, b',' | b':');
            if !between {
                self.at = at;
                return Ok(*byte);
            }
            at += 1;
        }
        Err(self.not_json())
    }

    /// Steps into the object or list that begins here.
    #[inline]
    pub fn enter(&mut self) {
        self.at += 1;
        self.fresh = true;
    }

    /// The next key of an object and its [`hash`], or the object's end, stepped over. A key with escapes is answered as the one of
    /// `names` that it spells, or as an empty one.
    #[inline(always)]
    pub fn key(&mut self, names: &[&'static str]) -> Result<Option<(u64, &'a [u8])>, Fault> {
        let (byte, comma) = self.next_of_many()?;
        match byte {
            b'"' => {
                let start = self.at + 1;
                if self.string()? {
                    let key = self.escaped_key(start - 1, names)?;
                    return Ok(Some((hash(key), key)));
                }
                let bytes = self.text.as_bytes();
                let Some(key) = bytes.get(start..self.at - 1) else { return Err(self.not_json()) };
                let hash = match bytes.get(start..start + 8).and_then(|word| word.first_chunk()) {
                    Some(word) => hash_of(u64::from_le_bytes(*word), key.len()),
                    None => hash(key),
                };
                Ok(Some((hash, key)))
            }
            b'}' if !comma => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(self.not_json()),
        }
    }

    #[cold]
    fn escaped_key(&self, start: usize, names: &[&'static str]) -> Result<&'static [u8], Fault> {
        let key = self.unescaped(start)?;
        Ok(names.iter().find(|name| **name == key).map_or(b"", |name| name.as_bytes()))
    }

    /// Steps over the colon behind a key.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<(), Fault> {
        if KNOWN {
            return Ok(());
        }
        let colon = self.next()? == b':';
        self.at += 1;
        if colon { Ok(()) } else { Err(self.not_json()) }
    }

    /// Whether a list has another item; its end is stepped over.
    #[inline]
    pub fn item(&mut self) -> Result<bool, Fault> {
        let (byte, comma) = self.next_of_many()?;
        match byte {
            b']' if !comma => {
                self.at += 1;
                Ok(false)
            }
            b']' => Err(self.not_json()),
            _ => Ok(true),
        }
    }

    /// The byte that the next key, item or closing bracket begins with, and whether a comma was before it: behind the first one
    /// there must be.
    #[inline(always)]
    fn next_of_many(&mut self) -> Result<(u8, bool), Fault> {
        if KNOWN {
            return Ok((self.next()?, false));
        }
        let fresh = std::mem::take(&mut self.fresh);
        let comma = self.next()? == b',';
        self.at += usize::from(comma);
        let byte = self.next()?;
        match (fresh, comma) {
            (true, false) | (false, true) => Ok((byte, comma)),
            (false, false) if matches!(byte, b'}' | b']') => Ok((byte, comma)),
            _ => Err(self.not_json()),
        }
    }

    /// The value must end here.
    pub fn end(&mut self) -> Result<(), Fault> {
        if self.next().is_ok() { Err(self.not_json()) } else { Ok(()) }
    }

    /// Notes the bit of a key that was just read, which may be there once.
    #[inline]
    pub fn once(&self, seen: &mut u128, bit: u32, key: &str) -> Result<(), Fault> {
        let mask = 1 << bit;
        if *seen & mask != 0 {
            return Err(self.fault(1, Code::DuplicateKey, &format!("duplicate field `{key}`")));
        }
        *seen |= mask;
        Ok(())
    }

    /// What is wrong with what was read last, `back` bytes before this place.
    #[cold]
    pub fn fault(&self, back: usize, code: Code, detail: &str) -> Fault {
        Box::new(Reject { code, offset: self.at - back, detail: detail.to_owned() })
    }

    #[cold]
    fn not_json(&self) -> Fault {
        self.fault(0, Code::NotJson, "no JSON")
    }

    /// The string that begins here.
    #[inline]
    pub fn text(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        match self.string()? {
            false => self.written(start + 1, self.at - 1).map(Cow::Borrowed),
            true => self.unescaped(start).map(Cow::Owned),
        }
    }

    #[inline]
    fn written(&self, start: usize, end: usize) -> Result<&'a str, Fault> {
        self.text.get(start..end).ok_or_else(|| self.not_json())
    }

    /// The string that is written from `start` to here.
    #[inline(never)]
    fn unescaped(&self, start: usize) -> Result<String, Fault> {
        let plain = self.written(start + 1, self.at - 1).ok().and_then(json::unescape);
        plain.map_or_else(|| self.serde(start), Ok)
    }

    /// What serde_json reads from `start` to here.
    fn serde<T: serde::de::DeserializeOwned>(&self, start: usize) -> Result<T, Fault> {
        let token = self.written(start, self.at)?;
        serde_json::from_str(token).map_err(|error: serde_json::Error| match error.is_eof() {
            // The token ends, the value does not: what is wrong is told of the whole.
            true => self.not_json(),
            false => Box::new(Reject::json(token, &error).inside(self.text, token)),
        })
    }

    /// The number that begins here.
    #[inline]
    pub fn number(&mut self) -> Result<Number, Fault> {
        // A number of so many digits fits.
        const DIGITS: usize = 19;
        let (start, rest) = (self.at, self.rest());
        let (mut number, mut digits) = (0, 0);
        while let Some(byte @ b'0'..=b'9') = rest.get(digits)
            && digits < DIGITS
        {
            number = number * 10 + u64::from(byte - b'0');
            digits += 1;
        }
        match rest.get(digits) {
            Some(b',' | b'}' | b']' | b' ') if digits == 1 || digits > 1 && rest[0] != b'0' => {
                self.at += digits;
                Ok(Number::Natural(number))
            }
            _ => {
                self.word()?;
                self.real(start)
            }
        }
    }

    #[inline(never)]
    fn real(&self, start: usize) -> Result<Number, Fault> {
        let number: serde_json::Number = self.serde(start)?;
        let whole = number.as_u64().map(Number::Natural).or(number.as_i64().map(Number::Negative));
        whole.or(number.as_f64().map(Number::Real)).ok_or_else(|| self.not_json())
    }

    /// Steps over a number, `true`, `false` or `null`.
    #[inline]
    pub fn word(&mut self) -> Result<(), Fault> {
        if !KNOWN {
            return self.behind(json::word(self.rest()));
        }
        let rest = self.rest();
        let numeric = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        self.at += match rest {
            [b'n' | b't', ..] => 4,
            [b'f', ..] => 5,
            _ => rest.iter().position(|b| !numeric(b)).unwrap_or(rest.len()),
        };
        Ok(())
    }

    /// Steps to the rest of the text, if there is one.
    #[inline]
    fn behind(&mut self, rest: Option<&[u8]>) -> Result<(), Fault> {
        let Some(rest) = rest else { return Err(self.not_json()) };
        self.at = self.text.len() - rest.len();
        Ok(())
    }

    /// The next value, as it is written.
    pub fn raw(&mut self) -> Result<&'a str, Fault> {
        self.next()?;
        let start = self.at;
        self.skip()?;
        self.written(start, self.at)
    }

    /// Steps over the next value.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Fault> {
        match self.next()? {
            _ if !KNOWN => self.behind(json::value(self.rest())),
            b'"' => self.string().map(drop),
            b'{' | b'[' => self.nested(),
            _ => self.word(),
        }
    }

    /// Steps over the string that begins here; says whether anything is escaped in it.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, Fault> {
        let start = self.at + 1;
        match self.text.as_bytes().get(start..).and_then(plain_end::<KNOWN>) {
            Some(length) => {
                self.at = start + length + 1;
                Ok(false)
            }
            None => self.long_string(start),
        }
    }

    #[inline(never)]
    fn long_string(&mut self, mut at: usize) -> Result<bool, Fault> {
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            let Some(rest) = bytes.get(at..) else { return Err(self.not_json()) };
            let Block { mut quotes, mut slashes, controls } = match rest.first_chunk() {
                Some(block) => Block::of(block),
                None => Block::of_last(rest),
            };
            // A byte behind the block, if its last one escapes it.
            let mut over = 0;
            while slashes != 0 {
                let slash = slashes & slashes.wrapping_neg();
                if quotes & (slash - 1) != 0 {
                    break;
                }
                escaped = true;
                over = usize::from(slash >> 31 != 0);
                quotes &= !(slash << 1);
                slashes &= !(slash | slash << 1);
            }
            // What is before the quote, or all.
            let before = if quotes == 0 { !0 } else { (quotes & quotes.wrapping_neg()) - 1 };
            if !KNOWN && controls & before != 0 {
                return Err(self.not_json());
            }
            if quotes != 0 {
                self.at = at + quotes.trailing_zeros() as usize + 1;
                return Ok(escaped);
            }
            if rest.len() < 32 {
                return Err(self.not_json());
            }
            at += 32 + over;
        }
    }

    /// Steps over the object or list that begins here, 64 bytes at once. Which quotes are escaped, and what is between quotes,
    /// is computed as in Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019), 3.1.
    #[inline(never)]
    fn nested(&mut self) -> Result<(), Fault> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_u32;
        // All ones if the block before ended inside a string; one if it ended in a backslash that counts.
        let (mut inside, mut escape) = (0_u64, 0_u64);
        while let Some(block) = bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            let Marks { mut quotes, slashes, mut open, mut close } = Marks::of(block);
            if slashes | escape != 0 {
                quotes &= !escaped(slashes, &mut escape);
            }
            let strings = odd(quotes) ^ inside;
            inside = 0_u64.wrapping_sub(strings >> 63);
            open &= !strings;
            close &= !strings;
            let (opened, closed) = (open.count_ones(), close.count_ones());
            if closed >= depth {
                // It may end in this block: where as many are closed as were open before and have been opened up to there.
                let (mut left, mut gone) = (close, 0);
                while left != 0 {
                    let lowest = left & left.wrapping_neg();
                    gone += 1;
                    if depth + (open & (lowest - 1)).count_ones() <= gone {
                        self.at += lowest.trailing_zeros() as usize + 1;
                        return Ok(());
                    }
                    left ^= lowest;
                }
            }
            depth = depth + opened - closed;
            self.at += 64;
        }
        self.at = bytes.len();
        Err(self.not_json())
    }
}

/// A number that keys of one object hardly share: what it is depends on their first eight bytes and their length.
pub(crate) const fn hash(key: &[u8]) -> u64 {
    let mut word = [0; 8];
    let mut n = 0;
    while n < word.len() && n < key.len() {
        word[n] = key[n];
        n += 1;
    }
    hash_of(u64::from_le_bytes(word), key.len())
}

/// The same, of the eight bytes that begin with the key.
#[inline(always)]
const fn hash_of(word: u64, length: usize) -> u64 {
    let others = if length < 8 { !0 << (8 * length) } else { 0 };
    (word & !others).wrapping_add((length as u64) << 56)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn place<const KNOWN: bool>() {
        let mut reader = Reader::<KNOWN>::new(r#" {"a\"b" : [1, "]", {"c":"\\"}],"d":null} x"#);
        let key =
            |reader: &mut Reader<'static, KNOWN>| reader.key(&["a", "a\"b"]).unwrap().map(|(_, key)| key);
        reader.next().unwrap();
        reader.enter();
        assert_eq!(key(&mut reader).unwrap(), b"a\"b");
        reader.colon().unwrap();
        assert_eq!(reader.raw().unwrap(), r#"[1, "]", {"c":"\\"}]"#);
        assert_eq!(key(&mut reader).unwrap(), b"d");
        reader.colon().unwrap();
        assert_eq!(reader.raw().unwrap(), "null");
        assert!(key(&mut reader).is_none());
        assert_eq!(reader.rest(), b" x");
        assert!(reader.end().is_err());
    }

    #[test]
    fn places() {
        place::<true>();
        place::<false>();
    }

    /// A string, with many backslashes and brackets in it.
    fn string() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\\\\"),
            Just("\\\""),
            Just("]"),
            Just("{"),
            Just("\\u005c"),
            Just("é"),
            Just("abcdefgh")
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![string(), Just("-1.5e3".to_owned()), Just("true".to_owned())].prop_recursive(
            6,
            200,
            12,
            |inner| {
                let entry = (string(), inner.clone()).prop_map(|(key, value)| format!("{key}:{value}"));
                prop_oneof![
                    prop::collection::vec(inner, 0..12).prop_map(|it| format!("[{}]", it.join(","))),
                    prop::collection::vec(entry, 0..12).prop_map(|it| format!("{{{}}}", it.join(" , "))),
                ]
            },
        )
    }

    proptest! {
        #[test]
        fn a_value_ends_where_serde_says(value in value(), rest in "[]}\"{ ,a-z]{0,70}") {
            serde_json::from_str::<serde::de::IgnoredAny>(&value).unwrap();
            let text = format!("{value},{rest}");
            prop_assert_eq!(Reader::<true>::new(&text).raw().unwrap(), &value);
            prop_assert_eq!(Reader::<false>::new(&text).raw().unwrap(), value);
        }

        #[test]
        fn what_is_no_json_ends_too(text in "([]\\[{}:,\"\\\\ a-z0-9]|é){0,200}") {
            let _ = (Reader::<true>::new(&text).raw(), Reader::<false>::new(&text).raw());
        }
    }
}

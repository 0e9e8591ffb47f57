//! Ids, and the time that an id carries.

use std::borrow::Cow;
use std::fmt;

/// Where a tweet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// X, formerly Twitter.
    X,
    /// Bluesky.
    Bluesky,
}

impl Source {
    /// The name used outside memory.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::X => "x",
            Source::Bluesky => "bluesky",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The id of a tweet. Its `Display` is the form used outside memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id<'a> {
    /// X: a whole number above zero, never read through a float.
    X(u64),
    /// Bluesky: an at-URI, `at://<did>/app.bsky.feed.post/<rkey>`.
    Uri(Cow<'a, str>),
}

/// The first id that carries its time; the ids below were counted one by one.
pub const SNOWFLAKE_MIN: u64 = 29_700_859_247;

/// Milliseconds from 1970 to the moment that snowflakes count from.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

impl Id<'_> {
    /// When the tweet was made, as its id says: microseconds since 1970, UTC.
    pub fn time(&self) -> Option<i64> {
        match self {
            Id::X(id) if *id >= SNOWFLAKE_MIN => {
                Some(((id >> 22).cast_signed() + SNOWFLAKE_EPOCH_MS) * 1_000)
            }
            Id::X(_) => None,
            Id::Uri(uri) => tid_time(uri.rsplit('/').next().unwrap_or_default()),
        }
    }

    /// The source whose ids look like this.
    pub fn source(&self) -> Source {
        match self {
            Id::X(_) => Source::X,
            Id::Uri(_) => Source::Bluesky,
        }
    }

    /// The same id, borrowing nothing.
    pub fn into_owned(self) -> Id<'static> {
        match self {
            Id::X(id) => Id::X(id),
            Id::Uri(uri) => Id::Uri(Cow::Owned(uri.into_owned())),
        }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::X(id) => write!(f, "{id}"),
            Id::Uri(uri) => f.write_str(uri),
        }
    }
}

/// An X id written in digits: above zero, no sign, no leading zero.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if canonical { text.parse().ok() } else { None }
}

/// The time inside a TID: 13 characters of 5 bits, of which 53 bits count microseconds and 10 name a clock.
fn tid_time(rkey: &str) -> Option<i64> {
    if rkey.len() != 13 {
        return None;
    }
    let mut bits = 0_u64;
    for byte in rkey.bytes() {
        let digit = match byte {
            b'2'..=b'7' => byte - b'2',
            b'a'..=b'z' => byte - b'a' + 6,
            _ => return None,
        };
        if bits >> 59 != 0 {
            return None;
        }
        bits = bits << 5 | u64::from(digit);
    }
    if bits >> 63 == 0 { Some((bits >> 10).cast_signed()) } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The vectors of the protocol notes, in milliseconds.
    #[test]
    fn snowflakes_carry_their_time() {
        assert_eq!(Id::X(1_346_889_436_626_259_968).time(), Some(1_609_958_440_344_000));
        assert_eq!(Id::X(2_000_000_000_000_000_000).time(), Some(1_765_672_132_860_000));
        assert_eq!(Id::X(SNOWFLAKE_MIN - 1).time(), None);
        assert!(Id::X(SNOWFLAKE_MIN).time().is_some());
        assert!(Id::X(u64::MAX).time().is_some());
    }

    #[test]
    fn tids_carry_their_time() {
        let at = |rkey: &str| Id::Uri(format!("at://did:plc:a/app.bsky.feed.post/{rkey}").into()).time();
        assert_eq!(at("2222222222222"), Some(0));
        assert_eq!(at("222222222222z"), Some(0));
        assert_eq!(at("2222222222322"), Some(1));
        assert_eq!(at("bzzzzzzzzzzzz"), Some((1 << 53) - 1));
        assert_eq!(at("czzzzzzzzzzzz"), None, "the top bit is never set");
        assert_eq!(at("zzzzzzzzzzzzz"), None);
        assert_eq!(at("self"), None);
        assert_eq!(at("222222222222A"), None);
    }

    #[test]
    fn digits_are_read_exactly() {
        assert_eq!(digits("9007199254740993"), Some(9_007_199_254_740_993));
        assert_eq!(digits("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "0", "007", "-1", "+1", "1.0", "1e3", "18446744073709551616", "１２", " 1"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}

//! Why a value is no tweet.

use std::fmt;

use serde_json::error::Category;

/// A value, or an element of a page, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// What is wrong.
    pub code: Code,
    /// Where in the value, in bytes; 0 where the fault is of the value as a whole.
    pub offset: usize,
    /// What is wrong, in words; never text of the value.
    pub detail: String,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The bytes are no JSON.
    NotJson,
    /// The value ends too early.
    Truncated,
    /// The bytes are no UTF-8.
    BadUtf8,
    /// A raw NUL byte.
    Nul,
    /// Half of a surrogate pair, in an escape.
    LoneSurrogate,
    /// A key that we read stands twice in one object: a line has one meaning.
    DuplicateKey,
    /// Something stands after the value.
    TwoValues,
    /// A list of pages in a list of pages.
    TooDeep,
    /// A value, line or text above its cap in bytes.
    TooLong,
    /// A list above its cap in items.
    TooMany,
    /// JSON, but neither a tweet nor a notice we know.
    NotATweet,
    /// A text, but no id.
    NoId,
    /// An id that cannot be read.
    BadId,
    /// An id, but no text.
    NoText,
    /// A text that cannot be read.
    BadText,
    /// A time that cannot be read, and an id that carries none.
    BadTime,
}

impl Reject {
    /// A fault of the value as a whole.
    pub(crate) fn of(code: Code, detail: &str) -> Self {
        Reject { code, offset: 0, detail: detail.to_owned() }
    }

    /// The same fault, in a value that `inner` is a part of.
    pub(crate) fn inside(mut self, outer: &str, inner: &str) -> Self {
        self.offset += inner.as_ptr() as usize - outer.as_ptr() as usize;
        self
    }

    /// What serde says of the value. Its words are safe to repeat: they quote nothing.
    pub(crate) fn json(value: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let detail = message.rsplit_once(" at line ").map_or(&*message, |(words, _)| words);
        let before: usize =
            value.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let mut offset = (before + error.column()).saturating_sub(1).min(value.len());
        let bytes = value.as_bytes();
        if detail.starts_with("control character") {
            // In a string that is skipped, serde stops one byte early.
            offset += bytes[offset..].iter().position(|byte| *byte < b' ').unwrap_or_default();
        }
        let code = match error.classify() {
            Category::Eof => {
                offset = value.len();
                Code::Truncated
            }
            _ if bytes.get(offset) == Some(&0) => Code::Nul,
            _ => match detail {
                "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
                    Code::LoneSurrogate
                }
                "trailing characters" => Code::TwoValues,
                // A number that the value ends in.
                "invalid number"
                    if offset + 1 >= value.len() && value.ends_with(['-', '+', '.', 'e', 'E']) =>
                {
                    offset = value.len();
                    Code::Truncated
                }
                _ => Code::NotJson,
            },
        };
        Reject { code, offset, detail: detail.to_owned() }
    }
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Code] = &[
        Code::NotJson,
        Code::Truncated,
        Code::BadUtf8,
        Code::Nul,
        Code::LoneSurrogate,
        Code::DuplicateKey,
        Code::TwoValues,
        Code::TooDeep,
        Code::TooLong,
        Code::TooMany,
        Code::NotATweet,
        Code::NoId,
        Code::BadId,
        Code::NoText,
        Code::BadText,
        Code::BadTime,
    ];

    /// The name used outside memory.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::NotJson => "not_json",
            Code::Truncated => "truncated",
            Code::BadUtf8 => "bad_utf8",
            Code::Nul => "nul",
            Code::LoneSurrogate => "lone_surrogate",
            Code::DuplicateKey => "duplicate_key",
            Code::TwoValues => "two_values",
            Code::TooDeep => "too_deep",
            Code::TooLong => "too_long",
            Code::TooMany => "too_many",
            Code::NotATweet => "not_a_tweet",
            Code::NoId => "no_id",
            Code::BadId => "bad_id",
            Code::NoText => "no_text",
            Code::BadText => "bad_text",
            Code::BadTime => "bad_time",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.code, self.offset, self.detail)
    }
}

impl std::error::Error for Reject {}

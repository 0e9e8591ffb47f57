//! What a tweet *is*. Bytes in; a [`Tweet`], a [`Notice`] or a [`Reject`] out.
//!
//! All wire forms end here: v1.1 objects and stream notices, v2 in both its dialects ("tweet" and "post"
//! names), pages of either, and Jetstream events. The crate is pure: no I/O, no clock, nothing of ours
//! below it. It is the one parser, for the stage that writes raw lines and for the stage that reads them.

mod bluesky;
mod field;
mod id;
mod identity;
mod json;
mod line;
mod notice;
mod page;
mod read;
mod reject;
mod scan;
mod time;
mod tweet;
mod wire;
mod x;

use serde::de::IgnoredAny;

use crate::field::{Field, Raw, read, read_known};
use crate::wire::{Includes, Outer};

pub use id::{Id, SNOWFLAKE_MIN, Source};
pub use identity::{Hidden, IDENTITY_RULES, Identity};
pub use line::one_line;
pub use notice::{Notice, NoticeKind, Tombstone};
pub use reject::{Code, Reject};
pub use tweet::{Author, Counts, Place, Retweeted, Tweet};

/// Most bytes of one raw line.
pub const TWEET_BYTES: usize = 1 << 20;
/// Most bytes of one text, before it is unescaped.
pub const TEXT_BYTES: usize = 64 << 10;
/// Most items of one list of a tweet.
pub const LIST_ITEMS: usize = 1_000;
/// Most bytes of one value of a source: a page of many tweets.
pub const VALUE_BYTES: usize = 16 << 20;
/// Most elements of one list of a page.
pub const PAGE_ITEMS: usize = 100_000;

/// Most bytes of the lines that one page becomes: its tweets share what they refer to, their lines do not.
pub const PAGE_BYTES: usize = 64 << 20;

/// What one value of a source holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed<'a> {
    /// One tweet: the value is a raw line, once [`one_line`] has joined it.
    Tweet(Box<Tweet<'a>>),
    /// No tweet, but something known: what the source says about tweets, users or itself. Never empty.
    Notices(Vec<Notice>),
    /// Many tweets in one value.
    Page(Page),
}

/// A page of many tweets, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Each tweet as a raw line of its own, which [`parse`] reads to [`Parsed::Tweet`]; or why that element
    /// is none, with the element's own bytes (the offset counts in these).
    pub lines: Vec<Result<String, (Reject, String)>>,
    /// What else the page said; each of its errors is one notice.
    pub notices: Vec<Notice>,
}

/// Reads exactly one JSON value; white space around it and a byte order mark are allowed.
///
/// # Errors
/// A [`Reject`] for whatever is neither a tweet, nor a page, nor a notice we know. Only an unreadable id, text
/// or time rejects a tweet; any other field that cannot be read becomes null ([`Tweet::retyped`]).
pub fn parse(line: &str) -> Result<Parsed<'_>, Reject> {
    if line.len() > VALUE_BYTES {
        let detail = "a value above its cap".to_owned();
        return Err(Reject { code: Code::TooLong, offset: VALUE_BYTES, detail });
    }
    let value = bare(line);
    let mut room = PAGE_BYTES;
    let parsed = match value.as_bytes() {
        [b'{', ..] => read(value).and_then(|wire| object(value, wire, &mut room)),
        [b'[', ..] => read(value).map(|items| page::list(value, items, &mut room)),
        [] => Err(Reject::of(Code::NotJson, "nothing there")),
        _ => read::<Raw<'_>>(value).and_then(|_| Err(Reject::of(Code::NotATweet, "no object"))),
    };
    parsed.map_err(|reject| judged(value, reject).inside(line, value))
}

/// The same, of bytes that should be UTF-8.
///
/// # Errors
/// As [`parse`], and [`Code::BadUtf8`] with the offset of the first byte that is wrong.
pub fn parse_bytes(line: &[u8]) -> Result<Parsed<'_>, Reject> {
    utf8(line).and_then(parse)
}

/// The bytes as text.
///
/// # Errors
/// [`Code::BadUtf8`] with the offset of the first byte that is wrong.
pub fn utf8(line: &[u8]) -> Result<&str, Reject> {
    std::str::from_utf8(line).map_err(|error| Reject {
        code: Code::BadUtf8,
        offset: error.valid_up_to(),
        detail: "bytes that are no UTF-8".to_owned(),
    })
}

/// Reads a raw line again. [`parse_bytes`] has taken it for a tweet before, so what is not wanted is not looked at: this takes less
/// time, and gives the same. Of another line, the answer is worth nothing.
///
/// # Errors
/// A [`Reject`] says no more than that it is no such line.
pub fn parse_again(line: &[u8]) -> Result<Parsed<'_>, Reject> {
    let value = bare(utf8(line)?);
    read_known(value).and_then(|wire| object(value, wire, &mut { PAGE_BYTES }))
}

/// The value, without a byte order mark and white space around it.
fn bare(line: &str) -> &str {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    line.trim_start_matches(SPACE).trim_start_matches('\u{feff}').trim_matches(SPACE)
}

/// What serde_json says of a value that is no JSON.
fn judged(value: &str, reject: Reject) -> Reject {
    if reject.code != Code::NotJson || value.is_empty() {
        return reject;
    }
    serde_json::from_str::<IgnoredAny>(value).map_or_else(|error| Reject::json(value, &error), |_| reject)
}

/// What an object is that was read; lines of pages may take `room` bytes.
fn object<'a>(value: &'a str, wire: Field<Box<Outer<'a>>>, room: &mut usize) -> Result<Parsed<'a>, Reject> {
    let wire = wire.get().unwrap_or_default();
    let list = |raw: &str| raw.starts_with('[');
    match (wire.data, wire.statuses) {
        (Some(data), _) if list(data) => return page::answer(value, data, &wire, room),
        (_, Some(statuses)) if list(statuses) => {
            return read_known(statuses)
                .map(|items| page::list(statuses, items, room))
                .map_err(|reject| reject.inside(value, statuses));
        }
        _ => {}
    }
    if value.len() > TWEET_BYTES {
        return Err(Reject {
            code: Code::TooLong,
            offset: TWEET_BYTES,
            detail: "a line above its cap".to_owned(),
        });
    }
    if wire.did.is_some() {
        return bluesky::event(value);
    }
    if let Some(data) = wire.data {
        return answer(value, data, &wire);
    }
    tweet(value, None, wire, x::Others::default())
}

/// A v2 answer whose `data` is an object.
fn answer<'a>(value: &'a str, data: &'a str, envelope: &Outer<'a>) -> Result<Parsed<'a>, Reject> {
    let inside = |part: &'a str| move |reject: Reject| reject.inside(value, part);
    let wire: Field<Box<Outer<'a>>> = read_known(data).map_err(inside(data))?;
    let Some(wire) = wire.get() else {
        return Err(Reject::of(Code::NotATweet, "data that is no object"));
    };
    let includes: Field<Includes<'a>> = match envelope.includes {
        Some(includes) => read_known(includes).map_err(inside(includes))?,
        None => Field::Absent,
    };
    tweet(value, Some(data), wire, x::Others::new(includes))
}

/// The tweet, or what else the object is.
fn tweet<'a>(
    value: &'a str,
    data: Option<&'a str>,
    wire: Box<Outer<'a>>,
    mut others: x::Others<'a>,
) -> Result<Parsed<'a>, Reject> {
    if wire.has_text() {
        return x::tweet(wire, &mut others).map(|tweet| Parsed::Tweet(Box::new(tweet)));
    }
    match notice::notices(value, data)? {
        Some(notices) => Ok(Parsed::Notices(notices)),
        None if wire.has_id() => Err(Reject::of(Code::NoText, "an id, but no text")),
        None => Err(Reject::of(Code::NotATweet, "neither a tweet nor a message that is known")),
    }
}

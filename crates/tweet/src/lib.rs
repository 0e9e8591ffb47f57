//! What a tweet *is*. Bytes in; a [`Tweet`], a [`Notice`] or a [`Reject`] out.
//!
//! All wire forms end here: v1.1 objects and stream notices, v2 in both its dialects ("tweet" and "post"
//! names), pages of either, and Jetstream events. The crate is pure: no I/O, no clock, nothing of ours
//! below it. It is the one parser, for the stage that writes raw lines and for the stage that reads them.

mod id;
mod notice;
mod reject;
mod tweet;

pub use id::{Id, SNOWFLAKE_MIN, Source};
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

/// What one value of a source holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed<'a> {
    /// One tweet: the value is a raw line, once `one_line` has joined it.
    Tweet(Box<Tweet<'a>>),
    /// No tweet, but something known: what the source says about tweets, users or itself. Never empty.
    Notices(Vec<Notice>),
    /// Many tweets in one value.
    Page(Page),
}

/// A page of many tweets, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Each tweet as a raw line of its own, which `parse` reads to [`Parsed::Tweet`]; or why that element
    /// is none, with the element's own bytes (the offset counts in these).
    pub lines: Vec<Result<String, (Reject, String)>>,
    /// What else the page said; each of its errors is one notice.
    pub notices: Vec<Notice>,
}

//! What one value of a file turns out to be.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lake::{Author, Buffer, Chunk, Fault, Known, Value};
use serde::Serialize;
use tweet::{Code, Id, Notice, Parsed, Reject, TWEET_BYTES, Tweet};

use crate::wanted::Wanted;

/// A tweet that was asked for, with what routing and counting need of it.
pub(crate) struct Line {
    /// Where its bytes lie in [`Classified::bytes`], without a line break.
    pub(crate) place: Range<usize>,
    pub(crate) id: Id<'static>,
    pub(crate) time: Option<i64>,
    /// Who it is, if it is X's.
    pub(crate) known: Option<Known>,
    /// Days of the ids that it names, other than that of its own: see [`day_number`].
    pub(crate) touches: Vec<Option<i64>>,
    pub(crate) authors: Vec<Author>,
    pub(crate) retweet: bool,
    pub(crate) lang: String,
    pub(crate) retyped: Vec<&'static str>,
}

/// The end that a value meets.
pub(crate) enum End {
    /// A tweet that was asked for.
    Line(Line),
    /// A message of the source.
    Notice(Notice),
    /// What cannot be read.
    Rejected(Rejected),
    /// A tweet that was not asked for.
    Unmatched,
}

/// The values of a chunk and their ends, in the order of the source.
#[derive(Default)]
pub(crate) struct Classified {
    /// What the raw lines lie in: the chunk, and behind it those that had to be made.
    pub(crate) bytes: Buffer,
    pub(crate) ends: Vec<End>,
    /// Values read; a page counts as the tweets and errors in it. Counted apart from `ends`, so that the ledger has something to prove.
    pub(crate) records: u64,
}

/// A line of `_meta/rejects`.
#[derive(Debug, Serialize)]
pub(crate) struct Rejected {
    /// The input's name.
    pub(crate) file: String,
    /// Line that the value begins on, from 1.
    pub(crate) line: u64,
    /// Byte of the decompressed input that the value begins at, from 0.
    pub(crate) offset: u64,
    pub(crate) code: &'static str,
    /// Byte of the value that is at fault.
    pub(crate) at: usize,
    pub(crate) why: String,
    /// How long the value was; `bytes` may hold less.
    pub(crate) length: u64,
    /// The value, as base64.
    pub(crate) bytes: String,
}

/// Reads every value of a chunk.
pub(crate) fn classify(file: &str, chunk: Chunk, wanted: &Wanted) -> Classified {
    let mut out = Classified::default();
    let mut made = Made { behind: chunk.bytes.len(), lines: Vec::new() };
    for value in &chunk.values {
        let bytes = &chunk.bytes[value.start..value.end];
        if let Some(Fault::TooLong { length }) = value.fault {
            let why = Reject {
                code: Code::TooLong,
                offset: 0,
                detail: "more bytes than any value may have".into(),
            };
            out.records += 1;
            out.ends.push(End::Rejected(rejected(file, value, &why, bytes, length)));
            continue;
        }
        let reject =
            |why: &Reject, bytes: &[u8]| End::Rejected(rejected(file, value, why, bytes, bytes.len() as u64));
        let text = tweet::utf8(bytes);
        match text.clone().and_then(tweet::parse) {
            Ok(Parsed::Tweet(tweet)) => {
                out.records += 1;
                let place = match tweet::one_line(text.unwrap_or_default()) {
                    Cow::Borrowed(_) => value.start..value.end,
                    Cow::Owned(line) => made.line(&line),
                };
                out.tweet(&tweet, place, wanted);
            }
            Ok(Parsed::Notices(notices)) => {
                out.records += notices.len() as u64;
                out.ends.extend(notices.into_iter().map(End::Notice));
            }
            Ok(Parsed::Page(page)) => {
                out.records += (page.lines.len() + page.notices.len()) as u64;
                let mut places = InPage { rest: text.unwrap_or_default(), place: value.clone() };
                for line in &page.lines {
                    match line.as_ref().map(|line| (line, tweet::parse(line))) {
                        Ok((line, Ok(Parsed::Tweet(tweet)))) => out.tweet(&tweet, made.line(line), wanted),
                        Ok((line, Ok(_))) => {
                            let why = "no tweet once it is taken out of its page".into();
                            out.ends.push(reject(
                                &Reject { code: Code::NotATweet, offset: 0, detail: why },
                                line.as_bytes(),
                            ));
                        }
                        Ok((line, Err(why))) => out.ends.push(reject(&why, line.as_bytes())),
                        Err((why, element)) => {
                            let (place, bytes) = (places.of(element), element.as_bytes());
                            let length = bytes.len() as u64;
                            out.ends.push(End::Rejected(rejected(file, &place, why, bytes, length)));
                        }
                    }
                }
                out.ends.extend(page.notices.into_iter().map(End::Notice));
            }
            Err(why) => {
                out.records += 1;
                out.ends.push(reject(&why, bytes));
            }
        }
    }
    out.bytes = chunk.bytes;
    out.bytes.extend_from_slice(&made.lines);
    out
}

/// Lines that stand in no chunk as they are.
struct Made {
    /// Where they will begin.
    behind: usize,
    lines: Vec<u8>,
}

impl Made {
    fn line(&mut self, line: &str) -> Range<usize> {
        let start = self.behind + self.lines.len();
        self.lines.extend_from_slice(line.as_bytes());
        start..start + line.len()
    }
}

/// Finds the places of a page's elements, in their order.
struct InPage<'a> {
    /// What is behind the last one found.
    rest: &'a str,
    /// Where `rest` begins.
    place: Value,
}

impl InPage<'_> {
    fn of(&mut self, element: &str) -> Value {
        let Some(before) = self.rest.find(element) else { return self.place.clone() };
        self.skip(before);
        let place = self.place.clone();
        self.skip(element.len());
        place
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.place.line += skipped.matches('\n').count() as u64;
        self.place.offset += bytes as u64;
        self.rest = rest;
    }
}

fn rejected(file: &str, value: &Value, why: &Reject, bytes: &[u8], length: u64) -> Rejected {
    Rejected {
        file: file.to_owned(),
        line: value.line,
        offset: value.offset,
        code: why.code.as_str(),
        at: why.offset,
        why: why.detail.clone(),
        length,
        bytes: BASE64_STANDARD.encode(&bytes[..bytes.len().min(TWEET_BYTES)]),
    }
}

/// The day inside an id, counted from 1970.
pub(crate) fn day_number(id: &Id<'_>) -> Option<i64> {
    id.time().map(|time| time.div_euclid(86_400_000_000))
}

impl Classified {
    /// How many values cannot be read.
    pub(crate) fn rejected(&self) -> u64 {
        self.ends.iter().filter(|end| matches!(end, End::Rejected(_))).count() as u64
    }

    /// Adds tweets that the source sent and nobody asked for.
    pub(crate) fn unmatched(&mut self, tweets: u64) {
        self.records += tweets;
        self.ends.extend((0..tweets).map(|_| End::Unmatched));
    }

    fn tweet(&mut self, tweet: &Tweet<'_>, place: Range<usize>, wanted: &Wanted) {
        if !wanted.wants(tweet) {
            self.ends.push(End::Unmatched);
            return;
        }
        let (own, mut touches) = (day_number(&tweet.id), Vec::new());
        tweet.each_named(|id| {
            let day = day_number(id);
            if day != own && !touches.contains(&day) {
                touches.push(day);
            }
        });
        self.ends.push(End::Line(Line {
            place,
            time: tweet.time(),
            known: Known::of(&tweet.identity()),
            touches,
            authors: Author::of(tweet).collect(),
            id: tweet.id.clone().into_owned(),
            retweet: tweet.retweeted.is_some(),
            lang: tweet.lang.as_deref().unwrap_or_default().to_owned(),
            retyped: tweet.retyped.clone(),
        }));
    }
}

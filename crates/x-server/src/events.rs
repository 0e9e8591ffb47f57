//! The corpus as Bluesky would have it: Jetstream v1 events.
//!
//! A tweet becomes a post, a share a repost, an edit an update; likes, deletes, identity and account events are
//! strewn in by position, so that the same corpus always gives the same events.

use serde_json::{Value, json};

use crate::clock::{first_id, format_time, id_time};
use crate::corpus::{Corpus, Tweet};
use crate::names::TWEET;

/// One event.
pub(crate) struct Event {
    pub time_us: i64,
    pub did: String,
    /// Empty for identity and account events: they pass every collection filter.
    pub collection: &'static str,
    /// The at-URI of a post that is created or updated.
    pub post: Option<String>,
    pub json: String,
}

const POST: &str = "app.bsky.feed.post";
const REPOST: &str = "app.bsky.feed.repost";
const LIKE: &str = "app.bsky.feed.like";

/// Index of the first tweet whose events may be at or after a cursor.
pub(crate) fn first_at(corpus: &Corpus, cursor_us: i64) -> usize {
    corpus.below(first_id(cursor_us.div_euclid(1_000)))
}

/// The events of one tweet, oldest first.
pub(crate) fn events(corpus: &Corpus, index: usize) -> Vec<Event> {
    let tweet = &corpus.tweets[index];
    if !tweet.listed {
        return Vec::new();
    }
    let start = id_time(tweet.id) * 1_000;
    let did = did(tweet.author.unwrap_or(tweet.id));
    let mut all = vec![main_event(corpus, tweet, start, &did)];
    let mut add = |number: i64, collection: &'static str, rest: Value| {
        let time_us = start + number;
        all.push(event(time_us, &did, collection, None, rest));
    };
    if index.is_multiple_of(3) {
        let record =
            json!({"$type": LIKE, "createdAt": format_time(start / 1_000), "subject": subject(tweet)});
        add(1, LIKE, create(LIKE, start + 1, &record));
    }
    if index.is_multiple_of(29) {
        add(
            2,
            "",
            json!({"kind": "identity", "identity": {"did": did, "handle": format!("user{}.example", tweet.id % 9_973),
            "seq": start, "time": format_time(start / 1_000)}}),
        );
    }
    if index.is_multiple_of(31) {
        let gone = index.is_multiple_of(93);
        let mut account =
            json!({"active": !gone, "did": did, "seq": start + 1, "time": format_time(start / 1_000)});
        if gone {
            account["status"] = "deleted".into();
        }
        add(3, "", json!({"kind": "account", "account": account}));
    }
    if index.is_multiple_of(37) && tweet.retweeted.is_none() {
        add(
            4,
            POST,
            json!({"kind": "commit", "commit": {"rev": tid(start + 4), "operation": "delete", "collection": POST, "rkey": tid(start)}}),
        );
    }
    all
}

fn main_event(corpus: &Corpus, tweet: &Tweet, time_us: i64, did: &str) -> Event {
    if let Some(original) = tweet.retweeted.and_then(|id| corpus.tweet(id)) {
        let record =
            json!({"$type": REPOST, "createdAt": format_time(time_us / 1_000), "subject": subject(original)});
        return event(time_us, did, REPOST, None, create(REPOST, time_us, &record));
    }
    let text = tweet
        .object
        .field(&TWEET, "text")
        .and_then(|json| serde_json::from_str::<String>(json).ok())
        .unwrap_or_default();
    let text = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    let mut record = json!({"$type": POST, "createdAt": format_time(time_us / 1_000), "text": text});
    if !tweet.lang.is_empty() && *tweet.lang != *"und" {
        record["langs"] = json!([tweet.lang]);
    }
    let facets = facets(&text);
    if !facets.is_empty() {
        record["facets"] = facets.into();
    }
    if let Some(parent) = tweet.replied.and_then(|id| corpus.tweet(id)) {
        record["reply"] = json!({"root": subject(parent), "parent": subject(parent)});
    }
    if let Some(quoted) = tweet.quoted.and_then(|id| corpus.tweet(id)) {
        record["embed"] = json!({"$type": "app.bsky.embed.record", "record": subject(quoted)});
    }
    // The key of an edited post is that of its first version.
    let first = tweet.history.first().copied().filter(|id| *id != tweet.id && id_time(*id) > 0);
    let key = first.map_or(time_us, |id| id_time(id) * 1_000);
    let mut commit = create(POST, key, &record);
    if first.is_some() {
        commit["commit"]["operation"] = "update".into();
        commit["commit"]["rev"] = tid(time_us).into();
    }
    event(time_us, did, POST, Some(format!("at://{did}/{POST}/{}", tid(key))), commit)
}

fn event(time_us: i64, did: &str, collection: &'static str, post: Option<String>, rest: Value) -> Event {
    let mut whole = json!({"did": did, "time_us": time_us});
    if let (Value::Object(whole), Value::Object(rest)) = (&mut whole, rest) {
        whole.extend(rest);
    }
    Event { time_us, did: did.to_owned(), collection, post, json: whole.to_string() }
}

fn create(collection: &str, time_us: i64, record: &Value) -> Value {
    json!({"kind": "commit", "commit": {"rev": tid(time_us), "operation": "create", "collection": collection, "rkey": tid(time_us),
        "record": record, "cid": cid(time_us)}})
}

fn subject(tweet: &Tweet) -> Value {
    let at = id_time(tweet.id) * 1_000;
    json!({"uri": format!("at://{}/{POST}/{}", did(tweet.author.unwrap_or(tweet.id)), tid(at)), "cid": cid(at)})
}

const SORTABLE: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn base32(mut number: u128, digits: usize, alphabet: &[u8; 32]) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = alphabet[usize::try_from(number % 32).unwrap_or(0)];
        number /= 32;
    }
    String::from_utf8(text).unwrap_or_default()
}

/// A timestamp identifier: microseconds and ten bits of a clock id, in an alphabet that sorts.
fn tid(time_us: i64) -> String {
    base32(u128::try_from(time_us).unwrap_or(0) << 10 | 42, 13, SORTABLE)
}

fn did(author: u64) -> String {
    format!(
        "did:plc:{}",
        base32(u128::from(author).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835), 24, BASE32)
    )
}

fn cid(time_us: i64) -> String {
    let mixed = u128::try_from(time_us).unwrap_or(0).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    format!("bafyrei{}{}", base32(mixed, 26, BASE32), base32(mixed.rotate_left(64), 26, BASE32))
}

/// Tags and links. Offsets are UTF-8 bytes here.
fn facets(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split(' ') {
        let feature = if word.len() > 1 && word.starts_with('#') {
            Some(json!({"$type": "app.bsky.richtext.facet#tag", "tag": &word[1..]}))
        } else if word.starts_with("https://") {
            Some(json!({"$type": "app.bsky.richtext.facet#link", "uri": word}))
        } else {
            None
        };
        if let Some(feature) = feature {
            found.push(
                json!({"index": {"byteStart": start, "byteEnd": start + word.len()}, "features": [feature]}),
            );
        }
        start += word.len() + 1;
    }
    found
}

//! What the double knows: tweets sorted by id, and the users, places, media and polls they name.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::clock::{Millis, id_time};
use crate::names::{self, MEDIA, PLACE, POLL, TWEET, USER};
use crate::object::Object;
use crate::words::{fold, without_accents};

/// A tweet with all that a query can ask about it.
#[derive(Debug)]
pub(crate) struct Tweet {
    pub id: u64,
    pub author: Option<u64>,
    /// Folded words of the full text, and the same without accents where that differs.
    pub words: Box<str>,
    pub plain: Option<Box<str>>,
    /// `#tag`, `$cash`, `@name` and links in lower case, a space around each.
    pub marks: Box<str>,
    pub lang: Box<str>,
    pub retweeted: Option<u64>,
    pub quoted: Option<u64>,
    pub replied: Option<u64>,
    pub replied_user: Option<u64>,
    pub conversation: Option<u64>,
    pub place: Option<Box<str>>,
    pub point: Option<(f64, f64)>,
    pub media: Box<[Box<str>]>,
    pub polls: Box<[Box<str>]>,
    pub mentions: Box<[u64]>,
    pub history: Box<[u64]>,
    pub image: bool,
    pub video: bool,
    pub likes: u64,
    pub replies: u64,
    pub reposts: u64,
    /// False for a tweet known only because another one names it: never searched, never streamed.
    pub listed: bool,
    pub object: Object,
}

/// A user, with what the operators ask about one.
#[derive(Debug)]
pub(crate) struct User {
    pub id: u64,
    pub verified: bool,
    pub followers: u64,
    pub following: u64,
    pub listings: u64,
    pub tweets: u64,
    pub name: Box<str>,
    pub bio: Box<str>,
    pub location: Box<str>,
    pub object: Object,
}

/// A place and the country it is in.
#[derive(Debug)]
pub(crate) struct Place {
    pub name: Box<str>,
    pub country: Box<str>,
    pub object: Object,
}

/// All of it. Built once, then only read.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    pub tweets: Vec<Tweet>,
    pub users: HashMap<u64, User>,
    names: HashMap<Box<str>, u64>,
    pub places: HashMap<Box<str>, Place>,
    pub media: HashMap<Box<str>, Object>,
    pub polls: HashMap<Box<str>, Object>,
}

impl Corpus {
    /// Adds a v2 tweet of either dialect. False if it has no readable id.
    pub fn add_tweet(&mut self, mut fields: Map<String, Value>, listed: bool) -> bool {
        names::to_tweet_names(&mut fields);
        let Some(id) = number(fields.get("id")) else { return false };
        fields.entry("edit_history_tweet_ids").or_insert_with(|| Value::from(vec![id.to_string()]));
        self.tweets.push(read_tweet(id, &fields, listed));
        true
    }

    /// Adds a v2 user of either dialect.
    pub fn add_user(&mut self, mut fields: Map<String, Value>) {
        names::to_tweet_names(&mut fields);
        let Some(id) = number(fields.get("id")) else { return };
        let username = text(&fields, "username").to_lowercase().into_boxed_str();
        let metric = |name: &str| {
            fields.get("public_metrics").and_then(|all| all.get(name)).and_then(Value::as_u64).unwrap_or(0)
        };
        let user = User {
            id,
            verified: fields.get("verified") == Some(&Value::Bool(true)),
            followers: metric("followers_count"),
            following: metric("following_count"),
            listings: metric("listed_count"),
            tweets: metric("tweet_count"),
            name: fold(text(&fields, "name")).into(),
            bio: fold(text(&fields, "description")).into(),
            location: fold(text(&fields, "location")).into(),
            object: Object::new(&USER, &fields),
        };
        self.names.insert(username, id);
        self.users.insert(id, user);
    }

    /// Adds a v2 place.
    pub fn add_place(&mut self, fields: &Map<String, Value>) {
        let place = Place {
            name: fold(text(fields, "full_name")).into(),
            country: text(fields, "country_code").to_lowercase().into(),
            object: Object::new(&PLACE, fields),
        };
        self.places.insert(text(fields, "id").into(), place);
    }

    /// Adds an attached medium.
    pub fn add_medium(&mut self, fields: &Map<String, Value>) {
        self.media.insert(text(fields, "media_key").into(), Object::new(&MEDIA, fields));
    }

    /// Adds a poll.
    pub fn add_poll(&mut self, fields: &Map<String, Value>) {
        self.polls.insert(text(fields, "id").into(), Object::new(&POLL, fields));
    }

    /// Sorts by id and takes copies out; of two copies the listed one stays, else the later one.
    pub fn finish(mut self) -> Self {
        self.tweets.sort_by_key(|tweet| (tweet.id, !tweet.listed));
        self.tweets.dedup_by_key(|tweet| tweet.id);
        self
    }

    /// The tweet of an id.
    pub fn tweet(&self, id: u64) -> Option<&Tweet> {
        self.index(id).map(|index| &self.tweets[index])
    }

    pub fn index(&self, id: u64) -> Option<usize> {
        self.tweets.binary_search_by_key(&id, |tweet| tweet.id).ok()
    }

    /// How many tweets are older than `id`: the index of the first that is not.
    pub fn below(&self, id: u64) -> usize {
        self.tweets.partition_point(|tweet| tweet.id < id)
    }

    /// How many tweets have happened at `now`.
    pub fn happened(&self, now: Millis) -> usize {
        self.tweets.partition_point(|tweet| id_time(tweet.id) <= now)
    }

    pub fn author(&self, tweet: &Tweet) -> Option<&User> {
        tweet.author.and_then(|id| self.users.get(&id))
    }

    /// A user by name (any case, with or without `@`) or id.
    pub fn user(&self, name_or_id: &str) -> Option<&User> {
        let name = name_or_id.trim_start_matches('@').to_lowercase();
        let named = self.names.get(name.as_str()).copied();
        self.users.get(&named.or_else(|| name.parse().ok())?)
    }
}

fn read_tweet(id: u64, fields: &Map<String, Value>, listed: bool) -> Tweet {
    let full = fields.get("note_tweet").and_then(|note| note.get("text")).and_then(Value::as_str);
    let words = fold(&full.unwrap_or_else(|| text(fields, "text")).replace("&amp;", "&"));
    let plain = without_accents(&words).map(String::into_boxed_str);
    let reference = |kind: &str| {
        let all = fields.get("referenced_tweets").and_then(Value::as_array)?;
        number(all.iter().find(|one| one.get("type").is_some_and(|is| is == kind))?.get("id"))
    };
    let metric = |name: &str| {
        fields.get("public_metrics").and_then(|all| all.get(name)).and_then(Value::as_u64).unwrap_or(0)
    };
    let strings = |name: &str, key: &str| -> Box<[Box<str>]> {
        let all = fields.get(name).and_then(|value| value.get(key)).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
    };
    let media = strings("attachments", "media_keys");
    let geo = fields.get("geo");
    let point = geo
        .and_then(|geo| geo.get("coordinates")?.get("coordinates"))
        .and_then(|pair| Some((pair.get(0)?.as_f64()?, pair.get(1)?.as_f64()?)));
    let (marks, mentions) = read_entities(fields);
    let history = fields.get("edit_history_tweet_ids").and_then(Value::as_array);
    Tweet {
        id,
        author: number(fields.get("author_id")),
        words: words.into(),
        plain,
        marks: marks.into(),
        lang: text(fields, "lang").into(),
        retweeted: reference("retweeted"),
        quoted: reference("quoted"),
        replied: reference("replied_to"),
        replied_user: number(fields.get("in_reply_to_user_id")),
        conversation: number(fields.get("conversation_id")),
        place: geo.and_then(|geo| geo.get("place_id")).and_then(Value::as_str).map(Into::into),
        point,
        // Keys of media begin with a number for the kind: 3 is a photo, 7, 13 and 16 move.
        image: media.iter().any(|key| key.starts_with("3_")),
        video: media.iter().any(|key| ["7_", "13_", "16_"].iter().any(|kind| key.starts_with(kind))),
        media,
        polls: strings("attachments", "poll_ids"),
        mentions,
        history: history.into_iter().flatten().filter_map(|value| number(Some(value))).collect(),
        likes: metric("like_count"),
        replies: metric("reply_count"),
        reposts: metric("retweet_count"),
        listed,
        object: Object::new(&TWEET, fields),
    }
}

fn read_entities(fields: &Map<String, Value>) -> (String, Box<[u64]>) {
    let mut marks = BTreeSet::new();
    let mut mentions = BTreeSet::new();
    let note = fields.get("note_tweet").and_then(|note| note.get("entities"));
    for entities in fields.get("entities").into_iter().chain(note) {
        let of = |kind: &str| entities.get(kind).and_then(Value::as_array).into_iter().flatten();
        for (kind, key, sign) in
            [("hashtags", "tag", "#"), ("cashtags", "tag", "$"), ("mentions", "username", "@")]
        {
            for name in of(kind).filter_map(|one| one.get(key)?.as_str()) {
                marks.insert(format!("{sign}{}", name.to_lowercase()));
            }
        }
        mentions.extend(of("mentions").filter_map(|one| number(one.get("id"))));
        for key in ["url", "expanded_url", "unwound_url"] {
            marks.extend(of("urls").filter_map(|one| Some(one.get(key)?.as_str()?.to_lowercase())));
        }
    }
    let marks = marks.into_iter().fold(String::from(" "), |all, mark| all + &mark + " ");
    (marks, mentions.into_iter().collect())
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or("")
}

/// An id, as a string or (in old captures) as a number.
fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

//! A tweet, whatever wire form it came in.

use std::borrow::Cow;

use crate::id::{Id, Source};

/// One tweet. `None` means that the source did not say; so does an empty list.
///
/// A retweet that carries its original has the original's `text`, `truncated`, `hashtags`, `mentions`,
/// `cashtags`, `urls` and `annotations`, because its own are cut; all else is the retweet's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Tweet<'a> {
    /// Where it comes from.
    pub source: Source,
    /// Its id, unique within its source.
    pub id: Id<'a>,
    /// Microseconds since 1970, UTC: what the source says, else the time inside the id. See [`Tweet::time`].
    pub created_at: Option<i64>,
    /// Who wrote it.
    pub author: Author<'a>,
    /// Id of the tweet that began the conversation.
    pub conversation_id: Option<Cow<'a, str>>,
    /// Id of the tweet that this one answers.
    pub in_reply_to_id: Option<Cow<'a, str>>,
    /// Id of the tweet that this one quotes.
    pub quoted_id: Option<Cow<'a, str>>,
    /// The fullest text there is, HTML-unescaped once.
    pub text: Cow<'a, str>,
    /// The text is known to be cut.
    pub truncated: bool,
    /// Language code, as the platform gives it.
    pub lang: Option<Cow<'a, str>>,
    /// Without `#`.
    pub hashtags: Vec<Cow<'a, str>>,
    /// User names without `@`; on Bluesky the handle as written.
    pub mentions: Vec<Cow<'a, str>>,
    /// Without `$`.
    pub cashtags: Vec<Cow<'a, str>>,
    /// Links, followed as far as the source did; links to the tweet's own media are left out.
    pub urls: Vec<Cow<'a, str>>,
    /// What X thinks the tweet is about: `domain name/entity name`.
    pub annotations: Vec<Cow<'a, str>>,
    /// How it was received, when it was read.
    pub counts: Counts,
    /// It answers a tweet or a user.
    pub is_reply: bool,
    /// It quotes a tweet.
    pub is_quote: bool,
    /// It may show or link to what not everybody wants to see.
    pub possibly_sensitive: Option<bool>,
    /// The place that its author named.
    pub place: Option<Place<'a>>,
    /// Degrees east; there is a `lat` too.
    pub lon: Option<f64>,
    /// Degrees north; there is a `lon` too.
    pub lat: Option<f64>,
    /// What it retweets: it is a retweet then.
    pub retweeted: Option<Retweeted<'a>>,
    /// Its versions, oldest first; empty where the source did not say.
    pub edits: Vec<Id<'a>>,
    /// Withheld in every country, or for copyright.
    pub withheld_everywhere: bool,
    /// Names of the fields whose type could not be read and which became null, by their wire names.
    pub retyped: Vec<&'static str>,
}

impl Tweet<'_> {
    /// The tweet's own time, which says in which partition it lies: the time inside its id, else `created_at`.
    pub fn time(&self) -> Option<i64> {
        self.id.time().or(self.created_at)
    }
}

/// Who wrote a tweet, as known when it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Author<'a> {
    /// X: digits. Bluesky: the DID.
    pub id: Option<Cow<'a, str>>,
    /// Without `@`.
    pub username: Option<Cow<'a, str>>,
    /// The name shown.
    pub name: Option<Cow<'a, str>>,
    /// Free text.
    pub location: Option<Cow<'a, str>>,
    /// Microseconds since 1970, UTC.
    pub created_at: Option<i64>,
    /// The platform's check mark.
    pub verified: Option<bool>,
    /// Users who follow the author.
    pub followers: Option<i64>,
    /// Users whom the author follows.
    pub following: Option<i64>,
    /// Lists with the author on them.
    pub listed: Option<i64>,
    /// Tweets of the author.
    pub statuses: Option<i64>,
}

/// How often a tweet was retweeted and so on, when it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub retweet: Option<i64>,
    pub reply: Option<i64>,
    pub quote: Option<i64>,
    pub like: Option<i64>,
    pub bookmark: Option<i64>,
    pub impression: Option<i64>,
}

/// A place that an author named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Full name, such as "Utrecht, Nederland".
    pub name: Option<Cow<'a, str>>,
    /// Two-letter code, such as "NL".
    pub country: Option<Cow<'a, str>>,
}

/// What a retweet retweets.
#[derive(Clone, Debug, PartialEq)]
pub struct Retweeted<'a> {
    /// Id of the original.
    pub id: Id<'a>,
    /// The original, where the retweet carries it.
    pub tweet: Option<Box<Tweet<'a>>>,
}

//! The two dialects of the API: what each field, expansion and object is called in them.
//!
//! Up to 2.166 everything is a "tweet"; since 2.167 search, lookup and timelines say "post". Inside the double
//! all data has its tweet names; a post name appears only where an answer is written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which names a request uses, and so which names its answer uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `tweet.fields`, `referenced_tweets`, `retweet_count` (2.166 and before).
    #[default]
    Tweet,
    /// `post.fields`, `referenced_posts`, `repost_count` (2.167).
    Post,
}

impl Dialect {
    /// Where problem types point to: the mapping of 2.166 knows `api.twitter.com`, that of 2.167 `api.x.com`.
    #[must_use]
    pub fn problem(self, kind: &str) -> String {
        let host = match self {
            Self::Tweet => "api.twitter.com",
            Self::Post => "api.x.com",
        };
        format!("https://{host}/2/problems/{kind}")
    }

    /// The word for a tweet.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Tweet => "tweet",
            Self::Post => "post",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Tweet => Self::Post,
            Self::Post => Self::Tweet,
        }
    }
}

/// A field of an object: its two names, and in which dialects a request may ask for it by `….fields`.
pub(crate) struct Name {
    pub tweet: &'static str,
    pub post: &'static str,
    asked_as_tweet: bool,
    asked_as_post: bool,
}

impl Name {
    pub fn in_dialect(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Tweet => self.tweet,
            Dialect::Post => self.post,
        }
    }

    pub fn askable(&self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Tweet => self.asked_as_tweet,
            Dialect::Post => self.asked_as_post,
        }
    }
}

const fn both(name: &'static str) -> Name {
    Name { tweet: name, post: name, asked_as_tweet: true, asked_as_post: true }
}
const fn post_only(name: &'static str) -> Name {
    Name { tweet: name, post: name, asked_as_tweet: false, asked_as_post: true }
}
const fn renamed(tweet: &'static str, post: &'static str) -> Name {
    Name { tweet, post, asked_as_tweet: true, asked_as_post: true }
}
/// What the post dialect gives only by an expansion, or not at all.
const fn unasked(tweet: &'static str, post: &'static str) -> Name {
    Name { tweet, post, asked_as_tweet: true, asked_as_post: false }
}

/// A kind of object: the parameter that chooses its fields, its fields, and those that always come.
pub(crate) struct Kind {
    pub tweet_parameter: &'static str,
    pub post_parameter: &'static str,
    pub names: &'static [Name],
    pub defaults: &'static [&'static str],
}

pub(crate) static TWEET: Kind = Kind {
    tweet_parameter: "tweet.fields",
    post_parameter: "post.fields",
    defaults: &["id", "text", "edit_history_tweet_ids"],
    names: &[
        both("article"),
        post_only("article_title"),
        both("attachments"),
        unasked("author_id", "author_id"),
        both("card_uri"),
        both("community_id"),
        both("context_annotations"),
        both("conversation_id"),
        both("created_at"),
        both("display_text_range"),
        both("edit_controls"),
        unasked("edit_history_tweet_ids", "edit_history_post_ids"),
        both("entities"),
        both("geo"),
        both("id"),
        unasked("in_reply_to_user_id", "in_reply_to_user_id"),
        both("lang"),
        both("matched_media_notes"),
        both("media_metadata"),
        both("non_public_metrics"),
        both("note_request_suggestions"),
        renamed("note_tweet", "note_post"),
        both("organic_metrics"),
        both("paid_partnership"),
        both("possibly_sensitive"),
        both("promoted_metrics"),
        both("public_metrics"),
        unasked("referenced_tweets", "referenced_posts"),
        both("reply_settings"),
        both("scopes"),
        both("source"),
        both("suggested_source_links"),
        both("suggested_source_links_with_counts"),
        both("text"),
        both("withheld"),
    ],
};

pub(crate) static USER: Kind = Kind {
    tweet_parameter: "user.fields",
    post_parameter: "user.fields",
    defaults: &["id", "name", "username"],
    names: &[
        unasked("affiliation", "affiliation"),
        both("confirmed_email"),
        both("connection_status"),
        both("created_at"),
        both("description"),
        both("entities"),
        both("id"),
        both("is_identity_verified"),
        both("location"),
        unasked("most_recent_tweet_id", "most_recent_post_id"),
        both("name"),
        both("parody"),
        unasked("pinned_tweet_id", "pinned_post_id"),
        both("profile_banner_url"),
        both("profile_image_url"),
        both("protected"),
        both("public_metrics"),
        both("receives_your_dm"),
        post_only("subscribes_to_you"),
        both("subscription"),
        both("subscription_type"),
        both("url"),
        both("username"),
        both("verified"),
        both("verified_followers_count"),
        both("verified_type"),
        both("withheld"),
    ],
};

pub(crate) static PLACE: Kind = Kind {
    tweet_parameter: "place.fields",
    post_parameter: "place.fields",
    defaults: &["id", "full_name"],
    names: &[
        both("contained_within"),
        both("country"),
        both("country_code"),
        both("full_name"),
        both("geo"),
        both("id"),
        both("name"),
        both("place_type"),
    ],
};

pub(crate) static MEDIA: Kind = Kind {
    tweet_parameter: "media.fields",
    post_parameter: "media.fields",
    defaults: &["media_key", "type"],
    names: &[
        both("alt_text"),
        both("duration_ms"),
        both("height"),
        both("media_key"),
        both("non_public_metrics"),
        both("organic_metrics"),
        both("preview_image_url"),
        both("promoted_metrics"),
        both("public_metrics"),
        both("type"),
        both("url"),
        both("variants"),
        both("width"),
    ],
};

pub(crate) static POLL: Kind = Kind {
    tweet_parameter: "poll.fields",
    post_parameter: "poll.fields",
    defaults: &["id", "options"],
    names: &[
        both("duration_minutes"),
        both("end_datetime"),
        both("id"),
        both("options"),
        both("voting_status"),
    ],
};

/// The expansions each dialect knows, and the field of the tweet that each brings along.
pub(crate) const TWEET_EXPANSIONS: &[(&str, &str)] = &[
    ("article.cover_media", "article"),
    ("article.media_entities", "article"),
    ("attachments.media_keys", "attachments"),
    ("attachments.media_source_tweet", "attachments"),
    ("attachments.poll_ids", "attachments"),
    ("author_id", "author_id"),
    ("edit_history_tweet_ids", "edit_history_tweet_ids"),
    ("entities.mentions.username", "entities"),
    ("geo.place_id", "geo"),
    ("in_reply_to_user_id", "in_reply_to_user_id"),
    ("entities.note.mentions.username", "note_tweet"),
    ("referenced_tweets.id", "referenced_tweets"),
    ("referenced_tweets.id.attachments.media_keys", "referenced_tweets"),
    ("referenced_tweets.id.author_id", "referenced_tweets"),
];
pub(crate) const POST_EXPANSIONS: &[(&str, &str)] = &[
    ("article.cover_media", "article"),
    ("article.media_entities", "article"),
    ("attachments.media_keys", "attachments"),
    ("attachments.media_source_tweet", "attachments"),
    ("attachments.poll_ids", "attachments"),
    ("author_id", "author_id"),
    ("edit_history_post_ids", "edit_history_tweet_ids"),
    ("entities.mentions.username", "entities"),
    ("geo.place_id", "geo"),
    ("in_reply_to_user_id", "in_reply_to_user_id"),
    ("referenced_posts", "referenced_tweets"),
    ("username", "author_id"),
];

impl Kind {
    pub fn parameter(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Tweet => self.tweet_parameter,
            Dialect::Post => self.post_parameter,
        }
    }

    /// The number of a field by its tweet name.
    pub fn number(&self, tweet_name: &str) -> Option<usize> {
        self.names.iter().position(|name| name.tweet == tweet_name)
    }

    pub fn bit(&self, tweet_name: &str) -> u64 {
        self.number(tweet_name).map_or(0, |number| 1 << number)
    }

    pub fn default_bits(&self) -> u64 {
        self.defaults.iter().map(|name| self.bit(name)).sum()
    }
}

/// Gives an object read from a file its tweet names; what has them already stays as it is.
pub(crate) fn to_tweet_names(object: &mut Map<String, Value>) {
    rename(object, "post", "tweet", "repost_count", "retweet_count");
}

/// The value of one field in the post dialect; `None` where it reads the same.
pub(crate) fn to_post_value(field: &str, value: &Value) -> Option<Value> {
    if !["public_metrics", "withheld"].contains(&field) {
        return None;
    }
    let mut object = Map::new();
    object.insert(field.to_owned(), value.clone());
    rename(&mut object, "tweet", "post", "retweet_count", "repost_count");
    object.remove(field)
}

fn rename(object: &mut Map<String, Value>, from: &str, to: &str, shares_from: &str, shares_to: &str) {
    for key in ["edit_history_@_ids", "referenced_@s", "note_@", "most_recent_@_id", "pinned_@_id"] {
        if let Some(value) = object.remove(&key.replace('@', from)) {
            object.insert(key.replace('@', to), value);
        }
    }
    if let Some(Value::Object(metrics)) = object.get_mut("public_metrics") {
        let counts = [
            (shares_from.to_owned(), shares_to.to_owned()),
            (format!("{from}_count"), format!("{to}_count")),
        ];
        for (old, new) in counts {
            if let Some(value) = metrics.remove(&old) {
                metrics.insert(new, value);
            }
        }
    }
    if let Some(Value::Object(withheld)) = object.get_mut("withheld")
        && withheld.get("scope").is_some_and(|scope| scope == from)
    {
        withheld.insert("scope".to_owned(), to.into());
    }
}

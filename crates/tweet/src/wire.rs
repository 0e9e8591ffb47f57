//! What X writes: the union of its v1.1 and v2 forms, in both dialects of v2. The names are X's.
//!
//! One set of structs reads them all, because what a name means depends on its object alone. Keys that are
//! not here are skipped; a key that is, and stands twice, is an error of serde's.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::field::{Field, Key, List, Pair, Raws, Shape, objects};

type Text<'a> = Field<Cow<'a, str>>;
type XId<'a> = Field<Key<'a>>;

/// A tweet with what it refers to.
pub(crate) type Outer<'a> = Wire<'a, Inner<'a>>;
/// A tweet that another one refers to.
pub(crate) type Inner<'a> = Wire<'a, Reference<'a>>;

/// A tweet, or an envelope around tweets. `O` is what it reads of other tweets that it carries.
#[derive(Clone, Deserialize)]
#[serde(bound(deserialize = "O: Shape<'de>"))]
pub(crate) struct Wire<'a, O> {
    #[serde(borrow)]
    pub id: XId<'a>,
    pub id_str: XId<'a>,
    pub created_at: Text<'a>,
    pub timestamp_ms: Field<i64>,

    pub text: Text<'a>,
    pub full_text: Text<'a>,
    pub truncated: Field<bool>,
    pub extended_tweet: Field<Box<Note<'a>>>,
    pub note_tweet: Field<Box<Note<'a>>>,
    pub note_post: Field<Box<Note<'a>>>,
    pub lang: Text<'a>,
    pub entities: Field<Box<Entities<'a>>>,
    pub context_annotations: Field<List<Annotation<'a>>>,
    pub possibly_sensitive: Field<bool>,

    pub user: Field<Box<Person<'a>>>,
    pub author: Field<Box<Person<'a>>>,
    pub author_id: XId<'a>,

    pub conversation_id: XId<'a>,
    pub in_reply_to_status_id: XId<'a>,
    pub in_reply_to_status_id_str: XId<'a>,
    pub in_reply_to_user_id: XId<'a>,
    pub in_reply_to_user_id_str: XId<'a>,
    pub is_quote_status: Field<bool>,
    pub quoted_status_id: XId<'a>,
    pub quoted_status_id_str: XId<'a>,
    pub quoted_status: Field<Reference<'a>>,
    pub retweeted_status: Field<Box<O>>,
    pub referenced_tweets: Field<List<O>>,
    pub referenced_posts: Field<List<O>>,
    /// In a list of references: what the reference means.
    #[serde(rename = "type")]
    pub kind: Text<'a>,

    pub retweet_count: Field<i64>,
    pub reply_count: Field<i64>,
    pub quote_count: Field<i64>,
    pub favorite_count: Field<i64>,
    pub public_metrics: Field<Metrics>,

    pub place: Field<Area<'a>>,
    pub coordinates: Field<Point>,
    pub geo: Field<Box<Geo<'a>>>,

    pub edit_history: Field<Edits<'a>>,
    pub edit_history_tweet_ids: Field<List<Key<'a>>>,
    pub edit_history_post_ids: Field<List<Key<'a>>>,

    pub withheld: Field<Withheld<'a>>,
    pub withheld_copyright: Field<bool>,
    pub withheld_in_countries: Field<List<Cow<'a, str>>>,

    // Envelopes.
    pub data: Option<&'a RawValue>,
    pub includes: Option<&'a RawValue>,
    pub errors: Option<&'a RawValue>,
    pub matching_rules: Option<&'a RawValue>,
    pub statuses: Option<&'a RawValue>,
    /// A Jetstream event has one.
    pub did: Option<&'a RawValue>,
}

impl<O> Wire<'_, O> {
    /// It has an id, readable or not.
    pub fn has_id(&self) -> bool {
        !(self.id.is_absent() && self.id_str.is_absent())
    }

    /// It has a text, readable or not.
    pub fn has_text(&self) -> bool {
        let notes = [&self.extended_tweet, &self.note_tweet, &self.note_post];
        !(self.text.is_absent() && self.full_text.is_absent() && notes.iter().all(|note| note.is_absent()))
    }
}

impl<'de: 'a, 'a, O: Shape<'de>> Shape<'de> for Wire<'a, O> {
    fn object<A: MapAccess<'de>>(entries: A) -> Result<Option<Self>, A::Error> {
        Wire::deserialize(serde::de::value::MapAccessDeserializer::new(entries)).map(Some)
    }
}

objects! {
    Reference<'a>, Note<'a>, Entities<'a>, Tag<'a>, Mention<'a>, Link<'a>, Unwound<'a>, Annotation<'a>, Named<'a>,
    Person<'a>, Metrics, Area<'a>, Geo<'a>, Point, Edits<'a>, Withheld<'a>, Includes<'a>, RawIncludes<'a>,
}

/// What is read of a tweet that a carried tweet refers to.
#[derive(Clone, Deserialize)]
pub(crate) struct Reference<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    pub id: XId<'a>,
    pub id_str: XId<'a>,
}

/// A longer text, with entities of its own.
#[derive(Clone, Deserialize)]
pub(crate) struct Note<'a> {
    #[serde(borrow)]
    pub text: Text<'a>,
    pub full_text: Text<'a>,
    pub entities: Field<Box<Entities<'a>>>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Entities<'a> {
    #[serde(borrow)]
    pub hashtags: Field<List<Tag<'a>>>,
    pub symbols: Field<List<Tag<'a>>>,
    pub cashtags: Field<List<Tag<'a>>>,
    pub user_mentions: Field<List<Mention<'a>>>,
    pub mentions: Field<List<Mention<'a>>>,
    pub urls: Field<List<Link<'a>>>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Tag<'a> {
    #[serde(borrow)]
    pub text: Text<'a>,
    pub tag: Text<'a>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Mention<'a> {
    #[serde(borrow)]
    pub screen_name: Text<'a>,
    pub username: Text<'a>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Link<'a> {
    #[serde(borrow)]
    pub url: Text<'a>,
    pub expanded_url: Text<'a>,
    pub unwound_url: Text<'a>,
    pub unwound: Field<Unwound<'a>>,
    pub display_url: Text<'a>,
    pub media_key: Text<'a>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Unwound<'a> {
    #[serde(borrow)]
    pub url: Text<'a>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Annotation<'a> {
    #[serde(borrow)]
    pub domain: Field<Named<'a>>,
    pub entity: Field<Named<'a>>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Named<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Person<'a> {
    #[serde(borrow)]
    pub id: XId<'a>,
    pub id_str: XId<'a>,
    pub screen_name: Text<'a>,
    pub username: Text<'a>,
    pub name: Text<'a>,
    pub location: Text<'a>,
    pub created_at: Text<'a>,
    pub verified: Field<bool>,
    pub followers_count: Field<i64>,
    pub friends_count: Field<i64>,
    pub listed_count: Field<i64>,
    pub statuses_count: Field<i64>,
    pub public_metrics: Field<Metrics>,
}

/// Of a tweet or of a user.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Metrics {
    pub retweet_count: Field<i64>,
    pub repost_count: Field<i64>,
    pub reply_count: Field<i64>,
    pub quote_count: Field<i64>,
    pub like_count: Field<i64>,
    pub bookmark_count: Field<i64>,
    pub impression_count: Field<i64>,
    pub followers_count: Field<i64>,
    pub following_count: Field<i64>,
    pub listed_count: Field<i64>,
    pub tweet_count: Field<i64>,
    pub post_count: Field<i64>,
}

/// A place.
#[derive(Clone, Deserialize)]
pub(crate) struct Area<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    pub full_name: Text<'a>,
    pub name: Text<'a>,
    pub country_code: Text<'a>,
}

/// v2: where a tweet says it is; twarc writes the place's own fields beside. v1.1: the old form of `coordinates`.
#[derive(Clone, Deserialize)]
pub(crate) struct Geo<'a> {
    #[serde(borrow)]
    pub place_id: Text<'a>,
    pub full_name: Text<'a>,
    pub name: Text<'a>,
    pub country_code: Text<'a>,
    pub coordinates: Field<Spot>,
}

/// GeoJSON: longitude comes first.
#[derive(Clone, Deserialize)]
pub(crate) struct Point {
    pub coordinates: Field<Pair>,
}

/// The coordinates inside a `geo`.
#[derive(Clone)]
pub(crate) enum Spot {
    /// v1.1: latitude comes first.
    LatLon(Pair),
    /// v2.
    Point(Point),
}

impl<'de> Shape<'de> for Spot {
    fn list<A: serde::de::SeqAccess<'de>>(items: A) -> Result<Option<Self>, A::Error> {
        Ok(Pair::list(items)?.map(Spot::LatLon))
    }
    fn object<A: MapAccess<'de>>(entries: A) -> Result<Option<Self>, A::Error> {
        Ok(Point::object(entries)?.map(Spot::Point))
    }
}

/// v1.1.
#[derive(Clone, Deserialize)]
pub(crate) struct Edits<'a> {
    #[serde(borrow)]
    pub edit_tweet_ids: Field<List<Key<'a>>>,
}

/// v2.
#[derive(Clone, Deserialize)]
pub(crate) struct Withheld<'a> {
    pub copyright: Field<bool>,
    #[serde(borrow)]
    pub country_codes: Field<List<Cow<'a, str>>>,
}

/// What a v2 answer tells beside its tweets.
#[derive(Default, Deserialize)]
pub(crate) struct Includes<'a> {
    #[serde(borrow)]
    pub users: Field<List<Person<'a>>>,
    pub tweets: Field<List<Inner<'a>>>,
    pub posts: Field<List<Inner<'a>>>,
    pub places: Field<List<Area<'a>>>,
}

/// The same, unread.
#[derive(Default, Deserialize)]
pub(crate) struct RawIncludes<'a> {
    #[serde(borrow)]
    pub users: Field<Raws<'a>>,
    pub tweets: Field<Raws<'a>>,
    pub posts: Field<Raws<'a>>,
    pub places: Field<Raws<'a>>,
}

//! What X writes: the union of its v1.1 and v2 forms, in both dialects of v2. The names are X's.
//!
//! One set of structs reads them all, because what a name means depends on its object alone. Keys that are
//! not here are skipped; a key that is, and stands twice, is an error.

use std::borrow::Cow;

use crate::field::{Field, Key, List, Pair, Raw, Raws, Shape, objects};
use crate::read::{Fault, Reader};

type Text<'a> = Field<Cow<'a, str>>;
type XId<'a> = Field<Key<'a>>;

/// A tweet with what it refers to.
pub(crate) type Outer<'a> = Wire<'a, Inner<'a>>;
/// A tweet that another one refers to.
pub(crate) type Inner<'a> = Wire<'a, Reference<'a>>;

objects! {
    /// A tweet, or an envelope around tweets. `O` is what it reads of other tweets that it carries.
    #[derive(Clone)]
    pub(crate) struct Wire<'a, O> {
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
        pub kind: Text<'a> = "type",

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
        pub data: Raw<'a>,
        pub includes: Raw<'a>,
        pub errors: Raw<'a>,
        pub matching_rules: Raw<'a>,
        pub statuses: Raw<'a>,
        /// A Jetstream event has one.
        pub did: Raw<'a>,
    }

    /// What is read of a tweet that a carried tweet refers to.
    #[derive(Clone)]
    pub(crate) struct Reference<'a> {
        pub kind: Text<'a> = "type",
        pub id: XId<'a>,
        pub id_str: XId<'a>,
    }

    /// A longer text, with entities of its own.
    #[derive(Clone)]
    pub(crate) struct Note<'a> {
        pub text: Text<'a>,
        pub full_text: Text<'a>,
        pub entities: Field<Box<Entities<'a>>>,
    }

    #[derive(Clone)]
    pub(crate) struct Entities<'a> {
        pub hashtags: Field<List<Tag<'a>>>,
        pub symbols: Field<List<Tag<'a>>>,
        pub cashtags: Field<List<Tag<'a>>>,
        pub user_mentions: Field<List<Mention<'a>>>,
        pub mentions: Field<List<Mention<'a>>>,
        pub urls: Field<List<Link<'a>>>,
    }

    #[derive(Clone)]
    pub(crate) struct Tag<'a> {
        pub text: Text<'a>,
        pub tag: Text<'a>,
    }

    #[derive(Clone)]
    pub(crate) struct Mention<'a> {
        pub screen_name: Text<'a>,
        pub username: Text<'a>,
    }

    #[derive(Clone)]
    pub(crate) struct Link<'a> {
        pub url: Text<'a>,
        pub expanded_url: Text<'a>,
        pub unwound_url: Text<'a>,
        pub unwound: Field<Unwound<'a>>,
        pub display_url: Text<'a>,
        pub media_key: Text<'a>,
    }

    #[derive(Clone)]
    pub(crate) struct Unwound<'a> {
        pub url: Text<'a>,
    }

    #[derive(Clone)]
    pub(crate) struct Annotation<'a> {
        pub domain: Field<Named<'a>>,
        pub entity: Field<Named<'a>>,
    }

    #[derive(Clone)]
    pub(crate) struct Named<'a> {
        pub name: Text<'a>,
    }

    #[derive(Clone)]
    pub(crate) struct Person<'a> {
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
    #[derive(Clone)]
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
    #[derive(Clone)]
    pub(crate) struct Area<'a> {
        pub id: Text<'a>,
        pub full_name: Text<'a>,
        pub name: Text<'a>,
        pub country_code: Text<'a>,
    }

    /// v2: where a tweet says it is; twarc writes the place's own fields beside. v1.1: the old form of `coordinates`.
    #[derive(Clone)]
    pub(crate) struct Geo<'a> {
        pub place_id: Text<'a>,
        pub full_name: Text<'a>,
        pub name: Text<'a>,
        pub country_code: Text<'a>,
        pub coordinates: Field<Spot>,
    }

    /// GeoJSON: longitude comes first.
    #[derive(Clone)]
    pub(crate) struct Point {
        pub coordinates: Field<Pair>,
    }

    /// v1.1.
    #[derive(Clone)]
    pub(crate) struct Edits<'a> {
        pub edit_tweet_ids: Field<List<Key<'a>>>,
    }

    /// v2.
    #[derive(Clone)]
    pub(crate) struct Withheld<'a> {
        pub copyright: Field<bool>,
        pub country_codes: Field<List<Cow<'a, str>>>,
    }

    /// What a v2 answer tells beside its tweets.
    pub(crate) struct Includes<'a> {
        pub users: Field<List<Person<'a>>>,
        pub tweets: Field<List<Inner<'a>>>,
        pub posts: Field<List<Inner<'a>>>,
        pub places: Field<List<Area<'a>>>,
    }

    /// The same, unread.
    pub(crate) struct RawIncludes<'a> {
        pub users: Field<Raws<'a>>,
        pub tweets: Field<Raws<'a>>,
        pub posts: Field<Raws<'a>>,
        pub places: Field<Raws<'a>>,
    }
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

/// The coordinates inside a `geo`.
#[derive(Clone)]
pub(crate) enum Spot {
    /// v1.1: latitude comes first.
    LatLon(Pair),
    /// v2.
    Point(Point),
}

impl<'de> Shape<'de> for Spot {
    fn list<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        Ok(Pair::list(reader)?.map(Spot::LatLon))
    }
    fn object<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        Ok(Point::object(reader)?.map(Spot::Point))
    }
}

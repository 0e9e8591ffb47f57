//! From what X writes to a tweet.

use std::borrow::Cow;

use crate::field::{Field, Key, List, note};
use crate::id::{Id, Source};
use crate::line::unescape;
use crate::reject::{Code, Reject};
use crate::tweet::{Author, Counts, Place, Retweeted, Tweet};
use crate::wire::{self, Entities, Inner, Person, Reference, Spot, Wire};
use crate::{TEXT_BYTES, time};

type Retyped = Vec<&'static str>;

/// The country codes that X uses for "every country" and "taken down for copyright".
const EVERYWHERE: [&str; 2] = ["XX", "XY"];

/// Whether something withheld in these countries may be shown nowhere.
pub(crate) fn withheld_everywhere(countries: &[Cow<'_, str>]) -> bool {
    countries.iter().any(|country| EVERYWHERE.contains(&&**country))
}

/// The id of an object: `id_str` wins, because a float may have ruined `id`.
pub(crate) fn key<'a>(string: Field<Key<'a>>, number: Field<Key<'a>>) -> Field<Key<'a>> {
    match string {
        Field::Absent | Field::Is(Key::None) => number,
        string => string,
    }
}

/// What a tweet's envelope tells about others.
#[derive(Default)]
pub(crate) struct Others<'a> {
    users: Vec<Person<'a>>,
    tweets: Vec<Inner<'a>>,
    places: Vec<wire::Area<'a>>,
    /// Names of what could not be read.
    retyped: Retyped,
}

impl<'a> Others<'a> {
    pub fn new(includes: Field<wire::Includes<'a>>) -> Self {
        let mut retyped = Vec::new();
        let Some(includes) = includes.take("includes", &mut retyped) else {
            return Others { retyped, ..Others::default() };
        };
        Others {
            users: includes.users.items("includes.users", &mut retyped),
            tweets: includes.tweets.or(includes.posts).items("includes.tweets", &mut retyped),
            places: includes.places.items("includes.places", &mut retyped),
            retyped,
        }
    }

    fn user(&self, id: u64) -> Option<&Person<'a>> {
        self.users.iter().find(|user| number(&user.id) == Some(id))
    }

    fn place(&self, id: &str) -> Option<&wire::Area<'a>> {
        self.places.iter().find(|place| place.id.as_ref().is_some_and(|it| it == id))
    }

    fn take_tweet(&mut self, id: u64) -> Option<Inner<'a>> {
        let at = self.tweets.iter().position(|tweet| number(&tweet.id) == Some(id))?;
        Some(self.tweets.swap_remove(at))
    }
}

fn number(key: &Field<Key<'_>>) -> Option<u64> {
    key.as_ref().and_then(Key::number)
}

/// Another tweet, as a tweet carries or names it.
pub(crate) trait Other<'a>: Sized {
    fn id(&self) -> Option<u64>;
    fn kind(&self) -> Option<&str>;
    /// The tweet itself, where it can be found.
    fn whole(self: Box<Self>, others: &mut Others<'a>) -> Option<Box<Inner<'a>>>;
}

impl<'a> Other<'a> for Inner<'a> {
    fn id(&self) -> Option<u64> {
        number(&self.id_str).or(number(&self.id))
    }
    fn kind(&self) -> Option<&str> {
        self.kind.as_ref().map(|kind| &**kind)
    }
    fn whole(self: Box<Self>, others: &mut Others<'a>) -> Option<Box<Inner<'a>>> {
        if self.has_text() { Some(self) } else { others.take_tweet(self.id()?).map(Box::new) }
    }
}

/// A carried tweet does not carry another one.
impl<'a> Other<'a> for Reference<'a> {
    fn id(&self) -> Option<u64> {
        number(&self.id_str).or(number(&self.id))
    }
    fn kind(&self) -> Option<&str> {
        self.kind.as_ref().map(|kind| &**kind)
    }
    fn whole(self: Box<Self>, _: &mut Others<'a>) -> Option<Box<Inner<'a>>> {
        None
    }
}

/// Makes the tweet, or says which of id, text and time cannot be read.
pub(crate) fn tweet<'a, O: Other<'a>>(
    mut wire: Box<Wire<'a, O>>,
    others: &mut Others<'a>,
) -> Result<Tweet<'a>, Reject> {
    let mut retyped = std::mem::take(&mut others.retyped);
    let id = match key(wire.id_str, wire.id) {
        Field::Is(key) => key.number().ok_or_else(|| Reject::of(Code::BadId, "an id of zero, or empty"))?,
        Field::Absent => return Err(Reject::of(Code::NoId, "no id")),
        Field::Bad => return Err(Reject::of(Code::BadId, "an id that is no whole number above zero")),
    };
    let id = Id::X(id);
    let created_at = created_at(wire.created_at, wire.timestamp_ms, &id, &mut retyped)?;

    let author_id = wire.author_id.take("author_id", &mut retyped);
    let person = wire.user.take("user", &mut retyped).map(|user| *user);
    let person = match person {
        None => wire.author.take("author", &mut retyped).map(|author| *author),
        known => known,
    };
    let person = person.or_else(|| others.user(author_id.as_ref()?.number()?).cloned());
    let mut author = person.map_or_else(Author::default, |person| author(person, &mut retyped));
    author.id = author.id.or_else(|| author_id?.text());

    let replied_status = key(wire.in_reply_to_status_id_str, wire.in_reply_to_status_id);
    let mut in_reply_to_id = text_key(replied_status, "in_reply_to_status_id", &mut retyped);
    let replied_user = key(wire.in_reply_to_user_id_str, wire.in_reply_to_user_id);
    let replied_user = text_key(replied_user, "in_reply_to_user_id", &mut retyped);
    let quoted = key(wire.quoted_status_id_str, wire.quoted_status_id);
    let mut quoted_id = text_key(quoted, "quoted_status_id", &mut retyped);
    if let Some(quoted) = wire.quoted_status.take("quoted_status", &mut retyped) {
        quoted_id = quoted_id.or_else(|| key(quoted.id_str, quoted.id).get()?.text());
    }
    let mut original = wire.retweeted_status.take("retweeted_status", &mut retyped);
    let references = wire.referenced_tweets.or(wire.referenced_posts);
    for other in references.items("referenced_tweets", &mut retyped) {
        let named = || other.id().map(|id| Cow::Owned(id.to_string()));
        match other.kind() {
            Some("retweeted") => original = original.or_else(|| Some(Box::new(other))),
            Some("replied_to") => in_reply_to_id = in_reply_to_id.or_else(named),
            Some("quoted") => quoted_id = quoted_id.or_else(named),
            _ => {}
        }
    }
    let retweeted = original.and_then(|original| {
        let Some(id) = original.id() else {
            note(&mut retyped, "retweeted_status");
            return None;
        };
        let whole = original.whole(others).map(|wire| tweet(wire, others));
        let whole = whole.and_then(|read| read.map_err(|_| note(&mut retyped, "retweeted_status")).ok());
        Some(Retweeted { id: Id::X(id), tweet: whole.map(Box::new) })
    });

    let original = retweeted.as_ref().and_then(|retweeted| retweeted.tweet.as_deref());
    let said = match original {
        Some(original) => Said {
            text: original.text.clone(),
            truncated: original.truncated,
            hashtags: original.hashtags.clone(),
            mentions: original.mentions.clone(),
            cashtags: original.cashtags.clone(),
            urls: original.urls.clone(),
        },
        None => {
            let texts = Texts {
                notes: [wire.note_tweet, wire.note_post, wire.extended_tweet],
                full_text: wire.full_text,
                text: wire.text,
                cut: wire.truncated.take("truncated", &mut retyped) == Some(true),
                entities: wire.entities,
            };
            let mut said = texts.said(&mut retyped)?;
            said.truncated |= retweeted.is_some() && said.text.ends_with('…');
            said
        }
    };
    let annotations = match original {
        Some(original) => original.annotations.clone(),
        None => annotations(wire.context_annotations, &mut retyped),
    };

    let metrics = wire.public_metrics.take("public_metrics", &mut retyped);
    let metrics = metrics.unwrap_or_default();
    let mut count = |v2: Field<i64>, v1: Field<i64>, name| v2.or(v1).take(name, &mut retyped);
    let counts = Counts {
        retweet: count(metrics.retweet_count.or(metrics.repost_count), wire.retweet_count, "retweet_count"),
        reply: count(metrics.reply_count, wire.reply_count, "reply_count"),
        quote: count(metrics.quote_count, wire.quote_count, "quote_count"),
        like: count(metrics.like_count, wire.favorite_count, "like_count"),
        bookmark: count(metrics.bookmark_count, Field::Absent, "bookmark_count"),
        impression: count(metrics.impression_count, Field::Absent, "impression_count"),
    };

    let geo = wire.geo.take("geo", &mut retyped);
    let mut place = wire.place.take("place", &mut retyped).and_then(|area| place(area, &mut retyped));
    let mut point = wire.coordinates.take("coordinates", &mut retyped).map(Spot::Point);
    if let Some(mut geo) = geo {
        let spot = std::mem::take(&mut geo.coordinates).take("geo.coordinates", &mut retyped);
        point = point.or(spot);
        let named = std::mem::take(&mut geo.place_id).take("geo.place_id", &mut retyped);
        let known = named.and_then(|id| others.place(&id).cloned());
        let area = known.unwrap_or(wire::Area {
            id: Field::Absent,
            full_name: geo.full_name,
            name: geo.name,
            country_code: geo.country_code,
        });
        place = place.or_else(|| self::place(area, &mut retyped));
    }
    let degrees = point.and_then(|spot| degrees(spot, &mut retyped));

    let edits = wire.edit_history_tweet_ids.or(wire.edit_history_post_ids);
    let history = wire.edit_history.take("edit_history", &mut retyped);
    let edits = edits.or(history.map_or(Field::Absent, |history| history.edit_tweet_ids));
    let edits = edits.items("edit_history_tweet_ids", &mut retyped);

    let withheld = wire.withheld.take("withheld", &mut retyped);
    let (copyright, countries) =
        withheld.map_or((Field::Absent, Field::Absent), |it| (it.copyright, it.country_codes));
    let countries = countries.or(std::mem::take(&mut wire.withheld_in_countries));
    let countries = countries.items("withheld_in_countries", &mut retyped);
    let copyright = copyright.or(wire.withheld_copyright).take("withheld_copyright", &mut retyped);

    Ok(Tweet {
        source: Source::X,
        id,
        created_at,
        author,
        conversation_id: text_key(wire.conversation_id, "conversation_id", &mut retyped),
        is_reply: in_reply_to_id.is_some() || replied_user.is_some(),
        in_reply_to_id,
        is_quote: quoted_id.is_some()
            || wire.is_quote_status.take("is_quote_status", &mut retyped) == Some(true),
        quoted_id,
        text: said.text,
        truncated: said.truncated,
        lang: wire.lang.take("lang", &mut retyped).filter(|lang| !lang.is_empty()),
        hashtags: said.hashtags,
        mentions: said.mentions,
        cashtags: said.cashtags,
        urls: said.urls,
        annotations,
        counts,
        possibly_sensitive: wire.possibly_sensitive.take("possibly_sensitive", &mut retyped),
        place,
        lon: degrees.map(|(lon, _)| lon),
        lat: degrees.map(|(_, lat)| lat),
        retweeted,
        edits: edits.iter().filter_map(Key::number).map(Id::X).collect(),
        withheld_everywhere: copyright == Some(true) || withheld_everywhere(&countries),
        retyped,
    })
}

fn text_key<'a>(key: Field<Key<'a>>, name: &'static str, retyped: &mut Retyped) -> Option<Cow<'a, str>> {
    key.take(name, retyped)?.text()
}

/// What the source says, else the time inside the id; an error only if something is said that cannot be
/// read and nothing else tells the time.
fn created_at(
    said: Field<Cow<'_, str>>,
    timestamp_ms: Field<i64>,
    id: &Id<'_>,
    retyped: &mut Retyped,
) -> Result<Option<i64>, Reject> {
    let silent = said.is_absent();
    if let Some(time) = said.get().and_then(|said| time::read(&said)) {
        return Ok(Some(time));
    }
    let millis = timestamp_ms.take("timestamp_ms", retyped);
    let other = millis.and_then(|millis| millis.checked_mul(1_000)).or(id.time());
    if !silent {
        note(retyped, "created_at");
        if other.is_none() {
            return Err(Reject::of(Code::BadTime, "created_at cannot be read, and the id carries no time"));
        }
    }
    Ok(other)
}

fn author<'a>(person: Person<'a>, retyped: &mut Retyped) -> Author<'a> {
    let metrics = person.public_metrics.take("user.public_metrics", retyped).unwrap_or_default();
    let created_at = person.created_at.take("user.created_at", retyped);
    let read = created_at.as_ref().and_then(|said| time::read(said));
    if created_at.is_some() && read.is_none() {
        note(retyped, "user.created_at");
    }
    let statuses = metrics.tweet_count.or(metrics.post_count);
    Author {
        id: text_key(key(person.id_str, person.id), "user.id", retyped),
        username: person.username.or(person.screen_name).take("user.username", retyped),
        name: person.name.take("user.name", retyped),
        location: person.location.take("user.location", retyped).filter(|location| !location.is_empty()),
        created_at: read,
        verified: person.verified.take("user.verified", retyped),
        followers: metrics.followers_count.or(person.followers_count).take("user.followers_count", retyped),
        following: metrics.following_count.or(person.friends_count).take("user.following_count", retyped),
        listed: metrics.listed_count.or(person.listed_count).take("user.listed_count", retyped),
        statuses: statuses.or(person.statuses_count).take("user.statuses_count", retyped),
    }
}

/// The text of a tweet and what is marked in it.
struct Said<'a> {
    text: Cow<'a, str>,
    truncated: bool,
    hashtags: Vec<Cow<'a, str>>,
    mentions: Vec<Cow<'a, str>>,
    cashtags: Vec<Cow<'a, str>>,
    urls: Vec<Cow<'a, str>>,
}

/// The places where a tweet's text may stand, fullest first.
struct Texts<'a> {
    notes: [Field<Box<wire::Note<'a>>>; 3],
    full_text: Field<Cow<'a, str>>,
    text: Field<Cow<'a, str>>,
    cut: bool,
    entities: Field<Box<Entities<'a>>>,
}

impl<'a> Texts<'a> {
    fn said(self, retyped: &mut Retyped) -> Result<Said<'a>, Reject> {
        let mut full = None;
        let mut entities = self.entities;
        for note in self.notes {
            let Some(note) = note.take("note_tweet", retyped) else { continue };
            let text = note.text.or(note.full_text).take("note_tweet", retyped);
            if full.is_none() && text.is_some() {
                full = text;
                entities = note.entities.or(entities);
            }
        }
        let missing = full.is_none() && self.full_text.is_absent() && self.text.is_absent();
        if missing {
            return Err(Reject::of(Code::NoText, "no text"));
        }
        let full = full.or_else(|| self.full_text.take("full_text", retyped));
        let truncated = full.is_none() && self.cut;
        let Some(text) = full.or_else(|| self.text.get()) else {
            return Err(Reject::of(Code::BadText, "a text that is no string"));
        };
        if text.len() > TEXT_BYTES {
            return Err(Reject::of(Code::TooLong, "a text above its cap"));
        }
        let entities =
            entities.take("entities", retyped).map_or_else(Entities::default, |entities| *entities);
        Ok(Said {
            text: unescape(text),
            truncated,
            hashtags: tags(entities.hashtags, '#', "entities.hashtags", retyped),
            cashtags: tags(entities.cashtags.or(entities.symbols), '$', "entities.cashtags", retyped),
            mentions: mentions(entities.mentions.or(entities.user_mentions), retyped),
            urls: urls(entities.urls, retyped),
        })
    }
}

/// Without the sign that a tag begins with.
pub(crate) fn strip(text: Cow<'_, str>, sign: char) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix(sign).unwrap_or(text)),
        Cow::Owned(text) => match text.strip_prefix(sign) {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => Cow::Owned(text),
        },
    }
}

fn tags<'a>(
    list: Field<List<wire::Tag<'a>>>,
    sign: char,
    name: &'static str,
    retyped: &mut Retyped,
) -> Vec<Cow<'a, str>> {
    let items = list.items(name, retyped).into_iter();
    items.filter_map(|tag| tag.tag.or(tag.text).take(name, retyped)).map(|tag| strip(tag, sign)).collect()
}

fn mentions<'a>(list: Field<List<wire::Mention<'a>>>, retyped: &mut Retyped) -> Vec<Cow<'a, str>> {
    let items = list.items("entities.mentions", retyped).into_iter();
    let names = items.filter_map(|it| it.username.or(it.screen_name).take("entities.mentions", retyped));
    names.map(|name| strip(name, '@')).collect()
}

fn urls<'a>(list: Field<List<wire::Link<'a>>>, retyped: &mut Retyped) -> Vec<Cow<'a, str>> {
    let mut urls = Vec::new();
    for link in list.items("entities.urls", retyped) {
        let shown = link.display_url.get();
        let picture =
            shown.is_some_and(|url| url.starts_with("pic.twitter.com/") || url.starts_with("pic.x.com/"));
        if picture || !link.media_key.is_absent() {
            continue;
        }
        let unwound = link.unwound.get().map_or(Field::Absent, |unwound| unwound.url);
        let url = link.unwound_url.or(unwound).or(link.expanded_url).or(link.url);
        urls.extend(url.take("entities.urls", retyped));
    }
    urls
}

fn annotations<'a>(list: Field<List<wire::Annotation<'a>>>, retyped: &mut Retyped) -> Vec<Cow<'a, str>> {
    let items = list.items("context_annotations", retyped).into_iter();
    items
        .filter_map(|it| {
            let domain = it.domain.get()?.name.get()?;
            let entity = it.entity.get()?.name.get()?;
            Some(Cow::Owned(format!("{domain}/{entity}")))
        })
        .collect()
}

fn place<'a>(area: wire::Area<'a>, retyped: &mut Retyped) -> Option<Place<'a>> {
    let name = area.full_name.or(area.name).take("place.full_name", retyped);
    let country = area.country_code.take("place.country_code", retyped);
    let (name, country) = (name.filter(|name| !name.is_empty()), country.filter(|code| !code.is_empty()));
    (name.is_some() || country.is_some()).then_some(Place { name, country })
}

/// Degrees east and north, if they are on Earth.
fn degrees(spot: Spot, retyped: &mut Retyped) -> Option<(f64, f64)> {
    let (lon, lat) = match spot {
        Spot::LatLon(pair) => (pair.1, pair.0),
        Spot::Point(point) => {
            let pair = point.coordinates.take("coordinates", retyped)?;
            (pair.0, pair.1)
        }
    };
    let earthly = lon.abs() <= 180.0 && lat.abs() <= 90.0;
    if !earthly {
        note(retyped, "coordinates");
    }
    earthly.then_some((lon, lat))
}

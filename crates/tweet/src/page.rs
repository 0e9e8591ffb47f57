//! Many tweets in one value: taken apart into raw lines.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::field::{Field, Key, Raws, Shape, read_known};
use crate::line::one_line;
use crate::notice::{self, Notice, NoticeKind};
use crate::reject::{Code, Reject};
use crate::wire::{Area, Inner, Outer, Person, RawIncludes, Wire};
use crate::x::{self, Other, Others, key};
use crate::{Page, Parsed, TWEET_BYTES, object};

/// A JSON array of tweets, notices or pages, or the `statuses` of a v1.1 search answer.
pub(crate) fn list<'a>(value: &str, list: Field<Raws<'_>>, room: &mut usize) -> Parsed<'a> {
    let mut page = Page::default();
    for item in list.get().map_or_else(Vec::new, |list| list.0) {
        let parsed = match item.as_bytes() {
            [b'{', ..] => read_known(item).and_then(|wire| object(item, wire, room)),
            [b'[', ..] => Err(Reject::of(Code::TooDeep, "a list in a list")),
            _ => Err(Reject::of(Code::NotATweet, "no object")),
        };
        match parsed {
            Ok(Parsed::Tweet(_)) => page.lines.push(Ok(one_line(item).into_owned())),
            Ok(Parsed::Notices(notices)) => page.notices.extend(notices),
            Ok(Parsed::Page(inner)) => {
                page.lines.extend(inner.lines);
                page.notices.extend(inner.notices);
            }
            Err(reject) => page.lines.push(Err((reject, item.to_owned()))),
        }
    }
    page.parsed(value)
}

impl Page {
    /// The page, or the notice that there is nothing on it.
    fn parsed<'a>(self, value: &str) -> Parsed<'a> {
        match (self.lines.is_empty(), self.notices.is_empty()) {
            (true, true) => Parsed::Notices(vec![Notice::of(NoticeKind::EmptyPage, value)]),
            (true, false) => Parsed::Notices(self.notices),
            (false, _) => Parsed::Page(self),
        }
    }
}

/// A tweet of a page, and what its line needs of the page.
struct Piece<'a> {
    json: &'a str,
    id: Option<u64>,
    author: Option<u64>,
    place: Option<Cow<'a, str>>,
    others: Vec<u64>,
}

impl<'a> Piece<'a> {
    fn new<O: Other<'a>>(json: &'a str, wire: &Wire<'a, O>) -> Self {
        let number = |key: &Field<Key<'a>>| key.as_ref().and_then(Key::number);
        let references = wire.referenced_tweets.as_ref().or(wire.referenced_posts.as_ref());
        Piece {
            json,
            id: number(&wire.id_str).or(number(&wire.id)),
            author: number(&wire.author_id),
            place: wire.geo.as_ref().and_then(|geo| geo.place_id.as_ref()).cloned(),
            others: references
                .map_or_else(Vec::new, |list| list.items.iter().filter_map(Other::id).collect()),
        }
    }

    /// An element of `data`: a tweet also by itself.
    fn read(json: &'a str) -> Result<Self, Reject> {
        let wire: Field<Box<Outer<'a>>> = read_known(json)?;
        let wire = wire.get().ok_or_else(|| Reject::of(Code::NotATweet, "no object"))?;
        let piece = Piece::new(json, &wire);
        x::tweet(wire, &mut Others::default())?;
        Ok(piece)
    }
}

/// What tweets of a page may need of it.
struct Known<'a> {
    users: HashMap<u64, &'a str>,
    places: HashMap<Cow<'a, str>, &'a str>,
    tweets: HashMap<u64, Piece<'a>>,
    /// The dialect's key for tweets.
    tweets_name: &'static str,
    matching_rules: Option<&'a str>,
}

/// A v2 answer whose `data` is a list: one line a tweet, with the users, places and tweets it needs.
pub(crate) fn answer<'a>(
    value: &str,
    data: &str,
    wire: &Outer<'_>,
    room: &mut usize,
) -> Result<Parsed<'a>, Reject> {
    let mut page = Page::default();
    if let Some(errors) = wire.errors {
        let errors: Field<Raws<'_>> = read_known(errors).map_err(|r| r.inside(value, errors))?;
        let errors = errors.get().map_or_else(Vec::new, |list| list.0);
        page.notices.extend(errors.iter().map(|error| notice::page_error(error)));
    }
    let mut includes = RawIncludes::default();
    if let Some(raw) = wire.includes {
        let read: Field<RawIncludes<'_>> = read_known(raw).map_err(|r| r.inside(value, raw))?;
        includes = read.get().unwrap_or_default();
    }
    let known = Known {
        tweets_name: if includes.posts.is_absent() { "tweets" } else { "posts" },
        users: index(includes.users, &mut page, |json, user: Person<'_>| {
            Some((key(user.id_str, user.id).get()?.number()?, json))
        }),
        places: index(includes.places, &mut page, |json, place: Area<'_>| Some((place.id.get()?, json))),
        tweets: index(includes.tweets.or(includes.posts), &mut page, |json, tweet: Inner<'_>| {
            let piece = Piece::new(json, &tweet);
            Some((piece.id?, piece))
        }),
        matching_rules: wire.matching_rules,
    };

    let data: Field<Raws<'_>> = read_known(data).map_err(|r| r.inside(value, data))?;
    let data = data.get().map_or_else(Vec::new, |list| list.0);
    let pieces: Vec<_> = data.iter().map(|json| (*json, Piece::read(json))).collect();
    let own: HashMap<u64, &Piece<'_>> = pieces
        .iter()
        .filter_map(|(_, piece)| piece.as_ref().ok())
        .filter_map(|piece| Some((piece.id?, piece)))
        .collect();
    for (json, piece) in &pieces {
        let line = piece.as_ref().map_err(Reject::clone).and_then(|piece| known.line(piece, &own, room));
        page.lines.push(line.map_err(|reject| (reject, (*json).to_owned())));
    }
    Ok(page.parsed(value))
}

/// The included objects by their ids; what cannot be read becomes a notice.
fn index<'a, T, K, V>(
    items: Field<Raws<'a>>,
    page: &mut Page,
    entry: impl Fn(&'a str, T) -> Option<(K, V)>,
) -> HashMap<K, V>
where
    T: Shape<'a>,
    K: Hash + Eq,
{
    let mut known = HashMap::new();
    for json in items.get().map_or_else(Vec::new, |items| items.0) {
        let item: Option<T> = read_known(json).ok().and_then(Field::get);
        match item.and_then(|item| entry(json, item)) {
            Some((key, value)) => {
                known.entry(key).or_insert(value);
            }
            None => page.notices.push(Notice::of(NoticeKind::PageError, json)),
        }
    }
    known
}

impl<'a> Known<'a> {
    /// The raw line of a tweet. One that is in the data and included counts as it is in the data.
    fn line(
        &self,
        tweet: &Piece<'a>,
        own: &HashMap<u64, &Piece<'a>>,
        room: &mut usize,
    ) -> Result<String, Reject> {
        let mut tweets: Vec<&Piece<'a>> = Vec::new();
        for id in &tweet.others {
            if let Some(other) = own.get(id).copied().or(self.tweets.get(id))
                && !tweets.iter().any(|known| known.json == other.json)
            {
                tweets.push(other);
            }
        }
        let (mut users, mut places): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for piece in [tweet].iter().chain(&tweets) {
            let user = piece.author.and_then(|id| self.users.get(&id)).copied();
            users.extend(user.filter(|user| !users.contains(user)));
            let place = piece.place.as_ref().and_then(|id| self.places.get(id)).copied();
            places.extend(place.filter(|place| !places.contains(place)));
        }
        let tweets: Vec<&str> = tweets.iter().map(|other| other.json).collect();

        let lists = [("users", &users), (self.tweets_name, &tweets), ("places", &places)];
        let rules = self.matching_rules.unwrap_or_default();
        let needed = lists.iter().flat_map(|(_, list)| *list).map(|json| json.len());
        let size = tweet.json.len() + rules.len() + needed.sum::<usize>();
        if size > TWEET_BYTES || size > *room {
            return Err(Reject::of(Code::TooLong, "a tweet above its cap, with what it refers to"));
        }
        let lists: Vec<String> = lists
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| format!("\"{name}\":[{}]", list.join(",")))
            .collect();
        let mut line = format!("{{\"data\":{}", tweet.json);
        if !lists.is_empty() {
            line += &format!(",\"includes\":{{{}}}", lists.join(","));
        }
        if let Some(rules) = self.matching_rules {
            line += &format!(",\"matching_rules\":{rules}");
        }
        line.push('}');
        *room -= size;
        Ok(one_line(&line).into_owned())
    }
}

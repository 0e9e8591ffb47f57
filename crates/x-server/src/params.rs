//! Query parameters, and the choice of fields they make.

use crate::corpus::{Corpus, Tweet};
use crate::names::{self, Dialect, Kind, MEDIA, PLACE, POLL, TWEET, USER};

/// A request that cannot be answered: the message, and the parameters it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub message: String,
    pub parameters: Vec<(String, Vec<String>)>,
}

impl Invalid {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), parameters: Vec::new() }
    }

    pub fn of(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), vec![value.to_owned()]));
        self
    }
}

/// The decoded query of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub Vec<(String, String)>);

impl Params {
    pub fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a repeated or comma-separated parameter.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(',')).collect()
    }

    /// A whole number within bounds.
    pub fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Invalid> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let wrong = || {
            let (low, high) = (bounds.start(), bounds.end());
            Invalid::new(format!(
                "The `{name}` query parameter value [{text}] is not between {low} and {high}"
            ))
            .of(name, text)
        };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(wrong)
    }

    /// Refuses parameters that are neither in `known` nor choose fields.
    pub fn check_names(&self, known: &[&str]) -> Result<(), Invalid> {
        let fields = [&TWEET, &USER, &PLACE, &MEDIA, &POLL];
        for (name, value) in &self.0 {
            let chooses =
                fields.iter().any(|kind| name == kind.tweet_parameter || name == kind.post_parameter);
            if !(chooses || name == "expansions" || known.contains(&name.as_str())) {
                let all = known.join(",");
                return Err(Invalid::new(format!("The query parameter [{name}] is not one of [{all}]"))
                    .of(name, value));
            }
        }
        Ok(())
    }
}

/// Which fields of which objects an answer has, and in whose names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Projection {
    pub dialect: Dialect,
    tweet: u64,
    user: u64,
    place: u64,
    media: u64,
    poll: u64,
    expand: u32,
}

/// What is expanded, as bits of `Projection::expand`.
mod expand {
    pub const AUTHOR: u32 = 1;
    pub const REFERENCED: u32 = 2;
    pub const REFERENCED_AUTHOR: u32 = 4;
    pub const REPLY_USER: u32 = 8;
    pub const MENTIONS: u32 = 16;
    pub const PLACE: u32 = 32;
    pub const MEDIA: u32 = 64;
    pub const REFERENCED_MEDIA: u32 = 128;
    pub const POLLS: u32 = 256;
    pub const EDITS: u32 = 512;
}

impl Projection {
    /// What a request without any choice gets.
    pub fn plain(dialect: Dialect) -> Self {
        Self {
            dialect,
            tweet: TWEET.default_bits(),
            user: USER.default_bits(),
            place: PLACE.default_bits(),
            media: MEDIA.default_bits(),
            poll: POLL.default_bits(),
            expand: 0,
        }
    }

    /// The choice in another dialect's names.
    pub fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Reads the choice. `accepted` is the one dialect the server understands, if not both.
    pub fn parse(params: &Params, default: Dialect, accepted: Option<Dialect>) -> Result<Self, Invalid> {
        let expansions = params.list("expansions");
        let only = |own: &[(&str, &str)], other: &[(&str, &str)]| {
            expansions.iter().any(|name| {
                own.iter().any(|(known, _)| known == name) && !other.iter().any(|(known, _)| known == name)
            })
        };
        let tweet =
            params.get("tweet.fields").is_some() || only(names::TWEET_EXPANSIONS, names::POST_EXPANSIONS);
        let post =
            params.get("post.fields").is_some() || only(names::POST_EXPANSIONS, names::TWEET_EXPANSIONS);
        let dialect = match (tweet, post) {
            (false, false) => accepted.unwrap_or(default),
            (_, false) => Dialect::Tweet,
            (false, _) => Dialect::Post,
            (true, true) => {
                return Err(Invalid::new("`tweet.fields` and `post.fields` cannot be used together"));
            }
        };
        if accepted.is_some_and(|only| only != dialect) {
            let name = format!("{}.fields", dialect.noun());
            let value = params.get(&name).unwrap_or_default();
            return Err(Invalid::new(format!("The query parameter [{name}] is not known")).of(&name, value));
        }
        let mut choice = Self::plain(dialect);
        choice.tweet |= fields(&TWEET, params, dialect)?;
        choice.user |= fields(&USER, params, dialect)?;
        choice.place |= fields(&PLACE, params, dialect)?;
        choice.media |= fields(&MEDIA, params, dialect)?;
        choice.poll |= fields(&POLL, params, dialect)?;
        choice.expand(&expansions)?;
        Ok(choice)
    }

    fn expand(&mut self, expansions: &[&str]) -> Result<(), Invalid> {
        let known = match self.dialect {
            Dialect::Tweet => names::TWEET_EXPANSIONS,
            Dialect::Post => names::POST_EXPANSIONS,
        };
        for name in expansions {
            let Some((_, brings)) = known.iter().find(|(expansion, _)| expansion == name) else {
                let all: Vec<&str> = known.iter().map(|(expansion, _)| *expansion).collect();
                return Err(Invalid::new(format!(
                    "The `expansions` query parameter value [{name}] is not one of [{}]",
                    all.join(",")
                ))
                .of("expansions", name));
            };
            self.tweet |= TWEET.bit(brings);
            self.expand |= match *name {
                "author_id" | "username" => expand::AUTHOR,
                "referenced_tweets.id" | "referenced_posts" => expand::REFERENCED,
                "referenced_tweets.id.author_id" => {
                    self.tweet |= TWEET.bit("author_id");
                    expand::REFERENCED | expand::REFERENCED_AUTHOR
                }
                "referenced_tweets.id.attachments.media_keys" => {
                    expand::REFERENCED | expand::REFERENCED_MEDIA
                }
                "in_reply_to_user_id" => expand::REPLY_USER,
                "entities.mentions.username" | "entities.note.mentions.username" => expand::MENTIONS,
                "geo.place_id" => expand::PLACE,
                "attachments.media_keys" => expand::MEDIA,
                "attachments.poll_ids" => expand::POLLS,
                "edit_history_tweet_ids" | "edit_history_post_ids" => expand::EDITS,
                _ => 0,
            };
        }
        // The post dialect cannot ask for the authors of referenced posts by name: they come with `author_id`.
        if self.dialect == Dialect::Post && self.has(expand::AUTHOR | expand::REFERENCED) {
            self.expand |= expand::REFERENCED_AUTHOR;
        }
        Ok(())
    }

    fn has(self, expansion: u32) -> bool {
        self.expand & expansion == expansion
    }

    /// Writes one tweet.
    pub fn tweet(self, tweet: &Tweet, out: &mut Vec<u8>) {
        tweet.object.write(&TWEET, self.dialect, self.tweet, out);
    }

    /// Writes one tweet with some fields replaced: `(tweet name, json)`.
    pub fn tweet_with(self, tweet: &Tweet, changed: &[(&str, String)], out: &mut Vec<u8>) {
        tweet.object.write_with(&TWEET, self.dialect, self.tweet, changed, out);
    }
}

fn fields(kind: &Kind, params: &Params, dialect: Dialect) -> Result<u64, Invalid> {
    let parameter = kind.parameter(dialect);
    let mut bits = 0;
    for asked in params.list(parameter) {
        let found = kind.names.iter().find(|name| name.in_dialect(dialect) == asked && name.askable(dialect));
        let Some(name) = found else {
            let all: Vec<&str> = kind
                .names
                .iter()
                .filter(|name| name.askable(dialect))
                .map(|name| name.in_dialect(dialect))
                .collect();
            return Err(Invalid::new(format!(
                "The `{parameter}` query parameter value [{asked}] is not one of [{}]",
                all.join(",")
            ))
            .of(parameter, asked));
        };
        bits |= kind.bit(name.tweet);
    }
    Ok(bits)
}

/// The objects beside the tweets of an answer, each once, in the order they are met.
#[derive(Default)]
pub(crate) struct Includes<'a> {
    users: Vec<u64>,
    tweets: Vec<usize>,
    places: Vec<&'a str>,
    media: Vec<&'a str>,
    polls: Vec<&'a str>,
    /// Referenced tweets that are gone.
    missing: Vec<u64>,
}

fn once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

impl<'a> Includes<'a> {
    /// Takes in what one tweet of the answer brings along.
    pub fn add(&mut self, tweet: &'a Tweet, corpus: &'a Corpus, choice: Projection) {
        let mut user = |id: Option<u64>| {
            if let Some(id) = id.filter(|id| corpus.users.contains_key(id)) {
                once(&mut self.users, id);
            }
        };
        if choice.has(expand::AUTHOR) {
            user(tweet.author);
        }
        if choice.has(expand::REPLY_USER) {
            user(tweet.replied_user);
        }
        if choice.has(expand::MENTIONS) {
            tweet.mentions.iter().for_each(|id| user(Some(*id)));
        }
        for id in [tweet.retweeted, tweet.quoted, tweet.replied].into_iter().flatten() {
            if !choice.has(expand::REFERENCED) {
                break;
            }
            let Some(index) = corpus.index(id) else {
                once(&mut self.missing, id);
                continue;
            };
            let referenced = &corpus.tweets[index];
            once(&mut self.tweets, index);
            if choice.has(expand::REFERENCED_AUTHOR) {
                user(referenced.author);
            }
            if choice.has(expand::REFERENCED_MEDIA) {
                referenced.media.iter().for_each(|key| once(&mut self.media, key.as_ref()));
            }
        }
        if choice.has(expand::EDITS) {
            let versions = tweet.history.iter().filter_map(|id| corpus.index(*id));
            versions
                .filter(|index| corpus.tweets[*index].id != tweet.id)
                .for_each(|index| once(&mut self.tweets, index));
        }
        if choice.has(expand::PLACE)
            && let Some(place) = tweet.place.as_deref().filter(|id| corpus.places.contains_key(*id))
        {
            once(&mut self.places, place);
        }
        if choice.has(expand::MEDIA) {
            tweet
                .media
                .iter()
                .filter(|key| corpus.media.contains_key(*key))
                .for_each(|key| once(&mut self.media, key));
        }
        if choice.has(expand::POLLS) {
            tweet
                .polls
                .iter()
                .filter(|id| corpus.polls.contains_key(*id))
                .for_each(|id| once(&mut self.polls, id));
        }
    }

    /// Writes `,"includes":{…}` and `,"errors":[…]`, as far as there is something to write.
    pub fn write(&self, corpus: &Corpus, choice: Projection, more_errors: usize, out: &mut Vec<u8>) {
        let open = out.len();
        out.extend_from_slice(b",\"includes\":{");
        let inner = out.len();
        let dialect = choice.dialect;
        list(out, inner, "users", self.users.iter().filter_map(|id| corpus.users.get(id)), |user, out| {
            user.object.write(&USER, dialect, choice.user, out);
        });
        let tweets = match dialect {
            Dialect::Tweet => "tweets",
            Dialect::Post => "posts",
        };
        list(out, inner, tweets, self.tweets.iter().map(|index| &corpus.tweets[*index]), |tweet, out| {
            choice.tweet(tweet, out)
        });
        list(
            out,
            inner,
            "places",
            self.places.iter().filter_map(|id| corpus.places.get(*id)),
            |place, out| {
                place.object.write(&PLACE, dialect, choice.place, out);
            },
        );
        list(
            out,
            inner,
            "media",
            self.media.iter().filter_map(|key| corpus.media.get(*key)),
            |medium, out| {
                medium.write(&MEDIA, dialect, choice.media, out);
            },
        );
        list(out, inner, "polls", self.polls.iter().filter_map(|id| corpus.polls.get(*id)), |poll, out| {
            poll.write(&POLL, dialect, choice.poll, out);
        });
        if out.len() == inner {
            out.truncate(open);
        } else {
            out.push(b'}');
        }
        let invented = (1..).take(more_errors).map(|number| 1_000 + number);
        let missing: Vec<u64> = self.missing.iter().copied().chain(invented).collect();
        if missing.is_empty() {
            return;
        }
        let errors: Vec<String> = missing.iter().map(|id| gone(*id, dialect).to_string()).collect();
        out.extend_from_slice(b",\"errors\":[");
        out.extend_from_slice(errors.join(",").as_bytes());
        out.push(b']');
    }
}

/// The partial error for a referenced tweet that is gone.
fn gone(id: u64, dialect: Dialect) -> serde_json::Value {
    let parameter = match dialect {
        Dialect::Tweet => "referenced_tweets.id",
        Dialect::Post => "referenced_posts",
    };
    let noun = dialect.noun();
    let id = id.to_string();
    serde_json::json!({"value": id, "detail": format!("Could not find {noun} with {parameter}: [{id}]."), "title": "Not Found Error",
        "resource_type": noun, "parameter": parameter, "resource_id": id, "type": dialect.problem("resource-not-found")})
}

fn list<T>(
    out: &mut Vec<u8>,
    inner: usize,
    name: &str,
    items: impl Iterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    let mut first = true;
    for item in items {
        if first {
            if out.len() > inner {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{name}\":[").as_bytes());
        } else {
            out.push(b',');
        }
        first = false;
        write(item, out);
    }
    if !first {
        out.push(b']');
    }
}

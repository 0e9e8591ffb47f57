//! The query language of search and of stream rules.

use crate::corpus::{Corpus, Tweet, User};
use crate::words::{fold, without_accents};

/// Where a query is used: the two grammars differ in a few operators and in what a keyword sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Search and counts: accents are ignored, only the tweet's own text counts.
    Search,
    /// Stream rules: accents count, and the quoted tweet's text matches too.
    Stream,
}

/// A query that was understood.
#[derive(Clone, Debug)]
pub struct Query {
    place: Place,
    root: Clause,
}

#[derive(Clone, Debug)]
enum Clause {
    All(Vec<Clause>),
    Any(Vec<Clause>),
    Not(Box<Clause>),
    Term(Term),
}

#[derive(Clone, Debug)]
enum Term {
    /// Folded words with a space at both ends: a keyword or a phrase.
    Words(String),
    /// Folded words, at most so many others between them.
    Near(Vec<String>, usize),
    /// `#tag`, `$cash` or `@name` as they stand among the marks.
    Mark(String),
    Link(String),
    From(String),
    To(String),
    SharesOf(String),
    Id(Names, u64),
    Is(Is),
    Has(Has),
    Lang(String),
    Sample(u64),
    Place(String),
    Country(String),
    Within([f64; 4]),
    Around {
        lon: f64,
        lat: f64,
        kilometres: f64,
    },
    Count(Counted, u64, u64),
    Profile(Part, String),
}

#[derive(Clone, Copy, Debug)]
enum Names {
    Conversation,
    ReplyTo,
    ShareOf,
    QuoteOf,
}
#[derive(Clone, Copy, Debug)]
enum Is {
    Retweet,
    Reply,
    Quote,
    Verified,
    Nullcast,
}
#[derive(Clone, Copy, Debug)]
enum Has {
    Hashtags,
    Cashtags,
    Links,
    Mentions,
    Media,
    Images,
    Video,
    Geo,
}
#[derive(Clone, Copy, Debug)]
enum Counted {
    Likes,
    Replies,
    Shares,
    Followers,
    Following,
    Listings,
    Tweets,
}
#[derive(Clone, Copy, Debug)]
enum Part {
    Name,
    Bio,
    Location,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// The message the API would give: unknown operator, unbalanced group, nothing that stands alone, too long.
    pub fn parse(text: &str, place: Place, longest: usize) -> Result<Self, String> {
        let length = text.chars().count();
        if length > longest {
            return Err(format!("Rule length exceeds the maximum of {longest} characters (was {length})"));
        }
        let mut parser = Parser { text, at: 0, place };
        let root = parser.any()?;
        parser.skip_space();
        if parser.at < text.len() {
            return Err(parser.wrong("no viable alternative at character ')'"));
        }
        if !stands_alone(&root) {
            return Err("Rules must contain a positive, stand-alone operator (at position 1)".to_owned());
        }
        Ok(Self { place, root })
    }

    /// Whether a tweet is meant.
    pub(crate) fn matches(&self, tweet: &Tweet, corpus: &Corpus) -> bool {
        self.holds(&self.root, tweet, corpus)
    }

    fn holds(&self, clause: &Clause, tweet: &Tweet, corpus: &Corpus) -> bool {
        match clause {
            Clause::All(parts) => parts.iter().all(|part| self.holds(part, tweet, corpus)),
            Clause::Any(parts) => parts.iter().any(|part| self.holds(part, tweet, corpus)),
            Clause::Not(part) => !self.holds(part, tweet, corpus),
            Clause::Term(term) => self.meets(term, tweet, corpus),
        }
    }

    /// Calls `test` with each text a keyword sees: the tweet's, a share's original, and for streams the quoted one.
    fn any_text(&self, tweet: &Tweet, corpus: &Corpus, test: impl Fn(&str) -> bool) -> bool {
        let seen = |tweet: &Tweet| {
            test(match (&tweet.plain, self.place) {
                (Some(plain), Place::Search) => plain,
                _ => &tweet.words,
            })
        };
        let quoted = tweet.quoted.filter(|_| self.place == Place::Stream);
        seen(tweet)
            || [tweet.retweeted, quoted].into_iter().flatten().any(|id| corpus.tweet(id).is_some_and(seen))
    }

    fn meets(&self, term: &Term, tweet: &Tweet, corpus: &Corpus) -> bool {
        let author = || corpus.author(tweet);
        let by = |user: Option<u64>, name: &str| {
            user.is_some_and(|id| {
                corpus.user(name).map_or_else(|| name.parse() == Ok(id), |named| named.id == id)
            })
        };
        let original = || tweet.retweeted.and_then(|id| corpus.tweet(id));
        let place = || {
            tweet
                .place
                .as_ref()
                .filter(|_| tweet.retweeted.is_none())
                .and_then(|id| Some((id, corpus.places.get(id)?)))
        };
        let point = || tweet.point.filter(|_| tweet.retweeted.is_none());
        match term {
            Term::Words(words) => self.any_text(tweet, corpus, |text| text.contains(words.as_str())),
            Term::Near(words, most) => self.any_text(tweet, corpus, |text| are_near(text, words, *most)),
            Term::Mark(mark) => {
                tweet.marks.contains(mark.as_str())
                    || original().is_some_and(|tweet| tweet.marks.contains(mark.as_str()))
            }
            Term::Link(part) => {
                tweet.marks.split(' ').any(|mark| mark.starts_with("http") && mark.contains(part.as_str()))
            }
            Term::From(name) => by(tweet.author, name),
            Term::To(name) => by(tweet.replied_user, name),
            Term::SharesOf(name) => by(original().and_then(|tweet| tweet.author), name),
            Term::Id(Names::Conversation, id) => tweet.conversation == Some(*id),
            Term::Id(Names::ReplyTo, id) => tweet.replied == Some(*id),
            Term::Id(Names::ShareOf, id) => tweet.retweeted == Some(*id),
            Term::Id(Names::QuoteOf, id) => tweet.quoted == Some(*id),
            Term::Is(Is::Retweet) => tweet.retweeted.is_some(),
            Term::Is(Is::Reply) => tweet.replied.is_some(),
            Term::Is(Is::Quote) => tweet.quoted.is_some(),
            Term::Is(Is::Verified) => author().is_some_and(|user| user.verified),
            // Promoted tweets that nobody's timeline shows: there are none here.
            Term::Is(Is::Nullcast) => false,
            Term::Has(has) => match has {
                Has::Hashtags => tweet.marks.contains(" #"),
                Has::Cashtags => tweet.marks.contains(" $"),
                Has::Links => tweet.marks.contains(" http"),
                Has::Mentions => tweet.marks.contains(" @"),
                Has::Media => !tweet.media.is_empty(),
                Has::Images => tweet.image,
                Has::Video => tweet.video,
                Has::Geo => tweet.retweeted.is_none() && (tweet.place.is_some() || tweet.point.is_some()),
            },
            Term::Lang(lang) => tweet.lang.eq_ignore_ascii_case(lang),
            Term::Sample(percent) => {
                (tweet.id ^ tweet.id >> 22).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
                    < percent * ((1 << 32) / 100)
            }
            Term::Place(name) => {
                place().is_some_and(|(id, place)| id.as_ref() == name || place.name.contains(&fold(name)))
            }
            Term::Country(code) => place().is_some_and(|(_, place)| *place.country == **code),
            Term::Within([west, south, east, north]) => point()
                .is_some_and(|(lon, lat)| (*west..=*east).contains(&lon) && (*south..=*north).contains(&lat)),
            Term::Around { lon, lat, kilometres } => {
                point().is_some_and(|at| distance(at, (*lon, *lat)) <= *kilometres)
            }
            Term::Count(what, least, most) => {
                let of_author = |count: fn(&User) -> u64| author().map_or(0, count);
                let count = match what {
                    Counted::Likes => tweet.likes,
                    Counted::Replies => tweet.replies,
                    Counted::Shares => tweet.reposts,
                    Counted::Followers => of_author(|user| user.followers),
                    Counted::Following => of_author(|user| user.following),
                    Counted::Listings => of_author(|user| user.listings),
                    Counted::Tweets => of_author(|user| user.tweets),
                };
                (*least..=*most).contains(&count)
            }
            Term::Profile(part, words) => author().is_some_and(|user| {
                let text = match part {
                    Part::Name => &user.name,
                    Part::Bio => &user.bio,
                    Part::Location => &user.location,
                };
                text.contains(words.as_str())
            }),
        }
    }
}

/// Kilometres between two points `(lon, lat)`, on a sphere.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (lat1, lat2) = (one.1.to_radians(), other.1.to_radians());
    let (dlat, dlon) = ((lat2 - lat1) / 2.0, (other.0 - one.0).to_radians() / 2.0);
    let chord = dlat.sin().powi(2) + lat1.cos() * lat2.cos() * dlon.sin().powi(2);
    12_742.0 * chord.sqrt().asin()
}

fn are_near(text: &str, wanted: &[String], most: usize) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows((wanted.len() + most).min(words.len()).max(1))
        .any(|window| wanted.iter().all(|word| window.contains(&word.as_str())))
}

/// Whether each way to meet the clause holds an operator that may stand by itself.
fn stands_alone(clause: &Clause) -> bool {
    match clause {
        Clause::All(parts) => parts.iter().any(stands_alone),
        Clause::Any(parts) => parts.iter().all(stands_alone),
        Clause::Not(_) => false,
        Clause::Term(term) => {
            !matches!(term, Term::Is(_) | Term::Has(_) | Term::Lang(_) | Term::Sample(_) | Term::Count(..))
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn wrong(&self, what: &str) -> String {
        format!(
            "There were errors processing your request: {what} (at position {})",
            self.text[..self.at].chars().count() + 1
        )
    }

    fn any(&mut self) -> Result<Clause, String> {
        let mut parts = vec![self.all()?];
        loop {
            self.skip_space();
            if self.word() != "OR" {
                break;
            }
            self.at += 2;
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Clause::Any))
    }

    fn all(&mut self) -> Result<Clause, String> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            match self.word() {
                "OR" => break,
                "or" => {
                    return Err(self.wrong(
                        "Ambiguous use of or as a keyword. Use OR to logically join two clauses, or \"or\" to find occurrences of or in text",
                    ));
                }
                "and" | "AND" => {
                    return Err(self.wrong(
                        "Ambiguous use of and as a keyword. Use a space to logically join two clauses, or \"and\" to find occurrences of and in text",
                    ));
                }
                _ if self.rest().is_empty() || self.rest().starts_with(')') => break,
                _ => parts.push(self.one()?),
            }
        }
        if parts.is_empty() {
            return Err(self.wrong("missing operand: a clause is empty"));
        }
        Ok(one_or(parts, Clause::All))
    }

    fn one(&mut self) -> Result<Clause, String> {
        let negated = self.rest().starts_with('-');
        self.at += usize::from(negated);
        if self.rest().starts_with('(') {
            if negated {
                return Err(self.wrong("negation of a group is not supported"));
            }
            self.at += 1;
            let group = self.any()?;
            self.skip_space();
            if !self.rest().starts_with(')') {
                return Err(self.wrong("missing ')'"));
            }
            self.at += 1;
            return Ok(group);
        }
        let term = self.term()?;
        match (&term, negated) {
            (Term::Sample(_), true) => Err(self.wrong("the sample: operator cannot be negated")),
            (Term::Is(Is::Nullcast), false) => Err(self.wrong("the is:nullcast operator must be negated")),
            (_, true) => Ok(Clause::Not(Box::new(Clause::Term(term)))),
            (_, false) => Ok(Clause::Term(term)),
        }
    }

    /// The characters up to the next space or bracket.
    fn word(&self) -> &str {
        let rest = self.rest();
        &rest[..rest
            .find(|sign: char| sign.is_whitespace() || sign == '(' || sign == ')')
            .unwrap_or(rest.len())]
    }

    fn quoted(&mut self) -> Result<String, String> {
        let inner = &self.rest()[1..];
        let Some(end) = inner.find('"') else {
            return Err(self.wrong("missing closing quote"));
        };
        let text = inner[..end].to_owned();
        self.at += end + 2;
        Ok(text)
    }

    fn term(&mut self) -> Result<Term, String> {
        if self.rest().starts_with('"') {
            let text = self.quoted()?;
            if let Some(near) = self.word().strip_prefix('~') {
                let most = near
                    .parse()
                    .ok()
                    .filter(|most| *most <= 6)
                    .ok_or_else(|| self.wrong("proximity must be a number up to 6"))?;
                self.at += near.len() + 1;
                return Ok(Term::Near(
                    self.folded(&text)?.split_whitespace().map(str::to_owned).collect(),
                    most,
                ));
            }
            return Ok(Term::Words(self.folded(&text)?));
        }
        let word = self.word().to_owned();
        let name = word.split(':').next().unwrap_or_default();
        let is_operator = word.contains(':')
            && name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
            && !name.is_empty();
        if is_operator {
            let start = self.at;
            self.at += name.len() + 1;
            let value = self.value()?;
            return operator(name, &value, self.place).map_err(|what| {
                self.at = start;
                self.wrong(&what)
            });
        }
        self.at += word.len();
        if word.is_empty() {
            return Err(self.wrong("missing operand"));
        }
        if word.len() > 1 && word.starts_with(['#', '$', '@']) {
            return Ok(Term::Mark(format!(" {} ", word.to_lowercase())));
        }
        Ok(Term::Words(self.folded(&word)?))
    }

    fn value(&mut self) -> Result<String, String> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let value = match (self.rest().starts_with('['), self.rest().find(']')) {
            (true, Some(end)) => self.rest()[..=end].to_owned(),
            _ => self.word().to_owned(),
        };
        self.at += value.len();
        Ok(value)
    }

    fn folded(&self, text: &str) -> Result<String, String> {
        let words = fold(text);
        if words.trim().is_empty() {
            return Err(self.wrong("a keyword has no letter, digit or emoji"));
        }
        Ok(match self.place {
            Place::Search => without_accents(&words).unwrap_or(words),
            Place::Stream => words,
        })
    }
}

fn one_or(mut parts: Vec<Clause>, many: fn(Vec<Clause>) -> Clause) -> Clause {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

fn operator(name: &str, value: &str, place: Place) -> Result<Term, String> {
    let unknown = || {
        format!(
            "Reference to invalid operator '{name}'. Operator is not available in current product or product packaging. Please refer to complete available operator list at https://developer.twitter.com/en/docs/twitter-api/tweets/search/integrate/operators"
        )
    };
    let bad = || format!("invalid value '{value}' for operator '{name}'");
    if value.is_empty() {
        return Err(bad());
    }
    let id = |names| value.parse().map(|id| Term::Id(names, id)).map_err(|_| bad());
    let user = || value.trim_start_matches('@').to_lowercase();
    let range = |what| match value.split_once("..") {
        Some((least, most)) => {
            Ok(Term::Count(what, least.parse().map_err(|_| bad())?, most.parse().map_err(|_| bad())?))
        }
        None => Ok(Term::Count(what, value.parse().map_err(|_| bad())?, u64::MAX)),
    };
    let only =
        |wanted: Place, term: Result<Term, String>| if place == wanted { term } else { Err(unknown()) };
    let numbers = || -> Option<Vec<f64>> {
        let inner = value.strip_prefix('[')?.strip_suffix(']')?;
        inner.split_whitespace().map(|number| number.trim_end_matches(['k', 'm', 'i']).parse().ok()).collect()
    };
    match name {
        "from" => Ok(Term::From(user())),
        "to" => Ok(Term::To(user())),
        "retweets_of" => Ok(Term::SharesOf(user())),
        "url" | "url_contains" => Ok(Term::Link(value.to_lowercase())),
        "conversation_id" => id(Names::Conversation),
        "in_reply_to_tweet_id" | "in_reply_to_post_id" | "in_reply_to_status_id" => id(Names::ReplyTo),
        "retweets_of_tweet_id" | "retweets_of_post_id" => id(Names::ShareOf),
        "quotes_of_tweet_id" | "quotes_of_post_id" => only(Place::Search, id(Names::QuoteOf)),
        "is" => Ok(Term::Is(match value {
            "retweet" | "repost" => Is::Retweet,
            "reply" => Is::Reply,
            "quote" => Is::Quote,
            "verified" => Is::Verified,
            "nullcast" => Is::Nullcast,
            _ => return Err(bad()),
        })),
        "has" => Ok(Term::Has(match value {
            "hashtags" => Has::Hashtags,
            "cashtags" => Has::Cashtags,
            "links" => Has::Links,
            "mentions" => Has::Mentions,
            "media" => Has::Media,
            "images" => Has::Images,
            "video_link" | "videos" => Has::Video,
            "geo" => Has::Geo,
            _ => return Err(bad()),
        })),
        "lang" => {
            let (code, region) = value.split_once('-').unwrap_or((value, "XX"));
            let fits = (2..=3).contains(&code.len())
                && code.bytes().all(|sign| sign.is_ascii_alphabetic())
                && region.len() == 2;
            if fits { Ok(Term::Lang(value.to_owned())) } else { Err(bad()) }
        }
        "sample" => only(
            Place::Stream,
            value
                .parse()
                .ok()
                .filter(|percent| (1..=100).contains(percent))
                .map(Term::Sample)
                .ok_or_else(bad),
        ),
        "place" => Ok(Term::Place(value.to_owned())),
        "place_country" if value.len() == 2 => Ok(Term::Country(value.to_lowercase())),
        "point_radius" => match numbers().as_deref() {
            Some([lon, lat, radius]) => {
                let kilometres = if value.ends_with("mi]") { radius * 1.609_344 } else { *radius };
                if kilometres < 40.234 {
                    Ok(Term::Around { lon: *lon, lat: *lat, kilometres })
                } else {
                    Err(bad())
                }
            }
            _ => Err(bad()),
        },
        "bounding_box" | "geo_bounding_box" => match numbers().as_deref() {
            Some(&[west, south, east, north]) if west < east && south < north => {
                Ok(Term::Within([west, south, east, north]))
            }
            _ => Err(bad()),
        },
        "min_likes" => only(Place::Search, range(Counted::Likes)),
        "min_replies" => only(Place::Search, range(Counted::Replies)),
        "min_reposts" => only(Place::Search, range(Counted::Shares)),
        "min_followers" | "followers_count" => range(Counted::Followers),
        "following_count" => range(Counted::Following),
        "listed_count" => range(Counted::Listings),
        "tweets_count" => range(Counted::Tweets),
        "bio_name" => only(Place::Stream, Ok(Term::Profile(Part::Name, fold(value)))),
        "bio" => only(Place::Stream, Ok(Term::Profile(Part::Bio, fold(value)))),
        "bio_location" => only(Place::Stream, Ok(Term::Profile(Part::Location, fold(value)))),
        "place_country" => Err(bad()),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn corpus() -> Corpus {
        let mut corpus = Corpus::default();
        let mut add = |value: serde_json::Value| corpus.add_tweet(value.as_object().unwrap().clone(), true);
        add(json!({"id": "100", "text": "Justin Bieber sings #Baby", "author_id": "7", "lang": "en",
            "entities": {"hashtags": [{"start": 0, "end": 5, "tag": "Baby"}]},
            "public_metrics": {"like_count": 5, "reply_count": 0, "retweet_count": 2}}));
        add(json!({"id": "101", "text": "RT @ana: Justin Bieber sings", "author_id": "8", "lang": "en",
            "referenced_tweets": [{"type": "retweeted", "id": "100"}]}));
        add(json!({"id": "102", "text": "look at this", "author_id": "8", "lang": "en",
            "referenced_tweets": [{"type": "quoted", "id": "100"}]}));
        add(
            json!({"id": "103", "text": "la canción, justin y bieber", "author_id": "7", "lang": "es", "in_reply_to_user_id": "8",
            "referenced_tweets": [{"type": "replied_to", "id": "102"}], "conversation_id": "102"}),
        );
        add(
            json!({"id": "104", "text": "coca-cola 🔥 &amp; more", "author_id": "9", "geo": {"place_id": "p1",
            "coordinates": {"type": "Point", "coordinates": [-0.1, 51.5]}}}),
        );
        corpus.add_place(
            json!({"id": "p1", "full_name": "London, England", "country_code": "GB"}).as_object().unwrap(),
        );
        corpus.add_user(
            json!({"id": "7", "username": "Ana", "name": "Ana", "verified": true,
            "public_metrics": {"followers_count": 9}})
            .as_object()
            .unwrap()
            .clone(),
        );
        corpus.finish()
    }

    fn found(query: &str, place: Place) -> Vec<u64> {
        let query = Query::parse(query, place, 512).unwrap();
        let corpus = corpus();
        corpus.tweets.iter().filter(|tweet| query.matches(tweet, &corpus)).map(|tweet| tweet.id).collect()
    }

    #[test]
    fn operators_select() {
        for (query, want) in [
            ("justin bieber", &[100, 101, 103][..]),
            ("\"justin bieber\"", &[100, 101]),
            ("JUSTIN -is:retweet", &[100, 103]),
            ("cancion OR coca-cola", &[103, 104]),
            ("canción", &[103]),
            ("(sings OR look) lang:en", &[100, 101, 102]),
            ("justin bieber lang:es OR 🔥", &[103, 104]),
            ("#baby", &[100, 101]),
            ("baby", &[100, 101]),
            ("bab", &[]),
            ("from:ana", &[100, 103]),
            ("from:@ANA -lang:es", &[100]),
            ("from:7", &[100, 103]),
            ("to:8", &[103]),
            ("retweets_of:ana", &[101]),
            ("justin is:retweet", &[101]),
            ("look is:quote", &[102]),
            ("justin has:hashtags", &[100]),
            ("sings is:verified", &[100]),
            ("conversation_id:102", &[103]),
            ("quotes_of_tweet_id:100", &[102]),
            ("place_country:gb", &[104]),
            ("place:london", &[104]),
            ("point_radius:[-0.1 51.5 5km]", &[104]),
            ("bounding_box:[-1 51 0 52]", &[104]),
            ("sings min_likes:3", &[100]),
            ("\"justin bieber\"~2", &[100, 101, 103]),
            ("justin followers_count:5..10", &[100, 103]),
        ] {
            assert_eq!(found(query, Place::Search), want, "{query}");
        }
    }

    #[test]
    fn the_stream_differs() {
        assert_eq!(found("cancion", Place::Stream), [] as [u64; 0]);
        assert_eq!(found("canción", Place::Stream), [103]);
        assert_eq!(found("sings", Place::Stream), [100, 101, 102]);
        assert_eq!(found("justin sample:100", Place::Stream), [100, 101, 102, 103]);
    }

    #[test]
    fn mistakes_are_named() {
        for (query, place, part) in [
            ("foo:bar", Place::Search, "invalid operator 'foo'"),
            ("(a OR b", Place::Search, "missing ')'"),
            ("a)", Place::Search, "')'"),
            ("a AND b", Place::Search, "Ambiguous use of and"),
            ("a or b", Place::Search, "Ambiguous use of or"),
            ("-a", Place::Search, "positive, stand-alone"),
            ("is:retweet", Place::Search, "positive, stand-alone"),
            ("a OR lang:en", Place::Search, "positive, stand-alone"),
            ("-(a b)", Place::Search, "negation of a group"),
            ("a is:nullcast", Place::Search, "must be negated"),
            ("a is:purple", Place::Search, "invalid value 'purple'"),
            ("a lang:english", Place::Search, "invalid value 'english'"),
            ("a sample:10", Place::Search, "invalid operator 'sample'"),
            ("a min_likes:3", Place::Stream, "invalid operator 'min_likes'"),
            ("a -sample:10", Place::Stream, "cannot be negated"),
            ("\"open", Place::Search, "closing quote"),
            ("from:", Place::Search, "invalid value"),
            ("a OR", Place::Search, "empty"),
            ("!!!", Place::Search, "no letter"),
            ("", Place::Search, "empty"),
        ] {
            let message = Query::parse(query, place, 512).unwrap_err();
            assert!(message.contains(part), "{query}: {message}");
        }
        assert!(Query::parse(&"a".repeat(513), Place::Search, 512).unwrap_err().contains("512"));
    }
}

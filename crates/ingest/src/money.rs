//! What reading costs: the one place with prices in it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Millionths of a US dollar. X's list of 2026-08-22. Whether what comes in `includes` is charged X does not
/// say: it is assumed, so an estimate is rather too high. X charges a post once a UTC day, which is not counted on.
pub(crate) const POST: u64 = 5_000;
pub(crate) const USER: u64 = 10_000;
pub(crate) const COUNTS_RECENT: u64 = 5_000;
pub(crate) const COUNTS_ALL: u64 = 10_000;

/// The most that one tweet can bring along: itself, what it replies to and what it quotes, each with its author.
pub(crate) const DEAREST_TWEET: u64 = 3 * (POST + USER);
/// The usual: a tweet and its author.
pub(crate) const USUAL_TWEET: u64 = POST + USER;

/// What was read and paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spend {
    /// Posts, those that others refer to among them.
    pub(crate) posts: u64,
    /// Users.
    pub(crate) users: u64,
    /// Estimated, in millionths of a US dollar.
    pub(crate) micro_usd: u64,
}

impl Spend {
    pub(crate) fn add(&mut self, other: Self) {
        self.posts += other.posts;
        self.users += other.users;
        self.micro_usd += other.micro_usd;
    }

    /// What an answer or a line of the stream costs.
    pub(crate) fn of(answer: &Answer<'_>) -> Self {
        let many = |raw: &Option<Vec<&RawValue>>| raw.as_ref().map_or(0, |all| all.len() as u64);
        let data = answer.data.map_or(0, |data| match data.get().starts_with('[') {
            true => serde_json::from_str::<Vec<&RawValue>>(data.get()).map_or(0, |all| all.len() as u64),
            false => 1,
        });
        let includes = answer.includes.as_ref();
        let posts = data + includes.map_or(0, |i| many(&i.tweets) + many(&i.posts));
        let users = includes.map_or(0, |i| many(&i.users));
        Self { posts, users, micro_usd: posts * POST + users * USER }
    }
}

/// What billing and paging need of an answer of X.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    includes: Option<Includes<'a>>,
    pub(crate) meta: Option<Meta>,
    #[serde(borrow)]
    pub(crate) matching_rules: Option<Vec<MatchingRule<'a>>>,
}

#[derive(Deserialize)]
struct Includes<'a> {
    #[serde(borrow)]
    users: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    tweets: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    posts: Option<Vec<&'a RawValue>>,
}

/// Of a page.
#[derive(Deserialize)]
pub(crate) struct Meta {
    pub(crate) next_token: Option<String>,
    #[serde(alias = "total_post_count")]
    pub(crate) total_tweet_count: Option<u64>,
}

/// The id is a string, but was a number once.
#[derive(Deserialize)]
pub(crate) struct MatchingRule<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
}

impl MatchingRule<'_> {
    pub(crate) fn id(&self) -> &str {
        self.id.map_or("", |id| id.get().trim_matches('"'))
    }
}

/// The till of one run: several tasks read, one limit holds.
#[derive(Debug, Default)]
pub(crate) struct Till {
    posts: AtomicU64,
    users: AtomicU64,
    micro_usd: AtomicU64,
    /// What pages that are asked for may cost.
    held: AtomicU64,
    /// Spent on the same question earlier this UTC day.
    before: u64,
    limit: Option<u64>,
}

impl Till {
    pub(crate) fn new(limit: Option<Usd>, before: u64) -> Self {
        Self { before, limit: limit.map(|Usd(micro)| micro), ..Self::default() }
    }

    pub(crate) fn pay(&self, spend: Spend) {
        self.posts.fetch_add(spend.posts, SeqCst);
        self.users.fetch_add(spend.users, SeqCst);
        self.micro_usd.fetch_add(spend.micro_usd, SeqCst);
    }

    pub(crate) fn paid(&self) -> Spend {
        Spend {
            posts: self.posts.load(SeqCst),
            users: self.users.load(SeqCst),
            micro_usd: self.micro_usd.load(SeqCst),
        }
    }

    /// Of this UTC day, earlier runs included.
    pub(crate) fn today(&self) -> u64 {
        self.before + self.micro_usd.load(SeqCst)
    }

    /// What may be spent at all.
    pub(crate) fn limit(&self) -> Option<Usd> {
        self.limit.map(Usd)
    }

    /// What may still be spent.
    pub(crate) fn left(&self) -> u64 {
        let gone = self.today() + self.held.load(SeqCst);
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(gone))
    }

    /// Keeps an amount for what is asked for, until it is known what that cost.
    pub(crate) fn hold(&self, micro_usd: u64) -> Held<'_> {
        self.held.fetch_add(micro_usd, SeqCst);
        Held { till: self, micro_usd }
    }
}

/// An amount that nobody else may spend.
pub(crate) struct Held<'a> {
    till: &'a Till,
    micro_usd: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.till.held.fetch_sub(self.micro_usd, SeqCst);
    }
}

/// An amount of money, as a flag gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usd(pub(crate) u64);

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:02}", self.0 / 1_000_000, self.0 % 1_000_000 / 10_000)
    }
}

/// Reads dollars: `5`, `0.50`.
pub(crate) fn usd(text: &str) -> Result<Usd, String> {
    let wrong = || "not an amount of US dollars: 5 or 0.50".to_owned();
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 || whole.len() + part.len() == 0 || whole.len() > 9 {
        return Err(wrong());
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
    let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
    Ok(Usd(whole * 1_000_000 + part))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, micro) in [("5", 5_000_000), ("0.5", 500_000), (".25", 250_000), ("0.000001", 1)] {
            assert_eq!(usd(text), Ok(Usd(micro)), "{text}");
        }
        for bad in ["", ".", "-1", "1e3", "0.0000001", "$5", "1,5"] {
            assert!(usd(bad).is_err(), "{bad}");
        }
        assert_eq!(Usd(12_340_000).to_string(), "$12.34");
    }

    #[test]
    fn what_comes_along_is_counted() {
        let spend = |text: &str| Spend::of(&serde_json::from_str(text).unwrap());
        let page =
            r#"{"data":[{"id":"1"},{"id":"2"}],"includes":{"users":[{},{},{}],"posts":[{}]},"meta":{}}"#;
        assert_eq!(spend(page), Spend { posts: 3, users: 3, micro_usd: 45_000 });
        assert_eq!(spend(r#"{"data":{"id":"1"},"matching_rules":[{"id":7,"tag":null}]}"#).posts, 1);
        assert_eq!(spend(r#"{"meta":{"result_count":0}}"#), Spend::default());
    }

    #[test]
    fn the_till_knows_what_is_left() {
        let till = Till::new(Some(Usd(100)), 30);
        till.pay(Spend { micro_usd: 50, ..Spend::default() });
        assert_eq!((till.today(), till.left()), (80, 20));
        let held = till.hold(15);
        assert_eq!((till.today(), till.left()), (80, 5));
        drop(held);
        till.pay(Spend { micro_usd: 50, ..Spend::default() });
        assert_eq!(till.left(), 0);
        assert_eq!(Till::new(None, 0).left(), u64::MAX);
    }
}

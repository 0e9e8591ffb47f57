//! Misbehaviour as data: which request gets which fault. Read from JSON or built in a test.
//!
//! ```json
//! [{"on": "stream", "script": [{"tweets": 3}, {"silence": {"seconds": 40}}, {"cut": "reset"}]},
//!  {"on": "search", "skip": 1, "refuse": {"with": "rate_limit", "rate": "absent"}},
//!  {"on": "search", "skip": 2, "times": 2, "page": {"overlap": 3}},
//!  {"on": "any", "times": 0, "body": {"bytes": 1}}]
//! ```
//!
//! A request takes the first fault of the list that is meant for its endpoint, has nothing left to skip and times left.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::Dialect;

/// The endpoints, as the ledger and the faults name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `GET /2/tweets/search/recent`
    SearchRecent,
    /// `GET /2/tweets/search/all`
    SearchAll,
    /// `GET /2/tweets/counts/recent`
    CountsRecent,
    /// `GET /2/tweets/counts/all`
    CountsAll,
    /// `GET /2/tweets/search/stream/rules`
    Rules,
    /// `POST /2/tweets/search/stream/rules`
    RulesChange,
    /// `GET /2/tweets/search/stream/rules/counts`
    RulesCounts,
    /// `GET /2/tweets/search/stream`
    Stream,
    /// `GET` and `DELETE /2/connections…`
    Connections,
    /// `GET /2/usage/tweets`
    Usage,
    /// The websocket `GET /subscribe`
    Jetstream,
    /// In a fault: both searches.
    Search,
    /// In a fault: both counts.
    Counts,
    /// In a fault: every request. In the ledger: a path that does not exist.
    Any,
}

impl Endpoint {
    fn means(self, other: Self) -> bool {
        match self {
            Self::Any => true,
            Self::Search => matches!(other, Self::SearchRecent | Self::SearchAll),
            Self::Counts => matches!(other, Self::CountsRecent | Self::CountsAll),
            _ => self == other,
        }
    }
}

/// One entry of the script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The endpoint it is meant for.
    pub on: Endpoint,
    /// So many requests to that endpoint go by first.
    #[serde(default)]
    pub skip: u32,
    /// It strikes so many times; 0 means always.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub act: Act,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes the next request.
    #[must_use]
    pub fn new(on: Endpoint, act: Act) -> Self {
        Self { on, skip: 0, times: 1, act }
    }

    /// Lets so many requests go by first.
    #[must_use]
    pub fn skip(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes so many times; 0 means always.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// An error answer instead of the true one.
    Refuse {
        /// Which.
        with: Refusal,
        /// The rate headers it carries.
        #[serde(default)]
        rate: RateHeaders,
    },
    /// The true answer with odd rate headers.
    Rate(RateHeaders),
    /// 307 to another address; the path and query are appended.
    Redirect(String),
    /// The connection ends before any answer.
    Drop(Cut),
    /// Accepted, then no answer for so many seconds of the double's clock; then the true one.
    Hang {
        /// Seconds.
        seconds: u32,
    },
    /// The true answer, badly delivered (searches, counts, rules; a stream has its script).
    Body(Delivery),
    /// A search page that is wrong in itself.
    Page(Page),
    /// What the stream does, step by step; after the last step it goes on as usual.
    Script(Vec<Step>),
}

impl Act {
    /// Bodies and pages are for answers that end, scripts for those that go on.
    pub(crate) fn means_something(&self, endpoint: Endpoint) -> bool {
        let goes_on = matches!(endpoint, Endpoint::Stream | Endpoint::Jetstream);
        match self {
            Self::Body(_) => !goes_on,
            Self::Page(_) => Endpoint::Search.means(endpoint),
            Self::Script(_) => goes_on,
            Self::Rate(_) => endpoint != Endpoint::Jetstream,
            Self::Refuse { .. } | Self::Redirect(_) | Self::Drop(_) | Self::Hang { .. } => true,
        }
    }
}

/// How a connection ends without a proper end of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// FIN.
    Eof,
    /// RST.
    Reset,
    /// Not at all: the socket stays open and silent.
    Stall,
}

/// How the bytes of a body travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Bytes written at a time; 0 for all at once.
    #[serde(default)]
    pub bytes: usize,
    /// Real milliseconds between two writes.
    #[serde(default)]
    pub pause_ms: u64,
    /// After so many bytes the connection is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// How it is cut.
    #[serde(default = "eof")]
    pub cut: Cut,
}

fn eof() -> Cut {
    Cut::Eof
}

impl Delivery {
    /// So many bytes at a time.
    #[must_use]
    pub fn pieces(bytes: usize) -> Self {
        Self { bytes, pause_ms: 0, after: None, cut: Cut::Eof }
    }

    /// Cut after so many bytes.
    #[must_use]
    pub fn cut(after: usize, cut: Cut) -> Self {
        Self { bytes: 0, pause_ms: 0, after: Some(after), cut }
    }
}

/// The error answers of protocol §1.8 and §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 429, nothing left until the reset.
    RateLimit,
    /// 429 although requests remain: one a second on the full archive.
    OnePerSecond,
    /// 429, `streaming-connection`, `TooManyConnections`.
    TooManyConnections,
    /// 429, `usage-capped`, rate headers untouched.
    UsageCapped,
    /// 402, `credits-depleted`.
    CreditsDepleted,
    /// 409, `RuleConfigurationIssue`.
    NoRules,
    /// 503, `ProvisioningSubscription`.
    Provisioning,
    /// 401.
    Unauthorized,
    /// 403, `client-forbidden`, `client-not-enrolled`.
    ClientForbidden,
    /// 403, `unsupported-authentication`.
    UnsupportedAuthentication,
    /// 400, `invalid-request`.
    InvalidRequest,
    /// 429 in the old form `{"errors":[{"code":88,…}]}`.
    LegacyRateLimit,
    /// 420 of v1.1.
    EnhanceYourCalm,
    /// Any status with a gateway's HTML page.
    Status(u16),
    /// Status 200 with an error for a body.
    Disguised,
}

/// The three `x-rate-limit-…` headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateHeaders {
    /// As they should be.
    #[default]
    True,
    /// None of them.
    Absent,
    /// Not numbers.
    Garbled,
    /// A reset ten minutes ago.
    Past,
    /// A reset in three hours.
    Far,
}

/// A search page that is wrong in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// No tweets, but a token; the tweets come with the next page.
    Empty,
    /// The right tweets, and a token that leads to this very page.
    Loop,
    /// Begins with so many tweets of the pages before it.
    Overlap(usize),
    /// The page before this one once more, and then on.
    Repeat,
    /// The JSON stops in the middle, though the HTTP answer is whole.
    Truncated,
    /// So many `errors` items beside the tweets.
    PartialErrors(usize),
    /// The names of the other dialect.
    OtherDialect,
}

/// One step of a stream's script. On Jetstream a tweet is an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// So many as they should be.
    Tweets(usize),
    /// So many, a few bytes at a time.
    Pieces {
        /// How many tweets.
        tweets: usize,
        /// Bytes written at a time.
        bytes: usize,
        /// Real milliseconds between two writes.
        #[serde(default)]
        pause_ms: u64,
    },
    /// Goes on to the first tweet that is not ASCII, and parts it inside a character.
    SplitCharacter,
    /// One, parted between `\r` and `\n`.
    SplitLineEnd,
    /// So many in one write.
    Together(usize),
    /// Nothing but keep-alives.
    KeepAlives {
        /// How many.
        count: usize,
        /// Seconds of the double's clock before each; 0 for at once.
        #[serde(default)]
        every: u32,
    },
    /// Not a byte for so many seconds of the double's clock.
    Silence {
        /// Seconds.
        seconds: u32,
    },
    /// Half of the next tweet, then the cut; the tweet counts as not delivered.
    HalfThen(Cut),
    /// The first bytes of the next tweet's line, then the cut; with all but its CRLF the tweet counts as delivered.
    PartThen {
        /// How many bytes.
        bytes: usize,
        /// How it ends then.
        cut: Cut,
    },
    /// The connection is cut between two lines.
    Cut(Cut),
    /// A clean end of the answer.
    End,
    /// An operational disconnect message; no end by itself.
    Disconnect {
        /// `OperationalDisconnect`, `SlowReader`, `InvalidRules`…
        kind: String,
        /// Inside `{"errors":[…]}`, or bare.
        #[serde(default = "yes")]
        envelope: bool,
    },
    /// Any JSON value as a line (unknown message types, v1.1 notices).
    Message(Value),
    /// Any text as a line, also no JSON at all.
    Line(String),
    /// A line of so many bytes: a tweet of no corpus, with a long unknown field.
    Oversize {
        /// Its length.
        bytes: usize,
    },
    /// The last so many once more.
    Repeat(usize),
    /// So many pass without being delivered: a gap.
    Miss(usize),
    /// So many with the rule's id as a number and `tag: null`.
    OddRules(usize),
    /// So many in that dialect's names, whatever was asked.
    Dialect {
        /// Whose names.
        names: Dialect,
        /// How many tweets.
        tweets: usize,
    },
    /// So many with an `errors` item beside `data`.
    PartialErrors(usize),
    /// One, then so many later versions of it under ids of no corpus.
    Edits(usize),
}

fn yes() -> bool {
    true
}

/// The faults still to come. Cloned handles share one list.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a fault at the end.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Replaces the whole list.
    pub fn set(&self, faults: Vec<Fault>) {
        *self.lock() = faults;
    }

    /// What is still to come.
    #[must_use]
    pub fn left(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The fault that strikes this request, if any.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Act> {
        let mut faults = self.lock();
        let struck = faults.iter_mut().position(|fault| {
            if !fault.on.means(endpoint) {
                return false;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                return false;
            }
            true
        })?;
        let fault = &mut faults[struck];
        let act = fault.act.clone();
        match fault.times {
            0 => {}
            1 => {
                faults.remove(struck);
            }
            _ => fault.times -= 1,
        }
        Some(act)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_plain_json() {
        let text = r#"[
            {"on": "stream", "script": [{"tweets": 3}, {"silence": {"seconds": 40}}, {"half_then": "reset"},
                {"part_then": {"bytes": 7, "cut": "eof"}}, "end",
                {"disconnect": {"kind": "SlowReader"}}, {"dialect": {"names": "post", "tweets": 2}}]},
            {"on": "search", "skip": 1, "refuse": {"with": "rate_limit", "rate": "absent"}},
            {"on": "search", "refuse": {"with": {"status": 503}}},
            {"on": "search_all", "skip": 2, "times": 2, "page": {"overlap": 3}},
            {"on": "any", "times": 0, "body": {"bytes": 1}},
            {"on": "counts", "body": {"after": 10, "cut": "stall"}},
            {"on": "rules", "drop": "reset"},
            {"on": "usage", "redirect": "http://127.0.0.1:9"}]"#;
        let faults: Vec<Fault> = serde_json::from_str(text).unwrap();
        assert_eq!(faults.len(), 8);
        let again: Vec<Fault> = serde_json::from_str(&serde_json::to_string(&faults).unwrap()).unwrap();
        assert_eq!(faults, again);
        assert!(serde_json::from_str::<Fault>(r#"{"on": "stream", "explode": true}"#).is_err());
    }

    #[test]
    fn faults_skip_strike_and_pass() {
        let faults = Faults::default();
        faults.add(Fault::new(Endpoint::Search, Act::Page(Page::Empty)).skip(1).times(2));
        faults.add(Fault::new(Endpoint::Any, Act::Drop(Cut::Eof)).skip(1));
        assert_eq!(faults.take(Endpoint::SearchRecent), None);
        assert_eq!(faults.take(Endpoint::SearchAll), Some(Act::Page(Page::Empty)));
        assert_eq!(faults.take(Endpoint::Stream), Some(Act::Drop(Cut::Eof)));
        assert_eq!(faults.take(Endpoint::SearchRecent), Some(Act::Page(Page::Empty)));
        assert_eq!(faults.take(Endpoint::SearchRecent), None);
        assert!(faults.left().is_empty());
    }
}

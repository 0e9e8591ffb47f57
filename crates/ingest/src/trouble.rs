//! What can go wrong on the way to a source, and how long to wait then.
//!
//! The classes and their waits are those of X's documentation and of what long-lived clients learnt; each wait
//! gets up to a quarter more, so that many clients do not come back at one moment.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde::Deserialize;
use task::{Exit, Failure, Outcome};

use crate::clock::span;

/// Waits of one trouble together; then it is given up.
const PATIENCE: Duration = Duration::from_secs(45 * 60);
/// The same before the source has answered at all: rather than at its end, something is wrong at this one.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// A window of X's rate limits, and a second.
const WINDOW: u64 = 901;
/// Characters of X's own words that a message repeats.
const WORDS: usize = 300;

/// Why a request did not do.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No answer, or one that broke off.
    Network(String),
    /// 5xx, or an answer that is none.
    Server(String),
    /// 429: `reset` in epoch seconds, `left` requests remain.
    RateLimit { reset: Option<i64>, left: Option<u64> },
    /// 429: an earlier connection still counts.
    Connections,
    /// 409: the stream has no rules.
    NoRules,
    /// Waiting does not help.
    Final(Failure),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(why) | Self::Server(why) => f.write_str(why),
            Self::RateLimit { .. } => f.write_str("the rate limit is reached"),
            Self::Connections => f.write_str("an earlier connection still counts"),
            Self::NoRules => f.write_str("the stream has no rules"),
            Self::Final(failure) => f.write_str(&failure.message),
        }
    }
}

impl Trouble {
    /// Which kind it is, for logs and tests.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::Server(_) => "server",
            Self::RateLimit { .. } => "rate limit",
            Self::Connections => "connections",
            Self::NoRules => "rules",
            Self::Final(_) => "final",
        }
    }
}

/// An error document, leniently: `application/problem+json`, or the old form.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    connection_issue: Option<String>,
    registration_url: Option<String>,
    errors: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    message: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

/// What the head of an answer says of rate limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    pub(crate) reset: Option<i64>,
    pub(crate) left: Option<u64>,
}

/// What an answer that is no success means.
pub(crate) fn of_answer(status: u16, rate: Rate, body: &[u8]) -> Trouble {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let kind = problem.kind.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    let words = words(&problem);
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    let stop =
        |exit: Exit, message: String, hint: &str| Trouble::Final(Failure::new(exit, message).hint(hint));
    let issue = problem.connection_issue.as_deref().unwrap_or_default();
    match status {
        _ if kind == "usage-capped" => stop(
            Exit::Limit,
            format!("X's usage cap is reached{said}"),
            "wait for the next period or raise the cap in X's developer console; what was read is committed",
        ),
        _ if status == 402 || kind == "credits-depleted" => stop(
            Exit::Limit,
            format!("X wants payment{said}"),
            "add credits in X's developer console; what was read is committed",
        ),
        429 if issue == "TooManyConnections" || kind == "streaming-connection" => Trouble::Connections,
        420 | 429 => Trouble::RateLimit { reset: rate.reset, left: rate.left },
        503 if issue == "ProvisioningSubscription" => {
            Trouble::Server("X is still provisioning the rules or the subscription (503)".into())
        }
        200..=299 | 500..=599 | 408 | 425 => Trouble::Server(format!("X answers {status}{said}")),
        300..=399 => stop(
            Exit::Configuration,
            format!("X answers {status}, a redirect, which is not followed: the token would go along"),
            "check --api-url and any proxy between",
        ),
        400 => stop(
            Exit::Usage,
            format!("X refuses the request (400){said}"),
            "check --track; if it refuses the names of fields, give --dialect post (or tweet)",
        ),
        401 => stop(
            Exit::Credentials,
            "X refuses the token (401)".into(),
            "set X_BEARER_TOKEN, or give --token-file, with the app-only Bearer token of your app",
        ),
        403 if kind == "unsupported-authentication" => stop(
            Exit::Credentials,
            format!("X does not take this kind of token here (403){said}"),
            "give the app-only Bearer token of your app",
        ),
        403 => {
            let url = problem.registration_url.unwrap_or_default();
            let place = if url.starts_with("https://") { format!(" ({url})") } else { String::new() };
            stop(
                Exit::Configuration,
                format!("the plan of this app does not allow it (403){said}"),
                &format!(
                    "choose a plan that does, in X's developer console{place}; older tweets than 7 days need the full archive"
                ),
            )
        }
        409 if issue == "RuleConfigurationIssue" => Trouble::NoRules,
        404 => stop(Exit::Configuration, format!("there is no such endpoint (404){said}"), "check --api-url"),
        _ => stop(Exit::SourceUnavailable, format!("X answers {status}{said}"), "try again later"),
    }
}

/// The API's own words, on one line and not too many.
fn words(problem: &Problem) -> String {
    let first = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
    let items: Vec<String> = problem
        .errors
        .iter()
        .filter_map(|e| first(&e.message).or(first(&e.detail)).or(first(&e.title)))
        .take(3)
        .collect();
    let said = if items.is_empty() {
        first(&problem.detail).or(first(&problem.title)).unwrap_or_default()
    } else {
        items.join("; ")
    };
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

/// Waits so far, by class. A new one for each thing that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    network: u32,
    server: u32,
    rate: u32,
    connections: u32,
    waited: Duration,
    /// When the first of these troubles came.
    began: Option<i64>,
}

impl Backoff {
    /// Times that an earlier connection was in the way.
    pub(crate) fn connections(&self) -> u32 {
        self.connections
    }

    /// How long to wait before the next try. `reached`: the source has answered this run before.
    ///
    /// # Errors
    /// When waiting does not help, or did not.
    pub(crate) fn after(&mut self, trouble: Trouble, now: i64, reached: bool) -> Outcome<Duration> {
        let mut seconds = match &trouble {
            Trouble::Network(_) => {
                self.network += 1;
                // At once, then a quarter of a second more each time.
                (f64::from(self.network - 1) * 0.25).min(16.0)
            }
            Trouble::Server(_) => {
                self.server += 1;
                5.0 * f64::from(1_u32 << (self.server - 1).min(6))
            }
            Trouble::Connections => {
                self.connections += 1;
                5.0 * f64::from(self.connections.min(6))
            }
            Trouble::RateLimit { reset, left } => {
                self.rate += 1;
                let again = 1_u64 << (self.rate - 1).min(4);
                match (left, reset) {
                    // Requests remain: it is the one a second of the full archive.
                    (Some(1..), _) => f64::from(u32::try_from(2 * again).unwrap_or(32)),
                    (_, reset) => {
                        let until = reset.map_or(0, |at| at - now.div_euclid(1_000_000) + 2);
                        let until = u64::try_from(until).unwrap_or(0);
                        if until > WINDOW {
                            tracing::warn!(
                                seconds = until,
                                "the reset of the rate limit lies too far ahead: are the clocks right?"
                            );
                        }
                        f64::from(u32::try_from(until.max(60 * again).min(WINDOW)).unwrap_or(901))
                    }
                }
            }
            Trouble::NoRules => {
                return Err(Failure::new(Exit::Configuration, "X says that the stream has no rules (409)")
                    .hint("another program deletes them: use an app of its own for Offkey"));
            }
            Trouble::Final(_) => 0.0,
        };
        if let Trouble::Final(failure) = trouble {
            return Err(failure);
        }
        if seconds > 0.0 {
            seconds *= 1.0 + jitter();
        }
        let wait = Duration::from_secs_f64(seconds);
        self.waited += wait;
        let began = *self.began.get_or_insert(now);
        // A connect may take its time and come to nothing.
        if !reached && self.waited.max(span(now - began)) > FIRST_PATIENCE {
            return Err(Failure::new(
                Exit::SourceUnavailable,
                format!("the source cannot be reached: {trouble}"),
            )
            .hint("check the network of this machine, and --api-url or --jetstream-url"));
        }
        if self.waited > PATIENCE {
            return Err(give_up(&trouble));
        }
        Ok(wait)
    }
}

/// The end of patience.
pub(crate) fn give_up(trouble: &Trouble) -> Failure {
    match trouble {
        Trouble::RateLimit { .. } | Trouble::Connections => {
            Failure::new(Exit::Limit, format!("{trouble}, and does not heal in time"))
                .hint("run again later: it goes on where it stopped; is another process using this app?")
        }
        _ => Failure::new(Exit::SourceUnavailable, format!("the source does not answer: {trouble}"))
            .hint("run again later: it goes on where it stopped"),
    }
}

/// Up to a quarter. Chance touches waits, never data.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX) / 4.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn waits(mut backoff: Backoff, times: usize, trouble: impl Fn() -> Trouble) -> Vec<u64> {
        // Whole seconds; jitter only adds, and at most a quarter.
        (0..times).map(|_| backoff.after(trouble(), 0, true).unwrap().as_secs()).collect()
    }

    #[test]
    fn each_class_waits_its_own_way() {
        let near = |got: Vec<u64>, wanted: &[u64]| {
            assert_eq!(got.len(), wanted.len());
            got.iter()
                .zip(wanted)
                .for_each(|(g, w)| assert!((*w..=(w + 1) * 5 / 4).contains(g), "{got:?} {wanted:?}"));
        };
        assert_eq!(Backoff::default().after(Trouble::Network("x".into()), 0, true).unwrap(), Duration::ZERO);
        let network =
            waits(Backoff { network: 60, ..Backoff::default() }, 5, || Trouble::Network("x".into()));
        near(network, &[15, 15, 15, 15, 16]);
        near(waits(Backoff::default(), 7, || Trouble::Server("x".into())), &[5, 10, 20, 40, 80, 160, 320]);
        near(waits(Backoff::default(), 3, || Trouble::Connections), &[5, 10, 15]);
        let limit = |reset, left| waits(Backoff::default(), 3, || Trouble::RateLimit { reset, left });
        near(limit(None, None), &[60, 120, 240]);
        near(limit(Some(300), Some(0)), &[302, 302, 302]);
        near(limit(Some(-600), Some(0)), &[60, 120, 240]);
        near(waits(Backoff::default(), 1, || Trouble::RateLimit { reset: Some(10_800), left: None }), &[901]);
        near(limit(Some(300), Some(7)), &[2, 4, 8]);
    }

    #[test]
    fn patience_ends() {
        let mut backoff = Backoff::default();
        let end = std::iter::repeat_with(|| backoff.after(Trouble::Network("gone".into()), 0, true))
            .find_map(Result::err);
        assert_eq!(end.unwrap().exit, Exit::SourceUnavailable);
        let mut backoff = Backoff::default();
        let mut tries = 0;
        let end = std::iter::repeat_with(|| backoff.after(Trouble::Network("no way".into()), 0, false))
            .inspect(|_| tries += 1)
            .find_map(Result::err);
        assert_eq!((end.unwrap().exit, tries > 10, tries < 20), (Exit::SourceUnavailable, true, true));
        let mut backoff = Backoff::default();
        let mut hang =
            (0..).map(|try_| backoff.after(Trouble::Network("no way".into()), try_ * 10_000_000, false));
        assert_eq!(hang.position(|wait| wait.is_err()), Some(4), "ten seconds each");
        let mut backoff = Backoff::default();
        let limit = || Trouble::RateLimit { reset: None, left: None };
        let end = std::iter::repeat_with(|| backoff.after(limit(), 0, true)).find_map(Result::err);
        assert_eq!(end.unwrap().exit, Exit::Limit);
    }
}

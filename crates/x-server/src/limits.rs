//! Rate limits: fixed windows of a quarter of an hour, and one request a second on the full archive.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::Millis;
use crate::faults::Endpoint;

const WINDOW: Millis = 15 * 60 * 1_000;

/// What a client may do. The default is what X grants an app on pay-per-use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `search/recent` per 15 minutes.
    pub search_recent: u32,
    /// `search/all` per 15 minutes.
    pub search_all: u32,
    /// Whether `search/all` and `counts/all` take one request a second and no more.
    pub one_per_second: bool,
    /// `counts/recent` and `counts/all` per 15 minutes, each.
    pub counts: u32,
    /// Reading rules, per 15 minutes.
    pub rules: u32,
    /// Changing rules, per 15 minutes.
    pub rules_change: u32,
    /// Connects to the stream per 15 minutes.
    pub connects: u32,
    /// Streams open at once.
    pub connections: usize,
    /// Rules at once.
    pub rules_cap: usize,
    /// Characters of a rule.
    pub rule_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            search_recent: 450,
            search_all: 300,
            one_per_second: true,
            counts: 300,
            rules: 450,
            rules_change: 100,
            connects: 50,
            connections: 1,
            rules_cap: 1_000,
            rule_length: 1_024,
        }
    }
}

impl Limits {
    /// No limits on requests; still one connection, and the caps on rules.
    #[must_use]
    pub fn off() -> Self {
        let most = u32::MAX;
        Self {
            search_recent: most,
            search_all: most,
            one_per_second: false,
            counts: most,
            rules: most,
            rules_change: most,
            connects: most,
            ..Self::default()
        }
    }

    fn of(&self, endpoint: Endpoint) -> u32 {
        match endpoint {
            Endpoint::SearchRecent => self.search_recent,
            Endpoint::SearchAll => self.search_all,
            Endpoint::CountsRecent | Endpoint::CountsAll => self.counts,
            Endpoint::RulesChange => self.rules_change,
            Endpoint::Stream => self.connects,
            _ => self.rules,
        }
    }
}

/// What the rate headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub limit: u32,
    pub remaining: u32,
    /// Unix seconds.
    pub reset: i64,
}

/// The counters of the running windows.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<Endpoint, Bucket>>);

#[derive(Debug)]
struct Bucket {
    start: Millis,
    used: u32,
    last: Millis,
}

impl Buckets {
    /// Takes one request from the window. `Err`: not allowed now.
    pub fn take(&self, endpoint: Endpoint, limits: &Limits, now: Millis) -> Result<Rate, Rate> {
        let limit = limits.of(endpoint);
        let mut buckets = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bucket = buckets.entry(endpoint).or_insert(Bucket { start: now, used: 0, last: Millis::MIN / 2 });
        if now - bucket.start >= WINDOW || now < bucket.start {
            *bucket = Bucket { start: now, used: 0, last: bucket.last };
        }
        let rate = |used: u32| Rate {
            limit,
            remaining: limit.saturating_sub(used),
            reset: (bucket.start + WINDOW).div_euclid(1_000),
        };
        let hurried = limits.one_per_second
            && matches!(endpoint, Endpoint::SearchAll | Endpoint::CountsAll)
            && (0..1_000).contains(&(now - bucket.last));
        if bucket.used >= limit || hurried {
            return Err(rate(bucket.used));
        }
        let granted = rate(bucket.used + 1);
        bucket.used += 1;
        bucket.last = now;
        Ok(granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_empties() {
        let limits = Limits { search_recent: 2, ..Limits::default() };
        let buckets = Buckets::default();
        let take = |now| buckets.take(Endpoint::SearchRecent, &limits, now);
        assert_eq!(take(1_000), Ok(Rate { limit: 2, remaining: 1, reset: 901 }));
        assert_eq!(take(5_000), Ok(Rate { limit: 2, remaining: 0, reset: 901 }));
        assert_eq!(take(900_999), Err(Rate { limit: 2, remaining: 0, reset: 901 }));
        assert_eq!(take(901_000), Ok(Rate { limit: 2, remaining: 1, reset: 1_801 }));
    }

    #[test]
    fn the_archive_takes_one_a_second() {
        let (limits, buckets) = (Limits::default(), Buckets::default());
        let take = |now| buckets.take(Endpoint::SearchAll, &limits, now);
        assert!(take(0).is_ok());
        assert_eq!(take(999).unwrap_err().remaining, 299);
        assert!(take(1_000).is_ok());
        assert!(Buckets::default().take(Endpoint::SearchAll, &Limits::off(), 0).is_ok());
    }
}

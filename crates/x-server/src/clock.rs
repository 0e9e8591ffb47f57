//! The clock of the double: it can be frozen, set and advanced, so that a test waits for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The first instant a snowflake id can name (2010-11-04T01:42:54.657Z).
const TWITTER_EPOCH: Millis = 1_288_834_974_657;

/// Reads an RFC 3339 time (`2026-11-20T12:00:00Z`). A fraction or an offset is taken too: twarc sends `+00:00`.
#[must_use]
pub fn parse_time(text: &str) -> Option<Millis> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Millis::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Writes a time as the API does: `2026-11-20T12:00:00.000Z`.
#[must_use]
pub fn format_time(at: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// The time inside a snowflake id.
#[must_use]
pub fn id_time(id: u64) -> Millis {
    i64::try_from(id >> 22).unwrap_or(0) + TWITTER_EPOCH
}

/// The least snowflake id of an instant (0 before the epoch of snowflakes).
#[must_use]
pub fn first_id(at: Millis) -> u64 {
    u64::try_from(at - TWITTER_EPOCH).map_or(0, |ms| ms << 22)
}

/// The server's idea of now. Cloning gives another handle on the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Frozen: the time itself. Ticking: the time at `started`.
    base: AtomicI64,
    started: Option<Instant>,
    moved: watch::Sender<()>,
}

impl Clock {
    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn frozen(now: Millis) -> Self {
        Self::new(now, None)
    }

    /// A clock that runs on from `now`, and can be moved besides.
    #[must_use]
    pub fn ticking(now: Millis) -> Self {
        Self::new(now, Some(Instant::now()))
    }

    fn new(now: Millis, started: Option<Instant>) -> Self {
        Self(Arc::new(Inner { base: AtomicI64::new(now), started, moved: watch::Sender::new(()) }))
    }

    fn elapsed(&self) -> Millis {
        self.0.started.map_or(0, |start| Millis::try_from(start.elapsed().as_millis()).unwrap_or(0))
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.0.base.load(SeqCst) + self.elapsed()
    }

    /// The present without what has ticked away: where the clock was put.
    pub(crate) fn put(&self) -> Millis {
        self.0.base.load(SeqCst)
    }

    /// Moves the clock to `now`, forwards or back.
    pub fn set(&self, now: Millis) {
        self.0.base.store(now - self.elapsed(), SeqCst);
        self.0.moved.send_replace(());
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.0.base.fetch_add(Millis::try_from(by.as_millis()).unwrap_or(0), SeqCst);
        self.0.moved.send_replace(());
    }

    /// Moves the clock to `at` unless it is there already.
    pub(crate) fn reach(&self, at: Millis) {
        let base = at - self.elapsed();
        if self.0.base.fetch_max(base, SeqCst) < base {
            self.0.moved.send_replace(());
        }
    }

    /// Waits until the clock has reached `at`.
    pub(crate) async fn until(&self, at: Millis) {
        let mut moved = self.0.moved.subscribe();
        loop {
            moved.mark_unchanged();
            let left = at - self.now();
            if left <= 0 {
                return;
            }
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            if self.0.started.is_some() {
                // Which of the two came first does not matter: the loop looks at the clock.
                let _ = tokio::time::timeout(left, moved.changed()).await;
            } else if moved.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_written() {
        let at = parse_time("2021-01-06T18:40:40.344Z").unwrap();
        assert_eq!(format_time(at), "2021-01-06T18:40:40.344Z");
        assert_eq!(id_time(1_346_889_436_626_259_968), at);
        assert_eq!(format_time(id_time(2_000_000_000_000_000_000)), "2025-12-14T00:28:52.860Z");
        assert_eq!(id_time(first_id(at)), at);
        assert_eq!(parse_time("2021-01-06T20:40:40.344+02:00"), Some(at));
        for bad in ["2021-01-06", "2021-01-06 18:40:40Z", "2021-01-06T18:40:40", "2021-01-06T18:40Z", ""] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_frozen_clock_wakes_when_moved() {
        let clock = Clock::frozen(1_000);
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(5_000).await }
        });
        clock.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.set(5_000);
        waiting.await.unwrap();
        clock.reach(4_000);
        assert_eq!(clock.now(), 5_000);
    }
}

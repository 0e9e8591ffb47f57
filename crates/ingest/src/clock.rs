//! Time, behind a small trait: a test moves it, and waits for nothing.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::mpsc;

/// A wait under way.
pub type Wait<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What live sources know of time.
pub trait Clock: Send + Sync {
    /// µs since 1970 UTC. It never goes back while a process runs.
    fn now(&self) -> i64;

    /// A wait that was decided on: before a new try, until a rate limit resets.
    fn wait(&self, time: Duration) -> Wait<'_>;

    /// The longest that the other side may stay silent.
    fn silence(&self, time: Duration) -> Wait<'_>;

    /// The longest that a run goes without a look at its limits.
    fn tick(&self) -> Wait<'_>;
}

const TICK: Duration = Duration::from_millis(100);

/// The clock of the machine, read once; from there on only its steady one counts.
#[derive(Debug)]
pub(crate) struct SystemClock {
    began: i64,
    since: Instant,
}

impl SystemClock {
    pub(crate) fn at(now: i64) -> Self {
        Self { began: now, since: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        self.began + micros(self.since.elapsed())
    }

    fn wait(&self, time: Duration) -> Wait<'_> {
        Box::pin(tokio::time::sleep(time))
    }

    fn silence(&self, time: Duration) -> Wait<'_> {
        Box::pin(tokio::time::sleep(time))
    }

    fn tick(&self) -> Wait<'_> {
        Box::pin(tokio::time::sleep(TICK))
    }
}

/// What comes next, or `None` when it is time for a look at the limits.
pub(crate) async fn next<T>(incoming: &mut mpsc::Receiver<T>, clock: &dyn Clock) -> Option<T> {
    match select(pin!(incoming.recv()), clock.tick()).await {
        Either::Left((event, _)) => event,
        Either::Right(_) => None,
    }
}

/// Whole microseconds.
pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

/// A span of µs; none if it lies in the past.
pub(crate) fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Reads `55m`, `90s`, `2h`, `1d` or any sum of them (`1h30m`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a duration: 90s, 55m, 2h, 1h30m".to_owned();
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes().get(digits) {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => return Err(wrong()),
        };
        total += Duration::from_secs(unit) * number;
        rest = &rest[digits + 1..];
    }
    if total.is_zero() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [("90s", 90), ("55m", 3_300), ("1h30m", 5_400), (" 1d ", 86_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "0s", "5", "m", "5 m", "-5m", "5min", "99999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}

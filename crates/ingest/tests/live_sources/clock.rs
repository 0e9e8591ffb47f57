//! A clock that waits for nobody: time goes by when nobody has anything left to do.
//!
//! The program, the double and the network between them live in this process (but for the kernel's loopback, which
//! wakes who it delivers to). So when every thread sleeps, whatever was on its way has arrived, and all that can
//! happen next is that time goes by. However busy the machine is, a thread that could run and may not does not sleep.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use ingest::{Clock, Wait};
use tokio::sync::watch;

/// Time goes by in steps of so much, while somebody listens for the other side.
const STEP: Duration = Duration::from_secs(5);
const KEEPER: &str = "timekeeper";

/// Moves the double's clock instead of waiting, and notes what was waited for.
pub struct TestClock {
    server: x_server::Clock,
    /// Steps that time went by in, and how much; the stream moves the clock besides.
    gone: watch::Sender<Gone>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is being waited for, by a number of its own.
    awaited: BTreeMap<u64, Until>,
    number: u64,
    waits: Vec<Duration>,
    /// Behind this time (Unix ms) nothing more comes: so much goes by at once.
    end: Option<(i64, Duration)>,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub struct Gone {
    steps: u64,
    time: Duration,
}

#[derive(Clone, Copy)]
enum Until {
    /// So much has gone by in steps: the other side was silent.
    Silence(Duration),
    /// The double's clock has reached this time (Unix ms), and there was a step after this one: who waits for no
    /// time lets the others end what they do all the same.
    Time(i64, u64),
    /// There was a step after this one.
    Step(u64),
}

impl TestClock {
    pub fn start(server: x_server::Clock) -> Arc<Self> {
        let clock =
            Arc::new(Self { server, gone: watch::Sender::new(Gone::default()), state: Mutex::default() });
        let kept = Arc::downgrade(&clock);
        thread::Builder::new().name(KEEPER.into()).spawn(move || keep(&kept)).unwrap();
        clock
    }

    /// What was waited for since the last call.
    pub fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.state.lock().unwrap().waits)
    }

    /// Behind `last` (Unix ms) nothing more comes: soon after it `rest` goes by at once.
    pub fn end_after(&self, last: i64, rest: Duration) {
        self.state.lock().unwrap().end = Some((last + 150_000, rest));
    }

    /// What has gone by because nobody had anything left to do.
    pub fn gone(&self) -> Gone {
        *self.gone.borrow()
    }

    async fn until(&self, until: Until) {
        let _awaited = Awaited::new(self, until);
        let mut gone = self.gone.subscribe();
        let over = |gone: &Gone| match until {
            Until::Silence(time) => gone.time >= time,
            Until::Time(time, steps) => gone.steps > steps && self.server.now() >= time,
            Until::Step(steps) => gone.steps > steps,
        };
        gone.wait_for(over).await.unwrap();
    }

    /// Lets time go by, as far as what is awaited first.
    fn step(&self) {
        let mut state = self.state.lock().unwrap();
        let now = self.server.now();
        let waits = state.awaited.values().filter_map(|until| match until {
            Until::Time(time, _) => Some(Duration::from_millis(u64::try_from(time - now).unwrap_or(0))),
            Until::Silence(_) | Until::Step(_) => None,
        });
        let listening = state.awaited.values().any(|until| matches!(until, Until::Silence(_)));
        let mut step = waits.min().unwrap_or(STEP);
        if listening {
            step = step.min(STEP);
        }
        let mut jump = Duration::ZERO;
        if let Some((end, rest)) = state.end
            && now > end
        {
            // The run ends by its own clock; nobody was silent for so long.
            (state.end, step, jump) = (None, Duration::ZERO, rest);
        }
        self.server.advance(step + jump);
        self.gone.send_modify(|gone| *gone = Gone { steps: gone.steps + 1, time: gone.time + step });
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.server.now() * 1_000
    }

    fn wait(&self, time: Duration) -> Wait<'_> {
        self.state.lock().unwrap().waits.push(time);
        let time = self.server.now() + i64::try_from(time.as_micros().div_ceil(1_000)).unwrap();
        Box::pin(self.until(Until::Time(time, self.gone().steps)))
    }

    fn silence(&self, time: Duration) -> Wait<'_> {
        Box::pin(self.until(Until::Silence(self.gone().time + time)))
    }

    fn tick(&self) -> Wait<'_> {
        Box::pin(self.until(Until::Step(self.gone().steps)))
    }
}

/// An entry of what is awaited, for as long as it is.
struct Awaited<'a> {
    clock: &'a TestClock,
    number: u64,
}

impl<'a> Awaited<'a> {
    fn new(clock: &'a TestClock, until: Until) -> Self {
        let mut state = clock.state.lock().unwrap();
        state.number += 1;
        let number = state.number;
        state.awaited.insert(number, until);
        Self { clock, number }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.clock.state.lock().unwrap().awaited.remove(&self.number);
    }
}

/// Lets time go by whenever all sleep, until the clock is gone.
fn keep(clock: &Weak<TestClock>) {
    while let Some(clock) = clock.upgrade() {
        let awaited = !clock.state.lock().unwrap().awaited.is_empty();
        if awaited && all_sleep() {
            clock.step();
        }
        drop(clock);
        thread::sleep(Duration::from_micros(200));
    }
}

/// Whether there is a moment at which every thread of this process sleeps, but for those that keep time: they sleep
/// when they are looked at twice, and have not run in between.
fn all_sleep() -> bool {
    let Some(first) = sleeping() else { return false };
    thread::sleep(Duration::from_millis(1));
    sleeping() == Some(first)
}

/// How often each thread has run, if all sleep.
fn sleeping() -> Option<BTreeMap<String, [u64; 2]>> {
    let mut threads = BTreeMap::new();
    for thread in fs::read_dir("/proc/self/task").unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        if field("Name:") == KEEPER {
            continue;
        }
        if !field("State:").starts_with('S') {
            return None;
        }
        let runs = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        threads.insert(field("Pid:").to_owned(), runs.map(|name| field(name).parse().unwrap()));
    }
    Some(threads)
}

//! SIGTERM and SIGINT. A handler is installed in any case, for as PID 1 of a container a process
//! without one ignores them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{Failure, Outcome};

/// After the signal, what is left undone for this long is left undone: Docker kills after 10 s, the
/// house promises 5.
const GRACE: Duration = Duration::from_millis(4_500);

/// Whether the process was asked to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for the signals of this process. The first asks; the end of the grace, or a second one, ends it.
    pub(crate) fn listen() -> Self {
        let stop = Self::default();
        let told = stop.clone();
        let Ok(mut signals) = Signals::new([SIGTERM, SIGINT]) else { return stop };
        std::thread::spawn(move || {
            let mut heard = signals.forever();
            heard.next();
            told.request();
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                end();
            });
            heard.next();
            end();
        });
        stop
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Ends the work here if it was asked for.
    ///
    /// # Errors
    /// [`Failure::terminated`].
    pub fn check(&self) -> Outcome<()> {
        if self.requested() { Err(Failure::terminated()) } else { Ok(()) }
    }
}

/// Ends the process where it stands.
fn end() -> ! {
    let failure = Failure::terminated();
    let _ = crate::progress::above(format!("{failure}\n").as_bytes());
    std::process::exit(i32::from(failure.exit.code()));
}

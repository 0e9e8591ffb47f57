//! A progress bar for a person at a terminal; nothing for anybody else.

use std::io::Write;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar of this process. Log lines are written above it.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

/// The bar that is drawn now, for [`above`].
fn drawn() -> &'static Mutex<Option<ProgressBar>> {
    static DRAWN: OnceLock<Mutex<Option<ProgressBar>>> = OnceLock::new();
    DRAWN.get_or_init(Mutex::default)
}

impl Progress {
    /// A bar of `total` bytes, or a spinner where the end is not known.
    pub fn bytes(total: Option<u64>) -> Self {
        let form = match total {
            Some(_) => "{bar:30} {bytes:>10} of {total_bytes}  {bytes_per_sec:>12}  {eta:>4} left  {msg}",
            None => "{spinner} {bytes:>10}  {bytes_per_sec:>12}  {elapsed:>4}  {msg}",
        };
        Self::start(total, form)
    }

    /// A bar of `total` things.
    pub fn things(total: u64) -> Self {
        Self::start(Some(total), "{bar:30} {pos:>6} of {len}  {eta:>4} left  {msg}")
    }

    fn start(total: Option<u64>, form: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        if total.is_none() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        if let Ok(mut now) = drawn().lock() {
            *now = Some(bar.clone());
        }
        Self(bar)
    }

    /// Where it is now.
    pub fn at(&self, position: u64) {
        self.0.set_position(position);
    }

    /// One thing more.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// A few words beside the bar.
    pub fn say(&self, words: String) {
        self.0.set_message(words);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes to stderr without tearing the bar.
pub(crate) fn above(bytes: &[u8]) -> std::io::Result<()> {
    let bar = drawn().lock().ok().and_then(|bar| bar.clone());
    let write = || std::io::stderr().lock().write_all(bytes);
    match bar {
        Some(bar) if !bar.is_finished() => bar.suspend(write),
        _ => write(),
    }
}

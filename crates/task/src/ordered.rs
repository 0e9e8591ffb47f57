//! Work on several threads whose results come back in order, in bounded memory: what makes the
//! output the same for any number of threads.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel, sync_channel};

use crate::Outcome;

/// Items that one thread may have done ahead of the sink: it takes its time now and then.
const DONE: usize = 5;

/// Takes items from `next`, maps them with `work` on `threads` threads, and gives the results to `sink` on the calling thread, in
/// the order of the items, until it breaks.
///
/// A thread takes an item itself, while the others wait or work: what it has just read is near when it works on it.
///
/// # Errors
/// The first error of `next`, `work` or `sink`; the rest is not waited for longer than the items under way.
pub fn ordered_map<T, R: Send>(
    threads: usize,
    mut next: impl FnMut() -> Outcome<Option<T>> + Send,
    work: impl Fn(T) -> Outcome<R> + Sync,
    mut sink: impl FnMut(R) -> Outcome<ControlFlow<()>>,
) -> Outcome<()> {
    if threads < 2 {
        while let Some(item) = next()? {
            if sink(work(item)?)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    // Who took which item, in their order: its result is the next one of that thread.
    let (took, order) = channel();
    let items = Mutex::new((next, Some(took)));
    std::thread::scope(|scope| {
        let results: Vec<_> = (0..threads)
            .map(|thread| {
                let (done, results) = sync_channel(DONE);
                let (items, work) = (&items, &work);
                scope.spawn(move || {
                    while let Some(item) = take(items, thread) {
                        if done.send(item.and_then(work)).is_err() {
                            return;
                        }
                    }
                });
                results
            })
            .collect();
        for thread in order {
            let Ok(done) = results[thread].recv() else { break };
            if sink(done?)?.is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// The next item for this thread; none behind the end, and behind an error.
fn take<T>(
    items: &Mutex<(impl FnMut() -> Outcome<Option<T>>, Option<Sender<usize>>)>,
    thread: usize,
) -> Option<Outcome<T>> {
    let mut items = match items.lock() {
        Ok(items) => items,
        Err(poisoned) => {
            // `next` panicked on another thread, and so will the calling one when it has waited for all.
            poisoned.into_inner().1 = None;
            return None;
        }
    };
    let (next, took) = &mut *items;
    took.as_ref()?;
    let item = next().transpose();
    if let (Some(took), Some(_)) = (&took, &item) {
        // Nobody listens any more: the result will not be sent either.
        let _ = took.send(thread);
    }
    if !matches!(item, Some(Ok(_))) {
        *took = None;
    }
    item
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow::{Break, Continue};

    use super::ordered_map;
    use crate::{Exit, Failure};

    fn numbers(to: u32) -> impl FnMut() -> Result<Option<u32>, Failure> {
        let mut n = 0;
        move || {
            n += 1;
            Ok((n <= to).then_some(n))
        }
    }

    #[test]
    fn results_come_in_order_for_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            for to in [0, 1, 7, 100] {
                let mut got = Vec::new();
                let ended = ordered_map(
                    threads,
                    numbers(to),
                    |n| Ok(n * 2),
                    |n| {
                        got.push(n);
                        Ok(Continue(()))
                    },
                );
                assert!(ended.is_ok());
                assert_eq!(got, (1..=to).map(|n| n * 2).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn the_first_error_ends_it_wherever_it_is_raised() {
        let bad = |n: u32| if n == 5 { Err(Failure::new(Exit::Bug, "five")) } else { Ok(n) };
        for threads in [1, 2, 3] {
            let mut seen = 0;
            let ended = ordered_map(threads, numbers(1_000), bad, |_| {
                seen += 1;
                Ok(Continue(()))
            });
            assert_eq!((ended.map_err(|e| e.message), seen), (Err("five".into()), 4));
            let ended = ordered_map(threads, numbers(1_000), Ok, |n| bad(n).map(|_| Continue(())));
            assert_eq!(ended.map_err(|e| e.message), Err("five".into()));
            let mut from = numbers(1_000);
            let ended = ordered_map(threads, || from()?.map(bad).transpose(), Ok, |_| Ok(Continue(())));
            assert_eq!(ended.map_err(|e| e.message), Err("five".into()));
        }
    }

    #[test]
    fn a_panic_ends_it_wherever_it_is_raised() {
        for threads in [2, 3] {
            for place in 0..3 {
                let at = |here: i32, n: u32| {
                    assert!(here != place || n != 50, "fifty");
                    n
                };
                let run = || {
                    let mut from = numbers(1_000);
                    let sink = |n| Ok(if at(2, n) == 0 { Break(()) } else { Continue(()) });
                    ordered_map(threads, || Ok(from()?.map(|n| at(0, n))), |n| Ok(at(1, n)), sink)
                };
                let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
                assert!(ended.is_err(), "{threads} threads, place {place}");
            }
        }
    }

    #[test]
    fn the_sink_may_have_enough() {
        for threads in [1, 2, 3] {
            let mut got = 0;
            let ended = ordered_map(threads, numbers(1_000), Ok, |n| {
                got = n;
                Ok(if n == 7 { Break(()) } else { Continue(()) })
            });
            assert_eq!((ended.map_err(|e| e.message), got), (Ok(()), 7));
        }
    }
}

//! Work on several threads whose results come back in order, in bounded memory: what makes the
//! output the same for any number of threads.

use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use crate::Outcome;

/// Items that wait for one thread.
const WAITING: usize = 2;
/// Items that one thread may have done ahead of the sink: it takes its time now and then.
const DONE: usize = 5;

/// Takes items from `next` (on a thread of its own), maps them with `work` on `threads` threads, and
/// gives the results to `sink` on the calling thread, in the order of the items, until it breaks.
///
/// # Errors
/// The first error of `next`, `work` or `sink`; the rest is not waited for longer than the items under way.
pub fn ordered_map<T: Send, R: Send>(
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
    std::thread::scope(|scope| {
        let (mut feeds, mut results) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let (feed, items) = sync_channel::<Outcome<T>>(WAITING);
            let (done, result) = sync_channel(DONE);
            let work = &work;
            scope.spawn(move || {
                for item in items {
                    if done.send(item.and_then(work)).is_err() {
                        return;
                    }
                }
            });
            feeds.push(feed);
            results.push(result);
        }
        // Item n goes to thread n mod threads, and is fetched from there: order needs no numbers.
        scope.spawn(move || {
            for feed in feeds.iter().cycle() {
                let item = match next() {
                    Ok(Some(item)) => Ok(item),
                    Ok(None) => return,
                    Err(e) => Err(e),
                };
                let last = item.is_err();
                if feed.send(item).is_err() || last {
                    return;
                }
            }
        });
        for result in results.iter().cycle() {
            let Ok(done) = result.recv() else { break };
            if sink(done?)?.is_break() {
                break;
            }
        }
        drop(results);
        Ok(())
    })
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

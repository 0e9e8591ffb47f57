//! What the double has done: requests, connections, and which tweets it handed over whole.
//!
//! "Served" means: the last byte of the tweet's line or page was given to the socket. A client that dies at that
//! moment may still have missed it, so a test that kills compares with the corpus as well.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::clock::Millis;
use crate::faults::Endpoint;

/// One request as it came in.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query's names and values, decoded.
    pub query: Vec<(String, String)>,
    /// The double's clock, Unix milliseconds.
    pub at: Millis,
    /// Whether it carried an `authorization` header (its value is never kept).
    pub authorized: bool,
    /// The `user-agent` header.
    pub user_agent: String,
    /// The status answered; `None` if the connection was dropped or still waits.
    pub status: Option<u16>,
}

/// The totals, as `/_control/ledger` writes them.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// TCP connections accepted.
    pub connections: u64,
    /// Requests per endpoint.
    pub requests: BTreeMap<Endpoint, u64>,
    /// Answers per endpoint and status.
    pub answers: BTreeMap<Endpoint, BTreeMap<u16, u64>>,
    /// Tweets handed over by search, copies included.
    pub search: u64,
    /// Tweets handed over by the stream, copies included.
    pub stream: u64,
    /// Events handed over by Jetstream, copies included.
    pub jetstream: u64,
    /// Distinct tweets handed over by search or stream.
    pub distinct: usize,
}

/// The books. Shared between the server and the handle.
#[derive(Debug, Default)]
pub struct Ledger {
    ids: Vec<u64>,
    search: Vec<AtomicU32>,
    stream: Vec<AtomicU32>,
    extra: Mutex<BTreeMap<u64, u32>>,
    events: Mutex<BTreeMap<String, u32>>,
    connections: AtomicU64,
    requests: Mutex<Vec<Request>>,
}

impl Ledger {
    pub(crate) fn new(ids: Vec<u64>) -> Self {
        let counters = || ids.iter().map(|_| AtomicU32::new(0)).collect();
        Self { search: counters(), stream: counters(), ids, ..Self::default() }
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// Books a request; the number is for `answered`.
    pub(crate) fn requested(&self, request: Request) -> usize {
        let mut requests = lock(&self.requests);
        requests.push(request);
        requests.len() - 1
    }

    pub(crate) fn answered(&self, number: usize, status: u16) {
        lock(&self.requests)[number].status = Some(status);
    }

    /// Ids that search handed over whole, with how many times. Ascending.
    #[must_use]
    pub fn searched(&self) -> Vec<(u64, u32)> {
        self.counted(&self.search)
    }

    /// Ids of the corpus that the stream handed over whole, with how many times. Ascending.
    #[must_use]
    pub fn streamed(&self) -> Vec<(u64, u32)> {
        self.counted(&self.stream)
    }

    /// Ids of tweets that a fault made up (edits): not in the corpus, but whole tweets all the same.
    #[must_use]
    pub fn invented(&self) -> Vec<(u64, u32)> {
        lock(&self.extra).iter().map(|(id, times)| (*id, *times)).collect()
    }

    /// At-URIs of the posts that Jetstream handed over, with how many times.
    #[must_use]
    pub fn posts(&self) -> Vec<(String, u32)> {
        lock(&self.events).iter().map(|(uri, times)| (uri.clone(), *times)).collect()
    }

    /// Distinct ids handed over whole by search or stream, ascending.
    #[must_use]
    pub fn served(&self) -> Vec<u64> {
        let own = self.ids.iter().zip(self.search.iter().zip(&self.stream));
        let own = own
            .filter(|(_, (search, stream))| search.load(Relaxed) + stream.load(Relaxed) > 0)
            .map(|(id, _)| *id);
        let mut all: Vec<u64> = own.chain(lock(&self.extra).keys().copied()).collect();
        all.sort_unstable();
        all
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    /// How many requests an endpoint had.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        lock(&self.requests).iter().filter(|request| request.endpoint == endpoint).count()
    }

    /// The totals.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut requests = BTreeMap::new();
        let mut answers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for request in lock(&self.requests).iter() {
            *requests.entry(request.endpoint).or_insert(0) += 1;
            if let Some(status) = request.status {
                *answers.entry(request.endpoint).or_default().entry(status).or_insert(0) += 1;
            }
        }
        let sum =
            |counters: &[AtomicU32]| counters.iter().map(|count| u64::from(count.load(Relaxed))).sum::<u64>();
        let extra: u64 = lock(&self.extra).values().copied().map(u64::from).sum();
        Totals {
            connections: self.connections.load(Relaxed),
            requests,
            answers,
            search: sum(&self.search),
            stream: sum(&self.stream) + extra,
            jetstream: lock(&self.events).values().copied().map(u64::from).sum(),
            distinct: self.served().len(),
        }
    }

    fn counted(&self, counters: &[AtomicU32]) -> Vec<(u64, u32)> {
        let all = self.ids.iter().zip(counters).map(|(id, count)| (*id, count.load(Relaxed)));
        all.filter(|(_, count)| *count > 0).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a piece of an answer delivers whole; booked once, when the piece is given to the socket.
#[derive(Debug, Default)]
pub(crate) struct Served(Option<(Arc<Ledger>, What)>);

#[derive(Debug)]
enum What {
    Search(Vec<usize>),
    Stream(Vec<usize>),
    Invented(u64),
    Posts(Vec<String>),
}

impl Served {
    /// Tweets of a page, by index in the corpus.
    pub fn search(ledger: &Arc<Ledger>, tweets: Vec<usize>) -> Self {
        Self(Some((Arc::clone(ledger), What::Search(tweets))))
    }

    /// Tweets of the stream, by index in the corpus.
    pub fn stream(ledger: &Arc<Ledger>, tweets: Vec<usize>) -> Self {
        Self(Some((Arc::clone(ledger), What::Stream(tweets))))
    }

    pub fn invented(ledger: &Arc<Ledger>, id: u64) -> Self {
        Self(Some((Arc::clone(ledger), What::Invented(id))))
    }

    pub fn posts(ledger: &Arc<Ledger>, uris: Vec<String>) -> Self {
        Self(Some((Arc::clone(ledger), What::Posts(uris))))
    }

    pub fn count(&mut self) {
        let Some((ledger, what)) = self.0.take() else { return };
        match what {
            What::Search(tweets) => add_one(&ledger.search, &tweets),
            What::Stream(tweets) => add_one(&ledger.stream, &tweets),
            What::Invented(id) => *lock(&ledger.extra).entry(id).or_insert(0) += 1,
            What::Posts(uris) => {
                uris.into_iter().for_each(|uri| *lock(&ledger.events).entry(uri).or_insert(0) += 1)
            }
        }
    }
}

fn add_one(counters: &[AtomicU32], indices: &[usize]) {
    for index in indices {
        counters[*index].fetch_add(1, Relaxed);
    }
}

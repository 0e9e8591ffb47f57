//! A test double of the X API v2 and of Bluesky's Jetstream v1, on loopback, that misbehaves on request.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use x_server::{Act, Cut, Endpoint, Fault, Step, XServer};
//!
//! let double = XServer::builder().seed(7).tweets(1_000).live(200).start().await?;
//! double.faults.add(Fault::new(Endpoint::Stream, Act::Script(vec![Step::Tweets(3), Step::Cut(Cut::Reset)])));
//! // … a client works against double.url with double.token …
//! let served = double.ledger.served();
//! # Ok(())
//! # }
//! ```
//!
//! The corpus lies around the double's clock: what is older than `now` can be searched, what is younger comes on
//! the stream. The stream carries the clock along, so what was streamed can be searched afterwards; what passes
//! while nobody listens is a gap.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clock;
mod connections;
mod control;
mod corpus;
mod events;
mod faults;
mod file;
mod generate;
mod jetstream;
mod ledger;
mod limits;
mod names;
mod object;
mod params;
mod problem;
mod query;
mod rules;
mod search;
#[rustfmt::skip]
mod sentences;
mod server;
mod stream;
mod usage;
mod wire;
mod words;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

pub use clock::{Clock, Millis, format_time, id_time, parse_time};
pub use faults::{Act, Cut, Delivery, Endpoint, Fault, Faults, Page, RateHeaders, Refusal, Step};
pub use ledger::{Ledger, Request, Totals};
pub use limits::Limits;
pub use names::Dialect;
pub use query::Place;
pub use server::Pace;

use corpus::Corpus;
use generate::Plan;
use server::{Server, Settings};
use wire::{Fuse, Wire};

/// The token the double accepts unless it is told another.
pub const TOKEN: &str = "offkey-test-token";

/// A running double. Dropping it closes every connection.
pub struct XServer {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// `ws://127.0.0.1:PORT/subscribe`
    pub jetstream_url: String,
    /// The bearer token it accepts.
    pub token: String,
    /// Its clock.
    pub clock: Clock,
    /// Its books.
    pub ledger: Arc<Ledger>,
    /// What is still to go wrong.
    pub faults: Arc<Faults>,
    /// Lines of the corpus file that hold no v2 tweets, and so are not served.
    pub skipped_lines: Vec<usize>,
    server: Arc<Server>,
    accept: JoinHandle<()>,
}

impl XServer {
    /// A double with 1,000 tweets of the last six days and 1,000 to come, a clock that stands at
    /// 2026-11-20T12:00:00Z, X's own limits, and the dialect of 2.166.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            port: 0,
            seed: 1,
            tweets: 1_000,
            live: None,
            corpus: None,
            now: None,
            ticking: false,
            faults: Vec::new(),
            settings: Settings {
                token: TOKEN.to_owned(),
                dialect: Dialect::Tweet,
                accepted: None,
                limits: Limits::default(),
                pace: Pace::Flood,
                keep_alive: 20_000,
                linger: 0,
                replace_connections: false,
                enterprise: false,
                search_retweets: false,
            },
        }
    }

    /// Ids of the whole corpus, past and to come, that a query means; what a client should have in the end.
    ///
    /// # Errors
    /// The message for a query that is not understood.
    pub fn matching(&self, query: &str, place: Place) -> Result<Vec<u64>, String> {
        self.server.matching(query, place)
    }

    /// How many streams are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.server.connections.active()
    }

    /// Runs until the process ends.
    ///
    /// # Errors
    /// If the task that accepts connections dies.
    pub async fn wait(mut self) -> Result<()> {
        (&mut self.accept).await.context("the server has stopped")
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// What the double is to be like.
#[derive(Clone, Debug)]
pub struct Builder {
    port: u16,
    seed: u64,
    tweets: usize,
    live: Option<usize>,
    corpus: Option<PathBuf>,
    now: Option<Millis>,
    ticking: bool,
    faults: Vec<Fault>,
    settings: Settings,
}

impl Builder {
    /// The port; 0 (the default) for any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The seed of the synthetic corpus.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many tweets lie in the six days before now.
    #[must_use]
    pub fn tweets(mut self, tweets: usize) -> Self {
        self.tweets = tweets;
        self
    }

    /// How many tweets are still to come (default: as many as `tweets`; of a file: half of it).
    #[must_use]
    pub fn live(mut self, tweets: usize) -> Self {
        self.live = Some(tweets);
        self
    }

    /// A corpus from a file instead: JSONL of v2 pages, stream lines or tweets, `.gz` and `.zst` too.
    #[must_use]
    pub fn corpus(mut self, path: impl Into<PathBuf>) -> Self {
        self.corpus = Some(path.into());
        self
    }

    /// The clock's first time (default 2026-11-20T12:00:00Z; of a file: just before its live tweets).
    #[must_use]
    pub fn now(mut self, now: Millis) -> Self {
        self.now = Some(now);
        self
    }

    /// A clock that runs; else it stands still until it is moved.
    #[must_use]
    pub fn ticking(mut self) -> Self {
        self.ticking = true;
        self
    }

    /// The bearer token it accepts.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = token.into();
        self
    }

    /// The names used where a request does not choose them.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// Refuses the other dialect in searches with 400.
    #[must_use]
    pub fn only(mut self, dialect: Dialect) -> Self {
        self.settings.accepted = Some(dialect);
        self.dialect(dialect)
    }

    /// Other limits than X's.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How fast live tweets come.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.settings.pace = pace;
        self
    }

    /// Time between two keep-alives, by the double's clock.
    #[must_use]
    pub fn keep_alive(mut self, every: Duration) -> Self {
        self.settings.keep_alive = millis(every);
        self
    }

    /// How long a stream that its client has left still counts as open, by the double's clock.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.settings.linger = millis(time);
        self
    }

    /// A second stream ends the first instead of being refused.
    #[must_use]
    pub fn replace_connections(mut self) -> Self {
        self.settings.replace_connections = true;
        self
    }

    /// Grants `backfill_minutes`, `start_time` and `end_time` on the stream.
    #[must_use]
    pub fn enterprise(mut self) -> Self {
        self.settings.enterprise = true;
        self
    }

    /// Retweets in search results, as before 2026-05-04.
    #[must_use]
    pub fn search_retweets(mut self) -> Self {
        self.settings.search_retweets = true;
        self
    }

    /// The script of faults.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// The corpus, its skipped lines, and the clock's first time.
    fn make(&self) -> Result<(Corpus, Vec<usize>, Millis)> {
        let Some(path) = &self.corpus else {
            let now = self.now.or_else(|| parse_time("2026-11-20T12:00:00Z")).unwrap_or_default();
            let live = self.live.unwrap_or(self.tweets);
            let plan =
                Plan { seed: self.seed, tweets: self.tweets, live, from: now - 6 * 86_400_000, until: now };
            return Ok((generate::generate(&plan), Vec::new(), now));
        };
        let (corpus, skipped) = file::read(path)?;
        if !skipped.is_empty() {
            tracing::warn!(file = %path.display(), lines = ?skipped, "lines without v2 tweets are not served");
        }
        let listed: Vec<u64> =
            corpus.tweets.iter().filter(|tweet| tweet.listed).map(|tweet| tweet.id).collect();
        let Some(last) = listed.last() else { bail!("{} has no v2 tweets", path.display()) };
        let live = self.live.unwrap_or(listed.len() / 2);
        let past = listed.len().checked_sub(live);
        let past = past.with_context(|| format!("{} has fewer than {live} tweets", path.display()))?;
        let before = listed.get(past).map_or(id_time(*last) + 60_000, |id| id_time(*id) - 1);
        Ok((corpus, skipped, self.now.unwrap_or(before)))
    }

    /// Starts it on this runtime.
    ///
    /// # Errors
    /// A corpus file that cannot be read, a port that is taken.
    pub async fn start(self) -> Result<XServer> {
        let (corpus, skipped_lines, now) = self.make()?;
        let clock = if self.ticking { Clock::ticking(now) } else { Clock::frozen(now) };
        let ledger = Arc::new(Ledger::new(corpus.tweets.iter().map(|tweet| tweet.id).collect()));
        let faults = Arc::new(Faults::default());
        faults.set(self.faults);
        let listener = listen(self.port).with_context(|| format!("cannot listen on port {}", self.port))?;
        let address = listener.local_addr()?;
        let server = Arc::new(Server {
            settings: self.settings.clone(),
            corpus,
            clock: clock.clone(),
            ledger: Arc::clone(&ledger),
            faults: Arc::clone(&faults),
            buckets: limits::Buckets::default(),
            rules: rules::Rules::default(),
            connections: connections::Connections::default(),
            heads: [0.into(), 0.into()],
        });
        let accept = tokio::spawn(accept(listener, Arc::clone(&server)));
        Ok(XServer {
            url: format!("http://{address}"),
            jetstream_url: format!("ws://{address}/subscribe"),
            token: self.settings.token,
            clock,
            ledger,
            faults,
            skipped_lines,
            server,
            accept,
        })
    }
}

/// Connections hold little that is on its way: else a system keeps megabytes that count as served and nobody reads.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(64 << 10)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(1_024)
}

fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX / 4)
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        server.ledger.connected();
        if let Err(error) = socket.set_nodelay(true) {
            tracing::warn!(%error, "cannot set TCP_NODELAY");
        }
        let server = Arc::clone(&server);
        connections.spawn(async move {
            let fuse = Fuse::default();
            let wire = Wire::new(socket, fuse.clone());
            let service = service_fn(|request| Arc::clone(&server).serve(request, fuse.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service);
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
}

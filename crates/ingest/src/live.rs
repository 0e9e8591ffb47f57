//! What all live sources share: the token, the runtime, the end of a run.

use std::ops::Deref;
use std::path::Path;

use lake::{Chunk, Lake, Value, format_micros};
use serde::Serialize;
use task::{Exit, Failure, Outcome, Secret, Summary, Task};
use tokio::runtime::Runtime;
use tracing::{info, warn};

use crate::Args;
use crate::cursor::Day;
use crate::money::{Spend, USUAL_TWEET, Usd};
use crate::sink::Sink;

/// Where a token is looked for.
pub(crate) const TOKEN: &str = "X_BEARER_TOKEN";

/// The runtime of a run: one thread for the network, beside the one that keeps what comes. At its end nothing is
/// waited for: a name that is looked up may take half a minute.
pub(crate) struct Network(Option<Runtime>);

impl Network {
    pub(crate) fn start() -> Outcome<Self> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|e| Failure::new(Exit::Storage, format!("cannot start the network's thread: {e}")))
    }
}

impl Deref for Network {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("only its end takes it")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The token, from its file or from the environment.
pub(crate) fn token(file: Option<&Path>) -> Outcome<Secret> {
    let missing = |what: String| {
        Failure::new(Exit::Credentials, what).hint(
            "set X_BEARER_TOKEN, or give --token-file, with the app-only Bearer token of your app; \
             --source bluesky and --source file need none",
        )
    };
    let token = match file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| missing(format!("cannot read the token file {}: {e}", path.display())))?,
        None => std::env::var(TOKEN).map_err(|_| missing("there is no token for X".into()))?,
    };
    let token = Secret::new(&token);
    if token.expose().is_empty() || !token.expose().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(missing("the token for X is empty or has characters that no token has".into()));
    }
    Ok(token)
}

/// Opens the lake of a live source.
pub(crate) fn open(args: &Args) -> Outcome<Lake> {
    let lake = Lake::open_or_create(&args.lake, args.partition_by)?;
    args.check(lake.grain())?;
    lake.probe_conditions()?;
    Ok(lake)
}

/// One value as a chunk.
pub(crate) fn chunk(bytes: Vec<u8>) -> Chunk {
    let value = Value { start: 0, end: bytes.len(), line: 1, offset: 0, fault: None };
    Chunk { values: vec![value], bytes: bytes.into() }
}

/// A stretch of time in which tweets may be missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Gap {
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) seconds: i64,
    /// Whether search has filled it, as far as search can: it returns no retweets.
    pub(crate) repaired: bool,
    /// Tweets that search had.
    pub(crate) tweets: u64,
    pub(crate) why: &'static str,
}

impl Gap {
    pub(crate) fn lost(since: i64, until: i64, why: &'static str) -> Self {
        let seconds = (until - since).div_euclid(1_000_000);
        let (since, until) = (format_micros(since), format_micros(until));
        Self { since, until, seconds, repaired: false, tweets: 0, why }
    }
}

/// What the manifest of a live run says besides.
#[derive(Debug, Default, Serialize)]
pub(crate) struct More {
    /// What was read, and what it cost by the price list.
    pub(crate) spend: Option<Bill>,
    /// What a run before asked for and did not come to commit: read, and perhaps paid for, a second time.
    pub(crate) read_again: Option<Bill>,
    pub(crate) requests: u64,
    pub(crate) connects: u64,
    pub(crate) gaps: Vec<Gap>,
    /// Why it ended before it was done.
    pub(crate) ended_by: Option<String>,
}

/// Posts, users and dollars.
#[derive(Debug, Serialize)]
pub(crate) struct Bill {
    posts: u64,
    users: u64,
    usd: f64,
}

/// What the run before had asked for, or read, and did not come to commit: it is read again.
pub(crate) fn read_again(day: &Day) -> Option<Bill> {
    let micro_usd = day.unanswered();
    let posts = micro_usd.div_ceil(USUAL_TWEET);
    (posts > 0).then(|| {
        info!(posts, usd = %Usd(micro_usd), "what the last run had read and not committed is read again");
        Spend { posts, users: posts, micro_usd }.into()
    })
}

impl From<Spend> for Bill {
    fn from(spend: Spend) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "an estimate in dollars")]
        let usd = spend.micro_usd as f64 / 1e6;
        Self { posts: spend.posts, users: spend.users, usd }
    }
}

/// Ends a run: its manifest is written whether or not it came to its end.
pub(crate) fn end(mut sink: Sink<'_>, ended: Outcome<()>, mut more: More) -> Outcome<Summary> {
    more.ended_by = ended.as_ref().err().map(|failure| failure.message.clone());
    let spent = more.spend.as_ref().map_or(0.0, |bill| bill.usd);
    let summary = sink.manifest(Vec::new(), &more)?;
    info!(consumed = summary.consumed, unique = summary.unique, usd = format!("${spent:.2}"), "committed");
    ended?;
    match sink.too_many_rejects() {
        Some(why) => Err(Failure::new(Exit::BadInput, why).hint(format!(
            "the tweets that can be read are committed; see {} for the rest",
            sink.args.lake.join("_meta/rejects")
        ))),
        None => Ok(summary),
    }
}

/// The end of the money.
pub(crate) fn out_of_money(limit: Option<Usd>) -> Failure {
    let limit = limit.map_or_else(String::new, |usd| format!(" of {usd}"));
    Failure::new(Exit::Limit, format!("the spend limit{limit} for this question and UTC day would be passed"))
        .hint("what was read is committed; raise --max-spend-usd, or run again tomorrow: it goes on where it stopped")
}

/// Tells two readings of the same apart: the head of a live part's name.
pub(crate) fn head(task: &Task, number: u64) -> Vec<u8> {
    format!("{} {} {} {number}", task.run_id, task.started, std::process::id()).into_bytes()
}

/// What a clamp has moved.
pub(crate) fn moved(flag: &str, from: i64, to: i64, why: &str) {
    warn!("{flag} is moved from {} to {}: {why}", format_micros(from), format_micros(to));
}

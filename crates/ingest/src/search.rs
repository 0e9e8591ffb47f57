//! Search on X: recent (seven days) or the full archive, page by page.
//!
//! A page is paid for, so each is committed before the token of the next one is kept, and the next one is asked for
//! only then: whatever kills the run, the page under way is all that is read again.

use std::cell::Cell;
use std::collections::BTreeMap;

use lake::format_micros;
use serde::{Deserialize, Serialize};
use task::{Exit, Failure, Outcome, Summary, Task};
use tracing::info;

use crate::Args;
use crate::args::Archive;
use crate::classify::classify;
use crate::clock::span;
use crate::cursor::{Cursor, Day};
use crate::fields::parameters;
use crate::live::{self, Gap, More, Network};
use crate::money::{Answer, COUNTS_ALL, COUNTS_RECENT, DEAREST_TWEET, POST, Spend, Till, USUAL_TWEET};
use crate::net::{Api, Pace};
use crate::question::{ALL_QUERY, RECENT_QUERY, queries, terms};
use crate::sink::Sink;
use crate::trouble::{Rate, Trouble, of_answer};
use crate::wanted::Wanted;

pub(crate) const SECOND: i64 = 1_000_000;
/// How far back recent search goes; a minute less, for the clocks differ and paging takes time.
pub(crate) const RECENT: i64 = 7 * 86_400 * SECOND - 60 * SECOND;
/// Search lags by about so much: what is younger may still be missing.
pub(crate) const LAG: i64 = 30 * SECOND;
/// A search that goes on where one ended looks back so far, for what was indexed late.
const OVERLAP: i64 = 60 * SECOND;
/// The full archive takes one request a second.
const EVERY: i64 = 1_050_000;
/// Times that pages may lead to the same one: X sends empty pages, and repeats some.
const CIRCLES: u32 = 3;
/// The least that a page may hold.
const LEAST: u64 = 10;

/// What the cursor of a search holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    queries: Vec<String>,
    /// Everything before this instant is read.
    covered: Option<i64>,
    /// The stretch that is being read.
    pass: Option<Pass>,
    /// The whole interval is read.
    done: bool,
    spend: Day,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pass {
    start: Option<i64>,
    end: i64,
    /// Which query is under way: those before it are read to their end.
    query: usize,
    next_token: Option<String>,
    /// Pages and tweets committed.
    pages: u64,
    tweets: u64,
}

/// What is asked, without the paging.
struct Asked {
    /// One after the other; more than one only where the keywords are too long for X together.
    queries: Vec<String>,
    all: bool,
}

impl Asked {
    fn new(args: &Args, now: i64) -> Outcome<Self> {
        let old = args.since.is_some_and(|since| since < now - RECENT - 60 * SECOND);
        let all = match args.archive {
            Some(archive) => archive == Archive::All,
            None => old,
        };
        if old && args.archive.is_none() {
            info!("--since is more than 7 days ago: the full archive is searched (--archive all)");
        }
        let longest = if all { ALL_QUERY } else { RECENT_QUERY };
        let queries = queries(&terms(args)?, longest);
        if queries.len() > 1 {
            info!(
                queries = queries.len(),
                "the keywords are too long for one query; a tweet that fits several is read once for each"
            );
        }
        Ok(Self { queries, all })
    }

    fn path(&self, what: &str) -> String {
        let all = if self.all { "all" } else { "recent" };
        format!("/2/tweets/{what}/{all}")
    }

    /// The stretch to read now: the interval, as far as X takes it. `None`: it lies ahead.
    fn pass(
        &self,
        args: &Args,
        covered: Option<i64>,
        now: i64,
        gaps: &mut Vec<Gap>,
    ) -> Outcome<Option<Pass>> {
        let whole = |t: i64| t - t.rem_euclid(SECOND);
        let latest = whole(now - LAG);
        let mut end = latest;
        if let Some(until) = args.until {
            if until > latest {
                live::moved("--until", until, latest, "X has indexed what is 30 s old");
            }
            end = latest.min(until);
        }
        let mut start = match (covered, args.since) {
            (Some(covered), since) => Some((covered - OVERLAP).max(since.unwrap_or(i64::MIN))),
            (None, since) => since,
        };
        let earliest = whole(now - RECENT) + SECOND;
        if let (false, Some(since)) = (self.all, start)
            && since < earliest
        {
            live::moved("--since", since, earliest, "recent search goes back 7 days (see --archive)");
            gaps.push(Gap::lost(since, earliest.min(end), "older than recent search goes back"));
            start = Some(earliest);
        }
        if !self.all && end <= earliest {
            return Err(Failure::new(
                Exit::Usage,
                "the interval ends more than 7 days ago, where recent search does not go",
            )
            .hint("give --archive all (it needs a plan with the full archive)"));
        }
        Ok(start.is_none_or(|start| start < end).then_some(Pass { start, end, ..Pass::default() }))
    }

    /// The parameters that stay the same from page to page of a query.
    fn window(&self, query: &str, pass: &Pass) -> Vec<(&'static str, String)> {
        let mut query = vec![("query", query.to_owned()), ("end_time", api_time(pass.end))];
        query.extend(pass.start.map(|start| ("start_time", api_time(start))));
        query
    }
}

/// `2026-11-20T08:00:00Z`: X takes whole seconds.
fn api_time(micros: i64) -> String {
    format!("{}Z", &format_micros(micros)[..19])
}

/// Searches.
pub(crate) fn run(args: &Args, task: &Task, pace: Pace) -> Outcome<Summary> {
    let asked = Asked::new(args, pace.clock.now())?;
    let token = live::token(args.token_file.as_deref())?;
    let runtime = Network::start()?;
    let api = Api::new(&args.api_url, token, pace)?;
    let lake = live::open(args)?;
    let question = serde_json::json!([asked.queries, asked.all, args.since, args.until]).to_string();
    let mut cursor = Cursor::open(&lake, "search", &question, State::default)?;
    cursor.state.queries.clone_from(&asked.queries);
    let mut more = More { read_again: live::read_again(&cursor.state.spend), ..More::default() };
    let before = cursor.state.spend.begin(api.pace.clock.now());
    let mut sink = Sink::new(args, task, &lake, "search");
    let till = Till::new(args.max_spend_usd, before);
    let mut search = Search { args, task, runtime, api: &api, asked, till, last: None };
    let ended = search.read(&mut cursor, &mut sink, &mut more);
    more.spend = Some(search.till.paid().into());
    live::end(sink, ended, more)
}

struct Search<'a> {
    args: &'a Args,
    task: &'a Task,
    runtime: Network,
    api: &'a Api,
    asked: Asked,
    till: Till,
    /// When the last request was made: the full archive takes one a second.
    last: Option<i64>,
}

impl Search<'_> {
    fn read(&mut self, cursor: &mut Cursor<'_, State>, sink: &mut Sink<'_>, more: &mut More) -> Outcome<()> {
        if cursor.state.done {
            info!("this interval was read to its end before; nothing is read again");
            return Ok(());
        }
        let clock = &self.api.pace.clock;
        let mut pass = match cursor.state.pass.take() {
            Some(pass) => {
                info!(pages = pass.pages, tweets = pass.tweets, "going on where the last run stopped");
                pass
            }
            None => match self.asked.pass(self.args, cursor.state.covered, clock.now(), &mut more.gaps)? {
                Some(pass) => pass,
                None => {
                    return Err(Failure::new(
                        Exit::Nothing,
                        "the interval has not begun yet, or holds nothing new",
                    )
                    .hint("X has indexed what is 30 s old"));
                }
            },
        };
        let mut seen: BTreeMap<(usize, String), u32> = BTreeMap::new();
        let page_size = Cell::new(if self.asked.all { 500 } else { 100 });
        loop {
            let wanted =
                self.args.max_tweets.map_or(u64::MAX, |max| max.saturating_sub(sink.ledger.consumed));
            if wanted == 0 {
                info!("--max-tweets is reached; the next run goes on from here");
                self.keep(cursor, Some(&pass), 0)?;
                return Ok(());
            }
            let affordable = self.till.left() / DEAREST_TWEET;
            if affordable < LEAST {
                self.keep(cursor, Some(&pass), 0)?;
                return Err(live::out_of_money(self.args.max_spend_usd));
            }
            let size = wanted.min(affordable).clamp(LEAST, page_size.get());
            self.keep(cursor, Some(&pass), size * USUAL_TWEET)?;
            let body = match self.page(&pass, size, &page_size) {
                Ok(body) => body,
                Err(failure) => {
                    // What was asked for may have been read, unless X itself said no.
                    if failure.exit != Exit::Terminated {
                        self.keep(cursor, Some(&pass), 0)?;
                    }
                    return Err(failure);
                }
            };
            let answer: Answer<'_> = serde_json::from_slice(&body).map_err(|_| not_a_page())?;
            let next = answer.meta.as_ref().and_then(|meta| meta.next_token.clone());
            self.till.pay(Spend::of(&answer));
            more.requests += 1;
            let now = self.api.pace.clock.now();
            sink.raw.receive("search", now, &live::head(self.task, more.requests))?;
            let tweets = sink.ledger.consumed;
            sink.take(classify(
                &format!("search page {}", pass.pages + 1),
                live::chunk(body),
                &Wanted::everything(),
            ))?;
            sink.commit()?;
            pass.pages += 1;
            pass.tweets += sink.ledger.consumed - tweets;
            info!(page = pass.pages, tweets = pass.tweets, usd = %self.till_today(), "read");
            let Some(next) = next else {
                (pass.query, pass.next_token) = (pass.query + 1, None);
                if pass.query < self.asked.queries.len() {
                    continue;
                }
                cursor.state.covered = Some(pass.end);
                cursor.state.done = self.args.until.is_some_and(|until| pass.end >= until);
                self.keep(cursor, None, 0)?;
                return Ok(());
            };
            let times = seen.entry((pass.query, next.clone())).or_default();
            *times += 1;
            let looped = *times > CIRCLES;
            pass.next_token = Some(next);
            if looped {
                self.keep(cursor, Some(&pass), 0)?;
                return Err(Failure::new(Exit::SourceUnavailable, "X leads from page to page in a circle")
                    .hint("run again later: it goes on where it stopped"));
            }
        }
    }

    fn till_today(&self) -> crate::money::Usd {
        crate::money::Usd(self.till.today())
    }

    fn keep(&self, cursor: &mut Cursor<'_, State>, pass: Option<&Pass>, asked: u64) -> Outcome<()> {
        cursor.state.pass = pass.cloned();
        cursor.state.spend.set(self.api.pace.clock.now(), self.till.today(), asked);
        cursor.save()
    }

    /// One page, after as many tries as it takes.
    fn page(&mut self, pass: &Pass, size: u64, page_size: &Cell<u64>) -> Outcome<Vec<u8>> {
        let (api, pace, all) = (self.api, &self.api.pace, self.asked.all);
        let (window, path) =
            (self.asked.window(&self.asked.queries[pass.query], pass), self.asked.path("search"));
        let last = self.last;
        let body = self.runtime.block_on(async {
            if let (true, Some(last)) = (all, last) {
                let wait = span(last + EVERY - pace.clock.now());
                if !wait.is_zero() {
                    pace.unless_stopped(pace.clock.wait(wait)).await?;
                }
            }
            pace.patiently(|| async {
                let size = size.min(page_size.get()).to_string();
                let mut query: Vec<(&str, &str)> =
                    window.iter().map(|(name, value)| (*name, value.as_str())).collect();
                query.push(("max_results", &size));
                query.extend(parameters(self.args.dialect));
                query.extend(pass.next_token.as_deref().map(|token| ("next_token", token)));
                let got = api.get(&path, &query).await.and_then(checked);
                if all && matches!(got, Err(Trouble::Server(_))) {
                    // The archive breaks down under large pages.
                    page_size.set(100);
                }
                got
            })
            .await
        })?;
        self.last = Some(self.api.pace.clock.now());
        Ok(body)
    }
}

/// Whether a body is a page: cut JSON is asked for again, an error with status 200 is an error.
pub(crate) fn checked(body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    match serde_json::from_slice::<Answer<'_>>(&body) {
        Ok(answer) if answer.data.is_some() || answer.meta.is_some() => Ok(body),
        Ok(_) => Err(of_answer(200, Rate::default(), &body)),
        Err(_) => Err(Trouble::Server("X's answer is no whole page".into())),
    }
}

fn not_a_page() -> Failure {
    Failure::new(Exit::Bug, "a page was checked and cannot be read")
}

/// What a search would bring, by X's own counts.
#[derive(Debug, Serialize)]
pub struct Estimate {
    stage: &'static str,
    dry_run: bool,
    /// Tweets that match now.
    tweets: u64,
    /// In dollars: posts alone, posts with authors, and the most that can come along.
    usd: [f64; 3],
    /// What asking cost.
    asked_usd: f64,
}

/// Asks X how many tweets there are, and says what they would cost.
pub(crate) fn estimate(args: &Args, pace: Pace) -> Outcome<Estimate> {
    let now = pace.clock.now();
    let asked = Asked::new(args, now)?;
    let token = live::token(args.token_file.as_deref())?;
    let api = Api::new(&args.api_url, token, pace)?;
    let Some(pass) = asked.pass(args, None, now, &mut Vec::new())? else {
        return Err(Failure::new(Exit::Nothing, "the interval has not begun yet"));
    };
    let (tweets, requests) = Network::start()?.block_on(count(&api, &asked, &pass))?;
    let tweets = args.max_tweets.map_or(tweets, |max| tweets.min(max));
    let price = if asked.all { COUNTS_ALL } else { COUNTS_RECENT };
    #[expect(clippy::cast_precision_loss, reason = "an estimate in dollars")]
    let usd = |micro: u64| micro as f64 / 1e6;
    let estimate = Estimate {
        stage: "ingest",
        dry_run: true,
        tweets,
        usd: [POST, USUAL_TWEET, DEAREST_TWEET].map(|price| usd(tweets * price)),
        asked_usd: usd(requests * price),
    };
    let [least, usual, most] = estimate.usd;
    info!(
        "{tweets} tweets match: ${least:.2} for the posts, ${usual:.2} with their authors, ${most:.2} at most"
    );
    Ok(estimate)
}

async fn count(api: &Api, asked: &Asked, pass: &Pass) -> Outcome<(u64, u64)> {
    let (mut tweets, mut requests) = (0, 0);
    for query in &asked.queries {
        let (found, asked) = count_one(api, &asked.window(query, pass), &asked.path("counts")).await?;
        tweets += found;
        requests += asked;
    }
    Ok((tweets, requests))
}

async fn count_one(api: &Api, window: &[(&str, String)], path: &str) -> Outcome<(u64, u64)> {
    let (mut tweets, mut requests, mut token) = (0, 0, None::<String>);
    loop {
        let body = api
            .pace
            .patiently(|| async {
                let mut query: Vec<(&str, &str)> =
                    window.iter().map(|(name, value)| (*name, value.as_str())).collect();
                query.push(("granularity", "day"));
                query.extend(token.as_deref().map(|token| ("next_token", token)));
                api.get(path, &query).await.and_then(checked)
            })
            .await?;
        requests += 1;
        let answer: Answer<'_> = serde_json::from_slice(&body).map_err(|_| not_a_page())?;
        let meta = answer.meta.as_ref();
        tweets += meta.and_then(|meta| meta.total_tweet_count).unwrap_or(0);
        match meta.and_then(|meta| meta.next_token.clone()) {
            Some(next) if requests < 1_000 => token = Some(next),
            _ => return Ok((tweets, requests)),
        }
    }
}

//! The filtered stream: one task a connection writes lines as fast as the client reads them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::{Millis, id_time, parse_time};
use crate::connections::Slot;
use crate::corpus::Tweet;
use crate::faults::{Cut, Step};
use crate::ledger::Served;
use crate::names::Dialect;
use crate::params::{Includes, Invalid, Params, Projection};
use crate::server::{Head, Pace, Server};
use crate::wire::Chunk;

/// Lines are gathered up to about so many bytes before they are written.
const BATCH: usize = 32 * 1_024;

/// What a connection asked for.
pub(crate) struct Wish {
    choice: Projection,
    opened: Millis,
    /// Where in the corpus it begins.
    start: usize,
    /// A recovery ends here.
    until: Option<Millis>,
}

impl Wish {
    /// Reads the parameters of `GET /2/tweets/search/stream`.
    pub fn parse(server: &Server, params: &Params) -> Result<Self, Invalid> {
        params.check_names(&["backfill_minutes", "start_time", "end_time"])?;
        // The stream speaks tweet names in both versions of the API.
        let choice = Projection::parse(params, Dialect::Tweet, Some(Dialect::Tweet))?;
        let now = server.clock.now();
        for name in ["backfill_minutes", "start_time", "end_time"] {
            if let (Some(value), false) = (params.get(name), server.settings.enterprise) {
                return Err(Invalid::new(format!(
                    "The `{name}` query parameter is not available on your plan"
                ))
                .of(name, value));
            }
        }
        let time = |name: &str| match params.get(name) {
            None => Ok(None),
            Some(text) => parse_time(text)
                .filter(|at| (now - 86_400_000..=now).contains(at))
                .map(Some)
                .ok_or_else(|| {
                    Invalid::new(format!(
                        "Invalid '{name}':'{text}'. '{name}' must be within the last 24 hours"
                    ))
                    .of(name, text)
                }),
        };
        let back = params.number("backfill_minutes", 0..=5, 0)?;
        let start = match time("start_time")? {
            None if back == 0 => server.live(Head::X),
            None => server.corpus.happened(now - 60_000 * Millis::try_from(back).unwrap_or(0)),
            Some(at) => server.corpus.happened(at - 1),
        };
        Ok(Self { choice, opened: now, start, until: time("end_time")? })
    }
}

/// Feeds one connection until it ends.
pub(crate) async fn run(
    server: Arc<Server>,
    wish: Wish,
    script: Vec<Step>,
    slot: Slot,
    chunks: mpsc::Sender<Chunk>,
) {
    let mut killed = slot.killed.clone();
    let mut feed = Feed {
        server: &server,
        chunks: &chunks,
        choice: wish.choice,
        until: wish.until,
        next: wish.start,
        rules: Vec::new(),
        last_byte: wish.opened,
    };
    let reason = tokio::select! {
        biased;
        () = chunks.closed() => "client_disconnect",
        // The sender lives in the server, so a kill is the only news there can be.
        _ = async { killed.wait_for(|dead| *dead).await.is_ok() } => {
            let _ = chunks.send(Chunk::alone(disconnect("ForceDisconnect", true))).await;
            "operator_disconnect"
        }
        end = feed.follow(script) => match end {
            Some(()) => "server_disconnect",
            None => "client_disconnect",
        },
    };
    slot.end(reason);
}

/// An operational disconnect message as a line.
fn disconnect(kind: &str, envelope: bool) -> Vec<u8> {
    let detail = if kind == "UpstreamOperationalDisconnect" {
        "upstream for operational reasons"
    } else {
        "for operational reasons"
    };
    let problem = json!({"title": "operational-disconnect", "disconnect_type": kind,
        "detail": format!("This stream has been disconnected {detail}."), "type": Dialect::Tweet.problem("operational-disconnect")});
    let message = if envelope { json!({"errors": [problem]}) } else { problem };
    line(&message.to_string())
}

fn line(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// How a line differs from what it should be.
#[derive(Clone, Copy, Default)]
struct Odd {
    rules: bool,
    errors: usize,
    names: Option<Dialect>,
}

enum Next {
    /// The tweet at this index is due.
    Tweet(usize),
    /// Nothing before this time.
    Wait(Millis),
    /// A recovery is complete.
    End,
}

struct Feed<'a> {
    server: &'a Arc<Server>,
    chunks: &'a mpsc::Sender<Chunk>,
    choice: Projection,
    until: Option<Millis>,
    next: usize,
    rules: Vec<(u64, Option<String>)>,
    last_byte: Millis,
}

impl Feed<'_> {
    /// The script, then business as usual. `None`: the client has gone. `Some`: the stream ends by itself.
    async fn follow(&mut self, script: Vec<Step>) -> Option<()> {
        for step in script {
            if self.step(step).await? {
                return Some(());
            }
        }
        while self.tweets(usize::MAX, Odd::default()).await? {}
        Some(())
    }

    /// One step; true if the stream ends with it.
    async fn step(&mut self, step: Step) -> Option<bool> {
        let plain = Odd::default();
        match step {
            Step::Tweets(count) => return self.tweets(count, plain).await.map(|more| !more),
            Step::OddRules(count) => {
                return self.tweets(count, Odd { rules: true, ..plain }).await.map(|more| !more);
            }
            Step::PartialErrors(count) => {
                return self.tweets(count, Odd { errors: 1, ..plain }).await.map(|more| !more);
            }
            Step::Dialect { names, tweets } => {
                return self.tweets(tweets, Odd { names: Some(names), ..plain }).await.map(|more| !more);
            }
            Step::Pieces { tweets, bytes, pause_ms } => {
                for _ in 0..tweets {
                    let (index, line) = self.one(plain).await?;
                    let parts: Vec<&[u8]> = line.chunks(bytes.max(1)).collect();
                    self.parts(index, &parts, pause_ms).await?;
                }
            }
            Step::SplitCharacter => loop {
                let (index, line) = self.one(plain).await?;
                let Some(lead) = line.iter().position(|byte| *byte >= 0xC0) else {
                    self.parts(index, &[&line], 0).await?;
                    continue;
                };
                let (head, tail) = line.split_at(lead + 1);
                self.parts(index, &[head, tail], 0).await?;
                break;
            },
            Step::SplitLineEnd => {
                let (index, line) = self.one(plain).await?;
                let (head, tail) = line.split_at(line.len() - 1);
                self.parts(index, &[head, tail], 0).await?;
            }
            Step::Together(count) => {
                let (mut bytes, mut indices) = (Vec::new(), Vec::new());
                for _ in 0..count {
                    let (index, line) = self.one(plain).await?;
                    bytes.extend(line);
                    indices.push(index);
                }
                self.send(bytes, true, Served::stream(&self.server.ledger, indices)).await?;
            }
            Step::KeepAlives { count, every } => {
                for _ in 0..count {
                    self.pass(every).await;
                    self.keep_alive().await?;
                }
            }
            Step::Silence { seconds } => self.pass(seconds).await,
            Step::HalfThen(cut) => {
                let (index, line) = self.one(plain).await?;
                return self.part(index, &line, line.len() / 2, cut).await;
            }
            Step::PartThen { bytes, cut } => {
                let (index, line) = self.one(plain).await?;
                return self.part(index, &line, bytes, cut).await;
            }
            Step::Cut(cut) => {
                self.cut(cut).await?;
                return Some(true);
            }
            Step::End => return Some(true),
            Step::Disconnect { kind, envelope } => {
                self.send(disconnect(&kind, envelope), true, Served::default()).await?
            }
            Step::Message(value) => self.send(line(&value.to_string()), true, Served::default()).await?,
            Step::Line(text) => self.send(line(&text), true, Served::default()).await?,
            Step::Oversize { bytes } => {
                let id = self.fresh_id(1);
                let head = format!(
                    r#"{{"data":{{"id":"{id}","text":"a line too long","edit_history_tweet_ids":["{id}"],"padding":""#
                );
                let mut long = head.into_bytes();
                long.resize(bytes.saturating_sub(5).max(long.len()), b'x');
                long.extend_from_slice(b"\"}}\r\n");
                self.send(long, false, Served::default()).await?;
            }
            Step::Repeat(count) => self.repeat(count).await?,
            Step::Miss(count) => {
                for _ in 0..count {
                    self.one(plain).await?;
                }
            }
            Step::Edits(count) => self.edits(count).await?,
        }
        Some(false)
    }

    /// So many tweets, batched as far as they are due. False if a recovery is complete.
    async fn tweets(&mut self, count: usize, odd: Odd) -> Option<bool> {
        let mut left = count;
        while left > 0 {
            let (mut bytes, mut indices) = (Vec::with_capacity(BATCH + 8_192), Vec::new());
            let wait = loop {
                if bytes.len() >= BATCH || indices.len() == left {
                    break None;
                }
                match self.look() {
                    Next::Tweet(index) => {
                        self.render(index, odd, &mut bytes);
                        indices.push(index);
                        self.next = index + 1;
                        if !matches!(self.server.settings.pace, Pace::Flood) {
                            break None;
                        }
                    }
                    Next::Wait(at) => break Some(at),
                    Next::End if indices.is_empty() => return Some(false),
                    Next::End => break None,
                }
            };
            left -= indices.len();
            if let Some(last) = indices.last() {
                self.pace(*last).await;
                let served = Served::stream(&self.server.ledger, indices);
                self.send(bytes, count != usize::MAX, served).await?;
            } else if let Some(at) = wait {
                self.wait(at).await?;
            }
        }
        Some(true)
    }

    /// The next tweet and its line, however long that takes.
    async fn one(&mut self, odd: Odd) -> Option<(usize, Vec<u8>)> {
        loop {
            match self.look() {
                Next::Tweet(index) => {
                    let mut line = Vec::new();
                    self.render(index, odd, &mut line);
                    self.next = index + 1;
                    self.pace(index).await;
                    return Some((index, line));
                }
                Next::Wait(at) => self.wait(at).await?,
                Next::End => std::future::pending().await,
            }
        }
    }

    /// Finds the next tweet that a rule matches.
    fn look(&mut self) -> Next {
        let (server, clock) = (self.server, &self.server.clock);
        loop {
            let Some(tweet) = server.corpus.tweets.get(self.next) else {
                return if self.until.is_some() { Next::End } else { Next::Wait(Millis::MAX) };
            };
            let at = id_time(tweet.id);
            if self.until.is_some_and(|until| at >= until) {
                return Next::End;
            }
            if matches!(server.settings.pace, Pace::Clock) && at > clock.now() {
                return Next::Wait(at);
            }
            if tweet.listed {
                server.rules.matching(tweet, &server.corpus, &mut self.rules);
                if !self.rules.is_empty() {
                    return Next::Tweet(self.next);
                }
            }
            self.next += 1;
        }
    }

    /// The stream carries the clock along; a set rate is kept in real time.
    async fn pace(&self, index: usize) {
        self.server.pass(Head::X, index);
        if let Pace::Rate(each_second) = self.server.settings.pace {
            tokio::time::sleep(Duration::from_secs_f64(1.0 / each_second.max(0.001))).await;
        }
    }

    /// Waits for a time or for the next keep-alive, whichever comes first.
    async fn wait(&mut self, at: Millis) -> Option<()> {
        let (clock, due) = (&self.server.clock, self.last_byte + self.server.settings.keep_alive);
        clock.until(at.min(due)).await;
        if clock.now() >= due { self.keep_alive().await } else { Some(()) }
    }

    async fn keep_alive(&mut self) -> Option<()> {
        self.send(b"\r\n".to_vec(), true, Served::default()).await
    }

    /// Lets so many seconds of the double's clock go by, counted from the last byte.
    async fn pass(&mut self, seconds: u32) {
        let clock = &self.server.clock;
        clock.until(self.last_byte + 1_000 * Millis::from(seconds)).await;
        self.last_byte = clock.now();
    }

    fn render(&self, index: usize, odd: Odd, out: &mut Vec<u8>) {
        let choice = odd.names.map_or(self.choice, |names| self.choice.speaking(names));
        let tweet = &self.server.corpus.tweets[index];
        out.extend_from_slice(b"{\"data\":");
        choice.tweet(tweet, out);
        self.tail(tweet, choice, odd, out);
    }

    fn tail(&self, tweet: &Tweet, choice: Projection, odd: Odd, out: &mut Vec<u8>) {
        let mut includes = Includes::default();
        includes.add(tweet, &self.server.corpus, choice);
        includes.write(&self.server.corpus, choice, odd.errors, out);
        out.extend_from_slice(b",\"matching_rules\":[");
        for (number, (id, tag)) in self.rules.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let rule = match (odd.rules, tag) {
                (true, _) => json!({"id": id, "tag": null}),
                (false, Some(tag)) => json!({"id": id.to_string(), "tag": tag}),
                (false, None) => json!({"id": id.to_string()}),
            };
            out.extend_from_slice(rule.to_string().as_bytes());
        }
        out.extend_from_slice(b"]}\r\n");
    }

    async fn send(&mut self, bytes: Vec<u8>, alone: bool, served: Served) -> Option<()> {
        self.last_byte = self.server.clock.now();
        self.chunks.send(Chunk::Bytes { bytes: bytes.into(), alone, served }).await.ok()
    }

    /// One line in several writes; it counts as served with the last.
    async fn parts(&mut self, index: usize, parts: &[&[u8]], pause_ms: u64) -> Option<()> {
        for (number, part) in parts.iter().enumerate() {
            let last = number + 1 == parts.len();
            let served =
                if last { Served::stream(&self.server.ledger, vec![index]) } else { Served::default() };
            self.send(part.to_vec(), true, served).await?;
            if pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
        }
        Some(())
    }

    /// The first bytes of a line, and the end of the connection.
    async fn part(&mut self, index: usize, line: &[u8], bytes: usize, cut: Cut) -> Option<bool> {
        let whole = bytes + 2 >= line.len();
        let served = if whole { Served::stream(&self.server.ledger, vec![index]) } else { Served::default() };
        self.send(line[..bytes.min(line.len())].to_vec(), true, served).await?;
        self.cut(cut).await?;
        Some(true)
    }

    async fn cut(&mut self, cut: Cut) -> Option<()> {
        self.chunks.send(Chunk::Cut(cut)).await.ok()?;
        // The connection task drops its end when it has broken off (or, stalled, when the client has).
        self.chunks.closed().await;
        Some(())
    }

    /// What was delivered last, also by an earlier connection: the tweets before the next that the rules match.
    async fn repeat(&mut self, count: usize) -> Option<()> {
        let corpus = &self.server.corpus;
        let mut indices = Vec::new();
        for index in (0..self.next.min(corpus.tweets.len())).rev() {
            if indices.len() == count {
                break;
            }
            self.server.rules.matching(&corpus.tweets[index], corpus, &mut self.rules);
            if corpus.tweets[index].listed && !self.rules.is_empty() {
                indices.push(index);
            }
        }
        for index in indices.into_iter().rev() {
            let mut line = Vec::new();
            self.server.rules.matching(&corpus.tweets[index], corpus, &mut self.rules);
            self.render(index, Odd::default(), &mut line);
            self.send(line, true, Served::stream(&self.server.ledger, vec![index])).await?;
        }
        Some(())
    }

    /// An id that no tweet of the corpus has: odd ones out in the low bits after the last one given.
    fn fresh_id(&self, number: u64) -> u64 {
        let before = self.next.checked_sub(1).and_then(|index| self.server.corpus.tweets.get(index));
        let mut id = before.map_or(0, |tweet| tweet.id) + number;
        while self.server.corpus.index(id).is_some() {
            id += 1;
        }
        id
    }

    async fn edits(&mut self, count: usize) -> Option<()> {
        let (index, original) = self.one(Odd::default()).await?;
        self.parts(index, &[&original], 0).await?;
        let server = self.server;
        let tweet = &server.corpus.tweets[index];
        let mut history: Vec<u64> = tweet.history.to_vec();
        for number in 1..=count {
            let id = self.fresh_id(number as u64);
            history.push(id);
            let versions = Value::from(history.iter().map(u64::to_string).collect::<Vec<_>>()).to_string();
            let mut out = b"{\"data\":".to_vec();
            self.choice.tweet_with(
                tweet,
                &[("id", format!("\"{id}\"")), ("edit_history_tweet_ids", versions)],
                &mut out,
            );
            self.tail(tweet, self.choice, Odd::default(), &mut out);
            self.send(out, true, Served::invented(&server.ledger, id)).await?;
        }
        Some(())
    }
}

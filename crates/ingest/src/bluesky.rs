//! Bluesky's Jetstream: every post of the network passes by, and those with the keywords are kept. Free, no key.
//!
//! A run reads from where the last one ended (or the last hour) up to now, or for as long as `--for` says.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::{SinkExt, StreamExt};
use lake::{Chunk, Value};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use task::{Exit, Failure, Outcome, Summary, Task};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tracing::{info, warn};
use tweet::VALUE_BYTES;

use crate::Args;
use crate::classify::classify;
use crate::clock::{self, micros};
use crate::cursor::Cursor;
use crate::live::{self, Gap, More, Network};
use crate::net::{Pace, SILENCE, provider};
use crate::search::SECOND;
use crate::sink::Sink;
use crate::stream::{AHEAD, PART_AGE, PART_TWEETS};
use crate::trouble::{Backoff, Trouble, give_up};
use crate::wanted::Wanted;

/// What a first run reads of the past.
const FIRST: i64 = 3_600 * SECOND;
/// What the server still has; older cursors are moved up without a word.
const LOOKBACK: i64 = 36 * 3_600 * SECOND;
/// Before a reconnect the cursor goes back so far: events of one moment come in any order.
const REWIND: i64 = 5 * SECOND;
/// Posts of an interval may arrive so long after its end.
const LATE: i64 = 60 * SECOND;
/// Bytes of events that are passed on together.
const BATCH: usize = 256 << 10;

/// What the cursor holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Everything up to this event time (µs) is committed.
    time_us: Option<i64>,
    /// The whole interval is read.
    done: bool,
}

enum Event {
    Connected,
    Lines { chunk: Chunk, time_us: Option<i64> },
    Lost(Failure),
    Over(Failure),
}

/// Reads the network's posts.
pub(crate) fn run(args: &Args, task: &Task, pace: Pace) -> Outcome<Summary> {
    let wanted = Wanted::new(args)?;
    let runtime = Network::start()?;
    let lake = live::open(args)?;
    let question =
        serde_json::json!([args.track, args.track_file, args.locations, args.since, args.until]).to_string();
    let mut cursor = Cursor::open(&lake, "bluesky", &question, State::default)?;
    let mut more = More::default();
    let mut sink = Sink::new(args, task, &lake, "bluesky");
    if cursor.state.done {
        info!("this interval was read to its end before; nothing is read again");
        return live::end(sink, Ok(()), more);
    }
    let now = pace.clock.now();
    if args.since.is_some_and(|since| since >= now) {
        return Err(Failure::new(Exit::Nothing, "the interval has not begun yet"));
    }
    let mut from = cursor.state.time_us.map(|at| at - REWIND).or(args.since).unwrap_or(now - FIRST);
    if from < now - LOOKBACK {
        live::moved("the cursor", from, now - LOOKBACK, "Jetstream keeps 36 hours");
        more.gaps.push(Gap::lost(from, now - LOOKBACK, "older than Jetstream keeps"));
        from = now - LOOKBACK;
    }
    // Without an end the run ends when it has caught up with its own beginning.
    let until = match (args.until, args.run_for) {
        (Some(until), _) => Some(until + LATE),
        (None, Some(_)) => None,
        (None, None) => Some(now),
    };
    let (events, incoming) = mpsc::channel(AHEAD);
    let reader = Reader {
        url: args.jetstream_url.clone(),
        pace: Pace { deadline: None, ..pace.clone() },
        from,
        events,
    };
    let reading = runtime.spawn(reader.run());
    let mut bluesky = Bluesky {
        task,
        args,
        runtime,
        pace,
        wanted,
        until,
        incoming,
        batches: 0,
        begun: None,
        at: None,
        heard: now,
        fresh: false,
        trouble: None,
    };
    let ended = bluesky.read(&mut cursor, &mut sink, &mut more);
    reading.abort();
    let ended = bluesky.close(ended, &mut cursor, &mut sink);
    live::end(sink, ended, more)
}

struct Bluesky<'a> {
    task: &'a Task,
    args: &'a Args,
    runtime: Network,
    pace: Pace,
    wanted: Wanted,
    /// Event time at which there is no more to read.
    until: Option<i64>,
    incoming: mpsc::Receiver<Event>,
    batches: u64,
    begun: Option<i64>,
    /// Event time of the last event.
    at: Option<i64>,
    /// When something new came, or a connection was made.
    heard: i64,
    /// Nothing new has come over this connection.
    fresh: bool,
    trouble: Option<Failure>,
}

impl Bluesky<'_> {
    fn read(&mut self, cursor: &mut Cursor<'_, State>, sink: &mut Sink<'_>, more: &mut More) -> Outcome<()> {
        loop {
            self.task.stop.check()?;
            if self.pace.deadline.is_some_and(|deadline| self.pace.clock.now() >= deadline) {
                return match self.trouble.take() {
                    Some(failure) if more.connects == 0 => Err(failure),
                    _ => Ok(()),
                };
            }
            if self.args.max_tweets.is_some_and(|max| sink.ledger.consumed >= max) {
                return Ok(());
            }
            if self.until.is_some_and(|until| self.at.is_some_and(|at| at >= until)) {
                cursor.state.done = self.args.until.is_some();
                return Ok(());
            }
            match self.runtime.block_on(clock::next(&mut self.incoming, self.pace.clock.as_ref())) {
                Some(Event::Connected) => {
                    more.connects += 1;
                    (self.trouble, self.fresh, self.heard) = (None, true, self.pace.clock.now());
                }
                Some(Event::Lines { chunk, time_us }) => {
                    self.take(chunk, time_us, sink)?;
                }
                Some(Event::Lost(why)) => self.trouble = Some(why),
                Some(Event::Over(failure)) => return Err(failure),
                None if self.replayed(more.connects) => {
                    info!("Jetstream has nothing more");
                    return Ok(());
                }
                None => {}
            }
            if sink.held() >= PART_TWEETS
                || self.begun.is_some_and(|begun| self.pace.clock.now() - begun >= PART_AGE)
            {
                self.commit(cursor, sink)?;
            }
        }
    }

    /// Whether everything there was has come: the whole network is never silent for so long.
    fn replayed(&self, connects: u64) -> bool {
        let now = self.pace.clock.now();
        let connected = connects > 0 && self.trouble.is_none();
        // Once more after a reconnect, for a connection may stall while there is more.
        let patience = if self.fresh && connects > 1 { 1 } else { 3 };
        connected
            && self.until.is_some_and(|until| until <= now)
            && now - self.heard >= patience * micros(SILENCE)
    }

    fn take(&mut self, chunk: Chunk, time_us: Option<i64>, sink: &mut Sink<'_>) -> Outcome<()> {
        let now = self.pace.clock.now();
        self.batches += 1;
        self.begun.get_or_insert(now);
        sink.raw.receive("bluesky", now, &live::head(self.task, self.batches))?;
        sink.take(classify("jetstream", chunk, &self.wanted))?;
        if time_us > self.at {
            (self.at, self.fresh, self.heard) = (time_us, false, now);
        }
        Ok(())
    }

    fn commit(&mut self, cursor: &mut Cursor<'_, State>, sink: &mut Sink<'_>) -> Outcome<()> {
        sink.commit()?;
        self.begun = None;
        cursor.state.time_us = cursor.state.time_us.max(self.at);
        info!(consumed = sink.ledger.consumed, unmatched = sink.ledger.unmatched, "committed");
        cursor.save()
    }

    /// Commits what is held, and what was on its way.
    fn close(
        &mut self,
        ended: Outcome<()>,
        cursor: &mut Cursor<'_, State>,
        sink: &mut Sink<'_>,
    ) -> Outcome<()> {
        if ended.as_ref().is_err_and(|failure| matches!(failure.exit, Exit::Storage | Exit::Conflict)) {
            return ended;
        }
        while let Ok(event) = self.incoming.try_recv() {
            if let Event::Lines { chunk, time_us } = event {
                self.take(chunk, time_us, sink)?;
            }
        }
        self.commit(cursor, sink)?;
        ended
    }
}

/// The task that reads.
struct Reader {
    url: Url,
    pace: Pace,
    /// Where a connection begins.
    from: i64,
    events: mpsc::Sender<Event>,
}

impl Reader {
    async fn run(mut self) {
        if let Err(failure) = self.follow().await {
            let _ = self.events.send(Event::Over(failure)).await;
        }
    }

    async fn follow(&mut self) -> Outcome<()> {
        let mut backoff = Backoff::default();
        loop {
            let trouble = self.read(&mut backoff).await;
            if self.events.send(Event::Lost(give_up(&trouble))).await.is_err() {
                return Ok(());
            }
            self.pace.wait(&mut backoff, trouble).await?;
        }
    }

    /// Reads one connection to its end, and says why it ended.
    async fn read(&mut self, backoff: &mut Backoff) -> Trouble {
        provider();
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("wantedCollections", "app.bsky.feed.post")
            .append_pair("cursor", &self.from.to_string());
        let limits =
            WebSocketConfig::default().max_message_size(Some(VALUE_BYTES)).max_frame_size(Some(VALUE_BYTES));
        let connect = tokio_tungstenite::connect_async_with_config(url.as_str(), Some(limits), true);
        let mut socket = match self.pace.heard(connect).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(e)) => return trouble(&e),
            Err(silence) => return silence,
        };
        self.pace.reached.store(true, Relaxed);
        info!("connected to Jetstream");
        if self.events.send(Event::Connected).await.is_err() {
            return Trouble::Final(Failure::terminated());
        }
        let mut batch = Chunk::default();
        let mut number = 0;
        loop {
            // What is there already is gathered; nothing waits for more.
            let next = futures_util::future::poll_immediate(pin!(socket.next())).await;
            let message = match next {
                Some(message) => message,
                None => {
                    if let Err(trouble) = self.pass_on(&mut batch).await {
                        return trouble;
                    }
                    match self.pace.heard(socket.next()).await {
                        Ok(message) => message,
                        Err(silence) => {
                            let _ = socket.close(None).await;
                            return silence;
                        }
                    }
                }
            };
            match message {
                Some(Ok(Message::Text(text))) => {
                    *backoff = Backoff::default();
                    number += 1;
                    let start = batch.bytes.len();
                    batch.bytes.extend_from_slice(text.as_bytes());
                    batch.values.push(Value {
                        start,
                        end: batch.bytes.len(),
                        line: number,
                        offset: 0,
                        fault: None,
                    });
                    if batch.bytes.len() >= BATCH
                        && let Err(trouble) = self.pass_on(&mut batch).await
                    {
                        return trouble;
                    }
                }
                Some(Ok(Message::Ping(_))) => {
                    if socket.flush().await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Close(_))) | None => break,
                Some(Ok(_)) => {}
                Some(Err(e)) => {
                    let passed = self.pass_on(&mut batch).await;
                    return passed.err().unwrap_or_else(|| trouble(&e));
                }
            }
        }
        let passed = self.pass_on(&mut batch).await;
        passed.err().unwrap_or_else(|| Trouble::Network("Jetstream has closed the connection".into()))
    }

    async fn pass_on(&mut self, batch: &mut Chunk) -> Result<(), Trouble> {
        #[derive(Deserialize)]
        struct Moment {
            time_us: Option<i64>,
        }
        if batch.values.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(batch);
        let time = |value: &Value| {
            serde_json::from_slice::<Moment>(&chunk.bytes[value.start..value.end])
                .ok()
                .and_then(|event| event.time_us)
        };
        let time_us = chunk.values.iter().rev().find_map(time);
        if let Some(at) = time_us {
            self.from = self.from.max(at - REWIND);
        }
        let event = Event::Lines { chunk, time_us };
        self.events.send(event).await.map_err(|_| Trouble::Final(Failure::terminated()))
    }
}

/// What a failed exchange means.
fn trouble(error: &SocketError) -> Trouble {
    match error {
        SocketError::Http(answer) if answer.status().is_client_error() => {
            let status = answer.status().as_u16();
            if status == 429 || status == 408 {
                return Trouble::Server(format!("Jetstream answers {status}"));
            }
            Trouble::Final(
                Failure::new(Exit::Configuration, format!("Jetstream answers {status}"))
                    .hint("check --jetstream-url: it ends in /subscribe"),
            )
        }
        SocketError::Http(answer) => {
            Trouble::Server(format!("Jetstream answers {}", answer.status().as_u16()))
        }
        SocketError::Capacity(_) => {
            warn!("Jetstream sends a message above the cap");
            Trouble::Network("a message above the cap".into())
        }
        other => Trouble::Network(format!("no connection to Jetstream: {other}")),
    }
}

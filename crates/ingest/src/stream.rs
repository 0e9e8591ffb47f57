//! X's filtered stream. One task reads, another fills gaps by search, and the thread of the run keeps what comes.
//!
//! The channel between them is short: a slow lake slows the reading down, and X is told nothing but that.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lake::{Chunk, Fault, Value};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use task::{Exit, Failure, Outcome, Summary, Task};
use tokio::sync::mpsc;
use tracing::{info, warn};
use tweet::{Id, NoticeKind, Parsed, TWEET_BYTES};

use crate::Args;
use crate::classify::{Classified, End, classify};
use crate::clock::{self, span};
use crate::cursor::{Cursor, Day};
use crate::fields::{Dialect, parameters};
use crate::live::{self, Gap, More, Network};
use crate::money::{Answer, DEAREST_TWEET, Spend, Till, USUAL_TWEET};
use crate::net::{Api, Pace, network};
use crate::question::{self, RECENT_QUERY, queries, terms};
use crate::rules;
use crate::search::{LAG, RECENT, SECOND, checked};
use crate::sink::Sink;
use crate::trouble::{Backoff, Trouble};
use crate::wanted::Wanted;

const PATH: &str = "/2/tweets/search/stream";
/// A part ends with so many tweets, or so old: a crash costs that much, and what is on its way. X lets nobody have
/// more than 3 million tweets a month, so there are at most some thousand parts.
pub(crate) const PART_TWEETS: u64 = 1_000;
pub(crate) const PART_AGE: i64 = 60 * SECOND;
/// What was spent since the last commit is noted so often: if the run dies, the next one knows of it.
const NOTED: i64 = SECOND;
/// Batches between the network and the lake.
pub(crate) const AHEAD: usize = 4;
/// Who waits for the lake for half of so long is on the way to being called a slow reader by X.
const WATCHED: i64 = 10 * SECOND;
/// Warnings about that are so far apart.
const QUIET: i64 = 60 * SECOND;
/// X does not deliver in order: a gap begins so long before the last tweet and ends so long after the first.
const OVERLAP: i64 = 2 * SECOND;
/// Kept of a line that is too long.
const HEAD: usize = 64 << 10;
/// X grants 50 connects in a quarter of an hour.
const CONNECTS: usize = 45;
const WINDOW: i64 = 900 * SECOND;
/// What may be on its way when the money ends, if no more ever came at once.
const ON_ITS_WAY: u64 = 50 * USUAL_TWEET;

/// What the cursor of a stream holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    terms: Vec<String>,
    /// The greatest id that is committed; before that, the one before the first that ever came.
    last_id: Option<String>,
    /// Gaps that are still to be filled.
    holes: Vec<Hole>,
    spend: Day,
}

/// Ids between which tweets may be missing, both exclusive.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hole {
    since_id: u64,
    until_id: u64,
    /// How far its repair has come.
    query: usize,
    next_token: Option<String>,
    tweets: u64,
    /// The greatest id that search had.
    newest: Option<u64>,
}

/// What the tasks tell.
enum Event {
    Connected,
    /// `cut`: the end of the connection is the end of the last line.
    Lines {
        chunk: Chunk,
        foreign: u64,
        cut: bool,
    },
    Lost(Failure),
    Page {
        body: Vec<u8>,
        hole: Hole,
        done: bool,
    },
    Unrepaired {
        hole: Hole,
        why: Failure,
    },
    Over(Failure),
}

/// Streams.
pub(crate) fn run(args: &Args, task: &Task, pace: Pace) -> Outcome<Summary> {
    if args.since.is_some() || args.until.is_some() {
        return Err(Failure::new(Exit::Usage, "a stream has no --since and --until")
            .hint("give --for; --source search reads what has been"));
    }
    let terms = terms(args)?;
    let token = live::token(args.token_file.as_deref())?;
    let runtime = Network::start()?;
    let deadline = pace.deadline;
    // The reading task tries as long as the run lasts; the run itself knows when it ends.
    let api = Api::new(&args.api_url, token, Pace { deadline: None, ..pace.clone() })?;
    let lake = live::open(args)?;
    let mut cursor = Cursor::open(&lake, "stream", &terms.join("\n"), State::default)?;
    cursor.state.terms.clone_from(&terms);
    let now = pace.clock.now();
    let more = More { read_again: live::read_again(&cursor.state.spend), ..More::default() };
    let settled = cursor.state.spend.begin(now);
    let till = Arc::new(Till::new(args.max_spend_usd, settled));
    let rules = question::rules(&terms);
    let ours = runtime.block_on(rules::sync(&api, &rules))?;

    let (events, incoming) = mpsc::channel(AHEAD);
    let (holes, to_fill) = mpsc::unbounded_channel();
    let reader = Reader {
        api: api.clone(),
        rules,
        ours,
        till: till.clone(),
        events: events.clone(),
        connects: VecDeque::new(),
        most: ON_ITS_WAY,
        pressure: Pressure::default(),
    };
    let repair = Repair {
        api: api.paced(pace),
        dialect: args.dialect,
        queries: queries(&terms, RECENT_QUERY),
        till: till.clone(),
        events,
    };
    let reading = runtime.spawn(reader.run());
    let filling = runtime.spawn(repair.run(to_fill));
    let mut stream = Stream {
        args,
        task,
        runtime,
        api,
        deadline,
        till,
        cursor,
        sink: Sink::new(args, task, &lake, "stream"),
        more,
        noted: now,
        settled,
        holes,
        filling: 0,
        incoming,
        batches: 0,
        begun: None,
        last: None,
        fresh: false,
        connected_at: now,
        trouble: None,
    };
    stream.last = stream.cursor.state.last_id.as_deref().and_then(|id| id.parse().ok());
    for hole in stream.cursor.state.holes.clone() {
        stream.fill(hole);
    }
    let mut ended = stream.read();
    reading.abort();
    if ended.is_ok() {
        ended = stream.repaired();
    }
    filling.abort();
    ended = stream.close(ended);
    stream.more.spend = Some(stream.till.paid().into());
    live::end(stream.sink, ended, stream.more)
}

/// The run's own thread: it keeps what comes.
struct Stream<'a> {
    args: &'a Args,
    task: &'a Task,
    runtime: Network,
    api: Api,
    deadline: Option<i64>,
    till: Arc<Till>,
    cursor: Cursor<'a, State>,
    sink: Sink<'a>,
    more: More,
    /// When the cursor was saved last.
    noted: i64,
    /// Spent this day when everything was committed.
    settled: u64,
    holes: mpsc::UnboundedSender<Hole>,
    /// Gaps given to the task that fills them.
    filling: usize,
    incoming: mpsc::Receiver<Event>,
    batches: u64,
    /// When the first tweet that is not committed came.
    begun: Option<i64>,
    /// The greatest id so far.
    last: Option<u64>,
    /// Connected, and no tweet has come since.
    fresh: bool,
    connected_at: i64,
    /// Why there is no connection.
    trouble: Option<Failure>,
}

impl Stream<'_> {
    fn now(&self) -> i64 {
        self.api.pace.clock.now()
    }

    /// Takes what comes until the run shall end.
    fn read(&mut self) -> Outcome<()> {
        loop {
            self.task.stop.check()?;
            if self.deadline.is_some_and(|deadline| self.now() >= deadline) {
                // A source that was never there is no success.
                return match self.trouble.take() {
                    Some(failure) if self.more.connects == 0 => Err(failure),
                    _ => Ok(()),
                };
            }
            if self.args.max_tweets.is_some_and(|max| self.sink.ledger.consumed >= max) {
                return Ok(());
            }
            if let Some(event) = self.next() {
                self.take(event)?;
            }
            if self.due() {
                self.commit()?;
            } else if self.now() - self.noted >= NOTED && self.till.today() > self.settled {
                self.note()?;
            }
        }
    }

    fn next(&mut self) -> Option<Event> {
        self.runtime.block_on(clock::next(&mut self.incoming, self.api.pace.clock.as_ref()))
    }

    fn due(&self) -> bool {
        let held = self.sink.held();
        held >= PART_TWEETS || self.begun.is_some_and(|begun| self.now() - begun >= PART_AGE)
    }

    fn take(&mut self, event: Event) -> Outcome<()> {
        match event {
            Event::Connected => {
                self.more.connects += 1;
                (self.fresh, self.connected_at, self.trouble) = (true, self.now(), None);
            }
            Event::Lines { chunk, foreign, cut } => {
                let now = self.now();
                self.batches += 1;
                self.begun.get_or_insert(now);
                self.sink.raw.receive("stream", now, &live::head(self.task, self.batches))?;
                let mut classified = classify("stream", chunk, &Wanted::everything());
                self.look(&classified);
                self.begin(&classified)?;
                classified.unmatched(foreign);
                if cut {
                    self.sink.broken_off += classified.rejected();
                }
                self.sink.take(classified)?;
            }
            Event::Lost(why) => self.trouble = Some(why),
            Event::Page { body, mut hole, done } => {
                let now = self.now();
                self.batches += 1;
                self.more.requests += 1;
                self.sink.raw.receive("repair", now, &live::head(self.task, self.batches))?;
                let before = self.sink.ledger.consumed;
                let classified = classify("repair", live::chunk(body), &Wanted::everything());
                let newest = ids(&classified).max();
                self.sink.take(classified)?;
                let earlier = self.cursor.state.holes.iter().find(|h| h.until_id == hole.until_id);
                hole.tweets = earlier.map_or(0, |h| h.tweets) + self.sink.ledger.consumed - before;
                hole.newest = earlier.and_then(|h| h.newest).max(newest);
                self.cursor.state.holes.retain(|h| h.until_id != hole.until_id);
                if done {
                    self.filling -= 1;
                    // Up to here all is read, also where the stream stays silent.
                    self.last = self.last.max(hole.newest);
                    self.more.gaps.push(hole.gap(true, "no connection; search has no retweets"));
                    info!(tweets = hole.tweets, "a gap is repaired");
                } else {
                    self.cursor.state.holes.push(hole);
                }
                self.commit()?;
            }
            Event::Unrepaired { hole, why } => {
                self.filling -= 1;
                if why.exit == Exit::Limit {
                    return Err(why);
                }
                warn!("a gap cannot be repaired now: {}", why.message);
                self.more.gaps.push(hole.gap(false, "search failed; the next run tries again"));
            }
            Event::Over(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Notes ids; after a connect, what lies between the last one and the first new one is a gap.
    fn look(&mut self, classified: &Classified) {
        for id in ids(classified) {
            // A copy of what came before tells nothing of the gap.
            if self.fresh && self.last.is_none_or(|last| last < id) {
                self.fresh = false;
                if let Some(last) = self.last {
                    self.gap(last, id);
                }
            }
            self.last = self.last.max(Some(id));
        }
    }

    /// Notes where the first stream of all began: if it dies before it commits anything, the next one knows from where on
    /// to search.
    fn begin(&mut self, classified: &Classified) -> Outcome<()> {
        let (None, Some(first)) = (&self.cursor.state.last_id, ids(classified).min()) else { return Ok(()) };
        self.cursor.state.last_id = Some(first.saturating_sub(1).to_string());
        self.cursor.save()
    }

    fn gap(&mut self, last: u64, first: u64) {
        let time = |id: u64| Id::X(id).time().unwrap_or(0);
        let until_id = id_at(time(first) + OVERLAP);
        let earliest = self.now() - RECENT;
        let mut since = time(last) - OVERLAP;
        if since < earliest {
            let end = earliest.min(time(until_id));
            warn!("the stream was away for longer than search goes back: some of it is lost");
            self.more.gaps.push(Gap::lost(since, end, "older than recent search goes back"));
            since = earliest;
        }
        let since_id = id_at(since);
        if since_id >= until_id {
            return;
        }
        let hole = Hole { since_id, until_id, query: 0, next_token: None, tweets: 0, newest: None };
        self.cursor.state.holes.push(hole.clone());
        self.fill(hole);
    }

    fn fill(&mut self, hole: Hole) {
        // The task ends after this thread.
        self.filling += usize::from(self.holes.send(hole).is_ok());
    }

    fn commit(&mut self) -> Outcome<()> {
        self.sink.commit()?;
        self.begun = None;
        self.cursor.state.last_id = self.last.map(|id| id.to_string());
        self.settled = self.till.today();
        self.note()
    }

    /// Saves the cursor, and in it what was spent by now, committed or not.
    fn note(&mut self) -> Outcome<()> {
        self.noted = self.now();
        let open = self.till.today() - self.settled;
        self.cursor.state.spend.set(self.noted, self.settled, open);
        self.cursor.save()
    }

    /// Waits for the gaps that can be filled now.
    fn repaired(&mut self) -> Outcome<()> {
        if let (true, Some(last)) = (std::mem::take(&mut self.fresh), self.last) {
            // Nothing has come since the connect.
            self.gap(last, id_at(self.connected_at));
        }
        while self.filling > 0 {
            self.task.stop.check()?;
            match self.next() {
                // What was read before the end is kept as well.
                Some(event) => self.take(event)?,
                None if self.incoming.is_closed() => break,
                None => {}
            }
        }
        Ok(())
    }

    /// Commits what is held, and what was on its way.
    fn close(&mut self, ended: Outcome<()>) -> Outcome<()> {
        if ended
            .as_ref()
            .is_err_and(|failure| failure.exit == Exit::Storage || failure.exit == Exit::Conflict)
        {
            return ended;
        }
        while let Ok(event) = self.incoming.try_recv() {
            if matches!(event, Event::Lines { .. } | Event::Page { .. }) {
                self.take(event)?;
            }
        }
        self.commit()?;
        ended
    }
}

impl Hole {
    fn gap(&self, repaired: bool, why: &'static str) -> Gap {
        let time = |id: u64| Id::X(id).time().unwrap_or(0);
        let lost = Gap::lost(time(self.since_id), time(self.until_id), why);
        Gap { repaired, tweets: self.tweets, ..lost }
    }
}

/// X's ids among what was read.
fn ids(classified: &Classified) -> impl Iterator<Item = u64> {
    classified.ends.iter().filter_map(|end| match end {
        End::Line(line) => match line.id {
            Id::X(id) => Some(id),
            Id::Uri(_) => None,
        },
        _ => None,
    })
}

/// The least id of an instant.
fn id_at(micros: i64) -> u64 {
    const EPOCH_MS: i64 = 1_288_834_974_657;
    u64::try_from(micros.div_euclid(1_000) - EPOCH_MS).map_or(0, |ms| ms << 22)
}

/// The task that reads.
struct Reader {
    api: Api,
    rules: Vec<String>,
    /// Ids of our rules; what matches only others is not ours.
    ours: BTreeSet<String>,
    till: Arc<Till>,
    events: mpsc::Sender<Event>,
    connects: VecDeque<i64>,
    /// The most that came at once, in money: as much may come when the money ends.
    most: u64,
    pressure: Pressure,
}

/// How long the reading waits for the lake, which is slower.
#[derive(Default)]
struct Pressure {
    /// Since when waits are summed up, and their sum.
    since: i64,
    waited: i64,
    told: Option<i64>,
}

impl Pressure {
    /// How much longer it may wait before that is worth a word.
    fn bearable(&mut self, now: i64) -> Duration {
        if now - self.since >= WATCHED {
            (self.since, self.waited) = (now, 0);
        }
        span(WATCHED / 2 - self.waited)
    }

    /// Whether to say so now.
    fn tell(&mut self, now: i64) -> bool {
        let now_is_the_time = self.told.is_none_or(|told| now - told >= QUIET);
        if now_is_the_time {
            self.told = Some(now);
        }
        now_is_the_time
    }
}

impl Reader {
    async fn run(mut self) {
        if let Err(failure) = self.follow().await {
            let _ = self.events.send(Event::Over(failure)).await;
        }
    }

    /// Connects, reads, and connects again.
    async fn follow(&mut self) -> Outcome<()> {
        let mut backoff = Backoff::default();
        let mut synced = false;
        loop {
            if self.till.left() < self.most {
                return Err(live::out_of_money(self.till.limit()));
            }
            self.take_turn().await?;
            let trouble = match self.api.open(PATH, &parameters(Dialect::Tweet)).await {
                Ok(answer) => {
                    info!("connected to the stream");
                    if self.events.send(Event::Connected).await.is_err() {
                        return Ok(());
                    }
                    self.read(answer, &mut backoff, &mut synced).await?
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::NoRules if !synced => {
                    synced = true;
                    self.ours = rules::sync(&self.api, &self.rules).await?;
                    continue;
                }
                Trouble::Connections if backoff.connections() == 3 => {
                    warn!("an earlier connection still counts: asking X to close this app's streams");
                    if let Err(trouble) = self.api.close_streams().await {
                        warn!("X does not close them: {trouble}");
                    }
                }
                _ => {}
            }
            let lost = crate::trouble::give_up(&trouble);
            if self.events.send(Event::Lost(lost)).await.is_err() {
                return Ok(());
            }
            self.api.pace.wait(&mut backoff, trouble).await?;
        }
    }

    /// Waits while X would count too many connects.
    async fn take_turn(&mut self) -> Outcome<()> {
        let pace = &self.api.pace;
        while self.connects.len() >= CONNECTS {
            let wait = span(self.connects[0] + WINDOW - pace.clock.now());
            if !wait.is_zero() {
                warn!(seconds = wait.as_secs(), "too many connects in a quarter of an hour; waiting");
                pace.unless_stopped(pace.clock.wait(wait)).await?;
            }
            self.connects.pop_front();
        }
        self.connects.push_back(pace.clock.now());
        Ok(())
    }

    /// Reads one connection to its end, and says why it ended.
    async fn read(
        &mut self,
        mut answer: Response,
        backoff: &mut Backoff,
        synced: &mut bool,
    ) -> Outcome<Trouble> {
        let mut lines = Lines::default();
        let trouble = loop {
            let chunk = match self.api.pace.heard(answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break Trouble::Network("X has closed the stream".into()),
                Ok(Err(e)) => break network(e, "the stream broke off"),
                Err(silence) => break silence,
            };
            // Only bytes show that it works: a status of 200 may be followed by nothing.
            (*backoff, *synced) = (Backoff::default(), false);
            let batch = lines.add(&chunk);
            let closing = self.pass_on(batch, false).await?;
            if self.till.left() < self.most {
                return Err(live::out_of_money(self.till.limit()));
            }
            if let Some(trouble) = closing {
                break trouble;
            }
        };
        // A line that was cut is told as such.
        let rest = lines.rest();
        self.pass_on(rest, true).await?;
        Ok(trouble)
    }

    /// Bills lines and passes them on. A message that closes the stream is the answer.
    async fn pass_on(&mut self, mut batch: Chunk, cut: bool) -> Outcome<Option<Trouble>> {
        if batch.values.is_empty() {
            return Ok(None);
        }
        let (mut foreign, mut closing, mut spend) = (0, None, Spend::default());
        let bytes = std::mem::take(&mut batch.bytes);
        batch.values.retain(|value| {
            let line = &bytes[value.start..value.end];
            let Ok(answer) = serde_json::from_slice::<Answer<'_>>(line) else { return true };
            if answer.data.is_none() {
                closing = closing.take().or_else(|| closes(line));
                return true;
            }
            spend.add(Spend::of(&answer));
            let rules = answer.matching_rules.as_deref().unwrap_or_default();
            let ours = rules.is_empty() || rules.iter().any(|rule| self.ours.contains(rule.id()));
            foreign += u64::from(!ours);
            ours
        });
        batch.bytes = bytes;
        self.till.pay(spend);
        self.most = self.most.max(spend.micro_usd);
        if matches!(closing, Some(Closing::Rules)) {
            self.ours = rules::sync(&self.api, &self.rules).await?;
        }
        let event = Event::Lines { chunk: batch, foreign, cut };
        let clock = &self.api.pace.clock;
        let began = clock.now();
        let mut sending = std::pin::pin!(self.events.send(event));
        let sent = match tokio::time::timeout(self.pressure.bearable(began), &mut sending).await {
            Ok(sent) => sent,
            Err(_) => {
                if self.pressure.tell(clock.now()) {
                    warn!("the lake takes tweets slower than X sends them; X will disconnect a slow reader");
                }
                sending.await
            }
        };
        self.pressure.waited += clock.now() - began;
        match sent {
            Ok(()) => Ok(closing.map(Trouble::from)),
            // The run has ended.
            Err(_) => Err(Failure::terminated()),
        }
    }
}

/// What a message that closes the stream asks for.
enum Closing {
    Again(String),
    Rules,
}

impl From<Closing> for Trouble {
    fn from(closing: Closing) -> Self {
        Self::Network(match closing {
            Closing::Again(kind) => format!("X disconnects the stream ({kind})"),
            Closing::Rules => "X disconnects the stream (InvalidRules)".into(),
        })
    }
}

/// Whether a line is such a message.
fn closes(line: &[u8]) -> Option<Closing> {
    #[derive(Deserialize)]
    struct Message {
        disconnect_type: Option<String>,
        #[serde(default)]
        errors: Vec<Message>,
    }
    let Ok(Parsed::Notices(notices)) = tweet::parse_bytes(line) else { return None };
    if !notices.iter().any(|notice| notice.kind == NoticeKind::Disconnect) {
        return None;
    }
    let message: Option<Message> = serde_json::from_slice(line).ok();
    let kind =
        message.and_then(|m| m.disconnect_type.or(m.errors.into_iter().find_map(|e| e.disconnect_type)));
    Some(match kind.as_deref() {
        Some("InvalidRules") => Closing::Rules,
        Some("SlowReader") => {
            warn!("X says that we read too slowly");
            Closing::Again("SlowReader".into())
        }
        Some(kind) if kind.bytes().all(|b| b.is_ascii_alphanumeric()) => Closing::Again(kind.to_owned()),
        _ => Closing::Again("no reason".into()),
    })
}

/// Bytes as they come, into whole lines.
#[derive(Default)]
struct Lines {
    /// The beginning of a line.
    held: Vec<u8>,
    /// How long that line is, kept or not.
    length: u64,
    number: u64,
    offset: u64,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) -> Chunk {
        let mut chunk = Chunk::default();
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            self.hold(&rest[..at]);
            self.end(&mut chunk);
            self.offset += 1;
            rest = &rest[at + 1..];
        }
        self.hold(rest);
        chunk
    }

    /// What has no end yet, when there will be none.
    fn rest(&mut self) -> Chunk {
        let mut chunk = Chunk::default();
        self.end(&mut chunk);
        chunk
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let room = (TWEET_BYTES + 1).saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, chunk: &mut Chunk) {
        let too_long = self.length > TWEET_BYTES as u64;
        if too_long {
            self.held.truncate(HEAD);
        }
        self.number += 1;
        let line = self.held.trim_ascii();
        if !line.is_empty() {
            let start = chunk.bytes.len();
            chunk.bytes.extend_from_slice(line);
            let fault = too_long.then_some(Fault::TooLong { length: self.length });
            chunk.values.push(Value {
                start,
                end: chunk.bytes.len(),
                line: self.number,
                offset: self.offset,
                fault,
            });
        }
        self.offset += self.length;
        self.length = 0;
        self.held.clear();
    }
}

/// The task that fills gaps.
struct Repair {
    api: Api,
    dialect: Dialect,
    queries: Vec<String>,
    till: Arc<Till>,
    events: mpsc::Sender<Event>,
}

impl Repair {
    async fn run(self, mut holes: mpsc::UnboundedReceiver<Hole>) {
        while let Some(mut hole) = holes.recv().await {
            if let Err(why) = self.fill(&mut hole).await
                && self.events.send(Event::Unrepaired { hole, why }).await.is_err()
            {
                return;
            }
        }
    }

    async fn fill(&self, hole: &mut Hole) -> Outcome<()> {
        let pace = &self.api.pace;
        let indexed = Id::X(hole.until_id).time().unwrap_or(0) + LAG;
        let wait = indexed - pace.clock.now();
        if wait > 0 {
            if pace.deadline.is_some_and(|deadline| indexed > deadline) {
                return Err(Failure::new(Exit::SourceUnavailable, "the run ends before search has it"));
            }
            pace.unless_stopped(pace.clock.wait(span(wait))).await?;
        }
        while let Some(query) = self.queries.get(hole.query) {
            // The stream goes on meanwhile, and spends of the same.
            let affordable = self.till.left() / 2 / DEAREST_TWEET;
            if affordable < 10 {
                return Err(live::out_of_money(self.till.limit()));
            }
            let size = affordable.min(100);
            let _held = self.till.hold(size * DEAREST_TWEET);
            let size = size.to_string();
            let (since, until) = (hole.since_id.to_string(), hole.until_id.to_string());
            let body = pace
                .patiently(|| async {
                    let mut asked = vec![
                        ("query", query.as_str()),
                        ("since_id", since.as_str()),
                        ("until_id", until.as_str()),
                        ("max_results", size.as_str()),
                    ];
                    asked.extend(parameters(self.dialect));
                    asked.extend(hole.next_token.as_deref().map(|token| ("next_token", token)));
                    self.api.get("/2/tweets/search/recent", &asked).await.and_then(checked)
                })
                .await?;
            let mut next = None;
            if let Ok(answer) = serde_json::from_slice::<Answer<'_>>(&body) {
                self.till.pay(Spend::of(&answer));
                next = answer.meta.and_then(|meta| meta.next_token);
            }
            if next.is_some() && next == hole.next_token {
                return Err(Failure::new(Exit::SourceUnavailable, "X leads from page to page in a circle"));
            }
            hole.query += usize::from(next.is_none());
            hole.next_token = next;
            let done = hole.query == self.queries.len();
            if self.events.send(Event::Page { body, hole: hole.clone(), done }).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

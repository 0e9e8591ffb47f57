//! The websocket `GET /subscribe` of Jetstream v1.

use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::clock::{Millis, id_time};
use crate::events::{Event, events, first_at};
use crate::faults::{Cut, Step};
use crate::ledger::Served;
use crate::params::{Invalid, Params};
use crate::server::{Head, Pace, Server};
use crate::wire::Fuse;

/// Events older than this are not kept; an older cursor is moved up without a word.
const LOOKBACK_US: i64 = 36 * 3_600 * 1_000_000;
const PING_EVERY: Millis = 30_000;
/// Events written before they are sent, if there are so many at once.
const TOGETHER: usize = 64;

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// What a subscriber wants; it may change its mind by `options_update`.
#[derive(Clone, Debug, Default)]
struct Filter {
    collections: Vec<String>,
    dids: Vec<String>,
    max_bytes: usize,
}

impl Filter {
    fn checked(self) -> Result<Self, Invalid> {
        if self.collections.len() > 100 || self.dids.len() > 10_000 {
            return Err(Invalid::new("at most 100 wantedCollections and 10,000 wantedDids"));
        }
        let wrong = self.collections.iter().find(|name| !is_collection(name));
        wrong.map_or(Ok(()), |name| Err(Invalid::new(format!("invalid collection: {name}"))))?;
        Ok(self)
    }

    fn wants(&self, event: &Event) -> bool {
        let collection = event.collection.is_empty()
            || self.collections.is_empty()
            || self.collections.iter().any(|name| match name.strip_suffix('*') {
                Some(prefix) => event.collection.starts_with(prefix),
                None => event.collection == name,
            });
        let did = self.dids.is_empty() || self.dids.contains(&event.did);
        collection && did && (self.max_bytes == 0 || event.json.len() <= self.max_bytes)
    }
}

/// A name such as `app.bsky.feed.post` or `app.bsky.feed.*`.
fn is_collection(name: &str) -> bool {
    let plain = name.strip_suffix(".*").unwrap_or(name);
    plain.contains('.')
        && plain.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'-')
        })
}

/// A checked request.
pub(crate) struct Subscription {
    filter: Filter,
    cursor: Option<i64>,
    hello: bool,
    opened: Millis,
}

impl Subscription {
    /// Reads the query of a request made at `opened`. `socket_encoding` is the header of that name.
    pub fn parse(params: &Params, socket_encoding: Option<&str>, opened: Millis) -> Result<Self, Invalid> {
        params.check_names(&[
            "wantedCollections",
            "wantedDids",
            "cursor",
            "maxMessageSizeBytes",
            "compress",
            "requireHello",
        ])?;
        if params.get("compress") == Some("true")
            || socket_encoding.is_some_and(|value| value.contains("zstd"))
        {
            return Err(Invalid::new("compression is not offered here").of("compress", "true"));
        }
        let all = |name: &str| {
            params.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
        };
        let number = |name: &str| match params.get(name) {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| Invalid::new(format!("{name} is not a number")).of(name, text)),
        };
        let max_bytes =
            number("maxMessageSizeBytes")?.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let filter =
            Filter { collections: all("wantedCollections"), dids: all("wantedDids"), max_bytes }.checked()?;
        Ok(Self {
            filter,
            cursor: number("cursor")?,
            hello: params.get("requireHello") == Some("true"),
            opened,
        })
    }
}

/// Serves one subscriber until either side ends.
pub(crate) async fn run(
    server: Arc<Server>,
    upgrade: OnUpgrade,
    wish: Subscription,
    script: Vec<Step>,
    fuse: Fuse,
) {
    let Ok(upgraded) = upgrade.await else { return };
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (sink, source) = socket.split();
    let (filter, mut filters) = watch::channel(wish.filter);
    let listener = listen(source, filter);
    let serve = async {
        if wish.hello && filters.changed().await.is_err() {
            return;
        }
        let now = server.clock.now();
        let next = match wish.cursor.filter(|cursor| *cursor <= now * 1_000) {
            Some(cursor) => first_at(&server.corpus, cursor.max(now * 1_000 - LOOKBACK_US)),
            None => server.live(Head::Bluesky),
        };
        let from = wish.cursor.unwrap_or(i64::MIN);
        let mut feed = Feed {
            server: &server,
            sink,
            filters,
            next,
            from,
            ready: Vec::new(),
            written: Vec::new(),
            last: wish.opened,
            fuse,
        };
        if feed.follow(script).await.is_none() {
            tracing::debug!("a Jetstream subscriber has gone");
        }
    };
    // Whoever ends first ends the other: a closed socket ends the feed, and the feed's end closes the socket.
    tokio::select! { () = listener => {}, () = serve => {} }
}

/// Takes what the client says, until it leaves or says something invalid.
async fn listen(mut source: SplitStream<Socket>, filter: watch::Sender<Filter>) {
    while let Some(Ok(message)) = source.next().await {
        let Message::Text(text) = message else { continue };
        let Some(update) = read_update(&text) else { return };
        filter.send_replace(update);
    }
}

fn read_update(text: &str) -> Option<Filter> {
    let message: Value = serde_json::from_str(text).ok()?;
    if message.get("type")? != "options_update" {
        return None;
    }
    let payload = message.get("payload")?;
    let list = |name: &str| -> Vec<String> {
        let all = payload.get(name).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let max_bytes = payload
        .get("maxMessageSizeBytes")
        .and_then(Value::as_u64)
        .and_then(|bytes| usize::try_from(bytes).ok());
    Filter {
        collections: list("wantedCollections"),
        dids: list("wantedDids"),
        max_bytes: max_bytes.unwrap_or(0),
    }
    .checked()
    .ok()
}

struct Feed<'a> {
    server: &'a Arc<Server>,
    sink: SplitSink<Socket, Message>,
    filters: watch::Receiver<Filter>,
    next: usize,
    /// The cursor: events before it are not wanted.
    from: i64,
    /// Events of the tweet before `next` that are still to be sent, newest first.
    ready: Vec<Event>,
    /// Posts that the socket's buffer may still hold.
    written: Vec<Served>,
    /// When the last message was sent.
    last: Millis,
    fuse: Fuse,
}

impl Feed<'_> {
    /// The script, then business as usual. `None`: the client has gone.
    async fn follow(&mut self, script: Vec<Step>) -> Option<()> {
        for step in script {
            match step {
                Step::KeepAlives { count, every } => {
                    for _ in 0..count {
                        self.pass(every).await;
                        self.say(Message::Ping(Vec::new().into())).await?;
                    }
                }
                Step::Silence { seconds } => self.pass(seconds).await,
                Step::Cut(cut) | Step::HalfThen(cut) | Step::PartThen { cut, .. } => {
                    return self.cut(cut).await;
                }
                Step::End => {
                    self.say(Message::Close(None)).await?;
                    // The listener ends when the client has answered.
                    std::future::pending().await
                }
                Step::Message(value) => self.say(Message::text(value.to_string())).await?,
                Step::Line(text) => self.say(Message::text(text)).await?,
                Step::Oversize { bytes } => {
                    self.say(Message::text(format!(r#"{{"padding":"{}"}}"#, "x".repeat(bytes)))).await?
                }
                Step::Miss(count) => {
                    for _ in 0..count {
                        self.one().await?;
                    }
                }
                Step::Repeat(tweets) => {
                    self.next = self.next.saturating_sub(tweets);
                    self.ready.clear();
                }
                Step::Tweets(count) | Step::Together(count) => self.some(count).await?,
                other => tracing::warn!(?other, "this step means nothing on Jetstream"),
            }
        }
        self.some(usize::MAX).await
    }

    async fn some(&mut self, count: usize) -> Option<()> {
        for number in 0..count {
            let event = self.one().await?;
            self.written.push(Served::posts(&self.server.ledger, event.post.into_iter().collect()));
            self.last = self.server.clock.now();
            self.sink.feed(Message::text(event.json)).await.ok()?;
            if number + 1 == count || self.written.len() == TOGETHER {
                self.flush().await?;
            }
        }
        Some(())
    }

    async fn flush(&mut self) -> Option<()> {
        self.sink.flush().await.ok()?;
        self.written.drain(..).for_each(|mut served| served.count());
        Some(())
    }

    /// The next event that is wanted.
    async fn one(&mut self) -> Option<Event> {
        loop {
            while let Some(event) = self.ready.pop() {
                if event.time_us >= self.from && self.filters.borrow().wants(&event) {
                    return Some(event);
                }
            }
            let clock = &self.server.clock;
            let due = self.server.corpus.tweets.get(self.next).map(|tweet| id_time(tweet.id));
            match (due, self.server.settings.pace) {
                (None, _) => self.idle(Millis::MAX).await?,
                (Some(at), Pace::Clock) if at > clock.now() => self.idle(at).await?,
                (Some(_), pace) => {
                    self.server.pass(Head::Bluesky, self.next);
                    self.ready = events(&self.server.corpus, self.next);
                    self.ready.reverse();
                    self.next += 1;
                    if let Pace::Rate(each_second) = pace {
                        self.flush().await?;
                        tokio::time::sleep(std::time::Duration::from_secs_f64(1.0 / each_second.max(0.001)))
                            .await;
                    }
                }
            }
        }
    }

    /// Waits for a time, with a ping every half minute.
    async fn idle(&mut self, at: Millis) -> Option<()> {
        self.flush().await?;
        let clock = &self.server.clock;
        let ping = self.last + PING_EVERY;
        clock.until(at.min(ping)).await;
        if clock.now() >= ping { self.say(Message::Ping(Vec::new().into())).await } else { Some(()) }
    }

    /// Lets so many seconds of the double's clock go by, counted from the last message.
    async fn pass(&mut self, seconds: u32) {
        let clock = &self.server.clock;
        clock.until(self.last + 1_000 * Millis::from(seconds)).await;
        self.last = clock.now();
    }

    async fn say(&mut self, message: Message) -> Option<()> {
        self.last = self.server.clock.now();
        self.sink.send(message).await.ok()
    }

    async fn cut(&mut self, cut: Cut) -> Option<()> {
        match cut {
            Cut::Eof => {}
            Cut::Reset => self.fuse.reset(),
            Cut::Stall => std::future::pending().await,
        }
        Some(())
    }
}

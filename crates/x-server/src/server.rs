//! One request in, one answer out: authorization, limits, faults, and the way to the endpoints.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::clock::{Clock, Millis, id_time};
use crate::connections::{self, Connections};
use crate::control;
use crate::corpus::Corpus;
use crate::faults::{Act, Cut, Endpoint, Faults, RateHeaders, Refusal, Step};
use crate::jetstream::{self, Subscription};
use crate::ledger::{self, Ledger, Served};
use crate::limits::{Buckets, Limits, Rate};
use crate::names::Dialect;
use crate::params::{Invalid, Params};
use crate::problem::Problem;
use crate::query::{Place, Query};
use crate::rules::{self, Rules};
use crate::search;
use crate::stream::{self, Wish};
use crate::usage;
use crate::wire::{Body, Fuse};

/// How fast live tweets come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// As fast as the client reads; the double's clock is carried along to each tweet's time.
    #[default]
    Flood,
    /// Each when the double's clock reaches its time.
    Clock,
    /// So many a second of real time; the clock is carried along.
    Rate(f64),
}

/// What the builder was told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub token: String,
    pub dialect: Dialect,
    pub accepted: Option<Dialect>,
    pub limits: Limits,
    pub pace: Pace,
    pub keep_alive: Millis,
    pub linger: Millis,
    pub replace_connections: bool,
    pub enterprise: bool,
    pub search_retweets: bool,
}

/// The state behind every connection.
pub(crate) struct Server {
    pub settings: Settings,
    pub corpus: Corpus,
    pub clock: Clock,
    pub ledger: Arc<Ledger>,
    pub faults: Arc<Faults>,
    pub buckets: Buckets,
    pub rules: Rules,
    pub connections: Connections,
    /// The first tweet that no X stream, and none that no Jetstream, has been given.
    pub heads: [AtomicUsize; 2],
}

/// The two things that move a head.
#[derive(Clone, Copy)]
pub(crate) enum Head {
    X,
    Bluesky,
}

/// A good answer before it becomes HTTP.
pub(crate) struct Reply {
    pub body: Bytes,
    pub served: Served,
}

impl Reply {
    pub fn json(body: Bytes, served: Served) -> Self {
        Self { body, served }
    }
}

/// Why there is no good answer.
enum Refused {
    Invalid(Invalid),
    Because(Refusal),
    NotFound,
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// What a connection does with a request.
enum Outcome {
    Answer(Response<Body>),
    /// The connection ends without an answer.
    Silence(Cut),
}

const STREAM_PATH: &str = "/2/tweets/search/stream";

fn endpoint(method: &Method, path: &str) -> Endpoint {
    match (method.as_str(), path) {
        ("GET", "/2/tweets/search/recent") => Endpoint::SearchRecent,
        ("GET", "/2/tweets/search/all") => Endpoint::SearchAll,
        ("GET", "/2/tweets/counts/recent") => Endpoint::CountsRecent,
        ("GET", "/2/tweets/counts/all") => Endpoint::CountsAll,
        ("GET", STREAM_PATH) => Endpoint::Stream,
        ("GET", "/2/tweets/search/stream/rules") => Endpoint::Rules,
        ("POST", "/2/tweets/search/stream/rules") => Endpoint::RulesChange,
        ("GET", "/2/tweets/search/stream/rules/counts") => Endpoint::RulesCounts,
        ("GET" | "DELETE", "/2/connections") => Endpoint::Connections,
        ("DELETE", path) if path.starts_with("/2/connections/") => Endpoint::Connections,
        ("GET", "/2/usage/tweets") => Endpoint::Usage,
        ("GET", "/subscribe") => Endpoint::Jetstream,
        _ => Endpoint::Any,
    }
}

impl Server {
    /// Answers one request.
    ///
    /// # Errors
    /// On request: hyper then ends the connection without an answer.
    pub async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        fuse: Fuse,
    ) -> io::Result<Response<Body>> {
        if request.uri().path().starts_with("/_control/") {
            return Ok(control::serve(&self, request).await);
        }
        let endpoint = endpoint(request.method(), request.uri().path());
        let params = Params::parse(request.uri().query());
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let now = self.clock.now();
        let number = self.ledger.requested(ledger::Request {
            endpoint,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: params.0.clone(),
            at: now,
            authorized: request.headers().contains_key(header::AUTHORIZATION),
            user_agent: header("user-agent"),
            status: None,
        });
        match self.outcome(endpoint, &params, request, now, &fuse).await {
            Outcome::Answer(response) => {
                self.ledger.answered(number, response.status().as_u16());
                Ok(response)
            }
            Outcome::Silence(cut) => {
                match cut {
                    Cut::Eof => {}
                    Cut::Reset => fuse.reset(),
                    Cut::Stall => std::future::pending().await,
                }
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "dropped on request"))
            }
        }
    }

    async fn outcome(
        self: &Arc<Self>,
        endpoint: Endpoint,
        params: &Params,
        request: Request<Incoming>,
        now: Millis,
        fuse: &Fuse,
    ) -> Outcome {
        let act = self.faults.take(endpoint);
        let mut rate_headers = RateHeaders::True;
        match &act {
            Some(Act::Refuse { with, rate }) => {
                let untouched =
                    matches!(with, Refusal::OnePerSecond | Refusal::UsageCapped | Refusal::CreditsDepleted);
                return Outcome::Answer(self.refuse(*with, *rate, untouched));
            }
            Some(Act::Redirect(to)) => return Outcome::Answer(redirect(to, request.uri())),
            Some(Act::Drop(cut)) => return Outcome::Silence(*cut),
            Some(Act::Hang { seconds }) => self.clock.until(now + 1_000 * Millis::from(*seconds)).await,
            Some(Act::Rate(odd)) => rate_headers = *odd,
            _ => {}
        }
        if act.as_ref().is_some_and(|act| !act.means_something(endpoint)) {
            tracing::warn!(?endpoint, "the fault for this request means nothing here");
        }
        if endpoint == Endpoint::Jetstream {
            return Outcome::Answer(self.subscribe(params, request, act, fuse));
        }
        if endpoint == Endpoint::Any {
            return Outcome::Answer(self.problem(Problem::not_found(), None, rate_headers));
        }
        if let Err(refusal) = self.authorize(request.headers()) {
            return Outcome::Answer(self.problem(
                Problem::refusal(refusal, self.settings.dialect),
                None,
                rate_headers,
            ));
        }
        let rate = match self.buckets.take(endpoint, &self.settings.limits, self.clock.now()) {
            Ok(rate) => rate,
            Err(rate) => {
                return Outcome::Answer(self.problem(
                    Problem::refusal(Refusal::RateLimit, self.settings.dialect),
                    Some(rate),
                    rate_headers,
                ));
            }
        };
        let answer = if endpoint == Endpoint::Stream {
            self.stream(params, act, fuse)
        } else {
            self.reply(endpoint, params, request, act, fuse).await
        };
        Outcome::Answer(match answer {
            Ok(mut response) => {
                self.rate(response.headers_mut(), Some(rate), rate_headers);
                response
            }
            Err(refused) => {
                // The names of an error follow the request's, as far as it has any.
                let dialect =
                    if params.get("post.fields").is_some() { Dialect::Post } else { self.settings.dialect };
                let problem = match refused {
                    Refused::Invalid(invalid) => Problem::invalid(&invalid, dialect),
                    Refused::Because(refusal) => Problem::refusal(refusal, dialect),
                    Refused::NotFound => Problem::not_found(),
                };
                self.problem(problem, Some(rate), rate_headers)
            }
        })
    }

    /// Where a live stream begins. By the clock: with what comes next. Else with what no stream was given yet, unless
    /// the clock was moved past it; that it ticks on while nobody listens makes no gap.
    pub fn live(&self, head: Head) -> usize {
        if self.settings.pace == Pace::Clock {
            return self.corpus.happened(self.clock.now());
        }
        self.heads[head as usize].load(SeqCst).max(self.corpus.happened(self.clock.put()))
    }

    /// A stream has gone past this tweet, and carries the clock along.
    pub fn pass(&self, head: Head, index: usize) {
        self.heads[head as usize].fetch_max(index + 1, SeqCst);
        self.clock.reach(id_time(self.corpus.tweets[index].id));
    }

    /// Ids of the whole corpus that a query means, past or future; retweets only where they are served.
    ///
    /// # Errors
    /// The message for a query that is not understood.
    pub fn matching(&self, query: &str, place: Place) -> Result<Vec<u64>, String> {
        let query = Query::parse(query, place, 4_096)?;
        let shared = place == Place::Stream || self.settings.search_retweets;
        let tweets =
            self.corpus.tweets.iter().filter(|tweet| tweet.listed && (shared || tweet.retweeted.is_none()));
        Ok(tweets.filter(|tweet| query.matches(tweet, &self.corpus)).map(|tweet| tweet.id).collect())
    }

    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return Err(Refusal::Unauthorized);
        };
        match value.split_once(' ') {
            Some(("Bearer", token)) if token == self.settings.token => Ok(()),
            Some(("OAuth", _)) => Err(Refusal::UnsupportedAuthentication),
            _ => Err(Refusal::Unauthorized),
        }
    }

    /// Every endpoint that answers with one JSON value.
    async fn reply(
        self: &Arc<Self>,
        endpoint: Endpoint,
        params: &Params,
        request: Request<Incoming>,
        act: Option<Act>,
        fuse: &Fuse,
    ) -> Result<Response<Body>, Refused> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let body = Limited::new(body, 8 << 20)
            .collect()
            .await
            .map_err(|_| Invalid::new("the request body cannot be read"))?
            .to_bytes();
        let page = if let Some(Act::Page(page)) = &act { Some(*page) } else { None };
        let reply = match endpoint {
            Endpoint::SearchRecent | Endpoint::SearchAll => search::search(self, endpoint, params, page)?,
            Endpoint::CountsRecent | Endpoint::CountsAll => search::counts(self, endpoint, params)?,
            Endpoint::Rules => rules::list(self, params)?,
            Endpoint::RulesChange => rules::change(self, params, &body)?,
            Endpoint::RulesCounts => rules::counts(self, params)?,
            Endpoint::Connections if head.method == Method::GET => connections::list(self, params)?,
            Endpoint::Connections => connections::kill(self, path.strip_prefix("/2/connections/"), &body)?,
            Endpoint::Usage => usage::usage(self, params)?,
            _ => return Err(Refused::NotFound),
        };
        let length = reply.body.len();
        let body = match act {
            Some(Act::Body(how)) => Body::delivered(reply.body, reply.served, how, fuse.clone()),
            _ => Body::Whole(reply.body, reply.served),
        };
        let mut response = Response::new(body);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        // Written out, so that a body that is cut is shorter than it said it would be.
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Ok(response)
    }

    fn stream(
        self: &Arc<Self>,
        params: &Params,
        act: Option<Act>,
        fuse: &Fuse,
    ) -> Result<Response<Body>, Refused> {
        let wish = Wish::parse(self, params)?;
        if self.rules.is_empty() {
            return Err(Refused::Because(Refusal::NoRules));
        }
        let slot = self.connections.open(self).ok_or(Refused::Because(Refusal::TooManyConnections))?;
        let (sender, chunks) = mpsc::channel(1);
        tokio::spawn(stream::run(Arc::clone(self), wish, script(act), slot, sender));
        let mut response = Response::new(Body::chunks(chunks, fuse.clone()));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        Ok(response)
    }

    fn subscribe(
        self: &Arc<Self>,
        params: &Params,
        mut request: Request<Incoming>,
        act: Option<Act>,
        fuse: &Fuse,
    ) -> Response<Body> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let key = header("sec-websocket-key")
            .filter(|_| header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")));
        let accept = key.map(|key| derive_accept_key(key.as_bytes()));
        let wish = Subscription::parse(params, header("socket-encoding"), self.clock.now());
        let (accept, wish) = match (accept, wish) {
            (Some(accept), Ok(wish)) => (accept, wish),
            (accept, wish) => {
                let message = wish
                    .err()
                    .map_or_else(|| "not a websocket request".to_owned(), |invalid| invalid.message);
                let mut response = Response::new(Body::Whole(message.into(), Served::default()));
                *response.status_mut() =
                    if accept.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::UPGRADE_REQUIRED };
                return response;
            }
        };
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(jetstream::run(Arc::clone(self), upgrade, wish, script(act), fuse.clone()));
        let mut response = Response::new(Body::Whole(Bytes::new(), Served::default()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }

    fn refuse(&self, with: Refusal, headers: RateHeaders, untouched: bool) -> Response<Body> {
        let now = self.clock.now().div_euclid(1_000);
        let rate = Rate { limit: 450, remaining: if untouched { 449 } else { 0 }, reset: now + 600 };
        self.problem(Problem::refusal(with, self.settings.dialect), Some(rate), headers)
    }

    fn problem(&self, problem: Problem, rate: Option<Rate>, headers: RateHeaders) -> Response<Body> {
        let mut response = Response::new(Body::Whole(problem.body.into(), Served::default()));
        *response.status_mut() = problem.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(problem.content_type));
        self.rate(response.headers_mut(), rate, headers);
        response
    }

    fn rate(&self, headers: &mut HeaderMap, rate: Option<Rate>, how: RateHeaders) {
        let now = self.clock.now().div_euclid(1_000);
        let Some(rate) = rate else { return };
        let reset = match how {
            RateHeaders::True => rate.reset.to_string(),
            RateHeaders::Absent => return,
            RateHeaders::Garbled => "soon".to_owned(),
            RateHeaders::Past => (now - 600).to_string(),
            RateHeaders::Far => (now + 3 * 3_600).to_string(),
        };
        let number =
            |number: u32| if how == RateHeaders::Garbled { "many".to_owned() } else { number.to_string() };
        let values = [
            ("x-rate-limit-limit", number(rate.limit)),
            ("x-rate-limit-remaining", number(rate.remaining)),
            ("x-rate-limit-reset", reset),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

fn redirect(to: &str, asked: &Uri) -> Response<Body> {
    let target = format!("{to}{}", asked.path_and_query().map_or("/", |all| all.as_str()));
    let mut response = Response::new(Body::Whole(Bytes::new(), Served::default()));
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

fn script(act: Option<Act>) -> Vec<Step> {
    match act {
        Some(Act::Script(steps)) => steps,
        _ => Vec::new(),
    }
}

/// A JSON answer of the control endpoints.
pub(crate) fn plain(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::Whole(body.to_string().into(), Served::default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

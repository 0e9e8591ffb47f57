//! The way to X: requests with a token, within time, without redirects.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use task::{Exit, Failure, Outcome, Secret, Stop};
use tracing::{info, warn};
use tweet::VALUE_BYTES;

use crate::clock::{Clock, micros};
use crate::trouble::{Backoff, Rate, Trouble, give_up, of_answer};

/// The longest that the other side may say nothing: X keeps its streams alive every 20 s.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// To connect.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// Bytes read of an error document.
const PROBLEM: usize = 64 << 10;

/// When to wait, and when to end.
#[derive(Clone)]
pub(crate) struct Pace {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Stop,
    /// When the run shall end, µs since 1970.
    pub(crate) deadline: Option<i64>,
    /// Whether the source has ever answered this run.
    pub(crate) reached: Arc<AtomicBool>,
}

impl Pace {
    /// Work, unless a signal comes first.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Outcome<T> {
        let stopped = async {
            while !self.stop.requested() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match select(pin!(work), pin!(stopped)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Failure::terminated()),
        }
    }

    /// Work of the other side, unless it stays silent.
    pub(crate) async fn heard<T>(&self, work: impl Future<Output = T>) -> Result<T, Trouble> {
        match select(pin!(work), self.clock.silence(SILENCE)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Trouble::Network(format!("no byte for {} s", SILENCE.as_secs()))),
        }
    }

    /// Waits as the trouble asks for.
    pub(crate) async fn wait(&self, backoff: &mut Backoff, trouble: Trouble) -> Outcome<()> {
        let (class, why) = (trouble.class(), trouble.to_string());
        let given_up = give_up(&trouble);
        let wait = backoff.after(trouble, self.clock.now(), self.reached.load(Relaxed))?;
        if self.deadline.is_some_and(|deadline| self.clock.now() + micros(wait) > deadline) {
            return Err(given_up);
        }
        let seconds = wait.as_secs_f64();
        if wait.is_zero() {
            info!(class, "{why}; trying again");
        } else {
            warn!(class, seconds, "{why}; trying again after a while");
        }
        self.unless_stopped(self.clock.wait(wait)).await
    }

    /// A call, again and again until it succeeds or waiting does not help.
    pub(crate) async fn patiently<T, F>(&self, call: impl Fn() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match self.unless_stopped(call()).await? {
                Ok(done) => return Ok(done),
                Err(trouble) => self.wait(&mut backoff, trouble).await?,
            }
        }
    }
}

/// X, as one app sees it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: Url,
    token: Secret,
    pub(crate) pace: Pace,
}

impl Api {
    pub(crate) fn new(base: &Url, token: Secret, pace: Pace) -> Outcome<Self> {
        provider();
        let mut client = Client::builder()
            .user_agent(concat!("offkey/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(base.scheme() == "https");
        if base.scheme() == "http" {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|e| Failure::new(Exit::Configuration, format!("cannot set up HTTPS: {e}")))?;
        Ok(Self { client, base: base.clone(), token, pace })
    }

    /// The same, by another pace.
    pub(crate) fn paced(&self, pace: Pace) -> Self {
        Self { pace, ..self.clone() }
    }

    /// An answer, whole.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, Trouble> {
        let answer = self.open(path, query).await?;
        self.body(answer, VALUE_BYTES).await
    }

    /// The answer to a JSON body, whole.
    pub(crate) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        json: &str,
    ) -> Result<Vec<u8>, Trouble> {
        let request = self.request(Method::POST, path, query);
        let request = request.header("content-type", "application/json").body(json.to_owned());
        let answer = self.send(request).await?;
        self.body(answer, VALUE_BYTES).await
    }

    /// Asks X to close this app's streams, which it still counts though nobody reads them.
    pub(crate) async fn close_streams(&self) -> Result<(), Trouble> {
        let request = self.request(Method::DELETE, "/2/connections/filtered_stream", &[]);
        self.send(request).await.map(drop)
    }

    /// An answer whose body is still to come.
    pub(crate) async fn open(&self, path: &str, query: &[(&str, &str)]) -> Result<Response, Trouble> {
        self.send(self.request(Method::GET, path, query)).await
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.client.request(method, url).bearer_auth(self.token.expose())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let answer = self.pace.heard(request.send()).await?.map_err(|e| network(e, "no answer"))?;
        self.pace.reached.store(true, Relaxed);
        let status = answer.status().as_u16();
        if status == 200 || status == 201 {
            return Ok(answer);
        }
        let head = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let rate = Rate {
            reset: head("x-rate-limit-reset").and_then(|v| v.trim().parse().ok()),
            left: head("x-rate-limit-remaining").and_then(|v| v.trim().parse().ok()),
        };
        // An error document that does not arrive is no reason to forget the status.
        let body = self.body(answer, PROBLEM).await.unwrap_or_default();
        Err(of_answer(status, rate, &body))
    }

    async fn body(&self, mut answer: Response, most: usize) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        loop {
            let chunk =
                self.pace.heard(answer.chunk()).await?.map_err(|e| network(e, "the answer broke off"))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if body.len() + chunk.len() > most {
                return Err(Trouble::Server(format!("an answer of more than {most} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// What a failed exchange means. The address stays out of the words: its query may be long.
pub(crate) fn network(error: reqwest::Error, what: &str) -> Trouble {
    use std::error::Error;
    let error = error.without_url();
    let mut deepest: &dyn Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    Trouble::Network(format!("{what}: {deepest}"))
}

/// Makes ring what TLS computes with, in this process.
pub(crate) fn provider() {
    // Someone else was first: the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// clap parser of an address: TLS, except on this machine.
pub(crate) fn address(text: &str, secure: &str, plain: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    let here = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => return Err("an address has a host".into()),
    };
    if url.username() != "" || url.password().is_some() {
        return Err("an address carries no password".into());
    }
    if url.scheme() == secure || (here && url.scheme() == plain) {
        Ok(url)
    } else {
        Err(format!("{secure} only ({plain} on this machine alone)"))
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_this_machine_goes_without_tls() {
        for good in ["https://api.x.com", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"] {
            assert!(address(good, "https", "http").is_ok(), "{good}");
        }
        for bad in [
            "http://api.x.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "api.x.com",
            "https://u:p@api.x.com",
            "http://10.0.0.1",
            "wss://api.x.com",
        ] {
            assert!(address(bad, "https", "http").is_err(), "{bad}");
        }
    }
}

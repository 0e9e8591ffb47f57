//! Search and counts: windows, pages and tokens.

use bytes::Bytes;
use serde_json::json;

use crate::clock::{Millis, first_id, format_time, id_time, parse_time};
use crate::corpus::Tweet;
use crate::faults::{Endpoint, Page};
use crate::ledger::Served;
use crate::names::{Dialect, TWEET};
use crate::params::{Includes, Invalid, Params, Projection};
use crate::query::{Place, Query};
use crate::server::{Reply, Server};

const DAY: Millis = 86_400_000;
const COMMON: &[&str] = &[
    "query",
    "start_time",
    "end_time",
    "since_id",
    "until_id",
    "next_token",
    "pagination_token",
    "max_results",
    "sort_order",
];
const COUNTS: &[&str] = &[
    "query",
    "start_time",
    "end_time",
    "since_id",
    "until_id",
    "next_token",
    "pagination_token",
    "granularity",
    "search_count.fields",
];

/// Answers `GET /2/tweets/search/{recent,all}`.
pub(crate) fn search(
    server: &Server,
    endpoint: Endpoint,
    params: &Params,
    fault: Option<Page>,
) -> Result<Reply, Invalid> {
    params.check_names(COMMON)?;
    let all = endpoint == Endpoint::SearchAll;
    let choice = Projection::parse(params, server.settings.dialect, server.settings.accepted)?;
    let request = Request::parse(server, params, all)?;
    let most = if all { 500 } else { 100 };
    let wanted = params.number("max_results", 10..=most, 10)?;
    if wanted > 100 && params.list(TWEET.parameter(choice.dialect)).contains(&"context_annotations") {
        let (name, value) = (TWEET.parameter(choice.dialect), wanted.to_string());
        let message = format!(
            "when requesting `{name}=context_annotations` `max_results` must be less than or equal to `100`"
        );
        return Err(Invalid::new(message).of(name, "context_annotations").of("max_results", &value));
    }
    let choice =
        if fault == Some(Page::OtherDialect) { choice.speaking(choice.dialect.other()) } else { choice };
    let relevancy = match params.get("sort_order") {
        None | Some("recency") => false,
        Some("relevancy") => true,
        Some(other) => {
            return Err(Invalid::new(format!(
                "The `sort_order` query parameter value [{other}] is not one of [recency,relevancy]"
            ))
            .of("sort_order", other));
        }
    };
    let (found, here, next) =
        if relevancy { request.by_likes(server, wanted) } else { request.by_time(server, wanted, fault) };
    let next = if matches!(fault, Some(Page::Loop | Page::Empty)) { Some(here) } else { next };
    let found = if fault == Some(Page::Empty) { Vec::new() } else { found };
    Ok(write_page(server, &found, choice, next.map(|position| request.token(position)), fault))
}

fn write_page(
    server: &Server,
    found: &[usize],
    choice: Projection,
    next: Option<String>,
    fault: Option<Page>,
) -> Reply {
    let corpus = &server.corpus;
    let mut includes = Includes::default();
    let mut out = Vec::with_capacity(512 + 1_024 * found.len());
    out.push(b'{');
    if !found.is_empty() {
        out.extend_from_slice(b"\"data\":[");
        for (number, index) in found.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let tweet = &corpus.tweets[*index];
            choice.tweet(tweet, &mut out);
            includes.add(tweet, corpus, choice);
        }
        out.push(b']');
        let more_errors = if let Some(Page::PartialErrors(count)) = fault { count } else { 0 };
        includes.write(corpus, choice, more_errors, &mut out);
        out.push(b',');
    }
    let ids = || found.iter().map(|index| corpus.tweets[*index].id);
    let mut meta = json!({"result_count": found.len()});
    if let (Some(newest), Some(oldest)) = (ids().max(), ids().min()) {
        meta["newest_id"] = newest.to_string().into();
        meta["oldest_id"] = oldest.to_string().into();
    }
    if let Some(token) = next {
        meta["next_token"] = token.into();
    }
    out.extend_from_slice(format!("\"meta\":{meta}}}").as_bytes());
    let mut served = Served::search(&server.ledger, found.to_vec());
    if fault == Some(Page::Truncated) {
        out.truncate(out.len() * 2 / 3);
        served = Served::default();
    }
    Reply::json(Bytes::from(out), served)
}

/// Answers `GET /2/tweets/counts/{recent,all}`. The archive answers 31 days at a time, the newest first.
pub(crate) fn counts(server: &Server, endpoint: Endpoint, params: &Params) -> Result<Reply, Invalid> {
    params.check_names(COUNTS)?;
    let all = endpoint == Endpoint::CountsAll;
    let request = Request::parse(server, params, all)?;
    let width = match params.get("granularity") {
        Some("minute") => 60_000,
        None | Some("hour") => 3_600_000,
        Some("day") => DAY,
        Some(other) => {
            return Err(Invalid::new(format!(
                "The `granularity` query parameter value [{other}] is not one of [minute,hour,day]"
            ))
            .of("granularity", other));
        }
    };
    let fields = params.list("search_count.fields");
    let dialect = if fields.contains(&"post_count") { Dialect::Post } else { server.settings.dialect };
    let counter = format!("{}_count", dialect.noun());
    let end = id_time(request.below).min(request.window.end());
    let page_start = if all { request.window.start().max(end - 31 * DAY) } else { request.window.start() };
    let page = Window {
        from: request.window.from.max(first_id(page_start)),
        until: request.window.until.min(request.below),
    };
    let mut times = request
        .matches(server, page)
        .map(|index| id_time(server.corpus.tweets[index].id))
        .collect::<Vec<_>>();
    times.sort_unstable();
    let (mut rows, mut start, mut total) = (Vec::new(), page_start, 0);
    while start < end {
        let stop = ((start.div_euclid(width) + 1) * width).min(end);
        let count = times.partition_point(|at| *at < stop) - total;
        total += count;
        rows.push(json!({"start": format_time(start), "end": format_time(stop), counter.as_str(): count}));
        start = stop;
    }
    let mut meta = json!({format!("total_{counter}"): total});
    if page.from > request.window.from {
        meta["next_token"] = request.token(page.from).into();
    }
    let mut answer = json!({"meta": meta});
    if !rows.is_empty() {
        answer["data"] = rows.into();
    }
    Ok(Reply::json(answer.to_string().into(), Served::default()))
}

/// The bounds of a request as ids: from the first to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    from: u64,
    until: u64,
}

impl Window {
    fn holds(self, tweet: &Tweet) -> bool {
        (self.from..self.until).contains(&tweet.id)
    }

    /// Time of the first bound, in milliseconds.
    fn start(self) -> Millis {
        id_time(self.from)
    }

    /// Time of the last bound, in milliseconds.
    fn end(self) -> Millis {
        id_time(self.until)
    }
}

/// What a search asks for.
struct Request {
    query: Query,
    window: Window,
    /// By time: only tweets with smaller ids; by likes: how many were given already.
    below: u64,
    offset: usize,
    /// Stands in the token, so that a token of another search is refused.
    hash: u32,
}

impl Request {
    fn parse(server: &Server, params: &Params, all: bool) -> Result<Self, Invalid> {
        let text = params.get("query").unwrap_or_default();
        if text.is_empty() {
            return Err(Invalid::new("The `query` query parameter can not be empty").of("query", text));
        }
        let longest = if all { 1_024 } else { 512 };
        let query = Query::parse(text, Place::Search, longest)
            .map_err(|message| Invalid::new(message).of("query", text))?;
        let window = window(params, all, server.clock.now())?;
        let parts = ["query", "start_time", "end_time", "since_id", "until_id", "sort_order", "granularity"];
        let hash = parts.iter().fold(0x811c_9dc5, |hash, name| {
            params
                .get(name)
                .unwrap_or_default()
                .bytes()
                .chain([0])
                .fold(hash, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        });
        let mut request = Self { query, window, below: window.until, offset: 0, hash };
        for name in ["next_token", "pagination_token"] {
            if let Some(token) = params.get(name) {
                let position = read_token(token, hash).ok_or_else(|| {
                    Invalid::new(format!("The `{name}` query parameter value [{token}] is not valid"))
                        .of(name, token)
                })?;
                request.below = position;
                request.offset = usize::try_from(position).unwrap_or(usize::MAX);
            }
        }
        Ok(request)
    }

    fn token(&self, position: u64) -> String {
        let mut number = u128::from(position) << 32 | u128::from(self.hash);
        let mut digits = Vec::new();
        while number > 0 {
            digits.push(char::from_digit(u32::try_from(number % 36).unwrap_or(0), 36).unwrap_or('0'));
            number /= 36;
        }
        format!("b26v89c19zq{}", digits.into_iter().rev().collect::<String>())
    }

    /// Indices of the tweets found, newest first.
    fn matches<'a>(&'a self, server: &'a Server, window: Window) -> impl Iterator<Item = usize> + 'a {
        let corpus = &server.corpus;
        let range = corpus.below(window.from)..corpus.below(window.until).max(corpus.below(window.from));
        range.rev().filter(move |index| self.finds(server, &corpus.tweets[*index]))
    }

    fn finds(&self, server: &Server, tweet: &Tweet) -> bool {
        tweet.listed
            && (server.settings.search_retweets || tweet.retweeted.is_none())
            && self.window.holds(tweet)
            && self.query.matches(tweet, &server.corpus)
    }

    /// A page, the position it began at and that of the next one.
    fn by_time(&self, server: &Server, wanted: usize, fault: Option<Page>) -> (Vec<usize>, u64, Option<u64>) {
        let corpus = &server.corpus;
        let back = match fault {
            Some(Page::Overlap(tweets)) => tweets,
            Some(Page::Repeat) => wanted,
            _ => 0,
        };
        let newer = (corpus.below(self.below)..corpus.below(self.window.until))
            .filter(|index| self.finds(server, &corpus.tweets[*index]));
        let below = newer.take(back).last().map_or(self.below, |index| corpus.tweets[index].id + 1);
        let mut found: Vec<usize> =
            self.matches(server, Window { until: below, ..self.window }).take(wanted + 1).collect();
        let more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| more).map(|index| corpus.tweets[*index].id);
        (found, below, next)
    }

    fn by_likes(&self, server: &Server, wanted: usize) -> (Vec<usize>, u64, Option<u64>) {
        let offset = if self.below == self.window.until { 0 } else { self.offset };
        let mut found: Vec<usize> = self.matches(server, self.window).collect();
        found.sort_by_key(|index| std::cmp::Reverse(server.corpus.tweets[*index].likes));
        let next = (offset + wanted < found.len()).then_some((offset + wanted) as u64);
        (found.into_iter().skip(offset).take(wanted).collect(), offset as u64, next)
    }
}

fn read_token(token: &str, hash: u32) -> Option<u64> {
    let digits = token.strip_prefix("b26v89c19zq")?;
    let number = u128::from_str_radix(digits, 36).ok()?;
    (number & u128::from(u32::MAX) == u128::from(hash)).then(|| u64::try_from(number >> 32).ok())?
}

/// The window of a request in ids; every 400 of the documentation about times and ids.
fn window(params: &Params, all: bool, now: Millis) -> Result<Window, Invalid> {
    let wrong = |name: &str, value: &str, what: String| {
        Invalid::new(format!("Invalid '{name}':'{value}'. {what}")).of(name, value)
    };
    let (since, until) = (params.get("since_id"), params.get("until_id"));
    let (start_time, end_time) = (params.get("start_time"), params.get("end_time"));
    if (since.is_some() || until.is_some()) && (start_time.is_some() || end_time.is_some()) {
        let mut invalid = Invalid::new(
            "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or 'end_time'",
        );
        for (name, value) in
            [("since_id", since), ("until_id", until), ("start_time", start_time), ("end_time", end_time)]
        {
            if let Some(value) = value {
                invalid = invalid.of(name, value);
            }
        }
        return Err(invalid);
    }
    // The archive begins with the first tweet of all.
    let floor = if all { 1_142_899_200_000 } else { now - 7 * DAY };
    let latest = now - 10_000;
    let time = |name: &str, value: Option<&str>| {
        let Some(value) = value else { return Ok(None) };
        let Some(at) = parse_time(value) else {
            return Err(wrong(
                name,
                value,
                format!("'{name}' must be a valid RFC 3339 date-time in UTC, YYYY-MM-DDTHH:mm:ssZ"),
            ));
        };
        if at > latest {
            return Err(wrong(
                name,
                value,
                format!("'{name}' must be a minimum of 10 seconds prior to the request time."),
            ));
        }
        if at < floor {
            return Err(wrong(name, value, format!("'{name}' must be on or after {}", format_time(floor))));
        }
        Ok(Some(at))
    };
    let id = |name: &str, value: Option<&str>| {
        let Some(value) = value else { return Ok(None) };
        let digits = (1..=19).contains(&value.len()) && value.bytes().all(|digit| digit.is_ascii_digit());
        let Some(id) = value.parse::<u64>().ok().filter(|_| digits) else {
            return Err(wrong(name, value, format!("'{name}' must match ^[0-9]{{1,19}}$")));
        };
        if !all && id_time(id) < floor {
            let least = first_id(floor);
            let floor = format_time(floor);
            let what = format!(
                "'{name}' must be a tweet id created after {floor}. Please use a '{name}' that is larger than {least}"
            );
            return Err(wrong(name, value, what));
        }
        Ok(Some(id))
    };
    let (start, end) = (time("start_time", start_time)?, time("end_time", end_time)?);
    if let (Some(start), Some(end), Some(text)) = (start, end, end_time)
        && end <= start
    {
        return Err(wrong("end_time", text, "'end_time' must be after 'start_time'".to_owned()));
    }
    let (since, until) = (id("since_id", since)?, id("until_id", until)?);
    let end = end.unwrap_or(now - 30_000);
    let default_start = if all { end - 30 * DAY } else { floor };
    // With ids as bounds everything that has happened counts; else the last half minute is not indexed yet.
    Ok(Window {
        from: since.map_or_else(|| first_id(start.unwrap_or(default_start)), |id| id + 1),
        until: until.map_or(first_id(end), |id| id.min(first_id(now + 1))),
    })
}

//! Every fault is really on the wire.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{ALL, End, RECENT, RULES, STREAM, Wire, bearer, get, id, open, send, stream};
use serde_json::{Value, json};
use x_server::{
    Act, Cut, Delivery, Dialect, Endpoint, Fault, Limits, Page, Place, RateHeaders, Refusal, Step, XServer,
};

async fn double(on: Endpoint, act: Act) -> XServer {
    let faults = vec![Fault::new(on, act)];
    XServer::builder().tweets(300).live(300).limits(Limits::off()).faults(faults).start().await.unwrap()
}

async fn scripted(script: Vec<Step>) -> (XServer, Wire) {
    let double = double(Endpoint::Stream, Act::Script(script)).await;
    let wire = stream(&double, "bieber").await;
    (double, wire)
}

fn search(query: &str) -> String {
    format!("{RECENT}?query={query}&max_results=100")
}

#[tokio::test]
async fn refusals_of_the_protocol() {
    for (refusal, status, kind, part) in [
        (Refusal::RateLimit, 429, "blank", "Too Many Requests"),
        (Refusal::OnePerSecond, 429, "blank", "Too Many Requests"),
        (Refusal::TooManyConnections, 429, "streaming-connection", "TooManyConnections"),
        (Refusal::UsageCapped, 429, "usage-capped", "UsageCapExceeded"),
        (Refusal::CreditsDepleted, 402, "credits-depleted", "credits depleted"),
        (Refusal::NoRules, 409, "streaming-connection", "RuleConfigurationIssue"),
        (Refusal::Provisioning, 503, "streaming-connection", "ProvisioningSubscription"),
        (Refusal::Unauthorized, 401, "blank", "Unauthorized"),
        (Refusal::ClientForbidden, 403, "client-forbidden", "client-not-enrolled"),
        (Refusal::UnsupportedAuthentication, 403, "unsupported-authentication", "Unsupported"),
        (Refusal::InvalidRequest, 400, "invalid-request", "parameters"),
        (Refusal::LegacyRateLimit, 429, "", r#""code":88"#),
        (Refusal::EnhanceYourCalm, 420, "", "Calm"),
        (Refusal::Status(502), 502, "", "<html>"),
        (Refusal::Status(520), 520, "", "<html>"),
        (Refusal::Disguised, 200, "blank", "Service Unavailable"),
    ] {
        for (endpoint, target) in
            [(Endpoint::SearchRecent, search("bieber")), (Endpoint::Stream, STREAM.to_owned())]
        {
            let double = double(endpoint, Act::Refuse { with: refusal, rate: RateHeaders::True }).await;
            let answer = get(&double, &target).await;
            assert_eq!(answer.status, status, "{refusal:?}");
            assert!(answer.text().contains(part), "{refusal:?}: {}", answer.text());
            if !kind.is_empty() {
                let own = answer.json()["type"].as_str().unwrap().to_owned();
                assert!(own.ends_with(kind), "{own}");
            }
            let remaining = &answer.headers["x-rate-limit-remaining"];
            let untouched =
                matches!(refusal, Refusal::OnePerSecond | Refusal::UsageCapped | Refusal::CreditsDepleted);
            assert_eq!(remaining != "0", untouched, "{refusal:?}");
            // It strikes once.
            assert_ne!(get(&double, &search("bieber")).await.status, status.max(201));
        }
    }
}

#[tokio::test]
async fn rate_headers_go_wrong() {
    for (rate, limit, reset) in [
        (RateHeaders::Absent, None, None),
        (RateHeaders::Garbled, Some("many"), Some("soon".to_owned())),
        (RateHeaders::Past, Some("450"), Some("-600".to_owned())),
        (RateHeaders::Far, Some("450"), Some("10800".to_owned())),
        (RateHeaders::True, Some("450"), Some("600".to_owned())),
    ] {
        let double = double(Endpoint::Search, Act::Refuse { with: Refusal::RateLimit, rate }).await;
        let answer = get(&double, &search("bieber")).await;
        assert_eq!(answer.headers.get("x-rate-limit-limit").map(String::as_str), limit);
        let now = double.clock.now() / 1_000;
        let own = answer
            .headers
            .get("x-rate-limit-reset")
            .map(|text| text.parse().map_or(text.clone(), |at: i64| (at - now).to_string()));
        assert_eq!(own, reset, "{rate:?}");
    }
    let double = double(Endpoint::Search, Act::Rate(RateHeaders::Absent)).await;
    let answer = get(&double, &search("bieber")).await;
    assert_eq!((answer.status, answer.headers.contains_key("x-rate-limit-limit")), (200, false));
}

#[tokio::test]
async fn a_redirect_names_another_host() {
    let double = double(Endpoint::Search, Act::Redirect("http://other.example:81".to_owned())).await;
    let answer = get(&double, &search("bieber")).await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.headers["location"], format!("http://other.example:81{}", search("bieber")));
    assert!(double.ledger.requests()[0].authorized);
}

#[tokio::test]
async fn connections_end_before_the_answer() {
    for (cut, end) in [(Cut::Eof, End::Eof), (Cut::Reset, End::Reset)] {
        let double = double(Endpoint::Any, Act::Drop(cut)).await;
        assert_eq!(open(&double, &search("bieber")).await.early, Some(end));
        assert_eq!(double.ledger.requests()[0].status, None);
    }
    let double = double(Endpoint::Any, Act::Drop(Cut::Stall)).await;
    let stalled = tokio::time::timeout(Duration::from_millis(100), open(&double, &search("bieber"))).await;
    assert!(stalled.is_err());
}

#[tokio::test]
async fn an_answer_waits_for_the_clock() {
    let double = double(Endpoint::Search, Act::Hang { seconds: 40 }).await;
    let target = search("bieber");
    let waiting = get(&double, &target);
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err());
    double.clock.advance(Duration::from_secs(39));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err());
    double.clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn bodies_are_cut_at_any_byte() {
    let whole = {
        let double = double(Endpoint::Usage, Act::Rate(RateHeaders::True)).await;
        get(&double, &search("bieber")).await.body
    };
    for at in [0, 1, whole.len() / 2, whole.len() - 1] {
        for (cut, end) in [(Cut::Eof, End::Eof), (Cut::Reset, End::Reset)] {
            let double = double(Endpoint::Search, Act::Body(Delivery::cut(at, cut))).await;
            let answer = get(&double, &search("bieber")).await;
            assert_eq!((answer.end, answer.body.as_slice()), (end, &whole[..at]));
            assert_eq!(answer.headers["content-length"], whole.len().to_string());
            assert!(double.ledger.served().is_empty(), "a cut page is not served");
        }
    }
    let double = double(Endpoint::Search, Act::Body(Delivery::cut(10, Cut::Stall))).await;
    let target = search("bieber");
    let stalled = tokio::time::timeout(Duration::from_millis(100), get(&double, &target));
    assert!(stalled.await.is_err());
}

#[tokio::test]
async fn bodies_come_byte_by_byte() {
    let double = double(Endpoint::Search, Act::Body(Delivery::pieces(1))).await;
    let slow = get(&double, &search("bieber")).await;
    let plain = get(&double, &search("bieber")).await;
    assert_eq!((slow.end, &slow.body), (End::Whole, &plain.body));
    double
        .faults
        .add(Fault::new(Endpoint::Search, Act::Body(Delivery { pause_ms: 1, ..Delivery::pieces(50) })));
    assert_eq!(get(&double, &search("bieber")).await.body, plain.body);
    assert!(double.ledger.searched().iter().all(|(_, times)| *times == 3));
}

#[tokio::test]
async fn pages_go_wrong() {
    let paged = |token: &str| format!("{RECENT}?query=bieber&max_results=10&next_token={token}");
    let first = format!("{RECENT}?query=bieber&max_results=10");
    let ids = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().cloned().unwrap_or_default();
        data.iter().map(|tweet| tweet["id"].as_str().unwrap().to_owned()).collect()
    };
    let token = |page: &Value| page["meta"]["next_token"].as_str().unwrap().to_owned();
    let clean = double(Endpoint::Usage, Act::Rate(RateHeaders::True)).await;
    let one = get(&clean, &first).await.json();
    let two = get(&clean, &paged(&token(&one))).await.json();

    for (fault, want) in [
        (Page::Empty, vec![]),
        (Page::Loop, ids(&two)),
        (Page::Overlap(3), [&ids(&one)[7..], &ids(&two)[..7]].concat()),
        (Page::Repeat, ids(&one)),
    ] {
        let double = double(Endpoint::Usage, Act::Rate(RateHeaders::True)).await;
        double.faults.add(Fault::new(Endpoint::SearchRecent, Act::Page(fault)).skip(1));
        let one = get(&double, &first).await.json();
        let bad = get(&double, &paged(&token(&one))).await.json();
        assert_eq!(ids(&bad), want, "{fault:?}");
        let next = get(&double, &paged(&token(&bad))).await.json();
        match fault {
            Page::Overlap(_) => assert_eq!(ids(&next)[..3], ids(&two)[7..], "and on from there"),
            _ => assert_eq!(ids(&next), ids(&two), "{fault:?}"),
        }
        assert_eq!(token(&bad) == token(&one), !matches!(fault, Page::Overlap(_)), "{fault:?}");
    }

    let double = double(Endpoint::Search, Act::Page(Page::Truncated)).await;
    let cut = get(&double, &first).await;
    assert_eq!(cut.end, End::Whole);
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err());
    assert!(double.ledger.served().is_empty());

    double.faults.add(Fault::new(Endpoint::Search, Act::Page(Page::PartialErrors(2))));
    let page = get(&double, &first).await.json();
    assert_eq!(page["errors"].as_array().unwrap().len(), 2);
    assert_eq!(page["data"].as_array().unwrap().len(), 10);

    double.faults.add(Fault::new(Endpoint::Search, Act::Page(Page::OtherDialect)));
    let page = get(&double, &format!("{first}&tweet.fields=public_metrics")).await.json();
    assert!(page["data"][0]["public_metrics"]["repost_count"].is_u64());
    assert!(page["data"][0]["edit_history_post_ids"].is_array());
}

#[tokio::test]
async fn streams_trickle() {
    let (double, mut wire) = scripted(vec![Step::Pieces { tweets: 2, bytes: 1, pause_ms: 1 }]).await;
    let mut bytes = Vec::new();
    while bytes.iter().filter(|byte| **byte == b'\n').count() < 2 {
        let chunk = wire.chunk().await.unwrap();
        assert_eq!(chunk.len(), 1);
        bytes.extend(chunk);
    }
    assert!(wire.reads > 10, "{} bytes in {} reads", bytes.len(), wire.reads);
    let text = String::from_utf8(bytes).unwrap();
    let ids: Vec<u64> = text.lines().map(id).collect();
    assert_eq!(
        double.matching("bieber", Place::Stream).unwrap().iter().filter(|id| ids.contains(id)).count(),
        2
    );
}

#[tokio::test]
async fn a_character_and_a_line_end_are_parted() {
    let (_double, mut wire) = scripted(vec![Step::SplitCharacter, Step::SplitLineEnd]).await;
    let mut chunk = wire.chunk().await.unwrap();
    while chunk.ends_with(b"\r\n") {
        chunk = wire.chunk().await.unwrap();
    }
    let rest = wire.chunk().await.unwrap();
    assert!(std::str::from_utf8(&chunk).is_err() && rest[0] & 0xC0 == 0x80, "parted inside a character");
    id(std::str::from_utf8(&[chunk, rest].concat()).unwrap());
    assert!(wire.chunk().await.unwrap().ends_with(b"\r"));
    assert_eq!(wire.chunk().await.unwrap(), b"\n");
}

#[tokio::test]
async fn several_come_together() {
    let (_double, mut wire) = scripted(vec![Step::Together(3), Step::Tweets(1)]).await;
    let chunk = String::from_utf8(wire.chunk().await.unwrap()).unwrap();
    assert_eq!(chunk.matches("\r\n").count(), 3);
    assert_eq!(chunk.lines().map(id).count(), 3);
}

#[tokio::test]
async fn keep_alives_and_silence_follow_the_clock() {
    let script = vec![
        Step::Tweets(1),
        Step::KeepAlives { count: 3, every: 20 },
        Step::Silence { seconds: 40 },
        Step::Tweets(1),
        Step::End,
    ];
    let (double, mut wire) = scripted(script).await;
    id(&wire.lines(1).await[0]);
    for _ in 0..3 {
        assert!(wire.is_quiet().await);
        double.clock.advance(Duration::from_secs(20));
        assert_eq!(wire.chunk().await.unwrap(), b"\r\n");
    }
    assert!(wire.is_quiet().await);
    double.clock.advance(Duration::from_secs(39));
    assert!(wire.is_quiet().await, "silence has no keep-alives");
    double.clock.advance(Duration::from_secs(1));
    id(&wire.lines(1).await[0]);
    assert_eq!(wire.chunk().await, Err(End::Whole));
}

#[tokio::test]
async fn streams_break_off() {
    for (cut, end) in [(Cut::Eof, End::Eof), (Cut::Reset, End::Reset)] {
        let (double, mut wire) = scripted(vec![Step::Tweets(2), Step::HalfThen(cut)]).await;
        let whole: Vec<u64> = wire.lines(2).await.iter().map(|line| id(line)).collect();
        let half = wire.chunk().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&half).is_err());
        assert_eq!(wire.chunk().await, Err(end), "{cut:?}");
        assert_eq!(
            double.ledger.streamed().iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            whole,
            "the half one is not served"
        );
        let mut again = open(&double, STREAM).await;
        assert_eq!(again.status, 200, "the place is free again");
        let third = id(&again.lines(1).await[0]);
        let all = double.matching("bieber", Place::Stream).unwrap();
        let at = |id: u64| all.iter().position(|own| *own == id).unwrap();
        assert_eq!(at(third), at(whole[1]) + 2, "what was cut is a gap");

        let (_double, mut wire) = scripted(vec![Step::Cut(cut)]).await;
        assert_eq!(wire.chunk().await, Err(end), "{cut:?}");
    }
    let (_double, mut wire) = scripted(vec![Step::Tweets(1), Step::Cut(Cut::Stall)]).await;
    wire.lines(1).await;
    assert!(wire.is_quiet().await);
}

#[tokio::test]
async fn streams_end_at_once_ten_times() {
    let faults = vec![Fault::new(Endpoint::Stream, Act::Script(vec![Step::End])).times(10)];
    let double = XServer::builder().faults(faults).start().await.unwrap();
    let mut wire = stream(&double, "bieber").await;
    for _ in 0..9 {
        assert_eq!(wire.chunk().await, Err(End::Whole));
        wire = open(&double, STREAM).await;
    }
    assert_eq!(wire.chunk().await, Err(End::Whole));
    id(&open(&double, STREAM).await.lines(1).await[0]);
}

#[tokio::test]
async fn streams_say_odd_things() {
    let script = vec![
        Step::Disconnect { kind: "UpstreamOperationalDisconnect".to_owned(), envelope: true },
        Step::Disconnect { kind: "SlowReader".to_owned(), envelope: false },
        Step::Message(json!({"something": {"new": 1}})),
        Step::Line("{not json".to_owned()),
        Step::Oversize { bytes: 5 << 20 },
        Step::OddRules(1),
        Step::Dialect { names: Dialect::Post, tweets: 1 },
        Step::PartialErrors(1),
        Step::Tweets(1),
    ];
    let (_double, mut wire) = scripted(script).await;
    let lines = wire.lines(9).await;
    let json = |number: usize| serde_json::from_str::<Value>(&lines[number]).unwrap();
    assert_eq!(json(0)["errors"][0]["disconnect_type"], "UpstreamOperationalDisconnect");
    assert!(json(0)["errors"][0]["type"].as_str().unwrap().ends_with("/operational-disconnect"));
    assert_eq!(json(1)["disconnect_type"], "SlowReader");
    assert_eq!(json(2)["something"]["new"], 1);
    assert_eq!(lines[3], "{not json");
    assert_eq!(lines[4].len() + 2, 5 << 20);
    assert!(json(4)["data"]["id"].is_string());
    assert!(json(5)["matching_rules"][0]["id"].is_u64() && json(5)["matching_rules"][0]["tag"].is_null());
    assert!(json(6)["data"]["edit_history_post_ids"].is_array());
    assert!(json(7)["errors"][0]["resource_id"].is_string() && json(7)["data"]["id"].is_string());
    assert_eq!(json(8)["matching_rules"][0]["tag"], "test");
    assert!(json(8)["matching_rules"][0]["id"].is_string() && json(8).get("errors").is_none());
}

#[tokio::test]
async fn tweets_come_twice_not_at_all_and_edited() {
    let (double, mut wire) = scripted(vec![Step::Tweets(4), Step::End]).await;
    let before: Vec<u64> = wire.lines(4).await.iter().map(|line| id(line)).collect();
    assert_eq!(wire.chunk().await, Err(End::Whole));
    double.faults.add(Fault::new(
        Endpoint::Stream,
        Act::Script(vec![
            Step::Repeat(2),
            Step::Miss(3),
            Step::Tweets(1),
            Step::Edits(2),
            Step::Silence { seconds: 9 },
        ]),
    ));
    let mut wire = open(&double, STREAM).await;
    let lines = wire.lines(6).await;
    let after: Vec<u64> = lines.iter().map(|line| id(line)).collect();
    assert_eq!(after[..2], before[2..], "the last two once more");
    let all = double.matching("bieber", Place::Stream).unwrap();
    let at = |id: u64| all.iter().position(|own| *own == id);
    assert_eq!(at(after[2]).unwrap(), at(before[3]).unwrap() + 4, "three were missed");
    assert_eq!((at(after[4]), at(after[5])), (None, None), "edits have ids of their own");
    let last: Value = serde_json::from_str(&lines[5]).unwrap();
    let history: Vec<&str> = last["data"]["edit_history_tweet_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    assert!(history.ends_with(&[&after[3].to_string(), &after[4].to_string(), &after[5].to_string()]));
    let streamed = double.ledger.streamed();
    assert_eq!(streamed.iter().filter(|(_, times)| *times == 2).count(), 2);
    assert_eq!(double.ledger.invented().len(), 2);
}

#[tokio::test]
async fn faults_come_over_http() {
    let double = XServer::builder().start().await.unwrap();
    let put = send(
        &double,
        "PUT",
        "/_control/faults",
        r#"[{"on": "search_all", "skip": 1, "refuse": {"with": "usage_capped"}}]"#,
    )
    .await;
    assert_eq!((put.status, put.json().as_array().unwrap().len()), (200, 1));
    let query = format!("{ALL}?query=bieber");
    assert_eq!(get(&double, &query).await.status, 200);
    assert_eq!(get(&double, &query).await.status, 429);
    assert_eq!(get(&double, "/_control/faults").await.json(), json!([]));
    assert_eq!(send(&double, "PUT", "/_control/faults", "[{}]").await.status, 400);
    let clock = send(&double, "POST", "/_control/clock", r#"{"advance": 60}"#).await.json();
    assert_eq!(clock["now"], "2026-11-20T12:01:00.000Z");
    let ledger = get(&double, "/_control/ledger?ids").await.json();
    assert_eq!(ledger["totals"]["requests"]["search_all"], 2);
    assert_eq!(ledger["served"].as_array().unwrap().len(), 10);
    assert_eq!(get(&double, "/_control/requests").await.json().as_array().unwrap().len(), 2);
    assert_eq!(get(&double, "/_control/nothing").await.status, 404);
    assert_eq!(Wire::send(&double.url, "POST", RULES, Some(&bearer(&double)), "{}").await.status, 400);
}

//! The endpoints as they should be.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use common::{ALL, End, RECENT, RULES, STREAM, Wire, bearer, get, id, open, send, stream};
use serde_json::{Value, json};
use x_server::{Dialect, Endpoint, Limits, Pace, Place, XServer, format_time};

async fn double() -> XServer {
    XServer::builder().tweets(500).live(100).limits(Limits::off()).start().await.unwrap()
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn pages(double: &XServer, target: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = get(double, &format!("{target}{token}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        let tweets = page["data"].as_array().cloned().unwrap_or_default();
        assert_eq!(page["meta"]["result_count"], tweets.len());
        found.extend(tweets.iter().map(|tweet| tweet["id"].as_str().unwrap().parse::<u64>().unwrap()));
        match page["meta"]["next_token"].as_str() {
            Some(next) => token = format!("&next_token={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn paging_gives_each_tweet_once_newest_first() {
    let double = double().await;
    let past = |id: &u64| x_server::id_time(*id) < double.clock.now() - 30_000;
    let mut want = double.matching("bieber", Place::Search).unwrap();
    want.retain(past);
    want.reverse();
    assert!(want.len() > 200);
    for target in [RECENT, ALL] {
        let found = pages(&double, &format!("{target}?query=bieber&max_results=37")).await;
        assert_eq!(found, want, "{target}");
    }
    let by_likes =
        pages(&double, &format!("{RECENT}?query=bieber&max_results=100&sort_order=relevancy")).await;
    assert_ne!(by_likes, want);
    assert_eq!(by_likes.iter().collect::<BTreeSet<_>>(), want.iter().collect());
    assert!(double.ledger.searched().iter().all(|(_, times)| *times == 3));
    assert_eq!(double.ledger.served().len(), want.len());
}

#[tokio::test]
async fn bounds_are_as_documented() {
    let double = double().await;
    let all = pages(&double, &format!("{RECENT}?query=bieber&max_results=100")).await;
    let (newest, oldest) = (all[5], all[20]);
    let found = pages(&double, &format!("{RECENT}?query=bieber&since_id={oldest}&until_id={newest}")).await;
    assert_eq!(found, all[6..20], "ids are exclusive on both sides");
    let seconds = |id: u64| x_server::id_time(id).div_euclid(1_000) * 1_000;
    let target = format!(
        "{RECENT}?query=bieber&start_time={}&end_time={}",
        format_time(seconds(oldest)),
        format_time(seconds(newest))
    );
    let found = pages(&double, &target).await;
    let want: Vec<u64> = all
        .iter()
        .copied()
        .filter(|id| (seconds(oldest)..seconds(newest)).contains(&x_server::id_time(*id)))
        .collect();
    assert_eq!(found, want, "start inclusive, end exclusive");
    let nothing = get(&double, &format!("{RECENT}?query=nobodysaysthis")).await.json();
    assert_eq!(nothing, json!({"meta": {"result_count": 0}}));
}

#[tokio::test]
async fn retweets_are_found_only_in_the_old_way() {
    let old = XServer::builder().limits(Limits::off()).search_retweets().start().await.unwrap();
    assert!(!pages(&old, &format!("{RECENT}?query=bieber is:retweet&max_results=100")).await.is_empty());
    let new = double().await;
    assert!(pages(&new, &format!("{RECENT}?query=bieber is:retweet&max_results=100")).await.is_empty());
    assert!(new.matching("bieber is:retweet", Place::Stream).unwrap().len() > 10);
}

#[tokio::test]
async fn fields_are_given_exactly() {
    let double = double().await;
    let page = get(&double, &format!("{RECENT}?query=bieber")).await.json();
    assert_eq!(names(&page), BTreeSet::from(["data", "meta"]));
    for tweet in page["data"].as_array().unwrap() {
        assert_eq!(names(tweet), BTreeSet::from(["edit_history_tweet_ids", "id", "text"]));
    }
    let page = get(&double, &format!("{ALL}?query=bieber&max_results=500&tweet.fields=created_at,public_metrics&expansions=author_id,referenced_tweets.id&user.fields=location")).await.json();
    let allowed = BTreeSet::from([
        "author_id",
        "created_at",
        "edit_history_tweet_ids",
        "id",
        "public_metrics",
        "referenced_tweets",
        "text",
    ]);
    for tweet in page["data"].as_array().unwrap().iter().chain(page["includes"]["tweets"].as_array().unwrap())
    {
        assert!(names(tweet).is_subset(&allowed), "{tweet}");
        assert!(tweet["public_metrics"]["retweet_count"].is_u64());
    }
    for user in page["includes"]["users"].as_array().unwrap() {
        assert!(names(user).is_subset(&BTreeSet::from(["id", "location", "name", "username"])));
    }
    assert_eq!(page["errors"][0]["parameter"], "referenced_tweets.id");

    double.clock.advance(Duration::from_secs(2));
    let page = get(&double, &format!("{ALL}?query=bieber&max_results=500&post.fields=created_at,public_metrics,note_post&expansions=author_id,referenced_posts&user.fields=public_metrics")).await.json();
    assert!(page["includes"]["posts"].is_array() && page["includes"].get("tweets").is_none());
    assert!(page["includes"]["users"][0]["public_metrics"]["post_count"].is_u64());
    for post in page["data"].as_array().unwrap() {
        let allowed = [
            "author_id",
            "created_at",
            "edit_history_post_ids",
            "id",
            "note_post",
            "public_metrics",
            "referenced_posts",
            "text",
        ];
        assert!(names(post).is_subset(&BTreeSet::from(allowed)), "{post}");
        assert!(post["public_metrics"]["repost_count"].is_u64());
    }
    assert!(page["errors"][0]["type"].as_str().unwrap().starts_with("https://api.x.com/"));
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let double = double().await;
    let id = double.matching("bieber", Place::Search).unwrap()[0];
    let long = "a".repeat(513);
    for (rest, part) in [
        (String::new(), "`query`"),
        ("query=".to_owned(), "`query`"),
        ("query=foo:bar".to_owned(), "invalid operator 'foo'"),
        ("query=is:retweet".to_owned(), "stand-alone"),
        (format!("query={long}"), "512"),
        ("query=a&max_results=9".to_owned(), "max_results"),
        ("query=a&max_results=101".to_owned(), "max_results"),
        ("query=a&max_results=many".to_owned(), "max_results"),
        ("query=a&start_time=2026-11-20".to_owned(), "RFC 3339"),
        ("query=a&start_time=2026-11-20 00:00:00".to_owned(), "RFC 3339"),
        ("query=a&start_time=2026-11-20T11:59:51Z".to_owned(), "minimum of 10 seconds"),
        ("query=a&end_time=2026-11-20T11:59:51Z".to_owned(), "minimum of 10 seconds"),
        ("query=a&start_time=2026-11-13T11:59:59Z".to_owned(), "on or after"),
        ("query=a&start_time=2026-11-19T00:00:00Z&end_time=2026-11-19T00:00:00Z".to_owned(), "must be after"),
        (format!("query=a&since_id={id}&start_time=2026-11-19T00:00:00Z"), "in conjunction"),
        (format!("query=a&until_id={id}&end_time=2026-11-19T00:00:00Z"), "in conjunction"),
        ("query=a&since_id=abc".to_owned(), "0-9"),
        ("query=a&since_id=20000000000000000000".to_owned(), "0-9"),
        ("query=a&since_id=1000000000000000000".to_owned(), "larger than"),
        ("query=a&next_token=abc".to_owned(), "next_token"),
        ("query=a&sort_order=best".to_owned(), "sort_order"),
        ("query=a&tweet.fields=sense".to_owned(), "tweet.fields"),
        ("query=a&tweet.fields=note_post".to_owned(), "tweet.fields"),
        ("query=a&post.fields=author_id".to_owned(), "post.fields"),
        ("query=a&expansions=everything".to_owned(), "expansions"),
        ("query=a&tweet.fields=id&post.fields=id".to_owned(), "together"),
        ("query=a&tweet.fields=id&expansions=referenced_posts".to_owned(), "together"),
        ("query=a&colour=red".to_owned(), "colour"),
    ] {
        let answer = get(&double, &format!("{RECENT}?{rest}")).await;
        assert_eq!(answer.status, 400, "{rest}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let body = answer.json();
        assert!(body["type"].as_str().unwrap().ends_with("/problems/invalid-request"));
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(part), "{rest}: {message}");
        assert!(body["errors"][0]["parameters"].is_object());
    }
    // The archive goes further back and gives more at once, unless annotations are wanted.
    for (rest, status) in [
        ("query=a&start_time=2010-01-01T00:00:00Z", 200),
        ("query=a&start_time=2006-01-01T00:00:00Z", 400),
        ("query=a&max_results=500", 200),
        ("query=a&max_results=501", 400),
        ("query=a&max_results=500&tweet.fields=context_annotations", 400),
        ("query=a&max_results=100&tweet.fields=context_annotations", 200),
    ] {
        assert_eq!(get(&double, &format!("{ALL}?{rest}")).await.status, status, "{rest}");
    }
    let one = get(&double, &format!("{RECENT}?query=bieber")).await.json();
    let token = one["meta"]["next_token"].as_str().unwrap();
    assert_eq!(
        get(&double, &format!("{RECENT}?query=justin&next_token={token}")).await.status,
        400,
        "the token of another query"
    );
}

#[tokio::test]
async fn one_dialect_alone() {
    let double = XServer::builder().only(Dialect::Post).start().await.unwrap();
    assert_eq!(get(&double, &format!("{RECENT}?query=bieber&tweet.fields=lang")).await.status, 400);
    let page = get(&double, &format!("{RECENT}?query=bieber")).await.json();
    assert!(page["data"][0]["edit_history_post_ids"].is_array());
}

#[tokio::test]
async fn tokens_are_checked() {
    let double = double().await;
    let target = format!("{RECENT}?query=bieber");
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer wrong"), 401),
        (Some("Bearer"), 401),
        (Some("Basic abc"), 401),
        (Some("OAuth oauth_token=1"), 403),
        (Some(bearer(&double).as_str()), 200),
    ] {
        for target in [&target, STREAM, RULES, "/2/usage/tweets", "/2/connections"] {
            let answer = Wire::send(&double.url, "GET", target, authorization, "").await.rest().await;
            let want = if (target, status) == (STREAM, 200) { 409 } else { status };
            assert_eq!(answer.status, want, "{authorization:?} {target}");
            if status != 200 {
                assert_eq!(answer.headers["content-type"], "application/problem+json");
            }
        }
    }
    assert_eq!(get(&double, "/2/nothing").await.status, 404);
}

#[tokio::test]
async fn windows_of_requests_fill_and_empty() {
    let limits = Limits { search_recent: 3, ..Limits::default() };
    let double = XServer::builder().limits(limits).start().await.unwrap();
    let target = format!("{RECENT}?query=bieber");
    for left in ["2", "1", "0"] {
        let answer = get(&double, &target).await;
        assert_eq!((answer.status, answer.headers["x-rate-limit-remaining"].as_str()), (200, left));
    }
    let answer = get(&double, &target).await;
    assert_eq!((answer.status, answer.headers["x-rate-limit-remaining"].as_str()), (429, "0"));
    let reset: i64 = answer.headers["x-rate-limit-reset"].parse().unwrap();
    assert_eq!(reset, double.clock.now() / 1_000 + 900);
    double.clock.advance(Duration::from_secs(900));
    assert_eq!(get(&double, &target).await.status, 200);

    let target = format!("{ALL}?query=bieber");
    assert_eq!(get(&double, &target).await.status, 200);
    let hurried = get(&double, &target).await;
    assert_eq!((hurried.status, hurried.headers["x-rate-limit-remaining"].as_str()), (429, "299"));
    double.clock.advance(Duration::from_secs(1));
    assert_eq!(get(&double, &target).await.status, 200);
}

#[tokio::test]
async fn counts_add_up() {
    let double = double().await;
    for (target, search) in [("/2/tweets/counts/recent", RECENT), ("/2/tweets/counts/all", ALL)] {
        let found = pages(&double, &format!("{search}?query=bieber&max_results=100")).await.len();
        for (granularity, width) in [("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000)] {
            let answer =
                get(&double, &format!("{target}?query=bieber&granularity={granularity}")).await.json();
            assert_eq!(answer["meta"]["total_tweet_count"], found);
            let rows = answer["data"].as_array().unwrap();
            assert_eq!(
                rows.iter().map(|row| row["tweet_count"].as_u64().unwrap()).sum::<u64>(),
                found as u64
            );
            let time = |row: &Value, name: &str| x_server::parse_time(row[name].as_str().unwrap()).unwrap();
            for (one, next) in rows.iter().zip(&rows[1..]) {
                assert_eq!(time(one, "end"), time(next, "start"));
                assert!(time(one, "end") - time(one, "start") <= width && time(one, "end") % width == 0);
            }
        }
    }
    let answer =
        get(&double, "/2/tweets/counts/recent?query=bieber&search_count.fields=post_count").await.json();
    assert!(answer["meta"]["total_post_count"].is_u64() && answer["data"][0]["post_count"].is_u64());
    let old = "/2/tweets/counts/all?query=bieber&granularity=day&start_time=2026-08-01T00:00:00Z";
    let first = get(&double, old).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 32, "31 days, the first and the last in part");
    let token = first["meta"]["next_token"].as_str().unwrap();
    let second = get(&double, &format!("{old}&next_token={token}")).await.json();
    assert_eq!(second["data"][31]["end"], first["data"][0]["start"]);
    assert_eq!(get(&double, "/2/tweets/counts/recent?query=bieber&granularity=week").await.status, 400);
}

#[tokio::test]
async fn rules_are_kept() {
    let limits = Limits { rules_cap: 3, ..Limits::off() };
    let double = XServer::builder().limits(limits).start().await.unwrap();
    let post = async |query: &str, body: Value| {
        send(&double, "POST", &format!("{RULES}{query}"), &body.to_string()).await
    };
    let list = async || get(&double, RULES).await.json();
    let empty = list().await;
    assert!(empty.get("data").is_none() && empty["meta"]["sent"].is_string());

    let tried = post("?dry_run=true", json!({"add": [{"value": "bieber", "tag": "a"}]})).await.json();
    assert_eq!((&tried["meta"]["summary"]["created"], tried["data"][0]["id"].is_string()), (&json!(1), true));
    assert!(list().await.get("data").is_none(), "a dry run changes nothing");

    let added = post("", json!({"add": [{"value": "bieber", "tag": "a"}, {"value": "foo:bar"}, {"value": "bieber"}, {"value": "lang:en"}]})).await.json();
    assert_eq!(added["meta"]["summary"], json!({"created": 1, "not_created": 3, "valid": 1, "invalid": 3}));
    let own = added["data"][0].clone();
    assert_eq!((&own["value"], &own["tag"]), (&json!("bieber"), &json!("a")));
    let errors = added["errors"].as_array().unwrap();
    let kinds: Vec<&str> =
        errors.iter().map(|error| error["type"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
    assert_eq!(kinds, ["invalid-rules", "duplicate-rules", "invalid-rules"]);
    assert_eq!(errors[1]["id"], own["id"]);

    let many: Vec<Value> = ["one", "two", "three"].iter().map(|word| json!({"value": word})).collect();
    let capped = post("", json!({"add": many})).await.json();
    assert!(capped["errors"][0]["type"].as_str().unwrap().ends_with("/rule-cap"));
    let page = get(&double, &format!("{RULES}?max_results=2")).await.json();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), page["meta"]["next_token"].as_str().unwrap().len()),
        (2, 16)
    );
    let token = page["meta"]["next_token"].as_str().unwrap();
    let rest = get(&double, &format!("{RULES}?max_results=2&pagination_token={token}")).await.json();
    assert_eq!(rest["data"][0]["value"], "two");
    let by_id = get(&double, &format!("{RULES}?ids={}", own["id"].as_str().unwrap())).await.json();
    assert_eq!(by_id["data"], json!([own]));
    let counts = get(&double, &format!("{RULES}/counts")).await.json();
    assert_eq!(counts["data"]["project_rules_count"], 3);

    let gone = post("", json!({"delete": {"ids": [own["id"], "17"], "values": ["two"]}})).await.json();
    assert_eq!(gone["meta"]["summary"], json!({"deleted": 2, "not_deleted": 1}));
    assert_eq!(post("?delete_all=true", json!({})).await.json()["meta"]["summary"]["deleted"], 1);
    assert!(list().await.get("data").is_none());
    for body in
        [json!({}), json!({"add": []}), json!({"delete": {}}), json!({"add": [], "delete": {}}), json!([])]
    {
        assert_eq!(post("", body).await.status, 400);
    }
    assert_eq!(post("?dry_run=maybe", json!({"add": [{"value": "a"}]})).await.status, 400);
    assert_eq!(send(&double, "DELETE", RULES, "").await.status, 404);
}

#[tokio::test]
async fn the_stream_delivers_what_the_rules_mean() {
    let double = double().await;
    assert_eq!(open(&double, STREAM).await.status, 409);
    let mut wire = stream(&double, "bieber").await;
    let body = json!({"add": [{"value": "justin lang:en"}]}).to_string();
    assert_eq!(send(&double, "POST", RULES, &body).await.status, 200);
    let coming = |id: &u64| x_server::id_time(*id) > x_server::parse_time("2026-11-20T12:00:00Z").unwrap();
    let mut want = double.matching("bieber", Place::Stream).unwrap();
    want.retain(coming);
    assert!(want.len() > 50);
    let lines = wire.lines(want.len()).await;
    let found: Vec<u64> = lines.iter().map(|line| id(line)).collect();
    assert_eq!(found, want);
    assert_eq!(double.ledger.streamed(), want.iter().map(|id| (*id, 1)).collect::<Vec<_>>());
    for line in &lines {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(names(&line), BTreeSet::from(["data", "matching_rules"]));
        assert_eq!(line["matching_rules"][0]["tag"], "test");
    }
    // Nothing is left: keep-alives, by the clock.
    assert!(wire.is_quiet().await);
    double.clock.advance(Duration::from_secs(20));
    assert_eq!(wire.chunk().await.unwrap(), b"\r\n");
    // What was streamed can be searched now.
    let target = format!("{RECENT}?query=bieber&since_id={}&until_id={}", want[0], want[9]);
    let searched = get(&double, &target).await.json();
    assert!(searched["meta"]["result_count"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn the_stream_can_keep_to_the_clock() {
    let double = XServer::builder().pace(Pace::Clock).start().await.unwrap();
    let mut wire = stream(&double, "bieber").await;
    assert!(wire.is_quiet().await);
    double.clock.advance(Duration::from_millis(400));
    let now = double.clock.now();
    let want = double
        .matching("bieber", Place::Stream)
        .unwrap()
        .into_iter()
        .filter(|id| (now - 399..=now).contains(&x_server::id_time(*id)));
    let want: Vec<u64> = want.collect();
    let found: Vec<u64> = wire.lines(want.len()).await.iter().map(|line| id(line)).collect();
    assert_eq!(found, want);
    assert!(wire.is_quiet().await);
}

#[tokio::test]
async fn one_stream_at_a_time() {
    let builder = XServer::builder().limits(Limits::off()).live(10).keep_alive(Duration::from_secs(1));
    let double = builder.clone().linger(Duration::from_secs(5)).start().await.unwrap();
    let wire = stream(&double, "bieber").await;
    let second = open(&double, STREAM).await.rest().await;
    assert_eq!(
        (second.status, second.json()["connection_issue"].as_str()),
        (429, Some("TooManyConnections"))
    );
    drop(wire);
    while double.open_streams() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(open(&double, STREAM).await.status, 429, "the old socket lingers");
    double.clock.advance(Duration::from_secs(5));
    let mut wire = open(&double, STREAM).await;
    assert_eq!(wire.status, 200);

    let list = get(&double, "/2/connections?connection.fields=client_ip").await.json();
    assert_eq!(list["data"][0]["endpoint_name"], "filtered_stream");
    let killed = send(&double, "DELETE", "/2/connections/filtered_stream", "").await.json();
    assert_eq!(killed["data"]["successful_kills"], 1);
    let mut last = Vec::new();
    let end = loop {
        match wire.chunk().await {
            Ok(chunk) => last = chunk,
            Err(end) => break end,
        }
    };
    assert_eq!(end, End::Whole);
    assert!(String::from_utf8(last).unwrap().contains("ForceDisconnect"));
    assert!(get(&double, "/2/connections").await.json().get("data").is_none());
    let inactive = get(&double, "/2/connections?status=inactive").await.json();
    assert_eq!(inactive["meta"]["result_count"], 2);
    let wire = open(&double, STREAM).await;
    let id = get(&double, "/2/connections").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"uuids": [id, "nothing"]}).to_string();
    let killed = send(&double, "DELETE", "/2/connections", &body).await.json();
    assert_eq!(
        (&killed["data"]["successful_kills"], &killed["data"]["failed_kills"]),
        (&json!(1), &json!(1))
    );
    drop(wire);

    let double = builder.replace_connections().start().await.unwrap();
    let mut first = stream(&double, "bieber").await;
    let mut second = open(&double, STREAM).await;
    while first.chunk().await.is_ok() {}
    assert_eq!(double.open_streams(), 1);
    double.clock.advance(Duration::from_secs(1));
    second.lines(1).await;
}

#[tokio::test]
async fn recovery_is_for_enterprise() {
    let plain = double().await;
    send(&plain, "POST", RULES, r#"{"add":[{"value":"bieber"}]}"#).await;
    for rest in ["backfill_minutes=5", "start_time=2026-11-20T06:00:00Z", "partition=1", "post.fields=id"] {
        assert_eq!(open(&plain, &format!("{STREAM}?{rest}")).await.status, 400, "{rest}");
    }
    let double = XServer::builder().enterprise().start().await.unwrap();
    send(&double, "POST", RULES, r#"{"add":[{"value":"bieber"}]}"#).await;
    let answer =
        get(&double, &format!("{STREAM}?start_time=2026-11-20T06:00:00Z&end_time=2026-11-20T09:00:00Z"))
            .await;
    assert_eq!((answer.status, answer.end), (200, End::Whole));
    let found: Vec<u64> = answer.text().lines().map(id).collect();
    let range = x_server::parse_time("2026-11-20T06:00:00Z").unwrap()
        ..x_server::parse_time("2026-11-20T09:00:00Z").unwrap();
    let mut want = double.matching("bieber", Place::Stream).unwrap();
    want.retain(|id| range.contains(&x_server::id_time(*id)));
    assert_eq!(found, want);
    double.clock.advance(Duration::from_secs(60));
    let mut wire = open(&double, &format!("{STREAM}?backfill_minutes=2")).await;
    assert!(x_server::id_time(id(&wire.lines(1).await[0])) < double.clock.now() - 50_000);
}

#[tokio::test]
async fn usage_counts_what_was_read() {
    let double = double().await;
    get(&double, &format!("{RECENT}?query=bieber&max_results=100")).await;
    let usage = get(&double, "/2/usage/tweets?usage.fields=daily_project_usage").await.json();
    assert_eq!(usage["data"]["project_usage"], 100);
    assert_eq!(usage["data"]["daily_project_usage"]["usage"][0]["usage"], 100);
}

#[tokio::test]
async fn a_corpus_comes_from_a_file() {
    let page = json!({"data": [{"id": "1800000000000000000", "text": "hello world", "author_id": "5", "post_note": 1,
            "referenced_posts": [{"type": "quoted", "id": "1700000000000000000"}], "public_metrics": {"repost_count": 3, "like_count": 1}}],
        "includes": {"users": [{"id": "5", "username": "Ana", "name": "Ana"}], "posts": [{"id": "1700000000000000000", "text": "hello old"}]},
        "meta": {"result_count": 1}});
    let line = json!({"data": {"id": "1800000000004194304", "text": "hello stream"}, "matching_rules": [{"id": 5, "tag": null}]});
    let plain = json!({"id": "1800000000008388608", "text": "hello plain"});
    let text = format!("{page}\n\r\n{line}\r\n{plain}\n{{\"meta\":{{\"result_count\":0}}}}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus.jsonl.gz");
    let mut file =
        flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();

    let double = XServer::builder().corpus(&path).live(1).start().await.unwrap();
    assert_eq!(
        double.matching("hello", Place::Search).unwrap().len(),
        3,
        "what is only included is not listed"
    );
    double.clock.advance(Duration::from_secs(60));
    let found = get(
        &double,
        &format!("{ALL}?query=hello&tweet.fields=public_metrics&expansions=author_id,referenced_tweets.id"),
    )
    .await
    .json();
    assert_eq!(found["meta"]["result_count"], 3);
    assert_eq!(found["data"][2]["public_metrics"]["retweet_count"], 3);
    assert_eq!(found["includes"]["tweets"][0]["text"], "hello old");
    assert_eq!(found["includes"]["users"][0]["username"], "Ana");

    let mixed = folder.path().join("mixed.jsonl");
    let lines = [
        "{\"id\":\"1800000000000000000\",\"text\":\"a\"}",
        "{\"text\":\"no id\"}",
        "{cut",
        "{\"id\":5,\"id_str\":\"5\"}",
        "",
    ];
    std::fs::write(&mixed, lines.join("\n")).unwrap();
    let double = XServer::builder().corpus(&mixed).start().await.unwrap();
    assert_eq!(double.skipped_lines, [2, 3, 4]);
    std::fs::write(&mixed, "{}").unwrap();
    assert!(XServer::builder().corpus(&mixed).start().await.is_err());
}

#[tokio::test]
async fn the_ledger_knows_every_request() {
    let double = double().await;
    get(&double, &format!("{RECENT}?query=bieber")).await;
    get(&double, &format!("{RECENT}?query=nothing:here")).await;
    Wire::send(&double.url, "GET", RULES, None, "").await.rest().await;
    let totals = double.ledger.totals();
    assert_eq!((totals.connections, totals.search, totals.distinct), (3, 10, 10));
    assert_eq!(totals.answers[&Endpoint::SearchRecent], [(200, 1), (400, 1)].into());
    let requests = double.ledger.requests();
    assert_eq!(
        (requests[0].user_agent.as_str(), requests[0].authorized, requests[2].authorized),
        ("wire-test", true, false)
    );
    assert_eq!(requests[0].query, [("query".to_owned(), "bieber".to_owned())]);
    assert!(!format!("{requests:?}").contains(&double.token), "the token is never kept");
}

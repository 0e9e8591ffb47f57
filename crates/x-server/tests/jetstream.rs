//! Jetstream v1.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{Wire, get};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use x_server::{Act, Cut, Endpoint, Fault, Pace, Refusal, Step, XServer};

type Socket = WebSocketStream<TcpStream>;

async fn connect(double: &XServer, query: &str) -> Socket {
    let tcp = TcpStream::connect(double.url.trim_start_matches("http://")).await.unwrap();
    let url = format!("{}?{query}", double.jetstream_url);
    tokio_tungstenite::client_async(url, tcp).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn take(socket: &mut Socket, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while all.len() < count {
        all.push(next(socket).await.unwrap());
    }
    all
}

#[tokio::test]
async fn events_are_jetstream_v1() {
    let double = XServer::builder().live(400).start().await.unwrap();
    let mut socket = connect(&double, "").await;
    let all = take(&mut socket, 400).await;
    let mut kinds = BTreeMap::new();
    let mut last = 0;
    for event in &all {
        let kind = event["kind"].as_str().unwrap();
        let operation = event["commit"]["operation"].as_str().unwrap_or("");
        *kinds.entry(format!("{kind} {operation}")).or_insert(0) += 1;
        assert!(
            event["did"].as_str().unwrap().starts_with("did:plc:")
                && event["did"].as_str().unwrap().len() == 32
        );
        let time = event["time_us"].as_i64().unwrap();
        assert!(time > last);
        last = time;
        if operation == "delete" {
            assert!(event["commit"].get("record").is_none() && event["commit"].get("cid").is_none());
        }
        if operation == "create" {
            assert_eq!(event["commit"]["record"]["$type"], event["commit"]["collection"]);
            assert_eq!(event["commit"]["rkey"].as_str().unwrap().len(), 13);
            assert_eq!(event["commit"]["cid"].as_str().unwrap().len(), 59);
        }
    }
    let names: BTreeSet<&str> = kinds.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        BTreeSet::from(["account ", "commit create", "commit delete", "commit update", "identity "])
    );
    for event in all.iter().filter(|event| event["commit"]["record"]["facets"].is_array()) {
        let text = event["commit"]["record"]["text"].as_str().unwrap();
        let facet = &event["commit"]["record"]["facets"][0];
        let at = |name: &str| usize::try_from(facet["index"][name].as_u64().unwrap()).unwrap();
        let part = &text.as_bytes()[at("byteStart")..at("byteEnd")];
        assert!(part.starts_with(b"#") || part.starts_with(b"https://"), "offsets are bytes");
    }
}

#[tokio::test]
async fn filters_and_cursor() {
    let double = XServer::builder().live(400).start().await.unwrap();
    let mut socket = connect(&double, "wantedCollections=app.bsky.feed.post").await;
    let posts = take(&mut socket, 200).await;
    let seen: BTreeSet<&str> =
        posts.iter().map(|event| event["commit"]["collection"].as_str().unwrap_or("none")).collect();
    assert_eq!(
        seen,
        BTreeSet::from(["app.bsky.feed.post", "none"]),
        "identity and account events come whatever the filter"
    );
    // The cursor is inclusive, and the same events come again.
    let cursor = posts[50]["time_us"].as_i64().unwrap();
    let mut again = connect(&double, &format!("wantedCollections=app.bsky.feed.post&cursor={cursor}")).await;
    assert_eq!(take(&mut again, 100).await, posts[50..150]);
    let mut none = connect(&double, "wantedCollections=app.bsky.feed.*&cursor=1").await;
    let oldest = next(&mut none).await.unwrap()["time_us"].as_i64().unwrap();
    assert!(oldest >= double.clock.now() * 1_000 - 36 * 3_600_000_000, "an old cursor is moved up");
    let did = posts[0]["did"].as_str().unwrap();
    let mut own = connect(&double, &format!("wantedDids={did}&cursor={}", posts[0]["time_us"])).await;
    assert_eq!(next(&mut own).await.unwrap(), posts[0]);
    let mut small = connect(&double, &format!("maxMessageSizeBytes=400&cursor={cursor}")).await;
    assert!(take(&mut small, 20).await.iter().all(|event| event.to_string().len() <= 400));
    assert!(double.ledger.posts().iter().any(|(_, times)| *times > 1));
}

#[tokio::test]
async fn options_can_change() {
    let double = XServer::builder().live(2_000).start().await.unwrap();
    let mut socket = connect(&double, "requireHello=true&cursor=1").await;
    let quiet = tokio::time::timeout(Duration::from_millis(100), socket.next()).await;
    assert!(quiet.is_err(), "nothing before the hello");
    let update = json!({"type": "options_update", "payload": {"wantedCollections": ["app.bsky.feed.like"], "maxMessageSizeBytes": 0}});
    socket.send(Message::text(update.to_string())).await.unwrap();
    let all = take(&mut socket, 30).await;
    assert!(
        all.iter()
            .all(|event| event["commit"].is_null() || event["commit"]["collection"] == "app.bsky.feed.like")
    );
    socket.send(Message::text("nonsense")).await.unwrap();
    while next(&mut socket).await.is_some() {}
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let double = XServer::builder().start().await.unwrap();
    for query in [
        "compress=true",
        "wantedCollections=posts",
        "cursor=now",
        "colour=red",
        &"wantedCollections=a.b&".repeat(101),
    ] {
        let tcp = TcpStream::connect(double.url.trim_start_matches("http://")).await.unwrap();
        let url = format!("{}?{query}", double.jetstream_url);
        let error = tokio_tungstenite::client_async(url, tcp).await.unwrap_err();
        assert!(error.to_string().contains("400"), "{query}: {error}");
    }
    assert_eq!(get(&double, "/subscribe").await.status, 426);
}

#[tokio::test]
async fn it_misbehaves_too() {
    let double = XServer::builder().live(500).pace(Pace::Flood).start().await.unwrap();
    let script = |steps| Fault::new(Endpoint::Jetstream, Act::Script(steps));
    double.faults.add(script(vec![Step::Tweets(5), Step::Line("{oops".to_owned()), Step::End]));
    let mut socket = connect(&double, "").await;
    let first = take(&mut socket, 5).await;
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("{oops"));
    assert_eq!(next(&mut socket).await, None);

    for cut in [Cut::Eof, Cut::Reset] {
        double.faults.add(script(vec![Step::Tweets(2), Step::Cut(cut)]));
        let mut socket = connect(&double, "").await;
        let two = take(&mut socket, 2).await;
        assert!(two[0]["time_us"].as_i64() > first[4]["time_us"].as_i64());
        let end = socket.next().await.unwrap().unwrap_err().to_string();
        assert!(end.contains("reset") || end.contains("Reset"), "{cut:?}: {end}");
    }
    double.faults.add(script(vec![Step::Tweets(4), Step::Repeat(3), Step::Oversize { bytes: 2 << 20 }]));
    let mut socket = connect(&double, "wantedCollections=app.bsky.feed.post").await;
    let mut all = Vec::new();
    loop {
        let event = next(&mut socket).await.unwrap();
        if event.get("padding").is_some() {
            break;
        }
        all.push(event);
    }
    assert_eq!(all.len(), 4);
    let again = next(&mut socket).await.unwrap();
    assert!(all.contains(&again), "the last few come once more");

    double.faults.add(Fault::new(
        Endpoint::Jetstream,
        Act::Refuse { with: Refusal::Status(503), rate: Default::default() },
    ));
    assert_eq!(Wire::send(&double.url, "GET", "/subscribe", None, "").await.status, 503);
}

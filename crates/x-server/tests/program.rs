//! The double as a program.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;

use common::{End, RECENT, Wire};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_x-server"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

async fn url(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    line.trim().strip_prefix("listening on ").unwrap().to_owned()
}

#[tokio::test]
async fn it_says_where_it_listens_and_takes_its_faults_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.json");
    std::fs::write(&faults, r#"[{"on": "search", "body": {"after": 9, "cut": "reset"}}]"#).unwrap();
    let faults = faults.to_str().unwrap();
    let mut child =
        start(&["--port", "0", "--seed", "3", "--tweets", "50", "--token", "own", "--faults", faults]);
    let url = url(&mut child).await;
    let target = format!("{RECENT}?query=bieber");
    let ask = async |token: &str| Wire::send(&url, "GET", &target, Some(token), "").await.rest().await;
    let cut = ask("Bearer own").await;
    assert_eq!((cut.status, cut.end, cut.body.len()), (200, End::Reset, 9));
    assert_eq!(ask(&format!("Bearer {}", x_server::TOKEN)).await.status, 401);
    assert_eq!(ask("Bearer own").await.json()["meta"]["result_count"], 10);
    let ledger = Wire::send(&url, "GET", "/_control/ledger", None, "").await.rest().await.json();
    assert_eq!(ledger["totals"]["answers"]["search_recent"], serde_json::json!({"200": 2, "401": 1}));
}

#[tokio::test]
async fn live_tweets_wait_for_the_first_listener() {
    let mut child = start(&["--tweets", "0", "--live", "20"]);
    let url = url(&mut child).await;
    // The clock ticks past the twenty, four milliseconds apart, and yet they are all delivered.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let token = format!("Bearer {}", x_server::TOKEN);
    let all =
        Wire::send(&url, "GET", "/_control/matching?query=bieber&place=stream", None, "").await.rest().await;
    let all: Vec<String> = serde_json::from_value(all.json()).unwrap();
    assert!(all.len() > 10);
    let rule = r#"{"add": [{"value": "bieber"}]}"#;
    let added = Wire::send(&url, "POST", common::RULES, Some(&token), rule).await;
    assert_eq!(added.status, 200);
    let mut wire = Wire::send(&url, "GET", common::STREAM, Some(&token), "").await;
    for (line, id) in wire.lines(all.len()).await.iter().zip(all) {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["data"]["id"], id.as_str());
    }
}

#[tokio::test]
async fn what_it_cannot_read_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.json");
    std::fs::write(&path, r#"[{"on": "nowhere"}]"#).unwrap();
    for (arguments, part) in [
        (["--faults", path.to_str().unwrap()], "faults.json"),
        (["--corpus", "/nothing/here.jsonl"], "/nothing/here.jsonl"),
        (["--now", "yesterday"], "YYYY-MM-DD"),
    ] {
        let done = start(&arguments).wait_with_output().await.unwrap();
        assert!(!done.status.success());
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains(part), "{said}");
    }
}

//! What a person reads when credentials, a plan or a query are wrong; and what nobody ever reads: the token.

use task::{Exit, Failure};
use x_server::{Act, Endpoint, Fault, RateHeaders, Refusal, XServer};

use crate::bench::Bench;

fn refused(with: Refusal) -> Failure {
    let bench = Bench::new(XServer::builder().tweets(100).live(0));
    bench.double.faults.add(Fault::new(Endpoint::Any, Act::Refuse { with, rate: RateHeaders::True }));
    bench.run(&["--source", "search"]).unwrap_err()
}

#[test]
fn errors_say_the_mend() {
    let refusals = [
        (Refusal::Unauthorized, Exit::Credentials),
        (Refusal::UnsupportedAuthentication, Exit::Credentials),
        (Refusal::ClientForbidden, Exit::Configuration),
        (Refusal::InvalidRequest, Exit::Usage),
        (Refusal::CreditsDepleted, Exit::Limit),
        (Refusal::UsageCapped, Exit::Limit),
    ];
    let mut all = Vec::new();
    for (refusal, exit) in refusals {
        let failure = refused(refusal);
        assert_eq!(failure.exit, exit);
        all.push(failure.to_string());
    }
    let bench = Bench::new(XServer::builder().tweets(100).live(0));
    for flags in [
        &["--source", "search", "--track", "..."][..],
        &["--source", "search", "--archive", "recent", "--until", "2026-11-01"],
        &["--source", "stream", "--since", "2026-11-20"],
        &["--source", "search", "--max-spend-usd", "0.01"],
        &["--source", "search", "--since", "2026-11-21"],
    ] {
        all.push(bench.run(flags).unwrap_err().to_string());
    }
    std::fs::write(bench.folder.path().join("token"), "\n").unwrap();
    all.push(bench.run(&["--source", "search"]).unwrap_err().to_string());
    insta::assert_snapshot!(all.join("\n\n"));
}

/// Nobody but X is spoken to: where a redirect points to, no connection arrives.
#[test]
fn a_redirect_takes_the_token_nowhere() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let there = format!("http://{}/2/tweets", other.local_addr().unwrap());
    for source in ["search", "stream"] {
        let bench = Bench::new(XServer::builder().tweets(100).live(0));
        bench.double.faults.add(Fault::new(Endpoint::Any, Act::Redirect(there.clone())).times(0));
        let failure = bench.run(&["--source", source]).unwrap_err();
        assert_eq!(failure.exit, Exit::Configuration, "{failure}");
        assert!(failure.hint.is_some());
        assert_eq!(bench.double.ledger.requests().len(), 1, "it is asked once");
    }
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// A wrong address, a redirect, a refusal: the token is in no message and no file.
#[test]
fn the_token_stands_nowhere() {
    let token = "canary-4f1c2e";
    let bench = Bench::new(XServer::builder().tweets(300).live(0).token(token));
    for act in [
        Act::Redirect("http://127.0.0.1:9".into()),
        Act::Refuse { with: Refusal::Unauthorized, rate: RateHeaders::True },
        Act::Refuse { with: Refusal::InvalidRequest, rate: RateHeaders::True },
    ] {
        bench.double.faults.add(Fault::new(Endpoint::Any, act));
        let failure = bench.run(&["--source", "search"]).unwrap_err();
        assert!(!format!("{failure} {failure:?}").contains(token));
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ingest"))
        .args(["--source", "search", "--lake", bench.lake().to_str().unwrap(), "--log", "debug"])
        .args(["--api-url", &bench.double.url])
        .env("X_BEARER_TOKEN", token)
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains(token));
    let grep =
        std::process::Command::new("grep").args(["-r", "-l", token]).arg(bench.lake()).output().unwrap();
    assert!(grep.stdout.is_empty());
}

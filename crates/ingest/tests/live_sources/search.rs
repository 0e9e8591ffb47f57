use task::Exit;
use x_server::{Act, Cut, Delivery, Dialect, Endpoint, Fault, Limits, Page, RateHeaders, Refusal, XServer};

use crate::bench::{Bench, QUERY, commits};

const SEARCH: &[&str] = &["--source", "search"];

fn faulty(fault: Act) -> Fault {
    Fault::new(Endpoint::Search, fault).skip(1)
}

fn refuse(with: Refusal) -> Fault {
    faulty(Act::Refuse { with, rate: RateHeaders::True })
}

#[test]
fn a_search_reads_all_there_is_in_both_dialects() {
    for (dialect, name) in [(Dialect::Tweet, "tweet"), (Dialect::Post, "post")] {
        let bench = Bench::new(XServer::builder().tweets(2_000).live(0).only(dialect));
        let summary = bench.run(&["--source", "search", "--dialect", name]).unwrap();
        let wanted = bench.past(QUERY);
        assert!(wanted.len() > 200, "{}", wanted.len());
        assert_eq!(bench.numbers(), wanted);
        assert_eq!((summary.consumed, summary.unique), (wanted.len() as u64, wanted.len() as u64));
        assert!(commits(&bench.lake()).iter().all(|c| c.via == "search" && c.source == "x"));
        // Authors came along.
        assert!(bench.manifest()["spend"]["users"].as_u64().unwrap() > 0);
    }
}

#[test]
fn a_finished_interval_reads_nothing_again() {
    let bench = Bench::new(XServer::builder().tweets(500).live(0));
    let flags = ["--source", "search", "--since", "2026-11-16", "--until", "2026-11-18"];
    let first = bench.run(&flags).unwrap();
    assert!(first.consumed > 0);
    let requests = bench.double.ledger.requests().len();
    let again = bench.run(&flags).unwrap();
    assert_eq!((again.consumed, again.records), (0, 0));
    assert_eq!(bench.double.ledger.requests().len(), requests);
}

/// Each fault of a page: nothing is lost, and the waits are those of its class (jitter adds a quarter at most).
#[test]
fn faults_of_search_heal_or_end_as_they_should() {
    type Case = (&'static str, Fault, &'static [u64], Option<Exit>);
    let after = |bytes: usize, cut: Cut| faulty(Act::Body(Delivery::cut(bytes, cut)));
    let cases: Vec<Case> = vec![
        ("cut", after(100, Cut::Eof), &[0], None),
        ("reset", after(100, Cut::Reset), &[0], None),
        ("stalled", after(100, Cut::Stall), &[0], None),
        ("slow trickle", faulty(Act::Body(Delivery::pieces(4_096))), &[], None),
        ("truncated JSON", faulty(Act::Page(Page::Truncated)), &[5], None),
        ("no answer", faulty(Act::Drop(Cut::Eof)), &[0], None),
        ("reset at once", faulty(Act::Drop(Cut::Reset)).times(3), &[0, 0, 0], None),
        ("500", refuse(Refusal::Status(500)), &[5], None),
        ("502 twice", refuse(Refusal::Status(502)).times(2), &[5, 10], None),
        ("503 provisioning", refuse(Refusal::Provisioning), &[5], None),
        ("error at 200", refuse(Refusal::Disguised), &[5], None),
        ("empty page with a token", faulty(Act::Page(Page::Empty)), &[], None),
        ("overlap", faulty(Act::Page(Page::Overlap(7))), &[], None),
        ("repeat", faulty(Act::Page(Page::Repeat)), &[], None),
        ("partial errors", faulty(Act::Page(Page::PartialErrors(3))), &[], None),
        ("the other dialect", faulty(Act::Page(Page::OtherDialect)), &[], None),
        ("bad rate headers", faulty(Act::Rate(RateHeaders::Garbled)), &[], None),
        (
            "rate limit without headers",
            faulty(Act::Refuse { with: Refusal::RateLimit, rate: RateHeaders::Absent }),
            &[60],
            None,
        ),
        (
            "reset in the past",
            faulty(Act::Refuse { with: Refusal::RateLimit, rate: RateHeaders::Past }),
            &[60],
            None,
        ),
        (
            "reset far ahead",
            faulty(Act::Refuse { with: Refusal::RateLimit, rate: RateHeaders::Far }),
            &[901],
            None,
        ),
        (
            "old rate limit",
            faulty(Act::Refuse { with: Refusal::LegacyRateLimit, rate: RateHeaders::Absent }),
            &[60],
            None,
        ),
        (
            "420",
            faulty(Act::Refuse { with: Refusal::EnhanceYourCalm, rate: RateHeaders::Absent }),
            &[60],
            None,
        ),
        ("one a second", refuse(Refusal::OnePerSecond), &[2], None),
        ("usage cap", refuse(Refusal::UsageCapped), &[], Some(Exit::Limit)),
        ("no credits", refuse(Refusal::CreditsDepleted), &[], Some(Exit::Limit)),
        ("401", refuse(Refusal::Unauthorized), &[], Some(Exit::Credentials)),
        ("403", refuse(Refusal::ClientForbidden), &[], Some(Exit::Configuration)),
        ("403 authentication", refuse(Refusal::UnsupportedAuthentication), &[], Some(Exit::Credentials)),
        ("400", refuse(Refusal::InvalidRequest), &[], Some(Exit::Usage)),
        ("redirect", faulty(Act::Redirect("http://127.0.0.1:9".into())), &[], Some(Exit::Configuration)),
        (
            "always 503",
            refuse(Refusal::Status(503)).times(0),
            &[5, 10, 20, 40, 80, 160, 320, 320, 320, 320, 320],
            Some(Exit::SourceUnavailable),
        ),
    ];
    for (name, fault, waits, exit) in cases {
        let bench = Bench::new(XServer::builder().tweets(1_200).live(0));
        bench.double.faults.add(fault);
        let ended = bench.run(SEARCH);
        let wanted = bench.past(QUERY);
        assert!(wanted.len() > 110, "{}", wanted.len());
        let waited = bench.waits();
        assert!(waited.len() >= waits.len(), "{name}: {waited:?}");
        for (got, least) in waited.iter().zip(waits) {
            assert!((*least..=least + least / 4).contains(got), "{name}: waited {waited:?}, not {waits:?}");
        }
        match (ended, exit) {
            (Ok(summary), None) => {
                assert_eq!(waited.len(), waits.len(), "{name}: {waited:?}");
                // The clock was moved by waiting: what was searchable at the start is there.
                let got = bench.numbers();
                assert!(got.iter().all(|id| wanted.contains(id)), "{name}");
                assert_eq!(got.len() as u64, summary.unique, "{name}");
                assert_eq!(got.len(), bench.double.ledger.served().len(), "{name}");
                assert_eq!(got, wanted, "{name}");
            }
            (Err(failure), Some(exit)) => {
                assert_eq!(failure.exit, exit, "{name}: {failure}");
                assert!(failure.hint.is_some(), "{name}");
                assert_eq!(
                    bench.numbers(),
                    bench.double.ledger.served(),
                    "{name}: what was paid for is committed"
                );
                assert_eq!(bench.manifest()["ended_by"], failure.message.as_str(), "{name}");
                // The way is free again: the next run brings the rest, and no page twice.
                bench.double.faults.set(Vec::new());
                bench.run(SEARCH).unwrap();
                assert_eq!(bench.numbers(), wanted, "{name}");
                assert!(bench.ids().values().all(|n| *n == 1), "{name}");
            }
            (ended, _) => panic!("{name}: {ended:?}"),
        }
    }
}

#[test]
fn a_circle_of_tokens_ends_with_69() {
    let bench = Bench::new(XServer::builder().tweets(1_200).live(0));
    bench.double.faults.add(faulty(Act::Page(Page::Loop)).times(0));
    assert_eq!(bench.run(SEARCH).unwrap_err().exit, Exit::SourceUnavailable);
    bench.double.faults.set(Vec::new());
    bench.run(SEARCH).unwrap();
    assert_eq!(bench.numbers(), bench.past(QUERY));
}

#[test]
fn money_ends_a_search_before_it_is_passed() {
    let bench = Bench::new(XServer::builder().tweets(2_000).live(0));
    let flags = ["--source", "search", "--max-spend-usd", "5"];
    let mut spent = 0.0;
    let failure = bench.run(&flags).unwrap_err();
    assert_eq!(failure.exit, Exit::Limit);
    spent += bench.manifest()["spend"]["usd"].as_f64().unwrap();
    // The same day it goes no further.
    let failure = bench.run(&flags).unwrap_err();
    assert_eq!(failure.exit, Exit::Limit);
    spent += bench.manifest()["spend"]["usd"].as_f64().unwrap();
    assert!(spent > 3.0 && spent <= 5.0, "{spent}");
    assert_eq!(bench.numbers(), bench.double.ledger.served());
    bench.run(SEARCH).unwrap();
    assert_eq!(bench.numbers(), bench.past(QUERY));
    assert!(bench.ids().values().all(|n| *n == 1));
}

#[test]
fn max_tweets_ends_as_asked_and_the_next_run_goes_on() {
    let bench = Bench::new(XServer::builder().tweets(1_200).live(0));
    let summary = bench.run(&["--source", "search", "--max-tweets", "120"]).unwrap();
    assert_eq!(summary.consumed, 120);
    bench.run(SEARCH).unwrap();
    assert_eq!(bench.numbers(), bench.past(QUERY));
    assert!(bench.ids().values().all(|n| *n == 1));
}

#[test]
fn the_full_archive_is_asked_once_a_second_and_by_default_for_old_times() {
    let bench = Bench::new(XServer::builder().tweets(2_000).live(0));
    let summary = bench.run(&["--source", "search", "--since", "2026-11-01"]).unwrap();
    assert!(summary.consumed > 0);
    assert!(bench.double.ledger.requests().iter().all(|r| r.path == "/2/tweets/search/all"));
    assert_eq!(bench.numbers(), bench.past(QUERY));
}

/// The archive breaks down under large pages: after a 503 they are smaller.
#[test]
fn the_full_archive_is_asked_for_less_after_a_failure() {
    let bench = Bench::new(XServer::builder().tweets(2_000).live(0));
    bench
        .double
        .faults
        .add(Fault::new(Endpoint::Any, Act::Refuse { with: Refusal::Status(503), rate: RateHeaders::True }));
    bench.run(&["--source", "search", "--archive", "all"]).unwrap();
    assert_eq!(bench.numbers(), bench.past(QUERY));
    let requests = bench.double.ledger.requests();
    let sizes = requests.iter().flat_map(|r| &r.query).filter(|(name, _)| name == "max_results");
    let sizes: Vec<&str> = sizes.map(|(_, value)| value.as_str()).collect();
    assert_eq!(sizes[..2], ["500", "100"]);
    assert!(sizes[2..].iter().all(|size| *size == "100"), "{sizes:?}");
}

#[test]
fn recent_search_is_clamped_and_the_loss_is_told() {
    let bench = Bench::new(XServer::builder().tweets(500).live(0));
    bench
        .run(&["--source", "search", "--archive", "recent", "--since", "2026-11-01", "--until", "2026-11-21"])
        .unwrap();
    let gaps = bench.manifest()["gaps"].clone();
    assert_eq!(gaps[0]["repaired"], false);
    assert_eq!(gaps[0]["since"], "2026-11-01T00:00:00.000000Z");
    let old = bench.run(&[
        "--source",
        "search",
        "--archive",
        "recent",
        "--since",
        "2026-11-01",
        "--until",
        "2026-11-02",
    ]);
    assert_eq!(old.unwrap_err().exit, Exit::Usage);
}

#[test]
fn a_dry_run_counts_and_spends_nothing_else() {
    let bench = Bench::new(XServer::builder().tweets(1_000).live(0));
    let args = bench.args(&["--source", "search", "--dry-run"]);
    let task = task::Task::new(&args.common, bench.stop.clone()).unwrap();
    let estimate =
        serde_json::to_value(ingest::estimate_by(&args, &task, bench.clock.clone()).unwrap()).unwrap();
    let tweets = bench.past(QUERY).len();
    assert_eq!(estimate["tweets"], tweets);
    assert_eq!((estimate["usd"][0].as_f64().unwrap() * 1e6).round(), tweets as f64 * 5_000.0);
    assert_eq!(bench.double.ledger.totals().search, 0);
    assert!(!bench.lake().exists());
}

/// Keywords that are too long together are asked for in turn; a tweet that fits several queries is read for each.
#[test]
fn many_keywords_are_several_queries() {
    let bench = Bench::new(XServer::builder().tweets(1_000).live(0));
    let file = bench.folder.path().join("keywords");
    let mut keywords: Vec<String> = (0..60).map(|n| format!("a phrase {n} that nobody says")).collect();
    keywords.extend(["Justin Bieber", "loaves", "crypto friends", "umbrella"].map(str::to_owned));
    std::fs::write(&file, keywords.join("\n")).unwrap();
    let flags = ["--source", "search", "--track-file", file.to_str().unwrap()];
    // In the middle of it the run ends, and the next one goes on with the query under way.
    bench.run(&[&flags[..], &["--max-tweets", "150"]].concat()).unwrap();
    bench.run(&flags).unwrap();
    let wanted = bench.past(r#""Justin Bieber" OR loaves OR "crypto friends" OR umbrella"#);
    assert_eq!(bench.numbers(), wanted);
    let requests = bench.double.ledger.requests();
    let asked = |request: &x_server::Request| {
        let query = request.query.iter().find(|(name, _)| name == "query").unwrap().1.clone();
        assert!(query.len() <= 512);
        query
    };
    let queries: std::collections::BTreeSet<String> = requests.iter().map(asked).collect();
    assert!(queries.len() > 3, "{queries:?}");
    let pages: u64 = bench.ids().values().map(|n| u64::from(*n)).sum();
    assert_eq!(pages, bench.double.ledger.totals().search, "what was served is kept, copies too");
    let failure = bench.run(&["--source", "search", "--track", &"long ".repeat(200)]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    insta::assert_snapshot!(failure);
}

/// A page that is cut anywhere is asked for again, and no part of it is kept.
#[test]
fn a_page_may_be_cut_anywhere() {
    let step = if std::env::var_os("OFFKEY_LONG").is_some() { 97 } else { 4_801 };
    let all: Vec<usize> = (0..100).chain((100..200_000).step_by(step)).collect();
    // So many failures in a row are borne with.
    for places in all.chunks(120) {
        let bench = Bench::new(XServer::builder().tweets(300).live(0).limits(Limits::off()));
        let cut = |bytes: &usize| faulty(Act::Body(Delivery::cut(*bytes, [Cut::Eof, Cut::Reset][bytes % 2])));
        bench.double.faults.set(places.iter().map(cut).collect());
        bench.run(SEARCH).unwrap();
        assert_eq!(bench.numbers(), bench.past(QUERY), "{places:?}");
        assert!(bench.ids().values().all(|n| *n == 1), "{places:?}");
    }
}

/// Two runs of one question at once: one is told to stand back, nothing is lost, and each tweet is there once or twice.
#[test]
fn two_searches_at_once_lose_nothing() {
    let bench = Bench::new(XServer::builder().tweets(1_200).live(0).limits(Limits::off()));
    let ends = std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| bench.run(SEARCH)));
        runs.map(|run| run.join().unwrap())
    });
    for end in ends {
        assert!(end.as_ref().err().is_none_or(|failure| failure.exit == Exit::Conflict), "{end:?}");
    }
    bench.run(SEARCH).unwrap();
    assert_eq!(bench.numbers(), bench.past(QUERY));
    assert!(bench.ids().values().all(|n| *n <= 3));
}

/// The interval is asked for in whole seconds, and ends where X has indexed everything.
#[test]
fn the_interval_becomes_what_x_takes() {
    let bench = Bench::new(XServer::builder().tweets(500).live(0));
    bench.run(&["--source", "search", "--since", "2026-11-18", "--until", "2026-11-21"]).unwrap();
    bench.run(&["--source", "search", "--since", "2026-11-17", "--until", "2026-11-18"]).unwrap();
    let asked = |request: &x_server::Request, name: &str| {
        request.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone()).unwrap()
    };
    let mut windows: Vec<[String; 2]> = bench
        .double
        .ledger
        .requests()
        .iter()
        .map(|request| ["start_time", "end_time"].map(|name| asked(request, name)))
        .collect();
    windows.dedup();
    assert_eq!(
        windows,
        [["2026-11-18T00:00:00Z", "2026-11-20T11:59:30Z"], ["2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z"]]
    );
}

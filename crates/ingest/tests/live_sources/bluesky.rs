use std::collections::BTreeSet;

use task::Exit;
use x_server::{Act, Cut, Endpoint, Fault, Place, RateHeaders, Refusal, Step, XServer};

use crate::bench::{Bench, QUERY, commits};

const RUN: &[&str] = &["--source", "bluesky"];

fn posts(bench: &Bench) -> BTreeSet<String> {
    bench.ids().into_keys().collect()
}

/// What a double without faults gives to the same question.
fn wanted(flags: &[&str]) -> BTreeSet<String> {
    let bench = Bench::new(XServer::builder().tweets(4_000).live(0));
    bench.run(&[RUN, flags].concat()).unwrap();
    posts(&bench)
}

#[test]
fn the_last_day_is_replayed_and_only_the_keywords_kept() {
    let bench = Bench::new(XServer::builder().tweets(4_000).live(0));
    let failure = bench.run(&["--source", "bluesky", "--since", "2026-11-20T08"]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage, "--since begins a partition of the lake");
    let summary = bench.run(&["--source", "bluesky", "--since", "2026-11-20"]).unwrap();
    let found = bench.double.matching(QUERY, Place::Stream).unwrap();
    assert!(!found.is_empty());
    assert!(summary.consumed > 0 && summary.unmatched > 0);
    assert_eq!(summary.records, summary.consumed + summary.unmatched + summary.notices.values().sum::<u64>());
    assert!(commits(&bench.lake()).iter().all(|c| c.via == "bluesky" && c.source == "bluesky"));
    // Deletes are kept for clean.
    assert!(bench.lake().join("_meta/tombstones").exists());
}

#[test]
fn faults_of_jetstream_lose_nothing() {
    let all = wanted(&["--since", "2026-11-20"]);
    let script = |steps: Vec<Step>| vec![Fault::new(Endpoint::Jetstream, Act::Script(steps))];
    for (name, faults) in [
        ("end of file", script(vec![Step::Tweets(50), Step::Cut(Cut::Eof)])),
        ("reset", script(vec![Step::Tweets(50), Step::Cut(Cut::Reset)])),
        ("silence", script(vec![Step::Tweets(50), Step::Cut(Cut::Stall)])),
        ("close", script(vec![Step::Tweets(50), Step::End])),
        ("no JSON", script(vec![Step::Tweets(5), Step::Line("no JSON".into()), Step::Tweets(5)])),
        (
            "pings only",
            script(vec![Step::Tweets(5), Step::KeepAlives { count: 3, every: 20 }, Step::Tweets(5)]),
        ),
        ("copies", script(vec![Step::Tweets(50), Step::Repeat(10)])),
        (
            "refused",
            vec![
                Fault::new(
                    Endpoint::Jetstream,
                    Act::Refuse { with: Refusal::Status(503), rate: RateHeaders::Absent },
                )
                .times(2),
            ],
        ),
        ("dropped", vec![Fault::new(Endpoint::Jetstream, Act::Drop(Cut::Reset)).times(3)]),
    ] {
        let bench = Bench::new(XServer::builder().tweets(4_000).live(0));
        bench.double.faults.set(faults);
        bench
            .run(&["--source", "bluesky", "--since", "2026-11-20"])
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(posts(&bench) == all, "{name}: {} of {}", posts(&bench).len(), all.len());
    }
}

#[test]
fn the_next_run_goes_on_where_the_last_one_ended() {
    let bench = Bench::new(XServer::builder().tweets(4_000).live(0));
    bench.run(&["--source", "bluesky", "--since", "2026-11-20", "--max-tweets", "5"]).unwrap();
    assert!(posts(&bench).len() >= 5);
    bench.run(&["--source", "bluesky", "--since", "2026-11-20"]).unwrap();
    assert!(posts(&bench) == wanted(&["--since", "2026-11-20"]));
}

/// Jetstream keeps 36 hours, and moves older cursors up without a word: we say it.
#[test]
fn what_jetstream_keeps_no_more_is_a_gap() {
    let bench = Bench::new(XServer::builder().tweets(2_000).live(0));
    bench.run(RUN).unwrap();
    assert_eq!(bench.manifest()["gaps"].as_array().unwrap().len(), 0);
    bench.double.clock.advance(std::time::Duration::from_secs(3 * 86_400));
    bench.run(RUN).unwrap();
    let gaps = bench.manifest()["gaps"].clone();
    assert_eq!((gaps.as_array().unwrap().len(), gaps[0]["repaired"].as_bool()), (1, Some(false)), "{gaps}");
    assert!((35 * 3_600..37 * 3_600).contains(&gaps[0]["seconds"].as_i64().unwrap()), "{gaps}");
}

#[test]
fn no_match_is_no_failure() {
    let bench = Bench::new(XServer::builder().tweets(1_000).live(0));
    let summary = bench.run(&["--source", "bluesky", "--track", "a phrase that nobody says"]).unwrap();
    assert_eq!((summary.consumed, summary.partitions), (0, 0));
    assert!(bench.lake().join("_meta/lake.json").exists());
}

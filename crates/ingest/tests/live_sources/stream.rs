use std::collections::BTreeSet;

use serde_json::json;
use task::Exit;
use x_server::{Act, Builder, Cut, Dialect, Endpoint, Fault, Place, RateHeaders, Refusal, Step, XServer};

use crate::bench::{Bench, commits};

/// Retweets are in its search results, so that every gap can be filled.
fn double() -> Builder {
    XServer::builder().tweets(300).live(600).search_retweets()
}

fn script(steps: Vec<Step>) -> Fault {
    Fault::new(Endpoint::Stream, Act::Script(steps))
}

fn refuse(with: Refusal, rate: RateHeaders) -> Fault {
    Fault::new(Endpoint::Stream, Act::Refuse { with, rate })
}

fn disconnect(kind: &str, envelope: bool) -> Fault {
    script(vec![Step::Tweets(9), Step::Disconnect { kind: kind.into(), envelope }, Step::Miss(3), Step::End])
}

/// Everything that came, or could be repaired, is in the lake.
fn complete(bench: &Bench, live: &[u64], name: &str) {
    let got: BTreeSet<u64> = bench.numbers().into_iter().collect();
    let found: BTreeSet<u64> =
        bench.double.matching(crate::bench::QUERY, Place::Search).unwrap().into_iter().collect();
    let lost: Vec<&u64> = live.iter().filter(|id| !got.contains(id)).collect();
    // What only the stream's wider operators match, search cannot bring back.
    assert!(lost.iter().all(|id| !found.contains(id)), "{name}: lost {} of {}", lost.len(), live.len());
}

#[test]
fn a_stream_keeps_what_comes_and_only_ours() {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    assert!(live.len() > 60, "{}", live.len());
    let summary = bench.stream(&[]).unwrap();
    assert_eq!(bench.numbers(), live);
    assert_eq!((summary.consumed, summary.unmatched), (live.len() as u64, 0));
    assert!(commits(&bench.lake()).iter().all(|c| c.via == "stream"));
    assert_eq!(bench.manifest()["connects"], 1);
}

type Case = (&'static str, Vec<Fault>, usize, &'static [u64]);

/// Each fault, how many connects it takes, and the waits that are among those waited for.
fn faults() -> Vec<Case> {
    use RateHeaders::{Absent, Far, Garbled, Past, True};
    use Step::{Cut as CutOff, End, HalfThen, KeepAlives, Miss, Silence, Tweets};
    let cut = |cut: Cut| vec![script(vec![Tweets(9), Miss(4), CutOff(cut)])];
    let half = |cut: Cut| vec![script(vec![Tweets(9), HalfThen(cut)])];
    let message = |value| vec![script(vec![Tweets(3), Step::Message(value), Tweets(3)])];
    // Tweets that come before the first connection are nobody's.
    let after = |fault: Fault| vec![script(vec![Tweets(9), End]), fault];
    vec![
        ("end of file", cut(Cut::Eof), 2, &[0]),
        ("reset", cut(Cut::Reset), 2, &[0]),
        ("silence without an end", cut(Cut::Stall), 2, &[0]),
        ("half a tweet, end of file", half(Cut::Eof), 2, &[0]),
        ("half a tweet, reset", half(Cut::Reset), 2, &[0]),
        ("half a tweet, silence", half(Cut::Stall), 2, &[0]),
        ("clean end", vec![script(vec![Tweets(9), Miss(4), End])], 2, &[0]),
        (
            "clean end ten times",
            vec![script(vec![KeepAlives { count: 1, every: 0 }, End]).times(10)],
            11,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        (
            "accepted and closed ten times",
            vec![script(vec![Tweets(9), End]), script(vec![CutOff(Cut::Eof)]).times(10)],
            12,
            &[0, 0, 0, 0, 1, 1, 1, 2, 2],
        ),
        (
            "keep-alives only",
            vec![script(vec![Tweets(3), KeepAlives { count: 5, every: 20 }, Tweets(3)])],
            1,
            &[],
        ),
        (
            "40 s of silence",
            vec![script(vec![Tweets(9), Miss(2), Silence { seconds: 40 }, Tweets(2)])],
            2,
            &[0],
        ),
        ("one byte at a time", vec![script(vec![Step::Pieces { tweets: 5, bytes: 1, pause_ms: 0 }])], 1, &[]),
        ("split inside a character", vec![script(vec![Step::SplitCharacter, Tweets(2)])], 1, &[]),
        ("split inside the line end", vec![script(vec![Step::SplitLineEnd, Tweets(2)])], 1, &[]),
        ("three in one write", vec![script(vec![Step::Together(3)])], 1, &[]),
        ("integer rule ids and no tags", vec![script(vec![Step::OddRules(9)])], 1, &[]),
        ("the other dialect", vec![script(vec![Step::Dialect { names: Dialect::Post, tweets: 9 }])], 1, &[]),
        ("partial errors", vec![script(vec![Step::PartialErrors(9)])], 1, &[]),
        ("edits", vec![script(vec![Tweets(2), Step::Edits(3), Tweets(2)])], 1, &[]),
        ("copies", vec![script(vec![Tweets(9), Step::Repeat(5)])], 1, &[]),
        (
            "a line of 5 MB",
            vec![script(vec![Tweets(3), Step::Oversize { bytes: 5 << 20 }, Tweets(3)])],
            1,
            &[],
        ),
        (
            "no JSON",
            vec![script(vec![Tweets(3), Step::Line("{\"data\":{\"id\":".into()), Tweets(3)])],
            1,
            &[],
        ),
        ("an unknown message", message(json!({"new": {"kind": "of message"}})), 1, &[]),
        ("a notice of v1.1", message(json!({"limit": {"track": 5}})), 1, &[]),
        ("operational disconnect", vec![disconnect("OperationalDisconnect", true)], 2, &[0]),
        ("without its envelope", vec![disconnect("UpstreamOperationalDisconnect", false)], 2, &[0]),
        ("slow reader", vec![disconnect("SlowReader", true)], 2, &[0]),
        ("invalid rules", vec![disconnect("InvalidRules", true)], 2, &[0]),
        (
            "refused connection",
            after(Fault::new(Endpoint::Stream, Act::Drop(Cut::Reset)).times(3)),
            5,
            &[0, 0, 0],
        ),
        ("no answer", after(Fault::new(Endpoint::Stream, Act::Hang { seconds: 40 })), 3, &[0, 0]),
        ("500 twice", after(refuse(Refusal::Status(500), True).times(2)), 4, &[0, 5, 10]),
        ("provisioning", after(refuse(Refusal::Provisioning, True)), 3, &[0, 5]),
        (
            "too many connections",
            after(refuse(Refusal::TooManyConnections, True).times(3)),
            5,
            &[0, 5, 10, 15],
        ),
        ("rate limit, no headers", after(refuse(Refusal::RateLimit, Absent)), 3, &[0, 60]),
        ("rate limit, bad headers", after(refuse(Refusal::RateLimit, Garbled)), 3, &[0, 60]),
        ("rate limit, reset past", after(refuse(Refusal::RateLimit, Past)), 3, &[0, 60]),
        ("rate limit, reset in three hours", after(refuse(Refusal::RateLimit, Far)), 3, &[0, 901]),
        ("old rate limit", after(refuse(Refusal::LegacyRateLimit, Absent)), 3, &[0, 60]),
        ("no rules", after(refuse(Refusal::NoRules, True)), 3, &[0]),
        ("an error at 200", after(refuse(Refusal::Disguised, True)), 3, &[0, 0]),
    ]
}

#[test]
fn faults_of_the_stream_lose_nothing() {
    for (name, faults, connects, waits) in faults() {
        one_fault(name, &faults, connects, waits);
    }
}

fn one_fault(name: &str, faults: &[Fault], connects: usize, waits: &[u64]) {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    bench.double.faults.set(faults.to_vec());
    let summary = bench.stream(&[]).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    complete(&bench, &live, name);
    let got: BTreeSet<u64> = bench.numbers().into_iter().collect();
    assert!(
        bench.double.ledger.served().iter().all(|id| got.contains(id)),
        "{name}: what was served is there"
    );
    assert_eq!(bench.double.ledger.count(Endpoint::Stream), connects, "{name}: connects");
    let waited = bench.waits();
    let mut rest = waited.iter();
    for least in waits {
        let found = rest.any(|got| (*least..=least + least / 4).contains(got));
        assert!(found, "{name}: waited {waited:?}, not {waits:?}");
    }
    let held: u64 = bench.ids().values().map(|n| u64::from(*n)).sum();
    assert_eq!(held, summary.consumed, "{name}");
    let manifest = bench.manifest();
    for gap in manifest["gaps"].as_array().unwrap() {
        assert_eq!(gap["repaired"], true, "{name}: {gap}");
    }
}

#[test]
fn what_waiting_does_not_heal_ends_the_stream() {
    for (refusal, exit) in [
        (Refusal::UsageCapped, Exit::Limit),
        (Refusal::CreditsDepleted, Exit::Limit),
        (Refusal::Unauthorized, Exit::Credentials),
        (Refusal::ClientForbidden, Exit::Configuration),
        (Refusal::UnsupportedAuthentication, Exit::Credentials),
        (Refusal::InvalidRequest, Exit::Usage),
    ] {
        let bench = Bench::new(double());
        bench.double.faults.add(script(vec![Step::Tweets(20), Step::End]));
        bench.double.faults.add(refuse(refusal, RateHeaders::True).times(0));
        let failure = bench.stream(&[]).unwrap_err();
        assert_eq!(failure.exit, exit, "{refusal:?}");
        assert!(failure.hint.is_some());
        // One more try is one too many.
        assert_eq!(bench.double.ledger.count(Endpoint::Stream), 2, "{refusal:?}");
        assert_eq!(bench.numbers(), bench.double.ledger.served(), "{refusal:?}");
    }
}

#[test]
fn retweets_of_a_gap_are_told_as_lost() {
    let bench = Bench::new(XServer::builder().tweets(300).live(600));
    let live = bench.live(Place::Stream);
    bench.double.faults.add(script(vec![Step::Tweets(20), Step::Miss(20), Step::End]));
    bench.stream(&[]).unwrap();
    let got = bench.numbers();
    let gaps = bench.manifest()["gaps"].clone();
    assert_eq!(gaps.as_array().unwrap().len(), 1);
    assert_eq!(gaps[0]["why"], "no connection; search has no retweets");
    assert!(gaps[0]["seconds"].as_i64().unwrap() > 0 && gaps[0]["tweets"].as_u64().unwrap() > 0);
    assert!(got.len() <= live.len() && got.len() >= live.len() - 20);
    assert!(commits(&bench.lake()).iter().any(|c| c.via == "repair"));
}

#[test]
fn the_next_run_fills_the_time_between() {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    bench.stream(&["--max-tweets", "20"]).unwrap();
    let first = bench.numbers();
    assert!(first.len() >= 20);
    // Nobody listens for a day.
    bench.double.clock.advance(std::time::Duration::from_secs(86_400));
    bench.stream(&[]).unwrap();
    complete(&bench, &live, "a day away");
    let gaps = bench.manifest()["gaps"].clone();
    assert_eq!((gaps.as_array().unwrap().len(), &gaps[0]["repaired"]), (1, &json!(true)));
}

#[test]
fn only_our_rules_are_touched() {
    let bench = Bench::new(double());
    let client = |body: &str| {
        let url = format!("{}/2/tweets/search/stream/rules", bench.double.url);
        let body = body.to_owned();
        let token = bench.double.token.clone();
        bench.block_on(async move {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client
                .post(url)
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
        })
    };
    client(
        r#"{"add":[{"value":"weather","tag":"of another program"},{"value":"old news","tag":"offkey:0123"}]}"#,
    );
    bench.stream(&["--max-tweets", "5"]).unwrap();
    // A trial, a removal, an addition, and nothing at all the second time.
    let changes = || bench.double.ledger.count(Endpoint::RulesChange);
    assert_eq!(changes(), 1 + 3);
    bench.stream(&["--max-tweets", "5"]).unwrap();
    assert_eq!(changes(), 1 + 3);
    let again = client(r#"{"add":[{"value":"weather"},{"value":"\"Justin Bieber\""},{"value":"old news"}]}"#);
    assert_eq!(again.matches("DuplicateRule").count(), 2, "{again}");
}

#[test]
fn an_invalid_rule_is_refused_in_the_words_of_x() {
    let bench = Bench::new(double());
    let failure = bench.stream(&["--track", "has:links"]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    insta::assert_snapshot!(failure);
}

#[test]
fn money_ends_a_stream() {
    let bench = Bench::new(XServer::builder().tweets(300).live(3_000).search_retweets());
    let failure = bench.stream(&["--max-spend-usd", "3"]).unwrap_err();
    assert_eq!(failure.exit, Exit::Limit);
    let spent = bench.manifest()["spend"]["usd"].as_f64().unwrap();
    assert!(spent > 2.0 && spent <= 3.0, "{spent}");
}

/// A gap is filled from the same purse as the stream, and both together stay within it.
#[test]
fn money_ends_a_stream_and_its_repair_together() {
    for limit in [2_u32, 4, 6, 8] {
        let bench = Bench::new(XServer::builder().tweets(300).live(3_000).search_retweets());
        bench.double.faults.add(script(vec![Step::Tweets(20), Step::Miss(2_000), Step::End]));
        let failure = bench.stream(&["--max-spend-usd", &limit.to_string()]).unwrap_err();
        assert_eq!(failure.exit, Exit::Limit, "{limit}");
        let spent = bench.manifest()["spend"]["usd"].as_f64().unwrap();
        assert!(spent <= f64::from(limit), "{spent} of {limit}");
        assert!(spent > f64::from(limit) / 4.0, "{spent} of {limit}");
    }
}

#[test]
fn a_signal_commits_what_is_held() {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    let stop = bench.stop.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while bench.double.ledger.served().len() < live.len() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            // What is on its way arrives: no time goes by before.
            let arrived = bench.clock.gone();
            while bench.clock.gone() == arrived {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            stop.request();
        });
        let failure = bench.run(&["--source", "stream"]).unwrap_err();
        assert_eq!(failure.exit, Exit::Terminated);
    });
    assert_eq!(bench.numbers(), live);
}

/// X takes 1,000 rules: more keywords than that share rules.
#[test]
fn more_keywords_than_rules_share_rules() {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    let file = bench.folder.path().join("keywords");
    let mut keywords: Vec<String> = (0..1_100).map(|n| format!("a phrase {n} that nobody says")).collect();
    keywords.push("Justin Bieber".into());
    std::fs::write(&file, keywords.join("\n")).unwrap();
    bench.stream(&["--track-file", file.to_str().unwrap()]).unwrap();
    assert_eq!(bench.numbers(), live);
}

/// Cut at every byte of a line (at each 67th in the ordinary round): nothing is lost, nothing is made of the pieces.
#[test]
fn a_stream_may_be_cut_anywhere() {
    let step = if std::env::var_os("OFFKEY_LONG").is_some() { 1 } else { 67 };
    let all: Vec<usize> = (0..2_000).step_by(step).collect();
    let mut rejected = 0;
    // X grants 50 connects in a quarter of an hour; beyond them the stream would be over before the next.
    for places in all.chunks(40) {
        let bench = Bench::new(double());
        let live = bench.live(Place::Stream);
        let cut = |bytes: &usize| {
            let how = [Cut::Eof, Cut::Reset][bytes % 2];
            script(vec![Step::Tweets(1), Step::PartThen { bytes: *bytes, cut: how }])
        };
        bench.double.faults.set(places.iter().map(cut).collect());
        let name = format!("cut behind bytes {places:?}");
        // However many lines are cut, they are no fault of the source.
        let summary =
            bench.stream(&["--max-reject-rate", "0"]).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        complete(&bench, &live, &name);
        assert!(bench.numbers().iter().all(|id| live.contains(id)), "{name}");
        assert_eq!(bench.double.ledger.count(Endpoint::Stream), places.len() + 1, "{name}");
        let pieces: u64 = summary.rejected.values().sum();
        assert!(pieces <= places.len() as u64, "{name}: {pieces}");
        rejected += pieces;
    }
    // The others were nothing, or whole.
    assert!(rejected > all.len() as u64 / 3, "{rejected}");
}

/// Lines that X itself spoilt count; what was paid for is committed all the same.
#[test]
fn a_stream_of_bad_lines_ends_with_65_and_keeps_the_good_ones() {
    let bench = Bench::new(double());
    let live = bench.live(Place::Stream);
    let spoilt = || Step::Line("{\"data\":{\"id\":".into());
    bench.double.faults.add(script((0..5).flat_map(|_| [Step::Tweets(1), spoilt()]).collect()));
    let failure = bench.stream(&["--max-reject-rate", "0.001"]).unwrap_err();
    assert_eq!(failure.exit, Exit::BadInput, "{failure}");
    assert_eq!(bench.numbers(), live);
    assert_eq!(bench.manifest()["rejected"].as_object().unwrap().values().next().unwrap(), 5);
}

/// The answer to a change of the rules is lost: it was made, and making it again does no harm.
#[test]
fn lost_answers_about_rules_do_no_harm() {
    for skip in 0..3 {
        let bench = Bench::new(double());
        let live = bench.live(Place::Stream);
        // Rules of an earlier question are in the way.
        bench.double.faults.add(refuse(Refusal::Unauthorized, RateHeaders::True));
        bench.run(&["--source", "stream", "--track", "weather"]).unwrap_err();
        for endpoint in [Endpoint::Rules, Endpoint::RulesChange] {
            let lost = Act::Body(x_server::Delivery::cut(0, Cut::Eof));
            bench.double.faults.add(Fault::new(endpoint, lost).skip(skip));
        }
        bench.stream(&[]).unwrap();
        complete(&bench, &live, "lost answers about rules");
    }
}

/// X still counts a connection that its client has left: it is asked to close it.
#[test]
fn an_old_connection_that_lingers_is_closed() {
    let bench = Bench::new(double().linger(std::time::Duration::from_secs(3_600)));
    let live = bench.live(Place::Stream);
    bench.double.faults.add(script(vec![Step::Tweets(9), Step::Cut(Cut::Stall)]));
    bench.stream(&[]).unwrap();
    complete(&bench, &live, "a connection that lingers");
    assert_eq!(bench.double.ledger.count(Endpoint::Connections), 1);
    let waits = bench.waits();
    for (got, least) in waits.iter().zip([0, 5, 10, 15, 20]) {
        assert!((least..=least + least / 4).contains(got), "{waits:?}");
    }
}

/// After more than a week search has not all that was missed: what is lost is told, the rest is read.
#[test]
fn a_gap_of_more_than_a_week_is_told() {
    let bench = Bench::new(double());
    bench.stream(&["--max-tweets", "20"]).unwrap();
    bench.double.clock.advance(std::time::Duration::from_secs(8 * 86_400));
    bench.run(&["--source", "stream", "--for", "120s"]).unwrap();
    let gaps = bench.manifest()["gaps"].clone();
    let [lost, searched] = gaps.as_array().unwrap().as_slice() else { panic!("{gaps}") };
    assert_eq!((&lost["repaired"], &searched["repaired"]), (&json!(false), &json!(true)), "{gaps}");
    assert!((86_000..92_000).contains(&lost["seconds"].as_i64().unwrap()), "{gaps}");
}

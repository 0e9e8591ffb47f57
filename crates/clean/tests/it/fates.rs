//! Fates against a reference that was written from the rules alone, tweet by tweet.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::lakes::{DAY, TestLake, counts, id, instants, second, texts, tweet};

/// Originals have the numbers below this, retweets those from here on; a retweet is always of the same original.
const ORIGINALS: u64 = 6;
const NUMBERS: u64 = 14;

/// How a retweet tells its original.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// With the whole original, its text full.
    Carried,
    /// With the original, its text cut.
    CarriedCut,
    /// By its id alone, the text whole.
    Bare,
    /// By its id alone, the text cut.
    BareCut,
}

/// One line of raw.
#[derive(Clone, Debug)]
struct Line {
    number: u64,
    part: usize,
    /// Of the tweet, or of the original that is carried.
    cut: bool,
    tells_author: bool,
    tells_edits: bool,
    withheld: bool,
    form: Form,
}

/// What hides.
#[derive(Clone, Debug, Default)]
struct Hidden {
    numbers: Vec<u64>,
    authors: Vec<u64>,
}

fn author(number: u64) -> u64 {
    7_000_000 + number / 2
}

fn original(number: u64) -> Option<u64> {
    (number >= ORIGINALS).then_some(number % ORIGINALS)
}

/// Tweets 0, 1 and 2 are versions of one tweet, and so are 3 and 4.
fn versions(number: u64) -> Vec<u64> {
    match number {
        0..=2 => (0..=number).collect(),
        3 | 4 => (3..=number).collect(),
        other => vec![other],
    }
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let form = prop::sample::select(vec![Form::Carried, Form::CarriedCut, Form::Bare, Form::BareCut]);
    let rarely = || prop::bool::weighted(0.06);
    let line =
        (0..NUMBERS, 0..4_usize, any::<bool>(), prop::bool::weighted(0.7), any::<bool>(), rarely(), form);
    let line = line.prop_map(|(number, part, cut, tells_author, tells_edits, withheld, form)| Line {
        number,
        part,
        cut,
        tells_author,
        tells_edits,
        withheld,
        form,
    });
    prop::collection::vec(line, 1..40)
}

fn hidden() -> impl Strategy<Value = Hidden> {
    let some = |from: u64, to: u64| prop::collection::vec(from..to, 0..2);
    let none = Just(Hidden::default());
    let both = (some(0, NUMBERS), some(0, NUMBERS / 2));
    let both =
        both.prop_map(|(numbers, a)| Hidden { numbers, authors: a.iter().map(|a| author(a * 2)).collect() });
    prop_oneof![none, both]
}

/// The tweet of a number, as a line says it.
fn shown(number: u64, line: &Line, cut: bool) -> Value {
    let mut it = tweet(id(number), author(number), &format!("words of tweet {number}"));
    if !line.tells_author {
        it.as_object_mut().unwrap().remove("user");
    }
    if cut {
        it["text"] = it["full_text"].take();
        it.as_object_mut().unwrap().remove("full_text");
        it["truncated"] = true.into();
    }
    if line.tells_edits {
        let ids: Vec<String> = versions(number).iter().map(|n| id(*n).to_string()).collect();
        it["edit_history"] = json!({ "edit_tweet_ids": ids });
    }
    it
}

fn written(line: &Line) -> Value {
    let mut it = match original(line.number) {
        None => shown(line.number, line, line.cut),
        Some(original) => {
            let text = format!("words of tweet {original}");
            let cut = if line.form == Form::BareCut { "…" } else { "" };
            let mut it = tweet(
                id(line.number),
                author(line.number),
                &format!("RT @user_{}: {text}{cut}", author(original)),
            );
            match line.form {
                Form::Carried => it["retweeted_status"] = shown(original, line, false),
                Form::CarriedCut => it["retweeted_status"] = shown(original, line, true),
                Form::Bare | Form::BareCut => {
                    it["referenced_tweets"] =
                        json!([{ "type": "retweeted", "id": id(original).to_string() }]);
                }
            }
            it
        }
    };
    if line.withheld {
        it["withheld_in_countries"] = json!(["XX"]);
    }
    it
}

/// What becomes of a line, and what its row says.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Deleted,
    Dropped(&'static str),
    Kept { id: u64, copies: u32, retweets: u32, first: i64, last: i64 },
}

/// The rules, in their plainest form. `received` is of the parts.
fn reference(lines: &[Line], received: &[Option<i64>], hidden: &Hidden, mode: &str) -> Vec<Fate> {
    let carries = |l: &Line| matches!(l.form, Form::Carried | Form::CarriedCut);
    // Who is hidden: by name, by author, by a version of it; in one line or in any other of the same tweet.
    let mut gone: BTreeSet<u64> = BTreeSet::new();
    loop {
        let before = gone.len();
        for l in lines {
            let it = l.number;
            let named = |told: &[u64]| told.iter().any(|n| hidden.numbers.contains(n));
            let of_hidden = |n: u64| hidden.authors.contains(&author(n));
            let itself =
                l.withheld || named(&[it]) || of_hidden(it) && (l.tells_author || original(it).is_some());
            match original(it) {
                None => {
                    let told = if l.tells_edits { versions(it) } else { vec![it] };
                    if itself || named(&told) || gone.contains(&it) || gone.contains(&told[0]) {
                        gone.extend([it, told[0]]);
                    }
                }
                Some(of) => {
                    let told = if l.tells_edits && carries(l) { versions(of) } else { vec![of] };
                    let by_author = carries(l) && l.tells_author && of_hidden(of);
                    if by_author
                        || named(&told)
                        || named(&[of])
                        || gone.contains(&of)
                        || gone.contains(&told[0])
                    {
                        gone.extend([it, of, told[0]]);
                    } else if itself {
                        gone.insert(it);
                    }
                }
            }
        }
        if gone.len() == before {
            break;
        }
    }

    let order = |n: usize| (received[lines[n].part], line_in_part(lines, n), lines[n].part);
    let all: Vec<usize> = (0..lines.len()).collect();
    let mut fates = vec![Fate::Dropped("duplicate"); lines.len()];
    let numbers: BTreeSet<u64> = lines.iter().map(|l| l.number).collect();
    let copies = |number: u64| all.iter().copied().filter(move |n| lines[*n].number == number);
    let winners: Vec<usize> =
        numbers.iter().map(|number| copies(*number).max_by_key(|n| order(*n)).unwrap()).collect();
    for n in winners.iter().filter(|n| gone.contains(&lines[**n].number)) {
        fates[*n] = Fate::Deleted;
    }
    let mut rest: Vec<usize> = winners.into_iter().filter(|n| !gone.contains(&lines[*n].number)).collect();

    let row = |n: usize| match original(lines[n].number) {
        Some(of) if mode == "fold" => of,
        _ => lines[n].number,
    };
    let distinct = rest.clone();
    match mode {
        "drop" => {
            for n in rest.iter().filter(|n| original(lines[**n].number).is_some()) {
                fates[*n] = Fate::Dropped("retweet");
            }
            rest.retain(|n| original(lines[*n].number).is_none());
        }
        "fold" => {
            let worth = |n: &usize| {
                let l = &lines[*n];
                let rank = match (original(l.number), l.form) {
                    (None, _) if l.cut => 3,
                    (None, _) => 5,
                    (_, Form::Carried) => 4,
                    (_, Form::CarriedCut) => 2,
                    (_, Form::Bare) => 1,
                    (_, Form::BareCut) => 0,
                };
                (rank, order(*n))
            };
            let rows: BTreeSet<u64> = rest.iter().map(|n| row(*n)).collect();
            let mut best = Vec::new();
            for key in rows {
                let group: Vec<usize> = rest.iter().copied().filter(|n| row(*n) == key).collect();
                let winner = *group.iter().max_by_key(|n| worth(n)).unwrap();
                group.iter().filter(|n| **n != winner).for_each(|n| fates[*n] = Fate::Dropped("retweet"));
                best.push(winner);
            }
            rest = best;
        }
        _ => {}
    }

    // Versions: the last of those that name the same first one.
    let mut last: BTreeMap<u64, usize> = BTreeMap::new();
    rest.sort_by_key(|n| row(*n));
    for n in rest {
        let l = &lines[n];
        let tells = l.tells_edits && (original(l.number).is_none() || (mode == "fold" && carries(l)));
        let first = if tells { versions(row(n))[0] } else { row(n) };
        if let Some(earlier) = last.insert(first, n) {
            fates[earlier] = Fate::Dropped("edited");
        }
    }
    for n in last.into_values() {
        let seen: Vec<u64> = all
            .iter()
            .filter(|m| row(**m) == row(n) && !gone.contains(&lines[**m].number))
            .map(|m| lines[*m].number)
            .collect();
        let retweets = distinct.iter().filter(|m| row(**m) == row(n) && lines[**m].number != row(n)).count();
        fates[n] = Fate::Kept {
            id: id(row(n)),
            copies: u32::try_from(copies(row(n)).count()).unwrap(),
            retweets: u32::try_from(retweets).unwrap(),
            first: second(*seen.iter().min().unwrap()),
            last: second(*seen.iter().max().unwrap()),
        };
    }
    fates
}

fn line_in_part(lines: &[Line], n: usize) -> usize {
    lines[..n].iter().filter(|l| l.part == lines[n].part).count() + 1
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("OFFKEY_LONG").is_some() { 3_000 } else { 150 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_line_meets_the_fate_that_the_rules_give(
        lines in lines(),
        received in prop::collection::vec(prop::option::of(1..3_i64), 4),
        hidden in hidden(),
        mode in prop::sample::select(vec!["fold", "keep", "drop"]),
        plain in prop::collection::vec(any::<bool>(), 4),
    ) {
        let lake = TestLake::new();
        let name = |part: usize| format!("part-{part}{}", if plain[part] { "-plain" } else { "" });
        for (part, received) in received.iter().enumerate() {
            let of_part: Vec<Value> = lines.iter().filter(|l| l.part == part).map(written).collect();
            if !of_part.is_empty() {
                lake.part(DAY, &name(part), *received, &of_part);
            }
        }
        let ids = hidden.numbers.iter().map(|n| format!("{}\n", id(*n)));
        let users = hidden.authors.iter().map(|a| format!("{{\"kind\":\"user\",\"source\":\"x\",\"id\":\"{a}\"}}\n"));
        lake.tombstones(&ids.chain(users).collect::<String>());

        let summary = lake.clean(&["--retweets", mode, "--music-threshold", "1000"]).unwrap();
        let fates = reference(&lines, &received, &hidden, mode);
        let place = |n: usize| (name(lines[n].part), u32::try_from(line_in_part(&lines, n)).unwrap());

        let kept = lake.rows(DAY, "tweets.parquet");
        let rows = texts(&kept, "tweet_id").into_iter().zip(counts(&kept, "copies")).zip(counts(&kept, "retweets_seen"));
        let seen = instants(&kept, "first_seen").into_iter().zip(instants(&kept, "last_seen"));
        let found: BTreeMap<_, _> = places(&kept).into_iter().zip(rows.zip(seen)).map(|(place, (((id, copies), retweets), (first, last)))| {
            let id = id.unwrap().parse().unwrap();
            (place, Fate::Kept { id, copies, retweets, first: first.unwrap(), last: last.unwrap() })
        }).collect();
        let expected: BTreeMap<_, _> = (0..lines.len()).filter(|n| matches!(fates[*n], Fate::Kept { .. })).map(|n| (place(n), fates[n].clone())).collect();
        prop_assert_eq!(found, expected);

        let dropped = lake.rows(DAY, "dropped.parquet");
        let found: BTreeMap<_, _> = if dropped.height() == 0 { BTreeMap::new() } else {
            places(&dropped).into_iter().zip(texts(&dropped, "drop_reason").into_iter().flatten()).collect()
        };
        let expected: BTreeMap<_, _> = (0..lines.len()).filter_map(|n| match fates[n] {
            Fate::Dropped(reason) => Some((place(n), reason.to_owned())),
            _ => None,
        }).collect();
        prop_assert_eq!(found, expected);

        // Who is hidden has no name in either file.
        let names: BTreeSet<String> = [&kept, &dropped].iter().filter(|f| f.height() > 0).flat_map(|f| texts(f, "tweet_id")).flatten().collect();
        for n in (0..lines.len()).filter(|n| fates[*n] == Fate::Deleted) {
            prop_assert!(!names.contains(&id(lines[n].number).to_string()));
        }

        // The ledger, counted by hand.
        let unique = lines.iter().map(|l| l.number).collect::<BTreeSet<_>>().len();
        prop_assert_eq!(&summary["consumed"], lines.len());
        prop_assert_eq!(&summary["unique"], unique);
        let dropped: u64 = summary["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        prop_assert_eq!(summary["kept"].as_u64().unwrap() + dropped, lines.len() as u64);
        prop_assert_eq!(summary["dropped"]["duplicate"].as_u64().unwrap_or(0), (lines.len() - unique) as u64);
    }
}

fn places(frame: &polars::prelude::DataFrame) -> Vec<(String, u32)> {
    texts(frame, "raw_part").into_iter().flatten().zip(counts(frame, "raw_line")).collect()
}

/// Three copies, told apart by their texts: the winner, by where they lie and when they were received.
fn winner(parts: &[(&str, Option<i64>, &[&str])]) -> String {
    let lake = TestLake::new();
    for (name, received, said) in parts {
        let copies: Vec<Value> = said.iter().map(|text| tweet(id(1), 5, text)).collect();
        lake.part(DAY, name, *received, &copies);
    }
    lake.clean(&[]).unwrap();
    let kept = lake.rows(DAY, "tweets.parquet");
    assert_eq!(counts(&kept, "copies"), [3]);
    texts(&kept, "text")[0].clone().unwrap()
}

#[test]
fn of_three_copies_the_last_one_received_wins_then_the_lower_line_then_the_part() {
    assert_eq!(winner(&[("a", None, &["one", "two", "three"])]), "three");
    assert_eq!(
        winner(&[("a", Some(3), &["one"]), ("b", Some(2), &["two"]), ("c", Some(1), &["three"])]),
        "one"
    );
    assert_eq!(winner(&[("a", Some(1), &["one", "two"]), ("b", Some(1), &["three"])]), "two");
    assert_eq!(winner(&[("a", Some(1), &["one"]), ("b", Some(1), &["two"]), ("c", None, &["three"])]), "two");
}

//! Near copies: which rows are, what becomes of them, and that no split tells of another.

use std::collections::BTreeSet;

use crate::common::{Dataset, Home, Row, at, id_at, row, run};

const LONG: &str = "the museum by the river opens its new wing on sunday and entry is free all day";

fn said(number: i64, author: &str, text: &str) -> Row {
    row(&id_at("2020-12-24T10:00:00", number), author)
        .with("text_clean", text)
        .with("text_key", "0123456789abcdef")
        .with("created_at", at("2020-12-24T10:00:00") + number * 1_000_000)
}

fn id(number: i64) -> String {
    id_at("2020-12-24T10:00:00", number)
}

/// The same text by many authors, a word of it changed by some, and others' own texts.
fn crowd() -> Vec<Row> {
    let own =
        |n: i64| format!("what {n} people of town {} say about their {} streets {}", n * 7, n * 13, n * 31);
    (0..60)
        .map(|n| match n % 3 {
            0 => said(n, &n.to_string(), LONG),
            1 => said(n, &n.to_string(), &LONG.replace("sunday", "Monday")),
            _ => said(n, &n.to_string(), &own(n)),
        })
        .collect()
}

fn verified(made: &Dataset) -> bool {
    run(&format!("featurize verify {}", made.folder.display())).is_ok()
}

#[test]
fn near_copies_of_two_splits_leave_those_in_the_split_of_the_earliest() {
    for by in ["author", "conversation", "id", "time --cuts 2020-12-24T10:00:20,2020-12-24T10:00:40"] {
        let home = Home::new();
        let mut rows = crowd();
        rows.rotate_left(17);
        home.clean("2020-12-24", &rows[..25]);
        home.clean("2020-12-25", &rows[25..]);
        let made = home.make(&format!("--split-by {by}"));
        let (splits, groups) = (made.by_id("split"), made.by_id("near_copy_group"));
        let dropped = made.manifest.ledger.dropped_as("split_conflict");
        assert!(dropped > 5, "{by}: {dropped}");
        assert_eq!(made.manifest.ledger.kept, 60 - dropped);
        let tied: Vec<&String> = groups.iter().filter(|(_, g)| **g == id(0)).map(|(id, _)| id).collect();
        assert_eq!(tied.len() as u64, 40 - dropped, "{by}");
        assert!(tied.iter().all(|tweet| splits[*tweet] == splits[&id(0)]), "{by}");
        assert_eq!(groups.values().filter(|g| *g == "null").count(), 20);
        assert!(verified(&made));
    }
}

#[test]
fn only_the_earliest_stays_when_near_copies_are_dropped() {
    let home = Home::new();
    home.clean("2020-12-24", &crowd());
    let made = home.make("--drop-near-copies");
    assert_eq!(made.manifest.ledger.dropped, [("near_copy".to_owned(), 39)].into());
    assert_eq!(made.manifest.samples["near_copy"].len(), 10);
    assert_eq!(made.by_id("near_copy_group")[&id(0)], id(0));
    assert!(verified(&made));
}

#[test]
fn what_does_not_stay_has_no_near_copies() {
    let home = Home::new();
    let cut = "--split 100,0 --drop-near-copies";
    let twice = said(1, "7", LONG);
    home.clean(
        "2020-12-24",
        &[twice.clone(), said(2, "8", LONG).with("edit_id", "5"), said(3, "9", "short")],
    );
    home.clean(
        "2020-12-25",
        &[twice, said(4, "8", "it was edited and says quite another thing").with("edit_id", "5")],
    );
    let made = home.make(cut);
    let dropped = [("edited".to_owned(), 1), ("retweet".to_owned(), 1)];
    assert_eq!(made.manifest.ledger.dropped, dropped.into());
    assert_eq!(
        made.by_id("near_copy_group").into_values().collect::<BTreeSet<_>>(),
        ["null".to_owned()].into()
    );
    // Without the earliest, the next is the earliest.
    home.clean("2020-12-26", &[said(5, "10", LONG), said(6, "11", LONG)]);
    assert_eq!(home.make(cut).by_id("near_copy_group")[&id(1)], id(1));
    home.bury(&id(1));
    assert_eq!(home.make(cut).by_id("near_copy_group")[&id(5)], id(5));
}

#[test]
fn short_texts_are_nobodys_copies_and_a_time_that_is_known_is_earlier() {
    let home = Home::new();
    let short = |n: i64| said(n, &n.to_string(), "lol").without("text_key");
    let timeless = said(1, "7", LONG).without("created_at");
    home.clean("2020-12-24", &[short(3), short(4), timeless, said(2, "8", LONG)]);
    let groups = home.make("--split 100,0").by_id("near_copy_group");
    assert_eq!((&groups[&id(3)], &groups[&id(1)]), (&"null".to_owned(), &id(2)));
}

#[test]
fn the_threshold_decides() {
    let home = Home::new();
    let half = LONG.replace("entry is", "a visit is");
    home.clean("2020-12-24", &[said(1, "7", LONG), said(2, "8", &half)]);
    let groups =
        |more: &str| home.make(&format!("--split 100,0 {more}")).by_id("near_copy_group")[&id(2)].clone();
    assert_eq!(groups(""), "null");
    assert_eq!(groups("--near-copies 0.7"), id(1));
    assert_eq!(groups("--near-copies 1"), "null");
}

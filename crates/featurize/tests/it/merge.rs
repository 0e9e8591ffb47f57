//! Which rows stay, and what they say: every rule with a small table.

use crate::common::{Home, at, id_at, row};

const DAY: &str = "2020-12-24";
const NEXT: &str = "2020-12-25";

#[test]
fn a_tweet_seen_in_several_partitions_is_one_row() {
    let home = Home::new();
    let id = id_at("2020-12-24T10:00:00", 1);
    let first = row(&id, "7")
        .with("copies", 2)
        .with("retweets_seen", 1)
        .with("first_seen", at("2020-12-24T10:00:00"))
        .with("last_seen", at("2020-12-24T11:00:00"))
        .with("counts_at", at("2020-12-24T11:00:00"))
        .with("like_count", 5)
        .with("retweet_count", 3);
    let later = row(&id, "7")
        .with("copies", 0)
        .with("retweets_seen", 4)
        .with("first_seen", at("2020-12-25T09:00:00"))
        .with("last_seen", at("2020-12-25T12:00:00"))
        .with("counts_at", at("2020-12-25T12:00:00"))
        .with("like_count", 9);
    let other = row(&id_at("2020-12-25T01:00:00", 1), "8");
    home.clean(DAY, &[first]);
    home.clean(NEXT, &[other, later]);
    let made = home.make("");
    assert_eq!(made.manifest.ledger.dropped_as("retweet"), 1);
    assert_eq!((made.manifest.ledger.read, made.manifest.ledger.kept), (3, 2));
    let value = |column: &str| made.by_id(column)[&id].clone();
    assert_eq!((value("copies"), value("retweets_seen")), ("2".into(), "5".into()));
    assert_eq!(value("like_count"), "9");
    assert_eq!(value("retweet_count"), "null", "counts are of one moment");
    assert_eq!(value("first_seen"), at("2020-12-24T10:00:00").to_string());
    assert_eq!(value("last_seen"), at("2020-12-25T12:00:00").to_string());
    assert_eq!(value("counts_at"), at("2020-12-25T12:00:00").to_string());
    assert_eq!(made.manifest.samples["retweet"], [id]);
}

#[test]
fn a_full_text_beats_a_cut_one_and_then_the_own_partition_the_others() {
    let home = Home::new();
    let (cut, own) = (id_at("2020-12-24T10:00:00", 1), id_at("2020-12-24T10:00:00", 2));
    let read = |r: crate::common::Row, place: &str| {
        r.with("username", place).with("counts_at", at("2020-12-24T12:00:00"))
    };
    home.clean(
        DAY,
        &[
            read(row(&cut, "7"), "own").with("text_truncated", true),
            read(row(&own, "7"), "own").with("like_count", 1),
        ],
    );
    let newer = row(&own, "7")
        .with("username", "later")
        .with("counts_at", at("2020-12-25T12:00:00"))
        .with("like_count", 2);
    home.clean(NEXT, &[read(row(&cut, "7"), "later"), newer]);
    let made = home.make("");
    let places = made.by_id("username");
    assert_eq!((places[&cut].as_str(), places[&own].as_str()), ("later", "own"));
    assert_eq!(made.by_id("like_count")[&own], "2", "the row is its own, its counts are the latest");
}

#[test]
fn of_rows_away_from_home_the_latest_counts_and_then_the_later_partition_win() {
    let home = Home::new();
    let (counted, equal) = (id_at("2020-12-20T10:00:00", 1), id_at("2020-12-20T10:00:00", 2));
    let seen = |id: &str, place: &str, time: &str| {
        row(id, "7").with("username", place).with("like_count", 1).with("counts_at", at(time))
    };
    home.clean(DAY, &[seen(&counted, "first", "2020-12-25T13:00:00"), seen(&equal, "first", "2020-12-25")]);
    home.clean(
        NEXT,
        &[seen(&counted, "second", "2020-12-25T12:00:00"), seen(&equal, "second", "2020-12-25")],
    );
    let places = home.make("").by_id("username");
    assert_eq!((places[&counted].as_str(), places[&equal].as_str()), ("first", "second"));
}

#[test]
fn counts_of_an_unknown_time_give_way_to_known_ones_and_no_counts_to_both() {
    let home = Home::new();
    let (a, b) = (id_at("2020-12-24T10:00:00", 1), id_at("2020-12-24T10:00:00", 2));
    home.clean(DAY, &[row(&a, "7").with("like_count", 1), row(&b, "7").with("counts_at", at("2020-12-26"))]);
    let timed = row(&a, "7").with("like_count", 2).with("counts_at", at("2020-12-25"));
    home.clean(NEXT, &[timed, row(&b, "7").with("like_count", 3)]);
    let likes = home.make("").by_id("like_count");
    assert_eq!((likes[&a].as_str(), likes[&b].as_str()), ("2", "3"));
}

#[test]
fn of_an_edited_tweet_the_last_version_stays() {
    let home = Home::new();
    // As numbers 999 is less than 1000, as text it is not.
    let versions = [row("999", "7").with("edit_id", "999"), row("1000", "7").with("edit_id", "999")];
    home.clean(DAY, &versions[..1]);
    home.clean(NEXT, &versions[1..]);
    // Read before it was edited: only its later version knows.
    home.clean("2020-12-26", &[row("2000", "8"), row("3000", "9")]);
    home.clean("2020-12-27", &[row("2001", "8").with("edit_id", "2000")]);
    let made = home.make("");
    let ids: Vec<String> = made.by_id("tweet_id").into_keys().collect();
    assert_eq!(ids, ["1000", "2001", "3000"]);
    assert_eq!(made.manifest.ledger.dropped_as("edited"), 2);
    assert_eq!(made.manifest.samples["edited"], ["999", "2000"]);
}

#[test]
fn a_version_seen_twice_is_merged_first_and_then_edited() {
    let home = Home::new();
    home.clean(DAY, &[row("11", "7").with("edit_id", "10").with("copies", 1)]);
    home.clean(NEXT, &[row("11", "7").with("copies", 2)]);
    home.clean("2020-12-26", &[row("10", "7").with("copies", 5)]);
    let made = home.make("");
    assert_eq!(
        (made.manifest.ledger.dropped_as("retweet"), made.manifest.ledger.dropped_as("edited")),
        (1, 1)
    );
    assert_eq!(made.by_id("copies"), [("11".to_owned(), "3".to_owned())].into());
    assert_eq!(made.by_id("edit_id")["11"], "10");
}

#[test]
fn sources_do_not_meet_and_uris_merge() {
    let home = Home::new();
    let uri = "at://did:plc:a/app.bsky.feed.post/3jzfcijpj2z2a";
    let post = || row(uri, "did:plc:a").with("source", "bluesky");
    home.clean(DAY, &[row("12", "7"), post().with("copies", 2)]);
    home.clean(NEXT, &[post().with("copies", 3), row("12", "7").with("source", "bluesky")]);
    let made = home.make("");
    assert_eq!((made.manifest.ledger.kept, made.manifest.ledger.dropped_as("retweet")), (3, 1));
    assert_eq!(made.by_id("copies")[uri], "5");
}

#[test]
fn tombstones_take_tweets_versions_users_and_places() {
    let home = Home::new();
    let place = |id: &str, author: &str| {
        row(id, author).with("lon", 7).with("lat", 47).with("place_name", "Olten").with("place_country", "CH")
    };
    home.clean(
        DAY,
        &[
            row("101", "7"),
            row("103", "7").with("edit_id", "102"),
            row("104", "70"),
            place("105", "71"),
            place("107", "71"),
            place("108", "72"),
        ],
    );
    home.clean(NEXT, &[row("101", "7"), row("109", "70").with("source", "bluesky")]);
    let before = home.make("");
    assert_eq!((before.manifest.ledger.kept, before.manifest.ledger.dropped_as("retweet")), (7, 1));
    home.bury("101\n102\n");
    home.bury("{\"kind\":\"user\",\"source\":\"x\",\"id\":\"70\"}\n{\"kind\":\"geo\",\"source\":\"x\",\"user_id\":\"71\",\"up_to\":\"106\"}\n");
    let made = home.make("");
    assert_ne!(made.manifest.version, before.manifest.version);
    assert_eq!((made.manifest.ledger.kept, made.manifest.ledger.dropped_as("deleted")), (4, 4));
    assert_eq!(made.manifest.ledger.dropped_as("retweet"), 0);
    assert!(!made.manifest.samples.contains_key("deleted"));
    let ids: Vec<String> = made.by_id("tweet_id").into_keys().collect();
    assert_eq!(ids, ["105", "107", "108", "109"]);
    for column in ["lon", "lat", "place_name", "place_country"] {
        let shown = made.by_id(column);
        assert_eq!(shown["105"], "null", "{column}");
        assert!(shown["107"] != "null" && shown["108"] != "null", "{column}");
    }
}

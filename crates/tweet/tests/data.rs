//! Real data, counted by another route. Reads the folder named by `OFFKEY_DATA`; without it, says so and passes.
//!
//! Every file of UTF-8 in the folder and below is read, also when compressed (`.zst`), its values one a line.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tweet::{Parsed, Tweet, parse, parse_again};

/// What a file holds: the text, and whether there is an original, of each tweet by id; notices; values that are neither.
#[derive(Debug, Default, PartialEq)]
struct Held {
    tweets: BTreeMap<String, BTreeSet<(String, bool)>>,
    lines: usize,
    notices: usize,
    broken: usize,
}

impl Held {
    fn tweet(&mut self, id: String, text: String, original: bool) {
        self.tweets.entry(id).or_default().insert((text, original));
        self.lines += 1;
    }

    fn add(&mut self, tweet: &Tweet<'_>) {
        let original = tweet.retweeted.as_ref().is_some_and(|it| it.tweet.is_some());
        self.tweet(tweet.id.to_string(), tweet.text.clone().into_owned(), original);
    }
}

fn ours(line: &str, held: &mut Held) {
    match parse(line) {
        Ok(Parsed::Tweet(tweet)) => {
            let again = parse_again(line.trim().as_bytes());
            assert!(
                again.is_ok_and(|again| again == Parsed::Tweet(tweet.clone())),
                "read again, a tweet is another"
            );
            held.add(&tweet);
        }
        Ok(Parsed::Notices(notices)) => held.notices += notices.len(),
        Ok(Parsed::Page(page)) => {
            held.notices += page.notices.len();
            for line in page.lines {
                let line = line.unwrap();
                let Ok(Parsed::Tweet(tweet)) = parse(&line) else { panic!("a line that is no tweet") };
                held.add(&tweet);
            }
        }
        Err(_) => held.broken += 1,
    }
}

/// The same by way of [`Value`].
fn theirs(line: &str, held: &mut Held) {
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        held.broken += 1;
        return;
    };
    let data = &value["data"];
    let any = |keys: &[&str]| keys.iter().any(|key| value.get(key).is_some());
    if any(&["text", "full_text"]) && any(&["id", "id_str"]) {
        let original = value.get("retweeted_status");
        let said = original.unwrap_or(&value);
        let texts = [&said["extended_tweet"]["full_text"], &said["full_text"], &said["text"]];
        let text = texts.iter().find_map(|text| text.as_str()).unwrap();
        let ids = [&value["id_str"], &value["id"]];
        let id = ids.iter().find_map(|id| id.as_str()).map_or_else(|| value["id"].to_string(), str::to_owned);
        held.tweet(id, plain(text), original.is_some());
    } else if data.is_array() || data["text"].is_string() {
        let tweets = data.as_array().cloned().unwrap_or_else(|| vec![data.clone()]);
        let included = value["includes"]["tweets"].as_array().cloned().unwrap_or_default();
        for tweet in &tweets {
            let references = tweet["referenced_tweets"].as_array().cloned().unwrap_or_default();
            let retweeted = references.iter().find(|it| it["type"] == "retweeted");
            let original =
                retweeted.and_then(|it| tweets.iter().chain(&included).find(|tweet| tweet["id"] == it["id"]));
            let text = original.unwrap_or(tweet)["text"].as_str().unwrap();
            held.tweet(tweet["id"].as_str().unwrap().to_owned(), plain(text), original.is_some());
        }
        held.notices += if data.is_array() { value["errors"].as_array().map_or(0, Vec::len) } else { 0 };
    } else if any(&["delete", "limit", "scrub_geo", "warning", "friends", "meta"]) {
        held.notices += 1;
    } else {
        held.broken += 1;
    }
}

fn plain(text: &str) -> String {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#8217;", "’"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, char)| text.replace(entity, char))
}

#[test]
fn real_files_hold_what_another_route_counts() {
    let Some(folder) = std::env::var_os("OFFKEY_DATA") else {
        eprintln!("SKIPPED: OFFKEY_DATA names no folder of real data");
        return;
    };
    let mut files = 0;
    for_each_file(folder.as_ref(), &mut |name, content| {
        files += 1;
        let (mut left, mut right) = (Held::default(), Held::default());
        for line in content.lines().filter(|line| !line.trim().is_empty()) {
            ours(line, &mut left);
            theirs(line, &mut right);
        }
        let counts = |held: &Held| (held.lines, held.tweets.len(), held.notices, held.broken);
        eprintln!("{name}: (lines, ids, notices, broken) = {:?}", counts(&left));
        assert_eq!(counts(&left), counts(&right), "{name}");
        for (id, said) in &left.tweets {
            // Never print a text of the data.
            assert!(right.tweets.get(id) == Some(said), "{name}: the text of {id}");
        }
    });
    assert!(files > 0, "OFFKEY_DATA holds no file of UTF-8");
}

fn for_each_file(folder: &Path, read: &mut dyn FnMut(&str, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_each_file(&path, read);
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|it| it == "zst") {
            bytes = zstd::decode_all(&*bytes).unwrap();
        }
        let name = path.file_name().unwrap().to_string_lossy();
        match std::str::from_utf8(&bytes) {
            Ok(content) => read(&name, content),
            Err(_) => eprintln!("SKIPPED: {name} is no UTF-8"),
        }
    }
}

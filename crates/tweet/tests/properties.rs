//! What holds for every line, good or bad.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tweet::{Parsed, Tweet, one_line, parse, parse_again, parse_bytes};

/// Fields of a v1.1 tweet and of a v2 answer's `data`, each with the fields of one object in it.
const V1: &[(&str, &str)] = &[
    ("id", "9007199254740992"),
    ("id_str", r#""9007199254740993""#),
    ("created_at", r#""Thu Dec 24 23:31:18 +0000 2020""#),
    ("text", r#""snow &amp; soup \ud83c\udf72 \u0041""#),
    ("truncated", "false"),
    ("user", r#"{"id_str":"11","screen_name":"ada_x","followers_count":3}"#),
    ("entities", r#"{"hashtags":[{"text":"a"}],"urls":[]}"#),
    ("retweet_count", "4"),
    ("lang", r#""en""#),
    ("place", "null"),
];
const V2: &[(&str, &str)] = &[
    (
        "data",
        r#"{"id":"1346889436626259968","text":"RT @bo: a…","author_id":"11","referenced_tweets":[{"type":"retweeted","id":"5"}]}"#,
    ),
    ("includes", r#"{"users":[{"id":"11","username":"ada_x"}],"tweets":[{"id":"5","text":"all of it"}]}"#),
    ("matching_rules", r#"[{"id":1,"tag":null}]"#),
];

/// Keys that mean something to the parser, for values that come near to what it knows.
const KEYS: &[&str] = &[
    "id",
    "id_str",
    "text",
    "user",
    "data",
    "includes",
    "tweets",
    "users",
    "referenced_tweets",
    "type",
    "entities",
    "hashtags",
    "geo",
    "coordinates",
    "retweeted_status",
    "created_at",
    "delete",
    "status",
    "errors",
    "meta",
    "statuses",
    "did",
    "kind",
    "commit",
];

fn write(fields: &[(String, String)], space: &str) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(key, value)| format!("\"{key}\"{space}:{space}{value}")).collect();
    format!("{{{}}}", fields.join(&format!("{space},{space}")))
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A page that comes near to one: tweets and users by the ids 1 to 9, with whatever else in them.
fn page() -> impl Strategy<Value = String> {
    let field = (prop::sample::select(KEYS).prop_map(str::to_owned), json());
    let object = (1..10_u8, prop::option::of(field)).prop_map(|(id, field)| {
        let mut fields = owned(&[("text", "\"a\""), ("author_id", "5")]);
        fields.push(("id".to_owned(), id.to_string()));
        let other = format!(r#"[{{"type":"retweeted","id":"{}"}}]"#, 10 - id);
        fields.push(("referenced_tweets".to_owned(), other));
        fields.extend(field);
        write(&fields, "\n")
    });
    let list = prop::collection::vec(object, 0..6).prop_map(|it| format!("[{}]", it.join(","))).boxed();
    (list.clone(), list.clone(), list).prop_map(|(data, tweets, users)| {
        format!(r#"{{"data":{data},"includes":{{"tweets":{tweets},"users":{users}}}}}"#)
    })
}

fn tweet(line: &str) -> Tweet<'_> {
    assert_eq!(parse_again(line.as_bytes()), parse(line), "{line}");
    match parse(line) {
        Ok(Parsed::Tweet(tweet)) => *tweet,
        other => panic!("{line}: {other:?}"),
    }
}

/// Any JSON value, as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(|it| format!("{it:e}")),
        any::<String>().prop_map(|it| serde_json::to_string(&it).unwrap()),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let key = prop_oneof![prop::sample::select(KEYS).prop_map(str::to_owned), "[a-z]{1,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            prop::collection::vec((key, inner), 0..6).prop_map(|it| write(&it, "")),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (parse_bytes(&line), parse_again(&line));
    }

    #[test]
    fn no_json_panics_and_page_lines_are_tweets(line in prop_oneof![json(), page()]) {
        if let Ok(Parsed::Page(page)) = parse(&line) {
            for line in page.lines.iter().flatten() {
                prop_assert!(!line.contains(['\n', '\r']));
                tweet(line);
            }
        }
    }

    /// A good line with one byte changed, put in or taken out.
    #[test]
    fn no_damage_panics(v2 in any::<bool>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..4) {
        let mut line = write(&owned(if v2 { V2 } else { V1 }), "").into_bytes();
        let at = at.index(line.len());
        match how {
            0 => line[at] = byte,
            1 => line.insert(at, byte),
            2 => { line.remove(at); }
            _ => line.truncate(at),
        }
        match parse_bytes(&line) {
            Err(reject) => prop_assert!(reject.offset <= line.len()),
            Ok(parsed) => {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok());
                if let Parsed::Tweet(_) = parsed {
                    prop_assert_eq!(parse_again(&line), Ok(parsed));
                }
            }
        }
        let _ = parse_again(&line);
    }

    #[test]
    fn order_space_and_unknown_fields_change_nothing(
        fields in prop_oneof![Just(owned(V1)), Just(owned(V2))].prop_shuffle(),
        unknown in prop::collection::vec(("[A-Z]{1,8}", json()), 0..5),
        space in "[ \t\r\n]{0,3}",
    ) {
        let plain = owned(if fields.len() == V1.len() { V1 } else { V2 });
        let mut all = fields;
        for (at, field) in unknown.into_iter().enumerate() {
            all.insert((at * 3).min(all.len()), field);
        }
        let (plain, line) = (write(&plain, ""), write(&all, &space));
        prop_assert_eq!(tweet(&line), tweet(&plain));
        let joined = one_line(&line);
        prop_assert_eq!(tweet(&joined), tweet(&plain));
    }

    /// One list of many good and bad elements: each is counted once.
    #[test]
    fn a_list_loses_nothing(elements in prop::collection::vec(any::<bool>(), 1..30)) {
        let items: Vec<_> = elements.iter().map(|good| if *good { r#"{"id":5,"text":"a"}"# } else { r#"{"id":5,"text":7}"# }).collect();
        let Ok(Parsed::Page(page)) = parse(&format!("[{}]", items.join(",")))else { panic!() };
        prop_assert_eq!(page.lines.iter().map(Result::is_ok).collect::<Vec<_>>(), elements);
    }
}

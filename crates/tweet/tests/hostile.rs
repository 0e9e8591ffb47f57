//! Lines that mean harm, each with the code and the byte where it is found.
#![allow(clippy::unwrap_used)]

use tweet::{Code, LIST_ITEMS, PAGE_ITEMS, Parsed, TEXT_BYTES, TWEET_BYTES, VALUE_BYTES, parse, parse_bytes};

#[test]
fn the_table() {
    let table: &[(&[u8], Code, usize)] = &[
        (b"", Code::NotJson, 0),
        (b" \r\n", Code::NotJson, 3),
        (b"hello", Code::NotJson, 0),
        (b"{\"id\":5,\"text\":'a'}", Code::NotJson, 15),
        (b"{\"id\":5 \"text\":\"a\"}", Code::NotJson, 8),
        (b"{\"id\":5,\"text\":\"a\",}", Code::NotJson, 19),
        (b"{\"id\":NaN,\"text\":\"a\"}", Code::NotJson, 6),
        (b"{\"id\":5,\"text\":\"a\nb\"}", Code::NotJson, 17),
        (b"{\"id\":5,\"text\":\"\\x\"}", Code::NotJson, 17),
        (b"{\"id\":5,\"text\":\"a", Code::Truncated, 17),
        (b"  {\"id\":5,", Code::Truncated, 10),
        (b"{\"id\":-", Code::Truncated, 7),
        (b"{\"id\":1.", Code::Truncated, 8),
        (b"{\"skipped\":1e", Code::Truncated, 13),
        (b"{\"id\":5,\"text\":\"a\\u12\"}", Code::NotJson, 22),
        (b"{\"id\":5,\"te\\u78\":\"a\"}", Code::NotJson, 16),
        (b"{\"id\":5,\"skipped\":[{", Code::Truncated, 20),
        (b"[{\"id\":5", Code::Truncated, 8),
        (b"{\"id\":5,\"text\":\"\xff\"}", Code::BadUtf8, 16),
        (b"{\"id\":5,\"text\":\"\xc3", Code::BadUtf8, 16),
        (b"{\"id\":5,\"text\":\"\xed\xa0\x80\"}", Code::BadUtf8, 16),
        (b"{\"id\":5,\"text\":\"\0\"}", Code::Nul, 16),
        (b"\0\0\0", Code::Nul, 0),
        (b"{\"id\":5,\"skipped\":\"\0\"}", Code::Nul, 19),
        (b"{\"id\":5,\"text\":\"\\ud83d\"}", Code::LoneSurrogate, 22),
        (b"{\"id\":5,\"text\":\"\\ud83dx\"}", Code::LoneSurrogate, 22),
        (b"{\"id\":5,\"text\":\"\\ud83d\\n\"}", Code::LoneSurrogate, 23),
        (b"{\"id\":5,\"text\":\"\\ude00\"}", Code::LoneSurrogate, 21),
        (b"{\"id\":5,\"text\":\"\\ud83d\\ud83d\"}", Code::LoneSurrogate, 27),
        (b"{\"id\":5,\"user\":{\"name\":\"\\ude00\"},\"text\":\"a\"}", Code::LoneSurrogate, 29),
        (b"{\"id\":5,\"text\":\"a\",\"id\":6}", Code::DuplicateKey, 22),
        (b"{\"id\":5,\"text\":\"a\",\"i\\u0064\":6}", Code::DuplicateKey, 27),
        (b"{\"id\":5,\"user\":{\"name\":\"a\",\"name\":\"b\"},\"text\":\"a\"}", Code::DuplicateKey, 32),
        (b"{\"data\":{\"id\":\"5\",\"text\":\"a\",\"text\":\"b\"}}", Code::DuplicateKey, 34),
        (b"{\"delete\":{\"status\":{\"id\":5}},\"delete\":{}}", Code::DuplicateKey, 37),
        (b"{\"id\":5,\"text\":\"a\"} {\"id\":6,\"text\":\"b\"}", Code::TwoValues, 20),
        (b"{\"id\":5,\"text\":\"a\"}]", Code::TwoValues, 19),
        (b"{\"id\":5,\n\"text\":\"a\"}\n\n x", Code::TwoValues, 23),
        (b"[] []", Code::TwoValues, 3),
        (b"[[]]", Code::TooDeep, 0),
    ];
    let found: Vec<_> = table
        .iter()
        .map(|(line, ..)| {
            let reject = match parse_bytes(line) {
                Ok(Parsed::Page(page)) => page.lines[0].clone().unwrap_err().0,
                other => other.unwrap_err(),
            };
            (*line, reject.code, reject.offset)
        })
        .collect();
    for (found, wanted) in found.iter().zip(table) {
        assert_eq!(found, wanted, "{}", String::from_utf8_lossy(found.0));
    }
}

#[test]
fn parts_that_are_not_read_may_hold_what_they_like() {
    for part in [r#""\ud83d""#, r#"{"\ud83d":1}"#, r#"{"a":1,"a":2}"#, "1e999", r#"[[[{"b":[]}]]]"#] {
        let line = format!(r#"{{"id":5,"skipped":{part},"text":"a"}}"#);
        assert!(matches!(parse(&line), Ok(Parsed::Tweet(_))), "{line}");
    }
}

/// Nesting costs no stack, whether skipped, of the wrong type, or where lists are read.
#[test]
fn a_million_brackets() {
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    let objects = format!("{}5{}", "{\"a\":".repeat(300_000), "}".repeat(300_000));
    let size = TWEET_BYTES / 2 - 100;
    let (some_open, some_close) = (&open[..size], &close[..size]);
    for key in ["skipped", "lang", "entities", "retweeted_status", "includes", "matching_rules"] {
        let line = format!(r#"{{"id":5,"text":"a","{key}":{some_open}{some_close}}}"#);
        assert!(matches!(parse(&line), Ok(Parsed::Tweet(_))), "{key}");
    }
    let deep = |line: &str| match parse(line) {
        Ok(Parsed::Page(page)) => page.lines[0].as_ref().unwrap_err().0.code,
        Ok(other) => panic!("{other:?}"),
        Err(reject) => reject.code,
    };
    assert_eq!(deep(&open), Code::Truncated);
    assert_eq!(deep(&format!("{open}{close}")), Code::TooDeep);
    assert_eq!(deep(&objects), Code::TooLong);
    assert_eq!(deep(&format!(r#"{{"data":{open}{close}}}"#)), Code::NotATweet);
    assert_eq!(deep(&format!(r#"{{"statuses":{open}{close}}}"#)), Code::TooDeep);
    let retweets =
        format!("{}5{}", r#"{"id":5,"text":"a","retweeted_status":"#.repeat(20_000), "}".repeat(20_000));
    assert!(matches!(parse(&retweets), Ok(Parsed::Tweet(_))));
}

#[test]
fn caps() {
    let text = |size: usize| format!(r#"{{"id":5,"text":"{}"}}"#, "a".repeat(size));
    assert!(parse(&text(TEXT_BYTES)).is_ok());
    assert_eq!(parse(&text(TEXT_BYTES + 1)).unwrap_err().code, Code::TooLong);
    let line = |size: usize| {
        let start = r#"{"id":5,"text":"a","skipped":""#;
        format!("{start}{}\"}}", "a".repeat(size - start.len() - 2))
    };
    assert!(parse(&line(TWEET_BYTES)).is_ok());
    let reject = parse(&line(TWEET_BYTES + 1)).unwrap_err();
    assert_eq!((reject.code, reject.offset), (Code::TooLong, TWEET_BYTES));
    let reject = parse(&line(VALUE_BYTES + 1)).unwrap_err();
    assert_eq!((reject.code, reject.offset), (Code::TooLong, VALUE_BYTES));

    let tags = |items: usize| {
        format!(
            r#"{{"id":5,"text":"a","entities":{{"hashtags":[{}]}}}}"#,
            vec![r#"{"text":"b"}"#; items].join(",")
        )
    };
    assert!(parse(&tags(LIST_ITEMS)).is_ok());
    assert_eq!(parse(&tags(LIST_ITEMS + 1)).unwrap_err().code, Code::TooMany);
    assert_eq!(parse(&tags(1_000_000)).unwrap_err().code, Code::TooMany);
    assert_eq!(parse(&format!("[{}0]", "0,".repeat(PAGE_ITEMS))).unwrap_err().code, Code::TooMany);
}

/// Many small tweets that all refer to one big one: the lines would be far longer than the page.
#[test]
fn a_page_may_not_swell() {
    let small = r#"{"id":"6","text":"RT","referenced_tweets":[{"type":"retweeted","id":"5"}]}"#;
    let big = format!(r#"{{"id":"5","text":"a","skipped":"{}"}}"#, "a".repeat(TWEET_BYTES / 2));
    let page = format!(r#"{{"data":[{}],"includes":{{"tweets":[{big}]}}}}"#, vec![small; 1_000].join(","));
    let Ok(Parsed::Page(page)) = parse(&page) else { panic!() };
    let written: usize = page.lines.iter().flatten().map(String::len).sum();
    assert!(written > TWEET_BYTES && written < tweet::PAGE_BYTES + 100_000);
    assert!(
        page.lines.iter().any(|line| line.as_ref().is_err_and(|(reject, _)| reject.code == Code::TooLong))
    );
    assert_eq!(page.lines.len(), 1_000);
}

#[test]
fn no_reject_repeats_the_value() {
    for line in [
        r#"{"id":"canary","text":"canary"}"#,
        r#"{"id":5,"text":["canary"]}"#,
        r#"{"id":5,"text":"canary\ud83d"}"#,
        r#"{"id":5,"text":"canary","created_at":"canary"}"#,
        r#"{"canary":5} canary"#,
        "canary",
        r#"{"id":5,"text":"canary"#,
        r#"{"text":"canary","text":"canary"}"#,
        r#""canary""#,
    ] {
        let reject = parse(line).unwrap_err();
        assert!(!reject.to_string().contains("canary"), "{reject}");
    }
}

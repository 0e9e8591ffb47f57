//! What a source says that is no tweet, and what it deletes or hides.
#![allow(clippy::unwrap_used)]

use tweet::{Code, Notice, Parsed, Source, Tombstone, parse};

fn notices(line: &str) -> Vec<Notice> {
    match parse(line) {
        Ok(Parsed::Notices(notices)) => notices,
        other => panic!("no notice: {line}: {other:?}"),
    }
}

fn one(line: &str) -> (&'static str, Option<Tombstone>) {
    let [notice] = &notices(line)[..] else { panic!("not one notice: {line}") };
    assert!(notice.tombstones.len() <= 1);
    (notice.kind.as_str(), notice.tombstones.first().cloned())
}

fn gone(id: &str, user_id: Option<&str>) -> Option<Tombstone> {
    Some(Tombstone::Tweet { source: Source::X, id: id.to_owned(), user_id: user_id.map(str::to_owned) })
}

fn gone_user(id: &str) -> Option<Tombstone> {
    Some(Tombstone::User { source: Source::X, id: id.to_owned() })
}

#[test]
fn messages_of_v1_streams() {
    let geo = Some(Tombstone::Geo { source: Source::X, user_id: "3".to_owned(), up_to: 23_260_136_625 });
    for (line, kind, tombstone) in [
        (
            r#"{"delete":{"status":{"id":9007199254740992,"id_str":"9007199254740993","user_id":3,"user_id_str":"3"},"timestamp_ms":"1"}}"#,
            "delete",
            gone("9007199254740993", Some("3")),
        ),
        (r#"{"delete":{"status":{"id":7,"user_id":3}}}"#, "delete", gone("7", Some("3"))),
        (r#"{"delete":{"favorite":{"id":7,"user_id":3}}}"#, "delete", None),
        (r#"{"limit":{"track":12}}"#, "limit", None),
        (
            r#"{"scrub_geo":{"user_id":3,"user_id_str":"3","up_to_status_id":23260136625,"up_to_status_id_str":"23260136625"}}"#,
            "scrub_geo",
            geo.clone(),
        ),
        (r#"{"status_withheld":{"id":7,"user_id":3,"withheld_in_countries":["DE"]}}"#, "withheld", None),
        (
            r#"{"status_withheld":{"id":7,"user_id":3,"withheld_in_countries":["DE","XX"]}}"#,
            "withheld",
            gone("7", Some("3")),
        ),
        (
            r#"{"status_withheld":{"status":{"id":600,"id_str":"601","user_id_str":"3"},"withheld_in_countries":["XY"]}}"#,
            "withheld",
            gone("601", Some("3")),
        ),
        (
            r#"{"user_withheld":{"user":{"id":3,"id_str":"3"},"withheld_in_countries":["XY"]}}"#,
            "user_withheld",
            gone_user("3"),
        ),
        (r#"{"user_withheld":{"id":3,"withheld_in_countries":["DE"]}}"#, "user_withheld", None),
        (r#"{"disconnect":{"code":4,"stream_name":"","reason":""}}"#, "disconnect", None),
        (r#"{"warning":{"code":"FALLING_BEHIND","message":"","percent_full":60}}"#, "warning", None),
        (r#"{"friends":[1,2]}"#, "friends", None),
        (r#"{"event":"favorite","source":{"id":1}}"#, "event", None),
        (
            r#"{"data":{"scrub_geo":{"user":{"id":"3"},"up_to_tweet_id":"23260136625","event_at":"x"}}}"#,
            "scrub_geo",
            geo,
        ),
    ] {
        assert_eq!(one(line), (kind, tombstone), "{line}");
    }
}

#[test]
fn compliance_events_of_v2() {
    let event = |name: &str| {
        format!(
            r#"{{"data":{{"{name}":{{"tweet":{{"id":"7","author_id":"3"}},"event_at":"2021-07-06T18:40:40.000Z"}}}}}}"#
        )
    };
    assert_eq!(one(&event("delete")), ("delete", gone("7", Some("3"))));
    assert_eq!(one(&event("delete").replace("tweet", "post")), ("delete", gone("7", Some("3"))));
    assert_eq!(one(&event("drop")), ("drop", gone("7", Some("3"))));
    assert_eq!(one(&event("undrop")), ("undrop", None));
    assert_eq!(one(&event("tweet_edit")), ("tweet_edit", None));
    assert_eq!(
        one(r#"{"data":{"withheld":{"tweet":{"id":"7","author_id":"3"},"withheld_in_countries":["XX"]}}}"#),
        ("withheld", gone("7", Some("3")))
    );
    for (name, hides) in [
        ("user_delete", true),
        ("user_suspend", true),
        ("user_protect", true),
        ("user_undelete", false),
        ("user_unsuspend", false),
        ("user_unprotect", false),
        ("user_profile_modification", false),
    ] {
        let line = format!(r#"{{"data":{{"{name}":{{"user":{{"id":"3"}},"event_at":"x"}}}}}}"#);
        assert_eq!(one(&line), (name, if hides { gone_user("3") } else { None }));
    }
    assert_eq!(
        one(r#"{"id":"7","action":"delete","created_at":"2021-07-06T18:40:40+00:00","reason":"deleted"}"#),
        ("compliance_job", gone("7", None))
    );
    assert_eq!(one(r#"{"id":"7","action":"delete","reason":"scrub_geo"}"#), ("compliance_job", None));
}

#[test]
fn a_deletion_that_cannot_be_read_is_not_lost() {
    for line in [
        r#"{"delete":{"status":{"id":1.5}}}"#,
        r#"{"delete":{"status":{}}}"#,
        r#"{"scrub_geo":{"user_id":3}}"#,
        r#"{"data":{"user_delete":{"user":{"id":null}}}}"#,
        r#"{"status_withheld":{"withheld_in_countries":["XX"]}}"#,
    ] {
        assert_eq!(parse(line).unwrap_err().code, Code::BadId, "{line}");
    }
}

#[test]
fn errors_and_empty_pages() {
    for (line, kinds) in [
        (
            r#"{"errors":[{"title":"operational-disconnect","disconnect_type":"X","type":"https://api.x.com/2/problems/operational-disconnect"}]}"#,
            &["disconnect"][..],
        ),
        (
            r#"{"title":"operational-disconnect","detail":"d","type":"https://api.twitter.com/2/problems/operational-disconnect"}"#,
            &["disconnect"],
        ),
        (
            r#"{"title":"ConnectionException","detail":"d","connection_issue":"TooManyConnections","type":"https://api.x.com/2/problems/streaming-connection"}"#,
            &["disconnect"],
        ),
        (
            r#"{"title":"UsageCapExceeded","detail":"d","type":"https://api.twitter.com/2/problems/usage-capped"}"#,
            &["problem"],
        ),
        (
            r#"{"errors":[{"parameters":{},"message":"m"}],"title":"Invalid Request","detail":"d","type":"https://api.twitter.com/2/problems/invalid-request"}"#,
            &["problem"],
        ),
        (r#"{"errors":[{"code":88,"message":"Rate limit exceeded"}]}"#, &["page_error"]),
        (
            r#"{"errors":[{"value":"1","type":"https://api.x.com/2/problems/resource-not-found"},{"value":"2"}]}"#,
            &["page_error", "page_error"],
        ),
        (
            r#"{"meta":{"sent":"x"},"errors":[{"title":"DuplicateRule","type":"https://api.x.com/2/problems/duplicate-rules"}]}"#,
            &["page_error"],
        ),
        (r#"{"meta":{"result_count":0,"next_token":"n"}}"#, &["empty_page"]),
        (r#"{"data":[],"meta":{"result_count":0}}"#, &["empty_page"]),
        (r#"{"statuses":[],"search_metadata":{}}"#, &["empty_page"]),
        ("[]", &["empty_page"]),
        (r#"{"data":[],"errors":[{"value":"1"}]}"#, &["page_error"]),
    ] {
        let read: Vec<_> = notices(line).iter().map(|notice| notice.kind.as_str()).collect();
        assert_eq!(read, kinds, "{line}");
    }
}

#[test]
fn jetstream_events_that_are_no_posts() {
    let commit = |operation: &str, collection: &str| {
        format!(
            r#"{{"did":"did:plc:abc","time_us":1,"kind":"commit","commit":{{"operation":"{operation}","collection":"{collection}","rkey":"3mptbypxniv2b"}}}}"#
        )
    };
    let id = "at://did:plc:abc/app.bsky.feed.post/3mptbypxniv2b".to_owned();
    let deleted = Tombstone::Tweet { source: Source::Bluesky, id, user_id: Some("did:plc:abc".to_owned()) };
    assert_eq!(one(&commit("delete", "app.bsky.feed.post")), ("delete", Some(deleted)));
    assert_eq!(one(&commit("delete", "app.bsky.feed.like")), ("commit", None));
    assert_eq!(one(&commit("create", "app.bsky.feed.repost")), ("commit", None));
    assert_eq!(
        one(r#"{"did":"did:plc:abc","kind":"identity","identity":{"handle":"ada.example"}}"#),
        ("identity", None)
    );
    let user = Some(Tombstone::User { source: Source::Bluesky, id: "did:plc:abc".to_owned() });
    for (state, tombstone) in [
        (r#""active":true"#, None),
        (r#""active":false,"status":"deleted""#, user.clone()),
        (r#""active":false,"status":"takendown""#, user.clone()),
        (r#""active":false,"status":"suspended""#, user.clone()),
        (r#""active":false,"status":"deactivated""#, user),
        (r#""active":false,"status":"throttled""#, None),
    ] {
        assert_eq!(
            one(&format!(r#"{{"did":"did:plc:abc","kind":"account","account":{{{state}}}}}"#)),
            ("account", tombstone)
        );
    }
    assert_eq!(parse(&commit("create", "app.bsky.feed.post")).unwrap_err().code, Code::NoText);
    assert_eq!(
        parse(&commit("delete", "app.bsky.feed.post").replace("3mptbypxniv2b", "../x")).unwrap_err().code,
        Code::BadId
    );
    assert_eq!(
        parse(&commit("delete", "app.bsky.feed.post").replace("did:plc:abc", "me")).unwrap_err().code,
        Code::BadId
    );
    assert_eq!(parse(r#"{"did":"did:plc:abc","kind":"news"}"#).unwrap_err().code, Code::NotATweet);
}

#[test]
fn a_notice_keeps_its_value_on_one_line() {
    assert_eq!(notices("{\"limit\":\n {\"track\": 12}}\n")[0].json, "{\"limit\": {\"track\": 12}}");
}

#[test]
fn what_is_not_known_is_rejected() {
    for line in [
        "{}",
        "5",
        "\"a\"",
        "null",
        r#"{"hello":"world"}"#,
        r#"{"data":5}"#,
        r#"{"data":{}}"#,
        r#"{"path":"p","status":"200","body":{"meta":{}}}"#,
    ] {
        assert_eq!(parse(line).unwrap_err().code, Code::NotATweet, "{line}");
    }
}

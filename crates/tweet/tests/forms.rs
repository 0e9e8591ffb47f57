//! One fixture per wire form and per rule of reading. All people and tweets are invented.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use tweet::{Code, Id, Page, Parsed, Source, Tweet, parse, parse_again};

fn tweet(line: &str) -> Tweet<'_> {
    assert_eq!(parse_again(line.as_bytes()), parse(line), "{line}");
    match parse(line) {
        Ok(Parsed::Tweet(tweet)) => *tweet,
        other => panic!("no tweet: {other:?}"),
    }
}

fn page(line: &str) -> Page {
    match parse(line) {
        Ok(Parsed::Page(page)) => page,
        other => panic!("no page: {other:?}"),
    }
}

fn code(line: &str) -> Code {
    parse(line).unwrap_err().code
}

fn one<'t>(text: &'t str) -> Option<Cow<'t, str>> {
    Some(Cow::Borrowed(text))
}

const V1: &str = r##"{"created_at":"Thu Dec 24 23:31:18 +0000 2020","id":1342251533718258000,"id_str":"1342251533718257664",
"text":"Snow &amp; soup for #Xmas with @bo $ABC https://t.co/a","truncated":false,"source":"<a>web</a>",
"user":{"id":11,"id_str":"11","name":"Ada","screen_name":"ada_x","location":"Utrecht","verified":false,"followers_count":10,
"friends_count":20,"listed_count":3,"statuses_count":"40","created_at":"Wed Oct 10 20:19:24 +0000 2018","following":null},
"coordinates":{"type":"Point","coordinates":[5.1,52.1]},"geo":{"type":"Point","coordinates":[52.2,5.2]},
"place":{"id":"p1","name":"Utrecht","full_name":"Utrecht, Nederland","country_code":"NL","country":"Nederland"},
"in_reply_to_status_id":1342251946023161000,"in_reply_to_status_id_str":"1342251946023160832","in_reply_to_user_id_str":"12",
"is_quote_status":true,"quoted_status_id_str":"1342251946023160001","quoted_status":{"id_str":"1342251946023160001","text":"q"},
"retweet_count":1,"favorite_count":2,"lang":"en","possibly_sensitive":false,"timestamp_ms":"1608852678123",
"entities":{"hashtags":[{"text":"Xmas","indices":[1,2]}],"symbols":[{"text":"ABC"}],"user_mentions":[{"screen_name":"bo","id":12}],
"urls":[{"url":"https://t.co/a","expanded_url":"https://b.example/","unwound":{"url":"https://c.example/","status":200}},
{"url":"https://t.co/b","expanded_url":"https://d.example/"},{"url":"https://t.co/e","expanded_url":null}],
"media":[{"url":"https://t.co/m"}]}}"##;

#[test]
fn a_v1_object() {
    let it = tweet(V1);
    assert_eq!((it.source, &it.id), (Source::X, &Id::X(1_342_251_533_718_257_664)));
    assert_eq!(it.created_at, Some(1_608_852_678_000_000), "as the source says");
    assert_eq!(it.time(), Some(1_608_852_678_123_000), "as the id says");
    assert_eq!(it.text, "Snow & soup for #Xmas with @bo $ABC https://t.co/a");
    assert_eq!(
        (&*it.hashtags, &*it.mentions, &*it.cashtags),
        (&["Xmas".into()][..], &["bo".into()][..], &["ABC".into()][..])
    );
    assert_eq!(it.urls, ["https://c.example/", "https://d.example/", "https://t.co/e"]);
    assert_eq!((it.lon, it.lat), (Some(5.1), Some(52.1)), "coordinates before the deprecated geo");
    let place = it.place.unwrap();
    assert_eq!((place.name, place.country), (one("Utrecht, Nederland"), one("NL")));
    assert_eq!((it.in_reply_to_id, it.is_reply), (one("1342251946023160832"), true));
    assert_eq!((it.quoted_id, it.is_quote), (one("1342251946023160001"), true));
    assert_eq!((it.counts.retweet, it.counts.like, it.counts.reply), (Some(1), Some(2), None));
    assert_eq!((it.lang, it.possibly_sensitive, it.conversation_id), (one("en"), Some(false), None));
    let author = it.author;
    assert_eq!((author.id, author.username, author.name), (one("11"), one("ada_x"), one("Ada")));
    assert_eq!((author.location, author.created_at), (one("Utrecht"), Some(1_539_202_764_000_000)));
    assert_eq!(
        (author.followers, author.following, author.listed, author.statuses),
        (Some(10), Some(20), Some(3), Some(40))
    );
    assert!(it.retyped.is_empty() && it.retweeted.is_none() && !it.truncated && !it.withheld_everywhere);
}

#[test]
fn the_old_geo_says_latitude_first() {
    let it =
        tweet(r#"{"id":5,"text":"a","coordinates":null,"geo":{"type":"Point","coordinates":[52.2,5.2]}}"#);
    assert_eq!((it.lon, it.lat), (Some(5.2), Some(52.2)));
    let it = tweet(r#"{"id":5,"text":"a","coordinates":{"type":"Point","coordinates":[5.2,152.2]}}"#);
    assert_eq!((it.lon, it.lat, it.retyped), (None, None, vec!["coordinates"]));
}

#[test]
fn the_fullest_text_wins() {
    for (line, text, truncated) in [
        (r#"{"id":5,"text":"abc…","truncated":true}"#, "abc…", true),
        (r#"{"id":5,"text":"abc…","truncated":false}"#, "abc…", false),
        (
            r#"{"id":5,"text":"abc…","truncated":true,"extended_tweet":{"full_text":"abcdef"}}"#,
            "abcdef",
            false,
        ),
        (r#"{"id":5,"full_text":"abcdef","truncated":false}"#, "abcdef", false),
        (r#"{"id":5,"text":"abc…","full_text":"abcdef","truncated":true}"#, "abcdef", false),
        (r#"{"data":{"id":"5","text":"abc","note_tweet":{"text":"abcdef"}}}"#, "abcdef", false),
        (r#"{"data":{"id":"5","text":"abc","note_post":{"text":"abc&amp;lt;"}}}"#, "abc&lt;", false),
        (r#"{"id":5,"text":""}"#, "", false),
    ] {
        let it = tweet(line);
        assert_eq!((&*it.text, it.truncated), (text, truncated), "{line}");
    }
}

#[test]
fn entities_come_with_the_text() {
    let line = r##"{"id":5,"text":"#a…","truncated":true,"entities":{"hashtags":[]},
        "extended_tweet":{"full_text":"#a #b","entities":{"hashtags":[{"text":"a"},{"text":"#b"}]}}}"##;
    assert_eq!(tweet(line).hashtags, ["a", "b"]);
    let line = r##"{"data":{"id":"5","text":"#a","entities":{"hashtags":[{"tag":"a"}]},
        "note_tweet":{"text":"#a #b","entities":{"hashtags":[{"tag":"a"},{"tag":"b"}]}}}}"##;
    assert_eq!(tweet(line).hashtags, ["a", "b"]);
}

#[test]
fn a_v1_retweet_says_what_its_original_says() {
    let it = tweet(
        r##"{"id_str":"1342251946023161856","text":"RT @bo: long &amp; …","truncated":false,"retweet_count":7,
        "user":{"id_str":"11"},"entities":{"hashtags":[]},"in_reply_to_status_id_str":null,
        "retweeted_status":{"id_str":"1342251946023160000","created_at":"Thu Dec 24 23:31:17 +0000 2020","text":"long…","truncated":true,
        "extended_tweet":{"full_text":"long &amp; winding #road","entities":{"hashtags":[{"text":"road"}]}},
        "user":{"id_str":"12","screen_name":"bo"},"retweet_count":7,"favorite_count":9}}"##,
    );
    assert_eq!((&*it.text, it.truncated), ("long & winding #road", false));
    assert_eq!(it.hashtags, ["road"]);
    assert_eq!((it.author.id, it.counts.like), (one("11"), None), "all else is the retweet's own");
    let retweeted = it.retweeted.unwrap();
    let original = retweeted.tweet.unwrap();
    assert_eq!((&retweeted.id, &original.id), (&Id::X(1_342_251_946_023_160_000), &retweeted.id));
    assert_eq!(
        (&*original.text, original.author.username, original.counts.like),
        ("long & winding #road", one("bo"), Some(9))
    );
}

#[test]
fn a_retweet_of_a_cut_original_is_cut() {
    let it = tweet(
        r#"{"id":6,"text":"RT @bo: long…","retweeted_status":{"id":5,"text":"long…","truncated":true}}"#,
    );
    assert_eq!((&*it.text, it.truncated), ("long…", true));
}

#[test]
fn an_unreadable_original_costs_the_original_only() {
    let it = tweet(r#"{"id":6,"text":"RT @bo: a…","retweeted_status":{"id":5,"text":5}}"#);
    assert_eq!((&*it.text, it.truncated, it.retyped), ("RT @bo: a…", true, vec!["retweeted_status"]));
    let retweeted = it.retweeted.unwrap();
    assert_eq!((retweeted.id, retweeted.tweet), (Id::X(5), None));
    let it = tweet(r#"{"id":6,"text":"RT @bo: a","retweeted_status":{"id":5.5,"text":"a"}}"#);
    assert_eq!((it.retweeted, it.retyped), (None, vec!["retweeted_status"]));
}

const V2: &str = r##"{"data":{"id":"1346889436626259968","text":"RT @bo: we &amp; …","author_id":"11","created_at":"2021-01-06T18:40:40.000Z",
"conversation_id":"1346889436626259968","lang":"en","possibly_sensitive":true,"edit_history_tweet_ids":["1346889436626259000","1346889436626259968"],
"geo":{"place_id":"p1","coordinates":{"type":"Point","coordinates":[5.1,52.1]}},
"public_metrics":{"retweet_count":5,"reply_count":0,"like_count":0,"quote_count":0},
"referenced_tweets":[{"type":"retweeted","id":"1346889436626250000"}],"in_reply_to_user_id":null,
"withheld":{"copyright":false,"country_codes":["XX"]}},
"includes":{"users":[{"id":"12","name":"Bo","username":"bo","public_metrics":{"followers_count":1,"following_count":2,"listed_count":3,"tweet_count":4}},
{"id":"11","name":"Ada","username":"ada_x","location":"Utrecht","created_at":"2018-10-10T20:19:24.000Z","verified":true}],
"tweets":[{"id":"1346889436626250000","text":"we &amp; they quoted it","author_id":"12","public_metrics":{"like_count":8,"bookmark_count":1,"impression_count":"99"},
"referenced_tweets":[{"type":"quoted","id":"1346889436626240000"},{"type":"replied_to","id":"1346889436626230000"}],
"context_annotations":[{"domain":{"id":"54","name":"Musician"},"entity":{"id":"1","name":"Nobody Real"}}],
"entities":{"hashtags":[{"tag":"a"}],"cashtags":[{"tag":"C"}],"mentions":[{"username":"cy","id":"13"}],
"urls":[{"url":"https://t.co/1","expanded_url":"https://b.example/","unwound_url":"https://c.example/"},
{"url":"https://t.co/2","expanded_url":"https://twitter.com/bo/status/1/photo/1","display_url":"pic.twitter.com/x"},
{"url":"https://t.co/3","expanded_url":"https://x.com/bo/status/1/video/1","media_key":"7_1"}]}}],
"places":[{"id":"p1","full_name":"Utrecht, Nederland","country":"Nederland","country_code":"NL"}]},
"matching_rules":[{"id":1377649934414049282,"tag":null}]}"##;

#[test]
fn a_v2_answer_in_both_dialects() {
    let post = V2
        .replace("edit_history_tweet_ids", "edit_history_post_ids")
        .replace("referenced_tweets", "referenced_posts")
        .replace("\"retweet_count\"", "\"repost_count\"")
        .replace("\"tweet_count\"", "\"post_count\"")
        .replace("\"tweets\"", "\"posts\"");
    for line in [V2, &post] {
        let it = tweet(line);
        assert_eq!((&*it.text, it.truncated), ("we & they quoted it", false));
        assert_eq!(it.created_at, Some(1_609_958_440_000_000));
        assert_eq!(it.time(), Some(1_609_958_440_344_000));
        assert_eq!(
            (it.author.id, it.author.location, it.author.verified),
            (one("11"), one("Utrecht"), Some(true))
        );
        assert_eq!(it.conversation_id, one("1346889436626259968"));
        assert_eq!(it.edits, [Id::X(1_346_889_436_626_259_000), Id::X(1_346_889_436_626_259_968)]);
        assert_eq!((it.lon, it.lat), (Some(5.1), Some(52.1)));
        assert_eq!(it.place.unwrap().name, one("Utrecht, Nederland"));
        assert_eq!((it.counts.retweet, it.counts.like, it.counts.bookmark), (Some(5), Some(0), None));
        assert_eq!((it.is_reply, it.is_quote, it.possibly_sensitive), (false, false, Some(true)));
        assert!(it.withheld_everywhere);
        assert_eq!(it.annotations, ["Musician/Nobody Real"]);
        assert_eq!(
            (&*it.urls, &*it.mentions, &*it.cashtags),
            (&["https://c.example/".into()][..], &["cy".into()][..], &["C".into()][..])
        );
        assert!(it.retyped.is_empty(), "{:?}", it.retyped);
        let original = it.retweeted.unwrap().tweet.unwrap();
        assert_eq!((original.author.username, original.author.statuses), (one("bo"), Some(4)));
        assert_eq!(
            (original.counts.like, original.counts.bookmark, original.counts.impression),
            (Some(8), Some(1), Some(99))
        );
        assert_eq!(
            (original.quoted_id, original.in_reply_to_id),
            (one("1346889436626240000"), one("1346889436626230000"))
        );
        assert!(original.is_quote && original.is_reply);
    }
}

#[test]
fn a_v2_retweet_without_its_original() {
    for (text, truncated) in [("RT @bo: it goes on…", true), ("RT @bo: it ends", false)] {
        let line = format!(
            r#"{{"data":{{"id":6,"text":"{text}","referenced_tweets":[{{"type":"retweeted","id":5}}]}}}}"#
        );
        let it = tweet(&line);
        assert_eq!((&*it.text, it.truncated), (text, truncated), "nothing is stripped");
        let retweeted = it.retweeted.unwrap();
        assert_eq!((retweeted.id, retweeted.tweet), (Id::X(5), None));
    }
}

#[test]
fn a_tweet_as_twarc_flattens_it() {
    let it = tweet(
        r#"{"id":"6","text":"RT @bo: a…","author_id":"11","author":{"id":"11","username":"ada_x","name":"Ada"},
        "geo":{"place_id":"p1","full_name":"Utrecht, Nederland","country_code":"NL","coordinates":{"type":"Point","coordinates":[5.1,52.1]},"geo":{"bbox":[1,2,3,4]}},
        "referenced_tweets":[{"type":"retweeted","id":"5","text":"all of it","author_id":"12","author":{"id":"12","username":"bo"},
          "referenced_tweets":[{"type":"quoted","id":"4","text":"q"}]}],
        "in_reply_to_user":{"id":"12"},"attachments":{"media":[{"media_key":"3_1"}]},"__twarc":{"version":"2"}}"#,
    );
    assert_eq!((&*it.text, it.author.username), ("all of it", one("ada_x")));
    assert_eq!((it.place.unwrap().name, it.lon), (one("Utrecht, Nederland"), Some(5.1)));
    let original = it.retweeted.unwrap().tweet.unwrap();
    assert_eq!((original.author.username, original.quoted_id), (one("bo"), one("4")));
}

#[test]
fn a_jetstream_post() {
    let line = r##"{"did":"did:plc:abc","time_us":1,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"app.bsky.feed.post",
        "rkey":"3mptbypxniv2b","cid":"c","record":{"$type":"app.bsky.feed.post","createdAt":"2026-07-04T16:38:07.255+02:00",
        "text":"é @bo.example #tag &amp; site","langs":["nl","en"],"tags":["#more"],
        "facets":[{"index":{"byteStart":3,"byteEnd":14},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:bo"}]},
          {"index":{"byteStart":4,"byteEnd":5},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:cy"}]},
          {"index":{"byteStart":15,"byteEnd":19},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"tag"}]},
          {"index":{"byteStart":1,"byteEnd":2},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://b.example/"}]}],
        "reply":{"root":{"uri":"at://did:plc:r/app.bsky.feed.post/1","cid":"c"},"parent":{"uri":"at://did:plc:p/app.bsky.feed.post/2","cid":"c"}},
        "embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"$type":"app.bsky.embed.record","record":{"uri":"at://did:plc:q/app.bsky.feed.post/3","cid":"c"}},
          "media":{"$type":"app.bsky.embed.external","external":{"uri":"https://c.example/","title":"t"}}}}}}"##;
    let it = tweet(line);
    assert_eq!(
        (it.source, it.id.to_string()),
        (Source::Bluesky, "at://did:plc:abc/app.bsky.feed.post/3mptbypxniv2b".to_owned())
    );
    assert_eq!(it.created_at, Some(1_783_175_887_255_000));
    assert_eq!(it.time(), Some(1_783_175_887_900_123), "the TID's");
    assert_eq!(it.text, "é @bo.example #tag &amp; site", "plain text");
    assert_eq!(it.mentions, ["bo.example", "did:plc:cy"], "bytes, not characters");
    assert_eq!((&*it.hashtags, it.lang), (&["tag".into(), "more".into()][..], one("nl")));
    assert_eq!(it.urls, ["https://b.example/", "https://c.example/"]);
    assert_eq!(
        (it.in_reply_to_id, it.conversation_id),
        (one("at://did:plc:p/app.bsky.feed.post/2"), one("at://did:plc:r/app.bsky.feed.post/1"))
    );
    assert_eq!(
        (it.quoted_id, it.author.id),
        (one("at://did:plc:q/app.bsky.feed.post/3"), one("did:plc:abc"))
    );
    assert!(it.is_reply && it.is_quote && it.retyped.is_empty());
}

#[test]
fn a_bluesky_list_is_no_quote_and_a_wild_time_no_reject() {
    let line = r#"{"did":"did:plc:abc","kind":"commit","commit":{"operation":"update","collection":"app.bsky.feed.post","rkey":"3mptbypxniv2b",
        "record":{"createdAt":"yesterday","text":"","langs":[],"embed":{"record":{"uri":"at://did:plc:q/app.bsky.graph.list/3"}}}}}"#;
    let it = tweet(line);
    assert_eq!((it.quoted_id, it.lang, it.retyped), (None, None, vec!["created_at"]));
    assert_eq!(
        (it.created_at, it.conversation_id),
        (it.id.time(), one("at://did:plc:abc/app.bsky.feed.post/3mptbypxniv2b"))
    );
    let own_key = line.replace("3mptbypxniv2b", "my-first-post");
    assert_eq!(code(&own_key), Code::BadTime);
    let no_time = own_key.replace("\"createdAt\":\"yesterday\",", "");
    assert_eq!(tweet(&no_time).time(), None);
}

#[test]
fn ids_are_exact() {
    let big = 9_007_199_254_740_993_u64;
    for line in [
        format!(r#"{{"id":{big},"text":"a"}}"#),
        format!(r#"{{"id":"{big}","text":"a"}}"#),
        format!(r#"{{"id":9007199254740992.0,"id_str":"{big}","text":"a"}}"#),
        format!(r#"{{"id":9.007199254740992e15,"id_str":{big},"text":"a"}}"#),
        format!(r#"{{"id":{big},"id_str":null,"text":"a"}}"#),
        format!(r#"{{"data":{{"id":{big},"text":"a"}}}}"#),
    ] {
        let it = tweet(&line);
        assert_eq!((&it.id, it.retyped), (&Id::X(big), vec![]), "{line}");
    }
    let it = tweet(r#"{"id":18446744073709551615,"text":"a"}"#);
    assert_eq!(it.id.to_string(), "18446744073709551615");
    let it = tweet(
        r#"{"id":5,"text":"a","user":{"id":9007199254740993},"in_reply_to_status_id":9007199254740995}"#,
    );
    assert_eq!((it.author.id, it.in_reply_to_id), (one("9007199254740993"), one("9007199254740995")));
}

#[test]
fn unreadable_ids_texts_and_times_reject() {
    for (line, wanted) in [
        (r#"{"id":1.5,"text":"a"}"#, Code::BadId),
        (r#"{"id":1.3e18,"text":"a"}"#, Code::BadId),
        (r#"{"id":18446744073709551616,"text":"a"}"#, Code::BadId),
        (r#"{"id":-5,"text":"a"}"#, Code::BadId),
        (r#"{"id":0,"text":"a"}"#, Code::BadId),
        (r#"{"id":"","text":"a"}"#, Code::BadId),
        (r#"{"id":true,"text":"a"}"#, Code::BadId),
        (r#"{"id":5,"id_str":"5e3","text":"a"}"#, Code::BadId),
        (r#"{"id":null,"text":"a"}"#, Code::NoId),
        (r#"{"text":"a","user":{}}"#, Code::NoId),
        (r#"{"id":5}"#, Code::NoText),
        (r#"{"id":5,"text":null}"#, Code::NoText),
        (r#"{"data":{"id":5}}"#, Code::NoText),
        (r#"{"id":5,"text":["a"]}"#, Code::BadText),
        (r#"{"id":5,"text":7}"#, Code::BadText),
        (r#"{"id":5,"text":"a","created_at":"soon"}"#, Code::BadTime),
        (r#"{"id":5,"text":"a","created_at":1608852678}"#, Code::BadTime),
    ] {
        assert_eq!(code(line), wanted, "{line}");
    }
    let it = tweet(r#"{"id":1346889436626259968,"text":"a","created_at":"soon"}"#);
    assert_eq!((it.created_at, it.retyped), (Some(1_609_958_440_344_000), vec!["created_at"]));
    let it = tweet(r#"{"id":5,"text":"a","created_at":"soon","timestamp_ms":"1500"}"#);
    assert_eq!((it.created_at, it.retyped), (Some(1_500_000), vec!["created_at"]));
    let it = tweet(r#"{"id":5,"text":"a","created_at":null}"#);
    assert_eq!((it.created_at, it.time(), it.retyped), (None, None, vec![]));
}

#[test]
fn any_other_field_may_be_missing_or_wrong() {
    let it = tweet(r#"{"id":5,"text":"a"}"#);
    assert_eq!((it.lang, it.author, it.retyped), (None, tweet::Author::default(), vec![]));
    let it = tweet(
        r#"{"id":5,"text":"a","lang":7,"user":"ada","entities":[],"retweet_count":"4","favorite_count":"many","reply_count":4.0,
        "quote_count":4.5,"possibly_sensitive":"no","place":5,"coordinates":{"coordinates":["x",1]},"retweeted_status":"yes",
        "edit_history_tweet_ids":{},"withheld_in_countries":"NL","context_annotations":true,"extended_tweet":[1],"truncated":1}"#,
    );
    let mut retyped = it.retyped.clone();
    retyped.sort_unstable();
    assert_eq!(
        retyped,
        [
            "context_annotations",
            "coordinates",
            "edit_history_tweet_ids",
            "entities",
            "lang",
            "like_count",
            "note_tweet",
            "place",
            "possibly_sensitive",
            "quote_count",
            "retweeted_status",
            "truncated",
            "user",
            "withheld_in_countries"
        ]
    );
    assert_eq!(
        (it.counts.retweet, it.counts.like, it.counts.reply, it.counts.quote),
        (Some(4), None, Some(4), None)
    );
    let it = tweet(
        r#"{"id":5,"text":"a","entities":{"hashtags":[5,{"text":"b"},null,{"text":6}]},"user":{"created_at":"x","verified":"blue"}}"#,
    );
    assert_eq!(
        (&*it.hashtags, &*it.retyped),
        (&["b".into()][..], &["user.created_at", "user.verified", "entities.hashtags"][..])
    );
}

#[test]
fn both_dialects_at_once_are_no_duplicate() {
    let it = tweet(r#"{"data":{"id":"5","text":"a","public_metrics":{"retweet_count":4,"repost_count":4}}}"#);
    assert_eq!(it.counts.retweet, Some(4));
}

#[test]
fn withheld_everywhere_or_somewhere() {
    for (field, wanted) in [
        (r#""withheld_in_countries":["DE","AR"]"#, false),
        (r#""withheld_in_countries":["XY"]"#, true),
        (r#""withheld_copyright":true"#, true),
        (r#""withheld":{"copyright":false,"country_codes":["DE"]}"#, false),
        (r#""withheld":{"copyright":true,"country_codes":["DE"]}"#, true),
    ] {
        assert_eq!(
            tweet(&format!(r#"{{"id":5,"text":"a",{field}}}"#)).withheld_everywhere,
            wanted,
            "{field}"
        );
    }
}

#[test]
fn the_edits_of_v1() {
    let it =
        tweet(r#"{"id":6,"text":"a","edit_history":{"initial_tweet_id":"5","edit_tweet_ids":["5","6"]}}"#);
    assert_eq!(it.edits, [Id::X(5), Id::X(6)]);
}

#[test]
fn white_space_and_a_byte_order_mark() {
    assert_eq!(tweet("\u{feff} {\"id\":5,\r\n \"text\":\"a\"}\r\n").text, "a");
    assert_eq!(tweet("  {\"id\":5,\"text\":\"a\"}\t").text, "a");
}

#[test]
fn a_page_becomes_lines_with_what_each_needs() {
    let page = page(
        r#"{"data":[
        {"id":"6","text":"RT @bo: a…","author_id":"11","referenced_tweets":[{"type":"retweeted","id":"5"}]},
        {"id":"7","text":"c","author_id":"12","geo":{"place_id":"p1"}},
        {"id":"8","text":"answer","author_id":"11","referenced_tweets":[{"type":"replied_to","id":"7"}]},
        {"id":"9"},
        {"id":"10","text":"alone"}],
        "includes":{"users":[{"id":"11","username":"ada_x"},{"id":"12","username":"bo"},{"id":"13","username":"cy"}],
        "tweets":[{"id":"5","text":"all of it","author_id":"12","geo":{"place_id":"p1"}},{"id":"7","text":"c, stale","author_id":"12"}],
        "places":[{"id":"p1","full_name":"Utrecht"}],"media":[{"media_key":"3_1"}]},
        "errors":[{"value":"3","resource_type":"tweet","type":"https://api.x.com/2/problems/resource-not-found"}],
        "meta":{"result_count":5}}"#,
    );
    let lines: Vec<&str> = page.lines.iter().flatten().map(|line| &**line).collect();
    assert_eq!(
        lines,
        [
            r#"{"data":{"id":"6","text":"RT @bo: a…","author_id":"11","referenced_tweets":[{"type":"retweeted","id":"5"}]},"includes":{"users":[{"id":"11","username":"ada_x"},{"id":"12","username":"bo"}],"tweets":[{"id":"5","text":"all of it","author_id":"12","geo":{"place_id":"p1"}}],"places":[{"id":"p1","full_name":"Utrecht"}]}}"#,
            r#"{"data":{"id":"7","text":"c","author_id":"12","geo":{"place_id":"p1"}},"includes":{"users":[{"id":"12","username":"bo"}],"places":[{"id":"p1","full_name":"Utrecht"}]}}"#,
            r#"{"data":{"id":"8","text":"answer","author_id":"11","referenced_tweets":[{"type":"replied_to","id":"7"}]},"includes":{"users":[{"id":"11","username":"ada_x"},{"id":"12","username":"bo"}],"tweets":[{"id":"7","text":"c","author_id":"12","geo":{"place_id":"p1"}}],"places":[{"id":"p1","full_name":"Utrecht"}]}}"#,
            r#"{"data":{"id":"10","text":"alone"}}"#,
        ]
    );
    let (reject, bytes) = page.lines[3].as_ref().unwrap_err();
    assert_eq!((reject.code, &**bytes), (Code::NoText, r#"{"id":"9"}"#));
    assert_eq!(page.notices.len(), 1);
    assert_eq!(page.notices[0].kind.as_str(), "page_error");
    let first = tweet(lines[0]);
    assert_eq!(
        (&*first.text, first.retweeted.unwrap().tweet.unwrap().author.username),
        ("all of it", one("bo"))
    );
}

#[test]
fn a_page_keeps_its_dialect_and_its_rules() {
    let page = page(
        r#"{"data":[{"id":"6","text":"RT","referenced_posts":[{"type":"retweeted","id":"5"}]}],
        "includes":{"posts":[{"id":"5","text":"a"}]},"matching_rules":[{"id":"1"}]}"#,
    );
    assert_eq!(
        page.lines[0].as_deref().unwrap(),
        r#"{"data":{"id":"6","text":"RT","referenced_posts":[{"type":"retweeted","id":"5"}]},"includes":{"posts":[{"id":"5","text":"a"}]},"matching_rules":[{"id":"1"}]}"#
    );
}

#[test]
fn one_bad_element_costs_itself_only() {
    let page = page(
        r#"{"data":[{"id":"6","text":"a","author_id":"11"},{"id":"7","text":"\ud83d"},{"id":"8","id":"9","text":"b"},5],
        "includes":{"users":[{"id":"11","name":"\ud83d"},{"id":"11","name":"Ada"},"x"]}}"#,
    );
    let codes: Vec<_> =
        page.lines.iter().map(|line| line.as_ref().err().map(|(reject, _)| reject.code)).collect();
    assert_eq!(codes, [None, Some(Code::LoneSurrogate), Some(Code::DuplicateKey), Some(Code::NotATweet)]);
    assert_eq!(
        page.lines[0].as_deref().unwrap(),
        r#"{"data":{"id":"6","text":"a","author_id":"11"},"includes":{"users":[{"id":"11","name":"Ada"}]}}"#
    );
    assert_eq!(page.notices.len(), 2, "what was included and cannot be read is kept");
}

#[test]
fn lists_and_search_answers_of_v1() {
    let list = page(
        "[{\"id\":5,\n\"text\":\"a\"},{\"delete\":{\"status\":{\"id\":4,\"user_id\":3}}},7,[],{\"data\":[{\"id\":\"6\",\"text\":\"b\"}]}]",
    );
    assert_eq!(list.lines[0].as_deref(), Ok(r#"{"id":5,"text":"a"}"#));
    assert_eq!(list.lines[1].as_ref().unwrap_err().0.code, Code::NotATweet);
    assert_eq!(list.lines[2].as_ref().unwrap_err().0.code, Code::TooDeep);
    assert_eq!(list.lines[3].as_deref(), Ok(r#"{"data":{"id":"6","text":"b"}}"#));
    assert_eq!((list.lines.len(), list.notices.len()), (4, 1));
    let search =
        page(r#"{"statuses":[{"id":5,"text":"a"},{"id":6,"text":"b"}],"search_metadata":{"count":2}}"#);
    assert_eq!(
        search.lines,
        [Ok(r#"{"id":5,"text":"a"}"#.to_owned()), Ok(r#"{"id":6,"text":"b"}"#.to_owned())]
    );
}

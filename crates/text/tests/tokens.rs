//! One test for each rule of the tokenizer.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use text::{Kind, Options, Token, is_space, tokenize, tokenize_with};

fn tokens(text: &str) -> Vec<(&str, Kind)> {
    let mut out = Vec::new();
    tokenize(text, &mut out);
    out.iter().map(|token| (token.text, token.kind)).collect()
}

fn words(text: &str) -> Vec<&str> {
    tokens(text).into_iter().map(|(text, _)| text).collect()
}

fn kind(text: &str) -> Kind {
    let found = tokens(text);
    assert_eq!(found.len(), 1, "{text:?} is one token: {found:?}");
    found[0].1
}

#[test]
fn links_end_before_the_punctuation_of_the_sentence() {
    assert_eq!(words("see https://t.co/a1B2."), ["see", "https://t.co/a1B2", "."]);
    assert_eq!(words("(http://example.com/a_(b))!"), ["(", "http://example.com/a_(b)", ")", "!"]);
    assert_eq!(words("www.example.org?"), ["www.example.org", "?"]);
    assert_eq!(words("http://a.io/x?y=1&z=2, ok"), ["http://a.io/x?y=1&z=2", ",", "ok"]);
    assert_eq!(words("https://t.co/abc…"), ["https://t.co/abc", "…"]);
    assert_eq!(words("https://t.co/abcです"), ["https://t.co/abc", "で", "す"]);
}

#[test]
fn links_without_a_scheme() {
    assert_eq!(kind("bit.ly/xyz"), Kind::Url);
    assert_eq!(kind("example.com"), Kind::Url);
    assert_eq!(kind("news.example.co.uk/a/b"), Kind::Url);
    assert_eq!(words("done.now"), ["done", ".", "now"]);
    assert_eq!(kind("me@example.com"), Kind::Word);
}

#[test]
fn mentions_and_tags() {
    assert_eq!(
        tokens("RT @some_one: #Tag2 $ABC"),
        [
            ("RT", Kind::Word),
            ("@some_one", Kind::Mention),
            (":", Kind::Punctuation),
            ("#Tag2", Kind::Hashtag),
            ("$ABC", Kind::Cashtag)
        ]
    );
    assert_eq!(kind("@someone.bsky.social"), Kind::Mention);
    assert_eq!(words("@someone."), ["@someone", "."]);
    assert_eq!(kind("＠someone"), Kind::Mention);
    assert_eq!(kind("#1"), Kind::Number);
    assert_eq!(kind("$BRK.B"), Kind::Cashtag);
    assert_eq!(words("# @ $"), ["#", "@", "$"]);
}

#[test]
fn hashtags_in_japanese_and_with_marks() {
    assert_eq!(tokens("#音楽の日、楽しい")[0], ("#音楽の日", Kind::Hashtag));
    assert_eq!(tokens("＃ライブ・ビューイング！")[0], ("＃ライブ・ビューイング", Kind::Hashtag));
    assert_eq!(kind("#संगीत"), Kind::Hashtag);
    assert_eq!(kind("#เพลงใหม่"), Kind::Hashtag);
}

#[test]
fn emoticons() {
    for face in [
        ":)", ":-)", ";-P", "=D", ":'(", ">:(", "<3", "</3", "^_^", "-_-", "\\o/", ":D", "xD", "T_T", "o_O",
        "(:", ":/", ":3",
    ] {
        assert_eq!(kind(face), Kind::Emoticon, "{face}");
    }
    assert_eq!(words("hi:)"), ["hi", ":)"]);
    assert_eq!(words("note:Dear"), ["note", ":", "Dear"]);
    assert_eq!(words("http://x.yz"), ["http://x.yz"]);
    assert_eq!(words("10:30"), ["10:30"]);
    assert_eq!(words("(see a)"), ["(", "see", "a", ")"]);
}

#[test]
fn an_emoji_is_one_token_with_its_joiners_tones_and_flags() {
    for emoji in ["😂", "👩‍👩‍👧‍👦", "👍🏽", "🏳️‍🌈", "🇬🇧", "❤️", "1️⃣", "#️⃣", "🧑🏿‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "♪"]
    {
        assert_eq!(kind(emoji), Kind::Emoji, "{emoji}");
    }
    assert_eq!(words("😂😂🇬🇧🇯🇵"), ["😂", "😂", "🇬🇧", "🇯🇵"]);
    assert_eq!(words("so🎵good"), ["so", "🎵", "good"]);
    assert_eq!(words("call 911️⃣"), ["call", "91", "1️⃣"]);
    assert_eq!(words("0é️⃣"), ["0é", "\u{fe0f}", "\u{20e3}"]);
}

#[test]
fn numbers_and_times() {
    for number in ["3.5", "1,000", "10:30", "24/7", "50%", "$20", "£3.50", "2016-12-31", "€5", "10k"] {
        assert_eq!(words(number).len(), 1, "{number}");
    }
    assert_eq!(kind("1,000"), Kind::Number);
    assert_eq!(kind("$4.99"), Kind::Number);
    assert_eq!(kind("2nd"), Kind::Word);
    assert_eq!(words("8:30pm"), ["8:30", "pm"]);
    assert_eq!(words("in 2016."), ["in", "2016", "."]);
}

#[test]
fn words_with_signs_inside() {
    for word in [
        "don't",
        "rock’n’roll",
        "well-known",
        "w/",
        "w/o",
        "b/c",
        "and/or",
        "R&B",
        "U.S.",
        "a.m.",
        "Mr.",
        "f**k",
        "l'été",
        "o'clock",
    ] {
        assert_eq!(kind(word), Kind::Word, "{word}");
    }
    assert_eq!(words("you & me"), ["you", "&", "me"]);
    assert_eq!(words("ok. Next"), ["ok", ".", "Next"]);
    assert_eq!(words("wait... what?!"), ["wait", "...", "what", "?!"]);
    assert_eq!(words("'cause"), ["'cause"]);
    assert_eq!(words("he said \"no.\""), ["he", "said", "\"", "no", ".\""]);
    assert_eq!(words("a -> b --> c"), ["a", "->", "b", "-->", "c"]);
    assert_eq!(words("((x))"), ["((", "x", "))"]);
}

#[test]
fn scripts_without_spaces_are_cut_at_unicode_word_bounds() {
    assert_eq!(words("カラオケ最高"), ["カラオケ", "最", "高"]);
    assert_eq!(words("한국어 노래"), ["한국어", "노래"]);
    assert_eq!(words("हिन्दी गाना"), ["हिन्दी", "गाना"]);
    assert_eq!(words("مرحبا، يا"), ["مرحبا", "،", "يا"]);
}

#[test]
fn contractions_split_on_request() {
    let split = |text| {
        let mut out = Vec::new();
        tokenize_with(text, Options { split_contractions: true }, &mut out);
        out.iter().map(|token: &Token| token.text).collect::<Vec<_>>()
    };
    assert_eq!(split("don't"), ["do", "n't"]);
    assert_eq!(split("I’m"), ["I", "’m"]);
    assert_eq!(split("they'LL've"), ["they'LL", "'ve"]);
    assert_eq!(split("world's"), ["world", "'s"]);
    assert_eq!(split("o'clock"), ["o'clock"]);
    assert_eq!(split("'s"), ["'", "s"]);
}

#[test]
fn invisible_marks_are_space() {
    assert_eq!(words("a\u{200b}b \u{feff}c\u{a0}d"), ["a", "b", "c", "d"]);
    assert!(words(" \t\n\u{3000}").is_empty());
}

#[test]
fn a_long_hostile_text_is_read_in_one_pass() {
    // quadratic time would take hours here
    for piece in [
        ")",
        "aa.",
        "a@a.",
        "@a.",
        "(",
        ":",
        "http://x)",
        "<",
        "a'",
        "1.",
        "#",
        "-",
        "👍",
        "\u{200d}",
        "'",
        "a-",
        "w/",
        "*a",
    ] {
        for head in ["", "http://x", "@", "a", ":"] {
            let text = format!("{head}{}", piece.repeat(100_000));
            check(&text, Options::default()).unwrap();
        }
    }
}

/// Order, no overlap, full cover.
fn check(text: &str, options: Options) -> Result<(), TestCaseError> {
    let mut out = vec![Token { text: "left over", kind: Kind::Word, start: 0 }];
    tokenize_with(text, options, &mut out);
    let mut end = 0;
    for token in &out {
        prop_assert!(token.start >= end, "overlap in {text:?}: {out:?}");
        prop_assert!(!token.text.is_empty());
        prop_assert_eq!(&text[token.start..token.end()], token.text);
        prop_assert!(text[end..token.start].chars().all(is_space), "a gap in {text:?}: {out:?}");
        end = token.end();
    }
    prop_assert!(text[end..].chars().all(is_space), "the end of {text:?}: {out:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_covered_in_order(text in "\\PC{0,60}", split: bool) {
        check(&text, Options { split_contractions: split })?;
    }

    #[test]
    fn texts_of_tricky_pieces_are_covered_in_order(
        pieces in proptest::collection::vec(prop_oneof![
            "[a-zA-Z'’@#$&.:/_0-9*%+=<>()-]{0,6}",
            Just("http://".to_owned()), Just("www.".to_owned()), Just("\u{200d}".to_owned()), Just("\u{fe0f}".to_owned()),
            Just("👩‍👧".to_owned()), Just("\u{20e3}".to_owned()), Just("🏽".to_owned()), Just("🇬".to_owned()),
            Just("한".to_owned()), Just("カ".to_owned()), Just("é".to_owned()), Just("\u{301}".to_owned()),
            Just("…".to_owned()), Just("＃".to_owned()), Just("\u{0}".to_owned()), Just(" ".to_owned()), any::<char>().prop_map(String::from),
        ], 0..14),
        split: bool,
    ) {
        check(&pieces.concat(), Options { split_contractions: split })?;
    }
}

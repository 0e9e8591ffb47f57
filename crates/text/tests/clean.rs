//! The clean text, its key, and HTML entities.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use text::{clean, key, key_of_clean, profane, tokenize, unescape};

fn cleaned(text: &str) -> String {
    let mut tokens = Vec::new();
    tokenize(text, &mut tokens);
    clean(text, &tokens)
}

fn keyed(text: &str) -> Option<u64> {
    let mut tokens = Vec::new();
    tokenize(text, &mut tokens);
    key(text, &tokens)
}

#[test]
fn links_names_and_the_mark_of_a_retweet_go() {
    assert_eq!(cleaned("RT @a_b: Look at this https://t.co/x  @c"), "Look at this");
    assert_eq!(cleaned("So true! RT @a: yes"), "So true! yes");
    assert_eq!(cleaned("RT if you agree"), "RT if you agree");
    assert_eq!(cleaned("@a @b"), "");
}

#[test]
fn the_word_of_a_hashtag_stays() {
    assert_eq!(cleaned("#GoodMorning ＃東京 #1"), "GoodMorning 東京 #1");
}

#[test]
fn space_folds_and_the_rest_stays() {
    assert_eq!(cleaned("  Hello,\n\n wörld\u{a0}! 😂👍🏽 "), "Hello, wörld ! 😂👍🏽");
    assert_eq!(cleaned("don't(stop)"), "don't(stop)");
}

#[test]
fn the_key_does_not_change() {
    // worked out in Python: FNV-1a of unicodedata.normalize("NFKC", text).lower() as UTF-8. These
    // figures stand in datasets: a change of them is a change of the format
    assert_eq!(keyed("The quick brown fox jumps over 13 lazy dogs"), Some(0x4c8e_efc7_1d49_5424));
    assert_eq!(keyed("Ｆｕｌｌ width ﬁgures, ÉTÉ à la plage toute la journée"), Some(0xdfc1_c9f1_0bfd_5735));
}

#[test]
fn the_key_is_of_what_is_said() {
    let key = keyed("Breaking news: the river rose by 3 metres");
    assert!(key.is_some());
    assert_eq!(key, keyed("RT @x: BREAKING NEWS:  the river rose by 3 metres https://t.co/y"));
    assert_eq!(key, keyed("@y Breaking #news: the river rose by ３ metres"));
    assert_ne!(key, keyed("Breaking news: the river rose by 4 metres"));
}

#[test]
fn a_short_text_has_no_key() {
    assert_eq!(keyed("Good morning everyone"), keyed("GOOD MORNING EVERYONE"));
    assert_eq!(keyed("Good morning all 1234567890"), None);
    assert_eq!(keyed("@x https://t.co/abcdefghijklmnopqrstuvwxyz"), None);
}

#[test]
fn entities_are_unescaped_once() {
    assert_eq!(unescape("a &amp; b &lt;3 &quot;x&quot; &#39;"), "a & b <3 \"x\" '");
    assert_eq!(unescape("&amp;lt;"), "&lt;");
    assert_eq!(unescape("AT&T & co &"), "AT&T & co &");
    assert!(matches!(unescape("plain"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn swear_words_as_whole_words() {
    let is = |text: &str| {
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        profane(&tokens)
    };
    assert!(is("what the FUCK") && is("#bullshit"));
    assert!(!is("Scunthorpe classic assignment") && !is("こんにちは"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cleaning_a_clean_text_changes_nothing_about_its_key(text in "[a-zA-Z@#:/. é😂]{0,80}") {
        let once = cleaned(&text);
        prop_assert_eq!(keyed(&text), key_of_clean(&once));
        prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
    }

    #[test]
    fn case_does_not_matter_to_the_key(text in "[a-z ,.!]{20,80}") {
        prop_assert_eq!(key_of_clean(&text), key_of_clean(&text.to_uppercase()));
    }
}

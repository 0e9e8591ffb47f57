//! The language cascade.
#![allow(clippy::unwrap_used)]

use text::{Code, LanguageSource, language, normalise_language};

fn code(text: &str) -> String {
    language(text, None).code.to_string()
}

#[test]
fn platform_codes_become_iso_639_1() {
    let code = |platform| normalise_language(platform).map(|code| code.to_string());
    assert_eq!(code("in").as_deref(), Some("id"));
    assert_eq!(code("iw").as_deref(), Some("he"));
    assert_eq!(code("zh-TW").as_deref(), Some("zh"));
    assert_eq!(code("pt_BR").as_deref(), Some("pt"));
    assert_eq!(code("EN").as_deref(), Some("en"));
    assert_eq!(code("ckb").as_deref(), Some("ckb"));
    for nobody in ["und", "zxx", "qme", "qst", "qht", "qam", "qct"] {
        assert_eq!(normalise_language(nobody), Some(Code::UND), "{nobody}");
    }
    assert_eq!(normalise_language(""), None);
    assert_eq!(normalise_language("english"), None);
    assert_eq!(normalise_language("e1"), None);
}

#[test]
fn the_script_decides_where_it_can() {
    for (text, expected) in [
        ("今日はいい天気ですね", "ja"),
        ("今天天气很好", "zh"),
        ("오늘 날씨 좋다", "ko"),
        ("Καλημέρα σε όλους", "el"),
        ("สวัสดีตอนเช้า", "th"),
        ("שלום לכולם", "he"),
        ("صباح الخير يا جماعة", "ar"),
        ("امروز خیلی خوب بود چرا گریه می‌کنی", "fa"),
        ("আজকের দিন", "bn"),
        ("Доброго ранку, мої друзі, як їхалося", "uk"),
    ] {
        let found = language(text, None);
        assert_eq!(found.code.to_string(), expected, "{text}");
        assert!(found.confident, "{text}");
        assert_eq!(found.source, LanguageSource::Script, "{text}");
    }
}

#[test]
fn latin_tweets() {
    assert_eq!(code("I really think that you should go to bed now"), "en");
    assert_eq!(code("Ik heb echt geen zin om morgen naar school te gaan"), "nl");
    assert_eq!(code("Je ne sais pas pourquoi mais je suis content aujourd'hui"), "fr");
    assert_eq!(code("Ich habe heute leider keine Zeit für dich"), "de");
    assert_eq!(code("No sé por qué pero hoy estoy muy contento"), "es");
    assert_eq!(code("Eu não sei por que mas hoje estou muito feliz"), "pt");
    assert_eq!(code("aku gak tau kenapa tapi hari ini senang banget"), "id");
}

#[test]
fn short_texts() {
    assert_eq!(code("thank you"), "en");
    assert_eq!(code("zzq"), "und");
    assert_eq!(code(""), "und");
    assert_eq!(code("😂😂 123 !!"), "und");
    assert_eq!(language("", Some("en")).source, LanguageSource::Platform);
    assert_eq!(language("ok", Some("und")).code, Code::UND);
}

#[test]
fn the_platform_leads_and_is_overruled_only_by_all_the_others() {
    let found = language("The weather is nice and I am going to the beach with my friends", Some("en"));
    assert_eq!(
        (found.code.to_string().as_str(), found.confident, found.source),
        ("en", true, LanguageSource::Platform)
    );
    let found = language("The weather is nice and I am going to the beach with my friends", Some("tl"));
    assert_eq!((found.code.to_string().as_str(), found.confident), ("en", false));
    let found = language("vamos vamos", Some("gl"));
    assert_eq!((found.code.to_string().as_str(), found.source), ("gl", LanguageSource::Platform));
}

#[test]
fn letters_that_somebody_leans_on_and_emoji_do_not_matter() {
    assert_eq!(code("I am sooooooooo happyyyyyy with this 😂😂😂😂 and with that"), "en");
}

//! The rules of the music score, the lexicon format, and the bundled files.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use text::{Code, Music, MusicInput, Preset, Reason, Switches, Verdict, clean, language, tokenize};

fn verdict<'m>(
    music: &'m Music,
    text: &str,
    urls: &[&str],
    annotations: &[&str],
    switches: Switches,
) -> Verdict<'m> {
    let mut tokens = Vec::new();
    tokenize(text, &mut tokens);
    let lang = language(&clean(text, &tokens), None).code;
    let input = MusicInput { tokens: &tokens, urls, annotations, lang };
    music.score(&input, switches)
}

fn score(text: &str) -> f32 {
    verdict(Music::bundled(), text, &[], &[], Switches::default()).score
}

fn balanced(text: &str) -> bool {
    score(text) >= Preset::Balanced.threshold()
}

/// A lexicon of these lines, with no profile.
fn small(lines: &str) -> Music {
    Music::new(&format!("#! offkey-lexicon small 1\n{lines}"), "#! offkey-lexicon nobody 1\n").unwrap()
}

fn terms(music: &Music, text: &str) -> Vec<String> {
    verdict(music, text, &[], &[], Switches::default()).terms.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_bundled_files_parse_and_say_their_version() {
    assert_eq!(Music::bundled().version(), "music 2026.11.2 + justin-bieber 2026.11.2");
}

#[test]
fn words_match_whole_tokens_of_any_case_and_accent() {
    let music = small("canción\t3\tword\nsong\t3\tword\nlisten to\t2\tword");
    assert_eq!(terms(&music, "mi CANCION"), ["cancion"]);
    assert!(terms(&music, "songbird").is_empty());
    assert_eq!(terms(&music, "that song's good, so goooood"), ["song"]);
    assert_eq!(terms(&music, "what a sooong"), ["song"]);
    assert_eq!(terms(&music, "Listen to it"), ["listen to"]);
    assert!(terms(&music, "listen, to it").is_empty());
}

#[test]
fn a_longer_term_hides_what_stands_inside_it() {
    let music = small("ticket\t2\tword\nparking ticket\t0\tword");
    assert!(terms(&music, "a parking ticket").is_empty());
    assert_eq!(terms(&music, "a parking ticket and a ticket"), ["ticket"]);
}

#[test]
fn terms_rest_in_other_languages() {
    let music = small("encore\t2\tword\ten\nconcert\t3\tword\tfr");
    assert_eq!(terms(&music, "they played an encore and then they left the stage"), ["encore"]);
    assert!(terms(&music, "je ne suis pas encore là mais je vais venir avec toi").is_empty());
}

#[test]
fn a_term_of_another_language_hides_nothing() {
    let music = small("show\t2\tword\nshow do\t3\tword\tpt");
    assert_eq!(terms(&music, "what does this show do that the others of its kind do not"), ["show"]);
}

#[test]
fn stems_and_parts() {
    let music = small("τραγουδ\t3\tstem\tel\nライブ\t3\tpart\tja\nライブラリ\t0\tpart\tja");
    assert_eq!(terms(&music, "Όμορφα ΤΡΑΓΟΎΔΙΑ σήμερα"), ["τραγουδ"]);
    assert_eq!(terms(&music, "明日のライブ楽しみ"), ["ライブ"]);
    assert!(terms(&music, "ライブラリを更新した").is_empty());
    assert!(terms(&music, "アライブする").is_empty());
}

#[test]
fn hashtags_as_a_whole_by_their_humps_and_by_their_parts() {
    let music = small("np\t4\ttag\nworld tour\t2\tword\nnowplaying\t3\ttagpart");
    assert_eq!(terms(&music, "#NP this"), ["np"]);
    assert_eq!(terms(&music, "#BigWorldTour2022"), ["world tour"]);
    assert_eq!(terms(&music, "#radionowplaying"), ["nowplaying"]);
    assert!(terms(&music, "np").is_empty());
}

#[test]
fn emoji_in_any_skin_and_with_or_without_a_selector() {
    let music = small("🎤\t3\temoji\n🎵\t3\temoji\n🎵\t1\temoji\tja");
    assert_eq!(terms(&music, "yes 🎤\u{fe0f}"), ["🎤"]);
    let japanese = verdict(&music, "おはようございます🎵", &[], &[], Switches::default());
    assert!((japanese.score - 1.0).abs() < f32::EPSILON);
}

#[test]
fn links_by_their_host_and_its_ending() {
    let music = small("spotify.com\t4\tdomain");
    let found = |text, urls: &[&str]| verdict(&music, text, urls, &[], Switches::default());
    assert_eq!(found("x", &["https://open.spotify.com/track/1"]).reason, Reason::Link);
    assert_eq!(found("see https://spotify.com/x", &[]).reason, Reason::Link);
    assert_eq!(found("x", &["https://notspotify.com/", "https://a.b/spotify.com"]).reason, Reason::None);
}

#[test]
fn what_lies_below_a_part_of_a_path_may_weigh_otherwise() {
    let music = small("apple.com\t4\tdomain\napple.com/app\t0\tdomain");
    let score = |url| verdict(&music, "x", &[url], &[], Switches::default()).score;
    assert_eq!(score("https://itunes.apple.com/us/album/x/1"), 4.0);
    assert_eq!(score("https://itunes.apple.com/us/app/x"), 0.0);
    assert_eq!(score("https://itunes.apple.com/app?x"), 0.0);
    assert_eq!(score("https://itunes.apple.com/us/album/app"), 4.0);
}

#[test]
fn annotations_count_but_not_the_searched_artist_himself() {
    let found = |annotations: &[&str]| {
        verdict(Music::bundled(), "hello there", &[], annotations, Switches::default())
    };
    assert_eq!(found(&["Song/Thriller"]).reason, Reason::Annotation);
    assert_eq!(found(&["Musician/Justin Bieber"]).reason, Reason::None);
    assert_eq!(found(&["Sports Team/Leeds"]).reason, Reason::None);
}

#[test]
fn windows_are_cues_in_order_within_a_sentence() {
    let music =
        small("hear: blasting playing\t0\tclass\nann example\t2\tartist\n{hear} *2 {artist}\t2\twindow");
    assert_eq!(terms(&music, "blasting some Ann Example").len(), 2);
    assert_eq!(terms(&music, "Ann Example blasting"), ["ann example"]);
    assert_eq!(terms(&music, "blasting one two three Ann Example"), ["ann example"]);
    assert_eq!(terms(&music, "blasting. Ann Example"), ["ann example"]);
}

#[test]
fn windows_know_numbers_and_alternatives() {
    let music = small("row|seat {number}\t2\twindow");
    assert_eq!(terms(&music, "Seat 14 of all").len(), 1);
    assert_eq!(terms(&music, "row 3").len(), 1);
    assert!(terms(&music, "row three").is_empty());
}

#[test]
fn names_alone_and_weak_words_alone_are_hints() {
    let music = small("aa\t2\tartist\nbb\t2\tartist\ncc\t1\tword\ndd\t1\tword\nee\t1\tword");
    let score = |text| verdict(&music, text, &[], &[], Switches::default()).score;
    assert!((score("aa bb") - 2.0).abs() < f32::EPSILON);
    assert!((score("cc dd ee cc") - 2.0).abs() < f32::EPSILON);
    assert!((score("aa cc") - 3.0).abs() < f32::EPSILON);
}

#[test]
fn switches_for_concerts_and_votes() {
    let music = small("gig\t3\tword/concert\nvoteforx\t3\ttag/vote");
    let score =
        |text, concerts, fan_votes| verdict(&music, text, &[], &[], Switches { concerts, fan_votes }).score;
    assert!(score("a gig", true, false) > 2.0 && score("a gig", false, false) < 1.0);
    assert!(score("#VoteForX", true, false) < 1.0 && score("#VoteForX", true, true) > 2.0);
}

#[test]
fn terms_come_heaviest_first_and_once() {
    let music = small("b\t2\tword\na\t2\tword\nc\t3\tword\nz\t-1\tword");
    assert_eq!(terms(&music, "a z b c b a"), ["c", "a", "b", "z"]);
}

#[test]
fn a_later_file_replaces_and_extends() {
    let base = "#! offkey-lexicon base 1\nsong\t3\tword\n";
    let mine = "#! offkey-lexicon mine 2\nsong\t0\tword\npolka\t3\tword\n";
    let music = Music::from_files(&[base, mine]).unwrap();
    assert_eq!(terms(&music, "a song and a polka"), ["polka"]);
    assert_eq!(music.version(), "base 1 + mine 2");
}

#[test]
fn lexicon_errors_name_the_line_and_why() {
    let error = |lines: &str| {
        Music::from_files(&[&format!("#! offkey-lexicon x 1\n# a comment\n{lines}")]).unwrap_err()
    };
    for (lines, line, why) in [
        ("song 3 word", 3, "columns"),
        ("song\tthree\tword", 3, "not a weight"),
        ("song\t99\tword", 3, "outside"),
        ("ok\t1\tword\nsong\t3\tnoun", 4, "not a kind"),
        ("song\t3\tword/party", 3, "not a topic"),
        ("song\t3\tword\tenglish", 3, "not a language code"),
        ("\t3\tword", 3, "empty"),
        ("song\t3\tpart", 3, "beyond ASCII"),
        ("s\t3\tstem", 3, "two letters"),
        ("{nobody} x\t3\twindow", 3, "no class"),
        ("*x y\t3\twindow", 3, "not a gap"),
        ("a b c\t0\tclass", 3, "NAME: word"),
    ] {
        let error = error(lines);
        assert_eq!(error.line, line, "{error}");
        assert!(error.why.contains(why), "{error}");
        assert!(error.to_string().starts_with(&format!("x line {line}: ")), "{error}");
    }
    let error = Music::from_files(&["song\t3\tword"]).unwrap_err();
    assert_eq!(error.line, 1);
}

#[test]
fn presets_by_name() {
    assert_eq!("precision".parse::<Preset>().unwrap().threshold(), 4.0);
    assert!(Preset::Recall.threshold() < Preset::Balanced.threshold());
    assert!("strict".parse::<Preset>().is_err());
}

#[test]
fn the_bundled_lexicon_on_made_up_tweets() {
    for music in [
        "Can't stop listening to the new Justin Bieber",
        "going to see justin bieber in march with my sister!!",
        "Two tickets for Justin Bieber on Friday, row 3",
        "the bass player of this band is so good #nowplaying",
        "Me encanta esa canción nueva",
        "Ouvindo essa música o dia todo",
        "Τι ωραίο τραγούδι είναι αυτό",
        "新曲めっちゃいい",
        "이 노래 너무 좋다",
        "Justin Bieber - Sorry is my jam",
        "that is such a dope track",
        "DOWNLOAD MP3: Somebody ft. Somebody Else",
    ] {
        assert!(balanced(music), "{music}: {}", score(music));
    }
    for other in [
        "Justin Bieber cut his hair again",
        "@justinbieber follow me please please",
        "I got a parking ticket on my way to the match",
        "What a great track record this minister has",
        "keep the rubber band on",
        "I gave all my votes to Justin Bieber #MTVHottest",
        "La banda ancha va muy lenta hoy",
        "ライブラリをアップデートした",
        "my burger took an hour #WelcomeBackToTheSouth",
        "I added a video to a @YouTube playlist https://youtu.be/x My cat and the lawn mower",
        "He añadido un vídeo a una lista de reproducción de @YouTube (https://youtu.be/x - Cocina fácil)",
        "I'll show you how to mend a bicycle https://youtu.be/x",
        "our episode is out! https://open.spotify.com/episode/1",
    ] {
        assert!(!balanced(other), "{other}: {}", score(other));
    }
}

#[test]
fn another_artist_is_one_file_away() {
    let profile = "#! offkey-lexicon ann-example 1\nann example\t1\tname\nblue door\t2\ttitle\n{hear} *3 {name}\t3\twindow\n";
    let music = Music::new(Music::LEXICON, profile).unwrap();
    let ann = verdict(&music, "listening to Ann Example all day", &[], &[], Switches::default());
    assert!(ann.score >= 3.0, "{ann:?}");
    assert_eq!(music.version(), "music 2026.11.2 + ann-example 1");
}

#[test]
fn an_unknown_language_wakes_all_terms() {
    let music = small("lagu\t3\tword\tid");
    let mut tokens = Vec::new();
    tokenize("lagu", &mut tokens);
    let input = MusicInput { tokens: &tokens, urls: &[], annotations: &[], lang: Code::UND };
    assert_eq!(music.score(&input, Switches::default()).reason, Reason::Words);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_a_finite_score_and_a_language(text in "\\PC{0,80}", platform in proptest::option::of("[a-z_-]{0,4}")) {
        let mut tokens = Vec::new();
        tokenize(&text, &mut tokens);
        let cleaned = clean(&text, &tokens);
        let found = language(&cleaned, platform.as_deref());
        prop_assert!((0.0..=1.0).contains(&found.confidence));
        let verdict = verdict(Music::bundled(), &text, &[&text], &[&text], Switches::default());
        prop_assert!(verdict.score.is_finite());
        prop_assert_eq!(verdict.terms.is_empty(), verdict.score == 0.0 && verdict.reason == Reason::None);
    }
}

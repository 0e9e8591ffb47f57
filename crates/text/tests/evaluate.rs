//! The evaluation, on small records; and its floors on the real ones, where there are any.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use text::evaluate::{self, Measure};
use text::{Music, Options, Preset, Switches};

fn near(measure: Measure, value: f64) -> bool {
    (measure.value - value).abs() < 1e-9 && measure.low <= measure.value && measure.value <= measure.high
}

#[test]
fn music_counts() {
    let lines = r#"{"text":"a new song and an album","music":1}
{"text":"such a lovely song today","music":0}
{"text":"nothing of that kind here","music":1.0}
{"text":"who knows","music":null}

{"text":"just the weather","music":0,"label":"N"}"#;
    let report = evaluate::music(lines, Music::bundled(), 3.0, Switches::default()).unwrap();
    assert_eq!((report.records, report.positives, report.skipped), (4, 2, 1));
    for measure in [report.precision, report.recall, report.f1, report.accuracy] {
        assert!(near(measure, 0.5), "{measure}");
    }
    assert_eq!(report, evaluate::music(lines, Music::bundled(), 3.0, Switches::default()).unwrap());
    assert!(report.table().contains("f1"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["task"], &json["f1"], &json["records"]), (&"music".into(), &0.5.into(), &4.into()));
    assert_eq!(json["intervals"]["f1"][0], report.f1.low);
}

#[test]
fn language_counts() {
    let lines = r#"{"text":"I think that you should go to bed now","lang":"en"}
{"text":"Ich habe heute leider keine Zeit für dich","lang":"fr"}"#;
    let report = evaluate::language(lines).unwrap();
    assert!(
        near(report.accuracy, 0.5)
            && near(report.confident_share, 1.0)
            && near(report.confident_accuracy, 0.5)
    );
    assert!(report.table().contains("confident_share"));
}

#[test]
fn tokens_count_once_each() {
    let lines = r#"{"text":"a a &amp; b","tokens":["a","a","&","b"]}
{"text":"ok then","tokens":["ok","th","en"]}"#;
    let report = evaluate::tokens(lines, Options::default()).unwrap();
    assert!(
        near(report.precision, 5.0 / 6.0) && near(report.recall, 5.0 / 7.0) && near(report.f1, 10.0 / 13.0)
    );
}

#[test]
fn nothing_is_nothing() {
    let report = evaluate::tokens("", Options::default()).unwrap();
    assert_eq!(report.records, 0);
    assert!(near(report.f1, 0.0));
}

#[test]
fn a_bad_record_is_named_without_its_text() {
    let error = evaluate::music(
        "{\"text\":\"x\",\"music\":1}\n{\"text\":\"secret",
        Music::bundled(),
        3.0,
        Switches::default(),
    )
    .unwrap_err();
    assert_eq!(error.line, 2);
    assert!(!error.to_string().contains("secret"));
    assert_eq!(evaluate::language("{\"text\":\"x\"}").unwrap_err().line, 1);
}

/// The labelled files, which are not part of the project.
fn data(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("OFFKEY_DATA") else {
        eprintln!(
            "SKIPPED: {name} is not measured, for OFFKEY_DATA does not name the folder of labelled files"
        );
        return None;
    };
    Some(std::fs::read_to_string(PathBuf::from(folder).join(name)).unwrap())
}

fn f1(lines: &str, preset: Preset) -> evaluate::MusicReport {
    evaluate::music(lines, Music::bundled(), preset.threshold(), Switches::default()).unwrap()
}

#[test]
fn floor_of_tokens() {
    let Some(lines) = data("tokens_ark.jsonl") else { return };
    let report = evaluate::tokens(&lines, Options::default()).unwrap();
    assert!(report.f1.value >= 0.985, "{}", report.table());
}

#[test]
fn floor_of_language() {
    let Some(lines) = data("language_carter.jsonl") else { return };
    let report = evaluate::language(&lines).unwrap();
    assert!(report.accuracy.value >= 0.92, "{}", report.table());
    assert!(report.confident_share.value >= 0.75, "{}", report.table());
    assert!(report.confident_accuracy.value >= 0.975, "{}", report.table());
}

#[test]
fn floor_of_music_in_four_languages() {
    let mut pooled = String::new();
    for (name, floor) in [("en", 0.78), ("es", 0.72), ("ja", 0.58), ("gr", 0.55)] {
        let Some(lines) = data(&format!("music_{name}.jsonl")) else { return };
        let report = f1(&lines, Preset::Balanced);
        assert!(report.f1.value >= floor, "{name}: {}", report.table());
        pooled.push_str(&lines);
        pooled.push('\n');
    }
    let report = f1(&pooled, Preset::Balanced);
    assert!(report.f1.value >= 0.68, "{}", report.table());
}

#[test]
fn floor_of_music_about_one_artist() {
    let Some(lines) = data("music_bieber.jsonl") else { return };
    let report = f1(&lines, Preset::Balanced);
    assert!(report.f1.value >= 0.88, "{}", report.table());
    let report = f1(&lines, Preset::Precision);
    assert!(report.precision.value >= 0.90 && report.recall.value >= 0.60, "{}", report.table());
}

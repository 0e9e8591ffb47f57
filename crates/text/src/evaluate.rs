//! Scores the text stage against labelled records, one JSON object a line.
//!
//! | task | record |
//! |---|---|
//! | [`music`] | `{"text", "music": 0 or 1 or null}`; null is skipped |
//! | [`language`] | `{"text", "lang"}`, with an optional `"platform"` code as the hint |
//! | [`tokens`] | `{"text", "tokens": […]}` |
//!
//! HTML entities in the text are unescaped first, other keys are ignored. Each figure comes with its 95 % interval from 1,000 bootstrap
//! resamples of the records, drawn from a fixed seed.

use crate::language::language as detect;
use crate::music::{Music, MusicInput, Preset, Switches};
use crate::token::{Options, Token, tokenize, tokenize_with};
use crate::{clean, normalise_language, unescape};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fmt::Write as _;

/// Resamples behind each interval.
pub const RESAMPLES: usize = 1_000;

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong; never the text.
    pub why: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for RecordError {}

/// A figure and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// The figure over all records.
    pub value: f64,
    /// The 2.5th percentile of the resamples.
    pub low: f64,
    /// The 97.5th percentile of the resamples.
    pub high: f64,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}  [{:.3}, {:.3}]", self.value, self.low, self.high)
    }
}

/// How well music is told from the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct MusicReport {
    /// Name and version of the lexicon and the profile.
    pub lexicon: String,
    /// Scores from here on are music.
    pub threshold: f32,
    /// Records with a label.
    pub records: usize,
    /// Of them, about music.
    pub positives: usize,
    /// Records without a label.
    pub skipped: usize,
    /// Share of the tweets called music that are.
    pub precision: Measure,
    /// Share of the music that is found.
    pub recall: Measure,
    /// Their harmonic mean.
    pub f1: Measure,
    /// Share of right answers.
    pub accuracy: Measure,
}

/// How often the language is right.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageReport {
    /// Records.
    pub records: usize,
    /// Share of right answers.
    pub accuracy: Measure,
    /// Share of the answers that are confident.
    pub confident_share: Measure,
    /// Share of right answers among the confident ones.
    pub confident_accuracy: Measure,
}

/// How well tokens agree with gold tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TokensReport {
    /// Records.
    pub records: usize,
    /// Share of our tokens that are gold tokens.
    pub precision: Measure,
    /// Share of the gold tokens that are ours.
    pub recall: Measure,
    /// Their harmonic mean.
    pub f1: Measure,
}

#[derive(Deserialize)]
struct MusicRecord {
    text: String,
    music: Option<f64>,
    #[serde(default)]
    urls: Vec<String>,
    #[serde(default)]
    annotations: Vec<String>,
}

/// Scores [`Music`] at a threshold.
///
/// # Errors
/// The first line that is not such a record.
pub fn music(
    lines: &str,
    music: &Music,
    threshold: f32,
    switches: Switches,
) -> Result<MusicReport, RecordError> {
    let mut tally = Vec::new();
    let mut skipped = 0;
    let records = read::<MusicRecord>(lines)?;
    for record in &records {
        let Some(label) = record.music else {
            skipped += 1;
            continue;
        };
        let truth = label > 0.5;
        let urls: Vec<&str> = record.urls.iter().map(String::as_str).collect();
        let annotations: Vec<&str> = record.annotations.iter().map(String::as_str).collect();
        let text = unescape(&record.text);
        let mut tokens = Vec::new();
        tokenize(&text, &mut tokens);
        let input = MusicInput {
            tokens: &tokens,
            urls: &urls,
            annotations: &annotations,
            lang: detect(&clean(&text, &tokens), None).code,
        };
        let said = music.score(&input, switches).score >= threshold;
        tally.push(Counts {
            both: u32::from(truth && said),
            said: u32::from(said),
            gold: u32::from(truth),
            right: u32::from(truth == said),
            all: 1,
        });
    }
    let positives = tally.iter().filter(|c| c.gold > 0).count();
    Ok(MusicReport {
        lexicon: music.version().to_owned(),
        threshold,
        records: tally.len(),
        positives,
        skipped,
        precision: measure(&tally, Counts::precision),
        recall: measure(&tally, Counts::recall),
        f1: measure(&tally, Counts::f1),
        accuracy: measure(&tally, Counts::accuracy),
    })
}

/// [`music`] at the threshold of each preset.
///
/// # Errors
/// The first line that is not such a record.
pub fn music_presets(
    lines: &str,
    lexicon: &Music,
    switches: Switches,
) -> Result<Vec<(Preset, MusicReport)>, RecordError> {
    Preset::ALL
        .into_iter()
        .map(|preset| Ok((preset, music(lines, lexicon, preset.threshold(), switches)?)))
        .collect()
}

#[derive(Deserialize)]
struct LanguageRecord {
    text: String,
    lang: String,
    platform: Option<String>,
}

/// Scores the language cascade.
///
/// # Errors
/// The first line that is not such a record.
pub fn language(lines: &str) -> Result<LanguageReport, RecordError> {
    let records = read::<LanguageRecord>(lines)?;
    let tally: Vec<Counts> = records
        .iter()
        .map(|record| {
            let text = unescape(&record.text);
            let mut tokens = Vec::new();
            tokenize(&text, &mut tokens);
            let found = detect(&clean(&text, &tokens), record.platform.as_deref());
            let right = normalise_language(&record.lang) == Some(found.code);
            // said: the confident answers; both: the right ones among them
            Counts {
                both: u32::from(right && found.confident),
                said: u32::from(found.confident),
                gold: 1,
                right: u32::from(right),
                all: 1,
            }
        })
        .collect();
    Ok(LanguageReport {
        records: tally.len(),
        accuracy: measure(&tally, Counts::accuracy),
        confident_share: measure(&tally, |c| share(c.said, c.all)),
        confident_accuracy: measure(&tally, Counts::precision),
    })
}

#[derive(Deserialize)]
struct TokensRecord {
    text: String,
    tokens: Vec<String>,
}

/// Scores the tokenizer: a token counts where the gold has the same one.
///
/// # Errors
/// The first line that is not such a record.
pub fn tokens(lines: &str, options: Options) -> Result<TokensReport, RecordError> {
    let records = read::<TokensRecord>(lines)?;
    let mut tally = Vec::new();
    for record in &records {
        let text = unescape(&record.text);
        let mut ours: Vec<Token> = Vec::new();
        tokenize_with(&text, options, &mut ours);
        let mut open: HashMap<&str, u32> = HashMap::new();
        for token in &record.tokens {
            *open.entry(token).or_default() += 1;
        }
        let mut both = 0;
        for token in &ours {
            if let Some(left) = open.get_mut(token.text).filter(|left| **left > 0) {
                *left -= 1;
                both += 1;
            }
        }
        tally.push(Counts {
            both,
            said: u32::try_from(ours.len()).unwrap_or(u32::MAX),
            gold: u32::try_from(record.tokens.len()).unwrap_or(u32::MAX),
            right: 0,
            all: 1,
        });
    }
    Ok(TokensReport {
        records: tally.len(),
        precision: measure(&tally, Counts::precision),
        recall: measure(&tally, Counts::recall),
        f1: measure(&tally, Counts::f1),
    })
}

impl MusicReport {
    fn figures(&self) -> [(&'static str, Measure); 4] {
        [("precision", self.precision), ("recall", self.recall), ("f1", self.f1), ("accuracy", self.accuracy)]
    }

    /// The report for people.
    #[must_use]
    pub fn table(&self) -> String {
        let head = format!(
            "music: {} records, {} about music, {} skipped; score >= {} ({})",
            self.records, self.positives, self.skipped, self.threshold, self.lexicon
        );
        table(&head, &self.figures())
    }
}

impl LanguageReport {
    fn figures(&self) -> [(&'static str, Measure); 3] {
        [
            ("accuracy", self.accuracy),
            ("confident_share", self.confident_share),
            ("confident_accuracy", self.confident_accuracy),
        ]
    }

    /// The report for people.
    #[must_use]
    pub fn table(&self) -> String {
        table(&format!("language: {} records", self.records), &self.figures())
    }
}

impl TokensReport {
    fn figures(&self) -> [(&'static str, Measure); 3] {
        [("precision", self.precision), ("recall", self.recall), ("f1", self.f1)]
    }

    /// The report for people.
    #[must_use]
    pub fn table(&self) -> String {
        table(&format!("tokens: {} records", self.records), &self.figures())
    }
}

fn table(head: &str, figures: &[(&str, Measure)]) -> String {
    let mut out = format!("{head}\n");
    for (name, measure) in figures {
        // writing to a string cannot fail
        let _ = writeln!(out, "  {name:<20} {measure}");
    }
    out
}

/// Each figure as a number under its name, and under `intervals` its bounds: `{"task":"tokens",
/// "records":950,"f1":0.9,"intervals":{"f1":[0.8,0.95]}}`.
fn figures<M: SerializeMap>(mut map: M, figures: &[(&'static str, Measure)]) -> Result<M::Ok, M::Error> {
    for (name, measure) in figures {
        map.serialize_entry(name, &measure.value)?;
    }
    let intervals: BTreeMap<_, _> = figures.iter().map(|(name, m)| (name, [m.low, m.high])).collect();
    map.serialize_entry("intervals", &intervals)?;
    map.end()
}

impl Serialize for MusicReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("task", "music")?;
        map.serialize_entry("lexicon", &self.lexicon)?;
        map.serialize_entry("threshold", &self.threshold)?;
        map.serialize_entry("records", &self.records)?;
        map.serialize_entry("positives", &self.positives)?;
        map.serialize_entry("skipped", &self.skipped)?;
        figures(map, &self.figures())
    }
}

impl Serialize for LanguageReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("task", "language")?;
        map.serialize_entry("records", &self.records)?;
        figures(map, &self.figures())
    }
}

impl Serialize for TokensReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("task", "tokens")?;
        map.serialize_entry("records", &self.records)?;
        figures(map, &self.figures())
    }
}

fn read<'a, R: Deserialize<'a>>(lines: &'a str) -> Result<Vec<R>, RecordError> {
    lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| RecordError {
                line: index + 1,
                why: format!("{:?} error at column {}", error.classify(), error.column()),
            })
        })
        .collect()
}

/// What one record adds to the figures.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    both: u32,
    said: u32,
    gold: u32,
    right: u32,
    all: u32,
}

impl Counts {
    fn sum<'a>(counts: impl Iterator<Item = &'a Counts>) -> Counts {
        counts.fold(Counts::default(), |a, b| Counts {
            both: a.both + b.both,
            said: a.said + b.said,
            gold: a.gold + b.gold,
            right: a.right + b.right,
            all: a.all + b.all,
        })
    }

    fn precision(&self) -> f64 {
        share(self.both, self.said)
    }

    fn recall(&self) -> f64 {
        share(self.both, self.gold)
    }

    fn f1(&self) -> f64 {
        share(2 * self.both, self.said + self.gold)
    }

    fn accuracy(&self) -> f64 {
        share(self.right, self.all)
    }
}

/// A share; of nothing: 0.
fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

fn measure(records: &[Counts], figure: impl Fn(&Counts) -> f64) -> Measure {
    let mut random = SplitMix(0x0ff_4e7);
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| figure(&Counts::sum((0..records.len()).map(|_| &records[random.below(records.len())]))))
        .collect();
    resampled.sort_by(f64::total_cmp);
    Measure {
        value: figure(&Counts::sum(records.iter())),
        low: resampled[RESAMPLES * 25 / 1_000],
        high: resampled[RESAMPLES * 975 / 1_000 - 1],
    }
}

/// Steele, Lea and Flood's SplitMix64: a fixed sequence on every platform.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below `n`")]
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

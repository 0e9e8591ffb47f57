//! The columns that a row gets: numbers that a model can take, its group and its split.

use std::f64::consts::TAU;

use polars::prelude::{DataFrame, PolarsResult, StringChunked};
use table::{Builder, CLEAN, FEATURES};

use crate::hashing::{Hashing, columns, unit};
use crate::rows::{Names, texts, times};
use crate::split::Rule;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What features are made by.
#[derive(Clone, Copy)]
pub(crate) struct Recipe<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) hashing: Option<&'a Hashing>,
    /// Where hashed tokens are weighted: of each index.
    pub(crate) idf: &'a [f64],
}

/// The columns of each row that clean does not know, and the number of its split; `near` are the rows'
/// groups of near copies.
pub(crate) fn features(
    frame: &DataFrame,
    recipe: Recipe,
    near: &[Option<&str>],
) -> PolarsResult<(DataFrame, Vec<usize>)> {
    let rule = recipe.rule;
    let names = Names::of(frame)?;
    let (text, lang) = (texts(frame, "text")?, texts(frame, "lang")?);
    let (created, joined) = (times(frame, "created_at")?, times(frame, "user_created_at")?);
    let (tokens, hashtags) = (Lists::of(frame, "tokens")?, Lists::of(frame, "hashtags")?);
    let (mentions, urls) = (Lists::of(frame, "mentions")?, Lists::of(frame, "urls")?);
    let cashtags = Lists::of(frame, "cashtags")?;
    let author = ["followers_count", "following_count", "listed_count", "statuses_count"]
        .iter()
        .map(|c| Ok(frame.column(c)?.i64()?.iter().collect()))
        .collect::<PolarsResult<Vec<Vec<Option<i64>>>>>()?;

    let columns = &columns(recipe.hashing)[CLEAN.len()..];
    let mut out = Builder::new(columns, frame.height());
    let mut splits = Vec::with_capacity(frame.height());
    for row in 0..frame.height() {
        let text = Marks::of(text[row].unwrap_or_default());
        let words = Words::of(tokens.row(row));
        out.count("token_count", tokens.len(row));
        out.count("word_count", words.words);
        out.count("hashtag_count", hashtags.len(row));
        out.count("mention_count", mentions.len(row));
        out.count("url_count", urls.len(row));
        out.count("cashtag_count", cashtags.len(row));
        out.count("emoji_count", words.emoji);
        out.count("char_count", text.chars);
        out.count("letter_count", text.letters);
        out.real32("upper_ratio", Some(ratio(text.upper, text.letters)));
        out.real32("digit_ratio", Some(ratio(text.digits, text.chars)));
        out.real32("punct_ratio", Some(ratio(text.punctuation, text.chars)));
        out.real32("mean_word_length", Some(ratio(words.letters, words.words)));
        out.count("question_marks", text.questions);
        out.count("exclamation_marks", text.exclamations);

        let time = created[row];
        let hour = time.map(|t| t.div_euclid(HOUR).rem_euclid(24));
        // 1 January 1970 was a Thursday.
        let weekday = time.map(|t| (t.div_euclid(DAY) + 3).rem_euclid(7));
        let turn = |at: Option<i64>, of: f64| at.map(|n| TAU * real(n) / of);
        out.flag("has_created_at", Some(time.is_some()));
        out.real32("hour_sin", turn(hour, 24.0).map(|x| narrow(x.sin())));
        out.real32("hour_cos", turn(hour, 24.0).map(|x| narrow(x.cos())));
        out.real32("weekday_sin", turn(weekday, 7.0).map(|x| narrow(x.sin())));
        out.real32("weekday_cos", turn(weekday, 7.0).map(|x| narrow(x.cos())));
        let age = time.zip(joined[row]).map(|(t, j)| real(t.saturating_sub(j).max(0)) / real(DAY));
        out.flag("has_account_age", Some(age.is_some()));
        out.real32("account_age_days", age.map(narrow));
        let log = |n: usize| author[n][row].map(|n| narrow(real(n.max(0)).ln_1p()));
        out.flag("has_author_counts", Some(author.iter().all(|counts| counts[row].is_some())));
        out.real32("log_followers", log(0));
        out.real32("log_following", log(1));
        out.real32("log_listed", log(2));
        out.real32("log_statuses", log(3));

        let lang = lang[row].unwrap_or_default();
        let mut named = false;
        for (column, code) in languages() {
            let is = if code == "other" { !named } else { code == lang };
            named |= is;
            out.flag(column, Some(is));
        }
        let member = names.member(row);
        let group = rule.group(&member);
        let split = rule.split(&member, group);
        out.text("near_copy_group", near[row]);
        out.text("group", Some(&format!("{group:016x}")));
        out.text("split", Some(rule.names()[split]));
        splits.push(split);
        if let Some(hashing) = recipe.hashing {
            let (index, sums): (Vec<i32>, Vec<f64>) = hashing.sums(tokens.row(row)).into_iter().unzip();
            out.wholes32("hash_index", &index);
            out.reals32("hash_value", &unit(sums.iter().copied()).collect::<Vec<_>>());
            if hashing.weighted {
                let idf = |index: &i32| usize::try_from(*index).ok().and_then(|n| recipe.idf.get(n));
                let weights = index.iter().zip(&sums).map(|(i, sum)| sum * idf(i).copied().unwrap_or(1.0));
                out.reals32("tfidf_value", &unit(weights).collect::<Vec<_>>());
            }
        }
    }
    Ok((out.finish()?, splits))
}

/// The language columns with their codes; the last is `other`.
fn languages() -> impl Iterator<Item = (&'static str, &'static str)> {
    FEATURES.iter().filter_map(|c| Some((c.name, c.name.strip_prefix("lang_")?)))
}

/// Rows of one split each, in their order.
pub(crate) fn part(frame: &DataFrame, splits: &[usize], split: usize) -> PolarsResult<DataFrame> {
    frame.filter(&splits.iter().map(|s| *s == split).collect())
}

#[allow(clippy::cast_precision_loss)]
fn real(n: i64) -> f64 {
    n as f64
}

/// To the width of the column.
#[allow(clippy::cast_possible_truncation)]
fn narrow(x: f64) -> f32 {
    x as f32
}

/// `part / whole`, and 0 where there is no whole.
fn ratio(part: u32, whole: u32) -> f32 {
    if whole == 0 { 0.0 } else { narrow(f64::from(part) / f64::from(whole)) }
}

/// A column of lists of texts.
pub(crate) struct Lists {
    /// Where each list ends; one more than rows, from 0.
    ends: Vec<usize>,
    inner: StringChunked,
}

impl Lists {
    pub(crate) fn of(frame: &DataFrame, name: &str) -> PolarsResult<Self> {
        let lists = frame.column(name)?.list()?.rechunk().into_owned();
        let ends = lists.downcast_iter().next().map_or(vec![0], |array| {
            array.offsets().iter().map(|o| usize::try_from(*o).unwrap_or_default()).collect()
        });
        Ok(Self { ends, inner: lists.get_inner().str()?.rechunk().into_owned() })
    }

    fn len(&self, row: usize) -> u32 {
        u32::try_from(self.ends[row + 1] - self.ends[row]).unwrap_or(u32::MAX)
    }

    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        (self.ends[row]..self.ends[row + 1]).map(|at| self.inner.get(at).unwrap_or_default())
    }
}

/// What the tokens of a text are, by their form: their kinds are not stored.
#[derive(Default)]
struct Words {
    words: u32,
    /// Code points of the words.
    letters: u32,
    emoji: u32,
}

impl Words {
    fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for token in tokens {
            let first = token.chars().next();
            if first.is_some_and(char::is_alphabetic) && !is_link(token) {
                found.words += 1;
                found.letters += u32::try_from(token.chars().count()).unwrap_or(u32::MAX);
            } else if !token.is_ascii() && token.chars().any(is_pictograph) {
                found.emoji += 1;
            }
        }
        found
    }
}

fn is_link(token: &str) -> bool {
    token.contains("://") || token.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."))
}

/// Pictographs and dingbats, the letters of flags, and the frame of keycaps.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}'
        | '\u{231a}'..='\u{23ff}' | '\u{20e3}' | '\u{fe0f}')
}

/// What a text is made of.
#[derive(Default)]
struct Marks {
    chars: u32,
    letters: u32,
    upper: u32,
    digits: u32,
    punctuation: u32,
    questions: u32,
    exclamations: u32,
}

impl Marks {
    fn of(text: &str) -> Self {
        let mut found = Self::default();
        for c in text.chars() {
            found.chars += 1;
            if c.is_alphabetic() {
                found.letters += 1;
                found.upper += u32::from(c.is_uppercase());
            } else if c.is_numeric() {
                found.digits += 1;
            } else if is_punctuation(c) {
                found.punctuation += 1;
                found.questions += u32::from(matches!(c, '?' | '？' | '؟'));
                found.exclamations += u32::from(matches!(c, '!' | '！'));
            }
        }
        found
    }
}

/// ASCII punctuation and signs, and the punctuation of Latin-1, Arabic, General Punctuation, CJK and
/// the full-width forms.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '،' | '؛' | '؟'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '・'
            | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

#[cfg(test)]
mod tests {
    use super::{Marks, Words, is_link, languages};

    #[test]
    fn texts_are_counted_by_code_point() {
        let m = Marks::of("¿Qué? Ünï 42!! 日本語？");
        assert_eq!((m.chars, m.letters, m.upper, m.digits), (19, 9, 2, 2));
        assert_eq!((m.punctuation, m.questions, m.exclamations), (5, 2, 2));
    }

    #[test]
    fn tokens_are_told_by_their_form() {
        let w = Words::of(
            [
                "don't",
                "@name",
                "#tag",
                "$CASH",
                "https://t.co/a",
                "www.x.org",
                "3.5",
                "...",
                "👩‍🚀",
                "1️⃣",
                "❤️",
                "日本",
            ]
            .into_iter(),
        );
        assert_eq!((w.words, w.letters, w.emoji), (2, 7, 3));
        assert!(!is_link("wwwé"));
    }

    #[test]
    fn the_last_language_is_all_others() {
        assert_eq!(languages().last(), Some(("lang_other", "other")));
    }
}

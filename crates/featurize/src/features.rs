//! The columns that a row gets: numbers that a model can take, its group and its split.

use std::f64::consts::TAU;
use std::fmt::Write;

use polars::prelude::{BooleanChunked, Column, DataFrame, PolarsResult, StringChunked};
use table::{Builder, CLEAN, FEATURES};

use crate::hashing::{Hashing, columns, unit};
use crate::marks::{Marks, Words};
use crate::rows::{Names, texts, times};
use crate::split::Rule;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Masks and logarithms of the author's counts.
const COUNTS: [[&str; 2]; 4] = [
    ["has_followers", "log_followers"],
    ["has_following", "log_following"],
    ["has_listed", "log_listed"],
    ["has_statuses", "log_statuses"],
];
/// Other masks, and what they look at.
const MASKS: [(&str, &str); 7] = [
    ("has_user_location", "user_location"),
    ("has_verified", "verified"),
    ("has_possibly_sensitive", "possibly_sensitive"),
    ("has_lang_platform", "lang_platform"),
    ("has_place_name", "place_name"),
    ("has_place_country", "place_country"),
    ("has_coordinates", "lon"),
];

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
    let known = MASKS.map(|(_, column)| frame.column(column).map(Known::of));
    let known = known.into_iter().collect::<PolarsResult<Vec<_>>>()?;
    let author = ["followers_count", "following_count", "listed_count", "statuses_count"]
        .iter()
        .map(|c| Ok(frame.column(c)?.i64()?.iter().collect()))
        .collect::<PolarsResult<Vec<Vec<Option<i64>>>>>()?;

    let columns = &columns(recipe.hashing)[CLEAN.len()..];
    let mut out = Builder::new(columns, frame.height());
    let mut splits = Vec::with_capacity(frame.height());
    let languages: Vec<_> = languages().collect();
    let (hours, weekdays): ([_; 24], [_; 7]) = (turns(), turns());
    let mut hex = String::new();
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
        let hour = time.map(|t| hours[at(t.div_euclid(HOUR), 24)]);
        // 1 January 1970 was a Thursday.
        let weekday = time.map(|t| weekdays[at(t.div_euclid(DAY) + 3, 7)]);
        out.flag("has_created_at", Some(time.is_some()));
        out.real32("hour_sin", hour.map(|(sine, _)| sine));
        out.real32("hour_cos", hour.map(|(_, cosine)| cosine));
        out.real32("weekday_sin", weekday.map(|(sine, _)| sine));
        out.real32("weekday_cos", weekday.map(|(_, cosine)| cosine));
        let age = time.zip(joined[row]).map(|(t, j)| real(t.saturating_sub(j).max(0)) / real(DAY));
        out.flag("has_user_created_at", Some(joined[row].is_some()));
        out.flag("has_account_age", Some(age.is_some()));
        out.real32("account_age_days", age.map(narrow));
        for ([mask, log], counts) in COUNTS.iter().zip(&author) {
            out.flag(mask, Some(counts[row].is_some()));
            out.real32(log, counts[row].map(|n| narrow(real(n.max(0)).ln_1p())));
        }
        for (mask, known) in MASKS.iter().zip(&known) {
            out.flag(mask.0, Some(known.get(row)));
        }

        let lang = lang[row].unwrap_or_default();
        let mut named = false;
        for (column, code) in &languages {
            let is = if *code == "other" { !named } else { *code == lang };
            named |= is;
            out.flag(column, Some(is));
        }
        let member = names.member(row);
        let group = rule.group(&member);
        let split = rule.split(&member, group);
        out.text("near_copy_group", near[row]);
        hex.clear();
        // Writing to a string cannot fail.
        let _ = write!(hex, "{group:016x}");
        out.text("group", Some(&hex));
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

/// Sine and cosine of each of the equal parts of a turn.
fn turns<const PARTS: usize>() -> [(f32, f32); PARTS] {
    std::array::from_fn(|part| {
        let turn = TAU * real(part as i64) / real(PARTS as i64);
        (narrow(turn.sin()), narrow(turn.cos()))
    })
}

/// Which of the parts a count is at.
fn at(count: i64, parts: i64) -> usize {
    usize::try_from(count.rem_euclid(parts)).unwrap_or_default()
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

/// Where a column is not null.
struct Known(Option<BooleanChunked>);

impl Known {
    fn of(column: &Column) -> Self {
        Self((column.null_count() > 0).then(|| column.is_not_null()))
    }

    fn get(&self, row: usize) -> bool {
        self.0.as_ref().is_none_or(|known| known.get(row) == Some(true))
    }
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

#[cfg(test)]
mod tests {
    use super::languages;

    #[test]
    fn the_last_language_is_all_others() {
        assert_eq!(languages().last(), Some(("lang_other", "other")));
    }
}

//! The tokens of a row as a sparse vector: what scikit-learn's `HashingVectorizer` makes of them.
//!
//! `HashingVectorizer(analyzer=lambda tokens: tokens, n_features=2**bits)` with its defaults, value by value:
//! an n-gram is hashed to an index and a sign, what meets is summed (and stays where it sums to 0), and the
//! row is divided by its length. With weights, `TfidfTransformer()` fitted on the rows of train follows.
//! Both compute in 64 bits; here the result is rounded to 32.

mod idf;
mod murmur;

use std::fmt;
use std::str::FromStr;

pub(crate) use idf::{Frequencies, fit};
use serde_json::{Value, json};
use table::{Column, HASHED, WEIGHTED, dataset};

use murmur::murmur3;

/// The least and the greatest length of the n-grams, as scikit-learn's `ngram_range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ngrams {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

impl FromStr for Ngrams {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range =
            text.split_once(',').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        match range {
            Some((least, most)) if 1 <= least && least <= most && most <= 3 => Ok(Self { least, most }),
            _ => Err("not the least and the greatest length, 1 to 3, such as 1,2".into()),
        }
    }
}

impl fmt::Display for Ngrams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.least, self.most)
    }
}

/// How tokens are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hashing {
    pub(crate) bits: u8,
    pub(crate) ngrams: Ngrams,
    /// Whether there are TF-IDF weights too.
    pub(crate) weighted: bool,
}

impl Hashing {
    /// What a manifest's arguments name, if they name any.
    pub(crate) fn from_arguments(arguments: &Value) -> Option<Self> {
        Some(Self {
            bits: u8::try_from(arguments["hash_bits"].as_u64()?).ok()?,
            ngrams: arguments["ngrams"].as_str()?.parse().ok()?,
            weighted: arguments["tfidf"].as_bool()?,
        })
    }

    /// As it stands in manifests: `hash_bits`, `ngrams` and `tfidf`.
    pub(crate) fn arguments(hashing: Option<&Self>) -> [(&'static str, Value); 3] {
        [
            ("hash_bits", json!(hashing.map(|h| h.bits))),
            ("ngrams", json!(hashing.map(|h| h.ngrams.to_string()))),
            ("tfidf", json!(hashing.is_some_and(|h| h.weighted))),
        ]
    }

    /// Indices: one more than the greatest.
    pub(crate) fn size(&self) -> usize {
        1 << self.bits
    }

    /// The n-grams of a row's tokens, summed by index, in the order of the indices.
    pub(crate) fn sums<'t>(&self, tokens: impl Iterator<Item = &'t str>) -> Vec<(i32, f64)> {
        let tokens: Vec<&str> = tokens.collect();
        let mut all: Vec<(i32, f64)> =
            Vec::with_capacity(tokens.len() * (1 + self.ngrams.most - self.ngrams.least));
        let mut joined = String::new();
        for length in self.ngrams.least..=self.ngrams.most {
            for gram in tokens.windows(length) {
                let text = match gram {
                    [token] => token,
                    _ => {
                        joined.clear();
                        for (at, token) in gram.iter().enumerate() {
                            joined.push_str(if at > 0 { " " } else { "" });
                            joined.push_str(token);
                        }
                        joined.as_str()
                    }
                };
                let hash = murmur3(text.as_bytes());
                let index = hash.unsigned_abs() & ((1 << self.bits) - 1);
                all.push((index.cast_signed(), if hash < 0 { -1.0 } else { 1.0 }));
            }
        }
        all.sort_by_key(|(index, _)| *index);
        all.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            sum.1 += if same { next.1 } else { 0.0 };
            same
        });
        all
    }
}

/// The values divided by their Euclidean length, where they have one.
pub(crate) fn unit(values: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f32> {
    let length = values.clone().map(|v| v * v).sum::<f64>().sqrt();
    #[allow(clippy::cast_possible_truncation)]
    values.map(move |v| if length > 0.0 { (v / length) as f32 } else { v as f32 })
}

/// The columns of a dataset with or without hashed tokens.
pub(crate) fn columns(hashing: Option<&Hashing>) -> Vec<Column> {
    let hashed = hashing.map_or(&[][..], |_| HASHED);
    let weighted = hashing.filter(|h| h.weighted).map_or(&[][..], |_| WEIGHTED);
    [&dataset(), hashed, weighted].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Hashing, Ngrams, unit};

    fn hashing(bits: u8, ngrams: &str) -> Hashing {
        Hashing { bits, ngrams: ngrams.parse().unwrap(), weighted: false }
    }

    #[test]
    fn sums_are_by_index_and_stay_where_they_are_nought() {
        // One index: "a" counts up, "ab" and "abc" down.
        assert_eq!(hashing(0, "1,1").sums(["a", "ab"].into_iter()), [(0, 0.0)]);
        assert_eq!(hashing(0, "1,1").sums(["ab", "a", "abc"].into_iter()), [(0, -1.0)]);
        let two = hashing(20, "1,2").sums(["hello", "world", "hello"].into_iter());
        assert_eq!(two.len(), 4);
        assert!(two.is_sorted_by_key(|(index, _)| *index));
        assert!(two.iter().any(|(index, sum)| (*index, *sum) == (1_586_663_183 & 0xf_ffff, 1.0)));
        assert!(hashing(20, "2,3").sums(["alone"].into_iter()).is_empty());
    }

    #[test]
    fn values_have_length_one_or_none() {
        assert_eq!(unit([3.0, -4.0].into_iter()).collect::<Vec<_>>(), [0.6, -0.8]);
        assert_eq!(unit([0.0].into_iter()).collect::<Vec<_>>(), [0.0]);
    }

    #[test]
    fn ranges_are_as_scikit_learns() {
        assert_eq!("1,2".parse::<Ngrams>().unwrap().to_string(), "1,2");
        for bad in ["", "1", "0,1", "2,1", "1,4", "1,2,3"] {
            assert!(bad.parse::<Ngrams>().is_err(), "{bad}");
        }
    }
}

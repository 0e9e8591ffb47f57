//! Which rows stay together, and which split they go to.
//!
//! The split is decided by a hash of the group alone, so a row does not move while its group is the same, and two
//! datasets of the same rule agree. A group of hash *h* lies at *h*/2⁶⁴ of the whole, and the splits
//! take their shares of that in order; so when shares change, only the rows at the borders move.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tweet::Source;

use crate::args::By;

/// Separates these hashes from all others over the same ids.
const KEY: &str = "offkey/group/1";

/// Names of the splits, where there are three and where there are two.
const THREE: &[&str] = &["train", "validation", "test"];
const TWO: &[&str] = &["train", "test"];

/// Whole percentages of two or three splits, 100 together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares(Vec<u8>);

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares: Option<Vec<u8>> = text.split(',').map(|s| s.trim().parse().ok()).collect();
        match shares {
            Some(s) if matches!(s.len(), 2 | 3) && s.iter().map(|n| u32::from(*n)).sum::<u32>() == 100 => {
                Ok(Self(s))
            }
            _ => Err("not two or three whole numbers that make 100, such as 80,10,10".into()),
        }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(u8::to_string).collect::<Vec<_>>().join(","))
    }
}

/// One or two instants (µs since 1970 UTC), in order, at which the next split begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuts(Vec<i64>);

impl FromStr for Cuts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cuts: Option<Vec<i64>> = text.split(',').map(lake::parse_instant).collect();
        match cuts {
            Some(c) if matches!(c.len(), 1 | 2) && c.is_sorted_by(|a, b| a < b) => Ok(Self(c)),
            _ => Err("not one or two times in order, such as 2026-11-20,2026-11-27T12:00".into()),
        }
    }
}

/// What a row's group is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) source: Source,
    pub(crate) tweet_id: &'a str,
    pub(crate) author_id: Option<&'a str>,
    pub(crate) conversation_id: Option<&'a str>,
    pub(crate) created_at: Option<i64>,
    /// It is known by retweets that did not carry it alone: who wrote it and where is not known yet.
    pub(crate) bare: bool,
}

/// How rows are split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// By the hash of a group.
    Hash(By, Shares),
    /// By `created_at`.
    Time(Cuts),
}

impl Rule {
    pub(crate) fn new(by: By, shares: &Shares, cuts: Option<&Cuts>) -> Self {
        match cuts {
            Some(cuts) => Self::Time(cuts.clone()),
            None => Self::Hash(by, shares.clone()),
        }
    }

    /// The rule that a manifest's arguments name.
    pub(crate) fn from_arguments(arguments: &Value) -> Option<Self> {
        use clap::ValueEnum;
        match By::from_str(arguments["split_by"].as_str()?, false).ok()? {
            By::Time => {
                let cuts: Option<Vec<&str>> =
                    arguments["cuts"].as_array()?.iter().map(Value::as_str).collect();
                cuts?.join(",").parse().ok().map(Self::Time)
            }
            by => Some(Self::Hash(by, arguments["split"].as_str()?.parse().ok()?)),
        }
    }

    /// As it stands in manifests: `split_by`, `split` and `cuts`.
    pub(crate) fn arguments(&self) -> [(&'static str, Value); 3] {
        let (by, split, cuts) = match self {
            Self::Hash(by, shares) => (*by, json!(shares.to_string()), Value::Null),
            Self::Time(Cuts(cuts)) => {
                let cuts: Vec<String> = cuts.iter().map(|t| lake::format_micros(*t)).collect();
                (By::Time, Value::Null, json!(cuts))
            }
        };
        [("split_by", json!(by.name())), ("split", split), ("cuts", cuts)]
    }

    /// Names of the splits, in their order.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        let splits = match self {
            Self::Hash(_, Shares(shares)) => shares.len(),
            Self::Time(Cuts(cuts)) => cuts.len() + 1,
        };
        if splits == 3 { THREE } else { TWO }
    }

    /// Whether the row has no group yet: it would move when it is read itself.
    pub(crate) fn waits(&self, row: &Member) -> bool {
        row.bare && matches!(self, Self::Hash(By::Author | By::Conversation, _))
    }

    /// Hash of the row's group: the author, else the tweet; the conversation, else the one that the tweet
    /// would have begun; the tweet.
    pub(crate) fn group(&self, row: &Member) -> u64 {
        let author = row.author_id.map(|id| ("author", id));
        let conversation = ("conversation", row.conversation_id.unwrap_or(row.tweet_id));
        let (kind, id) = match self {
            Self::Hash(By::Author, _) => author,
            Self::Hash(By::Conversation, _) => Some(conversation),
            Self::Hash(By::Id | By::Time, _) | Self::Time(_) => None,
        }
        .unwrap_or(("id", row.tweet_id));
        hash(&[KEY, kind, row.source.as_str(), id])
    }

    /// Number of the row's split in [`Rule::names`]. A row without a time is older than ids with one,
    /// so a split by time begins with it.
    pub(crate) fn split(&self, row: &Member, group: u64) -> usize {
        match self {
            Self::Hash(_, Shares(shares)) => {
                let percent = (u128::from(group) * 100) >> 64;
                let mut until = 0;
                shares
                    .iter()
                    .position(|share| {
                        until += u128::from(*share);
                        percent < until
                    })
                    .unwrap_or_default()
            }
            Self::Time(Cuts(cuts)) => {
                row.created_at.map_or(0, |t| cuts.iter().filter(|cut| t >= **cut).count())
            }
        }
    }
}

/// The first 64 bits of SHA-256 over the parts, a line each.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update(b"\n");
    }
    hasher.finalize().iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// 16 bytes of a tweet: equal for equal tweets, and else different for all practical purposes.
pub(crate) fn wide(source: Source, id: &str) -> u128 {
    let hash = Sha256::new().chain_update(source.as_str()).chain_update("\n").chain_update(id);
    hash.finalize().iter().take(16).fold(0, |all, byte| all << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tweet::Source;

    use super::{Member, Rule};
    use crate::args::By;

    fn row<'a>(id: &'a str, author: Option<&'a str>, conversation: Option<&'a str>) -> Member<'a> {
        Member {
            source: Source::X,
            tweet_id: id,
            author_id: author,
            conversation_id: conversation,
            created_at: None,
            bare: false,
        }
    }

    fn rule(by: By, shares: &str) -> Rule {
        Rule::Hash(by, shares.parse().unwrap())
    }

    #[test]
    fn a_group_is_what_the_rule_keeps_together() {
        let author = rule(By::Author, "80,10,10");
        assert_eq!(author.group(&row("1", Some("7"), Some("1"))), author.group(&row("2", Some("7"), None)));
        assert_ne!(author.group(&row("1", None, Some("1"))), author.group(&row("2", None, Some("1"))));
        let talk = rule(By::Conversation, "80,10,10");
        assert_eq!(talk.group(&row("1", Some("7"), Some("1"))), talk.group(&row("2", Some("8"), Some("1"))));
        // Without one, a tweet is taken to have begun its own.
        assert_eq!(talk.group(&row("1", Some("7"), None)), talk.group(&row("1", Some("7"), Some("1"))));
        let id = rule(By::Id, "80,10,10");
        assert_eq!(id.group(&row("1", Some("7"), None)), id.group(&row("1", None, Some("1"))));
        // A tweet, an author and a conversation may have the same number, and two sources too.
        assert_ne!(id.group(&row("7", None, None)), author.group(&row("1", Some("7"), None)));
        let other = Member { source: Source::Bluesky, ..row("7", None, None) };
        assert_ne!(id.group(&row("7", None, None)), id.group(&other));
    }

    #[test]
    fn a_bare_row_waits_where_its_group_is_to_come() {
        let bare = Member { bare: true, ..row("1", None, None) };
        let cuts = Rule::Time("2020-12-24".parse().unwrap());
        let rules = [By::Author, By::Conversation, By::Id].map(|by| rule(by, "80,20"));
        assert_eq!(rules.map(|rule| rule.waits(&bare)), [true, true, false]);
        assert!(!cuts.waits(&bare) && !rule(By::Author, "80,20").waits(&row("1", None, None)));
    }

    #[test]
    fn shares_are_kept_and_moving_a_border_moves_no_other_row() {
        let ids: Vec<String> = (1..=20_000).map(|n| n.to_string()).collect();
        let splits = |shares: &str| -> Vec<usize> {
            let rule = rule(By::Id, shares);
            ids.iter().map(|id| row(id, None, None)).map(|r| rule.split(&r, rule.group(&r))).collect()
        };
        let (three, wider) = (splits("80,10,10"), splits("85,5,10"));
        let share = |n: usize| three.iter().filter(|s| **s == n).count();
        assert!((15_700..16_300).contains(&share(0)), "{}", share(0));
        assert!((1_850..2_150).contains(&share(1)), "{}", share(1));
        assert!(three.iter().zip(&wider).all(|(a, b)| a == b || (*a, *b) == (1, 0)));
        assert!(splits("100,0,0").iter().all(|s| *s == 0));
        assert!(splits("0,0,100").iter().all(|s| *s == 2));
    }

    #[test]
    fn time_is_cut_at_the_instants_given() {
        let rule = Rule::Time("2020-12-24,2020-12-25T12:00".parse().unwrap());
        let split = |time: Option<&str>| {
            let at = Member { created_at: time.and_then(lake::parse_instant), ..row("1", None, None) };
            rule.split(&at, 0)
        };
        assert_eq!(rule.names(), ["train", "validation", "test"]);
        assert_eq!(split(Some("2020-12-23T23:59:59")), 0);
        assert_eq!(split(Some("2020-12-24")), 1);
        assert_eq!(split(Some("2020-12-25T12:00:00")), 2);
        assert_eq!(split(None), 0);
    }

    #[test]
    fn rules_come_back_from_the_arguments_of_a_manifest() {
        let cuts = "2020-12-24,2020-12-25T12:00".parse().unwrap();
        for rule in [rule(By::Author, "80,20"), rule(By::Id, "0,50,50"), Rule::Time(cuts)] {
            let arguments = rule.arguments().into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            assert_eq!(Rule::from_arguments(&arguments), Some(rule));
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["", "80", "80,10", "80,10,10,0", "50.5,49.5", "-1,101", "300,56,0"] {
            assert!(bad.parse::<super::Shares>().is_err(), "{bad}");
        }
        for bad in ["", "yesterday", "2020-12-25,2020-12-24", "2020-12-24,2020-12-24", "1,2,3"] {
            assert!(bad.parse::<super::Cuts>().is_err(), "{bad}");
        }
    }
}

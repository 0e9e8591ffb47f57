//! What no later output may show: deleted and hidden tweets, deleted users, places taken back.
//!
//! They are kept lake-wide, below the day of the tweet's own id, so that a partition reads only
//! those that can touch it; users and places touch every day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tweet::{Id, Parsed, Source, Tombstone};

use crate::{Error, Fingerprint, Result, day_of};

/// Folder of those that touch every day.
pub(crate) const EVERY_DAY: &str = "users";

/// A set of tombstones, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tombstones {
    tweets: BTreeSet<(Source, String)>,
    users: BTreeSet<(Source, String)>,
    geo: BTreeMap<(Source, String), u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Tweet { source: String, id: String },
    User { source: String, id: String },
    Geo { source: String, user_id: String, up_to: String },
}

impl Tombstones {
    /// Adds one.
    pub fn insert(&mut self, tombstone: Tombstone) {
        match tombstone {
            Tombstone::Tweet { source, id, .. } => {
                self.tweets.insert((source, id));
            }
            Tombstone::User { source, id } => {
                self.users.insert((source, id));
            }
            Tombstone::Geo { source, user_id, up_to } => {
                let known = self.geo.entry((source, user_id)).or_default();
                *known = up_to.max(*known);
            }
        }
    }

    /// Whether a tweet, by its id or by its author, may not be shown.
    pub fn hides(&self, source: Source, id: &str, author: Option<&str>) -> bool {
        let has = |set: &BTreeSet<(Source, String)>, id: &str| {
            !set.is_empty() && set.contains(&(source, id.to_owned()))
        };
        has(&self.tweets, id) || author.is_some_and(|a| has(&self.users, a))
    }

    /// Whether a tweet may not show its place.
    pub fn hides_place(&self, source: Source, id: u64, author: Option<&str>) -> bool {
        let of = |a: &str| self.geo.get(&(source, a.to_owned())).is_some_and(|up_to| id <= *up_to);
        !self.geo.is_empty() && author.is_some_and(of)
    }

    /// The hidden tweets, by their ids.
    pub fn tweets(&self) -> impl Iterator<Item = (Source, &str)> {
        self.tweets.iter().map(|(source, id)| (*source, id.as_str()))
    }

    /// The hidden users, by their ids.
    pub fn users(&self) -> impl Iterator<Item = (Source, &str)> {
        self.users.iter().map(|(source, id)| (*source, id.as_str()))
    }

    /// The users who took places back, by their ids.
    pub fn placeless(&self) -> impl Iterator<Item = (Source, &str)> {
        self.geo.keys().map(|(source, id)| (*source, id.as_str()))
    }

    /// Leaves out the users, and the places of users, for whom `keep` is false.
    pub fn retain_users(&mut self, keep: impl Fn(Source, &str) -> bool) {
        self.users.retain(|(source, id)| keep(*source, id));
        self.geo.retain(|(source, id), _| keep(*source, id));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tweets.len() + self.users.len() + self.geo.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hash of the whole set, for fingerprints.
    pub fn hash(&self) -> String {
        let lines = self.lines();
        let all: Vec<&str> = lines.values().flatten().map(String::as_str).collect();
        Fingerprint::new().with_all("tombstones", all).finish()
    }

    /// As lines of JSON, by the folder they belong to.
    pub(crate) fn lines(&self) -> BTreeMap<String, Vec<String>> {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut push = |folder: String, line: &Line| {
            out.entry(folder).or_default().push(serde_json::to_string(line).unwrap_or_default());
        };
        for (source, id) in &self.tweets {
            let folder = format!("dt={}", day_of_id(*source, id));
            push(folder, &Line::Tweet { source: source.to_string(), id: id.clone() });
        }
        for (source, id) in &self.users {
            push(EVERY_DAY.into(), &Line::User { source: source.to_string(), id: id.clone() });
        }
        for ((source, user_id), up_to) in &self.geo {
            let line =
                Line::Geo { source: source.to_string(), user_id: user_id.clone(), up_to: up_to.to_string() };
            push(EVERY_DAY.into(), &line);
        }
        out
    }

    /// Reads one line of the lake's own.
    pub(crate) fn insert_line(&mut self, line: &str) -> Result<()> {
        let bad = |_| Error::Corrupt("a line of _meta/tombstones is no tombstone".into());
        self.insert(match serde_json::from_str(line).map_err(bad)? {
            Line::Tweet { source, id } => Tombstone::Tweet { source: source_of(&source)?, id, user_id: None },
            Line::User { source, id } => Tombstone::User { source: source_of(&source)?, id },
            Line::Geo { source, user_id, up_to } => Tombstone::Geo {
                source: source_of(&source)?,
                user_id,
                up_to: up_to.parse().map_err(|_| Error::Corrupt("a tombstone has no id".into()))?,
            },
        });
        Ok(())
    }

    /// Reads what a person gives: a line each of a bare tweet id, a row of X's compliance job, or a
    /// delete notice as a stream sends it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the line that is none of these.
    pub fn from_text(name: &str, text: &str) -> Result<Self> {
        let mut all = Self::default();
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let line = line.trim();
            let bare = line.bytes().all(|b| b.is_ascii_digit()) || line.starts_with("at://");
            if bare {
                let source = if line.starts_with("at://") { Source::Bluesky } else { Source::X };
                all.insert(Tombstone::Tweet { source, id: line.to_owned(), user_id: None });
                continue;
            }
            match tweet::parse(line) {
                Ok(Parsed::Notices(notices)) => {
                    notices.into_iter().flat_map(|n| n.tombstones).for_each(|t| all.insert(t))
                }
                _ if all.insert_line(line).is_ok() => {}
                _ => {
                    let place = format!("{name}:{}", number + 1);
                    return Err(Error::Corrupt(format!("{place}: no id, compliance row or delete notice")));
                }
            }
        }
        Ok(all)
    }
}

fn source_of(name: &str) -> Result<Source> {
    [Source::X, Source::Bluesky]
        .into_iter()
        .find(|s| s.as_str() == name)
        .ok_or_else(|| Error::Corrupt(format!("{name:?} is no source")))
}

/// The day in an id, or `unknown`.
fn day_of_id(source: Source, id: &str) -> String {
    let id = match source {
        Source::X => id.parse().ok().map(Id::X),
        Source::Bluesky => Some(Id::Uri(id.into())),
    };
    id.and_then(|id| id.time()).map_or_else(|| "unknown".into(), day_of)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tweet::{Source, Tombstone};

    use super::Tombstones;

    #[test]
    fn they_hide_by_id_user_and_place() {
        let mut all = Tombstones::default();
        all.insert(Tombstone::Tweet { source: Source::X, id: "7".into(), user_id: None });
        all.insert(Tombstone::User { source: Source::X, id: "70".into() });
        all.insert(Tombstone::Geo { source: Source::X, user_id: "71".into(), up_to: 9 });
        assert!(all.hides(Source::X, "7", None));
        assert!(all.hides(Source::X, "8", Some("70")));
        assert!(!all.hides(Source::Bluesky, "7", None));
        assert!(!all.hides(Source::X, "8", Some("71")));
        assert!(all.hides_place(Source::X, 9, Some("71")));
        assert!(!all.hides_place(Source::X, 10, Some("71")));
    }

    #[test]
    fn they_come_back_from_their_lines_with_the_same_hash() {
        let mut all = Tombstones::default();
        all.insert(Tombstone::Tweet { source: Source::X, id: "1346889436626259968".into(), user_id: None });
        all.insert(Tombstone::Tweet { source: Source::X, id: "12".into(), user_id: None });
        all.insert(Tombstone::Geo { source: Source::X, user_id: "71".into(), up_to: 9 });
        let lines = all.lines();
        assert_eq!(lines.keys().collect::<Vec<_>>(), ["dt=2021-01-06", "dt=unknown", "users"]);
        let mut again = Tombstones::default();
        lines.values().flatten().for_each(|l| again.insert_line(l).unwrap());
        assert_eq!((again.hash(), &again), (all.hash(), &all));
    }

    #[test]
    fn people_may_give_ids_rows_and_notices() {
        let text = "123\n\n{\"id\":\"124\",\"action\":\"delete\",\"created_at\":\"2021-01-01T00:00:00.000Z\",\"reason\":\"deleted\"}\n\
                    {\"delete\":{\"status\":{\"id\":125,\"id_str\":\"125\",\"user_id\":3,\"user_id_str\":\"3\"}}}\n";
        let all = Tombstones::from_text("f", text).unwrap();
        assert!(["123", "124", "125"].iter().all(|id| all.hides(Source::X, id, None)), "{all:?}");
        let told = Tombstones::from_text("ids.txt", "123\nnot an id\n").unwrap_err().to_string();
        assert_eq!(told, "ids.txt:2: no id, compliance row or delete notice");
    }
}

//! Names: partitions, runs, and the key of everything in a lake.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, format_micros, parse_instant};

/// How finely a lake is partitioned; fixed when the lake is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// One partition a UTC day.
    Day,
    /// One partition a UTC hour.
    Hour,
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Day => "day",
            Self::Hour => "hour",
        })
    }
}

impl FromStr for Grain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "day" => Ok(Self::Day),
            "hour" => Ok(Self::Hour),
            _ => Err(Error::Usage(format!("{text:?} is no grain: day or hour"))),
        }
    }
}

/// A partition's name: `2026-11-20`, `2026-11-20T08`, or `unknown`. Every copy of a tweet lies in
/// the partition of the tweet's own time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition(String);

impl Partition {
    /// The partition of an instant (µs since 1970 UTC); `None` gives `unknown`.
    pub fn of(time: Option<i64>, grain: Grain) -> Self {
        let Some(micros) = time else { return Self::unknown() };
        let mut name = format_micros(micros);
        name.truncate(match grain {
            Grain::Day => 10,
            Grain::Hour => 13,
        });
        // A time before the year 0 has no name that could be read again.
        if name.starts_with(|c: char| c.is_ascii_digit()) { Self(name) } else { Self::unknown() }
    }

    /// The partition of tweets that carry no time.
    pub fn unknown() -> Self {
        Self("unknown".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder: `dt=2026-11-20` or `dt=2026-11-20/hour=08`.
    pub fn path(&self) -> String {
        match self.0.split_once('T') {
            Some((day, hour)) => format!("dt={day}/hour={hour}"),
            None => format!("dt={}", self.0),
        }
    }

    /// The inverse of [`Partition::path`], from the head of a key.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let day = parts.next()?.strip_prefix("dt=")?;
        let name = match parts.next().and_then(|p| p.strip_prefix("hour=")) {
            Some(hour) => format!("{day}T{hour}"),
            None => day.to_owned(),
        };
        name.parse().ok()
    }

    /// Whether it lies in the half-open interval; `unknown` lies only in the interval without ends.
    pub fn within(&self, since: Option<i64>, until: Option<i64>) -> bool {
        match parse_instant(&self.0) {
            Some(start) => since.is_none_or(|s| start >= s) && until.is_none_or(|u| start < u),
            None => since.is_none() && until.is_none(),
        }
    }

    /// The grain that this name is written in; `None` for `unknown`.
    pub fn grain(&self) -> Option<Grain> {
        match self.0.len() {
            10 => Some(Grain::Day),
            13 => Some(Grain::Hour),
            _ => None,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Partition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = text == "unknown"
            || (matches!(text.len(), 10 | 13)
                && parse_instant(text).is_some_and(|t| format_micros(t).starts_with(text)));
        if named {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Usage(format!("{text:?} is no partition: 2026-11-20, 2026-11-20T08 or unknown")))
        }
    }
}

impl TryFrom<String> for Partition {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> Self {
        partition.0
    }
}

/// The name of one run of one stage; Airflow's own run ids (with `:` and `+`) are such names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunId(String);

impl RunId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:+~".contains(&b);
        if !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Usage(format!(
                "{text:?} is no run id: 1 to 200 letters, digits or any of - _ . : + ~, not starting with a dot"
            )))
        }
    }
}

/// The three gates; each stands after the stage of the same output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// After `ingest`.
    Raw,
    /// After `clean`.
    Clean,
    /// After `featurize`.
    Dataset,
}

impl Gate {
    /// The name in keys and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Clean => "clean",
            Self::Dataset => "dataset",
        }
    }
}

/// A dataset's name: a path segment of letters, digits, dots, dashes, underscores.
///
/// # Errors
/// [`Error::Usage`] for anything else.
pub fn check_name(name: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(Error::Usage(format!("{name:?} is no name: letters, digits, - _ . (not first), at most 100")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Grain, Partition, RunId};
    use crate::parse_instant;

    #[test]
    fn names_and_folders_agree() {
        for (name, path) in [
            ("2026-11-20", "dt=2026-11-20"),
            ("2026-11-20T08", "dt=2026-11-20/hour=08"),
            ("unknown", "dt=unknown"),
        ] {
            let partition: Partition = name.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(partition.path(), path);
            assert_eq!(Partition::from_key(&format!("{path}/part.json")), Some(partition));
        }
        for bad in ["", "..", "2026-11-2", "2026-13-01", "2026-11-20T25", "2026-11-20T8", "dt=2026-11-20"] {
            assert!(bad.parse::<Partition>().is_err(), "{bad}");
        }
    }

    #[test]
    fn intervals_are_half_open() {
        let day = Partition::of(parse_instant("2026-11-20T23:59:59"), Grain::Day);
        let at = |t: &str| parse_instant(t);
        assert!(day.within(at("2026-11-20"), at("2026-11-21")));
        assert!(!day.within(at("2026-11-21"), None));
        assert!(!day.within(None, at("2026-11-20")));
        assert!(Partition::unknown().within(None, None));
        assert!(!Partition::unknown().within(at("2026-11-20"), None));
    }

    proptest! {
        #[test]
        fn the_partition_of_any_time_is_found_again(
            time in prop_oneof![any::<i64>(), -70_000_000_000_000_000_i64..260_000_000_000_000_000],
            hour in any::<bool>(),
        ) {
            let grain = if hour { Grain::Hour } else { Grain::Day };
            let partition = Partition::of(Some(time), grain);
            prop_assert_eq!(Partition::from_key(&format!("{}/part.json", partition.path())), Some(partition.clone()));
            prop_assert!(partition.grain().is_none_or(|g| g == grain));
        }

        #[test]
        fn run_ids_never_leave_their_folder(text in ".{0,40}") {
            if let Ok(id) = text.parse::<RunId>() {
                prop_assert!(!id.as_str().contains('/') && !id.as_str().starts_with('.'));
            }
        }
    }
}

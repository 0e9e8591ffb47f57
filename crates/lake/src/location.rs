//! A place that a person can name: a folder or `s3://bucket/prefix`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Result};

/// A folder on this machine, or a prefix in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A local folder (or, for inputs, a file).
    Local(PathBuf),
    /// `s3://bucket/prefix`; the prefix has no slash at either end and may be empty.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Key prefix, without slashes at its ends.
        prefix: String,
    },
}

impl Location {
    /// The place `key` below this one.
    pub fn join(&self, key: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(key)),
            Self::S3 { bucket, prefix } => Self::S3 { bucket: bucket.clone(), prefix: join_key(prefix, key) },
        }
    }

    /// Splits `<root>/<tail>` where `tail` has `segments` path segments: how a dataset's location
    /// tells its lake.
    ///
    /// # Errors
    /// [`Error::Usage`] when there are not as many segments.
    pub fn split_tail(&self, segments: usize) -> Result<(Self, String)> {
        let text = self.to_string();
        let mut cut = text.trim_end_matches('/').len();
        for _ in 0..segments {
            cut = text[..cut]
                .rfind('/')
                .ok_or_else(|| Error::Usage(format!("{text} is too short to name that")))?;
        }
        let tail = text[cut + 1..].trim_end_matches('/').to_owned();
        Ok((text[..cut].parse()?, tail))
    }
}

pub(crate) fn join_key(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let no = |why: &str| Err(Error::Usage(format!("{text:?} is no location: {why}")));
        if text.is_empty() || text.contains('\0') || text.len() > 4_000 {
            return no("it is empty, too long, or holds a NUL");
        }
        let Some(rest) = text.strip_prefix("s3://") else {
            if let Some((scheme, _)) = text.split_once("://") {
                return no(&format!("{scheme}:// is not a store that is known here"));
            }
            return Ok(Self::Local(PathBuf::from(text)));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let named = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        if !named {
            return no("a bucket's name has 3 to 63 letters, digits, dots or dashes");
        }
        let prefix = prefix.trim_end_matches('/');
        let odd = |s: &str| {
            matches!(s, "" | "." | "..")
                || s.contains(|c: char| c.is_control() || c == '\\')
                || s.to_ascii_lowercase().contains("%2e")
        };
        if !prefix.is_empty() && prefix.split('/').any(odd) {
            return no("a prefix has plain segments, none empty, `.` or `..`");
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Location;

    #[test]
    fn places_are_read_and_written_alike() {
        for place in ["lake", "/data/lake", "s3://bucket", "s3://bucket/a/b"] {
            assert_eq!(place.parse::<Location>().map(|l| l.to_string()).ok().as_deref(), Some(place));
        }
    }

    #[test]
    fn what_leaves_the_lake_is_refused() {
        for place in [
            "",
            "s3://b/../x",
            "s3://bucket/../x",
            "s3://bucket//x",
            "s3://bucket/%2E%2e/x",
            "file:///etc",
            "s3://",
            "a\0b",
            "http://x/y",
        ] {
            assert!(place.parse::<Location>().is_err(), "{place:?}");
        }
    }

    #[test]
    fn a_dataset_names_its_lake() {
        let place: Location = "s3://bucket/lake/datasets/d/abc/".parse().unwrap_or_else(|e| panic!("{e}"));
        let (root, tail) = place.split_tail(3).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((root.to_string().as_str(), tail.as_str()), ("s3://bucket/lake", "datasets/d/abc"));
    }
}

//! What can go wrong with a lake, told with the place and, where there is one, the mend.

use std::fmt;

/// Result of a lake operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. Each kind maps to one exit code (crate `task`).
#[derive(Debug)]
pub enum Error {
    /// A location, key or name that cannot be meant: found before anything is touched.
    Usage(String),
    /// Something that was asked for is not there.
    Missing(String),
    /// Bytes that are not what their commit, or their format, says.
    Corrupt(String),
    /// Another writer was first.
    Conflict(String),
    /// The store refuses these credentials.
    Credentials(String),
    /// The lake is set up differently from what was asked.
    Configuration(String),
    /// The store failed; trying again may help.
    Storage(String),
}

impl Error {
    /// The mend, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Usage(_) => Some("a location is a folder or s3://bucket/prefix"),
            Self::Missing(_) => None,
            Self::Corrupt(_) => Some(
                "bytes changed after they were committed; restore them, or remove the commit and ingest again",
            ),
            Self::Conflict(_) => Some("another run was first; run again to see what is left to do"),
            Self::Credentials(_) => Some(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or AWS_PROFILE, and check what they may do",
            ),
            Self::Configuration(_) => None,
            Self::Storage(_) => Some(
                "check the disk or, for S3, AWS_ENDPOINT_URL and the network; what is committed is safe, so run again",
            ),
        }
    }

    /// An I/O error at a place of the local disk.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let place = format!("{doing} {}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing(place),
            _ => Self::Storage(place),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(m)
            | Self::Missing(m)
            | Self::Corrupt(m)
            | Self::Conflict(m)
            | Self::Credentials(m)
            | Self::Configuration(m)
            | Self::Storage(m) => f.write_str(m),
        }
    }
}

impl std::error::Error for Error {}

//! The exit codes, in one table: shown in every `--help`, used by the DAG, asserted by the tests.

use std::fmt;

/// How a process ends. The numbers follow `sysexits.h` where it has one that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The command line is wrong.
    Usage = 2,
    /// The input is not what it should be.
    BadInput = 65,
    /// An input is not there.
    MissingInput = 66,
    /// The source does not answer; try again.
    SourceUnavailable = 69,
    /// The ledger does not add up: our bug, nothing was committed.
    Bug = 70,
    /// Another run wrote what this one wanted to.
    Conflict = 73,
    /// The store failed; try again.
    Storage = 74,
    /// A rate or spend limit is reached.
    Limit = 75,
    /// Credentials are missing or refused.
    Credentials = 77,
    /// The configuration, or the lake's, does not fit.
    Configuration = 78,
    /// There was nothing to do.
    Nothing = 99,
    /// SIGTERM or SIGINT.
    Terminated = 143,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The table as `--help` shows it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  2    usage: the command line is wrong
  65   bad input: not what it should be
  66   missing input
  69   source unavailable (try again)
  70   a bug of ours: the ledger does not add up; nothing was committed
  73   another run was first
  74   storage failed (try again)
  75   rate or spend limit reached
  77   credentials missing or refused
  78   configuration does not fit
  99   nothing to do
  143  terminated by a signal";

/// Why a task ends before it is done: what, where, and the mend.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What went wrong, and where.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a task's function returns.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure without a mend.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// Adds the mend.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The end that a signal asked for.
    pub fn terminated() -> Self {
        Self::new(
            Exit::Terminated,
            "terminated by a signal; what is committed stays, nothing else was published",
        )
    }
}

/// Adds a mend to any error that can become a failure.
pub fn hint<E: Into<Failure>>(hint: &'static str) -> impl FnOnce(E) -> Failure {
    move |e| e.into().hint(hint)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

impl From<lake::Error> for Failure {
    fn from(error: lake::Error) -> Self {
        use lake::Error as E;
        let exit = match &error {
            E::Usage(_) => Exit::Usage,
            E::Missing(_) => Exit::MissingInput,
            E::Corrupt(_) => Exit::BadInput,
            E::Conflict(_) => Exit::Conflict,
            E::Credentials(_) => Exit::Credentials,
            E::Configuration(_) => Exit::Configuration,
            E::Storage(_) => Exit::Storage,
        };
        Self { exit, message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::{EXIT_CODES, Exit};

    #[test]
    fn the_table_has_every_code() {
        use Exit::*;
        let all = [
            Done,
            Usage,
            BadInput,
            MissingInput,
            SourceUnavailable,
            Bug,
            Conflict,
            Storage,
            Limit,
            Credentials,
            Configuration,
            Nothing,
            Terminated,
        ];
        for exit in all {
            let number = format!("\n  {:<4} ", exit.code());
            assert!(EXIT_CODES.contains(&number), "{exit:?}");
        }
        assert_eq!(EXIT_CODES.lines().count(), all.len() + 1);
    }
}

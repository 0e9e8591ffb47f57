//! `--gated`: only what the raw gate has passed is cleaned.

use std::fmt;

use lake::{Gate, Lake, Location, Partition, in_parallel, raw_fingerprint};
use task::{Exit, Failure, Outcome};

use crate::plan::Asked;

/// Partitions with parts that no gate has judged: the lake is fed while we work, or nobody asked the gate.
pub(crate) struct Waiting {
    lake: Location,
    first: Partition,
    /// How many there are.
    pub(crate) partitions: usize,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others =
            if self.partitions == 1 { String::new() } else { format!(" and {} more", self.partitions - 1) };
        write!(f, "partition {}{others} has not been through the raw gate", self.first)
    }
}

impl Waiting {
    /// For when nothing else is left to do.
    pub(crate) fn failure(&self) -> Failure {
        Failure::new(Exit::Nothing, self.to_string()).hint(hint(&self.lake))
    }
}

/// Those that have passed, and what is said of those without a verdict. One that the gate has refused is an error.
pub(crate) fn passed(lake: &Lake, asked: Vec<Asked>) -> Outcome<(Vec<Asked>, Option<Waiting>)> {
    let verdicts = in_parallel(&asked, 16, |a| {
        lake.verdict(Gate::Raw, &raw_fingerprint(a.parts.iter().map(|p| p.sha256.as_str())))
    })?;
    let (mut passed, mut waiting): (Vec<Asked>, Vec<Partition>) = Default::default();
    for (asked, verdict) in asked.into_iter().zip(verdicts) {
        match verdict {
            Some(true) => passed.push(asked),
            None => waiting.push(asked.partition),
            Some(false) => {
                let message = format!("partition {} was refused by the raw gate", asked.partition);
                return Err(Failure::new(Exit::BadInput, message).hint(hint(lake.location())));
            }
        }
    }
    let partitions = waiting.len();
    let waiting =
        waiting.into_iter().next().map(|first| Waiting { lake: lake.location().clone(), first, partitions });
    Ok((passed, waiting))
}

fn hint(lake: &Location) -> String {
    format!("python great_expectations/check.py raw {lake}")
}

//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as Flags, Parser, Subcommand, ValueEnum};
use lake::{Grain, Location};
use task::{Common, ENVIRONMENT, EXIT_CODES, Exit, Failure, Outcome};

use crate::hashing::{Hashing, Ngrams};
use crate::split::{Cuts, Shares};

const EXAMPLES: &str = "\
Examples:
  Everything that clean kept, as one dataset version:
    featurize --lake lake --name tweets
  One week, split so that no conversation is in two splits:
    featurize --lake s3://lake/tweets --name week --since 2020-12-21 --until 2020-12-28 --split-by conversation
  Train on the past, test on what came later:
    featurize --lake lake --name later --split-by time --cuts 2020-12-26,2020-12-28
  A new version without the tweets that were deleted since, by their ids:
    featurize --lake lake --name tweets --tombstones deleted.txt
  Sparse vectors for scikit-learn beside the rows, and one row of each text that was copied about:
    featurize --lake lake --name tweets --hash-bits 18 --ngrams 1,2 --tfidf --drop-near-copies
  Check a version, then let readers have it:
    featurize verify lake/datasets/tweets/0123456789ab
    featurize promote lake/datasets/tweets/0123456789ab";

/// Turns clean results into a dataset version: rows merged across partitions, features, splits.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "featurize",
    version,
    after_help = format!("{ENVIRONMENT}\n\n{EXAMPLES}\n\n{EXIT_CODES}"),
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    mut_args(|arg| arg.hide_env(true))
)]
pub struct Args {
    /// What to do instead of making a version.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How to make a version.
    #[command(flatten)]
    pub make: Make,
}

/// What can be done with a version that is there.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Recomputes every hash, count and split of a version; ends with 65 at the first lie
    Verify(Verify),
    /// Makes a version the one that readers of the dataset get; an older one is the way back
    Promote(Promote),
    /// Writes the ids of a version to a file: what X's terms let one pass on
    Ids(Ids),
}

/// How to make a version.
#[derive(Clone, Debug, Flags)]
pub struct Make {
    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", value_name = "LOCATION", value_parser = task::location, required = true)]
    pub lake: Option<Location>,

    /// Name of the dataset
    #[arg(long, env = "OFFKEY_NAME", value_name = "NAME", value_parser = name, required = true)]
    pub name: Option<String>,

    /// Only partitions from this time on (2026-11-20 or 2026-11-20T08, UTC)
    #[arg(long, env = "OFFKEY_SINCE", value_name = "T", value_parser = instant)]
    pub since: Option<i64>,

    /// Only partitions before this time
    #[arg(long, env = "OFFKEY_UNTIL", value_name = "T", value_parser = instant)]
    pub until: Option<i64>,

    /// Leave out what must not be shown, now and later: ids, compliance rows or delete notices, one a line
    #[arg(long, env = "OFFKEY_TOMBSTONES", value_name = "F")]
    pub tombstones: Option<PathBuf>,

    /// What a split never tears apart, or a split by time
    #[arg(long, env = "OFFKEY_SPLIT_BY", value_name = "GROUP", value_enum, default_value_t = By::Author, help_heading = "Splits")]
    pub split_by: By,

    /// Whole percentages of train, validation and test, or of train and test
    #[arg(
        long,
        env = "OFFKEY_SPLIT",
        value_name = "SHARES",
        default_value = "80,10,10",
        help_heading = "Splits"
    )]
    pub split: Shares,

    /// With --split-by time: when validation and test begin, or test alone
    #[arg(long, env = "OFFKEY_CUTS", value_name = "T1,T2", help_heading = "Splits")]
    pub cuts: Option<Cuts>,

    /// Jaccard similarity, over runs of five characters, from which two texts are near copies; none: do not look for them
    #[arg(
        long,
        env = "OFFKEY_NEAR_COPIES",
        value_name = "J",
        default_value = "0.8",
        help_heading = "Near copies"
    )]
    pub near_copies: Similarity,

    /// Keep only the earliest of near copies, instead of those in the split of the earliest
    #[arg(long, env = "OFFKEY_DROP_NEAR_COPIES", help_heading = "Near copies")]
    pub drop_near_copies: bool,

    /// Hash the tokens to sparse vectors of 2^N columns, as scikit-learn's HashingVectorizer does (18 is usual)
    #[arg(long, env = "OFFKEY_HASH_BITS", value_name = "N", value_parser = clap::value_parser!(u8).range(..=24), help_heading = "Hashed tokens")]
    pub hash_bits: Option<u8>,

    /// With --hash-bits: least and greatest number of tokens that are hashed together
    #[arg(
        long,
        env = "OFFKEY_NGRAMS",
        value_name = "MIN,MAX",
        default_value = "1,1",
        help_heading = "Hashed tokens"
    )]
    pub ngrams: Ngrams,

    /// With --hash-bits: TF-IDF weights too, fitted on train only
    #[arg(long, env = "OFFKEY_TFIDF", help_heading = "Hashed tokens")]
    pub tfidf: bool,

    /// How the Parquet files are compressed
    #[arg(long, env = "OFFKEY_COMPRESSION", value_name = "CODEC", value_enum, default_value_t = Codec::Zstd)]
    pub compression: Codec,

    /// Refuse clean results that no gate has passed
    #[arg(long, env = "OFFKEY_GATED")]
    pub gated: bool,

    /// What every binary takes.
    #[command(flatten)]
    pub common: Common,
}

/// `featurize verify`.
#[derive(Clone, Debug, Flags)]
#[command(mut_args(|arg| arg.hide_env(true)))]
pub struct Verify {
    /// The version: LAKE/datasets/NAME/VERSION, or a copy of that folder elsewhere
    #[arg(value_name = "DATASET", value_parser = task::location)]
    pub dataset: Location,

    /// Also see that the lake holds no tombstone for a row: what was deleted since is a lie too
    #[arg(long, env = "OFFKEY_LAKE", value_name = "LOCATION", value_parser = task::location)]
    pub lake: Option<Location>,

    /// What every binary takes.
    #[command(flatten)]
    pub common: Common,
}

/// `featurize promote`.
#[derive(Clone, Debug, Flags)]
#[command(mut_args(|arg| arg.hide_env(true)))]
pub struct Promote {
    /// The version: LAKE/datasets/NAME/VERSION
    #[arg(value_name = "DATASET", value_parser = task::location)]
    pub dataset: Location,

    /// Refuse a version that no gate has passed
    #[arg(long, env = "OFFKEY_GATED")]
    pub gated: bool,

    /// Leave readers what they have, with 99, if the lake's clean results are others by now: the run that made them promotes
    #[arg(long, env = "OFFKEY_FRESH")]
    pub fresh: bool,

    /// What every binary takes.
    #[command(flatten)]
    pub common: Common,
}

/// `featurize ids`.
#[derive(Clone, Debug, Flags)]
#[command(mut_args(|arg| arg.hide_env(true)))]
pub struct Ids {
    /// The version: LAKE/datasets/NAME/VERSION, or a copy of that folder elsewhere
    #[arg(value_name = "DATASET", value_parser = task::location)]
    pub dataset: Location,

    /// File to write, an id a line; /dev/stdout prints them before the summary
    #[arg(long, env = "OFFKEY_OUTPUT", value_name = "FILE")]
    pub output: PathBuf,

    /// What every binary takes.
    #[command(flatten)]
    pub common: Common,
}

/// From which similarity on two texts are near copies; `None`: nobody looks for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity(pub Option<f64>);

impl FromStr for Similarity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|j| (0.5..=1.0).contains(j));
        match (number, text) {
            (None, "none") => Ok(Self(None)),
            (None, _) => Err("not a number from 0.5 to 1, nor none".into()),
            (number, _) => Ok(Self(number)),
        }
    }
}

/// What rows are split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// an author's tweets stay together
    Author,
    /// a conversation stays together
    Conversation,
    /// each tweet by itself
    Id,
    /// by created_at, at the instants of --cuts
    Time,
}

impl By {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
}

/// How pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// small
    Zstd,
    /// for readers that know no zstd
    Snappy,
}

impl Args {
    /// The shared flags of whatever is to be done.
    pub fn common(&self) -> &Common {
        match &self.command {
            Some(Command::Verify(verify)) => &verify.common,
            Some(Command::Promote(promote)) => &promote.common,
            Some(Command::Ids(ids)) => &ids.common,
            None => &self.make.common,
        }
    }
}

impl Make {
    /// How tokens are hashed; 0 bits are none.
    pub(crate) fn hashing(&self) -> Option<Hashing> {
        let bits = self.hash_bits.filter(|bits| *bits > 0)?;
        Some(Hashing { bits, ngrams: self.ngrams, weighted: self.tfidf })
    }

    /// Checks what clap cannot.
    pub(crate) fn check(&self, grain: Grain) -> Outcome<()> {
        let (unit, example) = match grain {
            Grain::Day => (86_400_000_000, "2026-11-20"),
            Grain::Hour => (3_600_000_000, "2026-11-20T08"),
        };
        for (flag, time) in [("--since", self.since), ("--until", self.until)] {
            if time.is_some_and(|t| t.rem_euclid(unit) != 0) {
                return Err(usage(&format!(
                    "{flag} does not begin a partition: the lake is partitioned by {grain}"
                ))
                .hint(format!("give a full {grain}, such as {example}")));
            }
        }
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            return Err(usage("--since is not before --until")
                .hint("the interval is half-open: until is the first instant outside"));
        }
        if self.tfidf && self.hashing().is_none() {
            return Err(usage("--tfidf weighs hashed tokens, and --hash-bits is not given")
                .hint("add --hash-bits 18, or leave --tfidf out"));
        }
        if self.drop_near_copies && self.near_copies.0.is_none() {
            return Err(usage("--drop-near-copies drops what --near-copies none does not look for")
                .hint("leave one of them out"));
        }
        match (self.split_by, &self.cuts) {
            (By::Time, None) => Err(usage("--split-by time needs --cuts")
                .hint("say when validation and test begin: --cuts 2026-11-20,2026-11-27")),
            (By::Author | By::Conversation | By::Id, Some(_)) => Err(usage("--cuts cuts by time alone")
                .hint("add --split-by time, or leave --cuts out and give --split")),
            _ => Ok(()),
        }
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}

fn instant(text: &str) -> Result<i64, String> {
    lake::parse_instant(text)
        .ok_or_else(|| "not a time: 2026-11-20, 2026-11-20T08 or 2026-11-20T08:00:00Z".into())
}

fn name(text: &str) -> Result<String, String> {
    lake::check_name(text).map(|()| text.to_owned()).map_err(|e| e.to_string())
}

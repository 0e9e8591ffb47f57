//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use lake::{Grain, Location};
use serde_json::{Value, json};
use task::{Common, ENVIRONMENT, EXIT_CODES, Exit, Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
  Tweets in files, whatever their form and compression:
    ingest --source file --lake lake --input tweets.jsonl.gz more.jsonl.zst
  From a pipe, only those that say it:
    zcat archive/*.gz | ingest --source file --lake lake --input - --track 'justin bieber'
  From one bucket into another:
    ingest --source file --lake s3://lake/tweets --input s3://archive/2020-12-24.jsonl.gz";

/// Reads tweets from a source and keeps each as one raw line, in partitions by its own time.
#[derive(Clone, Debug, Parser)]
#[command(name = "ingest", version, after_help = format!("{ENVIRONMENT}\n\n{EXAMPLES}\n\n{EXIT_CODES}"), max_term_width = 100)]
#[command(mut_args(|arg| arg.hide_env(true)))]
pub struct Args {
    /// Where tweets come from
    #[arg(long, env = "OFFKEY_SOURCE", value_enum, hide_possible_values = true, default_value_t = Source::File)]
    pub source: Source,

    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", value_name = "LOCATION", value_parser = task::location)]
    pub lake: Location,

    /// Files to read: paths, s3://bucket/key, or - for standard input
    #[arg(long, env = "OFFKEY_INPUT", value_name = "PATH", num_args = 1.., value_delimiter = ',')]
    pub input: Vec<String>,

    /// Keep only tweets that hold one of these phrases, word by word, in any case [default: all]
    #[arg(long, env = "OFFKEY_TRACK", value_name = "PHRASE", num_args = 1.., value_delimiter = ',', help_heading = "What is asked for")]
    pub track: Vec<String>,

    /// Phrases from a file, one a line
    #[arg(long, env = "OFFKEY_TRACK_FILE", value_name = "F", help_heading = "What is asked for")]
    pub track_file: Option<PathBuf>,

    /// Also keep tweets whose coordinates lie in one of these boxes: west,south,east,north a line
    #[arg(long, env = "OFFKEY_LOCATIONS", value_name = "F", help_heading = "What is asked for")]
    pub locations: Option<PathBuf>,

    /// Only tweets from this time on (2026-11-20 or 2026-11-20T08, UTC); begins a partition
    #[arg(long, env = "OFFKEY_SINCE", value_name = "T", value_parser = instant, help_heading = "What is asked for")]
    pub since: Option<i64>,

    /// Only tweets before this time; begins a partition
    #[arg(long, env = "OFFKEY_UNTIL", value_name = "T", value_parser = instant, help_heading = "What is asked for")]
    pub until: Option<i64>,

    /// End after this many tweets
    #[arg(long, env = "OFFKEY_MAX_TWEETS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    pub max_tweets: Option<u64>,

    /// Commit nothing when more than this share of the values cannot be read (0.01 is 1 %) [default: no limit]
    #[arg(long, env = "OFFKEY_MAX_REJECT_RATE", value_name = "R", value_parser = share, help_heading = "Limits")]
    pub max_reject_rate: Option<f64>,

    /// Take the whole values of a damaged or cut compressed file instead of ending with 65
    #[arg(long, env = "OFFKEY_ALLOW_CUT", help_heading = "Limits")]
    pub allow_cut: bool,

    /// How a new lake is partitioned; a lake keeps the grain it was made with [default: day]
    #[arg(long, env = "OFFKEY_PARTITION_BY", value_name = "GRAIN", value_parser = grain)]
    pub partition_by: Option<Grain>,

    /// What every binary takes.
    #[command(flatten)]
    pub common: Common,
}

/// Where tweets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// files, objects or standard input
    File,
}

impl Args {
    /// Checks what clap cannot.
    pub(crate) fn check(&self, grain: Grain) -> Outcome<()> {
        for (flag, time) in [("--since", self.since), ("--until", self.until)] {
            let unit = match grain {
                Grain::Day => 86_400_000_000,
                Grain::Hour => 3_600_000_000,
            };
            if time.is_some_and(|t| t.rem_euclid(unit) != 0) {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{flag} does not begin a partition: the lake is partitioned by {grain}"),
                )
                .hint(format!(
                    "give a full {grain}, such as 2026-11-20{}",
                    if grain == Grain::Hour { "T08" } else { "" }
                )));
            }
        }
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            return Err(Failure::new(Exit::Usage, "--since is not before --until")
                .hint("the interval is half-open: until is the first instant outside"));
        }
        Ok(())
    }

    /// The arguments as the run's manifest shows them.
    pub(crate) fn shown(&self) -> Value {
        let time = |t: Option<i64>| t.map(lake::format_micros);
        json!({
            "source": self.source.to_possible_value().map(|v| v.get_name().to_owned()),
            "lake": self.lake.to_string(),
            "input": self.input,
            "track": self.track,
            "track_file": self.track_file,
            "locations": self.locations,
            "since": time(self.since),
            "until": time(self.until),
            "max_tweets": self.max_tweets,
            "max_reject_rate": self.max_reject_rate,
            "allow_cut": self.allow_cut,
        })
    }
}

fn instant(text: &str) -> Result<i64, String> {
    lake::parse_instant(text)
        .ok_or_else(|| "not a time: 2026-11-20, 2026-11-20T08 or 2026-11-20T08:00:00Z".into())
}

fn grain(text: &str) -> Result<Grain, String> {
    text.parse().map_err(|e: lake::Error| e.to_string())
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(r) if (0.0..=1.0).contains(&r) => Ok(r),
        _ => Err("not a share between 0 and 1".into()),
    }
}

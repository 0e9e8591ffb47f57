//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use lake::{Grain, Location};
use reqwest::Url;
use serde_json::{Value, json};
use task::{Common, ENVIRONMENT, EXIT_CODES, Exit, Failure, Outcome};

use crate::fields::Dialect;
use crate::money::Usd;

const EXAMPLES: &str = "\
Examples:
  Tweets in files, whatever their form and compression:
    ingest --source file --lake lake --input tweets.jsonl.gz more.jsonl.zst
  From a pipe, only those that say it:
    zcat archive/*.gz | ingest --source file --lake lake --input - --track 'justin bieber'
  From one bucket into another:
    ingest --source file --lake s3://lake/tweets --input s3://archive/2020-12-24.jsonl.gz
  What X's search has of a day, for five dollars at most (first: what would it cost?):
    ingest --source search --lake lake --since 2026-11-19 --until 2026-11-20 --dry-run
    ingest --source search --lake lake --since 2026-11-19 --until 2026-11-20 --max-spend-usd 5
  X's stream for 55 minutes; the gap since the last run is filled by search:
    ingest --source stream --lake lake --track 'justin bieber' --for 55m
  Bluesky since the last run, or the last hour; free, without a key:
    ingest --source bluesky --lake lake

The token for X comes from X_BEARER_TOKEN or --token-file, never from a flag.";

/// Reads tweets from a source and keeps each as one raw line, in partitions by its own time.
#[derive(Clone, Debug, Parser)]
#[command(name = "ingest", version, after_help = format!("{ENVIRONMENT}\n\n{EXAMPLES}\n\n{EXIT_CODES}"), max_term_width = 100)]
#[command(mut_args(|arg| arg.hide_env(true)))]
pub struct Args {
    /// Source of tweets: file, search, stream or bluesky
    #[arg(long, env = "OFFKEY_SOURCE", value_enum, hide_possible_values = true, default_value_t = Source::File)]
    pub source: Source,

    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", value_name = "LOCATION", value_parser = task::location)]
    pub lake: Location,

    /// Files to read: paths, s3://bucket/key, or - for standard input
    #[arg(long, env = "OFFKEY_INPUT", value_name = "PATH", num_args = 1.., value_delimiter = ',')]
    pub input: Vec<String>,

    /// Keep only tweets that hold one of these phrases, word by word, in any case [default: of files all, else Justin Bieber]
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

    /// How far back to search X; all needs a plan with the full archive [default: all if --since is older than 7 days]
    #[arg(
        long,
        env = "OFFKEY_ARCHIVE",
        value_name = "recent|all",
        value_enum,
        hide_possible_values = true,
        help_heading = "X and Bluesky"
    )]
    pub archive: Option<Archive>,

    /// Whose names X's search is asked with; answers are read in both
    #[arg(long, env = "OFFKEY_DIALECT", value_name = "tweet|post", value_enum, hide_possible_values = true, default_value_t = Dialect::Tweet, help_heading = "X and Bluesky")]
    pub dialect: Dialect,

    /// File that holds the Bearer token for X [default: the environment's X_BEARER_TOKEN]
    #[arg(long, env = "OFFKEY_TOKEN_FILE", value_name = "F", help_heading = "X and Bluesky")]
    pub token_file: Option<PathBuf>,

    /// X's API
    #[arg(long, env = "OFFKEY_API_URL", value_name = "URL", default_value = "https://api.x.com", value_parser = api_url, help_heading = "X and Bluesky")]
    pub api_url: Url,

    /// Bluesky's Jetstream
    #[arg(long, env = "OFFKEY_JETSTREAM_URL", value_name = "URL", default_value = "wss://jetstream2.us-east.bsky.network/subscribe", value_parser = jetstream_url, help_heading = "X and Bluesky")]
    pub jetstream_url: Url,

    /// Only say how many tweets X has and what they would cost; asking costs a cent at most
    #[arg(long, env = "OFFKEY_DRY_RUN", help_heading = "X and Bluesky")]
    pub dry_run: bool,

    /// End after this time: 55m, 1h30m
    #[arg(long = "for", env = "OFFKEY_FOR", value_name = "DURATION", value_parser = crate::clock::duration, help_heading = "Limits")]
    pub run_for: Option<Duration>,

    /// End before more than this is spent on the question in one UTC day, in US dollars; ends with 75
    #[arg(long, env = "OFFKEY_MAX_SPEND_USD", value_name = "X", value_parser = crate::money::usd, help_heading = "Limits")]
    pub max_spend_usd: Option<Usd>,

    /// End after this many tweets; what a live source has sent by then is kept too
    #[arg(long, env = "OFFKEY_MAX_TWEETS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    pub max_tweets: Option<u64>,

    /// End with 65 when more than this share of the values cannot be read (0.01 is 1 %): of files nothing is committed then, of live sources what was paid for [default: no limit]
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
    /// X's search: the last seven days, or the full archive
    Search,
    /// X's filtered stream
    Stream,
    /// Bluesky's Jetstream
    Bluesky,
}

/// How far back X is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    /// the last seven days
    Recent,
    /// everything since 2006
    All,
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
            "archive": self.archive.and_then(|a| a.to_possible_value()).map(|v| v.get_name().to_owned()),
            "dialect": self.dialect.to_possible_value().map(|v| v.get_name().to_owned()),
            "for_seconds": self.run_for.map(|d| d.as_secs()),
            "max_tweets": self.max_tweets,
            "max_spend_usd": self.max_spend_usd.map(|usd| usd.to_string()),
            "max_reject_rate": self.max_reject_rate,
            "allow_cut": self.allow_cut,
        })
    }
}

fn instant(text: &str) -> Result<i64, String> {
    lake::parse_instant(text)
        .ok_or_else(|| "not a time: 2026-11-20, 2026-11-20T08 or 2026-11-20T08:00:00Z".into())
}

fn api_url(text: &str) -> Result<Url, String> {
    crate::net::address(text, "https", "http")
}

fn jetstream_url(text: &str) -> Result<Url, String> {
    crate::net::address(text, "wss", "ws")
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

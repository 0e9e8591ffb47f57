//! The command line.

use std::path::PathBuf;

use clap::{Args as Flags, Parser, Subcommand, ValueEnum};
use lake::{Location, Partition};
use task::{Common, ENVIRONMENT, EXIT_CODES, Secret};

const EXAMPLES: &str = "\
Examples:
  Every partition whose clean result is missing or stale:
    clean --lake lake
  One day, only English and Spanish, dropping only what is surely music:
    clean --lake s3://lake/tweets --partition 2026-11-20 --languages en,es --music-preset precision
  Take deleted tweets out of everything that the lake holds:
    clean purge --lake lake --ids deleted.txt
  How well the music filter does on labels of your own:
    clean evaluate --task music labelled.jsonl";

/// Reads raw tweets, gives each one fate, and keeps what has nothing to do with music.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "clean",
    version,
    after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}\n\n{EXIT_CODES}"),
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", hide_env = true, value_name = "LOCATION", value_parser = task::location, required = true)]
    pub(crate) lake: Option<Location>,

    /// Partition to clean, such as 2026-11-20 or 2026-11-20T08; may be given often [default: all stale ones]
    #[arg(long, env = "OFFKEY_PARTITION", hide_env = true, value_name = "P", value_delimiter = ',', value_parser = partition)]
    pub(crate) partition: Vec<Partition>,

    /// Tweets that must not be shown, for now and later: ids, compliance rows or delete notices, one a line
    #[arg(long, env = "OFFKEY_TOMBSTONES", hide_env = true, value_name = "F")]
    pub(crate) tombstones: Option<PathBuf>,

    /// Leave partitions with parts that the raw gate has not judged, refuse those that it did not pass
    #[arg(long, env = "OFFKEY_GATED", hide_env = true)]
    pub(crate) gated: bool,

    /// What decides a result.
    #[command(flatten)]
    pub(crate) rules: RuleFlags,

    /// What every binary takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Args {
    /// The flags that every binary takes, of the command that was named.
    pub fn common(&self) -> &Common {
        match &self.command {
            None => &self.common,
            Some(Command::Plan(plan)) => &plan.common,
            Some(Command::Purge(purge)) => &purge.common,
            Some(Command::Evaluate(evaluate)) => &evaluate.common,
            Some(Command::Schema(schema)) => &schema.common,
        }
    }
}

/// Arguments that are part of a result's fingerprint.
#[derive(Clone, Debug, Flags)]
#[command(next_help_heading = "What is kept")]
pub(crate) struct RuleFlags {
    /// Keep only these languages, as ISO 639-1 codes [default: all]
    #[arg(long, env = "OFFKEY_LANGUAGES", hide_env = true, value_name = "CODES", value_delimiter = ',')]
    pub(crate) languages: Vec<String>,

    /// What becomes of retweets: folded into their original, kept as rows of their own, or dropped
    #[arg(long, env = "OFFKEY_RETWEETS", hide_env = true, value_enum, default_value_t = Retweets::Fold, hide_possible_values = true, value_name = "fold|keep|drop")]
    pub(crate) retweets: Retweets,

    /// What is music.
    #[command(flatten)]
    pub(crate) music: MusicFlags,

    /// Cut contractions among the tokens: don't into do and n't
    #[arg(long, env = "OFFKEY_SPLIT_CONTRACTIONS", hide_env = true)]
    pub(crate) split_contractions: bool,

    /// Name authors and mentions by pseudonyms, under the key in OFFKEY_PSEUDONYM_KEY
    #[arg(long, env = "OFFKEY_PSEUDONYMISE", hide_env = true)]
    pub(crate) pseudonymise: bool,

    /// The key of the pseudonyms in a file, instead of the environment
    #[arg(long, env = "OFFKEY_PSEUDONYM_KEY_FILE", hide_env = true, value_name = "FILE")]
    pub(crate) pseudonym_key_file: Option<PathBuf>,

    /// The key of the pseudonyms; only ever from the environment.
    #[arg(skip = pseudonym_key())]
    pub(crate) pseudonym_key: Option<Secret>,
}

/// Where the line to music is drawn.
#[derive(Clone, Debug, Flags)]
#[command(next_help_heading = "What is kept")]
pub(crate) struct MusicFlags {
    /// The line to music: balanced (best F1), precision (drops little else) or recall (lets little through)
    #[arg(long, env = "OFFKEY_MUSIC_PRESET", hide_env = true, value_name = "PRESET", default_value = "balanced", hide_possible_values = true, value_parser = ["balanced", "precision", "recall"])]
    pub(crate) music_preset: String,

    /// Drop from this music score on, instead of the preset's
    #[arg(long, env = "OFFKEY_MUSIC_THRESHOLD", hide_env = true, value_name = "X", value_parser = score)]
    pub(crate) music_threshold: Option<f32>,

    /// Concerts, tours and tickets are not music
    #[arg(long, env = "OFFKEY_NO_MUSIC_CONCERTS", hide_env = true)]
    pub(crate) no_music_concerts: bool,

    /// Fan votes are music, also where they name none
    #[arg(long, env = "OFFKEY_MUSIC_FAN_VOTES", hide_env = true)]
    pub(crate) music_fan_votes: bool,

    /// Names, handles, songs and tours of the searched artist, instead of Justin Bieber's
    #[arg(long, env = "OFFKEY_PROFILE", hide_env = true, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,

    /// Terms that extend or replace those of the bundled lexicon
    #[arg(long, env = "OFFKEY_LEXICON", hide_env = true, value_name = "FILE")]
    pub(crate) lexicon: Option<PathBuf>,
}

/// What becomes of retweets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Retweets {
    /// One row an original.
    Fold,
    /// A row each.
    Keep,
    /// No row.
    Drop,
}

impl Retweets {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Keep => "keep",
            Self::Drop => "drop",
        }
    }
}

/// Commands beside the stage itself.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the stale partitions in batches, for mapped tasks
    Plan(PlanArgs),
    /// Removes tweets and users, for good, from all that the lake holds
    Purge(PurgeArgs),
    /// Scores tokens, language or the music filter against labels
    Evaluate(EvaluateArgs),
    /// Prints the columns of the clean table as JSON
    Schema(SchemaArgs),
}

/// `clean plan`.
#[derive(Clone, Debug, Flags)]
pub(crate) struct PlanArgs {
    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", hide_env = true, value_name = "LOCATION", value_parser = task::location)]
    pub(crate) lake: Location,

    /// Most batches
    #[arg(long, env = "OFFKEY_BATCHES", hide_env = true, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) batches: u16,

    /// List only partitions whose raw parts have passed the gate; the others are counted as waiting
    #[arg(long, env = "OFFKEY_GATED", hide_env = true)]
    pub(crate) gated: bool,

    /// What decides a result.
    #[command(flatten)]
    pub(crate) rules: RuleFlags,

    /// What every binary takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `clean purge`.
#[derive(Clone, Debug, Flags)]
#[command(after_help = PURGE)]
pub(crate) struct PurgeArgs {
    /// The lake: a folder or s3://bucket/prefix
    #[arg(long, env = "OFFKEY_LAKE", hide_env = true, value_name = "LOCATION", value_parser = task::location)]
    pub(crate) lake: Location,

    /// Tweets to remove: ids, compliance rows or delete notices, one a line
    #[arg(long, env = "OFFKEY_IDS", hide_env = true, value_name = "F")]
    pub(crate) ids: Option<PathBuf>,

    /// Users whose tweets to remove: ids of accounts, one a line
    #[arg(long, env = "OFFKEY_USERS", hide_env = true, value_name = "F")]
    pub(crate) users: Option<PathBuf>,

    /// What every binary takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

const PURGE: &str = "\
What is named becomes a tombstone of the lake. Then everything that any tombstone names goes: line by \
line from raw parts, rejects and notices; as a whole from clean results, dataset versions and reports, \
which clean and featurize make again. The lake's `consumed` shrinks by what raw lost; _meta/purges tells.

Let no other run be at work meanwhile. A purge that was broken off is completed by the next one. A source \
that is ingested again brings its lines back to raw, and no further: purge again.";

/// `clean schema`.
#[derive(Clone, Debug, Flags)]
pub(crate) struct SchemaArgs {
    /// What every binary takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `clean evaluate`.
#[derive(Clone, Debug, Flags)]
pub(crate) struct EvaluateArgs {
    /// What the labels are about: music, language or tokens
    #[arg(long, value_enum, value_name = "TASK", hide_possible_values = true)]
    pub(crate) task: Labels,

    /// Records a line: {"text","music":0|1|null}, {"text","lang"} or {"text","tokens"}
    #[arg(value_name = "FILE.jsonl")]
    pub(crate) file: PathBuf,

    /// What is music.
    #[command(flatten)]
    pub(crate) music: MusicFlags,

    /// What every binary takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What labels are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Labels {
    /// `music`: 0, 1 or null
    Music,
    /// `lang`: an ISO 639-1 code
    Language,
    /// `tokens`: a list of strings
    Tokens,
}

fn score(text: &str) -> Result<f32, String> {
    let score: f32 = text.parse().map_err(|_| "not a number".to_owned())?;
    if score.is_finite() { Ok(score) } else { Err("not a finite number".to_owned()) }
}

/// Not a flag: a command line can be read by others.
fn pseudonym_key() -> Option<Secret> {
    std::env::var("OFFKEY_PSEUDONYM_KEY")
        .ok()
        .map(|key| Secret::new(&key))
        .filter(|key| !key.expose().is_empty())
}

fn partition(text: &str) -> Result<Partition, String> {
    text.parse().map_err(|e: lake::Error| e.to_string())
}

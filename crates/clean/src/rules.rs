//! The arguments that decide a result, read once, and their part in the fingerprint.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use lake::{Fingerprint, RawCommit, sha256_hex};
use serde_json::{Value, json};
use table::SCHEMA_VERSION;
use task::{Exit, Failure, Outcome};
use text::{Code, Music, Preset, Switches};

use crate::args::{MusicFlags, Retweets, RuleFlags};
use crate::names::Names;

/// Version of everything here that decides a result and has no version of its own: parser, fates, text stage, and how its files are
/// written, for a result of one name has the same bytes whoever makes it.
const RULES_VERSION: &str = "2";

/// What decides a result.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) languages: Vec<Code>,
    pub(crate) retweets: Retweets,
    pub(crate) line: Line,
    pub(crate) tokens: text::Options,
    pub(crate) names: Names,
}

/// The line to music.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) music: Arc<Music>,
    pub(crate) threshold: f32,
    pub(crate) switches: Switches,
    preset: Preset,
    lexicon_hash: String,
}

impl Line {
    pub(crate) fn new(flags: &MusicFlags) -> Outcome<Self> {
        let preset: Preset =
            flags.music_preset.parse().map_err(|why: String| Failure::new(Exit::Usage, why))?;
        let profile = flags.profile.as_deref().map(read).transpose()?;
        let extra = flags.lexicon.as_deref().map(read).transpose()?;
        let files: Vec<&str> =
            [Some(Music::LEXICON), Some(profile.as_deref().unwrap_or(Music::PROFILE)), extra.as_deref()]
                .into_iter()
                .flatten()
                .collect();
        let music = Music::from_files(&files).map_err(|e| {
            Failure::new(Exit::BadInput, e.to_string())
                .hint("crates/text/README.md tells the format of lexicon and profile")
        })?;
        Ok(Self {
            music: Arc::new(music),
            threshold: flags.music_threshold.unwrap_or_else(|| preset.threshold()),
            switches: Switches { concerts: !flags.no_music_concerts, fan_votes: flags.music_fan_votes },
            preset,
            lexicon_hash: sha256_hex(files.join("\n").as_bytes()),
        })
    }
}

impl Rules {
    pub(crate) fn new(flags: &RuleFlags) -> Outcome<Self> {
        let named = flags.languages.iter().filter(|code| !code.trim().is_empty());
        let languages = named.map(|code| {
            text::normalise_language(code.trim()).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("{code:?} is no language code"))
                    .hint("use ISO 639-1 codes, such as en,es,pt")
            })
        });
        let mut languages = languages.collect::<Outcome<Vec<Code>>>()?;
        languages.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        languages.dedup();
        let names = match flags.pseudonymise {
            true => Names::pseudonyms(flags.pseudonym_key.as_ref(), flags.pseudonym_key_file.as_deref())?,
            false => Names::Plain,
        };
        let tokens = text::Options { split_contractions: flags.split_contractions };
        Ok(Self { languages, retweets: flags.retweets, line: Line::new(&flags.music)?, tokens, names })
    }

    /// As the pointer shows them.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "languages": self.languages.iter().map(Code::as_str).collect::<Vec<_>>(),
            "music_preset": self.line.preset.as_str(),
            "music_threshold": self.line.threshold,
            "music_concerts": self.line.switches.concerts,
            "music_fan_votes": self.line.switches.fan_votes,
            "retweets": self.retweets.as_str(),
            "split_contractions": self.tokens.split_contractions,
            "pseudonym_key": self.names.key_id(),
        })
    }

    /// Versions of what decided.
    pub(crate) fn versions(&self) -> BTreeMap<String, String> {
        [
            ("binary", env!("CARGO_PKG_VERSION")),
            ("rules", RULES_VERSION),
            ("schema", SCHEMA_VERSION),
            ("lexicon", self.line.music.version()),
            ("lexicon_sha256", &self.line.lexicon_hash),
        ]
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .into()
    }

    /// The fingerprint of a result over these parts and tombstones.
    pub(crate) fn fingerprint(&self, parts: &[RawCommit], tombstones: &str) -> String {
        let languages: Vec<&str> = self.languages.iter().map(Code::as_str).collect();
        // The part's name decides ties between copies, so it stands beside the hash.
        let parts: Vec<String> = parts.iter().map(|p| format!("{} {}", p.sha256, p.part)).collect();
        Fingerprint::new()
            .with("stage", "clean")
            .with("rules", RULES_VERSION)
            .with("schema", SCHEMA_VERSION)
            .with("lexicon", &self.line.lexicon_hash)
            .with("languages", &languages.join(","))
            .with("threshold", &self.line.threshold.to_string())
            .with("concerts", &self.line.switches.concerts.to_string())
            .with("fan votes", &self.line.switches.fan_votes.to_string())
            .with("retweets", self.retweets.as_str())
            .with("contractions", &self.tokens.split_contractions.to_string())
            .with("pseudonyms", self.names.key_id().unwrap_or_default())
            .with("tombstones", tombstones)
            .with_all("parts", parts.iter().map(String::as_str))
            .finish()
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path)
        .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {}: {e}", path.display())))
}

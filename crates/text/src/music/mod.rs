//! How much a tweet has to do with music.

mod lexicon;
mod matcher;
mod window;

use crate::language::Code;
use crate::token::Token;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use lexicon::{Term, TermKind, Topic, parse};
use matcher::Matcher;

/// A lexicon file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexiconError {
    /// Name of the file in its first line, if it has one.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for LexiconError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file.is_empty() { "lexicon" } else { &self.file };
        write!(f, "{file} line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for LexiconError {}

/// What [`Music::score`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct MusicInput<'a> {
    /// [`tokenize`](crate::tokenize)d text.
    pub tokens: &'a [Token<'a>],
    /// Expanded links, beside those in the text.
    pub urls: &'a [&'a str],
    /// X's context annotations, each `domain/entity` by name.
    pub annotations: &'a [&'a str],
    /// The tweet's language; terms of other languages rest. `und` wakes all.
    pub lang: Code,
}

/// What may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Concerts, tours and tickets count as music (on by default).
    pub concerts: bool,
    /// Fan votes that name no music count as music (off by default).
    pub fan_votes: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { concerts: true, fan_votes: false }
    }
}

/// Where the line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Best F1.
    #[default]
    Balanced,
    /// Drops little that is not music.
    Precision,
    /// Lets little music through.
    Recall,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 3] = [Preset::Balanced, Preset::Precision, Preset::Recall];

    /// A tweet whose score is at least this is about music.
    #[must_use]
    pub fn threshold(self) -> f32 {
        match self {
            Self::Recall => 2.0,
            Self::Balanced => 3.0,
            Self::Precision => 4.0,
        }
    }

    /// Its word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Precision => "precision",
            Self::Recall => "recall",
        }
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Preset::ALL
            .into_iter()
            .find(|preset| preset.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not balanced, precision or recall"))
    }
}

/// The kind of the term that weighed most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing spoke for music.
    None,
    /// Words of music.
    Words,
    /// A hashtag.
    Hashtag,
    /// An emoji.
    Emoji,
    /// A link.
    Link,
    /// X's context annotation.
    Annotation,
    /// An artist's name.
    Artist,
    /// A name or title of the searched artist.
    Profile,
    /// Words in context, such as "listening to" before a name.
    Context,
}

impl Reason {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Words => "words",
            Self::Hashtag => "hashtag",
            Self::Emoji => "emoji",
            Self::Link => "link",
            Self::Annotation => "annotation",
            Self::Artist => "artist",
            Self::Profile => "profile",
            Self::Context => "context",
        }
    }
}

/// A score and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'m> {
    /// Sum of the weights; compare it with [`Preset::threshold`].
    pub score: f32,
    /// The terms that matched and weigh something, heaviest first, then by the alphabet.
    pub terms: Vec<&'m str>,
    /// What weighed most.
    pub reason: Reason,
}

/// A lexicon and a profile, ready to score.
///
/// The score is the sum of the weights of the *distinct* terms that match. Terms of one kind of
/// matching do not overlap: the longest from the left wins, so a longer term shields a shorter one.
/// Weak terms (weight up to 1, windows aside) add up to 2 at most, and so do names and accounts of artists: neither
/// alone makes a tweet about music.
#[derive(Debug)]
pub struct Music {
    matcher: Matcher,
    version: String,
}

impl Music {
    /// Reads a lexicon and a profile; the format is described in the README of `crates/text`.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn new(lexicon: &str, profile: &str) -> Result<Music, LexiconError> {
        Music::from_files(&[lexicon, profile])
    }

    /// Reads any number of files of the same format; later lines replace earlier ones of the same
    /// kind and term.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn from_files(files: &[&str]) -> Result<Music, LexiconError> {
        let lexicons = files.iter().map(|file| parse(file)).collect::<Result<Vec<_>, _>>()?;
        let version = lexicons
            .iter()
            .map(|lexicon| format!("{} {}", lexicon.name, lexicon.version))
            .collect::<Vec<_>>()
            .join(" + ");
        Ok(Music { matcher: Matcher::new(lexicons)?, version })
    }

    /// The bundled lexicon with the bundled profile of Justin Bieber.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the files are part of the program.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the files are compiled in and tested")]
    pub fn bundled() -> &'static Music {
        static BUNDLED: OnceLock<Music> = OnceLock::new();
        BUNDLED.get_or_init(|| Music::new(Self::LEXICON, Self::PROFILE).expect("the bundled lexicon parses"))
    }

    /// The bundled lexicon.
    pub const LEXICON: &'static str = include_str!("../../data/lexicon.tsv");
    /// The bundled profile.
    pub const PROFILE: &'static str = include_str!("../../data/profile_justin_bieber.tsv");

    /// Name and version of each file, joined by ` + `.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Scores a tweet.
    #[must_use]
    pub fn score(&self, input: &MusicInput, switches: Switches) -> Verdict<'_> {
        let mut found = self.matcher.find(input);
        found.sort_unstable();
        found.dedup();
        let mut terms: Vec<_> = found
            .into_iter()
            .map(|index| &self.matcher.terms[index as usize])
            .filter(|term| {
                term.weight != 0.0
                    && match term.topic {
                        Topic::Music => true,
                        Topic::Concert => switches.concerts,
                        Topic::Vote => switches.fan_votes,
                    }
            })
            .collect();
        // the same word in several languages counts once, with its greatest weight
        terms.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
        let mut once: Vec<&Term> = Vec::with_capacity(terms.len());
        for term in terms {
            if !once.iter().any(|t| t.kind == term.kind && t.text == term.text) {
                once.push(term);
            }
        }
        let terms = once;
        let mut score = 0.0;
        let mut weak = 0.0;
        let mut names = 0.0;
        for term in &terms {
            match term.kind {
                TermKind::Artist | TermKind::Handle | TermKind::Name => names += term.weight,
                TermKind::Window => score += term.weight,
                _ if term.weight > 0.0 && term.weight <= 1.0 => weak += term.weight,
                _ => score += term.weight,
            }
        }
        score += f32::min(weak, 2.0) + f32::min(names, 2.0);
        Verdict {
            score,
            reason: terms.first().filter(|t| t.weight > 0.0).map_or(Reason::None, |t| t.kind.reason()),
            terms: terms.into_iter().map(|term| term.text.as_str()).collect(),
        }
    }
}

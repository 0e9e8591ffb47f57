//! The lexicon's file format.
//!
//! UTF-8, one term a line, columns between tabs: term, weight, kind, languages, comment. The first
//! line names the file and its version: `#! offkey-lexicon NAME VERSION`. Lines that start with
//! `#` and empty lines are skipped. Languages are codes between commas, or `*`.
//!
//! | kind | term |
//! |---|---|
//! | `word` | a word or a sequence of words; matches whole tokens only |
//! | `stem` | the beginning of a word, at least two letters |
//! | `part` | a piece of text, for scripts that write no spaces |
//! | `tag` | a whole hashtag, without its `#` |
//! | `tagpart` | a piece of a hashtag |
//! | `emoji` | one emoji |
//! | `domain` | a link's host, or the end of one; with `/` and one of the first two parts of a path, what lies below it there |
//! | `annotation` | a domain of X's context annotations |
//! | `artist` | the name of an artist; in a script without spaces a part |
//! | `handle` | an artist's account, without its `@` |
//! | `name` | profile: a name of the searched artist |
//! | `title` | profile: a song, album or tour of the searched artist |
//! | `class` | `CLASS: word word …`: words that windows name as `{CLASS}`; no weight |
//! | `window` | cues in this order: a word, `a\|b`, `{CLASS}`, `{artist}`, `{name}`, `{title}`, `{number}`; `*` is a gap of up to 3 tokens, `*5` of up to 5, within the sentence |
//!
//! A kind may end in `/concert` or `/vote`: such terms count only while that switch is on. A term
//! of weight 0 shields: it matches, counts nothing, and hides shorter terms inside it (`parking
//! ticket`). A later file's line replaces an earlier line of the same kind and term.

use super::{LexiconError, Reason};
use crate::language::Code;

/// What switches a term belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Music,
    Concert,
    Vote,
}

/// How a term is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TermKind {
    Word,
    Stem,
    Part,
    Tag,
    TagPart,
    Emoji,
    Domain,
    Annotation,
    Artist,
    Handle,
    Name,
    Title,
    Class,
    Window,
}

impl TermKind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "word" => Self::Word,
            "stem" => Self::Stem,
            "part" => Self::Part,
            "tag" => Self::Tag,
            "tagpart" => Self::TagPart,
            "emoji" => Self::Emoji,
            "domain" => Self::Domain,
            "annotation" => Self::Annotation,
            "artist" => Self::Artist,
            "handle" => Self::Handle,
            "name" => Self::Name,
            "title" => Self::Title,
            "class" => Self::Class,
            "window" => Self::Window,
            _ => return None,
        })
    }

    /// The reason that a term of this kind gives.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Word | Self::Stem | Self::Part | Self::Class => Reason::Words,
            Self::Tag | Self::TagPart => Reason::Hashtag,
            Self::Emoji => Reason::Emoji,
            Self::Domain => Reason::Link,
            Self::Annotation => Reason::Annotation,
            Self::Artist | Self::Handle => Reason::Artist,
            Self::Name | Self::Title => Reason::Profile,
            Self::Window => Reason::Context,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) text: String,
    pub(crate) weight: f32,
    pub(crate) kind: TermKind,
    pub(crate) topic: Topic,
    /// Empty: every language.
    pub(crate) languages: Vec<Code>,
    /// For errors found later, when windows meet their classes.
    pub(crate) line: usize,
}

/// A file's name and version, and its lines.
#[derive(Debug, PartialEq)]
pub(crate) struct Lexicon {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) terms: Vec<Term>,
}

/// Reads a lexicon or profile.
pub(crate) fn parse(content: &str) -> Result<Lexicon, LexiconError> {
    let content = content.trim_start_matches('\u{feff}');
    let error = |line: usize, why: String| LexiconError { file: String::new(), line, why };
    let first = content.lines().next().unwrap_or("");
    let mut head = first.strip_prefix("#! offkey-lexicon ").unwrap_or("").split_whitespace();
    let (Some(name), Some(version), None) = (head.next(), head.next(), head.next()) else {
        return Err(error(1, "the first line must be `#! offkey-lexicon NAME VERSION`".into()));
    };
    let mut terms = Vec::new();
    for (index, line) in content.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let term = term(line, index + 1).map_err(|why| LexiconError {
            file: name.to_owned(),
            line: index + 1,
            why,
        })?;
        terms.push(term);
    }
    Ok(Lexicon { name: name.to_owned(), version: version.to_owned(), terms })
}

fn term(line: &str, number: usize) -> Result<Term, String> {
    let columns: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
    if columns.len() < 3 {
        return Err(format!(
            "{} columns; at least term, weight and kind are needed, with tabs between",
            columns.len()
        ));
    }
    if columns.len() > 5 {
        return Err(format!(
            "{} columns; five at most: term, weight, kind, languages, comment",
            columns.len()
        ));
    }
    let text = columns[0].trim();
    if text.is_empty() {
        return Err("the term is empty".into());
    }
    let weight: f32 = columns[1].trim().parse().map_err(|_| format!("`{}` is not a weight", columns[1]))?;
    if !weight.is_finite() || weight.abs() > 10.0 {
        return Err(format!("the weight {weight} is outside -10 to 10"));
    }
    let (kind, topic) = columns[2].trim().split_once('/').unwrap_or((columns[2].trim(), ""));
    let kind = TermKind::parse(kind).ok_or_else(|| format!("`{kind}` is not a kind"))?;
    let topic = match topic {
        "" => Topic::Music,
        "concert" => Topic::Concert,
        "vote" => Topic::Vote,
        _ => return Err(format!("`{topic}` is not a topic: concert or vote")),
    };
    let mut languages = Vec::new();
    for code in columns.get(3).unwrap_or(&"*").split(',').map(str::trim) {
        if code == "*" || code.is_empty() {
            continue;
        }
        languages.push(Code::new(code).ok_or_else(|| format!("`{code}` is not a language code"))?);
    }
    match kind {
        TermKind::Part if text.is_ascii() => {
            return Err("a part needs a letter beyond ASCII; write Latin terms as words".into());
        }
        TermKind::Stem if text.chars().count() < 2 => return Err("a stem needs two letters".into()),
        _ => {}
    }
    Ok(Term { text: text.to_owned(), weight, kind, topic, languages, line: number })
}

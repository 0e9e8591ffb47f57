//! Keywords in the language of X: search queries and stream rules.

use std::path::Path;

use task::{Exit, Failure, Outcome};
use tracing::info;

use crate::Args;
use crate::wanted::{read, read_boxes};

/// What is looked for when nothing is said.
pub(crate) const DEFAULT: &str = "Justin Bieber";

/// Characters that X takes in a query: of recent search, of the full archive.
pub(crate) const RECENT_QUERY: usize = 512;
pub(crate) const ALL_QUERY: usize = 1_024;
/// Rules of a stream that X takes, and characters of each.
const RULES: usize = 1_000;
const RULE: usize = 1_024;

/// Each phrase, place and operator that was asked for, as X reads it; one of them must fit.
pub(crate) fn terms(args: &Args) -> Outcome<Vec<String>> {
    let mut phrases = args.track.clone();
    if let Some(file) = &args.track_file {
        phrases.extend(read(file)?.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned));
    }
    let mut terms = phrases.iter().map(|phrase| term(phrase)).collect::<Outcome<Vec<_>>>()?;
    terms.extend(boxes(args.locations.as_deref())?);
    if let Some(long) = terms.iter().find(|term| term.chars().count() > RECENT_QUERY) {
        let head: String = long.chars().take(40).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("the keyword {head}… is longer than the {RECENT_QUERY} characters that X takes"),
        )
        .hint("shorten it; several keywords may be longer together, and are asked for in turn"));
    }
    terms.sort();
    terms.dedup();
    Ok(terms)
}

fn boxes(file: Option<&Path>) -> Outcome<Vec<String>> {
    let boxes = file.map(read_boxes).transpose()?.unwrap_or_default();
    Ok(boxes.iter().map(|[w, s, e, n]| format!("bounding_box:[{w} {s} {e} {n}]")).collect())
}

/// A word, tag or operator stays as it is; anything else is a phrase, and quoted.
fn term(phrase: &str) -> Outcome<String> {
    let phrase = phrase.trim();
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let quoted = phrase.len() > 2 && phrase.starts_with('"') && phrase.ends_with('"');
    let tag = phrase.strip_prefix(['#', '@', '$']).is_some_and(word);
    let operator = phrase.split_once(':').is_some_and(|(name, value)| {
        name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.is_empty() && !value.is_empty()
    });
    let reserved = matches!(phrase, "OR" | "AND" | "NOT");
    if (word(phrase) && !reserved) || tag || quoted || (operator && !phrase.contains(char::is_whitespace)) {
        return Ok(phrase.to_owned());
    }
    if phrase.contains('"') || phrase.contains('\\') || !phrase.chars().any(char::is_alphanumeric) {
        return Err(Failure::new(Exit::Usage, format!("the phrase {phrase:?} cannot be asked for"))
            .hint("words, \"several words\", #tag, @user or an operator such as from:name"));
    }
    info!("the keyword {phrase} is asked for as a phrase: \"{phrase}\"");
    Ok(format!("\"{phrase}\""))
}

/// Queries of at most `longest` characters that together ask for all terms.
pub(crate) fn queries(terms: &[String], longest: usize) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    for term in terms {
        match queries.last_mut() {
            Some(query) if query.chars().count() + 4 + term.chars().count() <= longest => {
                query.push_str(" OR ");
                query.push_str(term);
            }
            _ => queries.push(term.clone()),
        }
    }
    queries
}

/// Rules of a stream that together ask for all terms: one each, or, where X takes no more, several in one.
pub(crate) fn rules(terms: &[String]) -> Vec<String> {
    if terms.len() <= RULES { terms.to_vec() } else { queries(terms, RULE) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{queries, rules, term};

    #[test]
    fn phrases_are_quoted() {
        for (phrase, asked) in [
            ("Justin Bieber", "\"Justin Bieber\""),
            ("belieber", "belieber"),
            ("#JustinBieber", "#JustinBieber"),
            ("coca-cola", "\"coca-cola\""),
            ("\"as it is\"", "\"as it is\""),
            ("from:justinbieber", "from:justinbieber"),
            ("OR", "\"OR\""),
            ("ジャスティン", "ジャスティン"),
            ("time: now", "\"time: now\""),
        ] {
            assert_eq!(term(phrase).unwrap(), asked, "{phrase}");
        }
        for bad in ["", "\"", "say \"it\"", "...", "a\\"] {
            assert!(term(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn queries_keep_to_their_length() {
        let terms: Vec<String> = ["aaa", "bbb", "ccc", "ddd"].map(str::to_owned).to_vec();
        assert_eq!(queries(&terms, 10), ["aaa OR bbb", "ccc OR ddd"]);
        assert_eq!(queries(&terms, 512), ["aaa OR bbb OR ccc OR ddd"]);
        assert_eq!(rules(&terms), terms);
        let many: Vec<String> = (0..20_000).map(|n| format!("keyword{n}")).collect();
        let rules = rules(&many);
        assert!(rules.len() < 1_000 && rules.iter().all(|rule| rule.len() <= 1_024), "{}", rules.len());
        assert_eq!(rules.join(" OR "), many.join(" OR "));
    }
}

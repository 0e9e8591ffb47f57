//! How people are named in a result: as the source names them, or by pseudonyms.
//!
//! A pseudonym is the first 16 hex digits of an HMAC-SHA256. Who has the key can make it again, who
//! has not can tell people apart but not name them. Ids of tweets stay, so that what is deleted can be
//! found; only Bluesky's lose their author, whom they name.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use lake::sha256_hex;
use sha2::Sha256;
use task::{Exit, Failure, Outcome, Secret};
use text::{Kind, Token};

/// Hex digits of a pseudonym.
const DIGITS: usize = 16;
/// Fewest characters of a key.
const KEY: usize = 16;
/// First segments of paths on X that are no handle.
const PAGES: [&str; 9] = ["", "explore", "hashtag", "home", "i", "intent", "search", "settings", "share"];

/// How people are named.
#[derive(Clone)]
pub(crate) enum Names {
    /// As the source names them.
    Plain,
    /// By pseudonyms under a key.
    Pseudonyms(Box<Pseudonyms>),
}

/// A key, ready to use.
#[derive(Clone)]
pub(crate) struct Pseudonyms {
    key: Hmac<Sha256>,
    key_id: String,
}

impl Names {
    /// Pseudonyms under the key of the environment, or of a file.
    pub(crate) fn pseudonyms(key: Option<&Secret>, file: Option<&Path>) -> Outcome<Self> {
        let refuse = |why: String| {
            let hint = "set OFFKEY_PSEUDONYM_KEY, or name a file of it with --pseudonym-key-file; \
                        openssl rand -hex 32 makes one";
            Err(Failure::new(Exit::Credentials, why).hint(hint))
        };
        let read = |path: &Path| fs::read_to_string(path).map(|text| Secret::new(&text));
        let key = match (file.map(|path| (path, read(path))), key) {
            (Some((path, Err(e))), _) => {
                return refuse(format!("the key of the pseudonyms, {}, cannot be read: {e}", path.display()));
            }
            (Some((_, Ok(key))), _) => key,
            (None, Some(key)) => key.clone(),
            (None, None) => return refuse("there is no key for pseudonyms".into()),
        };
        if key.expose().len() < KEY {
            return refuse(format!("the key of the pseudonyms is shorter than {KEY} characters"));
        }
        let mac = Hmac::new_from_slice(key.expose().as_bytes())
            .map_err(|e| Failure::new(Exit::Credentials, format!("the key of the pseudonyms: {e}")))?;
        let key_id = sha256_hex(key.expose().as_bytes())[..8].to_owned();
        Ok(Self::Pseudonyms(Box::new(Pseudonyms { key: mac, key_id })))
    }

    /// Which key, told without telling it: the first 8 hex digits of its SHA-256.
    pub(crate) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Plain => None,
            Self::Pseudonyms(it) => Some(&it.key_id),
        }
    }

    /// An account's id.
    pub(crate) fn account<'a>(&self, id: &'a str) -> Cow<'a, str> {
        self.with(id, |it| it.of("account", id).into())
    }

    /// A handle, without `@`; Bluesky may give an account's id instead.
    pub(crate) fn handle<'a>(&self, handle: &'a str) -> Cow<'a, str> {
        self.with(handle, |it| match handle.starts_with("did:") {
            true => it.of("account", handle).into(),
            false => it.of("handle", &handle.to_lowercase()).into(),
        })
    }

    /// A name shown: it has no pseudonym.
    pub(crate) fn shown<'a>(&self, name: Option<&'a str>) -> Option<&'a str> {
        name.filter(|_| matches!(self, Self::Plain))
    }

    /// A tweet's id.
    pub(crate) fn tweet_id<'a>(&self, id: &'a str) -> Cow<'a, str> {
        self.with(id, |it| match id.strip_prefix("at://").and_then(|rest| rest.split_once('/')) {
            Some((account, rest)) => format!("at://{}/{rest}", it.of("account", account)).into(),
            None => id.into(),
        })
    }

    /// A link: on X and Bluesky the first segments of its path may name an account, and its query may.
    pub(crate) fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        self.with(url, |_| {
            let after_scheme = url.find("://").map_or(0, |at| at + 3);
            let (head, rest) = url.split_at(after_scheme);
            let Some((host, path)) = rest.split_once('/') else { return url.into() };
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let name = host.to_ascii_lowercase();
            let name = ["www.", "mobile.", "m."].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(&name);
            let (pages, path) = match (name, path.strip_prefix("profile/")) {
                ("twitter.com" | "x.com", _) => ("", path),
                ("bsky.app", Some(path)) => ("profile/", path),
                _ => return url.into(),
            };
            let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
            let page = pages.is_empty() && PAGES.contains(&&*first.to_ascii_lowercase());
            let first = if page { first.into() } else { self.handle(first.trim_start_matches('@')) };
            format!("{head}{host}/{pages}{first}{rest}").into()
        })
    }

    /// A token of a text in which the source found these mentions.
    pub(crate) fn token<'a>(&self, token: &Token<'a>, mentions: &[Cow<'_, str>]) -> Cow<'a, str> {
        let word = token.text;
        self.with(word, |_| match token.kind {
            Kind::Mention => format!("@{}", self.handle(word.trim_start_matches(['@', '＠']))).into(),
            Kind::Url => self.url(word),
            _ => self.mentioning(word, mentions),
        })
    }

    /// A text with these tokens, in which the source found these mentions.
    pub(crate) fn text<'a>(
        &self,
        text: &'a str,
        tokens: &[Token<'a>],
        mentions: &[Cow<'_, str>],
    ) -> Cow<'a, str> {
        self.with(text, |_| {
            let mut out = String::with_capacity(text.len());
            let mut at = 0;
            for token in tokens {
                out.push_str(&text[at..token.start]);
                out.push_str(&self.token(token, &[]));
                at = token.end();
            }
            out.push_str(&text[at..]);
            self.mentioning(&out, mentions).into_owned().into()
        })
    }

    /// A text that may hold mentions of the source which are no tokens of their own.
    pub(crate) fn mentioning<'a>(&self, text: &'a str, mentions: &[Cow<'_, str>]) -> Cow<'a, str> {
        self.with(text, |_| {
            mentions.iter().filter(|_| text.contains('@')).fold(text.into(), |text: Cow<'a, str>, handle| {
                let sought = format!("@{}", handle.to_ascii_lowercase());
                let folded = text.to_ascii_lowercase();
                let goes_on =
                    |at: usize| folded[at..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                let found = folded.match_indices(&sought).map(|(at, _)| at);
                let found: Vec<usize> = found.filter(|at| !goes_on(at + sought.len())).collect();
                let mut out = text;
                for at in found.into_iter().rev() {
                    out.to_mut().replace_range(at + 1..at + sought.len(), &self.handle(handle));
                }
                out
            })
        })
    }

    fn with<'a>(&self, plain: &'a str, make: impl FnOnce(&Pseudonyms) -> Cow<'a, str>) -> Cow<'a, str> {
        match self {
            Self::Plain => plain.into(),
            Self::Pseudonyms(it) => make(it),
        }
    }
}

impl Pseudonyms {
    fn of(&self, kind: &str, name: &str) -> String {
        let mut mac = self.key.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use task::Secret;

    use super::Names;

    fn names() -> Names {
        Names::pseudonyms(Some(&Secret::new("a key of the tests, no more")), None).unwrap()
    }

    #[test]
    fn an_account_has_one_pseudonym_and_a_handle_one_in_any_case() {
        let names = names();
        assert_eq!(names.handle("Somebody"), names.handle("somebody"));
        assert_ne!(names.handle("12"), names.account("12"));
        assert_eq!(names.account("12").len(), 16);
        assert_eq!(names.key_id().unwrap().len(), 8);
        assert_eq!(Names::Plain.handle("Somebody"), "Somebody");
    }

    #[test]
    fn links_lose_the_account_that_they_name_and_no_more() {
        let names = names();
        let handle = names.handle("somebody").into_owned();
        for (url, expected) in [
            (
                "https://twitter.com/somebody/status/12?s=20",
                format!("https://twitter.com/{handle}/status/12"),
            ),
            ("https://www.X.com/@Somebody", format!("https://www.X.com/{handle}")),
            ("x.com/somebody/", format!("x.com/{handle}/")),
            (
                "https://bsky.app/profile/somebody/post/3k",
                format!("https://bsky.app/profile/{handle}/post/3k"),
            ),
            ("https://x.com/i/events/7?user=somebody", "https://x.com/i/events/7".into()),
            ("https://x.com", "https://x.com".into()),
            ("https://example.com/somebody?x=1", "https://example.com/somebody?x=1".into()),
        ] {
            assert_eq!(names.url(url), expected);
        }
    }

    #[test]
    fn the_author_in_an_id_of_bluesky_is_the_account() {
        let names = names();
        let account = names.account("did:plc:abc").into_owned();
        assert_eq!(
            names.tweet_id("at://did:plc:abc/app.bsky.feed.post/3k"),
            format!("at://{account}/app.bsky.feed.post/3k")
        );
        assert_eq!(names.tweet_id("1346889436626259968"), "1346889436626259968");
        assert_eq!(names.handle("did:plc:abc"), account);
    }

    #[test]
    fn a_mention_that_is_no_token_is_found_all_the_same() {
        let names = names();
        let (text, mentions) = ("as text:@Somebody says, @somebody", ["somebody".into(), "other".into()]);
        let mut tokens = Vec::new();
        text::tokenize(text, &mut tokens);
        let handle = names.handle("somebody");
        assert_eq!(names.text(text, &tokens, &mentions), format!("as text:@{handle} says, @{handle}"));
        assert_eq!(Names::Plain.text(text, &tokens, &mentions), text);
    }

    #[test]
    fn no_key_and_a_short_key_are_told() {
        for (key, why) in [(None, "there is no key"), (Some(Secret::new("short")), "shorter than 16")] {
            let failure = Names::pseudonyms(key.as_ref(), None).err().unwrap();
            assert_eq!(failure.exit.code(), 77);
            assert!(failure.message.contains(why) && failure.hint.is_some(), "{}", failure.message);
        }
    }
}

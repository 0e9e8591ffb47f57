//! What a tweet says: a string in, plain data out. No I/O, no clock, no randomness.
//!
//! - [`tokenize`] cuts the text into [`Token`]s, [`clean`](clean()) takes links and names off, [`key`] finds exact copies;
//! - [`language`](language()) is a cascade of the script, the platform's code, small words and two detectors;
//! - [`Music`] scores how much a tweet has to do with music, by a lexicon and a profile that are files;
//! - [`profane`] is a flag;
//! - [`evaluate`] measures all of these against labelled records.
//!
//! Texts are expected with their HTML entities [unescaped](unescape()).

mod chars;
mod clean;
mod emoticon;
pub mod evaluate;
mod fold;
mod function_words;
mod language;
mod music;
mod profanity;
mod script;
mod token;
mod words;

pub use chars::is_space;
pub use clean::{KEY_LETTERS, clean, key, key_of_clean, unescape};
pub use language::{Code, Language, LanguageSource, SHORT, language, normalise_language};
pub use music::{LexiconError, Music, MusicInput, Preset, Reason, Switches, Verdict};
pub use profanity::profane;
pub use token::{Kind, Options, Token, tokenize, tokenize_with};

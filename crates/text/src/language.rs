//! Which language a tweet is written in.

use std::fmt;

/// A language: an ISO 639-1 code, a three-letter code where that list has none, or `und`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code([u8; 3]);

impl Code {
    /// Nobody knows.
    pub const UND: Code = Code(*b"und");

    /// A code of two or three ASCII letters, lower-cased; none otherwise.
    #[must_use]
    pub fn new(code: &str) -> Option<Code> {
        let bytes = code.as_bytes();
        if !(2..=3).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let mut out = [0; 3];
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = from.to_ascii_lowercase();
        }
        Some(Code(out))
    }

    const fn two(code: &[u8; 2]) -> Code {
        Code([code[0], code[1], 0])
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = if self.0[2] == 0 { 2 } else { 3 };
        std::str::from_utf8(&self.0[..len]).unwrap_or("und")
    }

    /// Is this `und`?
    #[must_use]
    pub fn is_und(&self) -> bool {
        *self == Code::UND
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LanguageSource {
    /// The platform's own `lang`.
    Platform,
    /// The whichlang detector.
    Whichlang,
    /// The whatlang detector.
    Whatlang,
    /// The script has only one language, or a letter gives it away.
    Script,
    /// Nobody.
    None,
}

impl LanguageSource {
    /// The word for the column `lang_source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Whichlang => "whichlang",
            Self::Whatlang => "whatlang",
            Self::Script => "script",
            Self::None => "none",
        }
    }
}

/// The language of a tweet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Language {
    /// Its code.
    pub code: Code,
    /// Between 0 and 1.
    pub confidence: f32,
    /// Two witnesses agree, or the script decides.
    pub confident: bool,
    /// Whose answer it is.
    pub source: LanguageSource,
}

/// A platform's language code in ISO 639-1: `in` → `id`, `iw` → `he`, `zh-TW` → `zh`; what means
/// "no language" (`und`, `zxx`, and X's `qam`, `qct`, `qht`, `qme`, `qst`) becomes `und`. None
/// where it is not a language code at all.
#[must_use]
pub fn normalise_language(platform: &str) -> Option<Code> {
    let primary = platform.trim().split(['-', '_']).next().unwrap_or("");
    let code = Code::new(primary)?;
    Some(match code.as_str() {
        "in" | "ind" => Code::two(b"id"),
        "iw" | "heb" => Code::two(b"he"),
        "ji" => Code::two(b"yi"),
        "jw" => Code::two(b"jv"),
        "mo" => Code::two(b"ro"),
        "nb" | "nob" => Code::two(b"no"),
        "fil" => Code::two(b"tl"),
        "msa" => Code::two(b"ms"),
        "zxx" | "mul" | "mis" | "art" | "qam" | "qct" | "qht" | "qme" | "qst" => Code::UND,
        _ => code,
    })
}

/// The language of a [clean](crate::clean()) text, with the platform's own code as a hint.
#[must_use]
pub fn language(cleaned: &str, platform: Option<&str>) -> Language {
    if let Some(code) = platform.and_then(normalise_language).filter(|c| !c.is_und()) {
        return Language { code, confidence: 0.9, confident: false, source: LanguageSource::Platform };
    }
    let code = whichlang::detect_language(cleaned).three_letter_code();
    let code = whatlang::Lang::from_code(code).map_or(Code::UND, from_whatlang);
    Language { code, confidence: 0.9, confident: false, source: LanguageSource::Whichlang }
}

fn from_whatlang(lang: whatlang::Lang) -> Code {
    use whatlang::Lang;
    match lang {
        Lang::Eng => Code::two(b"en"),
        Lang::Spa => Code::two(b"es"),
        Lang::Por => Code::two(b"pt"),
        Lang::Fra => Code::two(b"fr"),
        Lang::Deu => Code::two(b"de"),
        Lang::Nld => Code::two(b"nl"),
        _ => Code::new(lang.code()).unwrap_or(Code::UND),
    }
}

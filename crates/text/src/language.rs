//! Which language a tweet is written in.

use crate::fold::is_caseless;
use crate::{function_words, script};
use std::cell::LazyCell;
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
    /// The text's small words.
    Words,
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
            Self::Words => "words",
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
///
/// 1. A script that only one language writes decides (kana, Hangul, Greek, Thai …), as do letters
///    that only one language of a script has (Ukrainian `ї`, Persian `پ`).
/// 2. Else there are witnesses: the platform, the text's small words (`the`, `und`, `het`) and
///    whichlang. Where two of them agree, that is the answer, and it is confident.
/// 3. Where they do not, whatlang is asked, with the languages in question and the commonest ones
///    to choose from: it is the slowest by far. The platform is overruled only where all three
///    others are against it and of one mind.
/// 4. A text of fewer than [`SHORT`] letters is confident only where its small words agree with
///    another witness, and `und` where no two witnesses agree and the platform is silent.
///
/// The confidence is about the share of right answers that each of these cases has on labelled
/// tweets in English, Dutch, French, German and Spanish.
#[must_use]
pub fn language(cleaned: &str, platform: Option<&str>) -> Language {
    let platform = platform.and_then(normalise_language).filter(|code| !code.is_und());
    let text = Plain::new(cleaned);
    if text.letters == 0 {
        return platform
            .map_or(Language::NOBODY, |code| Language::new(code, 0.3, false, LanguageSource::Platform));
    }
    if let Some(code) = script::decides(&text) {
        return Language::new(code, 0.99, true, LanguageSource::Script);
    }
    match platform {
        Some(code) => with_platform(&text, code),
        None => without_platform(&text),
    }
}

fn with_platform(text: &Plain, platform: Code) -> Language {
    let long = text.letters >= SHORT;
    let answer =
        |confidence, confident| Language::new(platform, confidence, confident, LanguageSource::Platform);
    let small = function_words::vote(&text.text);
    let agrees = small.is_some_and(|vote| vote.code == platform && vote.lead > 0.0);
    if agrees {
        return answer(if long { 0.97 } else { 0.9 }, true);
    }
    if !long {
        return answer(0.6, false);
    }
    let letters = from_whichlang(whichlang::detect_language(&text.text));
    if letters == platform {
        return answer(0.97, true);
    }
    let against = small.is_some_and(|vote| vote.code == letters);
    if !against && to_whatlang(platform).is_none() {
        // The arbiter cannot say what would matter.
        return answer(0.6, false);
    }
    let third = arbiter(&text.text, &[letters, platform]);
    if third == Some(platform) {
        return answer(0.95, true);
    }
    if third == Some(letters) && against {
        return Language::new(letters, 0.8, false, LanguageSource::Whichlang);
    }
    answer(0.6, false)
}

fn without_platform(text: &Plain) -> Language {
    let long = text.letters >= SHORT;
    let small = function_words::vote(&text.text);
    let sure = small.filter(|vote| vote.votes >= 0.9 && vote.lead >= 0.4).map(|vote| vote.code);
    let letters = from_whichlang(whichlang::detect_language(&text.text));
    let whichlang =
        |confidence, confident| Language::new(letters, confidence, confident, LanguageSource::Whichlang);
    if sure == Some(letters) {
        return whichlang(if long { 0.98 } else { 0.95 }, true);
    }
    // Asked where its answer matters, and there once.
    let third = LazyCell::new(|| {
        let mut candidates = vec![letters];
        candidates.extend(small.map(|vote| vote.code));
        arbiter(&text.text, &candidates)
    });
    match small {
        Some(vote) if vote.code != letters && vote.lead > 0.0 && *third == Some(vote.code) => {
            Language::new(vote.code, 0.7, false, LanguageSource::Whatlang)
        }
        _ if long && *third == Some(letters) => whichlang(0.95, true),
        Some(vote) if vote.lead >= 1.0 => Language::new(vote.code, 0.7, false, LanguageSource::Words),
        _ if long => whichlang(0.6, false),
        Some(vote) if sure.is_some() => Language::new(vote.code, 0.6, false, LanguageSource::Words),
        Some(vote) if vote.code == letters => whichlang(0.7, false),
        _ if text.letters >= TINY && *third == Some(letters) => whichlang(0.7, false),
        _ => Language::NOBODY,
    }
}

/// Under this many letters nobody is good.
pub const SHORT: usize = 20;
/// Under this many letters two detectors that agree do so by chance.
const TINY: usize = 5;

impl Language {
    const NOBODY: Language =
        Language { code: Code::UND, confidence: 0.0, confident: false, source: LanguageSource::None };

    fn new(code: Code, confidence: f32, confident: bool, source: LanguageSource) -> Self {
        Language { code, confidence, confident, source }
    }
}

/// The letters of a text: small, single spaces between words, emoji, digits and signs off, no
/// letter more than twice in a row.
pub(crate) struct Plain {
    pub(crate) text: String,
    pub(crate) letters: usize,
}

impl Plain {
    fn new(cleaned: &str) -> Self {
        if cleaned.is_ascii() { Self::of_ascii(cleaned) } else { Self::of_any(cleaned) }
    }

    fn of_any(cleaned: &str) -> Self {
        let mut text = String::with_capacity(cleaned.len() + 1);
        let mut letters = 0;
        let (mut last, mut before) = (' ', ' ');
        for c in cleaned.chars() {
            let c = match c {
                'a'..='z' => c,
                'A'..='Z' => c.to_ascii_lowercase(),
                '’' | '\'' if last != ' ' => '\'',
                '\0'..='\x7f' => ' ',
                _ if is_caseless(c) && crate::chars::is_letter(c) => c,
                _ if crate::chars::is_letter(c) => {
                    let mut lower = c.to_lowercase();
                    lower.next().filter(|_| lower.len() == 0).unwrap_or(c)
                }
                '\u{200c}' | '\u{200d}' if last != ' ' => continue,
                _ => ' ',
            };
            if c == ' ' {
                if last != ' ' {
                    text.push(' ');
                }
            } else if c == last && c == before {
                continue;
            } else {
                letters += usize::from(c != '\'');
                text.push(c);
            }
            before = last;
            last = c;
        }
        Plain { text, letters }
    }

    /// [`Plain::of_any`], byte by byte.
    fn of_ascii(cleaned: &str) -> Self {
        let mut text = String::with_capacity(cleaned.len() + 1);
        let mut letters = 0;
        let (mut last, mut before) = (b' ', b' ');
        for byte in cleaned.bytes() {
            let byte = match byte {
                b'a'..=b'z' | b'A'..=b'Z' => byte | 0x20,
                b'\'' if last != b' ' => byte,
                _ => b' ',
            };
            let again = byte == last && (byte == b' ' || byte == before);
            if !again {
                letters += usize::from(byte.is_ascii_lowercase());
                text.push(char::from(byte));
            } else if byte != b' ' {
                continue;
            }
            before = last;
            last = byte;
        }
        Plain { text, letters }
    }
}

/// whatlang, with the languages in question and the commonest ones of the web.
fn arbiter(text: &str, candidates: &[Code]) -> Option<Code> {
    use whatlang::Lang;
    let mut allowed = vec![Lang::Eng, Lang::Spa, Lang::Por, Lang::Fra, Lang::Deu, Lang::Ind];
    for code in candidates {
        if let Some(lang) = to_whatlang(*code)
            && !allowed.contains(&lang)
        {
            allowed.push(lang);
        }
    }
    whatlang::Detector::with_allowlist(allowed).detect_lang(text).map(from_whatlang)
}

/// ISO 639-1 codes of whatlang's languages.
const WHATLANG: [(&str, whatlang::Lang); 70] = {
    use whatlang::Lang;
    [
        ("eo", Lang::Epo),
        ("en", Lang::Eng),
        ("ru", Lang::Rus),
        ("zh", Lang::Cmn),
        ("es", Lang::Spa),
        ("pt", Lang::Por),
        ("it", Lang::Ita),
        ("bn", Lang::Ben),
        ("fr", Lang::Fra),
        ("de", Lang::Deu),
        ("uk", Lang::Ukr),
        ("ka", Lang::Kat),
        ("ar", Lang::Ara),
        ("hi", Lang::Hin),
        ("ja", Lang::Jpn),
        ("he", Lang::Heb),
        ("yi", Lang::Yid),
        ("pl", Lang::Pol),
        ("am", Lang::Amh),
        ("jv", Lang::Jav),
        ("ko", Lang::Kor),
        ("no", Lang::Nob),
        ("da", Lang::Dan),
        ("sv", Lang::Swe),
        ("fi", Lang::Fin),
        ("tr", Lang::Tur),
        ("nl", Lang::Nld),
        ("hu", Lang::Hun),
        ("cs", Lang::Ces),
        ("el", Lang::Ell),
        ("bg", Lang::Bul),
        ("be", Lang::Bel),
        ("mr", Lang::Mar),
        ("kn", Lang::Kan),
        ("ro", Lang::Ron),
        ("sl", Lang::Slv),
        ("hr", Lang::Hrv),
        ("sr", Lang::Srp),
        ("mk", Lang::Mkd),
        ("lt", Lang::Lit),
        ("lv", Lang::Lav),
        ("et", Lang::Est),
        ("ta", Lang::Tam),
        ("vi", Lang::Vie),
        ("ur", Lang::Urd),
        ("th", Lang::Tha),
        ("gu", Lang::Guj),
        ("uz", Lang::Uzb),
        ("pa", Lang::Pan),
        ("az", Lang::Aze),
        ("id", Lang::Ind),
        ("te", Lang::Tel),
        ("fa", Lang::Pes),
        ("ml", Lang::Mal),
        ("or", Lang::Ori),
        ("my", Lang::Mya),
        ("ne", Lang::Nep),
        ("si", Lang::Sin),
        ("km", Lang::Khm),
        ("tk", Lang::Tuk),
        ("ak", Lang::Aka),
        ("zu", Lang::Zul),
        ("sn", Lang::Sna),
        ("af", Lang::Afr),
        ("la", Lang::Lat),
        ("sk", Lang::Slk),
        ("ca", Lang::Cat),
        ("tl", Lang::Tgl),
        ("hy", Lang::Hye),
        ("cy", Lang::Cym),
    ]
};

fn to_whatlang(code: Code) -> Option<whatlang::Lang> {
    WHATLANG.iter().find(|(iso, _)| *iso == code.as_str()).map(|(_, lang)| *lang)
}

fn from_whatlang(lang: whatlang::Lang) -> Code {
    WHATLANG.iter().find(|(_, known)| *known == lang).and_then(|(iso, _)| Code::new(iso)).unwrap_or(Code::UND)
}

fn from_whichlang(lang: whichlang::Lang) -> Code {
    use whichlang::Lang;
    Code::two(match lang {
        Lang::Ara => b"ar",
        Lang::Cmn => b"zh",
        Lang::Deu => b"de",
        Lang::Eng => b"en",
        Lang::Fra => b"fr",
        Lang::Hin => b"hi",
        Lang::Ita => b"it",
        Lang::Jpn => b"ja",
        Lang::Kor => b"ko",
        Lang::Nld => b"nl",
        Lang::Por => b"pt",
        Lang::Rus => b"ru",
        Lang::Spa => b"es",
        Lang::Swe => b"sv",
        Lang::Tur => b"tr",
        Lang::Vie => b"vi",
    })
}

#[cfg(test)]
mod tests {
    use super::Plain;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_read_as_characters_are(text in "([a-zA-Z]{0,3}|['. ]{0,3}|a{3,5}|[ -~\t\n])*") {
            let (bytes, chars) = (Plain::of_ascii(&text), Plain::of_any(&text));
            prop_assert_eq!((bytes.text, bytes.letters), (chars.text, chars.letters));
        }
    }
}

//! One pass over a tweet that names its parts: links, @mentions, #hashtags, $cashtags, emoticons,
//! emoji, numbers, words and runs of punctuation.
//!
//! The conventions are those of the CMU ARK corpus: runs of `.?!,…` stay together, as do
//! hyphenated words, contractions, times, `w/` and abbreviations with inner dots. Words of scripts
//! that write no spaces are cut at the word bounds of Unicode (UAX #29).

use crate::chars;
use crate::emoticon;
use unicode_segmentation::UnicodeSegmentation;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A word, with its apostrophes and hyphens; also abbreviations and e-mail addresses.
    Word,
    /// Digits, with the signs that belong to them: `3.5`, `10:30`, `1,000`, `24/7`, `50%`, `$20`.
    Number,
    /// A link, with or without its scheme.
    Url,
    /// An account: `@name`, or a domain handle such as `@name.bsky.social`.
    Mention,
    /// `#word`.
    Hashtag,
    /// `$WORD`.
    Cashtag,
    /// A face or heart made of punctuation.
    Emoticon,
    /// One emoji, with its joiners, skin tones and flags.
    Emoji,
    /// Everything else that is not white space.
    Punctuation,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The token as it stands in the text.
    pub text: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Where it starts, in bytes.
    pub start: usize,
}

impl Token<'_> {
    /// Where it ends, in bytes.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// How to cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Cut `don't` into `do` and `n't`, `I'm` into `I` and `'m`.
    pub split_contractions: bool,
}

/// Tokens of `text`, in order, without overlap; every character that is not
/// [space](crate::is_space) is in one of them. `out` is emptied first.
pub fn tokenize<'a>(text: &'a str, out: &mut Vec<Token<'a>>) {
    tokenize_with(text, Options::default(), out);
}

/// [`tokenize`] with [`Options`].
pub fn tokenize_with<'a>(text: &'a str, options: Options, out: &mut Vec<Token<'a>>) {
    out.clear();
    let mut scanner = Scanner { text, bytes: text.as_bytes(), out, options };
    let mut at = 0;
    while at < text.len() {
        at = scanner.step(at);
    }
}

/// No domain name is longer; so a text of dots is not read again and again.
const DOMAIN: usize = 255;

struct Scanner<'a, 'o> {
    text: &'a str,
    bytes: &'a [u8],
    out: &'o mut Vec<Token<'a>>,
    options: Options,
}

impl<'a> Scanner<'a, '_> {
    /// Handles what stands at `at` and says where to go on.
    fn step(&mut self, at: usize) -> usize {
        let byte = self.bytes[at];
        match byte {
            0..=b' ' | 0x7f => at + 1,
            b'a'..=b'z' | b'A'..=b'Z' => self.word(at),
            b'0'..=b'9' => self.number(at),
            b'@' => self.mention(at, 1),
            b'#' => self.hashtag(at, 1),
            b'$' => self.dollar(at),
            b'&' => self.ampersand(at),
            0x80.. => self.beyond_ascii(at),
            _ => self.sign(at),
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind) -> usize {
        self.out.push(Token { text: &self.text[start..end], kind, start });
        end
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b' ')
    }

    fn char_at(&self, at: usize) -> Option<char> {
        let byte = *self.bytes.get(at)?;
        if byte < 0x80 {
            return Some(byte as char);
        }
        self.text[at..].chars().next()
    }

    fn char_before(&self, at: usize) -> Option<char> {
        self.text[..at].chars().next_back()
    }

    /// End of the letters, digits and underscores from `at`, in scripts that write spaces.
    fn letters(&self, mut at: usize) -> usize {
        loop {
            let byte = self.byte(at);
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                at += 1;
            } else if byte < 0x80 {
                return at;
            } else {
                match self.char_at(at) {
                    Some(c) if chars::is_spaced_letter(c) => at += c.len_utf8(),
                    Some(c @ ('\u{200c}' | '\u{200d}')) if self.spaced_letter_at(at + 3) => {
                        at += c.len_utf8();
                    }
                    _ => return at,
                }
            }
        }
    }

    fn spaced_letter_at(&self, at: usize) -> bool {
        self.char_at(at).is_some_and(|c| c.is_ascii_alphanumeric() || chars::is_spaced_letter(c))
    }

    fn apostrophe_at(&self, at: usize) -> Option<usize> {
        match self.byte(at) {
            b'\'' => Some(1),
            0xe2 if self.text[at..].starts_with('’') => Some('’'.len_utf8()),
            _ => None,
        }
    }

    fn word(&mut self, start: usize) -> usize {
        if matches!(self.bytes[start] | 0x20, b'h' | b'w' | b'f')
            && let Some(end) = self.link(start)
        {
            return self.push(start, end, Kind::Url);
        }
        if let Some(end) = emoticon::starting_with_letter(self.text, start) {
            return self.push(start, end, Kind::Emoticon);
        }
        let mut end = self.letters(start);
        loop {
            if let Some(width) = self.apostrophe_at(end)
                && self.spaced_letter_at(end + width)
            {
                end = self.letters(end + width);
                continue;
            }
            match self.byte(end) {
                b'-' if self.spaced_letter_at(end + 1) => {
                    end = self.letters(end + 1);
                }
                b'.' if self.spaced_letter_at(end + 1) => {
                    if let Some(end) = self.domain(start, end) {
                        return self.push(start, end, Kind::Url);
                    }
                    match self.abbreviation(start) {
                        Some(stop) if stop > end => end = stop,
                        _ => break,
                    }
                    break;
                }
                b'.' => {
                    if chars::is_abbreviation(&self.text[start..end]) {
                        end += 1;
                    }
                    break;
                }
                b'@' => {
                    if let Some(stop) = self.mail(end) {
                        return self.push(start, stop, Kind::Word);
                    }
                    break;
                }
                b'/' if self.byte(end + 1).is_ascii_alphabetic() => {
                    // b/c, and/or
                    end = self.letters(end + 1);
                }
                b'/' => {
                    // w/
                    if self.text[start..end].eq_ignore_ascii_case("w") {
                        end += 1;
                    }
                    break;
                }
                b'&' => {
                    // R&B, Q&A
                    if end - start == 1 && self.byte(end + 1).is_ascii_alphabetic() {
                        let stop = self.letters(end + 1);
                        if stop == end + 2 {
                            end = stop;
                        }
                    }
                    break;
                }
                b'*' if self.byte(end + 1) == b'*' || self.byte(end + 1).is_ascii_alphabetic() => {
                    // masked swear words: f**k, s***
                    let mut stop = end;
                    while self.byte(stop) == b'*' {
                        stop += 1;
                    }
                    if end - start <= 3 && self.byte(stop).is_ascii_alphabetic() {
                        end = self.letters(stop);
                        continue;
                    }
                    break;
                }
                _ => break,
            }
        }
        self.push_word(start, end)
    }

    fn push_word(&mut self, start: usize, end: usize) -> usize {
        if self.options.split_contractions
            && let Some(cut) = contraction(&self.text[start..end])
        {
            self.push(start, start + cut, Kind::Word);
            return self.push(start + cut, end, Kind::Word);
        }
        self.push(start, end, Kind::Word)
    }

    /// `U.S.`, `a.m.`, `p.s`: single letters with dots between.
    fn abbreviation(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut letters = 0;
        while self.byte(at).is_ascii_alphabetic() && self.byte(at + 1) == b'.' {
            at += 2;
            letters += 1;
        }
        if letters >= 1 && self.byte(at).is_ascii_alphabetic() {
            let stop = self.letters(at);
            if stop == at + 1 {
                return Some(stop);
            }
            return None;
        }
        (letters >= 2).then_some(at)
    }

    /// The rest of an e-mail address whose `@` stands at `at`.
    fn mail(&self, at: usize) -> Option<usize> {
        let mut end = at + 1;
        let mut last_dot = None;
        loop {
            match self.byte(end) {
                _ if end - at > DOMAIN => return None,
                b if b.is_ascii_alphanumeric() || b == b'-' || b == b'_' => end += 1,
                b'.' if self.byte(end + 1).is_ascii_alphanumeric() => {
                    last_dot = Some(end);
                    end += 1;
                }
                _ => break,
            }
        }
        let dot = last_dot?;
        (dot > at + 1 && end - dot > 2).then_some(end)
    }

    /// A link with a scheme, or `www.`.
    fn link(&self, start: usize) -> Option<usize> {
        const SCHEMES: [&str; 4] = ["https://", "http://", "www.", "ftp://"];
        let rest = &self.bytes[start..];
        let scheme = SCHEMES.iter().find(|scheme| {
            rest.len() >= scheme.len() && rest[..scheme.len()].eq_ignore_ascii_case(scheme.as_bytes())
        })?;
        if *scheme == "www." && !self.byte(start + 4).is_ascii_alphanumeric() {
            return None;
        }
        Some(self.link_end(start, start + scheme.len()))
    }

    /// Where a link ends whose body starts at `body`: at white space, quotes or a character of a
    /// script that writes no spaces; punctuation at its end belongs to the sentence.
    fn link_end(&self, start: usize, body: usize) -> usize {
        let mut end = body;
        while end < self.bytes.len() {
            let byte = self.bytes[end];
            if byte < 0x80 {
                if byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | 0x7f) {
                    break;
                }
                end += 1;
            } else {
                match self.char_at(end) {
                    Some(c) if chars::is_spaced_letter(c) => end += c.len_utf8(),
                    _ => break,
                }
            }
        }
        // brackets that close nothing may go; those that close one of the link's own stay
        let count = |byte| self.bytes[start..end].iter().filter(|b| **b == byte).count();
        let mut round = count(b')').saturating_sub(count(b'('));
        let mut square = count(b']').saturating_sub(count(b'['));
        while end > body {
            match self.bytes[end - 1] {
                b'.' | b',' | b'!' | b'?' | b';' | b':' | b'\'' | b'*' | b'|' | b'~' | b'}' => {}
                b')' if round > 0 => round -= 1,
                b']' if square > 0 => square -= 1,
                _ => break,
            }
            end -= 1;
        }
        end
    }

    /// A link without a scheme, whose first dot stands at `dot`: `bit.ly/x`, `example.com`.
    fn domain(&self, start: usize, dot: usize) -> Option<usize> {
        if !self.bytes[start..dot].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            return None;
        }
        let mut end = dot;
        let mut last = dot;
        while self.byte(end) == b'.' && self.byte(end + 1).is_ascii_alphanumeric() && end - start <= DOMAIN {
            last = end + 1;
            end += 1;
            while self.byte(end).is_ascii_alphanumeric() || self.byte(end) == b'-' {
                end += 1;
            }
        }
        let top = &self.text[last..end];
        let path = self.byte(end) == b'/' && self.byte(end + 1).is_ascii_alphanumeric();
        if path && chars::is_top_domain(top) {
            return Some(self.link_end(start, end));
        }
        (chars::is_generic_domain(top) && !self.spaced_letter_at(end)).then_some(end)
    }

    fn number(&mut self, start: usize) -> usize {
        if let Some(end) = emoticon::starting_with_letter(self.text, start) {
            return self.push(start, end, Kind::Emoticon);
        }
        let mut end = start;
        let mut pure = true;
        loop {
            let byte = self.byte(end);
            let inner =
                matches!(byte, b'.' | b',' | b':' | b'/' | b'-') && self.byte(end + 1).is_ascii_digit();
            if byte.is_ascii_digit() || inner {
                end += 1;
            } else if pure && byte.is_ascii_alphabetic() && self.bytes[start..end].contains(&b':') {
                // 8:30 am, written together
                break;
            } else if byte.is_ascii_alphabetic()
                || byte == b'_'
                || (byte >= 0x80 && self.spaced_letter_at(end))
            {
                pure = false;
                end = self.letters(end);
            } else if let Some(width) = self.apostrophe_at(end)
                && self.spaced_letter_at(end + width)
            {
                pure = false;
                end = self.letters(end + width);
            } else if byte == b'-' && self.byte(end + 1).is_ascii_alphabetic() {
                pure = false;
                end = self.letters(end + 1);
            } else {
                break;
            }
        }
        let rest = self.text[end..].trim_start_matches('\u{fe0f}');
        if rest.starts_with('\u{20e3}') && self.bytes[end - 1].is_ascii_digit() {
            // keycaps: the last digit and its frame
            if end - 1 > start {
                self.push(start, end - 1, Kind::Number);
            }
            return self.emoji(end - 1);
        }
        if self.byte(end) == b'.' && !pure {
            if let Some(stop) = self.domain(start, end) {
                return self.push(start, stop, Kind::Url);
            }
            // 10a.m.
            if self.byte(end + 1).is_ascii_alphabetic()
                && let Some(stop) = self.abbreviation(end - 1)
            {
                end = stop;
            }
        }
        if self.byte(end) == b'@'
            && !pure
            && let Some(stop) = self.mail(end)
        {
            return self.push(start, stop, Kind::Word);
        }
        if pure && self.byte(end) == b'%' {
            end += 1;
        }
        self.push(start, end, if pure { Kind::Number } else { Kind::Word })
    }

    fn mention(&mut self, start: usize, width: usize) -> usize {
        let mut end = start + width;
        while self.byte(end).is_ascii_alphanumeric() || self.byte(end) == b'_' {
            end += 1;
        }
        if end == start + width {
            return self.sign(start);
        }
        if self.byte(end) == b'.' || self.byte(end) == b'-' {
            let mut stop = end;
            let mut last = end;
            loop {
                match self.byte(stop) {
                    _ if stop - start > DOMAIN => break,
                    b if b.is_ascii_alphanumeric() || b == b'-' => stop += 1,
                    b'.' if self.byte(stop + 1).is_ascii_alphanumeric() => {
                        stop += 1;
                        last = stop;
                    }
                    _ => break,
                }
            }
            if chars::is_top_domain(&self.text[last..stop]) {
                end = stop;
            }
        }
        self.push(start, end, Kind::Mention)
    }

    fn hashtag(&mut self, start: usize, width: usize) -> usize {
        let mut end = start + width;
        let mut letters = false;
        while let Some(c) = self.char_at(end) {
            if chars::is_tag_char(c) {
                letters |= !c.is_ascii_digit();
                end += c.len_utf8();
            } else {
                break;
            }
        }
        if end == start + width {
            return self.sign(start);
        }
        self.push(start, end, if letters { Kind::Hashtag } else { Kind::Number })
    }

    fn dollar(&mut self, start: usize) -> usize {
        if self.byte(start + 1).is_ascii_digit() {
            return self.amount(start, 1);
        }
        let mut end = start + 1;
        while self.byte(end).is_ascii_alphabetic() {
            end += 1;
        }
        let name = end - start - 1;
        if (1..=6).contains(&name) && !self.byte(end).is_ascii_alphanumeric() && self.byte(end) != b'_' {
            if self.byte(end) == b'.'
                && self.byte(end + 1).is_ascii_alphabetic()
                && !self.byte(end + 2).is_ascii_alphanumeric()
            {
                end += 2;
            }
            return self.push(start, end, Kind::Cashtag);
        }
        self.sign(start)
    }

    /// A currency sign of `width` bytes and the number after it.
    fn amount(&mut self, start: usize, width: usize) -> usize {
        let mut end = start + width;
        while self.byte(end).is_ascii_alphanumeric()
            || (matches!(self.byte(end), b'.' | b',') && self.byte(end + 1).is_ascii_digit())
        {
            end += 1;
        }
        self.push(start, end, Kind::Number)
    }

    /// `&`, or an HTML entity that nobody unescaped.
    fn ampersand(&mut self, start: usize) -> usize {
        const ENTITIES: [&str; 6] = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&nbsp;"];
        let rest = &self.text[start..];
        let width = ENTITIES.iter().find(|e| rest.starts_with(**e)).map_or(1, |e| e.len());
        self.push(start, start + width, Kind::Punctuation)
    }

    /// ASCII punctuation: an emoticon, or a run of its family.
    fn sign(&mut self, start: usize) -> usize {
        if let Some(end) = emoticon::at(self.text, start) {
            return self.push(start, end, Kind::Emoticon);
        }
        let byte = self.bytes[start];
        if byte >= 0x80 {
            let width = self.char_at(start).map_or(1, char::len_utf8);
            return self.push(start, start + width, Kind::Punctuation);
        }
        if matches!(byte, b'#' | b'*') && (self.text[start + 1..].starts_with("\u{fe0f}\u{20e3}")) {
            return self.emoji(start);
        }
        if byte == b'\''
            && self.byte(start + 1).is_ascii_alphanumeric()
            && !self.char_before(start).is_some_and(char::is_alphanumeric)
        {
            // 'cause, 'em, '90s: the apostrophe of a cut word
            let end = self.letters(start + 1);
            if chars::is_cut_word(&self.text[start + 1..end]) {
                return self.push_word(start, end);
            }
        }
        let mut end = start + 1;
        match byte {
            b'.' | b'?' | b'!' | b',' => end = self.stops(start),
            b'\'' | b'"' => {
                end = self.run(start, |c| c == byte as char);
                if matches!(self.byte(end), b'.' | b',') {
                    end = self.stops(end);
                }
            }
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b':' | b';' => {
                end = self.run(start, |c| c == byte as char);
            }
            b'-' | b'<' | b'>' | b'=' | b'~' | b'*' | b'_' | b'|' | b'/' | b'\\' | b'^' | b'+' | b'$'
            | b'#' | b'%' | b'@' => {
                end = self.run(start, |c| c == byte as char);
                if byte == b'-' && self.byte(end) == b'>' || byte == b'=' && self.byte(end) == b'>' {
                    end += 1;
                } else if byte == b'<' && self.byte(end) == b'-' {
                    end = self.run(end, |c| c == '-');
                }
            }
            _ => {}
        }
        self.push(start, end, Kind::Punctuation)
    }

    /// End of a run of sentence signs, with the quote that closes or the colon that follows.
    fn stops(&self, start: usize) -> usize {
        let end = self.run(start, |c| matches!(c, '.' | '?' | '!' | ',' | '…'));
        match self.byte(end) {
            b'"' | b'\'' | b':' => self.run(end, |c| c == self.bytes[end] as char),
            _ => end,
        }
    }

    fn run(&self, start: usize, member: impl Fn(char) -> bool) -> usize {
        let mut end = start;
        while let Some(c) = self.char_at(end)
            && member(c)
        {
            end += c.len_utf8();
        }
        end
    }

    fn beyond_ascii(&mut self, start: usize) -> usize {
        let Some(c) = self.char_at(start) else {
            return self.bytes.len();
        };
        let width = c.len_utf8();
        if chars::is_spaced_letter(c) {
            return self.word(start);
        }
        if chars::is_space(c) {
            return start + width;
        }
        match c {
            '＃' => return self.hashtag(start, width),
            '＠' => return self.mention(start, width),
            '£' | '€' | '¥' if self.byte(start + width).is_ascii_digit() => {
                return self.amount(start, width);
            }
            '…' => {
                let end = self.stops(start);
                return self.push(start, end, Kind::Punctuation);
            }
            '’' | '‘' if self.byte(start + width).is_ascii_alphanumeric() => {
                let end = self.letters(start + width);
                if chars::is_cut_word(&self.text[start + width..end]) {
                    return self.push_word(start, end);
                }
            }
            _ => {}
        }
        if chars::is_emoji(c) {
            return self.emoji(start);
        }
        if chars::is_letter(c) {
            let end =
                self.run(start, |c| !c.is_ascii() && chars::is_letter(c) && !chars::is_spaced_letter(c));
            for (offset, piece) in self.text[start..end].split_word_bound_indices() {
                self.push(start + offset, start + offset + piece.len(), Kind::Word);
            }
            return end;
        }
        let end = self.run(start, |d| d == c);
        self.push(start, end, Kind::Punctuation)
    }

    /// One emoji: the grapheme cluster at `start`.
    fn emoji(&mut self, start: usize) -> usize {
        let width = self.text[start..].graphemes(true).next().map_or(1, str::len);
        self.push(start, start + width, Kind::Emoji)
    }
}

/// Where a contraction is cut, in bytes.
fn contraction(word: &str) -> Option<usize> {
    let at = word.rfind(['\'', '’'])?;
    let width = if word.as_bytes()[at] == b'\'' { 1 } else { '’'.len_utf8() };
    let tail = word[at + width..].to_ascii_lowercase();
    match tail.as_str() {
        "t" => {
            let n = word[..at].chars().next_back().filter(|c| matches!(c, 'n' | 'N'))?;
            let cut = at - n.len_utf8();
            (cut > 0).then_some(cut)
        }
        "s" | "m" | "re" | "ve" | "ll" | "d" => (at > 0).then_some(at),
        _ => None,
    }
}

//! Looks the terms of a lexicon up in the tokens of a tweet.

use super::lexicon::{Lexicon, Term, TermKind};
use super::window::{Classes, Cue, Mark, Window};
use super::{LexiconError, MusicInput};
use crate::chars;
use crate::fold::{Map, fold, folded};
use crate::language::Code;
use crate::token::{Kind, Token, tokenize};
use crate::words::{Short, Table};
use aho_corasick::{AhoCorasick, MatchKind};

/// A word that some term or window knows.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    /// Its number in sequences.
    id: u32,
    /// Node of the sequences that begin with it; 0: none.
    node: u32,
    classes: Classes,
}

#[derive(Debug, Default)]
struct Node {
    /// Terms that end here.
    terms: Vec<u32>,
    classes: Classes,
    deeper: bool,
}

/// All terms, in tables by the way they are looked up.
#[derive(Debug)]
pub(crate) struct Matcher {
    pub(crate) terms: Vec<Term>,
    words: Table<Word>,
    nodes: Vec<Node>,
    steps: Map<(u32, u32), u32>,
    /// Stems, by their first two characters.
    stems: Map<Box<str>, Vec<(Box<str>, u32)>>,
    /// Is one of the stems in ASCII? If not, most words need no look.
    ascii_stems: bool,
    tags: Map<Box<str>, Vec<u32>>,
    emoji: Map<Box<str>, Vec<u32>>,
    domains: Table<u32>,
    handles: Table<(u32, Classes)>,
    annotations: Map<Box<str>, u32>,
    parts: Option<AhoCorasick>,
    part_terms: Vec<u32>,
    tagparts: Option<AhoCorasick>,
    tagpart_terms: Vec<u32>,
    windows: Vec<Window>,
    number: Classes,
    own: Classes,
}

/// Names of the classes that windows use, and their bits.
#[derive(Default)]
struct ClassNames {
    bits: Map<String, u32>,
}

impl ClassNames {
    fn bit(&mut self, name: &str) -> Result<Classes, String> {
        let next = u32::try_from(self.bits.len()).unwrap_or(u32::MAX);
        let bit = *self.bits.entry(name.to_owned()).or_insert(next);
        1u128.checked_shl(bit).ok_or_else(|| "more than 128 classes and alternatives in windows".to_owned())
    }
}

impl Matcher {
    pub(crate) fn new(lexicons: Vec<Lexicon>) -> Result<Self, LexiconError> {
        let mut names = ClassNames::default();
        let fixed = |names: &mut ClassNames, name| names.bit(name).unwrap_or(0);
        let artist = fixed(&mut names, "artist");
        let own = fixed(&mut names, "name");
        let title = fixed(&mut names, "title");
        let number = fixed(&mut names, "number");
        let mut matcher = Matcher {
            terms: Vec::new(),
            words: Table::default(),
            nodes: vec![Node::default()],
            steps: Map::default(),
            stems: Map::default(),
            ascii_stems: false,
            tags: Map::default(),
            emoji: Map::default(),
            domains: Table::default(),
            handles: Table::default(),
            annotations: Map::default(),
            parts: None,
            part_terms: Vec::new(),
            tagparts: None,
            tagpart_terms: Vec::new(),
            windows: Vec::new(),
            number,
            own,
        };
        let mut files = Vec::new();
        for lexicon in lexicons {
            for mut term in lexicon.terms {
                if !matches!(term.kind, TermKind::Class | TermKind::Window) {
                    term.text = folded(&term.text);
                }
                files.push((lexicon.name.clone(), term));
            }
        }
        // the last line of a kind and term stands
        let identity = |term: &Term| (term.kind as u8, term.text.clone(), term.languages.clone());
        let mut last: Map<_, usize> = Map::default();
        for (index, (_, term)) in files.iter().enumerate() {
            if term.kind != TermKind::Class {
                last.insert(identity(term), index);
            }
        }
        let mut windows = Vec::new();
        let mut parts = Vec::new();
        let mut tagparts = Vec::new();
        for (index, (file, term)) in files.into_iter().enumerate() {
            if term.kind != TermKind::Class && last.get(&identity(&term)) != Some(&index) {
                continue;
            }
            let line = term.line;
            let number = u32::try_from(matcher.terms.len()).unwrap_or(u32::MAX);
            let key: Box<str> = term.text.as_str().into();
            let fail = |why: String| LexiconError { file: file.clone(), line, why };
            match term.kind {
                TermKind::Word => matcher.sequence(&key, number, 0),
                TermKind::Artist | TermKind::Name | TermKind::Title
                    if key.starts_with(chars::is_unspaced) =>
                {
                    parts.push(term.text.clone());
                    matcher.part_terms.push(number);
                }
                TermKind::Artist => matcher.sequence(&key, number, artist),
                TermKind::Name => matcher.sequence(&key, number, own | artist),
                TermKind::Title => matcher.sequence(&key, number, title),
                TermKind::Stem => {
                    matcher.ascii_stems |= key.is_ascii();
                    let head: String = key.chars().take(2).collect();
                    matcher.stems.entry(head.into()).or_default().push((key, number));
                }
                TermKind::Part => {
                    parts.push(term.text.clone());
                    matcher.part_terms.push(number);
                }
                TermKind::TagPart => {
                    tagparts.push(term.text.clone());
                    matcher.tagpart_terms.push(number);
                }
                TermKind::Tag => {
                    matcher.tags.entry(key).or_default().push(number);
                }
                TermKind::Emoji => {
                    matcher.emoji.entry(key).or_default().push(number);
                }
                TermKind::Domain => {
                    *matcher.domains.entry(key.as_bytes(), 0) = number;
                }
                TermKind::Annotation => {
                    matcher.annotations.insert(key, number);
                }
                TermKind::Handle => {
                    *matcher.handles.entry(key.as_bytes(), Default::default()) = (number, artist);
                }
                TermKind::Class => {
                    let (name, list) = term
                        .text
                        .split_once(':')
                        .ok_or_else(|| fail("a class is written `NAME: word word`".into()))?;
                    let bit = names.bit(name.trim()).map_err(fail)?;
                    for word in list.split_whitespace() {
                        matcher.word(&folded(word)).classes |= bit;
                    }
                    continue;
                }
                TermKind::Window => windows.push((file, line, number, term.text.clone())),
            }
            matcher.terms.push(term);
        }
        for (file, line, term, text) in windows {
            let cues = matcher.cues(&text, &mut names).map_err(|why| LexiconError { file, line, why })?;
            matcher.windows.push(Window { cues, term });
        }
        matcher.parts = automaton(&parts)?;
        matcher.tagparts = automaton(&tagparts)?;
        Ok(matcher)
    }

    fn word(&mut self, word: &str) -> &mut Word {
        let id = u32::try_from(self.words.len()).unwrap_or(u32::MAX) + 1;
        self.words.entry(word.as_bytes(), Word { id, ..Word::default() })
    }

    /// Enters a term that is a sequence of tokens.
    fn sequence(&mut self, text: &str, term: u32, classes: Classes) {
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        let mut node = 0;
        for token in tokens {
            let word = *self.word(token.text);
            let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let next = if node == 0 {
                let slot = self.word(token.text);
                if slot.node == 0 {
                    slot.node = fresh;
                }
                slot.node
            } else {
                self.nodes[node as usize].deeper = true;
                *self.steps.entry((node, word.id)).or_insert(fresh)
            };
            if next == fresh {
                self.nodes.push(Node::default());
            }
            node = next;
        }
        let end = &mut self.nodes[node as usize];
        end.terms.push(term);
        end.classes |= classes;
    }

    fn cues(&mut self, text: &str, names: &mut ClassNames) -> Result<Vec<Cue>, String> {
        let mut cues = Vec::new();
        for cue in text.split_whitespace() {
            if let Some(width) = cue.strip_prefix('*') {
                let width = if width.is_empty() { Ok(3) } else { width.parse() };
                cues.push(Cue::Gap(width.map_err(|_| format!("`{cue}` is not a gap"))?));
                continue;
            }
            let mut classes = 0;
            for choice in cue.split('|') {
                if let Some(name) = choice.strip_prefix('{').and_then(|c| c.strip_suffix('}')) {
                    if !names.bits.contains_key(name) {
                        return Err(format!("no class is named `{name}`"));
                    }
                    classes |= names.bit(name)?;
                } else {
                    classes |= names.bit(&format!("|{cue}"))?;
                    let bit = names.bit(&format!("|{cue}"))?;
                    self.word(&folded(choice)).classes |= bit;
                }
            }
            cues.push(Cue::Any(classes));
        }
        if !cues.iter().any(|cue| matches!(cue, Cue::Any(_))) {
            return Err("a window needs a cue".into());
        }
        Ok(cues)
    }

    /// Numbers of the terms that match; some may come twice.
    pub(crate) fn find(&self, input: &MusicInput) -> Vec<u32> {
        let mut found = Vec::new();
        let mut marks = Vec::with_capacity(input.tokens.len());
        let mut words = Vec::with_capacity(input.tokens.len());
        let mut buffer = String::with_capacity(64);
        let mut unspaced = false;
        let mut all: Classes = 0;
        for token in input.tokens {
            let mut mark = Mark::default();
            let mut word = Word::default();
            buffer.clear();
            match token.kind {
                Kind::Word | Kind::Number | Kind::Punctuation | Kind::Emoticon => {
                    let short = Short::of(token.text.as_bytes()).filter(|short| short.is_ascii());
                    word = match short {
                        Some(short) => self.look_up_short(short.small(), token.text, &mut buffer),
                        None => self.look_up(token.text, &mut buffer),
                    };
                    mark.word = word.classes;
                    if token.kind == Kind::Word {
                        let ascii = short.is_some() || token.text.is_ascii();
                        if word.node == 0 && (self.ascii_stems || !ascii) {
                            if buffer.is_empty() {
                                fold(token.text, &mut buffer);
                            }
                            self.stem(&buffer, &mut found);
                        }
                        unspaced |= !ascii && token.text.chars().next().is_some_and(chars::is_unspaced);
                    } else if token.kind == Kind::Number {
                        mark.word |= self.number;
                    } else if token.kind == Kind::Punctuation {
                        mark.stop = matches!(token.text.as_bytes()[0], b'.' | b'!' | b'?')
                            || token.text.starts_with('…');
                    }
                }
                Kind::Emoji => {
                    fold(token.text, &mut buffer);
                    if let Some(terms) = self.emoji.get(buffer.as_str()) {
                        found.extend(self.nearest(terms.iter().copied(), input.lang));
                    }
                }
                Kind::Mention => {
                    fold(token.text.trim_start_matches(['@', '＠']), &mut buffer);
                    if let Some((term, classes)) = self.handles.get(buffer.as_bytes()) {
                        found.push(term);
                        mark.word |= classes;
                    }
                    // an account that is called like the searched artist
                    let known = self.words.get(buffer.as_bytes()).unwrap_or_default();
                    let classes = self.nodes[known.node as usize].classes;
                    if classes & self.own != 0 {
                        mark.word |= classes;
                    }
                }
                Kind::Hashtag => {
                    fold(token.text.trim_start_matches(['#', '＃']), &mut buffer);
                    mark.word |= self.hashtag(token, &buffer, input.lang, &mut found);
                    unspaced |= !token.text.is_ascii();
                }
                Kind::Url => self.link(token.text, &mut found),
                Kind::Cashtag => {}
            }
            all |= mark.word;
            marks.push(mark);
            words.push(word);
        }
        all |= self.sequences(&words, &mut marks, input.lang, &mut found);
        for url in input.urls {
            self.link(url, &mut found);
        }
        for annotation in input.annotations {
            self.annotation(annotation, &mut found);
        }
        if unspaced && let Some(parts) = &self.parts {
            self.parts(parts, input.tokens, &mut found);
        }
        if all != 0 {
            found.extend(self.windows.iter().filter(|w| w.matches(&marks, all)).map(|w| w.term));
        }
        found.retain(|&term| self.speaks(term, input.lang));
        found
    }

    /// Is the term of this language, or of all?
    fn speaks(&self, term: u32, lang: Code) -> bool {
        let languages = &self.terms[term as usize].languages;
        languages.is_empty() || lang.is_und() || languages.contains(&lang)
    }

    /// Of the same term in several languages the one of this language, else the one of all.
    fn nearest(&self, terms: impl Iterator<Item = u32>, lang: Code) -> Option<u32> {
        let general = |term: u32| self.terms[term as usize].languages.is_empty();
        let mut spoken = terms.filter(|term| self.speaks(*term, lang));
        let first = spoken.next()?;
        if general(first) == lang.is_und() {
            return Some(first);
        }
        spoken.find(|term| general(*term) == lang.is_und()).or(Some(first))
    }

    /// The word, which is left folded in `buffer`; else without its `'s`; else without the letters somebody leaned on.
    fn look_up(&self, word: &str, buffer: &mut String) -> Word {
        fold(word, buffer);
        let known = |word: &str| self.words.get(word.as_bytes());
        let bare = |word: &str| word.strip_suffix("'s").or_else(|| word.strip_suffix('\'')).and_then(known);
        known(buffer)
            .or_else(|| bare(buffer))
            .or_else(|| if squeeze(buffer) { known(buffer) } else { None })
            .unwrap_or_default()
    }

    /// The same for a word of ASCII, folded as `short`; `buffer` may stay empty.
    fn look_up_short(&self, short: Short, word: &str, buffer: &mut String) -> Word {
        match self.words.get_short(short) {
            Some(known) => known,
            None if short.may_have_run()
                || matches!(word.as_bytes(), [.., b'\''] | [.., b'\'', b's' | b'S']) =>
            {
                self.look_up(word, buffer)
            }
            None => Word::default(),
        }
    }

    fn stem(&self, word: &str, found: &mut Vec<u32>) {
        let Some((cut, last)) = word.char_indices().nth(1) else {
            return;
        };
        if let Some(stems) = self.stems.get(&word[..cut + last.len_utf8()]) {
            let longest =
                stems.iter().filter(|(stem, _)| word.starts_with(&**stem)).max_by_key(|(stem, _)| stem.len());
            found.extend(longest.map(|(_, term)| *term));
        }
    }

    /// Longest sequences from the left; marks names and titles for the windows.
    fn sequences(&self, words: &[Word], marks: &mut [Mark], lang: Code, found: &mut Vec<u32>) -> Classes {
        let mut all = 0;
        let mut at = 0;
        while let Some(first) = words.get(at) {
            // Nothing begins with most words.
            let Some((end, node)) = (first.node != 0).then(|| self.longest(words, at, lang)).flatten() else {
                at += 1;
                continue;
            };
            let node = &self.nodes[node as usize];
            let is_word = |term: &u32| self.terms[*term as usize].kind == TermKind::Word;
            found.extend(self.nearest(node.terms.iter().copied().filter(is_word), lang));
            found.extend(node.terms.iter().filter(|term| !is_word(term)));
            if node.classes != 0 {
                marks[at].span = node.classes;
                marks[at].length = u8::try_from(end - at).unwrap_or(u8::MAX);
                all |= node.classes;
            }
            at = end;
        }
        all
    }

    fn longest(&self, words: &[Word], at: usize, lang: Code) -> Option<(usize, u32)> {
        let mut node = words.get(at)?.node;
        let mut best = None;
        let mut end = at + 1;
        while node != 0 {
            let here = &self.nodes[node as usize];
            if here.terms.iter().any(|term| self.speaks(*term, lang)) {
                best = Some((end, node));
            }
            if !here.deeper {
                break;
            }
            node = words
                .get(end)
                .filter(|w| w.id != 0)
                .and_then(|word| self.steps.get(&(node, word.id)))
                .copied()
                .unwrap_or(0);
            end += 1;
        }
        best
    }

    /// A hashtag as a whole; else as the words it is made of; else by its parts.
    fn hashtag(&self, token: &Token, body: &str, lang: Code, found: &mut Vec<u32>) -> Classes {
        if let Some(terms) = self.tags.get(body) {
            found.extend(self.nearest(terms.iter().copied(), lang));
            return 0;
        }
        let mut classes = 0;
        let before = found.len();
        let mut words = Vec::new();
        let mut piece = String::new();
        if let Some(word) = self.words.get(body.as_bytes()) {
            words.push(word);
        } else {
            for part in humps(token.text.trim_start_matches(['#', '＃'])) {
                piece.clear();
                fold(part, &mut piece);
                words.push(self.words.get(piece.as_bytes()).unwrap_or_default());
            }
        }
        let mut marks = vec![Mark::default(); words.len()];
        classes |= self.sequences(&words, &mut marks, lang, found);
        if found.len() == before
            && let Some(parts) = &self.tagparts
        {
            found.extend(parts.find_iter(body).map(|m| self.tagpart_terms[m.pattern().as_usize()]));
        }
        classes
    }

    fn link(&self, url: &str, found: &mut Vec<u32>) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
        let small = host.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| host.to_ascii_lowercase());
        let mut tail = small.as_deref().unwrap_or(host);
        loop {
            if let Some(term) = self.domains.get(tail.as_bytes()) {
                let mut parts = rest.split(['/', '?', '#']).skip(1).take(2);
                let nearer = parts.find_map(|part| self.domains.get(format!("{tail}/{part}").as_bytes()));
                found.push(nearer.unwrap_or(term));
                return;
            }
            match tail.split_once('.') {
                Some((_, rest)) => tail = rest,
                None => return,
            }
        }
    }

    /// `domain/entity`; an annotation of the searched artist himself says nothing: every tweet
    /// that names him has it.
    fn annotation(&self, annotation: &str, found: &mut Vec<u32>) {
        let (domain, entity) = annotation.split_once('/').unwrap_or((annotation, ""));
        let Some(term) = self.annotations.get(folded(domain.trim()).as_str()) else {
            return;
        };
        let entity = folded(entity.trim());
        let mut tokens = Vec::new();
        tokenize(&entity, &mut tokens);
        let words: Vec<Word> =
            tokens.iter().map(|t| self.words.get(t.text.as_bytes()).unwrap_or_default()).collect();
        let own = self.longest(&words, 0, Code::UND).is_some_and(|(end, node)| {
            end == words.len() && self.nodes[node as usize].classes & self.own != 0
        });
        if !own {
            found.push(*term);
        }
    }

    /// Parts over the runs of text that the tokens make; a katakana term may not begin inside a
    /// longer katakana word.
    fn parts(&self, parts: &AhoCorasick, tokens: &[Token], found: &mut Vec<u32>) {
        let mut text = String::new();
        let mut end = 0;
        for token in tokens {
            if token.start > end {
                text.push(' ');
            }
            end = token.end();
            if !matches!(token.kind, Kind::Url | Kind::Mention) {
                fold(token.text, &mut text);
            }
        }
        for hit in parts.find_iter(&text) {
            let inside = text[hit.start()..].chars().next().is_some_and(is_katakana)
                && text[..hit.start()].chars().next_back().is_some_and(is_katakana);
            if !inside {
                found.push(self.part_terms[hit.pattern().as_usize()]);
            }
        }
    }
}

fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30a1}'..='\u{30fa}' | 'ー')
}

fn automaton(parts: &[String]) -> Result<Option<AhoCorasick>, LexiconError> {
    if parts.is_empty() {
        return Ok(None);
    }
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(parts)
        .map(Some)
        .map_err(|error| LexiconError { file: String::new(), line: 0, why: error.to_string() })
}

/// Cuts runs of three and more of a letter to one; says whether there were any.
fn squeeze(word: &mut String) -> bool {
    let bytes = word.as_bytes();
    if !bytes.windows(3).any(|w| w[0] == w[1] && w[1] == w[2]) {
        return false;
    }
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while chars.peek() == Some(&c) {
            chars.next();
            run += 1;
        }
        out.push(c);
        if run == 2 {
            out.push(c);
        }
    }
    *word = out;
    true
}

/// `JusticeTour2022` → `Justice`, `Tour`, `2022`; `MTVHottest` → `MTV`, `Hottest`; also at `_`.
fn humps(tag: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let chars: Vec<(usize, char)> = tag.char_indices().collect();
    for (i, pair) in chars.windows(2).enumerate() {
        let ((_, a), (at, b)) = (pair[0], pair[1]);
        let next_is_small = chars.get(i + 2).is_some_and(|(_, c)| c.is_lowercase());
        let cut = a == '_'
            || b == '_'
            || a.is_lowercase() && b.is_uppercase()
            || a.is_uppercase() && b.is_uppercase() && next_is_small
            || a.is_numeric() != b.is_numeric();
        if cut {
            pieces.push(&tag[start..at]);
            start = at;
        }
    }
    pieces.push(&tag[start..]);
    pieces
}

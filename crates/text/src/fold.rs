//! Words as the lexicon compares them, and the hash of its tables.

use std::hash::{BuildHasherDefault, Hasher};
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Appends `word` to `out` in lower case, without the accents of Latin and Greek letters, with
/// one kind of apostrophe and one kind of sigma.
pub(crate) fn fold(word: &str, out: &mut String) {
    if word.is_ascii() {
        let start = out.len();
        out.push_str(word);
        out[start..].make_ascii_lowercase();
        return;
    }
    for c in word.chars() {
        match c {
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '\0'..='\x7f' => out.push(c),
            '’' | '‘' | 'ʼ' | '´' => out.push('\''),
            'ς' => out.push('σ'),
            'ı' => out.push('i'),
            'ß' => out.push_str("ss"),
            '\u{fe0f}' | '\u{fe0e}' | '\u{1f3fb}'..='\u{1f3ff}' => {}
            '\u{80}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}' => decompose_canonical(c, |d| {
                if !is_combining_mark(d) {
                    out.extend(d.to_lowercase().map(|l| if l == 'ς' { 'σ' } else { l }));
                }
            }),
            '\u{ff01}'..='\u{ff5e}' => {
                // full-width forms of ASCII
                let narrow = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
                out.push(narrow.to_ascii_lowercase());
            }
            _ if is_caseless(c) => out.push(c),
            _ => out.extend(c.to_lowercase()),
        }
    }
}

/// Is it a letter, as [`char::is_alphabetic`] has it? The commonest blocks are named first.
pub(crate) fn is_alphabetic(c: char) -> bool {
    match c {
        '\u{400}'..='\u{481}'
        | '\u{620}'..='\u{657}'
        | '\u{671}'..='\u{6d3}'
        | '\u{904}'..='\u{939}'
        | '\u{e01}'..='\u{e3a}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' => true,
        '\u{c0}'..='\u{24f}' => c != '×' && c != '÷',
        '\u{2010}'..='\u{205f}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{1f300}'..='\u{1faff}' => false,
        _ => c.is_alphabetic(),
    }
}

/// Of the commonest blocks without cases: the tables of the standard library are slow.
pub(crate) fn is_caseless(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{109f}' | '\u{2000}'..='\u{209f}' | '\u{2600}'..='\u{2bff}' | '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1f000}'..='\u{1faff}')
}

/// [`fold`] into a new string.
pub(crate) fn folded(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    fold(word, &mut out);
    out
}

/// 64-bit FNV-1a: short keys, no attacker (the tables are fixed before any tweet is read).
#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }
}

/// A map that hashes by [`Fnv`].
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Fnv>>;
/// A set that hashes by [`Fnv`].
pub(crate) type Set<K> = std::collections::HashSet<K, BuildHasherDefault<Fnv>>;

#[cfg(test)]
mod tests {
    use super::{is_alphabetic, is_caseless};

    #[test]
    fn the_blocks_that_are_named_are_as_the_standard_library_has_them() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_alphabetic(c), c.is_alphabetic(), "{c:?}");
            assert!(!is_caseless(c) || c.to_lowercase().eq([c]), "{c:?}");
        }
    }
}

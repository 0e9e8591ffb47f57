//! Fingerprints: SHA-256 over everything that decides a result, and nothing else.

use sha2::{Digest, Sha256};

/// Lower-case hex of SHA-256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Collects named parts in a fixed order; each part is length-prefixed, so no two lists of parts
/// give the same bytes.
#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one named part.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        for text in [name, value] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
        self
    }

    /// Adds a list; the order given does not matter.
    #[must_use]
    pub fn with_all<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut values: Vec<&str> = values.into_iter().collect();
        values.sort_unstable();
        self.with(name, &values.join("\n"))
    }

    /// Hex of the hash.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The fingerprint of a partition's raw parts, under which the raw gate files its verdict: SHA-256
/// over the parts' SHA-256 hex strings, sorted, joined by line feeds.
pub fn raw_fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut parts: Vec<&str> = parts.into_iter().collect();
    parts.sort_unstable();
    sha256_hex(parts.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, sha256_hex};

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn order_of_a_list_does_not_matter_but_borders_do() {
        let of = |a: &str, list: &[&str]| {
            Fingerprint::new().with("a", a).with_all("l", list.iter().copied()).finish()
        };
        assert_eq!(of("x", &["1", "2"]), of("x", &["2", "1"]));
        assert_ne!(of("x", &["1", "2"]), of("x", &["12"]));
        assert_ne!(Fingerprint::new().with("ab", "c").finish(), Fingerprint::new().with("a", "bc").finish());
    }
}

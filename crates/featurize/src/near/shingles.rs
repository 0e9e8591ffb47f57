//! A text as the set of its runs of five characters.

use unicode_normalization::UnicodeNormalization;

/// Code points of a run.
const RUN: usize = 5;

/// The text as near copies compare it: NFKC, lower case.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfkc().flat_map(char::to_lowercase).collect()
    }
}

/// Hashes of the runs of a [folded] text, sorted and distinct. A shorter text is one run.
pub(crate) fn shingles(folded: &str) -> Vec<u32> {
    let chars: Vec<u32> = folded.chars().map(u32::from).collect();
    let mut all: Vec<u32> = chars.windows(RUN.min(chars.len()).max(1)).map(hash).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The upper half of a multiplicative hash, whose bits depend on every bit of every code point.
fn hash(run: &[u32]) -> u32 {
    let mixed = run
        .iter()
        .fold(0_u64, |all, c| (all ^ u64::from(*c)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    let high = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32;
    u32::try_from(high).unwrap_or_default()
}

/// What two sets share, of what they hold together: 0 to 1. Two empty sets are equal.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    while left < a.len() && right < b.len() {
        let order = a[left].cmp(&b[right]);
        shared += usize::from(order.is_eq());
        left += usize::from(order.is_le());
        right += usize::from(order.is_ge());
    }
    let together = a.len() + b.len() - shared;
    if together == 0 { 1.0 } else { shared as f64 / together as f64 }
}

#[cfg(test)]
mod tests {
    use super::{folded, jaccard, shingles};

    #[test]
    fn a_set_has_each_run_once() {
        assert_eq!(shingles("abcdefg").len(), 3);
        assert_eq!(shingles("aaaaaaaaa").len(), 1);
        assert_eq!((shingles("abc").len(), shingles("").len()), (1, 0));
        assert_eq!(shingles("ñandú es").len(), 4);
    }

    #[test]
    fn the_share_of_runs_is_counted() {
        let share = |a: &str, b: &str| jaccard(&shingles(a), &shingles(b));
        assert!((share("abcdefgh", "abcdefgx") - 3.0 / 5.0).abs() < 1e-12);
        assert!((share("abcdefgh", "abcdefgh") - 1.0).abs() < 1e-12);
        assert!(share("abcdefgh", "ijklmnop").abs() < 1e-12);
        assert!((jaccard(&[], &[]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn case_and_width_do_not_count() {
        assert_eq!(folded("ＷＯＷ Ünï"), "wow ünï");
        assert_eq!(folded("WOW"), "wow");
    }
}

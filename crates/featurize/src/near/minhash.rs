//! Signatures of sets: equal parts of two of them tell how much the sets share.
//!
//! The least element of a set under a random order is the same for two sets with the probability of
//! their Jaccard similarity *J* (Broder, 1997). [`BANDS`] hashes of [`PER_BAND`] such elements each find a
//! pair with 1 − (1 − *J*⁵)²⁰: 99.96 of 100 at *J* = 0.8, 1 of 5,000 at 0.1. What they find is then
//! compared in full.

/// Bands of a signature.
pub(crate) const BANDS: usize = 20;
/// Least elements that make a band.
const PER_BAND: usize = 5;
const ORDERS: usize = BANDS * PER_BAND;

/// What is kept of a set.
pub(crate) struct Signature {
    /// Never 0.
    pub(crate) bands: [u32; BANDS],
    /// A bit each of 64 least elements (Li and König, *b-bit minwise hashing*, 2010).
    pub(crate) sketch: u64,
}

impl Signature {
    /// Of the hashes of a set that is not empty.
    pub(crate) fn of(set: &[u32]) -> Self {
        let mut least = [u32::MAX; ORDERS];
        for element in set {
            for ((least, mask), factor) in least.iter_mut().zip(&MASKS).zip(&FACTORS) {
                *least = (*least).min((element ^ mask).wrapping_mul(*factor));
            }
        }
        let mut bands = [0; BANDS];
        for (band, least) in bands.iter_mut().zip(least.chunks_exact(PER_BAND)) {
            let hash = least.iter().fold(0_u64, |all, n| mix(all ^ u64::from(*n)));
            *band = u32::try_from(hash >> 32).unwrap_or_default().max(1);
        }
        let sketch = least.iter().take(64).fold(0, |all, n| all << 1 | u64::from(n >> 15 & 1));
        Self { bands, sketch }
    }
}

/// Bits that the sketches of two sets of similarity `threshold` share at least, but for 4 deviations:
/// a bit is the same with the probability (1 + *J*) / 2.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn shared_bits(threshold: f64) -> u32 {
    let same = f64::midpoint(1.0, threshold);
    (64.0 * same - 4.0 * (64.0 * same * (1.0 - same)).sqrt()).floor() as u32
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// An order is by the bits of `(element ^ mask) * factor`, a permutation as the factor is odd.
const MASKS: [u32; ORDERS] = numbers(1);
const FACTORS: [u32; ORDERS] = numbers(2);

#[allow(clippy::cast_possible_truncation)]
const fn numbers(seed: u64) -> [u32; ORDERS] {
    let mut all = [0; ORDERS];
    let mut at = 0;
    while at < ORDERS {
        all[at] = (mix(seed << 32 | at as u64) >> 32) as u32 | 1;
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Signature, mix, shared_bits};

    /// Two sets of this similarity, of about 80 elements.
    fn pair(seed: u64, percent: u64) -> (Vec<u32>, Vec<u32>) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for n in 0..100 {
            let element = u32::try_from(mix(seed << 20 | n) >> 32).unwrap_or_default();
            if n < percent || n % 2 == 0 {
                a.push(element);
            }
            if n < percent || n % 2 == 1 {
                b.push(element);
            }
        }
        (a, b)
    }

    #[test]
    fn similar_sets_meet_in_a_band_and_in_their_sketch_and_others_do_not() {
        let found = |percent: u64| {
            let pairs = (0..2_000).map(|seed| pair(seed, percent)).map(|(a, b)| {
                let (a, b) = (Signature::of(&a), Signature::of(&b));
                let sketch = (a.sketch ^ b.sketch).count_zeros() >= shared_bits(0.8);
                (a.bands.iter().zip(&b.bands).any(|(a, b)| a == b), sketch)
            });
            pairs.fold((0, 0), |all, met| (all.0 + usize::from(met.0), all.1 + usize::from(met.0 && met.1)))
        };
        let (near, far, strange) = (found(80), found(50), found(10));
        assert!(near.0 >= 1_997 && near.1 >= 1_995, "{near:?}");
        assert!(far.0 < 1_100 && far.1 < 700, "{far:?}");
        assert!(strange.0 < 10, "{strange:?}");
        assert_eq!((shared_bits(1.0), shared_bits(0.8)), (64, 48));
    }
}

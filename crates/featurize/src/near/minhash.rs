//! Signatures of sets: equal parts of two of them tell how much the sets share.
//!
//! The least element of a set under a random order is the same for two sets with the probability of
//! their Jaccard similarity *J* (Broder, 1997). A signature has such an element in each of 64 bins, found by
//! *fast similarity sketching* (Dahlgaard, Knudsen and Thorup, 2017): in a round each element falls into one bin
//! and what falls into a bin that is still empty after the rounds before contends for it. All bins are
//! filled after about 300 elements, in place of the 64 orders of a whole set that it stands for.
//!
//! [`BANDS`] hashes of [`PER_BAND`] bins each find a pair with 1 − (1 − *J*⁴)¹⁶: 99.98 of 100 at *J* = 0.8, 1 of 600
//! at 0.1. What they find is then compared in full.

/// Bands of a signature.
pub(crate) const BANDS: usize = 16;
/// Bins that make a band.
const PER_BAND: usize = 4;
const BINS: usize = BANDS * PER_BAND;
/// Rounds in which elements choose their bin. What is empty then takes the least of all.
const ROUNDS: u32 = 63;
/// Bits of a hash below those that name its bin.
const BELOW: u32 = 32 - BINS.trailing_zeros();

/// What is kept of a set.
pub(crate) struct Signature {
    pub(crate) bands: [u32; BANDS],
    /// A bit of each bin (Li and König, *b-bit minwise hashing*, 2010).
    pub(crate) sketch: u64,
}

impl Signature {
    /// Of the hashes of a set that is not empty; whether one stands there twice does not matter.
    pub(crate) fn of(set: &[u32]) -> Self {
        // The number of the round above, the rest of the hash below: so the first round has its way.
        let mut least = [u32::MAX; BINS];
        let mut empty = u64::MAX;
        for round in 0..ROUNDS {
            for element in set {
                let hash = order(*element, round);
                let bin = (hash >> BELOW) as usize;
                least[bin] = least[bin].min(round << BELOW | (hash & ((1 << BELOW) - 1)));
                empty &= !(1 << bin);
            }
            if empty == 0 {
                break;
            }
        }
        for (bin, least) in (0..).zip(&mut least).filter(|(bin, _)| empty >> bin & 1 == 1) {
            *least = set.iter().map(|element| order(*element, ROUNDS + bin)).min().unwrap_or_default();
        }
        let mut bands = [0; BANDS];
        for (band, least) in bands.iter_mut().zip(least.chunks_exact(PER_BAND)) {
            let hash = least.iter().fold(0_u64, |all, n| mix(all ^ u64::from(*n)));
            *band = high(hash);
        }
        let sketch = least.iter().fold(0, |all, n| all << 1 | u64::from(n >> 7 & 1));
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
pub(super) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The upper half.
#[allow(clippy::cast_possible_truncation)]
pub(super) const fn high(n: u64) -> u32 {
    (n >> 32) as u32
}

/// An element, which is a hash itself, in the order of a round.
fn order(element: u32, round: u32) -> u32 {
    let [mask, factor] = ORDERS[round as usize];
    high((u64::from(element) ^ mask).wrapping_mul(factor))
}

const ORDERS: [[u64; 2]; ROUNDS as usize + BINS] = {
    let mut all = [[0; 2]; ROUNDS as usize + BINS];
    let mut at = 0;
    while at < all.len() {
        all[at] = [mix(1 << 32 | at as u64), mix(2 << 32 | at as u64) | 1];
        at += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::{Signature, high, mix, shared_bits};

    /// Two sets of this similarity, of about 80 elements.
    fn pair(seed: u64, percent: u64) -> (Vec<u32>, Vec<u32>) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for n in 0..100 {
            let element = high(mix(seed << 20 | n));
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
            let pairs = (0..10_000).map(|seed| pair(seed, percent)).map(|(a, b)| {
                let (a, b) = (Signature::of(&a), Signature::of(&b));
                let sketch = (a.sketch ^ b.sketch).count_zeros() >= shared_bits(0.8);
                (a.bands.iter().zip(&b.bands).any(|(a, b)| a == b), sketch)
            });
            pairs.fold((0, 0), |all, met| (all.0 + usize::from(met.0), all.1 + usize::from(met.0 && met.1)))
        };
        let (near, far, strange) = (found(80), found(50), found(10));
        assert!(near.0 >= 9_990 && near.1 >= 9_985, "{near:?}");
        assert!(far.0 < 7_000 && far.1 < 5_000, "{far:?}");
        assert!(strange.0 < 60, "{strange:?}");
        assert_eq!((shared_bits(1.0), shared_bits(0.8)), (64, 48));
    }

    #[test]
    fn a_set_of_one_fills_all_bins_and_repetition_changes_nothing() {
        let (one, other) = (Signature::of(&[7]), Signature::of(&[8]));
        assert_eq!(Signature::of(&[7, 7, 7]).bands, one.bands);
        assert!(one.bands.iter().zip(&other.bands).all(|(a, b)| a != b));
        assert!((16..48).contains(&(one.sketch ^ other.sketch).count_ones()));
    }
}

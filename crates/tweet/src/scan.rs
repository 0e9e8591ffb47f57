//! Which of many bytes are what, with one instruction for 16 of them. The first byte is the lowest bit.

use wide::{u8x16, u8x32};

/// What matters in a string, in 32 bytes.
pub(crate) struct Block {
    pub quotes: u32,
    pub slashes: u32,
    /// Control characters.
    pub controls: u32,
}

/// Where 32 bytes of a string have their first quote, backslash or, unless it is `KNOWN` that there is none, control character.
#[inline(always)]
pub(crate) fn mark<const KNOWN: bool>(block: &[u8; 32]) -> Option<usize> {
    let block = u8x32::new(*block);
    let equal = |byte| block.simd_eq(u8x32::splat(byte));
    let mut marks = equal(b'"') | equal(b'\\');
    if !KNOWN {
        marks |= block.min(u8x32::splat(b' ' - 1)).simd_eq(block);
    }
    let marks = marks.to_bitmask();
    (marks != 0).then_some(marks.trailing_zeros() as usize)
}

/// Where a string ends, if that is within 32 bytes and nothing in it is escaped: at its closing quote.
#[inline(always)]
pub(crate) fn plain_end<const KNOWN: bool>(text: &[u8]) -> Option<usize> {
    let at = mark::<KNOWN>(text.first_chunk()?)?;
    (text.get(at) == Some(&b'"')).then_some(at)
}

impl Block {
    #[inline(always)]
    pub fn of(block: &[u8; 32]) -> Self {
        let block = u8x32::new(*block);
        let equal = |byte| block.simd_eq(u8x32::splat(byte)).to_bitmask();
        let controls = block.min(u8x32::splat(b' ' - 1)).simd_eq(block).to_bitmask();
        Self { quotes: equal(b'"'), slashes: equal(b'\\'), controls }
    }

    /// Of the last bytes of a text, fewer than 32: what is behind them is nothing.
    pub fn of_last(rest: &[u8]) -> Self {
        let mut last = [b' '; 32];
        last[..rest.len()].copy_from_slice(rest);
        Self::of(&last)
    }
}

/// What matters between brackets, in 64 bytes; fewer are followed by nothing.
pub(crate) struct Marks {
    pub quotes: u64,
    pub slashes: u64,
    /// `{` and `[`.
    pub open: u64,
    /// `}` and `]`.
    pub close: u64,
}

impl Marks {
    #[inline]
    pub fn of(block: &[u8]) -> Self {
        let mut last = [0; 64];
        let block = block.first_chunk().unwrap_or_else(|| {
            last[..block.len()].copy_from_slice(block);
            &last
        });
        let mut marks = Self { quotes: 0, slashes: 0, open: 0, close: 0 };
        for (n, part) in block.as_chunks().0.iter().enumerate() {
            let part = u8x16::new(*part);
            // This bit is all that square and curly brackets differ in.
            let curly = part | u8x16::splat(b'{' ^ b'[');
            let bits =
                |part: u8x16, byte| u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * n);
            marks.quotes |= bits(part, b'"');
            marks.slashes |= bits(part, b'\\');
            marks.open |= bits(curly, b'{');
            marks.close |= bits(curly, b'}');
        }
        marks
    }
}

/// For each bit, whether an odd number of bits is set up to and with it.
#[inline]
pub(crate) fn odd(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].iter().fold(bits, |bits, by| bits ^ (bits << by))
}

/// The bytes that a backslash escapes. `before` says whether the first one is, and then whether the next block's first one is.
#[inline]
pub(crate) fn escaped(slashes: u64, before: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let slashes = slashes & !*before;
    let follow = slashes << 1 | *before;
    let odd_starts = slashes & !EVEN & !follow;
    let (ends_even, carry) = odd_starts.overflowing_add(slashes);
    *before = u64::from(carry);
    (EVEN ^ (ends_even << 1)) & follow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_quotes() {
        assert_eq!(odd(0b0100_0100), 0b0011_1100);
        assert_eq!(odd(1), !0, "a string that does not end in the block");
    }

    #[test]
    fn behind_backslashes() {
        let bits = |at: &[u32]| at.iter().fold(0_u64, |bits, at| bits | 1 << at);
        let mut before = 0;
        // one, two and three in a row, and one that the block ends in
        assert_eq!(escaped(bits(&[1, 3, 4, 6, 7, 8, 63]), &mut before), bits(&[2, 4, 7, 9]));
        assert_eq!(escaped(bits(&[0, 1]), &mut before), bits(&[0, 2]));
        assert_eq!(escaped(0, &mut before), 0);
    }

    #[test]
    fn marks_of_a_short_text() {
        let marks = Marks::of(b"[\"{\\");
        assert_eq!((marks.open, marks.close, marks.quotes, marks.slashes), (0b101, 0, 0b10, 0b1000));
        assert_eq!(plain_end::<false>(b"ab\""), None, "fewer than 32 bytes");
        assert_eq!(plain_end::<false>(&[b'"'; 32]), Some(0));
    }
}

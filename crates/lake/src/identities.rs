//! Who the tweets of a raw part are: a table behind its lines, so that a reader that wants only that need not
//! read the text. It is a skippable frame of zstd (RFC 8878, 3.1.2), which every decoder passes over.
//!
//! In the frame, compressed by itself: the number of lines as u32; a byte of flags a line; the id of each; then, for
//! the lines whose flags say so, the id that it shows, the first version's id, and its time. All are 8 bytes, little endian.

use serde::{Deserialize, Serialize};
use tweet::{Hidden, IDENTITY_RULES, Id, Identity};

use crate::{Error, Lake, RawCommit, Result};

/// Begins a skippable frame; the last of the sixteen numbers that may.
const MAGIC: u32 = 0x184D_2A5F;
/// Bytes before the content of a frame: the magic number and the size.
const HEAD: usize = 8;
const LEVEL: i32 = 1;

const WORTH: u8 = 0b0000_0111;
const RETWEET: u8 = 0b0000_1000;
const FIRST: u8 = 0b0001_0000;
const TIME: u8 = 0b0010_0000;
const HIDDEN: u32 = 6;
/// Stands for a time that nobody knows.
const NO_TIME: i64 = i64::MIN;
/// Most bytes of one line in the table.
const WIDEST: usize = 1 + 4 * 8;

/// Where the table lies in its part, as the commit says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitiesAt {
    /// Of its frame's first byte.
    pub offset: u64,
    /// Of its frame.
    pub size: u64,
    /// [`IDENTITY_RULES`] of the writer.
    pub rules: u32,
}

impl IdentitiesAt {
    /// The place of a frame that was written now.
    pub fn new(offset: u64, frame: &[u8]) -> Self {
        Self { offset, size: frame.len() as u64, rules: IDENTITY_RULES }
    }
}

/// The table of one part on its way. Only X's ids fit in: a part with others has no table.
#[derive(Debug, Default)]
pub struct Identities {
    flags: Vec<u8>,
    ids: Vec<u64>,
    shown: Vec<u64>,
    first: Vec<u64>,
    times: Vec<i64>,
    others: bool,
}

/// Who one line is: [`Identity`] of a tweet of X.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its own id.
    pub id: u64,
    /// Of the tweet that it shows.
    pub shown: u64,
    /// Of that tweet's first version.
    pub first: u64,
    /// Its own time, µs since 1970 UTC.
    pub time: Option<i64>,
    /// It is a retweet.
    pub retweet: bool,
    /// See [`Identity::worth`].
    pub worth: u8,
    /// What the source withholds everywhere.
    pub hidden: Hidden,
}

impl Known {
    /// `None` of a tweet that is not X's.
    pub fn of(identity: &Identity<'_>) -> Option<Self> {
        let (Id::X(id), Id::X(shown), Id::X(first)) = (identity.id, identity.shown, identity.first) else {
            return None;
        };
        let Identity { time, retweet, worth, hidden, .. } = *identity;
        Some(Self { id: *id, shown: *shown, first: *first, time, retweet, worth, hidden })
    }
}

impl Identities {
    /// Adds the next line.
    pub fn push(&mut self, known: Option<Known>) {
        let Some(known) = known else {
            self.others = true;
            return;
        };
        let mut flags = known.worth & WORTH | (known.hidden as u8) << HIDDEN;
        self.ids.push(known.id);
        if known.retweet {
            flags |= RETWEET;
            self.shown.push(known.shown);
        }
        if known.first != known.shown {
            flags |= FIRST;
            self.first.push(known.first);
        }
        if known.time != Id::X(known.id).time() {
            flags |= TIME;
            self.times.push(known.time.unwrap_or(NO_TIME));
        }
        self.flags.push(flags);
    }

    /// The frame that goes behind the lines, if all of them are in it.
    ///
    /// # Errors
    /// [`Error::Storage`] when zstd refuses.
    pub fn frame(&self) -> Result<Option<Vec<u8>>> {
        let lines = u32::try_from(self.ids.len()).ok().filter(|_| !self.others);
        let Some(lines) = lines else { return Ok(None) };
        let mut table = lines.to_le_bytes().to_vec();
        table.extend_from_slice(&self.flags);
        for column in [&self.ids, &self.shown, &self.first] {
            table.extend(column.iter().flat_map(|id| id.to_le_bytes()));
        }
        table.extend(self.times.iter().flat_map(|time| time.to_le_bytes()));
        let table = zstd::bulk::compress(&table, LEVEL)
            .map_err(|e| Error::Storage(format!("cannot compress the identities of a part: {e}")))?;
        let Ok(size) = u32::try_from(table.len()) else { return Ok(None) };
        Ok(Some([&MAGIC.to_le_bytes()[..], &size.to_le_bytes(), &table].concat()))
    }
}

/// Who each line of a part is, without reading the part; `None` if its commit knows of no table, or of one by
/// other rules. The bytes are verified only when the whole part is read.
///
/// # Errors
/// [`Error::Corrupt`] when there is no such table; of the store.
pub fn read_identities(lake: &Lake, commit: &RawCommit) -> Result<Option<Vec<Known>>> {
    let Some(at) = commit.identities.filter(|at| at.rules == IDENTITY_RULES) else { return Ok(None) };
    let known = match lake.store.read_range(&commit.path, at.offset, at.size) {
        Ok(frame) => usize::try_from(commit.tweets).ok().and_then(|tweets| read(&frame, tweets)),
        Err(Error::Corrupt(_)) => None,
        Err(e) => return Err(e),
    };
    let damaged = || Error::Corrupt(format!("{} is damaged: who its tweets are cannot be read", commit.path));
    known.ok_or_else(damaged).map(Some)
}

fn read(frame: &[u8], tweets: usize) -> Option<Vec<Known>> {
    let (head, content) = frame.split_at_checked(HEAD)?;
    let size = u32::try_from(content.len()).ok()?;
    if head != [MAGIC.to_le_bytes(), size.to_le_bytes()].concat() {
        return None;
    }
    let table = zstd::bulk::decompress(content, 4 + tweets.checked_mul(WIDEST)?).ok()?;
    let (lines, rest) = table.split_first_chunk()?;
    if u32::from_le_bytes(*lines) as usize != tweets {
        return None;
    }
    let (flags, rest) = rest.split_at_checked(tweets)?;
    let (words, []) = rest.as_chunks::<8>() else { return None };
    let count = |flag: u8| flags.iter().filter(|f| **f & flag != 0).count();
    let (ids, words) = words.split_at_checked(tweets)?;
    let (shown, words) = words.split_at_checked(count(RETWEET))?;
    let (first, times) = words.split_at_checked(count(FIRST))?;
    if times.len() != count(TIME) {
        return None;
    }
    let (mut shown, mut first, mut times) = (shown.iter(), first.iter(), times.iter());
    let mut known = Vec::with_capacity(tweets);
    for (flags, id) in flags.iter().zip(ids) {
        let id = u64::from_le_bytes(*id);
        let retweet = flags & RETWEET != 0;
        let shown = if retweet { u64::from_le_bytes(*shown.next()?) } else { id };
        known.push(Known {
            id,
            shown,
            first: if flags & FIRST != 0 { u64::from_le_bytes(*first.next()?) } else { shown },
            time: match flags & TIME {
                0 => Id::X(id).time(),
                _ => Some(i64::from_le_bytes(*times.next()?)).filter(|time| *time != NO_TIME),
            },
            retweet,
            worth: flags & WORTH,
            hidden: match flags >> HIDDEN {
                0 => Hidden::No,
                1 => Hidden::Itself,
                2 => Hidden::Original,
                _ => return None,
            },
        });
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use tweet::{Hidden, Id};

    use super::{Identities, Known, read};

    fn known() -> impl Strategy<Value = Known> {
        let id =
            || prop_oneof![1..50_u64, 1_300_000_000_000_000_000..1_300_000_000_000_000_050_u64, any::<u64>()];
        let hidden = prop_oneof![Just(Hidden::No), Just(Hidden::Itself), Just(Hidden::Original)];
        let time = proptest::option::of(0..2_000_000_000_000_000_i64);
        (id(), proptest::option::of(id()), proptest::option::of(id()), time, 0..8_u8, hidden).prop_map(
            |(id, original, first, time, worth, hidden)| {
                let shown = original.unwrap_or(id);
                let retweet = original.is_some();
                let time = Id::X(id).time().or(time);
                Known { id, shown, first: first.unwrap_or(shown), time, retweet, worth, hidden }
            },
        )
    }

    fn frame(known: &[Known]) -> Vec<u8> {
        let mut table = Identities::default();
        known.iter().for_each(|known| table.push(Some(*known)));
        table.frame().unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn a_table_comes_back_and_no_decoder_sees_it(lines in prop::collection::vec(known(), 0..60)) {
            let frame = frame(&lines);
            let part = [zstd::bulk::compress(b"{}\n", 1).unwrap(), frame.clone()].concat();
            prop_assert_eq!(zstd::decode_all(&part[..]).unwrap(), b"{}\n");
            prop_assert_eq!(read(&frame, lines.len()), Some(lines));
        }

        #[test]
        fn a_damaged_table_is_no_panic(lines in prop::collection::vec(known(), 1..60), at in 0..1_000_usize, with in 1..255_u8) {
            let mut frame = frame(&lines);
            let at = at % frame.len();
            frame[at] ^= with;
            let _ = read(&frame, lines.len());
            prop_assert_eq!(read(&frame[..at], lines.len()), None);
        }
    }

    #[test]
    fn a_part_with_a_tweet_of_another_source_has_no_table() {
        let mut table = Identities::default();
        table.push(None);
        assert_eq!(table.frame().unwrap(), None);
    }
}

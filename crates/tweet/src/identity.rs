//! Who a tweet is among others: what decides which copies, retweets and versions are one.

use std::borrow::Cow;

use crate::id::{Id, Source, digits};
use crate::tweet::{Retweeted, Tweet};

/// Version of the rules by which [`Tweet::identity`] reads a raw line. A stored identity of another
/// version is read from the line again: raise it with every change of the parser that shows here.
pub const IDENTITY_RULES: u32 = 1;

/// Who a tweet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'t> {
    /// Its own id.
    pub id: &'t Id<'t>,
    /// Of the tweet that it shows: its original, if it is a retweet, else itself.
    pub shown: &'t Id<'t>,
    /// The first version of the tweet that it shows.
    pub first: &'t Id<'t>,
    /// [`Tweet::time`].
    pub time: Option<i64>,
    /// It is a retweet.
    pub retweet: bool,
    /// How much it is worth among those that show the same tweet, below 8: one that carries it is worth more than one
    /// that names it, a full text more than a cut one, the tweet itself more than a retweet.
    pub worth: u8,
    /// What the source withholds everywhere.
    pub hidden: Hidden,
}

/// Which tweet of a line may not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// None.
    No,
    /// The tweet itself, or the retweet as such.
    Itself,
    /// The original of the retweet.
    Original,
}

impl Tweet<'_> {
    /// Who it is.
    pub fn identity(&self) -> Identity<'_> {
        let original = self.retweeted.as_ref();
        let carried = original.and_then(|original| original.tweet.as_deref());
        let shown = original.map_or(&self.id, |original| &original.id);
        let edits = &carried.unwrap_or(self).edits;
        Identity {
            id: &self.id,
            shown,
            first: edits.first().filter(|_| original.is_none() || carried.is_some()).unwrap_or(shown),
            time: self.time(),
            retweet: original.is_some(),
            worth: self.worth(),
            hidden: match carried {
                Some(original) if original.withheld_everywhere => Hidden::Original,
                _ if self.withheld_everywhere => Hidden::Itself,
                _ => Hidden::No,
            },
        }
    }

    /// Shows `see` the ids of all tweets whose deletion changes what this one may show: itself, its original, its
    /// versions, and what it or its original answers, quotes and belongs to.
    pub fn each_named(&self, mut see: impl FnMut(&Id<'_>)) {
        let carried = self.retweeted.as_ref().and_then(|original| original.tweet.as_deref());
        self.retweeted.iter().for_each(|original| see(&original.id));
        for tweet in [Some(self), carried].into_iter().flatten() {
            see(&tweet.id);
            tweet.edits.iter().for_each(&mut see);
            let others = [&tweet.conversation_id, &tweet.in_reply_to_id, &tweet.quoted_id];
            for id in others.into_iter().flatten() {
                match self.source {
                    Source::X => digits(id).into_iter().for_each(|id| see(&Id::X(id))),
                    Source::Bluesky => see(&Id::Uri(Cow::Borrowed(id))),
                }
            }
        }
    }

    fn worth(&self) -> u8 {
        match &self.retweeted {
            None => 3 + 2 * u8::from(!self.truncated),
            Some(Retweeted { tweet: Some(carried), .. }) => 2 + 2 * u8::from(!carried.truncated),
            Some(_) => u8::from(!self.truncated),
        }
    }
}

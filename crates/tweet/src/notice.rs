//! What a source says that is no tweet.

use std::fmt;

use crate::id::Source;

/// A message about tweets, about users, or about the source itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub kind: NoticeKind,
    /// What it deletes or hides.
    pub tombstones: Vec<Tombstone>,
    /// The value, verbatim on one line.
    pub json: String,
}

/// Something that no later output may show.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tombstone {
    /// A tweet.
    Tweet {
        /// Where it comes from.
        source: Source,
        /// Its id.
        id: String,
        /// Its author, where the notice says so.
        user_id: Option<String>,
    },
    /// All tweets of a user.
    User {
        /// Where the user is.
        source: Source,
        /// The user's id.
        id: String,
    },
    /// The places of a user's tweets.
    Geo {
        /// Where the user is.
        source: Source,
        /// The user's id.
        user_id: String,
        /// Up to and with this tweet id.
        up_to: u64,
    },
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)*) => {
        /// What a notice says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum NoticeKind { $($(#[$doc])* $kind,)* }

        impl NoticeKind {
            /// Every kind.
            pub const ALL: &'static [NoticeKind] = &[$(NoticeKind::$kind,)*];

            /// The name used outside memory.
            pub fn as_str(self) -> &'static str {
                match self { $(NoticeKind::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    /// A tweet was deleted.
    Delete "delete",
    /// A user took the places off older tweets.
    ScrubGeo "scrub_geo",
    /// More tweets matched than the stream delivers.
    Limit "limit",
    /// A tweet is withheld somewhere.
    Withheld "withheld",
    /// A tweet may not be shown for now.
    Drop "drop",
    /// A dropped tweet may be shown again.
    Undrop "undrop",
    /// A tweet has a new version.
    TweetEdit "tweet_edit",
    /// A user is withheld somewhere.
    UserWithheld "user_withheld",
    /// An account was deleted.
    UserDelete "user_delete",
    /// A deleted account is back.
    UserUndelete "user_undelete",
    /// An account went private.
    UserProtect "user_protect",
    /// A private account is public again.
    UserUnprotect "user_unprotect",
    /// An account was suspended.
    UserSuspend "user_suspend",
    /// A suspended account is back.
    UserUnsuspend "user_unsuspend",
    /// An account changed its profile.
    UserProfileModification "user_profile_modification",
    /// A row of a compliance job's answer.
    ComplianceJob "compliance_job",
    /// The source closes the connection.
    Disconnect "disconnect",
    /// The source warns, as of a reader that falls behind.
    Warning "warning",
    /// The opening message of a user stream.
    Friends "friends",
    /// Something a user did, on a user stream.
    Event "event",
    /// An error document.
    Problem "problem",
    /// One error of a page or an answer.
    PageError "page_error",
    /// A page without tweets.
    EmptyPage "empty_page",
    /// Bluesky: a record that is no post was made, changed or deleted.
    Commit "commit",
    /// Bluesky: an account changed its handle.
    Identity "identity",
    /// Bluesky: an account changed its state.
    Account "account",
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! What a source says that is no tweet.

use std::borrow::Cow;
use std::fmt;

use crate::field::{Field, Key, List, Raw, Raws, objects, read_known};
use crate::id::Source;
use crate::line::one_line;
use crate::reject::{Code, Reject};
use crate::x::{key, withheld_everywhere};

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

impl Notice {
    /// A notice that deletes and hides nothing.
    pub(crate) fn of(kind: NoticeKind, value: &str) -> Self {
        Notice { kind, tombstones: Vec::new(), json: one_line(value).into_owned() }
    }
}

objects! {
    /// The keys that tell what an object is that is no tweet: v1.1 stream messages, v2 compliance events, errors.
    struct Known<'a> {
        delete: Raw<'a>,
        scrub_geo: Raw<'a>,
        limit: Raw<'a>,
        status_withheld: Raw<'a>,
        withheld: Raw<'a>,
        drop: Raw<'a>,
        undrop: Raw<'a>,
        tweet_edit: Raw<'a>,
        post_edit: Raw<'a>,
        user_withheld: Raw<'a>,
        user_delete: Raw<'a>,
        user_undelete: Raw<'a>,
        user_protect: Raw<'a>,
        user_unprotect: Raw<'a>,
        user_suspend: Raw<'a>,
        user_unsuspend: Raw<'a>,
        user_profile_modification: Raw<'a>,
        disconnect: Raw<'a>,
        warning: Raw<'a>,
        friends: Raw<'a>,
        friends_str: Raw<'a>,
        event: Raw<'a>,

        title: Field<Cow<'a, str>>,
        detail: Field<Cow<'a, str>>,
        problem: Field<Cow<'a, str>> = "type",
        errors: Field<Raws<'a>>,
        meta: Raw<'a>,
        action: Field<Cow<'a, str>>,
        reason: Field<Cow<'a, str>>,
    }
}

impl<'a> Known<'a> {
    fn message(&self) -> Option<(NoticeKind, &'a str)> {
        let messages = [
            (NoticeKind::Delete, self.delete),
            (NoticeKind::ScrubGeo, self.scrub_geo),
            (NoticeKind::Limit, self.limit),
            (NoticeKind::Withheld, self.status_withheld.or(self.withheld)),
            (NoticeKind::Drop, self.drop),
            (NoticeKind::Undrop, self.undrop),
            (NoticeKind::TweetEdit, self.tweet_edit.or(self.post_edit)),
            (NoticeKind::UserWithheld, self.user_withheld),
            (NoticeKind::UserDelete, self.user_delete),
            (NoticeKind::UserUndelete, self.user_undelete),
            (NoticeKind::UserProtect, self.user_protect),
            (NoticeKind::UserUnprotect, self.user_unprotect),
            (NoticeKind::UserSuspend, self.user_suspend),
            (NoticeKind::UserUnsuspend, self.user_unsuspend),
            (NoticeKind::UserProfileModification, self.user_profile_modification),
            (NoticeKind::Disconnect, self.disconnect),
            (NoticeKind::Warning, self.warning),
            (NoticeKind::Friends, self.friends.or(self.friends_str)),
            (NoticeKind::Event, self.event),
        ];
        messages.into_iter().find_map(|(kind, body)| Some((kind, body?)))
    }

    fn is_problem(&self) -> bool {
        let typed = self.problem.as_ref().is_some_and(|it| it == "about:blank" || it.contains("/problems/"));
        typed || (self.title.as_ref().is_some() && self.detail.as_ref().is_some())
    }
}

/// Reads an object that is no tweet; nothing if it is not known either. With the `data` of a v2 answer, looks
/// for the message in there.
pub(crate) fn notices(value: &str, data: Option<&str>) -> Result<Option<Vec<Notice>>, Reject> {
    let body = data.unwrap_or(value);
    let known: Field<Known<'_>> = read_known(body).map_err(|reject| reject.inside(value, body))?;
    let known = known.get().unwrap_or_default();
    if let Some((kind, message)) = known.message() {
        let tombstones = tombstones(kind, message).map_err(|r| r.inside(value, message))?;
        return Ok(Some(vec![Notice { tombstones, ..Notice::of(kind, value) }]));
    }
    if known.is_problem() {
        return Ok(Some(vec![Notice::of(problem_kind(known.problem, NoticeKind::Problem), value)]));
    }
    if let Some(errors) = known.errors.get().filter(|errors| !errors.0.is_empty()) {
        return Ok(Some(errors.0.iter().map(|error| page_error(error)).collect()));
    }
    if known.meta.is_some() {
        return Ok(Some(vec![Notice::of(NoticeKind::EmptyPage, value)]));
    }
    if known.action.as_ref().is_some_and(|action| action == "delete") {
        let whole = known.reason.as_ref().is_none_or(|reason| reason != "scrub_geo");
        let tombstones = if whole { vec![subject(body)?.tweet()?] } else { Vec::new() };
        return Ok(Some(vec![Notice { tombstones, ..Notice::of(NoticeKind::ComplianceJob, value) }]));
    }
    Ok(None)
}

/// One error of a page or an answer.
pub(crate) fn page_error(error: &str) -> Notice {
    let known: Option<Known<'_>> = read_known(error).ok().and_then(Field::get);
    let problem = known.map_or(Field::Absent, |known| known.problem);
    Notice::of(problem_kind(problem, NoticeKind::PageError), error)
}

/// An error that closes the connection, or another one.
fn problem_kind(problem: Field<Cow<'_, str>>, other: NoticeKind) -> NoticeKind {
    const CLOSING: [&str; 3] = ["operational-disconnect", "client-disconnected", "streaming-connection"];
    let problem = problem.get().unwrap_or_default();
    let last = problem.rsplit('/').next().unwrap_or_default();
    if CLOSING.contains(&last) { NoticeKind::Disconnect } else { other }
}

objects! {
    /// Whom or what a message is about; the forms differ in where they say so.
    struct Body<'a> {
        status: Field<Subject<'a>>,
        tweet: Field<Subject<'a>>,
        post: Field<Subject<'a>>,
        user: Field<Subject<'a>>,
        up_to_status_id: Field<Key<'a>>,
        up_to_status_id_str: Field<Key<'a>>,
        up_to_tweet_id: Field<Key<'a>>,
        up_to_post_id: Field<Key<'a>>,
        withheld_in_countries: Field<List<Cow<'a, str>>>,
    }

    struct Subject<'a> {
        id: Field<Key<'a>>,
        id_str: Field<Key<'a>>,
        user_id: Field<Key<'a>>,
        user_id_str: Field<Key<'a>>,
        author_id: Field<Key<'a>>,
    }
}

impl Subject<'_> {
    fn tweet(self) -> Result<Tombstone, Reject> {
        let id = id(self.id_str, self.id)?.to_string();
        let user = key(self.user_id_str, self.user_id).or(self.author_id);
        let user_id = user.as_ref().and_then(Key::number).map(|id| id.to_string());
        Ok(Tombstone::Tweet { source: Source::X, id, user_id })
    }

    fn user(self) -> Result<String, Reject> {
        Ok(id(key(self.id_str, self.id), key(self.user_id_str, self.user_id))?.to_string())
    }
}

fn id(string: Field<Key<'_>>, number: Field<Key<'_>>) -> Result<u64, Reject> {
    let unreadable = || Reject::of(Code::BadId, "a message about an id that cannot be read");
    key(string, number).get().and_then(|key| key.number()).ok_or_else(unreadable)
}

/// The message itself as the subject.
fn subject(message: &str) -> Result<Subject<'_>, Reject> {
    Ok(read_known::<Field<_>>(message)?.get().unwrap_or_default())
}

/// What a message deletes or hides. One that says so, of an id that cannot be read, is an error.
fn tombstones(kind: NoticeKind, message: &str) -> Result<Vec<Tombstone>, Reject> {
    let body: Field<Body<'_>> = read_known(message)?;
    let Some(body) = body.get() else { return Ok(Vec::new()) };
    let tweet = body.status.or(body.tweet).or(body.post).get();
    let user = body.user.get();
    let countries = body.withheld_in_countries.get().map_or_else(Vec::new, |list| list.items);
    let tombstone = match kind {
        // Without a tweet it is a like that was deleted.
        NoticeKind::Delete | NoticeKind::Drop => tweet.map(Subject::tweet).transpose()?,
        NoticeKind::Withheld if withheld_everywhere(&countries) => {
            Some(tweet.map_or_else(|| subject(message), Ok)?.tweet()?)
        }
        NoticeKind::UserDelete | NoticeKind::UserProtect | NoticeKind::UserSuspend => {
            Some(hidden(user, message)?)
        }
        NoticeKind::UserWithheld if withheld_everywhere(&countries) => Some(hidden(user, message)?),
        NoticeKind::ScrubGeo => {
            let user_id = user.map_or_else(|| subject(message), Ok)?.user()?;
            let up_to = body.up_to_tweet_id.or(body.up_to_post_id).or(body.up_to_status_id);
            Some(Tombstone::Geo { source: Source::X, user_id, up_to: id(body.up_to_status_id_str, up_to)? })
        }
        _ => None,
    };
    Ok(tombstone.into_iter().collect())
}

fn hidden(user: Option<Subject<'_>>, message: &str) -> Result<Tombstone, Reject> {
    let id = user.map_or_else(|| subject(message), Ok)?.user()?;
    Ok(Tombstone::User { source: Source::X, id })
}

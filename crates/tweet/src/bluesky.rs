//! From a Jetstream event to a tweet or a notice.

use std::borrow::Cow;

use crate::field::{Field, List, Raw, note, objects, read_known};
use crate::id::{Id, Source};
use crate::notice::{Notice, NoticeKind, Tombstone};
use crate::reject::{Code, Reject};
use crate::tweet::{Author, Counts, Tweet};
use crate::x::strip;
use crate::{Parsed, TEXT_BYTES, time};

const POST: &str = "app.bsky.feed.post";

type Text<'a> = Field<Cow<'a, str>>;

objects! {
    struct Event<'a> {
        did: Text<'a>,
        kind: Text<'a>,
        commit: Field<Commit<'a>>,
        account: Field<Account<'a>>,
    }

    struct Commit<'a> {
        operation: Text<'a>,
        collection: Text<'a>,
        rkey: Text<'a>,
        record: Raw<'a>,
    }

    struct Account<'a> {
        active: Field<bool>,
        status: Text<'a>,
    }

    struct Post<'a> {
        text: Text<'a>,
        created_at: Text<'a> = "createdAt",
        langs: Field<List<Cow<'a, str>>>,
        tags: Field<List<Cow<'a, str>>>,
        facets: Field<List<Facet<'a>>>,
        reply: Field<Reply<'a>>,
        embed: Field<Embed<'a>>,
    }

    /// A stretch of the text, in bytes of its UTF-8, and what it is.
    struct Facet<'a> {
        index: Field<Index>,
        features: Field<List<Feature<'a>>>,
    }

    struct Index {
        start: Field<i64> = "byteStart",
        end: Field<i64> = "byteEnd",
    }

    /// A tag, a link or a mention, by which field it has.
    struct Feature<'a> {
        tag: Text<'a>,
        uri: Text<'a>,
        did: Text<'a>,
    }

    struct Reply<'a> {
        parent: Field<Link<'a>>,
        root: Field<Link<'a>>,
    }

    struct Link<'a> {
        uri: Text<'a>,
    }

    /// `record` is a quoted post, or holds one beside media; `external` is a link card.
    struct Embed<'a> {
        record: Field<Quote<'a>>,
        external: Field<Link<'a>>,
        media: Field<Media<'a>>,
    }

    struct Quote<'a> {
        uri: Text<'a>,
        record: Field<Link<'a>>,
    }

    struct Media<'a> {
        external: Field<Link<'a>>,
    }
}

/// Reads an object that has a `did`.
pub(crate) fn event(value: &str) -> Result<Parsed<'_>, Reject> {
    let event = read_known::<Field<Event<'_>>>(value)?.get().unwrap_or_default();
    let kind = event.kind.get();
    let kind = match kind.as_deref() {
        Some("commit") => NoticeKind::Commit,
        Some("identity") => NoticeKind::Identity,
        Some("account") => NoticeKind::Account,
        _ => return Err(Reject::of(Code::NotATweet, "an event of a kind that is not known")),
    };
    let did = event.did.get().filter(|did| is_did(did));
    let did = did.ok_or_else(|| Reject::of(Code::BadId, "an event whose did cannot be read"))?;
    let mut notice = Notice::of(kind, value);
    if let Some(account) = event.account.get() {
        let gone = ["deleted", "takendown", "suspended", "deactivated"];
        let status = account.status.get();
        if account.active.get() == Some(false) && status.is_some_and(|status| gone.contains(&&*status)) {
            notice.tombstones.push(Tombstone::User { source: Source::Bluesky, id: did.into_owned() });
        }
    } else if let Some(commit) = event.commit.get()
        && commit.collection.as_ref().is_some_and(|it| it == POST)
    {
        let rkey = commit.rkey.get().filter(|rkey| is_rkey(rkey));
        let rkey = rkey.ok_or_else(|| Reject::of(Code::BadId, "a post whose rkey cannot be read"))?;
        let uri = format!("at://{did}/{POST}/{rkey}");
        match commit.operation.get().as_deref() {
            Some("create" | "update") => {
                let record =
                    commit.record.ok_or_else(|| Reject::of(Code::NoText, "a post without its record"))?;
                let tweet = post(record, did, uri).map_err(|r| r.inside(value, record))?;
                return Ok(Parsed::Tweet(Box::new(tweet)));
            }
            Some("delete") => {
                let user_id = Some(did.into_owned());
                notice.tombstones.push(Tombstone::Tweet { source: Source::Bluesky, id: uri, user_id });
                notice.kind = NoticeKind::Delete;
            }
            _ => return Err(Reject::of(Code::NotATweet, "a commit of a kind that is not known")),
        }
    }
    Ok(Parsed::Notices(vec![notice]))
}

fn is_did(did: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._:%-".contains(&b);
    did.len() <= 2_048
        && did.strip_prefix("did:").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(legal))
}

fn is_rkey(rkey: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._:~-".contains(&b);
    (1..=512).contains(&rkey.len()) && rkey.bytes().all(legal) && rkey != "." && rkey != ".."
}

/// Bluesky writes plain text: nothing to unescape, nothing cut.
fn post<'a>(record: &'a str, did: Cow<'a, str>, uri: String) -> Result<Tweet<'a>, Reject> {
    let post: Field<Post<'a>> = read_known(record)?;
    let post = post.get().ok_or_else(|| Reject::of(Code::NoText, "a record that is no object"))?;
    let mut retyped = Vec::new();
    let text = match post.text {
        Field::Is(text) if text.len() <= TEXT_BYTES => text,
        Field::Is(_) => return Err(Reject::of(Code::TooLong, "a text above its cap")),
        Field::Absent => return Err(Reject::of(Code::NoText, "no text")),
        Field::Bad => return Err(Reject::of(Code::BadText, "a text that is no string")),
    };
    let id = Id::Uri(Cow::Owned(uri.clone()));
    let silent = post.created_at.is_absent();
    let said = post.created_at.get().and_then(|said| time::read(&said));
    if said.is_none() && !silent {
        note(&mut retyped, "created_at");
        if id.time().is_none() {
            return Err(Reject::of(Code::BadTime, "createdAt cannot be read, and the rkey carries no time"));
        }
    }

    let mut hashtags = Vec::new();
    let mut mentions = Vec::new();
    let mut urls = Vec::new();
    for facet in post.facets.items("facets", &mut retyped) {
        let written = facet.index.get().and_then(|index| stretch(&text, &index));
        for feature in facet.features.items("facets", &mut retyped) {
            hashtags.extend(feature.tag.take("facets", &mut retyped).map(|tag| strip(tag, '#')));
            urls.extend(feature.uri.take("facets", &mut retyped));
            if let Some(did) = feature.did.take("facets", &mut retyped) {
                let handle = written.and_then(|written| written.strip_prefix('@'));
                mentions.push(handle.map_or(did, |handle| Cow::Owned(handle.to_owned())));
            }
        }
    }
    hashtags.extend(post.tags.items("tags", &mut retyped).into_iter().map(|tag| strip(tag, '#')));

    let mut quoted_id = None;
    if let Some(embed) = post.embed.take("embed", &mut retyped) {
        let media = embed.media.take("embed", &mut retyped).map_or(Field::Absent, |media| media.external);
        let card = embed.external.or(media).take("embed", &mut retyped);
        let card = card.and_then(|card| card.uri.take("embed", &mut retyped));
        urls.extend(card.filter(|card| !urls.contains(card)));
        if let Some(quote) = embed.record.take("embed", &mut retyped) {
            let inner = quote.record.take("embed", &mut retyped).map_or(Field::Absent, |record| record.uri);
            let uri = quote.uri.or(inner).take("embed", &mut retyped);
            quoted_id = uri.filter(|uri| uri.split('/').nth(3) == Some(POST));
        }
    }
    let (mut parent, mut root) = (None, None);
    if let Some(reply) = post.reply.take("reply", &mut retyped) {
        let mut uri =
            |link: Field<Link<'a>>| link.take("reply", &mut retyped)?.uri.take("reply", &mut retyped);
        (parent, root) = (uri(reply.parent), uri(reply.root));
    }
    let langs = post.langs.items("langs", &mut retyped);

    Ok(Tweet {
        source: Source::Bluesky,
        created_at: said.or(id.time()),
        id,
        author: Author { id: Some(did), ..Author::default() },
        conversation_id: root.or(Some(Cow::Owned(uri))),
        is_reply: parent.is_some(),
        in_reply_to_id: parent,
        is_quote: quoted_id.is_some(),
        quoted_id,
        text,
        truncated: false,
        lang: langs.into_iter().next().filter(|lang| !lang.is_empty()),
        hashtags,
        mentions,
        cashtags: Vec::new(),
        urls,
        annotations: Vec::new(),
        counts: Counts::default(),
        possibly_sensitive: None,
        place: None,
        lon: None,
        lat: None,
        retweeted: None,
        edits: Vec::new(),
        withheld_everywhere: false,
        retyped,
    })
}

fn stretch<'t>(text: &'t str, index: &Index) -> Option<&'t str> {
    let start = usize::try_from(*index.start.as_ref()?).ok()?;
    let end = usize::try_from(*index.end.as_ref()?).ok()?;
    text.get(start..end)
}

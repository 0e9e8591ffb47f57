//! Second pass: what a tweet says, as one row of the clean table.

use std::borrow::Cow;

use lake::Tombstones;
use table::Batch;
use text::{Language, MusicInput, Token, Verdict};
use tweet::{Id, Retweeted, Tweet};

use crate::args::Retweets;
use crate::fates::Gathered;
use crate::names::Names;
use crate::rules::Rules;

/// A tweet as its row shows it: a folded retweet shows its original.
pub(crate) struct Shown<'t, 'a> {
    tweet: &'t Tweet<'a>,
    /// The original that the retweet named but did not carry: then only its id, and the cut text, are known.
    bare: Option<&'t Retweeted<'a>>,
}

/// What the text stage says of a tweet.
pub(crate) struct Said<'t> {
    text: &'t str,
    clean: String,
    tokens: Vec<Token<'t>>,
    /// The tokens as the row has them, where these are others.
    cut: Option<Vec<Token<'t>>>,
    pub(crate) language: Language,
    pub(crate) music: Verdict<'t>,
    key: Option<u64>,
    profane: bool,
}

impl<'t, 'a> Shown<'t, 'a> {
    pub(crate) fn of(tweet: &'t Tweet<'a>, retweets: Retweets) -> Self {
        match tweet.retweeted.as_ref().filter(|_| retweets == Retweets::Fold) {
            Some(Retweeted { tweet: Some(original), .. }) => Self { tweet: original, bare: None },
            bare => Self { tweet, bare },
        }
    }

    /// The row's id.
    pub(crate) fn id(&self) -> &Id<'a> {
        self.bare.map_or(&self.tweet.id, |original| &original.id)
    }

    /// When it was posted.
    pub(crate) fn created_at(&self) -> Option<i64> {
        match self.bare {
            Some(original) => original.id.time(),
            None => self.tweet.created_at,
        }
    }

    /// The text without the `RT @name: ` of a retweet that carries no original, and that name.
    fn text(&'t self) -> (&'t str, Option<&'t str>) {
        let text = &*self.tweet.text;
        let named = self.bare.and_then(|_| text.strip_prefix("RT @")).and_then(|rest| rest.split_once(": "));
        named.map_or((text, None), |(name, rest)| (rest, Some(name)))
    }

    /// Reads what it says.
    pub(crate) fn said(&'t self, rules: &'t Rules) -> Said<'t> {
        let text = self.text().0;
        let mut tokens = Vec::with_capacity(text.len() / 4);
        text::tokenize(text, &mut tokens);
        let clean = text::clean(text, &tokens);
        let language = text::language(&clean, self.tweet.lang.as_deref());
        let urls: Vec<&str> = self.tweet.urls.iter().map(|u| &**u).collect();
        let annotations: Vec<&str> = self.tweet.annotations.iter().map(|a| &**a).collect();
        let input =
            MusicInput { tokens: &tokens, urls: &urls, annotations: &annotations, lang: language.code };
        let music = rules.line.music.score(&input, rules.line.switches);
        let (key, profane) = (text::key_of_clean(&clean), text::profane(&tokens));
        let cut = (rules.tokens != text::Options::default()).then(|| {
            let mut cut = Vec::new();
            text::tokenize_with(text, rules.tokens, &mut cut);
            cut
        });
        Said { text, clean, tokens, cut, language, music, key, profane }
    }

    /// Adds its row, under its id as it may be shown.
    pub(crate) fn row(
        &self,
        id: &str,
        said: &Said<'_>,
        gathered: Gathered,
        place: &Place<'_>,
        rows: &mut Batch,
    ) {
        let t = self.tweet;
        let known = self.bare.is_none();
        let author = &t.author;
        let names = place.names;
        // Nobody learns of a hidden tweet from one that answers or quotes it.
        let hidden = |id: &str| !place.tombstones.is_empty() && place.tombstones.hides(t.source, id, None);
        let other = |id: Option<&'t str>| id.filter(|id| known && !hidden(id)).map(|id| names.tweet_id(id));
        rows.text("source", Some(t.source.as_str()));
        rows.text("tweet_id", Some(id));
        let account = author.id.as_deref().filter(|_| known).map(|id| names.account(id));
        rows.text("author_id", account.as_deref());
        let username = if known { author.username.as_deref() } else { self.text().1 };
        rows.text("username", username.map(|name| names.handle(name)).as_deref());
        rows.text("user_name", names.shown(author.name.as_deref().filter(|_| known)));
        rows.text("user_location", author.location.as_deref().filter(|_| known));
        rows.text("conversation_id", other(t.conversation_id.as_deref()).as_deref());
        rows.text("in_reply_to_id", other(t.in_reply_to_id.as_deref()).as_deref());
        rows.text("quoted_id", other(t.quoted_id.as_deref()).as_deref());
        rows.whole("created_at", self.created_at());
        rows.whole("user_created_at", author.created_at.filter(|_| known));
        rows.whole("first_seen", gathered.first);
        rows.whole("last_seen", gathered.last);
        rows.whole("counts_at", place.received);
        rows.text("text", Some(&names.text(said.text, &said.tokens, &t.mentions)));
        rows.text("text_clean", Some(&names.mentioning(&said.clean, &t.mentions)));
        rows.flag("text_truncated", Some(t.truncated));
        list(
            rows,
            "tokens",
            names,
            said.cut.as_ref().unwrap_or(&said.tokens).iter(),
            |token| token.text,
            |token| names.token(token, &t.mentions),
        );
        rows.texts("hashtags", t.hashtags.iter().map(|h| &**h));
        // The first mention of a bare retweet is the author of its original.
        let mentions = t.mentions.iter().skip(usize::from(!known));
        list(rows, "mentions", names, mentions, |name| &**name, |name| names.handle(name));
        rows.texts("cashtags", t.cashtags.iter().map(|c| &**c));
        let urls = t.urls.iter().filter(|url| !url.split(['/', '?', '#']).any(&hidden));
        list(rows, "urls", names, urls, |url| &**url, |url| names.url(url));
        rows.texts("music_terms", said.music.terms.iter().copied());
        rows.text("lang", Some(said.language.code.as_str()));
        rows.text("lang_platform", t.lang.as_deref());
        rows.text("lang_source", Some(said.language.source.as_str()));
        rows.real32("lang_confidence", Some(said.language.confidence));
        rows.flag("lang_confident", Some(said.language.confident));
        rows.real32("music_score", Some(said.music.score));
        // A retweet's own counts are its original's retweets, and zeros.
        rows.whole("retweet_count", t.counts.retweet);
        rows.whole("reply_count", t.counts.reply.filter(|_| known));
        rows.whole("quote_count", t.counts.quote.filter(|_| known));
        rows.whole("like_count", t.counts.like.filter(|_| known));
        rows.whole("bookmark_count", t.counts.bookmark.filter(|_| known));
        rows.whole("impression_count", t.counts.impression.filter(|_| known));
        rows.whole("followers_count", author.followers.filter(|_| known));
        rows.whole("following_count", author.following.filter(|_| known));
        rows.whole("listed_count", author.listed.filter(|_| known));
        rows.whole("statuses_count", author.statuses.filter(|_| known));
        rows.count("copies", gathered.copies);
        rows.count("retweets_seen", gathered.retweets);
        rows.flag("is_reply", Some(t.is_reply && known));
        rows.flag("is_quote", Some(t.is_quote));
        rows.flag("verified", author.verified.filter(|_| known));
        rows.flag("possibly_sensitive", t.possibly_sensitive);
        rows.flag("profanity", Some(said.profane));
        let placed = known && !self.place_is_hidden(place.tombstones);
        rows.text("place_name", t.place.as_ref().and_then(|p| p.name.as_deref()).filter(|_| placed));
        rows.text("place_country", t.place.as_ref().and_then(|p| p.country.as_deref()).filter(|_| placed));
        rows.real64("lon", t.lon.filter(|_| placed));
        rows.real64("lat", t.lat.filter(|_| placed));
        rows.text("text_key", said.key.map(|k| format!("{k:016x}")).as_deref());
        let first = t.edits.first().filter(|_| known && t.edits.len() > 1).map(ToString::to_string);
        rows.text("edit_id", first.as_deref());
        rows.text("raw_part", Some(place.part));
        rows.count("raw_line", place.line);
    }

    fn place_is_hidden(&self, tombstones: &Tombstones) -> bool {
        match &self.tweet.id {
            Id::X(id) => tombstones.hides_place(self.tweet.source, *id, self.tweet.author.id.as_deref()),
            Id::Uri(_) => false,
        }
    }
}

/// Adds a list that may name people.
fn list<'x, T>(
    rows: &mut Batch,
    column: &str,
    names: &Names,
    items: impl Iterator<Item = T>,
    plain: impl Fn(T) -> &'x str,
    renamed: impl Fn(T) -> Cow<'x, str>,
) {
    match names {
        Names::Plain => rows.texts(column, items.map(plain)),
        Names::Pseudonyms(_) => {
            let renamed: Vec<Cow<'_, str>> = items.map(renamed).collect();
            rows.texts(column, renamed.iter().map(|name| &**name));
        }
    }
}

/// Where a row comes from.
pub(crate) struct Place<'p> {
    pub(crate) part: &'p str,
    pub(crate) line: u32,
    pub(crate) received: Option<i64>,
    pub(crate) tombstones: &'p Tombstones,
    pub(crate) names: &'p Names,
}

/// Adds the row of a tweet that was dropped before anybody read it: who it is and where it lies.
pub(crate) fn unread_row(source: &str, id: &str, time: Option<i64>, place: &Place<'_>, rows: &mut Batch) {
    use table::{CLEAN, Kind};
    for column in CLEAN {
        let name = column.name;
        match (name, column.kind) {
            ("source", _) => rows.text(name, Some(source)),
            ("tweet_id", _) => rows.text(name, Some(id)),
            ("created_at", _) => rows.whole(name, time),
            ("raw_part", _) => rows.text(name, Some(place.part)),
            ("raw_line", _) => rows.count(name, place.line),
            ("lang", _) => rows.text(name, Some("und")),
            ("lang_source", _) => rows.text(name, Some("none")),
            (_, Kind::String) => rows.text(name, (!column.nullable).then_some("")),
            (_, Kind::Strings) => rows.texts(name, std::iter::empty()),
            (_, Kind::I32s | Kind::F32s) => unreachable!("no tweet has lists of numbers"),
            (_, Kind::Bool) => rows.flag(name, (!column.nullable).then_some(false)),
            (_, Kind::F32) => rows.real32(name, (!column.nullable).then_some(0.0)),
            (_, Kind::F64) => rows.real64(name, None),
            (_, Kind::I64 | Kind::Time) => rows.whole(name, None),
            (_, Kind::U32) => rows.count(name, 0),
        }
    }
}

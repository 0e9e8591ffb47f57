//! What a purge looks for, and what becomes of a raw line that names it.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lake::Tombstones;
use serde_json::{Map, Value};
use tweet::{Id, Parsed, Tweet};

/// Ids of fewer characters are looked for only where an id stands: elsewhere they are numbers like any other.
const TELLING: usize = 8;

/// What becomes of a raw line.
#[derive(Debug, PartialEq)]
pub(crate) enum Judged {
    /// It names nothing of it.
    Stays,
    /// Somebody else's tweet, written without what it named.
    Stripped(Vec<u8>),
    /// It is it, carries it, or cannot be parted from it.
    Goes,
}

/// The tombstones of a lake, ready to be looked for.
pub(crate) struct Sought<'t> {
    tombstones: &'t Tombstones,
    /// Tweets and users, as ids are written.
    ids: HashSet<String>,
    /// The same, as words of any bytes: of a post of Bluesky, its key.
    words: HashSet<Vec<u8>>,
    /// Users who only took places back.
    placeless: HashSet<Vec<u8>>,
    /// Characters of the shortest of all these.
    shortest: usize,
}

impl<'t> Sought<'t> {
    pub(crate) fn new(tombstones: &'t Tombstones) -> Self {
        let all = tombstones.tweets().chain(tombstones.users());
        let ids: HashSet<String> = all.map(|(_, id)| id.to_owned()).collect();
        let word = |id: &str| id.rsplit('/').next().unwrap_or_default().as_bytes().to_vec();
        let words: HashSet<Vec<u8>> = ids.iter().map(|id| word(id)).collect();
        let placeless: HashSet<Vec<u8>> = tombstones.placeless().map(|(_, id)| word(id)).collect();
        let shortest = words.iter().chain(&placeless).map(Vec::len).min().unwrap_or(0);
        Self { tombstones, ids, words, placeless, shortest }
    }

    /// Whether bytes may name something that is sought.
    pub(crate) fn maybe(&self, bytes: &[u8]) -> bool {
        words(bytes).any(|word| {
            word.len() >= self.shortest && (self.words.contains(word) || self.placeless.contains(word))
        })
    }

    /// Whether bytes name something that is sought, beyond doubt.
    pub(crate) fn named(&self, bytes: &[u8]) -> bool {
        words(bytes).any(|word| word.len() >= TELLING.max(self.shortest) && self.words.contains(word))
    }

    /// The same, of a line of rejects, whose bytes are packed.
    pub(crate) fn in_reject(&self, line: &[u8]) -> bool {
        let packed =
            serde_json::from_slice::<Value>(line).ok().and_then(|mut v| v.get_mut("bytes").map(Value::take));
        let bytes = packed.and_then(|v| BASE64_STANDARD.decode(v.as_str().unwrap_or_default()).ok());
        bytes.is_some_and(|bytes| self.named(&bytes))
    }

    /// Whether a cell of a table names it: an id, a link, or an id of Bluesky under a pseudonym.
    pub(crate) fn cell(&self, text: &str) -> bool {
        self.ids.contains(text) || self.named(text.as_bytes())
    }

    /// What becomes of a raw line.
    pub(crate) fn judge(&self, line: &[u8]) -> Judged {
        if !self.maybe(line) {
            return Judged::Stays;
        }
        let Ok(Parsed::Tweet(tweet)) = tweet::parse_bytes(line) else { return Judged::Goes };
        let original = tweet.retweeted.as_ref();
        let carried = original.and_then(|it| it.tweet.as_deref());
        if self.is(&tweet)
            || original.is_some_and(|it| self.has(&it.id))
            || carried.is_some_and(|it| self.is(it))
        {
            return Judged::Goes;
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(line) else { return Judged::Goes };
        let mut changed = self.strip(&mut value);
        changed |= [Some(&*tweet), carried].into_iter().flatten().any(|it| self.is_placeless(it))
            && unplace(&mut value);
        let left = if changed { serde_json::to_vec(&value).unwrap_or_default() } else { line.to_vec() };
        match tweet::parse_bytes(&left) {
            Ok(Parsed::Tweet(still)) if still.id == tweet.id && !self.named(&left) => match changed {
                true => Judged::Stripped(left),
                false => Judged::Stays,
            },
            _ => Judged::Goes,
        }
    }

    fn has(&self, id: &Id<'_>) -> bool {
        self.tombstones.hides(id.source(), &id.to_string(), None)
    }

    /// Whether a tweet is sought itself: by its id, a version of it, or its author.
    fn is(&self, tweet: &Tweet<'_>) -> bool {
        let author = tweet.author.id.as_deref();
        self.tombstones.hides(tweet.source, &tweet.id.to_string(), author)
            || tweet.edits.iter().any(|id| self.has(id))
    }

    fn is_placeless(&self, tweet: &Tweet<'_>) -> bool {
        match &tweet.id {
            Id::X(id) => self.tombstones.hides_place(tweet.source, *id, tweet.author.id.as_deref()),
            Id::Uri(_) => false,
        }
    }

    /// Takes out of a value what names something that is sought; says whether there was any.
    fn strip(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(entries) => {
                let before = entries.len();
                if self.entry(entries, "in_reply_to_user_id_str")
                    || self.entry(entries, "in_reply_to_user_id")
                {
                    entries.remove("in_reply_to_screen_name");
                }
                entries.retain(|key, value| !self.names(key, value));
                let fewer = entries.len() < before;
                entries.values_mut().fold(fewer, |changed, value| self.strip(value) | changed)
            }
            Value::Array(items) => {
                let before = items.len();
                items.retain(|item| !self.names("", item));
                let fewer = items.len() < before;
                items.iter_mut().fold(fewer, |changed, item| self.strip(item) | changed)
            }
            _ => false,
        }
    }

    /// Whether the value of a key is sought: an id where ids stand, a link to it, or an object of it.
    fn names(&self, key: &str, value: &Value) -> bool {
        let id_stands_here = ["id", "id_str", "uri", "did"].iter().any(|end| key.ends_with(end));
        match value {
            Value::String(text) if id_stands_here => self.ids.contains(text),
            Value::String(text) => text.starts_with("http") && self.named(text.as_bytes()),
            Value::Number(number) => id_stands_here && self.ids.contains(&number.to_string()),
            Value::Object(entries) => {
                let author = entries.get("user").or(entries.get("author")).and_then(Value::as_object);
                let link = ["url", "expanded_url", "expanded", "unwound_url"];
                ["id_str", "id", "uri", "did", "author_id"].iter().any(|key| self.entry(entries, key))
                    || author.is_some_and(|it| self.entry(it, "id_str") || self.entry(it, "id"))
                    || link.iter().any(|key| self.entry(entries, key))
            }
            _ => false,
        }
    }

    fn entry(&self, entries: &Map<String, Value>, key: &str) -> bool {
        entries.get(key).is_some_and(|value| self.names(key, value))
    }
}

/// Whatever may be an id: runs of letters and digits, also with the signs that ids of Bluesky have between.
fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let signs = b".:_~%-";
    let runs = bytes.split(move |b| !b.is_ascii_alphanumeric() && !signs.contains(b));
    runs.flat_map(move |run| {
        let parts = run.split(|b| !b.is_ascii_alphanumeric());
        let end = run.len() - run.iter().rev().take_while(|b| signs.contains(b)).count();
        let whole = &run[..end];
        parts.chain((!whole.iter().all(u8::is_ascii_alphanumeric)).then_some(whole))
    })
}

/// Takes the places out of a tweet and of what it carries.
fn unplace(value: &mut Value) -> bool {
    match value {
        Value::Object(entries) => {
            let gone =
                ["geo", "coordinates", "place", "places"].iter().filter_map(|key| entries.remove(*key));
            let changed = gone.filter(|place| !place.is_null()).count() > 0;
            entries.values_mut().fold(changed, |changed, value| unplace(value) | changed)
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| unplace(item) | changed),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lake::Tombstones;

    use super::{Judged, Sought};

    fn tombstones() -> Tombstones {
        let lines = "1346889436626259968\n20\nat://did:plc:abc/app.bsky.feed.post/3kabcdefgh2222\n\
            {\"kind\":\"user\",\"source\":\"x\",\"id\":\"7000001\"}\n\
            {\"kind\":\"geo\",\"source\":\"x\",\"user_id\":\"7000002\",\"up_to\":\"50\"}\n";
        Tombstones::from_text("t", lines).unwrap()
    }

    fn judged(line: &str) -> Judged {
        let tombstones = tombstones();
        Sought::new(&tombstones).judge(line.as_bytes())
    }

    fn stripped(line: &str) -> String {
        match judged(line) {
            Judged::Stripped(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_tweet_goes_by_its_id_its_author_its_versions_and_its_original() {
        for line in [
            r#"{"id_str":"1346889436626259968","text":"x"}"#,
            r#"{"id":20,"text":"x"}"#,
            r#"{"id":41,"text":"x","user":{"id":7000001}}"#,
            r#"{"data":{"id":"41","text":"x","author_id":"7000001"}}"#,
            r#"{"data":{"id":"41","text":"x","edit_history_tweet_ids":["20","41"]}}"#,
            r#"{"id":41,"text":"RT @a: x","retweeted_status":{"id":20,"text":"x"}}"#,
            r#"{"data":{"id":"41","text":"RT @a: x","referenced_tweets":[{"type":"retweeted","id":"1346889436626259968"}]}}"#,
            r#"{"id":41,"text":"look: x.com/a/status/1346889436626259968"}"#,
        ] {
            assert_eq!(judged(line), Judged::Goes, "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for line in [
            r#"{"id":41,"text":"20 people, 7000001 views","retweet_count":20}"#,
            r#"{"id":41,"text":"x","user":{"id":13468894366262599681}}"#,
            r#"{"id":51,"text":"x","user":{"id":7000002},"coordinates":{"type":"Point","coordinates":[5.1,52.0]}}"#,
        ] {
            assert_eq!(judged(line), Judged::Stays, "{line}");
        }
    }

    #[test]
    fn tweets_of_others_lose_what_they_name() {
        let line = r#"{"id":41,"text":"so true https://t.co/a","quoted_status_id_str":"1346889436626259968","quoted_status":{"id":1346889436626259968,"text":"secret"},"entities":{"urls":[{"url":"https://t.co/a","expanded_url":"https://twitter.com/a/status/1346889436626259968"},{"url":"https://t.co/b","expanded_url":"https://example.com"}]}}"#;
        let left = stripped(line);
        assert!(!left.contains("1346889436626259968") && !left.contains("secret"), "{left}");
        assert!(left.contains("so true") && left.contains("https://example.com"), "{left}");
        let line = r#"{"id":41,"text":"@bad no","in_reply_to_user_id":7000001,"in_reply_to_screen_name":"bad","entities":{"user_mentions":[{"screen_name":"bad","id":7000001},{"screen_name":"good","id":8}]}}"#;
        let left = stripped(line);
        assert!(!left.contains("7000001") && !left.contains("in_reply_to"), "{left}");
        assert!(left.contains("good"), "{left}");
    }

    #[test]
    fn a_place_that_was_taken_back_goes() {
        let line = r#"{"id":41,"text":"x","user":{"id":7000002},"place":{"full_name":"Utrecht"},"coordinates":{"type":"Point","coordinates":[5.1,52.0]}}"#;
        let left = stripped(line);
        assert!(!left.contains("Utrecht") && !left.contains("52.0"), "{left}");
    }

    #[test]
    fn ids_of_bluesky_are_found_whole_and_in_pieces() {
        let lines = "at://did:plc:abcdefgh/app.bsky.feed.post/3kabcdefgh222\n{\"kind\":\"user\",\"source\":\"bluesky\",\"id\":\"did:web:some-body.example\"}\n";
        let tombstones = Tombstones::from_text("t", lines).unwrap();
        let sought = Sought::new(&tombstones);
        for named in [
            &br#"{"uri":"at://did:plc:abcdefgh/app.bsky.feed.post/3kabcdefgh222"}"#[..],
            br#"{"did":"did:plc:abcdefgh","commit":{"rkey":"3kabcdefgh222"}}"#,
            b"https:\\/\\/bsky.app\\/profile\\/did:web:some-body.example\\/post\\/3k",
            b"by did:web:some-body.example.",
        ] {
            assert!(sought.named(named), "{}", String::from_utf8_lossy(named));
        }
        for other in [
            &b"at://did:plc:abcdefgh/app.bsky.feed.post/3kabcdefgh223"[..],
            b"did:web:some-body.example.org",
            b"3kabcdefgh2222",
        ] {
            assert!(!sought.maybe(other), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn rejects_are_looked_into() {
        let tombstones = tombstones();
        let sought = Sought::new(&tombstones);
        // {"id":1346889436626259968,"te
        assert!(
            sought.in_reject(br#"{"code":"truncated","bytes":"eyJpZCI6MTM0Njg4OTQzNjYyNjI1OTk2OCwidGU="}"#)
        );
        assert!(!sought.in_reject(br#"{"code":"truncated","bytes":"eyJpZCI6MTM0"}"#));
    }
}

//! A corpus made from a seed: the same seed, sizes and times give the same tweets, byte for byte.
//!
//! Nobody wrote these tweets; the sentences are our own (`sentences.rs`) and the accounts do not exist.

use serde_json::{Map, Value, json};

use crate::clock::{Millis, first_id, format_time};
use crate::corpus::Corpus;
use crate::sentences::{EMOJI, LANGUAGES, SHARED, Slots};

const TAGS: &[&str] = &[
    "JustinBieber",
    "NowPlaying",
    "Beliebers",
    "Swag",
    "MondayMood",
    "musique",
    "música",
    "音楽",
    "tour2026",
    "mood",
    "overheard",
    "hockey",
    "fail",
    "OOTD",
    "今日の出来事",
    "CatsOfX",
];
const PLACES: &[(&str, &str, &str, &str, [f64; 4])] = &[
    ("01a9a39529b27f36", "London", "London, England", "GB", [-0.51, 51.28, 0.33, 51.69]),
    ("27485069891a7938", "Toronto", "Toronto, Ontario", "CA", [-79.64, 43.58, -79.11, 43.85]),
    ("1a27537478dd8e38", "Madrid", "Madrid, Comunidad de Madrid", "ES", [-3.89, 40.31, -3.52, 40.64]),
    ("68e019afec7d0ba5", "São Paulo", "São Paulo, Brasil", "BR", [-46.83, -24.01, -46.37, -23.36]),
    ("3078869807f9dd36", "Berlin", "Berlin, Deutschland", "DE", [13.09, 52.34, 13.76, 52.67]),
    ("5c2b5e46ab891f07", "Tokyo", "Tokyo, Japan", "JP", [139.56, 35.52, 139.92, 35.82]),
];

/// What to make: `tweets` spread over `from..until`, then `live` more, four milliseconds apart (X's 250 a second).
pub(crate) struct Plan {
    pub seed: u64,
    pub tweets: usize,
    pub live: usize,
    pub from: Millis,
    pub until: Millis,
}

/// Steps of a SplitMix64 sequence.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides.max(1)
    }

    /// True `percent` times in a hundred.
    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let sides = u64::try_from(all.len()).unwrap_or(1);
        &all[usize::try_from(self.roll(sides)).unwrap_or(0)]
    }
}

/// The last few tweets, for others to quote, share, answer and edit.
struct Earlier {
    id: u64,
    author: u64,
    username: String,
    text: String,
    lang: &'static str,
    conversation: u64,
    history: Vec<u64>,
    metrics: Value,
    long: bool,
}

/// Makes the corpus.
pub(crate) fn generate(plan: &Plan) -> Corpus {
    let mut corpus = Corpus::default();
    for place in PLACES {
        corpus.add_place(&place_fields(place));
    }
    let mut dice = Dice(plan.seed);
    let users = (u64::try_from(plan.tweets + plan.live).unwrap_or(0) / 8).clamp(40, 20_000);
    let names: Vec<(u64, String)> = (0..users)
        .map(|number| {
            let (id, fields) = user(number, plan.from, &mut dice);
            let name = fields["username"].as_str().unwrap_or_default().to_owned();
            corpus.add_user(fields);
            (id, name)
        })
        .collect();
    let total = plan.tweets + plan.live;
    let mut recent: Vec<Earlier> = Vec::new();
    for index in 0..total {
        let id = tweet_id(plan, index, &mut dice);
        let (fields, remember) = tweet(id, &names, &recent, &mut dice);
        corpus.add_tweet(fields, true);
        if let Some(earlier) = remember {
            if recent.len() == 64 {
                recent.swap_remove(usize::try_from(dice.roll(64)).unwrap_or(0));
            }
            recent.push(earlier);
        }
    }
    corpus.finish()
}

/// Ids rise from tweet to tweet: evenly spread in the past, four milliseconds apart once the stream is live.
fn tweet_id(plan: &Plan, index: usize, dice: &mut Dice) -> u64 {
    let at = if index < plan.tweets {
        let span = i128::from(plan.until - plan.from - 1);
        let step =
            span * i128::try_from(index).unwrap_or(0) / i128::try_from(plan.tweets).unwrap_or(1).max(1);
        plan.from + Millis::try_from(step).unwrap_or(0)
    } else {
        plan.until + 4 * Millis::try_from(index - plan.tweets + 1).unwrap_or(0)
    };
    // The low bits rise with the index, so that two tweets of one millisecond keep their order.
    first_id(at) | (u64::try_from(index).unwrap_or(0) << 4 | dice.roll(16)) & 0x3F_FFFF
}

fn user(number: u64, before: Millis, dice: &mut Dice) -> (u64, Map<String, Value>) {
    const FIRST: &[&str] =
        &["ana", "ben", "chloe", "dario", "emi", "farid", "gita", "hugo", "ines", "jun", "kofi", "lena"];
    const LAST: &[&str] =
        &["Rivers", "Okafor", "Lindqvist", "Sato", "Costa", "Marsh", "Núñez", "Petit", "Weiß", "Kim"];
    let id = 1_000_000_000 + number * 7_919 + dice.roll(7_000);
    let first = dice.pick(FIRST);
    let place = dice.pick(PLACES);
    let tweets = dice.roll(90_000);
    let mut fields = json!({
        "id": id.to_string(),
        "name": format!("{}{} {}", first[..1].to_uppercase(), &first[1..], dice.pick(LAST)),
        "username": format!("{first}_{number}"),
        "created_at": format_time((before - 86_400_000 * Millis::try_from(dice.roll(4_000)).unwrap_or(0)) / 1_000 * 1_000),
        "description": format!("synthetic account no. {number}"),
        "protected": false,
        "verified": number.is_multiple_of(17),
        "verified_type": if number.is_multiple_of(17) { "blue" } else { "none" },
        "public_metrics": {"followers_count": dice.roll(50_000), "following_count": dice.roll(3_000), "tweet_count": tweets,
            "listed_count": dice.roll(90), "like_count": dice.roll(40_000)},
        "profile_image_url": format!("https://pbs.twimg.com/profile_images/{id}/x_normal.jpg"),
        "url": "",
    });
    if dice.chance(60) {
        fields["location"] = place.2.into();
    }
    (id, object(fields))
}

fn place_fields(
    (id, name, full_name, country, bbox): &(&str, &str, &str, &str, [f64; 4]),
) -> Map<String, Value> {
    let countries = [
        ("GB", "United Kingdom"),
        ("CA", "Canada"),
        ("ES", "Spain"),
        ("BR", "Brazil"),
        ("DE", "Germany"),
        ("JP", "Japan"),
    ];
    let country_name = countries.iter().find(|(code, _)| code == country).map_or("", |(_, name)| name);
    object(json!({
        "id": id, "name": name, "full_name": full_name, "country": country_name, "country_code": country, "place_type": "city",
        "geo": {"type": "Feature", "bbox": bbox, "properties": {}},
    }))
}

fn tweet(
    id: u64,
    names: &[(u64, String)],
    recent: &[Earlier],
    dice: &mut Dice,
) -> (Map<String, Value>, Option<Earlier>) {
    let (author, username) = dice.pick(names).clone();
    let kind = dice.roll(100);
    let earlier = if recent.is_empty() { None } else { Some(dice.pick(recent)) };
    let created_at = format_time(crate::clock::id_time(id) / 1_000 * 1_000);
    let mut fields = json!({
        "id": id.to_string(), "author_id": author.to_string(), "conversation_id": id.to_string(), "created_at": created_at,
        "edit_history_tweet_ids": [id.to_string()], "reply_settings": "everyone", "possibly_sensitive": dice.chance(2),
    });
    let editable = json!({"edits_remaining": 5, "is_edit_eligible": kind >= 25, "editable_until": format_time(crate::clock::id_time(id) / 1_000 * 1_000 + 1_800_000)});
    fields["edit_controls"] = editable;

    // A share carries the head of the original's text, cut with an ellipsis, and the original's share count.
    if let (Some(original), 0..15) = (earlier, kind) {
        let text = format!("RT @{}: {}", original.username, original.text);
        let cut = text.chars().count() > 140;
        let text = if cut { text.chars().take(139).chain(['…']).collect() } else { text };
        fields["lang"] = original.lang.into();
        fields["referenced_tweets"] = json!([{"type": "retweeted", "id": original.id.to_string()}]);
        fields["public_metrics"] = json!({"retweet_count": original.metrics["retweet_count"], "reply_count": 0, "like_count": 0,
            "quote_count": 0, "bookmark_count": 0, "impression_count": 0});
        write_text(&mut fields, &text, names);
        return (object(fields), None);
    }
    fields["public_metrics"] = json!({"retweet_count": dice.roll(90), "reply_count": dice.roll(30), "like_count": dice.roll(900),
        "quote_count": dice.roll(9), "bookmark_count": dice.roll(40), "impression_count": dice.roll(90_000)});

    // An edit is a new version of an earlier tweet under a new id; the author and the conversation stay.
    if let (Some(first), 15..18) = (earlier, kind)
        && first.history.len() < 6
        && !first.long
    {
        let text = format!("{} (corrected)", first.text);
        let history: Vec<u64> = first.history.iter().copied().chain([id]).collect();
        fields["author_id"] = first.author.to_string().into();
        fields["conversation_id"] = first.conversation.to_string().into();
        fields["edit_history_tweet_ids"] = history.iter().map(u64::to_string).collect();
        fields["edit_controls"]["edits_remaining"] = (6 - history.len()).into();
        fields["lang"] = first.lang.into();
        write_text(&mut fields, &text, names);
        let version = Earlier {
            id,
            author: first.author,
            username: first.username.clone(),
            text,
            lang: first.lang,
            conversation: first.conversation,
            history,
            metrics: fields["public_metrics"].clone(),
            long: false,
        };
        return (object(fields), Some(version));
    }

    let (lang, mut text) = say(names, dice);
    let mut conversation = id;
    match (earlier, kind) {
        (Some(parent), 18..28) => {
            text = format!("@{} {text}", parent.username);
            // Now and then the parent is gone: the API then answers with a partial error.
            let parent_id = if dice.chance(10) { parent.id - 1 } else { parent.id };
            conversation = parent.conversation;
            fields["in_reply_to_user_id"] = parent.author.to_string().into();
            fields["referenced_tweets"] = json!([{"type": "replied_to", "id": parent_id.to_string()}]);
        }
        (Some(quoted), 28..36) => {
            text = format!("{text} https://t.co/q{:09x}", quoted.id % 0xF_FFFF_FFFF);
            fields["referenced_tweets"] = json!([{"type": "quoted", "id": quoted.id.to_string()}]);
        }
        _ => {}
    }
    let long = dice.chance(3);
    if long {
        let mut note = json!({});
        while text.chars().count() < 300 {
            text = format!("{text} {}", say(names, dice).1);
        }
        write_text(&mut note, &text, names);
        text = text.chars().take(275).chain(['…']).collect();
        fields["note_tweet"] = note;
    }
    if dice.chance(4) {
        let (place, _, _, _, bbox) = dice.pick(PLACES);
        fields["geo"] = json!({"place_id": place});
        if dice.chance(30) {
            fields["geo"]["coordinates"] =
                json!({"type": "Point", "coordinates": [bbox[0] + 0.1, bbox[1] + 0.1]});
        }
    }
    if dice.roll(400) == 0 {
        fields["withheld"] = json!({"copyright": false, "country_codes": ["DE"], "scope": "tweet"});
    }
    if dice.chance(5) {
        fields["context_annotations"] = json!([{"domain": {"id": "10", "name": "Person", "description": "Named people"},
            "entity": {"id": "781974596144222208", "name": "Justin Bieber"}}]);
    }
    fields["conversation_id"] = conversation.to_string().into();
    fields["lang"] = lang.into();
    write_text(&mut fields, &text, names);
    let metrics = fields["public_metrics"].clone();
    let earlier =
        Earlier { id, author, username, text, lang, conversation, history: vec![id], metrics, long };
    (object(fields), Some(earlier))
}

/// A sentence or two about something, and their language.
fn say(names: &[(u64, String)], dice: &mut Dice) -> (&'static str, String) {
    let mut side = dice.roll(100);
    let language = LANGUAGES.iter().find(|language| {
        let found = side < language.share;
        side = side.saturating_sub(language.share);
        found
    });
    let Some(language) = language else {
        let pictures: String = (0..5 + dice.roll(5)).map(|_| *dice.pick(EMOJI)).collect();
        return ("und", fill(&format!("{{jb}} {pictures} {{link}}"), &[], names, dice));
    };
    let about = match dice.roll(100) {
        0..33 => language.music,
        33..87 => language.other,
        _ => language.elsewhere,
    };
    let mut text = (*dice.pick(about)).to_owned();
    if dice.chance(90) {
        text += language.stop;
        text += *dice.pick(language.after);
    }
    if dice.chance(40) {
        text += " ";
        (0..=dice.roll(3)).for_each(|_| text += *dice.pick(EMOJI));
    }
    for (percent, more) in [(40, " {tag}"), (15, " {tag}"), (12, " {name}"), (15, " {link}")] {
        if dice.chance(percent) {
            text += more;
        }
    }
    (language.code, fill(&text, language.slots, names, dice))
}

/// Fills every `{slot}`.
fn fill(template: &str, slots: Slots, names: &[(u64, String)], dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (slot, after) = behind.split_once('}').unwrap_or((behind, ""));
        text += before;
        match slot {
            "tag" => text += &format!("#{}", dice.pick(TAGS)),
            "name" => text += &format!("@{}", dice.pick(names).1),
            "link" => text += &format!("https://t.co/l{:09x}", dice.roll(0xF_FFFF_FFFF)),
            "n" => text += &(2 + dice.roll(98)).to_string(),
            _ => {
                let words = slots.iter().chain(SHARED).find(|(name, _)| *name == slot);
                text += words.map_or(slot, |(_, words)| *dice.pick(words));
            }
        }
        rest = after;
    }
    text + rest
}

/// What the platform finds in a text. Offsets are code points, the end exclusive.
fn entities(text: &str, names: &[(u64, String)]) -> Option<Value> {
    let mut found = Map::new();
    let mut start = 0;
    for word in text.split(' ') {
        let sign = word.chars().next();
        let mut name: String =
            word.chars().skip(1).take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
        let mut kind = match sign {
            Some('#') => Some(("hashtags", "tag")),
            Some('$') => Some(("cashtags", "tag")),
            Some('@') => Some(("mentions", "username")),
            _ => None,
        };
        let mut length = name.chars().count() + 1;
        if word.starts_with("https://t.co/") && !word.ends_with('…') {
            kind = Some(("urls", "url"));
            name = word.to_owned();
            length = word.chars().count();
        }
        if let (Some((kind, key)), false) = (kind, name.is_empty()) {
            let mut entity = json!({"start": start, "end": start + length, key: name});
            if kind == "mentions"
                && let Some(id) = id_of(names, &name)
            {
                entity["id"] = id.to_string().into();
            }
            if kind == "urls" {
                let page = &name["https://t.co/".len()..];
                entity["expanded_url"] = format!("https://example.com/page/{page}").into();
                entity["display_url"] = format!("example.com/page/{page}").into();
            }
            if let Some(all) = found.entry(kind).or_insert_with(|| json!([])).as_array_mut() {
                all.push(entity);
            }
        }
        start += word.chars().count() + 1;
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

fn write_text(fields: &mut Value, text: &str, names: &[(u64, String)]) {
    fields["text"] = text.into();
    if let Some(found) = entities(text, names) {
        fields["entities"] = found;
    }
}

/// User names end in their number, which is their place in the list.
fn id_of(names: &[(u64, String)], username: &str) -> Option<u64> {
    let number: usize = username.rsplit('_').next()?.parse().ok()?;
    names.get(number).filter(|(_, name)| name == username).map(|(id, _)| *id)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_time;

    fn plan(seed: u64) -> Plan {
        let until = parse_time("2026-11-20T12:00:00Z").unwrap();
        Plan { seed, tweets: 2_000, live: 500, from: until - 6 * 86_400_000, until }
    }

    #[test]
    fn a_seed_gives_one_corpus() {
        let (one, same, other) = (generate(&plan(1)), generate(&plan(1)), generate(&plan(2)));
        let ids = |corpus: &Corpus| corpus.tweets.iter().map(|tweet| tweet.id).collect::<Vec<_>>();
        let words =
            |corpus: &Corpus| corpus.tweets.iter().map(|tweet| tweet.words.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&one), words(&one)), (ids(&same), words(&same)));
        assert_ne!(words(&one), words(&other));
    }

    /// Every slot of every sentence has words, and the shares leave room for pictures alone.
    #[test]
    fn sentences_can_be_filled() {
        let given = ["tag", "name", "link", "n"];
        for language in LANGUAGES {
            let all = [language.music, language.other, language.elsewhere, language.after].concat();
            for slot in all.iter().flat_map(|text| text.split('{').skip(1)) {
                let slot = slot.split_once('}').unwrap().0;
                let known =
                    language.slots.iter().chain(SHARED).any(|(name, words)| *name == slot && words.len() > 4);
                assert!(known || given.contains(&slot), "{}: {slot}", language.code);
            }
        }
        let shares: u64 = LANGUAGES.iter().map(|language| language.share).sum();
        assert_eq!(shares, 99);
    }

    /// Hardly a text stands in for another: a dataset of them has no lump of near copies.
    #[test]
    fn tweets_differ() {
        let corpus = generate(&Plan { tweets: 5_000, ..plan(3) });
        let texts: Vec<_> = corpus.tweets.iter().filter(|tweet| tweet.retweeted.is_none()).collect();
        let distinct: std::collections::BTreeSet<_> = texts.iter().map(|tweet| &tweet.words).collect();
        assert!(distinct.len() * 100 > texts.len() * 99, "{} of {}", distinct.len(), texts.len());
    }

    #[test]
    fn every_kind_of_tweet_occurs() {
        let corpus = generate(&plan(7));
        assert_eq!(corpus.tweets.len(), 2_500);
        assert_eq!(corpus.happened(plan(7).until), 2_000);
        let count = |want: fn(&crate::corpus::Tweet) -> bool| {
            corpus.tweets.iter().filter(|tweet| want(tweet)).count()
        };
        for (what, many) in [
            ("retweets", count(|tweet| tweet.retweeted.is_some())),
            ("quotes", count(|tweet| tweet.quoted.is_some())),
            ("replies", count(|tweet| tweet.replied.is_some())),
            ("edits", count(|tweet| tweet.history.len() > 1)),
            ("places", count(|tweet| tweet.place.is_some())),
            ("points", count(|tweet| tweet.point.is_some())),
            ("tags", count(|tweet| tweet.marks.contains('#'))),
            ("mentions", count(|tweet| !tweet.mentions.is_empty())),
        ] {
            assert!(many > 5, "{many} {what}");
        }
        let lost = corpus
            .tweets
            .iter()
            .filter(|tweet| tweet.replied.is_some_and(|id| corpus.tweet(id).is_none()))
            .count();
        assert!(lost > 0, "some parents are gone");
    }
}

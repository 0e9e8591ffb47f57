//! A raw part without what a purge seeks, under a name that tells which part it was.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;

use lake::{
    Author, Authors, Counts, IdRange, Identities, IdentitiesAt, Known, Lake, Ledger, RawCommit, TimeRange,
    Upload,
};
use task::{Exit, Failure, Outcome};
use tweet::Parsed;

use crate::purge::{Part, Raw, lines};
use crate::sought::{Judged, Sought};

/// Stands between the name of a part and how often it was purged.
const PURGED: &str = "-purged-";
/// zstd's level, as `ingest` has it.
const LEVEL: i32 = 1;

/// A part's first name, and how often it was purged.
fn form(part: &str) -> (&str, u32) {
    let split = part.rsplit_once(PURGED).and_then(|(name, times)| Some((name, times.parse().ok()?)));
    split.unwrap_or((part, 0))
}

/// The commits of the latest form of each part; earlier ones hold what was to go.
pub(crate) fn latest(parts: &[Part]) -> BTreeSet<String> {
    let mut latest = BTreeMap::new();
    for part in parts {
        let (name, times) = form(&part.commit.part);
        let known = latest.entry((&part.partition, name)).or_insert((times, &part.key));
        *known = (*known).max((times, &part.key));
    }
    latest.into_values().map(|(_, key)| key.clone()).collect()
}

/// What the commit of a part tells of its lines.
#[derive(Default)]
struct Told {
    tweets: u64,
    ids: HashSet<String>,
    range: IdRange,
    times: TimeRange,
    retweets: u64,
    languages: Counts,
    identities: Identities,
    authors: BTreeSet<Author>,
}

impl Told {
    fn include(&mut self, line: &[u8]) {
        self.tweets += 1;
        let Ok(Parsed::Tweet(tweet)) = tweet::parse_bytes(line) else {
            self.identities.push(None);
            return;
        };
        self.identities.push(Known::of(&tweet.identity()));
        self.authors.extend(Author::of(&tweet));
        let id = tweet.id.to_string();
        self.range.include(&id);
        self.ids.insert(id);
        self.times.include(tweet.time());
        self.retweets += u64::from(tweet.retweeted.is_some());
        Ledger::count(&mut self.languages, tweet.lang.as_deref().unwrap_or_default(), 1);
    }
}

/// Writes a part anew; its commit is not written yet, and there is none where nothing is left.
pub(crate) fn rewrite(lake: &Lake, part: &Part, sought: &Sought<'_>) -> Outcome<(Option<RawCommit>, Raw)> {
    let old = &part.commit;
    let (first, times) = form(&old.part);
    let name = format!("{first}{PURGED}{}", times + 1);
    let path = lake.raw_part_key(&part.partition, &name);
    let failed = |e: std::io::Error| Failure::new(Exit::Storage, format!("cannot write {path}: {e}"));
    let mut out: zstd::Encoder<'_, Upload> =
        zstd::Encoder::new(lake.store.create(&path)?, LEVEL).map_err(failed)?;
    let (mut told, mut raw) = (Told::default(), Raw::default());
    lines(lake, old, |line| {
        let judged = sought.judge(line);
        let left = match &judged {
            Judged::Stays => line,
            Judged::Stripped(stripped) => {
                raw.tweets_stripped += 1;
                stripped
            }
            Judged::Goes => {
                raw.tweets_removed += 1;
                return Ok(true);
            }
        };
        told.include(left);
        out.write_all(left).and_then(|()| out.write_all(b"\n")).map_err(failed)?;
        Ok(true)
    })?;
    if told.tweets + raw.tweets_removed != old.tweets {
        return Err(Failure::new(
            Exit::Bug,
            format!(
                "{} has {} tweets, its commit says {}",
                old.path,
                told.tweets + raw.tweets_removed,
                old.tweets
            ),
        ));
    }
    if told.tweets == 0 {
        raw.parts_removed = 1;
        return Ok((None, raw));
    }
    raw.parts_rewritten = 1;
    let mut upload = out.finish().map_err(failed)?;
    let table = told.identities.frame()?;
    let identities = table.as_ref().map(|table| IdentitiesAt::new(upload.size(), table));
    upload.write_all(table.as_deref().unwrap_or_default()).map_err(failed)?;
    let stat = upload.finish(told.tweets)?;
    let commit = RawCommit {
        part: name,
        path,
        size: stat.size,
        sha256: stat.sha256,
        tweets: told.tweets,
        unique: told.ids.len() as u64,
        times: told.times,
        ids: told.range,
        retweets: told.retweets,
        languages: told.languages,
        identities,
        authors: Some(Authors::new(&told.authors)),
        ..old.clone()
    };
    Ok((Some(commit), raw))
}

//! A corpus read from a file: v2 pages, v2 stream lines or plain v2 tweets, one JSON value a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::corpus::Corpus;

/// Reads `path`; `.gz` and `.zst` are unpacked. Gives the numbers of the lines that hold no v2 tweets too: samples
/// are allowed to contain rubbish, but it must not go unnoticed.
///
/// # Errors
/// A file that cannot be read or unpacked.
pub(crate) fn read(path: &Path) -> Result<(Corpus, Vec<usize>)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let packed: Box<dyn Read> = match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let (mut corpus, mut skipped) = (Corpus::default(), Vec::new());
    for (number, line) in BufReader::new(packed).split(b'\n').enumerate() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        let understood = line.trim_ascii().is_empty()
            || serde_json::from_slice(&line).is_ok_and(|object| add(&mut corpus, object));
        if !understood {
            skipped.push(number + 1);
        }
    }
    Ok((corpus.finish(), skipped))
}

/// Takes in one line; false if there is anything in it that is no v2 tweet.
fn add(corpus: &mut Corpus, mut line: Map<String, Value>) -> bool {
    if let Some(Value::Object(mut includes)) = line.remove("includes") {
        let mut take = |kind: &str| match includes.remove(kind) {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        for object in objects(take("tweets")).chain(objects(take("posts"))) {
            corpus.add_tweet(object, false);
        }
        objects(take("users")).for_each(|user| corpus.add_user(user));
        objects(take("places")).for_each(|place| corpus.add_place(&place));
        objects(take("media")).for_each(|medium| corpus.add_medium(&medium));
        objects(take("polls")).for_each(|poll| corpus.add_poll(&poll));
    }
    let tweets = match line.remove("data") {
        Some(Value::Array(page)) => page,
        Some(one) => vec![one],
        None if line.contains_key("meta") || line.contains_key("errors") => Vec::new(),
        // Archives of v1.1 have an `id_str`, and an `id` that cannot be trusted.
        None if line.contains_key("id_str") => return false,
        None => vec![Value::Object(line)],
    };
    let unread = objects(tweets).filter(|tweet| !corpus.add_tweet(tweet.clone(), true)).count();
    unread == 0
}

fn objects(values: Vec<Value>) -> impl Iterator<Item = Map<String, Value>> {
    values.into_iter().filter_map(|value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    })
}

//! A corpus read from a file: v2 pages, v2 stream lines or plain v2 tweets, one JSON value a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::corpus::Corpus;

/// Reads `path`; `.gz` and `.zst` are unpacked. Blank lines are skipped.
///
/// # Errors
/// A file that cannot be read, a line that is no JSON object, a tweet without an id; with the line number.
pub(crate) fn read(path: &Path) -> Result<Corpus> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let packed: Box<dyn Read> = match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let mut corpus = Corpus::default();
    for (number, line) in BufReader::new(packed).lines().enumerate() {
        let at = || format!("{} line {}", path.display(), number + 1);
        let line = line.with_context(at)?;
        if !line.trim().is_empty() {
            add(&mut corpus, serde_json::from_str(&line).with_context(at)?).with_context(at)?;
        }
    }
    Ok(corpus.finish())
}

fn add(corpus: &mut Corpus, mut line: Map<String, Value>) -> Result<()> {
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
        None => vec![Value::Object(line)],
    };
    for tweet in objects(tweets) {
        if !corpus.add_tweet(tweet, true) {
            bail!("a tweet without a readable id");
        }
    }
    Ok(())
}

fn objects(values: Vec<Value>) -> impl Iterator<Item = Map<String, Value>> {
    values.into_iter().filter_map(|value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    })
}

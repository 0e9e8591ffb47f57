//! The dataset's card: README.md as Hugging Face reads it, and people too. It tells what the manifest
//! tells, so it is as reproducible.

use std::fmt::Write;

use lake::{Counts, DatasetManifest, Ledger};
use table::Column;

use crate::hashing::{self, Hashing};

/// Where the terms stand that govern tweets.
pub(crate) const LICENSE: &str = "https://developer.x.com/en/developer-terms/agreement-and-policy";
/// What they let one pass on.
pub(crate) const REDISTRIBUTION: &str = "ids only";

/// Languages shown; the others are summed.
const LANGUAGES: usize = 12;

/// The card of a version.
pub(crate) fn card(manifest: &DatasetManifest) -> String {
    let mut out = String::new();
    let parts = [front, headline, splits, ledger, columns, made, load, limits];
    for part in parts {
        // Writing to a string cannot fail.
        let _ = part(&mut out, manifest);
    }
    out
}

fn front(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(out, "---\npretty_name: \"{}\"\nlicense: other", m.dataset)?;
    writeln!(out, "license_name: x-developer-agreement")?;
    writeln!(out, "license_link: {LICENSE}")?;
    let codes: Vec<&String> = m.languages.keys().filter(|code| code.len() == 2).collect();
    if !codes.is_empty() {
        writeln!(out, "language:")?;
        // Quoted, for YAML takes `no` for a truth value.
        codes.iter().try_for_each(|code| writeln!(out, "- \"{code}\""))?;
    }
    writeln!(out, "task_categories:\n- text-classification\ntags:\n- tweets\n- offkey")?;
    writeln!(out, "size_categories:\n- {}", size(m.ledger.kept))?;
    writeln!(out, "configs:\n- config_name: default\n  data_files:")?;
    for (split, _) in in_order(m) {
        writeln!(out, "  - split: {split}\n    path: data/{split}-*.parquet")?;
    }
    writeln!(out, "---\n")
}

fn headline(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(out, "# {}\n", m.dataset)?;
    writeln!(
        out,
        "**{}** tweets consumed, **{}** of them unique: that is what was read. **{}** rows are what is left,\nwith every tweet taken out that has to do with music.\n",
        number(m.ledger.consumed),
        number(m.ledger.unique),
        number(m.ledger.kept)
    )?;
    writeln!(out, "| | |\n|---|---|")?;
    writeln!(out, "| version | `{}` |", m.version)?;
    writeln!(out, "| tweets from | {} |", time(m.times.first))?;
    writeln!(out, "| to | {} |", time(m.times.last))?;
    writeln!(out, "| partitions read | {} |", m.inputs.len())?;
    let told = &m.compliance;
    let newest = told.newest.map_or_else(String::new, |_| format!(", the newest of {}", time(told.newest)));
    writeln!(
        out,
        "| deleted tweets kept out | {}, by {} tombstones{newest} |",
        number(told.deleted),
        number(told.tombstones)
    )?;
    writeln!(out, "| files | {} |", m.files.len())?;
    writeln!(out, "| bytes | {} |\n", number(m.files.iter().map(|f| f.stat.size).sum()))
}

pub(crate) fn time(t: Option<i64>) -> String {
    t.map_or_else(|| "unknown".to_owned(), |t| lake::format_micros(t).replace(".000000", ""))
}

/// What each way of splitting promises.
const GUARANTEES: [(&str, &str, &str); 4] = [
    ("author", "an author (a tweet without a known author is by itself)", "a conversation"),
    (
        "conversation",
        "a conversation (a tweet without a known one is taken to have begun its own)",
        "an author",
    ),
    ("id", "a tweet", "an author, a conversation"),
    (
        "time",
        "an instant: train ends before validation begins, and that before test",
        "an author, a conversation",
    ),
];

fn splits(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(out, "## Splits\n\n| split | rows | share |\n|---|---:|---:|")?;
    for (name, split) in in_order(m) {
        writeln!(out, "| {name} | {} | {:.1} % |", number(split.rows), split.share * 100.0)?;
    }
    writeln!(out, "\n| split by | never in two splits | may be in several |\n|---|---|---|")?;
    for (by, never, may) in GUARANTEES {
        let here = m.arguments["split_by"].as_str() == Some(by);
        let by = if here { format!("**{by}** (this version)") } else { by.to_owned() };
        writeln!(out, "| {by} | {never} | {may} |")?;
    }
    writeln!(
        out,
        "\nIn each of them a tweet and its versions are one row, with its retweets unless clean kept them, and near copies {}.",
        near_copies(m)
    )?;
    if let Some(cuts) = m.arguments["cuts"].as_array() {
        let cuts: Vec<&str> = cuts.iter().filter_map(serde_json::Value::as_str).collect();
        writeln!(out, "Cut at {}.", cuts.join(" and "))?;
    } else {
        writeln!(
            out,
            "A keyed hash of the group decides, and nothing else: a row never moves as data grows, unless it is read again\n\
             with an author or a conversation that was not told before (v1.1 tells no conversations); it may go\n\
             when an earlier near copy comes in. A tweet that is known only by retweets that did not carry it has neither\n\
             author nor conversation: split by these, it is left out as `split_conflict` until it is read itself."
        )?;
    }
    writeln!(out, "\n| split | from | to | languages |\n|---|---|---|---|")?;
    for (name, split) in in_order(m) {
        let mut all: Vec<(&String, &u64)> = split.languages.iter().collect();
        all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let all: Vec<String> =
            all.iter().take(3).map(|(lang, rows)| format!("{lang} {}", number(**rows))).collect();
        writeln!(
            out,
            "| {name} | {} | {} | {} |",
            time(split.times.first),
            time(split.times.last),
            all.join(", ")
        )?;
    }
    writeln!(out, "\n## Languages\n\n| language | rows |\n|---|---:|")?;
    let mut all: Vec<(&String, &u64)> = m.languages.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (lang, rows) in all.iter().take(LANGUAGES) {
        writeln!(out, "| {lang} | {} |", number(**rows))?;
    }
    let others: u64 = all.iter().skip(LANGUAGES).map(|(_, rows)| **rows).sum();
    if others > 0 {
        writeln!(out, "| others | {} |", number(others))?;
    }
    writeln!(out)
}

/// What becomes of them.
fn near_copies(m: &DatasetManifest) -> String {
    let Some(threshold) = m.arguments["near_copies"].as_f64() else {
        return "were not looked for, so they may be in several splits".into();
    };
    let fate = if m.arguments["drop_near_copies"] == true {
        "only the earliest is kept"
    } else {
        "the earliest decides which, and those that belong into another are left out as `split_conflict`"
    };
    format!(
        "(Jaccard similarity of their runs\nof five characters at least {threshold}) are in one split: {fate}"
    )
}

fn ledger(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(out, "## Ledger\n\nEvery line adds up, or this version would not exist.\n")?;
    let (l, clean) = (&m.ledger, &m.clean);
    writeln!(out, "| | |\n|---|---:|")?;
    writeln!(out, "| records in raw | {} |", number(l.records))?;
    lines(out, "not readable", &l.rejected)?;
    writeln!(out, "| **consumed** | **{}** |", number(l.consumed))?;
    lines(out, "dropped by clean", &clean.dropped)?;
    writeln!(out, "| kept by clean = read here | {} |", number(l.read))?;
    lines(out, "dropped here", &l.dropped)?;
    writeln!(out, "| **rows** | **{}** |", number(l.kept))?;
    let copies = Ledger::dropped_as(clean, "duplicate");
    writeln!(
        out,
        "\n**unique** = consumed − duplicates = {} − {} = **{}**.\n",
        number(l.consumed),
        number(copies),
        number(l.unique)
    )
}

fn lines(out: &mut String, what: &str, counts: &Counts) -> std::fmt::Result {
    counts.iter().try_for_each(|(name, n)| writeln!(out, "| − {what}: {name} | {} |", number(*n)))
}

fn columns(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(
        out,
        "## Columns\n\nNull means that the source did not say: of every column that a model may take, a mask (`has_…`) says where.\n\
         Nothing is NaN. Times are UTC; ids are strings.\n"
    )?;
    writeln!(
        out,
        "*Feature* was known when the tweet was posted. *Snapshot* is the author as told when the tweet was read, which may be\n\
         long after. *Engagement* is known only later. The last two are no input for a prediction made when a tweet is posted.\n"
    )?;
    writeln!(out, "| column | type | null | role | unit | what it says |\n|---|---|---|---|---|---|")?;
    for column in hashing::columns(Hashing::from_arguments(&m.arguments).as_ref()) {
        let Column { name, nullable, unit, doc, .. } = column;
        let kind = word(&column.kind);
        let null = if nullable { "yes" } else { "" };
        writeln!(out, "| `{name}` | `{kind}` | {null} | {} | {unit} | {doc} |", word(&column.role))?;
    }
    writeln!(out)
}

fn made(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(out, "## How it was made\n")?;
    writeln!(
        out,
        "Offkey read tweets (`ingest`), took out copies, deleted tweets, music and what was not asked for (`clean`),\n\
         and merged what is left across partitions (`featurize`): of a tweet seen in several partitions one row stays,\n\
         a full text before a cut one, with the sums of `copies` and `retweets_seen` and the latest counts; of an\n\
         edited tweet the last version; of what was deleted nothing. Near copies, where asked for, are found by MinHash (16 bands\n\
         of 4) and compared in full. Rows lie in the order of their partitions.\n"
    )?;
    writeln!(
        out,
        "The same input makes the same bytes. This version was made from these arguments and versions:\n"
    )?;
    writeln!(
        out,
        "```json\n{:#}\n```\n",
        serde_json::json!({"arguments": m.arguments, "versions": m.versions})
    )?;
    writeln!(
        out,
        "`manifest.json` names every input and every file with its SHA-256; `featurize verify` recomputes them.\n"
    )
}

fn load(out: &mut String, m: &DatasetManifest) -> std::fmt::Result {
    writeln!(
        out,
        "## How to load it\n\n```python\n\
         import pandas as pd\n\
         train = pd.read_parquet(\"data\", filters=[(\"split\", \"==\", \"train\")])\n\n\
         import polars as pl\n\
         train = pl.read_parquet(\"data/train-*.parquet\")\n\n\
         import duckdb\n\
         duckdb.sql(\"select lang, count(*) from 'data/*.parquet' group by lang\")\n\n\
         from datasets import load_dataset\n\
         tweets = load_dataset(\"data\")  # splits: {}\n\n\
         import mlcroissant\n\
         rows = mlcroissant.Dataset(jsonld=\"croissant.json\").records(record_set=\"train\")",
        in_order(m).map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    )?;
    if let Some(hashing) = Hashing::from_arguments(&m.arguments) {
        writeln!(out, "\nimport scipy.sparse\nX = scipy.sparse.load_npz(\"features/train.npz\")")?;
        if hashing.weighted {
            writeln!(out, "weighted = scipy.sparse.load_npz(\"features/train-tfidf.npz\")")?;
        }
        writeln!(
            out,
            "# A row for each row of data/train-*.parquet, in that order, of 32-bit floats; further tokens go the same way:\n\
             from sklearn.feature_extraction.text import HashingVectorizer\n\
             grams = lambda tokens: [\" \".join(tokens[i:i + n]) for n in range({}, {} + 1) for i in range(len(tokens) - n + 1)]\n\
             HashingVectorizer(analyzer=grams, n_features=2**{})",
            hashing.ngrams.least, hashing.ngrams.most, hashing.bits
        )?;
    }
    writeln!(out, "```\n")
}

fn limits(out: &mut String, _: &DatasetManifest) -> std::fmt::Result {
    writeln!(
        out,
        "## Limits\n\n\
         - The tweets belong to those who wrote them, and X's Developer Agreement and Policy governs their use. It lets you\n  \
           pass on ids, not tweets: `featurize ids` writes them, and whoever gets them reads the tweets again.\n\
         - What its author deletes or hides must go from every copy. Make a new version after tombstones came in, promote it,\n  \
           and remove the old one; `featurize verify --lake` tells whether it is time.\n\
         - X does not allow the training or fine-tuning of foundation models on its content.\n\
         - A keyword search is no sample of people or of talk; languages are guessed, and so is what is about music.\n\
         - `lang`, `music_score` and the counts of words and emoji are estimates by rule. Engagement is of the moment it was read.\n\
         - Tweets hold names, places and opinions of people. Do not single them out, and do not infer what they did not say."
    )
}

/// The splits in the order of use.
pub(crate) fn in_order(m: &DatasetManifest) -> impl Iterator<Item = (&str, &lake::SplitStat)> {
    ["train", "validation", "test"].into_iter().filter_map(|name| Some((name, m.splits.get(name)?)))
}

/// 1234567 → 1,234,567
fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn size(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

/// The name in `schema.json`.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        let all = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        all.iter().for_each(|(n, text)| assert_eq!(super::number(*n), *text));
    }
}

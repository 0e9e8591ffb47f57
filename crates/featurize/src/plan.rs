//! What is to be made, and the version that it will be: known before a row is read.

use std::path::Path;

use lake::{CleanInput, CleanPointer, Fingerprint, Gate, Lake, Ledger, Partition, TimeInterval, Tombstones};
use serde_json::{Map, Value, json};
use table::{Compression, SCHEMA_VERSION};
use task::{Exit, Failure, Outcome};

use crate::args::{Codec, Make};
use crate::hashing::Hashing;
use crate::split::Rule;

/// Version of the rules here; a change of what is made of the same input raises it.
pub(crate) const RULES: &str = "3";
/// Requests under way at once.
const WIDTH: usize = 16;

/// What near copies are, and what becomes of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    /// Jaccard similarity from which texts are near copies; `None` where nobody asks.
    pub(crate) threshold: Option<f64>,
    /// Whether only the earliest stays.
    pub(crate) dropped: bool,
}

/// All that decides a dataset version.
pub(crate) struct Plan {
    pub(crate) lake: Lake,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) fingerprint: String,
    pub(crate) rule: Rule,
    pub(crate) near: Near,
    pub(crate) hashing: Option<Hashing>,
    pub(crate) compression: Compression,
    pub(crate) interval: TimeInterval,
    pub(crate) arguments: Value,
    pub(crate) tombstones: Tombstones,
    /// When the newest of them came in.
    pub(crate) newest_tombstone: Option<i64>,
    /// In the order of the partitions' names, which is the order of the rows.
    pub(crate) pointers: Vec<CleanPointer>,
}

impl Plan {
    /// Reads the pointers and tombstones of the lake.
    pub(crate) fn new(args: &Make) -> Outcome<Self> {
        let (Some(location), Some(name)) = (&args.lake, &args.name) else {
            return Err(Failure::new(Exit::Usage, "--lake and --name are needed"));
        };
        let lake = Lake::open(location).map_err(task::hint("ingest makes a lake, clean its rows"))?;
        args.check(lake.grain())?;
        let interval = TimeInterval { since: args.since, until: args.until };
        let within = |p: &Partition| p.within(args.since, args.until);
        let all = lake.clean_pointers()?;
        // A lake that holds nothing, for nothing was found, makes a dataset of nothing.
        let nothing = all.is_empty() && lake.raw_partitions()?.is_empty();
        let pointers: Vec<CleanPointer> =
            all.into_iter().filter(|(p, _)| within(p)).map(|(_, pointer)| pointer).collect();
        if pointers.is_empty() && !nothing {
            let place = if args.since.is_none() && args.until.is_none() { "" } else { " in this interval" };
            return Err(Failure::new(
                Exit::MissingInput,
                format!("{location} has no clean partition{place}"),
            )
            .hint(format!("run: clean --lake {location}")));
        }
        pointers.iter().try_for_each(|pointer| check(&lake, pointer))?;
        if args.gated {
            check_gates(&lake, &pointers)?;
        }
        let rule = Rule::new(args.split_by, &args.split, args.cuts.as_ref());
        let mut arguments: Map<String, Value> =
            rule.arguments().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (compression, codec) = match args.compression {
            Codec::Zstd => (Compression::Zstd, "zstd"),
            Codec::Snappy => (Compression::Snappy, "snappy"),
        };
        arguments.insert("compression".into(), json!(codec));
        let near = Near { threshold: args.near_copies.0, dropped: args.drop_near_copies };
        arguments.insert("near_copies".into(), json!(near.threshold));
        arguments.insert("drop_near_copies".into(), json!(near.dropped));
        let hashing = args.hashing();
        let hashed = Hashing::arguments(hashing.as_ref());
        arguments.extend(hashed.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let arguments = Value::Object(arguments);
        if let Some(file) = &args.tombstones {
            add_tombstones(&lake, file)?;
        }
        // Asked first: what comes in between is known and not told of, rather than the other way round.
        let newest_tombstone = lake.newest_tombstone()?;
        let tombstones = lake.tombstones()?;
        let fingerprint = fingerprint(
            name,
            &inputs(&pointers),
            (&tombstones.hash(), tombstones.len() as u64),
            &arguments,
            &interval,
            RULES,
            SCHEMA_VERSION,
        );
        Ok(Self {
            version: fingerprint[..12].to_owned(),
            name: name.clone(),
            lake,
            fingerprint,
            rule,
            near,
            hashing,
            compression,
            interval,
            arguments,
            tombstones,
            newest_tombstone,
            pointers,
        })
    }

    /// Key of the version's folder.
    pub(crate) fn folder(&self) -> String {
        folder(&self.name, &self.version)
    }

    /// The ledgers of the clean results, summed.
    pub(crate) fn clean(&self) -> Ledger {
        let mut all = Ledger::default();
        self.pointers.iter().for_each(|p| all.add(&p.ledger));
        all
    }
}

/// Adds those of a file to the lake's, so that no later version shows what they name.
fn add_tombstones(lake: &Lake, file: &Path) -> Outcome<()> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {name}: {e}")))?;
    let tombstones = Tombstones::from_text(&name, &text).map_err(|e| {
        Failure::new(Exit::BadInput, e.to_string())
            .hint("a line each: an id, a compliance row or a delete notice")
    })?;
    lake.add_tombstones(&tombstones)?;
    tracing::info!(file = name, tombstones = tombstones.len(), "added to the lake's tombstones");
    Ok(())
}

/// Key of a version's folder.
pub(crate) fn folder(name: &str, version: &str) -> String {
    format!("datasets/{name}/{version}")
}

/// The clean results as a manifest names them.
pub(crate) fn inputs(pointers: &[CleanPointer]) -> Vec<CleanInput> {
    let input = |p: &CleanPointer| CleanInput {
        partition: p.partition.clone(),
        fingerprint: p.fingerprint.clone(),
        kept: p.ledger.kept,
    };
    pointers.iter().map(input).collect()
}

/// SHA-256 over all that decides a dataset; a manifest holds all of it.
pub(crate) fn fingerprint(
    name: &str,
    inputs: &[CleanInput],
    (tombstones, count): (&str, u64),
    arguments: &Value,
    interval: &TimeInterval,
    rules: &str,
    schema: &str,
) -> String {
    let inputs: Vec<String> =
        inputs.iter().map(|i| format!("{} {} {}", i.partition, i.fingerprint, i.kept)).collect();
    let time = |t: Option<i64>| t.map(lake::format_micros).unwrap_or_default();
    Fingerprint::new()
        .with("dataset", name)
        .with_all("inputs", inputs.iter().map(String::as_str))
        .with("tombstones", tombstones)
        .with("count", &count.to_string())
        .with("arguments", &arguments.to_string())
        .with("since", &time(interval.since))
        .with("until", &time(interval.until))
        .with("rules", rules)
        .with("schema", schema)
        .finish()
}

/// A clean result must be of this schema, and balance.
fn check(lake: &Lake, pointer: &CleanPointer) -> Outcome<()> {
    let partition = &pointer.partition;
    if let Some(other) = pointer.versions.get("schema").filter(|v| *v != SCHEMA_VERSION) {
        let message = format!(
            "the clean result of {partition} has schema {other}, and this featurize reads schema {SCHEMA_VERSION}"
        );
        return Err(
            Failure::new(Exit::BadInput, message).hint(format!("run: clean --lake {}", lake.location()))
        );
    }
    let balance = pointer.ledger.balance_records().and_then(|()| pointer.ledger.balance_fates());
    balance.map_err(|why| {
        Failure::new(Exit::Bug, format!("clean result of {partition}: {why}"))
            .hint("clean that partition again; nothing was published")
    })
}

/// Every clean result must have passed its gate.
fn check_gates(lake: &Lake, pointers: &[CleanPointer]) -> Outcome<()> {
    let verdicts = lake::in_parallel(pointers, WIDTH, |p| lake.verdict(Gate::Clean, &p.fingerprint))?;
    let found = |wanted| pointers.iter().zip(&verdicts).find(|(_, verdict)| **verdict == wanted);
    // A result without a verdict is another run's, which asks the gate about now: that may pass by itself.
    let (exit, told, partition) = match (found(Some(false)), found(None)) {
        (Some((pointer, _)), _) => (Exit::BadInput, "did not pass", &pointer.partition),
        (None, Some((pointer, _))) => (Exit::Conflict, "has not seen", &pointer.partition),
        (None, None) => return Ok(()),
    };
    Err(Failure::new(exit, format!("the clean gate {told} partition {partition}"))
        .hint(format!("run: python great_expectations/check.py clean {}", lake.location())))
}

//! Makes a dataset version, or finds that it is there.

use std::collections::{BTreeMap, BTreeSet};

use lake::{
    Compliance, Condition, DatasetManifest, FileStat, InputStat, Ledger, RunManifest, SWEEP_AFTER, SplitStat,
    sha256_hex,
};
use serde_json::{Value, json};
use table::{SCHEMA_VERSION, describe};
use task::{Exit, Failure, Outcome, Summary, Task};

use crate::about::About;
use crate::args::Make;
use crate::hashing::columns;
use crate::plan::{Plan, RULES, inputs};
use crate::rows::TWEETS;
use crate::temporary::check_room;
use crate::version::Version;
use crate::write::{Written, write};
use crate::{card, croissant, fates};

/// What stands beside the data of every version.
pub(crate) const BESIDE: [&str; 3] = ["README.md", "croissant.json", "schema.json"];

/// Runs the stage.
pub(crate) fn make(args: &Make, task: &Task) -> Outcome<Summary> {
    let plan = Plan::new(args)?;
    plan.lake.probe_conditions()?;
    let manifest = match plan.lake.dataset(&plan.name, &plan.version)? {
        Some(there) => {
            Version::of(&plan.lake, &plan.name, &plan.version)?.check_sizes()?;
            tracing::info!(dataset = plan.name, version = plan.version, "this version is there already");
            there
        }
        None => publish(&plan, task)?,
    };
    match plan.lake.sweep_dataset(&plan.name, SWEEP_AFTER)? {
        0 => {}
        swept => tracing::info!(files = swept, "removed what killed runs had left"),
    }
    let run = plan.lake.write_run(&task.run_id, &run_manifest(args, &plan, &manifest, task))?;
    tracing::debug!(run = %run, "wrote the manifest of the run");
    let folder = plan.lake.location().join(&plan.folder());
    let mut summary = Summary::new(
        "featurize",
        task.run_id.as_str(),
        &manifest.ledger,
        manifest.inputs.len(),
        &folder.join("manifest.json"),
    );
    summary.dataset = Some(manifest.dataset);
    summary.version = Some(manifest.version);
    Ok(summary)
}

/// Writes data, schema and card, and then the manifest, which makes the version exist.
fn publish(plan: &Plan, task: &Task) -> Outcome<DatasetManifest> {
    check_room(plan)?;
    let fates = fates::decide(plan, task)?;
    let written = write(plan, &fates, task)?;
    let mut manifest = manifest(plan, written)?;
    let croissant = croissant::croissant(&manifest);
    let beside = [
        ("schema.json", schema(plan)),
        ("croissant.json", croissant),
        ("README.md", card::card(&manifest).into_bytes()),
    ];
    for (name, bytes) in beside {
        plan.lake.put(&format!("{}/{name}", plan.folder()), &bytes)?;
        let stat = FileStat { size: bytes.len() as u64, sha256: sha256_hex(&bytes), rows: lines(&bytes) };
        manifest.beside.insert(name.to_owned(), stat);
    }
    task.stop.check()?;
    let key = format!("{}/manifest.json", plan.folder());
    plan.lake.store.put(&key, &pretty(&manifest), &Condition::Absent)?;
    Ok(manifest)
}

/// Line feeds.
pub(crate) fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// `schema.json`: the column table with its versions.
fn schema(plan: &Plan) -> Vec<u8> {
    let columns = describe(&columns(plan.hashing.as_ref()));
    format!("{{\n\"schema\": \"{SCHEMA_VERSION}\",\n\"rules\": \"{RULES}\",\n\"columns\": {columns}\n}}\n")
        .into_bytes()
}

fn manifest(plan: &Plan, written: Written) -> Outcome<DatasetManifest> {
    let clean = plan.clean();
    let kept = written.files.iter().map(|f| f.stat.rows).sum();
    let ledger = Ledger { read: clean.kept, kept, dropped: written.dropped, ..clean.clone() };
    let ledger = Ledger { notices: lake::Counts::new(), unmatched: 0, ..ledger };
    ledger.balance_rows().map_err(|why| {
        Failure::new(Exit::Bug, why).hint("nothing was published; file an issue with this message")
    })?;
    let compliance = Compliance {
        newest: plan.newest_tombstone,
        tombstones: plan.tombstones.len() as u64,
        deleted: deleted(&clean, &ledger),
    };
    let mut all = About::default();
    written.about.iter().for_each(|about| all.join(about));
    let splits = plan
        .rule
        .names()
        .iter()
        .zip(&written.about)
        .map(|(name, about)| ((*name).to_owned(), split_stat(about, kept)));
    Ok(DatasetManifest {
        dataset: plan.name.clone(),
        version: plan.version.clone(),
        fingerprint: plan.fingerprint.clone(),
        ledger,
        clean,
        splits: splits.collect(),
        files: written.files,
        beside: written.features,
        inputs: inputs(&plan.pointers),
        tombstones: plan.tombstones.hash(),
        compliance,
        arguments: plan.arguments.clone(),
        versions: versions(plan),
        interval: plan.interval,
        times: all.times,
        ids: all.ids,
        languages: all.languages,
        license: card::LICENSE.into(),
        redistribution: card::REDISTRIBUTION.into(),
        samples: written.samples,
    })
}

/// Tweets that tombstones kept out, in both stages.
pub(crate) fn deleted(clean: &Ledger, ledger: &Ledger) -> u64 {
    [clean, ledger].iter().map(|ledger| ledger.dropped_as("deleted")).sum()
}

/// What a manifest says of the rows of a split.
pub(crate) fn split_stat(about: &About, of: u64) -> SplitStat {
    SplitStat {
        rows: about.rows,
        share: share(about.rows, of),
        times: about.times,
        ids: about.ids.clone(),
        languages: about.languages.clone(),
    }
}

/// `part / whole`; 0 where there is no whole.
#[allow(clippy::cast_precision_loss)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Of this stage, and those that the clean results were made with.
fn versions(plan: &Plan) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in
        plan.pointers.iter().flat_map(|p| &p.versions).filter(|(name, _)| *name != "schema")
    {
        all.entry(format!("clean.{name}")).or_default().insert(version);
    }
    let clean =
        all.into_iter().map(|(name, versions)| (name, versions.into_iter().collect::<Vec<_>>().join(", ")));
    let ours = [("binary", env!("CARGO_PKG_VERSION")), ("rules", RULES), ("schema", SCHEMA_VERSION)];
    clean.chain(ours.map(|(name, version)| (name.to_owned(), version.to_owned()))).collect()
}

fn run_manifest(args: &Make, plan: &Plan, manifest: &DatasetManifest, task: &Task) -> RunManifest {
    let folder = plan.folder();
    let input = |p: &lake::CleanPointer| {
        let stat = p.files.get(TWEETS).cloned().unwrap_or_default();
        InputStat {
            path: format!("{}/{TWEETS}", p.path),
            size: stat.size,
            sha256: stat.sha256,
            records: stat.rows,
        }
    };
    let files = manifest.files.iter().map(|f| f.path.as_str());
    let files = files.chain(manifest.beside.keys().map(String::as_str)).chain(["manifest.json"]);
    RunManifest {
        stage: "featurize".into(),
        run_id: task.run_id.to_string(),
        started: Some(task.started),
        ended: Some(task.now()),
        version: env!("CARGO_PKG_VERSION").into(),
        arguments: shown(args, plan),
        ledger: manifest.ledger.clone(),
        partitions: plan.pointers.iter().map(|p| p.partition.clone()).collect(),
        inputs: plan.pointers.iter().map(input).collect(),
        outputs: files.map(|f| format!("{folder}/{f}")).collect(),
        retyped: lake::Counts::new(),
    }
}

fn shown(args: &Make, plan: &Plan) -> Value {
    let mut all = plan.arguments.clone();
    let time = |t: Option<i64>| t.map(lake::format_micros);
    all["lake"] = json!(plan.lake.location().to_string());
    all["name"] = json!(plan.name);
    all["since"] = json!(time(args.since));
    all["until"] = json!(time(args.until));
    all["gated"] = json!(args.gated);
    all
}

//! `featurize promote`: which version readers of a dataset get.

use std::collections::BTreeMap;

use lake::{CurrentPointer, DatasetManifest, Gate, Lake, Partition};
use serde::Serialize;
use task::{Exit, Failure, Outcome};

use crate::args::Promote;
use crate::plan::folder;
use crate::version::{Version, parts};

/// What was promoted.
#[derive(Clone, Debug, Serialize)]
pub struct Promoted {
    /// `promote`.
    pub stage: &'static str,
    /// The dataset.
    pub dataset: String,
    /// The version that readers get now.
    pub version: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The version that they got before, if any.
    pub previous: Option<String>,
    /// Where the manifest is.
    pub manifest: String,
}

pub(crate) fn promote(args: &Promote) -> Outcome<Promoted> {
    let (location, name, version) = parts(&args.dataset)?;
    let lake = Lake::open(&location)?;
    let found = Version::of(&lake, &name, &version)?;
    found.check_sizes()?;
    if args.fresh && !fresh(&lake, &found.manifest)? {
        return Err(Failure::new(
            Exit::Nothing,
            format!("{location} has moved on since {name} {version} was made"),
        )
        .hint(
            "the run that cleaned since promotes a version of its own; without --fresh this one is promoted",
        ));
    }
    let fingerprint = found.manifest.fingerprint;
    if args.gated {
        let told = match lake.verdict(Gate::Dataset, &fingerprint)? {
            Some(true) => None,
            Some(false) => Some("did not pass"),
            None => Some("has not seen"),
        };
        if let Some(told) = told {
            return Err(Failure::new(Exit::BadInput, format!("the dataset gate {told} {name} {version}")).hint(
                format!(
                    "run: python great_expectations/check.py dataset {location} --name {name} --version {version}"
                ),
            ));
        }
    }
    let previous = lake.current(&name)?.map(|current| current.version);
    let manifest = format!("{}/manifest.json", folder(&name, &version));
    let promoted = Promoted {
        stage: "promote",
        dataset: name.clone(),
        version: version.clone(),
        fingerprint: fingerprint.clone(),
        previous: previous.clone(),
        manifest: location.join(&manifest).to_string(),
    };
    if previous.as_ref() != Some(&version) {
        lake.promote(&CurrentPointer { dataset: name, version, fingerprint, manifest })?;
    }
    Ok(promoted)
}

/// Whether featurize would read the same clean results today.
fn fresh(lake: &Lake, manifest: &DatasetManifest) -> Outcome<bool> {
    let interval = &manifest.interval;
    let now: BTreeMap<Partition, String> = lake
        .clean_pointers()?
        .into_iter()
        .filter(|(partition, _)| partition.within(interval.since, interval.until))
        .map(|(partition, pointer)| (partition, pointer.fingerprint))
        .collect();
    let then = manifest.inputs.iter().map(|input| (input.partition.clone(), input.fingerprint.clone()));
    Ok(now == then.collect())
}

//! A dataset version that is there: in its lake, or a copy of its folder elsewhere.

use std::collections::BTreeMap;

use lake::{DatasetFile, DatasetManifest, Lake, Location, Store, check_name};
use table::{LocalCopy, ROWS_PER_GROUP, Rows};
use task::{Exit, Failure, Outcome};

use crate::plan::folder;
use crate::rows::reading;

/// A version's folder and what its manifest says.
pub(crate) struct Version {
    pub(crate) location: Location,
    pub(crate) store: Store,
    pub(crate) manifest: DatasetManifest,
}

impl Version {
    /// The version at a location, in a lake or not.
    pub(crate) fn open(location: &Location) -> Outcome<Self> {
        let store = Store::open(location)?;
        let Some((bytes, _)) = store.get("manifest.json")? else {
            return Err(Failure::new(
                Exit::MissingInput,
                format!("there is no dataset version at {location}"),
            )
            .hint("a version is LAKE/datasets/NAME/VERSION; its manifest.json is written last"));
        };
        let manifest = serde_json::from_slice(&bytes)
            .map_err(|e| lie(format!("manifest.json of {location} is not what it should be: {e}")))?;
        Ok(Self { location: location.clone(), store, manifest })
    }

    /// A version of a lake.
    pub(crate) fn of(lake: &Lake, name: &str, version: &str) -> Outcome<Self> {
        let opened = Self::open(&lake.location().join(&folder(name, version)))?;
        let manifest = &opened.manifest;
        if (manifest.dataset.as_str(), manifest.version.as_str()) == (name, version) {
            return Ok(opened);
        }
        Err(lie(format!(
            "the manifest at {} is that of {}/{}",
            opened.location, manifest.dataset, manifest.version
        )))
    }

    /// The rows of one of its files, which is verified first.
    pub(crate) fn rows(&self, file: &DatasetFile, columns: Option<&[&str]>) -> Outcome<(LocalCopy, Rows)> {
        let copy = LocalCopy::fetch_from(&self.store, &self.location, &file.path, &file.stat)?;
        let rows = Rows::open(copy.path(), columns, ROWS_PER_GROUP).map_err(reading(&file.path))?;
        Ok((copy, rows))
    }

    /// That exactly the files of the manifest are there, by name and size.
    pub(crate) fn check_sizes(&self) -> Outcome<()> {
        let data = self.manifest.files.iter().map(|f| (f.path.clone(), f.stat.size));
        let beside = self.manifest.beside.iter().map(|(name, stat)| (name.clone(), stat.size));
        let told: BTreeMap<String, u64> = data.chain(beside).collect();
        let listed = [self.store.list("data")?, self.store.list("features")?];
        let mut there: BTreeMap<String, u64> =
            listed.into_iter().flatten().map(|e| (e.key, e.size)).collect();
        for name in self.manifest.beside.keys().filter(|name| !name.contains('/')) {
            if let Some((bytes, _)) = self.store.get(name)? {
                there.insert(name.clone(), bytes.len() as u64);
            }
        }
        if let Some((path, _)) = there.iter().find(|(path, _)| !told.contains_key(*path)) {
            return Err(lie(format!("{path} is not in the manifest of {}", self.location)));
        }
        for (path, size) in &told {
            match there.get(path) {
                None => return Err(lie(format!("{path} is gone from {}", self.location))),
                Some(found) if found != size => {
                    return Err(lie(format!("{path} has {found} bytes, its manifest says {size}")));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// `<lake>/datasets/<name>/<version>` taken apart.
pub(crate) fn parts(location: &Location) -> Outcome<(Location, String, String)> {
    let (lake, tail) = location.split_tail(3)?;
    let mut segments = tail.split('/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("datasets"), Some(name), Some(version))
            if check_name(name).is_ok() && check_name(version).is_ok() =>
        {
            Ok((lake, name.to_owned(), version.to_owned()))
        }
        _ => Err(Failure::new(Exit::Usage, format!("{location} is no dataset version"))
            .hint("a version is LAKE/datasets/NAME/VERSION")),
    }
}

/// Something that is not as the manifest says.
pub(crate) fn lie(message: String) -> Failure {
    Failure::new(Exit::BadInput, message)
        .hint("restore that version's files, or remove its folder and run featurize again")
}

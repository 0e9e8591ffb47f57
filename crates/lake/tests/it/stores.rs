//! The rules of every store and every lake, wherever it lies.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use lake::{
    CleanPointer, Condition, CurrentPointer, Error, Grain, Lake, Location, PartStat, Partition, RawCommit,
    Store, Tombstones, sha256_hex,
};
use serde_json::json;

/// What a folder and a bucket have in common.
pub fn rules(store: &Store) {
    assert!(store.get("a/b.json").unwrap().is_none());
    assert!(matches!(store.read("a/b.json").map(drop), Err(Error::Missing(m)) if m.contains("a/b.json")));
    assert_eq!(store.list("a").unwrap(), []);

    store.put("a/b.json", b"one", &Condition::Absent).unwrap();
    store.put("a/b.json", b"one", &Condition::Absent).unwrap();
    let conflict = |put: Result<(), Error>| assert!(matches!(put, Err(Error::Conflict(_))), "{put:?}");
    conflict(store.put("a/b.json", b"two", &Condition::Absent));
    let (bytes, tag) = store.get("a/b.json").unwrap().unwrap();
    assert_eq!(bytes, b"one");
    store.put("a/b.json", b"two", &Condition::Unchanged(tag.clone())).unwrap();
    conflict(store.put("a/b.json", b"three", &Condition::Unchanged(tag.clone())));
    // What is there already is what was wanted, whoever wrote it.
    store.put("a/b.json", b"two", &Condition::Unchanged(tag)).unwrap();
    store.put("a/b.json", b"three", &Condition::Always).unwrap();
    assert_eq!(store.get("a/b.json").unwrap().unwrap().0, b"three");

    let mut upload = store.create("a/c/d").unwrap();
    upload.write_all(b"half ").unwrap();
    assert!(store.get("a/c/d").unwrap().is_none());
    upload.write_all(b"and half").unwrap();
    let stat = upload.finish(2).unwrap();
    assert_eq!((stat.size, stat.rows, stat.sha256), (13, 2, sha256_hex(b"half and half")));
    let mut dropped = store.create("a/c/e").unwrap();
    dropped.write_all(b"never").unwrap();
    drop(dropped);

    // Names beside a folder are not in it.
    store.put("ab/c", b"x", &Condition::Always).unwrap();
    store.put("a b/ü+&?=#%.json", b"odd", &Condition::Always).unwrap();
    assert_eq!(store.get("a b/ü+&?=#%.json").unwrap().unwrap().0, b"odd");
    let listed: Vec<(String, u64)> = store.list("a").unwrap().into_iter().map(|e| (e.key, e.size)).collect();
    assert_eq!(listed, [("a/b.json".to_owned(), 5), ("a/c/d".to_owned(), 13)]);
    assert_eq!(store.list("a/").unwrap().len(), 2);

    store.delete("a/b.json").unwrap();
    store.delete("a/b.json").unwrap();
    assert!(store.get("a/b.json").unwrap().is_none());

    verified(store);
    for key in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a\\b", "a\nb", "a\0b"] {
        assert!(matches!(store.get(key), Err(Error::Usage(_))), "{key:?}");
        assert!(matches!(store.put(key, b"x", &Condition::Always), Err(Error::Usage(_))), "{key:?}");
        assert!(matches!(store.create(key).map(drop), Err(Error::Usage(_))), "{key:?}");
        assert!(matches!(store.delete(key), Err(Error::Usage(_))), "{key:?}");
    }
    paged(store);
}

/// A verified stream ends well only with just these bytes.
fn verified(store: &Store) {
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000).collect();
    let sha256 = sha256_hex(&bytes);
    let read = |key: &str, size: u64| -> std::io::Result<Vec<u8>> {
        let mut got = Vec::new();
        store.read_verified(key, size, &sha256).unwrap().read_to_end(&mut got).map(|_| got)
    };
    store.put("v", &bytes, &Condition::Always).unwrap();
    assert_eq!(read("v", 3_000).unwrap(), bytes);
    assert_eq!(store.read_range("v", 2_990, 10).unwrap(), &bytes[2_990..]);
    for (from, size) in [(2_990, 11), (3_000, 1), (9_000, 1)] {
        assert!(matches!(store.read_range("v", from, size), Err(Error::Corrupt(_))), "{size} from {from}");
    }
    assert!(matches!(store.read_range("w", 0, 1), Err(Error::Missing(m)) if m.contains('w')));
    for (name, wrong, size) in [
        ("shorter", bytes[..2_999].to_vec(), 3_000),
        ("nothing", Vec::new(), 3_000),
        ("longer", [&bytes[..], b"x"].concat(), 3_000),
        ("of another size", bytes.clone(), 2_999),
    ] {
        store.put("v", &wrong, &Condition::Always).unwrap();
        assert_eq!(read("v", size).unwrap_err().kind(), std::io::ErrorKind::InvalidData, "{name}");
    }
    for bit in (0..24_000).step_by(997) {
        let mut wrong = bytes.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        store.put("v", &wrong, &Condition::Always).unwrap();
        assert_eq!(read("v", 3_000).unwrap_err().kind(), std::io::ErrorKind::InvalidData, "bit {bit}");
    }
    store.delete("v").unwrap();
}

/// More keys than a page of a listing holds, in order.
fn paged(store: &Store) {
    let keys: Vec<String> = (0..1_100).map(|n| format!("many/{n:04}")).collect();
    lake::in_parallel(&keys, 16, |key| store.put(key, b"", &Condition::Always)).unwrap();
    let listed: Vec<String> = store.list("many").unwrap().into_iter().map(|e| e.key).collect();
    assert_eq!(listed, keys);
}

fn commit(part: &str, day: &str, sha256: &str) -> RawCommit {
    serde_json::from_value(json!({
        "part": part, "path": format!("raw/dt={day}/{part}.jsonl.zst"), "size": 4, "sha256": sha256, "tweets": 1, "unique": 1,
        "received": null, "source": "x", "via": "file", "times": {"first": null, "last": null}, "ids": {"min": "1", "max": "1"},
        "retweets": 0, "touches": [day], "languages": {},
    }))
    .unwrap()
}

fn pointer(parts: &[&str], fingerprint: &str) -> CleanPointer {
    let inputs: Vec<PartStat> = parts
        .iter()
        .map(|p| PartStat { part: (*p).into(), sha256: sha256_hex(p.as_bytes()), tweets: 1 })
        .collect();
    serde_json::from_value(json!({
        "partition": "2020-12-24", "fingerprint": fingerprint, "path": format!("clean/dt=2020-12-24/{fingerprint}"), "files": {},
        "inputs": inputs, "tombstones": "", "arguments": {}, "versions": {}, "languages": {}, "music_terms": {},
        "times": {"first": null, "last": null}, "ids": {"min": null, "max": null}, "samples": {},
    }))
    .unwrap()
}

/// Many writers of one pointer at once: the greatest set of inputs is what stays. (A test of folders:
/// the S3 server of these tests mixes two puts of one key that come at once.)
pub fn races(location: &Location) {
    let lake = Lake::open_or_create(location, None).unwrap();
    let all: Vec<String> = (0..8).map(|n| format!("p{n}")).collect();
    let grown: Vec<CleanPointer> = (1..=8)
        .map(|n| pointer(&all[..n].iter().map(String::as_str).collect::<Vec<_>>(), &format!("g{n}")))
        .collect();
    for _ in 0..20 {
        lake.store.delete("_meta/clean/dt=2020-12-24.json").unwrap();
        lake::in_parallel(&grown, 8, |pointer| {
            loop {
                match lake.swap_clean(pointer) {
                    Err(Error::Conflict(_)) => {}
                    other => return other,
                }
            }
        })
        .unwrap();
        let day = "2020-12-24".parse().unwrap();
        assert_eq!(lake.clean_pointer(&day).unwrap().unwrap().0.fingerprint, "g8");
    }
}

/// What a lake promises, wherever it lies.
pub fn lakes(location: &Location) {
    assert!(Lake::find(location).unwrap().is_none());
    assert!(matches!(Lake::open(location), Err(Error::Missing(_))));
    let lake = Lake::open_or_create(location, Some(Grain::Hour)).unwrap();
    assert_eq!(Lake::open_or_create(location, None).unwrap().grain(), Grain::Hour);
    assert!(matches!(Lake::open_or_create(location, Some(Grain::Day)), Err(Error::Configuration(_))));
    lake.probe_conditions().unwrap();

    // Commits: the same one twice is one, another one of that name is a conflict.
    let day: Partition = "2020-12-24".parse().unwrap();
    let one = commit("one", "2020-12-24", "aa");
    lake.commit_raw(&day, &one).unwrap();
    lake.commit_raw(&day, &one).unwrap();
    assert!(matches!(lake.commit_raw(&day, &commit("one", "2020-12-24", "bb")), Err(Error::Conflict(_))));
    assert_eq!(lake.raw_commit(&day, "one").unwrap(), Some(one.clone()));
    assert_eq!(lake.raw_commit(&day, "two").unwrap(), None);
    let partitions = lake.raw_partitions().unwrap();
    assert_eq!(partitions.keys().collect::<Vec<_>>(), [&day]);
    assert_eq!(lake.raw_commits(&partitions[&day]).unwrap(), [one]);

    // Pointers: fewer inputs never replace more, whoever comes last.
    assert!(lake.swap_clean(&pointer(&["a", "b"], "f1")).unwrap());
    assert!(lake.swap_clean(&pointer(&["a", "b"], "f1")).unwrap());
    assert!(!lake.swap_clean(&pointer(&["a"], "f2")).unwrap());
    assert!(lake.swap_clean(&pointer(&["a", "b"], "f3")).unwrap(), "other arguments over the same inputs");
    assert!(lake.swap_clean(&pointer(&["a", "b", "c"], "f4")).unwrap());
    assert_eq!(lake.clean_pointer(&day).unwrap().unwrap().0.fingerprint, "f4");
    assert!(lake.clean_pointers().unwrap().into_keys().eq([day.clone()]));

    // Datasets: no version, then one, then the older again.
    assert_eq!(lake.current("name").unwrap(), None);
    let current = |version: &str| CurrentPointer {
        dataset: "name".into(),
        version: version.into(),
        fingerprint: version.into(),
        manifest: format!("datasets/name/{version}/manifest.json"),
    };
    for version in ["v1", "v2", "v1"] {
        lake.promote(&current(version)).unwrap();
        assert_eq!(lake.current("name").unwrap(), Some(current(version)));
    }
    for name in ["", "..", "a/b", ".hidden", "a b"] {
        assert!(matches!(lake.current(name), Err(Error::Usage(_))), "{name:?}");
    }

    // Tombstones: added twice they are the same, and a day reads its own and those of users.
    let given = "1342258755793846273\n{\"id\":\"13\",\"kind\":\"user\",\"source\":\"x\"}\n12\n";
    let tombstones = Tombstones::from_text("given", given).unwrap();
    assert_eq!(tombstones.len(), 3);
    lake.add_tombstones(&tombstones).unwrap();
    lake.add_tombstones(&tombstones).unwrap();
    assert_eq!(lake.tombstones().unwrap(), tombstones);
    assert_eq!(lake.tombstones_of(&["2020-12-25".to_owned()].into()).unwrap().len(), 2);
    assert_eq!(lake.tombstones_of(&["2020-12-26".to_owned()].into()).unwrap().len(), 1);

    // Lines: nothing for nothing, and a name by content.
    assert_eq!(lake.write_lines("rejects", b"").unwrap(), None);
    let key = lake.write_lines("rejects", b"{}\n").unwrap();
    assert_eq!(lake.write_lines("rejects", b"{}\n").unwrap(), key);
    assert_eq!(lake.verdict(lake::Gate::Raw, "f").unwrap(), None);
    lake.put("_meta/gates/raw/f.json", b"{\"success\":false}").unwrap();
    assert_eq!(lake.verdict(lake::Gate::Raw, "f").unwrap(), Some(false));

    // What is no JSON of ours is told by its key.
    lake.put("_meta/raw/dt=2020-12-24/odd.json", b"{\"part\":").unwrap();
    let told = lake.raw_commits(&["_meta/raw/dt=2020-12-24/odd.json".into()]).unwrap_err();
    assert!(matches!(&told, Error::Corrupt(m) if m.contains("odd.json")), "{told:?}");
    lake.store.delete("_meta/raw/dt=2020-12-24/odd.json").unwrap();

    // Sweeping: by age, and never what is committed or pointed to.
    for key in [
        "raw/dt=2020-12-24/one.jsonl.zst",
        "raw/dt=2020-12-24/lost.jsonl.zst",
        "clean/dt=2020-12-24/f4/x",
        "clean/dt=2020-12-24/f3/x",
    ] {
        lake.put(key, b"data").unwrap();
    }
    let days = [day].into();
    assert_eq!(lake.sweep(&days, 3_600).unwrap(), 0);
    assert_eq!(lake.sweep(&days, -3_600).unwrap(), 2);
    let left: BTreeMap<String, u64> =
        ["raw", "clean"].iter().flat_map(|p| lake.store.list(p).unwrap()).map(|e| (e.key, e.size)).collect();
    assert_eq!(
        left.into_keys().collect::<Vec<_>>(),
        ["clean/dt=2020-12-24/f4/x", "raw/dt=2020-12-24/one.jsonl.zst"]
    );
}

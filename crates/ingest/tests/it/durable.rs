//! What is published is whole and stays; what is not is nobody's, and is swept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::{Done, Place, clean_environment, counts, files, fixture, has, skipped, tweets, wait};

/// Six days in six parts, a notice that deletes, a reject: something of everything that is written.
fn input(place: &Place) -> std::path::PathBuf {
    let notices = "{\"delete\":{\"status\":{\"id_str\":\"1342258755793846273\",\"user_id_str\":\"12\"}}}\n";
    place.write("input", format!("{}{notices}{{\"id\":\n", tweets(600, 800)))
}

fn strace(place: &Place, flags: &[&str], log: &Path) -> Done {
    let mut command = Command::new("strace");
    clean_environment(&mut command);
    command.arg("-f").arg("-y").arg("-o").arg(log).args(flags);
    command.arg(env!("CARGO_BIN_EXE_ingest")).args(["--log", "error", "--threads", "1", "--lake"]);
    command.arg(place.lake()).arg("--input").arg(place.path().join("input"));
    wait(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn can_trace() -> bool {
    let can = has("strace", &["-f", "-o", "/dev/null", "true"]);
    if !can {
        skipped("no strace");
    }
    can
}

/// What a reader of the lake can see: no lock, nothing unfinished.
fn visible(place: &Place) -> BTreeMap<String, String> {
    let tree = place.tree();
    tree.into_iter().filter(|(key, _)| !key.rsplit('/').next().unwrap().starts_with('.')).collect()
}

/// Every published name: each commit tells the truth about its part, and parts are never half.
fn check_whole(place: &Place) {
    place.lines();
}

/// The bytes are on the disk before the name is, the name before anybody is told.
#[test]
fn fsync_rename_fsync_in_this_order() {
    if !can_trace() {
        return;
    }
    let place = Place::new();
    input(&place);
    let log = place.path().join("log");
    strace(&place, &["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,write"], &log).summary();
    let log = fs::read_to_string(log).unwrap();
    // Calls that another thread interrupts stand on two lines: what counts is where they end.
    let mut begun: BTreeMap<&str, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(call) = call.strip_suffix(" <unfinished ...>") {
            // A rename counts from where it begins: nothing may be missing by then.
            if call.starts_with("rename") {
                calls.push(format!("{call})"));
            }
            begun.insert(thread, call.to_owned());
        } else if let Some(rest) = call.strip_prefix("<... ") {
            let call = begun.remove(thread).unwrap();
            if !call.starts_with("rename") {
                calls.push(call + rest.split_once("resumed>").unwrap().1);
            }
        } else {
            calls.push(call.to_owned());
        }
    }
    let synced = |path: &str, calls: &[String]| {
        calls.iter().any(|c| {
            (c.starts_with("fsync") || c.starts_with("fdatasync")) && c.contains(&format!("<{path}>"))
        })
    };
    let quoted =
        |call: &str| -> Vec<String> { call.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let (mut published, mut told) = (BTreeMap::new(), 0);
    for (n, call) in calls.iter().enumerate() {
        if call.starts_with("rename") {
            let paths = quoted(call);
            let (from, to) = (&paths[0], &paths[1]);
            assert!(synced(from, &calls[..n]), "{to} is named before its bytes are on the disk");
            if let Some((day, part)) = to.split_once("/_meta/raw/").and_then(|(_, rest)| rest.split_once('/'))
            {
                let part = part.replace(".json", ".jsonl.zst");
                let raw = place.lake().join("raw").join(day).join(&part);
                let at: &usize = published.get(raw.to_str().unwrap()).expect("a commit without its part");
                let folder = raw.parent().unwrap().to_str().unwrap();
                assert!(
                    synced(folder, &calls[*at..n]),
                    "{to} is named before the name of its part is on the disk"
                );
            }
            published.insert(to.clone(), n);
        }
        if call.starts_with("write(1<") {
            told += 1;
            for (path, at) in &published {
                let folder = Path::new(path).parent().unwrap().to_str().unwrap();
                assert!(synced(folder, &calls[*at..n]), "it is told before {path} is durable");
            }
        }
    }
    assert!(told == 1 && published.len() >= 13, "{told} {}", published.len());
}

/// Lets each call of these kinds fail in turn (`inject` is strace's word for how). Whole things alone are left, and a
/// rerun makes the same lake. Returns how many runs failed.
fn at_every(injections: &[(&str, &str)], ended: impl Fn(&Place, &Done)) -> usize {
    let place = Place::new();
    input(&place);
    place.ingest(&[place.path().join("input")], &[]).summary();
    let expected = visible(&place);
    let log = place.path().join("log");
    let mut failed = 0;
    for (call, inject) in injections {
        for k in 1.. {
            fs::remove_dir_all(place.lake()).unwrap();
            let inject = format!("inject={call}:{inject}:when={k}");
            let done = strace(&place, &["-e", &format!("trace={call}"), "-e", &inject], &log);
            check_whole(&place);
            if done.code == Some(0) {
                break;
            }
            failed += 1;
            ended(&place, &done);
            place.ingest(&[place.path().join("input")], &[]).summary();
            assert_eq!(visible(&place), expected, "{inject}");
        }
    }
    failed
}

/// Killed at every call that publishes, it leaves whole things alone; run again, it leaves the same lake.
#[test]
fn killed_at_every_publishing_call() {
    if !can_trace() {
        return;
    }
    let killed = at_every(&[("fsync", "signal=SIGKILL"), ("rename", "signal=SIGKILL")], |_, _| {});
    assert!(killed > 20, "{killed}");
}

/// Errors of the disk at every call that writes: exit 74 with the place and a mend, nothing half, and a rerun mends it.
#[test]
fn errors_of_the_disk_are_told() {
    if !can_trace() {
        return;
    }
    let errors = [("fsync", "error=EIO"), ("rename", "error=EIO"), ("mkdir", "error=ENOSPC")];
    let failed = at_every(&errors, |place, done| {
        done.failed(74);
        let told = done.stderr.contains(place.path().to_str().unwrap()) && done.stderr.contains("\nhint: ");
        assert!(told, "{}", done.stderr);
        let left = files(&place.lake()).into_keys().find(|key| key.contains("/.unfinished-"));
        assert_eq!(left, None, "{}", done.stderr);
    });
    assert!(failed > 30, "{failed}");
}

/// A disk that is full, of many sizes.
#[test]
fn a_full_disk_publishes_nothing() {
    let mountable = ["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"];
    if !has("unshare", &mountable) {
        return skipped("no right to mount a small disk");
    }
    let place = Place::new();
    // Text that does not compress, of tweets of so many days.
    const DAYS: usize = 3;
    let noise: String = (0..6_000_u64)
        .map(|n| {
            let hash = crate::support::sha256(&n.to_le_bytes());
            crate::support::tweet(n * 40).replacen("nobody's", &hash, 1) + "\n"
        })
        .collect();
    let input = place.write("input", noise);
    fs::create_dir(place.lake()).unwrap();
    let mut full = 0;
    for kib in [4, 12, 40, 64, 100, 128, 200, 280, 340, 4_096] {
        let script = format!(
            "mount -t tmpfs -o size={kib}k none {lake} && {ingest} --log error --lake {lake} --input {input}; \
             code=$?; cd {lake} && find . -type f ! -name .lock; exit $code",
            lake = place.lake().display(),
            ingest = env!("CARGO_BIN_EXE_ingest"),
            input = input.display(),
        );
        let mut command = Command::new("unshare");
        clean_environment(&mut command);
        command.args(["-m", "sh", "-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = wait(command.spawn().unwrap());
        if done.code == Some(0) {
            continue;
        }
        full += 1;
        assert_eq!(done.code, Some(74), "{kib} KiB: {}", done.stderr);
        assert!(
            done.stderr.contains("No space left on device") && done.stderr.contains("hint:"),
            "{}",
            done.stderr
        );
        assert!(!done.stdout.contains("unfinished"), "{kib} KiB: {}", done.stdout);
        // The parts are written first: on a disk too small for all of them no commit is there.
        let parts = done.stdout.lines().filter(|path| path.starts_with("./raw/")).count();
        assert!(parts == DAYS || !done.stdout.contains("_meta/raw/"), "{kib} KiB: {}", done.stdout);
    }
    assert!(full >= 6, "{full}");
}

/// kill -9 at moments of chance; each time what is there is whole, and a rerun leaves the same lake.
#[test]
fn killed_at_moments_of_chance() {
    let rounds = if std::env::var_os("OFFKEY_LONG").is_some() { 1_000 } else { 30 };
    let place = Place::new();
    let input = place.write("input", tweets(6_000, 150));
    let began = SystemTime::now();
    place.ingest(&[&input], &[]).summary();
    let whole = began.elapsed().unwrap();
    let expected = visible(&place);
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut killed = 0;
    for round in 0..rounds {
        fs::remove_dir_all(place.lake()).unwrap();
        // Several kills one after the other, then one run to the end.
        for _ in 0..=round % 3 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut command = place.command(&[&input]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(whole.mul_f64((chance >> 40) as f64 / f64::from(1 << 24)));
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
            check_whole(&place);
        }
        place.ingest(&[&input], &[]).summary();
        assert_eq!(visible(&place), expected, "round {round}");
    }
    assert!(killed > 0);
}

/// Two processes with the same file, and one with more, at once: one lake, every tweet once per part.
#[test]
fn two_at_once_make_one_lake() {
    let place = Place::new();
    let (a, b) = (place.write("a", tweets(6_000, 150)), place.write("b", tweets(3_000, 300)));
    place.ingest(&[&a], &[]).summary();
    place.ingest(&[&b], &[]).summary();
    let expected = visible(&place);
    for _ in 0..5 {
        fs::remove_dir_all(place.lake()).unwrap();
        let children = [&a, &a, &b, &b].map(|input| {
            place.command(&[input]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let consumed = children.map(|child| wait(child).summary()["consumed"].as_u64().unwrap());
        assert_eq!(consumed, [6_000, 6_000, 3_000, 3_000]);
        assert_eq!(visible(&place), expected);
    }
}

/// Names that a killed process left, or that a neighbour's process uses, are no obstacle: as the
/// first process of a container everybody has the same number.
#[test]
fn unfinished_names_of_others_are_no_obstacle() {
    if !has("unshare", &["-pf", "true"]) {
        return skipped("no namespaces to be the first process in");
    }
    let place = Place::new();
    let input = place.write("input", tweets(100, 800));
    place.ingest(&[&input], &[]).summary();
    let folders: std::collections::BTreeSet<String> =
        visible(&place).into_keys().filter_map(|key| Some(key.rsplit_once('/')?.0.to_owned())).collect();
    let expected = visible(&place);
    fs::remove_dir_all(place.lake()).unwrap();
    let mut left = Vec::new();
    for folder in &folders {
        let folder = place.lake().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for n in 0..40 {
            left.push(folder.join(format!(".unfinished-1-{n}")));
            fs::write(left.last().unwrap(), "half of some").unwrap();
        }
    }
    let mut command = Command::new("unshare");
    clean_environment(&mut command);
    command.args(["-pf", env!("CARGO_BIN_EXE_ingest"), "--log", "error", "--lake"]).arg(place.lake());
    command.arg("--input").arg(&input).stdout(Stdio::piped()).stderr(Stdio::piped());
    wait(command.spawn().unwrap()).summary();
    assert_eq!(visible(&place), expected);
    assert!(left.iter().all(|path| path.exists()), "what may be a neighbour's stays");

    // Old enough they are nobody's.
    let old = SystemTime::now() - Duration::from_secs(25 * 3600);
    for path in &left {
        fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    }
    // So is a part that nobody committed.
    let lost = place.lake().join("raw/dt=2020-12-24/file-000000000000000000000000.jsonl.zst");
    let young = lost.with_file_name("file-111111111111111111111111.jsonl.zst");
    for path in [&lost, &young] {
        fs::write(path, "half of some").unwrap();
    }
    fs::File::options().write(true).open(&lost).unwrap().set_modified(old).unwrap();
    assert_eq!(place.sorted_lines().len(), 100, "readers do not see it");
    place.ingest(&[&input], &[]).summary();
    assert!(left.iter().all(|path| !path.exists()) && !lost.exists() && young.exists());
    fs::remove_file(young).unwrap();
    assert_eq!(visible(&place), expected);
}

/// A link that leads out of the lake is refused, and nothing is made on its other side.
#[test]
fn links_out_of_the_lake_are_refused() {
    for link in ["raw", "raw/dt=2020-12-24", "_meta/raw", "_meta/runs"] {
        let place = Place::new();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let link = place.lake().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let done = place.ingest(&[fixture("v1.jsonl")], &[]);
        assert!(done.failed(78).contains("link out of the lake"), "{}", done.stderr);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{}", link.display());
    }
    // The lake itself may be reached by one.
    let place = Place::new();
    let inside = place.path().join("inside");
    fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink(&inside, place.lake()).unwrap();
    let summary = place.ingest(&[fixture("v1.jsonl")], &[]).summary();
    assert_eq!(counts(&summary, ["consumed"]), [6]);
}

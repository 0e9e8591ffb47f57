//! Every message that a person can meet, as a snapshot, with its exit code.

use std::path::Path;
use std::process::Command;

use crate::support::{Done, Place, command, finish, fixture, fixture_bytes, gzip, tweet, tweets};

/// Compares with a file of `tests/snapshots`; what differs from run to run is written out as a name.
fn snapshot(name: &str, place: &Path, done: &Done) {
    let stderr: Vec<&str> = done.stderr.lines().collect();
    let text = format!("exit code: {}\n{}\n", done.code.unwrap(), stderr.join("\n"));
    show(name, &text.replace(place.to_str().unwrap(), "[dir]"));
}

fn show(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A run with just these flags, `{dir}` being a folder of its own.
fn told(name: &str, code: i32, flags: &[&str]) -> Place {
    let place = Place::new();
    let dir = place.path().to_str().unwrap();
    let flags = flags.iter().map(|flag| flag.replace("{dir}", dir));
    let done = finish(command().args(flags), b"");
    done.failed(code);
    snapshot(name, place.path(), &done);
    place
}

/// A run over a file of these bytes.
fn told_of(name: &str, code: i32, bytes: &[u8], flags: &[&str]) -> Place {
    let place = Place::new();
    let done = place.ingest_bytes(bytes, flags);
    done.failed(code);
    snapshot(name, place.path(), &done);
    assert!(place.nothing_committed());
    place
}

#[test]
fn help() {
    for (name, flag) in [("help_short", "-h"), ("help", "--help")] {
        let done = finish(command().arg(flag), b"");
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
        assert!(done.stdout.lines().all(|line| line.chars().count() <= 100), "{}", done.stdout);
        show(name, &done.stdout);
    }
    let version = finish(command().arg("--version"), b"");
    assert_eq!(version.stdout, concat!("ingest ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Help and messages never show what the environment holds.
#[test]
fn the_environment_is_read_but_not_shown() {
    let canary = "canary-7f3a";
    let help = finish(command().arg("--help").env("OFFKEY_RUN_ID", canary).env("OFFKEY_TRACK", canary), b"");
    assert!(!help.stdout.contains(canary));
    let place = Place::new();
    let input = fixture("v1.jsonl");
    let done = finish(
        command()
            .env("OFFKEY_LAKE", place.lake())
            .env("OFFKEY_INPUT", &input)
            .env("OFFKEY_RUN_ID", "scheduled__2026-11-20T00:00:00+00:00")
            .env("OFFKEY_MAX_TWEETS", "2"),
        b"",
    );
    let summary = done.summary();
    assert_eq!(
        (summary["consumed"].as_u64(), &summary["run_id"]),
        (Some(2), &"scheduled__2026-11-20T00:00:00+00:00".into())
    );
}

#[test]
fn wrong_flags() {
    told("no_lake", 2, &["--input", "x"]);
    told("no_input", 2, &["--lake", "{dir}/lake"]);
    told("unknown_flag", 2, &["--lake", "{dir}/lake", "--tweets", "5"]);
    told("unknown_source", 2, &["--lake", "{dir}/lake", "--source", "telegraph"]);
    told("bad_number", 2, &["--lake", "{dir}/lake", "--input", "x", "--max-tweets", "0"]);
    told("bad_rate", 2, &["--lake", "{dir}/lake", "--input", "x", "--max-reject-rate", "2%"]);
    told("bad_threads", 2, &["--lake", "{dir}/lake", "--input", "x", "--threads", "0"]);
    told("bad_log", 2, &["--lake", "{dir}/lake", "--input", "x", "--log", "loud"]);
    told("bad_grain", 2, &["--lake", "{dir}/lake", "--input", "x", "--partition-by", "week"]);
}

#[test]
fn bad_names() {
    told("bad_location_scheme", 2, &["--lake", "ftp://host/lake", "--input", "x"]);
    told("bad_location_dots", 2, &["--lake", "s3://bucket/../lake", "--input", "x"]);
    told("bad_location_bucket", 2, &["--lake", "s3://b", "--input", "x"]);
    told("bad_location_empty", 2, &["--lake", "", "--input", "x"]);
    told("bad_run_id", 2, &["--lake", "{dir}/lake", "--input", "x", "--run-id", "../../etc"]);
    told("bad_since", 2, &["--lake", "{dir}/lake", "--input", "x", "--since", "yesterday"]);
    told("input_is_a_bucket", 2, &["--lake", "{dir}/lake", "--input", "s3://bucket"]);
}

/// No lake is made by a command that is refused.
#[test]
fn bad_questions() {
    let place = Place::new();
    let input = fixture("v1.jsonl");
    let boxes = place.write("boxes.txt", "-0.5,51.3,0.3,51.7\n0.3,51.7,-0.5\n");
    let blank = place.write("phrases.txt", "justin bieber\n!!\n");
    let (boxes, blank) = (boxes.to_str().unwrap(), blank.to_str().unwrap());
    for (name, code, flags) in [
        ("since_inside_a_day", 2, ["--since", "2020-12-24T08", "--until", "2020-12-26"].as_slice()),
        ("until_inside_an_hour", 2, &["--partition-by", "hour", "--until", "2020-12-24T08:30"]),
        ("since_behind_until", 2, &["--since", "2020-12-26", "--until", "2020-12-24"]),
        ("since_is_until", 2, &["--since", "2020-12-24", "--until", "2020-12-24"]),
        ("bad_phrase", 2, &["--track", "..."]),
        ("bad_phrase_in_a_file", 2, &["--track-file", blank]),
        ("bad_box", 2, &["--locations", boxes]),
        ("missing_phrases", 66, &["--track-file", "{dir}/nowhere.txt"]),
        ("missing_boxes", 66, &["--locations", "{dir}/nowhere.txt"]),
    ] {
        let flags: Vec<String> =
            flags.iter().map(|f| f.replace("{dir}", place.path().to_str().unwrap())).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let done = place.ingest(&[&input], &flags);
        done.failed(code);
        snapshot(name, place.path(), &done);
        assert!(!place.lake().exists(), "{name}");
    }
}

#[test]
fn a_lake_keeps_its_grain() {
    let place = Place::new();
    place.ingest(&[fixture("v1.jsonl")], &["--partition-by", "hour"]).summary();
    let before = place.tree();
    let done = place.ingest(&[fixture("array.json")], &["--partition-by", "day"]);
    done.failed(78);
    snapshot("other_grain", place.path(), &done);
    assert_eq!(place.tree(), before);
}

#[test]
fn inputs_that_are_not_there() {
    let place = told("missing_file", 66, &["--lake", "{dir}/lake", "--input", "{dir}/nowhere.jsonl"]);
    assert!(!place.lake().exists());
    told("input_is_a_folder", 2, &["--lake", "{dir}/lake", "--input", "{dir}"]);
    // One missing file among good ones: nothing is read.
    let place = Place::new();
    let done = place.ingest(&[fixture("v1.jsonl"), place.path().join("nowhere")], &[]);
    done.failed(66);
    assert!(!place.lake().exists());
}

#[test]
fn inputs_that_hold_no_tweets() {
    told_of("empty_input", 65, b"", &[]);
    told_of("blank_input", 65, b"\r\n\r\n  \n", &[]);
    told_of("csv", 65, b"id,text\n1,\"hello, you\"\n2,no\n", &[]);
    told_of("json_of_something_else", 65, b"{\"name\":\"a package\",\"version\":\"1\"}\n", &[]);
    told_of("a_picture", 65, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01", &[]);
}

#[test]
fn damaged_inputs() {
    let whole = gzip(tweets(300, 1).as_bytes());
    told_of("cut_gzip", 65, &whole[..whole.len() / 2], &[]);
    told_of("trailing_rubbish", 65, &[&whole[..], b"and more"].concat(), &[]);
    told_of("bomb", 65, &gzip(&vec![b' '; 80 << 20]), &[]);
    let zstd = zstd::encode_all(tweets(300, 1).as_bytes(), 3).unwrap();
    told_of("cut_zstd", 65, &zstd[..zstd.len() / 2], &[]);
}

/// The rate is a limit, not a target: just below it a run stands, just above it nothing is committed.
#[test]
fn too_many_rejects() {
    let mixed = |bad: u64| -> String {
        (0..1_000).map(|n| if n < bad { "{\"id\":\n".to_owned() } else { tweet(n) + "\n" }).collect()
    };
    for bad in [9, 10] {
        let place = Place::new();
        let summary = place.ingest_bytes(mixed(bad).as_bytes(), &["--max-reject-rate", "0.01"]).summary();
        assert_eq!(summary["consumed"], 1_000 - bad);
    }
    let place = told_of("reject_rate", 65, mixed(11).as_bytes(), &["--max-reject-rate", "0.01"]);
    assert_eq!(place.said("rejects").len(), 11, "what was wrong can still be looked at");
}

#[test]
fn buckets_that_cannot_be_read() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let s3 = |command: &mut Command| -> Done {
        finish(
            command
                .args(["--log", "error", "--lake", "s3://bucket/lake", "--input"])
                .arg(fixture("v1.jsonl"))
                .env("AWS_ENDPOINT_URL", format!("http://{free}")),
            b"",
        )
    };
    let refused = s3(command().env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "hush-hush"));
    refused.failed(74);
    let port = free.port().to_string();
    show("endpoint_refused", &format!("exit code: 74\n{}", refused.stderr.replace(&port, "[port]")));
    assert!(!refused.stderr.contains("hush-hush"));
    let nobody = s3(&mut command());
    nobody.failed(77);
    show("no_credentials", &format!("exit code: 77\n{}", nobody.stderr));
}

#[test]
fn a_full_or_closed_stdout_is_told() {
    let place = Place::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out = place.command(&[fixture("v1.jsonl")]).stdout(full).output().unwrap();
    assert_eq!(out.status.code(), Some(74));
    show("stdout_full", &String::from_utf8(out.stderr).unwrap());
}

/// A log of JSON lines, whatever the inputs are called, and no text of a tweet in it.
#[test]
fn logs_are_json_lines_without_text() {
    let place = Place::new();
    let odd = place.write("a \"b\"\n{{c}}.jsonl", fixture_bytes("v1.jsonl"));
    let bad =
        place.write("bad.jsonl", "{\"text\":\"canary-text\"}\n{\"id\":\"7\",\"text\":\"canary-text\",\n");
    let done = finish(
        command().arg("--lake").arg(place.lake()).args(["--log", "debug", "--input"]).args([&odd, &bad]),
        b"",
    );
    done.summary();
    assert!(!done.stderr.is_empty());
    for line in done.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(!done.stderr.contains("canary-text") && !done.stderr.contains("geese"));
}

//! The same lake in a bucket: `OFFKEY_S3_SERVER` names the server's program.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::server::{BUCKET, KEY, SECRET, Server};
use crate::support::{Place, command, files, finish, fixture, gzip, sha256, tweets};

/// `ingest` with the settings of this server.
fn s3(server: &Server) -> Command {
    let mut command = command();
    command
        .env("AWS_ENDPOINT_URL", format!("http://{}", server.address))
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1")
        .args(["--log", "error"]);
    command
}

/// Objects of the lake, by key, with their hashes.
fn objects(server: &Server) -> BTreeMap<String, String> {
    let found = files(&server.bucket().join("lake"));
    found.into_iter().map(|(key, bytes)| (key, sha256(&bytes))).collect()
}

#[test]
fn a_bucket_holds_the_same_bytes_as_a_folder() {
    let Some(server) = Server::start() else { return };
    let place = Place::new();
    let many = place.write("many", tweets(9_000, 30));
    let inputs = [fixture("v1.jsonl"), fixture("v2_pages.jsonl"), fixture("notices.jsonl"), many];
    place.ingest(&inputs, &[]).summary();
    let lake = format!("s3://{BUCKET}/lake");
    let summary = finish(s3(&server).args(["--lake", &lake, "--input"]).args(&inputs), b"").summary();
    assert_eq!(summary["consumed"], 9_011);
    assert_eq!(objects(&server), place.tree());
    assert!(summary["manifest"].as_str().unwrap().starts_with(&lake));
    // Again, and nothing changes.
    finish(s3(&server).args(["--lake", &lake, "--input"]).args(&inputs), b"").summary();
    assert_eq!(objects(&server), place.tree());
    assert_eq!(server.open_parts(), Vec::<String>::new());
}

#[test]
fn inputs_may_lie_in_a_bucket() {
    let Some(server) = Server::start() else { return };
    let place = Place::new();
    let text = tweets(5_000, 30);
    place.ingest_bytes(text.as_bytes(), &[]).summary();
    let expected = place.tree();
    fs::create_dir_all(server.bucket().join("archive")).unwrap();
    fs::write(server.bucket().join("archive/tweets.gz"), gzip(text.as_bytes())).unwrap();
    fs::remove_dir_all(place.lake()).unwrap();
    let lake = place.lake();
    let mut run = s3(&server);
    let input = format!("s3://{BUCKET}/archive/tweets.gz");
    finish(run.arg("--lake").arg(&lake).args(["--input", &input]), b"").summary();
    assert_eq!(place.tree(), expected);
    let gone = format!("s3://{BUCKET}/archive/gone.gz");
    let done = finish(s3(&server).arg("--lake").arg(&lake).args(["--input", &gone]), b"");
    assert!(done.failed(66).contains(&gone), "{}", done.stderr);
}

/// Wrong secrets are refused, told without being shown, and nothing is written.
#[test]
fn wrong_secrets_are_refused() {
    let Some(server) = Server::start() else { return };
    let lake = format!("s3://{BUCKET}/lake");
    let mut run = s3(&server);
    run.env("AWS_SECRET_ACCESS_KEY", "canary-secret").args(["--lake", &lake, "--input"]);
    let done = finish(run.arg(fixture("v1.jsonl")), b"");
    done.failed(77);
    assert!(done.stderr.contains("hint:") && !done.stderr.contains("canary-secret"), "{}", done.stderr);
    assert_eq!(objects(&server).len(), 0);
}

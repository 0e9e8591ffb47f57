//! A lake in a bucket, over a network that fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};

use lake::{Condition, Error, Lake, Location, Partition, Store, sha256_hex};

use crate::proxy::{Call, Fault, Proxy};
use crate::server::{BUCKET, KEY, SECRET, Server};
use crate::stores;

/// Runs `body` against a server, through a network that `body` may let fail.
///
/// The S3 client takes its settings from the environment, which a process cannot safely change for
/// itself. So the test `name` starts the server and itself once more, as a child with the
/// environment set; the child gets the listener of the network as its standard input.
pub fn with_s3(name: &str, body: impl FnOnce(&Proxy)) {
    if let Ok(server) = std::env::var("OFFKEY_TEST_CHILD") {
        let listener = TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
        body(&Proxy::start(listener, server.parse::<SocketAddr>().unwrap()));
        // The parent looks for this: a child that ran no test would end well too.
        std::fs::write(std::env::var_os("OFFKEY_TEST_DONE").unwrap(), "").unwrap();
        return;
    }
    let Some(server) = Server::start() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let done = server.bucket().join("../done");
    let status = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env("OFFKEY_TEST_CHILD", server.address.to_string())
        .env("OFFKEY_TEST_DONE", &done)
        .env("OFFKEY_TEST_FOLDER", server.bucket().parent().unwrap())
        .env("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr().unwrap()))
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1")
        .env("HOME", "/nowhere")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .status()
        .unwrap();
    assert!(status.success() && done.exists(), "{name}: {status}");
    assert_eq!(server.open_parts(), Vec::<String>::new(), "every upload is completed or aborted");
}

pub fn location() -> Location {
    format!("s3://{BUCKET}/some/lake").parse().unwrap()
}

pub fn store() -> Store {
    Store::open(&location()).unwrap()
}

/// Bytes without a pattern, the same ones each time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

pub fn read(store: &Store, key: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store.read(key).map_err(std::io::Error::other)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_bucket_keeps_the_rules_of_stores() {
    with_s3("s3::a_bucket_keeps_the_rules_of_stores", |_| stores::rules(&store()));
}

#[test]
fn a_lake_in_a_bucket() {
    with_s3("s3::a_lake_in_a_bucket", |_| {
        stores::lakes(&location());
        // A bucket's own name is no reason to refuse, and the root of a bucket is a place like others.
        let root: Location = format!("s3://{BUCKET}").parse().unwrap();
        Lake::open_or_create(&root, None).unwrap().probe_conditions().unwrap();
        let probes = Store::open(&root).unwrap().list("_meta/probes").unwrap();
        assert_eq!(probes, []);
    });
}

#[test]
fn a_missing_bucket_is_told() {
    with_s3("s3::a_missing_bucket_is_told", |proxy| {
        proxy.fail(|_| Fault::Status(404, "NoSuchBucket"));
        let told = Lake::open_or_create(&location(), None).unwrap_err();
        assert!(matches!(&told, Error::Missing(m) if m.contains("s3://bucket/some/lake")), "{told:?}");
        assert_eq!(proxy.count(Call::Put, "lake.json"), 0);
    });
}

#[test]
fn wrong_secrets_are_told() {
    with_s3("s3::wrong_secrets_are_told", |proxy| {
        for (status, code) in [(403, "SignatureDoesNotMatch"), (403, "AccessDenied"), (401, "InvalidToken")] {
            proxy.fail(move |_| Fault::Status(status, code));
            let told = store().get("a").unwrap_err();
            assert!(matches!(&told, Error::Credentials(m) if m.contains(code)), "{told:?}");
            let told = store().put("a", b"x", &Condition::Always).unwrap_err();
            assert!(matches!(told, Error::Credentials(_)), "{told:?}");
        }
    });
}

/// From nothing to three parts: what is written is what is read, and is seen only when it is finished.
#[test]
fn uploads_of_every_size() {
    with_s3("s3::uploads_of_every_size", |proxy| {
        let store = store();
        let mib = 1 << 20;
        for (size, parts) in [(0, 0), (1, 0), (8 * mib - 1, 0), (8 * mib, 1), (8 * mib + 1, 2), (20 * mib, 3)]
        {
            let key = format!("raw/{size}");
            let bytes = noise(size);
            let mut upload = store.create(&key).unwrap();
            for piece in bytes.chunks(777_777) {
                upload.write_all(piece).unwrap();
            }
            assert!(store.get(&key).unwrap().is_none(), "not there before it is finished");
            let stat = upload.finish(7).unwrap();
            assert_eq!(
                (stat.size, stat.rows, stat.sha256.as_str()),
                (size as u64, 7, sha256_hex(&bytes).as_str())
            );
            assert_eq!(read(&store, &key).unwrap(), bytes);
            let mut verified = store.read_verified(&key, stat.size, &stat.sha256).unwrap();
            assert_eq!(std::io::copy(&mut verified, &mut std::io::sink()).unwrap(), stat.size);
            assert_eq!(proxy.count(Call::Part, &key), parts);
            assert_eq!(proxy.count(Call::Complete, &key), parts.min(1));
        }
    });
}

/// An upload that is dropped is aborted, whatever was sent already.
#[test]
fn a_dropped_upload_leaves_nothing() {
    with_s3("s3::a_dropped_upload_leaves_nothing", |proxy| {
        let store = store();
        for size in [10, 9 << 20, 30 << 20] {
            let mut upload = store.create("raw/half").unwrap();
            upload.write_all(&noise(size)).unwrap();
            drop(upload);
            assert!(store.get("raw/half").unwrap().is_none());
        }
        assert_eq!(proxy.count(Call::Abort, "raw/half"), 2);
        assert_eq!(store.list("raw").unwrap(), []);
    });
}

/// A PUT that was done but not answered is sent again by the client and refused by its own first: what lies there counts.
#[test]
fn a_lost_answer_is_no_conflict() {
    with_s3("s3::a_lost_answer_is_no_conflict", |proxy| {
        let store = store();
        let lose_first = |r: &crate::proxy::Request| match (r.call, r.nth) {
            (Call::Put, 1) => Fault::LoseAnswer,
            _ => Fault::None,
        };
        proxy.fail(lose_first);
        store.put("_meta/a.json", b"mine", &Condition::Absent).unwrap();
        assert_eq!(proxy.count(Call::Put, "_meta/a.json"), 2);
        proxy.heal();
        let told = store.put("_meta/a.json", b"other", &Condition::Absent).unwrap_err();
        assert!(matches!(told, Error::Conflict(_)), "{told:?}");
        // The same for a swap.
        let (_, tag) = store.get("_meta/a.json").unwrap().unwrap();
        let before = proxy.count(Call::Put, "_meta/a.json");
        proxy.fail(
            move |r| if r.call == Call::Put && r.nth == before + 1 { Fault::LoseAnswer } else { Fault::None },
        );
        store.put("_meta/a.json", b"newer", &Condition::Unchanged(tag.clone())).unwrap();
        proxy.heal();
        let told = store.put("_meta/a.json", b"newest", &Condition::Unchanged(tag)).unwrap_err();
        assert!(matches!(told, Error::Conflict(_)), "{told:?}");
        // And for the probe, whose refusals are what it looks for.
        proxy.fail(lose_first);
        Lake::open_or_create(&location(), None).unwrap().probe_conditions().unwrap();
    });
}

/// A download that breaks goes on where it broke, as long as the object is the same.
#[test]
fn broken_downloads_go_on() {
    with_s3("s3::broken_downloads_go_on", |proxy| {
        let store = store();
        let bytes = noise(3 << 20);
        store.put("raw/part", &bytes, &Condition::Always).unwrap();
        proxy.fail(|r| match (r.call, r.nth) {
            (Call::Get, 1) => Fault::Cut(0),
            (Call::Get, 2) => Fault::Cut(1_000_000),
            (Call::Get, 3) => Fault::Cut(1),
            _ => Fault::None,
        });
        assert_eq!(read(&store, "raw/part").unwrap(), bytes);
        assert_eq!(proxy.count(Call::Get, "raw/part"), 4);
        // It does not go on forever.
        proxy.fail(|r| if r.call == Call::Get { Fault::Cut(100) } else { Fault::None });
        let told = read(&store, "raw/part").unwrap_err();
        assert!(told.to_string().contains("broke off"), "{told}");
        // Nor with the bytes of another object.
        let changed = store.clone();
        let mut first = true;
        proxy.fail(move |r| {
            if r.call == Call::Get && std::mem::take(&mut first) {
                Fault::Cut(1_000_000)
            } else {
                Fault::None
            }
        });
        let mut reader = store.read("raw/part").unwrap();
        let mut head = [0; 1_000];
        reader.read_exact(&mut head).unwrap();
        changed.put("raw/part", &noise(1 << 20), &Condition::Always).unwrap();
        assert!(reader.read_to_end(&mut Vec::new()).is_err());
    });
}

/// Bytes that are wrong in flight, and answers that say 200 and mean an error, are never believed.
#[test]
fn wrong_bytes_are_never_believed() {
    with_s3("s3::wrong_bytes_are_never_believed", |proxy| {
        let store = store();
        let bytes = noise(100_000);
        let sha256 = sha256_hex(&bytes);
        store.put("raw/part", &bytes, &Condition::Always).unwrap();
        for at in (0..bytes.len()).step_by(9_973) {
            proxy.fail(move |r| if r.call == Call::Get { Fault::Flip(at) } else { Fault::None });
            let mut got = Vec::new();
            let read = store
                .read_verified("raw/part", bytes.len() as u64, &sha256)
                .map_err(std::io::Error::other)
                .and_then(|mut r| r.read_to_end(&mut got));
            assert!(read.is_err() || got == bytes, "a bit of byte {at}");
        }
        let error =
            "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>as asked</Message></Error>";
        proxy.fail(move |r| if r.call == Call::Complete { Fault::Say(error) } else { Fault::None });
        let mut upload = store.create("raw/big").unwrap();
        upload.write_all(&noise(9 << 20)).unwrap();
        assert!(matches!(upload.finish(1), Err(Error::Storage(_))));
        proxy.heal();
        assert!(store.get("raw/big").unwrap().is_none());
    });
}

/// Uploads that killed runs left open are found and aborted by age; a server without that listing is none the worse.
#[test]
fn open_uploads_are_swept() {
    with_s3("s3::open_uploads_are_swept", |proxy| {
        let lake = Lake::open_or_create(&location(), None).unwrap();
        let day: Partition = "2020-12-24".parse().unwrap();
        let days = [day].into();
        assert_eq!(lake.sweep(&days, 3_600).unwrap(), 0);
        proxy.fail(|r| match r.call {
            Call::ListUploads if r.key.ends_with("raw/dt=2020-12-24") => Fault::Say(
                "<?xml version=\"1.0\"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
                 <Upload><Key>some/lake/raw/dt=2020-12-24/old</Key><UploadId>1</UploadId><Initiated>2020-12-24T00:00:00.000Z</Initiated></Upload>\
                 <Upload><Key>some/lake/raw/dt=2020-12-24/new</Key><UploadId>2</UploadId><Initiated>2999-12-24T00:00:00.000Z</Initiated></Upload>\
                 </ListMultipartUploadsResult>",
            ),
            Call::Abort => Fault::Say(""),
            _ => Fault::None,
        });
        assert_eq!(lake.sweep(&days, 3_600).unwrap(), 1);
        assert_eq!((proxy.count(Call::Abort, "/old"), proxy.count(Call::Abort, "/new")), (1, 0));
    });
}

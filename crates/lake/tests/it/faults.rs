//! Each call to S3 failing in each way, once, twice and always. One test a call: the client's budget
//! of retries is one for the whole process.

use std::io::Write;

use lake::{Condition, Error};

use crate::proxy::{Call, Fault};
use crate::s3::{noise, read, store, with_s3};

const WAYS: [(&str, Fault); 5] = [
    ("500", Fault::Status(500, "InternalError")),
    ("503", Fault::Status(503, "SlowDown")),
    ("400", Fault::Status(400, "RequestTimeout")),
    ("429", Fault::Status(429, "TooManyRequests")),
    ("reset", Fault::Reset),
];

/// What a call does in all ways of failing: the first and the first two failures are got over, an endless
/// one is an error of the store, which exits 74.
fn fails(name: &str, call: Call, act: impl Fn(&str) -> Result<(), Error> + Sync) {
    with_s3(name, |proxy| {
        proxy.fail(move |r| {
            let Some((way, times)) = r.key.rsplit_once('/').and_then(|(_, name)| name.split_once('-')) else {
                return Fault::None;
            };
            let times = times.parse().unwrap_or(usize::MAX);
            let fault = WAYS.iter().find(|(name, _)| *name == way).map(|(_, fault)| fault.clone());
            if r.call == call && r.nth <= times { fault.unwrap_or(Fault::None) } else { Fault::None }
        });
        // The waiting between tries is done side by side.
        std::thread::scope(|scope| {
            for (way, _) in &WAYS {
                for times in ["1", "2", "always"] {
                    let (key, act) = (format!("raw/{way}-{times}"), &act);
                    scope.spawn(move || match (act(&key), times) {
                        (Ok(()), "1" | "2") => {}
                        (Err(Error::Storage(told)), "always") => assert!(told.contains(&key), "{told}"),
                        (ended, _) => panic!("{call:?} {key}: {ended:?}"),
                    });
                }
            }
        });
        let tries = proxy.count(call, "raw/500-always");
        // Three parts are tried by themselves.
        assert!((2..=12).contains(&tries), "{tries} tries");
        proxy.heal();
        // Nothing half is to be seen, and what ended well is whole.
        for (way, _) in &WAYS {
            for times in ["1", "2", "always"] {
                if let Some((bytes, _)) = store().get(&format!("raw/{way}-{times}")).unwrap() {
                    assert!(
                        bytes == noise(bytes.len()) && matches!(bytes.len(), SMALL | LARGE),
                        "{way} {times}"
                    );
                }
            }
        }
    });
}

const SMALL: usize = 1_000;
const LARGE: usize = 17 << 20;

fn upload(key: &str) -> Result<(), Error> {
    let mut upload = store().create(key)?;
    let written = upload.write_all(&noise(LARGE));
    written.map_err(|e| Error::Storage(e.to_string()))?;
    upload.finish(1).map(drop)
}

#[test]
fn put() {
    fails("faults::put", Call::Put, |key| store().put(key, &noise(SMALL), &Condition::Always));
}

#[test]
fn put_if_absent() {
    fails("faults::put_if_absent", Call::Put, |key| store().put(key, &noise(SMALL), &Condition::Absent));
}

#[test]
fn get() {
    fails("faults::get", Call::Get, |key| {
        store().put(key, &noise(SMALL), &Condition::Always)?;
        let got = read(&store(), key).map_err(|e| Error::Storage(e.to_string()))?;
        assert_eq!(got, noise(SMALL));
        Ok(())
    });
}

#[test]
fn list() {
    fails("faults::list", Call::List, |key| {
        let folder = format!("listed/{key}");
        store().put(&format!("{folder}/a"), &noise(SMALL), &Condition::Always)?;
        assert_eq!(store().list(&folder)?.len(), 1);
        Ok(())
    });
}

#[test]
fn create() {
    fails("faults::create", Call::Create, upload);
}

#[test]
fn part() {
    fails("faults::part", Call::Part, upload);
}

#[test]
fn complete() {
    fails("faults::complete", Call::Complete, upload);
}

#[test]
fn delete() {
    fails("faults::delete", Call::Delete, |key| {
        store().put(key, &noise(SMALL), &Condition::Always)?;
        store().delete(key)
    });
}

/// An abort that fails is told, and fails nothing else.
#[test]
fn abort() {
    with_s3("faults::abort", |proxy| {
        proxy.fail(|r| match (r.call, r.nth) {
            (Call::Complete, _) => Fault::Status(400, "InvalidPart"),
            (Call::Abort, 1) => Fault::Status(503, "SlowDown"),
            _ => Fault::None,
        });
        assert!(matches!(upload("raw/x"), Err(Error::Storage(_))));
        assert!(proxy.count(Call::Abort, "raw/x") >= 2);
        proxy.heal();
        assert!(store().get("raw/x").unwrap().is_none());
    });
}

//! Live sources into a lake in a bucket, also a slow one: `OFFKEY_S3_SERVER` names the server's program.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use x_server::{Place, XServer};

use crate::bench::{Bench, QUERY, ids};
use crate::kill::{command, double};
use crate::server::{BUCKET, KEY, SECRET, Server};
use crate::throughput::{MEMORY, watched};

/// `ingest` into a lake in the bucket behind this address.
pub fn into(bench: &Bench, address: SocketAddr, flags: &[&str]) -> Command {
    let mut command = command(bench, &format!("s3://{BUCKET}/lake"));
    command
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1")
        .args(flags);
    command
}

fn numbers(server: &Server) -> BTreeSet<u64> {
    ids(&server.bucket().join("lake")).into_keys().filter_map(|id| id.parse().ok()).collect()
}

#[test]
fn a_search_goes_on_in_a_bucket() {
    let Some(server) = Server::start() else { return };
    let bench = Bench::new(double(0).tweets(1_000).live(0));
    let old = bench.double.clock.now() - 60_000;
    let wanted = bench.double.matching(QUERY, Place::Search).unwrap();
    let wanted: BTreeSet<u64> = wanted.into_iter().filter(|id| x_server::id_time(*id) < old).collect();
    for more in [&["--max-tweets", "150"][..], &["--max-tweets", "100"], &[]] {
        let flags = [&["--source", "search"], more].concat();
        assert!(into(&bench, server.address, &flags).status().unwrap().success());
    }
    assert!(wanted.is_subset(&numbers(&server)));
    let totals = bench.double.ledger.totals();
    assert_eq!(totals.search, totals.distinct as u64, "each run went on where the last one ended");
}

#[test]
fn a_stream_and_bluesky_into_a_bucket() {
    let Some(server) = Server::start() else { return };
    let bench = Bench::new(double(3_600).tweets(3_000).live(5_000).search_retweets());
    let live: BTreeSet<u64> = bench.live(Place::Stream).into_iter().collect();
    let flags = ["--source", "stream", "--max-tweets", &live.len().to_string()];
    assert!(into(&bench, server.address, &flags).status().unwrap().success());
    assert!(live.is_subset(&numbers(&server)));
    let posts =
        || ids(&server.bucket().join("lake")).into_keys().filter(|id| id.starts_with("at://")).count();
    for _ in 0..2 {
        // The double is an hour behind the run's clock: without --for the run would wait for that hour.
        let flags = ["--source", "bluesky", "--for", "5s"];
        assert!(into(&bench, server.address, &flags).status().unwrap().success());
        assert!(posts() > 0);
    }
}

/// A bucket that takes less than the stream brings: nothing is lost, memory stays flat, and the log says why it is slow.
#[test]
fn a_stream_into_a_slow_bucket() {
    let Some(server) = Server::start() else { return };
    let (live, rate) =
        if std::env::var_os("OFFKEY_LONG").is_some() { (300_000, 1 << 20) } else { (20_000, 100 << 10) };
    let slow = slowed(server.address, rate);
    let bench = Bench::new(XServer::builder().tweets(10).live(live));
    let tweets = bench.double.matching(QUERY, Place::Stream).unwrap().len() - 10;
    let flags = ["--source", "stream", "--log", "warn", "--max-tweets", &tweets.to_string()];
    let done = watched(into(&bench, slow, &flags).stderr(Stdio::piped()));
    eprintln!("into a slow bucket: {done}");
    assert!(numbers(&server).len() >= tweets);
    assert!(done.megabytes < MEMORY, "{done}");
    assert!(done.stderr.contains("slower than X sends them"), "{}", done.stderr);
}

/// A way to a server that takes so many bytes a second, over all connections together.
fn slowed(server: SocketAddr, rate: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let free = Arc::new(Mutex::new(Instant::now()));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let free = Arc::clone(&free);
            // Who goes away ends his connection alone.
            thread::spawn(move || drop(pass(client, server, &free, rate)));
        }
    });
    address
}

/// A way to a server that can be shut: from then on no byte comes through, and no connection ends.
pub struct Valve {
    pub address: SocketAddr,
    shut: Arc<AtomicBool>,
}

impl Valve {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shut) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let is_shut = Arc::clone(&shut);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(server).unwrap();
                for (from, to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    let is_shut = Arc::clone(&is_shut);
                    // Who goes away ends his connection alone.
                    thread::spawn(move || drop(pass_until(&is_shut, from, to)));
                }
            }
        });
        Self { address, shut }
    }

    pub fn shut(&self) {
        self.shut.store(true, SeqCst);
    }
}

fn pass_until(shut: &AtomicBool, mut from: TcpStream, mut to: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 8_192];
    loop {
        let n = from.read(&mut bytes)?;
        while shut.load(SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        if n == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        to.write_all(&bytes[..n])?;
    }
}

fn pass(mut client: TcpStream, server: SocketAddr, free: &Mutex<Instant>, rate: u32) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let (mut back, mut answers) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || std::io::copy(&mut answers, &mut back));
    let mut bytes = [0; 8_192];
    loop {
        let n = client.read(&mut bytes)?;
        if n == 0 {
            return server.shutdown(std::net::Shutdown::Write);
        }
        let until = {
            let mut free = free.lock().unwrap();
            *free = (*free).max(Instant::now()) + Duration::from_secs(1) * u32::try_from(n).unwrap() / rate;
            *free
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
        server.write_all(&bytes[..n])?;
    }
}

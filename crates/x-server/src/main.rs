//! `x-server`: the double as a program.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use x_server::{Dialect, Limits, Millis, Pace, XServer, parse_time};

/// A test double of the X API and of Jetstream on loopback. Prints `listening on http://127.0.0.1:PORT`.
///
/// Example: x-server --tweets 10000 --seed 7 --faults faults.json
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seed of the synthetic corpus
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tweets of the last six days, for search
    #[arg(long, default_value_t = 1_000)]
    tweets: usize,
    /// Tweets still to come, for the stream (default: as many; of a file: half of it)
    #[arg(long)]
    live: Option<usize>,
    /// A corpus from a file instead: JSONL of v2 pages, stream lines or tweets (.gz, .zst)
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The bearer token to accept
    #[arg(long, default_value = x_server::TOKEN)]
    token: String,
    /// A JSON list of faults
    #[arg(long)]
    faults: Option<PathBuf>,
    /// The clock's first time, e.g. 2026-11-20T12:00:00Z (default: the real time; of a file: before its live tweets)
    #[arg(long, value_parser = |text: &str| parse_time(text).ok_or("not YYYY-MM-DDTHH:mm:ssZ"))]
    now: Option<Millis>,
    /// Let the clock stand until it is moved by /_control/clock or by the stream
    #[arg(long)]
    frozen: bool,
    /// Live tweets a second; 0 for as fast as the client reads
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Live tweets each at its own time, 250 a second
    #[arg(long, conflicts_with_all = ["rate", "frozen"])]
    live_now: bool,
    /// Seconds between two keep-alives
    #[arg(long, default_value_t = 20.0)]
    keep_alive: f64,
    /// Names used where a request does not choose them
    #[arg(long, value_enum, default_value_t = Names::Tweet)]
    dialect: Names,
    /// No rate limits
    #[arg(long)]
    no_limits: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Names {
    Tweet,
    Post,
}

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let mut builder = XServer::builder()
        .port(arguments.port)
        .seed(arguments.seed)
        .tweets(arguments.tweets)
        .token(arguments.token)
        .keep_alive(Duration::try_from_secs_f64(arguments.keep_alive).context("--keep-alive")?)
        .dialect(match arguments.dialect {
            Names::Tweet => Dialect::Tweet,
            Names::Post => Dialect::Post,
        });
    if let Some(live) = arguments.live {
        builder = builder.live(live);
    }
    if let Some(path) = &arguments.faults {
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        builder =
            builder.faults(serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))?);
    }
    if arguments.rate > 0.0 {
        builder = builder.pace(Pace::Rate(arguments.rate));
    }
    if arguments.live_now {
        builder = builder.pace(Pace::Clock);
    }
    if arguments.no_limits {
        builder = builder.limits(Limits::off());
    }
    if !arguments.frozen {
        builder = builder.ticking();
    }
    let real = Millis::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    match (arguments.now, arguments.corpus) {
        (Some(now), Some(path)) => builder = builder.corpus(path).now(now),
        (None, Some(path)) => builder = builder.corpus(path),
        (now, None) => builder = builder.now(now.unwrap_or(real)),
    }
    let double = builder.start().await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", double.url)?;
    out.flush()?;
    double.wait().await
}

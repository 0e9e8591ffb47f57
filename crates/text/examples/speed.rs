//! Microseconds a tweet for each step, on one core.
//!
//! `cargo run --release -p text --example speed -- FILE.jsonl [ROUNDS]`, a JSON object with `text` (and `platform` or
//! `lang`, the platform's code) a line. Each step runs over all texts before the next one starts. On
//! Linux the time is that of the processor, so that other processes do not count.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};
use text::{Music, MusicInput, Switches, Token, clean, key_of_clean, language, profane, tokenize};

#[derive(serde::Deserialize)]
struct Record {
    text: String,
    #[serde(alias = "lang")]
    platform: Option<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: speed FILE.jsonl [ROUNDS]")?;
    let rounds: u32 = arguments.next().map_or(Ok(5), |n| n.parse())?;
    let records = std::fs::read_to_string(path)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Record>, _>>()?;
    let music = Music::bundled();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let tokens: Vec<Vec<Token>> = records
        .iter()
        .map(|record| {
            let mut tokens = Vec::new();
            tokenize(&record.text, &mut tokens);
            tokens
        })
        .collect();
    let cleaned: Vec<String> = records.iter().zip(&tokens).map(|(r, t)| clean(&r.text, t)).collect();
    let languages: Vec<_> = records
        .iter()
        .zip(&cleaned)
        .map(|(record, text)| language(text, record.platform.as_deref()).code)
        .collect();
    let mut step = |name, work: &mut dyn FnMut(usize)| {
        let (wall, busy) = (Instant::now(), on_processor());
        for _ in 0..rounds {
            (0..records.len()).for_each(&mut *work);
        }
        let time = busy.zip(on_processor()).map(|(from, to)| to - from);
        times.push((name, time.unwrap_or_else(|| wall.elapsed())));
    };
    let mut scratch: Vec<Token> = Vec::new();
    step("tokenize", &mut |i| {
        tokenize(black_box(&records[i].text), &mut scratch);
        black_box(scratch.len());
    });
    step("clean", &mut |i| {
        black_box(clean(&records[i].text, &tokens[i]));
    });
    step("key", &mut |i| {
        black_box(key_of_clean(&cleaned[i]));
    });
    step("language, hinted", &mut |i| {
        black_box(language(&cleaned[i], records[i].platform.as_deref()));
    });
    step("music", &mut |i| {
        let input = MusicInput { tokens: &tokens[i], urls: &[], annotations: &[], lang: languages[i] };
        black_box(music.score(&input, Switches::default()));
    });
    step("profane", &mut |i| {
        black_box(profane(&tokens[i]));
    });
    step("language, no hint", &mut |i| {
        black_box(language(&cleaned[i], None));
    });
    let count = f64::from(rounds) * f64::from(u32::try_from(records.len())?);
    let mut sum = 0.0;
    for (name, time) in times {
        let micros = time.as_secs_f64() * 1e6 / count;
        println!("{name:<20} {micros:6.2} µs");
        if name != "language, no hint" {
            sum += micros;
        }
    }
    println!("{:<20} {sum:6.2} µs (without the step that has no hint)", "all");
    Ok(())
}

/// Time that this thread has run so far, where the system says.
fn on_processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

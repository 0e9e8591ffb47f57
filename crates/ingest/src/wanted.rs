//! Which tweets were asked for: by phrase, by place, by time.

use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use task::{Exit, Failure, Outcome};
use tweet::Tweet;

use crate::Args;

/// The question. With phrases and boxes, one of them must fit; the interval must fit in any case.
pub(crate) struct Wanted {
    phrases: Option<AhoCorasick>,
    boxes: Vec<[f64; 4]>,
    since: Option<i64>,
    until: Option<i64>,
}

impl Wanted {
    /// Reads the question from the arguments and their files.
    pub(crate) fn new(args: &Args) -> Outcome<Self> {
        let mut phrases = args.track.clone();
        if let Some(file) = &args.track_file {
            phrases.extend(read(file)?.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned));
        }
        let folded: Vec<String> = phrases.iter().map(|p| fold(p).trim().to_owned()).collect();
        if let Some(at) = folded.iter().position(String::is_empty) {
            return Err(Failure::new(
                Exit::Usage,
                format!("the phrase {:?} has no word to look for", phrases[at]),
            )
            .hint("a phrase has letters or digits"));
        }
        let phrases = match folded.is_empty() {
            true => None,
            false => Some(
                AhoCorasick::new(&folded)
                    .map_err(|e| Failure::new(Exit::Usage, format!("too many phrases: {e}")))?,
            ),
        };
        let boxes = args.locations.as_deref().map(read_boxes).transpose()?.unwrap_or_default();
        Ok(Self { phrases, boxes, since: args.since, until: args.until })
    }

    /// Any tweet: the source has chosen already.
    pub(crate) fn everything() -> Self {
        Self { phrases: None, boxes: Vec::new(), since: None, until: None }
    }

    /// Whether a tweet was asked for.
    pub(crate) fn wants(&self, tweet: &Tweet<'_>) -> bool {
        let timely = (self.since.is_none() && self.until.is_none())
            || tweet
                .time()
                .is_some_and(|t| self.since.is_none_or(|s| t >= s) && self.until.is_none_or(|u| t < u));
        let open = self.phrases.is_none() && self.boxes.is_empty();
        timely && (open || self.says(&tweet.text) || self.lies(tweet.lon, tweet.lat))
    }

    fn says(&self, text: &str) -> bool {
        let Some(phrases) = &self.phrases else { return false };
        let text = fold(text);
        phrases.find_overlapping_iter(&text).any(|m| {
            let edge = |inner: Option<char>, outer: Option<char>| {
                let joined = |c: char| c.is_alphanumeric() && !unspaced(c);
                !(inner.is_some_and(joined) && outer.is_some_and(joined))
            };
            let inner = &text[m.range()];
            edge(inner.chars().next(), text[..m.start()].chars().next_back())
                && edge(inner.chars().next_back(), text[m.end()..].chars().next())
        })
    }

    fn lies(&self, lon: Option<f64>, lat: Option<f64>) -> bool {
        let (Some(lon), Some(lat)) = (lon, lat) else { return false };
        self.boxes.iter().any(|[west, south, east, north]| {
            // A box across the date line has its west east of its east.
            let across =
                if west <= east { (*west..=*east).contains(&lon) } else { lon >= *west || lon <= *east };
            across && (*south..=*north).contains(&lat)
        })
    }
}

/// Lower case, with everything that is no letter or digit as one space. An apostrophe joins (`don't` is
/// `dont`), but for the `'s` that any name may end in.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ')
            && (!matches!(c, '\'' | '\u{2019}') || ends_in_s(&text[at + c.len_utf8()..]))
        {
            out.push(' ');
        }
    }
    out
}

/// Whether a word ends here with an `s`.
fn ends_in_s(rest: &str) -> bool {
    rest.strip_prefix(['s', 'S']).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Letters of scripts that write no space between words: there a phrase may stand inside.
fn unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

pub(crate) fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path)
        .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {}: {e}", path.display())))
}

pub(crate) fn read_boxes(path: &Path) -> Outcome<Vec<[f64; 4]>> {
    let text = read(path)?;
    let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    lines
        .map(|(n, line)| {
            let numbers: Vec<f64> = line.split(',').map_while(|n| n.trim().parse().ok()).collect();
            match numbers.as_slice() {
                &[west, south, east, north]
                    if [west, east].iter().all(|l| l.abs() <= 180.0)
                        && -90.0 <= south
                        && south <= north
                        && north <= 90.0 =>
                {
                    Ok([west, south, east, north])
                }
                _ => Err(Failure::new(Exit::Usage, format!("{}:{}: no box", path.display(), n + 1))
                    .hint("a line is west,south,east,north in degrees, such as -0.5,51.3,0.3,51.7")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;
    use tweet::Parsed;

    use super::Wanted;
    use crate::Args;

    fn wants(flags: &[&str], rest: &str) -> bool {
        let args = Args::parse_from([&["ingest", "--lake", "l"], flags].concat());
        let line = format!("{{\"id\":\"1346889436626259968\",{rest}}}");
        let Ok(Parsed::Tweet(tweet)) = tweet::parse(&line) else { panic!("{line}") };
        Wanted::new(&args).unwrap().wants(&tweet)
    }

    #[test]
    fn phrases_match_whole_words_in_order() {
        let says = |track: &str, text: &str| wants(&["--track", track], &format!("\"text\":{text:?}"));
        assert!(says("Justin Bieber", "i saw JUSTIN  BIEBER!"));
        assert!(says("justin bieber", "#Justin #Bieber"));
        assert!(says("justin bieber", "Justin-Bieber's hat"));
        assert!(says("dont", "don't"));
        assert!(!says("justin bieber", "Justin Timberlake and a bieber"));
        assert!(says("bieber's", "Bieber\u{2019}s hat"));
        assert!(!says("justin bieber", "justin biebers"));
        assert!(!says("justin bieber", "Bieber, Justin"));
        assert!(says("ジャスティン", "今日ジャスティンを見た"));
        assert!(says("one,two", "only two"));
    }

    #[test]
    fn boxes_hold_points_also_across_the_date_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("boxes");
        std::fs::write(&file, "-0.5,51.3,0.3,51.7\n\n170,-20,-170,-10\n").unwrap();
        let at = |lon: f64, lat: f64| {
            let rest = format!(
                "\"text\":\"x\",\"geo\":{{\"coordinates\":{{\"type\":\"Point\",\"coordinates\":[{lon},{lat}]}}}}"
            );
            wants(&["--locations", file.to_str().unwrap()], &rest)
        };
        assert!(at(0.0, 51.5) && at(175.0, -15.0) && at(-175.0, -15.0));
        assert!(!at(1.0, 51.5) && !at(0.0, -15.0) && !at(175.0, 15.0));
    }

    #[test]
    fn the_interval_is_half_open() {
        let between =
            |since: &str, until: &str| wants(&["--since", since, "--until", until], "\"text\":\"x\"");
        assert!(between("2021-01-06", "2021-01-07"));
        assert!(!between("2021-01-05", "2021-01-06"));
        assert!(!between("2021-01-07", "2021-01-08"));
    }
}

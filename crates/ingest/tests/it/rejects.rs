//! What cannot be read costs itself alone, and is kept with its bytes and its place.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Place, counts, finish, gzip, total, tweet, tweets};

/// A line of each kind of hostility, and the code that it is told by. None of them can be mistaken
/// for the beginning of a value over many lines.
fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    let texts: [(&str, &str); 20] = [
        ("not json at all", "not_json"),
        ("id,text", "not_json"),
        (r#"{"id":"5","text":"x""#, "truncated"),
        (r#"{"id":"5","text":"never closed"#, "truncated"),
        (r#"{"id":"5","text":"x"}}"#, "two_values"),
        (r#"{"id":"5","text":"x"}{"id":"6","text":"y"}"#, "two_values"),
        (r#"{"id":"5","text":"\ud83c alone"}"#, "lone_surrogate"),
        (r#"{"id":"5","id":"6","text":"x"}"#, "duplicate_key"),
        (r#"{"id":"5","text":"x","text":"y"}"#, "duplicate_key"),
        (r#"{"id":"5","text":NaN}"#, "not_json"),
        (r#"{"id":"5","text":"x",}"#, "not_json"),
        (r#"{'id':'5','text':'x'}"#, "not_json"),
        (r#"{"name":"neither"}"#, "not_a_tweet"),
        ("12", "not_a_tweet"),
        (r#""a string""#, "not_a_tweet"),
        (r#"{"text":"no id"}"#, "no_id"),
        (r#"{"id":1.5e18,"text":"x"}"#, "bad_id"),
        (r#"{"id":"5x","text":"x"}"#, "bad_id"),
        (r#"{"id":"5","author_id":"7"}"#, "no_text"),
        (r#"{"id":"5","text":["x"]}"#, "bad_text"),
    ];
    let mut lines: Vec<(Vec<u8>, &str)> = texts.map(|(text, code)| (text.as_bytes().to_vec(), code)).to_vec();
    lines.push((b"{\"id\":\"5\",\"text\":\"\xff\"}".to_vec(), "bad_utf8"));
    lines.push((b"{\"id\":\"5\",\"te\0xt\":\"x\"}".to_vec(), "nul"));
    lines.push((b"\0\0\0\0".to_vec(), "nul"));
    lines
}

fn decoded(reject: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(reject["bytes"].as_str().unwrap()).unwrap()
}

/// Holds every reject against the text that it was read from.
fn check_places(rejects: &[Value], text: &[u8], file: &str) {
    for reject in rejects {
        assert_eq!(reject["file"], file);
        let [line, offset, length, at] =
            counts(reject, ["line", "offset", "length", "at"]).map(|n| usize::try_from(n).unwrap());
        let bytes = decoded(reject);
        assert_eq!(bytes.len(), length);
        assert_eq!(&text[offset..offset + length], bytes, "the bytes at the offset");
        assert_eq!(
            text[..offset].iter().filter(|b| **b == b'\n').count() + 1,
            line,
            "the line of the offset"
        );
        assert!(at <= length);
    }
}

#[test]
fn each_code_is_told_with_its_bytes_and_place() {
    let lines = hostile();
    let mut text = Vec::new();
    for (n, (line, _)) in (0..).zip(&lines) {
        text.extend_from_slice(tweet(n).as_bytes());
        text.push(b'\n');
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
    }
    for (name, bytes) in [("plain", text.clone()), ("gzip", gzip(&text))] {
        let place = Place::new();
        let input = place.write("input", &bytes);
        let summary = place.ingest(&[&input], &[]).summary();
        let n = lines.len() as u64;
        assert_eq!(counts(&summary, ["records", "consumed", "unique"]), [2 * n, n, n], "{name}");
        let rejects = place.said("rejects");
        let codes: Vec<&str> = rejects.iter().map(|r| r["code"].as_str().unwrap()).collect();
        assert_eq!(codes, lines.iter().map(|l| l.1).collect::<Vec<_>>(), "{name}");
        check_places(&rejects, &text, input.to_str().unwrap());
        assert!(rejects.iter().zip(&lines).all(|(reject, (line, _))| decoded(reject) == *line));
    }
}

/// An element of a page or an array is told with the element's own place.
#[test]
fn elements_have_their_own_place() {
    let good = tweet(1);
    let page = format!(
        "{good}\n{{\"data\":[{good},{{\"id\":\"7\"}},\n{{\"id\":\"7\"}},{{\"id\":\"x\",\"text\":\"y\"}}]}}\n"
    );
    // A page on two lines makes a file of documents.
    let one_line = page.replace(",\n", ",");
    let array = format!("[\n{good},\n{{\"id\":\"7\"}},\n\"no, not this\",\n{{\"id\":\n{good}\n]\n");
    for (text, rejected) in [(one_line, 3), (format!("[{}]", page.replacen('\n', ",\n", 1)), 3), (array, 3)] {
        let place = Place::new();
        let summary = place.ingest_bytes(text.as_bytes(), &[]).summary();
        assert_eq!(
            (summary["consumed"].as_u64(), total(&summary, "rejected")),
            (Some(2), rejected),
            "{text}"
        );
        check_places(&place.said("rejects"), text.as_bytes(), place.path().join("input").to_str().unwrap());
    }
}

/// Caps hold, one value at a time, and what is beside stays.
#[test]
fn what_is_too_much_is_rejected_and_the_rest_is_read() {
    let mib = 1 << 20;
    let long_text = format!("{{\"id\":\"5\",\"text\":\"{}\"}}", "x".repeat(70 << 10));
    let long_line = format!("{{\"id\":\"5\",\"text\":\"x\",\"pad\":\"{}\"}}", "x".repeat(mib));
    let huge_line = format!("{{\"id\":\"5\",\"text\":\"x\",\"pad\":\"{}\"}}", "x".repeat(17 * mib));
    let many = format!(
        "{{\"id\":\"5\",\"text\":\"x\",\"entities\":{{\"hashtags\":[{}{{\"text\":\"a\"}}]}}}}",
        "{\"text\":\"a\"},".repeat(2_000)
    );
    let mut text = Vec::new();
    for (n, bad) in (0..).zip([&long_text, &long_line, &huge_line, &many]) {
        text.extend_from_slice(format!("{}\n{bad}\n", tweet(n)).as_bytes());
    }
    let place = Place::new();
    let summary = place.ingest_bytes(&text, &[]).summary();
    assert_eq!(counts(&summary, ["records", "consumed"]), [8, 4], "{summary}");
    let rejects = place.said("rejects");
    let codes: Vec<&str> = rejects.iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["too_long", "too_long", "too_long", "too_many"]);
    // The bytes of what is too long are kept in part, its length and its place in full.
    for (reject, whole) in rejects.iter().zip([&long_text, &long_line, &huge_line, &many]) {
        let (offset, bytes) = (usize::try_from(reject["offset"].as_u64().unwrap()).unwrap(), decoded(reject));
        assert_eq!(reject["length"], whole.len());
        assert_eq!(&text[offset..offset + bytes.len()], bytes);
    }
}

/// A million brackets break nothing: in what nobody reads they are kept, in a list of lists they are rejected.
#[test]
fn depth_breaks_nothing() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let some = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let ignored = format!("{{\"id\":\"1342258755793846273\",\"text\":\"x\",\"a\":{some}}}");
    let place = Place::new();
    let text = format!("{}\n{deep}\n{ignored}\n", tweet(1));
    let summary = place.ingest_bytes(text.as_bytes(), &[]).summary();
    assert_eq!(counts(&summary, ["records", "consumed"]), [3, 2]);
    assert_eq!(place.said("rejects")[0]["code"], "too_deep");
}

/// Whole lines before a cut can be taken on request; without it nothing is, and it is told.
#[test]
fn a_cut_file_is_taken_on_request() {
    let text = tweets(20_000, 1);
    let whole = gzip(text.as_bytes());
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let inputs = [
        &whole[..whole.len() / 2],
        &zstd[..zstd.len() / 2],
        &[&whole[..], b"rubbish"].concat(),
        &whole[..30],
    ];
    for (bytes, most) in inputs.into_iter().zip([19_999, 19_999, 20_000, 0]) {
        let place = Place::new();
        place.ingest_bytes(bytes, &[]).failed(65);
        assert!(place.nothing_committed());
        let done = place.ingest_bytes(bytes, &["--allow-cut"]);
        if most == 0 {
            done.failed(65);
            continue;
        }
        let consumed = done.summary()["consumed"].as_u64().unwrap();
        assert!(consumed > 0 && consumed <= most && (most < 20_000 || consumed == most), "{consumed}");
        let mut expected: Vec<&str> = text.lines().take(usize::try_from(consumed).unwrap()).collect();
        expected.sort_unstable();
        assert_eq!(place.sorted_lines(), expected);
    }
    // An array on one line keeps its whole elements too.
    let lines: Vec<&str> = text.lines().take(2_000).collect();
    let array = gzip(format!("[{}]", lines.join(",")).as_bytes());
    let place = Place::new();
    let summary = place.ingest_bytes(&array[..array.len() / 2], &["--allow-cut"]).summary();
    assert!(summary["consumed"].as_u64().unwrap() > 100, "{summary}");
    assert_eq!(total(&summary, "rejected"), 0);
}

/// Cut anywhere, a compressed file is never read in silence.
#[test]
fn a_cut_anywhere_is_told() {
    let text: String = (0..3).map(|n| tweet(n * 40_000) + "\n").collect();
    for whole in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).unwrap()] {
        for cut in (1..whole.len()).step_by(3) {
            let place = Place::new();
            place.ingest_bytes(&whole[..cut], &[]).failed(65);
            assert!(place.nothing_committed(), "cut at {cut}");
        }
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Good(u64),
    Bad(usize),
    Blank,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// N good lines shuffled with M hostile ones: N consumed, M rejected, each told by its code, its bytes and its place.
    #[test]
    fn good_lines_are_kept_whatever_stands_beside_them(
        pieces in prop::collection::vec(
            prop_oneof![
                5 => (0..100_000_u64).prop_map(Piece::Good),
                4 => (0..hostile().len()).prop_map(Piece::Bad),
                1 => Just(Piece::Blank),
            ],
            1..60,
        ),
        crlf in any::<bool>(),
        last_line_end in any::<bool>(),
    ) {
        let hostile = hostile();
        let (mut text, mut good, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for piece in &pieces {
            match piece {
                Piece::Good(n) => {
                    good.push(tweet(*n));
                    text.extend_from_slice(tweet(*n).as_bytes());
                }
                Piece::Bad(n) => {
                    bad.push(hostile[*n].clone());
                    text.extend_from_slice(&hostile[*n].0);
                }
                Piece::Blank => {}
            }
            text.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
        }
        if !last_line_end {
            text.truncate(text.len() - 1 - usize::from(crlf));
        }
        let place = Place::new();
        let done = finish(&mut place.command(&["-"]), &text);
        if good.is_empty() {
            done.failed(65);
        } else {
            let summary = done.summary();
            let [consumed, records] = counts(&summary, ["consumed", "records"]);
            prop_assert_eq!((consumed, records), (good.len() as u64, (good.len() + bad.len()) as u64));
            good.sort();
            prop_assert_eq!(place.sorted_lines(), good);
        }
        let rejects = place.said("rejects");
        let told: Vec<(Vec<u8>, String)> =
            rejects.iter().map(|r| (decoded(r), r["code"].as_str().unwrap().to_owned())).collect();
        let expected: Vec<(Vec<u8>, String)> = bad.into_iter().map(|(line, code)| (line, code.to_owned())).collect();
        prop_assert_eq!(told, expected);
        check_places(&rejects, &text, "-");
    }
}

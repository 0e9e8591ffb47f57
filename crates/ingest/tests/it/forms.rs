//! Every form that tweets come in: the fixtures as they are written, and the same tweets compressed,
//! in other encodings, with other line ends, from a pipe.

use serde_json::{Value, json};

use crate::support::{Place, counts, finish, fixture, fixture_bytes, gzip, has, skipped, total, tweets};

/// consumed, unique, rejected, notices of every fixture, as their README says.
const FIXTURES: [(&str, [u64; 4]); 9] = [
    ("v1.jsonl", [6, 5, 0, 0]),
    ("v1_statuses.json", [2, 2, 0, 0]),
    ("array.json", [2, 2, 1, 0]),
    ("v2_pages.jsonl", [4, 4, 1, 2]),
    ("v2_stream.jsonl", [2, 2, 0, 0]),
    ("v2_flattened.jsonl", [2, 2, 0, 0]),
    ("notices.jsonl", [1, 1, 0, 6]),
    ("places.jsonl", [4, 4, 0, 0]),
    ("times.jsonl", [3, 3, 0, 0]),
];

fn counted(summary: &Value) -> [u64; 4] {
    let [consumed, unique] = counts(summary, ["consumed", "unique"]);
    [consumed, unique, total(summary, "rejected"), total(summary, "notices")]
}

#[test]
fn every_fixture_counts_as_its_readme_says() {
    for (name, expected) in FIXTURES {
        let place = Place::new();
        let summary = place.ingest(&[fixture(name)], &[]).summary();
        assert_eq!(counted(&summary), expected, "{name}");
        let lines = place.sorted_lines();
        assert_eq!(lines.len() as u64, expected[0], "{name}");
        assert!(lines.iter().all(|line| matches!(tweet::parse(line), Ok(tweet::Parsed::Tweet(_)))), "{name}");
    }
}

#[test]
fn all_fixtures_in_one_lake() {
    let place = Place::new();
    let paths = FIXTURES.map(|(name, _)| fixture(name));
    let summary = place.ingest(&paths, &[]).summary();
    let sums = FIXTURES.iter().fold([0; 4], |sum, (_, n)| std::array::from_fn(|i| sum[i] + n[i]));
    assert_eq!(counted(&summary), [sums[0], 20, sums[2], sums[3]]);
    assert_eq!(place.sorted_lines().len() as u64, sums[0]);
}

/// The referee shares no line of code with us.
#[test]
fn the_referee_counts_the_same() {
    let script = fixture("../python/count.py");
    if !has("python3", &["--version"]) {
        return skipped("no python3 for the referee");
    }
    for (name, [consumed, unique, ..]) in FIXTURES {
        let out = std::process::Command::new("python3").arg(&script).arg(fixture(name)).output().unwrap();
        let said: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(counts(&said, ["consumed", "unique"]), [consumed, unique], "{name}");
    }
}

/// One tweet file in twelve disguises: always the same raw lines.
#[test]
fn disguises_change_nothing() {
    let text = String::from_utf8(fixture_bytes("v1.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let utf16 = |to: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(to).collect()
    };
    let members =
        [gzip(lines[..2].join("\n").as_bytes()), gzip(b"\n"), gzip(lines[2..].join("\n").as_bytes())];
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    let skippable = [b"\x50\x2a\x4d\x18\x04\0\0\0abcd".as_slice(), &zstd(text.as_bytes())].concat();
    let disguises: [(&str, Vec<u8>); 14] = [
        ("gzip", gzip(text.as_bytes())),
        ("gzip of three members", members.concat()),
        ("zstd", zstd(text.as_bytes())),
        (
            "zstd of two frames",
            [zstd(lines[0].as_bytes()), zstd(format!("\n{}", lines[1..].join("\n")).as_bytes())].concat(),
        ),
        ("zstd behind a skippable frame", skippable),
        ("crlf", text.replace('\n', "\r\n").into()),
        ("doubled crlf", text.replace('\n', "\r\r\n").into()),
        ("blank lines that keep a connection alive", text.replace('\n', "\n\r\n\n").into()),
        ("no last line end", text.trim_end().into()),
        ("utf-8 with a mark", format!("\u{feff}{text}").into()),
        ("utf-16 le", utf16(u16::to_le_bytes)),
        ("utf-16 be", utf16(u16::to_be_bytes)),
        ("utf-16 in gzip", gzip(&utf16(u16::to_le_bytes))),
        ("array on one line", format!("[{}]", lines.join(",")).into()),
    ];
    let plain = Place::new();
    plain.ingest(&[fixture("v1.jsonl")], &[]).summary();
    for (name, bytes) in disguises {
        let place = Place::new();
        let summary = place.ingest_bytes(&bytes, &[]).summary();
        assert_eq!(counted(&summary), [6, 5, 0, 0], "{name}");
        assert_eq!(place.lines(), plain.lines(), "{name}");
    }
}

#[test]
fn pretty_printing_changes_white_space_alone() {
    let text = String::from_utf8(fixture_bytes("v1.jsonl")).unwrap();
    let values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let one_by_one: String = values.iter().map(|v| serde_json::to_string_pretty(v).unwrap() + "\n").collect();
    let as_array = serde_json::to_string_pretty(&values).unwrap();
    for pretty in [one_by_one, as_array.clone(), as_array.replace('\n', "\r\n")] {
        let place = Place::new();
        assert_eq!(counted(&place.ingest_bytes(pretty.as_bytes(), &[]).summary()), [6, 5, 0, 0]);
        let mut read: Vec<Value> =
            place.sorted_lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut wanted = values.clone();
        let key = |v: &Value| v.to_string();
        read.sort_by_key(key);
        wanted.sort_by_key(key);
        assert_eq!(read, wanted);
    }
}

/// From a pipe, compressed or not, and from a pipe that the shell gives a name.
#[test]
fn pipes_lose_nothing() {
    let text = tweets(3_000, 1);
    let file = Place::new();
    file.ingest_bytes(text.as_bytes(), &[]).summary();
    for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
        let place = Place::new();
        let summary = finish(&mut place.command(&["-"]), &bytes).summary();
        assert_eq!(counted(&summary), [3_000, 3_000, 0, 0]);
        assert_eq!(place.tree(), file.tree());
    }
    if !has("mkfifo", &["--version"]) {
        return skipped("no mkfifo");
    }
    let place = Place::new();
    let fifo = place.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (to, bytes) = (fifo.clone(), text.into_bytes());
    let feeder = std::thread::spawn(move || std::fs::write(to, bytes).unwrap());
    assert_eq!(counted(&place.ingest(&[&fifo], &[]).summary()), [3_000, 3_000, 0, 0]);
    feeder.join().unwrap();
    assert_eq!(place.tree(), file.tree());
}

/// A line that holds one tweet is that tweet, byte for byte: odd spaces, key order, escapes, unknown keys, great numbers.
#[test]
fn raw_lines_are_verbatim() {
    let odd = [
        r#"{ "text" : "\u0041 tab\t\ud83c\udfb5 🎵" ,"unknown":{"b":1,"a":[1.0e400,-0,12345678901234567890123]}, "id_str":"1342258755793846273","id":1.342258755793846e18 }"#,
        r#"{"data":{"id":"1342258755793846274","text":"&amp;amp; \/ "},"future":null}"#,
    ];
    let place = Place::new();
    place.ingest_bytes(format!("  {}  \n\t{}\r\n", odd[0], odd[1]).as_bytes(), &[]).summary();
    let mut wanted = odd.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(place.sorted_lines(), wanted);
}

/// A page's tweet takes along what it refers to, and nothing else of the page.
#[test]
fn pages_become_lines_with_what_they_need() {
    let place = Place::new();
    place.ingest(&[fixture("v2_pages.jsonl")], &[]).summary();
    let lines: Vec<Value> =
        place.sorted_lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| lines.iter().find(|line| line["data"]["id"] == id).unwrap();
    let ids = |line: &Value, list: &str| -> Vec<String> {
        line["includes"][list].as_array().map_or(Vec::new(), |items| {
            items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
        })
    };
    let plain = of("1346889435182006273");
    assert_eq!(
        (ids(plain, "users"), ids(plain, "tweets"), ids(plain, "places")),
        (vec!["21".into()], vec![], vec!["p1".into()])
    );
    let retweet = of("1346889435182006274");
    assert_eq!(ids(retweet, "tweets"), ["1346889435182006273"], "the original stood in the page's data");
    assert_eq!(ids(retweet, "users"), ["22", "21"]);
    let post = of("1346894300574646274");
    assert_eq!(ids(post, "posts"), ["1342047362872246274"]);
    assert!(post["includes"].get("tweets").is_none());
    let kinds: Vec<Value> = place.said("notices").into_iter().map(|n| n["kind"].clone()).collect();
    assert_eq!(kinds, [json!("page_error"), json!("empty_page")]);
}

/// Messages are kept, and those that delete or hide are tombstones of the whole lake.
#[test]
fn notices_and_tombstones_are_written() {
    let place = Place::new();
    let summary = place.ingest(&[fixture("notices.jsonl")], &[]).summary();
    let expected = json!({"delete":1,"limit":1,"problem":1,"scrub_geo":1,"user_delete":1,"warning":1});
    assert_eq!(summary["notices"], expected);
    let text = String::from_utf8(fixture_bytes("notices.jsonl")).unwrap();
    for (notice, line) in place.said("notices").iter().zip(text.lines()) {
        assert_eq!(notice["value"], serde_json::from_str::<Value>(line).unwrap());
    }
    let tree = place.files();
    let tombstones = |prefix: &str| -> Vec<Value> {
        let files = tree.iter().filter(|(key, _)| key.starts_with(prefix));
        files
            .flat_map(|(_, bytes)| {
                String::from_utf8_lossy(bytes).into_owned().lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    };
    assert_eq!(
        tombstones("_meta/tombstones/dt=2020-12-25/"),
        [json!({"kind":"tweet","source":"x","id":"1342258755793846273"})]
    );
    assert_eq!(
        tombstones("_meta/tombstones/users/"),
        [
            json!({"kind":"user","source":"x","id":"13"}),
            json!({"kind":"geo","source":"x","user_id":"14","up_to":"1342439949726646273"})
        ]
    );
}

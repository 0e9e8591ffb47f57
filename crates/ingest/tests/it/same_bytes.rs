//! The same input gives the same bytes: again, in another order, on any number of threads.

use std::fs;

use crate::support::{Place, counts, fixture, gzip, tweets};

const ALL: [&str; 9] = [
    "v1.jsonl",
    "v1_statuses.json",
    "array.json",
    "v2_pages.jsonl",
    "v2_stream.jsonl",
    "v2_flattened.jsonl",
    "notices.jsonl",
    "places.jsonl",
    "times.jsonl",
];

#[test]
fn a_second_time_changes_nothing() {
    let place = Place::new();
    let inputs = ALL.map(fixture);
    let first = place.ingest(&inputs, &[]).summary();
    let before = place.tree();
    let second = place.ingest(&inputs, &[]).summary();
    assert_eq!(place.tree(), before);
    assert_eq!(first["consumed"], second["consumed"], "each reading is counted by itself");
    // Nor does the other order, nor one by one, nor compressed under another name.
    let reversed: Vec<_> = inputs.iter().rev().collect();
    place.ingest(&reversed, &[]).summary();
    for input in &inputs {
        place.ingest(&[input], &[]).summary();
    }
    assert_eq!(place.tree(), before);
    let packed = place.write("another-name", gzip(&fs::read(&inputs[0]).unwrap()));
    place.ingest(&[packed], &[]).summary();
    assert_eq!(place.tree(), before);
}

/// Many days, several chunks, some rejects: 1, 2 and 8 threads write the same lake.
#[test]
fn threads_do_not_show() {
    let mut text = String::new();
    for (n, line) in tweets(12_000, 37).lines().enumerate() {
        text += line;
        text += if n % 500 == 3 { "\n{\"id\":\"5\",\"text\":\n" } else { "\n" };
    }
    let place = Place::new();
    let input = place.write("input", &text);
    // The input's name stands in its rejects, so it is the same file that is read.
    let trees = ["1", "2", "8"].map(|threads| {
        let _ = fs::remove_dir_all(place.lake());
        let summary = place.ingest(&[&input], &["--threads", threads]).summary();
        assert_eq!(counts(&summary, ["records", "consumed"]), [12_024, 12_000]);
        place.tree()
    });
    assert!(trees[0].len() > 10);
    assert!(trees.iter().all(|tree| *tree == trees[0]));
}

/// A copy of a file among the inputs is no second reading; a copy of a tweet is one.
#[test]
fn a_copy_of_a_file_is_read_once() {
    let place = Place::new();
    let (a, b) = (place.write("a", tweets(50, 1)), place.write("b", tweets(50, 1)));
    let other = place.write("c", tweets(50, 1).replacen("Number 7 ", "Number x ", 1));
    let summary = place.ingest(&[&a, &b, &a], &[]).summary();
    assert_eq!(counts(&summary, ["consumed", "unique"]), [50, 50]);
    let before = place.tree();
    place.ingest(&[&b], &[]).summary();
    assert_eq!(place.tree(), before);
    let summary = place.ingest(&[&a, &other], &[]).summary();
    assert_eq!(counts(&summary, ["consumed", "unique"]), [100, 50]);
}

/// A file that has grown since is a new reading of what it held before: nothing of the first is changed or lost.
#[test]
fn a_grown_file_is_another_reading() {
    let place = Place::new();
    let input = place.write("input", tweets(50, 1));
    place.ingest(&[&input], &[]).summary();
    let before = place.tree();
    fs::write(&input, tweets(60, 1)).unwrap();
    let summary = place.ingest(&[&input], &[]).summary();
    assert_eq!(counts(&summary, ["consumed", "unique"]), [60, 60]);
    let after = place.tree();
    assert!(before.iter().all(|(key, bytes)| after.get(key) == Some(bytes)));
    assert_eq!(place.sorted_lines().len(), 110);
}

/// Two equal parts in one run, of a file and of the same file grown at another day: the second is
/// numbered, and no tweet is lost to the first.
#[test]
fn two_equal_parts_in_one_run_are_two() {
    let place = Place::new();
    // Heads of one chunk and more, so that the inputs begin alike.
    let day = tweets(11_000, 1);
    assert!(day.len() > 1 << 20, "{}", day.len());
    let next_day = tweets(2, 86_400).lines().nth(1).unwrap().to_owned();
    let (a, b) = (place.write("a", &day), place.write("b", format!("{day}{next_day}\n")));
    let summary = place.ingest(&[&a, &b], &[]).summary();
    assert_eq!(counts(&summary, ["consumed", "unique"]), [22_001, 11_001]);
    assert_eq!(place.sorted_lines().len(), 22_001);
    assert_eq!(place.commits().len(), 3);
    let before = place.tree();
    place.ingest(&[&a, &b], &[]).summary();
    assert_eq!(place.tree(), before);
}

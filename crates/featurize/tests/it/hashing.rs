//! Hashed tokens: values worked out by scikit-learn, files that SciPy loads, and their bytes.
//!
//! The whole is compared with scikit-learn on many tweets by tests/python.

use crate::common::{Dataset, Home, Row, at, id_at, row, run};
use polars::prelude::{DataFrame, DataType};

const WORDS: [&str; 6] = ["river", "Bridge", "😀", "rain", "!", "日本"];

fn rows() -> Vec<Row> {
    (0..80)
        .map(|n| {
            let tokens: Vec<&str> = (0..n % 7).map(|k| WORDS[(n * 5 + k * k) % 6]).collect();
            row(&id_at("2020-12-24T10:00:00", i64::try_from(n).unwrap()), &n.to_string())
                .with("tokens", tokens.as_slice())
                .with("created_at", at("2020-12-24T10:00:00"))
        })
        .collect()
}

fn made(more: &str) -> (Home, Dataset) {
    let home = Home::new();
    home.clean("2020-12-24", &rows()[..50]);
    home.clean("2020-12-25", &rows()[50..]);
    let dataset = home.make(more);
    (home, dataset)
}

fn list(rows: &DataFrame, column: &str, row: usize) -> Vec<f64> {
    let list = rows.column(column).unwrap().list().unwrap().get_as_series(row).unwrap();
    list.cast(&DataType::Float64).unwrap().f64().unwrap().into_no_null_iter().collect()
}

#[test]
fn rows_are_those_of_scikit_learn() {
    let home = Home::new();
    let full = row("1", "7").with("tokens", ["hello", "world", "hello", "日本語"].as_slice());
    home.clean("2020-12-24", &[full, row("2", "7").with("tokens", [].as_slice())]);
    // HashingVectorizer(analyzer=lambda tokens: tokens, n_features=2**10).transform([[…], []])
    let rows = home.make("--split 100,0 --hash-bits 10").rows();
    assert_eq!(list(&rows, "hash_index", 0), [361.0, 583.0, 773.0]);
    for (found, expected) in
        list(&rows, "hash_value", 0).iter().zip([-0.4082482905, 0.8164965809, -0.4082482905])
    {
        assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
    }
    assert!(list(&rows, "hash_index", 1).is_empty() && list(&rows, "hash_value", 1).is_empty());
}

#[test]
fn weights_are_those_of_scikit_learn_fitted_on_train() {
    let home = Home::new();
    let said = |id: &str, author: &str, tokens: &[&str]| row(id, author).with("tokens", tokens);
    home.clean("2020-12-24", &[said("1", "7", &["a", "b"]), said("2", "7", &["a", "c", "c"])]);
    let made = home.make("--split 100,0 --hash-bits 12 --tfidf");
    // TfidfTransformer(): ln(3/2) + 1 for b and c, 1 for a.
    let rare = 1.5_f64.ln() + 1.0;
    let rows = made.rows();
    let mut weights: Vec<f64> = list(&rows, "tfidf_value", 0).into_iter().map(f64::abs).collect();
    weights.sort_by(f64::total_cmp);
    let length = (1.0 + rare * rare).sqrt();
    for (found, expected) in weights.iter().zip([1.0 / length, rare / length]) {
        assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
    }
    let file = &made.bytes()["features/idf.npy"];
    let idf: Vec<f64> =
        file[file.len() - 8 * 4096..].chunks(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect();
    let count = |value: f64| idf.iter().filter(|x| (**x - value).abs() < 1e-12).count();
    assert_eq!((count(1.0), count(rare), count(3_f64.ln() + 1.0)), (1, 2, 4093));
}

#[test]
fn matrices_stand_beside_the_data_and_their_bytes_are_the_same() {
    let more = "--hash-bits 18 --ngrams 1,2 --tfidf --split-by id";
    let ((one, a), (_two, b)) = (made(&format!("{more} --threads 1")), made(&format!("{more} --threads 3")));
    let bytes = a.bytes();
    assert_eq!(bytes, b.bytes());
    let names: Vec<&str> =
        bytes.keys().map(String::as_str).filter(|name| name.starts_with("features/")).collect();
    assert_eq!(
        names,
        [
            "features/idf.npy",
            "features/test-tfidf.npz",
            "features/test.npz",
            "features/train-tfidf.npz",
            "features/train.npz",
            "features/validation-tfidf.npz",
            "features/validation.npz"
        ]
    );
    assert_eq!(a.manifest.beside["features/train.npz"].rows, a.manifest.splits["train"].rows);
    assert!(run(&format!("featurize verify {}", a.folder.display())).is_ok());
    let text = String::from_utf8(bytes["schema.json"].clone()).unwrap();
    assert!(text.contains("\"hash_index\"") && text.contains("\"tfidf_value\""));
    assert_ne!(one.make("--hash-bits 18 --split-by id").manifest.version, a.manifest.version);
}

#[test]
fn without_bits_there_is_nothing_of_it() {
    let (home, plain) = made("");
    assert!(!plain.folder.join("features").exists());
    assert_eq!(home.make("--hash-bits 0").manifest.version, plain.manifest.version);
    assert_eq!(home.try_make("--tfidf").unwrap_err().exit, task::Exit::Usage);
}

#[test]
fn a_matrix_that_its_rows_do_not_make_is_a_lie() {
    let (_home, made) = made("--hash-bits 8 --tfidf");
    let truth = std::fs::read_to_string(made.folder.join("manifest.json")).unwrap();
    for (name, other) in [
        ("features/train.npz", "features/train-tfidf.npz"),
        ("features/test.npz", "features/validation.npz"),
        ("features/idf.npy", "features/train.npz"),
    ] {
        let (mine, theirs) = (made.bytes()[name].clone(), made.bytes()[other].clone());
        std::fs::write(made.folder.join(name), &theirs).unwrap();
        // The manifest is made to fit.
        let mut lie: serde_json::Value = serde_json::from_str(&truth).unwrap();
        lie["beside"][name]["size"] = theirs.len().into();
        lie["beside"][name]["sha256"] = lake::sha256_hex(&theirs).into();
        std::fs::write(made.folder.join("manifest.json"), lie.to_string()).unwrap();
        let failure = run(&format!("featurize verify {}", made.folder.display())).unwrap_err();
        assert_eq!(failure.exit, task::Exit::BadInput, "{name}");
        std::fs::write(made.folder.join(name), mine).unwrap();
        std::fs::write(made.folder.join("manifest.json"), &truth).unwrap();
    }
    assert!(run(&format!("featurize verify {}", made.folder.display())).is_ok());
}

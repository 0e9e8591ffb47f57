//! Feature columns against values worked out by hand.

use crate::common::{Home, at, row};
use polars::prelude::{AnyValue, DataType};
use serde_json::Value;
use table::{CLEAN, Kind};

#[test]
fn features_of_a_row_are_what_a_person_counts() {
    let home = Home::new();
    let full = row("1", "7")
        .with("text", "WOW!! @a see https://t.co/x #yes 42 😀 ok?")
        .with(
            "tokens",
            ["WOW", "!!", "@a", "see", "https://t.co/x", "#yes", "42", "😀", "ok", "?"].as_slice(),
        )
        .with("hashtags", ["yes"].as_slice())
        .with("mentions", ["a"].as_slice())
        .with("urls", ["https://example.org/x"].as_slice())
        // A Thursday.
        .with("created_at", at("2020-12-24T06:59:59"))
        .with("user_created_at", at("2020-12-22T18:59:59"))
        .with("followers_count", 0)
        .with("following_count", 9)
        .with("listed_count", -1)
        .with("statuses_count", 99)
        .with("lang", "ja");
    let bare =
        row("2", "7").with("text", "").with("tokens", [].as_slice()).without("created_at").with("lang", "zh");
    home.clean("2020-12-24", &[full, bare]);
    let made = home.make("--split 100,0");
    let rows = made.rows();
    let value = |row: usize, column: &str| rows.column(column).unwrap().get(row).unwrap().into_static();
    let number = |row: usize, column: &str| value(row, column).try_extract::<f64>().unwrap();
    for (column, count) in [
        ("token_count", 10),
        ("word_count", 3),
        ("hashtag_count", 1),
        ("mention_count", 1),
        ("url_count", 1),
        ("cashtag_count", 0),
        ("emoji_count", 1),
        ("char_count", 41),
        ("letter_count", 21),
        ("question_marks", 1),
        ("exclamation_marks", 2),
    ] {
        assert_eq!(value(0, column), AnyValue::UInt32(count), "{column}");
        assert_eq!(value(1, column), AnyValue::UInt32(0), "{column} of nothing");
    }
    let close = |column: &str, expected: f64| {
        let found = number(0, column);
        assert!((found - expected).abs() < 1e-6, "{column}: {found}, not {expected}");
    };
    close("upper_ratio", 3.0 / 21.0);
    close("digit_ratio", 2.0 / 41.0);
    close("punct_ratio", 10.0 / 41.0);
    close("mean_word_length", 8.0 / 3.0);
    close("hour_sin", 1.0);
    close("hour_cos", 0.0);
    close("weekday_sin", (std::f64::consts::TAU * 3.0 / 7.0).sin());
    close("weekday_cos", (std::f64::consts::TAU * 3.0 / 7.0).cos());
    close("account_age_days", 1.5);
    close("log_followers", 0.0);
    close("log_following", 10_f64.ln());
    close("log_listed", 0.0);
    close("log_statuses", 100_f64.ln());
    for mask in ["has_user_created_at", "has_account_age", "has_followers", "has_statuses", "lang_ja"] {
        assert_eq!(value(0, mask), AnyValue::Boolean(true), "{mask}");
        assert_eq!(value(1, mask), AnyValue::Boolean(false), "{mask}");
    }
    assert_eq!(
        (value(0, "lang_other"), value(1, "lang_other")),
        (AnyValue::Boolean(false), AnyValue::Boolean(true))
    );
    for unknown in ["hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "account_age_days", "log_followers"]
    {
        assert_eq!(value(1, unknown), AnyValue::Null, "{unknown}");
    }
    for zero in ["upper_ratio", "digit_ratio", "punct_ratio", "mean_word_length"] {
        assert_eq!(number(1, zero), 0.0, "{zero}");
    }
    let languages = rows.get_column_names().iter().filter(|c| c.starts_with("lang_")).count();
    assert!(languages > 10);
}

/// By what the version itself says: schema.json and the Parquet files.
#[test]
fn what_a_model_takes_is_known_or_masked_and_never_nan() {
    let home = Home::new();
    let rows: Vec<_> = (0..64_i64)
        .map(|n| {
            let mut row = row(&n.to_string(), &(n % 7).to_string());
            for (at, column) in CLEAN.iter().filter(|column| column.nullable).enumerate() {
                // Every column by a pattern of its own; a point has both its coordinates or none.
                let pattern = if column.name == "lat" { at - 1 } else { at };
                if n >> (pattern % 6) & 1 == i64::from(pattern < 24) {
                    row = row.without(column.name);
                } else {
                    row = match column.kind {
                        Kind::String => row.with(column.name, n.to_string().as_str()),
                        Kind::Bool => row.with(column.name, n % 3 == 0),
                        _ => row.with(column.name, n - 1),
                    };
                }
            }
            row
        })
        .collect();
    home.clean("2020-12-24", &rows);
    let made = home.make("--split-by id --near-copies none");
    let rows = made.rows();
    let schema: Value =
        serde_json::from_slice(&std::fs::read(made.folder.join("schema.json")).unwrap()).unwrap();
    let columns = schema["columns"].as_array().unwrap();
    let known = |name: &str| rows.column(name).unwrap().is_not_null();
    let mut masked = 0;
    for column in columns {
        let (name, role) = (column["name"].as_str().unwrap(), column["role"].as_str().unwrap());
        let cells = rows.column(name).unwrap();
        if matches!(cells.dtype(), DataType::Float32 | DataType::Float64) {
            let cells = cells.cast(&DataType::Float64).unwrap();
            assert!(cells.f64().unwrap().iter().flatten().all(f64::is_finite), "{name}");
        }
        if column["nullable"] == false {
            assert_eq!(cells.null_count(), 0, "{name}");
        } else if matches!(role, "feature" | "snapshot") {
            let masks: Vec<&str> = columns
                .iter()
                .filter(|mask| mask["mask_of"].as_array().is_some_and(|all| all.contains(&Value::from(name))))
                .map(|mask| mask["name"].as_str().unwrap())
                .collect();
            assert_eq!(masks.len(), 1, "{name}: {masks:?}");
            let mask = rows.column(masks[0]).unwrap().bool().unwrap();
            assert!(mask.iter().eq(known(name).iter()), "{name}");
            assert!((1..rows.height()).contains(&cells.null_count()), "{name} is not tried");
            masked += 1;
        }
    }
    assert!(masked > 15, "{masked}");
    let role = |name: &str| columns.iter().find(|c| c["name"] == name).unwrap()["role"].clone();
    let snapshots = ["followers_count", "log_followers", "verified", "user_location"].map(role);
    assert_eq!(snapshots, [(); 4].map(|()| Value::from("snapshot")));
}

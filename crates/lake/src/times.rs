//! Instants as microseconds since 1970-01-01 UTC, and the text forms of them.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// `2020-12-24T23:31:18.000000Z`: fixed width, so that text order is time order.
pub fn format_micros(micros: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .ok()
        .and_then(|t| t.format(form).ok())
        .unwrap_or_default()
}

/// `2020-12-24`: the UTC day of an instant.
pub fn day_of(micros: i64) -> String {
    format_micros(micros).chars().take(10).collect()
}

/// Reads `2026-11-20`, `2026-11-20T08`, `2026-11-20T08:30`, `2026-11-20 08:30:00`, or any RFC 3339
/// instant, to microseconds. Without an offset the time is UTC.
pub fn parse_instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let micros = |t: OffsetDateTime| i64::try_from(t.unix_timestamp_nanos() / 1_000).ok();
    let dashed = text.replacen(' ', "T", 1);
    if let Ok(t) = OffsetDateTime::parse(&dashed, &Rfc3339) {
        return micros(t.to_offset(UtcOffset::UTC));
    }
    if let Ok(day) = Date::parse(&dashed, format_description!("[year]-[month]-[day]")) {
        return micros(day.midnight().assume_utc());
    }
    let padded = match dashed.len() {
        13 => format!("{dashed}:00:00"),
        16 => format!("{dashed}:00"),
        _ => dashed,
    };
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    PrimitiveDateTime::parse(&padded, form).ok().and_then(|t| micros(t.assume_utc()))
}

/// Serde form of instants: RFC 3339 with microseconds, or null.
pub(crate) mod serde_micros {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &Option<i64>, s: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(micros) => s.serialize_str(&super::format_micros(*micros)),
            None => s.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
        let Some(text) = Option::<String>::deserialize(d)? else { return Ok(None) };
        super::parse_instant(&text).map(Some).ok_or_else(|| D::Error::custom("not an instant"))
    }
}

#[cfg(test)]
mod tests {
    use super::{day_of, format_micros, parse_instant};

    #[test]
    fn instants_are_read_and_written() {
        let noon = parse_instant("2020-12-24T12:00:00Z");
        assert_eq!(noon.map(format_micros).as_deref(), Some("2020-12-24T12:00:00.000000Z"));
        for same in ["2020-12-24T12", "2020-12-24T12:00", "2020-12-24 12:00:00", "2020-12-24T13:00:00+01:00"]
        {
            assert_eq!(parse_instant(same), noon, "{same}");
        }
        assert_eq!(parse_instant("2020-12-24").map(day_of).as_deref(), Some("2020-12-24"));
        for bad in ["", "yesterday", "2020-13-01", "20201224"] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
    }
}

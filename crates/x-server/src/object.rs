//! Objects as they are written into answers: every field pre-rendered, so that an answer is a choice of slices.

use serde_json::{Map, Value};

use crate::names::{Dialect, Kind, to_post_value};

/// One tweet, user, place, medium or poll: its fields as JSON text, side by side in one string.
#[derive(Debug)]
pub(crate) struct Object {
    json: Box<str>,
    spans: Box<[Span]>,
}

#[derive(Debug)]
struct Span {
    field: u8,
    /// `None`: the value reads the same in both dialects.
    dialect: Option<Dialect>,
    start: u32,
    end: u32,
}

impl Object {
    /// Renders the fields that `kind` knows; others can never be asked for.
    pub fn new(kind: &Kind, fields: &Map<String, Value>) -> Self {
        let mut json = String::new();
        let mut spans = Vec::new();
        for (number, name) in kind.names.iter().enumerate() {
            let Some(value) = fields.get(name.tweet) else { continue };
            let forms = match to_post_value(name.tweet, value) {
                None => vec![(None, value.to_string())],
                Some(post) => {
                    vec![(Some(Dialect::Tweet), value.to_string()), (Some(Dialect::Post), post.to_string())]
                }
            };
            for (dialect, text) in forms {
                let start = length(json.len());
                json.push_str(&text);
                spans.push(Span {
                    field: u8::try_from(number).unwrap_or(u8::MAX),
                    dialect,
                    start,
                    end: length(json.len()),
                });
            }
        }
        Self { json: json.into(), spans: spans.into() }
    }

    /// The JSON of one field, by its tweet name.
    pub fn field(&self, kind: &Kind, tweet_name: &str) -> Option<&str> {
        let number = kind.number(tweet_name)?;
        let span = self.spans.iter().find(|span| usize::from(span.field) == number)?;
        Some(&self.json[span.start as usize..span.end as usize])
    }

    /// Appends `{"field":value,…}` with the fields of `bits` that the object has.
    pub fn write(&self, kind: &Kind, dialect: Dialect, bits: u64, out: &mut Vec<u8>) {
        self.write_with(kind, dialect, bits, &[], out);
    }

    /// The same, where some fields (by tweet name) carry another value: `(name, json)`.
    pub fn write_with(
        &self,
        kind: &Kind,
        dialect: Dialect,
        bits: u64,
        changed: &[(&str, String)],
        out: &mut Vec<u8>,
    ) {
        out.push(b'{');
        let open = out.len();
        for span in &self.spans {
            if bits >> span.field & 1 == 0 || span.dialect.is_some_and(|only| only != dialect) {
                continue;
            }
            if out.len() > open {
                out.push(b',');
            }
            let name = &kind.names[usize::from(span.field)];
            out.push(b'"');
            out.extend_from_slice(name.in_dialect(dialect).as_bytes());
            out.extend_from_slice(b"\":");
            let own = &self.json.as_bytes()[span.start as usize..span.end as usize];
            let other = changed.iter().find(|(field, _)| *field == name.tweet);
            out.extend_from_slice(other.map_or(own, |(_, json)| json.as_bytes()));
        }
        out.push(b'}');
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

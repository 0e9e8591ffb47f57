//! Lenient reading: a field of an unexpected type becomes null, and is noted.
//!
//! serde's own types would fail the whole line. A [`Field`] takes whatever stands there: it keeps what has
//! the right shape and skips the rest, without memory or stack for what it skips.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::id::digits;
use crate::{LIST_ITEMS, PAGE_ITEMS};

/// The message of the error for a list above its cap; `reject` reads it back.
pub(crate) const TOO_MANY: &str = "a list of too many items";

/// A value that may be missing, null, or of the wrong type.
#[derive(Clone, Default)]
pub(crate) enum Field<T> {
    /// Missing or null.
    #[default]
    Absent,
    /// Read.
    Is(T),
    /// There, but not readable.
    Bad,
}

impl<T> Field<T> {
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    /// The value, if it was read.
    pub fn get(self) -> Option<T> {
        match self {
            Field::Is(value) => Some(value),
            Field::Absent | Field::Bad => None,
        }
    }

    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Field::Is(value) => Some(value),
            Field::Absent | Field::Bad => None,
        }
    }

    /// The value, if it was read; else null, noted under `name` if something else stood there.
    pub fn take(self, name: &'static str, retyped: &mut Vec<&'static str>) -> Option<T> {
        if matches!(self, Field::Bad) {
            note(retyped, name);
        }
        self.get()
    }

    /// This field, or the other if this one is missing or null.
    pub fn or(self, other: Field<T>) -> Field<T> {
        if self.is_absent() { other } else { self }
    }
}

/// Notes a field that became null, once.
pub(crate) fn note(retyped: &mut Vec<&'static str>, name: &'static str) {
    if !retyped.contains(&name) {
        retyped.push(name);
    }
}

/// What JSON a type is read from. Each method answers `None` for a value it cannot read.
pub(crate) trait Shape<'de>: Sized {
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn natural(_: u64) -> Option<Self> {
        None
    }
    fn negative(_: i64) -> Option<Self> {
        None
    }
    fn real(_: f64) -> Option<Self> {
        None
    }
    fn truth(_: bool) -> Option<Self> {
        None
    }
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn object<A: MapAccess<'de>>(mut entries: A) -> Result<Option<Self>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An optional value: that is how serde knows that the key may be missing.
        deserializer.deserialize_option(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Field::Bad, Field::Is)
    }
}

impl<'de, T: Shape<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Borrowed(value)).into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Owned(value.to_owned())).into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(T::natural(value).into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::negative(value).into())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::real(value).into())
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::truth(value).into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        T::list(items).map(Field::from)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::object(entries).map(Field::from)
    }
}

/// Makes structs that derive `Deserialize` readable as fields; a key twice in one of them is an error of serde's.
macro_rules! objects {
    ($($name:ty),* $(,)?) => {$(
        impl<'de: 'a, 'a> crate::field::Shape<'de> for $name {
            fn object<A: serde::de::MapAccess<'de>>(entries: A) -> Result<Option<Self>, A::Error> {
                let entries = serde::de::value::MapAccessDeserializer::new(entries);
                serde::Deserialize::deserialize(entries).map(Some)
            }
        }
    )*};
}
pub(crate) use objects;

impl<'de: 'a, 'a> Shape<'de> for Cow<'a, str> {
    fn text(value: Cow<'de, str>) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for bool {
    fn truth(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for f64 {
    fn natural(value: u64) -> Option<Self> {
        Some(value as f64)
    }
    fn negative(value: i64) -> Option<Self> {
        Some(value as f64)
    }
    fn real(value: f64) -> Option<Self> {
        Some(value)
    }
}

/// A whole number, also when written as a string or, as pandas does, with a fraction of zero.
impl Shape<'_> for i64 {
    fn text(value: Cow<'_, str>) -> Option<Self> {
        value.parse().ok()
    }
    fn natural(value: u64) -> Option<Self> {
        value.try_into().ok()
    }
    fn negative(value: i64) -> Option<Self> {
        Some(value)
    }
    fn real(value: f64) -> Option<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        (value.fract() == 0.0 && value.abs() < EXACT).then_some(value as i64)
    }
}

/// An X id: digits, in a string or as a whole number. Zero and the empty string mean that there is none.
#[derive(Clone)]
pub(crate) enum Key<'a> {
    None,
    Text(u64, Cow<'a, str>),
    Number(u64),
}

impl<'de: 'a, 'a> Shape<'de> for Key<'a> {
    fn text(value: Cow<'de, str>) -> Option<Self> {
        if value.is_empty() || value == "0" {
            return Some(Key::None);
        }
        digits(&value).map(|id| Key::Text(id, value))
    }
    fn natural(value: u64) -> Option<Self> {
        Some(if value == 0 { Key::None } else { Key::Number(value) })
    }
}

impl<'a> Key<'a> {
    pub fn number(&self) -> Option<u64> {
        match self {
            Key::None => None,
            Key::Text(id, _) | Key::Number(id) => Some(*id),
        }
    }

    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Key::None => None,
            Key::Text(_, text) => Some(text),
            Key::Number(id) => Some(Cow::Owned(id.to_string())),
        }
    }
}

/// A list of at most [`LIST_ITEMS`]; items of the wrong type are left out and noted.
#[derive(Clone)]
pub(crate) struct List<T> {
    pub items: Vec<T>,
    bad: bool,
}

impl<'de, T: Shape<'de>> Shape<'de> for List<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let (mut items, mut bad, mut read) = (Vec::new(), false, 0);
        while let Some(item) = list.next_element::<Field<T>>()? {
            read += 1;
            if read > LIST_ITEMS {
                return Err(A::Error::custom(TOO_MANY));
            }
            match item {
                Field::Is(item) => items.push(item),
                Field::Absent | Field::Bad => bad = true,
            }
        }
        Ok(Some(List { items, bad }))
    }
}

impl<T> Field<List<T>> {
    /// The items that were read; noted under `name` if there was anything else.
    pub fn items(self, name: &'static str, retyped: &mut Vec<&'static str>) -> Vec<T> {
        self.take(name, retyped).map_or_else(Vec::new, |list| {
            if list.bad {
                note(retyped, name);
            }
            list.items
        })
    }
}

/// Two numbers.
#[derive(Clone, Copy)]
pub(crate) struct Pair(pub f64, pub f64);

impl<'de> Shape<'de> for Pair {
    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(List::<f64>::list(list)?.and_then(|list| match list.items[..] {
            [first, second] if !list.bad => Some(Pair(first, second)),
            _ => None,
        }))
    }
}

/// The items of a page, unread: at most [`PAGE_ITEMS`].
pub(crate) struct Raws<'a>(pub Vec<&'a RawValue>);

impl<'de: 'a, 'a> Shape<'de> for Raws<'a> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<&'de RawValue>()? {
            if items.len() == PAGE_ITEMS {
                return Err(A::Error::custom(TOO_MANY));
            }
            items.push(item);
        }
        Ok(Some(Raws(items)))
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Box<T> {
    fn object<A: MapAccess<'de>>(entries: A) -> Result<Option<Self>, A::Error> {
        Ok(T::object(entries)?.map(Box::new))
    }
}

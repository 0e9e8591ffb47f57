//! Lenient reading: a field of an unexpected type becomes null, and is noted.
//!
//! A [`Field`] takes whatever stands there: it keeps what has the right shape and steps over the rest, without stack for
//! what it steps over.

use std::borrow::Cow;

use crate::id::digits;
use crate::read::{Fault, Number, Reader};
use crate::reject::{Code, Reject};
use crate::{LIST_ITEMS, PAGE_ITEMS};

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

/// What stands behind a key.
pub(crate) trait Value<'de>: Default {
    fn read<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Self, Fault>;
}

/// A value as it is written; none, if it is missing or null.
pub(crate) type Raw<'a> = Option<&'a str>;

impl<'de: 'a, 'a> Value<'de> for Raw<'a> {
    fn read<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Self, Fault> {
        Ok(Some(reader.raw()?).filter(|raw| *raw != "null"))
    }
}

/// Reads one value, which should be JSON.
pub(crate) fn read<'de, T: Value<'de>>(text: &'de str) -> Result<T, Reject> {
    let mut reader = Reader::<false>::new(text);
    T::read(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|fault| *fault)
}

/// Reads one value that is known to be JSON.
pub(crate) fn read_known<'de, T: Value<'de>>(json: &'de str) -> Result<T, Reject> {
    T::read(&mut Reader::<true>::new(json)).map_err(|fault| *fault)
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
    /// A list begins here.
    fn list<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        reader.skip().map(|()| None)
    }
    /// An object begins here.
    fn object<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        reader.skip().map(|()| None)
    }
}

impl<'de, T: Shape<'de>> Value<'de> for Field<T> {
    #[inline]
    fn read<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Self, Fault> {
        let read = match reader.next()? {
            b'"' => T::text(reader.text()?),
            b'{' => T::object(reader)?,
            b'[' => T::list(reader)?,
            b'n' => {
                reader.word()?;
                return Ok(Field::Absent);
            }
            truth @ (b't' | b'f') => {
                reader.word()?;
                T::truth(truth == b't')
            }
            _ => match reader.number()? {
                Number::Natural(number) => T::natural(number),
                Number::Negative(number) => T::negative(number),
                Number::Real(number) => T::real(number),
            },
        };
        Ok(read.map_or(Field::Bad, Field::Is))
    }
}

/// A struct that is read from an object, each field from the key of its name.
pub(crate) trait Object<'de>: Default + Shape<'de> {
    /// Reads the object that begins here.
    fn fill<const KNOWN: bool>(&mut self, reader: &mut Reader<'de, KNOWN>) -> Result<(), Fault>;
}

impl<'de, T: Object<'de>> Shape<'de> for Box<T> {
    fn object<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        let mut it = Box::<T>::default();
        it.fill(reader)?;
        Ok(Some(it))
    }
}

/// Structs that are read from objects: `field: Type` from the key of that name, `field: Type = "key"` from another one. Other keys
/// are stepped over; a key that is here, and stands twice, is an error.
macro_rules! objects {
    ($(
        $(#[$about:meta])*
        $seen:vis struct $name:ident $(<$life:lifetime $(, $other:ident)?>)? {
            $($(#[$told:meta])* $open:vis $field:ident: $type:ty $(= $key:literal)?,)*
        }
    )*) => {$(
        $(#[$about])*
        $seen struct $name $(<$life $(, $other)?>)? {
            $($(#[$told])* $open $field: $type,)*
        }

        impl $(<$life $(, $other)?>)? Default for $name $(<$life $(, $other)?>)? {
            fn default() -> Self {
                Self { $($field: Default::default(),)* }
            }
        }

        impl<'de $(: $life, $life $(, $other: crate::field::Object<'de>)?)?> crate::field::Object<'de>
            for $name $(<$life $(, $other)?>)?
        {
            #[allow(non_camel_case_types, non_upper_case_globals, reason = "named as the fields are")]
            fn fill<const KNOWN: bool>(&mut self, reader: &mut crate::read::Reader<'de, KNOWN>) -> Result<(), crate::read::Fault> {
                use crate::field::key_of;
                use crate::read::hash;

                enum At { $($field,)* }
                // A bit each.
                const _: () = assert!([$(At::$field),*].len() <= 128);
                $(const $field: u64 = hash(key_of!($field $($key)?).as_bytes());)*
                let mut seen = 0;
                reader.enter();
                while let Some((hash, key)) = reader.key(&[$(key_of!($field $($key)?)),*])? {
                    match hash {
                        $($field if key == key_of!($field $($key)?).as_bytes() => {
                            reader.once(&mut seen, At::$field as u32, key_of!($field $($key)?))?;
                            reader.colon()?;
                            self.$field = crate::field::Value::read(reader)?;
                        })*
                        _ => {
                            reader.colon()?;
                            reader.skip()?;
                        }
                    }
                }
                Ok(())
            }
        }

        impl<'de $(: $life, $life $(, $other: crate::field::Object<'de>)?)?> crate::field::Shape<'de>
            for $name $(<$life $(, $other)?>)?
        {
            fn object<const KNOWN: bool>(reader: &mut crate::read::Reader<'de, KNOWN>) -> Result<Option<Self>, crate::read::Fault> {
                let mut it = Self::default();
                crate::field::Object::fill(&mut it, reader)?;
                Ok(Some(it))
            }
        }
    )*};
}
pub(crate) use objects;

macro_rules! key_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}
pub(crate) use key_of;

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
    fn list<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        let (mut items, mut bad) = (Vec::new(), false);
        each(reader, LIST_ITEMS, |reader| {
            match Field::<T>::read(reader)? {
                Field::Is(item) => items.push(item),
                Field::Absent | Field::Bad => bad = true,
            }
            Ok(())
        })?;
        Ok(Some(List { items, bad }))
    }
}

/// Reads a list, item by item.
fn each<'de, const KNOWN: bool>(
    reader: &mut Reader<'de, KNOWN>,
    most: usize,
    mut item: impl FnMut(&mut Reader<'de, KNOWN>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut items = 0;
    reader.enter();
    while reader.item()? {
        item(reader)?;
        items += 1;
        if items > most {
            return Err(reader.fault(1, Code::TooMany, "a list of too many items"));
        }
    }
    Ok(())
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
    fn list<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        Ok(List::<f64>::list(reader)?.and_then(|list| match list.items[..] {
            [first, second] if !list.bad => Some(Pair(first, second)),
            _ => None,
        }))
    }
}

/// The items of a page, unread: at most [`PAGE_ITEMS`].
pub(crate) struct Raws<'a>(pub Vec<&'a str>);

impl<'de: 'a, 'a> Shape<'de> for Raws<'a> {
    fn list<const KNOWN: bool>(reader: &mut Reader<'de, KNOWN>) -> Result<Option<Self>, Fault> {
        let mut items = Vec::new();
        each(reader, PAGE_ITEMS, |reader| {
            items.push(reader.raw()?);
            Ok(())
        })?;
        Ok(Some(Raws(items)))
    }
}

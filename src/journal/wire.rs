//! How a record is read: `v` and `at` are taken as they come by, and the rest is the event's. Serde's `flatten` would hold
//! each line once more before it knows the event. And what is not written. Pure.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Event, Record};

/// A count that is told only where there is any.
pub(crate) fn none(count: &u32) -> bool {
    *count == 0
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Record, D::Error> {
        from.deserialize_map(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct Record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
        let (mut v, mut at) = (None, None);
        let event = Event::deserialize(MapAccessDeserializer::new(Rest { map, v: &mut v, at: &mut at }))?;
        let v = v.ok_or_else(|| A::Error::missing_field("v"))?;
        Ok(Record { v, at: at.ok_or_else(|| A::Error::missing_field("at"))?, event })
    }
}

/// The entries that are the event's.
struct Rest<'r, A> {
    map: A,
    v: &'r mut Option<u32>,
    at: &'r mut Option<Timestamp>,
}

#[derive(Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            match &*key {
                "v" => once("v", self.v, self.map.next_value()?)?,
                "at" => once("at", self.at, self.map.next_value()?)?,
                _ => {
                    let key = match key {
                        Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
                        Cow::Owned(key) => seed.deserialize(StringDeserializer::new(key)),
                    };
                    return key.map(Some);
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

fn once<T, E: Error>(name: &'static str, field: &mut Option<T>, value: T) -> Result<(), E> {
    match field.replace(value) {
        Some(_) => Err(E::duplicate_field(name)),
        None => Ok(()),
    }
}

//! JSON as a [`Node`]. Pure.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::tree::{DEEPEST, Entry, Kind, Node, Style, Wrong, unique};

/// Reads the value that `text` is. Spans start at `from`.
pub(super) fn parse(text: &str, from: usize) -> Result<Node, Wrong> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| wrong(text, from, &error))?;
    node(raw.get(), from + offset(text, raw.get()), 0)
}

/// `inner` is a part of `outer`: where it begins.
fn offset(outer: &str, inner: &str) -> usize {
    inner.as_ptr() as usize - outer.as_ptr() as usize
}

fn wrong(text: &str, from: usize, error: &serde_json::Error) -> Wrong {
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    let at = (line + error.column().saturating_sub(1)).min(text.len());
    Wrong::new(from + at, format!("not valid JSON: {reason}"))
}

/// `text` is the value and nothing around it.
fn node(text: &str, from: usize, depth: usize) -> Result<Node, Wrong> {
    if depth > DEEPEST {
        return Err(Wrong::new(from, "nested too deep"));
    }
    let failed = |error: serde_json::Error| wrong(text, from, &error);
    let inner = |raw: &RawValue| node(raw.get(), from + offset(text, raw.get()), depth + 1);
    let kind = match text.as_bytes().first() {
        Some(b'{') => {
            let object: Object = serde_json::from_str(text).map_err(failed)?;
            let entry = |(key, value): (&RawValue, &RawValue)| {
                let start = from + offset(text, key.get());
                let span: Range<usize> = start..start + key.get().len();
                Ok(Entry {
                    key: serde_json::from_str(key.get()).map_err(failed)?,
                    key_span: span,
                    value: inner(value)?,
                })
            };
            let entries = object.0.into_iter().map(entry).collect::<Result<Vec<_>, Wrong>>()?;
            unique(&entries)?;
            Kind::Map { flow: true, entries }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(failed)?;
            Kind::List(items.into_iter().map(inner).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Kind::Scalar { text: serde_json::from_str(text).map_err(failed)?, style: Style::Double },
        _ => Kind::Scalar { text: text.to_owned(), style: Style::Plain },
    };
    Ok(Node { span: from..from + text.len(), kind })
}

/// An object's keys and values, as they are written.
struct Object<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_bytes() {
        let text = " {\"a\\u0062\" : \"\\ud83d\\ude00/\\/\", \"n\":-1.5e3,\n\t\"l\": [ {\"x\":null}, true ]}\n";
        let root = parse(text, 0).unwrap();
        let [ab, n, l] = root.entries() else { panic!("{root:?}") };
        assert_eq!((ab.key.as_str(), &text[ab.key_span.clone()]), ("ab", "\"a\\u0062\""));
        assert_eq!((ab.value.text(), &text[ab.value.span.clone()]), (Some("😀//"), "\"\\ud83d\\ude00/\\/\""));
        assert_eq!(&text[n.value.span.clone()], "-1.5e3");
        assert_eq!(&text[l.value.items().unwrap()[0].span.clone()], "{\"x\":null}");
        assert_eq!(root.value(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(90), 0).is_ok());
        assert_eq!(parse(&nested(100_000), 0).unwrap_err().text, "nested too deep");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, at, reason) in [
            ("[\n  {\"a\": 1,}\n]", 12, "key must be a string"),
            ("{\"a\": 1, \"a\": 2}", 9, "the key `a` stands twice"),
        ] {
            let wrong = parse(text, 0).unwrap_err();
            assert!(wrong.at == at && wrong.text.contains(reason), "{text:?}: {wrong:?}");
        }
    }
}

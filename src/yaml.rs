//! YAML whose problems are told with line and column, all at once. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

use crate::failure::Problem;

/// One YAML file: its values, and where each of them stands.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    file: String,
    pub value: Value,
}

impl<'t> Document<'t> {
    /// Reads a file's text. `file` is its name in problems.
    pub fn parse(text: &'t str, file: &str) -> Result<Document<'t>, Problem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value = Value::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
            let place = if error.to_string().contains("duplicate entry") { second(text) } else { None };
            let place = place.or_else(|| error.location().map(|place| (place.line(), place.column())));
            let (line, column) = place.unwrap_or((0, 0));
            // The parser's own text repeats the place at its end.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            let hint = reason.contains("cannot start any token").then(|| {
                "YAML is indented with spaces, not with tabs; text that begins with ` or @ needs quotes".to_owned()
            });
            Problem { file: file.to_owned(), line, column, text: format!("not valid YAML: {reason}"), hint }
        })?;
        Ok(Document { text, file: file.to_owned(), value })
    }

    /// A problem at the value that `path` leads to (mapping keys and sequence positions as text), or at the nearest one
    /// around it that is found: `0x10` is not written as the number that it is.
    pub fn problem(&self, path: &[&str], text: impl Into<String>) -> Problem {
        let near = (0..=path.len()).rev().find_map(|length| self.locate(&path[..length]));
        let (line, column) = near.unwrap_or((0, 0));
        Problem { file: self.file.clone(), line, column, text: text.into(), hint: None }
    }

    /// 1-based line and column of a value. The parser tells places in its errors only, so a walk along `path` that
    /// fails at its end on purpose finds it.
    fn locate(&self, path: &[&str]) -> Option<(usize, usize)> {
        let error = Walk(path).deserialize(serde_yaml::Deserializer::from_str(self.text)).err()?;
        error.location().map(|place| (place.line(), place.column()))
    }
}

/// Where a mapping has a key a second time: the parser itself tells where the mapping begins.
fn second(text: &str) -> Option<(usize, usize)> {
    let error = Twice.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    let place = error.location().filter(|_| error.to_string().contains(TWICE))?;
    Some((place.line(), place.column()))
}

const TWICE: &str = "a key stands twice";

/// Walks everything and fails at such a key.
struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Twice {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while map.next_key_seed(NewKey(&mut seen))?.is_some() {
            map.next_value_seed(Twice)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Twice)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key that the mapping did not have yet.
struct NewKey<'s>(&'s mut BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.0.insert(text.to_owned()) { Ok(()) } else { Err(E::custom(TWICE)) }
    }
}

struct Walk<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the value looked for")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else { return Err(A::Error::custom("here")) };
        while let Some(found) = map.next_key_seed(Key { name: first, last: rest.is_empty() })? {
            match found {
                true => map.next_value_seed(Walk(rest))?,
                false => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..first.parse().unwrap_or(0) {
            seq.next_element::<IgnoredAny>()?;
        }
        seq.next_element_seed(Walk(rest)).map(|_| ())
    }
}

/// A mapping's key: a path that ends at a key points at the key, not at its value.
struct Key<'p> {
    name: &'p str,
    last: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match text == self.name {
            true if self.last => Err(E::custom("here")),
            found => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_points_at_its_key_or_element() {
        let text = "statuses:\n  In Progress:\n    onPass: Review\n    onPasss: x\n  Review: {onPass: Done, nope: 1}\nlist:\n  - a\n  - b\n";
        let document = Document::parse(text, "t.yaml").unwrap();
        for (path, place) in [
            (&["statuses", "In Progress", "onPasss"][..], "t.yaml:4:5: p"),
            (&["statuses", "Review", "nope"], "t.yaml:5:26: p"),
            (&["statuses", "In Progress"], "t.yaml:2:3: p"),
            (&["list", "1"], "t.yaml:8:5: p"),
            (&["statuses", "Review", "absent"], "t.yaml:5:3: p"),
            (&["absent"], "t.yaml:1:1: p"),
        ] {
            assert_eq!(document.problem(path, "p").to_string(), place, "{path:?}");
        }
    }

    #[test]
    fn broken_yaml_says_where() {
        let problem = Document::parse("a: 1\nb: [\n", "t.yaml").unwrap_err();
        assert!(problem.to_string().starts_with("t.yaml:3:1: not valid YAML"), "{problem}");
        for (text, place) in [
            ("a: 1\na: 2\n", "2:1"),
            ("# why\nb: {c: true, d: [1, -2, 0.5, null]}\na: 1\n\na: 2\n", "5:1"),
            ("s:\n  In: {}\n  Out: {}\n  In: {}\n", "4:3"),
            ("a: [{b: 1}, {b: 1, c: 2, 'b': 3}]\n", "1:26"),
            ("1: a\n1: b\n", "2:1"),
        ] {
            let problem = Document::parse(text, "t.yaml").unwrap_err().to_string();
            let start = format!("t.yaml:{place}: not valid YAML: ");
            assert!(problem.starts_with(&start) && problem.contains("duplicate"), "{text:?}: {problem}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        for text in ["\u{feff}a: 1\n", "\u{feff}# why\na: 1\n", "\u{feff}"] {
            Document::parse(text, "t.yaml").unwrap();
        }
        let document = Document::parse("\u{feff}a: 1\nb: 2\n", "t.yaml").unwrap();
        assert_eq!(document.problem(&["a"], "p").to_string(), "t.yaml:1:1: p");
        assert_eq!(document.problem(&["b"], "p").to_string(), "t.yaml:2:1: p");
    }
}

//! YAML whose problems are told with line and column, all at once. Pure.

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
        let value = Value::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
            let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
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
        let problem = Document::parse("a: 1\na: 2\n", "t.yaml").unwrap_err();
        assert!(problem.to_string().contains("duplicate"), "{problem}");
    }
}

//! Structured text as a tree whose every value knows the bytes that it is written in. Pure.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use crate::board::Column;

/// Deeper than any board.
pub(super) const DEEPEST: usize = 100;

/// Why a text can't be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The byte.
    pub at: usize,
    pub text: String,
}

impl Wrong {
    pub fn new(at: usize, text: impl Into<String>) -> Wrong {
        Wrong { at, text: text.into() }
    }
}

/// A value and the bytes that it is written in.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<Node>),
    Map {
        /// Between braces; else each key on a line of its own.
        flow: bool,
        entries: Vec<Entry>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// Over lines, behind `|` or `>`.
    Block,
}

impl Node {
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map { entries, .. } => entries,
            Kind::Scalar { .. } | Kind::List(_) => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub fn take(&mut self, key: &str) -> Option<Node> {
        let Kind::Map { entries, .. } = &mut self.kind else { return None };
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at).value)
    }

    pub fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar { .. } | Kind::Map { .. } => None,
        }
    }

    /// A scalar's text; None for what says that there is nothing.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "" | "~" | "null") => None,
            Kind::Scalar { text, .. } => Some(text),
            Kind::List(_) | Kind::Map { .. } => None,
        }
    }

    /// The texts of a list; one text is a list with commas.
    pub fn texts(&self) -> Vec<String> {
        let texts: Vec<&str> = match self.items() {
            Some(items) => items.iter().filter_map(Node::text).collect(),
            None => self.text().into_iter().flat_map(|text| text.split(',')).collect(),
        };
        texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    }

    pub fn columns(&self) -> Vec<Column> {
        self.items().into_iter().flatten().filter_map(Node::text).map(|text| text.trim().into()).collect()
    }

    /// What it says, however it is written.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } => match text.as_str() {
                "" | "~" | "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text => text.parse::<Number>().map_or_else(|_| Value::String(text.to_owned()), Value::Number),
            },
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Kind::Map { entries, .. } => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Whether it is the same as another, wherever they stand.
    pub fn says(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Scalar { text, style }, Kind::Scalar { text: other, style: others }) => {
                text == other && (*style == Style::Plain) == (*others == Style::Plain)
            }
            (Kind::List(items), Kind::List(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(one, other)| one.says(other))
            }
            (Kind::Map { entries, .. }, Kind::Map { entries: others, .. }) => {
                let same = |(one, other): (&Entry, &Entry)| one.key == other.key && one.value.says(&other.value);
                entries.len() == others.len() && entries.iter().zip(others).all(same)
            }
            _ => false,
        }
    }
}

/// Refuses a key that stands twice: programs disagree about which of them holds.
pub(super) fn unique(entries: &[Entry]) -> Result<(), Wrong> {
    let mut seen = std::collections::BTreeSet::new();
    match entries.iter().find(|entry| !seen.insert(&entry.key)) {
        Some(twice) => {
            Err(Wrong::new(twice.key_span.start, format!("the key `{}` stands twice: remove one", twice.key)))
        }
        None => Ok(()),
    }
}

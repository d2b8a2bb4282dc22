//! What the parts of a card are called in a file. Pure.

use std::collections::BTreeMap;

use super::tree::{Entry, Node};

/// Each part and its names. The first that a card has counts; of dependencies and body all of them.
const NAMES: [(&str, &[&str]); 8] = [
    ("id", &["id", "uuid", "identifier"]),
    ("title", &["title", "name"]),
    ("status", &["status", "column"]),
    (
        "body",
        &[
            "body",
            "description",
            "details",
            "content",
            "text",
            "notes",
            "acceptanceCriteria",
            "acceptance_criteria",
            "testStrategy",
        ],
    ),
    ("labels", &["labels", "tags"]),
    ("dependencies", &["dependencies", "blockedBy", "blocked_by", "depends-on", "depends_on", "dependsOn"]),
    ("priority", &["priority"]),
    ("ordinal", &["ordinal", "order"]),
];

/// The names that hold: a part that the settings name has those names alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, Vec<String>>);

impl Default for Keys {
    fn default() -> Keys {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Keys(NAMES.iter().map(|(part, all)| ((*part).to_owned(), names(all))).collect())
    }
}

impl Keys {
    /// From settings such as `status=state`; a part can be named several times.
    pub fn new(pairs: &[String]) -> Result<Keys, String> {
        let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in pairs {
            let parts = || NAMES.map(|(part, _)| part).join(", ");
            let (part, name) = pair.split_once('=').ok_or(format!("`{pair}`: PART=NAME is expected"))?;
            let (part, name) = (part.trim(), name.trim());
            if !NAMES.iter().any(|(known, _)| *known == part) || name.is_empty() {
                return Err(format!("`{pair}`: a name for one of {} is expected", parts()));
            }
            named.entry(part.to_owned()).or_default().push(name.to_owned());
        }
        let mut keys = Keys::default();
        keys.0.extend(named);
        Ok(keys)
    }

    fn names(&self, part: &str) -> &[String] {
        self.0.get(part).map_or(&[], Vec::as_slice)
    }

    /// The name that a part is given where a card has none of it.
    pub(super) fn name(&self, part: &str) -> String {
        self.names(part).first().cloned().unwrap_or_default()
    }

    pub(super) fn find<'n>(&self, card: &'n Node, part: &str) -> Option<&'n Entry> {
        let found = self.names(part).iter().filter_map(|name| card.get(name));
        found.into_iter().find(|entry| entry.value.text().is_some() || entry.value.items().is_some())
    }

    /// In the card's own order.
    pub(super) fn all<'n>(&self, card: &'n Node, part: &str) -> impl Iterator<Item = &'n Entry> {
        card.entries().iter().filter(move |entry| self.names(part).contains(&entry.key))
    }

    pub(super) fn text<'n>(&self, card: &'n Node, part: &str) -> Option<&'n str> {
        self.find(card, part)?.value.text().map(str::trim).filter(|text| !text.is_empty())
    }

    pub(super) fn texts(&self, card: &Node, part: &str) -> Vec<String> {
        self.find(card, part).map(|entry| entry.value.texts()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_part_has_the_given_names_alone() {
        let keys = Keys::new(&["status=state".into(), "body=what".into(), "body=why".into()]).unwrap();
        assert_eq!(keys.names("status"), ["state"]);
        assert_eq!(keys.names("body"), ["what", "why"]);
        assert_eq!(keys.names("id"), ["id", "uuid", "identifier"]);
        assert!(Keys::new(&["status".into()]).unwrap_err().contains("PART=NAME"));
        assert!(Keys::new(&["colour=red".into()]).unwrap_err().contains("one of id, title, status, body"));
    }
}

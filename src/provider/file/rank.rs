//! The order of cards in a column, and of files in a folder. Pure.

use std::cmp::Ordering;

use super::keys::Keys;
use super::tree::Node;

/// By `ordinal`, then by `priority`; what has none stands behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    ordinal: f64,
    priority: f64,
}

/// From the most urgent on.
const PRIORITIES: [&[&str]; 5] = [
    &["critical", "urgent", "highest", "p0"],
    &["high", "p1"],
    &["medium", "normal", "p2"],
    &["low", "p3"],
    &["lowest", "p4"],
];

impl Rank {
    pub fn of(card: &Node, keys: &Keys) -> Rank {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let named = |text: &str| {
            let text = text.to_lowercase();
            let rank = PRIORITIES.iter().position(|names| names.contains(&text.as_str()));
            rank.map(|rank| rank as f64).or_else(|| number(&text))
        };
        Rank {
            ordinal: keys.text(card, "ordinal").and_then(number).unwrap_or(f64::INFINITY),
            priority: keys.text(card, "priority").and_then(named).unwrap_or(f64::INFINITY),
        }
    }

    pub fn order(&self, other: &Rank) -> Ordering {
        self.ordinal.total_cmp(&other.ordinal).then(self.priority.total_cmp(&other.priority))
    }
}

/// A name's pieces as people order them: `task-2` before `task-10`.
pub(super) fn natural(name: &str) -> Vec<(String, u64)> {
    let mut pieces: Vec<(String, u64)> = Vec::new();
    let mut digits = String::new();
    let mut text = String::new();
    for char in name.chars().chain(['\0']) {
        if char.is_ascii_digit() {
            digits.push(char);
            continue;
        }
        if !digits.is_empty() {
            pieces.push((std::mem::take(&mut text), digits.parse().unwrap_or(u64::MAX)));
            digits.clear();
        }
        text.push(char);
    }
    pieces.push((text, 0));
    pieces
}

/// An id as it is compared: whatever its case, and its number without zeros before it. `TASK-1` is `task-01`.
pub(super) fn same_id(id: &str) -> String {
    let id = id.to_lowercase();
    let number = id.len() - id.bytes().rev().take_while(u8::is_ascii_digit).count();
    match id[number..].trim_start_matches('0') {
        "" => id,
        digits => format!("{}{digits}", &id[..number]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_do() {
        let mut names = ["task-10 - x.md", "task-2 - y.md", "task-2.1 - z.md", "a.md"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["a.md", "task-2 - y.md", "task-2.1 - z.md", "task-10 - x.md"]);
    }

    #[test]
    fn an_id_is_the_same_in_every_spelling() {
        for (one, other, same) in
            [("TASK-1", "task-01", true), ("TASK-1", "TASK-10", false), ("a0", "a00", false), ("B", "b", true)]
        {
            assert_eq!(same_id(one) == same_id(other), same, "{one} {other}");
        }
    }
}

//! Which tests a card names, by `@name` or `#tag`, and which every card has. Pure.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::{ALWAYS, TestString};

/// The names of a file's tests, so that a card is not held against each of them.
#[derive(Debug, Default)]
pub struct Names {
    /// Ordinals, by what a card writes: `@name` and `#tag`.
    tests: HashMap<String, Vec<u32>>,
    /// In bytes.
    longest: usize,
}

impl Names {
    pub fn of(tests: &[TestString]) -> Names {
        let mut names = Names::default();
        for (ordinal, test) in (0..).zip(tests) {
            let tags = test.tags.iter().map(|tag| format!("#{tag}"));
            for name in tags.chain([format!("@{}", test.id)]) {
                names.longest = names.longest.max(name.len());
                names.tests.entry(name).or_default().push(ordinal);
            }
        }
        names
    }

    /// The ordinals, rising, of the tests that are `#always`, that the text names or that have one of the labels as a tag.
    pub fn named(&self, text: &str, labels: &[String]) -> Vec<u32> {
        let tags = labels.iter().map(String::as_str).chain([ALWAYS]);
        let labelled = tags.filter_map(|tag| self.tests.get(&format!("#{tag}")));
        let mentioned = mentions(text, self.longest).filter_map(|name| self.tests.get(name));
        let mut ordinals: Vec<u32> = labelled.chain(mentioned).flatten().copied().collect();
        ordinals.sort_unstable();
        ordinals.dedup();
        ordinals
    }
}

/// What of the text may be a name of up to so many bytes, its sign included.
fn mentions(text: &str, longest: usize) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
    let begins = move |(at, sign): &(usize, &str)| {
        text[..*at].chars().next_back().is_none_or(|before| !word(before) && !sign.starts_with(before))
    };
    let ends = move |rest: &str| {
        // A full stop at the end of a sentence is no part of the name.
        rest.trim_start_matches('.').chars().next().is_none_or(|after| !word(after))
    };
    text.match_indices(['@', '#']).filter(begins).flat_map(move |(at, _)| {
        let rest = &text[at..];
        let chars = rest.char_indices().take_while(|(_, c)| !c.is_whitespace());
        let places = chars.map(|(start, c)| start + c.len_utf8()).take_while(move |end| *end <= longest);
        places.filter(move |end| ends(&rest[*end..])).map(move |end| &rest[..end])
    })
}

//! Which tests a card names, by `@name` or `#tag`, and which every card has. Pure.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::{ALWAYS, TestString};

/// The names of a file's tests, so that a card is not held against each of them.
#[derive(Debug, Default)]
pub struct Names {
    /// Ordinals.
    ids: HashMap<String, u32>,
    /// Ordinals, rising.
    tags: HashMap<String, Vec<u32>>,
    /// In bytes.
    longest: usize,
}

impl Names {
    pub fn of(tests: &[TestString]) -> Names {
        let mut names = Names { ids: HashMap::with_capacity(tests.len()), ..Names::default() };
        for (ordinal, test) in (0..).zip(tests) {
            let lengths = test.tags.iter().chain([&test.id.0]).map(String::len);
            names.longest = lengths.fold(names.longest, usize::max);
            names.ids.insert(test.id.0.clone(), ordinal);
            test.tags.iter().for_each(|tag| names.tags.entry(tag.clone()).or_default().push(ordinal));
        }
        names
    }

    /// The ordinals, rising, of the tests that are `#always`, that the text names or that have one of the labels as a tag.
    pub fn named(&self, text: &str, labels: &[String]) -> Vec<u32> {
        let tags = labels.iter().map(String::as_str).chain(self.mentioned(text, '#')).chain([ALWAYS]);
        let tagged = tags.filter_map(|tag| self.tags.get(tag)).flatten();
        let ids = self.mentioned(text, '@').filter_map(|id| self.ids.get(id));
        let mut ordinals: Vec<u32> = tagged.chain(ids).copied().collect();
        ordinals.sort_unstable();
        ordinals.dedup();
        ordinals
    }

    /// What of the text may be a name behind this sign.
    fn mentioned<'t>(&self, text: &'t str, sign: char) -> impl Iterator<Item = &'t str> {
        let longest = self.longest;
        let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
        let begins =
            move |at: &usize| text[..*at].chars().next_back().is_none_or(|before| !word(before) && before != sign);
        let ends = move |rest: &str| {
            // A full stop at the end of a sentence is no part of the name.
            rest.trim_start_matches('.').chars().next().is_none_or(|after| !word(after))
        };
        text.match_indices(sign).map(|(at, _)| at).filter(begins).flat_map(move |at| {
            let rest = &text[at + sign.len_utf8()..];
            let chars = rest.char_indices().take_while(|(_, c)| !c.is_whitespace());
            let places = chars.map(|(start, c)| start + c.len_utf8()).take_while(move |end| *end <= longest);
            places.filter(move |end| ends(&rest[*end..])).map(move |end| &rest[..end])
        })
    }
}

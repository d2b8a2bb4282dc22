//! Where a text or a pattern occurs, in lines. Pure.

use std::ops::RangeInclusive;

use regex::Regex;

use super::likeness::Likeness;

pub(super) enum Needle {
    Text(String),
    Regex(Regex),
}

/// Bytes of a text that are searched a second time for occurrences inside of others.
const RESCANNED: usize = 64 << 20;

impl Needle {
    /// What a near miss of it looks like.
    pub(super) fn likeness(&self) -> Likeness {
        match self {
            Needle::Text(text) => Likeness::text(text),
            Needle::Regex(regex) => Likeness::pattern(regex.as_str()),
        }
    }

    /// The 1-based line of the first occurrence.
    pub(super) fn first(&self, text: &str) -> Option<usize> {
        let mut first = None;
        self.each(text, |lines| {
            first = Some(*lines.start());
            true
        });
        first
    }

    /// Gives each occurrence's 1-based lines, first to last, until `stop` says so. White space at an occurrence's ends
    /// touches no line, and one that is nothing else is none: it would be found in every text.
    pub(super) fn each(&self, text: &str, mut stop: impl FnMut(RangeInclusive<usize>) -> bool) {
        match self {
            // One line of the tests file: it can't span lines.
            Needle::Text(needle) => {
                let mut lines = text.split('\n').enumerate().filter(|(_, line)| line.contains(needle.as_str()));
                lines.any(|(index, _)| stop(index + 1..=index + 1));
            }
            Needle::Regex(regex) => matches(regex, text, stop),
        }
    }
}

fn matches(regex: &Regex, text: &str, mut stop: impl FnMut(RangeInclusive<usize>) -> bool) {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line = |at: usize| starts.partition_point(|start| *start <= at);
    let mut from = 0;
    let mut rescans = RESCANNED;
    while from <= text.len()
        && let Some(found) = regex.find_at(text, from)
    {
        let start = found.end() - found.as_str().trim_start().len();
        let end = start + found.as_str().trim().len();
        if start < end && stop(line(start)..=line(end - 1)) {
            return;
        }
        // An occurrence may begin inside of one that didn't count, and reach further.
        let next_line = starts.get(line(found.start())).copied().unwrap_or(usize::MAX);
        from = if next_line < found.end() && rescans > 0 {
            rescans = rescans.saturating_sub(found.len());
            next_line
        } else if found.is_empty() {
            found.end() + text[found.end()..].chars().next().map_or(1, char::len_utf8)
        } else {
            found.end()
        };
    }
}

//! Cards that are taken over from the reading before: most of a changed board is as it was. Pure.

use std::ops::Range;

use crate::board::{Card, Column};

use super::card::{Head, Located, Ours};
use super::outline::Outline;
use super::parse::Parsed;

/// The reading before, and how far its cards were passed.
pub(super) struct Before<'b> {
    text: &'b str,
    parsed: &'b Parsed,
    passed: usize,
}

impl<'b> Before<'b> {
    pub fn new(text: &'b str, parsed: &'b Parsed) -> Before<'b> {
        Before { text, parsed, passed: 0 }
    }

    /// The item as a card, if what it was read as before says what [`Located::new`] would say: it has the same bytes, with
    /// the same blocks in them.
    pub fn card(
        &mut self,
        text: &str,
        outline: &Outline,
        index: usize,
        lane: usize,
        status: &Column,
    ) -> Option<Located> {
        if outline.spaces != self.parsed.outline.spaces {
            return None;
        }
        let span = outline.lines.whole(text, outline.items[index].range.clone());
        // One that is gone is passed by; one that is new is not waited for.
        let next = (self.passed..self.parsed.cards.len()).take(2);
        let (at, known) = next.map(|at| (at, &self.parsed.cards[at])).find(|(_, known)| {
            self.text[known.span.clone()] == text[span.clone()]
                && same((outline, index, &span), (&self.parsed.outline, known.item, &known.span))
        })?;
        self.passed = at + 1;
        Some(known.moved(outline, index, lane, status, span))
    }
}

/// Whether an item has the same blocks in it as another one of the same bytes.
fn same(one: (&Outline, usize, &Range<usize>), other: (&Outline, usize, &Range<usize>)) -> bool {
    items(one).eq(items(other))
        && ranges(&one.0.fences, one.2).eq(ranges(&other.0.fences, other.2))
        && ranges(&one.0.html, one.2).eq(ranges(&other.0.html, other.2))
}

/// The item and those in it: where they are in its span, in which of them, and whether text comes first.
fn items<'o>(
    (outline, index, span): (&'o Outline, usize, &'o Range<usize>),
) -> impl Iterator<Item = (Range<usize>, Option<usize>, bool)> + 'o {
    let within = outline.items[index..].iter().take_while(|item| item.range.start < span.end);
    within.map(move |item| {
        let range = item.range.start - span.start..item.range.end.min(span.end) - span.start;
        (range, item.parent.map(|parent| parent.wrapping_sub(index)), item.text)
    })
}

fn ranges<'o>(all: &'o [Range<usize>], span: &'o Range<usize>) -> impl Iterator<Item = Range<usize>> + 'o {
    let within = Outline::beginning_in(all, span).iter();
    within.map(|range| range.start - span.start..range.end - span.start)
}

impl Located {
    fn moved(&self, outline: &Outline, index: usize, lane: usize, status: &Column, span: Range<usize>) -> Located {
        let there =
            |range: &Range<usize>| range.start - self.span.start + span.start..range.end - self.span.start + span.start;
        let Head { marker, kind, checkbox, first, column } = &self.head;
        let head = Head {
            marker: there(marker),
            kind: *kind,
            checkbox: checkbox.as_ref().map(there),
            first: there(first),
            column: *column,
        };
        let ours = self.ours.iter().map(|ours| Ours { line: there(&ours.line), data: ours.data }).collect();
        let card = Card {
            status: status.clone(),
            line: outline.lines.number(span.start),
            metadata: Default::default(),
            ..self.card.clone()
        };
        let (inner, fault) = (self.inner.clone(), self.fault.clone());
        Located { card, lane, list: outline.items[index].block, item: index, span, head, ours, inner, fault }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::provider::markdown::parse::{Mode, parse, parse_after};

    const LINES: [&str; 22] = [
        "## Todo",
        "## Done",
        "### Group",
        "",
        "- [ ] one #tag",
        "- [ ] two ^a1",
        "- [x] one",
        "* other",
        "1. first",
        "    - [ ] nested",
        "\t- nested",
        "  more",
        "    code",
        "    ```",
        "```",
        "  <!-- open",
        "<!-- shut -->",
        "  <div>",
        "> - quoted",
        "  - kanban-codex-exec: said",
        "  <!-- kanban-codex-exec {\"a\":1} -->",
        "***",
    ];

    fn text(lines: &[usize]) -> String {
        std::iter::once("## Todo\n").chain(lines.iter().flat_map(|line| [LINES[*line], "\n"])).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_taken_over_is_as_it_would_be_read(
            head in prop::collection::vec(0..LINES.len(), 0..8),
            tail in prop::collection::vec(0..LINES.len(), 0..12),
            (cut, put) in (prop::collection::vec(0..LINES.len(), 0..3), prop::collection::vec(0..LINES.len(), 0..3)),
        ) {
            let (before, after) = (text(&[&head[..], &cut, &tail].concat()), text(&[&head[..], &put, &tail].concat()));
            if let Ok(parsed) = parse(&before, Mode::Board) {
                let again = parse_after(Some(Before::new(&before, &parsed)), &after, Mode::Board);
                prop_assert_eq!(format!("{again:?}"), format!("{:?}", parse(&after, Mode::Board)), "{}\n---\n{}", before, after);
            }
        }
    }
}

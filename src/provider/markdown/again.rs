//! A text after another one, of which most is as it was: the blocks and cards around a change are taken over. Pure.
//!
//! CommonMark is read line by line: where an outermost item or a heading begins at the start of a line, nothing but the list around
//! it is open, and what stands before has no say in what comes after. Between two such seams around the change the text
//! is parsed; if the second one is still one, all behind it reads as before.

use std::ops::Range;

use super::card::Located;
use super::lines::Lines;
use super::outline::{Block, BlockKind, Item, Outline};
use super::parse::Parsed;

/// The reading before.
pub(super) struct Before<'b> {
    pub text: &'b str,
    pub parsed: &'b Parsed,
}

/// The cards of the reading before, to be asked for in file order.
pub(super) struct Known<'b> {
    parsed: &'b Parsed,
    /// As many items from the first on are the same.
    head: usize,
    /// From this item on they are the same again, and those from which on before.
    tail: (usize, usize),
    shift: Shift,
    passed: usize,
}

/// How much further what stands behind the change is than before.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    bytes: isize,
    lines: isize,
}

impl Shift {
    fn range(self, range: &Range<usize>) -> Range<usize> {
        self.byte(range.start)..self.byte(range.end)
    }

    fn byte(self, at: usize) -> usize {
        at.wrapping_add_signed(self.bytes)
    }
}

/// Where parsing can begin or end.
#[derive(Debug, Clone, Copy)]
struct Seam {
    at: usize,
    /// The first item from there on.
    item: usize,
    /// The list that it stands in, or the heading itself.
    block: usize,
}

impl<'b> Before<'b> {
    /// The outline of `text`, and the cards that it has from before. None: it is to be parsed as a whole.
    pub fn outline(&self, text: &str) -> Option<(Outline, Known<'b>)> {
        let old = &self.parsed.outline;
        let (same_head, same_tail) = common(self.text.as_bytes(), text.as_bytes());
        let mut new = Outline::unread(text, Lines::after(&old.lines, text, same_head, same_tail));
        let behind = self.text.len() - old.end;
        let settled = (old.start, old.obsidian, old.spaces, behind)
            == (new.start, new.obsidian, new.spaces, text.len() - new.end);
        if !settled || same_tail < behind {
            return None;
        }
        let shift = Shift {
            bytes: text.len().wrapping_sub(self.text.len()).cast_signed(),
            lines: new.lines.count().wrapping_sub(old.lines.count()).cast_signed(),
        };
        let from = old.seam_before(self.text, same_head)?;
        let to = old.seam_from(self.text, self.text.len() - same_tail, |at| new.lines.starts_at(shift.byte(at)));
        let there = to.map(|to| shift.byte(to.at));
        new.read(text, from.at..there.map_or(new.end, |there| new.lines.span(new.lines.at(there)).end));
        let read = new.items.partition_point(|item| there.is_none_or(|there| item.range.start < there));
        if let (Some(to), Some(there)) = (to, there) {
            let last = new.blocks.last()?;
            let is_seam = match (&old.blocks[to.block].kind, &last.kind) {
                (BlockKind::List(_), BlockKind::List(items)) => {
                    items.last() == Some(&read) && new.items[read].range.start == there
                }
                (BlockKind::Heading { .. }, BlockKind::Heading { .. }) => last.range.start == there,
                _ => false,
            };
            if !is_seam {
                return None;
            }
        }
        let tail = (from.item + read, to.map_or(old.items.len(), |to| to.item));
        new.join(old, from, to, read, shift);
        Some((new, Known { parsed: self.parsed, head: from.item, tail, shift, passed: 0 }))
    }
}

/// How many bytes two texts have in common at their beginnings, and of the rest at their ends.
fn common(one: &[u8], other: &[u8]) -> (usize, usize) {
    const STEP: usize = 1024;
    let same = |at: usize, end: usize| one.get(at..end).is_some_and(|piece| other.get(at..end) == Some(piece));
    let mut head = 0;
    while same(head, head + STEP) {
        head += STEP;
    }
    head += one[head..].iter().zip(&other[head..]).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[head..], &other[head..]);
    let same = |past: usize| {
        let piece = |of: &'_ [u8]| of.len().checked_sub(past + STEP).map(|at| at..at + STEP);
        piece(one).zip(piece(other)).is_some_and(|(a, b)| one[a] == other[b])
    };
    let mut tail = 0;
    while same(tail) {
        tail += STEP;
    }
    let ends = one[..one.len() - tail].iter().rev().zip(other[..other.len() - tail].iter().rev());
    (head, tail + ends.take_while(|(a, b)| a == b).count())
}

impl Outline {
    fn seam(&self, item: usize) -> Option<Seam> {
        let Item { range, parent: None, block, .. } = self.items.get(item)? else { return None };
        let listed = matches!(self.blocks.get(*block)?.kind, BlockKind::List(_));
        (listed && self.lines.starts_at(range.start)).then_some(Seam { at: range.start, item, block: *block })
    }

    fn heading(&self, text: &str, block: usize) -> Option<Seam> {
        let Block { kind: BlockKind::Heading { .. }, range } = self.blocks.get(block)? else { return None };
        let at = range.start;
        let item = self.items.partition_point(|item| item.range.start < at);
        (text[at..].starts_with('#') && self.lines.starts_at(at)).then_some(Seam { at, item, block })
    }

    /// The last one whose line ends at or before this byte.
    fn seam_before(&self, text: &str, limit: usize) -> Option<Seam> {
        let before = |seam: &Seam| self.lines.span(self.lines.at(seam.at)).end <= limit;
        let (items, blocks) = self.beginning_before(limit);
        self.first_seams(text, (0..items).rev(), (0..blocks).rev(), before).max_by_key(|seam| seam.at)
    }

    /// The first one from this byte on that still starts a line.
    fn seam_from(&self, text: &str, limit: usize, starts_line: impl Fn(usize) -> bool) -> Option<Seam> {
        let fits = |seam: &Seam| starts_line(seam.at);
        let (items, blocks) = self.beginning_before(limit);
        let (items, blocks) = (items..self.items.len(), blocks..self.blocks.len());
        self.first_seams(text, items, blocks, fits).min_by_key(|seam| seam.at)
    }

    /// How many items and blocks.
    fn beginning_before(&self, limit: usize) -> (usize, usize) {
        let items = self.items.partition_point(|item| item.range.start < limit);
        (items, self.blocks.partition_point(|block| block.range.start < limit))
    }

    /// The first item and the first heading that are one and fit.
    fn first_seams(
        &self,
        text: &str,
        mut items: impl Iterator<Item = usize>,
        mut blocks: impl Iterator<Item = usize>,
        fits: impl Fn(&Seam) -> bool,
    ) -> impl Iterator<Item = Seam> {
        let item = items.find_map(|item| self.seam(item).filter(&fits));
        let heading = blocks.find_map(|block| self.heading(text, block).filter(&fits));
        item.into_iter().chain(heading)
    }

    /// Puts what was read between two seams, of whose items `read` stand before the second, in its place between what stood before
    /// and behind it.
    fn join(&mut self, old: &Outline, from: Seam, to: Option<Seam>, read: usize, shift: Shift) {
        let end = to.map(|to| shift.byte(to.at));
        let (past, past_block) = to.map_or((old.items.len(), old.blocks.len()), |to| (to.item, to.block));
        let moved = |item: usize| item - past + from.item + read;
        let blocks = self.blocks.len();
        // The block that holds the second seam is the last one read.
        let moved_block = |block: usize| block + from.block + blocks - 1 - past_block;

        let between = self.items.drain(..).take(read).map(|item| Item {
            parent: item.parent.map(|parent| parent + from.item),
            block: item.block + from.block,
            ..item
        });
        let behind = old.items[past..].iter().map(|item| Item {
            range: shift.range(&item.range),
            parent: item.parent.map(moved),
            block: moved_block(item.block),
            text: item.text,
        });
        self.items = old.items[..from.item].iter().cloned().chain(between).chain(behind).collect();

        for block in &mut self.blocks {
            if let BlockKind::List(items) = &mut block.kind {
                items.retain(|item| *item < read);
                items.iter_mut().for_each(|item| *item += from.item);
            }
        }
        if let (BlockKind::List(before), Some(Block { kind: BlockKind::List(items), range })) =
            (&old.blocks[from.block].kind, self.blocks.first_mut())
        {
            items.splice(0..0, before.iter().copied().take_while(|item| *item < from.item));
            range.start = old.blocks[from.block].range.start;
        }
        let mut behind = old.blocks[past_block..].iter().map(|block| Block {
            kind: match &block.kind {
                BlockKind::Heading { level, title } => BlockKind::Heading { level: *level, title: shift.range(title) },
                BlockKind::List(items) => {
                    BlockKind::List(items.iter().filter(|item| **item >= past).map(|item| moved(*item)).collect())
                }
                kind => kind.clone(),
            },
            range: shift.range(&block.range),
        });
        if let (Some(last), Some(rest)) = (self.blocks.last_mut(), behind.next()) {
            match (&mut last.kind, rest.kind) {
                (BlockKind::List(items), BlockKind::List(more)) => items.extend(more),
                (kind, rest) => *kind = rest,
            }
            last.range.end = rest.range.end;
        }
        self.blocks.splice(0..0, old.blocks[..from.block].iter().cloned());
        self.blocks.extend(behind);

        let around = |old: &[Range<usize>], between: &[Range<usize>]| -> Vec<Range<usize>> {
            let between = between.iter().filter(|range| end.is_none_or(|end| range.start < end)).cloned();
            let behind = old.iter().filter(|range| to.is_some_and(|to| range.start >= to.at));
            let before = old.iter().take_while(|range| range.start < from.at).cloned();
            before.chain(between).chain(behind.map(|range| shift.range(range))).collect()
        };
        self.fences = around(&old.fences, &self.fences);
        self.html = around(&old.html, &self.html);
        self.behind = old.behind.map(|at| shift.byte(at));
    }
}

impl Known<'_> {
    /// The card that this item was before, if it stands outside of what changed.
    pub fn card(&mut self, outline: &Outline, item: usize, lane: usize) -> Option<Located> {
        let (before, shift) = match item {
            _ if item < self.head => (item, Shift::default()),
            _ if item >= self.tail.0 => (item - self.tail.0 + self.tail.1, self.shift),
            _ => return None,
        };
        let cards = &self.parsed.cards[self.passed..];
        self.passed += cards.iter().take_while(|card| card.item < before).count();
        let known = self.parsed.cards.get(self.passed).filter(|card| card.item == before)?;
        Some(Located {
            entry: known.entry.clone(),
            lane,
            under: known.under.clone(),
            list: outline.items[item].block,
            item,
            start: shift.byte(known.start),
            line: known.line.wrapping_add_signed(shift.lines),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::provider::markdown::parse::{Mode, parse, parse_after};

    const LINES: [&str; 40] = [
        "## Todo\n",
        "## Done\n",
        "### Group\n",
        "\n",
        "- [ ] one #tag\n",
        "- [ ] two ^a1\n",
        "- [x] one\n",
        "- [ ] three\n",
        "* other\n",
        "1. first\n",
        "2. second\n",
        "3) third\n",
        "    - [ ] nested\n",
        "\t- nested\n",
        "  more\n",
        "lazy\n",
        "    code\n",
        "    ```\n",
        "```\n",
        "- ```\n",
        "  <!-- open\n",
        "<!-- shut -->\n",
        "  <div>\n",
        "<div>\n",
        "> - quoted\n",
        "  - kanban-codex-exec: said\n",
        "  <!-- kanban-codex-exec {\"a\":1} -->\n",
        "***\n",
        "---\n",
        "===\n",
        "-\n",
        "| a | b |\n",
        "|---|---|\n",
        "- a | b\n",
        "%% kanban:settings\n",
        "[a]: b\n",
        "- two\r\n",
        "- ~~three~~\n",
        "- ~~part~~ of it\n",
        "x\r",
    ];

    /// A text after one or several places were written over.
    fn edited(text: &str, edits: &[(prop::sample::Index, usize, Vec<usize>)]) -> String {
        let mut text = text.to_owned();
        for (at, cut, put) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.replace_range(at..end, &put.iter().map(|line| LINES[*line]).collect::<String>());
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_taken_over_is_as_it_would_be_read(
            lines in prop::collection::vec(0..LINES.len(), 0..16),
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..20_usize, prop::collection::vec(0..LINES.len(), 0..3)),
                1..3,
            ),
            list in any::<bool>(),
        ) {
            let mode = if list { Mode::Next } else { Mode::Board };
            let before = std::iter::once("## Todo\n").chain(lines.iter().map(|line| LINES[*line])).collect::<String>();
            let after = edited(&before, &edits);
            if let Ok(parsed) = parse(&before, mode) {
                let again = parse_after(Some(Before { text: &before, parsed: &parsed }), &after, mode);
                prop_assert_eq!(format!("{again:?}"), format!("{:?}", parse(&after, mode)), "{}\n---\n{}", before, after);
            }
        }
    }
}

//! *Next item* mode: a to-do list whose first open item is the card, and passing ticks it. Pure.
//!
//! Where a file has checkboxes, the items with one count, at any depth. Where it has none, its outermost bullets do, and
//! `~~struck~~` ones (or those marked ✅) are done: ticking strikes them, since a first checkbox would turn the others into remarks.

use std::ops::Range;
use std::sync::Arc;

use crate::board::{Column, Refused};

use super::again::Known;
use super::card::{Head, Located, title};
use super::columns::without_limit;
use super::identity::without_block_id;
use super::lines::blank;
use super::outline::{BlockKind, Item, Outline};
use super::parse::{Lane, Mode, Parsed};

/// The lane of open items, and that of done ones.
pub(super) const TODO: usize = 0;
pub(super) const DONE: usize = 1;

/// An item's first line, and the byte at which it starts.
struct FirstLine<'t> {
    line: &'t str,
    start: usize,
    head: Head,
}

impl<'t> FirstLine<'t> {
    fn of(text: &'t str, outline: &Outline, item: &Item) -> Option<FirstLine<'t>> {
        let span = outline.lines.span(outline.lines.at(item.range.start));
        let (line, start) = (&text[span.clone()], span.start);
        Some(FirstLine { line, start, head: Head::new(line)? })
    }
}

pub(super) fn parse(mut known: Option<Known<'_>>, text: &str, outline: Outline) -> Parsed {
    let lane =
        |name: &str| Lane { column: name.into(), line: 0, level: 0, place: text.len(), last: None, archive: false };
    let lanes = vec![lane("Todo"), lane("Done")];
    let firsts: Vec<Option<FirstLine<'_>>> =
        outline.items.iter().map(|item| FirstLine::of(text, &outline, item)).collect();
    let boxes = firsts.iter().flatten().any(|first| first.head.checkbox.is_some());
    let sections = Sections::new(text, &outline);
    let mut cards = Vec::new();
    for (index, item) in outline.items.iter().enumerate() {
        let Some(FirstLine { head, line, start }) = &firsts[index] else { continue };
        let counts = if boxes { head.checkbox.is_some() } else { item.parent.is_none() };
        // The markers of nested items on one line belong to the outer one.
        if !counts || item.range.start > start + head.marker.start {
            continue;
        }
        let section = sections.at(item.block);
        let first = &line[head.first.clone()];
        let ticked = if boxes { !head.checked(line, " ") } else { marked_done(first) };
        let open = !ticked && !struck(first);
        let lane = if open && !section.finished { TODO } else { DONE };
        let chain = chain(&outline, &firsts, index, section);
        let known = known.as_mut().and_then(|known| known.card(&outline, index, lane));
        // Its id can be made of what it stands under.
        if let Some(card) = known.filter(|card| card.under.as_deref().unwrap_or_default() == chain) {
            cards.push(card);
        } else if let Some(mut card) = Located::new(text, &outline, index, lane, &chain) {
            if !boxes && open && first.starts_with("~~") {
                let reason = "it is struck in part, so that it can't be struck when done: give it a checkbox";
                Arc::make_mut(&mut card.entry).fault.get_or_insert_with(|| reason.to_owned());
            }
            cards.push(Located { under: (!chain.is_empty()).then(|| chain.into()), ..card });
        }
    }
    let refused = remarks(text, &outline, &lanes[TODO].column);
    Parsed::new(Mode::Next, outline, lanes, cards, refused)
}

/// Lines that ask for work and are no items: whoever wrote them must not take the list for done.
fn remarks(text: &str, outline: &Outline, todo: &Column) -> Vec<Refused> {
    let paragraphs = outline.blocks.iter().filter(|block| block.kind == BlockKind::Paragraph);
    let lines = paragraphs.flat_map(|block| outline.lines.within(block.range.clone()));
    let asks = |line: &str| ["TODO:", "TODO(", "FIXME:", "FIXME("].iter().any(|word| line.starts_with(word));
    let refused = |line: Range<usize>| {
        let title = text[line.clone()].trim();
        asks(title).then(|| Refused {
            status: Some(todo.clone()),
            title: title.to_owned(),
            file: String::new(),
            lines: vec![outline.lines.number(line.start)],
            reason: "this is text and no item of a list: write it as `- [ ] …`".to_owned(),
        })
    };
    lines.filter_map(refused).collect()
}

/// The one that is next: the first open one of those that can be worked that holds no open one of all.
pub(super) fn first<'c>(fine: &[&'c Located], all: &[Located]) -> Option<&'c Located> {
    let holds_open = |span: &Range<usize>| {
        all.iter().any(|other| other.lane == TODO && span.start < other.start && other.start < span.end)
    };
    fine.iter().copied().find(|card| card.lane == TODO && !holds_open(&card.span()))
}

/// What an item says once all that it holds is ticked.
pub fn with_items_ticked(body: &str) -> String {
    let open = |line: &str| Head::new(line).filter(|head| head.checked(line, " "))?.checkbox;
    let ticked = |line: &str| match open(line) {
        Some(checkbox) => format!("{}x{}", &line[..checkbox.start], &line[checkbox.end..]),
        None => line.to_owned(),
    };
    body.split_inclusive('\n').map(ticked).collect()
}

/// `~~all of it~~`, tags and ids behind it aside.
pub(super) fn struck(text: &str) -> bool {
    let struck = |text: &str| text.len() > 4 && text.starts_with("~~") && text.ends_with("~~");
    struck(&title(text)) || struck(without_block_id(text).trim())
}

/// What people put before or behind an item without a checkbox when it is done.
fn marked_done(text: &str) -> bool {
    const MARKS: [char; 3] = ['✅', '✔', '☑'];
    let title = title(text);
    let title = title.trim_end_matches('\u{fe0f}');
    title.starts_with(MARKS) || title.ends_with(MARKS) || (title.starts_with("~~") && title.contains(MARKS))
}

/// What an item stands under, outermost first, as ` > `.
fn chain(outline: &Outline, firsts: &[Option<FirstLine<'_>>], index: usize, section: &Section) -> String {
    let mut parents = Vec::new();
    let mut at = outline.items[index].parent;
    while let Some(parent) = at {
        parents.extend(firsts[parent].as_ref().map(|first| title(&first.line[first.head.first.clone()])));
        at = outline.items[parent].parent;
    }
    let headings = section.titles.iter().cloned();
    let chain: Vec<String> = headings.chain(parents.into_iter().rev()).filter(|title| !blank(title)).collect();
    chain.join(" > ")
}

/// The headings around a block.
#[derive(Debug, Clone, Default)]
struct Section {
    titles: Vec<String>,
    /// It, or one around it, is a heading of finished items.
    finished: bool,
}

/// For each top-level block.
struct Sections(Vec<Section>);

impl Sections {
    fn new(text: &str, outline: &Outline) -> Sections {
        let mut open: Vec<(u8, String)> = Vec::new();
        let mut current = Section::default();
        let mut sections = Vec::new();
        for block in &outline.blocks {
            if let BlockKind::Heading { level, title } = &block.kind {
                open.retain(|(outer, _)| outer < level);
                open.push((*level, text[title.clone()].trim().to_owned()));
                let finished = open.iter().any(|(_, title)| finished(title));
                current = Section { titles: open.iter().map(|(_, title)| title.clone()).collect(), finished };
            }
            sections.push(current.clone());
        }
        Sections(sections)
    }

    fn at(&self, block: usize) -> &Section {
        static NONE: Section = Section { titles: Vec::new(), finished: false };
        self.0.get(block).unwrap_or(&NONE)
    }
}

/// A section of what is done: `Done`, `## ✅ Completed (2024)`, `Recently completed`, `Archived tasks`, `~~anything~~`.
fn finished(title: &str) -> bool {
    const WORDS: [&str; 8] = ["done", "completed", "complete", "archive", "archived", "finished", "fertig", "完了"];
    const BEFORE: [&str; 4] = ["recently", "already", "previously", "all"];
    const AFTER: [&str; 6] = ["tasks", "items", "work", "todos", "features", "list"];
    if struck(title) {
        return true;
    }
    let lower = without_limit(title).to_lowercase();
    let words: Vec<&str> = lower
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty() && !word.chars().all(|char| char.is_ascii_digit()))
        .collect();
    match words.as_slice() {
        [one] => WORDS.contains(one),
        [first, second] => {
            (BEFORE.contains(first) && WORDS.contains(second)) || (WORDS.contains(first) && AFTER.contains(second))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_item_holds_is_ticked_in_its_text_and_nothing_else() {
        for (body, ticked) in [
            ("A", "A"),
            ("A\n- [ ] B\n  1. [ ] C\n", "A\n- [x] B\n  1. [x] C\n"),
            ("A [ ]\n[ ] b\n- B [ ]\n- [x] C\n- [-] D\n-[ ] e", "A [ ]\n[ ] b\n- B [ ]\n- [x] C\n- [-] D\n-[ ] e"),
        ] {
            assert_eq!(with_items_ticked(body), ticked);
        }
    }
}

//! The block structure of a markdown file, by byte: top-level blocks in order, and every list item. Pure.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::lines::{Lines, blank};

#[derive(Debug)]
pub(super) struct Outline {
    pub lines: Lines,
    /// Has the front matter of the Obsidian Kanban plugin.
    pub obsidian: bool,
    /// Nested lines are indented with spaces alone.
    pub spaces: bool,
    /// Where the board begins: behind front matter.
    pub start: usize,
    /// Where the board ends: the settings footer or the end of the file.
    pub end: usize,
    pub blocks: Vec<Block>,
    /// Every list item in document order, whatever its depth; none of those in quotes.
    pub items: Vec<Item>,
    /// Fenced code blocks.
    pub fences: Vec<Range<usize>>,
    /// HTML blocks.
    pub html: Vec<Range<usize>>,
    /// The byte at which a heading stands behind the settings footer, where nothing is read.
    pub behind: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub kind: BlockKind,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// `title` is the heading's text as written.
    Heading {
        level: u8,
        title: Range<usize>,
    },
    /// The indices of its own items in [`Outline::items`].
    List(Vec<usize>),
    Paragraph,
    Rule,
    Table,
    Fence,
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub range: Range<usize>,
    /// The item that this one is nested in.
    pub parent: Option<usize>,
    /// The top-level block that it stands in.
    pub block: usize,
    /// Its first block is text, so that its first line can carry an id.
    pub text: bool,
}

impl Outline {
    pub fn new(text: &str) -> Outline {
        let mut outline = Outline::unread(text, Lines::new(text));
        outline.read(text, outline.start..outline.end);
        outline.behind = heading_in(&text[outline.end..]).map(|at| outline.end + at);
        outline
    }

    /// Without any block.
    pub fn unread(text: &str, lines: Lines) -> Outline {
        let (start, obsidian) = front_matter(text);
        let end = footer(text, start, &lines);
        let indented = |with: &str| lines.starts().any(|start| text[start..].starts_with(with));
        let spaces = !indented("\t") && indented("  ");
        Outline {
            lines,
            obsidian,
            spaces,
            start,
            end,
            blocks: Vec::new(),
            items: Vec::new(),
            fences: Vec::new(),
            html: Vec::new(),
            behind: None,
        }
    }

    /// Adds what stands in `range`.
    pub fn read(&mut self, text: &str, range: Range<usize>) {
        Walk::default().run(&text[range.clone()], range.start, self);
    }

    /// The innermost item that holds the byte.
    pub fn innermost(&self, offset: usize) -> Option<usize> {
        let before = self.items.partition_point(|item| item.range.start <= offset);
        // Those before an outermost item end before it.
        let outermost = self.items[..before].iter().rposition(|item| item.parent.is_none()).unwrap_or(0);
        let inside = self.items[outermost..before].iter().rposition(|item| item.range.contains(&offset));
        inside.map(|inside| outermost + inside)
    }

    /// Whether the byte is inside a fenced code block.
    pub fn fenced(&self, offset: usize) -> bool {
        let before = self.fences.partition_point(|fence| fence.start <= offset);
        self.fences[..before].last().is_some_and(|fence| fence.contains(&offset))
    }

    /// Those of the ranges, which are in order, that begin in the span.
    pub fn beginning_in<'r>(ranges: &'r [Range<usize>], span: &Range<usize>) -> &'r [Range<usize>] {
        let before = |end: usize| ranges.partition_point(|range| range.start < end);
        &ranges[before(span.start)..before(span.end)]
    }
}

/// What is open while the events pass by.
#[derive(Default)]
struct Walk {
    depth: usize,
    quotes: usize,
    /// The open items; `None` for those in quotes.
    open: Vec<Option<usize>>,
    in_heading: bool,
    /// The item that has begun and holds nothing yet.
    fresh: Option<usize>,
}

impl Walk {
    fn run(mut self, text: &str, base: usize, outline: &mut Outline) {
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let range = base + begin(text, &range)..base + range.end;
            match event {
                Event::Start(tag) => {
                    self.start(&tag, range, outline);
                    self.depth += 1;
                }
                Event::End(tag) => self.end(tag),
                event => self.leaf(&event, range, outline),
            }
        }
    }

    fn start(&mut self, tag: &Tag, range: Range<usize>, outline: &mut Outline) {
        if self.in_heading {
            self.title(range.clone(), outline);
        }
        if self.depth == 0 {
            let kind = match tag {
                Tag::Heading { level, .. } => {
                    self.in_heading = true;
                    BlockKind::Heading { level: *level as u8, title: range.start..range.start }
                }
                Tag::List(_) => BlockKind::List(Vec::new()),
                Tag::Paragraph => BlockKind::Paragraph,
                Tag::Table(_) => BlockKind::Table,
                Tag::CodeBlock(_) => BlockKind::Fence,
                _ => BlockKind::Other,
            };
            outline.blocks.push(Block { kind, range: range.clone() });
        }
        self.first_in_item(!matches!(tag, Tag::CodeBlock(_) | Tag::Table(_)), outline);
        match tag {
            Tag::BlockQuote(_) => self.quotes += 1,
            Tag::Item => self.item(range, outline),
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => outline.fences.push(range),
            Tag::HtmlBlock => outline.html.push(range),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.depth = self.depth.saturating_sub(1);
        match tag {
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::Item => {
                self.open.pop();
                self.fresh = None;
            }
            TagEnd::Heading(_) if self.depth == 0 => self.in_heading = false,
            _ => {}
        }
    }

    fn leaf(&mut self, event: &Event, range: Range<usize>, outline: &mut Outline) {
        if self.in_heading {
            self.title(range.clone(), outline);
        }
        let rule = matches!(event, Event::Rule);
        if rule && self.depth == 0 {
            outline.blocks.push(Block { kind: BlockKind::Rule, range });
        }
        self.first_in_item(!rule, outline);
    }

    fn item(&mut self, range: Range<usize>, outline: &mut Outline) {
        if self.quotes > 0 {
            return self.open.push(None);
        }
        let index = outline.items.len();
        let parent = self.open.iter().rev().find_map(|open| *open);
        let block = outline.blocks.len().saturating_sub(1);
        if self.depth == 1
            && let Some(Block { kind: BlockKind::List(items), .. }) = outline.blocks.last_mut()
        {
            items.push(index);
        }
        outline.items.push(Item { range, parent, block, text: false });
        self.open.push(Some(index));
        self.fresh = Some(index);
    }

    /// The first thing that an item holds: `text` says whether an id can follow it on its line.
    fn first_in_item(&mut self, text: bool, outline: &mut Outline) {
        if let Some(item) = self.fresh.take().and_then(|index| outline.items.get_mut(index)) {
            item.text = text;
        }
    }

    fn title(&self, range: Range<usize>, outline: &mut Outline) {
        if let Some(Block { kind: BlockKind::Heading { title, .. }, .. }) = outline.blocks.last_mut() {
            *title = if title.start == title.end { range } else { title.start..title.end.max(range.end) };
        }
    }
}

/// Where the block's own text begins: after a tab the parser counts columns, and comes out before the line.
fn begin(text: &str, range: &Range<usize>) -> usize {
    let start = (range.start..range.end).find(|&at| text.is_char_boundary(at)).unwrap_or(range.end);
    range.end - text.get(start..range.end).unwrap_or_default().trim_start().len()
}

/// Where the body starts (behind a byte order mark and front matter), and whether the front matter is the plugin's.
fn front_matter(text: &str) -> (usize, bool) {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut lines = text[start..].split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return (start, false);
    };
    let (mut at, mut key, mut board, mut obsidian) = (start + first.len(), false, false, false);
    for line in lines {
        at += line.len();
        if line.trim_end() == "---" {
            // A rule at the top of a board is not front matter.
            return if obsidian || (key && !board) { (at, obsidian) } else { (start, false) };
        }
        board |= line.starts_with("## ") || line.starts_with("- [");
        key |= line.split_once(':').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with([' ', '#', '-']));
        obsidian |= line.starts_with("kanban-plugin:");
    }
    (start, false)
}

/// Where the plugin's settings begin, which no card may swallow: the first line of that name, else the end.
fn footer(text: &str, start: usize, lines: &Lines) -> usize {
    const NAME: &str = "%% kanban:settings";
    let behind = lines.starts().filter(|&at| at > start && text.as_bytes()[at - 1] == b'\n');
    let named =
        |at: &usize| text[*at..].strip_prefix(NAME).is_some_and(|rest| rest.split('\n').next().is_none_or(blank));
    std::iter::once(start).chain(behind).find(named).unwrap_or(text.len())
}

fn heading_in(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) if depth == 0 => return Some(range.start),
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

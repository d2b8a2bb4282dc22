//! One list item read as a card: where its parts are, and what it says. Pure.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::board::{CardContent, CardId};

use super::identity;
use super::lines::{blank, content, dedent, indent, width};
use super::outline::Outline;
use super::pattern::pattern;

/// What the visible half of the state block begins with, behind its bullet.
pub(super) const NOTE: &str = "kanban-codex-exec:";
/// What the machine half begins with.
pub(super) const DATA: &str = "<!-- kanban-codex-exec ";

/// A card and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub entry: Arc<Entry>,
    /// Index of its lane.
    pub lane: usize,
    /// What it stands under besides its column: a deeper heading, or headings and items.
    pub under: Option<Arc<str>>,
    /// Which of the file's blocks its list is.
    pub list: usize,
    /// Which of the outline's items it is.
    pub item: usize,
    /// The byte at which its first line starts, and the line's number, from 1.
    pub start: usize,
    pub line: usize,
}

/// A card as written, wherever it stands: bytes are counted from the start of its first line.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub content: Arc<CardContent>,
    /// Of its whole lines, without blank lines behind it.
    pub length: usize,
    pub head: Head,
    /// The lines of its own state block, in order.
    pub ours: Vec<Ours>,
    /// The indentation that a block inside this card gets.
    pub inner: String,
    /// Why it can't be worked, whatever else stands on the board.
    pub fault: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Ours {
    pub line: Range<usize>,
    /// The comment, not the bullet.
    pub data: bool,
}

/// The first line of an item, by byte of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub marker: Range<usize>,
    pub kind: Marker,
    /// The character between the brackets.
    pub checkbox: Option<Range<usize>>,
    /// What follows bullet and checkbox, without spaces at its end.
    pub first: Range<usize>,
    /// The column at which the item's content starts.
    pub column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet(char),
    Ordered { number: u32, digits: usize, delimiter: char },
}

impl Head {
    /// `None` where the line doesn't begin with a list marker.
    pub fn new(line: &str) -> Option<Head> {
        let line = content(line);
        let before = indent(line);
        let rest = &line[before.len()..];
        let (kind, length) = marker(rest)?;
        let after = &rest[length..];
        let gap = indent(after);
        if gap.is_empty() && !after.is_empty() {
            return None;
        }
        let end = width(&line[..before.len() + length], 0);
        let spaces = width(gap, end);
        // Five columns and more are one, and then an indented code block.
        let column = if blank(after) || spaces > 4 { end + 1 } else { end + spaces };
        let start = before.len();
        let mut at = start + length + gap.len();
        let end = line.trim_end().len();
        let checkbox = checkbox(&line[at.min(end)..end]).map(|inner| at + inner.start..at + inner.end);
        if let Some(checkbox) = &checkbox {
            at = checkbox.end + 1;
            at += indent(&line[at..end]).len();
        }
        Some(Head { marker: start..start + length, kind, checkbox, first: at.min(end)..end, column })
    }

    /// Whether it has a checkbox with this in it.
    pub fn checked(&self, line: &str, state: &str) -> bool {
        self.checkbox.clone().is_some_and(|checkbox| &line[checkbox] == state)
    }
}

fn marker(text: &str) -> Option<(Marker, usize)> {
    let first = text.chars().next()?;
    if matches!(first, '-' | '*' | '+') {
        return Some((Marker::Bullet(first), 1));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let delimiter = text[digits..].chars().next().filter(|char| matches!(char, '.' | ')'))?;
    let number = text[..digits].parse().ok()?;
    Some((Marker::Ordered { number, digits, delimiter }, digits + 1))
}

/// The range of the one character in `[c]`, when that begins the text and stands alone.
fn checkbox(text: &str) -> Option<Range<usize>> {
    let inner = text.strip_prefix('[')?.chars().next()?;
    let end = 1 + inner.len_utf8();
    let rest = text[end..].strip_prefix(']')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(1..end)
}

impl Located {
    /// Reads the item as a card; `None` where its first line is not its own (`- - nested`, quotes).
    /// `context` enters the id only when no id stands on the card.
    pub fn new(text: &str, outline: &Outline, index: usize, lane: usize, context: &str) -> Option<Located> {
        let item = &outline.items[index];
        let span = outline.lines.whole(text, item.range.clone());
        let head = Head::new(&text[outline.lines.span(outline.lines.at(span.start))])?;
        let first = &text[span.start..][head.first.clone()];
        let all = ours(text, outline, span.clone());
        let identity = identity::of(first, context);
        let rest: Vec<Range<usize>> = outline.lines.within(span.clone()).skip(1).collect();
        let own: Vec<&str> = rest
            .iter()
            .filter(|line| !all.iter().any(|ours| ours.line == **line))
            .map(|line| &text[line.clone()])
            .collect();
        let inner = inner(indent(&text[span.clone()]), outline.spaces, head.column, &own);
        let body = body(first, &own);
        let line = outline.lines.number(span.start);
        let title = title(first);
        let fault = fault(text, outline, index, first, &title, &span);
        let mine: Vec<Ours> = all.into_iter().filter(|ours| owner(text, outline, ours) == Some(index)).collect();
        let state = mine.iter().rev().find(|ours| ours.data).and_then(|ours| {
            let json = text[ours.line.clone()].trim().strip_prefix(DATA)?.strip_suffix("-->")?;
            serde_json::from_str(json.trim()).ok()
        });
        let content = CardContent {
            id: identity.id,
            title,
            labels: labels(&body),
            body,
            state,
            dependencies: Vec::new(),
            stamped: identity.stamped,
        };
        let from_start = |ours: Ours| Ours { line: ours.line.start - span.start..ours.line.end - span.start, ..ours };
        let entry = Entry {
            content: Arc::new(content),
            length: span.len(),
            head,
            ours: mine.into_iter().map(from_start).collect(),
            inner,
            fault,
        };
        let (list, start) = (item.block, span.start);
        Some(Located { entry: Arc::new(entry), lane, under: None, list, item: index, start, line })
    }

    pub fn id(&self) -> &CardId {
        &self.content.id
    }

    /// Its whole lines, without blank lines behind it.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.length
    }
}

impl Deref for Located {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.entry
    }
}

/// The lines of state blocks in `span`, those of nested items included; not those inside code.
fn ours(text: &str, outline: &Outline, span: Range<usize>) -> Vec<Ours> {
    let kind = |line: &str| {
        let line = line.trim();
        let visible = line.strip_prefix(['-', '*', '+']).and_then(|rest| rest.strip_prefix(' ')?.strip_prefix(NOTE));
        if line.starts_with(DATA) && line.ends_with("-->") {
            return Some(true);
        }
        visible.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')).then_some(false)
    };
    let lines = outline.lines.within(span).skip(1);
    let found = lines.filter_map(|line| kind(&text[line.clone()]).map(|data| Ours { line, data }));
    found.filter(|ours| !outline.fenced(start(text, ours))).collect()
}

fn start(text: &str, ours: &Ours) -> usize {
    ours.line.start + indent(&text[ours.line.clone()]).len()
}

/// The card that a line of a state block belongs to: around it, the nearest item with a checkbox, else the outermost one.
fn owner(text: &str, outline: &Outline, ours: &Ours) -> Option<usize> {
    let mut index = outline.innermost(start(text, ours))?;
    while let Some(parent) = outline.items[index].parent {
        let line = outline.lines.span(outline.lines.at(outline.items[index].range.start));
        if Head::new(&text[line]).is_some_and(|head| head.checkbox.is_some()) {
            break;
        }
        index = parent;
    }
    Some(index)
}

/// The indentation for a block inside the item: that of what it already holds, else a tab, or spaces where the file has no
/// tabs but spaces. Always deep enough to belong to the item, and never so deep that it becomes code.
fn inner(base: &str, spaces: bool, column: usize, rest: &[&str]) -> String {
    let fits = |indent: &str| (column..column + 4).contains(&width(indent, 0));
    let held = rest.iter().filter(|line| !blank(line)).map(|line| indent(line)).filter(|indent| !indent.is_empty());
    let nearest = held.filter(|indent| width(indent, 0) >= column).min_by_key(|indent| width(indent, 0));
    if let Some(indent) = nearest.filter(|indent| fits(indent)) {
        return indent.to_owned();
    }
    let deeper = if spaces { format!("{base}    ") } else { format!("{base}\t") };
    if fits(&deeper) { deeper } else { " ".repeat(column) }
}

/// The card as written, without bullet, checkbox, stamps, state blocks and its own indentation; LF line ends.
fn body(first: &str, rest: &[&str]) -> String {
    let indented = rest.iter().filter(|line| !blank(line)).map(|line| width(indent(line), 0));
    let own = indented.filter(|&columns| columns > 0).min().unwrap_or(0);
    let lines = rest.iter().map(|line| identity::without_stamp(&dedent(content(line), own)).into_owned());
    let lines: Vec<String> = std::iter::once(identity::without_stamp(first).into_owned()).chain(lines).collect();
    lines.join("\n").replace("\r\n", "\n").trim_end().to_owned()
}

pattern!(COMMENT, "<!--", r"\s*<!--.*?-->");
pattern!(TAGS, "#", r"(?:\s+#[^\s#]+)+\s*$");
pattern!(TAG, "#", r"(?:^|\s)#([\p{L}\p{N}_/-]*[\p{L}_/-][\p{L}\p{N}_/-]*)");
pattern!(CODE, "`", r"(?s)```.*?```|`[^`\n]*`");

/// The first line for people: without comments, ids and the tags at its end.
pub(super) fn title(first: &str) -> String {
    let unstamped = identity::without_stamp(first);
    let bare = COMMENT.cut(identity::without_block_id(&unstamped));
    let short = TAGS.cut(bare.trim());
    let short = if short.is_empty() { &bare } else { &short };
    short.trim().to_owned()
}

/// `#tags` in order, each once, without those in code.
fn labels(body: &str) -> Vec<String> {
    let text = CODE.cut(body);
    let mut labels: Vec<String> = Vec::new();
    // Each match ends before the space that the next one begins with, so that none is missed.
    for tag in TAG.regex(&text).iter().flat_map(|regex| regex.captures_iter(&text)).filter_map(|found| found.get(1)) {
        if !labels.iter().any(|label| label == tag.as_str()) {
            labels.push(tag.as_str().to_owned());
        }
    }
    labels
}

/// Why the program could not write on this card without harm.
fn fault(text: &str, outline: &Outline, index: usize, first: &str, title: &str, span: &Range<usize>) -> Option<String> {
    if title.is_empty() {
        return Some("its first line has no text: give the card a title".to_owned());
    }
    if !outline.items[index].text {
        return Some("it begins with code, a table or a rule: put a title line before it".to_owned());
    }
    if first.rfind("<!--").is_some_and(|open| !first[open..].contains("-->")) {
        return Some("a comment that begins on its first line ends on another: close it on the first".to_owned());
    }
    let last = |ranges: &[Range<usize>]| {
        let inside = Outline::beginning_in(ranges, span).last()?;
        (outline.lines.whole(text, inside.clone()).end >= span.end).then(|| text[inside.clone()].trim().to_owned())
    };
    let fence = last(&outline.fences).is_some_and(|code| {
        let close = code.lines().skip(1).last().unwrap_or_default().trim();
        close.len() < 3 || !(close.chars().all(|char| char == '`') || close.chars().all(|char| char == '~'))
    });
    if fence {
        return Some("its last code block is not closed".to_owned());
    }
    let comment = last(&outline.html).is_some_and(|html| html.starts_with("<!--") && !html.contains("-->"));
    comment.then(|| "its last comment is not closed".to_owned())
}

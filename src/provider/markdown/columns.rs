//! Which headings are columns, and which of their lists hold cards. Pure.
//!
//! In a board of the Obsidian Kanban plugin every heading is a column and its first list holds the cards. In a plain file
//! the columns are the headings of one level: the shallowest below the file's title. Later lists of a plain column, and
//! those under deeper headings, hold cards when one of their items has a checkbox: lists without one there are as often
//! properties or notes as cards.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::card::Head;
use super::lines::{blank, content};
use super::outline::{BlockKind, Outline};

#[derive(Debug, Default)]
pub(super) struct Section {
    /// The heading's text without a WIP limit.
    pub name: String,
    pub level: u8,
    /// The heading's bytes.
    pub heading: Range<usize>,
    /// The plugin's archive: its cards are not read, nothing is moved there.
    pub archive: bool,
    /// The top-level items of the lists that hold cards, with the deeper heading that they stand under.
    pub lists: Vec<(Option<Arc<str>>, Vec<usize>)>,
    /// The paragraph that marks a column of finished cards.
    pub complete: Option<Range<usize>>,
    /// Lists that are not read, as the bytes at which they begin, each with whether it stands under a deeper heading.
    pub unread: Vec<(usize, bool)>,
}

/// What makes a whole file unreadable as a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// 1-based; 0 where it is the file as a whole.
    pub line: usize,
    pub text: String,
}

pub(super) const HINT: &str = "a board is headings with lists of cards under them: `## Todo`, a blank line, `- [ ] the first card`; \
     bullets without checkboxes are cards in a file whose front matter says `kanban-plugin: board`";

/// The plugin's archive heading in the languages that it writes.
const ARCHIVE: [&str; 8] =
    ["Archive", "Archiv", "Archivio", "アーカイブ", "보관됨", "Arquivado", "Архивировать", "归档"];
const COMPLETE: [&str; 8] =
    ["Complete", "Fertiggestellt", "Completato", "完了", "완료됨", "Concluído", "Выполнено", "完成"];

/// Words that name a stage of work: what tells a plain board without checkboxes from any other document with lists.
const STAGES: &str = "todo|to do|to do list|todos|doing|done|backlog|in progress|progress|wip|review|in review|code review|testing|qa|test|ready|\
    blocked|waiting|on hold|later|now|next|today|this week|someday|icebox|ideas|planned|open|closed|completed|complete|\
    finished|cold|released|deployed|cancelled|canceled|rejected|needs specs|specs|inbox|triage|working|\
    à faire|a faire|en cours|fait|terminé|zu erledigen|offen|in arbeit|erledigt|fertig|por hacer|pendiente|en progreso|hecho|\
    a fazer|fazendo|em progresso|em andamento|feito|concluído|concluido|da fare|in corso|fatto|te doen|bezig|klaar|gedaan|\
    сделать|в работе|готово|сделано|выполнено|待办|进行中|已完成|完成|未着手|進行中|完了|할 일|진행 중|완료";

static LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(.*?)\s*\(\d+\)$").ok());

/// The title without a WIP limit or count, which is digits in brackets at its end.
pub(super) fn without_limit(title: &str) -> &str {
    let bare = LazyLock::force(&LIMIT).as_ref().and_then(|limit| limit.captures(title)?.get(1));
    bare.map(|bare| bare.as_str()).filter(|bare| !bare.is_empty()).unwrap_or(title)
}

/// The file's columns, and the lists before the first of them, which nothing reads.
pub(super) fn sections(text: &str, outline: &Outline) -> Result<(Vec<Section>, Vec<usize>), Unreadable> {
    let level = if outline.obsidian { None } else { Some(column_level(text, outline)?) };
    let (sections, before) = collect(text, outline, level);
    if !outline.obsidian {
        looks_like_a_board(text, outline, &sections)?;
    }
    Ok((sections, before))
}

fn collect(text: &str, outline: &Outline, columns: Option<u8>) -> (Vec<Section>, Vec<usize>) {
    let mut sections: Vec<Section> = Vec::new();
    let (mut before, mut group, mut rule) = (Vec::new(), None, false);
    for block in &outline.blocks {
        let after_rule = std::mem::replace(&mut rule, block.kind == BlockKind::Rule);
        match &block.kind {
            BlockKind::Heading { level, title } => {
                let title = text[title.clone()].trim();
                group = Some(Arc::from(title));
                if columns.is_none_or(|columns| columns == *level) {
                    group = None;
                    let archive = after_rule && ARCHIVE.contains(&title);
                    let (name, heading) = (without_limit(title).to_owned(), block.range.clone());
                    sections.push(Section { name, level: *level, heading, archive, ..Section::default() });
                }
            }
            BlockKind::List(items) => match sections.last_mut() {
                Some(section) if holds_cards(text, outline, section, group.is_some(), items) => {
                    section.lists.push((group.clone(), items.clone()));
                }
                Some(section) => section.unread.push((block.range.start, group.is_some())),
                None => before.push(block.range.start),
            },
            BlockKind::Paragraph => {
                if let Some(section) = sections.last_mut().filter(|section| section.lists.is_empty() && group.is_none())
                    && completes(text[block.range.clone()].trim())
                {
                    section.complete = Some(block.range.clone());
                }
            }
            BlockKind::Rule | BlockKind::Table | BlockKind::Fence | BlockKind::Other => {}
        }
    }
    (sections, before)
}

fn completes(paragraph: &str) -> bool {
    paragraph.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")).is_some_and(|word| COMPLETE.contains(&word))
}

fn holds_cards(text: &str, outline: &Outline, section: &Section, grouped: bool, items: &[usize]) -> bool {
    let first = section.lists.is_empty() && section.unread.is_empty();
    (first && !grouped) || (!outline.obsidian && items.iter().any(|&item| has_checkbox(text, outline, item)))
}

fn has_checkbox(text: &str, outline: &Outline, item: usize) -> bool {
    let line = outline.lines.span(outline.lines.at(outline.items[item].range.start));
    Head::new(&text[line]).is_some_and(|head| head.checkbox.is_some())
}

/// The level of a plain file's columns.
fn column_level(text: &str, outline: &Outline) -> Result<u8, Unreadable> {
    let levels: Vec<u8> = outline
        .blocks
        .iter()
        .filter_map(|block| match block.kind {
            BlockKind::Heading { level, .. } => Some(level),
            _ => None,
        })
        .collect();
    let lists = outline.blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::List(items) => Some(items),
        _ => None,
    });
    match (levels.first(), levels.iter().skip(1).min()) {
        (Some(&title), Some(&rest)) if title < rest => Ok(rest),
        (Some(&first), Some(&rest)) => Ok(first.min(rest)),
        // A lone `# Title` is a title, unless its lists are checklists.
        (Some(&1), None)
            if lists.clone().count() == 0 || !lists.flatten().all(|&item| has_checkbox(text, outline, item)) =>
        {
            Err(unreadable(text, outline, "no column under the title"))
        }
        (Some(&level), None) => Ok(level),
        (None, _) => Err(unreadable(text, outline, "no column heading")),
    }
}

fn looks_like_a_board(text: &str, outline: &Outline, sections: &[Section]) -> Result<(), Unreadable> {
    let mut cards = sections.iter().flat_map(|section| &section.lists).flat_map(|(_, items)| items).peekable();
    if cards.peek().is_none() {
        let elsewhere =
            outline.blocks.iter().any(|block| block.kind == BlockKind::Table || fenced_board(text, &block.range));
        return if elsewhere { Err(unreadable(text, outline, "no cards under the headings")) } else { Ok(()) };
    }
    if cards.any(|&item| has_checkbox(text, outline, item)) || sections.iter().any(|section| is_stage(&section.name)) {
        return Ok(());
    }
    Err(unreadable(
        text,
        outline,
        "no card with a checkbox and no column named for a stage of work (Todo, Doing, Done, …)",
    ))
}

fn is_stage(name: &str) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    STAGES.split('|').any(|stage| name.strip_prefix(stage).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
}

/// Whether the block is a fence that holds headings.
fn fenced_board(text: &str, range: &Range<usize>) -> bool {
    let block = &text[range.clone()];
    block.starts_with(['`', '~']) && block.lines().any(|line| line.starts_with("## "))
}

/// Says what was looked for, and what stands there instead.
fn unreadable(text: &str, outline: &Outline, missing: &str) -> Unreadable {
    let found = outline.blocks.iter().find_map(|block| {
        let what = match &block.kind {
            BlockKind::Table => "a table",
            BlockKind::Fence if fenced_board(text, &block.range) => "headings inside a code block",
            BlockKind::List(_) => "a list",
            BlockKind::Heading { .. }
            | BlockKind::Paragraph
            | BlockKind::Rule
            | BlockKind::Fence
            | BlockKind::Other => {
                return None;
            }
        };
        Some((what, outline.lines.number(block.range.start)))
    });
    match found {
        Some((what, line)) => Unreadable { line, text: format!("{missing}: found {what} here") },
        None if blank(text) => Unreadable { line: 0, text: format!("{missing}: the file is empty") },
        None => Unreadable { line: 0, text: format!("{missing}: found neither headings with lists nor tables") },
    }
}

/// Where a card goes in a column that has none: behind the heading and its blank line, or behind the mark of a finished
/// column.
pub(super) fn empty_place(text: &str, outline: &Outline, section: &Section) -> usize {
    if let Some(complete) = &section.complete {
        return outline.lines.whole(text, complete.clone()).end;
    }
    let heading = outline.lines.whole(text, section.heading.clone()).end;
    let next = outline.lines.span(outline.lines.at(heading));
    let blank_line = next.start == heading && !next.is_empty() && content(&text[next.clone()]).trim().is_empty();
    if blank_line && next.end <= outline.end { next.end } else { heading }
}

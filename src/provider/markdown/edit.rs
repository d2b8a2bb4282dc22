//! Edits as splices: a text in, the text with one card's id, state block or place changed out. Pure.
//!
//! Each edit is read again before it is given out: unless exactly the asked change is seen and nothing else, it is an error
//! and nothing is written.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};

use crate::board::{Card, CardId, Column};
use crate::provider::Note;

use super::card::{Located, Marker};
use super::columns::without_limit;
use super::identity;
use super::lines::{blank, content, terminator};
use super::next::DONE;
use super::note;
use super::outline::BlockKind;
use super::parse::{Ambiguous, Lane, Mode, Parsed, Reader, Unreadable};
use super::seen::Seen;

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// The new text.
    Text(String),
    /// The text is as asked.
    Already,
    /// The card is in another column, or gone.
    Elsewhere(Option<Column>),
    /// The card is where it was and says something else.
    Reworded,
}

/// Writes the card's id at the end of its first line, unless an id stands there.
pub fn stamp(text: &str, reader: impl Reader, id: &CardId, at: &Column) -> Result<Edited> {
    let parsed = read(text, reader)?;
    let card = match in_column(&parsed, id, at)? {
        Ok(card) => card,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if card.content.stamped {
        return Ok(Edited::Already);
    }
    let end = card.start + card.head.first.end;
    let edited = format!("{} ^{id}{}", &text[..end], &text[end..]);
    let mut expected = Seen::new(&parsed);
    expected.change(card, |written| written.stamped = true);
    checked(edited, reader, &expected, card)
}

/// Puts the state block on the card, in place of an older one.
pub fn note(text: &str, reader: impl Reader, id: &CardId, at: &Column, note: &Note) -> Result<Edited> {
    let parsed = read(text, reader)?;
    let card = match in_column(&parsed, id, at)? {
        Ok(card) => card,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let edited = splice(text, card.span(), &with_note(text, card, note));
    if edited == text {
        return Ok(Edited::Already);
    }
    let mut expected = Seen::new(&parsed);
    expected.change(card, |written| written.state = true);
    checked(edited, reader, &expected, card)
}

/// Moves the card to the end of column `to`, or ticks the item of a to-do list; the state block goes along if there is one.
pub fn transition(
    text: &str,
    reader: impl Reader,
    id: &CardId,
    from: &Column,
    to: &Column,
    note: Option<&Note>,
) -> Result<Edited> {
    if let Some(note) = note.filter(|_| from == to) {
        return self::note(text, reader, id, from, note);
    }
    let parsed = read(text, reader)?;
    let lane = target(&parsed, to)?;
    let card = match in_column(&parsed, id, from)? {
        Ok(card) => card,
        Err(Edited::Elsewhere(Some(column))) if column == *to => return Ok(Edited::Already),
        Err(elsewhere) => return Ok(elsewhere),
    };
    if from == to {
        return Ok(Edited::Already);
    }
    let mut expected = Seen::new(&parsed);
    expected.change(card, |written| written.state |= note.is_some());
    let bytes = note.map_or_else(|| text[card.span()].to_owned(), |note| with_note(text, card, note));
    match reader.mode() {
        Mode::Next => tick(text, reader, card, &bytes, &mut expected),
        Mode::Board => relocate(text, reader, &parsed, card, lane, &bytes, &mut expected),
    }
}

/// Whether the card stands where `card` does and says something else.
pub fn reworded(text: &str, reader: impl Reader, card: &Card) -> Result<bool> {
    let parsed = read(text, reader)?;
    Ok(in_column(&parsed, &card.id, &card.status)?.is_ok_and(|now| !now.content.says_same(card)))
}

/// Adds an empty column after the others, before the archive and the settings.
pub fn create_column(text: &str, reader: impl Reader, column: &Column) -> Result<Edited> {
    let parsed = read(text, reader)?;
    if parsed.named(column).next().is_some() {
        return Ok(Edited::Already);
    }
    let name = &*column.0;
    if reader.mode() == Mode::Next {
        bail!("a to-do list has the columns Todo and Done alone: it can't get the column {name:?}");
    }
    if name.is_empty() || name.trim() != name || name.contains(char::is_control) || without_limit(name) != name {
        bail!("{name:?} can't be a column of a markdown board: it must be one line, without (a number) at its end");
    }
    let archive = parsed.lanes.iter().position(|lane| lane.archive);
    let at = archive.and_then(|archive| rule_before(&parsed, archive)).unwrap_or(parsed.outline.end);
    let level = parsed.lanes.iter().rfind(|lane| !lane.archive).map_or(2, |lane| usize::from(lane.level));
    let eol = line_end(text);
    let (before, after) = text.split_at(at);
    let open = if before.is_empty() || !terminator(before).is_empty() { "" } else { eol };
    let gap = if before.lines().next_back().is_none_or(blank) { "" } else { eol };
    let close = match (after.is_empty(), open.is_empty()) {
        (true, true) => eol.to_owned(),
        (true, false) => String::new(),
        (false, _) => format!("{eol}{eol}"),
    };
    let edited = format!("{before}{open}{gap}{} {name}{close}{after}", "#".repeat(level));
    let mut expected = Seen::new(&parsed);
    expected.add_column(archive.unwrap_or(parsed.lanes.len()), column);
    if expected.in_text(&edited, reader) {
        return Ok(Edited::Text(edited));
    }
    bail!("the column {name:?} can't be added without changing other parts of the board: add it by hand")
}

/// Where the rule before the archive's heading starts.
fn rule_before(parsed: &Parsed, archive: usize) -> Option<usize> {
    let heading = parsed.lanes.get(archive)?.line;
    let lines = &parsed.outline.lines;
    let block = parsed.outline.blocks.iter().position(|block| lines.number(block.range.start) == heading)?;
    let rule = parsed.outline.blocks.get(block.checked_sub(1)?)?;
    Some(lines.span(lines.at(rule.range.start)).start)
}

/// The edited text, if reading it sees what is expected.
fn checked(edited: String, reader: impl Reader, expected: &Seen<'_>, card: &Located) -> Result<Edited> {
    if expected.in_text(&edited, reader) {
        return Ok(Edited::Text(edited));
    }
    bail!("line {}: this card can't be written without changing how the board reads: simplify its markdown", card.line)
}

fn read(text: &str, reader: impl Reader) -> Result<Arc<Parsed>> {
    reader.parse(text).map_err(|Unreadable { line, text }| anyhow!("line {line}: {text}"))
}

/// The card, if it is in the column.
fn in_column<'p>(parsed: &'p Parsed, id: &CardId, column: &Column) -> Result<Result<&'p Located, Edited>> {
    match parsed.find(id) {
        Err(Ambiguous(lines)) => bail!("several cards are {id}: lines {}", list(&lines)),
        Ok(None) => Ok(Err(Edited::Elsewhere(None))),
        Ok(Some(card)) => match (parsed.column(card), &card.fault) {
            (at, _) if at != column => Ok(Err(Edited::Elsewhere(Some(at.clone())))),
            (_, Some(fault)) => bail!("line {}: {fault}", card.line),
            _ => Ok(Ok(card)),
        },
    }
}

fn list(lines: &[usize]) -> String {
    lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn target<'p>(parsed: &'p Parsed, to: &Column) -> Result<&'p Lane> {
    let lanes: Vec<&Lane> = parsed.named(to).collect();
    match lanes.as_slice() {
        [lane] => Ok(lane),
        [] if parsed.mode == Mode::Next => {
            bail!("a to-do list has no column {:?}: its items go from Todo to Done", to.0)
        }
        [] if parsed.lanes.iter().any(|lane| lane.column == *to) => {
            bail!("{:?} is the board's archive, no column", to.0)
        }
        [] => bail!("the board has no column {:?}", to.0),
        several => {
            let lines: Vec<usize> = several.iter().map(|lane| lane.line).collect();
            bail!("several columns are named {:?}: lines {}", to.0, list(&lines))
        }
    }
}

/// The text with the bytes of `range` replaced.
fn splice(text: &str, range: Range<usize>, bytes: &str) -> String {
    format!("{}{bytes}{}", &text[..range.start], &text[range.end..])
}

/// The line end that the text uses first.
fn line_end(text: &str) -> &str {
    text.split_inclusive(['\n']).next().map(terminator).filter(|end| !end.is_empty()).unwrap_or("\n")
}

/// The card's bytes with its state block: each half in place of its older self, a missing half beside the other, a new
/// block at the end.
fn with_note(text: &str, card: &Located, note: &Note) -> String {
    let bytes = &text[card.span()];
    let first = bytes.split_inclusive(['\n']).next().unwrap_or(bytes);
    let eol = Some(terminator(first)).filter(|end| !end.is_empty()).unwrap_or_else(|| line_end(text));
    let bullet = format!("{}{}{eol}", card.inner, note::bullet(note));
    let comment = format!("{}{}{eol}", card.inner, note::comment(note));
    let half = |data: bool| card.ours.iter().find(|ours| ours.data == data).map(|ours| ours.line.start);
    let (visible, data) = (half(false), half(true));
    let mut out = String::new();
    let mut at = 0;
    for ours in &card.ours {
        out.push_str(&bytes[at..ours.line.start]);
        at = ours.line.end;
        if Some(ours.line.start) == visible.or(data) {
            out.push_str(&bullet);
        }
        if Some(ours.line.start) == data.or(visible) {
            out.push_str(&comment);
        }
    }
    out.push_str(&bytes[at..]);
    if card.ours.is_empty() {
        if terminator(&out).is_empty() {
            out.push_str(eol);
        }
        out = out + &bullet + &comment;
    }
    if terminator(bytes).is_empty() {
        out.truncate(content(&out).len());
    }
    out
}

/// Done: the checkbox's one byte, or strokes around the first line of an item without one.
fn tick(text: &str, reader: impl Reader, card: &Located, bytes: &str, expected: &mut Seen<'_>) -> Result<Edited> {
    let ticked = match &card.head.checkbox {
        Some(checkbox) => splice(bytes, checkbox.clone(), "x"),
        None => {
            let first = card.head.first.clone();
            let bare = identity::without_block_id(&bytes[first.clone()]).len();
            let text = &bytes[first.clone()];
            splice(bytes, first, &format!("~~{}~~{}", &text[..bare], &text[bare..]))
        }
    };
    let edited = splice(text, card.span(), &ticked);
    // A struck line is another one, so that only its id tells whose it is.
    let struck = card.head.checkbox.is_none();
    if struck && !card.content.stamped {
        bail!("line {}: an item without checkbox and id can't be ticked: claim it first", card.line);
    }
    expected.tick(card, DONE, struck);
    checked(edited, reader, expected, card)
}

/// The card's bytes cut out and put behind the last card of the lane.
fn relocate(
    text: &str,
    reader: impl Reader,
    parsed: &Parsed,
    card: &Located,
    lane: &Lane,
    bytes: &str,
    expected: &mut Seen<'_>,
) -> Result<Edited> {
    let to = parsed.lanes.iter().position(|other| std::ptr::eq(other, lane)).unwrap_or(card.lane);
    let bytes = remarked(card, bytes, parsed, lane);
    expected.relocate(card, to, lane.last);
    reader.pass_by(&splice(text, card.span(), ""));
    // Plain first. Where the bytes around cut or place would run together, a blank line keeps them apart.
    for (gap_at_cut, gap_before) in [(false, false), (false, true), (true, false), (true, true)] {
        let edited = moved(text, parsed, card, lane.place, &bytes, gap_at_cut, gap_before);
        if let Ok(edited) = checked(edited, reader, expected, card) {
            return Ok(edited);
        }
    }
    bail!(
        "line {}: the card can't be moved to {:?} (line {}) without changing other parts of the board, most often for its \
         indentation or a second list: move it by hand once and bring both columns into the same form",
        card.line,
        lane.column.0,
        lane.line
    )
}

/// The card with the kind of marker that the lane's list has, and in an ordered one with the next number.
fn remarked(card: &Located, bytes: &str, parsed: &Parsed, lane: &Lane) -> String {
    let Some(last) = lane.last.and_then(|last| parsed.cards.get(last)) else { return bytes.to_owned() };
    let marker = match last.head.kind {
        Marker::Bullet(bullet) => bullet.to_string(),
        Marker::Ordered { number, digits, delimiter } => {
            // A list of 1. 1. 1. goes on like that.
            let before = parsed.cards.iter().rev().find(|card| card.lane == last.lane && card.start < last.start);
            let step = u32::from(before.is_none_or(|before| before.head.kind != last.head.kind));
            let zeros = if digits > number.to_string().len() { digits } else { 0 };
            format!("{:0zeros$}{delimiter}", number.saturating_add(step))
        }
    };
    splice(bytes, card.head.marker.clone(), &marker)
}

fn moved(
    text: &str,
    parsed: &Parsed,
    card: &Located,
    place: usize,
    bytes: &str,
    gap_at_cut: bool,
    gap_before: bool,
) -> String {
    let Range { start, end } = card.span();
    let before = &text[..start];
    // A card on the last line, without a line end, takes the one before it along.
    let last_line = terminator(bytes).is_empty();
    let eol = if last_line { terminator(before) } else { terminator(bytes) };
    let eol = if eol.is_empty() { line_end(text) } else { eol };
    let gap = |wanted: bool| if wanted { eol } else { "" };
    let bytes = &bytes[..content(bytes).len()];
    let after = if joins(text, parsed, place) { eol } else { "" };
    let open = place == text.len() && terminator(text).is_empty();
    let inserted = if open {
        format!("{eol}{}{bytes}", gap(gap_before))
    } else {
        format!("{}{bytes}{eol}{after}", gap(gap_before))
    };
    let cut = gap(gap_at_cut && !last_line);
    if place <= start {
        let rest = &text[end..];
        let kept = &text[place..start];
        let kept = if last_line { kept.strip_suffix(eol).unwrap_or(kept) } else { kept };
        format!("{}{inserted}{kept}{cut}{rest}", &text[..place])
    } else {
        format!("{before}{cut}{}{inserted}{}", &text[end..place], &text[place..])
    }
}

/// Whether what stands at `place` would become part of a card put before it.
fn joins(text: &str, parsed: &Parsed, place: usize) -> bool {
    let line = parsed.outline.lines.span(parsed.outline.lines.at(place));
    if line.start != place || blank(&text[line.clone()]) {
        return false;
    }
    let apart = parsed.outline.blocks.iter().find(|block| line.contains(&block.range.start)).is_some_and(|block| {
        match block.kind {
            // An underlined heading's text would be taken for more of the card's.
            BlockKind::Heading { .. } => text[line.clone()].starts_with('#'),
            BlockKind::List(_) => true,
            BlockKind::Paragraph | BlockKind::Rule | BlockKind::Table | BlockKind::Fence | BlockKind::Other => false,
        }
    });
    !apart
}

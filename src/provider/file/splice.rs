//! Changes of single values of a text, every other byte of which stays. Pure.

use std::ops::Range;

use super::tree::{Entry, Kind, Node, Style};

/// What is to stand in place of these bytes.
pub(super) type Splice = (Range<usize>, String);

/// The text with the splices; those at one place in their order.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let (mut new, mut at) = (String::new(), 0);
    for (range, piece) in splices {
        new.push_str(&text[at..range.start]);
        new.push_str(&piece);
        at = range.end;
    }
    new.push_str(&text[at..]);
    new
}

/// The text as a scalar.
pub(super) fn scalar(text: &str, style: Style) -> String {
    match style {
        Style::Plain if bare(text) => text.to_owned(),
        Style::Plain | Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double | Style::Block => printable(&serde_json::Value::from(text).to_string()),
    }
}

/// Whether every reader of YAML takes the text for text: it is no number, date or word of another meaning.
fn bare(text: &str) -> bool {
    let meant = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    text.starts_with(char::is_alphabetic) && !meant.contains(&text.to_lowercase().as_str())
}

/// JSON that is also YAML, where some characters have to be escaped.
pub(super) fn printable(json: &str) -> String {
    let escaped = |char: char| matches!(char, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}');
    json.chars().fold(String::new(), |mut text, char| {
        match escaped(char) {
            true => text.push_str(&format!("\\u{:04x}", u32::from(char))),
            false => text.push(char),
        }
        text
    })
}

/// The value of `key` in a map, as it is to be written; behind the entry `behind` where there is none yet.
pub(super) fn set(text: &str, map: &Node, behind: &Entry, key: &str, written: &str) -> Splice {
    match map.get(key) {
        // What is written as nothing stands right behind its colon.
        Some(old) if old.value.span.is_empty() => (old.value.span.clone(), format!(" {written}")),
        Some(old) => (old.value.span.clone(), written.to_owned()),
        None => insert(text, map, behind, key, written),
    }
}

fn insert(text: &str, map: &Node, behind: &Entry, key: &str, written: &str) -> Splice {
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = text[..behind.key_span.start].rfind('\n').map_or(0, |end| end + 1);
    let before = text[line..behind.key_span.start].trim_start_matches('\u{feff}');
    let end = behind.value.span.end;
    if let Kind::Map { flow: false, .. } = &map.kind {
        // A list's dash stands before a card's first key.
        let indent: String = before.chars().map(|char| if char == '\t' { char } else { ' ' }).collect();
        let end = end + text[end..].find(['\r', '\n']).unwrap_or(text.len() - end);
        return (end..end, format!("{eol}{indent}{key}: {written}"));
    }
    let gap = if before.trim().is_empty() && line > 0 { format!("{eol}{before}") } else { " ".to_owned() };
    let colon = &text[behind.key_span.end..behind.value.span.start];
    let key = if text[behind.key_span.clone()].starts_with('"') { scalar(key, Style::Double) } else { key.to_owned() };
    (end..end, format!(",{gap}{key}{colon}{written}"))
}

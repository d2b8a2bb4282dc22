//! The state block as bytes that a markdown board survives: one bullet for people, one comment for the machine. Pure.

use super::card::{DATA, NOTE};
use crate::provider::Note;

/// The visible line is cut here, in characters.
const LIMIT: usize = 1500;

/// The bullet, without indentation and line end.
pub(super) fn bullet(note: &Note) -> String {
    format!("- {NOTE} {}", visible(&note.text)).trim_end().to_owned()
}

/// The comment, without indentation and line end. JSON has room for what would end it or be read as board syntax: inside
/// its strings, and only there can these characters stand, every character has a second spelling.
pub(super) fn comment(note: &Note) -> String {
    let mut json = note.data.to_string();
    for (char, escape) in
        [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("--", "-\\u002d"), ("%", "\\u0025"), ("#", "\\u0023")]
    {
        json = json.replace(char, escape);
    }
    format!("{DATA}{json} -->")
}

/// One line that has no meaning to a board but its words: no tag, link, table, comment, block id or formatting.
fn visible(text: &str) -> String {
    let words: Vec<&str> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let mut length = line.chars().count();
    loop {
        let safe = escaped(&cut(&line, length));
        let over = safe.chars().count().saturating_sub(LIMIT);
        if over == 0 {
            return safe;
        }
        // Escapes make two characters of one at most: half of what is too much can always go.
        length = length.min(LIMIT).saturating_sub(over.div_ceil(2));
    }
}

fn cut(line: &str, length: usize) -> String {
    if line.chars().count() <= length {
        return line.to_owned();
    }
    let kept: String = line.chars().take(length.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Outside of `code` by backslashes; inside, where they are not read, only what works there too is taken apart.
fn escaped(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    // Runs of backticks and odd ones would pair up elsewhere than meant.
    let paired = pieces.len() % 2 == 1 && pieces.iter().skip(1).rev().skip(1).all(|piece| !piece.is_empty());
    if !paired {
        return plain(&line.replace('`', "'"));
    }
    let mut safe = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index % 2 == 1 {
            safe.push_str(&format!("`{}`", piece.replace("<!--", "<! --").replace("%%", "% %").replace("%%", "% %")));
        } else {
            safe.push_str(&plain(piece));
        }
    }
    safe
}

fn plain(text: &str) -> String {
    let mut safe = String::new();
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let next = chars.peek().copied();
        let meant = match char {
            '\\' | '<' | '[' | '|' | '^' | '*' | '~' | '$' | '&' => true,
            '#' => !before.is_alphanumeric() && before != '/',
            '%' => before == '%',
            '@' => next == Some('{'),
            '_' => !before.is_alphanumeric() || !next.is_some_and(char::is_alphanumeric),
            _ => false,
        };
        if meant {
            safe.push('\\');
        }
        safe.push(char);
        before = char;
    }
    safe
}

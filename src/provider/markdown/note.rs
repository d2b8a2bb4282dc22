//! The state block as bytes that a markdown board survives: one bullet for people, one comment for the machine. Pure.

use super::card::{DATA, NOTE};
use crate::provider::Note;

/// The visible line is cut here, in characters.
const LIMIT: usize = 1500;

/// The bullet, without indentation and line end.
pub(in crate::provider) fn bullet(note: &Note) -> String {
    format!("- {NOTE} {}", visible(&note.text)).trim_end().to_owned()
}

/// The comment, without indentation and line end.
pub(in crate::provider) fn comment(note: &Note) -> String {
    format!("{DATA}{} -->", note.json())
}

/// One line that has no meaning to a board but its words: no tag, link, table, comment, block id or formatting.
fn visible(text: &str) -> String {
    let words: Vec<&str> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let mut length = LIMIT;
    loop {
        let safe = escaped(&cut(&line, length));
        let over = safe.chars().count().saturating_sub(LIMIT);
        if over == 0 {
            return safe;
        }
        // Escapes make two characters of one at most: half of what is too much can always go.
        length = length.saturating_sub(over.div_ceil(2));
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

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Parser};
    use serde_json::json;

    use super::*;

    fn note(text: &str) -> Note {
        Note { text: text.to_owned(), data: json!(null) }
    }

    #[test]
    fn the_visible_text_keeps_its_words_and_loses_its_syntax() {
        for (text, visible) in [
            ("", "- kanban-codex-exec:"),
            (" two\n\tlines\u{0} ", "- kanban-codex-exec: two lines"),
            ("see #tag, a#b and x/#c", r"- kanban-codex-exec: see \#tag, a#b and x/#c"),
            ("[[x]] | @{2024}", r"- kanban-codex-exec: \[\[x]] \| \@{2024}"),
            ("%%%", r"- kanban-codex-exec: %\%\%"),
            ("<!-- x --> <br>", r"- kanban-codex-exec: \<!-- x --> \<br>"),
            ("end ^id", r"- kanban-codex-exec: end \^id"),
            ("snake_case _it_", r"- kanban-codex-exec: snake_case \_it\_"),
            ("C:\\", r"- kanban-codex-exec: C:\\"),
            ("`a|b` and `c#`", "- kanban-codex-exec: `a|b` and `c#`"),
            ("`<!-- %%%`", "- kanban-codex-exec: `<! -- % % %`"),
            ("odd `one", "- kanban-codex-exec: odd 'one"),
            ("``a`` b", "- kanban-codex-exec: ''a'' b"),
        ] {
            assert_eq!(bullet(&note(text)), visible, "{text:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_whatever_they_hold() {
        for text in ["x".repeat(4000), "#".repeat(4000), "日本 ".repeat(2000), format!("`{}`", "<".repeat(4000))] {
            let line = bullet(&note(&text));
            let length = line.chars().count() - "- kanban-codex-exec: ".len();
            assert!(length <= LIMIT && length > LIMIT / 2, "{length}");
            assert!(line.ends_with('…'), "{line}");
        }
        assert!(!bullet(&note(&"x".repeat(LIMIT))).ends_with('…'));
    }

    #[test]
    fn people_read_what_was_said() {
        for text in ["a #b [c](d) *e* ~~f~~ <g> \\h &amp; $i$ ^j _k_ 2 * 3", "`a` b `c|d` #e"] {
            let shown: String = Parser::new(&bullet(&note(text)))
                .filter_map(|event| match event {
                    Event::Text(text) => Some(text.to_string()),
                    Event::Code(code) => Some(format!("`{code}`")),
                    _ => None,
                })
                .collect();
            assert_eq!(shown, format!("kanban-codex-exec: {text}"));
        }
    }

    #[test]
    fn the_comment_can_hold_anything() {
        for data in [json!({"a": "--> <!-- %% ---- & #x"}), json!(-1.5), json!("\u{2028}\r\n"), json!(["-", "--", "%"])]
        {
            let line = comment(&Note { text: String::new(), data: data.clone() });
            let json = line.strip_prefix(DATA).and_then(|rest| rest.strip_suffix(" -->")).unwrap();
            assert!(!["--", "<", ">", "%", "\n", "#"].iter().any(|syntax| json.contains(syntax)), "{json}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap(), data);
        }
    }
}

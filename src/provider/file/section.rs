//! The program's own section at the end of a card's markdown: the same two lines as on a markdown board, below a heading of
//! their own. Backlog.md's program keeps a section that it does not know as it is. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::provider::Note;
use crate::provider::markdown::note::{bullet, comment};

const HEADING: &str = "## kanban-codex-exec";

static SECTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^## kanban-codex-exec[ \t]*\r?\n(?:[ \t]*\r?\n)*(?:- kanban-codex-exec:[^\n]*\n)?(?:[ \t]*\r?\n)*<!-- kanban-codex-exec (.*) -->",
    )
    .ok()
});

/// The bytes of the section in `markdown`, and what it says to the machine.
pub(super) fn find(markdown: &str) -> Option<(Range<usize>, Option<Value>)> {
    let found = LazyLock::force(&SECTION).as_ref()?.captures_iter(markdown).last()?;
    let data = found.get(1).and_then(|data| serde_json::from_str(data.as_str()).ok());
    Some((found.get(0)?.range(), data))
}

/// The markdown as a person wrote it.
pub(super) fn without(markdown: &str) -> String {
    let Some((section, _)) = find(markdown) else { return markdown.trim().to_owned() };
    let (before, after) = (markdown[..section.start].trim(), markdown[section.end..].trim());
    match (before.is_empty(), after.is_empty()) {
        (_, true) => before.to_owned(),
        (true, false) => after.to_owned(),
        (false, false) => format!("{before}\n\n{after}"),
    }
}

/// What is to stand where, so that the text, whose markdown begins at `from`, has the note.
pub(super) fn written(text: &str, from: usize, note: &Note) -> (Range<usize>, String) {
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let section = format!("{HEADING}{eol}{eol}{}{eol}{}", bullet(note), comment(note));
    if let Some((old, _)) = find(&text[from..]) {
        return (from + old.start..from + old.end, section);
    }
    let ended = text.ends_with('\n');
    let open = if ended { "" } else { eol };
    let gap = if text.ends_with(&format!("{eol}{eol}")) { "" } else { eol };
    (text.len()..text.len(), format!("{open}{gap}{section}{}", if ended { eol } else { "" }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn noted(text: &str, note: &str) -> String {
        let note = Note { text: note.to_owned(), data: json!({"v": note}) };
        let (range, section) = written(text, 0, &note);
        format!("{}{section}{}", &text[..range.start], &text[range.end..])
    }

    #[test]
    fn it_is_put_at_the_end_found_again_and_replaced_in_place() {
        for text in ["", "a\n", "a", "a\r\nb\r\n", "a\n\n", "# T\n\n```\n## kanban-codex-exec\n```\n"] {
            let once = noted(text, "one --> two");
            let (range, data) = find(&once).unwrap();
            assert_eq!(data, Some(json!({"v": "one --> two"})), "{once:?}");
            assert_eq!(without(&once), text.trim(), "{once:?}");
            assert!(once.starts_with(text) && once.ends_with('\n') == text.ends_with('\n'), "{once:?}");
            assert_eq!(once.contains("\r\n"), text.contains("\r\n"));
            assert!(once[range].contains("- kanban-codex-exec: one --> two"));
            assert_eq!(noted(&noted(&once, "2"), "one --> two"), once, "{once:?}");
        }
    }

    #[test]
    fn what_stands_behind_it_is_kept_and_belongs_to_the_card() {
        let text = format!("{}\n## Comments\n\nmine\n", noted("a\n", "x"));
        assert_eq!(without(&text), "a\n\n## Comments\n\nmine");
        assert_eq!(without(&noted(&text, "y")), "a\n\n## Comments\n\nmine");
        assert_eq!(without("## kanban-codex-exec\n\nmine\n"), "## kanban-codex-exec\n\nmine");
    }
}

//! The state block on GitHub: a comment of its own, or the end of a draft's body. Pure.

use std::ops::Range;

use crate::board::CardId;
use crate::provider::Note;

const NAME: &str = "kanban-codex-exec";

/// What only this card's block begins with. An issue can be a card of several projects.
fn marker(card: &CardId) -> String {
    format!("<!-- {NAME} {card} -->")
}

/// The block as GitHub's markdown. The words are code, in which nothing is read: no mention tells anybody, no `#1` links.
pub fn block(card: &CardId, note: &Note) -> String {
    let text = note.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    format!("{}\n**{NAME}** {ticks} {text} {ticks}\n<!-- {NAME} {} -->", marker(card), note.json())
}

/// Whether a comment is the card's block.
pub fn is_of(body: &str, card: &CardId) -> bool {
    body.starts_with(&marker(card))
}

/// Where the card's block is in a body.
fn place(body: &str, card: &CardId) -> Option<Range<usize>> {
    let start = body.rfind(&marker(card))?;
    let data = start + body[start..].find(&format!("\n<!-- {NAME} {{"))?;
    Some(start..data + body[data..].find("-->")? + "-->".len())
}

/// A body without the card's block, and with `\n` as its line ends: what people wrote, to its last visible character.
pub fn without(body: &str, card: &CardId) -> String {
    let body = body.replace("\r\n", "\n");
    match place(&body, card) {
        Some(Range { start, end }) => format!("{}{}", body[..start].trim_end(), &body[end..]).trim_end().to_owned(),
        None => body.trim_end().to_owned(),
    }
}

/// A draft's body with this block in place of an older one, or at its end. What people wrote stays as it is, to the byte.
pub fn with(body: &str, card: &CardId, note: &Note) -> String {
    let block = block(card, note);
    match place(body, card) {
        Some(Range { start, end }) => format!("{}{block}{}", &body[..start], &body[end..]),
        None if body.is_empty() => block,
        None => format!("{body}\n\n{block}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn note(text: &str) -> Note {
        Note { text: text.to_owned(), data: json!({ "a": "--> x" }) }
    }

    #[test]
    fn a_drafts_body_gets_one_block_and_is_otherwise_as_people_wrote_it() {
        let card = CardId::from("PVTI_1");
        for body in [
            "",
            "words",
            "words\n\n- list\n",
            "a\r\nb\r\n",
            "<!-- kanban-codex-exec -->\nmine",
            "x <!-- kanban-codex-exec PVTI_1 -->",
        ] {
            let once = with(body, &card, &note("one"));
            let twice = with(&once, &card, &note("two"));
            let edited = with(&twice.replace("\r\n", "\n").replace('\n', "\r\n"), &card, &note("three"));
            for body_then in [&once, &twice, &edited] {
                assert_eq!(without(body_then, &card), body.replace("\r\n", "\n").trim_end(), "{body_then}");
            }
            assert_eq!(edited.matches("**kanban-codex-exec**").count(), 1, "{edited}");
            assert!(without(&format!("{once}\nadded below"), &card).ends_with("\nadded below"));
        }
    }

    #[test]
    fn what_people_wrote_around_the_block_keeps_its_bytes() {
        let card = CardId::from("PVTI_1");
        for body in ["a\r\nb\r\n  trailing   \r\n\r\n", "\n\n  code\n", "  "] {
            let once = with(body, &card, &note("one"));
            assert_eq!(once, format!("{body}\n\n{}", block(&card, &note("one"))));
            let below = format!("{once}\r\nbelow  \r\n");
            let twice = with(&below, &card, &note("two"));
            assert_eq!(twice, format!("{body}\n\n{}\r\nbelow  \r\n", block(&card, &note("two"))));
        }
    }

    #[test]
    fn another_projects_block_is_left_alone() {
        let [ours, theirs] = ["PVTI_1", "PVTI_2"].map(CardId::from);
        let body = block(&theirs, &note("x"));
        assert!(is_of(&body, &theirs) && !is_of(&body, &ours));
        assert_eq!(without(&body, &ours), body);
    }

    #[test]
    fn the_words_are_code_whatever_they_hold() {
        let card = CardId::from("PVTI_1");
        for (text, shown) in [
            ("tell @me of #1", "` tell @me of #1 `"),
            ("a `b` c", "`` a `b` c ``"),
            ("two\nlines ```", "```` two lines ``` ````"),
        ] {
            assert_eq!(
                block(&card, &note(text)).lines().nth(1),
                Some(format!("**kanban-codex-exec** {shown}").as_str())
            );
        }
    }
}

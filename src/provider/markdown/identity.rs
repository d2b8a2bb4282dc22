//! Which card is which: the id that stands on a card's first line, or one made from that line. Pure.
//!
//! Placeholders such as `(uuid:(uuidgen))`, `2^10` and `[^1]` are no ids.

use std::borrow::Cow;

use super::pattern::pattern;
use crate::board::CardId;
use crate::storage::sha256;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub id: CardId,
    /// The id stands on the board.
    pub stamped: bool,
}

// `^block-id`, last on the line.
pattern!(BLOCK, "^", r"(?:^|\s)\^([A-Za-z0-9-]+)\s*$");
// Our own stamp, also where a person has written on behind it.
pattern!(STAMP, "^kb-", r"(?:^|[ \t])\^(kb-[0-9a-f]{8})(?:[ \t]|$)");
// Comments of other board tools, `<!-- kb:id=1f2e3d4c … -->`, `<!-- task-id:kH6jb … -->`.
pattern!(COMMENT, "<!--", r"<!--\s*(?:kb:|task-)?id[:=]\s*([A-Za-z0-9_-]+)[\s>-]");
// The Obsidian Tasks plugin's.
pattern!(TASKS, "🆔", r"🆔\s*([A-Za-z0-9_-]+)");
pattern!(UUID, "(uuid:", r"\(uuid:\s*([0-9A-Fa-f-]{8,})\)");
// A key that the title begins with: `CM-009`, `**KB-12**`, `#02`.
pattern!(KEY, "", r"^[*_\[(`]*([A-Z][A-Z0-9]*(?:-[A-Z]+)?-[A-Z]?[0-9]+|#[0-9]+)(?:[^\w-]|$)");
// A card that is nothing but a link to a note, tags aside.
pattern!(WIKI, "[[", r"^\[\[([^\]|#]+)(?:[#|][^\]]*)?\]\](?:\s+#\S+)*$");
pattern!(LINK, "](", r"^\[[^\]]*\]\(<?([^():<>]+)>?\)(?:\s+#\S+)*$");

/// Words of the form of a key that titles begin with and that name no card.
const NO_KEYS: [&str; 6] = ["UTF-", "SHA-", "ISO-", "RFC-", "GPT-", "MD-"];

/// Who the card with this first line is (bullet and checkbox taken off). `context` tells apart what may share a first line
/// without being the same; it enters only ids that are made.
pub(super) fn of(first: &str, context: &str) -> Identity {
    let first = first.trim();
    let bare = without_block_id(first);
    let found = [&BLOCK, &STAMP, &COMMENT, &TASKS, &UUID].into_iter().find_map(|pattern| pattern.group(first));
    let key = || KEY.group(bare).filter(|key| !NO_KEYS.iter().any(|no| key.as_str().starts_with(no)));
    let note = || WIKI.group(bare).or_else(|| LINK.group(bare));
    if let Some(id) = found.or_else(key) {
        return Identity { id: id.as_str().into(), stamped: true };
    }
    if let Some(path) = note() {
        let path = path.as_str().trim();
        return Identity { id: path.strip_suffix(".md").unwrap_or(path).into(), stamped: true };
    }
    Identity { id: made(bare, context).into(), stamped: false }
}

/// `kb-` and 32 bits of the SHA-256 of the line, however it is spaced. The stamp is this same id, so that claiming a card
/// changes nothing about who it is.
pub(in crate::provider) fn made(line: &str, context: &str) -> String {
    let line: Vec<&str> = line.split_whitespace().collect();
    let hash = sha256(format!("{context}\0{}", line.join(" ")).as_bytes());
    format!("kb-{}", &hash[..8])
}

/// The line without the block id at its end, whoever wrote it.
pub(super) fn without_block_id(line: &str) -> &str {
    BLOCK.group(line).map_or(line, |id| line[..id.start()].trim_end_matches('^').trim_end())
}

/// The line without our stamp; all else, spaces at the end included, stays.
pub(super) fn without_stamp(line: &str) -> Cow<'_, str> {
    match STAMP.group(line) {
        Some(id) => {
            let before = line[..id.start()].trim_end_matches('^');
            let before = before.strip_suffix([' ', '\t']).unwrap_or(before);
            Cow::Owned(format!("{before}{}", &line[id.end()..]))
        }
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_on_the_line_comes_first() {
        for (line, id) in [
            ("Fix it ^a1", "a1"),
            ("Fix it ^a1  ", "a1"),
            ("CM-009 Fix it <!-- id: x --> ^kb-0123abcd", "kb-0123abcd"),
            ("Fix it ^kb-0123abcd and more", "kb-0123abcd"),
            ("Fix it <!-- kb:id=1f2e3d4c kb:col=todo -->", "1f2e3d4c"),
            ("Fix it <!-- task-id:kH6jb order:10 -->", "kH6jb"),
            ("Fix it 🆔 abc 📅 2024-01-01", "abc"),
            ("[[file|Title]] #tag prio:P3 (uuid:0e1c9a44-7d5e-4c53)", "0e1c9a44-7d5e-4c53"),
            ("CM-009 Combat", "CM-009"),
            ("**CM-B001**: Combat", "CM-B001"),
            ("[KB-12] Combat", "KB-12"),
            ("#02 Combat", "#02"),
            ("**#11 Implement Cart Overlay**", "#11"),
            ("[[Notes/Some card|alias]] #tag", "Notes/Some card"),
            ("[[Some card#Heading]]", "Some card"),
            ("[Some card](../tasks/Some%20card.md)", "../tasks/Some%20card"),
        ] {
            assert_eq!(of(line, ""), Identity { id: CardId::from(id), stamped: true }, "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_an_id_is_none() {
        for line in [
            "Compute 2^10",
            "See the note [^1]",
            "Fix it ^a_b",
            "[[file|Title]] (uuid:(uuidgen))",
            "UTF-8 everywhere",
            "See CM-009",
            "#tag first",
            "[site](https://example.com/x)",
            "[[A]] and [[B]]",
            "A-1st thing",
        ] {
            let found = of(line, "");
            assert!(!found.stamped && found.id.0.starts_with("kb-"), "{line}: {found:?}");
        }
    }

    #[test]
    fn a_made_id_survives_its_stamp_and_spacing() {
        let made = of("Fix  the thing", "");
        let stamped = of(&format!("Fix the thing ^{}", made.id), "");
        assert_eq!((made.id.clone(), true), (stamped.id, stamped.stamped));
        assert_eq!(made.id, of("Fix the thing ", "").id);
        assert_ne!(made.id, of("Fix the thing", "under").id);
        assert_ne!(made.id, of("fix the thing", "").id);
    }

    #[test]
    fn the_stamp_goes_without_a_trace() {
        for (line, rest) in [
            ("a ^kb-0123abcd", "a"),
            ("a ^kb-0123abcd  ", "a  "),
            ("a ^kb-0123abcd b", "a b"),
            ("a ^mine", "a ^mine"),
            ("a x^kb-0123abcd", "a x^kb-0123abcd"),
            ("^kb-0123abcd", ""),
        ] {
            assert_eq!(without_stamp(line), rest, "{line}");
        }
    }
}

//! The front matter of a markdown file. Pure.

use std::ops::Range;

use super::tree::Wrong;

const HINT: &str = "a card begins with `---`, its keys (`id`, `title`, `status`) and `---`";

/// The bytes between the fences, and where the markdown behind them begins.
pub(super) fn split(text: &str) -> Result<(Range<usize>, usize), Wrong> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = start;
    let mut open = None;
    for line in text[start..].split_inclusive('\n') {
        let fence = line.trim_end();
        match open {
            None if fence == "---" => open = Some(at + line.len()),
            None => return Err(Wrong::new(at, format!("no front matter: {HINT}"))),
            Some(from) if fence == "---" || fence == "..." => return Ok((from..at, at + line.len())),
            Some(_) => {}
        }
        at += line.len();
    }
    match open {
        None => Err(Wrong::new(start, format!("no front matter: {HINT}"))),
        Some(_) => Err(Wrong::new(start, format!("the front matter has no end: {HINT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_stands_between_the_fences() {
        for text in ["---\na: 1\n---\nb\n", "\u{feff}---\r\na: 1\r\n---\r\nb\n", "---  \na: 1\n...\nb\n"] {
            let (yaml, markdown) = split(text).unwrap();
            assert_eq!((text[yaml].trim_end(), &text[markdown..]), ("a: 1", "b\n"), "{text:?}");
        }
        assert_eq!(split("---\na: 1\n---"), Ok((4..9, 12)));
        for (text, reason) in
            [("", "no front matter"), ("\n---\na: 1\n---\n", "no front matter"), ("---\na: 1\n", "has no end")]
        {
            assert!(split(text).unwrap_err().text.contains(reason), "{text:?}");
        }
    }
}

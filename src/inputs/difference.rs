//! What changed in a gate input, for people. Pure.

use similar::{ChangeTag, TextDiff};

use crate::prompt::head;
use crate::redact::Redactor;

/// Lines of a summary, and bytes of each.
const SHOWN: usize = 3;
const LINE: usize = 80;

/// `1 line added, 2 removed: + includes:x`; empty where nothing changed. None stands for no file.
pub fn summary(before: Option<&[u8]>, after: Option<&[u8]>, redactor: &Redactor) -> String {
    match (before, after) {
        (Some(_), None) => return "removed".to_owned(),
        (None, Some(_)) => return "made, where there was none".to_owned(),
        (None, None) => return String::new(),
        (Some(before), Some(after)) if before == after => return String::new(),
        (Some(_), Some(_)) => {}
    }
    let (before, after) = (text(before), text(after));
    let redactor = redactor.knowing([before.as_str(), after.as_str()]);
    let diff = TextDiff::from_lines(&before, &after);
    let changed: Vec<(char, &str)> = diff
        .iter_all_changes()
        .filter_map(|change| match change.tag() {
            ChangeTag::Insert => Some(('+', change.value())),
            ChangeTag::Delete => Some(('-', change.value())),
            ChangeTag::Equal => None,
        })
        .collect();
    let added = changed.iter().filter(|(sign, _)| *sign == '+').count();
    let shown = changed.iter().filter(|(_, line)| !line.trim().is_empty()).take(SHOWN);
    let shown: Vec<String> =
        shown.map(|(sign, line)| format!("{sign} {}", head(&redactor.text(line.trim()), LINE))).collect();
    let more = if changed.len() > SHOWN { "; …" } else { "" };
    let plural = if added == 1 { "" } else { "s" };
    format!("{added} line{plural} added, {} removed: {}{more}", changed.len() - added, shown.join("; "))
}

/// A unified diff without secrets; of a file that is not text, that it changed.
pub fn unified(name: &str, before: Option<&[u8]>, after: Option<&[u8]>, redactor: &Redactor) -> String {
    let side = |bytes: Option<&[u8]>| if bytes.is_some() { name.to_owned() } else { "(no file)".to_owned() };
    let (old, new) = (text(before), text(after));
    let redactor = redactor.knowing([old.as_str(), new.as_str()]);
    let diff = TextDiff::from_lines(&old, &new).unified_diff().header(&side(before), &side(after)).to_string();
    redactor.text(&diff).into_owned()
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_a_line() {
        for (before, after, told) in [
            (Some("a\n"), Some("a\n"), ""),
            (Some("a\n"), Some("a\nb\n"), "1 line added, 0 removed: + b"),
            (Some("a\nb\n"), Some("c\n"), "1 line added, 2 removed: - a; - b; + c"),
            (Some("a\n"), None, "removed"),
            (None, Some("a\n"), "made, where there was none"),
        ] {
            let bytes = |text: Option<&'static str>| text.map(str::as_bytes);
            assert_eq!(summary(bytes(before), bytes(after), &Redactor::default()), told);
        }
        let many: String = (0..50).map(|line| format!("{line}{}\n", "é".repeat(200))).collect();
        assert!(summary(Some(b""), Some(many.as_bytes()), &Redactor::default()).len() < 400);
    }

    #[test]
    fn a_difference_is_a_unified_diff() {
        let diff = unified("tests.txt", Some(b"one\ntwo\n"), Some(b"one\nthree\n"), &Redactor::default());
        assert_eq!(diff, "--- tests.txt\n+++ tests.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
        assert!(
            unified("c.yaml", None, Some(b"kReq: 1\n"), &Redactor::default())
                .starts_with("--- (no file)\n+++ c.yaml\n")
        );
    }
}

//! A patch: read by files and lines, so that evidence can lead to the line that it is about; shown in colours.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::report::story::Patch;
use crate::report::units;

/// A patch as the evidence's trees make it: `s/` and `d/` before the paths.
#[derive(Debug, Default)]
pub struct Diff<'p> {
    pub files: Vec<File<'p>>,
    left_out: u64,
}

#[derive(Debug, Default)]
pub struct File<'p> {
    pub path: String,
    lines: Vec<Line<'p>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Line<'p> {
    kind: Kind,
    text: &'p str,
    /// In the file as it is after the patch.
    number: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    Same,
    /// Of a hunk, a mode, a binary file.
    About,
    /// What the file's path says as well.
    Header,
}

impl<'p> Diff<'p> {
    pub fn of(patch: &'p Patch) -> Diff<'p> {
        let mut diff = Diff { files: Vec::new(), left_out: patch.left_out };
        // Lines that the hunk still has: before and after.
        let (mut old, mut new, mut number) = (0, 0, 0);
        for text in patch.text.lines() {
            let first = text.chars().next().unwrap_or(' ');
            let header = ["diff --git ", "index ", "--- ", "+++ "].iter().any(|start| text.starts_with(start));
            let kind = match first {
                '+' if new > 0 => Kind::Added,
                '-' if old > 0 => Kind::Removed,
                ' ' if old > 0 && new > 0 => Kind::Same,
                _ if header => Kind::Header,
                _ => Kind::About,
            };
            match kind {
                Kind::Header => diff.header(text),
                Kind::About => (old, number, new) = hunk(text).unwrap_or((old, number, new)),
                Kind::Added | Kind::Removed | Kind::Same => {}
            }
            let is_after = matches!(kind, Kind::Added | Kind::Same);
            diff.files.last_mut().into_iter().for_each(|file| {
                file.lines.push(Line { kind, text, number: is_after.then_some(number) });
            });
            number += usize::from(is_after);
            new -= usize::from(is_after);
            old -= usize::from(matches!(kind, Kind::Removed | Kind::Same));
        }
        diff
    }

    fn header(&mut self, text: &str) {
        if let Some(paths) = text.strip_prefix("diff --git ") {
            let path = paths.rsplit_once(" d/").map_or(paths, |(_, path)| path);
            self.files.push(File { path: path.to_owned(), lines: Vec::new() });
        } else if let (Some(path), Some(file)) = (text.strip_prefix("+++ "), self.files.last_mut())
            && let Some(path) = unquoted(path.trim_end_matches('\t')).strip_prefix("d/")
        {
            path.clone_into(&mut file.path);
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.files.iter().flat_map(|file| &file.lines).filter(|line| line.kind == kind).count()
    }

    /// `name` begins the anchors; `wanted` says which lines of which file, from 0, get one.
    pub fn markup(&self, name: &str, wanted: impl Fn(usize, usize) -> bool) -> Markup {
        let files = self.files.len();
        html! {
            details.diff {
                summary {
                    @if files == 0 { "Changes" } @else {
                        "Changes: " (units::of(files, "file")) ", "
                        ins { "+" (self.count(Kind::Added)) } " " del { "−" (self.count(Kind::Removed)) }
                    }
                    @if self.left_out > 0 { ", cut" }
                }
                @for (number, file) in self.files.iter().enumerate() {
                    @let name = format!("{name}f{number}");
                    h6 id=(name) { bdi { (file.path) } }
                    pre tabindex="0" {
                        @for line in &file.lines { (line.markup(&name, |line| wanted(number, line))) }
                    }
                }
                @if self.left_out > 0 {
                    p.muted { "Cut: " (units::size(self.left_out)) " more are in the attempt's changes.patch." }
                }
            }
        }
    }
}

impl File<'_> {
    pub fn has(&self, number: usize) -> bool {
        self.lines.iter().any(|line| line.number == Some(number))
    }
}

impl Line<'_> {
    fn markup(&self, name: &str, wanted: impl Fn(usize) -> bool) -> Markup {
        let id = self.number.filter(|number| wanted(*number)).map(|number| format!("{name}l{number}"));
        let text = self.text;
        html! {
            @match self.kind {
                Kind::Added => ins id=[id] { (text) },
                Kind::Removed => del { (text) },
                Kind::Same => span id=[id] { (text) },
                Kind::About => span.about { (text) },
                Kind::Header => {}
            }
            @if self.kind != Kind::Header { "\n" }
        }
    }
}

/// A path as git writes it: in quotes, and with escapes, where it holds what is not ASCII.
fn unquoted(path: &str) -> Cow<'_, str> {
    let Some(quoted) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else {
        return Cow::Borrowed(path);
    };
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
        let (byte, length) = match (first, after) {
            (b'\\', [a, b, c, ..]) if a.is_ascii_digit() => (octal(&[*a, *b, *c]).unwrap_or(b'?'), 4),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [other, ..]) => (*other, 2),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Of `@@ -3,5 +4,6 @@`: the lines before, the first line after, the lines after.
fn hunk(line: &str) -> Option<(usize, usize, usize)> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let range = |text: &str| match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    let ((_, old), (start, new)) = (range(old)?, range(new)?);
    Some((old, start, new))
}

#[cfg(test)]
mod tests {
    use super::{Diff, Kind, unquoted};
    use crate::report::story::Patch;

    const PATCH: &str = "\
diff --git s/a b.txt d/a b.txt
index 1..2 100644
--- s/a b.txt\t
+++ d/a b.txt\t
@@ -2,3 +2,3 @@ fn x
 same
--- s/looks like a header
+++ d/so does this
 same
@@ -9 +9,0 @@
-last
diff --git s/gone d/gone
deleted file mode 100644
--- s/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
\\ No newline at end of file
";

    #[test]
    fn lines_are_told_apart_by_the_hunks_counts_and_not_by_their_looks() {
        let patch = Patch { text: PATCH.to_owned(), left_out: 0 };
        let diff = Diff::of(&patch);
        let paths: Vec<&str> = diff.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a b.txt", "gone"]);
        assert_eq!((diff.count(Kind::Added), diff.count(Kind::Removed), diff.count(Kind::Same)), (1, 3, 2));
        let numbers: Vec<usize> = diff.files[0].lines.iter().filter_map(|line| line.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
        assert!(diff.files[0].has(3) && !diff.files[0].has(9) && !diff.files[1].has(1));
    }

    #[test]
    fn a_path_that_git_quotes_is_read() {
        for (written, path) in [
            ("d/a b", "d/a b"),
            (r#""d/caf\303\251 \"x\"\t\\""#, "d/café \"x\"\t\\"),
            (r#""d/\3"#, r#""d/\3"#),
            (r#""\39""#, "39"),
        ] {
            assert_eq!(unquoted(written), path);
        }
    }

    #[test]
    fn what_is_no_patch_shows_nothing_and_breaks_nothing() {
        for text in ["", "\n", "@@ -1,99999999999999999999 +1 @@\n+x", "+x\n-y", "@@ -1,2 +1,2 @@", "diff --git "] {
            let patch = Patch { text: text.to_owned(), left_out: 7 };
            let shown = Diff::of(&patch).markup("c0", |_, _| true).into_string();
            assert!(shown.contains("7 bytes"), "{text:?}: {shown}");
        }
    }
}

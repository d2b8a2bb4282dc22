//! A patch: read by files and lines, so that evidence can lead to the line that it is about; shown in colours.

use maud::{Markup, html};

use crate::report::story::Patch;
use crate::report::units;

/// Files of a patch as they come.
#[derive(Debug, Default)]
pub struct Diff<'p> {
    pub files: Vec<File<'p>>,
    left_out: u64,
}

#[derive(Debug, Default)]
pub struct File<'p> {
    pub path: &'p str,
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
    /// What the patch says of itself.
    About,
}

impl<'p> Diff<'p> {
    pub fn of(patch: &'p Patch) -> Diff<'p> {
        let mut diff = Diff { files: Vec::new(), left_out: patch.left_out };
        // Lines that the hunk still has: before and after.
        let (mut old, mut new, mut number) = (0, 0, 0);
        for text in patch.text.lines() {
            let first = text.chars().next().unwrap_or(' ');
            let kind = match first {
                '+' if new > 0 => Kind::Added,
                '-' if old > 0 => Kind::Removed,
                ' ' if old > 0 && new > 0 => Kind::Same,
                _ => Kind::About,
            };
            if kind == Kind::About {
                if let Some(rest) = text.strip_prefix("diff --git ") {
                    let path = rest.rsplit_once(" b/").map_or(rest, |(_, path)| path);
                    diff.files.push(File { path, lines: Vec::new() });
                } else if let Some(path) = text.strip_prefix("+++ b/")
                    && let Some(file) = diff.files.last_mut()
                {
                    file.path = path.trim_end_matches('\t');
                } else if let Some(hunk) = hunk(text) {
                    (old, number, new) = hunk;
                }
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

    fn count(&self, kind: Kind) -> usize {
        self.files.iter().flat_map(|file| &file.lines).filter(|line| line.kind == kind).count()
    }

    /// `name` begins the anchors; `wanted` says which lines of which file, from 0, get one.
    pub fn markup(&self, name: &str, wanted: impl Fn(usize, usize) -> bool) -> Markup {
        let files = self.files.len();
        html! {
            details.diff {
                summary {
                    "Changes: " (files) @if files == 1 { " file, " } @else { " files, " }
                    ins { "+" (self.count(Kind::Added)) } " " del { "−" (self.count(Kind::Removed)) }
                    @if self.left_out > 0 { ", cut" }
                }
                @for (number, file) in self.files.iter().enumerate() {
                    h6 id=(format!("{name}f{number}")) { bdi { (file.path) } }
                    pre tabindex="0" { @for line in &file.lines { (file.line(line, &anchor(name, number), &|line| wanted(number, line))) } }
                }
                @if self.left_out > 0 {
                    p.muted { "Cut: " (units::size(self.left_out)) " more are in the attempt's changes.patch." }
                }
            }
        }
    }
}

fn anchor(name: &str, file: usize) -> String {
    format!("{name}f{file}")
}

impl File<'_> {
    pub fn has(&self, number: usize) -> bool {
        self.lines.iter().any(|line| line.number == Some(number))
    }

    fn line(&self, line: &Line<'_>, name: &str, wanted: &dyn Fn(usize) -> bool) -> Markup {
        let id = line.number.filter(|number| wanted(*number)).map(|number| format!("{name}l{number}"));
        let text = line.text;
        html! {
            @match line.kind {
                Kind::Added => ins id=[id] { (text) },
                Kind::Removed => del { (text) },
                Kind::Same => span id=[id] { (text) },
                Kind::About => span.about { (text) },
            }
            "\n"
        }
    }
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
    use super::{Diff, Kind};
    use crate::report::story::Patch;

    const PATCH: &str = "\
diff --git a/a b.txt b/a b.txt
index 1..2 100644
--- a/a b.txt\t
+++ b/a b.txt\t
@@ -2,3 +2,3 @@ fn x
 same
--- a/looks like a header
+++ b/so does this
 same
@@ -9 +9,0 @@
-last
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
\\ No newline at end of file
";

    #[test]
    fn lines_are_told_apart_by_the_hunks_counts_and_not_by_their_looks() {
        let patch = Patch { text: PATCH.to_owned(), left_out: 0 };
        let diff = Diff::of(&patch);
        let paths: Vec<&str> = diff.files.iter().map(|file| file.path).collect();
        assert_eq!(paths, ["a b.txt", "gone"]);
        assert_eq!((diff.count(Kind::Added), diff.count(Kind::Removed), diff.count(Kind::Same)), (1, 3, 2));
        let numbers: Vec<usize> = diff.files[0].lines.iter().filter_map(|line| line.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
        assert!(diff.files[0].has(3) && !diff.files[0].has(9) && !diff.files[1].has(1));
    }

    #[test]
    fn what_is_no_patch_shows_nothing_and_breaks_nothing() {
        for text in ["", "\n", "@@ -1,99999999999999999999 +1 @@\n+x", "+x\n-y", "@@ -1,2 +1,2 @@", "diff --git "] {
            let patch = Patch { text: text.to_owned(), left_out: 7 };
            let shown = Diff::of(&patch).markup("c0", |_, _| true).into_string();
            assert!(shown.contains("7 bytes more"), "{text:?}: {shown}");
        }
    }
}

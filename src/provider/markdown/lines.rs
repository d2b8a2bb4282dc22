//! Lines of a text by byte. A line's span includes its terminator: LF, CRLF, or a CR alone as CommonMark has it. Pure.

use std::ops::Range;

/// Where each line starts.
#[derive(Debug)]
pub(in crate::provider) struct Lines {
    starts: Vec<usize>,
    len: usize,
}

impl Lines {
    pub fn new(text: &str) -> Lines {
        let starts = std::iter::once(0).chain(starts_behind(text, 0..text.len()));
        Lines { starts: starts.collect(), len: text.len() }
    }

    /// Those of a text that has its first `head` and its last `tail` bytes in common with that of `old`.
    pub fn after(old: &Lines, text: &str, head: usize, tail: usize) -> Lines {
        // Of a CR it is the next byte that says whether it ends a line.
        let (from, to) = (head.saturating_sub(1), text.len() - tail);
        let (before, behind) = old.starts.split_at(old.starts.partition_point(|&start| start <= from));
        let behind = &behind[behind.partition_point(|&start| start <= old.len - tail)..];
        let there = |start: usize| text.len() - (old.len - start);
        let starts = before.iter().copied().chain(starts_behind(text, from..to));
        Lines { starts: starts.chain(behind.iter().copied().map(there)).collect(), len: text.len() }
    }

    pub fn starts(&self) -> impl Iterator<Item = usize> {
        self.starts.iter().copied()
    }

    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Whether a line starts at this byte.
    pub fn starts_at(&self, offset: usize) -> bool {
        self.starts.binary_search(&offset).is_ok()
    }

    /// The 0-based line that holds the byte `offset`.
    pub fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// 1-based, for people.
    pub fn number(&self, offset: usize) -> usize {
        self.at(offset) + 1
    }

    /// The bytes of the 0-based line, terminator included; empty behind the end.
    pub fn span(&self, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(self.len);
        start..self.starts.get(line + 1).copied().unwrap_or(self.len)
    }

    /// The spans of the lines that the bytes of `range` touch.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let last = if range.is_empty() { self.at(range.start) } else { self.at(range.end - 1) };
        (self.at(range.start)..=last).map(|line| self.span(line))
    }

    /// The whole lines of `range`, without the blank lines at its end.
    pub fn whole(&self, text: &str, range: Range<usize>) -> Range<usize> {
        let start = self.span(self.at(range.start)).start;
        let end = self.within(range).filter(|line| !blank(&text[line.clone()])).last();
        start..end.map_or(start, |line| line.end)
    }
}

/// Where lines start that follow a terminator whose last byte is in `range`.
fn starts_behind(text: &str, range: Range<usize>) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends = range.filter(|&at| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.map(|at| at + 1).filter(|&start| start < bytes.len())
}

/// The line's terminator; empty on an unterminated last line.
pub(super) fn terminator(line: &str) -> &str {
    &line[content(line).len()..]
}

/// The line without its terminator.
pub(super) fn content(line: &str) -> &str {
    line.strip_suffix("\r\n").or_else(|| line.strip_suffix(['\n', '\r'])).unwrap_or(line)
}

pub(super) fn blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// The spaces and tabs that a line begins with.
pub(super) fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// How wide text is when it starts at column `from`: a tab goes to the next multiple of four.
pub(super) fn width(text: &str, from: usize) -> usize {
    text.chars().fold(from, |column, char| if char == '\t' { (column / 4 + 1) * 4 } else { column + 1 }) - from
}

/// The line with `columns` columns of its indentation taken away, as far as it has them.
pub(super) fn dedent(line: &str, columns: usize) -> String {
    let (mut at, mut column) = (0, 0);
    for char in indent(line).chars() {
        if column >= columns {
            break;
        }
        column = if char == '\t' { (column / 4 + 1) * 4 } else { column + 1 };
        at += 1;
    }
    format!("{}{}", " ".repeat(column.saturating_sub(columns)), &line[at..])
}

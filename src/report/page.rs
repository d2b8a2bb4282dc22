//! A page for people: labels in a column of their own, and text that is folded where an ordinary terminal ends.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::checks::TestId;
use crate::journal::TestOutcome;

const WIDTH: usize = 80;
/// Where the text beside a label begins.
const COLUMN: usize = 10;

pub struct Page {
    text: String,
    width: usize,
}

impl Default for Page {
    fn default() -> Page {
        Page::wide(WIDTH)
    }
}

impl Page {
    /// In so many cells.
    pub fn wide(width: usize) -> Page {
        Page { text: String::new(), width }
    }

    pub fn line(&mut self, label: &str, text: &str) {
        self.hanging(&format!("{label:<COLUMN$}"), text);
    }

    /// `text` after `start`; what of it does not fit goes on below its beginning. No word is cut.
    pub fn hanging(&mut self, start: &str, text: &str) {
        let margin = start.width();
        self.text.push_str(&start.replace('\n', " "));
        let mut at = margin;
        for (number, word) in text.split([' ', '\n']).enumerate() {
            let length = word.width();
            if number > 0 && at + 1 + length > self.width {
                self.blank();
                self.text.push_str(&" ".repeat(margin));
                at = margin;
            } else if number > 0 {
                self.text.push(' ');
                at += 1;
            }
            self.text.push_str(word);
            at += length;
        }
        self.blank();
    }

    pub fn blank(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// What each test said; nothing where there are none.
    pub fn outcomes(&mut self, tests: &[TestOutcome]) {
        for test in tests {
            let TestOutcome { id: TestId(id), evidence, .. } = test;
            match (test.passed, test.counts) {
                (true, true) => self.hanging("      ok  ", &format!("{id}: {evidence}")),
                (true, false) => self.hanging("      --  ", &format!("{id} passed, but doesn't count: {evidence}")),
                (false, _) => self.hanging("      NO  ", &format!("{id}: {evidence}")),
            }
        }
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// A point in time, as the cards tell it: UTC.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn text_is_folded_between_words_below_where_it_begins() {
        let mut page = Page::default();
        page.line("label", &"wörd ".repeat(16));
        page.line("", &"x".repeat(100));
        let words = format!("{0}wörd", "wörd ".repeat(13));
        assert_eq!(
            page.into_text(),
            format!("label     {words}\n          wörd wörd\n          {}\n", "x".repeat(100))
        );
    }
}

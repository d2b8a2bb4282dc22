//! What the user sees of the records, on stdout. A broken display never stops the loop.

pub mod board;
pub mod doctor;
pub mod explain;
pub mod history;
pub mod html;
pub mod human;
pub mod init;
pub mod json;
pub mod junit;
pub mod logs;
pub mod markdown;
pub mod page;
pub mod paths;
pub mod plan;
pub mod replay;
pub mod status;
pub mod story;
pub mod table;
pub mod terminal;
pub mod units;
pub mod visible;

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use self::visible::{is_obeyed, written_out};
use crate::board::Column;
use crate::codex::Told;
use crate::journal::Record;
use crate::redact::Redactor;
use crate::settings;

/// Shows records as they happen. It sees records and how an attempt goes on, nothing else, and can't fail.
pub trait Report: Send {
    fn show(&mut self, record: &Record);

    /// Told about once a second while codex works, or a test runs. It is kept nowhere.
    fn progress(&mut self, _progress: &Progress<'_>) {}
}

/// How the work at a card goes on.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'p> {
    pub title: &'p str,
    pub column: &'p Column,
    pub elapsed: Duration,
    /// What codex said last, or which test it is.
    pub latest: Option<&'p Told>,
}

/// How `report` tells a board's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    Html,
    Markdown,
    Junit,
    Json,
}

impl Rendering {
    pub const ALL: [(&str, Rendering); 4] = [
        ("html", Rendering::Html),
        ("markdown", Rendering::Markdown),
        ("junit", Rendering::Junit),
        ("json", Rendering::Json),
    ];
}

/// Where reports go. Errors are given up on: there is nobody to tell.
pub type Out = Box<dyn Write + Send>;

/// What ends the program early, on stderr. It quotes what was given, which can hold secrets.
pub fn failure(failure: impl Display) {
    let text = clean(&settings::redactor(), &format!("{failure:#}"));
    writeln!(std::io::stderr(), "{}", text.trim_end()).ok();
}

/// What a command that goes on has to say beside its report, on stderr.
pub fn warning(redactor: &Redactor, text: &str) {
    writeln!(std::io::stderr(), "warning: {}", on_a_line(redactor, text)).ok();
}

/// Text for people, without secrets. Boards and codex write some of it: what a terminal would obey in it (control
/// characters, and those that turn the direction of reading) is shown as its escape.
pub fn clean(redactor: &Redactor, text: &str) -> String {
    written_out(&redactor.text(text), is_obeyed, char::escape_default).into_owned()
}

/// The same on one line: a line feed in what others wrote begins no line that could be taken for one of ours.
pub fn on_a_line(redactor: &Redactor, text: &str) -> String {
    clean(redactor, text).replace('\n', " ")
}

/// PM2 7 closes its log at a program's end and loses what it hasn't read by then: why it ended.
pub fn wait_for_pm2() {
    if settings::under_pm2() {
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[cfg(test)]
mod tests {
    use super::clean;
    use crate::redact::Redactor;

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_what_people_write_is_as_it_was() {
        let cases = [
            ("plain\ttext\n", "plain\ttext\n"),
            ("Grüße → 日本 👩\u{200d}💻", "Grüße → 日本 👩\u{200d}💻"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}", "\\u{1b}[2J\\u{1b}]0;title\\u{7}"),
            ("over\rwritten\u{8}", "over\\rwritten\\u{8}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
        ];
        for (text, shown) in cases {
            assert_eq!(clean(&Redactor::default(), text), shown);
        }
    }
}

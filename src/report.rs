//! What the user sees of the records, on stdout. A broken display never stops the loop.

pub mod board;
pub mod explain;
pub mod human;
pub mod init;
pub mod json;
pub mod page;
pub mod paths;
pub mod plan;
pub mod replay;

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use crate::journal::Record;
use crate::settings;

/// Shows records as they happen. It sees records and nothing else, and can't fail.
pub trait Report {
    fn show(&mut self, record: &Record);
}

/// Where reports go. Errors are given up on: there is nobody to tell.
pub type Out = Box<dyn Write + Send>;

/// What ends the program early, on stderr. It quotes what was given, which can hold secrets.
pub fn failure(failure: impl Display) {
    let text = format!("{failure:#}");
    writeln!(std::io::stderr(), "{}", settings::redactor().text(&text).trim_end()).ok();
}

/// PM2 7 closes its log at a program's end and loses what it hasn't read by then: why it ended.
pub fn wait_for_pm2() {
    if settings::under_pm2() {
        std::thread::sleep(Duration::from_millis(500));
    }
}

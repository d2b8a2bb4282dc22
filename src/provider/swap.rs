//! Files of a board: an edit is planned on a file as it was just read, and written only while the file is still so; else it
//! is planned again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Error, Result, bail};

use crate::board::CardId;
use crate::failure::{Failure, Kind, Problem};
use crate::provider::Applied;
use crate::provider::markdown::edit::Edited;
use crate::storage::Writer;

/// How often a write is planned again because the file changed under it, and the pause before each.
pub(super) const TRIES: usize = 20;
pub(super) const PAUSE: Duration = Duration::from_millis(25);

/// An edit of a file that held `text`.
#[derive(Debug)]
pub(super) struct Planned {
    pub path: PathBuf,
    pub text: String,
    pub edited: Edited,
}

/// Plans and writes, again and again while others write in between.
pub(super) fn edit(board: &Path, writer: &Writer, plan: impl Fn() -> Result<Planned>) -> Result<Edited> {
    for _ in 0..TRIES {
        let Planned { path, text, edited } = plan()?;
        let Edited::Text(new) = &edited else { return Ok(edited) };
        if writer.swap(&path, text.as_bytes(), new.as_bytes())? {
            return Ok(edited);
        }
        std::thread::sleep(PAUSE);
    }
    bail!(
        "{} changed each of the {TRIES} times that it was to be written: stop the other program that writes it",
        board.display()
    )
}

/// A board file's text, or an error that downcasts to [`Failure`].
pub(super) fn text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let kind = if missing { Kind::Usage } else { Kind::Error };
        let failure = Failure::new(kind, Error::new(error).context(format!("cannot read {}", path.display())));
        Error::msg(if missing { failure.hint("--source names the board") } else { failure })
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count();
        problem(path, line, "not UTF-8 text", "save the file as UTF-8")
    })
}

/// What is wrong with a file as a whole, as an error that downcasts to [`Failure`].
pub(super) fn problem(path: &Path, line: usize, text: &str, hint: &str) -> Error {
    let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
    let problem = Problem { file: path.display().to_string(), line, column: 0, text: text.to_owned(), hint };
    Error::msg(Failure::from(vec![problem]))
}

/// The board can be read, and this one thing can't be written on it.
#[derive(Debug)]
pub(super) struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

pub(super) fn applied(edited: Result<Edited>, id: &CardId) -> Result<Applied> {
    Ok(match edited {
        Ok(Edited::Text(_)) => Applied::Done { id: id.clone() },
        Ok(Edited::Already) => Applied::Already,
        Ok(Edited::Elsewhere(column)) => Applied::Elsewhere(column),
        Err(error) => Applied::Refused(error.downcast::<Refusal>()?.0),
    })
}

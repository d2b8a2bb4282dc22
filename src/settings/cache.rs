//! CACHE_DIR serves one board: of what is known by card, another board's cards of the same names must not profit.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::storage::{self, Writer, sha256};

/// The file in it that names its board.
fn named(folder: &Path) -> PathBuf {
    folder.join("board")
}

/// Where a board's history is: in the folder that was asked for or, where that is another board's, within it. A board that is
/// not there any more was moved, and leaves its history to the next one.
pub(super) fn of_board(folder: PathBuf, source: &str) -> PathBuf {
    let within = folder.join("boards").join(&sha256(source.as_bytes())[..16]);
    let others = storage::read_to_string(named(&folder)).is_ok_and(|other| other != source && is_there(&other));
    if others || within.is_dir() { within } else { folder }
}

/// What is no path can't be looked for; a file that was emptied names none.
fn is_there(source: &str) -> bool {
    !source.is_empty() && (!Path::new(source).is_absolute() || Path::new(source).exists())
}

/// Makes the folder, and writes into it whose it is.
pub fn claim(writer: &Writer, folder: &Path, source: &str) -> Result<()> {
    writer.cache_folder(folder)?;
    let name = named(folder);
    if storage::read(&name).is_ok_and(|now| now == source.as_bytes()) {
        Ok(())
    } else {
        writer.replace(&name, source.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_keeps_the_folder_that_it_has_and_the_next_one_gets_its_own() {
        let root = tempfile::tempdir().unwrap();
        let (folder, board) = (root.path().join("cache"), |name: &str| root.path().join(name));
        let name = |name: &str| board(name).display().to_string();
        let of = |source: &str| of_board(folder.clone(), &name(source));
        let claim = |source: &str| claim(&Writer::within(root.path()), &of(source), &name(source)).unwrap();
        let writer = Writer::within(root.path());
        for board in ["a", "b"].map(board) {
            writer.replace(&board, b"## Todo\n").unwrap();
        }
        assert_eq!(of("a"), folder, "nobody's");
        claim("a");
        let (a, b) = (of("a"), of("b"));
        assert_eq!(a, folder);
        assert!(b.starts_with(folder.join("boards")) && b != of("c"), "{b:?}");
        claim("b");
        writer.remove(&board("a")).unwrap();
        assert_eq!(of("renamed"), folder, "the history of a board that was moved");
        assert_eq!(of("b"), b, "which has its own");
        for damaged in [&b""[..], &[0xa7; 100]] {
            writer.replace(&named(&folder), damaged).unwrap();
            assert_eq!(of("a"), folder, "{damaged:?}");
        }
    }
}

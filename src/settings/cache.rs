//! CACHE_DIR serves one board: of what is known by card, another board's cards of the same names must not profit.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Settings;
use super::resolve::real;
use crate::provider::Source;
use crate::storage::{self, Writer, sha256};

/// The file in it that names its board.
fn named(folder: &Path) -> PathBuf {
    folder.join("board")
}

/// What the board is called there. Where both lie in the workspace they move with it, and so does the name.
fn name(folder: &Path, workspace: &Path, source: &Source) -> String {
    match source.path().and_then(|path| path.strip_prefix(workspace).ok()) {
        Some(inside) if real(folder).starts_with(workspace) => format!("./{}", inside.display()),
        _ => source.to_string(),
    }
}

/// Where a board's history is: in the folder that was asked for or, where that is another board's, within it. A board that is
/// not there any more was moved, and leaves its history to the next one.
pub(super) fn of_board(folder: PathBuf, workspace: &Path, source: &Source) -> PathBuf {
    let name = name(&folder, workspace, source);
    let within = folder.join("boards").join(&sha256(name.as_bytes())[..16]);
    let others =
        storage::read_to_string(named(&folder)).is_ok_and(|other| other != name && is_there(&other, workspace, source));
    if others || within.is_dir() { within } else { folder }
}

/// Whether the name is of another board that is there. What is no path can't be looked for; a file that was emptied names none.
fn is_there(name: &str, workspace: &Path, but: &Source) -> bool {
    let path = match name.strip_prefix("./") {
        Some(inside) => workspace.join(inside),
        None => PathBuf::from(name),
    };
    but.path() != Some(&path) && !name.is_empty() && (path.is_relative() || path.exists())
}

/// Makes the folder, and writes into it whose it is.
pub fn claim(writer: &Writer, settings: &Settings) -> Result<()> {
    let folder = &settings.cache_dir;
    writer.cache_folder(folder)?;
    let (place, name) = (named(folder), name(folder, &settings.workspace, &settings.source));
    if storage::read(&place).is_ok_and(|now| now == name.as_bytes()) {
        Ok(())
    } else {
        writer.replace(&place, name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::settings::{Given, Need};

    fn settings(project: &Path, board: &str) -> Settings {
        let flags = [("source".to_owned(), board.to_owned())].into();
        let given = Given { flags, folder: project.to_owned(), ..Given::default() };
        Settings::resolve(&given, Need::History).unwrap()
    }

    #[test]
    fn a_board_keeps_the_folder_that_it_has_and_the_next_one_gets_its_own() {
        let root = tempfile::tempdir().unwrap();
        let (writer, project) = (Writer::within(root.path()), root.path().canonicalize().unwrap().join("project"));
        let folder = project.join(".cache/kanban-codex-exec");
        let of = |board: &str| settings(&project, board).cache_dir;
        let claim = |project: &Path, board: &str| claim(&writer, &settings(project, board)).unwrap();
        for board in ["a.md", "b.md"] {
            writer.folder(&project).unwrap();
            writer.replace(&project.join(board), b"## Todo\n").unwrap();
        }
        assert_eq!(of("a.md"), folder, "nobody's");
        claim(&project, "a.md");
        let (a, b) = (of("a.md"), of("b.md"));
        assert_eq!(a, folder);
        assert!(b.starts_with(folder.join("boards")) && b != of("c.md"), "{b:?}");
        claim(&project, "b.md");
        let moved = root.path().canonicalize().unwrap().join("moved");
        fs::rename(&project, &moved).unwrap();
        for (board, at) in [("b.md", &b), ("a.md", &a)] {
            assert_eq!(settings(&moved, board).cache_dir, moved.join(at.strip_prefix(&project).unwrap()));
            claim(&moved, board);
        }
        fs::rename(&moved, &project).unwrap();
        writer.remove(&project.join("a.md")).unwrap();
        assert_eq!(of("renamed.md"), folder, "the history of a board that was moved");
        assert_eq!(of("b.md"), b, "which has its own");
        let whole = project.join("a.md").display().to_string();
        for named_so in [whole.as_bytes(), &b""[..], &[0xa7; 100]] {
            writer.replace(&named(&folder), named_so).unwrap();
            assert_eq!(of("a.md"), folder, "{named_so:?}");
        }
    }

    #[test]
    fn a_folder_that_serves_several_projects_names_boards_by_their_whole_path() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (writer, projects) = (Writer::within(&root), ["one", "two"].map(|name| root.join(name)));
        writer.folder(&root.join("shared")).unwrap();
        let folders = projects.each_ref().map(|project| {
            writer.folder(&project.join(".cache")).unwrap();
            std::os::unix::fs::symlink(root.join("shared"), project.join(".cache/kanban-codex-exec")).unwrap();
            writer.replace(&project.join("board.md"), b"## Todo\n").unwrap();
            let settings = settings(project, "board.md");
            claim(&writer, &settings).unwrap();
            settings.cache_dir
        });
        assert_eq!(folders[0], projects[0].join(".cache/kanban-codex-exec"));
        assert!(folders[1].starts_with(projects[1].join(".cache/kanban-codex-exec/boards")), "{folders:?}");
    }
}

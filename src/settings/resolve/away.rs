//! A board that is away still names its history.

use std::fs;
use std::path::{Path, PathBuf};

use super::Resolver;
use crate::provider::{Kind, Source};
use crate::settings::Need;

impl Resolver<'_> {
    /// The board, or where it would be: what is wrong with it is no matter to who needs no board, as long as its folder is
    /// there.
    pub(super) fn source_or_its_place(&mut self) -> (Source, Kind) {
        let problems = self.problems.len();
        if let Some(found) = self.source() {
            return found;
        }
        let somewhere = self.given.folder.join("board.md");
        if self.need == Need::Board {
            return (Source::Path(somewhere), Kind::Markdown);
        }
        let github = self.raw("provider").is_some_and(|raw| raw.words == ["github"]);
        let named = if github { None } else { self.path("source") };
        let place = canonical(named.unwrap_or(somewhere));
        if place.parent().is_some_and(Path::is_dir) {
            self.problems.truncate(problems);
        }
        (Source::Path(place), Kind::Markdown)
    }
}

/// Of a file that is gone, its folder's one name: so it had it when it was there.
pub(super) fn canonical(path: PathBuf) -> PathBuf {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

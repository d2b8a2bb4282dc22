//! A path in the workspace.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A path from the workspace down, parts joined by `/`, in the bytes that the file system has. Empty: the workspace.
/// Written as a string, or as a list of bytes where they are not UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct TreePath(Vec<u8>);

#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

impl TreePath {
    pub fn new(bytes: impl Into<Vec<u8>>) -> TreePath {
        TreePath(bytes.into())
    }

    /// `path` relative to `folder`; None where it is not below it.
    pub fn below(folder: &Path, path: &Path) -> Option<TreePath> {
        path.strip_prefix(folder).ok().map(|path| TreePath(path.as_os_str().as_bytes().to_vec()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    #[must_use]
    pub fn join(&self, name: &OsStr) -> TreePath {
        let mut path = self.0.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        TreePath(path)
    }

    /// Its last part.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Whether it is below that folder.
    pub fn is_below(&self, folder: &TreePath) -> bool {
        let rest = self.0.strip_prefix(folder.as_bytes());
        rest.is_some_and(|rest| folder.0.is_empty() || rest.first() == Some(&b'/'))
    }

    /// Whether it names something inside the workspace: one read from a file may say anything.
    pub fn stays_inside(&self) -> bool {
        !self.0.is_empty() && self.as_path().components().all(|part| matches!(part, Component::Normal(_)))
    }

    /// Whether git's trees can hold it: none of its parts is `.git`.
    pub fn can_be_held(&self) -> bool {
        !self.0.split(|byte| *byte == b'/').any(|part| part.eq_ignore_ascii_case(b".git"))
    }

    /// The folders that it lies in, outermost first, without the workspace itself.
    pub fn folders(&self) -> impl Iterator<Item = TreePath> {
        self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| TreePath(self.0[..at].to_vec()))
    }
}

/// For people: on one line, whatever the name holds.
impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in String::from_utf8_lossy(&self.0).chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_path())
    }
}

impl From<Written> for TreePath {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => TreePath(text.into_bytes()),
            Written::Bytes(bytes) => TreePath(bytes),
        }
    }
}

impl From<TreePath> for Written {
    fn from(path: TreePath) -> Self {
        String::from_utf8(path.0).map_or_else(|error| Written::Bytes(error.into_bytes()), Written::Text)
    }
}

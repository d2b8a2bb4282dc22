//! The example project in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::settings::Given;
use crate::storage::{Writer, temporary_folder};

pub const STAND_IN: &str = "codex-stand-in.sh";

const TRANSITIONS: &str = include_str!("../../../examples/transitions.yaml");
const FILES: [(&str, &str); 4] = [
    ("board.md", include_str!("../../../examples/board.md")),
    ("tests.txt", include_str!("../../../examples/tests.txt")),
    ("kanban-codex-exec.yaml", include_str!("../../../examples/kanban-codex-exec.yaml")),
    ("hooks/notify.mjs", include_str!("../../../examples/hooks/notify.mjs")),
];
const PROGRAMS: [(&str, &str); 2] = [
    (STAND_IN, include_str!("../../../examples/codex-stand-in.sh")),
    ("hooks/check.sh", include_str!("../../../examples/hooks/check.sh")),
];

/// A fresh copy of `examples/`, and what `run` is given there.
pub struct Example {
    pub folder: PathBuf,
    pub given: Given,
    /// There is something to run the JavaScript hook with.
    pub node: bool,
}

impl Example {
    /// Writes it to `folder`, which must not exist, or to a temporary one.
    pub fn lay_out(folder: Option<PathBuf>) -> Result<Example, Failure> {
        // The demo is the same for everybody: the user's own settings are for the user's own board.
        let mut given = Given::from_process(Default::default(), None)?.without_settings();
        if !on_path(&given, "git") {
            let failure = Failure::usage("git is not on PATH: the loop sees with it what codex changes");
            return Err(failure.hint("install git"));
        }
        let folder = match folder.map(|folder| given.folder.join(folder)) {
            Some(folder) if folder.symlink_metadata().is_ok() => {
                let failure = Failure::usage(format!("{} exists already", folder.display()));
                return Err(failure.hint("name a new folder, or none for a temporary one"));
            }
            Some(folder) => folder,
            None => temporary_folder("kanban-codex-exec-demo-")?,
        };
        let node = on_path(&given, "node");
        let writer = Writer::within(&folder);
        write(&writer, &folder, node)?;
        let folder = fs::canonicalize(&folder).map_err(anyhow::Error::from)?;
        let flags = [("source", "board.md"), ("codex-bin", "./codex-stand-in.sh")];
        given.flags = flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).into();
        given.folder.clone_from(&folder);
        Ok(Example { folder, given, node })
    }

    /// The flags as they would be typed in the folder.
    pub fn run_line(&self) -> String {
        let flags = self.given.flags.iter().map(|(flag, value)| format!(" --{flag} {value}"));
        format!("run{}", flags.collect::<String>())
    }
}

fn write(writer: &Writer, folder: &Path, node: bool) -> anyhow::Result<()> {
    writer.folder(&folder.join("hooks"))?;
    for (name, text) in FILES {
        writer.replace(&folder.join(name), text.as_bytes())?;
    }
    for (name, text) in PROGRAMS {
        writer.program(&folder.join(name), text.as_bytes())?;
    }
    let without_js = |line: &&str| node || !line.contains("js: ./hooks/notify.mjs");
    let rules: String = TRANSITIONS.split_inclusive('\n').filter(without_js).collect();
    writer.replace(&folder.join("transitions.yaml"), rules.as_bytes())
}

fn on_path(given: &Given, program: &str) -> bool {
    let search = given.env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    std::env::split_paths(&search).any(|folder| folder.is_absolute() && folder.join(program).is_file())
}

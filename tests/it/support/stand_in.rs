//! A stand-in for codex: a shell script that reads its prompt as codex does, keeps a log of its starts and ends, and prints
//! codex's events around what a test has it do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::World;

/// What a test's script can use.
pub const PRELUDE: &str = include_str!("codex.sh");

/// Writes the program: `script` between the events of a good run. One that begins with `raw` prints its events itself.
pub fn write(path: &Path, script: &str) {
    let body = match script.strip_prefix("raw") {
        Some(raw) => raw.to_owned(),
        None => format!("begin\n{script}\nsay 'I did what the card says.'\ncomplete\n"),
    };
    fs::write(path, format!("{PRELUDE}{body}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl World {
    fn codex_log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("codex.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn logged(&self, word: &str) -> Vec<String> {
        let after_pid = |line: &str| line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
        let lines = self.codex_log();
        lines.iter().filter(|line| line.split(' ').next() == Some(word)).map(|line| after_pid(line)).collect()
    }

    /// `KB-1 Implement`, for every start, in order.
    pub fn executions(&self) -> Vec<String> {
        self.logged("start")
    }

    /// Those that came to their end.
    pub fn finished(&self) -> Vec<String> {
        self.logged("end")
    }

    /// Whether two were ever alive at once.
    pub fn overlapped(&self) -> bool {
        self.codex_log().iter().any(|line| line.starts_with("beside"))
    }
}

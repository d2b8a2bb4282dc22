//! Every effect on files and processes is done by [`effect`], so that a test can let a run die before and after each of
//! them, whatever they are. Streams are not counted (logs, a child's output): in how many pieces they come is chance.
//! Release builds have no such points.

use std::path::Path;

/// Does an effect on `path`; `what` is named like its system call.
pub fn effect<T>(what: &str, path: &Path, act: impl FnOnce() -> T) -> T {
    reached("before", what, path);
    let done = act();
    reached("after", what, path);
    done
}

#[cfg(not(debug_assertions))]
fn reached(_when: &str, _what: &str, _path: &Path) {}

#[cfg(debug_assertions)]
use points::reached;

#[cfg(debug_assertions)]
pub use points::arm;

#[cfg(debug_assertions)]
mod points {
    use std::collections::HashMap;
    use std::ffi::OsString;
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::Path;
    use std::sync::{LazyLock, Mutex, OnceLock};

    use regex::Regex;
    use rustix::process::{Signal, getpid, kill_process};

    struct Points {
        /// Of a launcher: its number in its runner.
        launcher: Option<String>,
        list: Option<Mutex<File>>,
        die_at: Option<String>,
        reached: Mutex<HashMap<String, u32>>,
    }

    static POINTS: OnceLock<Points> = OnceLock::new();

    /// From here on this process is a run, or its launcher of that number, that writes its points into the file `list` and
    /// dies at the point `die_at`.
    pub fn arm([list, die_at]: [Option<OsString>; 2], launcher: Option<String>) {
        let list = list.and_then(|path| OpenOptions::new().append(true).open(path).ok()).map(Mutex::new);
        let die_at = die_at.map(|point| point.to_string_lossy().into_owned());
        if list.is_some() || die_at.is_some() {
            POINTS.set(Points { launcher, list, die_at, reached: Mutex::default() }).ok();
        }
    }

    /// A point's name is the same in every world: `before rename board.md 2`, the second time; `launcher: after spawn codex
    /// 3.1`, the runner's third launcher.
    pub fn reached(when: &str, what: &str, path: &Path) {
        static HASH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[0-9a-f]{16,}").ok());
        let Some(points) = POINTS.get() else { return };
        let Some(hash) = HASH.as_ref() else { return };
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let (who, number) =
            points.launcher.as_ref().map_or(("", String::new()), |number| ("launcher: ", format!("{number}.")));
        let name = format!("{who}{when} {what} {}", hash.replace_all(&file, "HASH"));
        let Ok(mut reached) = points.reached.lock() else { return };
        let times = reached.entry(name.clone()).or_default();
        *times += 1;
        let point = format!("{name} {number}{times}");
        if let Some(mut list) = points.list.as_ref().and_then(|list| list.lock().ok()) {
            // In one piece, so in one write: a run and its launchers append to the same file.
            let line = format!("{point}\n");
            write!(list, "{line}").ok();
        }
        if points.die_at.as_ref() == Some(&point) {
            kill_process(getpid(), Signal::KILL).ok();
        }
    }
}

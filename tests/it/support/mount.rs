//! File systems of a test's own: small ones that fill up, and such that nobody can write on.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::skipped;

/// Mounted until it is dropped.
pub struct Mount {
    at: PathBuf,
}

impl Mount {
    /// An empty file system of so many KiB; None after saying that the test is skipped.
    pub fn small(at: &Path, kib: usize) -> Option<Mount> {
        fs::create_dir_all(at).unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={kib}k,mode=0777"), "none"], at)?;
        Some(Mount { at: at.to_owned() })
    }

    /// The folder as it is, without the right to write.
    pub fn read_only(at: &Path) -> Option<Mount> {
        mount(&["--bind", at.to_str().unwrap()], at)?;
        let mount = Mount { at: at.to_owned() };
        mount.remount("ro");
        Some(mount)
    }

    pub fn remount(&self, how: &str) {
        mount(&["-o", &format!("remount,bind,{how}")], &self.at).unwrap();
    }

    pub fn grow(&self, kib: usize) {
        mount(&["-o", &format!("remount,size={kib}k")], &self.at).unwrap();
    }

    /// Leaves so many KiB free, in the file `filler`.
    pub fn fill(&self, left: usize) {
        self.free();
        let mut filler = File::create(self.at.join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
        let length = filler.metadata().unwrap().len().saturating_sub(left as u64 * 1024);
        filler.set_len(length).unwrap();
    }

    pub fn free(&self) {
        fs::remove_file(self.at.join("filler")).ok();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: what a failing test left open must not keep it.
        run("umount", &["-l"], &self.at);
    }
}

fn mount(args: &[&str], at: &Path) -> Option<()> {
    let mounted = run("mount", args, at);
    if !mounted {
        skipped("mounting is not allowed");
    }
    mounted.then_some(())
}

/// As root; on a machine that is there for tests alone by way of sudo, where that asks for nothing.
fn run(program: &str, args: &[&str], at: &Path) -> bool {
    let root = rustix::process::geteuid().is_root();
    let mut command = match !root && std::env::var("KANBAN_CI").as_deref() == Ok("1") {
        true => Command::new("sudo"),
        false => Command::new(program),
    };
    if command.get_program() == "sudo" {
        command.args(["-n", program]);
    }
    command.args(args).arg(at).output().is_ok_and(|output| output.status.success())
}

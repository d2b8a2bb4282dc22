//! A workspace to take trees of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kanban_codex_exec::evidence::{ChangedFile, Content, IgnoreRules, Snapshot, TreeId, Trees};
use kanban_codex_exec::process::Spawner;
use kanban_codex_exec::storage::{Places, RunLock};

/// A workspace with its CACHE_DIR inside, as by default.
pub struct World {
    pub temp: tempfile::TempDir,
    pub workspace: PathBuf,
    pub spawner: Spawner,
    pub _lock: RunLock,
}

impl World {
    pub fn plain() -> World {
        let temp = tempfile::tempdir().unwrap();
        let workspace = temp.path().canonicalize().unwrap().join("work");
        fs::create_dir(&workspace).unwrap();
        let places = Places { source: "board.md", workspace: &workspace, seen_from: &[], cache_dir: &workspace };
        let lock = RunLock::acquire(&temp.path().join("locks"), places, "test").unwrap().unwrap();
        World { workspace, spawner: Spawner::new(&lock), _lock: lock, temp }
    }

    pub fn git() -> World {
        let world = World::plain();
        world.run("git", &["init", "-q", "-b", "main"]);
        world
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.workspace.join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.path(".cache/kanban-codex-exec")
    }

    pub fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: impl AsRef<Path>) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    /// What the user or the agent runs.
    pub fn run(&self, program: &str, args: &[&str]) -> String {
        let identity = ["user.name=a", "user.email=a@example.org"].map(|pair| pair.split_once('=').unwrap());
        let output = Command::new(program)
            .args(args)
            .current_dir(&self.workspace)
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_COUNT", "2")])
            .envs(identity.iter().enumerate().map(|(at, (key, _))| (format!("GIT_CONFIG_KEY_{at}"), *key)))
            .envs(identity.iter().enumerate().map(|(at, (_, value))| (format!("GIT_CONFIG_VALUE_{at}"), *value)))
            .output()
            .unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn commit_all(&self) {
        let plain = self.path(".git/info/attributes");
        fs::write(&plain, "* -text -filter !working-tree-encoding\n").unwrap();
        self.run("git", &["add", "-A"]);
        fs::remove_file(plain).unwrap();
        self.run("git", &["commit", "-q", "--allow-empty", "-m", "all"]);
    }

    pub fn trees(&self) -> Trees {
        self.trees_without(vec![self.path("board.md")])
    }

    pub fn trees_without(&self, excluded: Vec<PathBuf>) -> Trees {
        let path = std::env::var_os("PATH").unwrap();
        Trees::open(&self.spawner, &self.cache(), &self.workspace, excluded, &path).unwrap()
    }

    /// The change set of one attempt.
    pub fn attempt(&self, act: impl FnOnce(&World)) -> Attempt {
        let trees = self.trees();
        let (before, rules) = trees.snapshot_before(&[]).unwrap();
        act(self);
        // As after a crash: another run, with the rules from the attempt's folder.
        let rules: IgnoreRules = serde_json::from_str(&serde_json::to_string(&rules).unwrap()).unwrap();
        let trees = self.trees();
        let after = trees.snapshot_after(&rules, None).unwrap();
        Attempt { changes: changes(&trees, &before.tree, &after.tree), before, after, trees }
    }
}

pub struct Attempt {
    pub trees: Trees,
    pub before: Snapshot,
    pub after: Snapshot,
    pub changes: Vec<String>,
}

/// `path: added line|added line`, `path: -` where it was deleted, `path: binary`.
pub fn changes(trees: &Trees, before: &TreeId, after: &TreeId) -> Vec<String> {
    let set = trees.saved().change_set(&[(before.clone(), after.clone()).into()]).unwrap();
    let line = |file: &ChangedFile| match &file.content {
        Content::Text(text) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let added: Vec<&str> = file.added.iter().map(|line| lines[line - 1]).collect();
            format!("{}: {}", file.path, added.join("|"))
        }
        Content::Binary { .. } => format!("{}: binary", file.path),
        Content::Deleted => format!("{}: -", file.path),
    };
    set.files.iter().map(line).collect()
}

/// Objects in the private folder.
pub fn stored(world: &World) -> usize {
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files(world.cache().join("git/objects")).into_iter().filter(|path| path.is_dir()).flat_map(files).count()
}

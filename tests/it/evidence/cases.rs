//! What an attempt may do, and the change set that follows.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::world::World;

pub type Step = fn(&World);

pub struct Case {
    pub name: &'static str,
    pub before: Step,
    pub attempt: Step,
    pub expected: &'static [&'static str],
}

pub const NOTHING: Step = |_| {};

/// Each holds in a git repository, with and without a commit, and outside of git.
pub const CASES: &[Case] = &[
    Case { name: "nothing happens", before: |w| w.write("a", "one\n"), attempt: NOTHING, expected: &[] },
    Case { name: "an empty workspace", before: NOTHING, attempt: NOTHING, expected: &[] },
    Case { name: "the first file", before: NOTHING, attempt: |w| w.write("a", "one\n"), expected: &["a: one"] },
    Case { name: "the last file", before: |w| w.write("a", "one\n"), attempt: |w| w.remove("a"), expected: &["a: -"] },
    Case {
        name: "an edit adds its lines only",
        before: |w| w.write("src/a.rs", "one\ntwo\n"),
        attempt: |w| w.write("src/a.rs", "one\nnew\ntwo\n"),
        expected: &["src/a.rs: new"],
    },
    Case {
        name: "an edit of the same size in the same second",
        before: |w| w.write("a", "one\n"),
        attempt: |w| w.write("a", "two\n"),
        expected: &["a: two"],
    },
    Case {
        name: "an edit of the same size with the old time put back",
        before: |w| {
            w.write("a", "one\n");
            std::thread::sleep(Duration::from_millis(1100));
        },
        attempt: |w| {
            let old = fs::metadata(w.path("a")).unwrap().modified().unwrap();
            w.write("a", "two\n");
            fs::File::options().append(true).open(w.path("a")).unwrap().set_modified(old).unwrap();
        },
        expected: &["a: two"],
    },
    Case {
        name: "moving and re-indenting add nothing",
        before: |w| w.write("a", "one\ntwo\n"),
        attempt: |w| {
            w.remove("a");
            w.write("b/c", "\t two\r\none");
        },
        expected: &["a: -", "b/c: "],
    },
    Case {
        name: "a file becomes a folder",
        before: |w| w.write("a", "one\n"),
        attempt: |w| {
            w.remove("a");
            w.write("a/b/c", "two\n");
        },
        expected: &["a: -", "a/b/c: two"],
    },
    Case {
        name: "a folder becomes a file",
        before: |w| w.write("a/b/c", "one\n"),
        attempt: |w| {
            w.remove("a");
            w.write("a", "two\n");
        },
        expected: &["a: two", "a/b/c: -"],
    },
    Case {
        name: "a folder becomes a symlink to where the same files are",
        before: |w| w.write("a/b", "one\n"),
        attempt: |w| {
            fs::rename(w.path("a"), w.path("real")).unwrap();
            symlink("real", w.path("a")).unwrap();
        },
        expected: &["a: real", "a/b: -", "real/b: "],
    },
    Case {
        name: "a symlink out of the workspace is its target, never what it leads to",
        before: |w| fs::write(w.temp.path().join("secret"), "secret\n").unwrap(),
        attempt: |w| {
            symlink("../secret", w.path("file")).unwrap();
            symlink("..", w.path("folder")).unwrap();
            symlink("/nowhere", w.path("dangling")).unwrap();
        },
        expected: &["dangling: /nowhere", "file: ../secret", "folder: .."],
    },
    Case {
        name: "a file that is made executable",
        before: |w| w.write("a", "one\n"),
        attempt: |w| fs::set_permissions(w.path("a"), fs::Permissions::from_mode(0o755)).unwrap(),
        expected: &["a: "],
    },
    Case {
        name: "permissions that git does not know",
        before: |w| {
            for (name, permissions) in
                [("key", 0o600), ("kept", 0o444), ("team", 0o664), ("run", 0o775), ("own", 0o700)]
            {
                w.write(name, "one\n");
                fs::set_permissions(w.path(name), fs::Permissions::from_mode(permissions)).unwrap();
            }
        },
        attempt: |w| ["key", "kept", "team", "run", "own"].into_iter().for_each(|name| w.remove(name)),
        expected: &["kept: -", "key: -", "own: -", "run: -", "team: -"],
    },
    Case {
        name: "strange names",
        before: |w| w.write("old\n\"name", "one\n"),
        attempt: |w| {
            w.remove("old\n\"name");
            for name in ["-n", "--help", "new\nline", " ", "a\tb", "*", ":(top)x", "back\\slash", "git~1", "a:b", "ünï"]
            {
                w.write(name, "x\n");
            }
        },
        expected: &[
            " : x",
            "*: x",
            "--help: x",
            "-n: x",
            ":(top)x: x",
            "a\\tb: x",
            "a:b: x",
            "back\\slash: x",
            "git~1: x",
            "new\\nline: x",
            "old\\n\"name: -",
            "ünï: x",
        ],
    },
    Case {
        name: "a name in another case",
        before: |w| w.write("Readme", "one\n"),
        attempt: |w| fs::rename(w.path("Readme"), w.path("README")).unwrap(),
        expected: &["README: ", "Readme: -"],
    },
    Case {
        name: "binary files",
        before: |w| w.write("a", b"one\0"),
        attempt: |w| {
            w.write("a", "one\ntwo\n");
            w.write("b", b"\xff\xfe");
        },
        expected: &["a: ", "b: binary"],
    },
    Case {
        name: "the board and CACHE_DIR",
        before: |w| w.write("board.md", "## To do\n"),
        attempt: |w| {
            w.write("board.md", "## Done\n");
            w.write(".cache/kanban-codex-exec/journal.jsonl", "{}\n");
            w.write(".cache/other", "x\n");
        },
        expected: &[".cache/other: x"],
    },
    Case {
        name: "ignored files",
        before: |w| {
            w.write(".gitignore", "target/\n*.log\n!keep.log\n/top\n");
            w.write("target/old", "one\n");
        },
        attempt: |w| {
            for name in ["target/new", "a.log", "b/c.log", "keep.log", "top", "b/top", "b/target/x"] {
                w.write(name, "x\n");
            }
        },
        expected: &["b/top: x", "keep.log: x"],
    },
    Case {
        name: "a nearer .gitignore is stronger",
        before: |w| {
            w.write(".gitignore", "*.log\nout/*\n");
            w.write("b/.gitignore", "!c.log\n");
        },
        attempt: |w| {
            for name in ["a.log", "b/c.log", "b/d.log", "out/x"] {
                w.write(name, "x\n");
            }
        },
        expected: &["b/c.log: x"],
    },
    Case {
        name: "an agent that ignores its work does not hide it",
        before: |w| w.write("src/a", "one\n"),
        attempt: |w| {
            w.write(".gitignore", "*\n");
            w.write("src/.gitignore", "/a\n");
            w.write("src/a", "two\n");
            w.write(".git/info/exclude", "*\n");
        },
        expected: &[".gitignore: *", "src/.gitignore: /a", "src/a: two"],
    },
    Case {
        name: "an agent that ignores no more does not make old files new",
        before: |w| {
            w.write(".gitignore", "old\n");
            w.write("a/.gitignore", "old\n");
            w.write("old", "one\n");
            w.write("a/old", "one\n");
        },
        attempt: |w| {
            w.write(".gitignore", "");
            w.remove("a/.gitignore");
        },
        expected: &[".gitignore: ", "a/.gitignore: -"],
    },
    Case {
        name: "hidden files and a nested repository",
        before: |w| {
            w.write("nested/a", "one\n");
            w.run("git", &["init", "-q", "nested"]);
            w.run("git", &["-C", "nested", "commit", "-q", "--allow-empty", "-m", "x"]);
            w.write("nested/.git/info/exclude", "a\n");
        },
        attempt: |w| {
            w.write(".env", "x\n");
            w.write("nested/a", "two\n");
            w.write("made/a", "x\n");
            w.run("git", &["init", "-q", "made"]);
            w.run("git", &["-C", "made", "add", "a"]);
            w.run("git", &["-C", "made", "commit", "-q", "-m", "x"]);
        },
        expected: &[".env: x", "made/a: x", "nested/a: two"],
    },
    Case {
        name: "attributes change no byte",
        before: |w| {
            w.write(".gitattributes", "* text eol=crlf ident filter=evil diff=evil working-tree-encoding=UTF-16\n");
            w.write("a", "one\r\n$Id$\n");
        },
        attempt: |w| {
            w.write(".gitattributes", "* text=auto ident filter=evil binary working-tree-encoding=UTF-16\n");
            w.write("a", "one\n$Id$\nthree\r\n");
            w.write("b/.gitattributes", "[attr]evil filter=evil\n* evil -diff\n");
            w.write("b/c", "x\r\n");
        },
        expected: &[
            ".gitattributes: * text=auto ident filter=evil binary working-tree-encoding=UTF-16",
            "a: three",
            "b/.gitattributes: [attr]evil filter=evil|* evil -diff",
            "b/c: x",
        ],
    },
    Case {
        name: "pipes are no files, nor is what follows them evidence",
        before: |w| drop(w.run("mkfifo", &["pipe"])),
        attempt: |w| {
            w.run("mkfifo", &["other", ".gitignore"]);
            w.remove("pipe");
            w.write("pipe", "x\n");
            w.write("a", "x\n");
        },
        expected: &["a: x"],
    },
    Case {
        name: "names that git refuses",
        before: NOTHING,
        attempt: |w| {
            w.write(".GIT/x", "x\n");
            w.write("a/.Git", "x\n");
            symlink("x", w.path(".gitmodules")).unwrap();
            w.write("b", "x\n");
        },
        expected: &["b: x"],
    },
    Case {
        name: "files too large for a tree, and one that was",
        before: |w| {
            w.write("shrinks", "x\n");
            fs::File::options().write(true).open(w.path("shrinks")).unwrap().set_len((64 << 20) + 1).unwrap();
        },
        attempt: |w| {
            fs::File::create(w.path("grows")).unwrap().set_len((64 << 20) + 1).unwrap();
            w.write("shrinks", "x\n");
            w.write("a", "x\n");
        },
        expected: &["a: x"],
    },
];

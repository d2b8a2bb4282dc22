//! A workspace of which git's rules leave out all that is new, as a run and the doctor say it.

use std::fs;

use kanban_codex_exec::evidence::ignores_all;

use super::world::World;

#[test]
fn a_workspace_that_git_ignores_is_known_by_what_is_in_it_and_by_new_names() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], bool); 19] = [
        // The patterns of the repository's top and of the workspace in it, what is in the workspace.
        ("",                     "",                       &[],                           false),
        ("*\n",                  "",                       &[],                           true),
        ("*\n",                  "",                       &["code.rs", "src/code.rs"],   true),
        ("*\n!.gitignore\n",     "",                       &["code.rs"],                  true),
        ("*\n!*/\n",             "",                       &["src/code.rs"],              true),
        ("*\n!*/\n!*.rs\n",      "",                       &["code.rs"],                  false),
        ("*\n!sub/src/\n",       "",                       &["src/code.rs"],              true),
        ("*\n!sub/src/\n!sub/src/**\n", "",                &["src/code.rs"],              false),
        ("*\n",                  "!*\n",                   &[],                           false),
        ("/*\n",                 "",                       &[],                           false),
        ("sub/\n",               "",                       &[],                           false),
        ("sub/*\n",              "",                       &[],                           true),
        ("*.log\nnew\n*.rs\n",   "",                       &["code.py"],                  false),
        ("",                     "*\n",                    &["src/code.rs"],              true),
        ("",                     "/*\n",                   &[],                           true),
        ("",                     "/*\n!/src/\n",           &["src/code.rs"],              false),
        ("",                     "/*\n!/board.md\n",       &["src/code.rs"],              true),
        ("",                     "**\n",                   &["src/code.rs"],              true),
        ("",                     "target/\n*.o\n",         &["target/a", "a.o"],          false),
    ];
    for (above, within, files, expected) in cases {
        let world = World::git();
        world.write("sub/board.md", "");
        for (name, text) in [(".gitignore", above), ("sub/.gitignore", within)] {
            if !text.is_empty() {
                world.write(name, text);
            }
        }
        files.iter().for_each(|file| world.write(format!("sub/{file}"), ""));
        let excluded = [world.path("sub/board.md")];
        assert_eq!(ignores_all(&world.path("sub"), &excluded), expected, "{above:?} {within:?} {files:?}");
        // Without a repository, only the workspace's own patterns hold.
        fs::remove_dir_all(world.path(".git")).unwrap();
        assert_eq!(ignores_all(&world.path("sub"), &excluded), expected && !within.is_empty(), "{above:?} {within:?}");
    }
    let world = World::git();
    world.write(".git/info/exclude", "*\n");
    assert!(ignores_all(&world.workspace, &[]));
}

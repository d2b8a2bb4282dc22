//! Where the config file is looked for, and what stands there in its place.

use std::os::unix::fs::symlink;

use super::*;

const NAME: &str = "kanban-codex-exec.yaml";

/// The board that is worked is `a/board.md`; `configs` are files of the folder where the user stands.
fn world(configs: &[(&str, &str)]) -> World {
    let world = World::new();
    fs::write(world.given.folder.join("a/board.md"), "## Todo\n").unwrap();
    for (name, text) in configs {
        fs::write(world.given.folder.join(name), text).unwrap();
    }
    world
}

#[test]
fn the_file_of_this_folder_holds_for_a_board_elsewhere_unless_it_names_another() {
    let beside = &format!("a/{NAME}");
    for (configs, model, config) in [
        (&[(NAME, "model: m\n")][..], "m", NAME),
        (&[(NAME, "source: a/board.md\nmodel: m\n")], "m", NAME),
        (&[(NAME, "source: ./b/../a/board.md\nmodel: m\n")], "m", NAME),
        (&[(NAME, "source: b/board.md\nmodel: m\n")], "gpt-5-codex", beside),
        (&[(NAME, "source: a/other.md\nmodel: m\nwrong: 1\n")], "gpt-5-codex", beside),
        (&[(NAME, "model: m\n"), (beside, "model: n\n")], "n", beside),
        (&[(NAME, "wrong: 1\n"), (beside, "source: ../b/board.md\nmodel: n\n")], "n", beside),
        (&[], "gpt-5-codex", beside),
    ] {
        // As PM2 gives it.
        let whole = |world: World| {
            let path = world.given.folder.join("a/board.md").display().to_string();
            world.env("KANBAN_SOURCE", &path)
        };
        for world in [world(configs).flag("source", "a/board.md"), whole(world(configs))] {
            let settings = world.settings();
            let seen = (settings.codex.model.as_str(), world.place(&settings.config));
            assert_eq!(seen, (model, format!("here/{config}")), "{configs:?}");
            assert_eq!(world.place(settings.source.path().unwrap()), "here/a/board.md", "{configs:?}");
        }
    }
}

#[test]
fn a_file_that_is_made_where_one_was_looked_for_does_not_hold_before_it_is_accepted() {
    let beside = &format!("a/{NAME}");
    for (configs, accepted, model) in [
        (&[(NAME, "model: m\n")][..], (NAME, None), "gpt-5-codex"),
        (&[(NAME, "model: m\n")], (NAME, Some("model: old\n")), "old"),
        (&[(NAME, "model: m\n"), (beside, "model: n\n")], (beside, None), "m"),
        (&[(NAME, "model: m\n")], (beside, Some("model: old\n")), "old"),
        (&[(NAME, "source: b/board.md\n")], (NAME, Some("model: old\n")), "old"),
    ] {
        let settings = world(configs).flag("source", "a/board.md");
        let (name, copy) = accepted;
        let path = settings.given.folder.join(name);
        let first = settings.settings();
        assert!(first.config_places.contains(&path), "{configs:?}: {:?}", first.config_places);
        let copies = BTreeMap::from([(path, copy.map(|text| text.as_bytes().to_vec()))]);
        assert_eq!(first.with_configs(copies).unwrap().codex.model, model, "{configs:?}, {accepted:?}");
    }
}

#[test]
fn what_is_no_file_or_is_called_otherwise_is_not_taken_for_none() {
    type Case = (fn(&Path), &'static str, &'static str);
    let remedy = "it holds the settings: make it a file, or remove it";
    let cases: [Case; 4] = [
        (|folder| symlink("nowhere", folder.join(NAME)).unwrap(), "NAME: is a link that leads nowhere", remedy),
        (|folder| fs::create_dir(folder.join(NAME)).unwrap(), "NAME: is a folder, not a file", remedy),
        (
            |folder| {
                rustix::fs::mknodat(rustix::fs::CWD, folder.join(NAME), rustix::fs::FileType::Fifo, 0o600.into(), 0)
                    .unwrap()
            },
            "NAME: is a pipe, not a file",
            remedy,
        ),
        (
            |folder| fs::write(folder.join("kanban-codex-exec.yml"), "model: m\n").unwrap(),
            "kanban-codex-exec.yml: is not read: the config file is called NAME",
            "rename it, or remove it",
        ),
    ];
    for (make, told, hint) in cases {
        let told = told.replace("NAME", NAME);
        let here = world(&[]);
        make(&here.given.folder);
        assert_eq!(here.problems(), (vec![told.clone()], vec![hint.to_owned()]));
        let elsewhere = here.flag("source", "a/board.md");
        assert_eq!(elsewhere.problems().0, std::slice::from_ref(&told), "for a board elsewhere");
        let beside = world(&[]).flag("source", "a/board.md");
        make(&beside.given.folder.join("a"));
        let told = format!("a/{told}");
        assert_eq!(beside.problems().0, [told], "beside the board");
    }
}

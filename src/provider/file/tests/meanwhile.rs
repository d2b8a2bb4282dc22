//! What others do between a reading and an edit.

use super::*;

#[test]
fn what_a_person_does_meanwhile_wins() {
    for known in [false, true] {
        let world = World::new(&[("a.md", "---\nid: 1\nstatus: Todo\n---\n"), ("b.md", "---\nid: 2\n---\n")]);
        let (files, id) = (world.files(""), CardId::from("1"));
        if known {
            files.read(&Wanted::default()).unwrap();
        }
        let moved = |from: &str| transition(&world, &files, &id, from, "Done", Some(&note("x")));
        world.write("a.md", "---\nid: 1\nstatus: Later\n---\nedited\n");
        assert_eq!(moved("Todo"), Applied::Elsewhere(Some(column("Later"))));
        assert_eq!(world.text("a.md"), "---\nid: 1\nstatus: Later\n---\nedited\n");
        // Another name is no other card.
        fs::rename(world.folder.path().join("a.md"), world.folder.path().join("renamed.md")).unwrap();
        assert_eq!(moved("Todo"), Applied::Elsewhere(Some(column("Later"))));
        // Nor is a file the card's whose name it had.
        world.write("a.md", "---\nid: 3\nstatus: Later\n---\n");
        assert_eq!(moved("Later"), Applied::Done { id: id.clone() });
        assert_eq!(world.text("a.md"), "---\nid: 3\nstatus: Later\n---\n");
        assert!(world.text("renamed.md").contains("status: Done"), "{}", world.text("renamed.md"));
        fs::remove_file(world.folder.path().join("renamed.md")).unwrap();
        assert_eq!(moved("Done"), Applied::Elsewhere(None));
        assert_eq!(files.update(&world.writer, &id, &column("Todo"), &note("x")).unwrap(), Applied::Elsewhere(None));
    }
}

#[test]
fn a_card_that_says_something_else_than_what_was_worked_stays() {
    for (name, text, label, told) in [
        ("", "---\nid: 1\nstatus: Todo\nlabels: [x]\n---\nText\n", "[y]", "Text\n\n## kanban-codex-exec"),
        (
            "b.json",
            "[{\"id\": \"1\", \"title\": \"T\", \"status\": \"Todo\", \"labels\": [\"x\"], \"body\": \"Text\"}]",
            "[\"y\"]",
            "{\"note\"",
        ),
    ] {
        let file = if name.is_empty() { "a.md" } else { name };
        let other = "---\nid: 2\nstatus: Todo\n---\n";
        let world = World::new(&[(file, text), ("b.md", other)]);
        let files = world.files(name);
        let card = files.read(&Wanted::default()).unwrap().card(&CardId::from("1")).unwrap().clone();
        let moved = |to: &str| files.transition(&world.writer, &card, &column(to), Some(&note("x"))).unwrap();
        let old = label.replace('y', "x");
        for edited in [text.replace("Text", "Text and more"), text.replace(&old, label)] {
            world.write(file, &edited);
            assert_eq!((moved("Done"), moved("Todo")), (Applied::Reworded, Applied::Reworded), "{edited}");
            assert_eq!(world.text(file), edited);
        }
        // What the program wrote on it itself is none of what it says, nor is another card.
        world.write(file, text);
        world.write("b.md", &other.replace("2\n", "2\ntitle: other\n"));
        assert_eq!(moved("Todo"), Applied::Done { id: card.id.clone() }, "{text}");
        assert!(world.text(file).contains(told), "{}", world.text(file));
        assert_eq!((moved("Done"), moved("Done")), (Applied::Done { id: card.id.clone() }, Applied::Already), "{text}");
    }
}

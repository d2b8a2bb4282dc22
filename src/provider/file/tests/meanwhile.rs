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
        let moved = |from: &str| {
            files.transition(&world.writer, &id, &column(from), &column("Done"), Some(&note("x"))).unwrap()
        };
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

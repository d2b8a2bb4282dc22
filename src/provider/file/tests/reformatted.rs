//! The program's own note, as other programs write it anew: it is found, and replaced with no other line changed.

use super::*;

/// Spellings of a note behind the colon of its key, in a card whose keys are indented by two. What stands behind `§` is no
/// part of it.
const NOTES: [&str; 20] = [
    // PyYAML, yq.
    "\n    note: failed\n    state:\n      v: 1\n      failed:\n      - done",
    "\n    note: failed\n    state:\n      failed:\n        - done\n      v: 1",
    "\n    state:\n      v: 1\n      failed:\n        - done\n    note: failed",
    // ruamel.yaml, prettier.
    "\n    note: >-\n      failed\n    state:\n      v: 1\n      failed:\n        - \"done\"§ # why\n        # and this",
    "\n    state:\n      v: 1\n      failed:\n        - done\n    note: >-\n      failed",
    "\n    state:\n      v: 1\n      failed:\n        - done\n    note: |-\n\n      failed\n\n      twice",
    "\n    state:\n      v: 1\n      failed:\n        - done\n    note: |+\n      failed§\n\n",
    "\n    state:\n      v: 1\n      failed:\n        - done\n    note: failed\n      over\n\n      lines",
    "\n    state:\n      failed:\n        - - done\n          - a: b\n        - >-\n          text",
    "\n    note: failed\n    state: { v: 1, failed: [done] }",
    "\n    note: failed\n    state:\n      v: 1\n      failed: []",
    "\n    note: failed\n    state:\n      v: 1\n      failed:",
    "\n    note: failed\n    state:\n      failed:\n        - done\n        -",
    "\n    {\n      \"note\": \"failed\",\n      \"state\": { \"v\": 1, \"failed\": [\"done\"] },\n    }",
    "\n    { \"note\": \"failed\", \"state\": { \"v\": 1, \"failed\": [\"done\", ], }, }",
    " { \"note\": \"failed\", \"state\": { \"v\": 1, \"failed\": [\"done\"] }, }§ # }",
    " {\n    \"note\": \"failed\", # }\n    \"state\": { \"v\": 1, \"failed\": [\"done\"] } # }\n    # }\n  }",
    " failed§ # why",
    "",
    "§ # nothing",
];

#[test]
fn a_note_that_another_program_wrote_anew_is_replaced_and_nothing_else() {
    for (before, after) in [
        ("- id: a\n  title: A\n  status: Todo\n", "\n  notes: n\n- id: b\n  title: B\n  status: Done\n"),
        ("tasks:\n- id: a\n  title: A\n  status: Todo\n", "\n\n# next\n- id: b\n  title: B\n  status: Done\n"),
        ("- id: b\n  title: B\n  status: Done\n- id: a\n  title: A\n  status: Todo\n", "\n\n  # mine\n"),
        ("- id: a\n  title: A\n  status: Todo\n", "\n"),
        ("- id: a\n  title: A\n  status: Todo\n", ""),
    ] {
        for (spelling, eol) in NOTES.iter().flat_map(|note| [(note, "\n"), (note, "\r\n")]) {
            let (old, rest) = spelling.split_once('§').unwrap_or((spelling, ""));
            let text = format!("{before}  kanban-codex-exec:{old}{rest}{after}").replace('\n', eol);
            let world = World::new(&[("b.yaml", &text)]);
            let id = CardId::from("a");
            let moved = transition(&world, &world.files("b.yaml"), &id, "Todo", "Done", Some(&note("passed")));
            assert_eq!(moved, Applied::Done { id }, "{text}");
            let before = before.replace("A\n  status: Todo", "A\n  status: Done");
            let gap = if old.is_empty() { " " } else { &old[..old.len() - old.trim_start().len()] };
            let own = "{\"note\":\"passed\",\"state\":{\"said\":\"passed\"}}";
            let expected = format!("{before}  kanban-codex-exec:{gap}{own}{rest}{after}").replace('\n', eol);
            assert_eq!(world.text("b.yaml"), expected, "{text}");
        }
    }
}

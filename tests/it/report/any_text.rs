//! Whatever people write, it stays text.

use kanban_codex_exec::report::story::Story;
use kanban_codex_exec::report::{html, junit, markdown};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{named, parsed, text};

/// One card with `word` wherever a text comes from somebody else.
fn story(word: &str) -> Value {
    let test = json!({
        "id": word, "text": word, "passed": false, "counts": true, "evidence": format!("{word}:1: {word}"), "tail": word,
    });
    let patch = format!("diff --git s/{word} d/{word}\n--- s/{word}\n+++ d/{word}\n@@ -1 +1 @@\n-{word}\n+{word}\n");
    let attempt = json!({
        "id": "KB-1.1", "column": word, "number": 1, "limit": 3, "started": "2026-01-31T22:04:05Z", "seconds": 1.5,
        "tokens": 12, "fate": "failed", "reason": word, "verdict": "fail", "required": 1, "tests": [test],
        "takenBack": {"files": 1, "left": [{"path": word, "reason": word}], "restore": word},
        "patch": {"text": patch, "leftOut": 7},
    });
    let ranked = json!({
        "rank": 1, "id": word, "text": word, "similarity": 0.5, "score": 0.5, "penalty": 0.0, "named": false,
        "blocked": word, "words": [word],
    });
    let happening =
        |what: &str| json!({"at": "2026-01-31T22:04:06Z", "what": what, "from": word, "to": word, "reason": word});
    let card = json!({
        "id": word, "title": word, "column": word, "line": 3, "labels": [word], "fate": "failed", "reason": word,
        "next": {"verdict": "ready", "reason": word},
        "selection": {"column": word, "require": 1, "threshold": 0.2, "tests": [ranked]},
        "attempts": [attempt],
        "happenings": [happening("bounced"), happening("vetoed"), happening("moved_by_person")],
    });
    json!({
        "version": 1, "source": word, "since": null, "until": null, "notices": [word],
        "totals": {
            "cards": 1, "promoted": 0, "bounced": 1, "unverified": 0, "failed": 0, "attempts": 1, "tokens": 12,
            "untold": 0, "seconds": 1.5,
        },
        "columns": [{"name": word, "worked": true}],
        "ways": [{"from": word, "to": word, "on": "fail", "ruled": true, "moves": 1}],
        "cards": [card],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_told_as_it_is_or_written_out(word in r#"(?s)([<>&"'|`\\@#\]\[!:*_~$/-]|[\x00-\x20]|\PC|.){0,12}"#) {
        let story = Story::for_people(story(&word)).unwrap();
        let title = story.cards[0].title.clone();
        let page = html::page(&story);
        let page = parsed(&page);
        let shown = named(&page, "h3").last().map(text);
        prop_assert_eq!(shown.as_deref(), Some(title.as_str()));
        prop_assert!(named(&page, "script").is_empty());
        let results = junit::document(&story);
        let results = parsed(&results);
        prop_assert_eq!(named(&results, "failure").len(), 2);
        let told = named(&results, "failure").last().map(text);
        prop_assert_eq!(told.as_deref(), Some(title.as_str()));
        let summary = markdown::page(&story);
        let row = summary.lines().find(|line| line.contains(" | failed | "));
        prop_assert!(row.is_some_and(|row| row.starts_with("| ") && row.ends_with(" |")), "{}", summary);
    }
}

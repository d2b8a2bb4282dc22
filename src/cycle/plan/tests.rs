use super::ready::waits;
use super::*;
use crate::provider::markdown::parse::{Mode, parse};
use crate::rules::Rules;

fn key(board: &str, prompt: &str, column: &str) -> CacheKey {
    let board = parse(board, Mode::Board).unwrap().board();
    let card = &board.cards[0];
    cache_key(&CardId("kb-1".into()), &Column::from(column), &prompt::hash(prompt, &card.body))
}

#[test]
fn a_card_waits_for_those_that_it_names_until_they_are_done() {
    let board =
        "## Done\n\n- [ ] A ^a\n\n## Work\n\n- [ ] B ^b\n\n## closed\n\n- [ ] C ^c\n\n## Shipped\n\n- [ ] D ^d\n";
    let board = parse(board, Mode::Board).unwrap().board();
    let rules = |columns: &[&str]| {
        let columns = columns.iter().map(|name| (Column((*name).into()), Rule::default())).collect();
        Rules { columns, ..Rules::default() }
    };
    for (worked, dependencies, reason) in [
        (&["Work"][..], &["a", "c", "d"][..], None),
        (&["Work"], &[], None),
        (&["Work"], &["a", "b"], Some("it depends on b, which stands in Work")),
        (&[], &["b"], Some("it depends on b, which stands in Work")),
        (&["Work"], &["x"], Some("it depends on x, which is not on the board")),
        // A column with a rule is no end.
        (&["Done"], &["a"], Some("it depends on a, which stands in Done")),
        (&["Shipped"], &["d"], Some("it depends on d, which stands in Shipped")),
    ] {
        let mut card = board.cards[0].clone();
        card.dependencies = dependencies.iter().map(|id| CardId((*id).into())).collect();
        assert_eq!(waits(&card, &board, &rules(worked)).as_deref(), reason, "{worked:?} {dependencies:?}");
    }
}

#[test]
fn a_column_that_failures_lead_to_is_no_end_but_by_its_name() {
    let work = |fail: Option<&str>, exhausted: Option<&str>| Rule {
        on_pass: Some("Done".into()),
        on_fail: fail.map(Column::from),
        on_exhausted: exhausted.map(Column::from),
        ..Rule::default()
    };
    for (last, rule, is_done) in [
        ("Blocked", work(Some("Blocked"), None), false),
        ("Blocked", work(None, Some("Blocked")), false),
        ("Shipped", work(Some("Todo"), None), true),
        ("Shipped", work(None, None), true),
        ("Closed", work(Some("Closed"), Some("Closed")), true),
    ] {
        let board = parse(&format!("## Todo\n\n- [ ] A ^a\n\n## {last}\n\n- [ ] B ^b\n"), Mode::Board).unwrap().board();
        let rules = Rules { columns: [("Todo".into(), rule.clone())].into(), ..Rules::default() };
        let mut card = board.cards[0].clone();
        card.dependencies = vec!["b".into()];
        let reason = (!is_done).then(|| format!("it depends on b, which stands in {last}"));
        assert_eq!(waits(&card, &board, &rules), reason, "{last} {rule:?}");
    }
}

/// What the rules and names say of other columns goes before the place of the last one.
#[test]
fn the_last_column_is_an_end_only_where_nothing_says_otherwise() {
    for (columns, pass, is_done) in [
        (&["Todo", "Shipped"][..], "Shipped", true),
        (&["Todo", "Verification", "Erledigt"], "Verification", true),
        // By its name, unless a pass leads there.
        (&["Todo", "Live", "Icebox"], "Live", false),
        (&["Todo", "Live", "❄ Icebox"], "Live", false),
        (&["Todo", "Live", "Cancelled"], "Live", false),
        (&["Todo", "Live", "Backlog"], "Live", false),
        (&["Todo", "Live", "Blocked"], "Live", false),
        (&["Todo", "Live", "Won't do"], "Live", false),
        (&["Todo", "Live", "Backlog"], "Backlog", true),
        // A pass leads to one that is called done.
        (&["Todo", "Done", "Verworfen"], "Done", false),
        (&["Todo", "Done", "Archive"], "Review", true),
        // That one counts itself.
        (&["Todo", "Icebox", "Done"], "Done", true),
    ] {
        let last = columns[columns.len() - 1];
        let headings: Vec<String> = columns.iter().map(|column| format!("## {column}\n\n")).collect();
        let board = parse(&format!("{}- [ ] A ^a\n", headings.concat()), Mode::Board).unwrap().board();
        let rule = Rule { on_pass: Some(pass.into()), ..Rule::default() };
        let rules = Rules { columns: [("Todo".into(), rule)].into(), ..Rules::default() };
        let mut card = board.cards[0].clone();
        card.dependencies = vec!["a".into()];
        let reason = (!is_done).then(|| format!("it depends on a, which stands in {last}"));
        assert_eq!(waits(&card, &board, &rules), reason, "{columns:?} {pass}");
    }
}

const CARD: &str = "## A\n\n- [ ] Add a page\n\twith a title\n\n## B\n";

#[test]
fn the_cache_key_is_the_card_its_column_the_columns_prompt_and_the_body() {
    let base = key(CARD, "Do it.", "A");
    for (what, other) in [
        ("body", key(&CARD.replace("a title", "two titles"), "Do it.", "A")),
        ("title", key(&CARD.replace("Add", "Remove"), "Do it.", "A")),
        ("prompt", key(CARD, "Review it.", "A")),
        ("column", key(CARD, "Do it.", "B")),
    ] {
        assert_ne!(base, other, "another {what} is other work");
    }
    let other =
        cache_key(&CardId("kb-2".into()), &Column::from("A"), &prompt::hash("Do it.", "Add a page\nwith a title"));
    assert_ne!(base, other, "another card is other work");
}

#[test]
fn what_the_program_or_the_boards_format_writes_is_not_in_the_cache_key() {
    let base = key(CARD, "Do it.", "A");
    let state = "\t- kanban-codex-exec: failed\n\t<!-- kanban-codex-exec {\"v\":1} -->\n";
    for (what, board) in [
        ("stamp", CARD.replace("Add a page", "Add a page ^kb-1a2b3c4d")),
        ("checkbox", CARD.replace("[ ]", "[x]")),
        ("bullet", CARD.replace("- [ ]", "* [ ]")),
        ("indent", CARD.replace("\twith", "    with")),
        ("line ends", CARD.replace('\n', "\r\n")),
        ("state block", CARD.replace("a title\n", &format!("a title\n{state}"))),
    ] {
        assert_eq!(base, key(&board, "Do it.", "A"), "{what}");
    }
}

#[test]
fn hashed_parts_are_told_apart() {
    assert_ne!(hex(&["ab", "c"]), hex(&["a", "bc"]));
}

#[test]
fn an_attempts_name_is_a_safe_folder_of_its_own() {
    let name = |id: &str| attempt_id(&CardId::from(id), 2).0;
    assert_eq!(name("kb-1a2b3c4d"), "kb-1a2b3c4d.2");
    assert_ne!(name("a/b"), name("a-b"));
    for id in ["../../etc", "a/b", "ü", "a b", &"x".repeat(300)] {
        let name = name(id);
        assert!(name.len() < 60 && !name.starts_with('.') && !name.contains('/'), "{name}");
    }
}

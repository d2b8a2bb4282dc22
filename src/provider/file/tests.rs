#![expect(clippy::disallowed_methods, reason = "the tests write boards as other programs do")]

mod meanwhile;
mod reformatted;

use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::board::{CardContent, Refused};
use crate::failure::Failure;
use crate::provider::Wanted;

/// A board of these files, and the right to write it.
struct World {
    folder: tempfile::TempDir,
    writer: Writer,
}

impl World {
    fn new(files: &[(&str, &str)]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::within(folder.path());
        let world = World { folder, writer };
        files.iter().for_each(|(name, text)| world.write(name, text));
        world
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The board in the folder, or in this file of it.
    fn files(&self, name: &str) -> Files {
        Files::new(&self.folder.path().join(name), &Keys::default())
    }

    fn board(&self, name: &str) -> Arc<Board> {
        self.files(name).read(&Wanted::default()).unwrap()
    }
}

/// `A in Todo`, in board order.
fn places(board: &Board) -> Vec<String> {
    board.cards.iter().map(|card| format!("{} in {}", card.id, card.status)).collect()
}

fn column(name: &str) -> Column {
    Column::from(name)
}

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), data: json!({"said": text}) }
}

/// Moves the card, which says what was worked, from one column to another.
fn transition(world: &World, files: &Files, id: &CardId, from: &str, to: &str, note: Option<&Note>) -> Applied {
    // Another reader: what an edit knows of the board stays as it is.
    let board = Files::new(&files.source, &files.keys).read(&Wanted::default()).unwrap();
    let content = board.card(id).map_or_else(|| Arc::new(gone(id)), |card| card.content.clone());
    let card = Card { content, ..Card::new(gone(id), column(from)) };
    files.transition(&world.writer, &card, &column(to), note).unwrap()
}

fn gone(id: &CardId) -> CardContent {
    let (id, title, body) = (id.clone(), String::new(), String::new());
    CardContent { id, title, body, state: None, labels: Vec::new(), dependencies: Vec::new(), stamped: true }
}

const CONFIG: &str = "project_name: x\nstatuses: [\"To Do\", \"In Progress\", Done]\ntask_prefix: \"task\"\n";

fn task(id: &str, more: &str) -> String {
    format!("---\nid: {id}\ntitle: Title of {id}\nstatus: To Do\n{more}---\n\n## Description\n\nWork.\n")
}

#[test]
fn the_layout_of_backlog_md_is_read_as_it_is() {
    let world = World::new(&[
        ("config.yml", CONFIG),
        (
            "tasks/task-1 - a.md",
            &task("TASK-1", "labels: [api, '#slow']\ndependencies:\n  - task-02\n  - TASK-3\nordinal: 2000\n"),
        ),
        ("tasks/task-2 - b.md", &task("TASK-2", "ordinal: 1000\n").replace("To Do", "to do")),
        ("tasks/task-10 - c.md", &task("TASK-10", "priority: low\n")),
        ("tasks/task-9 - d.md", &task("TASK-9", "")),
        ("tasks/task-4 - e.md", &task("TASK-4", "priority: high\n").replace("To Do", "Waiting")),
        ("tasks/readme.md", "no task\n"),
        ("completed/task-3 - f.md", &task("TASK-3", "").replace("To Do", "Done")),
        ("drafts/draft-1 - g.md", &task("DRAFT-1", "")),
        ("archive/tasks/task-5 - h.md", &task("TASK-5", "")),
    ]);
    let board = world.board("");
    assert_eq!(board.columns, ["To Do", "In Progress", "Done", "Waiting"].map(column));
    assert_eq!(
        places(&board),
        ["TASK-2 in To Do", "TASK-1 in To Do", "TASK-4 in Waiting", "TASK-10 in To Do", "TASK-9 in To Do"]
    );
    assert_eq!(board.refused, []);
    let card = board.card(&CardId("TASK-1".into())).unwrap();
    assert_eq!((&*card.title, &*card.body), ("Title of TASK-1", "Title of TASK-1\n\n## Description\n\nWork."));
    assert_eq!(card.labels[..], ["api", "slow"]);
    assert_eq!(
        card.dependencies,
        [CardId("TASK-2".into())],
        "as it is spelt on the board, and without what is completed"
    );
    assert_eq!((card.line, card.stamped, card.metadata["file"].as_str()), (2, true, "tasks/task-1 - a.md"));
}

#[test]
fn the_configuration_of_a_folder_of_another_name_lies_beside_it() {
    let world = World::new(&[("backlog.config.yml", CONFIG), ("custom/tasks/task-1.md", &task("TASK-1", ""))]);
    let board = world.board("custom");
    assert_eq!(board.columns, ["To Do", "In Progress", "Done"].map(column));
    assert_eq!(places(&board), ["TASK-1 in To Do"]);
}

#[test]
fn a_folder_without_configuration_has_the_columns_of_the_rules_and_of_its_cards() {
    let card = |uuid, status| {
        format!("---\nuuid: \"{uuid}\"\ntitle: \"T {uuid}\"\nstatus: \"{status}\"\nlabels: [\"a\", \"b\"]\n---\nText\n")
    };
    let world = World::new(&[("a.md", &card("u-1", "incoming")), ("b.md", &card("u-2", "todo")), ("notes.txt", "x")]);
    let board = world.board("");
    assert_eq!(board.columns, []);
    assert_eq!(places(&board), ["u-1 in incoming", "u-2 in todo"]);
    let board = board.arranged(&["todo", "review", "done"].map(column));
    assert_eq!(board.columns, ["todo", "review", "done", "incoming"].map(column));
}

const JSON: &str = "{\n  \"columns\": [\"Todo\", \"Done\"],\n  \"tasks\": [\n    {\n      \"id\": 7,\n      \"title\": \"First \\ud83d\\ude00\",\n      \"description\": \"Do it.\",\n      \"details\": [\"a\", \"b\"],\n      \"status\": \"Todo\",\n      \"blockedBy\": [8]\n    },\n    { \"id\": 8, \"title\": \"Second\", \"status\":\"Todo\", \"tags\": [\"api\"], \"order\": 1 }\n  ]\n}";
const YAML: &str = "# mine\ncolumns: [Todo, Done]\ntasks:\n  - id: a\n    title: First   # said so\n    status: 'Todo'\n    details: |\n      line\n      line\n  - {id: b, title: Second, status: \"Todo\"}\n  - title: Third\n    status: Todo\n";
const LINES: &str = "\n{\"id\":\"a\",\"title\":\"First\",\"status\":\"Todo\"}\r\n{\"status\":\"Done\", \"name\": \"Second\", \"uuid\": \"b\"}";

#[test]
fn one_file_holds_a_whole_board() {
    for (name, text, columns, expected) in [
        ("b.json", JSON, &["Todo", "Done"][..], &["8 in Todo", "7 in Todo"][..]),
        ("b.yaml", YAML, &["Todo", "Done"], &["a in Todo", "b in Todo", "kb-7589027b in Todo"]),
        ("b.jsonl", LINES, &[], &["a in Todo", "b in Done"]),
        ("l.json", "[{\"id\": 1, \"title\": \"x\", \"status\": \"A\"}]", &[], &["1 in A"]),
        ("c.yml", "cards:\n- {id: 1, title: x, status: A}\n", &[], &["1 in A"]),
    ] {
        let board = World::new(&[(name, text)]).board(name);
        assert_eq!(board.columns.iter().map(|column| &*column.0).collect::<Vec<_>>(), columns, "{name}");
        assert_eq!(places(&board), expected, "{name}");
        assert_eq!(board.refused, [], "{name}");
    }
    let board = World::new(&[("b.json", JSON)]).board("b.json");
    let card = board.card(&CardId::from("7")).unwrap();
    assert_eq!((&*card.body, &card.dependencies[..]), ("First 😀\n\nDo it.\n\n- a\n- b", &[CardId::from("8")][..]));
    assert_eq!(card.line, 4);
    assert_eq!(board.card(&CardId::from("8")).unwrap().labels[..], ["api"]);
    assert_eq!(World::new(&[("b.yaml", YAML)]).board("b.yaml").cards[0].body[..], *"First\n\nline\nline");
}

#[test]
fn a_move_changes_the_value_of_the_status_and_nothing_else() {
    let cases = [
        (
            "a.md",
            "---\nid: 1 # own\nstatus: Todo  # here\ntitle: x\n---\nb",
            "Todo  #",
            "In Progress  #",
            "In Progress",
        ),
        (
            "a.md",
            "\u{feff}---\r\nstatus: \"Todo\"\r\nid: 1\r\ntitle: x\r\n---\r\n",
            "\"Todo\"",
            "\"A \\\"b\\\"\"",
            "A \"b\"",
        ),
        ("a.md", "---\nstatus: 'Todo'\nid: 1\n---\n", "'Todo'", "'it''s'", "it's"),
        ("a.md", "---\nstatus: Todo\nid: 1\n---\n", "Todo", "'Needs: Specs #1'", "Needs: Specs #1"),
        ("a.md", "---\nstatus: Todo\nid: 1\n---\n", "Todo", "'12'", "12"),
        ("b.json", JSON, "\"status\": \"Todo\"", "\"status\": \"Done\"", "Done"),
        ("b.yaml", YAML, "'Todo'", "'Done'", "Done"),
        ("b.jsonl", LINES, "\"Todo\"", "\"Nächste\"", "Nächste"),
    ];
    for (name, text, old, new, to) in cases {
        let world = World::new(&[(name, text)]);
        let files = world.files(if name == "a.md" { "" } else { name });
        let id = ["1", "7", "a"]
            .map(CardId::from)
            .into_iter()
            .find(|id| files.read(&Wanted::default()).unwrap().card(id).is_some());
        let id = id.unwrap();
        let moved = transition(&world, &files, &id, "Todo", to, None);
        assert_eq!(moved, Applied::Done { id: id.clone() }, "{text}");
        assert_eq!(world.text(name), text.replacen(old, new, 1), "{text}");
        assert_eq!(files.read(&Wanted::default()).unwrap().card(&id).unwrap().status, column(to));
        let again = transition(&world, &files, &id, "Todo", to, None);
        assert_eq!(again, Applied::Already, "{text}");
        transition(&world, &files, &id, to, "Todo", None);
        let same_quotes = to == "Needs: Specs #1" || to == "12";
        let back = if same_quotes { text.replacen("Todo", "'Todo'", 1) } else { text.to_owned() };
        assert_eq!(world.text(name), back, "there and back");
    }
}

#[test]
fn the_date_of_a_backlog_md_task_is_kept_as_its_own_program_keeps_it() {
    let world = World::new(&[
        ("tasks/task-1.md", &task("TASK-1", "created_date: '2020-01-01 10:00'\nlabels: []\n")),
        ("tasks/task-2.md", &task("TASK-2", "created_date: '2020-01-01'\nupdated_date: \"2020-02-02\" # x\n")),
    ]);
    let now = jiff::Timestamp::now().strftime("%Y-%m-").to_string();
    for id in ["TASK-1", "TASK-2"] {
        let id = CardId::from(id);
        transition(&world, &world.files(""), &id, "To Do", "Done", None);
    }
    assert!(world.text("tasks/task-1.md").contains(&format!("created_date: '2020-01-01 10:00'\nupdated_date: '{now}")));
    let second = world.text("tasks/task-2.md");
    assert!(second.contains(&format!("updated_date: '{now}")) && second.contains("' # x\n"), "{second}");
}

#[test]
fn a_note_stands_where_people_see_it_comes_back_as_state_and_is_no_part_of_the_card() {
    for (name, text, id, seen) in [
        (
            "a.md",
            "---\nid: 1\nstatus: Todo\ntitle: x\n---\nb",
            "1",
            "b\n\n## kanban-codex-exec\n\n- kanban-codex-exec: failed: \\[no]\n<!-- kanban-codex-exec {",
        ),
        (
            "b.json",
            JSON,
            "7",
            "\"status\": \"Todo\",\n      \"kanban-codex-exec\": {\"note\":\"failed: [no]\",\"state\":{\"said\":\"failed: [no]\"}},\n      \"blockedBy\"",
        ),
        ("b.json", JSON, "8", "\"status\":\"Todo\", \"kanban-codex-exec\":{\"note\""),
        ("b.yaml", YAML, "a", "    status: 'Todo'\n    kanban-codex-exec: {\"note\":\"failed: [no]\","),
        ("b.yaml", YAML, "b", "status: \"Todo\", kanban-codex-exec: {\"note\""),
        ("b.jsonl", LINES, "a", "\"status\":\"Todo\", \"kanban-codex-exec\":{\"note\""),
    ] {
        let world = World::new(&[(name, text)]);
        let files = world.files(if name == "a.md" { "" } else { name });
        let (id, todo) = (CardId::from(id), column("Todo"));
        let before = files.read(&Wanted::default()).unwrap();
        let first = note("failed: [no]");
        assert_eq!(
            files.update(&world.writer, &id, &todo, &first).unwrap(),
            Applied::Done { id: id.clone() },
            "{text}"
        );
        assert!(world.text(name).contains(seen), "{seen}\n{}", world.text(name));
        assert_eq!(files.update(&world.writer, &id, &todo, &first).unwrap(), Applied::Already, "{text}");
        let once = world.text(name);
        transition(&world, &files, &id, "Todo", "Done", Some(&note("passed\u{7f}\u{2028}")));
        let after = files.read(&Wanted::default()).unwrap();
        let (was, is) = (before.card(&id).unwrap(), after.card(&id).unwrap());
        assert_eq!((&is.body, &is.labels, &*is.status.0), (&was.body, &was.labels, "Done"));
        assert_eq!(is.state.as_ref(), Some(&json!({"said": "passed\u{7f}\u{2028}"})), "{}", world.text(name));
        // In place, whatever stood there.
        transition(&world, &files, &id, "Done", "Todo", Some(&first));
        assert_eq!(world.text(name), once);
        let others = |board: &Board| {
            board
                .cards
                .iter()
                .filter(|card| card.id != id)
                .map(|card| Card { line: 0, ..card.clone() })
                .collect::<Vec<_>>()
        };
        assert_eq!(others(&before), others(&files.read(&Wanted::default()).unwrap()));
    }
}

#[test]
fn another_program_may_have_written_the_state_anew() {
    let text = "- id: a\n  title: x\n  status: Todo\n  kanban-codex-exec:\n    note: n\n    state:\n      said: [1, null, true]\n  tags: [t]\n";
    let world = World::new(&[("b.yaml", text)]);
    let files = world.files("b.yaml");
    assert_eq!(
        files.read(&Wanted::default()).unwrap().cards[0].state.as_ref(),
        Some(&json!({"said": [1, null, true]}))
    );
    files.update(&world.writer, &CardId::from("a"), &column("Todo"), &note("m")).unwrap();
    let board = files.read(&Wanted::default()).unwrap();
    assert_eq!(
        (board.cards[0].state.as_ref(), &board.cards[0].labels[..]),
        (Some(&json!({"said": "m"})), &["t".to_owned()][..])
    );
    assert_eq!(world.text("b.yaml").lines().count(), 6, "{}", world.text("b.yaml"));
}

#[test]
fn what_has_no_id_gets_one_when_it_is_claimed_and_keeps_it() {
    for (name, text, stamped) in [
        ("a b.md", "---\nstatus: Todo # x\ntitle: T\n---\n", "---\nstatus: Todo # x\nid: kb-ID\ntitle: T\n---\n"),
        (
            "b.json",
            "[{\"title\": \"T\", \"status\": \"Todo\"}]",
            "[{\"title\": \"T\", \"status\": \"Todo\", \"id\": \"kb-ID\"}]",
        ),
        ("b.yaml", "- status: Todo\n  title: T", "- status: Todo\n  id: kb-ID\n  title: T"),
        ("c.md", "---\nid:  # none yet\nstatus: Todo\n---\n", "---\nid: kb-ID  # none yet\nstatus: Todo\n---\n"),
        ("b.yaml", "- title: T\n  status: Todo", "- title: T\n  status: Todo\n  id: kb-ID"),
    ] {
        let world = World::new(&[(name, text)]);
        let files = world.files(if name.ends_with(".md") { "" } else { name });
        let card = files.read(&Wanted::default()).unwrap().cards[0].clone();
        assert!(!card.stamped && card.id.0.starts_with("kb-"), "{card:?}");
        assert_eq!(files.claim(&world.writer, &card).unwrap(), Applied::Done { id: card.id.clone() });
        assert_eq!(world.text(name), stamped.replace("kb-ID", &card.id.0));
        let after = files.read(&Wanted::default()).unwrap().cards[0].clone();
        assert_eq!((&after.id, after.stamped, &after.body), (&card.id, true, &card.body));
        assert_eq!(files.claim(&world.writer, &after).unwrap(), Applied::Already);
    }
}

#[test]
fn what_cannot_be_a_card_is_refused_with_its_place_and_the_others_run() {
    let world = World::new(&[
        ("a.md", "# No front matter\n"),
        ("b.md", "---\nid: b\ntitle: a: b\nstatus: Todo\n---\n"),
        ("c.md", "---\nid: c\ntitle: c\n---\n"),
        ("d.md", "---\nid: d\ntitle: d\n"),
        ("e.md", "---\nid: e\nstatus: Todo\nstatus: Done\n---\n"),
        ("f.md", "---\nid: F-1\nstatus: Todo\n---\n"),
        ("g.md", "---\ntitle: g\n\nid: f-01\nstatus: Todo\n---\n"),
        ("h.md", "---\nid: h\nstatus: Todo\n---\n"),
    ]);
    fs::write(world.folder.path().join("i.md"), b"---\nid: \xff\n---\n").unwrap();
    let board = world.board("");
    assert_eq!(places(&board), ["h in Todo"]);
    let refused: Vec<String> = board.refused.iter().map(Refused::to_string).collect();
    let expected = [
        ("a.md:1: ", "no front matter: a card begins with `---`"),
        ("b.md:3: ", "not valid YAML"),
        ("c.md:2: ", "a card without `status`"),
        ("d.md:1: ", "the front matter has no end"),
        ("e.md:4: ", "the key `status` stands twice"),
        ("i.md:2: ", "not UTF-8"),
        ("f.md:2: ", "the id F-1 stands several times, at f.md:2 and g.md:2"),
        ("g.md:2: ", "the id f-01 stands several times, at f.md:2 and g.md:2"),
    ];
    assert_eq!(refused.len(), expected.len(), "{refused:#?}");
    for (refused, (place, reason)) in refused.iter().zip(expected) {
        assert!(refused.starts_with(place) && refused.contains(reason), "{refused}");
    }
    let id = CardId("F-1".into());
    let applied = transition(&world, &world.files(""), &id, "Todo", "Done", None);
    assert!(matches!(applied, Applied::Refused(reason) if reason.contains("f.md:2 and g.md:2")));
}

#[test]
fn in_one_file_cards_are_refused_by_line_and_the_file_as_a_whole() {
    let text = "[\n {\"id\": 1, \"title\": \"a\", \"status\": \"Todo\"},\n {\"id\": 2, \"title\": \"b\"},\n {\"title\": \"c\", \"status\": \"x\"},\n {\"title\": \"c\", \"status\": \"x\"},\n 7\n]";
    let board = World::new(&[("b.json", text)]).board("b.json");
    assert_eq!(places(&board), ["1 in Todo"]);
    let refused: Vec<String> = board.refused.iter().map(Refused::to_string).collect();
    for (refused, expected) in refused.iter().zip([
        "line [3]: a card without `status`",
        "line [6]: a card is a mapping",
        "c (line [4]): several cards have this title and no id, at line 4 and line 5",
        "c (line [5]): several cards have this title and no id",
    ]) {
        assert!(refused.starts_with(expected), "{refused}");
    }
    let board = World::new(&[("b.jsonl", "{\"id\": 1, \"title\": \"a\", \"status\": \"Todo\"}\n{\n")]).board("b.jsonl");
    assert_eq!(places(&board), ["1 in Todo"]);
    assert!(board.refused[0].to_string().starts_with("line [2]: not valid JSON"), "a line that is being written");
    for (name, text, expected) in [
        ("b.json", "[\n  {\"id\": 1,}\n]", "b.json:2: not valid JSON: key must be a string"),
        ("b.yaml", "tasks: 1\n", "b.yaml:1: a list of tasks is expected"),
        ("b.toml", "", "b.toml: the file provider reads"),
    ] {
        let error = World::new(&[(name, text)])
            .files(name)
            .read(&Wanted::default())
            .unwrap_err()
            .downcast::<Failure>()
            .unwrap();
        assert!(error.error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind.code(), 2);
    }
}

#[test]
fn keys_can_have_other_names() {
    let world = World::new(&[(
        "b.json",
        "[{\"key\": \"K-1\", \"summary\": \"S\", \"state\": \"Open\", \"why\": \"w\", \"what\": \"x\"}]",
    )]);
    let keys = ["id=key", "title=summary", "status=state", "body=what", "body=why"].map(str::to_owned);
    let files = Files::new(&world.folder.path().join("b.json"), &Keys::new(&keys).unwrap());
    let card = files.read(&Wanted::default()).unwrap().cards[0].clone();
    assert_eq!((&*card.id.0, &*card.body), ("K-1", "S\n\nw\n\nx"));
    files.transition(&world.writer, &card, &column("Shut"), None).unwrap();
    assert!(world.text("b.json").contains("\"state\": \"Shut\""));
}

/// A file of each kind with cards of any texts, columns and layouts.
fn boards() -> impl Strategy<Value = (&'static str, String)> {
    let word = prop::sample::select(vec![
        "Todo",
        "In Progress",
        "'Needs: it'",
        "\"a\\\"b\"",
        "Done # not a column",
        "日本",
        "'12'",
    ]);
    let title = prop::sample::select(vec!["x", "'it''s'", "\"q\"", "für 日本  # why", ">-\n    folded\n    text"]);
    let eol = prop::sample::select(vec!["\n", "\r\n"]);
    let card = (word, title, any::<bool>(), any::<bool>());
    (prop::collection::vec(card, 1..5), eol, any::<bool>(), any::<bool>(), 0..4_u8).prop_map(
        |(cards, eol, bom, ended, kind)| {
            let json = |(at, (word, _, first, space)): (usize, (&str, &str, bool, bool))| {
                let status = format!("\"status\"{}{}", if space { " : " } else { ":" }, serde_json::Value::from(word));
                let id = format!("\"id\": {at}, \"title\": \"T \\u00e9 \\/ {at}\"");
                if first { format!("{{{status},\n  {id}}}") } else { format!("{{ {id},\n{status} }}") }
            };
            let yaml = |(at, (word, title, first, space)): (usize, (&str, &str, bool, bool))| {
                let status = format!("status: {}{word}", if space { "  " } else { "" });
                if first {
                    format!("- {status}\n  # mine\n  id: {at}\n  title: {title}\n")
                } else {
                    format!("- id: {at}\n  title: {title}\n  {status}\n\n")
                }
            };
            let mut all = cards.into_iter().enumerate();
            let (name, text) = match kind {
                0 => ("b.json", format!("[\n{}\n]\n", all.map(json).collect::<Vec<_>>().join(",\n"))),
                1 => ("b.jsonl", all.map(json).map(|line| line.replace('\n', " ") + "\n").collect::<String>()),
                2 => ("b.yaml", format!("tasks:\n{}", all.map(yaml).collect::<String>())),
                _ => {
                    let (_, (word, title, first, _)) = all.next_back().unwrap();
                    let title = title.replace("\n    ", "\n  ");
                    let more = if first { "# a comment\n" } else { "" };
                    (
                        "a.md",
                        format!("---\n{more}title: {title}\nstatus: {word}\nid: 1\n---\n\n# Text\n\nstatus: none\n"),
                    )
                }
            };
            let text = if ended { text.as_str() } else { text.trim_end() };
            (name, format!("{}{}", if bom { "\u{feff}" } else { "" }, text.replace('\n', eol)))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_card_to_any_column_and_back_changes_no_other_byte(
        (name, text) in boards(), pick in any::<prop::sample::Index>(), to in "[A-Z][a-z :#'\"-]{0,12}[a-z]|[0-9]{1,3}|true|日本",
    ) {
        let (keys, format) = (Keys::default(), Format::of(name).unwrap());
        let sheet = Sheet::parse(&text, name, format, &keys).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
        let index = pick.index(sheet.tasks.len());
        let (from, to) = (sheet.tasks[index].card.status.clone(), Column::from(to));
        let step = |text: &str, status: &Column, note: Option<&Note>| {
            let sheet = Sheet::parse(text, name, format, &keys).unwrap();
            let change = Change { status: Some(status), note, now: "", ..Change::default() };
            sheet.edited(text, name, index, &change, &keys).unwrap_or_else(|error| panic!("{error:#}\n{text}")).0
        };
        let there = step(&text, &to, None);
        let back = step(&there, &from, None);
        let status = &keys.find(&sheet.tasks[index].node, "status").unwrap().value;
        let (before, after) = (&text[..status.span.start], &text[status.span.end..]);
        for moved in [&there, &back] {
            let value = moved.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            prop_assert!(value.is_some(), "{moved}\n{text}");
        }
        // A plain value that had to be quoted once stays so.
        let plain = !text[status.span.clone()].starts_with(['"', '\'']);
        prop_assert!(back == text || plain, "{back}\n{text}");
        // With a note on it, too, and the body stays what it was.
        let noted = step(&text, &to, Some(&note("one: {x} # \"y\"")));
        let read = Sheet::parse(&noted, name, format, &keys).unwrap();
        prop_assert_eq!(&read.tasks[index].card.body, &sheet.tasks[index].card.body);
        let again = step(&noted, &to, Some(&note("two")));
        prop_assert_eq!(step(&again, &to, Some(&note("one: {x} # \"y\""))), noted);
    }

    #[test]
    fn any_text_is_read(text in "(?s).{0,200}|---\n(?s).{0,60}\n---\n.{0,20}|[\\[\\]{}:,\"' a\n-]{0,60}") {
        for name in ["b.json", "b.jsonl", "b.yaml", "a.md"] {
            let _ = Sheet::parse(&text, name, Format::of(name).unwrap(), &Keys::default());
        }
    }
}

//! Boards as a test writes and reads them: by their lines, not by the program's own parser.

const COLUMNS: [&str; 6] = ["Backlog", "In Progress", "Review", "Needs Specs", "Blocked", "Done"];

/// A board with these lines in the column In Progress.
pub fn with(cards: &str) -> String {
    let column = |name| match name {
        "In Progress" => format!("## {name}\n\n{}\n", cards.trim_end()),
        _ => format!("## {name}\n"),
    };
    COLUMNS.map(column).join("\n")
}

/// `- [ ] KB-1 card @made`, and so on.
pub fn cards(count: usize) -> String {
    (1..=count).map(|number| format!("- [ ] KB-{number} card @made\n")).collect()
}

/// `KB-1: Done`, in board order.
pub fn places(board: &str) -> Vec<String> {
    let mut column = "";
    let mut places = Vec::new();
    for line in board.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            column = name.trim_end();
        } else if let Some(card) = line.split("] KB-").nth(1).filter(|_| line.starts_with("- [")) {
            let number = card.split(' ').next().unwrap_or_default();
            places.push(format!("KB-{number}: {column}"));
        }
    }
    places
}

/// The visible state of a card; empty where it has none.
pub fn note(board: &str, card: &str) -> String {
    let lines = board.lines().skip_while(|line| !line.contains(&format!("] {card} ")));
    let lines = lines.skip(1).take_while(|line| line.starts_with([' ', '\t']));
    lines.filter_map(|line| line.trim_start().strip_prefix("- kanban-codex-exec: ")).collect::<Vec<_>>().join("\n")
}

/// The board without what the program writes on cards.
pub fn without_state(board: &str) -> String {
    let ours = |line: &str| {
        let line = line.trim_start();
        line.starts_with("- kanban-codex-exec: ") || line.starts_with("<!-- kanban-codex-exec {")
    };
    board.split_inclusive('\n').filter(|line| !ours(line)).collect()
}

/// The board without the times and the names of attempts in what the program writes: one that was interrupted has a
/// name, too.
pub fn settled(board: &str) -> String {
    let passing = regex::Regex::new(r#"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ| UTC)|"attempt":"[^"]*""#).unwrap();
    passing.replace_all(board, "…").into_owned()
}

/// The lines that only one of the boards has, each as often as it has it more: `-gone`, `+new`.
pub fn diff(before: &str, after: &str) -> Vec<String> {
    let mut rest: Vec<&str> = after.lines().collect();
    let mut diff = Vec::new();
    for line in before.lines() {
        match rest.iter().position(|other| *other == line) {
            Some(at) => drop(rest.remove(at)),
            None => diff.push(format!("-{line}")),
        }
    }
    diff.extend(rest.into_iter().map(|line| format!("+{line}")));
    diff
}

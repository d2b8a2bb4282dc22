//! A transitions file: it is read, or told what is wrong with it and where.

use std::path::Path;

use kanban_codex_exec::board::{Board, Column};
use kanban_codex_exec::failure::Problem;
use kanban_codex_exec::rules::{Rules, parse};

/// How many columns have rules.
pub fn holds(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    let columns = ["Todo", "In Progress", "Review", "Done"].map(Column::from);
    let board = Board { columns: columns.to_vec(), ..Board::default() };
    let alone = read(&text, None);
    match (&alone, read(&text, Some(&board))) {
        (Ok(_), Ok(known)) => {
            let named = known.columns.iter().flat_map(|(name, rule)| {
                [&rule.on_pass, &rule.on_fail, &rule.on_exhausted].into_iter().flatten().chain([name])
            });
            let unknown: Vec<&Column> = named.filter(|name| !columns.contains(name)).collect();
            assert!(known.create_columns || unknown.is_empty(), "{unknown:?} pass in {text:?}");
        }
        // A board only adds problems.
        (Ok(_), Err(_)) => {}
        (Err(problems), Err(more)) => assert!(problems.iter().all(|problem| more.contains(problem)), "{more:?}"),
        (Err(problems), Ok(_)) => panic!("{problems:?} are gone in {text:?}"),
    }
    alone.map_or(0, |rules| rules.columns.len())
}

fn read(text: &str, board: Option<&Board>) -> Result<Rules, Vec<Problem>> {
    let rules = parse(text, "transitions.yaml", Path::new("folder"), board);
    if let Err(problems) = &rules {
        assert!(!problems.is_empty(), "refused without a reason: {text:?}");
        problems.iter().for_each(|problem| placed(problem, text));
    }
    rules
}

/// The problem stands in the file; only of a file as a whole it needs no line.
fn placed(problem: &Problem, text: &str) {
    let lines: Vec<&str> = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).collect();
    assert!(problem.line <= lines.len() + 1, "{problem} in {text:?}");
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(problem.column <= longest + 1, "{problem} in {text:?}");
    assert!((problem.line == 0) == (problem.column == 0), "{problem} in {text:?}");
    let whole = problem.text.starts_with("not valid YAML: ");
    assert!(problem.line > 0 || whole, "{problem:?} has no place in {text:?}");
}

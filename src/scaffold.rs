//! What `init` writes, from what is there: a board, settings, rules for its columns, tests. Pure.

pub mod names;
pub mod proposal;
pub mod rules;

use crate::board::Column;

/// Written only where no board is found.
pub const BOARD: &str = include_str!("scaffold/board.md");
pub const TESTS: &str = include_str!("scaffold/tests.txt");
const CONFIG: &str = include_str!("scaffold/config.yaml");
const PROJECT: &str = "\
# A project on GitHub in place of this board, with a token in GH_TOKEN; OWNER/NUMBER stands in its address:
# provider: github
# source: OWNER/NUMBER
";

/// The columns of [`BOARD`], and of a board that names none.
pub fn columns() -> Vec<Column> {
    let names = ["Backlog", "In Progress", "Review", "Needs Specs", "Blocked", "Done"];
    names.map(Column::from).into()
}

/// The config file. `board`: the settings that name the board. `owner`: whose repository it is on GitHub, for a board that
/// lies elsewhere.
pub fn config(board: &[(&str, &str)], owner: Option<&str>) -> String {
    let lines = board.iter().map(|(key, value)| format!("{key}: {}\n", scalar(value)));
    let mut lines: String = lines.collect();
    if let Some(owner) = owner {
        lines.push_str(&PROJECT.replace("source: OWNER", &format!("source: {owner}")));
    }
    CONFIG.replace("BOARD\n", &lines)
}

/// The line that keeps CACHE_DIR out of git; None where the file has it.
pub fn ignored(text: &str) -> Option<String> {
    const CACHE: &str = "/.cache/kanban-codex-exec/";
    let same = |line: &str| {
        let line = line.trim().trim_matches('/');
        [".cache", ".cache/*", ".cache/kanban-codex-exec"].contains(&line)
    };
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    (!text.lines().any(same)).then(|| format!("{text}{gap}{CACHE}\n"))
}

/// The owner of a repository on GitHub, from the text of `.git/config`.
pub fn owner(config: &str) -> Option<&str> {
    let urls = config.lines().filter_map(|line| line.trim().strip_prefix("url")?.trim_start().strip_prefix('='));
    let mut owners = urls.filter_map(|url| {
        let (_, path) = url.trim().split_once("github.com")?;
        let (owner, _) = path.strip_prefix([':', '/'])?.split_once('/')?;
        (!owner.is_empty() && owner.chars().all(|char| char.is_ascii_alphanumeric() || char == '-')).then_some(owner)
    });
    owners.next()
}

/// Whether a markdown file is a Kanban board by what it says of itself, or by its name.
pub fn is_board(name: &str, text: &str) -> bool {
    let front = text.trim_start_matches('\u{feff}').strip_prefix("---").and_then(|rest| rest.split_once("\n---"));
    let plugin = front.is_some_and(|(front, _)| front.lines().any(|line| line.trim().starts_with("kanban-plugin:")));
    plugin || ["board.md", "kanban.md", "todo.md"].contains(&name.to_lowercase().as_str())
}

/// A text as YAML has it on one line.
fn scalar(text: &str) -> String {
    let yaml = serde_yaml::to_string(text).unwrap_or_default();
    let breaks = ['\n', '\u{85}', '\u{2028}', '\u{2029}'];
    match yaml.trim_end().contains(breaks) {
        // Quoted as JSON, which is YAML as well, without what YAML takes for the end of a line.
        true => breaks.iter().fold(serde_json::Value::from(text).to_string(), |json, char| {
            json.replace(*char, &format!("\\u{:04x}", u32::from(*char)))
        }),
        false => yaml.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_name_the_board_and_what_could_stand_in_its_place() {
        let text = config(&[("source", "a: b.md")], Some("acme"));
        assert!(text.contains("\nsource: 'a: b.md'\n# A project"), "{text}");
        assert!(text.contains("# source: acme/NUMBER\n"), "{text}");
        assert!(!config(&[("source", "board.md")], None).contains("GitHub"));
    }

    #[test]
    fn the_cache_is_ignored_once() {
        for (before, after) in [
            ("", Some("/.cache/kanban-codex-exec/\n")),
            ("target", Some("target\n/.cache/kanban-codex-exec/\n")),
            ("/.cache/kanban-codex-exec/\n", None),
            (".cache/\n", None),
            ("/.cache\n", None),
        ] {
            assert_eq!(ignored(before).as_deref(), after, "{before:?}");
        }
    }

    #[test]
    fn the_owner_of_a_repository_is_told_by_its_remote() {
        for (url, expected) in [
            ("git@github.com:acme/app.git", Some("acme")),
            ("https://github.com/acme/app", Some("acme")),
            ("ssh://git@github.com/a-b/app", Some("a-b")),
            ("https://example.org/acme/app", None),
            ("https://github.com/$(x)/app", None),
        ] {
            let config = format!("[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs\n");
            assert_eq!(owner(&config), expected, "{url}");
        }
    }

    #[test]
    fn a_board_says_that_it_is_one() {
        for (name, text, expected) in [
            ("plan.md", "---\n\nkanban-plugin: board\n\n---\n\n## A\n", true),
            ("Kanban.md", "## A\n", true),
            ("Todo.md", "", true),
            ("README.md", "# kanban-plugin: board\n", false),
            ("notes.md", "---\ntitle: x\n---\nkanban-plugin: board\n", false),
        ] {
            assert_eq!(is_board(name, text), expected, "{name}");
        }
    }
}

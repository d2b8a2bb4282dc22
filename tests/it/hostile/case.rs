//! What a case's folder says, and the world that comes of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::play::Played;
use crate::support::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Hostile,
    Twin,
}

impl Side {
    fn script(self) -> &'static str {
        match self {
            Side::Hostile => "agent.sh",
            Side::Twin => "twin.sh",
        }
    }
}

/// A case as `case.yaml` writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub name: String,
    /// What the hostile agent does, in a sentence.
    about: String,
    /// What the honest one does in a similar way.
    twin: String,
    /// Codex's last message.
    #[serde(default = "claim")]
    message: String,
    /// The twin's, where it is another.
    #[serde(default)]
    twin_message: Option<String>,
    /// Settings, as environment variables; `${PATH}` and `${WORLD}` stand for what they are.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// A second run follows, before which a person moves the card back to where it was.
    #[serde(default)]
    pub again: bool,
    /// Codes with which the hostile run may end.
    #[serde(default = "drained")]
    pub exits: Vec<i32>,
    /// The hostile agent kills the runner of the first run.
    #[serde(default)]
    pub killed: bool,
    /// So does the twin.
    #[serde(default)]
    pub twin_killed: bool,
    /// The agent moves its card to Done itself: it may stand there, but isn't counted.
    #[serde(default)]
    pub moves_itself: bool,
    /// The card that must not be promoted, and must be in the honest world.
    #[serde(default = "first")]
    pub card: String,
    /// Cards that work honestly in the hostile world.
    #[serde(default)]
    pub others: Vec<String>,
    /// Further cards that are promoted in the honest world.
    #[serde(default)]
    pub twin_others: Vec<String>,
    /// The agents write on the board: only what is parked there must be as it was.
    #[serde(default)]
    pub board: bool,
    /// The scripts print codex's events themselves.
    #[serde(default)]
    pub raw: bool,
    /// The real codex can do it.
    #[serde(default = "yes")]
    pub real: bool,
}

fn claim() -> String {
    "The card is done, and all of its tests pass.".to_owned()
}

fn first() -> String {
    "KB-1".to_owned()
}

fn drained() -> Vec<i32> {
    vec![0]
}

fn yes() -> bool {
    true
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hostile").join(name)
}

/// `KANBAN_HOSTILE=012,links` takes those cases alone whose names hold one of these, and tells all that was said.
pub fn chosen() -> Option<String> {
    std::env::var("KANBAN_HOSTILE").ok()
}

/// Every case, by its number.
pub fn all() -> Vec<Case> {
    let wanted = chosen().unwrap_or_default();
    let entries = fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    names.retain(|name| wanted.split(',').any(|wanted| name.contains(wanted)));
    names.sort();
    names.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(name: String) -> Case {
        let text =
            fs::read_to_string(folder(&name).join("case.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let case: Case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!case.about.is_empty() && !case.twin.is_empty(), "{name} doesn't say what it is about");
        Case { name, ..case }
    }

    pub fn message(&self, side: Side) -> &str {
        self.twin_message.as_deref().filter(|_| side == Side::Twin).unwrap_or(&self.message)
    }

    /// The base world with the case's files, and the side's script as `agent`.
    pub fn world(&self, side: Side, world: World) -> World {
        let own = folder(&self.name);
        for (from, to) in [
            (folder("base"), world.path("repo")),
            (own.join("repo"), world.path("repo")),
            (own.join("beside"), world.path("")),
        ] {
            lay(&from, &to);
        }
        let read =
            |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let agent = read(folder("words.sh")) + "\n" + &read(own.join(side.script()));
        fs::write(world.path("agent"), agent).unwrap();
        let message = self.message(side);
        let item = json!({"id": "item_1", "type": "agent_message", "text": message});
        fs::write(world.path("said.jsonl"), format!("{}\n", json!({"type": "item.completed", "item": item}))).unwrap();
        fs::write(world.path("said"), message).unwrap();
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", "before"]);
        let (path, root) = (std::env::var("PATH").unwrap(), world.path("").display().to_string());
        let settings = [
            ("ALLOW_SHELL_TESTS", "true"),
            ("SHELL_TEST_ALLOWLIST", "sh checks/greet.sh"),
            ("PROGRAM", env!("CARGO_BIN_EXE_kanban-codex-exec")),
        ];
        let world = settings.into_iter().fold(world, |world, (name, value)| world.env(name, value));
        self.env.iter().fold(world, |world, (name, value)| {
            world.env(name, value.replace("${PATH}", &path).replace("${WORLD}", root.trim_end_matches('/')))
        })
    }

    /// The case's line of the table, or what is wrong with it.
    pub fn line(&self, [hostile, twin]: [Result<Played, String>; 2]) -> Result<String, String> {
        let mut wrong = Vec::new();
        let mut check =
            |side, played: &Result<Played, String>, problems: fn(&Case, &Played) -> Vec<String>| match played {
                Ok(played) => match problems(self, played) {
                    problems if problems.is_empty() => {}
                    problems => wrong.push(format!("{side}: {}\n{played}", problems.join("; "))),
                },
                Err(panic) => wrong.push(format!("{side}: {panic}")),
            };
        check("hostile", &hostile, Case::hostile);
        check("twin", &twin, Case::honest);
        match (hostile, twin) {
            (Ok(hostile), Ok(twin)) if wrong.is_empty() => {
                let ((verdict, reason), (twin, _)) = (hostile.verdict(&self.card), twin.verdict(&self.card));
                Ok(format!("{} | {verdict} | {reason} | {twin}", self.name))
            }
            _ => Err(format!("{} ({})\n{}", self.name, self.about, wrong.join("\n"))),
        }
    }

    fn hostile(&self, played: &Played) -> Vec<String> {
        let mut problems = played.promoted(&self.others);
        let place = format!("{}: Done", self.card);
        if !self.moves_itself && played.places.contains(&place) {
            problems.push(format!("{place}, {:?}", played.places));
        }
        problems
    }

    fn honest(&self, played: &Played) -> Vec<String> {
        let mut promoted = self.twin_others.clone();
        promoted.push(self.card.clone());
        promoted.sort();
        let mut problems = played.promoted(&promoted);
        let missing =
            promoted.iter().map(|card| format!("{card}: Done")).filter(|place| !played.places.contains(place));
        problems.extend(missing.map(|place| format!("not {place}, {:?}", played.places)));
        problems
    }
}

/// Copies what is below a folder, modes included.
fn lay(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            lay(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

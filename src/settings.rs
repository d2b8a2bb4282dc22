//! Flags, environment and config file become [`Settings`], checked once. The only reader of the environment.

#![expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]

pub mod cache;
mod resolve;
pub mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::codex;
use crate::failure::{Failure, Problem};
use crate::provider;
use crate::provider::file::keys::Keys;
use crate::redact::Redactor;
use crate::storage;
use resolve::Resolver;

/// What the program was given: flags by their name (without dashes) with the texts that followed, and the environment.
#[derive(Debug, Default, Clone)]
pub struct Given {
    pub flags: BTreeMap<String, String>,
    pub env: BTreeMap<OsString, OsString>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// What config files are taken to hold in place of what they hold: an accepted copy, or that there is none.
    pub accepted_configs: BTreeMap<PathBuf, Option<Vec<u8>>>,
    /// Where relative paths of flags and variables start.
    pub folder: PathBuf,
}

impl Given {
    /// The real process environment and current folder.
    pub fn from_process(flags: BTreeMap<String, String>, config: Option<PathBuf>) -> anyhow::Result<Given> {
        let (env, folder) = (std::env::vars_os().collect(), std::env::current_dir()?);
        Ok(Given { flags, config, accepted_configs: BTreeMap::new(), env, folder })
    }

    /// Without the settings that the environment has.
    #[must_use]
    pub fn without_settings(mut self) -> Given {
        self.env.retain(|name, _| !table::TABLE.iter().any(|row| name == row.env));
        self
    }

    /// A variable's value; one that is not UTF-8 is refused elsewhere.
    fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(OsStr::new(name))?.to_str()
    }
}

/// For what is said before there are settings, or instead of them.
pub fn redactor() -> Redactor {
    Environment::new(std::env::vars_os().collect(), &[]).redactor
}

/// PM2 gives each of its apps a number.
pub fn under_pm2() -> bool {
    std::env::var_os("pm_id").is_some()
}

/// Where a test wants points of death listed, and at which one it wants a run or a launcher dead. Debug builds only.
#[cfg(debug_assertions)]
pub fn points() -> [Option<OsString>; 2] {
    ["KANBAN_POINTS", "KANBAN_DIE_AT"].map(std::env::var_os)
}

/// Of a launcher: its number in its runner.
#[cfg(debug_assertions)]
pub fn launcher() -> Option<String> {
    let marker = std::env::var(crate::process::MARKER).ok()?;
    marker.rsplit_once('-').map(|(_, number)| number.to_owned())
}

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
}

/// Whether the report is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

/// The whole configuration, every path absolute.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it was resolved from.
    pub given: Given,
    pub provider: provider::Kind,
    /// The board as the user named it, for messages.
    pub source_name: String,
    pub source: provider::Source,
    pub next: bool,
    /// What the parts of a card are called in data.
    pub file_keys: Keys,
    /// Where the config file is, or would be.
    pub config: PathBuf,
    /// Where it was looked for: one that is made there can take its place.
    pub config_places: Vec<PathBuf>,
    pub tests: PathBuf,
    pub transitions: PathBuf,
    pub workspace: PathBuf,
    pub in_git: bool,
    /// Where the user stands: files are shown from here.
    pub folder: PathBuf,
    pub cache_dir: PathBuf,
    /// Of how many attempts a card's folders are kept.
    pub keep_attempts: usize,
    pub k: usize,
    pub require: usize,
    pub threshold: f32,
    pub mmr_lambda: f32,
    pub allow_shell_tests: bool,
    pub shell_allowlist: Vec<String>,
    pub codex: codex::Settings,
    pub js_runtime: String,
    pub test_limit: Duration,
    pub hook_limit: Duration,
    pub grace: Duration,
    pub watch: bool,
    pub poll_interval: Duration,
    pub guards: Guards,
    pub infrastructure_limit: u32,
    pub backoff: Duration,
    pub fail_on_bounce: bool,
    pub drained_exit_code: u8,
    pub format: Format,
    pub color: Color,
    /// The terminal, if there is one, can move its cursor.
    pub cursor: bool,
    pub log_level: String,
    /// Where the run locks are: the same folder for every process of this user.
    pub lock_dir: PathBuf,
    pub env: Environment,
}

/// The limits that stop the loop. None: no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    pub max_cards: Option<usize>,
    pub max_attempts: u32,
    pub max_duration: Option<Duration>,
    pub max_tokens: Option<u64>,
    /// Over the attempts at one card, column and body.
    pub max_card_tokens: Option<u64>,
    pub max_card_time: Option<Duration>,
    pub max_failures: Option<u32>,
    pub budget_window: Option<Duration>,
}

/// What a command needs; one that tells what happened, or reads the tests alone, needs no board that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Board,
    History,
}

impl Settings {
    /// Resolves everything; all problems at once, nothing written.
    pub fn resolve(given: &Given, need: Need) -> Result<Settings, Failure> {
        let (settings, problems) = Settings::with_problems(given, need);
        if problems.is_empty() { Ok(settings) } else { Err(problems.into()) }
    }

    /// The same for who wants to know what else is wrong.
    pub fn with_problems(given: &Given, need: Need) -> (Settings, Vec<Problem>) {
        Resolver::open(given, need).settings()
    }

    /// Whether a board is named, or lies where it is looked for.
    pub fn knows_board(given: &Given) -> bool {
        Resolver::open(given, Need::Board).knows_board()
    }

    /// The same, had config files held the bytes of their accepted copies, or not been there.
    pub fn with_configs(&self, accepted: BTreeMap<PathBuf, Option<Vec<u8>>>) -> Result<Settings, Failure> {
        let mut given = self.given.clone();
        given.accepted_configs.extend(accepted);
        Settings::resolve(&given, Need::Board)
    }
}

/// The process environment, and who gets what of it.
#[derive(Debug, Clone)]
pub struct Environment {
    all: BTreeMap<OsString, OsString>,
    given: Vec<String>,
    withheld: Vec<String>,
    redactor: Redactor,
}

/// Board tokens: whoever holds one can move cards.
const BOARD_TOKENS: [&str; 4] = ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

/// What PM2 puts in the environment of its processes for itself. A node child that finds NODE_CHANNEL_FD takes over PM2's
/// channel or aborts.
const PM2_OWN: &[&str] = &[
    "NODE_CHANNEL_FD",
    "NODE_CHANNEL_SERIALIZATION_MODE",
    "NODE_APP_INSTANCE",
    "PM2_USAGE",
    "PM2_PROGRAMMATIC",
    "PM2_JSON_PROCESSING",
    "unique_id",
    "status",
    "name",
    "namespace",
    "version",
    "versioning",
    "cwd",
    "username",
    "exit_code",
    "exec_mode",
    "instances",
    "interpreter",
    "kill_timeout",
    "merge_logs",
    "autorestart",
    "autostart",
    "stop_exit_codes",
    "max_restarts",
    "min_uptime",
    "restart_delay",
    "restart_time",
    "exp_backoff_restart_delay",
    "treekill",
    "windowsHide",
    "vizion",
    "vizion_running",
    "pmx",
    "km_link",
    "automation",
    "created_at",
    "axm_actions",
    "axm_monitor",
    "axm_options",
    "axm_dynamic",
    "unstable_restarts",
    "prev_restart_delay",
    "instance_var",
    "filter_env",
    "node_args",
    "args",
    "watch",
    "env",
    "out_file",
    "error_file",
];

impl Environment {
    fn new(all: BTreeMap<OsString, OsString>, names: &[String]) -> Environment {
        let (withheld, given): (Vec<_>, Vec<_>) = names.iter().cloned().partition(|name| name.starts_with('!'));
        let withheld = withheld.iter().map(|name| name[1..].to_owned()).collect();
        let text =
            |(name, value): (&OsString, &OsString)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()));
        let redactor = Redactor::new(all.iter().filter_map(text));
        Environment { all, given, withheld, redactor }
    }

    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub fn path(&self) -> OsString {
        self.all.get(OsStr::new("PATH")).cloned().unwrap_or_default()
    }

    /// Codex: everything but what belongs to PM2 and what moves boards.
    pub fn codex(&self) -> Vec<(OsString, OsString)> {
        self.select(|name, _| !BOARD_TOKENS.contains(&name))
    }

    /// Shell tests: no secrets either; their output is evidence. Nor programs from the `workspace` by their bare names.
    pub fn tests(&self, workspace: &Path) -> Vec<(OsString, OsString)> {
        let clean = |value: &str| matches!(self.redactor.text(value), Cow::Borrowed(_));
        outside(workspace, self.select(|name, value| !BOARD_TOKENS.contains(&name) && clean(value)))
    }

    /// Hooks are the user's own programs: everything but what belongs to PM2.
    pub fn hooks(&self, workspace: &Path) -> Vec<(OsString, OsString)> {
        outside(workspace, self.select(|_, _| true))
    }

    fn select(&self, keep: impl Fn(&str, &str) -> bool) -> Vec<(OsString, OsString)> {
        let under_pm2 = self.all.contains_key(OsStr::new("pm_id"));
        let kept = |(name, value): &(&OsString, &OsString)| {
            let name = name.to_string_lossy();
            let pm2 = under_pm2 && (name.starts_with("pm_") || PM2_OWN.contains(&name.as_ref()));
            let channel = name.starts_with("NODE_CHANNEL_");
            let named = |list: &[String]| list.iter().any(|item| *item == name);
            !named(&self.withheld)
                && (named(&self.given) || (!pm2 && !channel && keep(&name, &value.to_string_lossy())))
        };
        self.all.iter().filter(kept).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Without the folders of PATH that codex works in, where it could put a program of any name, and without the files that a
/// shell reads first.
fn outside(workspace: &Path, mut env: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    env.retain(|(name, _)| name != "BASH_ENV" && name != "ENV");
    for (_, path) in env.iter_mut().filter(|(name, _)| name == "PATH") {
        let kept = std::env::split_paths(path).filter(|folder| folder.is_absolute() && !folder.starts_with(workspace));
        // No folder that was split from it holds a colon.
        *path = std::env::join_paths(kept).unwrap_or_default();
    }
    env
}

impl Settings {
    /// Codex's own config file.
    pub fn codex_config(&self) -> PathBuf {
        let variable = |name| self.given.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable("CODEX_HOME").or_else(|| Some(variable("HOME")?.join(".codex")));
        home.unwrap_or_default().join("config.toml")
    }

    /// The file as the user would name it.
    pub fn shown(&self, path: &Path) -> String {
        shown(path, &self.folder)
    }
}

/// The file as the user would name it: relative to the current folder where it lies below it.
pub fn shown(path: &Path, folder: &Path) -> String {
    match path.strip_prefix(folder) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

/// Reads a text file, or says what is wrong with it and what would help.
pub fn read_text(path: &Path, name: &str, hint: &str) -> Result<String, Problem> {
    String::from_utf8(read_bytes(path, name, hint)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        unreadable(name, line, "not UTF-8".into(), "save the file as UTF-8")
    })
}

/// Reads a file, or says what is wrong with it; `hint` is for one that is missing.
pub fn read_bytes(path: &Path, name: &str, hint: &str) -> Result<Vec<u8>, Problem> {
    storage::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => unreadable(name, 0, "no such file".into(), hint),
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => unreadable(name, 0, error.to_string(), hint),
        _ => unreadable(name, 0, format!("cannot be read: {error}"), ""),
    })
}

fn unreadable(name: &str, line: usize, text: String, hint: &str) -> Problem {
    let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
    Problem { file: name.to_owned(), line, column: 0, text, hint }
}

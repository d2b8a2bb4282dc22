//! Precedence: flag > environment > config file > default. Collects every problem before it gives up.

mod away;
mod cache_dir;
mod config;
mod terminal;

pub(super) use cache_dir::real;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::cache;
use super::table::{Setting, TABLE};
use super::{Environment, Format, Given, Guards, Need, Settings, shown};
use crate::failure::Problem;
use crate::provider::file::keys::Keys;
use crate::provider::{Source, github};
use crate::{codex, index, provider};

/// A setting's words and where they came from.
#[derive(Debug, Clone)]
struct Raw {
    words: Vec<String>,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    Flag(&'static str),
    Env(&'static str),
    /// As [`crate::yaml::Document::problem`] tells the place.
    File(Problem),
}

pub struct Resolver<'g> {
    given: &'g Given,
    need: Need,
    config: PathBuf,
    config_places: Vec<PathBuf>,
    from_file: BTreeMap<&'static str, Raw>,
    problems: Vec<Problem>,
}

impl<'g> Resolver<'g> {
    /// Finds and reads the config file.
    pub fn open(given: &'g Given, need: Need) -> Self {
        let from_file = BTreeMap::new();
        let mut resolver = Resolver {
            given,
            need,
            config: PathBuf::new(),
            config_places: Vec::new(),
            from_file,
            problems: Vec::new(),
        };
        resolver.refuse_unreadable_variables();
        resolver.refuse_empty_flags();
        resolver.find_config();
        resolver
    }

    fn refuse_unreadable_variables(&mut self) {
        let unreadable = |name: &str| self.given.env.get(OsStr::new(name)).is_some_and(|text| text.to_str().is_none());
        for row in TABLE.iter().filter(|row| unreadable(row.env)) {
            self.problem(&Origin::Env(row.env), "is not UTF-8".to_owned(), "set it anew, or `unset` it");
        }
    }

    /// A script's variable that is not set leaves one: it would be a file or program of no name. An empty variable is not given.
    fn refuse_empty_flags(&mut self) {
        let empty = |row: &&Setting| self.given.flags.get(row.flag).is_some_and(|text| row.form.lacks_value(text));
        for row in TABLE.iter().filter(empty).collect::<Vec<_>>() {
            self.problem(&Origin::Flag(row.flag), "is empty".to_owned(), "give it a value, or leave it out");
        }
    }

    /// The setting as given by the strongest source, or None for its default. What was refused is not given.
    fn raw(&mut self, key: &str) -> Option<Raw> {
        let row = TABLE.iter().find(|row| row.key == key)?;
        let flag = self.given.flags.get(row.flag).filter(|text| !row.form.lacks_value(text));
        let flag = flag.map(|text| (text.as_str(), Origin::Flag(row.flag)));
        let env = || {
            let text = self.given.variable(row.env).filter(|text| !text.is_empty());
            text.map(|text| (text, Origin::Env(row.env)))
        };
        let Some((text, origin)) = flag.or_else(env) else { return self.from_file.get(row.key).cloned() };
        match row.form.split(text) {
            Some(words) => Some(Raw { words, origin }),
            None => {
                self.problem(&origin, format!("`{text}` has an unclosed quote"), "");
                None
            }
        }
    }

    fn problem(&mut self, origin: &Origin, text: String, hint: &str) {
        let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        let place = |file: String| Problem { file, line: 0, column: 0, text: text.clone(), hint: hint.clone() };
        self.problems.push(match origin {
            Origin::Flag(flag) => place(format!("--{flag}")),
            Origin::Env(name) => place((*name).to_owned()),
            Origin::File(at) => Problem { text, hint, ..at.clone() },
        });
    }

    /// A value read by `read`, which says what it expects; None where it is not given and has no default, or is wrong.
    fn value<T>(&mut self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = self.raw(key);
        let default = TABLE.iter().find(|row| row.key == key).map_or("", |row| row.default);
        let text = match &given {
            Some(raw) => raw.words.first().map_or("", String::as_str),
            None if default.is_empty() => return None,
            None => default,
        };
        match (read(text), &given) {
            (Ok(value), _) => Some(value),
            (Err(expected), Some(raw)) => {
                let given = match raw.origin {
                    // The place is a line, which does not say what stands there.
                    Origin::File(_) => format!("{key}: {text}"),
                    Origin::Flag(_) | Origin::Env(_) => text.to_owned(),
                };
                self.problem(&raw.origin, format!("`{given}` is not {expected}"), "");
                None
            }
            (Err(_), None) => None,
        }
    }

    fn number<T: FromStr + PartialOrd + Display>(&mut self, key: &str, range: impl RangeBounds<T>) -> Option<T> {
        self.value(key, |text| match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(match (range.start_bound(), range.end_bound()) {
                (Bound::Included(least), Bound::Included(most)) => format!("a number from {least} to {most}"),
                (Bound::Included(least), _) => format!("a number from {least} up"),
                _ => "a number".to_owned(),
            }),
        })
    }

    /// None is zero: a limit of no time would end everything at once, or nothing, and a wait of none never rests.
    fn duration(&mut self, key: &str) -> Option<Duration> {
        self.value(key, |text| match time(text)? {
            Duration::ZERO => Err("a time longer than 0s".to_owned()),
            duration => Ok(duration),
        })
    }

    fn switch(&mut self, key: &str) -> bool {
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("true or false".to_owned()),
        };
        self.value(key, read).unwrap_or(false)
    }

    fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        self.value(key, |text| match choices.iter().find(|(name, _)| *name == text) {
            Some((_, choice)) => Ok(*choice),
            None => Err(format!("one of {}", choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))),
        })
    }

    fn words(&mut self, key: &str) -> Vec<String> {
        self.raw(key).map(|raw| raw.words).unwrap_or_default()
    }

    fn text(&mut self, key: &str) -> String {
        self.value(key, |text| Ok(text.to_owned())).unwrap_or_default()
    }

    /// A path as given, from the folder that its origin says; None for the default.
    fn path(&mut self, key: &str) -> Option<PathBuf> {
        let raw = self.raw(key)?;
        self.placed(&raw)
    }

    fn placed(&self, raw: &Raw) -> Option<PathBuf> {
        let text = raw.words.first()?;
        let text = match (text.strip_prefix("~/"), self.given.variable("HOME")) {
            (Some(rest), Some(home)) => format!("{home}/{rest}"),
            _ => text.clone(),
        };
        let start = match &raw.origin {
            Origin::File(_) => self.config.parent().unwrap_or(Path::new("/")).to_owned(),
            _ => self.given.folder.clone(),
        };
        // Collected anew: without the `.` parts that a shell user writes.
        Some(start.join(text).components().collect())
    }

    /// The hint for a path that leads nowhere: a supervisor may start the program in another folder than a person does.
    fn start_of_paths(&self, origin: &Origin) -> String {
        match origin {
            Origin::Flag(_) | Origin::Env(_) => {
                format!("a path in a flag or variable starts at the current folder, {}", self.given.folder.display())
            }
            Origin::File(_) => "a path in the config file starts at that file's folder".to_owned(),
        }
    }

    /// The board: as given, or what is found here. Sets the provider that goes with a find.
    fn source(&mut self) -> Option<(Source, provider::Kind)> {
        use provider::Kind;
        let kinds = [("markdown", Kind::Markdown), ("file", Kind::File), ("github", Kind::GitHub)];
        let named = self.raw("provider").is_some();
        let kind = self.choice("provider", &kinds).unwrap_or(Kind::Markdown);
        let address = |raw: Raw| raw.words.first().is_some_and(|word| word.starts_with("https://"));
        if kind == Kind::GitHub || (!named && self.raw("source").is_some_and(address)) {
            return self.project().map(|access| (Source::Project(access), Kind::GitHub));
        }
        self.board_file(kind, named).map(|(path, kind)| (Source::Path(path), kind))
    }

    /// The project and the token that reaches it.
    fn project(&mut self) -> Option<github::Access> {
        let variable = |name| self.given.variable(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let token = ["GH_TOKEN", "GITHUB_TOKEN"].into_iter().find_map(|name| Some((name, variable(name)?)));
        let endpoint = variable("GITHUB_GRAPHQL_URL").unwrap_or_else(|| github::access::ENDPOINT.to_owned());
        if let Err(expected) = github::access::endpoint(&endpoint) {
            self.problem(&Origin::Env("GITHUB_GRAPHQL_URL"), format!("`{endpoint}` is not {expected}"), "");
            return None;
        }
        // Who asks for its history alone goes nowhere with it.
        let token = token.or((self.need == Need::History).then(|| ("GH_TOKEN", String::new())));
        if token.is_none() {
            let hint = "a token that may write projects: `export GH_TOKEN=$(gh auth token)`, having had `gh auth refresh -s project,repo`";
            self.problem(&Origin::Env("GH_TOKEN"), "no token for GitHub, and none in GITHUB_TOKEN".to_owned(), hint);
        }
        let project = match self.raw("source") {
            Some(_) => self.value("source", |text| github::access::project(text, &endpoint)),
            None => {
                let hint = "name the project with --source OWNER/NUMBER or KANBAN_SOURCE";
                self.problem(&Origin::Flag("source"), "no project given".to_owned(), hint);
                None
            }
        };
        let ((owner, number), (variable, text)) = (project?, token?);
        Some(github::Access { owner, number, endpoint, token: github::access::Token { text, variable } })
    }

    fn board_file(&mut self, kind: provider::Kind, named: bool) -> Option<(PathBuf, provider::Kind)> {
        use provider::Kind;
        if let Some(path) = self.path("source") {
            let kind = if !named && is_data(&path) { Kind::File } else { kind };
            let wanted = match kind {
                Kind::Markdown => path.exists() && !path.is_dir(),
                Kind::File | Kind::GitHub => path.exists(),
            };
            if !wanted {
                let raw = self.raw("source")?;
                let what = if path.is_dir() { "is a folder, not a markdown board" } else { "no such board" };
                let text = format!("{}: {what}", shown(&path, &self.given.folder));
                self.problem(&raw.origin, text, &self.start_of_paths(&raw.origin));
                return None;
            }
            return Some((fs::canonicalize(&path).unwrap_or(path), kind));
        }
        let Some(found) = self.found() else {
            self.problems.push(Problem {
                file: "--source".into(),
                line: 0,
                column: 0,
                text: format!(
                    "no board given, and no board.md, TODO.md or backlog/ in {}",
                    self.given.folder.display()
                ),
                hint: Some("name the board with --source FILE or KANBAN_SOURCE; `init` writes one".into()),
            });
            return None;
        };
        let path = self.given.folder.join(found);
        let kind = if !named && is_data(&path) { Kind::File } else { kind };
        Some((fs::canonicalize(&path).unwrap_or(path), kind))
    }

    /// A board that need not be named.
    fn found(&self) -> Option<&'static str> {
        ["board.md", "TODO.md", "backlog"].into_iter().find(|name| self.given.folder.join(name).exists())
    }

    /// Whether there is a board, as far as names go.
    pub fn knows_board(mut self) -> bool {
        ["source", "provider"].into_iter().any(|key| self.raw(key).is_some()) || self.found().is_some()
    }

    /// With every problem; where there is one, something stands in for what it is about.
    pub fn settings(mut self) -> (Settings, Vec<Problem>) {
        let (source, provider) = self.source_or_its_place();
        let beside = source.path().and_then(Path::parent).unwrap_or(&self.given.folder).to_owned();
        let git_root = beside.ancestors().find(|folder| folder.join(".git").exists());
        let workspace = self.path("workspace").unwrap_or_else(|| git_root.unwrap_or(&beside).to_owned());
        let workspace = match fs::canonicalize(&workspace) {
            Ok(path) if path.is_dir() => path,
            _ => {
                let origin = self.raw("workspace").map_or(Origin::Flag("workspace"), |raw| raw.origin);
                let text = format!("{}: no such folder", shown(&workspace, &self.given.folder));
                self.problem(&origin, text, &self.start_of_paths(&origin));
                workspace
            }
        };
        let in_git = workspace.ancestors().any(|folder| folder.join(".git").exists());
        let tests = self.path("tests").unwrap_or_else(|| beside.join("tests.txt"));
        let transitions = self.path("transitions").unwrap_or_else(|| beside.join("transitions.yaml"));
        let cache_dir = cache::of_board(self.cache_dir(&workspace), &workspace, &source);
        let name = source.path().and_then(Path::file_name);
        let name = name.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let next = match self.raw("next") {
            Some(_) => self.switch("next"),
            None => provider == provider::Kind::Markdown && name == "todo.md",
        };
        let k = self.number("kMin", 1..=1000);
        let require = self.number("kReq", 1..=1000);
        if let (Some(k), Some(require)) = (k, require)
            && require > k
        {
            let origin = self.raw("kReq").or_else(|| self.raw("kMin")).map_or(Origin::Flag("k-req"), |raw| raw.origin);
            let text = format!("K_REQ ({require}) is more than K_MIN ({k}): no card could ever pass");
            self.problem(&origin, text, "K_MIN tests are selected, K_REQ of them must pass");
        }
        let grace = self.value("grace", time).unwrap_or_default();
        let file_keys = self.file_keys();
        let env = Environment::new(self.given.env.clone(), &self.env_names());
        let efforts = [("low", "low"), ("medium", "medium"), ("high", "high")];
        let codex = codex::Settings {
            bin: self.codex_bin(),
            model: self.text("model"),
            effort: self.choice("reasoningEffort", &efforts).unwrap_or("high").to_owned(),
            sandbox: self.switch("sandbox"),
            args: self.words("codex.args"),
            start_limit: self.duration("startLimit").unwrap_or_default(),
            silence_limit: self.duration("silenceLimit").unwrap_or_default(),
            attempt_limit: self.duration("attemptLimit").unwrap_or_default(),
            grace,
        };
        let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
        let settings = Settings {
            given: self.given.clone(),
            provider,
            source_name: source.path().map_or_else(|| source.to_string(), |path| shown(path, &self.given.folder)),
            source,
            next,
            file_keys,
            config: self.config.clone(),
            config_places: self.config_places.clone(),
            tests,
            transitions,
            workspace,
            in_git,
            folder: self.given.folder.clone(),
            cache_dir,
            keep_attempts: self.number("keepAttempts", 1..=100_000).unwrap_or(1),
            k: k.unwrap_or(1),
            require: require.unwrap_or(1),
            threshold: self.number("threshold", 0.0..=1.0).unwrap_or(index::DEFAULT_THRESHOLD),
            mmr_lambda: self.number("mmrLambda", 0.0..=1.0).unwrap_or(index::DEFAULT_MMR_LAMBDA),
            allow_shell_tests: self.switch("allowShellTests"),
            shell_allowlist: self.words("shellAllowlist"),
            codex,
            js_runtime: self.text("jsRuntime"),
            test_limit: self.duration("testLimit").unwrap_or_default(),
            hook_limit: self.duration("hookLimit").unwrap_or_default(),
            grace,
            watch: self.switch("watch"),
            poll_interval: self.duration("pollInterval").unwrap_or_default(),
            guards: Guards {
                max_cards: self.number("maxCards", 1..),
                max_attempts: self.number("maxAttempts", 1..=1000).unwrap_or(1),
                max_duration: self.duration("maxDuration"),
                max_tokens: self.number("maxTokens", 1..),
                max_card_tokens: self.number("maxCardTokens", 1..),
                max_card_time: self.duration("maxCardTime"),
                max_failures: self.number("maxFailures", 1..),
                budget_window: self.duration("budgetWindow"),
            },
            infrastructure_limit: self.number("infrastructureLimit", 1..=1000).unwrap_or(1),
            backoff: self.duration("backoff").unwrap_or_default(),
            fail_on_bounce: self.switch("failOnBounce"),
            drained_exit_code: self.number("drainedExitCode", 0..=125).unwrap_or(0),
            format: self.choice("format", &[("human", Format::Human), ("json", Format::Json)]).unwrap_or(Format::Human),
            color: self.color(),
            cursor: self.has_cursor(),
            log_level: self.choice("logLevel", &levels).unwrap_or("info").to_owned(),
            lock_dir: PathBuf::from(format!("/tmp/kanban-codex-exec-{}", rustix::process::geteuid().as_raw())),
            env,
        };
        // In the config file's order, flags and variables before.
        self.problems.sort_by_key(Problem::place);
        (settings, self.problems)
    }

    fn file_keys(&mut self) -> Keys {
        let Some(raw) = self.raw("file.keys") else { return Keys::default() };
        Keys::new(&raw.words).unwrap_or_else(|text| {
            self.problem(&raw.origin, text, "write `status=state,id=key`; in the config file also a mapping");
            Keys::default()
        })
    }

    /// Names alone: of `NAME=value` no variable is called so, and its value would be set nowhere.
    fn env_names(&mut self) -> Vec<String> {
        let Some(raw) = self.raw("env") else { return Vec::new() };
        let is_name = |word: &&String| {
            let name = word.strip_prefix('!').unwrap_or(word);
            !name.is_empty() && !name.contains(|letter: char| letter == '=' || letter.is_whitespace())
        };
        for word in raw.words.iter().filter(|word| !is_name(word)) {
            let hint = "write `NAME` or `!NAME`; the values are those that the program is started with";
            // What follows may be a secret.
            let told = word.split_once('=').map_or(word.clone(), |(name, _)| format!("{name}=…"));
            self.problem(&raw.origin, format!("`{told}` is not the name of a variable"), hint);
        }
        raw.words
    }

    /// A path is made absolute; a bare name is left for PATH.
    fn codex_bin(&mut self) -> String {
        match self.raw("codexBin") {
            Some(raw) if raw.words.first().is_some_and(|word| word.contains('/')) => {
                self.path("codexBin").map_or(String::new(), |path| path.to_string_lossy().into_owned())
            }
            _ => self.text("codexBin"),
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "a time such as 30s, 5m or 1h 30m".to_owned())
}

/// A board in a folder, or in a file of data.
fn is_data(path: &Path) -> bool {
    let kind = path.extension().map(|kind| kind.to_string_lossy().to_lowercase());
    path.is_dir() || kind.is_some_and(|kind| ["json", "jsonl", "ndjson", "yaml", "yml"].contains(&kind.as_str()))
}

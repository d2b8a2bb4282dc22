//! From YAML to [`Rules`]; every problem of the file at once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_yaml::{Mapping, Value};

use super::{FailWork, GuardPaths, Hook, Listeners, Occasion, Rule, Rules, script};
use crate::board::{Board, Column};
use crate::checks::Source;
use crate::failure::{Problem, closest};
use crate::yaml::Document;

/// What a rule can say.
pub const KEYS: [&str; 16] = [
    "prompt",
    "promptFile",
    "onPass",
    "onFail",
    "maxAttempts",
    "onExhausted",
    "beforeTransition",
    "afterTransition",
    "k",
    "require",
    "threshold",
    "evidence",
    "requireChanges",
    "redGreen",
    "guardPaths",
    "onFailWork",
];

/// Reads a transitions file. `folder` is where its relative paths start. It is checked against `board`, None where
/// there is none.
pub fn parse(text: &str, file: &str, folder: &Path, board: Option<&Board>) -> Result<Rules, Vec<Problem>> {
    let (rules, problems) = read(text, file, folder, board);
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// The same where there is more to be found wrong: with what can be read nevertheless.
pub fn read(text: &str, file: &str, folder: &Path, board: Option<&Board>) -> (Rules, Vec<Problem>) {
    let document = match Document::parse(text, file) {
        Ok(document) => document,
        Err(problem) => return (Rules::default(), vec![problem]),
    };
    let mut reader = Reader { document: &document, folder, problems: Vec::new() };
    let rules = reader.rules();
    match board.filter(|_| !rules.create_columns) {
        Some(board) if board.columns.is_empty() => reader.check_statuses(&rules, board),
        Some(board) => reader.check_columns(&rules, &board.columns),
        None => {}
    }
    reader.check_cycles(&rules);
    let mut problems = reader.problems;
    problems.sort_by_key(Problem::place);
    (rules, problems)
}

struct Reader<'d> {
    document: &'d Document<'d>,
    folder: &'d Path,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, path: &[&str], text: impl Into<String>, hint: Option<String>) {
        let mut problem = self.document.problem(path, text);
        problem.hint = hint;
        self.problems.push(problem);
    }

    fn unknown(&mut self, path: &[&str], known: &[&str]) {
        let key = path.last().copied().unwrap_or_default();
        let hint = match closest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys are {}", known.join(", ")),
        };
        self.problem(path, format!("unknown key `{key}`"), Some(hint));
    }

    /// The key of the mapping at `path`.
    fn key<'k>(&mut self, path: &[&str], key: &'k Value) -> Option<&'k str> {
        if key.as_str().is_none() {
            self.problem(path, "a key that is no text stands here", Some("put it in quotes, or remove it".to_owned()));
        }
        key.as_str()
    }

    fn rules(&mut self) -> Rules {
        let mut rules = Rules::default();
        let expected = "a mapping with `statuses:` is expected";
        let hint = || Some("write `statuses:`, and the columns with their rules indented below it".to_owned());
        let Value::Mapping(root) = &self.document.value else {
            self.problem(&[], expected, hint());
            return rules;
        };
        for (key, value) in root {
            let Some(key) = self.key(&[], key) else { continue };
            match (key, value) {
                ("statuses", Value::Mapping(statuses)) => self.statuses(statuses, &mut rules),
                ("statuses", _) => self.problem(&["statuses"], "`statuses` must map columns to their rules", hint()),
                ("createColumns", Value::Bool(flag)) => rules.create_columns = *flag,
                ("createColumns", _) => self.problem(&["createColumns"], "`createColumns` is true or false", None),
                ("onEvent", value) => rules.on_event = self.listeners(value),
                (other, _) => self.unknown(&[other], &["statuses", "createColumns", "onEvent"]),
            }
        }
        if !root.contains_key("statuses") {
            self.problem(&[], expected, hint());
        }
        rules
    }

    fn statuses(&mut self, statuses: &Mapping, rules: &mut Rules) {
        let mut targets = Vec::new();
        for (name, value) in statuses {
            let name = match name {
                Value::String(name) => name.clone(),
                Value::Number(number) => number.to_string(),
                _ => {
                    self.problem(&["statuses"], "a column's name must be text", None);
                    continue;
                }
            };
            rules.order.push(Column::from(name.as_str()));
            match value {
                // A column that is only named is a parking place.
                Value::Null => {}
                Value::Mapping(rule) if rule.is_empty() => {}
                Value::Mapping(rule) => {
                    let rule = self.rule(&name, rule);
                    targets.extend(rule.targets().cloned());
                    rules.columns.insert(name.into(), rule);
                }
                _ => {
                    let hint = Some(format!("write `{name}: {{ onPass: COLUMN, onFail: COLUMN }}`"));
                    self.problem(&["statuses", &name], format!("the rule of `{name}` must be a mapping"), hint);
                }
            }
        }
        for target in targets {
            if !rules.order.contains(&target) {
                rules.order.push(target);
            }
        }
    }

    fn rule(&mut self, name: &str, mapping: &Mapping) -> Rule {
        let mut rule = Rule::default();
        for (key, value) in mapping {
            let Some(key) = self.key(&["statuses", name], key) else { continue };
            let path = ["statuses", name, key];
            match key {
                "prompt" => rule.prompt = self.text(&path, value).unwrap_or_default(),
                "promptFile" => rule.prompt_file = self.text(&path, value).map(|file| self.folder.join(file)),
                "onPass" => rule.on_pass = self.text(&path, value).map(Column::from),
                "onFail" => rule.on_fail = self.text(&path, value).map(Column::from),
                "onExhausted" => rule.on_exhausted = self.text(&path, value).map(Column::from),
                "maxAttempts" => rule.max_attempts = self.number(&path, value, 1, 1000).map(|number| number as u32),
                "beforeTransition" => rule.before = self.hook(&path, value),
                "afterTransition" => rule.after = self.hook(&path, value),
                "k" => rule.k = self.number(&path, value, 1, 1000).map(|number| number as usize),
                "require" => rule.require = self.number(&path, value, 1, 1000).map(|number| number as usize),
                "threshold" => rule.threshold = self.fraction(&path, value),
                "evidence" => rule.evidence = self.evidence(&path, value),
                "requireChanges" => rule.require_changes = self.flag(&path, value),
                "redGreen" => rule.red_green = self.flag(&path, value),
                "guardPaths" => rule.guard_paths = self.guard_paths(&path, value),
                "onFailWork" => rule.on_fail_work = self.fail_work(&path, value),
                _ => self.unknown(&path, &KEYS),
            }
        }
        if !rule.prompt.is_empty() && rule.prompt_file.is_some() {
            let text = "`prompt` and `promptFile` exclude each other";
            self.problem(&["statuses", name, "promptFile"], text, None);
        }
        if let (Some(k), Some(require)) = (rule.k, rule.require)
            && require > k
        {
            let text = format!("`require` ({require}) is more than `k` ({k}): no card could ever pass");
            self.problem(&["statuses", name, "require"], text, None);
        }
        rule
    }

    fn text(&mut self, path: &[&str], value: &Value) -> Option<String> {
        match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                let wrong = match value {
                    Value::Null | Value::String(_) => "has no value: fill it in or remove it",
                    _ => "must be text",
                };
                self.problem(path, format!("`{}` {wrong}", path.last().copied().unwrap_or_default()), None);
                None
            }
        }
    }

    fn number(&mut self, path: &[&str], value: &Value, least: u64, most: u64) -> Option<u64> {
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let key = path.last().copied().unwrap_or_default();
            self.problem(path, format!("`{key}` must be a number from {least} to {most}"), None);
        }
        number
    }

    fn fraction(&mut self, path: &[&str], value: &Value) -> Option<f32> {
        let number = value.as_f64().filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            self.problem(path, "`threshold` must be a number from 0 to 1", None);
        }
        number.map(|number| number as f32)
    }

    fn flag(&mut self, path: &[&str], value: &Value) -> bool {
        value.as_bool().unwrap_or_else(|| {
            let key = path.last().copied().unwrap_or_default();
            self.problem(path, format!("`{key}` is true or false"), None);
            false
        })
    }

    fn fail_work(&mut self, path: &[&str], value: &Value) -> FailWork {
        match value.as_str() {
            Some("keep") => FailWork::Keep,
            Some("stash") => FailWork::Stash,
            Some("revert") => FailWork::Revert,
            _ => {
                let hint = "`keep` leaves it in the workspace, `stash` takes it back and keeps a patch of it, `revert` takes it back";
                self.problem(path, "`onFailWork` is keep, stash or revert", Some(hint.to_owned()));
                FailWork::Keep
            }
        }
    }

    fn evidence(&mut self, path: &[&str], value: &Value) -> Option<Vec<Source>> {
        let items = match value {
            Value::Sequence(items) => items.clone(),
            other => vec![other.clone()],
        };
        let read = |item: &Value| match item.as_str() {
            Some("message") => Some(Source::Message),
            Some("changes") => Some(Source::Changes),
            _ => None,
        };
        let sources: Option<BTreeSet<Source>> = items.iter().map(read).collect();
        let sources = sources.filter(|sources| !sources.is_empty());
        if sources.is_none() {
            let hint = Some("`evidence: [changes]` is the strict choice".to_owned());
            self.problem(path, "`evidence` is a list of `message` and `changes`", hint);
        }
        sources.map(|sources| sources.into_iter().collect())
    }

    fn guard_paths(&mut self, path: &[&str], value: &Value) -> GuardPaths {
        let items = match value {
            Value::Sequence(items) => items.clone(),
            other => vec![other.clone()],
        };
        let globs: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        let read = globs.ok_or_else(|| "it is a list of globs of files".to_owned()).and_then(GuardPaths::new);
        read.unwrap_or_else(|reason| {
            let hint = "write `guardPaths: [\"tests/**\", conftest.py]`; `!glob` lets files go".to_owned();
            self.problem(path, format!("`guardPaths`: {reason}"), Some(hint));
            GuardPaths::default()
        })
    }

    fn hook(&mut self, path: &[&str], value: &Value) -> Option<Hook> {
        let one = value.as_mapping().filter(|mapping| mapping.len() == 1).and_then(|mapping| mapping.iter().next());
        let one = one.and_then(|(kind, text)| Some((kind.as_str()?, text.as_str()?.trim())));
        match one {
            Some(("shell", line)) if !line.is_empty() => {
                // A program named by a path belongs to the project, and its file is a gate input.
                let file = script::program(line).map(|(path, _)| self.folder.join(path));
                Some(Hook::Shell { line: line.to_owned(), file })
            }
            Some(("js", file)) if !file.is_empty() => Some(Hook::Js(self.folder.join(file))),
            _ => {
                let hint = Some("write `{ shell: COMMAND }` or `{ js: FILE }`".to_owned());
                self.problem(path, "a hook is one of `shell` and `js`", hint);
                None
            }
        }
    }

    /// One hook for all events, or one for each.
    fn listeners(&mut self, value: &Value) -> Listeners {
        let each = value.as_mapping().filter(|mapping| {
            !mapping.is_empty() && !mapping.keys().any(|key| matches!(key.as_str(), Some("shell" | "js")))
        });
        let Some(each) = each else {
            let hook = self.hook(&["onEvent"], value);
            return hook.iter().flat_map(|hook| Occasion::ALL.map(|occasion| (occasion, hook.clone()))).collect();
        };
        let mut listeners = Listeners::new();
        for (key, value) in each {
            let Some(key) = self.key(&["onEvent"], key) else { continue };
            match Occasion::named(key) {
                Some(occasion) => {
                    listeners.extend(self.hook(&["onEvent", key], value).map(|hook| (occasion, hook)));
                }
                None => self.unknown(&["onEvent", key], &Occasion::ALL.map(Occasion::name)),
            }
        }
        listeners
    }

    /// A typing error in a column's name would silently make it a parking place or lose a card's target.
    fn check_columns(&mut self, rules: &Rules, columns: &[Column]) {
        let hint = |name: &Column| match closest(&name.0, columns.iter().map(|column| &*column.0)) {
            Some(near) => format!("did you mean `{near}`? or set `createColumns: true`"),
            None => {
                let known: Vec<_> = columns.iter().map(|column| &*column.0).collect();
                format!("the board has {}; or set `createColumns: true`", known.join(", "))
            }
        };
        for (name, rule) in &rules.columns {
            if !columns.contains(name) {
                self.problem(&["statuses", &name.0], format!("the board has no column `{name}`"), Some(hint(name)));
            }
            let targets = [("onPass", &rule.on_pass), ("onFail", &rule.on_fail), ("onExhausted", &rule.on_exhausted)];
            for (key, target) in targets {
                if let Some(target) = target.as_ref().filter(|target| !columns.contains(target)) {
                    let text = format!("`{key}: {target}`: the board has no such column");
                    self.problem(&["statuses", &name.0, key], text, Some(hint(target)));
                }
            }
        }
    }

    /// A board that lists no columns takes every one, but a name that its cards write in other letters is a typing error.
    fn check_statuses(&mut self, rules: &Rules, board: &Board) {
        for name in rules.columns.keys().filter(|name| board.column(name).next().is_none()) {
            let lower = name.0.to_lowercase();
            let mut parked = board.cards.iter().filter(|card| !rules.columns.contains_key(&card.status));
            if let Some(card) = parked.find(|card| card.status.0.to_lowercase() == lower) {
                let hint = format!("did you mean `{}`? or set `createColumns: true`", card.status);
                self.problem(&["statuses", &name.0], format!("the board has no column `{name}`"), Some(hint));
            }
        }
    }

    /// A ring of `onFail` edges sends a card round and round; one of its columns must say how often.
    fn check_cycles(&mut self, rules: &Rules) {
        let edge = |name: &Column| rules.columns.get(name).and_then(|rule| rule.on_fail.as_ref());
        let mut told = BTreeSet::new();
        for start in rules.columns.keys() {
            let mut ring = vec![start];
            let mut at = edge(start);
            while let Some(next) = at.filter(|next| !ring.contains(next)) {
                ring.push(next);
                at = edge(next);
            }
            let limited =
                ring.iter().any(|name| rules.columns.get(*name).is_some_and(|rule| rule.max_attempts.is_some()));
            if at == Some(start) && ring.len() > 1 && !limited && !told.contains(start) {
                let names: Vec<_> = ring.iter().chain([&start]).map(|name| &*name.0).collect();
                let text = format!("the `onFail` edges go in a ring: {}", names.join(" → "));
                let hint = Some("give one of these columns `maxAttempts` and `onExhausted`".to_owned());
                self.problem(&["statuses", &start.0, "onFail"], text, hint);
                told.extend(ring);
            }
        }
    }
}

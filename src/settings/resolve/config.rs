//! The config file: where it is looked for, and what it says.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::away::canonical;
use super::{Origin, Raw, Resolver};
use crate::failure::{Problem, closest};
use crate::settings::table::{Form, TABLE};
use crate::settings::{read_text, shown};
use crate::yaml::Document;

const NAME: &str = "kanban-codex-exec.yaml";

const EMPTY: &str = "has no value: fill it in or remove it";

impl Resolver<'_> {
    /// `--config`, else the file beside the board that a flag or variable names, else the one in this folder, unless that
    /// names another board.
    pub(super) fn find_config(&mut self) {
        if let Some(path) = &self.given.config {
            return self.read_named(self.given.folder.join(path));
        }
        let here = self.given.folder.clone();
        let beside = self.beside().filter(|folder| *folder != here);
        for path in beside.into_iter().chain([here]).map(|folder| folder.join(NAME)) {
            self.config_places.push(path.clone());
            self.refuse_other_spelling(&path);
            if !self.is_there(&path) {
                continue;
            }
            let problems = self.problems.len();
            self.read_file(&path);
            self.config = path;
            if self.config_places.len() == 1 || !self.is_of_another_board() {
                return;
            }
            self.from_file.clear();
            self.problems.truncate(problems);
        }
        self.config = self.config_places[0].clone();
    }

    /// The folder of the board that a flag or variable names.
    fn beside(&mut self) -> Option<PathBuf> {
        let github = self.raw("provider").is_some_and(|raw| raw.words == ["github"]);
        let raw = self.raw("source").filter(|_| !github)?;
        let source = self.given.folder.join(raw.words.first()?);
        source.parent().filter(|folder| folder.is_dir()).map(Path::to_owned)
    }

    /// Whether the file that was read names another board than a flag or variable does.
    fn is_of_another_board(&mut self) -> bool {
        let given = self.raw("source");
        let place = |raw: &Raw| {
            let path = self.placed(raw)?;
            Some(fs::canonicalize(&path).unwrap_or_else(|_| canonical(path)))
        };
        let named = self.from_file.get("source");
        named.is_some() && named.and_then(place) != given.as_ref().and_then(place)
    }

    /// What can't be looked at is there, too: reading it says what is wrong.
    fn is_there(&self, path: &Path) -> bool {
        match (self.given.accepted_configs.get(path), fs::symlink_metadata(path)) {
            (Some(copy), _) => copy.is_some(),
            (None, Ok(_)) => true,
            (None, Err(error)) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }

    fn refuse_other_spelling(&mut self, path: &Path) {
        let other = path.with_extension("yml");
        if fs::symlink_metadata(&other).is_ok() {
            let hint = "rename it, or remove it".to_owned();
            let text = format!("is not read: the config file is called {NAME}");
            let file = shown(&other, &self.given.folder);
            self.problems.push(Problem { file, line: 0, column: 0, text, hint: Some(hint) });
        }
    }

    fn read_named(&mut self, path: PathBuf) {
        let wrong = match path.metadata() {
            Ok(data) if data.is_dir() => Some(("is a folder, not a file", String::new())),
            Ok(_) => None,
            Err(_) => Some(("no such file", self.start_of_paths(&Origin::Flag("config")))),
        };
        match wrong {
            Some((wrong, hint)) => {
                let text = format!("{}: {wrong}", shown(&path, &self.given.folder));
                self.problem(&Origin::Flag("config"), text, &hint);
            }
            None => self.read_file(&path),
        }
        self.config_places.push(path.clone());
        self.config = path;
    }

    fn read_file(&mut self, path: &Path) {
        let name = shown(path, &self.given.folder);
        let text = match self.given.accepted_configs.get(path) {
            Some(copy) => Ok(copy.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned()),
            None => text(path, &name),
        };
        match text {
            Ok(text) => self.read_config(&text, &name),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn read_config(&mut self, text: &str, name: &str) {
        let document = match Document::parse(text, name) {
            Ok(document) => document,
            Err(problem) => return self.problems.push(problem),
        };
        let mapping = match &document.value {
            Value::Null => return,
            Value::Mapping(mapping) => mapping,
            _ => return self.problems.push(document.problem(&[], "a mapping of settings is expected")),
        };
        for (key, value) in mapping {
            let Some(key) = key.as_str() else {
                self.problems.push(document.problem(&[], "keys must be text"));
                continue;
            };
            match value {
                Value::Mapping(inner) if TABLE.iter().any(|row| row.key.starts_with(&format!("{key}."))) => {
                    for (inner_key, value) in inner {
                        let inner_key = inner_key.as_str().unwrap_or_default();
                        self.config_entry(&document, &[key, inner_key], value);
                    }
                }
                _ => self.config_entry(&document, &[key], value),
            }
        }
    }

    fn config_entry(&mut self, document: &Document, path: &[&str], value: &Value) {
        let key = path.join(".");
        let Some(row) = TABLE.iter().find(|row| row.key == key) else {
            let below = TABLE.iter().filter_map(|row| row.key.strip_prefix(&key)?.strip_prefix('.'));
            let below: Vec<&str> = below.collect();
            if !below.is_empty() {
                let text = format!("`{key}` must be a mapping of {}", below.join(", "));
                return self.problems.push(document.problem(path, text));
            }
            let mut problem = document.problem(path, format!("unknown setting `{key}`"));
            problem.hint = Some(match closest(&key, TABLE.iter().map(|row| row.key)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`kanban-codex-exec run --help` lists the settings".to_owned(),
            });
            return self.problems.push(problem);
        };
        let scalar = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        };
        let words = match (row.form, value) {
            (Form::Words(_) | Form::List(_) | Form::Pairs(_), Value::Sequence(items)) => {
                items.iter().map(scalar).collect()
            }
            (Form::Pairs(_), Value::Mapping(map)) => {
                map.iter().map(|(key, value)| Some(format!("{}={}", scalar(key)?, scalar(value)?))).collect()
            }
            (Form::Words(_) | Form::List(_) | Form::Pairs(_), _) => {
                scalar(value).and_then(|text| row.form.split(&text))
            }
            (Form::Value(_) | Form::Switch, _) => {
                scalar(value).filter(|text| !row.form.lacks_value(text)).map(|text| vec![text])
            }
        };
        match words {
            Some(words) => {
                let origin = Origin::File(document.problem(path, ""));
                self.from_file.insert(row.key, Raw { words, origin });
            }
            None => {
                let wrong = match (row.form, value) {
                    (_, Value::Null) => EMPTY,
                    (Form::Words(_) | Form::List(_) | Form::Pairs(_), Value::String(_)) => "has an unclosed quote",
                    (Form::Pairs(_), _) => "must map parts of a card to names",
                    (Form::Words(_) | Form::List(_), _) => "must be a list of texts, or one text",
                    (Form::Value(_) | Form::Switch, Value::String(_)) => EMPTY,
                    (Form::Value(_) | Form::Switch, _) => "must be one value",
                };
                self.problems.push(document.problem(path, format!("`{key}` {wrong}")));
            }
        }
    }
}

/// What stands there and is no file is not the same as none.
fn text(path: &Path, name: &str) -> Result<String, Problem> {
    const REMEDY: &str = "it holds the settings: make it a file, or remove it";
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (file, text) = (name.to_owned(), "is a link that leads nowhere".to_owned());
            Err(Problem { file, line: 0, column: 0, text, hint: Some(REMEDY.to_owned()) })
        }
        _ => read_text(path, name, REMEDY),
    }
}

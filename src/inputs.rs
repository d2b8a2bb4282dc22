//! The gate inputs: tests file, rules file, prompt files, config, hooks. Read once, hashed, and judged by from memory.

pub mod difference;
pub mod recorded;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::board::Board;
use crate::checks::{self, Names, TestString};
use crate::cycle::state::State;
use crate::failure::{Failure, Problem};
use crate::index::{self, Index};
use crate::journal::InputHash;
use crate::process::{find, is_executable};
use crate::rules::script::{self, Scripts};
use crate::rules::{self, Hook, Rules};
use crate::settings::{Settings, read_bytes, read_text, shown};
use crate::storage::{self, sha256};
use crate::yaml::Document;

/// One file, as it was when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    pub path: PathBuf,
    /// As people know it.
    pub name: String,
    /// None: there is no such file, and one that is made is a change. So it is with the config file.
    pub bytes: Option<Vec<u8>>,
    /// Empty where there is no file.
    pub sha256: String,
}

impl InputFile {
    /// What the file holds now.
    pub fn now(&self) -> Option<Vec<u8>> {
        storage::read(&self.path).ok()
    }

    /// Whether it is not as it was accepted: changed, gone, or unreadable.
    pub fn changed(&self) -> bool {
        match &self.bytes {
            Some(bytes) => !holds(&self.path, bytes).unwrap_or(false),
            None => self.now().is_some(),
        }
    }
}

/// Whether that is all that the file holds. It is compared piece by piece: a copy of a million tests is long in the making.
fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(1 << 16, storage::open(path)?);
    let mut left = bytes;
    loop {
        let piece = file.fill_buf()?;
        match left.strip_prefix(piece) {
            Some(rest) if !piece.is_empty() => left = rest,
            Some(rest) => return Ok(rest.is_empty()),
            None => return Ok(false),
        }
        let length = piece.len();
        file.consume(length);
    }
}

/// Everything that the gate judges by.
#[derive(Debug)]
pub struct Inputs {
    pub files: Vec<InputFile>,
    pub rules: Rules,
    /// What lets a `beforeTransition` say no to every card: a run pays for none of them.
    pub unfit: Vec<Problem>,
    pub tests: Vec<TestString>,
    /// Of the tests.
    pub names: Names,
    pub index: Index,
    /// A new index's bytes, where the stored one does not fit the tests; whoever may write saves it.
    pub fresh_index: Option<Vec<u8>>,
}

/// The stored index of the tests.
pub fn index_path(cache_dir: &Path) -> PathBuf {
    cache_dir.join("index.bin")
}

impl Inputs {
    /// Reads and checks all inputs; the rules are checked against `board`. All problems at once.
    pub fn load(settings: &Settings, board: &Board) -> Result<Inputs, Vec<Problem>> {
        Inputs::read(settings, board, Copies::new(), true)
    }

    /// The inputs that hold at the start of a run: as the files are, but by the accepted `copies` of those that are [`held`].
    /// `trusted` says that no attempt was open, which could have written into the stored index.
    pub fn accepted(settings: &Settings, board: &Board, copies: Copies, trusted: bool) -> Result<Inputs, Failure> {
        Ok(Inputs::read(settings, board, copies, trusted)?)
    }

    fn read(settings: &Settings, board: &Board, copies: Copies, trusted: bool) -> Result<Inputs, Vec<Problem>> {
        let mut reader = Reader { settings, copies, files: Vec::new(), unfit: Vec::new(), problems: Vec::new() };
        let hint = "name it with --transitions FILE or TRANSITIONS_FILE; each column that is worked has a rule there";
        let rules = reader.text(&settings.transitions, hint).and_then(|text| reader.rules(&text, board));
        let hint =
            "name it with --tests FILE or TESTS_FILE; it holds one test string a line, such as `includes:some text`";
        let tests = reader.text(&settings.tests, hint).and_then(|text| reader.tests(&text));
        settings.config_places.iter().for_each(|path| reader.config(path));
        let (Some(rules), Some(tests), true) = (rules, tests, reader.problems.is_empty()) else {
            return Err(reader.problems);
        };
        let Reader { files, unfit, .. } = reader;
        let (index, fresh_index) = load_index(settings, &tests, trusted)?;
        Ok(Inputs { files, rules, unfit, names: Names::of(&tests), tests, index, fresh_index })
    }

    /// What the journal says of them.
    pub fn hashes(&self) -> Vec<InputHash> {
        self.files.iter().map(|file| InputHash { file: file.name.clone(), sha256: file.sha256.clone() }).collect()
    }

    /// What the inputs whose files are not as accepted hold now; the hash of one that is gone is empty.
    pub fn unaccepted(&self) -> Vec<InputHash> {
        self.changed().into_iter().map(|file| InputHash { file: file.name.clone(), sha256: hash(file.now()) }).collect()
    }

    /// The inputs whose files are not as accepted now.
    pub fn changed(&self) -> Vec<&InputFile> {
        self.files.iter().filter(|file| file.changed()).collect()
    }

    /// Whether any of them may not be adopted.
    pub fn any_held(&self, state: &State) -> bool {
        self.files.iter().any(|file| state.held_inputs.contains_key(&file.name))
    }

    /// Of these files the ones that are none of its own.
    pub fn without_own<'f>(&self, files: impl Iterator<Item = &'f String>) -> Vec<String> {
        files.filter(|file| self.files.iter().all(|own| own.name != **file)).cloned().collect()
    }

    /// What a hook rests on.
    pub fn of_hook<'i>(&'i self, hook: &Hook, settings: &Settings) -> impl Iterator<Item = &'i InputFile> {
        let Scripts { files, .. } = hook_files(hook, settings, |path| self.files.iter().any(|file| file.path == path));
        self.files.iter().filter(move |file| files.contains(&file.path))
    }
}

/// What is read in place of files; None: as if there were no file.
pub type Copies = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The accepted copies of the inputs that changed during an attempt, or while codex ran whose runner died. Where it had ended,
/// they were looked at: what changed since is a person's doing.
pub fn held(workspace: &Path, cache_dir: &Path, state: &State) -> Result<Copies, Failure> {
    let mut copies = Copies::new();
    if state.held_inputs.is_empty() && state.running().next().is_none() {
        return Ok(copies);
    }
    for (name, accepted) in state.accepted_as() {
        let path = workspace.join(name);
        if hash(storage::read(&path).ok()) != *accepted {
            copies.insert(path, copy(cache_dir, name, accepted)?);
        }
    }
    Ok(copies)
}

/// The copy that was kept of an input when it was accepted; None where it was accepted that there is none.
pub fn copy(cache_dir: &Path, name: &str, accepted: &str) -> Result<Option<Vec<u8>>, Failure> {
    if accepted.is_empty() {
        return Ok(None);
    }
    match kept(cache_dir, accepted) {
        Some(bytes) => Ok(Some(bytes)),
        None => {
            let text = format!("{name} is not as it was accepted, and its accepted copy is gone or damaged");
            Err(Failure::usage(text).hint("look at the file; `accept` adopts it as it is"))
        }
    }
}

/// The copy of that hash; None where it is gone or damaged.
fn kept(cache_dir: &Path, accepted: &str) -> Option<Vec<u8>> {
    storage::read(cache_dir.join("inputs").join(accepted)).ok().filter(|bytes| sha256(bytes) == accepted)
}

/// Empty for no file.
pub fn hash(bytes: Option<Vec<u8>>) -> String {
    bytes.map_or(String::new(), |bytes| sha256(&bytes))
}

/// The program of a hook, and the scripts that its line runs, from the workspace on; `known` are files that may be gone.
fn hook_files(hook: &Hook, settings: &Settings, known: impl Fn(&Path) -> bool) -> Scripts {
    match hook {
        Hook::Js(file) => Scripts { files: vec![file.clone()], missing: None },
        // It runs in the workspace.
        Hook::Shell { line, file } => {
            let at = |file: PathBuf| settings.workspace.join(file).components().collect::<PathBuf>();
            let scripts = script::scripts(line, &|file| {
                let path = at(file.to_owned());
                if known(&path) { Some(true) } else { is_executable(&path) }
            });
            let files = file.iter().cloned().chain(scripts.files.into_iter().map(at)).collect();
            // A program that the line begins with is looked for from the rules on.
            Scripts { files, missing: scripts.missing.filter(|_| file.is_none()).map(at) }
        }
    }
}

/// Why a hook can't be started, as far as that shows beforehand, and what to do.
pub fn unfit(hook: &Hook, settings: &Settings) -> Option<[String; 2]> {
    let on_path = |program: &str| find(program, &settings.env.path()).is_some();
    let hint = "install it, or set PATH where the run is started: PM2 and cron have a short one".to_owned();
    match hook {
        Hook::Shell { file: Some(file), .. } => (is_executable(file) == Some(false)).then(|| {
            let name = settings.shown(file);
            [format!("{name} is not executable"), format!("chmod +x {name}")]
        }),
        Hook::Shell { file: None, line } => {
            let program = script::bare_program(line).filter(|program| !on_path(program))?;
            Some([format!("`{program}` is not on PATH"), hint])
        }
        Hook::Js(_) => {
            let runtime = &settings.js_runtime;
            (!on_path(runtime)).then(|| [format!("{runtime} is not there, with which JavaScript hooks run"), hint])
        }
    }
}

/// The stored index if it is to be trusted and belongs to these tests, else one that is made in memory: of the stored one where that
/// is to be trusted.
pub fn load_index(
    settings: &Settings,
    tests: &[TestString],
    trusted: bool,
) -> Result<(Index, Option<Vec<u8>>), Vec<Problem>> {
    let words: Vec<&str> = tests.iter().map(|test| test.words.as_str()).collect();
    let source = sha256(words.join("\n").as_bytes());
    let stored = trusted.then(|| Index::open(&index_path(&settings.cache_dir)).ok()).flatten();
    let bytes = match stored {
        Some(index) if index.source_sha256() == source => return Ok((index, None)),
        Some(index) => index.update(&words, &source),
        None => index::build(&words, &source),
    };
    let problem = |unusable: index::Unusable| Problem {
        file: settings.shown(&settings.tests),
        line: 0,
        column: 0,
        text: format!("its index can't be built: {unusable}"),
        hint: None,
    };
    let index = Index::from_bytes(bytes.clone()).map_err(|unusable| vec![problem(unusable)])?;
    Ok((index, Some(bytes)))
}

/// The hint for a file that a rule names and that is not there.
const FROM_RULES: &str = "a path in the rules starts at the folder of their file";

/// The same for one that a hook's line names later than with its first word.
const FROM_LINE: &str = "a hook's line runs in the workspace; what a card makes is for a `shell:` test to run";

struct Reader<'s> {
    settings: &'s Settings,
    /// What is read in place of a file.
    copies: Copies,
    files: Vec<InputFile>,
    unfit: Vec<Problem>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn text(&mut self, path: &Path, hint: &str) -> Option<String> {
        self.read(path, hint).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn read(&mut self, path: &Path, hint: &str) -> Result<String, Problem> {
        let name = self.settings.shown(path);
        let copy = self.copies.get(path).and_then(Option::as_ref);
        let text = match copy.map(|bytes| String::from_utf8_lossy(bytes).into_owned()) {
            Some(text) => text,
            None => read_text(path, &name, hint)?,
        };
        self.add(path, Some(text.clone().into_bytes()));
        Ok(text)
    }

    /// The settings were made from it already.
    fn config(&mut self, path: &Path) {
        let bytes = match self.copies.get(path) {
            Some(copy) => copy.clone(),
            None => storage::read(path).ok(),
        };
        self.add(path, bytes);
    }

    fn add(&mut self, path: &Path, bytes: Option<Vec<u8>>) {
        // Not from where the user stands: the journal knows a file by this name.
        let name = shown(path, &self.settings.workspace);
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(InputFile { path: path.to_owned(), name, sha256: hash(bytes.clone()), bytes });
        }
    }

    fn rules(&mut self, text: &str, board: &Board) -> Option<Rules> {
        let name = self.settings.shown(&self.settings.transitions);
        let folder = self.settings.transitions.parent().unwrap_or(Path::new("/"));
        let (mut rules, mut wrong) = rules::read(text, &name, folder, Some(board));
        let Ok(document) = Document::parse(text, &name) else {
            self.problems.extend(wrong);
            return None;
        };
        for (column, rule) in &mut rules.columns {
            let problem =
                |key: &str, text: String| document.problem(&["statuses", &column.0, key], format!("`{key}`: {text}"));
            let cause = |key: &str, cause: Problem| {
                let text = cause.to_string();
                Problem { hint: cause.hint, ..problem(key, text) }
            };
            if let Some(file) = &rule.prompt_file {
                match self.read(file, FROM_RULES).map(|text| text.trim_start_matches('\u{feff}').to_owned()) {
                    Ok(text) if text.trim().is_empty() => {
                        wrong.push(problem("promptFile", format!("{} is empty", self.settings.shown(file))));
                    }
                    Ok(text) => rule.prompt = text,
                    Err(error) => wrong.push(cause("promptFile", error)),
                }
            }
            for (key, hook) in [("beforeTransition", &rule.before), ("afterTransition", &rule.after)] {
                wrong.extend(self.hook(hook.as_ref()).into_iter().map(|error| cause(key, error)));
            }
            if let Some([text, hint]) = rule.before.as_ref().and_then(|hook| unfit(hook, self.settings)) {
                self.unfit.push(Problem { hint: Some(hint), ..problem("beforeTransition", text) });
            }
            let (k, require) = (rule.k.unwrap_or(self.settings.k), rule.require.unwrap_or(self.settings.require));
            // What one rule says of both is told already.
            if require > k && (rule.k.is_none() || rule.require.is_none()) {
                let key = if rule.require.is_some() { "require" } else { "k" };
                let text = format!("{require} tests must pass and only {k} are selected: no card could ever pass");
                let hint = "what a rule doesn't say, K_MIN (its `k`) and K_REQ (its `require`) say";
                wrong.push(Problem { hint: Some(hint.into()), ..problem(key, text) });
            }
        }
        for (occasion, hook) in &rules.on_event {
            let at = |cause: Problem| {
                let text = format!("`onEvent`: {cause}");
                Problem { hint: cause.hint, ..document.problem(&["onEvent", occasion.name()], text) }
            };
            wrong.extend(self.hook(Some(hook)).into_iter().map(at));
        }
        wrong.sort_by_key(Problem::place);
        wrong.dedup();
        self.problems.extend(wrong);
        Some(rules)
    }

    /// What a hook rests on is an input; what is wrong with that.
    fn hook(&mut self, hook: Option<&Hook>) -> Vec<Problem> {
        let mut wrong = Vec::new();
        let known = |path: &Path| self.copies.get(path).is_some_and(Option::is_some);
        let Scripts { files, missing } = hook.map(|hook| hook_files(hook, self.settings, known)).unwrap_or_default();
        let files = files.into_iter().map(|file| (file, FROM_RULES));
        for (file, hint) in files.chain(missing.map(|file| (file, FROM_LINE))) {
            let read = || read_bytes(&file, &self.settings.shown(&file), hint);
            match self.copies.get(&file).cloned().flatten().map_or_else(read, Ok) {
                Ok(bytes) => self.add(&file, Some(bytes)),
                Err(problem) => wrong.push(problem),
            }
        }
        wrong
    }

    fn tests(&mut self, text: &str) -> Option<Vec<TestString>> {
        let name = self.settings.shown(&self.settings.tests);
        tests_of(text, &name).map_err(|problems| self.problems.extend(problems)).ok()
    }
}

/// By no test nothing passes: a file without one is what an editor or a full disk leaves, and would bounce the whole board.
pub fn tests_of(text: &str, name: &str) -> Result<Vec<TestString>, Vec<Problem>> {
    let tests = checks::parse(text, name)?;
    if tests.is_empty() {
        let (file, hint) = (name.to_owned(), Some("write one there, such as `includes:some text`".to_owned()));
        return Err(vec![Problem { file, line: 0, column: 0, text: "holds no test".to_owned(), hint }]);
    }
    Ok(tests)
}

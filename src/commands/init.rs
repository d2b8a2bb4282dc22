//! `init`: what a board needs to be worked, written beside it. It asks nothing and replaces nothing.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use ignore::WalkBuilder;

use super::{holder, open_board, show};
use crate::cli;
use crate::failure::{Failure, Kind};
use crate::provider::{Source, Wanted, github};
use crate::report::init::{Placed, Scaffold, State, human};
use crate::scaffold::names::Language;
use crate::scaffold::proposal::{self, TestFile};
use crate::scaffold::{self, rules};
use crate::settings::{Given, Need, Settings, shown};
use crate::storage::{self, Writer};

const PM2: &str = include_str!("../../pm2/ecosystem.config.cjs");
/// How its lines begin that tell what board is meant.
const PM2_BOARD: [&str; 3] = ["// A project", "const { KANBAN_PROVIDER", "const isPath"];
const WORKFLOWS: [(&str, &str); 2] = [
    ("kanban-dry-run.yml", include_str!("../../examples/github-actions/kanban-dry-run.yml")),
    ("kanban-run.yml", include_str!("../../examples/github-actions/kanban-run.yml")),
];
/// A larger file of tests was written by a program.
const LARGEST: u64 = 1 << 20;

pub fn init(matches: &ArgMatches) -> Result<u8, Failure> {
    let mut given = Given::from_process(cli::flags(matches), None)?;
    let began = given.folder.clone();
    if let Some(folder) = matches.get_one::<PathBuf>("folder") {
        given.folder.push(folder);
        if given.folder.is_file() {
            let failure = Failure::usage(format!("{}: is a file, not a folder", folder.display()));
            return Err(failure.hint("`init --source FILE` is for a board that is there"));
        }
        Writer::within(&given.folder).open_folder(&given.folder)?;
        given.folder = fs::canonicalize(&given.folder).map_err(anyhow::Error::from)?;
    }
    // Nothing is written where something that was given is wrong.
    let settings = Settings::resolve(&given, Need::History)?;
    if let Some(held) = holder(&settings)? {
        let text = anyhow::anyhow!(
            "a run is at work there ({}), and what is written now would count as its work",
            held.holder
        );
        return Err(Failure::new(Kind::Error, text).hint("stop it first, or wait until it ends"));
    }
    let config = settings.config;
    let folder = fs::canonicalize(config.parent().unwrap_or(&given.folder)).map_err(anyhow::Error::from)?;
    if matches.get_flag("ci") && !folder.join(".git").exists() {
        let failure = Failure::usage(format!("--ci: {} is not the root of a git repository", folder.display()));
        return Err(failure.hint(way_to_workflows(&folder, &given)));
    }
    let mut place = Place { folder, files: Vec::new() };
    let (settings, page) = place.fill(given, matches, &began).map_err(|failure| place.told_of(failure))?;
    show(&settings, &page, &human(&page))?;
    Ok(0)
}

/// Where the files go, and what became of them.
struct Place {
    folder: PathBuf,
    files: Vec<Placed>,
}

impl Place {
    /// Writes what is missing.
    fn fill(&mut self, mut given: Given, matches: &ArgMatches, began: &Path) -> Result<(Settings, Scaffold), Failure> {
        if !Settings::knows_board(&given) {
            match other_board(&given.folder)? {
                Some(name) => drop(given.flags.insert("source".to_owned(), name)),
                None => self.add(&given.folder.join("board.md"), scaffold::BOARD)?,
            }
        }
        let settings = Settings::resolve(&given, Need::Board)?;
        let board = open_board(&settings)?.read(&Wanted::default())?.arranged(&[]);
        let columns = if board.columns.is_empty() { scaffold::columns() } else { board.columns.clone() };
        self.add(&self.folder.join("kanban-codex-exec.yaml"), &config_text(&settings, &self.folder))?;
        self.add(&settings.transitions, &rules::text(&columns, &judged_by(&settings)))?;
        self.add(&settings.tests, scaffold::TESTS)?;
        self.keep_cache_out(&settings)?;
        let mut tests_found = None;
        if matches.get_flag("from-tests") {
            let files = test_files(&settings.workspace);
            tests_found = Some(files.iter().map(|file| file.names.len()).sum());
            self.propose(&files, &settings, &named(&settings, matches))?;
        }
        if matches.get_flag("pm2") {
            self.add(&self.folder.join("ecosystem.config.cjs"), &pm2(&settings, &self.folder))?;
        }
        if matches.get_flag("ci") {
            for (name, text) in WORKFLOWS {
                self.add(&self.folder.join(".github/workflows").join(name), text)?;
            }
        }
        let (board, next) = (settings.source_name.clone(), next(&settings, began, matches));
        let page = Scaffold { version: 1, board, columns, files: std::mem::take(&mut self.files), tests_found, next };
        Ok((settings, page))
    }

    /// A failure with what was written before it.
    fn told_of(&self, failure: Failure) -> Failure {
        let written = self.files.iter().filter(|file| file.state != State::Kept);
        let written: Vec<&str> = written.map(|file| &*file.path).collect();
        match written.is_empty() {
            true => failure,
            false => failure.hint(format!("written until then: {}; `init` again writes the rest", written.join(", "))),
        }
    }

    fn told(&mut self, path: &Path, state: State) {
        self.files.push(Placed { path: shown(path, &self.folder), state });
    }

    /// A file that is there stays as it is.
    fn add(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let written = writer(path).add(path, text.as_bytes())?;
        self.told(path, if written { State::Written } else { State::Kept });
        Ok(())
    }

    /// CACHE_DIR keeps itself out of git; the line tells people, and other programs that read the file.
    fn keep_cache_out(&mut self, settings: &Settings) -> Result<(), Failure> {
        if !self.folder.join(".git").exists() {
            return Ok(());
        }
        let path = self.folder.join(".gitignore");
        let old = storage::read_to_string(&path).unwrap_or_default();
        match scaffold::ignored(&old).filter(|_| settings.cache_dir.starts_with(&self.folder)) {
            Some(new) if old.is_empty() => self.add(&path, &new),
            Some(new) => {
                let written = writer(&path).swap(&path, old.as_bytes(), new.as_bytes())?;
                self.told(&path, if written { State::Extended } else { State::Kept });
                Ok(())
            }
            None => {
                self.told(&path, State::Kept);
                Ok(())
            }
        }
    }

    fn propose(&mut self, files: &[TestFile], settings: &Settings, named: &str) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        let package = storage::read_to_string(settings.workspace.join("package.json")).unwrap_or_default();
        let path = settings.tests.with_extension("proposed.txt");
        let names = (&*settings.shown(&settings.tests), &*settings.shown(&path));
        let text = proposal::text(files, &package, names, named);
        self.add(&path, &text)
    }
}

/// What to do where the folder that the files go into is no root of a repository.
fn way_to_workflows(folder: &Path, given: &Given) -> String {
    let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else {
        return "workflows lie in its root: `git init` makes the folder one".to_owned();
    };
    let (settings, problems) = Settings::with_problems(given, Need::Board);
    let board = settings.source.path().filter(|_| problems.is_empty());
    let board = board.map_or_else(|| shown(&folder.join("BOARD"), root), |path| shown(path, root));
    let config = shown(&root.join("kanban-codex-exec.yaml"), &given.folder);
    format!(
        "workflows lie in its root: let the config file be {config}, with `source: {board}`, and run `init --ci` there"
    )
}

/// Settings can have each file in a folder of its own.
fn writer(path: &Path) -> Writer {
    Writer::within(path.parent().unwrap_or(path))
}

/// A board of another name than those that need not be named.
fn other_board(folder: &Path) -> Result<Option<String>, Failure> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
    let entries = fs::read_dir(folder).map_err(anyhow::Error::from)?;
    let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
    names.sort();
    let is_board = |name: &String| match name.as_str() {
        ".backlog" => folder.join(name).is_dir(),
        name if name.to_lowercase().ends_with(".md") => {
            storage::read_to_string(folder.join(name)).is_ok_and(|text| scaffold::is_board(name, &text))
        }
        _ => false,
    };
    names.retain(is_board);
    match names.as_slice() {
        [] | [_] => Ok(names.pop()),
        several => Err(Failure::usage(format!("there are several boards: {}", several.join(", ")))
            .hint("name the one that is to be worked with --source FILE")),
    }
}

fn config_text(settings: &Settings, folder: &Path) -> String {
    let git = storage::read_to_string(settings.workspace.join(".git/config")).unwrap_or_default();
    match &settings.source {
        Source::Project(access) => {
            scaffold::config(&[("provider", "github"), ("source", project(access).as_str())], None)
        }
        Source::Path(path) => {
            let source = shown(path, folder);
            let todo = source.to_lowercase().ends_with("todo.md");
            let next = (settings.next && !todo).then_some(("next", "true"));
            let lines: Vec<_> = [("source", source.as_str())].into_iter().chain(next).collect();
            scaffold::config(&lines, scaffold::owner(&git))
        }
    }
}

/// As people write it.
fn project(access: &github::Access) -> String {
    format!("{}/{}", access.owner, access.number)
}

/// What a card is judged by, as codex finds it in its workspace.
fn judged_by(settings: &Settings) -> String {
    let board = settings.source.path();
    let others = [&settings.tests, &settings.transitions, &settings.config];
    let files = board.into_iter().chain(others.map(PathBuf::as_path));
    let mut files: Vec<String> = files.map(|path| shown(path, &settings.workspace)).collect();
    let last = files.pop().unwrap_or_default();
    format!("{} and {last}", files.join(", "))
}

/// The files with tests among those that git would list, by path.
fn test_files(workspace: &Path) -> Vec<TestFile> {
    let mut walk = WalkBuilder::new(workspace);
    walk.require_git(false).sort_by_file_path(Path::cmp).filter_entry(|entry| entry.file_name() != "node_modules");
    let read = |entry: ignore::DirEntry| {
        let path = entry.path().strip_prefix(workspace).ok()?.to_str()?.to_owned();
        let language = Language::of(&path)
            .filter(|_| entry.metadata().is_ok_and(|data| data.is_file() && data.len() <= LARGEST))?;
        let names = language.names(&storage::read_to_string(entry.path()).ok()?);
        (!names.is_empty()).then_some(TestFile { path, language, names })
    };
    walk.build().flatten().filter_map(read).collect()
}

/// The shipped file, for this board.
fn pm2(settings: &Settings, folder: &Path) -> String {
    let text = PM2.replace("KANBAN_SOURCE=board.md pm2 start pm2/", "pm2 start ");
    // Wherever it is started, these settings hold.
    let text = text.replace("'10'],", "'10', '--config', config],");
    let config = "const config = path.join(__dirname, 'kanban-codex-exec.yaml');\n";
    let text = text.replace("\nmodule.exports", &format!("{config}\nmodule.exports"));
    let name = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let env = match &settings.source {
        Source::Path(path) => format!(
            "KANBAN_SOURCE: path.resolve(process.env.KANBAN_SOURCE || path.resolve(__dirname, {}))",
            name(&shown(path, folder))
        ),
        Source::Project(access) => format!("KANBAN_PROVIDER: 'github', KANBAN_SOURCE: {}", name(&project(access))),
    };
    let lines = text.lines().filter(|line| !PM2_BOARD.iter().any(|begin| line.starts_with(begin)));
    let own = |line: &str| match line.trim_start().starts_with("env: ") {
        true => format!("      env: {{ {env} }},\n"),
        false => format!("{line}\n"),
    };
    lines.map(own).collect()
}

/// The words by which a command knows a board that was named for this one.
fn named(settings: &Settings, matches: &ArgMatches) -> String {
    let source = matches.get_one::<String>("source").filter(|_| settings.source.path().is_some());
    source.map_or_else(String::new, |source| format!(" --source {}", shell_words::quote(source)))
}

/// The command that goes on from here.
fn next(settings: &Settings, began: &Path, matches: &ArgMatches) -> String {
    const PLAN: &str = "kanban-codex-exec print-plan";
    match &*named(settings, matches) {
        named if !named.is_empty() => format!("{PLAN}{named}"),
        _ if settings.folder == fs::canonicalize(began).unwrap_or(began.to_owned()) => PLAN.to_owned(),
        _ => format!("cd {} && {PLAN}", shell_words::quote(&shown(&settings.folder, began))),
    }
}

//! The files that a hook's line runs: their text decides as the line itself does. Pure.

use std::path::{Path, PathBuf};

/// Programs that run the first file that they are given.
const INTERPRETERS: [&str; 18] = [
    "sh", "bash", "dash", "zsh", "ksh", "fish", "node", "deno", "bun", "tsx", "ts-node", "python", "ruby", "perl",
    "php", "lua", ".", "source",
];

/// Words that a command follows.
const BEFORE_A_COMMAND: [&str; 21] = [
    "env", "timeout", "nice", "exec", "command", "time", "nohup", "setsid", "stdbuf", "ionice", "sudo", "xargs", "!",
    "{", "if", "then", "else", "while", "until", "do", "<",
];

/// Programs that run none of the files that they are given.
const LOOK: [&str; 20] = [
    "test",
    "[",
    "[[",
    "cat",
    "chmod",
    "cmp",
    "diff",
    "echo",
    "file",
    "git",
    "grep",
    "head",
    "ls",
    "printf",
    "rg",
    "sed",
    "shellcheck",
    "stat",
    "tail",
    "wc",
];

/// What a shell does itself, and words that begin what is no command.
const OF_THE_SHELL: [&str; 60] = [
    "!", ".", ":", "[", "[[", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "coproc",
    "declare", "echo", "enable", "eval", "exec", "exit", "export", "false", "for", "function", "getopts", "hash", "if",
    "jobs", "kill", "let", "local", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readonly", "return",
    "select", "set", "shift", "shopt", "source", "test", "time", "times", "trap", "true", "type", "typeset", "ulimit",
    "umask", "unalias", "unset", "until", "wait", "while", "{", "}",
];

/// How a line says where it stands.
const HERE: [&str; 4] = ["$(git rev-parse --show-toplevel)", "$(pwd)", "${PWD}", "$PWD"];

/// The path that a line begins with, without its quotes, and what follows it. None where it begins with something else, or
/// the shell makes something else of it.
pub fn program(line: &str) -> Option<(String, &str)> {
    let ends = line.match_indices(char::is_whitespace).map(|(at, _)| at).chain([line.len()]);
    let mut heads = ends.map(|end| line.split_at(end)).filter(|(head, _)| !head.ends_with('\\'));
    let (mut words, head, rest) = heads.find_map(|(head, rest)| Some((shell_words::split(head).ok()?, head, rest)))?;
    let path = words.pop().filter(|word| word.contains('/') && !is_assignment(word))?;
    (!head.contains(['$', '`', ';', '&', '|', '(', '~'])).then_some((path, rest))
}

/// The program that a line begins with by its bare name, which has to be on PATH. None where it begins otherwise.
pub fn bare_program(line: &str) -> Option<String> {
    let words = shell_words::split(&apart(line)).ok().filter(|_| !line.contains("()"))?;
    let word = words.iter().find(|word| !is_assignment(word) || word.starts_with("PATH="))?;
    (is_plain(word) && !is_assignment(word) && !OF_THE_SHELL.contains(&&**word)).then(|| word.clone())
}

/// What a line runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// From where the line starts.
    pub files: Vec<PathBuf>,
    /// What its first command would run and is not there.
    pub missing: Option<PathBuf>,
}

/// The files that are run by the line's commands: programs, what an interpreter is given, also by a pipe, and whatever can be
/// executed behind words that say nothing. What a command is given to work on is none. `file` tells whether a file can be
/// executed; None: there is no such file.
pub fn scripts(line: &str, file: &dyn Fn(&Path) -> Option<bool>) -> Scripts {
    let line = HERE.iter().fold(line.replace("||", ";"), |line, here| line.replace(here, "."));
    let Ok(words) = shell_words::split(&apart(&line)) else { return Scripts::default() };
    let (mut scripts, mut folder, mut begun) = (Scripts::default(), PathBuf::new(), false);
    // What the commands before it in the pipe name.
    let mut piped: Vec<PathBuf> = Vec::new();
    for command in words.split_inclusive(|word| word == ";" || word == "|") {
        let (end, command) = match command.split_last() {
            Some((end, command)) if end == ";" || end == "|" => (end.as_str(), command),
            _ => ("", command),
        };
        if let [cd, to, ..] = command
            && cd == "cd"
        {
            folder.push(to);
            continue;
        }
        let ran = run(command, &folder, file);
        if !begun && !command.is_empty() {
            scripts.missing = ran.missing;
            begun = true;
        }
        scripts.files.extend(ran.files);
        if ran.reads_program {
            scripts.files.append(&mut piped);
        }
        match end {
            "|" => piped.extend(command.iter().map(|word| folder.join(word)).filter(|path| file(path).is_some())),
            _ => piped.clear(),
        }
    }
    scripts
}

#[derive(Default)]
struct Ran {
    files: Vec<PathBuf>,
    missing: Option<PathBuf>,
    /// An interpreter that is given no program reads it.
    reads_program: bool,
}

fn run(command: &[String], folder: &Path, file: &dyn Fn(&Path) -> Option<bool>) -> Ran {
    let mut ran = Ran::default();
    // Whether all words so far are known, so that the next one is run.
    let (mut known, mut interpreted, mut option) = (true, false, "");
    for word in command {
        // A path that is not absolute is the project's own, whatever its name.
        let name = if word.starts_with('/') { word.rsplit('/').next().unwrap_or_default() } else { word };
        let path = folder.join(word);
        let executable = file(&path).filter(|_| !word.starts_with('-'));
        let is_path = word.contains('/');
        // As of `python3.12`.
        let unversioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if INTERPRETERS.contains(&name) || INTERPRETERS.contains(&unversioned) {
            interpreted = true;
        } else if LOOK.contains(&name) && !interpreted {
            return ran;
        } else if executable.is_some_and(|executable| interpreted || is_path && (known || executable)) {
            ran.files.push(path);
            if known || interpreted {
                return ran;
            }
        } else if interpreted && option.ends_with('c') {
            let nested = scripts(word, &|path| file(&folder.join(path)));
            ran.files.extend(nested.files.iter().map(|path| folder.join(path)));
            ran.missing = nested.missing.map(|path| folder.join(path));
            return ran;
        } else if word.starts_with('-') && word != "-m" {
            option = word;
            continue;
        } else if BEFORE_A_COMMAND.contains(&name)
            || is_assignment(word)
            || word.starts_with(|c: char| c.is_ascii_digit())
            || (!option.is_empty() && is_plain(word))
        {
        } else if known && option.is_empty() && is_a_path(&path) && (is_path || interpreted && word.contains('.')) {
            ran.missing = Some(path);
            return ran;
        } else {
            known = false;
            interpreted &= is_plain(word);
        }
        option = "";
    }
    ran.reads_program = interpreted && ran.files.is_empty();
    ran
}

/// Which the shell makes nothing else of.
fn is_a_path(path: &Path) -> bool {
    path.to_string_lossy().chars().all(|c| c.is_alphanumeric() || "_-.+/ ".contains(c))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// As what an option takes, and no text of a program.
fn is_plain(word: &str) -> bool {
    word != "-m" && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:+,=".contains(c))
}

/// The line without comments, with its commands apart: what stands between them outside of quotes is a word `;`, or `|` of a pipe. `<` is a word,
/// too.
fn apart(line: &str) -> String {
    let (mut apart, mut quote, mut escaped, mut comment) = (String::new(), None, false, false);
    for c in line.chars() {
        let between = quote.is_none() && !escaped;
        comment = c != '\n' && (comment || c == '#' && between && apart.chars().last().is_none_or(char::is_whitespace));
        match c {
            _ if comment => continue,
            _ if escaped => escaped = false,
            '\\' if quote != Some('\'') => escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '|' | '<' if quote.is_none() => {
                apart.extend([' ', c, ' ']);
                continue;
            }
            '&' | ';' | '(' | ')' | '\n' if quote.is_none() => {
                apart.push_str(" ; ");
                continue;
            }
            _ => {}
        }
        apart.push(c);
    }
    apart
}

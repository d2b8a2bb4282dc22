//! The files that a hook's line runs: their text decides as the line itself does. Pure.

use std::path::{Path, PathBuf};

/// Programs that run the first file that they are given.
const INTERPRETERS: [&str; 17] = [
    "sh", "bash", "dash", "zsh", "ksh", "fish", "node", "deno", "bun", "python", "python3", "ruby", "perl", "php",
    "lua", ".", "source",
];

/// Words that a command follows.
const BEFORE_A_COMMAND: [&str; 20] = [
    "env", "timeout", "nice", "exec", "command", "time", "nohup", "setsid", "stdbuf", "ionice", "sudo", "xargs", "!",
    "{", "if", "then", "else", "while", "until", "do",
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

/// The files that are run by the line's commands, from where the line starts. What a command is given to work on is none.
pub fn scripts(line: &str, is_file: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let line = HERE.iter().fold(line.to_owned(), |line, here| line.replace(here, "."));
    let Ok(words) = shell_words::split(&apart(&line)) else { return Vec::new() };
    let (mut scripts, mut folder) = (Vec::new(), PathBuf::new());
    for command in words.split(|word| word == ";") {
        if let [cd, to, ..] = command
            && cd == "cd"
        {
            folder.push(to);
            continue;
        }
        scripts.extend(run(command, &folder, is_file));
    }
    scripts
}

fn run(command: &[String], folder: &Path, is_file: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let (mut interpreted, mut option) = (false, "");
    for word in command {
        // A path that is not absolute is the project's own, whatever its name.
        let name = if word.starts_with('/') { word.rsplit('/').next().unwrap_or_default() } else { word };
        let path = folder.join(word);
        if INTERPRETERS.contains(&name) {
            interpreted = true;
        } else if (interpreted || word.contains('/')) && !word.starts_with('-') && is_file(&path) {
            return vec![path];
        } else if interpreted && option.ends_with('c') {
            return scripts(word, &|file| is_file(&folder.join(file))).iter().map(|file| folder.join(file)).collect();
        } else if word.starts_with('-') && word != "-m" {
            option = word;
            continue;
        } else if !(BEFORE_A_COMMAND.contains(&name)
            || is_assignment(word)
            || word.starts_with(|c: char| c.is_ascii_digit())
            || (!option.is_empty() && is_plain(word)))
        {
            return Vec::new();
        }
        option = "";
    }
    Vec::new()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// As what an option takes, and no text of a program.
fn is_plain(word: &str) -> bool {
    word != "-m" && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:+,=".contains(c))
}

/// The line with its commands apart: what stands between them outside of quotes is a word `;`.
fn apart(line: &str) -> String {
    let (mut apart, mut quote, mut escaped) = (String::new(), None, false);
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != Some('\'') => escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '&' | '|' | ';' | '(' | ')' | '\n' if quote.is_none() => {
                apart.push_str(" ; ");
                continue;
            }
            _ => {}
        }
        apart.push(c);
    }
    apart
}

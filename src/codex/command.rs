//! The command line of one attempt.

use std::fmt;
use std::path::Path;

use super::Settings;

/// What codex takes of a prompt, in characters.
const LONGEST_PROMPT: usize = 1 << 20;
/// What Linux takes of one argument, in bytes: MAX_ARG_STRLEN (execve(2)) counts the NUL after it.
const LONGEST_ARGUMENT: usize = 128 * 1024 - 1;
/// Prompts that `codex exec` would take for something else.
const WORDS: [&str; 4] = ["resume", "fork", "review", "help"];

/// A program with its arguments; `argv[0]` is the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub argv: Vec<String>,
    /// The prompt is to be its standard input, which is otherwise empty; `-` stands in its place.
    pub prompt_on_stdin: bool,
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&on_a_line(&self.argv))
    }
}

/// The words as a shell would have to be given them. Those with line feeds are in `$'…'`, as POSIX has it since 2024.
pub fn on_a_line(argv: &[String]) -> String {
    let quoted = |word: &String| match word.contains('\n') {
        true => format!("$'{}'", word.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")),
        false => shell_words::quote(word).into_owned(),
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A prompt that codex would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    pub characters: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooLong { characters } = self;
        write!(
            f,
            "the prompt has {characters} characters, codex takes {LONGEST_PROMPT}: shorten the card or its prompt"
        )
    }
}

impl std::error::Error for TooLong {}

/// `codex exec PROMPT …` with the settings' arguments, `--json` and the file for the last message, whose name codex takes
/// only as UTF-8. `in_git`: whether the folder that it works in belongs to a git repository.
pub fn command(settings: &Settings, prompt: &str, last_message: &Path, in_git: bool) -> Result<CommandLine, TooLong> {
    let characters = prompt.chars().count();
    if characters > LONGEST_PROMPT {
        return Err(TooLong { characters });
    }
    let prompt_on_stdin = needs_stdin(prompt);
    let mut argv = vec![
        settings.bin.clone(),
        "exec".to_owned(),
        if prompt_on_stdin { "-" } else { prompt }.to_owned(),
        "-c".to_owned(),
        // The quotes are TOML's, not a shell's.
        format!("model_reasoning_effort='{}'", settings.effort),
        "-m".to_owned(),
        settings.model.clone(),
    ];
    let access: &[&str] = match (settings.sandbox, in_git) {
        (false, _) => &["--dangerously-bypass-approvals-and-sandbox"],
        (true, true) => &["--sandbox", "workspace-write"],
        (true, false) => &["--sandbox", "workspace-write", "--skip-git-repo-check"],
    };
    argv.extend(access.iter().map(|word| (*word).to_owned()));
    argv.extend(settings.args.iter().cloned());
    argv.extend(["--json".to_owned(), "-o".to_owned(), last_message.to_string_lossy().into_owned()]);
    Ok(CommandLine { argv, prompt_on_stdin })
}

/// Whether the prompt can't be an argument: too long, or taken for a flag, a subcommand or the sign for standard input.
fn needs_stdin(prompt: &str) -> bool {
    prompt.len() > LONGEST_ARGUMENT || prompt.starts_with('-') || prompt.contains('\0') || WORDS.contains(&prompt)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings() -> Settings {
        Settings {
            bin: "codex".into(),
            model: "gpt-5-codex".into(),
            effort: "high".into(),
            sandbox: false,
            args: Vec::new(),
            start_limit: Duration::from_secs(1),
            silence_limit: Duration::from_secs(1),
            attempt_limit: Duration::from_secs(1),
            grace: Duration::from_secs(1),
        }
    }

    fn argv(settings: &Settings, prompt: &str, in_git: bool) -> Vec<String> {
        command(settings, prompt, Path::new("/a/last"), in_git).unwrap().argv
    }

    #[test]
    fn the_line_is_the_one_that_was_ordered() {
        let line = command(&settings(), "do \"it\"", Path::new("/a/last"), true).unwrap();
        assert!(!line.prompt_on_stdin);
        assert_eq!(
            line.argv,
            [
                "codex",
                "exec",
                "do \"it\"",
                "-c",
                "model_reasoning_effort='high'",
                "-m",
                "gpt-5-codex",
                "--dangerously-bypass-approvals-and-sandbox",
                "--json",
                "-o",
                "/a/last"
            ]
        );
        assert_eq!(shell_words::split(&line.to_string()).unwrap(), line.argv);
    }

    #[test]
    fn a_word_of_several_lines_is_quoted_on_one() {
        let words = ["codex", "two words", "it's", "a\n\\n 'b'\n"].map(str::to_owned);
        assert_eq!(on_a_line(&words), r"codex 'two words' 'it'\''s' $'a\n\\n \'b\'\n'");
    }

    #[test]
    fn the_sandbox_takes_the_place_of_the_bypass_and_needs_a_word_outside_git() {
        let sandboxed = Settings { sandbox: true, args: vec!["--ephemeral".into()], ..settings() };
        let cases: [(&Settings, bool, &[&str]); 4] = [
            (&settings(), true, &["--dangerously-bypass-approvals-and-sandbox"]),
            (&settings(), false, &["--dangerously-bypass-approvals-and-sandbox"]),
            (&sandboxed, true, &["--sandbox", "workspace-write", "--ephemeral"]),
            (&sandboxed, false, &["--sandbox", "workspace-write", "--skip-git-repo-check", "--ephemeral"]),
        ];
        for (settings, in_git, words) in cases {
            let argv = argv(settings, "x", in_git);
            assert_eq!(argv[7..argv.len() - 3], *words, "{settings:?} {in_git}");
        }
    }

    #[test]
    fn a_prompt_that_cannot_be_an_argument_goes_over_stdin() {
        let bytes = |count| "x".repeat(count);
        let cases = [
            (bytes(131_071), false),
            (bytes(131_072), true),
            ("é".repeat(65_536), true),
            ("-x".into(), true),
            ("-".into(), true),
            ("- a list".into(), true),
            (" -x".into(), false),
            ("resume".into(), true),
            ("fork".into(), true),
            ("review".into(), true),
            ("help".into(), true),
            ("res".into(), false),
            ("review it".into(), false),
            ("a\0b".into(), true),
            (String::new(), false),
        ];
        for (prompt, stdin) in cases {
            let line = command(&settings(), &prompt, Path::new("last"), true).unwrap();
            let name: String = prompt.chars().take(20).collect();
            assert_eq!(line.prompt_on_stdin, stdin, "{name}");
            assert_eq!(line.argv[2], if stdin { "-" } else { &prompt }, "{name}");
        }
    }

    #[test]
    fn what_codex_would_refuse_is_refused_with_its_length() {
        let fits = "é".repeat(1_048_576);
        assert!(command(&settings(), &fits, Path::new("last"), true).is_ok());
        let error = command(&settings(), &(fits + "é"), Path::new("last"), true).unwrap_err();
        assert_eq!(error, TooLong { characters: 1_048_577 });
        assert!(error.to_string().starts_with("the prompt has 1048577 characters, codex takes 1048576"));
    }
}

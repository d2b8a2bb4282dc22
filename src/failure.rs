//! What goes wrong at the top: a kind that decides the exit code, the cause, and what to do about it.

use std::fmt;
use std::time::Duration;

/// Why the program ends without success. The one table of exit codes is [`Kind::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unexpected: I/O, a held lock, a broken journal.
    Error,
    /// Wrong flag, variable, file or rule: nothing was written.
    Usage,
    /// A guard was reached: `--max-cards` and the like.
    Guard,
    /// Codex, the board or the network did not work, too often in a row.
    Infrastructure,
    /// A card bounced or failed, and `--fail-on-bounce` was given.
    Bounced,
    /// `replay` came to another verdict than the recorded one.
    Differs,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Kind {
    /// The process exit code of this kind.
    pub fn code(self) -> u8 {
        match self {
            Kind::Error => 1,
            Kind::Usage => 2,
            Kind::Guard => 3,
            Kind::Infrastructure => 4,
            Kind::Bounced | Kind::Differs => 5,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }
}

/// An error with its kind and the hints that follow it. Texts are lower case fragments without a final period.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub error: anyhow::Error,
    pub hints: Vec<String>,
    /// Of [`Kind::Infrastructure`]: when it may work again, where somebody said so.
    pub wait: Option<Duration>,
}

impl Failure {
    pub fn new(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Failure { kind, error: error.into(), hints: Vec::new(), wait: None }
    }

    /// A wrong input: exit 2.
    pub fn usage(text: impl fmt::Display) -> Self {
        Failure::new(Kind::Usage, anyhow::anyhow!("{text}"))
    }

    /// The wait in whole seconds, never less.
    pub fn wait_seconds(&self) -> Option<u64> {
        self.wait.map(|wait| wait.as_secs() + 1)
    }

    #[must_use]
    pub fn hint(mut self, text: impl fmt::Display) -> Self {
        self.hints.push(text.to_string());
        self
    }
}

impl From<anyhow::Error> for Failure {
    /// Also of an error that was a failure before.
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => {
                let denied = format!("{error:#}").contains("Permission denied").then_some(DENIED);
                let hint = disk_hint(&error).or(denied);
                let failure = Failure::new(Kind::Error, error);
                hint.into_iter().fold(failure, Failure::hint)
            }
        }
    }
}

const DENIED: &str = "let the user who runs this do so, or run it as one who may";
const FULL: &str = "free some space on that disk and run again: it goes on where it was";
const LIMITED: &str = "a limit on the size of files is set, as by `ulimit -f`: raise it and run again";

/// What to do where the disk is what failed: whatever program says so, it says it in these words.
const DISK: [(&str, &str); 6] = [
    ("No space left on device", FULL),
    ("Out of diskspace", FULL),
    ("Disk quota exceeded", FULL),
    ("File too large", LIMITED),
    ("SIGXFSZ", LIMITED),
    ("Read-only file system", "mount it for writing and run again: it goes on where it was"),
];

/// The hint of an error whose cause is the disk, and so no card's doing.
pub fn disk_hint(error: &anyhow::Error) -> Option<&'static str> {
    let text = format!("{error:#}");
    DISK.iter().find(|(words, _)| text.contains(words)).map(|(_, hint)| *hint)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a cause quotes can have several lines: none of them begins one of ours.
        let below = |text: &str, margin| text.trim_end().replace('\n', margin);
        write!(f, "error: {}", below(&format!("{:#}", self.error), "\n       "))?;
        if !self.hints.is_empty() {
            f.write_str("\n")?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {}", below(hint, "\n      "))?;
        }
        Ok(())
    }
}

/// One thing that is wrong in a file, where it is, and what to do. Files report all of theirs at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// 1-based; 0 where the problem is the file as a whole.
    pub line: usize,
    /// 1-based, in characters; 0 where only the line is known.
    pub column: usize,
    pub text: String,
    pub hint: Option<String>,
}

impl Problem {
    /// What problems of a file are ordered by; those of the file as a whole come first.
    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {}", self.text)
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let mut failure = Failure::usage(lines.join("\n"));
        for hint in problems.into_iter().filter_map(|problem| problem.hint) {
            if !failure.hints.contains(&hint) {
                failure.hints.push(hint);
            }
        }
        failure
    }
}

/// The name that a person probably meant, if one is near.
pub fn closest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let given = given.to_lowercase();
    let near = names.map(|name| (strsim::damerau_levenshtein(&given, &name.to_lowercase()), name)).min()?;
    (near.0 <= 1 + given.chars().count() / 4).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn later_lines_stand_below_the_first_ones_beginning() {
        let failure = Failure::usage("codex said: a\nerror: b\n\n").hint("c\nhint: d").hint("e");
        let told = "error: codex said: a\n       error: b\n\nhint: c\n      hint: d\nhint: e";
        assert_eq!(failure.to_string(), told);
    }
}

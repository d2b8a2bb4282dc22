//! Every setting once: its flag, environment name, config key, default and help. The command line, the resolver and the
//! README's table are made from it.

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One value.
    Value(&'static str),
    /// A flag that may stand without a value: `--watch`, `--watch=false`.
    Switch,
    /// Several values: a YAML list, or one text. In a flag or variable: words as a shell would split them.
    Words(&'static str),
    /// As [`Form::Words`], separated by commas.
    List(&'static str),
    /// As [`Form::List`], or a mapping: `a=b` for its key `a` with the value `b`.
    Pairs(&'static str),
}

impl Form {
    /// The values of one text. None where its quotes don't close.
    pub fn split(self, text: &str) -> Option<Vec<String>> {
        match self {
            Form::Value(_) | Form::Switch => Some(vec![text.to_owned()]),
            Form::Words(_) => shell_words::split(text).ok(),
            Form::List(_) | Form::Pairs(_) => {
                Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
            }
        }
    }

    /// Whether a text is no value: lists alone may be empty.
    pub fn lacks_value(self, text: &str) -> bool {
        text.is_empty() && matches!(self, Form::Value(_) | Form::Switch)
    }
}

/// Where `--help` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Board,
    Tests,
    Codex,
    Limits,
    Guards,
    Output,
}

impl Area {
    pub fn heading(self) -> &'static str {
        match self {
            Area::Board => "Board and files",
            Area::Tests => "Tests and gate",
            Area::Codex => "Codex",
            Area::Limits => "Time limits",
            Area::Guards => "Loop and guards",
            Area::Output => "Output",
        }
    }
}

/// One row of the settings table.
#[derive(Debug)]
pub struct Setting {
    /// The config file's key, camelCase; `a.b` is key `b` of the mapping `a`.
    pub key: &'static str,
    pub flag: &'static str,
    pub env: &'static str,
    pub form: Form,
    /// As the user would write it; empty: none.
    pub default: &'static str,
    pub area: Area,
    pub help: &'static str,
}

const fn row(
    area: Area,
    key: &'static str,
    flag: &'static str,
    env: &'static str,
    form: Form,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, flag, env, form, default, area, help }
}

use Area::{Board, Codex, Guards, Limits, Output, Tests};
use Form::{List, Pairs, Switch, Value, Words};

#[rustfmt::skip]
pub const TABLE: &[Setting] = &[
    row(Board, "provider", "provider", "KANBAN_PROVIDER", Value("markdown|github|file"), "markdown", "What kind of board it is"),
    row(Board, "source", "source", "KANBAN_SOURCE", Value("BOARD"), "", "The board: a file, or a GitHub project as OWNER/NUMBER or its address; without it board.md, TODO.md and backlog/ are looked for in the current folder"),
    row(Board, "next", "next", "KANBAN_NEXT", Switch, "false", "Next-item mode: the first unchecked item is the card, passing ticks it (on by itself for TODO.md)"),
    row(Board, "file.keys", "file-keys", "KANBAN_FILE_KEYS", Pairs("PART=NAME,…"), "", "What the parts of a card are called in data: id, title, status, body, labels, dependencies, priority, ordinal"),
    row(Board, "transitions", "transitions", "TRANSITIONS_FILE", Value("FILE"), "transitions.yaml", "The rules of the columns; by default beside the board"),
    row(Board, "workspace", "workspace", "WORKSPACE", Value("DIR"), "", "Where codex works: by default the git root that holds the board, else its folder"),
    row(Board, "cacheDir", "cache-dir", "CACHE_DIR", Value("DIR"), ".cache/kanban-codex-exec", "Journal, attempts, index and logs; by default in the workspace"),
    row(Board, "keepAttempts", "keep-attempts", "KANBAN_KEEP_ATTEMPTS", Value("N"), "20", "Of each card so many attempts are kept in CACHE_DIR, besides those that are still needed"),
    row(Tests, "tests", "tests", "TESTS_FILE", Value("FILE"), "tests.txt", "The test strings, one a line; by default beside the board"),
    row(Tests, "kMin", "k-min", "K_MIN", Value("N"), "5", "How many tests are selected for a card (top k)"),
    row(Tests, "kReq", "k-req", "K_REQ", Value("N"), "3", "How many of them must pass"),
    row(Tests, "threshold", "threshold", "SIMILARITY_THRESHOLD", Value("0..1"), "0.15", "Least similarity of a selected test"),
    row(Tests, "mmrLambda", "mmr-lambda", "MMR_LAMBDA", Value("0..1"), "0.92", "Relevance against diversity: 1 is relevance alone"),
    row(Tests, "allowShellTests", "allow-shell-tests", "ALLOW_SHELL_TESTS", Switch, "false", "Run `shell:` tests whose command is on the allowlist"),
    row(Tests, "shellAllowlist", "shell-allowlist", "SHELL_TEST_ALLOWLIST", List("COMMAND,…"), "", "Commands (`cargo`, `cargo test`) or whole lines that `shell:` tests may run"),
    row(Codex, "codexBin", "codex-bin", "CODEX_BIN", Value("PROGRAM"), "codex", "The codex program, a path or a name on PATH"),
    row(Codex, "model", "model", "CODEX_MODEL", Value("NAME"), "gpt-5-codex", "The model"),
    row(Codex, "reasoningEffort", "reasoning-effort", "REASONING_EFFORT", Value("low|medium|high"), "high", "The model's reasoning effort"),
    row(Codex, "sandbox", "sandbox", "KANBAN_CODEX_SANDBOX", Switch, "false", "Codex's own sandbox (workspace-write) in place of bypassing approvals and sandbox"),
    row(Codex, "codex.args", "codex-args", "KANBAN_CODEX_ARGS", Words("ARGS"), "", "Further arguments for `codex exec`"),
    row(Codex, "env", "env", "KANBAN_ENV", List("NAME,…"), "", "Variables that children get although they are withheld by default (GH_TOKEN, …); `!NAME` withholds one"),
    row(Codex, "jsRuntime", "js-runtime", "JS_RUNTIME", Value("PROGRAM"), "node", "What runs `js` hooks"),
    row(Limits, "attemptLimit", "attempt-limit", "KANBAN_ATTEMPT_LIMIT", Value("TIME"), "60m", "The longest that one codex run may take"),
    row(Limits, "startLimit", "start-limit", "KANBAN_START_LIMIT", Value("TIME"), "2m", "How long codex may take to its first event"),
    row(Limits, "silenceLimit", "silence-limit", "KANBAN_SILENCE_LIMIT", Value("TIME"), "10m", "The longest silence between two events; a running command pauses it"),
    row(Limits, "testLimit", "test-limit", "KANBAN_TEST_LIMIT", Value("TIME"), "5m", "The longest that one `shell:` test may take"),
    row(Limits, "hookLimit", "hook-limit", "KANBAN_HOOK_LIMIT", Value("TIME"), "1m", "The longest that one hook may take"),
    row(Limits, "grace", "grace", "KANBAN_GRACE", Value("TIME"), "3s", "How long an ended child may take to leave before it is killed"),
    row(Guards, "watch", "watch", "KANBAN_WATCH", Switch, "false", "Never end by draining: wait for the board to change"),
    row(Guards, "pollInterval", "poll-interval", "KANBAN_POLL_INTERVAL", Value("TIME"), "5s", "How often --watch looks at the board when it hears of no change"),
    row(Guards, "maxCards", "max-cards", "KANBAN_MAX_CARDS", Value("N"), "", "Stop before another card than these many is started"),
    row(Guards, "maxAttempts", "max-attempts", "KANBAN_MAX_ATTEMPTS", Value("N"), "3", "Failed attempts per card, column and body, where the column's rule says nothing"),
    row(Guards, "maxDuration", "max-duration", "KANBAN_MAX_DURATION", Value("TIME"), "", "Start no attempt after this time"),
    row(Guards, "maxTokens", "max-tokens", "KANBAN_MAX_TOKENS", Value("N"), "", "Start no attempt after these many tokens, cached input included once"),
    row(Guards, "maxCardTokens", "max-card-tokens", "KANBAN_MAX_CARD_TOKENS", Value("N"), "", "Tokens for the attempts at one card, column and body; then they are used up"),
    row(Guards, "maxCardTime", "max-card-time", "KANBAN_MAX_CARD_TIME", Value("TIME"), "", "Time for the attempts at one card, column and body; none takes longer than what is left of it"),
    row(Guards, "maxFailures", "max-failures", "KANBAN_MAX_FAILURES", Value("N"), "", "Stop after these many failed attempts in a row"),
    row(Guards, "budgetWindow", "budget-window", "KANBAN_BUDGET_WINDOW", Value("TIME"), "", "Count cards and tokens over this time back; by default over this run and the interrupted ones that it resumes, as time and failures in a row always are"),
    row(Guards, "infrastructureLimit", "infrastructure-limit", "KANBAN_INFRASTRUCTURE_LIMIT", Value("N"), "5", "Stop after these many infrastructure failures in a row"),
    row(Guards, "backoff", "backoff", "KANBAN_BACKOFF", Value("TIME"), "2s", "First wait after an infrastructure failure; it doubles, up to 5 minutes"),
    row(Guards, "failOnBounce", "fail-on-bounce", "KANBAN_FAIL_ON_BOUNCE", Switch, "false", "Exit 5 when a card bounced, failed or was not run"),
    row(Guards, "drainedExitCode", "drained-exit-code", "KANBAN_DRAINED_EXIT_CODE", Value("N"), "0", "The exit code of a drained queue (for supervisors)"),
    row(Output, "format", "format", "KANBAN_FORMAT", Value("human|json"), "human", "How the report on stdout is written"),
    row(Output, "color", "color", "KANBAN_COLOR", Value("auto|always|never"), "auto", "Colour in the report: auto is on a terminal, unless NO_COLOR is set"),
    row(Output, "logLevel", "log-level", "KANBAN_LOG", Value("error|warn|info|debug|trace"), "info", "How much stderr and CACHE_DIR/logs tell"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{DEFAULT_MMR_LAMBDA, DEFAULT_THRESHOLD};

    #[test]
    fn the_measured_defaults_are_those_of_the_index() {
        let default = |key: &str| TABLE.iter().find(|row| row.key == key).unwrap().default.parse::<f32>().unwrap();
        assert_eq!((default("threshold"), default("mmrLambda")), (DEFAULT_THRESHOLD, DEFAULT_MMR_LAMBDA));
    }
}

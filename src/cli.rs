//! The command line: subcommands, and the settings' flags as [`crate::settings::table`] lists them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use clap_complete::Shell;

use crate::report::Rendering;
use crate::schema::ALL;
use crate::settings::table::{Form, Setting, TABLE};

/// The whole command line.
pub fn command() -> Command {
    Command::new("kanban-codex-exec")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Works your Kanban board unattended with `codex exec`; a card moves only when the tests that belong to it prove the work")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(BEGIN)
        .subcommand(with_settings(
            Command::new("run")
                .about("Work the board until nothing is left to do or a guard is reached")
                .after_help("Example: kanban-codex-exec run --source board.md --max-cards 3"),
        ))
        .subcommand(with_settings(
            Command::new("dry-run")
                .about("Show each card's path if its attempts pass and if they fail; writes nothing, starts nothing")
                .after_help("Example: kanban-codex-exec dry-run --source TODO.md"),
        ))
        .subcommand(with_settings(
            Command::new("print-plan")
                .about("Show the cards in order, each with its prompt, command, selected tests and verdict; starts nothing")
                .after_help("Examples:\n  kanban-codex-exec print-plan\n  kanban-codex-exec print-plan --format json | jq -r '.cards[] | [.verdict, .title] | @tsv'"),
        ))
        .subcommand(with_settings(
            Command::new("board")
                .about("Show the board as it is read: columns and their rules, cards with ids and lines, what is refused and why")
                .after_help("Needs no rules and no tests: run it first on a board of your own.\n\nExample: kanban-codex-exec board --source board.md"),
        ))
        .subcommand(with_settings(
            Command::new("explain")
                .about("Show why a card stands where it does: its gate, its tests by rank with near misses, its newest attempt")
                .after_help("Writes nothing and starts nothing, also while a run works.\n\nExample: kanban-codex-exec explain 'Greeting script'")
                .arg(card()),
        ))
        .subcommand(with_settings(
            Command::new("replay")
                .about("Judge a recorded attempt again, without codex: by the tests and rules of today, or of then")
                .after_help(REPLAY)
                .arg(Arg::new("attempt").value_name("ATTEMPT").required(true).help("The attempt's id, CARD.N"))
                .arg(
                    Arg::new("then")
                        .long("then")
                        .action(ArgAction::SetTrue)
                        .help("By the tests and rules that were accepted when it was judged"),
                ),
        ))
        .subcommand(
            with_settings(
                Command::new("report")
                    .about("Tell what became of the board's cards: a page to read, a summary for CI, test results, or data")
                    .after_help(REPORT),
            )
            // Of this command `--format` is its own.
            .mut_arg("format", |_| rendering())
            .arg(
                Arg::new("output")
                    .long("output")
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("Where to write it, as a whole or not at all [default: stdout]"),
            ),
        )
        .subcommand(with_settings(
            Command::new("status")
                .about("Show what runs now, what is queued, and for each card why it is worked or not")
                .after_help("Writes nothing and starts nothing, also while a run works; where the board is away, it tells what the journal knows.\n\nExample: kanban-codex-exec status --source board.md"),
        ))
        .subcommand(with_settings(
            Command::new("history")
                .about("Show what was tried, newest last: outcome, reason, time, tokens and files of each attempt")
                .after_help("Reads the journal alone: also while a run works, and where the board is away.\n\nExample: kanban-codex-exec history 'Greeting script'")
                .arg(card().required(false).help("Only of this card: its id or title")),
        ))
        .subcommand(with_settings(
            Command::new("logs")
                .about("Show what codex printed in an attempt")
                .after_help("Writes nothing, also while a run works. With --format json --follow, one object at the attempt's end.\n\nExample: kanban-codex-exec logs 'Greeting script' --follow")
                .arg(Arg::new("attempt").value_name("ATTEMPT").required(true).help("The attempt's id, CARD.N; a card's id or title means its newest"))
                .arg(
                    Arg::new("follow")
                        .long("follow")
                        .short('f')
                        .action(ArgAction::SetTrue)
                        .help("Go on until it is judged, or its runner is gone"),
                ),
        ))
        .subcommand(with_settings(
            Command::new("doctor")
                .about("Look whether a run would work here: settings, board, tests, rules, codex, git, locks, PM2")
                .after_help(DOCTOR)
                .arg(
                    Arg::new("self-test")
                        .long("self-test")
                        .action(ArgAction::SetTrue)
                        .help("Instead: try the loop in a temporary folder, with a stand-in that works well, badly and not at all"),
                ),
        ))
        .subcommand(with_settings(Command::new("index-tests")
            .about("Build the index of the tests file")
            .after_help("`run` does it by itself.\n\nExample: kanban-codex-exec index-tests --file tests.txt")).mut_arg("tests", |arg| {
            arg.visible_alias("file")
        }))
        .subcommand(with_settings(
            Command::new("retry").about("Start a card's attempts anew, its cached passes forgotten").after_help("Example: kanban-codex-exec retry 'Greeting script'").arg(card()),
        ))
        .subcommand(with_settings(
            Command::new("skip").about("Hold a card back").after_help("Examples:\n  kanban-codex-exec skip kb-1a2b3c4d\n  kanban-codex-exec skip kb-1a2b3c4d --undo").arg(card()).arg(
                Arg::new("undo").long("undo").action(ArgAction::SetTrue).help("Release it again"),
            ),
        ))
        .subcommand(with_settings(Command::new("pause").about("Start no attempt until `resume`; a running one goes on").after_help("Example: kanban-codex-exec pause --source board.md")))
        .subcommand(with_settings(Command::new("resume").about("Go on after `pause`").after_help("Example: kanban-codex-exec resume --source board.md")))
        .subcommand(with_settings(
            Command::new("accept").about("Adopt tests, rules or hooks that were changed during an attempt").after_help("Shows what changed first.\n\nExample: kanban-codex-exec accept --source board.md"),
        ))
        .subcommand(init())
        .subcommand(
            Command::new("demo")
                .about("Show the whole loop on an example board in a new folder; only codex is a stand-in there")
                .after_help("Needs git and a shell, no account.\n\nExample: kanban-codex-exec demo my-demo")
                .arg(
                    Arg::new("folder")
                        .value_name("DIR")
                        .value_parser(value_parser!(PathBuf))
                        .help("Where to put it; it must not exist [default: a temporary folder]"),
                ),
        )
        .subcommand(
            Command::new("schema")
                .about("Print the JSON Schema of what the program prints or reads; without a name, which there are")
                .after_help("Examples:\n  kanban-codex-exec schema\n  kanban-codex-exec schema config >.kanban-config.schema.json")
                .arg(Arg::new("name").value_name("NAME").value_parser(ALL.iter().map(|schema| schema.name).collect::<Vec<_>>())),
        )
        .subcommand(
            Command::new("completions")
                .about("Print the completions for a shell")
                .after_help(COMPLETIONS)
                .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell))),
        )
        .subcommand(
            Command::new("man")
                .about("Print the manual page, or write those of all commands into a folder")
                .after_help("Examples:\n  kanban-codex-exec man | man -l -\n  kanban-codex-exec man ~/.local/share/man/man1")
                .arg(Arg::new("folder").value_name("DIR").value_parser(value_parser!(PathBuf)).help("Where to write them; made if missing")),
        )
}

const COMPLETIONS: &str = "\
In ~/.bashrc, config.fish, rc.elv and $PROFILE; zsh reads a file from a folder of its fpath:
  source <(kanban-codex-exec completions bash)
  kanban-codex-exec completions fish | source
  eval (kanban-codex-exec completions elvish | slurp)
  kanban-codex-exec completions powershell | Out-String | Invoke-Expression
  kanban-codex-exec completions zsh >~/.zfunc/_kanban-codex-exec";

const REPLAY: &str = "\
The attempt's saved trees, message and ending are judged as the loop judges. Commands are not run: what is recorded of \
the same `shell:` line counts, and one without a record is inconclusive. Writes nothing, also while a run works.

Exit codes: 0 the recorded verdict again, 5 another one, 2 no such attempt.

Example: kanban-codex-exec replay kb-1a2b3c4d.2 --then";

const REPORT: &str = "\
Reads the board and the journal, also while a run works, and starts nothing. What a run writes into
the workspace can prove work, so while an attempt is at work no FILE there is written.

Examples:
  kanban-codex-exec report --output report.html
  kanban-codex-exec report --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  kanban-codex-exec report --format junit --output gate.xml";

/// How `report` is written.
pub const RENDERING: &str = "rendering";

fn rendering() -> Arg {
    let names = Rendering::ALL.map(|(name, _)| name);
    let named = |name: &str| Rendering::ALL.iter().find(|(known, _)| *known == name).map(|(_, rendering)| *rendering);
    Arg::new(RENDERING)
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(names).try_map(move |name| named(&name).ok_or("unknown")))
        .help("How it is written [default: html; json where KANBAN_FORMAT or the config file says so]")
}

const DOCTOR: &str = "\
Each line is ok, a warning or an error, with what to do. Writes nothing; codex, git and node are
asked for their versions, codex also whether it is logged in and which flags it takes.

Exit codes: 0 no error, 1 an error.

Example: kanban-codex-exec doctor --source board.md";

const BEGIN: &str = "\
To begin:
  kanban-codex-exec demo        # see it, without an account
  kanban-codex-exec init        # write what the board in this folder needs
  kanban-codex-exec print-plan  # what each card would be asked, and judged by
  kanban-codex-exec run         # work it";

fn init() -> Command {
    let folder = Arg::new("folder")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .conflicts_with("source")
        .help("Where the board is, or is to be [default: the current folder]");
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Also written")
    };
    let command = Command::new("init")
        .about("Write what a board needs beside it: settings, strict rules for its columns, a tests file")
        .after_help(INIT)
        .arg(folder)
        .arg(switch("from-tests", "Test strings, proposed from the names of the repository's own tests"))
        .arg(switch("pm2", "A file for PM2, to work the board overnight"))
        .arg(switch("ci", "GitHub workflows: the plan on pull requests, a run every night"));
    let own = ["source", "provider", "next", "format"];
    TABLE.iter().filter(|row| own.contains(&row.flag)).fold(command, |command, row| command.arg(flag(row)))
}

const INIT: &str = "\
Asks nothing. A board is written only where none is found: board.md, TODO.md, backlog/, or another Kanban markdown. \
What is there stays as it is, so that a second time changes nothing.

Examples:
  kanban-codex-exec init
  kanban-codex-exec init --source docs/plan.md --from-tests
  kanban-codex-exec init --provider github --source acme/7 --ci";

fn card() -> Arg {
    Arg::new("card").value_name("CARD").required(true).help("The card's id or title")
}

fn with_settings(command: Command) -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help_heading("Board and files")
        .help("The config file [default: kanban-codex-exec.yaml beside the board, else in the current folder, unless that names another board]");
    TABLE.iter().fold(command.arg(config), |command, row| command.arg(flag(row)))
}

fn flag(row: &'static Setting) -> Arg {
    let default = if row.default.is_empty() { String::new() } else { format!(" [default: {}]", row.default) };
    let help = format!("{} [env: {}]{default}", row.help, row.env);
    let arg = Arg::new(row.flag).long(row.flag).help(help).help_heading(row.area.heading()).hide_possible_values(true);
    match row.form {
        Form::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false"),
        Form::Value(name) | Form::Words(name) | Form::List(name) | Form::Pairs(name) => {
            arg.value_name(name).value_hint(hint(name)).value_parser(Hinted(name)).allow_hyphen_values(true)
        }
    }
}

/// Takes every text, for [`crate::settings`] says what is wrong with one; of `a|b` the shells know the values.
#[derive(Clone)]
struct Hinted(&'static str);

impl TypedValueParser for Hinted {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = self.0.split('|').map(PossibleValue::new);
        self.0.contains('|').then(|| Box::new(values) as Box<dyn Iterator<Item = PossibleValue>>)
    }
}

/// What a shell completes the value with.
fn hint(value: &str) -> ValueHint {
    match value {
        "FILE" | "BOARD" => ValueHint::AnyPath,
        "DIR" => ValueHint::DirPath,
        "PROGRAM" => ValueHint::CommandName,
        _ => ValueHint::Unknown,
    }
}

/// The settings that were given as flags.
pub fn flags(matches: &ArgMatches) -> BTreeMap<String, String> {
    // A command may have a part of them.
    let value = |row: &Setting| matches.try_get_one::<String>(row.flag).ok().flatten().cloned();
    let given = |row: &Setting| Some((row.flag.to_owned(), value(row)?));
    TABLE.iter().filter_map(given).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}

use std::process::ExitCode;

use kanban_codex_exec::process::launcher;
use kanban_codex_exec::{cli, commands, report};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == launcher::SUBCOMMAND) {
        return launcher::main(args);
    }
    let matches = match cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // A closed stdout or stderr leaves nobody to tell.
            error.print().ok();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    match commands::dispatch(&matches) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            report::failure(&failure);
            ExitCode::from(failure.kind.code())
        }
    }
}

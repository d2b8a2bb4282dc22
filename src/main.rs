use std::process::ExitCode;

use kanban_codex_exec::process::launcher;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == launcher::SUBCOMMAND) {
        return launcher::main(args);
    }
    ExitCode::SUCCESS
}

use std::process::ExitCode;

use kanban_codex_exec::process::launcher;
#[cfg(debug_assertions)]
use kanban_codex_exec::settings;
use kanban_codex_exec::{cli, commands, report};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == launcher::SUBCOMMAND) {
        #[cfg(debug_assertions)]
        kanban_codex_exec::storage::arm(settings::points(), settings::launcher());
        return launcher::main(args);
    }
    let code = match cli::command().try_get_matches() {
        Ok(matches) => commands::dispatch(&matches).unwrap_or_else(|failure| {
            report::failure(&failure);
            failure.kind.code()
        }),
        Err(error) => {
            match error.use_stderr() {
                true => report::failure(error.render()),
                // A closed stdout leaves nobody to tell.
                false => error.print().unwrap_or_default(),
            }
            error.exit_code() as u8
        }
    };
    report::wait_for_pm2();
    ExitCode::from(code)
}

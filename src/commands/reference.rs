//! `completions` and `man`: the command line, for shells and for `man`.

use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use super::say;
use crate::cli;
use crate::failure::Failure;
use crate::storage::Writer;

pub fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut command = cli::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut text);
    let mut text = String::from_utf8(text).map_err(anyhow::Error::from)?;
    if shell == Shell::Bash {
        // clap_complete 4.6 spells a program's hyphens in two ways, and finds no subcommand's flags then.
        text = text.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    say(&text)?;
    Ok(0)
}

/// Writes the page of each command into the folder; without one, the page of the program to stdout.
pub fn man(folder: Option<&Path>) -> Result<u8, Failure> {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = folder else {
        say(&String::from_utf8_lossy(&page(&command)?))?;
        return Ok(0);
    };
    let folder = std::path::absolute(folder).map_err(anyhow::Error::from)?;
    let writer = Writer::within(&folder);
    writer.open_folder(&folder)?;
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    for command in commands {
        let path = folder.join(Man::new(command.clone()).get_filename());
        writer.reproduce(&path, &page(command)?)?;
        say(&format!("{}\n", path.display()))?;
    }
    Ok(0)
}

fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text).context("cannot make the page")?;
    Ok(text)
}

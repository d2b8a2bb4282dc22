//! `demo`: the real loop on the example board in a new folder; only codex is a stand-in.

mod files;
mod proof;

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use self::files::Example;
use self::proof::GREETING;
use super::{open_board, run};
use crate::board::Column;
use crate::failure::{Failure, Kind};
use crate::journal::{Record, append, replay};
use crate::provider::Wanted;
use crate::settings::{Need, Settings};
use crate::storage::{self, Writer};

pub fn demo(folder: Option<PathBuf>) -> Result<u8, Failure> {
    let example = Example::lay_out(folder)?;
    let settings = || Settings::resolve(&example.given, Need::Board);
    let cache_dir = settings()?.cache_dir;
    let before = example.board()?;
    introduce(&example, &before);
    say(&format!("== First run: kanban-codex-exec {}\n", example.run_line()));
    let code = run::run(settings()?)?;
    if code != 0 {
        return Ok(code);
    }
    let first = replay::read(&cache_dir)?.records;
    proof::first_run(&first).map_err(unproved)?;
    let after = example.board()?;
    say(&format!(
        "\n== The board after it; lines that were not there before begin with +\n\n{}",
        marked(&before, &after)
    ));
    say(FIRST_RUN);
    drag_back(&settings()?)?;
    let dragged = example.board()?;
    say("== Second run, after someone dragged the finished card back to Review\n");
    let code = run::run(settings()?)?;
    if code != 0 {
        return Ok(code);
    }
    let all: Vec<Record> = replay::read(&cache_dir)?.records;
    proof::second_run(all.get(first.len()..).unwrap_or_default()).map_err(unproved)?;
    if example.board()? != dragged {
        return Err(unproved("the second run changed the board".to_owned()));
    }
    conclude(&example, &append::path(&cache_dir));
    Ok(0)
}

/// The demo claims nothing that the journal doesn't say.
fn unproved(what: String) -> Failure {
    Failure::new(Kind::Error, anyhow::anyhow!("the demo did not show what it should: {what}"))
        .hint("the folder is kept: its journal and attempts say what happened")
}

fn say(text: &str) {
    // A closed stdout leaves nobody to tell.
    writeln!(stdout(), "{text}").ok();
}

fn introduce(example: &Example, board: &str) {
    let folder = example.folder.display();
    say(&format!(
        "kanban-codex-exec on an example board in {folder}\n\
         ONLY CODEX IS A STAND-IN here: {}. The board, the test index, the gate,\n\
         the hooks and the journal are the real ones.",
        files::STAND_IN
    ));
    if !example.node {
        say("node is not on PATH: the JavaScript hook (hooks/notify.mjs) is left out of transitions.yaml.");
    }
    say(&format!("\n== The board before\n\n{board}"));
}

const FIRST_RUN: &str = "\
What you see
  promoted  `Greeting script` went In Progress → Review → Done: enough tests found what they look for in lines that
            its attempts added.
  bounced   `Start a changelog`: codex said that all is done, the tests found one of its three parts. The card tells why.
  not run   `Make the start page load faster`: too few tests match it, so codex was not started at all.
";

fn conclude(example: &Example, journal: &Path) {
    let folder = example.folder.display();
    let moves = if example.node { "\n  hook's log  moves.log" } else { "" };
    let program = std::env::current_exe().map_or("kanban-codex-exec".into(), |path| path.display().to_string());
    // What is to be typed is quoted as a shell wants it.
    let (there, program) = (example.folder.to_string_lossy(), shell_words::quote(&program));
    let there = shell_words::quote(&there);
    say(&format!(
        "\nNothing was started: what passed is not done again unless its card, its files, its tests or its rule change.\n\n\
         == To look at, in {folder}\n  board       board.md\n  journal     {}\n  attempts    {}{moves}\n\n\
         == To try next: move a card back to In Progress in board.md, and\n  \
         cd {there}\n  {program} report --output report.html    (a page of all that happened)\n  {program} print-plan\n  {program} dry-run\n  \
         {program} run --codex-bin ./{}    (without --codex-bin: the real codex)",
        shown(journal, &example.folder),
        shown(&journal.with_file_name("attempts"), &example.folder),
        files::STAND_IN,
    ));
}

fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// The board after, each new line marked. Long lines, which are for the machine, are cut.
fn marked(before: &str, after: &str) -> String {
    const WIDTH: usize = 160;
    let old: BTreeSet<&str> = before.lines().collect();
    let mark = |line: &str| {
        let sign = if old.contains(line) { ' ' } else { '+' };
        let cut = if line.chars().count() > WIDTH { "…" } else { "" };
        format!("{sign} {}{cut}", line.chars().take(WIDTH).collect::<String>()).trim_end().to_owned() + "\n"
    };
    after.lines().map(mark).collect()
}

/// What a person would do with the mouse.
fn drag_back(settings: &Settings) -> Result<()> {
    let board = open_board(settings).map_err(|failure| failure.error)?;
    let cards = &board.read(&Wanted::default())?.cards;
    let card = cards.iter().find(|card| *card.title == *GREETING).context("the finished card is gone")?;
    let folder = settings.source.path().and_then(Path::parent).unwrap_or(Path::new("/"));
    let review = Column::from("Review");
    board.transition(&Writer::within(folder), card, &review, None).map(drop)
}

impl Example {
    fn board(&self) -> Result<String> {
        let path = self.folder.join("board.md");
        storage::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

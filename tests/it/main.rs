//! The one integration binary: every test that runs the built program or crosses modules.

#![expect(clippy::disallowed_methods, reason = "tests set up and read their own worlds")]

mod boards;
mod data;
mod demo;
mod doctor;
mod errors;
mod evidence;
mod example_hooks;
mod examples;
mod explain;
mod faults;
mod fuzzed;
mod github;
mod history;
mod hostile;
mod init;
mod logs;
#[path = "../pm2/pm2.rs"]
mod pm2;
mod process;
mod real_codex;
mod reference;
mod replay;
mod report;
mod retrieval;
mod runs;
mod schemas;
mod secrets;
mod selection;
mod settings;
mod spawning;
mod status;
mod support;
mod terminal;
mod tidy;
mod transitions;
mod workflows;

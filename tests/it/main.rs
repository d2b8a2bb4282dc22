//! The one integration binary: every test that runs the built program or crosses modules.

#![expect(clippy::disallowed_methods, reason = "tests set up and read their own worlds")]

mod boards;
mod demo;
mod errors;
mod evidence;
mod examples;
mod faults;
mod fuzzed;
mod hostile;
mod pm2;
mod process;
mod real_codex;
mod retrieval;
mod runs;
mod settings;
mod spawning;
mod support;
mod tidy;
mod transitions;

//! The one integration binary: every test that runs the built program or crosses modules.

#![expect(clippy::disallowed_methods, reason = "tests set up and read their own worlds")]

mod boards;
mod evidence;
mod faults;
mod process;
mod real_codex;
mod retrieval;
mod runs;
mod support;

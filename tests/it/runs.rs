//! `run` from the first card to the last, with a scripted stand-in for codex.

mod boards;
mod bounces;
mod exhaustion;
mod failed_work;
mod guards;
mod hooks;
mod people;
mod red_green;
mod retention;
mod steering;
mod tampering;
mod watch;

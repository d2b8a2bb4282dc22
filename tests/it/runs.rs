//! `run` from the first card to the last, with a scripted stand-in for codex.

mod boards;
mod bounces;
mod exhaustion;
mod failed_work;
mod guards;
mod hooks;
mod instants;
mod lists;
mod mover;
mod news;
mod people;
mod quoted;
mod red_green;
mod retention;
mod steering;
mod tampering;
mod watch;

/// How much of something a longer run asks for.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}

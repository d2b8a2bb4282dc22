//! Codex's own words for what went wrong, as 0.169 says them.

use super::Cause;

/// What an error text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The card asks for what can't be done: trying it again later is of no use.
    Work,
    Infrastructure(Cause),
    Unknown,
}

use Judgement::{Infrastructure, Unknown, Work};

/// Lower case, with typewriter apostrophes. The first that is found counts.
const PHRASES: [(&str, Judgement); 39] = [
    ("context window", Work),
    ("context_length_exceeded", Work),
    ("usage limit", Infrastructure(Cause::RateLimit)),
    ("quota", Infrastructure(Cause::Quota)),
    ("billing", Infrastructure(Cause::Quota)),
    ("rate limit", Infrastructure(Cause::RateLimit)),
    ("rate_limit", Infrastructure(Cause::RateLimit)),
    ("too many requests", Infrastructure(Cause::RateLimit)),
    ("unauthorized", Infrastructure(Cause::Login)),
    ("not logged in", Infrastructure(Cause::Login)),
    ("log in again", Infrastructure(Cause::Login)),
    ("sign in again", Infrastructure(Cause::Login)),
    ("access token", Infrastructure(Cause::Login)),
    ("api key", Infrastructure(Cause::Login)),
    ("missing environment variable", Infrastructure(Cause::Login)),
    ("model_not_found", Infrastructure(Cause::Configuration)),
    ("` does not exist or you do not have access", Infrastructure(Cause::Configuration)),
    ("model is not supported", Infrastructure(Cause::Configuration)),
    ("requires a newer version of codex", Infrastructure(Cause::Configuration)),
    ("at capacity", Infrastructure(Cause::Server)),
    ("overloaded", Infrastructure(Cause::Server)),
    ("high demand", Infrastructure(Cause::Server)),
    ("server_error", Infrastructure(Cause::Server)),
    ("internal server error", Infrastructure(Cause::Server)),
    ("bad gateway", Infrastructure(Cause::Server)),
    ("service unavailable", Infrastructure(Cause::Server)),
    ("gateway time", Infrastructure(Cause::Server)),
    ("stream disconnected", Infrastructure(Cause::Network)),
    ("stream closed", Infrastructure(Cause::Network)),
    ("waiting for network", Infrastructure(Cause::Network)),
    ("connection failed", Infrastructure(Cause::Network)),
    ("connection refused", Infrastructure(Cause::Network)),
    ("connection reset", Infrastructure(Cause::Network)),
    ("connection closed", Infrastructure(Cause::Network)),
    ("error sending request", Infrastructure(Cause::Network)),
    ("dns error", Infrastructure(Cause::Network)),
    ("failed to lookup address", Infrastructure(Cause::Network)),
    ("network is unreachable", Infrastructure(Cause::Network)),
    ("request timed out", Infrastructure(Cause::Network)),
];

/// Sorts one error message of codex's.
pub(super) fn judge(said: &str) -> Judgement {
    let said = said.to_lowercase().replace('’', "'");
    // More of it is the server's text, which can say anything.
    if let Some(judgement) = status(&said).and_then(of_status) {
        return judgement;
    }
    PHRASES.iter().find(|(phrase, _)| said.contains(phrase)).map_or(Unknown, |(_, judgement)| *judgement)
}

/// The HTTP status in `unexpected status 503 …` or `…, last status: 429 …`.
fn status(said: &str) -> Option<u16> {
    let (_, after) = said.split_once("unexpected status ").or_else(|| said.split_once("last status: "))?;
    after.get(..3)?.parse().ok()
}

fn of_status(status: u16) -> Option<Judgement> {
    match status {
        401 | 403 => Some(Infrastructure(Cause::Login)),
        402 => Some(Infrastructure(Cause::Quota)),
        404 => Some(Infrastructure(Cause::Configuration)),
        408 => Some(Infrastructure(Cause::Network)),
        429 => Some(Infrastructure(Cause::RateLimit)),
        500..=599 => Some(Infrastructure(Cause::Server)),
        _ => None,
    }
}

/// What stands on standard error before anything of importance.
const PREAMBLES: [&str; 2] = ["Reading additional input from stdin", "WARNING: "];
/// How the first line begins when codex, or the shell that was to start it, gave up before the first event.
const REFUSALS: [(&str, Cause); 7] = [
    ("Error: ", Cause::Configuration),
    ("Error loading ", Cause::Configuration),
    ("Error finding ", Cause::Configuration),
    ("Not inside a trusted directory", Cause::Configuration),
    ("No prompt provided", Cause::Configuration),
    ("Not logged in", Cause::Login),
    ("Missing environment variable", Cause::Login),
];
/// Lines at the end of standard error in which codex that prints no events says its errors.
const LAST_LINES: usize = 10;

/// Why nothing was run at all, where standard error says so, and the line that does.
pub(super) fn refused_to_start(code: i32, stderr: &str) -> Option<(Cause, &str)> {
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty());
    let first = lines.find(|line| !is_preamble(line))?;
    match code {
        // As clap says a wrong command line, and a shell a program that it can't start.
        2 if first.starts_with("error: ") => return Some((Cause::Configuration, first)),
        126 | 127 => return Some((Cause::NotStarted, first)),
        _ => {}
    }
    if let Some((_, cause)) = REFUSALS.iter().find(|(start, _)| first.starts_with(start)) {
        let cause = match judge(first) {
            Infrastructure(cause) => cause,
            Work | Unknown => *cause,
        };
        return Some((cause, first));
    }
    let errors = stderr.lines().rev().take(LAST_LINES).filter(|line| line.starts_with("ERROR: "));
    errors.into_iter().find_map(|line| match judge(line) {
        Infrastructure(cause) => Some((cause, line)),
        Work | Unknown => None,
    })
}

/// Also codex's own log lines: `2026-11-23T07:25:15.009780Z ERROR codex_skills_extension::host_service: …`.
fn is_preamble(line: &str) -> bool {
    let is_log =
        line.split_once("Z ").is_some_and(|(time, _)| time.len() > 18 && time.contains('T') && time.starts_with('2'));
    is_log || PREAMBLES.iter().any(|start| line.starts_with(start))
}

//! What GitHub's answers mean, and what to do about them. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::access::{Access, ENDPOINT};
use crate::failure::{Failure, Kind};

/// An HTTP answer, with the headers that say something.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub retry_after: Option<String>,
    /// Of the points an hour: how many are left, and when there are new ones, in seconds since 1970.
    pub remaining: Option<String>,
    pub reset: Option<String>,
    /// The scopes that the token has, where it is one that has scopes.
    pub scopes: Option<String>,
    pub body: String,
}

/// What was asked for; parts of it may be missing, and why.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub data: Value,
    #[serde(default)]
    pub errors: Vec<Fault>,
}

/// Why a part is missing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Fault {
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub path: Vec<Value>,
}

/// What the answer says of the points that are left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Points {
    /// An hour.
    pub limit: u64,
    pub cost: u64,
    pub remaining: u64,
}

impl Answer {
    /// None where the server counts none.
    pub fn points(&self) -> Option<Points> {
        serde_json::from_value(self.data["rateLimit"].clone()).ok()
    }

    /// That an element of a list is gone or can't be seen is about it alone; with another error the answer is not what was
    /// asked for.
    pub fn but_for_nodes(self, access: &Access) -> Result<Answer, Failure> {
        let of_one = |fault: &Fault| fault.node().is_some() && (fault.is_gone() || fault.is_forbidden());
        match self.errors.iter().find(|fault| !of_one(fault)) {
            None => Ok(self),
            Some(fault) => Err(failure(fault, access)),
        }
    }

    pub fn whole(self, access: &Access) -> Result<Answer, Failure> {
        match self.errors.first() {
            None => Ok(self),
            Some(fault) => Err(failure(fault, access)),
        }
    }
}

impl Fault {
    /// The place of the list's element that it is about.
    pub fn node(&self) -> Option<usize> {
        self.path.iter().find_map(Value::as_u64).map(|place| place as usize)
    }

    pub fn is_gone(&self) -> bool {
        self.kind == "NOT_FOUND"
    }

    /// The token may not, which need not be so of other cards.
    pub fn is_forbidden(&self) -> bool {
        ["FORBIDDEN", "UNPROCESSABLE"].contains(&self.kind.as_str())
    }
}

/// Reads an answer; `now` in seconds since 1970. A limit says when it ends; so does its error.
pub fn read(reply: &Reply, access: &Access, now: i64) -> Result<Answer, Failure> {
    let answer: Option<Answer> = serde_json::from_str(&reply.body).ok();
    let limited = |fault: &Fault| fault.kind == "RATE_LIMITED" || is_limit(&fault.message);
    let fault = answer.as_ref().and_then(|answer| answer.errors.iter().find(|fault| limited(fault)));
    let refused = [403, 429].contains(&reply.status);
    if let Some(wait) = limit(reply, now).filter(|_| refused || fault.is_some()) {
        let said = fault.map_or_else(|| said(reply), |fault| fault.message.clone());
        return Err(Failure { wait: Some(wait), ..away(format!("GitHub's rate limit is reached: {said}")) });
    }
    let name = &access.token.variable;
    match (reply.status, answer) {
        (200, Some(answer)) if answer.data.is_object() || !answer.errors.is_empty() => Ok(answer),
        (200, _) => Err(away(format!("{} answered with something that is no GraphQL answer", access.endpoint))
            .hint("a proxy may have answered in its place")),
        (401, _) => {
            Err(Failure::usage(format!("GitHub answered 401: the token in {name} is not valid: {}", said(reply))).hint(
                format!(
                    "it expired, was revoked or is cut off: put a new one into {name} (`gh auth token` shows yours)"
                ),
            ))
        }
        (403, _) => Err(denied(&format!("403: {}", said(reply)), reply.scopes.as_deref(), access)),
        (404, _) => {
            Err(Failure::usage(format!("{} answered 404: there is no GraphQL API", access.endpoint)).hint(format!(
                "GITHUB_GRAPHQL_URL is https://HOST/api/graphql on an Enterprise server, and {ENDPOINT} without one"
            )))
        }
        (status @ (500.. | 408), _) => Err(away(format!("GitHub answered {status}: {}", said(reply))).hint(
            "see whether GitHub works at all; a 502 or 504 can also mean that a board is too large for it at the time",
        )),
        (status, _) => {
            Err(Failure::new(Kind::Error, anyhow::anyhow!("{} answered {status}: {}", access.endpoint, said(reply))))
        }
    }
}

/// What isn't there now may be there later.
pub fn away(text: String) -> Failure {
    Failure::new(Kind::Infrastructure, anyhow::anyhow!(text))
}

fn is_limit(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("rate limit") || text.contains("abuse detection")
}

/// How long a limit lasts; None where the answer knows of none.
fn limit(reply: &Reply, now: i64) -> Option<Duration> {
    let number = |header: &Option<String>| header.as_deref().and_then(|text| text.trim().parse::<i64>().ok());
    // HTTP lets a server, or a proxy before it, name the time of day as well.
    let date = || jiff::fmt::rfc2822::parse(reply.retry_after.as_deref()?).ok();
    let retry = number(&reply.retry_after).or_else(|| Some(date()?.timestamp().as_second() - now + 1));
    let seconds = match (retry, number(&reply.remaining), number(&reply.reset)) {
        (Some(seconds), _, _) => seconds,
        // Its clock and ours may differ by a little.
        (None, Some(0), Some(reset)) => reset - now + 1,
        // "at least one minute", where GitHub names no time.
        _ if reply.status == 429 || is_limit(&reply.body) => 60,
        _ => return None,
    };
    Some(Duration::from_secs(seconds.clamp(1, 24 * 3600) as u64))
}

/// The answer's own words, in one line.
fn said(reply: &Reply) -> String {
    let json: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let text = json["message"].as_str().unwrap_or(if json.is_null() { &reply.body } else { "no reason is given" });
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}

/// What an error in an answer comes to.
pub fn failure(fault: &Fault, access: &Access) -> Failure {
    let message = &fault.message;
    let passing = [
        "temporary conflict",
        "does not belong to the field",
        "is archived",
        "something went wrong",
        "timeout",
        "timed out",
    ];
    match fault.kind.as_str() {
        "INTERNAL" | "SERVICE_UNAVAILABLE" | "RESOURCE_LIMITS_EXCEEDED" => {
            away(format!("GitHub could not do it now: {message}"))
        }
        _ if passing.iter().any(|text| message.to_lowercase().contains(text)) => {
            away(format!("GitHub could not do it now: {message}"))
        }
        "NOT_FOUND" => missing(access, message),
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => denied(message, None, access),
        _ => Failure::new(Kind::Error, anyhow::anyhow!("GitHub refuses: {message}")),
    }
}

/// The project isn't there for this token.
pub fn missing(access: &Access, said: &str) -> Failure {
    let Access { owner, number, token, .. } = access;
    let text = format!("there is no project {owner}/{number} that the token in {} can see: {said}", token.variable);
    let failure = Failure::usage(text).hint("look at the owner and number in the project's address");
    rights(failure, None, access)
}

/// The token lacks a right.
fn denied(said: &str, scopes: Option<&str>, access: &Access) -> Failure {
    let text = format!("GitHub denies it to the token in {}: {said}", access.token.variable);
    rights(Failure::usage(text), scopes, access)
}

/// What the token needs, or what it lacks of that where its `scopes` are known.
fn rights(failure: Failure, scopes: Option<&str>, access: &Access) -> Failure {
    if access.token.is_of_actions() {
        return failure.hint(
            "the token that GitHub Actions gives to a workflow can't reach projects: put one of a person or an app into GH_TOKEN",
        );
    }
    let has = |scope: &str| scopes.is_some_and(|scopes| scopes.split(',').any(|has| has.trim() == scope));
    let lacking: Vec<_> = ["project", "repo"].into_iter().filter(|scope| !has(scope)).collect();
    match (scopes, lacking.as_slice()) {
        (Some(scopes), lacking @ [_, ..]) => failure.hint(format!(
            "it has the scopes `{scopes}` and lacks {}: `gh auth refresh -s project,repo`, or make another token",
            lacking.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" and ")
        )),
        _ => failure.hint(
            "a classic token needs the scopes `project` and, for private repositories, `repo`; a fine-grained one reaches organisations' projects alone (Projects, Issues and Pull requests: read and write); an organisation may ask for SSO besides",
        ),
    }
}

#[cfg(test)]
mod tests;

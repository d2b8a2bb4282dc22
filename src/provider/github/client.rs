//! One request after the other, none while a limit lasts. What they cost is in the debug log.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;

use super::access::Access;
use super::answer::{self, Answer, Points, Reply};
use super::documents::Document;
use crate::failure::Failure;
use crate::storage::effect;

/// GitHub itself gives up after ten seconds.
const LIMIT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// A page of a hundred cards with the longest bodies has less, in bytes.
const LARGEST: u64 = 64 << 20;

#[derive(Debug)]
pub struct Client {
    pub access: Access,
    agent: Agent,
    breaker: Mutex<Option<Open>>,
    points: Mutex<Spent>,
}

/// The breaker: until then no request is made, whatever it is for.
#[derive(Debug)]
struct Open {
    until: Instant,
    reason: String,
}

/// Requests and points since the start, and what the newest answer said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub requests: u64,
    pub points: u64,
    pub newest: Points,
}

impl Client {
    pub fn new(access: Access) -> Client {
        let config = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // The token goes where it was told to go and nowhere else.
            .max_redirects(0)
            .user_agent(concat!("kanban-codex-exec/", env!("CARGO_PKG_VERSION")));
        Client { access, agent: config.build().new_agent(), breaker: Mutex::default(), points: Mutex::default() }
    }

    /// Asks once. What is missing in an answer is in its errors.
    pub fn ask(&self, document: Document, variables: &Value) -> Result<Answer, Failure> {
        self.closed()?;
        let body =
            json!({ "query": document.text, "operationName": document.name, "variables": variables }).to_string();
        let sent = match document.writes() {
            true => effect("post", Path::new(document.name), || self.post(&body)),
            false => self.post(&body),
        };
        let reply = sent.map_err(|error| {
            let text = format!("{} can't be reached: {error}", self.access.endpoint);
            answer::away(text).hint("see whether this machine has a network, and what GITHUB_GRAPHQL_URL says")
        })?;
        let read = answer::read(&reply, &self.access, jiff::Timestamp::now().as_second());
        self.tell(document, read.as_ref().ok());
        if let Err(Failure { wait: Some(wait), error, .. }) = &read {
            let open = Open { until: Instant::now() + *wait, reason: error.to_string() };
            *self.breaker.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        }
        read
    }

    pub fn spent(&self) -> Spent {
        *self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Result<(), Failure> {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match &*breaker {
            Some(Open { until, reason }) if *until > now => {
                Err(Failure { wait: Some(*until - now), ..answer::away(reason.clone()) })
            }
            _ => {
                *breaker = None;
                Ok(())
            }
        }
    }

    fn post(&self, body: &str) -> Result<Reply, ureq::Error> {
        let request = self
            .agent
            .post(&self.access.endpoint)
            .header("authorization", format!("Bearer {}", self.access.token.text))
            .header("content-type", "application/json");
        let mut response = request.send(body)?;
        let header = |name: &str| header(&response, name);
        let (retry_after, scopes) = (header("retry-after"), header("x-oauth-scopes"));
        let (remaining, reset) = (header("x-ratelimit-remaining"), header("x-ratelimit-reset"));
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LARGEST).lossy_utf8(true).read_to_string()?;
        Ok(Reply { status, retry_after, remaining, reset, scopes, body })
    }

    fn tell(&self, document: Document, answer: Option<&Answer>) {
        let mut spent = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        spent.requests += 1;
        if let Some(points) = answer.and_then(Answer::points) {
            spent.points += points.cost;
            spent.newest = points;
        }
        let Spent { requests, points, newest: Points { remaining, limit, .. } } = *spent;
        tracing::debug!(
            "asked GitHub for {}: {requests} requests, {points} points, {remaining} of {limit} left",
            document.name
        );
    }
}

fn header<T>(response: &Response<T>, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

//! Each way in which GitHub says no: what is told, with which exit code, and how long is waited.

use super::*;
use crate::provider::github::access::Token;

const NOW: i64 = 1_800_000_000;
const ACTIONS: &str = "ghs_0123456789abcdef";

fn access(variable: &'static str, text: &str) -> Access {
    let token = Token { text: text.into(), variable };
    Access { owner: "me".into(), number: 1, endpoint: ENDPOINT.into(), token }
}

struct Case {
    reply: Reply,
    kind: Kind,
    wait: Option<u64>,
    /// Each stands in the error or its hints.
    told: &'static [&'static str],
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.to_owned(), ..Reply::default() }
}

fn header(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn an_answer_that_is_none_says_what_to_do() {
    let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
    let limited = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for user ID 1."}]}"#;
    let infra = Kind::Infrastructure;
    for case in [
        Case {
            reply: reply(401, r#"{"message":"Bad credentials"}"#),
            kind: Kind::Usage,
            wait: None,
            told: &["401", "Bad credentials", "the token in GH_TOKEN", "expired"],
        },
        Case {
            reply: Reply { scopes: header("repo, read:org"), ..reply(403, r#"{"message":"Must have project"}"#) },
            kind: Kind::Usage,
            wait: None,
            told: &["403", "Must have project", "lacks `project`:", "gh auth refresh"],
        },
        Case {
            reply: Reply { scopes: header("gist"), ..reply(403, "{}") },
            kind: Kind::Usage,
            wait: None,
            told: &["lacks `project` and `repo`"],
        },
        Case { reply: reply(403, "no"), kind: Kind::Usage, wait: None, told: &["403: no", "fine-grained", "SSO"] },
        Case { reply: reply(404, ""), kind: Kind::Usage, wait: None, told: &["404", "GITHUB_GRAPHQL_URL"] },
        Case { reply: reply(502, "<html>"), kind: infra, wait: None, told: &["502", "too large"] },
        Case { reply: reply(200, "<html>"), kind: infra, wait: None, told: &["no GraphQL answer", "proxy"] },
        Case { reply: reply(200, "{}"), kind: infra, wait: None, told: &["no GraphQL answer"] },
        Case { reply: reply(418, "tea"), kind: Kind::Error, wait: None, told: &["418: tea"] },
        Case {
            reply: Reply { retry_after: header("30"), ..reply(403, secondary) },
            kind: infra,
            wait: Some(30),
            told: &["rate limit", "secondary"],
        },
        Case { reply: reply(403, secondary), kind: infra, wait: Some(60), told: &["secondary"] },
        Case { reply: reply(429, secondary), kind: infra, wait: Some(60), told: &["secondary"] },
        Case { reply: reply(429, "slow down"), kind: infra, wait: Some(60), told: &["rate limit", "slow down"] },
        Case {
            reply: Reply { retry_after: header("Fri, 15 Jan 2027 08:02:00 GMT"), ..reply(429, "") },
            kind: infra,
            wait: Some(121),
            told: &["rate limit"],
        },
        Case {
            reply: Reply { retry_after: header("Fri, 15 Jan 2027 07:00:00 GMT"), ..reply(403, "") },
            kind: infra,
            wait: Some(1),
            told: &["rate limit"],
        },
        Case { reply: reply(200, limited), kind: infra, wait: Some(60), told: &["API rate limit exceeded"] },
        Case {
            reply: Reply { remaining: header("0"), reset: header("1800000600"), ..reply(200, limited) },
            kind: infra,
            wait: Some(601),
            told: &["API rate limit exceeded"],
        },
        Case {
            reply: Reply { remaining: header("0"), reset: header("1799999000"), ..reply(403, "{}") },
            kind: infra,
            wait: Some(1),
            told: &["rate limit"],
        },
    ] {
        let failure = read(&case.reply, &access("GH_TOKEN", "a token"), NOW).unwrap_err();
        let told = failure.to_string();
        assert_eq!((failure.kind, failure.wait.map(|wait| wait.as_secs())), (case.kind, case.wait), "{told}");
        for text in case.told {
            assert!(told.contains(text), "{text:?} is not in {told}");
        }
    }
}

#[test]
fn points_that_are_used_up_by_a_good_answer_are_no_error_yet() {
    let last = Reply { remaining: header("0"), reset: header("1800000600"), ..reply(200, r#"{"data":{"node":null}}"#) };
    assert!(read(&last, &access("GH_TOKEN", "a token"), NOW).is_ok());
}

#[test]
fn errors_beside_data_are_about_an_element_or_about_all() {
    let body = |errors: &str| reply(200, &format!(r#"{{"data":{{"nodes":[null]}},"errors":[{errors}]}}"#));
    let ours = access("GH_TOKEN", "a token");
    let read = |errors: &str| read(&body(errors), &ours, NOW).unwrap();
    let one = read(r#"{"type":"NOT_FOUND","message":"gone","path":["nodes",0]}"#);
    assert!(one.clone().but_for_nodes(&ours).is_ok());
    assert!(one.whole(&ours).is_err());
    let passing = read(r#"{"message":"Something went wrong while executing your query","path":["nodes",0]}"#);
    assert_eq!(passing.but_for_nodes(&ours).unwrap_err().kind, Kind::Infrastructure, "its card is not gone");
    for (errors, kind, told) in [
        (r#"{"type":"NOT_FOUND","message":"none","path":["a"]}"#, Kind::Usage, "there is no project me/1"),
        (r#"{"type":"FORBIDDEN","message":"not accessible","path":["a"]}"#, Kind::Usage, "`project`"),
        (r#"{"type":"INSUFFICIENT_SCOPES","message":"requires: ['project']"}"#, Kind::Usage, "requires: ['project']"),
        (r#"{"message":"The single select option Id does not belong to the field"}"#, Kind::Infrastructure, "now"),
        (r#"{"message":"created a temporary conflict. Please try again."}"#, Kind::Infrastructure, "try again"),
        (r#"{"message":"Timed out"}"#, Kind::Infrastructure, "Timed out"),
        (r#"{"type":"INTERNAL","message":"broke","path":["nodes",0,"content"]}"#, Kind::Infrastructure, "broke"),
        (r#"{"type":"RESOURCE_LIMITS_EXCEEDED","message":"exceeded"}"#, Kind::Infrastructure, "exceeded"),
        (r#"{"message":"Field 'x' doesn't exist on type 'Y'"}"#, Kind::Error, "doesn't exist"),
    ] {
        let failure = read(errors).but_for_nodes(&ours).unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.to_string().contains(told), "{failure}");
    }
}

#[test]
fn the_token_of_a_workflow_is_told_to_be_the_wrong_one() {
    let denied = reply(403, r#"{"message":"Resource not accessible by integration"}"#);
    for (variable, token, said) in
        [("GITHUB_TOKEN", ACTIONS, true), ("GITHUB_TOKEN", "ghp_0123456789abcdef", false), ("GH_TOKEN", ACTIONS, false)]
    {
        let failure = read(&denied, &access(variable, token), NOW).unwrap_err().to_string();
        assert_eq!(failure.contains("GitHub Actions"), said, "{failure}");
    }
}

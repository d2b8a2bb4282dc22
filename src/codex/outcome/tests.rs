use std::time::Duration;

use super::super::events::SILENCE;
use super::*;
use crate::process::TIME_LIMIT;

/// A turn that ended with this error; codex says it twice.
fn turn_failed(message: &str) -> Events {
    Events {
        seen: true,
        turn_failed: Some(message.to_owned()),
        failing: true,
        errors: vec![message.to_owned()],
        ..Events::default()
    }
}

fn completed(message: &str) -> Events {
    Events {
        seen: true,
        worked: true,
        turn_completed: true,
        message: Some(message.to_owned()),
        errors: vec!["Reconnecting... 1/5 (unexpected status 429 Too Many Requests)".to_owned()],
        ..Events::default()
    }
}

fn working() -> Events {
    Events { seen: true, worked: true, ..Events::default() }
}

fn waiting() -> Events {
    Events { seen: true, ..Events::default() }
}

fn cause(outcome: &Outcome) -> Option<Cause> {
    match outcome {
        Outcome::Infrastructure { cause, .. } => Some(*cause),
        Outcome::Ok { .. } | Outcome::Work { .. } | Outcome::Interrupted => None,
    }
}

/// What the real codex 0.169 said in `turn.failed` for each failure of its model API; None is work.
const FAILURES: &[(&str, Option<Cause>)] = &[
    ("unexpected status 401 Unauthorized: scripted 401, url: http://127.0.0.1:1/v1/responses", Some(Cause::Login)),
    ("unexpected status 403 Forbidden: scripted 403, url: http://127.0.0.1:1/v1/responses", Some(Cause::Login)),
    ("unexpected status 404 Not Found: x, url: http://127.0.0.1:1/v1/responses", Some(Cause::Configuration)),
    ("Missing environment variable: `LAB_KEY`.", Some(Cause::Login)),
    ("The model `gpt-5-codex` does not exist or you do not have access to it.", Some(Cause::Configuration)),
    ("exceeded retry limit, last status: 429 Too Many Requests", Some(Cause::RateLimit)),
    ("You've hit your usage limit. Try again later.", Some(Cause::RateLimit)),
    ("You’ve hit your usage limit. Upgrade to Pro or try again at Jan 1st, 2030 12:00 AM.", Some(Cause::RateLimit)),
    ("rate limit exceeded: Rate limit reached for gpt-5. Please try again in 2s.", Some(Cause::RateLimit)),
    ("Quota exceeded. Check your plan and billing details.", Some(Cause::Quota)),
    ("We’re currently experiencing high demand, which may cause temporary errors.", Some(Cause::Server)),
    ("unexpected status 503 Service Unavailable: x, url: http://127.0.0.1:1/v1/responses", Some(Cause::Server)),
    ("exceeded retry limit, last status: 500 Internal Server Error", Some(Cause::Server)),
    ("Selected model is at capacity. Please try a different model.", Some(Cause::Server)),
    ("stream disconnected before completion: stream closed before response.completed", Some(Cause::Network)),
    ("stream disconnected before completion: oops", Some(Cause::Network)),
    ("Connection failed: error sending request", Some(Cause::Network)),
    (
        "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
        None,
    ),
    ("context_length_exceeded", None),
    ("{\"error\": {\"message\": \"scripted 400\"}}", None),
    ("unexpected status 400 Bad Request: see port 503, 429 of it, url: x", None),
    ("flagged", None),
    ("", None),
];

#[test]
fn a_failed_turn_is_the_cards_fault_only_where_nothing_else_is() {
    for (said, expected) in FAILURES {
        let outcome = classify(&Exit::Code(1), &turn_failed(said), "", "");
        assert_eq!(cause(&outcome), *expected, "{said}");
        match outcome {
            Outcome::Work { reason } => assert_eq!(reason, format!("codex's turn failed: {said}")),
            Outcome::Infrastructure { reason, hint, cause, .. } => {
                assert_eq!((reason.as_str(), hint), (*said, cause.hint()));
            }
            other => panic!("{said}: {other:?}"),
        }
        let twice = Events { turn_failed: None, ..turn_failed(said) };
        assert_eq!(cause(&classify(&Exit::Code(1), &twice, "", "")), *expected, "an error event alone: {said}");
    }
}

/// What the real codex 0.169 said on standard error, with this exit code and without any event.
const REFUSALS: &[(i32, &str, Option<Cause>)] = &[
    (
        2,
        "error: unexpected argument '--no-such-flag' found\n\n  tip: …\n\nUsage: codex exec",
        Some(Cause::Configuration),
    ),
    (2, "error: the argument '--model <MODEL>' cannot be used multiple times\n", Some(Cause::Configuration)),
    (1, "Error: Model provider `nope` not found\n\nStack backtrace:\n   0: <unknown>\n", Some(Cause::Configuration)),
    (1, "Error: No such file or directory (os error 2)\n\nStack backtrace:\n", Some(Cause::Configuration)),
    (1, "Error loading config.toml: unknown variant `bogus`\nin `sandbox_mode`\n\n", Some(Cause::Configuration)),
    (
        1,
        "WARNING: proceeding, even though we could not create PATH aliases: x\nError finding codex home: CODEX_HOME points to \"/nonexistent\"",
        Some(Cause::Configuration),
    ),
    (
        1,
        "Reading additional input from stdin...\nNot inside a trusted directory and --skip-git-repo-check was not specified.\n",
        Some(Cause::Configuration),
    ),
    (
        1,
        "2026-11-23T07:25:15.009780Z ERROR codex_x::host: failed to install\nError: Failed to open last message file \"/x\"",
        Some(Cause::Configuration),
    ),
    (1, "No prompt provided via stdin.\n", Some(Cause::Configuration)),
    (1, "Not logged in\n", Some(Cause::Login)),
    (1, "Missing environment variable: `LAB_KEY`.\n", Some(Cause::Login)),
    (1, "banner\nuser\nfix the 500\nERROR: unexpected status 401 Unauthorized: x\n", Some(Cause::Login)),
    (1, "banner\nuser\nfix the 500\nERROR: Quota exceeded. Check your plan\ntokens used\n", Some(Cause::Quota)),
    (127, "/usr/bin/env: 'node': No such file or directory\n", Some(Cause::NotStarted)),
    (126, "sh: 1: codex: Permission denied\n", Some(Cause::NotStarted)),
    (101, "\nthread 'main' (7) panicked at library/std/src/io/stdio.rs:1: failed printing\n", Some(Cause::Crash)),
    // Other programs: their exit code judges them.
    (1, "", None),
    (1, "boom\n", None),
    (2, "usage: stand-in\n", None),
    (1, "error: pathspec 'x' did not match\n", None),
    (127, "", None),
    (101, "", None),
    (1, "/x.js:1\nthrow new Error('429')\n\nError: 429 Too Many Requests\n    at x.js\n", None),
    (1, "the server says 401 unauthorized\n", None),
    (1, "banner\nuser\nERROR: the test fails\n", None),
];

#[test]
fn without_events_only_codexs_own_refusals_are_no_fault_of_the_cards() {
    for (code, stderr, expected) in REFUSALS {
        let outcome = classify(&Exit::Code(*code), &Events::default(), stderr, " \n");
        assert_eq!(cause(&outcome), *expected, "{stderr}");
        if *code != 101 {
            let outcome = classify(&Exit::Code(*code), &Events::default(), stderr, "it printed a text");
            assert!(matches!(outcome, Outcome::Work { .. }), "{stderr}");
        }
    }
}

#[test]
fn good_needs_exit_code_0_and_a_completed_turn_where_there_are_events() {
    let good = |message: &str| Outcome::Ok { message: message.to_owned() };
    assert_eq!(classify(&Exit::Code(0), &completed("from events"), "ERROR: 401", "from file"), good("from file"));
    assert_eq!(classify(&Exit::Code(0), &completed("from events"), "", ""), good("from events"));
    assert_eq!(classify(&Exit::Code(0), &Events::default(), "noise", "plain text"), good("plain text"));
    let both = Events { turn_failed: Some("it broke".into()), ..completed("x") };
    let cases = [
        (0, working(), "codex ended with exit code 0 before its turn was complete"),
        (1, working(), "codex ended with exit code 1 before its turn was complete"),
        (
            1,
            Events { turn_completed: false, ..completed("x") },
            "codex ended with exit code 1 before its turn was complete",
        ),
        (1, completed("x"), "codex ended with exit code 1, although its turn was complete"),
        (0, both, "codex's turn failed: it broke"),
    ];
    for (code, events, reason) in cases {
        let outcome = classify(&Exit::Code(code), &events, "", "x");
        assert_eq!(outcome, Outcome::Work { reason: reason.to_owned() }, "{events:?}");
    }
    assert_eq!(cause(&classify(&Exit::Code(1), &waiting(), "", "")), Some(Cause::Crash));
    assert_eq!(cause(&classify(&Exit::Code(101), &working(), "thread 'x' panicked at y", "")), Some(Cause::Crash));
}

#[test]
fn who_says_nothing_in_the_end_has_not_worked() {
    let silent = Outcome::Work { reason: "codex ended without a final message".to_owned() };
    let without = Events { message: None, ..completed("") };
    for (events, message) in
        [(&without, ""), (&without, " \r\n\t"), (&completed(" \n"), ""), (&Events::default(), "\n")]
    {
        assert_eq!(classify(&Exit::Code(0), events, "noise", message), silent, "{events:?} {message:?}");
    }
    for events in [working(), waiting()] {
        let outcome = classify(&Exit::Code(0), &events, "", "a message");
        assert!(!matches!(outcome, Outcome::Ok { .. }), "a turn that is not complete: {outcome:?}");
    }
}

#[test]
fn a_limit_is_the_cards_fault_only_while_codex_works() {
    let reconnecting = |error: &str| Events { failing: true, errors: vec![error.to_owned()], ..working() };
    let network = "Reconnecting... waiting for network (Connection failed: error sending request)";
    let limited = "Reconnecting... 2/5 (unexpected status 429 Too Many Requests: x)";
    let cases = [
        (NO_EVENT, Events::default(), Some(Cause::NoAnswer)),
        (SILENCE, waiting(), Some(Cause::NoAnswer)),
        (TIME_LIMIT, waiting(), Some(Cause::NoAnswer)),
        (SILENCE, reconnecting(network), Some(Cause::Network)),
        (TIME_LIMIT, reconnecting(limited), Some(Cause::RateLimit)),
        (SILENCE, reconnecting("Reconnecting... 1/5"), Some(Cause::Network)),
        (SILENCE, working(), None),
        (TIME_LIMIT, working(), None),
        (TIME_LIMIT, Events::default(), None),
        (SILENCE, completed("x"), None),
    ];
    for (limit, events, expected) in cases {
        let outcome = classify(&Exit::Limit(limit), &events, "ERROR: 401 Unauthorized", "");
        assert_eq!(cause(&outcome), expected, "{limit} {events:?}");
        assert_ne!(outcome, Outcome::Interrupted);
    }
}

#[test]
fn what_was_ended_from_outside_is_nobodys_fault() {
    let ends = [Exit::Stopped, Exit::Outside, Exit::Signal(1), Exit::Signal(2), Exit::Signal(15)];
    for exit in ends {
        for events in [Events::default(), working(), turn_failed("429")] {
            assert_eq!(classify(&exit, &events, "Error: x", "text"), Outcome::Interrupted, "{exit:?}");
        }
    }
    for signal in [4, 6, 9, 11] {
        assert_eq!(cause(&classify(&Exit::Signal(signal), &working(), "", "")), Some(Cause::Crash), "{signal}");
    }
    let text = "cannot start codex: it was not found on PATH";
    let outcome = classify(&Exit::NotStarted(text.to_owned()), &Events::default(), "", "");
    let hint = Cause::NotStarted.hint();
    assert_eq!(outcome, Outcome::Infrastructure { cause: Cause::NotStarted, reason: text.into(), hint, reset: None });
}

#[test]
fn a_reset_is_told_and_a_reason_is_bounded() {
    let long = format!("rate limit exceeded: {}. Please try again in 28s.", "é".repeat(600));
    let Outcome::Infrastructure { reason, reset, .. } = classify(&Exit::Code(1), &turn_failed(&long), "", "") else {
        panic!("a rate limit");
    };
    assert_eq!(reset, Some(Reset::In(Duration::from_secs(28))));
    assert_eq!(reason.chars().count(), 501);
}

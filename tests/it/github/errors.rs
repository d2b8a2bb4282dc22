//! Each way in which the project can't be had: what is said and what to do, before anything is done.

use serde_json::json;

use super::server::{Fail, Project};
use super::world;

#[test]
fn a_source_or_token_that_cannot_be_is_told_before_anything_is_asked() {
    let project = Project::new(&[]);
    for (name, value, told, hint) in [
        ("KANBAN_SOURCE", "me", "`me` is not a project", "https://github.com/users/OWNER/projects/NUMBER"),
        ("KANBAN_SOURCE", "", "no project given", "--source OWNER/NUMBER"),
        ("GH_TOKEN", "", "no token for GitHub, and none in GITHUB_TOKEN", "gh auth refresh -s project,repo"),
        ("GITHUB_GRAPHQL_URL", "http://example.com/graphql", "GITHUB_GRAPHQL_URL", "https://"),
    ] {
        world(&project).env(name, value).run(&["run"]).exits(2).warns(told).warns(hint);
    }
    assert_eq!(project.spent().0, 0);
}

#[test]
fn a_project_is_found_by_its_address_and_with_the_weaker_token() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project)
        .env("KANBAN_PROVIDER", "")
        .env("KANBAN_SOURCE", "https://github.com/users/me/projects/1/views/1")
        .env("GH_TOKEN", "")
        .env("GITHUB_TOKEN", super::TOKEN);
    world.run(&["print-plan"]).exits(0).says("KB-1");
}

#[test]
fn a_project_that_cannot_be_had_says_why_and_what_to_do() {
    struct Case {
        source: &'static str,
        token: &'static str,
        fail: Option<Fail>,
        code: i32,
        told: &'static [&'static str],
    }
    let reply = |status, headers, message: &str| {
        Some(Fail::Reply { status, headers, body: json!({ "message": message }).to_string() })
    };
    let fault = |kind: &str, message: &str| {
        let body = json!({ "data": null, "errors": [{ "type": kind, "message": message }] });
        Some(Fail::Reply { status: 200, headers: "", body: body.to_string() })
    };
    let actions = "ghs_of-a-workflow";
    let ours = super::TOKEN;
    for Case { source, token, fail, code, told } in [
        Case {
            source: "me/1",
            token: "ghp_expired0123456789",
            fail: None,
            code: 2,
            told: &["401", "GH_TOKEN", "revoked"],
        },
        Case { source: "me/2", token: ours, fail: None, code: 2, told: &["there is no project me/2", "`project`"] },
        Case { source: "you/1", token: ours, fail: None, code: 2, told: &["there is no project you/1", "owner"] },
        Case {
            source: "me/1",
            token: ours,
            fail: reply(403, "x-oauth-scopes: gist\r\n", "Resource not accessible"),
            code: 2,
            told: &["403", "lacks `project` and `repo`"],
        },
        Case {
            source: "me/1",
            token: ours,
            fail: fault("INSUFFICIENT_SCOPES", "requires one of: ['read:project']"),
            code: 2,
            told: &["['read:project']", "`project`"],
        },
        Case {
            source: "me/1",
            token: ours,
            fail: reply(404, "", "Not Found"),
            code: 2,
            told: &["404", "GITHUB_GRAPHQL_URL"],
        },
        Case { source: "me/1", token: ours, fail: reply(502, "", "Bad Gateway"), code: 4, told: &["502", "hint"] },
        Case {
            source: "me/1",
            token: ours,
            fail: reply(403, "retry-after: 60\r\n", "You have exceeded a secondary rate limit"),
            code: 4,
            told: &["rate limit"],
        },
        Case { source: "me/1", token: ours, fail: Some(Fail::Lost), code: 4, told: &["can't be reached", "network"] },
    ] {
        let project = Project::new(&["KB-1 first @made"]);
        if let Some(fail) = fail {
            project.fail("Board", 1, fail);
        }
        let world = world(&project).env("KANBAN_SOURCE", source).env("GH_TOKEN", token);
        let outcome = world.run(&["run"]).exits(code);
        told.iter().fold(outcome, |outcome, text| outcome.warns(text));
        assert!(!world.cache("journal.jsonl").exists(), "{told:?}");
    }
    let project = Project::new(&[]);
    project.fail("Board", 1, reply(403, "", "Resource not accessible by integration").unwrap());
    let world = world(&project).env("GH_TOKEN", "").env("GITHUB_TOKEN", actions);
    world.run(&["run"]).exits(2).warns("403").warns("the token that GitHub Actions gives to a workflow");
}

#[test]
fn one_card_that_cannot_be_read_stops_no_other() {
    let project =
        Project::new(&["KB-1 elsewhere @made", "KB-2 hidden @made", "KB-3 archived @made", "KB-4 good @made"]);
    project.with(|state| {
        state.item("KB-2").hidden = true;
        state.item("KB-3").archived = true;
    });
    // Without all its labels a card could be judged by too few tests.
    let path = json!(["nodes", 0, "content", "labels"]);
    let one = json!({ "type": "FORBIDDEN", "message": "the labels of another repository", "path": path });
    project.fail("Cards", 99, Fail::Beside(one));
    let outcome = world(&project).run(&["run"]).exits(0).says("2 promoted");
    let outcome = outcome.says("KB-1 elsewhere @made: the labels of another repository");
    outcome.says("KB-2 hidden @made: what it is about can't be seen");
    assert_eq!(project.places(), ["KB-1: In Progress", "KB-2: In Progress", "KB-3: In Progress", "KB-4: Done"]);
}

#[test]
fn a_card_that_may_be_moved_and_not_written_on_is_moved_and_that_is_said() {
    let project = Project::new(&["KB-1 locked @made"]);
    let body = json!({ "data": { "addComment": null }, "errors": [{ "type": "FORBIDDEN", "message": "the issue is locked" }] });
    project.fail("AddComment", 99, Fail::Reply { status: 200, headers: "", body: body.to_string() });
    let outcome = world(&project).run(&["run"]).exits(0).says("2 promoted");
    outcome.warns("was moved to Done, and why can't be written on it: the issue is locked");
    assert_eq!(project.places(), ["KB-1: Done"]);
}

#[test]
fn a_project_that_may_only_be_read_costs_no_attempt() {
    for closed in [true, false] {
        let project = Project::new(&["KB-1 first @made"]);
        project.with(|state| (state.closed, state.can_update) = (closed, closed));
        let world = world(&project);
        world.run(&["print-plan"]).exits(0);
        world.run(&["run"]).exits(0).says("may only read it");
        assert_eq!(world.executions().len(), 0);
    }
}

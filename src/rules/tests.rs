use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Rules, Vec<String>> {
    let columns = ["Backlog", "Needs Specs", "In Progress", "Review", "Done"].map(|name| Column(name.into()));
    let told = |problem: &crate::failure::Problem| match &problem.hint {
        Some(hint) => format!("{problem}\n    hint: {hint}"),
        None => problem.to_string(),
    };
    parse(text, "transitions.yaml", Path::new("/board"), Some(&columns))
        .map_err(|problems| problems.iter().map(told).collect())
}

fn column(name: &str) -> Option<Column> {
    Some(Column(name.into()))
}

#[test]
fn the_orders_own_example_is_valid() {
    let text = "statuses:\n  In Progress:\n    onFail: Needs Specs\n    onPass: Review\n  Review:\n    onFail: In Progress\n    onPass: Done\n";
    let rules = read(text).unwrap();
    assert_eq!(rules.columns[&Column("Review".into())].on_fail, column("In Progress"));
    assert_eq!(rules.columns.len(), 2);
}

#[test]
fn a_column_that_is_only_named_is_a_parking_place() {
    let rules = read("statuses:\n  Review: {onPass: Done}\n  Done:\n  Backlog: {}\n").unwrap();
    assert_eq!(rules.columns.keys().map(|name| name.0.as_str()).collect::<Vec<_>>(), ["Review"]);
}

#[test]
fn every_problem_of_a_file_is_told_with_its_place() {
    let text = "statuses:\n  In Progress:\n    onPas: Review\n    maxAttempts: 0\n    k: 2\n    require: 3\n    evidence: [diff]\n    beforeTransition: ./x.sh\n  Reviev:\n    onPass: Finished\nversion: 1\n";
    insta::assert_snapshot!(read(text).unwrap_err().join("\n"));
}

#[test]
fn a_ring_of_on_fail_edges_needs_a_limit() {
    let ring = |limit: &str| {
        format!(
            "statuses:\n  In Progress: {{onFail: Review{limit}}}\n  Review: {{onFail: In Progress, onPass: Done}}\n"
        )
    };
    assert_eq!(read(&ring("")).unwrap_err().len(), 1);
    assert!(read(&ring(", maxAttempts: 2")).is_ok());
    // Staying in the column is no ring: the default limit holds.
    assert!(read("statuses:\n  Review: {onFail: Review, onPass: Done}\n").is_ok());
}

#[test]
fn where_a_verdict_sends_a_card() {
    let full = Rule {
        on_pass: column("Review"),
        on_fail: column("Needs Specs"),
        on_exhausted: column("Blocked"),
        ..Rule::default()
    };
    let silent = Rule { on_pass: column("Review"), ..Rule::default() };
    #[rustfmt::skip]
    let table = [
        (Verdict::Pass,         false, Some("Review"),      Some("Review")),
        (Verdict::Pass,         true,  Some("Review"),      Some("Review")),
        (Verdict::Fail,         false, Some("Needs Specs"), None),
        (Verdict::Fail,         true,  Some("Blocked"),     None),
        (Verdict::Tampered,     false, Some("Needs Specs"), None),
        (Verdict::Tampered,     true,  Some("Blocked"),     None),
        (Verdict::Unverified,   false, Some("Needs Specs"), None),
        (Verdict::Unverified,   true,  Some("Needs Specs"), None),
        (Verdict::Exhausted,    true,  Some("Blocked"),     None),
        (Verdict::Inconclusive, false, None,                None),
        (Verdict::Moved,        false, None,                None),
    ];
    for (verdict, last, with_targets, without) in table {
        assert_eq!(full.target(verdict, last).map(|c| c.0.as_str()), with_targets, "{verdict}, last: {last}");
        assert_eq!(silent.target(verdict, last).map(|c| c.0.as_str()), without, "{verdict}, last: {last}, silent rule");
    }
}

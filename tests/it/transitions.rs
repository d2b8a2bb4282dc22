//! Where the rules send a card, from its first column to its last: the real loop over a simulated world.

use serde_json::Value;

use crate::support::World;

struct Case {
    name: &'static str,
    /// The rules, below `statuses:`.
    rules: &'static str,
    /// Its way if every attempt passes, and if every attempt fails.
    pass: &'static [&'static str],
    fail: &'static [&'static str],
}

/// The moves of the card, `stays` where its state is written and it is not moved.
fn way(records: &[Value], assumed: &str) -> Vec<String> {
    let records = records.iter().skip_while(|record| record["assumed"] != assumed).skip(1);
    let records = records.take_while(|record| record["event"] != "assumed" && record["event"] != "summary");
    let step = |record: &Value| {
        let text = |key: &str| record[key].as_str().unwrap_or("stays").to_owned();
        format!("{} → {}: {}", text("from"), text("to"), text("verdict"))
    };
    records.filter(|record| record["event"] == "transitioned").map(step).collect()
}

#[test]
fn the_rules_say_where_a_card_goes() {
    let cases = [
        Case {
            name: "the order's own example",
            rules: "  In Progress: { onPass: Review, onFail: Needs Specs }\n  Review: { onPass: Done, onFail: In Progress }\n",
            pass: &["In Progress → Review: pass", "Review → Done: pass"],
            fail: &["In Progress → Needs Specs: fail"],
        },
        Case {
            name: "a column without a rule is a parking place",
            rules: "  Review: { onPass: Done }\n",
            pass: &[],
            fail: &[],
        },
        Case {
            name: "without onPass the card stays and is not worked again",
            rules: "  In Progress: { onFail: Needs Specs }\n",
            pass: &["In Progress → stays: pass"],
            fail: &["In Progress → Needs Specs: fail"],
        },
        Case {
            name: "without onFail it is tried again up to the default",
            rules: "  In Progress: { onPass: Done }\n",
            pass: &["In Progress → Done: pass"],
            fail: &["In Progress → stays: fail", "In Progress → stays: fail", "In Progress → stays: fail"],
        },
        Case {
            name: "its own column as onFail is the same",
            rules: "  In Progress: { onPass: Done, onFail: In Progress, maxAttempts: 2 }\n",
            pass: &["In Progress → Done: pass"],
            fail: &["In Progress → stays: fail", "In Progress → stays: fail"],
        },
        Case {
            name: "the last attempt goes to onExhausted",
            rules: "  In Progress: { onPass: Done, maxAttempts: 2, onExhausted: Blocked }\n",
            pass: &["In Progress → Done: pass"],
            fail: &["In Progress → stays: fail", "In Progress → Blocked: fail"],
        },
        Case {
            name: "onExhausted beats onFail on the last attempt, which may be the first",
            rules: "  In Progress: { onPass: Done, onFail: Needs Specs, maxAttempts: 1, onExhausted: Blocked }\n",
            pass: &["In Progress → Done: pass"],
            fail: &["In Progress → Blocked: fail"],
        },
        Case {
            name: "a ring ends at its limit, and the card says so",
            rules: "  In Progress: { onPass: Done, onFail: Review, maxAttempts: 2 }\n  Review: { onPass: Done, onFail: In Progress }\n",
            pass: &["In Progress → Done: pass"],
            fail: &[
                "In Progress → Review: fail",
                "Review → In Progress: fail",
                "In Progress → Review: fail",
                "Review → In Progress: fail",
                "In Progress → stays: exhausted",
            ],
        },
        Case {
            name: "a ring with a way out",
            rules: "  In Progress: { onPass: Review, onFail: Review }\n  Review: { onFail: In Progress, maxAttempts: 1, onExhausted: Blocked }\n",
            pass: &["In Progress → Review: pass", "Review → stays: pass"],
            fail: &["In Progress → Review: fail", "Review → Blocked: fail"],
        },
        Case {
            name: "too few tests: onFail before any attempt, whatever would become of one",
            rules: "  In Progress: { onPass: Done, onFail: Needs Specs, require: 2 }\n",
            pass: &["In Progress → Needs Specs: unverified"],
            fail: &["In Progress → Needs Specs: unverified"],
        },
        Case {
            name: "too few tests and no onFail: told once",
            rules: "  In Progress: { onPass: Done, onExhausted: Blocked, require: 2 }\n",
            pass: &["In Progress → stays: unverified"],
            fail: &["In Progress → stays: unverified"],
        },
        Case {
            name: "a promotion into an earlier column is worked there as well",
            rules: "  Backlog: { onPass: Done }\n  In Progress: { onPass: Backlog }\n",
            pass: &["In Progress → Backlog: pass", "Backlog → Done: pass"],
            fail: &["In Progress → stays: fail", "In Progress → stays: fail", "In Progress → stays: fail"],
        },
    ];
    for case in cases {
        let world = World::outside_git("- [ ] KB-1 first @made\n")
            .with("transitions.yaml", format!("statuses:\n{}", case.rules));
        let records = world.run(&["dry-run", "--format", "json"]).exits(0).events();
        assert_eq!(way(&records, "pass"), case.pass, "{}, passing", case.name);
        assert_eq!(way(&records, "fail"), case.fail, "{}, failing", case.name);
    }
}

/// As in a run, which stamps a card when its first attempt begins: what is assumed of it is not from before.
#[test]
fn an_assumed_attempt_is_that_of_the_card_as_it_stands() {
    for (rule, reason) in [
        ("{ onPass: Done }", ": 3 of 3 attempts failed; edit the card"),
        ("{ onFail: Needs Specs }", ", stays (1 attempt): passed in attempt "),
    ] {
        let world = World::outside_git("- [ ] first @made\n")
            .with("transitions.yaml", format!("statuses:\n  In Progress: {rule}\n"));
        let told = world.run(&["dry-run"]).exits(0).says(reason).stdout;
        assert!(!told.contains("stood on the board before"), "{told}");
    }
}

//! What a column is for, as far as its name says. Pure.

/// The use of a column, by the names that boards give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing happens here.
    Parked,
    /// Cards that need a person's words.
    Unclear,
    /// Cards that nobody goes on with.
    Blocked,
    Done,
    Review,
    Work,
    /// Cards that may be begun.
    Ready,
}

/// The first that has a name within the column's decides.
const NAMES: [(Role, &[&str]); 7] = [
    (
        Role::Parked,
        &["backlog", "ideas", "inbox", "icebox", "later", "someday", "not", "won t", "cancelled", "canceled"],
    ),
    (Role::Unclear, &["needs specs", "needs spec", "specs", "needs info", "unclear", "clarify", "clarification"]),
    (Role::Blocked, &["blocked", "stuck", "on hold", "waiting", "failed"]),
    (
        Role::Done,
        &["done", "complete", "completed", "closed", "finished", "shipped", "released", "deployed", "archive"],
    ),
    (Role::Review, &["review", "reviewing", "testing", "test", "qa", "verify", "verification"]),
    (Role::Work, &["in progress", "doing", "wip", "in work", "working", "active", "development", "implementing"]),
    (Role::Ready, &["todo", "to do", "ready", "next", "sprint", "open", "planned"]),
];

impl Role {
    /// None: the name says nothing.
    pub fn of(column: &str) -> Option<Role> {
        let words = column.to_lowercase();
        let words: Vec<&str> =
            words.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let words = format!(" {} ", words.join(" "));
        let named = |names: &&[&str]| names.iter().any(|name| words.contains(&format!(" {name} ")));
        NAMES.iter().find(|(_, names)| named(names)).map(|(role, _)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_columns_name_says_what_it_is_for() {
        for (name, role) in [
            ("Backlog", Some(Role::Parked)),
            ("🚧 In Progress", Some(Role::Work)),
            ("DOING", Some(Role::Work)),
            ("In-Progress (3)", Some(Role::Work)),
            ("To Do", Some(Role::Ready)),
            ("Code review", Some(Role::Review)),
            ("Ready for QA", Some(Role::Review)),
            ("Needs Specs", Some(Role::Unclear)),
            ("On hold", Some(Role::Blocked)),
            ("Done ✅", Some(Role::Done)),
            ("Not doing", Some(Role::Parked)),
            ("Won't do", Some(Role::Parked)),
            ("Undone", None),
            ("Erledigt", None),
            ("", None),
        ] {
            assert_eq!(Role::of(name), role, "{name}");
        }
    }
}

//! The gate's arithmetic: from what each test said to a verdict. Pure.

use crate::checks::{Judged, TestString};
use crate::evidence::{ChangedFile, Content};
use crate::journal::{Ending, TestOutcome};
use crate::prompt::head;
use crate::redact::Redactor;
use crate::rules::Verdict;

/// So much of what was looked for stands in the evidence, in bytes.
const LOOKED_FOR: usize = 160;
/// So much of the nearest miss.
const NEAREST: usize = 240;

/// Everything that a verdict follows from.
#[derive(Debug)]
pub struct Case<'c> {
    pub ending: &'c Ending,
    /// Gate inputs that changed during the attempt.
    pub tampered: &'c [String],
    pub tests: &'c [Tested],
    pub require: usize,
    /// The column wants changes and the card's attempts made none.
    pub lacks_changes: bool,
}

/// A test's outcome, with what the gate must know of the test.
#[derive(Debug, Clone)]
pub struct Tested {
    pub outcome: TestOutcome,
    /// `#always`: its failure fails the card.
    pub always: bool,
    /// Its pass shows that work was done.
    pub proves: bool,
    /// It could not be judged.
    pub inconclusive: bool,
}

/// How a shell test was before the card's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    Red,
    Green,
    /// Neither is known: it `was not run before the work`.
    Unknown(String),
}

/// A shell test's run.
#[derive(Debug, Default)]
pub struct Ran {
    pub passed: bool,
    /// It did not come to its own end.
    pub inconclusive: bool,
    /// `exit 1`
    pub evidence: String,
    /// The end of its output, where it failed.
    pub tail: String,
}

impl Tested {
    /// A shell test that rests on files which another card's attempt weakened.
    #[must_use]
    pub fn spoiled(mut self, why: &str) -> Tested {
        self.outcome.counts = false;
        self.outcome.evidence.push_str(&format!(", but {why}"));
        self
    }

    fn new(test: &TestString, passed: bool, counts: bool, evidence: String) -> Tested {
        let outcome =
            TestOutcome { id: test.id.clone(), text: test.text.clone(), passed, counts, evidence, tail: String::new() };
        Tested { outcome, always: test.always(), proves: test.check.kind.proves(), inconclusive: false }
    }

    /// Of `includes`, `excludes` and `regex`. What is quoted is redacted before it is cut.
    pub fn judged(test: &TestString, judged: Judged, redactor: &Redactor) -> Tested {
        let Judged { passed, counts, place, looked_for, looked_in, unread, nearest, .. } = judged;
        let unread = unread.map(|files| format!("; no evidence: {}", head(&redactor.text(&files), NEAREST)));
        let looked_in = looked_in + &unread.unwrap_or_default();
        // The whole line of the tests file is told beside.
        let looked_for = head(&redactor.text(&looked_for), LOOKED_FOR);
        let evidence = match (passed, place, nearest) {
            (true, Some(place), _) => place,
            (true, None, _) => format!("`{looked_for}` is absent from {looked_in}"),
            (false, Some(place), _) => format!("`{looked_for}` stands in {place}"),
            (false, None, Some(near)) => {
                let near = head(&redactor.text(&near), NEAREST);
                format!("`{looked_for}` is not in {looked_in}; nearest: {near}")
            }
            (false, None, None) => format!("`{looked_for}` is not in {looked_in}"),
        };
        Tested::new(test, passed, counts, redactor.text(&evidence).into_owned())
    }

    /// Of `shell`. `before`: how it was before the work, in a column that asks for red, then green.
    pub fn ran(test: &TestString, ran: Ran, before: Option<Before>) -> Tested {
        let Ran { passed, inconclusive, evidence, tail } = ran;
        let (passed, counts, evidence) = match (passed, before, test.guard()) {
            (true, Some(Before::Red), true) => {
                (false, false, format!("{evidence}; a #guard must be green before as well"))
            }
            (true, Some(Before::Green), false) => {
                (true, false, format!("{evidence}, but it was green before the work as well"))
            }
            (true, Some(Before::Unknown(why)), _) => (true, false, format!("{evidence}, but it {why}")),
            (passed, _, _) => (passed, passed, evidence),
        };
        let tested = Tested::new(test, passed, counts, evidence);
        Tested { outcome: TestOutcome { tail, ..tested.outcome }, inconclusive, ..tested }
    }
}

/// What became of a guarded file, for people.
pub fn told(file: &ChangedFile) -> String {
    let what = match (file.existed, &file.content) {
        (_, Content::Deleted) => "removed",
        (true, _) => "changed",
        (false, _) => "made",
    };
    format!("{} (guarded; it was {what})", file.path)
}

/// The verdict, why, and how many passes counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub reason: String,
    pub passed: u32,
}

pub fn judge(case: &Case) -> Judgement {
    let passes: Vec<_> = case.tests.iter().filter(|test| test.outcome.passed && test.outcome.counts).collect();
    let open = case.tests.iter().filter(|test| test.inconclusive).count();
    let tally = match (passes.len(), case.require) {
        (passed, required) if passed > required => format!("{passed} tests passed, {required} required"),
        (passed, required) => format!("{passed} of {required} required tests passed"),
    };
    let says = |verdict, reason: String| Judgement { verdict, reason, passed: passes.len() as u32 };
    if !case.tampered.is_empty() {
        let files = case.tampered.join(", ");
        return says(Verdict::Tampered, format!("changed during the attempt: {files}"));
    }
    if let Ending::Work { reason } = case.ending {
        return says(Verdict::Fail, reason.clone());
    }
    if case.lacks_changes {
        return says(Verdict::Fail, format!("nothing was changed (what git ignores does not count); {tally}"));
    }
    let always = |failed: &&Tested| failed.always && !failed.outcome.passed;
    if let Some(test) = case.tests.iter().find(|test| always(test) && !test.inconclusive) {
        return says(Verdict::Fail, format!("the test {}, which is for every card, failed; {tally}", test.outcome.id));
    }
    let undecided = case.tests.iter().find(|test| test.inconclusive && (test.always || passes.len() < case.require));
    if let Some(test) = undecided.filter(|_| passes.len() + open >= case.require) {
        return says(Verdict::Inconclusive, format!("{} can't be judged: {}", test.outcome.id, test.outcome.evidence));
    }
    if passes.len() < case.require {
        return says(Verdict::Fail, tally);
    }
    if !passes.iter().any(|test| test.proves) {
        return says(Verdict::Fail, format!("{tally}, but `excludes` tests alone prove nothing"));
    }
    says(Verdict::Pass, tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::TestId;
    use proptest::prelude::*;

    /// `p`ass, `f`ail, `?` inconclusive; upper case: `#always`; `x`: a passing `excludes`; `u`: a pass that doesn't count.
    fn tests(letters: &str) -> Vec<Tested> {
        let one = |letter: char| {
            let lower = letter.to_ascii_lowercase();
            let outcome = TestOutcome {
                id: TestId(letter.into()),
                text: String::new(),
                passed: matches!(lower, 'p' | 'x' | 'u'),
                counts: matches!(lower, 'p' | 'x'),
                evidence: "why".into(),
                tail: String::new(),
            };
            Tested {
                outcome,
                always: letter.is_ascii_uppercase(),
                proves: lower == 'p',
                inconclusive: letter == '?' || letter == '!',
            }
        };
        letters.chars().map(one).collect()
    }

    fn verdict(letters: &str, require: usize) -> Verdict {
        let case = Case { ending: &Ending::Ok, tampered: &[], tests: &tests(letters), require, lacks_changes: false };
        judge(&case).verdict
    }

    #[test]
    fn the_truth_table() {
        #[rustfmt::skip]
        let table = [
            ("ppp",   3, Verdict::Pass),
            ("pppff", 3, Verdict::Pass),
            ("ppfff", 3, Verdict::Fail),
            ("",      1, Verdict::Fail),
            ("pppF",  3, Verdict::Fail),
            ("ppP",   3, Verdict::Pass),
            ("xxx",   3, Verdict::Fail),
            ("xxp",   3, Verdict::Pass),
            ("ppu",   3, Verdict::Fail),
            ("ppp?",  3, Verdict::Pass),
            ("pp?",   3, Verdict::Inconclusive),
            ("p?f",   3, Verdict::Fail),
        ];
        for (letters, require, expected) in table {
            assert_eq!(verdict(letters, require), expected, "{letters} of {require}");
        }
    }

    #[test]
    fn passing_tests_never_outweigh_what_went_wrong_before_them() {
        let all = tests("ppp");
        let base = Case { ending: &Ending::Ok, tampered: &[], tests: &all, require: 3, lacks_changes: false };
        assert_eq!(judge(&base).verdict, Verdict::Pass);
        let work = Ending::Work { reason: "exit 1".into() };
        assert_eq!(judge(&Case { ending: &work, ..base }).verdict, Verdict::Fail);
        let base = Case { ending: &Ending::Ok, tampered: &[], tests: &all, require: 3, lacks_changes: true };
        assert_eq!(judge(&base).verdict, Verdict::Fail);
        let tampered = ["tests.txt".to_owned()];
        let judgement = judge(&Case { tampered: &tampered, lacks_changes: false, ..base });
        assert_eq!(judgement.verdict, Verdict::Tampered);
        assert!(judgement.reason.contains("tests.txt"));
    }

    #[test]
    fn what_is_quoted_is_short() {
        let test = &crate::checks::parse(&format!("includes:{}", "wanted ".repeat(100)), "tests.txt").unwrap()[0];
        let judged = Judged {
            passed: false,
            counts: false,
            proves: false,
            place: None,
            looked_for: "wanted ".repeat(100),
            looked_in: "1 changed file".to_owned(),
            unread: None,
            nearest: Some("a:1: ".to_owned() + &"nearly wanted ".repeat(100)),
        };
        let evidence = Tested::judged(test, judged, &Redactor::default()).outcome.evidence;
        assert!(evidence.len() < LOOKED_FOR + NEAREST + 60 && evidence.contains("nearly wanted"), "{evidence}");
    }

    proptest! {
        #[test]
        fn a_pass_always_has_enough_counted_passes_and_one_that_proves(letters in "[pfxuPF?]{0,8}", require in 1usize..6) {
            if verdict(&letters, require) == Verdict::Pass {
                let counted = letters.chars().filter(|c| matches!(c, 'p' | 'x' | 'P')).count();
                prop_assert!(counted >= require, "{letters}");
                prop_assert!(letters.contains(['p', 'P']));
                prop_assert!(!letters.contains('F'));
            }
        }
    }
}

//! Counts of what was checked, and the lines from which they come.

/// Counts of what was checked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Tests and checks that held.
    pub passed: u64,
    /// Tests and checks that did not.
    pub failed: u64,
    /// What could not be run; the reason was printed.
    pub skipped: u64,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// One check that passed or failed as a whole.
    pub fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }

    /// Prints why something is not run, and counts it.
    pub fn skip(what: &str, reason: &str) -> Self {
        println!("SKIPPED {what}: {reason}");
        Self {
            skipped: 1,
            ..Self::default()
        }
    }

    /// What a test program came to that counted this much and ended with or without success: one that crashes,
    /// or does not compile, counts nothing.
    pub fn of_program(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    /// Counts from a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`, which tests and
    /// doc tests end with.
    pub fn from_cargo(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |name: &str| {
            let counted = counts.split("; ").find_map(|part| part.strip_suffix(name));
            counted.and_then(|number| number.trim().parse().ok())
        };
        Some(Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
            skipped: count(" ignored")?,
        })
    }

    /// Counts from the last line of run.py, such as `result: 3 passed, 0 failed, 1 skipped`.
    pub fn from_python(line: &str) -> Option<Self> {
        let mut counts = line.strip_prefix("result: ")?.split(", ");
        let mut count = |name: &str| counts.next()?.strip_suffix(name)?.parse().ok();
        Some(Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
            skipped: count(" skipped")?,
        })
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered \
                    out; finished in 0.31s";
        let tally = Tally {
            passed: 12,
            failed: 3,
            skipped: 1,
        };
        assert_eq!(Tally::from_cargo(line), Some(tally));
        assert_eq!(tally.to_string(), "12 passed, 3 failed, 1 skipped");
        assert_eq!(Tally::from_cargo("test clap::loads ... ok"), None);
    }

    #[test]
    fn doc_tests_are_counted_with_the_others() {
        let printed = "   Doc-tests weft_core\n\nrunning 2 tests\n\
                       test core/src/fit/mod.rs - fit::fit (line 3) ... ok\n\
                       test core/src/render.rs - render::Renderer (line 9) ... ok\n\n\
                       test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.52s\n\n\
                       all doctests ran in 1.60s; merged doctests compilation took 1.10s";
        let counted: Vec<Tally> = printed.lines().filter_map(Tally::from_cargo).collect();
        let passed = Tally {
            passed: 2,
            ..Tally::default()
        };
        assert_eq!(counted, [passed]);
    }

    #[test]
    fn results_of_the_python_tests_are_counted() {
        let tally = Tally::from_python("result: 3 passed, 1 failed, 2 skipped").unwrap();
        assert_eq!((tally.passed, tally.failed, tally.skipped), (3, 1, 2));
        assert_eq!(Tally::from_python("Ran 3 tests in 1.2s"), None);
    }

    #[test]
    fn a_program_that_ends_without_counting_has_failed() {
        let nothing = Tally::default();
        assert_eq!(nothing.of_program(false), Tally::one(false));
        assert_eq!(nothing.of_program(true), nothing);
        let counted = Tally {
            passed: 4,
            failed: 2,
            skipped: 0,
        };
        assert_eq!(counted.of_program(false), counted);
    }
}

//! What has been found in how many cases?

use std::collections::BTreeMap;

/// Counts of what was judged, and the first violations.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    cases: u64,
    counts: BTreeMap<&'static str, u64>,
    violations: u64,
    examples: Vec<String>,
}

const MAX_EXAMPLES: usize = 10;

impl Outcome {
    pub(crate) fn of_one_case() -> Self {
        Self {
            cases: 1,
            ..Self::default()
        }
    }

    /// Something that is as it should be.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Something that must not be.
    pub(crate) fn violation(&mut self, text: String) {
        self.violations += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(text);
        }
    }

    /// Both together.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.cases += other.cases;
        self.violations += other.violations;
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.examples.extend(other.examples);
        self.examples.truncate(MAX_EXAMPLES);
        self
    }

    pub(crate) fn cases(&self) -> u64 {
        self.cases
    }

    pub(crate) fn violations(&self) -> u64 {
        self.violations
    }

    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    pub(crate) fn examples(&self) -> &[String] {
        &self.examples
    }
}

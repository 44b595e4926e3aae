//! What has been found in how many cases?

use std::collections::BTreeMap;
use std::fmt::Debug;

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
    /// Where findings about the next case go.
    pub(crate) fn case<'a>(&'a mut self, number: u64, about: &'a dyn Debug) -> Findings<'a> {
        self.cases += 1;
        Findings {
            outcome: self,
            number,
            about,
        }
    }

    /// Both together, this one's examples first.
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

/// What is found about one case.
pub(crate) struct Findings<'a> {
    outcome: &'a mut Outcome,
    number: u64,
    about: &'a dyn Debug,
}

impl Findings<'_> {
    /// Something that occurred.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.outcome.counts.entry(what).or_default() += 1;
    }

    /// Something that must be.
    pub(crate) fn require(&mut self, is_right: bool, what: &str) {
        if is_right {
            return;
        }
        self.outcome.violations += 1;
        if self.outcome.examples.len() < MAX_EXAMPLES {
            let Self { number, about, .. } = self;
            let text = format!("case {number}: {what}: {about:?}");
            self.outcome.examples.push(text);
        }
    }
}

//! How are tests and failures of one rule counted, the same in every order of rows?

use std::collections::BTreeMap;

use super::outcome::{Example, Outcome, ProviderFailures};

/// What one rule has met so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) tested: u64,
    pub(crate) exact: u64,
    failed: u64,
    /// The smallest by line, in order.
    examples: Vec<Example>,
    by_provider: BTreeMap<Option<Box<str>>, u64>,
}

impl Tally {
    #[inline]
    pub(crate) fn pass(&mut self) {
        self.tested += 1;
    }

    /// Counts a failure; the example is made only where it is to be kept.
    #[cold]
    pub(crate) fn fail(
        &mut self,
        line: Option<u64>,
        provider: Option<&str>,
        keep: usize,
        example: impl FnOnce() -> Example,
    ) {
        self.tested += 1;
        self.failed += 1;
        self.count_provider(provider, 1);
        let is_full = self.examples.len() >= keep;
        // Without a line only the content tells whether it belongs to the first.
        let is_later = |kept: &Example| line.unwrap_or(u64::MAX) > kept.line.unwrap_or(u64::MAX);
        if keep > 0 && !(is_full && self.examples.last().is_some_and(is_later)) {
            self.keep(example(), keep);
        }
    }

    fn count_provider(&mut self, provider: Option<&str>, failed: u64) {
        // Looked up by reference first, so that only a new provider is copied.
        let known = self
            .by_provider
            .iter_mut()
            .find(|(name, _)| name.as_deref() == provider);
        match known {
            Some((_, count)) => *count += failed,
            None => {
                self.by_provider.insert(provider.map(Into::into), failed);
            }
        }
    }

    fn keep(&mut self, example: Example, keep: usize) {
        let at = self
            .examples
            .partition_point(|kept| kept.cmp_by_line(&example).is_le());
        self.examples.insert(at, example);
        self.examples.truncate(keep);
    }

    pub(crate) fn merge(&mut self, other: Tally, keep: usize) {
        self.tested += other.tested;
        self.exact += other.exact;
        self.failed += other.failed;
        for (provider, failed) in other.by_provider {
            *self.by_provider.entry(provider).or_default() += failed;
        }
        for example in other.examples {
            self.keep(example, keep);
        }
    }

    /// The outcome; `reason` says why there is none.
    pub(crate) fn outcome(self, reason: impl FnOnce() -> String) -> Outcome {
        match (self.tested, self.failed) {
            (0, _) => Outcome::NotTestable { reason: reason() },
            (tested, 0) => Outcome::Passed { tested },
            (tested, failed) => Outcome::Failed {
                tested,
                failed,
                examples: self.examples,
                by_provider: self
                    .by_provider
                    .into_iter()
                    .map(|(provider, failed)| ProviderFailures {
                        provider: provider.map(String::from),
                        failed,
                    })
                    .collect(),
            },
        }
    }
}

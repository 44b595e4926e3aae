//! What would this have decided? Scores against labels, and two rule sets over the same contexts.

use std::collections::BTreeMap;

use crate::decision::Decision;
use crate::rule::Mode;
use crate::rule_set::{RuleSet, Verdict};
use crate::signal::Context;

/// A context that was recorded, and whether its account turned out to be abused, where that is known.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// About whom.
    pub account: String,
    /// What was known.
    pub context: Context,
    /// What turned out; `None` while nobody knows.
    pub is_abused: Option<bool>,
}

/// Hits and misses among those whose label is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Abused and caught.
    pub true_positives: usize,
    /// Good and caught.
    pub false_positives: usize,
    /// Abused and missed.
    pub false_negatives: usize,
    /// Good and left alone.
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts one more.
    pub fn add(&mut self, is_caught: bool, is_abused: bool) {
        let cell = match (is_caught, is_abused) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_positives,
            (false, true) => &mut self.false_negatives,
            (false, false) => &mut self.true_negatives,
        };
        *cell += 1;
    }

    /// Which part of the caught was abused; `None` when nobody was caught.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_positives, self.false_positives)
    }

    /// Which part of the abused was caught; `None` when nobody was abused.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.true_positives, self.false_negatives)
    }

    /// Which part of the good was caught; `None` when nobody is good.
    #[must_use]
    pub fn false_positive_rate(&self) -> Option<f64> {
        ratio(self.false_positives, self.true_negatives)
    }
}

fn ratio(part: usize, rest: usize) -> Option<f64> {
    (part + rest > 0).then(|| part as f64 / (part + rest) as f64)
}

/// The largest recall that any threshold on the score reaches while at most `rate` of the good are
/// caught. Those with one score are caught together. `None` without a member of both classes.
///
/// ```
/// use bursar_risk::recall_at;
///
/// let scored = [(90.0, true), (80.0, false), (70.0, true), (10.0, false)];
/// assert_eq!(recall_at(&scored, 0.0), Some(0.5));
/// assert_eq!(recall_at(&scored, 0.5), Some(1.0));
/// ```
#[must_use]
pub fn recall_at(scored: &[(f64, bool)], rate: f64) -> Option<f64> {
    let threshold = threshold_at(scored, rate)?;
    let bad = scored.iter().filter(|(_, is_abused)| *is_abused);
    let caught = bad.clone().filter(|(score, _)| *score >= threshold).count();
    Some(caught as f64 / bad.count() as f64)
}

/// The lowest threshold at which at most `rate` of the good score as much; infinite when even the
/// highest score takes too many.
#[must_use]
pub fn threshold_at(scored: &[(f64, bool)], rate: f64) -> Option<f64> {
    let good = scored.iter().filter(|(_, is_abused)| !is_abused).count();
    if good == 0 || good == scored.len() {
        return None;
    }
    let mut sorted: Vec<(f64, bool)> = scored.to_vec();
    sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
    let (mut threshold, mut caught) = (f64::INFINITY, 0);
    for group in sorted.chunk_by(|one, other| one.0 == other.0) {
        caught += group.iter().filter(|(_, is_abused)| !is_abused).count();
        if caught as f64 > rate * good as f64 {
            break;
        }
        threshold = group[0].0;
    }
    Some(threshold)
}

/// An account that one set judges otherwise than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// About whom.
    pub account: String,
    /// By the first set.
    pub before: Verdict,
    /// By the second set.
    pub after: Verdict,
    /// What turned out; `None` while nobody knows.
    pub is_abused: Option<bool>,
}

/// What changes when one rule set takes another's place.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// Blocks of the first set, where labels are known.
    pub before: Confusion,
    /// Blocks of the second.
    pub after: Confusion,
    /// Whose verdict changes.
    pub changes: Vec<Change>,
    /// The hits of each rule against the labels, by set (0 or 1) and name. Rules in shadow are among
    /// them: their precision is what they are promoted by.
    pub hits: BTreeMap<(u8, String), Confusion>,
    /// How often each rule of either set triggered, by set (0 or 1) and name.
    pub triggered: BTreeMap<(u8, String), usize>,
    /// How often each rule could not be evaluated.
    pub not_evaluable: BTreeMap<(u8, String), usize>,
}

impl Backtest {
    /// Runs both sets over the same contexts.
    #[must_use]
    pub fn run(before: &RuleSet, after: &RuleSet, recorded: &[Recorded]) -> Self {
        let mut result = Self {
            before: Confusion::default(),
            after: Confusion::default(),
            changes: Vec::new(),
            hits: BTreeMap::new(),
            triggered: BTreeMap::new(),
            not_evaluable: BTreeMap::new(),
        };
        for record in recorded {
            let old = result.evaluate(0, before, record);
            let new = result.evaluate(1, after, record);
            if let Some(is_abused) = record.is_abused {
                result.before.add(old == Verdict::Block, is_abused);
                result.after.add(new == Verdict::Block, is_abused);
            }
            if old != new {
                result.changes.push(Change {
                    account: record.account.clone(),
                    before: old,
                    after: new,
                    is_abused: record.is_abused,
                });
            }
        }
        result
    }

    fn evaluate(&mut self, set: u8, rules: &RuleSet, record: &Recorded) -> Verdict {
        let decision = rules.evaluate(&record.context);
        if let Some(is_abused) = record.is_abused {
            self.count_hits(set, &decision, is_abused);
        }
        for rule in decision.triggered() {
            *self
                .triggered
                .entry((set, rule.name().to_owned()))
                .or_default() += 1;
        }
        for (rule, _) in decision.not_evaluable() {
            *self
                .not_evaluable
                .entry((set, rule.name().to_owned()))
                .or_default() += 1;
        }
        decision.verdict()
    }

    fn count_hits(&mut self, set: u8, decision: &Decision<'_>, is_abused: bool) {
        let rules = decision.rules().rules().iter();
        for rule in rules.filter(|rule| rule.current_mode() != Mode::Off) {
            let mut hits = decision.triggered().chain(decision.shadow());
            let is_hit = hits.any(|hit| std::ptr::eq(hit, rule));
            let counts = self.hits.entry((set, rule.name().to_owned()));
            counts.or_default().add(is_hit, is_abused);
        }
    }
}

//! How likely is abuse, given which rules hit? Hits that go together are not counted twice.

use std::collections::BTreeMap;

use crate::backtest::Recorded;
use crate::decision::Decision;
use crate::model::TrainError;
use crate::rule_set::RuleSet;

/// A probability of abuse from the rules that hit, learned from labeled history, beside the points.
///
/// Each rule is a cause that brings abuse to light with a probability of its own, and so does the
/// unseen rest, the *leak*: P = 1 − (1 − leak) Π (1 − pᵢ) over the hits (noisy-OR; Pearl, 1988). All
/// are learned together, so two rules that always hit together share what they explain, where a
/// product of their separate precisions would count it twice.
///
/// ```
/// use bursar_risk::{Context, NoisyOr, Recorded, RuleSet, Signal};
///
/// let rules = RuleSet::standard();
/// let record = |ips: f64, is_abused| Recorded {
///     account: String::new(),
///     context: Context::new().with(Signal::UNIQUE_IPS, ips),
///     is_abused: Some(is_abused),
/// };
/// // Of a hundred with many addresses eighty are abused, and of a hundred others ten.
/// let mut history: Vec<Recorded> = (0..100).map(|number| record(14.0, number < 80)).collect();
/// history.extend((0..100).map(|number| record(2.0, number < 10)));
/// let learned = NoisyOr::learn(1, &rules, &history)?;
///
/// let context = Context::new().with(Signal::UNIQUE_IPS, 12.0);
/// let decision = rules.evaluate(&context);
/// assert!((learned.probability(&decision) - 0.8).abs() < 0.01);
/// # Ok::<(), bursar_risk::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Saved", into = "Saved"))]
pub struct NoisyOr {
    version: u64,
    leak: f64,
    causes: BTreeMap<String, f64>,
}

/// Fewer of a class say nothing, as for [`Model`](crate::Model).
const LEAST_RECORDS: usize = 20;

/// The probabilities change in the sixth place by then.
const STEPS: usize = 500;

/// How many good and abused had exactly these rules hit.
type Patterns = BTreeMap<Vec<String>, [usize; 2]>;

impl NoisyOr {
    /// Learns from records whose label is known, by expectation and maximization (Dempster, Laird and
    /// Rubin, 1977), with one imagined hit at the rate of abuse for each rule, so that a rule which
    /// never hit is worth that rate and not nothing or everything.
    ///
    /// # Errors
    /// [`TrainError::TooFew`] with fewer than 20 records of a class.
    pub fn learn(version: u64, rules: &RuleSet, recorded: &[Recorded]) -> Result<Self, TrainError> {
        let patterns = patterns(rules, recorded);
        let count = |class: usize| patterns.values().map(|counts| counts[class]).sum::<usize>();
        let (good, bad) = (count(0), count(1));
        if good.min(bad) < LEAST_RECORDS {
            return Err(TrainError::TooFew {
                good,
                bad,
                needed: LEAST_RECORDS,
            });
        }
        let rate = bad as f64 / (good + bad) as f64;
        let names = rules.rules().iter().map(|rule| rule.name().to_owned());
        let mut learned = Self {
            version,
            leak: rate,
            causes: names.map(|name| (name, rate.max(0.5))).collect(),
        };
        for _ in 0..STEPS {
            learned.step(&patterns, rate);
        }
        Ok(learned)
    }

    /// The version that records name.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The probability of abuse without any hit.
    #[must_use]
    pub const fn leak(&self) -> f64 {
        self.leak
    }

    /// What a rule's hit is worth by itself; `None` for a rule that was not learned.
    #[must_use]
    pub fn cause(&self, rule: &str) -> Option<f64> {
        self.causes.get(rule).copied()
    }

    /// The probability of abuse behind a decision, for a population like that of the history. Rules
    /// that gave points only because a signal was missing do not count, nor do those that were not
    /// learned.
    #[must_use]
    pub fn probability(&self, decision: &Decision<'_>) -> f64 {
        self.of_hits(&hits(decision))
    }

    fn of_hits(&self, hits: &[String]) -> f64 {
        let causes = hits.iter().filter_map(|rule| self.causes.get(rule));
        1.0 - causes.fold(1.0 - self.leak, |good, cause| good * (1.0 - cause))
    }

    /// Each abused record is shared out among the causes that may stand behind it; each cause becomes
    /// its part of the records in which it was at work.
    fn step(&mut self, patterns: &Patterns, rate: f64) {
        let mut causes: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        let mut leak = [rate, 1.0];
        for (hits, counts) in patterns {
            let all = (counts[0] + counts[1]) as f64;
            let share = counts[1] as f64 / self.of_hits(hits).max(f64::MIN_POSITIVE);
            leak[0] += self.leak * share;
            leak[1] += all;
            for rule in hits {
                let sums = causes.entry(rule).or_insert([rate, 1.0]);
                sums[0] += self.causes.get(rule).copied().unwrap_or(0.0) * share;
                sums[1] += all;
            }
        }
        self.leak = leak[0] / leak[1];
        for (rule, cause) in &mut self.causes {
            *cause = causes
                .get(rule.as_str())
                .map_or(rate, |sums| sums[0] / sums[1]);
        }
    }
}

fn patterns(rules: &RuleSet, recorded: &[Recorded]) -> Patterns {
    let mut patterns = Patterns::new();
    for record in recorded {
        if let Some(is_abused) = record.is_abused {
            let hits = hits(&rules.evaluate(&record.context));
            patterns.entry(hits).or_default()[usize::from(is_abused)] += 1;
        }
    }
    patterns
}

/// The rules that were found true, those in shadow left out.
fn hits(decision: &Decision<'_>) -> Vec<String> {
    let open: Vec<&str> = decision
        .not_evaluable()
        .map(|(rule, _)| rule.name())
        .collect();
    let names = decision.triggered().map(|rule| rule.name());
    let found = names.filter(|name| !open.contains(name));
    found.map(str::to_owned).collect()
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: crate::format::Format<1>,
    version: u64,
    leak: f64,
    causes: BTreeMap<String, f64>,
}

#[cfg(feature = "serde")]
impl From<NoisyOr> for Saved {
    fn from(learned: NoisyOr) -> Self {
        Self {
            format: crate::format::Format,
            version: learned.version,
            leak: learned.leak,
            causes: learned.causes,
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Saved> for NoisyOr {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let all = saved.causes.values().chain([&saved.leak]);
        for &probability in all {
            if !(0.0..=1.0).contains(&probability) {
                return Err(format!("{probability} is no probability: learn it anew"));
            }
        }
        Ok(Self {
            version: saved.version,
            leak: saved.leak,
            causes: saved.causes,
        })
    }
}

//! Which rules are in force together, and when does their sum mean review or block?

use std::collections::BTreeSet;

use crate::error::RuleError;
use crate::program::{BATCH, Program, Truths};
use crate::rule::{Action, Missing, Mode, Rule};
use crate::signal::{Code, Context, Signal, Vocabulary, is_name};

/// The most rules in a set, so that a rule's place fits in two bytes of a decision.
pub const MAX_RULES: usize = 65_535;

/// What is done with a consumer. Later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "UPPERCASE"))]
pub enum Verdict {
    /// Serve.
    Allow,
    /// Serve, and have a person look.
    Review,
    /// Do not serve.
    Block,
}

impl Verdict {
    /// `ALLOW`, `REVIEW` or `BLOCK`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Review => "REVIEW",
            Self::Block => "BLOCK",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl From<Action> for Verdict {
    fn from(action: Action) -> Self {
        match action {
            Action::Flag => Self::Allow,
            Action::Review => Self::Review,
            Action::Block => Self::Block,
        }
    }
}

/// Whether the actions of the rules count beside their points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Policy {
    /// The sum decides; actions are only reported.
    #[default]
    ScoreOnly,
    /// The worst of the sum and of each triggered rule's action decides.
    Strictest,
}

/// From which score on a consumer is reviewed or blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Thresholds {
    /// From this score on: [`Verdict::Review`].
    pub review: u32,
    /// From this score on: [`Verdict::Block`].
    pub block: u32,
}

impl Default for Thresholds {
    /// Review at 40, block at 70, as the product defines them.
    fn default() -> Self {
        Self {
            review: 40,
            block: 70,
        }
    }
}

impl Thresholds {
    /// What a score means.
    #[must_use]
    pub fn verdict(&self, score: f64) -> Verdict {
        if score >= f64::from(self.block) {
            Verdict::Block
        } else if score >= f64::from(self.review) {
            Verdict::Review
        } else {
            Verdict::Allow
        }
    }

    fn check(&self) -> Result<(), RuleError> {
        if self.review == 0 || self.review > self.block {
            return Err(RuleError::new(format!(
                "review at {} and block at {} leave no room: keep 0 < review <= block",
                self.review, self.block
            ))
            .under("review"));
        }
        Ok(())
    }
}

/// A checked set of rules. It never changes: another set takes its place, see
/// [`LiveRules`](crate::LiveRules).
///
/// ```
/// use bursar_risk::{Context, RuleSet, Signal, Verdict};
///
/// let rules = RuleSet::standard();
/// let context = Context::new()
///     .with(Signal::TOKENS_PER_MINUTE, 1_500.0)
///     .with(Signal::UNIQUE_IPS, 11.0)
///     .with(Signal::USAGE_ANOMALY, 0.1)
///     .with(Signal::ACCOUNT_AGE_DAYS, 90.0)
///     .with(Signal::SPEND_PER_DAY, 12.0);
/// let decision = rules.evaluate(&context);
/// assert_eq!(decision.score(), 80);
/// assert_eq!(decision.verdict(), Verdict::Block);
/// let reasons: Vec<String> = decision.reasons().collect();
/// assert_eq!(reasons[1], "account_sharing (50): 11 addresses in the window, more than 10");
/// # Ok::<(), bursar_risk::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) policy: Policy,
    pub(crate) thresholds: Thresholds,
    pub(crate) tiers: Vec<(Code, Thresholds)>,
    pub(crate) rules: Vec<Rule>,
    /// The conditions of `steps`, in the same order.
    program: Program,
    steps: Vec<Step>,
}

/// What counts of a rule that is not off once its condition is decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) points: u32,
    pub(crate) rule: u16,
    pub(crate) action: Action,
    pub(crate) is_shadow: bool,
    pub(crate) missing: Missing,
}

impl RuleSet {
    /// Checks rules over the standard signals, with the default thresholds and policy.
    ///
    /// # Errors
    /// [`RuleError`] with the field: a name twice or not a name, a threshold that is not finite, a
    /// signal of another vocabulary or the wrong kind, an unknown name in a reason, too many rules.
    pub fn new(
        name: impl Into<String>,
        version: u64,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Result<Self, RuleError> {
        let set = Self {
            name: name.into(),
            version,
            vocabulary: Vocabulary::standard(),
            policy: Policy::default(),
            thresholds: Thresholds::default(),
            tiers: Vec::new(),
            rules: rules.into_iter().collect(),
            program: Program::default(),
            steps: Vec::new(),
        };
        set.checked()
    }

    /// The four rules of the product: velocity, sharing, anomaly, new account of high value.
    #[must_use]
    pub fn standard() -> Self {
        let rules = [
            Rule::new(
                "high_velocity",
                Signal::TOKENS_PER_MINUTE.above(1000.0),
                30,
                Action::Flag,
            )
            .reason("{tokens_per_minute} tokens in a minute, more than {threshold}"),
            Rule::new(
                "account_sharing",
                Signal::UNIQUE_IPS.above(10.0),
                50,
                Action::Block,
            )
            .reason("{unique_ips} addresses in the window, more than {threshold}"),
            Rule::new(
                "unusual_pattern",
                Signal::USAGE_ANOMALY.at_least(0.5),
                40,
                Action::Review,
            )
            .reason("use departs from the account's own history by {usage_anomaly}, from {threshold} on"),
            Rule::new(
                "new_account_high_value",
                Signal::ACCOUNT_AGE_DAYS
                    .below(7.0)
                    .and(Signal::SPEND_PER_DAY.above(100.0)),
                35,
                Action::Flag,
            )
            .reason("{account_age_days} days old, and {spend_per_day} spent in a day"),
        ];
        Self::new("standard", 1, rules)
            .expect("the four rules are written above and checked by tests")
    }

    /// The same rules over signals of the caller's own.
    ///
    /// # Errors
    /// As [`new`](Self::new), when a rule reads what this vocabulary does not know.
    pub fn with_vocabulary(mut self, vocabulary: Vocabulary) -> Result<Self, RuleError> {
        self.vocabulary = vocabulary;
        self.checked()
    }

    /// The same rules under another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The same rules with other thresholds.
    ///
    /// # Errors
    /// [`RuleError`] unless 0 < review <= block.
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Result<Self, RuleError> {
        self.thresholds = thresholds;
        self.checked()
    }

    /// The same rules with thresholds of its own for a tier, as [`Signal::TIER`] names it.
    ///
    /// # Errors
    /// [`RuleError`] unless 0 < review <= block, or when the tier has thresholds already.
    pub fn with_tier(mut self, tier: Code, thresholds: Thresholds) -> Result<Self, RuleError> {
        self.tiers.push((tier, thresholds));
        self.checked()
    }

    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that records name.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The signals that the rules may read.
    #[must_use]
    pub const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Whether actions count.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// The rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The thresholds of a tier, or those for all.
    #[must_use]
    pub fn thresholds(&self, tier: Option<Code>) -> Thresholds {
        let own = |&&(name, _): &&(Code, Thresholds)| Some(name) == tier;
        let found = self.tiers.iter().find(own);
        found.map_or(self.thresholds, |&(_, thresholds)| thresholds)
    }

    /// The rules that are not off, up to 64 at a time, with the truths of their conditions.
    #[inline]
    pub(crate) fn run<'s>(
        &'s self,
        context: &'s Context,
    ) -> impl Iterator<Item = (&'s [Step], Truths)> {
        self.steps.chunks(BATCH).zip(self.program.run(context))
    }

    pub(crate) fn checked(mut self) -> Result<Self, RuleError> {
        self.check_head()?;
        self.check_rules()?;
        self.steps = steps(&self.rules);
        let evaluated = self.steps.iter().map(|step| usize::from(step.rule));
        self.program = Program::new(evaluated.map(|place| &self.rules[place].when));
        Ok(self)
    }

    fn check_head(&self) -> Result<(), RuleError> {
        if !is_name(&self.name) {
            let message =
                "the name of the set is not 1 to 64 lower-case letters, digits and `_`: rename it";
            return Err(RuleError::new(message).under("name"));
        }
        let thresholds = self.thresholds.check();
        thresholds.map_err(|error| error.under("thresholds"))?;
        let mut seen = BTreeSet::new();
        for (tier, thresholds) in &self.tiers {
            let place = |error: RuleError| error.under(tier.as_str()).under("tiers");
            thresholds.check().map_err(place)?;
            if !seen.insert(*tier) {
                let message = format!("the tier `{tier}` has thresholds already: keep one");
                return Err(place(RuleError::new(message)));
            }
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), RuleError> {
        if self.rules.len() > MAX_RULES {
            let message = format!("{} rules are more than {MAX_RULES}", self.rules.len());
            return Err(RuleError::new(message).under("rules"));
        }
        let mut seen = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let place = |error: RuleError| error.at(index).under("rules");
            rule.check(&self.vocabulary).map_err(place)?;
            if !seen.insert(&rule.name) {
                let message = format!("the rule `{}` is there already: rename one", rule.name);
                return Err(place(RuleError::new(message).under("name")));
            }
        }
        Ok(())
    }
}

fn steps(rules: &[Rule]) -> Vec<Step> {
    let numbered = (0..=u16::MAX).zip(rules);
    let evaluated = numbered.filter(|(_, rule)| rule.mode != Mode::Off);
    let step = |(index, rule): (u16, &Rule)| Step {
        points: rule.points,
        rule: index,
        action: rule.action,
        is_shadow: rule.mode == Mode::Shadow,
        missing: rule.missing,
    };
    evaluated.map(step).collect()
}

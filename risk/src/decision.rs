//! What is decided about a consumer, and why? The rules of a set, evaluated over one context.

use std::fmt;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::appeal::Appeal;
use crate::lists::{Effect, Entry};
use crate::rule::{self, Evidence, Missing, Rule};
use crate::rule_set::{Policy, RuleSet, Step, Thresholds, Verdict};
use crate::signal::{Context, Signal};
use crate::standing::{Holding, Standing};

/// As many triggered rules as are listed without an allocation.
const INLINE: usize = 16;

type Places = SmallVec<[u16; INLINE]>;

/// The answer about one consumer at one moment, with all that it rests on. It borrows the rules and
/// the context; reasons become text only when they are read, and [`Record`](crate::Record) keeps
/// everything for later.
#[derive(Debug, Clone)]
#[must_use]
pub struct Decision<'a> {
    rules: &'a RuleSet,
    context: &'a Context,
    entry: Option<&'a Entry>,
    thresholds: Thresholds,
    score: u32,
    held_score: f64,
    by_score: Verdict,
    verdict: Verdict,
    appealed: bool,
    triggered: Places,
    shadow: Places,
    missing: Places,
}

impl RuleSet {
    /// Evaluates all rules for somebody who is on no list.
    #[inline]
    pub fn evaluate<'a>(&'a self, context: &'a Context) -> Decision<'a> {
        self.judge(context, None)
    }

    /// Evaluates all rules for somebody whom [`Lists::find`](crate::Lists::find) may have found: deny,
    /// then watch, then allow, then points, and the worst of them is the verdict.
    #[inline]
    pub fn judge<'a>(&'a self, context: &'a Context, entry: Option<&'a Entry>) -> Decision<'a> {
        let effect = entry.map(|entry| entry.effect);
        let thresholds = match self.tiers.is_empty() {
            true => self.thresholds,
            false => self.thresholds(context.code(Signal::TIER)),
        };
        let mut decision = Decision {
            rules: self,
            context,
            entry,
            thresholds,
            score: 0,
            held_score: 0.0,
            by_score: Verdict::Allow,
            verdict: Verdict::Allow,
            appealed: false,
            triggered: Places::new(),
            shadow: Places::new(),
            missing: Places::new(),
        };
        let mut worst = Verdict::Allow;
        for (steps, truths) in self.run(context) {
            for place in places(truths.hold | truths.open) {
                match truths.open >> place & 1 {
                    0 => decision.trigger(&steps[place], &mut worst),
                    _ => decision.miss(&steps[place], effect, &mut worst),
                }
            }
        }
        decision.held_score = f64::from(decision.score);
        decision.by_score = thresholds.verdict(decision.held_score);
        decision.verdict = decision.by_score.max(least(effect));
        if self.policy == Policy::Strictest && effect != Some(Effect::Allow) {
            decision.verdict = decision.verdict.max(worst);
        }
        decision
    }
}

/// The places of the bits that are set, from the lowest on.
#[inline]
fn places(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits &= bits.checked_sub(1)?;
        Some(place as usize)
    })
}

/// The verdict that an entry asks for by itself.
fn least(effect: Option<Effect>) -> Verdict {
    match effect {
        Some(Effect::Deny) => Verdict::Block,
        Some(Effect::Watch) => Verdict::Review,
        Some(Effect::Allow) | None => Verdict::Allow,
    }
}

impl<'a> Decision<'a> {
    #[inline]
    fn trigger(&mut self, step: &Step, worst: &mut Verdict) {
        if step.is_shadow {
            self.shadow.push(step.rule);
            return;
        }
        self.triggered.push(step.rule);
        self.score = self.score.saturating_add(step.points);
        *worst = (*worst).max(step.action.into());
    }

    fn miss(&mut self, step: &Step, effect: Option<Effect>, worst: &mut Verdict) {
        self.missing.push(step.rule);
        if step.missing == Missing::Trigger && effect != Some(Effect::Allow) {
            self.trigger(step, worst);
        }
    }

    /// Remembers the score in `standing` and lets what is remembered count: an old score fades by
    /// half-lives, and a verdict stays until the faded score is well under its threshold. An allow
    /// entry makes the memory count nothing.
    pub fn hold(mut self, standing: &mut Standing, holding: &Holding, now: Timestamp) -> Self {
        let held = standing.update(self.score, self.thresholds, holding, now);
        if self.effect() != Some(Effect::Allow) {
            self.held_score = held.score.max(f64::from(self.score));
            self.verdict = self.verdict.max(held.verdict);
        }
        self
    }

    /// Lets an appeal in force suspend a block to a review. A deny entry is not appealed here: it is
    /// taken off its list by its owner.
    pub fn appeal(mut self, appeal: &Appeal, now: Timestamp) -> Self {
        let may = self.effect() != Some(Effect::Deny) && appeal.is_in_force(now);
        if may && self.verdict == Verdict::Block {
            self.verdict = Verdict::Review;
            self.appealed = true;
        }
        self
    }

    /// What to do.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The sum of the points.
    #[must_use]
    pub const fn score(&self) -> u32 {
        self.score
    }

    /// The score with what is remembered, never less than [`score`](Self::score).
    #[must_use]
    pub const fn held_score(&self) -> f64 {
        self.held_score
    }

    /// What the present sum alone would decide.
    #[must_use]
    pub const fn verdict_by_score(&self) -> Verdict {
        self.by_score
    }

    /// Whether an appeal suspended a block.
    #[must_use]
    pub const fn is_appealed(&self) -> bool {
        self.appealed
    }

    /// The list entry that was found.
    #[must_use]
    pub const fn entry(&self) -> Option<&'a Entry> {
        self.entry
    }

    /// The rules that gave the points, in their order.
    pub fn triggered(&self) -> impl ExactSizeIterator<Item = &'a Rule> + '_ {
        self.at(&self.triggered)
    }

    /// The rules in shadow that would have given points.
    pub fn shadow(&self) -> impl ExactSizeIterator<Item = &'a Rule> + '_ {
        self.at(&self.shadow)
    }

    /// The rules that could not be evaluated, each with the signals it misses.
    pub fn not_evaluable(&self) -> impl ExactSizeIterator<Item = (&'a Rule, Vec<Signal>)> + '_ {
        self.at(&self.missing)
            .map(|rule| (rule, self.missing_signals(rule)))
    }

    /// One line for each triggered rule: its name, its points and the reason in numbers.
    pub fn reasons(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.triggered().map(|rule| {
            Reason {
                rule,
                decision: self,
            }
            .to_string()
        })
    }

    /// The comparisons of a rule with their numbers.
    #[must_use]
    pub fn evidence(&self, rule: &Rule) -> Vec<Evidence> {
        rule::evidence(rule, &self.rules.vocabulary, self.context)
    }

    /// The rules that were evaluated.
    #[must_use]
    pub const fn rules(&self) -> &'a RuleSet {
        self.rules
    }

    /// What they were evaluated over.
    #[must_use]
    pub const fn context(&self) -> &'a Context {
        self.context
    }

    fn effect(&self) -> Option<Effect> {
        self.entry.map(|entry| entry.effect)
    }

    fn at<'s>(&'s self, places: &'s Places) -> impl ExactSizeIterator<Item = &'a Rule> + 's {
        let rules: &'a [Rule] = &self.rules.rules;
        places.iter().map(move |&place| &rules[usize::from(place)])
    }

    fn missing_signals(&self, rule: &Rule) -> Vec<Signal> {
        let mut missing = Vec::new();
        rule.condition().signals(&mut |signal| {
            if !self.context.is_known(signal) && !missing.contains(&signal) {
                missing.push(signal);
            }
        });
        missing
    }
}

/// A triggered rule's line.
struct Reason<'d, 'a> {
    rule: &'a Rule,
    decision: &'d Decision<'a>,
}

impl fmt::Display for Reason<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}): ", self.rule.name, self.rule.points)?;
        let vocabulary = &self.decision.rules.vocabulary;
        self.rule
            .write_reason(vocabulary, self.decision.context, formatter)
    }
}

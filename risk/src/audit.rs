//! What was decided about whom, by which rules, on what evidence? A record that stands by itself.

use std::fmt;

use jiff::Timestamp;

use crate::decision::Decision;
use crate::error::RuleError;
use crate::rule::{Action, Evidence, Rule};
use crate::rule_set::Verdict;
use crate::signal::{Code, Context, SignalKind, Vocabulary};

/// A decision with everything it rests on, as plain data for an audit trail. It borrows nothing and
/// reads the same when the rules have changed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Record {
    /// In which form this is saved.
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    /// When it was decided.
    pub at: Timestamp,
    /// About whom.
    pub account: String,
    /// The name of the rule set.
    pub rule_set: String,
    /// The version of the rule set.
    pub version: u64,
    /// What was decided.
    pub verdict: Verdict,
    /// The sum of the points.
    pub score: u32,
    /// The score with what was remembered.
    pub held_score: f64,
    /// The rules that gave points.
    pub triggered: Vec<TriggeredRule>,
    /// The rules in shadow that would have.
    pub shadow: Vec<TriggeredRule>,
    /// The rules that could not be evaluated, with the signals they missed.
    pub not_evaluable: Vec<(String, Vec<String>)>,
    /// The list entry that was found: its effect, owner and reason.
    pub entry: Option<crate::lists::Entry>,
    /// Whether an appeal suspended a block.
    pub appealed: bool,
    /// All signals that were known, by name; numbers with all their digits.
    pub signals: Vec<(String, String)>,
}

/// A rule that held, as it is recorded.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct TriggeredRule {
    /// The rule's name.
    pub rule: String,
    /// Its points.
    pub points: u32,
    /// What it asks for on its own.
    pub action: Action,
    /// The reason in words and numbers, for those who work here.
    pub reason: String,
    /// What the consumer may be told; `None` where the rule says nothing.
    pub notice: Option<String>,
    /// Its comparisons.
    pub evidence: Vec<Evidence>,
}

impl Record {
    /// Keeps a decision.
    #[must_use]
    pub fn of(decision: &Decision<'_>, account: impl Into<String>, at: Timestamp) -> Self {
        let rules = decision.rules();
        let name = |signal| rules.vocabulary().name(signal).to_owned();
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            at,
            account: account.into(),
            rule_set: rules.name().to_owned(),
            version: rules.version(),
            verdict: decision.verdict(),
            score: decision.score(),
            held_score: decision.held_score(),
            triggered: decision
                .triggered()
                .map(|rule| finding(decision, rule))
                .collect(),
            shadow: decision
                .shadow()
                .map(|rule| finding(decision, rule))
                .collect(),
            not_evaluable: decision
                .not_evaluable()
                .map(|(rule, missing)| {
                    (
                        rule.name().to_owned(),
                        missing.into_iter().map(name).collect(),
                    )
                })
                .collect(),
            entry: decision.entry().cloned(),
            appealed: decision.is_appealed(),
            signals: signals(decision),
        }
    }

    /// What was known when it was decided, bit for bit, to back-test other rules on.
    ///
    /// # Errors
    /// [`RuleError`] when the vocabulary does not know a signal or the value is not of its kind.
    pub fn context(&self, vocabulary: &Vocabulary) -> Result<Context, RuleError> {
        let mut context = Context::new();
        for (name, text) in &self.signals {
            let unfit = || {
                let shown = text.chars().take(40).collect::<String>();
                let shown = shown.escape_default();
                RuleError::new(format!(
                    "`{shown}` is no value of the signal `{}`: give the vocabulary of the record",
                    name.escape_default()
                ))
            };
            let signal = vocabulary.find(name).ok_or_else(unfit)?;
            match vocabulary.kind(signal) {
                Some(SignalKind::Code) => context.set_code(signal, Code::new(text)?),
                _ => {
                    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
                    context.set(signal, value.ok_or_else(unfit)?);
                }
            }
        }
        Ok(context)
    }

    /// What the consumer may be told, each sentence once: the notices of the rules that gave points.
    /// Reasons and evidence would tell an abuser what to change.
    pub fn notices(&self) -> Vec<&str> {
        let mut notices = Vec::new();
        for notice in self
            .triggered
            .iter()
            .filter_map(|rule| rule.notice.as_deref())
        {
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        notices
    }
}

fn finding(decision: &Decision<'_>, rule: &Rule) -> TriggeredRule {
    let mut reason = String::new();
    // Writing to a String cannot fail.
    let _ = rule.write_reason(
        decision.rules().vocabulary(),
        decision.context(),
        &mut reason,
    );
    TriggeredRule {
        rule: rule.name().to_owned(),
        points: rule.points(),
        action: rule.action(),
        reason,
        notice: rule.public_notice().map(str::to_owned),
        evidence: decision.evidence(rule),
    }
}

fn signals(decision: &Decision<'_>) -> Vec<(String, String)> {
    let vocabulary = decision.rules().vocabulary();
    let known = vocabulary.signals().filter_map(|signal| {
        let value = match vocabulary.kind(signal)? {
            SignalKind::Number => decision.context().number(signal)?.to_string(),
            SignalKind::Code => decision.context().code(signal)?.to_string(),
        };
        Some((vocabulary.name(signal).to_owned(), value))
    });
    known.collect()
}

impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {} score {} by {} v{}",
            self.at, self.account, self.verdict, self.score, self.rule_set, self.version
        )?;
        if let Some(entry) = &self.entry {
            write!(
                formatter,
                "\n  listed {:?} by {}: {}",
                entry.effect, entry.owner, entry.reason
            )?;
        }
        if self.appealed {
            write!(formatter, "\n  a block is suspended by an appeal")?;
        }
        for finding in &self.triggered {
            write!(
                formatter,
                "\n  +{} {}: {}",
                finding.points, finding.rule, finding.reason
            )?;
        }
        for (rule, missing) in &self.not_evaluable {
            write!(
                formatter,
                "\n  not evaluable: {rule}, without {}",
                missing.join(", ")
            )?;
        }
        Ok(())
    }
}

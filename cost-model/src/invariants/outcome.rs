//! What did the checks find?

use std::fmt;

use bursar_units::Currency;

use super::rule::{Invariant, Rule};
use crate::{Exact, ExactSum, Period};

/// What was found about one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InvariantResult {
    /// The invariant.
    pub invariant: Invariant,
    /// All its rules taken together.
    #[cfg_attr(feature = "serde", serde(rename = "status"))]
    pub outcome: Verdict,
    /// What was found about each of its rules.
    pub rules: Vec<RuleResult>,
}

/// What was found about the rules of an invariant taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Verdict {
    /// Every rule was tested and passed.
    Passed,
    /// Every rule that could be tested passed; at least one could not.
    PassedInPart,
    /// At least one rule failed.
    Failed,
    /// No rule could be tested.
    NotTestable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Passed => "passed",
            Verdict::PassedInPart => "passed in part",
            Verdict::Failed => "failed",
            Verdict::NotTestable => "not testable",
        })
    }
}

/// What was found about one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RuleResult {
    /// The rule.
    pub rule: Rule,
    /// Whether it holds.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub outcome: Outcome,
    /// Of the tested rows, those that agree to the last digit, where the rule has a tolerance.
    pub exact: Option<u64>,
    /// What else there is to say: a pattern in the failures, what could not be tested.
    pub notes: Vec<String>,
    /// The sums that the rule compared.
    pub evidence: Evidence,
}

/// Whether a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Outcome {
    /// It holds for all that it could be tested on.
    Passed {
        /// How many rows, invoices or commitments: at least 1.
        tested: u64,
    },
    /// It does not hold for some.
    Failed {
        /// How many rows, invoices or commitments it was tested on.
        tested: u64,
        /// For how many of them it does not hold.
        failed: u64,
        /// The first of those, by line.
        examples: Vec<Example>,
        /// The failures of each provider, by name.
        by_provider: Vec<ProviderFailures>,
    },
    /// There is nothing that it could be tested on.
    NotTestable {
        /// Which column is missing, or of which kind there is no row.
        reason: String,
    },
}

impl Outcome {
    /// How many rows, invoices or commitments were tested.
    #[must_use]
    pub fn tested(&self) -> u64 {
        match self {
            Outcome::Passed { tested } | Outcome::Failed { tested, .. } => *tested,
            Outcome::NotTestable { .. } => 0,
        }
    }

    /// For how many of them the rule does not hold.
    #[must_use]
    pub fn failed(&self) -> u64 {
        match self {
            Outcome::Failed { failed, .. } => *failed,
            Outcome::Passed { .. } | Outcome::NotTestable { .. } => 0,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed { tested } => write!(f, "passed on all {tested}"),
            Outcome::Failed { tested, failed, .. } => write!(f, "failed on {failed} of {tested}"),
            Outcome::NotTestable { reason } => write!(f, "not testable: {reason}"),
        }
    }
}

/// How many failures are of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ProviderFailures {
    /// The provider; `None` for rows that name none.
    pub provider: Option<String>,
    /// The failures.
    pub failed: u64,
}

/// One row, invoice or commitment for which a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Example {
    /// The line of the row, or of the first row of the invoice or commitment.
    pub line: Option<u64>,
    /// Who provides the service.
    pub provider: Option<String>,
    /// The columns that disagree, with their values. Values of tags are never shown: they may be
    /// personal data.
    pub values: Vec<(&'static str, String)>,
    /// Stated less expected amount, where the rule compares two.
    pub difference: Option<ExactSum>,
}

impl Example {
    /// By line, and where that does not tell, by content: an order that does not depend on the
    /// order of arrival.
    pub(crate) fn cmp_by_line(&self, other: &Example) -> std::cmp::Ordering {
        let line = |example: &Example| example.line.unwrap_or(u64::MAX);
        line(self)
            .cmp(&line(other))
            .then_with(|| self.values.cmp(&other.values))
            .then_with(|| self.provider.cmp(&other.provider))
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        for (at, (name, value)) in self.values.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{name} {value}")?;
        }
        match &self.difference {
            Some(difference) => write!(f, "; off by {difference}"),
            None => Ok(()),
        }
    }
}

/// The sums that a rule compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Evidence {
    /// The rule compares no sums.
    #[default]
    None,
    /// What the rows of each invoice add up to, also where no payable amount is known.
    Invoices(Vec<InvoiceSum>),
    /// What each commitment cost and what its usage was charged.
    Commitments(Vec<CommitmentSum>),
}

/// What the rows of one invoice add up to in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InvoiceSum {
    /// `InvoiceId`.
    pub invoice: String,
    /// The currency of the rows.
    pub currency: Currency,
    /// The sum of the billed costs.
    pub billed: ExactSum,
    /// How many rows state a billed cost.
    pub rows: u64,
    /// How many rows do not: their amount is unknown, and so is then the invoice's.
    pub rows_without_cost: u64,
    /// What the invoice says is payable, if given.
    pub payable: Option<Exact>,
}

/// What one commitment cost and what its usage was charged, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CommitmentSum {
    /// `CommitmentDiscountId`.
    pub commitment: String,
    /// The currency of the rows.
    pub currency: Currency,
    /// The sum of the billed costs of its purchases.
    pub purchased: ExactSum,
    /// The sum of the effective costs of its usage, used and unused.
    pub effective: ExactSum,
    /// The days that its purchases pay for.
    pub term: Period,
    /// Why the two could not be compared; `None` where they could.
    pub not_testable: Option<String>,
}

//! What may a call cost, before it is made?

use bursar_units::{Money, MoneyError, TokenCount, UnitRate};

use crate::output_length::OutputLength;
use crate::tokens::TokenEstimate;

/// The two rates that every model has, without caches, tiers or batches.
///
/// ```
/// use bursar_model_router::{CallRates, CountTokens, ModelId, OutputLengths, TaskType, TokenEstimator};
/// use bursar_units::{TokenCount, UnitRate};
///
/// let model = ModelId::new("gpt-4o-mini")?;
/// let rates = CallRates {
///     input: UnitRate::per_million("0.15 USD".parse()?),
///     output: UnitRate::per_million("0.60 USD".parse()?),
/// };
/// let input = TokenEstimator::for_model(&model).count("Which of these invoices is overdue?");
/// let limit = TokenCount::new(500);
/// let output = OutputLengths::new().forecast(&model, TaskType::QuestionAnswering, limit);
///
/// let cost = rates.estimate(&input, &output)?;
/// // 206 tokens of an answer are expected, and 500 may come.
/// assert!(cost.expected < cost.p95 && cost.p95 < cost.upper_bound);
/// assert!(cost.upper_bound >= rates.output.cost(limit)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRates {
    /// For tokens of the request.
    pub input: UnitRate,
    /// For tokens of the answer.
    pub output: UnitRate,
}

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
#[must_use]
pub struct CostEstimate {
    /// The mean, for sums over many calls.
    pub expected: Money,
    /// At most one call in twenty costs more. It is the sum of both parts at their p95, so fewer do
    /// unless long questions have long answers.
    pub p95: Money,
    /// What to reserve: the p99 of the input and an answer up to its limit. A call costs more only if
    /// its input is one in a hundred and its answer near the limit.
    pub upper_bound: Money,
    /// No call costs more: as many tokens as the input has bytes, and an answer up to its limit.
    pub ceiling: Money,
}

impl CallRates {
    /// What a call of this input and answer may cost. Tokens are whole, rounded up in bounds; amounts
    /// are exact.
    ///
    /// # Errors
    /// [`MoneyError`] if the rates are in two currencies or an amount has too many digits.
    pub fn estimate(
        &self,
        input: &TokenEstimate,
        output: &OutputLength,
    ) -> Result<CostEstimate, MoneyError> {
        Ok(CostEstimate {
            expected: self.cost(input.expected, output.expected)?,
            p95: self.cost(input.p95, output.p95)?,
            upper_bound: self.cost(input.p99, output.limit)?,
            ceiling: self.cost(input.ceiling, output.limit)?,
        })
    }

    /// What these tokens cost, exactly.
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn cost(&self, input: TokenCount, output: TokenCount) -> Result<Money, MoneyError> {
        self.input
            .cost(input)?
            .checked_add(self.output.cost(output)?)
    }
}

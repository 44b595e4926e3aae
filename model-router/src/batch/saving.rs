//! What did it save to wait?

use bursar_units::{Money, MoneyError, TokenCount, UnitRate};

use crate::{Usage, UsageKind};

/// What tokens of a model cost.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TokenRates {
    /// Of the input that does not come from a cache.
    pub input: UnitRate,
    /// Of the output.
    pub output: UnitRate,
    /// Of the input that is read from the provider's prompt cache, if that has a price.
    pub cache_read: Option<UnitRate>,
    /// Of the input that is written into it, if that has a price.
    pub cache_write: Option<UnitRate>,
}

/// What the answers of a job cost, and what they would have cost online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum BatchSaving {
    /// The model has a price for batches.
    Saved {
        /// At the standard price.
        standard_cost: Money,
        /// At the price for batches.
        batch_cost: Money,
        /// The difference.
        saved: Money,
    },
    /// It has none, or none is known, so that nothing can be said to be saved.
    NoBatchPrice {
        /// At the standard price.
        standard_cost: Money,
    },
}

/// Why a saving cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SavingError {
    /// An answer does not say what it used.
    #[error("the usage of an answer has no {kind}: its cost is not known")]
    UnknownUsage {
        /// What is missing.
        kind: UsageKind,
    },
    /// Something was used that has no price.
    #[error("{count} {kind} were used, and there is no rate for them")]
    NoRate {
        /// What was used.
        kind: UsageKind,
        /// How many.
        count: u64,
    },
    /// Parts of the input are more than the input.
    #[error("more tokens were read from and written into a cache than the input has")]
    PartsExceedWhole,
    /// An amount cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl BatchSaving {
    /// Computes the saving from what the answers used, at the model's own prices. There is no flat
    /// discount: some models have none, and then `batch` is `None`.
    ///
    /// ```
    /// use bursar_model_router::{BatchSaving, TokenRates, Usage, UsageKind};
    /// use bursar_units::{Currency, Money, UnitRate};
    ///
    /// let rates = |input: &str, output: &str| -> Result<TokenRates, Box<dyn std::error::Error>> {
    ///     Ok(TokenRates {
    ///         input: UnitRate::per_million(Money::parse(input, Currency::USD)?),
    ///         output: UnitRate::per_million(Money::parse(output, Currency::USD)?),
    ///         cache_read: None,
    ///         cache_write: None,
    ///     })
    /// };
    /// let usage = Usage::new()
    ///     .with(UsageKind::InputTokens, 1_000_000)
    ///     .with(UsageKind::OutputTokens, 500_000);
    /// // Nova Lite, 2026-11-20.
    /// let saving = BatchSaving::of([&usage], &rates("0.06", "0.24")?, Some(&rates("0.03", "0.12")?))?;
    /// let BatchSaving::Saved { standard_cost, saved, .. } = saving else { unreachable!() };
    /// assert_eq!(standard_cost.to_string(), "0.18 USD");
    /// assert_eq!(saved.to_string(), "0.09 USD");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SavingError`].
    pub fn of<'u>(
        usages: impl IntoIterator<Item = &'u Usage>,
        standard: &TokenRates,
        batch: Option<&TokenRates>,
    ) -> Result<Self, SavingError> {
        let mut standard_cost = Money::zero(standard.input.price.currency());
        let mut batch_cost = batch.map(|rates| Money::zero(rates.input.price.currency()));
        for usage in usages {
            standard_cost = standard_cost.checked_add(standard.cost(usage)?)?;
            if let (Some(cost), Some(rates)) = (&mut batch_cost, batch) {
                *cost = cost.checked_add(rates.cost(usage)?)?;
            }
        }
        Ok(match batch_cost {
            None => Self::NoBatchPrice { standard_cost },
            Some(batch_cost) => Self::Saved {
                standard_cost,
                batch_cost,
                saved: standard_cost.checked_sub(batch_cost)?,
            },
        })
    }
}

impl TokenRates {
    fn cost(&self, usage: &Usage) -> Result<Money, SavingError> {
        let known = |kind| usage.get(kind).ok_or(SavingError::UnknownUsage { kind });
        let part = |kind| usage.get(kind).unwrap_or(0);
        let (read, write) = (
            part(UsageKind::CacheReadTokens),
            part(UsageKind::CacheWriteTokens),
        );
        let fresh = known(UsageKind::InputTokens)?
            .checked_sub(read)
            .and_then(|rest| rest.checked_sub(write))
            .ok_or(SavingError::PartsExceedWhole)?;
        let mut cost = self.input.cost(TokenCount::new(fresh))?;
        let parts = [
            (
                UsageKind::OutputTokens,
                known(UsageKind::OutputTokens)?,
                Some(self.output),
            ),
            (UsageKind::CacheReadTokens, read, self.cache_read),
            (UsageKind::CacheWriteTokens, write, self.cache_write),
        ];
        for (kind, count, rate) in parts {
            if count > 0 {
                let rate = rate.ok_or(SavingError::NoRate { kind, count })?;
                cost = cost.checked_add(rate.cost(TokenCount::new(count))?)?;
            }
        }
        Ok(cost)
    }
}

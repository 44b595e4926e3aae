//! What will a call cost by its tokens? The few rates that a choice between models needs, ready for use.

use std::collections::BTreeSet;

use bursar_units::{Currency, Money, MoneyError, UnitRate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::price::{Rate, RateCard};
use crate::usage::UsageKind;

/// How many tokens a call has, or may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CallShape {
    /// All tokens of the input, those of the next two fields included.
    pub input_tokens: u64,
    /// Of the input, what comes from the provider's prompt cache.
    pub cache_read_tokens: u64,
    /// Of the input, what goes into the provider's prompt cache.
    pub cache_write_tokens: u64,
    /// The tokens of the answer.
    pub output_tokens: u64,
}

/// The prices of tokens, per million, from a number of input tokens on. A tier holds for all tokens of a
/// call, as providers bill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateTier {
    /// The tier holds for calls with at least so many input tokens.
    pub from_input_tokens: u64,
    /// Of tokens of the input.
    pub input: Decimal,
    /// Of tokens of the answer.
    pub output: Decimal,
    /// Of input tokens that come from the prompt cache; `None` if there is no price for it.
    pub cache_read: Option<Decimal>,
    /// Of input tokens that go into the prompt cache; `None` if there is no price for it.
    pub cache_write: Option<Decimal>,
}

/// The rates of a model, by tiers of the length of the input.
///
/// ```
/// use bursar_model_router::{CallShape, RateTier, Rates};
/// use bursar_units::Currency;
///
/// let tier = |from_input_tokens, input: &str, output: &str| -> Result<RateTier, rust_decimal::Error> {
///     let (input, output) = (input.parse()?, output.parse()?);
///     Ok(RateTier { from_input_tokens, input, output, cache_read: None, cache_write: None })
/// };
/// // Up to 100,000 input tokens 0.10 and 0.50 USD per million, above that five times as much.
/// let tiers = vec![tier(0, "0.10", "0.50")?, tier(100_001, "0.50", "2.50")?];
/// let haiku = Rates::new(Currency::USD, tiers)?;
/// let shape = |input_tokens| CallShape { input_tokens, output_tokens: 1_000, ..CallShape::default() };
/// assert_eq!(haiku.cost(shape(100_000))?, "0.0105 USD".parse()?);
/// assert_eq!(haiku.cost(shape(200_000))?, "0.1025 USD".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Rates {
    currency: Currency,
    tiers: Vec<RateTier>,
    /// The tiers once more, for most of the costs.
    whole: Vec<Option<WholePrices>>,
}

/// Why tiers are no rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RatesError {
    /// No tier holds for the shortest input.
    #[error("the first tier must hold from 0 input tokens on")]
    NoFirstTier,
    /// A tier does not begin above the one before.
    #[error(
        "the tier from {from_input_tokens} input tokens on does not begin above the one before"
    )]
    Order {
        /// Where it begins.
        from_input_tokens: u64,
    },
    /// A price is under zero.
    #[error("the price of {what} from {from_input_tokens} input tokens on is {price}, under zero")]
    Negative {
        /// Of which tokens.
        what: &'static str,
        /// Where its tier begins.
        from_input_tokens: u64,
        /// The price.
        price: Decimal,
    },
}

impl Rates {
    /// These tiers, in rising order, in this currency.
    ///
    /// # Errors
    /// [`RatesError`] unless the first begins at 0, each begins above the one before, and no price is
    /// under zero.
    pub fn new(currency: Currency, tiers: Vec<RateTier>) -> Result<Self, RatesError> {
        if tiers.first().is_none_or(|tier| tier.from_input_tokens != 0) {
            return Err(RatesError::NoFirstTier);
        }
        for pair in tiers.windows(2) {
            let [before, tier] = pair else { continue };
            if tier.from_input_tokens <= before.from_input_tokens {
                let from_input_tokens = tier.from_input_tokens;
                return Err(RatesError::Order { from_input_tokens });
            }
        }
        tiers.iter().try_for_each(RateTier::check)?;
        Ok(Self {
            currency,
            whole: tiers.iter().map(WholePrices::of).collect(),
            tiers,
        })
    }

    /// One tier of prices per million tokens, without a prompt cache.
    ///
    /// # Errors
    /// [`RatesError::Negative`].
    pub fn flat(input: Decimal, output: Decimal, currency: Currency) -> Result<Self, RatesError> {
        let tier = RateTier {
            from_input_tokens: 0,
            input,
            output,
            cache_read: None,
            cache_write: None,
        };
        Self::new(currency, vec![tier])
    }

    /// What a rate card says of the tokens that a choice turns on; `None` if it has no rate for input or
    /// for output, or one with more digits per million than a decimal.
    ///
    /// ```
    /// use bursar_model_router::{Rate, RateCard, Rates, UsageKind};
    /// use bursar_units::UnitRate;
    ///
    /// let per_million = |text: &str| text.parse().map(UnitRate::per_million);
    /// let input = Rate::flat(per_million("3 USD")?).with_tier(200_000, per_million("6 USD")?);
    /// let output = Rate::flat(per_million("15 USD")?);
    /// let card = RateCard::new([(UsageKind::InputTokens, input), (UsageKind::OutputTokens, output)])?;
    /// let rates = Rates::of_card(&card).ok_or("it has both rates")?;
    /// assert_eq!(rates.tiers()[1].from_input_tokens, 200_001);
    /// assert_eq!(rates.tiers()[1].input, "6".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_card(card: &RateCard) -> Option<Self> {
        let (input, output) = (
            card.rate(UsageKind::InputTokens)?,
            card.rate(UsageKind::OutputTokens)?,
        );
        let read = card.rate(UsageKind::CacheReadTokens);
        let written = card.rate(UsageKind::CacheWriteTokens);
        let rates = [Some(input), Some(output), read, written];
        let above = rates.iter().flatten().flat_map(|rate| rate.tiers());
        let starts: BTreeSet<u64> = above.map(|tier| tier.above.saturating_add(1)).collect();
        let tier = |from_input_tokens| {
            let price = |rate: &Rate| per_million(rate.at(from_input_tokens));
            Some(RateTier {
                from_input_tokens,
                input: price(input)?,
                output: price(output)?,
                cache_read: read.and_then(price),
                cache_write: written.and_then(price),
            })
        };
        let tiers = std::iter::once(0)
            .chain(starts)
            .map(tier)
            .collect::<Option<Vec<_>>>()?;
        Self::new(card.currency(), tiers).ok()
    }

    /// The currency of the prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The tiers, in rising order.
    #[must_use]
    pub fn tiers(&self) -> &[RateTier] {
        &self.tiers
    }

    /// The place of the tier of a call with so many input tokens.
    fn tier(&self, input_tokens: u64) -> Option<usize> {
        let holds = |tier: &RateTier| tier.from_input_tokens <= input_tokens;
        self.tiers.iter().rposition(holds)
    }

    /// What a call of this shape costs, exactly. Tokens into and out of a prompt cache that has no price
    /// cost as much as other input, which is what providers without that price bill.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] and [`MoneyError::Inexact`], if the cost has more digits than a decimal.
    pub fn cost(&self, shape: CallShape) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.currency);
        let Some(place) = self.tier(shape.input_tokens) else {
            return Ok(zero);
        };
        let split = SplitTokens::of(shape);
        let whole = self.whole.get(place).and_then(Option::as_ref);
        if let Some(amount) = whole.and_then(|prices| prices.cost(&split)) {
            return Ok(Money::new(amount, self.currency));
        }
        let Some(tier) = self.tiers.get(place) else {
            return Ok(zero);
        };
        let parts = [
            (split.plain, tier.input),
            (split.read, tier.cache_read.unwrap_or(tier.input)),
            (split.written, tier.cache_write.unwrap_or(tier.input)),
            (split.output, tier.output),
        ];
        let cost = |(tokens, price): (u64, Decimal)| {
            UnitRate::per_million(Money::new(price, self.currency)).cost(tokens)
        };
        let has_tokens = |part: &(u64, Decimal)| part.0 > 0;
        let mut costs = parts.into_iter().filter(has_tokens).map(cost);
        costs.try_fold(zero, |sum, cost| sum.checked_add(cost?))
    }

    /// Whether reading from the prompt cache has a price of its own.
    #[must_use]
    pub fn has_prompt_cache(&self) -> bool {
        self.tiers.iter().all(|tier| tier.cache_read.is_some())
    }
}

impl RateTier {
    fn check(&self) -> Result<(), RatesError> {
        let prices = [
            ("input", Some(self.input)),
            ("output", Some(self.output)),
            ("cache reads", self.cache_read),
            ("cache writes", self.cache_write),
        ];
        for (what, price) in prices {
            if let Some(price) = price.filter(|it| it.is_sign_negative() && !it.is_zero()) {
                let from_input_tokens = self.from_input_tokens;
                return Err(RatesError::Negative {
                    what,
                    from_input_tokens,
                    price,
                });
            }
        }
        Ok(())
    }
}

/// The tokens of a call by the price that they have.
struct SplitTokens {
    plain: u64,
    read: u64,
    written: u64,
    output: u64,
}

impl SplitTokens {
    fn of(shape: CallShape) -> Self {
        let read = shape.cache_read_tokens.min(shape.input_tokens);
        let uncached = shape.input_tokens.saturating_sub(read);
        let written = shape.cache_write_tokens.min(uncached);
        Self {
            plain: uncached.saturating_sub(written),
            read,
            written,
            output: shape.output_tokens,
        }
    }
}

/// The prices of a tier as whole numbers of one decimal place, so that a cost is four products and a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WholePrices {
    /// The places of the prices, and of the costs six more: the prices are for a million.
    scale: u32,
    input: u32,
    cache_read: u32,
    cache_write: u32,
    output: u32,
}

impl WholePrices {
    /// The decimal places that a price per million adds to a cost.
    const PLACES_OF_A_MILLION: u32 = 6;

    /// `None` if a price has more than ten places or is over 2³² of the last of them.
    fn of(tier: &RateTier) -> Option<Self> {
        let read = tier.cache_read.unwrap_or(tier.input).normalize();
        let written = tier.cache_write.unwrap_or(tier.input).normalize();
        let prices = [
            tier.input.normalize(),
            read,
            written,
            tier.output.normalize(),
        ];
        let scale = prices.iter().map(Decimal::scale).max()?;
        let whole = |price: Decimal| {
            let missing = scale.checked_sub(price.scale())?;
            let factor = 10_i128.checked_pow(missing)?;
            u32::try_from(price.mantissa().checked_mul(factor)?).ok()
        };
        let [input, cache_read, cache_write, output] = prices.map(whole);
        (scale <= 10).then_some(Self {
            scale,
            input: input?,
            cache_read: cache_read?,
            cache_write: cache_write?,
            output: output?,
        })
    }

    /// `None` if the cost does not fit 64 bits, which leaves it to the arithmetic of decimals.
    fn cost(&self, tokens: &SplitTokens) -> Option<Decimal> {
        let parts = [
            (tokens.plain, self.input),
            (tokens.read, self.cache_read),
            (tokens.written, self.cache_write),
            (tokens.output, self.output),
        ];
        let mut whole = 0_u64;
        for (count, price) in parts {
            whole = whole.checked_add(count.checked_mul(u64::from(price))?)?;
        }
        let mut places = self.scale.checked_add(Self::PLACES_OF_A_MILLION)?;
        while places > 0 && whole.is_multiple_of(10) {
            whole /= 10;
            places = places.saturating_sub(1);
        }
        Decimal::try_from_i128_with_scale(i128::from(whole), places).ok()
    }
}

/// The price of a million units.
fn per_million(rate: UnitRate) -> Option<Decimal> {
    let units = Decimal::from(rate.per.units());
    let factor = Decimal::from(1_000_000).checked_div(units)?;
    rate.price
        .amount()
        .checked_mul(factor)
        .map(|it| it.normalize())
}

/// The form in data.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    currency: Currency,
    tiers: Vec<RateTier>,
}

impl TryFrom<Written> for Rates {
    type Error = RatesError;

    fn try_from(written: Written) -> Result<Self, RatesError> {
        Self::new(written.currency, written.tiers)
    }
}

impl From<Rates> for Written {
    fn from(
        Rates {
            currency, tiers, ..
        }: Rates,
    ) -> Self {
        Self { currency, tiers }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price() -> impl Strategy<Value = Decimal> {
        let everyday = (0_i64..100_000, 0_u32..5).prop_map(|(price, scale)| (price, scale));
        let odd = (0_i64..i64::MAX, 0_u32..20);
        prop_oneof![everyday, odd].prop_map(|(price, scale)| Decimal::new(price, scale))
    }

    fn tokens() -> impl Strategy<Value = u64> {
        prop_oneof![0_u64..1_000_000, any::<u64>()]
    }

    proptest! {
        #[test]
        fn whole_prices_say_what_decimals_say(
            (input, output) in (price(), price()),
            (cache_read, cache_write) in (proptest::option::of(price()), proptest::option::of(price())),
            (input_tokens, output_tokens) in (tokens(), tokens()),
            (cache_read_tokens, cache_write_tokens) in (tokens(), tokens()),
        ) {
            let tier = RateTier { from_input_tokens: 0, input, output, cache_read, cache_write };
            let shape = CallShape { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens };
            let fast = Rates::new(Currency::USD, vec![tier]).expect("no price is under zero");
            let exact = Rates { whole: Vec::new(), ..fast.clone() };
            let same = match (fast.cost(shape), exact.cost(shape)) {
                (Ok(fast), Ok(exact)) => fast == exact,
                // Parts that cannot be told may have a sum that can.
                (Ok(_), Err(_)) => true,
                (Err(fast), Err(exact)) => fast == exact,
                (Err(_), Ok(_)) => false,
            };
            prop_assert!(same);
        }
    }

    #[test]
    fn everyday_prices_are_whole() {
        let rates = Rates::flat(Decimal::new(25, 3), Decimal::new(15, 0), Currency::USD);
        let rates = rates.expect("no price is under zero");
        assert!(rates.whole.iter().all(Option::is_some));
        let shape = CallShape {
            input_tokens: 480,
            output_tokens: 200,
            ..CallShape::default()
        };
        let cost = rates.cost(shape).expect("it is short");
        assert_eq!(cost.to_string(), "0.003012 USD");
    }
}

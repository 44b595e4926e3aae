//! What does each kind of usage cost?

use bursar_units::{Currency, UnitRate};

use crate::usage::{KindSet, UsageKind, kinds_in};

/// The rate of one kind of usage, which may depend on how long the whole input is.
///
/// ```
/// use bursar_model_router::Rate;
/// use bursar_units::UnitRate;
///
/// // 3 USD per million, and 6 USD for all tokens of a call with more than 200,000 of input.
/// let rate = Rate::flat(UnitRate::per_million("3 USD".parse()?))
///     .with_tier(200_000, UnitRate::per_million("6 USD".parse()?));
/// assert_eq!(rate.at(200_000).price.to_string(), "3 USD");
/// assert_eq!(rate.at(200_001).price.to_string(), "6 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Rate {
    base: UnitRate,
    /// By growing `above`.
    tiers: Vec<Tier>,
}

/// The rate from some length of the input on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// It holds when the call has more input tokens than this, for all units of the call and not only
    /// for those above.
    pub above: u64,
    /// The rate then.
    pub rate: UnitRate,
}

impl Rate {
    /// The same for every length of input.
    pub const fn flat(rate: UnitRate) -> Self {
        Self {
            base: rate,
            tiers: Vec::new(),
        }
    }

    /// With another rate for calls of more than `above` input tokens.
    pub fn with_tier(mut self, above: u64, rate: UnitRate) -> Self {
        self.set_tier(above, rate);
        self
    }

    pub(crate) fn set_tier(&mut self, above: u64, rate: UnitRate) {
        self.tiers.retain(|tier| tier.above != above);
        let place = self.tiers.partition_point(|tier| tier.above < above);
        self.tiers.insert(place, Tier { above, rate });
    }

    /// The rate of a call with so many input tokens.
    pub fn at(&self, input_tokens: u64) -> UnitRate {
        self.tier_at(input_tokens)
            .map_or(self.base, |tier| tier.rate)
    }

    /// The rate of a short call.
    pub const fn base(&self) -> UnitRate {
        self.base
    }

    /// Those for longer inputs, by growing length.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    pub(crate) fn tier_at(&self, input_tokens: u64) -> Option<&Tier> {
        self.tiers
            .iter()
            .rev()
            .find(|tier| input_tokens > tier.above)
    }

    fn all(&self) -> impl Iterator<Item = UnitRate> + '_ {
        std::iter::once(self.base).chain(self.tiers.iter().map(|tier| tier.rate))
    }
}

/// Why rates make no rate card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateCardError {
    /// There is no rate at all.
    #[error("a rate card needs a rate; a model whose price is not known has none")]
    Empty,
    /// A rate is under zero.
    #[error("the rate of {kind}, {rate}, is under zero")]
    Negative {
        /// Of which kind.
        kind: UsageKind,
        /// The rate.
        rate: UnitRate,
    },
    /// The rates are in two currencies.
    #[error("a rate card in {one} and {other} has no total; make it two models")]
    Currencies {
        /// One of the currencies.
        one: Currency,
        /// The other.
        other: Currency,
    },
}

/// The rates of a model, one for each kind of usage that has its own.
///
/// A kind without its own rate is billed like the smallest whole that has one: cached tokens like input,
/// where nothing else is said. The cost states that it was assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCard {
    currency: Currency,
    /// Parts before their wholes.
    pub(crate) rates: Vec<Rated>,
    pub(crate) priced: KindSet,
    /// Each kind that two others share, with these two.
    pub(crate) overlaps: Vec<(UsageKind, UsageKind, UsageKind)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rated {
    pub(crate) kind: UsageKind,
    pub(crate) rate: Rate,
    /// The kind whose rate this is, where the list has none for what two kinds share.
    pub(crate) assumed_from: Option<UsageKind>,
}

impl RateCard {
    /// The card of these rates; of two for one kind, the later holds.
    ///
    /// Where two kinds overlap, as cached tokens and sound do, and the list has no rate for what they
    /// share, the rate of the cache is taken for it, and a cost that needs it says so.
    ///
    /// # Errors
    /// [`RateCardError`].
    pub fn new(rates: impl IntoIterator<Item = (UsageKind, Rate)>) -> Result<Self, RateCardError> {
        let rates = rates.into_iter();
        let mut card = Self {
            currency: Currency::USD,
            rates: Vec::with_capacity(rates.size_hint().0),
            priced: 0,
            overlaps: Vec::new(),
        };
        for (kind, rate) in rates {
            card.rates.retain(|rated| rated.kind != kind);
            card.add(kind, rate, None);
        }
        card.currency = card.checked_currency()?;
        card.complete();
        card.rates
            .sort_by_key(|rated| (std::cmp::Reverse(rated.kind.depth()), rated.kind));
        Ok(card)
    }

    fn add(&mut self, kind: UsageKind, rate: Rate, assumed_from: Option<UsageKind>) {
        self.priced |= kind.bit();
        self.rates.push(Rated {
            kind,
            rate,
            assumed_from,
        });
    }

    fn checked_currency(&self) -> Result<Currency, RateCardError> {
        let first = self.rates.first().ok_or(RateCardError::Empty)?;
        let one = first.rate.base.price.currency();
        for rated in &self.rates {
            for rate in rated.rate.all() {
                let (kind, other) = (rated.kind, rate.price.currency());
                if rate.price.is_negative() {
                    return Err(RateCardError::Negative { kind, rate });
                }
                if other != one {
                    return Err(RateCardError::Currencies { one, other });
                }
            }
        }
        Ok(one)
    }

    /// Gives what two priced kinds share a rate until everything shared has one.
    fn complete(&mut self) {
        let mut left = 0;
        while left < self.rates.len() {
            for right in 0..left {
                let (one, other) = (self.rates[left].kind, self.rates[right].kind);
                let Some(shared) = one.overlap(other) else {
                    continue;
                };
                self.overlaps.push((shared, one, other));
                if self.priced & shared.bit() == 0 {
                    let from = if one.decides_over(other) { left } else { right };
                    let Rated { kind, rate, .. } = self.rates[from].clone();
                    self.add(shared, rate, Some(kind));
                }
            }
            left += 1;
        }
    }

    /// In which currency the rates are.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The rate that the list has for this very kind.
    #[must_use]
    pub fn rate(&self, kind: UsageKind) -> Option<&Rate> {
        let mut listed = self.iter();
        listed.find(|&(it, _)| it == kind).map(|(_, rate)| rate)
    }

    /// The kinds that the list has rates for, parts before their wholes.
    pub fn iter(&self) -> impl Iterator<Item = (UsageKind, &Rate)> {
        let listed = self.rates.iter().filter(|it| it.assumed_from.is_none());
        listed.map(|rated| (rated.kind, &rated.rate))
    }

    /// The kind under whose rate this kind falls: itself, or the smallest whole that has a rate.
    #[must_use]
    pub fn billed_as(&self, kind: UsageKind) -> Option<UsageKind> {
        let mut kinds = self.rates.iter().map(|rated| rated.kind);
        kinds.find(|&priced| priced == kind || kind.is_part_of(priced))
    }

    /// Of the parts of a kind, those with rates.
    pub(crate) fn priced_parts(&self, kind: UsageKind) -> impl Iterator<Item = UsageKind> {
        kinds_in(kind.parts() & self.priced)
    }
}

#[cfg(test)]
mod tests {
    use super::UsageKind as Kind;
    use super::*;

    fn per_million(price: &str) -> Rate {
        Rate::flat(UnitRate::per_million(price.parse().unwrap()))
    }

    #[test]
    fn tiers_are_kept_in_order_and_replaced() {
        let rate = |price: &str| UnitRate::per_million(price.parse().unwrap());
        let tiered = Rate::flat(rate("1 USD"))
            .with_tier(200, rate("3 USD"))
            .with_tier(100, rate("9 USD"))
            .with_tier(100, rate("2 USD"));
        let at = |n| tiered.at(n).price.to_string();
        assert_eq!(
            [at(100), at(101), at(200), at(201)],
            ["1 USD", "2 USD", "2 USD", "3 USD"]
        );
    }

    #[test]
    fn what_two_kinds_share_gets_the_rate_of_the_cache() {
        let card = RateCard::new([
            (Kind::InputTokens, per_million("1 USD")),
            (Kind::CacheReadTokens, per_million("0.1 USD")),
            (Kind::InputAudioTokens, per_million("3 USD")),
        ])
        .unwrap();
        assert_eq!(
            card.rate(Kind::CacheAudioReadTokens),
            None,
            "the list has none"
        );
        assert_eq!(
            card.billed_as(Kind::CacheAudioReadTokens),
            Some(Kind::CacheAudioReadTokens)
        );
        let shared = card
            .rates
            .iter()
            .find(|it| it.kind == Kind::CacheAudioReadTokens)
            .unwrap();
        assert_eq!(shared.assumed_from, Some(Kind::CacheReadTokens));
        assert_eq!(shared.rate, per_million("0.1 USD"));
    }

    #[test]
    fn wrong_rates_make_no_card() {
        assert_eq!(RateCard::new([]), Err(RateCardError::Empty));
        let negative = RateCard::new([(Kind::InputTokens, per_million("-1 USD"))]);
        assert!(matches!(negative, Err(RateCardError::Negative { .. })));
        let mixed = RateCard::new([
            (Kind::InputTokens, per_million("1 USD")),
            (Kind::OutputTokens, per_million("1 EUR")),
        ]);
        assert!(matches!(mixed, Err(RateCardError::Currencies { .. })));
    }

    #[test]
    fn a_kind_falls_to_the_smallest_whole_with_a_rate() {
        let card = RateCard::new([
            (Kind::InputTokens, per_million("1 USD")),
            (Kind::CacheWriteTokens, per_million("2 USD")),
        ])
        .unwrap();
        assert_eq!(
            card.billed_as(Kind::CacheWrite1hTokens),
            Some(Kind::CacheWriteTokens)
        );
        assert_eq!(
            card.billed_as(Kind::InputAudioTokens),
            Some(Kind::InputTokens)
        );
        assert_eq!(card.billed_as(Kind::OutputTokens), None);
    }
}

//! May a newly computed price be published, or would it make prices jump?
//!
//! Costs and demand move all the time, and a customer wants prices that do not. A price is published only
//! when it differs by the dead band, and moves by at most the largest step within 24 hours. What would
//! leave a price outside the bounds overrides both, and is flagged.

mod history;

use bursar_units::{Money, MoneyError, Quantum, Rounding};
use jiff::Timestamp;
use rust_decimal::Decimal;

use self::history::History;
use crate::error::PricingError;
use crate::exact::Share;
use crate::margin::RateError;
use crate::price::{AllowedPrices, Bound, Price};

/// How much a published price moves, at least and at most.
///
/// ```
/// use bursar_pricing::StabilityRules;
///
/// let rules = StabilityRules::new("0.02".parse()?, "0.1".parse()?)?;
/// assert_eq!(rules, StabilityRules::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StabilityRules {
    dead_band: Share,
    max_step: Share,
}

impl StabilityRules {
    /// Moves of at least `dead_band` of the price, and within 24 hours of at most `max_step` of any price
    /// that was in force in them.
    ///
    /// # Errors
    /// [`RateError`] unless both are at least 0, under 1 and have up to nine decimal places.
    pub fn new(dead_band: Decimal, max_step: Decimal) -> Result<Self, RateError> {
        Ok(Self {
            dead_band: Share::new(dead_band, "dead band")?,
            max_step: Share::new(max_step, "step limit")?,
        })
    }

    /// The least move, as a share of the published price.
    #[must_use]
    pub fn dead_band(&self) -> Decimal {
        self.dead_band.as_decimal()
    }

    /// The largest move within 24 hours.
    #[must_use]
    pub fn max_step(&self) -> Decimal {
        self.max_step.as_decimal()
    }
}

/// A dead band of 2 % and steps of at most 10 %.
impl Default for StabilityRules {
    fn default() -> Self {
        Self {
            dead_band: Share::percent(2),
            max_step: Share::percent(10),
        }
    }
}

/// What became of a computed price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Update {
    /// The published price stays.
    Kept(Kept),
    /// Another price is published.
    Published(Publication),
}

/// Why the published price stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// The computed price is closer to it than the dead band.
    InDeadBand,
    /// It has moved as far as it may within 24 hours, or so nearly that what is left is within the dead
    /// band.
    StepLimit,
}

/// A price that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Publication {
    /// The price until now.
    pub from: Money,
    /// The price from now on.
    pub to: Money,
    /// Whether it stopped on the way to the computed price, at the step limit.
    pub is_limited: bool,
    /// The bound that dead band or step limit would have left broken: they were overridden.
    pub forced_by: Option<Bound>,
}

/// The price in force and how it got there.
///
/// Over any 24 hours the prices in force lie within the step limit of each other, unless a publication
/// says that it was [forced](Publication::forced_by) or a contract fixes the price.
///
/// ```
/// use bursar_pricing::{Kept, Model, PriceRequest, PricingPolicy, PublishedPrice, StabilityRules, SupplyState, Tier, Update};
/// use jiff::{SignedDuration, Timestamp, civil::date};
///
/// let policy = PricingPolicy::standard();
/// let request = PriceRequest::new("10.00 USD".parse()?, &Tier::Enterprise, &Model::GPT_3_5, date(2026, 11, 27));
/// let rules = StabilityRules::default();
/// let noon: Timestamp = "2026-11-27T12:00:00Z".parse()?;
/// let mut published = PublishedPrice::new(&policy.price(&request)?, noon);
/// assert_eq!(published.price().to_string(), "16.67 USD");
///
/// // Scarce supply makes 18.67, 12 % more: 10 % today, and the rest not before tomorrow.
/// let scarce = policy.price(&request.supply(SupplyState::Scarce))?;
/// let in_an_hour = noon + SignedDuration::from_hours(1);
/// let Update::Published(publication) = published.update(&scarce, &rules, in_an_hour)? else {
///     return Err("it moves by more than the dead band".into());
/// };
/// assert!(publication.is_limited);
/// assert_eq!(publication.to.to_string(), "18.33 USD");
/// let in_two_hours = noon + SignedDuration::from_hours(2);
/// assert_eq!(published.update(&scarce, &rules, in_two_hours)?, Update::Kept(Kept::InDeadBand));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Saved", into = "saved::Saved")
)]
pub struct PublishedPrice {
    price: Money,
    since: Timestamp,
    history: History,
}

impl PublishedPrice {
    /// Publishes a first price, whatever it is.
    #[must_use]
    pub fn new(price: &Price, at: Timestamp) -> Self {
        Self {
            price: price.price(),
            since: at,
            history: History::default(),
        }
    }

    /// The price in force.
    pub const fn price(&self) -> Money {
        self.price
    }

    /// Since when it is in force.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Publishes a computed price, as far as the rules let it move. A contract's fixed price is published
    /// as it is. A moment before the last publication counts as that moment.
    ///
    /// # Errors
    /// [`PricingError::Currency`] when the price is in another currency; [`PricingError::Money`] when a
    /// price has so many digits that a share of it is no decimal.
    pub fn update(
        &mut self,
        computed: &Price,
        rules: &StabilityRules,
        at: Timestamp,
    ) -> Result<Update, PricingError> {
        let target = computed.price();
        if target.currency() != self.price.currency() {
            return Err(PricingError::Currency {
                what: "computed price",
                expected: self.price.currency(),
                found: target.currency(),
            });
        }
        let at = at.max(self.since);
        let Some(allowed) = computed.allowed() else {
            return Ok(self.publish(target, false, None, at));
        };
        let stable = self.stable(target, &allowed, rules, at)?;
        let wanted = stable.unwrap_or(self.price);
        let (to, forced_by) = inside(wanted, &allowed)?;
        match (stable, forced_by) {
            (Err(kept), None) => Ok(Update::Kept(kept)),
            _ => Ok(self.publish(to, to != target, forced_by, at)),
        }
    }

    /// The price that dead band and step limit alone lead to.
    fn stable(
        &self,
        target: Money,
        allowed: &AllowedPrices,
        rules: &StabilityRules,
        at: Timestamp,
    ) -> Result<Result<Money, Kept>, PricingError> {
        let band = self.price.checked_mul(rules.dead_band())?;
        let is_move = |to: Money| -> Result<bool, MoneyError> {
            let distance = to.checked_sub(self.price)?;
            Ok(!distance.is_zero() && distance.abs().try_cmp(&band)?.is_ge())
        };
        if !is_move(target)? {
            return Ok(Err(Kept::InDeadBand));
        }
        let reached = self.within_step(target, allowed, rules, at)?;
        match reached == target || is_move(reached)? {
            true => Ok(Ok(reached)),
            false => Ok(Err(Kept::StepLimit)),
        }
    }

    /// As far toward the target as the step limit allows, on a multiple of the quantum.
    fn within_step(
        &self,
        target: Money,
        allowed: &AllowedPrices,
        rules: &StabilityRules,
        at: Timestamp,
    ) -> Result<Money, PricingError> {
        let (low, high) = self.history.range(self.price, at)?;
        let step = rules.max_step();
        let quantum = Quantum::step(allowed.quantum)?;
        if target.try_cmp(&self.price)?.is_gt() {
            let limit = low.checked_add(low.checked_mul(step)?)?;
            let limit = larger(limit.round_to(quantum, Rounding::Floor)?, self.price)?;
            return Ok(smaller(target, limit)?);
        }
        let limit = high.checked_sub(high.checked_mul(step)?)?;
        let limit = smaller(limit.round_to(quantum, Rounding::Ceiling)?, self.price)?;
        Ok(larger(target, limit)?)
    }

    fn publish(
        &mut self,
        to: Money,
        is_limited: bool,
        forced_by: Option<Bound>,
        at: Timestamp,
    ) -> Update {
        let from = self.price;
        self.history.ended(from, at);
        (self.price, self.since) = (to, at);
        Update::Published(Publication {
            from,
            to,
            is_limited,
            forced_by,
        })
    }
}

/// The nearest price inside the bounds, and the bound that it was outside of.
fn inside(price: Money, allowed: &AllowedPrices) -> Result<(Money, Option<Bound>), MoneyError> {
    if price.try_cmp(&allowed.least)?.is_lt() {
        return Ok((allowed.least, Some(Bound::Floor)));
    }
    if price.try_cmp(&allowed.most)?.is_gt() {
        return Ok((allowed.most, Some(Bound::Ceiling)));
    }
    Ok((price, None))
}

fn larger(left: Money, right: Money) -> Result<Money, MoneyError> {
    Ok(if left.try_cmp(&right)?.is_ge() {
        left
    } else {
        right
    })
}

fn smaller(left: Money, right: Money) -> Result<Money, MoneyError> {
    Ok(if left.try_cmp(&right)?.is_le() {
        left
    } else {
        right
    })
}

#[cfg(feature = "serde")]
mod saved {
    //! How is a published price kept?

    use bursar_units::Money;
    use jiff::Timestamp;

    use super::PublishedPrice;
    use super::history::{Ended, History, HistoryError};
    use crate::format::Format;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Saved {
        format: Format<1>,
        price: Money,
        since: Timestamp,
        history: Vec<Ended>,
    }

    impl TryFrom<Saved> for PublishedPrice {
        type Error = HistoryError;

        fn try_from(saved: Saved) -> Result<Self, HistoryError> {
            Ok(Self {
                price: saved.price,
                since: saved.since,
                history: History::restored(saved.history, saved.price, saved.since)?,
            })
        }
    }

    impl From<PublishedPrice> for Saved {
        fn from(published: PublishedPrice) -> Self {
            Self {
                format: Format,
                price: published.price,
                since: published.since,
                history: published.history.into_entries(),
            }
        }
    }
}

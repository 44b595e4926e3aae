//! What made the cost change from one period to the next?
//!
//! [`Attribution`] gives the change of every dimension value (service, account, tag value);
//! together they are the change of the total, to the last digit. Where quantities are known, each
//! change is split further into [`Effects`]: more was used, or the same costs more.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::series::total;
use crate::{Exact, ExactError, ExactSum};

/// The change between two periods and what each dimension value contributes to it.
///
/// ```
/// use bursar_cost_model::{Attribution, ExactSum, Presence};
///
/// let cost = |text: &str| text.parse::<ExactSum>();
/// let october = [("EC2", cost("119.81")?), ("S3", cost("30.00")?)];
/// let november = [("EC2", cost("99.81")?), ("S3", cost("31.50")?), ("Bedrock", cost("45.25")?)];
///
/// let change = Attribution::between(october, november)?;
/// assert_eq!(change.change.to_string(), "26.75");
/// let first = &change.contributions[0];
/// assert_eq!((first.key, first.presence), ("Bedrock", Presence::New));
/// assert_eq!(first.change.to_string(), "45.25");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Attribution<K> {
    /// The total of the first period.
    pub before: ExactSum,
    /// The total of the second period.
    pub after: ExactSum,
    /// `after` − `before`.
    pub change: ExactSum,
    /// One for each key of either period, the largest change in either direction first, equal
    /// ones by key. Their changes sum exactly to `change`.
    pub contributions: Vec<Contribution<K>>,
}

/// What one dimension value contributes to the change.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Contribution<K> {
    /// The dimension value.
    pub key: K,
    /// Its cost in the first period.
    pub before: ExactSum,
    /// Its cost in the second period.
    pub after: ExactSum,
    /// `after` − `before`.
    pub change: ExactSum,
    /// `change` ÷ the change of the total: negative when it goes against it, above 1 when others
    /// do; `None` when the total did not change.
    pub share: Option<f64>,
    /// In which periods the key occurs.
    pub presence: Presence,
}

/// In which of two periods a key occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Presence {
    /// In both.
    Both,
    /// Only in the second.
    New,
    /// Only in the first.
    Gone,
}

impl Presence {
    fn of(before: bool, after: bool) -> Presence {
        match (before, after) {
            (false, true) => Presence::New,
            (true, false) => Presence::Gone,
            _ => Presence::Both,
        }
    }
}

impl<K: Ord + Clone> Attribution<K> {
    /// The change from the costs `before` to the costs `after`; costs of equal keys are added,
    /// in any order.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when a sum leaves its range.
    pub fn between(
        before: impl IntoIterator<Item = (K, ExactSum)>,
        after: impl IntoIterator<Item = (K, ExactSum)>,
    ) -> Result<Attribution<K>, ExactError> {
        let (before, after) = (by_key(before)?, by_key(after)?);
        let total_before = total(before.values())?;
        let total_after = total(after.values())?;
        let change = total_after.minus(&total_before)?;
        let mut contributions = Vec::with_capacity(before.len().max(after.len()));
        for (key, (before, after)) in outer_join(before, after) {
            contributions.push(Contribution::new(key, before, after, &change)?);
        }
        contributions.sort_by_cached_key(|c| (Reverse(magnitude(&c.change)), c.key.clone()));
        Ok(Attribution {
            before: total_before,
            after: total_after,
            change,
            contributions,
        })
    }
}

impl<K> Contribution<K> {
    fn new(
        key: K,
        before: Option<ExactSum>,
        after: Option<ExactSum>,
        total_change: &ExactSum,
    ) -> Result<Contribution<K>, ExactError> {
        let presence = Presence::of(before.is_some(), after.is_some());
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let change = after.minus(&before)?;
        let share = (!total_change.is_zero()).then(|| change.to_f64() / total_change.to_f64());
        Ok(Contribution {
            key,
            before,
            after,
            change,
            share,
            presence,
        })
    }
}

/// The costs of each key, added up.
pub(crate) fn by_key<K: Ord, V: Addend>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<BTreeMap<K, ExactSum>, ExactError> {
    let mut sums = BTreeMap::<K, ExactSum>::new();
    for (key, value) in pairs {
        value.add_to(sums.entry(key).or_default())?;
    }
    Ok(sums)
}

/// What can be added to an [`ExactSum`].
pub(crate) trait Addend {
    fn add_to(&self, sum: &mut ExactSum) -> Result<(), ExactError>;
}

impl Addend for ExactSum {
    fn add_to(&self, sum: &mut ExactSum) -> Result<(), ExactError> {
        sum.add_sum(self)
    }
}

impl Addend for Exact {
    fn add_to(&self, sum: &mut ExactSum) -> Result<(), ExactError> {
        sum.add(*self)
    }
}

/// Both maps as one, with what each has of every key.
pub(crate) fn outer_join<K: Ord, A, B>(
    left: BTreeMap<K, A>,
    right: BTreeMap<K, B>,
) -> BTreeMap<K, (Option<A>, Option<B>)> {
    let mut joined: BTreeMap<K, (Option<A>, Option<B>)> = left
        .into_iter()
        .map(|(key, a)| (key, (Some(a), None)))
        .collect();
    for (key, b) in right {
        joined.entry(key).or_insert((None, None)).1 = Some(b);
    }
    joined
}

fn magnitude(amount: &ExactSum) -> ExactSum {
    if amount.is_negative() {
        amount.negated()
    } else {
        amount.clone()
    }
}

/// Cost and quantity of one dimension value in one period.
///
/// The quantity is that of one unit (hours, requests, GB); where the units are mixed or nothing
/// was metered, it is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metered {
    /// What it cost.
    pub cost: ExactSum,
    /// How much was used; `None` when that is not known.
    pub quantity: Option<Exact>,
}

impl Metered {
    /// `cost` for `quantity`.
    #[must_use]
    pub fn new(cost: ExactSum, quantity: Option<Exact>) -> Metered {
        Metered { cost, quantity }
    }
}

/// A change of cost, split by cause; the four parts sum exactly to the change.
///
/// With costs c₀, c₁, quantities q₀, q₁ and prices pᵢ = cᵢ ÷ qᵢ:
/// quantity = p₀·(q₁ − q₀), price = q₀·(p₁ − p₀), joint = (p₁ − p₀)·(q₁ − q₀).
/// Quantity and price are rounded half to even; the joint part is what remains of the change, so
/// it takes the rounding too, and nothing is lost. (The three-part split of price and volume
/// variance of management accounting.)
///
/// A use that begins or ends is a change of quantity altogether, as one of its prices does not
/// exist. Where a quantity is not known or negative, the change is `unexplained`.
///
/// ```
/// use bursar_cost_model::{Effects, Metered};
///
/// let before = Metered::new("100.00".parse()?, Some("1000".parse()?));
/// let after = Metered::new("180.00".parse()?, Some("1200".parse()?));
/// let effects = Effects::between(&before, &after, 2)?;
/// assert_eq!(effects.quantity.to_string(), "20"); // 200 more at 0.10
/// assert_eq!(effects.price.to_string(), "50"); // 1000 at 0.15 in place of 0.10
/// assert_eq!(effects.joint.to_string(), "10"); // 200 more at 0.05 more
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Effects {
    /// More or less was used, at the old price.
    pub quantity: ExactSum,
    /// The old quantity costs more or less.
    pub price: ExactSum,
    /// Both at once: the additional quantity at the additional price, and the rounding.
    pub joint: ExactSum,
    /// The change of what has no known quantity.
    pub unexplained: ExactSum,
}

impl Effects {
    /// The split of the change of one dimension value; amounts are rounded to `places`.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when a sum leaves its range.
    pub fn between(before: &Metered, after: &Metered, places: u32) -> Result<Effects, ExactError> {
        let change = after.cost.minus(&before.cost)?;
        let (Some(old), Some(new)) = (before.quantity, after.quantity) else {
            return Ok(Effects::unexplained(change));
        };
        if old.is_negative() || new.is_negative() {
            return Ok(Effects::unexplained(change));
        }
        match (old.is_zero(), new.is_zero()) {
            // A cost without use has no price that could have changed.
            (true, true) => Ok(Effects::unexplained(change)),
            (true, false) if before.cost.is_zero() => Ok(Effects::of_quantity(change)),
            (false, true) if after.cost.is_zero() => Ok(Effects::of_quantity(change)),
            (false, false) => match rounded_effects(before, after, old, new, places) {
                Some((quantity, price)) => Effects::with_rest(quantity, price, &change),
                None => Ok(Effects::unexplained(change)),
            },
            _ => Ok(Effects::unexplained(change)),
        }
    }

    /// All four parts together: the change.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the sum leaves its range.
    pub fn total(&self) -> Result<ExactSum, ExactError> {
        total([&self.quantity, &self.price, &self.joint, &self.unexplained])
    }

    /// Adds the effects of another dimension value.
    ///
    /// Summed over keys, the parts still make up the change of the total. Quantities of unlike
    /// units are never added, so there is no mix effect: a shift from a cheap key to a dear one
    /// shows as their quantity effects.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when a sum leaves its range.
    pub fn add(&mut self, other: &Effects) -> Result<(), ExactError> {
        self.quantity.add_sum(&other.quantity)?;
        self.price.add_sum(&other.price)?;
        self.joint.add_sum(&other.joint)?;
        self.unexplained.add_sum(&other.unexplained)
    }

    fn of_quantity(quantity: ExactSum) -> Effects {
        Effects {
            quantity,
            ..Effects::default()
        }
    }

    fn unexplained(unexplained: ExactSum) -> Effects {
        Effects {
            unexplained,
            ..Effects::default()
        }
    }

    fn with_rest(quantity: Exact, price: Exact, change: &ExactSum) -> Result<Effects, ExactError> {
        let explained = ExactSum::of([quantity, price])?;
        Ok(Effects {
            quantity: quantity.into(),
            price: price.into(),
            joint: change.minus(&explained)?,
            unexplained: ExactSum::ZERO,
        })
    }
}

/// The quantity and the price effect of one key whose quantities are both above zero.
fn rounded_effects(
    before: &Metered,
    after: &Metered,
    old: Exact,
    new: Exact,
    places: u32,
) -> Option<(Exact, Exact)> {
    let (old, new) = (old.to_decimal()?, new.to_decimal()?);
    let (cost_before, cost_after) = (before.cost.to_decimal()?, after.cost.to_decimal()?);
    // p₀·(q₁ − q₀) = c₀·(q₁ − q₀) ÷ q₀, and q₀·(p₁ − p₀) = c₁·q₀ ÷ q₁ − c₀.
    let quantity = product_over(cost_before, new.checked_sub(old)?, old)?;
    let price = product_over(cost_after, old, new)?.checked_sub(cost_before)?;
    let rounded = |effect: Decimal| {
        let strategy = RoundingStrategy::MidpointNearestEven;
        Exact::try_from(effect.round_dp_with_strategy(places, strategy)).ok()
    };
    Some((rounded(quantity)?, rounded(price)?))
}

/// a·b ÷ c; divided first where the product is too large.
fn product_over(a: Decimal, b: Decimal, c: Decimal) -> Option<Decimal> {
    let product_first = a.checked_mul(b).and_then(|product| product.checked_div(c));
    product_first.or_else(|| b.checked_div(c)?.checked_mul(a))
}

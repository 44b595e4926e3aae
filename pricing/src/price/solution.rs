//! Which multiple of the quantum is the price?
//!
//! With the cost c, the quantum q, p* = c (1 + u) (1 − d) and the bounds L and U, the price is n q with
//! n = clamp(round(p* ÷ q), ⌈L ÷ q⌉, ⌊U ÷ q⌋), rounding half to even. So n q is at least L and at most U
//! whatever rounding does, and the margin, which rises with the price, is inside its bounds after
//! rounding. All is decided on fractions of whole numbers.

use rust_decimal::Decimal;

use super::{Bound, Clamp};
use crate::exact::{Fraction, TooWide, Whole, Wide, power_of_ten, units};
use crate::waterfall::Step;

/// A fraction of small numbers.
type Ratio = (u64, u64);

/// All that the price follows from. Amounts are over zero.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) cost: Decimal,
    pub(super) quantum: Decimal,
    pub(super) mark_up: Ratio,
    pub(super) model: Ratio,
    pub(super) supply: Ratio,
    /// What discounts leave.
    pub(super) remaining: [Ratio; 2],
    /// The multiples of the cost at the margin bounds.
    pub(super) floor: Ratio,
    pub(super) ceiling: Ratio,
    /// The multiple of the cost up to which the floor holds.
    pub(super) cost_rise: Ratio,
    pub(super) contract_floor: Option<Decimal>,
    pub(super) contract_ceiling: Option<Decimal>,
    pub(super) fixed_price: Option<Decimal>,
}

/// The price and how it came about.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) price: Decimal,
    pub(super) allowed: Option<(Decimal, Decimal)>,
    pub(super) clamp: Option<Clamp>,
    pub(super) exposure: Option<(Bound, Decimal)>,
    /// What each step adds.
    pub(super) steps: [Decimal; Step::ALL.len()],
    /// The decimal places that the totals between the steps are rounded to.
    pub(super) places: u32,
}

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NoMultiple {
        suggestion: Option<Decimal>,
    },
    /// The contract's floor is over the ceiling of the margin.
    Floor {
        limit: Decimal,
    },
    /// The contract's ceiling is under the floor of the margin.
    Ceiling {
        limit: Decimal,
    },
    /// The contract's floor is over its ceiling.
    Contradiction,
    CostRiseTooWide,
    TooManyDigits,
}

/// Why an attempt ended without a solution.
enum Stop {
    /// Wider numbers are needed.
    TooWide,
    Refused(Refusal),
}

impl From<TooWide> for Stop {
    fn from(TooWide: TooWide) -> Self {
        Self::TooWide
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How many places more than cost and quantum the steps of a waterfall have, if they fit.
const EXTRA_PLACES: u32 = 4;

/// The numbers that a decimal holds are under this.
const DECIMAL_LIMIT: u128 = 1 << 96;

impl Problem {
    pub(super) fn solve(&self) -> Result<Solution, Refusal> {
        let stopped = match self.solve_in::<u128>() {
            Err(Stop::TooWide) => self.solve_in::<Wide>(),
            ended => ended,
        };
        stopped.map_err(|stop| match stop {
            Stop::TooWide => Refusal::TooManyDigits,
            Stop::Refused(refusal) => refusal,
        })
    }

    fn solve_in<W: Whole>(&self) -> Result<Solution, Stop> {
        let path = Path::<W>::of(self)?;
        match self.fixed_price {
            Some(price) => path.to_fixed_price(price),
            None => path.to_computed_price(self),
        }
    }

    /// The places in which all amounts that the price follows from are whole numbers: a fixed price has
    /// nothing to do with bounds and quantum.
    fn scale(&self) -> u32 {
        let cost = self.cost.scale();
        if let Some(price) = self.fixed_price {
            return cost.max(price.scale());
        }
        let contract = [self.contract_floor, self.contract_ceiling];
        let finest = contract.iter().flatten().map(Decimal::scale).max();
        let finest = finest.unwrap_or_default();
        finest.max(cost).max(self.quantum.scale())
    }
}

/// The exact totals on the way to the price, and the margin bounds, in units of the `scale`-th place.
struct Path<W> {
    scale: u32,
    cost: Fraction<W>,
    tier: Fraction<W>,
    model: Fraction<W>,
    supply: Fraction<W>,
    discounted: Fraction<W>,
    floor: Fraction<W>,
    ceiling: Fraction<W>,
}

impl<W: Whole> Path<W> {
    fn of(problem: &Problem) -> Result<Self, TooWide> {
        let scale = problem.scale();
        let cost: W = units(problem.cost, scale)?;
        let marked_up = |mark_up: Fraction<W>| mark_up.plus_one()?.times(cost);
        let of_tier = Fraction::whole(W::of(1)).scaled(problem.mark_up)?;
        let of_model = of_tier.scaled(problem.model)?;
        let of_supply = of_model.scaled(problem.supply)?;
        let supply = marked_up(of_supply)?;
        let [volume, contract] = problem.remaining;
        let cost = Fraction::whole(cost);
        Ok(Self {
            scale,
            cost,
            tier: marked_up(of_tier)?,
            model: marked_up(of_model)?,
            supply,
            discounted: supply.scaled(volume)?.scaled(contract)?,
            floor: cost.scaled(problem.floor)?,
            ceiling: cost.scaled(problem.ceiling)?,
        })
    }

    /// The contract's fixed price, with its distance from a margin bound that it breaks.
    fn to_fixed_price(&self, price: Decimal) -> Result<Solution, Stop> {
        let fixed = Fraction::whole(units(price, self.scale)?);
        let before = self.supply;
        let (steps, places) = self.steps([before, before, fixed, fixed])?;
        Ok(Solution {
            price,
            allowed: None,
            clamp: None,
            exposure: self.exposure(fixed, places.max(self.scale))?,
            steps,
            places,
        })
    }

    /// The bound that a price breaks, and by how much, rounded up to a unit of the `finest` place, or of a
    /// coarser one where that does not fit.
    fn exposure(&self, price: Fraction<W>, finest: u32) -> Result<Option<(Bound, Decimal)>, Stop> {
        let (bound, gap) = if price.compare(self.floor)?.is_lt() {
            (Bound::Floor, self.floor.minus(price)?)
        } else if price.compare(self.ceiling)?.is_gt() {
            (Bound::Ceiling, price.minus(self.ceiling)?)
        } else {
            return Ok(None);
        };
        for places in (0..=finest).rev() {
            let units = gap
                .times(power(places)?)?
                .divided(power(self.scale)?)?
                .ceiling()?;
            if units < W::of(DECIMAL_LIMIT) {
                return Ok(Some((bound, required(units, places)?)));
            }
        }
        Err(Refusal::TooManyDigits.into())
    }

    /// The multiple of the quantum that the policy leads to.
    fn to_computed_price(&self, problem: &Problem) -> Result<Solution, Stop> {
        let limits = Limits::of(self, problem)?;
        let quantum: W = units(problem.quantum, self.scale)?;
        let least = limits.low.divided(quantum)?.ceiling()?;
        let most = limits.high.divided(quantum)?.floor()?;
        if least > most {
            let suggestion = self.suggestion(&limits, problem.quantum)?;
            return Err(Refusal::NoMultiple { suggestion }.into());
        }
        let nearest = self.discounted.divided(quantum)?.half_even()?;
        let nearest = nearest.clamp(least, most);
        let price = Fraction::whole(nearest.times(quantum)?);
        let (bounded, clamp) = limits.clamped(self.discounted)?;
        let after = [self.discounted, bounded, bounded, price];
        let (steps, places) = self.steps(after)?;
        let multiple = |count| multiple(count, problem.quantum);
        Ok(Solution {
            price: multiple(nearest)?,
            allowed: Some((multiple(least)?, multiple(most)?)),
            clamp,
            exposure: None,
            steps,
            places,
        })
    }

    /// All steps, given the totals after discount, bound, fixed price and rounding. The totals between
    /// them are rounded to some places more than the amounts have, or to fewer where they do not fit.
    fn steps(
        &self,
        [discount, bound, fixed, price]: [Fraction<W>; 4],
    ) -> Result<([Decimal; Step::ALL.len()], u32), Stop> {
        let (cost, tier, model, supply) = (self.cost, self.tier, self.model, self.supply);
        let exact = [cost, tier, model, supply, discount, bound, fixed, price];
        let finest = self
            .scale
            .saturating_add(EXTRA_PLACES)
            .min(Decimal::MAX_SCALE);
        for places in (0..=finest).rev() {
            // Cost and price are whole units here, and stay exact however coarse the rest becomes.
            let scale = places.max(self.scale);
            let finer = power(scale.saturating_sub(self.scale))?;
            let coarse = power(scale.saturating_sub(places))?;
            let totals = rounded(&exact, finer, coarse)?;
            if let Some(steps) = differences(totals, scale) {
                return Ok((steps, places));
            }
        }
        Err(Refusal::TooManyDigits.into())
    }

    /// The largest of 1, 0.1, 0.01 … under the quantum that has a multiple inside the limits.
    fn suggestion(&self, limits: &Limits<W>, quantum: Decimal) -> Result<Option<Decimal>, TooWide> {
        let unit = power(self.scale)?;
        for places in 0..=Decimal::MAX_SCALE {
            let multiples = power(places)?;
            let least = limits.low.times(multiples)?.divided(unit)?.ceiling()?;
            let most = limits.high.times(multiples)?.divided(unit)?.floor()?;
            let is_decimal = least < W::of(DECIMAL_LIMIT);
            let step = Decimal::new(1, places);
            if least <= most && is_decimal && step < quantum {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }
}

/// The least and the largest price, and whose bounds they are.
struct Limits<W> {
    low: Fraction<W>,
    is_low_by_contract: bool,
    high: Fraction<W>,
    is_high_by_contract: bool,
}

impl<W: Whole> Limits<W> {
    fn of(path: &Path<W>, problem: &Problem) -> Result<Self, Stop> {
        let mut limits = Self {
            low: path.floor.scaled(problem.cost_rise)?,
            is_low_by_contract: false,
            high: path.ceiling,
            is_high_by_contract: false,
        };
        if let Some(floor) = problem.contract_floor {
            let floor = Fraction::whole(units(floor, path.scale)?);
            if floor.compare(limits.low)?.is_gt() {
                (limits.low, limits.is_low_by_contract) = (floor, true);
            }
        }
        if let Some(ceiling) = problem.contract_ceiling {
            let ceiling = Fraction::whole(units(ceiling, path.scale)?);
            if ceiling.compare(limits.high)?.is_lt() {
                (limits.high, limits.is_high_by_contract) = (ceiling, true);
            }
        }
        match limits.low.compare(limits.high)?.is_gt() {
            true => Err(limits.contradiction(path.scale)?.into()),
            false => Ok(limits),
        }
    }

    /// Who has left no price.
    fn contradiction(&self, scale: u32) -> Result<Refusal, Stop> {
        Ok(match (self.is_low_by_contract, self.is_high_by_contract) {
            (false, false) => Refusal::CostRiseTooWide,
            (true, true) => Refusal::Contradiction,
            (true, false) => Refusal::Floor {
                limit: required(self.high.ceiling()?, scale)?,
            },
            (false, true) => Refusal::Ceiling {
                limit: required(self.low.ceiling()?, scale)?,
            },
        })
    }

    fn clamped(&self, total: Fraction<W>) -> Result<(Fraction<W>, Option<Clamp>), TooWide> {
        let clamp = |bound, is_by_contract| match is_by_contract {
            true => Some(Clamp::Contract(bound)),
            false => Some(Clamp::Margin(bound)),
        };
        if total.compare(self.low)?.is_lt() {
            return Ok((self.low, clamp(Bound::Floor, self.is_low_by_contract)));
        }
        if total.compare(self.high)?.is_gt() {
            return Ok((self.high, clamp(Bound::Ceiling, self.is_high_by_contract)));
        }
        Ok((total, None))
    }
}

/// Each total in finer units, rounded half to even to a multiple of `coarse`; the first and the last are
/// not rounded, for they are whole.
fn rounded<W: Whole, const N: usize>(
    totals: &[Fraction<W>; N],
    finer: W,
    coarse: W,
) -> Result<[W; N], TooWide> {
    let mut rounded = [W::of(0); N];
    let last = N.saturating_sub(1);
    for (index, (rounded, total)) in rounded.iter_mut().zip(totals).enumerate() {
        let is_whole = index == 0 || index == last;
        let coarse = if is_whole { W::of(1) } else { coarse };
        let multiple = total.times(finer)?.divided(coarse)?.half_even()?;
        *rounded = multiple.times(coarse)?;
    }
    Ok(rounded)
}

/// What is added from each total to the next; `None` where a decimal does not hold it or a total, for the
/// steps are to be added up in decimals.
fn differences<W: Whole, const N: usize>(totals: [W; N], scale: u32) -> Option<[Decimal; N]> {
    let mut steps = [Decimal::ZERO; N];
    let mut before = W::of(0);
    for (step, total) in steps.iter_mut().zip(totals) {
        decimal(total, scale)?;
        *step = match total.minus(before) {
            Ok(rise) => decimal(rise, scale)?,
            Err(TooWide) => negative(decimal(before.minus(total).ok()?, scale)?),
        };
        before = total;
    }
    Some(steps)
}

fn negative(mut amount: Decimal) -> Decimal {
    amount.set_sign_negative(!amount.is_zero());
    amount
}

/// So many units of the `scale`-th place, without zeros at the end where they are too many; `None` where
/// a decimal does not hold it.
fn decimal<W: Whole>(mut units: W, mut scale: u32) -> Option<Decimal> {
    while units >= W::of(DECIMAL_LIMIT) {
        let (shorter, digit) = units.divided(W::of(10)).ok()?;
        if !digit.is_zero() {
            return None;
        }
        (units, scale) = (shorter, scale.checked_sub(1)?);
    }
    let units = units.to_u128().ok()?.cast_signed();
    Decimal::try_from_i128_with_scale(units, scale).ok()
}

/// The same where the price or its explanation cannot do without it.
fn required<W: Whole>(units: W, scale: u32) -> Result<Decimal, Stop> {
    decimal(units, scale).ok_or(Stop::Refused(Refusal::TooManyDigits))
}

/// So many quanta, with the places of the quantum where they fit.
fn multiple<W: Whole>(count: W, quantum: Decimal) -> Result<Decimal, Stop> {
    let quantum_units: W = units(quantum, quantum.scale())?;
    required(count.times(quantum_units)?, quantum.scale())
}

/// 10^`places`.
fn power<W: Whole>(places: u32) -> Result<W, TooWide> {
    power_of_ten(places).map(W::of).ok_or(TooWide)
}

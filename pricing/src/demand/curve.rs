//! Which factor does a utilization give?

use super::Utilization;
use crate::error::PricingError;
use crate::exact::Fraction;
use crate::factor::Factor;

/// A smooth factor between two bounds: f(ρ) = low + (high − low) ÷ (1 + e^(−k (ρ − m))).
///
/// The [standard](Self::default) curve has low 0.8, high 1.3, steepness k 12 and midpoint m 0.634, so that
/// f(0) is 0.80, f(0.6) is 1.00 and f(1) is 1.29: the three states of supply lie on it. Congestion costs
/// more the closer a queue is to full (1 ÷ (1 − ρ)² in an M/M/1 queue; H. Mendelson, *Pricing computer
/// services: queueing effects*, 1985); the logistic rises like that and stays bounded, which a contract
/// needs.
///
/// The exponential is computed in whole numbers, so that every machine gives the same factor, and the one
/// rounding step, [`factor`](Self::factor), rounds half to even to [`PLACES`](Self::PLACES).
///
/// ```
/// use bursar_pricing::{DemandCurve, Utilization};
///
/// let curve = DemandCurve::default();
/// assert_eq!(curve.factor(Utilization::NONE).to_string(), "0.800248");
/// assert_eq!(curve.factor("60%".parse()?).to_string(), "0.999696");
/// assert_eq!(curve.factor("80%".parse()?).to_string(), "1.239977");
/// assert_eq!(curve.factor(Utilization::FULL).to_string(), "1.293888");
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct DemandCurve {
    low: Factor,
    high: Factor,
    steepness: u32,
    midpoint: Utilization,
}

/// From 0.8 to 1.3 around 63.4 %, with a steepness of 12.
impl Default for DemandCurve {
    fn default() -> Self {
        Self {
            low: Factor::from_billionths(800_000_000),
            high: Factor::from_billionths(1_300_000_000),
            steepness: 12,
            midpoint: Utilization::from_thousandths(634),
        }
    }
}

impl DemandCurve {
    /// The decimal places that a factor of the curve is rounded to.
    pub const PLACES: u32 = 6;

    /// The steepest curve, at which a percent of utilization is the whole way.
    pub const MAX_STEEPNESS: u32 = 1_000;

    /// The curve from `low` far under the midpoint to `high` far over it. At the midpoint it rises by a
    /// quarter of `steepness` times their difference.
    ///
    /// # Errors
    /// [`PricingError::NoCurve`] when `low` is over `high`, has more than [`PLACES`](Self::PLACES)
    /// decimal places, or the steepness is over [`MAX_STEEPNESS`](Self::MAX_STEEPNESS).
    pub fn new(
        low: Factor,
        high: Factor,
        steepness: u32,
        midpoint: Utilization,
    ) -> Result<Self, PricingError> {
        let is_fine = low.as_decimal().scale() <= Self::PLACES;
        if low > high || !is_fine || steepness > Self::MAX_STEEPNESS {
            return Err(PricingError::NoCurve {
                low,
                high,
                steepness,
            });
        }
        Ok(Self {
            low,
            high,
            steepness,
            midpoint,
        })
    }

    /// The factor at a utilization, rounded half to even to [`PLACES`](Self::PLACES): the one step in
    /// which a statistic becomes part of a price.
    pub fn factor(&self, utilization: Utilization) -> Factor {
        let (low, high) = (self.low.billionths(), self.high.billionths());
        let span = u128::from(high.saturating_sub(low));
        let (part, whole) = self.logistic(utilization);
        let rise = Fraction::new(span.saturating_mul(part), whole.saturating_mul(1_000));
        let millionths = rise.half_even().unwrap_or_default();
        let millionths = u64::try_from(millionths).unwrap_or_default();
        Factor::from_billionths(
            low.saturating_add(millionths.saturating_mul(1_000))
                .min(high),
        )
    }

    /// 1 ÷ (1 + e^(−k (ρ − m))) as a fraction of whole numbers under 2⁶⁴.
    fn logistic(&self, utilization: Utilization) -> (u128, u128) {
        let (at, midpoint) = (utilization.billionths(), self.midpoint.billionths());
        let distance = u64::from(at.abs_diff(midpoint)).saturating_mul(self.steepness.into());
        let decay = exponential_decay(distance);
        let whole = ONE.saturating_add(decay);
        match at >= midpoint {
            true => (ONE, whole),
            false => (decay, whole),
        }
    }
}

/// 1 with 60 binary places.
const ONE: u128 = 1 << 60;

/// ln 2 with 60 binary places, rounded to the nearest.
const LN_2: u128 = 799_144_290_325_165_979;

const BILLION: u128 = 1_000_000_000;

/// e^(−d) with 60 binary places, of d in billionths; the error is under 2⁻⁵⁴.
///
/// d is n ln 2 + r with r under ln 2, and e^(−d) is e^(−r) halved n times. The series of e^(−r) is summed by
/// Horner's scheme: 1 − r (1 − r/2 (1 − r/3 (…))), with all of its terms over 2⁻⁶⁰.
fn exponential_decay(billionths: u64) -> u128 {
    let distance = u128::from(billionths)
        .saturating_mul(ONE)
        .checked_div(BILLION)
        .unwrap_or_default();
    let halvings = distance.checked_div(LN_2).unwrap_or_default();
    let rest = distance.saturating_sub(halvings.saturating_mul(LN_2));
    // 0.7²⁰ ÷ 20! is under 2⁻⁷¹.
    let decay = (1..=20_u128).rev().fold(ONE, |sum, index| {
        let product = rest.saturating_mul(sum) >> 60_u32;
        ONE.saturating_sub(product.checked_div(index).unwrap_or_default())
    });
    let halvings = u32::try_from(halvings).unwrap_or(u32::MAX);
    decay.checked_shr(halvings).unwrap_or_default()
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    low: Factor,
    high: Factor,
    steepness: u32,
    midpoint: Utilization,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for DemandCurve {
    type Error = PricingError;

    fn try_from(parts: Parts) -> Result<Self, PricingError> {
        Self::new(parts.low, parts.high, parts.steepness, parts.midpoint)
    }
}

#[cfg(feature = "serde")]
impl From<DemandCurve> for Parts {
    fn from(curve: DemandCurve) -> Self {
        let DemandCurve {
            low,
            high,
            steepness,
            midpoint,
        } = curve;
        Self {
            low,
            high,
            steepness,
            midpoint,
        }
    }
}

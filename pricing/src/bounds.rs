//! Between which prices must every computed price lie?

use crate::error::PricingError;
use crate::margin::Margin;

/// The least and the largest margin of a computed price.
///
/// The margin of the *rounded* price is inside: a bound that no multiple of the quantum keeps is an error
/// and never a price beside it.
///
/// ```
/// use bursar_pricing::MarginBounds;
///
/// let bounds = MarginBounds::new("15%".parse()?, "50%".parse()?)?;
/// assert_eq!(bounds, MarginBounds::STANDARD);
/// assert!(MarginBounds::new("50%".parse()?, "15%".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
#[must_use]
pub struct MarginBounds {
    least: Margin,
    most: Margin,
}

impl MarginBounds {
    /// 15 % to 50 %.
    pub const STANDARD: Self = Self {
        least: Margin::percent(15),
        most: Margin::percent(50),
    };

    /// From `least` to `most`, both included.
    ///
    /// # Errors
    /// [`PricingError::NoBounds`] unless `least` is under `most`: between equal bounds hardly any price
    /// lies that money can express.
    pub fn new(least: Margin, most: Margin) -> Result<Self, PricingError> {
        if least >= most {
            return Err(PricingError::NoBounds { least, most });
        }
        Ok(Self { least, most })
    }

    /// The least margin: what the floor keeps.
    pub const fn least(self) -> Margin {
        self.least
    }

    /// The largest margin: what the ceiling keeps.
    pub const fn most(self) -> Margin {
        self.most
    }

    /// The multiple of the cost that the floor is, as a fraction: 1 ÷ (1 − 0.15) is 20 ÷ 17.
    pub(crate) fn floor(self) -> (u64, u64) {
        self.least.to_mark_up().price_over_cost()
    }

    /// The multiple of the cost that the ceiling is.
    pub(crate) fn ceiling(self) -> (u64, u64) {
        self.most.to_mark_up().price_over_cost()
    }
}

/// 15 % to 50 %.
impl Default for MarginBounds {
    fn default() -> Self {
        Self::STANDARD
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    least: Margin,
    most: Margin,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for MarginBounds {
    type Error = PricingError;

    fn try_from(parts: Parts) -> Result<Self, PricingError> {
        Self::new(parts.least, parts.most)
    }
}

#[cfg(feature = "serde")]
impl From<MarginBounds> for Parts {
    fn from(bounds: MarginBounds) -> Self {
        let MarginBounds { least, most } = bounds;
        Self { least, most }
    }
}

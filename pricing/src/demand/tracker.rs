//! In which state is the supply, without flapping between two?

use super::{SupplyState, Utilization};
use crate::error::PricingError;

/// Where a state of supply begins and where it ends; between the two it stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SupplyThresholds {
    /// From this utilization on, supply becomes surplus when it falls to it.
    pub enter_surplus: Utilization,
    /// Over this utilization, supply is surplus no more.
    pub leave_surplus: Utilization,
    /// Under this utilization, supply is scarce no more.
    pub leave_scarce: Utilization,
    /// From this utilization on, supply is scarce.
    pub enter_scarce: Utilization,
}

/// Scarce from 80 % until under 70 %, as the specification says; surplus from 30 % down until over 40 %,
/// by the same distance, as nothing is said about it.
impl Default for SupplyThresholds {
    fn default() -> Self {
        Self {
            enter_surplus: Utilization::from_thousandths(300),
            leave_surplus: Utilization::from_thousandths(400),
            leave_scarce: Utilization::from_thousandths(700),
            enter_scarce: Utilization::from_thousandths(800),
        }
    }
}

/// The state of supply that follows from measured utilization, with hysteresis.
///
/// ```
/// use bursar_pricing::{SupplyState, SupplyThresholds, SupplyTracker, Utilization};
///
/// let mut supply = SupplyTracker::new(SupplyThresholds::default())?;
/// let mut states = Vec::new();
/// for percent in ["60%", "79%", "80%", "75%", "70%", "69%", "75%"] {
///     states.push(supply.observe(percent.parse()?));
/// }
/// use SupplyState::{Balanced, Scarce};
/// assert_eq!(states, [Balanced, Balanced, Scarce, Scarce, Scarce, Balanced, Balanced]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Saved", into = "Saved"))]
pub struct SupplyTracker {
    thresholds: SupplyThresholds,
    state: SupplyState,
}

impl SupplyTracker {
    /// A tracker that begins in balance.
    ///
    /// # Errors
    /// [`PricingError::NoThresholds`] unless surplus is entered under where it is left, scarcity left
    /// under where it is entered, and surplus left under where scarcity is.
    pub fn new(thresholds: SupplyThresholds) -> Result<Self, PricingError> {
        let SupplyThresholds {
            enter_surplus,
            leave_surplus,
            leave_scarce,
            enter_scarce,
        } = thresholds;
        let ordered = [enter_surplus, leave_surplus, leave_scarce, enter_scarce];
        if !ordered.is_sorted_by(|lower, higher| lower < higher) {
            return Err(PricingError::NoThresholds { thresholds });
        }
        Ok(Self {
            thresholds,
            state: SupplyState::Balanced,
        })
    }

    /// The state after a measurement, which the caller smooths as suits its traffic.
    pub fn observe(&mut self, utilization: Utilization) -> SupplyState {
        let thresholds = &self.thresholds;
        let stays = match self.state {
            SupplyState::Surplus => utilization <= thresholds.leave_surplus,
            SupplyState::Balanced => false,
            SupplyState::Scarce => utilization >= thresholds.leave_scarce,
        };
        if !stays {
            self.state = if utilization >= thresholds.enter_scarce {
                SupplyState::Scarce
            } else if utilization <= thresholds.enter_surplus {
                SupplyState::Surplus
            } else {
                SupplyState::Balanced
            };
        }
        self.state
    }

    /// The state after the last measurement.
    #[must_use]
    pub const fn state(&self) -> SupplyState {
        self.state
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: crate::format::Format<1>,
    thresholds: SupplyThresholds,
    state: SupplyState,
}

#[cfg(feature = "serde")]
impl TryFrom<Saved> for SupplyTracker {
    type Error = PricingError;

    fn try_from(saved: Saved) -> Result<Self, PricingError> {
        let tracker = Self::new(saved.thresholds)?;
        Ok(Self {
            state: saved.state,
            ..tracker
        })
    }
}

#[cfg(feature = "serde")]
impl From<SupplyTracker> for Saved {
    fn from(tracker: SupplyTracker) -> Self {
        Self {
            format: crate::format::Format,
            thresholds: tracker.thresholds,
            state: tracker.state,
        }
    }
}

//! Which machines and ways to pay are allowed, and what does a switch cost?

use std::fmt;

use bursar_units::Money;
use rust_decimal::Decimal;

use super::workload::Tolerance;
use crate::instances::Architecture;

/// How a machine is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PurchaseOption {
    /// By the hour, without a promise.
    OnDemand,
    /// Committed for a year without payment in advance: every hour is paid, used or not.
    ReservedOneYear,
    /// At the spot price; the provider may take the machine back with two minutes of notice.
    Spot,
}

impl fmt::Display for PurchaseOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PurchaseOption::OnDemand => "on demand",
            PurchaseOption::ReservedOneYear => "reserved for a year",
            PurchaseOption::Spot => "spot",
        })
    }
}

/// What a caller allows, whatever the scorer.
///
/// ```
/// use bursar_cost_model::fit::{FitOptions, PurchaseOption};
/// use bursar_cost_model::instances::Architecture;
///
/// let mut options = FitOptions::default();
/// options.architectures = vec![Architecture::X86_64];
/// options.purchase = Some(vec![PurchaseOption::OnDemand]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FitOptions {
    /// Ways to pay that are allowed. `None`: on demand and reserved, and spot where the tolerance
    /// is high.
    pub purchase: Option<Vec<PurchaseOption>>,
    /// Instruction sets that the software runs on; both by default.
    pub architectures: Vec<Architecture>,
    /// Whether machines with accelerators are considered; they are not by default.
    pub accelerated: bool,
    /// Whether machines of previous generations are considered; they are not by default.
    pub previous_generations: bool,
    /// How the present machine is paid; on demand by default.
    pub present_purchase: PurchaseOption,
    /// What a switch costs, once; nothing by default.
    pub switching_cost: Option<Money>,
    /// Months over which a switch has to pay itself; 12 by default.
    pub horizon_months: Decimal,
    /// What an interruption of a spot machine costs.
    pub interruption: InterruptionTerms,
}

impl Default for FitOptions {
    fn default() -> FitOptions {
        FitOptions {
            purchase: None,
            architectures: vec![Architecture::X86_64, Architecture::Arm64],
            accelerated: false,
            previous_generations: false,
            present_purchase: PurchaseOption::OnDemand,
            switching_cost: None,
            horizon_months: Decimal::from(12),
            interruption: InterruptionTerms::default(),
        }
    }
}

impl FitOptions {
    /// The ways to pay that are allowed under a tolerance.
    #[must_use]
    pub fn purchase_options(&self, tolerance: Tolerance) -> Vec<PurchaseOption> {
        if let Some(allowed) = &self.purchase {
            let mut allowed = allowed.clone();
            allowed.sort_unstable();
            allowed.dedup();
            return allowed;
        }
        let mut allowed = vec![PurchaseOption::OnDemand, PurchaseOption::ReservedOneYear];
        if tolerance == Tolerance::High {
            allowed.push(PurchaseOption::Spot);
        }
        allowed
    }
}

/// What an interruption of a spot machine costs: the hours of work that are done again, at the
/// spot price, and what it takes to recover.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct InterruptionTerms {
    /// Hours of work that are lost and done again; 1 by default.
    pub rework_hours: Decimal,
    /// What recovery costs besides, by people and lost business; nothing by default.
    pub recovery_cost: Option<Money>,
    /// Share of machines taken back in a month, in percent, 20 to 99, to assume for types of which
    /// the provider only says “more than 20 %”. `None`, the default, leaves their spot price out.
    pub over_20_percent: Option<u8>,
}

impl Default for InterruptionTerms {
    fn default() -> InterruptionTerms {
        InterruptionTerms {
            rework_hours: Decimal::ONE,
            recovery_cost: None,
            over_20_percent: None,
        }
    }
}

//! How does a service come from the machine it runs on to the one it should run on, and what can
//! go wrong?
//!
//! A [`MigrationPlan`] compares two [`InstanceType`]s: what a month costs before and after, which
//! [risks](MigrationRisk) the difference brings and how each is met, and the
//! [steps](MigrationStep) to get there, each with its checks and with what undoes it.
//!
//! ```
//! use std::num::NonZeroU32;
//!
//! use bursar_cost_model::instances::{Architecture, InstanceType};
//! use bursar_cost_model::migration::{MigrationPlan, MigrationTerms, RiskKind};
//! use bursar_units::{Currency, Money};
//!
//! let usd = |text| Money::parse(text, Currency::USD);
//! let four = NonZeroU32::new(4).expect("4 is not 0");
//! let mut current = InstanceType::new("t3.xlarge", Architecture::X86_64, four, 16_384);
//! current.on_demand = Some(usd("0.1664")?);
//! let two = NonZeroU32::new(2).expect("2 is not 0");
//! let mut target = InstanceType::new("t4g.medium", Architecture::Arm64, two, 4_096);
//! target.on_demand = Some(usd("0.0336")?);
//!
//! let plan = MigrationPlan::new(&current, &target, &MigrationTerms::default())?;
//! // 730 hours at 0.1664 − 0.0336 = 0.1328.
//! assert_eq!(plan.cost.monthly_saving, Some(usd("96.944")?));
//! assert_eq!(plan.cost.annual_saving, Some(usd("1163.328")?));
//! assert_eq!(plan.cost.saved_percent.map(|p| p.to_string()), Some("79.8".to_owned()));
//! assert!(plan.risks.iter().any(|risk| risk.kind == RiskKind::ArchitectureChange));
//! assert!(plan.to_markdown().starts_with("# Migration: t3.xlarge to t4g.medium"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - [`MigrationTerms`] are what the two types do not say: how much risk may be taken, how the
//!   hours are bought, what was measured on the old machine, how clients find the machine.
//! - A cost that is not known stays `None`, and so does the saving. An instance type without a
//!   price can be planned for; what it saves cannot be said.
//! - A [`MigrationRisk`] is a difference that can hurt, with its size and its mitigation. A limit
//!   that is unknown for one of the two types is a risk too: nobody can say that it is not lower.
//! - A [`MigrationStep`] says what is done, what is checked before the next one starts, what undoes
//!   it, and whether a person has to agree. A failed step undoes the ones before it, in reverse.
//! - [`Checks`] holds the numbers of the checks, and judges [measured calls](Checks::judge).
//!
//! # Sources
//!
//! The kinds of platform differences are those of AWS Compute Optimizer (`PlatformDifference` of
//! its API). Which families run on Xen, and which have local disks, is from the Amazon EC2 User
//! Guide. The steps follow the facts of the EC2 API that a naive script gets wrong: `CreateImage`
//! restarts the machine unless it is told not to, an image does not start on another
//! architecture, and `AssociateAddress` takes an address away from where it was.
//!
//! # What it does not do
//!
//! It decides nothing about the target: a fit does. It touches nothing: the plan is a value, and
//! executing it is the work of an adapter.

mod checks;
mod platform;
mod render;
mod risks;
mod steps;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;

pub use self::checks::{Checks, EndpointCheck, EndpointVerdict};
pub use self::risks::{MigrationRisk, RiskKind, RiskLevel};
pub use self::steps::{AddressSwitch, MigrationStep, StepKind};
use crate::instances::InstanceType;

/// Hours of a month: a year of 8,760 by twelve.
const HOURS_PER_MONTH: u32 = 730;
/// Hours of a month of 31 days.
const MOST_HOURS: u32 = 744;

/// From one machine to another: costs, risks, and the steps in their order.
///
/// See the [module](self) for an example. [`to_text`](Self::to_text) is for a terminal,
/// [`to_markdown`](Self::to_markdown) for a ticket, and with feature `serde` it is JSON, with
/// amounts as strings.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MigrationPlan {
    /// The name of the type that it runs on.
    pub current: Box<str>,
    /// The name of the type that it is to run on.
    pub target: Box<str>,
    /// On what the plan was made.
    pub terms: MigrationTerms,
    /// What a month costs before and after.
    pub cost: CostChange,
    /// Threads before and after.
    pub vcpus: SizeChange,
    /// Memory as it is sold, in MiB, before and after.
    pub memory_mib: SizeChange,
    /// What can hurt, the worst first.
    pub risks: Vec<MigrationRisk>,
    /// What is done, in this order.
    pub steps: Vec<MigrationStep>,
}

impl MigrationPlan {
    /// The plan from one type to another.
    ///
    /// # Errors
    /// [`MigrationError::SameType`] when there is nothing to migrate, [`MigrationError::Hours`] for
    /// more than a month has, [`MigrationError::NotAPrice`] for an amount below zero, and [`MigrationError::Money`] when
    /// the two are priced in different currencies or an amount is out of range.
    pub fn new(
        current: &InstanceType,
        target: &InstanceType,
        terms: &MigrationTerms,
    ) -> Result<MigrationPlan, MigrationError> {
        if current.name == target.name {
            return Err(MigrationError::SameType(current.name.clone()));
        }
        if terms.hours_per_month > MOST_HOURS {
            return Err(MigrationError::Hours(terms.hours_per_month));
        }
        Ok(MigrationPlan {
            current: current.name.clone(),
            target: target.name.clone(),
            terms: terms.clone(),
            cost: CostChange::between(current, target, terms)?,
            vcpus: SizeChange::new(current.vcpus.get().into(), target.vcpus.get().into()),
            memory_mib: SizeChange::new(current.memory_mib, target.memory_mib),
            risks: risks::between(current, target, terms),
            steps: steps::between(current, target, terms),
        })
    }

    /// The plan between two types of a catalog, by their names; `target` is what a fit chose, and
    /// `None` where it found no type that fits.
    ///
    /// ```
    /// use bursar_cost_model::migration::{MigrationError, MigrationPlan, MigrationTerms};
    ///
    /// let error = MigrationPlan::by_name(&[], "t3.xlarge", None, &MigrationTerms::default());
    /// assert!(matches!(error, Err(MigrationError::UnknownType(name)) if &*name == "t3.xlarge"));
    /// ```
    ///
    /// # Errors
    /// [`MigrationError::UnknownType`] for a name that the catalog does not have,
    /// [`MigrationError::NoFittingType`] without a target, and those of [`new`](Self::new).
    pub fn by_name(
        catalog: &[InstanceType],
        current: &str,
        target: Option<&str>,
        terms: &MigrationTerms,
    ) -> Result<MigrationPlan, MigrationError> {
        let find = |name: &str| {
            let found = catalog.iter().find(|machine| &*machine.name == name);
            found.ok_or_else(|| MigrationError::UnknownType(name.into()))
        };
        let current = find(current)?;
        let target = target.ok_or_else(|| MigrationError::NoFittingType {
            current: current.name.clone(),
        })?;
        MigrationPlan::new(current, find(target)?, terms)
    }
}

/// What two types do not say about a migration between them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct MigrationTerms {
    /// How much may go wrong; with [`RiskTolerance::Low`] traffic moves by and by.
    pub tolerance: RiskTolerance,
    /// How the hours of the current machine are bought.
    pub current_purchase: Purchase,
    /// How the hours of the new machine will be bought.
    pub target_purchase: Purchase,
    /// Hours that it runs in a month, at most 744; 730 by default.
    pub hours_per_month: u32,
    /// What a month of the current machine cost by the bill; it goes before the list price.
    pub current_monthly_cost: Option<Money>,
    /// What a fit expects of the target, with surplus credits and interruptions; it goes before
    /// the list price.
    pub projected_monthly_cost: Option<Money>,
    /// The most memory that was in use on the current machine, in MiB.
    pub peak_memory_mib: Option<u64>,
    /// How clients find the machine.
    pub switch: AddressSwitch,
    /// The numbers of the checks.
    pub checks: Checks,
}

impl Default for MigrationTerms {
    /// Medium tolerance, on demand before and after, 730 hours, an elastic address, the usual
    /// [`Checks`], and nothing measured.
    fn default() -> MigrationTerms {
        MigrationTerms {
            tolerance: RiskTolerance::Medium,
            current_purchase: Purchase::OnDemand,
            target_purchase: Purchase::OnDemand,
            hours_per_month: HOURS_PER_MONTH,
            current_monthly_cost: None,
            projected_monthly_cost: None,
            peak_memory_mib: None,
            switch: AddressSwitch::ElasticAddress,
            checks: Checks::default(),
        }
    }
}

/// How much may go wrong during a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RiskTolerance {
    /// Users must not notice: a canary, and traffic in stages.
    Low,
    /// One switch after all checks.
    Medium,
    /// As medium; an interruption of minutes does no harm.
    High,
}

/// How the hours of a machine are bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Purchase {
    /// By the hour.
    OnDemand,
    /// For a year, without payment in advance.
    ReservedOneYear,
    /// On the spot market, at the price on demand less the saving that the market gave.
    Spot,
}

impl Purchase {
    /// The price of an hour, where it is known.
    fn hourly(self, machine: &InstanceType) -> Result<Option<Money>, MigrationError> {
        let price = match self {
            Purchase::OnDemand => machine.on_demand,
            Purchase::ReservedOneYear => machine.reserved_one_year,
            Purchase::Spot => machine.spot_hourly()?,
        };
        Ok(price)
    }
}

/// What a month costs before and after, as far as prices are known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CostChange {
    /// A month of the current machine.
    pub current_monthly: Option<Money>,
    /// A month of the target.
    pub projected_monthly: Option<Money>,
    /// The difference; below zero when the target costs more.
    pub monthly_saving: Option<Money>,
    /// Twelve months of it.
    pub annual_saving: Option<Money>,
    /// The saving in percent of the current cost, rounded half to even to one place; `None` also
    /// when the current machine costs nothing.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub saved_percent: Option<Decimal>,
}

impl CostChange {
    fn between(
        current: &InstanceType,
        target: &InstanceType,
        terms: &MigrationTerms,
    ) -> Result<CostChange, MigrationError> {
        let current_monthly = monthly(
            current,
            terms.current_purchase,
            terms.current_monthly_cost,
            terms,
        )?;
        let projected_monthly = monthly(
            target,
            terms.target_purchase,
            terms.projected_monthly_cost,
            terms,
        )?;
        let mut change = CostChange {
            current_monthly,
            projected_monthly,
            monthly_saving: None,
            annual_saving: None,
            saved_percent: None,
        };
        let (Some(before), Some(after)) = (current_monthly, projected_monthly) else {
            return Ok(change);
        };
        let saving = before.checked_sub(after)?;
        change.monthly_saving = Some(saving);
        change.annual_saving = Some(saving.checked_mul(Decimal::from(12))?);
        if !before.is_zero() {
            let percent = saving
                .ratio_to(&before)?
                .checked_mul(Decimal::ONE_HUNDRED)
                .map(|p| p.round_dp_with_strategy(1, RoundingStrategy::MidpointNearestEven));
            change.saved_percent = percent;
        }
        Ok(change)
    }
}

/// What was stated for a month, or the price of its hours.
fn monthly(
    machine: &InstanceType,
    purchase: Purchase,
    stated: Option<Money>,
    terms: &MigrationTerms,
) -> Result<Option<Money>, MigrationError> {
    let month = match (stated, purchase.hourly(machine)?) {
        (Some(stated), _) => Some(stated),
        (None, Some(hour)) => Some(hour.checked_mul(Decimal::from(terms.hours_per_month))?),
        (None, None) => None,
    };
    if let Some(amount) = month.filter(Money::is_negative) {
        return Err(MigrationError::NotAPrice {
            machine: machine.name.clone(),
            amount,
        });
    }
    Ok(month)
}

/// A size before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SizeChange {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
    /// The difference in percent of `before`; below zero when it shrinks. `None` of nothing.
    pub percent: Option<f64>,
}

impl SizeChange {
    fn new(before: u64, after: u64) -> SizeChange {
        let (from, to) = (before as f64, after as f64);
        SizeChange {
            before,
            after,
            percent: (before > 0).then(|| 100.0 * (to - from) / from),
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The catalog does not have a type of this name.
    #[error("the catalog has no instance type `{0}`: check the name, or load a newer catalog")]
    UnknownType(Box<str>),
    /// No type fits.
    #[error(
        "no instance type fits in place of `{current}`: allow more risk, or more architectures"
    )]
    NoFittingType {
        /// The type that it runs on.
        current: Box<str>,
    },
    /// Current and target are one.
    #[error("`{0}` is also the target: another way to pay for it needs no migration")]
    SameType(Box<str>),
    /// A month does not have so many hours.
    #[error("{0} hours a month: a month has at most 744")]
    Hours(u32),
    /// A cost is below zero.
    #[error("`{machine}` costs {amount} a month: a price cannot be below zero")]
    NotAPrice {
        /// The type with the cost.
        machine: Box<str>,
        /// Its cost a month.
        amount: Money,
    },
    /// An amount cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

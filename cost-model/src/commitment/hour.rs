//! Which commitment pays for which usage in one hour?

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bursar_units::Money;
use rust_decimal::{Decimal, RoundingStrategy};

use super::CommitmentError;
use super::break_even::{require_not_negative, require_positive};

/// Decimal places of a quantity that a plan covers in part: its commitment ÷ its rate has no end
/// (2.00 ÷ 0.70), and products with rates of up to 15 places must stay exact.
const COVERED_PLACES: u32 = 12;

/// What one account used of one product in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Usage {
    /// What was used, by the name under which plans and reservations know it.
    pub product: Box<str>,
    /// The account that used it.
    pub account: Box<str>,
    /// How many units.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub quantity: Decimal,
    /// The price of a unit on demand.
    pub on_demand_rate: Money,
}

/// Reserved instances of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reservation {
    /// What they are for, as [`Usage::product`] names it.
    pub product: Box<str>,
    /// The account that owns them.
    pub owner: Box<str>,
    /// How many units they cover in an hour.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub units: Decimal,
    /// Whether other accounts may use what the owner does not.
    pub sharing: Sharing,
}

/// Whether accounts of one organization may use each other's commitments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Sharing {
    /// The owner first, then others; the default of AWS.
    #[default]
    Organization,
    /// The owner only.
    OwnerOnly,
}

/// What usage a plan fits; the order is that of application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PlanKind {
    /// One family of instances in one region.
    Ec2Instance,
    /// EC2, Fargate and Lambda, everywhere.
    Compute,
}

/// An amount of money that is spent in every hour, at rates below those on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SavingsPlan {
    /// Its name or number.
    pub name: Box<str>,
    /// What it fits.
    pub kind: PlanKind,
    /// The account that owns it.
    pub owner: Box<str>,
    /// Whether other accounts may use what the owner does not.
    pub sharing: Sharing,
    /// What is spent per hour.
    pub commitment: Money,
    /// The price of a unit under the plan, by product. A product without a rate is not covered, and
    /// nor is one whose rate is above that on demand.
    pub rates: BTreeMap<Box<str>, Money>,
}

/// One hour after all commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AppliedHour {
    /// The usage, as given, and who pays for it.
    pub usage: Vec<UsageLine>,
    /// The plans, as given, and how far they were used.
    pub plans: Vec<PlanLine>,
    /// What is charged on demand; `None` where there is no usage.
    pub on_demand: Option<Money>,
    /// What the same usage would be charged without plans, reservations applied all the same;
    /// `None` where there is no usage.
    pub without_plans: Option<Money>,
    /// All commitments of plans and what is charged on demand. What reservations cost is not
    /// included: they cost the same in every hour. `None` where there is neither plan nor usage.
    pub total: Option<Money>,
}

/// Who pays for one [`Usage`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct UsageLine {
    /// What was used.
    pub usage: Usage,
    /// Units that reservations cover.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub reserved: Decimal,
    /// What plans cover, in the order in which they were applied.
    pub applied: Vec<Application>,
    /// Units that are left and charged on demand.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub on_demand_quantity: Decimal,
    /// What these cost.
    pub on_demand: Money,
}

/// What one plan covers of one usage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Application {
    /// The place of the plan in [`AppliedHour::plans`].
    pub plan: usize,
    /// The units that it covers, rounded down to 12 places where the commitment ran out.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))]
    pub quantity: Decimal,
    /// How much of the commitment that takes.
    pub amount: Money,
}

/// How far a plan was used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PlanLine {
    /// The plan.
    pub plan: SavingsPlan,
    /// What of the commitment was applied to usage.
    pub used: Money,
    /// What of it was lost.
    pub unused: Money,
}

impl SavingsPlan {
    /// A plan that is shared within the organization and has no rates yet.
    #[must_use]
    pub fn new(name: &str, kind: PlanKind, owner: &str, commitment: Money) -> SavingsPlan {
        SavingsPlan {
            name: name.into(),
            kind,
            owner: owner.into(),
            sharing: Sharing::default(),
            commitment,
            rates: BTreeMap::new(),
        }
    }

    /// The same with the rate of a product.
    #[must_use]
    pub fn rate(mut self, product: &str, rate: Money) -> SavingsPlan {
        self.rates.insert(product.into(), rate);
        self
    }
}

/// Lays reservations and plans over the usage of one hour, in the order of the
/// [module](super#the-order-of-application).
///
/// ```
/// use bursar_cost_model::commitment::{PlanKind, SavingsPlan, Usage, apply};
///
/// let usage = Usage {
///     product: "r5.4xlarge".into(),
///     account: "shop".into(),
///     quantity: 4.into(),
///     on_demand_rate: "1.00 USD".parse()?,
/// };
/// let plan = SavingsPlan::new("p1", PlanKind::Compute, "shop", "2.10 USD".parse()?)
///     .rate("r5.4xlarge", "0.70 USD".parse()?);
/// let hour = apply(&[usage], &[], &[plan])?;
/// assert_eq!(hour.on_demand, Some("1.00 USD".parse()?)); // three of four are covered
/// assert_eq!(hour.total, Some("3.10 USD".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A quantity or an amount below zero, a rate on demand of zero, two currencies, a product of more
/// than 28 digits. The error names the usage or the plan.
pub fn apply(
    usage: &[Usage],
    reservations: &[Reservation],
    plans: &[SavingsPlan],
) -> Result<AppliedHour, CommitmentError> {
    let mut hour = Hour::new(usage, plans)?;
    hour.reserve(reservations)?;
    let without_plans = hour.charge_on_demand()?;
    for kind in [PlanKind::Ec2Instance, PlanKind::Compute] {
        for whose in [Whose::Own, Whose::Others] {
            hour.cover(kind, whose)?;
        }
    }
    let on_demand = hour.charge_on_demand()?;
    let total = Money::try_sum(plans.iter().map(|plan| plan.commitment).chain(on_demand))?;
    Ok(AppliedHour {
        usage: hour.usage,
        plans: hour.plans,
        on_demand,
        without_plans,
        total,
    })
}

/// Whose usage a commitment is applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Others,
}

impl Whose {
    fn fits(self, owner: &str, account: &str, sharing: Sharing) -> bool {
        match self {
            Whose::Own => owner == account,
            Whose::Others => owner != account && sharing == Sharing::Organization,
        }
    }
}

/// A plan and a usage that it fits, by their places.
struct Fit {
    plan: usize,
    usage: usize,
    rate: Money,
    /// The rate as a share of that on demand; one minus it is the saving.
    share: Decimal,
}

struct Hour {
    usage: Vec<UsageLine>,
    plans: Vec<PlanLine>,
}

impl Hour {
    fn new(usage: &[Usage], plans: &[SavingsPlan]) -> Result<Hour, CommitmentError> {
        Ok(Hour {
            usage: usage.iter().map(open_usage).collect::<Result<_, _>>()?,
            plans: plans.iter().map(open_plan).collect::<Result<_, _>>()?,
        })
    }

    fn reserve(&mut self, reservations: &[Reservation]) -> Result<(), CommitmentError> {
        let mut left = Vec::with_capacity(reservations.len());
        for reservation in reservations {
            require_quantity(&reservation.product, reservation.units)?;
            left.push(reservation.units);
        }
        for whose in [Whose::Own, Whose::Others] {
            for (reservation, left) in reservations.iter().zip(&mut left) {
                for line in &mut self.usage {
                    let (owner, account) = (&reservation.owner, &line.usage.account);
                    if line.usage.product == reservation.product
                        && whose.fits(owner, account, reservation.sharing)
                    {
                        let units = line.on_demand_quantity.min(*left);
                        line.reserved += units;
                        line.on_demand_quantity -= units;
                        *left -= units;
                    }
                }
            }
        }
        Ok(())
    }

    /// Applies all plans of a kind to the usage of their owners, or to that of others.
    fn cover(&mut self, kind: PlanKind, whose: Whose) -> Result<(), CommitmentError> {
        for fit in self.fits(kind, whose)? {
            let (Some(plan), Some(line)) =
                (self.plans.get_mut(fit.plan), self.usage.get_mut(fit.usage))
            else {
                continue;
            };
            cover_line(line, plan, &fit)?;
        }
        Ok(())
    }

    /// What fits what: the highest saving first, then the lowest rate, then as given.
    fn fits(&self, kind: PlanKind, whose: Whose) -> Result<Vec<Fit>, CommitmentError> {
        let mut fits = Vec::new();
        for (p, line) in self.plans.iter().enumerate() {
            let plan = &line.plan;
            if plan.kind != kind {
                continue;
            }
            for (u, UsageLine { usage, .. }) in self.usage.iter().enumerate() {
                let Some(&rate) = plan.rates.get(&usage.product) else {
                    continue;
                };
                let share = rate.ratio_to(&usage.on_demand_rate)?;
                if share <= Decimal::ONE && whose.fits(&plan.owner, &usage.account, plan.sharing) {
                    fits.push(Fit {
                        plan: p,
                        usage: u,
                        rate,
                        share,
                    });
                }
            }
        }
        fits.sort_by(Fit::order);
        Ok(fits)
    }

    /// Prices what is left of every usage, and adds it up.
    fn charge_on_demand(&mut self) -> Result<Option<Money>, CommitmentError> {
        for line in &mut self.usage {
            let rate = line.usage.on_demand_rate;
            line.on_demand = rate.checked_mul(line.on_demand_quantity)?;
        }
        Ok(Money::try_sum(
            self.usage.iter().map(|line| line.on_demand),
        )?)
    }
}

impl Fit {
    fn order(&self, other: &Fit) -> Ordering {
        let rates = (self.rate.amount(), other.rate.amount());
        self.share
            .cmp(&other.share)
            .then(rates.0.cmp(&rates.1))
            .then((self.plan, self.usage).cmp(&(other.plan, other.usage)))
    }
}

fn open_usage(usage: &Usage) -> Result<UsageLine, CommitmentError> {
    require_quantity(&usage.product, usage.quantity)?;
    let what = format!("price of {} on demand", usage.product);
    require_positive(&what, usage.on_demand_rate)?;
    Ok(UsageLine {
        usage: usage.clone(),
        reserved: Decimal::ZERO,
        applied: Vec::new(),
        on_demand_quantity: usage.quantity,
        on_demand: Money::zero(usage.on_demand_rate.currency()),
    })
}

fn open_plan(plan: &SavingsPlan) -> Result<PlanLine, CommitmentError> {
    require_not_negative(&format!("commitment of {}", plan.name), plan.commitment)?;
    for (product, &rate) in &plan.rates {
        require_not_negative(&format!("rate of {product} under {}", plan.name), rate)?;
    }
    Ok(PlanLine {
        plan: plan.clone(),
        used: Money::zero(plan.commitment.currency()),
        unused: plan.commitment,
    })
}

fn cover_line(line: &mut UsageLine, plan: &mut PlanLine, fit: &Fit) -> Result<(), CommitmentError> {
    if line.on_demand_quantity.is_zero() {
        return Ok(());
    }
    let wanted = fit.rate.checked_mul(line.on_demand_quantity)?;
    let (quantity, amount) = if wanted.try_cmp(&plan.unused)?.is_le() {
        (line.on_demand_quantity, wanted)
    } else {
        (whole_of(plan.unused, fit.rate)?, plan.unused)
    };
    if quantity.is_zero() && amount.is_zero() {
        return Ok(());
    }
    line.on_demand_quantity -= quantity;
    plan.used = plan.used.checked_add(amount)?;
    plan.unused = plan.unused.checked_sub(amount)?;
    line.applied.push(Application {
        plan: fit.plan,
        quantity,
        amount,
    });
    Ok(())
}

/// How many units an amount pays for, rounded down.
fn whole_of(amount: Money, rate: Money) -> Result<Decimal, CommitmentError> {
    let units = amount.ratio_to(&rate)?;
    Ok(units.round_dp_with_strategy(COVERED_PLACES, RoundingStrategy::ToZero))
}

fn require_quantity(what: &str, value: Decimal) -> Result<(), CommitmentError> {
    if value < Decimal::ZERO {
        let what = what.to_owned();
        return Err(CommitmentError::NegativeQuantity { what, value });
    }
    Ok(())
}

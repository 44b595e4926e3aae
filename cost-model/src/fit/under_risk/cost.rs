//! What does a machine cost a month, however it is paid?

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::fit::FitError;
use crate::fit::options::{FitOptions, PurchaseOption};
use crate::fit::recommendation::MonthlyCost;
use crate::fit::workload::{HOURS_PER_MONTH, Workload};
use crate::instances::{InstanceType, SpotMarket};

/// Decimal places of a quantity that was estimated.
const PLACES: u32 = 6;

/// How machines are paid.
#[derive(Debug)]
pub(crate) struct Pricing<'a> {
    allowed: Vec<PurchaseOption>,
    hours: Decimal,
    options: &'a FitOptions,
}

/// An hourly price with the way to pay it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced {
    pub(crate) purchase: PurchaseOption,
    hourly: Money,
    interruptions_per_month: Option<f64>,
}

impl<'a> Pricing<'a> {
    pub(crate) fn new(workload: &Workload, options: &'a FitOptions) -> Pricing<'a> {
        Pricing {
            allowed: options.purchase_options(workload.tolerance()),
            hours: workload.hours_per_month(),
            options,
        }
    }

    /// The known prices of a machine, one for each way to pay that is allowed.
    pub(crate) fn of(&self, machine: &InstanceType) -> Result<Vec<Priced>, FitError> {
        let mut prices = Vec::with_capacity(self.allowed.len());
        for purchase in &self.allowed {
            let priced = self.priced(machine, *purchase);
            if let Some(priced) = priced.map_err(|source| money_error(machine, source))? {
                if priced.hourly.is_negative() {
                    return Err(FitError::NegativePrice {
                        machine: machine.name.clone(),
                        price: priced.hourly,
                    });
                }
                prices.push(priced);
            }
        }
        Ok(prices)
    }

    fn priced(
        &self,
        machine: &InstanceType,
        purchase: PurchaseOption,
    ) -> Result<Option<Priced>, MoneyError> {
        let plain = |hourly| Priced {
            purchase,
            hourly,
            interruptions_per_month: None,
        };
        match purchase {
            PurchaseOption::OnDemand => Ok(machine.on_demand.map(plain)),
            PurchaseOption::ReservedOneYear => Ok(machine.reserved_one_year.map(plain)),
            PurchaseOption::Spot => {
                let (Some(hourly), Some(market)) = (machine.spot_hourly()?, machine.spot) else {
                    return Ok(None);
                };
                let Some(share) = self.share_taken_back(market) else {
                    return Ok(None);
                };
                Ok(Some(Priced {
                    purchase,
                    hourly,
                    // The rate of a Poisson process that spares the others for a month.
                    interruptions_per_month: Some(-(1.0 - share).ln()),
                }))
            }
        }
    }

    /// The share of machines taken back in a month, at the upper end of what is reported.
    fn share_taken_back(&self, market: SpotMarket) -> Option<f64> {
        let assumed = self.options.interruption.over_20_percent.map(f64::from);
        let percent = market.interruption.percent_per_month().1.or(assumed)?;
        Some((percent / 100.0).min(0.99))
    }

    /// The cost of a month; `None` where a surplus would be charged at a price that is unknown.
    pub(crate) fn monthly(
        &self,
        machine: &InstanceType,
        priced: &Priced,
        surplus_vcpu_hours: Option<f64>,
    ) -> Result<Option<MonthlyCost>, FitError> {
        let cost = self.monthly_cost(machine, priced, surplus_vcpu_hours);
        cost.map_err(|source| money_error(machine, source))
    }

    fn monthly_cost(
        &self,
        machine: &InstanceType,
        priced: &Priced,
        surplus_vcpu_hours: Option<f64>,
    ) -> Result<Option<MonthlyCost>, MoneyError> {
        let hours = match priced.purchase {
            // A commitment is paid for every hour.
            PurchaseOption::ReservedOneYear => self.hours.max(HOURS_PER_MONTH),
            PurchaseOption::OnDemand | PurchaseOption::Spot => self.hours,
        };
        let surplus = match surplus_vcpu_hours {
            None => None,
            Some(per_hour) => {
                let price = machine.burst.as_ref().and_then(|b| b.surplus_per_vcpu_hour);
                match price {
                    Some(price) => {
                        let vcpu_hours = quantity(per_hour).saturating_mul(self.hours);
                        Some(price.checked_mul(vcpu_hours)?)
                    }
                    None if per_hour > 0.0 => return Ok(None),
                    None => Some(Money::zero(priced.hourly.currency())),
                }
            }
        };
        let interruptions = priced
            .interruptions_per_month
            .map(|rate| self.interruptions(priced.hourly, rate))
            .transpose()?;
        let machine = priced.hourly.checked_mul(hours)?;
        MonthlyCost::new(machine, surplus, interruptions).map(Some)
    }

    /// λ × (rework hours × price + recovery cost).
    fn interruptions(&self, hourly: Money, rate_per_month: f64) -> Result<Money, MoneyError> {
        let terms = &self.options.interruption;
        let mut each = hourly.checked_mul(terms.rework_hours)?;
        if let Some(recovery) = terms.recovery_cost {
            each = each.checked_add(recovery)?;
        }
        let hours = self.hours.checked_div(HOURS_PER_MONTH).unwrap_or_default();
        let expected = quantity(rate_per_month).saturating_mul(hours);
        each.checked_mul(expected.round_dp(PLACES))
    }
}

fn quantity(estimate: f64) -> Decimal {
    Decimal::from_f64(estimate)
        .unwrap_or_default()
        .round_dp(PLACES)
}

fn money_error(machine: &InstanceType, source: MoneyError) -> FitError {
    FitError::Money {
        machine: machine.name.clone(),
        source,
    }
}

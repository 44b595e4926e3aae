//! Does the present machine hold the workload, and does leaving it pay?

use bursar_units::{Money, MoneyError};

use super::cost::Pricing;
use super::judge::Judge;
use crate::fit::FitError;
use crate::fit::options::FitOptions;
use crate::fit::recommendation::{Candidate, Decision, Recommendation};
use crate::fit::workload::Workload;
use crate::instances::InstanceType;

/// The present machine, judged like the others; `None` where it has no price or too little memory
/// to be compared.
pub(crate) fn candidate(
    judge: &Judge<'_>,
    workload: &Workload,
    machines: &[InstanceType],
    options: &FitOptions,
) -> Result<Option<Candidate>, FitError> {
    let mut source = workload.source().clone();
    // A caller often knows the present machine by name and measures, and the catalog its price.
    if let Some(known) = machines.iter().find(|known| known.name == source.name) {
        source.on_demand = source.on_demand.or(known.on_demand);
        source.reserved_one_year = source.reserved_one_year.or(known.reserved_one_year);
        source.spot = source.spot.or(known.spot);
        source.spot_price = source.spot_price.or(known.spot_price);
    }
    let mut present = options.clone();
    present.purchase = Some(vec![options.present_purchase]);
    let pricing = Pricing::new(workload, &present);
    let (Some(priced), Ok(room)) = (pricing.of(&source)?.pop(), judge.room(&source)) else {
        return Ok(None);
    };
    let Some(judged) = judge.modes(&source, &room).into_iter().next() else {
        return Ok(None);
    };
    let monthly = pricing.monthly(&source, &priced, judged.surplus_vcpu_hours)?;
    Ok(monthly.map(|monthly| {
        let mut candidate = Candidate::new(&source.name, priced.purchase, monthly);
        candidate.credit_mode = judged.mode;
        candidate.risk = Some(judged.risk);
        candidate.projected = judged.projected;
        candidate.assumptions = judged.assumptions;
        candidate
    }))
}

/// Stay where leaving does not pay, unless the present machine is too small.
pub(crate) fn decision(
    recommendation: &Recommendation,
    budget: f64,
    options: &FitOptions,
) -> Result<Decision, FitError> {
    let Some(best) = recommendation.best() else {
        return Ok(Decision::NothingFits);
    };
    let Some(present) = &recommendation.present else {
        return Ok(Decision::Move {
            monthly_saving: None,
        });
    };
    let money = |source: MoneyError| FitError::Money {
        machine: best.instance.clone(),
        source,
    };
    let saving = present
        .monthly
        .total
        .checked_sub(best.monthly.total)
        .map_err(money)?;
    let holds = present
        .risk
        .as_ref()
        .is_some_and(|risk| risk.at_most <= budget);
    if !holds {
        return Ok(Decision::Move {
            monthly_saving: Some(saving),
        });
    }
    if saving.is_negative() || saving.is_zero() {
        return Ok(Decision::StayCheapest);
    }
    let switching = options
        .switching_cost
        .unwrap_or(Money::zero(saving.currency()));
    let over_horizon = saving.checked_mul(options.horizon_months).map_err(money)?;
    let net = over_horizon.checked_sub(switching).map_err(money)?;
    if net.is_negative() || (net.is_zero() && !switching.is_zero()) {
        return Ok(Decision::StaySwitchingCosts {
            saving: over_horizon,
            switching,
        });
    }
    Ok(Decision::Move {
        monthly_saving: Some(saving),
    })
}

//! How many instances are advised, which need decides, and what do they cost?

use std::num::NonZeroU32;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

use super::queue::{MOST_SERVERS, Queue, servers_for_bursts};
use super::stage::{ListedInstances, Stage};
use super::{CapacityError, check_positive, check_rate};

/// Fewer instances are never advised: one that is replaced must not be the only one.
const LEAST_INSTANCES: u32 = 2;
/// Hours of a month: a year of 8,760 by twelve.
const HOURS_PER_MONTH: u32 = 730;
/// A quotient that is over a whole number by less than this is that number: 2,000 ÷ 500 × 1.5 must
/// not be 6.000000000000001.
const HAIR: f64 = 1e-9;

/// What must be carried, and by what.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Demand {
    /// Requests a second at the peak.
    pub peak_qps: f64,
    /// Requests a second that one instance is planned for.
    pub rated_qps: f64,
    /// What the formula multiplies by.
    pub redundancy: f64,
    /// How much burstier than Poisson the requests come: 1 for Poisson, else as
    /// [`peakedness`](super::peakedness) measures it.
    pub peakedness: f64,
    /// Mean seconds of work for one request.
    pub service_seconds: f64,
    /// Requests that an instance works on at once; others wait.
    pub slots: NonZeroU32,
    /// Seconds in which 99 of 100 requests must be answered.
    pub p99_seconds: f64,
    /// Availability zones; with two or more, the others carry the peak when one is lost.
    pub zones: NonZeroU32,
}

impl Demand {
    /// A peak for instances of one core and 512 MB: planned for 500 requests a second, working on
    /// one at a time for 1 ms (1,000 a second at full use), with a redundancy of 1.5, Poisson
    /// arrivals, a p99 of 100 ms, and three zones.
    #[must_use]
    pub fn new(peak_qps: f64) -> Demand {
        Demand {
            peak_qps,
            rated_qps: 500.0,
            redundancy: 1.5,
            peakedness: 1.0,
            service_seconds: 0.001,
            slots: NonZeroU32::MIN,
            p99_seconds: 0.1,
            zones: NonZeroU32::MIN.saturating_add(2),
        }
    }

    fn check(&self) -> Result<(), CapacityError> {
        check_rate("peak requests a second", self.peak_qps)?;
        check_positive("requests a second of an instance", self.rated_qps)?;
        check_positive("peakedness", self.peakedness)?;
        check_positive("seconds of service", self.service_seconds)?;
        check_positive("seconds of the p99", self.p99_seconds)?;
        if self.redundancy.is_finite() && self.redundancy >= 1.0 {
            return Ok(());
        }
        Err(CapacityError::Value {
            what: "redundancy, 1 or more",
            value: self.redundancy,
        })
    }

    /// The p99 of the response in seconds with so many instances, by M/M/c, with Hayward's correction
    /// for bursts; `None` where they cannot keep up.
    ///
    /// # Errors
    /// [`CapacityError::Value`] for a demand that cannot be.
    pub fn p99_with(&self, instances: NonZeroU32) -> Result<Option<f64>, CapacityError> {
        let servers = instances.saturating_mul(self.slots);
        let queue = Queue::new(self.peak_qps, self.service_seconds, servers)?;
        let queue = queue.with_peakedness(self.peakedness)?;
        Ok(queue.response_quantile(0.99))
    }
}

/// How many instances are advised, and why so many.
///
/// See the [module](super) for an example. [`to_text`](Self::to_text) is for a terminal, and with
/// feature `serde` it is JSON, with amounts as strings.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CapacityPlan {
    /// What must be carried.
    pub demand: Demand,
    /// Instances by the formula: peak ÷ rated × redundancy, rounded up.
    pub formula: u32,
    /// The stage of the peak; `None` above the table.
    pub stage: Option<Stage>,
    /// Instances of the stage; `None` above the table.
    pub listed: Option<ListedInstances>,
    /// The fewest instances that meet the p99 by the queue; `None` when no number does.
    pub queue: Option<u32>,
    /// Which of formula and queue asks for more.
    pub binds: Binding,
    /// The fewest instances that carry the peak: those of the queue, and without redundancy those
    /// of the rated requests.
    pub carrying: u32,
    /// One more than that.
    pub n_plus_one: u32,
    /// With the same number in each zone, so many that without one zone the peak is still carried;
    /// `None` with a single zone.
    pub zone_loss: Option<u32>,
    /// The largest of all, at least 2.
    pub advised: u32,
    /// Which of them decides.
    pub reason: Reason,
    /// The p99 in seconds with what is advised.
    pub p99_seconds: Option<f64>,
    /// The p99 in seconds after the loss of a zone, or with a single zone of an instance.
    pub p99_seconds_after_loss: Option<f64>,
    /// What a month costs.
    pub cost: CapacityCost,
}

/// Which of two needs is the larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Binding {
    /// The formula asks for more.
    Formula,
    /// The p99 asks for more.
    Queue,
    /// Both ask for the same.
    Both,
    /// No number of instances meets the p99: the service alone takes longer.
    Unreachable,
}

/// Which need decides how many instances are advised; of equal ones the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Reason {
    /// There are at least two.
    Minimum,
    /// The formula.
    Formula,
    /// The table of stages.
    Listed,
    /// One instance may be lost.
    NPlusOne,
    /// One zone may be lost.
    ZoneLoss,
}

impl CapacityPlan {
    /// The plan for a demand.
    ///
    /// # Errors
    /// [`CapacityError::Value`] for a demand that cannot be, [`CapacityError::TooMany`] above a
    /// million instances, [`CapacityError::Money`] for prices in several currencies.
    pub fn new(demand: &Demand, prices: &CapacityPrices) -> Result<CapacityPlan, CapacityError> {
        demand.check()?;
        let formula = rounded_up(demand.peak_qps / demand.rated_qps * demand.redundancy)?;
        let stage = Stage::of(demand.peak_qps);
        let listed = stage.map(|stage| stage.instances);
        let queue = instances_for_p99(demand)?;
        let rated = rounded_up(demand.peak_qps / demand.rated_qps)?;
        let carrying = queue.unwrap_or(0).max(rated).max(1);
        let zone_loss = zone_loss(carrying, demand.zones);
        let (advised, reason) = largest(&[
            (Reason::Minimum, Some(LEAST_INSTANCES)),
            (Reason::Formula, Some(formula)),
            (Reason::Listed, listed.map(ListedInstances::planned)),
            (Reason::NPlusOne, carrying.checked_add(1)),
            (Reason::ZoneLoss, zone_loss),
        ]);
        let lost = lost_with_a_zone(advised, demand.zones);
        Ok(CapacityPlan {
            demand: demand.clone(),
            formula,
            stage,
            listed,
            queue,
            binds: binding(formula, queue),
            carrying,
            n_plus_one: carrying.saturating_add(1),
            zone_loss,
            advised,
            reason,
            p99_seconds: p99(demand, advised)?,
            p99_seconds_after_loss: p99(demand, advised.saturating_sub(lost))?,
            cost: CapacityCost::of(advised, stage, prices)?,
        })
    }

    /// The plans of the four stages, each at its peak.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub fn of_stages(
        demand: &Demand,
        prices: &CapacityPrices,
    ) -> Result<Vec<CapacityPlan>, CapacityError> {
        let plan = |stage: &Stage| {
            let demand = Demand {
                peak_qps: stage.peak_qps,
                ..demand.clone()
            };
            CapacityPlan::new(&demand, prices)
        };
        Stage::ALL.iter().map(plan).collect()
    }
}

/// The number of instances, rounded up.
fn rounded_up(instances: f64) -> Result<u32, CapacityError> {
    let whole = (instances - HAIR).ceil();
    if whole > f64::from(MOST_SERVERS) {
        return Err(CapacityError::TooMany { needed: instances });
    }
    // Between 0 and a million.
    Ok(whole.max(0.0) as u32)
}

fn instances_for_p99(demand: &Demand) -> Result<Option<u32>, CapacityError> {
    let servers = servers_for_bursts(
        demand.peak_qps,
        demand.peakedness,
        demand.service_seconds,
        0.99,
        demand.p99_seconds,
    )?;
    Ok(servers.map(|servers| servers.get().div_ceil(demand.slots.get())))
}

/// As many in each zone as the others need to carry all.
fn zone_loss(carrying: u32, zones: NonZeroU32) -> Option<u32> {
    let others = NonZeroU32::new(zones.get() - 1)?;
    carrying.div_ceil(others.get()).checked_mul(zones.get())
}

/// The instances of the fullest zone when they are spread; with a single zone, one instance.
fn lost_with_a_zone(instances: u32, zones: NonZeroU32) -> u32 {
    match zones.get() {
        1 => 1,
        zones => instances.div_ceil(zones),
    }
}

/// The largest need, the first of equal ones.
fn largest(needs: &[(Reason, Option<u32>)]) -> (u32, Reason) {
    let known = needs
        .iter()
        .filter_map(|(reason, need)| Some(((*need)?, *reason)));
    known.fold((0, Reason::Minimum), |best, need| {
        if need.0 > best.0 { need } else { best }
    })
}

fn binding(formula: u32, queue: Option<u32>) -> Binding {
    match queue {
        None => Binding::Unreachable,
        Some(queue) if queue > formula => Binding::Queue,
        Some(queue) if queue < formula => Binding::Formula,
        Some(_) => Binding::Both,
    }
}

fn p99(demand: &Demand, instances: u32) -> Result<Option<f64>, CapacityError> {
    match NonZeroU32::new(instances) {
        Some(instances) => demand.p99_with(instances),
        None => Ok(None),
    }
}

/// What capacity costs; `None` where the price is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CapacityPrices {
    /// An instance, by the hour.
    pub instance_hour: Option<Money>,
    /// A gigabyte of Redis, by the month.
    pub redis_gb_month: Option<Money>,
    /// A gigabyte of the database, by the month.
    pub database_gb_month: Option<Money>,
}

/// What a month of 730 hours costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CapacityCost {
    /// The instances.
    pub instances: Option<Money>,
    /// Redis, of the size of the stage; `None` also above the table.
    pub redis: Option<Money>,
    /// The database, likewise.
    pub database: Option<Money>,
    /// All of it; `None` where a part is not known.
    pub total: Option<Money>,
}

impl CapacityCost {
    fn of(
        instances: u32,
        stage: Option<Stage>,
        prices: &CapacityPrices,
    ) -> Result<CapacityCost, MoneyError> {
        let times = |price: Option<Money>, n: Option<u64>| match (price, n) {
            (Some(price), Some(n)) => price.checked_mul(Decimal::from(n)).map(Some),
            _ => Ok(None),
        };
        let hours = u64::from(instances) * u64::from(HOURS_PER_MONTH);
        let instances = times(prices.instance_hour, Some(hours))?;
        let redis = times(prices.redis_gb_month, stage.map(|s| s.redis_gb.into()))?;
        let database = times(
            prices.database_gb_month,
            stage.map(|s| s.database_gb.into()),
        )?;
        let total = match (instances, redis, database) {
            (Some(instances), Some(redis), Some(database)) => {
                Some(instances.checked_add(redis)?.checked_add(database)?)
            }
            _ => None,
        };
        Ok(CapacityCost {
            instances,
            redis,
            database,
            total,
        })
    }
}

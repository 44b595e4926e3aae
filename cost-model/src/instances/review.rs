//! What is wrong with a catalog although it can be read?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use super::catalog::{InstanceCatalog, InstanceTables, PRICES};
use super::error::InstanceCatalogError;

/// What a catalog has, and what is wrong with it.
///
/// ```
/// use bursar_cost_model::instances::{InstanceReview, InstanceTables};
///
/// let tables = InstanceTables {
///     instances: "instance,architecture,vcpus,memory_mib,network_baseline_mbps,network_burst_mbps,\
///                 ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,\
///                 cpu,accelerated,generation,source\n\
///                 m7g.large,arm64,2,8192,937,12500,630,10000,3600,40000,full,no,current,house\n",
///     prices: "region,instance,from,until,on_demand,reserved_one_year,spot,source\n\
///              us-east-1,m7g.large,,2026-09-01,0.0816,,,house\n\
///              us-east-1,m7g.large,2026-10-01,,0.0799,,,house\n",
///     sources: "source,name,url,license,as_of\nhouse,our contract,,,2026-10-01\n",
///     ..InstanceTables::default()
/// };
/// let review = InstanceReview::of(&tables, "us-east-1", "2026-11-27".parse()?)?;
/// assert_eq!((review.counts.types, review.counts.with_price), (1, 1));
/// let said: Vec<String> = review.findings.iter().map(|it| it.to_string()).collect();
/// assert_eq!(said, ["m7g.large in us-east-1: no price from 2026-09-01 to 2026-10-01"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InstanceReview {
    /// What there is, in the region of the review.
    pub counts: InstanceCounts,
    /// What is wrong, in all regions: faults first, then what is stale.
    pub findings: Vec<InstanceFinding>,
}

/// How many types a catalog has, and of how many it knows what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct InstanceCounts {
    /// All types.
    pub types: usize,
    /// Those that the provider counts among the current ones.
    pub current: usize,
    /// With a price on demand.
    pub with_price: usize,
    /// Current and with a price on demand.
    pub current_with_price: usize,
    /// With a price, and baselines of network and EBS.
    pub with_price_network_and_ebs: usize,
    /// With a price and usable memory.
    pub with_price_and_usable_memory: usize,
    /// With a price and a CPU score.
    pub with_price_and_cpu_score: usize,
    /// With a price and all of these: baselines of network and EBS, usable memory, CPU score.
    pub complete: usize,
    /// Burstable.
    pub burstable: usize,
    /// With a saving on the spot market.
    pub with_spot: usize,
}

/// Something that is wrong with a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "finding", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum InstanceFinding {
    /// A type has no price for some days between two prices.
    PriceGap {
        /// The region.
        region: Box<str>,
        /// The type.
        instance: Box<str>,
        /// The first day without a price.
        from: Date,
        /// The first day with one again.
        until: Date,
    },
    /// Two prices of a type hold on the same day.
    PriceOverlap {
        /// The region.
        region: Box<str>,
        /// The type.
        instance: Box<str>,
        /// The first day of the later price; `None` where neither has a beginning.
        from: Option<Date>,
    },
    /// A price is zero, or a row of prices has none.
    NoPrice {
        /// The region.
        region: Box<str>,
        /// The type.
        instance: Box<str>,
    },
    /// A value is of a day after the day of the review.
    Future {
        /// The word of the source.
        source: Box<str>,
        /// Of which day it is.
        as_of: Date,
    },
    /// A source is so old that its values may no longer hold.
    Stale {
        /// The word of the source.
        source: Box<str>,
        /// What is taken from it.
        values: InstanceValues,
        /// Of which day it is.
        as_of: Date,
        /// How old it is.
        days: i32,
    },
}

/// What is taken from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum InstanceValues {
    /// Sizes, network and volumes.
    Sizes,
    /// Credits of burstable types.
    Credits,
    /// CPU score and usable memory.
    Measurements,
    /// Prices.
    Prices,
    /// The spot market.
    Spot,
}

impl InstanceValues {
    /// How many days old values of the kind may be; a rule of thumb of this crate. Spot Advisor looks
    /// back one month and moves with demand. Prices of a type seldom change, but new types come all
    /// year. A measurement does not age with the market, only with the hardware behind a name.
    #[must_use]
    pub fn max_age_days(self) -> i32 {
        match self {
            InstanceValues::Spot => 60,
            InstanceValues::Prices => 180,
            InstanceValues::Sizes | InstanceValues::Credits => 365,
            InstanceValues::Measurements => 730,
        }
    }
}

impl fmt::Display for InstanceValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InstanceValues::Sizes => "sizes",
            InstanceValues::Credits => "credits",
            InstanceValues::Measurements => "measurements",
            InstanceValues::Prices => "prices",
            InstanceValues::Spot => "spot market",
        })
    }
}

impl InstanceFinding {
    /// Whether the tables contradict themselves or lack something; what is merely old is true of its
    /// day.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, InstanceFinding::Stale { .. })
    }
}

impl fmt::Display for InstanceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstanceFinding::PriceGap {
                region,
                instance,
                from,
                until,
            } => write!(f, "{instance} in {region}: no price from {from} to {until}"),
            InstanceFinding::PriceOverlap {
                region,
                instance,
                from: Some(from),
            } => write!(f, "{instance} in {region}: two prices hold on {from}"),
            InstanceFinding::PriceOverlap {
                region, instance, ..
            } => write!(f, "{instance} in {region}: two prices hold since ever"),
            InstanceFinding::NoPrice { region, instance } => {
                write!(f, "{instance} in {region}: a row of prices without a price")
            }
            InstanceFinding::Future { source, as_of } => {
                write!(f, "source {source}: of {as_of}, which is still to come")
            }
            InstanceFinding::Stale {
                source,
                values,
                as_of,
                days,
            } => write!(f, "source {source}: {values} of {as_of}, {days} days old"),
        }
    }
}

impl InstanceReview {
    /// Looks at the tables on a day: counts what a region has, and looks for gaps, overlaps, missing
    /// and stale values. A negative or wrong value is an error already, as the tables cannot be read.
    ///
    /// # Errors
    /// [`InstanceCatalogError`] if the tables cannot be read.
    pub fn of(
        tables: &InstanceTables<'_>,
        region: &str,
        day: Date,
    ) -> Result<InstanceReview, InstanceCatalogError> {
        let catalog = InstanceCatalog::parse(tables, region)?;
        let mut findings = price_findings(tables)?;
        findings.extend(age_findings(&catalog, day));
        findings.sort_by_key(|finding| !finding.is_fault());
        Ok(InstanceReview {
            counts: InstanceCounts::of(&catalog),
            findings,
        })
    }
}

impl InstanceCounts {
    /// Counts what a catalog has.
    #[must_use]
    pub fn of(catalog: &InstanceCatalog) -> InstanceCounts {
        let mut counts = InstanceCounts::default();
        for it in catalog {
            let has_price = it.on_demand.is_some();
            let has_baselines = it.network.is_some() && it.ebs.is_some();
            let (has_memory, has_score) = (it.usable_memory_mib.is_some(), it.cpu_score.is_some());
            let is_complete = has_baselines && has_memory && has_score;
            counts.types += 1;
            counts.current += usize::from(it.current_generation);
            counts.with_price += usize::from(has_price);
            counts.current_with_price += usize::from(has_price && it.current_generation);
            counts.with_price_network_and_ebs += usize::from(has_price && has_baselines);
            counts.with_price_and_usable_memory += usize::from(has_price && has_memory);
            counts.with_price_and_cpu_score += usize::from(has_price && has_score);
            counts.complete += usize::from(has_price && is_complete);
            counts.burstable += usize::from(it.burst.is_some());
            counts.with_spot += usize::from(it.spot.is_some());
        }
        counts
    }
}

/// The first and the last day of a price.
type Days = (Option<Date>, Option<Date>);

fn price_findings(
    tables: &InstanceTables<'_>,
) -> Result<Vec<InstanceFinding>, InstanceCatalogError> {
    let mut findings = Vec::new();
    let mut periods: BTreeMap<(&str, &str), Vec<Days>> = BTreeMap::new();
    for row in PRICES.rows(tables.prices)? {
        let row = row?;
        let (region, instance) = (row.cell(0), row.cell(1));
        let days = (row.optional(2)?, row.optional(3)?);
        periods.entry((region, instance)).or_default().push(days);
        let prices = [row.dollars(4)?, row.dollars(5)?, row.dollars(6)?];
        let mut known = prices.iter().flatten();
        if known.clone().next().is_none() || known.any(|price| price.is_zero()) {
            findings.push(InstanceFinding::NoPrice {
                region: region.into(),
                instance: instance.into(),
            });
        }
    }
    for ((region, instance), mut days) in periods {
        days.sort_unstable();
        let pairs = days.iter().zip(days.iter().skip(1));
        findings.extend(pairs.filter_map(|(one, next)| between(region, instance, *one, *next)));
    }
    Ok(findings)
}

/// What is wrong between a price and the next one.
fn between(region: &str, instance: &str, one: Days, next: Days) -> Option<InstanceFinding> {
    let (region, instance) = (region.into(), instance.into());
    match (one.1, next.0) {
        (Some(until), Some(from)) if until == from => None,
        (Some(until), Some(from)) if until < from => Some(InstanceFinding::PriceGap {
            region,
            instance,
            from: until,
            until: from,
        }),
        (_, from) => Some(InstanceFinding::PriceOverlap {
            region,
            instance,
            from,
        }),
    }
}

fn age_findings(catalog: &InstanceCatalog, day: Date) -> Vec<InstanceFinding> {
    let mut used: BTreeSet<(&str, InstanceValues, Date)> = BTreeSet::new();
    for origin in catalog.iter().filter_map(|it| catalog.origin(&it.name)) {
        let sources = [
            (Some(&origin.size), InstanceValues::Sizes),
            (origin.credits.as_ref(), InstanceValues::Credits),
            (origin.measurement.as_ref(), InstanceValues::Measurements),
            (origin.price.as_ref(), InstanceValues::Prices),
            (origin.spot.as_ref(), InstanceValues::Spot),
        ];
        let known = sources
            .into_iter()
            .filter_map(|(source, values)| Some((source?, values)));
        used.extend(known.map(|(source, values)| (&*source.id, values, source.as_of)));
    }
    let findings = used.into_iter().filter_map(|(source, values, as_of)| {
        let (source, days) = (source.into(), (day - as_of).get_days());
        if days < 0 {
            return Some(InstanceFinding::Future { source, as_of });
        }
        let is_stale = days > values.max_age_days();
        is_stale.then_some(InstanceFinding::Stale {
            source,
            values,
            as_of,
            days,
        })
    });
    findings.collect()
}

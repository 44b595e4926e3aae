//! How do the tables become a catalog?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::{
    CREDITS, INSTANCES, InstanceCatalog, InstanceOrigin, InstanceSource, InstanceTables,
    MEASUREMENTS, PRICES, SOURCES, SPOT,
};
use crate::instances::error::{CatalogProblem, InstanceCatalogError};
use crate::instances::table::Row;
use crate::instances::{
    Architecture, BurstCredits, CreditMode, EbsLimits, InstanceType, InterruptionFrequency,
    NetworkLimits, SpotMarket,
};

type Sources<'a> = BTreeMap<&'a str, Arc<InstanceSource>>;

/// A catalog while its tables are read.
pub(super) struct Parts<'a> {
    sources: Sources<'a>,
    /// Sorted by name.
    entries: Vec<Entry<'a>>,
    /// Behind the entry that was last looked up: tables are sorted by name as a rule, so that the next
    /// row is most often of the next type.
    next: usize,
}

struct Entry<'a> {
    name: &'a str,
    instance: InstanceType,
    origin: InstanceOrigin,
}

impl<'a> Parts<'a> {
    pub(super) fn parse(
        tables: &InstanceTables<'a>,
        region: &str,
        day: Option<Date>,
    ) -> Result<InstanceCatalog, InstanceCatalogError> {
        let mut parts = Parts {
            sources: sources(tables.sources)?,
            entries: Vec::new(),
            next: 0,
        };
        parts.read_instances(tables.instances)?;
        parts.read_credits(tables.credits)?;
        parts.read_measurements(tables.measurements)?;
        let has_prices = parts.read_prices(tables.prices, region, day)?;
        let has_spot = parts.read_spot(tables.spot, region)?;
        if !has_prices && !has_spot {
            let region = region.to_owned();
            return Err(InstanceCatalogError::UnknownRegion { region });
        }
        let entries = parts.entries.into_iter();
        let (instances, origins) = entries.map(|it| (it.instance, it.origin)).unzip();
        Ok(InstanceCatalog {
            region: region.into(),
            instances,
            origins,
        })
    }

    fn read_instances(&mut self, text: &'a str) -> Result<(), InstanceCatalogError> {
        let mut is_sorted = true;
        for row in INSTANCES.rows(text)? {
            let row = row?;
            let instance = instance(&row)?;
            let origin = InstanceOrigin {
                size: self.source(&row, 13)?,
                credits: None,
                measurement: None,
                measured_on: None,
                price: None,
                price_from: None,
                spot: None,
            };
            let name = row.cell(0);
            is_sorted &= self.entries.last().is_none_or(|last| last.name < name);
            self.entries.push(Entry {
                name,
                instance,
                origin,
            });
        }
        if !is_sorted {
            self.entries.sort_by_key(|entry| entry.name);
            refuse_twice(text)?;
        }
        Ok(())
    }

    fn read_credits(&mut self, text: &'a str) -> Result<(), InstanceCatalogError> {
        for row in CREDITS.rows(text)? {
            let row = row?;
            let source = self.source(&row, 6)?;
            let entry = self.entry(&row, 0)?;
            if entry.origin.credits.replace(source).is_some() {
                return Err(twice(&row, entry.name));
            }
            entry.instance.burst = Some(burst(&row)?);
        }
        Ok(())
    }

    fn read_measurements(&mut self, text: &'a str) -> Result<(), InstanceCatalogError> {
        for row in MEASUREMENTS.rows(text)? {
            let row = row?;
            let source = self.source(&row, 4)?;
            let entry = self.entry(&row, 0)?;
            if entry.origin.measurement.replace(source).is_some() {
                return Err(twice(&row, entry.name));
            }
            entry.origin.measured_on = Some(row.required(1)?);
            entry.instance.cpu_score = row.positive(2)?;
            let usable: Option<u64> = row.optional(3)?;
            if usable.is_some_and(|usable| usable == 0 || usable > entry.instance.memory_mib) {
                let sold = entry.instance.memory_mib;
                return Err(row.refuse(3, format!("it is sold with {sold} MiB")));
            }
            entry.instance.usable_memory_mib = usable;
        }
        Ok(())
    }

    /// Whether any row is of the region.
    fn read_prices(
        &mut self,
        text: &'a str,
        region: &str,
        day: Option<Date>,
    ) -> Result<bool, InstanceCatalogError> {
        let mut found = false;
        for row in PRICES.rows(text)? {
            let row = row?;
            let source = self.source(&row, 7)?;
            let period = Period::of(&row)?;
            let prices = [row.dollars(4)?, row.dollars(5)?, row.dollars(6)?];
            let entry = self.entry(&row, 1)?;
            if row.name(0)? != region {
                continue;
            }
            found = true;
            let is_newer = entry.origin.price.is_none() || period.from >= entry.origin.price_from;
            if is_newer && day.is_none_or(|day| period.contains(day)) {
                let [on_demand, reserved, spot] = prices;
                entry.instance.on_demand = on_demand;
                entry.instance.reserved_one_year = reserved;
                entry.instance.spot_price = spot;
                entry.origin.price = Some(source);
                entry.origin.price_from = period.from;
            }
        }
        Ok(found)
    }

    /// Whether any row is of the region.
    fn read_spot(&mut self, text: &'a str, region: &str) -> Result<bool, InstanceCatalogError> {
        let mut found = false;
        for row in SPOT.rows(text)? {
            let row = row?;
            let source = self.source(&row, 4)?;
            let market = spot_market(&row)?;
            let entry = self.entry(&row, 1)?;
            if row.name(0)? != region {
                continue;
            }
            found = true;
            if entry.origin.spot.replace(source).is_some() {
                return Err(twice(&row, entry.name));
            }
            entry.instance.spot = Some(market);
        }
        Ok(found)
    }

    fn source(
        &self,
        row: &Row<'_>,
        at: usize,
    ) -> Result<Arc<InstanceSource>, InstanceCatalogError> {
        let source = self.sources.get(row.cell(at)).map(Arc::clone);
        source.ok_or_else(|| row.refuse(at, "no such source"))
    }

    fn entry(&mut self, row: &Row<'_>, at: usize) -> Result<&mut Entry<'a>, InstanceCatalogError> {
        let name = row.name(at)?;
        let is_next = self
            .entries
            .get(self.next)
            .is_some_and(|it| it.name == name);
        let found = if is_next {
            Ok(self.next)
        } else {
            self.entries.binary_search_by(|it| it.name.cmp(name))
        };
        self.next = found.map_or(0, |place| place + 1);
        let entry = found.ok().and_then(|place| self.entries.get_mut(place));
        entry.ok_or_else(|| {
            let instance = name.to_owned();
            row.error(CatalogProblem::UnknownInstance { instance })
        })
    }
}

/// From a day until the day before another.
struct Period {
    from: Option<Date>,
    until: Option<Date>,
}

impl Period {
    fn of(row: &Row<'_>) -> Result<Period, InstanceCatalogError> {
        let (from, until) = (row.optional::<Date>(2)?, row.optional(3)?);
        if from.zip(until).is_some_and(|(from, until)| from >= until) {
            return Err(row.refuse(3, "the price ends before it begins"));
        }
        Ok(Period { from, until })
    }

    fn contains(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

fn twice(row: &Row<'_>, instance: &str) -> InstanceCatalogError {
    let instance = instance.to_owned();
    row.error(CatalogProblem::Twice { instance })
}

/// Names the first row of a type that an earlier row has.
fn refuse_twice(text: &str) -> Result<(), InstanceCatalogError> {
    let mut names = BTreeSet::new();
    for row in INSTANCES.rows(text)? {
        let row = row?;
        if !names.insert(row.cell(0)) {
            return Err(twice(&row, row.cell(0)));
        }
    }
    Ok(())
}

fn sources(text: &str) -> Result<Sources<'_>, InstanceCatalogError> {
    let mut sources = Sources::new();
    for row in SOURCES.rows(text)? {
        let row = row?;
        let id = row.name(0)?;
        let source = InstanceSource {
            id: id.into(),
            name: row.cell(1).into(),
            url: row.cell(2).into(),
            license: row.cell(3).into(),
            as_of: row.required(4)?,
        };
        if sources.insert(id, Arc::new(source)).is_some() {
            return Err(twice(&row, id));
        }
    }
    Ok(sources)
}

fn instance(row: &Row<'_>) -> Result<InstanceType, InstanceCatalogError> {
    let architecture = Architecture::named(row.cell(1))
        .ok_or_else(|| row.refuse(1, "\"x86_64\" or \"arm64\" belongs here"))?;
    let memory_mib: u64 = row.required(3)?;
    if memory_mib == 0 {
        return Err(row.refuse(3, "a number over zero belongs here"));
    }
    let mut instance = InstanceType::new(row.name(0)?, architecture, row.required(2)?, memory_mib);
    instance.network = network(row)?;
    instance.ebs = ebs(row)?;
    instance.flex = one_of(row, 10, ["full", "flex"])?;
    instance.accelerated = one_of(row, 11, ["no", "yes"])?;
    instance.current_generation = one_of(row, 12, ["previous", "current"])?;
    Ok(instance)
}

fn network(row: &Row<'_>) -> Result<Option<NetworkLimits>, InstanceCatalogError> {
    let Some([baseline_mbps, burst_mbps]) = all_or_none(row, [4, 5])? else {
        return Ok(None);
    };
    if burst_mbps < baseline_mbps {
        return Err(row.refuse(5, "the burst is under the baseline"));
    }
    Ok(Some(NetworkLimits {
        baseline_mbps,
        burst_mbps,
    }))
}

fn ebs(row: &Row<'_>) -> Result<Option<EbsLimits>, InstanceCatalogError> {
    let Some([baseline_mbps, maximum_mbps, baseline_iops, maximum_iops]) =
        all_or_none(row, [6, 7, 8, 9])?
    else {
        return Ok(None);
    };
    if maximum_mbps < baseline_mbps {
        return Err(row.refuse(7, "the maximum is under the baseline"));
    }
    if maximum_iops < baseline_iops {
        return Err(row.refuse(9, "the maximum is under the baseline"));
    }
    Ok(Some(EbsLimits {
        baseline_mbps,
        maximum_mbps,
        baseline_iops,
        maximum_iops,
    }))
}

/// Numbers that are known together or not at all.
fn all_or_none<const N: usize>(
    row: &Row<'_>,
    columns: [usize; N],
) -> Result<Option<[u32; N]>, InstanceCatalogError> {
    if columns.iter().all(|&at| row.cell(at).is_empty()) {
        return Ok(None);
    }
    let mut numbers = [0; N];
    for (number, at) in numbers.iter_mut().zip(columns) {
        *number = row.required(at)?;
    }
    Ok(Some(numbers))
}

/// Whether a cell says the second of two words.
fn one_of(row: &Row<'_>, at: usize, words: [&str; 2]) -> Result<bool, InstanceCatalogError> {
    let [no, yes] = words;
    match row.cell(at) {
        word if word == no => Ok(false),
        word if word == yes => Ok(true),
        _ => Err(row.refuse(at, format!("{yes:?} or {no:?} belongs here"))),
    }
}

fn burst(row: &Row<'_>) -> Result<BurstCredits, InstanceCatalogError> {
    let required = |at: usize| {
        let number = row.positive(at)?;
        number.ok_or_else(|| row.refuse(at, "a number over zero belongs here"))
    };
    let is_unlimited = one_of(row, 4, ["standard", "unlimited"])?;
    Ok(BurstCredits {
        baseline_percent: required(1)?,
        credits_per_hour: required(2)?,
        credit_cap: required(3)?,
        default_mode: if is_unlimited {
            CreditMode::Unlimited
        } else {
            CreditMode::Standard
        },
        surplus_per_vcpu_hour: row.dollars(5)?,
    })
}

fn spot_market(row: &Row<'_>) -> Result<SpotMarket, InstanceCatalogError> {
    let saving_percent: u8 = row.required(2)?;
    if saving_percent > 100 {
        return Err(row.refuse(2, "a saving is at most 100 %"));
    }
    let interruption = InterruptionFrequency::from_bucket(row.required(3)?)
        .ok_or_else(|| row.refuse(3, "a class from 0 to 4 belongs here"))?;
    Ok(SpotMarket {
        saving_percent,
        interruption,
    })
}

//! Which instance types does a region have?

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::error::{CatalogProblem, InstanceCatalogError};
use super::table::{Layout, Row};
use super::{
    Architecture, BurstCredits, CreditMode, EbsLimits, InstanceType, InterruptionFrequency,
    NetworkLimits, SpotMarket,
};

/// The texts of a catalog: tables of comma-separated cells without quotes, their columns named in
/// the first line. A cell without text is a value that is not known; a table may be empty.
///
/// The crate `bursar-catalog` has the tables that were shipped; a newer or another set is read the
/// same way.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstanceTables<'a> {
    /// `instance,architecture,vcpus,memory_mib,network_baseline_mbps,network_burst_mbps,`
    /// `ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,cpu,accelerated,`
    /// `generation,source`: the sizes. `cpu` is `full` or `flex`, `accelerated` is `yes` or `no`,
    /// `generation` is `current` or `previous`.
    pub instances: &'a str,
    /// `instance,baseline_percent,credits_per_hour,credit_cap,default_mode,surplus_per_vcpu_hour,`
    /// `source`: how the CPU of burstable types is rationed. The mode is `standard` or `unlimited`,
    /// the surplus is in US dollars.
    pub credits: &'a str,
    /// `instance,measured_on,cpu_score,usable_memory_mib,source`.
    pub measurements: &'a str,
    /// `region,instance,from,until,on_demand,reserved_one_year,spot,source`: US dollars per hour for
    /// Linux, from a day until the day before another; an empty `from` or `until` has no end.
    pub prices: &'a str,
    /// `region,instance,saving_percent,interruption,source`, the interruption as Spot Advisor counts
    /// it, 0 to 4.
    pub spot: &'a str,
    /// `source,name,url,license,as_of`: of which day the values of a source are.
    pub sources: &'a str,
}

pub(super) const INSTANCES: Layout = Layout {
    table: "instances",
    columns: "instance,architecture,vcpus,memory_mib,network_baseline_mbps,network_burst_mbps,\
              ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,cpu,\
              accelerated,generation,source",
};
pub(super) const CREDITS: Layout = Layout {
    table: "credits",
    columns: "instance,baseline_percent,credits_per_hour,credit_cap,default_mode,\
              surplus_per_vcpu_hour,source",
};
pub(super) const MEASUREMENTS: Layout = Layout {
    table: "measurements",
    columns: "instance,measured_on,cpu_score,usable_memory_mib,source",
};
pub(super) const PRICES: Layout = Layout {
    table: "prices",
    columns: "region,instance,from,until,on_demand,reserved_one_year,spot,source",
};
pub(super) const SPOT: Layout = Layout {
    table: "spot",
    columns: "region,instance,saving_percent,interruption,source",
};
pub(super) const SOURCES: Layout = Layout {
    table: "sources",
    columns: "source,name,url,license,as_of",
};

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceSource {
    /// The word by which rows refer to it.
    pub id: Box<str>,
    /// Who says so.
    pub name: Box<str>,
    /// Where.
    pub url: Box<str>,
    /// Under which license it may be used; empty where none is stated.
    pub license: Box<str>,
    /// Of which day its values are.
    pub as_of: Date,
}

/// From where each value of an [`InstanceType`] comes; `None` for a value that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceOrigin {
    /// Of architecture, vCPUs, memory as sold, network and volumes.
    pub size: Arc<InstanceSource>,
    /// Of the credits.
    pub credits: Option<Arc<InstanceSource>>,
    /// Of CPU score and usable memory.
    pub measurement: Option<Arc<InstanceSource>>,
    /// When they were measured.
    pub measured_on: Option<Date>,
    /// Of the prices.
    pub price: Option<Arc<InstanceSource>>,
    /// The day from which the prices hold, where it is known.
    pub price_from: Option<Date>,
    /// Of saving and interruption on the spot market.
    pub spot: Option<Arc<InstanceSource>>,
}

/// The instance types of one region, by name.
///
/// ```
/// use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
///
/// let tables = InstanceTables {
///     instances: "instance,architecture,vcpus,memory_mib,network_baseline_mbps,network_burst_mbps,\
///                 ebs_baseline_mbps,ebs_maximum_mbps,ebs_baseline_iops,ebs_maximum_iops,\
///                 cpu,accelerated,generation,source\n\
///                 m7g.large,arm64,2,8192,937,12500,630,10000,3600,40000,full,no,current,house\n",
///     prices: "region,instance,from,until,on_demand,reserved_one_year,spot,source\n\
///              us-east-1,m7g.large,,2026-10-01,0.0816,,,house\n\
///              us-east-1,m7g.large,2026-10-01,,0.0799,0.0536,,house\n",
///     sources: "source,name,url,license,as_of\nhouse,our contract,,,2026-10-01\n",
///     ..InstanceTables::default()
/// };
/// let catalog = InstanceCatalog::parse(&tables, "us-east-1")?;
/// let machine = catalog.get("m7g.large").expect("the table has it");
/// assert_eq!(machine.on_demand.map(|it| it.to_string()).as_deref(), Some("0.0799 USD"));
///
/// let september = InstanceCatalog::parse_on(&tables, "us-east-1", "2026-09-15".parse()?)?;
/// let machine = september.get("m7g.large").expect("the table has it");
/// assert_eq!(machine.on_demand.map(|it| it.to_string()).as_deref(), Some("0.0816 USD"));
///
/// let error = InstanceCatalog::parse(&tables, "us-east-9").unwrap_err();
/// assert!(error.to_string().contains("us-east-9"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceCatalog {
    region: Box<str>,
    /// Sorted by name.
    instances: Vec<InstanceType>,
    /// Beside the instances; empty for a catalog of types that were given as values.
    origins: Vec<InstanceOrigin>,
}

impl InstanceCatalog {
    /// The types of a region with the newest prices of the tables.
    ///
    /// A type without a price in that region is in the catalog, with its price unknown.
    ///
    /// # Errors
    /// [`InstanceCatalogError`] with table, line, column and value; for a region that no price and
    /// no row of the spot market is of.
    pub fn parse(
        tables: &InstanceTables<'_>,
        region: &str,
    ) -> Result<InstanceCatalog, InstanceCatalogError> {
        Parts::parse(tables, region, None)
    }

    /// The types of a region with the prices that held on a day.
    ///
    /// Sizes, measurements and the spot market have no periods: they are the newest.
    ///
    /// # Errors
    /// As [`InstanceCatalog::parse`].
    pub fn parse_on(
        tables: &InstanceTables<'_>,
        region: &str,
        day: Date,
    ) -> Result<InstanceCatalog, InstanceCatalogError> {
        Parts::parse(tables, region, Some(day))
    }

    /// A catalog of types that the caller made, which have no origin here.
    ///
    /// # Errors
    /// [`InstanceCatalogError::Twice`] if two have the same name.
    pub fn from_instances(
        region: &str,
        mut instances: Vec<InstanceType>,
    ) -> Result<InstanceCatalog, InstanceCatalogError> {
        instances.sort_by(|one, other| one.name.cmp(&other.name));
        let twice = instances
            .iter()
            .zip(instances.iter().skip(1))
            .find(|(one, next)| one.name == next.name);
        if let Some((instance, _)) = twice {
            let instance = instance.name.to_string();
            return Err(InstanceCatalogError::Twice { instance });
        }
        Ok(InstanceCatalog {
            region: region.into(),
            instances,
            origins: Vec::new(),
        })
    }

    /// The region whose prices these are.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The type of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&InstanceType> {
        self.instances.get(self.place(name)?)
    }

    /// From where the values of the type of that name come.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&InstanceOrigin> {
        self.origins.get(self.place(name)?)
    }

    /// All types, sorted by name.
    #[must_use]
    pub fn instances(&self) -> &[InstanceType] {
        &self.instances
    }

    /// All types, sorted by name.
    pub fn iter(&self) -> std::slice::Iter<'_, InstanceType> {
        self.instances.iter()
    }

    /// How many types there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Whether there is no type.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    fn place(&self, name: &str) -> Option<usize> {
        let found = self.instances.binary_search_by(|it| (*it.name).cmp(name));
        found.ok()
    }
}

impl<'a> IntoIterator for &'a InstanceCatalog {
    type Item = &'a InstanceType;
    type IntoIter = std::slice::Iter<'a, InstanceType>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

type Sources<'a> = BTreeMap<&'a str, Arc<InstanceSource>>;

/// A catalog while its tables are read.
struct Parts<'a> {
    sources: Sources<'a>,
    /// Sorted by name.
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: &'a str,
    instance: InstanceType,
    origin: InstanceOrigin,
}

impl<'a> Parts<'a> {
    fn parse(
        tables: &InstanceTables<'a>,
        region: &str,
        day: Option<Date>,
    ) -> Result<InstanceCatalog, InstanceCatalogError> {
        let mut parts = Parts {
            sources: sources(tables.sources)?,
            entries: Vec::new(),
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
        let mut rows = Vec::new();
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
            rows.push((
                row,
                Entry {
                    name,
                    instance,
                    origin,
                },
            ));
        }
        // Shipped tables are sorted, and sorting what is sorted costs next to nothing.
        rows.sort_by_key(|(_, entry)| entry.name);
        for ((_, one), (row, next)) in rows.iter().zip(rows.iter().skip(1)) {
            if one.name == next.name {
                return Err(twice(row, next.name));
            }
        }
        self.entries = rows.into_iter().map(|(_, entry)| entry).collect();
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
        let found = self.entries.binary_search_by(|it| it.name.cmp(name)).ok();
        let entry = found.and_then(|place| self.entries.get_mut(place));
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

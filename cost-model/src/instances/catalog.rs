//! Which instance types does a region have?

mod reader;

use std::sync::Arc;

use jiff::civil::Date;

use self::reader::Parts;
use super::InstanceType;
use super::error::InstanceCatalogError;
use super::table::Layout;

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

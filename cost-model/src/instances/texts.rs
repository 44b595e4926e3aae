//! How are the tables of a catalog made of the lists of others?

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::catalog::{CREDITS, INSTANCES, InstanceTables, MEASUREMENTS, PRICES, SOURCES, SPOT};
use super::error::InstanceCatalogError;
use super::import::{MeasurementRow, MotoTypes, PriceList, SpotRow};
use super::{BurstCredits, CreditMode, InstanceType};

/// The lists that a catalog is made of, each with the day of which it is.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the caller names every list; a new one has to be seen"
)]
pub struct InstanceLists<'a> {
    /// The types.
    pub types: &'a MotoTypes,
    /// The day of the list of types.
    pub types_as_of: Date,
    /// The prices.
    pub prices: &'a PriceList,
    /// The day of the prices.
    pub prices_as_of: Date,
    /// What was measured; each row has its day.
    pub measurements: &'a [MeasurementRow],
    /// The spot market.
    pub spot: &'a [SpotRow],
    /// The day of the spot market.
    pub spot_as_of: Date,
}

/// The texts of a catalog's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceTexts {
    /// As [`InstanceTables::instances`].
    pub instances: String,
    /// As [`InstanceTables::credits`].
    pub credits: String,
    /// As [`InstanceTables::measurements`].
    pub measurements: String,
    /// As [`InstanceTables::prices`].
    pub prices: String,
    /// As [`InstanceTables::spot`].
    pub spot: String,
    /// As [`InstanceTables::sources`].
    pub sources: String,
}

/// What the lists have and the tables have not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NotJoined {
    /// Types with a price whose size no list has.
    pub priced: Vec<Box<str>>,
    /// Types that were measured and whose size no list has.
    pub measured: Vec<Box<str>>,
    /// Types measured with another number of threads, or with more memory, than they are sold with.
    pub measured_otherwise: Vec<Box<str>>,
    /// Rows of the spot market, of all regions, of types whose size no list has.
    pub spot_rows: usize,
}

impl InstanceTexts {
    /// Joins the lists by the names of the types.
    ///
    /// Prices have a history: where `before` has another price of a type, it ends on the day of the
    /// new list and the new price begins there. A price that the new list repeats keeps its
    /// beginning and gets the new list as its source. A type that the new list does not price any
    /// more has no price from that day on. Prices of other regions than those of the list stay.
    ///
    /// # Errors
    /// [`InstanceCatalogError`] if the tables before cannot be read.
    pub fn join(
        lists: &InstanceLists<'_>,
        before: &InstanceTables<'_>,
    ) -> Result<(InstanceTexts, NotJoined), InstanceCatalogError> {
        let types: BTreeMap<&str, &InstanceType> = lists
            .types
            .instances
            .iter()
            .map(|it| (&*it.name, it))
            .collect();
        let mut not_joined = NotJoined::default();
        let ids = SourceIds::of(lists);
        let texts = InstanceTexts {
            instances: instances(&types, &ids.types),
            credits: credits(&types, &ids.credits),
            measurements: measurements(lists, &types, &ids.measurements, &mut not_joined),
            prices: prices(lists, before, &types, &ids.prices, &mut not_joined)?,
            spot: spot(lists, &types, &ids.spot, &mut not_joined),
            sources: String::new(),
        };
        let sources = ids.table(lists, before, &texts.prices)?;
        Ok((InstanceTexts { sources, ..texts }, not_joined))
    }

    /// The tables, to be read.
    #[must_use]
    pub fn tables(&self) -> InstanceTables<'_> {
        InstanceTables {
            instances: &self.instances,
            credits: &self.credits,
            measurements: &self.measurements,
            prices: &self.prices,
            spot: &self.spot,
            sources: &self.sources,
        }
    }
}

/// The day on which the tables of AWS for burstable types were read.
const CREDITS_AS_OF: Date = jiff::civil::date(2026, 11, 20);

/// The words by which rows name their sources. Each has its day, so that a price of last year keeps
/// its own when the list of this year comes.
struct SourceIds {
    types: String,
    credits: String,
    measurements: String,
    prices: String,
    spot: String,
}

impl SourceIds {
    fn of(lists: &InstanceLists<'_>) -> SourceIds {
        SourceIds {
            types: format!("moto-{}", lists.types_as_of),
            credits: format!("aws-credits-{CREDITS_AS_OF}"),
            measurements: "ec2instances".to_owned(),
            prices: format!("karpenter-{}", lists.prices_as_of),
            spot: format!("spot-advisor-{}", lists.spot_as_of),
        }
    }

    fn table(
        &self,
        lists: &InstanceLists<'_>,
        before: &InstanceTables<'_>,
        prices: &str,
    ) -> Result<String, InstanceCatalogError> {
        let measured = lists.measurements.iter().map(|it| it.measured_on).max();
        let mut rows = BTreeMap::new();
        for row in SOURCES.rows(before.sources)? {
            let row = row?;
            let is_used = prices
                .lines()
                .any(|line| line.rsplit(',').next() == Some(row.cell(0)));
            if is_used {
                let cells = [1, 2, 3, 4].map(|at| row.cell(at));
                rows.insert(row.cell(0).to_owned(), cells.join(","));
            }
        }
        for (id, name_url_license, as_of) in [
            (
                &self.types,
                "EC2 DescribeInstanceTypes as moto records it,https://github.com/getmoto/moto,Apache-2.0",
                Some(lists.types_as_of),
            ),
            (
                &self.credits,
                "AWS: burstable performance instances,\
                 https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html,",
                Some(CREDITS_AS_OF),
            ),
            (
                &self.measurements,
                "ec2instances.info by Vantage,https://github.com/vantage-sh/ec2instances.info,MIT",
                measured,
            ),
            (
                &self.prices,
                "AWS price list as Karpenter generates it,\
                 https://github.com/aws/karpenter-provider-aws,Apache-2.0",
                Some(lists.prices_as_of),
            ),
            (
                &self.spot,
                "AWS Spot Advisor as spotinfo keeps it,https://github.com/alexei-led/spotinfo,Apache-2.0",
                Some(lists.spot_as_of),
            ),
        ] {
            if let Some(as_of) = as_of {
                rows.insert(id.clone(), format!("{name_url_license},{as_of}"));
            }
        }
        let rows = rows.into_iter().map(|(id, rest)| format!("{id},{rest}"));
        Ok(text(SOURCES.columns, rows))
    }
}

type Types<'a> = BTreeMap<&'a str, &'a InstanceType>;

fn text(columns: &str, rows: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("{columns}\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

fn cell(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn instances(types: &Types<'_>, source: &str) -> String {
    let rows = types.values().map(|it| {
        let (network, ebs) = (it.network, it.ebs);
        let limits = [
            cell(network.map(|it| it.baseline_mbps)),
            cell(network.map(|it| it.burst_mbps)),
            cell(ebs.map(|it| it.baseline_mbps)),
            cell(ebs.map(|it| it.maximum_mbps)),
            cell(ebs.map(|it| it.baseline_iops)),
            cell(ebs.map(|it| it.maximum_iops)),
        ];
        format!(
            "{},{},{},{},{},{},{},{},{source}",
            it.name,
            it.architecture,
            it.vcpus,
            it.memory_mib,
            limits.join(","),
            if it.flex { "flex" } else { "full" },
            if it.accelerated { "yes" } else { "no" },
            if it.current_generation {
                "current"
            } else {
                "previous"
            },
        )
    });
    text(INSTANCES.columns, rows)
}

fn credits(types: &Types<'_>, source: &str) -> String {
    let burstable = types
        .values()
        .filter_map(|it| Some((&it.name, it.burst.as_ref()?)));
    let rows = burstable.map(|(name, burst)| {
        let BurstCredits {
            baseline_percent,
            credits_per_hour,
            credit_cap,
            ..
        } = burst;
        let mode = match burst.default_mode {
            CreditMode::Standard => "standard",
            CreditMode::Unlimited => "unlimited",
        };
        let surplus = cell(burst.surplus_per_vcpu_hour.map(|money| money.amount()));
        format!(
            "{name},{baseline_percent},{credits_per_hour},{credit_cap},{mode},{surplus},{source}"
        )
    });
    text(CREDITS.columns, rows)
}

fn measurements(
    lists: &InstanceLists<'_>,
    types: &Types<'_>,
    source: &str,
    not_joined: &mut NotJoined,
) -> String {
    let mut rows = BTreeMap::new();
    for row in lists.measurements {
        let Some(sold) = types.get(&*row.instance) else {
            not_joined.measured.push(row.instance.clone());
            continue;
        };
        let is_other_machine = row
            .threads
            .is_some_and(|threads| threads != sold.vcpus.get())
            || row
                .usable_memory_mib
                .is_some_and(|usable| usable > sold.memory_mib);
        if is_other_machine {
            not_joined.measured_otherwise.push(row.instance.clone());
            continue;
        }
        let is_newer = rows
            .get(&row.instance)
            .is_none_or(|known: &&MeasurementRow| known.measured_on < row.measured_on);
        if is_newer {
            rows.insert(&row.instance, row);
        }
    }
    let rows = rows.into_values().map(|row| {
        format!(
            "{},{},{},{},{source}",
            row.instance,
            row.measured_on,
            cell(row.cpu_score),
            cell(row.usable_memory_mib)
        )
    });
    text(MEASUREMENTS.columns, rows)
}

/// A row of the table of prices.
#[derive(Debug, Clone)]
struct PricePeriod {
    from: String,
    until: String,
    on_demand: String,
    reserved_and_spot: String,
    source: String,
}

impl PricePeriod {
    /// What no list of prices on demand can give is not carried on.
    fn new(price: Decimal, from: String, source: &str) -> PricePeriod {
        PricePeriod {
            from,
            until: String::new(),
            on_demand: price.to_string(),
            reserved_and_spot: ",".to_owned(),
            source: source.to_owned(),
        }
    }
}

type Periods = BTreeMap<(Box<str>, Box<str>), Vec<PricePeriod>>;

fn prices(
    lists: &InstanceLists<'_>,
    before: &InstanceTables<'_>,
    types: &Types<'_>,
    source: &str,
    not_joined: &mut NotJoined,
) -> Result<String, InstanceCatalogError> {
    let mut periods = periods_before(before, types)?;
    let mut new = BTreeMap::new();
    for row in &lists.prices.rows {
        if types.contains_key(&*row.instance) {
            let key = (row.region.clone(), row.instance.clone());
            new.insert(key, row.usd_per_hour.normalize());
        } else {
            not_joined.priced.push(row.instance.clone());
        }
    }
    let as_of = lists.prices_as_of.to_string();
    let is_listed = |region: &str| lists.prices.rows.iter().any(|row| &*row.region == region);
    for (key, history) in &mut periods {
        let price = new.remove(key);
        if is_listed(&key.0) {
            carry_on(history, price, &as_of, source);
        }
    }
    for (key, price) in new {
        periods.insert(key, vec![PricePeriod::new(price, String::new(), source)]);
    }
    let rows = periods
        .into_iter()
        .flat_map(|((region, instance), history)| {
            history.into_iter().map(move |it| {
                let mut row = format!("{region},{instance},{},{}", it.from, it.until);
                write!(
                    row,
                    ",{},{},{}",
                    it.on_demand, it.reserved_and_spot, it.source
                )
                .expect("a string takes all");
                row
            })
        });
    Ok(text(PRICES.columns, rows))
}

/// Adds what the list of a day says to the prices until then. A list that is older than the newest
/// price changes nothing.
fn carry_on(history: &mut Vec<PricePeriod>, price: Option<Decimal>, as_of: &str, source: &str) {
    let Some(last) = history.last_mut() else {
        return;
    };
    // Dates as ISO 8601 writes them are in the order of their texts.
    let is_older = last.from.as_str() > as_of || last.until.as_str() > as_of;
    if is_older {
        return;
    }
    let is_open = last.until.is_empty();
    match price {
        Some(price) if is_open && last.on_demand == price.to_string() => {
            source.clone_into(&mut last.source);
        }
        Some(price) if is_open && last.from == as_of => {
            *last = PricePeriod::new(price, last.from.clone(), source);
        }
        price => {
            if is_open {
                as_of.clone_into(&mut last.until);
            }
            history.extend(price.map(|it| PricePeriod::new(it, as_of.to_owned(), source)));
        }
    }
}

fn periods_before(
    before: &InstanceTables<'_>,
    types: &Types<'_>,
) -> Result<Periods, InstanceCatalogError> {
    let mut periods = Periods::new();
    for row in PRICES.rows(before.prices)? {
        let row = row?;
        if types.contains_key(row.cell(1)) {
            let key = (row.cell(0).into(), row.cell(1).into());
            periods.entry(key).or_default().push(PricePeriod {
                from: row.cell(2).to_owned(),
                until: row.cell(3).to_owned(),
                on_demand: row.cell(4).to_owned(),
                reserved_and_spot: format!("{},{}", row.cell(5), row.cell(6)),
                source: row.cell(7).to_owned(),
            });
        }
    }
    Ok(periods)
}

fn spot(
    lists: &InstanceLists<'_>,
    types: &Types<'_>,
    source: &str,
    not_joined: &mut NotJoined,
) -> String {
    let mut rows = BTreeMap::new();
    for row in lists.spot {
        if types.contains_key(&*row.instance) {
            rows.insert((&row.region, &row.instance), row.market);
        } else {
            not_joined.spot_rows += 1;
        }
    }
    let rows = rows.into_iter().map(|((region, instance), market)| {
        let (saving, bucket) = (market.saving_percent, market.interruption.bucket());
        format!("{region},{instance},{saving},{bucket},{source}")
    });
    text(SPOT.columns, rows)
}

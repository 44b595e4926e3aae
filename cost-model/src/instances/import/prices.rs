//! What does an hour on demand cost?

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{ImportError, Table};

/// Prices, and of which day they are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceList {
    /// One row for each type and region.
    pub rows: Vec<PriceRow>,
    /// The day on which the list was made, if it says so.
    pub as_of: Option<Date>,
}

/// What an hour of a type costs on demand with Linux.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceRow {
    /// The region, `us-east-1`.
    pub region: Box<str>,
    /// The type.
    pub instance: Box<str>,
    /// US dollars per hour.
    pub usd_per_hour: Decimal,
}

/// Reads prices on demand from a CSV with the columns `instance_type` and `usd_per_hour`, which is
/// of one region, or from the Go source that Karpenter generates,
/// `pkg/providers/pricing/zz_generated.pricing_aws.go`, which names its regions.
///
/// ```
/// use bursar_cost_model::instances::read_prices;
///
/// let go = "// generated at 2026-01-19T13:23:24Z for us-east-1\n\
///           var InitialOnDemandPricesAWS = map[string]map[ec2types.InstanceType]float64{\n\
///           \t\"us-east-1\": {\n\
///           \t\t// c5 family\n\
///           \t\t\"c5.large\": 0.085000, \"c5.xlarge\": 0.170000,\n\
///           \t},\n}\n";
/// let list = read_prices(go.as_bytes(), "us-east-1")?;
/// assert_eq!(list.as_of, Some("2026-01-19".parse()?));
/// assert_eq!(list.rows.len(), 2);
/// assert_eq!(list.rows[1].usd_per_hour.to_string(), "0.17");
///
/// let csv = "instance_type,usd_per_hour\nc5.large,0.085000\n";
/// assert_eq!(read_prices(csv.as_bytes(), "us-east-1")?.rows, list.rows[..1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`], with the line and the value; for a price that is not over zero; for a region of
/// China, whose prices are in yuan.
pub fn read_prices(bytes: &[u8], csv_region: &str) -> Result<PriceList, ImportError> {
    let text = std::str::from_utf8(bytes)?;
    if text.contains("map[ec2types.InstanceType]float64") || text.contains("map[string]float64") {
        return read_go(text);
    }
    let mut table = Table::new(bytes)?;
    let instance = table.column("instance_type")?;
    let price = table.column("usd_per_hour")?;
    let mut rows = Vec::new();
    while let Some(record) = table.next()? {
        let usd_per_hour: Decimal = record.parsed(price)?;
        if usd_per_hour <= Decimal::ZERO {
            return Err(record.refuse(price, "a price is over zero"));
        }
        rows.push(PriceRow {
            region: csv_region.into(),
            instance: record.text(instance).into(),
            usd_per_hour: usd_per_hour.normalize(),
        });
    }
    Ok(PriceList { rows, as_of: None })
}

/// The generated source has a line for each region and, below it, pairs of name and price, several
/// to a line: `"c5.large": 0.085000, "c5.xlarge": 0.170000,`.
fn read_go(text: &str) -> Result<PriceList, ImportError> {
    let mut list = PriceList {
        rows: Vec::new(),
        as_of: None,
    };
    let mut region: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(stamp) = line.strip_prefix("// generated at ") {
            list.as_of = stamp.get(..10).and_then(|day| day.parse().ok());
        }
        let code = line.split("//").next().unwrap_or_default();
        let mut parts = code.split('"').skip(1);
        while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
            let Some(value) = rest.trim_start().strip_prefix(':') else {
                continue;
            };
            let value = value.trim().trim_end_matches(',').trim_end();
            if value == "{" {
                region = Some(name);
                continue;
            }
            let refuse = |reason: &str| {
                ImportError::value(format_args!("line {}", at + 1), "price", value, reason)
            };
            let region = region.ok_or_else(|| refuse("no region stands before it"))?;
            if region.starts_with("cn-") {
                return Err(refuse("the prices of China are in yuan"));
            }
            let price = Decimal::from_str_exact(value).ok();
            let price = price.filter(|price| *price > Decimal::ZERO);
            list.rows.push(PriceRow {
                region: region.into(),
                instance: name.into(),
                usd_per_hour: price
                    .ok_or_else(|| refuse("a price is over zero"))?
                    .normalize(),
            });
        }
    }
    Ok(list)
}

//! What did the spot market give, and what did it take?

use serde_json::Value;

use super::{ImportError, Table, is_json};
use crate::instances::{InterruptionFrequency, SpotMarket};

/// The spot market of a type in a region.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SpotRow {
    /// The region.
    pub region: Box<str>,
    /// The type.
    pub instance: Box<str>,
    /// What it gave and took.
    pub market: SpotMarket,
}

/// Reads the spot market for Linux from a CSV with the columns `region`, `instance_type`,
/// `saving_percent_over_on_demand` and `interruption_bucket`, or from the data of AWS Spot Advisor,
/// `spot-advisor-data.json`, as spotinfo keeps it.
///
/// ```
/// use bursar_cost_model::instances::{InterruptionFrequency, read_spot};
///
/// let list = r#"{"spot_advisor": {"us-east-1": {
///     "Linux": {"t3.micro": {"s": 69, "r": 0}},
///     "Windows": {"t3.micro": {"s": 40, "r": 2}}}}}"#;
/// let rows = read_spot(list.as_bytes())?;
/// assert_eq!(rows.len(), 1);
/// assert_eq!(rows[0].market.saving_percent, 69);
/// assert_eq!(rows[0].market.interruption, InterruptionFrequency::Under5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`], with the type or the line, and the value.
pub fn read_spot(bytes: &[u8]) -> Result<Vec<SpotRow>, ImportError> {
    if is_json(bytes) {
        return read_json(bytes);
    }
    let mut table = Table::new(bytes)?;
    let region = table.column("region")?;
    let instance = table.column("instance_type")?;
    let saving = table.column("saving_percent_over_on_demand")?;
    let bucket = table.column("interruption_bucket")?;
    let mut rows = Vec::new();
    while let Some(record) = table.next()? {
        let market = market(record.parsed(saving)?, record.parsed(bucket)?);
        rows.push(SpotRow {
            region: record.text(region).into(),
            instance: record.text(instance).into(),
            market: market.ok_or_else(|| record.refuse(bucket, NO_MARKET))?,
        });
    }
    Ok(rows)
}

const NO_MARKET: &str = "a saving is 0 to 100 %, a class of interruption 0 to 4";

fn read_json(bytes: &[u8]) -> Result<Vec<SpotRow>, ImportError> {
    let list: Value = serde_json::from_slice(bytes)?;
    let Some(regions) = list["spot_advisor"].as_object() else {
        return Err(ImportError::Form("Spot Advisor's data has `spot_advisor`"));
    };
    let mut rows = Vec::new();
    for (region, systems) in regions {
        for (instance, entry) in systems["Linux"].as_object().into_iter().flatten() {
            let both = entry["s"].as_u64().zip(entry["r"].as_u64());
            let market = both.and_then(|(saving, bucket)| market(saving, bucket));
            rows.push(SpotRow {
                region: region.as_str().into(),
                instance: instance.as_str().into(),
                market: market
                    .ok_or_else(|| ImportError::value(instance, "s, r", entry, NO_MARKET))?,
            });
        }
    }
    Ok(rows)
}

fn market(saving: u64, bucket: u64) -> Option<SpotMarket> {
    let saving_percent = u8::try_from(saving).ok().filter(|saving| *saving <= 100)?;
    let bucket = u8::try_from(bucket).ok()?;
    Some(SpotMarket {
        saving_percent,
        interruption: InterruptionFrequency::from_bucket(bucket)?,
    })
}

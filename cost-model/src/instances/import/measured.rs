//! What was measured of a type?

use jiff::civil::Date;
use serde_json::Value;

use super::{ImportError, Table, is_json};

/// What was measured of a type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MeasurementRow {
    /// The type.
    pub instance: Box<str>,
    /// On which day.
    pub measured_on: Date,
    /// CoreMark iterations per second on all threads, to the nearest whole one.
    pub cpu_score: Option<f64>,
    /// Memory that the operating system sees, in MiB.
    pub usable_memory_mib: Option<u64>,
    /// Threads of the machine; a measurement of another number than the type has is not of the type
    /// as it is sold.
    pub threads: Option<u32>,
}

/// Reads what was measured from a CSV with the columns `instance_type`, `measured_on`,
/// `coremark_iterations_per_second`, `usable_memory_mb` and `threads`, or from the list of
/// ec2instances.info, `scraper/aws/ec2/extras/manually_fetched_data.json`.
///
/// Both call the memory “MB” and mean MiB: a `m5.large` of 8192 MiB shows 7811, which is what
/// Linux calls `MemTotal` in MiB.
///
/// ```
/// use bursar_cost_model::instances::read_measurements;
///
/// let list = r#"{"c8gb.48xlarge": {
///     "ran_at": "2026-01-23T16:24:19.177211Z",
///     "coremark": {"iterations_second": 5503403.797922},
///     "memory": {"total_mb": 380068},
///     "cpu": {"threads": 192}}}"#;
/// let rows = read_measurements(list.as_bytes())?;
/// assert_eq!(rows[0].measured_on.to_string(), "2026-01-23");
/// assert_eq!(rows[0].cpu_score, Some(5_503_404.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`], with the type or the line, and the value.
pub fn read_measurements(bytes: &[u8]) -> Result<Vec<MeasurementRow>, ImportError> {
    if is_json(bytes) {
        return read_json(bytes);
    }
    let mut table = Table::new(bytes)?;
    let instance = table.column("instance_type")?;
    let measured_on = table.column("measured_on")?;
    let score = table.column("coremark_iterations_per_second")?;
    let memory = table.column("usable_memory_mb")?;
    let threads = table.column("threads")?;
    let mut rows = Vec::new();
    while let Some(record) = table.next()? {
        rows.push(MeasurementRow {
            instance: record.text(instance).into(),
            measured_on: record.parsed(measured_on)?,
            cpu_score: record.optional(score)?.and_then(usable_score),
            usable_memory_mib: record.optional(memory)?.filter(|memory| *memory > 0),
            threads: record.optional(threads)?,
        });
    }
    Ok(rows)
}

fn read_json(bytes: &[u8]) -> Result<Vec<MeasurementRow>, ImportError> {
    let list: Value = serde_json::from_slice(bytes)?;
    let Value::Object(list) = list else {
        return Err(ImportError::Form("the measurements are an object by name"));
    };
    let mut rows = Vec::with_capacity(list.len());
    for (name, entry) in &list {
        let stamp = entry["ran_at"].as_str().unwrap_or_default();
        let day = stamp.get(..10).unwrap_or_default().parse();
        let threads = entry["cpu"]["threads"].as_u64();
        rows.push(MeasurementRow {
            instance: name.as_str().into(),
            measured_on: day.map_err(|error| ImportError::value(name, "ran_at", stamp, error))?,
            cpu_score: entry["coremark"]["iterations_second"]
                .as_f64()
                .and_then(usable_score),
            usable_memory_mib: entry["memory"]["total_mb"]
                .as_u64()
                .filter(|memory| *memory > 0),
            threads: threads.and_then(|threads| u32::try_from(threads).ok()),
        });
    }
    Ok(rows)
}

/// A run that failed leaves a score of zero, which is no score.
fn usable_score(score: f64) -> Option<f64> {
    Some(score.round()).filter(|score| score.is_finite() && *score > 0.0)
}

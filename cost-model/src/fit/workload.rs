//! What has to be held, for how many hours, and how often may it fail?

use std::fmt;

use rust_decimal::Decimal;

use super::FitError;
use super::usage::Usage;
use crate::instances::InstanceType;

/// The hours of a month, as the prices of providers count them (365 × 24 ÷ 12).
pub const HOURS_PER_MONTH: Decimal = Decimal::from_parts(730, 0, 0, false, 0);

/// What a machine gives and a workload takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Resource {
    /// Percent of the CPU of the machine it was measured on, 0 to 100.
    Cpu,
    /// Memory in use, in MiB.
    Memory,
    /// Network, in Mbit/s, of the direction that carries more.
    Network,
    /// Throughput of the volumes, in MB/s (10⁶ bytes).
    DiskThroughput,
    /// Operations of the volumes per second.
    DiskIops,
}

impl Resource {
    /// All resources, in the order of this enum.
    pub const ALL: [Resource; 5] = [
        Resource::Cpu,
        Resource::Memory,
        Resource::Network,
        Resource::DiskThroughput,
        Resource::DiskIops,
    ];

    /// The unit in which its use is measured.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Resource::Cpu => "%",
            Resource::Memory => "MiB",
            Resource::Network => "Mbit/s",
            Resource::DiskThroughput => "MB/s",
            Resource::DiskIops => "IOPS",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Resource::Cpu => "CPU",
            Resource::Memory => "memory",
            Resource::Network => "network",
            Resource::DiskThroughput => "disk throughput",
            Resource::DiskIops => "disk operations",
        })
    }
}

/// How large a share of the time the machine may be too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Tolerance {
    /// 0.1 % of the time: 44 minutes a month.
    Low,
    /// 0.5 %, the share that AWS Compute Optimizer leaves above its default percentile P99.5:
    /// 3.7 hours a month.
    #[default]
    Medium,
    /// 5 %: a day and a half a month.
    High,
}

impl Tolerance {
    /// The share of the time, 0 to 1.
    #[must_use]
    pub fn budget(self) -> f64 {
        match self {
            Tolerance::Low => 0.001,
            Tolerance::Medium => 0.005,
            Tolerance::High => 0.05,
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tolerance::Low => "low",
            Tolerance::Medium => "medium",
            Tolerance::High => "high",
        })
    }
}

/// What has to be held: use as measured on one machine.
///
/// A resource that is not given is unknown. A fit then says so; it never takes it for zero.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::fit::{Resource, Tolerance, Usage, Workload};
/// use bursar_cost_model::instances::{Architecture, InstanceType};
///
/// let four = NonZeroU32::new(4).ok_or("four is not zero")?;
/// let present = InstanceType::new("t3.xlarge", Architecture::X86_64, four, 16 * 1024);
/// let workload = Workload::new(present)
///     .with_tolerance(Tolerance::Medium)
///     .with_usage(Resource::Cpu, Usage::average_and_maximum(15.2, 28.3)?)?
///     .with_usage(Resource::Memory, Usage::average_and_maximum(2048.0, 3072.0)?)?;
/// assert!(workload.usage(Resource::Network).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    source: InstanceType,
    usages: Vec<(Resource, Usage)>,
    tolerance: Tolerance,
    hours_per_month: Decimal,
}

impl Workload {
    /// A workload that runs all month on `source`, of which nothing was measured yet.
    #[must_use]
    pub fn new(source: InstanceType) -> Workload {
        Workload {
            source,
            usages: Vec::new(),
            tolerance: Tolerance::default(),
            hours_per_month: HOURS_PER_MONTH,
        }
    }

    /// How often the machine may be too small.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Tolerance) -> Workload {
        self.tolerance = tolerance;
        self
    }

    /// How many hours a month it runs.
    ///
    /// # Errors
    /// [`FitError::Hours`] when that is not over 0 and up to 744, the hours of 31 days.
    pub fn with_hours_per_month(mut self, hours: Decimal) -> Result<Workload, FitError> {
        if hours <= Decimal::ZERO || hours > Decimal::from(744) {
            return Err(FitError::Hours { hours });
        }
        self.hours_per_month = hours;
        Ok(self)
    }

    /// What was measured of a resource; a second measurement replaces the first.
    ///
    /// # Errors
    /// [`FitError::CpuOverHundred`] when CPU is over 100: it is percent of the whole machine, not
    /// of one vCPU.
    pub fn with_usage(mut self, resource: Resource, usage: Usage) -> Result<Workload, FitError> {
        // Monitors round: a reading such as 100.0000001 is a full machine.
        if resource == Resource::Cpu && usage.maximum() > 100.01 {
            return Err(FitError::CpuOverHundred {
                percent: usage.maximum(),
            });
        }
        self.usages.retain(|(known, _)| *known != resource);
        self.usages.push((resource, usage));
        self.usages.sort_by_key(|(resource, _)| *resource);
        Ok(self)
    }

    /// The machine it was measured on, and runs on now.
    #[must_use]
    pub fn source(&self) -> &InstanceType {
        &self.source
    }

    /// What was measured of a resource; `None` is unknown.
    #[must_use]
    pub fn usage(&self, resource: Resource) -> Option<&Usage> {
        self.usages
            .iter()
            .find(|(known, _)| *known == resource)
            .map(|(_, usage)| usage)
    }

    /// How often the machine may be too small.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        self.tolerance
    }

    /// How many hours a month it runs.
    #[must_use]
    pub fn hours_per_month(&self) -> Decimal {
        self.hours_per_month
    }
}

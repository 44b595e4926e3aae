//! What has somebody planned by hand for a service that grows?

/// A stage of growth: what was planned for up to so many requests a second.
///
/// The instances do not follow from the formula of the same plan (1, 2, 6 and 30 at 500 requests a
/// second each): the first stages have more, for availability, and the last has fewer.
///
/// ```
/// use bursar_cost_model::capacity::Stage;
///
/// let stage = Stage::of(500.0).expect("the table ends at 10,000");
/// assert_eq!((stage.name, stage.instances.least), ("S1", 4));
/// assert_eq!(Stage::of(10_001.0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stage {
    /// S0 to S3.
    pub name: &'static str,
    /// The most requests a second.
    pub peak_qps: f64,
    /// Instances.
    pub instances: ListedInstances,
    /// Gigabytes of Redis.
    pub redis_gb: u32,
    /// Gigabytes of the database.
    pub database_gb: u32,
}

/// How many instances a stage has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListedInstances {
    /// At least.
    pub least: u32,
    /// At most; `None` where the table says "or more".
    pub most: Option<u32>,
}

impl ListedInstances {
    /// What is planned with: the most, or the least where there is no most.
    #[must_use]
    pub fn planned(self) -> u32 {
        self.most.unwrap_or(self.least)
    }
}

impl Stage {
    /// The stages, in their order.
    pub const ALL: [Stage; 4] = [
        stage("S0", 100.0, 2, Some(2), 2, 10),
        stage("S1", 500.0, 4, Some(4), 10, 50),
        stage("S2", 2_000.0, 8, Some(10), 50, 200),
        stage("S3", 10_000.0, 20, None, 200, 1_024),
    ];

    /// The first stage that has room for so many requests a second; `None` above the last.
    #[must_use]
    pub fn of(qps: f64) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| qps <= stage.peak_qps)
    }
}

const fn stage(
    name: &'static str,
    peak_qps: f64,
    least: u32,
    most: Option<u32>,
    redis_gb: u32,
    database_gb: u32,
) -> Stage {
    Stage {
        name,
        peak_qps,
        instances: ListedInstances { least, most },
        redis_gb,
        database_gb,
    }
}

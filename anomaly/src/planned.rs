//! Was it planned?

use jiff::Timestamp;

use crate::Alarm;

/// Which series something is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum SeriesFilter {
    /// Every series.
    #[default]
    All,
    /// The one of this name.
    Named(String),
    /// All whose names begin so: `aws/` for every account of a provider.
    Below(String),
}

impl SeriesFilter {
    /// Whether a series is meant.
    #[must_use]
    pub fn matches(&self, series: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => name == series,
            Self::Below(prefix) => series.starts_with(prefix.as_str()),
        }
    }
}

/// Something that is known to come: a migration, a load test, a sale. What is unusual in its time is
/// recorded as planned and not raised.
///
/// ```
/// use bursar_anomaly::{PlannedEvent, SeriesFilter};
///
/// let migration = PlannedEvent::new(
///     "2026-11-20T00:00:00Z".parse()?,
///     "2026-11-23T00:00:00Z".parse()?,
///     "migration of the data warehouse",
/// )?
/// .of_series(SeriesFilter::Below("aws/".to_owned()))
/// .of_culprit("service", "AmazonRedshift");
/// assert_eq!(migration.note(), "migration of the data warehouse");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Plan", into = "Plan"))]
pub struct PlannedEvent(Plan);

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Plan {
    from: Timestamp,
    until: Timestamp,
    series: SeriesFilter,
    culprit: Option<(String, String)>,
    note: String,
}

/// The plan ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a plan from {from} until {until} has no time in it: pass an end after the begin")]
pub struct PlanError {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl PlannedEvent {
    /// A plan for every series, from its first moment until the first moment after it.
    ///
    /// # Errors
    /// [`PlanError`] unless it ends after it begins.
    pub fn new(
        from: Timestamp,
        until: Timestamp,
        note: impl Into<String>,
    ) -> Result<Self, PlanError> {
        Self::try_from(Plan {
            from,
            until,
            series: SeriesFilter::All,
            culprit: None,
            note: note.into(),
        })
    }

    /// For these series only.
    #[must_use]
    pub fn of_series(mut self, series: SeriesFilter) -> Self {
        self.0.series = series;
        self
    }

    /// Only for alarms whose first culprit is this: what another service does meanwhile is raised.
    #[must_use]
    pub fn of_culprit(mut self, dimension: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.culprit = Some((dimension.into(), value.into()));
        self
    }

    /// Its first moment.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.0.from
    }

    /// The first moment after it.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.0.until
    }

    /// What is planned, in words.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.0.note
    }

    /// Whether it explains an alarm: of a day, when any moment of the day is planned.
    #[must_use]
    pub fn covers(&self, alarm: &Alarm) -> bool {
        let plan = &self.0;
        let (start, end) = (alarm.when.start(), alarm.when.end());
        let in_time = start < plan.until && (end > plan.from || start >= plan.from);
        in_time && plan.series.matches(&alarm.series) && self.names_culprit_of(alarm)
    }

    fn names_culprit_of(&self, alarm: &Alarm) -> bool {
        let Some((dimension, value)) = &self.0.culprit else {
            return true;
        };
        let first = alarm.culprits.first();
        first.is_some_and(|culprit| culprit.dimension == *dimension && culprit.value == *value)
    }
}

impl TryFrom<Plan> for PlannedEvent {
    type Error = PlanError;

    fn try_from(plan: Plan) -> Result<Self, PlanError> {
        let (from, until) = (plan.from, plan.until);
        match from < until {
            true => Ok(Self(plan)),
            false => Err(PlanError { from, until }),
        }
    }
}

impl From<PlannedEvent> for Plan {
    fn from(planned: PlannedEvent) -> Self {
        planned.0
    }
}

//! Which alarms become alerts, and which alerts are one event?

use bursar_units::Money;
use jiff::SignedDuration;
use rust_decimal::Decimal;

use crate::{Alarm, Severity, SeverityRules};

/// What a person wants to be told, and when an event is over.
///
/// | setting | daily | metrics | why |
/// |---|---|---|---|
/// | [`quiet`](Self::quiet) | 3 days | 1 hour | two days of a weekend do not end what goes on after it; alarms within three days are one incident of the evaluation too; an hour is longer than the bounce of a restart |
/// | [`growth`](Self::growth) | 4 | 4 | a second day like the first is no news: an event that costs the same every day is told again on its 4th, 16th and 64th |
/// | [`half_life`](Self::half_life) | 30 days | 7 days | a period of the series, by the end of which the baseline has learned it itself |
/// | [`memory`](Self::memory) | 90 days | 7 days | how late a feed is repeated at most |
/// | [`capacity`](Self::capacity) | 100,000 series | 100,000 series | of those that had alerts: some 150 MB with one event each |
/// | [`floor`](Self::floor) | 1 unit of the currency | the same | a change of cents is no alert |
///
/// These are decisions, not measurements: each is a setting.
///
/// ```
/// use bursar_anomaly::Policy;
/// use jiff::SignedDuration;
///
/// let policy = Policy::daily()
///     .floor("25 USD".parse()?)
///     .quiet(SignedDuration::from_hours(48))?
///     .growth(1.5)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Settings", into = "Settings"))]
pub struct Policy(Settings);

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Settings {
    severities: SeverityRules,
    floors: Vec<Money>,
    quiet: SignedDuration,
    growth: f64,
    half_life: SignedDuration,
    memory: SignedDuration,
    capacity: usize,
}

/// Why settings are no policy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A duration is none, or negative.
    #[error("{name} of {duration:#} is not possible: pass a duration above zero")]
    NotADuration {
        /// Which setting.
        name: &'static str,
        /// The duration.
        duration: SignedDuration,
    },
    /// The factor is no growth.
    #[error("money that grows by a factor of {0} does not grow: pass a number above 1")]
    NoGrowth(f64),
    /// A book of no series.
    #[error("a book for no series holds nothing: pass a capacity of at least 1")]
    NoCapacity,
}

/// Why an alarm is not an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Suppression {
    /// Its deviation is below the lowest line of its detector.
    SmallDeviation,
    /// The money at stake is below the floor.
    LittleMoney,
    /// A person has said that this level is expected.
    Expected,
    /// A person has said of such an alarm that it was false.
    FalseAlarm,
}

const HOUR: i64 = 3_600;

impl Policy {
    /// For series of days.
    #[must_use]
    pub fn daily() -> Self {
        Self(Settings {
            severities: SeverityRules::default(),
            floors: Vec::new(),
            quiet: SignedDuration::from_secs(3 * 24 * HOUR),
            growth: 4.0,
            half_life: SignedDuration::from_secs(30 * 24 * HOUR),
            memory: SignedDuration::from_secs(90 * 24 * HOUR),
            capacity: 100_000,
        })
    }

    /// For series of minutes.
    #[must_use]
    pub fn metrics() -> Self {
        Self(Settings {
            quiet: SignedDuration::from_secs(HOUR),
            half_life: SignedDuration::from_secs(7 * 24 * HOUR),
            memory: SignedDuration::from_secs(7 * 24 * HOUR),
            ..Self::daily().0
        })
    }

    /// From which deviation on an alarm has which severity.
    #[must_use]
    pub fn severities(mut self, rules: SeverityRules) -> Self {
        self.0.severities = rules;
        self
    }

    /// The least money at stake that is an alert, for series in its currency. Without a floor of its
    /// own a currency has that of one unit: a dollar, a euro, a yen. Zero lets all pass.
    #[must_use]
    pub fn floor(mut self, money: Money) -> Self {
        let floors = &mut self.0.floors;
        floors.retain(|floor| floor.currency() != money.currency());
        floors.push(money);
        self
    }

    /// How long an event must be quiet to be over, from the end of its last point or day.
    ///
    /// # Errors
    /// [`PolicyError::NotADuration`] unless it is above zero.
    pub fn quiet(mut self, quiet: SignedDuration) -> Result<Self, PolicyError> {
        self.0.quiet = quiet;
        Self::try_from(self.0)
    }

    /// By which factor the money at stake of an event, all its days together, grows until it is told
    /// again.
    ///
    /// # Errors
    /// [`PolicyError::NoGrowth`] unless it is a number above 1.
    pub fn growth(mut self, factor: f64) -> Result<Self, PolicyError> {
        self.0.growth = factor;
        Self::try_from(self.0)
    }

    /// After which time feedback has half its weight; it has none after four of them.
    ///
    /// # Errors
    /// [`PolicyError::NotADuration`] unless it is above zero.
    pub fn half_life(mut self, half_life: SignedDuration) -> Result<Self, PolicyError> {
        self.0.half_life = half_life;
        Self::try_from(self.0)
    }

    /// For how long a series that had alerts is remembered, and with it what was fed already.
    ///
    /// # Errors
    /// [`PolicyError::NotADuration`] unless it is above zero.
    pub fn memory(mut self, memory: SignedDuration) -> Result<Self, PolicyError> {
        self.0.memory = memory;
        Self::try_from(self.0)
    }

    /// How many series that had alerts are remembered.
    ///
    /// # Errors
    /// [`PolicyError::NoCapacity`] for 0.
    pub fn capacity(mut self, n_series: usize) -> Result<Self, PolicyError> {
        self.0.capacity = n_series;
        Self::try_from(self.0)
    }

    /// The severity of an alarm, or why it is not an alert.
    ///
    /// # Errors
    /// The [`Suppression`].
    pub fn judge(&self, alarm: &Alarm) -> Result<Severity, Suppression> {
        let rule = self.0.severities.of(alarm.detector);
        let severity = rule.severity(alarm.direction, alarm.deviation_percent());
        let severity = severity.ok_or(Suppression::SmallDeviation)?;
        match alarm.at_stake() {
            Some(money) if self.is_little(money) => Err(Suppression::LittleMoney),
            _ => Ok(severity),
        }
    }

    fn is_little(&self, money: Money) -> bool {
        let mut own = self.0.floors.iter();
        let own = own.find(|floor| floor.currency() == money.currency());
        money.amount() < own.map_or(Decimal::ONE, Money::amount)
    }

    pub(crate) const fn quiet_time(&self) -> SignedDuration {
        self.0.quiet
    }

    pub(crate) const fn growth_factor(&self) -> f64 {
        self.0.growth
    }

    pub(crate) const fn feedback_half_life(&self) -> SignedDuration {
        self.0.half_life
    }

    pub(crate) const fn memory_time(&self) -> SignedDuration {
        self.0.memory
    }

    pub(crate) const fn n_series(&self) -> usize {
        self.0.capacity
    }
}

impl TryFrom<Settings> for Policy {
    type Error = PolicyError;

    fn try_from(settings: Settings) -> Result<Self, PolicyError> {
        for (name, duration) in [
            ("a quiet time", settings.quiet),
            ("a half-life", settings.half_life),
            ("a memory", settings.memory),
        ] {
            if !duration.is_positive() {
                return Err(PolicyError::NotADuration { name, duration });
            }
        }
        if !(settings.growth > 1.0 && settings.growth.is_finite()) {
            return Err(PolicyError::NoGrowth(settings.growth));
        }
        if settings.capacity == 0 {
            return Err(PolicyError::NoCapacity);
        }
        Ok(Self(settings))
    }
}

impl From<Policy> for Settings {
    fn from(policy: Policy) -> Self {
        policy.0
    }
}

//! How many false alarms may there be, and how high are bars then?

/// How many false alarms a series may raise in a year of noise and harmless events: 0.7 unless
/// stated.
///
/// ```
/// use bursar_anomaly::daily::{AlarmBudget, DailyMonitor};
///
/// let calm = DailyMonitor::new().with_budget(AlarmBudget::per_series_year(0.3)?);
/// assert!(AlarmBudget::per_series_year(0.0).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct AlarmBudget(f64);

/// A number of false alarms that no bars can be derived from.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} false alarms a series-year cannot be asked for: choose from 0.1 to 10")]
pub struct BudgetError(f64);

impl AlarmBudget {
    /// So many in a year of one series, from 0.1 to 10.
    ///
    /// # Errors
    /// [`BudgetError`] outside of these: the relation of bars and alarms was measured within them.
    pub fn per_series_year(alarms: f64) -> Result<Self, BudgetError> {
        if (0.1..=10.0).contains(&alarms) {
            return Ok(Self(alarms));
        }
        Err(BudgetError(alarms))
    }

    pub(super) fn bars(self) -> Bars {
        Bars::default().times((DEFAULT_ALARMS / self.0).powf(BAR_EXPONENT))
    }
}

const DEFAULT_ALARMS: f64 = 0.7;

/// Bars rise with this power of the budget's inverse, as for noise whose tails fall with the fifth
/// power. Over 130 series-years of noise and harmless events (seeds 3 and 4 of the generator) budgets
/// of 0.35, 0.7, 1.4 and 2.8 had 0.41, 0.76, 1.20 and 2.10 false alarms a series-year.
const BAR_EXPONENT: f64 = 0.2;

impl Default for AlarmBudget {
    fn default() -> Self {
        Self(DEFAULT_ALARMS)
    }
}

impl TryFrom<f64> for AlarmBudget {
    type Error = BudgetError;

    fn try_from(alarms: f64) -> Result<Self, BudgetError> {
        Self::per_series_year(alarms)
    }
}

impl From<AlarmBudget> for f64 {
    fn from(budget: AlarmBudget) -> Self {
        budget.0
    }
}

/// From where on evidence is an alarm, in standard deviations of what it is compared with.
///
/// Chosen by hand on seeds 1 to 4 of the generator in `synthetic::costs`, in steps of one half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bars {
    pub(super) spike: f64,
    pub(super) weekend: f64,
    pub(super) drop: f64,
    pub(super) level: f64,
    pub(super) leak: f64,
    /// How many of its own second largest extreme a rise must be.
    pub(super) tail: f64,
    /// How much more a fall must show: costs fall harmlessly on holidays.
    pub(super) fall: f64,
    /// The smallest change of a level's logarithm that is worth an alarm.
    pub(super) smallest_change: f64,
}

impl Bars {
    fn times(self, factor: f64) -> Self {
        Self {
            spike: self.spike * factor,
            weekend: self.weekend * factor,
            drop: self.drop * factor,
            level: self.level * factor,
            leak: self.leak * factor,
            tail: self.tail * factor,
            ..self
        }
    }

    /// Those of a service: there are several beside each total, with heavier tails.
    pub(super) fn of_a_service(self) -> Self {
        Self {
            spike: 1.5 * self.spike,
            level: 1.4 * self.level,
            leak: 1.4 * self.leak,
            smallest_change: 0.08,
            ..self
        }
    }

    /// After feedback has raised those of single days and those of levels.
    pub(super) fn raised(self, single: f64, level: f64) -> Self {
        Self {
            spike: self.spike * single,
            weekend: self.weekend * single,
            drop: self.drop * single,
            level: self.level * level,
            leak: self.leak * level,
            ..self
        }
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            spike: 5.5,
            weekend: 6.0,
            drop: 6.0,
            level: 5.0,
            leak: 5.0,
            tail: 1.4,
            fall: 1.5,
            smallest_change: 0.04,
        }
    }
}

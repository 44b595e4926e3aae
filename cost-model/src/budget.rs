//! Will the budget last until the end of its period?

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::series::days_between;
use crate::{
    DailySeries, DateRange, Exact, ExactError, ExactSum, Forecast, ForecastError, Outlook,
};

/// An amount that may be spent in a period.
///
/// ```
/// use bursar_cost_model::{Budget, BudgetVerdict, Closing, DailySeries, ExactSum};
/// use jiff::civil::date;
///
/// let budget = Budget::new("500".parse()?, "2026-11".parse()?)?;
/// let so_far: bursar_cost_model::DateRange = "2026-11-01..2026-11-16".parse()?;
/// let daily: ExactSum = "20".parse()?;
/// let series = DailySeries::new(
///     so_far,
///     Closing::ClosedThrough(date(2026, 11, 15)),
///     so_far.days().map(|day| (day, daily.clone())),
/// )?;
/// let burn = budget.burn(&series, 2)?;
/// assert_eq!(burn.verdict, BudgetVerdict::AtRisk);
/// assert_eq!(burn.burn_rate, Some(1.2)); // 60 % spent in half of the time
/// assert_eq!(burn.exhausted_on, Some(date(2026, 11, 25)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Budget {
    amount: ExactSum,
    period: DateRange,
}

/// Why a budget could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The amount is not above zero.
    #[error("a budget of {0} cannot be burnt: it must be above zero")]
    NotPositive(ExactSum),
    /// The period cannot be forecast from the series.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// A sum cannot be kept.
    #[error(transparent)]
    Amount(#[from] ExactError),
}

/// What is said about a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum BudgetVerdict {
    /// The upper end of the 80 % interval of the forecast is within the budget.
    OnTrack,
    /// It is above the budget: the chance to exceed is one in ten or more.
    AtRisk,
    /// More is spent already.
    Exceeded,
    /// It is not exceeded, and there are too few days for a forecast.
    Unknown,
}

/// How much of a budget is spent, and how it will end.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BudgetBurn {
    /// The budget.
    pub budget: ExactSum,
    /// What is spent so far, open days included.
    pub spent: ExactSum,
    /// Budget − spent; below zero when it is exceeded.
    pub remaining: ExactSum,
    /// `spent` ÷ budget.
    pub spent_share: f64,
    /// The complete days of the period ÷ all its days.
    pub elapsed_share: f64,
    /// `spent` of the complete days ÷ budget ÷ `elapsed_share`: at 1 the budget lasts exactly to
    /// the end (the burn rate of an error budget). `None` before the first complete day.
    pub burn_rate: Option<f64>,
    /// What the period is expected to have cost at its end, and with which intervals.
    pub forecast: Forecast,
    /// The day on which the budget is or will be used up; `None` when that is not expected
    /// within the period or cannot be told.
    pub exhausted_on: Option<Date>,
    /// On track or not.
    pub verdict: BudgetVerdict,
}

impl Budget {
    /// `amount` for `period`.
    ///
    /// # Errors
    /// [`BudgetError::NotPositive`] when `amount` is not above zero.
    pub fn new(amount: ExactSum, period: DateRange) -> Result<Budget, BudgetError> {
        if amount.is_zero() || amount.is_negative() {
            return Err(BudgetError::NotPositive(amount));
        }
        Ok(Budget { amount, period })
    }

    /// What may be spent.
    #[must_use]
    pub fn amount(&self) -> &ExactSum {
        &self.amount
    }

    /// When it may be spent.
    #[must_use]
    pub fn period(&self) -> DateRange {
        self.period
    }

    /// How the budget stands; the series is one that [`Forecast::of`] takes, and estimates are
    /// rounded to `places`.
    ///
    /// # Errors
    /// [`BudgetError::Forecast`] when the series does not cover the period so far, and
    /// [`BudgetError::Amount`] when a sum leaves its range.
    pub fn burn(&self, series: &DailySeries, places: u32) -> Result<BudgetBurn, BudgetError> {
        let forecast = Forecast::of(series, self.period, places)?;
        let elapsed_share = forecast.complete_days as f64 / f64::from(self.period.day_count());
        let burn_rate = (forecast.complete_days > 0)
            .then(|| self.complete_cost(series))
            .transpose()?
            .map(|cost| cost.to_f64() / self.amount.to_f64() / elapsed_share);
        Ok(BudgetBurn {
            budget: self.amount.clone(),
            spent: forecast.billed.clone(),
            remaining: self.amount.minus(&forecast.billed)?,
            spent_share: forecast.billed.to_f64() / self.amount.to_f64(),
            elapsed_share,
            burn_rate,
            exhausted_on: self.exhausted_on(series, &forecast)?,
            verdict: self.verdict(&forecast),
            forecast,
        })
    }

    fn complete_cost(&self, series: &DailySeries) -> Result<ExactSum, ExactError> {
        let days = series
            .days()
            .filter(|(date, _)| self.period.contains(*date));
        crate::series::total(days.map(|(_, cost)| cost))
    }

    fn verdict(&self, forecast: &Forecast) -> BudgetVerdict {
        if forecast.billed > self.amount {
            return BudgetVerdict::Exceeded;
        }
        match &forecast.outlook {
            Outlook::NotReady { .. } => BudgetVerdict::Unknown,
            Outlook::Ready(projection) => match projection.intervals.first() {
                Some(eighty) if eighty.high > self.amount => BudgetVerdict::AtRisk,
                Some(_) => BudgetVerdict::OnTrack,
                None => BudgetVerdict::Unknown,
            },
        }
    }

    /// The first day by whose end what is billed and what is expected reach the budget.
    fn exhausted_on(
        &self,
        series: &DailySeries,
        forecast: &Forecast,
    ) -> Result<Option<Date>, ExactError> {
        let mut path = vec![ExactSum::ZERO; self.period.day_count() as usize];
        let mut add = |date: Date, cost: &ExactSum| match self.index(date) {
            Some(index) => path.get_mut(index).map_or(Ok(()), |sum| sum.add_sum(cost)),
            None => Ok(()),
        };
        for (date, cost) in series.days().chain(series.open()) {
            add(date, cost)?;
        }
        if let Outlook::Ready(projection) = &forecast.outlook {
            for day in &projection.daily {
                add(day.date, &amount(day.cost)?)?;
            }
        }
        let mut spent = ExactSum::ZERO;
        for (date, cost) in self.period.days().zip(&path) {
            spent.add_sum(cost)?;
            if spent >= self.amount {
                return Ok(Some(date));
            }
        }
        Ok(None)
    }

    fn index(&self, date: Date) -> Option<usize> {
        let within = self.period.contains(date);
        let index = || usize::try_from(days_between(self.period.start(), date)).ok();
        within.then(index).flatten()
    }
}

fn amount(cost: Decimal) -> Result<ExactSum, ExactError> {
    Ok(Exact::try_from(cost)?.into())
}

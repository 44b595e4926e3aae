//! Does a day cost more than it may?

use std::collections::BTreeMap;
use std::fmt;

use bursar_units::{Money, MoneyError, Quantum, Rounding};
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::alert::{one_line, with_places_of};
use crate::{DayProjection, OpenDay, Severity};

/// Why a day cannot be held against its cap.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CapError {
    /// The cap is no part of the baseline that a day may cost.
    #[error("a cap of 0 % of the baseline lets nothing pass: pass a number above zero")]
    Nothing,
    /// Nothing may be spent where nothing is expected.
    #[error("a baseline of {0} has no cap: pass what a day is expected to cost, above zero")]
    NoBaseline(Money),
    /// Two amounts cannot be compared.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Whether the cap is passed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Overrun {
    /// The day has cost more than its cap.
    Actual,
    /// It has not, and is projected to.
    Projected,
}

/// A day that costs more than its cap.
///
/// Displayed it is one sentence with every number:
///
/// ```text
/// WARNING: aws/prod is projected to cost 21.40 USD on 2026-11-20 (19.00 to 25.10 USD), 2.42 USD over the daily cap of 18.98 USD (150 % of the expected 12.65 USD); 14.10 USD so far
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CapAlert {
    /// Critical when the cap is passed, a warning while that is a projection.
    pub severity: Severity,
    /// Which series.
    pub series: String,
    /// Which day.
    pub date: Date,
    /// What a day is expected to cost.
    pub baseline: Money,
    /// The cap in percent of it.
    pub percent: u32,
    /// What a day may cost.
    pub cap: Money,
    /// What the day has cost so far.
    pub so_far: Money,
    /// What it is projected to cost, where that can be told.
    pub projection: Option<DayProjection>,
    /// Whether the cap is passed already.
    pub overrun: Overrun,
    /// By how much it is passed, or projected to be.
    pub excess: Money,
}

impl fmt::Display for CapAlert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, series, date) = (self.severity, one_line(&self.series), self.date);
        let (cap, baseline) = (self.cap, self.baseline);
        let (so_far, excess) = (
            with_places_of(self.so_far, cap),
            with_places_of(self.excess, cap),
        );
        let percent = self.percent;
        write!(formatter, "{severity}: {series} ")?;
        match (&self.projection, self.overrun) {
            (Some(DayProjection { total, low, high }), Overrun::Projected) => {
                let low = low.amount();
                write!(
                    formatter,
                    "is projected to cost {total} on {date} ({low} to {high}), "
                )?;
            }
            _ => write!(formatter, "has cost {so_far} on {date}, ")?,
        }
        write!(
            formatter,
            "{excess} over the daily cap of {cap} ({percent} % of the expected {baseline})"
        )?;
        match (&self.projection, self.overrun) {
            (_, Overrun::Projected) => write!(formatter, "; {so_far} so far"),
            (Some(projection), Overrun::Actual) => write!(formatter, "; {projection}"),
            (None, Overrun::Actual) => Ok(()),
        }
    }
}

/// Raises at most one alert a day for each series that costs more than its cap.
///
/// ```
/// use bursar_anomaly::{DailyCap, OpenDay, Overrun, PastDay};
/// use bursar_units::{Money, Quantum};
/// use jiff::civil::date;
///
/// let usd = |text: &str| format!("{text} USD").parse::<Money>();
/// let mut cap = DailyCap::default();
/// let past = [PastDay::new(usd("12.65")?); 7];
/// let noon = OpenDay::new(usd("14.10")?, 0.5)?;
/// let projection = noon.project(&past, Quantum::MINOR_UNIT)?;
/// let today = date(2026, 11, 20);
///
/// let alert = cap.check("aws/prod", today, usd("12.65")?, &noon, Some(projection))?;
/// assert_eq!(
///     alert.unwrap().to_string(),
///     "WARNING: aws/prod is projected to cost 24.31 USD on 2026-11-20 (20.42 to 28.20 USD), \
///      5.33 USD over the daily cap of 18.98 USD (150 % of the expected 12.65 USD); 14.10 USD so far",
/// );
/// // It is said once a day.
/// let evening = OpenDay::new(usd("21.00")?, 0.8)?;
/// assert_eq!(cap.check("aws/prod", today, usd("12.65")?, &evening, None)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Saved", into = "Saved"))]
pub struct DailyCap {
    percent: u32,
    /// The day of the last alert of each series, of the two last days.
    raised: BTreeMap<String, Date>,
}

impl DailyCap {
    /// What a day may cost in percent of its baseline; 150 is the default.
    ///
    /// # Errors
    /// [`CapError::Nothing`] for 0.
    pub const fn new(percent: u32) -> Result<Self, CapError> {
        if percent == 0 {
            return Err(CapError::Nothing);
        }
        let raised = BTreeMap::new();
        Ok(Self { percent, raised })
    }

    /// The cap of a day: the percentage of its baseline to the minor unit of the currency, half up.
    ///
    /// # Errors
    /// [`CapError::NoBaseline`]; [`CapError::Money`] for amounts out of range.
    pub fn of(&self, baseline: Money) -> Result<Money, CapError> {
        if baseline.is_zero() || baseline.is_negative() {
            return Err(CapError::NoBaseline(baseline));
        }
        let exact = baseline.checked_mul(self.percent.into())?;
        let exact = exact.checked_div(Decimal::ONE_HUNDRED)?;
        Ok(exact.round_to(Quantum::MINOR_UNIT, Rounding::HalfUp)?)
    }

    /// The alert of a day that has cost more than its cap or is projected to, unless it was raised
    /// already.
    ///
    /// The projection counts by its middle: half of the days that are told so will pass the cap.
    ///
    /// # Errors
    /// As [`of`](Self::of); nothing is raised and nothing remembered then.
    pub fn check(
        &mut self,
        series: &str,
        date: Date,
        baseline: Money,
        today: &OpenDay,
        projection: Option<DayProjection>,
    ) -> Result<Option<CapAlert>, CapError> {
        let cap = self.of(baseline)?;
        let Some((overrun, excess)) = overrun(cap, today.so_far(), projection)? else {
            return Ok(None);
        };
        if self.raised.get(series).is_some_and(|last| *last >= date) {
            return Ok(None);
        }
        self.remember(series, date);
        Ok(Some(CapAlert {
            severity: match overrun {
                Overrun::Actual => Severity::Critical,
                Overrun::Projected => Severity::Warning,
            },
            series: series.to_owned(),
            date,
            baseline,
            percent: self.percent,
            cap,
            so_far: today.so_far(),
            projection,
            overrun,
            excess,
        }))
    }

    fn remember(&mut self, series: &str, date: Date) {
        // Series in several calendars of collection are a day apart at most.
        let oldest = date.yesterday().unwrap_or(date);
        self.raised.retain(|_, last| *last >= oldest);
        self.raised.insert(series.to_owned(), date);
    }
}

/// In which way, and by how much the cap is passed.
fn overrun(
    cap: Money,
    so_far: Money,
    projection: Option<DayProjection>,
) -> Result<Option<(Overrun, Money)>, MoneyError> {
    if so_far.try_cmp(&cap)?.is_gt() {
        return Ok(Some((Overrun::Actual, so_far.checked_sub(cap)?)));
    }
    match projection {
        Some(projection) if projection.total.try_cmp(&cap)?.is_gt() => {
            let excess = projection.total.checked_sub(cap)?;
            Ok(Some((Overrun::Projected, excess)))
        }
        _ => Ok(None),
    }
}

/// One and a half times what is expected.
impl Default for DailyCap {
    fn default() -> Self {
        Self {
            percent: 150,
            raised: BTreeMap::new(),
        }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    format: crate::format::Format<1>,
    percent: u32,
    raised: BTreeMap<String, Date>,
}

#[cfg(feature = "serde")]
impl From<DailyCap> for Saved {
    fn from(cap: DailyCap) -> Self {
        let DailyCap { percent, raised } = cap;
        let format = crate::format::Format;
        Self {
            format,
            percent,
            raised,
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Saved> for DailyCap {
    type Error = CapError;

    fn try_from(saved: Saved) -> Result<Self, CapError> {
        let cap = Self::new(saved.percent)?;
        let raised = saved.raised;
        Ok(Self { raised, ..cap })
    }
}

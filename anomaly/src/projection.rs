//! What will today have cost when it is over?
//!
//! Two things are known of a day that is not over: what it cost so far, and how days of the past went
//! on from this hour. If so far is more than usual, that was either a purchase, and the rest of the
//! day costs what it always costs, or a new pace, and the rest costs more in the same proportion.
//! Each past day stands for both, as
//!
//! ```text
//! so far + (its total − its cost by this hour)      with the weight 1 − s
//! so far ÷ s                                        with the weight s
//! ```
//!
//! where s is the share of that day's total that had come by this hour. Early in a day its own pace
//! says little, so history decides; late in the day it is the other way round. The quantiles of these
//! weighted outcomes are the projection. On ordinary days both agree; on a day that is not, the
//! interval is as wide as the two stories are apart.
//!
//! Measured on 572 generated days, each with the 28 before it: the interval, meant for 80 % of them,
//! held the total of 79 % at midnight, 89 % at 6:00, 91 % at 12:00 and 86 % at 18:00
//! (`tests/it/projection.rs`).

use std::fmt;

use bursar_units::{Money, MoneyError, Quantum};

use crate::alert::{AlarmError, as_statistic, rounded};

/// A past day, as an example of how a day goes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct PastDay {
    total: Money,
    by_now: Option<Money>,
}

impl PastDay {
    /// A day of which the total is known, and not how it came together.
    pub const fn new(total: Money) -> Self {
        let by_now = None;
        Self { total, by_now }
    }

    /// What that day had cost at the same time of the day.
    pub const fn by_now(mut self, cost: Money) -> Self {
        self.by_now = Some(cost);
        self
    }
}

/// The cost of a day that is not over.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct OpenDay {
    so_far: Money,
    elapsed: f64,
}

/// Why a day cannot be projected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The elapsed part is none.
    #[error("{0} is not a part of a day: pass 0 at its begin, 1 at its end")]
    NotAPart(f64),
    /// Too few days to say how a day goes.
    #[error("{have} past days do not tell how a day goes: pass at least {need}")]
    TooFewDays {
        /// How many there are.
        have: usize,
        /// How many are needed.
        need: usize,
    },
    /// A projected amount cannot be kept.
    #[error(transparent)]
    Amount(#[from] AlarmError),
}

impl From<MoneyError> for ProjectionError {
    fn from(error: MoneyError) -> Self {
        Self::Amount(error.into())
    }
}

/// What a day is projected to have cost at its end.
///
/// Displayed: `heading for 21.40 USD today (19.00 to 25.10 USD)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct DayProjection {
    /// As likely too low as too high.
    pub total: Money,
    /// With a chance of one in ten it will be less.
    pub low: Money,
    /// With a chance of one in ten it will be more.
    pub high: Money,
}

impl DayProjection {
    /// As few past days as an interval of four in five can be read from: with five, its ends are
    /// about the least and the most of them.
    pub const MIN_DAYS: usize = 5;
}

impl fmt::Display for DayProjection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, low, high } = self;
        let low = low.amount();
        write!(formatter, "heading for {total} today ({low} to {high})")
    }
}

impl OpenDay {
    /// What a day cost in its first part: 0.25 at six in the morning.
    ///
    /// # Errors
    /// [`ProjectionError::NotAPart`] unless it is from 0 to 1.
    pub fn new(so_far: Money, elapsed: f64) -> Result<Self, ProjectionError> {
        match (0.0..=1.0).contains(&elapsed) {
            true => Ok(Self { so_far, elapsed }),
            false => Err(ProjectionError::NotAPart(elapsed)),
        }
    }

    /// What it cost so far.
    pub const fn so_far(&self) -> Money {
        self.so_far
    }

    /// The part of the day that is over, from 0 to 1.
    #[must_use]
    pub const fn elapsed(&self) -> f64 {
        self.elapsed
    }

    /// What it will have cost at its end, by days that are like it: the last weeks, or of these the
    /// workdays. A past day whose course is not known is taken to have cost the same at every hour.
    ///
    /// The amounts are statistics, each rounded once to the nearest multiple of `quantum`, half to
    /// even. A day that is over costs what it cost.
    ///
    /// # Errors
    /// [`ProjectionError::TooFewDays`] below [`DayProjection::MIN_DAYS`];
    /// [`ProjectionError::Amount`] when currencies differ or an amount is too large.
    ///
    /// ```
    /// use bursar_anomaly::{OpenDay, PastDay};
    /// use bursar_units::{Money, Quantum};
    ///
    /// let usd = |text: &str| format!("{text} USD").parse::<Money>();
    /// let past = [
    ///     PastDay::new(usd("12.10")?).by_now(usd("6.00")?),
    ///     PastDay::new(usd("12.90")?).by_now(usd("6.50")?),
    ///     PastDay::new(usd("12.40")?).by_now(usd("6.20")?),
    ///     PastDay::new(usd("13.20")?).by_now(usd("6.70")?),
    ///     PastDay::new(usd("12.65")?).by_now(usd("6.30")?),
    /// ];
    /// // At noon it is 24 instead of 6: a purchase (30 in all), or four times the pace (48)?
    /// let today = OpenDay::new(usd("24.00")?, 0.5)?;
    /// let projection = today.project(&past, Quantum::MINOR_UNIT)?;
    /// assert_eq!(projection.low.to_string(), "30.15 USD");
    /// assert_eq!(projection.high.to_string(), "48.29 USD");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn project(
        &self,
        past: &[PastDay],
        quantum: Quantum,
    ) -> Result<DayProjection, ProjectionError> {
        let (have, need) = (past.len(), DayProjection::MIN_DAYS);
        if have < need {
            return Err(ProjectionError::TooFewDays { have, need });
        }
        let mut outcomes = Outcomes::default();
        for day in past {
            day.total.try_cmp(&self.so_far)?;
            if let Some(by_now) = &day.by_now {
                by_now.try_cmp(&self.so_far)?;
            }
            outcomes.add(self, day);
        }
        outcomes.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let money = |part| rounded(outcomes.quantile(part), self.so_far.currency(), quantum);
        Ok(DayProjection {
            total: money(0.5)?,
            low: money(TAIL)?,
            high: money(1.0 - TAIL)?,
        })
    }
}

/// The chance on each side of the interval.
const TAIL: f64 = 0.1;

/// Totals that today may have, with their weights.
#[derive(Default)]
struct Outcomes(Vec<(f64, f64)>);

impl Outcomes {
    fn add(&mut self, today: &OpenDay, day: &PastDay) {
        let so_far = as_statistic(today.so_far);
        if today.elapsed >= 1.0 {
            return self.0.push((so_far, 1.0));
        }
        let total = as_statistic(day.total);
        let by_now = match day.by_now {
            Some(cost) => as_statistic(cost),
            None => total * today.elapsed,
        };
        // Of a day of refunds no share can be told: it only says what came after this hour.
        let share = by_now / total;
        let share = if (0.0..=1.0).contains(&share) && total > 0.0 {
            share
        } else {
            0.0
        };
        self.0.push((so_far + total - by_now, 1.0 - share));
        if share > 0.0 {
            self.0.push((so_far / share, share));
        }
    }

    /// The value below which this part of the weight lies, between two outcomes in proportion.
    fn quantile(&self, part: f64) -> f64 {
        let weight: f64 = self.0.iter().map(|outcome| outcome.1).sum();
        let mut below = 0.0;
        let mut last: Option<(f64, f64)> = None;
        for (value, own) in &self.0 {
            // An outcome stands in the middle of its weight (Hazen's plotting position).
            let place = (below + own / 2.0) / weight;
            below += own;
            match last {
                _ if place < part => last = Some((place, *value)),
                None => return *value,
                Some((before, lower)) => {
                    return lower + (value - lower) * (part - before) / (place - before);
                }
            }
        }
        last.map_or(0.0, |(_, value)| value)
    }
}

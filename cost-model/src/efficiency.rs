//! Is a machine as busy as one of its type should be?
//!
//! The average CPU use is compared with what is expected of the instance type. Below the
//! expected range the machine is too large, above it too small; the [`Side`] is part of the
//! answer, because the two call for opposite actions.

use std::fmt;

/// A share of a whole in percent, from 0 to 100.
///
/// ```
/// use bursar_cost_model::Percent;
///
/// assert_eq!(Percent::new(12.5)?.value(), 12.5);
/// assert!(Percent::new(104.0).is_err());
/// # Ok::<(), bursar_cost_model::EfficiencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Percent(f64);

impl Percent {
    /// Nothing.
    pub const ZERO: Percent = Percent(0.0);

    /// A percentage.
    ///
    /// # Errors
    /// [`EfficiencyError::NotAPercentage`] below 0, above 100 and for what is no number.
    pub fn new(value: f64) -> Result<Percent, EfficiencyError> {
        if (0.0..=100.0).contains(&value) {
            Ok(Percent(value))
        } else {
            Err(EfficiencyError::NotAPercentage(value))
        }
    }

    /// The percentage, from 0 to 100.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = EfficiencyError;

    fn try_from(value: f64) -> Result<Percent, EfficiencyError> {
        Percent::new(value)
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> f64 {
        percent.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)?;
        f.write_str(" %")
    }
}

/// Why a measurement is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EfficiencyError {
    /// The number is no percentage.
    #[error("{0} is no percentage: state a number from 0 to 100")]
    NotAPercentage(f64),
    /// The average is above the maximum.
    #[error(
        "an average of {average} with a maximum of {maximum}: check that both are of one period"
    )]
    AverageAboveMaximum {
        /// The average that was given.
        average: Percent,
        /// The maximum that was given.
        maximum: Percent,
    },
    /// Nothing was measured.
    #[error("a measurement over 0 hours: state how long the machine was watched")]
    NoHours,
}

/// How busy the CPU of one machine was over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Utilization {
    /// The average over the hours in which the machine ran.
    pub cpu_average: Percent,
    /// The highest value in the same hours.
    pub cpu_maximum: Percent,
    /// How long the machine was watched; hours in which it was stopped count here, though they
    /// have no average.
    pub hours: u32,
}

impl Utilization {
    /// A week: enough to score a machine.
    pub const HOURS_FOR_SCORE: u32 = 7 * 24;

    /// Two weeks: enough to recommend another.
    ///
    /// The default look-back of AWS Compute Optimizer is the same.
    pub const HOURS_FOR_RECOMMENDATION: u32 = 14 * 24;

    /// What was measured over `hours`.
    ///
    /// # Errors
    /// [`EfficiencyError::AverageAboveMaximum`] and [`EfficiencyError::NoHours`].
    pub fn new(
        cpu_average: Percent,
        cpu_maximum: Percent,
        hours: u32,
    ) -> Result<Utilization, EfficiencyError> {
        if cpu_average > cpu_maximum {
            return Err(EfficiencyError::AverageAboveMaximum {
                average: cpu_average,
                maximum: cpu_maximum,
            });
        }
        if hours == 0 {
            return Err(EfficiencyError::NoHours);
        }
        Ok(Utilization {
            cpu_average,
            cpu_maximum,
            hours,
        })
    }
}

/// How the distance from the expected use becomes a score from 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EfficiencyCurve {
    /// 100 in the expected range, falling on both sides, 0 for an idle and for a saturated
    /// machine; further from the range never scores better.
    ///
    /// With `e` the expected average, of a burstable type at most its baseline, the range goes
    /// from 0.3 `e` to `high` = min(1.5 `e`, (`e` + 100) ÷ 2), of a burstable type at most to
    /// the baseline. Below it the score is 100 × average ÷ 0.3 `e`. Above it is 100 × the share
    /// of the demand that the range covers, `high` ÷ average, × the headroom that is left,
    /// (100 − average) ÷ (100 − `high`).
    #[default]
    Monotone,
    /// The three pieces in common use, for comparison: below 0.3 × expected
    /// max(0, 100 − 2 × distance), above 1.5 × expected max(0, 100 − 1.5 × distance), between
    /// them 100 − 0.5 × |average − expected|.
    ///
    /// It jumps at the borders and scores an idle machine high: 80 where 33⅓ % are expected,
    /// 76 where 40 % are.
    Piecewise,
}

/// On which side of the expected range a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Side {
    /// Less busy than expected: a smaller machine would do.
    Below,
    /// As busy as expected.
    Within,
    /// Busier than expected: a larger machine is advised.
    Above,
}

/// How well a machine is used.
///
/// ```
/// use bursar_cost_model::{EfficiencyCurve, Percent, Side};
///
/// // An m5.large is expected at 50 %, in a range from 15 % to 75 %.
/// let idle = EfficiencyCurve::Monotone.score("m5.large", Percent::new(1.5)?);
/// assert_eq!(idle.side, Side::Below);
/// assert!((idle.score - 10.0).abs() < 1e-9);
///
/// let flattered = EfficiencyCurve::Piecewise.score("m5.large", Percent::new(1.5)?);
/// assert!((flattered.score - 73.0).abs() < 1e-9);
/// # Ok::<(), bursar_cost_model::EfficiencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Efficiency {
    /// From 0, wasted or saturated, to 100, used as expected.
    pub score: f64,
    /// On which side of the range the average is.
    pub side: Side,
    /// The average that is expected of the type, in percent.
    pub expected: f64,
    /// The least average that is within the range, in percent.
    pub low: f64,
    /// The largest average that is within the range, in percent; above 100 where the curve puts
    /// no machine on that side.
    pub high: f64,
}

impl EfficiencyCurve {
    /// How well a machine of this type is used at this average.
    #[must_use]
    pub fn score(self, instance_type: &str, cpu_average: Percent) -> Efficiency {
        let average = cpu_average.value();
        let range = match self {
            EfficiencyCurve::Monotone => Range::monotone(instance_type),
            EfficiencyCurve::Piecewise => Range::piecewise(instance_type),
        };
        let side = range.side(average);
        let score = match self {
            EfficiencyCurve::Monotone => monotone(&range, side, average),
            EfficiencyCurve::Piecewise => piecewise(&range, side, average),
        };
        Efficiency {
            score: score.clamp(0.0, 100.0),
            side,
            expected: range.expected,
            low: range.low,
            high: range.high,
        }
    }
}

/// What is expected of a type, and how far around it is still well.
struct Range {
    low: f64,
    expected: f64,
    high: f64,
}

impl Range {
    const LOW: f64 = 0.3;
    const HIGH: f64 = 1.5;

    fn piecewise(instance_type: &str) -> Range {
        let expected = expected_cpu_average(instance_type);
        Range {
            low: Range::LOW * expected,
            expected,
            high: Range::HIGH * expected,
        }
    }

    fn monotone(instance_type: &str) -> Range {
        let baseline = burstable_baseline(instance_type).unwrap_or(100.0);
        let expected = expected_cpu_average(instance_type).min(baseline);
        // 1.5 × 70 % is more than there is: at least half the room above stays free.
        let high = (Range::HIGH * expected).min(f64::midpoint(expected, 100.0));
        Range {
            low: Range::LOW * expected,
            expected,
            high: high.min(baseline),
        }
    }

    fn side(&self, average: f64) -> Side {
        if average < self.low {
            Side::Below
        } else if average > self.high {
            Side::Above
        } else {
            Side::Within
        }
    }
}

fn monotone(range: &Range, side: Side, average: f64) -> f64 {
    match side {
        Side::Below => 100.0 * average / range.low,
        Side::Within => 100.0,
        Side::Above => {
            let covered = range.high / average;
            let headroom = (100.0 - average) / (100.0 - range.high);
            100.0 * covered * headroom
        }
    }
}

fn piecewise(range: &Range, side: Side, average: f64) -> f64 {
    match side {
        Side::Below => 100.0 - 2.0 * (range.low - average),
        Side::Within => 100.0 - 0.5 * (average - range.expected).abs(),
        Side::Above => 100.0 - 1.5 * (average - range.high),
    }
}

/// What is expected of a type that the table does not know.
const EXPECTED_OF_OTHERS: f64 = 40.0;

/// The average CPU use, in percent, that is expected of an instance type.
///
/// A table by type; 40 for every other. For burstable types it is above what they sustain: see
/// [`burstable_baseline`], to which the default curve holds them.
///
/// ```
/// use bursar_cost_model::{burstable_baseline, expected_cpu_average};
/// assert_eq!(expected_cpu_average("t3.nano"), 60.0);
/// assert_eq!(burstable_baseline("t3.nano"), Some(5.0));
/// assert_eq!(expected_cpu_average("r6i.large"), 40.0);
/// ```
#[must_use]
pub fn expected_cpu_average(instance_type: &str) -> f64 {
    match instance_type {
        "t3.nano" => 60.0,
        "t3.micro" => 50.0,
        "t3.small" => 45.0,
        "t3.medium" => 40.0,
        "t3.large" => 35.0,
        "t3.xlarge" => 30.0,
        "t3.2xlarge" => 25.0,
        "t4g.nano" => 65.0,
        "t4g.micro" => 55.0,
        "t4g.small" => 50.0,
        "t4g.medium" => 45.0,
        "t4g.large" => 40.0,
        "t4g.xlarge" => 35.0,
        "t4g.2xlarge" => 30.0,
        "c5.large" => 70.0,
        "c5.xlarge" => 65.0,
        "c5.2xlarge" => 60.0,
        "m5.large" => 50.0,
        "m5.xlarge" => 45.0,
        "m5.2xlarge" => 40.0,
        _ => EXPECTED_OF_OTHERS,
    }
}

/// What a burstable type sustains without spending credits, in percent of each of its vCPUs;
/// `None` for types with no credits.
///
/// Source: Amazon EC2 User Guide, "Key concepts for burstable performance instances", the table
/// of CPU credits earned per hour and baseline utilization per vCPU.
///
/// ```
/// use bursar_cost_model::burstable_baseline;
/// assert_eq!(burstable_baseline("t3.micro"), Some(10.0));
/// assert_eq!(burstable_baseline("m5.large"), None);
/// ```
#[must_use]
pub fn burstable_baseline(instance_type: &str) -> Option<f64> {
    let (family, size) = instance_type.split_once('.')?;
    let baseline = match (family, size) {
        ("t2" | "t3" | "t3a" | "t4g", "nano") => 5.0,
        ("t2" | "t3" | "t3a" | "t4g", "micro") => 10.0,
        ("t2" | "t3" | "t3a" | "t4g", "small" | "medium") => 20.0,
        ("t2" | "t3" | "t3a" | "t4g", "large") => 30.0,
        ("t3" | "t3a" | "t4g", "xlarge" | "2xlarge") => 40.0,
        ("t2", "xlarge") => 22.5,
        ("t2", "2xlarge") => 17.0,
        _ => return None,
    };
    Some(baseline)
}

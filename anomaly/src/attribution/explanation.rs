//! What explains the change, in money that adds up?

use std::fmt;

use bursar_units::{Money, MoneyError};

use super::Settings;
use super::cube::{Cube, total};
use super::deviation::{Leaves, Sides};
use super::search::{Cuboids, Found, Search};
use rust_decimal::prelude::ToPrimitive;

/// The causes of a change, disjoint and exact: the changes of [`causes`](Self::causes) and
/// [`rest`](Self::rest) add up to [`change`](Self::change) to the last digit.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Explanation {
    /// What was expected in all.
    pub expected: Money,
    /// What came in all.
    pub actual: Money,
    /// `actual` − `expected`.
    pub change: Money,
    /// The sum over the leaves that rose: what the total alone may hide.
    pub increases: Money,
    /// The sum over the leaves that fell, zero or negative.
    pub decreases: Money,
    /// The largest change in either direction first, equal ones by their elements.
    pub causes: Vec<Cause>,
    /// The change of all leaves that belong to no cause.
    pub rest: Money,
    /// What kind of answer this is.
    pub conclusion: Conclusion,
}

/// Values of some dimensions whose leaves moved together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Cause {
    /// The fixed dimensions and their values, in the cube's order of dimensions.
    pub element: Vec<(String, String)>,
    /// How it moved.
    pub movement: Movement,
    /// What was expected of the leaves that this cause counts.
    pub expected: Money,
    /// What came of them.
    pub actual: Money,
    /// `actual` − `expected`.
    pub change: Money,
    /// `change` ÷ the change of the total: negative against it, above 1 where others go against
    /// it; `None` when the total did not change.
    pub share: Option<f64>,
    /// |`change`| ÷ the sum of all leaves' changes without their signs, from 0 to 1.
    pub gross_share: f64,
    /// How uniformly the leaves moved, from 0 to 1: the part of the money moved that is left when
    /// the common factor actual ÷ expected is taken out, subtracted from 1. New and vanished
    /// elements have 1.
    pub ripple: f64,
    /// How many leaves it counts. A leaf of two causes belongs to the one with more evidence.
    pub n_leaves: usize,
    /// The evidence: by how many nats naming the element shortens the description of the data.
    pub evidence: f64,
}

/// How an element moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Movement {
    /// Nothing was expected of any of its leaves.
    New,
    /// Nothing came of any of its leaves.
    Vanished,
    /// More than expected.
    Increase,
    /// Less than expected.
    Decrease,
}

/// What kind of answer an [`Explanation`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Conclusion {
    /// Every leaf came as expected.
    Unchanged,
    /// The causes carry at least half of what moved.
    Explained,
    /// There are causes, and more than half of what moved is not theirs.
    PartlyExplained,
    /// The change is spread over leaves that have nothing in common.
    NoCause,
    /// Nearly all leaves moved by about one factor, so no value of any dimension sets the cause
    /// apart: a price list, an exchange rate, a load that grew everywhere.
    OutsideTheDimensions {
        /// Actual ÷ expected of the total, without unit.
        factor: f64,
    },
}

impl Cube {
    /// A small set of elements that explains why the actual amounts are not the expected. Finding
    /// the smallest of all sets is a search of exponential length; this one takes the element with
    /// the most evidence first, and its parts instead where they explain more.
    ///
    /// Time and memory grow with leaves × 2^dimensions: five dimensions and 48,000 leaves took
    /// 69 ms on one core, eight and 100,000 took 1.7 s and 0.7 GB. With
    /// [`most_values`](Settings::most_values) of 3 or 4 they take a fraction of it.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum has more digits than an amount holds.
    ///
    /// ```
    /// use bursar_anomaly::attribution::{Conclusion, CubeBuilder, Settings};
    /// use bursar_units::{Currency, Money};
    ///
    /// let mut builder = CubeBuilder::new(Currency::USD, ["service", "region"])?;
    /// for service in ["EC2", "S3", "RDS"] {
    ///     for region in ["eu-west-1", "us-east-1", "us-west-2"] {
    ///         let actual = if service == "EC2" && region == "us-east-1" { "47.82" } else { "12.65" };
    ///         let (expected, actual) = ("12.65", actual);
    ///         let usd = |text| Money::parse(text, Currency::USD);
    ///         builder.add([service, region], usd(expected)?, usd(actual)?)?;
    ///     }
    /// }
    /// let explanation = builder.build()?.explain(&Settings::default())?;
    /// assert_eq!(explanation.conclusion, Conclusion::Explained);
    /// let cause = &explanation.causes[0];
    /// assert_eq!(cause.to_string(), "service=EC2, region=us-east-1: +35.17 USD (100 % of the change)");
    /// assert!(explanation.rest.is_zero());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self, settings: &Settings) -> Result<Explanation, MoneyError> {
        let zero = Money::zero(self.currency());
        let changes = || self.leaves.iter().map(|leaf| leaf.change);
        let change = self.change()?;
        let increases = total(zero, changes().filter(|change| !change.is_negative()))?;
        let decreases = total(zero, changes().filter(Money::is_negative))?;
        let mut leaves = Leaves::of(self);
        let mut explanation = Explanation {
            expected: self.expected(),
            actual: self.actual(),
            change,
            increases,
            decreases,
            causes: Vec::new(),
            rest: change,
            conclusion: Conclusion::Unchanged,
        };
        if increases.is_zero() && decreases.is_zero() {
            return Ok(explanation);
        }
        if let Some(factor) = common_factor(self, &leaves) {
            explanation.conclusion = Conclusion::OutsideTheDimensions { factor };
            return Ok(explanation);
        }
        let found = search(self, &mut leaves, settings);
        let gross = to_f64(increases) - to_f64(decreases);
        for found in &found {
            explanation
                .causes
                .push(self.cause(found, &leaves, change, gross)?);
        }
        explanation.causes.sort_by(|left, right| {
            let size = |cause: &Cause| cause.change.amount().abs();
            size(right)
                .cmp(&size(left))
                .then_with(|| left.element.cmp(&right.element))
        });
        let explained = total(zero, explanation.causes.iter().map(|cause| cause.change))?;
        explanation.rest = change.checked_sub(explained)?;
        let carried: f64 = explanation
            .causes
            .iter()
            .map(|cause| cause.gross_share)
            .sum();
        explanation.conclusion = match () {
            () if explanation.causes.is_empty() => Conclusion::NoCause,
            () if carried < 0.5 => Conclusion::PartlyExplained,
            () => Conclusion::Explained,
        };
        Ok(explanation)
    }

    fn cause(
        &self,
        found: &Found,
        leaves: &Leaves,
        change_of_all: Money,
        gross: f64,
    ) -> Result<Cause, MoneyError> {
        let zero = Money::zero(self.currency());
        let rows: Vec<_> = found
            .leaves
            .iter()
            .map(|&leaf| &self.leaves[leaves.row[leaf]])
            .collect();
        let expected = total(zero, rows.iter().map(|leaf| leaf.expected))?;
        let actual = total(zero, rows.iter().map(|leaf| leaf.actual))?;
        let change = actual.checked_sub(expected)?;
        let element = rows.first().map_or_else(Vec::new, |leaf| {
            (0..self.dimensions().len())
                .filter(|dimension| found.mask & (1 << dimension) != 0)
                .map(|dimension| {
                    let value = &self.values(dimension)[leaf.codes[dimension] as usize];
                    (self.dimensions()[dimension].clone(), value.clone())
                })
                .collect()
        });
        let movement = match () {
            () if rows.iter().all(|leaf| leaf.expected.is_zero()) => Movement::New,
            () if rows.iter().all(|leaf| leaf.actual.is_zero()) => Movement::Vanished,
            () if change.is_negative() => Movement::Decrease,
            () => Movement::Increase,
        };
        Ok(Cause {
            element,
            movement,
            expected,
            actual,
            change,
            share: (!change_of_all.is_zero()).then(|| to_f64(change) / to_f64(change_of_all)),
            gross_share: (to_f64(change).abs() / gross).min(1.0),
            ripple: ripple(
                rows.iter()
                    .map(|leaf| (to_f64(leaf.expected), to_f64(leaf.actual))),
                to_f64(expected),
                to_f64(actual),
            ),
            n_leaves: rows.len(),
            evidence: found.gain,
        })
    }
}

/// Two rounds: the first reads the noise off the calmer side, the second off what it left.
fn search(cube: &Cube, leaves: &mut Leaves, settings: &Settings) -> Vec<Found> {
    let n_values: Vec<u64> = (0..cube.dimensions().len())
        .map(|dimension| cube.values(dimension).len() as u64)
        .collect();
    let everything: Vec<usize> = (0..leaves.len()).collect();
    let cuboids = Cuboids::of(leaves, n_values, settings);
    leaves.learn_normal(&everything, Sides::Calmer);
    let first = Search::new(leaves, &cuboids, settings).run();
    let mut normal = vec![true; leaves.len()];
    for &leaf in first.iter().flat_map(|found| &found.leaves) {
        normal[leaf] = false;
    }
    let rest: Vec<usize> = everything
        .into_iter()
        .filter(|&leaf| normal[leaf])
        .collect();
    if first.is_empty() || rest.is_empty() {
        return first;
    }
    leaves.learn_normal(&rest, Sides::Both);
    Search::new(leaves, &cuboids, settings).run()
}

/// Actual ÷ expected of the total when nine in ten leaves moved within half of the median
/// deviation, and there are enough leaves to say so.
fn common_factor(cube: &Cube, leaves: &Leaves) -> Option<f64> {
    const FEWEST_LEAVES: usize = 8;
    if leaves.len() < FEWEST_LEAVES || cube.expected().is_zero() {
        return None;
    }
    let mut deviations = leaves.deviation.clone();
    deviations.sort_by(f64::total_cmp);
    let median = deviations[deviations.len() / 2];
    let alike = |deviation: &&f64| (**deviation - median).abs() <= 0.5 * median.abs();
    let n_alike = deviations.iter().filter(alike).count();
    let enough = n_alike * 10 >= deviations.len() * 9;
    (enough && median.abs() >= 0.02).then(|| to_f64(cube.actual()) / to_f64(cube.expected()))
}

/// The generalized ripple effect: leaves of a cause change in proportion to what was expected.
fn ripple(leaves: impl Iterator<Item = (f64, f64)>, expected: f64, actual: f64) -> f64 {
    if expected == 0.0 || actual == 0.0 {
        return 1.0;
    }
    let factor = actual / expected;
    let (mut unlike, mut moved) = (0.0, 0.0);
    for (expected, actual) in leaves {
        unlike += (actual - expected * factor).abs();
        moved += (actual - expected).abs();
    }
    (1.0 - unlike / moved).clamp(0.0, 1.0)
}

fn to_f64(money: Money) -> f64 {
    money.amount().to_f64().unwrap_or(0.0)
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (dimension, value)) in self.element.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{dimension}={value}")?;
        }
        let sign = if self.change.is_negative() { "" } else { "+" };
        write!(f, ": {sign}{}", self.change)?;
        match self.movement {
            Movement::New => f.write_str(", new")?,
            Movement::Vanished => f.write_str(", vanished")?,
            Movement::Increase | Movement::Decrease => {}
        }
        match self.share {
            Some(share) => write!(f, " ({:.0} % of the change)", share * 100.0),
            None => write!(f, " ({:.0} % of what moved)", self.gross_share * 100.0),
        }
    }
}

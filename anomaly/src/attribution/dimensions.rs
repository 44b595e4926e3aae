//! Which dimension sets the change apart best, one dimension at a time?
//!
//! After Adtributor (Bhagwan et al., NSDI 2014): an element's explanatory power is its part of the
//! change, its surprise is how much its part of the whole differs from the expected part, a term of
//! the Jensen–Shannon divergence. Amounts are exact; surprise is a statistic.

use bursar_units::{Money, MoneyError};
use rust_decimal::prelude::ToPrimitive;

use super::cube::{Cube, total};

/// One dimension with its values.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DimensionRank {
    /// Its name.
    pub dimension: String,
    /// The Jensen–Shannon divergence between the expected and the actual distribution over its
    /// values, in nats: 0 when they are the same, at most ln 2 for amounts of one sign.
    pub surprise: f64,
    /// Every value, the largest change in either direction first, equal ones by name; their
    /// changes add up to the change of the total.
    pub elements: Vec<ElementRank>,
}

/// One value of a dimension.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ElementRank {
    /// Its name.
    pub value: String,
    /// What was expected of it.
    pub expected: Money,
    /// What came.
    pub actual: Money,
    /// `actual` − `expected`.
    pub change: Money,
    /// Its part of the change; `None` when the total did not change.
    pub explanatory_power: Option<f64>,
    /// Its term of the dimension's surprise, in nats.
    pub surprise: f64,
}

impl Cube {
    /// The dimensions, the most surprising first, equal ones in the cube's order.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum has more digits than an amount holds.
    pub fn rank_dimensions(&self) -> Result<Vec<DimensionRank>, MoneyError> {
        let mut ranks = (0..self.dimensions().len())
            .map(|dimension| self.rank(dimension))
            .collect::<Result<Vec<_>, _>>()?;
        ranks.sort_by(|left, right| right.surprise.total_cmp(&left.surprise));
        Ok(ranks)
    }

    fn rank(&self, dimension: usize) -> Result<DimensionRank, MoneyError> {
        let mut members = vec![Vec::new(); self.values(dimension).len()];
        for leaf in &self.leaves {
            members[leaf.codes[dimension] as usize].push(leaf);
        }
        let zero = Money::zero(self.currency());
        let change_of_all = self.change()?;
        let mut elements = Vec::with_capacity(members.len());
        for (value, leaves) in self.values(dimension).iter().zip(members) {
            let expected = total(zero, leaves.iter().map(|leaf| leaf.expected))?;
            let actual = total(zero, leaves.iter().map(|leaf| leaf.actual))?;
            let change = actual.checked_sub(expected)?;
            elements.push(ElementRank {
                value: value.clone(),
                expected,
                actual,
                change,
                explanatory_power: part(change, change_of_all),
                surprise: surprise(
                    part(expected, self.expected()).unwrap_or(0.0),
                    part(actual, self.actual()).unwrap_or(0.0),
                ),
            });
        }
        elements.sort_by(|left, right| {
            let size = |element: &ElementRank| element.change.amount().abs();
            size(right)
                .cmp(&size(left))
                .then_with(|| left.value.cmp(&right.value))
        });
        Ok(DimensionRank {
            dimension: self.dimensions()[dimension].clone(),
            surprise: elements.iter().map(|element| element.surprise).sum(),
            elements,
        })
    }
}

/// One term of the Jensen–Shannon divergence, ½ (p ln 2p/(p+q) + q ln 2q/(p+q)). A negative part (a credit) has no probability and counts as none.
fn surprise(expected: f64, actual: f64) -> f64 {
    let (p, q) = (expected.max(0.0), actual.max(0.0));
    let term = |x: f64| {
        if x > 0.0 {
            x * (2.0 * x / (p + q)).ln()
        } else {
            0.0
        }
    };
    0.5 * (term(p) + term(q))
}

fn part(money: Money, whole: Money) -> Option<f64> {
    if whole.is_zero() {
        return None;
    }
    Some(money.amount().to_f64()? / whole.amount().to_f64()?)
}

//! What was expected and what came, for each combination of dimension values?

use std::collections::BTreeMap;

use bursar_units::{Currency, Money, MoneyError};

/// The most dimensions that a [`Cube`] takes: the search looks at every subset of them.
pub const MOST_DIMENSIONS: usize = 8;

/// Collects the leaves of a [`Cube`].
#[derive(Debug, Clone)]
pub struct CubeBuilder {
    currency: Currency,
    dimensions: Vec<String>,
    leaves: Vec<(Vec<String>, Money, Money)>,
}

/// Expected and actual amounts by dimension values, each combination once.
///
/// The order in which leaves were added leaves no trace in it: values and leaves are sorted.
///
/// ```
/// use bursar_anomaly::attribution::CubeBuilder;
/// use bursar_units::{Currency, Money};
///
/// let usd = |text| Money::parse(text, Currency::USD);
/// let mut builder = CubeBuilder::new(Currency::USD, ["service", "region"])?;
/// builder.add(["EC2", "us-east-1"], usd("12.65")?, usd("47.82")?)?;
/// builder.add(["S3", "us-east-1"], usd("3.00")?, usd("3.10")?)?;
/// let cube = builder.build()?;
/// assert_eq!(cube.change()?, usd("35.27")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cube {
    currency: Currency,
    dimensions: Vec<String>,
    /// The values of each dimension, sorted.
    values: Vec<Vec<String>>,
    pub(super) leaves: Vec<Leaf>,
    expected: Money,
    actual: Money,
}

/// One combination of a value for every dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The place of its value among the sorted ones, for each dimension.
    pub(super) codes: Vec<u32>,
    pub(super) expected: Money,
    pub(super) actual: Money,
    pub(super) change: Money,
}

/// Why there is no cube.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CubeError {
    /// No dimension, or too many.
    #[error("a cube has 1 to {MOST_DIMENSIONS} dimensions, not {0}: choose those that can differ")]
    DimensionCount(usize),
    /// Two dimensions have one name.
    #[error("the dimension `{0}` is named twice: give each its own name")]
    RepeatedDimension(String),
    /// A leaf has too few or too many values.
    #[error("a leaf has {found} values for {expected} dimensions: give one for each")]
    ValueCount {
        /// How many dimensions there are.
        expected: usize,
        /// How many values came.
        found: usize,
    },
    /// An amount is in another currency than the cube.
    #[error(
        "an amount is in {found} and the cube in {expected}: convert it, or make one cube per currency"
    )]
    Currency {
        /// The cube's currency.
        expected: Currency,
        /// The amount's currency.
        found: Currency,
    },
    /// A sum or difference of amounts cannot be told exactly.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl CubeBuilder {
    /// An empty cube in one currency.
    ///
    /// # Errors
    /// [`CubeError::DimensionCount`] unless there are 1 to [`MOST_DIMENSIONS`];
    /// [`CubeError::RepeatedDimension`].
    pub fn new<S: Into<String>>(
        currency: Currency,
        dimensions: impl IntoIterator<Item = S>,
    ) -> Result<Self, CubeError> {
        let dimensions: Vec<String> = dimensions.into_iter().map(Into::into).collect();
        if dimensions.is_empty() || dimensions.len() > MOST_DIMENSIONS {
            return Err(CubeError::DimensionCount(dimensions.len()));
        }
        for (index, name) in dimensions.iter().enumerate() {
            if dimensions[..index].contains(name) {
                return Err(CubeError::RepeatedDimension(name.clone()));
            }
        }
        Ok(Self {
            currency,
            dimensions,
            leaves: Vec::new(),
        })
    }

    /// Adds a leaf: its value for each dimension, what was expected and what came. A leaf that was
    /// there already grows by it. Expected zero is a new element, actual zero a vanished one.
    ///
    /// # Errors
    /// [`CubeError::ValueCount`]; [`CubeError::Currency`].
    pub fn add<S: Into<String>>(
        &mut self,
        values: impl IntoIterator<Item = S>,
        expected: Money,
        actual: Money,
    ) -> Result<(), CubeError> {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.len() != self.dimensions.len() {
            return Err(CubeError::ValueCount {
                expected: self.dimensions.len(),
                found: values.len(),
            });
        }
        for amount in [expected, actual] {
            if amount.currency() != self.currency {
                return Err(CubeError::Currency {
                    expected: self.currency,
                    found: amount.currency(),
                });
            }
        }
        self.leaves.push((values, expected, actual));
        Ok(())
    }

    /// The cube of these leaves.
    ///
    /// # Errors
    /// [`CubeError::Money`] when a total has more digits than an amount holds.
    pub fn build(mut self) -> Result<Cube, CubeError> {
        // Sums of very different scales can fail in one order only; sorting makes it one order.
        self.leaves.sort_by(|left, right| {
            let amounts = |leaf: &(Vec<String>, Money, Money)| (leaf.1.amount(), leaf.2.amount());
            left.0
                .cmp(&right.0)
                .then_with(|| amounts(left).cmp(&amounts(right)))
        });
        let values: Vec<Vec<String>> = (0..self.dimensions.len())
            .map(|dimension| sorted_values(&self.leaves, dimension))
            .collect();
        let codes: Vec<BTreeMap<&str, u32>> = values.iter().map(|all| codes_of(all)).collect();
        let mut leaves: Vec<Leaf> = Vec::with_capacity(self.leaves.len());
        for (names, expected, actual) in &self.leaves {
            let codes: Vec<u32> = names
                .iter()
                .zip(&codes)
                .map(|(name, codes)| codes[name.as_str()])
                .collect();
            match leaves.last_mut() {
                Some(last) if last.codes == codes => {
                    last.expected = last.expected.checked_add(*expected)?;
                    last.actual = last.actual.checked_add(*actual)?;
                }
                _ => leaves.push(Leaf {
                    codes,
                    expected: *expected,
                    actual: *actual,
                    change: Money::zero(self.currency),
                }),
            }
        }
        for leaf in &mut leaves {
            leaf.change = leaf.actual.checked_sub(leaf.expected)?;
        }
        let zero = Money::zero(self.currency);
        let expected = total(zero, leaves.iter().map(|leaf| leaf.expected))?;
        let actual = total(zero, leaves.iter().map(|leaf| leaf.actual))?;
        Ok(Cube {
            currency: self.currency,
            dimensions: self.dimensions,
            values,
            leaves,
            expected,
            actual,
        })
    }
}

impl Cube {
    /// The currency of all amounts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The names of the dimensions, as they were given.
    #[must_use]
    pub fn dimensions(&self) -> &[String] {
        &self.dimensions
    }

    /// The values of a dimension by its index, sorted; empty when there is no such dimension.
    #[must_use]
    pub fn values(&self, dimension: usize) -> &[String] {
        self.values.get(dimension).map_or(&[], Vec::as_slice)
    }

    /// How many different leaves there are.
    #[must_use]
    pub const fn n_leaves(&self) -> usize {
        self.leaves.len()
    }

    /// What was expected in all.
    pub const fn expected(&self) -> Money {
        self.expected
    }

    /// What came in all.
    pub const fn actual(&self) -> Money {
        self.actual
    }

    /// Actual less expected.
    ///
    /// # Errors
    /// [`MoneyError`] when the difference has more digits than an amount holds.
    pub fn change(&self) -> Result<Money, MoneyError> {
        self.actual.checked_sub(self.expected)
    }
}

/// The exact sum, which is zero in a currency for nothing.
pub(super) fn total(
    zero: Money,
    amounts: impl IntoIterator<Item = Money>,
) -> Result<Money, MoneyError> {
    amounts.into_iter().try_fold(zero, Money::checked_add)
}

fn sorted_values(leaves: &[(Vec<String>, Money, Money)], dimension: usize) -> Vec<String> {
    let mut values: Vec<&String> = leaves.iter().map(|leaf| &leaf.0[dimension]).collect();
    values.sort_unstable();
    values.dedup();
    values.into_iter().cloned().collect()
}

fn codes_of(values: &[String]) -> BTreeMap<&str, u32> {
    (0_u32..)
        .zip(values)
        .map(|(code, value)| (value.as_str(), code))
        .collect()
}

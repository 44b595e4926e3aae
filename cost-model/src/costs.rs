//! What do many charges cost together, and for how many of them is that not known?

use crate::{CostRecord, Exact, ExactError, ExactSum};

/// The sum of one cost over many charges.
///
/// A charge that does not state this cost is counted and not added: unknown is not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CostSum {
    /// The sum over the charges that state the cost.
    pub sum: ExactSum,
    /// How many charges do not.
    pub unknown_rows: u64,
}

impl CostSum {
    #[inline]
    fn add(&mut self, cost: Option<Exact>) -> Result<(), ExactError> {
        match cost {
            Some(cost) => self.sum.add(cost),
            None => {
                self.unknown_rows += 1;
                Ok(())
            }
        }
    }

    fn merge(&mut self, other: &CostSum) -> Result<(), ExactError> {
        self.unknown_rows += other.unknown_rows;
        self.sum.add_sum(&other.sum)
    }
}

/// Which of the four costs of FOCUS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum CostKind {
    /// What is invoiced.
    #[default]
    Billed,
    /// After all discounts, with prepaid purchases spread over what they cover.
    Effective,
    /// At the public price.
    List,
    /// At the negotiated price, before commitment discounts.
    Contracted,
}

/// The four costs of many charges in one currency.
///
/// ```
/// use bursar_cost_model::{CostKind, CostRecord, Costs};
/// use bursar_units::Currency;
///
/// let mut charge = CostRecord::new(Currency::USD);
/// charge.billed_cost = Some("0.1".parse()?);
/// let mut costs = Costs::default();
/// for _ in 0..3 {
///     costs.add(&charge)?;
/// }
/// assert_eq!(costs.of(CostKind::Billed).sum.to_string(), "0.3");
/// // No charge states a list cost: the sum of those that do is of none.
/// assert_eq!(costs.of(CostKind::List).unknown_rows, 3);
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Costs {
    /// What is invoiced.
    pub billed: CostSum,
    /// After all discounts, with prepaid purchases spread over what they cover.
    pub effective: CostSum,
    /// At the public price.
    pub list: CostSum,
    /// At the negotiated price, before commitment discounts.
    pub contracted: CostSum,
    /// How many charges.
    pub rows: u64,
}

impl Costs {
    /// Adds one charge, whatever its currency: the caller keeps currencies apart.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`].
    #[inline]
    pub fn add(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        self.rows += 1;
        self.billed.add(record.billed_cost)?;
        self.effective.add(record.effective_cost)?;
        self.list.add(record.list_cost)?;
        self.contracted.add(record.contracted_cost)
    }

    /// Adds the charges of another sum in the same currency.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`], see [`ExactSum::add`].
    pub fn merge(&mut self, other: &Costs) -> Result<(), ExactError> {
        self.rows += other.rows;
        self.billed.merge(&other.billed)?;
        self.effective.merge(&other.effective)?;
        self.list.merge(&other.list)?;
        self.contracted.merge(&other.contracted)
    }

    /// One of the four.
    #[must_use]
    pub fn of(&self, kind: CostKind) -> &CostSum {
        match kind {
            CostKind::Billed => &self.billed,
            CostKind::Effective => &self.effective,
            CostKind::List => &self.list,
            CostKind::Contracted => &self.contracted,
        }
    }
}

//! How does a cost become a price, step by step?

use std::fmt;

use bursar_units::Money;

/// A step on the way from cost to price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Step {
    /// What the provider is paid.
    Cost,
    /// The mark-up of the tier's target margin.
    Tier,
    /// What the factor of the model adds to or takes from the mark-up.
    Model,
    /// What the factor of the supply adds or takes.
    Supply,
    /// The discounts of a volume and of the contract.
    Discount,
    /// What the bounds of margin and contract add or take.
    Bound,
    /// The way to the contract's fixed price.
    FixedPrice,
    /// The way to a multiple of the quantum.
    Rounding,
}

impl Step {
    /// The steps in their order.
    pub const ALL: [Self; 8] = [
        Self::Cost,
        Self::Tier,
        Self::Model,
        Self::Supply,
        Self::Discount,
        Self::Bound,
        Self::FixedPrice,
        Self::Rounding,
    ];

    /// In a word or two: `tier mark-up`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Tier => "tier mark-up",
            Self::Model => "model",
            Self::Supply => "supply",
            Self::Discount => "discount",
            Self::Bound => "bound",
            Self::FixedPrice => "fixed price",
            Self::Rounding => "rounding",
        }
    }
}

/// `tier mark-up`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The steps from cost to price. They add up to the price to the last digit.
///
/// After each step the exact total, a fraction, is rounded half to even to [`places`](Self::places); a step
/// is the difference of two such totals. So each step is within one unit of that place of its exact value,
/// and nothing is left over. Cost and price themselves are not rounded. Every total is a decimal, so that
/// [`Money::try_sum`] of the steps is the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Waterfall {
    amounts: [Money; Step::ALL.len()],
    places: u32,
}

impl Waterfall {
    pub(crate) const fn new(amounts: [Money; Step::ALL.len()], places: u32) -> Self {
        Self { amounts, places }
    }

    /// The decimal places that totals between steps are rounded to: four more than cost, quantum and the
    /// terms of the contract have, and fewer where 28 digits do not suffice.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.places
    }

    /// What a step adds, or takes where it is under zero.
    pub fn amount(&self, step: Step) -> Money {
        let index = match step {
            Step::Cost => 0,
            Step::Tier => 1,
            Step::Model => 2,
            Step::Supply => 3,
            Step::Discount => 4,
            Step::Bound => 5,
            Step::FixedPrice => 6,
            Step::Rounding => 7,
        };
        self.amounts[index]
    }

    /// All steps, also those that change nothing.
    pub fn steps(&self) -> impl Iterator<Item = (Step, Money)> + '_ {
        Step::ALL.into_iter().zip(self.amounts)
    }
}

/// One line for each step that changes something.
impl fmt::Display for Waterfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (step, money) in self.steps().filter(|(_, money)| !money.is_zero()) {
            write!(f, "{separator}{step:<12} {:>20}", money.to_string())?;
            separator = "\n";
        }
        Ok(())
    }
}

//! What did a call cost, to the last digit, and why?

mod calculation;

use std::sync::Arc;

use bursar_units::{Money, MoneyError, UnitRate};

use crate::name::{ModelId, ProviderId, Region};
use crate::price_list::NoPrice;
use crate::price_terms::{Processing, Source, Validity};
use crate::usage::{Direction, UsageKind};

pub(crate) use self::calculation::{Calculation, calculate};

/// The cost of a call: its lines, their sum, and everything that was assumed.
///
/// What has no rate is in [`unpriced`](Self::unpriced) and not in a sum: [`total`](Self::total) is an
/// error then, and never too low in silence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[must_use]
pub struct Cost {
    /// One for each kind that has a rate and was used, parts before their wholes.
    pub lines: Vec<CostLine>,
    /// What was used and has no rate.
    pub unpriced: Vec<Unpriced>,
    /// What the price list does not say and the sum depends on.
    pub assumptions: Vec<Assumption>,
    /// Which price it was.
    pub provenance: Provenance,
    pub(crate) known_total: Money,
    pub(crate) input: Money,
    pub(crate) output: Money,
}

/// A kind of usage at its rate.
///
/// The count of a whole is what is left of it: where cached tokens have a rate, the line of the input is
/// about the rest of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CostLine {
    /// What was used.
    pub kind: UsageKind,
    /// How many units at this rate.
    pub count: u64,
    /// The rate.
    pub rate: UnitRate,
    /// Both multiplied, exactly.
    pub amount: Money,
    /// Where the rate is that of long inputs: of more tokens than this.
    pub tier_above: Option<u64>,
}

/// Usage without a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Unpriced {
    /// What was used.
    pub kind: UsageKind,
    /// How many units.
    pub count: u64,
}

/// Something that a price list does not say, with what was taken in its place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "assumption")]
#[non_exhaustive]
pub enum Assumption {
    /// A part that mostly has its own rate has none in this list, and was billed like its whole.
    BilledAsWhole {
        /// The part.
        kind: UsageKind,
        /// How many units.
        count: u64,
        /// The whole.
        whole: UsageKind,
    },
    /// What two kinds share has no rate in this list, and was billed like one of them.
    OverlapBilledAs {
        /// What is shared.
        kind: UsageKind,
        /// How many units.
        count: u64,
        /// The kind whose rate was taken.
        billed_as: UsageKind,
    },
    /// How long the input was is not known, and the rates of short inputs were taken.
    ShortInput,
    /// The list has no price for the region, and that of no region was taken.
    NoRegionalPrice {
        /// Where the call was made.
        region: Region,
    },
    /// The provider's list does not have the model, and another provider's was taken, as the list says.
    OtherProvidersPrice {
        /// Who was asked.
        provider: ProviderId,
    },
}

/// Which price a cost was computed with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Provenance {
    /// In whose list.
    pub provider: ProviderId,
    /// The entry, which may stand for many names.
    pub model: ModelId,
    /// For which processing.
    pub processing: Processing,
    /// For which region.
    pub region: Option<Region>,
    /// When it holds.
    pub validity: Validity,
    /// Who says so.
    pub source: Arc<Source>,
}

/// Why a call has no cost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// There is no price.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    /// Something was used that has no rate.
    #[error("{count} {kind} of {model} have no rate; `known_total` is the cost of the rest")]
    NoRate {
        /// Of which kind.
        kind: UsageKind,
        /// How many units.
        count: u64,
        /// In which entry it is missing.
        model: ModelId,
    },
    /// Nothing is known of the usage.
    #[error("a call of which no usage is known has no known cost")]
    NoUsage,
    /// A whole is not known although a part of it is.
    #[error("{part} were reported without {whole}, of which they are a part")]
    MissingWhole {
        /// The whole, which has a rate.
        whole: UsageKind,
        /// A part that is known.
        part: UsageKind,
    },
    /// Two kinds overlap, and how much they share is not known.
    #[error("{one} and {other} were reported without {shared}, which both of them hold")]
    MissingOverlap {
        /// What they share.
        shared: UsageKind,
        /// One of them.
        one: UsageKind,
        /// The other.
        other: UsageKind,
    },
    /// The parts of a whole are more than the whole.
    #[error(
        "the parts of {whole} are {parts} and the whole is {count}; check which kinds the provider's counts include"
    )]
    PartsOverWhole {
        /// The whole.
        whole: UsageKind,
        /// How many there are of it.
        count: u64,
        /// How many its parts add up to; 2⁶⁴ − 1 where that is too many to count.
        parts: u64,
    },
    /// An amount is too large or has too many digits.
    #[error("the cost cannot be computed")]
    Money(#[from] MoneyError),
}

impl Cost {
    /// What the call cost.
    ///
    /// # Errors
    /// [`CostError::NoRate`] where something that was used has no rate.
    pub fn total(&self) -> Result<Money, CostError> {
        match self.unpriced.first() {
            None => Ok(self.known_total),
            Some(&Unpriced { kind, count }) => Err(CostError::NoRate {
                kind,
                count,
                model: self.provenance.model.clone(),
            }),
        }
    }

    /// The sum of the lines, which is what the call cost if [`unpriced`](Self::unpriced) is empty.
    pub const fn known_total(&self) -> Money {
        self.known_total
    }

    /// The sum of the lines of one direction. Searches and the like are in neither.
    pub const fn known_total_of(&self, direction: Direction) -> Money {
        match direction {
            Direction::Input => self.input,
            Direction::Output => self.output,
        }
    }
}

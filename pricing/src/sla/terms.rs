//! What does a tier promise?

use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::Tier;
use crate::exact::{TooWide, Whole, Wide, units};

/// Why terms of service cannot be written down, or a period cannot be judged by them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlaError {
    /// A share is below 0 or above 1.
    #[error("a share of {0} is not between 0 and 1: write 99.9 % as 0.999")]
    NotAShare(Decimal),
    /// A period or an excluded window ends before it begins.
    #[error("the window from {start} ends at {end}, which is not later: exchange the two")]
    EmptyWindow {
        /// Where it begins.
        start: jiff::Timestamp,
        /// Where it ends.
        end: jiff::Timestamp,
    },
    /// An event lies outside the period that is measured.
    #[error(
        "the event at {at} lies outside the period from {start} to {end}: measure it in its own"
    )]
    OutsidePeriod {
        /// When it happened.
        at: jiff::Timestamp,
        /// Where the period begins.
        start: jiff::Timestamp,
        /// Where it ends, no longer a part of it.
        end: jiff::Timestamp,
    },
    /// There are more events than a 64-bit counter holds.
    #[error("more than 2^64 events in one period")]
    TooManyEvents,
    /// What the tenant paid is below zero, so nothing can be capped by it.
    #[error("the fees of the period are {0}: pass what was charged, at least zero")]
    NegativeFees(bursar_units::Money),
    /// The value of a request is below zero.
    #[error(
        "the value of a request is {0}: pass what a failed request is worth to the customer, at least zero"
    )]
    NegativeValue(bursar_units::Money),
    /// Credit and refund together give back more than was paid.
    #[error("a credit of {credit} and a refund of {refund} of the fees are more than the fees")]
    MoreThanAll {
        /// The share given as credit.
        credit: Share,
        /// The share paid back.
        refund: Share,
    },
    /// An amount cannot be kept, or two currencies meet.
    #[error(transparent)]
    Money(#[from] bursar_units::MoneyError),
}

/// A share of a whole, from 0 to 1, exact.
///
/// ```
/// use bursar_pricing::sla::Share;
/// use rust_decimal::Decimal;
///
/// let promised = Share::new(Decimal::new(9999, 4))?;
/// assert_eq!(promised.to_string(), "99.99 %");
/// assert!(Share::new(Decimal::new(9999, 2)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
pub struct Share(Decimal);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(Decimal::ZERO);
    /// All of it.
    pub const ALL: Self = Self(Decimal::ONE);

    /// A share between 0 and 1, both included.
    ///
    /// # Errors
    /// [`SlaError::NotAShare`].
    pub fn new(share: Decimal) -> Result<Self, SlaError> {
        if (Decimal::ZERO..=Decimal::ONE).contains(&share) {
            return Ok(Self(share));
        }
        Err(SlaError::NotAShare(share))
    }

    /// A whole number of hundredths of a percent, at most 10 000.
    pub(crate) const fn of_basis_points(points: u32) -> Self {
        Self(Decimal::from_parts(points, 0, 0, false, 4))
    }

    /// The share as a number.
    #[must_use]
    pub const fn as_decimal(self) -> Decimal {
        self.0
    }

    /// Whether `part` of `whole` is at least this share, decided on whole numbers of any size.
    ///
    /// Of nothing every share is reached, since nothing was missed.
    #[must_use]
    pub fn is_reached_by(self, part: u64, whole: u64) -> bool {
        self.is_reached_in::<u128>(part, whole)
            .or_else(|TooWide| self.is_reached_in::<Wide>(part, whole))
            // Never reached: 64 bits times 94 are fewer than 512.
            .unwrap_or(part >= whole)
    }

    /// part × 10^places ≥ whole × digits, for a share of so many digits and places.
    fn is_reached_in<W: Whole>(self, part: u64, whole: u64) -> Result<bool, TooWide> {
        let part = units::<W>(Decimal::from(part), self.0.scale())?;
        let digits = W::of(self.0.mantissa().unsigned_abs());
        Ok(part >= W::of(whole.into()).times(digits)?)
    }
}

impl TryFrom<Decimal> for Share {
    type Error = SlaError;

    fn try_from(share: Decimal) -> Result<Self, SlaError> {
        Self::new(share)
    }
}

impl From<Share> for Decimal {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// `99.99 %`.
impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(self.0);
        write!(formatter, "{} %", percent.normalize())
    }
}

/// Which part of the answers a latency is promised for: 0.99 is the 99th percentile.
pub type Percentile = Share;

/// From when to when a latency is taken. The two differ by the length of the answer, so that a
/// promise without its clock is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LatencyClock {
    /// From the request to the first token of the answer.
    TimeToFirstToken,
    /// From the request to the end of the answer. A model that writes a thousand tokens cannot do it
    /// in a second.
    WholeAnswer,
}

/// So large a part of the answers is there within so long a time.
///
/// It is judged as a share (how many came in time), which is exact, and not as a percentile of a
/// histogram, which is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LatencyPromise {
    /// The part of the answers.
    pub percentile: Percentile,
    /// The time within which they come.
    pub within: Duration,
    /// What that time is taken from and to.
    pub clock: LatencyClock,
}

/// How a customer reaches help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Support {
    /// Others who use it.
    Community,
    /// By e-mail.
    Email,
    /// A person of one's own.
    Dedicated,
}

/// What a tier promises for a period, and what it gives back when it did not keep it.
///
/// ```
/// use bursar_pricing::{Tier, sla::SlaTerms};
///
/// let terms = SlaTerms::of_tier(&Tier::Enterprise).ok_or("the three tiers have terms")?;
/// assert_eq!(terms.availability.to_string(), "99.99 %");
/// assert_eq!((terms.credit.to_string(), terms.refund.to_string()), ("25 %".into(), "5 %".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlaTerms {
    /// The part of valid requests that is answered.
    pub availability: Share,
    /// How fast, if that is promised.
    pub latency: Option<LatencyPromise>,
    /// How a customer reaches help.
    pub support: Support,
    /// Of what affected requests are worth, the share that is credited.
    pub credit: Share,
    /// Of what affected requests are worth, the share that is paid back beside it.
    pub refund: Share,
    /// The fewest valid requests of a period on which a verdict is passed. One failure among a
    /// hundred requests says nothing about 99.99 %.
    pub minimum_requests: u64,
}

/// Below a thousand requests one failure alone breaks a promise of 99.9 %.
const MINIMUM_REQUESTS: u64 = 1_000;

impl SlaTerms {
    /// The terms of the three standard tiers; a tier of one's own has those that one gives it.
    ///
    /// | tier | availability | p99 to the first token | support | credit | refund |
    /// |---|---|---|---|---|---|
    /// | free | 99 % | 5000 ms | community | – | – |
    /// | growth | 99.9 % | 2000 ms | e-mail | 10 % | – |
    /// | enterprise | 99.99 % | 1000 ms | dedicated | 25 % | 5 % |
    #[must_use]
    pub const fn of_tier(tier: &Tier) -> Option<Self> {
        match tier {
            Tier::Free => Some(Self::standard(9_900, 5_000, Support::Community, 0, 0)),
            Tier::Growth => Some(Self::standard(9_990, 2_000, Support::Email, 1_000, 0)),
            Tier::Enterprise => Some(Self::standard(9_999, 1_000, Support::Dedicated, 2_500, 500)),
            _ => None,
        }
    }

    const fn standard(
        availability: u32,
        p99_millis: u64,
        support: Support,
        credit: u32,
        refund: u32,
    ) -> Self {
        let latency = LatencyPromise {
            percentile: Share::of_basis_points(9_900),
            within: Duration::from_millis(p99_millis),
            clock: LatencyClock::TimeToFirstToken,
        };
        Self {
            availability: Share::of_basis_points(availability),
            latency: Some(latency),
            support,
            credit: Share::of_basis_points(credit),
            refund: Share::of_basis_points(refund),
            minimum_requests: MINIMUM_REQUESTS,
        }
    }
}

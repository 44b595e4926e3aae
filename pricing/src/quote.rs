//! What price was promised, until when, and for what inputs?

mod fingerprint;

use self::fingerprint::Origin;
pub use self::fingerprint::{Fingerprint, FingerprintError};

use bursar_units::Money;
use jiff::{SignedDuration, Timestamp};

use crate::error::PricingError;
use crate::margin::Margin;
use crate::name::{Model, QuoteId, RedemptionId, Tier};
use crate::policy::PricingPolicy;
use crate::price::{CostRise, Price, PriceRequest};
use crate::token_kind::TokenKind;

/// A price that holds for a time, whatever happens to costs and demand.
///
/// The price is frozen with its explanation. [`cost_rise`](PriceRequest::cost_rise) of the request is the
/// largest move of the provider that the promise covers: the quoted price keeps the floor for a cost of
/// c × (1 + σ).
///
/// ```
/// use bursar_pricing::{Model, NotRedeemable, PriceRequest, PricingPolicy, Quote, QuoteId, Tier};
/// use jiff::{SignedDuration, Timestamp, civil::date};
///
/// let policy = PricingPolicy::standard();
/// let request = PriceRequest::new("10.00 USD".parse()?, &Tier::Free, &Model::DOMESTIC, date(2026, 11, 27))
///     .cost_rise("10%".parse()?);
/// let issued_at: Timestamp = "2026-11-27T12:00:00Z".parse()?;
/// let quote = Quote::issue(QuoteId::new("q-1")?, &policy, &request, issued_at, SignedDuration::from_hours(24))?;
///
/// // 11.00 ÷ 0.85 and not 10.00 ÷ 0.85: the margin is 15 % even after a rise.
/// assert_eq!(quote.redeem(issued_at)?.to_string(), "12.95 USD");
/// assert!(quote.keeps_floor_at("11.00 USD".parse()?)?);
///
/// let a_day_later: Timestamp = "2026-11-28T12:00:00Z".parse()?;
/// assert!(matches!(quote.redeem(a_day_later), Err(NotRedeemable::Expired { .. })));
/// // The same inputs have the same fingerprint.
/// assert!(quote.is_for(&policy, &request)?);
/// assert!(!quote.is_for(&policy, &request.cost_rise("5%".parse()?))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Saved", into = "saved::Saved")
)]
#[must_use]
pub struct Quote {
    id: QuoteId,
    tier: Tier,
    model: Model,
    kind: Option<TokenKind>,
    cost_rise: CostRise,
    least_margin: Margin,
    price: Price,
    issued_at: Timestamp,
    expires_at: Timestamp,
    origin: Origin,
}

/// Why a quote could not be issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// There is no price to promise.
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// The quote would never hold, or for longer than there are dates.
    #[error(
        "a quote cannot hold for {validity:#} from {issued_at} on: give it some time over zero"
    )]
    NoValidity {
        /// When it was to be issued.
        issued_at: Timestamp,
        /// For how long it was to hold.
        validity: SignedDuration,
    },
}

/// Why a quote is not redeemed: an answer, not a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NotRedeemable {
    /// Nobody has issued it.
    #[error("there is no such quote")]
    Unknown,
    /// It holds later.
    #[error("the quote holds from {issued_at} on")]
    NotYetValid {
        /// From when on.
        issued_at: Timestamp,
    },
    /// It holds no longer.
    #[error("the quote held until {expires_at}: ask for another")]
    Expired {
        /// Until when, this moment excluded.
        expires_at: Timestamp,
    },
    /// It was redeemed for something else.
    #[error("the quote was redeemed for `{by}`")]
    Taken {
        /// For what.
        by: RedemptionId,
    },
}

impl Quote {
    /// Promises the price of a request from `issued_at` on, for `validity`.
    ///
    /// # Errors
    /// [`QuoteError::Pricing`] as [`PricingPolicy::price`]; [`QuoteError::NoValidity`].
    pub fn issue(
        id: QuoteId,
        policy: &PricingPolicy,
        request: &PriceRequest<'_>,
        issued_at: Timestamp,
        validity: SignedDuration,
    ) -> Result<Self, QuoteError> {
        let no_validity = || QuoteError::NoValidity {
            issued_at,
            validity,
        };
        let expires_at = issued_at.checked_add(validity).map_err(|_| no_validity())?;
        if expires_at <= issued_at {
            return Err(no_validity());
        }
        let price = policy.price(request)?;
        Ok(Self {
            id,
            tier: request.tier.clone(),
            model: request.model.clone(),
            kind: request.kind,
            cost_rise: request.cost_rise,
            least_margin: policy.bounds().least(),
            origin: Origin::of(policy, request, &price),
            price,
            issued_at,
            expires_at,
        })
    }

    /// The promised price, exactly as quoted, if the quote holds at this moment: from its issue until
    /// before its expiry.
    ///
    /// # Errors
    /// [`NotRedeemable::NotYetValid`]; [`NotRedeemable::Expired`].
    pub fn redeem(&self, at: Timestamp) -> Result<Money, NotRedeemable> {
        if at < self.issued_at {
            let issued_at = self.issued_at;
            return Err(NotRedeemable::NotYetValid { issued_at });
        }
        if at >= self.expires_at {
            let expires_at = self.expires_at;
            return Err(NotRedeemable::Expired { expires_at });
        }
        Ok(self.price.price())
    }

    /// Whether the promised price has the policy's least margin at what it costs now.
    ///
    /// # Errors
    /// [`PricingError::Currency`] when the cost is in another currency.
    pub fn keeps_floor_at(&self, cost: Money) -> Result<bool, PricingError> {
        crate::price::keeps_floor(self.price.price(), cost, self.least_margin)
    }

    /// Whether this quote was made from the same inputs and rules.
    ///
    /// # Errors
    /// As [`PricingPolicy::price`], when the request has no price today.
    pub fn is_for(
        &self,
        policy: &PricingPolicy,
        request: &PriceRequest<'_>,
    ) -> Result<bool, PricingError> {
        let price = policy.price(request)?;
        Ok(self.origin == Origin::of(policy, request, &price))
    }

    /// Which quote it is.
    #[must_use]
    pub const fn id(&self) -> &QuoteId {
        &self.id
    }

    /// For a customer of which tier.
    #[must_use]
    pub const fn tier(&self) -> &Tier {
        &self.tier
    }

    /// For which model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// For which kind of tokens, where that was asked for.
    #[must_use]
    pub const fn kind(&self) -> Option<TokenKind> {
        self.kind
    }

    /// How large a rise of the cost the promise covers.
    pub const fn cost_rise(&self) -> CostRise {
        self.cost_rise
    }

    /// The frozen price with its explanation.
    pub const fn price(&self) -> &Price {
        &self.price
    }

    /// From when on it holds.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Until when it holds, this moment excluded.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What tells these inputs from others. It is hashed when it is asked for or kept, not at issue.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.origin.fingerprint()
    }
}

#[cfg(feature = "serde")]
mod saved {
    //! How is a quote kept?

    use jiff::Timestamp;

    use super::fingerprint::Origin;
    use super::{Fingerprint, Quote};
    use crate::format::Format;
    use crate::margin::Margin;
    use crate::name::{Model, QuoteId, Tier};
    use crate::price::{CostRise, Price};
    use crate::token_kind::TokenKind;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Saved {
        format: Format<1>,
        id: QuoteId,
        tier: Tier,
        model: Model,
        kind: Option<TokenKind>,
        cost_rise: CostRise,
        least_margin: Margin,
        price: Price,
        issued_at: Timestamp,
        expires_at: Timestamp,
        fingerprint: Fingerprint,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the quote expires at {expires_at}, not after its issue at {issued_at}")]
    pub(super) struct NeverValid {
        issued_at: Timestamp,
        expires_at: Timestamp,
    }

    impl TryFrom<Saved> for Quote {
        type Error = NeverValid;

        fn try_from(saved: Saved) -> Result<Self, NeverValid> {
            let (issued_at, expires_at) = (saved.issued_at, saved.expires_at);
            if expires_at <= issued_at {
                return Err(NeverValid {
                    issued_at,
                    expires_at,
                });
            }
            Ok(Self {
                id: saved.id,
                tier: saved.tier,
                model: saved.model,
                kind: saved.kind,
                cost_rise: saved.cost_rise,
                least_margin: saved.least_margin,
                price: saved.price,
                issued_at,
                expires_at,
                origin: Origin::Kept(saved.fingerprint),
            })
        }
    }

    impl From<Quote> for Saved {
        fn from(quote: Quote) -> Self {
            Self {
                format: Format,
                id: quote.id,
                tier: quote.tier,
                model: quote.model,
                kind: quote.kind,
                cost_rise: quote.cost_rise,
                least_margin: quote.least_margin,
                price: quote.price,
                issued_at: quote.issued_at,
                expires_at: quote.expires_at,
                fingerprint: quote.origin.fingerprint(),
            }
        }
    }
}

//! Where are price lists and quotes kept?
//!
//! Two ports. Their unit is a decision: an edition is published or it is not, a quote is redeemed once or
//! refused. An implementation makes each atomic among all who call it.

use async_trait::async_trait;
use bursar_units::Money;
use jiff::Timestamp;

use crate::name::{PriceListName, QuoteId, RedemptionId};
use crate::price_list::PriceList;
use crate::quote::{NotRedeemable, Quote};

/// The error of an adapter, kept whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A store failed, and what was to be decided is not known to be.
#[derive(Debug, thiserror::Error)]
#[error("the store of prices failed: {error}")]
#[non_exhaustive]
pub struct StoreError {
    /// What failed.
    #[source]
    pub error: BoxError,
}

impl StoreError {
    /// A store failed for this reason.
    #[must_use]
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self {
            error: error.into(),
        }
    }
}

/// Keeps the editions of price lists. History is not edited.
#[async_trait]
pub trait PriceListStore: Send + Sync {
    /// Adds an edition, which must hold from a later moment on than every other of its name. Publishing
    /// the same edition again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: the edition is there whole or not at all, and publishing it
    /// again finds out.
    async fn publish(&self, list: &PriceList) -> Result<Published, StoreError>;

    /// The edition that holds at a moment, if one does.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn in_force(
        &self,
        name: &PriceListName,
        at: Timestamp,
    ) -> Result<Option<PriceList>, StoreError>;

    /// From when on each edition of a name holds, in order.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn editions(&self, name: &PriceListName) -> Result<Vec<Timestamp>, StoreError>;
}

/// What became of an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Published {
    /// It is the last edition now.
    New,
    /// It was there already.
    Again,
    /// It was refused: an edition holds from the same moment or a later one on.
    NotLater {
        /// From when on the last edition holds.
        last: Timestamp,
    },
}

/// Keeps quotes, and sees to it that each is redeemed for one thing only.
#[async_trait]
pub trait QuoteStore: Send + Sync {
    /// Adds a quote. Issuing the same quote again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: the quote is there whole or not at all, and issuing it again
    /// finds out.
    async fn issue(&self, quote: &Quote) -> Result<Issued, StoreError>;

    /// The quote of this id, whether or not it holds.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    async fn find(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError>;

    /// Redeems a quote at a moment. Of all who redeem it for different things the first one gets it; again
    /// for the same thing is granted at any time after, as nothing is decided anew.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; redeeming for the same again finds out what was decided.
    async fn redeem(
        &self,
        id: &QuoteId,
        redemption: &RedemptionId,
        at: Timestamp,
    ) -> Result<Redemption, StoreError>;
}

/// What became of a quote that was to be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Issued {
    /// It holds now.
    New,
    /// It was there already.
    Again,
    /// It was refused: another quote has its id.
    IdTaken,
}

/// Whether a quote was redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Redemption {
    /// The price is the quoted one.
    Granted {
        /// The quoted price.
        price: Money,
        /// Whether it had been redeemed for the same thing before.
        again: bool,
    },
    /// The quote is not redeemed.
    Refused(NotRedeemable),
}

impl Redemption {
    /// What becomes of a quote that is to be redeemed at a moment, given what it was redeemed for before.
    /// Every store decides by it, and keeps the redemption where it is granted and not `again`.
    pub fn of(
        quote: &Quote,
        redeemed_for: Option<&RedemptionId>,
        redemption: &RedemptionId,
        at: Timestamp,
    ) -> Self {
        let granted = |price, again| Self::Granted { price, again };
        match redeemed_for {
            Some(before) if before == redemption => granted(quote.price().price(), true),
            Some(before) => Self::Refused(NotRedeemable::Taken { by: before.clone() }),
            None => match quote.redeem(at) {
                Ok(price) => granted(price, false),
                Err(refusal) => Self::Refused(refusal),
            },
        }
    }
}

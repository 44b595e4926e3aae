//! What does a customer of a tier pay for each kind of token of each model?

mod costs;
mod error;

pub use costs::{CostTable, ListTerms, VolumeDiscounts};
pub use error::PriceListError;

use std::sync::Arc;

use bursar_units::Currency;
use jiff::Timestamp;

use crate::name::{Model, PriceListName, Tier};
use crate::price::Price;
use crate::schedule::{Band, Schedule, Tiering};
use crate::token_kind::TokenKind;
use bursar_units::UnitRate;

/// An edition of a price list: prices per million tokens, by model and kind, from a moment on.
///
/// An edition never changes. Another one takes its place from another moment on, so that last month can be
/// charged again as it was. [`CostTable::price`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Saved", into = "saved::Saved")
)]
pub struct PriceList {
    name: PriceListName,
    tier: Tier,
    currency: Currency,
    effective_from: Timestamp,
    /// Sorted by model and kind, each pair once, at least one.
    entries: Arc<[ListEntry]>,
}

/// The price of one kind of tokens of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    model: Model,
    kind: TokenKind,
    schedule: Schedule,
    /// One for each band of the schedule.
    prices: Vec<Price>,
}

impl PriceList {
    /// The decimal places of listed prices: 0.000001 per million tokens.
    pub const PLACES: u32 = 6;

    /// Puts entries in order.
    fn new(
        name: PriceListName,
        tier: Tier,
        effective_from: Timestamp,
        mut entries: Vec<ListEntry>,
    ) -> Result<Self, PriceListError> {
        let key = |entry: &ListEntry| (entry.model.clone(), entry.kind);
        entries.sort_by_cached_key(key);
        let currency = match entries.first() {
            Some(entry) => entry.schedule.currency(),
            None => return Err(PriceListError::Empty { list: name }),
        };
        for pair in entries.windows(2) {
            let [first, second] = pair else { continue };
            if key(first) == key(second) {
                return Err(PriceListError::Duplicate {
                    model: first.model.clone(),
                    kind: first.kind,
                });
            }
        }
        let other = entries.iter().map(|entry| entry.schedule.currency());
        if let Some(other) = other.into_iter().find(|it| *it != currency) {
            return Err(PriceListError::Currency { currency, other });
        }
        Ok(Self {
            name,
            tier,
            currency,
            effective_from,
            entries: entries.into(),
        })
    }

    /// The name of the list over all its editions.
    #[must_use]
    pub const fn name(&self) -> &PriceListName {
        &self.name
    }

    /// For which tier it is.
    #[must_use]
    pub const fn tier(&self) -> &Tier {
        &self.tier
    }

    /// The currency of all prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// From when on it holds; until the next edition does.
    #[must_use]
    pub const fn effective_from(&self) -> Timestamp {
        self.effective_from
    }

    /// All entries, by model and kind.
    #[must_use]
    pub fn entries(&self) -> &[ListEntry] {
        &self.entries
    }

    /// The entry of a model and kind.
    ///
    /// # Errors
    /// [`PriceListError::NotListed`]: what has no price is not free.
    pub fn entry(&self, model: &Model, kind: TokenKind) -> Result<&ListEntry, PriceListError> {
        let found = self
            .entries
            .binary_search_by(|entry| (&entry.model, entry.kind).cmp(&(model, kind)));
        found
            .ok()
            .and_then(|index| self.entries.get(index))
            .ok_or_else(|| PriceListError::NotListed {
                list: self.name.clone(),
                model: model.clone(),
                kind,
            })
    }
}

impl ListEntry {
    /// An entry with a price for each band.
    fn new(
        model: Model,
        kind: TokenKind,
        tiering: Tiering,
        priced: Vec<(Option<u64>, Price)>,
    ) -> Result<Self, PriceListError> {
        let band = |(up_to, price): &(Option<u64>, Price)| Band {
            up_to: *up_to,
            rate: UnitRate::per_million(price.price()),
        };
        let schedule = Schedule::tiered(tiering, priced.iter().map(band).collect())?;
        Ok(Self {
            model,
            kind,
            schedule,
            prices: priced.into_iter().map(|(_, price)| price).collect(),
        })
    }

    /// Of which model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Of which kind of tokens.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// What so many tokens cost.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How the price of each band came about.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }
}

#[cfg(feature = "serde")]
mod saved {
    //! How is a price list kept?

    use jiff::Timestamp;

    use super::{ListEntry, PriceList, PriceListError};
    use crate::format::Format;
    use crate::name::{Model, PriceListName, Tier};
    use crate::price::Price;
    use crate::schedule::Tiering;
    use crate::token_kind::TokenKind;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Saved {
        format: Format<1>,
        name: PriceListName,
        tier: Tier,
        effective_from: Timestamp,
        entries: Vec<SavedEntry>,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SavedEntry {
        model: Model,
        kind: TokenKind,
        tiering: Tiering,
        bands: Vec<(Option<u64>, Price)>,
    }

    impl TryFrom<Saved> for PriceList {
        type Error = PriceListError;

        fn try_from(saved: Saved) -> Result<Self, PriceListError> {
            let entries = saved.entries.into_iter();
            let entries: Result<_, _> = entries
                .map(|it| ListEntry::new(it.model, it.kind, it.tiering, it.bands))
                .collect();
            Self::new(saved.name, saved.tier, saved.effective_from, entries?)
        }
    }

    impl From<PriceList> for Saved {
        fn from(list: PriceList) -> Self {
            Self {
                format: Format,
                entries: list.entries.iter().map(saved_entry).collect(),
                name: list.name,
                tier: list.tier,
                effective_from: list.effective_from,
            }
        }
    }

    fn saved_entry(entry: &ListEntry) -> SavedEntry {
        let ends = entry.schedule.bands().map(|band| band.up_to);
        SavedEntry {
            model: entry.model.clone(),
            kind: entry.kind,
            tiering: entry.schedule.tiering(),
            bands: ends.zip(entry.prices.iter().cloned()).collect(),
        }
    }
}

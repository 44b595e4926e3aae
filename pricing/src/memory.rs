//! How do stores behave, in memory?

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::name::{PriceListName, QuoteId, RedemptionId};
use crate::port::{Issued, PriceListStore, Published, QuoteStore, Redemption, StoreError};
use crate::price_list::PriceList;
use crate::quote::{NotRedeemable, Quote};

/// Price lists and quotes in this process: the reference that other stores are compared with, and enough
/// for tests and for one process that may forget.
///
/// ```
/// use bursar_pricing::{CostTable, ListTerms, MemoryStore, Model, PriceListName, PriceListStore, PricingPolicy, Published, Tier, TokenKind};
/// use bursar_units::{Currency, UnitRate};
///
/// let costs = CostTable::new(Currency::USD)
///     .with(Model::CLAUDE, TokenKind::Input, UnitRate::per_million("3.00 USD".parse()?))?;
/// let name = PriceListName::new("growth")?;
/// let terms = ListTerms::new(name.clone(), &Tier::Growth, "2026-12-01T00:00:00Z".parse()?);
/// let list = costs.price(&PricingPolicy::standard(), &terms)?;
///
/// let store = MemoryStore::default();
/// futures_executor::block_on(async {
///     assert_eq!(store.publish(&list).await?, Published::New);
///     let noon = "2026-12-24T12:00:00Z".parse()?;
///     assert_eq!(store.in_force(&name, noon).await?, Some(list));
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    lists: Mutex<HashMap<PriceListName, Vec<PriceList>>>,
    quotes: Mutex<HashMap<QuoteId, Kept>>,
}

#[derive(Debug)]
struct Kept {
    quote: Quote,
    redeemed_by: Option<RedemptionId>,
}

#[async_trait]
impl PriceListStore for MemoryStore {
    async fn publish(&self, list: &PriceList) -> Result<Published, StoreError> {
        let mut lists = locked(&self.lists);
        let editions = lists.entry(list.name().clone()).or_default();
        if editions.contains(list) {
            return Ok(Published::Again);
        }
        match editions.last().map(PriceList::effective_from) {
            Some(last) if last >= list.effective_from() => Ok(Published::NotLater { last }),
            _ => {
                editions.push(list.clone());
                Ok(Published::New)
            }
        }
    }

    async fn in_force(
        &self,
        name: &PriceListName,
        at: Timestamp,
    ) -> Result<Option<PriceList>, StoreError> {
        let lists = locked(&self.lists);
        let editions = lists.get(name).into_iter().flatten();
        let mut begun = editions.filter(|list| list.effective_from() <= at);
        Ok(begun.next_back().cloned())
    }

    async fn editions(&self, name: &PriceListName) -> Result<Vec<Timestamp>, StoreError> {
        let lists = locked(&self.lists);
        let editions = lists.get(name).into_iter().flatten();
        Ok(editions.map(PriceList::effective_from).collect())
    }
}

#[async_trait]
impl QuoteStore for MemoryStore {
    async fn issue(&self, quote: &Quote) -> Result<Issued, StoreError> {
        Ok(match locked(&self.quotes).entry(quote.id().clone()) {
            Entry::Occupied(kept) if kept.get().quote == *quote => Issued::Again,
            Entry::Occupied(_) => Issued::IdTaken,
            Entry::Vacant(place) => {
                place.insert(Kept {
                    quote: quote.clone(),
                    redeemed_by: None,
                });
                Issued::New
            }
        })
    }

    async fn find(&self, id: &QuoteId) -> Result<Option<Quote>, StoreError> {
        let quotes = locked(&self.quotes);
        Ok(quotes.get(id).map(|kept| kept.quote.clone()))
    }

    async fn redeem(
        &self,
        id: &QuoteId,
        redemption: &RedemptionId,
        at: Timestamp,
    ) -> Result<Redemption, StoreError> {
        let mut quotes = locked(&self.quotes);
        Ok(match quotes.get_mut(id) {
            Some(kept) => kept.redeem(redemption, at),
            None => Redemption::Refused(NotRedeemable::Unknown),
        })
    }
}

impl Kept {
    fn redeem(&mut self, redemption: &RedemptionId, at: Timestamp) -> Redemption {
        let redeemed = Redemption::of(&self.quote, self.redeemed_by.as_ref(), redemption, at);
        if let Redemption::Granted { again: false, .. } = redeemed {
            self.redeemed_by = Some(redemption.clone());
        }
        redeemed
    }
}

/// A thread that panicked while it held the lock left each map as it was between two operations.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

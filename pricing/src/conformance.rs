//! Does a [`PriceListStore`] or a [`QuoteStore`] keep the contract of its port?
//!
//! [`price_lists`] and [`quotes`] are the suites that every implementation passes, on any executor:
//!
//! ```
//! use bursar_pricing::{MemoryStore, conformance};
//!
//! futures_executor::block_on(async {
//!     conformance::price_lists(async || MemoryStore::default()).await;
//!     conformance::quotes(async || MemoryStore::default()).await;
//! });
//! ```

use bursar_units::{Currency, Money, UnitRate};
use jiff::{SignedDuration, Timestamp, civil};

use crate::{
    Contract, ContractId, CostTable, Issued, ListTerms, Model, NotRedeemable, PriceList,
    PriceListName, PriceListStore, PriceRequest, PricingPolicy, Published, Quote, QuoteId,
    QuoteStore, Redemption, RedemptionId, Scope, Term, Tier, Tiering, TokenKind, VolumeDiscounts,
};

/// Shows that the stores that `make` makes, each of them empty, keep price lists.
///
/// # Panics
/// When a store breaks the contract of [`PriceListStore`].
pub async fn price_lists<S: PriceListStore>(make: impl AsyncFn() -> S) {
    an_unknown_list_has_no_editions(&make().await).await;
    the_edition_in_force_is_the_last_that_has_begun(&make().await).await;
    publishing_again_changes_nothing(&make().await).await;
    history_is_not_edited(&make().await).await;
    names_are_independent(&make().await).await;
    a_list_comes_back_as_it_was(&make().await).await;
}

/// Shows that the stores that `make` makes, each of them empty, keep quotes.
///
/// # Panics
/// When a store breaks the contract of [`QuoteStore`].
pub async fn quotes<S: QuoteStore>(make: impl AsyncFn() -> S) {
    an_unknown_quote_is_refused(&make().await).await;
    a_quote_comes_back_as_it_was(&make().await).await;
    issuing_again_changes_nothing(&make().await).await;
    an_id_is_one_quote(&make().await).await;
    a_quote_is_redeemed_for_one_thing(&make().await).await;
    a_quote_holds_from_its_issue_until_before_its_expiry(&make().await).await;
    what_was_redeemed_stays_so_after_expiry(&make().await).await;
}

async fn an_unknown_list_has_no_editions(store: &impl PriceListStore) {
    assert_eq!(in_force(store, "growth", 100).await, None);
    assert_eq!(editions(store, "growth").await, []);
}

async fn the_edition_in_force_is_the_last_that_has_begun(store: &impl PriceListStore) {
    let (first, second) = (list("growth", 100, "3"), list("growth", 200, "4"));
    assert_eq!(publish(store, &first).await, Published::New);
    assert_eq!(publish(store, &second).await, Published::New);
    assert_eq!(in_force(store, "growth", 99).await, None);
    assert_eq!(in_force(store, "growth", 100).await.as_ref(), Some(&first));
    assert_eq!(in_force(store, "growth", 199).await.as_ref(), Some(&first));
    assert_eq!(in_force(store, "growth", 200).await.as_ref(), Some(&second));
    assert_eq!(in_force(store, "growth", 9_999).await, Some(second));
}

async fn publishing_again_changes_nothing(store: &impl PriceListStore) {
    let (first, second) = (list("growth", 100, "3"), list("growth", 200, "4"));
    assert_eq!(publish(store, &first).await, Published::New);
    assert_eq!(publish(store, &first).await, Published::Again);
    assert_eq!(publish(store, &second).await, Published::New);
    assert_eq!(publish(store, &first).await, Published::Again);
    assert_eq!(editions(store, "growth").await, [moment(100), moment(200)]);
}

async fn history_is_not_edited(store: &impl PriceListStore) {
    let first = list("growth", 100, "3");
    let refused = Published::NotLater { last: moment(100) };
    assert_eq!(publish(store, &first).await, Published::New);
    assert_eq!(publish(store, &list("growth", 100, "4")).await, refused);
    assert_eq!(publish(store, &list("growth", 50, "4")).await, refused);
    assert_eq!(editions(store, "growth").await, [moment(100)]);
    assert_eq!(in_force(store, "growth", 100).await, Some(first));
}

async fn names_are_independent(store: &impl PriceListStore) {
    let (growth, free) = (list("growth", 200, "3"), list("free", 100, "3"));
    assert_eq!(publish(store, &growth).await, Published::New);
    assert_eq!(publish(store, &free).await, Published::New);
    assert_eq!(in_force(store, "free", 150).await, Some(free));
    assert_eq!(in_force(store, "growth", 150).await, None);
}

async fn a_list_comes_back_as_it_was(store: &impl PriceListStore) {
    let name = PriceListName::new("tiered").expect("it is a name");
    let contract = contract();
    let off = |text: &str| text.parse().expect("it is a discount");
    let volume = VolumeDiscounts::new(
        Tiering::Volume,
        vec![(Some(u64::MAX), off("0")), (None, off("12.3456789%"))],
    );
    let volume = volume.expect("the ends rise");
    let begin = moment(100).saturating_add(SignedDuration::from_nanos(1));
    let begin = begin.expect("a nanosecond is no unit of the calendar");
    let terms = ListTerms::new(name.clone(), &Tier::Enterprise, begin)
        .contract(&contract)
        .volume(&volume);
    let costs = costs("2.718281828459045235360287").price(&PricingPolicy::standard(), &terms);
    let list = costs.expect("the costs have prices");
    assert_eq!(publish(store, &list).await, Published::New);
    assert_eq!(in_force(store, "tiered", 100).await, None);
    assert_eq!(in_force(store, "tiered", 101).await, Some(list));
}

async fn an_unknown_quote_is_refused(store: &impl QuoteStore) {
    let refused = Redemption::Refused(NotRedeemable::Unknown);
    assert_eq!(redeem(store, "q-1", "order-1", 100).await, refused);
    let found = store.find(&quote_id("q-1")).await;
    assert_eq!(found.expect("the store answers"), None);
}

async fn a_quote_comes_back_as_it_was(store: &impl QuoteStore) {
    let contract = contract();
    let cost = "2.718281828459045235360287 USD".parse();
    let cost = cost.expect("it is an amount");
    let request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, day())
        .kind(TokenKind::Output)
        .contract(&contract)
        .cost_rise("7%".parse().expect("it is a rise"));
    let begin = moment(100).saturating_add(SignedDuration::from_nanos(1));
    let begin = begin.expect("a nanosecond is no unit of the calendar");
    let policy = PricingPolicy::standard();
    let validity = SignedDuration::from_secs(100);
    let quote = Quote::issue(quote_id("q-1"), &policy, &request, begin, validity);
    let quote = quote.expect("it has a price");
    assert_eq!(issue(store, &quote).await, Issued::New);
    let found = store.find(quote.id()).await;
    assert_eq!(found.expect("the store answers"), Some(quote));
}

async fn issuing_again_changes_nothing(store: &impl QuoteStore) {
    let quote = quote("q-1", "10");
    assert_eq!(issue(store, &quote).await, Issued::New);
    let granted = redeem(store, "q-1", "order-1", 100).await;
    assert_eq!(issue(store, &quote).await, Issued::Again);
    assert_eq!(granted, granted_at(&quote, false));
    let again = redeem(store, "q-1", "order-1", 100).await;
    assert_eq!(again, granted_at(&quote, true));
}

async fn an_id_is_one_quote(store: &impl QuoteStore) {
    let (first, second) = (quote("q-1", "10"), quote("q-1", "11"));
    assert_eq!(issue(store, &first).await, Issued::New);
    assert_eq!(issue(store, &second).await, Issued::IdTaken);
    let granted = redeem(store, "q-1", "order-1", 100).await;
    assert_eq!(granted, granted_at(&first, false));
}

async fn a_quote_is_redeemed_for_one_thing(store: &impl QuoteStore) {
    let quote = quote("q-1", "10");
    assert_eq!(issue(store, &quote).await, Issued::New);
    let first = redeem(store, "q-1", "order-1", 150).await;
    assert_eq!(first, granted_at(&quote, false));
    let by = RedemptionId::new("order-1").expect("it is a name");
    let taken = Redemption::Refused(NotRedeemable::Taken { by });
    assert_eq!(redeem(store, "q-1", "order-2", 150).await, taken);
    let again = redeem(store, "q-1", "order-1", 150).await;
    assert_eq!(again, granted_at(&quote, true));
}

async fn a_quote_holds_from_its_issue_until_before_its_expiry(store: &impl QuoteStore) {
    let quote = quote("q-1", "10");
    assert_eq!(issue(store, &quote).await, Issued::New);
    let issued_at = moment(100);
    let early = Redemption::Refused(NotRedeemable::NotYetValid { issued_at });
    assert_eq!(redeem(store, "q-1", "order-1", 99).await, early);
    let expires_at = moment(200);
    let late = Redemption::Refused(NotRedeemable::Expired { expires_at });
    assert_eq!(redeem(store, "q-1", "order-1", 200).await, late);
    let last = redeem(store, "q-1", "order-1", 199).await;
    assert_eq!(last, granted_at(&quote, false));
}

async fn what_was_redeemed_stays_so_after_expiry(store: &impl QuoteStore) {
    let quote = quote("q-1", "10");
    assert_eq!(issue(store, &quote).await, Issued::New);
    let first = redeem(store, "q-1", "order-1", 199).await;
    assert_eq!(first, granted_at(&quote, false));
    let again = redeem(store, "q-1", "order-1", 5_000).await;
    assert_eq!(again, granted_at(&quote, true));
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("it is a moment")
}

fn day() -> civil::Date {
    civil::date(1970, 1, 1)
}

fn contract() -> Contract {
    let id = ContractId::new("acme").expect("it is a name");
    let discount = Term::Discount("5%".parse().expect("it is a discount"));
    let fixed_price = Term::FixedPrice("2.5 USD".parse().expect("it is an amount"));
    Contract::new(id, day(), None)
        .and_then(|it| it.with(Scope::all(), discount))
        .and_then(|it| it.with(Scope::of(Model::CLAUDE, TokenKind::Input), fixed_price))
        .expect("the terms agree")
}

fn costs(cost: &str) -> CostTable {
    let rate = |amount| {
        let money = Money::parse(amount, Currency::USD).expect("it is an amount");
        UnitRate::per_million(money)
    };
    CostTable::new(Currency::USD)
        .with(Model::CLAUDE, TokenKind::Output, rate("15"))
        .and_then(|it| it.with(Model::CLAUDE, TokenKind::Input, rate(cost)))
        .and_then(|it| it.with(Model::GPT_4, TokenKind::Input, rate(cost)))
        .expect("each row is there once")
}

fn list(name: &str, effective_from: i64, cost: &str) -> PriceList {
    let name = PriceListName::new(name).expect("it is a name");
    let terms = ListTerms::new(name, &Tier::Growth, moment(effective_from));
    let list = costs(cost).price(&PricingPolicy::standard(), &terms);
    list.expect("the costs have prices")
}

fn quote_id(id: &str) -> QuoteId {
    QuoteId::new(id).expect("it is a name")
}

/// A quote that holds from 100 until before 200 seconds.
fn quote(id: &str, cost: &str) -> Quote {
    let cost = Money::parse(cost, Currency::USD).expect("it is an amount");
    let request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, day());
    let validity = SignedDuration::from_secs(100);
    let policy = PricingPolicy::standard();
    Quote::issue(quote_id(id), &policy, &request, moment(100), validity).expect("it has a price")
}

fn granted_at(quote: &Quote, again: bool) -> Redemption {
    let price = quote.price().price();
    Redemption::Granted { price, again }
}

async fn publish(store: &impl PriceListStore, list: &PriceList) -> Published {
    store.publish(list).await.expect("the store answers")
}

async fn in_force(store: &impl PriceListStore, name: &str, at: i64) -> Option<PriceList> {
    let name = PriceListName::new(name).expect("it is a name");
    let found = store.in_force(&name, moment(at)).await;
    found.expect("the store answers")
}

async fn editions(store: &impl PriceListStore, name: &str) -> Vec<Timestamp> {
    let name = PriceListName::new(name).expect("it is a name");
    store.editions(&name).await.expect("the store answers")
}

async fn issue(store: &impl QuoteStore, quote: &Quote) -> Issued {
    store.issue(quote).await.expect("the store answers")
}

async fn redeem(store: &impl QuoteStore, id: &str, redemption: &str, at: i64) -> Redemption {
    let redemption = RedemptionId::new(redemption).expect("it is a name");
    let redeemed = store.redeem(&quote_id(id), &redemption, moment(at)).await;
    redeemed.expect("the store answers")
}

//! The reference store keeps the contract of its ports.

use bursar_pricing::MemoryStore;
#[cfg(feature = "conformance")]
use bursar_pricing::conformance;

#[cfg(feature = "conformance")]
#[test]
fn the_store_in_memory_keeps_both_contracts() {
    futures_executor::block_on(async {
        conformance::price_lists(async || MemoryStore::default()).await;
        conformance::quotes(async || MemoryStore::default()).await;
    });
}

#[test]
fn what_users_share_among_threads_can_be_shared() {
    fn assert_shared<T: Send + Sync + std::fmt::Debug>() {}
    assert_shared::<MemoryStore>();
    assert_shared::<bursar_pricing::PricingPolicy>();
    assert_shared::<bursar_pricing::Quote>();
    assert_shared::<bursar_pricing::PriceList>();
    assert_shared::<bursar_pricing::PublishedPrice>();
    assert_shared::<bursar_pricing::PricingError>();
}

#[test]
fn of_many_who_redeem_one_quote_one_gets_it() {
    use bursar_pricing::{
        Model, PriceRequest, PricingPolicy, Quote, QuoteId, QuoteStore, Redemption, RedemptionId,
        Tier,
    };
    use jiff::{SignedDuration, Timestamp, civil::date};

    let request = PriceRequest::new(
        "10 USD".parse().unwrap(),
        &Tier::Free,
        &Model::CLAUDE,
        date(2026, 1, 1),
    );
    let quote = Quote::issue(
        QuoteId::new("q").unwrap(),
        &PricingPolicy::standard(),
        &request,
        Timestamp::UNIX_EPOCH,
        SignedDuration::from_hours(1),
    )
    .unwrap();
    let store = MemoryStore::default();
    let _ = futures_executor::block_on(store.issue(&quote)).unwrap();
    let redeem = |number: usize| {
        let order = RedemptionId::new(&format!("order-{number}")).unwrap();
        let redeemed = store.redeem(quote.id(), &order, Timestamp::UNIX_EPOCH);
        futures_executor::block_on(redeemed).unwrap()
    };
    let granted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|it| scope.spawn(move || redeem(it))).collect();
        let results = threads.into_iter().map(|it| it.join().unwrap());
        results
            .filter(|it| matches!(it, Redemption::Granted { .. }))
            .count()
    });
    assert_eq!(granted, 1);
}

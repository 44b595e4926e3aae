//! Our records beside a provider's invoice.

use bursar_pricing::reconciliation::{BilledItem, Discrepancy, Reconciliation, Tolerance};
use bursar_pricing::sla::Share;
use bursar_units::{Currency, Money};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(hundredths: i64) -> Money {
    Money::new(Decimal::new(hundredths, 2), Currency::USD)
}

fn items(items: &[(&str, i64)]) -> Vec<BilledItem> {
    items
        .iter()
        .map(|(key, amount)| BilledItem::new(*key, usd(*amount)))
        .collect()
}

fn exact() -> Tolerance {
    Tolerance::exact(Currency::USD)
}

#[test]
fn a_key_that_stands_several_times_is_matched_by_amount_first() {
    let recorded = items(&[("a", 10), ("a", 20), ("a", 30)]);
    let invoiced = items(&[("a", 30), ("a", 10), ("a", 25), ("a", 99)]);
    let result = Reconciliation::of(recorded, invoiced, &exact()).unwrap();
    assert_eq!(result.matched, 2);
    let [
        Discrepancy::Different { recorded, invoiced },
        Discrepancy::Extra(extra),
    ] = &result.discrepancies[..]
    else {
        panic!("{result:?}")
    };
    assert_eq!(
        (recorded.amount, invoiced.amount, extra.amount),
        (usd(20), usd(25), usd(99))
    );
}

#[test]
fn a_tolerance_is_an_amount_or_a_share_whichever_is_more() {
    let tolerance = Tolerance {
        amount: usd(1),
        share: Share::new(Decimal::new(1, 2)).unwrap(),
    };
    for (recorded, invoiced, is_matched) in [
        (100, 101, true),
        (100, 102, false),
        (10_000, 10_100, true),
        (10_000, 10_101, false),
        (10_000, 9_899, false),
    ] {
        let result = Reconciliation::of(
            items(&[("a", recorded)]),
            items(&[("a", invoiced)]),
            &tolerance,
        )
        .unwrap();
        assert_eq!(result.matched == 1, is_matched, "{recorded} and {invoiced}");
        assert_eq!(
            result.difference,
            usd(invoiced - recorded),
            "what is tolerated is still told"
        );
    }
}

#[test]
fn other_quantities_at_the_same_amount_are_a_difference() {
    let of = |quantity: i64| BilledItem {
        quantity: Some(Decimal::from(quantity)),
        ..BilledItem::new("a", usd(10))
    };
    let result = Reconciliation::of([of(1)], [of(2)], &exact()).unwrap();
    assert_eq!((result.matched, result.different()), (0, 1));
}

#[test]
fn accuracy_of_nothing_is_unknown() {
    let result = Reconciliation::of([], [], &exact()).unwrap();
    assert_eq!(result.accuracy(), None);
}

#[test]
fn an_item_of_another_currency_is_an_error() {
    let euros = BilledItem::new("a", Money::parse("1", Currency::EUR).unwrap());
    assert!(Reconciliation::of([euros], [], &exact()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_item_is_in_one_place_and_the_differences_add_up(
        recorded in prop::collection::vec((0..6_u8, -50..50_i64), 0..20),
        invoiced in prop::collection::vec((0..6_u8, -50..50_i64), 0..20),
    ) {
        let side = |items: &[(u8, i64)]| -> Vec<BilledItem> {
            items.iter().map(|(key, amount)| BilledItem::new(key.to_string(), usd(*amount))).collect()
        };
        let result = Reconciliation::of(side(&recorded), side(&invoiced), &exact()).unwrap();
        let matched = result.matched as usize;
        prop_assert_eq!(matched + result.missing() + result.different(), recorded.len());
        prop_assert_eq!(matched + result.extra() + result.different(), invoiced.len());
        let differences = result.discrepancies.iter().map(|it| it.difference().unwrap());
        let sum = Money::try_sum(differences).unwrap().unwrap_or(usd(0));
        prop_assert_eq!(sum, result.difference);
        // The order of the items changes nothing.
        let (mut backward_recorded, mut backward_invoiced) = (recorded.clone(), invoiced.clone());
        backward_recorded.reverse();
        backward_invoiced.reverse();
        let again = Reconciliation::of(side(&backward_recorded), side(&backward_invoiced), &exact());
        prop_assert_eq!(again.unwrap(), result);
    }
}

//! Which key changed the cost, and do the contributions add up to the change?

use bursar_cost_model::{Attribution, Effects, Exact, ExactSum, Metered, Presence};
use proptest::prelude::*;

use super::{Random, sum};

fn metered(cost: &str, quantity: Option<&str>) -> Metered {
    Metered::new(sum(cost), quantity.map(|q| q.parse().unwrap()))
}

#[test]
fn orders_contributions_by_size_and_flags_new_and_gone_keys() {
    let before = [
        ("compute", sum("100")),
        ("backup", sum("7")),
        ("tax", sum("0")),
    ];
    let after = [
        ("compute", sum("80")),
        ("support", sum("30")),
        ("tax", sum("0")),
    ];
    let change = Attribution::between(before, after).unwrap();
    assert_eq!(change.change, sum("3"));
    let found: Vec<_> = change
        .contributions
        .iter()
        .map(|c| (c.key, c.change.to_string(), c.presence))
        .collect();
    let expected = [
        ("support", "30".to_owned(), Presence::New),
        ("compute", "-20".to_owned(), Presence::Both),
        ("backup", "-7".to_owned(), Presence::Gone),
        ("tax", "0".to_owned(), Presence::Both),
    ];
    assert_eq!(found, expected);
    assert_eq!(change.contributions[0].share, Some(10.0));
    assert_eq!(change.contributions[2].share, Some(-7.0 / 3.0));
}

#[test]
fn has_no_share_of_a_change_of_zero() {
    let before = [("a", sum("1")), ("b", sum("2"))];
    let after = [("a", sum("2")), ("b", sum("1"))];
    let change = Attribution::between(before, after).unwrap();
    assert!(change.change.is_zero());
    assert!(change.contributions.iter().all(|c| c.share.is_none()));
}

#[test]
fn keeps_digits_that_a_decimal_could_not() {
    let before = [("a", sum("20000000000"))];
    let after = [
        ("a", sum("20000000000")),
        ("b", sum("0.0000000000000000000000000001")),
    ];
    let change = Attribution::between(before, after).unwrap();
    assert_eq!(change.change.to_string(), "0.0000000000000000000000000001");
}

fn check_effects(before: Metered, after: Metered, expected: [&str; 4]) {
    let effects = Effects::between(&before, &after, 2).unwrap();
    let parts = [
        effects.quantity,
        effects.price,
        effects.joint,
        effects.unexplained,
    ];
    assert_eq!(parts.map(|part| part.to_string()), expected);
}

#[test]
fn tells_more_use_from_a_higher_price() {
    // p₀ = 2, p₁ = 3: 2·5 = 10 for quantity, 10·1 = 10 for price, 5·1 = 5 for both.
    check_effects(
        metered("20", Some("10")),
        metered("45", Some("15")),
        ["10", "10", "5", "0"],
    );
    // p₀ = ⅓: −⅓ is rounded to −0.33, and the joint part takes the rest.
    check_effects(
        metered("1", Some("3")),
        metered("1", Some("2")),
        ["-0.33", "0.5", "-0.17", "0"],
    );
}

#[test]
fn takes_beginning_and_ending_use_as_quantity() {
    check_effects(
        metered("0", Some("0")),
        metered("9", Some("3")),
        ["9", "0", "0", "0"],
    );
    check_effects(
        metered("9", Some("3")),
        metered("0", Some("0")),
        ["-9", "0", "0", "0"],
    );
}

#[test]
fn leaves_unexplained_what_has_no_quantity() {
    for (before, after) in [
        (metered("5", None), metered("9", Some("3"))),
        (metered("5", Some("3")), metered("9", None)),
        (metered("5", Some("0")), metered("9", Some("3"))),
        (metered("5", Some("-1")), metered("9", Some("3"))),
        (metered("5", Some("0")), metered("9", Some("0"))),
    ] {
        check_effects(before, after, ["0", "0", "0", "4"]);
    }
}

fn amounts() -> impl Strategy<Value = Vec<(u8, i64, u32)>> {
    proptest::collection::vec((0u8..20, any::<i64>(), 0u32..28), 0..60)
}

fn keyed(amounts: &[(u8, i64, u32)]) -> Vec<(u8, ExactSum)> {
    let amount = |mantissa: i64, scale| ExactSum::from(Exact::new(mantissa.into(), scale).unwrap());
    amounts
        .iter()
        .map(|(key, mantissa, scale)| (*key, amount(*mantissa, *scale)))
        .collect()
}

proptest! {
    #[test]
    fn contributions_sum_exactly_to_the_change(before in amounts(), after in amounts(), seed: u64) {
        let (mut before, mut after) = (keyed(&before), keyed(&after));
        let change = Attribution::between(before.clone(), after.clone()).unwrap();
        let mut total = ExactSum::ZERO;
        for contribution in &change.contributions {
            total.add_sum(&contribution.change).unwrap();
        }
        prop_assert_eq!(&total, &change.change);
        prop_assert_eq!(&change.after.minus(&change.before).unwrap(), &change.change);

        let mut random = Random(seed);
        random.shuffle(&mut before);
        random.shuffle(&mut after);
        prop_assert_eq!(Attribution::between(before, after).unwrap(), change);
    }

    #[test]
    fn effects_sum_exactly_to_the_change(
        cost_before in any::<i64>(), cost_after in any::<i64>(), scale in 0u32..12,
        before in proptest::option::of(-5i64..1_000_000_000),
        after in proptest::option::of(-5i64..1_000_000_000),
        places in 0u32..12,
    ) {
        let metered = |cost: i64, quantity: Option<i64>| {
            let cost = Exact::new(cost.into(), scale).unwrap();
            Metered::new(cost.into(), quantity.map(|q| Exact::new(q.into(), 3).unwrap()))
        };
        let (before, after) = (metered(cost_before, before), metered(cost_after, after));
        let effects = Effects::between(&before, &after, places).unwrap();
        prop_assert_eq!(effects.total().unwrap(), after.cost.minus(&before.cost).unwrap());
    }
}

//! Are sums, products and comparisons exact, and errors otherwise?

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use bursar_units::{Currency, Money, MoneyError, TokenCount, TokenCountError};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::strategies::{any_decimal, any_money};
use crate::{decimal, oracle, usd};

#[test]
fn adds_and_subtracts_with_the_places_of_the_more_precise_term() {
    for (left, right, sum, difference) in [
        ("1.10", "2", "3.10 USD", "-0.90 USD"),
        ("0.1", "0.2", "0.3 USD", "-0.1 USD"),
        ("0.00", "5", "5.00 USD", "-5.00 USD"),
        ("119.81", "0.0000004", "119.8100004 USD", "119.8099996 USD"),
        ("-7", "7", "0 USD", "-14 USD"),
        (
            "79228162514264337593543950335",
            "0.00",
            "79228162514264337593543950335 USD",
            "79228162514264337593543950335 USD",
        ),
    ] {
        let (left, right) = (usd(left), usd(right));
        assert_eq!(left.checked_add(right).unwrap().to_string(), sum);
        assert_eq!(left.checked_sub(right).unwrap().to_string(), difference);
    }
}

#[test]
fn refuses_to_round_a_sum_in_silence() {
    let large = usd("7922816251426433759354395033");
    let tiny = usd("0.01");
    // rust_decimal itself answers 7922816251426433759354395033.0 here.
    assert_eq!(
        large.checked_add(tiny).unwrap_err().to_string(),
        "`7922816251426433759354395033 USD + 0.01 USD` has more digits than a decimal holds \
         (28 places, 2^96 in all); round an operand first",
    );
    assert_eq!(
        usd("9999999999").checked_add(usd("0.0000000000000000000000000001")),
        Err(MoneyError::Inexact {
            expression: "9999999999 USD + 0.0000000000000000000000000001 USD".to_owned()
        }),
    );
}

#[test]
fn a_sum_over_the_largest_decimal_is_an_overflow() {
    let largest = Money::new(Decimal::MAX, Currency::USD);
    assert!(matches!(
        largest.checked_add(usd("1")),
        Err(MoneyError::Overflow { .. })
    ));
    assert!(matches!(
        (-largest).checked_sub(usd("1")),
        Err(MoneyError::Overflow { .. })
    ));
    assert!(matches!(
        largest.checked_mul(decimal("1.5")),
        Err(MoneyError::Overflow { .. })
    ));
    assert!(matches!(
        largest.checked_div(decimal("0.5")),
        Err(MoneyError::Overflow { .. })
    ));
}

#[test]
fn a_result_less_than_one_over_the_largest_decimal_is_too_long_and_not_too_large() {
    let largest = Money::new(Decimal::MAX, Currency::USD);
    assert!(matches!(
        largest.checked_add(usd("0.5")),
        Err(MoneyError::Inexact { .. })
    ));
    let product =
        usd("14999837717395800431377071664").checked_mul(decimal("5.2819346453582532170541651252"));
    assert!(matches!(product, Err(MoneyError::Inexact { .. })));
}

#[test]
fn multiplies_exactly_or_not_at_all() {
    assert_eq!(
        usd("12.30")
            .checked_mul(decimal("0.10"))
            .unwrap()
            .to_string(),
        "1.2300 USD"
    );
    // 2^20 × 5^20 is 10^20: zeros that neither factor ends in.
    let product = usd("0.0000000001048576").checked_mul(decimal("0.000000000095367431640625"));
    assert_eq!(product.unwrap().amount(), decimal("0.00000000000000000001"));
    assert!(matches!(
        usd("0.00000000000001").checked_mul(decimal("0.000000000000001")),
        Err(MoneyError::Inexact { .. }),
    ));
}

#[test]
fn division_rounds_to_the_last_digit() {
    assert_eq!(usd("10").checked_div(decimal("4")).unwrap(), usd("2.5"));
    assert_eq!(
        usd("2").checked_div(decimal("3")).unwrap().to_string(),
        "0.6666666666666666666666666667 USD",
    );
    assert_eq!(
        usd("10").checked_div(Decimal::ZERO),
        Err(MoneyError::DivisionByZero {
            dividend: usd("10")
        }),
    );
}

#[test]
fn a_share_of_nothing_is_not_known() {
    assert_eq!(usd("59.80").ratio_to(&usd("200")), Ok(decimal("0.299")));
    assert_eq!(usd("0").ratio_to(&usd("-3")), Ok(Decimal::ZERO));
    assert_eq!(
        usd("1").ratio_to(&usd("0.00")).unwrap_err().to_string(),
        "cannot divide 1 USD by zero",
    );
}

#[test]
fn never_combines_two_currencies() {
    let (dollars, euros) = (usd("1"), Money::zero(Currency::EUR));
    let mismatch = MoneyError::CurrencyMismatch {
        left: Currency::USD,
        right: Currency::EUR,
    };
    assert_eq!(dollars.checked_add(euros), Err(mismatch.clone()));
    assert_eq!(dollars.checked_sub(euros), Err(mismatch.clone()));
    assert_eq!(dollars.ratio_to(&euros), Err(mismatch.clone()));
    assert_eq!(dollars.try_cmp(&euros), Err(mismatch.clone()));
    assert_eq!(Money::try_sum([dollars, euros]), Err(mismatch));
    assert_eq!(dollars.partial_cmp(&euros), None);
    assert_ne!(Money::zero(Currency::USD), euros);
}

#[test]
fn compares_by_value_and_not_by_places() {
    let hasher = RandomState::new();
    assert_eq!(usd("12.3"), usd("12.30"));
    assert_eq!(hasher.hash_one(usd("12.3")), hasher.hash_one(usd("12.30")));
    assert_eq!(usd("-1").try_cmp(&usd("0.5")), Ok(Ordering::Less));
    assert!(usd("2") > usd("1.999"));
}

#[test]
fn zero_has_no_sign() {
    let zero = Money::new(-Decimal::ZERO, Currency::USD);
    for money in [
        zero,
        -zero,
        zero.abs(),
        usd("-1").checked_mul(Decimal::ZERO).unwrap(),
    ] {
        assert!(money.is_zero() && !money.is_negative());
        assert_eq!(money.to_string(), "0 USD");
    }
    assert!(usd("-0.01").is_negative());
    // The one way to a decimal of −0 is through its bytes.
    let mut bytes = [0; 16];
    bytes[3] = 0x80;
    let minus_zero = Decimal::deserialize(bytes);
    assert!(minus_zero.is_sign_negative());
    assert!(
        !Money::new(minus_zero, Currency::USD)
            .amount()
            .is_sign_negative()
    );
}

#[test]
fn counts_of_tokens_do_not_wrap() {
    let (most, one) = (TokenCount::new(u64::MAX), TokenCount::new(1));
    assert_eq!(one.checked_add(one), Ok(TokenCount::new(2)));
    assert_eq!(
        most.checked_add(one),
        Err(TokenCountError::Overflow {
            left: most,
            right: one
        })
    );
    assert_eq!(
        TokenCount::ZERO.checked_sub(one).unwrap_err().to_string(),
        "1 tokens cannot be part of 0; check which kinds the whole includes",
    );
    assert_eq!(Decimal::from(most), decimal("18446744073709551615"));
}

/// The same value, or the error that says why there is none.
pub(crate) fn agrees(
    computed: Result<Money, MoneyError>,
    expected: &oracle::Exact,
) -> Result<(), TestCaseError> {
    match (computed, expected.decimal()) {
        (Ok(money), Some(amount)) => prop_assert_eq!(money.amount(), amount),
        (Err(MoneyError::Overflow { .. }), None) => prop_assert!(expected.is_too_large()),
        (Err(MoneyError::Inexact { .. }), None) => prop_assert!(!expected.is_too_large()),
        (computed, amount) => prop_assert!(false, "computed {computed:?}, expected {amount:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn sums_are_those_done_digit_by_digit(left in any_decimal(), right in any_decimal()) {
        let money = Money::new(left, Currency::USD);
        agrees(money.checked_add(Money::new(right, Currency::USD)), &oracle::sum(left, right))?;
        agrees(money.checked_sub(Money::new(right, Currency::USD)), &oracle::sum(left, -right))?;
    }

    #[test]
    fn products_are_those_done_digit_by_digit(left in any_decimal(), right in any_decimal()) {
        let product = Money::new(left, Currency::USD).checked_mul(right);
        agrees(product, &oracle::product(left, right, 0))?;
    }

    #[test]
    fn no_operation_panics(left in any_money(), right in any_money(), number in any_decimal()) {
        let _ = left.checked_add(right);
        let _ = left.checked_sub(right);
        let _ = left.checked_mul(number);
        let _ = left.checked_div(number);
        let _ = left.ratio_to(&right);
        let _ = left.try_cmp(&right);
        let _ = Money::try_sum([left, right, left]);
        prop_assert_eq!(-(-left), left);
        prop_assert_eq!((-left).abs(), left.abs());
        prop_assert_eq!(left.partial_cmp(&right) == Some(Ordering::Equal), left == right);
    }

    #[test]
    fn quotients_are_those_of_long_division(dividend in any::<u64>(), divisor in 1..u64::MAX) {
        let quotient = Money::new(dividend.into(), Currency::USD).checked_div(divisor.into());
        prop_assert_eq!(quotient.map(|it| it.amount()), Ok(oracle::quotient(dividend, divisor)));
    }
}

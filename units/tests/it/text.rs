//! Is what is read what is printed, to the last digit?

use bursar_units::{Currency, Money, ParseMoneyError};
use proptest::prelude::*;

use crate::decimal;
use crate::strategies::any_money;

#[test]
fn reads_amounts_exactly_and_keeps_their_places() {
    for (text, printed) in [
        ("12.34", "12.34 USD"),
        ("12.3400", "12.3400 USD"),
        ("-0.50", "-0.50 USD"),
        ("+1", "1 USD"),
        (".5", "0.5 USD"),
        ("5.", "5 USD"),
        ("007", "7 USD"),
        ("-0.00", "0.00 USD"),
        ("1e3", "1000 USD"),
        ("1.50E+1", "15.0 USD"),
        ("1.5e-7", "0.00000015 USD"),
        ("0e999999", "0 USD"),
        (
            "0.1234567890123456789012345678",
            "0.1234567890123456789012345678 USD",
        ),
        (
            "79228162514264337593543950335",
            "79228162514264337593543950335 USD",
        ),
        (
            "-79228162514264337593543950335.000",
            "-79228162514264337593543950335 USD",
        ),
        (
            "7.9228162514264337593543950335",
            "7.9228162514264337593543950335 USD",
        ),
        (
            "1.0000000000000000000000000000000000000000000000000000",
            "1.0000000000000000000000000000 USD",
        ),
        (
            "10000000000000.0000000000000000000000000000",
            "10000000000000.000000000000000 USD",
        ),
        (
            "0.0000000000000000000000000000000000000",
            "0.0000000000000000000000000000 USD",
        ),
        (
            "10000000000000000000000000000000000000000e-40",
            "1.0000000000000000000000000000 USD",
        ),
        (
            "0.00000000000000000000000000000000000000000000000001e50",
            "1 USD",
        ),
    ] {
        let money = Money::parse(text, Currency::USD);
        assert_eq!(
            money.map(|it| it.to_string()).as_deref(),
            Ok(printed),
            "{text}"
        );
    }
}

#[test]
fn refuses_text_that_is_no_amount() {
    for text in [
        "",
        "-",
        "+",
        ".",
        "-.",
        "1,234.50",
        "1.2.3",
        "--1",
        "+-1",
        " 1",
        "1 ",
        "1_000",
        "$1",
        "NaN",
        "inf",
        "0x10",
        "1e",
        "e5",
        "1e1.5",
        "1e99999999999",
        "1e 5",
        "１",
        "12.34 USD",
        "1e+-5",
    ] {
        assert!(
            matches!(
                Money::parse(text, Currency::USD),
                Err(ParseMoneyError::InvalidAmount { .. })
            ),
            "{text}: {:?}",
            Money::parse(text, Currency::USD),
        );
    }
}

#[test]
fn refuses_digits_that_do_not_fit_instead_of_rounding() {
    for text in [
        "0.00000000000000000000000000001",
        "1e-29",
        "7922816251426433759354395033.55",
        "0.12345678901234567890123456789",
        "0.1234567890123456789012345678901234567890123456789",
    ] {
        let error = Money::parse(text, Currency::USD).unwrap_err();
        assert!(
            matches!(error, ParseMoneyError::TooManyDigits { .. }),
            "{error}"
        );
    }
    for text in [
        "79228162514264337593543950336",
        "123456789012345678901234567890.1",
        "1234567890123456789012345678901234567890.5",
        "12345678901234567890123456789.01234567890123456789e3",
        "-1e29",
        "1e999999999",
        "9e2147483647",
    ] {
        assert!(
            matches!(
                Money::parse(text, Currency::USD),
                Err(ParseMoneyError::OutOfRange { .. })
            ),
            "{text}: {:?}",
            Money::parse(text, Currency::USD),
        );
    }
}

#[test]
fn reads_the_currency_before_or_after_the_amount() {
    let money = Money::new(decimal("-12.34"), Currency::EUR);
    assert_eq!("-12.34 EUR".parse(), Ok(money));
    assert_eq!("EUR -12.34".parse(), Ok(money));
    for (text, message) in [
        (
            "12.34EUR",
            "`12.34EUR` is not money; write the amount, one space and the currency, such as `12.34 USD`",
        ),
        (
            "12.34 eur",
            "currency code `eur` is not in upper case; write `EUR`",
        ),
        (
            "12.34 ",
            "`` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
        (
            "12.34  EUR",
            "` EUR` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
    ] {
        assert_eq!(text.parse::<Money>().unwrap_err().to_string(), message);
    }
    assert!(matches!(
        "EUR twelve".parse::<Money>(),
        Err(ParseMoneyError::InvalidAmount { .. })
    ));
}

#[test]
fn prints_with_width_and_sign_and_never_rounds() {
    let money = Money::new(decimal("-12.345"), Currency::USD);
    assert_eq!(format!("{money:.0}"), "-12.345 USD");
    assert_eq!(format!("[{money:14}]"), "[   -12.345 USD]");
    assert_eq!(format!("[{money:<14}]"), "[-12.345 USD   ]");
    assert_eq!(format!("{:+}", money.abs()), "+12.345 USD");
}

#[test]
fn an_error_does_not_repeat_a_megabyte() {
    let error = Money::parse(&"x".repeat(1_000_000), Currency::USD).unwrap_err();
    assert!(error.to_string().len() < 500);
    // A number of a million digits is read, and is too large.
    let error = Money::parse(&"9".repeat(1_000_000), Currency::USD).unwrap_err();
    assert!(matches!(error, ParseMoneyError::OutOfRange { .. }));
}

proptest! {
    #[test]
    fn money_is_read_as_it_is_printed(money in any_money()) {
        let read: Money = money.to_string().parse().unwrap();
        prop_assert_eq!(read, money);
        prop_assert_eq!(read.amount().scale(), money.amount().scale());
        let currency_first = format!("{} {}", money.currency(), money.amount());
        prop_assert_eq!(currency_first.parse(), Ok(money));
        let scientific = format!("{}e-{}", money.amount().mantissa(), money.amount().scale());
        prop_assert_eq!(Money::parse(&scientific, money.currency()), Ok(money));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|[-+0-9.eE]{0,60}( [A-Z]{3})?") {
        let _ = text.parse::<Money>();
        let _ = Money::parse(&text, Currency::USD);
    }
}

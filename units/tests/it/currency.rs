//! Which codes are currencies, and what do they say?

use bursar_units::{Currency, CurrencyError};
use proptest::prelude::*;

#[test]
fn minor_units_are_those_of_iso_4217() {
    for (currency, minor_units) in [
        (Currency::USD, Some(2)),
        (Currency::JPY, Some(0)),
        (Currency::KRW, Some(0)),
        (Currency::KWD, Some(3)),
        (Currency::BHD, Some(3)),
        (Currency::CLP, Some(0)),
        (Currency::XXX, None),
        (Currency::XTS, None),
    ] {
        assert_eq!(currency.minor_units(), minor_units, "{currency}");
    }
    let fund = Currency::from_code("CLF").unwrap();
    assert_eq!(fund.minor_units(), Some(4));
}

#[test]
fn reads_what_it_prints() {
    for code in [
        "USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "BRL", "XXX",
    ] {
        let currency: Currency = code.parse().unwrap();
        assert_eq!(currency.to_string(), code);
        assert_eq!(format!("{currency:?}"), code);
        assert_eq!(format!("{currency:>5}"), format!("  {code}"));
    }
}

#[test]
fn refuses_what_is_no_code_and_says_what_to_write() {
    for (code, message) in [
        (
            "usd",
            "currency code `usd` is not in upper case; write `USD`",
        ),
        (
            "Eur",
            "currency code `Eur` is not in upper case; write `EUR`",
        ),
        (
            "BTC",
            "`BTC` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
        (
            "",
            "`` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
        (
            "US",
            "`US` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
        (
            "USD ",
            "`USD ` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
        (
            "€",
            "`€` is not a currency code of ISO 4217; write three letters such as `USD`",
        ),
    ] {
        assert_eq!(Currency::from_code(code).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_error_does_not_repeat_a_megabyte() {
    let error = Currency::from_code(&"USD".repeat(400_000)).unwrap_err();
    assert!(matches!(&error, CurrencyError::Unknown { code } if code.len() < 100));
}

#[test]
fn orders_by_code() {
    let mut currencies =
        ["USD", "XCG", "AOA", "EUR", "AMD"].map(|it| it.parse::<Currency>().unwrap());
    currencies.sort();
    assert_eq!(
        currencies.map(Currency::code),
        ["AMD", "AOA", "EUR", "USD", "XCG"]
    );
}

proptest! {
    #[test]
    fn any_text_is_its_own_code_or_an_error(text in "\\PC{0,4}|[A-Z]{3}") {
        if let Ok(currency) = Currency::from_code(&text) {
            prop_assert_eq!(currency.code(), text);
        }
    }
}

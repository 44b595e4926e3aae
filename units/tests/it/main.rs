//! The public behavior of bursar-units, in one binary.

mod allocation;
mod arithmetic;
mod currency;
mod oracle;
mod rounding;
#[cfg(feature = "serde")]
mod serialization;
mod strategies;
mod text;
mod unit_rate;

use bursar_units::{
    Currency, CurrencyError, Money, MoneyError, ParseMoneyError, Per, Quantum, Rounding,
    TokenCount, TokenCountError, UnitRate,
};
use rust_decimal::Decimal;

/// A decimal as written; for test data only.
fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("test data is a decimal")
}

fn usd(text: &str) -> Money {
    Money::new(decimal(text), Currency::USD)
}

#[test]
fn every_type_crosses_threads_and_every_error_is_one() {
    fn shared<T: Send + Sync + 'static>() {}
    fn error<T: std::error::Error + Send + Sync + Clone + 'static>() {}
    shared::<(
        Money,
        Currency,
        Quantum,
        Rounding,
        TokenCount,
        UnitRate,
        Per,
    )>();
    error::<MoneyError>();
    error::<ParseMoneyError>();
    error::<CurrencyError>();
    error::<TokenCountError>();
}

#[test]
fn money_and_currency_stay_small() {
    assert_eq!(size_of::<Currency>(), 1);
    assert_eq!(size_of::<Option<Currency>>(), 1);
    assert_eq!(size_of::<Money>(), 20);
}

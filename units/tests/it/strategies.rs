//! Which values do the properties range over?

use bursar_units::{Currency, Money, Quantum, Rounding};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Every decimal there is, with the extreme ones often.
pub(crate) fn any_decimal() -> impl Strategy<Value = Decimal> {
    let raw = (any::<[u32; 3]>(), any::<bool>(), 0..=28_u32).prop_map(
        |([lo, mid, hi], negative, scale)| Decimal::from_parts(lo, mid, hi, negative, scale),
    );
    prop_oneof![
        4 => raw,
        4 => (any::<i64>(), 0..=28_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        2 => (-1_000_i64..1_000, 0..=28_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        1 => prop::sample::select(vec![
            Decimal::MAX,
            Decimal::MIN,
            Decimal::ZERO,
            -Decimal::ZERO,
            Decimal::ONE,
            Decimal::new(1, 28),
            Decimal::new(-1, 28),
            Decimal::new(0, 28),
            Decimal::from_parts(u32::MAX, u32::MAX, u32::MAX, false, 28),
            Decimal::from_parts(u32::MAX, u32::MAX, u32::MAX, true, 1),
        ]),
    ]
}

/// Amounts as bills have them: up to 10^12 with up to 12 places.
pub(crate) fn billed_decimal() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000_i64..1_000_000_000_000, 0..=12_u32)
        .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

pub(crate) fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec![
        Currency::USD,
        Currency::EUR,
        Currency::JPY,
        Currency::KWD,
        Currency::XXX,
    ])
}

pub(crate) fn any_money() -> impl Strategy<Value = Money> {
    (any_decimal(), any_currency()).prop_map(|(amount, currency)| Money::new(amount, currency))
}

/// Steps over zero, from 10^-28 to the largest decimal.
pub(crate) fn any_step() -> impl Strategy<Value = Decimal> {
    any_decimal()
        .prop_map(|step| step.abs())
        .prop_filter("over zero", |step| !step.is_zero())
}

pub(crate) fn any_quantum() -> impl Strategy<Value = Quantum> {
    prop_oneof![
        Just(Quantum::MINOR_UNIT),
        any_step().prop_map(|step| Quantum::step(step).expect("the step is over zero")),
    ]
}

pub(crate) const ROUNDINGS: [Rounding; 6] = [
    Rounding::HalfEven,
    Rounding::HalfUp,
    Rounding::Up,
    Rounding::Down,
    Rounding::Floor,
    Rounding::Ceiling,
];

pub(crate) fn any_rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(&ROUNDINGS[..])
}

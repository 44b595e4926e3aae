//! Which random inputs are there?

use anyhow::Context;
use bursar_pricing::{Factor, Margin};
use bursar_units::{Currency, Quantum, Rounding};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;

/// What all inputs of a case are drawn from.
pub(crate) type Random = ChaCha8Rng;

/// The source of the case of this number; it depends on nothing but seed and number.
pub(crate) fn source(seed: u64, number: u64) -> Random {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

pub(crate) fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.random_range(0..from.len())]
}

/// Currencies with two, no and three decimal places, and one without a minor unit.
pub(crate) fn currency(random: &mut Random) -> anyhow::Result<(Currency, Option<u32>)> {
    let (code, places) = *pick(
        random,
        &[
            ("USD", Some(2)),
            ("USD", Some(2)),
            ("USD", Some(2)),
            ("EUR", Some(2)),
            ("JPY", Some(0)),
            ("BHD", Some(3)),
        ],
    );
    let (code, places) = match random.random_bool(0.01) {
        true => ("XAU", None),
        false => (code, places),
    };
    let currency = Currency::from_code(code).context("a code of ISO 4217")?;
    Ok((currency, places))
}

/// From 10⁻⁹ to 10⁹, evenly over the orders of magnitude, with 1 to 19 digits.
pub(crate) fn amount(random: &mut Random) -> Decimal {
    let exponent = random.random_range(-9..=9);
    // At 10⁹ there is nothing after the first digit, which is 1.
    if exponent == 9 {
        return Decimal::from(1_000_000_000);
    }
    let digits = random.random_range(1..=19);
    of_magnitude(random, exponent, digits)
}

/// So many digits, the first of which has the value 10^`exponent`.
pub(crate) fn of_magnitude(random: &mut Random, exponent: i32, digits: u32) -> Decimal {
    let lowest = 10_i128.pow(digits - 1);
    let mantissa = random.random_range(lowest..lowest * 10);
    let scale = digits.cast_signed() - 1 - exponent;
    match u32::try_from(scale) {
        Ok(scale) => Decimal::from_i128_with_scale(mantissa, scale),
        Err(_) => Decimal::from_i128_with_scale(mantissa * 10_i128.pow(scale.unsigned_abs()), 0),
    }
}

/// Any decimal over zero, evenly over its digits and its places.
pub(crate) fn any_decimal(random: &mut Random) -> Decimal {
    let bits = random.random_range(1..=96);
    let most = (1_i128 << bits) - 1;
    let mantissa = random.random_range(most / 2 + 1..=most);
    Decimal::from_i128_with_scale(mantissa, random.random_range(0..=Decimal::MAX_SCALE))
}

/// Powers of ten and other steps, most of them finer than the amount.
pub(crate) fn step(random: &mut Random, amount: Decimal) -> Decimal {
    let whole = Decimal::ONE.max(amount).trunc().mantissa().unsigned_abs();
    let finest = 25_u32.saturating_sub(whole.ilog10()).min(16);
    let scale = random.random_range(0..=finest);
    match random.random_range(0..3) {
        0 => Decimal::new(random.random_range(1..=1_000), scale),
        1 => Decimal::new(*pick(random, &[5, 25, 125]), scale),
        _ => Decimal::new(1, scale),
    }
}

/// The minor unit in one of eight cases, which is `None` where there is none, or an explicit step.
pub(crate) fn quantum(
    random: &mut Random,
    places: Option<u32>,
    step: Decimal,
) -> anyhow::Result<(Quantum, Option<Decimal>)> {
    Ok(match random.random_range(0..8) {
        0 => (
            Quantum::MINOR_UNIT,
            places.map(|places| Decimal::new(1, places)),
        ),
        _ => (Quantum::step(step)?, Some(step)),
    })
}

pub(crate) fn rounding(random: &mut Random) -> Rounding {
    *pick(
        random,
        &[
            Rounding::HalfEven,
            Rounding::HalfUp,
            Rounding::Up,
            Rounding::Down,
            Rounding::Floor,
            Rounding::Ceiling,
        ],
    )
}

/// Whole percents, basis points, or nine random places.
pub(crate) fn margin(random: &mut Random, most_percent: i64) -> anyhow::Result<Margin> {
    Ok(Margin::new(share(random, most_percent))?)
}

/// From 0 to less than so many percent.
pub(crate) fn share(random: &mut Random, most_percent: i64) -> Decimal {
    let places = *pick(random, &[2_u32, 2, 4, 9]);
    let units = 10_i64.pow(places) / 100 * most_percent;
    Decimal::new(random.random_range(0..units), places)
}

/// About 1 mostly, and anything from 10⁻⁹ to 1000.
pub(crate) fn factor(random: &mut Random) -> anyhow::Result<Factor> {
    Ok(Factor::new(match random.random_range(0..4) {
        0 => Decimal::ONE,
        1 => Decimal::new(random.random_range(5..=20), 1),
        2 => Decimal::new(random.random_range(1..=3_000_000_000), 9),
        _ => {
            let highest = 10_i64.pow(random.random_range(1..=12));
            Decimal::new(random.random_range(highest / 10..=highest), 9)
        }
    })?)
}

/// A count, evenly over its orders of magnitude.
pub(crate) fn count(random: &mut Random, most_bits: u32) -> u64 {
    let bits = random.random_range(0..=most_bits);
    let most = u64::MAX.checked_shr(64 - bits).unwrap_or_default();
    random.random_range(most / 2..=most)
}

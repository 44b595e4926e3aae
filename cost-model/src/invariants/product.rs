//! Is a cost the product of price and quantity, to the last digit or within a tolerance?
//!
//! Cells have up to 38 digits, so a product has up to 76: where 128 bits do not hold it, it is
//! compared in 256. Nothing is rounded.

use std::cmp::Ordering;

use super::rule::Rule;
use super::shown::Shown;
use super::{Facts, InvariantChecks};
use crate::exact::POWERS;
use crate::{CostRecord, Exact, ExactSum, MAX_SCALE};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_products(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let Some(quantity) = record.pricing_quantity.filter(|_| !facts.is_correction) else {
            return;
        };
        let list = record.list_unit_price.zip(record.list_cost);
        let contracted = record.contracted_unit_price.zip(record.contracted_cost);
        let names = ["ListCost", "ListUnitPrice"];
        self.check_product(Rule::ListProduct, record, list, quantity, names);
        let names = ["ContractedCost", "ContractedUnitPrice"];
        self.check_product(Rule::ContractedProduct, record, contracted, quantity, names);
    }

    #[inline]
    fn check_product(
        &mut self,
        rule: Rule,
        record: &CostRecord<'_>,
        price_and_cost: Option<(Exact, Exact)>,
        quantity: Exact,
        [cost_name, price_name]: [&'static str; 2],
    ) {
        let Some((price, cost)) = price_and_cost else {
            return;
        };
        let agreement = agreement(price, quantity, cost, self.options.tolerance);
        self.tallies[rule as usize].exact += u64::from(agreement == Agreement::Exact);
        if agreement == Agreement::Off {
            let power = power_of_ten(price, quantity, cost);
            self.factors.add(rule, record, power);
        }
        self.check(rule, record, agreement != Agreement::Off, || Shown {
            values: vec![
                (cost_name, cost.normalized().to_string()),
                (price_name, price.normalized().to_string()),
                ("PricingQuantity", quantity.normalized().to_string()),
            ],
            difference: difference(price, quantity, cost),
        });
    }
}

/// How close a stated cost is to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// Equal to the last digit.
    Exact,
    /// Within the tolerance.
    Close,
    /// Further off.
    Off,
}

/// Compares `cost` with `price` × `quantity`.
#[inline]
fn agreement(price: Exact, quantity: Exact, cost: Exact, tolerance: Exact) -> Agreement {
    match narrow(price, quantity, cost, tolerance) {
        Some(agreement) => agreement,
        None => wide(price, quantity, cost, tolerance),
    }
}

/// The comparison in 128 bits; `None` where they do not suffice.
#[inline]
fn narrow(price: Exact, quantity: Exact, cost: Exact, tolerance: Exact) -> Option<Agreement> {
    let product = times(price.mantissa(), quantity.mantissa())?;
    let places = price.scale() + quantity.scale();
    let scale = places.max(cost.scale());
    let up = |mantissa: i128, places: u32| {
        times(
            mantissa,
            *POWERS.get((scale.checked_sub(places)?) as usize)?,
        )
    };
    let difference = up(cost.mantissa(), cost.scale())?
        .checked_sub(up(product, places)?)?
        .unsigned_abs();
    if difference == 0 {
        return Some(Agreement::Exact);
    }
    let scale = scale.max(tolerance.scale());
    let difference = times(
        i128::try_from(difference).ok()?,
        *POWERS.get((scale - places.max(cost.scale())) as usize)?,
    )?;
    let allowed = times(
        tolerance.mantissa(),
        *POWERS.get((scale - tolerance.scale()) as usize)?,
    )?;
    Some(if difference <= allowed {
        Agreement::Close
    } else {
        Agreement::Off
    })
}

/// A product of 128 bits; two factors of 64 bits, the common case, need one multiplication.
#[inline]
fn times(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

/// The comparison in 256 bits.
#[cold]
fn wide(price: Exact, quantity: Exact, cost: Exact, tolerance: Exact) -> Agreement {
    let places = price.scale() + quantity.scale();
    let scale = places.max(cost.scale()).max(tolerance.scale());
    let Some((_, difference)) = wide_difference(price, quantity, cost, scale) else {
        // One side alone leaves 256 bits, so the other is less than a quarter of it.
        return Agreement::Off;
    };
    let allowed = Bits256::product(tolerance.mantissa().unsigned_abs(), 1)
        .times_ten(scale - tolerance.scale());
    match allowed {
        _ if difference.is_zero() => Agreement::Exact,
        Some(allowed) if difference.cmp(&allowed) == Ordering::Greater => Agreement::Off,
        _ => Agreement::Close,
    }
}

/// Cost less product, as its sign and its size in units of 10^−`scale`.
fn wide_difference(
    price: Exact,
    quantity: Exact,
    cost: Exact,
    scale: u32,
) -> Option<(bool, Bits256)> {
    let places = price.scale() + quantity.scale();
    let product = Bits256::product(
        price.mantissa().unsigned_abs(),
        quantity.mantissa().unsigned_abs(),
    )
    .times_ten(scale.checked_sub(places)?)?;
    let stated = Bits256::product(cost.mantissa().unsigned_abs(), 1)
        .times_ten(scale.checked_sub(cost.scale())?)?;
    let product_is_negative = price.is_negative() != quantity.is_negative() && !product.is_zero();
    if product_is_negative != cost.is_negative() {
        return Some((cost.is_negative(), stated.plus(&product)?));
    }
    Some(match stated.cmp(&product) {
        Ordering::Less => (!cost.is_negative(), product.minus(&stated)),
        _ => (cost.is_negative(), stated.minus(&product)),
    })
}

/// Cost less price × quantity, cut after 37 places; `None` where its whole part has more than
/// 38 digits.
fn difference(price: Exact, quantity: Exact, cost: Exact) -> Option<ExactSum> {
    let scale = (price.scale() + quantity.scale()).max(cost.scale());
    let (is_negative, size) = wide_difference(price, quantity, cost, scale)?;
    let places = scale as usize;
    let digits = format!("{:0>width$}", size.digits(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = &fraction[..places.min(MAX_SCALE as usize)];
    let sign = if is_negative { "-" } else { "" };
    format!("{sign}{whole}.{fraction}0")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .parse()
        .ok()
}

/// `Some(k)` when the cost is 10^k times the product, k ≠ 0, as far as their digits tell.
///
/// The digits of a cost that was rounded tell no more than its last place, so one unit of that
/// is allowed. A ratio explains a failure and decides nothing, hence floating point.
fn power_of_ten(price: Exact, quantity: Exact, cost: Exact) -> Option<i32> {
    let product = price.to_f64() * quantity.to_f64();
    let stated = cost.to_f64();
    let ratio = stated / product;
    if !ratio.is_finite() || ratio <= 0.0 {
        return None;
    }
    let power = ratio.log10().round();
    let expected = product * 10f64.powf(power);
    let last_place = 10f64.powi(-(cost.scale() as i32));
    let allowed = (stated.abs() * 1e-6).max(last_place.min(stated.abs() * 0.05));
    (power != 0.0 && (expected - stated).abs() <= allowed).then_some(power as i32)
}

/// An unsigned number of 256 bits, least part first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bits256([u64; 4]);

/// The largest power of ten in 64 bits, and its exponent.
const CHUNK: (u64, u32) = (10_000_000_000_000_000_000, 19);

impl Bits256 {
    fn product(a: u128, b: u128) -> Bits256 {
        let parts = |n: u128| [n as u64, (n >> 64) as u64];
        let mut limbs = [0u64; 4];
        for (i, a) in parts(a).into_iter().enumerate() {
            let mut carry = 0u128;
            for (j, b) in parts(b).into_iter().enumerate() {
                // (2⁶⁴−1)² + 2(2⁶⁴−1) is 2¹²⁸−1: this cannot overflow.
                let sum = u128::from(a) * u128::from(b) + u128::from(limbs[i + j]) + carry;
                limbs[i + j] = sum as u64;
                carry = sum >> 64;
            }
            limbs[i + 2] = carry as u64;
        }
        Bits256(limbs)
    }

    fn times_ten(self, power: u32) -> Option<Bits256> {
        let mut number = self;
        let mut left = power;
        while left > 0 {
            let step = left.min(CHUNK.1);
            number = number.times(10u64.pow(step))?;
            left -= step;
        }
        Some(number)
    }

    fn times(self, factor: u64) -> Option<Bits256> {
        let mut carry = 0u128;
        let limbs = self.0.map(|limb| {
            let product = u128::from(limb) * u128::from(factor) + carry;
            carry = product >> 64;
            product as u64
        });
        (carry == 0).then_some(Bits256(limbs))
    }

    fn plus(&self, other: &Bits256) -> Option<Bits256> {
        let mut carry = 0u128;
        let mut limbs = [0u64; 4];
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.iter().zip(&other.0)) {
            let sum = u128::from(*a) + u128::from(*b) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        (carry == 0).then_some(Bits256(limbs))
    }

    /// The difference to a number that is not larger.
    fn minus(&self, other: &Bits256) -> Bits256 {
        let mut borrowed = false;
        let mut limbs = [0u64; 4];
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.iter().zip(&other.0)) {
            let (once, first) = a.overflowing_sub(*b);
            let (twice, second) = once.overflowing_sub(u64::from(borrowed));
            *limb = twice;
            borrowed = first || second;
        }
        Bits256(limbs)
    }

    fn cmp(&self, other: &Bits256) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }

    fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    fn digits(&self) -> String {
        let mut rest = self.0;
        let mut chunks = Vec::new();
        while rest != [0; 4] {
            let mut remainder = 0u128;
            for limb in rest.iter_mut().rev() {
                let part = (remainder << 64) | u128::from(*limb);
                *limb = (part / u128::from(CHUNK.0)) as u64;
                remainder = part % u128::from(CHUNK.0);
            }
            chunks.push(remainder);
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.into_iter().rev() {
            text.push_str(&format!("{chunk:019}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(price: &str, quantity: &str, cost: &str, expected: Agreement, off_by: &str) {
        let cell = |text: &str| -> Exact { text.parse().unwrap() };
        let (price, quantity, cost) = (cell(price), cell(quantity), cell(cost));
        let tolerance = cell("0.000001");
        assert_eq!(agreement(price, quantity, cost, tolerance), expected);
        // The narrow path must say what the wide one says.
        assert_eq!(wide(price, quantity, cost, tolerance), expected);
        let difference = difference(price, quantity, cost).unwrap();
        assert_eq!(difference.to_string(), off_by);
    }

    #[test]
    fn compares_products_of_common_cells() {
        check("0.4", "2.5", "1", Agreement::Exact, "0");
        check("0.4", "2.5", "1.000001", Agreement::Close, "0.000001");
        check("0.4", "2.5", "0.999999", Agreement::Close, "-0.000001");
        check("0.4", "2.5", "1.0000011", Agreement::Off, "0.0000011");
        check("-0.4", "2.5", "1", Agreement::Off, "2");
        check("-0.4", "2.5", "-1.50", Agreement::Off, "-0.5");
        check("0", "-7", "0", Agreement::Exact, "0");
        check(
            "0.05",
            "0.00000003",
            "0.000015",
            Agreement::Off,
            "0.0000149985",
        );
    }

    #[test]
    fn compares_products_that_need_256_bits() {
        let price = "1.2345678901234567890123456789";
        let quantity = "9.8765432109876543210987654321";
        // Computed with arbitrary precision: 12.19326311370217952261850327336229233322374638…
        let near = "12.193263113702179522618503273";
        let tail = "-0.0000000000000000000000000003622923332";
        check(price, quantity, near, Agreement::Close, tail);
        check(
            price,
            quantity,
            "12.193265",
            Agreement::Off,
            "0.0000018862978204773814967266377076667",
        );
        let cut = format!("999.{}", "9".repeat(37));
        check("1e-37", "1e-37", "1000", Agreement::Off, &cut);
        check("-1e-37", "1e-37", "0", Agreement::Close, "0");
    }

    #[test]
    fn finds_powers_of_ten_and_nothing_else() {
        let power = |price: &str, quantity: &str, cost: &str| {
            power_of_ten(
                price.parse().unwrap(),
                quantity.parse().unwrap(),
                cost.parse().unwrap(),
            )
        };
        assert_eq!(power("0.05", "0.00000003", "0.00001500000"), Some(4));
        assert_eq!(power("20", "3", "0.6"), Some(-2));
        assert_eq!(power("2", "3", "6"), None);
        assert_eq!(power("2", "3", "70"), None);
        assert_eq!(power("2", "0", "70"), None);
        assert_eq!(power("2", "3", "-60"), None);
    }
}

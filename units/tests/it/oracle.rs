//! What is the exact result, computed the slow way, digit by digit on paper?
//!
//! Shares no code with the crate: numbers are lists of decimal digits, and
//! whether a result fits is asked of `rust_decimal`'s exact reader.

use std::cmp::Ordering;

use rust_decimal::Decimal;

/// A decimal has at most 28 places.
const PLACES: usize = 28;

/// Digits from the last to the first.
type Digits = Vec<u8>;

/// An exact number, of any length.
pub(crate) struct Exact {
    negative: bool,
    digits: Digits,
    places: usize,
}

/// `left + right`.
pub(crate) fn sum(left: Decimal, right: Decimal) -> Exact {
    let (a, b) = (aligned(left), aligned(right));
    let (negative, digits) = if left.is_sign_negative() == right.is_sign_negative() {
        (left.is_sign_negative(), add(&a, &b))
    } else if is_less(&a, &b) {
        (right.is_sign_negative(), subtract(&b, &a))
    } else {
        (left.is_sign_negative(), subtract(&a, &b))
    };
    Exact {
        negative,
        digits,
        places: PLACES,
    }
}

/// `left × right ÷ 10^places`.
pub(crate) fn product(left: Decimal, right: Decimal, places: u32) -> Exact {
    let (a, b) = (digits_of(left), digits_of(right));
    let mut digits = vec![0; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0;
        for j in 0..=b.len() {
            let y = b.get(j).copied().unwrap_or(0);
            let cell = digits[i + j] + x * y + carry;
            digits[i + j] = cell % 10;
            carry = cell / 10;
        }
    }
    let negative = left.is_sign_negative() != right.is_sign_negative();
    let places = usize::try_from(left.scale() + right.scale() + places).expect("small");
    Exact {
        negative,
        digits,
        places,
    }
}

/// `dividend ÷ divisor` by long division, to as many places as a decimal has
/// room for, the last one rounded to the nearest and a tie to even.
pub(crate) fn quotient(dividend: u64, divisor: u64) -> Decimal {
    let (dividend, divisor) = (i128::from(dividend), i128::from(divisor));
    let largest = Decimal::MAX.mantissa();
    let (mut mantissa, mut remainder, mut scale) = (dividend / divisor, dividend % divisor, 0);
    while remainder != 0 && scale < Decimal::MAX_SCALE {
        let next = mantissa * 10 + remainder * 10 / divisor;
        if next > largest {
            break;
        }
        (mantissa, remainder, scale) = (next, remainder * 10 % divisor, scale + 1);
    }
    let up = match (remainder * 2).cmp(&divisor) {
        Ordering::Less => 0,
        Ordering::Equal => mantissa % 2,
        Ordering::Greater => 1,
    };
    Decimal::from_i128_with_scale(mantissa + up, scale)
}

impl Exact {
    /// The same value as a decimal, where one holds it.
    pub(crate) fn decimal(&self) -> Option<Decimal> {
        let is_zero = self.digits.iter().all(|digit| *digit == 0);
        if is_zero {
            Some(Decimal::ZERO)
        } else {
            self.read()
        }
    }

    /// Whether the part before the point is over the largest decimal.
    pub(crate) fn is_too_large(&self) -> bool {
        let whole = self.digits.get(self.places..).unwrap_or_default();
        is_less(&digits_of(Decimal::MAX), whole)
    }

    fn read(&self) -> Option<Decimal> {
        let n_zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        let n_dropped = n_zeros.min(self.places);
        let places = self.places - n_dropped;
        let mut digits = self.digits[n_dropped..].to_vec();
        digits.resize(digits.len().max(places + 1), 0);
        let mut text: String = digits
            .iter()
            .rev()
            .map(|digit| char::from(b'0' + digit))
            .collect();
        text.insert(text.len() - places, '.');
        let text = text.trim_start_matches('0').trim_end_matches('.');
        let decimal = Decimal::from_str_exact(text).ok()?;
        Some(if self.negative { -decimal } else { decimal })
    }
}

fn digits_of(decimal: Decimal) -> Digits {
    let text = decimal.mantissa().unsigned_abs().to_string();
    text.bytes().rev().map(|byte| byte - b'0').collect()
}

/// The digits with 28 places.
fn aligned(decimal: Decimal) -> Digits {
    let scale = usize::try_from(decimal.scale()).expect("small");
    let mut digits = vec![0; PLACES - scale];
    digits.extend(digits_of(decimal));
    digits
}

fn at(digits: &[u8], index: usize) -> i8 {
    i8::try_from(digits.get(index).copied().unwrap_or(0)).expect("a digit")
}

fn is_less(a: &[u8], b: &[u8]) -> bool {
    (0..a.len().max(b.len()))
        .rev()
        .map(|i| at(a, i))
        .lt((0..a.len().max(b.len())).rev().map(|i| at(b, i)))
}

fn add(a: &[u8], b: &[u8]) -> Digits {
    combine(a, b, |x, y| x + y)
}

fn subtract(a: &[u8], b: &[u8]) -> Digits {
    combine(a, b, |x, y| x - y)
}

fn combine(a: &[u8], b: &[u8], operation: impl Fn(i8, i8) -> i8) -> Digits {
    let mut carry = 0;
    (0..=a.len().max(b.len()))
        .map(|i| {
            let cell = operation(at(a, i), at(b, i)) + carry;
            carry = cell.div_euclid(10);
            u8::try_from(cell.rem_euclid(10)).expect("a digit")
        })
        .collect()
}

#[test]
fn agrees_with_sums_and_products_done_by_hand() {
    use crate::decimal;
    let sum_of = |left, right| sum(decimal(left), right).decimal();
    assert_eq!(sum_of("1.05", decimal("-2.1")), Some(decimal("-1.05")));
    assert_eq!(sum_of("999.9", decimal("0.1")), Some(decimal("1000")));
    assert_eq!(sum_of("0.1", Decimal::MAX), None);
    assert_eq!(sum_of("1", Decimal::MAX), None);
    assert!(!sum(decimal("0.1"), Decimal::MAX).is_too_large());
    assert!(sum(decimal("1"), Decimal::MAX).is_too_large());

    let product_of = |left, right, places| product(decimal(left), decimal(right), places).decimal();
    assert_eq!(product_of("12.30", "-0.1", 0), Some(decimal("-1.23")));
    assert_eq!(product_of("3.00", "1234", 6), Some(decimal("0.003702")));
    assert_eq!(product_of("0.00000000000000000001", "0.000000001", 0), None);
    assert!(product(Decimal::MAX, Decimal::TWO, 0).is_too_large());
    assert!(!product(Decimal::MAX, Decimal::TWO, 1).is_too_large());

    assert_eq!(quotient(10, 4), decimal("2.5"));
    assert_eq!(quotient(2, 3), decimal("0.6666666666666666666666666667"));
}

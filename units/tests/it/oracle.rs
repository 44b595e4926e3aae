//! What is the exact result, computed the slow way, digit by digit on paper?
//!
//! Shares no code with the crate: numbers are lists of decimal digits, and
//! whether a result fits is asked of `rust_decimal`'s exact reader.

use rust_decimal::Decimal;

/// A decimal has at most 28 places.
const PLACES: usize = 28;

/// Digits from the last to the first.
type Digits = Vec<u8>;

/// `left + right` if a decimal holds it exactly.
pub(crate) fn sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (a, b) = (aligned(left), aligned(right));
    let (negative, digits) = if left.is_sign_negative() == right.is_sign_negative() {
        (left.is_sign_negative(), add(&a, &b))
    } else if is_less(&a, &b) {
        (right.is_sign_negative(), subtract(&b, &a))
    } else {
        (left.is_sign_negative(), subtract(&a, &b))
    };
    read(negative, digits, PLACES)
}

/// `left × right ÷ 10^places` if a decimal holds it exactly.
pub(crate) fn product(left: Decimal, right: Decimal, places: usize) -> Option<Decimal> {
    let (a, b) = (digits_of(left), digits_of(right));
    let mut digits = vec![0; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0;
        for j in 0..b.len() + 1 {
            let y = b.get(j).copied().unwrap_or(0);
            let cell: u16 = u16::from(digits[i + j]) + u16::from(x * y) + carry;
            digits[i + j] = u8::try_from(cell % 10).expect("a digit");
            carry = cell / 10;
        }
    }
    let negative = left.is_sign_negative() != right.is_sign_negative();
    let scale = usize::try_from(left.scale() + right.scale()).expect("small");
    read(negative, digits, scale + places)
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

fn read(negative: bool, mut digits: Digits, mut places: usize) -> Option<Decimal> {
    while places > 0 && digits.first() == Some(&0) {
        digits.remove(0);
        places -= 1;
    }
    while digits.len() <= places {
        digits.push(0);
    }
    let mut text: String = digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    text.insert(text.len() - places, '.');
    let text = text.trim_start_matches('0').trim_end_matches('.');
    let text = if text.is_empty() { "0" } else { text };
    let decimal = Decimal::from_str_exact(text).ok()?;
    Some(if negative { -decimal } else { decimal })
}

#[test]
fn agrees_with_sums_and_products_done_by_hand() {
    use crate::decimal;
    assert_eq!(
        sum(decimal("1.05"), decimal("-2.1")),
        Some(decimal("-1.05"))
    );
    assert_eq!(sum(decimal("999.9"), decimal("0.1")), Some(decimal("1000")));
    assert_eq!(sum(Decimal::MAX, decimal("0.1")), None);
    assert_eq!(sum(Decimal::MAX, Decimal::ONE), None);
    assert_eq!(
        product(decimal("12.30"), decimal("-0.1"), 0),
        Some(decimal("-1.23"))
    );
    assert_eq!(
        product(decimal("3.00"), decimal("1234"), 6),
        Some(decimal("0.003702"))
    );
    assert_eq!(product(Decimal::MAX, Decimal::TWO, 0), None);
    assert_eq!(
        product(decimal("0.00000000000000000001"), decimal("0.000000001"), 0),
        None
    );
}

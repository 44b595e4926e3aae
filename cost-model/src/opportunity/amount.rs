//! How are exact amounts multiplied by rates, and where is that rounded?
//!
//! A product is exact as long as its digits fit; where they do not, the amount is first rounded,
//! half to even, to [`PLACES`] places. Quotients have as many.

use crate::quotient::quotient;
use crate::{Exact, ExactError, ExactSum};

/// Far below a cent, and exact rates such as 0.2 stay exact.
const PLACES: u32 = 12;

/// `amount` × `factor`.
pub(super) fn times(amount: &ExactSum, factor: Exact) -> Result<ExactSum, ExactError> {
    let exactly = amount.to_exact().and_then(|a| a.checked_mul(factor));
    let product = match exactly {
        Some(product) => Some(product),
        None => shortened(amount)?.checked_mul(factor),
    };
    product.map(ExactSum::from).ok_or(ExactError::SumOutOfRange)
}

/// `amount` × `numerator` ÷ `denominator`.
pub(super) fn times_ratio(
    amount: &ExactSum,
    numerator: Exact,
    denominator: Exact,
) -> Result<ExactSum, ExactError> {
    let product = times(amount, numerator)?;
    let quotient = quotient(&product, denominator, PLACES).ok_or(ExactError::SumOutOfRange)?;
    Ok(Exact::try_from(quotient)?.normalized().into())
}

/// `numerator` ÷ `denominator` as a rate; `None` when the denominator is 0.
pub(super) fn rate(numerator: &ExactSum, denominator: &ExactSum) -> Option<Exact> {
    let denominator = shortened(denominator).ok()?;
    let rate = quotient(numerator, denominator, PLACES)?;
    Exact::try_from(rate).ok().map(Exact::normalized)
}

fn shortened(amount: &ExactSum) -> Result<Exact, ExactError> {
    amount.rounded(PLACES).to_string().parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    #[test]
    fn multiplies_exactly_while_the_digits_fit() {
        let amount: ExactSum = "119.81".parse().unwrap();
        assert_eq!(times(&amount, exact("0.3")).unwrap().to_string(), "35.943");
        let long: ExactSum = "12345678901.1234567890123456789012345678".parse().unwrap();
        let half = times(&long, exact("0.5")).unwrap().to_string();
        assert!(half.starts_with("6172839450.5617283945"), "{half}");
        let third = times_ratio(&amount, exact("1"), exact("3")).unwrap();
        assert_eq!(third.to_string(), "39.936666666667");
        let two_thirds = rate(&exact("2").into(), &exact("3").into());
        assert_eq!(two_thirds, Some(exact("0.666666666667")));
        assert_eq!(rate(&amount, &ExactSum::ZERO), None);
    }
}

//! Do the lines of a statement add up to its total?

use std::cmp::Reverse;

use bursar_pricing::charge::{ChargeError, ChargeLine, Statement};
use bursar_units::Rounding;
use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::exact::{is_decimal, rounded, units};
use crate::outcome::Findings;

/// How a statement is rounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// `None` where the currency has no minor unit to round to.
    pub(crate) step: Option<Decimal>,
    pub(crate) rounding: Rounding,
}

/// Judges the statement of these lines.
pub(crate) fn judge(
    findings: &mut Findings<'_>,
    lines: &[ChargeLine],
    rule: Rule,
    answer: &Result<Statement, ChargeError>,
) {
    let amounts: Vec<BigInt> = lines.iter().map(|it| units(it.exact.amount())).collect();
    let Some(step) = rule.step.map(units) else {
        findings.count("statement: refused, no minor unit");
        return findings.require(answer.is_err(), "a statement without a minor unit");
    };
    match answer {
        Ok(statement) => {
            findings.count("statement: lines add up");
            let given = statement.lines.iter().map(|it| &it.line);
            let is_whole = given.eq(lines.iter());
            findings.require(is_whole, "the lines of a statement");
            of_amounts(findings, &amounts, &step, rule.rounding, statement);
        }
        Err(_) => {
            findings.count("statement: refused, too many digits");
            let is_right = !is_held(&amounts, &step, rule.rounding);
            findings.require(is_right, "a statement that is refused");
        }
    }
}

fn of_amounts(
    findings: &mut Findings<'_>,
    amounts: &[BigInt],
    step: &BigInt,
    rounding: Rounding,
    statement: &Statement,
) {
    let exact: BigInt = amounts.iter().sum();
    findings.require(units(statement.exact.amount()) == exact, "the exact sum");
    let total = units(statement.total.amount());
    let is_rounded = total == rounded(&exact, step, rounding);
    findings.require(is_rounded, "the total is rounded once");
    let charged = statement.lines.iter();
    let charged: Vec<BigInt> = charged.map(|it| units(it.charged.amount())).collect();
    let sum: BigInt = charged.iter().sum();
    findings.require(sum == total, "the lines add up to the total");
    let expected = largest_remainder(amounts, &total, step);
    findings.require(charged == expected, "the method of the largest remainder");
}

/// Each amount rounded down, and a step more for those that lost most, until they have the sum.
fn largest_remainder(amounts: &[BigInt], total: &BigInt, step: &BigInt) -> Vec<BigInt> {
    let mut charged: Vec<BigInt> = amounts
        .iter()
        .map(|it| rounded(it, step, Rounding::Floor))
        .collect();
    let mut order: Vec<usize> = (0..amounts.len()).collect();
    // Stable, so that of equal ones the earlier stays first.
    order.sort_by_key(|index| Reverse(&amounts[*index] - &charged[*index]));
    let mut sum: BigInt = charged.iter().sum();
    for index in order {
        if sum < *total {
            charged[index] += step;
            sum += step;
        }
    }
    charged
}

/// Whether decimals hold all sums, multiples and remainders.
fn is_held(amounts: &[BigInt], step: &BigInt, rounding: Rounding) -> bool {
    let (mut sum, mut given) = (BigInt::ZERO, BigInt::ZERO);
    for amount in amounts {
        let down = rounded(amount, step, Rounding::Floor);
        sum += amount;
        given += &down;
        let found = [&sum, &down, &given, &(amount - &down), &(&down + step)];
        if !found.into_iter().all(is_decimal) {
            return false;
        }
    }
    let total = rounded(&sum, step, rounding);
    is_decimal(&total) && is_decimal(&(total - given))
}

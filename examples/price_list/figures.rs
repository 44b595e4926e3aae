//! How are amounts and bars told to a reader?

use bursar_pricing::{Bound, Clamp, Price, Step};
use bursar_units::Money;
use rust_decimal::Decimal;

use crate::cases::Case;

/// An amount with the digits that it has, and at least this many places.
pub(crate) fn amount(money: Money, least_places: u32) -> String {
    let mut amount = money.amount().normalize();
    if amount.scale() < least_places {
        amount.rescale(least_places);
    }
    amount.to_string()
}

/// A share in percent with one place: `26.8 %`.
pub(crate) fn percent(share: Decimal) -> String {
    let percent = share.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share);
    format!("{:.1} %", percent.round_dp(1))
}

/// What a bound did to a price.
pub(crate) fn held(price: &Price) -> Option<Bound> {
    match price.clamp()? {
        Clamp::Margin(bound) | Clamp::Contract(bound) => Some(bound),
        _ => None,
    }
}

/// A bar of a waterfall.
pub(crate) struct Bar {
    pub(crate) label: &'static str,
    pub(crate) sign: char,
    pub(crate) amount: Money,
    /// Where it begins and ends on the scale of prices.
    pub(crate) from: Decimal,
    pub(crate) to: Decimal,
}

/// The steps that change something, each from where the one before ended, and the price at last.
pub(crate) fn bars(price: &Price) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut at = Decimal::ZERO;
    for (step, amount) in price.waterfall().steps().filter(|(_, it)| !it.is_zero()) {
        let end = at.checked_add(amount.amount()).unwrap_or(at);
        let sign = match (step, amount.is_negative()) {
            (Step::Cost, _) => ' ',
            (_, true) => '−',
            (_, false) => '+',
        };
        bars.push(Bar {
            label: step.label(),
            sign,
            amount,
            from: at,
            to: end,
        });
        at = end;
    }
    bars.push(Bar {
        label: "price",
        sign: '=',
        amount: price.price(),
        from: Decimal::ZERO,
        to: at,
    });
    bars
}

/// Where a scale ends that has room for the price and its bounds.
pub(crate) fn end_of_scale(case: &Case) -> Decimal {
    case.bounds.most.amount().max(case.price.price().amount())
}

/// What became of a price, in a sentence.
pub(crate) fn verdict(case: &Case) -> String {
    let price = &case.price;
    let margin = percent(price.margin());
    if let Some(exposure) = price.exposure() {
        let (bound, gap) = (exposure.bound, amount(exposure.gap, 2));
        let side = match bound {
            Bound::Floor => "under",
            Bound::Ceiling => "over",
        };
        return format!("margin {margin}: honored, {gap} {side} the {bound} (exposure)");
    }
    match (price.is_fixed(), held(price)) {
        (true, _) => format!("margin {margin}: the contract's price is inside the bounds"),
        (false, Some(Bound::Floor)) => format!("margin {margin}: raised to the floor"),
        (false, Some(Bound::Ceiling)) => format!("margin {margin}: lowered to the ceiling"),
        (false, None) => format!("margin {margin}: inside the bounds"),
    }
}

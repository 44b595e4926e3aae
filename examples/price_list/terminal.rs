//! The list as a table, and prices as bars from cost to price.

use std::fmt::{self, Write as _};

use bursar_pricing::{Bound, ListEntry};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::cases::{Case, Offer};
use crate::costs::KINDS;
use crate::figures::{amount, bars, end_of_scale, held, percent, verdict};

/// How many columns a scale has.
const WIDTH: usize = 56;

/// All that is printed.
pub(crate) fn page(offer: &Offer) -> String {
    let mut page = String::new();
    write_page(&mut page, offer).expect("a string takes everything that is written");
    page
}

fn write_page(page: &mut String, offer: &Offer) -> fmt::Result {
    let day = offer.from.strftime("%Y-%m-%d");
    writeln!(
        page,
        "Price list from {day} on: USD per million tokens, {} supply",
        offer.supply
    )?;
    writeln!(page, "costs: {}\n", offer.source)?;
    write_list(page, offer)?;
    for (number, case) in (1..).zip(&offer.cases) {
        writeln!(page)?;
        write_case(page, number, case)?;
    }
    Ok(())
}

fn write_list(page: &mut String, offer: &Offer) -> fmt::Result {
    write!(page, "{:<18}{:<14}{:>10}", "model", "tokens", "cost")?;
    for list in &offer.lists {
        write!(page, "   {:>12} margin ", list.tier().as_str())?;
    }
    writeln!(page)?;
    let mut is_held = false;
    for model in &offer.models {
        let mut name = model.as_str();
        for kind in KINDS {
            let entries = offer
                .lists
                .iter()
                .filter_map(|list| list.entry(model, kind).ok());
            let entries: Vec<_> = entries.collect();
            let Some(cost) = entries.first().and_then(|entry| entry.prices().first()) else {
                continue;
            };
            write!(
                page,
                "{name:<18}{:<14}{:>10}",
                kind.as_str(),
                amount(cost.cost(), 2)
            )?;
            for entry in entries {
                is_held |= write_price(page, entry)?;
            }
            writeln!(page)?;
            name = "";
        }
    }
    if is_held {
        writeln!(
            page,
            "↑ raised to the floor of the margin   ↓ lowered to its ceiling"
        )?;
    }
    Ok(())
}

/// A price and its margin; whether a bound holds it.
fn write_price(page: &mut String, entry: &ListEntry) -> Result<bool, fmt::Error> {
    let Some(price) = entry.prices().first() else {
        return Ok(false);
    };
    let mark = match held(price) {
        Some(Bound::Floor) => '↑',
        Some(Bound::Ceiling) => '↓',
        None => ' ',
    };
    let (money, margin) = (amount(price.price(), 6), percent(price.margin()));
    write!(page, "   {money:>12} {margin:>6}{mark}")?;
    Ok(mark != ' ')
}

fn write_case(page: &mut String, number: u32, case: &Case) -> fmt::Result {
    let Case {
        title,
        tier,
        model,
        kind,
        supply,
        ..
    } = case;
    writeln!(
        page,
        "{number}. {title}: {model}, {kind} tokens, tier {tier}, {supply} supply"
    )?;
    let bars = bars(&case.price);
    let scale = end_of_scale(case);
    let places = bars
        .iter()
        .map(|bar| bar.amount.amount().normalize().scale())
        .max();
    let places = places.unwrap_or(0).max(2);
    for bar in &bars {
        let text = aligned(&amount(bar.amount.abs(), 2), places);
        let (from, to) = (column(bar.from, scale), column(bar.to, scale));
        let (left, right) = (from.min(to), from.max(to));
        let fill = if bar.sign == '−' { '░' } else { '█' };
        let drawn = match right - left {
            0 => "▏".to_owned(),
            length => fill.to_string().repeat(length),
        };
        let (sign, label) = (bar.sign, bar.label);
        writeln!(
            page,
            "   {sign} {label:<13}{text:>20}  {}{drawn}",
            " ".repeat(left)
        )?;
    }
    let bounds = &case.bounds;
    let least = column(bounds.least.amount(), scale);
    let length = column(bounds.most.amount(), scale).saturating_sub(least + 2);
    let range = format!("{} to {}", amount(bounds.least, 2), amount(bounds.most, 2));
    let line = format!("{}├{}┤", " ".repeat(least), "─".repeat(length));
    writeln!(page, "     allowed {range:>25}  {line}")?;
    writeln!(page, "   → {}", verdict(case))
}

/// The text with spaces for the places that it does not have, so that points stand one under the other.
fn aligned(text: &str, places: u32) -> String {
    let own = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let missing = (places as usize).saturating_sub(own);
    format!("{text}{}", " ".repeat(missing))
}

/// The column of an amount.
fn column(amount: Decimal, scale: Decimal) -> usize {
    let part = amount.checked_div(scale).unwrap_or(Decimal::ZERO);
    let column = part
        .checked_mul(Decimal::from(WIDTH))
        .unwrap_or(Decimal::ZERO);
    column.round().to_usize().unwrap_or(0).min(WIDTH)
}

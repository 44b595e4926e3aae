//! What is wrong with a catalog although it can be read?

use anyhow::Result;
use bursar_model_router::{ModelPrices, Price, PriceContext, Processing};
use jiff::civil::Date;

use crate::tables::Tables;

/// A source that was read longer ago than this says little about today's prices.
const STALE_DAYS: i32 = 120;

pub(crate) fn problems(tables: &Tables, today: Option<Date>) -> Result<Vec<String>> {
    let catalog = tables.parse()?;
    let version: Date = tables.version.trim().parse()?;
    let today = today.unwrap_or(version);
    let mut problems = Vec::new();
    for provider in catalog.prices().providers() {
        for model in provider.models() {
            let place = format!("{} {}", provider.id(), model.id());
            problems.extend(
                of_model(model, today)
                    .into_iter()
                    .map(|it| format!("{place}: {it}")),
            );
        }
    }
    for line in tables.sources.lines().skip(1) {
        let read_on = line
            .rsplit(',')
            .next()
            .and_then(|it| it.parse::<Date>().ok());
        let age = read_on.map(|date| (today - date).get_days());
        if age.is_none_or(|days| days > STALE_DAYS) {
            problems.push(format!(
                "source {line}: read more than {STALE_DAYS} days ago"
            ));
        }
    }
    Ok(problems)
}

fn of_model(model: &ModelPrices, today: Date) -> Vec<String> {
    let mut problems = Vec::new();
    let prices = model.prices();
    if prices.is_empty() {
        problems.push("no price".to_owned());
    }
    for (at, price) in prices.iter().enumerate() {
        if price
            .rates
            .iter()
            .all(|(_, rate)| rate.base().price.is_zero())
        {
            problems.push("every rate is zero".to_owned());
        }
        let validity = price.validity;
        if validity
            .from
            .zip(validity.until)
            .is_some_and(|(from, until)| from >= until)
        {
            problems.push("a price that never holds".to_owned());
        }
        let same = prices[at + 1..].iter().find(|other| is_same(price, other));
        if let Some(next) = same {
            match validity.until.zip(next.validity.from) {
                Some((until, from)) if until < from => {
                    problems.push(format!("no price from {until} to {from}"));
                }
                Some((until, from)) if until == from => {}
                _ => problems.push(format!("two {} prices hold at once", price.processing)),
            }
        }
    }
    problems.extend(not_in_force(model, today));
    problems
}

/// A model whose last standard price has ended while others of its prices hold lacks the next one. Where all
/// have ended it is no longer sold.
fn not_in_force(model: &ModelPrices, today: Date) -> Option<String> {
    let context = PriceContext::at(today.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    let prices = model.prices().iter();
    let is_sold = prices.clone().any(|it| it.validity.until.is_none());
    let mut standard = prices.filter(|it| it.processing == Processing::Standard);
    let has_any = standard.clone().next().is_some();
    let holds = standard.any(|it| it.validity.contains(context.at));
    (has_any && is_sold && !holds).then(|| format!("no standard price holds on {today}"))
}

fn is_same(one: &Price, other: &Price) -> bool {
    one.processing == other.processing
        && one.region == other.region
        && one.validity.daily == other.validity.daily
}

//! Where did the money go?

use std::collections::BTreeMap;

use anyhow::Result;
use bursar_model_router::{Cost, Direction, UsageKind};
use bursar_units::{Currency, Money};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::prices::PricedCall;
use crate::savings::sum;

/// The cost of the month, cut in several ways; each cut adds up to the total.
#[derive(Serialize)]
pub(crate) struct Spend {
    pub(crate) total: Money,
    pub(crate) by_model: Vec<Part>,
    pub(crate) by_team: Vec<Part>,
    pub(crate) by_tenant: Vec<Part>,
    pub(crate) by_task: Vec<Part>,
    pub(crate) by_kind: Vec<Part>,
    pub(crate) by_day: Vec<Day>,
}

/// A part of the cost, the dearest first.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// How many calls have a share in it.
    pub(crate) calls: usize,
    pub(crate) cost: Money,
}

/// The cost of a day by model.
#[derive(Serialize)]
pub(crate) struct Day {
    pub(crate) day: Date,
    pub(crate) by_model: BTreeMap<String, Money>,
}

impl Spend {
    pub(crate) fn of(calls: &[PricedCall<'_>]) -> Result<Self> {
        let name = |it: &Option<String>| it.clone().unwrap_or_else(|| "not recorded".to_owned());
        let total = sum(calls.iter().map(|it| it.cost.known_total()))?;
        Ok(Self {
            total,
            by_model: by(calls, |it| it.call.served_by())?,
            by_team: by(calls, |it| name(&it.call.team))?,
            by_tenant: by(calls, |it| name(&it.call.tenant))?,
            by_task: by(calls, |it| it.call.task.to_string())?,
            by_kind: by_kind(calls)?,
            by_day: by_day(calls)?,
        })
    }
}

fn by(calls: &[PricedCall<'_>], name: impl Fn(&PricedCall<'_>) -> String) -> Result<Vec<Part>> {
    let mut parts = Parts::default();
    for call in calls {
        parts.add(name(call), call.cost.known_total())?;
    }
    Ok(parts.dearest_first())
}

fn by_kind(calls: &[PricedCall<'_>]) -> Result<Vec<Part>> {
    let mut parts = Parts::default();
    for call in calls {
        for (name, amount) in kinds(call)? {
            parts.add(name.to_owned(), amount)?;
        }
    }
    Ok(parts.dearest_first())
}

/// The lines of a call in the words of a bill.
///
/// Reasoning is billed as output and has no line of its own as a rule; its part of that line is told apart
/// here, as it is what the caller never sees.
fn kinds(call: &PricedCall<'_>) -> Result<Vec<(&'static str, Money)>> {
    let mut kinds = Vec::new();
    for line in &call.cost.lines {
        let reasoning = call.call.usage.get(UsageKind::OutputReasoningTokens);
        let is_split = line.kind == UsageKind::OutputTokens && !has_reasoning_line(&call.cost);
        match reasoning.filter(|&count| is_split && count > 0 && count <= line.count) {
            Some(count) => {
                let amount = line.rate.cost(count)?;
                kinds.push(("output: reasoning", amount));
                kinds.push(("output: answers", line.amount.checked_sub(amount)?));
            }
            None => kinds.push((kind_name(line.kind), line.amount)),
        }
    }
    Ok(kinds)
}

fn has_reasoning_line(cost: &Cost) -> bool {
    let mut lines = cost.lines.iter();
    lines.any(|line| line.kind == UsageKind::OutputReasoningTokens)
}

fn kind_name(kind: UsageKind) -> &'static str {
    let is_or_in = |whole| kind == whole || kind.is_part_of(whole);
    if is_or_in(UsageKind::CacheReadTokens) {
        "input: read from the prompt cache"
    } else if is_or_in(UsageKind::CacheWriteTokens) {
        "input: written into the prompt cache"
    } else if is_or_in(UsageKind::OutputReasoningTokens) {
        "output: reasoning"
    } else {
        match kind.direction() {
            Some(Direction::Input) => "input: not cached",
            Some(Direction::Output) => "output: answers",
            None => "searches and other tools",
        }
    }
}

fn by_day(calls: &[PricedCall<'_>]) -> Result<Vec<Day>> {
    let mut days: BTreeMap<Date, BTreeMap<String, Money>> = BTreeMap::new();
    for call in calls {
        let day = TimeZone::UTC.to_datetime(call.call.at).date();
        let models = days.entry(day).or_default();
        let cost = models
            .entry(call.call.served_by())
            .or_insert(Money::zero(Currency::USD));
        *cost = cost.checked_add(call.cost.known_total())?;
    }
    let days = days.into_iter();
    Ok(days.map(|(day, by_model)| Day { day, by_model }).collect())
}

#[derive(Default)]
struct Parts(BTreeMap<String, (usize, Option<Money>)>);

impl Parts {
    fn add(&mut self, name: String, amount: Money) -> Result<()> {
        let (calls, cost) = self.0.entry(name).or_default();
        *calls += 1;
        *cost = Some(match cost {
            Some(cost) => cost.checked_add(amount)?,
            None => amount,
        });
        Ok(())
    }

    fn dearest_first(self) -> Vec<Part> {
        let parts = self.0.into_iter();
        let mut parts: Vec<_> = parts
            .filter_map(|(name, (calls, cost))| {
                Some(Part {
                    name,
                    calls,
                    cost: cost?,
                })
            })
            .collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.cost.amount()));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_the_dearest_is_first() {
        let mut parts = Parts::default();
        for (name, amount) in [("a", "0.1 USD"), ("b", "0.25 USD"), ("a", "0.1 USD")] {
            parts.add(name.to_owned(), amount.parse().unwrap()).unwrap();
        }
        let parts = parts.dearest_first();
        let text = |part: &Part| format!("{} {} {}", part.name, part.calls, part.cost);
        assert_eq!(text(&parts[0]), "b 1 0.25 USD");
        assert_eq!(text(&parts[1]), "a 2 0.2 USD");
    }
}

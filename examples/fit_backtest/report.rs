//! What is told of a back-test?

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use bursar_units::{Currency, Money, Quantum, Rounding};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::calibration::{Calibration, Pair};
use crate::judge::{Judged, Outcome};
use crate::rules::Rule;

/// The share of machines that have to keep a promise, for a rule to keep it.
pub(crate) const ENOUGH: f64 = 0.95;

/// A rule over all machines.
pub(crate) struct RuleSummary {
    pub(crate) rule: Rule,
    pub(crate) promised: f64,
    /// The mean over machines.
    pub(crate) realised: f64,
    /// The share of machines that were within the rule's own promise.
    pub(crate) kept: f64,
    /// The share of machines that were within the tolerance, whatever the rule promised.
    pub(crate) kept_tolerance: f64,
    /// The sum over machines.
    pub(crate) monthly: Money,
    pub(crate) breaches: Vec<f64>,
}

pub(crate) fn summaries(outcome: &Outcome, machines: &[&Judged]) -> Vec<RuleSummary> {
    let summary = |(place, rule): (usize, Rule)| {
        let fared = || machines.iter().filter_map(|it| it.fared.get(place));
        let promised = rule.promise(outcome.tolerance);
        let breaches: Vec<f64> = fared().map(|(_, fared)| fared.breach).collect();
        let monthly = Money::try_sum(fared().map(|(_, fared)| fared.monthly));
        RuleSummary {
            rule,
            promised,
            realised: mean(&breaches),
            kept: within(&breaches, promised),
            kept_tolerance: within(&breaches, outcome.tolerance.budget()),
            monthly: monthly.ok().flatten().unwrap_or(Money::zero(Currency::USD)),
            breaches,
        }
    };
    Rule::ALL.into_iter().enumerate().map(summary).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn within(breaches: &[f64], limit: f64) -> f64 {
    let kept = breaches.iter().filter(|breach| **breach <= limit).count();
    kept as f64 / breaches.len().max(1) as f64
}

fn all(outcome: &Outcome) -> Vec<&Judged> {
    outcome.machines.iter().collect()
}

/// Pairs whose truth is known, or, of files, all.
fn calibration(outcome: &Outcome) -> Calibration {
    let pairs: Vec<Pair> = outcome
        .machines
        .iter()
        .flat_map(|it| it.pairs.clone())
        .collect();
    let known: Vec<Pair> = pairs.iter().copied().filter(|it| it.is_truth).collect();
    Calibration::of(if known.is_empty() { &pairs } else { &known })
}

/// Machines by habit, where they have one.
fn by_habit(outcome: &Outcome) -> BTreeMap<&'static str, Vec<&Judged>> {
    let mut habits: BTreeMap<&'static str, Vec<&Judged>> = BTreeMap::new();
    for machine in &outcome.machines {
        if let Some(habit) = machine.habit {
            habits.entry(habit.name()).or_default().push(machine);
        }
    }
    habits
}

/// The cheapest rule of others that keeps the tolerance on enough machines.
fn rival(rules: &[RuleSummary]) -> Option<&RuleSummary> {
    rules
        .iter()
        .filter(|it| !matches!(it.rule, Rule::CostUnderRisk | Rule::Oracle))
        .filter(|it| it.kept_tolerance >= ENOUGH)
        .min_by(|a, b| a.monthly.amount().cmp(&b.monthly.amount()))
}

pub(crate) fn json(outcome: &Outcome) -> Value {
    let rules = summaries(outcome, &all(outcome));
    let n = Decimal::from(outcome.machines.len());
    let line = |it: &RuleSummary| {
        let per_machine = it.monthly.checked_div(n).ok().map(cents);
        json!({
            "rule": it.rule.name(),
            "promised_breach": it.promised,
            "realised_breach": it.realised,
            "kept_promise_share": it.kept,
            "kept_tolerance_share": it.kept_tolerance,
            "monthly_cost": cents(it.monthly),
            "monthly_cost_per_machine": per_machine,
        })
    };
    let calibration = calibration(outcome);
    json!({
        "source": outcome.source,
        "instance": outcome.instance,
        "machines": outcome.machines.len(),
        "types": outcome.n_types,
        "too_short": outcome.too_short,
        "rejected_lines": outcome.rejected_lines,
        "choose_fraction": outcome.fraction,
        "tolerance": outcome.tolerance.to_string(),
        "tolerated_breach": outcome.tolerance.budget(),
        "currency": "USD",
        "rules": rules.iter().map(line).collect::<Vec<Value>>(),
        "cheapest_rival_that_keeps_the_tolerance": rival(&rules).map(|it| it.rule.name()),
        "calibration": {
            "against": against(&calibration),
            "pairs": calibration.n_pairs,
            "slope": calibration.slope,
            "intercept": calibration.intercept,
            "slope_up_to_10_percent": calibration.slope_of_small,
            "bound_held_share": calibration.bound_held,
        },
    })
}

/// The amount in dollars, to the cent.
fn cents(money: Money) -> String {
    let rounded = money.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven);
    rounded.unwrap_or(money).amount().to_string()
}

fn against(calibration: &Calibration) -> &'static str {
    match calibration.is_truth {
        true => "the truth in the long run",
        false => "the rest of the series",
    }
}

pub(crate) fn text(outcome: &Outcome) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let t = &mut text;
    let rules = summaries(outcome, &all(outcome));
    writeln!(t, "{}", outcome.source)?;
    writeln!(
        t,
        "measured on {}, chosen among {} types with at least its memory, on the first {:.0} % of the time\n",
        outcome.instance,
        outcome.n_types,
        outcome.fraction * 100.0
    )?;
    write_rules(t, outcome, &rules)?;
    write_comparison(t, &rules)?;
    write_habits(t, outcome)?;
    write_calibration(t, &calibration(outcome))?;
    if !outcome.too_short.is_empty() {
        let names = outcome.too_short.join(", ");
        writeln!(t, "\nLess than a day on one side, left out: {names}")?;
    }
    if outcome.rejected_lines > 0 {
        writeln!(t, "\n{} lines could not be read", outcome.rejected_lines)?;
    }
    Ok(text)
}

fn write_rules(t: &mut String, outcome: &Outcome, rules: &[RuleSummary]) -> fmt::Result {
    let tolerated = percent(outcome.tolerance.budget());
    writeln!(
        t,
        "{:<18} {:>9} {:>9} {:>9} {:>14} {:>13} {:>10}",
        "rule",
        "promised",
        "realised",
        "kept it",
        format!("kept {tolerated}"),
        "USD a month",
        "of oracle"
    )?;
    let oracle = rules.last().map(|it| it.monthly);
    for it in rules {
        writeln!(
            t,
            "{:<18} {:>9} {:>9} {:>9} {:>14} {:>13} {:>10}",
            it.rule.name(),
            percent(it.promised),
            percent(it.realised),
            percent(it.kept),
            percent(it.kept_tolerance),
            cents(it.monthly),
            oracle.map_or(String::new(), |oracle| ratio(it.monthly, oracle)),
        )?;
    }
    Ok(())
}

fn write_comparison(t: &mut String, rules: &[RuleSummary]) -> fmt::Result {
    let Some(own) = rules.first() else {
        return Ok(());
    };
    let keeps = own.kept >= ENOUGH;
    let verdict = if keeps { "keeps" } else { "does not keep" };
    writeln!(
        t,
        "\ncost_under_risk {verdict} its promise on 95 % of the machines."
    )?;
    match rival(rules) {
        Some(rival) => writeln!(
            t,
            "It costs {} of {}, the cheapest rule of others that is within the tolerance on 95 %.",
            ratio(own.monthly, rival.monthly),
            rival.rule.name()
        ),
        None => writeln!(t, "No rule of others is within the tolerance on 95 %."),
    }
}

fn write_habits(t: &mut String, outcome: &Outcome) -> fmt::Result {
    let habits = by_habit(outcome);
    if habits.is_empty() {
        return write_machines(t, outcome);
    }
    writeln!(
        t,
        "\n{:<10} {:>8} {:>15} {:>10} {:>19} {:>10}",
        "habit", "machines", "cost_under_risk", "of oracle", "compute_optimizer", "of oracle"
    )?;
    for (habit, machines) in habits {
        let rules = summaries(outcome, &machines);
        let line = |rule: Rule| rules.iter().find(|it| it.rule == rule);
        let oracle = line(Rule::Oracle).map(|it| it.monthly);
        write!(t, "{habit:<10} {:>8}", machines.len())?;
        for (rule, width) in [(Rule::CostUnderRisk, 15), (Rule::ComputeOptimizer, 19)] {
            if let (Some(it), Some(oracle)) = (line(rule), oracle) {
                let kept = percent(it.kept_tolerance);
                write!(t, " {kept:>width$} {:>10}", ratio(it.monthly, oracle))?;
            }
        }
        writeln!(t)?;
    }
    Ok(())
}

/// The most machines that are listed one by one.
const LISTED: usize = 20;

fn write_machines(t: &mut String, outcome: &Outcome) -> fmt::Result {
    writeln!(t)?;
    for machine in outcome.machines.iter().take(LISTED) {
        writeln!(t, "{}", machine.name)?;
        for (rule, (kind, fared)) in Rule::ALL.iter().zip(&machine.fared) {
            let (name, breach) = (rule.name(), percent(fared.breach));
            let monthly = cents(fared.monthly);
            writeln!(
                t,
                "  {name:<18} {kind:<16} breach {breach:>9} {monthly:>10} USD a month"
            )?;
        }
    }
    if outcome.machines.len() > LISTED {
        writeln!(t, "and {} machines more", outcome.machines.len() - LISTED)?;
    }
    Ok(())
}

fn write_calibration(t: &mut String, calibration: &Calibration) -> fmt::Result {
    writeln!(
        t,
        "\nProbabilities that cost_under_risk states, against {} ({} pairs of machine and capacity):",
        against(calibration),
        calibration.n_pairs
    )?;
    writeln!(
        t,
        "{:>21} {:>7} {:>9} {:>9}",
        "stated", "pairs", "mean", "was"
    )?;
    for bin in &calibration.bins {
        let range = format!("{} to {}", percent(bin.from), percent(bin.to));
        let (expected, seen) = (percent(bin.expected), percent(bin.seen));
        writeln!(t, "{range:>21} {:>7} {expected:>9} {seen:>9}", bin.n_pairs)?;
    }
    let number = |value: Option<f64>| value.map_or("unknown".to_owned(), |it| format!("{it:.3}"));
    writeln!(
        t,
        "reliability slope {} ({} where at most 10 % was stated), upper bounds held in {}",
        number(calibration.slope),
        number(calibration.slope_of_small),
        percent(calibration.bound_held)
    )
}

pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let places = if percent < 9.995 { 2 } else { 1 };
    format!("{percent:.places$} %")
}

fn ratio(part: Money, whole: Money) -> String {
    match part.ratio_to(&whole) {
        Ok(ratio) => format!("{:.1} %", ratio * Decimal::ONE_HUNDRED),
        Err(_) => String::new(),
    }
}

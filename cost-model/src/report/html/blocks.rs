//! Of which blocks is the page built: lists of bars, and tables that open?

use bursar_units::Currency;
use maud::{Markup, html};

use super::super::days::{Days, STACKED};
use super::super::section::Section;
use super::super::table::{Cell, Table, UNKNOWN};
use super::super::{chart, escape, findings, number, words};
use super::palette;
use crate::{Change, ExactSum, Opportunities, Presence, ScenarioSummary, Standing};

/// More rows than these make a page slow; they are in the CSV, and the page says so.
const MAX_ROWS: usize = 400;

/// One line of a list of bars.
#[derive(Debug, Clone)]
pub(crate) struct BarLine {
    pub(crate) name: String,
    /// What else is said of it, small.
    pub(crate) note: String,
    pub(crate) amount: String,
    pub(crate) share: String,
    /// The bars, one under the other; `None` is not known.
    pub(crate) values: Vec<(Option<f64>, &'static str)>,
}

/// How a list of bars is laid out; on a phone both are narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each bar under its name.
    Narrow,
    /// Each bar beside its name.
    Wide,
}

/// Names, bars and amounts on one scale.
pub(crate) fn bars(lines: &[BarLine], shape: Shape) -> Markup {
    let values = || {
        lines
            .iter()
            .flat_map(|line| &line.values)
            .filter_map(|(value, _)| *value)
    };
    let (low, high) = values().fold((0.0f64, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    html! {
        ul.bars.wide[shape == Shape::Wide] {
            @for line in lines {
                li {
                    span.name title=(escape::plain(&line.name)) { (escape::plain(&line.name)) }
                    @if !line.note.is_empty() { span.note { (line.note) } }
                    span.value { (escape::minus(&line.amount)) }
                    @if !line.share.is_empty() { span.share { (escape::minus(&line.share)) } }
                    span.track {
                        @for (value, class) in &line.values {
                            @if let Some(value) = value { (chart::bar(*value, low, high, class)) }
                        }
                    }
                }
            }
        }
    }
}

/// A table that opens, or nothing where it has no row; it is closed because the chart above it
/// says the same.
pub(crate) fn details(of: &Table) -> Markup {
    html! {
        @if !of.rows.is_empty() {
            details {
                summary { "Table: " (escape::plain(&of.title)) }
                (table(of))
            }
        }
    }
}

/// A table that scrolls within itself.
pub(crate) fn table(of: &Table) -> Markup {
    let more = of.rows.len().saturating_sub(MAX_ROWS);
    let mut shown = of.clone();
    shown.rows.truncate(MAX_ROWS);
    html! {
        // Reachable by keyboard, so that it can be scrolled without a mouse.
        div.scroll tabindex="0" role="region" aria-label=(escape::plain(&of.title)) {
            (shown.markup())
        }
        @if more > 0 {
            p.note { "And " (number::plural(more, "more row")) "; the table as CSV has them all." }
        }
    }
}

/// The bars of the days, each with what it says when pointed at.
pub(crate) fn stacks(section: &Section<'_>, days: &Days) -> Vec<chart::Stack> {
    let layers: Vec<&str> = days.layers().collect();
    let mut stacks = Vec::with_capacity(days.stretches.len());
    for stretch in &days.stretches {
        let name = days.unit.tick(stretch.start);
        let known = |sum: &ExactSum| number::money(sum, section.currency);
        let total = stretch
            .total
            .as_ref()
            .map_or_else(|| UNKNOWN.to_owned(), known);
        let mut tip = format!("{name}: {total}");
        for (layer, cost) in layers.iter().zip(stretch.costs.iter().flatten()) {
            if !cost.is_zero() {
                let amount = number::amount(cost, section.currency);
                tip.push_str(&format!("\n{}: {amount}", escape::plain(layer)));
            }
        }
        let layers = stretch.costs.as_ref().map(|costs| {
            let class = |at| palette::class(at, days.series.len());
            costs
                .iter()
                .enumerate()
                .map(|(at, cost)| (cost.to_f64(), class(at)))
                .collect()
        });
        let is_marked = days.unit == super::super::days::Unit::Day
            && section.is_main()
            && section
                .report
                .anomalies
                .iter()
                .any(|a| a.date == stretch.start);
        stacks.push(chart::Stack {
            name,
            tip,
            layers,
            is_marked,
        });
    }
    stacks
}

/// The first services, each in the color that it has in the stacks, and the rest.
pub(crate) fn service_bars(section: &Section<'_>) -> Vec<BarLine> {
    let mut names: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for line in section.services().take(STACKED) {
        if !names.contains(&line.service.as_str()) {
            names.push(&line.service);
        }
        let at = names
            .iter()
            .position(|name| *name == line.service)
            .unwrap_or(STACKED);
        let cost = line.costs.get(section.kind);
        lines.push(BarLine {
            name: line.service.clone(),
            note: section
                .note_of(line)
                .map(|n| escape::plain(&n))
                .unwrap_or_default(),
            amount: amount(cost, section),
            share: share(line.share),
            values: vec![(cost.map(ExactSum::to_f64), palette::class(at, STACKED))],
        });
    }
    lines.extend(section.rest(STACKED).map(|rest| BarLine {
        name: number::plural(rest.services, "other service"),
        note: String::new(),
        amount: amount(rest.cost.as_ref(), section),
        share: share(rest.share),
        values: vec![(rest.cost.as_ref().map(ExactSum::to_f64), "c0")],
    }));
    lines
}

pub(crate) fn category_bars(section: &Section<'_>) -> Vec<BarLine> {
    let lines = section.categories().map(|line| {
        let cost = line.costs.get(section.kind);
        BarLine {
            name: line.category.name().to_owned(),
            note: String::new(),
            amount: amount(cost, section),
            share: share(line.share),
            values: vec![(cost.map(ExactSum::to_f64), "c1")],
        }
    });
    lines.collect()
}

pub(crate) fn change_bars(change: &Change, section: &Section<'_>, shown: usize) -> Vec<BarLine> {
    let all = &change.by_service.contributions;
    let notable = words::notable_contributions(change);
    let shown = shown.min(notable);
    let mut lines: Vec<BarLine> = all
        .iter()
        .take(shown)
        .map(|c| BarLine {
            name: c.key.clone(),
            note: match c.presence {
                Presence::Both => String::new(),
                Presence::New => "new".to_owned(),
                Presence::Gone => "gone".to_owned(),
            },
            amount: bare_change(&c.change, section.currency),
            share: String::new(),
            values: vec![(Some(c.change.to_f64()), direction(c.change.is_negative()))],
        })
        .collect();
    let rest = all.len().saturating_sub(shown);
    if notable > shown {
        let mut sum = ExactSum::ZERO;
        let known = all
            .iter()
            .skip(shown)
            .all(|c| sum.add_sum(&c.change).is_ok());
        lines.push(BarLine {
            name: number::plural(rest, "other service"),
            note: String::new(),
            amount: if known {
                bare_change(&sum, section.currency)
            } else {
                UNKNOWN.to_owned()
            },
            share: String::new(),
            values: vec![(known.then(|| sum.to_f64()), direction(sum.is_negative()))],
        });
    }
    lines
}

/// A change without the code of its currency, which the heading has.
fn bare_change(sum: &ExactSum, currency: Currency) -> String {
    let change = Cell::Change {
        amount: sum.clone(),
        currency,
    };
    change.shown(Some(currency))
}

/// The opportunities by what each saves, those in the total in full color.
pub(crate) fn opportunity_bars(all: &Opportunities) -> Vec<BarLine> {
    let lines = all.found.iter().map(|opportunity| {
        let is_counted = matches!(
            opportunity.standing,
            Standing::Counted | Standing::PartlyCounted
        );
        BarLine {
            name: opportunity.kind.to_string(),
            note: if is_counted {
                String::new()
            } else {
                "not in the total".to_owned()
            },
            amount: findings::saving(opportunity, all.currency),
            share: String::new(),
            values: vec![(
                opportunity.monthly_saving.as_ref().map(ExactSum::to_f64),
                if is_counted { "c3" } else { "c0" },
            )],
        }
    });
    lines.collect()
}

fn direction(is_negative: bool) -> &'static str {
    if is_negative { "less" } else { "more" }
}

/// `USD 200.34 before, USD 39.81 after: USD 160.53 saved (80.1 %)`.
pub(crate) fn scenario_line(scenario: &ScenarioSummary) -> String {
    let money = |sum| number::money(sum, scenario.currency);
    let total = &scenario.total;
    let percent = total
        .saved_percent
        .map(|p| format!(" ({p} %)"))
        .unwrap_or_default();
    let (before, after) = (money(&total.before), money(&total.after));
    if total.saving.is_negative() {
        let more = money(&total.saving.negated());
        return format!("{before} before, {after} after: {more} more");
    }
    format!(
        "{before} before, {after} after: {} saved{percent}",
        money(&total.saving)
    )
}

pub(crate) fn scenario_bars(scenario: &ScenarioSummary) -> Vec<BarLine> {
    let lines = scenario.lines.iter().map(|line| BarLine {
        name: line.name.clone(),
        note: String::new(),
        amount: format!(
            "{} → {}",
            number::amount(&line.before, scenario.currency),
            number::amount(&line.after, scenario.currency)
        ),
        share: match line.saved_percent {
            Some(percent) => format!("{} %", -percent),
            None => String::new(),
        },
        values: vec![
            (Some(line.before.to_f64()), "c0"),
            (Some(line.after.to_f64()), "c1"),
        ],
    });
    lines.collect()
}

fn amount(sum: Option<&ExactSum>, section: &Section<'_>) -> String {
    sum.map_or_else(
        || UNKNOWN.to_owned(),
        |sum| number::amount(sum, section.currency),
    )
}

fn share(percent: Option<f64>) -> String {
    percent.map_or_else(|| "–".to_owned(), number::percent)
}

//! The report as text.

use std::fmt::{self, Write as _};

use bursar_units::Money;
use rust_decimal::Decimal;

use crate::Report;
use crate::spend::Part;

/// The whole report.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    write(&mut text, report).expect("a string takes everything that is written");
    text
}

fn write(text: &mut String, report: &Report) -> fmt::Result {
    let spend = &report.spend;
    let without_price: usize = report.unpriced.iter().map(|it| it.calls).sum();
    writeln!(
        text,
        "{} calls, {} of them with a price: {}",
        grouped(report.calls),
        grouped(report.calls - without_price),
        dollars(spend.total)
    )?;
    for unpriced in &report.unpriced {
        writeln!(
            text,
            "without a price and not in any sum: {} calls of {}: {}",
            unpriced.calls, unpriced.model, unpriced.reason
        )?;
    }
    for (title, parts) in [
        ("by model", &spend.by_model),
        ("by team", &spend.by_team),
        ("by tenant", &spend.by_tenant),
        ("by task", &spend.by_task),
        ("by kind of token", &spend.by_kind),
    ] {
        write_parts(text, title, parts, spend.total)?;
    }
    write_savings(text, report)?;
    write_quality(text, report)?;
    writeln!(text, "\nThese figures assume:")?;
    for assumption in &report.assumptions {
        writeln!(text, "- {assumption}")?;
    }
    Ok(())
}

/// More parts than this are told as one.
const MOST_PARTS: usize = 12;

fn write_parts(text: &mut String, title: &str, parts: &[Part], total: Money) -> fmt::Result {
    writeln!(text, "\n{title}")?;
    for part in parts.iter().take(MOST_PARTS) {
        writeln!(
            text,
            "  {:<38}{:>8} calls{:>12}{:>8}",
            part.name,
            grouped(part.calls),
            dollars(part.cost),
            share(part.cost, total)
        )?;
    }
    match parts.len().saturating_sub(MOST_PARTS) {
        0 => Ok(()),
        n => writeln!(text, "  and {n} more, in --json"),
    }
}

fn write_savings(text: &mut String, report: &Report) -> fmt::Result {
    let savings = &report.savings;
    writeln!(
        text,
        "\nwhat the month would have cost{:>19}{:>14}",
        "alone", "in turn"
    )?;
    writeln!(
        text,
        "  {:<30}{:>16}{:>14}",
        "as it was",
        "",
        dollars(savings.before)
    )?;
    for step in &savings.steps {
        writeln!(
            text,
            "  {:<30}{:>16}{:>14}{:>8}",
            step.lever.name(),
            format!("−{}", dollars(step.alone)),
            format!("−{}", dollars(step.in_turn)),
            share(step.in_turn, savings.before)
        )?;
    }
    writeln!(
        text,
        "  {:<30}{:>16}{:>14}",
        "with all of them",
        "",
        dollars(savings.after)
    )?;
    writeln!(
        text,
        "  saved together: {}, {} of the cost. What each saves alone overlaps and does not add up.",
        dollars(savings.together),
        share(savings.together, savings.before).trim()
    )?;
    let counts = savings.with_all;
    writeln!(
        text,
        "  {} calls answered from the cache, {} prefixes read from the provider's, {} calls in batches",
        grouped(counts.answered_from_cache),
        grouped(counts.prefixes_read),
        grouped(counts.batched)
    )
}

fn write_quality(text: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        text,
        "\nis the cheaper model as good? (mean grade, and its bounds)"
    )?;
    for it in &report.comparisons {
        let verdict = if it.is_as_good { "yes" } else { "not shown" };
        writeln!(
            text,
            "  {:<20}{:<28}→ {:<28}{:>6} pairs {:+.3} ({:+.3} to {:+.3}): {verdict}",
            it.task.to_string(),
            it.from,
            it.to,
            it.pairs,
            it.difference,
            it.low,
            it.high
        )?;
    }
    for it in &report.savings.moves {
        let (calls, task) = (grouped(it.calls), it.task);
        writeln!(text, "  {calls} calls of {task} would go to {}", it.to)?;
    }
    let Some(change) = &report.savings.quality_change else {
        return writeln!(text, "  nothing would be routed otherwise");
    };
    writeln!(
        text,
        "  expected change of their mean grade: {:+.3} ({:+.3} to {:+.3})",
        change.expected, change.low, change.high
    )?;
    match report.truth.as_ref().and_then(|it| it.quality_change) {
        Some(truth) => writeln!(text, "  as the month was made: {truth:+.3}"),
        None => Ok(()),
    }
}

/// To the cent; the exact amounts are in the JSON.
pub(crate) fn dollars(money: Money) -> String {
    format!("{:.2} $", money.amount().round_dp(2))
}

fn share(part: Money, whole: Money) -> String {
    let share = part.ratio_to(&whole).ok();
    let percent = share.and_then(|it| it.checked_mul(Decimal::ONE_HUNDRED));
    percent.map_or_else(String::new, |it| format!("{:.1} %", it.round_dp(1)))
}

fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

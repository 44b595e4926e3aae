//! How does one say a statistic to somebody who reads bills and not statistics?

use bursar_units::Currency;
use jiff::civil::Date;

use super::{CostTotals, Report, number};
use crate::{
    Attribution, BudgetBurn, BudgetVerdict, Change, CostKind, DateRange, Forecast, Growth, Outlook,
    SeriesSummary, TrendVerdict,
};

/// `17 Jan 2024`.
pub(crate) fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// `17 Jan`.
pub(crate) fn short_date(date: Date) -> String {
    format!("{} {}", date.day(), month(date))
}

/// `Jan`.
pub(crate) fn month(date: Date) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = usize::try_from(date.month()).unwrap_or(1) - 1;
    MONTHS.get(at).copied().unwrap_or_default()
}

/// `1 – 31 Jan 2024`, `28 Dec 2023 – 3 Jan 2024`: the first and the last day.
pub(crate) fn days(range: DateRange) -> String {
    let first = range.start();
    let last = range.end().yesterday().unwrap_or(first);
    match (first.year() == last.year(), first.month() == last.month()) {
        _ if first == last => date(first),
        (true, true) => format!("{} – {}", first.day(), date(last)),
        (true, false) => format!("{} – {}", short_date(first), date(last)),
        _ => format!("{} – {}", date(first), date(last)),
    }
}

/// What a verdict is called.
pub(crate) fn verdict(verdict: BudgetVerdict) -> &'static str {
    match verdict {
        BudgetVerdict::OnTrack => "on track",
        BudgetVerdict::AtRisk => "at risk",
        BudgetVerdict::Exceeded => "exceeded",
        BudgetVerdict::Unknown => "unknown",
    }
}

/// A figure in one phrase, and what it rests on in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    /// What it is of.
    pub(crate) name: &'static str,
    /// The figure itself.
    pub(crate) value: String,
    /// What it rests on.
    pub(crate) note: String,
    /// Whether it asks for attention.
    pub(crate) tone: Tone,
}

/// Whether something asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

impl Figure {
    fn plain(name: &'static str, value: String, note: String) -> Figure {
        Figure {
            name,
            value,
            note,
            tone: Tone::Plain,
        }
    }
}

/// The key figures of the series of one currency, in reading order.
pub(crate) fn figures(report: &Report, currency: Currency) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let Some(summary) = &report.summary {
        figures.push(average(summary, currency));
    }
    figures.extend(report.growth.as_ref().map(growth));
    if report.summary.is_some() {
        figures.push(volatility(report, currency));
    }
    figures.extend(report.peak.as_ref().map(|peak| {
        let value = number::money(&peak.cost, currency);
        Figure::plain("Peak day", value, date(peak.date))
    }));
    figures.extend(report.forecast.as_ref().map(|f| forecast(f, currency)));
    figures.extend(report.budget.as_ref().map(|b| budget(b, currency)));
    figures
}

fn average(summary: &SeriesSummary, currency: Currency) -> Figure {
    let value = match super::tables::sum_of(summary.daily_average) {
        Some(average) => number::money(&average, currency),
        None => super::table::UNKNOWN.to_owned(),
    };
    let mut note = format!(
        "over {}",
        number::plural(summary.complete_days, "complete day")
    );
    if !summary.missing_days.is_empty() {
        note.push_str(&format!(
            "; {} missing, not counted as zero",
            number::count(summary.missing_days.len())
        ));
    }
    if !summary.open_days.is_empty() {
        note.push_str(&format!(
            "; {} still open",
            number::count(summary.open_days.len())
        ));
    }
    Figure::plain("Daily average", value, note)
}

/// Growth in words, with its significance.
pub(crate) fn growth(growth: &Growth) -> Figure {
    let test = growth.corrected.as_ref();
    let p = test.map_or_else(String::new, |test| number::p_value(test.p_value));
    let rate = test
        .and_then(|test| test.percent)
        .map(|slope| slope.slope.abs());
    let rate = rate.map_or_else(
        || "steadily".to_owned(),
        |rate| format!("{}/day", rate_of(rate)),
    );
    let (value, note, tone) = match growth.verdict {
        TrendVerdict::Growing => (format!("grows {rate}"), p, Tone::Warning),
        TrendVerdict::Shrinking => (format!("falls {rate}"), p, Tone::Good),
        TrendVerdict::NotSignificant => ("no significant trend".to_owned(), p, Tone::Plain),
        TrendVerdict::NotReady { have, need } => (
            "too early to say".to_owned(),
            format!(
                "{} of the {need} needed",
                number::plural(have, "complete day")
            ),
            Tone::Plain,
        ),
    };
    Figure {
        name: "Growth",
        value,
        note,
        tone,
    }
}

fn rate_of(percent: f64) -> String {
    if percent < 0.05 {
        format!("{percent:.2} %")
    } else {
        number::percent(percent)
    }
}

fn volatility(report: &Report, currency: Currency) -> Figure {
    let relative = report.summary.as_ref().and_then(|s| s.relative_volatility);
    let value = match report.volatility {
        Some(volatility) => number::statistic(volatility, currency),
        None => super::table::UNKNOWN.to_owned(),
    };
    let note = match relative {
        Some(relative) => format!("{} of the average day", number::percent(relative * 100.0)),
        None if report.volatility.is_none() => "needs two complete days".to_owned(),
        None => "around a mean of zero".to_owned(),
    };
    Figure::plain("Volatility", value, note)
}

fn forecast(forecast: &Forecast, currency: Currency) -> Figure {
    let (value, note) = match &forecast.outlook {
        Outlook::Ready(projection) => {
            let interval = projection.intervals.first().map(|interval| {
                format!(
                    "{:.0} % interval {} to {}",
                    interval.level * 100.0,
                    number::amount(&interval.low, currency),
                    number::amount(&interval.high, currency)
                )
            });
            (
                number::money(&projection.total, currency),
                interval.unwrap_or_default(),
            )
        }
        Outlook::NotReady { have, need } => (
            super::table::UNKNOWN.to_owned(),
            format!(
                "{} of the {need} needed",
                number::plural(*have, "ordinary day")
            ),
        ),
    };
    let last = forecast
        .period
        .end()
        .yesterday()
        .unwrap_or(forecast.period.start());
    let until = format!("by {}", short_date(last));
    let note = if note.is_empty() {
        until
    } else {
        format!("{until}; {note}")
    };
    Figure::plain("Forecast", value, note)
}

fn budget(burn: &BudgetBurn, currency: Currency) -> Figure {
    let tone = match burn.verdict {
        BudgetVerdict::OnTrack => Tone::Good,
        BudgetVerdict::AtRisk => Tone::Warning,
        BudgetVerdict::Exceeded => Tone::Bad,
        BudgetVerdict::Unknown => Tone::Plain,
    };
    let mut note = format!(
        "{} of {} spent in {} of the time",
        number::percent(burn.spent_share * 100.0),
        number::money(&burn.budget, currency),
        number::percent(burn.elapsed_share * 100.0)
    );
    if let Some(day) = burn.exhausted_on {
        note.push_str(&format!("; used up on {}", short_date(day)));
    }
    Figure {
        name: "Budget",
        value: verdict(burn.verdict).to_owned(),
        note,
        tone,
    }
}

/// `USD +12.30 (+5.1 %)`.
pub(crate) fn change<K>(change: &Attribution<K>, currency: Currency) -> String {
    let amount = number::change(&change.change, currency);
    match relative_change(change) {
        Some(percent) => format!("{amount} ({})", number::percent_change(percent)),
        None => amount,
    }
}

/// How many of the contributions to a change are worth a line of their own: those of a thousandth
/// of the largest or more. The table has them all.
pub(crate) fn notable_contributions(change: &Change) -> usize {
    let sizes = change
        .by_service
        .contributions
        .iter()
        .map(|c| c.change.to_f64().abs());
    let sizes: Vec<f64> = sizes.collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    sizes
        .iter()
        .take_while(|&&size| size >= largest / 1000.0)
        .count()
}

/// A caution where days are missing from what is compared: `9 – 15 Jan 2024 lacks 2 days`.
pub(crate) fn change_gaps(report: &Report) -> Option<String> {
    let change = report.change.as_ref()?;
    let missing = &report.summary.as_ref()?.missing_days;
    let lacks = |range: DateRange| {
        let lacking = missing.iter().filter(|day| range.contains(**day)).count();
        (lacking > 0).then(|| format!("{} lacks {}", days(range), number::plural(lacking, "day")))
    };
    let lacks: Vec<String> = [change.before, change.after]
        .into_iter()
        .filter_map(lacks)
        .collect();
    (!lacks.is_empty()).then(|| format!("{}; the change is of unequal stretches", lacks.join(", ")))
}

/// The change in % of what was before; `None` when that is 0.
pub(crate) fn relative_change<K>(change: &Attribution<K>) -> Option<f64> {
    let before = change.before.to_f64();
    (before != 0.0).then(|| change.change.to_f64() / before.abs() * 100.0)
}

/// What a cost is called.
pub(crate) fn kind(kind: CostKind) -> &'static str {
    match kind {
        CostKind::Billed => "billed cost",
        CostKind::Effective => "effective cost",
        CostKind::List => "list cost",
        CostKind::Contracted => "contracted cost",
    }
}

/// The cost that the total of a currency is of: billed, or effective where nothing is billed.
pub(crate) fn leading_kind(costs: &CostTotals) -> CostKind {
    if costs.billed.is_none() && costs.effective.is_some() {
        CostKind::Effective
    } else {
        CostKind::Billed
    }
}

/// How many rows do not state a cost, where some do not.
pub(crate) fn unknown_rows(costs: &CostTotals, of: CostKind) -> Option<String> {
    let unknown = costs.unknown_rows;
    let unknown = match of {
        CostKind::Billed => unknown.billed,
        CostKind::Effective => unknown.effective,
        CostKind::List => unknown.list,
        CostKind::Contracted => unknown.contracted,
    };
    (unknown > 0).then(|| {
        format!(
            "{} of {} state no {}; they are not in the total",
            number::count(unknown),
            number::plural(costs.rows, "row"),
            kind(of)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_stretch_by_its_first_and_last_day() {
        for (range, name) in [
            ("2024-01", "1 – 31 Jan 2024"),
            ("2024-01-17..2024-01-18", "17 Jan 2024"),
            ("2024-01-17..2024-03-01", "17 Jan – 29 Feb 2024"),
            ("2023-12-28..2024-01-04", "28 Dec 2023 – 3 Jan 2024"),
        ] {
            assert_eq!(days(range.parse().unwrap()), name);
        }
    }
}

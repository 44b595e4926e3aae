//! What did the largest services cost in each day, month or year of the period?
//!
//! The bars of a chart, and the table behind them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::section::Section;
use super::table::{Cell, Table, TableColumn};
use super::words;
use crate::{DateRange, DayLine, ExactSum};

/// As many services as a stack has colors that can be told apart.
pub(crate) const STACKED: usize = 5;

/// More days than this are shown by month: a bar needs a few pixels.
const MAX_DAYS: u32 = 186;

/// More days than this are shown by year.
const MAX_DAYS_BY_MONTH: u32 = 5 * 366;

/// How long a bar's stretch of days is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    Month,
    Year,
}

impl Unit {
    fn of(window: DateRange) -> Unit {
        match window.day_count() {
            n if n <= MAX_DAYS => Unit::Day,
            n if n <= MAX_DAYS_BY_MONTH => Unit::Month,
            _ => Unit::Year,
        }
    }

    /// The first day of the stretch that a day is in.
    fn start(self, day: Date) -> Date {
        match self {
            Unit::Day => day,
            Unit::Month => day.first_of_month(),
            Unit::Year => day.first_of_year(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        let last = match self {
            Unit::Day => start,
            Unit::Month => start.last_of_month(),
            Unit::Year => start.last_of_year(),
        };
        last.tomorrow().ok()
    }

    /// `Daily`, `Monthly`, `Yearly`.
    pub(crate) fn adverb(self) -> &'static str {
        match self {
            Unit::Day => "Daily",
            Unit::Month => "Monthly",
            Unit::Year => "Yearly",
        }
    }

    /// The name of a stretch under the axis.
    pub(crate) fn tick(self, start: Date) -> String {
        match self {
            Unit::Day => words::short_date(start),
            Unit::Month => format!("{} {}", words::month(start), start.year()),
            Unit::Year => start.year().to_string(),
        }
    }
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) start: Date,
    /// What each series cost, in their order, then the other services; `None` when nothing is
    /// known of any of its days.
    pub(crate) costs: Option<Vec<ExactSum>>,
    /// `None` when that is not known, or leaves the range of sums.
    pub(crate) total: Option<ExactSum>,
}

/// The bars of one currency.
#[derive(Debug, Clone)]
pub(crate) struct Days {
    pub(crate) unit: Unit,
    /// The services that are told apart, the largest first.
    pub(crate) series: Vec<String>,
    /// Whether there are others.
    pub(crate) has_other: bool,
    pub(crate) stretches: Vec<Stretch>,
}

impl Days {
    /// `None` when no charge has a day.
    pub(crate) fn of(section: &Section<'_>) -> Option<Days> {
        let window = window(section)?;
        let unit = Unit::of(window);
        let series = largest(section);
        let mut known: BTreeMap<Date, Stretch> = BTreeMap::new();
        let mut has_other = false;
        for line in section.days().filter(|line| window.contains(line.date)) {
            let start = unit.start(line.date);
            has_other |= line.by_service.iter().any(|s| !series.contains(&s.service));
            let stretch = known.entry(start).or_insert_with(|| Stretch::empty(start));
            stretch.add(line, &series, section);
        }
        let unknown: BTreeSet<Date> = unknown_days(section, window)
            .into_iter()
            .map(|day| unit.start(day))
            .collect();
        let starts = std::iter::successors(Some(unit.start(window.start())), |s| unit.next(*s));
        let stretches = starts
            .take_while(|start| *start < window.end())
            .map(|start| match known.remove(&start) {
                Some(stretch) => stretch,
                None if unknown.contains(&start) => Stretch::empty(start),
                None => Stretch::nothing_spent(start, &series),
            })
            .collect();
        Some(Days {
            unit,
            series,
            has_other,
            stretches,
        })
    }

    /// Whether some of the bars are not known.
    pub(crate) fn has_gaps(&self) -> bool {
        self.stretches.iter().any(|stretch| stretch.costs.is_none())
    }

    /// Whether anything is known of any of the bars.
    pub(crate) fn is_known(&self) -> bool {
        self.stretches.iter().any(|stretch| stretch.costs.is_some())
    }

    /// The names of the layers of a bar, from the axis outward.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &str> {
        let other = self.has_other.then_some("Other services");
        self.series.iter().map(String::as_str).chain(other)
    }

    /// The table behind the bars.
    pub(crate) fn table(&self, section: &Section<'_>) -> Table {
        let name = match self.unit {
            Unit::Day => "Day",
            Unit::Month => "Month",
            Unit::Year => "Year",
        };
        let mut columns = vec![
            TableColumn::left("start", name),
            TableColumn::right("total", "Total"),
        ];
        columns.extend(self.layers().map(|layer| TableColumn::right(layer, layer)));
        let layers = columns.len() - 2;
        let rows = self.stretches.iter().map(|stretch| {
            let mut row = vec![
                match self.unit {
                    Unit::Day => Cell::Date(stretch.start),
                    _ => Cell::text(self.unit.tick(stretch.start)),
                },
                Cell::amount(stretch.total.clone(), section.currency),
            ];
            row.extend((0..layers).map(|at| {
                let cost = stretch.costs.as_ref().and_then(|costs| costs.get(at));
                Cell::amount(cost.cloned(), section.currency)
            }));
            row
        });
        let title = format!("{} cost by service", self.unit.adverb());
        Table::new("bars", title, columns).with_rows(rows)
    }
}

impl Stretch {
    fn empty(start: Date) -> Stretch {
        Stretch {
            start,
            costs: None,
            total: None,
        }
    }

    fn nothing_spent(start: Date, series: &[String]) -> Stretch {
        Stretch {
            start,
            costs: Some(vec![ExactSum::ZERO; series.len() + 1]),
            total: Some(ExactSum::ZERO),
        }
    }

    /// Adds a day; where its cost is not known, or a sum leaves its range, the total is not known
    /// either.
    fn add(&mut self, day: &DayLine, series: &[String], section: &Section<'_>) {
        let Some(total) = day.costs.get(section.kind) else {
            self.total = None;
            return;
        };
        let is_first = self.costs.is_none();
        let costs = self
            .costs
            .get_or_insert_with(|| vec![ExactSum::ZERO; series.len() + 1]);
        let mut in_range = true;
        for service in &day.by_service {
            let at = series.iter().position(|name| *name == service.service);
            if let Some(sum) = costs.get_mut(at.unwrap_or(series.len())) {
                in_range &= sum.add_sum(&service.cost).is_ok();
            }
        }
        let mut sum = match (&self.total, is_first) {
            (Some(sum), _) => sum.clone(),
            (None, true) => ExactSum::ZERO,
            (None, false) => return,
        };
        in_range &= sum.add_sum(total).is_ok();
        self.total = in_range.then_some(sum);
    }
}

/// The days of the review, or from the first day of this currency to its last.
fn window(section: &Section<'_>) -> Option<DateRange> {
    let first = section.days().map(|line| line.date).min()?;
    let last = section.days().map(|line| line.date).max()?;
    let own = DateRange::new(first, last.tomorrow().ok()?).ok();
    section.report.period.or(own)
}

/// The names of the dearest services.
fn largest(section: &Section<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in section.services() {
        if names.len() < STACKED && !names.contains(&line.service) {
            names.push(line.service.clone());
        }
    }
    names
}

/// Days of which nothing is known: those that the series calls missing, and in another currency
/// than that of the series every day without a row.
fn unknown_days(section: &Section<'_>, window: DateRange) -> Vec<Date> {
    match &section.report.summary {
        Some(summary) if section.is_main() => summary.missing_days.clone(),
        _ if window.day_count() <= crate::MAX_SERIES_DAYS => {
            let seen: BTreeSet<Date> = section.days().map(|line| line.date).collect();
            window.days().filter(|day| !seen.contains(day)).collect()
        }
        _ => Vec::new(),
    }
}

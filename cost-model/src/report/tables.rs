//! Which tables does a report consist of?

use bursar_units::Currency;

use super::table::{Cell, Table, TableColumn};
use super::{CategoryLine, ChargeLine, CostTotals, DayLine, GroupTable, Report, ServiceLine};
use super::{findings, words};
use crate::{
    BudgetBurn, Change, CostKind, Exact, ExactSum, FileReport, Forecast, Outlook, Presence,
    Projection, ScenarioSummary,
};

/// What is shown for a value of a dimension that a row does not state.
pub(crate) const NOT_STATED: &str = "(not stated)";

/// Which of the lines a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of every currency, with a column that says which.
    All,
    /// Those of one currency.
    Of(Currency),
}

impl Scope {
    fn shows(self, currency: Currency) -> bool {
        match self {
            Scope::All => true,
            Scope::Of(one) => one == currency,
        }
    }

    /// The columns, with one for the currency put in where the lines are of several.
    fn columns(self, at: usize, mut columns: Vec<TableColumn>) -> Vec<TableColumn> {
        if self == Scope::All {
            columns.insert(at, TableColumn::left("currency", "Currency"));
        }
        columns
    }

    fn row(self, at: usize, currency: Currency, mut cells: Vec<Cell>) -> Vec<Cell> {
        if self == Scope::All {
            cells.insert(at, Cell::text(currency.code()));
        }
        cells
    }
}

impl Report {
    /// Every table of the report, in reading order; those without a row are left out.
    ///
    /// ```
    /// use bursar_cost_model::{BillReader, ReadOptions, ReviewOptions, Tally};
    ///
    /// let bill = "\
    /// BilledCost,BillingCurrency,ChargePeriodStart,ServiceName
    /// 119.81,USD,2024-01-01T00:00:00Z,Amazon Elastic Compute Cloud
    /// ";
    /// let options = ReviewOptions::default();
    /// let mut tally = Tally::new(&options)?;
    /// let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
    /// while let Some(row) = reader.next_row() {
    ///     tally.add(row)?;
    /// }
    /// let tables = tally.report(&options)?.tables();
    /// let services = tables.iter().find(|table| table.id == "services").ok_or("no services")?;
    /// let mut csv = Vec::new();
    /// services.to_csv(&mut csv)?;
    /// assert!(String::from_utf8(csv)?.contains("Amazon Elastic Compute Cloud,"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = vec![
            totals(self),
            services(self.by_service.iter(), Scope::All),
            categories(self.by_category.iter(), Scope::All),
            charges(self.by_charge.iter(), Scope::All),
            daily(self.daily.iter(), Scope::All),
            daily_services(self),
        ];
        tables.extend(self.groups.as_ref().map(|table| groups(table, Scope::All)));
        if let Some(currency) = self.currency {
            tables.push(statistics(self, currency));
            tables.extend(
                self.change
                    .as_ref()
                    .map(|c| contributions(c, currency, Scope::All)),
            );
            tables.extend(
                self.forecast
                    .as_ref()
                    .map(|f| forecast(f, currency, Scope::All)),
            );
            tables.extend(self.forecast.as_ref().map(|f| forecast_days(f, currency)));
            tables.extend(self.budget.as_ref().map(|b| budget(b, currency)));
        }
        tables.extend([
            findings::rules(&self.invariants),
            findings::failures(&self.invariants),
            findings::opportunities(self.opportunities.iter()),
            findings::resources(self.opportunities.iter()),
            findings::not_advised(self.opportunities.iter()),
        ]);
        tables.extend(self.scenario.as_ref().map(|s| scenario(s, Scope::All)));
        tables.push(anomalies(self));
        tables.push(files(&self.files));
        tables.push(rejected_rows(&self.files));
        tables.push(problems(&self.files));
        tables.retain(|table| !table.rows.is_empty());
        tables
    }
}

fn cost_columns() -> [TableColumn; 5] {
    [
        TableColumn::right("billed_cost", "Billed"),
        TableColumn::right("effective_cost", "Effective"),
        TableColumn::right("list_cost", "List"),
        TableColumn::right("contracted_cost", "Contracted"),
        TableColumn::right("rows", "Rows"),
    ]
}

fn cost_cells(costs: &CostTotals, currency: Currency) -> [Cell; 5] {
    let cost = |kind| Cell::amount(costs.get(kind).cloned(), currency);
    [
        cost(CostKind::Billed),
        cost(CostKind::Effective),
        cost(CostKind::List),
        cost(CostKind::Contracted),
        Cell::Count(costs.rows),
    ]
}

fn totals(report: &Report) -> Table {
    let mut columns = vec![TableColumn::left("currency", "Currency")];
    columns.extend(cost_columns());
    columns.extend([
        TableColumn::right("rows_without_billed_cost", "No billed cost"),
        TableColumn::right("rows_without_effective_cost", "No effective cost"),
        TableColumn::right("rows_without_list_cost", "No list cost"),
        TableColumn::right("rows_without_contracted_cost", "No contracted cost"),
    ]);
    let rows = report.totals.iter().map(|(&currency, costs)| {
        let mut row = vec![Cell::text(currency.code())];
        row.extend(cost_cells(costs, currency));
        let unknown = costs.unknown_rows;
        row.extend(
            [
                unknown.billed,
                unknown.effective,
                unknown.list,
                unknown.contracted,
            ]
            .map(Cell::Count),
        );
        row
    });
    Table::new("totals", "Totals", columns).with_rows(rows)
}

pub(crate) fn services<'r>(lines: impl Iterator<Item = &'r ServiceLine>, scope: Scope) -> Table {
    let mut columns = vec![
        TableColumn::left("service", "Service"),
        TableColumn::left("provider", "Provider"),
        TableColumn::left("group", "Group"),
        TableColumn::right("share_percent", "Share"),
    ];
    columns.extend(cost_columns());
    let lines = lines.filter(|line| scope.shows(line.currency));
    let rows = lines.map(|line| {
        let mut row = vec![
            Cell::text(&line.service),
            Cell::text_or_unknown(line.provider.as_deref()),
            Cell::text(line.category.name()),
            Cell::share(line.share),
        ];
        row.extend(cost_cells(&line.costs, line.currency));
        scope.row(3, line.currency, row)
    });
    Table::new("services", "Cost by service", scope.columns(3, columns)).with_rows(rows)
}

pub(crate) fn categories<'r>(lines: impl Iterator<Item = &'r CategoryLine>, scope: Scope) -> Table {
    let mut columns = vec![
        TableColumn::left("group", "Group"),
        TableColumn::right("share_percent", "Share"),
    ];
    columns.extend(cost_columns());
    let lines = lines.filter(|line| scope.shows(line.currency));
    let rows = lines.map(|line| {
        let mut row = vec![Cell::text(line.category.name()), Cell::share(line.share)];
        row.extend(cost_cells(&line.costs, line.currency));
        scope.row(1, line.currency, row)
    });
    Table::new("categories", "The five groups", scope.columns(1, columns)).with_rows(rows)
}

pub(crate) fn charges<'r>(lines: impl Iterator<Item = &'r ChargeLine>, scope: Scope) -> Table {
    let mut columns = vec![TableColumn::left("charge_category", "Kind of charge")];
    columns.extend(cost_columns());
    let lines = lines.filter(|line| scope.shows(line.currency));
    let rows = lines.map(|line| {
        let kind = line.charge_category.map_or(NOT_STATED, |kind| kind.name());
        let mut row = vec![Cell::text(kind)];
        row.extend(cost_cells(&line.costs, line.currency));
        scope.row(1, line.currency, row)
    });
    Table::new(
        "charges",
        "Cost by kind of charge",
        scope.columns(1, columns),
    )
    .with_rows(rows)
}

pub(crate) fn daily<'r>(lines: impl Iterator<Item = &'r DayLine>, scope: Scope) -> Table {
    let mut columns = vec![TableColumn::left("date", "Day")];
    columns.extend(cost_columns());
    let lines = lines.filter(|line| scope.shows(line.currency));
    let rows = lines.map(|line| {
        let mut row = vec![Cell::Date(line.date)];
        row.extend(cost_cells(&line.costs, line.currency));
        scope.row(1, line.currency, row)
    });
    Table::new("daily", "Cost by day", scope.columns(1, columns)).with_rows(rows)
}

fn daily_services(report: &Report) -> Table {
    let columns = vec![
        TableColumn::left("date", "Day"),
        TableColumn::left("currency", "Currency"),
        TableColumn::left("service", "Service"),
        TableColumn::right("cost", "Cost"),
    ];
    let rows = report.daily.iter().flat_map(|day| {
        day.by_service.iter().map(|service| {
            vec![
                Cell::Date(day.date),
                Cell::text(day.currency.code()),
                Cell::text(&service.service),
                Cell::amount(Some(service.cost.clone()), day.currency),
            ]
        })
    });
    Table::new("daily_services", "Cost by day and service", columns).with_rows(rows)
}

pub(crate) fn groups(table: &GroupTable, scope: Scope) -> Table {
    let named = |name: &String| TableColumn::left(name, name);
    let mut columns: Vec<TableColumn> = table.dimensions.iter().map(named).collect();
    let at = columns.len();
    columns.push(TableColumn::right("share_percent", "Share"));
    columns.extend(cost_columns());
    let lines = table.lines.iter().filter(|line| scope.shows(line.currency));
    let rows = lines.map(|line| {
        let value = |at| line.values.get(at).and_then(Option::as_deref);
        let stated = |at| Cell::text(value(at).unwrap_or(NOT_STATED));
        let mut row: Vec<Cell> = (0..at).map(stated).collect();
        row.push(Cell::share(line.share));
        row.extend(cost_cells(&line.costs, line.currency));
        scope.row(at, line.currency, row)
    });
    let title = format!("Cost by {}", table.dimensions.join(", "));
    Table::new("groups", title, scope.columns(at, columns)).with_rows(rows)
}

/// The figures that are not sums, each with its unit.
pub(crate) fn statistics(report: &Report, currency: Currency) -> Table {
    let columns = vec![
        TableColumn::left("figure", "Figure"),
        TableColumn::right("value", "Value"),
        TableColumn::left("unit", "Unit"),
    ];
    let mut rows = Vec::new();
    let mut push = |figure: &str, value: Cell, unit: &str| {
        rows.push(vec![Cell::text(figure), value, Cell::text(unit)]);
    };
    if let Some(summary) = &report.summary {
        let decimal = |value| Cell::amount(sum_of(value), currency);
        push(
            "daily average",
            decimal(summary.daily_average),
            currency.code(),
        );
        push("median day", decimal(summary.median), currency.code());
        push(
            "complete days",
            Cell::Count(summary.complete_days as u64),
            "days",
        );
        push(
            "open days",
            Cell::Count(summary.open_days.len() as u64),
            "days",
        );
        push(
            "missing days",
            Cell::Count(summary.missing_days.len() as u64),
            "days",
        );
    }
    if report.summary.is_some() {
        let volatility = report.volatility.map_or(Cell::Unknown, Cell::Number);
        push("volatility", volatility, currency.code());
    }
    if let Some(peak) = &report.peak {
        push("peak day", Cell::Date(peak.date), "date");
        push(
            "peak cost",
            Cell::amount(Some(peak.cost.clone()), currency),
            currency.code(),
        );
    }
    if let Some(growth) = &report.growth {
        let test = growth.corrected.as_ref();
        let percent = test.and_then(|t| t.percent).map(|slope| slope.slope);
        push(
            "growth",
            percent.map_or(Cell::Unknown, Cell::Number),
            "% per day",
        );
        let p = test.map_or(Cell::Unknown, |t| Cell::Number(t.p_value));
        push("growth p-value", p, "probability");
    }
    Table::new("statistics", "Statistics of the daily cost", columns).with_rows(rows)
}

pub(crate) fn contributions(change: &Change, currency: Currency, scope: Scope) -> Table {
    let columns = vec![
        TableColumn::left("service", "Service"),
        TableColumn::right("before", "Before"),
        TableColumn::right("after", "After"),
        TableColumn::right("change", "Change"),
        TableColumn::right("share_of_change_percent", "Of the change"),
        TableColumn::left("presence", "Seen"),
    ];
    let amount = |sum: &ExactSum| Cell::amount(Some(sum.clone()), currency);
    let rows = change.by_service.contributions.iter().map(|c| {
        let presence = match c.presence {
            Presence::Both => "before and after",
            Presence::New => "new",
            Presence::Gone => "gone",
        };
        let row = vec![
            Cell::text(&c.key),
            amount(&c.before),
            amount(&c.after),
            Cell::Change {
                amount: c.change.clone(),
                currency,
            },
            Cell::share(c.share.map(|share| share * 100.0)),
            Cell::text(presence),
        ];
        scope.row(1, currency, row)
    });
    let title = format!(
        "Change from {} to {}, by service",
        words::days(change.before),
        words::days(change.after)
    );
    Table::new("change", title, scope.columns(1, columns)).with_rows(rows)
}

pub(crate) fn forecast(forecast: &Forecast, currency: Currency, scope: Scope) -> Table {
    let columns = vec![
        TableColumn::left("figure", "Figure"),
        TableColumn::right("cost", "Cost"),
    ];
    let amount = |sum: &ExactSum| Cell::amount(Some(sum.clone()), currency);
    let mut rows = vec![vec![Cell::text("billed so far"), amount(&forecast.billed)]];
    match &forecast.outlook {
        Outlook::Ready(projection) => rows.extend(projected(projection, currency)),
        Outlook::NotReady { .. } => {
            rows.push(vec![Cell::text("expected total"), Cell::Unknown]);
        }
    }
    let title = format!("Forecast for {}", words::days(forecast.period));
    let rows = rows.into_iter().map(|row| scope.row(1, currency, row));
    Table::new("forecast", title, scope.columns(1, columns)).with_rows(rows)
}

fn projected(projection: &Projection, currency: Currency) -> Vec<Vec<Cell>> {
    let amount = |sum: ExactSum| Cell::amount(Some(sum), currency);
    let mut rows = vec![
        vec![
            Cell::text("expected to come"),
            Cell::amount(sum_of(Some(projection.rest)), currency),
        ],
        vec![
            Cell::text("expected total"),
            amount(projection.total.clone()),
        ],
    ];
    for interval in &projection.intervals {
        let level = interval.level * 100.0;
        for (end, cost) in [("low", &interval.low), ("high", &interval.high)] {
            let figure = format!("{end} end of the {level:.0} % interval");
            rows.push(vec![Cell::text(figure), amount(cost.clone())]);
        }
    }
    rows
}

fn forecast_days(forecast: &Forecast, currency: Currency) -> Table {
    let columns = vec![
        TableColumn::left("date", "Day"),
        TableColumn::left("currency", "Currency"),
        TableColumn::right("expected_to_come", "Expected to come"),
    ];
    let days = match &forecast.outlook {
        Outlook::Ready(projection) => projection.daily.as_slice(),
        Outlook::NotReady { .. } => &[],
    };
    let rows = days.iter().map(|day| {
        vec![
            Cell::Date(day.date),
            Cell::text(currency.code()),
            Cell::amount(sum_of(Some(day.cost)), currency),
        ]
    });
    Table::new("forecast_days", "Forecast by day", columns).with_rows(rows)
}

pub(crate) fn budget(burn: &BudgetBurn, currency: Currency) -> Table {
    let columns = vec![
        TableColumn::left("figure", "Figure"),
        TableColumn::right("value", "Value"),
        TableColumn::left("unit", "Unit"),
    ];
    let line =
        |figure: &str, value: Cell, unit: &str| vec![Cell::text(figure), value, Cell::text(unit)];
    let amount = |figure: &str, sum: &ExactSum| {
        let value = Cell::amount(Some(sum.clone()), currency);
        line(figure, value, currency.code())
    };
    let share = |figure: &str, share: f64| line(figure, Cell::Percent(share * 100.0), "%");
    let burn_rate = burn.burn_rate.map_or(Cell::Unknown, Cell::Number);
    let used_up = burn.exhausted_on.map_or(Cell::Nothing, Cell::Date);
    let rows = vec![
        amount("budget", &burn.budget),
        amount("spent", &burn.spent),
        amount("remaining", &burn.remaining),
        share("spent share", burn.spent_share),
        share("elapsed share", burn.elapsed_share),
        line("burn rate", burn_rate, "ratio"),
        line("used up on", used_up, "date"),
        line("verdict", Cell::text(words::verdict(burn.verdict)), ""),
    ];
    let title = format!("Budget for {}", words::days(burn.forecast.period));
    Table::new("budget", title, columns).with_rows(rows)
}

pub(crate) fn scenario(summary: &ScenarioSummary, scope: Scope) -> Table {
    let columns = vec![
        TableColumn::left("group", "Group"),
        TableColumn::right("before", "Before"),
        TableColumn::right("after", "After"),
        TableColumn::right("saving", "Saving"),
        TableColumn::right("saved_percent", "Saved"),
    ];
    let amount = |sum: &ExactSum| Cell::amount(Some(sum.clone()), summary.currency);
    let rows = summary.lines.iter().chain([&summary.total]).map(|line| {
        let percent = line.saved_percent.and_then(|p| p.to_string().parse().ok());
        let row = vec![
            Cell::text(&line.name),
            amount(&line.before),
            amount(&line.after),
            amount(&line.saving),
            Cell::share(percent),
        ];
        scope.row(1, summary.currency, row)
    });
    Table::new("scenario", "Before and after", scope.columns(1, columns)).with_rows(rows)
}

pub(crate) fn anomalies(report: &Report) -> Table {
    let columns = vec![
        TableColumn::left("date", "Day"),
        TableColumn::left("severity", "Severity"),
        TableColumn::left("series", "What"),
        TableColumn::left("message", "Message"),
    ];
    let rows = report.anomalies.iter().map(|anomaly| {
        vec![
            Cell::Date(anomaly.date),
            Cell::text(&anomaly.severity),
            Cell::text(&anomaly.series),
            Cell::text(&anomaly.message),
        ]
    });
    Table::new("anomalies", "Anomalies", columns).with_rows(rows)
}

pub(crate) fn files(files: &[FileReport]) -> Table {
    let columns = vec![
        TableColumn::left("file", "File"),
        TableColumn::left("format", "Format"),
        TableColumn::right("rows_read", "Read"),
        TableColumn::right("rows_kept", "Kept"),
        TableColumn::right("rows_rejected", "Rejected"),
        TableColumn::right("rows_outside", "Outside the period"),
        TableColumn::right("problems", "Problems"),
    ];
    let rows = files.iter().map(|file| {
        vec![
            Cell::text(&file.path),
            Cell::text_or_unknown(file.format.map(|format| format.name())),
            Cell::Count(file.rows_read),
            Cell::Count(file.rows_kept),
            Cell::Count(file.rows_rejected_count),
            file.rows_outside.map_or(Cell::Unknown, Cell::Count),
            Cell::Count(file.problems.len() as u64),
        ]
    });
    Table::new("files", "Files", columns).with_rows(rows)
}

pub(crate) fn rejected_rows(files: &[FileReport]) -> Table {
    let columns = vec![
        TableColumn::left("file", "File"),
        TableColumn::right("line", "Line"),
        TableColumn::left("column", "Column"),
        TableColumn::left("value", "Value"),
        TableColumn::left("reason", "Reason"),
    ];
    let rows = files.iter().flat_map(|file| {
        file.rows_rejected.iter().map(|row| {
            vec![
                Cell::text(&file.path),
                Cell::Count(row.line),
                Cell::text(&row.column),
                Cell::text(&row.value),
                Cell::text(row.reason.to_string()),
            ]
        })
    });
    Table::new("rejected_rows", "Rejected rows", columns).with_rows(rows)
}

pub(crate) fn problems(files: &[FileReport]) -> Table {
    let columns = vec![
        TableColumn::left("file", "File"),
        TableColumn::right("line", "Line"),
        TableColumn::left("column", "Column"),
        TableColumn::left("reason", "Problem"),
    ];
    let rows = files.iter().flat_map(|file| {
        file.problems.iter().map(|problem| {
            vec![
                Cell::text(&file.path),
                Cell::Count(problem.line),
                Cell::text(&problem.column),
                Cell::text(&problem.reason),
            ]
        })
    });
    Table::new("problems", "Problems of files", columns).with_rows(rows)
}

/// A rounded figure as an amount; unknown stays unknown.
pub(crate) fn sum_of(value: Option<rust_decimal::Decimal>) -> Option<ExactSum> {
    Exact::try_from(value?).ok().map(ExactSum::from)
}

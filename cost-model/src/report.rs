//! What does a bill say, as one value?
//!
//! A [`Report`] is plain data: everything that its renderings show, exact where it is money,
//! with the parts that each total is made of.

mod chart;
mod days;
pub(crate) mod escape;
mod findings;
mod html;
mod markdown;
pub(crate) mod number;
mod section;
mod table;
mod tables;
mod text;
mod words;

use std::collections::BTreeMap;

use bursar_units::Currency;
use jiff::civil::Date;

use crate::{
    Attribution, BudgetBurn, ChargeCategory, CostGroup, CostKind, CostSum, Costs, DateRange,
    ExactSum, FileProblem, Forecast, Format, Growth, InvariantResult, Opportunities, PeakDay,
    RejectedRow, RowCounts, ScenarioSummary, SeriesSummary, Tally,
};

pub use table::{Align, Cell, Table, TableColumn};
pub use text::TextOptions;

/// The review of one or more bill files.
///
/// For machines: [`Report::tables`], and JSON of the report itself by serde. For readers:
/// [`Report::to_text`], [`Report::to_markdown`] and [`Report::to_html`].
///
/// ```
/// use bursar_cost_model::{BillReader, FileReport, ReadOptions, ReviewOptions, Tally};
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
/// let problems = reader.problems().to_vec();
/// let file = FileReport::of("bill.csv", reader.format(), &tally, problems);
/// assert_eq!((file.rows_read, file.rows_kept), (1, 1));
///
/// let mut report = tally.report(&options)?;
/// report.files.push(file);
/// let page = report.to_html();
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("bill.csv"));
/// assert!(!page.contains("<script"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The days reviewed: those asked for, or from the first charge to the last. Corrections of
    /// earlier charges do not stretch it; outside it they are in the totals and in no statistic.
    pub period: Option<DateRange>,
    /// The currency of most rows, in which growth, volatility, peak, change, forecast and budget
    /// are given; `None` without a row.
    pub currency: Option<Currency>,
    /// Which cost those, and the shares in that currency, are of: billed, or effective where
    /// nothing is billed.
    pub cost: CostKind,
    /// What became of each file.
    pub files: Vec<FileReport>,
    /// The four costs by currency; currencies are never added.
    pub totals: BTreeMap<Currency, CostTotals>,
    /// By currency and service, the largest first.
    pub by_service: Vec<ServiceLine>,
    /// By currency and group; all five of them.
    pub by_category: Vec<CategoryLine>,
    /// By currency and kind of charge.
    pub by_charge: Vec<ChargeLine>,
    /// By the dimensions asked for.
    pub groups: Option<GroupTable>,
    /// By currency and day.
    pub daily: Vec<DayLine>,
    /// Average, median, complete and missing days.
    pub summary: Option<SeriesSummary>,
    /// The trend of the daily cost, and whether it is to be believed.
    pub growth: Option<Growth>,
    /// The sample standard deviation of the daily cost.
    pub volatility: Option<f64>,
    /// The dearest day.
    pub peak: Option<PeakDay>,
    /// What changed between two stretches, and which service changed it.
    pub change: Option<Change>,
    /// What the running month will cost at its end.
    pub forecast: Option<Forecast>,
    /// How the budget stands.
    pub budget: Option<BudgetBurn>,
    /// What the rules of FOCUS say of the bill.
    pub invariants: Vec<InvariantResult>,
    /// What could be saved, by currency.
    #[cfg_attr(feature = "serde", serde(flatten, serialize_with = "savings"))]
    pub opportunities: Vec<Opportunities>,
    /// A before and after that was given.
    pub scenario: Option<ScenarioSummary>,
    /// Anomalies that were given.
    pub anomalies: Vec<AnomalyLine>,
    /// What a reader must know of how the figures came about.
    pub notes: Vec<String>,
}

/// What became of one file.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FileReport {
    /// Where it is.
    pub path: String,
    /// What it is; `None` when it could not be told, or is empty.
    pub format: Option<Format>,
    /// Rows below the header.
    pub rows_read: u64,
    /// Rows that became records.
    pub rows_kept: u64,
    /// How many rows could not be read.
    pub rows_rejected_count: u64,
    /// The rows that could not be read, by line; the first of them where there are very many.
    pub rows_rejected: Vec<RejectedRow>,
    /// Records outside the window of the review; `None` for a file that went to a store, whose
    /// records are reviewed together.
    pub rows_outside: Option<u64>,
    /// What is wrong with the file as a whole.
    pub problems: Vec<FileProblem>,
    /// Why nothing of the file could be read; `None` where it could.
    pub error: Option<String>,
}

impl FileReport {
    /// The report of a file of which nothing could be read, and why.
    #[must_use]
    pub fn unreadable(path: impl Into<String>, error: impl Into<String>) -> FileReport {
        FileReport {
            path: path.into(),
            format: None,
            rows_read: 0,
            rows_kept: 0,
            rows_rejected_count: 0,
            rows_rejected: Vec::new(),
            rows_outside: Some(0),
            problems: Vec::new(),
            error: Some(error.into()),
        }
    }

    /// The report of a file whose rows, and only those, a tally has seen.
    #[must_use]
    pub fn of(
        path: impl Into<String>,
        format: Option<Format>,
        tally: &Tally,
        problems: Vec<FileProblem>,
    ) -> FileReport {
        let RowCounts {
            read,
            kept,
            rejected,
            outside,
        } = tally.counts();
        FileReport {
            path: path.into(),
            format,
            rows_read: read,
            rows_kept: kept,
            rows_rejected_count: rejected,
            rows_rejected: tally.rejected(),
            rows_outside: Some(outside),
            problems,
            error: None,
        }
    }

    /// Whether every row was read and nothing is wrong with the file.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.rows_rejected_count == 0 && self.problems.is_empty() && self.error.is_none()
    }
}

/// The four costs of some charges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CostTotals {
    /// What is invoiced; `None` when no row states it.
    pub billed: Option<ExactSum>,
    /// After all discounts; `None` when no row states it.
    pub effective: Option<ExactSum>,
    /// At the public price; `None` when no row states it.
    pub list: Option<ExactSum>,
    /// At the negotiated price; `None` when no row states it.
    pub contracted: Option<ExactSum>,
    /// How many charges.
    pub rows: u64,
    /// How many of them do not state each cost, and are not in its sum.
    pub unknown_rows: UnknownRows,
}

/// How many rows do not state each of the four costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UnknownRows {
    /// Rows without a billed cost.
    pub billed: u64,
    /// Rows without an effective cost.
    pub effective: u64,
    /// Rows without a list cost.
    pub list: u64,
    /// Rows without a contracted cost.
    pub contracted: u64,
}

impl CostTotals {
    /// The four costs, each unknown where no row states it.
    #[must_use]
    pub fn of(costs: &Costs) -> CostTotals {
        // Nothing at all costs nothing; charges that all keep silent cost nobody knows what.
        let known = |cost: &CostSum| {
            (cost.unknown_rows < costs.rows || costs.rows == 0).then(|| cost.sum.clone())
        };
        CostTotals {
            billed: known(&costs.billed),
            effective: known(&costs.effective),
            list: known(&costs.list),
            contracted: known(&costs.contracted),
            rows: costs.rows,
            unknown_rows: UnknownRows {
                billed: costs.billed.unknown_rows,
                effective: costs.effective.unknown_rows,
                list: costs.list.unknown_rows,
                contracted: costs.contracted.unknown_rows,
            },
        }
    }

    /// One of the four.
    #[must_use]
    pub fn get(&self, kind: CostKind) -> Option<&ExactSum> {
        match kind {
            CostKind::Billed => self.billed.as_ref(),
            CostKind::Effective => self.effective.as_ref(),
            CostKind::List => self.list.as_ref(),
            CostKind::Contracted => self.contracted.as_ref(),
        }
    }

    /// The billed cost, or the effective one where nothing is billed.
    #[must_use]
    pub fn leading(&self) -> Option<&ExactSum> {
        self.billed.as_ref().or(self.effective.as_ref())
    }
}

/// What one service cost.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServiceLine {
    /// The name of the service.
    pub service: String,
    /// Who provides it.
    pub provider: Option<String>,
    /// Which of the five groups it is in: that of the largest part of its cost.
    pub category: CostGroup,
    /// The currency of the costs.
    pub currency: Currency,
    /// Its share in % of the total in that currency; `None` when that is 0.
    pub share: Option<f64>,
    /// What it cost.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub costs: CostTotals,
}

/// What one of the five groups cost.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CategoryLine {
    /// The group.
    pub category: CostGroup,
    /// The currency of the costs.
    pub currency: Currency,
    /// Its share in % of the total in that currency; `None` when that is 0.
    pub share: Option<f64>,
    /// What it cost.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub costs: CostTotals,
}

/// What one kind of charge came to.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChargeLine {
    /// The kind; `None` for rows that state none.
    pub charge_category: Option<ChargeCategory>,
    /// The currency of the costs.
    pub currency: Currency,
    /// What it came to.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub costs: CostTotals,
}

/// What one day cost.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DayLine {
    /// The UTC day.
    pub date: Date,
    /// The currency of the costs.
    pub currency: Currency,
    /// What it cost.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub costs: CostTotals,
    /// What each service cost on it, by name.
    pub by_service: Vec<ServiceDay>,
}

/// What one service cost on one day.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServiceDay {
    /// The name of the service.
    pub service: String,
    /// What it cost: billed, or effective where nothing is billed.
    pub cost: ExactSum,
}

/// The costs by dimensions that were asked for.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GroupTable {
    /// The names of the dimensions.
    pub dimensions: Vec<String>,
    /// A line a group: by currency, the largest first.
    pub lines: Vec<GroupLine>,
}

/// What one group cost.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GroupLine {
    /// The values of the dimensions, in their order.
    pub values: Vec<Option<String>>,
    /// The currency of the costs.
    pub currency: Currency,
    /// Its share in % of the total in that currency; `None` when that is 0.
    pub share: Option<f64>,
    /// What it cost.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub costs: CostTotals,
}

/// The change between two stretches of days.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The earlier days.
    pub before: DateRange,
    /// The later days.
    pub after: DateRange,
    /// How much each service contributed; the contributions add up to the change.
    pub by_service: Attribution<String>,
}

/// An anomaly that a detector found, as the report shows it.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnomalyLine {
    /// The day.
    pub date: Date,
    /// How grave: as the detector calls it.
    pub severity: String,
    /// What stood out.
    pub series: String,
    /// One sentence with the numbers.
    pub message: String,
}

/// Opportunities as one list, and the totals beside it: what readers of JSON look for.
#[cfg(feature = "serde")]
fn savings<S: serde::Serializer>(
    by_currency: &[Opportunities],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::Serialize;

    use crate::{LeftOut, NotAdvised, Opportunity};

    #[derive(Serialize)]
    struct Savings<'a> {
        opportunities: Vec<Line<'a>>,
        savings: Vec<Summary<'a>>,
    }

    #[derive(Serialize)]
    struct Line<'a> {
        currency: Currency,
        #[serde(flatten)]
        opportunity: &'a Opportunity,
    }

    #[derive(Serialize)]
    struct Summary<'a> {
        currency: Currency,
        window: DateRange,
        total: &'a ExactSum,
        touched_cost: &'a ExactSum,
        not_advised: &'a [NotAdvised],
        left_out: &'a LeftOut,
    }

    let lines = by_currency.iter().flat_map(|all| {
        let currency = all.currency;
        all.found.iter().map(move |opportunity| Line {
            currency,
            opportunity,
        })
    });
    let summaries = by_currency.iter().map(|all| Summary {
        currency: all.currency,
        window: all.window,
        total: all.total(),
        touched_cost: all.touched_cost(),
        not_advised: &all.not_advised,
        left_out: &all.left_out,
    });
    Savings {
        opportunities: lines.collect(),
        savings: summaries.collect(),
    }
    .serialize(serializer)
}

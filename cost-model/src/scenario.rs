//! What does a change save, group by group, between a state before and a state after?
//!
//! Both states are given: a [`Scenario`] adds up and compares, it does not guess. Totals are
//! sums of the lines and of nothing else, so a total that does not follow from its parts cannot
//! be stated.

use std::fmt;
use std::io;

use bursar_units::Currency;
use rust_decimal::Decimal;

use crate::quotient::quotient;
use crate::{Exact, ExactError, ExactSum};

/// Places of a saved percentage: 80.1 %.
const PERCENT_PLACES: u32 = 1;

/// Costs by group, before a change and after it, in one currency.
///
/// ```
/// use bursar_cost_model::Scenario;
/// use bursar_units::Currency;
///
/// let csv = "group,before,after\ncompute,119.81,21.26\nstorage,8.00,2.40\n";
/// let scenario = Scenario::from_csv(csv.as_bytes(), Currency::USD)?;
/// let summary = scenario.summary()?;
/// assert_eq!(summary.total.saving.to_string(), "104.15");
/// assert_eq!(summary.total.saved_percent.map(|p| p.to_string()), Some("81.5".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Scenario {
    currency: Currency,
    groups: Vec<ScenarioGroup>,
}

/// One group of a [`Scenario`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScenarioGroup {
    /// What the group is called.
    pub name: String,
    /// What it costs before the change.
    pub before: Exact,
    /// What it costs after the change.
    pub after: Exact,
}

/// Why a scenario could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is no CSV, or cannot be read.
    #[error("cannot read the scenario: {0}")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error(
        "the header has no column `{0}`: a scenario has `group` (or `name`), `before` and `after`"
    )]
    MissingColumn(&'static str),
    /// A cell is no amount.
    #[error("line {line}, column `{column}`: {reason}")]
    Amount {
        /// The line, from 1.
        line: u64,
        /// Which of the two.
        column: &'static str,
        /// What is wrong with it.
        reason: ExactError,
    },
    /// A group has no name.
    #[error("line {0}: the group has no name")]
    Unnamed(u64),
    /// A group is stated twice.
    #[error("the group `{0}` is stated twice: add its lines up first")]
    Duplicate(String),
    /// There is no group.
    #[error("the scenario has no group: state at least one line below the header")]
    Empty,
    /// A total cannot be kept.
    #[error(transparent)]
    Sum(#[from] ExactError),
}

impl Scenario {
    /// A scenario of these groups, kept in this order.
    ///
    /// # Errors
    /// [`ScenarioError::Empty`] without a group, [`ScenarioError::Duplicate`] when two have one
    /// name.
    pub fn new(currency: Currency, groups: Vec<ScenarioGroup>) -> Result<Scenario, ScenarioError> {
        if groups.is_empty() {
            return Err(ScenarioError::Empty);
        }
        for (at, group) in groups.iter().enumerate() {
            if groups[..at].iter().any(|other| other.name == group.name) {
                return Err(ScenarioError::Duplicate(group.name.clone()));
            }
        }
        Ok(Scenario { currency, groups })
    }

    /// Reads CSV with the columns `group` (or `name`), `before` and `after`, in any order and
    /// case; other columns are left aside.
    ///
    /// # Errors
    /// [`ScenarioError`] names the line and the column at fault.
    pub fn from_csv(reader: impl io::Read, currency: Currency) -> Result<Scenario, ScenarioError> {
        let mut csv = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(reader);
        let places = Places::of(csv.headers()?)?;
        let mut groups = Vec::new();
        for row in csv.records() {
            groups.push(places.group(&row?)?);
        }
        Scenario::new(currency, groups)
    }

    /// The currency of all amounts.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The groups, as they were given.
    #[must_use]
    pub fn groups(&self) -> &[ScenarioGroup] {
        &self.groups
    }

    /// Every group with what it saves, and the totals.
    ///
    /// # Errors
    /// [`ScenarioError::Sum`] when a total leaves its range.
    pub fn summary(&self) -> Result<ScenarioSummary, ScenarioError> {
        let line = |g: &ScenarioGroup| ScenarioLine::new(&g.name, g.before.into(), g.after.into());
        let lines: Vec<ScenarioLine> = self.groups.iter().map(line).collect::<Result<_, _>>()?;
        let before = ExactSum::of(self.groups.iter().map(|g| g.before))?;
        let after = ExactSum::of(self.groups.iter().map(|g| g.after))?;
        Ok(ScenarioSummary {
            currency: self.currency,
            lines,
            total: ScenarioLine::new("total", before, after)?,
        })
    }
}

/// In which cells the three columns are.
struct Places {
    name: usize,
    before: usize,
    after: usize,
}

impl Places {
    fn of(header: &csv::StringRecord) -> Result<Places, ScenarioError> {
        let find = |names: &[&str]| {
            let named = |cell: &str| names.iter().any(|n| cell.eq_ignore_ascii_case(n));
            // Spreadsheets put a byte order mark before the first name.
            header
                .iter()
                .position(|cell| named(cell.trim_start_matches('\u{feff}')))
        };
        let want = |names: &[&'static str]| {
            find(names).ok_or_else(|| ScenarioError::MissingColumn(names[0]))
        };
        Ok(Places {
            name: want(&["group", "name"])?,
            before: want(&["before"])?,
            after: want(&["after"])?,
        })
    }

    fn group(&self, row: &csv::StringRecord) -> Result<ScenarioGroup, ScenarioError> {
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |at: usize| row.get(at).unwrap_or("");
        let amount = |at: usize, column: &'static str| {
            cell(at).parse().map_err(|reason| ScenarioError::Amount {
                line,
                column,
                reason,
            })
        };
        let name = cell(self.name);
        if name.is_empty() {
            return Err(ScenarioError::Unnamed(line));
        }
        Ok(ScenarioGroup {
            name: name.to_owned(),
            before: amount(self.before, "before")?,
            after: amount(self.after, "after")?,
        })
    }
}

/// What a [`Scenario`] saves.
///
/// [`Display`](fmt::Display) is a table for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ScenarioSummary {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The groups, in the order of the scenario.
    pub lines: Vec<ScenarioLine>,
    /// All groups together: the sums of the columns above.
    pub total: ScenarioLine,
}

/// One line of a [`ScenarioSummary`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ScenarioLine {
    /// What the group is called.
    pub name: String,
    /// What it costs before the change.
    pub before: ExactSum,
    /// What it costs after the change.
    pub after: ExactSum,
    /// `before` − `after`; below 0 when it becomes dearer.
    pub saving: ExactSum,
    /// `saving` ÷ `before` in percent, rounded half to even to one place; `None` when nothing
    /// was spent before.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub saved_percent: Option<Decimal>,
}

impl ScenarioLine {
    fn new(name: &str, before: ExactSum, after: ExactSum) -> Result<ScenarioLine, ExactError> {
        let saving = before.minus(&after)?;
        Ok(ScenarioLine {
            name: name.to_owned(),
            saved_percent: percent_of(&saving, &before),
            before,
            after,
            saving,
        })
    }

    /// The cells of the line as they are shown: money with `places`.
    fn cells(&self, places: u32) -> [String; 5] {
        let money = |sum: &ExactSum| sum.rounded(places).to_string();
        let percent = |p: Decimal| format!("{p} %");
        [
            self.name.clone(),
            money(&self.before),
            money(&self.after),
            money(&self.saving),
            self.saved_percent.map_or("-".to_owned(), percent),
        ]
    }
}

/// `part` ÷ `whole` × 100, rounded once; `None` when `whole` is 0 or either has too many digits.
fn percent_of(part: &ExactSum, whole: &ExactSum) -> Option<Decimal> {
    let hundredfold = part.to_exact()?.checked_mul(Exact::from(100))?;
    quotient(&hundredfold.into(), whole.to_exact()?, PERCENT_PLACES)
}

impl fmt::Display for ScenarioSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.currency.minor_units().unwrap_or(2);
        let header = ["group", "before", "after", "saving", "saved"].map(str::to_owned);
        let mut rows = vec![header];
        rows.extend(self.lines.iter().map(|line| line.cells(places)));
        rows.push(self.total.cells(places));
        let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
        writeln!(f, "amounts in {}", self.currency)?;
        for (at, row) in rows.iter().enumerate() {
            if at == 1 || at + 1 == rows.len() {
                let rule: usize = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
                writeln!(f, "{}", "-".repeat(rule))?;
            }
            write!(f, "{:<width$}", row[0], width = widths[0])?;
            for (cell, width) in row[1..].iter().zip(&widths[1..]) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

//! How is a table of a report written, for machines and for readers?

use std::io;

use bursar_units::Currency;
use jiff::civil::Date;
use unicode_width::UnicodeWidthStr;

use super::{escape, number};
use crate::ExactSum;

/// What is shown for a value that is not known: never 0, never nothing.
pub(crate) const UNKNOWN: &str = "unknown";

/// What readers see where there is nothing to say.
const NOTHING: &str = "–";

/// One table of a report: rows of typed cells under named columns.
///
/// CSV and JSON (by serde) carry exact amounts, JSON as strings, with the rows as arrays in the
/// order of the columns and null for what is not known. Text, Markdown and HTML are for readers:
/// amounts rounded half to even to the places of their currency (two significant digits below
/// its smallest unit), with thousands separated.
///
/// ```
/// use bursar_cost_model::{Cell, Table, TableColumn};
/// use bursar_units::Currency;
///
/// let mut table = Table::new("services", "Services", vec![
///     TableColumn::left("service", "Service"),
///     TableColumn::right("billed_cost", "Billed"),
/// ]);
/// table.rows.push(vec![
///     Cell::text("Amazon SQS"),
///     Cell::amount(Some("1234.5678".parse()?), Currency::USD),
/// ]);
/// let mut csv = Vec::new();
/// table.to_csv(&mut csv)?;
/// assert_eq!(String::from_utf8(csv)?, "service,billed_cost\nAmazon SQS,1234.5678\n");
/// assert_eq!(
///     table.to_markdown(),
///     "| Service | Billed, USD |\n| :-- | --: |\n| Amazon SQS | 1,234.57 |\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Table {
    /// A short name that stays the same from report to report: `services`.
    pub id: &'static str,
    /// What the table is of.
    pub title: String,
    /// The columns, left to right.
    pub columns: Vec<TableColumn>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// One column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TableColumn {
    /// The name in CSV and JSON: `billed_cost`.
    pub key: String,
    /// The name that readers see: `Billed`.
    pub title: String,
    /// Where its cells stand.
    pub align: Align,
}

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

impl TableColumn {
    /// A column of words.
    pub fn left(key: impl Into<String>, title: impl Into<String>) -> TableColumn {
        TableColumn {
            key: key.into(),
            title: title.into(),
            align: Align::Left,
        }
    }

    /// A column of numbers.
    pub fn right(key: impl Into<String>, title: impl Into<String>) -> TableColumn {
        TableColumn {
            key: key.into(),
            title: title.into(),
            align: Align::Right,
        }
    }
}

/// One value of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// There is nothing to say: the column does not apply to this row. Empty in CSV.
    Nothing,
    /// There is a value, and it is not known. `unknown` in CSV, null in JSON.
    Unknown,
    /// Words.
    Text(String),
    /// A day.
    Date(Date),
    /// How many.
    Count(u64),
    /// An exact amount in a currency.
    Amount {
        /// How much; below zero for a credit.
        amount: ExactSum,
        /// Of what.
        currency: Currency,
    },
    /// A change of an amount: as [`Cell::Amount`], with its sign always shown to readers.
    Change {
        /// How much more, or, below zero, less.
        amount: ExactSum,
        /// Of what.
        currency: Currency,
    },
    /// A share or a change in %, 100 for the whole.
    Percent(f64),
    /// A statistic: a number without a unit, or with that of its column.
    Number(f64),
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// Words, or [`Cell::Unknown`].
    pub fn text_or_unknown(text: Option<&str>) -> Cell {
        text.map_or(Cell::Unknown, Cell::text)
    }

    /// An amount, or [`Cell::Unknown`].
    #[must_use]
    pub fn amount(amount: Option<ExactSum>, currency: Currency) -> Cell {
        amount.map_or(Cell::Unknown, |amount| Cell::Amount { amount, currency })
    }

    /// A share in %, or [`Cell::Nothing`] where there is no whole to have a share of.
    #[must_use]
    pub fn share(percent: Option<f64>) -> Cell {
        percent.map_or(Cell::Nothing, Cell::Percent)
    }

    /// The exact value as text: what CSV has.
    fn raw(&self) -> String {
        match self {
            Cell::Nothing => String::new(),
            Cell::Unknown => UNKNOWN.to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Date(date) => date.to_string(),
            Cell::Count(n) => n.to_string(),
            Cell::Amount { amount, .. } | Cell::Change { amount, .. } => amount.to_string(),
            Cell::Percent(value) | Cell::Number(value) if value.is_finite() => value.to_string(),
            Cell::Percent(_) | Cell::Number(_) => UNKNOWN.to_owned(),
        }
    }

    /// What readers see; the currency only where the column does not state it.
    pub(crate) fn shown(&self, column_currency: Option<Currency>) -> String {
        let bare = |full: String, currency: Currency| match column_currency {
            Some(_) => full.replacen(&format!("{} ", currency.code()), "", 1),
            None => full,
        };
        match self {
            Cell::Nothing => NOTHING.to_owned(),
            Cell::Unknown => UNKNOWN.to_owned(),
            Cell::Text(text) => text.clone(),
            Cell::Date(date) => date.to_string(),
            Cell::Count(n) => number::count(*n),
            Cell::Amount { amount, currency } => bare(number::money(amount, *currency), *currency),
            Cell::Change { amount, currency } => bare(number::change(amount, *currency), *currency),
            Cell::Percent(value) => number::percent(*value),
            Cell::Number(value) if value.is_finite() => format!("{value:.3}"),
            Cell::Number(_) => UNKNOWN.to_owned(),
        }
    }

    /// The currency of an amount.
    fn currency(&self) -> Option<Currency> {
        match self {
            Cell::Amount { currency, .. } | Cell::Change { currency, .. } => Some(*currency),
            _ => None,
        }
    }

    /// The class that sets it apart in HTML: what is not known, and what must stay on one line.
    fn class(&self) -> Option<&'static str> {
        match self {
            Cell::Unknown => Some("unknown"),
            Cell::Date(_) => Some("d"),
            _ => None,
        }
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(id: &'static str, title: impl Into<String>, columns: Vec<TableColumn>) -> Table {
        Table {
            id,
            title: title.into(),
            columns,
            rows: Vec::new(),
        }
    }

    pub(crate) fn with_rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Table {
        self.rows.extend(rows);
        self
    }

    /// The currency of every amount of a column; `None` when there are several, or none.
    pub(crate) fn column_currency(&self, at: usize) -> Option<Currency> {
        let mut currencies = self.cells(at).filter_map(Cell::currency);
        let first = currencies.next()?;
        currencies.all(|other| other == first).then_some(first)
    }

    fn cells(&self, at: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(at))
    }

    /// The names of the columns as readers see them, with the currency where there is only one.
    pub(crate) fn headings(&self) -> impl Iterator<Item = String> {
        self.columns
            .iter()
            .enumerate()
            .map(|(at, column)| match self.column_currency(at) {
                Some(currency) => format!("{}, {}", column.title, currency.code()),
                None => column.title.clone(),
            })
    }

    /// The cells of a row as readers see them.
    fn shown<'t>(&'t self, row: &'t [Cell]) -> impl Iterator<Item = String> + 't {
        row.iter()
            .enumerate()
            .map(|(at, cell)| cell.shown(self.column_currency(at)))
    }

    /// Writes the table as CSV: a header of column keys, then the rows.
    ///
    /// Every value is exact and as it stands in the bill, so that what is read back is what was
    /// written. A program that runs cells as formulas (a name of a resource may begin with `=`,
    /// `+`, `-` or `@`) must be told to import the columns as text; nothing is put before them
    /// here, because that would change the names.
    ///
    /// # Errors
    /// What the writer says.
    pub fn to_csv(&self, writer: impl io::Write) -> io::Result<()> {
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(writer);
        csv.write_record(self.columns.iter().map(|column| &column.key))?;
        for row in &self.rows {
            csv.write_record(row.iter().map(Cell::raw))?;
        }
        csv.flush()
    }

    /// The table as plain text, columns aligned by the width of their characters on a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let clean = |cells: Vec<String>| -> Vec<String> {
            cells.iter().map(|cell| escape::plain(cell)).collect()
        };
        let mut lines = vec![clean(self.headings().collect())];
        lines.extend(self.rows.iter().map(|row| clean(self.shown(row).collect())));
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                lines
                    .iter()
                    .filter_map(|line| line.get(at))
                    .map(|c| c.width())
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for (at, line) in lines.iter().enumerate() {
            text.push_str(self.aligned(line, &widths).trim_end());
            text.push('\n');
            if at == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                text.push_str(&rule.join("  "));
                text.push('\n');
            }
        }
        text
    }

    fn aligned(&self, cells: &[String], widths: &[usize]) -> String {
        let pad = |((cell, width), column): ((&String, &usize), &TableColumn)| {
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            match column.align {
                Align::Left => format!("{cell}{blanks}"),
                Align::Right => format!("{blanks}{cell}"),
            }
        };
        let cells = cells.iter().zip(widths).zip(&self.columns).map(pad);
        cells.collect::<Vec<_>>().join("  ")
    }

    /// The table in GitHub's Markdown, without its title.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let escaped = |cell: String| escape::markdown(&cell);
        let rule = |column: &TableColumn| match column.align {
            Align::Left => ":--".to_owned(),
            Align::Right => "--:".to_owned(),
        };
        let mut text = line(self.headings().map(escaped).collect());
        text.push_str(&line(self.columns.iter().map(rule).collect()));
        for row in &self.rows {
            text.push_str(&line(self.shown(row).map(escaped).collect()));
        }
        text
    }

    /// The table as an HTML `<table>` with its title as the caption; every text is escaped.
    #[must_use]
    pub fn to_html(&self) -> String {
        self.markup().into_string()
    }

    pub(crate) fn markup(&self) -> maud::Markup {
        let currencies: Vec<Option<Currency>> = (0..self.columns.len())
            .map(|at| self.column_currency(at))
            .collect();
        let class = |align: Align| (align == Align::Right).then_some("n");
        maud::html! {
            table {
                caption { (escape::plain(&self.title)) }
                thead {
                    tr {
                        @for (column, heading) in self.columns.iter().zip(self.headings()) {
                            th scope="col" class=[class(column.align)] { (escape::plain(&heading)) }
                        }
                    }
                }
                tbody {
                    @for row in &self.rows {
                        tr {
                            @for ((cell, column), currency) in row.iter().zip(&self.columns).zip(&currencies) {
                                @let classes = [class(column.align), cell.class()];
                                @let classes: Vec<&str> = classes.into_iter().flatten().collect();
                                @let classes = (!classes.is_empty()).then(|| classes.join(" "));
                                td class=[classes] { (escape::typeset(cell, *currency)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(feature = "serde")]
mod serde_impls {
    use serde::{Serialize, Serializer};

    use super::Cell;

    impl Serialize for Cell {
        /// Amounts as strings with all their digits, statistics as numbers, null for what is not
        /// known or does not apply.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Cell::Nothing | Cell::Unknown => serializer.serialize_none(),
                Cell::Text(text) => serializer.serialize_str(text),
                Cell::Date(date) => serializer.collect_str(date),
                Cell::Count(n) => serializer.serialize_u64(*n),
                Cell::Amount { amount, .. } | Cell::Change { amount, .. } => {
                    serializer.collect_str(amount)
                }
                Cell::Percent(value) | Cell::Number(value) if value.is_finite() => {
                    serializer.serialize_f64(*value)
                }
                Cell::Percent(_) | Cell::Number(_) => serializer.serialize_none(),
            }
        }
    }
}

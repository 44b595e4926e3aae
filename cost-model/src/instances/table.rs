//! How is a table of comma-separated cells without quotes read?

use std::fmt;
use std::str::FromStr;

use bursar_units::{Currency, Money};
use rust_decimal::Decimal;

use super::error::{CatalogProblem, InstanceCatalogError};

const MAX_CELLS: usize = 16;

/// A table that is known: its name, and its columns as its first line has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) table: &'static str,
    pub(super) columns: &'static str,
}

impl Layout {
    fn n_cells(self) -> usize {
        self.columns.split(',').count()
    }

    fn column(self, at: usize) -> &'static str {
        self.columns.split(',').nth(at).unwrap_or_default()
    }

    fn error(self, line: usize, problem: CatalogProblem) -> InstanceCatalogError {
        let table = self.table;
        InstanceCatalogError::Row {
            table,
            line,
            problem,
        }
    }

    /// The rows of a text, without the line of column names and without empty lines. A text without
    /// any line is a table without rows.
    pub(super) fn rows<'a>(
        self,
        text: &'a str,
    ) -> Result<impl Iterator<Item = Result<Row<'a>, InstanceCatalogError>>, InstanceCatalogError>
    {
        let mut lines = text.lines().enumerate();
        if let Some((_, found)) = lines.next()
            && found != self.columns
        {
            let (found, expected) = (found.to_owned(), self.columns);
            return Err(self.error(1, CatalogProblem::Columns { found, expected }));
        }
        let n_cells = self.n_cells();
        Ok(lines
            .filter(|(_, line)| !line.is_empty())
            .map(move |(at, line)| self.row(at + 1, line, n_cells)))
    }

    fn row(
        self,
        line: usize,
        text: &str,
        expected: usize,
    ) -> Result<Row<'_>, InstanceCatalogError> {
        let mut cells = [""; MAX_CELLS];
        let mut found = 0;
        for cell in text.split(',') {
            if let Some(place) = cells.get_mut(found) {
                *place = cell;
            }
            found += 1;
        }
        if found != expected {
            return Err(self.error(line, CatalogProblem::Cells { found, expected }));
        }
        Ok(Row {
            layout: self,
            line,
            cells,
        })
    }
}

/// A line of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    layout: Layout,
    line: usize,
    cells: [&'a str; MAX_CELLS],
}

impl<'a> Row<'a> {
    /// A cell; the empty text where nothing is written.
    pub(super) fn cell(&self, at: usize) -> &'a str {
        self.cells.get(at).copied().unwrap_or_default()
    }

    /// What must be written in a cell.
    pub(super) fn required<T: FromStr<Err: fmt::Display>>(
        &self,
        at: usize,
    ) -> Result<T, InstanceCatalogError> {
        let parsed = self.cell(at).parse();
        parsed.map_err(|error| self.refuse(at, error))
    }

    /// What is written in a cell, if anything.
    pub(super) fn optional<T: FromStr<Err: fmt::Display>>(
        &self,
        at: usize,
    ) -> Result<Option<T>, InstanceCatalogError> {
        if self.cell(at).is_empty() {
            return Ok(None);
        }
        self.required(at).map(Some)
    }

    /// A name: not empty.
    pub(super) fn name(&self, at: usize) -> Result<&'a str, InstanceCatalogError> {
        match self.cell(at) {
            "" => Err(self.refuse(at, "a name belongs here")),
            name => Ok(name),
        }
    }

    /// A number over zero, if any.
    pub(super) fn positive(&self, at: usize) -> Result<Option<f64>, InstanceCatalogError> {
        let number: Option<f64> = self.optional(at)?;
        match number {
            Some(number) if !(number.is_finite() && number > 0.0) => {
                Err(self.refuse(at, "a number over zero belongs here"))
            }
            number => Ok(number),
        }
    }

    /// US dollars, if any; never under zero.
    pub(super) fn dollars(&self, at: usize) -> Result<Option<Money>, InstanceCatalogError> {
        let text = self.cell(at);
        if text.is_empty() {
            return Ok(None);
        }
        let amount = Decimal::from_str_exact(text).map_err(|error| self.refuse(at, error))?;
        if amount.is_sign_negative() {
            return Err(self.refuse(at, "a price is not under zero"));
        }
        Ok(Some(Money::new(amount, Currency::USD)))
    }

    /// Why a cell cannot be used.
    pub(super) fn refuse(&self, at: usize, reason: impl fmt::Display) -> InstanceCatalogError {
        self.error(CatalogProblem::Cell {
            column: self.layout.column(at),
            value: self.cell(at).to_owned(),
            reason: reason.to_string(),
        })
    }

    /// Why the row cannot be used.
    pub(super) fn error(&self, problem: CatalogProblem) -> InstanceCatalogError {
        self.layout.error(self.line, problem)
    }
}

//! How is a table of a catalog read?

use std::fmt;
use std::str::FromStr;

/// Why a text is no catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}, line {line}: {problem}")]
pub struct CatalogError {
    /// In which table.
    pub table: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: CatalogProblem,
}

/// What is wrong in a line of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogProblem {
    /// The line has too few or too many cells.
    #[error("{found} cells where {expected} belong")]
    Cells {
        /// How many there are.
        found: usize,
        /// How many belong there.
        expected: usize,
    },
    /// A cell cannot be read.
    #[error("{cell:?} in column {column}: {reason}")]
    Cell {
        /// Which column, from 1.
        column: usize,
        /// What is written there.
        cell: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A price is for a model that the table of models does not have.
    #[error("a price for {model}, which is not among the models")]
    UnknownModel {
        /// The model.
        model: String,
    },
}

const MAX_CELLS: usize = 16;

/// A line of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'static str,
    pub(super) line: usize,
    cells: [&'a str; MAX_CELLS],
}

/// The rows of a table, without the line of column names and without empty lines.
pub(super) fn rows<'a>(
    table: &'static str,
    text: &'a str,
    n_cells: usize,
) -> Result<impl Iterator<Item = Result<Row<'a>, CatalogError>>, CatalogError> {
    let mut lines = text.lines().enumerate();
    if let Some((_, header)) = lines.next() {
        row(table, 1, header, n_cells)?;
    }
    Ok(lines
        .filter(|(_, line)| !line.is_empty())
        .map(move |(at, line)| row(table, at + 1, line, n_cells)))
}

fn row<'a>(
    table: &'static str,
    line: usize,
    text: &'a str,
    n_cells: usize,
) -> Result<Row<'a>, CatalogError> {
    let mut cells = [""; MAX_CELLS];
    let (mut found, mut start) = (0, 0);
    // Cells have a few bytes each: looking at every byte is quicker than a search for the next comma.
    let commas = text.bytes().enumerate().filter(|&(_, byte)| byte == b',');
    for end in commas.map(|(at, _)| at).chain([text.len()]) {
        if let Some(place) = cells.get_mut(found) {
            *place = text.get(start..end).unwrap_or_default();
        }
        (found, start) = (found + 1, end + 1);
    }
    if found != n_cells {
        let expected = n_cells;
        let problem = CatalogProblem::Cells { found, expected };
        return Err(CatalogError {
            table,
            line,
            problem,
        });
    }
    Ok(Row { table, line, cells })
}

impl<'a> Row<'a> {
    /// A cell; the empty text where nothing is written.
    pub(super) fn cell(&self, at: usize) -> &'a str {
        self.cells.get(at).copied().unwrap_or_default()
    }

    /// A cell that is not empty.
    pub(super) fn some(&self, at: usize) -> Option<&'a str> {
        Some(self.cell(at)).filter(|cell| !cell.is_empty())
    }

    /// What is written in a cell, if anything.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(
        &self,
        at: usize,
    ) -> Result<Option<T>, CatalogError> {
        self.some(at).map(|_| self.required(at)).transpose()
    }

    /// What must be written in a cell.
    pub(super) fn required<T: FromStr<Err: fmt::Display>>(
        &self,
        at: usize,
    ) -> Result<T, CatalogError> {
        self.cell(at)
            .parse()
            .map_err(|error| self.refuse(at, error))
    }

    /// Why a cell cannot be used.
    pub(super) fn refuse(&self, at: usize, reason: impl fmt::Display) -> CatalogError {
        CatalogError {
            table: self.table,
            line: self.line,
            problem: CatalogProblem::Cell {
                column: at + 1,
                cell: self.cell(at).to_owned(),
                reason: reason.to_string(),
            },
        }
    }
}

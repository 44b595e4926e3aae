//! Why is a text no catalog of instance types?

/// Why a catalog cannot be made of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstanceCatalogError {
    /// A row cannot be used.
    #[error("{table}, line {line}: {problem}")]
    Row {
        /// In which table: the name of its field in [`InstanceTables`](super::InstanceTables).
        table: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: CatalogProblem,
    },
    /// Neither a price nor a row of the spot market is of that region.
    #[error(
        "no price and no spot market of region {region:?}: check its name, as in \"us-east-1\""
    )]
    UnknownRegion {
        /// The region that was asked for.
        region: String,
    },
    /// Two types that were given have the same name.
    #[error("{instance:?} is given twice")]
    Twice {
        /// The name.
        instance: String,
    },
}

/// What is wrong in a line of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogProblem {
    /// The first line does not name the columns.
    #[error("the columns are {found:?} where {expected:?} belong")]
    Columns {
        /// What the line says.
        found: String,
        /// What it has to say.
        expected: &'static str,
    },
    /// The line has too few or too many cells.
    #[error("{found} cells where {expected} belong")]
    Cells {
        /// How many there are.
        found: usize,
        /// How many belong there.
        expected: usize,
    },
    /// A cell cannot be used.
    #[error("{value:?} in column {column}: {reason}")]
    Cell {
        /// The column.
        column: &'static str,
        /// What is written there.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The row is of a type that the table of instances does not have.
    #[error("{instance:?} is not among the instances")]
    UnknownInstance {
        /// The name.
        instance: String,
    },
    /// An earlier row says the same of the same type.
    #[error("{instance:?} has a row before this one")]
    Twice {
        /// The name.
        instance: String,
    },
}

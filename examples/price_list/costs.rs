//! What does the provider charge us, as a file says it?

use std::path::Path;

use bursar_pricing::{CostTable, Factor, Model, PricingPolicy, TokenKind};
use bursar_units::{Currency, Money, UnitRate};
use rust_decimal::Decimal;

/// The costs without a file, with their source and date.
const SHIPPED: &str = include_str!("../data/token_costs.csv");

/// The kinds of tokens that have a column, under its name.
pub(crate) const KINDS: [TokenKind; 3] =
    [TokenKind::Input, TokenKind::Output, TokenKind::CachedInput];

/// What each kind of tokens of each model costs, and how each model moves the mark-up.
#[derive(Debug)]
pub(crate) struct Costs {
    /// Where they come from, for the reader.
    pub(crate) source: String,
    pub(crate) table: CostTable,
    /// In the order of the file; at least one.
    models: Vec<(Model, Factor)>,
}

/// Why a file holds no costs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CostsError {
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Open {
        path: String,
        #[source]
        error: std::io::Error,
    },
    /// There is no such column.
    #[error(
        "`{file}` has no column `{column}`: its first line must be `model,factor,input,output,cached_input`"
    )]
    Column { file: String, column: &'static str },
    /// A line is no row of a CSV file with these columns.
    #[error("`{file}`, line {line}")]
    Line {
        file: String,
        line: u64,
        #[source]
        error: csv::Error,
    },
    /// A cell holds something else than what its column is for.
    #[error("`{file}`, line {line}, column `{column}`: `{value}`: {problem}")]
    Cell {
        file: String,
        line: u64,
        column: &'static str,
        value: String,
        problem: String,
    },
    /// There are no rows.
    #[error("`{file}` has no costs: add a line for each model")]
    Empty { file: String },
}

impl Costs {
    /// The list prices that come with this example.
    pub(crate) fn shipped() -> Result<Self, CostsError> {
        let source = "Amazon Bedrock, on demand, list prices read on 2026-11-20";
        Self::parse(source, SHIPPED)
    }

    /// The costs in a file.
    pub(crate) fn read(path: &Path) -> Result<Self, CostsError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(error) => Err(CostsError::Open { path: name, error }),
        }
    }

    fn parse(source: &str, text: &str) -> Result<Self, CostsError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader
            .headers()
            .map_err(|error| line_error(source, error))?;
        let columns = Columns::find(source, header)?;
        let mut costs = Self {
            source: source.to_owned(),
            table: CostTable::new(Currency::USD),
            models: Vec::new(),
        };
        for record in reader.records() {
            let record = record.map_err(|error| line_error(source, error))?;
            costs = costs.with(&Row {
                source,
                columns: &columns,
                record: &record,
            })?;
        }
        if costs.models.is_empty() {
            return Err(CostsError::Empty {
                file: source.to_owned(),
            });
        }
        Ok(costs)
    }

    /// The costs with those of one more model.
    fn with(mut self, row: &Row<'_>) -> Result<Self, CostsError> {
        let model = row.parse("model", row.columns.model, Model::new)?;
        let factor = row.parse("factor", row.columns.factor, str::parse::<Factor>)?;
        for (kind, column) in KINDS.into_iter().zip(row.columns.costs) {
            let name = kind.as_str();
            if row.cell(column).is_empty() {
                continue;
            }
            let rate = row.parse(name, column, positive)?;
            let table = self.table.clone().with(model.clone(), kind, rate);
            self.table = table.map_err(|error| row.error(name, column, &error))?;
        }
        self.models.push((model, factor));
        Ok(self)
    }

    /// The model that is explained when none is asked for.
    pub(crate) fn first_model(&self) -> Model {
        let first = self.models.first().map(|(model, _)| model.clone());
        first.unwrap_or(Model::CLAUDE)
    }

    pub(crate) fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().map(|(model, _)| model)
    }

    /// The standard policy with the factors of these models.
    pub(crate) fn policy(&self) -> PricingPolicy {
        let with_model = |policy: PricingPolicy, (model, factor): &(Model, Factor)| {
            policy.with_model(model.clone(), *factor)
        };
        self.models
            .iter()
            .fold(PricingPolicy::standard(), with_model)
    }
}

/// A cost per million tokens.
fn positive(text: &str) -> Result<UnitRate, String> {
    let amount: Decimal = text.parse().map_err(|error| format!("{error}"))?;
    if amount <= Decimal::ZERO {
        return Err(
            "a cost is over zero; leave it empty where there are no such tokens".to_owned(),
        );
    }
    Ok(UnitRate::per_million(Money::new(amount, Currency::USD)))
}

/// Where each column stands.
struct Columns {
    model: usize,
    factor: usize,
    /// One for each of [`KINDS`].
    costs: [usize; KINDS.len()],
}

impl Columns {
    fn find(source: &str, header: &csv::StringRecord) -> Result<Self, CostsError> {
        let find = |column: &'static str| {
            let found = header.iter().position(|name| name == column);
            found.ok_or_else(|| CostsError::Column {
                file: source.to_owned(),
                column,
            })
        };
        let [input, output, cached] = KINDS.map(TokenKind::as_str);
        Ok(Self {
            model: find("model")?,
            factor: find("factor")?,
            costs: [find(input)?, find(output)?, find(cached)?],
        })
    }
}

/// A line of the file.
struct Row<'a> {
    source: &'a str,
    columns: &'a Columns,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    fn cell(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or("")
    }

    fn parse<T, E: std::fmt::Display>(
        &self,
        column: &'static str,
        index: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, CostsError> {
        parse(self.cell(index)).map_err(|error| self.error(column, index, &error))
    }

    fn error(
        &self,
        column: &'static str,
        index: usize,
        problem: &dyn std::fmt::Display,
    ) -> CostsError {
        CostsError::Cell {
            file: self.source.to_owned(),
            line: self.record.position().map_or(0, csv::Position::line),
            column,
            value: self.cell(index).to_owned(),
            problem: problem.to_string(),
        }
    }
}

fn line_error(source: &str, error: csv::Error) -> CostsError {
    CostsError::Line {
        file: source.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        error,
    }
}

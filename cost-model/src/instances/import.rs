//! How are the lists that others publish read?

mod measured;
mod moto;
mod prices;
mod spot;

use std::fmt;
use std::str::FromStr;

use csv::StringRecord;

pub use self::measured::{MeasurementRow, read_measurements};
pub use self::moto::{LeftOut, LeftOutReason, MotoTypes, read_moto};
pub use self::prices::{PriceList, PriceRow, read_prices};
pub use self::spot::{SpotRow, read_spot};

/// Why a list of others cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are not UTF-8.
    #[error("not a text: {0}")]
    Text(#[from] std::str::Utf8Error),
    /// The bytes are not the JSON that they look like.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The bytes are not the CSV that they look like.
    #[error("not CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The compressed bytes cannot be unpacked.
    #[error("cannot unpack: {0}")]
    Unpack(#[from] std::io::Error),
    /// The list has another form than those that are known.
    #[error("{0}")]
    Form(&'static str),
    /// The first line of a CSV names no such column.
    #[error("no column {column:?}")]
    NoColumn {
        /// The column.
        column: &'static str,
    },
    /// A value cannot be used.
    #[error("{place}: {value:?} as {field}: {reason}")]
    Value {
        /// The type or the line.
        place: String,
        /// Which value.
        field: &'static str,
        /// What is written there.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ImportError {
    fn value(
        place: impl fmt::Display,
        field: &'static str,
        value: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> ImportError {
        ImportError::Value {
            place: place.to_string(),
            field,
            value: value.to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Whether a list is JSON and no CSV.
fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// A CSV with a line of column names.
struct Table<'a> {
    reader: csv::Reader<&'a [u8]>,
    header: StringRecord,
}

impl<'a> Table<'a> {
    fn new(bytes: &'a [u8]) -> Result<Table<'a>, ImportError> {
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers()?.clone();
        Ok(Table { reader, header })
    }

    fn column(&self, column: &'static str) -> Result<Column, ImportError> {
        let place = self.header.iter().position(|name| name == column);
        let at = place.ok_or(ImportError::NoColumn { column })?;
        Ok(Column { at, name: column })
    }

    fn next(&mut self) -> Result<Option<Record>, ImportError> {
        let mut record = StringRecord::new();
        let is_there = self.reader.read_record(&mut record)?;
        Ok(is_there.then_some(Record(record)))
    }
}

#[derive(Clone, Copy)]
struct Column {
    at: usize,
    name: &'static str,
}

struct Record(StringRecord);

impl Record {
    fn text(&self, column: Column) -> &str {
        self.0.get(column.at).unwrap_or_default()
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&self, column: Column) -> Result<T, ImportError> {
        let text = self.text(column);
        text.parse().map_err(|error| self.refuse(column, error))
    }

    fn optional<T: FromStr<Err: fmt::Display>>(
        &self,
        column: Column,
    ) -> Result<Option<T>, ImportError> {
        if self.text(column).is_empty() {
            return Ok(None);
        }
        self.parsed(column).map(Some)
    }

    fn refuse(&self, column: Column, reason: impl fmt::Display) -> ImportError {
        let line = self.0.position().map_or(0, csv::Position::line);
        ImportError::value(
            format_args!("line {line}"),
            column.name,
            self.text(column),
            reason,
        )
    }
}

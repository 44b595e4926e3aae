//! How is a file of requests read? Row by row, and what cannot be read is named by line and column.

use std::fs::File;
use std::path::Path;

use bursar_risk::{Code, Event};
use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use thiserror::Error;

/// Why a file cannot be judged.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("cannot open {file}")]
    Open { file: String, source: csv::Error },
    #[error("{file}, line 1: there is no column `{column}`: name the columns in the first line")]
    NoColumn { file: String, column: &'static str },
    #[error("{file}, line {line}: {message}")]
    Row {
        file: String,
        line: u64,
        message: String,
    },
    #[error("{file}, line {line}, column {number} `{column}`: `{text}` {message}")]
    Cell {
        file: String,
        line: u64,
        /// From 1 on.
        number: usize,
        column: &'static str,
        text: String,
        message: &'static str,
    },
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    /// RFC 3339, the same without a zone (UTC), a date, or seconds or milliseconds since 1970.
    Timestamp,
    Account,
    /// As `Timestamp`.
    AccountCreated,
    Ip,
    /// A number, with or without `AS`.
    Asn,
    /// ISO 3166 alpha-2.
    Country,
    /// Any text that stays the same for the same client.
    Client,
    InputTokens,
    OutputTokens,
    SpendUsd,
    /// Of the request.
    Label,
}

/// In the order of [`Column`].
const COLUMNS: [&str; 11] = [
    "timestamp",
    "account",
    "account_created",
    "ip",
    "asn",
    "country",
    "client",
    "input_tokens",
    "output_tokens",
    "spend_usd",
    "label",
];

pub(crate) struct Table {
    file: String,
    reader: Reader<File>,
    /// Where each column stands, if it is there.
    places: [Option<usize>; COLUMNS.len()],
    record: StringRecord,
}

/// A row that is being read.
pub(crate) struct Row<'t> {
    table: &'t Table,
    line: u64,
}

impl Table {
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let open = |source| FileError::Open {
            file: file.clone(),
            source,
        };
        let mut builder = ReaderBuilder::new();
        let mut reader = builder.trim(Trim::All).from_path(path).map_err(open)?;
        let header = reader.headers().map_err(open)?.clone();
        let place = |name: &str| header.iter().position(|column| column == name);
        let places = COLUMNS.map(place);
        for needed in [Column::Timestamp, Column::Account] {
            if places[needed as usize].is_none() {
                let column = COLUMNS[needed as usize];
                return Err(FileError::NoColumn { file, column });
            }
        }
        Ok(Self {
            file,
            reader,
            places,
            record: StringRecord::new(),
        })
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, FileError> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(Row {
                line: self.record.position().map_or(0, csv::Position::line),
                table: self,
            })),
            Err(error) => Err(FileError::Row {
                file: self.file.clone(),
                line: error.position().map_or(0, csv::Position::line),
                message: reason(&error),
            }),
        }
    }
}

/// What is wrong with a row, without the place, which the reader counts in its own way.
fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("there are {len} cells under {expected_len} columns: quote commas in cells"),
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8: convert the file".to_owned(),
        _ => error.to_string(),
    }
}

/// A cell's value, or what it should have been.
type Cell<T> = Result<T, &'static str>;

impl Row<'_> {
    pub(crate) fn text(&self, column: Column) -> &str {
        let place = self.table.places[column as usize];
        place
            .and_then(|place| self.table.record.get(place))
            .unwrap_or("")
    }

    pub(crate) fn required<T>(
        &self,
        column: Column,
        read: impl Fn(&str) -> Cell<T>,
    ) -> Result<T, FileError> {
        match self.optional(column, read)? {
            Some(value) => Ok(value),
            None => Err(self.error(column, "is empty: give each row one")),
        }
    }

    pub(crate) fn event(&self) -> Result<Event, FileError> {
        let mut event = Event::new(self.required(Column::Timestamp, time)?);
        event.account_created = self.optional(Column::AccountCreated, time)?;
        event.address = self.optional(Column::Ip, |text| {
            text.parse().map_err(|_| "is no address of IPv4 or IPv6")
        })?;
        event.network = self.optional(Column::Asn, |text| {
            let digits = text.trim_start_matches(['A', 'S', 'a', 's']);
            digits.parse().map_err(|_| "is no number of a network")
        })?;
        event.country = self.optional(Column::Country, |text| {
            Code::new(text).map_err(|_| "is no code of a country")
        })?;
        event.client = self.optional(Column::Client, |text| Ok(fingerprint(text)))?;
        let input = self.optional(Column::InputTokens, tokens)?.unwrap_or(0);
        let output = self.optional(Column::OutputTokens, tokens)?.unwrap_or(0);
        event.tokens = input.saturating_add(output);
        event.spend = self.optional(Column::SpendUsd, |text| {
            let exact = Decimal::from_str_exact(text);
            let spend = exact.or_else(|_| Decimal::from_scientific(text));
            spend.map_err(|_| "is no amount")
        })?;
        Ok(event)
    }

    /// An empty cell is a value that is not known.
    fn optional<T>(
        &self,
        column: Column,
        read: impl Fn(&str) -> Cell<T>,
    ) -> Result<Option<T>, FileError> {
        match self.text(column) {
            "" => Ok(None),
            text => read(text)
                .map(Some)
                .map_err(|message| self.error(column, message)),
        }
    }

    fn error(&self, column: Column, message: &'static str) -> FileError {
        FileError::Cell {
            file: self.table.file.clone(),
            line: self.line,
            number: self.table.places[column as usize].map_or(0, |place| place + 1),
            column: COLUMNS[column as usize],
            text: self.text(column).chars().take(60).collect(),
            message,
        }
    }
}

fn time(text: &str) -> Cell<Timestamp> {
    const WRONG: &str = "is no time: write 2026-11-27T09:30:00Z";
    if let Ok(number) = text.parse::<f64>() {
        let seconds = if number.abs() > 1e11 {
            number / 1000.0
        } else {
            number
        };
        return Timestamp::from_millisecond((seconds * 1000.0) as i64).map_err(|_| WRONG);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text.parse::<DateTime>().map_err(|_| WRONG)?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| WRONG)?;
    Ok(zoned.timestamp())
}

/// A whole number, which other programs may write as `1e3` or `1000.0`.
fn tokens(text: &str) -> Cell<u64> {
    let whole = text.parse::<u64>().ok();
    let number = || text.parse::<f64>().ok();
    let written = || number().filter(|number| number.is_finite() && *number >= 0.0);
    whole
        .or_else(|| written().map(|number| number as u64))
        .ok_or("is no number of tokens")
}

/// FNV-1a of 64 bits.
fn fingerprint(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

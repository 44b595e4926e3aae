//! The daily costs of one account, from a CSV file.

use std::path::{Path, PathBuf};

use bursar_anomaly::daily::DailyCosts;
use csv::{ReaderBuilder, StringRecord};
use jiff::civil::Date;

/// Why a file cannot be read. Each message names the file, and the line and column where there is
/// one.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeriesFileError {
    #[error("{}: {source}", .file.display())]
    Csv { file: PathBuf, source: csv::Error },
    #[error(
        "{}, line 1: the columns must begin with date,total and have names, all different; they are {found}",
        .file.display()
    )]
    Header { file: PathBuf, found: String },
    #[error("{}, line {line}, column date: `{value}` is no date such as 2026-11-20", .file.display())]
    Date {
        file: PathBuf,
        line: u64,
        value: String,
    },
    #[error(
        "{}, line {line}, column {column}: `{value}` is no amount: write a number, or nothing if it is not known",
        .file.display()
    )]
    Amount {
        file: PathBuf,
        line: u64,
        column: String,
        value: String,
    },
    #[error(
        "{}, line {line}, column date: {date} does not come after {last}: sort the rows by date, one a day",
        .file.display()
    )]
    Order {
        file: PathBuf,
        line: u64,
        date: Date,
        last: Date,
    },
}

/// The days of a file, in order.
pub(super) fn read(file: &Path) -> Result<Vec<DailyCosts>, SeriesFileError> {
    let csv_error = |source| SeriesFileError::Csv {
        file: file.to_owned(),
        source,
    };
    let mut reader = ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .map_err(csv_error)?;
    let columns = reader.headers().map_err(csv_error)?.clone();
    check_columns(file, &columns)?;
    let mut days: Vec<DailyCosts> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(csv_error)?;
        let day = read_row(file, &columns, &row)?;
        if let Some(last) = days.last().map(DailyCosts::date)
            && day.date() <= last
        {
            return Err(SeriesFileError::Order {
                file: file.to_owned(),
                line: line_of(&row),
                date: day.date(),
                last,
            });
        }
        days.push(day);
    }
    Ok(days)
}

fn check_columns(file: &Path, columns: &StringRecord) -> Result<(), SeriesFileError> {
    let mut names: Vec<&str> = columns.iter().collect();
    let begins_well = names.starts_with(&["date", "total"]);
    names.sort_unstable();
    let are_names = !names.contains(&"") && names.windows(2).all(|pair| pair[0] != pair[1]);
    if begins_well && are_names {
        return Ok(());
    }
    Err(SeriesFileError::Header {
        file: file.to_owned(),
        found: columns.iter().collect::<Vec<_>>().join(","),
    })
}

fn read_row(
    file: &Path,
    columns: &StringRecord,
    row: &StringRecord,
) -> Result<DailyCosts, SeriesFileError> {
    let mut cells = columns.iter().zip(row);
    let value = cells.next().map_or("", |(_, value)| value);
    let date = value.parse().map_err(|_| SeriesFileError::Date {
        file: file.to_owned(),
        line: line_of(row),
        value: value.to_owned(),
    })?;
    let mut day = DailyCosts::missing(date);
    for (column, value) in cells {
        let amount = parse_amount(value).map_err(|()| SeriesFileError::Amount {
            file: file.to_owned(),
            line: line_of(row),
            column: column.to_owned(),
            value: value.to_owned(),
        })?;
        day = match amount {
            Some(total) if column == "total" => DailyCosts::new(date, total),
            Some(cost) => day.service(column, cost),
            None => day,
        };
    }
    Ok(day)
}

/// An amount; `None` for an empty cell.
fn parse_amount(value: &str) -> Result<Option<f64>, ()> {
    if value.is_empty() {
        return Ok(None);
    }
    let amount: f64 = value.parse().map_err(drop)?;
    if amount.is_finite() {
        Ok(Some(amount))
    } else {
        Err(())
    }
}

fn line_of(row: &StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

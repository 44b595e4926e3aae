//! How is a cell's text understood: decimals, the date forms of bills, currencies?

use bursar_units::Currency;
use foldhash::{HashMap, HashMapExt};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cells::Cells;
use crate::{Exact, RejectReason};

/// A cell that cannot be understood: its place in the row, and why.
#[derive(Debug)]
pub(crate) struct CellProblem {
    pub(crate) at: usize,
    pub(crate) reason: RejectReason,
}

/// Reads a decimal cell; null, or no such cell, is unknown.
#[inline]
pub(crate) fn decimal(cells: Cells<'_>, at: Option<usize>) -> Result<Option<Exact>, CellProblem> {
    let Some(at) = at else { return Ok(None) };
    let Some(cell) = cells.value(at) else {
        return Ok(None);
    };
    match Exact::parse(cell.as_bytes()) {
        Ok(exact) => Ok(Some(exact)),
        Err(error) => Err(CellProblem {
            at,
            reason: error.into(),
        }),
    }
}

/// What has been understood before: bills repeat the same few times and currencies.
///
/// Bounded: a file whose every row has another time is parsed cell by cell.
#[derive(Debug)]
pub(crate) struct Memo {
    times: HashMap<Box<str>, Timestamp>,
    currency: Option<(Box<str>, Currency)>,
}

/// A month of hours, with their ends, many times over.
const MEMO_TIMES: usize = 4096;

impl Memo {
    pub(crate) fn new() -> Memo {
        Memo {
            times: HashMap::new(),
            currency: None,
        }
    }

    /// Reads a time cell; null, or no such cell, is unknown.
    #[inline]
    pub(crate) fn time(
        &mut self,
        cells: Cells<'_>,
        at: Option<usize>,
    ) -> Result<Option<Timestamp>, CellProblem> {
        let Some(at) = at else { return Ok(None) };
        let Some(cell) = cells.value(at) else {
            return Ok(None);
        };
        self.time_of(cell, at).map(Some)
    }

    /// Reads the text of a time that stands in the cell at this place.
    #[inline]
    pub(crate) fn time_of(&mut self, text: &str, at: usize) -> Result<Timestamp, CellProblem> {
        if let Some(&time) = self.times.get(text) {
            return Ok(time);
        }
        let problem = || CellProblem {
            at,
            reason: RejectReason::Time(text.to_owned()),
        };
        let time = parse_time(text).ok_or_else(problem)?;
        if self.times.len() == MEMO_TIMES {
            self.times.clear();
        }
        self.times.insert(text.into(), time);
        Ok(time)
    }

    /// Reads a currency cell; null, or no such cell, is unknown.
    #[inline]
    pub(crate) fn currency(
        &mut self,
        cells: Cells<'_>,
        at: Option<usize>,
    ) -> Result<Option<Currency>, CellProblem> {
        let Some(at) = at else { return Ok(None) };
        let Some(cell) = cells.value(at) else {
            return Ok(None);
        };
        if let Some((text, currency)) = &self.currency
            && **text == *cell
        {
            return Ok(Some(*currency));
        }
        let problem = |_| CellProblem {
            at,
            reason: RejectReason::Currency(cell.to_owned()),
        };
        let currency = Currency::from_code(cell).map_err(problem)?;
        self.currency = Some((cell.into(), currency));
        Ok(Some(currency))
    }
}

/// The date forms met in bills; all without a zone are UTC, as FOCUS wants.
///
/// RFC 3339 with or without seconds (`2024-09-01T00:00:00Z`, `2024-09-01T00:00Z`), with a space
/// and no zone (`2024-09-18 22:00:00`), a plain day (`2024-09-18`), the month first as Azure's
/// Enterprise Agreement writes it (`9/2/2023`), and BigQuery's suffix (`… UTC`).
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil = text
        .parse::<DateTime>()
        .ok()
        .or_else(|| month_first(text))?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

fn month_first(text: &str) -> Option<DateTime> {
    // A year of two digits would be one of the first century.
    let year = text.splitn(3, '/').nth(2)?.as_bytes().get(..4)?;
    if !year.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let forms = [
        "%m/%d/%Y",
        "%m/%d/%Y %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %I:%M:%S %p",
    ];
    forms
        .iter()
        .find_map(|form| match DateTime::strptime(form, text) {
            Ok(time) => Some(time),
            Err(_) => jiff::civil::Date::strptime(form, text)
                .ok()
                .map(|d| d.at(0, 0, 0, 0)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_date_forms_of_bills() {
        for (text, utc) in [
            ("2024-09-18T22:00:00Z", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00Z", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00.000Z", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00+02:00", "2024-09-18T20:00:00Z"),
            ("2024-09-18 22:00:00", "2024-09-18T22:00:00Z"),
            ("2024-09-18 22:00:00 UTC", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00", "2024-09-18T22:00:00Z"),
            ("2024-09-18", "2024-09-18T00:00:00Z"),
            ("9/2/2023", "2023-09-02T00:00:00Z"),
            ("09/02/2023", "2023-09-02T00:00:00Z"),
            ("09/02/2023 13:30", "2023-09-02T13:30:00Z"),
            ("9/2/2023 12:05:00 AM", "2023-09-02T00:05:00Z"),
        ] {
            let expected: Timestamp = utc.parse().unwrap();
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "2024-13-01",
            "2024-02-30",
            "13/1/2024",
            "9/2/23",
            "9/2/23 13:30",
            "09/02/23 01:30:00 PM",
            "yesterday",
            "20",
            "2024-09-18T25:00Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}

//! What do the providers' own bill files have in common?
//!
//! They name columns in several spellings of the same words, spread tags over columns or write
//! them in forms of their own, and end periods with the last instant or day inside.

use jiff::{SignedDuration, Timestamp};

use super::cell::CellProblem;
use super::{FileProblem, ReadOptions, RejectReason};
use crate::cells::Cells;
use crate::layout::Layout;
use crate::{Column, Exact};

/// FOCUS columns, and what a dialect calls each in [letters], best source first.
pub(crate) type Names = &'static [(Column, &'static [&'static str])];

/// The letters of a name in lower case: what its spellings have in common.
pub(crate) fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The names of a file's columns, in their own spelling and in letters.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    names: &'a [&'a str],
    letters: Vec<String>,
}

impl<'a> Header<'a> {
    pub(crate) fn new(names: &'a [&'a str]) -> Header<'a> {
        Header {
            names,
            letters: names.iter().map(|name| letters(name)).collect(),
        }
    }

    /// The place of the first of these columns that the file has, best first.
    pub(crate) fn first(&self, letters: &[&str]) -> Option<usize> {
        letters.iter().find_map(|name| self.at(name))
    }

    /// The place of the column with these letters.
    pub(crate) fn at(&self, letters: &str) -> Option<usize> {
        self.letters.iter().position(|name| name == letters)
    }

    /// Whether the file has one of these columns.
    pub(crate) fn has_any(&self, letters: &[&str]) -> bool {
        self.first(letters).is_some()
    }

    /// The columns in their own spelling, with their places.
    pub(crate) fn names(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.names.iter().copied().enumerate()
    }

    /// The places of FOCUS columns by their best sources; all else stays under its own name,
    /// but for the places that are read in another way.
    pub(crate) fn layout(&self, names: Names, elsewhere: &[usize]) -> Layout {
        let claims: Vec<(&str, Column)> = names
            .iter()
            .filter_map(|&(column, sources)| Some((self.names[self.first(sources)?], column)))
            .collect();
        let column_of = |name: &str| claims.iter().find(|(n, _)| *n == name).map(|&(_, c)| c);
        Layout::new(self.names, column_of).without_extras(elsewhere)
    }
}

/// A column that a dialect should have and this file has not.
pub(crate) fn missing_column(name: &str) -> FileProblem {
    FileProblem {
        line: 1,
        column: name.to_owned(),
        reason: format!("mandatory column `{name}` is missing; its values are unknown"),
    }
}

/// Those of the mandatory columns that the file lacks; its currency may be told instead.
pub(crate) fn lacking<'m>(
    header: &Header<'_>,
    mandatory: &'m [&'m str],
    currency: &str,
    options: &ReadOptions,
) -> impl Iterator<Item = &'m str> {
    mandatory.iter().copied().filter(move |&name| {
        let is_told = name == currency && options.currency.is_some();
        !is_told && !header.has_any(&[&letters(name)])
    })
}

/// What a row costs at a unit price; unknown when either is, or past 38 digits.
pub(crate) fn product(price: Option<Exact>, quantity: Option<Exact>) -> Option<Exact> {
    price?.checked_mul(quantity?)
}

/// The exclusive end of a period whose end may be its last second, `…:59:59`.
///
/// Bills measure in whole hours, so an end in the last second of one lies inside.
pub(crate) fn exclusive_end(end: Timestamp) -> Timestamp {
    let second = end.as_second();
    if second.rem_euclid(3600) != 3599 {
        return end;
    }
    Timestamp::from_second(second + 1).unwrap_or(end)
}

/// The start of the day after this one: the exclusive end of a period that names its last day.
pub(crate) fn day_after(
    day: Timestamp,
    cells: Cells<'_>,
    at: usize,
) -> Result<Timestamp, CellProblem> {
    day.checked_add(SignedDuration::from_hours(24))
        .map_err(|_| CellProblem {
            at,
            reason: RejectReason::Time(cells.get(at).unwrap_or_default().to_owned()),
        })
}

/// Tags that stand one in each column.
#[derive(Debug, Default)]
pub(crate) struct TagColumns {
    /// The key as JSON with its colon, and the place of the values; in the order of the keys.
    columns: Vec<(String, usize)>,
}

impl TagColumns {
    /// The columns of these keys. Where two columns have one key the first keeps it.
    pub(crate) fn new(keys: impl Iterator<Item = (String, usize)>) -> TagColumns {
        let mut keys: Vec<(String, usize)> = keys.collect();
        keys.sort();
        keys.dedup_by(|later, first| later.0 == first.0);
        let columns = keys.into_iter().map(|(key, at)| {
            let mut json = String::new();
            push_json(&mut json, &key);
            json.push(':');
            (json, at)
        });
        TagColumns {
            columns: columns.collect(),
        }
    }

    /// The places of the columns.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.columns.iter().map(|&(_, at)| at).collect()
    }

    /// The tags of a row as a JSON object; `None` when it has none.
    pub(crate) fn of(&self, cells: Cells<'_>) -> Option<String> {
        let mut json = String::new();
        for (key, at) in &self.columns {
            let Some(value) = cells.value(*at) else {
                continue;
            };
            json.push(if json.is_empty() { '{' } else { ',' });
            json.push_str(key);
            push_json(&mut json, value);
        }
        if json.is_empty() {
            return None;
        }
        json.push('}');
        Some(json)
    }
}

/// Writes a JSON string (RFC 8259, section 7).
pub(crate) fn push_json(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_one_name_in_its_spellings() {
        for name in [
            "lineItem/UnblendedCost",
            "line_item_unblended_cost",
            "lineitem_unblendedcost",
            "Line Item: Unblended Cost",
        ] {
            assert_eq!(letters(name), "lineitemunblendedcost", "{name}");
        }
    }

    #[test]
    fn takes_the_best_source_and_leaves_the_rest() {
        const NAMES: Names = &[(Column::RegionId, &["regioncode", "region"])];
        let names = ["region", "regionCode", "tag"];
        let layout = Header::new(&names).layout(NAMES, &[2]);
        assert_eq!(layout.position(Column::RegionId), Some(1));
        let extras: Vec<_> = layout.extras().collect();
        assert_eq!(extras, [("region", 0)]);
    }

    #[test]
    fn writes_tags_as_json_that_reads_back() {
        let keys = ["b\"c", "a", "a"];
        let tags = TagColumns::new(keys.iter().enumerate().map(|(at, k)| ((*k).to_owned(), at)));
        let (first, both) = ("1\n\\\u{1}é", "1\n\\\u{1}é2");
        let ends = [first.len(), both.len(), both.len()];
        let cells = Cells::new(both, &ends);
        let json = tags.of(cells).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read, serde_json::json!({"a": "2", "b\"c": "1\n\\\u{1}é"}));
        assert_eq!(tags.of(Cells::new("", &[0, 0, 0])), None);
    }

    #[test]
    fn ends_a_period_after_its_last_second() {
        for (end, exclusive) in [
            ("2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"),
            ("2024-02-01T00:00:00Z", "2024-02-01T00:00:00Z"),
            ("2024-01-01T10:59:59.999Z", "2024-01-01T11:00:00Z"),
            ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
            ("2024-01-01T10:30:00Z", "2024-01-01T10:30:00Z"),
        ] {
            let end: Timestamp = end.parse().unwrap();
            let expected: Timestamp = exclusive.parse().unwrap();
            assert_eq!(exclusive_end(end), expected);
        }
        assert_eq!(exclusive_end(Timestamp::MAX), Timestamp::MAX);
    }
}

//! Are periods written as FOCUS wants: in UTC, with the first instant after them as their end?

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::rule::Rule;
use super::shown::Shown;
use super::{Facts, InvariantChecks};
use crate::{Column, CostRecord};

const CHARGE_PERIOD: [Column; 2] = [Column::ChargePeriodStart, Column::ChargePeriodEnd];
const BILLING_PERIOD: [Column; 2] = [Column::BillingPeriodStart, Column::BillingPeriodEnd];
const PERIODS: [Column; 4] = [
    Column::ChargePeriodStart,
    Column::ChargePeriodEnd,
    Column::BillingPeriodStart,
    Column::BillingPeriodEnd,
];

const SECONDS_PER_HOUR: i64 = 3_600;

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_periods(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let (charged, billed) = (record.charge_period, record.billing_period);
        let mut are_exclusive = None;
        if let (Some(start), Some(end)) = (charged.start, charged.end) {
            let shown = || understood(record, &CHARGE_PERIOD);
            self.check(Rule::ChargePeriodOrder, record, start < end, shown);
            are_exclusive = Some(!ends_inclusively(start, end));
        }
        if let (Some(start), Some(end)) = (billed.start, billed.end) {
            let shown = || understood(record, &BILLING_PERIOD);
            self.check(Rule::BillingPeriodOrder, record, start < end, shown);
            let is_exclusive = !self.billing.ends_inclusively(start, end);
            are_exclusive = Some(are_exclusive.unwrap_or(true) && is_exclusive);
            if let Some(charge_start) = charged.start.filter(|_| !facts.is_correction) {
                let is_inside = start <= charge_start && charge_start < end;
                self.check(Rule::ChargeInBillingPeriod, record, is_inside, || {
                    understood(record, &PERIODS)
                });
            }
        }
        if let Some(are_exclusive) = are_exclusive {
            self.check(Rule::ExclusiveEnds, record, are_exclusive, || {
                understood(record, &PERIODS)
            });
        }
        match zone(record) {
            Zone::Unstated => {}
            zone => self.check(Rule::UtcTimes, record, zone == Zone::Utc, || {
                spelled(record)
            }),
        }
    }
}

/// Whether a period that starts on the full hour ends with the last second or minute of one.
#[inline]
fn ends_inclusively(start: Timestamp, end: Timestamp) -> bool {
    let into_hour = |time: Timestamp| time.as_second().rem_euclid(SECONDS_PER_HOUR);
    into_hour(start) == 0 && matches!(into_hour(end), 3_599 | 3_540)
}

/// The last billing period and what was found about it: nearly every row has the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct BillingMemo {
    last: Option<(Timestamp, Timestamp, bool)>,
}

impl BillingMemo {
    /// Whether the end of a billing period belongs to it: the last second of an hour, or the
    /// last day of the month on whose first day it starts.
    #[inline]
    pub(crate) fn ends_inclusively(&mut self, start: Timestamp, end: Timestamp) -> bool {
        match self.last {
            Some((s, e, found)) if s == start && e == end => found,
            _ => {
                let found = ends_inclusively(start, end) || ends_on_last_day(start, end);
                self.last = Some((start, end, found));
                found
            }
        }
    }
}

fn ends_on_last_day(start: Timestamp, end: Timestamp) -> bool {
    let date = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    let (start, end) = (date(start), date(end));
    start < end && start.day() == 1 && end.day() > 1 && end == end.last_of_month()
}

/// What the times of a row say about their zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// No time states one.
    Unstated,
    /// At least one does, and all that do are UTC.
    Utc,
    /// At least one is another.
    Other,
}

#[inline]
fn zone(record: &CostRecord<'_>) -> Zone {
    let mut zone = Zone::Unstated;
    for column in PERIODS {
        match record.text(column).map_or(Zone::Unstated, zone_of) {
            Zone::Unstated => {}
            Zone::Utc => zone = Zone::Utc,
            Zone::Other => return Zone::Other,
        }
    }
    zone
}

#[inline]
fn zone_of(time: &str) -> Zone {
    match time.as_bytes() {
        [.., b'Z' | b'z'] | [.., b'U', b'T', b'C'] => Zone::Utc,
        bytes => zone_of_offset(bytes),
    }
}

/// The zone by the offset at the end: `+02:00`, `+0200`, `+02` or none.
#[inline]
fn zone_of_offset(time: &[u8]) -> Zone {
    const DATE: usize = "2024-09-18".len();
    for length in [6, 5, 3] {
        let at = time.len().saturating_sub(length);
        if at > DATE && matches!(time[at], b'+' | b'-') {
            let is_zero = time[at + 1..].iter().all(|b| matches!(b, b'0' | b':'));
            return if is_zero { Zone::Utc } else { Zone::Other };
        }
    }
    Zone::Unstated
}

/// The times of a row as they were understood.
fn understood(record: &CostRecord<'_>, columns: &[Column]) -> Shown {
    let (charged, billed) = (record.charge_period, record.billing_period);
    let time = |column: &Column| {
        let time = match column {
            Column::ChargePeriodStart => charged.start,
            Column::ChargePeriodEnd => charged.end,
            Column::BillingPeriodStart => billed.start,
            _ => billed.end,
        };
        Some((column.name(), time?.to_string()))
    };
    Shown {
        values: columns.iter().filter_map(time).collect(),
        difference: None,
    }
}

/// The times of a row as the source spells them.
fn spelled(record: &CostRecord<'_>) -> Shown {
    let text = |column: Column| Some((column.name(), record.text(column)?.to_owned()));
    Shown {
        values: PERIODS.into_iter().filter_map(text).collect(),
        difference: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_utc_from_other_zones() {
        for (time, zone) in [
            ("2024-09-18T22:00:00Z", Zone::Utc),
            ("2024-09-18T22:00:00+00:00", Zone::Utc),
            ("2024-09-18 22:00:00 UTC", Zone::Utc),
            ("2024-09-18T22:00:00+02:00", Zone::Other),
            ("2024-09-18T22:00-0730", Zone::Other),
            ("2024-09-18 22:00:00", Zone::Unstated),
            ("2024-09-18", Zone::Unstated),
            ("9/2/2023", Zone::Unstated),
            ("", Zone::Unstated),
        ] {
            assert_eq!(zone_of(time), zone, "{time}");
        }
    }

    #[test]
    fn finds_inclusive_ends() {
        let mut memo = BillingMemo::default();
        for (start, end, charge, billing) in [
            ("2024-09-01T00:00:00Z", "2024-10-01T00:00:00Z", false, false),
            ("2024-09-01T00:00:00Z", "2024-09-30T23:59:59Z", true, true),
            ("2024-09-01T00:00:00Z", "2024-09-30T23:59:00Z", true, true),
            ("2024-09-01T00:00:00Z", "2024-09-30T00:00:00Z", false, true),
            ("2024-09-18T10:12:13Z", "2024-09-18T10:59:59Z", false, false),
            ("2024-09-15T00:00:00Z", "2024-10-15T00:00:00Z", false, false),
        ] {
            let time = |text: &str| text.parse::<Timestamp>().unwrap();
            let (from, to) = (time(start), time(end));
            assert_eq!(ends_inclusively(from, to), charge, "{start} {end}");
            assert_eq!(memo.ends_inclusively(from, to), billing, "{start} {end}");
        }
    }
}

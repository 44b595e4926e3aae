//! Which earlier days of the month is a day like?

use jiff::civil::{Date, Weekday};

/// The days before the end of a month that can be a month end.
const END_DAYS: i8 = 5;

/// A position in the month at which charges can recur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slots {
    day: i8,
    /// Days to the last of the month, within its end.
    from_end: Option<i8>,
    /// Counted from the first workday, within the first ones; weekends have none.
    first_workday: bool,
    last_workday: bool,
}

/// A position at which charges are usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Day(i8),
    FromEnd(i8),
    FirstWorkday,
    LastWorkday,
}

impl Position {
    pub(super) const ALL: [Self; 11] = [
        Self::Day(1),
        Self::Day(2),
        Self::Day(5),
        Self::Day(15),
        Self::FromEnd(0),
        Self::FromEnd(1),
        Self::FromEnd(2),
        Self::FromEnd(3),
        Self::FromEnd(4),
        Self::FirstWorkday,
        Self::LastWorkday,
    ];
}

impl Slots {
    pub(super) fn of(date: Date) -> Self {
        let left = date.days_in_month() - date.day();
        Self {
            day: date.day(),
            from_end: (left < END_DAYS).then_some(left),
            first_workday: is_first_workday(date),
            last_workday: is_last_workday(date),
        }
    }

    pub(super) fn is_at(self, position: Position) -> bool {
        match position {
            Position::Day(day) => self.day == day,
            Position::FromEnd(left) => self.from_end == Some(left),
            Position::FirstWorkday => self.first_workday,
            Position::LastWorkday => self.last_workday,
        }
    }

    /// Whether a charge at one position can be the charge at the other, a month later.
    pub(super) fn share_a_position(self, other: Self) -> bool {
        self.day == other.day
            || (self.from_end.is_some() && self.from_end == other.from_end)
            || (self.first_workday && other.first_workday)
            || (self.last_workday && other.last_workday)
    }

    /// The positions of this day at which charges are usual, none of them seen.
    pub(super) fn unseen(self) -> Unseen {
        Unseen {
            day: matches!(self.day, 1 | 2 | 5 | 15).then_some(self.day),
            from_end: self.from_end,
            first_workday: self.first_workday,
            last_workday: self.last_workday,
        }
    }

    /// Whether monthly charges often fall here: the first and the last days and workdays, the 5th
    /// and the 15th. What happens here for the first time may happen every month.
    pub(super) fn is_usual_for_charges(self) -> bool {
        matches!(self.day, 1 | 2 | 5 | 15)
            || self.from_end.is_some()
            || self.first_workday
            || self.last_workday
    }
}

/// Positions that have not been seen in an earlier month.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unseen {
    day: Option<i8>,
    from_end: Option<i8>,
    first_workday: bool,
    last_workday: bool,
}

impl Unseen {
    pub(super) fn see(&mut self, slots: Slots) {
        self.day = self.day.filter(|&day| day != slots.day);
        self.from_end = self.from_end.filter(|_| self.from_end != slots.from_end);
        self.first_workday &= !slots.first_workday;
        self.last_workday &= !slots.last_workday;
    }

    pub(super) fn is_new(self) -> bool {
        self.day.is_some() || self.from_end.is_some() || self.first_workday || self.last_workday
    }
}

fn is_first_workday(date: Date) -> bool {
    match date.weekday() {
        Weekday::Saturday | Weekday::Sunday => false,
        Weekday::Monday => date.day() <= 3,
        _ => date.day() == 1,
    }
}

fn is_last_workday(date: Date) -> bool {
    let left = date.days_in_month() - date.day();
    match date.weekday() {
        Weekday::Saturday | Weekday::Sunday => false,
        Weekday::Friday => left <= 2,
        _ => left == 0,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// From the calendar of 2024: 1 June and 31 August are Saturdays.
    #[test]
    fn the_first_and_the_last_workday_skip_weekends() {
        assert!(is_first_workday(date(2024, 6, 3)));
        assert!(!is_first_workday(date(2024, 6, 4)));
        assert!(is_first_workday(date(2024, 7, 1)));
        assert!(is_last_workday(date(2024, 8, 30)));
        assert!(!is_last_workday(date(2024, 8, 29)));
        assert!(is_last_workday(date(2024, 7, 31)));
    }

    #[test]
    fn the_last_day_of_a_short_month_is_like_that_of_a_long_one() {
        let slots = |month, day| Slots::of(date(2025, month, day));
        assert!(slots(2, 28).share_a_position(slots(3, 31)));
        assert!(slots(2, 15).share_a_position(slots(3, 15)));
        assert!(!slots(2, 15).share_a_position(slots(3, 16)));
    }
}

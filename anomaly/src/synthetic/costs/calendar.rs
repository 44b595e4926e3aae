//! On which days is a service charged otherwise than usual?

use jiff::civil::{Date, Weekday};

use super::random::Random;
use super::{Calendar, plus_days};

/// The calendar of one account.
#[derive(Debug)]
pub(super) struct AccountCalendar {
    holidays: Holidays,
    /// The last days of a month that cost more, and how much more.
    end_length: i8,
    pub(super) end_factor: f64,
}

/// The days off that workday-bound services follow.
#[derive(Debug, Clone, Copy)]
enum Holidays {
    None,
    American,
    European,
}

/// The day of the month on which a service charges its lump.
#[derive(Debug, Clone, Copy)]
pub(super) enum LumpDay {
    Day(i8),
    FirstWorkday,
    LastWorkday,
}

impl AccountCalendar {
    pub(super) fn draw(calendar: Calendar, random: &mut Random) -> Self {
        match calendar {
            Calendar::Fixed => Self {
                holidays: Holidays::American,
                end_length: 3,
                end_factor: 2.2,
            },
            Calendar::Mixed => Self {
                holidays: *random
                    .choice(&[Holidays::None, Holidays::American, Holidays::European])
                    .unwrap_or(&Holidays::None),
                end_length: i8::try_from(random.whole(1..=5)).unwrap_or(3),
                end_factor: random.between((1.6, 2.8)),
            },
        }
    }

    pub(super) fn is_month_end(&self, date: Date) -> bool {
        date.days_in_month() - date.day() < self.end_length
    }

    pub(super) fn is_holiday(&self, date: Date) -> bool {
        match self.holidays {
            Holidays::None => false,
            Holidays::American => is_american_holiday(date),
            Holidays::European => is_european_holiday(date),
        }
    }
}

impl LumpDay {
    pub(super) fn draw(calendar: Calendar, random: &mut Random) -> Self {
        let first = Self::Day(1);
        match calendar {
            Calendar::Fixed => first,
            Calendar::Mixed if random.chance(0.5) => first,
            Calendar::Mixed => *random
                .choice(&[
                    Self::Day(2),
                    Self::Day(5),
                    Self::Day(15),
                    Self::FirstWorkday,
                    Self::LastWorkday,
                ])
                .unwrap_or(&first),
        }
    }

    pub(super) fn is(self, date: Date) -> bool {
        match self {
            Self::Day(day) => date.day() == day,
            Self::FirstWorkday => {
                is_workday(date) && !(1..date.day()).any(|day| is_workday(on_day(date, day)))
            }
            Self::LastWorkday => {
                is_workday(date)
                    && !(date.day() + 1..=date.days_in_month())
                        .any(|day| is_workday(on_day(date, day)))
            }
        }
    }
}

fn on_day(date: Date, day: i8) -> Date {
    Date::new(date.year(), date.month(), day).unwrap_or(date)
}

fn is_workday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Holidays of the United States that most companies keep.
fn is_american_holiday(date: Date) -> bool {
    let nth = (date.day() - 1) / 7 + 1;
    match (date.month(), date.day()) {
        (1 | 7, day) if day == if date.month() == 1 { 1 } else { 4 } => true,
        (12, 24 | 25 | 31) => true,
        (5, day) => date.weekday() == Weekday::Monday && day > 24,
        (9, _) => date.weekday() == Weekday::Monday && nth == 1,
        (11, day) => {
            (date.weekday() == Weekday::Thursday && nth == 4)
                || (date.weekday() == Weekday::Friday && (23..=29).contains(&day))
        }
        _ => false,
    }
}

/// Holidays that most countries of Europe share.
fn is_european_holiday(date: Date) -> bool {
    let fixed = matches!(
        (date.month(), date.day()),
        (1, 1 | 6) | (5, 1) | (8, 15) | (11, 1) | (12, 24 | 25 | 26 | 31)
    );
    let easter = easter_sunday(date.year());
    // Good Friday, Easter Monday, Ascension Day, Whit Monday.
    fixed
        || [-2, 1, 39, 50]
            .iter()
            .any(|&days| plus_days(easter, days) == date)
}

/// Easter of a year of the Gregorian calendar (the anonymous computus of Nature, 1876).
fn easter_sunday(year: i16) -> Date {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, within) = (year_number / 100, year_number % 100);
    let moon =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (within / 4) - moon - within % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    let (month, day) = (days / 31, days % 31 + 1);
    Date::new(
        year,
        i8::try_from(month).unwrap_or(4),
        i8::try_from(day).unwrap_or(1),
    )
    .unwrap_or(Date::ZERO)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Dates of the almanac of the United States Naval Observatory.
    #[test]
    fn easter_falls_on_the_days_of_the_almanac() {
        let known = [
            date(2023, 4, 9),
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2038, 4, 25),
        ];
        for easter in known {
            assert_eq!(easter_sunday(easter.year()), easter);
        }
    }

    #[test]
    fn a_lump_falls_on_one_day_of_each_month() {
        let days = [
            LumpDay::Day(15),
            LumpDay::FirstWorkday,
            LumpDay::LastWorkday,
        ];
        for lump in days {
            let mut day = date(2024, 1, 1);
            let mut n_lumps = 0;
            while day.year() == 2024 {
                n_lumps += usize::from(lump.is(day));
                day = day.tomorrow().unwrap();
            }
            assert_eq!(n_lumps, 12, "{lump:?}");
        }
        // 31 August 2024 is a Saturday.
        assert!(LumpDay::LastWorkday.is(date(2024, 8, 30)));
    }
}

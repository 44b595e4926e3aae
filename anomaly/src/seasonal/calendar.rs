//! Which slot of a profile does a moment fall into?

use jiff::civil::{DateTime, Weekday};

/// What a season can depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Profile {
    /// Nothing.
    Flat,
    /// Saturday and Sunday against Monday to Friday.
    Weekend,
    /// Day, from 8:00 to 20:00, against night.
    DayNight,
    /// Each day of the week.
    DayOfWeek,
    /// Each hour of the day.
    HourOfDay,
    /// Each hour of the day, on weekends and on weekdays.
    WeekendHour,
    /// Each hour of the week.
    HourOfWeek,
}

impl Profile {
    /// All of them, the one with the fewest slots first.
    pub(super) const ALL: [Self; 7] = [
        Self::Flat,
        Self::Weekend,
        Self::DayNight,
        Self::DayOfWeek,
        Self::HourOfDay,
        Self::WeekendHour,
        Self::HourOfWeek,
    ];

    /// How many slots it has.
    pub(super) const fn n_slots(self) -> usize {
        match self {
            Self::Flat => 1,
            Self::Weekend | Self::DayNight => 2,
            Self::DayOfWeek => 7,
            Self::HourOfDay => 24,
            Self::WeekendHour => 2 * 24,
            Self::HourOfWeek => 7 * 24,
        }
    }

    /// The slot of a local time, from 0.
    pub(super) fn slot(self, time: DateTime) -> usize {
        let (hour, weekday) = (time.hour().unsigned_abs(), time.weekday());
        let (hour, weekend) = (usize::from(hour), usize::from(is_weekend(weekday)));
        let day = usize::from(weekday.to_monday_zero_offset().unsigned_abs());
        match self {
            Self::Flat => 0,
            Self::Weekend => weekend,
            Self::DayNight => usize::from((8..20).contains(&hour)),
            Self::DayOfWeek => day,
            Self::HourOfDay => hour,
            Self::WeekendHour => 24 * weekend + hour,
            Self::HourOfWeek => 24 * day + hour,
        }
    }
}

const fn is_weekend(weekday: Weekday) -> bool {
    matches!(weekday, Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn friday_is_a_workday_and_sunday_is_not() {
        // 2026-11-27 is a Friday.
        let slots = [26, 27, 28, 29, 30].map(|day| {
            let noon = date(2026, 11, day).at(12, 0, 0, 0);
            (Profile::Weekend.slot(noon), Profile::DayOfWeek.slot(noon))
        });
        assert_eq!(slots, [(0, 3), (0, 4), (1, 5), (1, 6), (0, 0)]);
    }

    #[test]
    fn every_hour_of_a_week_has_a_slot_within_its_profile() {
        for profile in Profile::ALL {
            let mut seen = vec![false; profile.n_slots()];
            for hour in 0..24 * 7 {
                let day = date(2026, 11, 23 + (hour / 24) as i8);
                seen[profile.slot(day.at((hour % 24) as i8, 59, 0, 0))] = true;
            }
            assert!(seen.iter().all(|&seen| seen), "{profile:?}");
        }
    }
}

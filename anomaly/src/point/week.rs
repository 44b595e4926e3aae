//! What does this hour of the week usually add?

use super::WeekProfile;

const HOUR_SECONDS: i64 = 3600;
/// A multiplication is quicker than a division.
const HOURS_PER_SECOND: f64 = 1.0 / HOUR_SECONDS as f64;
const DAY_HOURS: i64 = 24;
const WEEK_HOURS: i64 = 7 * DAY_HOURS;
/// Monday, 5 January 1970, 0:00 UTC; the epoch was a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY_HOURS * HOUR_SECONDS;
/// What a profile learns of a difference in one visit of an hour: after a week an hour of workdays
/// knows three quarters of its pattern, and noise of one visit weighs a seventh (rate ÷ (2 − rate)).
const VISIT_RATE: f64 = 0.25;

/// What each hour of a profile adds.
///
/// The usual profiles lie beside the rest of a detector's state: memory that is found through a pointer
/// comes late when ten thousand series take turns.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
#[derive(Debug, Clone)]
pub(super) enum Hours {
    Near([f64; 2 * DAY_HOURS as usize]),
    Week(Box<[f64; WEEK_HOURS as usize]>),
}

impl Hours {
    pub(super) fn new(profile: WeekProfile) -> Self {
        match profile {
            WeekProfile::HourOfWeek => Self::Week(Box::new([0.0; WEEK_HOURS as usize])),
            _ => Self::Near([0.0; 2 * DAY_HOURS as usize]),
        }
    }

    #[inline]
    pub(super) fn values(&self) -> &[f64] {
        match self {
            Self::Near(hours) => hours,
            Self::Week(hours) => &**hours,
        }
    }

    #[inline]
    pub(super) fn values_mut(&mut self) -> &mut [f64] {
        match self {
            Self::Near(hours) => hours,
            Self::Week(hours) => &mut **hours,
        }
    }

    /// The bytes of it that lie elsewhere.
    pub(super) const fn far_bytes(&self) -> usize {
        match self {
            Self::Near(_) => 0,
            Self::Week(_) => size_of::<[f64; WEEK_HOURS as usize]>(),
        }
    }
}

/// Where a moment lies between two hours of the profile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    earlier: usize,
    later: usize,
    /// From 0 at the earlier hour to just below 1 at the later.
    share: f64,
}

impl WeekProfile {
    /// Where a second of local time lies in it, Unix seconds counted in local time.
    ///
    /// Between two full hours the profile is a straight line, so that a steep morning is no step at
    /// each full hour, and hourly points meet exactly one hour of it.
    #[inline]
    pub(super) fn moment(self, local_second: i64) -> Moment {
        let second = (local_second - FIRST_MONDAY).rem_euclid(WEEK_HOURS * HOUR_SECONDS);
        let hour = second / HOUR_SECONDS;
        let next = if hour + 1 == WEEK_HOURS { 0 } else { hour + 1 };
        Moment {
            earlier: self.place(hour),
            later: self.place(next),
            share: (second % HOUR_SECONDS) as f64 * HOURS_PER_SECOND,
        }
    }

    #[inline]
    const fn place(self, hour_of_week: i64) -> usize {
        let hour_of_day = hour_of_week % DAY_HOURS;
        let is_weekend = hour_of_week >= 5 * DAY_HOURS;
        let place = match self {
            Self::Off => 0,
            Self::HourOfDay => hour_of_day,
            Self::WorkweekAndWeekend if is_weekend => hour_of_day + DAY_HOURS,
            Self::WorkweekAndWeekend => hour_of_day,
            Self::HourOfWeek => hour_of_week,
        };
        place as usize
    }
}

impl Moment {
    /// What the profile adds at this moment.
    #[inline]
    pub(super) fn value(self, hours: &[f64]) -> f64 {
        let (earlier, later) = (hours[self.earlier], hours[self.later]);
        earlier + (later - earlier) * self.share
    }

    /// Learns from what remained at this moment, one point in `interval` seconds.
    #[inline]
    pub(super) fn learn(self, hours: &mut [f64], remainder: f64, interval: u32) {
        let visit_share = (f64::from(interval) * HOURS_PER_SECOND).min(1.0);
        let step = VISIT_RATE * visit_share * remainder;
        hours[self.earlier] += step * (1.0 - self.share);
        hours[self.later] += step * self.share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 was a Friday, so 23:30 in UTC lies between the last hour of workdays and the first
    /// of the weekend.
    #[test]
    fn a_friday_night_lies_between_workweek_and_weekend() {
        let friday = 1_795_822_200;
        let moment = WeekProfile::WorkweekAndWeekend.moment(friday);
        assert_eq!((moment.earlier, moment.later), (23, 24));
        assert_eq!(moment.share, 0.5);
        let moment = WeekProfile::HourOfWeek.moment(friday);
        assert_eq!((moment.earlier, moment.later), (4 * 24 + 23, 5 * 24));
    }

    #[test]
    fn the_week_begins_again_after_sunday() {
        let monday = 1_767_571_200;
        let last = WeekProfile::HourOfWeek.moment(monday - 1);
        assert_eq!((last.earlier, last.later), (167, 0));
        let first = WeekProfile::HourOfWeek.moment(monday);
        assert_eq!((first.earlier, first.later, first.share), (0, 1, 0.0));
    }

    #[test]
    fn moments_before_the_epoch_have_an_hour_too() {
        for profile in [
            WeekProfile::HourOfDay,
            WeekProfile::WorkweekAndWeekend,
            WeekProfile::HourOfWeek,
        ] {
            for second in [-1, -86_401, -377_705_023_201, 253_402_207_200] {
                let moment = profile.moment(second);
                assert!(moment.earlier.max(moment.later) < Hours::new(profile).values().len());
            }
        }
    }
}

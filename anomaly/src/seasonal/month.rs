//! What do the first and the last days of a month have on top?

use jiff::civil::Date;

use crate::robust::bounded;

/// The first day, and the last three.
const N_DAYS: usize = 4;

/// A charge on its first sight counts as so many usual days at most. A support plan of a whole
/// month, the largest known, is 12 usual days of its service.
const LARGEST_CHARGE: f64 = 20.0;

/// Charges change by such a share from month to month.
const USUAL_CHANGE: f64 = 0.1;

/// From so many visits on, it is settled whether a day has a charge.
const SETTLED: u32 = 3;

/// What is known of the days of the month that charges come on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Month {
    days: [Charge; N_DAYS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Charge {
    amount: f64,
    visits: u32,
    /// By how much the charge makes forecasts better, as mean logarithm of the errors' ratio.
    merit: f64,
    /// Whether it was not as expected the last time.
    was_unusual: bool,
}

/// Which of these days a date is.
pub(super) fn day(date: Date) -> Option<usize> {
    match (date.day(), date.days_in_month() - date.day()) {
        (1, _) => Some(0),
        (_, left @ 0..3) => Some(1 + usize::from(left.unsigned_abs())),
        _ => None,
    }
}

impl Month {
    pub(super) fn is_new(&self, day: usize) -> bool {
        self.days[day].visits == 0
    }

    /// What is expected on top: the charge, if it has made forecasts better.
    pub(super) fn offset(&self, day: usize) -> f64 {
        let charge = self.days[day];
        if charge.merit > 0.0 {
            charge.amount
        } else {
            0.0
        }
    }

    /// What could also come on top, as long as it is not settled.
    pub(super) fn unsure(&self, day: usize) -> Option<f64> {
        let charge = self.days[day];
        let other = if charge.merit > 0.0 {
            0.0
        } else {
            charge.amount
        };
        (charge.visits < SETTLED).then_some(other)
    }

    /// Learns by how much a day is above what its profile expects, and hands back the value without
    /// the charge; nothing when the day is new, for then its parts are not known.
    pub(super) fn learn(&mut self, day: usize, excess: f64, scale: f64, usual: f64) -> Option<f64> {
        let without = bounded(usual + excess - self.offset(day));
        let charge = &mut self.days[day];
        charge.visits = charge.visits.saturating_add(1);
        if charge.visits == 1 {
            let largest = LARGEST_CHARGE * usual.abs().max(scale);
            charge.amount = excess.clamp(-largest, largest);
            return None;
        }
        let error = excess - charge.amount;
        let merit = log_size(excess, scale) - log_size(error, scale);
        charge.merit += (merit - charge.merit) * (1.0 / f64::from(charge.visits - 1)).max(0.3);
        charge.learn(excess, scale);
        Some(without)
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_plausible(&self) -> bool {
        let mut charges = self.days.iter();
        charges
            .all(|charge| crate::robust::is_plausible(charge.amount) && charge.merit.abs() <= 1e3)
    }
}

impl Charge {
    /// A charge that is another once may come back as it was; twice, it is another.
    fn learn(&mut self, excess: f64, scale: f64) {
        let error = excess - self.amount;
        let is_unusual = error.abs() > (2.0 * scale).max(USUAL_CHANGE * self.amount.abs());
        match (is_unusual, self.was_unusual) {
            (false, _) => self.amount = bounded(self.amount + 0.5 * error),
            (true, true) => self.amount = bounded(excess),
            (true, false) => {}
        }
        self.was_unusual = is_unusual && !self.was_unusual;
    }
}

/// The logarithm of an error in scales; what is within one is as good as none.
fn log_size(error: f64, scale: f64) -> f64 {
    let size = error.abs().max(scale).max(1e-300);
    size.ln()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_first_and_the_last_three_days_are_told_by_the_calendar() {
        let days = [
            (2, 1),
            (2, 2),
            (2, 25),
            (2, 26),
            (2, 27),
            (2, 28),
            (4, 30),
            (12, 31),
        ];
        let days = days.map(|(month, of_month)| day(date(2026, month, of_month)));
        let expected = [
            Some(0),
            None,
            None,
            Some(3),
            Some(2),
            Some(1),
            Some(1),
            Some(1),
        ];
        assert_eq!(days, expected);
        assert_eq!(day(date(2024, 2, 29)), Some(1));
    }
}

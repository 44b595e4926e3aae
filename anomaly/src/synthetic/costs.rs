//! What do the daily costs of accounts look like, with and without something wrong?
//!
//! A [`CostPortfolio`] makes series of 30 to 400 days with 3 to 9 services each: a week in which
//! Saturday differs from Sunday, lumps and month ends, holidays, growth, an annual swing, noise with
//! memory and heavy tails, days that were not delivered. Into three quarters of them it puts
//! anomalies whose kind, days and service are known, and into many of them harmless events that only
//! look like one.
//!
//! The sizes of anomalies are in standard deviations of the series' total without its pattern, so
//! that finding one is as hard in a calm account as in a restless one.

mod anomaly;
mod archetype;
mod benign;
mod calendar;
mod course;
mod random;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::evaluation::events::{Label, Truth};

use course::Course;
use random::Random;

/// Makes series of daily costs from a seed.
///
/// Series `n` of a seed is the same however many others are made.
///
/// ```
/// use bursar_anomaly::synthetic::costs::CostPortfolio;
///
/// let series = CostPortfolio::new(1).series(3);
/// assert_eq!(series, CostPortfolio::new(1).series(3));
/// let day = &series.days[0];
/// assert_eq!(day.services.len(), series.services.len());
/// assert!((day.services.iter().sum::<f64>() - day.total).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostPortfolio {
    seed: u64,
    calendar: Calendar,
    with_anomalies: bool,
}

/// On which days of a month charges fall, and which holidays are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// Every account alike: lumps on the 1st, a month end of 3 days, American holidays.
    Fixed,
    /// Every account its own: lumps also on the 2nd, 5th, 15th, the first and the last workday, a
    /// month end of 1 to 5 days; American, European or no holidays. A detector has to learn them.
    Mixed,
}

/// The daily costs of one account, and the truth about them.
#[derive(Debug, Clone, PartialEq)]
pub struct CostSeries {
    /// Its name, unique in the portfolio.
    pub name: String,
    /// The names of the services, in the order of [`CostDay::services`].
    pub services: Vec<String>,
    /// The days that were delivered, in order.
    pub days: Vec<CostDay>,
    /// What is wrong in it.
    pub anomalies: Vec<CostAnomaly>,
    /// What only looks wrong.
    pub benign: Vec<BenignEvent>,
}

impl CostSeries {
    /// What is true of it, to judge alerts by; `None` when no day was delivered.
    #[must_use]
    pub fn truth(&self) -> Option<Truth> {
        let (first, last) = (self.days.first()?, self.days.last()?);
        let mut truth = Truth::new(first.date, last.date);
        for anomaly in &self.anomalies {
            let label = Label::new(anomaly.kind.name(), anomaly.start, anomaly.end)
                .deadline(anomaly.deadline);
            truth = truth.anomaly(match &anomaly.service {
                Some(service) => label.service(service),
                None => label,
            });
        }
        for event in &self.benign {
            truth = truth.harmless(event.start, event.end);
        }
        Some(truth)
    }
}

/// What one day cost.
#[derive(Debug, Clone, PartialEq)]
pub struct CostDay {
    /// The day.
    pub date: Date,
    /// The sum of the services.
    pub total: f64,
    /// The cost of each service.
    pub services: Vec<f64>,
}

/// An anomaly of a known kind.
#[derive(Debug, Clone, PartialEq)]
pub struct CostAnomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
    /// The last day on which finding it still helps.
    pub deadline: Date,
    /// The service that causes it; `None` when all do.
    pub service: Option<String>,
}

/// The kinds of anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnomalyKind {
    /// 1 to 3 days higher by 4 to 16 standard deviations of the total.
    Spike,
    /// 14 to 60 days higher by 3 to 10; to be found within 7 days.
    LevelShift,
    /// Rising over 15 to 45 days to 5 to 12.
    SlowLeak,
    /// A service or everything at zero for 1 to 5 days; to be found within 2 days.
    Drop,
    /// The development environment was not switched off for 1 or 2 weekends.
    Weekend,
    /// A small service 1.6 to 7 times higher for 10 to 40 days, less than 2 standard deviations of
    /// the total; to be found within 7 days.
    Hidden,
}

impl AnomalyKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Spike,
        Self::LevelShift,
        Self::SlowLeak,
        Self::Drop,
        Self::Weekend,
        Self::Hidden,
    ];

    /// Its name, as it stands in files of labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::LevelShift => "level-shift",
            Self::SlowLeak => "slow-leak",
            Self::Drop => "drop",
            Self::Weekend => "weekend",
            Self::Hidden => "hidden",
        }
    }

    /// Days from the start until which it is to be found; `None` until its end.
    const fn days_to_find(self) -> Option<i64> {
        match self {
            Self::Drop => Some(2),
            Self::LevelShift | Self::Hidden => Some(7),
            Self::Spike | Self::SlowLeak | Self::Weekend => None,
        }
    }
}

/// Something unusual that is no reason for an alert, and none to blame a detector for one.
#[derive(Debug, Clone, PartialEq)]
pub struct BenignEvent {
    /// What it is.
    pub kind: BenignKind,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
}

/// The kinds of harmless events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BenignKind {
    /// A service that did not exist grows to its level over 5 to 20 days.
    Onboarding,
    /// A fee is paid, and compute costs less from then on.
    Reservation,
    /// Money comes back: a negative amount.
    Credit,
    /// Something is bought once.
    Purchase,
    /// A part of a day is booked on the next.
    LateBooking,
    /// The newest day is not complete yet.
    IncompleteDay,
}

impl BenignKind {
    /// Its name, as it stands in files of labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Onboarding => "onboarding",
            Self::Reservation => "reservation",
            Self::Credit => "credit",
            Self::Purchase => "purchase",
            Self::LateBooking => "late-booking",
            Self::IncompleteDay => "incomplete-day",
        }
    }
}

/// The lengths of series, in days, evenly mixed: half of them have too little history for a second
/// month of each kind.
const LENGTHS: [usize; 8] = [30, 45, 60, 90, 120, 180, 270, 400];

impl CostPortfolio {
    /// The portfolio of a seed, with anomalies and the [mixed](Calendar::Mixed) calendar.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            calendar: Calendar::Mixed,
            with_anomalies: true,
        }
    }

    /// With another calendar.
    #[must_use]
    pub const fn calendar(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self
    }

    /// Only noise and harmless events, to count false alarms on.
    #[must_use]
    pub const fn without_anomalies(mut self) -> Self {
        self.with_anomalies = false;
        self
    }

    /// The series of this number.
    #[must_use]
    pub fn series(&self, number: u64) -> CostSeries {
        let random = &mut Random::new(self.seed, number);
        let length = random.choice(&LENGTHS).copied().unwrap_or(30);
        let start_offset = i64::try_from(random.whole(0..=729)).unwrap_or(0);
        let start = plus_days(date(2023, 1, 1), start_offset);
        let mut course = Course::draw(self.calendar, start, length, random);
        if self.with_anomalies && random.chance(0.75) {
            anomaly::add_anomalies(&mut course, random);
        }
        benign::add_benign_events(&mut course, random);
        let undelivered = random.chance(0.25);
        let missing: Vec<bool> = (0..length)
            .map(|_| undelivered && random.chance(0.02))
            .collect();
        course.into_series(format!("account-{number:04}"), &missing)
    }
}

/// A later date; the calendar's end is out of reach.
fn plus_days(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_has_the_mix_that_its_documentation_states() {
        let portfolio = CostPortfolio::new(9);
        let mut days_covered = 0;
        let mut by_kind = [0; AnomalyKind::ALL.len()];
        let mut without = 0;
        for number in 0..160 {
            let series = portfolio.series(number);
            let (first, last) = (series.days.first().unwrap(), series.days.last().unwrap());
            days_covered += (last.date - first.date).get_days();
            without += usize::from(series.anomalies.is_empty());
            for anomaly in &series.anomalies {
                by_kind[anomaly.kind as usize] += 1;
            }
        }
        assert!((55..76).contains(&(days_covered / 365)), "{days_covered}");
        let sum: i32 = by_kind.iter().sum();
        assert!((140..190).contains(&sum), "{by_kind:?}");
        assert!(by_kind.iter().all(|&count| count >= 10), "{by_kind:?}");
        assert!((30..60).contains(&without), "{without}");
    }
}

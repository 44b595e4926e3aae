//! What is said of each service and of the total of one day?

use jiff::civil::Date;

use super::baseline::{Fit, Past};
use super::budget::Bars;
use super::channel::{Channel, days_of, plus_days};
use super::evidence::{Case, Judgment};
use super::slots::Slots;
use super::{DailyCosts, PlannedDays};
use crate::{Reading, Verdict, score};

/// Days before a service's first cost from which on it counts as new to the account.
const KNOWN_ABSENCE: usize = 7;

/// Days from a new service's first cost until it is judged: its ramp and a week.
const ONBOARDING_DAYS: usize = 28;

/// Days from a new service's first cost until it counts in the judged total.
const NEWCOMER_DAYS: usize = 45;

/// A value with its baseline and what was found of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) fit: Fit,
    pub(super) value: f64,
    pub(super) judgment: Judgment,
}

impl Judged {
    /// By how much it is more than expected.
    pub(super) fn excess(&self) -> f64 {
        self.value - self.judgment.expected
    }

    /// By how much it is more than the weeks before something that began some days ago.
    pub(super) fn excess_over(&self, days_ago: usize) -> f64 {
        if days_ago == 0 || self.judgment.signal.is_alarm() {
            return self.excess();
        }
        let followed = self.fit.level - self.fit.level_before(days_ago);
        self.value - self.judgment.expected * (-followed).exp()
    }

    pub(super) fn verdict(&self) -> Verdict {
        Verdict {
            score: score(self.judgment.signal.ratio, 1.0),
            direction: self.judgment.signal.direction,
            actual: self.value,
            expected: self.judgment.expected,
            interval: self.judgment.interval,
        }
    }
}

/// The calendar of a day and those before it that are remembered.
#[derive(Debug)]
pub(super) struct Days {
    /// The first day that is remembered.
    pub(super) first: Date,
    pub(super) today: Date,
    slots: Vec<Slots>,
}

impl Days {
    pub(super) fn before(today: Date, n_days: usize) -> Self {
        let first = plus_days(today, -days_of(n_days));
        let slots = (0..n_days)
            .map(|day| Slots::of(plus_days(first, days_of(day))))
            .collect();
        Self {
            first,
            today,
            slots,
        }
    }
}

/// What is said of each channel of a day; `None` where there is no baseline or no cost.
#[derive(Debug)]
pub(super) struct Verdicts {
    pub(super) total: Option<Judged>,
    pub(super) services: Vec<Option<Judged>>,
}

/// The account as it was before a day.
#[derive(Debug)]
pub(super) struct Account<'a> {
    pub(super) total: &'a Channel,
    pub(super) services: &'a [Channel],
    pub(super) planned: &'a [PlannedDays],
    pub(super) bars: Bars,
}

impl Account<'_> {
    pub(super) fn judge(&self, costs: &DailyCosts) -> Verdicts {
        let days = Days::before(costs.date, self.total.n_days());
        let services: Vec<Option<Judged>> = self
            .services
            .iter()
            .map(|channel| self.judge_service(channel, costs.reading_of(&channel.name), &days))
            .collect();
        let total = self.judge_total(costs, &services, &days);
        Verdicts { total, services }
    }

    fn judge_service(&self, channel: &Channel, reading: Reading, days: &Days) -> Option<Judged> {
        if is_newer_than(channel, ONBOARDING_DAYS) || self.is_planned(days.today, &channel.name) {
            return None;
        }
        let past = service_past(channel, days);
        judge(channel, &past, reading, days, self.bars.of_a_service())
    }

    /// Judges the total without newcomers, and with what was expected in place of credits and of
    /// planned costs.
    fn judge_total(
        &self,
        costs: &DailyCosts,
        services: &[Option<Judged>],
        days: &Days,
    ) -> Option<Judged> {
        if self.planned.iter().any(|plan| plan.is_on(days.today)) {
            return None;
        }
        let past = self.total_past(days);
        let mut removed = 0.0;
        for (channel, judged) in self.services.iter().zip(services) {
            let Some(cost) = value_of(costs.reading_of(&channel.name)) else {
                continue;
            };
            if is_newer_than(channel, NEWCOMER_DAYS) {
                removed += cost;
            } else if let Some(judged) = judged.as_ref().filter(|_| cost < 0.0) {
                removed += cost - judged.judgment.expected;
            }
        }
        let reading = match costs.total {
            Reading::Final(total) => Reading::Final(total - removed),
            Reading::Partial(total) => Reading::Partial(total - removed),
            Reading::Missing => Reading::Missing,
        };
        judge(self.total, &past, reading, days, self.bars)
    }

    /// The total's past without newcomers.
    fn total_past(&self, days: &Days) -> Vec<f64> {
        let mut past = self.total.at_present_level(days.first);
        let is_new = |channel: &&Channel| is_newer_than(channel, NEWCOMER_DAYS);
        for newcomer in self.services.iter().filter(is_new) {
            for (day, total) in past.iter_mut().enumerate() {
                *total -= newcomer.cost(day).unwrap_or(0.0);
            }
        }
        past
    }

    /// What a channel's past says about a day after it.
    pub(super) fn fit_of(&self, channel: &Channel, next: Date) -> Option<Fit> {
        let days = Days::before(next, channel.n_days());
        let past = if channel.name.is_empty() {
            self.total_past(&days)
        } else {
            service_past(channel, &days)
        };
        fit(channel, &past, &days)
    }

    /// The days of a month that usually cost more or less, with the middle of the factors seen.
    pub(super) fn month_days(&self, fit: &Fit, next: Date) -> Vec<(i8, f64)> {
        let days = Days::before(next, self.total.n_days());
        (1..=next.days_in_month())
            .filter_map(|day| {
                let date = Date::new(next.year(), next.month(), day).ok()?;
                let effects = fit.month_effects(&days.slots, Slots::of(date));
                let factor = effects.expected().exp();
                (factor != 1.0).then_some((day, factor))
            })
            .collect()
    }

    fn is_planned(&self, date: Date, service: &str) -> bool {
        let service = Some(service);
        self.planned.iter().any(|plan| plan.covers(date, service))
    }
}

/// A service's past from its first cost on.
fn service_past(channel: &Channel, days: &Days) -> Vec<f64> {
    let mut past = channel.at_present_level(days.first);
    past.iter_mut()
        .take(channel.appeared())
        .for_each(|cost| *cost = f64::NAN);
    past
}

pub(super) fn value_of(reading: Reading) -> Option<f64> {
    match reading {
        Reading::Final(value) | Reading::Partial(value) => Some(super::held(value)),
        Reading::Missing => None,
    }
}

/// Whether a service appeared in an account that was known before, fewer than so many days ago.
fn is_newer_than(channel: &Channel, n_days: usize) -> bool {
    let appeared = channel.appeared();
    appeared >= KNOWN_ABSENCE && channel.n_days() - appeared < n_days
}

fn judge(
    channel: &Channel,
    past: &[f64],
    reading: Reading,
    days: &Days,
    bars: Bars,
) -> Option<Judged> {
    let value = value_of(reading)?;
    let fit = fit(channel, past, days)?;
    let last = days.slots.len().checked_sub(1);
    let judgment = Case {
        fit: &fit,
        slots: &days.slots,
        today: Slots::of(days.today),
        value,
        yesterday: last.and_then(|day| channel.cost(day)).unwrap_or(f64::NAN),
        is_partial: matches!(reading, Reading::Partial(_)),
        bars: bars.raised(channel.tolerance.single, channel.tolerance.level),
    }
    .judge();
    Some(Judged {
        fit,
        value,
        judgment,
    })
}

/// What a channel's past says about the next day.
fn fit(channel: &Channel, past: &[f64], days: &Days) -> Option<Fit> {
    let examples: Vec<f64> = past
        .iter()
        .enumerate()
        .map(|(day, value)| {
            if channel.is_set_aside(day) {
                f64::NAN
            } else {
                *value
            }
        })
        .collect();
    Fit::of(&Past {
        first_weekday: days.first.weekday(),
        examples: &examples,
        all: past,
        slots: &days.slots,
    })
}

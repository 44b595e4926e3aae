//! The days of one account, judged as they come.

use jiff::civil::Date;

use super::baseline::{Fit, MIN_DAYS, Past};
use super::episode::{Episode, Progress};
use super::evidence::{Case, Judgment, Signal};
use super::history::{Channel, Shift, days_between, plus_days};
use super::slots::Slots;
use super::{
    DailyCosts, DailyError, DayAssessment, Finding, FindingKind, Scope, Sensitivity, Stage,
};
use crate::{Assessment, Direction, Interval, Reading, Verdict, score};

/// Judges the daily costs of one account: its total and its services.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyMonitor {
    sensitivity: Sensitivity,
    last: Option<Date>,
    total: Channel,
    services: Vec<Channel>,
}

/// A service that appeared within so many days is kept out of the judged total.
const NEWCOMER_DAYS: usize = 45;

/// Days from a service's first cost until it is judged, when the account is older than it.
const ONBOARDING_DAYS: usize = 28;

/// The smallest part of the total's expected cost that a service's deviation must be.
const SMALLEST_SHARE: f64 = 0.003;

/// A channel's day: what was known of it before, and what it is.
#[derive(Debug)]
struct Judged {
    fit: Fit,
    value: f64,
    judgment: Judgment,
}

impl Default for DailyMonitor {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::default(),
            last: None,
            total: Channel::new(String::new(), 0),
            services: Vec::new(),
        }
    }
}

impl DailyMonitor {
    /// With other bars.
    #[must_use]
    pub fn with_sensitivity(mut self, sensitivity: Sensitivity) -> Self {
        self.sensitivity = sensitivity;
        self
    }

    /// Judges a day by the days before it, then learns from it.
    ///
    /// # Errors
    /// [`DailyError`]
    pub fn observe(&mut self, day: &DailyCosts) -> Result<DayAssessment, DailyError> {
        self.admit(day)?;
        let n_days = self.total.n_days();
        let first = plus_days(day.date, -(n_days as i64));
        let slots: Vec<Slots> = (0..n_days)
            .map(|offset| Slots::of(plus_days(first, offset as i64)))
            .collect();
        let today = Slots::of(day.date);
        let values: Vec<Reading> = self
            .services
            .iter()
            .map(|channel| day.reading_of(&channel.name))
            .collect();
        let newcomers: Vec<usize> = self
            .services
            .iter()
            .map(|channel| appeared(channel))
            .collect();
        let judged: Vec<Option<Judged>> = self
            .services
            .iter()
            .zip(&values)
            .zip(&newcomers)
            .map(|((channel, reading), &appeared)| {
                let age = n_days - appeared;
                if appeared >= 7 && age < ONBOARDING_DAYS {
                    return None;
                }
                let past: Vec<f64> = (0..n_days)
                    .map(|day| {
                        if day < appeared {
                            f64::NAN
                        } else {
                            past_value(channel, first, day)
                        }
                    })
                    .collect();
                self.judge(channel, &past, *reading, &slots, today, first)
            })
            .collect();
        let excluded: Vec<usize> = (0..self.services.len())
            .filter(|&service| {
                newcomers[service] >= 7 && n_days - newcomers[service] < NEWCOMER_DAYS
            })
            .collect();
        let total = self.judge_total(day, &values, &judged, &excluded, &slots, today, first);
        let assessment = self.conclude(day, total, judged, &values);
        Ok(assessment)
    }

    /// Makes room for the day: gaps become missing days, new services get a channel.
    fn admit(&mut self, day: &DailyCosts) -> Result<(), DailyError> {
        day.check()?;
        if let Some(last) = self.last {
            if day.date <= last {
                return Err(DailyError::OutOfOrder {
                    date: day.date,
                    last,
                });
            }
            let gap = days_between(last, day.date) - 1;
            for _ in 0..gap.min(super::history::HISTORY_DAYS as i64) {
                self.total.push(None, false);
                self.services
                    .iter_mut()
                    .for_each(|channel| channel.push(None, false));
            }
        }
        for (name, _) in &day.services {
            if !self.services.iter().any(|channel| channel.name == *name) {
                self.services
                    .push(Channel::new(name.clone(), self.total.n_days()));
            }
        }
        self.last = Some(day.date);
        Ok(())
    }

    fn judge(
        &self,
        channel: &Channel,
        all: &[f64],
        reading: Reading,
        slots: &[Slots],
        today: Slots,
        first: Date,
    ) -> Option<Judged> {
        let (Reading::Final(value) | Reading::Partial(value)) = reading else {
            return None;
        };
        let values: Vec<f64> = all
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
        let fit = Fit::of(&Past {
            first_weekday: first.weekday(),
            values: &values,
            all,
            slots,
        })?;
        let yesterday = slots
            .len()
            .checked_sub(1)
            .and_then(|day| channel.cost(day))
            .unwrap_or(f64::NAN);
        let mut sensitivity = self.sensitivity;
        if !channel.name.is_empty() {
            sensitivity = sensitivity.of_a_service();
        }
        sensitivity.spike *= channel.tolerance.single;
        sensitivity.level *= channel.tolerance.level;
        sensitivity.leak *= channel.tolerance.level;
        let judgment = Case {
            fit: &fit,
            slots,
            today,
            value,
            yesterday,
            sensitivity,
        }
        .judge();
        Some(Judged {
            fit,
            value,
            judgment,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "to be split")]
    fn judge_total(
        &self,
        day: &DailyCosts,
        values: &[Reading],
        judged: &[Option<Judged>],
        excluded: &[usize],
        slots: &[Slots],
        today: Slots,
        first: Date,
    ) -> Option<Judged> {
        let reading = match day.total {
            Reading::Final(mut total) => {
                for &service in excluded {
                    if let Reading::Final(cost) = values[service] {
                        total -= cost;
                    }
                }
                for (service, judged) in judged.iter().enumerate() {
                    if let (Reading::Final(cost), Some(judged)) = (values[service], judged) {
                        if cost < 0.0 {
                            total += judged.judgment.expected - cost;
                        }
                    }
                }
                Reading::Final(total)
            }
            other => other,
        };
        let past: Vec<f64> = (0..slots.len())
            .map(|day| {
                let mut total = past_value(&self.total, first, day);
                for &service in excluded {
                    total -= self.services[service].cost(day).unwrap_or(0.0);
                }
                total
            })
            .collect();
        self.judge(&self.total, &past, reading, slots, today, first)
    }

    fn conclude(
        &mut self,
        day: &DailyCosts,
        total: Option<Judged>,
        services: Vec<Option<Judged>>,
        values: &[Reading],
    ) -> DayAssessment {
        let expected_total = total
            .as_ref()
            .map_or(0.0, |judged| judged.judgment.expected);
        let mut findings = Vec::new();
        // Services first: they say who, the total only that.
        let mut raised: Vec<(usize, Signal)> = Vec::new();
        for (service, judged) in services.iter().enumerate() {
            let Some(judged) = judged else { continue };
            let channel = &mut self.services[service];
            if channel.episode.is_some() {
                if let Some(stage) = advance(channel, judged, day.date) {
                    if channel
                        .episode
                        .as_ref()
                        .is_some_and(|episode| episode.is_raised)
                    {
                        findings.push(finding(channel, judged, stage, None));
                    }
                }
                continue;
            }
            let signal = judged.judgment.signal;
            let amount = (judged.value - judged.judgment.expected).abs();
            if signal.ratio >= 1.0 && is_return(channel, signal, judged) {
                open_return(channel, judged, signal, day.date);
                continue;
            }
            if signal.ratio >= 1.0 && amount > SMALLEST_SHARE * expected_total {
                raised.push((service, signal));
            }
        }
        let mut is_total_raised = false;
        if let Some(judged) = &total {
            let signal = judged.judgment.signal;
            if self.total.episode.is_some() {
                if let Some(stage) = advance(&mut self.total, judged, day.date) {
                    if self
                        .total
                        .episode
                        .as_ref()
                        .is_some_and(|episode| episode.is_raised)
                    {
                        findings.push(finding(&self.total, judged, stage, None));
                    }
                }
            } else if signal.ratio >= 1.0 && is_return(&self.total, signal, judged) {
                open_return(&mut self.total, judged, signal, day.date);
            } else if signal.ratio >= 1.0 {
                let excess = judged.value - judged.judgment.expected;
                let explained: f64 = services
                    .iter()
                    .enumerate()
                    .filter(|(service, _)| {
                        raised.iter().any(|(raised, _)| raised == service)
                            || self.services[*service]
                                .episode
                                .as_ref()
                                .is_some_and(|episode| episode.is_raised)
                    })
                    .filter_map(|(_, judged)| judged.as_ref())
                    .map(|judged| judged.value - judged.judgment.expected)
                    .sum();
                let n_same = raised
                    .iter()
                    .filter(|(_, other)| other.direction == signal.direction)
                    .count();
                let everything = n_same >= 3 && 2 * n_same > services.iter().flatten().count();
                let is_explained =
                    explained * excess > 0.0 && explained.abs() > 0.4 * excess.abs() && !everything;
                if everything {
                    for (service, signal) in raised.drain(..) {
                        if let Some(judged) = &services[service] {
                            open(&mut self.services[service], judged, signal, day.date, false);
                        }
                    }
                }
                let culprit = largest(&services, excess).filter(|_| !everything);
                open(&mut self.total, judged, signal, day.date, !is_explained);
                if !is_explained {
                    is_total_raised = true;
                    let name = culprit.map(|service| self.services[service].name.clone());
                    findings.push(finding(&self.total, judged, Stage::Raised, name));
                    if let Some(service) = culprit {
                        if self.services[service].episode.is_none()
                            && !raised.iter().any(|(raised, _)| *raised == service)
                        {
                            if let Some(judged) = &services[service] {
                                open(&mut self.services[service], judged, signal, day.date, false);
                            }
                        }
                    }
                }
            }
        }
        let _ = is_total_raised;
        for (service, signal) in raised {
            if let Some(judged) = &services[service] {
                open(&mut self.services[service], judged, signal, day.date, true);
                let channel = &self.services[service];
                findings.push(finding(
                    channel,
                    judged,
                    Stage::Raised,
                    Some(channel.name.clone()),
                ));
            }
        }
        let assessment = match (&total, day.total) {
            (_, Reading::Missing) => Assessment::Missing,
            (Some(judged), _) => Assessment::Scored(verdict(&judged.judgment, judged.value)),
            (None, _) => Assessment::NotReady {
                have: self.total.n_days().min(MIN_DAYS - 1),
                need: MIN_DAYS,
            },
        };
        self.learn(day, values);
        DayAssessment {
            date: day.date,
            total: assessment,
            findings,
        }
    }

    fn learn(&mut self, day: &DailyCosts, values: &[Reading]) {
        let cost = |reading: Reading| match reading {
            Reading::Final(cost) => Some(cost),
            _ => None,
        };
        let is_open = self.total.episode.is_some();
        self.total.push(cost(day.total), is_open);
        for (channel, &reading) in self.services.iter_mut().zip(values) {
            let value = cost(reading);
            let is_aside = channel.episode.is_some() || value.is_some_and(|value| value < 0.0);
            channel.push(value, is_aside);
        }
    }
}

/// A past value in today's terms: before a new normal it is scaled to it, and days that are no
/// example are unknown.
fn past_value(channel: &Channel, first: Date, day: usize) -> f64 {
    let Some(cost) = channel.cost(day) else {
        return f64::NAN;
    };
    let change: f64 = channel
        .shifts
        .iter()
        .filter(|shift| days_between(first, shift.from) > day as i64)
        .map(|shift| shift.change)
        .sum();
    cost * change.exp()
}

/// The day of the first cost.
fn appeared(channel: &Channel) -> usize {
    let n_days = channel.n_days();
    (0..n_days)
        .find(|&day| channel.cost(day).is_some_and(|cost| cost > 0.0))
        .unwrap_or(n_days)
}

/// The service whose deviation in money is the largest in a direction, if it is most of it.
fn largest(services: &[Option<Judged>], excess: f64) -> Option<usize> {
    let deviation = |judged: &Judged| (judged.value - judged.judgment.expected) * excess.signum();
    let (service, judged) = services
        .iter()
        .enumerate()
        .filter_map(|(service, judged)| Some((service, judged.as_ref()?)))
        .max_by(|(_, left), (_, right)| deviation(left).total_cmp(&deviation(right)))?;
    (deviation(judged) > 0.5 * excess.abs()).then_some(service)
}

/// Whether a change only undoes one that had become normal.
fn is_return(channel: &Channel, signal: Signal, judged: &Judged) -> bool {
    let mut undone = 0.0_f64;
    channel
        .shifts
        .iter()
        .rev()
        .take_while(|shift| !shift.is_settled)
        .any(|shift| {
            undone += shift.change;
            undone * signal.change < 0.0
                && signal.change.abs() < 1.3 * undone.abs() + 2.0 * judged.fit.sigma
        })
        && signal.kind != FindingKind::Drop
}

fn open(channel: &mut Channel, judged: &Judged, signal: Signal, date: Date, is_raised: bool) {
    let since = plus_days(date, -(signal.days_ago as i64));
    let n_days = channel.n_days();
    channel.mark(n_days.saturating_sub(signal.days_ago), n_days, true);
    channel.episode = Some(Episode::open(signal, since, &judged.judgment, is_raised));
}

fn open_return(channel: &mut Channel, judged: &Judged, signal: Signal, date: Date) {
    open(channel, judged, signal, date, false);
    if let Some(episode) = &mut channel.episode {
        episode.is_return = true;
    }
}

/// Goes on with an event; its stage while it lasts.
fn advance(channel: &mut Channel, judged: &Judged, date: Date) -> Option<Stage> {
    let deviation = judged.judgment.deviation;
    let n_days = channel.n_days();
    let episode = channel.episode.as_mut()?;
    match episode.advance(deviation, judged.fit.sigma) {
        Progress::GoesOn => {
            let grows = match episode.direction {
                Direction::Fall => deviation < 0.0,
                _ => deviation > 0.0,
            };
            Some(if grows && episode.escalates(deviation) {
                Stage::Grown
            } else {
                Stage::Continuing
            })
        }
        Progress::Ended { quiet_days } => {
            let quiet = usize::from(quiet_days) - 1;
            channel.episode = None;
            channel.mark(n_days.saturating_sub(quiet), n_days, false);
            None
        }
        Progress::Accepted => {
            accept(channel, judged, date);
            None
        }
    }
}

/// Days of which the new level is learned when it is accepted.
const ACCEPTED_DAYS: usize = 5;

fn accept(channel: &mut Channel, judged: &Judged, date: Date) {
    let n_days = channel.n_days();
    let from = n_days.saturating_sub(ACCEPTED_DAYS);
    let mut deviations: Vec<f64> = (from..n_days)
        .filter_map(|day| {
            let cost = channel.cost(day)?;
            Some(judged.fit.log(cost) - judged.fit.weekday_of(day) - judged.fit.level)
        })
        .collect();
    if let Some(change) = super::robust::median(&mut deviations) {
        let is_settled = channel
            .episode
            .as_ref()
            .is_some_and(|episode| episode.is_return);
        channel.shifts.push(Shift {
            is_settled,
            from: plus_days(date, -(ACCEPTED_DAYS as i64)),
            change,
        });
    }
    channel.mark(from, n_days, false);
    channel.episode = None;
}

fn verdict(judgment: &Judgment, actual: f64) -> Verdict {
    Verdict {
        score: score(judgment.signal.ratio, 1.0),
        direction: judgment.signal.direction,
        actual,
        expected: judgment.expected,
        interval: Interval {
            low: judgment.low,
            high: judgment.high,
        },
    }
}

fn finding(channel: &Channel, judged: &Judged, stage: Stage, culprit: Option<String>) -> Finding {
    let judgment = &judged.judgment;
    let episode = channel.episode.as_ref();
    Finding {
        scope: if channel.name.is_empty() {
            Scope::Total
        } else {
            Scope::Service(channel.name.clone())
        },
        kind: episode.map_or(judgment.signal.kind, |episode| episode.kind),
        direction: episode.map_or(judgment.signal.direction, |episode| episode.direction),
        actual: judged.value,
        expected: judgment.expected,
        interval: Interval {
            low: judgment.low,
            high: judgment.high,
        },
        score: score(judgment.signal.ratio, 1.0),
        since: episode.map_or(Date::ZERO, |episode| episode.since),
        culprit,
        stage,
    }
}

//! How many messages fewer are there when alarms are merged into events?
//!
//! Series of daily costs are judged by the three plain rules of cost tools: two deviations over the
//! last seven days, three days 30 % over the fourteen before them, 50 % over the median of the same
//! weekday. Without merging each alarm is a message; with merging, each event that is opened or
//! becomes worse. What merging cannot do is to unite the false alarms that noise scatters over a year.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

use bursar_anomaly::{
    Alarm, AlertBook, DetectorKind, Direction, Interval, Policy, Update, Verdict, When, score,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::ToSpan as _;
use jiff::civil::date;

use crate::random::Random;

#[derive(Debug, Default)]
struct Counts {
    /// Alarms that are alerts by themselves: over the floor and the lines of severity.
    alarms: u64,
    /// Events that were opened, and those that became worse.
    opened: u64,
    escalated: u64,
    /// Alarms in events.
    merged: u64,
}

impl Counts {
    fn fewer_percent(&self) -> f64 {
        100.0 - (self.opened + self.escalated) as f64 / self.alarms as f64 * 100.0
    }
}

/// Whether anything is wrong with the series.
#[derive(Clone, Copy, PartialEq)]
enum Truth {
    Ordinary,
    /// In three places: a spike, a level of three weeks, a fall of three days.
    Anomalous,
}

#[test]
fn merging_loses_no_alarm_and_saves_messages_where_something_is_wrong() {
    let noise = judged(60, Truth::Ordinary);
    let faults = judged(60, Truth::Anomalous);
    for (name, counts) in [("ordinary", &noise), ("anomalous", &faults)] {
        let fewer = counts.fewer_percent();
        println!("60 {name} series of a year: {counts:?}, {fewer:.1} % fewer messages");
        assert_eq!(counts.merged, counts.alarms, "no alarm is lost");
    }
    assert!(noise.fewer_percent() > 0.0);
    assert!(faults.fewer_percent() > 50.0);
}

fn judged(n_series: u64, truth: Truth) -> Counts {
    let policy = Policy::daily();
    let mut counts = Counts::default();
    for seed in 0..n_series {
        let mut book = AlertBook::new(policy.clone());
        let costs = costs(seed, truth);
        let mut take = |updates: Vec<Update>| {
            for update in updates {
                match update {
                    Update::Opened(_) => counts.opened += 1,
                    Update::Escalated { .. } => counts.escalated += 1,
                    Update::Closed(event) => counts.merged += event.n_alarms,
                    _ => {}
                }
            }
        };
        for today in 0..costs.len() {
            for alarm in alarms(&costs[..=today], today as i64) {
                counts.alarms += u64::from(policy.judge(&alarm).is_ok());
                take(book.report(alarm).unwrap());
            }
        }
        take(book.advance(jiff::Timestamp::MAX));
    }
    counts
}

/// A year of costs around 100 USD: a fifth less on weekends, noise of 8 % that lasts.
fn costs(seed: u64, truth: Truth) -> Vec<f64> {
    let mut random = Random(seed);
    let mut wander = 0.0;
    let mut cost = |day: usize| {
        wander = 0.6 * wander + 0.064 * random.normal();
        let weekend = if day % 7 >= 5 { 0.8 } else { 1.0 };
        let fault = match day {
            100 => 2.5,
            180..=200 => 1.6,
            300..=302 => 0.3,
            _ => 1.0,
        };
        let fault = if truth == Truth::Anomalous {
            fault
        } else {
            1.0
        };
        100.0 * weekend * fault * f64::exp(wander)
    };
    (0..365).map(&mut cost).collect()
}

/// What the three rules say of the last day.
fn alarms(costs: &[f64], today: i64) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let (actual, past) = (costs[costs.len() - 1], &costs[..costs.len() - 1]);
    if past.len() >= 7 {
        let week = &past[past.len() - 7..];
        let (mean, deviation) = (mean(week), deviation(week));
        let verdict = verdict(actual, mean, 2.0 * deviation);
        alarms.extend(alarm(DetectorKind::ZScore, today, &verdict));
    }
    if costs.len() >= 17 {
        let (before, last) = costs[costs.len() - 17..].split_at(14);
        let verdict = verdict(mean(last), mean(before), 0.3 * mean(before));
        alarms.extend(alarm(DetectorKind::MovingAverage, today, &verdict));
    }
    if past.len() >= 35 {
        let mut same: Vec<f64> = (1..=5)
            .map(|week| costs[costs.len() - 1 - 7 * week])
            .collect();
        same.sort_by(f64::total_cmp);
        let verdict = verdict(actual, same[2], 0.5 * same[2]);
        alarms.extend(alarm(DetectorKind::Seasonal, today, &verdict));
    }
    alarms
}

fn alarm(kind: DetectorKind, today: i64, verdict: &Verdict) -> Option<Alarm> {
    let when = When::Day(date(2026, 1, 1).checked_add(today.days()).unwrap());
    let cents = (verdict.actual * 100.0).round() as i64;
    let cost = Money::new(rust_decimal::Decimal::new(cents, 2), Currency::USD);
    let alarm = Alarm::of_cost("x", when, cost, kind, verdict, Quantum::MINOR_UNIT).unwrap();
    verdict.is_alarm().then_some(alarm)
}

fn verdict(actual: f64, expected: f64, allowed: f64) -> Verdict {
    let direction = match actual < expected {
        true => Direction::Fall,
        false => Direction::Rise,
    };
    Verdict {
        score: score((actual - expected).abs(), allowed),
        direction,
        actual,
        expected,
        interval: Interval::around(expected, allowed),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

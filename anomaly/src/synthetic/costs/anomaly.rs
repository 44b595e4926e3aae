//! What goes wrong in an account, and by how much?

use jiff::civil::Weekday;

use super::archetype::DEVELOPMENT;
use super::course::Course;
use super::random::Random;
use super::{AnomalyKind, CostAnomaly, plus_days};

/// How many kinds are tried before an anomaly is given up, and how often each.
const KINDS_TRIED: usize = 8;
const PLACES_TRIED: usize = 10;

/// Puts one to three anomalies into a series, by its length.
pub(super) fn add_anomalies(course: &mut Course, random: &mut Random) {
    // Nothing happens in the first two to four weeks: there would be no normal to compare with.
    let warm_up = random.whole(14..=28);
    let n_anomalies = 1
        + (0..course.length() / 130)
            .filter(|_| random.chance(0.7))
            .count();
    for _ in 0..n_anomalies {
        for _ in 0..KINDS_TRIED {
            let kind = *random
                .choice(&AnomalyKind::ALL)
                .unwrap_or(&AnomalyKind::Spike);
            let is_added =
                (0..PLACES_TRIED).any(|_| add_anomaly(course, kind, warm_up, random).is_some());
            if is_added {
                break;
            }
        }
    }
}

/// The days of an anomaly, by offset.
#[derive(Debug, Clone, Copy)]
struct Days {
    first: usize,
    last: usize,
}

fn add_anomaly(
    course: &mut Course,
    kind: AnomalyKind,
    warm_up: usize,
    random: &mut Random,
) -> Option<()> {
    let days = draw_days(course, kind, warm_up, random)?;
    let service = match kind {
        AnomalyKind::Spike => add_rise(course, days, (4.0, 16.0), Shape::Step, random),
        AnomalyKind::LevelShift => add_rise(course, days, (3.0, 10.0), Shape::Step, random),
        AnomalyKind::SlowLeak => add_rise(course, days, (5.0, 12.0), Shape::Ramp, random),
        AnomalyKind::Drop => add_drop(course, days, random),
        AnomalyKind::Weekend => Some(add_weekend(course, days)?),
        AnomalyKind::Hidden => Some(add_hidden(course, days, random)?),
    };
    course.take(days.first, days.last);
    let (start, end) = (course.date(days.first), course.date(days.last));
    course.anomalies.push(CostAnomaly {
        kind,
        start,
        end,
        deadline: kind
            .days_to_find()
            .map_or(end, |days| plus_days(start, days)),
        service: service.map(|service| course.name(service).to_owned()),
    });
    Some(())
}

/// Days after the warm-up that are free and leave enough of the series to find the anomaly.
fn draw_days(
    course: &Course,
    kind: AnomalyKind,
    warm_up: usize,
    random: &mut Random,
) -> Option<Days> {
    let (shortest, longest, observed) = match kind {
        AnomalyKind::Spike => (1, 3, 1),
        AnomalyKind::LevelShift => (14, 60, 8),
        AnomalyKind::SlowLeak => (15, 45, 15),
        AnomalyKind::Drop => (1, 5, 1),
        AnomalyKind::Weekend => (2, 9, 2),
        AnomalyKind::Hidden => (10, 40, 8),
    };
    let latest = course.length().checked_sub(observed + 1)?;
    if latest < warm_up {
        return None;
    }
    let mut first = random.whole(warm_up..=latest);
    let mut n_days = random.whole(shortest..=longest);
    if kind == AnomalyKind::Weekend {
        // One weekend, or two with the week between them.
        first = (first..=latest).find(|&day| course.date(day).weekday() == Weekday::Saturday)?;
        n_days = if random.chance(0.5) { 2 } else { 9 };
    }
    let last = (first + n_days - 1).min(course.length() - 1);
    let days = Days { first, last };
    course.is_free(first, last).then_some(days)
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Step,
    Ramp,
}

/// Adds a height in standard deviations of the total to one service, or sometimes to all.
fn add_rise(
    course: &mut Course,
    days: Days,
    heights: (f64, f64),
    shape: Shape,
    random: &mut Random,
) -> Option<usize> {
    let share = random.between(heights) * course.total_sigma;
    let service = random
        .chance(0.85)
        .then(|| weighted_service(course, days, random));
    let n_days = (days.last - days.first + 1) as f64;
    for day in days.first..=days.last {
        let total = course.mean_total(days.first, days.last);
        let progress = match shape {
            Shape::Step => 1.0,
            Shape::Ramp => (day - days.first + 1) as f64 / n_days,
        };
        match service {
            Some(service) => add_to(course, service, day, share * progress * total),
            None => (0..course.services.len())
                .for_each(|service| multiply(course, service, day, 1.0 + share * progress)),
        }
    }
    service
}

/// A service, the likelier the more it costs, but small ones too.
fn weighted_service(course: &Course, days: Days, random: &mut Random) -> usize {
    let weights: Vec<f64> = (0..course.services.len())
        .map(|service| course.mean_of(service, days.first, days.last).sqrt())
        .collect();
    let mut left = random.between((0.0, weights.iter().sum()));
    weights
        .iter()
        .position(|weight| {
            left -= weight;
            left <= 0.0
        })
        .unwrap_or(0)
}

/// Everything stops, or a service that matters.
fn add_drop(course: &mut Course, days: Days, random: &mut Random) -> Option<usize> {
    let total = course.mean_total(days.first, days.last);
    let large: Vec<usize> = (0..course.services.len())
        .filter(|&service| course.mean_of(service, days.first, days.last) > 0.1 * total)
        .collect();
    let service = random
        .chance(0.7)
        .then(|| random.choice(&large).copied())
        .flatten();
    let stopped = service.map_or(0..course.services.len(), |service| service..service + 1);
    for service in stopped {
        for day in days.first..=days.last {
            multiply(course, service, day, 0.0);
        }
    }
    service
}

/// The development environment costs on Saturdays and Sundays what it costs on a workday.
fn add_weekend(course: &mut Course, days: Days) -> Option<usize> {
    let development = course
        .services
        .iter()
        .position(|service| service.archetype.name == DEVELOPMENT)?;
    for day in days.first..=days.last {
        let service = course.services.get(development)?;
        let factor = match course.date(day).weekday() {
            Weekday::Saturday => service.saturday,
            Weekday::Sunday => service.sunday,
            _ => continue,
        };
        multiply(course, development, day, 1.0 / factor);
    }
    Some(development)
}

/// A service grows by a factor, and the total hardly shows it.
fn add_hidden(course: &mut Course, days: Days, random: &mut Random) -> Option<usize> {
    let factor = random.magnitude(1.6, 7.0);
    let total = course.mean_total(days.first, days.last);
    let small: Vec<usize> = (0..course.services.len())
        .filter(|&service| {
            let added = (factor - 1.0) * course.mean_of(service, days.first, days.last);
            added < 2.0 * course.total_sigma * total
        })
        .collect();
    let service = *random.choice(&small)?;
    for day in days.first..=days.last {
        multiply(course, service, day, factor);
    }
    Some(service)
}

fn add_to(course: &mut Course, service: usize, day: usize, amount: f64) {
    if let Some(cost) = cost_mut(course, service, day) {
        *cost += amount;
    }
}

pub(super) fn multiply(course: &mut Course, service: usize, day: usize, factor: f64) {
    if let Some(cost) = cost_mut(course, service, day) {
        *cost *= factor;
    }
}

fn cost_mut(course: &mut Course, service: usize, day: usize) -> Option<&mut f64> {
    course.costs.get_mut(service)?.get_mut(day)
}

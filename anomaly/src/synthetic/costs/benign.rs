//! What looks like an anomaly and is none?

use super::anomaly::multiply;
use super::course::Course;
use super::random::Random;
use super::{BenignKind, CostAnomaly};

/// How often a series has an event of each kind. Together with the days that are not delivered,
/// about every second series has one of them.
const FREQUENCIES: [(BenignKind, f64); 6] = [
    (BenignKind::Onboarding, 0.12),
    (BenignKind::Reservation, 0.1),
    (BenignKind::Credit, 0.12),
    (BenignKind::Purchase, 0.06),
    (BenignKind::LateBooking, 0.12),
    (BenignKind::IncompleteDay, 0.15),
];

pub(super) fn add_benign_events(course: &mut Course, random: &mut Random) {
    for (kind, frequency) in FREQUENCIES {
        if random.chance(frequency) {
            add_benign_event(course, kind, random);
        }
    }
}

/// Adds the event where it has room.
fn add_benign_event(course: &mut Course, kind: BenignKind, random: &mut Random) {
    let n_days = match kind {
        BenignKind::Onboarding => random.whole(5..=20),
        BenignKind::Reservation => 14,
        BenignKind::LateBooking => 2,
        BenignKind::Credit | BenignKind::Purchase | BenignKind::IncompleteDay => 1,
    };
    let end = course.length();
    let first = match kind {
        BenignKind::IncompleteDay => end - 1,
        _ => random.whole(10..=end - 2),
    };
    let last = (first + n_days - 1).min(end - 1);
    if !course.is_free(first, last) {
        return;
    }
    match kind {
        BenignKind::Onboarding => onboard(course, first, last, random),
        BenignKind::Reservation => reserve(course, first, random),
        BenignKind::Credit => add_once(course, first, -random.between((0.3, 1.5)), random),
        BenignKind::Purchase => add_once(course, first, random.between((0.5, 3.0)), random),
        BenignKind::LateBooking => book_late(course, first, random),
        BenignKind::IncompleteDay => cut(course, first, random.between((0.2, 0.8))),
    }
    course.add_benign(kind, first, last);
}

/// A service costs nothing before, and grows to its level.
fn onboard(course: &mut Course, first: usize, last: usize, random: &mut Random) {
    let service = random.whole(0..=course.services.len() - 1);
    let name = course.name(service);
    let is_known_before = |anomaly: &CostAnomaly| anomaly.service.as_deref() == Some(name);
    if course.anomalies.iter().any(is_known_before) {
        return;
    }
    let ramp = (last - first + 1) as f64;
    for day in 0..=last {
        let progress = if day < first {
            0.0
        } else {
            (day - first + 1) as f64 / ramp
        };
        multiply(course, service, day, progress);
    }
}

/// A month of the largest service is paid at once, and it costs a third less from then on.
fn reserve(course: &mut Course, first: usize, random: &mut Random) {
    let end = course.length();
    let largest = (0..course.services.len())
        .max_by(|&left, &right| {
            let cost = |service| course.mean_of(service, first, first);
            cost(left).total_cmp(&cost(right))
        })
        .unwrap_or(0);
    let fee = course.mean_of(largest, first, first) * random.between((3.0, 12.0));
    for day in first..end {
        multiply(course, largest, day, 0.66);
    }
    add(course, largest, first, fee);
}

/// An amount, relative to the day's total, on one service.
fn add_once(course: &mut Course, day: usize, share: f64, random: &mut Random) {
    let service = random.whole(0..=course.services.len() - 1);
    let amount = share * course.mean_total(day, day);
    add(course, service, day, amount);
}

/// A part of every service's day is booked on the next.
fn book_late(course: &mut Course, day: usize, random: &mut Random) {
    let part = random.between((0.25, 0.75));
    for service in 0..course.services.len() {
        let cost = course.costs.get(service).and_then(|days| days.get(day));
        let moved = part * cost.copied().unwrap_or(0.0);
        add(course, service, day, -moved);
        add(course, service, day + 1, moved);
    }
}

fn cut(course: &mut Course, day: usize, part: f64) {
    for service in 0..course.services.len() {
        multiply(course, service, day, part);
    }
}

fn add(course: &mut Course, service: usize, day: usize, amount: f64) {
    let cost = course
        .costs
        .get_mut(service)
        .and_then(|days| days.get_mut(day));
    if let Some(cost) = cost {
        *cost += amount;
    }
}

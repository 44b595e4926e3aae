//! What does each service of an account cost on each day?

use jiff::civil::{Date, Weekday};

use super::archetype::{Monthly, Service, draw_services};
use super::calendar::{AccountCalendar, LumpDay};
use super::random::Random;
use super::{BenignEvent, BenignKind, Calendar, CostAnomaly, CostDay, CostSeries, plus_days};

/// Support and marketplaces charge most of a month on one day: that day costs 12 even ones, every
/// other a quarter of one.
const LUMP_FACTOR: f64 = 12.0;
const BETWEEN_LUMPS_FACTOR: f64 = 0.25;

/// What a workday costs, from the smallest account to the largest.
const SCALES: (f64, f64) = (3.0, 20_000.0);

/// A series in the making: costs by service and day.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) start: Date,
    pub(super) services: Vec<Service>,
    /// By service, by day.
    pub(super) costs: Vec<Vec<f64>>,
    /// The same without noise.
    pub(super) means: Vec<Vec<f64>>,
    /// The standard deviation of the total, relative to its mean, over all days.
    pub(super) total_sigma: f64,
    pub(super) anomalies: Vec<CostAnomaly>,
    pub(super) benign: Vec<BenignEvent>,
    /// Days that an event has taken, by offset.
    taken: Vec<(usize, usize)>,
}

impl Course {
    pub(super) fn draw(
        calendar: Calendar,
        start: Date,
        length: usize,
        random: &mut Random,
    ) -> Self {
        let scale = random.magnitude(SCALES.0, SCALES.1);
        let services = draw_services(scale, random);
        let account = AccountCalendar::draw(calendar, random);
        let swing = Swing::draw(random);
        let mut means = Vec::with_capacity(services.len());
        let mut costs = Vec::with_capacity(services.len());
        for service in &services {
            let lump = LumpDay::draw(calendar, random);
            let mean: Vec<f64> = (0..length)
                .map(|day| {
                    let pattern = pattern(service, &account, lump, plus_offset(start, day));
                    service.level * pattern * swing.at(day) * (service.drift * day as f64).exp()
                })
                .collect();
            costs.push(with_noise(&mean, service, random));
            means.push(mean);
        }
        let total_sigma = total_sigma(&costs, &means);
        Self {
            start,
            services,
            costs,
            means,
            total_sigma,
            anomalies: Vec::new(),
            benign: Vec::new(),
            taken: Vec::new(),
        }
    }

    pub(super) fn length(&self) -> usize {
        self.costs.first().map_or(0, Vec::len)
    }

    pub(super) fn date(&self, day: usize) -> Date {
        plus_offset(self.start, day)
    }

    pub(super) fn name(&self, service: usize) -> &'static str {
        self.services
            .get(service)
            .map_or("", |service| service.archetype.name)
    }

    /// Whether no other event lies within a week of these days.
    pub(super) fn is_free(&self, first: usize, last: usize) -> bool {
        self.taken
            .iter()
            .all(|&(from, to)| last + 7 < from || to + 7 < first)
    }

    pub(super) fn take(&mut self, first: usize, last: usize) {
        self.taken.push((first, last));
    }

    pub(super) fn add_benign(&mut self, kind: BenignKind, first: usize, last: usize) {
        self.take(first, last);
        self.benign.push(BenignEvent {
            kind,
            start: self.date(first),
            end: self.date(last),
        });
    }

    /// The mean cost of a service over some days, without noise.
    pub(super) fn mean_of(&self, service: usize, first: usize, last: usize) -> f64 {
        let days = self.means.get(service).map_or(&[][..], |days| {
            days.get(first..=last.min(days.len().saturating_sub(1)))
                .unwrap_or(&[])
        });
        days.iter().sum::<f64>() / days.len().max(1) as f64
    }

    /// The mean total over some days, without noise.
    pub(super) fn mean_total(&self, first: usize, last: usize) -> f64 {
        (0..self.services.len())
            .map(|service| self.mean_of(service, first, last))
            .sum()
    }

    pub(super) fn into_series(mut self, name: String, missing: &[bool]) -> CostSeries {
        self.anomalies.sort_by_key(|anomaly| anomaly.start);
        self.benign.sort_by_key(|event| event.start);
        let days = (0..self.length())
            .filter(|&day| !missing.get(day).copied().unwrap_or(false))
            .map(|day| self.day(day))
            .collect();
        CostSeries {
            name,
            services: (0..self.services.len())
                .map(|service| self.name(service).to_owned())
                .collect(),
            days,
            anomalies: self.anomalies,
            benign: self.benign,
        }
    }

    fn day(&self, day: usize) -> CostDay {
        let services: Vec<f64> = self
            .costs
            .iter()
            .filter_map(|costs| costs.get(day))
            .map(|cost| (cost * 1e4).round() / 1e4)
            .collect();
        let total = (services.iter().sum::<f64>() * 1e4).round() / 1e4;
        CostDay {
            date: self.date(day),
            total,
            services,
        }
    }
}

/// A slow swing over the year that all services share.
#[derive(Debug)]
struct Swing {
    height: f64,
    phase: f64,
}

impl Swing {
    fn draw(random: &mut Random) -> Self {
        Self {
            height: random.between((0.0, 0.08)),
            phase: random.between((0.0, std::f64::consts::TAU)),
        }
    }

    fn at(&self, day: usize) -> f64 {
        1.0 + self.height * (self.phase + day as f64 * std::f64::consts::TAU / 365.25).sin()
    }
}

/// The factor of the week, the month and holidays.
fn pattern(service: &Service, account: &AccountCalendar, lump: LumpDay, date: Date) -> f64 {
    let week = match date.weekday() {
        Weekday::Saturday => service.saturday,
        Weekday::Sunday => service.sunday,
        // A holiday is most of the way from a workday to a Sunday.
        _ if account.is_holiday(date) => 1.0 - 0.8 * (1.0 - service.sunday),
        _ => 1.0,
    };
    let month = match service.archetype.monthly {
        Monthly::Lump if lump.is(date) => LUMP_FACTOR,
        Monthly::Lump => BETWEEN_LUMPS_FACTOR,
        Monthly::End if account.is_month_end(date) => account.end_factor,
        Monthly::End | Monthly::Even => 1.0,
    };
    week * month
}

/// Multiplies with the exponential of noise that remembers its last value.
fn with_noise(mean: &[f64], service: &Service, random: &mut Random) -> Vec<f64> {
    let mut deviation = service.sigma * random.normal();
    let innovation = service.sigma * (1.0 - service.memory * service.memory).sqrt();
    mean.iter()
        .map(|mean| {
            let shock = if service.archetype.heavy_tailed {
                random.heavy_tailed()
            } else {
                random.normal()
            };
            deviation = service.memory * deviation + innovation * shock;
            mean * deviation.exp()
        })
        .collect()
}

fn total_sigma(costs: &[Vec<f64>], means: &[Vec<f64>]) -> f64 {
    let length = costs.first().map_or(0, Vec::len);
    let sum_of_squares: f64 = (0..length)
        .map(|day| {
            let total =
                |rows: &[Vec<f64>]| -> f64 { rows.iter().filter_map(|row| row.get(day)).sum() };
            let mean = total(means);
            let relative = (total(costs) - mean) / mean;
            relative * relative
        })
        .sum();
    (sum_of_squares / length.max(1) as f64).sqrt()
}

fn plus_offset(start: Date, days: usize) -> Date {
    plus_days(start, i64::try_from(days).unwrap_or(i64::MAX))
}

//! Which formula comes nearest to what the requests would have waited?

use std::num::NonZeroU32;

use anyhow::Context as _;
use bursar_cost_model::capacity::{
    Arrival, Queue, arrival_variation, dispersion, peakedness, simulate, squared_variation,
};
use serde::Serialize;

use crate::chart::{Chart, Line};

/// Servers that are tried, as multiples of those that are busy on average.
const MULTIPLES: [f64; 14] = [
    1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0,
];
/// The window in which arrivals are counted, in mean times of service.
const WINDOW_SERVICES: f64 = 10.0;
/// Nobody waits to speak of where the p99 is over that of the service alone by less than this.
const NO_WAIT: f64 = 1.01;

/// The formulas, in the order of the columns.
pub(crate) const MODELS: [&str; 4] = ["M/M/c", "M/G/c", "Allen-Cunneen", "Hayward"];

/// Predicted and simulated p99 of one trace.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) mean_service_seconds: f64,
    pub(crate) p99_service_seconds: f64,
    /// Servers that are busy on average.
    pub(crate) offered: f64,
    pub(crate) service_variation: f64,
    pub(crate) arrival_variation: f64,
    pub(crate) window_seconds: f64,
    pub(crate) dispersion: f64,
    pub(crate) peakedness: f64,
    pub(crate) target_seconds: f64,
    /// The fewest servers that meet the target: of the simulation, then of each model.
    pub(crate) needed: Needed,
    pub(crate) rows: Vec<Row>,
    pub(crate) accuracy: Vec<Accuracy>,
}

/// The p99 with so many servers.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) servers: u32,
    pub(crate) utilization: f64,
    /// In seconds, by each of [`MODELS`]; null where the queue grows without end.
    pub(crate) predicted: [Option<f64>; 4],
    pub(crate) simulated: f64,
}

/// The fewest servers whose p99 is within the target; null where none is found.
#[derive(Debug, Serialize)]
pub(crate) struct Needed {
    pub(crate) simulated: Option<u32>,
    pub(crate) predicted: [Option<u32>; 4],
}

/// How far a model is off.
#[derive(Debug, Serialize)]
pub(crate) struct Accuracy {
    pub(crate) model: &'static str,
    /// The mean, over the rows in which requests wait, of how many times the larger of predicted and simulated p99 is the
    /// smaller (geometric).
    pub(crate) mean_factor: f64,
    /// How many rows these are.
    pub(crate) rows: usize,
    /// In how many of them it predicts less than is simulated.
    pub(crate) too_low: usize,
    /// Whether none is nearer.
    pub(crate) nearest: bool,
}

impl Comparison {
    pub(crate) fn of(
        name: &str,
        arrivals: &[Arrival],
        target_seconds: Option<f64>,
    ) -> anyhow::Result<Self> {
        let models = Models::of(arrivals)?;
        let services = simulate(arrivals, servers(arrivals.len() as u32))?;
        let p99_service = services
            .response_quantile(0.99)
            .context("0.99 is a share")?;
        let target_seconds = target_seconds.unwrap_or(1.1 * p99_service);
        let mut rows = Vec::new();
        for multiple in MULTIPLES {
            let servers = servers((models.offered * multiple).ceil() as u32);
            let more = |row: &Row| row.servers < servers.get();
            let waits = |row: &Row| row.simulated > NO_WAIT * p99_service;
            if rows.last().is_none_or(|row| more(row) && waits(row)) {
                rows.push(models.row(arrivals, servers)?);
            }
        }
        Ok(Self {
            name: name.to_owned(),
            requests: arrivals.len(),
            seconds: models.seconds,
            requests_per_second: models.rate,
            mean_service_seconds: models.service,
            p99_service_seconds: p99_service,
            offered: models.offered,
            service_variation: models.service_variation,
            arrival_variation: models.arrival_variation,
            window_seconds: models.window,
            dispersion: models.dispersion,
            peakedness: models.peakedness,
            target_seconds,
            needed: models.needed(arrivals, target_seconds)?,
            accuracy: accuracy(&rows, NO_WAIT * p99_service),
            rows,
        })
    }

    pub(crate) fn chart(&self) -> anyhow::Result<Chart> {
        let line = |name: &str, p99: &dyn Fn(&Row) -> Option<f64>| Line {
            name: name.to_owned(),
            points: self
                .rows
                .iter()
                .filter_map(|row| Some((row.servers, p99(row)?)))
                .collect(),
        };
        let mut lines = vec![line("simulated", &|row| Some(row.simulated))];
        for (at, model) in MODELS.iter().enumerate() {
            lines.push(line(model, &|row| row.predicted[at]));
        }
        Ok(Chart {
            title: format!("p99 by servers: {}", self.name),
            lines,
            target_seconds: Some(self.target_seconds),
            marks: Vec::new(),
        })
    }
}

/// What all formulas need to know of a trace.
struct Models {
    seconds: f64,
    rate: f64,
    service: f64,
    services: Vec<f64>,
    offered: f64,
    service_variation: f64,
    arrival_variation: f64,
    window: f64,
    dispersion: f64,
    peakedness: f64,
}

impl Models {
    fn of(arrivals: &[Arrival]) -> anyhow::Result<Self> {
        let (first, last) = arrivals
            .first()
            .zip(arrivals.last())
            .context("no requests")?;
        let seconds = last.at_seconds - first.at_seconds;
        let services: Vec<f64> = arrivals.iter().map(|a| a.service_seconds).collect();
        let service = services.iter().sum::<f64>() / services.len() as f64;
        let rate = arrivals.len() as f64 / seconds;
        let window = WINDOW_SERVICES * service;
        let too_few = "the requests are too few to measure how they vary";
        Ok(Self {
            seconds,
            rate,
            service,
            offered: rate * service,
            service_variation: squared_variation(services.iter().copied()).context(too_few)?,
            arrival_variation: arrival_variation(arrivals).context(too_few)?,
            dispersion: dispersion(arrivals, window).context(too_few)?,
            peakedness: peakedness(arrivals).context(too_few)?,
            window,
            services,
        })
    }

    /// The p99 by each of [`MODELS`].
    fn predicted(&self, servers: NonZeroU32) -> anyhow::Result<[Option<f64>; 4]> {
        let queue = Queue::new(self.rate, self.service, servers)?;
        let varied = |arrivals| queue.with_variation(arrivals, self.service_variation);
        let p99 = |queue: Queue| queue.response_quantile_of(0.99, &self.services);
        Ok([
            queue.response_quantile(0.99),
            p99(varied(1.0)?),
            p99(varied(self.arrival_variation)?),
            p99(queue.with_peakedness(self.peakedness)?),
        ])
    }

    fn row(&self, arrivals: &[Arrival], servers: NonZeroU32) -> anyhow::Result<Row> {
        let run = simulate(arrivals, servers)?;
        Ok(Row {
            servers: servers.get(),
            utilization: self.offered / f64::from(servers.get()),
            predicted: self.predicted(servers)?,
            simulated: run.response_quantile(0.99).context("0.99 is a share")?,
        })
    }

    fn needed(&self, arrivals: &[Arrival], target: f64) -> anyhow::Result<Needed> {
        let simulated = fewest(self.offered, |servers| {
            let p99 = simulate(arrivals, servers)?.response_quantile(0.99);
            Ok(p99.is_some_and(|p99| p99 <= target))
        })?;
        let mut predicted = [None; 4];
        for (at, needed) in predicted.iter_mut().enumerate() {
            *needed = fewest(self.offered, |servers| {
                let p99 = self.predicted(servers)?;
                Ok(p99[at].is_some_and(|p99| p99 <= target))
            })?;
        }
        Ok(Needed {
            simulated,
            predicted,
        })
    }
}

/// The fewest servers that are enough, where more are never worse; up to 64 times of those that are
/// busy on average.
fn fewest(
    offered: f64,
    enough: impl Fn(NonZeroU32) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<u32>> {
    let (mut low, mut high) = (0, (64.0 * offered).ceil() as u32);
    if !enough(servers(high))? {
        return Ok(None);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(servers(middle))? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

fn accuracy(rows: &[Row], no_wait_seconds: f64) -> Vec<Accuracy> {
    let rows = || rows.iter().filter(|row| row.simulated > no_wait_seconds);
    let of = |(at, model): (usize, &&'static str)| {
        let pairs = rows().filter_map(|row| Some((row.predicted[at]?, row.simulated)));
        let logs: Vec<f64> = pairs.map(|(p, s)| (p / s).ln()).collect();
        let mean = logs.iter().map(|log| log.abs()).sum::<f64>() / logs.len() as f64;
        Accuracy {
            model,
            mean_factor: mean.exp(),
            rows: logs.len(),
            too_low: logs.iter().filter(|log| **log < 0.0).count(),
            nearest: false,
        }
    };
    let mut accuracy: Vec<Accuracy> = MODELS.iter().enumerate().map(of).collect();
    let nearest = accuracy
        .iter_mut()
        .min_by(|a, b| a.mean_factor.total_cmp(&b.mean_factor));
    if let Some(nearest) = nearest {
        nearest.nearest = true;
    }
    accuracy
}

/// At least one.
fn servers(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

//! What is drawn, in the terminal and as SVG.

use bursar_anomaly::{Interval, Severity, Update};
use jiff::Timestamp;

/// A point as it was judged.
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) value: Option<f64>,
    /// What was expected, and where it would have been usual.
    pub(crate) usual: Option<(f64, Interval)>,
    /// The severity and the sentence of an alarm.
    pub(crate) alarm: Option<(Severity, String)>,
}

/// A series with its events.
pub(crate) struct Drawing {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) points: Vec<Point>,
    /// What was told, oldest first: the sentence of an event that opened or became worse, and its end.
    pub(crate) told: Vec<String>,
    pub(crate) n_events: usize,
    pub(crate) n_out_of_order: usize,
}

/// After this many points of an endless series the older half is dropped.
const MOST_POINTS: usize = 200_000;

impl Drawing {
    pub(crate) fn new(name: String, unit: String) -> Self {
        Self {
            name,
            unit,
            points: Vec::new(),
            told: Vec::new(),
            n_events: 0,
            n_out_of_order: 0,
        }
    }

    pub(crate) fn push(&mut self, point: Point) {
        if self.points.len() >= MOST_POINTS {
            self.points.drain(..MOST_POINTS / 2);
        }
        self.points.push(point);
    }

    pub(crate) fn note(&mut self, updates: &[Update]) {
        for update in updates {
            match update {
                Update::Opened(event) => {
                    self.n_events += 1;
                    self.told.push(event.alert.to_string());
                }
                Update::Escalated { event, .. } => {
                    self.told.push(format!("  worse: {}", event.alert));
                }
                Update::Closed(event) => self.told.push(format!(
                    "  over: {} after {} alarms, the last at {}",
                    event.id, event.n_alarms, event.last_alarm_at
                )),
                _ => {}
            }
        }
        let n_old = self.told.len().saturating_sub(MOST_POINTS);
        self.told.drain(..n_old);
    }
}

/// Some points after each other, drawn in one place.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) at: Timestamp,
    /// The least and the largest value, where there is one.
    pub(crate) values: Option<Interval>,
    /// The widest band.
    pub(crate) usual: Option<Interval>,
    /// The highest severity, and where the values are that were alarms.
    pub(crate) alarm: Option<(Severity, Interval)>,
}

/// The points in at most so many columns, the first ones of equal numbers of points.
pub(crate) fn columns(points: &[Point], most: usize) -> Vec<Column> {
    let size = points.len().div_ceil(most.max(1)).max(1);
    points.chunks(size).map(column).collect()
}

fn column(points: &[Point]) -> Column {
    let only = |value: f64| Interval {
        low: value,
        high: value,
    };
    let alarms = points.iter().filter(|point| point.alarm.is_some());
    let alarming = alarms.clone().filter_map(|point| point.value).map(only);
    let severity = alarms.filter_map(|point| point.alarm.as_ref().map(|alarm| alarm.0));
    let values = points.iter().filter_map(|point| point.value).map(only);
    let bands = points.iter().filter_map(|point| point.usual);
    Column {
        at: points[0].at,
        values: hull(values),
        usual: hull(bands.map(|(_, interval)| interval)),
        alarm: severity.max().zip(hull(alarming)),
    }
}

/// The interval from the lowest to the highest of all.
pub(crate) fn hull(intervals: impl Iterator<Item = Interval>) -> Option<Interval> {
    intervals.reduce(|a, b| Interval {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
    })
}

/// From the least to the largest that is drawn: all values, and of the band as much as is not further
/// away than the values are from each other. `None` without a value.
pub(crate) fn reach(columns: &[Column]) -> Option<Interval> {
    let values = hull(columns.iter().filter_map(|column| column.values))?;
    let span = match values.high - values.low {
        span if span > 0.0 => span,
        _ => values.high.abs().max(1.0),
    };
    let band = hull(columns.iter().filter_map(|column| column.usual)).unwrap_or(values);
    let low = band.low.clamp(values.low - span, values.low) - span * 0.03;
    let high = band.high.clamp(values.high, values.high + span) + span * 0.03;
    // What is never negative is not drawn below zero.
    let low = if values.low >= 0.0 { low.max(0.0) } else { low };
    Some(Interval { low, high })
}

/// Round numbers within an interval, about so many, with the decimal places that tell them apart.
pub(crate) fn ticks(reach: Interval, about: f64) -> (Vec<f64>, usize) {
    let span = reach.high - reach.low;
    let power = 10f64.powf((span / about).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| span / step <= about);
    let Some(step) = step.filter(|step| step.is_normal()) else {
        return (Vec::new(), 0);
    };
    let (first, last) = ((reach.low / step).ceil(), (reach.high / step).floor());
    let n_ticks = (last - first).clamp(0.0, 100.0) as usize;
    let ticks = (0..=n_ticks).map(|n| (first + n as f64) * step).collect();
    (ticks, (-step.log10().floor()).clamp(0.0, 12.0) as usize)
}

/// A tick as short as it can be told.
pub(crate) fn label(tick: f64, places: usize) -> String {
    match tick.abs() {
        size if size >= 1e7 || places > 6 => format!("{tick:.2e}"),
        _ => format!("{tick:.places$}"),
    }
}

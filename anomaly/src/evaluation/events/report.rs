//! What do the counts of found and false alerts amount to?

use std::collections::BTreeMap;

/// How an anomaly was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Days from its start.
    pub(super) delay: u32,
    /// Whether the right service was blamed; `None` when no single service is to blame.
    pub(super) is_attributed: Option<bool>,
}

/// What has been counted so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) n_series: usize,
    pub(super) n_days: u64,
    pub(super) false_incidents: usize,
    by_kind: BTreeMap<String, KindTally>,
}

#[derive(Debug, Clone, Default)]
struct KindTally {
    n_anomalies: usize,
    delays: Vec<u32>,
    attributable: usize,
    attributed: usize,
}

impl Tally {
    pub(super) fn add_anomaly(&mut self, kind: &str, found: Option<Found>) {
        let tally = self.by_kind.entry(kind.to_owned()).or_default();
        tally.n_anomalies += 1;
        if let Some(found) = found {
            tally.delays.push(found.delay);
            tally.attributable += usize::from(found.is_attributed.is_some());
            tally.attributed += usize::from(found.is_attributed == Some(true));
        }
    }

    pub(super) fn report(&self) -> EventReport {
        let kinds = || self.by_kind.values();
        let anomalies = kinds().map(|kind| kind.n_anomalies).sum();
        let delays: Vec<u32> = kinds().flat_map(|kind| kind.delays.clone()).collect();
        let found = delays.len();
        let precision = ratio(found, found + self.false_incidents);
        let recall = ratio(found, anomalies);
        let series_years = self.n_days as f64 / DAYS_OF_YEAR;
        EventReport {
            series: self.n_series,
            series_years,
            anomalies,
            found,
            false_incidents: self.false_incidents,
            precision,
            recall,
            f1: ratio(2 * found, found + self.false_incidents + anomalies),
            false_per_series_year: (self.n_days > 0)
                .then(|| self.false_incidents as f64 / series_years),
            median_delay: median(&delays),
            mean_delay: mean(&delays),
            attribution: ratio(
                kinds().map(|kind| kind.attributed).sum(),
                kinds().map(|kind| kind.attributable).sum(),
            ),
            kinds: self.by_kind.iter().map(KindReport::new).collect(),
        }
    }
}

/// The mean length of a year of the Gregorian calendar.
const DAYS_OF_YEAR: f64 = 365.2425;

/// How good the alerts were. A ratio of nothing to nothing is `None`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventReport {
    /// How many series were watched.
    pub series: usize,
    /// For how long, in years, summed over the series.
    pub series_years: f64,
    /// How many anomalies there were.
    pub anomalies: usize,
    /// How many of them were found in time.
    pub found: usize,
    /// How often an alert was about nothing.
    pub false_incidents: usize,
    /// Found ÷ (found + false incidents).
    pub precision: Option<f64>,
    /// Found ÷ anomalies.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// False incidents in a year of one series.
    pub false_per_series_year: Option<f64>,
    /// Median days from the start of a found anomaly to its first alert.
    pub median_delay: Option<f64>,
    /// The mean of the same.
    pub mean_delay: Option<f64>,
    /// Of the found anomalies that one service causes: those whose first alert blames it.
    pub attribution: Option<f64>,
    /// The same by kind, in the order of their names.
    pub kinds: Vec<KindReport>,
}

/// How well anomalies of one kind were found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KindReport {
    /// The kind, as labelled.
    pub kind: String,
    /// How many there were.
    pub anomalies: usize,
    /// How many were found in time.
    pub found: usize,
    /// Found ÷ anomalies.
    pub recall: Option<f64>,
    /// Median days from start to first alert, of those found.
    pub median_delay: Option<f64>,
    /// The mean of the same.
    pub mean_delay: Option<f64>,
    /// Of those found that one service causes: where it was blamed.
    pub attribution: Option<f64>,
}

impl KindReport {
    fn new((kind, tally): (&String, &KindTally)) -> Self {
        Self {
            kind: kind.clone(),
            anomalies: tally.n_anomalies,
            found: tally.delays.len(),
            recall: ratio(tally.delays.len(), tally.n_anomalies),
            median_delay: median(&tally.delays),
            mean_delay: mean(&tally.delays),
            attribution: ratio(tally.attributed, tally.attributable),
        }
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(delays: &[u32]) -> Option<f64> {
    let sum: f64 = delays.iter().copied().map(f64::from).sum();
    (!delays.is_empty()).then(|| sum / delays.len() as f64)
}

fn median(delays: &[u32]) -> Option<f64> {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = f64::from(*sorted.get(middle)?);
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = f64::from(*sorted.get(middle.checked_sub(1)?)?);
    Some((lower + upper) / 2.0)
}

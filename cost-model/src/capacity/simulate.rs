//! What would these very requests have waited, with so many servers?

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::num::NonZeroU32;

use super::CapacityError;

/// A request: when it comes, and how long a server is busy with it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Arrival {
    /// Seconds since some moment that all requests share.
    pub at_seconds: f64,
    /// Seconds of service.
    pub service_seconds: f64,
}

/// What a simulation showed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Simulated {
    /// How many servers there were.
    pub servers: u32,
    /// How many requests there were.
    pub requests: usize,
    /// The share of requests that waited.
    pub waited: f64,
    /// The mean of waiting, in seconds.
    pub mean_wait: f64,
    /// The mean of waiting and service, in seconds.
    pub mean_response: f64,
    /// The share of the servers' time, from the first arrival to the last answer, that they were
    /// busy.
    pub utilization: f64,
    /// Waiting and service of every request in seconds, in ascending order.
    #[cfg_attr(feature = "serde", serde(skip))]
    responses: Vec<f64>,
}

impl Simulated {
    /// The seconds in which this share of the requests was answered: the smallest response that so
    /// many are not above (nearest rank); `None` when the share is not between 0 and 1.
    #[must_use]
    pub fn response_quantile(&self, share: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = (share * self.responses.len() as f64).ceil() as usize;
        self.responses.get(rank.max(1) - 1).copied()
    }

    /// The responses in seconds, in ascending order.
    #[must_use]
    pub fn responses(&self) -> &[f64] {
        &self.responses
    }
}

/// Lets requests wait in one line for the next free of some servers, first come first served,
/// beginning with all of them free.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::capacity::{Arrival, simulate};
///
/// let at = |at_seconds| Arrival { at_seconds, service_seconds: 2.0 };
/// let run = simulate(&[at(0.0), at(0.5), at(5.0)], NonZeroU32::MIN)?;
/// // The second waits from 0.5 to 2.0 and is answered at 4.0.
/// assert_eq!(run.responses(), [2.0, 2.0, 3.5]);
/// assert_eq!(run.mean_wait, 0.5);
/// # Ok::<(), bursar_cost_model::capacity::CapacityError>(())
/// ```
///
/// # Errors
/// [`CapacityError::NoArrivals`] of nothing, [`CapacityError::Arrival`] for a request that comes
/// before the one above it, or has a time that is no number or below zero.
pub fn simulate(arrivals: &[Arrival], servers: NonZeroU32) -> Result<Simulated, CapacityError> {
    let first = check(arrivals)?;
    // Servers that were never used are free from the beginning; they need no place in the heap.
    let mut busy_until: BinaryHeap<Reverse<Moment>> = BinaryHeap::new();
    let mut responses = Vec::with_capacity(arrivals.len());
    let (mut waited, mut waiting, mut work, mut end) = (0_usize, 0.0, 0.0, first);
    for arrival in arrivals {
        let unused = busy_until.len() < servers.get() as usize;
        let free = if unused {
            arrival.at_seconds
        } else {
            busy_until
                .pop()
                .map_or(arrival.at_seconds, |Reverse(moment)| moment.0)
        };
        let start = free.max(arrival.at_seconds);
        let done = start + arrival.service_seconds;
        busy_until.push(Reverse(Moment(done)));
        let wait = start - arrival.at_seconds;
        waited += usize::from(wait > 0.0);
        waiting += wait;
        work += arrival.service_seconds;
        end = f64::max(end, done);
        responses.push(wait + arrival.service_seconds);
    }
    let n_requests = arrivals.len() as f64;
    let mean_response = responses.iter().sum::<f64>() / n_requests;
    responses.sort_by(f64::total_cmp);
    let span = (end - first) * f64::from(servers.get());
    Ok(Simulated {
        servers: servers.get(),
        requests: arrivals.len(),
        waited: waited as f64 / n_requests,
        mean_wait: waiting / n_requests,
        mean_response,
        utilization: if span > 0.0 { work / span } else { 0.0 },
        responses,
    })
}

/// The moment of the first request.
fn check(arrivals: &[Arrival]) -> Result<f64, CapacityError> {
    let first = arrivals.first().ok_or(CapacityError::NoArrivals)?;
    let mut last = f64::NEG_INFINITY;
    for (index, arrival) in arrivals.iter().enumerate() {
        let problem = if !arrival.at_seconds.is_finite() {
            "its time is no number"
        } else if arrival.at_seconds < last {
            "it comes before the one above it"
        } else if !(arrival.service_seconds.is_finite() && arrival.service_seconds >= 0.0) {
            "its service is no time"
        } else {
            last = arrival.at_seconds;
            continue;
        };
        return Err(CapacityError::Arrival { index, problem });
    }
    Ok(first.at_seconds)
}

/// A moment in seconds, which is a number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moment(f64);

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Moment) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Moment) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The squared coefficient of variation of numbers: variance ÷ square of the mean. `None` of fewer
/// than two, and where the mean is not above zero.
///
/// ```
/// use bursar_cost_model::capacity::squared_variation;
///
/// assert_eq!(squared_variation([5.0, 5.0, 5.0]), Some(0.0));
/// // Mean 2, variance 1.
/// assert_eq!(squared_variation([1.0, 3.0]), Some(0.25));
/// ```
#[must_use]
pub fn squared_variation(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let numbers: Vec<f64> = numbers.into_iter().collect();
    let n_numbers = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n_numbers;
    if numbers.len() < 2 || !(mean > 0.0 && mean.is_finite()) {
        return None;
    }
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n_numbers;
    Some(variance / (mean * mean))
}

/// The squared coefficient of variation of the times between arrivals: 1 when they are Poisson.
/// `None` as of [`squared_variation`].
#[must_use]
pub fn arrival_variation(arrivals: &[Arrival]) -> Option<f64> {
    let gap = |pair: &[Arrival]| match pair {
        [first, second] => second.at_seconds - first.at_seconds,
        _ => 0.0,
    };
    squared_variation(arrivals.windows(2).map(gap))
}

/// How much more than Poisson the number of busy servers would vary if nobody ever waited: variance ÷
/// mean over the time from the first arrival to the last, 1 when arrivals are Poisson.
///
/// It measures bursts over the very time that they matter for, that of the services, and is what
/// [`Queue::with_peakedness`](super::Queue::with_peakedness) needs. `None` when no time passes, or
/// no server is ever busy.
///
/// ```
/// use bursar_cost_model::capacity::{Arrival, peakedness};
///
/// let at = |at_seconds| Arrival { at_seconds, service_seconds: 1.0 };
/// // Two are busy for half of the time: mean 1, variance 1.
/// assert_eq!(peakedness(&[at(0.0), at(0.0), at(2.0)]), Some(1.0));
/// ```
#[must_use]
pub fn peakedness(arrivals: &[Arrival]) -> Option<f64> {
    let (first, last) = (arrivals.first()?.at_seconds, arrivals.last()?.at_seconds);
    let span = last - first;
    let mut changes: Vec<(f64, f64)> = arrivals
        .iter()
        .flat_map(|a| {
            [
                (a.at_seconds, 1.0),
                (a.at_seconds + a.service_seconds, -1.0),
            ]
        })
        .collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut busy, mut since) = (0.0, first);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, change) in changes {
        let lasted = at.min(last) - since;
        sum += busy * lasted;
        squares += busy * busy * lasted;
        since = at.min(last);
        busy += change;
    }
    let (mean, mean_square) = (sum / span, squares / span);
    let measured = (mean_square - mean * mean) / mean;
    (span > 0.0 && mean > 0.0 && measured.is_finite()).then_some(measured)
}

/// How much more than Poisson the number of arrivals varies from one window to the next: variance ÷
/// mean of the counts in consecutive windows of so many seconds, 1 when they are Poisson.
///
/// For arrivals that do not know of each other this is their squared coefficient of variation in
/// every window; where it grows with the window, bursts follow each other, and what a queue meets
/// is worse than the variation of single gaps says. `None` with fewer than two whole windows.
#[must_use]
pub fn dispersion(arrivals: &[Arrival], window_seconds: f64) -> Option<f64> {
    let (first, last) = (arrivals.first()?, arrivals.last()?);
    if window_seconds.is_nan() || window_seconds <= 0.0 {
        return None;
    }
    let n_windows = ((last.at_seconds - first.at_seconds) / window_seconds).floor();
    // More windows than arrivals by far hold nothing to count.
    if !(2.0..=1e8).contains(&n_windows) {
        return None;
    }
    let n_windows = n_windows as usize;
    let mut counts = vec![0.0; n_windows];
    for arrival in arrivals {
        let window = ((arrival.at_seconds - first.at_seconds) / window_seconds) as usize;
        if let Some(count) = counts.get_mut(window) {
            *count += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / n_windows as f64;
    Some(squared_variation(counts)? * mean)
}

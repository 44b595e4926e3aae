//! How long does a request wait, and how many servers keep nearly all of them quick?

use std::num::NonZeroU32;

use super::CapacityError;

/// No more servers are looked for.
pub(super) const MOST_SERVERS: u32 = 1_000_000;

/// Halvings of an interval that holds a quantile: enough for every digit of an `f64`.
const HALVINGS: u32 = 100;

/// The probability that all servers are busy when requests that find them so go away.
///
/// Erlang's first formula, by its recursion over the servers, B(n) = a·B(n−1) ÷ (n + a·B(n−1)):
/// every step is a number between 0 and 1, so it holds for any number of servers where powers and
/// factorials would overflow. Source: A. K. Erlang (1917); the recursion: Cooper, *Introduction to
/// Queueing Theory*, 2nd ed., eq. 3.2.6.
///
/// `offered` is the load in servers' worth of work (requests a second × seconds of service); what is
/// no number or below zero counts as nothing.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::capacity::erlang_b;
///
/// // 10 erlang on 15 lines, as in every table of Erlang B.
/// let blocked = erlang_b(10.0, NonZeroU32::new(15).unwrap());
/// assert_eq!(format!("{blocked:.4}"), "0.0365");
/// ```
#[must_use]
pub fn erlang_b(offered: f64, servers: NonZeroU32) -> f64 {
    if offered == f64::INFINITY {
        return 1.0;
    }
    let offered = if offered > 0.0 { offered } else { 0.0 };
    let step = |blocked: f64, n: u32| offered * blocked / (f64::from(n) + offered * blocked);
    (1..=servers.get()).fold(1.0, step)
}

/// The probability that a request has to wait, when those that find all servers busy queue; 1 where
/// the load is as large as the servers, for then the queue grows without end.
///
/// Erlang's second formula, from the first: C = B ÷ (1 − ρ·(1 − B)) with ρ = offered ÷ servers.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::capacity::erlang_c;
///
/// // 100 calls of 180 s in half an hour are 10 erlang; with 14 agents 17.4 % wait.
/// let waiting = erlang_c(10.0, NonZeroU32::new(14).unwrap());
/// assert_eq!(format!("{waiting:.3}"), "0.174");
/// ```
#[must_use]
pub fn erlang_c(offered: f64, servers: NonZeroU32) -> f64 {
    let busy = offered / f64::from(servers.get());
    if busy >= 1.0 {
        return 1.0;
    }
    let blocked = erlang_b(offered, servers);
    let busy = busy.max(0.0);
    (blocked / (1.0 - busy * (1.0 - blocked))).clamp(0.0, 1.0)
}

/// Waiting is not taken for less than this part of that of M/M/c.
const LEAST_STRETCH: f64 = 1e-9;

/// Peakedness is not taken for less than this.
const LEAST_PEAKEDNESS: f64 = 0.01;

/// Requests that wait in one line, first come first served, for the next free of some servers.
///
/// With [`new`](Self::new) it is M/M/c: arrivals are Poisson and times of service exponential, and
/// the distribution of waiting and response is exact. [`with_variation`](Self::with_variation) bends
/// it to arrivals and services that vary more or less, which is an approximation.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::capacity::Queue;
///
/// // One server of 1 ms at 900 requests a second: the response is exponential with 1,000 − 900
/// // a second, so that one in a hundred takes over ln(100) ÷ 100 s.
/// let queue = Queue::new(900.0, 0.001, NonZeroU32::MIN)?;
/// let p99 = queue.response_quantile(0.99).expect("the load is under 1");
/// assert_eq!(format!("{:.1} ms", 1_000.0 * p99), "46.1 ms");
/// # Ok::<(), bursar_cost_model::capacity::CapacityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Queue {
    arrivals_per_second: f64,
    service_seconds: f64,
    servers: NonZeroU32,
    /// What waiting is longer than that of M/M/c.
    stretch: f64,
    waiting: f64,
}

impl Queue {
    /// M/M/c of so many requests a second, so many seconds of service on average, and so many
    /// servers.
    ///
    /// # Errors
    /// [`CapacityError::Value`] for a rate below zero, a time of zero or less, and what is no
    /// number.
    pub fn new(
        arrivals_per_second: f64,
        service_seconds: f64,
        servers: NonZeroU32,
    ) -> Result<Queue, CapacityError> {
        super::check_rate("requests a second", arrivals_per_second)?;
        super::check_positive("seconds of service", service_seconds)?;
        let offered = arrivals_per_second * service_seconds;
        super::check_rate("offered load", offered)?;
        let capacity = f64::from(servers.get()) / service_seconds;
        super::check_rate("requests that the servers answer a second", capacity)?;
        Ok(Queue {
            arrivals_per_second,
            service_seconds,
            servers,
            stretch: 1.0,
            waiting: erlang_c(offered, servers),
        })
    }

    /// The same queue with arrivals and services of these squared coefficients of variation
    /// (variance ÷ square of the mean; 1 for Poisson arrivals and for exponential services).
    ///
    /// Allen and Cunneen: waiting is (Cₐ² + Cₛ²) ÷ 2 times that of M/M/c; for one server this is
    /// Kingman's formula. The probability to wait is left as it is, and the tail of waiting stays
    /// exponential. Sources: Allen, *Probability, Statistics and Queueing Theory*, 2nd ed., 1990,
    /// section 5.3.4; Kingman, *The single server queue in heavy traffic*, 1961.
    ///
    /// Arrivals whose bursts follow each other are worse than their Cₐ² says:
    /// [`dispersion`](super::dispersion) shows it, and [`with_peakedness`](Self::with_peakedness)
    /// allows for it.
    ///
    /// # Errors
    /// [`CapacityError::Value`] below zero, or for what is no number.
    pub fn with_variation(self, arrivals: f64, services: f64) -> Result<Queue, CapacityError> {
        super::check_rate("variation of arrivals", arrivals)?;
        super::check_rate("variation of services", services)?;
        Ok(Queue {
            // Without any variation nobody waits; a hair of it keeps the arithmetic finite.
            stretch: f64::midpoint(arrivals, services).max(LEAST_STRETCH),
            ..self
        })
    }

    /// The same queue with arrivals of this [`peakedness`](super::peakedness): 1 for Poisson, more
    /// for arrivals in bursts.
    ///
    /// Hayward: c servers under a load of peakedness z are like c ÷ z servers under a Poisson load
    /// of a z-th, as if all came in groups of z. Unlike the correction by variation it knows that
    /// bursts find servers busy which are idle on average, so it is the one to take where arrivals
    /// are far from Poisson. Between whole servers the logarithm of [`erlang_c`] is interpolated.
    /// Source: Fredericks, *Congestion in blocking systems: a simple approximation technique*, Bell
    /// System Technical Journal 59(6), 1980.
    ///
    /// # Errors
    /// [`CapacityError::Value`] for zero or less, or for what is no number.
    pub fn with_peakedness(self, peakedness: f64) -> Result<Queue, CapacityError> {
        super::check_positive("peakedness", peakedness)?;
        let groups = peakedness.max(LEAST_PEAKEDNESS);
        let offered = self.arrivals_per_second * self.service_seconds;
        let servers = f64::from(self.servers.get()) / groups;
        Ok(Queue {
            stretch: groups,
            waiting: erlang_c_between(offered / groups, servers),
            ..self
        })
    }

    /// The share of time that a server is busy; 1 or more where they cannot keep up.
    #[must_use]
    pub fn utilization(&self) -> f64 {
        self.arrivals_per_second * self.service_seconds / f64::from(self.servers.get())
    }

    /// The probability that a request waits: [`erlang_c`], or what a peakedness makes of it.
    #[must_use]
    pub fn wait_probability(&self) -> f64 {
        self.waiting
    }

    /// The mean of waiting in seconds, over all requests; `None` where the queue grows without end.
    #[must_use]
    pub fn mean_wait(&self) -> Option<f64> {
        Some(self.waiting / self.drain()?)
    }

    /// The probability to wait longer than this; 1 where the queue grows without end.
    #[must_use]
    pub fn wait_tail(&self, seconds: f64) -> f64 {
        match self.drain() {
            None => 1.0,
            Some(_) if seconds < 0.0 => 1.0,
            Some(drain) => self.waiting * (-drain * seconds).exp(),
        }
    }

    /// The probability that waiting and service together take longer than this, with exponential
    /// times of service.
    ///
    /// A request that waits has an exponential wait of rate θ = c·μ − λ and an exponential service
    /// of rate μ, so its response is their sum.
    #[must_use]
    pub fn response_tail(&self, seconds: f64) -> f64 {
        let Some(drain) = self.drain() else {
            return 1.0;
        };
        if seconds <= 0.0 {
            return 1.0;
        }
        let service = 1.0 / self.service_seconds;
        let at_once = (-service * seconds).exp();
        let after_wait = sum_tail(drain, service, seconds);
        (1.0 - self.waiting) * at_once + self.waiting * after_wait
    }

    /// The seconds in which this share of requests is answered, 0.99 for the p99; `None` where the
    /// queue grows without end, or the share is not between 0 and 1.
    #[must_use]
    pub fn response_quantile(&self, share: f64) -> Option<f64> {
        self.quantile(share, |seconds| self.response_tail(seconds))
    }

    /// As [`response_quantile`](Self::response_quantile), with times of service as they were
    /// measured in place of exponential ones: the wait is that of this queue, and independent of
    /// the service that follows. `None` also without measurements.
    #[must_use]
    pub fn response_quantile_of(&self, share: f64, services: &[f64]) -> Option<f64> {
        if services.is_empty() || !services.iter().all(|s| s.is_finite() && *s >= 0.0) {
            return None;
        }
        let n_services = services.len() as f64;
        self.quantile(share, |seconds| {
            let late = |service: &f64| {
                if *service > seconds {
                    1.0
                } else {
                    self.wait_tail(seconds - service)
                }
            };
            services.iter().map(late).sum::<f64>() / n_services
        })
    }

    /// The point at which a falling tail is 1 − share.
    fn quantile(&self, share: f64, tail: impl Fn(f64) -> f64) -> Option<f64> {
        self.drain()?;
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        let missed = 1.0 - share;
        let (mut low, mut high) = (0.0, self.service_seconds);
        while tail(high) > missed {
            low = high;
            high *= 2.0;
            if !high.is_finite() {
                return None;
            }
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if tail(middle) > missed {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// The rate at which a wait ends; `None` where it does not.
    fn drain(&self) -> Option<f64> {
        let capacity = f64::from(self.servers.get()) / self.service_seconds;
        let drain = (capacity - self.arrivals_per_second) / self.stretch;
        (drain > 0.0).then_some(drain)
    }
}

/// Erlang C of a number of servers that is not whole: by its logarithm, between the whole numbers
/// beside it, or between the load, where all wait, and the whole number above it.
fn erlang_c_between(offered: f64, servers: f64) -> f64 {
    let below = servers.floor().max(offered);
    let above = servers.floor() + 1.0;
    if servers <= below {
        return if servers <= offered {
            1.0
        } else {
            whole(offered, servers)
        };
    }
    let part = (servers - below) / (above - below);
    whole(offered, below).powf(1.0 - part) * whole(offered, above).powf(part)
}

/// Erlang C of a number of servers that is whole, or that is the load.
fn whole(offered: f64, servers: f64) -> f64 {
    if servers <= offered {
        return 1.0;
    }
    NonZeroU32::new(servers as u32).map_or(1.0, |n| erlang_c(offered, n))
}

/// P(X + Y > t) for independent exponentials of these rates, also where the rates are near each
/// other: (a·e^(−bt) − b·e^(−at)) ÷ (a − b), written so that no two large numbers are subtracted.
fn sum_tail(one: f64, other: f64, seconds: f64) -> f64 {
    let (slow, quick) = (one.min(other), one.max(other));
    let gap = quick - slow;
    let grown = if gap * seconds < 1e-12 {
        slow * seconds
    } else {
        slow * -(-gap * seconds).exp_m1() / gap
    };
    let tail = (-slow * seconds).exp() * (1.0 + grown);
    tail.clamp(0.0, 1.0)
}

/// The fewest servers with which this share of requests is answered within a time.
///
/// `None` when no number of servers does: with exponential services, one request in a hundred takes
/// over 4.6 times the mean of service even if none waits.
///
/// ```
/// use bursar_cost_model::capacity::servers_for;
///
/// // 500 requests a second of 2 ms: one server would be busy all the time.
/// let servers = servers_for(500.0, 0.002, 0.99, 0.020)?;
/// assert_eq!(servers.map(|n| n.get()), Some(2));
/// assert_eq!(servers_for(500.0, 0.002, 0.99, 0.009)?, None);
/// # Ok::<(), bursar_cost_model::capacity::CapacityError>(())
/// ```
///
/// # Errors
/// [`CapacityError::Value`] for what is no rate, time or share; [`CapacityError::TooMany`] when over
/// a million servers would be needed.
pub fn servers_for(
    arrivals_per_second: f64,
    service_seconds: f64,
    share: f64,
    within_seconds: f64,
) -> Result<Option<NonZeroU32>, CapacityError> {
    let poisson = 1.0;
    servers_for_bursts(
        arrivals_per_second,
        poisson,
        service_seconds,
        share,
        within_seconds,
    )
}

/// As [`servers_for`], for arrivals of this peakedness.
pub(super) fn servers_for_bursts(
    arrivals_per_second: f64,
    peakedness: f64,
    service_seconds: f64,
    share: f64,
    within_seconds: f64,
) -> Result<Option<NonZeroU32>, CapacityError> {
    super::check_positive("seconds of response", within_seconds)?;
    if !(share > 0.0 && share < 1.0) {
        return Err(CapacityError::Value {
            what: "share of requests",
            value: share,
        });
    }
    let queue = |servers: u32| {
        let servers = NonZeroU32::new(servers).unwrap_or(NonZeroU32::MIN);
        Queue::new(arrivals_per_second, service_seconds, servers)?.with_peakedness(peakedness)
    };
    queue(1)?;
    if (-within_seconds / service_seconds).exp() > 1.0 - share {
        return Ok(None);
    }
    let offered = arrivals_per_second * service_seconds;
    if offered >= f64::from(MOST_SERVERS) {
        return Err(CapacityError::TooMany { needed: offered });
    }
    fewest(offered as u32, |servers| {
        Ok(queue(servers)?.response_tail(within_seconds) <= 1.0 - share)
    })
}

/// The fewest servers that are enough, of which `too_few` are not: doubling what is added finds an
/// end, halving finds the fewest. `None` when twice the most are not enough.
fn fewest(
    too_few: u32,
    enough: impl Fn(u32) -> Result<bool, CapacityError>,
) -> Result<Option<NonZeroU32>, CapacityError> {
    let (mut low, mut added) = (too_few, 1);
    while !enough(too_few + added)? {
        low = too_few + added;
        added *= 2;
        if added > MOST_SERVERS {
            return Ok(None);
        }
    }
    let mut high = too_few + added;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(NonZeroU32::new(high))
}

//! Is it worth asking a server that has failed? A circuit breaker as a state machine without a clock.
//!
//! Closed, it lets every call through and watches the outcomes; it opens after a number of failures
//! in a row, or when more than a given part of the calls in a sliding window failed. Open, it lets
//! none through for a back-off that doubles from time to time. Then it is half-open and lets one
//! call at a time through as a probe, until enough of them have succeeded or one has failed.
//!
//! The states and names are those of Nygard, "Release It!" (2007), and of resilience4j; three things
//! differ. A rate of failures opens the breaker when it is *over* the threshold, not at it. Every
//! call carries the generation in which it began, so the outcome of a call from before the breaker
//! opened never counts as that of a probe. And a probe has a deadline: if its caller vanishes, the
//! next one is let through, so half-open is never for good.

mod window;

use std::time::Duration;

use thiserror::Error;

use self::window::Window;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Lets calls through while a server answers, and few of them while it does not.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::Timestamp;
/// use bursar_ratelimit::breaker::{Breaker, Phase, Settings};
///
/// let mut settings = Settings::default();
/// settings.consecutive_failures = 2;
/// settings.backoff = Duration::from_secs(1);
/// settings.jitter_percent = 0;
/// let breaker = Breaker::new(settings);
///
/// let now = Timestamp::from_secs(10);
/// for _ in 0..2 {
///     breaker.permit(now)?.failed(now);
/// }
/// let open = breaker.permit(now).expect_err("two failures in a row open it");
/// assert_eq!(open.retry_after, Duration::from_secs(1));
///
/// // One probe at a time; it succeeds.
/// let later = now + open.retry_after;
/// let probe = breaker.permit(later)?;
/// assert!(breaker.permit(later).is_err());
/// probe.succeeded(later);
/// assert_eq!(breaker.phase(later), Phase::Closed);
/// # Ok::<(), bursar_ratelimit::breaker::Open>(())
/// ```
#[derive(Debug)]
pub struct Breaker {
    settings: Settings,
    state: Mutex<State>,
}

/// When a [`Breaker`] opens, and how it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Failures in a row that open it, at least 1.
    pub consecutive_failures: u32,
    /// It also opens when more than this part of the calls in the window failed; 100 and more never
    /// do.
    pub failure_percent: u8,
    /// The fewest calls in the window that say anything about the part that failed, at least 1.
    pub minimum_calls: u32,
    /// How long an outcome counts, in sixteen steps: one is forgotten between 15 and 16 sixteenths
    /// of the window after it came.
    pub window: Duration,
    /// How long it stays open at first; at least 1 ns.
    pub backoff: Duration,
    /// How long it stays open at most; the back-off doubles until then.
    pub longest_backoff: Duration,
    /// By up to how much of itself each back-off is cut at random, up to 100, so that instances do
    /// not probe all at once.
    pub jitter_percent: u8,
    /// What that randomness is made from; give each instance a seed of its own.
    pub seed: u64,
    /// Probes in a row that have to succeed before it closes, at least 1.
    pub probes: u32,
    /// How long a probe may take before the next one is let through.
    pub probe_time: Duration,
}

impl Default for Settings {
    /// Five failures in a row, or more than half of at least 20 calls in ten seconds; a back-off
    /// from 200 ms to 10 s, cut by up to a fifth; one probe, for at most a second.
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_percent: 50,
            minimum_calls: 20,
            window: Duration::from_secs(10),
            backoff: Duration::from_millis(200),
            longest_backoff: Duration::from_secs(10),
            jitter_percent: 20,
            seed: 0,
            probes: 1,
            probe_time: Duration::from_secs(1),
        }
    }
}

/// What a breaker does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It is let through.
    Closed,
    /// It is not.
    Open,
    /// It is let through if no probe is under way.
    HalfOpen,
}

/// The breaker let a call not through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the circuit breaker is open; the next probe may go in {retry_after:?}")]
#[non_exhaustive]
pub struct Open {
    /// The time to the next probe, never zero. While a probe is under way: to its deadline.
    pub retry_after: Duration,
}

#[derive(Debug)]
struct State {
    phase: StatePhase,
    /// Grows with every change of the phase and with every probe. Outcomes of another generation
    /// are dropped.
    generation: u64,
    /// Failures in a row.
    consecutive: u32,
    window: Window,
    /// How often in a row it has opened without closing in between.
    trips: u32,
}

#[derive(Clone, Copy, Debug)]
enum StatePhase {
    Closed,
    Open {
        until: Timestamp,
    },
    HalfOpen {
        succeeded: u32,
        probe: Option<Timestamp>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Succeeded,
    Failed,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: Mutex::new(State {
                phase: StatePhase::Closed,
                generation: 0,
                consecutive: 0,
                window: Window::new(settings.window),
                trips: 0,
            }),
        }
    }

    /// Lets a call through, or says when the next probe may go.
    ///
    /// # Errors
    ///
    /// [`Open`], while no call is let through.
    pub fn permit(&self, now: Timestamp) -> Result<Permit<'_>, Open> {
        let mut state = self.state.lock();
        state.wake(now, &self.settings);
        let is_probe = match state.phase {
            StatePhase::Closed => false,
            StatePhase::Open { until } => return Err(open_until(until, now)),
            StatePhase::HalfOpen { succeeded, probe } => {
                if let Some(deadline) = probe {
                    return Err(open_until(deadline, now));
                }
                state.generation += 1;
                state.phase = StatePhase::HalfOpen {
                    succeeded,
                    probe: Some(now + at_least_a_tick(self.settings.probe_time)),
                };
                true
            }
        };
        Ok(Permit {
            breaker: self,
            generation: state.generation,
            is_probe,
        })
    }

    /// What it would do with a call now.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        let mut state = self.state.lock();
        state.wake(now, &self.settings);
        match state.phase {
            StatePhase::Closed => Phase::Closed,
            StatePhase::Open { .. } => Phase::Open,
            StatePhase::HalfOpen { .. } => Phase::HalfOpen,
        }
    }

    /// After how long it makes sense to come again: the time to the next probe, or the first
    /// back-off while it is closed. Never zero.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Duration {
        let mut state = self.state.lock();
        state.wake(now, &self.settings);
        match state.phase {
            StatePhase::Open { until: at }
            | StatePhase::HalfOpen {
                probe: Some(at), ..
            } => open_until(at, now).retry_after,
            StatePhase::Closed | StatePhase::HalfOpen { probe: None, .. } => {
                at_least_a_tick(self.settings.backoff)
            }
        }
    }

    fn record(&self, generation: u64, outcome: Outcome, now: Timestamp) {
        let mut state = self.state.lock();
        if state.generation != generation {
            return;
        }
        match state.phase {
            StatePhase::Closed => state.record_call(outcome, now, &self.settings),
            StatePhase::HalfOpen { succeeded, .. } => {
                state.record_probe(succeeded, outcome, now, &self.settings);
            }
            // Its generation began with the opening, so no call can have begun in it.
            StatePhase::Open { .. } => {}
        }
    }

    fn return_probe(&self, generation: u64) {
        let mut state = self.state.lock();
        if state.generation == generation
            && let StatePhase::HalfOpen { probe, .. } = &mut state.phase
        {
            *probe = None;
        }
    }
}

impl State {
    /// Applies what time alone changes.
    fn wake(&mut self, now: Timestamp, settings: &Settings) {
        match &mut self.phase {
            StatePhase::Closed => {}
            StatePhase::Open { until } => {
                // After a clock that was set back, nobody waits longer than the longest back-off.
                *until = (*until).min(now + longest_backoff(settings));
                if *until <= now {
                    self.enter(StatePhase::HalfOpen {
                        succeeded: 0,
                        probe: None,
                    });
                }
            }
            StatePhase::HalfOpen { probe, .. } => {
                let latest = now + at_least_a_tick(settings.probe_time);
                *probe = probe
                    .map(|deadline| deadline.min(latest))
                    .filter(|deadline| *deadline > now);
            }
        }
    }

    fn record_call(&mut self, outcome: Outcome, now: Timestamp, settings: &Settings) {
        self.window.record(outcome == Outcome::Failed, now);
        if outcome == Outcome::Succeeded {
            self.consecutive = 0;
            return;
        }
        self.consecutive = self.consecutive.saturating_add(1);
        let (failed, calls) = self.window.totals(now);
        let known = calls >= u64::from(settings.minimum_calls.max(1));
        let percent = u128::from(failed) * 100;
        let over = percent > u128::from(calls) * u128::from(settings.failure_percent);
        if self.consecutive >= settings.consecutive_failures.max(1) || (known && over) {
            self.open(now, settings);
        }
    }

    fn record_probe(
        &mut self,
        succeeded: u32,
        outcome: Outcome,
        now: Timestamp,
        settings: &Settings,
    ) {
        if outcome == Outcome::Failed {
            self.open(now, settings);
            return;
        }
        let succeeded = succeeded.saturating_add(1);
        if succeeded < settings.probes.max(1) {
            self.enter(StatePhase::HalfOpen {
                succeeded,
                probe: None,
            });
            return;
        }
        self.trips = 0;
        self.consecutive = 0;
        self.window = Window::new(settings.window);
        self.enter(StatePhase::Closed);
    }

    fn open(&mut self, now: Timestamp, settings: &Settings) {
        let backoff = backoff(settings, self.trips, self.generation);
        self.trips = self.trips.saturating_add(1);
        self.enter(StatePhase::Open {
            until: now + backoff,
        });
    }

    fn enter(&mut self, phase: StatePhase) {
        self.phase = phase;
        self.generation += 1;
    }
}

/// A call that was let through. Say how it ended; dropped without a word it counts for nothing, and
/// a probe is given to somebody else.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once says nothing about the call"]
pub struct Permit<'b> {
    breaker: &'b Breaker,
    generation: u64,
    is_probe: bool,
}

impl Permit<'_> {
    /// The server answered.
    pub fn succeeded(self, now: Timestamp) {
        self.breaker
            .record(self.generation, Outcome::Succeeded, now);
    }

    /// The server could not be reached, failed, or took too long.
    pub fn failed(self, now: Timestamp) {
        self.breaker.record(self.generation, Outcome::Failed, now);
    }

    /// Whether it is a probe.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.is_probe
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // After an outcome the generation is another one, or the breaker was closed all the time.
        if self.is_probe {
            self.breaker.return_probe(self.generation);
        }
    }
}

fn open_until(until: Timestamp, now: Timestamp) -> Open {
    Open {
        retry_after: at_least_a_tick(until.saturating_since(now)),
    }
}

fn at_least_a_tick(duration: Duration) -> Duration {
    duration.max(Duration::from_nanos(1))
}

fn longest_backoff(settings: &Settings) -> Duration {
    at_least_a_tick(settings.longest_backoff.max(settings.backoff))
}

/// The first back-off doubled `trips` times, cut by its jitter.
fn backoff(settings: &Settings, trips: u32, generation: u64) -> Duration {
    let doubled = 2_u32
        .checked_pow(trips)
        .and_then(|factor| settings.backoff.checked_mul(factor))
        .unwrap_or(Duration::MAX)
        .min(longest_backoff(settings));
    let nanos = crate::time::nanos(doubled);
    let percent = u128::from(settings.jitter_percent.min(100));
    let random = u128::from(random(settings.seed.wrapping_add(generation)));
    // At most 2^64 × 100 × 2^64 ÷ 2^57 would not fit; the random number is cut to 56 bits.
    let cut = (u128::from(nanos) * percent / 100 * (random >> 8)) >> 56;
    let cut = u64::try_from(cut).unwrap_or(nanos);
    at_least_a_tick(Duration::from_nanos(nanos.saturating_sub(cut)))
}

/// A number that looks random: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014).
const fn random(state: u64) -> u64 {
    let state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Settings, backoff};

    #[test]
    fn backs_off_twice_as_long_each_time_up_to_the_longest() {
        let settings = Settings {
            backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_millis(500),
            jitter_percent: 0,
            ..Settings::default()
        };
        let waits = [0, 1, 2, 3, 40].map(|trips| backoff(&settings, trips, 7).as_millis());
        assert_eq!(waits, [100, 200, 400, 500, 500]);
    }

    #[test]
    fn jitter_cuts_by_at_most_its_part_and_not_always_by_the_same() {
        let settings = Settings {
            backoff: Duration::from_millis(100),
            jitter_percent: 20,
            ..Settings::default()
        };
        let waits: Vec<u128> = (0..200)
            .map(|generation| backoff(&settings, 0, generation).as_micros())
            .collect();
        assert!(waits.iter().all(|wait| (80_000..=100_000).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 84_000));
        assert!(waits.iter().any(|wait| *wait > 96_000));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let settings = Settings {
            backoff: Duration::MAX,
            longest_backoff: Duration::MAX,
            jitter_percent: u8::MAX,
            seed: u64::MAX,
            ..Settings::default()
        };
        for trips in [0, 31, 32, u32::MAX] {
            assert!(backoff(&settings, trips, u64::MAX) > Duration::ZERO);
        }
    }
}

//! Is a provider well enough to be called?

use std::time::Duration;

use jiff::Timestamp;

use super::ProviderSettings;
use crate::client::later;

/// Into how many parts the window is cut; the oldest part is forgotten as a whole.
const SLICES: usize = 6;

/// How a provider's circuit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open {
        /// When one is tried.
        until: Timestamp,
    },
    /// One call is tried, or may be.
    HalfOpen,
}

/// Counts what became of calls, and stops them for a while when too many fail.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: ProviderSettings,
    slices: [Slice; SLICES],
    /// The number of the newest slice since 1970.
    newest: i128,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    calls: u32,
    failures: u32,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Timestamp,
    /// How long it was opened for.
    duration: Duration,
    /// Whether a call is under way to find out.
    probing: bool,
}

/// How a call was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// As any other.
    Usual,
    /// To find out whether the provider is well again.
    Probe,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The provider is well.
    Well,
    /// It is not.
    Unwell,
    /// The call was given up.
    Unknown,
}

impl Breaker {
    pub(super) fn new(settings: ProviderSettings) -> Self {
        Self {
            settings,
            slices: [Slice::default(); SLICES],
            newest: 0,
            open: None,
        }
    }

    pub(super) fn state(&self, now: Timestamp) -> CircuitState {
        match self.open {
            None => CircuitState::Closed,
            Some(Open { until, .. }) if now < until => CircuitState::Open { until },
            Some(_) => CircuitState::HalfOpen,
        }
    }

    /// Lets a call through, or says until when none passes.
    pub(super) fn enter(&mut self, now: Timestamp) -> Result<Entry, Timestamp> {
        match &mut self.open {
            None => Ok(Entry::Usual),
            Some(open) if now < open.until || open.probing => Err(open.until),
            Some(open) => {
                open.probing = true;
                Ok(Entry::Probe)
            }
        }
    }

    pub(super) fn leave(&mut self, entry: Entry, verdict: Verdict, now: Timestamp) {
        match entry {
            Entry::Probe => self.probed(verdict, now),
            // A call from before the circuit opened says nothing new.
            Entry::Usual if self.open.is_some() => {}
            Entry::Usual => self.count(verdict, now),
        }
    }

    fn probed(&mut self, verdict: Verdict, now: Timestamp) {
        let Some(open) = &mut self.open else { return };
        open.probing = false;
        match verdict {
            Verdict::Unknown => {}
            Verdict::Well => {
                self.open = None;
                self.slices = [Slice::default(); SLICES];
            }
            Verdict::Unwell => {
                let doubled = open.duration.saturating_mul(2);
                open.duration = doubled.min(self.settings.longest_open.max(self.settings.open_for));
                open.until = later(now, open.duration);
            }
        }
    }

    fn count(&mut self, verdict: Verdict, now: Timestamp) {
        if verdict == Verdict::Unknown {
            return;
        }
        self.turn(now);
        let slice = &mut self.slices[self.place()];
        slice.calls = slice.calls.saturating_add(1);
        slice.failures = slice
            .failures
            .saturating_add(u32::from(verdict == Verdict::Unwell));
        if verdict == Verdict::Unwell && self.fails_too_often() {
            self.open = Some(Open {
                until: later(now, self.settings.open_for),
                duration: self.settings.open_for,
                probing: false,
            });
        }
    }

    fn fails_too_often(&self) -> bool {
        let calls: u64 = self.slices.iter().map(|slice| u64::from(slice.calls)).sum();
        let failures: u64 = self
            .slices
            .iter()
            .map(|slice| u64::from(slice.failures))
            .sum();
        calls >= u64::from(self.settings.minimum_calls)
            && failures * 100 >= calls * u64::from(self.settings.failure_percent)
    }

    /// Forgets the slices that are older than the window. A clock that was set back counts into the
    /// newest slice.
    fn turn(&mut self, now: Timestamp) {
        let length = (self.settings.window / 6).as_nanos().max(1);
        let length = i128::try_from(length).unwrap_or(i128::MAX);
        let number = now.as_nanosecond().div_euclid(length);
        let passed = number.saturating_sub(self.newest);
        if passed <= 0 {
            return;
        }
        let passed = usize::try_from(passed).unwrap_or(SLICES).min(SLICES);
        self.newest = number;
        for back in 0..passed {
            let place = (self.place() + SLICES - back) % SLICES;
            self.slices[place] = Slice::default();
        }
    }

    fn place(&self) -> usize {
        usize::try_from(self.newest.rem_euclid(SLICES as i128)).map_or(0, |place| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::since;

    fn left(breaker: &Breaker, now: Timestamp) -> Option<Duration> {
        match breaker.state(now) {
            CircuitState::Open { until } => Some(since(until, now)),
            _ => None,
        }
    }

    fn at(seconds: u64) -> Timestamp {
        later(
            Timestamp::UNIX_EPOCH,
            Duration::from_secs(1_000_000 + seconds),
        )
    }

    fn call(breaker: &mut Breaker, verdict: Verdict, now: Timestamp) {
        let entry = breaker.enter(now).unwrap();
        breaker.leave(entry, verdict, now);
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(ProviderSettings::default());
        for _ in 0..10 {
            call(&mut breaker, Verdict::Unwell, at(0));
        }
        breaker
    }

    #[test]
    fn half_of_ten_calls_open_the_circuit_and_less_does_not() {
        let mut breaker = Breaker::new(ProviderSettings::default());
        for _ in 0..5 {
            call(&mut breaker, Verdict::Well, at(0));
        }
        for _ in 0..4 {
            call(&mut breaker, Verdict::Unwell, at(1));
        }
        assert_eq!(breaker.state(at(1)), CircuitState::Closed);
        call(&mut breaker, Verdict::Unwell, at(1));
        assert_eq!(left(&breaker, at(1)), Some(Duration::from_secs(30)));
        assert_eq!(breaker.enter(at(30)), Err(at(31)));
    }

    #[test]
    fn failures_are_forgotten_after_the_window() {
        let mut breaker = Breaker::new(ProviderSettings::default());
        for _ in 0..9 {
            call(&mut breaker, Verdict::Unwell, at(0));
        }
        call(&mut breaker, Verdict::Unwell, at(31));
        assert_eq!(breaker.state(at(31)), CircuitState::Closed);
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let mut breaker = opened();
        let probe = breaker.enter(at(30)).unwrap();
        assert_eq!(probe, Entry::Probe);
        assert!(breaker.enter(at(30)).is_err());
        breaker.leave(probe, Verdict::Well, at(31));
        assert_eq!(breaker.state(at(31)), CircuitState::Closed);
        call(&mut breaker, Verdict::Unwell, at(31));
        assert_eq!(breaker.state(at(31)), CircuitState::Closed);
    }

    #[test]
    fn a_probe_that_was_given_up_makes_room_for_another() {
        let mut breaker = opened();
        let probe = breaker.enter(at(30)).unwrap();
        breaker.leave(probe, Verdict::Unknown, at(30));
        assert_eq!(breaker.enter(at(30)), Ok(Entry::Probe));
    }

    #[test]
    fn failed_probes_double_the_wait_up_to_five_minutes() {
        let mut breaker = opened();
        let mut now = 30;
        for seconds in [60, 120, 240, 300, 300] {
            let probe = breaker.enter(at(now)).unwrap();
            breaker.leave(probe, Verdict::Unwell, at(now));
            assert_eq!(left(&breaker, at(now)), Some(Duration::from_secs(seconds)));
            now += seconds;
        }
    }

    #[test]
    fn a_clock_that_is_set_back_breaks_nothing() {
        let mut breaker = Breaker::new(ProviderSettings::default());
        for second in (0..20).rev() {
            call(&mut breaker, Verdict::Well, at(second * 100));
        }
        assert_eq!(breaker.state(at(0)), CircuitState::Closed);
    }
}

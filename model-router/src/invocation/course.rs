//! Who is asked next, and after what wait?

use std::time::Duration;

use jiff::Timestamp;

use super::InvocationSettings;
use crate::client::{later, since};
use crate::{ClientError, Remedy};

/// The way of one request along its candidates.
#[derive(Debug)]
pub(super) struct Course {
    settings: InvocationSettings,
    deadline: Timestamp,
    candidate: usize,
    retries: u32,
    random: u64,
}

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next candidate is asked at once.
    ModelRef,
    /// The same one is asked after a wait.
    Wait(Duration),
    /// Nobody is asked any more.
    Refuse,
}

impl Course {
    pub(super) fn new(settings: InvocationSettings, now: Timestamp, random: u64) -> Self {
        Self {
            deadline: later(now, settings.budget),
            settings,
            candidate: 0,
            retries: 0,
            random,
        }
    }

    /// The place of the candidate whose turn it is.
    pub(super) const fn candidate(&self) -> usize {
        self.candidate
    }

    /// How long an attempt that begins now may take, `None` if the time is over.
    pub(super) fn timeout(&self, now: Timestamp) -> Option<Duration> {
        let left = since(self.deadline, now);
        (!left.is_zero()).then(|| left.min(self.settings.attempt_timeout))
    }

    pub(super) const fn pass_over(&mut self) {
        self.candidate += 1;
        self.retries = 0;
    }

    pub(super) fn failed(&mut self, error: &ClientError, now: Timestamp) -> Next {
        match error.class.remedy() {
            Remedy::Neither => return Next::Refuse,
            Remedy::FallBack => {}
            Remedy::Retry => {
                if let Some(wait) = self.wait(error, now) {
                    return Next::Wait(wait);
                }
            }
        }
        self.pass_over();
        Next::ModelRef
    }

    /// The wait before a retry, `None` if another one is not worth it.
    ///
    /// The wait is random between nothing and a limit that doubles ("full jitter", M. Brooker,
    /// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), on top of what the provider asks
    /// for.
    fn wait(&mut self, error: &ClientError, now: Timestamp) -> Option<Duration> {
        if self.retries >= self.settings.retries {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.retries.min(20));
        let limit = self.settings.first_wait.saturating_mul(doubled);
        let jitter = self.part_of(limit.min(self.settings.longest_wait));
        let wait = error.retry_after.unwrap_or_default().saturating_add(jitter);
        let worth_it = wait <= self.settings.longest_wait && wait < since(self.deadline, now);
        self.retries += u32::from(worth_it);
        worth_it.then_some(wait)
    }

    /// A random part of a duration.
    fn part_of(&mut self, limit: Duration) -> Duration {
        let nanos = limit.as_nanos() * u128::from(self.next_random()) / u128::from(u64::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    const fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn course(random: u64) -> Course {
        Course::new(InvocationSettings::default(), START, random)
    }

    fn throttled() -> ClientError {
        ClientError::new(ErrorClass::Throttled, "slow down")
    }

    #[test]
    fn waits_are_random_below_a_limit_that_doubles() {
        let mut largest = [Duration::ZERO; 2];
        for seed in 0..1_000 {
            let mut course = course(seed);
            for (largest, limit) in largest.iter_mut().zip([200, 400]) {
                let Next::Wait(wait) = course.failed(&throttled(), START) else {
                    panic!("no wait");
                };
                assert!(wait <= Duration::from_millis(limit), "{wait:?}");
                *largest = wait.max(*largest);
            }
            assert_eq!(course.failed(&throttled(), START), Next::ModelRef);
        }
        // Of 1,000 even parts the largest is above nine tenths, but for one in 10^45.
        assert!(largest[0] > Duration::from_millis(180) && largest[1] > Duration::from_millis(360));
    }

    #[test]
    fn a_provider_that_wants_a_long_wait_is_left_for_the_next() {
        let mut course = course(1);
        let short = throttled().retry_after(Duration::from_secs(2));
        let Next::Wait(wait) = course.failed(&short, START) else {
            panic!("no wait");
        };
        assert!(wait >= Duration::from_secs(2));
        let long = throttled().retry_after(Duration::from_secs(6));
        assert_eq!(course.failed(&long, START), Next::ModelRef);
        assert_eq!(course.candidate(), 1);
    }

    #[test]
    fn no_wait_goes_beyond_the_deadline() {
        let mut course = course(1);
        let late = later(START, Duration::from_secs(59));
        let error = throttled().retry_after(Duration::from_secs(1));
        assert_eq!(course.failed(&error, late), Next::ModelRef);
        assert_eq!(course.timeout(late), Some(Duration::from_secs(1)));
        assert_eq!(course.timeout(later(START, Duration::from_secs(60))), None);
    }

    #[test]
    fn each_candidate_has_retries_of_its_own() {
        let mut course = course(1);
        for candidate in 0..3 {
            assert_eq!(course.candidate(), candidate);
            for _ in 0..2 {
                assert!(matches!(course.failed(&throttled(), START), Next::Wait(_)));
            }
            assert_eq!(course.failed(&throttled(), START), Next::ModelRef);
        }
    }

    #[test]
    fn other_failures_are_not_retried() {
        for &class in ErrorClass::ALL {
            let next = course(1).failed(&ClientError::new(class, ""), START);
            match class.remedy() {
                Remedy::Retry => assert!(matches!(next, Next::Wait(_))),
                Remedy::FallBack => assert_eq!(next, Next::ModelRef),
                Remedy::Neither => assert_eq!(next, Next::Refuse),
            }
        }
    }

    // SplitMix64 from the seed 1234567, as in the reference implementation's test vectors
    // (Rosetta Code, "Pseudo-random numbers/Splitmix64").
    #[test]
    fn random_numbers_are_those_of_the_reference() {
        let mut course = course(1_234_567);
        assert_eq!(course.next_random(), 6_457_827_717_110_365_317);
        assert_eq!(course.next_random(), 3_203_168_211_198_807_973);
    }
}

//! How patient is an invoker, and how much does it trust a provider?

use std::time::Duration;

/// How long a request may take and how often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InvocationSettings {
    /// How long all attempts and waits may take together: a minute. Of a stream, until its first token.
    pub budget: Duration,
    /// How long one attempt may take: half a minute. Of a stream, until its first token.
    pub attempt_timeout: Duration,
    /// How long a stream may be silent after its first token: 15 seconds.
    pub silence: Duration,
    /// How often a throttled call is tried again before the next candidate is: twice.
    pub retries: u32,
    /// The longest first wait after throttling, 200 ms. Each further one may be twice as long.
    pub first_wait: Duration,
    /// The longest wait that is worth it; where the provider asks for more, the next candidate is asked
    /// at once: 5 seconds.
    pub longest_wait: Duration,
}

impl Default for InvocationSettings {
    fn default() -> Self {
        Self {
            budget: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
            silence: Duration::from_secs(15),
            retries: 2,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(5),
        }
    }
}

impl InvocationSettings {
    /// With this time for all attempts and waits.
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// With this time for one attempt.
    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// With this silence allowed in streams.
    #[must_use]
    pub const fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// With so many retries of a throttled call.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }
}

/// When a provider is not called.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProviderSettings {
    /// How many calls may be under way at once: 64. More go to the next candidate.
    pub concurrency: usize,
    /// Of how long a past the failures are counted: half a minute.
    pub window: Duration,
    /// How many calls there must have been in it before anything follows from them: 10.
    pub minimum_calls: u32,
    /// The share of failures, in percent, at which the circuit opens: 50.
    pub failure_percent: u8,
    /// How long the circuit stays open before a call is tried: half a minute, and twice as long after
    /// each such call that fails.
    pub open_for: Duration,
    /// How long it stays open at most: five minutes.
    pub longest_open: Duration,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            window: Duration::from_secs(30),
            minimum_calls: 10,
            failure_percent: 50,
            open_for: Duration::from_secs(30),
            longest_open: Duration::from_secs(300),
        }
    }
}

impl ProviderSettings {
    /// With so many calls at once.
    #[must_use]
    pub const fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls;
        self
    }

    /// With a circuit that opens at this share of failures among at least so many calls.
    #[must_use]
    pub const fn opens_at(mut self, failure_percent: u8, minimum_calls: u32) -> Self {
        self.failure_percent = failure_percent;
        self.minimum_calls = minimum_calls;
        self
    }

    /// With a circuit that stays open for so long.
    #[must_use]
    pub const fn open_for(mut self, duration: Duration) -> Self {
        self.open_for = duration;
        self
    }
}

//! When does a request happen? An instant that the caller names.

use std::time::Duration;

/// An instant in nanoseconds since an epoch of the caller's choice, for example the start of the
/// process or 1970.
///
/// The engine never reads a clock: pass the same clock's time with every call. A monotonic clock is
/// best; one that steps back is tolerated, see [`MemoryStore`](crate::MemoryStore). 64 bits of
/// nanoseconds last 584 years.
///
/// ```
/// use std::time::{Duration, Instant};
/// use bursar_ratelimit::Timestamp;
///
/// # #[expect(clippy::disallowed_methods, reason = "the example shows where a service reads its clock")]
/// let started = Instant::now();
/// let now = Timestamp::from(started.elapsed());
/// assert!(now < now + Duration::from_millis(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// So many nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// So many milliseconds after the epoch; later than the last representable instant is that
    /// instant.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// So many seconds after the epoch; later than the last representable instant is that instant.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to here, zero if `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Timestamp {
    /// The instant that long after the epoch; later than the last representable one is that one.
    fn from(since_epoch: Duration) -> Self {
        Self(nanos(since_epoch))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at the last representable instant.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// A duration in nanoseconds, at most `u64::MAX`.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

//! Which limits hold now? A set that can be replaced while requests are being served.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bursar_ratelimit::Limits;

/// The limits that a layer applies, shared with whoever changes them.
///
/// Clones share the set. A request is decided under the limits that held when it came; what it has
/// used is carried over to a limit of the same name in the next set.
///
/// ```
/// use bursar_ratelimit::{Dimension, Limit, Limits, Rate, Unit};
/// use bursar_tower::LimitsHandle;
///
/// let handle = LimitsHandle::new(Limits::preset()?);
/// let stricter = Rate::per_minute(50_000)?;
/// handle.replace(Limits::new([
///     Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, stricter),
/// ])?);
/// assert_eq!(handle.load().as_slice().len(), 1);
/// # Ok::<(), bursar_ratelimit::LimitsError>(())
/// ```
#[derive(Clone)]
pub struct LimitsHandle(Arc<ArcSwap<Limits>>);

impl LimitsHandle {
    /// A handle to these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(limits)))
    }

    /// The limits that hold now.
    #[must_use]
    pub fn load(&self) -> Arc<Limits> {
        self.0.load_full()
    }

    /// Puts other limits in their place, from the next request on, and returns the old ones.
    pub fn replace(&self, limits: Limits) -> Arc<Limits> {
        self.0.swap(Arc::new(limits))
    }
}

impl From<Limits> for LimitsHandle {
    fn from(limits: Limits) -> Self {
        Self::new(limits)
    }
}

impl fmt::Debug for LimitsHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("LimitsHandle")
            .field(&self.load())
            .finish()
    }
}

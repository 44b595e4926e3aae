//! Is this normal, and if not, why?

mod batch;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod observation;
mod point;
#[cfg(feature = "synthetic")]
pub mod synthetic;

pub use batch::{Batch, BatchError, Execution, Judgment, Series};
pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use point::{AlarmBudget, AlarmBudgetError, PointDetector, PointSettings, Profile};

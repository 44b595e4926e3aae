//! Is this normal, and if not, why?

pub mod daily;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod observation;
#[cfg(feature = "synthetic")]
pub mod synthetic;

pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};

//! Is this normal, and if not, why?

mod calibration;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod metric;
mod observation;
#[cfg(feature = "synthetic")]
pub mod synthetic;

pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use metric::{MetricDetector, MetricSettings, MetricSettingsError};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};

//! Is this normal, and if not, why?

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod observation;
mod robust;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod z_score;

pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use robust::SettingError;
pub use z_score::{Deviation, RobustZScore, RobustZScoreSettings, ZScore, ZScoreSettings};

//! Is this normal, and if not, why?

mod alert;
mod cap;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod observation;
mod projection;
mod severity;
#[cfg(feature = "synthetic")]
pub mod synthetic;

pub use alert::{Alarm, AlarmError, Alert, Culprit, Figures, When};
pub use cap::{CapAlert, CapError, DailyCap, Overrun};
pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use projection::{DayProjection, OpenDay, PastDay, ProjectionError};
pub use severity::{Severity, SeverityError, SeverityRule, SeverityRules};

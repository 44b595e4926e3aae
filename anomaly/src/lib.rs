//! Is this normal, and if not, why?

mod alert;
mod book;
mod cap;
mod detector;
pub mod evaluation;
mod event;
mod feedback;
#[cfg(feature = "serde")]
mod format;
mod observation;
mod planned;
mod policy;
mod projection;
mod severity;
#[cfg(feature = "synthetic")]
pub mod synthetic;

pub use alert::{Alarm, AlarmError, Alert, Culprit, Figures, When};
pub use book::{AlertBook, BookError, Update};
pub use cap::{CapAlert, CapError, DailyCap, Overrun};
pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use event::{Escalation, Event, EventId, Phase, Witness};
pub use feedback::Feedback;
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use planned::{PlanError, PlannedEvent, SeriesFilter};
pub use policy::{Policy, PolicyError, Suppression};
pub use projection::{DayProjection, OpenDay, PastDay, ProjectionError};
pub use severity::{Severity, SeverityError, SeverityRule, SeverityRules};

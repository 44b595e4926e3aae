//! Is this normal, and if not, why?

mod alert;
pub mod attribution;
mod batch;
mod book;
mod calibration;
mod cap;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod daily;
mod decomposition;
mod detector;
pub mod evaluation;
mod event;
mod feedback;
#[cfg(feature = "serde")]
mod format;
mod level_shift;
mod metric;
mod moving_average;
mod observation;
mod planned;
mod point;
mod policy;
mod projection;
mod robust;
mod seasonal;
mod series;
mod severity;
mod slow_leak;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod z_score;

pub use alert::{Alarm, AlarmError, Alert, Culprit, Figures, When};
pub use batch::{Batch, BatchError, Execution, Judgment, Series};
pub use book::{AlertBook, BookError, Update};
pub use cap::{CapAlert, CapError, DailyCap, Overrun};
pub use decomposition::{Decomposition, DecompositionSettings, Parts, Periods};
pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use event::{Escalation, Event, EventId, Phase, Witness};
pub use feedback::Feedback;
pub use level_shift::{LevelShift, LevelShiftSettings};
pub use metric::{MetricDetector, MetricSettings, MetricSettingsError};
pub use moving_average::{MovingAverage, MovingAverageSettings};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use planned::{PlanError, PlannedEvent, SeriesFilter};
pub use point::{AlarmBudget, AlarmBudgetError, PointDetector, PointSettings, WeekProfile};
pub use policy::{Policy, PolicyError, Suppression};
pub use projection::{DayProjection, OpenDay, PastDay, ProjectionError};
pub use robust::SettingError;
pub use seasonal::{Profile, Seasonal, SeasonalSettings};
pub use series::{
    Arrival, Gap, IrregularSeries, RegularSeries, Reorder, ReorderError, SeriesError, assess,
};
pub use severity::{Severity, SeverityError, SeverityRule, SeverityRules};
pub use slow_leak::{SlowLeak, SlowLeakSettings};
pub use z_score::{Deviation, RobustZScore, RobustZScoreSettings, ZScore, ZScoreSettings};

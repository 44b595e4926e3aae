//! Is this normal, and if not, why?

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decomposition;
mod detector;
pub mod evaluation;
#[cfg(feature = "serde")]
mod format;
mod level_shift;
mod moving_average;
mod observation;
mod robust;
mod seasonal;
mod series;
mod slow_leak;
#[cfg(feature = "synthetic")]
pub mod synthetic;
mod z_score;

pub use decomposition::{Decomposition, DecompositionSettings, Parts, Periods};
pub use detector::{
    ALARM_LINE, Assessment, Detector, DetectorKind, Direction, Interval, Verdict, score,
};
pub use level_shift::{LevelShift, LevelShiftSettings};
pub use moving_average::{MovingAverage, MovingAverageSettings};
pub use observation::{LARGEST_VALUE, Observation, ObservationError, Reading};
pub use robust::SettingError;
pub use seasonal::{Profile, Seasonal, SeasonalSettings};
pub use series::{
    Arrival, Gap, IrregularSeries, RegularSeries, Reorder, ReorderError, SeriesError, assess,
};
pub use slow_leak::{SlowLeak, SlowLeakSettings};
pub use z_score::{Deviation, RobustZScore, RobustZScoreSettings, ZScore, ZScoreSettings};

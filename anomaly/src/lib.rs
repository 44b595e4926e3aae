//! Is this normal, and if not, why?
//!
//! Point this crate at a metric or at a bill, and it says which points are unusual, by how much, since
//! when and because of what, without a parameter to set. Detectors are streaming: one point in, one
//! score out, judged by what came before it alone. What they find becomes alerts with every number in
//! one sentence, one for each event and not for each point, and a change of cost is traced to the
//! services, accounts or regions that caused it, in money that adds up.
//!
//! ```
//! use bursar_anomaly::daily::{DailyCosts, DailyMonitor};
//! use bursar_anomaly::{Alarm, AlertBook, Culprit, DetectorKind, Policy, Update, When};
//! use bursar_units::{Currency, Money, Quantum};
//! use jiff::{ToSpan, civil::date};
//!
//! // Six ordinary weeks of an account with two services…
//! let mut monitor = DailyMonitor::new();
//! let mut day = date(2026, 10, 1);
//! for n in 0..42_u32 {
//!     let compute = 40.0 + f64::from(n * 7 % 5) / 10.0;
//!     let costs = DailyCosts::new(day, compute + 12.0)
//!         .service("compute", compute)
//!         .service("storage", 12.0);
//!     assert!(monitor.observe(&costs)?.findings.is_empty());
//!     day = day.checked_add(1.day())?;
//! }
//! // …and a day on which one of them costs twice as much.
//! let costs = DailyCosts::new(day, 95.0).service("compute", 83.0).service("storage", 12.0);
//! let assessment = monitor.observe(&costs)?;
//! let finding = assessment.findings.first().ok_or("it is found")?;
//!
//! // The finding becomes an alarm in money, and the alarm an event that is told once.
//! let cost = Money::parse("83.00", Currency::USD)?;
//! let verdict = finding.verdict();
//! let alarm = Alarm::of_cost(
//!     "aws/prod compute", When::Day(day), cost, DetectorKind::DailyCost, &verdict, Quantum::MINOR_UNIT,
//! )?;
//! let mut book = AlertBook::new(Policy::daily());
//! let updates = book.report(alarm)?;
//! let Some(Update::Opened(event)) = updates.last() else { return Err("it is news".into()) };
//! assert!(event.alert.to_string().starts_with("CRITICAL: aws/prod compute cost 83.00 USD on 2026-11-12"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which one do I take?
//!
//! | I have | take | it costs a point |
//! |---|---|---|
//! | daily costs of an account, by service | [`daily::DailyMonitor`]: learns weekdays, month ends and first-of-month charges; finds spikes, levels, leaks, drops, weekends and what a service hides in the total | half a millisecond a day |
//! | a metric of some minutes' resolution | [`MetricDetector`]: four memories of the series' own past, the default | about 1 µs |
//! | ten thousand metrics | [`PointDetector`], in a [`Batch`]: level, profile of the week, alarms within a stated budget | 0.1 to 0.3 µs |
//! | a rule that somebody asked for by name | [`ZScore`], [`RobustZScore`], [`MovingAverage`], [`Seasonal`], [`LevelShift`], [`SlowLeak`], [`Decomposition`] | 0.1 to 5 µs |
//!
//! All of them implement [`Detector`]. Their scores are comparable: 0.5 is the alarm line
//! ([`score`](fn@score)).
//!
//! # Concepts
//!
//! - An [`Observation`] is a moment and what is known of it: a final value, a value that can still
//!   grow, or nothing. NaN and infinities cannot enter. [`RegularSeries`] and [`IrregularSeries`] hold
//!   many, with gaps as gaps, and [`Reorder`] brings late points into order.
//! - An [`Assessment`] is a [`Verdict`] (score, direction, what was expected, and the interval in which
//!   there is no alarm), or [`NotReady`](Assessment::NotReady): without a baseline there is no opinion.
//! - An [`Alarm`] is a verdict with series, time, money at stake and culprits; an [`Alert`] is an alarm
//!   that the [`Policy`] has found worth telling, with its [`Severity`].
//! - An [`Event`] in the [`AlertBook`] is opened, escalated and closed; several detectors, and many days,
//!   are one event. [`Feedback`] and [`PlannedEvent`]s change what is told; a [`DailyCap`] and the
//!   [`DayProjection`] say where today will end.
//! - A [`Cube`](attribution::Cube) is expected and actual cost by provider, service, account or what you
//!   like; its [explanation](attribution::Explanation) is the smallest set of combinations that moved,
//!   with contributions that add up to the change exactly.
//! - [`evaluation`] scores alerts on labels of your own: by event, by the rules of the Numenta benchmark,
//!   and by false alarms against a budget.
//!
//! # Guarantees
//!
//! - **Causality.** A score depends on earlier points only, and an extreme value never lowers its own
//!   score, at any size. The one exception is a credit: a cost below zero is no alarm of the daily
//!   monitor. [`Detector`] states the contract, and `conformance` checks it for any
//!   implementation, yours too.
//! - **Invariance.** [`MetricDetector`] and [`PointDetector`] say the same of a series in other units.
//! - **State.** A detector is a plain value of bounded size; with `serde` it can be saved in the middle
//!   of a series and goes on bit for bit the same. A state of another format, or a damaged one, is an
//!   error when it is loaded.
//! - **Money.** Detection is statistics on `f64`. Amounts that are told are decimals: what was billed as
//!   it was, what was expected rounded once to a stated quantum.
//! - **No panic** on any input, no clock, no randomness and no I/O.
//!
//! # What it does not do
//!
//! It collects nothing, sends nothing and draws nothing; the examples do. It learns from one series at a
//! time and knows no calendar of holidays but the one that a series shows. It does not forecast: for
//! the cost of a month see `bursar-cost-model`.
//!
//! # Features
//!
//! - `serde`: states, alerts and results serialize; amounts as strings.
//! - `parallel`: a [`Batch`] runs on the threads of rayon.
//! - `synthetic`: series, accounts and cubes whose truth is known, from a seed.
//! - `conformance`: the rules that every [`Detector`] keeps, as a suite.

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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

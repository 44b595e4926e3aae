//! wip
mod account;
mod appeal;
mod audit;
mod backtest;
mod condition;
mod decision;
mod distinct;
mod error;
mod event;
#[cfg(feature = "serde")]
mod format;
mod history;
mod lists;
mod live;
mod model;
mod monitor;
mod networks;
mod rule;
mod rule_set;
mod shares;
mod signal;
mod standing;
#[cfg(feature = "synthetic")]
pub mod synthetic;
#[cfg(feature = "serde")]
pub mod text;
mod travel;
mod window;

pub use account::{Account, SignalSettings};
pub use appeal::{Appeal, AppealError, Finding};
pub use audit::{Record, TriggeredRule};
pub use backtest::{Backtest, Confusion, Recorded, recall_at, threshold_at};
pub use condition::{Condition, MAX_DEPTH, Relation, Threshold, Truth, Values};
pub use decision::Decision;
pub use distinct::{RecentDistinct, address_key};
pub use error::RuleError;
pub use event::Event;
pub use lists::{Effect, Entry, Listed, Lists, Subject};
pub use live::{Comparison, LiveRules, ReplaceError};
pub use model::{Direction, Example, FEATURES, Model, TrainError};
pub use monitor::{Monitor, MonitorFull};
pub use networks::HostingNetworks;
pub use rule::{Action, Evidence, MAX_POINTS, Missing, Mode, Rule};
pub use rule_set::{MAX_RULES, Policy, RuleSet, Thresholds, Verdict};
pub use signal::{Code, Context, MAX_SIGNALS, Signal, SignalKind, Vocabulary};
pub use standing::{Held, Holding, Standing};
#[cfg(feature = "serde")]
pub use text::{Format, LoadError};
pub use travel::{IMPOSSIBLE_KMH, LEAST_KM, Place};
pub use window::{HourlyDay, SlidingSum};

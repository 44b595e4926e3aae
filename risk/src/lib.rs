//! Is this consumer safe to serve? Rules that say why, signals in bounded memory, and a model beside them.
//!
//! A reseller of model tokens has to notice a shared account, a leaked key and a new account that will
//! not pay, and must not block the build farm or the traveler. This crate decides that with rules that
//! are data and not code, gives each decision its reasons in numbers, and never takes what it does not
//! know for an all-clear.
//!
//! ```
//! use bursar_risk::{Context, RuleSet, Signal, Verdict};
//!
//! let rules = RuleSet::standard();
//! let context = Context::new()
//!     .with(Signal::TOKENS_PER_MINUTE, 1_200.0)
//!     .with(Signal::UNIQUE_IPS, 3.0)
//!     .with(Signal::ACCOUNT_AGE_DAYS, 2.5)
//!     .with(Signal::SPEND_PER_DAY, 140.0);
//! let decision = rules.evaluate(&context);
//! assert_eq!((decision.score(), decision.verdict()), (65, Verdict::Review));
//! let reasons: Vec<String> = decision.reasons().collect();
//! assert_eq!(reasons[0], "high_velocity (30): 1200 tokens in a minute, more than 1000");
//! assert_eq!(reasons[1], "new_account_high_value (35): 2.5 days old, and 140 spent in a day");
//!
//! // Nothing was said about the anomaly, so its rule is reported and not taken for false.
//! let open: Vec<&str> = decision.not_evaluable().map(|(rule, _)| rule.name()).collect();
//! assert_eq!(open, ["unusual_pattern"]);
//! ```
//!
//! # Concepts
//!
//! - A [`Signal`] is a named number or [`Code`]; a [`Context`] holds those that are known of a consumer
//!   now. What was not set is missing, which is not zero.
//! - A [`Rule`] has a [`Condition`] in three truth values, points, an [`Action`], a [`Mode`] (active,
//!   shadow, off), a policy for [missing](Missing) signals and a reason with the numbers.
//! - A [`RuleSet`] is a checked list of rules with [`Thresholds`], by tier if need be, and a [`Policy`]:
//!   the sum of points decides, or the strictest of sum and actions. Sets are read from TOML, JSON and
//!   YAML with the place of whatever is wrong (module `text`) and exchanged under load by [`LiveRules`].
//! - A [`Decision`] says what, why, what was not evaluable and what rules in shadow would have done.
//!   [`Record`] keeps it for an audit. An [`Appeal`] suspends a block to a review until a date.
//! - [`Lists`] know accounts, addresses and networks. A [`Standing`] lets scores fade and verdicts not
//!   flap.
//! - A [`Monitor`] computes the signals from [`Event`]s; a [`Model`] turns them into calibrated log-odds
//!   and says what each adds. A [`Backtest`] compares two sets over recorded contexts.
//!
//! # The order of a decision
//!
//! Deny list, watch list, allow list, points, memory, appeal. The verdict is the worst of list and score:
//! no list softens a score. What an allow entry does is said at [`Effect`]. Only an appeal softens, and
//! only a BLOCK that no deny entry asks for, to REVIEW.
//!
//! # Algorithms
//!
//! | question | answer |
//! |---|---|
//! | What if a signal is missing? | Strong three-valued logic (Kleene, 1952): [`Truth`] |
//! | More than T addresses in a window? | The T + 1 last seen distinct values decide it exactly: [`RecentDistinct`] |
//! | And how many are there about? | HyperLogLog in a sliding window, for display only: [`DistinctSketch`] |
//! | How much in the last minute? | Two buckets: [`SlidingSum`] |
//! | Shared, or a fleet? | Effective number of access networks (Hill, 1973), overlapping sessions; hosting left out |
//! | Two places at once? | Great circle less geolocation errors, over 900 km/h and 100 km: [`Place`] |
//! | Unlike itself? | Jensen-Shannon divergence of today's hours from the account's own (Lin, 1991) |
//! | How likely? | Logistic regression with signed weights, calibrated by Platt's method: [`Model`] |
//! | How likely, by the rules that hit? | Noisy-OR, learned together (Pearl, 1988): [`NoisyOr`] |
//!
//! # What it does not do
//!
//! It reads no clock and opens no connection. It does not locate addresses: network, country and place
//! come with the event. It keeps no money: an amount becomes a statistic in one named step, and no
//! statistic becomes an amount. Networks are hosting only as far as [`HostingNetworks`] knows.
//!
//! # Features
//!
//! - `serde`: rule sets as TOML, JSON and YAML; records, appeals, models and all that is remembered
//!   (monitors, accounts, lists, standings) as data that goes on after a restart bit for bit the same.
//! - `synthetic`: the generator of labeled consumers, this project's own benchmark.
#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod noisy_or;
mod program;
mod rule;
mod rule_set;
mod shares;
mod signal;
mod sketch;
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
pub use backtest::{Backtest, Change, Confusion, Recorded, recall_at, threshold_at};
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
pub use noisy_or::NoisyOr;
pub use rule::{Action, Evidence, MAX_POINTS, Missing, Mode, Rule};
pub use rule_set::{MAX_RULES, Policy, RuleSet, Thresholds, Verdict};
pub use signal::{Code, Context, MAX_SIGNALS, Signal, SignalKind, Vocabulary};
pub use sketch::{DistinctCount, DistinctSketch, STANDARD_ERROR};
pub use standing::{Held, Holding, Standing};
#[cfg(feature = "serde")]
pub use text::{Format, LoadError};
pub use travel::{IMPOSSIBLE_KMH, LEAST_KM, Place};
pub use window::{HourlyDay, SlidingSum};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

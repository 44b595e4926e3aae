//! Is this the event of yesterday, and when is it over?

use jiff::civil::Date;

use super::FindingKind;
use super::evidence::{Judgment, Signal};
use crate::Direction;

/// Days after which a changed level is the new normal.
const ACCEPT_DAYS: u16 = 14;

/// Ordinary days after which an event is over.
const QUIET_DAYS: u16 = 2;

/// An event that was noticed and has not ended.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Episode {
    pub(super) kind: FindingKind,
    pub(super) direction: Direction,
    pub(super) since: Date,
    /// Days since it was noticed.
    n_days: u16,
    quiet_days: u16,
    /// The largest deviation so far, of the logarithm.
    size: f64,
    /// The mean deviation of the last days.
    recent: f64,
    /// Whether a finding of its own was raised, or another's covers it.
    pub(super) is_raised: bool,
    /// Whether it is the end of an earlier one.
    pub(super) is_return: bool,
    /// How far the finding has been escalated: deviations of 50 % and 100 % are steps.
    pub(super) step: u8,
}

/// What a further day makes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    GoesOn,
    /// The last so many days were ordinary.
    Ended {
        quiet_days: u16,
    },
    /// It has stayed so long that it is normal now.
    Accepted,
}

impl Episode {
    pub(super) fn open(signal: Signal, since: Date, judgment: &Judgment, is_raised: bool) -> Self {
        Self {
            kind: signal.kind,
            direction: signal.direction,
            since,
            n_days: 0,
            quiet_days: 0,
            size: judgment.deviation.abs(),
            recent: judgment.deviation,
            is_raised,
            is_return: false,
            step: step_of(judgment.deviation),
        }
    }

    /// Goes on with a day's deviation from what was normal before the event.
    pub(super) fn advance(&mut self, deviation: f64, sigma: f64) -> Progress {
        self.n_days = self.n_days.saturating_add(1);
        self.size = self.size.max(deviation.abs());
        self.recent += (deviation - self.recent) / 2.0;
        let signed = |deviation: f64| match self.direction {
            Direction::Fall => -deviation,
            _ => deviation,
        };
        let bar = (0.35 * self.size).max(sigma);
        if signed(deviation) < bar && signed(self.recent) < 1.5 * bar {
            self.quiet_days += 1;
        } else {
            self.quiet_days = 0;
        }
        if self.quiet_days >= QUIET_DAYS {
            return Progress::Ended {
                quiet_days: self.quiet_days,
            };
        }
        if self.n_days >= ACCEPT_DAYS && self.kind != FindingKind::Drop {
            return Progress::Accepted;
        }
        Progress::GoesOn
    }

    /// Whether the deviation has grown past the next step.
    pub(super) fn escalates(&mut self, deviation: f64) -> bool {
        let step = step_of(deviation);
        let is_higher = step > self.step;
        self.step = self.step.max(step);
        is_higher
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self) -> bool {
        self.size.is_finite() && self.recent.is_finite()
    }
}

/// Deviations of 50 % and of 100 % are a step each.
fn step_of(deviation: f64) -> u8 {
    let share = deviation.exp_m1().abs();
    u8::from(share > 0.5) + u8::from(share > 1.0)
}

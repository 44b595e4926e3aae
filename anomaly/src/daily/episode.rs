//! Is this the event of yesterday, and when is it over?

use jiff::civil::Date;

use super::FindingKind;
use super::Stage;
use super::baseline::Fit;
use super::channel::{Channel, Shift, days_of, plus_days};
use super::evidence::{Judgment, Signal};
use super::robust::median;
use super::verdicts::Judged;
use crate::Direction;

/// Days after which a changed level is the new normal.
const ACCEPT_DAYS: u16 = 14;

/// Days after which the end of what had become normal is believed.
const RETURN_DAYS: u16 = 5;

/// Ordinary days after which an event is over.
const QUIET_DAYS: u16 = 2;

/// Days that the new level is learned from when it is accepted.
const ACCEPTED_DAYS: usize = 5;

/// An event that was noticed and has not ended.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Episode {
    pub(super) kind: FindingKind,
    pub(super) direction: Direction,
    pub(super) since: Date,
    pub(super) culprit: Option<String>,
    pub(super) role: Role,
    /// Days since it was noticed.
    n_days: u16,
    quiet_days: u16,
    /// The largest deviation of the logarithm so far.
    size: f64,
    /// A mean of the last deviations.
    recent: f64,
    /// How many of the steps 50 % and 100 % it has passed.
    step: u8,
}

/// Why an event is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Role {
    /// A finding was raised about it.
    Raised,
    /// A finding elsewhere is about it.
    Covered,
    /// It is the end of an earlier one.
    Return,
}

/// What a further day makes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    GoesOn,
    Ended,
    /// It has stayed so long that it is normal now.
    Accepted,
}

impl Episode {
    /// Goes on with a day's deviation from what was normal before the event.
    fn advance(&mut self, deviation: f64, sigma: f64) -> Progress {
        self.n_days = self.n_days.saturating_add(1);
        self.size = self.size.max(deviation.abs());
        self.recent = self.recent.midpoint(deviation);
        let along = |deviation: f64| match self.direction {
            Direction::Fall => -deviation,
            Direction::Rise | Direction::Pattern => deviation,
        };
        // A noisy day does not end it: a third of its size does not reach the bar, twice in a row.
        let bar = (0.35 * self.size).max(sigma);
        let is_quiet = along(deviation) < bar && along(self.recent) < 1.5 * bar;
        self.quiet_days = if is_quiet {
            self.quiet_days.saturating_add(1)
        } else {
            0
        };
        if self.quiet_days >= QUIET_DAYS {
            Progress::Ended
        } else if self.n_days >= self.days_to_accept() && self.kind != FindingKind::Drop {
            Progress::Accepted
        } else {
            Progress::GoesOn
        }
    }

    fn days_to_accept(&self) -> u16 {
        match self.role {
            Role::Return => RETURN_DAYS,
            Role::Raised | Role::Covered => ACCEPT_DAYS,
        }
    }

    /// Whether a deviation along its direction passes the next step.
    fn grows(&mut self, deviation: f64) -> bool {
        let is_along = (deviation < 0.0) == (self.direction == Direction::Fall);
        let step = steps_of(deviation);
        if !is_along || step <= self.step {
            return false;
        }
        self.step = step;
        true
    }

    /// Whether this can have been stored.
    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self) -> bool {
        use super::channel::LARGEST_CHANGE;
        self.size.abs() < LARGEST_CHANGE && self.recent.abs() < LARGEST_CHANGE
    }
}

/// Deviations of 50 % and of 100 % are a step each.
fn steps_of(deviation: f64) -> u8 {
    let share = deviation.exp_m1().abs();
    u8::from(share > 0.5) + u8::from(share > 1.0)
}

impl Channel {
    /// Starts to follow an event, and sets its days aside.
    pub(super) fn open(
        &mut self,
        signal: Signal,
        judgment: &Judgment,
        date: Date,
        role: Role,
        culprit: Option<String>,
    ) {
        self.mark_last(signal.days_ago, true);
        self.episode = Some(Episode {
            kind: signal.kind,
            direction: signal.direction,
            since: plus_days(date, -days_of(signal.days_ago)),
            culprit,
            role,
            n_days: 0,
            quiet_days: 0,
            size: judgment.deviation.abs(),
            recent: judgment.deviation,
            step: steps_of(judgment.deviation),
        });
    }

    /// Goes on with an event by a day that is judged but not stored yet; its stage while it lasts.
    pub(super) fn follow(&mut self, judged: &Judged, date: Date) -> Option<Stage> {
        let deviation = judged.judgment.deviation;
        let episode = self.episode.as_mut()?;
        match episode.advance(deviation, judged.fit.sigma) {
            Progress::GoesOn if episode.grows(deviation) => Some(Stage::Grown),
            Progress::GoesOn => Some(Stage::Continuing),
            Progress::Ended => {
                let n_quiet = usize::from(episode.quiet_days) - 1;
                self.episode = None;
                self.mark_last(n_quiet, false);
                None
            }
            Progress::Accepted => {
                let n_days = usize::from(episode.days_to_accept()).min(ACCEPTED_DAYS);
                self.accept(&judged.fit, n_days, date);
                None
            }
        }
    }

    /// Takes the level of the last days as the new normal, on the day after them.
    fn accept(&mut self, fit: &Fit, n_days: usize, date: Date) {
        let from = self.n_days().saturating_sub(n_days);
        let mut deviations: Vec<f64> = (from..self.n_days())
            .filter_map(|day| Some(fit.deviation(day, self.cost(day)?)))
            .collect();
        let is_settled = self
            .episode
            .take()
            .is_some_and(|episode| episode.role == Role::Return);
        if let Some(change) = median(&mut deviations) {
            let from = plus_days(date, -days_of(n_days));
            self.shift(Shift {
                from,
                change,
                is_settled,
            });
        }
        self.mark_last(n_days, false);
    }

    /// Takes the level since an event was noticed as the new normal, if one goes on.
    pub(super) fn accept_now(&mut self, fit: &Fit, date: Date) {
        if let Some(episode) = &self.episode {
            let n_days = usize::from(episode.n_days) + 1;
            self.accept(fit, n_days.min(ACCEPTED_DAYS), date);
        }
    }

    /// Takes the days of an event, if one goes on, as ordinary after all.
    pub(super) fn forget_episode(&mut self) {
        if let Some(episode) = self.episode.take() {
            self.mark_last(usize::from(episode.n_days) + 1, false);
        }
    }
}

//! What do the classical detectors share?
//!
//! Windows of the last values with their median and spread, the order of time, and a guard that
//! keeps an anomaly out of the baseline until it has proved to be the new normal.

mod baseline;
mod clock;
mod guard;
mod streak;
mod window;

pub(crate) use baseline::{Baseline, observe};
pub(crate) use clock::Clock;
pub(crate) use guard::Guard;
#[cfg(feature = "serde")]
pub(crate) use guard::SavedGuard;
pub(crate) use streak::Streak;
pub(crate) use window::{Window, median};

use crate::{Direction, Interval, LARGEST_VALUE, Verdict};

/// The median absolute deviation of a normal distribution is its standard deviation by 1.4826, which
/// is 1 ÷ Φ⁻¹(¾).
pub(crate) const MAD_SCALE: f64 = 1.482_602_218_505_602;

/// A setting that a detector cannot work with.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the setting `{name}` is {value}: it must be {allowed}")]
pub struct SettingError {
    /// The setting.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What it can be.
    pub allowed: &'static str,
}

/// A count in a range.
pub(crate) fn check_count(
    name: &'static str,
    value: usize,
    (least, most): (usize, usize),
    allowed: &'static str,
) -> Result<(), SettingError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let value = value as f64;
    Err(SettingError {
        name,
        value,
        allowed,
    })
}

/// A number over 0 by which evidence is measured.
pub(crate) fn check_threshold(name: &'static str, value: f64) -> Result<(), SettingError> {
    if (1e-9..=1e9).contains(&value) {
        return Ok(());
    }
    let allowed = "from 1e-9 to 1e9";
    Err(SettingError {
        name,
        value,
        allowed,
    })
}

/// A share of a whole.
pub(crate) fn check_share(name: &'static str, value: f64) -> Result<(), SettingError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    let allowed = "from 0 to 1";
    Err(SettingError {
        name,
        value,
        allowed,
    })
}

/// The verdict on a value that should be `expected`, within so many scales.
pub(crate) fn judge(actual: f64, expected: f64, scale: f64, threshold: f64) -> Verdict {
    let deviation = actual - expected;
    Verdict {
        score: crate::score(evidence(deviation, scale), threshold),
        direction: direction(deviation),
        actual,
        expected,
        interval: Interval::around(expected, threshold * scale),
    }
}

/// How many scales a deviation is; without a scale, any deviation is beyond all measure.
pub(crate) fn evidence(deviation: f64, scale: f64) -> f64 {
    let size = deviation.abs();
    match size > 0.0 {
        true => size / scale,
        false => 0.0,
    }
}

pub(crate) fn direction(deviation: f64) -> Direction {
    match deviation < 0.0 {
        true => Direction::Fall,
        false => Direction::Rise,
    }
}

/// A computed value, no further from zero than an observed one can be.
pub(crate) fn bounded(value: f64) -> f64 {
    value.clamp(-LARGEST_VALUE, LARGEST_VALUE)
}

/// A saved state that no detector can have been in.
#[cfg(feature = "serde")]
#[derive(Debug, thiserror::Error)]
pub(crate) enum DamagedState {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("the saved {0} does not fit the settings: learn the baseline anew from history")]
    Part(&'static str),
}

/// Whether a saved number is one that a detector can have computed of observations.
#[cfg(feature = "serde")]
pub(crate) fn is_plausible(value: f64) -> bool {
    value.abs() <= 1e6 * LARGEST_VALUE
}

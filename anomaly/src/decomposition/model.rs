//! How do level, slope and seasons follow the series?

use super::{DecompositionSettings, Parts};
use crate::robust::{Streak, Window, bounded};
use crate::{Assessment, Verdict};

/// How many errors the scale is the median size of.
pub(super) const N_ERRORS: usize = 64;

/// Errors count as this many scales at most, as in Gelper, Fried and Croux.
const HUBER: f64 = 2.0;

/// What is known after the last point.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Model {
    pub(super) step: i64,
    pub(super) level: f64,
    pub(super) slope: f64,
    pub(super) seasons: Vec<Season>,
    /// The sizes of the last errors.
    pub(super) errors: Window,
    pub(super) streak: Streak,
}

/// The part of each place in a period.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(super) struct Season {
    pub(super) offsets: Vec<f64>,
}

impl Season {
    pub(super) fn place(&self, step: i64) -> usize {
        step.rem_euclid(self.offsets.len().max(1) as i64) as usize
    }

    pub(super) fn offset(&self, step: i64) -> f64 {
        self.offsets.get(self.place(step)).copied().unwrap_or(0.0)
    }

    fn learn(&mut self, step: i64, change: f64) {
        let place = self.place(step);
        if let Some(offset) = self.offsets.get_mut(place) {
            *offset = bounded(*offset + change);
        }
    }
}

impl Model {
    pub(super) fn periods(&self) -> Vec<usize> {
        let seasons = self.seasons.iter();
        seasons.map(|season| season.offsets.len()).collect()
    }

    pub(super) fn parts(&self, step: i64, value: f64) -> Parts {
        let (trend, season) = (self.trend(step), self.season(step));
        let remainder = value - (trend + season);
        Parts {
            trend,
            season,
            remainder,
        }
    }

    pub(super) fn expected(&self, step: i64) -> f64 {
        bounded(self.trend(step) + self.season(step))
    }

    /// Past a hundred missing points the slope is not carried on: a short drift says nothing of a
    /// time far away.
    fn trend(&self, step: i64) -> f64 {
        let distance = step.saturating_sub(self.step).clamp(0, 100);
        bounded(self.level + self.slope * distance as f64)
    }

    fn season(&self, step: i64) -> f64 {
        let offsets = self.seasons.iter().map(|season| season.offset(step));
        offsets.fold(0.0, |sum, offset| sum + offset)
    }

    pub(super) fn scale(&self, step: i64, relative_floor: f64) -> f64 {
        let floor = relative_floor * self.expected(step).abs();
        (crate::robust::MAD_SCALE * self.errors.median()).max(floor)
    }

    pub(super) fn learn(
        &mut self,
        step: i64,
        value: f64,
        assessment: &Assessment,
        settings: &DecompositionSettings,
    ) {
        let error = value - self.expected(step);
        let limit = HUBER * self.scale(step, settings.relative_floor);
        let usual = error.clamp(-limit, limit);
        let trend = self.trend(step);
        self.step = step;
        self.errors.push(error.abs());
        self.streak.count(
            assessment
                .verdict()
                .filter(|verdict| Verdict::is_alarm(verdict)),
        );
        if self.streak.length() >= settings.patience {
            self.level = bounded(trend + error);
            self.streak = Streak::default();
            return;
        }
        self.level = bounded(trend + settings.level_gain * usual);
        self.slope = bounded(self.slope + slope_gain(settings.level_gain) * usual);
        for season in &mut self.seasons {
            season.learn(step, settings.season_gain * usual);
        }
    }
}

fn slope_gain(level_gain: f64) -> f64 {
    (1.0 - (1.0 - level_gain).sqrt()).powi(2)
}

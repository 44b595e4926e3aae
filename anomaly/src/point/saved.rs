//! How is a point detector saved, and what is checked when it is read?

use jiff::Timestamp;

use super::course::{Course, N_FIRST};
use super::rarity::Rarity;
use super::{PointDetector, PointSettings};
use crate::LARGEST_VALUE;
use crate::format::Format;

/// The saved form: what cannot be computed from the rest.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Saved {
    format: Format<1>,
    settings: PointSettings,
    last: Option<Timestamp>,
    interval: u32,
    n_first: u8,
    course: Course,
    hours: Vec<f64>,
    counts: Vec<u16>,
    full_at: u32,
    tail_index: f64,
}

/// What is wrong with a saved state.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("the state has {found} hours where its profile has {expected}: it is damaged")]
    Hours { found: usize, expected: usize },
    #[error("the state has {0} counts of residuals, or more of them than it keeps: it is damaged")]
    Counts(usize),
    #[error("the state has a number that no series leads to: it is damaged")]
    Number,
}

impl From<PointDetector> for Saved {
    fn from(detector: PointDetector) -> Self {
        Self {
            format: Format,
            settings: detector.settings,
            last: detector.last,
            interval: detector.interval,
            n_first: detector.n_first,
            course: detector.course,
            counts: detector.rarity.counts().to_vec(),
            full_at: detector.rarity.full_at(),
            tail_index: detector.rarity.tail_index(),
            hours: detector.hours.into_vec(),
        }
    }
}

impl TryFrom<Saved> for PointDetector {
    type Error = Damage;

    fn try_from(saved: Saved) -> Result<Self, Damage> {
        let mut detector = Self::new(saved.settings);
        let (found, expected) = (saved.hours.len(), detector.hours.len());
        if found != expected {
            return Err(Damage::Hours { found, expected });
        }
        let is_hour = |hour: &f64| hour.abs() <= 1e3 * LARGEST_VALUE;
        let is_begun = usize::from(saved.n_first) <= N_FIRST;
        if !is_begun || !saved.course.is_sound() || !saved.hours.iter().all(is_hour) {
            return Err(Damage::Number);
        }
        let budget = saved.settings.alarm_budget;
        detector.rarity = Rarity::counted(budget, &saved.counts, saved.full_at, saved.tail_index)
            .ok_or(Damage::Counts(saved.counts.len()))?;
        detector.last = saved.last;
        detector.interval = saved.interval;
        detector.n_first = saved.n_first;
        detector.course = saved.course;
        detector.hours = saved.hours.into();
        Ok(detector)
    }
}

/// An offset from UTC is saved in seconds.
pub(super) mod offset {
    use jiff::tz::Offset;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::{Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        offset: &Offset,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        offset.seconds().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Offset, D::Error> {
        Offset::from_seconds(i32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

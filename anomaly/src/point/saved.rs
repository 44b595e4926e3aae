//! How is a point detector saved, and what is checked when it is read?

use jiff::Timestamp;

use super::course::{Course, N_FIRST};
use super::rarity::{Rarity, SavedRarity};
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
    rarity: SavedRarity,
}

/// What is wrong with a saved state.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("the state has {found} hours where its profile has {expected}: it is damaged")]
    Hours { found: usize, expected: usize },
    #[error("the counts of residuals do not agree with each other: the state is damaged")]
    Ranks,
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
            rarity: detector.rarity.save(),
            hours: detector.hours.values().to_vec(),
        }
    }
}

impl TryFrom<Saved> for PointDetector {
    type Error = Damage;

    fn try_from(saved: Saved) -> Result<Self, Damage> {
        let mut detector = Self::new(saved.settings);
        let (found, expected) = (saved.hours.len(), detector.hours.values().len());
        if found != expected {
            return Err(Damage::Hours { found, expected });
        }
        let is_hour = |hour: &f64| hour.abs() <= 1e3 * LARGEST_VALUE;
        let is_begun = usize::from(saved.n_first) <= N_FIRST;
        if !is_begun || !saved.course.is_sound() || !saved.hours.iter().all(is_hour) {
            return Err(Damage::Number);
        }
        let budget = saved.settings.alarm_budget;
        detector.rarity = Rarity::restore(budget, &saved.rarity).ok_or(Damage::Ranks)?;
        detector.last = saved.last;
        detector.interval = saved.interval;
        detector.n_first = saved.n_first;
        detector.course = saved.course;
        detector.hours.values_mut().copy_from_slice(&saved.hours);
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

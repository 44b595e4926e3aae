//! A plain detector: what does this hour of the day usually have, and how much does it vary?

use bursar_anomaly::{
    Assessment, Detector, DetectorKind, Direction, Interval, Observation, ObservationError,
    Reading, Verdict, score,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A level for each half hour of the day, learned slowly and not from alarms.
#[derive(Debug)]
pub(crate) struct DayProfile {
    last: Option<Timestamp>,
    slots: [Slot; 48],
    /// The mean distance from the levels.
    spread: f64,
    n_seen: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    level: f64,
    n_seen: u32,
}

/// Three days of five minutes.
const NEED: usize = 864;
/// Mean distances from the level that are an alarm: of normal noise, 5.2 deviations.
const THRESHOLD: f64 = 6.5;

impl Default for DayProfile {
    fn default() -> Self {
        Self {
            last: None,
            slots: [Slot::default(); 48],
            spread: 0.0,
            n_seen: 0,
        }
    }
}

impl Detector for DayProfile {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Decomposition
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        let at = observation.at();
        if let Some(last) = self.last.filter(|last| at <= *last) {
            return Err(ObservationError::OutOfOrder { at, last });
        }
        self.last = Some(at);
        let (Reading::Final(value) | Reading::Partial(value)) = observation.reading() else {
            return Ok(Assessment::Missing);
        };
        let (have, need) = (self.n_seen, NEED);
        let expected = self.level(at);
        let allowed = THRESHOLD * self.spread;
        let distance = value - expected;
        let learned = if have < need {
            distance
        } else {
            distance.clamp(-allowed, allowed)
        };
        self.learn(at, learned, value);
        if have < need {
            return Ok(Assessment::NotReady { have, need });
        }
        Ok(Assessment::Scored(Verdict {
            score: score(distance.abs(), allowed),
            direction: if distance < 0.0 {
                Direction::Fall
            } else {
                Direction::Rise
            },
            actual: value,
            expected,
            interval: Interval::around(expected, allowed),
        }))
    }
}

impl DayProfile {
    /// Between the middles of two half hours.
    fn level(&self, at: Timestamp) -> f64 {
        let place = half_hours(at) - 0.5 + 48.0;
        let (before, after) = (place as usize % 48, (place as usize + 1) % 48);
        let part = place.fract();
        self.slots[before].level * (1.0 - part) + self.slots[after].level * part
    }

    fn learn(&mut self, at: Timestamp, distance: f64, value: f64) {
        let slot = &mut self.slots[half_hours(at) as usize % 48];
        slot.n_seen += 1;
        match slot.n_seen {
            // A half hour has six points on its first day.
            n @ 1..=6 => slot.level += (value - slot.level) / f64::from(n),
            n => slot.level += distance / f64::from(n.min(40)),
        }
        // The first day teaches the levels, the following ones how far from them is usual.
        self.n_seen += 1;
        if let Some(n) = self.n_seen.checked_sub(NEED / 3).filter(|n| *n > 0) {
            self.spread += (distance.abs() - self.spread) / n.min(2 * NEED) as f64;
        }
    }
}

fn half_hours(at: Timestamp) -> f64 {
    let time = at.to_zoned(TimeZone::UTC).time();
    f64::from(time.hour()) * 2.0 + f64::from(time.minute()) / 30.0
}

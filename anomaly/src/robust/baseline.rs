//! In which order does a detector judge and learn?

use jiff::Timestamp;

use super::Clock;
use crate::{Assessment, Direction, Observation, ObservationError, Reading, Verdict};

/// What a detector of this crate knows, and how it changes. Judging cannot change it, and learning
/// comes after.
pub(crate) trait Baseline {
    fn clock(&mut self) -> &mut Clock;

    /// What the baseline says of a value.
    fn assess(&self, at: Timestamp, value: f64) -> Assessment;

    /// Makes the value part of the baseline, knowing what was said of it.
    fn learn(&mut self, at: Timestamp, value: f64, assessment: &Assessment);
}

pub(crate) fn observe(
    baseline: &mut impl Baseline,
    observation: Observation,
) -> Result<Assessment, ObservationError> {
    let at = observation.at();
    match baseline.clock().admit(observation)? {
        Reading::Missing => Ok(Assessment::Missing),
        Reading::Partial(value) => Ok(only_excess(baseline.assess(at, value))),
        Reading::Final(value) => {
            let assessment = baseline.assess(at, value);
            baseline.learn(at, value, &assessment);
            Ok(assessment)
        }
    }
}

/// A value that can still grow says nothing by being low.
fn only_excess(assessment: Assessment) -> Assessment {
    match assessment {
        Assessment::Scored(verdict) if verdict.direction == Direction::Fall => {
            let score = 0.0;
            Assessment::Scored(Verdict { score, ..verdict })
        }
        other => other,
    }
}

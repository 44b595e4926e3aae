//! Does the observation come after the last?

use jiff::Timestamp;

use crate::{Observation, ObservationError, Reading};

/// The time of the last observation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(crate) struct Clock {
    last: Option<Timestamp>,
}

impl Clock {
    /// What is known of an observation that is newer than the last. A value that can still grow does
    /// not move the time, so that the final one can follow.
    pub(crate) fn admit(&mut self, observation: Observation) -> Result<Reading, ObservationError> {
        let at = observation.at();
        if let Some(last) = self.last
            && at <= last
        {
            return Err(ObservationError::OutOfOrder { at, last });
        }
        if !matches!(observation.reading(), Reading::Partial(_)) {
            self.last = Some(at);
        }
        Ok(observation.reading())
    }
}

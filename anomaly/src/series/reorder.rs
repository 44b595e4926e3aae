//! In which order do late points go to a detector?

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::Observation;

/// Holds observations until no older one is expected, and hands them on in the order of time.
///
/// An observation is handed on when one has come that is newer by the stated lateness. What comes
/// after its place has passed is answered with [`Arrival::Late`]; what comes twice replaces the
/// first. Nothing is lost without being named, and no clock is read: time is that of the points.
///
/// ```
/// use bursar_anomaly::{Arrival, Observation, Reorder};
/// use jiff::{SignedDuration, Timestamp};
///
/// let at = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
/// let mut reorder = Reorder::new(SignedDuration::from_mins(10), 100)?;
/// for minute in [0, 10, 5, 20] {
///     assert_eq!(reorder.push(Observation::new(at(minute), 0.4)?), Arrival::Held);
/// }
/// // 20 minus the lateness of 10: all up to there are complete.
/// let ready: Vec<Timestamp> = std::iter::from_fn(|| reorder.next_ready()).map(|point| point.at()).collect();
/// assert_eq!(ready, [at(0), at(5), at(10)]);
///
/// assert_eq!(reorder.push(Observation::new(at(7), 0.4)?), Arrival::Late { emitted: at(10) });
/// assert_eq!(reorder.finish().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reorder {
    lateness: SignedDuration,
    capacity: usize,
    newest: Timestamp,
    emitted: Option<Timestamp>,
    held: VecDeque<Observation>,
}

/// What became of an observation that arrived.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub enum Arrival {
    /// It is held until its turn.
    Held,
    /// It is held in the place of an earlier one of the same moment.
    Replaced {
        /// The earlier one.
        earlier: Observation,
    },
    /// It is not held, for observations up to this moment have been handed on.
    Late {
        /// The time of the last one that was handed on.
        emitted: Timestamp,
    },
}

/// Why observations cannot be brought into order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReorderError {
    /// Lateness is negative.
    #[error("the lateness is {lateness:#}: it must not be negative")]
    Lateness {
        /// The lateness.
        lateness: SignedDuration,
    },
    /// There is no room for an observation.
    #[error("the capacity is 0: leave room for the points of one lateness")]
    Capacity,
}

impl Reorder {
    /// A buffer for points that may be so late, and for no more than `capacity` of them: when more
    /// are held, the oldest is ready before its time.
    ///
    /// # Errors
    /// [`ReorderError`] for a negative lateness and a capacity of 0.
    pub fn new(lateness: SignedDuration, capacity: usize) -> Result<Self, ReorderError> {
        if lateness.is_negative() {
            return Err(ReorderError::Lateness { lateness });
        }
        if capacity == 0 {
            return Err(ReorderError::Capacity);
        }
        Ok(Self {
            lateness,
            capacity,
            newest: Timestamp::MIN,
            emitted: None,
            held: VecDeque::new(),
        })
    }

    /// Takes an observation in. Ask for what is [ready](Reorder::next_ready) after each.
    pub fn push(&mut self, observation: Observation) -> Arrival {
        let at = observation.at();
        if let Some(emitted) = self.emitted
            && at <= emitted
        {
            return Arrival::Late { emitted };
        }
        self.newest = self.newest.max(at);
        let place = self.held.partition_point(|held| held.at() < at);
        match self.held.get_mut(place) {
            Some(held) if held.at() == at => {
                let earlier = std::mem::replace(held, observation);
                Arrival::Replaced { earlier }
            }
            _ => {
                self.held.insert(place, observation);
                Arrival::Held
            }
        }
    }

    /// The oldest observation that no late one can come before.
    pub fn next_ready(&mut self) -> Option<Observation> {
        let oldest = self.held.front()?;
        let is_complete = self.newest.duration_since(oldest.at()) >= self.lateness;
        if !is_complete && self.held.len() <= self.capacity {
            return None;
        }
        self.emitted = Some(oldest.at());
        self.held.pop_front()
    }

    /// Hands on all that is held, at the end of a series.
    pub fn finish(mut self) -> impl Iterator<Item = Observation> {
        std::iter::from_fn(move || self.held.pop_front())
    }

    /// How many observations wait.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

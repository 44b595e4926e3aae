//! How many alarms came in a row?

use crate::{Direction, Verdict};

/// Alarms in a row, in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Streak {
    length: usize,
    direction: Option<Direction>,
}

impl Streak {
    /// Counts an alarm, or its absence.
    pub(crate) fn count(&mut self, alarm: Option<&Verdict>) {
        let direction = alarm.map(|verdict| verdict.direction);
        let goes_on = direction.is_some() && direction == self.direction;
        let before = if goes_on { self.length } else { 0 };
        self.length = before.saturating_add(usize::from(direction.is_some()));
        self.direction = direction;
    }

    pub(crate) const fn length(&self) -> usize {
        self.length
    }
}

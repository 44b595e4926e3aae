//! How much of an unusual value becomes part of the baseline?

use super::Window;
use crate::Interval;

/// Keeps unusual values out of a window until they have proved to be the new normal.
///
/// An unusual value is learned only as far as the interval reaches. When `patience` values in a row
/// were unusual on the same side, all of them are learned in full.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guard {
    patience: usize,
    waiting: Vec<f64>,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Side {
    Below,
    Within,
    Above,
}

impl Guard {
    pub(crate) fn new(patience: usize) -> Self {
        Self {
            patience,
            waiting: Vec::with_capacity(patience),
            side: Side::Within,
        }
    }

    /// Teaches the window a value, which is usual within the interval; without one, any value is.
    pub(crate) fn learn(&mut self, window: &mut Window, value: f64, interval: Option<Interval>) {
        let interval = interval.unwrap_or(Interval::around(value, 0.0));
        let side = side(value, interval);
        if side != self.side {
            self.waiting.clear();
            self.side = side;
        }
        if side == Side::Within || self.patience == 0 {
            window.push(value);
            return;
        }
        window.push(value.clamp(interval.low, interval.high));
        self.waiting.push(value);
        if self.waiting.len() >= self.patience {
            window.replace_newest(&self.waiting);
            self.waiting.clear();
        }
    }
}

fn side(value: f64, interval: Interval) -> Side {
    if value < interval.low {
        return Side::Below;
    }
    if value > interval.high {
        return Side::Above;
    }
    Side::Within
}

#[cfg(feature = "serde")]
mod saved {
    use super::{Guard, Side};

    /// A guard without its patience, which is a setting.
    #[derive(Debug, serde::Deserialize)]
    pub(crate) struct SavedGuard {
        waiting: Vec<f64>,
        side: Side,
    }

    impl serde::Serialize for Guard {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            #[derive(serde::Serialize)]
            #[serde(rename = "SavedGuard")]
            struct Borrowed<'a> {
                waiting: &'a [f64],
                side: Side,
            }
            let (waiting, side) = (self.waiting.as_slice(), self.side);
            Borrowed { waiting, side }.serialize(serializer)
        }
    }

    impl Guard {
        pub(crate) fn restore(patience: usize, saved: &SavedGuard) -> Option<Self> {
            let are_plausible = saved
                .waiting
                .iter()
                .copied()
                .all(crate::robust::is_plausible);
            if saved.waiting.len() > patience || !are_plausible {
                return None;
            }
            let mut guard = Self::new(patience);
            guard.waiting.extend(&saved.waiting);
            guard.side = saved.side;
            Some(guard)
        }
    }
}
#[cfg(feature = "serde")]
pub(crate) use saved::SavedGuard;

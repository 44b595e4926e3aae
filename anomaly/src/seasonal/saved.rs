//! Which saved states can be loaded?

use jiff::Timestamp;

use super::{Month, N_ERRORS, Profile, SeasonalSettings, Slots};
use crate::format::Format;
use crate::robust::{Clock, DamagedState, Streak, Window};

#[derive(serde::Deserialize)]
pub(super) struct Seasonal {
    #[serde(rename = "format")]
    _format: Format<1>,
    settings: SeasonalSettings,
    clock: Clock,
    last: Option<Timestamp>,
    n_points: usize,
    slots: Vec<Slots>,
    month: Month,
    errors: Vec<f64>,
    streak: Streak,
}

impl TryFrom<Seasonal> for super::Seasonal {
    type Error = DamagedState;

    fn try_from(saved: Seasonal) -> Result<Self, DamagedState> {
        let new = Self::new(saved.settings)?;
        let errors = Window::restore(N_ERRORS, &saved.errors);
        let are_sizes = saved.errors.iter().all(|error| *error >= 0.0);
        let mut slots = saved.slots.iter().zip(Profile::ALL);
        let are_slots = slots.all(|(slots, profile)| slots.is_plausible(profile));
        if !are_slots || saved.slots.len() != Profile::ALL.len() {
            return Err(DamagedState::Part("slots"));
        }
        if !saved.month.is_plausible() {
            return Err(DamagedState::Part("month"));
        }
        let errors = errors.filter(|_| are_sizes);
        Ok(Self {
            clock: saved.clock,
            last: saved.last,
            n_points: saved.n_points,
            slots: saved.slots,
            month: saved.month,
            errors: errors.ok_or(DamagedState::Part("errors"))?,
            streak: saved.streak,
            ..new
        })
    }
}

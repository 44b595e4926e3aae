//! Which saved states can be loaded?

use super::model::{Model, N_ERRORS, Season};
use super::{DecompositionSettings, Periods};
use crate::format::Format;
use crate::robust::{Clock, DamagedState, Streak, Window, is_plausible};

#[derive(serde::Deserialize)]
pub(super) struct Decomposition {
    #[serde(rename = "format")]
    _format: Format<1>,
    settings: DecompositionSettings,
    clock: Clock,
    warm_up: Vec<(i64, f64)>,
    model: Option<SavedModel>,
}

#[derive(serde::Deserialize)]
#[serde(rename = "Model")]
struct SavedModel {
    step: i64,
    level: f64,
    slope: f64,
    seasons: Vec<Season>,
    errors: Vec<f64>,
    streak: Streak,
}

impl TryFrom<Decomposition> for super::Decomposition {
    type Error = DamagedState;

    fn try_from(saved: Decomposition) -> Result<Self, DamagedState> {
        let mut new = Self::new(saved.settings)?;
        let is_short = saved.warm_up.len() < new.settings.periods.warm_up();
        let are_plausible = saved.warm_up.iter().all(|point| is_plausible(point.1));
        let are_in_order = saved.warm_up.is_sorted_by_key(|point| point.0);
        if !is_short || !are_plausible || !are_in_order {
            return Err(DamagedState::Part("warm_up"));
        }
        new.clock = saved.clock;
        match saved.model {
            None => new.warm_up.extend(saved.warm_up),
            Some(model) => {
                new.warm_up = Vec::new();
                new.model = Some(model.restore(&new.settings)?);
            }
        }
        Ok(new)
    }
}

impl SavedModel {
    fn restore(self, settings: &DecompositionSettings) -> Result<Model, DamagedState> {
        let errors = Window::restore(N_ERRORS, &self.errors);
        let are_sizes = self.errors.iter().all(|error| *error >= 0.0);
        let errors = errors.filter(|_| are_sizes);
        if !is_plausible(self.level) || !is_plausible(self.slope) {
            return Err(DamagedState::Part("trend"));
        }
        if !are_of_settings(&self.seasons, &settings.periods) {
            return Err(DamagedState::Part("seasons"));
        }
        Ok(Model {
            step: self.step,
            level: self.level,
            slope: self.slope,
            seasons: self.seasons,
            errors: errors.ok_or(DamagedState::Part("errors"))?,
            streak: self.streak,
        })
    }
}

fn are_of_settings(seasons: &[Season], periods: &Periods) -> bool {
    let lengths = || seasons.iter().map(|season| season.offsets.len());
    let mut offsets = seasons.iter().flat_map(|season| &season.offsets).copied();
    let has_lengths = match periods {
        Periods::Given(periods) => lengths().eq(periods.iter().copied()),
        Periods::Found { longest } => lengths().all(|length| (2..=*longest).contains(&length)),
    };
    has_lengths && offsets.all(is_plausible)
}

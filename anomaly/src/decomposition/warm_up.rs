//! What does the warm-up say of trend and seasons?

use super::model::{Model, N_ERRORS, Season};
use super::{Periods, periods};
use crate::robust::{Streak, Window, bounded, median};

/// Line and seasons are fitted in turn; after three rounds they change by less than the noise.
const ROUNDS: usize = 3;

/// At most so many periods are looked for.
const MOST_FOUND: usize = 3;

/// For periods to be found, a residual counts as this many times what nine in ten are below, so that
/// a few extreme values do not hide what repeats.
const LARGEST_RESIDUAL: f64 = 3.0;

/// The model after the points of a warm-up: steps in order, and values.
pub(super) fn fit(points: &[(i64, f64)], periods: &Periods) -> Model {
    let mut fit = Fit::of_line(points);
    match periods {
        Periods::Given(periods) => fit.add_seasons(periods),
        Periods::Found { longest } => fit.find_seasons(*longest),
    }
    fit.into_model()
}

struct Fit<'a> {
    points: &'a [(i64, f64)],
    origin: i64,
    intercept: f64,
    slope: f64,
    seasons: Vec<Season>,
}

impl<'a> Fit<'a> {
    fn of_line(points: &'a [(i64, f64)]) -> Self {
        let mut fit = Self {
            points,
            origin: points.first().map_or(0, |point| point.0),
            intercept: 0.0,
            slope: 0.0,
            seasons: Vec::new(),
        };
        fit.fit_line();
        fit
    }

    fn add_seasons(&mut self, periods: &[usize]) {
        let offsets = |&period: &usize| Season {
            offsets: vec![0.0; period],
        };
        self.seasons = periods.iter().map(offsets).collect();
        for _ in 0..ROUNDS {
            for season in 0..self.seasons.len() {
                self.fit_season(season);
            }
            self.fit_line();
        }
    }

    /// Adds the clearest period of what remains, as long as there is one.
    fn find_seasons(&mut self, longest: usize) {
        let mut found = Vec::new();
        while found.len() < MOST_FOUND
            && self.leaves_something()
            && let Some(period) = periods::clearest(&self.by_step(longest), longest)
            && !found.contains(&period)
        {
            found.push(period);
            self.add_seasons(&found);
        }
    }

    /// Whether the residuals are more than the rounding errors of the values.
    fn leaves_something(&self) -> bool {
        let sizes = self.points.iter().map(|point| point.1.abs());
        let rounding = 1e-12 * sizes.fold(0.0, f64::max);
        self.points
            .iter()
            .any(|&point| self.residual(point).abs() > rounding)
    }

    fn distance(&self, step: i64) -> f64 {
        step.saturating_sub(self.origin) as f64
    }

    fn season(&self, step: i64) -> f64 {
        let offsets = self.seasons.iter().map(|season| season.offset(step));
        offsets.fold(0.0, |sum, offset| sum + offset)
    }

    fn residual(&self, (step, value): (i64, f64)) -> f64 {
        let trend = self.intercept + self.slope * self.distance(step);
        bounded(value - trend - self.season(step))
    }

    /// The line through points half a warm-up apart: the median of their slopes (Theil 1950, the
    /// incomplete method), and the median of what it leaves.
    fn fit_line(&mut self) {
        let half = self.points.len() / 2;
        let flat = |&(step, value): &(i64, f64)| value - self.season(step);
        let pairs = self.points.iter().zip(self.points.iter().skip(half));
        let slope = |(from, to): (&(i64, f64), &(i64, f64))| {
            let distance = to.0.saturating_sub(from.0).max(1) as f64;
            (flat(to) - flat(from)) / distance
        };
        let slope = median(&mut pairs.map(slope).collect::<Vec<f64>>());
        let rest = |point: &(i64, f64)| flat(point) - slope * self.distance(point.0);
        let intercept = median(&mut self.points.iter().map(rest).collect::<Vec<f64>>());
        (self.slope, self.intercept) = (bounded(slope), bounded(intercept));
    }

    /// The part of a place is what its residuals agree on, and the parts of a period have a mean of 0.
    fn fit_season(&mut self, index: usize) {
        let Some(season) = self.seasons.get_mut(index) else {
            return;
        };
        season.offsets.fill(0.0);
        let season = self.seasons[index].clone();
        let period = season.offsets.len();
        let mut places = vec![Vec::new(); period];
        for &point in self.points {
            places[season.place(point.0)].push(self.residual(point));
        }
        let mut offsets: Vec<f64> = places.iter_mut().map(|place| agreed(place)).collect();
        let mean = offsets
            .iter()
            .map(|offset| offset / period as f64)
            .sum::<f64>();
        offsets.iter_mut().for_each(|offset| *offset -= mean);
        self.seasons[index].offsets = offsets;
    }

    fn bounded_residuals(&self) -> Vec<f64> {
        let mut residuals: Vec<f64> = self.points.iter().map(|&p| self.residual(p)).collect();
        let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
        let limit = LARGEST_RESIDUAL * nine_in_ten(&mut sizes);
        if limit > 0.0 {
            let bound = |residual: &mut f64| *residual = residual.clamp(-limit, limit);
            residuals.iter_mut().for_each(bound);
        }
        residuals
    }

    /// What remains, a slot a step; only so many steps from the end as one needs.
    fn by_step(&self, longest: usize) -> Vec<Option<f64>> {
        let last = self.points.last().map_or(0, |point| point.0);
        let most = 4 * longest as i64;
        let first = self.origin.max(last.saturating_sub(most));
        let mut slots = vec![None; last.saturating_sub(first) as usize + 1];
        for (point, residual) in self.points.iter().zip(self.bounded_residuals()) {
            if let Ok(slot) = usize::try_from(point.0.saturating_sub(first)) {
                slots[slot] = Some(residual);
            }
        }
        scaled(slots)
    }

    fn into_model(self) -> Model {
        let step = self.points.last().map_or(0, |point| point.0);
        let mut errors = Window::new(N_ERRORS);
        let inflation = self.inflation();
        for &point in self.points {
            errors.push(bounded(self.residual(point).abs() * inflation));
        }
        Model {
            step,
            level: bounded(self.intercept + self.slope * self.distance(step)),
            slope: self.slope,
            seasons: self.seasons,
            errors,
            streak: Streak::default(),
        }
    }

    /// Errors of a fit are smaller than those of a forecast: with c points in each place by
    /// √((1 − 1/c) ÷ (1 + 1/c)).
    fn inflation(&self) -> f64 {
        let longest = self.seasons.iter().map(|season| season.offsets.len()).max();
        let cycles = self.points.len() as f64 / longest.unwrap_or(1) as f64;
        ((1.0 + 1.0 / cycles) / (1.0 - 1.0 / cycles.max(2.0))).sqrt()
    }
}

/// The median; of two values in the middle the one closer to 0, and 0 between two signs. With two
/// values, an extreme one thus says nothing.
fn agreed(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = match values.len() {
        0 => return 0.0,
        len => (values[(len - 1) / 2], values[len / 2]),
    };
    0.0f64.clamp(low, high)
}

fn nine_in_ten(sizes: &mut [f64]) -> f64 {
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.get(sizes.len() * 9 / 10).copied().unwrap_or(0.0)
}

/// The values by the largest of them, so that no square overflows or vanishes.
fn scaled(mut values: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let sizes = values.iter().flatten().map(|value| value.abs());
    let largest = sizes.fold(0.0, f64::max);
    if largest > 0.0 {
        values
            .iter_mut()
            .flatten()
            .for_each(|value| *value /= largest);
    }
    values
}

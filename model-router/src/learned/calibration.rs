//! Where is the line between two models, so that a given share of the calls goes to the strong one?

use super::bytes;
use crate::format::Format;

/// What a model predicted for prompts of the training that it had not learned from: the scale on which
/// thresholds mean something. At most 1,250 prompts are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub(super) models: usize,
    /// In ten-thousandths, prompt by prompt.
    pub(super) predictions: Vec<i16>,
}

/// Prompts that are kept: the standard error of a share of one half is then 1.4 points.
pub(super) const MOST: usize = 1_250;

impl Calibration {
    pub(super) fn new(models: usize, predictions: impl Iterator<Item = f64>) -> Self {
        let rounded = predictions.map(|it| (it * 1e4).round().clamp(-32_767.0, 32_767.0) as i16);
        Self {
            models,
            predictions: rounded.take(MOST * models).collect(),
        }
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = &[i16]> {
        self.predictions.chunks_exact(self.models)
    }

    /// The preference from which on the strong model is to be called, so that `share` (0 to 1) of the
    /// calls go to it. On prompts of the same kind as the training's the share comes out within about
    /// two points. `None` if there is no such model.
    #[must_use]
    pub fn threshold(&self, weak: usize, strong: usize, share: f64) -> Option<f64> {
        if weak.max(strong) >= self.models {
            return None;
        }
        let preference = |row: &[i16]| f64::from(row[strong]) / 1e4 - f64::from(row[weak]) / 1e4;
        let mut preferences: Vec<_> = self.rows().map(preference).collect();
        preferences.sort_by(|a, b| b.total_cmp(a));
        let called = (share.clamp(0.0, 1.0) * preferences.len() as f64).round() as usize;
        match called {
            0 => Some(f64::INFINITY),
            _ if called == preferences.len() => Some(f64::NEG_INFINITY),
            _ => Some((preferences[called - 1] + preferences[called]) / 2.0),
        }
    }

    /// How much quality a unit of price must be worth, at least, so that the mean price of the choices
    /// stays within `budget`: the λ of quality − λ × price. `None` if the cheapest model alone costs
    /// more, or `prices` are not one finite number per model.
    #[must_use]
    pub fn price_weight(&self, prices: &[f64], budget: f64) -> Option<f64> {
        let is_whole = prices.len() == self.models && prices.iter().all(|it| it.is_finite());
        if !is_whole || self.predictions.is_empty() {
            return None;
        }
        let mean_price = |weight: f64| {
            let chosen = self.rows().map(|row| {
                let predicted = row.iter().map(|it| f64::from(*it) / 1e4);
                prices[super::best(predicted, prices, weight)]
            });
            chosen.sum::<f64>() / self.rows().len() as f64
        };
        let (mut low, mut high) = (0.0, 1.0);
        if mean_price(low) <= budget {
            return Some(low);
        }
        while mean_price(high) > budget {
            high *= 2.0;
            if high > 1e12 {
                return None;
            }
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            match mean_price(middle) <= budget {
                true => high = middle,
                false => low = middle,
            }
        }
        Some(high)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct SavedCalibration {
    format: Format<2>,
    /// Two bytes each.
    predictions: String,
}

impl From<&Calibration> for SavedCalibration {
    fn from(calibration: &Calibration) -> Self {
        Self {
            format: Format,
            predictions: bytes::from_middle(calibration.predictions.iter().copied()),
        }
    }
}

impl SavedCalibration {
    /// `None` if the predictions are not of this many models.
    pub(super) fn restore(self, models: usize) -> Option<Calibration> {
        let predictions = bytes::to_middle(&self.predictions)?;
        let is_whole = predictions.len().is_multiple_of(models);
        (is_whole && predictions.len() <= MOST * models).then_some(Calibration {
            models,
            predictions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        // The first model is always at .5; the second at 0, .01, …, .99.
        Calibration::new(2, (0..100).flat_map(|it| [0.5, f64::from(it) / 100.0]))
    }

    #[test]
    fn a_threshold_calls_the_share_that_was_asked_for() {
        let calibration = calibration();
        for percent in 0..=100 {
            let threshold = calibration.threshold(0, 1, f64::from(percent) / 100.0);
            let threshold = threshold.expect("two models");
            let called = (0..100).filter(|it| f64::from(*it) / 100.0 - 0.5 >= threshold);
            assert_eq!(called.count(), percent as usize);
        }
        assert_eq!(calibration.threshold(0, 2, 0.5), None);
    }

    #[test]
    fn a_price_weight_keeps_the_budget() {
        let calibration = calibration();
        // Without a weight the dear model wins 49 of 100 times; .3 of the way up it wins 19 times.
        assert_eq!(calibration.price_weight(&[0.0, 1.0], 0.6), Some(0.0));
        let weight = calibration
            .price_weight(&[0.0, 1.0], 0.19)
            .expect("a weight");
        assert!((weight - 0.3).abs() < 1e-6, "{weight}");
        assert_eq!(calibration.price_weight(&[1.0, 2.0], 0.5), None);
        assert_eq!(calibration.price_weight(&[1.0], 0.5), None);
    }
}

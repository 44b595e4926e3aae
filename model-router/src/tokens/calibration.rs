//! How does a model count differently from its estimate, as its bills tell?

use bursar_units::TokenCount;

use super::estimate::{Ratios, TokenEstimate};
use crate::decaying::DecayingHistogram;
use crate::format::Format;

/// As many bills as the estimate's own middle is worth.
const MIDDLE_WORTH: f64 = 4.0;
/// As many bills as its own distance from the middle to p95 is worth: of so many, five are beyond.
const P95_WORTH: f64 = 100.0;
/// And to p99, likewise.
const P99_WORTH: f64 = 500.0;

/// Ratios are kept in thousandths, from 0.05 to 20; one beyond is kept as the nearest.
const UNIT: f64 = 1_000.0;
const RATIOS: (f64, f64) = (0.05, 20.0);

/// What a model's bills say about its estimates, as a factor on them.
///
/// A factor, and not new weights, because a bill says one number about a text. The middle follows the
/// median of the ratios, so a few odd bills (images, tools that were not counted) do not move it. What
/// p95 and p99 are above the middle turns from what was measured on other texts to what was seen here.
/// Old bills fade: of 4,096, half is forgotten. Bounded memory, at most about 300 numbers.
///
/// Bills count what a provider adds to a text. Learn from bills and estimates of whole requests.
///
/// ```
/// use bursar_model_router::{CountTokens, TokenCalibration, TokenEstimator, TokenFamily};
/// use bursar_units::TokenCount;
///
/// let estimator = TokenEstimator::new(TokenFamily::Unknown);
/// let mut calibration = TokenCalibration::new();
/// let text = "The delivery arrived two days late, and one of the boxes was open. ".repeat(20);
/// let estimate = estimator.count(&text);
/// for _ in 0..1_000 {
///     // A tokenizer that makes a fifth more tokens than was thought.
///     let billed = TokenCount::new(estimate.p50.as_u64() * 6 / 5);
///     calibration.learn(&estimate, billed)?;
/// }
/// let calibrated = calibration.apply(&estimate);
/// let ratio = calibrated.p50.as_u64() as f64 / estimate.p50.as_u64() as f64;
/// assert!((1.18..1.22).contains(&ratio));
/// assert!(calibrated.p95.as_u64() < estimate.p95.as_u64() * 6 / 5);
/// # Ok::<(), bursar_model_router::CalibrationError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenCalibration {
    format: Format<1>,
    ratios: DecayingHistogram,
}

/// Why a bill teaches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A ratio to nothing, or of nothing, is none.
    #[error("{billed} billed tokens where {estimated} were estimated have no ratio; leave it out")]
    Nothing {
        /// The estimate's middle.
        estimated: TokenCount,
        /// What was billed.
        billed: TokenCount,
    },
}

impl TokenCalibration {
    /// That has seen nothing and changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns what was billed for a text of this estimate, which is one that was not calibrated.
    ///
    /// # Errors
    /// [`CalibrationError::Nothing`] if one of both is zero.
    pub fn learn(
        &mut self,
        estimate: &TokenEstimate,
        billed: TokenCount,
    ) -> Result<(), CalibrationError> {
        let estimated = estimate.p50;
        if estimated == TokenCount::ZERO || billed == TokenCount::ZERO {
            return Err(CalibrationError::Nothing { estimated, billed });
        }
        let ratio = as_f64(billed) / as_f64(estimated);
        self.ratios.add(ratio.clamp(RATIOS.0, RATIOS.1) * UNIT);
        Ok(())
    }

    /// How many bills are remembered; old ones count less than one.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.ratios.total()
    }

    /// The estimate as this model's bills correct it.
    ///
    /// An exact count is a count of the text alone; it too is corrected, by what the provider adds.
    #[must_use]
    pub fn apply(&self, estimate: &TokenEstimate) -> TokenEstimate {
        let n = self.ratios.total();
        let [Some(p50), Some(p95), Some(p99)] = [0.50, 0.95, 0.99].map(|q| self.ratios.quantile(q))
        else {
            return *estimate;
        };
        let middle = as_f64(estimate.p50).max(1.0);
        let above = |count: TokenCount| (as_f64(count) / middle).max(1e-3);
        let mean = self.ratios.mean().unwrap_or(p50);
        let factor = between(1.0, p50 / UNIT, n, MIDDLE_WORTH);
        let ratios = Ratios {
            mean: factor * between(above(estimate.expected), mean / p50, n, P95_WORTH),
            p50: factor,
            p95: factor * between(above(estimate.p95), p95 / p50, n, P95_WORTH),
            p99: factor * between(above(estimate.p99), p99 / p50, n, P99_WORTH),
        };
        let ceiling = estimate
            .ceiling
            .max(TokenCount::new(super::estimate::round_up(
                as_f64(estimate.ceiling) * factor,
            )));
        TokenEstimate::of_ratios(middle, ratios, ceiling)
    }
}

/// The geometric mean of what was thought, worth `worth` bills, and what `n` bills say.
fn between(thought: f64, seen: f64, n: f64, worth: f64) -> f64 {
    let share = n / (n + worth);
    (thought.ln() * (1.0 - share) + seen.ln() * share).exp()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio needs no more than 53 bits"
)]
fn as_f64(count: TokenCount) -> f64 {
    count.as_u64() as f64
}

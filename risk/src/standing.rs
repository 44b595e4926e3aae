//! How long does a bad hour count? A score that fades, and a verdict that does not flap.

use std::time::Duration;

use jiff::Timestamp;

use crate::rule_set::{Thresholds, Verdict};

/// How the past counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Holding {
    /// After this time half of a score is forgotten. Zero forgets at once.
    pub half_life: Duration,
    /// How far, in points, the faded score must fall under a threshold before the verdict softens.
    pub margin: u32,
}

impl Default for Holding {
    /// Six hours and ten points: a block by 80 points softens after about 2.5 hours of good conduct
    /// (80 × 2^(−t/6h) < 60), and a consumer at the threshold does not change sides with each request.
    fn default() -> Self {
        Self {
            half_life: Duration::from_secs(6 * 3600),
            margin: 10,
        }
    }
}

/// What is remembered of one account: a score, when it was so, and the verdict in force. 24 bytes.
///
/// ```
/// use bursar_risk::{Context, Holding, RuleSet, Signal, Standing, Verdict};
/// use jiff::Timestamp;
///
/// let (rules, holding) = (RuleSet::standard(), Holding::default());
/// let mut standing = Standing::default();
/// let bad = Context::new().with(Signal::UNIQUE_IPS, 14.0).with(Signal::USAGE_ANOMALY, 0.9);
/// let good = Context::new().with(Signal::UNIQUE_IPS, 1.0).with(Signal::USAGE_ANOMALY, 0.0);
/// let start = Timestamp::from_second(1_800_000_000)?;
/// let first = rules.evaluate(&bad).hold(&mut standing, &holding, start);
/// assert_eq!((first.score(), first.verdict()), (90, Verdict::Block));
///
/// let hour = Timestamp::from_second(1_800_003_600)?;
/// let later = rules.evaluate(&good).hold(&mut standing, &holding, hour);
/// assert_eq!((later.score(), later.verdict()), (0, Verdict::Block));
/// let day = Timestamp::from_second(1_800_086_400)?;
/// assert_eq!(rules.evaluate(&good).hold(&mut standing, &holding, day).verdict(), Verdict::Allow);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "SavedStanding", into = "SavedStanding")
)]
pub struct Standing {
    score: f64,
    at_ms: i64,
    verdict: Verdict,
    /// Whether the verdict becomes ALLOW at the next update once the score has faded.
    will_soften: bool,
}

impl Default for Standing {
    /// Nothing is remembered.
    fn default() -> Self {
        Self {
            score: 0.0,
            at_ms: 0,
            verdict: Verdict::Allow,
            will_soften: true,
        }
    }
}

/// What a standing comes to now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The larger of the present and the faded score.
    pub score: f64,
    /// The verdict in force.
    pub verdict: Verdict,
}

impl Standing {
    /// The faded score at a time, without changing anything.
    #[must_use]
    pub fn score_at(&self, holding: &Holding, now: Timestamp) -> f64 {
        // A clock that steps back must not make an old score grow.
        let elapsed = now.as_millisecond().saturating_sub(self.at_ms).max(0);
        let half_life = holding.half_life.as_secs_f64() * 1000.0;
        match (elapsed, half_life > 0.0) {
            (0, _) => self.score,
            (_, true) => self.score * (-(elapsed as f64) / half_life).exp2(),
            (_, false) => 0.0,
        }
    }

    /// The verdict in force after the last update.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether nothing worth keeping is remembered: the faded score is under a point, and the verdict
    /// is ALLOW or would become so. Forgetting such a standing changes no decision.
    #[must_use]
    pub fn is_clean(&self, holding: &Holding, now: Timestamp) -> bool {
        self.score_at(holding, now) < 1.0 && (self.verdict == Verdict::Allow || self.will_soften)
    }

    /// Takes a present score in.
    pub fn update(
        &mut self,
        score: u32,
        thresholds: Thresholds,
        holding: &Holding,
        now: Timestamp,
    ) -> Held {
        let faded = self.score_at(holding, now);
        let margin = f64::from(holding.margin);
        // What idle time has softened stays soft, whatever the present score.
        let kept = self.verdict.min(thresholds.verdict(faded + margin));
        let held = faded.max(f64::from(score));
        let verdict = thresholds.verdict(held).max(kept);
        *self = Self {
            score: held,
            at_ms: self.at_ms.max(now.as_millisecond()),
            verdict,
            will_soften: thresholds.verdict(1.0 + margin) == Verdict::Allow,
        };
        Held {
            score: held,
            verdict,
        }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStanding {
    format: crate::format::Format<1>,
    score: f64,
    at_ms: i64,
    verdict: Verdict,
    will_soften: bool,
}

#[cfg(feature = "serde")]
impl From<Standing> for SavedStanding {
    fn from(standing: Standing) -> Self {
        Self {
            format: crate::format::Format,
            score: standing.score,
            at_ms: standing.at_ms,
            verdict: standing.verdict,
            will_soften: standing.will_soften,
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<SavedStanding> for Standing {
    type Error = String;

    fn try_from(saved: SavedStanding) -> Result<Self, String> {
        if !saved.score.is_finite() || saved.score < 0.0 {
            return Err(format!(
                "a score of {} cannot have been saved: begin a new standing",
                saved.score
            ));
        }
        Ok(Self {
            score: saved.score,
            at_ms: saved.at_ms,
            verdict: saved.verdict,
            will_soften: saved.will_soften,
        })
    }
}

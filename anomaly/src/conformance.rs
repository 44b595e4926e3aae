//! Does a [`Detector`] keep the contract of the port?
//!
//! A [`Suite`] makes detectors and plays series to them:
//!
//! ```
//! use bursar_anomaly::{ZScore, conformance::Suite};
//!
//! Suite::new(ZScore::default).random_series(50).check()?;
//! # Ok::<(), bursar_anomaly::conformance::Broken>(())
//! ```
//!
//! With the feature `serde`, [`Suite::check_reload`] is given how a detector is saved and loaded:
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use bursar_anomaly::{ZScore, conformance::Suite};
//!
//! Suite::new(ZScore::default).check_reload(|detector| {
//!     let saved = serde_json::to_string(detector).unwrap();
//!     serde_json::from_str(&saved).unwrap()
//! })?;
//! # }
//! # Ok::<(), bursar_anomaly::conformance::Broken>(())
//! ```
//!
//! The suite's own series has a daily and a weekly pattern around 100, and noise of a range of 4.
//! A detector that panics ends the suite with its panic.

mod rules;
mod series;

use std::fmt;

use jiff::SignedDuration;

use crate::{Assessment, Detector, Observation};

/// The rules of a [`Detector`], played to detectors that a function makes.
#[derive(Debug, Clone)]
pub struct Suite<Make> {
    make: Make,
    step: SignedDuration,
    length: usize,
    random_series: usize,
}

impl<D: Detector, Make: Fn() -> D> Suite<Make> {
    /// A suite for detectors of this make, with points an hour apart, series of 400 points and
    /// 1,000 random series.
    #[must_use]
    pub const fn new(make: Make) -> Self {
        Self {
            make,
            step: SignedDuration::from_hours(1),
            length: 400,
            random_series: 1_000,
        }
    }

    /// How far apart the points of a series are: as far as the detector is made for. Less than a
    /// second counts as a second, and more than 100 days as 100 days.
    #[must_use]
    pub fn step(mut self, step: SignedDuration) -> Self {
        let (shortest, longest) = (1, 100 * 24 * 60 * 60);
        self.step = SignedDuration::from_secs(step.as_secs().clamp(shortest, longest));
        self
    }

    /// How many points a series has, at least 50: enough for the detector to be ready after half of
    /// them.
    #[must_use]
    pub const fn length(mut self, length: usize) -> Self {
        self.length = if length < 50 { 50 } else { length };
        self
    }

    /// How many random series are played to see that nothing panics.
    #[must_use]
    pub const fn random_series(mut self, random_series: usize) -> Self {
        self.random_series = random_series;
        self
    }

    /// Checks every rule but that of saved states.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), Broken> {
        self.is_deterministic()?;
        self.becomes_ready()?;
        self.judges_by_the_past()?;
        self.ranks_extremes()?;
        self.keeps_silent_on_constants()?;
        self.ignores_what_is_missing()?;
        self.waits_for_partial_values()?;
        self.refuses_the_past()?;
        self.survives_anything()
    }

    /// Checks that a detector that was saved and loaded in the middle of a series goes on as if
    /// nothing had happened.
    ///
    /// # Errors
    /// [`Rule::Reload`] where the two differ.
    pub fn check_reload(&self, reload: impl Fn(&D) -> D) -> Result<(), Broken> {
        self.resumes(reload)
    }

    fn play(&self, observations: &[Observation], rule: Rule) -> Result<Vec<Assessment>, Broken> {
        self.continue_with(&mut (self.make)(), observations, rule)
    }

    fn continue_with(
        &self,
        detector: &mut D,
        observations: &[Observation],
        rule: Rule,
    ) -> Result<Vec<Assessment>, Broken> {
        let judged = observations.iter().map(|&observation| {
            let assessment = detector
                .observe(observation)
                .map_err(|error| rule.broken(format!("{observation:?} was refused: {error}")))?;
            rules::is_sound(&assessment)
                .map_err(|detail| Rule::Sound.broken(format!("{observation:?}: {detail}")))?;
            Ok(assessment)
        });
        judged.collect()
    }
}

/// A rule of the contract that a detector does not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {detail}")]
pub struct Broken {
    /// Which rule.
    pub rule: Rule,
    /// What was observed, and what should have been.
    pub detail: String,
}

/// What every detector promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The same points give the same assessments.
    Deterministic,
    /// A verdict is finite, its score is from 0 to 1, and its interval contains what was expected.
    Sound,
    /// It says how many points it needs, and is ready when it has them: the last
    /// [`NotReady`](Assessment::NotReady) before its first verdict lacks one point.
    Ready,
    /// A point never changes what was said of earlier ones, nor what was expected of itself.
    Causal,
    /// Of two extreme values, the more extreme one never has the lower score.
    Monotone,
    /// A series that never changes raises no alarm.
    Constant,
    /// What is missing is no evidence.
    Missing,
    /// A value that can still grow is never too low.
    Partial,
    /// What is not newer than the last point is refused, and changes nothing.
    Order,
    /// A saved state goes on bit for bit the same.
    Reload,
}

impl Rule {
    fn broken(self, detail: String) -> Broken {
        Broken { rule: self, detail }
    }

    const fn statement(self) -> &'static str {
        match self {
            Self::Deterministic => "the same points must give the same assessments",
            Self::Sound => "a verdict must be finite, in range and around what it expects",
            Self::Ready => "a detector must be ready when it has the points that it says it needs",
            Self::Causal => "a point must not change what came before it, nor its own baseline",
            Self::Monotone => "a more extreme value must not have a lower score",
            Self::Constant => "a series that never changes must raise no alarm",
            Self::Missing => "what is missing must be no evidence",
            Self::Partial => "a value that can still grow must not be too low",
            Self::Order => "a point that is not newer must be refused, and change nothing",
            Self::Reload => "a saved state must go on bit for bit the same",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.statement())
    }
}

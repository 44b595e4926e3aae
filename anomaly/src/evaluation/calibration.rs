//! How often does a detector alarm where nothing is wrong?

use crate::{Assessment, Detector, Observation, ObservationError};

/// What a detector made of a series without anomalies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FalseAlarms {
    /// How many points were judged and counted.
    pub n_judged: u64,
    /// How many of them were alarms.
    pub n_alarms: u64,
    /// How many alarms came without another in the [`EVENT_GAP`] judged points before them. Where
    /// deviations last, alarms come in groups, and a person is woken once for each group.
    pub n_events: u64,
}

/// Alarms with fewer judged points than this between them are one event: an hour of five-minute
/// points.
pub const EVENT_GAP: u64 = 12;

impl FalseAlarms {
    /// The share of judged points that were alarms; `None` when none was judged.
    ///
    /// ```
    /// use bursar_anomaly::evaluation::calibration::FalseAlarms;
    ///
    /// let counted = FalseAlarms { n_judged: 20_000, n_alarms: 3, n_events: 2 };
    /// assert_eq!(counted.rate(), Some(0.00015));
    /// assert_eq!(FalseAlarms::default().rate(), None);
    /// ```
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.n_judged > 0).then(|| self.n_alarms as f64 / self.n_judged as f64)
    }

    /// Both counted together, of another series or another part of one.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            n_judged: self.n_judged + other.n_judged,
            n_alarms: self.n_alarms + other.n_alarms,
            n_events: self.n_events + other.n_events,
        }
    }
}

/// Runs a detector over a series without anomalies and counts its alarms; the first `n_skipped`
/// observations are learned and not counted.
///
/// # Errors
/// When the observations are not in order of time.
///
/// ```
/// # #[cfg(feature = "synthetic")] {
/// use bursar_anomaly::evaluation::calibration::false_alarms;
/// use bursar_anomaly::synthetic::noise::{Noise, NoiseSeries};
/// use bursar_anomaly::{AlarmBudget, PointDetector, PointSettings};
///
/// let settings = PointSettings::default().alarm_budget(AlarmBudget::one_in(100)?);
/// let noise = NoiseSeries::new(Noise::White, 1);
/// let counted = false_alarms(
///     &mut PointDetector::new(settings),
///     noise.observations().take(12_000),
///     2_000,
/// )?;
/// assert_eq!(counted.n_judged, 10_000);
/// assert!((50..200).contains(&counted.n_alarms));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn false_alarms(
    detector: &mut dyn Detector,
    observations: impl IntoIterator<Item = Observation>,
    n_skipped: usize,
) -> Result<FalseAlarms, ObservationError> {
    let mut counted = FalseAlarms::default();
    let mut last_alarm = None;
    for (number, observation) in observations.into_iter().enumerate() {
        let Assessment::Scored(verdict) = detector.observe(observation)? else {
            continue;
        };
        if number < n_skipped {
            continue;
        }
        counted.n_judged += 1;
        if verdict.is_alarm() {
            counted.n_alarms += 1;
            let is_near = last_alarm.is_some_and(|last| counted.n_judged - last <= EVENT_GAP);
            counted.n_events += u64::from(!is_near);
            last_alarm = Some(counted.n_judged);
        }
    }
    Ok(counted)
}

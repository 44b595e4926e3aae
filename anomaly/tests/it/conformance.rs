//! Every classical detector keeps the contract, and the suite tells the ones that do not.

use std::sync::atomic::{AtomicUsize, Ordering};

use bursar_anomaly::conformance::{Rule, Suite};
use bursar_anomaly::{
    Assessment, Decomposition, DecompositionSettings, Detector, DetectorKind, Direction, Interval,
    LevelShift, MovingAverage, Observation, ObservationError, Periods, Reading, RobustZScore,
    Seasonal, SeasonalSettings, SlowLeak, Verdict, ZScore,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::normal::{Normal, daily};

fn check<D: Detector + Serialize + DeserializeOwned>(suite: &Suite<impl Fn() -> D>) {
    suite.check().unwrap();
    suite.check_reload(through_json).unwrap();
    suite.check_reload(through_postcard).unwrap();
}

fn through_json<D: Serialize + DeserializeOwned>(detector: &D) -> D {
    let saved = serde_json::to_string(detector).unwrap();
    serde_json::from_str(&saved).unwrap()
}

fn through_postcard<D: Serialize + DeserializeOwned>(detector: &D) -> D {
    let saved = postcard::to_stdvec(detector).unwrap();
    postcard::from_bytes(&saved).unwrap()
}

#[test]
fn z_scores_keep_the_contract() {
    check(&Suite::new(ZScore::default));
    check(&Suite::new(RobustZScore::default));
}

#[test]
fn moving_averages_keep_the_contract() {
    check(&Suite::new(MovingAverage::default));
}

#[test]
fn level_shifts_and_slow_leaks_keep_the_contract() {
    check(&Suite::new(LevelShift::default));
    check(&Suite::new(SlowLeak::default).random_series(200));
}

#[test]
fn decompositions_keep_the_contract() {
    let hourly = |periods| DecompositionSettings {
        step: SignedDuration::from_hours(1),
        periods,
        ..DecompositionSettings::default()
    };
    let make = |periods: Periods| move || Decomposition::new(hourly(periods.clone())).unwrap();
    check(
        &Suite::new(Decomposition::default)
            .random_series(200)
            .step(SignedDuration::from_hours(24)),
    );
    check(&Suite::new(make(Periods::Given(vec![24]))).random_series(200));
    check(&Suite::new(make(Periods::Found { longest: 30 })).random_series(200));
}

#[test]
fn seasonal_profiles_keep_the_contract() {
    let hourly = || SeasonalSettings {
        warm_up: 7 * 24,
        ..SeasonalSettings::hourly()
    };
    check(
        &Suite::new(Seasonal::default)
            .random_series(200)
            .step(SignedDuration::from_hours(24)),
    );
    check(&Suite::new(move || Seasonal::new(hourly()).unwrap()).random_series(200));
}

#[test]
#[ignore = "10,000 random series for each detector"]
fn nothing_makes_a_detector_panic() {
    const N: usize = 10_000;
    Suite::new(ZScore::default)
        .random_series(N)
        .check()
        .unwrap();
    Suite::new(RobustZScore::default)
        .random_series(N)
        .check()
        .unwrap();
    Suite::new(MovingAverage::default)
        .random_series(N)
        .check()
        .unwrap();
    Suite::new(LevelShift::default)
        .random_series(N)
        .check()
        .unwrap();
    Suite::new(SlowLeak::default)
        .random_series(N)
        .check()
        .unwrap();
    let day = SignedDuration::from_hours(24);
    Suite::new(Decomposition::default)
        .step(day)
        .random_series(N)
        .check()
        .unwrap();
    Suite::new(Seasonal::default)
        .step(day)
        .random_series(N)
        .check()
        .unwrap();
}

#[test]
fn a_damaged_state_is_an_error_or_a_state() {
    survives_damage(ZScore::default());
    survives_damage(RobustZScore::default());
    survives_damage(MovingAverage::default());
    survives_damage(LevelShift::default());
    survives_damage(SlowLeak::default());
    survives_damage(Decomposition::default());
    survives_damage(Seasonal::default());
}

/// Every byte of a saved state is damaged, one at a time; what loads must still be a detector.
fn survives_damage<D: Detector + Serialize + DeserializeOwned>(mut detector: D) {
    let noise = Normal::new(1).draws(110);
    let _ = daily(&mut detector, &noise[..100]);
    let saved = postcard::to_stdvec(&detector).unwrap();
    for place in 0..saved.len() {
        for damage in [0x01, 0xFF] {
            let mut damaged = saved.clone();
            damaged[place] ^= damage;
            if let Ok(mut detector) = postcard::from_bytes::<D>(&damaged) {
                let later = noise[100..].iter().zip(0..).map(|(&value, day)| {
                    Observation::new(
                        start() + SignedDuration::from_hours(24 * (100 + day)),
                        value,
                    )
                });
                for observation in later {
                    let _ = detector.observe(observation.unwrap());
                }
            }
        }
    }
}

fn start() -> Timestamp {
    "2024-01-01T00:00:00Z".parse().unwrap()
}

/// What a detector can do wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    CountsItself,
    KnowsTheFuture,
    LosesExtremes,
    AlarmsOnConstants,
    JudgesMissing,
    CallsPartialLow,
    AcceptsThePast,
    LearnsWhatItRefuses,
    ScoresOverOne,
    NeverReady,
}

/// The distance from the last value, with a fault.
#[derive(Debug, Clone)]
struct Faulty {
    fault: Fault,
    last: Option<(Timestamp, f64)>,
}

impl Faulty {
    fn judge(&self, value: f64, last: f64) -> Verdict {
        let expected = match self.fault {
            Fault::CountsItself => f64::midpoint(last, value),
            _ => last,
        };
        let score = match (self.fault, (value - last).abs()) {
            (Fault::LosesExtremes, 1e12..) => 0.0,
            (Fault::AlarmsOnConstants, 0.0) => 1.0,
            (Fault::ScoresOverOne, distance) => distance,
            (_, distance) => bursar_anomaly::score(distance, 50.0),
        };
        Verdict {
            score,
            direction: if value < last {
                Direction::Fall
            } else {
                Direction::Rise
            },
            actual: value,
            expected,
            interval: Interval::around(expected, 50.0),
        }
    }
}

/// Shared by all, as no detector's state should be.
static SEEN: AtomicUsize = AtomicUsize::new(0);

impl Detector for Faulty {
    fn kind(&self) -> DetectorKind {
        DetectorKind::ZScore
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        let at = observation.at();
        let is_partial = matches!(observation.reading(), Reading::Partial(_));
        let value = match observation.reading() {
            Reading::Final(value) => value,
            Reading::Partial(value) if self.fault == Fault::CallsPartialLow => value - 1e3,
            Reading::Partial(value) => value.max(self.last.map_or(value, |last| last.1)),
            Reading::Missing => self.last.map_or(0.0, |last| last.1),
        };
        let before = self.last;
        if let Some((last, _)) = before
            && at <= last
            && self.fault != Fault::AcceptsThePast
        {
            if self.fault == Fault::LearnsWhatItRefuses {
                self.last = Some((last, value));
            }
            return Err(ObservationError::OutOfOrder { at, last });
        }
        if !is_partial {
            self.last = Some((at, value));
        }
        if observation.reading() == Reading::Missing && self.fault != Fault::JudgesMissing {
            return Ok(Assessment::Missing);
        }
        let Some((_, last)) = before.filter(|_| self.fault != Fault::NeverReady) else {
            let (have, need) = (0, 1);
            return Ok(Assessment::NotReady { have, need });
        };
        let mut verdict = self.judge(value, last);
        if self.fault == Fault::KnowsTheFuture {
            verdict.score += 1e-9 * SEEN.fetch_add(1, Ordering::Relaxed) as f64;
        }
        Ok(Assessment::Scored(verdict))
    }
}

fn broken_rule(fault: Fault) -> Option<Rule> {
    let make = || Faulty { fault, last: None };
    Suite::new(make)
        .random_series(20)
        .check()
        .err()
        .map(|broken| broken.rule)
}

#[test]
fn the_suite_names_the_rule_that_a_faulty_detector_breaks() {
    let faults = [
        (Fault::None, None),
        (Fault::CountsItself, Some(Rule::Causal)),
        (Fault::KnowsTheFuture, Some(Rule::Deterministic)),
        (Fault::LosesExtremes, Some(Rule::Monotone)),
        (Fault::AlarmsOnConstants, Some(Rule::Constant)),
        (Fault::JudgesMissing, Some(Rule::Missing)),
        (Fault::CallsPartialLow, Some(Rule::Partial)),
        (Fault::AcceptsThePast, Some(Rule::Order)),
        (Fault::LearnsWhatItRefuses, Some(Rule::Order)),
        (Fault::ScoresOverOne, Some(Rule::Sound)),
        (Fault::NeverReady, Some(Rule::Ready)),
    ];
    for (fault, rule) in faults {
        assert_eq!(broken_rule(fault), rule, "{fault:?}");
    }
}

#[test]
fn the_suite_tells_a_state_that_is_not_saved_whole() {
    let suite = Suite::new(ZScore::default);
    let forgets = |_: &ZScore| ZScore::default();
    assert_eq!(suite.check_reload(forgets).unwrap_err().rule, Rule::Reload);
}

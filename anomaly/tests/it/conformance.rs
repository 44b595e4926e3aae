//! Every classical detector keeps the contract, and the suite tells the ones that do not.

use bursar_anomaly::conformance::Suite;
use bursar_anomaly::{
    Decomposition, DecompositionSettings, Detector, LevelShift, MovingAverage, Periods,
    RobustZScore, Seasonal, SeasonalSettings, SlowLeak, ZScore,
};
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    check(&Suite::new(SlowLeak::default));
}

#[test]
fn decompositions_keep_the_contract() {
    let hourly = |periods| DecompositionSettings {
        step: SignedDuration::from_hours(1),
        periods,
        ..DecompositionSettings::default()
    };
    let make = |periods: Periods| move || Decomposition::new(hourly(periods.clone())).unwrap();
    check(&Suite::new(Decomposition::default).step(SignedDuration::from_hours(24)));
    check(&Suite::new(make(Periods::Given(vec![24]))));
    check(&Suite::new(make(Periods::Found { longest: 30 })));
}

#[test]
fn seasonal_profiles_keep_the_contract() {
    let hourly = || SeasonalSettings {
        warm_up: 7 * 24,
        ..SeasonalSettings::hourly()
    };
    check(&Suite::new(Seasonal::default).step(SignedDuration::from_hours(24)));
    check(&Suite::new(move || Seasonal::new(hourly()).unwrap()));
}

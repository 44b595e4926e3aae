//! Three days against the two weeks before them.

use bursar_anomaly::{Assessment, MovingAverage, MovingAverageSettings};

use crate::normal::{alarms, alarms_a_year, daily};

fn last(settings: MovingAverageSettings, values: &[f64]) -> Assessment {
    let mut detector = MovingAverage::new(settings).unwrap();
    daily(&mut detector, values).pop().unwrap()
}

/// 38.40 ÷ 12.65 − 1 = 203.6 %.
#[test]
fn the_reference_case_is_a_rise_of_204_percent() {
    let values = [&[12.65; 14][..], &[38.40; 3]].concat();
    let assessment = last(MovingAverageSettings::default(), &values);
    let verdict = assessment.verdict().unwrap();
    assert!((verdict.actual - 38.40).abs() < 1e-9);
    assert_eq!(verdict.expected, 12.65);
    let change = 0.30 * verdict.score / (1.0 - verdict.score);
    assert!((change - 2.035_573_122_529_644).abs() < 1e-9, "{change}");
}

#[test]
fn seventeen_points_are_needed_or_the_fourteen_of_the_source() {
    let values = [12.65; 16];
    let not_ready = Assessment::NotReady { have: 16, need: 17 };
    assert_eq!(last(MovingAverageSettings::default(), &values), not_ready);
    let source = MovingAverageSettings::fourteen_in_all();
    assert_eq!(
        last(source, &values[..13]),
        Assessment::NotReady { have: 13, need: 14 }
    );
    assert!(last(source, &values[..14]).verdict().is_some());
}

/// A baseline of the last 17 days would be at 105.3 here, and miss this.
#[test]
fn the_two_means_share_no_point() {
    let values = [&[100.0; 14][..], &[130.0; 3]].concat();
    assert_eq!(last(MovingAverageSettings::default(), &values).score(), 0.5);
    let values = [&[100.0; 14][..], &[129.0; 3]].concat();
    assert!(!last(MovingAverageSettings::default(), &values).is_alarm());
}

#[test]
fn a_new_level_is_an_alarm_until_it_is_accepted() {
    let values = [&[100.0; 20][..], &[160.0; 40]].concat();
    let alarms = alarms(&daily(&mut MovingAverage::default(), &values));
    // From day 21 on two of the last three are at 160. The first of them leaves the short mean
    // with day 22 and the seventh with day 28: seven of fourteen are then 160, and 160 ÷ 130 is
    // within the limit.
    assert_eq!(alarms, Vec::from_iter(21..=28));
}

#[test]
fn noise_of_four_percent_raises_no_alarm() {
    let rate = alarms_a_year(20, MovingAverage::default, |noise| noise.draws(730));
    assert_eq!(rate, 0.0);
}

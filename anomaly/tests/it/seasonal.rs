//! The series chooses its profile, and is judged by it.

use bursar_anomaly::{Assessment, Detector, Observation, Profile, Seasonal, SeasonalSettings};
use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, offset};
use jiff::{SignedDuration, ToSpan};

use crate::normal::{Normal, alarms, alarms_a_year, daily, every};

fn noisy(seed: u64, n: usize, usual: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut noise = Normal::new(seed);
    (0..n).map(|place| usual(place) + noise.draw()).collect()
}

fn chosen_hourly(usual: impl Fn(usize, usize) -> f64) -> Profile {
    let values = noisy(4, 24 * 7 * 10, |hour| usual(hour / 24 % 7, hour % 24));
    let mut detector = Seasonal::new(SeasonalSettings::hourly()).unwrap();
    let _ = every(SignedDuration::from_hours(1), &mut detector, &values);
    detector.profile()
}

#[test]
fn the_series_chooses_its_profile() {
    let wave = |hour: usize| 20.0 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin();
    assert_eq!(chosen_hourly(|_, _| 100.0), Profile::Flat);
    assert_eq!(
        chosen_hourly(|day, _| if day >= 5 { 60.0 } else { 100.0 }),
        Profile::Weekend
    );
    let day_night = |_, hour| if (8..20).contains(&hour) { 100.0 } else { 60.0 };
    assert_eq!(chosen_hourly(day_night), Profile::DayNight);
    assert_eq!(
        chosen_hourly(|day, _| 100.0 + 10.0 * (day * 3 % 7) as f64),
        Profile::DayOfWeek
    );
    assert_eq!(
        chosen_hourly(|_, hour| 100.0 + wave(hour)),
        Profile::HourOfDay
    );
    let office = |day, hour| 100.0 + if day >= 5 { 0.0 } else { wave(hour) };
    assert_eq!(chosen_hourly(office), Profile::WeekendHour);
    let each = |day: usize, hour| 100.0 + wave((hour + 5 * day) % 24);
    assert_eq!(chosen_hourly(each), Profile::HourOfWeek);
}

#[test]
fn days_have_no_hours() {
    let values = noisy(2, 140, |day| if day % 7 >= 5 { 60.0 } else { 100.0 });
    let mut detector = Seasonal::default();
    let assessments = daily(&mut detector, &values);
    assert_eq!(detector.profile(), Profile::Weekend);
    assert!(alarms(&assessments).len() <= 1);
}

#[test]
fn a_sunday_with_the_cost_of_a_friday_is_an_alarm_and_a_friday_is_not() {
    let mut values = noisy(6, 98, |day| if day % 7 >= 5 { 60.0 } else { 100.0 });
    values[95] = 100.0;
    values[97] = 100.0;
    assert_eq!(alarms(&daily(&mut Seasonal::default(), &values)), [97]);
}

/// Totals of days from 2026-01-01 on, 100 with noise of 1, and a charge of 300 on the first.
fn monthly(n: i64) -> Vec<(Date, f64)> {
    let mut noise = Normal::new(9);
    let start = date(2026, 1, 1);
    let days = (0..n).map(|day| start.checked_add(day.days()).unwrap());
    let total = |date: Date| 100.0 + if date.day() == 1 { 300.0 } else { 0.0 };
    days.map(|date| (date, total(date) + noise.draw()))
        .collect()
}

#[test]
fn charges_of_the_first_are_learned_and_missed_when_they_do_not_come() {
    let mut days = monthly(250);
    let august = days
        .iter_mut()
        .find(|(day, _)| *day == date(2026, 8, 1))
        .unwrap();
    august.1 = 100.0;
    let mut detector = Seasonal::default();
    let alarms = days.iter().filter(|&&(day, total)| {
        detector
            .observe(Observation::of_day(day, total).unwrap())
            .unwrap()
            .is_alarm()
    });
    let alarms: Vec<Date> = alarms.map(|&(day, _)| day).collect();
    assert_eq!(alarms, [date(2026, 8, 1)]);
}

#[test]
fn there_is_no_opinion_on_a_day_of_the_month_that_is_new() {
    let mut detector = Seasonal::default();
    for (day, total) in monthly(400).into_iter().skip(2).take(60) {
        let assessment = detector
            .observe(Observation::of_day(day, total).unwrap())
            .unwrap();
        if day == date(2026, 2, 1) {
            assert_eq!(assessment, Assessment::NotReady { have: 0, need: 1 });
        }
    }
}

/// 23:00 to 11:00 in UTC is 8:00 to 20:00 at nine hours east.
#[test]
fn days_and_hours_are_those_of_the_time_zone() {
    let time_zone = TimeZone::fixed(offset(9));
    let values = noisy(1, 24 * 70, |hour| {
        if (hour + 9) % 24 < 20 && (hour + 9) % 24 >= 8 {
            100.0
        } else {
            60.0
        }
    });
    let profile = |time_zone| {
        let settings = SeasonalSettings {
            time_zone,
            ..SeasonalSettings::hourly()
        };
        let mut detector = Seasonal::new(settings).unwrap();
        let _ = every(SignedDuration::from_hours(1), &mut detector, &values);
        detector.profile()
    };
    assert_eq!(profile(time_zone), Profile::DayNight);
    assert_eq!(profile(TimeZone::UTC), Profile::HourOfDay);
}

#[cfg(feature = "serde")]
#[test]
fn a_time_zone_is_saved_by_its_offset() {
    let time_zone = TimeZone::fixed(offset(9));
    let settings = SeasonalSettings {
        time_zone,
        ..SeasonalSettings::hourly()
    };
    let detector = Seasonal::new(settings).unwrap();
    let saved = serde_json::to_string(&detector).unwrap();
    assert_eq!(serde_json::from_str::<Seasonal>(&saved).unwrap(), detector);
    let damaged = saved.replacen("day-night", "flat", 1);
    assert!(serde_json::from_str::<Seasonal>(&damaged).is_err());
}

#[test]
fn a_new_level_is_accepted_after_the_stated_points() {
    let values = noisy(8, 200, |day| if day < 100 { 100.0 } else { 200.0 });
    let alarms = alarms(&daily(&mut Seasonal::default(), &values));
    assert!(
        alarms.iter().all(|day| (100..120).contains(day)),
        "{alarms:?}"
    );
    assert!(alarms.len() >= 12, "{alarms:?}");
}

#[test]
fn noise_raises_few_alarms() {
    let rate = alarms_a_year(25, Seasonal::default, |noise| noise.draws(730));
    assert!(rate <= 0.6, "{rate}");
}

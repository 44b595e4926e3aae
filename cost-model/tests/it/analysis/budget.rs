//! How does a budget stand in the middle of its period?

use bursar_cost_model::{
    Budget, BudgetBurn, BudgetError, BudgetVerdict, Closing, DailySeries, ExactSum, Forecast,
    Outlook,
};
use jiff::civil::date;

use super::{Random, monday, range, series_of, sum, window};

/// `days` of November at 10.00 each against `budget`.
fn burn(budget: &str, days: i8) -> BudgetBurn {
    let period = range("2026-11");
    let so_far = period.days().filter(|day| day.day() <= days);
    let amounts: Vec<_> = so_far.map(|day| (day, sum("10"))).collect();
    let series = DailySeries::new(period, Closing::Unknown, amounts).unwrap();
    Budget::new(sum(budget), period)
        .unwrap()
        .burn(&series, 2)
        .unwrap()
}

#[test]
fn is_on_track_when_the_forecast_is_within_the_budget() {
    let burn = burn("300", 15);
    assert_eq!(burn.verdict, BudgetVerdict::OnTrack);
    assert_eq!((burn.spent, burn.remaining), (sum("150"), sum("150")));
    assert_eq!(
        (burn.spent_share, burn.elapsed_share, burn.burn_rate),
        (0.5, 0.5, Some(1.0))
    );
    assert_eq!(burn.exhausted_on, Some(date(2026, 11, 30)));
}

#[test]
fn is_at_risk_when_the_forecast_is_above_the_budget() {
    let burn = burn("250", 15);
    assert_eq!(burn.verdict, BudgetVerdict::AtRisk);
    assert_eq!(burn.burn_rate, Some(1.2));
    assert_eq!(burn.exhausted_on, Some(date(2026, 11, 25)));
}

#[test]
fn is_at_risk_when_only_the_upper_end_of_the_forecast_is_above_the_budget() {
    let mut random = Random(81);
    let costs: Vec<f64> = (0..20).map(|_| 100.0 + 20.0 * random.normal()).collect();
    let (series, period) = (series_of(&costs), window(monday(), 30));
    let forecast = Forecast::of(&series, period, 2).unwrap();
    let Outlook::Ready(projection) = forecast.outlook else {
        panic!("not ready");
    };
    let eighty = &projection.intervals[0];
    assert!(projection.total < eighty.high);
    let verdict = |amount| {
        Budget::new(amount, period)
            .unwrap()
            .burn(&series, 2)
            .unwrap()
            .verdict
    };
    let above = |amount: &ExactSum, by: &str| {
        let mut amount = amount.clone();
        amount.add_sum(&sum(by)).unwrap();
        amount
    };
    assert_eq!(
        verdict(above(&projection.total, "0.01")),
        BudgetVerdict::AtRisk
    );
    assert_eq!(verdict(above(&eighty.high, "-0.01")), BudgetVerdict::AtRisk);
    assert_eq!(verdict(eighty.high.clone()), BudgetVerdict::OnTrack);
}

#[test]
fn counts_an_open_day_as_spent_but_not_as_burnt() {
    let period = range("2026-11");
    let days = period.days().take(16).map(|day| (day, sum("10")));
    let closing = Closing::ClosedThrough(date(2026, 11, 15));
    let series = DailySeries::new(period, closing, days).unwrap();
    let burn = Budget::new(sum("300"), period)
        .unwrap()
        .burn(&series, 2)
        .unwrap();
    assert_eq!(burn.spent, sum("160"));
    assert_eq!(burn.burn_rate, Some(1.0));
}

#[test]
fn is_exceeded_only_above_the_budget() {
    let exceeded = burn("149.99", 15);
    assert_eq!(exceeded.verdict, BudgetVerdict::Exceeded);
    assert_eq!(exceeded.remaining, sum("-0.01"));
    assert_eq!(exceeded.exhausted_on, Some(date(2026, 11, 15)));
    assert_eq!(burn("150", 15).verdict, BudgetVerdict::AtRisk);
}

#[test]
fn is_unknown_without_enough_days_unless_it_is_exceeded() {
    assert_eq!(burn("300", 3).verdict, BudgetVerdict::Unknown);
    assert_eq!(burn("300", 3).exhausted_on, None);
    assert_eq!(burn("20", 3).verdict, BudgetVerdict::Exceeded);
    assert_eq!(burn("300", 0).burn_rate, None);
}

#[test]
fn outlasts_the_period_when_little_is_spent() {
    assert_eq!(burn("1000", 15).exhausted_on, None);
}

#[test]
fn refuses_a_budget_of_nothing() {
    for amount in ["0", "-5"] {
        let budget = Budget::new(sum(amount), range("2026-11"));
        assert!(matches!(budget, Err(BudgetError::NotPositive(_))));
    }
}

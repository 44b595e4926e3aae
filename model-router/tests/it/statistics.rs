//! What is counted of calls.

use std::time::Duration;

use bursar_model_router::{CallOutcome, CallRecord, Statistics};
use bursar_units::Money;
use jiff::{SignedDuration, Timestamp};

use crate::models::{HAIKU, LITE, id};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn answered(milliseconds: u64, cost: Option<Money>) -> CallOutcome {
    CallOutcome::Answered {
        latency: Duration::from_millis(milliseconds),
        cost,
        after_cache_miss: true,
    }
}

fn counted(outcomes: &[CallOutcome]) -> Statistics {
    let model = id(LITE);
    let mut statistics = Statistics::since(Timestamp::UNIX_EPOCH);
    for outcome in outcomes {
        statistics
            .record(&CallRecord {
                model: &model,
                outcome: *outcome,
            })
            .unwrap();
    }
    statistics
}

#[test]
fn every_lookup_counts_in_the_hit_rate() {
    let hit = CallOutcome::CacheHit {
        saved: Some(money("0.01 USD")),
    };
    let failed = CallOutcome::Failed {
        cost: None,
        after_cache_miss: true,
    };
    let outcomes = [hit, answered(100, Some(money("0.01 USD"))), hit, failed];
    let statistics = counted(&outcomes);
    let it = statistics.model(&id(LITE)).unwrap();
    assert_eq!(
        (it.calls(), it.errors(), it.cache_lookups(), it.cache_hits()),
        (2, 1, 4, 2)
    );
    assert_eq!(
        (it.cache_hit_rate(), it.error_rate()),
        (Some(0.5), Some(0.5))
    );
    assert_eq!(it.saved(), Some(money("0.02 USD")));
    assert_eq!(statistics.model(&id(HAIKU)), None);
}

#[test]
fn an_unknown_cost_is_not_zero() {
    let statistics = counted(&[answered(100, None), answered(100, Some(money("0.03 USD")))]);
    let it = statistics.model(&id(LITE)).unwrap();
    assert_eq!((it.unpriced(), it.cost()), (1, Some(money("0.03 USD"))));
    assert_eq!(it.cost_per_call(), Some(money("0.03 USD")));
    assert_eq!(counted(&[answered(100, None)]).cost(), None);
}

#[test]
fn latencies_are_summed_up_in_bounded_memory() {
    let outcomes: Vec<_> = (1..=1_000).map(|it| answered(it, None)).collect();
    let statistics = counted(&outcomes);
    let it = statistics.model(&id(LITE)).unwrap();
    assert_eq!(it.mean_latency(), Some(Duration::from_micros(500_500)));
    for (share, expected) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
        let found = it.latency(share).unwrap().as_secs_f64() * 1_000.0;
        assert!(
            (found - expected).abs() <= expected * 0.016,
            "{share}: {found}"
        );
    }
}

#[test]
fn a_month_is_projected_from_the_time_that_has_passed() {
    let statistics = counted(&[answered(100, Some(money("2 USD")))]);
    let after = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
    assert_eq!(
        statistics.projected_monthly_cost(after(24)),
        Some(money("60 USD"))
    );
    assert_eq!(
        statistics.projected_monthly_cost(after(24 * 30)),
        Some(money("2 USD"))
    );
    assert_eq!(statistics.projected_monthly_cost(after(0)), None);
    assert_eq!(statistics.projected_monthly_cost(after(-1)), None);
}

#[test]
fn an_amount_of_another_currency_is_refused_and_nothing_is_counted() {
    let mut statistics = counted(&[answered(100, Some(money("2 USD")))]);
    let before = statistics.clone();
    let model = id(LITE);
    let outcome = answered(100, Some(money("2 EUR")));
    assert!(
        statistics
            .record(&CallRecord {
                model: &model,
                outcome
            })
            .is_err()
    );
    assert_eq!(statistics, before);
}

#[test]
fn statistics_go_on_after_a_restart() {
    let statistics = counted(&[answered(100, Some(money("2 USD"))), answered(70, None)]);
    let json = serde_json::to_string(&statistics).unwrap();
    assert_eq!(
        serde_json::from_str::<Statistics>(&json).unwrap(),
        statistics
    );
    assert!(statistics.to_string().contains("amazon.nova-lite-v1:0"));
}

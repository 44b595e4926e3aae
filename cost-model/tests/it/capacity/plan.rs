//! Instances that are advised, and what they cost.

use std::num::NonZeroU32;

use bursar_cost_model::capacity::{
    Binding, CapacityError, CapacityPlan, CapacityPrices, Demand, Reason,
};
use bursar_units::{Currency, Money};
use proptest::prelude::*;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn plan(demand: &Demand) -> CapacityPlan {
    CapacityPlan::new(demand, &CapacityPrices::default()).unwrap()
}

fn zones(demand: &mut Demand, zones: u32) {
    demand.zones = NonZeroU32::new(zones).unwrap();
}

#[test]
fn formula_and_table_disagree_and_the_larger_is_advised() {
    // Zone loss is left aside: with one zone, one instance may be lost.
    for (peak, formula, listed, advised, reason) in [
        (100.0, 1, Some((2, Some(2))), 2, Reason::Minimum),
        (500.0, 2, Some((4, Some(4))), 4, Reason::Listed),
        (2_000.0, 6, Some((8, Some(10))), 10, Reason::Listed),
        (10_000.0, 30, Some((20, None)), 30, Reason::Formula),
        (20_000.0, 60, None, 60, Reason::Formula),
        (0.0, 0, Some((2, Some(2))), 2, Reason::Minimum),
    ] {
        let mut demand = Demand::new(peak);
        zones(&mut demand, 1);
        let plan = plan(&demand);
        assert_eq!(plan.formula, formula, "{peak}");
        let range = plan.listed.map(|listed| (listed.least, listed.most));
        assert_eq!(range, listed, "{peak}");
        assert_eq!((plan.advised, plan.reason), (advised, reason), "{peak}");
        assert_eq!(plan.zone_loss, None);
    }
}

#[test]
fn the_zones_that_are_left_carry_the_peak() {
    // 4 instances carry 2,000 at 500 each.
    for (n_zones, expected) in [
        (2, Some(8)),
        (3, Some(6)),
        (4, Some(8)),
        (5, Some(5)),
        (1, None),
    ] {
        let mut demand = Demand::new(2_000.0);
        zones(&mut demand, n_zones);
        let plan = plan(&demand);
        assert_eq!(plan.carrying, 4);
        assert_eq!(plan.n_plus_one, 5);
        assert_eq!(plan.zone_loss, expected, "{n_zones} zones");
    }
}

#[test]
fn a_tight_p99_binds_where_the_formula_is_content() {
    let mut demand = Demand::new(2_000.0);
    demand.service_seconds = 0.010;
    demand.p99_seconds = 0.050;
    let plan = plan(&demand);
    // 20 are busy, so the 6 of the formula cannot keep up.
    assert_eq!(plan.binds, Binding::Queue);
    let queue = plan.queue.unwrap();
    assert!(queue > 20, "{queue}");
    assert_eq!(plan.carrying, queue);
    assert!(plan.p99_seconds.unwrap() <= 0.050);
    assert!(plan.p99_seconds_after_loss.unwrap() <= 0.050);
}

#[test]
fn requests_in_bursts_need_more_for_the_same_p99() {
    let mut demand = Demand::new(2_000.0);
    demand.service_seconds = 0.010;
    demand.p99_seconds = 0.050;
    let calm = plan(&demand).queue.unwrap();
    demand.peakedness = 4.0;
    let bursty = plan(&demand).queue.unwrap();
    assert!(bursty > calm, "{bursty} against {calm}");
    assert!(plan(&demand).p99_seconds_after_loss.unwrap() <= 0.050);
}

#[test]
fn a_p99_below_the_service_alone_is_reached_by_no_number() {
    let mut demand = Demand::new(500.0);
    demand.service_seconds = 0.030;
    demand.p99_seconds = 0.100;
    let plan = plan(&demand);
    assert_eq!((plan.queue, plan.binds), (None, Binding::Unreachable));
    let text = plan
        .to_text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        text.contains("for one in a hundred over 138.2 ms"),
        "{text}"
    );
}

#[test]
fn an_instance_that_works_on_many_at_once_needs_fewer() {
    let mut demand = Demand::new(2_000.0);
    demand.service_seconds = 0.010;
    demand.p99_seconds = 0.100;
    let one = plan(&demand).queue.unwrap();
    demand.slots = NonZeroU32::new(8).unwrap();
    let eight = plan(&demand).queue.unwrap();
    assert_eq!(eight, one.div_ceil(8));
}

#[test]
fn a_total_is_known_only_when_all_of_its_parts_are() {
    let mut demand = Demand::new(500.0);
    zones(&mut demand, 1);
    let mut prices = CapacityPrices {
        instance_hour: Some(usd("0.0336")),
        redis_gb_month: Some(usd("16")),
        database_gb_month: None,
    };
    let cost = CapacityPlan::new(&demand, &prices).unwrap().cost;
    // 4 × 730 × 0.0336; 10 × 16.
    assert_eq!(cost.instances, Some(usd("98.112")));
    assert_eq!(cost.redis, Some(usd("160")));
    assert_eq!((cost.database, cost.total), (None, None));
    prices.database_gb_month = Some(usd("0.115"));
    let cost = CapacityPlan::new(&demand, &prices).unwrap().cost;
    assert_eq!(cost.total, Some(usd("263.862")));
    // Above the table nobody said how large Redis is.
    demand.peak_qps = 10_001.0;
    let cost = CapacityPlan::new(&demand, &prices).unwrap().cost;
    assert_eq!((cost.redis, cost.total), (None, None));
}

#[test]
fn the_four_stages_are_planned_at_their_peaks() {
    let plans = CapacityPlan::of_stages(&Demand::new(1.0), &CapacityPrices::default()).unwrap();
    let advised: Vec<u32> = plans.iter().map(|plan| plan.advised).collect();
    // With three zones, 1, 1, 4 and 20 carry: 3, 3, 6 and 30.
    assert_eq!(advised, [3, 4, 10, 30]);
}

#[test]
fn demands_that_cannot_be_are_named() {
    let error = |change: &dyn Fn(&mut Demand)| {
        let mut demand = Demand::new(100.0);
        change(&mut demand);
        let made = CapacityPlan::new(&demand, &CapacityPrices::default());
        made.unwrap_err().to_string()
    };
    for (change, message) in [
        (
            &(|demand: &mut Demand| demand.peak_qps = f64::NAN) as &dyn Fn(&mut Demand),
            "peak requests a second: NaN cannot be",
        ),
        (
            &|demand| demand.rated_qps = 0.0,
            "requests a second of an instance: 0 cannot be",
        ),
        (
            &|demand| demand.redundancy = 0.9,
            "redundancy, 1 or more: 0.9 cannot be",
        ),
        (
            &|demand| demand.p99_seconds = -1.0,
            "seconds of the p99: -1 cannot be",
        ),
    ] {
        assert_eq!(error(change), message);
    }
    let made = CapacityPlan::new(&Demand::new(1e15), &CapacityPrices::default());
    assert!(matches!(made, Err(CapacityError::TooMany { .. })));
}

#[cfg(feature = "serde")]
#[test]
fn json_has_amounts_as_strings_and_null_for_what_is_not_known() {
    let prices = CapacityPrices {
        instance_hour: Some(usd("0.0336")),
        ..CapacityPrices::default()
    };
    let plan = CapacityPlan::new(&Demand::new(10_000.0), &prices).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["advised"], 30);
    assert_eq!(json["reason"], "formula");
    assert_eq!(json["cost"]["instances"]["amount"], "735.8400");
    assert_eq!(json["cost"]["total"], serde_json::Value::Null);
    assert_eq!(json["listed"]["most"], serde_json::Value::Null);
}

proptest! {
    #[test]
    fn what_is_advised_meets_every_need(
        peak in 0.0..50_000.0_f64,
        service in 0.0001..0.05_f64,
        slack in 4.7..50.0_f64,
        slots in 1_u32..16,
        peakedness in 0.1..20.0_f64,
        n_zones in 1_u32..6,
    ) {
        let mut demand = Demand::new(peak);
        demand.service_seconds = service;
        demand.p99_seconds = service * slack;
        demand.slots = NonZeroU32::new(slots).unwrap();
        demand.peakedness = peakedness;
        zones(&mut demand, n_zones);
        let plan = plan(&demand);
        let needs = [
            Some(2),
            Some(plan.formula),
            plan.listed.map(|listed| listed.least),
            plan.queue,
            Some(plan.n_plus_one),
            plan.zone_loss,
        ];
        prop_assert!(needs.iter().flatten().all(|need| plan.advised >= *need));
        // The fullest zone is lost; what is left carries the peak and meets the p99.
        let lost = if n_zones == 1 { 1 } else { plan.advised.div_ceil(n_zones) };
        prop_assert!(plan.advised - lost >= plan.carrying);
        let after = plan.p99_seconds_after_loss.unwrap();
        prop_assert!(after <= demand.p99_seconds * (1.0 + 1e-9));
        prop_assert!(plan.p99_seconds.unwrap() <= after + 1e-12);
        prop_assert!(!plan.to_text().is_empty());
    }
}

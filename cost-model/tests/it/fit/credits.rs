//! The walks of AWS through credits: *Standard mode examples* and *Unlimited mode examples* of the
//! EC2 user guide, read 2026-11-27. (Their phases add up to 112 and 114 hours, not to the 96 of the
//! text; the credits are right.)

use super::*;
use bursar_cost_model::fit::{CreditSimulation, break_even_percent};

fn nano(mode: CreditMode) -> CreditSimulation {
    let credits = credits(5.0, 2.0, mode);
    assert_eq!((credits.credits_per_hour, credits.credit_cap), (6.0, 144.0));
    CreditSimulation::new(&credits, NonZeroU32::new(2).unwrap(), mode)
}

/// Phases 1 to 4 are the same in both modes.
fn first_four(simulation: &mut CreditSimulation) {
    for (hours, cpu, balance) in [
        (24.0, 0.0, 144.0),
        (12.0, 2.5, 144.0),
        (24.0, 7.0, 86.4),
        (12.0, 2.5, 122.4),
    ] {
        let step = simulation.step(hours, cpu);
        assert_eq!(step.throttled_hours, 0.0);
        assert!((simulation.balance() - balance).abs() < 1e-9);
    }
}

#[test]
fn t3_nano_in_standard_mode_spends_its_credits_and_is_throttled() {
    let mut simulation = nano(CreditMode::Standard);
    first_four(&mut simulation);
    // 114 credits an hour net: 122.4 last 64 minutes, and the rest of the two hours is throttled.
    let burst = simulation.step(2.0, 100.0);
    assert!((burst.throttled_hours - (2.0 - 122.4 / 114.0)).abs() < 1e-9);
    assert_eq!(simulation.balance(), 0.0);
    assert_eq!(simulation.step(14.0, 5.0).throttled_hours, 0.0);
    assert!(simulation.balance().abs() < 1e-9);
    simulation.step(24.0, 0.0);
    assert!((simulation.balance() - 144.0).abs() < 1e-9);
}

#[test]
fn t3_nano_in_unlimited_mode_pays_for_what_a_day_cannot_earn_back() {
    let mut simulation = nano(CreditMode::Unlimited);
    first_four(&mut simulation);
    // The page rounds 122.4 to 122: 570 − 122 = 448 surplus credits, of which 304 are charged.
    let burst = simulation.step(5.0, 100.0);
    assert!((burst.charged_credits - (570.0 - 122.4 - 144.0)).abs() < 1e-9);
    assert_eq!(burst.charged_credits.round(), 304.0);
    assert_eq!(burst.throttled_hours, 0.0);
    simulation.step(13.0, 5.0);
    assert!((simulation.surplus_balance() - 144.0).abs() < 1e-9);
    simulation.step(24.0, 0.0);
    assert!(simulation.surplus_balance().abs() < 1e-9);
    assert!(simulation.balance().abs() < 1e-9);
}

#[test]
fn t2_nano_pays_two_cents_for_twenty_five_minutes_of_surplus() {
    // 25 credits are 0.42 vCPU-hours, $0.021, rounded on the page to $0.02.
    let credits = credits(5.0, 1.0, CreditMode::Unlimited);
    let one = NonZeroU32::new(1).unwrap();
    let mut simulation = CreditSimulation::new(&credits, one, CreditMode::Unlimited);
    // 57 credits an hour net: the surplus of 72 lasts 75.8 minutes, then 25 credits take 26.3.
    simulation.step((72.0 + 25.0) / 57.0, 100.0);
    assert!((simulation.charged_credits() - 25.0).abs() < 1e-9);
}

#[test]
fn break_evens_are_those_of_the_page() {
    // t3.large 42.5 %, t3.xlarge and t3.2xlarge 52.5 %: baselines 30, 40, 40 %, prices that double.
    for (baseline, t3, m5, vcpus, percent) in [
        (30, "0.0835", "0.096", 2, "42.5"),
        (40, "0.1670", "0.192", 4, "52.5"),
        (40, "0.3341", "0.384", 8, "52.475"),
        // At the prices of 2026-07: 42.8 %.
        (30, "0.0832", "0.096", 2, "42.8"),
    ] {
        let found = break_even_percent(
            Decimal::from(baseline),
            usd(t3),
            usd(m5),
            usd("0.05"),
            NonZeroU32::new(vcpus).unwrap(),
        );
        assert_eq!(found.unwrap().normalize().to_string(), percent);
    }
}

fn burstable(mode: CreditMode) -> InstanceType {
    let mut burstable = machine("t.2x", 2, "0.04");
    burstable.burst = Some(credits(20.0, 2.0, mode));
    burstable
}

#[test]
fn surplus_is_charged_in_unlimited_mode_and_throttles_in_standard_mode() {
    // 30 to 50 % of two vCPUs, 40 % on average: 20 % above the baseline.
    let cpu = series(&noise(21, 7.5, 12.5));
    let recommend = |mode| super::recommend(&workload(cpu.clone()), &[burstable(mode)]);
    let unlimited = recommend(CreditMode::Unlimited);
    let monthly = unlimited.best().unwrap().monthly;
    // 0.2 × 2 vCPUs × 730 h × $0.05 = $14.60.
    let surplus = monthly.surplus_credits.unwrap();
    let off = surplus.checked_sub(usd("14.60")).unwrap().abs();
    assert!(off.amount() < Decimal::new(10, 2), "{surplus}");
    assert_eq!(monthly.total, monthly.machine.checked_add(surplus).unwrap());

    // T2 is in standard mode unless told otherwise; told otherwise it holds, at that price.
    let standard = recommend(CreditMode::Standard);
    let modes: Vec<Option<CreditMode>> = standard.ranked.iter().map(|c| c.credit_mode).collect();
    assert_eq!(modes, [Some(CreditMode::Unlimited)]);
}

#[test]
fn a_use_under_the_baseline_costs_nothing_more() {
    let cpu = series(&noise(22, 2.0, 4.0));
    let answer = super::recommend(&workload(cpu), &[burstable(CreditMode::Unlimited)]);
    let best = answer.best().unwrap();
    assert_eq!(best.monthly.surplus_credits, Some(usd("0")));
    let answer = super::recommend(
        &workload(series(&noise(22, 2.0, 4.0))),
        &[burstable(CreditMode::Standard)],
    );
    assert_eq!(
        answer.best().unwrap().credit_mode,
        Some(CreditMode::Standard)
    );
}

#[test]
fn a_surplus_without_a_known_price_is_not_free() {
    let mut machine = burstable(CreditMode::Unlimited);
    if let Some(credits) = &mut machine.burst {
        credits.surplus_per_vcpu_hour = None;
    }
    let answer = super::recommend(&workload(series(&noise(23, 7.5, 12.5))), &[machine]);
    assert_eq!(answer.decision, Decision::NothingFits);
    assert_eq!(reason(&answer, "t.2x"), Some(&Rejection::NoPrice));
}

//! When does a commitment pay, and what do commitments cover?
//!
//! The example is that of
//! <https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html>, read 2026-11-27:
//! the same usage in five scenarios.

use bursar_cost_model::commitment::{
    AppliedHour, Commitment, CommitmentError, PlanKind, PlanLine, Reservation, SavingsPlan,
    Sharing, Term, Usage, apply,
};
use bursar_units::{Currency, Money, Quantum, Rounding};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn cents(money: Option<Money>) -> String {
    let money = money.unwrap();
    let money = money
        .round_to(Quantum::MINOR_UNIT, Rounding::HalfUp)
        .unwrap();
    money.amount().to_string()
}

fn usage(product: &str, quantity: &str, rate: &str) -> Usage {
    Usage {
        product: product.into(),
        account: "owner".into(),
        quantity: decimal(quantity),
        on_demand_rate: usd(rate),
    }
}

fn example_usage() -> Vec<Usage> {
    vec![
        usage("r5.4xlarge Linux", "4", "1.00"),
        usage("m5.24xlarge Windows", "1", "10.00"),
        usage("Fargate vCPU", "400", "0.04"),
        usage("Fargate GB", "1600", "0.004"),
        // One million requests of 0.5 GB for 3 seconds.
        usage("Lambda duration", "1500000", "0.000015"),
        usage("Lambda requests", "1", "0.20"),
    ]
}

fn compute_plan(commitment: &str) -> SavingsPlan {
    SavingsPlan::new("compute", PlanKind::Compute, "owner", usd(commitment))
        .rate("r5.4xlarge Linux", usd("0.70"))
        .rate("m5.24xlarge Windows", usd("8.20"))
        .rate("Fargate vCPU", usd("0.03"))
        .rate("Fargate GB", usd("0.003"))
        .rate("Lambda duration", usd("0.00001275"))
        .rate("Lambda requests", usd("0.20"))
}

fn r5_plan(commitment: &str) -> SavingsPlan {
    SavingsPlan::new("r5", PlanKind::Ec2Instance, "owner", usd(commitment))
        .rate("r5.4xlarge Linux", usd("0.60"))
}

fn on_demand_of(hour: &AppliedHour, product: &str) -> Money {
    let line = hour
        .usage
        .iter()
        .find(|line| &*line.usage.product == product);
    line.unwrap().on_demand
}

#[test]
fn scenario_1_covers_all_usage() {
    let hour = apply(&example_usage(), &[], &[compute_plan("50.00")]).unwrap();
    assert_eq!(cents(hour.without_plans), "59.10");
    assert_eq!(cents(Some(hour.plans[0].used)), "47.13");
    assert_eq!(hour.plans[0].unused, usd("2.875"));
    assert_eq!(cents(hour.on_demand), "0.00");
    assert_eq!(cents(hour.total), "50.00");
}

#[test]
fn scenario_2_covers_part_of_the_highest_saving() {
    let hour = apply(&example_usage(), &[], &[compute_plan("2.00")]).unwrap();
    let r5 = &hour.usage[0];
    assert_eq!(r5.applied[0].quantity.round_dp(1), decimal("2.9"));
    assert_eq!(r5.on_demand_quantity.round_dp(1), decimal("1.1"));
    assert_eq!(cents(Some(r5.on_demand)), "1.14");
    assert_eq!(cents(hour.on_demand), "56.24");
    assert_eq!(cents(hour.total), "58.24");
}

#[test]
fn scenario_3_goes_from_the_highest_saving_to_the_lowest_rate() {
    let hour = apply(&example_usage(), &[], &[compute_plan("19.60")]).unwrap();
    for product in ["r5.4xlarge Linux", "Fargate vCPU", "Fargate GB"] {
        assert!(on_demand_of(&hour, product).is_zero(), "{product}");
    }
    assert_eq!(cents(hour.on_demand), "32.70");
    assert_eq!(hour.plans[0].unused, usd("0"));

    // With less, memory is covered before compute: the same saving at a lower rate.
    let less = apply(&example_usage(), &[], &[compute_plan("7.60")]).unwrap();
    assert!(on_demand_of(&less, "Fargate GB").is_zero());
    assert_eq!(on_demand_of(&less, "Fargate vCPU"), usd("16"));
}

#[test]
fn scenario_4_applies_reservations_before_plans() {
    let reservation = Reservation {
        product: "r5.4xlarge Linux".into(),
        owner: "owner".into(),
        units: decimal("2"),
        sharing: Sharing::Organization,
    };
    let hour = apply(&example_usage(), &[reservation], &[compute_plan("18.20")]).unwrap();
    assert_eq!(hour.usage[0].reserved, decimal("2"));
    assert_eq!(hour.usage[0].applied[0].quantity, decimal("2"));
    assert_eq!(hour.plans[0].unused, usd("0"));
    assert_eq!(cents(hour.on_demand), "32.70");
}

#[test]
fn scenario_5_applies_the_narrow_plan_first() {
    let plans = [compute_plan("16.80"), r5_plan("3.00")];
    let hour = apply(&example_usage(), &[], &plans).unwrap();
    assert_eq!(hour.plans[1].used, usd("2.40"));
    assert_eq!(hour.plans[1].unused, usd("0.60"));
    assert_eq!(hour.plans[0].unused, usd("0"));
    assert_eq!(hour.usage[0].applied[0].plan, 1);
    assert_eq!(cents(hour.on_demand), "32.70");
}

#[test]
fn the_account_that_owns_a_plan_comes_first() {
    // The other account would save more, and waits all the same.
    let mut other = usage("big saving", "1", "10.00");
    other.account = "other".into();
    let own = usage("small saving", "1", "1.00");
    let plan = |commitment| {
        SavingsPlan::new("p", PlanKind::Compute, "owner", usd(commitment))
            .rate("big saving", usd("1.00"))
            .rate("small saving", usd("0.90"))
    };
    let hour = apply(&[other.clone(), own.clone()], &[], &[plan("0.90")]).unwrap();
    assert_eq!(hour.on_demand, Some(usd("10.00")));

    let hour = apply(&[other.clone(), own.clone()], &[], &[plan("1.90")]).unwrap();
    assert_eq!(hour.on_demand, Some(usd("0")));

    let mut alone = plan("1.90");
    alone.sharing = Sharing::OwnerOnly;
    let hour = apply(&[other, own], &[], &[alone]).unwrap();
    assert_eq!(hour.on_demand, Some(usd("10.00")));
    assert_eq!(hour.plans[0].unused, usd("1.00"));
}

#[test]
fn a_rate_above_that_on_demand_is_not_applied() {
    let plan = SavingsPlan::new("p", PlanKind::Compute, "owner", usd("5"))
        .rate("Fargate vCPU", usd("0.05"));
    let hour = apply(&example_usage(), &[], &[plan]).unwrap();
    assert_eq!(hour.on_demand, hour.without_plans);
}

#[test]
fn what_is_wrong_is_named() {
    let plan = compute_plan("1").rate("Fargate GB", usd("-1"));
    let error = apply(&[], &[], &[plan]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the rate of Fargate GB under compute is -1 USD; it must not be below zero"
    );
    let error = apply(&[usage("x", "-1", "1")], &[], &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the quantity of x is -1; it must not be below zero"
    );
    let free = apply(&[usage("x", "1", "0")], &[], &[]).unwrap_err();
    assert!(
        matches!(free, CommitmentError::NotPositive { .. }),
        "{free}"
    );
    let mut euro = usage("x", "1", "1");
    euro.on_demand_rate = Money::parse("1", Currency::EUR).unwrap();
    let mixed = apply(&[euro], &[], &[compute_plan("1").rate("x", usd("0.5"))]);
    assert!(matches!(mixed, Err(CommitmentError::Money(_))), "{mixed:?}");
}

#[test]
fn an_hour_without_anything_has_no_currency() {
    let hour = apply(&[], &[], &[]).unwrap();
    assert_eq!((hour.on_demand, hour.total), (None, None));
}

/// By hand: share of hours = (in advance ÷ hours of the term + per hour) ÷ on demand.
#[test]
fn break_even_of_the_three_ways_to_pay() {
    // on demand 0.10, 37 % off: 63 % of the hours, as research tells.
    let cases = [
        ("0", "0.063", Term::OneYear, "0.63", Some("0"), "27.010"),
        // 0.0315 × 8,760 = 275.94 in advance; pays back in 275.94 ÷ (0.0685 × 730) months.
        (
            "275.94",
            "0.0315",
            Term::OneYear,
            "0.63",
            Some("5.518"),
            "27.010",
        ),
        // 0.05 × 26,280 = 1,314; pays back in 1,314 ÷ (0.10 × 730) = 18 months.
        ("1314", "0", Term::ThreeYears, "0.5", Some("18"), "36.5"),
        // Dearer than on demand: it never comes back.
        ("0", "0.11", Term::OneYear, "1.1", None, "-7.3"),
        ("900", "0", Term::OneYear, "1.0274", None, "-2"),
    ];
    for (upfront, hourly, term, utilization, payback, saving) in cases {
        let commitment = Commitment::partial_upfront(usd(upfront), usd(hourly), term);
        let break_even = commitment.break_even(usd("0.10")).unwrap();
        assert_eq!(break_even.utilization.round_dp(4), decimal(utilization));
        let months = break_even.payback_months.map(|months| months.round_dp(3));
        assert_eq!(months, payback.map(decimal), "{upfront} {hourly}");
        assert_eq!(break_even.monthly_saving, usd(saving), "{upfront} {hourly}");
    }
}

#[test]
fn break_even_refuses_what_is_not_a_price() {
    let commitment = Commitment::no_upfront(usd("0.1"), Term::OneYear);
    assert!(commitment.break_even(usd("0")).is_err());
    let commitment = Commitment::no_upfront(usd("-0.1"), Term::OneYear);
    assert!(commitment.break_even(usd("1")).is_err());
}

fn amounts(places: u32, most: i64) -> impl Strategy<Value = Decimal> {
    (0..most).prop_map(move |units| Decimal::new(units, places))
}

fn money(places: u32, most: i64) -> impl Strategy<Value = Money> {
    amounts(places, most).prop_map(|amount| Money::new(amount, Currency::USD))
}

prop_compose! {
    fn any_usage()(
        product in 0..4_u8,
        account in 0..3_u8,
        quantity in amounts(2, 10_000),
        rate in 1..2_000_i64,
    ) -> Usage {
        Usage {
            product: format!("p{product}").into(),
            account: format!("a{account}").into(),
            quantity,
            on_demand_rate: Money::new(Decimal::new(rate, 3), Currency::USD),
        }
    }
}

prop_compose! {
    fn any_plan()(
        kind in prop_oneof![Just(PlanKind::Ec2Instance), Just(PlanKind::Compute)],
        owner in 0..3_u8,
        shared in any::<bool>(),
        commitment in money(2, 20_000),
        rates in proptest::collection::vec(proptest::option::of(money(3, 2_000)), 4),
    ) -> SavingsPlan {
        let mut plan = SavingsPlan::new("p", kind, &format!("a{owner}"), commitment);
        if !shared {
            plan.sharing = Sharing::OwnerOnly;
        }
        for (product, rate) in rates.into_iter().enumerate() {
            if let Some(rate) = rate {
                plan = plan.rate(&format!("p{product}"), rate);
            }
        }
        plan
    }
}

prop_compose! {
    fn any_reservation()(
        product in 0..4_u8,
        owner in 0..3_u8,
        units in amounts(1, 500),
    ) -> Reservation {
        Reservation {
            product: format!("p{product}").into(),
            owner: format!("a{owner}").into(),
            units,
            sharing: Sharing::Organization,
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_no_plan_gives_more_than_its_commitment(
        usage in proptest::collection::vec(any_usage(), 0..8),
        reservations in proptest::collection::vec(any_reservation(), 0..3),
        plans in proptest::collection::vec(any_plan(), 0..4),
    ) {
        let hour = apply(&usage, &reservations, &plans).unwrap();
        for line in &hour.usage {
            let covered: Decimal = line.applied.iter().map(|part| part.quantity).sum();
            let sum = line.reserved + covered + line.on_demand_quantity;
            prop_assert_eq!(sum, line.usage.quantity);
            prop_assert!(line.on_demand_quantity >= Decimal::ZERO);
        }
        for (index, line) in hour.plans.iter().enumerate() {
            prop_assert!(!line.unused.is_negative());
            prop_assert_eq!(line.used.checked_add(line.unused).unwrap(), line.plan.commitment);
            let parts = hour.usage.iter().flat_map(|line| &line.applied);
            let parts = parts.filter(|part| part.plan == index).map(|part| part.amount);
            let used = Money::try_sum(parts).unwrap().unwrap_or(usd("0"));
            prop_assert_eq!(used, line.used);
        }
        // A plan is never spent at a rate above that on demand, so its used part never costs more
        // than what it takes the place of, but for the fraction that is cut at the 12th place.
        if let (Some(without), Some(on_demand)) = (hour.without_plans, hour.on_demand) {
            let used = Money::try_sum(hour.plans.iter().map(|line| line.used)).unwrap();
            let with = on_demand.checked_add(used.unwrap_or(usd("0"))).unwrap();
            let cut = without.checked_add(usd("0.000000001")).unwrap();
            prop_assert!(with <= cut, "{} {}", with, without);
        }
    }

    #[test]
    fn usage_is_charged_on_demand_only_where_no_plan_that_fits_has_anything_left(
        usage in proptest::collection::vec(any_usage(), 0..8),
        plans in proptest::collection::vec(any_plan(), 0..4),
    ) {
        let hour = apply(&usage, &[], &plans).unwrap();
        for line in hour.usage.iter().filter(|line| !line.on_demand_quantity.is_zero()) {
            for PlanLine { plan, unused, .. } in &hour.plans {
                let rate = plan.rates.get(&line.usage.product);
                let fits = rate.is_some_and(|rate| *rate <= line.usage.on_demand_rate)
                    && (plan.owner == line.usage.account || plan.sharing == Sharing::Organization);
                prop_assert!(!fits || unused.is_zero());
            }
        }
    }
}

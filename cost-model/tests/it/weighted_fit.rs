//! Does the points scorer give the points that its rules give on paper?

use std::num::NonZeroU32;

use bursar_cost_model::fit::{
    Assumption, CpuNeed, Decision, FitError, FitOptions, FitScorer, Note, PurchaseOption,
    Recommendation, Rejection, Resource, SampleStep, ScoredPrice, Tolerance, Usage, WeightedFit,
    Workload,
};
use bursar_cost_model::instances::{
    Architecture, BurstCredits, CreditMode, InstanceType, NetworkLimits, source_catalog,
};
use bursar_units::{Currency, Money};
use proptest::prelude::*;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn machine(name: &str, vcpus: u32, memory_mib: u64, on_demand: &str) -> InstanceType {
    let vcpus = NonZeroU32::new(vcpus).unwrap();
    let mut machine = InstanceType::new(name, Architecture::X86_64, vcpus, memory_mib);
    machine.on_demand = Some(usd(on_demand));
    machine
}

fn use_of(average: f64, maximum: f64) -> Usage {
    Usage::average_and_maximum(average, maximum).unwrap()
}

fn workload(source: InstanceType, cpu: (f64, f64), memory: (f64, f64)) -> Workload {
    Workload::new(source)
        .with_usage(Resource::Cpu, use_of(cpu.0, cpu.1))
        .and_then(|workload| workload.with_usage(Resource::Memory, use_of(memory.0, memory.1)))
        .unwrap()
}

/// The workload of the source.
fn reference() -> Workload {
    let present = source_catalog().get("t3.xlarge").unwrap().clone();
    workload(present, (15.2, 28.3), (2048.0, 3072.0))
}

fn recommend(scorer: WeightedFit, workload: &Workload) -> Recommendation {
    scorer
        .recommend(
            workload,
            source_catalog().instances(),
            &FitOptions::default(),
        )
        .unwrap()
}

fn scores(answer: &Recommendation) -> Vec<(String, String)> {
    let line = |(name, score): (&str, f64)| (name.to_owned(), format!("{score:.2}"));
    let scores = answer
        .ranked
        .iter()
        .map(|it| (&*it.instance, it.score.unwrap()));
    scores.map(line).collect()
}

/// From the specification of the scorer: the types of 4 GiB, with 720 hours and the reserved price.
#[test]
fn the_reference_workload_has_the_points_of_the_specification() {
    let mut scorer = WeightedFit::default();
    scorer.scored_price = ScoredPrice::ByTolerance;
    let expected = [
        ("t4g.medium", "68.59"),
        ("t3.medium", "66.34"),
        ("c6g.large", "63.29"),
        ("c5.large", "62.45"),
    ];
    let expected = expected.map(|(name, score)| (name.to_owned(), score.to_owned()));
    assert_eq!(scores(&recommend(scorer, &reference()))[..4], expected);
}

#[test]
fn the_literal_form_has_the_points_of_the_source() {
    let expected = [
        ("t4g.medium", "56.39"),
        ("t3.medium", "54.14"),
        ("c6g.large", "51.09"),
        ("c5.large", "50.25"),
    ];
    let expected = expected.map(|(name, score)| (name.to_owned(), score.to_owned()));
    let answer = recommend(WeightedFit::literal(), &reference());
    assert_eq!(scores(&answer), expected);
    let reason = &answer.rejected[0].reason;
    assert!(matches!(reason, Rejection::LowScore { .. }), "{reason}");
}

#[test]
fn the_source_scores_reserved_and_bills_on_demand_at_720_hours() {
    let workload = reference().with_hours_per_month(720.into()).unwrap();
    let answer = recommend(WeightedFit::literal(), &workload);
    let best = answer.best().unwrap();
    assert_eq!(best.purchase, PurchaseOption::OnDemand);
    assert_eq!(best.monthly.total, usd("24.192")); // 0.0336 × 720
    assert_eq!(
        best.score.map(|score| format!("{score:.2}")).unwrap(),
        "56.39"
    );
    let saving = usd("95.616"); // 119.808 − 24.192
    let monthly_saving = Some(saving);
    assert_eq!(answer.decision, Decision::Move { monthly_saving });
}

#[test]
fn the_way_to_pay_follows_tolerance_and_hours() {
    let cases = [
        (Tolerance::Low, 730, PurchaseOption::OnDemand, "24.528"), // 0.0336 × 730
        (Tolerance::Medium, 720, PurchaseOption::OnDemand, "24.192"), // 0.0336 × 720
        (
            Tolerance::Medium,
            721,
            PurchaseOption::ReservedOneYear,
            "17.739",
        ), // 0.0243 × 730
        (Tolerance::High, 100, PurchaseOption::Spot, "1.01"),
    ];
    for (tolerance, hours, purchase, total) in cases {
        let workload = reference()
            .with_tolerance(tolerance)
            .with_hours_per_month(hours.into())
            .unwrap();
        let answer = recommend(WeightedFit::default(), &workload);
        let medium = answer
            .ranked
            .iter()
            .find(|it| &*it.instance == "t4g.medium");
        let medium = medium.unwrap();
        assert_eq!(
            (medium.purchase, medium.monthly.total),
            (purchase, usd(total))
        );
    }
}

#[test]
fn a_reserved_price_that_is_not_known_is_modeled_and_said_to_be() {
    let present = machine("a.large", 2, 4096, "0.1");
    let workload = workload(present.clone(), (40.0, 60.0), (2000.0, 3500.0));
    let scorer = WeightedFit::default();
    let answer = scorer
        .recommend(&workload, &[present], &FitOptions::default())
        .unwrap();
    let best = answer.best().unwrap();
    assert_eq!(best.assumptions, [Assumption::ReservedPrice]);
    assert_eq!(best.monthly.total, usd("52.8228")); // 0.1 × 0.7236 × 730
    assert_eq!(answer.decision, Decision::StayCheapest);
}

/// Needs of CPU 100 (of 2 × 100 × 0.5) and memory 1000: the edges of the terms by hand.
#[test]
fn the_terms_have_their_edges_where_the_rules_say() {
    let present = machine("source", 2, 4000, "1");
    let workload = workload(present, (50.0, 50.0), (1000.0, 1000.0));
    // network unknown 5, x86_64 10, cost at 1 USD an hour on demand 0.278 × 0.25
    let rest = 5.0 + 10.0 + 0.25 * 800.0 / 720.0;
    let cases = [
        (1, 1000, 25.0 + 30.0),        // within 0.8 and 1.5, within 0.9 and 1.3
        (2, 1000, 0.25 * 75.0 + 30.0), // 200 is 0.5 needs over 1.5
        (3, 1000, 0.25 * 25.0 + 30.0), // 1.5 needs over
        (4, 1000, 30.0),               // no points left
        (1, 2300, 25.0 + 0.30 * 60.0), // one need over 1.3
        (1, 3000, 25.0 + 0.30 * 32.0), // 1.7 needs over
        (1, 900, 25.0 + 30.0),         // the least that is allowed
    ];
    let options = on_demand_only();
    for (vcpus, memory, points) in cases {
        let candidate = machine("candidate", vcpus, memory, "1");
        let scorer = WeightedFit::default();
        let answer = scorer.recommend(&workload, &[candidate], &options).unwrap();
        let expected = points + rest;
        let score = match (answer.best(), answer.rejected.first()) {
            (Some(best), _) => best.score.unwrap(),
            (None, Some(rejected)) => match rejected.reason {
                Rejection::LowScore { score, .. } => score,
                ref other => panic!("{vcpus} {memory}: {other}"),
            },
            _ => panic!("neither ranked nor rejected"),
        };
        assert!(
            (score - expected).abs() < 1e-9,
            "{vcpus} {memory}: {score} {expected}"
        );
    }
}

fn on_demand_only() -> FitOptions {
    let mut options = FitOptions::default();
    options.purchase = Some(vec![PurchaseOption::OnDemand]);
    options
}

#[test]
fn each_rejection_has_its_reason() {
    let present = machine("source", 2, 8192, "0.1");
    let workload = workload(present, (30.0, 60.0), (3000.0, 4000.0));
    let mut arm = machine("arm", 2, 4096, "0.1");
    arm.architecture = Architecture::Arm64;
    let mut gpu = machine("gpu", 2, 4096, "0.1");
    gpu.accelerated = true;
    let mut old = machine("old", 2, 4096, "0.1");
    old.current_generation = false;
    let mut free = machine("no price", 2, 4096, "0.1");
    free.on_demand = None;
    let small = machine("small", 2, 2879, "0.1"); // 0.9 × 3200 is 2880
    let mut usable = machine("usable", 2, 4096, "0.1");
    usable.usable_memory_mib = Some(3199);
    let machines = [arm, gpu, old, free, small, usable];
    let mut options = FitOptions::default();
    options.architectures = vec![Architecture::X86_64];
    let answer = WeightedFit::default()
        .recommend(&workload, &machines, &options)
        .unwrap();
    let reasons: Vec<String> = answer
        .rejected
        .iter()
        .map(|it| it.reason.to_string())
        .collect();
    let expected = [
        "the workload does not run on arm64",
        "it carries accelerators that nobody asked for",
        "it is of a previous generation",
        "no price is known for an allowed way to pay",
        "memory: 3200 MiB are needed, 2879 usable",
        "memory: 3200 MiB are needed, 3199 usable",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(answer.decision, Decision::NothingFits);
}

/// Two days at 10 and 50 % of two vCPUs on a machine of two with a baseline of 20 %: the second day
/// is 30 % × 2 over, half of the time: 0.3 vCPU at 0.05 USD for 730 hours.
#[test]
fn a_day_above_the_baseline_is_charged() {
    let mut burstable = machine("t3.medium", 2, 4096, "0.0416");
    burstable.burst = Some(BurstCredits {
        baseline_percent: 20.0,
        credits_per_hour: 24.0,
        credit_cap: 576.0,
        default_mode: CreditMode::Unlimited,
        surplus_per_vcpu_hour: Some(usd("0.05")),
    });
    let days = [10.0, 50.0].into_iter().flat_map(|cpu| [Some(cpu); 24]);
    let cpu = Usage::samples(SampleStep::HOURLY, days).unwrap();
    let workload = workload(burstable.clone(), (1.0, 1.0), (2000.0, 3500.0))
        .with_usage(Resource::Cpu, cpu)
        .unwrap();
    let scorer = WeightedFit::default();
    let answer = scorer
        .recommend(&workload, &[burstable.clone()], &on_demand_only())
        .unwrap();
    let monthly = answer.best().unwrap().monthly;
    assert_eq!(monthly.surplus_credits, Some(usd("10.95")));
    assert_eq!(monthly.total, usd("41.318")); // 0.0416 × 730 + 10.95

    // A surplus whose price nobody knows is not taken for free.
    burstable.burst.as_mut().unwrap().surplus_per_vcpu_hour = None;
    let answer = scorer
        .recommend(&workload, &[burstable], &on_demand_only())
        .unwrap();
    let resource = Resource::Cpu;
    assert_eq!(
        answer.rejected[0].reason,
        Rejection::LimitUnknown { resource }
    );
}

#[test]
fn without_memory_the_present_memory_is_kept() {
    let present = machine("source", 2, 8192, "0.1");
    let workload = Workload::new(present.clone())
        .with_usage(Resource::Cpu, use_of(40.0, 60.0))
        .unwrap();
    let smaller = machine("smaller", 2, 8191, "0.09");
    let scorer = WeightedFit::default();
    let answer = scorer
        .recommend(&workload, &[present, smaller], &FitOptions::default())
        .unwrap();
    assert_eq!(answer.ranked.len(), 1);
    assert!(answer.notes.contains(&Note::MemoryUnknown));
}

#[test]
fn a_saving_that_does_not_pay_the_switch_is_not_taken() {
    let mut options = on_demand_only();
    options.switching_cost = Some(usd("5000"));
    let answer = WeightedFit::default()
        .recommend(&reference(), source_catalog().instances(), &options)
        .unwrap();
    let decision = answer.decision;
    assert!(
        matches!(decision, Decision::StaySwitchingCosts { .. }),
        "{decision}"
    );
}

#[test]
fn what_cannot_be_answered_is_an_error() {
    let scorer = WeightedFit::default();
    let nothing = scorer.recommend(&reference(), &[], &FitOptions::default());
    assert_eq!(nothing.unwrap_err(), FitError::NoMachines);
    let present = machine("source", 2, 8192, "0.1");
    let unmeasured = Workload::new(present.clone());
    let error = scorer.recommend(&unmeasured, &[present], &FitOptions::default());
    assert_eq!(error.unwrap_err(), FitError::CpuUnknown);
}

prop_compose! {
    fn any_machine()(
        vcpus in 1..200_u32,
        memory in 1..1_000_000_u64,
        lost in 0..1_000_u64,
        measured in any::<bool>(),
        price in proptest::option::of(0..50_000_i64),
        burst in proptest::option::of((0.0..50.0_f64, any::<bool>())),
        network in proptest::option::of(0..200_000_u32),
        arm in any::<bool>(),
    ) -> InstanceType {
        let mut machine = machine("any", vcpus, memory, "0");
        machine.on_demand = price.map(|price| usd(&format!("{}", price as f64 / 1000.0)));
        machine.usable_memory_mib = measured.then(|| memory.saturating_sub(lost));
        machine.burst = burst.map(|(baseline_percent, priced)| BurstCredits {
            baseline_percent,
            credits_per_hour: 12.0,
            credit_cap: 288.0,
            default_mode: CreditMode::Standard,
            surplus_per_vcpu_hour: priced.then(|| usd("0.05")),
        });
        machine.network = network.map(|mbps| NetworkLimits { baseline_mbps: mbps, burst_mbps: mbps });
        if arm {
            machine.architecture = Architecture::Arm64;
        }
        machine
    }
}

proptest! {
    #[test]
    fn points_are_points_and_what_is_recommended_holds_memory_and_pays_its_surplus(
        source in any_machine(),
        machines in proptest::collection::vec(any_machine(), 1..20),
        cpu in (0.0..100.0_f64, 0.0..100.0_f64),
        memory in proptest::option::of((0.0..1e6_f64, 0.0..1e6_f64)),
        literal in any::<bool>(),
    ) {
        let cpu = (cpu.0.min(cpu.1), cpu.0.max(cpu.1));
        let mut workload = Workload::new(source.clone());
        workload = workload.with_usage(Resource::Cpu, use_of(cpu.0, cpu.1)).unwrap();
        if let Some((one, other)) = memory {
            let usage = use_of(one.min(other), one.max(other));
            workload = workload.with_usage(Resource::Memory, usage).unwrap();
        }
        let machines: Vec<InstanceType> = machines.into_iter().enumerate().map(|(place, mut it)| {
            it.name = format!("m{place}").into();
            it
        }).collect();
        let mut scorer = WeightedFit::default();
        if literal {
            scorer.cpu_need = CpuNeed::Literal;
        }
        let answer = scorer.recommend(&workload, &machines, &FitOptions::default()).unwrap();
        prop_assert_eq!(answer.ranked.len() + answer.rejected.len(), machines.len());
        for candidate in &answer.ranked {
            let score = candidate.score.unwrap();
            prop_assert!((50.0..=100.0).contains(&score));
            let machine = machines.iter().find(|it| it.name == candidate.instance).unwrap();
            if let (Some(usable), Some((one, other))) = (machine.usable_memory_mib, memory) {
                let need = one.min(other).max(0.8 * one.max(other));
                prop_assert!(usable as f64 >= need);
            }
            if let Some(burst) = &machine.burst {
                let used = cpu.0 * f64::from(source.vcpus.get());
                let earned = burst.baseline_percent * f64::from(machine.vcpus.get());
                let surplus = candidate.monthly.surplus_credits.unwrap();
                prop_assert!(used <= earned + 1e-3 || !surplus.is_zero(), "{} {}", used, earned);
            }
        }
    }
}

//! Machines are chosen by cost under a bound on risk.

mod credits;
mod properties;

use std::num::NonZeroU32;

use bursar_cost_model::fit::{
    Assumption, BreachBasis, CostUnderRisk, Decision, FitError, FitOptions, FitScorer, Note,
    PurchaseOption, Recommendation, Rejection, Resource, SampleStep, Tolerance, UnknownCpuScore,
    Usage, UsageError, Workload,
};
use bursar_cost_model::instances::{
    Architecture, BurstCredits, CreditMode, EbsLimits, InstanceType, InterruptionFrequency,
    NetworkLimits, SpotMarket,
};
use bursar_units::{Currency, Money};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rust_decimal::Decimal;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

/// A machine of 1,000 points and 4 GiB per vCPU.
fn machine(name: &str, vcpus: u32, price: &str) -> InstanceType {
    let n = NonZeroU32::new(vcpus).unwrap();
    let mut machine = InstanceType::new(name, Architecture::X86_64, n, u64::from(vcpus) * 4096);
    machine.usable_memory_mib = Some(u64::from(vcpus) * 4000);
    machine.cpu_score = Some(f64::from(vcpus) * 1000.0);
    machine.on_demand = Some(usd(price));
    machine
}

fn credits(baseline_percent: f64, vcpus: f64, mode: CreditMode) -> BurstCredits {
    let credits_per_hour = baseline_percent / 100.0 * vcpus * 60.0;
    BurstCredits {
        baseline_percent,
        credits_per_hour,
        credit_cap: credits_per_hour * 24.0,
        default_mode: mode,
        surplus_per_vcpu_hour: Some(usd("0.05")),
    }
}

fn family() -> Vec<InstanceType> {
    [
        ("a.1x", 1, "0.05"),
        ("a.2x", 2, "0.10"),
        ("a.4x", 4, "0.20"),
        ("a.8x", 8, "0.40"),
    ]
    .map(|(name, vcpus, price)| machine(name, vcpus, price))
    .to_vec()
}

/// Between 0 and 1, from 53 bits.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Two weeks at five minutes, uniform between the two ends.
fn noise(seed: u64, from: f64, to: f64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..4032)
        .map(|_| from + (to - from) * uniform(&mut random))
        .collect()
}

fn series(values: &[f64]) -> Usage {
    Usage::samples(SampleStep::FIVE_MINUTES, values.iter().map(|v| Some(*v))).unwrap()
}

fn workload(cpu: Usage) -> Workload {
    Workload::new(machine("a.8x", 8, "0.40"))
        .with_usage(Resource::Cpu, cpu)
        .unwrap()
        .with_usage(
            Resource::Memory,
            Usage::average_and_maximum(1000.0, 2000.0).unwrap(),
        )
        .unwrap()
}

fn recommend(workload: &Workload, machines: &[InstanceType]) -> Recommendation {
    CostUnderRisk::default()
        .recommend(workload, machines, &FitOptions::default())
        .unwrap()
}

fn best(recommendation: &Recommendation) -> &str {
    recommendation.best().map_or("", |best| &best.instance)
}

fn reason<'a>(recommendation: &'a Recommendation, name: &str) -> Option<&'a Rejection> {
    recommendation
        .rejected
        .iter()
        .find(|rejected| &*rejected.instance == name)
        .map(|rejected| &rejected.reason)
}

#[test]
fn the_cheapest_machine_within_the_budget_is_taken() {
    // 10 to 20 % of eight vCPUs are 0.8 to 1.6 vCPUs: two hold it, one does not.
    let answer = recommend(&workload(series(&noise(1, 10.0, 20.0))), &family());
    assert_eq!(best(&answer), "a.2x");
    assert!(matches!(
        reason(&answer, "a.1x"),
        Some(Rejection::OverBudget { resource: Resource::Cpu, expected, .. }) if *expected > 0.5
    ));
    assert_eq!(
        answer.decision,
        Decision::Move {
            monthly_saving: Some(usd("219"))
        }
    );
    let costs: Vec<Decimal> = answer
        .ranked
        .iter()
        .map(|c| c.monthly.total.amount())
        .collect();
    assert!(costs.is_sorted());
    // 0.10 × 730.
    assert_eq!(answer.ranked[0].monthly.total, usd("73"));
}

#[test]
fn a_growing_use_is_projected_and_a_larger_machine_taken() {
    let mut cpu = noise(2, 10.0, 15.0);
    for (i, value) in cpu.iter_mut().enumerate() {
        // 0.5 % a day: 17 to 22 % at the end, 24 to 29 % in another fortnight.
        *value += i as f64 / 288.0 * 0.5;
    }
    let answer = recommend(&workload(series(&cpu)), &family());
    assert!(answer.notes.iter().any(|note| matches!(
        note,
        Note::GrowthProjected { resource: Resource::Cpu, per_week } if (3.0..4.0).contains(per_week)
    )));
    assert_eq!(best(&answer), "a.4x");
}

#[test]
fn a_step_upward_is_the_new_level() {
    let mut cpu = noise(3, 8.0, 10.0);
    for value in cpu.iter_mut().skip(9 * 288) {
        *value += 10.0;
    }
    let answer = recommend(&workload(series(&cpu)), &family());
    assert!(answer.notes.iter().any(|note| matches!(
        note,
        Note::LevelChanged { after_days, .. } if (*after_days - 9.0).abs() < 0.5
    )));
    assert_eq!(best(&answer), "a.2x");
}

#[test]
fn a_stationary_share_is_estimated_without_bias_and_bounded() {
    // Uniform from 0 to 100 on a machine of four vCPUs: three hold 75 % of the samples.
    let three = [machine("b.3x", 3, "0.1")];
    let (mut expected, mut bounded) = (0.0, 0);
    for seed in 0..20 {
        let cpu = noise(seed, 0.0, 99.0);
        let workload = Workload::new(machine("b.4x", 4, "0.2"))
            .with_usage(Resource::Cpu, series(&cpu))
            .unwrap();
        let scorer = CostUnderRisk::default();
        let mut options = FitOptions::default();
        options.previous_generations = true;
        let mut small = three.clone();
        small[0].memory_mib = 16 * 1024;
        let answer = scorer.recommend(&workload, &small, &options).unwrap();
        let risk = answer.pareto[0].risk.as_ref().unwrap();
        expected += risk.expected / 20.0;
        bounded += u32::from(risk.at_most >= 24.0 / 99.0);
        assert_eq!(risk.by_resource[0].basis, BreachBasis::Counted);
    }
    assert!((expected - 24.0 / 99.0).abs() < 0.005, "{expected}");
    assert!(bounded >= 18, "{bounded} of 20");
}

#[test]
fn too_few_samples_do_not_suffice() {
    let cpu = noise(4, 10.0, 20.0);
    let answer = recommend(&workload(series(&cpu[..400])), &family());
    assert!(matches!(
        answer.decision,
        Decision::DataDoNotSuffice {
            resource: Resource::Cpu,
            samples: 400,
            ..
        }
    ));
    assert!(answer.ranked.is_empty());

    // Four days of hours are 96 samples: enough for one in two hundred, not for one in a thousand.
    let hours = |tolerance| {
        let cpu = Usage::samples(SampleStep::HOURLY, cpu[..96].iter().map(|v| Some(*v))).unwrap();
        recommend(&workload(cpu).with_tolerance(tolerance), &family()).decision
    };
    assert!(matches!(
        hours(Tolerance::Low),
        Decision::DataDoNotSuffice {
            needed_samples: 100,
            ..
        }
    ));
    assert!(!matches!(
        hours(Tolerance::Medium),
        Decision::DataDoNotSuffice { .. }
    ));
}

#[test]
fn memory_is_a_hard_limit_with_a_fifth_more() {
    // 3,333 MiB with a fifth more are 3,999.6, and the machine of one vCPU shows 4,000.
    let with_memory = |maximum: f64| {
        let workload = workload(series(&noise(5, 1.0, 5.0)))
            .with_usage(
                Resource::Memory,
                Usage::average_and_maximum(100.0, maximum).unwrap(),
            )
            .unwrap();
        recommend(&workload, &family())
    };
    assert_eq!(best(&with_memory(3333.0)), "a.1x");
    let more = with_memory(3334.0);
    assert_eq!(best(&more), "a.2x");
    assert!(matches!(
        reason(&more, "a.1x"),
        Some(Rejection::MemoryTooSmall { usable_mib, .. }) if *usable_mib == 4000.0
    ));
}

#[test]
fn unknown_memory_keeps_what_the_present_machine_has() {
    let workload = Workload::new(machine("a.4x", 4, "0.20"))
        .with_usage(Resource::Cpu, series(&noise(6, 1.0, 5.0)))
        .unwrap();
    let answer = recommend(&workload, &family());
    assert_eq!(best(&answer), "a.4x");
    assert_eq!(answer.decision, Decision::StayCheapest);
    assert!(answer.notes.contains(&Note::MemoryUnknown));
    let memory = answer.best().unwrap().risk.as_ref().unwrap().memory;
    assert_eq!((memory.need_mib, memory.measured), (16_384.0, false));
}

#[test]
fn usable_memory_that_nobody_measured_is_taken_low() {
    let mut machines = family();
    machines[0].usable_memory_mib = None;
    let answer = recommend(&workload(series(&noise(7, 1.0, 5.0))), &machines);
    assert_eq!(best(&answer), "a.1x");
    let best = answer.best().unwrap();
    assert_eq!(best.assumptions, [Assumption::UsableMemory]);
    // 4,096 less 15 %.
    let available = best.risk.as_ref().unwrap().memory.available_mib;
    assert!((available - 3481.6).abs() < 1e-9);
}

#[test]
fn cpu_is_compared_by_score_and_else_by_family() {
    let mut machines = family();
    // Twice as fast, so one vCPU holds what needs two.
    let mut fast = machine("f.1x", 1, "0.06");
    fast.cpu_score = Some(2000.0);
    machines.push(fast);
    let mut of_family = machine("f.2x", 2, "0.055");
    of_family.cpu_score = None;
    machines.push(of_family);
    let mut unknown = machine("u.8x", 8, "0.01");
    unknown.cpu_score = None;
    machines.push(unknown);
    let workload = workload(series(&noise(8, 10.0, 20.0)));
    let answer = recommend(&workload, &machines);
    assert_eq!(best(&answer), "f.2x");
    assert_eq!(
        answer.best().unwrap().assumptions,
        [Assumption::CpuScoreOfFamily]
    );
    assert_eq!(&*answer.ranked[1].instance, "f.1x");
    assert_eq!(reason(&answer, "u.8x"), Some(&Rejection::CpuScoreUnknown));

    let mut scorer = CostUnderRisk::default();
    scorer.unknown_cpu_score = UnknownCpuScore::CountVcpus;
    let answer = scorer
        .recommend(&workload, &machines, &FitOptions::default())
        .unwrap();
    assert_eq!(best(&answer), "u.8x");
    assert_eq!(answer.best().unwrap().assumptions, [Assumption::EqualVcpus]);
}

#[test]
fn a_switch_has_to_pay_itself() {
    let workload = workload(series(&noise(9, 10.0, 20.0)));
    let decide = |cost: &str| {
        let mut options = FitOptions::default();
        options.switching_cost = Some(usd(cost));
        CostUnderRisk::default()
            .recommend(&workload, &family(), &options)
            .unwrap()
            .decision
    };
    // 219 a month over a year are 2,628.
    assert!(matches!(decide("2627.99"), Decision::Move { .. }));
    assert_eq!(
        decide("2628.00"),
        Decision::StaySwitchingCosts {
            saving: usd("2628"),
            switching: usd("2628.00")
        }
    );
}

#[test]
fn spot_counts_the_expected_interruptions() {
    let mut machines = family();
    machines[1].spot = Some(SpotMarket {
        saving_percent: 60,
        interruption: InterruptionFrequency::From5To10,
    });
    machines[2].spot = Some(SpotMarket {
        saving_percent: 90,
        interruption: InterruptionFrequency::Over20,
    });
    let mut options = FitOptions::default();
    options.purchase = Some(vec![PurchaseOption::Spot]);
    options.interruption.recovery_cost = Some(usd("10"));
    let workload = workload(series(&noise(10, 10.0, 20.0)));
    let answer = CostUnderRisk::default()
        .recommend(&workload, &machines, &options)
        .unwrap();
    assert_eq!(best(&answer), "a.2x");
    // 0.04 × 730, and −ln 0.9 = 0.105361 times (1 h × 0.04 + 10).
    let monthly = answer.best().unwrap().monthly;
    assert_eq!(monthly.machine, usd("29.2"));
    assert_eq!(monthly.interruptions, Some(usd("1.05782444")));
    // “More than 20 %” has no upper end, so it has no expected cost.
    assert_eq!(reason(&answer, "a.4x"), Some(&Rejection::NoPrice));
    assert_eq!(reason(&answer, "a.8x"), Some(&Rejection::NoPrice));
}

#[test]
fn a_commitment_is_paid_for_every_hour() {
    let mut machines = family();
    machines[1].reserved_one_year = Some(usd("0.06"));
    let workload = workload(series(&noise(11, 10.0, 20.0)))
        .with_hours_per_month(Decimal::from(400))
        .unwrap();
    let answer = recommend(&workload, &machines);
    // 400 × 0.10 on demand beside 730 × 0.06.
    let costs: Vec<(PurchaseOption, Money)> = answer.ranked[..2]
        .iter()
        .map(|c| (c.purchase, c.monthly.total))
        .collect();
    assert_eq!(
        costs,
        [
            (PurchaseOption::OnDemand, usd("40")),
            (PurchaseOption::ReservedOneYear, usd("43.8"))
        ]
    );
}

#[test]
fn bursts_of_network_and_disk_are_served_while_tokens_last() {
    let mut machines = family();
    for machine in &mut machines {
        machine.network = Some(NetworkLimits {
            baseline_mbps: 100,
            burst_mbps: 1000,
        });
        machine.ebs = Some(EbsLimits {
            baseline_mbps: 800,
            maximum_mbps: 4000,
            baseline_iops: 1000,
            maximum_iops: 5000,
        });
    }
    machines[3].network = Some(NetworkLimits {
        baseline_mbps: 1000,
        burst_mbps: 1000,
    });
    // Ten minutes of 400 Mbit/s in every two hours: 180,000 Mbit above the baseline, of which the
    // reserve of five minutes holds 270,000 and an idle hour earns 360,000.
    let bursts: Vec<f64> = (0..4032)
        .map(|i| if i % 24 < 2 { 400.0 } else { 0.0 })
        .collect();
    let holds = |network: &[f64]| {
        let workload = workload(series(&noise(12, 10.0, 20.0)))
            .with_usage(Resource::Network, series(network))
            .unwrap();
        recommend(&workload, &machines)
    };
    let served = holds(&bursts);
    assert_eq!(best(&served), "a.2x");
    let breach = served.best().unwrap().risk.as_ref().unwrap().by_resource[1];
    assert_eq!(breach.basis, BreachBasis::Simulated);

    // An hour of it in every two is too much for the reserve.
    let long: Vec<f64> = (0..4032)
        .map(|i| if i % 24 < 12 { 400.0 } else { 0.0 })
        .collect();
    assert_eq!(best(&holds(&long)), "a.8x");
}

#[test]
fn a_limit_that_is_unknown_is_not_assumed() {
    let workload = workload(series(&noise(13, 10.0, 20.0)))
        .with_usage(Resource::DiskIops, series(&noise(14, 10.0, 20.0)))
        .unwrap();
    let answer = recommend(&workload, &family());
    assert_eq!(answer.decision, Decision::NothingFits);
    assert!(answer.rejected.iter().any(|rejected| {
        rejected.reason
            == Rejection::LimitUnknown {
                resource: Resource::DiskIops,
            }
    }));
}

#[test]
fn an_average_and_a_maximum_are_a_beta_distribution_that_says_so() {
    // Maximum 10 % with a fifth more is 12 % of eight vCPUs: just under one.
    let cpu = Usage::average_and_maximum(5.0, 10.0).unwrap();
    let answer = recommend(&workload(cpu), &family());
    assert_eq!(best(&answer), "a.1x");
    assert!(answer.notes.contains(&Note::BetaAssumed {
        resource: Resource::Cpu
    }));
    // A quarter of a Beta(3, 3) is above 0.64 (scipy.stats.beta.ppf(0.75, 3, 3) = 0.6406).
    let cpu = Usage::average_and_maximum(5.0, 10.0).unwrap();
    assert!((cpu.quantile(0.75) - 6.41).abs() < 0.02);
}

#[test]
fn a_histogram_answers_like_its_samples_when_nothing_depends_on_their_order() {
    let cpu = noise(15, 10.0, 20.0);
    let bins = (1..=200u32).map(|bin| {
        let bound = f64::from(bin) / 10.0;
        let of_bin = |value: &&f64| **value > bound - 0.1 && **value <= bound;
        (bound, cpu.iter().filter(of_bin).count() as u64)
    });
    let histogram = Usage::histogram(SampleStep::FIVE_MINUTES, bins).unwrap();
    assert_eq!(histogram.n_samples(), Some(4032));
    let answer = recommend(&workload(histogram), &family());
    assert_eq!(best(&answer), "a.2x");
    assert!(answer.notes.contains(&Note::OrderUnknown {
        resource: Resource::Cpu
    }));
}

#[test]
fn what_carries_accelerators_or_another_instruction_set_has_to_be_asked_for() {
    let mut machines = family();
    machines[1].accelerated = true;
    machines[2].architecture = Architecture::Arm64;
    let mut options = FitOptions::default();
    options.architectures = vec![Architecture::X86_64];
    let workload = workload(series(&noise(16, 10.0, 20.0)));
    let answer = CostUnderRisk::default()
        .recommend(&workload, &machines, &options)
        .unwrap();
    assert_eq!(best(&answer), "a.8x");
    assert_eq!(reason(&answer, "a.2x"), Some(&Rejection::Accelerated));
    assert!(matches!(
        reason(&answer, "a.4x"),
        Some(Rejection::Architecture { .. })
    ));
}

#[test]
fn the_front_has_less_risk_for_more_money() {
    let answer = recommend(&workload(series(&noise(17, 5.0, 40.0))), &family());
    let front: Vec<(Decimal, f64)> = answer
        .pareto
        .iter()
        .map(|c| (c.monthly.total.amount(), c.risk.as_ref().unwrap().at_most))
        .collect();
    assert!(front.len() > 1);
    assert!(
        front
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1)
    );
}

#[test]
fn a_full_machine_is_told_and_a_larger_one_taken() {
    // A fifth of the time at 100 %.
    let cpu: Vec<f64> = noise(18, 50.0, 112.0)
        .iter()
        .map(|v| v.min(100.0))
        .collect();
    let mut machines = family();
    machines.push(machine("a.32x", 32, "1.60"));
    let answer = recommend(&workload(series(&cpu)), &machines);
    assert_eq!(best(&answer), "a.32x");
    assert!(
        matches!(answer.decision, Decision::Move { monthly_saving: Some(saving) } if saving.is_negative())
    );
    assert!(
        answer
            .notes
            .iter()
            .any(|note| matches!(note, Note::Saturated { share } if *share > 0.1))
    );
}

#[test]
fn mistakes_are_named() {
    assert_eq!(
        Usage::samples(SampleStep::HOURLY, [Some(1.0), Some(-1.0)]).unwrap_err(),
        UsageError::Value {
            place: 1,
            value: -1.0
        }
    );
    assert_eq!(
        Usage::samples(SampleStep::HOURLY, [None, Some(f64::NAN)]).unwrap_err(),
        UsageError::Empty
    );
    assert!(matches!(
        Usage::samples(SampleStep::HOURLY, [Some(f64::INFINITY)]),
        Err(UsageError::Value { place: 0, .. })
    ));
    assert!(matches!(
        Usage::histogram(SampleStep::HOURLY, [(2.0, 1), (1.0, 1)]),
        Err(UsageError::Order { place: 1, .. })
    ));
    assert!(matches!(
        Usage::average_and_maximum(2.0, 1.0),
        Err(UsageError::AverageOverMaximum { .. })
    ));
    let plain = Workload::new(machine("a.8x", 8, "0.40"));
    assert!(matches!(
        plain.clone().with_usage(Resource::Cpu, Usage::average_and_maximum(50.0, 400.0).unwrap()),
        Err(FitError::CpuOverHundred { percent }) if percent == 400.0
    ));
    assert!(matches!(
        plain.clone().with_hours_per_month(Decimal::ZERO),
        Err(FitError::Hours { .. })
    ));
    let scorer = CostUnderRisk::default();
    let options = FitOptions::default();
    assert_eq!(
        scorer.recommend(&plain, &family(), &options),
        Err(FitError::CpuUnknown)
    );
    let workload = workload(series(&noise(19, 10.0, 20.0)));
    assert_eq!(
        scorer.recommend(&workload, &[], &options),
        Err(FitError::NoMachines)
    );
    let mut broken = family();
    broken[2].cpu_score = Some(f64::NAN);
    assert!(matches!(
        scorer.recommend(&workload, &broken, &options),
        Err(FitError::Machine {
            value: "cpu_score",
            ..
        })
    ));
    let mut negative = family();
    negative[2].on_demand = Some(usd("-1"));
    assert!(matches!(
        scorer.recommend(&workload, &negative, &options),
        Err(FitError::NegativePrice { .. })
    ));
    let mut unsure = scorer;
    unsure.confidence = 1.0;
    assert!(matches!(
        unsure.recommend(&workload, &family(), &options),
        Err(FitError::Setting {
            setting: "confidence",
            ..
        })
    ));
}

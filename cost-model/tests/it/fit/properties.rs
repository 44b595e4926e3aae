//! What holds for every workload and every machine.

use super::*;
use proptest::prelude::*;

/// Five days of a use with a rhythm, bursts and gaps.
fn any_series() -> impl Strategy<Value = Vec<Option<f64>>> {
    (0..u64::MAX, 0.0..60.0f64, 0.0..30.0f64, 0.0..0.1f64).prop_map(|(seed, level, swing, gaps)| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..5 * 288)
            .map(|i| {
                let rhythm = (f64::from(i) / 288.0 * std::f64::consts::TAU).sin();
                let value = level + swing * rhythm + 10.0 * uniform(&mut random);
                (uniform(&mut random) >= gaps).then_some(value.clamp(0.0, 100.0))
            })
            .collect()
    })
}

fn any_machine() -> impl Strategy<Value = InstanceType> {
    let burst = proptest::option::of((5.0..50.0f64, any::<bool>()));
    (1u32..16, 1u64..64, 100.0..4000.0f64, 1u32..1000, burst).prop_map(
        |(vcpus, gib, score, price, burst)| {
            let name = format!("m{vcpus}-{gib}-{score:.2}-{price}.x");
            let mut machine = machine(&name, vcpus, &format!("0.{price:03}"));
            machine.memory_mib = gib * 1024;
            machine.usable_memory_mib = Some(gib * 1000);
            machine.cpu_score = Some(score * f64::from(vcpus));
            machine.burst = burst.map(|(baseline, standard)| {
                let mode = if standard {
                    CreditMode::Standard
                } else {
                    CreditMode::Unlimited
                };
                credits(baseline, f64::from(vcpus), mode)
            });
            machine
        },
    )
}

fn any_tolerance() -> impl Strategy<Value = Tolerance> {
    prop_oneof![
        Just(Tolerance::Low),
        Just(Tolerance::Medium),
        Just(Tolerance::High)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_recommended_holds_what_was_promised(
        cpu in any_series(),
        memory in 100.0..40_000.0f64,
        machines in prop::collection::vec(any_machine(), 1..12),
        tolerance in any_tolerance(),
    ) {
        let usage = Usage::samples(SampleStep::FIVE_MINUTES, cpu.iter().copied()).unwrap();
        let workload = workload(usage)
            .with_tolerance(tolerance)
            .with_usage(Resource::Memory, Usage::average_and_maximum(memory / 2.0, memory).unwrap())
            .unwrap();
        let answer = recommend(&workload, &machines);
        for candidate in &answer.ranked {
            let machine = machines.iter().find(|m| m.name == candidate.instance).unwrap();
            let usable = machine.usable_memory_mib.unwrap() as f64;
            prop_assert!(usable >= memory * 1.2);

            let risk = candidate.risk.as_ref().unwrap();
            prop_assert!(risk.expected <= risk.at_most && risk.at_most <= tolerance.budget());

            // A day's mean over the baseline is charged, or the machine is not recommended.
            let Some(credits) = &machine.burst else { continue };
            let capacity = machine.cpu_score.unwrap() / 8000.0 * 100.0;
            let present: Vec<f64> = cpu.iter().copied().flatten().collect();
            let over = present
                .windows(288)
                .map(|day| day.iter().sum::<f64>() / 288.0 / capacity * 100.0)
                .any(|mean| mean > credits.baseline_percent + 1e-6);
            if over {
                prop_assert_eq!(candidate.credit_mode, Some(CreditMode::Unlimited));
                prop_assert!(candidate.monthly.surplus_credits.is_some());
            }
            let mean = present.iter().sum::<f64>() / present.len() as f64 / capacity * 100.0;
            if mean > credits.baseline_percent + 0.1 && mean < 100.0 {
                prop_assert!(!candidate.monthly.surplus_credits.unwrap().is_zero());
            }
        }
    }

    #[test]
    fn a_machine_that_gets_dearer_never_costs_less(
        cpu in any_series(),
        machine in any_machine(),
        more in 1u32..500,
    ) {
        let usage = Usage::samples(SampleStep::FIVE_MINUTES, cpu).unwrap();
        let workload = workload(usage).with_tolerance(Tolerance::High);
        let mut dearer = machine.clone();
        let extra = Money::new(Decimal::new(i64::from(more), 3), Currency::USD);
        dearer.on_demand = machine.on_demand.map(|price| price.checked_add(extra).unwrap());
        let total = |machine: InstanceType| {
            let answer = recommend(&workload, &[machine]);
            answer.best().map(|best| best.monthly.total.amount())
        };
        match (total(machine), total(dearer)) {
            (Some(before), Some(after)) => prop_assert!(after > before),
            (before, after) => prop_assert_eq!(before.is_some(), after.is_some()),
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn no_input_is_answered_with_a_panic(
        cpu in prop::collection::vec(prop::option::of(any::<f64>()), 0..600),
        wild in prop::collection::vec(0.0..100.0f64, 0..1500),
        minutes in 1u32..=1440,
        average in any::<f64>(),
        maximum in any::<f64>(),
        score in any::<f64>(),
        baseline in any::<f64>(),
    ) {
        let step = SampleStep::minutes(NonZeroU32::new(minutes).unwrap()).unwrap();
        let usages = [
            Usage::samples(step, cpu.iter().copied()),
            Usage::samples(step, wild.iter().map(|value| Some(*value))),
            Usage::histogram(step, wild.iter().map(|value| (*value, value.to_bits()))),
            Usage::average_and_maximum(average, maximum),
        ];
        let mut broken = machine("x.2x", 2, "0.1");
        broken.cpu_score = Some(score);
        broken.burst = Some(credits(baseline, 2.0, CreditMode::Standard));
        for usage in usages.into_iter().flatten() {
            for resource in [Resource::Cpu, Resource::Network] {
                let cpu = Usage::average_and_maximum(5.0, 10.0).unwrap();
                let workload = workload(cpu).with_usage(resource, usage.clone());
                let Ok(workload) = workload else { continue };
                let options = FitOptions::default();
                let scorer = CostUnderRisk::default();
                for machines in [family(), vec![broken.clone()]] {
                    let _answer = scorer.recommend(&workload, &machines, &options);
                }
            }
        }
    }
}

//! Plans from one machine to another.

use std::num::NonZeroU32;

use bursar_cost_model::instances::{
    Architecture, BurstCredits, CreditMode, EbsLimits, InstanceType, InterruptionFrequency,
    NetworkLimits, SpotMarket,
};
use bursar_cost_model::migration::{
    AddressSwitch, Checks, EndpointVerdict, MigrationError, MigrationPlan, MigrationTerms,
    Purchase, RiskKind, RiskLevel, RiskTolerance, StepKind,
};
use bursar_units::{Currency, Money};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn machine(name: &str, architecture: Architecture, vcpus: u32, memory_mib: u64) -> InstanceType {
    InstanceType::new(
        name,
        architecture,
        NonZeroU32::new(vcpus).unwrap(),
        memory_mib,
    )
}

/// As sold in us-east-1 in July 2026; limits from the EC2 User Guide.
fn m5_xlarge() -> InstanceType {
    let mut m5 = machine("m5.xlarge", Architecture::X86_64, 4, 16_384);
    m5.on_demand = Some(usd("0.192"));
    m5.network = Some(NetworkLimits {
        baseline_mbps: 1_250,
        burst_mbps: 10_000,
    });
    m5.ebs = Some(EbsLimits {
        baseline_mbps: 1_150,
        maximum_mbps: 4_750,
        baseline_iops: 6_000,
        maximum_iops: 18_750,
    });
    m5.cpu_score = Some(57_600.0);
    m5
}

fn t4g_medium() -> InstanceType {
    let mut t4g = machine("t4g.medium", Architecture::Arm64, 2, 4_096);
    t4g.on_demand = Some(usd("0.0336"));
    t4g.usable_memory_mib = Some(3_800);
    t4g.network = Some(NetworkLimits {
        baseline_mbps: 256,
        burst_mbps: 5_000,
    });
    t4g.ebs = Some(EbsLimits {
        baseline_mbps: 347,
        maximum_mbps: 2_085,
        baseline_iops: 2_000,
        maximum_iops: 11_800,
    });
    t4g.burst = Some(BurstCredits {
        baseline_percent: 20.0,
        credits_per_hour: 24.0,
        credit_cap: 576.0,
        default_mode: CreditMode::Unlimited,
        surplus_per_vcpu_hour: Some(usd("0.04")),
    });
    t4g.cpu_score = Some(40_000.0);
    t4g
}

fn kinds(plan: &MigrationPlan) -> Vec<RiskKind> {
    plan.risks.iter().map(|risk| risk.kind).collect()
}

fn level(plan: &MigrationPlan, kind: RiskKind) -> Option<RiskLevel> {
    let found = plan.risks.iter().find(|risk| risk.kind == kind);
    found.map(|risk| risk.level)
}

#[test]
fn a_move_to_a_smaller_machine_of_another_architecture_names_every_difference() {
    let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &MigrationTerms::default()).unwrap();
    // 730 × 0.192 = 140.16; 730 × 0.0336 = 24.528; 115.632 is 82.5 % of the first.
    assert_eq!(plan.cost.current_monthly, Some(usd("140.16")));
    assert_eq!(plan.cost.projected_monthly, Some(usd("24.528")));
    assert_eq!(plan.cost.monthly_saving, Some(usd("115.632")));
    assert_eq!(plan.cost.annual_saving, Some(usd("1387.584")));
    assert_eq!(plan.cost.saved_percent, Some(Decimal::new(825, 1)));
    assert_eq!(plan.vcpus.percent, Some(-50.0));
    assert_eq!(plan.memory_mib.percent, Some(-75.0));
    assert_eq!(
        kinds(&plan),
        [
            RiskKind::ArchitectureChange,
            RiskKind::LessMemory,
            RiskKind::FewerVcpus,
            RiskKind::SlowerCpu,
            RiskKind::LowerNetworkBaseline,
            RiskKind::LowerEbsBaseline,
            RiskKind::BurstableCredits,
        ]
    );
    assert!(plan.risks.iter().all(|risk| !risk.mitigation.is_empty()));
}

#[test]
fn the_way_back_has_no_risk_but_the_architecture_and_costs_more() {
    let plan = MigrationPlan::new(&t4g_medium(), &m5_xlarge(), &MigrationTerms::default()).unwrap();
    assert_eq!(kinds(&plan), [RiskKind::ArchitectureChange]);
    assert_eq!(plan.cost.monthly_saving, Some(usd("-115.632")));
    assert!(plan.to_text().contains("It adds USD 115.63 a month"));
}

#[test]
fn less_memory_weighs_by_what_was_in_use() {
    // Usable are 3,800 MiB; 3,800 / 1.3 = 2,923.
    for (peak, expected) in [
        (None, RiskLevel::Medium),
        (Some(2_900), RiskLevel::Low),
        (Some(2_924), RiskLevel::Medium),
        (Some(3_800), RiskLevel::High),
        (Some(u64::MAX), RiskLevel::High),
    ] {
        let terms = MigrationTerms {
            peak_memory_mib: peak,
            ..MigrationTerms::default()
        };
        let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &terms).unwrap();
        assert_eq!(
            level(&plan, RiskKind::LessMemory),
            Some(expected),
            "{peak:?}"
        );
    }
}

#[test]
fn a_limit_that_is_not_known_is_a_risk_that_says_so() {
    let mut target = machine("m7i.xlarge", Architecture::X86_64, 4, 16_384);
    target.ebs = m5_xlarge().ebs;
    let plan = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default()).unwrap();
    assert_eq!(kinds(&plan), [RiskKind::LowerNetworkBaseline]);
    let reason = &plan.risks[0].reason;
    assert_eq!(reason, "the network baseline of m7i.xlarge is not known");
}

#[test]
fn platforms_that_differ_are_told_by_the_name() {
    let limits = |mut machine: InstanceType| {
        machine.network = m5_xlarge().network;
        machine.ebs = m5_xlarge().ebs;
        machine
    };
    let i3 = limits(machine("i3.xlarge", Architecture::X86_64, 4, 31_232));
    let r5 = limits(machine("r5.xlarge", Architecture::X86_64, 4, 32_768));
    let plan = MigrationPlan::new(&i3, &r5, &MigrationTerms::default()).unwrap();
    assert_eq!(
        kinds(&plan),
        [RiskKind::InstanceStore, RiskKind::Hypervisor]
    );
    let linode = limits(machine("g6-standard-4", Architecture::X86_64, 4, 32_768));
    let plan = MigrationPlan::new(&i3, &linode, &MigrationTerms::default()).unwrap();
    assert_eq!(kinds(&plan), []);
}

#[test]
fn an_unknown_price_leaves_the_saving_unknown() {
    let mut target = t4g_medium();
    target.on_demand = None;
    let plan = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default()).unwrap();
    assert_eq!(plan.cost.current_monthly, Some(usd("140.16")));
    assert_eq!(plan.cost.projected_monthly, None);
    assert_eq!(plan.cost.monthly_saving, None);
    assert_eq!(plan.cost.annual_saving, None);
    assert_eq!(plan.cost.saved_percent, None);
    assert!(plan.to_markdown().contains("unknown"));
}

#[test]
fn what_was_stated_for_a_month_goes_before_list_prices() {
    let terms = MigrationTerms {
        current_monthly_cost: Some(usd("119.81")),
        projected_monthly_cost: Some(usd("30.00")),
        ..MigrationTerms::default()
    };
    let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &terms).unwrap();
    assert_eq!(plan.cost.monthly_saving, Some(usd("89.81")));
}

#[test]
fn a_spot_machine_costs_less_and_may_be_taken_back() {
    let mut target = t4g_medium();
    target.spot = Some(SpotMarket {
        saving_percent: 62,
        interruption: InterruptionFrequency::Over20,
    });
    let terms = MigrationTerms {
        target_purchase: Purchase::Spot,
        ..MigrationTerms::default()
    };
    let plan = MigrationPlan::new(&m5_xlarge(), &target, &terms).unwrap();
    // 730 × 0.0336 × 0.38.
    assert_eq!(plan.cost.projected_monthly, Some(usd("9.32064")));
    assert_eq!(
        level(&plan, RiskKind::SpotInterruption),
        Some(RiskLevel::High)
    );
    assert_eq!(plan.risks[0].kind, RiskKind::SpotInterruption);
}

#[test]
fn low_tolerance_moves_traffic_by_and_by() {
    let steps = |tolerance| {
        let terms = MigrationTerms {
            tolerance,
            ..MigrationTerms::default()
        };
        let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &terms).unwrap();
        plan.steps.iter().map(|step| step.kind).collect::<Vec<_>>()
    };
    let careful = steps(RiskTolerance::Low);
    assert_eq!(
        careful,
        [
            StepKind::Preflight,
            StepKind::PerformanceBaseline,
            StepKind::ImageBackup,
            StepKind::DataBackup,
            StepKind::TestInstance,
            StepKind::DeployAndConfigure,
            StepKind::VerifyPerformance,
            StepKind::Canary,
            StepKind::FinalDelta,
            StepKind::GradualShift,
            StepKind::SwitchAddress,
            StepKind::StopOld,
            StepKind::DeferredTermination,
            StepKind::Completion,
        ]
    );
    let mut usual = careful;
    usual.retain(|kind| !matches!(kind, StepKind::Canary | StepKind::GradualShift));
    assert_eq!(steps(RiskTolerance::Medium), usual);
    assert_eq!(steps(RiskTolerance::High), usual);
}

#[test]
fn steps_carry_the_numbers_of_the_checks_and_what_undoes_them() {
    let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &MigrationTerms::default()).unwrap();
    let text = plan
        .to_text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for said in [
        "wait 30 s, then ask for its health up to 10 times, 10 s apart",
        "call each endpoint 5 times: health 0.1 s, generate 2.0 s, chat 1.5 s",
        "within 1.5 × of what is expected",
        "100 % of the calls are answered",
        "terminate the old machine 24 h after its stop, unless that is cancelled",
        "launch a t4g.medium from a base image of arm64",
        "it serves rollback only",
        "Stop of the old machine (a person confirms)",
        "undo: allow writes on the old machine again",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let changes_nothing = [
        StepKind::Preflight,
        StepKind::PerformanceBaseline,
        StepKind::Completion,
    ];
    for step in &plan.steps {
        let undone = step.compensation.is_some();
        assert_eq!(
            undone,
            !changes_nothing.contains(&step.kind),
            "{:?}",
            step.kind
        );
    }
}

#[test]
fn an_image_starts_the_new_machine_only_on_its_own_architecture() {
    let m6i = machine("m6i.large", Architecture::X86_64, 2, 8_192);
    let plan = MigrationPlan::new(&m5_xlarge(), &m6i, &MigrationTerms::default()).unwrap();
    let text = plan.to_text();
    assert!(
        text.contains("launch a m6i.large from the image backup"),
        "{text}"
    );
}

#[test]
fn a_change_of_dns_waits_for_a_person() {
    let terms = MigrationTerms {
        switch: AddressSwitch::Dns,
        ..MigrationTerms::default()
    };
    let plan = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &terms).unwrap();
    let confirmed: Vec<StepKind> = plan
        .steps
        .iter()
        .filter(|step| step.confirmed_by_person)
        .map(|step| step.kind)
        .collect();
    assert_eq!(confirmed, [StepKind::SwitchAddress, StepKind::StopOld]);
}

#[test]
fn what_cannot_be_planned_is_a_typed_error() {
    let catalog = [m5_xlarge(), t4g_medium()];
    let plan = |current, target| {
        MigrationPlan::by_name(&catalog, current, target, &MigrationTerms::default())
    };
    assert!(plan("m5.xlarge", Some("t4g.medium")).is_ok());
    for (current, target, message) in [
        (
            "m9.huge",
            Some("t4g.medium"),
            "the catalog has no instance type `m9.huge`: check the name, or load a newer catalog",
        ),
        (
            "m5.xlarge",
            Some("m9.huge"),
            "the catalog has no instance type `m9.huge`: check the name, or load a newer catalog",
        ),
        (
            "m5.xlarge",
            None,
            "no instance type fits in place of `m5.xlarge`: allow more risk, or more architectures",
        ),
        (
            "m5.xlarge",
            Some("m5.xlarge"),
            "`m5.xlarge` is also the target: another way to pay for it needs no migration",
        ),
    ] {
        assert_eq!(plan(current, target).unwrap_err().to_string(), message);
    }
}

#[test]
fn prices_of_two_currencies_or_below_zero_are_refused() {
    let mut target = t4g_medium();
    target.on_demand = Some(Money::parse("0.03", Currency::EUR).unwrap());
    let error = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default());
    assert!(matches!(error, Err(MigrationError::Money(_))));
    target.on_demand = Some(usd("-0.01"));
    let error = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default());
    assert!(matches!(error, Err(MigrationError::NotAPrice { .. })));
}

#[test]
fn a_month_has_no_more_than_744_hours() {
    let terms = MigrationTerms {
        hours_per_month: 745,
        ..MigrationTerms::default()
    };
    let error = MigrationPlan::new(&m5_xlarge(), &t4g_medium(), &terms);
    assert_eq!(error, Err(MigrationError::Hours(745)));
}

#[test]
fn plans_can_be_shared_between_threads_and_their_errors_kept() {
    use bursar_cost_model::{capacity, storage};
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    shared::<MigrationPlan>();
    shared::<capacity::CapacityPlan>();
    shared::<capacity::Simulated>();
    shared::<storage::StoragePlan>();
    shared::<storage::ArchiveMachine>();
    error::<MigrationError>();
    error::<capacity::CapacityError>();
    error::<capacity::TraceError>();
    error::<storage::LifecycleError>();
    error::<storage::StorageError>();
}

#[test]
fn calls_that_were_not_made_do_not_pass() {
    let checks = Checks::default();
    let health = &checks.endpoints[0];
    assert_eq!(checks.judge(health, &[]), EndpointVerdict::Fail);
    assert_eq!(checks.judge(health, &[Some(1); 4]), EndpointVerdict::Fail);
    assert_eq!(checks.judge(health, &[Some(150); 5]), EndpointVerdict::Pass);
    assert_eq!(checks.judge(health, &[Some(151); 5]), EndpointVerdict::Warn);
    assert_eq!(
        checks.judge(health, &[Some(u32::MAX); 5]),
        EndpointVerdict::Warn
    );
}

#[test]
fn markdown_has_the_table_the_risks_and_the_steps() {
    let mut target = t4g_medium();
    target.name = "t4g|medium".into();
    let plan = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default()).unwrap();
    let markdown = plan.to_markdown();
    assert!(markdown.starts_with("# Migration: m5.xlarge to t4g\\|medium\n"));
    assert!(
        markdown.contains("| cost a month | USD 140.16 | USD 24.53 | USD -115.63 |"),
        "{markdown}"
    );
    assert!(markdown.contains("\n## Risks\n"));
    assert!(markdown.contains("\n7. Verify performance\n"));
}

#[cfg(feature = "serde")]
#[test]
fn json_has_amounts_as_strings_and_null_for_what_is_not_known() {
    let mut target = t4g_medium();
    target.on_demand = None;
    let plan = MigrationPlan::new(&m5_xlarge(), &target, &MigrationTerms::default()).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["cost"]["current_monthly"]["amount"], "140.160");
    assert_eq!(json["cost"]["projected_monthly"], serde_json::Value::Null);
    assert_eq!(json["risks"][0]["kind"], "architecture_change");
    assert_eq!(json["steps"][6]["kind"], "verify_performance");
    let terms: MigrationTerms = serde_json::from_value(json["terms"].clone()).unwrap();
    assert_eq!(terms, plan.terms);
    let empty: MigrationTerms = serde_json::from_str("{}").unwrap();
    assert_eq!(empty, MigrationTerms::default());
}

prop_compose! {
    fn any_machine()(
        arm in any::<bool>(),
        vcpus in 1_u32..500,
        memory in 1_u64..50_000_000,
        usable in proptest::option::of(1_u64..50_000_000),
        price in proptest::option::of(0_i64..1_000_000_000),
        network in proptest::option::of(any::<u32>()),
        score in proptest::option::of(any::<f64>()),
    ) -> InstanceType {
        let architecture = if arm { Architecture::Arm64 } else { Architecture::X86_64 };
        let mut machine = machine("any.large", architecture, vcpus, memory);
        machine.usable_memory_mib = usable;
        machine.on_demand = price.map(|p| Money::new(Decimal::new(p, 6), Currency::USD));
        machine.network = network.map(|mbps| NetworkLimits { baseline_mbps: mbps, burst_mbps: mbps });
        machine.cpu_score = score;
        machine
    }
}

proptest! {
    #[test]
    fn every_pair_of_machines_has_a_plan_that_adds_up(
        current in any_machine(),
        target in any_machine(),
        hours in 0_u32..=744,
        peak in proptest::option::of(any::<u64>()),
    ) {
        let mut target = target;
        target.name = "other.large".into();
        let terms = MigrationTerms { hours_per_month: hours, peak_memory_mib: peak, ..MigrationTerms::default() };
        let plan = MigrationPlan::new(&current, &target, &terms).unwrap();
        let known = current.on_demand.is_some() && target.on_demand.is_some();
        prop_assert_eq!(plan.cost.monthly_saving.is_some(), known);
        if let (Some(saving), Some(after)) = (plan.cost.monthly_saving, plan.cost.projected_monthly) {
            prop_assert_eq!(saving.checked_add(after).unwrap(), plan.cost.current_monthly.unwrap());
            prop_assert_eq!(saving.checked_mul(Decimal::from(12)).unwrap(), plan.cost.annual_saving.unwrap());
        }
        prop_assert!(plan.risks.windows(2).all(|pair| pair[0].level >= pair[1].level));
        let has = |kind| plan.risks.iter().any(|risk| risk.kind == kind);
        prop_assert_eq!(has(RiskKind::ArchitectureChange), current.architecture != target.architecture);
        prop_assert_eq!(has(RiskKind::LessMemory), target.memory_mib < current.memory_mib);
        prop_assert_eq!(has(RiskKind::FewerVcpus), target.vcpus < current.vcpus);
        prop_assert!(!plan.to_text().is_empty() && !plan.to_markdown().is_empty());
    }
}

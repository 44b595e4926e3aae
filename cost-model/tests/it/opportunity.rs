//! Are savings found by the stated rules, with the numbers, and never counted twice?

use bursar_cost_model::{
    ChargeCategory, Column, ComputeFamily, CostRecord, Estimate, ExactSum, Gp3Change,
    InstanceMeasurement, ModelChoice, NotAdvisedCause, Opportunities, Opportunity,
    OpportunityError, OpportunityInputs, OpportunityKind, OpportunityScan, Percent, ScanOptions,
    Standing, Thresholds, Utilization, VolumeInventory, VolumePerformance, VolumePrices,
    VolumeType,
};
use bursar_units::Currency;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const EC2: &str = "Amazon Elastic Compute Cloud";
const EBS: &str = "Amazon Elastic Block Store";
const VPC: &str = "Amazon Virtual Private Cloud";
const ELB: &str = "Elastic Load Balancing";
const BEDROCK: &str = "Amazon Bedrock";

fn row(service: &str, meter: &str, resource: &str, cost: &str) -> CostRecord<'static> {
    let mut record = CostRecord::new(Currency::USD);
    record.charge_category = Some(ChargeCategory::Usage);
    record.charge_period.start = Some("2026-10-01T00:00:00Z".parse().unwrap());
    record.charge_period.end = Some("2026-11-01T00:00:00Z".parse().unwrap());
    record.effective_cost = Some(cost.parse().unwrap());
    record.billed_cost = record.effective_cost;
    record.list_cost = record.effective_cost;
    record.set(Column::ServiceName, service.to_owned());
    record.set(Column::SkuMeter, meter.to_owned());
    record.set(Column::RegionId, "us-east-1");
    if !resource.is_empty() {
        record.set(Column::ResourceId, resource.to_owned());
    }
    record
}

fn volume(meter: &str, resource: &str, gb: &str, cost: &str) -> CostRecord<'static> {
    let mut record = row(EBS, meter, resource, cost);
    record.pricing_quantity = Some(gb.parse().unwrap());
    record
}

fn october() -> OpportunityInputs {
    OpportunityInputs::new("2026-10".parse().unwrap())
}

fn scan(rows: &[CostRecord<'_>]) -> OpportunityScan {
    let mut scan = OpportunityScan::new(ScanOptions::new(Currency::USD));
    for row in rows {
        scan.add(row).unwrap();
    }
    scan
}

fn find(rows: &[CostRecord<'_>], inputs: &OpportunityInputs) -> Opportunities {
    scan(rows).finish(inputs).unwrap()
}

fn of(opportunities: &Opportunities, kind: OpportunityKind) -> Option<&Opportunity> {
    opportunities.found.iter().find(|o| o.kind == kind)
}

fn saving(opportunities: &Opportunities, kind: OpportunityKind) -> Option<String> {
    let saving = of(opportunities, kind)?.monthly_saving.as_ref()?;
    Some(saving.rounded(2).to_string())
}

fn measured(instance_type: &str, average: f64, hours: u32) -> InstanceMeasurement {
    let percent = |value| Percent::new(value).unwrap();
    let utilization = Utilization::new(percent(average), percent(90.0), hours).unwrap();
    InstanceMeasurement::new(instance_type, utilization)
}

fn reference_month() -> Vec<CostRecord<'static>> {
    vec![
        row(EC2, "BoxUsage:t3.xlarge", "i-1", "119.81"),
        row(BEDROCK, "Claude-input-tokens", "", "68.54"),
        volume("EBS:VolumeUsage.gp3", "vol-1", "100", "8.00"),
        row(VPC, "PublicIPv4:InUseAddress", "eni-1", "3.99"),
    ]
}

#[test]
fn the_reference_month_saves_35_94_on_ec2_and_nothing_on_ebs() {
    let found = find(&reference_month(), &october());
    let smaller = of(&found, OpportunityKind::SmallerInstances).unwrap();
    assert_eq!(
        smaller.monthly_saving.as_ref().unwrap().to_string(),
        "35.943"
    );
    assert_eq!(smaller.standing, Standing::Counted);
    let Estimate::RuleOfThumb { rate } = smaller.estimate else {
        panic!("{:?}", smaller.estimate);
    };
    assert_eq!(rate, "0.30".parse().unwrap());
    assert!(smaller.reason.contains("USD 119.81"), "{}", smaller.reason);
    assert!(smaller.reason.contains("only if"), "{}", smaller.reason);

    assert!(of(&found, OpportunityKind::VolumeSpend).is_none());
    let ebs = |n: &&bursar_cost_model::NotAdvised| n.kind == OpportunityKind::VolumeSpend;
    let ebs = found.not_advised.iter().find(ebs).unwrap();
    assert_eq!(ebs.cause, NotAdvisedCause::ConditionNotMet);
    assert_eq!(
        ebs.reason,
        "block volumes cost USD 8.00 a month; savings are looked for above USD 10.00"
    );

    // What can be batched is not known, so nothing is made up for Bedrock.
    let batch = of(&found, OpportunityKind::LlmBatch).unwrap();
    assert_eq!(batch.monthly_saving, None);
    assert_eq!(batch.standing, Standing::SavingUnknown);
    assert_eq!(batch.monthly_cost.to_string(), "68.54");

    assert_eq!(found.total().rounded(2).to_string(), "35.94");
    assert_ne!(found.total().rounded(2).to_string(), "139.44");
    assert_eq!(found.touched_cost().to_string(), "119.81");
}

#[test]
fn objects_that_are_seldom_read_cost_less_in_another_class() {
    let s3 = "Amazon Simple Storage Service";
    let rows = [
        row(s3, "TimedStorage-ByteHrs", "logs", "80"),
        row(s3, "TimedStorage-ByteHrs", "photos", "20"),
        row(s3, "TimedStorage-SIA-ByteHrs", "archive", "30"),
        row(s3, "Requests-Tier1", "logs", "7"),
    ];
    let found = find(&rows, &october());
    let unknown = of(&found, OpportunityKind::ObjectLifecycle).unwrap();
    assert_eq!(unknown.monthly_cost.to_string(), "100");
    assert_eq!(unknown.monthly_saving, None);
    assert_eq!(unknown.standing, Standing::SavingUnknown);
    assert!(
        unknown.reason.contains("USD 100.00 a month"),
        "{}",
        unknown.reason
    );
    assert!(found.total().is_zero());

    let mut inputs = october();
    inputs.seldom_read_share = Some(Percent::new(60.0).unwrap());
    let found = find(&rows, &inputs);
    let known = of(&found, OpportunityKind::ObjectLifecycle).unwrap();
    // 100 × 60 % × 45 %.
    assert_eq!(known.monthly_saving.as_ref().unwrap().to_string(), "27");
    assert_eq!(known.resources[0].id, "logs");
    assert_eq!(found.total().to_string(), "27");
    let rate = "0.45".parse().unwrap();
    assert_eq!(known.estimate, Estimate::RuleOfThumb { rate });
}

#[test]
fn the_thresholds_are_exceeded_and_not_only_met() {
    for (ec2, ebs, kinds) in [
        ("50", "10", vec![]),
        ("50.01", "10", vec![OpportunityKind::SmallerInstances]),
        ("50", "10.01", vec![OpportunityKind::VolumeSpend]),
    ] {
        let rows = [
            row(EC2, "BoxUsage:m5.large", "", ec2),
            row(EBS, "EBS:VolumeUsage.gp3", "", ebs),
        ];
        let found = find(&rows, &october());
        let names: Vec<_> = found.found.iter().map(|o| o.kind).collect();
        assert_eq!(names, kinds, "{ec2} {ebs}");
    }
}

#[test]
fn another_currency_has_no_threshold_until_one_is_given() {
    let mut euros = row(EC2, "BoxUsage:m5.large", "i-1", "119.81");
    euros.billing_currency = Currency::EUR;
    let mut scan = OpportunityScan::new(ScanOptions::new(Currency::EUR));
    scan.add(&euros).unwrap();
    scan.add(&row(EC2, "BoxUsage:m5.large", "i-2", "500"))
        .unwrap();
    let mut inputs = october();
    let found = scan.finish(&inputs).unwrap();
    assert!(found.found.is_empty());
    let note = &found.not_advised[0];
    assert_eq!(note.cause, NotAdvisedCause::NotEvaluated);
    assert!(
        note.reason.contains("no threshold in EUR"),
        "{}",
        note.reason
    );
    assert_eq!(found.left_out.rows_in_other_currencies[&Currency::USD], 1);

    inputs.thresholds = Some(Thresholds {
        compute: 45.into(),
        volumes: 9.into(),
    });
    let found = scan.finish(&inputs).unwrap();
    assert_eq!(found.total().to_string(), "35.943");
}

#[test]
fn measured_machines_are_advised_by_their_side() {
    let rows = [
        row(
            EC2,
            "BoxUsage:m5.large",
            "arn:aws:ec2:us-east-1:1:instance/i-idle",
            "100",
        ),
        row(EC2, "BoxUsage:m5.large", "i-good", "100"),
        row(EC2, "BoxUsage:m5.large", "i-busy", "100"),
        row(EC2, "BoxUsage:m5.large", "i-fitted", "100"),
        row(EC2, "BoxUsage:m5.large", "i-short", "100"),
        row(EC2, "BoxUsage:m5.large", "i-dark", "100"),
    ];
    let mut inputs = october();
    let mut fitted = measured("m5.large", 1.0, 336);
    fitted.target_monthly_cost = Some("40".parse().unwrap());
    inputs.instances = [
        ("i-idle", measured("m5.large", 2.0, 336)),
        ("i-good", measured("m5.large", 50.0, 336)),
        ("i-busy", measured("m5.large", 89.0, 336)),
        ("i-fitted", fitted),
        // A week is enough to score it, and not to advise on it.
        ("i-short", measured("m5.large", 2.0, 168)),
        ("i-not-in-the-bill", measured("m5.large", 2.0, 336)),
    ]
    .map(|(id, m)| (id.to_owned(), m))
    .into();
    let found = find(&rows, &inputs);

    let smaller: Vec<&Opportunity> = found
        .found
        .iter()
        .filter(|o| o.kind == OpportunityKind::SmallerInstances)
        .collect();
    let [fit, thumb] = smaller[..] else {
        panic!("{smaller:?}");
    };
    assert_eq!(fit.estimate, Estimate::Computed);
    assert_eq!(fit.resources[0].id, "i-fitted");
    assert_eq!(fit.monthly_saving, Some("60".parse().unwrap()));
    assert_eq!(thumb.resources.len(), 1);
    assert_eq!(thumb.monthly_saving, Some("30".parse().unwrap()));
    let action = thumb.resources[0].action.as_ref().unwrap();
    assert!(action.contains("m5.large at 2.0 % CPU"), "{action}");
    assert!(
        thumb
            .reason
            .contains("USD 200.00 a month is of instances that were not")
    );

    let larger = of(&found, OpportunityKind::LargerInstances).unwrap();
    assert_eq!(larger.resources[0].id, "i-busy");
    assert_eq!(larger.monthly_saving, Some("-100".parse().unwrap()));
    assert_eq!(larger.standing, Standing::CostsMore);
    assert_eq!(found.total().to_string(), "90");
}

#[test]
fn what_a_commitment_covers_is_freed_and_not_saved() {
    let mut covered = row(EC2, "BoxUsage:m5.large", "i-1", "70");
    covered.set(Column::CommitmentDiscountStatus, "Used");
    let rows = [covered, row(EC2, "BoxUsage:m5.large", "i-1", "30")];
    let mut inputs = october();
    inputs
        .instances
        .insert("i-1".to_owned(), measured("m5.large", 2.0, 336));
    let found = find(&rows, &inputs);
    assert_eq!(
        saving(&found, OpportunityKind::SmallerInstances).unwrap(),
        "9.00"
    );
    let reason = &of(&found, OpportunityKind::SmallerInstances)
        .unwrap()
        .reason;
    assert!(reason.contains("USD 70.00 more is covered"), "{reason}");
}

#[test]
fn gp3_at_equal_performance_saves_what_the_prices_say() {
    for (size, iops, throughput, percent) in [
        (100, 3_000, 128, 19),
        (334, 3_000, 250, 5),
        (500, 3_000, 250, 10),
        (1_000, 3_000, 250, 15),
        (2_000, 6_000, 250, 10),
        (5_334, 16_000, 250, 7),
        // Above 170 GiB the throughput costs more than the gigabytes save.
        (171, 3_000, 250, -9),
    ] {
        let kept = VolumePerformance::of_gp2(size);
        assert_eq!((kept.iops, kept.throughput), (iops, throughput), "{size}");
        let change = Gp3Change::new(size, kept, &VolumePrices::us_east_1()).unwrap();
        let saved = change.before.minus(&change.after).unwrap().to_f64();
        let share = (100.0 * saved / change.before.to_f64()).round();
        assert_eq!(share, f64::from(percent), "{size}: {change:?}");
    }
}

#[test]
fn gp2_volumes_of_a_bill_state_what_they_keep() {
    let mut mumbai = volume("APS3-EBS:VolumeUsage.gp2", "vol-m", "100", "11.40");
    mumbai.set(Column::RegionId, "ap-south-1");
    let rows = [
        volume("EBS:VolumeUsage.gp2", "vol-500", "500", "50"),
        volume("EBS:VolumeUsage.gp2", "vol-200", "200", "20"),
        volume("EBS:VolumeUsage.gp2", "", "100", "10"),
        mumbai,
    ];
    let found = find(&rows, &october());
    let gp3 = of(&found, OpportunityKind::Gp2ToGp3).unwrap();
    assert_eq!(gp3.monthly_saving, Some("5".parse().unwrap()));
    assert_eq!(gp3.resources.len(), 1);
    assert_eq!(
        gp3.resources[0].action.as_deref(),
        Some("500 GiB by its GB-months to gp3 with 3000 IOPS and 250 MB/s")
    );
    let notes: Vec<&str> = found
        .not_advised
        .iter()
        .filter(|n| n.kind == OpportunityKind::Gp2ToGp3)
        .map(|n| &*n.reason)
        .collect();
    assert!(notes[0].starts_with("USD 21.40 a month of gp2 volumes is on rows without"));
    assert!(notes[1].starts_with("USD 20.00 a month of gp2 volumes costs no less"));

    // The 20 % on all volumes are more on every one, so gp3 is its alternative.
    assert_eq!(gp3.standing, Standing::Alternative);
    assert_eq!(found.total().to_string(), "18.28");
    assert_eq!(found.alternatives().count(), 1);

    // A volume that needs no more than gp3 includes saves a fifth.
    let mut inputs = october();
    let mut modest = VolumeInventory::new(VolumeType::Gp2, 200);
    modest.performance = Some(VolumePerformance::GP3_INCLUDED);
    inputs.volumes.insert("vol-200".to_owned(), modest);
    let found = find(&rows, &inputs);
    assert_eq!(saving(&found, OpportunityKind::Gp2ToGp3).unwrap(), "9.00");
}

#[test]
fn a_deleted_volume_is_not_also_made_smaller() {
    let rows = [
        volume("EBS:VolumeUsage.gp2", "vol-gone", "100", "10"),
        volume("EBS:VolumeUsage.gp3", "vol-used", "500", "40"),
    ];
    let mut inputs = october();
    let mut detached = VolumeInventory::new(VolumeType::Gp2, 100);
    detached.attached = Some(false);
    inputs.volumes.insert("vol-gone".to_owned(), detached);
    let found = find(&rows, &inputs);
    assert_eq!(
        saving(&found, OpportunityKind::UnattachedVolumes).unwrap(),
        "10.00"
    );
    assert_eq!(
        saving(&found, OpportunityKind::VolumeSpend).unwrap(),
        "10.00"
    );
    assert_eq!(saving(&found, OpportunityKind::Gp2ToGp3).unwrap(), "1.88");
    // 10 for the volume that goes, and a fifth of the 40 that stay.
    assert_eq!(found.total().to_string(), "18");
    let spend = of(&found, OpportunityKind::VolumeSpend).unwrap();
    assert_eq!(spend.standing, Standing::PartlyCounted);
    assert_eq!(spend.counted_saving.to_string(), "8");
}

#[test]
fn finds_what_is_idle() {
    let mut used = row(ELB, "LCUUsage", "lb-used", "1");
    used.pricing_quantity = Some("3.5".parse().unwrap());
    let mut unused = row(ELB, "LCUUsage", "lb-idle", "0");
    unused.pricing_quantity = Some("0".parse().unwrap());
    let rows = [
        row(VPC, "PublicIPv4:IdleAddress", "eip-1", "3.60"),
        row(EC2, "ElasticIP:IdleAddress", "", "1.40"),
        row(ELB, "LoadBalancerUsage", "lb-used", "16.20"),
        row(ELB, "LoadBalancerUsage", "lb-idle", "16.20"),
        row(ELB, "LoadBalancerUsage", "", "16.20"),
        used,
        unused,
        row(EBS, "EBS:SnapshotUsage", "snap-1", "2.50"),
        row(EBS, "EBS:SnapshotUsage", "snap-2", "1.50"),
    ];
    let mut inputs = october();
    let found = find(&rows, &inputs);
    assert_eq!(
        saving(&found, OpportunityKind::IdleAddresses).unwrap(),
        "5.00"
    );
    let balancers = of(&found, OpportunityKind::IdleLoadBalancers).unwrap();
    assert_eq!(balancers.resources.len(), 1);
    assert_eq!(balancers.resources[0].id, "lb-idle");
    assert!(
        balancers
            .reason
            .starts_with("1 load balancer at USD 16.20 a month is billed")
    );
    let note = found
        .not_advised
        .iter()
        .find(|n| n.kind == balancers.kind)
        .unwrap();
    assert!(
        note.reason
            .starts_with("USD 16.20 a month of load balancers is on rows")
    );
    let snapshots = of(&found, OpportunityKind::Snapshots).unwrap();
    assert_eq!(snapshots.standing, Standing::SavingUnknown);
    assert_eq!(snapshots.monthly_cost.to_string(), "4");
    assert_eq!(found.total().to_string(), "21.2");

    inputs.unneeded_snapshots.insert("snap-2".to_owned());
    let found = find(&rows, &inputs);
    assert_eq!(saving(&found, OpportunityKind::Snapshots).unwrap(), "1.50");
    assert_eq!(found.total().to_string(), "22.7");
}

#[test]
fn model_calls_save_what_can_wait_or_move_and_never_both() {
    let rows = [
        row(BEDROCK, "Claude-input-tokens", "", "80"),
        row(BEDROCK, "Claude-input-tokens-batch", "", "20"),
    ];
    let mut inputs = october();
    inputs.batchable_share = Some(Percent::new(50.0).unwrap());
    let found = find(&rows, &inputs);
    assert_eq!(saving(&found, OpportunityKind::LlmBatch).unwrap(), "20.00");

    inputs.model_choice = Some(ModelChoice {
        movable_share: Percent::new(60.0).unwrap(),
        remaining_cost: Percent::new(10.0).unwrap(),
    });
    let found = find(&rows, &inputs);
    // 60 % of 100 at 90 % less.
    assert_eq!(
        saving(&found, OpportunityKind::LlmModelChoice).unwrap(),
        "54.00"
    );
    assert_eq!(found.total().to_string(), "54");
    let batch = of(&found, OpportunityKind::LlmBatch).unwrap();
    assert_eq!(batch.standing, Standing::Alternative);
}

/// 720 hours of one machine and 300 of another, 1 USD each at list price, and a commitment that
/// costs 63 USD for what lists at 100, beside 7 that nothing used.
fn committed_september(step: SignedDuration) -> Vec<CostRecord<'static>> {
    let start: Timestamp = "2026-09-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    let at = |mut record: CostRecord<'static>, from: Timestamp, step: SignedDuration| {
        record.charge_period.start = Some(from);
        record.charge_period.end = Some(from + step);
        record
    };
    let mut rows = Vec::new();
    let hours = step.as_hours();
    let mut hour = 0;
    while hour < 720 {
        let from = start + SignedDuration::from_hours(hour);
        let always = row(EC2, "BoxUsage:m5.large", "i-always", &hours.to_string());
        rows.push(at(always, from, step));
        if hour < 300 {
            let hours = hours.min(300 - hour);
            let often = row(EC2, "BoxUsage:m5.large", "i-often", &hours.to_string());
            rows.push(at(often, from, step));
        }
        hour += hours;
    }
    let mut used = row(EC2, "BoxUsage:m5.large", "i-covered", "63");
    used.list_cost = Some("100".parse().unwrap());
    used.set(Column::CommitmentDiscountStatus, "Used");
    let mut unused = row(EC2, "BoxUsage:m5.large", "sp-1", "7");
    unused.list_cost = Some("0".parse().unwrap());
    unused.set(Column::CommitmentDiscountStatus, "Unused");
    rows.push(at(used, start, end.duration_since(start)));
    rows.push(at(unused, start, end.duration_since(start)));
    rows
}

#[test]
fn a_commitment_is_computed_from_the_rate_and_the_hours_of_the_bill() {
    let kind = OpportunityKind::Commitment(ComputeFamily::Ec2);
    let mut inputs = OpportunityInputs::new("2026-09".parse().unwrap());
    inputs.thresholds = Some(Thresholds {
        compute: 10_000.into(),
        volumes: 10.into(),
    });
    for hours in [1, 24] {
        let rows = committed_september(SignedDuration::from_hours(hours));
        let found = find(&rows, &inputs);
        // 720 hours at 0.37; the second machine runs 42 % of the time, less than 63 %.
        assert_eq!(saving(&found, kind).unwrap(), "266.40", "{hours}");
        assert_eq!(found.total().rounded(2).to_string(), "266.40");
        let reason = &of(&found, kind).unwrap().reason;
        for part in [
            "USD 1,020.00",
            "8.9 % of all its use",
            "63.0 % of the list price",
            "more than 63.0 % of the time",
        ] {
            assert!(reason.contains(part), "{part}: {reason}");
        }
        let unused = of(
            &found,
            OpportunityKind::UnusedCommitment(ComputeFamily::Ec2),
        )
        .unwrap();
        assert_eq!(unused.monthly_cost.to_string(), "7");
        assert!(
            unused
                .reason
                .contains("90.0 % of what is committed to was used"),
            "{}",
            unused.reason
        );
        assert_eq!(unused.standing, Standing::SavingUnknown);
    }

    // Smaller machines and a commitment claim the same spend: the larger saving is counted.
    inputs.thresholds = None;
    let found = find(&committed_september(SignedDuration::from_hours(1)), &inputs);
    assert_eq!(
        saving(&found, OpportunityKind::SmallerInstances).unwrap(),
        "306.00"
    );
    assert_eq!(of(&found, kind).unwrap().standing, Standing::Alternative);
    assert_eq!(found.total().to_string(), "306");

    // An offer goes before the rate of the bill.
    inputs
        .commitment_offers
        .insert(ComputeFamily::Ec2, Percent::new(40.0).unwrap());
    let found = find(&committed_september(SignedDuration::from_hours(1)), &inputs);
    // 300 ÷ 720 is above 40 %: 1020 − 0.4 × 2 × 720.
    assert_eq!(saving(&found, kind).unwrap(), "444.00");
    assert_eq!(found.total().to_string(), "444");
}

#[test]
fn a_covered_row_at_no_cost_shows_no_rate() {
    // Met in anonymized exports: the amortized cost of covered rows is zero.
    let mut covered = row(EC2, "BoxUsage:m5.large", "i-1", "0");
    covered.list_cost = Some("10".parse().unwrap());
    covered.set(Column::CommitmentDiscountStatus, "Used");
    let on_demand = row(EC2, "BoxUsage:m5.large", "i-2", "100");
    let found = find(&[covered, on_demand], &october());
    let kind = OpportunityKind::Commitment(ComputeFamily::Ec2);
    assert_eq!(of(&found, kind), None);
    let not_advised = found.not_advised.iter().find(|n| n.kind == kind).unwrap();
    assert_eq!(not_advised.cause, NotAdvisedCause::NotEvaluated);
}

#[test]
fn the_unused_part_of_a_commitment_counts_also_where_it_is_a_fee() {
    for category in [ChargeCategory::Usage, ChargeCategory::Purchase] {
        let mut unused = row(EC2, "HeavyUsage:m5.large", "", "25");
        unused.charge_category = Some(category);
        unused.set(Column::CommitmentDiscountStatus, "Unused");
        let found = find(&[unused], &october());
        let kind = OpportunityKind::UnusedCommitment(ComputeFamily::Ec2);
        let opportunity = of(&found, kind).unwrap_or_else(|| panic!("{category}: {found:?}"));
        assert_eq!(opportunity.monthly_cost.to_string(), "25", "{category}");
    }
}

#[test]
fn no_commitment_is_advised_at_an_invented_rate() {
    let found = find(&reference_month(), &october());
    let kind = OpportunityKind::Commitment(ComputeFamily::Ec2);
    assert!(of(&found, kind).is_none());
    let note = found.not_advised.iter().find(|n| n.kind == kind).unwrap();
    assert_eq!(note.cause, NotAdvisedCause::NotEvaluated);
    assert!(note.reason.contains("state an offer"), "{}", note.reason);
}

#[test]
fn a_window_of_days_is_scaled_to_a_month() {
    let mut inputs = OpportunityInputs::new("2026-10-01..2026-10-11".parse().unwrap());
    let rows = [row(VPC, "PublicIPv4:IdleAddress", "eip-1", "1.20")];
    // 1.20 × 30.4375 ÷ 10.
    assert_eq!(find(&rows, &inputs).total().to_string(), "3.6525");
    inputs.window = "2026-10-01..2026-12-01".parse().unwrap();
    assert_eq!(find(&rows, &inputs).total().to_string(), "0.6");

    inputs.window = "2026-11".parse().unwrap();
    assert!(matches!(
        scan(&rows).finish(&inputs),
        Err(OpportunityError::OutsideWindow { .. })
    ));
}

#[test]
fn leaves_out_what_is_no_usage_and_says_so() {
    let mut tax = row(VPC, "PublicIPv4:IdleAddress", "eip-1", "100");
    tax.charge_category = Some(ChargeCategory::Tax);
    let mut corrected = row(VPC, "PublicIPv4:IdleAddress", "eip-1", "-100");
    corrected.set(Column::ChargeClass, "Correction");
    let mut unknown = row(VPC, "PublicIPv4:IdleAddress", "eip-1", "1");
    (unknown.effective_cost, unknown.billed_cost) = (None, None);
    let mut billed = row(VPC, "PublicIPv4:IdleAddress", "eip-1", "2");
    billed.effective_cost = None;
    let found = find(&[tax, corrected, unknown, billed], &october());
    assert_eq!(found.total().to_string(), "2");
    assert_eq!(found.left_out.corrections, 1);
    assert_eq!(found.left_out.rows_without_cost, 1);
    assert!(!found.left_out.resources_cut);
}

#[test]
fn lists_the_dearest_and_counts_the_others() {
    let rows: Vec<_> = (1..=9)
        .map(|n| {
            row(
                VPC,
                "PublicIPv4:IdleAddress",
                &format!("eip-{n}"),
                &n.to_string(),
            )
        })
        .collect();
    let mut inputs = october();
    inputs.max_listed = 2;
    let found = find(&rows, &inputs);
    let ids: Vec<&str> = found.found[0].resources.iter().map(|r| &*r.id).collect();
    assert_eq!(ids, ["eip-9", "eip-8"]);
    assert_eq!(found.found[0].resources_not_listed, 7);
    assert_eq!(found.found[0].monthly_cost.to_string(), "45");
}

#[test]
fn refuses_to_merge_two_currencies() {
    let mut dollars = scan(&[]);
    let euros = OpportunityScan::new(ScanOptions::new(Currency::EUR));
    assert!(matches!(
        dollars.merge(euros),
        Err(OpportunityError::OtherCurrency { .. })
    ));
}

#[cfg(feature = "serde")]
#[test]
fn amounts_are_written_as_text() {
    let json = serde_json::to_value(find(&reference_month(), &october())).unwrap();
    assert_eq!(json["total"], "35.943");
    assert_eq!(json["found"][0]["kind"], "smaller-instances");
    assert_eq!(
        json["found"][0]["estimate"]["rule-of-thumb"]["rate"],
        "0.30"
    );
    assert_eq!(json["found"][0]["standing"], "counted");
}

/// A bill of any rows, often with a machine that runs on demand every day.
fn any_bill() -> impl Strategy<Value = Vec<CostRecord<'static>>> {
    let daily = |cents: u32| {
        let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let day = move |day: i64| {
            let mut record = row(EC2, "BoxUsage:m5.large", "i-0", &format!("{cents}e-2"));
            let start = start + SignedDuration::from_hours(24 * day);
            record.charge_period.start = Some(start);
            record.charge_period.end = Some(start + SignedDuration::from_hours(24));
            record
        };
        (0..31).map(day).collect::<Vec<_>>()
    };
    let any = prop::collection::vec(any_row(), 0..60);
    (prop::option::of(0..10_000u32), any).prop_map(move |(cents, mut rows)| {
        rows.extend(cents.map(daily).unwrap_or_default());
        rows
    })
}

/// One of the meters that a rule concerns.
fn any_row() -> impl Strategy<Value = CostRecord<'static>> {
    type Parts = (
        (&'static str, &'static str, &'static str),
        Option<u8>,
        u32,
        u32,
        i64,
        bool,
    );
    let meters = [
        (EC2, "BoxUsage:m5.large", "i"),
        (EC2, "SpotUsage:m5.large", "i"),
        (EBS, "EBS:VolumeUsage.gp2", "vol"),
        (EBS, "EBS:VolumeUsage.gp3", "vol"),
        (EBS, "EBS:VolumeP-IOPS.gp3", "vol"),
        (EBS, "EBS:SnapshotUsage", "snap"),
        (VPC, "PublicIPv4:IdleAddress", "eip"),
        (ELB, "LoadBalancerUsage", "lb"),
        (ELB, "LCUUsage", "lb"),
        (BEDROCK, "input-tokens", "model"),
        (BEDROCK, "input-tokens-batch", "model"),
        ("Amazon S3", "TimedStorage-ByteHrs", "bucket"),
    ];
    let row = |((service, meter, prefix), id, cents, gb, day, covered): Parts| {
        let id = id.map_or(String::new(), |n| format!("{prefix}-{n}"));
        let mut record = row(service, meter, &id, &format!("{cents}e-2"));
        record.pricing_quantity = Some(i64::from(gb).into());
        let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let start = start + SignedDuration::from_hours(24 * day);
        record.charge_period.start = Some(start);
        record.charge_period.end = Some(start + SignedDuration::from_hours(24));
        if covered {
            record.set(Column::CommitmentDiscountStatus, "Used");
            record.list_cost = Some(format!("{}e-3", u64::from(cents) * 16).parse().unwrap());
        } else if meter.starts_with("Spot") {
            record.set(Column::PricingCategory, "Dynamic");
        }
        record
    };
    (
        prop::sample::select(meters.to_vec()),
        prop::option::weighted(0.8, 0..6u8),
        0..20_000u32,
        0..2_000u32,
        0..31i64,
        prop::bool::weighted(0.2),
    )
        .prop_map(row)
}

fn any_inputs() -> impl Strategy<Value = OpportunityInputs> {
    (
        prop::collection::btree_map(0..6u8, (0.0..=90.0f64, prop::option::of(0..200i64)), 0..6),
        prop::collection::btree_map(0..6u8, (1..4_000u32, prop::option::of(any::<bool>())), 0..6),
        prop::collection::btree_set(0..6u8, 0..3),
        prop::option::of(0.0..=100.0f64),
        prop::option::of((0.0..=100.0f64, 0.0..=100.0f64)),
        prop::option::of(0.0..=100.0f64),
    )
        .prop_map(
            |(instances, volumes, snapshots, batchable, choice, offer)| {
                let percent = |value: f64| Percent::new(value).unwrap();
                let mut inputs = october();
                for (n, (average, target)) in instances {
                    let mut machine = measured("m5.large", average, 400);
                    machine.target_monthly_cost = target.map(Into::into);
                    inputs.instances.insert(format!("i-{n}"), machine);
                }
                for (n, (size, attached)) in volumes {
                    let mut volume = VolumeInventory::new(VolumeType::Gp2, size);
                    volume.attached = attached;
                    inputs.volumes.insert(format!("vol-{n}"), volume);
                }
                inputs.unneeded_snapshots = snapshots.iter().map(|n| format!("snap-{n}")).collect();
                inputs.batchable_share = batchable.map(percent);
                inputs.model_choice = choice.map(|(movable, remaining)| ModelChoice {
                    movable_share: percent(movable),
                    remaining_cost: percent(remaining),
                });
                if let Some(offer) = offer {
                    inputs
                        .commitment_offers
                        .insert(ComputeFamily::Ec2, percent(offer));
                }
                inputs
            },
        )
}

fn sum<'a>(amounts: impl Iterator<Item = &'a ExactSum>) -> ExactSum {
    let mut sum = ExactSum::ZERO;
    for amount in amounts {
        sum.add_sum(amount).unwrap();
    }
    sum
}

proptest! {
    #[test]
    fn no_spend_is_saved_twice(
        rows in any_bill(),
        inputs in any_inputs(),
    ) {
        let found = find(&rows, &inputs);
        let spend = ExactSum::of(rows.iter().filter_map(|r| r.effective_cost)).unwrap();
        prop_assert!(found.total() <= found.touched_cost());
        prop_assert!(found.touched_cost() <= &spend);
        prop_assert_eq!(&sum(found.found.iter().map(|o| &o.counted_saving)), found.total());
        for opportunity in &found.found {
            let Some(saving) = &opportunity.monthly_saving else {
                prop_assert!(opportunity.counted_saving.is_zero());
                continue;
            };
            prop_assert!(saving <= &opportunity.monthly_cost, "{:?}", opportunity);
            prop_assert!(&opportunity.counted_saving <= saving.max(&ExactSum::ZERO));
            // The total is that of the best set, so no one opportunity alone is above it.
            prop_assert!(saving <= found.total(), "{:?}", opportunity);
        }
    }

    #[test]
    fn knowing_more_adds_no_more_than_what_it_finds(
        rows in any_bill(),
        inputs in any_inputs(),
    ) {
        let mut less = inputs.clone();
        less.batchable_share = None;
        less.unneeded_snapshots.clear();
        let (more, less) = (find(&rows, &inputs), find(&rows, &less));
        let added = [OpportunityKind::LlmBatch, OpportunityKind::Snapshots]
            .into_iter()
            .filter_map(|kind| of(&more, kind)?.monthly_saving.as_ref());
        let mut bound = sum(added);
        bound.add_sum(less.total()).unwrap();
        prop_assert!(more.total() >= less.total());
        prop_assert!(more.total() <= &bound);
    }

    #[test]
    fn any_order_and_any_parts_find_the_same(
        rows in any_bill(),
        inputs in any_inputs(),
        cut in 0..60usize,
        max_resources in 1..40usize,
    ) {
        let mut options = ScanOptions::new(Currency::USD);
        options.max_resources = max_resources;
        let scan = |rows: &mut dyn Iterator<Item = &CostRecord<'static>>| {
            let mut scan = OpportunityScan::new(options.clone());
            for row in rows {
                scan.add(row).unwrap();
            }
            scan
        };
        let forward = scan(&mut rows.iter());
        let backward = scan(&mut rows.iter().rev());
        let (first, second) = rows.split_at(cut.min(rows.len()));
        let mut parts = scan(&mut second.iter());
        parts.merge(scan(&mut first.iter())).unwrap();
        let found = forward.finish(&inputs).unwrap();
        prop_assert_eq!(&found, &backward.finish(&inputs).unwrap());
        prop_assert_eq!(&found, &parts.finish(&inputs).unwrap());
        let listed = |o: &Opportunity| o.resources.len() <= max_resources;
        prop_assert!(found.found.iter().all(listed));
    }

    #[test]
    fn resources_that_are_let_go_keep_their_spend(
        rows in any_bill(),
    ) {
        let mut options = ScanOptions::new(Currency::USD);
        options.max_resources = 2;
        let mut small = OpportunityScan::new(options);
        for row in &rows {
            small.add(row).unwrap();
        }
        let (small, whole) = (small.finish(&october()).unwrap(), find(&rows, &october()));
        for kind in [
            OpportunityKind::SmallerInstances,
            OpportunityKind::VolumeSpend,
            OpportunityKind::IdleAddresses,
            OpportunityKind::LlmBatch,
        ] {
            let cost = |o: &Opportunities| of(o, kind).map(|o| o.monthly_cost.clone());
            prop_assert_eq!(cost(&small), cost(&whole));
        }
    }
}

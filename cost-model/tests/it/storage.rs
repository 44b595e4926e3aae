//! Advice about volumes, buckets and log files.

mod archive;
mod lifecycle;
mod volumes;

use bursar_cost_model::storage::{
    AgeBand, ArchiveSettings, Bucket, LogFile, LogFolder, ObjectGroup, StorageInputs, StoragePlan,
    Volume,
};
use bursar_cost_model::{Percent, VolumeInventory, VolumeType};
use bursar_units::{Currency, Money};
use jiff::civil::date;
use rust_decimal::Decimal;

pub(crate) fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

const GIB: u64 = 1 << 30;

fn inputs() -> StorageInputs {
    let mut inputs = StorageInputs::new(date(2026, 11, 27));
    let mut big = Volume::new("vol-big", VolumeInventory::new(VolumeType::Gp2, 500));
    big.used = Some(Percent::new(10.0).unwrap());
    let plain = Volume::new("vol-plain", VolumeInventory::new(VolumeType::Gp2, 1_000));
    let disk = Volume::new("vol-disk", VolumeInventory::new(VolumeType::St1, 500));
    inputs.volumes = vec![plain, big, disk];
    let mut bucket = Bucket::new("app");
    bucket.groups = vec![ObjectGroup {
        prefix: "logs/web/".to_owned(),
        ages: vec![
            AgeBand {
                from_days: 0,
                objects: 1_000,
                bytes: 10 * GIB,
                read_bytes_per_month: None,
            },
            AgeBand {
                from_days: 30,
                objects: 10_000,
                bytes: 100 * GIB,
                read_bytes_per_month: Some(GIB),
            },
        ],
        small_bytes: 5,
    }];
    bucket.incomplete_upload_bytes = Some(0);
    inputs.buckets = vec![bucket];
    inputs.log_folders = vec![LogFolder {
        path: "/var/log/app".to_owned(),
        files: vec![LogFile {
            path: "web/access.log".to_owned(),
            bytes: 10 * GIB,
            modified: date(2026, 11, 20),
            open: Some(false),
        }],
    }];
    inputs.archive = ArchiveSettings {
        expected_ratio: Some(Decimal::from(10)),
        ..ArchiveSettings::default()
    };
    inputs
}

#[test]
fn one_plan_has_volumes_buckets_and_logs_and_its_sums() {
    let plan = StoragePlan::new(&inputs()).unwrap();
    assert_eq!(plan.volumes_analyzed, 3);
    let ids: Vec<&str> = plan.volumes.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["vol-big", "vol-plain"]);
    assert_eq!(plan.kept_volumes[0].id, "vol-disk");
    // 50 − (12 + 5), and 100 − (80 + 5).
    assert_eq!(plan.volumes[0].monthly_saving, usd("33"));
    assert_eq!(plan.volumes[1].monthly_saving, usd("15"));
    // 100 GB × (0.023 − 0.0125) less 1 GB read at 0.01; 10,000 moves at 0.01 a thousand.
    assert_eq!(plan.buckets[0].monthly_saving, usd("1.04"));
    assert_eq!(plan.buckets[0].transition_cost, usd("0.1"));
    assert_eq!(plan.buckets[0].payback_months, Some(Decimal::new(1, 1)));
    assert_eq!(plan.buckets[0].savings[0].small_bytes, 5);
    // 10 GB × 0.08 less 1 GB × 0.0125; one upload at 0.01 a thousand.
    assert_eq!(plan.logs[0].monthly_saving, Some(usd("0.7875")));
    assert_eq!(plan.logs[0].upload_cost, usd("0.00001"));
    assert_eq!(plan.monthly_saving, usd("49.8275"));
    assert_eq!(plan.annual_saving, usd("597.93"));
    assert_eq!(plan.one_off_cost, usd("0.10001"));
    assert_eq!(plan.unknown_savings, 0);
}

#[test]
fn what_is_not_known_is_counted_and_not_added() {
    let mut inputs = inputs();
    inputs.archive.expected_ratio = None;
    inputs.buckets[0].groups[0].ages[1].read_bytes_per_month = None;
    let plan = StoragePlan::new(&inputs).unwrap();
    assert_eq!(plan.buckets[0].monthly_saving, usd("0"));
    assert_eq!(plan.buckets[0].unknown_savings, 1);
    assert_eq!(plan.buckets[0].savings[0].storage_saving, Some(usd("1.05")));
    assert_eq!(plan.logs[0].monthly_saving, None);
    assert_eq!(plan.unknown_savings, 2);
    assert_eq!(plan.monthly_saving, usd("48"));
}

#[test]
fn incomplete_uploads_that_somebody_counted_are_a_saving() {
    let mut inputs = inputs();
    inputs.buckets[0].incomplete_upload_bytes = Some(10 * GIB);
    let advice = &StoragePlan::new(&inputs).unwrap().buckets[0];
    assert_eq!(advice.savings[1].rule, "bursar-abort-uploads");
    assert_eq!(advice.savings[1].monthly_saving, Some(usd("0.23")));
    inputs.buckets[0].incomplete_upload_bytes = None;
    inputs.buckets[0].groups.clear();
    let advice = &StoragePlan::new(&inputs).unwrap().buckets[0];
    assert_eq!(
        (advice.monthly_saving, advice.unknown_savings),
        (usd("0"), 2)
    );
}

#[test]
fn nothing_described_is_nothing_saved() {
    let plan = StoragePlan::new(&StorageInputs::new(date(2026, 1, 1))).unwrap();
    assert_eq!(plan.monthly_saving, usd("0"));
    assert!(plan.to_text().starts_with("Storage plan\n"));
}

#[test]
fn the_plan_reads_as_text_and_markdown() {
    let plan = StoragePlan::new(&inputs()).unwrap();
    let text = plan
        .to_text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for said in [
        "Saves USD 49.83 a month, USD 597.93 a year; USD 0.10 once.",
        "gp2 500 GiB gp3 150 GiB 3,000 250 copy 33.00",
        "vol-disk stays: its throughput comes with its size",
        "A volume cannot shrink in place",
        "Write all 2 rules at once: the call replaces what is there.",
        "only then removed",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(plan.to_markdown().contains("## Bucket app\n"));
}

#[cfg(feature = "serde")]
#[test]
fn json_has_amounts_as_strings_and_classes_as_the_service_names_them() {
    use bursar_cost_model::storage::{LifecycleRule, StorageClass};
    let plan = StoragePlan::new(&inputs()).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["annual_saving"]["amount"], "597.930000");
    assert_eq!(json["volumes"][0]["method"], "copy_to_new");
    let rule = &json["buckets"][0]["merge"]["rules"][0];
    assert_eq!(rule["transitions"][0]["class"], "STANDARD_IA");
    let read: LifecycleRule = serde_json::from_value(rule.clone()).unwrap();
    assert_eq!(read, LifecycleRule::logs());
    let one_zone = serde_json::to_value(StorageClass::OneZoneIa).unwrap();
    assert_eq!(one_zone, "ONEZONE_IA");
}

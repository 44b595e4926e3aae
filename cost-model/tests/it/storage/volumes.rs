//! Volumes that are changed in place, copied, or kept.

use bursar_cost_model::storage::{
    EbsPrices, StorageError, Volume, VolumeAdvice, VolumeFinding, VolumeMethod,
};
use bursar_cost_model::{Percent, VolumeInventory, VolumePerformance, VolumeType};
use bursar_units::Money;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::usd;

fn volume(volume_type: VolumeType, size_gib: u32, used: Option<f64>) -> Volume {
    let mut volume = Volume::new("vol-1", VolumeInventory::new(volume_type, size_gib));
    volume.used = used.map(|percent| Percent::new(percent).unwrap());
    volume
}

fn advice(volume: &Volume) -> Result<VolumeAdvice, &'static str> {
    match volume.advise(&EbsPrices::us_east_1()).unwrap() {
        VolumeFinding::Advised(advice) => Ok(*advice),
        VolumeFinding::Kept(kept) => Err(kept.reason),
    }
}

#[test]
fn gp2_becomes_gp3_where_that_costs_less_with_all_that_it_did() {
    // By hand: gp2 0.10 a GB; gp3 0.08, 0.005 an IOPS over 3,000, 0.04 a MB/s over 125.
    for (size_gib, iops, throughput, saving) in [
        (100, 3_000, 128, Some("1.88")),       // 10 − (8 + 0.12): 18.8 %
        (170, 3_000, 128, Some("3.28")),       // 17 − (13.6 + 0.12): 19.3 %
        (171, 3_000, 250, None),               // 17.1 against 13.68 + 5
        (250, 3_000, 250, None),               // 25 against 20 + 5
        (500, 3_000, 250, Some("5")),          // 50 − (40 + 5): 10 %
        (1_000, 3_000, 250, Some("15")),       // 100 − (80 + 5): 15 %
        (2_000, 6_000, 250, Some("20")),       // 200 − (160 + 15 + 5): 10 %
        (5_334, 16_000, 250, Some("36.68")),   // 533.4 − (426.72 + 65 + 5): 6.9 %
        (16_384, 16_000, 250, Some("257.68")), // 1638.4 − (1310.72 + 65 + 5): 15.7 %
        (1, 3_000, 128, None),                 // 0.10 against 0.08 + 0.12
    ] {
        let found = advice(&volume(VolumeType::Gp2, size_gib, None));
        assert_eq!(
            found.as_ref().ok().map(|a| a.monthly_saving),
            saving.map(usd),
            "{size_gib} GiB"
        );
        if let Ok(advice) = found {
            assert_eq!(advice.method, VolumeMethod::ModifyInPlace);
            assert_eq!(advice.to.volume_type, VolumeType::Gp3);
            assert_eq!(advice.to.size_gib, size_gib);
            assert_eq!(
                advice.to.performance,
                VolumePerformance { iops, throughput }
            );
        }
    }
}

#[test]
fn a_volume_that_is_used_by_less_than_half_shrinks_by_a_copy() {
    for (size_gib, used, target) in [
        (500, Some(10.0), 150),
        (100, Some(49.9), 70), // 69.9, rounded up
        (100, Some(50.0), 100),
        (100, None, 100),
        (60, Some(5.0), 20), // 15 is under the least
        (21, Some(1.0), 20),
        (20, Some(1.0), 20),
    ] {
        let advice = advice(&volume(VolumeType::Gp2, size_gib, used)).unwrap();
        assert_eq!(advice.to.size_gib, target, "{size_gib} GiB, {used:?} %");
        let copied = advice.method == VolumeMethod::CopyToNew;
        assert_eq!(copied, target < size_gib);
    }
}

#[test]
fn type_and_size_are_one_action() {
    // In place nothing is saved (171 GiB, see above); smaller it is: 17.1 − (0.08 × 52 + 5).
    let advice = advice(&volume(VolumeType::Gp2, 171, Some(10.0))).unwrap();
    assert_eq!(advice.to.size_gib, 52);
    assert_eq!(advice.monthly_saving, usd("7.94"));
}

#[test]
fn a_shrunk_volume_keeps_the_space_that_its_iops_need() {
    // 16,000 IOPS need 32 GiB of gp3 at 500 each.
    let mut small = volume(VolumeType::Gp3, 100, Some(1.0));
    small.provisioned = Some(VolumePerformance {
        iops: 16_000,
        throughput: 1_000,
    });
    assert_eq!(advice(&small).unwrap().to.size_gib, 32);
    // 4,000 IOPS of io2 need 4 GiB; of io1, 80.
    let mut io = volume(VolumeType::Io2, 100, Some(1.0));
    io.provisioned = Some(VolumePerformance {
        iops: 4_000,
        throughput: 1_000,
    });
    let kept = advice(&io).unwrap();
    assert_eq!(
        (kept.to.volume_type, kept.to.size_gib),
        (VolumeType::Io2, 21)
    );
}

#[test]
fn io1_becomes_gp3_within_the_limits_of_today() {
    let mut io1 = volume(VolumeType::Io1, 1_000, None);
    io1.provisioned = Some(VolumePerformance {
        iops: 10_000,
        throughput: 0,
    });
    // 125 + 650 against 80 + 7,000 × 0.005 + 375 × 0.04.
    let change = advice(&io1).unwrap();
    assert_eq!(change.monthly_cost, usd("775"));
    assert_eq!(change.projected_monthly_cost, usd("130"));
    assert!(change.steps[0].contains("99.9 %"));
    assert_eq!(
        change.to.performance,
        VolumePerformance {
            iops: 10_000,
            throughput: 500
        }
    );
    // 80,000 IOPS were over the limit of 16,000 once, and are within that of now.
    io1.inventory.size_gib = 2_000;
    io1.provisioned = Some(VolumePerformance {
        iops: 64_000,
        throughput: 0,
    });
    let performance = advice(&io1).unwrap().to.performance;
    assert_eq!((performance.iops, performance.throughput), (64_000, 1_000));
}

#[test]
fn io2_stays_io2_for_its_durability_and_its_price_is_known_to_32_000_iops() {
    let mut io2 = volume(VolumeType::Io2, 1_000, None);
    let bought = |iops| {
        Some(VolumePerformance {
            iops,
            throughput: 1_000,
        })
    };
    io2.provisioned = bought(32_000);
    assert_eq!(advice(&io2), Err("nothing that does the same costs less"));
    io2.provisioned = bought(32_001);
    assert_eq!(advice(&io2), Err("its price is not known"));
}

#[test]
fn there_is_no_advice_without_the_facts() {
    assert_eq!(
        advice(&volume(VolumeType::Gp3, 100, Some(5.0))),
        Err("what was bought with it is not known")
    );
    assert_eq!(
        advice(&volume(VolumeType::Standard, 100, Some(5.0))),
        Err("there is no advice for its type")
    );
    let mut detached = volume(VolumeType::Gp2, 100, None);
    detached.inventory.attached = Some(false);
    assert!(advice(&detached).is_err());
}

#[test]
fn what_a_volume_must_do_may_be_less_than_what_it_can() {
    let mut gp2 = volume(VolumeType::Gp2, 200, None);
    assert!(advice(&gp2).is_err());
    gp2.inventory.performance = Some(VolumePerformance {
        iops: 500,
        throughput: 60,
    });
    let advice = advice(&gp2).unwrap();
    assert_eq!(advice.to.performance, VolumePerformance::GP3_INCLUDED);
    assert_eq!(advice.monthly_saving, usd("4"));
}

#[test]
fn a_fifth_modification_in_a_day_waits() {
    let mut gp2 = volume(VolumeType::Gp2, 100, None);
    gp2.modifications_in_24h = 3;
    assert!(
        !advice(&gp2)
            .unwrap()
            .steps
            .iter()
            .any(|s| s.starts_with("wait: "))
    );
    gp2.modifications_in_24h = 4;
    assert!(
        advice(&gp2)
            .unwrap()
            .steps
            .iter()
            .any(|s| s.starts_with("wait: "))
    );
}

#[test]
fn sizes_that_no_volume_has_are_errors() {
    for size_gib in [0, 65_537, u32::MAX] {
        let found = volume(VolumeType::Gp2, size_gib, None).advise(&EbsPrices::us_east_1());
        assert!(matches!(found, Err(StorageError::VolumeSize { .. })));
    }
}

/// The prices of us-east-1, written anew.
fn price(advice: &VolumeAdvice, shape: &bursar_cost_model::storage::VolumeShape) -> Money {
    let size = Decimal::from(shape.size_gib);
    let iops = Decimal::from(shape.performance.iops);
    let throughput = Decimal::from(shape.performance.throughput);
    let amount = match shape.volume_type {
        VolumeType::Gp2 => size * Decimal::new(10, 2),
        VolumeType::Gp3 => {
            size * Decimal::new(8, 2)
                + (iops - Decimal::from(3_000)).max(Decimal::ZERO) * Decimal::new(5, 3)
                + (throughput - Decimal::from(125)).max(Decimal::ZERO) * Decimal::new(4, 2)
        }
        _ => size * Decimal::new(125, 3) + iops * Decimal::new(65, 3),
    };
    Money::new(amount, advice.monthly_cost.currency())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_advice_loses_space_performance_or_money(
        kind in prop_oneof![Just(VolumeType::Gp2), Just(VolumeType::Gp3), Just(VolumeType::Io1), Just(VolumeType::Io2)],
        size_gib in 1_u32..=65_536,
        used in proptest::option::of(0.0..=100.0),
        iops in 100_u32..100_000,
        throughput in 125_u32..2_100,
    ) {
        let mut volume = volume(kind, size_gib, used);
        volume.provisioned = Some(VolumePerformance { iops, throughput });
        let Ok(advice) = advice(&volume) else { return Ok(()) };
        prop_assert!(advice.to.size_gib <= size_gib && advice.to.size_gib > 0);
        let held = f64::from(size_gib) * used.unwrap_or(100.0) / 100.0;
        prop_assert!(f64::from(advice.to.size_gib) >= held);
        if advice.to.size_gib < size_gib {
            prop_assert!(advice.to.size_gib >= 20 && used.is_some_and(|used| used < 50.0));
            prop_assert_eq!(advice.method, VolumeMethod::CopyToNew);
        }
        prop_assert!(advice.to.performance.iops >= advice.from.performance.iops);
        prop_assert!(advice.to.performance.throughput >= advice.from.performance.throughput);
        if advice.to.volume_type == VolumeType::Gp3 {
            let VolumePerformance { iops, throughput } = advice.to.performance;
            prop_assert!(iops <= 80_000 && throughput <= 2_000 && iops >= 4 * throughput.min(750));
            prop_assert!(iops <= 3_000 || iops <= 500 * advice.to.size_gib);
        }
        prop_assert!(advice.monthly_saving > usd("0"));
        prop_assert_eq!(advice.monthly_cost, price(&advice, &advice.from));
        prop_assert_eq!(advice.projected_monthly_cost, price(&advice, &advice.to));
    }
}

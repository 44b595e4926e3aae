//! The catalog that is shipped, against rows written by hand and against the lists themselves.

use std::collections::BTreeMap;

use bursar_cost_model::instances::{
    CreditMode, EbsLimits, InstanceCatalog, InstanceCounts, InstanceReview, InstanceType,
    InterruptionFrequency, NetworkLimits, SpotMarket, source_catalog,
};
use bursar_units::Money;
use rust_decimal::Decimal;

use super::SHIPPED;
use crate::development_data;

fn catalog() -> InstanceCatalog {
    InstanceCatalog::parse(&SHIPPED, "us-east-1").unwrap()
}

fn text(money: Option<Money>) -> Option<String> {
    money.map(|money| money.to_string())
}

/// A type, and what its sources say of it, looked up by hand in each of them.
struct Golden {
    name: &'static str,
    vcpus: u32,
    memory_mib: [u64; 2],
    network_mbps: [u32; 2],
    ebs: [u32; 4],
    cpu_score: f64,
    on_demand: &'static str,
    spot: (u8, InterruptionFrequency),
}

const GOLDEN: [Golden; 4] = [
    Golden {
        name: "t3.micro",
        vcpus: 2,
        memory_mib: [1024, 904],
        network_mbps: [64, 5_000],
        ebs: [87, 2_085, 500, 11_800],
        cpu_score: 29_070.0,
        on_demand: "0.0104 USD",
        spot: (69, InterruptionFrequency::Under5),
    },
    Golden {
        name: "t3.medium",
        vcpus: 2,
        memory_mib: [4096, 3827],
        network_mbps: [256, 5_000],
        ebs: [347, 2_085, 2_000, 11_800],
        cpu_score: 29_163.0,
        on_demand: "0.0416 USD",
        spot: (56, InterruptionFrequency::Under5),
    },
    Golden {
        name: "m5.large",
        vcpus: 2,
        memory_mib: [8192, 7811],
        network_mbps: [750, 10_000],
        ebs: [650, 4_750, 3_600, 18_750],
        cpu_score: 28_470.0,
        on_demand: "0.096 USD",
        spot: (66, InterruptionFrequency::From15To20),
    },
    Golden {
        name: "c7g.xlarge",
        vcpus: 4,
        memory_mib: [8192, 7767],
        network_mbps: [1_876, 12_500],
        ebs: [1_250, 10_000, 6_000, 40_000],
        cpu_score: 99_782.0,
        on_demand: "0.145 USD",
        spot: (62, InterruptionFrequency::Under5),
    },
];

#[test]
fn rows_say_what_their_sources_say() {
    let catalog = catalog();
    for golden in GOLDEN {
        let found = catalog.get(golden.name).unwrap();
        let name = golden.name;
        assert_eq!(found.vcpus.get(), golden.vcpus, "{name}");
        let [sold, usable] = golden.memory_mib;
        assert_eq!(
            (found.memory_mib, found.usable_memory_mib),
            (sold, Some(usable)),
            "{name}"
        );
        let [baseline_mbps, burst_mbps] = golden.network_mbps;
        let network = NetworkLimits {
            baseline_mbps,
            burst_mbps,
        };
        assert_eq!(found.network, Some(network), "{name}");
        let [baseline_mbps, maximum_mbps, baseline_iops, maximum_iops] = golden.ebs;
        let ebs = EbsLimits {
            baseline_mbps,
            maximum_mbps,
            baseline_iops,
            maximum_iops,
        };
        assert_eq!(found.ebs, Some(ebs), "{name}");
        assert_eq!(found.cpu_score, Some(golden.cpu_score), "{name}");
        assert_eq!(
            text(found.on_demand).as_deref(),
            Some(golden.on_demand),
            "{name}"
        );
        let (saving_percent, interruption) = golden.spot;
        assert_eq!(
            found.spot,
            Some(SpotMarket {
                saving_percent,
                interruption
            }),
            "{name}"
        );
        assert_eq!(
            (found.reserved_one_year, found.spot_price),
            (None, None),
            "{name}"
        );
    }
}

#[test]
fn what_no_source_says_is_unknown() {
    let catalog = catalog();
    let get = |name| catalog.get(name).unwrap();
    // EC2 states no EBS limits for it, and nobody measured it.
    assert_eq!(
        (get("m1.small").ebs, get("m1.small").burst.as_ref()),
        (None, None)
    );
    // It is not sold in the region.
    assert_eq!(get("hpc7a.96xlarge").on_demand, None);
    assert_eq!(get("hpc7a.96xlarge").spot_hourly().unwrap(), None);
    // It is new: there is a price, and neither a measurement nor a spot market.
    let unmeasured = catalog
        .iter()
        .find(|it| it.on_demand.is_some() && it.cpu_score.is_none());
    assert_eq!(unmeasured.unwrap().usable_memory_mib, None);
    // Macs are let by the day, and the rationing of the first micro was never published.
    assert_eq!(
        (catalog.get("mac2.metal"), catalog.get("t1.micro")),
        (None, None)
    );
}

#[test]
fn special_machines_are_marked() {
    let catalog = catalog();
    let get = |name| catalog.get(name).unwrap();
    assert!(get("p5.48xlarge").accelerated && get("f2.6xlarge").accelerated);
    assert!(!get("m5.large").accelerated);
    assert!(get("m7i-flex.large").flex && !get("m7i.large").flex);
    assert!(!get("m1.small").current_generation && get("m7g.large").current_generation);
    // Two cards of 200 Gbit/s each, and “200 Gigabit” in all.
    let both = get("c6in.32xlarge").network.unwrap();
    assert_eq!((both.baseline_mbps, both.burst_mbps), (200_000, 200_000));
    // 32 cards of 100 Gbit/s each, and “3200 Gigabit” in all.
    assert_eq!(get("p5.48xlarge").network.unwrap().baseline_mbps, 3_200_000);
}

#[test]
fn the_catalog_is_as_large_as_it_says() {
    let counts = InstanceCounts::of(&catalog());
    assert!(counts.types >= 1_380, "{counts:?}");
    assert!(counts.current_with_price >= 1_200, "{counts:?}");
    assert!(counts.with_price_network_and_ebs >= 1_300, "{counts:?}");
    assert!(counts.with_price_and_cpu_score >= 1_000, "{counts:?}");
    assert!(counts.with_price_and_usable_memory >= 1_000, "{counts:?}");
    assert_eq!(counts.burstable, 28);
}

#[test]
fn it_has_no_faults() {
    let today = bursar_catalog::VERSION.parse().unwrap();
    for region in ["us-east-1", "eu-west-1"] {
        let review = InstanceReview::of(&SHIPPED, region, today).unwrap();
        let faults: Vec<_> = review.findings.iter().filter(|it| it.is_fault()).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn every_value_has_a_source_and_a_date() {
    let catalog = catalog();
    for it in &catalog {
        let origin = catalog.origin(&it.name).unwrap();
        let name = &it.name;
        assert!(!origin.size.url.is_empty(), "{name}");
        assert_eq!(origin.credits.is_some(), it.burst.is_some(), "{name}");
        let is_measured = it.cpu_score.is_some() || it.usable_memory_mib.is_some();
        assert_eq!(origin.measurement.is_some(), is_measured, "{name}");
        assert_eq!(origin.measured_on.is_some(), is_measured, "{name}");
        assert_eq!(origin.price.is_some(), it.on_demand.is_some(), "{name}");
        assert_eq!(origin.spot.is_some(), it.spot.is_some(), "{name}");
    }
}

/// The rules that AWS gives for its table of credits: a credit is a vCPU at 100 % for a minute, and
/// what is earned in 24 hours is kept.
#[test]
fn credits_follow_from_baselines() {
    let catalog = catalog();
    let burstable: Vec<(&InstanceType, _)> = catalog
        .iter()
        .filter_map(|it| Some((it, it.burst.as_ref()?)))
        .collect();
    assert_eq!(burstable.len(), 28);
    for (it, burst) in burstable {
        let earned = burst.baseline_percent / 100.0 * f64::from(it.vcpus.get()) * 60.0;
        assert!(
            (burst.credits_per_hour - earned).abs() < 1e-9,
            "{}",
            it.name
        );
        assert!(
            (burst.credit_cap - 24.0 * earned).abs() < 1e-9,
            "{}",
            it.name
        );
        let is_standard = burst.default_mode == CreditMode::Standard;
        assert_eq!(is_standard, it.family() == "t2", "{}", it.name);
        let surplus = if it.family() == "t4g" {
            "0.04 USD"
        } else {
            "0.05 USD"
        };
        assert_eq!(
            text(burst.surplus_per_vcpu_hour).as_deref(),
            Some(surplus),
            "{}",
            it.name
        );
    }
}

/// The most that was lost of any measured machine is 19 % of half a GiB.
#[test]
fn the_operating_system_sees_somewhat_less_than_what_is_sold() {
    for it in &catalog() {
        if let Some(usable) = it.usable_memory_mib {
            assert!(usable < it.memory_mib, "{}", it.name);
            assert!(usable * 100 >= it.memory_mib * 75, "{}", it.name);
        }
    }
}

/// Medians of CoreMark per dollar and hour over the virtual machines of a family, in thousands, as
/// they were computed from the lists before this crate existed.
#[test]
fn price_performance_of_families_is_what_was_computed_elsewhere() {
    let catalog = catalog();
    for (family, expected) in [("m5", 300), ("m7g", 628), ("m8a", 720), ("c8g", 760)] {
        let mut per_dollar: Vec<f64> = catalog
            .iter()
            .filter(|it| it.family() == family && !it.name.contains("metal"))
            .filter_map(|it| {
                let price: f64 = it.on_demand?.amount().try_into().ok()?;
                Some(it.cpu_score? / price / 1000.0)
            })
            .collect();
        per_dollar.sort_by(f64::total_cmp);
        let median =
            (per_dollar[(per_dollar.len() - 1) / 2] + per_dollar[per_dollar.len() / 2]) / 2.0;
        assert!(
            (median - f64::from(expected)).abs() < 0.5,
            "{family}: {median}"
        );
    }
}

#[test]
fn spot_costs_what_the_saving_leaves() {
    // 0.096 less 66 %.
    let m5 = catalog().get("m5.large").unwrap().spot_hourly().unwrap();
    assert_eq!(text(m5).as_deref(), Some("0.03264 USD"));
    let source = source_catalog();
    let stated = source.get("m5.large").unwrap().spot_hourly().unwrap();
    assert_eq!(text(stated).as_deref(), Some("0.0288 USD"));
}

#[test]
fn ireland_has_a_spot_market_and_no_prices() {
    let ireland = InstanceCatalog::parse(&SHIPPED, "eu-west-1").unwrap();
    assert_eq!(ireland.len(), catalog().len());
    let m5 = ireland.get("m5.large").unwrap();
    assert_eq!(m5.on_demand, None);
    assert_eq!(m5.spot.map(|it| it.saving_percent), Some(57));
    assert_eq!(m5.spot_hourly().unwrap(), None);
}

/// Every price and every spot row of the lists, read here by splitting lines, is in the catalog.
#[test]
fn the_catalog_has_every_value_of_the_lists() {
    let Some(folder) = development_data("ec2") else {
        return;
    };
    let catalog = catalog();
    let read = |name| std::fs::read_to_string(folder.join(name)).unwrap();
    let prices = read("on_demand_us_east_1.csv");
    let prices: BTreeMap<&str, Decimal> = prices
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(name, price)| (name, price.parse().unwrap()))
        .collect();
    for it in &catalog {
        let found = it.on_demand.map(|money| money.amount());
        assert_eq!(found, prices.get(&*it.name).copied(), "{}", it.name);
    }
    let (spot, measured) = (read("spot_advisor.csv"), read("measured.csv"));
    let mut compared = 0;
    for line in spot.lines().filter(|line| line.starts_with("us-east-1,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let Some(it) = catalog.get(cells[1]) else {
            continue;
        };
        let market = it.spot.unwrap();
        let found = (market.saving_percent, market.interruption.bucket());
        assert_eq!(
            found,
            (cells[2].parse().unwrap(), cells[3].parse().unwrap()),
            "{line}"
        );
        compared += 1;
    }
    for line in measured.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let Some(it) = catalog.get(cells[0]) else {
            continue;
        };
        assert_eq!(it.cpu_score, Some(cells[2].parse().unwrap()), "{line}");
        assert_eq!(
            it.usable_memory_mib,
            Some(cells[3].parse().unwrap()),
            "{line}"
        );
        let measured_on = catalog.origin(&it.name).unwrap().measured_on;
        assert_eq!(measured_on, Some(cells[1].parse().unwrap()), "{line}");
        compared += 1;
    }
    assert!(compared > 1_900, "{compared}");
}

#[test]
fn the_source_has_its_fourteen_types() {
    let source = source_catalog();
    let names: Vec<&str> = source.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names,
        [
            "c5.large",
            "c5.xlarge",
            "c6g.large",
            "c6g.xlarge",
            "m5.large",
            "m5.xlarge",
            "m6g.large",
            "m6g.xlarge",
            "t3.large",
            "t3.medium",
            "t3.xlarge",
            "t4g.large",
            "t4g.medium",
            "t4g.xlarge",
        ]
    );
    // The sums of the columns of the specification, added by hand.
    let sums = [
        Money::try_sum(source.iter().filter_map(|it| it.on_demand)),
        Money::try_sum(source.iter().filter_map(|it| it.reserved_one_year)),
        Money::try_sum(source.iter().filter_map(|it| it.spot_price)),
    ];
    let sums = sums.map(|sum| sum.unwrap().unwrap().to_string());
    assert_eq!(sums, ["1.5068 USD", "1.0896 USD", "0.4525 USD"]);
    assert!(
        source
            .origin("m5.large")
            .unwrap()
            .size
            .name
            .contains("source")
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_type_survives_json_with_its_money_as_text() {
    let m5 = catalog().get("m5.large").unwrap().clone();
    let json = serde_json::to_value(&m5).unwrap();
    assert_eq!(json["on_demand"]["amount"], "0.096");
    assert_eq!(serde_json::from_value::<InstanceType>(json).unwrap(), m5);
}

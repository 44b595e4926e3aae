//! The lists of others, and the tables that are made of them.

use bursar_cost_model::instances::{
    ImportError, InstanceCatalog, InstanceLists, InstanceTables, InstanceTexts, LeftOutReason,
    MeasurementRow, MotoTypes, PriceList, SpotRow, read_measurements, read_moto, read_prices,
    read_spot,
};
use proptest::prelude::*;

/// Two types of EC2 as moto has them, cut to the fields that are read; a Mac, and a T type of which
/// no credits are known.
const MOTO: &str = r#"{
  "m5.large": {"BurstablePerformanceSupported": false, "CurrentGeneration": true,
    "EbsInfo": {"EbsOptimizedInfo": {"BaselineBandwidthInMbps": 650, "BaselineIops": 3600,
      "MaximumBandwidthInMbps": 4750, "MaximumIops": 18750}},
    "MemoryInfo": {"SizeInMiB": 8192},
    "NetworkInfo": {"NetworkPerformance": "Up to 10 Gigabit",
      "NetworkCards": [{"BaselineBandwidthInGbps": 0.75, "PeakBandwidthInGbps": 10.0}]},
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]}, "VCpuInfo": {"DefaultVCpus": 2}},
  "t4g.nano": {"BurstablePerformanceSupported": true, "CurrentGeneration": true,
    "EbsInfo": {}, "MemoryInfo": {"SizeInMiB": 512}, "NetworkInfo": {"NetworkCards": []},
    "ProcessorInfo": {"SupportedArchitectures": ["arm64"]}, "VCpuInfo": {"DefaultVCpus": 2}},
  "t9z.nano": {"BurstablePerformanceSupported": true,
    "ProcessorInfo": {"SupportedArchitectures": ["arm64"]}},
  "mac2.metal": {"ProcessorInfo": {"SupportedArchitectures": ["arm64_mac"]}}
}"#;
const PRICES: &str =
    "instance_type,usd_per_hour\nm5.large,0.096000\nt4g.nano,0.004200\nx.large,1\n";
const MEASURED: &str = "instance_type,measured_on,coremark_iterations_per_second,usable_memory_mb,threads\n\
    m5.large,2025-12-10,28470,7811,2\nt4g.nano,2025-12-10,28000,420,96\nx.large,2025-12-10,1,1,1\n";
const SPOT: &str = "region,instance_type,saving_percent_over_on_demand,interruption_bucket\n\
    us-east-1,m5.large,66,3\neu-west-1,m5.large,57,1\neu-west-1,x.large,1,1\n";

struct Read {
    types: MotoTypes,
    prices: PriceList,
    measurements: Vec<MeasurementRow>,
    spot: Vec<SpotRow>,
}

impl Read {
    fn new(prices: &str) -> Read {
        Read {
            types: read_moto(MOTO.as_bytes()).unwrap(),
            prices: read_prices(prices.as_bytes(), "us-east-1").unwrap(),
            measurements: read_measurements(MEASURED.as_bytes()).unwrap(),
            spot: read_spot(SPOT.as_bytes()).unwrap(),
        }
    }

    fn lists(&self, prices_as_of: &str) -> InstanceLists<'_> {
        InstanceLists {
            types: &self.types,
            types_as_of: "2026-10-27".parse().unwrap(),
            prices: &self.prices,
            prices_as_of: prices_as_of.parse().unwrap(),
            measurements: &self.measurements,
            spot: &self.spot,
            spot_as_of: "2025-06-28".parse().unwrap(),
        }
    }
}

#[test]
fn lists_become_tables_that_say_the_same() {
    let read = Read::new(PRICES);
    let before = InstanceTables::default();
    let (texts, not_joined) = InstanceTexts::join(&read.lists("2026-07-20"), &before).unwrap();
    let catalog = InstanceCatalog::parse(&texts.tables(), "us-east-1").unwrap();
    assert_eq!(catalog.len(), 2);

    let [m5, nano] = read.types.instances.as_slice() else {
        panic!("{:?}", read.types);
    };
    let mut expected = m5.clone();
    expected.on_demand = Some(bursar_units::Money::new(
        "0.096".parse().unwrap(),
        bursar_units::Currency::USD,
    ));
    expected.cpu_score = Some(28_470.0);
    expected.usable_memory_mib = Some(7811);
    expected.spot = Some(read.spot[0].market);
    assert_eq!(catalog.get("m5.large"), Some(&expected));
    let found = catalog.get("t4g.nano").unwrap();
    assert_eq!(
        (found.network, found.ebs, &found.burst),
        (None, None, &nano.burst)
    );
    // It was measured with 96 threads, and is sold with 2.
    assert_eq!((found.cpu_score, found.usable_memory_mib), (None, None));

    let names = |names: &[Box<str>]| names.join(" ");
    assert_eq!(names(&not_joined.priced), "x.large");
    assert_eq!(names(&not_joined.measured), "x.large");
    assert_eq!(names(&not_joined.measured_otherwise), "t4g.nano");
    assert_eq!(not_joined.spot_rows, 1);
    let left_out: Vec<_> = read
        .types
        .left_out
        .iter()
        .map(|it| (&*it.instance, it.reason))
        .collect();
    assert_eq!(
        left_out,
        [
            ("mac2.metal", LeftOutReason::Architecture),
            ("t9z.nano", LeftOutReason::UnknownCredits),
        ]
    );

    let again = InstanceTexts::join(&read.lists("2026-07-20"), &texts.tables())
        .unwrap()
        .0;
    assert_eq!(again, texts);
}

#[test]
fn a_new_price_ends_the_one_before() {
    let first = Read::new(PRICES);
    let before = InstanceTables::default();
    let july = InstanceTexts::join(&first.lists("2026-07-20"), &before)
        .unwrap()
        .0;
    // In November m5 costs less, nano the same, and neither changes what July was.
    let cheaper = Read::new("instance_type,usd_per_hour\nm5.large,0.09\nt4g.nano,0.0042\n");
    let november = InstanceTexts::join(&cheaper.lists("2026-11-01"), &july.tables())
        .unwrap()
        .0;
    let rows: Vec<&str> = november.prices.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "us-east-1,m5.large,,2026-11-01,0.096,,,karpenter-2026-07-20",
            "us-east-1,m5.large,2026-11-01,,0.09,,,karpenter-2026-11-01",
            "us-east-1,t4g.nano,,,0.0042,,,karpenter-2026-11-01",
        ]
    );
    assert!(
        november.sources.contains("\nkarpenter-2026-07-20,"),
        "{}",
        november.sources
    );

    // July's list, read again, is older than what is known and changes nothing.
    let late = InstanceTexts::join(&first.lists("2026-07-20"), &november.tables())
        .unwrap()
        .0;
    let rows_late: Vec<&str> = late.prices.lines().skip(1).collect();
    assert_eq!(rows_late[..2], rows[..2]);

    // In December m5 is not sold any more, and in January it is again.
    let without = Read::new("instance_type,usd_per_hour\nt4g.nano,0.0042\n");
    let december = InstanceTexts::join(&without.lists("2026-12-01"), &november.tables())
        .unwrap()
        .0;
    assert!(
        december
            .prices
            .contains("m5.large,2026-11-01,2026-12-01,0.09,"),
        "{}",
        december.prices
    );
    let january = InstanceTexts::join(&cheaper.lists("2027-01-01"), &december.tables())
        .unwrap()
        .0;
    assert!(
        january.prices.contains("m5.large,2027-01-01,,0.09,"),
        "{}",
        january.prices
    );
    let catalog = |day: &str| {
        InstanceCatalog::parse_on(&january.tables(), "us-east-1", day.parse().unwrap()).unwrap()
    };
    let price = |day| {
        catalog(day)
            .get("m5.large")
            .unwrap()
            .on_demand
            .map(|it| it.to_string())
    };
    assert_eq!(price("2026-08-01").as_deref(), Some("0.096 USD"));
    assert_eq!(price("2026-11-30").as_deref(), Some("0.09 USD"));
    assert_eq!(price("2026-12-15"), None);
}

#[test]
fn a_list_that_cannot_be_used_says_where_and_why() {
    let said = |result: Result<(), ImportError>| result.unwrap_err().to_string();
    let prices = |text: &str| said(read_prices(text.as_bytes(), "r").map(drop));
    let measured = |text: &str| said(read_measurements(text.as_bytes()).map(drop));
    let spot = |text: &str| said(read_spot(text.as_bytes()).map(drop));
    let moto = |text: &str| said(read_moto(text.as_bytes()).map(drop));
    assert_eq!(prices("instance,price\n"), "no column \"instance_type\"");
    assert_eq!(
        prices("instance_type,usd_per_hour\na,1\nb,0\n"),
        "line 3: \"0\" as usd_per_hour: a price is over zero"
    );
    let go = |rest: &str| format!("var A = map[string]map[ec2types.InstanceType]float64{{\n{rest}");
    assert_eq!(
        prices(&go(
            "\t\"us-east-1\": {\n\t\t\"c5.large\": -1, \"c5.xlarge\": 0.17,\n"
        )),
        "line 3: \"-1\" as price: a price is over zero"
    );
    assert_eq!(
        prices(&go("\t\t\"c5.large\": 1,\n")),
        "line 2: \"1\" as price: no region stands before it"
    );
    assert_eq!(
        prices(&go("\t\"cn-north-1\": {\n\t\t\"c5.large\": 1,\n")),
        "line 3: \"1\" as price: the prices of China are in yuan"
    );
    assert_eq!(
        spot("region,instance_type,saving_percent_over_on_demand,interruption_bucket\nr,m,66,5\n"),
        "line 2: \"5\" as interruption_bucket: a saving is 0 to 100 %, a class of interruption 0 to 4"
    );
    assert_eq!(spot("{}"), "Spot Advisor's data has `spot_advisor`");
    assert!(measured(r#"{"m": {"ran_at": "soon"}}"#).starts_with("m: \"soon\" as ran_at: "));
    assert_eq!(moto("[]"), "the types of moto are an object by name");
    assert_eq!(
        moto(r#"{"m": {"ProcessorInfo": {"SupportedArchitectures": ["arm64"]}}}"#),
        "m: \"null\" as DefaultVCpus: a number belongs here"
    );
}

#[test]
fn a_failed_run_of_the_benchmark_is_no_score() {
    let list = r#"{"m": {"ran_at": "2026-01-23T16:24:19Z", "coremark": {"iterations_second": 0.0},
        "memory": {"total_mb": 0}, "cpu": {}}}"#;
    let rows = read_measurements(list.as_bytes()).unwrap();
    assert_eq!(
        (
            rows[0].cpu_score,
            rows[0].usable_memory_mib,
            rows[0].threads
        ),
        (None, None, None)
    );
}

#[cfg(feature = "gzip")]
#[test]
fn a_packed_list_says_the_same() {
    use std::io::Write;

    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(MOTO.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(
        read_moto(&packed).unwrap(),
        read_moto(MOTO.as_bytes()).unwrap()
    );
    let cut = &packed[..packed.len() / 2];
    assert!(matches!(read_moto(cut), Err(ImportError::Unpack(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_an_importer_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_moto(&bytes);
        let _ = read_prices(&bytes, "r");
        let _ = read_measurements(&bytes);
        let _ = read_spot(&bytes);
    }

    /// Sound lists with some bytes replaced reach further than random bytes do.
    #[test]
    fn no_damage_makes_an_importer_panic(
        places in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..6)
    ) {
        let go = "// generated at 2026-01-19T13:23:24Z for us-east-1\nmap[string]float64{\n\"r\": {\n\"a.b\": 0.1, \"c.d\": 2.5,\n";
        for text in [MOTO, PRICES, MEASURED, SPOT, go] {
            let mut bytes = text.as_bytes().to_vec();
            for (place, byte) in &places {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a short text")]
                let at = (place * bytes.len() as f64) as usize;
                bytes[at] = *byte;
            }
            let _ = read_moto(&bytes);
            let _ = read_prices(&bytes, "r");
            let _ = read_measurements(&bytes);
            let _ = read_spot(&bytes);
        }
    }
}

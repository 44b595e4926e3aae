//! Tables that can and that cannot be read.

use bursar_cost_model::instances::{
    CatalogProblem, InstanceCatalog, InstanceCatalogError, InstanceReview, InstanceTables,
    InstanceType,
};
use proptest::prelude::*;

use super::{CREDITS, INSTANCES, MEASUREMENTS, PRICES, SHIPPED, SOURCES, SPOT};

/// The rows of tables without their first lines.
#[derive(Clone, Copy)]
struct Rows {
    instances: &'static str,
    credits: &'static str,
    measurements: &'static str,
    prices: &'static str,
    spot: &'static str,
    sources: &'static str,
}

const SOUND: Rows = Rows {
    instances: "m,arm64,2,8192,937,12500,630,10000,3600,40000,full,no,current,s\n",
    credits: "m,20,24,576,standard,0.05,s\n",
    measurements: "m,2026-01-01,30000,7811,s\n",
    prices: "r,m,,,0.08,0.05,,s\n",
    spot: "r,m,66,3,s\n",
    sources: "s,name,url,license,2026-10-01\n",
};

impl Rows {
    fn parse_in(self, region: &str) -> Result<InstanceCatalog, InstanceCatalogError> {
        self.with_tables(|tables| InstanceCatalog::parse(tables, region))
    }

    fn parse(self) -> Result<InstanceCatalog, InstanceCatalogError> {
        self.parse_in("r")
    }

    fn with_tables<T>(self, of: impl FnOnce(&InstanceTables<'_>) -> T) -> T {
        of(&InstanceTables {
            instances: &format!("{INSTANCES}{}", self.instances),
            credits: &format!("{CREDITS}{}", self.credits),
            measurements: &format!("{MEASUREMENTS}{}", self.measurements),
            prices: &format!("{PRICES}{}", self.prices),
            spot: &format!("{SPOT}{}", self.spot),
            sources: &format!("{SOURCES}{}", self.sources),
        })
    }
}

#[test]
fn sound_tables_can_be_read() {
    let catalog = SOUND.parse().unwrap();
    let m = catalog.get("m").unwrap();
    assert_eq!(m.burst.as_ref().map(|it| it.credit_cap), Some(576.0));
    assert_eq!(
        m.reserved_one_year.map(|it| it.to_string()).as_deref(),
        Some("0.05 USD")
    );
    assert_eq!(catalog.region(), "r");
    assert!(catalog.get("M").is_none());
}

#[test]
fn a_wrong_row_says_where_and_why() {
    let no_spot = Rows { spot: "", ..SOUND };
    let bare = Rows {
        credits: "",
        measurements: "",
        prices: "",
        ..no_spot
    };
    for (rows, expected) in [
        (
            Rows {
                instances: "m,arm64\n",
                ..bare
            },
            "instances, line 2: 2 cells where 14 belong",
        ),
        (
            Rows {
                instances: "m,mips,2,8192,,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"mips\" in column architecture: \"x86_64\" or \"arm64\" belongs here",
        ),
        (
            Rows {
                instances: "m,arm64,0,8192,,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"0\" in column vcpus: number would be zero for non-zero type",
        ),
        (
            Rows {
                instances: "m,arm64,2,0,,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"0\" in column memory_mib: a number over zero belongs here",
        ),
        (
            Rows {
                instances: ",arm64,2,8192,,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"\" in column instance: a name belongs here",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,937,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"\" in column network_burst_mbps: cannot parse integer from empty string",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,937,900,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"900\" in column network_burst_mbps: the burst is under the baseline",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,,,5,4,3,3,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"4\" in column ebs_maximum_mbps: the maximum is under the baseline",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,,,4,4,3,2,full,no,current,s\n",
                ..bare
            },
            "instances, line 2: \"2\" in column ebs_maximum_iops: the maximum is under the baseline",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,,,,,,,full,maybe,current,s\n",
                ..bare
            },
            "instances, line 2: \"maybe\" in column accelerated: \"yes\" or \"no\" belongs here",
        ),
        (
            Rows {
                instances: "m,arm64,2,8192,,,,,,,full,no,current,t\n",
                ..bare
            },
            "instances, line 2: \"t\" in column source: no such source",
        ),
        (
            Rows {
                instances: "n,arm64,2,8192,,,,,,,full,no,current,s\n\
                            m,arm64,2,8192,,,,,,,full,no,current,s\n\
                            m,arm64,2,8192,,,,,,,full,no,current,s\n",
                ..bare
            },
            "instances, line 4: \"m\" has a row before this one",
        ),
        (
            Rows {
                credits: "m,0,24,576,standard,0.05,s\n",
                ..SOUND
            },
            "credits, line 2: \"0\" in column baseline_percent: a number over zero belongs here",
        ),
        (
            Rows {
                credits: "m,20,24,576,standard,-0.05,s\n",
                ..SOUND
            },
            "credits, line 2: \"-0.05\" in column surplus_per_vcpu_hour: a price is not under zero",
        ),
        (
            Rows {
                measurements: "m,2026-01-01,NaN,7811,s\n",
                ..SOUND
            },
            "measurements, line 2: \"NaN\" in column cpu_score: a number over zero belongs here",
        ),
        (
            Rows {
                measurements: "m,2026-01-01,1,9000,s\n",
                ..SOUND
            },
            "measurements, line 2: \"9000\" in column usable_memory_mib: it is sold with 8192 MiB",
        ),
        (
            Rows {
                prices: "r,m,,,-1,,,s\n",
                ..SOUND
            },
            "prices, line 2: \"-1\" in column on_demand: a price is not under zero",
        ),
        (
            Rows {
                prices: "r,m,2026-02-01,2026-02-01,1,,,s\n",
                ..SOUND
            },
            "prices, line 2: \"2026-02-01\" in column until: the price ends before it begins",
        ),
        (
            Rows {
                prices: "r,x,,,1,,,s\n",
                ..SOUND
            },
            "prices, line 2: \"x\" is not among the instances",
        ),
        (
            Rows {
                prices: ",m,,,1,,,s\n",
                ..SOUND
            },
            "prices, line 2: \"\" in column region: a name belongs here",
        ),
        (
            Rows {
                spot: "r,m,101,3,s\n",
                ..SOUND
            },
            "spot, line 2: \"101\" in column saving_percent: a saving is at most 100 %",
        ),
        (
            Rows {
                spot: "r,m,66,5,s\n",
                ..SOUND
            },
            "spot, line 2: \"5\" in column interruption: a class from 0 to 4 belongs here",
        ),
        (
            Rows {
                spot: "r,m,66,3,s\n\nr,m,65,3,s\n",
                ..SOUND
            },
            "spot, line 4: \"m\" has a row before this one",
        ),
    ] {
        assert_eq!(rows.parse().unwrap_err().to_string(), expected);
    }
    let date = Rows {
        sources: "s,name,url,license,yesterday\n",
        ..SOUND
    };
    let error = date.parse().unwrap_err().to_string();
    assert!(
        error.starts_with("sources, line 2: \"yesterday\" in column as_of: "),
        "{error}"
    );
}

#[test]
fn other_columns_are_refused() {
    let tables = InstanceTables {
        spot: "region,instance\n",
        ..SHIPPED
    };
    let error = InstanceCatalog::parse(&tables, "us-east-1").unwrap_err();
    let InstanceCatalogError::Row {
        table: "spot",
        line: 1,
        problem,
    } = error
    else {
        panic!("{error}");
    };
    assert!(matches!(problem, CatalogProblem::Columns { .. }));
}

#[test]
fn a_region_without_rows_is_refused() {
    let error = SOUND.parse_in("us-east-l").unwrap_err();
    assert!(
        matches!(error, InstanceCatalogError::UnknownRegion { region } if region == "us-east-l")
    );
}

#[test]
fn a_price_holds_from_its_first_day_until_the_day_before_its_end() {
    let rows = Rows {
        prices: "r,m,2026-06-01,,0.07,,,s\nr,m,,2026-03-01,0.09,,,s\nr,m,2026-03-01,2026-06-01,0.08,,,s\n",
        ..SOUND
    };
    let on = |day: &str| {
        let day = day.parse().unwrap();
        let catalog = rows
            .with_tables(|it| InstanceCatalog::parse_on(it, "r", day))
            .unwrap();
        catalog.get("m").unwrap().on_demand.map(|it| it.to_string())
    };
    for (day, price) in [
        ("2020-01-01", "0.09 USD"),
        ("2026-02-28", "0.09 USD"),
        ("2026-03-01", "0.08 USD"),
        ("2026-05-31", "0.08 USD"),
        ("2026-06-01", "0.07 USD"),
        ("2030-01-01", "0.07 USD"),
    ] {
        assert_eq!(on(day).as_deref(), Some(price), "{day}");
    }
    let newest = rows.parse().unwrap();
    assert_eq!(
        newest.get("m").unwrap().on_demand.unwrap().to_string(),
        "0.07 USD"
    );
    let ended = Rows {
        prices: "r,m,2026-01-01,2026-02-01,0.09,,,s\n",
        ..SOUND
    };
    let day = "2026-02-01".parse().unwrap();
    let ended = ended
        .with_tables(|it| InstanceCatalog::parse_on(it, "r", day))
        .unwrap();
    assert_eq!(ended.get("m").unwrap().on_demand, None);
}

#[test]
fn a_review_finds_gaps_overlaps_missing_and_stale_values() {
    let said = |prices, today: &str| -> Vec<String> {
        let rows = Rows { prices, ..SOUND };
        let today = today.parse().unwrap();
        let review = rows
            .with_tables(|it| InstanceReview::of(it, "r", today))
            .unwrap();
        review.findings.iter().map(ToString::to_string).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(
        said(
            "r,m,,2026-03-01,1,,,s\nr,m,2026-03-01,,2,,,s\n",
            "2026-10-02"
        ),
        none
    );
    assert_eq!(
        said(
            "r,m,2026-03-02,,2,,,s\nr,m,,2026-03-01,1,,,s\n",
            "2026-10-02"
        ),
        ["m in r: no price from 2026-03-01 to 2026-03-02"]
    );
    assert_eq!(
        said(
            "r,m,,2026-03-02,1,,,s\nr,m,2026-03-01,,2,,,s\n",
            "2026-10-02"
        ),
        ["m in r: two prices hold on 2026-03-01"]
    );
    assert_eq!(
        said("r,m,,,1,,,s\nr,m,,,2,,,s\n", "2026-10-02"),
        ["m in r: two prices hold since ever"]
    );
    let missing = ["m in r: a row of prices without a price"];
    assert_eq!(said("r,m,,,0,,,s\n", "2026-10-02"), missing);
    assert_eq!(said("r,m,,,,,,s\n", "2026-10-02"), missing);
    // The same source gives all values: sizes, credits, measurements, prices, spot market.
    let future = "source s: of 2026-10-01, which is still to come";
    assert_eq!(said("r,m,,,1,,,s\n", "2026-09-30"), [future; 5]);
    assert_eq!(
        said("r,m,,,1,,,s\n", "2027-04-01"),
        [
            "source s: prices of 2026-10-01, 182 days old",
            "source s: spot market of 2026-10-01, 182 days old",
        ]
    );
}

#[test]
fn a_catalog_can_be_made_of_values_and_refuses_a_name_twice() {
    let two = |names: [&str; 2]| {
        let types = names.map(|name| {
            let vcpus = 2.try_into().unwrap();
            InstanceType::new(
                name,
                bursar_cost_model::instances::Architecture::Arm64,
                vcpus,
                1024,
            )
        });
        InstanceCatalog::from_instances("here", types.to_vec())
    };
    let catalog = two(["b", "a"]).unwrap();
    assert_eq!(&*catalog.instances()[0].name, "a");
    assert_eq!(catalog.origin("a"), None);
    assert!(
        matches!(two(["a", "a"]), Err(InstanceCatalogError::Twice { instance }) if instance == "a")
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(texts in prop::array::uniform6(".{0,40}(\n.{0,40}){0,3}")) {
        let [instances, credits, measurements, prices, spot, sources] = &texts;
        let _ = InstanceCatalog::parse(
            &InstanceTables { instances, credits, measurements, prices, spot, sources },
            "r",
        );
    }

    /// Rows of cells that are nearly right reach further than any text does.
    #[test]
    fn no_cells_make_the_reader_panic(
        cells in prop::collection::vec(
            prop::sample::select(vec![
                "", "m", "s", "r", "0", "1", "-1", "1e400", "NaN", "4294967296", "arm64", "full",
                "no", "current", "standard", "2026-02-30", "2026-01-01", "0.000000000000000000000000000001",
            ]),
            14 + 7 + 5 + 8 + 5 + 5,
        )
    ) {
        let mut cells = cells.into_iter();
        let mut row = |n: usize| cells.by_ref().take(n).collect::<Vec<_>>().join(",");
        let (one, two, three) = (row(14), row(7), row(5));
        let (four, five, six) = (row(8), row(5), row(5));
        let tables = [
            format!("{INSTANCES}{}{one}\n", SOUND.instances),
            format!("{CREDITS}{two}\n"),
            format!("{MEASUREMENTS}{three}\n"),
            format!("{PRICES}{four}\n"),
            format!("{SPOT}{five}\n"),
            format!("{SOURCES}{}{six}\n", SOUND.sources),
        ];
        for broken in 0..tables.len() {
            // One broken table at a time, so that each is read.
            let text = |at: usize| if at == broken { tables[at].as_str() } else { "" };
            let sources = format!("{SOURCES}{}", SOUND.sources);
            let instances = format!("{INSTANCES}{}", SOUND.instances);
            let tables = InstanceTables {
                instances: if broken == 0 { text(0) } else { &instances },
                credits: text(1),
                measurements: text(2),
                prices: text(3),
                spot: text(4),
                sources: if broken == 5 { text(5) } else { &sources },
            };
            let _ = InstanceCatalog::parse(&tables, "r");
            let _ = InstanceReview::of(&tables, "r", "2026-11-27".parse().unwrap());
        }
    }
}

//! Does a before/after summary add up, and to nothing else?

use bursar_cost_model::{ExactSum, Scenario, ScenarioError};
use bursar_units::Currency;
use proptest::prelude::*;

const REFERENCE: &str = include_str!("../../../examples/data/reference_scenario.csv");

fn read(csv: &str) -> Result<Scenario, ScenarioError> {
    Scenario::from_csv(csv.as_bytes(), Currency::USD)
}

fn sum(text: &str) -> ExactSum {
    text.parse().unwrap()
}

#[test]
fn the_reference_scenario_adds_up_to_39_81_and_saves_160_53() {
    let summary = read(REFERENCE).unwrap().summary().unwrap();
    assert_eq!(summary.total.before, sum("200.34"));
    assert_eq!(summary.total.after, sum("39.81"));
    assert_eq!(summary.total.saving, sum("160.53"));
    assert_eq!(summary.total.saved_percent.unwrap().to_string(), "80.1");

    let savings: Vec<String> = summary.lines.iter().map(|l| l.saving.to_string()).collect();
    assert_eq!(savings, ["98.55", "56.24", "5.6", "0.14"]);
    let percents: Vec<String> = summary
        .lines
        .iter()
        .map(|l| l.saved_percent.unwrap().to_string())
        .collect();
    assert_eq!(percents, ["82.3", "82.1", "70.0", "3.5"]);
}

#[test]
fn a_total_of_29_81_follows_from_no_reading_of_the_reference_scenario() {
    let summary = read(REFERENCE).unwrap().summary().unwrap();
    assert_ne!(summary.total.after, sum("29.81"));
    // Nor does leaving any of the groups out lead to it.
    for left_out in &summary.lines {
        let rest = summary.total.after.minus(&left_out.after).unwrap();
        assert_ne!(rest, sum("29.81"), "without {}", left_out.name);
    }
}

#[test]
fn shows_a_table_with_its_totals() {
    let summary = read(REFERENCE).unwrap().summary().unwrap();
    let expected = "\
amounts in USD
group    before  after  saving   saved
--------------------------------------
compute  119.81  21.26   98.55  82.3 %
AI        68.54  12.30   56.24  82.1 %
storage    8.00   2.40    5.60  70.0 %
network    3.99   3.85    0.14   3.5 %
--------------------------------------
total    200.34  39.81  160.53  80.1 %
";
    assert_eq!(summary.to_string(), expected);
}

#[test]
fn has_no_percentage_where_nothing_was_spent() {
    let csv = "\u{feff}Name,After,Before\nnew,5,0\n\"old, and idle\", -1 ,10\n";
    let summary = read(csv).unwrap().summary().unwrap();
    assert_eq!(summary.lines[0].saved_percent, None);
    assert_eq!(summary.lines[0].saving, sum("-5"));
    assert_eq!(summary.lines[1].saved_percent.unwrap().to_string(), "110.0");
    assert!(
        summary.to_string().contains("   -5.00        -\n"),
        "{summary}"
    );
}

#[test]
fn names_what_is_wrong_with_a_file() {
    for (csv, message) in [
        ("group,before\na,1\n", "the header has no column `after`"),
        ("before,after\n1,1\n", "the header has no column `group`"),
        ("group,before,after\n", "the scenario has no group"),
        ("", "the header has no column `group`"),
        (
            "group,before,after\na,1,$2\n",
            "line 2, column `after`: `$2` is not a decimal number",
        ),
        ("group,before,after\na,,2\n", "line 2, column `before`"),
        (
            "group,before,after\n ,1,2\n",
            "line 2: the group has no name",
        ),
        (
            "group,before,after\na,1,2\na,1,2\n",
            "the group `a` is stated twice",
        ),
        ("group,before,after\na,1\n", "cannot read the scenario"),
    ] {
        let error = read(csv).unwrap_err().to_string();
        assert!(error.starts_with(message), "{csv:?}: {error}");
    }
}

proptest! {
    #[test]
    fn savings_add_up_to_the_difference_of_the_totals(
        amounts in prop::collection::vec((-1_000_000i64..1_000_000, -1_000_000i64..1_000_000), 1..20)
    ) {
        let mut csv = "group,before,after\n".to_owned();
        for (at, (before, after)) in amounts.iter().enumerate() {
            csv.push_str(&format!("g{at},{before}e-2,{after}e-3\n"));
        }
        let summary = read(&csv).unwrap().summary().unwrap();
        let mut savings = ExactSum::default();
        for line in &summary.lines {
            savings.add_sum(&line.saving).unwrap();
        }
        prop_assert_eq!(&savings, &summary.total.saving);
        let difference = summary.total.before.minus(&summary.total.after).unwrap();
        prop_assert_eq!(savings, difference);
    }
}

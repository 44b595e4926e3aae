//! The same cases for every algorithm, in one run.

use std::time::{Duration, Instant};

use bursar_anomaly::attribution::{Cause, Cube, CubeBuilder, Settings};
use bursar_anomaly::synthetic::root_cause::{CostCase, CostCauses, RootCauseCase, RootCauseSet};
use bursar_units::{Currency, Money};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::peers::{self, Element, Score};

type Algorithm = fn(&RootCauseCase, &Cube) -> anyhow::Result<Vec<Element>>;

const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("bursar, sensitive", |_, cube| {
        ours(cube, Settings::sensitive())
    }),
    ("bursar, default", |_, cube| ours(cube, Settings::default())),
    ("RiskLoc", |case, _| Ok(peers::riskloc(case))),
    ("Adtributor", |case, _| Ok(peers::adtributor(case))),
];

/// Prints precision, recall and F1 of root-cause elements, and the time for a case.
#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
pub(crate) fn run(seed: u64, cases: u64, json: bool) -> anyhow::Result<()> {
    let sets = [
        (
            "like S, 960 leaves",
            RootCauseSet::like_s([6, 8, 5, 4]),
            cases,
        ),
        ("S, 48,000 leaves", RootCauseSet::s(), cases.div_ceil(10)),
        ("L, 36,000 leaves", RootCauseSet::l(), cases.div_ceil(10)),
    ];
    let mut answers = Vec::new();
    for (name, set, n_cases) in sets {
        answers.extend(compare(name, &set, seed..seed + n_cases)?);
    }
    let costs = costs(seed..seed + cases)?;
    if json {
        let answer = json!({ "published": answers, "bills": costs });
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    for line in &answers {
        println!(
            "{:<20} {:<18} P {:.3} R {:.3} F1 {:.3}  {:>8.2} ms a case",
            text(&line["set"]),
            text(&line["algorithm"]),
            number(&line["precision"]),
            number(&line["recall"]),
            number(&line["f1"]),
            number(&line["milliseconds"])
        );
    }
    println!("\nMade-up bills of about 540 leaves, exactly the true elements named:");
    for line in &costs {
        println!(
            "  {:<10} {} of {}",
            text(&line["event"]),
            line["exact"],
            line["cases"]
        );
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time of a call is what is shown"
)]
fn compare(
    name: &str,
    set: &RootCauseSet,
    seeds: std::ops::Range<u64>,
) -> anyhow::Result<Vec<Value>> {
    let mut scores = [Score::default(); ALGORITHMS.len()];
    let mut times = [Duration::ZERO; ALGORITHMS.len()];
    for seed in seeds.clone() {
        let case = set.case(seed);
        let cube = cube(&case)?;
        for (index, (_, algorithm)) in ALGORITHMS.iter().enumerate() {
            let begin = Instant::now();
            let found = algorithm(&case, &cube)?;
            times[index] += begin.elapsed();
            scores[index].add(&case.causes, found);
        }
    }
    let n_cases = seeds.count().max(1);
    let lines = ALGORITHMS.iter().zip(scores).zip(times);
    Ok(lines
        .map(|(((algorithm, _), score), time)| {
            let (precision, recall, f1) = score.figures();
            json!({
                "set": name, "algorithm": algorithm, "cases": n_cases,
                "precision": precision, "recall": recall, "f1": f1,
                "milliseconds": 1e3 * time.as_secs_f64() / n_cases as f64,
            })
        })
        .collect())
}

fn ours(cube: &Cube, settings: Settings) -> anyhow::Result<Vec<Element>> {
    let causes = cube.explain(&settings)?.causes;
    causes
        .iter()
        .map(|cause| element(cause, cube.dimensions().len()))
        .collect()
}

fn element(cause: &Cause, n_dimensions: usize) -> anyhow::Result<Element> {
    let mut element = vec![None; n_dimensions];
    for (dimension, value) in &cause.element {
        element[dimension.parse::<usize>()?] = Some(value.parse()?);
    }
    Ok(element)
}

/// A metric as amounts of money, to the eighth place.
fn cube(case: &RootCauseCase) -> anyhow::Result<Cube> {
    let names = (0..case.dimensions.len()).map(|dimension| dimension.to_string());
    let mut builder = CubeBuilder::new(Currency::USD, names)?;
    for leaf in &case.leaves {
        let money = |amount: f64| {
            let amount = Decimal::from_f64_retain(amount).unwrap_or_default();
            Money::new(amount.round_dp(8), Currency::USD)
        };
        builder.add(
            leaf.codes.iter().map(u32::to_string),
            money(leaf.expected),
            money(leaf.actual),
        )?;
    }
    Ok(builder.build()?)
}

fn costs(seeds: std::ops::Range<u64>) -> anyhow::Result<Vec<Value>> {
    let events = [
        ("increase", CostCauses::Increase),
        ("drop", CostCauses::Drop),
        ("new", CostCauses::New),
        ("vanished", CostCauses::Vanished),
        ("netting", CostCauses::Netting),
        ("nothing", CostCauses::Nothing),
    ];
    let mut lines = Vec::new();
    for (event, causes) in events {
        let mut exact = 0;
        for seed in seeds.clone() {
            let case = CostCase::of(causes, seed);
            let explanation = case.cube()?.explain(&Settings::default())?;
            let mut found: Vec<_> = explanation
                .causes
                .into_iter()
                .map(|cause| cause.element)
                .collect();
            let mut truth = case.causes;
            found.sort();
            truth.sort();
            exact += u64::from(found == truth);
        }
        lines.push(json!({ "event": event, "exact": exact, "cases": seeds.clone().count() }));
    }
    Ok(lines)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

//! Which part of the bill explains the jump? Names it on a made-up bill or on a file.

mod root_cause {
    pub(super) mod compare;
    pub(super) mod peers;
}

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bursar_anomaly::attribution::{
    Conclusion, Cube, CubeBuilder, DimensionRank, Explanation, Settings,
};
use bursar_anomaly::synthetic::root_cause::{CostCase, CostCauses};
use bursar_units::{Currency, Money};
use clap::{Parser, ValueEnum};
use serde_json::json;

/// Explains why a bill is not what was expected.
#[derive(Parser)]
struct Arguments {
    /// A CSV file: dimension columns, then `expected` and `actual`.
    #[arg(long)]
    data: Option<PathBuf>,

    /// The currency of the file's amounts.
    #[arg(long, default_value = "USD")]
    currency: String,

    /// What happens on the made-up bill.
    #[arg(long, value_enum, default_value_t = Event::Netting)]
    event: Event,

    /// Another seed makes another bill, or other cases to compare on.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,

    /// Compare with published algorithms on the published construction instead.
    #[arg(long)]
    benchmark: bool,

    /// How many cases to compare on; sets of more leaves get a tenth of them.
    #[arg(long, default_value_t = 100)]
    cases: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Event {
    Increase,
    Drop,
    New,
    Vanished,
    Netting,
    Nothing,
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.benchmark {
        return root_cause::compare::run(arguments.seed, arguments.cases, arguments.json);
    }
    let cube = match &arguments.data {
        Some(path) => read(path, Currency::from_code(&arguments.currency)?)?,
        None => CostCase::of(causes(arguments.event), arguments.seed).cube()?,
    };
    let explanation = cube.explain(&Settings::default())?;
    let ranks = cube.rank_dimensions()?;
    if arguments.json {
        let answer = json!({ "explanation": explanation, "dimensions": ranks });
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print(&cube, &explanation, &ranks);
    }
    Ok(())
}

const fn causes(event: Event) -> CostCauses {
    match event {
        Event::Increase => CostCauses::Increase,
        Event::Drop => CostCauses::Drop,
        Event::New => CostCauses::New,
        Event::Vanished => CostCauses::Vanished,
        Event::Netting => CostCauses::Netting,
        Event::Nothing => CostCauses::Nothing,
    }
}

fn read(path: &Path, currency: Currency) -> anyhow::Result<Cube> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let [dimensions @ .., expected, actual] = header.as_slice() else {
        bail!("{} needs at least three columns", path.display());
    };
    if expected != "expected" || actual != "actual" {
        bail!(
            "the last two columns must be `expected` and `actual`, not `{expected}` and `{actual}`"
        );
    }
    let mut builder = CubeBuilder::new(currency, dimensions)?;
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let cells: Vec<&str> = record.iter().collect();
        let [values @ .., expected, actual] = cells.as_slice() else {
            bail!("row {} is too short", row + 1);
        };
        let money = |text: &str| {
            Money::parse(text, currency).with_context(|| format!("row {} of amounts", row + 1))
        };
        builder.add(values.iter().copied(), money(expected)?, money(actual)?)?;
    }
    Ok(builder.build()?)
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print(cube: &Cube, explanation: &Explanation, ranks: &[DimensionRank]) {
    let Explanation {
        expected,
        actual,
        change,
        increases,
        decreases,
        rest,
        ..
    } = explanation;
    println!(
        "Expected {expected}, came {actual}: a change of {change} over {} leaves.",
        cube.n_leaves()
    );
    println!("Behind it are increases of {increases} and decreases of {decreases}.\n");
    match explanation.conclusion {
        Conclusion::Unchanged => println!("Every leaf came as expected."),
        Conclusion::NoCause => println!("No part of the bill stands out: the change is spread."),
        Conclusion::OutsideTheDimensions { factor } => println!(
            "Everything moved by about {factor:.3}: the cause is outside these dimensions, such as a price list or an exchange rate."
        ),
        _ => {
            for cause in &explanation.causes {
                println!("  {cause}");
                println!(
                    "      {} leaves, {} -> {}, moved alike to {:.0} %",
                    cause.n_leaves,
                    cause.expected,
                    cause.actual,
                    100.0 * cause.ripple
                );
            }
            println!("  everything else: {rest}");
        }
    }
    println!("\nOne dimension at a time, the most telling first:");
    for rank in ranks {
        if let Some(first) = rank.elements.first() {
            println!(
                "  {:<12} surprise {:.4}, most moved {} by {}",
                rank.dimension, rank.surprise, first.value, first.change
            );
        }
    }
}

//! How good is a learned router on prompts it has not seen?
//!
//! Trains on one file of outcomes and judges the router on another: between two models by the metric
//! of RouteLLM, among many by quality at price. Without arguments it makes a small set of its own.
//! `--protocol` repeats the splits that the project's figures come from, on the folder `$BURSAR_DATA`.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

#[path = "route_eval/data.rs"]
mod data;
#[path = "route_eval/protocol.rs"]
mod protocol;
#[path = "route_eval/stream.rs"]
mod stream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bursar_model_router::evaluation::{PairOutcome, evaluate_choices, evaluate_pair};
use bursar_model_router::learned::{LearnedModel, Outcome, Trainer};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::data::Set;
use crate::protocol::Part;

/// Trains a router on one file of outcomes and judges it on another.
#[derive(Parser)]
struct Arguments {
    /// Outcomes to learn from, one JSON object per line.
    #[arg(long, value_name = "FILE", requires = "test")]
    train: Option<PathBuf>,

    /// Outcomes to judge on.
    #[arg(long, value_name = "FILE", requires = "train")]
    test: Option<PathBuf>,

    /// `routellm`: {prompt, weak, strong}; `llmrouter`: {prompt, scores: {model: 0 to 1}}.
    #[arg(long, value_enum, default_value_t = Format::Routellm)]
    format: Format,

    /// {model: {usd_per_million_tokens}}, for llmrouter. Without it all models cost the same.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// What a dollar per million tokens must be worth in quality, for llmrouter.
    #[arg(long, default_value_t = 0.02, conflicts_with = "budget")]
    price_weight: f64,

    /// The mean price that the choices may have, in dollars per million tokens, for llmrouter. The
    /// weight of prices is then calibrated on prompts of the training that were held out.
    #[arg(long)]
    budget: Option<f64>,

    /// Writes `row,score` for every prompt of the test: the preference for the strong model for
    /// routellm, the expected score of the chosen model for llmrouter.
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,

    /// Do not learn from the `subject` or `task` that rows of the training may name. A router never
    /// sees that of the prompts it is judged on.
    #[arg(long)]
    without_kinds: bool,

    /// Writes the trained router.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Folds and topics are drawn by it.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Repeat the project's splits of the data in $BURSAR_DATA: all, or one part of them.
    #[arg(long, value_enum, value_name = "PART", conflicts_with = "train")]
    protocol: Option<Part>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Routellm,
    Llmrouter,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(part) = arguments.protocol {
        return protocol::run(part, arguments.without_kinds);
    }
    let (train, test) = sets(&arguments)?;
    let model = train_on(&train, arguments.seed, arguments.json)?;
    if let Some(path) = &arguments.save {
        std::fs::write(path, serde_json::to_vec(&model)?)?;
    }
    match arguments.format {
        Format::Routellm => judge_pair(&arguments, &model, &test),
        Format::Llmrouter => judge_choices(&arguments, &model, &test),
    }
}

fn sets(arguments: &Arguments) -> anyhow::Result<(Set, Set)> {
    let (Some(train), Some(test)) = (&arguments.train, &arguments.test) else {
        if !arguments.json {
            println!("No files given: a small made-up set is used, whose figures mean nothing.\n");
        }
        let make = match arguments.format {
            Format::Routellm => data::made_pair,
            Format::Llmrouter => data::made_choices,
        };
        return Ok((make(arguments.seed + 1, 60), make(arguments.seed + 2, 120)));
    };
    let read = match arguments.format {
        Format::Routellm => data::read_pair,
        Format::Llmrouter => data::read_choices,
    };
    let (mut train, test) = (read(train)?, read(test)?);
    train.is_without_kinds = arguments.without_kinds;
    if train.models != test.models {
        bail!("the two files do not have the same models");
    }
    Ok((train, test))
}

fn train_on(set: &Set, seed: u64, is_quiet: bool) -> anyhow::Result<LearnedModel> {
    let bar = if is_quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(1)
    };
    bar.set_style(ProgressStyle::with_template(
        "training {bar:40} {pos}/{len}",
    )?);
    let outcomes: Vec<_> = (0..set.prompts.len()).map(|row| set.outcome(row)).collect();
    let trainer = Trainer::new(&set.models)?.with_seed(seed);
    let model = trainer.train(&outcomes, |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();
    Ok(model)
}

fn judge_pair(arguments: &Arguments, model: &LearnedModel, test: &Set) -> anyhow::Result<()> {
    let scores: Vec<_> = test
        .features
        .iter()
        .map(|it| model.predict(it).preference(0, 1))
        .collect();
    write_scores(arguments.scores.as_deref(), &scores)?;
    let report = evaluate_pair(&scores, &test.pairs())?;
    if arguments.json {
        let (apgr, cpt50, cpt80) = (report.apgr, report.cpt50, report.cpt80);
        println!(
            "{}",
            json!({ "apgr": apgr, "cpt50": cpt50, "cpt80": cpt80 })
        );
        return Ok(());
    }
    println!("{} prompts, two models", scores.len());
    println!("APGR   {:.3}   (random .500)", report.apgr);
    println!(
        "CPT50  {:.1} % of the calls win back half of the strong model's advantage",
        report.cpt50
    );
    println!("CPT80  {:.1} % win back 80 % of it", report.cpt80);
    explain(model, test);
    Ok(())
}

fn explain(model: &LearnedModel, test: &Set) {
    let Some(text) = test.prompts.first() else {
        return;
    };
    let Some(explanation) = model.explain(text, 0, 1, 5) else {
        return;
    };
    let start: String = text.chars().take(60).collect();
    println!("\nFor {start:?}…");
    println!(
        "  the strong model is expected to gain {:+.3}:",
        explanation.preference
    );
    println!("  {:+.3} on average", explanation.on_average);
    for part in &explanation.contributions {
        println!("  {:+.3} {}", part.gain, part.feature);
    }
    println!("  {:+.3} all other features", explanation.others);
    println!("  {:+.3} the trend with length", explanation.from_length);
    println!(
        "  novelty {:.2}, trust {:.2}",
        explanation.novelty, explanation.trust
    );
}

fn judge_choices(arguments: &Arguments, model: &LearnedModel, test: &Set) -> anyhow::Result<()> {
    let prices = match &arguments.prices {
        Some(path) => data::read_prices(path, &test.models)?,
        None => test.prices.clone(),
    };
    let weight = match arguments.budget {
        Some(budget) => model
            .calibration()
            .price_weight(&prices, budget)
            .context("even the cheapest model costs more than the budget")?,
        None => arguments.price_weight,
    };
    let predictions: Vec<_> = test.features.iter().map(|it| model.predict(it)).collect();
    let choices: Vec<_> = predictions
        .iter()
        .map(|it| it.best(&prices, weight))
        .collect();
    let chosen = predictions.iter().zip(&choices);
    let scores: Vec<_> = chosen
        .map(|(it, &choice)| it.qualities[choice].expected)
        .collect();
    write_scores(arguments.scores.as_deref(), &scores)?;
    let report = evaluate_choices(&choices, &test.scores, &prices)?;
    if arguments.json {
        let (quality, price) = (report.quality, report.price);
        println!(
            "{}",
            json!({ "quality": quality, "usd_per_million": price })
        );
        return Ok(());
    }
    println!(
        "{} prompts, {} models, a dollar is worth {weight:.3}",
        choices.len(),
        prices.len()
    );
    println!(
        "router        {:.3} at {:.3} $/M",
        report.quality, report.price
    );
    let mut calls = BTreeMap::<usize, usize>::new();
    for choice in choices {
        *calls.entry(choice).or_default() += 1;
    }
    for (at, name) in test.models.iter().enumerate() {
        let single = evaluate_choices(&vec![at; test.scores.len()], &test.scores, &prices)?;
        let calls = calls.get(&at).copied().unwrap_or(0);
        println!(
            "{name:40} {:.3} at {:.3} $/M, {calls} calls",
            single.quality, single.price
        );
    }
    Ok(())
}

fn write_scores(path: Option<&Path>, scores: &[f64]) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(["row", "score"])?;
    for (row, score) in scores.iter().enumerate() {
        writer.write_record([row.to_string(), score.to_string()])?;
    }
    Ok(writer.flush()?)
}

impl Set {
    fn outcome(&self, row: usize) -> Outcome {
        let scores = self.scores[row].iter().map(|it| Some(*it)).collect();
        Outcome {
            features: self.features[row].clone(),
            scores,
            kind: Some(self.groups[row].clone())
                .filter(|it| !self.is_without_kinds && !it.is_empty()),
        }
    }

    fn pairs(&self) -> Vec<PairOutcome> {
        let pair = |it: &Vec<f64>| PairOutcome {
            weak: it[0],
            strong: it[1],
        };
        self.scores.iter().map(pair).collect()
    }
}

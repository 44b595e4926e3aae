//! The splits that the project's figures come from.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use bursar_model_router::evaluation::{evaluate_choices, evaluate_pair, frontier_area};
use bursar_model_router::learned::{LearnedModel, OnlineSettings};
use clap::ValueEnum;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::{self, Set};
use crate::stream::{self, Run};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// All of them.
    All,
    /// MMLU, halves, five seeds; and the same with 1,500 labels.
    Mmlu,
    /// GSM8K, halves, five seeds.
    Gsm8k,
    /// MMLU, a fifth of the subjects held out, five times.
    Subjects,
    /// Trained on all of GSM8K, judged on all of MMLU, and the other way round.
    Transfer,
    /// Nine models, 80/20, five seeds: quality at price.
    Choices,
    /// Nine models, each task held out once.
    Tasks,
    /// Nine models, feedback alone; and two models swapped midway.
    Stream,
}

pub(crate) fn run(part: Part, is_without_kinds: bool) -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("BURSAR_DATA").map(PathBuf::from) else {
        println!("SKIPPED: set BURSAR_DATA to a folder with routellm and llmrouter");
        return Ok(());
    };
    let is_in = |it: Part| part == Part::All || part == it;
    let pair = |name: &str| {
        let mut set = data::read_pair(&folder.join("routellm").join(name))?;
        set.is_without_kinds = is_without_kinds;
        anyhow::Ok(set)
    };
    if is_in(Part::Gsm8k) {
        halves("GSM8K, 50/50", &pair("gsm8k.jsonl")?, None)?;
    }
    if is_in(Part::Mmlu) {
        let set = pair("mmlu.jsonl")?;
        halves("MMLU, 50/50", &set, None)?;
        halves("MMLU, 1,500 labels", &set, Some(1_500))?;
    }
    if is_in(Part::Subjects) {
        subjects(&pair("mmlu.jsonl")?)?;
    }
    if is_in(Part::Transfer) {
        let (mmlu, gsm8k) = (pair("mmlu.jsonl")?, pair("gsm8k.jsonl")?);
        println!("GSM8K to MMLU: {}", judged(&train(&gsm8k, 0)?, &mmlu)?.0);
        println!("MMLU to GSM8K: {}", judged(&train(&mmlu, 0)?, &gsm8k)?.0);
    }
    if [Part::Choices, Part::Tasks, Part::Stream]
        .into_iter()
        .any(is_in)
    {
        let mut set = data::read_choices(&folder.join("llmrouter/dev.jsonl"))?;
        set.is_without_kinds = is_without_kinds;
        set.prices = data::read_prices(&folder.join("llmrouter/prices.json"), &set.models)?;
        if is_in(Part::Choices) {
            choices(&set)?;
        }
        if is_in(Part::Tasks) {
            tasks(&set)?;
        }
        if is_in(Part::Stream) {
            streams(&set)?;
        }
    }
    Ok(())
}

fn shuffled(size: usize, seed: u64) -> Vec<usize> {
    let mut rows: Vec<_> = (0..size).collect();
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    rows
}

fn train(set: &Set, seed: u64) -> anyhow::Result<LearnedModel> {
    crate::train_on(set, seed, false)
}

/// APGR with the calls for half and 80 % in a line, and the three alone.
fn judged(model: &LearnedModel, set: &Set) -> anyhow::Result<(String, [f64; 3])> {
    let predictions: Vec<_> = set.features.iter().map(|it| model.predict(it)).collect();
    let scores: Vec<_> = predictions.iter().map(|it| it.preference(0, 1)).collect();
    let report = evaluate_pair(&scores, &set.pairs())?;
    let trust = predictions.iter().map(|it| it.trust).sum::<f64>() / predictions.len() as f64;
    let line = format!(
        "APGR {:.4}, CPT50 {:.1}, CPT80 {:.1}; mean trust {trust:.2}",
        report.apgr, report.cpt50, report.cpt80
    );
    Ok((line, [report.apgr, report.cpt50, report.cpt80]))
}

fn halves(name: &str, set: &Set, labels: Option<usize>) -> anyhow::Result<()> {
    let (mut figures, mut shares) = (Vec::new(), Vec::new());
    for seed in 1..=5 {
        let rows = shuffled(set.prompts.len(), seed);
        let (left, right) = rows.split_at(rows.len() / 2);
        let start = now();
        let model = train(&set.part(&left[..labels.unwrap_or(left.len())]), seed)?;
        let test = set.part(right);
        let (line, judged) = judged(&model, &test)?;
        let bytes = serde_json::to_vec(&model)?.len();
        let seconds = start.elapsed().as_secs();
        println!("{name}, seed {seed}: {line}; {bytes} bytes, {seconds} s");
        figures.push(judged);
        shares.extend(share_errors(&model, &test)?);
    }
    for (at, what) in ["APGR", "CPT50", "CPT80"].into_iter().enumerate() {
        let values: Vec<_> = figures.iter().map(|it| it[at]).collect();
        println!("{name}: {what} {}", mean_and_deviation(&values));
    }
    println!(
        "{name}: share of strong calls, achieved − asked: {}\n",
        mean_and_deviation(&shares)
    );
    Ok(())
}

/// At thresholds for 20, 50 and 80 % strong calls, how many points off the share is.
fn share_errors(model: &LearnedModel, set: &Set) -> anyhow::Result<Vec<f64>> {
    let error = |share: f64| {
        let threshold = model
            .calibration()
            .threshold(0, 1, share)
            .context("two models")?;
        let is_strong = |it: &&_| model.predict(it).preference(0, 1) >= threshold;
        let strong = set.features.iter().filter(is_strong).count();
        Ok(100.0 * (strong as f64 / set.features.len() as f64 - share))
    };
    [0.2, 0.5, 0.8].into_iter().map(error).collect()
}

fn mean_and_deviation(values: &[f64]) -> String {
    let mean = Run::mean(values);
    let squares: Vec<_> = values.iter().map(|it| (it - mean).powi(2)).collect();
    format!("{mean:.4} ± {:.4}", Run::mean(&squares).sqrt())
}

fn subjects(set: &Set) -> anyhow::Result<()> {
    let mut names = set.groups.clone();
    names.sort();
    names.dedup();
    let order = shuffled(names.len(), 1);
    let fold = |row: usize| {
        let name = names.binary_search(&set.groups[row]).unwrap_or(0);
        order[name] % 5
    };
    let mut figures = Vec::new();
    for out in 0..5 {
        let rows = 0..set.prompts.len();
        let (test, left): (Vec<_>, Vec<_>) = rows.partition(|row| fold(*row) == out);
        let (line, judged) = judged(&train(&set.part(&left), 1)?, &set.part(&test))?;
        println!("MMLU, subjects of fold {out} held out: {line}");
        figures.push(judged[0]);
    }
    println!(
        "MMLU, subjects held out: APGR {}\n",
        mean_and_deviation(&figures)
    );
    Ok(())
}

fn best_single(set: &Set) -> anyhow::Result<(usize, f64)> {
    let mut best = (0, f64::NEG_INFINITY);
    for model in 0..set.models.len() {
        let quality =
            evaluate_choices(&vec![model; set.scores.len()], &set.scores, &set.prices)?.quality;
        if quality > best.1 {
            best = (model, quality);
        }
    }
    Ok(best)
}

fn choices(set: &Set) -> anyhow::Result<()> {
    let mut lines: Vec<Vec<f64>> = vec![Vec::new(); 5];
    for seed in 1..=5 {
        let rows = shuffled(set.prompts.len(), seed);
        let (left, right) = rows.split_at(rows.len() * 4 / 5);
        let (train_set, test) = (set.part(left), set.part(right));
        let model = train(&train_set, seed)?;
        // The best single model is that of the test itself, which no router could know.
        let (single, quality) = best_single(&test)?;
        let price = set.prices[single];
        let predictions: Vec<_> = test.features.iter().map(|it| model.predict(it)).collect();
        let at = |weight: f64| {
            let chosen = predictions.iter().map(|it| it.best(&set.prices, weight));
            evaluate_choices(&chosen.collect::<Vec<_>>(), &test.scores, &set.prices)
        };
        let budget = |part: f64| model.calibration().price_weight(&set.prices, part * price);
        let high = at(budget(0.81).context("a budget")?)?;
        let low = at(budget(0.21).context("a budget")?)?;
        let weights = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0];
        let points: Result<Vec<_>, _> = weights.into_iter().map(at).collect();
        let area = frontier_area(&points?, 0.9);
        println!(
            "nine models, seed {seed}: best single {quality:.4} at {price}; within 81 % of its price \
             {:.4} at {:.3}; within 21 % {:.4} at {:.3}; area {area:.4}; {} bytes",
            high.quality,
            high.price,
            low.quality,
            low.price,
            serde_json::to_vec(&model)?.len(),
        );
        let figures = [
            high.quality - quality,
            high.price / price,
            low.quality / quality,
            low.price / price,
            area,
        ];
        lines
            .iter_mut()
            .zip(figures)
            .for_each(|(line, figure)| line.push(figure));
    }
    let names = [
        "gain at 81 %",
        "price",
        "quality kept at 21 %",
        "price",
        "frontier area",
    ];
    for (name, line) in names.into_iter().zip(lines) {
        println!("nine models: {name} {}", mean_and_deviation(&line));
    }
    Ok(())
}

fn tasks(set: &Set) -> anyhow::Result<()> {
    let mut names = set.groups.clone();
    names.sort();
    names.dedup();
    let (mut routed, mut single, mut count) = (0.0, 0.0, 0.0);
    for name in &names {
        let rows = 0..set.prompts.len();
        let (test, left): (Vec<_>, Vec<_>) = rows.partition(|row| set.groups[*row] == *name);
        let train_set = set.part(&left);
        let test = set.part(&test);
        let model = train(&train_set, 1)?;
        let predictions: Vec<_> = test.features.iter().map(|it| model.predict(it)).collect();
        let chosen: Vec<_> = predictions
            .iter()
            .map(|it| it.best(&set.prices, 0.0))
            .collect();
        let report = evaluate_choices(&chosen, &test.scores, &set.prices)?;
        // The model that was best on the tasks that are known.
        let (best, _) = best_single(&train_set)?;
        let alone = evaluate_choices(&vec![best; chosen.len()], &test.scores, &set.prices)?;
        let trust = predictions.iter().map(|it| it.trust).sum::<f64>() / chosen.len() as f64;
        println!(
            "without {name}: router {:.4}, best single {:.4}; mean trust {trust:.2}",
            report.quality, alone.quality
        );
        let size = chosen.len() as f64;
        routed += size * report.quality;
        single += size * alone.quality;
        count += size;
    }
    println!(
        "every task held out once: {:+.4} against the best single model\n",
        (routed - single) / count
    );
    Ok(())
}

fn streams(set: &Set) -> anyhow::Result<()> {
    let settings = OnlineSettings::default();
    let mut gains = Vec::new();
    let half = set.prompts.len() / 2;
    for seed in 1..=4 {
        let order = shuffled(set.prompts.len(), seed);
        let start = now();
        let run = stream::run(set, &order, seed, settings, None)?;
        let time = start.elapsed() / order.len() as u32;
        let (all, late) = (Run::mean(&run.got), Run::mean(&run.got[half..]));
        let best = Run::mean(&run.best_single()[half..]);
        gains.push(late - best);
        println!(
            "stream, seed {seed}: {all:.4} overall, {late:.4} in the second half; best single {best:.4} \
             there; {} drifts; {time:?} per query; lost against it at each tenth: {:.0?}",
            run.drifts,
            run.regrets()
        );
    }
    println!(
        "stream: second half against the best single: {}\n",
        mean_and_deviation(&gains)
    );
    for notices_drift in [true, false] {
        let mut settings = settings;
        settings.notices_drift = notices_drift;
        for seed in 1..=2 {
            drift(set, seed, settings)?;
        }
    }
    Ok(())
}

/// The best and the worst single model swap their scores midway.
fn drift(set: &Set, seed: u64, settings: OnlineSettings) -> anyhow::Result<()> {
    let order = shuffled(set.prompts.len(), seed);
    let half = order.len() / 2;
    let whole = stream::run(set, &order, seed, settings, None)?;
    let value = |it: &usize| Run::mean(&whole.singles[*it]);
    let models = 0..set.models.len();
    let best = models
        .clone()
        .max_by(|a, b| value(a).total_cmp(&value(b)))
        .context("models")?;
    let worst = models
        .min_by(|a, b| value(a).total_cmp(&value(b)))
        .context("models")?;
    let run = stream::run(set, &order, seed, settings, Some((half, best, worst)))?;
    let means = run.got[half..].chunks(150).map(Run::mean);
    let notices = settings.notices_drift;
    println!(
        "drift at {half}, seed {seed}, noticed: {notices} ({} alarms): before {:.3}; then by 150: {:.3?}",
        run.drifts,
        Run::mean(&run.got[half - 600..half]),
        means.collect::<Vec<_>>()
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example may read the clock: it tells how long training took"
)]
fn now() -> Instant {
    Instant::now()
}

//! Outcomes from files, or made up.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use bursar_model_router::{Features, ModelId};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

/// Prompts with the scores of every model.
#[derive(Clone)]
pub(crate) struct Set {
    pub(crate) models: Vec<ModelId>,
    pub(crate) prices: Vec<f64>,
    pub(crate) prompts: Vec<String>,
    pub(crate) features: Vec<Features>,
    pub(crate) scores: Vec<Vec<f64>>,
    /// The subject or task of rows; empty if it is not named. For splits and for the training.
    pub(crate) groups: Vec<String>,
    /// Whether trainings do without them.
    pub(crate) is_without_kinds: bool,
}

impl Set {
    fn new(models: Vec<ModelId>, prices: Vec<f64>, rows: Vec<(String, Vec<f64>, String)>) -> Self {
        Self {
            models,
            prices,
            features: rows.iter().map(|it| Features::of(&it.0)).collect(),
            scores: rows.iter().map(|it| it.1.clone()).collect(),
            groups: rows.iter().map(|it| it.2.clone()).collect(),
            prompts: rows.into_iter().map(|it| it.0).collect(),
            is_without_kinds: false,
        }
    }

    /// These rows of it.
    pub(crate) fn part(&self, rows: &[usize]) -> Self {
        Self {
            models: self.models.clone(),
            prices: self.prices.clone(),
            prompts: rows.iter().map(|it| self.prompts[*it].clone()).collect(),
            features: rows.iter().map(|it| self.features[*it].clone()).collect(),
            scores: rows.iter().map(|it| self.scores[*it].clone()).collect(),
            groups: rows.iter().map(|it| self.groups[*it].clone()).collect(),
            is_without_kinds: self.is_without_kinds,
        }
    }
}

#[derive(Deserialize)]
struct PairRow {
    #[serde(default)]
    subject: String,
    prompt: String,
    weak: Score,
    strong: Score,
}

#[derive(Deserialize)]
struct ChoiceRow {
    #[serde(default)]
    task: String,
    prompt: String,
    scores: BTreeMap<String, Score>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Score {
    Right(bool),
    Part(f64),
}

impl Score {
    fn value(&self) -> f64 {
        match self {
            Self::Right(right) => f64::from(u8::from(*right)),
            Self::Part(part) => *part,
        }
    }
}

pub(crate) fn read_pair(path: &Path) -> anyhow::Result<Set> {
    let row = |it: PairRow| {
        (
            it.prompt,
            vec![it.weak.value(), it.strong.value()],
            it.subject,
        )
    };
    let rows: Vec<PairRow> = read_lines(path)?;
    let rows = rows.into_iter().map(row).collect();
    Ok(Set::new(named(&["weak", "strong"])?, vec![0.0, 1.0], rows))
}

pub(crate) fn read_choices(path: &Path) -> anyhow::Result<Set> {
    let rows: Vec<ChoiceRow> = read_lines(path)?;
    let first = rows
        .first()
        .with_context(|| format!("{} is empty", path.display()))?;
    let names: Vec<_> = first.scores.keys().cloned().collect();
    let models = named(&names)?;
    let mut read = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let scores = names
            .iter()
            .map(|name| row.scores.get(name).map(Score::value));
        let scores: Option<Vec<_>> = scores.collect();
        let scores = scores.with_context(|| format!("line {}: a model has no score", at + 1))?;
        read.push((row.prompt, scores, row.task));
    }
    Ok(Set::new(models, vec![1.0; names.len()], read))
}

/// Lines end at `\n` alone: prompts hold other separators of lines.
fn read_lines<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text
        .split('\n')
        .enumerate()
        .filter(|it| !it.1.trim().is_empty());
    let parse = |(at, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {}", path.display(), at + 1))
    };
    lines.map(parse).collect()
}

pub(crate) fn read_prices(path: &Path, models: &[ModelId]) -> anyhow::Result<Vec<f64>> {
    #[derive(Deserialize)]
    struct Price {
        usd_per_million_tokens: f64,
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let prices: BTreeMap<String, Price> = serde_json::from_str(&text)?;
    let price = |model: &ModelId| {
        let price = prices
            .get(model.as_str())
            .map(|it| it.usd_per_million_tokens);
        price.with_context(|| format!("{model} has no price"))
    };
    models.iter().map(price).collect()
}

fn named(names: &[impl AsRef<str>]) -> anyhow::Result<Vec<ModelId>> {
    let names = names.iter().map(|it| ModelId::new(it.as_ref()));
    Ok(names.collect::<Result<_, _>>()?)
}

/// A weak model that cannot compute, and a strong one that seldom fails.
pub(crate) fn made_pair(seed: u64, size: usize) -> Set {
    let models = named(&["weak", "strong"]).expect("these are names");
    Set::new(
        models,
        vec![0.0, 1.0],
        made(seed, size, &[[0.2, 0.9, 0.7], [0.9, 0.9, 0.9]]),
    )
}

/// The same with a third model that writes code.
pub(crate) fn made_choices(seed: u64, size: usize) -> Set {
    let models = named(&["small", "large", "coder"]).expect("these are names");
    let chances = [[0.2, 0.9, 0.5], [0.9, 0.9, 0.7], [0.3, 0.3, 0.9]];
    Set::new(models, vec![0.1, 0.9, 0.2], made(seed, size, &chances))
}

/// `chances` are those of each model on sums, facts and code.
fn made(seed: u64, size: usize, chances: &[[f64; 3]]) -> Vec<(String, Vec<f64>, String)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let row = |_| {
        let kind = random.random_range(0..3);
        let prompt = made_prompt(kind, &mut random);
        let scores = chances
            .iter()
            .map(|it| f64::from(u8::from(random.random_bool(it[kind]))));
        (
            prompt,
            scores.collect(),
            ["sums", "facts", "code"][kind].to_owned(),
        )
    };
    (0..size).map(row).collect()
}

fn made_prompt(kind: usize, random: &mut impl Rng) -> String {
    let (left, right) = (random.random_range(10..999), random.random_range(10..999));
    let things = ["rivers", "kings", "metals", "planets", "poets"];
    let thing = things[random.random_range(0..things.len())];
    match kind {
        0 => {
            format!("Tom has {left} {thing} and buys {right} more each day. How many after a week?")
        }
        1 => format!("Which of the {thing} of the old world is the best known?"),
        _ => format!("def first_{thing}(values):\n    # the first {left} of them\n    return"),
    }
}

//! Learning from the chosen model's score alone.

use bursar_model_router::evaluation::regret;
use bursar_model_router::learned::{OnlineRouter, OnlineSettings};

use crate::data::Set;

/// What a dollar per million tokens is worth in quality.
pub(crate) const PRICE_WEIGHT: f64 = 0.1;

/// Values of the chosen models, and what each single model would have had.
pub(crate) struct Run {
    pub(crate) got: Vec<f64>,
    pub(crate) singles: Vec<Vec<f64>>,
    pub(crate) drifts: u32,
}

/// Sends the rows one by one, in this order. `swap`: from that query on two models have each other's
/// scores.
pub(crate) fn run(
    set: &Set,
    order: &[usize],
    seed: u64,
    settings: OnlineSettings,
    swap: Option<(usize, usize, usize)>,
) -> anyhow::Result<Run> {
    let models = set.models.len();
    let costs: Vec<_> = set.prices.iter().map(|it| -PRICE_WEIGHT * it).collect();
    let mut router = OnlineRouter::new(models, settings);
    let mut got = Vec::with_capacity(order.len());
    let mut singles = vec![Vec::with_capacity(order.len()); models];
    for (query, &row) in order.iter().enumerate() {
        let mut scores = set.scores[row].clone();
        if let Some((_, left, right)) = swap.filter(|it| query >= it.0) {
            scores.swap(left, right);
        }
        let value = |model: usize| scores[model] + costs[model];
        let draw = seed << 32 | query as u64;
        let choice = router.choose(&set.features[row], &costs, draw)?;
        router.feedback(
            &set.features[row],
            choice.model,
            value(choice.model),
            &costs,
        )?;
        got.push(value(choice.model));
        for (model, values) in singles.iter_mut().enumerate() {
            values.push(value(model));
        }
    }
    let drifts = (0..models).map(|it| router.drifts(it)).sum();
    Ok(Run {
        got,
        singles,
        drifts,
    })
}

impl Run {
    pub(crate) fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// The best single model in hindsight, over all queries.
    pub(crate) fn best_single(&self) -> &[f64] {
        let best = self
            .singles
            .iter()
            .max_by(|a, b| Self::mean(a).total_cmp(&Self::mean(b)));
        best.map_or(&[], Vec::as_slice)
    }

    /// What was lost against it at each tenth of the stream.
    pub(crate) fn regrets(&self) -> Vec<f64> {
        let all = regret(&self.got, self.best_single());
        (1..=10).map(|it| all[it * all.len() / 10 - 1]).collect()
    }
}

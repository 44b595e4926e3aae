//! How are weights found? Penalized logistic regression with signed weights, calibrated by Platt.

use super::features::{Direction, FEATURES, N_FEATURES, features};
use super::{Example, logistic};

/// Penalty on squared weights, for a likelihood averaged over examples: weak, against separation.
const PENALTY: f64 = 1e-3;

/// At most so many steps of accelerated projected gradient; the loss changes in the sixth place by then.
const STEPS: usize = 400;

/// No weight moves by more than this in the last step.
const STILL: f64 = 1e-5;

/// As many folds for calibration as are usual.
const FOLDS: usize = 5;

/// An example as the fit reads it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    parts: [f64; N_FEATURES],
    is_abused: bool,
    weight: f64,
}

impl Row {
    pub(super) fn of(example: &Example) -> Self {
        Self {
            parts: features(&example.context),
            is_abused: example.is_abused,
            weight: example.weight,
        }
    }
}

pub(super) type Weights = (f64, [f64; N_FEATURES]);

fn log_odds(row: &Row, (base, weights): &Weights) -> f64 {
    base + row
        .parts
        .iter()
        .zip(weights)
        .map(|(part, weight)| part * weight)
        .sum::<f64>()
}

/// No weights at all, from where a first fit begins.
pub(super) const NOTHING: Weights = (0.0, [0.0; N_FEATURES]);

/// Minimizes the penalized loss by projected gradient with momentum (Beck and Teboulle, 2009). The
/// loss is convex, so where the search begins decides only how soon it ends.
pub(super) fn fit(rows: &[Row], start: &Weights) -> Weights {
    let total: f64 = rows
        .iter()
        .map(|row| row.weight)
        .sum::<f64>()
        .max(f64::MIN_POSITIVE);
    // A step no longer than 1 / L, where L bounds the curvature: a quarter of the mean square.
    let square =
        |row: &Row| row.weight * (1.0 + row.parts.iter().map(|part| part * part).sum::<f64>());
    let curvature = rows.iter().map(square).sum::<f64>() / total / 4.0 + PENALTY;
    let step = 1.0 / curvature;
    let mut current = *start;
    let mut ahead = current;
    let mut momentum = 1.0_f64;
    for _ in 0..STEPS {
        let (base_slope, slopes) = gradient(rows, &ahead, total);
        let mut next = ahead;
        next.0 -= step * base_slope;
        for (index, slope) in slopes.iter().enumerate() {
            let moved = next.1[index] - step * slope;
            next.1[index] = match FEATURES[index].1 {
                Direction::Raises => moved.max(0.0),
                Direction::Lowers => moved.min(0.0),
            };
        }
        let grown = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        let push = (momentum - 1.0) / grown;
        ahead.0 = next.0 + push * (next.0 - current.0);
        for index in 0..N_FEATURES {
            ahead.1[index] = next.1[index] + push * (next.1[index] - current.1[index]);
        }
        let is_still = moved(&current, &next) < STILL;
        current = next;
        momentum = grown;
        if is_still {
            break;
        }
    }
    current
}

/// The longest way of a weight.
fn moved(before: &Weights, after: &Weights) -> f64 {
    let ways = before.1.iter().zip(&after.1);
    let ways = ways.map(|(one, other)| (one - other).abs());
    ways.fold((before.0 - after.0).abs(), f64::max)
}

fn gradient(rows: &[Row], weights: &Weights, total: f64) -> Weights {
    let mut base = 0.0;
    let mut slopes = [0.0; N_FEATURES];
    for row in rows {
        let label = f64::from(u8::from(row.is_abused));
        let residual = row.weight * (logistic(log_odds(row, weights)) - label) / total;
        base += residual;
        for (slope, part) in slopes.iter_mut().zip(&row.parts) {
            *slope += residual * part;
        }
    }
    for (slope, weight) in slopes.iter_mut().zip(&weights.1) {
        *slope += PENALTY * weight;
    }
    (base, slopes)
}

/// Slope and shift of the log-odds that fit the labels of held-out folds best (Platt, 1999; Newton's
/// method as Lin, Lin and Weng, 2007, with their smoothed targets). (1, 0) leaves them as they are.
pub(super) fn calibrate(rows: &[Row], start: &Weights) -> (f64, f64) {
    let mut scored = Vec::with_capacity(rows.len());
    // Neighbors are moments of one account, so folds are blocks.
    let block = rows.len().div_ceil(FOLDS).max(1);
    for (index, fold) in rows.chunks(block).enumerate() {
        let (before, after) = (&rows[..index * block], &rows[index * block + fold.len()..]);
        let rest: Vec<Row> = before.iter().chain(after).copied().collect();
        let weights = fit(&rest, start);
        scored.extend(fold.iter().map(|row| (log_odds(row, &weights), row)));
    }
    platt(&scored)
}

fn platt(scored: &[(f64, &Row)]) -> (f64, f64) {
    let class = |is_abused| {
        let members = scored
            .iter()
            .filter(move |(_, row)| row.is_abused == is_abused);
        members.map(|(_, row)| row.weight).sum::<f64>()
    };
    let (bad, good) = (class(true), class(false));
    let targets = [1.0 / (good + 2.0), (bad + 1.0) / (bad + 2.0)];
    let (mut slope, mut shift) = (1.0, 0.0);
    for _ in 0..50 {
        let (mut g, mut h) = ([0.0; 2], [1e-6, 0.0, 1e-6]);
        for (value, row) in scored {
            let p = logistic(slope * value + shift);
            let residual = row.weight * (p - targets[usize::from(row.is_abused)]);
            let curve = row.weight * p * (1.0 - p);
            g[0] += residual * value;
            g[1] += residual;
            h[0] += curve * value * value;
            h[1] += curve * value;
            h[2] += curve;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if determinant <= 0.0 {
            break;
        }
        slope -= (h[2] * g[0] - h[1] * g[1]) / determinant;
        shift -= (h[0] * g[1] - h[1] * g[0]) / determinant;
    }
    // A calibration that turns the order round or runs away is worse than none.
    match slope.is_finite() && shift.is_finite() && slope > 0.05 && slope < 20.0 {
        true => (slope, shift),
        false => (1.0, 0.0),
    }
}

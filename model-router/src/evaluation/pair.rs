//! How much of the strong model's advantage comes back for which share of its calls?

use super::EvaluationError;

/// How well both models answered a prompt, 1 being right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairOutcome {
    /// The cheap model's score.
    pub weak: f64,
    /// The dear model's score.
    pub strong: f64,
}

/// What a router between two models achieves.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PairReport {
    /// Average performance gap recovered: the area between the router's curve and the weak model's
    /// line, as a part of that between both models' lines. Random choice gives 0.5; a router that
    /// knows the outcomes comes above 1 where the weak model is sometimes the better one.
    pub apgr: f64,
    /// Percent of calls to the strong model that win back half of its advantage.
    pub cpt50: f64,
    /// Percent of calls to the strong model that win back 80 % of its advantage.
    pub cpt80: f64,
    /// The curve: share of calls to the strong model and mean score, both 0 to 1, by rising share.
    pub points: Vec<(f64, f64)>,
}

/// Evaluates scores (higher: rather the strong model) exactly as RouteLLM's code does.
///
/// The thresholds are the eleven deciles of the scores themselves, `pandas.qcut`'s edges; at each, a
/// prompt goes to the strong model if its score is not below the edge, at the last one if it is above
/// it. The curve is integrated by trapezoids. The calls for half and for 80 % of the advantage are
/// what `numpy.interp` makes of the curve: accuracy does not rise everywhere, and there its result is
/// what its binary search finds, which is repeated here. Equal scores are told apart by up to 1e-9 of
/// noise from a fixed seed, as `qcut` refuses equal edges.
///
/// ```
/// use bursar_model_router::evaluation::{PairOutcome, evaluate_pair};
///
/// let outcomes: Vec<_> = (0..100)
///     .map(|it| PairOutcome { weak: f64::from(u8::from(it < 50)), strong: 1.0 })
///     .collect();
/// let knows = (0..100).map(f64::from).collect::<Vec<_>>();
/// let report = evaluate_pair(&knows, &outcomes)?;
/// assert!((report.apgr - 0.75).abs() < 1e-9); // half of the calls win everything back
/// assert!((report.cpt50 - 25.0).abs() < 1e-9);
/// # Ok::<(), bursar_model_router::evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// [`EvaluationError`] if the lists do not fit together, hold no numbers, or leave no gap.
pub fn evaluate_pair(
    scores: &[f64],
    outcomes: &[PairOutcome],
) -> Result<PairReport, EvaluationError> {
    check(scores, outcomes)?;
    let weak = mean(outcomes.iter().map(|it| it.weak));
    let strong = mean(outcomes.iter().map(|it| it.strong));
    if (strong - weak).abs() < 1e-12 {
        return Err(EvaluationError::NoGap);
    }
    let points = curve(&told_apart(scores), outcomes);
    let span = points[EDGES - 1].0 - points[0].0;
    let area: f64 = points.windows(2).map(trapezoid).sum();
    let shares: Vec<_> = points.iter().map(|it| 100.0 * it.0).collect();
    let accuracies: Vec<_> = points.iter().map(|it| it.1).collect();
    let calls = |part: f64| interpolate(weak + part * (strong - weak), &accuracies, &shares);
    Ok(PairReport {
        apgr: (area - weak * span) / ((strong - weak) * span),
        cpt50: calls(0.5),
        cpt80: calls(0.8),
        points,
    })
}

const EDGES: usize = 11;

fn check(scores: &[f64], outcomes: &[PairOutcome]) -> Result<(), EvaluationError> {
    let (left, right) = (scores.len(), outcomes.len());
    if left != right {
        return Err(EvaluationError::Lengths { left, right });
    }
    if left == 0 {
        return Err(EvaluationError::Empty);
    }
    let is_bad = |(score, outcome): (&f64, &PairOutcome)| {
        !(score + outcome.weak + outcome.strong).is_finite()
    };
    match scores.iter().zip(outcomes).position(is_bad) {
        Some(row) => Err(EvaluationError::NotFinite { row }),
        None => Ok(()),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// The scores with noise that is far below what tells two prompts apart: multiples of the golden
/// ratio, which are spread evenly and belong to the row alone.
fn told_apart(scores: &[f64]) -> Vec<f64> {
    let noise = |row: u64| {
        let mixed = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let rows = scores.iter().zip(0..);
    rows.map(|(score, row)| score + 1e-9 * noise(row)).collect()
}

fn curve(scores: &[f64], outcomes: &[PairOutcome]) -> Vec<(f64, f64)> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut points: Vec<_> = (0..EDGES)
        .map(|edge| {
            let threshold = quantile(&sorted, edge as f64 / (EDGES - 1) as f64);
            let is_strong = |score: f64| match edge == EDGES - 1 {
                true => score > threshold,
                false => score >= threshold,
            };
            point(scores, outcomes, is_strong)
        })
        .collect();
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    points
}

/// Linear between the order statistics, as pandas and numpy do by default.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * part;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

fn point(scores: &[f64], outcomes: &[PairOutcome], is_strong: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut calls, mut total) = (0_usize, 0.0);
    for (score, outcome) in scores.iter().zip(outcomes) {
        let strong = is_strong(*score);
        calls += usize::from(strong);
        total += if strong { outcome.strong } else { outcome.weak };
    }
    let count = scores.len() as f64;
    (calls as f64 / count, total / count)
}

fn trapezoid(pair: &[(f64, f64)]) -> f64 {
    (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0
}

/// `numpy.interp` of one number, on `xs` that need not rise.
fn interpolate(x: f64, xs: &[f64], ys: &[f64]) -> f64 {
    let last = xs.len() - 1;
    if x > xs[last] {
        return ys[last];
    }
    if x < xs[0] {
        return ys[0];
    }
    let at = interval(x, xs);
    if at == last || xs[at] == x {
        return ys[at];
    }
    ys[at] + (ys[at + 1] - ys[at]) / (xs[at + 1] - xs[at]) * (x - xs[at])
}

/// The interval that numpy's `binary_search_with_guess` ends in with its first guess, for eleven
/// numbers: it looks at the three intervals from the second on before it halves.
fn interval(x: f64, xs: &[f64]) -> usize {
    if x < xs[1] {
        return 0;
    }
    if x < xs[2] {
        return 1;
    }
    if x < xs[3] {
        return 2;
    }
    let mut low = 3;
    let mut high = if x < xs[9] { 9 } else { xs.len() };
    while low < high {
        let middle = low + (high - low) / 2;
        if x >= xs[middle] {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.interp(x, xs, range(11))` of numpy 2.4.
    #[test]
    fn interpolation_on_a_curve_that_falls_is_numpys() {
        let ys: Vec<_> = (0..11).map(f64::from).collect();
        let xs = [0.0, 2.0, 1.0, 4.0, 3.0, 5.0, 7.0, 6.0, 8.0, 7.5, 9.0];
        for (x, expected) in NUMPY {
            let got = interpolate(x, &xs, &ys);
            assert!(
                (got - expected).abs() < 1e-12,
                "{x}: {got} is not {expected}"
            );
        }
    }

    const NUMPY: [(f64, f64); 7] = [
        (0.5, 0.25),
        (1.5, 0.75),
        (3.5, 2.833333333333333),
        (4.5, 4.75),
        (6.5, 5.75),
        (7.75, 9.166666666666666),
        (8.5, 9.666666666666666),
    ];

    #[test]
    fn ten_prompts_give_what_pencil_and_paper_give() {
        // Scores 0 to 9; the strong model is right everywhere, the weak one on the first five.
        // Shares of calls are 1, .9, …, .1, 0 and accuracies 1 down to share .5, then .9, .8, …, .5.
        let scores: Vec<_> = (0..10).map(f64::from).collect();
        let outcome = |it| PairOutcome {
            weak: f64::from(u8::from(it < 5)),
            strong: 1.0,
        };
        let outcomes: Vec<_> = (0..10).map(outcome).collect();
        let report = evaluate_pair(&scores, &outcomes).expect("ten outcomes");
        assert!((report.apgr - 0.75).abs() < 1e-6, "{report:?}");
        assert!((report.cpt50 - 25.0).abs() < 1e-6, "{report:?}");
        assert!((report.cpt80 - 40.0).abs() < 1e-6, "{report:?}");
    }

    #[test]
    fn equal_scores_are_random_choice() {
        let outcome = |it: u32| PairOutcome {
            weak: f64::from(u8::from(it.is_multiple_of(3))),
            strong: f64::from(u8::from(!it.is_multiple_of(7))),
        };
        let outcomes: Vec<_> = (0..7_000).map(outcome).collect();
        let report = evaluate_pair(&[0.5; 7_000], &outcomes).expect("many outcomes");
        assert!((report.apgr - 0.5).abs() < 0.03, "{report:?}");
    }

    #[test]
    fn what_cannot_be_evaluated_says_why() {
        let both = PairOutcome {
            weak: 1.0,
            strong: 1.0,
        };
        assert_eq!(evaluate_pair(&[], &[]), Err(EvaluationError::Empty));
        assert_eq!(evaluate_pair(&[1.0], &[both]), Err(EvaluationError::NoGap));
        let bad = evaluate_pair(&[f64::NAN], &[both]);
        assert_eq!(bad, Err(EvaluationError::NotFinite { row: 0 }));
        let lengths = EvaluationError::Lengths { left: 0, right: 1 };
        assert_eq!(evaluate_pair(&[], &[both]), Err(lengths));
    }
}

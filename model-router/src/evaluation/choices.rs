//! Which quality at which price?

use super::EvaluationError;

/// What a router among many models achieves.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChoiceReport {
    /// The mean score of the chosen models.
    pub quality: f64,
    /// The mean price of the chosen models, in the unit of the prices: a statistic, not an amount
    /// that anyone is billed.
    pub price: f64,
}

/// The mean score and price of the chosen models: `choices[row]` is a place in `scores[row]` and in
/// `prices`.
///
/// ```
/// use bursar_model_router::evaluation::evaluate_choices;
///
/// let scores = [vec![1.0, 1.0], vec![0.0, 1.0]];
/// let report = evaluate_choices(&[0, 1], &scores, &[0.2, 0.9])?;
/// assert_eq!((report.quality, report.price), (1.0, 0.55));
/// # Ok::<(), bursar_model_router::evaluation::EvaluationError>(())
/// ```
///
/// # Errors
/// [`EvaluationError`] if the lists do not fit together or hold no numbers.
pub fn evaluate_choices(
    choices: &[usize],
    scores: &[Vec<f64>],
    prices: &[f64],
) -> Result<ChoiceReport, EvaluationError> {
    let (left, right) = (choices.len(), scores.len());
    if left != right {
        return Err(EvaluationError::Lengths { left, right });
    }
    if left == 0 {
        return Err(EvaluationError::Empty);
    }
    let (mut quality, mut price) = (0.0, 0.0);
    for (row, (&choice, scores)) in choices.iter().zip(scores).enumerate() {
        let (Some(score), Some(rate)) = (scores.get(choice), prices.get(choice)) else {
            return Err(EvaluationError::UnknownModel { row, choice });
        };
        if !(score + rate).is_finite() {
            return Err(EvaluationError::NotFinite { row });
        }
        quality += score;
        price += rate;
    }
    let count = left as f64;
    Ok(ChoiceReport {
        quality: quality / count,
        price: price / count,
    })
}

/// The area under the best quality that points of a router reach at each price up to `largest`, as a
/// part of `largest`: a mean quality over budgets.
///
/// After AIQ of RouterBench: between two points lies what mixing them at random gives, so that the
/// upper hull counts, which never falls; it goes on flat to `largest`, and left of the cheapest point
/// nothing can be bought, which counts as zero. Points that are not finite or dearer than `largest`
/// are left out; 0 if none is left or `largest` is not above zero.
#[must_use]
pub fn frontier_area(points: &[ChoiceReport], largest: f64) -> f64 {
    let is_in = |it: &&ChoiceReport| it.quality.is_finite() && it.price <= largest;
    let mut points: Vec<_> = points.iter().filter(is_in).copied().collect();
    points.sort_by(|a, b| {
        a.price
            .total_cmp(&b.price)
            .then(b.quality.total_cmp(&a.quality))
    });
    let hull = upper_hull(&points);
    let Some(last) = hull.last().filter(|_| largest > 0.0) else {
        return 0.0;
    };
    let area: f64 = hull.windows(2).map(trapezoid).sum();
    (area + (largest - last.price) * last.quality) / largest
}

/// Andrew's monotone chain, as far as it rises.
fn upper_hull(sorted: &[ChoiceReport]) -> Vec<ChoiceReport> {
    let mut hull: Vec<ChoiceReport> = Vec::new();
    for &point in sorted {
        if hull.last().is_some_and(|it| it.quality >= point.quality) {
            continue;
        }
        while let [.., before, last] = hull[..] {
            let is_above = (last.quality - before.quality) * (point.price - before.price)
                > (point.quality - before.quality) * (last.price - before.price);
            if is_above {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

fn trapezoid(pair: &[ChoiceReport]) -> f64 {
    (pair[1].price - pair[0].price) * (pair[0].quality + pair[1].quality) / 2.0
}

/// What was lost up to each query against a rival that sees the same queries: the running sum of
/// `best − got`. It flattens when a learner has learned.
#[must_use]
pub fn regret(got: &[f64], best: &[f64]) -> Vec<f64> {
    let mut lost = 0.0;
    let pairs = got.iter().zip(best);
    pairs
        .map(|(got, best)| {
            lost += best - got;
            lost
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<ChoiceReport> {
        let point = |&(price, quality)| ChoiceReport { quality, price };
        list.iter().map(point).collect()
    }

    #[test]
    fn the_area_of_a_frontier_is_that_of_its_hull() {
        // (2, .3) lies under the line from (1, .2) to (3, .8); (4, .7) is dearer and worse.
        let list = points(&[(3.0, 0.8), (1.0, 0.2), (2.0, 0.3), (4.0, 0.7)]);
        // A trapezoid of width 2 between .2 and .8, and 2 more at .8.
        assert!((frontier_area(&list, 5.0) - (1.0 + 1.6) / 5.0).abs() < 1e-12);
        assert_eq!(frontier_area(&list, 0.5), 0.0);
        assert_eq!(frontier_area(&[], 1.0), 0.0);
    }

    #[test]
    fn regret_is_what_was_lost_so_far() {
        assert_eq!(regret(&[1.0, 0.0, 1.0], &[1.0, 1.0, 0.5]), [0.0, 1.0, 0.5]);
    }

    #[test]
    fn a_choice_without_an_outcome_is_an_error() {
        let unknown = EvaluationError::UnknownModel { row: 0, choice: 2 };
        assert_eq!(evaluate_choices(&[2], &[vec![1.0]], &[0.1]), Err(unknown));
    }
}

//! Which cheaper model is as good for a task?
//!
//! Models are compared on the same calls, so that the difficulty of a call falls out of the difference. A
//! model is as good if the lower bound of the mean difference is not below the tolerance: it is not enough
//! that no difference was found.

use std::collections::BTreeMap;

use bursar_model_router::TaskType;
use serde::Serialize;

use crate::call::Call;

/// A comparison of fewer calls says nothing.
pub(crate) const FEWEST_PAIRS: usize = 30;

/// One half of a percent of normal errors is below so many standard errors. With eight comparisons a wrong
/// move happens in at most 4 % of reports.
const STANDARD_ERRORS: f64 = 2.576;

/// Two models on the calls of a task that both were graded on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Comparison {
    pub(crate) task: TaskType,
    /// Which served the calls.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) pairs: usize,
    /// Mean grade of `to` less that of `from`.
    pub(crate) difference: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) is_as_good: bool,
}

/// Every model that was graded beside the one that served, by task.
pub(crate) fn compare(calls: &[Call], tolerance: f64) -> Vec<Comparison> {
    let mut differences: BTreeMap<(TaskType, String, String), Vec<f64>> = BTreeMap::new();
    for call in calls {
        let from = call.served_by();
        let Some(own) = call.grades.get(&from) else {
            continue;
        };
        for (to, grade) in call.grades.iter().filter(|(to, _)| **to != from) {
            let key = (call.task, from.clone(), to.clone());
            differences.entry(key).or_default().push(grade - own);
        }
    }
    let comparisons = differences.into_iter();
    let comparisons = comparisons.map(|((task, from, to), differences)| {
        let (difference, half) = mean_and_half_width(&differences);
        let (low, high) = (difference - half, difference + half);
        Comparison {
            task,
            from,
            to,
            pairs: differences.len(),
            difference,
            low,
            high,
            is_as_good: differences.len() >= FEWEST_PAIRS && low >= -tolerance,
        }
    });
    comparisons.collect()
}

/// Two made-up pairs, one lost and one won, keep the width from being zero where all grades agree, as
/// Agresti and Caffo (The American Statistician 54, 2000) do for two shares.
fn mean_and_half_width(differences: &[f64]) -> (f64, f64) {
    let n = differences.len() as f64 + 2.0;
    let sum: f64 = differences.iter().sum();
    let squares: f64 = differences.iter().map(|it| it * it).sum::<f64>() + 2.0;
    let mean = sum / n;
    let variance = (squares - n * mean * mean) / (n - 1.0);
    (mean, STANDARD_ERRORS * (variance.max(0.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_grades_leave_a_doubt_that_shrinks() {
        // n = 98 and two made-up pairs: variance 2/99, standard error 0.014213, 2.576 of them.
        let (mean, half) = mean_and_half_width(&[0.0; 98]);
        assert!(mean == 0.0 && (half - 0.036_614).abs() < 1e-6, "{half}");
        assert!(mean_and_half_width(&[0.0; 998]).1 < half / 3.0);
    }

    #[test]
    fn the_mean_is_drawn_to_no_difference() {
        let (mean, _) = mean_and_half_width(&[-0.5; 8]);
        assert!((mean + 0.4).abs() < 1e-12, "−4 in 10 pairs");
    }
}

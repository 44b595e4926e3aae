//! Many series at once answer as each would alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use bursar_anomaly::{
    Batch, BatchError, Detector, Execution, Observation, PointDetector, PointSettings,
};
use jiff::Timestamp;

fn at(number: usize) -> Timestamp {
    Timestamp::from_second(1_767_571_200 + 300 * number as i64).unwrap()
}

fn value(series: usize, number: usize) -> f64 {
    ((series * 31 + number * 17) % 23) as f64
}

fn history(series: usize, n_points: usize) -> Vec<Observation> {
    (0..n_points)
        .map(|number| Observation::new(at(number), value(series, number)).unwrap())
        .collect()
}

fn batch(n_series: usize) -> Batch<PointDetector> {
    let mut batch = Batch::new();
    for series in 0..n_series {
        batch.add(
            format!("series {series}"),
            PointDetector::new(PointSettings::default()),
        );
    }
    batch
}

fn executions() -> Vec<Execution> {
    vec![
        Execution::Sequential,
        #[cfg(feature = "parallel")]
        Execution::Parallel,
    ]
}

#[test]
fn a_column_is_judged_as_each_series_alone() {
    const N_SERIES: usize = 2500;
    for execution in executions() {
        let mut batch = batch(N_SERIES);
        let mut alone = PointDetector::new(PointSettings::default());
        for number in 0..80 {
            let column: Vec<_> = (0..N_SERIES)
                .map(|series| Observation::new(at(number), value(series, number)).unwrap())
                .collect();
            let judgments = batch.observe(&column, execution).unwrap();
            assert_eq!(judgments.len(), N_SERIES);
            assert_eq!(judgments[2024], alone.observe(column[2024]));
        }
        assert_eq!(batch.series()[2024].name, "series 2024");
    }
}

#[test]
fn histories_give_the_same_on_any_number_of_threads() {
    let histories: Vec<_> = (0..40)
        .map(|series| history(series, 100 + series))
        .collect();
    let expected: Vec<Vec<_>> = histories
        .iter()
        .map(|history| {
            let mut detector = PointDetector::new(PointSettings::default());
            history
                .iter()
                .map(|point| detector.observe(*point))
                .collect()
        })
        .collect();
    for execution in executions() {
        let done = AtomicUsize::new(0);
        let progress = |n_points| {
            done.fetch_add(n_points, Ordering::Relaxed);
        };
        let judgments = batch(40).replay(&histories, execution, progress).unwrap();
        assert_eq!(judgments, expected);
        assert_eq!(
            done.into_inner(),
            histories.iter().map(Vec::len).sum::<usize>()
        );
    }
}

#[test]
fn an_error_of_one_series_does_not_stop_the_others() {
    for execution in executions() {
        let mut histories: Vec<_> = (0..3).map(|series| history(series, 65)).collect();
        histories[1].swap(10, 11);
        let judgments = batch(3).replay(&histories, execution, |_| ()).unwrap();
        let errors: Vec<usize> = judgments
            .iter()
            .map(|series| series.iter().filter(|one| one.is_err()).count())
            .collect();
        assert_eq!(errors, [0, 1, 0]);
        assert!(
            judgments[1][64]
                .as_ref()
                .is_ok_and(|assessment| assessment.verdict().is_none())
        );
        assert!(
            judgments[2][64]
                .as_ref()
                .is_ok_and(|assessment| assessment.verdict().is_some())
        );
    }
}

#[test]
fn a_column_of_another_length_is_refused() {
    let error = batch(3)
        .observe(&history(0, 2), Execution::Sequential)
        .unwrap_err();
    assert_eq!(
        error,
        BatchError {
            given: 2,
            series: 3
        }
    );
    assert_eq!(
        error.to_string(),
        "2 columns of observations for 3 series: pass one for each, in their order"
    );
}

//! The benchmark's scorer, against figures that its own program gives.

use bursar_anomaly::evaluation::nab::{
    Corpus, Geometry, NOTHING_FIRES, NabError, Profile, alarm_clock,
};

fn rows(n_rows: usize) -> Vec<usize> {
    (0..n_rows).collect()
}

fn corpus(n_rows: usize, windows: &[(usize, usize)], scores: &[f64]) -> Corpus {
    let geometry = Geometry::new(&rows(n_rows), windows).expect("the windows lie in the file");
    let mut corpus = Corpus::default();
    corpus
        .add("files", &geometry, scores)
        .expect("one score a row");
    corpus
}

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-6, "{actual}, not {expected}");
}

#[test]
fn silence_scores_nothing_in_every_profile() {
    let corpus = corpus(1_000, &[(400, 499), (700, 799)], &[0.0; 1_000]);
    for profile in Profile::ALL {
        // Were every row to fire, false rows would cost more than the two windows bring.
        let report = corpus.report(profile);
        assert_eq!((report.score, report.threshold), (0.0, NOTHING_FIRES));
        assert_eq!((report.windows_found, report.n_windows), (0, 2));
    }
}

#[test]
fn the_first_row_of_every_window_and_no_other_is_perfect() {
    let mut scores = [0.0; 1_000];
    (scores[400], scores[700]) = (1.0, 1.0);
    for profile in Profile::ALL {
        let report = corpus(1_000, &[(400, 499), (700, 799)], &scores).report(profile);
        assert_eq!((report.score, report.false_rows), (100.0, 0));
    }
}

/// The whole benchmark has 116 windows: "one missed window costs 0.86, ten early false rows cost 0.47".
#[test]
fn a_miss_and_early_false_rows_cost_what_they_cost_in_the_benchmark() {
    let windows: Vec<(usize, usize)> = (0..116).map(|n| (2_000 + 20 * n, 2_009 + 20 * n)).collect();
    let mut scores = vec![0.0; 5_000];
    windows.iter().for_each(|(first, _)| scores[*first] = 1.0);
    scores[2_000] = 0.0;
    let missed = corpus(5_000, &windows, &scores).report(Profile::STANDARD);
    close(missed.score, 100.0 - 200.0 / 232.0);

    scores[2_000] = 1.0;
    scores[1_000..1_010].fill(1.0);
    let false_rows = corpus(5_000, &windows, &scores).report(Profile::STANDARD);
    close(false_rows.score, 100.0 - 100.0 * 10.0 * 0.11 / 232.0);
    assert_eq!(false_rows.false_rows, 10);
}

/// Rows 0 to 99, probation 15, window 40 to 49; fired: 20 (false), 44 and 47 (inside), 51 (late).
#[test]
fn a_small_corpus_scores_as_by_hand() {
    let mut scores = [0.0; 100];
    for row in [20, 44, 47, 51] {
        scores[row] = 0.7;
    }
    // Row 44: position −6/10, tanh(1.5) ÷ tanh(2.5) = 0.905148 ÷ 0.986614.
    let inside = 1.5_f64.tanh() / 2.5_f64.tanh();
    close(inside, 0.917_428_8);
    // Row 51: two rows after the edge, 2/9 of the width less one; −tanh(5/9).
    let late = -(5.0_f64 / 9.0).tanh();
    let expected = |found: f64, false_row: f64, missed: f64| {
        let raw = inside * found + false_row * (late - 1.0);
        100.0 * (raw + missed) / (found + missed)
    };
    let corpus = corpus(100, &[(40, 49)], &scores);
    close(
        corpus.report(Profile::STANDARD).score,
        expected(1.0, 0.11, 1.0),
    );
    close(
        corpus.report(Profile::REWARD_LOW_FP_RATE).score,
        expected(1.0, 0.22, 1.0),
    );
    close(
        corpus.report(Profile::REWARD_LOW_FN_RATE).score,
        expected(1.0, 0.11, 2.0),
    );
}

#[test]
fn rows_of_the_probation_are_not_scored() {
    let mut scores = [0.0; 100];
    scores[..15].fill(1.0);
    scores[40] = 1.0;
    assert_eq!(
        corpus(100, &[(40, 49)], &scores)
            .report(Profile::STANDARD)
            .score,
        100.0
    );
}

#[test]
fn of_equally_good_thresholds_the_highest_is_taken() {
    let mut scores = [0.0; 100];
    // The second row of the window adds nothing to the first.
    (scores[40], scores[41]) = (0.9, 0.8);
    let report = corpus(100, &[(40, 49)], &scores).report(Profile::STANDARD);
    assert_eq!(report.threshold, 0.9);
}

/// A sweep and a trial of every threshold agree.
#[test]
fn the_best_threshold_is_the_best_of_all_that_can_be_tried() {
    let mut state = 7_u64;
    let scores: Vec<f64> = (0..600)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 58) as f64 / 64.0
        })
        .collect();
    let corpus = corpus(600, &[(200, 240), (400, 420), (500, 510)], &scores);
    for profile in Profile::ALL {
        let tried = scores.iter().copied().chain([NOTHING_FIRES]);
        let best = tried.map(|threshold| corpus.report_at(profile, threshold).score);
        close(corpus.report(profile).score, best.fold(f64::MIN, f64::max));
    }
}

#[test]
fn categories_add_up_to_the_whole() {
    let geometry = Geometry::new(&rows(400), &[(200, 239)]).expect("the window lies in the file");
    let mut corpus = Corpus::default();
    for category in ["a", "b", "a"] {
        corpus
            .add(category, &geometry, &alarm_clock(400, 110))
            .expect("one score a row");
    }
    let report = corpus.report_at(Profile::STANDARD, 1.0);
    let [a, b] = report.categories.as_slice() else {
        panic!("two categories")
    };
    assert_eq!((a.n_windows, b.n_windows), (2, 1));
    close(report.score, (2.0 * a.score + b.score) / 3.0);
}

#[test]
fn scores_that_are_none_are_refused() {
    let geometry = Geometry::new(&rows(40), &[(20, 29)]).expect("the window lies in the file");
    let mut corpus = Corpus::default();
    let error = corpus
        .add("files", &geometry, &[0.0; 39])
        .expect_err("one is missing");
    assert_eq!(
        error,
        NabError::Length {
            scores: 39,
            rows: 40
        }
    );
    let mut scores = [0.0; 40];
    scores[3] = 1.5;
    let error = corpus
        .add("files", &geometry, &scores)
        .expect_err("it is over 1");
    assert_eq!(error, NabError::Score { row: 3, score: 1.5 });
}

//! Is a trend found where there is one, and only there?

use bursar_cost_model::{Closing, DailySeries, ExactSum, Growth, MIN_TREND_DAYS, TrendVerdict};
use proptest::prelude::*;

use super::{Random, WEEK, cents, check_near, monday, series_of, weekly_autoregression, window};

/// Thirty days from a Monday, of which the 10th and the 18th are not known.
pub(super) fn month_with_gaps() -> DailySeries {
    let costs = [
        102.4, 99.1, 104.7, 108.2, 101.9, 71.3, 66.8, 104.5, 109.9, 103.2, 111.4, 108.8, 70.1,
        75.6, 110.3, 107.7, 115.2, 112.9, 109.4, 78.8, 73.9, 118.1, 113.5, 116.8, 112.2, 120.7,
        80.4, 79.3, 117.6, 121.9,
    ];
    let window = window(monday(), costs.len());
    let days = window.days().zip(costs.map(cents)).enumerate();
    let known = days
        .filter(|(i, _)| ![9, 17].contains(i))
        .map(|(_, day)| day);
    DailySeries::new(window, Closing::Unknown, known).unwrap()
}

/// Sixteen days of which each is like the one before.
pub(super) fn slow_days() -> DailySeries {
    series_of(&[
        10.2, 10.9, 11.8, 12.1, 11.5, 11.9, 12.8, 13.1, 12.6, 12.2, 13.4, 13.9, 14.6, 14.1, 13.7,
        14.4,
    ])
}

// The expected values of the next two tests were computed with SciPy 1.17.1 and statsmodels
// 0.15.0. Plain: `scipy.stats.linregress(x, y)`. Corrected: X = [1, x, weekday 1…6];
// e = OLS(y, X).fit().resid; M = I − X·pinv(X); L with ½ beside the diagonal; R = φ**|xᵢ − xⱼ|;
// φ₀ = brentq(trace(M L M R)/trace(M R) − e'Le/e'e, −0.5, 0.98); φ = φ₀ + 0.75·√((1 − φ₀⁺²)/n),
// within 0 and 0.95; s² = e'e/trace(M R); dof = trace(MR)²/trace(MRMR);
// se = √(s²·[(X'X)⁻¹X'RX(X'X)⁻¹]₁₁); p = 2·scipy.stats.t.sf(b/se, dof).
#[test]
fn agrees_with_the_reference_on_a_weekly_pattern_with_gaps() {
    let growth = Growth::of(&month_with_gaps());
    assert_eq!((growth.days, growth.missing_days), (28, 2));
    check_near(growth.mean.unwrap(), 100.375_000_000_000_01);

    let plain = growth.plain.unwrap();
    check_near(plain.per_day.slope, 0.393_827_040_824_569_1);
    check_near(plain.per_day.standard_error, 0.374_947_646_850_052_83);
    check_near(plain.t.unwrap(), 1.050_352_080_172_052_5);
    check_near(plain.p_value, 0.303_221_611_207_386_2);
    check_near(plain.per_day.low, -0.376_888_885_225_586_4);
    check_near(plain.per_day.high, 1.164_542_966_874_724_7);
    check_near(plain.percent.unwrap().slope, 0.392_355_706_923_605_55);
    check_near(
        plain.percent.unwrap().standard_error,
        0.373_546_846_176_889_44,
    );

    let corrected = growth.corrected.unwrap();
    assert!(growth.weekday_effects);
    assert_eq!(growth.autocorrelation, Some(0.0));
    check_near(corrected.per_day.slope, 0.589_151_450_053_498_6);
    check_near(corrected.per_day.standard_error, 0.063_218_313_969_171_77);
    check_near(corrected.degrees_of_freedom, 20.0);
    check_near(corrected.p_value, 1.021_237_521_093_858_1e-8);
    assert_eq!(growth.verdict, TrendVerdict::Growing);
}

#[test]
fn agrees_with_the_reference_on_days_that_depend_on_each_other() {
    let growth = Growth::of(&slow_days());
    let (plain, corrected) = (growth.plain.unwrap(), growth.corrected.unwrap());
    assert!(!growth.weekday_effects);
    check_near(plain.per_day.slope, 0.248_823_529_411_764_7);
    check_near(plain.per_day.standard_error, 0.027_153_196_771_440_263);
    check_near(plain.p_value, 2.724_753_500_518_230_5e-7);
    check_near(growth.autocorrelation.unwrap(), 0.603_201_918_686_734_7);
    check_near(corrected.per_day.slope, plain.per_day.slope);
    check_near(corrected.per_day.standard_error, 0.053_361_152_685_332_786);
    check_near(corrected.degrees_of_freedom, 8.254_440_573_756_366);
    check_near(corrected.p_value, 0.001_487_388_754_457_443);
}

#[test]
fn computes_a_line_by_hand() {
    // x = 0…13, y = 10 + x with +1 and −1 in turns from the outside in, so that the slope stays.
    let turns = [
        1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0,
    ];
    let values: Vec<f64> = turns
        .iter()
        .zip(0i32..)
        .map(|(e, x)| 10.0 + f64::from(x) + e)
        .collect();
    let plain = Growth::of(&series_of(&values)).plain.unwrap();
    // Σe² = 12, Σ(x − x̄)² = 14·195 ÷ 12 = 227.5, so SE = √(12 ÷ 12 ÷ 227.5).
    check_near(plain.per_day.slope, 1.0);
    check_near(plain.per_day.standard_error, (1.0f64 / 227.5).sqrt());
    check_near(plain.percent.unwrap().slope, 100.0 / 16.5);
}

#[test]
fn is_not_ready_below_two_weeks() {
    let growth = Growth::of(&series_of(&[1.0; 13]));
    let need = MIN_TREND_DAYS;
    assert_eq!(growth.verdict, TrendVerdict::NotReady { have: 13, need });
    assert_eq!((growth.plain, growth.corrected), (None, None));
}

#[test]
fn handles_series_without_noise() {
    let constant = Growth::of(&series_of(&[12.34; 30]));
    assert_eq!(constant.verdict, TrendVerdict::NotSignificant);
    assert_eq!(constant.corrected.unwrap().p_value, 1.0);
    assert_eq!(constant.corrected.unwrap().per_day.slope, 0.0);

    let zero = Growth::of(&series_of(&[0.0; 30]));
    assert_eq!(zero.verdict, TrendVerdict::NotSignificant);
    assert_eq!(zero.corrected.unwrap().percent, None);

    let pattern: Vec<f64> = (0..35).map(|i| 100.0 * WEEK[i % 7]).collect();
    assert_eq!(
        Growth::of(&series_of(&pattern)).verdict,
        TrendVerdict::NotSignificant
    );

    let line: Vec<f64> = (0..30).map(|i| 100.0 - f64::from(i)).collect();
    let line = Growth::of(&series_of(&line));
    assert_eq!(line.verdict, TrendVerdict::Shrinking);
    assert_eq!(
        (line.corrected.unwrap().t, line.corrected.unwrap().p_value),
        (None, 0.0)
    );
}

#[test]
fn has_no_percentage_of_a_mean_of_zero() {
    let values: Vec<f64> = (0..31).map(|i| f64::from(i) - 15.0).collect();
    let growth = Growth::of(&series_of(&values));
    assert_eq!(growth.verdict, TrendVerdict::Growing);
    assert_eq!(growth.corrected.unwrap().percent, None);
}

#[test]
fn calls_a_shrinking_credit_growing_cost() {
    let values: Vec<f64> = (0..30)
        .map(|i| -100.0 + f64::from(i) + f64::from(i % 3))
        .collect();
    let growth = Growth::of(&series_of(&values));
    assert_eq!(growth.verdict, TrendVerdict::Growing);
    assert!(growth.corrected.unwrap().percent.unwrap().slope > 0.0);
}

fn significant(growth: &Growth) -> bool {
    matches!(
        growth.verdict,
        TrendVerdict::Growing | TrendVerdict::Shrinking
    )
}

/// The share of `count` made-up series that are called significant.
fn share_significant(count: u32, mut make: impl FnMut() -> Vec<f64>) -> f64 {
    let hits = (0..count).filter(|_| significant(&Growth::of(&series_of(&make()))));
    hits.count() as f64 / f64::from(count)
}

fn check_shuffles(seed: u64, base: Vec<f64>) {
    let mut random = Random(seed);
    let mut values = base;
    let share = share_significant(2000, || {
        random.shuffle(&mut values);
        values.clone()
    });
    assert!(
        share <= 0.05,
        "{share} of the shuffled series are called significant"
    );
}

#[test]
fn finds_no_growth_in_shuffled_lognormal_days() {
    let mut random = Random(1);
    check_shuffles(
        11,
        (0..30)
            .map(|_| 100.0 * (0.5 * random.normal()).exp())
            .collect(),
    );
}

#[test]
fn finds_no_growth_in_a_shuffled_weekly_pattern() {
    let mut random = Random(2);
    check_shuffles(12, weekly_autoregression(&mut random, 0.0, 42));
}

#[test]
fn finds_no_growth_in_shuffled_spikes_and_heavy_tails() {
    let mut random = Random(3);
    // Pareto with exponent 1.5: no variance.
    check_shuffles(
        13,
        (0..30)
            .map(|_| 50.0 * random.uniform().powf(-1.0 / 1.5))
            .collect(),
    );
    let mut spikes = vec![10.0; 28];
    spikes.extend([500.0, 500.0]);
    check_shuffles(14, spikes);
}

#[test]
fn finds_no_growth_in_shuffled_days_that_are_mostly_zero() {
    let mut random = Random(4);
    let day = |random: &mut Random| match random.uniform() < 0.7 {
        true => 0.0,
        false => 50.0 * random.normal().exp(),
    };
    check_shuffles(15, (0..30).map(|_| day(&mut random)).collect());
}

#[test]
fn finds_no_growth_in_shuffled_short_series() {
    let mut random = Random(5);
    check_shuffles(
        16,
        (0..14).map(|_| 100.0 + 10.0 * random.normal()).collect(),
    );
}

/// The billed cost of each day of a FOCUS file for one provider, missing days as zero.
fn billed_by_day(file: &std::path::Path, provider: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let index = |name: &str| header.iter().position(|column| column == name).unwrap();
    let columns = ["ProviderName", "ChargePeriodStart", "BilledCost"].map(index);
    let mut days = std::collections::BTreeMap::<String, ExactSum>::new();
    for row in reader.records() {
        let row = row.unwrap();
        let [name, start, cost] = columns.map(|column| &row[column]);
        if name == provider {
            let day = days.entry(start[..10].to_owned()).or_default();
            day.add(cost.parse().unwrap()).unwrap();
        }
    }
    days.values().map(ExactSum::to_f64).collect()
}

#[test]
fn finds_no_growth_in_shuffled_real_bills() {
    let Some(data) = std::env::var_os("BURSAR_DATA") else {
        eprintln!("SKIPPED: set BURSAR_DATA to a folder with focus/focus_sample.csv");
        return;
    };
    let file = std::path::Path::new(&data).join("focus/focus_sample.csv");
    for (seed, provider, days) in [(17, "AWS", 30), (18, "Microsoft", 19)] {
        let costs = billed_by_day(&file, provider);
        assert_eq!(costs.len(), days, "{provider}");
        // The series is kept to the cent and these bills are small.
        check_shuffles(seed, costs.iter().map(|cost| cost * 10_000.0).collect());
    }
}

#[test]
fn seldom_finds_growth_in_correlated_days_with_a_weekly_pattern() {
    // 20,000 simulated series: 2.7 %, 5.3 % and 6.8 %; the bounds leave four standard errors.
    for (seed, phi, bound) in [(21, 0.0, 0.045), (22, 0.5, 0.075), (23, 0.7, 0.093)] {
        let mut random = Random(seed);
        let share = share_significant(2000, || weekly_autoregression(&mut random, phi, 30));
        assert!(share <= bound, "φ = {phi}: {share}");
    }
}

#[test]
fn corrects_what_the_plain_test_gets_wrong() {
    let mut random = Random(31);
    let (mut plain, mut corrected) = (0, 0);
    for _ in 0..1000 {
        let noise = random.autoregression(0.7, 60);
        let values: Vec<f64> = noise.iter().map(|noise| 100.0 + 10.0 * noise).collect();
        let growth = Growth::of(&series_of(&values));
        plain += i32::from(growth.plain.unwrap().p_value < 0.05);
        corrected += i32::from(significant(&growth));
    }
    assert!(
        plain > 250,
        "the plain test is wrong in {plain} of 1000 cases"
    );
    assert!(
        corrected <= 80,
        "the corrected test is wrong in {corrected} of 1000 cases"
    );
}

#[test]
fn finds_growth_of_one_percent_a_day() {
    // 1 % of the mean a day, noise of 10 % of the mean, thirty days.
    let mut random = Random(41);
    let share = share_significant(2000, || {
        let line = |i: i32| 100.0 + f64::from(i) - 14.5;
        (0..30).map(|i| line(i) + 10.0 * random.normal()).collect()
    });
    assert!(share >= 0.95, "found in {share} of the cases");
}

#[test]
fn finds_compound_growth_under_a_weekly_pattern() {
    let mut random = Random(42);
    let share = share_significant(2000, || {
        let level = |i: usize| 100.0 * 1.01f64.powi(i32::try_from(i).unwrap()) * WEEK[i % 7];
        (0..30)
            .map(|i| level(i) * (1.0 + 0.1 * random.normal()))
            .collect()
    });
    assert!(share >= 0.94, "found in {share} of the cases");
}

proptest! {
    #[test]
    fn does_not_depend_on_the_unit_of_the_currency(
        values in proptest::collection::vec(0u32..1_000_000, 14..60),
    ) {
        let euros: Vec<f64> = values.iter().map(|v| f64::from(*v) / 100.0).collect();
        let cents: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        let (a, b) = (Growth::of(&series_of(&euros)), Growth::of(&series_of(&cents)));
        prop_assert_eq!(a.verdict, b.verdict);
        if let (Some(a), Some(b)) = (a.corrected, b.corrected) {
            prop_assert!((a.p_value - b.p_value).abs() < 1e-6);
        }
    }

    #[test]
    fn turns_with_the_sign(values in proptest::collection::vec(-1e6f64..1e6, 14..60)) {
        let turned: Vec<f64> = values.iter().map(|v| -v).collect();
        let (a, b) = (Growth::of(&series_of(&values)), Growth::of(&series_of(&turned)));
        let (a, b) = (a.corrected.unwrap(), b.corrected.unwrap());
        prop_assert!((a.per_day.slope + b.per_day.slope).abs() <= 1e-6 * a.per_day.slope.abs().max(1e-6));
    }

    #[test]
    fn gives_finite_figures_on_any_amounts(
        cells in proptest::collection::vec((any::<i64>(), 0u32..37), 1..80),
        gaps in proptest::collection::vec(any::<bool>(), 80),
    ) {
        let window = window(monday(), 80);
        let amount = |(mantissa, scale): (i64, u32)| bursar_cost_model::Exact::new(mantissa.into(), scale).unwrap().into();
        let days = window.days().zip(cells.into_iter().map(amount)).zip(gaps);
        let known = days.filter(|(_, known)| *known).map(|(day, _)| day);
        let series = DailySeries::new(window, Closing::Unknown, known).unwrap();
        let growth = Growth::of(&series);
        for test in growth.plain.iter().chain(&growth.corrected) {
            prop_assert!((0.0..=1.0).contains(&test.p_value));
            prop_assert!(test.per_day.low.is_finite() && test.per_day.high.is_finite());
        }
    }
}

//! Are made machines what they claim to be?

use bursar_cost_model::synthetic_machines::{Habit, SAMPLES_PER_DAY, SyntheticMachine};

const LASTING: [Habit; 6] = [
    Habit::Steady,
    Habit::Daily,
    Habit::Weekly,
    Habit::Bursty,
    Habit::Idle,
    Habit::Batch,
];

fn share_above(cpu: &[f64], level: f64) -> f64 {
    cpu.iter().filter(|value| **value > level).count() as f64 / cpu.len() as f64
}

fn quantile(cpu: &[f64], q: f64) -> f64 {
    let mut sorted = cpu.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(q * (sorted.len() - 1) as f64) as usize]
}

#[test]
fn a_seed_and_a_number_make_one_machine() {
    let machine = SyntheticMachine::make(7, 3, 4);
    assert_eq!(
        machine.cpu_percent,
        SyntheticMachine::make(7, 3, 4).cpu_percent
    );
    assert_ne!(
        machine.cpu_percent,
        SyntheticMachine::make(7, 4, 4).cpu_percent
    );
    assert_ne!(
        machine.cpu_percent,
        SyntheticMachine::make(8, 3, 4).cpu_percent
    );
    let longer = SyntheticMachine::make(7, 3, 9);
    assert_eq!(
        machine.cpu_percent,
        longer.cpu_percent[..4 * SAMPLES_PER_DAY]
    );
    assert!(SyntheticMachine::make(7, 3, 0).cpu_percent.is_empty());
}

#[test]
fn habits_are_drawn_by_their_shares() {
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..2_000 {
        let habit = SyntheticMachine::make(1, number, 0).habit;
        *counts.entry(habit).or_insert(0_u32) += 1;
    }
    assert_eq!(
        Habit::SHARES.iter().map(|(_, share)| share).sum::<u32>(),
        100
    );
    for (habit, share) in Habit::SHARES {
        // Four standard deviations of a binomial count.
        let expected = f64::from(share) * 20.0;
        let off = (f64::from(counts[&habit]) - expected).abs();
        assert!(off < 4.0 * expected.sqrt(), "{habit:?}: {counts:?}");
    }
}

/// The computed truth against a long run of the machine itself.
fn check_truth(days: usize, n_machines: u64, relative: f64) {
    for habit in LASTING {
        for number in 0..n_machines {
            let machine = SyntheticMachine::with_habit(habit, 5, number, days);
            for q in [0.5, 0.9, 0.99] {
                let level = quantile(&machine.cpu_percent, q);
                if level >= 99.9 {
                    continue;
                }
                let truth = machine.exceedance(level).unwrap();
                let seen = share_above(&machine.cpu_percent, level);
                assert!(
                    (truth - seen).abs() < relative * seen + 0.002,
                    "{habit:?} {number} above {level}: {truth} computed, {seen} seen"
                );
            }
        }
    }
}

/// Half a year has 26 weekly jobs and some hundred bursts: the shares agree to a quarter.
#[test]
fn the_truth_is_what_half_a_year_shows() {
    check_truth(182, 2, 0.25);
}

#[test]
#[ignore = "takes minutes without optimization"]
fn the_truth_is_what_five_years_show() {
    check_truth(5 * 364, 4, 0.12);
}

#[test]
fn a_machine_that_changes_has_no_truth() {
    for habit in [Habit::Drift, Habit::Steps, Habit::Leak] {
        assert_eq!(
            SyntheticMachine::with_habit(habit, 1, 1, 1).exceedance(50.0),
            None
        );
    }
    let steady = SyntheticMachine::with_habit(Habit::Steady, 1, 1, 1);
    assert_eq!(steady.exceedance(f64::NAN), None);
    assert_eq!(steady.exceedance(100.0), Some(0.0));
    assert_eq!(steady.exceedance(-1.0), Some(1.0));
}

#[test]
fn weekends_are_quieter_and_drift_goes_on() {
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let weekly = SyntheticMachine::with_habit(Habit::Weekly, 2, 0, 28);
    let (mut workdays, mut weekends) = (Vec::new(), Vec::new());
    for (day, cpu) in weekly.cpu_percent.chunks(SAMPLES_PER_DAY).enumerate() {
        if day % 7 < 5 {
            workdays.push(mean(cpu))
        } else {
            weekends.push(mean(cpu))
        }
    }
    assert!(mean(&weekends) < 0.95 * mean(&workdays));

    let leak = SyntheticMachine::with_habit(Habit::Leak, 2, 1, 28);
    let days: Vec<f64> = leak.cpu_percent.chunks(SAMPLES_PER_DAY).map(mean).collect();
    assert!(quantile(&days, 1.0) > 1.1 * quantile(&days, 0.0));
}

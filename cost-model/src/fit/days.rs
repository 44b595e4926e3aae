//! What does each day repeat, and where is the level going?
//!
//! Samples of a machine are not independent: a busy hour is busy throughout, and so is a busy day.
//! Days are taken as the blocks that vary on their own (Künsch, Annals of Statistics 17, 1989); a
//! rhythm that comes back every day is then no variation at all, and from two weeks on each day is
//! compared with the same weekdays.

use std::ops::Range;

use super::solve::{normal_quantile, student_quantile};
use super::usage::SampleStep;

/// Days from which weekdays are told apart.
const WEEKLY_FROM: usize = 14;
/// Days from which a change is looked for.
const CHANGE_FROM: usize = 6;
/// The share of a day's samples that tell its level: its busiest tenth, which a fit is about.
const BUSY_SHARE: f64 = 0.1;
/// How far a growth has to be from none, two-sided.
const GROWTH_SIGNIFICANCE: f64 = 0.05;
/// How many standard errors a step has to have; the largest of a dozen possible ones is taken, so
/// a single one is tested at less than a tenth of a percent.
const STEP_ERRORS: f64 = 4.5;
/// Days that a level has to stay before and after a step.
const STEP_DAYS: usize = 3;
/// Days for which the belief counts that the samples of one hour tell the same.
const PRIOR_DAYS: f64 = 2.0;

/// The days of a series, without those of which less than half was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Days {
    days: Vec<Day>,
    weekly: bool,
    samples_per_hour: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Day {
    /// Days from the start of the series.
    place: usize,
    samples: Range<usize>,
    present: f64,
}

/// How the level of busy hours changed while it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    /// Not more than by chance, or downward.
    None,
    /// It grows every day by that much, give or take the standard error.
    Growth {
        per_day: f64,
        error: f64,
        /// How much of it to expect, 0 to 1.
        trust: f64,
    },
    /// It rose by that much on that day.
    Step {
        day: usize,
        by: f64,
        error: f64,
        /// How much of it to expect, 0 to 1.
        trust: f64,
    },
}

impl Days {
    pub(crate) fn of(series: &[f64], step: SampleStep) -> Days {
        let per_day = step.per_day();
        let days: Vec<Day> = (0..series.len().div_ceil(per_day))
            .filter_map(|place| {
                let samples = place * per_day..((place + 1) * per_day).min(series.len());
                let present = series.get(samples.clone())?.iter();
                let present = present.filter(|value| !value.is_nan()).count();
                (2 * present >= per_day).then_some(Day {
                    place,
                    samples,
                    present: present as f64,
                })
            })
            .collect();
        Days {
            weekly: days.len() >= WEEKLY_FROM,
            days,
            samples_per_hour: (1.0 / step.as_hours()).max(1.0),
        }
    }

    /// How many times as many samples are needed to know the share above `level` as if each told
    /// something of its own: the variance from day to day over that of independent samples, with a
    /// margin for it being an estimate itself.
    pub(crate) fn design_effect(&self, series: &[f64], level: f64, confidence: f64) -> f64 {
        let above: Vec<f64> = self
            .days
            .iter()
            .map(|day| values(series, day).filter(|value| *value > level).count() as f64)
            .collect();
        let present: f64 = self.days.iter().map(|day| day.present).sum();
        let share = above.iter().sum::<f64>() / present.max(1.0);
        let mut rest: Vec<f64> = above
            .iter()
            .zip(&self.days)
            .map(|(above, day)| above - share * day.present)
            .collect();
        let independent = share * (1.0 - share) * present / self.days.len().max(1) as f64;
        if independent <= 0.0 {
            return self.samples_per_hour;
        }
        let freedom = self.without_phases(&mut rest, self.phases());
        let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
        let seen = squares * self.resemblance(&rest) / independent;
        let effect = (seen + PRIOR_DAYS * self.samples_per_hour) / (freedom + PRIOR_DAYS);
        effect.max(1.0) * margin(freedom + PRIOR_DAYS, confidence)
    }

    /// The same for the mean of the excesses over `level`, as against that of independent ones.
    pub(crate) fn excess_effect(&self, series: &[f64], level: f64) -> f64 {
        let sums: Vec<(f64, f64)> = self
            .days
            .iter()
            .map(|day| {
                values(series, day)
                    .filter(|value| *value > level)
                    .fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value - level))
            })
            .collect();
        let n: f64 = sums.iter().map(|(n, _)| n).sum();
        let mean = sums.iter().map(|(_, sum)| sum).sum::<f64>() / n.max(1.0);
        let squares: f64 = self
            .days
            .iter()
            .flat_map(|day| values(series, day))
            .filter(|value| *value > level)
            .map(|value| (value - level - mean).powi(2))
            .sum();
        if squares <= 0.0 {
            return self.samples_per_hour;
        }
        let rest: f64 = sums.iter().map(|(n, sum)| (sum - mean * n).powi(2)).sum();
        let freedom = (self.days.len() as f64 - 1.0).max(1.0);
        let days = self.days.len() as f64;
        // The variance of a ratio estimator over σ² ÷ n.
        let seen = rest / squares * days / freedom;
        let effect = (freedom * seen + PRIOR_DAYS * self.samples_per_hour) / (freedom + PRIOR_DAYS);
        effect.max(1.0)
    }

    /// Whether the busy hours of the days grow, or rose once.
    pub(crate) fn change(&self, series: &[f64]) -> Change {
        if self.days.len() < CHANGE_FROM {
            return Change::None;
        }
        let levels: Vec<f64> = self
            .days
            .iter()
            .map(|day| busy_level(series, day))
            .collect();
        let growing = |day: &Day| day.place as f64;
        // Two weeks in which each weekday has its own level cannot tell a line from a step between
        // them, so which of the two it was is decided with one level for all days.
        let (step, explained) = self.likeliest_step(&levels);
        let stepping = |day: &Day| f64::from(u8::from(day.place >= step));
        let line = self.regression(&levels, growing, 1);
        if explained > line.explained {
            let up = self.regression(&levels, stepping, self.phases());
            if up.slope > STEP_ERRORS * up.error {
                return Change::Step {
                    day: step,
                    by: up.slope,
                    error: up.error,
                    trust: up.trust(STEP_ERRORS),
                };
            }
        }
        let growth = self.regression(&levels, growing, self.phases());
        let needed = student_quantile(growth.freedom, 1.0 - GROWTH_SIGNIFICANCE / 2.0);
        if growth.slope > needed * growth.error {
            return Change::Growth {
                per_day: growth.slope,
                error: growth.error,
                trust: growth.trust(needed),
            };
        }
        Change::None
    }

    /// The day from which another level explains most, and how much that is.
    fn likeliest_step(&self, levels: &[f64]) -> (usize, f64) {
        let last = self.days.len().saturating_sub(STEP_DAYS);
        self.days
            .iter()
            .take(last + 1)
            .skip(STEP_DAYS)
            .map(|first| {
                let stepping = |day: &Day| f64::from(u8::from(day.place >= first.place));
                let explained = self.regression(levels, stepping, 1).explained;
                (first.place, explained)
            })
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .unwrap_or((0, 0.0))
    }

    /// A line through levels by day, beside one level for each of the phases.
    fn regression(&self, levels: &[f64], of: impl Fn(&Day) -> f64, phases: usize) -> Regression {
        let mut levels = levels.to_vec();
        let mut x: Vec<f64> = self.days.iter().map(of).collect();
        let freedom = (self.without_phases(&mut levels, phases) - 1.0).max(1.0);
        self.without_phases(&mut x, phases);
        let spread: f64 = x.iter().map(|x| x * x).sum();
        if spread <= 0.0 {
            return Regression::NONE;
        }
        let total: f64 = levels.iter().map(|level| level * level).sum();
        let product: f64 = x.iter().zip(&levels).map(|(x, level)| x * level).sum();
        let explained = product * product / spread;
        Regression {
            slope: product / spread,
            error: ((total - explained).max(0.0) / freedom / spread).sqrt(),
            explained,
            freedom,
        }
    }

    fn phases(&self) -> usize {
        if self.weekly { 7 } else { 1 }
    }

    /// Takes the mean of each phase out of values by day, such as that of each weekday, and returns
    /// the degrees of freedom that are left.
    fn without_phases(&self, by_day: &mut [f64], phases: usize) -> f64 {
        let mut used = 0;
        for phase in 0..phases {
            let of_phase = |day: &&Day| day.place % phases == phase;
            let n = self.days.iter().filter(of_phase).count();
            let sum: f64 = by_day
                .iter()
                .zip(&self.days)
                .filter(|(_, day)| of_phase(day))
                .map(|(value, _)| value)
                .sum();
            used += usize::from(n > 0);
            for (value, day) in by_day.iter_mut().zip(&self.days) {
                if of_phase(&day) {
                    *value -= sum / n as f64;
                }
            }
        }
        (self.days.len() as f64 - f64::from(u32::try_from(used).unwrap_or(u32::MAX))).max(1.0)
    }

    /// By how much more the mean of days varies because a day resembles the one before it:
    /// (1 + ρ) ÷ (1 − ρ) of a first-order autoregression.
    fn resemblance(&self, rest: &[f64]) -> f64 {
        let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
        if squares <= 0.0 {
            return 1.0;
        }
        let products: f64 = rest
            .windows(2)
            .map(|pair| pair.iter().product::<f64>())
            .sum();
        let rho = (products / squares).clamp(0.0, 0.7);
        (1.0 + rho) / (1.0 - rho)
    }
}

/// A line through values by day.
#[derive(Debug, Clone, Copy)]
struct Regression {
    slope: f64,
    /// The standard error of the slope.
    error: f64,
    /// Sum of squares that it explains.
    explained: f64,
    freedom: f64,
}

impl Regression {
    const NONE: Regression = Regression {
        slope: 0.0,
        error: f64::INFINITY,
        explained: 0.0,
        freedom: 1.0,
    };

    /// A slope that is looked at because it is large is too large on average, the more so the
    /// closer it is to the limit of `errors` standard errors: 1 − (limit ÷ t)².
    fn trust(&self, errors: f64) -> f64 {
        let limit = errors * self.error / self.slope;
        (1.0 - limit * limit).clamp(0.0, 1.0)
    }
}

fn values<'a>(series: &'a [f64], day: &Day) -> impl Iterator<Item = f64> + 'a {
    let samples = series.get(day.samples.clone()).unwrap_or_default();
    samples.iter().copied().filter(|value| !value.is_nan())
}

fn busy_level(series: &[f64], day: &Day) -> f64 {
    let mut values: Vec<f64> = values(series, day).collect();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let busy = ((values.len() as f64 * BUSY_SHARE).ceil() as usize).max(1);
    let busy = values.get(..busy).unwrap_or(&values);
    busy.iter().sum::<f64>() / busy.len().max(1) as f64
}

/// How much wider a limit is for a variance estimated with so many degrees of freedom: the square
/// of Student's over the normal quantile.
fn margin(freedom: f64, confidence: f64) -> f64 {
    (student_quantile(freedom, confidence) / normal_quantile(confidence)).powi(2)
}

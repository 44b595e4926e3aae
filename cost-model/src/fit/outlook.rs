//! How often will a resource need more than some level in the next weeks?

use super::days::{Change, Days};
use super::solve::{clopper_pearson_upper, gamma_quantile, normal_quantile};
use super::sorted::Sorted;
use super::tail::Tail;
use super::usage::{Evidence, SampleStep, Usage};

/// The share of the samples to which a tail is fitted.
const TAIL_SHARE: f64 = 0.05;
/// Samples that a tail needs at least, where there are so many.
const TAIL_SAMPLES: f64 = 30.0;
/// Samples above a level from which they are counted and not extrapolated.
const COUNTABLE: f64 = 20.0;
/// The most that not knowing the tail may add to the variance of a share, relative to its square:
/// beyond it a gamma distribution says mostly zero, and its quantile shrinks again.
const LARGEST_TAIL_VARIANCE: f64 = 4.0;
/// By how much more than its maximum a resource may need of which only a maximum is known.
const SUMMARY_MARGIN: f64 = 1.2;
/// Samples may be a tenth of the inverse of the share that is asked for, not fewer.
const EXTRAPOLATED_FACTOR: f64 = 0.1;
/// By how much the level of some weeks differs from that of the weeks before, beyond what varies
/// from day to day: the standard deviation of its logarithm. Together with `BELIEF_DAYS` it was
/// chosen on the synthetic machines of seeds 1 to 3, among values from 0.05 to 0.2.
const LEVEL_DEVIATION: f64 = 0.11;
/// Days of measurement that count as much as the belief above does.
const BELIEF_DAYS: f64 = 14.0;
/// Days that have to be measured, for a day to be seen to repeat.
pub(crate) const LEAST_DAYS: f64 = 3.0;

/// What is known of the next weeks of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Outlook {
    /// Samples as they are expected.
    expected: Law,
    /// Samples as high as a promise has to take them; `None`: as expected.
    promised: Option<Law>,
    assumed: bool,
    change: Change,
    ceiling: Ceiling,
    /// What a level is divided by before a promise is read off the samples.
    shift: f64,
    /// The lowest level that is exceeded in at most the budget, expected and promised.
    expected_need: f64,
    need: f64,
}

/// Where measuring ends: what gives at least that much is as good as the present machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ceiling {
    /// Infinite where there is none.
    pub(crate) level: f64,
    /// The share of the samples that reach it.
    pub(crate) share: f64,
}

impl Ceiling {
    pub(crate) const NONE: Ceiling = Ceiling {
        level: f64::INFINITY,
        share: 0.0,
    };
}

/// Samples with what can be said about others like them.
#[derive(Debug, Clone)]
struct Law {
    sorted: Sorted,
    /// In order of time; empty where the order is unknown.
    series: Vec<f64>,
    step: SampleStep,
    n: f64,
    tail: Tail,
    tail_share: f64,
    /// Samples from which a share is counted.
    countable: f64,
    /// Samples needed for one that is as good as independent: at the threshold, and at the
    /// highest level that is counted.
    effect: f64,
    effect_above: f64,
    /// Samples of the horizon.
    future: f64,
    confidence: f64,
}

/// Where a share above a level comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Counted,
    Extrapolated,
    Assumed,
    Ceiling,
}

impl Outlook {
    /// Looks `horizon_days` ahead.
    pub(crate) fn of(
        usage: &Usage,
        ceiling: Ceiling,
        horizon_days: f64,
        confidence: f64,
        budget: f64,
    ) -> Outlook {
        let unordered =
            |step| Law::of_sorted(usage.sorted().clone(), step, horizon_days, confidence);
        let (change, expected, promised) = match usage.evidence() {
            Evidence::Samples { step, values } => {
                let change = Days::of(values, *step).change(values);
                let law = |errors: Option<f64>| {
                    let series = lift(values, *step, change, horizon_days, errors);
                    Law::of_series(series, *step, horizon_days, confidence)
                };
                let promised =
                    (change != Change::None).then(|| law(Some(normal_quantile(confidence))));
                (change, law(None), promised)
            }
            Evidence::Histogram { step } => (Change::None, unordered(*step), None),
            Evidence::Summary => (Change::None, unordered(SampleStep::HOURLY), None),
        };
        let mut outlook = Outlook {
            expected,
            promised,
            assumed: *usage.evidence() == Evidence::Summary,
            change,
            ceiling,
            shift: 1.0,
            expected_need: 0.0,
            need: 0.0,
        };
        outlook.expected_need = outlook.lowest(|level| outlook.expected_above(level) <= budget);
        if !outlook.assumed {
            outlook.shift = outlook.belief(budget, confidence);
        }
        outlook.need = outlook.lowest(|level| outlook.at_most_above(level) <= budget);
        outlook
    }

    /// Brings the margin that the samples ask for together with what is believed of any machine.
    /// A fortnight tells little of how sure it is itself: on the synthetic machines a flat margin
    /// did as well. The squares of both margins, in logarithms, are weighted by days.
    fn belief(&self, budget: f64, confidence: f64) -> f64 {
        let law = self.promised();
        let need = self.lowest(|level| law.at_most_above(level) <= budget);
        if self.expected_need <= 0.0 || need <= 0.0 {
            return 1.0;
        }
        let seen = (need / self.expected_need).ln().max(0.0);
        let believed = normal_quantile(confidence) * LEVEL_DEVIATION;
        let days = law.n * law.step.as_hours() / 24.0;
        let weight = days / (days + BELIEF_DAYS);
        let margin = (weight * seen * seen + (1.0 - weight) * believed * believed).sqrt();
        margin.exp() * self.expected_need / need
    }

    /// The best estimate of the share of the time above `level`.
    pub(crate) fn expected_above(&self, level: f64) -> f64 {
        if level >= self.ceiling.level {
            return self.ceiling.share;
        }
        if self.assumed {
            return self.expected.sorted.share_above(level);
        }
        self.expected.expected_above(level)
    }

    /// What the share of the time above `level` will not exceed within the horizon.
    pub(crate) fn at_most_above(&self, level: f64) -> f64 {
        if level >= self.ceiling.level {
            return self.ceiling.share;
        }
        if self.assumed {
            let level = level / SUMMARY_MARGIN;
            return self.expected.sorted.share_above(level);
        }
        let law = self.promised();
        law.at_most_above(level / self.shift)
            .max(self.expected_above(level))
    }

    pub(crate) fn source_at(&self, level: f64) -> Source {
        if level >= self.ceiling.level {
            Source::Ceiling
        } else if self.assumed {
            Source::Assumed
        } else if self.promised().is_counted(level / self.shift) {
            Source::Counted
        } else {
            Source::Extrapolated
        }
    }

    /// The lowest level that a promise within the budget can be made for.
    pub(crate) fn need(&self) -> f64 {
        self.need
    }

    /// How many times as much as expected a promise has to hold, at least 1.
    pub(crate) fn stress(&self) -> f64 {
        if self.expected_need <= 0.0 {
            return 1.0;
        }
        (self.need / self.expected_need).max(1.0)
    }

    /// The largest value of the samples, as high as a promise has to take them.
    pub(crate) fn promised_maximum(&self) -> f64 {
        self.promised().sorted.maximum()
    }

    pub(crate) fn expected_maximum(&self) -> f64 {
        self.expected.sorted.maximum()
    }

    pub(crate) fn mean(&self) -> f64 {
        self.expected.sorted.mean()
    }

    /// The expected samples in order of time; `None` where the order is unknown.
    pub(crate) fn series(&self) -> Option<&[f64]> {
        (!self.expected.series.is_empty()).then_some(self.expected.series.as_slice())
    }

    pub(crate) fn step(&self) -> SampleStep {
        self.expected.step
    }

    /// The largest mean over 24 hours; over all samples where the order is unknown.
    pub(crate) fn largest_day_mean(&self) -> f64 {
        let law = self.promised();
        let present: Vec<f64> = law.series.iter().copied().filter(|v| !v.is_nan()).collect();
        let per_day = law.step.per_day();
        let (mut sum, mut largest) = (0.0, law.sorted.mean());
        for (place, value) in present.iter().enumerate() {
            sum += value;
            if let Some(left) = place.checked_sub(per_day) {
                sum -= present.get(left).copied().unwrap_or(0.0);
            }
            if place + 1 >= per_day {
                largest = f64::max(largest, sum / per_day as f64);
            }
        }
        largest
    }

    pub(crate) fn change(&self) -> Change {
        self.change
    }

    /// Samples that are as good as independent.
    pub(crate) fn effective_samples(&self) -> f64 {
        self.expected.n / self.expected.effect_above
    }

    /// Days and samples that there are, where they are known.
    pub(crate) fn measured(&self) -> Option<(f64, u64)> {
        let law = &self.expected;
        let days = law.n * law.step.as_hours() / 24.0;
        (!self.assumed).then_some((days, law.sorted.count()))
    }

    fn promised(&self) -> &Law {
        self.promised.as_ref().unwrap_or(&self.expected)
    }

    fn lowest(&self, holds: impl Fn(f64) -> bool) -> f64 {
        let (mut low, mut high) = (0.0, self.promised_maximum().max(f64::MIN_POSITIVE));
        if holds(low) {
            return low;
        }
        for _ in 0..20 {
            if holds(high) {
                break;
            }
            low = high;
            high *= 2.0;
        }
        for _ in 0..24 {
            let middle = f64::midpoint(low, high);
            if holds(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

/// Samples needed at least for a statement about a share `budget`.
pub(crate) fn needed_samples(budget: f64) -> u64 {
    (EXTRAPOLATED_FACTOR / budget).ceil() as u64
}

impl Law {
    fn of_series(series: Vec<f64>, step: SampleStep, horizon: f64, confidence: f64) -> Law {
        let mut law = Law::of_sorted(Sorted::of_samples(&series), step, horizon, confidence);
        let days = Days::of(&series, step);
        let threshold = law.sorted.quantile(1.0 - law.tail_share);
        let countable = law.sorted.quantile(1.0 - law.countable / law.n);
        law.effect = days.design_effect(&series, threshold, confidence);
        law.effect_above = days
            .design_effect(&series, countable, confidence)
            .max(law.effect);
        let effective = law.n * law.tail_share / days.excess_effect(&series, threshold);
        law.tail = Tail::fit(threshold, law.sorted.above(threshold), effective)
            .unwrap_or_else(|| Tail::flat(threshold, effective));
        law.series = series;
        law
    }

    /// Without an order: the samples of an hour are taken to tell the same.
    fn of_sorted(sorted: Sorted, step: SampleStep, horizon: f64, confidence: f64) -> Law {
        let n = sorted.count() as f64;
        let effect = (1.0 / step.as_hours()).max(1.0);
        let tail_share = TAIL_SHARE.max((TAIL_SAMPLES / n).min(0.3));
        let threshold = sorted.quantile(1.0 - tail_share);
        let above: Vec<f64> = (0..1000)
            .map(|i| sorted.quantile(1.0 - tail_share * (f64::from(i) + 0.5) / 1000.0))
            .filter(|value| *value > threshold)
            .rev()
            .collect();
        let effective = n * tail_share / effect;
        Law {
            tail: Tail::fit(threshold, &above, effective)
                .unwrap_or_else(|| Tail::flat(threshold, effective)),
            tail_share,
            series: Vec::new(),
            step,
            n,
            countable: COUNTABLE.min(n * tail_share / 2.0),
            effect,
            effect_above: effect,
            future: horizon * 24.0 / step.as_hours(),
            confidence,
            sorted,
        }
    }

    fn is_counted(&self, level: f64) -> bool {
        level < self.tail.threshold || self.sorted.share_above(level) * self.n >= self.countable
    }

    fn expected_above(&self, level: f64) -> f64 {
        if self.is_counted(level) {
            return self.sorted.share_above(level);
        }
        let share = self.tail_share * self.tail.survival(level);
        share.min(self.countable / self.n)
    }

    fn at_most_above(&self, level: f64) -> f64 {
        if !self.is_counted(level) {
            return self.extrapolated_at_most(level);
        }
        let effect = if level < self.tail.threshold {
            self.effect
        } else {
            self.effect_above
        };
        let n = 1.0 / (effect * (1.0 / self.n + 1.0 / self.future));
        clopper_pearson_upper(self.sorted.share_above(level) * n, n, self.confidence)
    }

    /// The share within the horizon has two uncertainties: that of the tail, and that of the few
    /// times at which it will be met. Both are in the variance of a gamma distribution.
    fn extrapolated_at_most(&self, level: f64) -> f64 {
        let share = self.tail_share * self.tail.heavier_survival(level);
        let share = share.min(self.countable / self.n);
        if share <= 0.0 {
            return 0.0;
        }
        let unknown = self.effect / (self.n * self.tail_share) + self.tail.relative_variance(level);
        let variance = share * share * unknown.min(LARGEST_TAIL_VARIANCE)
            + share * self.effect_above / self.future;
        gamma_quantile(share, variance, self.confidence).clamp(share, 1.0)
    }
}

/// The samples as they would be in the horizon that follows, with the change carried on: as much
/// of it as is expected, or all of it and some standard errors more.
fn lift(
    series: &[f64],
    step: SampleStep,
    change: Change,
    horizon_days: f64,
    errors: Option<f64>,
) -> Vec<f64> {
    let per_day = step.per_day() as f64;
    let days = series.len() as f64 / per_day;
    let size = |size: f64, error: f64, trust: f64| {
        errors.map_or(size * trust, |errors| size + errors * error)
    };
    let lifted = |place: usize, value: f64| {
        let day = place as f64 / per_day;
        match change {
            Change::None => value,
            Change::Growth {
                per_day,
                error,
                trust,
            } => {
                // A sample comes back as far into the horizon as it is into the measurement.
                let ahead = days - day + day / days * horizon_days;
                value + size(per_day, error, trust) * ahead
            }
            Change::Step {
                day: from,
                by,
                error,
                trust,
            } => {
                let before = f64::from(u8::from(day < from as f64));
                value + before * size(by, error, trust)
            }
        }
    };
    series
        .iter()
        .enumerate()
        .map(|(place, value)| lifted(place, *value))
        .collect()
}

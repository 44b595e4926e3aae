//! How rare is a number, judged by the numbers before it?
//!
//! [`Calibration`] turns a distance into evidence, −log₁₀ of the probability that a number of the same
//! kind is as large, whatever the distances are distributed like. [`Habituation`] makes an alarm raise
//! the bar for the next.

/// Bins in each doubling of a distance. An eighth of an octave is 9 %, less than what a tail of fifty
/// points can be known to.
const BINS_PER_OCTAVE: f64 = 8.0;

/// Distances are at least half a grid step; 24 doublings up from there lies the largest of all.
const N_BINS: usize = 192;

/// One in so many distances, the largest, is what the power law is fitted to.
const TAIL: u32 = 20;

/// The exponent of the power law is at most this, for the tail of a bounded quantity has none.
const LARGEST_EXPONENT: f64 = 4.0;

/// Without this many numbers there is no opinion.
const FEWEST: u32 = 20;

/// Conformal evidence: the rank of a distance among all that came before it (Vovk, Gammerman and
/// Shafer, *Algorithmic Learning in a Random World*, 2005), and beyond the largest 5 % a power law with
/// Hill's exponent (Hill, *Annals of Statistics* 3, 1975), so that a record is worth more the further
/// it lies ahead.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Calibration {
    counts: Vec<u32>,
    total: u32,
    tail: Tail,
}

/// The largest distances: as many whole bins as hold no more than the share of the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Tail {
    first: usize,
    count: u32,
    /// The bins from the first to that of each distance, all added.
    bins: u64,
}

impl Calibration {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; N_BINS],
            total: 0,
            tail: Tail {
                first: N_BINS,
                count: 0,
                bins: 0,
            },
        }
    }

    /// Whether the parts fit together, as after loading.
    #[cfg(feature = "serde")]
    pub(crate) fn is_sound(&self) -> bool {
        let total = self
            .counts
            .iter()
            .map(|count| u64::from(*count))
            .sum::<u64>();
        self.counts.len() == N_BINS
            && total == u64::from(self.total)
            && total < u64::from(u32::MAX)
            && self.tail == self.find_tail()
    }

    /// The evidence of a distance, which is then learned; none where there is no distance.
    pub(crate) fn judge(&mut self, distance: Option<f64>) -> f64 {
        let Some(distance) = distance else { return 0.0 };
        let evidence = self.evidence(distance);
        self.learn(distance);
        evidence
    }

    /// −log₁₀ of how often a distance is at least this large; 0 as long as too few are known.
    pub(crate) fn evidence(&self, distance: f64) -> f64 {
        if self.total < FEWEST {
            return 0.0;
        }
        let octave = octave(distance);
        let bin = bin(octave);
        if bin < self.tail.first || self.tail.count == 0 {
            // Those of the same bin count as larger: where all are alike, none is evidence.
            let reached: u32 = self.counts[bin..].iter().sum();
            return self.rank(reached);
        }
        let beyond = octave - self.tail.first as f64 / BINS_PER_OCTAVE;
        self.rank(self.tail.count) + self.exponent() * beyond.max(0.0) * std::f64::consts::LOG10_2
    }

    /// The evidence of a distance that so many reach.
    fn rank(&self, reached: u32) -> f64 {
        ((f64::from(self.total) + 1.0) / (f64::from(reached) + 1.0)).log10()
    }

    /// Hill's estimate of the tail's exponent, with one more point a quarter octave into the tail, so
    /// that a tail of few points is not taken for a cliff.
    fn exponent(&self) -> f64 {
        let count = f64::from(self.tail.count);
        let octaves = (self.tail.bins as f64 + count / 2.0) / BINS_PER_OCTAVE + 0.25;
        ((count + 1.0) / (octaves * std::f64::consts::LN_2)).min(LARGEST_EXPONENT)
    }

    fn learn(&mut self, distance: f64) {
        // Ranks among four thousand million distances are as good as among more.
        if self.total >= u32::MAX - 1 {
            return;
        }
        let bin = bin(octave(distance));
        self.counts[bin] += 1;
        self.total += 1;
        if let Some(bins) = bin.checked_sub(self.tail.first) {
            self.tail.count += 1;
            self.tail.bins += bins as u64;
        }
        self.tail = self.adjusted(self.tail);
    }

    /// How many distances the tail may hold.
    fn room(&self) -> u32 {
        self.total.max(4) / TAIL
    }

    /// The tail with as many bins as there is room for.
    fn adjusted(&self, mut tail: Tail) -> Tail {
        while tail.count > self.room() {
            tail.count -= self.counts[tail.first];
            tail.bins -= u64::from(tail.count);
            tail.first += 1;
        }
        while tail.first > 0 && tail.count + self.counts[tail.first - 1] <= self.room() {
            tail.first -= 1;
            tail.bins += u64::from(tail.count);
            tail.count += self.counts[tail.first];
        }
        tail
    }

    #[cfg(any(test, feature = "serde"))]
    fn find_tail(&self) -> Tail {
        self.adjusted(Self::new().tail)
    }
}

/// How many doublings a distance is above half a grid step.
fn octave(distance: f64) -> f64 {
    distance.max(0.5).log2() + 1.0
}

fn bin(octave: f64) -> usize {
    ((octave * BINS_PER_OCTAVE) as usize).min(N_BINS - 1)
}

/// The evidence from which on a point is an alarm, kept where the alarms stay in their budget.
///
/// How often noise exceeds a given evidence differs from series to series by a factor of ten. So each
/// alarm raises the line a little and each point without one lowers it by what makes both equal at the
/// budgeted rate (Gibbs and Candès, *Adaptive Conformal Inference Under Distribution Shift*, 2021):
/// over n points the alarms beyond the budget are at most the logarithm of how far the line has moved,
/// divided by the step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AlarmLine {
    /// The natural logarithm of the line above where it began.
    shift: f64,
}

/// An alarm raises the line by 7 %: more brings the rate to its budget sooner, but lets a busy week
/// count for longer.
const STEP: f64 = 0.07;

/// The line stays within a quarter and four times of where it began.
const LARGEST_SHIFT: f64 = 2.0 * std::f64::consts::LN_2;

impl AlarmLine {
    pub(crate) const fn new() -> Self {
        Self { shift: 0.0 }
    }

    #[cfg(feature = "serde")]
    pub(crate) fn is_sound(&self) -> bool {
        self.shift.abs() <= LARGEST_SHIFT
    }

    /// The line for a series of which nothing is known but the budget, as a share of points.
    ///
    /// A straight line through what white, autoregressive, heavy-tailed and seasonal noise exceeds at
    /// rates from 0.5 to 20 in 10 000: their mean is 1.02, 0.90, 0.57, 0.44 and 0.30 at 0.5, 1, 5, 10
    /// and 20 (160 000 points of each, the default warm-up).
    fn start(budget: f64) -> f64 {
        (-0.917 - 0.45 * budget.log10()).max(0.1)
    }

    /// The line before a point.
    pub(crate) fn threshold(&self, budget: f64) -> f64 {
        Self::start(budget) * self.shift.exp()
    }

    /// Learns whether the point was an alarm.
    pub(crate) fn learn(&mut self, is_alarm: bool, budget: f64) {
        let step = if is_alarm { STEP } else { -STEP * budget };
        self.shift = (self.shift + step).clamp(-LARGEST_SHIFT, LARGEST_SHIFT);
    }
}

/// An alarm raises the bar to a third above itself, and the bar sinks back: what repeats has to be
/// stronger to be told again, but nothing is ever muted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Habituation {
    bar: f64,
    decay: f64,
}

/// By how much the bar is above the evidence that raised it.
const OVERSHOOT: f64 = 1.3;

/// How fast what is left of the evidence goes to nothing where it only reaches the bar: a root, so that
/// evidence passes nearly whole as soon as it is clearly above.
const ONSET: f64 = 0.2;

impl Habituation {
    /// A bar that sinks by the factor e in so many points.
    pub(crate) fn new(points: f64) -> Self {
        Self {
            bar: 0.0,
            decay: (-1.0 / points).exp(),
        }
    }

    #[cfg(feature = "serde")]
    pub(crate) fn is_sound(&self) -> bool {
        self.bar.is_finite() && self.bar >= 0.0 && (0.0..1.0).contains(&self.decay)
    }

    /// What evidence is left above the bar, which it then raises.
    pub(crate) fn admit(&mut self, evidence: f64) -> f64 {
        self.bar *= self.decay;
        let above = evidence - self.bar;
        if above <= 0.0 {
            return 0.0;
        }
        self.bar = evidence * OVERSHOOT;
        evidence * (above / evidence).powf(ONSET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibrated(distances: impl IntoIterator<Item = f64>) -> Calibration {
        let mut calibration = Calibration::new();
        for distance in distances {
            calibration.judge(Some(distance));
        }
        calibration
    }

    #[test]
    fn without_enough_distances_there_is_no_evidence() {
        assert_eq!(calibrated([1.0; 19]).evidence(1e9), 0.0);
    }

    #[test]
    fn what_was_always_so_is_no_evidence() {
        assert_eq!(calibrated([3.0; 1_000]).evidence(3.0), 0.0);
    }

    /// Of 99 distances 1 to 99, half are at least 50, give or take a bin of 9 %.
    #[test]
    fn evidence_is_the_logarithm_of_the_rank() {
        let evidence = calibrated((1..100).map(f64::from)).evidence(50.0);
        assert!((evidence - 2.0_f64.log10()).abs() < 0.05, "{evidence}");
    }

    /// A Pareto tail with the exponent 2: ten times as far is a hundred times as rare.
    #[test]
    fn the_tail_follows_the_power_law_of_the_distances() {
        let n = 20_000;
        let pareto = |rank: i32| 8.0 * (f64::from(rank) / f64::from(n)).powf(-0.5);
        let calibration = calibrated((1..=n).map(pareto));
        let decade = calibration.evidence(1e5) - calibration.evidence(1e4);
        assert!((decade - 2.0).abs() < 0.15, "{decade}");
    }

    #[test]
    fn the_tail_is_kept_as_if_it_were_found_anew() {
        let mut calibration = Calibration::new();
        let mut state = 1_u32;
        for _ in 0..5_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            calibration.judge(Some(1e5 / (f64::from(state >> 8) + 1.0)));
            assert_eq!(calibration.tail, calibration.find_tail());
        }
    }

    #[test]
    fn the_bar_lets_the_stronger_pass_and_sinks() {
        let mut habituation = Habituation::new(100.0);
        assert_eq!(habituation.admit(2.0), 2.0);
        assert_eq!(habituation.admit(2.0), 0.0);
        assert!(habituation.admit(6.0) > 4.0);
        (0..500).for_each(|_| assert_eq!(habituation.admit(0.0), 0.0));
        assert!(habituation.admit(2.0) > 1.9);
    }

    #[test]
    fn the_line_rests_where_alarms_meet_their_budget() {
        let mut line = AlarmLine::new();
        let before = line.threshold(0.01);
        for point in 0..10_000 {
            line.learn(point % 100 == 0, 0.01);
        }
        let after = line.threshold(0.01);
        assert!((after / before - 1.0).abs() < 0.08, "{before} {after}");
    }
}

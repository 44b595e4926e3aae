//! How rare is a residual of this size, by the residuals that this series has shown so far?
//!
//! The sizes are counted in a histogram with bins of equal ratio. The p-value of a new size is the
//! share of earlier ones that were at least as large, counting the new one with them: then at most a
//! share p of the points has a p-value of at most p, whatever the distribution, as long as the order
//! of the points tells nothing about their sizes (Vovk, Gammerman and Shafer, Algorithmic Learning in
//! a Random World, 2005, chapter 2). Sizes beyond the largest seen continue as a power law.
//!
//! From the counts a table is made, of the evidence at each edge of a bin, and not anew for each point:
//! the share changes little with one more, and a point then costs one look at the table.

use super::AlarmBudget;

/// Sizes are told apart from 2⁻³ to 2¹³ scales, 4 to a doubling.
const N_BINS: usize = 64;
const BINS_PER_DOUBLING_LOG2: u32 = 2;
const SMALLEST_LOG2: i32 = -3;
/// Sizes from here on are alike for the histogram, and are where a series without any spread puts
/// its first change.
pub(super) const LARGEST_SIZE: f64 = 8192.0;
/// The mantissa bits below those that choose a bin.
const PLACE_BITS: u32 = 52 - BINS_PER_DOUBLING_LOG2;
const FIRST_BIN: i64 = ((1023 + SMALLEST_LOG2) as i64) << BINS_PER_DOUBLING_LOG2;

/// How many alarms within budget the memory is long for: the rate is then estimated from 8 to 16 of
/// them, and follows a series that changes. Counted up to it, the memory is halved.
const REMEMBERED_ALARMS: f64 = 16.0;
const LEAST_MEMORY: u32 = 4096;
/// The memory is halved for the first time here, and then at twice as much each time, so that the
/// residuals of a baseline that knew little fade while the series is young.
const FIRST_MEMORY: u32 = 1024;
/// The table is made anew when it has a quarter more to go by, at the latest after 512 points: making
/// it takes about a microsecond.
const LONGEST_USE: u32 = 512;
const SHORTEST_USE: u32 = 16;

/// An alarm is remembered as at most so many times the size where alarms begin.
const LARGEST_ALARM: f64 = 1.5;

/// The power law of the tail starts from three, as in Student's t with 3 degrees of freedom, with the
/// weight of four sizes.
const PRIOR_TAIL_INDEX: f64 = 3.0;
const PRIOR_SIZES: f64 = 4.0;
/// At most this many of the largest sizes tell how fast the tail falls.
const TAIL_SIZES: u32 = 32;
/// No tail is taken to fall faster than the normal distribution does at 3.5 standard deviations.
const STEEPEST_TAIL: f64 = 12.0;

/// Counts of the sizes of residuals, in scales, and what they say.
#[derive(Clone)]
pub(super) struct Rarity {
    /// −ln of the share of points that may be alarms.
    threshold: f64,
    alarm_size: f64,
    tail_index: f64,
    total: u32,
    /// When the table will be made anew, and the counts halved.
    stale_at: u32,
    full_at: u32,
    memory: u32,
    /// The highest bin that the table has a size in.
    top: u16,
    /// Behind the last bin stands one that holds nothing and gives the last its upper edge.
    bins: [Bin; N_BINS + 1],
}

/// What is looked up together lies together: a point finds it in one line of the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Bin {
    /// How many sizes lie in it.
    count: u32,
    /// −ln of the p-value at its lower edge, as of the last time that the table was made.
    evidence: f32,
}

impl Rarity {
    pub(super) fn new(budget: AlarmBudget) -> Self {
        Self {
            threshold: -budget.share().ln(),
            alarm_size: f64::INFINITY,
            tail_index: PRIOR_TAIL_INDEX,
            total: 0,
            stale_at: SHORTEST_USE,
            full_at: FIRST_MEMORY,
            memory: ((REMEMBERED_ALARMS / budget.share()) as u32).max(LEAST_MEMORY),
            top: 0,
            bins: [Bin::default(); N_BINS + 1],
        }
    }

    /// How many sizes are counted; it falls by half when the memory is full.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// The evidence that is worth an alarm.
    pub(super) const fn threshold(&self) -> f64 {
        self.threshold
    }

    /// From which size on, in scales, evidence reaches the threshold; infinite when none does.
    pub(super) const fn alarm_size(&self) -> f64 {
        self.alarm_size
    }

    /// −ln of the p-value of a size.
    #[inline]
    pub(super) fn evidence(&self, size: f64) -> f64 {
        let bin = bin_of(size);
        if bin > usize::from(self.top) {
            return self.evidence_beyond(size);
        }
        let low = f64::from(self.bins[bin].evidence);
        let high = f64::from(self.bins[bin + 1].evidence);
        low + (high - low) * place_in_bin(bin, size)
    }

    #[cold]
    fn evidence_beyond(&self, size: f64) -> f64 {
        let ratio = (size / self.tail_start()).max(1.0);
        f64::from(self.bins[N_BINS].evidence) + self.tail_index * ratio.ln()
    }

    /// Counts a size.
    ///
    /// An alarm is counted as one, but not in its whole size: otherwise the next anomaly would have
    /// to be larger than the last for as long as there is little else to go by.
    #[inline]
    pub(super) fn learn(&mut self, size: f64) {
        let bin = bin_of(size.min(LARGEST_ALARM * self.alarm_size));
        self.bins[bin].count += 1;
        self.total += 1;
        if self.total >= self.stale_at {
            self.renew();
        }
    }

    #[cold]
    fn renew(&mut self) {
        if self.total >= self.full_at {
            self.halve();
            self.full_at = self.full_at.saturating_mul(2).min(self.memory);
        }
        self.tabulate();
        let top = self.bins.iter().rposition(|bin| bin.count > 0);
        self.top = top.unwrap_or(0) as u16;
        self.tail_index = self.hill();
        self.alarm_size = self.size_of_threshold();
        let stale_after = (self.total / 4).clamp(SHORTEST_USE, LONGEST_USE);
        self.stale_at = (self.total + stale_after).min(self.full_at);
    }

    /// Halves the number of sizes above every edge. Rounded to even, it is halved on average in the
    /// tail too, where there is one or none.
    fn halve(&mut self) {
        let (mut above, mut halved_above) = (0u32, 0u32);
        for bin in self.bins.iter_mut().rev() {
            above += bin.count;
            let halved = (above + (above / 2) % 2) / 2;
            bin.count = halved - halved_above;
            halved_above = halved;
        }
        self.total = halved_above;
    }

    /// Makes the table from the counts.
    fn tabulate(&mut self) {
        let all = f64::from(self.total) + 1.0;
        let mut as_large = 1.0;
        let mut evidence = all.ln() as f32;
        for bin in self.bins.iter_mut().rev() {
            if bin.count > 0 {
                as_large += f64::from(bin.count);
                evidence = (all / as_large).ln() as f32;
            }
            bin.evidence = evidence;
        }
    }

    /// With which power the sizes beyond the largest fall: Hill's estimate (Hill, 1975) from the
    /// largest sizes, drawn towards the prior while they are few.
    fn hill(&self) -> f64 {
        let used = TAIL_SIZES.min(self.total / 8);
        let (mut seen, mut log_sum, mut smallest_log) = (0, 0.0, 0.0);
        for bin in (0..=usize::from(self.top)).rev() {
            let count = self.bins[bin].count.min(used - seen);
            if count > 0 {
                smallest_log = (lower_edge(bin.max(1)) * lower_edge(bin + 1)).ln() / 2.0;
                log_sum += f64::from(count) * smallest_log;
                seen += count;
            }
        }
        let used = f64::from(used);
        let excess = (log_sum - used * smallest_log).max(0.0);
        let index = (used + PRIOR_SIZES) / (excess + PRIOR_SIZES / PRIOR_TAIL_INDEX);
        index.min(STEEPEST_TAIL)
    }

    /// Where the evidence reaches the threshold.
    fn size_of_threshold(&self) -> f64 {
        let reached = |bin: &Bin| f64::from(bin.evidence) >= self.threshold;
        let Some(edge) = self.bins.iter().position(reached) else {
            return self.size_beyond();
        };
        let bin = edge.saturating_sub(1);
        if bin == N_BINS - 1 {
            // The last bin has no end, so that all sizes in it are alike.
            return f64::INFINITY;
        }
        let (low, high) = (
            f64::from(self.bins[bin].evidence),
            f64::from(self.bins[edge].evidence),
        );
        let place = if high > low {
            (self.threshold - low) / (high - low)
        } else {
            0.0
        };
        lower_edge(bin) + place * (lower_edge(bin + 1) - lower_edge(bin))
    }

    fn size_beyond(&self) -> f64 {
        if usize::from(self.top) == N_BINS - 1 {
            return f64::INFINITY;
        }
        let missing = self.threshold - f64::from(self.bins[N_BINS].evidence);
        self.tail_start() * (missing / self.tail_index).exp()
    }

    /// The upper edge of the highest bin with a size in it.
    fn tail_start(&self) -> f64 {
        lower_edge(usize::from(self.top) + 1)
    }
}

/// The bin of a size: the exponent and the first bits of the mantissa are a logarithm that needs no
/// arithmetic, with equal steps within a doubling.
#[inline]
fn bin_of(size: f64) -> usize {
    let steps = (size.to_bits() >> PLACE_BITS) as i64;
    (steps - FIRST_BIN).clamp(0, N_BINS as i64 - 1) as usize
}

/// Where in its bin a size lies, from 0 at the lower edge to 1 at the upper; 0 in the last, which has
/// no end.
#[inline]
fn place_in_bin(bin: usize, size: f64) -> f64 {
    if bin == 0 {
        return size / lower_edge(1);
    }
    if bin == N_BINS - 1 {
        return 0.0;
    }
    let bits = size.to_bits() & ((1 << PLACE_BITS) - 1);
    bits as f64 / (1u64 << PLACE_BITS) as f64
}

/// The smallest size in a bin; 0 for the first, which holds all that is smaller.
#[inline]
fn lower_edge(bin: usize) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    f64::from_bits((FIRST_BIN as u64 + bin as u64) << PLACE_BITS)
}

/// The saved form: the table is part of it, because the counts have gone on since it was made.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct SavedRarity {
    full_at: u32,
    stale_at: u32,
    tail_index: f64,
    counts: Vec<u32>,
    evidence: Vec<f32>,
}

#[cfg(feature = "serde")]
impl Rarity {
    pub(super) fn save(&self) -> SavedRarity {
        SavedRarity {
            full_at: self.full_at,
            stale_at: self.stale_at,
            tail_index: self.tail_index,
            counts: self.bins[..N_BINS].iter().map(|bin| bin.count).collect(),
            evidence: self.bins.iter().map(|bin| bin.evidence).collect(),
        }
    }

    /// Goes on from there; `None` when no sizes lead there.
    pub(super) fn restore(budget: AlarmBudget, saved: &SavedRarity) -> Option<Self> {
        let mut rarity = Self::new(budget);
        if saved.counts.len() != N_BINS || saved.evidence.len() != N_BINS + 1 {
            return None;
        }
        for (bin, count) in rarity.bins.iter_mut().zip(&saved.counts) {
            bin.count = *count;
            rarity.total = rarity.total.checked_add(*count)?;
        }
        for (bin, evidence) in rarity.bins.iter_mut().zip(&saved.evidence) {
            bin.evidence = *evidence;
        }
        rarity.full_at = saved.full_at;
        rarity.stale_at = saved.stale_at;
        rarity.tail_index = saved.tail_index;
        if !rarity.is_sound() {
            return None;
        }
        // The highest edge below which the table still has a size.
        let most = rarity.bins[N_BINS].evidence;
        let top = rarity.bins.iter().rposition(|bin| bin.evidence < most);
        rarity.top = top.unwrap_or(0) as u16;
        if most > 0.0 {
            rarity.alarm_size = rarity.size_of_threshold();
        }
        Some(rarity)
    }

    fn is_sound(&self) -> bool {
        let is_rising = self.bins.is_sorted_by_key(|bin| bin.evidence);
        is_rising
            // The last is the evidence of one size among as many as a memory can hold.
            && self.bins[0].evidence >= 0.0
            && self.bins[N_BINS].evidence <= 16.0
            // Sizes differ by less than 2¹⁷, so that no tail falls more slowly.
            && (0.05..=STEEPEST_TAIL).contains(&self.tail_index)
            && self.full_at <= self.memory
            && self.total < self.stale_at
            && self.stale_at <= self.full_at
    }
}

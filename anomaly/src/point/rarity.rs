//! How rare is a residual of this size, by the residuals that this series has shown so far?
//!
//! The sizes are counted in a histogram with bins of equal ratio. The p-value of a new size is the
//! share of earlier ones that were at least as large, counting the new one with them: then at most a
//! share p of the points has a p-value of at most p, whatever the distribution, as long as the order
//! of the points tells nothing about their sizes (Vovk, Gammerman and Shafer, Algorithmic Learning in
//! a Random World, 2005, chapter 2). Sizes beyond the largest seen continue as a power law.

use super::AlarmBudget;

/// Sizes are told apart from 2⁻³ to 2¹³ scales, 16 to a doubling.
const N_BINS: usize = 256;
const BINS_PER_DOUBLING_LOG2: u32 = 4;
const SMALLEST_LOG2: i32 = -3;
/// Sizes from here on are alike for the histogram, and are where a series without any spread puts
/// its first change.
pub(super) const LARGEST_SIZE: f64 = 8192.0;
/// A doubling is a block, so that a sum over the tail reads two cache lines and not eight.
const BLOCK: usize = 16;
const N_BLOCKS: usize = N_BINS / BLOCK;

/// How many alarms within budget the memory is long for: the rate is then estimated from 8 to 16 of
/// them, and follows a series that changes. Counted up to it, the memory is halved.
const REMEMBERED_ALARMS: f64 = 16.0;
const LEAST_MEMORY: u32 = 4096;
/// The memory is halved for the first time here, and then at twice as much each time, so that the
/// residuals of a baseline that knew little fade while the series is young.
const FIRST_MEMORY: u32 = 1024;

/// An alarm is remembered as at most so many times the size where alarms begin.
const LARGEST_ALARM: f64 = 1.5;

/// The power law of the tail starts from three, as in Student's t with 3 degrees of freedom, with the
/// weight of four sizes.
const PRIOR_TAIL_INDEX: f64 = 3.0;
const PRIOR_SIZES: f64 = 4.0;
/// At most this many of the largest sizes tell how fast the tail falls.
const TAIL_SIZES: u32 = 32;
/// How often they are asked, in points.
const TAIL_EVERY: u32 = 256;
/// No tail is taken to fall faster than the normal distribution does at 3.5 standard deviations.
const STEEPEST_TAIL: f64 = 12.0;

/// For each place among 16 the mask of the places above it: a masked sum takes no branch.
const ABOVE: [[u32; BLOCK]; BLOCK] = {
    let mut masks = [[0; BLOCK]; BLOCK];
    let mut place = 0;
    while place < BLOCK {
        let mut above = place + 1;
        while above < BLOCK {
            masks[place][above] = u32::MAX;
            above += 1;
        }
        place += 1;
    }
    masks
};

/// Counts of the sizes of residuals, in scales.
#[derive(Clone)]
#[repr(C)]
pub(super) struct Rarity {
    budget: f64,
    memory: u32,
    /// Where the memory will be halved next.
    full_at: u32,
    total: u32,
    /// The bin that holds the size at which the budget begins: `above_line` sizes lie in the bins
    /// above it.
    above_line: u32,
    line: u16,
    /// The highest bin with a size in it.
    top: u16,
    /// With which power the tail beyond it falls.
    tail_index: f64,
    blocks: [u32; N_BLOCKS],
    bins: [[u16; BLOCK]; N_BLOCKS],
}

/// How unusual a size is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    /// −ln of the p-value.
    pub(super) evidence: f64,
    /// From which size on, in scales, evidence passes the budget's; infinite when no size does.
    pub(super) alarm_size: f64,
}

impl Rarity {
    pub(super) fn new(budget: AlarmBudget) -> Self {
        Self {
            budget: budget.share(),
            memory: ((REMEMBERED_ALARMS / budget.share()) as u32).max(LEAST_MEMORY),
            full_at: FIRST_MEMORY,
            total: 0,
            above_line: 0,
            line: (N_BINS - 1) as u16,
            top: 0,
            tail_index: PRIOR_TAIL_INDEX,
            blocks: [0; N_BLOCKS],
            bins: [[0; BLOCK]; N_BLOCKS],
        }
    }

    /// Goes on from saved counts; `None` when they are none of ours.
    #[cfg(feature = "serde")]
    pub(super) fn counted(
        budget: AlarmBudget,
        counts: &[u16],
        full_at: u32,
        tail_index: f64,
    ) -> Option<Self> {
        let mut rarity = Self::new(budget);
        rarity.full_at = Some(full_at).filter(|full_at| *full_at <= rarity.memory)?;
        rarity.tail_index = Some(tail_index).filter(|index| is_tail_index(*index))?;
        let bins: &[u16; N_BINS] = counts.try_into().ok()?;
        rarity.bins.as_flattened_mut().copy_from_slice(bins);
        rarity.recount();
        let is_full = rarity.total >= rarity.full_at || counts.contains(&u16::MAX);
        (!is_full).then_some(rarity)
    }

    #[cfg(feature = "serde")]
    pub(super) const fn tail_index(&self) -> f64 {
        self.tail_index
    }

    #[cfg(feature = "serde")]
    pub(super) const fn full_at(&self) -> u32 {
        self.full_at
    }

    #[cfg(feature = "serde")]
    pub(super) const fn counts(&self) -> &[u16] {
        self.bins.as_flattened()
    }

    /// How many sizes are counted; it falls by half when the memory is full.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// The p-value of this size and where the alarms begin, by the sizes counted so far.
    #[inline]
    pub(super) fn rank(&self, size: f64) -> Rank {
        let count = f64::from(self.total) + 1.0;
        let allowed = self.budget * count;
        let bin = bin_of(size);
        let above = self.above(bin);
        let as_large = f64::from(above) + 1.0 + f64::from(self.count(bin)) * share_above(bin, size);
        let beyond = if bin > usize::from(self.top) {
            self.beyond(size)
        } else {
            0.0
        };
        let alarm_size = if allowed < 1.0 && usize::from(self.top) < N_BINS - 1 {
            self.tail_start() * allowed.powf(-1.0 / self.tail_index)
        } else {
            self.line_size(allowed)
        };
        Rank {
            evidence: (count / as_large).ln() + beyond,
            alarm_size,
        }
    }

    /// What the power law adds to the evidence of a size beyond the largest seen.
    #[cold]
    fn beyond(&self, size: f64) -> f64 {
        self.tail_index * (size / self.tail_start()).max(1.0).ln()
    }

    fn tail_start(&self) -> f64 {
        lower_edge(usize::from(self.top) + 1)
    }

    /// Counts a size that was ranked so.
    ///
    /// An alarm is counted as one, but not in its whole size: otherwise the next anomaly would have
    /// to be larger than the last for as long as there is little else to go by.
    #[inline]
    pub(super) fn learn(&mut self, size: f64, alarm_size: f64) {
        let bin = bin_of(size.min(LARGEST_ALARM * alarm_size));
        let count = &mut self.bins[bin / BLOCK % N_BLOCKS][bin % BLOCK];
        *count += 1;
        let is_bin_full = *count == u16::MAX;
        self.blocks[bin / BLOCK % N_BLOCKS] += 1;
        self.total += 1;
        self.above_line += u32::from(bin > usize::from(self.line));
        self.top = self.top.max(bin as u16);
        if is_bin_full || self.total >= self.full_at {
            self.halve();
            self.full_at = self.full_at.saturating_mul(2).min(self.memory);
        }
        if self.total.is_multiple_of(TAIL_EVERY) {
            self.tail_index = self.hill();
        }
        self.move_line();
    }

    /// How many sizes lie in the bins above this one.
    #[inline]
    fn above(&self, bin: usize) -> u32 {
        let (block, place) = (bin / BLOCK % N_BLOCKS, bin % BLOCK);
        let blocks = self.blocks.iter().zip(&ABOVE[block]);
        let bins = self.bins[block].iter().zip(&ABOVE[place]);
        let in_blocks: u32 = blocks.map(|(count, mask)| count & mask).sum();
        let in_bins: u32 = bins.map(|(count, mask)| u32::from(*count) & mask).sum();
        in_blocks + in_bins
    }

    #[inline]
    const fn count(&self, bin: usize) -> u16 {
        self.bins[bin / BLOCK % N_BLOCKS][bin % BLOCK]
    }

    /// Where as many sizes are larger as the budget allows.
    #[inline]
    fn line_size(&self, allowed: f64) -> f64 {
        let line = usize::from(self.line);
        let missing = allowed - 1.0 - f64::from(self.above_line);
        let share = missing / f64::from(self.count(line).max(1));
        if line == N_BINS - 1 {
            // Sizes in the last bin are alike, and more of them were seen than alarms are allowed.
            return f64::INFINITY;
        }
        let (low, high) = (lower_edge(line), lower_edge(line + 1));
        high - (high - low) * share.clamp(0.0, 1.0)
    }

    /// Moves the line to the bin in which the allowed number of sizes is reached, from above.
    #[inline]
    fn move_line(&mut self) {
        let allowed = self.budget * (f64::from(self.total) + 1.0) - 1.0;
        // Up, while there are already too many above it.
        while f64::from(self.above_line) > allowed && usize::from(self.line) < N_BINS - 1 {
            self.line += 1;
            self.above_line -= u32::from(self.count(usize::from(self.line)));
        }
        // Down, while there is still room for the whole bin.
        while self.line > 0 {
            let with_line = self.above_line + u32::from(self.count(usize::from(self.line)));
            if f64::from(with_line) > allowed {
                break;
            }
            self.above_line = with_line;
            self.line -= 1;
        }
    }

    /// Halves the number of sizes above every edge. Rounded to even, it is halved on average in the
    /// tail too, where there is one or none.
    #[cold]
    fn halve(&mut self) {
        let (mut above, mut halved_above) = (0u32, 0u32);
        for count in self.bins.as_flattened_mut().iter_mut().rev() {
            above += u32::from(*count);
            let halved = (above + (above / 2) % 2) / 2;
            *count = (halved - halved_above) as u16;
            halved_above = halved;
        }
        self.recount();
    }

    /// Makes the sums agree with the bins.
    fn recount(&mut self) {
        for (block, bins) in self.blocks.iter_mut().zip(&self.bins) {
            *block = bins.iter().map(|count| u32::from(*count)).sum();
        }
        self.total = self.blocks.iter().sum();
        self.top = self
            .bins
            .as_flattened()
            .iter()
            .rposition(|count| *count > 0)
            .unwrap_or(0) as u16;
        (self.line, self.above_line) = ((N_BINS - 1) as u16, 0);
        self.move_line();
    }

    /// With which power the sizes beyond the largest fall: Hill's estimate (Hill, 1975) from the
    /// largest sizes, drawn towards the prior while they are few.
    #[cold]
    fn hill(&self) -> f64 {
        let used = TAIL_SIZES.min(self.total / 8);
        let (mut seen, mut log_sum, mut smallest_log) = (0, 0.0, 0.0);
        for bin in (0..=usize::from(self.top)).rev() {
            let count = u32::from(self.count(bin)).min(used - seen);
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
}

/// What [`Rarity::hill`] can answer: sizes differ by less than 2¹⁷.
#[cfg(feature = "serde")]
fn is_tail_index(index: f64) -> bool {
    (0.05..=STEEPEST_TAIL).contains(&index)
}

/// The sign and exponent bits and the first bits of the mantissa are a logarithm that needs no
/// arithmetic: equal steps within a doubling.
#[inline]
fn bin_of(size: f64) -> usize {
    let steps = (size.to_bits() >> (52 - BINS_PER_DOUBLING_LOG2)) as i64;
    let first = i64::from(1023 + SMALLEST_LOG2) << BINS_PER_DOUBLING_LOG2;
    (steps - first).clamp(0, N_BINS as i64 - 1) as usize
}

/// The smallest size in a bin; 0 for the first, which holds all that is smaller.
#[inline]
fn lower_edge(bin: usize) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    let first = ((1023 + SMALLEST_LOG2) as u64) << BINS_PER_DOUBLING_LOG2;
    f64::from_bits((first + bin as u64) << (52 - BINS_PER_DOUBLING_LOG2))
}

/// Which share of the sizes in a bin is taken to be at least this large: they are spread evenly, but
/// in the last bin, which has no end, all are.
#[inline]
fn share_above(bin: usize, size: f64) -> f64 {
    if bin == N_BINS - 1 {
        return 1.0;
    }
    let (low, high) = (lower_edge(bin), lower_edge(bin + 1));
    ((high - size) / (high - low)).clamp(0.0, 1.0)
}

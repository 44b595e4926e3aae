//! About how many addresses, when there are too many to keep? For people to read, never to decide by.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// How many distinct values were seen, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistinctCount {
    /// So many.
    Exact(usize),
    /// About so many, within [`STANDARD_ERROR`] two times in three.
    About(u64),
}

impl fmt::Display for DistinctCount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(count) => write!(formatter, "{count}"),
            Self::About(count) => write!(formatter, "about {count}"),
        }
    }
}

/// Registers of a sketch.
const REGISTERS: usize = 256;

/// The bits of a hash that choose a register.
const INDEX_BITS: u32 = REGISTERS.trailing_zeros();

/// The bits that are left for a rank, from 1 to one more than these.
const RANK_BITS: u32 = 64 - INDEX_BITS;

/// The relative standard error of an estimate, 1.04 / √256 = 6.5 % (Flajolet, Fusy, Gandouet and
/// Meunier, 2007).
pub const STANDARD_ERROR: f64 = 0.065;

/// The window is covered by so many slices and the present one, so an estimate looks back by one to
/// one and an eighth of the window.
const SLICES: usize = 8;

/// About how many distinct values were seen in a window, in 2.4 kilobytes whatever their number.
///
/// HyperLogLog (Flajolet et al., 2007) with the estimator of Ertl ("New cardinality estimation
/// algorithms for HyperLogLog sketches", 2017, algorithm 6), which has no bias at small counts and
/// needs no tables; a ring of sketches makes the window slide. The standard error is
/// [`STANDARD_ERROR`]. Whoever chooses values to fit this fixed hash can make the estimate wrong, which
/// is one reason why rules read [`RecentDistinct`](crate::RecentDistinct) instead.
///
/// ```
/// use bursar_risk::{DistinctSketch, STANDARD_ERROR};
/// use jiff::Timestamp;
/// use std::time::Duration;
///
/// let mut sketch = DistinctSketch::new(Duration::from_secs(86_400));
/// let now = Timestamp::from_second(1_800_000_000)?;
/// for address in 0..50_000 {
///     sketch.insert(address, now);
/// }
/// let error = sketch.estimate(now) / 50_000.0 - 1.0;
/// assert!(error.abs() < 3.0 * STANDARD_ERROR);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Sketch", into = "saved::Sketch")
)]
pub struct DistinctSketch {
    window_ms: i64,
    ring: [Slice; SLICES + 1],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slice {
    /// Its number since 1970.
    number: i64,
    /// The largest rank of each register.
    ranks: [u8; REGISTERS],
}

const EMPTY: Slice = Slice {
    number: i64::MIN,
    ranks: [0; REGISTERS],
};

impl DistinctSketch {
    /// Counts within a window, which is at least eight milliseconds long.
    #[must_use]
    pub fn new(window: Duration) -> Self {
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        Self {
            window_ms: window_ms.max(SLICES as i64),
            ring: [EMPTY; SLICES + 1],
        }
    }

    /// Takes a value in. One that comes later than the window lasts is left out.
    pub fn insert(&mut self, value: u64, at: Timestamp) {
        let number = self.slice_of(at.as_millisecond());
        let slice = &mut self.ring[number.rem_euclid(SLICES as i64 + 1) as usize];
        if slice.number < number {
            *slice = Slice { number, ..EMPTY };
        }
        if slice.number == number {
            let hash = mix(value);
            let register = (hash >> RANK_BITS) as usize;
            // The bit that is set below the rank's bits ends the count of zeros there.
            let rank = ((hash << INDEX_BITS) | 1 << (INDEX_BITS - 1)).leading_zeros() as u8 + 1;
            slice.ranks[register] = slice.ranks[register].max(rank);
        }
    }

    /// About how many distinct values were seen since `now − window`.
    #[must_use]
    pub fn estimate(&self, now: Timestamp) -> f64 {
        let start = now.as_millisecond().saturating_sub(self.window_ms);
        let first = self.slice_of(start);
        let mut ranks = [0; REGISTERS];
        for slice in self.ring.iter().filter(|slice| slice.number >= first) {
            for (rank, &other) in ranks.iter_mut().zip(&slice.ranks) {
                *rank = other.max(*rank);
            }
        }
        cardinality(&ranks)
    }

    fn slice_of(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.window_ms / SLICES as i64)
    }
}

/// Spreads a value over all bits: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Ertl's improved estimate from the numbers of registers by rank.
fn cardinality(ranks: &[u8; REGISTERS]) -> f64 {
    let mut registers = [0_u32; RANK_BITS as usize + 2];
    for &rank in ranks {
        registers[usize::from(rank).min(RANK_BITS as usize + 1)] += 1;
    }
    let all = REGISTERS as f64;
    let share = |rank: usize| f64::from(registers[rank]) / all;
    let mut sum = all * tau(1.0 - share(RANK_BITS as usize + 1));
    for rank in (1..=RANK_BITS as usize).rev() {
        sum = 0.5 * (sum + f64::from(registers[rank]));
    }
    sum += all * sigma(share(0));
    all * all / (2.0 * std::f64::consts::LN_2 * sum)
}

/// What empty registers add: x + Σ x^(2^k) 2^(k−1), which is infinite when all are empty.
fn sigma(share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut weight, mut sum) = (share, 1.0, share);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

/// What full registers take: (1 − x − Σ (1 − x^(2^−k))² 2^−k) / 3.
fn tau(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut x, mut weight, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x).powi(2) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

/// Slices that hold something, each as its number and its ranks.
#[cfg(feature = "serde")]
mod saved {
    use serde::{Deserialize, Serialize};

    use super::{DistinctSketch, EMPTY, RANK_BITS, REGISTERS, SLICES, Slice};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Sketch {
        format: crate::format::Format<1>,
        window_ms: i64,
        slices: Vec<(i64, Vec<u8>)>,
    }

    impl From<DistinctSketch> for Sketch {
        fn from(sketch: DistinctSketch) -> Self {
            let used = |slice: &&Slice| slice.number != EMPTY.number;
            let slices = sketch.ring.iter().filter(used);
            Self {
                format: crate::format::Format,
                window_ms: sketch.window_ms,
                slices: slices
                    .map(|slice| (slice.number, slice.ranks.to_vec()))
                    .collect(),
            }
        }
    }

    impl TryFrom<Sketch> for DistinctSketch {
        type Error = String;

        fn try_from(saved: Sketch) -> Result<Self, String> {
            if saved.window_ms < SLICES as i64 {
                return Err(format!(
                    "a window of {} ms cannot have been saved: begin a new sketch",
                    saved.window_ms
                ));
            }
            let mut sketch = Self {
                window_ms: saved.window_ms,
                ring: [EMPTY; SLICES + 1],
            };
            for (number, ranks) in saved.slices {
                let slice = slice(number, &ranks)?;
                let place = &mut sketch.ring[number.rem_euclid(SLICES as i64 + 1) as usize];
                if place.number != EMPTY.number {
                    return Err(format!(
                        "slice {number} takes the place of another: begin a new sketch"
                    ));
                }
                *place = slice;
            }
            Ok(sketch)
        }
    }

    fn slice(number: i64, ranks: &[u8]) -> Result<Slice, String> {
        let most = RANK_BITS as u8 + 1;
        match <[u8; REGISTERS]>::try_from(ranks) {
            Ok(ranks) if ranks.iter().all(|&rank| rank <= most) => Ok(Slice { number, ranks }),
            _ => Err(format!(
                "slice {number} does not hold {REGISTERS} ranks up to {most}: begin a new sketch"
            )),
        }
    }
}

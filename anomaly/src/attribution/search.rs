//! Which elements describe the leaves that moved in the fewest words?
//!
//! An element fixes the values of some dimensions; its leaves move together if it is a cause (the
//! ripple effect of `HotSpot` and Squeeze). The description of the data with the element, one common
//! deviation and one spread, is compared with the description without it, as a logarithm of
//! likelihoods, and the element pays for its name: the logarithm of how many elements its cuboid
//! has (minimum description length, Rissanen 1978). The element that gains most is taken, unless
//! some of its own parts gain more together; its leaves are covered, and the search goes on until
//! nothing gains. A parent of the cause includes normal leaves and loses; a part of the cause
//! gains less than the whole. `RiskLoc` decides the same questions with two risk scores and a
//! threshold for each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::Settings;
use super::deviation::Leaves;

/// The deviations of an element's leaves differ by about this much before any is seen (as
/// relative change), and the belief counts as two leaves.
const PRIOR_COMMON_SPREAD: f64 = 0.05;
const PRIOR_COMMON_LEAVES: f64 = 2.0;
/// Leaves of a cause are not taken to agree better than this, or the ends of the scale, where
/// everything new has the deviation 1 exactly, would be told apart from what nearly is. Of 0.02,
/// 0.06, 0.1, 0.15 and 0.2 the fourth had the best F1 on development seeds, see [`Settings::sensitive`].
const LEAST_COMMON_SPREAD: f64 = 0.15;

/// An element that explains, with the leaves that it covers and no earlier one does.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// One bit for each dimension whose value is fixed.
    pub(super) mask: u32,
    pub(super) gain: f64,
    /// Indexes of leaves, ascending.
    pub(super) leaves: Vec<usize>,
}

pub(super) struct Search<'a> {
    leaves: &'a Leaves,
    settings: &'a Settings,
    cuboids: &'a Cuboids,
    /// An element moves at least this much money.
    least_change: f64,
}

/// Every cuboid of the cube; what is normal changes between searches, these do not.
#[derive(Debug)]
pub(super) struct Cuboids {
    /// How many values each dimension has.
    n_values: Vec<u64>,
    all: Vec<Cuboid>,
    /// For each mask, the logarithm of how many elements could have been named.
    name_cost: Vec<f64>,
}

impl Cuboids {
    pub(super) fn of(leaves: &Leaves, n_values: Vec<u64>, settings: &Settings) -> Self {
        let members: Vec<usize> = (0..leaves.len()).collect();
        let all = Cuboid::all(leaves, &members, 0, &n_values, settings.most_values);
        let mut name_cost = vec![0.0; 1 << leaves.n_dimensions];
        for cuboid in &all {
            name_cost[cuboid.mask as usize] = ln_count(cuboid.n_groups);
        }
        Self {
            n_values,
            all,
            name_cost,
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(leaves: &'a Leaves, cuboids: &'a Cuboids, settings: &'a Settings) -> Self {
        Self {
            leaves,
            settings,
            cuboids,
            least_change: leaves.surprising_change() * settings.materiality,
        }
    }

    /// The elements that cover what moved, in the order in which they were found.
    pub(super) fn run(&self) -> Vec<Found> {
        let members: Vec<usize> = (0..self.leaves.len()).collect();
        let tables = self.tables(&members, &self.cuboids.all);
        self.cover(&members, tables)
    }

    fn tables(&self, members: &[usize], cuboids: &[Cuboid]) -> Vec<Table> {
        cuboids
            .iter()
            .map(|cuboid| Table::of(self.leaves, members, cuboid))
            .collect()
    }

    fn cover(&self, members: &[usize], mut tables: Vec<Table>) -> Vec<Found> {
        let mut covered = vec![false; members.len()];
        let mut found = Vec::new();
        while let Some(best) = self.best(&tables) {
            let whole = Self::take(&tables[best.table], best, members, &covered);
            let mut taken = self.parts_or_whole(whole);
            let mut taken_leaves: Vec<usize> = taken
                .iter()
                .flat_map(|part| part.leaves.iter().copied())
                .collect();
            taken_leaves.sort_unstable();
            for leaf in taken_leaves {
                let position = members
                    .binary_search(&leaf)
                    .expect("an element's leaves are among the members");
                covered[position] = true;
                for table in &mut tables {
                    let group = table.group_of[position] as usize;
                    table.groups[group].remove(self.leaves, leaf);
                }
            }
            found.append(&mut taken);
        }
        found
    }

    /// The parts of an element where they explain more than it does as a whole.
    fn parts_or_whole(&self, whole: Found) -> Vec<Found> {
        if whole.leaves.len() < 2 {
            return vec![whole];
        }
        let (members, most) = (&whole.leaves, self.settings.most_values);
        let n_values = &self.cuboids.n_values;
        let cuboids = Cuboid::all(self.leaves, members, whole.mask, n_values, most);
        let parts = self.cover(members, self.tables(members, &cuboids));
        let together: f64 = parts.iter().map(|part| part.gain).sum();
        if together > whole.gain {
            parts
        } else {
            vec![whole]
        }
    }

    fn take(table: &Table, best: Best, members: &[usize], covered: &[bool]) -> Found {
        let leaves = (0..members.len())
            .filter(|&position| {
                !covered[position] && table.group_of[position] as usize == best.group
            })
            .map(|position| members[position])
            .collect();
        Found {
            mask: table.mask,
            gain: best.gain,
            leaves,
        }
    }

    /// The element with the largest gain; the first of equals.
    fn best(&self, tables: &[Table]) -> Option<Best> {
        let mut best: Option<Best> = None;
        for (index, table) in tables.iter().enumerate() {
            for (group, sums) in table.groups.iter().enumerate() {
                let Some(gain) = self.gain(table.mask, sums) else {
                    continue;
                };
                if best.is_none_or(|best| gain > best.gain) {
                    best = Some(Best {
                        table: index,
                        group,
                        gain,
                    });
                }
            }
        }
        best
    }

    /// How much shorter the description becomes, if it does.
    fn gain(&self, mask: u32, sums: &Sums) -> Option<f64> {
        if sums.n == 0 || sums.change.abs() < self.least_change {
            return None;
        }
        let mean = sums.deviation / sums.weight;
        if mean.abs() < self.settings.least_deviation || mean * sums.change <= 0.0 {
            return None;
        }
        let squares = (sums.square - sums.weight * mean * mean).max(0.0);
        let prior = PRIOR_COMMON_LEAVES * PRIOR_COMMON_SPREAD * PRIOR_COMMON_SPREAD;
        let variance = ((squares + prior) / (sums.weight + PRIOR_COMMON_LEAVES))
            .max(LEAST_COMMON_SPREAD * LEAST_COMMON_SPREAD);
        let moved = -0.5 * sums.weight * (std::f64::consts::TAU * variance).ln()
            - squares / (2.0 * variance);
        // Two parameters, a common deviation and its spread, each at half a logarithm.
        let parameters = (1.0 + sums.weight).ln();
        let name = self.cuboids.name_cost[mask as usize];
        let gain = moved - sums.normal - parameters - name - self.settings.caution;
        (gain > 0.0).then_some(gain)
    }
}

#[derive(Debug, Clone, Copy)]
struct Best {
    table: usize,
    group: usize,
    gain: f64,
}

/// The elements of one cuboid.
struct Table {
    mask: u32,
    /// The element of each member.
    group_of: Rc<[u32]>,
    groups: Vec<Sums>,
}

/// The elements of one cuboid before anything is summed.
#[derive(Debug, Clone)]
pub(super) struct Cuboid {
    mask: u32,
    /// The element of each member.
    group_of: Rc<[u32]>,
    n_groups: usize,
}

impl Cuboid {
    fn of(leaves: &Leaves, members: &[usize], mask: u32, n_values: &[u64]) -> Self {
        let mut keys = vec![0_u64; members.len()];
        let mut n_keys = 1_u64;
        for (dimension, &n_values) in n_values.iter().enumerate() {
            if mask & (1 << dimension) == 0 {
                continue;
            }
            if n_keys.checked_mul(n_values).is_none() {
                n_keys = number(&mut keys, n_keys);
            }
            n_keys *= n_values;
            for (key, &leaf) in keys.iter_mut().zip(members) {
                *key = *key * n_values + u64::from(leaves.codes(leaf)[dimension]);
            }
        }
        let n_groups = number(&mut keys, n_keys);
        Self {
            mask,
            group_of: keys
                .into_iter()
                .map(|key| u32::try_from(key).unwrap_or(u32::MAX))
                .collect(),
            n_groups: usize::try_from(n_groups).unwrap_or(usize::MAX),
        }
    }

    /// One for each set of dimensions that fixes more than `fixed` does, small sets first.
    fn all(
        leaves: &Leaves,
        members: &[usize],
        fixed: u32,
        n_values: &[u64],
        most_values: usize,
    ) -> Vec<Self> {
        let all = (1_u32 << leaves.n_dimensions) - 1;
        let mut masks: Vec<u32> = (1..=all)
            .filter(|mask| mask & fixed == fixed && *mask != fixed)
            .filter(|mask| mask.count_ones() as usize <= most_values)
            .collect();
        masks.sort_by_key(|mask| (mask.count_ones(), *mask));
        masks
            .into_iter()
            .map(|mask| Self::of(leaves, members, mask, n_values))
            .collect()
    }
}

impl Table {
    fn of(leaves: &Leaves, members: &[usize], cuboid: &Cuboid) -> Self {
        let mut groups = vec![Sums::default(); cuboid.n_groups];
        for (&group, &leaf) in cuboid.group_of.iter().zip(members) {
            groups[group as usize].add(leaves, leaf);
        }
        Self {
            mask: cuboid.mask,
            group_of: Rc::clone(&cuboid.group_of),
            groups,
        }
    }
}

/// Replaces keys by numbers from zero in the order in which they first occur, so that no hash
/// reaches the result; returns how many there are.
fn number(keys: &mut [u64], n_keys: u64) -> u64 {
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    let dense = usize::try_from(n_keys)
        .ok()
        .filter(|&n_keys| n_keys / 4 <= keys.len());
    if let Some(n_keys) = dense {
        let mut numbers = vec![u64::MAX; n_keys];
        for key in keys {
            let number = &mut numbers[usize::try_from(*key).unwrap_or(usize::MAX)];
            if *number == u64::MAX {
                *number = fresh();
            }
            *key = *number;
        }
    } else {
        let mut numbers: HashMap<u64, u64, BuildHasherDefault<Mix>> = HashMap::default();
        for key in keys {
            *key = *numbers.entry(*key).or_insert_with(&mut fresh);
        }
    }
    next
}

/// What an element's leaves add up to; the gain needs nothing else.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: u32,
    weight: f64,
    deviation: f64,
    square: f64,
    normal: f64,
    change: f64,
}

impl Sums {
    fn add(&mut self, leaves: &Leaves, leaf: usize) {
        self.n += 1;
        self.shift(leaves, leaf, 1.0);
    }

    fn remove(&mut self, leaves: &Leaves, leaf: usize) {
        self.n -= 1;
        self.shift(leaves, leaf, -1.0);
    }

    fn shift(&mut self, leaves: &Leaves, leaf: usize, sign: f64) {
        let (weight, deviation) = (sign * leaves.weight[leaf], leaves.deviation[leaf]);
        self.weight += weight;
        self.deviation += weight * deviation;
        self.square += weight * deviation * deviation;
        self.normal += weight * leaves.normal[leaf];
        self.change += sign * leaves.change[leaf];
    }
}

fn ln_count(n: usize) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of elements is below 2^52"
    )]
    let n = n.max(1) as f64;
    n.ln()
}

/// A hash for keys that are numbers already: one multiplication (Fibonacci hashing, Knuth 6.4).
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte) ^ self.0);
        }
    }

    fn write_u64(&mut self, key: u64) {
        let product = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}

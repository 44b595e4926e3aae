//! Published algorithms to compare with: `Adtributor` (NSDI 2014) and `RiskLoc` (arXiv 2205.10004).
//!
//! Written anew after `RiskLoc`'s public implementation of both (github.com/shaido987/riskloc, MIT),
//! with its default parameters. The results were not compared case by case with that program's.

use std::cmp::Reverse;

use bursar_anomaly::synthetic::root_cause::RootCauseCase;

/// A value for each dimension, or any.
pub(crate) type Element = Vec<Option<u32>>;

/// For each dimension the fewest surprising elements that explain a tenth; the three most
/// surprising dimensions.
pub(crate) fn adtributor(case: &RootCauseCase) -> Vec<Element> {
    const LEAST_ELEMENT: f64 = 0.1;
    const LEAST_SET: f64 = 0.1;
    const DIMENSIONS: usize = 3;
    let expected: f64 = case.leaves.iter().map(|leaf| leaf.expected).sum();
    let actual: f64 = case.leaves.iter().map(|leaf| leaf.actual).sum();
    let mut candidates: Vec<(f64, Vec<Element>)> = Vec::new();
    for (dimension, &n_values) in case.dimensions.iter().enumerate() {
        let mut sums = vec![(0.0, 0.0); n_values as usize];
        for leaf in &case.leaves {
            let sum = &mut sums[leaf.codes[dimension] as usize];
            *sum = (sum.0 + leaf.expected, sum.1 + leaf.actual);
        }
        let mut elements: Vec<(f64, f64, u32)> = (0..n_values)
            .map(|value| {
                let (f, v) = sums[value as usize];
                let power = (v - f) / (actual - expected);
                (divergence(f / expected, v / actual), power, value)
            })
            .collect();
        elements.sort_by(|left, right| right.0.total_cmp(&left.0));
        let (mut surprise, mut explained, mut set) = (0.0, 0.0, Vec::new());
        for (element_surprise, power, value) in elements {
            if power > LEAST_ELEMENT && explained <= LEAST_SET {
                explained += power;
                surprise += element_surprise;
                let mut element = vec![None; case.dimensions.len()];
                element[dimension] = Some(value);
                set.push(element);
            }
        }
        if explained > LEAST_SET {
            candidates.push((surprise, set));
        }
    }
    candidates.sort_by(|left, right| right.0.total_cmp(&left.0));
    candidates
        .into_iter()
        .take(DIMENSIONS)
        .flat_map(|(_, set)| set)
        .collect()
}

fn divergence(p: f64, q: f64) -> f64 {
    let term = |x: f64| {
        if x > 0.0 {
            x * (2.0 * x / (p + q)).ln()
        } else {
            0.0
        }
    };
    0.5 * (term(p) + term(q))
}

/// `RiskLoc` without its pruning of elements, which saves time and changes no result.
pub(crate) fn riskloc(case: &RootCauseCase) -> Vec<Element> {
    const RISK: f64 = 0.5;
    const POWER: f64 = 0.02;
    let mut leaves = abnormal_and_normal(case);
    let abnormal_power = |leaves: &[Leaf<'_>]| -> f64 {
        let abnormal = leaves.iter().filter(|leaf| leaf.abnormal);
        abnormal.map(|leaf| leaf.power).sum()
    };
    if abnormal_power(&leaves) < 0.0 {
        for leaf in &mut leaves {
            leaf.power = -leaf.power;
        }
    }
    let least = abnormal_power(&leaves) * POWER;
    let mut causes = Vec::new();
    while !leaves.is_empty() && abnormal_power(&leaves) >= least {
        let Some(cause) = search(case, &leaves, RISK, least) else {
            break;
        };
        leaves.retain(|leaf| !covers(&cause, leaf.codes));
        causes.push(cause);
    }
    causes
}

struct Leaf<'a> {
    codes: &'a [u32],
    expected: f64,
    actual: f64,
    deviation: f64,
    power: f64,
    weight: f64,
    abnormal: bool,
}

fn abnormal_and_normal(case: &RootCauseCase) -> Vec<Leaf<'_>> {
    let mut leaves: Vec<Leaf<'_>> = case
        .leaves
        .iter()
        .map(|leaf| {
            let sum = leaf.expected + leaf.actual;
            let difference = leaf.expected - leaf.actual;
            Leaf {
                codes: &leaf.codes,
                expected: leaf.expected,
                actual: leaf.actual,
                deviation: if sum == 0.0 {
                    0.0
                } else {
                    2.0 * difference / sum
                },
                power: -difference,
                weight: 0.0,
                abnormal: false,
            }
        })
        .collect();
    let cutoff = cutoff(&leaves);
    for leaf in &mut leaves {
        leaf.abnormal = if cutoff >= 0.0 && cutoff.is_sign_positive() {
            leaf.deviation > cutoff
        } else {
            leaf.deviation < cutoff
        };
        let weight = match (leaf.abnormal, leaf.expected == 0.0 && leaf.actual == 0.0) {
            (true, _) => leaf.deviation.abs(),
            (false, true) => 0.0,
            (false, false) => (cutoff - leaf.deviation).abs(),
        };
        leaf.weight = weight.min(1.0);
    }
    leaves
}

/// The sixth most extreme deviation of the side that reaches less far, mirrored.
fn cutoff(leaves: &[Leaf<'_>]) -> f64 {
    const REMOVED: usize = 5;
    let mut deviations: Vec<f64> = leaves.iter().map(|leaf| leaf.deviation).collect();
    deviations.sort_by(f64::total_cmp);
    deviations.dedup();
    let last = deviations.len() - 1;
    let low = deviations[REMOVED.min(last)];
    let high = deviations[last - REMOVED.min(last)];
    if low.abs() <= high.abs() { -low } else { -high }
}

fn search(case: &RootCauseCase, leaves: &[Leaf<'_>], risk: f64, least: f64) -> Option<Element> {
    let n_dimensions = case.dimensions.len();
    for layer in 1..=n_dimensions {
        let mut best: Option<Element> = None;
        let mut best_power = least;
        for mask in (1_u32..1 << n_dimensions).filter(|mask| mask.count_ones() as usize == layer) {
            let (groups, mut order) = grouped(case, leaves, mask);
            order.retain(|&(power, group)| {
                power > best_power && groups[group].iter().any(|&leaf| leaves[leaf].abnormal)
            });
            order.sort_by(|left, right| right.0.total_cmp(&left.0));
            for (power, group) in order {
                let members: Vec<&Leaf<'_>> = groups[group].iter().map(|&i| &leaves[i]).collect();
                if high_risk(&members) - low_risk(&members) >= risk {
                    best_power = power;
                    best = Some(element(members[0].codes, mask));
                    break;
                }
            }
        }
        if best.is_some() {
            return best;
        }
    }
    None
}

type Groups = (Vec<Vec<usize>>, Vec<(f64, usize)>);

fn grouped(case: &RootCauseCase, leaves: &[Leaf<'_>], mask: u32) -> Groups {
    let fixed = |dimension: &usize| mask & (1 << dimension) != 0;
    let dimensions: Vec<usize> = (0..case.dimensions.len()).filter(fixed).collect();
    let n_groups: usize = dimensions
        .iter()
        .map(|&d| case.dimensions[d] as usize)
        .product();
    let mut groups = vec![Vec::new(); n_groups];
    let mut powers = vec![0.0; n_groups];
    for (index, leaf) in leaves.iter().enumerate() {
        let group = dimensions.iter().fold(0, |group, &d| {
            group * case.dimensions[d] as usize + leaf.codes[d] as usize
        });
        groups[group].push(index);
        powers[group] += leaf.power;
    }
    (groups, powers.into_iter().zip(0..).collect())
}

fn element(codes: &[u32], mask: u32) -> Element {
    codes
        .iter()
        .enumerate()
        .map(|(dimension, &code)| (mask & (1 << dimension) != 0).then_some(code))
        .collect()
}

fn high_risk(members: &[&Leaf<'_>]) -> f64 {
    let weight = |abnormal: bool| -> f64 {
        let side = members.iter().filter(|leaf| leaf.abnormal == abnormal);
        side.map(|leaf| leaf.weight).sum()
    };
    let abnormal = weight(true);
    abnormal / (abnormal + weight(false) + 1.0)
}

fn low_risk(members: &[&Leaf<'_>]) -> f64 {
    let seen = || {
        members
            .iter()
            .filter(|leaf| leaf.expected != 0.0 && leaf.actual != 0.0)
    };
    let expected: f64 = seen().map(|leaf| leaf.expected).sum();
    let actual: f64 = seen().map(|leaf| leaf.actual).sum();
    let own: f64 = seen().map(|leaf| leaf.deviation.abs()).sum();
    if own == 0.0 {
        return 0.0;
    }
    let ripple: f64 = seen()
        .map(|leaf| {
            let shared = leaf.expected * actual / expected;
            (2.0 * (shared - leaf.actual) / (shared + leaf.actual)).abs()
        })
        .sum();
    ripple / own
}

/// Whether a leaf belongs to an element.
pub(crate) fn covers(element: &[Option<u32>], codes: &[u32]) -> bool {
    element
        .iter()
        .zip(codes)
        .all(|(value, code)| value.is_none_or(|value| value == *code))
}

/// Elements found, found wrongly and missed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Score {
    hits: usize,
    wrong: usize,
    missed: usize,
}

impl Score {
    /// Counts one case.
    pub(crate) fn add(&mut self, truth: &[Element], mut found: Vec<Element>) {
        found.sort_by_key(|element| Reverse(element.clone()));
        found.dedup();
        let hits = found
            .iter()
            .filter(|element| truth.contains(element))
            .count();
        self.hits += hits;
        self.wrong += found.len() - hits;
        self.missed += truth.len() - hits;
    }

    /// Precision, recall and F1; a part of nothing is 0.
    pub(crate) fn figures(self) -> (f64, f64, f64) {
        let part = |whole: usize| self.hits as f64 / whole.max(1) as f64;
        let f1 = 2.0 * self.hits as f64 / (2 * self.hits + self.wrong + self.missed).max(1) as f64;
        (
            part(self.hits + self.wrong),
            part(self.hits + self.missed),
            f1,
        )
    }
}

//! Cubes of costs with a known root cause.
//!
//! The construction is that of the public generator of `RiskLoc` (arXiv 2205.10004;
//! github.com/shaido987/riskloc, `generate_dataset.py`), written anew: Weibull amounts, of which
//! some are zero, forecast errors on either side, then elements of random cuboids that all fall, or
//! all rise, by one factor each.

mod costs;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub use self::costs::{CostCase, CostCauses};

/// Ranges from which a case is drawn, each uniformly.
#[derive(Debug, Clone, PartialEq)]
pub struct RootCauseSet {
    /// How many values each dimension has.
    pub dimensions: Vec<u32>,
    /// Forecast error of normal leaves, as standard deviation relative to the amount.
    pub noise: (f64, f64),
    /// The part that a cause takes away, before the noise is added to it.
    pub severity: (f64, f64),
    /// The standard deviation of that part among the leaves of a cause.
    pub deviation: (f64, f64),
    /// How many anomalies there are, each in a cuboid of its own.
    pub anomalies: (u32, u32),
    /// How many elements of its cuboid an anomaly has.
    pub elements: (u32, u32),
    /// Whether anomalies are single leaves.
    pub layer: Layer,
}

/// In which cuboids anomalies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// In any, with one dimension as likely as with all.
    Any,
    /// In the one of all dimensions.
    Last,
}

/// A cube and its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct RootCauseCase {
    /// How many values each dimension has.
    pub dimensions: Vec<u32>,
    /// Every combination of values, the last dimension fastest.
    pub leaves: Vec<MetricLeaf>,
    /// For each root cause the value of each dimension, or `None` where it is any.
    pub causes: Vec<Vec<Option<u32>>>,
}

/// A leaf of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricLeaf {
    /// Its value in each dimension, from 0.
    pub codes: Vec<u32>,
    /// The forecast.
    pub expected: f64,
    /// What came.
    pub actual: f64,
}

impl RootCauseSet {
    /// The published set S: 48,000 leaves in five dimensions, up to three anomalies of up to three
    /// elements.
    #[must_use]
    pub fn s() -> Self {
        Self::like_s([10, 12, 10, 8, 5])
    }

    /// The published set L: 36,000 leaves in four dimensions, up to five single leaves, little
    /// noise.
    #[must_use]
    pub fn l() -> Self {
        Self {
            dimensions: vec![10, 24, 10, 15],
            noise: (0.0, 0.1),
            severity: (0.5, 1.0),
            deviation: (0.0, 0.0),
            anomalies: (1, 5),
            elements: (1, 1),
            layer: Layer::Last,
        }
    }

    /// The published set H: 24 million leaves in six dimensions, as S otherwise.
    #[must_use]
    pub fn h() -> Self {
        Self::like_s([10, 5, 250, 20, 8, 12])
    }

    /// A set as S with other dimensions.
    #[must_use]
    pub fn like_s(dimensions: impl Into<Vec<u32>>) -> Self {
        Self {
            dimensions: dimensions.into(),
            noise: (0.0, 0.25),
            severity: (0.2, 1.0),
            deviation: (0.0, 0.1),
            anomalies: (1, 3),
            elements: (1, 3),
            layer: Layer::Any,
        }
    }

    /// A case; another seed makes another one.
    #[must_use]
    pub fn case(&self, seed: u64) -> RootCauseCase {
        let mut random = Draws(ChaCha8Rng::seed_from_u64(seed));
        loop {
            if let Some(case) = self.draw(&mut random) {
                return case;
            }
        }
    }

    /// `None` when the places drawn do not fit beside each other.
    fn draw(&self, random: &mut Draws) -> Option<RootCauseCase> {
        let zero_rate = random.between((0.0, 0.25));
        let noise = random.between(self.noise);
        let mut leaves = self.normal_leaves(zero_rate, noise, random);
        let n_anomalies = random.count(self.anomalies);
        let mut anomalies: Vec<Anomaly> = Vec::new();
        for _ in 0..n_anomalies {
            let anomaly = self.anomaly(noise, &anomalies, &leaves, random)?;
            anomalies.push(anomaly);
        }
        // The causes push where the noise already points, as in the published generator.
        let change: f64 = leaves.iter().map(|leaf| leaf.actual - leaf.expected).sum();
        for anomaly in &anomalies {
            for leaf in &mut leaves {
                if anomaly
                    .elements
                    .iter()
                    .any(|element| covers(element, &leaf.codes))
                {
                    let part = anomaly.severity + anomaly.deviation * random.normal();
                    anomaly_on(leaf, part, change > 0.0);
                }
            }
        }
        Some(RootCauseCase {
            dimensions: self.dimensions.clone(),
            leaves,
            causes: anomalies
                .into_iter()
                .flat_map(|anomaly| anomaly.elements)
                .collect(),
        })
    }

    fn normal_leaves(&self, zero_rate: f64, noise: f64, random: &mut Draws) -> Vec<MetricLeaf> {
        let shape = random.between((0.5, 1.0));
        let n_leaves: u64 = self.dimensions.iter().map(|&n| u64::from(n)).product();
        (0..n_leaves)
            .map(|index| {
                let zero = random.unit() <= zero_rate;
                let weibull = 100.0 * (-random.open_unit().ln()).powf(1.0 / shape);
                let amount = if zero { 0.0 } else { weibull };
                let other = amount + amount * noise * random.normal();
                let (expected, actual) = if random.unit() < 0.5 {
                    (amount, other)
                } else {
                    (other.max(0.0), amount)
                };
                MetricLeaf {
                    codes: self.codes(index),
                    expected,
                    actual,
                }
            })
            .collect()
    }

    fn codes(&self, index: u64) -> Vec<u32> {
        let mut rest = index;
        let mut codes: Vec<u32> = self
            .dimensions
            .iter()
            .rev()
            .map(|&n| {
                let code = u32::try_from(rest % u64::from(n)).expect("it is below a u32");
                rest /= u64::from(n);
                code
            })
            .collect();
        codes.reverse();
        codes
    }

    fn anomaly(
        &self,
        noise: f64,
        earlier: &[Anomaly],
        leaves: &[MetricLeaf],
        random: &mut Draws,
    ) -> Option<Anomaly> {
        let n_dimensions = u32::try_from(self.dimensions.len()).ok()?;
        let layer = match self.layer {
            Layer::Any => random.count((1, n_dimensions)),
            Layer::Last => n_dimensions,
        };
        let n_elements = random.count(self.elements);
        let severity = random.between(self.severity) + noise;
        let deviation = random.between(self.deviation);
        (0..100).find_map(|_| {
            let cuboid = random.choose(n_dimensions, layer);
            let elements = self.elements_of(&cuboid, n_elements, earlier, leaves, random)?;
            Some(Anomaly {
                elements,
                cuboid,
                severity,
                deviation,
            })
        })
    }

    /// Distinct elements that share no value with earlier anomalies, and in the last layer none
    /// that is zero.
    fn elements_of(
        &self,
        cuboid: &[bool],
        n_elements: u32,
        earlier: &[Anomaly],
        leaves: &[MetricLeaf],
        random: &mut Draws,
    ) -> Option<Vec<Vec<Option<u32>>>> {
        let last_layer = cuboid.iter().all(|fixed| *fixed);
        if !last_layer && earlier.iter().any(|anomaly| anomaly.cuboid == cuboid) {
            return None;
        }
        let mut elements = vec![vec![None; cuboid.len()]; usize::try_from(n_elements).ok()?];
        for dimension in (0..cuboid.len()).filter(|&dimension| cuboid[dimension]) {
            let taken = |value: &u32| {
                earlier
                    .iter()
                    .flat_map(|anomaly| &anomaly.elements)
                    .any(|element| element[dimension] == Some(*value))
            };
            let free: Vec<u32> = (0..self.dimensions[dimension])
                .filter(|value| !taken(value))
                .collect();
            let last = u32::try_from(free.len().checked_sub(1)?).ok()?;
            for element in &mut elements {
                element[dimension] = Some(free[random.count((0, last)) as usize]);
            }
        }
        let zero = |element: &Vec<Option<u32>>| {
            leaves
                .iter()
                .any(|leaf| leaf.actual == 0.0 && covers(element, &leaf.codes))
        };
        let distinct =
            (1..elements.len()).all(|index| !elements[..index].contains(&elements[index]));
        let seen = !(last_layer && elements.iter().any(zero));
        (distinct && seen).then_some(elements)
    }
}

#[derive(Debug)]
struct Anomaly {
    cuboid: Vec<bool>,
    elements: Vec<Vec<Option<u32>>>,
    severity: f64,
    deviation: f64,
}

/// Takes a part away from what came, or from the forecast; the noise of the leaf is reset.
fn anomaly_on(leaf: &mut MetricLeaf, part: f64, rising: bool) {
    if rising {
        leaf.expected = (leaf.actual * (1.0 - part)).max(0.0);
    } else {
        leaf.actual = (leaf.expected * (1.0 - part)).max(0.0);
    }
}

fn covers(element: &[Option<u32>], codes: &[u32]) -> bool {
    element
        .iter()
        .zip(codes)
        .all(|(value, code)| value.is_none_or(|value| value == *code))
}

struct Draws(ChaCha8Rng);

impl Draws {
    /// From 0 up to but without 1, in steps of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.0.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    fn open_unit(&mut self) -> f64 {
        1.0 - self.unit()
    }

    fn between(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Both ends included.
    fn count(&mut self, (low, high): (u32, u32)) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between two u32"
        )]
        let step = (self.unit() * (f64::from(high - low) + 1.0)) as u32;
        low + step
    }

    /// Box and Muller, one of the two.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.open_unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// `k` of `n`, as flags.
    fn choose(&mut self, n: u32, k: u32) -> Vec<bool> {
        let (mut open, mut left) = (n, k);
        (0..n)
            .map(|_| {
                let chosen = self.count((0, open - 1)) < left;
                open -= 1;
                left -= u32::from(chosen);
                chosen
            })
            .collect()
    }
}

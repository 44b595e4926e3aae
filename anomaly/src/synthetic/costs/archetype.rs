//! What kinds of services does an account have, and how does each behave?

use super::random::Random;

/// The ordinary behavior of a kind of service; pairs are ranges to draw from.
#[derive(Debug)]
pub(super) struct Archetype {
    pub(super) name: &'static str,
    /// Its part of the bill, relative to the others.
    weight: f64,
    /// What a Saturday and a Sunday cost, relative to a workday.
    saturday: (f64, f64),
    sunday: (f64, f64),
    /// Growth in a year, 0.5 = half as much again.
    growth: (f64, f64),
    /// Standard deviation of the logarithm of a day.
    sigma: (f64, f64),
    /// How much of a day's deviation the next one inherits.
    memory: (f64, f64),
    /// Whether its noise has the tails of Student's t with 4 degrees of freedom.
    pub(super) heavy_tailed: bool,
    pub(super) monthly: Monthly,
}

/// How a service depends on the day of the month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Monthly {
    /// It does not.
    Even,
    /// Most of the month is charged on one day.
    Lump,
    /// The last days cost more.
    End,
}

const fn archetype(name: &'static str, weight: f64) -> Archetype {
    Archetype {
        name,
        weight,
        saturday: (0.97, 1.0),
        sunday: (0.97, 1.0),
        growth: (0.0, 0.4),
        sigma: (0.02, 0.04),
        memory: (0.2, 0.6),
        heavy_tailed: false,
        monthly: Monthly::Even,
    }
}

/// The kinds of services. The development environment is the one that is switched off at weekends.
pub(super) const ARCHETYPES: [Archetype; 10] = [
    Archetype {
        saturday: (0.86, 0.97),
        sunday: (0.82, 0.93),
        growth: (-0.05, 0.5),
        ..archetype("compute-prod", 10.0)
    },
    Archetype {
        saturday: (0.15, 0.45),
        sunday: (0.1, 0.35),
        growth: (0.0, 0.5),
        sigma: (0.05, 0.1),
        ..archetype(DEVELOPMENT, 3.0)
    },
    Archetype {
        sigma: (0.01, 0.02),
        ..archetype("database", 5.0)
    },
    Archetype {
        saturday: (1.0, 1.0),
        sunday: (1.0, 1.0),
        growth: (0.1, 0.6),
        sigma: (0.005, 0.012),
        ..archetype("storage", 2.0)
    },
    Archetype {
        saturday: (0.7, 0.95),
        sunday: (0.65, 0.9),
        sigma: (0.06, 0.14),
        heavy_tailed: true,
        ..archetype("network", 2.0)
    },
    Archetype {
        saturday: (0.6, 0.85),
        sunday: (0.5, 0.8),
        growth: (0.0, 0.8),
        sigma: (0.08, 0.18),
        heavy_tailed: true,
        ..archetype("serverless", 1.0)
    },
    Archetype {
        saturday: (0.5, 1.1),
        sunday: (0.4, 1.1),
        growth: (-0.1, 0.3),
        sigma: (0.08, 0.18),
        monthly: Monthly::End,
        ..archetype("batch", 2.0)
    },
    Archetype {
        saturday: (1.0, 1.0),
        sunday: (1.0, 1.0),
        sigma: (0.01, 0.03),
        monthly: Monthly::Lump,
        ..archetype("support", 1.0)
    },
    Archetype {
        saturday: (0.9, 1.0),
        sunday: (0.9, 1.0),
        sigma: (0.02, 0.05),
        monthly: Monthly::Lump,
        ..archetype("marketplace", 1.2)
    },
    Archetype {
        saturday: (0.45, 0.75),
        sunday: (0.4, 0.7),
        growth: (0.3, 2.0),
        sigma: (0.1, 0.22),
        heavy_tailed: true,
        ..archetype("llm-tokens", 2.0)
    },
];

/// The service that a forgotten switch leaves on over a weekend.
pub(super) const DEVELOPMENT: &str = "compute-dev";

/// One service of one account: an archetype with its ranges drawn.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) archetype: &'static Archetype,
    /// What a workday costs on the first day, before noise.
    pub(super) level: f64,
    pub(super) saturday: f64,
    pub(super) sunday: f64,
    /// Growth of the logarithm in a day.
    pub(super) drift: f64,
    pub(super) sigma: f64,
    pub(super) memory: f64,
}

impl Service {
    fn draw(archetype: &'static Archetype, random: &mut Random) -> Self {
        Self {
            archetype,
            level: archetype.weight * (0.5 * random.normal()).exp(),
            saturday: random.between(archetype.saturday),
            sunday: random.between(archetype.sunday),
            drift: random.between(archetype.growth).ln_1p() / 365.0,
            sigma: random.between(archetype.sigma),
            memory: random.between(archetype.memory),
        }
    }
}

/// Three to nine services that together cost `scale` on a workday.
pub(super) fn draw_services(scale: f64, random: &mut Random) -> Vec<Service> {
    let n_services = random.whole(3..=9);
    let mut kinds: Vec<&'static Archetype> = ARCHETYPES.iter().collect();
    while kinds.len() > n_services {
        kinds.remove(random.whole(0..=kinds.len() - 1));
    }
    let mut services: Vec<Service> = kinds
        .into_iter()
        .map(|archetype| Service::draw(archetype, random))
        .collect();
    let sum: f64 = services.iter().map(|service| service.level).sum();
    for service in &mut services {
        service.level *= scale / sum;
    }
    services
}

//! A day of a cloud bill in which something happened.

use std::collections::BTreeMap;

use bursar_units::{Currency, Money};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rust_decimal::Decimal;

use super::Draws;
use crate::attribution::{Cube, CubeBuilder, CubeError};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostCauses {
    /// A service of an account costs two to five times as much.
    Increase,
    /// A service costs a tenth to a half.
    Drop,
    /// A service appears in a region of an account where nothing was expected.
    New,
    /// An account costs nothing any more.
    Vanished,
    /// An increase and a drop of nearly the same money, in different services.
    Netting,
    /// Nothing but noise.
    Nothing,
}

/// A cube of money and its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct CostCase {
    /// The names of the dimensions.
    pub dimensions: Vec<String>,
    /// Values, expected and actual amount of each leaf.
    pub leaves: Vec<(Vec<String>, Money, Money)>,
    /// The elements that caused the change, as dimension and value.
    pub causes: Vec<Vec<(String, String)>>,
}

const DIMENSIONS: [&str; 5] = ["provider", "service", "account", "region", "usage type"];
const SERVICES: [(&str, &str); 8] = [
    ("aws", "EC2"),
    ("aws", "S3"),
    ("aws", "RDS"),
    ("aws", "Lambda"),
    ("gcp", "BigQuery"),
    ("gcp", "Compute Engine"),
    ("azure", "OpenAI"),
    ("azure", "Virtual Machines"),
];
const ACCOUNTS: [&str; 6] = ["data", "ml", "payments", "platform", "staging", "web"];
const REGIONS: [&str; 4] = ["asia", "eu-central", "us-east", "us-west"];
const USAGE: [&str; 4] = ["compute", "egress", "requests", "storage"];

impl CostCase {
    /// A day of about 540 leaves (seven in ten combinations occur): amounts are log-normal over
    /// five powers of ten, in cents, and forecasts miss small ones by far more than large ones,
    /// with heavy tails.
    #[must_use]
    pub fn of(causes: CostCauses, seed: u64) -> Self {
        let mut random = Draws(ChaCha8Rng::seed_from_u64(seed));
        let mut amounts = BTreeMap::new();
        for values in combinations() {
            let occurs = random.unit() < 0.7;
            let expected = 20.0 * (2.0 * random.normal()).exp();
            let factor = noise(expected, &mut random);
            if occurs {
                amounts.insert(values, (expected, expected * factor));
            }
        }
        let causes = apply(causes, &mut amounts, &mut random);
        Self {
            dimensions: DIMENSIONS.map(str::to_owned).to_vec(),
            leaves: amounts
                .into_iter()
                .map(|(values, (expected, actual))| {
                    let values = values.map(str::to_owned).to_vec();
                    (values, cents(expected), cents(actual))
                })
                .collect(),
            causes,
        }
    }

    /// The leaves as a cube.
    ///
    /// # Errors
    /// [`CubeError`] when the public fields were changed to what is no cube.
    pub fn cube(&self) -> Result<Cube, CubeError> {
        let mut builder = CubeBuilder::new(Currency::USD, self.dimensions.iter().cloned())?;
        for (values, expected, actual) in &self.leaves {
            builder.add(values.iter().cloned(), *expected, *actual)?;
        }
        builder.build()
    }
}

type Values = [&'static str; 5];
type Amounts = BTreeMap<Values, (f64, f64)>;
type Element = Vec<(String, String)>;

fn combinations() -> impl Iterator<Item = Values> {
    SERVICES.into_iter().flat_map(|(provider, service)| {
        ACCOUNTS.into_iter().flat_map(move |account| {
            REGIONS.into_iter().flat_map(move |region| {
                USAGE.map(|usage| [provider, service, account, region, usage])
            })
        })
    })
}

/// A forecast misses a dollar by about 15 % and a hundred dollars by 4 %; one in twenty misses by
/// three times that.
fn noise(expected: f64, random: &mut Draws) -> f64 {
    let tail = if random.unit() < 0.05 { 3.0 } else { 1.0 };
    let spread = 0.03 + 0.12 / (1.0 + expected).sqrt();
    (1.0 + tail * spread * random.normal()).max(0.0)
}

fn apply(causes: CostCauses, amounts: &mut Amounts, random: &mut Draws) -> Vec<Element> {
    let mut choose = |n: usize| random.count((0, u32::try_from(n - 1).unwrap_or(0))) as usize;
    let at = choose(SERVICES.len());
    let (provider, service) = SERVICES[at];
    let (_, other_service) = SERVICES[(at + 3) % SERVICES.len()];
    let account = ACCOUNTS[choose(ACCOUNTS.len())];
    let region = REGIONS[choose(REGIONS.len())];
    match causes {
        CostCauses::Nothing => Vec::new(),
        CostCauses::Increase => {
            let factor = random.between((2.0, 5.0));
            scale(amounts, &[(1, service), (2, account)], factor);
            vec![element(&[(1, service), (2, account)])]
        }
        CostCauses::Drop => {
            let factor = random.between((0.1, 0.5));
            scale(amounts, &[(1, service)], factor);
            vec![element(&[(1, service)])]
        }
        CostCauses::Vanished => {
            scale(amounts, &[(2, account)], 0.0);
            vec![element(&[(2, account)])]
        }
        CostCauses::New => {
            for usage in USAGE {
                let amount = 100.0 * (random.normal()).exp();
                amounts.insert([provider, service, account, region, usage], (0.0, amount));
            }
            vec![element(&[(1, service), (2, account), (3, region)])]
        }
        CostCauses::Netting => {
            scale(amounts, &[(1, service)], 0.3);
            let freed: f64 = 0.7 * expected(amounts, &[(1, service)]);
            let other = expected(amounts, &[(1, other_service)]);
            scale(amounts, &[(1, other_service)], 1.0 + freed / other);
            vec![element(&[(1, service)]), element(&[(1, other_service)])]
        }
    }
}

fn is_in(values: &Values, fixed: &[(usize, &str)]) -> bool {
    fixed
        .iter()
        .all(|&(dimension, value)| values[dimension] == value)
}

fn scale(amounts: &mut Amounts, fixed: &[(usize, &str)], factor: f64) {
    for (values, (_, actual)) in amounts.iter_mut() {
        if is_in(values, fixed) {
            *actual *= factor;
        }
    }
}

fn expected(amounts: &Amounts, fixed: &[(usize, &str)]) -> f64 {
    let inside = amounts.iter().filter(|(values, _)| is_in(values, fixed));
    inside.map(|(_, (expected, _))| expected).sum()
}

fn element(fixed: &[(usize, &str)]) -> Element {
    fixed
        .iter()
        .map(|&(dimension, value)| (DIMENSIONS[dimension].to_owned(), value.to_owned()))
        .collect()
}

/// Made-up amounts become money here, rounded to the cent.
fn cents(amount: f64) -> Money {
    let amount = Decimal::from_f64_retain(amount).unwrap_or_default();
    Money::new(amount.round_dp(2), Currency::USD)
}

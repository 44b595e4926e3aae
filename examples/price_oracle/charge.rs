//! What does usage cost, in whatever pieces it comes?

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use bursar_pricing::charge::{ChargeLine, Package, Statement};
use bursar_pricing::{Band, Schedule, Tiering};
use bursar_units::{Currency, Money, MoneyError, Quantum, UnitRate};
use num_bigint::BigInt;
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, any_decimal, count, currency, of_magnitude, pick, quantum, rounding};
use crate::exact::{is_decimal, units};
use crate::outcome::{Findings, Outcome};
use crate::statement::{self, Rule};

/// Meters with their tariffs, and the pieces of usage in the order in which they come.
#[derive(Debug)]
struct Case {
    currency: Currency,
    tariffs: Vec<Tariff>,
    pieces: Vec<(usize, u64)>,
    quantum: Quantum,
    rule: Rule,
}

#[derive(Debug)]
enum Tariff {
    Schedule(Schedule),
    Package(Package),
}

/// Charges random usage by random tariffs, and judges each line and the statement of all.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random)?;
    let mut findings = outcome.case(number, &case);
    let mut used = BTreeMap::<usize, u64>::new();
    let mut lines = Vec::new();
    for (meter, quantity) in &case.pieces {
        let tariff = &case.tariffs[*meter];
        let before = used.entry(*meter).or_default();
        let answer = tariff.amount_after(*before, *quantity);
        tariff.judge(&mut findings, *before, *quantity, answer.as_ref());
        if let Ok(exact) = answer {
            *before += quantity;
            lines.push(ChargeLine {
                record: String::new(),
                item: String::new(),
                quantity: *quantity,
                exact,
            });
        }
    }
    case.whole(&mut findings, &used, &lines);
    let (rule, quantum) = (case.rule, case.quantum);
    let answer = Statement::of(lines.clone(), case.currency, quantum, rule.rounding);
    statement::judge(&mut findings, &lines, rule, &answer);
    Ok(())
}

impl Case {
    fn random(random: &mut Random) -> anyhow::Result<Self> {
        let (currency, places) = currency(random)?;
        let tariffs = (0..random.random_range(1..=3)).map(|_| Tariff::random(random, currency));
        let tariffs: Vec<Tariff> = tariffs.collect::<anyhow::Result<_>>()?;
        let most_bits = *pick(random, &[4, 16, 32, 32, 64]);
        let pieces = (0..random.random_range(0..=10))
            .map(|_| {
                let meter = random.random_range(0..tariffs.len());
                (meter, count(random, most_bits))
            })
            .collect();
        let step = match random.random_range(0..20) {
            0 => any_decimal(random),
            1 => Decimal::new(random.random_range(1..=999), random.random_range(0..=6)),
            _ => Decimal::new(*pick(random, &[1, 1, 5, 25]), random.random_range(0..=9)),
        };
        let (quantum, step) = quantum(random, places, step)?;
        Ok(Self {
            currency,
            tariffs,
            pieces,
            quantum,
            rule: Rule {
                step,
                rounding: rounding(random),
            },
        })
    }

    /// The pieces of a meter cost what all of it costs.
    fn whole(
        &self,
        findings: &mut Findings<'_>,
        used: &BTreeMap<usize, u64>,
        lines: &[ChargeLine],
    ) {
        let expected = used
            .iter()
            .map(|(meter, all)| self.tariffs[*meter].cost(*all));
        let expected: BigInt = expected.sum();
        let found = lines.iter().map(|line| units(line.exact.amount()));
        let is_whole = found.sum::<BigInt>() == expected;
        findings.require(is_whole, "pieces cost what the whole costs");
    }
}

impl Tariff {
    fn random(random: &mut Random, currency: Currency) -> anyhow::Result<Self> {
        let tiering = match random.random_range(0..4) {
            0 => {
                let price = Money::new(rate(random), currency);
                let size = NonZeroU64::MIN.saturating_add(count(random, 24));
                return Ok(Self::Package(Package { size, price }));
            }
            1 => {
                return Ok(Self::Schedule(Schedule::flat(unit_rate(random, currency))?));
            }
            2 => Tiering::Graduated,
            _ => Tiering::Volume,
        };
        let n_bands = random.random_range(2..=4);
        let (mut bands, mut end) = (Vec::new(), 0_u64);
        for band in 1..=n_bands {
            end = end.saturating_add(1 + count(random, 40));
            bands.push(Band {
                up_to: (band < n_bands).then_some(end),
                rate: unit_rate(random, currency),
            });
        }
        Ok(Self::Schedule(Schedule::tiered(tiering, bands)?))
    }

    fn amount_after(&self, before: u64, quantity: u64) -> Result<Money, MoneyError> {
        match self {
            Self::Schedule(schedule) => schedule.amount_after(before, quantity),
            Self::Package(package) => package.amount_after(before, quantity),
        }
    }

    fn judge(
        &self,
        findings: &mut Findings<'_>,
        before: u64,
        quantity: u64,
        answer: Result<&Money, &MoneyError>,
    ) {
        let Some(after) = before.checked_add(quantity) else {
            findings.count("charge: refused, beyond 2^64 units");
            return findings.require(answer.is_err(), "more units than are counted");
        };
        let expected = self.cost(after) - self.cost(before);
        match answer {
            Ok(amount) => {
                findings.count(self.name());
                let is_right = units(amount.amount()) == expected;
                findings.require(is_right, "what a quantity costs");
            }
            Err(_) => {
                findings.count("charge: refused, too many digits");
                let amounts = [before, after]
                    .into_iter()
                    .flat_map(|it| self.on_the_way(it));
                let is_held = amounts.chain([expected]).all(|it| is_decimal(&it));
                findings.require(!is_held, "a charge that is refused");
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Package(_) => "charge: packages",
            Self::Schedule(schedule) if schedule.bands().count() == 1 => "charge: one rate",
            Self::Schedule(schedule) => match schedule.tiering() {
                Tiering::Graduated => "charge: graduated",
                _ => "charge: volume",
            },
        }
    }

    /// What a quantity costs from the start, in units.
    fn cost(&self, quantity: u64) -> BigInt {
        self.on_the_way(quantity).pop().unwrap_or_default()
    }

    fn on_the_way(&self, quantity: u64) -> Vec<BigInt> {
        match self {
            Self::Package(Package { size, price }) => {
                let begun = u128::from(quantity).div_ceil(size.get().into());
                vec![units(price.amount()) * begun]
            }
            Self::Schedule(schedule) => on_the_way(schedule, quantity),
        }
    }
}

/// The amounts that add up to the cost of a quantity, and the sums on the way; the last is the cost.
pub(crate) fn on_the_way(schedule: &Schedule, quantity: u64) -> Vec<BigInt> {
    let (mut amounts, mut sum, mut start) = (Vec::new(), BigInt::ZERO, 0);
    for band in schedule.bands() {
        let end = band.up_to.unwrap_or(u64::MAX);
        let is_reached = quantity > start || start == 0;
        match schedule.tiering() {
            Tiering::Graduated if is_reached => {
                let of_band = at_rate(band.rate, quantity.min(end) - start);
                sum += &of_band;
                amounts.extend([of_band, sum.clone()]);
            }
            Tiering::Volume if is_reached && quantity <= end => {
                return vec![at_rate(band.rate, quantity)];
            }
            _ => {}
        }
        start = end;
    }
    amounts
}

fn at_rate(rate: UnitRate, quantity: u64) -> BigInt {
    units(rate.price.amount()) * quantity / rate.per.units()
}

fn unit_rate(random: &mut Random, currency: Currency) -> UnitRate {
    let price = Money::new(rate(random), currency);
    match random.random_range(0..4) {
        0 => UnitRate::per_unit(price),
        1 => UnitRate::per_thousand(price),
        _ => UnitRate::per_million(price),
    }
}

/// Nothing, a few digits as on price pages, or anything.
fn rate(random: &mut Random) -> Decimal {
    match random.random_range(0..24) {
        0 => Decimal::ZERO,
        1 => any_decimal(random),
        _ => {
            let (exponent, digits) = (random.random_range(-6..=3), random.random_range(1..=7));
            of_magnitude(random, exponent, digits)
        }
    }
}

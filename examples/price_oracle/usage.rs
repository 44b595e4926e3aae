//! What do usage records cost by a price list, and what stands on the invoice?

use std::collections::{BTreeMap, BTreeSet};

use bursar_pricing::charge::{ChargeError, ChargeLine, PeriodCharges, Statement, UsageRecord};
use bursar_pricing::{
    CostTable, Discount, ListTerms, Model, PriceList, PriceListName, PricingPolicy, Schedule, Tier,
    Tiering, TokenKind, VolumeDiscounts,
};
use bursar_units::{Currency, Money, Quantum, TokenCount, UnitRate};
use jiff::Timestamp;
use num_bigint::BigInt;
use rand::RngExt;
use rust_decimal::Decimal;

use crate::charge::on_the_way;
use crate::draw::{Random, count, pick, rounding};
use crate::exact::{decimal, is_decimal, units};
use crate::outcome::{Findings, Outcome};
use crate::policy::KINDS;
use crate::statement::{self, Rule};

/// A price list, and records charged by it.
#[derive(Debug)]
struct Case {
    list: PriceList,
    records: Vec<UsageRecord>,
    quantum: Quantum,
    rule: Rule,
}

/// Charges random records, and judges the lines, the statement and the invoice.
pub(crate) fn check(random: &mut Random, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let case = Case::random(random)?;
    let mut findings = outcome.case(number, &case);
    let mut charges = PeriodCharges::new(&case.list);
    let mut books = Books::default();
    for record in &case.records {
        let answer = charges.add(record);
        books.judge(&mut findings, &case.list, record, answer);
    }
    let lines = charges.lines();
    let is_whole = lines
        .iter()
        .map(|it| units(it.exact.amount()))
        .sum::<BigInt>()
        == books.sum();
    findings.require(is_whole, "records cost what the quantities cost");
    let (rule, quantum) = (case.rule, case.quantum);
    let statement = charges.statement(quantum, rule.rounding);
    statement::judge(&mut findings, lines, rule, &statement);
    let invoice = charges.invoice(quantum, rule.rounding);
    books.invoice(&mut findings, rule, &statement, &invoice);
    Ok(())
}

impl Case {
    fn random(random: &mut Random) -> anyhow::Result<Self> {
        let n_records = random.random_range(1..=6);
        let records = (0..n_records)
            .map(|number| record(random, number))
            .collect();
        let step = Decimal::new(*pick(random, &[1, 1, 5]), random.random_range(0..=8));
        Ok(Self {
            records,
            list: list(random)?,
            quantum: Quantum::step(step)?,
            rule: Rule {
                step: Some(step),
                rounding: rounding(random),
            },
        })
    }
}

/// Of a listed or an unlisted model and kind; one in ten has the id of another.
fn record(random: &mut Random, number: u32) -> UsageRecord {
    let number = match random.random_range(0..10) {
        0 => 0,
        _ => number,
    };
    let models = [Model::GPT_4, Model::GPT_4, Model::GPT_4, Model::CLAUDE];
    let model = match random.random_range(0..20) {
        0 => Model::DOMESTIC,
        _ => pick(random, &models).clone(),
    };
    let tokens = (0..random.random_range(1..=4)).map(|_| {
        let kind = match random.random_range(0..40) {
            0 => TokenKind::Reasoning,
            _ => *pick(random, &KINDS),
        };
        let most_bits = *pick(random, &[0, 12, 20, 30, 64]);
        (kind, TokenCount::new(count(random, most_bits)))
    });
    UsageRecord {
        id: format!("r-{number}"),
        model,
        tokens: tokens.collect(),
    }
}

fn list(random: &mut Random) -> anyhow::Result<PriceList> {
    let mut costs = CostTable::new(Currency::USD);
    for model in [Model::GPT_4, Model::CLAUDE] {
        for kind in KINDS {
            let cost = Decimal::new(random.random_range(1..=99_999), random.random_range(0..=4));
            let rate = UnitRate::per_million(Money::new(cost, Currency::USD));
            costs = costs.with(model.clone(), kind, rate)?;
        }
    }
    let end = 1 + count(random, 30);
    let bands = vec![
        (Some(end), Discount::ZERO),
        (
            Some(end * 2),
            Discount::new(Decimal::new(random.random_range(0..30), 2))?,
        ),
        (
            None,
            Discount::new(Decimal::new(random.random_range(0..60), 2))?,
        ),
    ];
    let tiering = *pick(random, &[Tiering::Graduated, Tiering::Volume]);
    let volume = VolumeDiscounts::new(tiering, bands)?;
    let from = Timestamp::UNIX_EPOCH;
    let terms = ListTerms::new(PriceListName::new("list")?, &Tier::Growth, from);
    let terms = match random.random_bool(0.7) {
        true => terms.volume(&volume),
        false => terms,
    };
    Ok(costs.price(&PricingPolicy::standard(), &terms)?)
}

/// What was charged so far, by the judge's own count.
#[derive(Default)]
struct Books {
    ids: BTreeSet<String>,
    used: BTreeMap<(String, TokenKind), u64>,
    costs: BTreeMap<(String, TokenKind), BigInt>,
}

impl Books {
    fn judge(
        &mut self,
        findings: &mut Findings<'_>,
        list: &PriceList,
        record: &UsageRecord,
        answer: Result<&[ChargeLine], ChargeError>,
    ) {
        let mut kinds = BTreeMap::<TokenKind, u128>::new();
        for (kind, tokens) in &record.tokens {
            *kinds.entry(*kind).or_default() += u128::from(tokens.as_u64());
        }
        kinds.retain(|_, tokens| *tokens > 0);
        let is_twice = self.ids.contains(&record.id);
        let is_listed = |kind: &TokenKind| list.entry(&record.model, *kind).is_ok();
        let is_unlisted = !kinds.keys().all(is_listed);
        let is_too_many = kinds.iter().any(|(kind, tokens)| {
            *tokens + u128::from(self.before(&record.model, *kind)) > u128::from(u64::MAX)
        });
        let is_too_long = || !self.is_held(list, &record.model, &kinds);
        let (what, is_right) = match &answer {
            Ok(_) => ("usage: charged", !is_twice && !is_unlisted && !is_too_many),
            Err(ChargeError::RecordTwice(_)) => ("usage: refused, delivered twice", is_twice),
            Err(ChargeError::NoPrice { .. }) => ("usage: refused, not in the list", is_unlisted),
            Err(ChargeError::TooManyTokens { .. } | ChargeError::Amount { .. }) if is_too_many => {
                ("usage: refused, beyond 2^64 tokens", true)
            }
            Err(ChargeError::Amount { .. }) => ("usage: refused, too many digits", is_too_long()),
            Err(_) => ("usage: refused, other", false),
        };
        findings.count(what);
        findings.require(is_right, what);
        if let Ok(lines) = answer {
            self.lines(findings, list, record, &kinds, lines);
        }
    }

    fn lines(
        &mut self,
        findings: &mut Findings<'_>,
        list: &PriceList,
        record: &UsageRecord,
        kinds: &BTreeMap<TokenKind, u128>,
        lines: &[ChargeLine],
    ) {
        findings.require(lines.len() == kinds.len(), "a line for each kind");
        for (line, (kind, tokens)) in lines.iter().zip(kinds) {
            let Ok(entry) = list.entry(&record.model, *kind) else {
                continue;
            };
            let key = (record.model.as_str().to_owned(), *kind);
            let used = self.used.entry(key.clone()).or_default();
            let before = cost(entry.schedule(), *used);
            *used += u64::try_from(*tokens).unwrap_or(u64::MAX);
            let after = cost(entry.schedule(), *used);
            let is_right = line.record == record.id
                && u128::from(line.quantity) == *tokens
                && units(line.exact.amount()) == &after - before;
            findings.require(is_right, "a line of a record");
            self.costs.insert(key, after);
        }
        self.ids.insert(record.id.clone());
    }

    /// Whether decimals hold all amounts on the way to what these tokens cost.
    fn is_held(&self, list: &PriceList, model: &Model, kinds: &BTreeMap<TokenKind, u128>) -> bool {
        kinds.iter().all(|(kind, tokens)| {
            let Ok(entry) = list.entry(model, *kind) else {
                return true;
            };
            let before = self.before(model, *kind);
            let after = before.saturating_add(u64::try_from(*tokens).unwrap_or(u64::MAX));
            let quantities = [before, after].into_iter();
            let mut amounts = quantities.flat_map(|it| on_the_way(entry.schedule(), it));
            let charge = cost(entry.schedule(), after) - cost(entry.schedule(), before);
            amounts.all(|it| is_decimal(&it)) && is_decimal(&charge)
        })
    }

    fn before(&self, model: &Model, kind: TokenKind) -> u64 {
        let key = (model.as_str().to_owned(), kind);
        self.used.get(&key).copied().unwrap_or_default()
    }

    fn sum(&self) -> BigInt {
        self.costs.values().sum()
    }

    /// A line for each model and kind, and the total of the statement.
    fn invoice(
        &self,
        findings: &mut Findings<'_>,
        rule: Rule,
        statement: &Result<Statement, ChargeError>,
        invoice: &Result<Statement, ChargeError>,
    ) {
        findings.count("usage: invoiced");
        let mut lines: Vec<ChargeLine> = self.used.iter().map(|it| self.invoiced(it)).collect();
        lines.sort_by(|one, other| one.item.cmp(&other.item));
        statement::judge(findings, &lines, rule, invoice);
        if let (Ok(statement), Ok(invoice)) = (statement, invoice) {
            let is_same = invoice.total == statement.total && invoice.exact == statement.exact;
            findings.require(is_same, "an invoice has the statement's total");
        }
    }

    fn invoiced(&self, (key, quantity): (&(String, TokenKind), &u64)) -> ChargeLine {
        let (model, kind) = key;
        let exact = self.costs.get(key).and_then(decimal).unwrap_or_default();
        ChargeLine {
            record: format!("{} records", self.ids.len()),
            item: format!("{model} {kind} tokens"),
            quantity: *quantity,
            exact: Money::new(exact, Currency::USD),
        }
    }
}

/// What a quantity costs, in units.
fn cost(schedule: &Schedule, quantity: u64) -> BigInt {
    on_the_way(schedule, quantity).pop().unwrap_or_default()
}

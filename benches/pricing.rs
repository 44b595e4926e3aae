//! How fast is a price made, promised, listed, charged and explained?
//!
//! Costs are 1024 amounts with six decimal places, so that no branch is learned by heart. A *price* is the
//! computed price with its bounds and its whole waterfall; a *quote* is a price with an id, a validity and
//! the fingerprint of its inputs (SHA-256). *Clamped* asks for a margin of 70 % under a ceiling of 50 %;
//! *28 digits* needs numbers of 512 bits. A *list* is what a million tokens of three kinds cost, and a
//! *record* is a request that used all three, charged by that list.
//!
//! `cargo bench -p bursar-benches --bench pricing`.

use std::hint::black_box;

use bursar_pricing::charge::{PeriodCharges, UsageRecord};
use bursar_pricing::{
    Contract, ContractId, CostTable, ListTerms, Margin, Model, PriceList, PriceListName,
    PriceRequest, PricingPolicy, Quote, QuoteId, Scope, SupplyState, Term, Tier, TokenKind,
};
use bursar_units::{Currency, Money, Quantum, Rounding, TokenCount, UnitRate};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

const DAY: Date = date(2026, 11, 27);

/// Costs from 0.50 to 1048 USD with six places, in an order that jumps.
fn costs() -> Vec<Money> {
    let micros = (0..1024_i64).map(|number| 500_000 + number * 389 % 1024 * 1_023_457);
    micros
        .map(|micros| Money::new(Decimal::new(micros, 6), Currency::USD))
        .collect()
}

fn contract() -> Contract {
    let usd = |amount: i64| Money::new(Decimal::new(amount, 0), Currency::USD);
    let terms = [
        Term::Discount("5%".parse().expect("a share")),
        Term::Floor(usd(1)),
        Term::Ceiling(usd(5_000)),
    ];
    let id = ContractId::new("acme-2026").expect("a name");
    let contract = Contract::new(id, date(2026, 1, 1), Some(date(2026, 12, 31)));
    terms.into_iter().fold(
        contract.expect("it ends after it begins"),
        |contract, term| contract.with(Scope::all(), term).expect("terms agree"),
    )
}

fn price(criterion: &mut Criterion) {
    let (costs, contract) = (costs(), contract());
    let policy = PricingPolicy::standard();
    let greedy = Tier::new("greedy").expect("a name");
    let most = Margin::new(Decimal::new(70, 2)).expect("a margin");
    let policy = policy.with_tier(greedy.clone(), most);
    let finest = Quantum::step(Decimal::new(1, 24)).expect("over zero");
    let fine = policy.clone().with_quantum(finest);
    let request =
        |cost, tier| PriceRequest::new(cost, tier, &Model::GPT_4, DAY).supply(SupplyState::Scarce);
    let mut group = criterion.benchmark_group("price");
    group.throughput(Throughput::Elements(1));
    let mut bench = |name, policy: &PricingPolicy, tier, contract: Option<&Contract>| {
        let mut costs = costs.iter().cycle().copied();
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut request = request(costs.next().expect("it goes round"), tier);
                if let Some(contract) = contract {
                    request = request.contract(contract);
                }
                policy.price(black_box(&request)).expect("there is a price")
            });
        });
    };
    bench("without_contract", &policy, &Tier::Growth, None);
    bench("with_contract", &policy, &Tier::Growth, Some(&contract));
    bench("clamped", &policy, &greedy, None);
    bench("28_digits", &fine, &Tier::Growth, None);
    group.finish();
}

fn quote(criterion: &mut Criterion) {
    let (costs, contract) = (costs(), contract());
    let policy = PricingPolicy::standard();
    let id = QuoteId::new("q-1").expect("a name");
    let mut group = criterion.benchmark_group("quote");
    group.throughput(Throughput::Elements(1));
    for (name, contract) in [
        ("without_contract", None),
        ("with_contract", Some(&contract)),
    ] {
        let mut costs = costs.iter().cycle().copied();
        group.bench_function(name, |b| {
            b.iter(|| {
                let cost = costs.next().expect("it goes round");
                let mut request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, DAY);
                if let Some(contract) = contract {
                    request = request.contract(contract);
                }
                let validity = SignedDuration::from_hours(24);
                let now = Timestamp::UNIX_EPOCH;
                Quote::issue(id.clone(), &policy, black_box(&request), now, validity)
                    .expect("there is a price")
            });
        });
    }
    group.finish();
}

const KINDS: [TokenKind; 3] = [TokenKind::Input, TokenKind::Output, TokenKind::CachedInput];

fn cost_table() -> CostTable {
    let rows = KINDS.into_iter().zip(["3.00", "15.00", "0.30"]);
    rows.fold(CostTable::new(Currency::USD), |costs, (kind, cost)| {
        let cost = Money::parse(cost, Currency::USD).expect("an amount");
        let costs = costs.with(Model::CLAUDE, kind, UnitRate::per_million(cost));
        costs.expect("each kind once")
    })
}

fn price_list(costs: &CostTable, policy: &PricingPolicy, name: &PriceListName) -> PriceList {
    let terms = ListTerms::new(name.clone(), &Tier::Growth, Timestamp::UNIX_EPOCH);
    costs.price(policy, &terms).expect("all costs have prices")
}

fn list(criterion: &mut Criterion) {
    let (costs, policy) = (cost_table(), PricingPolicy::standard());
    let name = PriceListName::new("growth").expect("a name");
    let mut group = criterion.benchmark_group("list");
    group.throughput(Throughput::Elements(1));
    group.bench_function("3_kinds", |b| {
        b.iter(|| price_list(black_box(&costs), &policy, &name))
    });
    group.finish();
}

const RECORDS: u64 = 1_000;

fn record(number: u64) -> UsageRecord {
    let tokens = KINDS.into_iter().zip([1_900, 350, 700]);
    UsageRecord {
        id: format!("request-{number:06}"),
        model: Model::CLAUDE,
        tokens: tokens
            .map(|(kind, most)| (kind, TokenCount::new(number * 7_919 % most + 1)))
            .collect(),
    }
}

fn charge(criterion: &mut Criterion) {
    let name = PriceListName::new("growth").expect("a name");
    let list = price_list(&cost_table(), &PricingPolicy::standard(), &name);
    let records: Vec<UsageRecord> = (0..RECORDS).map(record).collect();
    let charged = || {
        let mut charges = PeriodCharges::new(&list);
        for record in black_box(&records) {
            let _ = charges.add(record).expect("it has a price");
        }
        charges
    };
    let mut group = criterion.benchmark_group("charge");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("record", |b| {
        b.iter_batched(|| (), |()| charged(), BatchSize::LargeInput)
    });
    let charges = charged();
    group.bench_function("statement", |b| {
        b.iter(|| charges.statement(Quantum::MINOR_UNIT, Rounding::HalfUp))
    });
    group.bench_function("invoice", |b| {
        b.iter(|| charges.invoice(Quantum::MINOR_UNIT, Rounding::HalfUp))
    });
    group.finish();
}

fn waterfall(criterion: &mut Criterion) {
    let (policy, contract) = (PricingPolicy::standard(), contract());
    let cost = Money::new(Decimal::new(123_456_789, 6), Currency::USD);
    let request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, DAY).contract(&contract);
    let price = policy.price(&request).expect("there is a price");
    let mut group = criterion.benchmark_group("waterfall");
    group.throughput(Throughput::Elements(1));
    group.bench_function("added_up", |b| {
        b.iter(|| Money::try_sum(black_box(&price).waterfall().steps().map(|step| step.1)))
    });
    group.bench_function("written", |b| {
        b.iter(|| black_box(&price).waterfall().to_string())
    });
    group.finish();
}

criterion_group!(benches, price, quote, list, charge, waterfall);
criterion_main!(benches);

//! What is due for a month of usage, and does every cent of it add up?
//!
//! A month of generated usage is charged by a price list, paid from a wallet as far as it reaches,
//! compared with the provider's invoice, and settled with what a broken promise gives back. Each sum is
//! computed twice, in two ways, and the two are compared on screen.

#![expect(clippy::print_stdout, reason = "what an example finds is printed")]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bursar_pricing::charge::{PeriodCharges, Settlement, Statement, UsageRecord};
use bursar_pricing::ledger::{
    Ledger, MemoryLedger, Wallet, WalletEvent, WalletPolicy, WalletReceipt,
};
use bursar_pricing::reconciliation::{BilledItem, Reconciliation, Tolerance};
use bursar_pricing::sla::{
    Compensation, CompensationKey, CompensationTerms, Event, Outcome, PlanCheck, SlaMeter,
    SlaReport, SlaTerms, Window,
};
use bursar_pricing::{
    CostTable, ListEntry, ListTerms, Margin, Model, PriceList, PriceListName, PricingPolicy, Tier,
    TokenKind,
};
use bursar_units::{Currency, Money, Quantum, Rounding, TokenCount, UnitRate};
use clap::Parser;
use futures_executor::block_on;
use jiff::Timestamp;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::json;

/// Charges a month of generated usage, and shows that it adds up.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many requests the month has.
    #[arg(long, default_value_t = 20_000)]
    requests: u32,
    /// From which number the usage is generated.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the tenant has paid in advance, in USD.
    #[arg(long, default_value = "100.00")]
    prepaid: Decimal,
    /// Prints one JSON object instead.
    #[arg(long)]
    json: bool,
}

const TENANT: &str = "acme";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let month = Month::generate(&arguments)?;
    let charged = Charged::of(&month, &arguments)?;
    charged.check()?;
    if arguments.json {
        print_json(&charged)
    } else {
        print_text(&month, &charged)
    }
}

/// What happened in the month.
struct Month {
    period: Window,
    records: Vec<UsageRecord>,
    events: Vec<Event>,
    costs: CostTable,
}

impl Month {
    fn generate(arguments: &Arguments) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(arguments.seed);
        let start: Timestamp = "2026-11-01T00:00:00Z".parse()?;
        let period = Window::new(start, "2026-12-01T00:00:00Z".parse()?)?;
        let month = Duration::try_from(period.end().duration_since(start))?;
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for number in 0..arguments.requests {
            let at = start + month * number / arguments.requests;
            // One outage: a thousandth of the month's requests, one after the other.
            let failed = number % 1_000 == 7 || (number / 20) % 500 == 250;
            let outcome = if failed {
                Outcome::Failed
            } else {
                Outcome::Answered
            };
            let first_token = Duration::from_millis(rng.random_range(120..900));
            events.push(Event {
                at,
                outcome,
                time_to_first_token: Some(first_token),
                whole_answer: None,
            });
            if !failed {
                records.push(record(number, &mut rng));
            }
        }
        Ok(Self {
            period,
            records,
            events,
            costs: costs()?,
        })
    }
}

fn record(number: u32, rng: &mut ChaCha8Rng) -> UsageRecord {
    let model = if rng.random_bool(0.3) {
        Model::GPT_4
    } else {
        Model::CLAUDE
    };
    let mut tokens = |most: u64| TokenCount::new(rng.random_range(1..=most));
    UsageRecord {
        id: format!("request-{number:06}"),
        model,
        tokens: vec![
            (TokenKind::Input, tokens(3_000)),
            (TokenKind::Output, tokens(900)),
            (TokenKind::CachedInput, tokens(12_000)),
        ],
    }
}

/// What a million tokens cost the reseller; round numbers of the size that providers ask for.
fn costs() -> Result<CostTable> {
    let mut table = CostTable::new(Currency::USD);
    for (model, input, output, cached) in [
        (Model::GPT_4, "2.50", "10.00", "1.25"),
        (Model::CLAUDE, "3.00", "15.00", "0.30"),
    ] {
        for (kind, cost) in [
            (TokenKind::Input, input),
            (TokenKind::Output, output),
            (TokenKind::CachedInput, cached),
        ] {
            let rate = UnitRate::per_million(Money::parse(cost, Currency::USD)?);
            table = table.with(model.clone(), kind, rate)?;
        }
    }
    Ok(table)
}

/// The month in money.
struct Charged {
    list: PriceList,
    statement: Statement,
    invoice: Statement,
    prepaid: Money,
    events: Vec<(String, WalletEvent)>,
    ledger: MemoryLedger,
    wallet: Wallet,
    report: SlaReport,
    compensation: Compensation,
    settlement: Settlement,
    reconciliation: Reconciliation,
    plan: PlanCheck,
}

impl Charged {
    fn of(month: &Month, arguments: &Arguments) -> Result<Self> {
        let tier = Tier::Enterprise;
        let name = PriceListName::new("enterprise-2026-11")?;
        let list = month.costs.price(
            &PricingPolicy::standard(),
            &ListTerms::new(name, &tier, month.period.start()),
        )?;
        let mut charges = PeriodCharges::new(&list);
        for record in &month.records {
            charges.add(record)?;
        }
        let statement = charges.statement(Quantum::MINOR_UNIT, Rounding::HalfUp)?;
        let invoice = charges.invoice(Quantum::MINOR_UNIT, Rounding::HalfUp)?;
        let ledger = MemoryLedger::new();
        let low = Money::parse("10.00", Currency::USD)?;
        let wallet = Wallet::new(TENANT, WalletPolicy::prepaid(low));
        let paid = Money::new(arguments.prepaid, Currency::USD);
        let (prepaid, events) = pay(&wallet, &ledger, &statement, paid, month.period.start())?;

        let terms = SlaTerms::of_tier(&tier).context("a standard tier has terms")?;
        let mut meter = SlaMeter::new(terms, month.period);
        for event in &month.events {
            meter.record(event)?;
        }
        let report = meter.report();
        let compensation_terms = CompensationTerms {
            value_of_request: Money::parse("0.01", Currency::USD)?,
            quantum: Quantum::MINOR_UNIT,
        };
        let compensation = compensation_terms.of(&report, statement.total)?;
        let key = CompensationKey {
            tenant: TENANT.to_owned(),
            period: month.period,
            sla: "api".to_owned(),
        };
        if let Some(transaction) = compensation.transaction(&key, month.period.end())? {
            // Twice, as a job that is repeated would: it is given once.
            for _ in 0..2 {
                block_on(ledger.post(&transaction))?
                    .receipt()
                    .context("it is applied")?;
            }
        }
        let settlement = Settlement::of(&statement, prepaid, &compensation)?;
        let floor = Margin::new(Decimal::new(15, 2))?;
        Ok(Self {
            reconciliation: reconcile(&month.records, &month.costs)?,
            plan: PlanCheck::of(Margin::new(Decimal::new(40, 2))?, &terms, floor)?,
            list,
            statement,
            invoice,
            prepaid,
            events,
            ledger,
            wallet,
            report,
            compensation,
            settlement,
        })
    }

    /// Adds up in a second way what was added up before.
    fn check(&self) -> Result<()> {
        for statement in [&self.statement, &self.invoice] {
            let lines = statement.lines.iter();
            let charged = sum(lines.clone().map(|line| line.charged))?;
            ensure!(
                charged == self.statement.total,
                "the charged lines do not add up"
            );
            let exact = sum(lines.map(|line| line.line.exact))?;
            ensure!(
                exact == self.statement.exact,
                "the exact lines do not add up"
            );
        }
        let due = self.settlement.due.checked_sub(self.settlement.carried)?;
        let again = self.statement.total.checked_sub(self.prepaid)?;
        ensure!(
            due == again.checked_sub(self.compensation.credit)?,
            "the settlement does not add up"
        );
        block_on(self.ledger.audit())?;
        Ok(())
    }
}

fn sum(amounts: impl Iterator<Item = Money>) -> Result<Money> {
    Ok(Money::try_sum(amounts)?.unwrap_or(Money::zero(Currency::USD)))
}

/// Pays for the lines from the wallet while it reaches, and says what was paid and told.
fn pay(
    wallet: &Wallet,
    ledger: &MemoryLedger,
    statement: &Statement,
    paid: Money,
    at: Timestamp,
) -> Result<(Money, Vec<(String, WalletEvent)>)> {
    let mut prepaid = Money::zero(Currency::USD);
    let mut told = Vec::new();
    if !paid.is_zero() {
        let _ = block_on(wallet.top_up(ledger, "payment-1", at, paid))?;
    }
    for (number, line) in statement.lines.iter().enumerate() {
        if line.charged.is_zero() {
            continue;
        }
        let id = format!("charge-{number}");
        match block_on(wallet.charge(ledger, &id, at, line.charged))? {
            WalletReceipt::Done { events, .. } => {
                prepaid = prepaid.checked_add(line.charged)?;
                told.extend(
                    events
                        .into_iter()
                        .map(|event| (line.line.record.clone(), event)),
                );
            }
            WalletReceipt::Insufficient(_) => break,
        }
    }
    Ok((prepaid, told))
}

/// Our own records beside an invoice of the provider that lacks one, has one too many, and has
/// another amount for one.
fn reconcile(records: &[UsageRecord], costs: &CostTable) -> Result<Reconciliation> {
    let costs: BTreeMap<_, _> = costs
        .rows()
        .map(|(model, kind, cost)| ((model, kind), cost))
        .collect();
    let mut recorded = Vec::new();
    for record in records {
        let mut amount = Money::zero(Currency::USD);
        for (kind, tokens) in &record.tokens {
            let cost = costs
                .get(&(&record.model, *kind))
                .context("each kind has a cost")?;
            amount = amount.checked_add(UnitRate::per_million(*cost).cost(*tokens)?)?;
        }
        recorded.push(BilledItem::new(&*record.id, amount));
    }
    let mut invoiced = recorded.clone();
    if invoiced.len() > 2 {
        invoiced.remove(0);
        invoiced.push(BilledItem::new(
            "request-unknown",
            Money::parse("0.0123", Currency::USD)?,
        ));
        if let Some(item) = invoiced.first_mut() {
            item.amount = item.amount.checked_mul(Decimal::TWO)?;
        }
    }
    Ok(Reconciliation::of(
        recorded,
        invoiced,
        &Tolerance::exact(Currency::USD),
    )?)
}

fn print_text(month: &Month, charged: &Charged) -> Result<()> {
    let Charged {
        statement,
        settlement,
        compensation,
        reconciliation,
        ..
    } = charged;
    println!("November 2026, tenant {TENANT}, tier enterprise\n");
    println!("usage by price list {}", charged.list.name());
    let rates = rates(&charged.list);
    for line in &charged.invoice.lines {
        let (used, charged) = (&line.line, line.charged);
        let rate = rates.get(&used.item).map_or("", String::as_str);
        let item = &used.item;
        println!(
            "  {item:<28}{:>12} × {rate:<26}{:>20} → {charged:>12}",
            used.quantity, used.exact
        );
    }
    let (sum, total) = (statement.exact, statement.total);
    println!(
        "  {:<28}{:12}   {:26}{sum:>20} → {total:>12}",
        "total", "", ""
    );
    println!(
        "  the same total is divided among {} lines of records",
        statement.lines.len()
    );
    println!("\nwallet");
    for (record, event) in &charged.events {
        match event {
            WalletEvent::LowBalance { balance } => println!("  {record}: low, {balance} left"),
            WalletEvent::Depleted { balance } => println!("  {record}: depleted, {balance} left"),
            _ => {}
        }
    }
    println!(
        "  {} of {} were paid from it",
        charged.prepaid, statement.total
    );
    println!("\nservice agreement");
    for line in charged.report.to_string().lines() {
        println!("  {line}");
    }
    println!(
        "  {} affected requests: credit {}, refund {}",
        compensation.affected_requests, compensation.credit, compensation.refund
    );
    let net = charged.plan.net_margin.map_or("nothing".to_owned(), |net| {
        format!(
            "{} %",
            net.checked_mul(Decimal::ONE_HUNDRED)
                .unwrap_or(net)
                .round_dp(1)
        )
    });
    println!(
        "  in the worst case the plan nets {net} ({:?})",
        charged.plan.verdict
    );
    println!("\nsettlement");
    for (what, amount) in [
        ("charged", settlement.charged),
        ("− prepaid", settlement.prepaid),
        ("− credit", settlement.credit),
        ("= due", settlement.due),
        ("  carried to the next invoice", settlement.carried),
        ("  refund, paid out", settlement.refund),
    ] {
        println!("  {what:<32} {amount:>14}");
    }
    let audit = block_on(charged.ledger.audit())?;
    println!(
        "  wallet: {}; {} transactions and {} entries, and every balance is the sum of its entries",
        block_on(charged.wallet.balance(&charged.ledger))?,
        audit.transactions,
        audit.entries,
    );
    println!(
        "\nprovider's invoice beside our {} records",
        month.records.len()
    );
    println!(
        "  {} matched, {} missing, {} extra, {} different: invoiced {} more than recorded, accuracy {}",
        reconciliation.matched,
        reconciliation.missing(),
        reconciliation.extra(),
        reconciliation.different(),
        reconciliation.difference,
        reconciliation
            .accuracy()
            .map_or("unknown".to_owned(), |share| share.round_dp(6).to_string()),
    );
    Ok(())
}

/// The listed rate of each item.
fn rates(list: &PriceList) -> BTreeMap<String, String> {
    let rate = |entry: &ListEntry| {
        let item = format!("{} {} tokens", entry.model(), entry.kind());
        (item, entry.schedule().band(1).rate.to_string())
    };
    list.entries().iter().map(rate).collect()
}

fn print_json(charged: &Charged) -> Result<()> {
    let audit = block_on(charged.ledger.audit())?;
    let object = json!({
        "invoice": charged.invoice.lines,
        "lines": charged.statement.lines.len(),
        "exact": charged.statement.exact,
        "total": charged.statement.total,
        "report": charged.report,
        "compensation": charged.compensation,
        "settlement": charged.settlement,
        "plan": charged.plan,
        "ledger": audit,
        "reconciliation": {
            "matched": charged.reconciliation.matched,
            "missing": charged.reconciliation.missing(),
            "extra": charged.reconciliation.extra(),
            "different": charged.reconciliation.different(),
            "difference": charged.reconciliation.difference,
            "accuracy": charged.reconciliation.accuracy(),
        },
    });
    println!("{}", serde_json::to_string_pretty(&object)?);
    Ok(())
}

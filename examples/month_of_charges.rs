//! What is due for a month of usage, and does every cent of it add up?
//!
//! A month of generated usage is charged by a price list, paid from a wallet as far as it reaches,
//! compared with the provider's invoice, and settled with what a broken promise gives back. Each sum is
//! computed twice, in two ways, and the two are compared on screen.

#![expect(clippy::print_stdout, reason = "what an example finds is printed")]

#[path = "month_of_charges/month.rs"]
mod month;
#[path = "month_of_charges/page.rs"]
mod page;

use anyhow::{Context, Result, ensure};
use bursar_pricing::charge::{PeriodCharges, Settlement, Statement};
use bursar_pricing::ledger::{
    Ledger, MemoryLedger, Wallet, WalletEvent, WalletPolicy, WalletReceipt,
};
use bursar_pricing::reconciliation::Reconciliation;
use bursar_pricing::sla::{
    Compensation, CompensationKey, CompensationTerms, PlanCheck, SlaMeter, SlaReport, SlaTerms,
    Window,
};
use bursar_pricing::{ListTerms, Margin, PriceList, PriceListName, PricingPolicy, Tier};
use bursar_units::{Currency, Money, Quantum, Rounding};
use clap::Parser;
use futures_executor::block_on;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::month::{Month, reconcile};

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
        page::print_json(&charged)
    } else {
        page::print_text(&month, &charged)
    }
}

/// The month in money.
struct Charged {
    list: PriceList,
    statement: Statement,
    invoice: Statement,
    /// What was paid into the wallet.
    paid_in: Money,
    /// What of it the charges have used up.
    prepaid: Money,
    events: Vec<(String, WalletEvent)>,
    ledger: MemoryLedger,
    wallet: Wallet,
    report: SlaReport,
    compensation_terms: CompensationTerms,
    compensation: Compensation,
    settlement: Settlement,
    reconciliation: Reconciliation,
    plan: PlanCheck,
    floor: Margin,
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
        give_back(&compensation, &ledger, month.period)?;
        let settlement = Settlement::of(&statement, prepaid, &compensation)?;
        let end = month.period.end();
        use_credit(&settlement, &wallet, &ledger, end)?;
        let floor = Margin::new(Decimal::new(15, 2))?;
        Ok(Self {
            reconciliation: reconcile(&month.records, &month.costs)?,
            plan: PlanCheck::of(Margin::new(Decimal::new(40, 2))?, &terms, floor)?,
            floor,
            list,
            statement,
            invoice,
            paid_in: paid,
            prepaid,
            events,
            ledger,
            wallet,
            report,
            compensation_terms,
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
        let unused = self.paid_in.checked_sub(self.prepaid)?;
        ensure!(
            block_on(self.wallet.balance(&self.ledger))?
                == unused.checked_add(self.settlement.carried)?,
            "the wallet does not hold what is left"
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

/// Gives back what a broken promise owes, once.
fn give_back(compensation: &Compensation, ledger: &MemoryLedger, period: Window) -> Result<()> {
    let key = CompensationKey {
        tenant: TENANT.to_owned(),
        period,
        sla: "api".to_owned(),
    };
    if let Some(transaction) = compensation.transaction(&key, period.end())? {
        // Twice, as a job that is repeated would.
        for _ in 0..2 {
            block_on(ledger.post(&transaction))?
                .receipt()
                .context("it is applied")?;
        }
    }
    Ok(())
}

/// Takes from the wallet what the invoice was reduced by, so that a credit is not spent twice.
fn use_credit(
    settlement: &Settlement,
    wallet: &Wallet,
    ledger: &MemoryLedger,
    at: Timestamp,
) -> Result<()> {
    let used = settlement.credit.checked_sub(settlement.carried)?;
    if !used.is_zero() {
        let receipt = block_on(wallet.charge(ledger, "credit-used", at, used))?;
        ensure!(
            matches!(receipt, WalletReceipt::Done { .. }),
            "the wallet lacks the credit"
        );
    }
    Ok(())
}

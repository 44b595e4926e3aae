//! How does a finance person read the month?

use std::collections::BTreeMap;

use anyhow::Result;
use bursar_pricing::ledger::{Ledger, WalletEvent};
use bursar_pricing::sla::PlanVerdict;
use bursar_pricing::{ListEntry, PriceList};
use bursar_units::Money;
use futures_executor::block_on;
use rust_decimal::Decimal;
use serde_json::json;

use crate::month::Month;
use crate::{Charged, TENANT};

/// Usage, then what was paid, what is given back, and what is due.
pub(crate) fn print_text(month: &Month, charged: &Charged) -> Result<()> {
    println!("November 2026, tenant {TENANT}, tier enterprise; amounts in USD\n");
    print_usage(charged);
    print_wallet(charged);
    print_service(charged);
    print_settlement(charged)?;
    print_reconciliation(month, charged);
    Ok(())
}

fn print_usage(charged: &Charged) {
    println!("1. Usage, by price list {}", charged.list.name());
    let rates = rates(&charged.list);
    println!(
        "   {:<28}{:>13}   {:>11}   {:>15}{:>11}",
        "", "tokens", "per million", "exactly", "charged"
    );
    for line in &charged.invoice.lines {
        let used = &line.line;
        let rate = rates.get(&used.item).copied();
        println!(
            "   {:<28}{:>13} × {:>11} = {:>15}{:>11}",
            used.item,
            grouped(used.quantity),
            rate.map_or(String::new(), |rate| places(rate, 6)),
            places(used.exact, 8),
            places(line.charged, 2),
        );
    }
    let statement = &charged.statement;
    println!(
        "   {:<28}{:>13}   {:>11}   {:>15}{:>11}",
        "total",
        "",
        "",
        places(statement.exact, 8),
        places(statement.total, 2),
    );
    println!(
        "   The lines add up, and so does the statement with its {} lines, one for each kind of tokens\n   \
         of each request: fractions of a cent are divided so that nothing is lost.",
        statement.lines.len()
    );
}

fn print_wallet(charged: &Charged) {
    println!("\n2. Paid in advance");
    row("paid into the wallet", charged.paid_in);
    row("− used for charges, while it lasted", charged.prepaid);
    row(
        "= left for later",
        difference(charged.paid_in, charged.prepaid),
    );
    for (record, event) in &charged.events {
        match event {
            WalletEvent::LowBalance { balance } => {
                println!("   told after {record}: only {} left", places(*balance, 2));
            }
            WalletEvent::Depleted { balance } => {
                println!(
                    "   told after {record}: depleted, {} left",
                    places(*balance, 2)
                );
            }
            _ => {}
        }
    }
}

fn print_service(charged: &Charged) {
    println!("\n3. Service agreement");
    for line in charged.report.to_string().lines() {
        println!("   {line}");
    }
    let (owed, terms) = (&charged.compensation, charged.report.terms);
    if owed.affected_requests > 0 {
        let value = charged.compensation_terms.value_of_request;
        let parts = [
            ("credit", terms.credit, owed.exact_credit, owed.credit),
            ("refund", terms.refund, owed.exact_refund, owed.refund),
        ];
        for (name, share, exact, given) in parts {
            println!(
                "   {name}: {} failed requests × {} × {share} = {}, rounded up {}",
                owed.affected_requests,
                places(value, 2),
                exact.amount().normalize(),
                places(given, 2),
            );
        }
        if owed.is_capped {
            println!("   no more is given back than was charged");
        }
    }
    print_plan(charged);
}

/// What the plan would earn if everything it promises had to be paid.
fn print_plan(charged: &Charged) {
    let plan = &charged.plan;
    let net = plan.net_margin.map_or("nothing".to_owned(), percent);
    let verdict = match plan.verdict {
        PlanVerdict::Sound => "not under the floor",
        PlanVerdict::UnderFloor => "under the floor",
        PlanVerdict::Loss => "a loss",
    };
    println!(
        "   If all requests of a month failed, {} would be given back and the plan would net {net} instead of\n   \
         {}: {verdict} of {}. It would hold the floor from a margin of {} on.",
        plan.given_back,
        percent(plan.margin.as_decimal()),
        percent(charged.floor.as_decimal()),
        percent(plan.needed_margin),
    );
}

fn print_settlement(charged: &Charged) -> Result<()> {
    let settlement = &charged.settlement;
    println!("\n4. Settlement");
    row("charged (1)", settlement.charged);
    row("− paid in advance (2)", settlement.prepaid);
    row("− credit (3)", settlement.credit);
    if !settlement.carried.is_zero() {
        row("+ credit for the next invoice", settlement.carried);
    }
    row("= due", settlement.due);
    row("refund, paid out beside it (3)", settlement.refund);
    row(
        "in the wallet now",
        block_on(charged.wallet.balance(&charged.ledger))?,
    );
    let audit = block_on(charged.ledger.audit())?;
    println!(
        "   In the books: {} transactions with {} entries; each sums to zero, and every balance is the sum\n   \
         of its entries.",
        audit.transactions, audit.entries,
    );
    Ok(())
}

fn print_reconciliation(month: &Month, charged: &Charged) {
    let found = &charged.reconciliation;
    let remark = match (found.missing(), found.extra(), found.different()) {
        (0, 0, 0) => "",
        _ => " (made to differ in three places)",
    };
    println!(
        "\n5. The provider's invoice beside our {} records{remark}",
        month.records.len()
    );
    println!(
        "   {} matched, {} missing on the invoice, {} only there, {} with another amount",
        found.matched,
        found.missing(),
        found.extra(),
        found.different(),
    );
    let accuracy = found
        .accuracy()
        .and_then(|it| it.checked_mul(Decimal::ONE_HUNDRED));
    println!(
        "   invoiced {} more than recorded; billing accuracy {}",
        found.difference.amount().normalize(),
        accuracy.map_or("unknown".to_owned(), |it| format!(
            "{} %",
            it.round_dp(4).normalize()
        )),
    );
}

fn row(what: &str, amount: Money) {
    println!("   {what:<36}{:>12}", places(amount, 2));
}

/// An amount with at least this many places, and its currency left to the head of the page.
fn places(money: Money, least: u32) -> String {
    let mut amount = money.amount().normalize();
    amount.rescale(amount.scale().max(least));
    amount.to_string()
}

fn difference(whole: Money, part: Money) -> Money {
    whole.checked_sub(part).unwrap_or(whole)
}

fn percent(share: Decimal) -> String {
    let percent = share.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share);
    format!("{} %", percent.round_dp(1).normalize())
}

/// Digits in groups of three: `84,042,276`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The listed price of each item.
fn rates(list: &PriceList) -> BTreeMap<String, Money> {
    let rate = |entry: &ListEntry| {
        let item = format!("{} {} tokens", entry.model(), entry.kind());
        (item, entry.schedule().band(1).rate.price)
    };
    list.entries().iter().map(rate).collect()
}

pub(crate) fn print_json(charged: &Charged) -> Result<()> {
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
